/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit tests of what guard keeps and of what it knows of LRU.  Included by
 * guard.c.
 */
#include <kunit/test.h>

#define TEST_PAGES	400

enum guard_test_state { GONE, LISTED, SHADOW };

/* What is counted, page by page, to compare with. */
struct guard_test {
	struct lpl_guard guard;
	u32 now;
	u32 random;
	u32 stamp[TEST_PAGES];
	enum guard_test_state state[TEST_PAGES];
};

static u32 guard_test_random(struct guard_test *ctx, u32 below)
{
	ctx->random = ctx->random * 1664525 + 1013904223;
	return (u32)((u64)ctx->random * below >> 32);
}

static int guard_test_init(struct kunit *test)
{
	struct guard_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	/* Soon after it begins ticks wrap around. */
	ctx->now = -1000;
	ctx->random = 1;
	lpl_guard_init(&ctx->guard, ctx->now, 4000);
	test->priv = ctx;
	return 0;
}

static void guard_test_pass(struct guard_test *ctx, u32 ticks)
{
	ctx->now += ticks;
	lpl_guard_advance(&ctx->guard, ctx->now);
}

static u32 guard_test_age(struct guard_test *ctx, int i)
{
	return ctx->now - ctx->stamp[i];
}

static void guard_test_use(struct guard_test *ctx, int i)
{
	switch (ctx->state[i]) {
	case LISTED:
		lpl_guard_use(&ctx->guard, guard_test_age(ctx, i), 0, 1, true);
		break;
	case SHADOW:
		lpl_guard_refault(&ctx->guard, guard_test_age(ctx, i));
		lpl_guard_unshadow(&ctx->guard, guard_test_age(ctx, i), 1);
		fallthrough;
	case GONE:
		lpl_guard_page(&ctx->guard, 0, 1);
	}
	ctx->state[i] = LISTED;
	ctx->stamp[i] = ctx->now;
}

static void guard_test_evict(struct guard_test *ctx, int i)
{
	if (ctx->state[i] != LISTED)
		return;
	lpl_guard_unpage(&ctx->guard, guard_test_age(ctx, i), 1);
	lpl_guard_shadow(&ctx->guard, guard_test_age(ctx, i), 1);
	ctx->state[i] = SHADOW;
}

static void guard_test_free(struct guard_test *ctx, int i)
{
	if (ctx->state[i] == LISTED)
		lpl_guard_unpage(&ctx->guard, guard_test_age(ctx, i), 1);
	if (ctx->state[i] == SHADOW)
		lpl_guard_unshadow(&ctx->guard, guard_test_age(ctx, i), 1);
	ctx->state[i] = GONE;
}

static void guard_test_any(struct guard_test *ctx)
{
	int i = guard_test_random(ctx, TEST_PAGES);

	switch (guard_test_random(ctx, 8)) {
	case 0:
		guard_test_free(ctx, i);
		break;
	case 1:
	case 2:
		guard_test_evict(ctx, i);
		break;
	default:
		guard_test_use(ctx, i);
	}
}

/* Pages that have a stamp, of @state or, with GONE, of any. */
static u32 guard_test_pages(struct guard_test *ctx, enum guard_test_state state)
{
	u32 nr = 0;
	int i;

	for (i = 0; i < TEST_PAGES; i++)
		nr += ctx->state[i] != GONE && (!state || ctx->state[i] == state);
	return nr;
}

static void guard_test_sums(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 sum = guard->older;
	int i;

	for (i = 0; i < LPL_BUCKETS; i++)
		sum += guard->count[i];
	KUNIT_ASSERT_EQ(test, guard->total, guard_test_pages(ctx, GONE));
	KUNIT_ASSERT_EQ(test, sum, guard->total);
	KUNIT_ASSERT_EQ(test, guard->frames, guard_test_pages(ctx, LISTED));
	KUNIT_ASSERT_EQ(test, guard->drift, 0U);
}

