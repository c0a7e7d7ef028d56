// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: a buddy allocator over donated memory.
 *
 * A block is 2^n pages and its first page frame number is a multiple of 2^n.
 * Its buddy is the block that differs from it in bit n of that number, and two
 * free buddies are always joined:
 *
 *	pfn	0   1   2   3   4   5   6   7   8   9  10
 *		[ order 2     ] [used]  [1     ][ 1    ][0]
 *				    [0]			  ^ end of the donation
 *
 * A donation of any length and place is cut into the largest blocks that its
 * bounds allow; blocks never reach over them, so that a donation can be given
 * back.  To join, an allocator has to know whether the buddy is free as a
 * whole: that is so if its first frame says that it begins a free block of the
 * same order.  Frames inside of a block say PETMEM_INNER, always; this is the
 * invariant that also finds a double free and an address in the middle.
 *
 * Allocating takes the first block of the smallest order that is large enough
 * (a bit search in @nonempty) and halves it, at most once per order; freeing
 * joins at most once per order.  A number of pages that is no power of two
 * gives back the tail of its block at once.
 */
#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "petmem_buddy.h"

/**
 * petmem_buddy_init() - make an allocator without memory
 * @buddy: to be filled
 */
void petmem_buddy_init(struct petmem_buddy *buddy)
{
	int i;

	BUILD_BUG_ON(PETMEM_ORDERS > BITS_PER_LONG);
	memset(buddy, 0, sizeof(*buddy));
	spin_lock_init(&buddy->lock);
	INIT_LIST_HEAD(&buddy->ranges);
	for (i = 0; i < PETMEM_ORDERS; i++)
		INIT_LIST_HEAD(&buddy->free[i]);
}

static bool range_holds(const struct petmem_range *range, unsigned long pfn)
{
	return pfn - range->base < range->nr;
}

/* Make a free block of what is not part of any. */
static void block_add(struct petmem_buddy *buddy, struct petmem_frame *frame,
		      unsigned int order)
{
	frame->state = PETMEM_FREE;
	frame->order = order;
	list_add(&frame->link, &buddy->free[order]);
	buddy->nonempty |= BIT(order);
	buddy->nr_blocks[order]++;
}

static void block_del(struct petmem_buddy *buddy, struct petmem_frame *frame)
{
	unsigned int order = frame->order;

	frame->state = PETMEM_INNER;
	list_del(&frame->link);
	buddy->nr_blocks[order]--;
	if (list_empty(&buddy->free[order]))
		buddy->nonempty &= ~BIT(order);
}

/* Free a block of 2^order pages, joining it with its buddies. */
static void block_release(struct petmem_buddy *buddy,
			  struct petmem_range *range, unsigned long pfn,
			  unsigned int order)
{
	buddy->nr_free += 1UL << order;
	range->nr_free += 1UL << order;
	while (order < PETMEM_ORDERS - 1) {
		unsigned long other = pfn ^ (1UL << order);
		struct petmem_frame *frame;

		if (!range_holds(range, other))
			break;
		frame = &range->frames[other - range->base];
		if (frame->state != PETMEM_FREE || frame->order != order)
			break;
		block_del(buddy, frame);
		pfn &= ~(1UL << order);
		order++;
	}
	block_add(buddy, &range->frames[pfn - range->base], order);
}

/* Free any pages: as the largest aligned blocks that they are made of. */
static void span_release(struct petmem_buddy *buddy, struct petmem_range *range,
			 unsigned long pfn, unsigned long nr)
{
	while (nr) {
		unsigned int order = min(ilog2(nr), PETMEM_ORDERS - 1);

		if (pfn)
			order = min_t(unsigned int, order, __ffs(pfn));
		block_release(buddy, range, pfn, order);
		pfn += 1UL << order;
		nr -= 1UL << order;
	}
}

