/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the program accuracy share. */
#ifndef LKP25P3_ACCURACY_H
#define LKP25P3_ACCURACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct workload - a program that touches known pages, over and over
 * @p: first page
 * @nr: pages
 * @page: bytes of a page
 * @forget: flush the TLB before each sweep
 */
struct workload {
	char *p;
	size_t nr, page;
	bool forget;
};

/* Patterns: which pages are touched in a period. */
extern const char *const patterns[];
void make_set(bool *set, size_t nr, const char *pattern, unsigned int period, uint32_t seed);

/* A thread that touches all pages of a set every SWEEP_MS. */
#define SWEEP_MS	4
void workload_start(const struct workload *w);
/* From when this returns the pages of @set are touched, and no others; NULL: none. */
void workload_use(const bool *set);
void workload_stop(void);

#endif /* LKP25P3_ACCURACY_H */
