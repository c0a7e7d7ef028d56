// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of petmem's address map, each for first fit and for best fit.
 * The model is a byte per page.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/prandom.h>

#include "../petmem_vspace.h"

#define START	(0x1000000000UL)
#define PAGES	2000UL
#define END	(START + PAGES * PAGE_SIZE)
#define LIVE	150

struct vspace_test {
	struct mutex lock;	/* the map's */
	struct petmem_vspace vs;
	struct petmem_vrange *live[LIVE];
	u8 taken[PAGES];
	struct rnd_state rnd;
};

static const bool fits[] = { false, true };

static void fit_name(const bool *best, char *name)
{
	strscpy(name, *best ? "best" : "first", KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(fit, fits, fit_name);

static int vspace_test_init(struct kunit *test)
{
	struct vspace_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	const bool *best = test->param_value;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	mutex_init(&ctx->lock);
	petmem_vspace_init(&ctx->vs, START, END, *best, &ctx->lock);
	prandom_seed_state(&ctx->rnd, 7);
	mutex_lock(&ctx->lock);
	test->priv = ctx;
	return 0;
}

static void vspace_test_exit(struct kunit *test)
{
	struct vspace_test *ctx = test->priv;

	petmem_vspace_destroy(&ctx->vs);
	mutex_unlock(&ctx->lock);
}

static struct petmem_vrange *take(struct kunit *test, unsigned long pages)
{
	struct vspace_test *ctx = test->priv;
	struct petmem_vrange *range;

	range = petmem_alloc_vspace(&ctx->vs, pages * PAGE_SIZE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, range);
	KUNIT_ASSERT_EQ(test, range->end - range->start, pages * PAGE_SIZE);
	return range;
}

static void vspace_rounds_up(struct kunit *test)
{
	struct vspace_test *ctx = test->priv;
	struct petmem_vrange *range = petmem_alloc_vspace(&ctx->vs, PAGE_SIZE + 1);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, range);
	KUNIT_EXPECT_EQ(test, range->start, START);
	KUNIT_EXPECT_EQ(test, range->end, START + 2 * PAGE_SIZE);
}

static void vspace_refuses_what_does_not_fit(struct kunit *test)
{
	struct vspace_test *ctx = test->priv;
	struct petmem_vspace *vs = &ctx->vs;

	KUNIT_EXPECT_NULL(test, petmem_alloc_vspace(vs, 0));
	KUNIT_EXPECT_NULL(test, petmem_alloc_vspace(vs, END - START + 1));
	KUNIT_EXPECT_NULL(test, petmem_alloc_vspace(vs, 100ULL << 40));
	KUNIT_EXPECT_NULL(test, petmem_alloc_vspace(vs, U64_MAX));
	KUNIT_EXPECT_NULL(test, petmem_alloc_vspace(vs, U64_MAX - PAGE_SIZE + 1));
	take(test, PAGES);
	KUNIT_EXPECT_NULL(test, petmem_alloc_vspace(vs, 1));
}

static void vspace_finds(struct kunit *test)
{
	struct vspace_test *ctx = test->priv;
	struct petmem_vrange *a = take(test, 3), *b = take(test, 2);

	KUNIT_EXPECT_PTR_EQ(test, petmem_vspace_find(&ctx->vs, a->start), a);
	KUNIT_EXPECT_PTR_EQ(test, petmem_vspace_find(&ctx->vs, a->end - 1), a);
	KUNIT_EXPECT_PTR_EQ(test, petmem_vspace_find(&ctx->vs, b->start), b);
	KUNIT_EXPECT_NULL(test, petmem_vspace_find(&ctx->vs, b->end));
	KUNIT_EXPECT_NULL(test, petmem_vspace_find(&ctx->vs, START - 1));
	KUNIT_EXPECT_NULL(test, petmem_vspace_find(&ctx->vs, 0));
	KUNIT_EXPECT_NULL(test, petmem_vspace_find(&ctx->vs, ULONG_MAX));
}

/* Holes of 5 and of 2 pages, then the rest: where does a page go? */
static void vspace_fits(struct kunit *test)
{
	struct vspace_test *ctx = test->priv;
	struct petmem_vrange *large = take(test, 5), *small, *range;
	unsigned long large_at = large->start, small_at;

	take(test, 1);
	small = take(test, 2);
	small_at = small->start;
	take(test, 1);
	petmem_free_vspace(&ctx->vs, large);
	petmem_free_vspace(&ctx->vs, small);
	range = take(test, 2);
	KUNIT_EXPECT_EQ(test, range->start, ctx->vs.best ? small_at : large_at);
}

/* Three neighbours freed in every order leave room for one of their length. */
static void vspace_coalesces(struct kunit *test)
{
	static const u8 orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	struct vspace_test *ctx = test->priv;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		struct petmem_vrange *range[3], *rest, *all;

		for (j = 0; j < 3; j++)
			range[j] = take(test, 10);
		rest = take(test, PAGES - 30);
		for (j = 0; j < 3; j++)
			petmem_free_vspace(&ctx->vs, range[orders[i][j]]);
		all = take(test, 30);
		KUNIT_EXPECT_EQ(test, all->start, START);
		petmem_free_vspace(&ctx->vs, all);
		petmem_free_vspace(&ctx->vs, rest);
		KUNIT_EXPECT_EQ(test, petmem_vspace_largest(&ctx->vs), END - START);
	}
}

