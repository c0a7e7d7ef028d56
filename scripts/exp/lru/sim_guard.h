/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue of lru_page_list in a simulated memory: accessed bits that are
 * harvested each so many ticks, evicted in batches, strict or with guard, whose
 * decisions are those of mm-lru/guard.c itself.
 */
#ifndef _SIM_GUARD_H
#define _SIM_GUARD_H

#include "guard.h"

/* No stamp: never used, or freed. */
#define NEVER	UINT32_MAX

struct sim_page {
	u32 stamp;
	u8 gap;
	bool here, young, fresh, kept, shadow;
};

/* The window and what is kept; the heads come after the pages. */
static struct sim_page *sim_page;
static struct sim_link { int prev, next; } *sim_link;
static int sim_pages, sim_nr_young, *sim_young;
static unsigned long sim_here, sim_in_window, sim_frames, sim_moves;
static u32 sim_now, sim_harvested, sim_period;
static int sim_batch;
static struct lpl_guard sim_guard;
static bool sim_guarded;

static int sim_head(bool kept, u8 gap)
{
	return sim_pages + (kept ? 1 + (int)lpl_gap_class(gap) : 0);
}

static void sim_off(int page)
{
	struct sim_link *l = &sim_link[page];

	sim_link[l->prev].next = l->next;
	sim_link[l->next].prev = l->prev;
	sim_in_window -= !sim_page[page].kept;
}

static void sim_on(int page, bool kept)
{
	int head = sim_head(kept, sim_page[page].gap);

	sim_page[page].kept = kept;
	sim_link[page] = (struct sim_link) { head, sim_link[head].next };
	sim_link[sim_link[head].next].prev = page;
	sim_link[head].next = page;
	sim_in_window += !kept;
	sim_moves++;
}

static void sim_reset(int pages, unsigned long frames, bool guarded)
{
	int i;

	sim_pages = pages;
	sim_frames = frames;
	sim_guarded = guarded;
	sim_here = sim_in_window = sim_moves = 0;
	sim_nr_young = sim_now = sim_harvested = 0;
	sim_page = realloc(sim_page, pages * sizeof(*sim_page));
	sim_young = realloc(sim_young, 2 * pages * sizeof(*sim_young));
	sim_link = realloc(sim_link, (pages + 1 + LPL_CLASSES) * sizeof(*sim_link));
	for (i = 0; i < pages; i++)
		sim_page[i] = (struct sim_page) { .stamp = NEVER };
	for (i = pages; i < pages + 1 + LPL_CLASSES; i++)
		sim_link[i] = (struct sim_link) { i, i };
	lpl_guard_init(&sim_guard, 0);
}

static u32 sim_age(int page)
{
	return sim_now - sim_page[page].stamp;
}

/* As the words of pages hold it. */
static u8 sim_gap_after(u8 gap, u32 age)
{
	gap = lpl_gap_after(gap, age, sim_period, lpl_guard_age(&sim_guard));
	return lpl_gap_unpack(lpl_gap_pack(gap));
}

/* A harvest, or reclaim, finds the accessed bit set. */
static void sim_found_young(int page)
{
	struct sim_page *p = &sim_page[page];
	bool kept = p->kept && lpl_guard_keeps(&sim_guard);

	p->young = false;
	sim_off(page);
	if (!p->fresh)
		p->gap = sim_gap_after(p->gap, sim_age(page));
	if (sim_guarded)
		lpl_guard_use(&sim_guard, sim_age(page), 1, !p->fresh);
	p->fresh = false;
	p->stamp = sim_now;
	sim_on(page, kept);
}

