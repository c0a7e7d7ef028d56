/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memalloc: what its files share.
 */
#ifndef LKP25P3_MEMALLOC_H
#define LKP25P3_MEMALLOC_H

#include "tools.h"

/**
 * struct options - what memalloc was asked for
 * @bytes: to allocate in all
 * @path: file for the log of every page, or for the raw counts; NULL: none
 * @keep: stay alive afterwards, until a signal
 * @seconds: to read for
 * @pace_ms: from one sweep of the second quarter to the next; 0: no pause
 * @interval_ms: of the monitor; 0: read without one
 * @sample: the monitor looks at one of so many pages in each scan
 */
struct options {
	__u64 bytes;
	const char *path;
	bool keep;
	unsigned int seconds;
	unsigned int pace_ms;
	unsigned int interval_ms;
	unsigned int sample;
};

/* Present and zero pages of a range, as the kernel counts them. */
struct population {
	__u64 pages, present, zero;
};

void count_population(__u64 start, __u64 end, struct population *p);

void allocate_and_show(const char *scheme, const struct options *o);
void read_at_two_speeds(const struct options *o);

#endif /* LKP25P3_MEMALLOC_H */
