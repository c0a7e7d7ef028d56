#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the program cost, with the options in the file "plan".
cd "$(dirname "$0")" || exit 1
[ -c /dev/paging ] || modprobe paging || exit 1
echo "kernel $(uname -r) $(uname -v)"
zcat /proc/config.gz 2>/dev/null |
	grep -E '^CONFIG_(HZ|PREEMPT|PREEMPT_NONE|CC_OPTIMIZE_FOR_[A-Z]*|MEMCG|ARM64_..?K_PAGES)='
read -r options <plan
# shellcheck disable=SC2086 # a list of options
exec ./cost $options