static int sim_by_address(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void sim_harvest(void)
{
	int i;

	qsort(sim_young, sim_nr_young, sizeof(*sim_young), sim_by_address);
	for (i = 0; i < sim_nr_young; i++)
		if (sim_page[sim_young[i]].here && sim_page[sim_young[i]].young)
			sim_found_young(sim_young[i]);
	sim_nr_young = 0;
	sim_harvested = sim_now;
}

static struct lpl_contender sim_contender(int page)
{
	return (struct lpl_contender) { sim_page[page].gap, sim_age(page) };
}

/* Of the tails of what is kept, the one with the largest key; -1: none. */
static int sim_worst(void)
{
	int worst = -1, c;
	u32 most = 0;

	for (c = 0; c < LPL_CLASSES; c++) {
		int page = sim_link[sim_pages + 1 + c].prev;
		struct lpl_contender kept;

		if (page >= sim_pages)
			continue;
		kept = sim_contender(page);
		if (worst < 0 || lpl_kept_key(&sim_guard, &kept) > most) {
			most = lpl_kept_key(&sim_guard, &kept);
			worst = page;
		}
	}
	return worst;
}

static void sim_evict(int page)
{
	struct sim_page *p = &sim_page[page];

	sim_off(page);
	p->here = false;
	sim_here--;
	lpl_guard_unpage(&sim_guard, sim_age(page), 1);
	lpl_guard_shadow(&sim_guard, sim_age(page), 1);
	p->shadow = true;
}

static bool sim_second_chance(int page)
{
	if (!sim_page[page].young)
		return false;
	sim_found_young(page);
	return true;
}

static void sim_reclaim(void)
{
	struct lpl_contender tail_is, worst_is;
	int tail, worst, moved = 0;

	for (;;) {
		tail = sim_link[sim_pages].prev;
		worst = sim_guarded ? sim_worst() : -1;
		if (tail < sim_pages)
			tail_is = sim_contender(tail);
		if (worst >= 0)
			worst_is = sim_contender(worst);
		switch (lpl_guard_judge(sim_guarded ? &sim_guard : NULL, sim_in_window,
					tail < sim_pages ? &tail_is : NULL,
					worst >= 0 ? &worst_is : NULL, moved < 2)) {
		case LPL_EVICT_TAIL:
			if (sim_second_chance(tail))
				continue;
			sim_evict(tail);
			return;
		case LPL_EVICT_KEPT:
			if (sim_second_chance(worst))
				continue;
			sim_evict(worst);
			return;
		case LPL_REPLACE_KEPT:
			if (sim_second_chance(tail) || sim_second_chance(worst))
				continue;
			sim_off(tail);
			sim_on(tail, true);
			sim_evict(worst);
			return;
		case LPL_KEEP_TAIL:
			if (sim_second_chance(tail))
				continue;
			sim_off(tail);
			sim_on(tail, true);
			moved++;
		}
	}
}

static void sim_fault(int page)
{
	struct sim_page *p = &sim_page[page];
	int i;

	if (sim_here >= sim_frames)
		for (i = 0; i < sim_batch; i++)
			sim_reclaim();
	if (p->shadow) {
		p->gap = sim_gap_after(p->gap, sim_age(page));
		if (sim_guarded)
			lpl_guard_refault(&sim_guard, sim_age(page));
		lpl_guard_unshadow(&sim_guard, sim_age(page), 1);
		p->shadow = false;
	}
	p->stamp = sim_now;
	p->fresh = p->here = true;
	sim_here++;
	lpl_guard_page(&sim_guard, 0, 1);
	sim_on(page, false);
}

/* True if it was there. */
static bool sim_touch(int page, u32 tick)
{
	struct sim_page *p = &sim_page[page];
	bool hit = p->here;

	if (tick != sim_now) {
		sim_now = tick;
		lpl_guard_advance(&sim_guard, tick);
		if (tick - sim_harvested >= sim_period)
			sim_harvest();
	}
	if (!hit)
		sim_fault(page);
	/* Between two harvests a page may be evicted and come back. */
	if (!p->young && sim_nr_young < 2 * sim_pages)
		sim_young[sim_nr_young++] = page;
	p->young = true;
	return hit;
}

#endif
