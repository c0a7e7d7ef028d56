/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /proc/lkp25p3: translate virtual addresses, and watch which pages of a
 * buffer are accessed.
 */
#ifndef _UAPI_LINUX_LKP25P3_H
#define _UAPI_LINUX_LKP25P3_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LKP25P3_PROC		"/proc/lkp25p3"
#define LKP25P3_DEBUGFS		"/sys/kernel/debug/lkp25p3"

/* Text: what a write() of this or more bytes gets is EINVAL. */
#define LKP25P3_INPUT_SIZE	128

/**
 * enum lkp25p3_state - what a virtual address leads to
 * @LKP25P3_PRESENT: a page; pa is the address in it
 * @LKP25P3_NO_VMA: nothing is mapped there
 * @LKP25P3_NOT_POPULATED: a VMA, but no page yet (or no longer). An entry is
 *	empty for a moment, too, while the kernel changes it, which it may do
 *	during a walk
 * @LKP25P3_SWAPPED: swap_type and pa, which is the offset in pages, say where
 * @LKP25P3_MIGRATING: the page is being moved; pa is where it was
 * @LKP25P3_GUARD: the gap that is kept free below a stack
 * @LKP25P3_PROT_NONE: the VMA gives no access; if LKP25P3_KEPT is in flags
 *	there is a page all the same, and pa is its address
 * @LKP25P3_POISONED: the page had a memory error
 * @LKP25P3_DEVICE: the page is in a device's own memory
 */
enum lkp25p3_state {
	LKP25P3_PRESENT,
	LKP25P3_NO_VMA,
	LKP25P3_NOT_POPULATED,
	LKP25P3_SWAPPED,
	LKP25P3_MIGRATING,
	LKP25P3_GUARD,
	LKP25P3_PROT_NONE,
	LKP25P3_POISONED,
	LKP25P3_DEVICE,
};

/* Flags of a record: of the entry that maps the page. */
#define LKP25P3_YOUNG		(1U << 0)	/* accessed */
#define LKP25P3_DIRTY		(1U << 1)
#define LKP25P3_WRITE		(1U << 2)	/* may be written now */
#define LKP25P3_SPECIAL		(1U << 3)	/* a PFN mapping, without struct page */
#define LKP25P3_ZERO		(1U << 4)	/* the shared page of zeroes */
#define LKP25P3_CONT		(1U << 5)	/* one of several contiguous entries */
#define LKP25P3_HUGETLB		(1U << 6)
#define LKP25P3_KEPT		(1U << 7)	/* see LKP25P3_PROT_NONE */

/**
 * struct lkp25p3_record - the translation of one virtual address
 * @pa: physical address, see &enum lkp25p3_state
 * @ns: how long it took; of a group timed together, the mean
 * @flags: LKP25P3_YOUNG, ...
 * @state: &enum lkp25p3_state
 * @level: of the entry: 1 PTE, 2 PMD, 3 PUD, 4 P4D; 0 if there is none
 * @shift: log2 of the bytes that the entry maps (of a hugetlb page: its size)
 * @swap_type: number of the swap area
 * @reserved: 0
 */
struct lkp25p3_record {
	__u64 pa;
	__u32 ns;
	__u32 flags;
	__u8 state;
	__u8 level;
	__u8 shift;
	__u8 swap_type;
	__u32 reserved;
};

/* How a batch is walked: one of these, */
#define LKP25P3_LOCKED		0U	/* mmap_lock taken once for a group */
#define LKP25P3_LOCK_EACH	1U	/* mmap_lock taken for each address */
#define LKP25P3_LOCKLESS	2U	/* interrupts off, as GUP-fast; own mm only */
#define LKP25P3_WALK_MASK	3U
/* and this may be added. */
#define LKP25P3_TIME_EACH	4U	/* time each address, not a group */

#define LKP25P3_BATCH_MAX	(1U << 20)

