/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kernel_memory: how structs lie in pages, as arithmetic without any memory.
 *
 * A struct does not cross a page: each page has as many as fit and the rest
 * of it is unused.
 */
#ifndef _KERNEL_MEMORY_LAYOUT_H
#define _KERNEL_MEMORY_LAYOUT_H

#include <linux/log2.h>
#include <linux/math.h>
#include <linux/mm.h>

#define KERNEL_MEMORY_VALUES 8

/* What the pages are filled with. */
struct kernel_memory_struct {
	unsigned int value[KERNEL_MEMORY_VALUES];
};

#define KERNEL_MEMORY_PER_PAGE \
	((unsigned int)(PAGE_SIZE / sizeof(struct kernel_memory_struct)))

/**
 * my_get_order() - the order of an allocation of at least @n pages
 * @n: pages
 *
 * Return: the smallest order with 1 << order >= @n; 0 for 0 and 1.
 */
static inline unsigned int my_get_order(unsigned int n)
{
	return n <= 1 ? 0 : ilog2(n - 1) + 1;
}

/**
 * kernel_memory_nr_pages() - how many pages structs take
 * @nr_structs: structs
 *
 * Return: the pages.
 */
static inline unsigned int kernel_memory_nr_pages(unsigned int nr_structs)
{
	return nr_structs / KERNEL_MEMORY_PER_PAGE +
	       !!(nr_structs % KERNEL_MEMORY_PER_PAGE);
}

/**
 * kernel_memory_value() - what belongs into a place
 * @page: page, from 0
 * @nr: struct in that page, from 0
 * @k: element of that struct, from 0
 *
 * Return: the value; all places up to 2^32 values have different ones.
 */
static inline unsigned int kernel_memory_value(unsigned int page,
					       unsigned int nr, unsigned int k)
{
	return (page * KERNEL_MEMORY_PER_PAGE + nr) * KERNEL_MEMORY_VALUES + k;
}

#endif /* _KERNEL_MEMORY_LAYOUT_H */
