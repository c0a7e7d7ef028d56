/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit tests of when the harvester runs and for how long.  Included by
 * control.c.
 */
#include <kunit/test.h>

/* Wake-ups within a second of ticks at @hz, each at the first tick it is due. */
static unsigned int control_test_wakes(struct kunit *test, unsigned int interval_ms)
{
	u64 due = 0, now;
	unsigned int nr = 0;

	for (now = 0; now < (u64)HZ << 10; now += 1 << 10) {
		if ((s64)(now - due) < 0)
			continue;
		due = lpl_next_due(due, now, interval_ms);
		nr++;
	}
	return nr;
}

/* Whatever HZ is; where it is less than 100, each tick. */
static void control_wakes_each_interval(struct kunit *test)
{
	unsigned int ticks = min(HZ, 100);
	unsigned int wakes = control_test_wakes(test, 10);

	KUNIT_EXPECT_GE(test, wakes + 1, ticks);
	KUNIT_EXPECT_LE(test, wakes, ticks + 1);
	KUNIT_EXPECT_EQ(test, control_test_wakes(test, 1000), 1U);
}

static void control_idle_is_not_made_up_for(struct kunit *test)
{
	u64 now = (u64)HZ << 20;

	KUNIT_EXPECT_GT(test, lpl_next_due(0, now, 10), now);
}

static void control_tick_is_10_ms(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lpl_tick_of(5 * HZ) - lpl_tick_of(4 * HZ), 100U);
}

static void control_resolution(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lpl_resolution(0, 1, true), 1U);
	KUNIT_EXPECT_EQ(test, lpl_resolution(80 * LPL_AGE_PARTS, 1, true), 80U);
	KUNIT_EXPECT_EQ(test, lpl_resolution(U32_MAX, 1, true), (u32)LPL_COARSEST);
	KUNIT_EXPECT_EQ(test, lpl_resolution(80, 40, true), 40U);
	KUNIT_EXPECT_EQ(test, lpl_resolution(80, 1, false), (u32)LPL_NO_PRESSURE);
}

static void control_budget_fills_up(struct kunit *test)
{
	struct lpl_budget budget = { };

	lpl_budget_add(&budget, 10 * NSEC_PER_MSEC, 1);
	KUNIT_EXPECT_EQ(test, budget.credit, (s64)100 * NSEC_PER_USEC);
	lpl_budget_add(&budget, 3600ULL * NSEC_PER_SEC, 1);
	KUNIT_EXPECT_EQ(test, budget.credit, (s64)NSEC_PER_MSEC);
}

static void control_debt_is_waited_for(struct kunit *test)
{
	struct lpl_budget budget = { .credit = -1 * (s64)NSEC_PER_MSEC };
	u64 wait = lpl_budget_wait(&budget, 1);

	KUNIT_EXPECT_EQ(test, wait, 125ULL * NSEC_PER_MSEC);
	lpl_budget_add(&budget, wait, 1);
	KUNIT_EXPECT_EQ(test, lpl_budget_wait(&budget, 1), 0ULL);
}

static struct kunit_case control_test_cases[] = {
	KUNIT_CASE(control_wakes_each_interval),
	KUNIT_CASE(control_idle_is_not_made_up_for),
	KUNIT_CASE(control_tick_is_10_ms),
	KUNIT_CASE(control_resolution),
	KUNIT_CASE(control_budget_fills_up),
	KUNIT_CASE(control_debt_is_waited_for),
	{ }
};

static struct kunit_suite control_test_suite = {
	.name = "lru_page_list_control",
	.test_cases = control_test_cases,
};

kunit_test_suite(control_test_suite);
