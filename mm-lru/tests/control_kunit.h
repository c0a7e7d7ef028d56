/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit tests of when the harvester runs and for how long.  Included by
 * control.c.
 */
#include <kunit/test.h>

/* Ticks that begin within a second of jiffies. */
static void control_ticks_of_a_second(struct kunit *test)
{
	u64 first = 7 * HZ + 3, jiffy;
	u32 last = lpl_tick_of(first);
	unsigned int nr = 0;

	for (jiffy = first + 1; jiffy <= first + HZ; jiffy++) {
		u32 tick = lpl_tick_of(jiffy);

		KUNIT_EXPECT_LE(test, tick - last, DIV_ROUND_UP(100, HZ));
		nr += tick != last;
		last = tick;
	}
	KUNIT_EXPECT_EQ(test, nr, min(HZ, 100));
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

/* It gets to what it is fed with, from above and from below. */
static void control_average(struct kunit *test)
{
	static const u32 values[] = { 0, 1, 2, 7, 8, 9, 100, 800 };
	u32 from, to, i, eighths;

	for (from = 0; from < ARRAY_SIZE(values); from++) {
		for (to = 0; to < ARRAY_SIZE(values); to++) {
			eighths = 8 * values[from];
			for (i = 0; i < 100; i++)
				eighths = lpl_average_add(eighths, values[to]);
			KUNIT_EXPECT_EQ(test, lpl_average(eighths), values[to]);
		}
	}
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

/* It is kept to one of so many, and there is nothing left of it without any. */
static void control_test_beside(struct kunit *test, u32 one_of)
{
	u32 beside = 0, most = 0;
	int i;

	KUNIT_EXPECT_EQ(test, lpl_beside(0, false, one_of), 0U);
	for (i = 0; i < 4 * LPL_BESIDE_MOST; i++) {
		beside = lpl_beside(beside, !(i % one_of), one_of);
		most = max(most, beside);
	}
	KUNIT_EXPECT_LT(test, most, 2 * one_of);
	for (i = 0; i < LPL_BESIDE_MOST; i++)
		beside = lpl_beside(beside, !(i % (one_of / 2)), one_of);
	KUNIT_EXPECT_GT(test, beside, LPL_BESIDE_MOST / 2U);
	for (i = 0; i < LPL_BESIDE_MOST; i++)
		beside = lpl_beside(beside, true, one_of);
	KUNIT_EXPECT_EQ(test, beside, (u32)LPL_BESIDE_MOST);
	for (i = 0; i < LPL_BESIDE_MOST; i++)
		beside = lpl_beside(beside, false, one_of);
	KUNIT_EXPECT_EQ(test, beside, 0U);
}

static void control_beside_goes_by_need(struct kunit *test)
{
	control_test_beside(test, LPL_IN_USE_ONE_OF);
	control_test_beside(test, LPL_IN_USE_ONE_OF_GUARD);
}

static void control_beside_rests(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lpl_beside_rest(0), 0U);
	KUNIT_EXPECT_EQ(test, lpl_beside_rest(1), (u32)LPL_BESIDE_MOST);
	KUNIT_EXPECT_EQ(test, lpl_beside_rest(LPL_BESIDE_MOST / 2), 2U);
	KUNIT_EXPECT_EQ(test, lpl_beside_rest(LPL_BESIDE_MOST - 1), 2U);
	KUNIT_EXPECT_EQ(test, lpl_beside_rest(LPL_BESIDE_MOST), 1U);
}

/* An hour that a host took is not waited for. */
static void control_debt_is_bounded(struct kunit *test)
{
	struct lpl_budget budget = { };

	lpl_budget_spend(&budget, 300 * NSEC_PER_USEC, 1);
	KUNIT_EXPECT_EQ(test, budget.credit, -300 * (s64)NSEC_PER_USEC);
	lpl_budget_spend(&budget, 3600ULL * NSEC_PER_SEC, 1);
	KUNIT_EXPECT_LE(test, lpl_budget_wait(&budget, 1), 1100ULL * NSEC_PER_MSEC);
	lpl_budget_spend(&budget, 3600ULL * NSEC_PER_SEC, 100);
	KUNIT_EXPECT_LE(test, lpl_budget_wait(&budget, 100), 1100ULL * NSEC_PER_MSEC);
}

/* Who has waited for as long as was said has credit, however much was owed. */
static void control_the_largest_debt_is_paid(struct kunit *test)
{
	static const unsigned int percents[] = { 1, 3, 50, 100 };
	int i;

	for (i = 0; i < ARRAY_SIZE(percents); i++) {
		struct lpl_budget budget = { };

		lpl_budget_spend(&budget, 3600ULL * NSEC_PER_SEC, percents[i]);
		lpl_budget_add(&budget, lpl_budget_wait(&budget, percents[i]), percents[i]);
		KUNIT_EXPECT_EQ(test, lpl_budget_wait(&budget, percents[i]), 0ULL);
	}
}

/* Each pass overruns by 200 us: that is waited for, too. */
static void control_share_is_kept(struct kunit *test)
{
	struct lpl_budget budget = { };
	u64 now = 0, used = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		u64 ran;

		now += lpl_budget_wait(&budget, 1);
		lpl_budget_add(&budget, now, 1);
		ran = max_t(s64, budget.credit, 0) + 200 * NSEC_PER_USEC;
		lpl_budget_spend(&budget, ran, 1);
		used += ran;
		now += ran;
	}
	KUNIT_EXPECT_LE(test, used * 100, now + now / 50);
}

static struct kunit_case control_test_cases[] = {
	KUNIT_CASE(control_ticks_of_a_second),
	KUNIT_CASE(control_tick_is_10_ms),
	KUNIT_CASE(control_resolution),
	KUNIT_CASE(control_average),
	KUNIT_CASE(control_budget_fills_up),
	KUNIT_CASE(control_beside_goes_by_need),
	KUNIT_CASE(control_beside_rests),
	KUNIT_CASE(control_debt_is_waited_for),
	KUNIT_CASE(control_debt_is_bounded),
	KUNIT_CASE(control_the_largest_debt_is_paid),
	KUNIT_CASE(control_share_is_kept),
	{ }
};

static struct kunit_suite control_test_suite = {
	.name = "lru_page_list_control",
	.test_cases = control_test_cases,
};

kunit_test_suite(control_test_suite);