/**
 * struct lkp25p3_batch - many translations by one call
 * @vas: user pointer to @nr virtual addresses (__u64); 0: consecutive pages
 * @start: where @vas is 0, the first address
 * @records: user pointer to @nr &struct lkp25p3_record
 * @nr: 1 to LKP25P3_BATCH_MAX
 * @pid: whose addresses; 0: the caller's. Needs the rights of ptrace()
 * @mode: LKP25P3_LOCKED, ...
 * @done: set to the number of records written
 */
struct lkp25p3_batch {
	__u64 vas;
	__u64 start;
	__u64 records;
	__u32 nr;
	__s32 pid;
	__u32 mode;
	__u32 done;
};

#define LKP25P3_MONITOR_NO_HAND_ON	(1U << 0)	/* see struct lkp25p3_monitor */
#define LKP25P3_MONITOR_QUIET		(1U << 1)	/* no line in the log */

#define LKP25P3_MIN_INTERVAL_MS		4U
#define LKP25P3_MAX_INTERVAL_MS		1000U
#define LKP25P3_MAX_SAMPLE		64U

/**
 * struct lkp25p3_monitor - watch the accessed bits of a range of the caller's
 * @start: first address, a multiple of the page size
 * @len: bytes, a multiple of the page size
 * @interval_ms: from scan to scan, 4 to 1000; 0: 100
 * @sample: each scan takes one of so many pages, in turn; 0 or 1: all
 * @flags: LKP25P3_MONITOR_NO_HAND_ON: do not hand on to reclaim, page_idle and
 *	DAMON that a page was accessed (for measurements)
 * @id: set to the monitor's number, which is its directory in debugfs
 *
 * The monitor ends with the file it was made with, or by
 * LKP25P3_IOC_MONITOR_STOP; one file has one monitor.
 */
struct lkp25p3_monitor {
	__u64 start;
	__u64 len;
	__u32 interval_ms;
	__u32 sample;
	__u32 flags;
	__u32 id;
};

#define LKP25P3_IOC_BATCH		_IOWR('P', 0x25, struct lkp25p3_batch)
#define LKP25P3_IOC_MONITOR_START	_IOWR('P', 0x26, struct lkp25p3_monitor)
#define LKP25P3_IOC_MONITOR_STOP	_IO('P', 0x27)

#define LKP25P3_SECOND_MAGIC		0x6c6b7032U

/**
 * struct lkp25p3_second - what a monitor has seen in about a second
 * @magic: LKP25P3_SECOND_MAGIC
 * @bytes: of this struct; the counts follow, a byte for each page
 * @seq: from 1, one more each time
 * @start_ns: CLOCK_MONOTONIC, the end of the second before
 * @end_ns: CLOCK_MONOTONIC, after the last scan
 * @va: first address
 * @nr_pages: pages watched
 * @page_bytes: size of a page
 * @max_granule: bytes of the largest entry met; 0: none was. Where it is more
 *	than @page_bytes, an access to any page counts for all that share the
 *	entry
 * @interval_ms: from scan to scan
 * @sample: each scan took one of so many pages
 * @scans: that were made in this second
 * @missed: that were due and were not made
 * @hw_young: 1: the CPU sets accessed bits; 0: by a page fault for each
 * @ended: 1: the address space is gone, this is the last one
 * @present: pages that the last scan found present
 * @coarse: those of them that share their accessed bit with others
 * @visited: page table entries that all scans looked at
 * @young: pages found accessed, sum of all counts
 * @scan_ns: time from begin to end of the scans
 * @cpu_ns: CPU time of the monitor's thread in this second
 */
struct lkp25p3_second {
	__u32 magic;
	__u32 bytes;
	__u64 seq;
	__u64 start_ns;
	__u64 end_ns;
	__u64 va;
	__u64 nr_pages;
	__u32 page_bytes;
	__u32 max_granule;
	__u32 interval_ms;
	__u32 sample;
	__u32 scans;
	__u32 missed;
	__u32 hw_young;
	__u32 ended;
	__u64 present;
	__u64 coarse;
	__u64 visited;
	__u64 young;
	__u64 scan_ns;
	__u64 cpu_ns;
};

#endif /* _UAPI_LINUX_LKP25P3_H */
