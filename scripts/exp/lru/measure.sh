#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: swap on zram (or on the disk), a policy, one run of fiveproc.
# usage: measure.sh policy key=value... ; a policy is classic, mglru, lru or
# always (lru, harvested each 10 ms whatever that costs).
policy=$1
shift
lru=/sys/kernel/mm/lru_page_list
mount -t debugfs none /sys/kernel/debug 2>/dev/null
if [ -b /dev/vda ]; then
	mkswap /dev/vda >/dev/null && swapon /dev/vda || exit 1
else
	echo 512M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 || exit 1
fi
echo 0 >/proc/sys/vm/page-cluster
echo never >/sys/kernel/mm/transparent_hugepage/enabled
case $policy in
always) echo lru >$lru/policy && echo 1 >$lru/always || exit 1 ;;
*) echo "$policy" >$lru/policy || exit 1 ;;
esac
/fiveproc "$@" || exit 1
sed 's/^/stat /' $lru/stats
