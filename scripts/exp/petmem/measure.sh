#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the measurements that the file "plan" lists. A line of it:
#	fragment FIT STEPS SEED
#	replace POLICY PATTERN PERCENT-OF-THE-POOL TOUCHES
# What it prints is for run.py: lines "cond", "frag", "swap", "end".
cd "$(dirname "$0")" || exit 1
params=/sys/module/petmem/parameters
pool=/sys/kernel/debug/petmem/pool
POOL_MB=8

[ -c /dev/petmem ] || modprobe petmem || exit 1
[ -f $pool ] || mount -t debugfs none /sys/kernel/debug || exit 1

stat()
{
	awk -v key="$1" '$1 == key { print $2; exit }' $pool
}

fragment()
{
	echo "$1" >$params/fit || exit 1
	./fragment "$2" "$3" >/tmp/out || exit 1
	sed "s/^/frag $1 $3 /" /tmp/out
}

replace()
{
	echo "$1" >$params/swap_policy || exit 1
	out=$(./replace "$2" $(($(stat total) * $3 / 100)) "$4") || exit 1
	echo "swap $1 $2 $3 $out"
}

echo "cond kernel=$(uname -r) $(uname -v)"
echo "cond model=$(tr -d '\0' </proc/device-tree/model 2>/dev/null || uname -m)"
echo "cond pool for the swap policies=$POOL_MB MiB"
./petmem -r >/dev/null && ./petmem -c $POOL_MB >/dev/null || exit 1
echo "cond pages of it=$(stat total)"
echo direct >$params/fault
while read -r what a b c d; do
	if [ "$what" = fragment ]; then
		fragment "$a" "$b" "$c"
	else
		echo /tmp/petmem_swap >$params/swap_path || exit 1
		replace "$a" "$b" "$c" "$d"
		rm -f /tmp/petmem_swap
		echo >$params/swap_path
	fi
done <plan
echo end
