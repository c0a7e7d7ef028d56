// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: where pages are evicted, and at which age: how exact the order of
 * which address space is worth being.
 */
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nodemask.h>

#include "internal.h"

/* Average age at eviction where something was evicted last, ticks; for stats. */
static u32 lpl_evicted_age;

/* Was anything reclaimed there within the last second? */
static bool lpl_pressed(const struct lru_page_list_lruvec *target, u32 now)
{
	u32 at = READ_ONCE(target->evicted_at);

	return at && now + 1 - at <= LPL_TICKS_PER_SEC + 1;
}

/**
 * lpl_note_eviction() - folios are being taken from a tail
 * @target: lruvec of the memory cgroup that reclaim is for, or of the root
 * @age: their age, ticks
 *
 * Wakes the harvester if it was resting as nothing was reclaimed.
 */
void lpl_note_eviction(struct lruvec *target, u32 age)
{
	struct lru_page_list_lruvec *state = &target->lru_page_list;
	u32 old = READ_ONCE(state->evicted_age);
	u32 now = lpl_now();
	bool rested = !lpl_pressed(state, now);

	if (!rested)
		age = old - old / 8 + age / 8;
	WRITE_ONCE(state->evicted_age, age);
	/* Not 0, which is never. */
	WRITE_ONCE(state->evicted_at, now | 1);
	WRITE_ONCE(lpl_evicted_age, age);
	if (rested)
		lpl_kick();
}

u32 lpl_evict_age(void)
{
	return READ_ONCE(lpl_evicted_age);
}

/* Age at eviction for @memcg, or one above it; U32_MAX if nothing is evicted. */
static u32 lpl_evict_age_of(struct mem_cgroup *memcg, u32 now)
{
	u32 age = U32_MAX;
	int nid;

	do {
		for_each_node_state(nid, N_MEMORY) {
			struct lruvec *lruvec = mem_cgroup_lruvec(memcg, NODE_DATA(nid));

			if (lpl_pressed(&lruvec->lru_page_list, now))
				age = min(age, READ_ONCE(lruvec->lru_page_list.evicted_age));
		}
	} while (memcg && (memcg = parent_mem_cgroup(memcg)));
	return age;
}

/**
 * lpl_resolution_of() - how exact the order of its pages is worth being
 * @mm: the address space, with a reference to its mm_count; NULL: the finest
 *	that reclaim of all memory asks for
 * @pressure: set if something is reclaimed where its pages are
 *
 * What is evicted from a small memory cgroup, at a low age, is no reason to
 * harvest the processes of others as often.
 *
 * Return: ticks between two harvests of it.
 */
u32 lpl_resolution_of(struct mm_struct *mm, bool *pressure)
{
	u32 shortest = DIV_ROUND_UP(READ_ONCE(lpl_interval_ms), LPL_TICK_MS);
	struct mem_cgroup *memcg;
	u32 age;

	/* A kernel without memory cgroups has none. */
	memcg = mm ? get_mem_cgroup_from_mm(mm) : NULL;
	age = lpl_evict_age_of(memcg, lpl_now());
	mem_cgroup_put(memcg);
	*pressure = age != U32_MAX;
	if (READ_ONCE(lpl_always))
		return shortest;
	return lpl_resolution(age, shortest, *pressure);
}
