// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: which virtual addresses are taken.
 *
 * Ranges are in a maple tree, which also knows the gaps between them: the
 * lowest gap that is large enough is first fit, found in one descent.  Two
 * free neighbours need no joining, since what is free is not recorded.
 *
 * Best fit has to find gaps by their size.  A hole belongs to the range before
 * it (petmem_vrange.hole) and is in a red-black tree ordered by size, then by
 * address.  Freeing a range leaves its predecessor one hole out of three:
 * that is all coalescing there is, in whatever order ranges are freed:
 *
 *	[ A ]..hole A..[ B ]..hole B..[ C ]	free B:
 *	[ A ]............hole A.......[ C ]
 *
 * The tree is only kept up if best fit was asked for.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "petmem_vspace.h"

static unsigned long first_page(unsigned long addr)
{
	return addr >> PAGE_SHIFT;
}

static unsigned long last_page(unsigned long end)
{
	return (end - 1) >> PAGE_SHIFT;
}

static bool hole_less(struct rb_node *node, const struct rb_node *other)
{
	const struct petmem_vrange *a = rb_entry(node, typeof(*a), by_size);
	const struct petmem_vrange *b = rb_entry(other, typeof(*b), by_size);

	if (a->hole != b->hole)
		return a->hole < b->hole;
	return a->end < b->end;
}

static void hole_set(struct petmem_vspace *vs, struct petmem_vrange *range,
		     unsigned long bytes)
{
	if (!vs->best)
		return;
	if (range->hole)
		rb_erase(&range->by_size, &vs->holes);
	range->hole = bytes;
	if (bytes)
		rb_add(&range->by_size, &vs->holes, hole_less);
}

/**
 * petmem_vspace_init() - make an empty address map
 * @vs: to be filled
 * @start: lowest address, of a page
 * @end: the address behind the highest, of a page
 * @best: use best fit
 * @lock: held by all callers of the functions below
 */
void petmem_vspace_init(struct petmem_vspace *vs, unsigned long start,
			unsigned long end, bool best, struct mutex *lock)
{
	memset(vs, 0, sizeof(*vs));
	mt_init_flags(&vs->ranges, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&vs->ranges, lock);
	vs->holes = RB_ROOT;
	vs->start = start;
	vs->end = end;
	vs->best = best;
	vs->first.start = start;
	vs->first.end = start;
	hole_set(vs, &vs->first, end - start);
}

/**
 * petmem_vspace_destroy() - forget all ranges
 * @vs: can be used again afterwards
 */
void petmem_vspace_destroy(struct petmem_vspace *vs)
{
	MA_STATE(mas, &vs->ranges, 0, 0);
	struct petmem_vrange *range;

	mas_for_each(&mas, range, ULONG_MAX)
		kfree(range);
	__mt_destroy(&vs->ranges);
	vs->holes = RB_ROOT;
	vs->first.hole = 0;
	hole_set(vs, &vs->first, vs->end - vs->start);
	vs->nr = 0;
	vs->nr_foreign = 0;
	vs->bytes = 0;
}

/* The range before @start. */
static struct petmem_vrange *range_before(struct petmem_vspace *vs,
					  unsigned long start)
{
	MA_STATE(mas, &vs->ranges, first_page(start), first_page(start));

	return mas_prev(&mas, 0) ?: &vs->first;
}

static int range_store(struct petmem_vspace *vs, struct petmem_vrange *range,
		       unsigned long start, unsigned long end)
{
	MA_STATE(mas, &vs->ranges, first_page(start), last_page(end));
	gfp_t gfp = GFP_KERNEL;

	/* Taking a range out must not fail: nobody could go on after it. */
	if (!range)
		gfp |= __GFP_NOFAIL;
	return mas_store_gfp(&mas, range, gfp);
}

/* Put a range into the hole that follows @before. */
static struct petmem_vrange *range_insert(struct petmem_vspace *vs,
					  struct petmem_vrange *before,
					  unsigned long start,
					  unsigned long end, bool foreign)
{
	unsigned long hole_end = before->end + before->hole;
	struct petmem_vrange *range = kzalloc(sizeof(*range), GFP_KERNEL);

	if (!range)
		return NULL;
	range->start = start;
	range->end = end;
	range->foreign = foreign;
	if (range_store(vs, range, start, end)) {
		kfree(range);
		return NULL;
	}
	hole_set(vs, range, hole_end - end);
	hole_set(vs, before, start - before->end);
	if (foreign) {
		vs->nr_foreign++;
	} else {
		vs->nr++;
		vs->bytes += end - start;
	}
	return range;
}

static bool first_fit(struct petmem_vspace *vs, unsigned long size,
		      unsigned long *start)
{
	MA_STATE(mas, &vs->ranges, 0, 0);

	if (mas_empty_area(&mas, first_page(vs->start), last_page(vs->end),
			   size >> PAGE_SHIFT))
		return false;
	*start = mas.index << PAGE_SHIFT;
	return true;
}

