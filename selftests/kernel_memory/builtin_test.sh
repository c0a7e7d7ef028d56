#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernel_memory built into the kernel: what it logged at boot.
cd "$(dirname "$0")" || exit 1
. ../kselftest/ktap_helpers.sh

ktap_print_header
if [ ! -e /sys/module/kernel_memory ] || [ -e /sys/module/kernel_memory/initstate ]; then
	ktap_skip_all "kernel_memory is not built into this kernel"
	exit "$KSFT_SKIP"
fi

has() {
	if dmesg | grep -q "$1"; then
		ktap_test_pass "the log says: $1"
	else
		ktap_test_fail "the log does not say: $1"
	fi
}

ktap_set_plan 4
has "Loaded kernel_memory module"
has "Hello from thread k_memory. nr_structs=[1-9]"
has "built in: the values stay and cannot be verified"
if [ "$(cat /sys/module/kernel_memory/parameters/nr_structs)" -gt 0 ]; then
	ktap_test_pass "the parameter can be read"
else
	ktap_test_fail "the parameter cannot be read"
fi
ktap_finished
