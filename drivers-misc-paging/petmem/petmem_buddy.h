/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/petmem: the buddy allocator.  It needs nothing of the driver, so that
 * its tests run without one.
 */
#ifndef _PETMEM_BUDDY_H
#define _PETMEM_BUDDY_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct petmem_arena;
struct petmem_range;

#define PETMEM_ORDERS	32	/* log2 of pages: no block is larger */

/**
 * enum petmem_state - what a frame is to the buddy allocator
 * @PETMEM_INNER: not the first frame of a block
 * @PETMEM_FREE: first frame of a free block
 * @PETMEM_USED: first frame of an allocated block
 */
enum petmem_state {
	PETMEM_INNER,
	PETMEM_FREE,
	PETMEM_USED,
};

/**
 * struct petmem_frame - what is known of a page of donated memory
 * @link: free block: in the list of its order.  Used: its owner's.
 * @age: mapped data page that can be swapped: in the order of replacement
 * @range: the donation that it is a part of; never changes
 * @arena: the arena that maps it, or that it is a table of
 * @addr: user address that it maps or, as a table, begins to map
 * @nr: used block: its pages
 * @owner: data page: thread that was last given it
 * @entries: page table: its entries in use
 * @order: free block: log2 of its pages
 * @state: enum petmem_state
 * @use: enum petmem_use, of a used block
 *
 * The buddy allocator's fields (@link of free blocks, @nr, @order, @state)
 * change under its lock, the others under that of the owner.  All of this is
 * kept outside of the memory that it describes: no process can see it.
 */
struct petmem_frame {
	struct list_head link;
	struct list_head age;
	struct petmem_range *range;
	struct petmem_arena *arena;
	unsigned long addr;
	u32 nr;
	union {
		pid_t owner;
		u32 entries;
	};
	u8 order;
	u8 state;
	u8 use;
};

/**
 * struct petmem_range - a donation of memory
 * @link: in the allocator's list
 * @base: its first page frame number
 * @nr: its pages, any number
 * @nr_free: how many of them are free; under the allocator's lock
 * @source: enum petmem_source, for whoever donated it
 * @frames: one per page
 */
struct petmem_range {
	struct list_head link;
	unsigned long base;
	unsigned long nr;
	unsigned long nr_free;
	int source;
	struct petmem_frame *frames;
};

/**
 * struct petmem_buddy - free memory by size
 * @lock: innermost of all; nothing is called under it
 * @ranges: all donations
 * @hint: the one that was looked up last
 * @free: blocks by order
 * @nonempty: orders that have blocks
 * @nr_blocks: how many, by order
 * @nr_pages: pages donated
 * @nr_free: pages free
 */
struct petmem_buddy {
	spinlock_t lock;	/* innermost */
	struct list_head ranges;
	struct petmem_range *hint;
	struct list_head free[PETMEM_ORDERS];
	unsigned long nonempty;
	unsigned long nr_blocks[PETMEM_ORDERS];
	unsigned long nr_pages;
	unsigned long nr_free;
};

void petmem_buddy_init(struct petmem_buddy *buddy);
struct petmem_range *petmem_buddy_donate(struct petmem_buddy *buddy,
					 unsigned long base, unsigned long nr,
					 int source);
int petmem_buddy_withdraw(struct petmem_buddy *buddy, unsigned long base,
			  unsigned long nr, struct petmem_range **range);
void petmem_range_free(struct petmem_range *range);
struct petmem_frame *petmem_buddy_alloc(struct petmem_buddy *buddy, u64 nr);
int petmem_buddy_free(struct petmem_buddy *buddy, unsigned long pfn, u64 nr);
void petmem_buddy_put(struct petmem_buddy *buddy, struct petmem_frame *frame);
struct petmem_frame *petmem_buddy_frame(struct petmem_buddy *buddy,
					unsigned long pfn);

static inline unsigned long petmem_frame_pfn(const struct petmem_frame *frame)
{
	return frame->range->base + (frame - frame->range->frames);
}

#endif /* _PETMEM_BUDDY_H */