/* Pages last used in a bucket or later. */
static u32 guard_test_newer(struct guard_test *ctx, u64 bucket)
{
	u32 nr = 0;
	int i;

	for (i = 0; i < TEST_PAGES; i++)
		nr += ctx->state[i] != GONE &&
		      lpl_bucket(&ctx->guard, guard_test_age(ctx, i)) >= bucket;
	return nr;
}

static void guard_codes_are_in_order(struct kunit *test)
{
	u32 ticks, step;
	u8 last = 1;

	KUNIT_EXPECT_EQ(test, lpl_gap_code(0), 1);
	KUNIT_EXPECT_EQ(test, lpl_gap_ticks(0), 0U);
	for (ticks = 1; ticks < 1U << 30; ticks += step) {
		u8 code = lpl_gap_code(ticks);

		KUNIT_ASSERT_GE(test, code, last);
		KUNIT_ASSERT_LE(test, code - last, 1);
		last = code;
		step = max(ticks / 100, 1U);
	}
	KUNIT_EXPECT_LT(test, lpl_gap_code(U32_MAX), 240);
}

static void guard_codes_err_by_a_sixteenth(struct kunit *test)
{
	u32 ticks, step, code;

	for (ticks = 1; ticks < 1U << 30; ticks += step) {
		u32 back = lpl_gap_ticks(lpl_gap_code(ticks));
		u32 error = max(back, ticks) - min(back, ticks);

		KUNIT_ASSERT_LE(test, error, ticks / 16 + (ticks < 32));
		step = max(ticks / 1000, 1U);
	}
	for (code = 1; code < 240; code++)
		KUNIT_ASSERT_EQ(test, lpl_gap_code(lpl_gap_ticks(code)), code);
}

static void guard_codes_are_packed(struct kunit *test)
{
	unsigned int code;

	KUNIT_EXPECT_EQ(test, lpl_gap_pack(0), 0);
	for (code = 1; code < 256; code++) {
		unsigned int back = lpl_gap_unpack(lpl_gap_pack(code));

		KUNIT_ASSERT_LT(test, lpl_gap_pack(code), 64);
		KUNIT_ASSERT_GE(test, back, min(code, 126U));
		KUNIT_ASSERT_LE(test, back, code + 1);
		KUNIT_ASSERT_EQ(test, lpl_gap_pack(back), lpl_gap_pack(code));
	}
}

static void guard_gap_is_an_average(struct kunit *test)
{
	u8 gap = lpl_gap_after(0, 100, 1, 1000);
	int i;

	KUNIT_EXPECT_EQ(test, gap, lpl_gap_code(100));
	gap = lpl_gap_after(gap, 300, 1, 1000);
	KUNIT_EXPECT_EQ(test, gap, lpl_gap_code(200));
	/* It neither creeps away nor stops short. */
	for (i = 0; i < 100; i++)
		gap = lpl_gap_after(gap, 200, 1, 1000);
	KUNIT_EXPECT_EQ(test, gap, lpl_gap_code(200));
	for (i = 0; i < 100; i++)
		gap = lpl_gap_after(gap, 50, 1, 1000);
	/* A step is the most that rounding keeps it off. */
	KUNIT_EXPECT_LE(test, gap, lpl_gap_code(50) + 1);
	KUNIT_EXPECT_GE(test, gap, lpl_gap_code(50));
}

