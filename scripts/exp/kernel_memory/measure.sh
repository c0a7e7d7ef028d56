#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest (or on the Pi): the exercises with kernel_memory. Prints what was
# typed and what the kernel logged, as lines "cond", "run", "log", "end".
cd "$(dirname "$0")" || exit 1
PATH=$PATH:/usr/sbin:/sbin
nr=0

echo "cond kernel $(uname -r) $(uname -v)"
echo "cond model $(tr -d '\0' </proc/device-tree/model 2>/dev/null || uname -m)"
echo "cond page_size $(awk '/KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)"

# One load and unload, with all that it logged; $1 may be empty.
while read -r number; do
	nr=$((nr + 1))
	mark="kernel_memory exercise $$.$nr"
	echo "$mark" >/dev/kmsg
	options=
	[ "$number" = default ] || options=nr_structs=$number
	# shellcheck disable=SC2086 # no word if empty
	errors=$(modprobe kernel_memory $options 2>&1)
	status=$?
	echo "run $number $status $errors"
	if [ $status = 0 ]; then
		echo "ps $(ps -o pid,comm,stat | grep -w 'k_memory')"
		modprobe -r kernel_memory || echo "fail it cannot be unloaded"
	fi
	dmesg | sed "1,/$mark/d" | sed 's/^/log /'
done <plan
echo end
