// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of petmem's buddy allocator.  No memory stands behind the page
 * frame numbers.  The model is a byte per page: who has it.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "../petmem_buddy.h"

#define BASE	0x12345UL	/* aligned to nothing */
#define PAGES	1000UL
#define LIVE	200

struct buddy_test {
	struct petmem_buddy buddy;
	u8 owner[PAGES];	/* 0: free */
	struct petmem_frame *block[LIVE];
	struct rnd_state rnd;
};

static int buddy_test_init(struct kunit *test)
{
	struct buddy_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	petmem_buddy_init(&ctx->buddy);
	prandom_seed_state(&ctx->rnd, 42);
	test->priv = ctx;
	return 0;
}

static void buddy_test_exit(struct kunit *test)
{
	struct buddy_test *ctx = test->priv;
	struct petmem_range *range, *next;

	list_for_each_entry_safe(range, next, &ctx->buddy.ranges, link)
		petmem_range_free(range);
}

static struct petmem_buddy *donate(struct kunit *test, unsigned long base,
				   unsigned long nr)
{
	struct buddy_test *ctx = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, petmem_buddy_donate(&ctx->buddy, base,
							       nr, 0));
	return &ctx->buddy;
}

/* Free blocks cover free pages once; buddies that are both free are joined. */
static void check_lists(struct kunit *test, struct petmem_buddy *buddy)
{
	unsigned long sum = 0;
	unsigned int order;

	for (order = 0; order < PETMEM_ORDERS; order++) {
		struct petmem_frame *frame;
		unsigned long nr = 0;

		list_for_each_entry(frame, &buddy->free[order], link) {
			unsigned long pfn = petmem_frame_pfn(frame);
			unsigned long other = pfn ^ BIT(order);
			unsigned long first = frame->range->base;

			KUNIT_ASSERT_EQ(test, frame->state, PETMEM_FREE);
			KUNIT_ASSERT_EQ(test, frame->order, order);
			KUNIT_ASSERT_EQ(test, pfn & (BIT(order) - 1), 0UL);
			if (other >= first && other + BIT(order) <= first + frame->range->nr) {
				struct petmem_frame *mate;

				mate = &frame->range->frames[other - first];
				KUNIT_ASSERT_FALSE(test, mate->state == PETMEM_FREE &&
						   mate->order == order);
			}
			nr++;
		}
		KUNIT_ASSERT_EQ(test, nr, buddy->nr_blocks[order]);
		KUNIT_ASSERT_EQ(test, !!(buddy->nonempty & BIT(order)), nr > 0);
		sum += nr << order;
	}
	KUNIT_ASSERT_EQ(test, sum, buddy->nr_free);
}

static void buddy_takes_any_range(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, BASE, PAGES);

	KUNIT_EXPECT_EQ(test, buddy->nr_pages, PAGES);
	KUNIT_EXPECT_EQ(test, buddy->nr_free, PAGES);
	check_lists(test, buddy);
}

static void buddy_begins_at_zero(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, 0, 3);

	check_lists(test, buddy);
	KUNIT_EXPECT_NOT_NULL(test, petmem_buddy_alloc(buddy, 2));
	KUNIT_EXPECT_NOT_NULL(test, petmem_buddy_alloc(buddy, 1));
	KUNIT_EXPECT_NULL(test, petmem_buddy_alloc(buddy, 1));
}

static void buddy_refuses_overlap(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, BASE, PAGES);

	KUNIT_EXPECT_EQ(test, -EEXIST,
			PTR_ERR_OR_ZERO(petmem_buddy_donate(buddy, BASE + PAGES - 1, 2, 0)));
	KUNIT_EXPECT_EQ(test, -EEXIST,
			PTR_ERR_OR_ZERO(petmem_buddy_donate(buddy, BASE - 1, 2, 0)));
	KUNIT_EXPECT_EQ(test, buddy->nr_pages, PAGES);
	donate(test, BASE + PAGES, 1);
	KUNIT_EXPECT_EQ(test, buddy->nr_pages, PAGES + 1);
}