/* Used each 20 ticks for a while, and then not for 2000; LRU keeps it for 900. */
static void guard_gap_of_bursts_is_the_long_one(struct kunit *test)
{
	u8 gap = lpl_gap_after(0, 2000, 1, 900);
	int i;

	for (i = 0; i < 20; i++)
		gap = lpl_gap_after(gap, 20, 1, 900);
	KUNIT_EXPECT_EQ(test, gap, lpl_gap_code(2000));
	/* One that is not short counts, and so does a short one among short ones. */
	KUNIT_EXPECT_EQ(test, lpl_gap_after(gap, 300, 1, 900),
			lpl_gap_code(lpl_gap_ticks(gap) / 2 + 150));
	KUNIT_EXPECT_EQ(test, lpl_gap_after(lpl_gap_code(100), 20, 1, 900), lpl_gap_code(62));
	KUNIT_EXPECT_EQ(test, lpl_gap_after(lpl_gap_code(20), 2000, 1, 900), lpl_gap_code(1010));
}

static void guard_gap_has_bounds(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lpl_gap_after(0, 0, 1, 100), 0);
	KUNIT_EXPECT_EQ(test, lpl_gap_after(0, 9, 10, 100), 0);
	KUNIT_EXPECT_EQ(test, lpl_gap_after(50, 9, 10, 100), 50);
	KUNIT_EXPECT_EQ(test, lpl_gap_after(0, 100000, 1, 100), lpl_gap_code(300));
	KUNIT_EXPECT_EQ(test, lpl_gap_after(0, 7, 1, 0), lpl_gap_code(3));
	KUNIT_EXPECT_NE(test, lpl_gap_after(0, U32_MAX, 1, U32_MAX), 0);
}

static void guard_classes(struct kunit *test)
{
	unsigned int code, last = 0;

	for (code = 0; code < 256; code++) {
		unsigned int class = lpl_gap_class(code);

		KUNIT_ASSERT_LT(test, class, (unsigned int)LPL_CLASSES);
		KUNIT_ASSERT_GE(test, class, last);
		last = class;
	}
	KUNIT_EXPECT_EQ(test, last, LPL_CLASSES - 1U);
}

/* The same uses at the same times, one with the fault's own bit as a use. */
static void guard_own_bit_is_no_use(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	int i;

	for (i = 0; i < 100; i++)
		lpl_guard_page(guard, 0, 1);
	for (i = 0; i < 300; i++)
		lpl_guard_shadow(guard, 0, 1);
	/* LRU would not hold all of them, so that a use may be a gain. */
	guard_test_pass(ctx, 100);
	for (i = 0; i < 50; i++)
		lpl_guard_use(guard, 100, 0, 1, false);
	KUNIT_EXPECT_EQ(test, guard->gain, 0ULL);
	KUNIT_EXPECT_EQ(test, guard->debt, 0);
	for (i = 0; i < 50; i++)
		lpl_guard_use(guard, 100, 0, 1, true);
	KUNIT_EXPECT_GT(test, guard->gain, 0ULL);
}

/* T, page by page, after each of many random steps. */
static void guard_knows_what_lru_holds(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	int i;

	guard->shift = 0;
	guard->origin = guard->now - LPL_BUCKETS / 2;
	guard->first = guard->origin;
	for (i = 0; i < 20000; i++) {
		/* All within a time that the buckets as they are suit. */
		if (!(i % 64))
			guard_test_pass(ctx, guard_test_random(ctx, 64));
		guard_test_any(ctx);
		KUNIT_ASSERT_EQ(test, guard->newer, guard_test_newer(ctx, guard->first));
		KUNIT_ASSERT_LE(test, guard->newer, guard->frames);
		if (guard->first > guard->origin)
			KUNIT_ASSERT_GT(test, guard_test_newer(ctx, guard->first - 1),
					guard->frames);
	}
	guard_test_sums(test);
}