static void vspace_avoids_others(struct kunit *test)
{
	struct vspace_test *ctx = test->priv;
	struct petmem_vspace *vs = &ctx->vs;
	struct petmem_vrange *range = take(test, 2);
	unsigned long at = START + PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, petmem_vspace_avoid(vs, at, at + 9 * PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, petmem_vspace_find(vs, at), range);
	KUNIT_EXPECT_NULL(test, petmem_vspace_find(vs, at + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, take(test, 1)->start, START + 10 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, petmem_vspace_avoid(vs, 0, ULONG_MAX), 0);
	KUNIT_EXPECT_NULL(test, petmem_alloc_vspace(vs, 1));
	KUNIT_EXPECT_TRUE(test, petmem_vspace_forget(vs));
	KUNIT_EXPECT_FALSE(test, petmem_vspace_forget(vs));
	KUNIT_EXPECT_EQ(test, vs->nr, 2UL);
	KUNIT_EXPECT_EQ(test, petmem_vspace_largest(vs), (PAGES - 11) * PAGE_SIZE);
}

static bool model_has_room(struct vspace_test *ctx, unsigned long pages)
{
	unsigned long i, run = 0;

	for (i = 0; i < PAGES; i++) {
		run = ctx->taken[i] ? 0 : run + 1;
		if (run == pages)
			return true;
	}
	return false;
}

static void model_mark(struct kunit *test, struct petmem_vrange *range, u8 to)
{
	struct vspace_test *ctx = test->priv;
	unsigned long i;

	for (i = range->start; i < range->end; i += PAGE_SIZE) {
		unsigned long index = (i - START) / PAGE_SIZE;

		KUNIT_ASSERT_LT(test, index, PAGES);
		KUNIT_ASSERT_EQ(test, ctx->taken[index], !to);
		ctx->taken[index] = to;
	}
}

static void model_step(struct kunit *test, unsigned int slot)
{
	struct vspace_test *ctx = test->priv;
	struct petmem_vrange *range = ctx->live[slot];
	unsigned long pages = 1 + prandom_u32_state(&ctx->rnd) % 60;

	if (range) {
		model_mark(test, range, 0);
		petmem_free_vspace(&ctx->vs, range);
		ctx->live[slot] = NULL;
		return;
	}
	range = petmem_alloc_vspace(&ctx->vs, pages * PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(range));
	KUNIT_ASSERT_EQ(test, !range, !model_has_room(ctx, pages));
	if (range)
		model_mark(test, range, 1);
	ctx->live[slot] = range;
}

static void vspace_agrees_with_model(struct kunit *test)
{
	struct vspace_test *ctx = test->priv;
	unsigned long i;

	for (i = 0; i < 20000; i++)
		model_step(test, prandom_u32_state(&ctx->rnd) % LIVE);
	for (i = 0; i < LIVE; i++)
		if (ctx->live[i])
			model_step(test, i);
	KUNIT_EXPECT_EQ(test, ctx->vs.nr, 0UL);
	KUNIT_EXPECT_EQ(test, ctx->vs.bytes, 0UL);
	KUNIT_EXPECT_EQ(test, petmem_vspace_largest(&ctx->vs), END - START);
	if (ctx->vs.best)
		KUNIT_EXPECT_EQ(test, ctx->vs.first.hole, END - START);
}

static struct kunit_case vspace_cases[] = {
	KUNIT_CASE_PARAM(vspace_rounds_up, fit_gen_params),
	KUNIT_CASE_PARAM(vspace_refuses_what_does_not_fit, fit_gen_params),
	KUNIT_CASE_PARAM(vspace_finds, fit_gen_params),
	KUNIT_CASE_PARAM(vspace_fits, fit_gen_params),
	KUNIT_CASE_PARAM(vspace_coalesces, fit_gen_params),
	KUNIT_CASE_PARAM(vspace_avoids_others, fit_gen_params),
	KUNIT_CASE_PARAM(vspace_agrees_with_model, fit_gen_params),
	{}
};

static struct kunit_suite vspace_suite = {
	.name = "petmem_vspace",
	.init = vspace_test_init,
	.exit = vspace_test_exit,
	.test_cases = vspace_cases,
};

kunit_test_suite(vspace_suite);
