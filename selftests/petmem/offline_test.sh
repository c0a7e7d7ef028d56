#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Memory blocks that are taken offline, given to the pool, used, taken back.
# x86_64 has such blocks if anything is free; arm64 if memory was plugged in,
# as by virtio-mem.

pool=/sys/kernel/debug/petmem/pool
blocks=/sys/devices/system/memory
page=$(getconf PAGESIZE 2>/dev/null) ||
	page=$(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)
cd "$(dirname "$0")" || exit 1
. ../kselftest/ktap_helpers.sh
ktap_print_header

skip()
{
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}
[ -c /dev/petmem ] || skip "no /dev/petmem"
[ -f $pool ] || mount -t debugfs none /sys/kernel/debug
[ -f $blocks/block_size_bytes ] || skip "no memory hotplug"
block=$((0x$(cat $blocks/block_size_bytes)))
mb=$((block / 1048576))

out=$(./petmem $mb 2>&1)
case $out in
*"offline memory"*) ;;
*)
	./petmem -r >/dev/null 2>&1
	skip "no memory can be taken offline"
esac

check()
{
	if [ "$2" = "$3" ]; then
		ktap_test_pass "$1"
	else
		ktap_test_fail "$1: $2, not $3"
	fi
}

set -- $(awk '/^range.*offline$/ { print $2, $3; exit }' $pool)
base=$1
pages=$2
first=$((base / block))
check "the length is a block's" "$pages" $((block / 4096))
check "the block is offline" "$(cat $blocks/memory$first/state)" offline

# Of the contiguous memory nothing may be left, so that this is what is used.
./petmem -l | grep contiguous | while read -r b p rest; do
	./petmem -r "$b" "${p%:}"
done
total=$(awk '$1 == "total" { print $2 }' $pool)
check "it is all that the pool has" \
	"$((total * page))" "$block"

check "the block cannot go online" \
	"$(echo online >$blocks/memory$first/state 2>/dev/null && echo yes || echo no)" no
check "what is not a range of the pool cannot be taken back" \
	"$(./petmem -r $base 1 2>/dev/null; echo $?)" 1
for mode in direct signal; do
	echo $mode >/sys/module/petmem/parameters/fault
	check "$mode: 513 pages" "$(./programs pages 513)" "513 pages"
	check "$mode: fork" "$(./programs fork)" "parent 3 child 0"
	check "$mode: blocks" "$(./programs small 1000)" "1000 blocks"
	./programs free >/dev/null 2>&1
	check "$mode: use after free" $? 139
done
echo direct >/sys/module/petmem/parameters/fault
check "all pages are free" "$(awk '$1 == "free" { print $2 }' $pool)" "$total"
check "it can be taken back" "$(./petmem -r $base $pages; echo $?)" 0
check "the block is online again" "$(cat $blocks/memory$first/state)" online
check "nothing is left" "$(awk '$1 == "total" { print $2 }' $pool)" 0
./petmem -c 64 >/dev/null

ktap_set_plan $((KTAP_TESTNO - 1))
ktap_finished