/* With a use of each page in turn LRU misses all, else what T says. */
static void guard_counts_misses_of_lru(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 held = 0, missed = 0;
	int i;

	for (i = 0; i < TEST_PAGES; i++) {
		guard_test_pass(ctx, 16);
		guard_test_use(ctx, i);
	}
	for (i = TEST_PAGES / 2; i < TEST_PAGES; i++)
		guard_test_evict(ctx, i);
	for (i = 0; i < TEST_PAGES; i++) {
		if (lpl_guard_held(guard, guard_test_age(ctx, i)))
			held++;
		else
			missed++;
	}
	/* As many as there are frames, the newest, which are not those here. */
	KUNIT_EXPECT_EQ(test, held, TEST_PAGES / 2U);
	KUNIT_EXPECT_EQ(test, missed, TEST_PAGES / 2U);
	guard_test_use(ctx, TEST_PAGES - 1);
	KUNIT_EXPECT_EQ(test, guard->regret, 1ULL);
	guard_test_use(ctx, 0);
	KUNIT_EXPECT_EQ(test, guard->gain, 1ULL);
}

/* A use that was some time ago counts as one of then, and what it ends is shorter by that. */
static void guard_use_is_in_its_time(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;

	guard->shift = 0;
	guard->origin = guard->now - LPL_BUCKETS / 2;
	guard->first = guard->origin;
	lpl_guard_page(guard, 0, 10);
	lpl_guard_shadow(guard, 0, 10);
	guard_test_pass(ctx, 100);
	lpl_guard_page(guard, 0, 10);
	lpl_guard_use(guard, 100, 60, 1, true);
	KUNIT_EXPECT_EQ(test, *lpl_count_of(guard, guard->now - 100), 19U);
	KUNIT_EXPECT_EQ(test, *lpl_count_of(guard, guard->now - 60), 1U);
	KUNIT_EXPECT_EQ(test, guard->total, 30U);
	KUNIT_EXPECT_EQ(test, guard->frames, 20U);
	KUNIT_EXPECT_EQ(test, guard->drift, 0U);
	KUNIT_EXPECT_EQ(test, guard->gain, 0ULL);
	/* Now LRU holds nothing that is as old as this. */
	lpl_guard_page(guard, 30, 5);
	lpl_guard_shadow(guard, 30, 20);
	lpl_guard_use(guard, 60, 0, 1, true);
	KUNIT_EXPECT_EQ(test, guard->gain, 1ULL);
}

/* All in one bucket: LRU holds a part, and so many uses are hits. */
static void guard_divides_a_bucket(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 held = 0;
	int i;

	lpl_guard_page(guard, 0, 300);
	lpl_guard_shadow(guard, 0, 100);
	for (i = 0; i < 400; i++)
		held += lpl_guard_held(guard, 0);
	KUNIT_EXPECT_EQ(test, held, 300U);
}

static void guard_pages_leave(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	int i, j;

	for (j = 0; j < 300; j++) {
		for (i = 0; i < 100; i++)
			guard_test_any(ctx);
		guard_test_pass(ctx, guard_test_random(ctx, 200));
		guard_test_sums(test);
	}
	for (i = 0; i < TEST_PAGES; i++)
		guard_test_free(ctx, i);
	guard_test_sums(test);
	KUNIT_EXPECT_EQ(test, ctx->guard.total, 0U);
}

/* Hours in a tick, then ticks in thousands of uses. */
static void guard_buckets_suit_the_time(struct kunit *test)
{
	static const u32 pace[] = { 1, 5000, 1, 200000, 0, 3, 100000, 0 };
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	int i, j;

	for (j = 0; j < ARRAY_SIZE(pace); j++) {
		for (i = 0; i < 4000; i++) {
			guard_test_pass(ctx, guard_test_random(ctx, 2 * pace[j] + 1));
			guard_test_any(ctx);
			if (!(i % 100))
				guard_test_sums(test);
		}
		if (pace[j] < 3)
			continue;
		/* T is in the range, and not in a few buckets at its end. */
		KUNIT_EXPECT_GT(test, guard->first, guard->origin);
		KUNIT_EXPECT_GT(test, lpl_newest(guard) - guard->first, 20ULL);
	}
	KUNIT_EXPECT_LE(test, guard->shift, (u32)LPL_SHIFT_MAX);
}