static struct petmem_range *range_of(struct petmem_buddy *buddy,
				     unsigned long pfn)
{
	struct petmem_range *range = buddy->hint;

	if (range && range_holds(range, pfn))
		return range;
	list_for_each_entry(range, &buddy->ranges, link) {
		if (range_holds(range, pfn)) {
			buddy->hint = range;
			return range;
		}
	}
	return NULL;
}

static bool range_overlaps(struct petmem_buddy *buddy, unsigned long base,
			   unsigned long nr)
{
	struct petmem_range *range;

	list_for_each_entry(range, &buddy->ranges, link)
		if (base < range->base + range->nr && range->base < base + nr)
			return true;
	return false;
}

/**
 * petmem_range_free() - free the record of a donation
 * @range: not, or no longer, in an allocator
 */
void petmem_range_free(struct petmem_range *range)
{
	kvfree(range->frames);
	kfree(range);
}

/**
 * petmem_buddy_donate() - add memory
 * @buddy: the allocator
 * @base: first page frame number
 * @nr: pages, not 0, from @base on without wrapping
 * @source: kept for the caller
 *
 * Context: May sleep.
 * Return: the new range; or -EEXIST if a part of it is there already, -ENOMEM.
 */
struct petmem_range *petmem_buddy_donate(struct petmem_buddy *buddy,
					 unsigned long base, unsigned long nr,
					 int source)
{
	struct petmem_range *range = kzalloc(sizeof(*range), GFP_KERNEL);
	unsigned long i;

	if (!range)
		return ERR_PTR(-ENOMEM);
	range->frames = kvcalloc(nr, sizeof(*range->frames), GFP_KERNEL);
	if (!range->frames) {
		petmem_range_free(range);
		return ERR_PTR(-ENOMEM);
	}
	range->base = base;
	range->nr = nr;
	range->source = source;
	for (i = 0; i < nr; i++)
		range->frames[i].range = range;

	spin_lock(&buddy->lock);
	if (range_overlaps(buddy, base, nr)) {
		spin_unlock(&buddy->lock);
		petmem_range_free(range);
		return ERR_PTR(-EEXIST);
	}
	list_add_tail(&range->link, &buddy->ranges);
	buddy->nr_pages += nr;
	span_release(buddy, range, base, nr);
	spin_unlock(&buddy->lock);
	return range;
}

static struct petmem_range *range_exact(struct petmem_buddy *buddy,
					unsigned long base, unsigned long nr)
{
	struct petmem_range *range;

	list_for_each_entry(range, &buddy->ranges, link)
		if (range->base == base && range->nr == nr)
			return range;
	return NULL;
}

static void range_take_blocks(struct petmem_buddy *buddy,
			      struct petmem_range *range)
{
	unsigned long i = 0;

	while (i < range->nr) {
		unsigned int order = range->frames[i].order;

		block_del(buddy, &range->frames[i]);
		i += 1UL << order;
	}
	list_del(&range->link);
	buddy->nr_pages -= range->nr;
	buddy->nr_free -= range->nr;
	if (buddy->hint == range)
		buddy->hint = NULL;
}

/**
 * petmem_buddy_withdraw() - take a donation back
 * @buddy: the allocator
 * @base: as it was donated
 * @nr: as it was donated
 * @range: filled with the range, which is the caller's to free
 *
 * Return: 0; -ENOENT if there was no such donation, -EBUSY if it is in use.
 */
int petmem_buddy_withdraw(struct petmem_buddy *buddy, unsigned long base,
			  unsigned long nr, struct petmem_range **range)
{
	int err = 0;

	spin_lock(&buddy->lock);
	*range = range_exact(buddy, base, nr);
	if (!*range)
		err = -ENOENT;
	else if ((*range)->nr_free != nr)
		err = -EBUSY;
	else
		range_take_blocks(buddy, *range);
	spin_unlock(&buddy->lock);
	return err;
}

