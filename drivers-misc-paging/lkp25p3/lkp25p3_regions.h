/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkp25p3: the counts of all pages as a few regions.
 *
 * The range is cut into blocks, neighbours of which become one region where
 * their means are close to each other.  How close is found by trying: it
 * begins with equal ones, and doubles until there are few enough regions.  So
 * what is simple is told exactly, what is not is told roughly, and the line in
 * the log never grows.
 *
 * No driver state here: KUnit has this file by itself.
 */
#ifndef _LKP25P3_REGIONS_H
#define _LKP25P3_REGIONS_H

#include <linux/math64.h>
#include <linux/minmax.h>
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

static inline u32 lkp25p3_mean_x10(u64 sum, unsigned long pages)
{
	return div64_ul(sum * 10 + pages / 2, pages);
}

static inline u64 lkp25p3_sum_of(const u8 *counts, unsigned long nr)
{
	u64 sum = 0;
	unsigned long i;

	for (i = 0; i < nr; i++)
		sum += counts[i];
	return sum;
}

/* Join neighbours in place; returns how many are left. */
static inline unsigned int lkp25p3_join(struct lkp25p3_region *r,
					unsigned int nr, u32 close)
{
	unsigned int i, last = 0;

	for (i = 1; i < nr; i++) {
		u32 a = lkp25p3_mean_x10(r[last].sum, r[last].pages);
		u32 b = lkp25p3_mean_x10(r[i].sum, r[i].pages);

		if (max(a, b) - min(a, b) <= close) {
			r[last].pages += r[i].pages;
			r[last].sum += r[i].sum;
		} else {
			r[++last] = r[i];
		}
	}
	return last + 1;
}

/* Mean distance of a page's count from its region's mean, in tenths. */
static inline u32
lkp25p3_distance_x10(const u8 *counts, unsigned long nr_pages,
		     const struct lkp25p3_region *r, unsigned int nr)
{
	unsigned long i;
	u64 off = 0;

	for (; nr; nr--, r++) {
		u32 mean = lkp25p3_mean_x10(r->sum, r->pages);

		for (i = 0; i < r->pages; i++)
			off += abs((s32)*counts++ * 10 - (s32)mean);
	}
	return div64_ul(off + nr_pages / 2, nr_pages);
}

/**
 * lkp25p3_regions() - cut pages into regions of about the same count
 * @counts: count of each page
 * @nr_pages: pages, at least 1
 * @r: room for LKP25P3_REGION_BLOCKS regions
 * @off_x10: set to the mean distance of a page's count from its region's mean,
 *	in tenths
 *
 * Return: number of regions, at most LKP25P3_REGIONS_MAX.
 */
static inline unsigned int
lkp25p3_regions(const u8 *counts, unsigned long nr_pages,
		struct lkp25p3_region *r, u32 *off_x10)
{
	unsigned long first = 0;
	unsigned int i, nr;
	u32 close = 0;

	nr = min_t(unsigned long, nr_pages, LKP25P3_REGION_BLOCKS);
	for (i = 0; i < nr; i++) {
		unsigned long end = div64_ul((u64)nr_pages * (i + 1), nr);

		r[i].first = first;
		r[i].pages = end - first;
		r[i].sum = lkp25p3_sum_of(counts + first, end - first);
		first = end;
	}
	nr = lkp25p3_join(r, nr, close);
	for (close = 1; nr > LKP25P3_REGIONS_MAX; close *= 2)
		nr = lkp25p3_join(r, nr, close);
	*off_x10 = lkp25p3_distance_x10(counts, nr_pages, r, nr);
	return nr;
}

/**
 * lkp25p3_region_mean_x10() - the mean count of a region's pages
 * @r: the region
 *
 * Return: the mean, in tenths.
 */
static inline u32 lkp25p3_region_mean_x10(const struct lkp25p3_region *r)
{
	return lkp25p3_mean_x10(r->sum, r->pages);
}

#define LKP25P3_EACH_BYTE	0x0101010101010101ULL
#define LKP25P3_ONE_BIT_EACH	0x8040201008040201ULL

/* Bit i of @bits becomes byte i, in the order of memory, as 0 or 1. */
static inline u64 lkp25p3_bits_to_bytes(u8 bits)
{
	const u64 low = 0x7f * LKP25P3_EACH_BYTE;
	u64 spread = (bits * LKP25P3_EACH_BYTE) & LKP25P3_ONE_BIT_EACH;

	/* Any bit that is set carries into the highest one of its byte. */
	spread |= (spread & low) + low;
	return (spread >> 7) & LKP25P3_EACH_BYTE;
}

/**
 * lkp25p3_count_bits() - add one to the counts of the pages of a word
 * @counts: of 64 pages, none of them at its maximum
 * @word: bit i: count page i
 */
static inline void lkp25p3_count_bits(u8 *counts, u64 word)
{
	for (; word; word >>= 8, counts += 8)
		if (word & 0xff)
			put_unaligned_le64(get_unaligned_le64(counts) +
					   lkp25p3_bits_to_bytes(word), counts);
}

#endif /* _LKP25P3_REGIONS_H */
