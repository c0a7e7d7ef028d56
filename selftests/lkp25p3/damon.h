/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DAMON, to compare with: watches a range of this process with its defaults, a
 * sample every 5 ms, an aggregation every 100 ms, and 10 to 1000 regions.
 */
#ifndef LKP25P3_DAMON_H
#define LKP25P3_DAMON_H

#include <stdbool.h>
#include <time.h>

#include <linux/types.h>

#define DAMON_SAMPLE_NS		5000000ULL
#define DAMON_MIN_REGIONS	10
#define DAMON_MAX_REGIONS	1000

/**
 * struct damon - what it watches
 * @start: first address
 * @end: address after the last
 * @min_regions: how many regions it has at least; 0: its default
 * @clock: CPU time of its thread
 */
struct damon {
	__u64 start, end;
	unsigned int min_regions;
	clockid_t clock;
};

/**
 * struct damon_region - what it said
 * @start: first address
 * @end: address after the last
 * @samples: in how many samples of an aggregation (of 20) the page it looked at
 *	was found accessed
 */
struct damon_region {
	__u64 start, end;
	unsigned int samples;
};

/* False where the kernel has no DAMON; ends the program on other errors. */
bool damon_start(struct damon *d);
void damon_stop(void);
__u64 damon_cpu_ns(const struct damon *d);
/* Of the aggregation that ends next; how many. */
unsigned int damon_regions(struct damon_region *regions, unsigned int max);

#endif /* LKP25P3_DAMON_H */
