#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest (or on the Pi). The file "plan" has lines
#   layout SCHEME BYTES	memalloc, where its pages are
#   latency PAGES		each way to translate, timed
#   vmas			the dump of process 1, and /proc/1/maps
# What the programs print goes to run.py as it is, with a line "begin ..." before it.
cd "$(dirname "$0")" || exit 1
PATH=$PATH:/usr/sbin:/sbin

[ -e /proc/lkp25p3 ] || modprobe lkp25p3 2>/dev/null
echo "cond kernel $(uname -r) $(uname -v)"
echo "cond model $(tr -d '\0' </proc/device-tree/model 2>/dev/null || uname -m)"
echo "cond cpus $(grep -c ^processor /proc/cpuinfo)"
echo "cond memory $(awk '/MemTotal/ { printf "%d MiB", $2 / 1024 }' /proc/meminfo)"
echo "cond page_size $(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)"
echo "cond thp $(cat /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null)"

vmas() {
	mark="vmas $$"
	echo "$mark" >/dev/kmsg
	./walk -d || return
	dmesg | sed "1,/$mark/d" | sed 's/^\[ *[0-9.]*\] //; s/^/dump /'
	sed 's/^/maps /' /proc/1/maps
}

while read -r what argument bytes; do
	echo "begin $what $argument"
	case $what in
	layout) ./memalloc -n "$bytes" "$argument" ;;
	latency) ./latency -n "$argument" ;;
	vmas) vmas ;;
	esac || echo "fail $what $argument"
done <plan 2>&1
echo end
