/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: what it keeps in structures of mm; see mm/lru_page_list/core.c.
 */
#ifndef _LINUX_LRU_PAGE_LIST_TYPES_H
#define _LINUX_LRU_PAGE_LIST_TYPES_H

#include <linux/llist.h>
#include <linux/types.h>

/**
 * struct lru_page_list_harvest - a harvest of all of an address space
 * @began: tick in which it began
 * @every: ticks between two, as it was meant to be
 * @blind: of what was used less than so many ticks before it began it cannot tell whether
 *	that was used again: the TLB may have hidden it, or its stamp says less than it was
 */
struct lru_page_list_harvest {
	u32 began;
	u32 every;
	u32 blind;
};

/**
 * struct lru_page_list_mm - an address space that has run
 * @node: link in the list of a CPU, then in the harvester's; used while
 *	%LRU_PAGE_LIST_NOTED is set, which also holds a reference (mm_count)
 * @flags: bit %LRU_PAGE_LIST_NOTED, set by any CPU, cleared by the harvester;
 *	bit %LRU_PAGE_LIST_STALE, the same: accessed bits were cleared and the TLB
 *	not flushed
 * @resume: address the next harvest goes on from; the harvester's
 * @due: tick from which it is worth a harvest again; the harvester's
 * @going: the harvest that is to go on at @resume; the same
 * @last: the last one that came to its end; the same, and read by all
 * @flushed: no use hides in the TLB of what was cleared before this tick; the same
 */
struct lru_page_list_mm {
	struct llist_node node;
	unsigned long flags;
	unsigned long resume;
	u32 due;
	struct lru_page_list_harvest going;
	struct lru_page_list_harvest last;
	u32 flushed;
};

#define LRU_PAGE_LIST_NOTED	0
#define LRU_PAGE_LIST_STALE	1

/* So many, that one of them has a small part of the queue; 2 KB a memory cgroup and node. */
#define LRU_PAGE_LIST_PARTS	48

/**
 * struct lru_page_list_queue - the queue of a type, in parts, for a place in it to be found
 * @nr: parts, newest first; there is always one
 * @slot: of each, where its list is; after these, of the other lists, which are empty
 * @since: of each, tick in which it was begun
 * @list: what came from then on, until the next newer one was begun; what comes from
 *	@front may have been used up to two thirds of a second before
 */
struct lru_page_list_queue {
	u8 nr;
	u8 slot[LRU_PAGE_LIST_PARTS];
	u32 since[LRU_PAGE_LIST_PARTS];
	struct list_head list[LRU_PAGE_LIST_PARTS];
};

/**
 * struct lru_page_list_lruvec - queue of a memory cgroup on a node
 * @front: what came lately, before all else in the queue; the newer part and the
 *	older, of each the anonymous and the file ones; see mm/lru_page_list/core.c
 * @queue: the queue, anonymous and file, but for its tail, which is the inactive list;
 *	nothing while guard keeps anything
 * @skipped: folios that this round of reclaim is not for, or could not take, anonymous
 *	and file; they go back to the tail at its end
 * @parked: folios that it is not likely to be able to take for a while, the same; see
 *	mm/lru_page_list/aside.c
 * @once: page cache that was read once, and memory that MADV_FREE has given up
 * @keep: what guard keeps, %NULL without; see mm/lru_page_list/keep.c
 * @evicted_age: running average of the age at which reclaim for this memory
 *	cgroup, on this node, takes folios from it and those below; ticks
 * @evicted_at: tick in which it last did; 0: never
 * @parked_since: tick in which the first of @parked came; under lru_lock
 * @beside: how often reclaim looks at what is beside what it looks up; see
 *	mm/lru_page_list/control.c
 * @front_since: tick in which the newer part of @front was begun; under lru_lock
 * @added_active: the folio that was added last had PG_active; under lru_lock
 *
 * Lists are under lru_lock, and count as if they were on the inactive lists; @keep
 * changes under it. What is known of evictions, and @beside, are written without a lock.
 */
struct lru_page_list_lruvec {
	struct list_head front[2][2];
	struct lru_page_list_queue queue[2];
	struct list_head skipped[2];
	struct list_head parked[2];
	struct list_head once;
	struct lpl_keep *keep;
	u32 evicted_age;
	u32 evicted_at;
	u32 parked_since;
	u32 beside;
	u32 front_since;
	bool added_active;
};

#endif /* _LINUX_LRU_PAGE_LIST_TYPES_H */
