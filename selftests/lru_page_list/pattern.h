/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which page a process touches next: of fiveproc, and of the simulator that
 * tells what other policies would have made of it.
 */
#ifndef _PATTERN_H
#define _PATTERN_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* rand and zipf stay; shift goes on to other pages; seq and cyclic run through. */
enum pattern_kind {
	RAND, ZIPF, SHIFT, SEQ, CYCLIC, SCANHOT,
	TWOLOOP, MIX, SLIDE, ZIGZAG, BURST, PHASE, ZDRIFT, STREAM, STACK, LOOPFLIP,
	/* Guard was mended by MATRIX, GROW, JUMP and THREELOOP, by the others not. */
	GAUSS, TREE, SWEEP, MATRIX, GROW, JUMP, THREELOOP, REVISIT,
	NR_PATTERNS
};

static const char *const pattern_names[] = {
	"rand", "zipf", "shift", "seq", "cyclic", "scanhot",
	"twoloop", "mix", "slide", "zigzag", "burst", "phase", "zdrift", "stream",
	"stack", "loopflip",
	"gauss", "tree", "sweep", "matrix", "grow", "jump", "threeloop", "revisit",
};

/**
 * struct pattern - one and its parameters
 * @kind: enum pattern_kind
 * @zipf: exponent of zipf, %
 * @hot: part of its pages that a process of shift, slide or jump is at, %
 * @step: ms until it goes on
 * @by: how far shift goes on then, % of where it is; more than 100: it leaps
 * @cluster: pages in a row after each random one
 */
struct pattern {
	long kind, zipf, hot, step, by, cluster;
};

#define PATTERN_DEFAULT	{ .zipf = 100, .hot = 20, .step = 500, .by = 50 }

/* Pages that revisit may still come back to. */
#define WALKER_DUE	64

