#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernel_memory: the lines in the kernel's log and the values in memory for
# each number of structs of the exercise, and what is refused.

page=$(getconf PAGESIZE 2>/dev/null) ||
	page=$(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)
per_page=$((page / 32))
params=/sys/module/kernel_memory/parameters

skip()
{
	echo "1..0 # SKIP $1"
	exit 4
}

[ "$(id -u)" = 0 ] || skip "only root loads modules"
if [ -d /sys/module/kernel_memory ]; then
	[ -e /sys/module/kernel_memory/initstate ] || skip "kernel_memory is built in"
	modprobe -r kernel_memory || skip "kernel_memory is loaded and in use"
fi
modprobe -n kernel_memory 2>/dev/null || modprobe kernel_memory ||
	skip "there is no module kernel_memory"
modprobe -r kernel_memory 2>/dev/null

nr=0
failed=0
# result STATUS NAME
result()
{
	nr=$((nr + 1))
	if [ "$1" = 0 ]; then
		echo "ok $nr $2"
	else
		echo "not ok $nr $2"
		failed=$((failed + 1))
	fi
}

# What the kernel has logged since the last mark.
mark="kernel_memory_test $$"
marks=0
set_mark()
{
	marks=$((marks + 1))
	echo "$mark $marks end" >/dev/kmsg
}

log_since_mark()
{
	dmesg | sed "1,/$mark $marks end/d" | sed 's/^\[[^]]*\] //'
}

# logged TEXT: the log has this line
logged()
{
	log_since_mark | grep -qxF "$1"
	result $? "$structs structs: $1"
}

wait_for()
{
	for i in 1 2 3 4 5 6 7 8 9 10; do
		log_since_mark | grep -qF "$1" && return
		sleep 0.2 2>/dev/null || sleep 1
	done
}

# log2 of the pages, rounded up, the slow way
order_of()
{
	order=0
	while [ $((1 << order)) -lt "$1" ]; do
		order=$((order + 1))
	done
	echo $order
}

thread_sleeps()
{
	for stat in /proc/[0-9]*/stat; do
		case $(cat "$stat" 2>/dev/null) in
		*"(k_memory) S "*) return 0 ;;
		esac
	done
	return 1
}

# accepts STRUCTS PAGES ORDER
accepts()
{
	structs=$1
	set_mark
	modprobe kernel_memory nr_structs="$structs" dyndbg=+p
	result $? "$structs structs: loads"
	wait_for "page $(($2 - 1)):"
	thread_sleeps
	result $? "$structs structs: thread k_memory sleeps"
	[ "$(cat $params/nr_structs)" = "$structs" ]
	result $? "$structs structs: nr_structs is shown"
	modprobe -r kernel_memory
	result $? "$structs structs: unloads"

	logged "Loaded kernel_memory module"
	logged "Hello from thread k_memory. nr_structs=$structs"
	logged "page size $page, struct size 32, structs per page $per_page"
	logged "nr_pages $2, order $3, structs per page $per_page"
	logged "Success: all $structs structs hold the right values"
	logged "Unloaded kernel_memory module"

	got=$(log_since_mark | sed -n 's/.*page [0-9]*: pfn=.* first value=//p')
	want=$(i=0; while [ $i -lt "$2" ]; do echo $((i * per_page * 8)); i=$((i + 1)); done)
	[ "$got" = "$want" ]
	result $? "$structs structs: the first values of all pages"
}

# refuses VALUE TEXT: does not load, says why
refuses()
{
	set_mark
	modprobe kernel_memory nr_structs="$1" 2>/dev/null
	[ $? != 0 ] && [ ! -d /sys/module/kernel_memory ]
	result $? "nr_structs=$1 is refused"
	log_since_mark | grep -qF "$2"
	result $? "nr_structs=$1: the log says why"
	if [ -d /sys/module/kernel_memory ]; then
		modprobe -r kernel_memory
	fi
}

if [ "$page" = 4096 ]; then
	accepts 200 2 1
	accepts 1000 8 3
	accepts 2000 16 4
	accepts 4000 32 5
	accepts 10000 79 7
	accepts 50000 391 9
else
	for structs in 200 1000 2000 4000 10000 50000; do
		pages=$(((structs + per_page - 1) / per_page))
		accepts $structs $pages "$(order_of $pages)"
	done
fi
accepts 1 1 0
accepts "$per_page" 1 0
accepts $((per_page + 1)) 2 1
refuses 0 "nr_structs=0 refused: from 1 to"
refuses 4294967295 "nr_structs=4294967295 refused: from 1 to"
refuses 4294967296 "invalid for parameter"
refuses -1 "invalid for parameter"
refuses many "invalid for parameter"

# The most that one allocation can hold, and one struct more.
most=$(dmesg | sed -n 's/.*refused: from 1 to \([0-9]*\) structs.*/\1/p' | tail -n 1)
refuses $((most + 1)) "nr_structs=$((most + 1)) refused"

# The number at load time counts, whatever is written afterwards.
set_mark
modprobe kernel_memory nr_structs=1000
echo 5 >$params/nr_structs
modprobe -r kernel_memory
log_since_mark | grep -qxF "Success: all 1000 structs hold the right values"
result $? "a later write to nr_structs changes nothing"

echo "1..$nr"
[ $failed = 0 ]