static void buddy_refuses_nonsense(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, BASE, PAGES);

	KUNIT_EXPECT_NULL(test, petmem_buddy_alloc(buddy, 0));
	KUNIT_EXPECT_NULL(test, petmem_buddy_alloc(buddy, PAGES + 1));
	KUNIT_EXPECT_NULL(test, petmem_buddy_alloc(buddy, 1ULL << 40));
	KUNIT_EXPECT_NULL(test, petmem_buddy_alloc(buddy, U64_MAX));
}

/* A length that is no power of two takes no more than that. */
static void buddy_gives_back_tails(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, 1024, 1024);
	struct petmem_frame *frame = petmem_buddy_alloc(buddy, 513);

	KUNIT_ASSERT_NOT_NULL(test, frame);
	KUNIT_EXPECT_EQ(test, buddy->nr_free, 511UL);
	check_lists(test, buddy);
	KUNIT_EXPECT_EQ(test, petmem_buddy_free(buddy, petmem_frame_pfn(frame), 513), 0);
	KUNIT_EXPECT_EQ(test, buddy->nr_blocks[10], 1UL);
	check_lists(test, buddy);
}

static void buddy_runs_out(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, BASE, PAGES);
	struct buddy_test *ctx = test->priv;
	unsigned long i;

	for (i = 0; i < PAGES; i++) {
		struct petmem_frame *frame = petmem_buddy_alloc(buddy, 1);
		unsigned long index;

		KUNIT_ASSERT_NOT_NULL(test, frame);
		index = petmem_frame_pfn(frame) - BASE;
		KUNIT_ASSERT_LT(test, index, PAGES);
		KUNIT_ASSERT_EQ(test, ctx->owner[index], 0);
		ctx->owner[index] = 1;
	}
	KUNIT_EXPECT_NULL(test, petmem_buddy_alloc(buddy, 1));
	KUNIT_EXPECT_EQ(test, buddy->nr_free, 0UL);

	/* The odd ones first: nothing to join until the even ones come. */
	for (i = 1; i < PAGES; i += 2)
		KUNIT_ASSERT_EQ(test, petmem_buddy_free(buddy, BASE + i, 1), 0);
	check_lists(test, buddy);
	for (i = 0; i < PAGES; i += 2)
		KUNIT_ASSERT_EQ(test, petmem_buddy_free(buddy, BASE + i, 1), 0);
	check_lists(test, buddy);
	KUNIT_EXPECT_EQ(test, buddy->nr_free, PAGES);
}