static void guard_time_does_not_go_back(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	u64 now = ctx->guard.now;

	lpl_guard_advance(&ctx->guard, ctx->now - 5);
	KUNIT_EXPECT_EQ(test, ctx->guard.now, now);
	lpl_guard_advance(&ctx->guard, ctx->now + 0x7fffffff);
	KUNIT_EXPECT_EQ(test, ctx->guard.now, now + 0x7fffffff);
}

/* A guard with room for events: 320 pages, of which LRU holds the newer ones. */
static void guard_test_fill(struct guard_test *ctx)
{
	lpl_guard_page(&ctx->guard, 500, 320);
	lpl_guard_shadow(&ctx->guard, 0, 320);
	guard_test_pass(ctx, 100);
}

static void guard_trips_and_recovers(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 dwell, last = 0;
	int i, j;

	guard_test_fill(ctx);
	for (j = 0; j < 8; j++) {
		guard->missed = 16 * 320;
		for (i = 0; i < 20; i++)
			lpl_guard_event(guard, 1);
		KUNIT_ASSERT_FALSE(test, guard->tripped);
		lpl_guard_event(guard, 1);
		KUNIT_ASSERT_TRUE(test, guard->tripped);
		KUNIT_EXPECT_EQ(test, guard->debt, 0);
		dwell = guard->until - ctx->now;
		KUNIT_EXPECT_GE(test, dwell, min(2 * last, 32 * lpl_guard_age(guard)));
		KUNIT_EXPECT_GE(test, dwell, 2 * lpl_guard_age(guard));
		KUNIT_EXPECT_LE(test, dwell, 32 * lpl_guard_age(guard));
		last = dwell;

		/* What is left of what was kept has its uses yet. */
		lpl_guard_event(guard, 1);
		KUNIT_EXPECT_EQ(test, guard->debt, 0);
		guard_test_pass(ctx, dwell - 1);
		KUNIT_EXPECT_FALSE(test, lpl_guard_keeps(guard));
		guard_test_pass(ctx, 1);
		KUNIT_EXPECT_TRUE(test, lpl_guard_keeps(guard));
		KUNIT_EXPECT_EQ(test, guard->share, LPL_SHARE_MOST);
	}
	KUNIT_EXPECT_EQ(test, guard->trips, 8U);
	/* Gains make the next time short again. */
	for (i = 0; i < 2000; i++)
		lpl_guard_event(guard, -1);
	KUNIT_EXPECT_LT(test, guard->dwell, last / 8);
}

/* The oldest goes, wherever it is. */
static void guard_tripped_is_lru(struct kunit *test)
{
	struct lpl_contender old = { .gap = lpl_gap_code(1), .age = 401 };
	struct lpl_contender young = { .gap = lpl_gap_code(4000), .age = 400 };
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 window;

	guard_test_fill(ctx);
	lpl_guard_trip(guard);
	KUNIT_EXPECT_EQ(test, lpl_kept_key(guard, &young), 400U);
	for (window = 0; window < 320; window++) {
		KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, window, &old, &young, true),
				LPL_EVICT_TAIL);
		KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, window, &young, &old, true),
				LPL_EVICT_KEPT);
	}
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, 0, NULL, &young, true),
			LPL_EVICT_KEPT);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, 320, &old, NULL, true),
			LPL_EVICT_TAIL);
}

static void guard_gains_are_not_hoarded(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	int i;

	guard_test_fill(ctx);
	for (i = 0; i < 5000; i++)
		lpl_guard_event(guard, -1);
	KUNIT_EXPECT_EQ(test, guard->debt, -10);
	guard->missed = 16 * 320;
	for (i = 0; i < 31; i++)
		lpl_guard_event(guard, 1);
	KUNIT_EXPECT_EQ(test, guard->trips, 1U);
}

