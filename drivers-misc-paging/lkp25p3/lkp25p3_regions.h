/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkp25p3: counts of pages, added up and shortened.  No driver state here.
 */
#ifndef _LKP25P3_REGIONS_H
#define _LKP25P3_REGIONS_H

#include <linux/types.h>
#include <linux/unaligned.h>

#define LKP25P3_REGION_BLOCKS	512
#define LKP25P3_REGIONS_MAX	24

/**
 * struct lkp25p3_region - pages that follow each other
 * @first: the first page
 * @pages: how many
 * @sum: of their counts
 */
struct lkp25p3_region {
	unsigned long first;
	unsigned long pages;
	u64 sum;
};

unsigned int lkp25p3_regions(const u8 *counts, unsigned long nr_pages,
			     struct lkp25p3_region *r, u32 *off_x10);
u32 lkp25p3_region_mean_x10(const struct lkp25p3_region *r);
void lkp25p3_count_bits(u8 *counts, u64 word);

#endif /* _LKP25P3_REGIONS_H */