static void buddy_refuses_wrong_frees(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, BASE, PAGES);
	struct petmem_frame *frame = petmem_buddy_alloc(buddy, 4);
	unsigned long pfn;

	KUNIT_ASSERT_NOT_NULL(test, frame);
	pfn = petmem_frame_pfn(frame);
	KUNIT_EXPECT_EQ(test, petmem_buddy_free(buddy, pfn, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, petmem_buddy_free(buddy, pfn, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, petmem_buddy_free(buddy, pfn + 1, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, petmem_buddy_free(buddy, BASE - 1, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, petmem_buddy_free(buddy, BASE + PAGES, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, petmem_buddy_free(buddy, pfn, 4), 0);
	KUNIT_EXPECT_EQ(test, petmem_buddy_free(buddy, pfn, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, buddy->nr_free, PAGES);
	check_lists(test, buddy);
}

static void buddy_withdraws_what_is_free(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, BASE, PAGES);
	struct petmem_frame *frame;
	struct petmem_range *range;

	frame = petmem_buddy_alloc(buddy, 1);
	KUNIT_ASSERT_NOT_NULL(test, frame);
	donate(test, BASE + PAGES, 64);
	KUNIT_EXPECT_EQ(test, petmem_buddy_withdraw(buddy, BASE, 1, &range), -ENOENT);
	KUNIT_EXPECT_EQ(test, petmem_buddy_withdraw(buddy, frame->range->base,
						    frame->range->nr, &range), -EBUSY);
	petmem_buddy_put(buddy, frame);
	KUNIT_ASSERT_EQ(test, petmem_buddy_withdraw(buddy, BASE, PAGES, &range), 0);
	petmem_range_free(range);
	KUNIT_EXPECT_EQ(test, buddy->nr_pages, 64UL);
	KUNIT_EXPECT_NULL(test, petmem_buddy_frame(buddy, BASE));
	KUNIT_EXPECT_NOT_NULL(test, petmem_buddy_frame(buddy, BASE + PAGES));
	check_lists(test, buddy);
}

static void model_alloc(struct kunit *test, unsigned int slot)
{
	struct buddy_test *ctx = test->priv;
	unsigned long nr = 1 + prandom_u32_state(&ctx->rnd) % 40, i;
	struct petmem_frame *frame = petmem_buddy_alloc(&ctx->buddy, nr);

	if (!frame)
		return;
	for (i = 0; i < nr; i++) {
		unsigned long index = petmem_frame_pfn(frame) - BASE + i;

		KUNIT_ASSERT_LT(test, index, PAGES);
		KUNIT_ASSERT_EQ(test, ctx->owner[index], 0);
		ctx->owner[index] = slot + 1;
	}
	ctx->block[slot] = frame;
}

static void model_free(struct kunit *test, unsigned int slot)
{
	struct buddy_test *ctx = test->priv;
	unsigned long pfn = petmem_frame_pfn(ctx->block[slot]);
	u32 nr = ctx->block[slot]->nr;
	unsigned long i;

	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, ctx->owner[pfn - BASE + i], slot + 1);
		ctx->owner[pfn - BASE + i] = 0;
	}
	KUNIT_ASSERT_EQ(test, petmem_buddy_free(&ctx->buddy, pfn, nr), 0);
	ctx->block[slot] = NULL;
}

static void buddy_agrees_with_model(struct kunit *test)
{
	struct petmem_buddy *buddy = donate(test, BASE, PAGES);
	struct buddy_test *ctx = test->priv;
	unsigned long i, used = 0;

	for (i = 0; i < 20000; i++) {
		unsigned int slot = prandom_u32_state(&ctx->rnd) % LIVE;

		if (ctx->block[slot])
			model_free(test, slot);
		else
			model_alloc(test, slot);
		if (i % 512 == 0)
			check_lists(test, buddy);
	}
	for (i = 0; i < PAGES; i++)
		used += !!ctx->owner[i];
	KUNIT_EXPECT_EQ(test, PAGES - used, buddy->nr_free);
	for (i = 0; i < LIVE; i++)
		if (ctx->block[i])
			model_free(test, i);
	KUNIT_EXPECT_EQ(test, buddy->nr_free, PAGES);
	check_lists(test, buddy);
}

static struct kunit_case buddy_cases[] = {
	KUNIT_CASE(buddy_takes_any_range),
	KUNIT_CASE(buddy_begins_at_zero),
	KUNIT_CASE(buddy_refuses_overlap),
	KUNIT_CASE(buddy_refuses_nonsense),
	KUNIT_CASE(buddy_gives_back_tails),
	KUNIT_CASE(buddy_runs_out),
	KUNIT_CASE(buddy_refuses_wrong_frees),
	KUNIT_CASE(buddy_withdraws_what_is_free),
	KUNIT_CASE(buddy_agrees_with_model),
	{}
};

static struct kunit_suite buddy_suite = {
	.name = "petmem_buddy",
	.init = buddy_test_init,
	.exit = buddy_test_exit,
	.test_cases = buddy_cases,
};

kunit_test_suite(buddy_suite);

MODULE_DESCRIPTION("KUnit tests of petmem's allocators");
MODULE_LICENSE("GPL");
