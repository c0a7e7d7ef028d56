#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The user programs of lkp25p3: that they say what is so, and refuse to guess.
# Where the module is missing, what needs it is skipped.
cd "$(dirname "$0")" || exit 1
. ../kselftest/ktap_helpers.sh

page=$(getconf PAGESIZE 2>/dev/null) ||
	page=$(awk '/^KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)
out=$(mktemp)
log=$(mktemp)
holder=
trap 'rm -f "$out" "$log"; [ -z "$holder" ] || kill $holder' EXIT

# ok NAME: whether the last command succeeded.
ok() {
	if [ $? -eq 0 ]; then
		ktap_test_pass "$1"
	else
		head -n 40 "$out" | cut -c1-200 | sed 's/^/# /'
		ktap_test_fail "$1"
	fi
}

# expect STATUS TEXT COMMAND...
expect() {
	status=$1
	text=$2
	shift 2
	"$@" >"$out" 2>&1
	[ $? -eq "$status" ] && grep -q -e "$text" "$out"
	ok "$* ends with $status and says '$text'"
}

# field NAME: of the first line that has NAME=VALUE.
field() {
	sed -n "s/.*[ ]$1=\([^ ]*\).*/\1/p" "$out" | head -n 1
}

# All that is allocated is there, and the log has a line for each page.
check_scheme() {
	./memalloc -n 16M -l "$log" "$1" >"$out" 2>&1
	ok "memalloc $1 allocates 16 MiB"
	pages=$(field pages)
	[ "${pages:-0}" -ge $((16777216 / page)) ] && [ "$(field present)" = "$pages" ] &&
		[ "$(field zero)" = 0 ] && [ "$(field page_bytes)" = "$page" ]
	ok "memalloc $1: every page is there, none is the page of zeroes"
	[ "$(grep -c '^VA: 0x[0-9a-f]*000 -> PA: 0x[0-9a-f]*000$' "$log")" = "$pages" ]
	ok "memalloc $1: the log has a line for each page"
	[ "$(sort -u "$log" | wc -l)" = "$pages" ]
	ok "memalloc $1: no page is there twice"
	[ "$(awk '/^run/ { n += $4 } END { print n }' "$out")" = "$pages" ]
	ok "memalloc $1: the runs have as many pages"
}

# A process that stays, for others to look at; sets $holder and $va.
hold() {
	./memalloc -n 1M -k 2m >"$out" 2>&1 &
	holder=$!
	for _ in $(seq 100); do
		! grep -q ^layout "$out" || break
		sleep 0.1
	done
	va=$(awk '/^run/ { print $2; exit }' "$out")
	end=$(printf '0x%x' $((va + 8 * page)))
}

pa_lines() {
	sed -n 's/.*\(VA: [^ ]* -> PA: 0x[0-9a-f]*\).*/\1/p' "$1"
}

# Both ways to translate have to give the same answers.
check_walk() {
	expect 0 "VA: $va -> PA: 0x" ./walk -p $holder "$va"
	./walk -a -p $holder "$va-$end" >"$out" 2>&1
	ok "walk -a translates a range"
	[ "$(pa_lines "$out")" = "$(pa_lines "$log")" ]
	ok "walk and pagemap give the same physical addresses"
	expect 0 "8 pages, 8 present" ./walk -p $holder "$va-$end"
	expect 0 "no PA: no VMA" ./walk 0x1000
	expect 1 "No such process" ./walk -p 4194303 "$va"
	expect 1 "Operation not permitted" ./unprivileged ./walk "$va"
	./latency -n 256 >"$out" 2>&1 && grep -q '^same 256$' "$out"
	ok "latency: the module and pagemap agree on 256 pages"
	[ "$(grep -c '^way .* pages=256 mean=[0-9.]*$' "$out")" = 12 ]
	ok "latency times twelve ways"
	sums=$(awk '/^value/ { n[$2] += $4 } END { for (w in n) print n[w] }' "$out")
	[ "$(echo "$sums" | uniq)" = 256 ]
	ok "latency has 256 values for each of them"
}

# Means of a quarter over all records; $1 is its number.
quarter() {
	sed -n 's/.* quarters //p' "$out" |
		awk -v q="$1" '{ split($q, v, "/"); sum += v[1] }
			END { printf "%d\n", 100 * sum / NR }'
}

# The first quarter as often as there are scans, the second at its pace, the rest never.
check_reader() {
	./memalloc -n 4M -t 3 -p 300 -i 100 read >"$out" 2>&1
	ok "memalloc read, watched"
	[ "$(grep -c ^second "$out")" = 3 ] && [ "$(grep -c ^bins "$out")" = 3 ]
	ok "a record for each second"
	[ "$(quarter 1)" -gt "$(quarter 2)" ] && [ "$(quarter 2)" -gt 0 ]
	ok "the first quarter more often ($(quarter 1) / 100) than the second ($(quarter 2) / 100)"
	[ "$(quarter 3)" = 0 ] && [ "$(quarter 4)" = 0 ]
	ok "the upper half is never read"
	./memalloc -n 4M -t 1 -p 100 -i 250 -l "$log" read >"$out" 2>&1 &&
		[ "$(wc -c <"$log")" -gt $((4194304 / page)) ]
	ok "memalloc read -l keeps the counts of all pages"
}

ktap_print_header
if [ "$(id -u)" != 0 ]; then
	ktap_skip_all "run this as root"
	exit "$KSFT_SKIP"
fi
ktap_set_plan $((3 * 5 + 12 + 10 + 5))
for scheme in 4k 2m calloc; do
	check_scheme $scheme
done

expect 1 "CAP_SYS_ADMIN is missing" ./unprivileged ./memalloc -n 1M 4k
! grep -q '^run' "$out"
ok "and shows no physical address"
expect 1 "CAP_SYS_ADMIN is missing" ./unprivileged ./pagemap 0x1000
! grep -q PA: "$out"
ok "and shows no physical address"
expect 3 "no PA: not mapped" ./pagemap 0x1000
expect 3 "no PA: not mapped" ./pagemap 0xfffffffffffff000
expect 2 usage: ./pagemap xyz
expect 2 usage: ./memalloc 8k
expect 2 usage: ./memalloc -n 1X 4k
expect 1 "Cannot allocate memory" ./memalloc -n 61440G calloc
hold
./pagemap -p $holder -l "$log" "$va-$end" >"$out" 2>&1
ok "pagemap translates a range of another process"
[ "$(pa_lines "$log" | wc -l)" = 8 ] &&
	grep -q '^VA: 0x[0-9a-f]* -> PA: 0x[0-9a-f]* | Latency: [0-9]* ns$' "$log"
ok "pagemap tells VA, PA and latency"

if [ -e /proc/lkp25p3 ] || modprobe lkp25p3 2>/dev/null; then
	check_walk
	check_reader
else
	for _ in $(seq 15); do
		ktap_test_skip "no module lkp25p3"
	done
fi
ktap_finished
