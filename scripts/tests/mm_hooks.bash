# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What run_vmtests.sh is given by BASH_ENV. Its list of tests, their arguments and what it sets up between them are
# used as they are; only how one test is run is ours: bash refuses the script's own definition.
#
#	LIMIT	seconds for one test
#	LIMITS	for some others: NAME=SECONDS, with commas between them
#	FROM	the number of the first one: those before it were run by an earlier boot
#	ONLY	names of programs or of whole tests, with commas between them; all if empty
#
# For each test these lines are printed, and what it prints itself behind "| ":
#	begin NUMBER NAME
#	kernel LINE		of the kernel's log
#	done NUMBER STATUS SECONDS POLICY
# STATUS is an exit status or "timeout", after which the boot ends: what was killed has left things behind.
unset BASH_ENV
number=0
output=/run/output
lru=/sys/kernel/mm/lru_page_list/policy

policy() {
	if [ -r $lru ]; then
		cat $lru
	else
		echo "lru_gen $(cat /sys/kernel/mm/lru_gen/enabled)"
	fi
}

wanted() {
	[ "$number" -ge "$FROM" ] || return 1
	case ",$ONLY," in
	",," | *",$1,"* | *",${1%% *},"*) return 0 ;;
	esac
	return 1
}

# What run_vmtests.sh does before tests of huge pages, without its pauses. And some of hugetlb's, which the tests of
# cow, pagemap_ioctl and migration need and hugetlb_reparenting_test.sh does not leave.
fresh() {
	[ "$(cat /proc/sys/vm/nr_hugepages)" != 0 ] || echo 32 >/proc/sys/vm/nr_hugepages
	echo 3 >/proc/sys/vm/drop_caches
	echo 1 >/proc/sys/vm/compact_memory
}

limit_of() {
	case ",$LIMITS" in
	*",$1="*)
		set -- "${LIMITS#*"$1="}"
		echo "${1%%,*}"
		;;
	*) echo "$LIMIT" ;;
	esac
}

# So many seconds for a command. The status is in $status.
limited() {
	local pid watch first most=$1

	shift
	# shellcheck disable=SC2016 # for the inner shell
	setsid sh -c 'echo 0 >/proc/self/oom_score_adj; exec "$@"' sh "$@" >$output 2>&1 </dev/null &
	pid=$!
	sleep "$most" &
	watch=$!
	wait -n -p first $pid $watch
	status=$?
	if [ "$first" = $watch ]; then
		kill -KILL -- -$pid
		status=timeout
		wait $pid
	fi
	kill -KILL $watch
	wait $watch
	kill -KILL -- -$pid
} 2>/dev/null

# The name of a test as run_vmtests.sh makes it: "ksm_tests -U".
run_test() {
	local name start status
	name=$(pretty_name "$*")
	number=$((number + 1))
	wanted "$name" || return 0
	fresh
	dmesg -c >/dev/null
	echo "begin $number $name"
	start=$SECONDS
	limited "$(limit_of "$name")" "$@"
	tail -c 200000 $output | tr -d '\0' | awk '{ print "| " $0 }'
	dmesg -c | sed 's/^/kernel /'
	echo "done $number $status $((SECONDS - start)) $(policy)"
	if [ "$status" = timeout ]; then
		trap - EXIT
		exit
	fi
}
readonly -f run_test

# Programs that are built and that run_vmtests.sh does not run, or not with these arguments.
others() {
	CATEGORY=mmap run_test ./mseal_test
	CATEGORY=mmap run_test ./seal_elf
	CATEGORY=mmap run_test ./droppable
	[ ! -x ./pkey_sighandler_tests_64 ] || CATEGORY=pkey run_test ./pkey_sighandler_tests_64
	CATEGORY=thp run_test ./khugepaged all:shmem
	CATEGORY=thp run_test ./khugepaged all:file /tmp
	CATEGORY=vmalloc run_test bash ./test_vmalloc.sh test_loop_count=100
	echo "end $number"
}
trap others EXIT
