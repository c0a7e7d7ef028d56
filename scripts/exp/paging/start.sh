#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the starting point of the assignment, which has no memory.
cd "$(dirname "$0")" || exit 1
[ -c /dev/paging ] || modprobe paging || { echo "fail the module paging does not load"; exit 1; }
echo "cond kernel $(uname -r) $(uname -v)"
echo "cond model $(tr -d '\0' </proc/device-tree/model 2>/dev/null || uname -m)"
read -r size <plan
# The shell that waits for it tells of the signal, as a user would see it.
sh -c "./dense_mm $size; exit \$?" >out 2>&1
status=$?
sed 's/^/out /' out
echo "status $status"
[ ! -e /sys/module/paging/initstate ] || modprobe -r paging
dmesg | grep -E 'paging' | grep -v 'Kernel command line' | sed 's/^/log /'
echo end