/* Few misses of LRU, little patience; and they are forgotten. */
static void guard_patience_is_in_proportion(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 i, age;

	guard_test_fill(ctx);
	KUNIT_EXPECT_EQ(test, lpl_guard_allowance(guard), 320 / 64);
	guard->missed = 16 * 10;
	KUNIT_EXPECT_EQ(test, lpl_guard_allowance(guard), 10);
	guard->missed = 16 * 320;
	KUNIT_EXPECT_EQ(test, lpl_guard_allowance(guard), 320 / 16);

	age = lpl_guard_age(guard);
	for (i = 0; i < 8 * age; i++)
		guard_test_pass(ctx, 1);
	KUNIT_EXPECT_LT(test, guard->missed, 16U * 320 * 3 / 4);
	guard_test_pass(ctx, 1000 * age);
	KUNIT_EXPECT_EQ(test, guard->missed, 0U);
}

static void guard_window_has_bounds(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 before;
	int i;

	lpl_guard_event(guard, -1);
	KUNIT_EXPECT_EQ(test, lpl_guard_window(guard, guard->frames), 0U);
	guard_test_fill(ctx);
	before = lpl_guard_window(guard, guard->frames);
	lpl_guard_event(guard, -1);
	KUNIT_EXPECT_LE(test, lpl_guard_window(guard, guard->frames), before - 1);
	KUNIT_EXPECT_GE(test, lpl_guard_window(guard, guard->frames), before - 3);
	for (i = 0; i < 1000; i++)
		lpl_guard_event(guard, -1);
	KUNIT_EXPECT_EQ(test, lpl_guard_window(guard, guard->frames), 320U / 16);
	for (i = 0; i < 1000; i++) {
		guard->debt = 0;
		lpl_guard_event(guard, 1);
	}
	KUNIT_EXPECT_EQ(test, lpl_guard_window(guard, guard->frames), 320U - 320 / 32);
}

/* Gains come later than what they cost. */
static void guard_gain_weighs_two_regrets(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 share;
	int i;

	guard_test_fill(ctx);
	for (i = 0; i < 8; i++)
		lpl_guard_event(guard, -1);
	share = guard->share;
	lpl_guard_event(guard, -1);
	lpl_guard_event(guard, 1);
	KUNIT_EXPECT_LT(test, guard->share, share);
	lpl_guard_event(guard, 1);
	KUNIT_EXPECT_EQ(test, guard->share, share);
}

/* A step of a few pages is a large part of few pages, and no number is less than 0. */
static void guard_window_of_few_has_bounds(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	u32 frames;
	int i;

	lpl_guard_page(guard, 0, 1);
	for (frames = 1; frames < 300; frames++) {
		lpl_guard_page(guard, 0, 1);
		for (i = 0; i < 100; i++) {
			lpl_guard_event(guard, -1);
			KUNIT_ASSERT_GE(test, guard->share, LPL_SHARE_LEAST);
			KUNIT_ASSERT_LE(test, guard->share, LPL_SHARE_MOST);
		}
		KUNIT_EXPECT_EQ(test, guard->share, LPL_SHARE_LEAST);
		guard->share = LPL_SHARE_FIRST;
	}
}

/* While all that is known is here, LRU keeps it for ever: nothing is forgotten at once. */
static void guard_misses_last_while_nothing_is_evicted(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;

	lpl_guard_page(guard, 0, 100);
	guard->missed = 1000;
	guard_test_pass(ctx, 100);
	KUNIT_EXPECT_GT(test, guard->missed, 800U);
}

