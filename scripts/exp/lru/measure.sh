#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest, or on a board: the lines of the file "plan", one after the other in one boot, each with swap and
# memory empty at first. What it changes of the machine, and the swap that was there, is put back at the end, however
# that comes. A line of it:
#	swap KIND MIB				zram, disk (of a guest) or no; for all lines that follow
#	run NAME POLICY PLACE PROGRAM...	PLACE: memory, or file: in a file system of its own
# After a program that failed comes the end of the kernel's log, as lines "log ...": something may have been killed.
# A policy is classic, mglru, mglru-ttl (which keeps what was used in the last second, or kills), lru, always (lru,
# harvested each 10 ms whatever that costs), guard, guard-always or budget-N (lru, with N % of a CPU). What the programs print is between "begin NAME" and "done NAME".
cd "$(dirname "$0")" || exit 1
here=$(pwd)
lru=/sys/kernel/mm/lru_page_list
gen=/sys/kernel/mm/lru_gen
debug=/sys/kernel/debug
zram=/sys/class/zram-control
huge=/sys/kernel/mm/transparent_hugepage/enabled
place=/tmp/place
available=
kind=no
mib=0
# Of zram: what swap is on, and the file system.
swap=
device=

fail()
{
	echo "fail $*"
	exit 1
}

# A zram device; its number in $new.
add()
{
	new=$(cat $zram/hot_add) || fail "no zram"
	echo "${mib}M" >/sys/block/zram"$new"/disksize && return
	echo "$new" >$zram/hot_remove
	fail "no zram of $mib MiB"
}

swap_off()
{
	case $kind in
	zram)
		[ -n "$swap" ] || return 0
		swapoff /dev/zram"$swap" && echo "$swap" >$zram/hot_remove || fail swapoff
		swap=
		;;
	disk)
		! grep -q "^/dev/vda " /proc/swaps || swapoff /dev/vda || fail swapoff
		;;
	esac
}

swap_on()
{
	case $kind in
	zram)
		add
		swap=$new
		to=/dev/zram$swap
		;;
	disk) to=/dev/vda ;;
	no) return ;;
	esac
	{ mkswap "$to" && swapon "$to"; } >/dev/null || fail "no swap on $to"
}

# As after boot: nothing swapped out, nothing cached.
fresh()
{
	swap_off
	sync
	echo 3 >/proc/sys/vm/drop_caches
	swap_on
	for knob in always guard; do
		[ ! -w $lru/$knob ] || echo 0 >$lru/$knob
	done
	[ ! -w $lru/budget_pct ] || echo "$budget" >$lru/budget_pct
	[ ! -w $gen/min_ttl_ms ] || echo 0 >$gen/min_ttl_ms
}

choose()
{
	case $1 in
	always | guard) echo lru >$lru/policy && echo 1 >$lru/"$1" ;;
	guard-always) echo lru >$lru/policy && echo 1 >$lru/always && echo 1 >$lru/guard ;;
	budget-*) echo lru >$lru/policy && echo "${1#budget-}" >$lru/budget_pct ;;
	mglru-ttl) echo mglru >$lru/policy && echo 1000 >$gen/min_ttl_ms ;;
	*) echo "$1" >$lru/policy ;;
	esac 2>/dev/null
}

# A file system on a zram device of its own: it takes as much memory as its contents are worth. A fault is for the
# page that is touched alone, as with swap (page-cluster).
file_system()
{
	add
	device=$new
	echo 0 >/sys/block/zram"$device"/queue/read_ahead_kb &&
		mke2fs -b 4096 -i 65536 /dev/zram"$device" >/dev/null 2>&1 && mkdir -p $place &&
		mount -t ext4 /dev/zram"$device" $place && cd $place || fail "no file system"
}

no_file_system()
{
	cd "$here" && umount $place && echo "$device" >$zram/hot_remove || fail "umount"
	device=
}

# What is changed, as "FILE VALUE", and what swap there is, as "swap DEVICE PRIORITY".
state()
{
	for knob in $lru/policy $lru/always $lru/guard $lru/budget_pct $gen/min_ttl_ms /proc/sys/vm/page-cluster $huge \
		$debug/fault_around_bytes; do
		[ ! -w "$knob" ] || echo "$knob $(sed 's/.*\[\(.*\)\].*/\1/' "$knob")"
	done
	awk 'NR > 1 { print "swap", $1, $5 }' /proc/swaps
}

put_back()
{
	trap - EXIT
	# Nor by who is not there any more to read what it says.
	trap '' HUP INT TERM PIPE
	cd /
	# Each of these, whatever was not there yet, or does not work.
	[ -z "$device" ] || { umount $place; echo "$device" >$zram/hot_remove; }
	[ -z "$swap" ] || { swapoff "/dev/zram$swap"; echo "$swap" >$zram/hot_remove; }
	echo "$before" | while read -r what first rest; do
		case $what in
		swap)
			[ "$rest" -lt 0 ] || set -- -p "$rest"
			swapon "$@" "$first"
			set --
			;;
		*) echo "$first" >"$what" ;;
		esac
	done
}

run()
{
	name=$1
	policy=$2
	where=$3
	shift 3
	fresh
	if ! choose "$policy"; then
		echo "refused $policy"
		return
	fi
	[ "$where" = memory ] || file_system
	# The first of a boot tells: all are to have the same.
	: "${available:=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)}"
	[ "$1" != fiveproc ] || set -- "$@" available="$available"
	echo "begin $name"
	"$@" 2>&1
	status=$?
	[ $status = 0 ] || dmesg | tail -n 60 | sed 's/^/log /'
	echo "done $name $status"
	[ "$where" = memory ] || no_file_system
	sed 's/^/stat /' $lru/stats
}

[ -d $lru ] || fail "no lru_page_list in this kernel"
[ -d $debug/lru_page_list ] || mount -t debugfs none $debug
[ -d $zram ] || modprobe zram 2>/dev/null
before=$(state)
trap put_back EXIT
trap 'exit 1' HUP INT TERM PIPE
echo "$before" | while read -r what first rest; do
	[ "$what" != swap ] || swapoff "$first" || exit 1
done || fail "swap is in use"
echo 0 >/proc/sys/vm/page-cluster
echo never >$huge
budget=$(cat $lru/budget_pct)
# A larger page is the least.
echo 4096 >$debug/fault_around_bytes
# The programs' own directory, and perf's.
PATH=$here:$PATH:/usr/sbin:/sbin
echo "cond kernel $(uname -r) $(uname -v)"
echo "cond machine $(uname -m)"
awk '/^Mem(Total|Available):/ { printf "cond %s %d KiB\n", substr($1, 1, length($1) - 1), $2 }' /proc/meminfo
while read -r what first rest; do
	case $what in
	swap)
		swap_off
		kind=$first
		mib=$rest
		;;
	run)
		# shellcheck disable=SC2086 # words
		run "$first" $rest
		;;
	esac
done <plan
echo end