struct walker {
	const struct pattern *how;
	int me;
	unsigned long hot;	/* pages that it goes on touching */
	unsigned long at, at2;
	unsigned long cluster;
	uint64_t random;
	double zipf_k, zipf_e;
	unsigned int due[WALKER_DUE];
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

static inline double walker_unit(struct walker *w)
{
	return walker_random(w) / 9007199254740992.0;
}

/* By inverse transform of the continuous distribution. */
static inline unsigned long zipf_rank(struct walker *w)
{
	double u = walker_unit(w);
	double x = w->how->zipf == 100 ? exp(u * w->zipf_k) :
					 pow(1 + u * w->zipf_k, w->zipf_e);

	return x - 1;
}

/* Ranks are scattered. */
static inline unsigned long zipf_page(struct walker *w)
{
	return (zipf_rank(w) * 2654435761UL + 12345) % w->hot;
}

static inline unsigned long part_of(const struct walker *w, unsigned long percent)
{
	unsigned long part = w->hot * percent / 100;

	return part ? part : 1;
}

static inline unsigned long shift_page(struct walker *w, unsigned long ms)
{
	unsigned long window = part_of(w, w->how->hot);
	unsigned long base = ms / w->how->step * (window * w->how->by / 100);

	return (base + walker_random(w) % window) % w->hot;
}

/* As shift, but a page at a time. */
static inline unsigned long slide_page(struct walker *w, unsigned long ms)
{
	unsigned long window = part_of(w, 2 * w->how->hot);
	unsigned long base = ms * (window / 2) / (4 * w->how->step);

	return (base + walker_random(w) % window) % w->hot;
}

/* It leaps somewhere else at once, after four times as long. */
static inline unsigned long jump_page(struct walker *w, unsigned long ms)
{
	unsigned long leap = ms / (8 * w->how->step);

	if (walker_random(w) % 10)
		return (leap * 7919 * 31 + walker_random(w) % part_of(w, w->how->hot)) % w->hot;
	return walker_random(w) % w->hot;
}

static inline unsigned long run_through(struct walker *w)
{
	w->at = w->at + 1 < w->hot ? w->at + 1 : 0;
	return w->at;
}

/* A second loop, of its own place. */
static inline unsigned long loop_in(struct walker *w, unsigned long first, unsigned long nr)
{
	w->at2 = w->at2 + 1 < nr ? w->at2 + 1 : 0;
	return (first + w->at2) % w->hot;
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

/* There and back. */
static inline unsigned long zigzag_page(struct walker *w)
{
	unsigned long turn = 2 * w->hot - 2;

	w->at = w->at + 1 < turn ? w->at + 1 : 0;
	return w->at < w->hot ? w->at : turn - w->at;
}

/* Eight touches of a page belong together. */
static inline unsigned long burst_page(struct walker *w)
{
	if (w->cluster) {
		w->cluster--;
	} else {
		w->cluster = 7;
		w->at = zipf_page(w);
	}
	return w->at;
}

/* A quarter goes round a tenth of the pages, the rest round all others. */
static inline unsigned long twoloop_page(struct walker *w)
{
	unsigned long small = part_of(w, 10);

	if (walker_random(w) % 4)
		return loop_in(w, small, w->hot > small ? w->hot - small : 1);
	w->at = w->at + 1 < small ? w->at + 1 : 0;
	return w->at;
}

static inline unsigned long phase_page(struct walker *w, unsigned long ms)
{
	unsigned long half = part_of(w, 50);

	return (ms / 2000 % 2 * half + zipf_page(w) % half) % w->hot;
}

/* How long ago a page was used is log-uniform, counted in pages. */
static inline unsigned long stack_page(struct walker *w)
{
	unsigned long depth = exp(walker_unit(w) * log(w->hot + 1.0)) - 1;

	if (!(walker_random(w) % 8))
		w->at = (w->at + 1) % w->hot;
	return (w->at + w->hot - depth % w->hot) % w->hot;
}

/* About a place that moves. */
static inline unsigned long gauss_page(struct walker *w, unsigned long ms)
{
	double sum = walker_unit(w) + walker_unit(w) + walker_unit(w) + walker_unit(w) - 2;
	long at = w->hot / 2 + (long)(ms * w->hot / 40000) + (long)(sum * w->hot / 4);

	return (at % (long)w->hot + w->hot) % w->hot;
}

/* From the root of a tree of 16 children a node to one of its leaves. */
static inline unsigned long tree_page(struct walker *w)
{
	if (!w->cluster)
		w->at2 = walker_random(w);
	w->cluster = w->cluster < 5 ? w->cluster + 1 : 0;
	return (w->at2 >> 4 * w->cluster) % (w->hot >> 4 * w->cluster ?: 1);
}

/* zipf, and each 3 s once through all, as a collector of garbage does. */
static inline unsigned long sweep_page(struct walker *w, unsigned long ms)
{
	if (ms / 3000 != w->cluster) {
		w->cluster = ms / 3000;
		w->at = 0;
	}
	if (w->at + 1 < w->hot && walker_random(w) % 2)
		return ++w->at;
	return zipf_page(w);
}

/* Rows of a matrix, each with all of a vector of a tenth of the pages. */
static inline unsigned long matrix_page(struct walker *w)
{
	unsigned long vector = part_of(w, 10);

	if (walker_random(w) % 2)
		return loop_in(w, 0, vector);
	w->at = w->at + 1 < w->hot - vector ? w->at + 1 : 0;
	return (vector + w->at) % w->hot;
}

/* A loop that gets longer all the time, from a fifth to all of the pages. */
static inline unsigned long grow_page(struct walker *w, unsigned long ms)
{
	return loop_in(w, 0, part_of(w, 20 + ms % 16000 / 200));
}

static inline unsigned long threeloop_page(struct walker *w)
{
	unsigned long third = part_of(w, 33);

	switch (walker_random(w) % 7) {
	case 0 ... 3:
		w->at = w->at + 1 < third ? w->at + 1 : 0;
		return w->at;
	case 4 ... 5:
		return loop_in(w, third, third);
	default:
		w->cluster = w->cluster + 1 < third ? w->cluster + 1 : 0;
		return (2 * third + w->cluster) % w->hot;
	}
}

/* A page is used again once, some time later, and then for long not. */
static inline unsigned long revisit_page(struct walker *w)
{
	unsigned int *due = &w->due[walker_random(w) % WALKER_DUE];
	unsigned long page = *due;

	if (walker_random(w) % 2 && page < w->hot) {
		*due = page + part_of(w, 1 + walker_random(w) % 30);
		return page;
	}
	*due = walker_random(w) % w->hot;
	return *due;
}

/* Each process another one. */
static inline unsigned long mix_page(struct walker *w, unsigned long ms)
{
	switch (w->me % 5) {
	case 0:
		return shift_page(w, ms);
	case 1:
		return zipf_page(w);
	case 2:
		return walker_random(w) % w->hot;
	case 3:
		return walker_random(w) % 4 ? zipf_page(w) : run_through(w);
	default:
		return run_through(w);
	}
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
	case TWOLOOP:
		return twoloop_page(w);
	case MIX:
		return mix_page(w, ms);
	case SLIDE:
		return slide_page(w, ms);
	case ZIGZAG:
		return zigzag_page(w);
	case BURST:
		return burst_page(w);
	case PHASE:
		return phase_page(w, ms);
	case ZDRIFT:
		return (zipf_page(w) + ms * w->hot / 32000) % w->hot;
	case STREAM:
		return walker_random(w) % 8 ? zipf_page(w) / 2 :
					      w->hot / 2 + run_through(w) % part_of(w, 50);
	case STACK:
		return stack_page(w);
	case LOOPFLIP:
		return ms / 3000 % 2 ? walker_random(w) % w->hot : run_through(w);
	case GAUSS:
		return gauss_page(w, ms);
	case TREE:
		return tree_page(w);
	case SWEEP:
		return sweep_page(w, ms);
	case MATRIX:
		return matrix_page(w);
	case GROW:
		return grow_page(w, ms);
	case JUMP:
		return jump_page(w, ms);
	case THREELOOP:
		return threeloop_page(w);
	case REVISIT:
		return revisit_page(w);
	default:
		return random_page(w);
	}
}

#endif
