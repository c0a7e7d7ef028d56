#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: what a translation and a scan cost, and what their peers do.
cd "$(dirname "$0")" || exit 1
[ -e /proc/lkp25p3 ] || modprobe lkp25p3 || exit 1
[ -d /sys/kernel/debug/lkp25p3 ] || mount -t debugfs none /sys/kernel/debug
./walk_cost && ./scan_cost
