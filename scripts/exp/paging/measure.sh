#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest (or on the Pi): the measurements that the file "plan" lists.
# A line of it: program mode source demand_paging fault_bytes prepage pmd_map size run
# What it prints is for run.py: lines "cond", "row", "fail", "counter", "log".
cd "$(dirname "$0")" || exit 1
params=/sys/module/paging/parameters
stats=/sys/class/misc/paging/stats
PATH=$PATH:/usr/sbin:/sbin

if [ ! -c /dev/paging ]; then
	modprobe paging || { echo "fail no /dev/paging here: is the kernel built with CONFIG_PAGING?"; exit 1; }
fi
page=$(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)

config()
{
	zcat /proc/config.gz 2>/dev/null | sed -n "s/^$1=//p"
}

conditions()
{
	echo "cond kernel $(uname -r) $(uname -v)"
	echo "cond model $(tr -d '\0' </proc/device-tree/model 2>/dev/null || uname -m)"
	echo "cond cpus $(grep -c ^processor /proc/cpuinfo)"
	echo "cond memory $(awk '/MemTotal/ { printf "%d MiB", $2 / 1024 }' /proc/meminfo)"
	echo "cond page_size $page"
	echo "cond HZ $(config CONFIG_HZ)"
	for option in PREEMPT PREEMPT_NONE PREEMPT_VOLUNTARY CC_OPTIMIZE_FOR_SIZE \
			CC_OPTIMIZE_FOR_PERFORMANCE MEMCG TRANSPARENT_HUGEPAGE ARM64_CONTPTE; do
		[ -z "$(config CONFIG_$option)" ] || echo "cond option $option"
	done
	echo "cond thp $(cat /sys/kernel/mm/transparent_hugepage/enabled 2>/dev/null)"
}

set_mode()
{
	[ "$3" != page ] || set -- "$1" "$2" "$page" "$4" "$5"
	[ "$1" = paging ] || return 0
	echo "$2" >$params/demand_paging && echo "$3" >$params/fault_bytes &&
		echo "$4" >$params/prepage && echo "$5" >$params/pmd_map
}

# What the lab asks for: the counters after dense_mm 256, and the log of it all.
counters()
{
	set_mode paging 1 page chunks Y
	module=
	[ ! -e /sys/module/paging/initstate ] || module=y
	if [ "$module" ] && modprobe -r paging 2>/dev/null; then
		modprobe paging
	fi
	allocated=$(cat $stats/pages_allocated)
	freed=$(cat $stats/pages_freed)
	./dense_mm 256 >/dev/null
	echo "counter allocated $(($(cat $stats/pages_allocated) - allocated))"
	echo "counter freed $(($(cat $stats/pages_freed) - freed))"
	if [ "$module" ] && modprobe -r paging 2>/dev/null; then
		dmesg | grep 'kmod_paging module' | tail -n 2 | sed 's/^/log /'
		modprobe paging
	fi
}

measure()
{
	while read -r program mode source demand bytes prepage pmd size run; do
		set_mode "$source" "$demand" "$bytes" "$prepage" "$pmd" || {
			echo "fail cannot set the module's parameters for $mode"
			exit 1
		}
		out=$(./"$program" -r -c -m "$source" "$size" 2>&1) || {
			echo "fail $program $size, $mode: $out"
			exit 1
		}
		echo "row $program $mode $run $out"
	done
}

conditions
for program in dense_mm merge_sort hash_table; do	# nobody measures a first run
	[ ! -e ./$program ] || ./$program 16 >/dev/null
done
measure <plan
counters
set_mode paging 1 page chunks Y
echo "end"
