#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the program cost.
cd "$(dirname "$0")" || exit 1
[ -c /dev/petmem ] || modprobe petmem || exit 1
echo direct >/sys/module/petmem/parameters/fault || exit 1
exec ./cost
