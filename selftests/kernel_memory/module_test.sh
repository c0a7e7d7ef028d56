#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernel_memory as a module: what it logs for which number of structs, that all
# values are found at unload, and what it refuses.
cd "$(dirname "$0")" || exit 1
. ../kselftest/ktap_helpers.sh

page=$(getconf PAGESIZE 2>/dev/null) ||
	page=$(awk '/^KernelPageSize/ { print 1024 * $2; exit }' /proc/self/smaps)
per_page=$((page / 32))
marks=0

# All that the kernel logs from now on, in log().
mark() {
	marks=$((marks + 1))
	mark="kernel_memory test $$.$marks"
	echo "$mark" >/dev/kmsg
}

log() {
	dmesg | sed "1,/$mark/d"
}

# ok NAME: whether the last command succeeded.
ok() {
	if [ $? -eq 0 ]; then
		ktap_test_pass "$1"
	else
		log | sed 's/^/# /'
		ktap_test_fail "$1"
	fi
}

# The thread fills the pages after insmod has returned; unloading waits for it.
run() {
	mark
	modprobe kernel_memory nr_structs="$1" && modprobe -r kernel_memory
}

order_of() {
	order=0
	while [ $((1 << order)) -lt "$1" ]; do
		order=$((order + 1))
	done
	echo $order
}

# Structs do not cross pages; an allocation is a power of two of pages.
check_size() {
	pages=$((($1 + per_page - 1) / per_page))
	run "$1"
	ok "nr_structs=$1 is loaded and unloaded"
	log | grep -q "Hello from thread k_memory. nr_structs=$1\$"
	ok "nr_structs=$1: the thread says so"
	log | grep -q "page size $page, struct size 32, structs per page $per_page\$"
	ok "nr_structs=$1: page size $page, struct size 32, $per_page in a page"
	log | grep -q "nr_pages $pages, order $(order_of $pages), structs per page $per_page\$"
	ok "nr_structs=$1: $pages pages, order $(order_of $pages)"
	log | grep -q "Success: all $1 structs hold the right values"
	ok "nr_structs=$1: all values are right"
}

# refused VALUE: by an errno, and with a line that says why.
check_refused() {
	mark
	! modprobe kernel_memory nr_structs="$1" 2>/dev/null
	ok "nr_structs=$1 is refused"
	[ ! -e /sys/module/kernel_memory ]
	ok "nr_structs=$1 leaves nothing"
	log | grep -q "$2"
	ok "nr_structs=$1: the log says '$2'"
}

if [ -e /sys/module/kernel_memory ] || ! run 2000 2>/dev/null; then
	ktap_print_header
	ktap_skip_all "no module kernel_memory that could be loaded"
	exit "$KSFT_SKIP"
fi
sizes="1 200 1000 2000 4000 10000 50000"
ktap_print_header
ktap_set_plan $((7 * 5 + 4 * 3 + 4))
for size in $sizes; do
	check_size "$size"
done
run 200
log | grep -q "page 0: frame 0x[0-9a-f]*, first value 0\$"
ok "the first value of page 0 is 0"
run $((per_page + 1))
log | grep -q "page 1: frame 0x[0-9a-f]*, first value $((per_page * 8))\$"
ok "the first value of page 1 is $((per_page * 8))"
log | grep -q "Loaded kernel_memory module" && log | grep -q "Unloaded kernel_memory module"
ok "loading and unloading are logged"
check_refused 0 "nr_structs=0 refused"
check_refused 4294967295 "nr_structs=4294967295 refused"
check_refused -1 "invalid for parameter"
check_refused many "invalid for parameter"
run 2000
ok "it can be loaded after all that"
ktap_finished
