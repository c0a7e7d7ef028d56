/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/petmem: the allocator of virtual addresses.  Like the buddy allocator
 * it stands alone.
 */
#ifndef _PETMEM_VSPACE_H
#define _PETMEM_VSPACE_H

#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>

/**
 * struct petmem_vrange - addresses that are taken
 * @start: first address, of a page
 * @end: the address behind them
 * @hole: bytes between @end and the next range (or the end of the space)
 * @by_size: in the tree of holes, if there is one
 * @foreign: taken by somebody else; only to be gone around
 */
struct petmem_vrange {
	unsigned long start;
	unsigned long end;
	unsigned long hole;
	struct rb_node by_size;
	bool foreign;
};

/**
 * struct petmem_vspace - an address map
 * @ranges: of struct petmem_vrange, by page number
 * @holes: free addresses by size and then by address; best fit only
 * @first: an empty range at @start, which the first hole follows
 * @start: lowest address
 * @end: the address behind the highest
 * @best: best fit, not first fit
 * @nr: ranges that were allocated and not freed
 * @nr_foreign: ranges of others
 * @bytes: their length together
 *
 * All functions are called with the lock held that petmem_vspace_init() got.
 */
struct petmem_vspace {
	struct maple_tree ranges;
	struct rb_root holes;
	struct petmem_vrange first;
	unsigned long start;
	unsigned long end;
	bool best;
	unsigned long nr;
	unsigned long nr_foreign;
	unsigned long bytes;
};

void petmem_vspace_init(struct petmem_vspace *vs, unsigned long start,
			unsigned long end, bool best, struct mutex *lock);
void petmem_vspace_destroy(struct petmem_vspace *vs);
struct petmem_vrange *petmem_alloc_vspace(struct petmem_vspace *vs, u64 size);
void petmem_free_vspace(struct petmem_vspace *vs, struct petmem_vrange *range);
struct petmem_vrange *petmem_vspace_find(struct petmem_vspace *vs,
					 unsigned long addr);
struct petmem_vrange *petmem_vspace_next(struct petmem_vspace *vs,
					 unsigned long addr);
bool petmem_vspace_used(struct petmem_vspace *vs, unsigned long start,
			unsigned long end);
int petmem_vspace_avoid(struct petmem_vspace *vs, unsigned long start,
			unsigned long end);
bool petmem_vspace_forget(struct petmem_vspace *vs);
unsigned long petmem_vspace_largest(struct petmem_vspace *vs);

#endif /* _PETMEM_VSPACE_H */