static struct petmem_vrange *best_fit(struct petmem_vspace *vs,
				      unsigned long size)
{
	struct rb_node *node = vs->holes.rb_node;
	struct petmem_vrange *found = NULL;

	while (node) {
		struct petmem_vrange *range;

		range = rb_entry(node, struct petmem_vrange, by_size);
		if (range->hole >= size) {
			found = range;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/**
 * petmem_alloc_vspace() - take addresses
 * @vs: the map
 * @size: bytes, rounded up to pages
 *
 * Context: May sleep.
 * Return: the range; NULL if @size is 0 or does not fit; ERR_PTR(-ENOMEM).
 */
struct petmem_vrange *petmem_alloc_vspace(struct petmem_vspace *vs, u64 size)
{
	struct petmem_vrange *before = &vs->first, *range;
	unsigned long start;

	if (!size || size > vs->end - vs->start)
		return NULL;
	size = PAGE_ALIGN(size);
	if (vs->best) {
		before = best_fit(vs, size);
		if (!before)
			return NULL;
		start = before->end;
	} else if (!first_fit(vs, size, &start)) {
		return NULL;
	}
	range = range_insert(vs, before, start, start + size, false);
	return range ?: ERR_PTR(-ENOMEM);
}

/**
 * petmem_free_vspace() - let go of addresses
 * @vs: the map
 * @range: one of its ranges; freed
 */
void petmem_free_vspace(struct petmem_vspace *vs, struct petmem_vrange *range)
{
	if (vs->best) {
		struct petmem_vrange *before = range_before(vs, range->start);
		unsigned long end = range->end + range->hole;

		hole_set(vs, range, 0);
		hole_set(vs, before, end - before->end);
	}
	range_store(vs, NULL, range->start, range->end);
	if (range->foreign) {
		vs->nr_foreign--;
	} else {
		vs->nr--;
		vs->bytes -= range->end - range->start;
	}
	kfree(range);
}

/**
 * petmem_vspace_find() - look up an address
 * @vs: the map
 * @addr: any address
 *
 * Return: the range that was allocated and holds it, or NULL.
 */
struct petmem_vrange *petmem_vspace_find(struct petmem_vspace *vs,
					 unsigned long addr)
{
	MA_STATE(mas, &vs->ranges, first_page(addr), first_page(addr));
	struct petmem_vrange *range = mas_walk(&mas);

	return range && !range->foreign ? range : NULL;
}

/**
 * petmem_vspace_next() - go through the ranges
 * @vs: the map
 * @addr: where to begin
 *
 * Return: the range that holds @addr or the next one after it, of others
 * too; or NULL.
 */
struct petmem_vrange *petmem_vspace_next(struct petmem_vspace *vs,
					 unsigned long addr)
{
	MA_STATE(mas, &vs->ranges, first_page(addr), first_page(addr));

	return mas_find(&mas, ULONG_MAX);
}

/**
 * petmem_vspace_used() - whether anything is allocated between two addresses
 * @vs: the map
 * @start: first address
 * @end: the address behind them
 *
 * Return: true if so; what others use does not count.
 */
bool petmem_vspace_used(struct petmem_vspace *vs, unsigned long start,
			unsigned long end)
{
	MA_STATE(mas, &vs->ranges, first_page(start), first_page(start));
	struct petmem_vrange *range;

	mas_for_each(&mas, range, last_page(end))
		if (!range->foreign)
			return true;
	return false;
}

/**
 * petmem_vspace_avoid() - go around addresses that somebody else uses
 * @vs: the map
 * @start: first address, of a page
 * @end: the address behind them
 *
 * What is taken already, and what is outside of the space, is left alone.
 *
 * Return: 0, or -ENOMEM.
 */
int petmem_vspace_avoid(struct petmem_vspace *vs, unsigned long start,
			unsigned long end)
{
	unsigned long pos = max(start, vs->start);

	end = min(end, vs->end);
	while (pos < end) {
		struct petmem_vrange *next = petmem_vspace_next(vs, pos);
		unsigned long stop = next ? min(next->start, end) : end;

		if (pos < stop &&
		    !range_insert(vs, range_before(vs, pos), pos, stop, true))
			return -ENOMEM;
		pos = next ? max(next->end, stop) : end;
	}
	return 0;
}

/**
 * petmem_vspace_forget() - undo all petmem_vspace_avoid()
 * @vs: the map
 *
 * Return: whether there was anything to forget.
 */
bool petmem_vspace_forget(struct petmem_vspace *vs)
{
	struct petmem_vrange *range;
	unsigned long pos = vs->start;
	bool any = vs->nr_foreign;

	while (vs->nr_foreign && (range = petmem_vspace_next(vs, pos))) {
		pos = range->end;
		if (range->foreign)
			petmem_free_vspace(vs, range);
	}
	return any;
}

/**
 * petmem_vspace_largest() - the longest run of free addresses
 * @vs: the map
 *
 * Return: bytes. For statistics: it goes through all ranges.
 */
unsigned long petmem_vspace_largest(struct petmem_vspace *vs)
{
	MA_STATE(mas, &vs->ranges, 0, 0);
	unsigned long pos = vs->start;
	struct petmem_vrange *range;
	unsigned long largest = 0;

	mas_for_each(&mas, range, ULONG_MAX) {
		largest = max(largest, range->start - pos);
		pos = range->end;
	}
	return max(largest, vs->end - pos);
}
