#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: swap on zram (or on the disk), a policy, one run of a program.
# usage: measure.sh swap program policy key=value... ; swap is zram, disk or no; a policy is classic, mglru, lru,
# always (lru, harvested each 10 ms whatever that costs), guard or guard-always.
swap=$1
program=$2
policy=$3
shift 3
lru=/sys/kernel/mm/lru_page_list
mount -t debugfs none /sys/kernel/debug 2>/dev/null
case $swap in
zram) echo 512M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 || exit 1 ;;
disk) mkswap /dev/vda >/dev/null && swapon /dev/vda || exit 1 ;;
esac
echo 0 >/proc/sys/vm/page-cluster
echo never >/sys/kernel/mm/transparent_hugepage/enabled
case $policy in
always) echo lru >$lru/policy && echo 1 >$lru/always || exit 1 ;;
guard) echo lru >$lru/policy && echo 1 >$lru/guard || exit 1 ;;
guard-always) echo lru >$lru/policy && echo 1 >$lru/guard && echo 1 >$lru/always || exit 1 ;;
*) echo "$policy" >$lru/policy || exit 1 ;;
esac
"/$program" "$@" || exit 1
sed 's/^/stat /' $lru/stats
