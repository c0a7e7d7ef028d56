#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the program accuracy, once for each line of the file "plan":
#   WATCHER PAGES PERIODS MS SEED
cd "$(dirname "$0")" || exit 1
[ -e /proc/lkp25p3 ] || modprobe lkp25p3 || exit 1
[ -d /sys/kernel/debug/lkp25p3 ] || mount -t debugfs none /sys/kernel/debug
while read -r watcher pages periods ms seed; do
	echo "watcher $watcher"
	./accuracy -n "$pages" -p "$periods" -t "$ms" -s "$seed" "$watcher" || echo "fail accuracy $watcher"
done <plan 2>&1
echo end
