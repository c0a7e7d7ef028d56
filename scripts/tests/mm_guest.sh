#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the guest: runs the programs of tools/testing/selftests/mm, those of the list that run_vmtests.sh has and the
# others that are in mm_hooks.bash. The file "plan" sets LIMIT, LIMITS, FROM and ONLY, see there.
cd "$(dirname "$0")" || exit 1
. ./plan
export LIMIT LIMITS FROM ONLY

fail()
{
	echo "fail $*"
	exit 1
}

# busybox makes ext2; with the flag for extents in its superblock, ext4 makes files that fallocate() works for.
ext4()
{
	mke2fs -b 4096 /dev/vda && printf '\x42' | dd of=/dev/vda bs=1 seek=1120 conv=notrunc &&
		mount -t ext4 /dev/vda /tmp && chmod 1777 /tmp
}

# Files of the tests lie on a disk, so that there is page cache that has to be written; and there is swap.
ext4 >/dev/null 2>&1 || fail "no disk"
{ echo 512M >/sys/block/zram0/disksize && mkswap /dev/zram0 && swapon /dev/zram0; } >/dev/null || fail "no swap"
cp -a mm /tmp/mm && rm -r mm && cd /tmp/mm || fail "no room for the programs"
echo "cond kernel $(uname -r) $(uname -v)"
awk '/^(Mem|Swap)Total:/ { printf "cond %s %d KiB\n", substr($1, 1, length($1) - 1), $2 }' /proc/meminfo
# run_vmtests.sh makes it as many as its first tests need, and then this many again.
echo 32 >/proc/sys/vm/nr_hugepages
# An OOM killer is to take a test, not what runs it.
echo -1000 >/proc/self/oom_score_adj
BASH_ENV=/parity/mm_hooks.bash bash ./run_vmtests.sh -d 2>&1