/* Halve a block, which is in no list, until it has 2^order pages. */
static void block_split(struct petmem_buddy *buddy, struct petmem_frame *frame,
			unsigned int order)
{
	unsigned int from = frame->order;

	while (from > order) {
		from--;
		block_add(buddy, frame + (1UL << from), from);
	}
}

/**
 * petmem_buddy_alloc() - allocate contiguous pages
 * @buddy: the allocator
 * @nr: how many
 *
 * Return: the first of the frames; or NULL if @nr is 0 or there are not that
 * many free pages in a row, aligned to the next power of two.
 */
struct petmem_frame *petmem_buddy_alloc(struct petmem_buddy *buddy, u64 nr)
{
	struct petmem_frame *frame;
	struct petmem_range *range;
	unsigned long orders;
	unsigned int order;

	if (!nr || nr > 1ULL << (PETMEM_ORDERS - 1))
		return NULL;
	order = order_base_2(nr);

	spin_lock(&buddy->lock);
	orders = buddy->nonempty >> order << order;
	if (!orders) {
		spin_unlock(&buddy->lock);
		return NULL;
	}
	frame = list_first_entry(&buddy->free[__ffs(orders)],
				 struct petmem_frame, link);
	range = frame->range;
	block_del(buddy, frame);
	block_split(buddy, frame, order);
	buddy->nr_free -= 1UL << order;
	range->nr_free -= 1UL << order;
	frame->state = PETMEM_USED;
	frame->nr = nr;
	if (nr < 1UL << order)
		span_release(buddy, range, petmem_frame_pfn(frame) + nr,
			     (1UL << order) - nr);
	spin_unlock(&buddy->lock);
	return frame;
}

/**
 * petmem_buddy_put() - free what petmem_buddy_alloc() returned
 * @buddy: the allocator
 * @frame: the first frame
 */
void petmem_buddy_put(struct petmem_buddy *buddy, struct petmem_frame *frame)
{
	spin_lock(&buddy->lock);
	if (!WARN_ON_ONCE(frame->state != PETMEM_USED)) {
		frame->state = PETMEM_INNER;
		span_release(buddy, frame->range, petmem_frame_pfn(frame),
			     frame->nr);
	}
	spin_unlock(&buddy->lock);
}

/**
 * petmem_buddy_frame() - find the frame of a page
 * @buddy: the allocator
 * @pfn: page frame number, any
 *
 * Return: the frame, or NULL if that page was not donated. It stays for as
 * long as the page is allocated.
 */
struct petmem_frame *petmem_buddy_frame(struct petmem_buddy *buddy,
					unsigned long pfn)
{
	struct petmem_range *range;

	spin_lock(&buddy->lock);
	range = range_of(buddy, pfn);
	spin_unlock(&buddy->lock);
	return range ? &range->frames[pfn - range->base] : NULL;
}

/**
 * petmem_buddy_free() - free pages by their number, with all checks
 * @buddy: the allocator
 * @pfn: first page frame number
 * @nr: as it was allocated
 *
 * Return: 0, or -EINVAL with a message if no such block is allocated.
 */
int petmem_buddy_free(struct petmem_buddy *buddy, unsigned long pfn, u64 nr)
{
	struct petmem_frame *frame = NULL;
	struct petmem_range *range;
	const char *why = NULL;

	spin_lock(&buddy->lock);
	range = range_of(buddy, pfn);
	if (range)
		frame = &range->frames[pfn - range->base];
	if (!frame)
		why = "not memory of the pool";
	else if (frame->state == PETMEM_FREE)
		why = "free already";
	else if (frame->state == PETMEM_INNER)
		why = "free already, or inside of a block";
	else if (frame->nr != nr)
		why = "allocated with another length";
	if (!why) {
		frame->state = PETMEM_INNER;
		span_release(buddy, range, pfn, nr);
	}
	spin_unlock(&buddy->lock);

	if (why)
		pr_warn("petmem: not freeing %llu pages at frame 0x%lx: %s\n",
			nr, pfn, why);
	return why ? -EINVAL : 0;
}
