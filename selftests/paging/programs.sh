#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The experiment programs: right results, exit codes and number of pages.

params=/sys/module/paging/parameters
stats=/sys/class/misc/paging/stats
cd "$(dirname "$0")" || exit 1
. ../kselftest/ktap_helpers.sh
page=$(getconf PAGESIZE 2>/dev/null) ||
	page=$(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)

ktap_print_header
if [ ! -c /dev/paging ]; then
	ktap_skip_all "no /dev/paging"
	exit "$KSFT_SKIP"
fi

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

allocated()
{
	cat $stats/pages_allocated
}

# N x N matrices use three times as many pages as one has.
expect_pages()
{
	n=$1
	before=$(allocated)
	./dense_mm "$n" >/dev/null
	got=$(($(allocated) - before))
	want=$((3 * ((8 * n * n + page - 1) / page)))
	if [ "$got" = "$want" ]; then
		ktap_test_pass "dense_mm $n uses $want pages"
	else
		ktap_test_fail "dense_mm $n uses $got pages, not $want"
	fi
}

saved_demand=$(cat $params/demand_paging)
saved_bytes=$(cat $params/fault_bytes)
trap 'echo $saved_demand >$params/demand_paging
	echo $saved_bytes >$params/fault_bytes' EXIT
echo "$page" >$params/fault_bytes

for mode in 1 0; do
	echo "# demand_paging=$mode"
	echo $mode >$params/demand_paging
	expect 0 "Multiplication done" ./dense_mm -c 64
	expect 0 "Result checked" ./dense_mm -c 128
	expect 0 "Result checked" ./merge_sort -c 100
	expect 0 "Result checked" ./hash_table -c 16
	expect 0 "Multiplication done" ./dense_mm_original 64
	expect_pages 64
	expect_pages 128
	expect_pages 256
done
for source in anonymous populate; do
	expect 0 "Result checked" ./dense_mm -m $source -c 64
	expect 0 "Result checked" ./merge_sort -m $source -c 20
	expect 0 "Result checked" ./hash_table -m $source -c 8
done
expect 0 "mmap: Invalid argument
mmap: Invalid argument
mmap: Invalid argument" ./dense_mm 0
expect 0 "Multiplication done" ./dense_mm 0
expect 0 "size=64 map_ns=" ./dense_mm -r 64
expect 2 "usage:" ./dense_mm 65537
expect 2 "usage:" ./dense_mm
expect 2 "usage:" ./dense_mm -1
expect 2 "usage:" ./dense_mm 64x
expect 2 "usage:" ./dense_mm -m nothing 64
expect 1 "mmap: Cannot allocate memory" ./dense_mm 65536

ktap_set_plan $((KTAP_TESTNO - 1))
ktap_finished
