#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest (or on the Pi): memalloc read, once for each line of the file "plan":
#   NAME BYTES SECONDS PACE_MS INTERVAL_MS SAMPLE
# What it prints goes to run.py as it is, with a line "begin NAME" before it.
cd "$(dirname "$0")" || exit 1
PATH=$PATH:/usr/sbin:/sbin

[ -e /proc/lkp25p3 ] || modprobe lkp25p3 || { echo "fail no /proc/lkp25p3 here"; exit 1; }
[ -d /sys/kernel/debug/lkp25p3 ] || mount -t debugfs none /sys/kernel/debug
echo "cond kernel $(uname -r) $(uname -v)"
echo "cond model $(tr -d '\0' </proc/device-tree/model 2>/dev/null || uname -m)"
echo "cond cpus $(grep -c ^processor /proc/cpuinfo)"
echo "cond memory $(awk '/MemTotal/ { printf "%d MiB", $2 / 1024 }' /proc/meminfo)"
echo "cond page_size $(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)"

while read -r name bytes seconds pace interval sample; do
	echo "begin $name"
	mark="monitor $name $$"
	echo "$mark" >/dev/kmsg
	./memalloc -n "$bytes" -t "$seconds" -p "$pace" -i "$interval" -s "$sample" read ||
		echo "fail memalloc read ($name)"
	dmesg | sed "1,/$mark/d" | grep 'lkp25p3.*monitor' | head -n 3 | sed 's/^/log /'
done <plan 2>&1
echo end
