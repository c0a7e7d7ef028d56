/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which page a process touches next: of fiveproc, and of the simulator that
 * tells what an exact LRU would have made of it.
 */
#ifndef _PATTERN_H
#define _PATTERN_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* rand and zipf stay; shift goes on to other pages; seq and cyclic run through. */
enum pattern_kind { RAND, ZIPF, SHIFT, SEQ, CYCLIC, SCANHOT, NR_PATTERNS };

static const char *const pattern_names[] = {
	"rand", "zipf", "shift", "seq", "cyclic", "scanhot",
};

/**
 * struct pattern - one and its parameters
 * @kind: enum pattern_kind
 * @zipf: exponent of zipf, %
 * @hot: part of its pages that a process of shift is at, %
 * @step: ms until it goes on by half of that
 * @cluster: pages in a row after each random one
 */
struct pattern {
	long kind, zipf, hot, step, cluster;
};

#define PATTERN_DEFAULT	{ .zipf = 100, .hot = 20, .step = 500 }

struct walker {
	const struct pattern *how;
	int me;
	unsigned long hot;	/* pages that it goes on touching */
	unsigned long at;
	unsigned long cluster;
	uint64_t random;
	double zipf_k, zipf_e;
};

static inline bool pattern_of(struct pattern *how, const char *name)
{
	for (how->kind = 0; how->kind < NR_PATTERNS; how->kind++)
		if (!strcmp(name, pattern_names[how->kind]))
			return true;
	return false;
}

static inline void walker_init(struct walker *w, const struct pattern *how, int me,
			       long seed, unsigned long hot)
{
	double s = 1 - how->zipf / 100.0;

	*w = (struct walker) {
		.how = how, .me = me, .hot = hot,
		.random = (seed * 1000003 + me * 7919 + 1) | 1ULL << 40,
	};
	if (how->zipf == 100) {
		w->zipf_k = log(hot + 1.0);
	} else {
		w->zipf_k = pow(hot + 1.0, s) - 1;
		w->zipf_e = 1 / s;
	}
}

/* xorshift64*; never 0. */
static inline uint64_t walker_random(struct walker *w)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return w->random * 2685821657736338717ULL >> 11;
}

/* By inverse transform of the continuous distribution; ranks are scattered. */
static inline unsigned long zipf_page(struct walker *w)
{
	double u = walker_random(w) / 9007199254740992.0;
	double x = w->how->zipf == 100 ? exp(u * w->zipf_k) :
					 pow(1 + u * w->zipf_k, w->zipf_e);
	unsigned long rank = x - 1;

	return (rank * 2654435761UL + 12345) % w->hot;
}

static inline unsigned long shift_page(struct walker *w, unsigned long ms)
{
	unsigned long window = w->hot * w->how->hot / 100;
	unsigned long base;

	if (!window)
		window = 1;
	base = ms / w->how->step * (window / 2);
	return (base + walker_random(w) % window) % w->hot;
}

static inline unsigned long run_through(struct walker *w)
{
	w->at = w->at + 1 < w->hot ? w->at + 1 : 0;
	return w->at;
}

static inline unsigned long random_page(struct walker *w)
{
	if (w->cluster) {
		w->cluster--;
		w->at = (w->at + 1) % w->hot;
	} else {
		w->cluster = w->how->cluster;
		w->at = walker_random(w) % w->hot;
	}
	return w->at;
}

static inline unsigned long next_page(struct walker *w, unsigned long ms)
{
	switch (w->how->kind) {
	case ZIPF:
		return zipf_page(w);
	case SHIFT:
		return shift_page(w, ms);
	case SEQ:
	case CYCLIC:
		return run_through(w);
	case SCANHOT:
		return walker_random(w) % 4 ? zipf_page(w) : run_through(w);
	default:
		return random_page(w);
	}
}

#endif
