#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The course's programs: right results and exit codes in both modes, also with
# the harness that ends a program at its 7th signal; and the petmem tool.

params=/sys/module/petmem/parameters
pool=/sys/kernel/debug/petmem/pool
page=$(getconf PAGESIZE 2>/dev/null) ||
	page=$(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)
cd "$(dirname "$0")" || exit 1
. ../kselftest/ktap_helpers.sh

ktap_print_header
if [ ! -c /dev/petmem ]; then
	ktap_skip_all "no /dev/petmem"
	exit "$KSFT_SKIP"
fi
[ -f $pool ] || mount -t debugfs none /sys/kernel/debug

# expect STATUS TEXT-ON-OUTPUT COMMAND...
expect()
{
	status=$1
	text=$2
	shift 2
	out=$("$@" 2>&1)
	got=$?
	case "$got:$out" in
	"$status:"*"$text"*)
		ktap_test_pass "$*" ;;
	*)
		ktap_test_fail "$* (exit status $got, not $status with '$text')"
		echo "$out" | sed 's/^/# /' ;;
	esac
}

stat()
{
	awk -v key="$1" '$1 == key { print $2; exit }' $pool
}

is()
{
	if [ "$2" = "$3" ]; then
		ktap_test_pass "$1"
	else
		ktap_test_fail "$1: $2, not $3"
	fi
}

saved_fault=$(cat $params/fault)
trap 'echo $saved_fault >$params/fault' EXIT
total=$(stat total)
free=$(stat free)

for mode in direct signal; do
	echo "# fault=$mode"
	echo $mode >$params/fault
	expect 0 "10 pages" ./programs pages 10
	expect 0 "513 pages" ./programs pages 513
	expect 139 "hello" ./programs free
	expect 0 "(nil)" ./programs huge
	expect 0 "(nil)" ./programs null
	expect 0 "parent 3 child 0" ./programs fork
	expect 0 "1500 blocks" ./programs small 1500
	expect 0 "5" ./programs invlpg
	is "all pages are back" "$(stat free)" "$free"
done
# Ended by its 7th signal it would print nothing.
echo direct >$params/fault
expect 0 "513 pages" ./programs_seventh pages 513
echo signal >$params/fault
expect 0 "" ./programs_seventh pages 513
expect 0 "6 pages" ./programs_seventh pages 6
is "all pages are back" "$(stat free)" "$free"

expect 2 "usage:" ./petmem
expect 2 "no number" ./petmem x
expect 2 "no number" ./petmem 0
expect 2 "usage:" ./petmem -1
expect 2 "no number" ./petmem 12x
expect 1 "cannot allocate" ./petmem -c 100000000
expect 1 "no such range" ./petmem -r 0x1000 1
expect 0 "MB" ./petmem -l
./petmem -l | sort >/tmp/petmem_before
expect 0 "added 4 MB" ./petmem -c 4
is "4 MB more" "$(stat total)" $((total + 4194304 / page))
./petmem -l | sort >/tmp/petmem_after
for range in $(grep -vxFf /tmp/petmem_before /tmp/petmem_after |
	       sed 's/ \([0-9]*\): .*/=\1/'); do
	expect 0 "" ./petmem -r "${range%=*}" "${range#*=}"
done
is "and back" "$(stat total)" "$total"
rm -f /tmp/petmem_before /tmp/petmem_after

ktap_set_plan $((KTAP_TESTNO - 1))
ktap_finished
