// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: when to harvest and how much CPU time to spend on it.
 *
 * Pure functions of what they are given; tests/control_kunit.h runs them under
 * UML.
 */
#include <linux/math64.h>
#include <linux/minmax.h>

#include "internal.h"

/* A credit that was not used is kept for this long, to be spent in one go. */
#define LPL_BUDGET_KEEP_NS	(100 * NSEC_PER_MSEC)

/*
 * And a debt: one page table too many is some hundred microseconds.  More is
 * time that a host, or firmware, has taken, which the CPU time of a thread does
 * not tell from its own.
 */
#define LPL_BUDGET_OWE_NS	NSEC_PER_SEC

/* Parts of the age at eviction that the queue is exact to, with a budget. */
#define LPL_AGE_PARTS		8

#define LPL_COARSEST		(LPL_TICKS_PER_SEC)

/**
 * lpl_resolution() - how exact the queue is worth being
 * @evict_age: age of what is being evicted, ticks; 0 if not known
 * @shortest: interval of the harvester, ticks
 * @pressure: memory is being reclaimed
 *
 * An order that is wrong by a small part of the age at eviction changes the
 * choice of few victims, and on cores that fault for an accessed bit each
 * resident page costs at most that number of faults until its eviction.
 *
 * Return: ticks between two harvests of one address space.
 */
u32 lpl_resolution(u32 evict_age, u32 shortest, bool pressure)
{
	if (!pressure)
		return max(shortest, (u32)LPL_NO_PRESSURE);
	return clamp(evict_age / LPL_AGE_PARTS, shortest,
		     max(shortest, (u32)LPL_COARSEST));
}

/**
 * lpl_average_add() - add a value to a running average
 * @eighths: eight times the average: so it gets to any number, from both sides
 * @value: counts for an eighth
 *
 * Return: eight times the new average.
 */
u32 lpl_average_add(u32 eighths, u32 value)
{
	return eighths - lpl_average(eighths) + value;
}

/**
 * lpl_average() - a running average
 * @eighths: as lpl_average_add() has returned it
 *
 * Return: the average.
 */
u32 lpl_average(u32 eighths)
{
	return DIV_ROUND_CLOSEST(eighths, 8);
}

/**
 * lpl_budget_add() - add the time that has passed
 * @budget: the budget
 * @now: current time, ns
 * @percent: share of one CPU
 */
void lpl_budget_add(struct lpl_budget *budget, u64 now, unsigned int percent)
{
	/* As much as the largest debt takes, or it would never be paid. */
	u64 passed = min_t(u64, now - budget->stamp, LPL_BUDGET_OWE_NS + LPL_BUDGET_KEEP_NS);
	s64 most = div_u64((u64)LPL_BUDGET_KEEP_NS * percent, 100);

	budget->stamp = now;
	budget->credit = min_t(s64, most, budget->credit +
			       (s64)div_u64(passed * percent, 100));
}

/**
 * lpl_budget_spend() - take from it what was used
 * @budget: the budget
 * @used: CPU time, ns
 * @percent: share of one CPU
 */
void lpl_budget_spend(struct lpl_budget *budget, u64 used, unsigned int percent)
{
	s64 least = -(s64)div_u64((u64)LPL_BUDGET_OWE_NS * percent, 100);

	budget->credit = max_t(s64, least, budget->credit - (s64)used);
}

/**
 * lpl_budget_wait() - how long until there is credit for a useful harvest
 * @budget: the budget
 * @percent: share of one CPU
 *
 * A wake-up costs some microseconds itself, so credit is let grow to a
 * quarter of what can be kept.
 *
 * Return: ns.
 */
u64 lpl_budget_wait(const struct lpl_budget *budget, unsigned int percent)
{
	s64 useful = div_u64((u64)LPL_BUDGET_KEEP_NS * percent, 400);

	if (budget->credit >= useful)
		return 0;
	return DIV_ROUND_UP_ULL((u64)(useful - budget->credit) * 100, percent);
}

#define LPL_BESIDE_MOST		(32 * LPL_IN_USE_ONE_OF)

/**
 * lpl_beside() - how often reclaim is to look at what is beside what it looks up
 * @beside: this, as it was; 0 at first
 * @young: what was looked up was in use
 * @one_of: of so many one may be, %LPL_IN_USE_ONE_OF or less
 *
 * What is used between its last look and the tail is found there, for nothing: reclaim
 * has isolated it, and puts it back.  The more often it is looked at the less of that
 * there is, so this goes up with each, and comes down with what was not in use, until it
 * is one of @one_of.  Where nothing is used again, nothing is looked at.
 *
 * Return: the new one.
 */
u32 lpl_beside(u32 beside, bool young, u32 one_of)
{
	if (young)
		return min(beside + one_of - 1, LPL_BESIDE_MOST);
	return beside - !!beside;
}

/**
 * lpl_beside_rest() - the same, as the time between two looks at a page table
 * @beside: lpl_beside()'s
 *
 * Return: ticks, at the least; 0: it is not to be looked at.
 */
u32 lpl_beside_rest(u32 beside)
{
	return beside ? DIV_ROUND_UP(LPL_BESIDE_MOST, beside) : 0;
}

#ifdef CONFIG_LRU_PAGE_LIST_KUNIT_TEST
#include "tests/control_kunit.h"
#endif