static void guard_judges(struct kunit *test)
{
	struct guard_test *ctx = test->priv;
	struct lpl_guard *guard = &ctx->guard;
	struct lpl_contender slow = { .gap = lpl_gap_code(400), .age = 10 };
	struct lpl_contender fast = { .gap = lpl_gap_code(200), .age = 250 };
	struct lpl_contender near = { .gap = lpl_gap_code(350), .age = 10 };
	struct lpl_contender once = { .gap = 0, .age = 10 };
	struct lpl_contender idle = { .gap = lpl_gap_code(10), .age = 400 };
	u32 most = 300;

	/* 15/16 of 320 is what the window is to have. */
	guard_test_fill(ctx);
	KUNIT_ASSERT_EQ(test, lpl_guard_window(guard, guard->frames), most);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most, &fast, &slow, false),
			LPL_REPLACE_KEPT);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most, &near, &slow, false),
			LPL_EVICT_TAIL);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most, &once, &slow, false),
			LPL_EVICT_TAIL);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most, &fast, &idle, false),
			LPL_REPLACE_KEPT);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most, &idle, &slow, false),
			LPL_EVICT_TAIL);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most, &fast, NULL, false),
			LPL_EVICT_TAIL);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most - 1, &fast, &slow, true),
			LPL_EVICT_KEPT);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most, NULL, &slow, true),
			LPL_EVICT_KEPT);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most + 3, &near, &slow, true),
			LPL_KEEP_TAIL);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most + 3, &near, &slow, false),
			LPL_EVICT_TAIL);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most + 3, &near, NULL, true),
			LPL_KEEP_TAIL);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most + 3, &once, &slow, true),
			LPL_EVICT_TAIL);
	KUNIT_EXPECT_EQ(test, lpl_guard_judge(guard, most + 3, &once, NULL, true),
			LPL_EVICT_TAIL);
}

static void guard_off_is_lru(struct kunit *test)
{
	struct lpl_contender fast = { .gap = lpl_gap_code(2), .age = 1 };
	struct lpl_contender slow = { .gap = lpl_gap_code(400), .age = 400 };
	u32 window;

	for (window = 0; window < 100; window++) {
		KUNIT_EXPECT_EQ(test, lpl_guard_judge(NULL, window, &fast, &slow, true),
				LPL_EVICT_TAIL);
		KUNIT_EXPECT_EQ(test, lpl_guard_judge(NULL, window, &fast, NULL, true),
				LPL_EVICT_TAIL);
	}
}

static struct kunit_case guard_test_cases[] = {
	KUNIT_CASE(guard_codes_are_in_order),
	KUNIT_CASE(guard_codes_err_by_a_sixteenth),
	KUNIT_CASE(guard_codes_are_packed),
	KUNIT_CASE(guard_gap_is_an_average),
	KUNIT_CASE(guard_gap_of_bursts_is_the_long_one),
	KUNIT_CASE(guard_gap_has_bounds),
	KUNIT_CASE(guard_classes),
	KUNIT_CASE(guard_own_bit_is_no_use),
	KUNIT_CASE(guard_knows_what_lru_holds),
	KUNIT_CASE(guard_counts_misses_of_lru),
	KUNIT_CASE(guard_use_is_in_its_time),
	KUNIT_CASE(guard_gain_weighs_two_regrets),
	KUNIT_CASE(guard_divides_a_bucket),
	KUNIT_CASE(guard_pages_leave),
	KUNIT_CASE(guard_buckets_suit_the_time),
	KUNIT_CASE(guard_time_does_not_go_back),
	KUNIT_CASE(guard_trips_and_recovers),
	KUNIT_CASE(guard_tripped_is_lru),
	KUNIT_CASE(guard_gains_are_not_hoarded),
	KUNIT_CASE(guard_patience_is_in_proportion),
	KUNIT_CASE(guard_window_has_bounds),
	KUNIT_CASE(guard_window_of_few_has_bounds),
	KUNIT_CASE(guard_misses_last_while_nothing_is_evicted),
	KUNIT_CASE(guard_judges),
	KUNIT_CASE(guard_off_is_lru),
	{ }
};

static struct kunit_suite guard_test_suite = {
	.name = "lru_page_list_guard",
	.init = guard_test_init,
	.test_cases = guard_test_cases,
};

kunit_test_suite(guard_test_suite);
