#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest (or on the Pi): perf stat for the runs that the file "plan"
# lists, as measure.sh does. Each line of what it prints is
# "perf program mode size event value deviation".
cd "$(dirname "$0")" || exit 1
params=/sys/module/paging/parameters
PATH=$PATH:/usr/sbin:/sbin
[ -c /dev/paging ] || modprobe paging || exit 1
page=$(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)

if ! perf stat true >/dev/null 2>&1; then
	echo "fail no perf that works here"
	exit 1
fi
echo "cond kernel $(uname -r) $(uname -v)"
while read -r program mode source demand bytes prepage pmd size repeat; do
	if [ "$source" = paging ]; then
		[ "$bytes" != page ] || bytes=$page
		echo "$demand" >$params/demand_paging
		echo "$bytes" >$params/fault_bytes
		echo "$prepage" >$params/prepage
		echo "$pmd" >$params/pmd_map
	fi
	perf stat -r "$repeat" -x, -o /tmp/perf.out \
		-e page-faults,instructions,cycles \
		./"$program" -r -m "$source" "$size" >/dev/null || {
			echo "fail perf stat $program $size, $mode"
			exit 1
		}
	awk -F, -v "head=$program $mode $size" '
		/^#/ || NF < 4 { next }
		{ value = $1; if (value ~ /not/) value = "none"
		  dev = $4 ~ /%/ ? $4 : "0.00%"
		  sub(/:.*/, "", $3)
		  print "perf", head, $3, value, dev }' /tmp/perf.out
done <plan
echo 1 >$params/demand_paging
echo "$page" >$params/fault_bytes
echo "end"
