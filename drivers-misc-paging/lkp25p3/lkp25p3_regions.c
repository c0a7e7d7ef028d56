// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: the counts of all pages as a few regions.
 *
 * The range is cut into blocks, neighbours of which become one region where
 * their means are close to each other.  How close is found by trying: it
 * begins with equal ones, and doubles until there are few enough regions.  So
 * what is simple is told exactly, what is not is told roughly, and the line in
 * the log never grows.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "lkp25p3_regions.h"

#define BLOCKS	LKP25P3_REGION_BLOCKS

static u32 mean_x10(u64 sum, unsigned long pages)
{
	return div64_ul(sum * 10 + pages / 2, pages);
}

static u64 sum_of(const u8 *counts, unsigned long nr)
{
	u64 sum = 0;
	unsigned long i;

	for (i = 0; i < nr; i++)
		sum += counts[i];
	return sum;
}

/* Join neighbours in place; returns how many are left. */
static unsigned int join(struct lkp25p3_region *r, unsigned int nr, u32 close)
{
	unsigned int i, last = 0;

	for (i = 1; i < nr; i++) {
		u32 a = mean_x10(r[last].sum, r[last].pages);
		u32 b = mean_x10(r[i].sum, r[i].pages);

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
static u32 distance_x10(const u8 *counts, unsigned long nr_pages,
			const struct lkp25p3_region *r, unsigned int nr)
{
	unsigned long i;
	u64 off = 0;

	for (; nr; nr--, r++) {
		u32 mean = mean_x10(r->sum, r->pages);

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
unsigned int lkp25p3_regions(const u8 *counts, unsigned long nr_pages,
			     struct lkp25p3_region *r, u32 *off_x10)
{
	unsigned int i, nr = min_t(unsigned long, nr_pages, BLOCKS);
	unsigned long first = 0;
	u32 close = 0;

	for (i = 0; i < nr; i++) {
		unsigned long end = div64_ul((u64)nr_pages * (i + 1), nr);

		r[i].first = first;
		r[i].pages = end - first;
		r[i].sum = sum_of(counts + first, end - first);
		first = end;
	}
	nr = join(r, nr, close);
	for (close = 1; nr > LKP25P3_REGIONS_MAX; close *= 2)
		nr = join(r, nr, close);
	*off_x10 = distance_x10(counts, nr_pages, r, nr);
	return nr;
}

/**
 * lkp25p3_region_mean_x10() - the mean count of a region's pages
 * @r: the region
 *
 * Return: the mean, in tenths.
 */
u32 lkp25p3_region_mean_x10(const struct lkp25p3_region *r)
{
	return mean_x10(r->sum, r->pages);
}

#define EACH_BYTE	0x0101010101010101ULL
#define ONE_BIT_EACH	0x8040201008040201ULL

/* Bit i of @bits becomes byte i, in the order of memory, as 0 or 1. */
static u64 bits_to_bytes(u8 bits)
{
	u64 spread = (bits * EACH_BYTE) & ONE_BIT_EACH;

	/* Any bit that is set carries into the highest one of its byte. */
	spread = ((spread & 0x7f * EACH_BYTE) + 0x7f * EACH_BYTE) | spread;
	return (spread >> 7) & EACH_BYTE;
}

/**
 * lkp25p3_count_bits() - add one to the counts of the pages of a word
 * @counts: of 64 pages, none of them at its maximum
 * @word: bit i: count page i
 */
void lkp25p3_count_bits(u8 *counts, u64 word)
{
	for (; word; word >>= 8, counts += 8)
		if (word & 0xff)
			put_unaligned_le64(get_unaligned_le64(counts) +
					   bits_to_bytes(word), counts);
}
