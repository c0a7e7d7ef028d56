/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit tests of the tracker: which pages it records, who wins a race, what
 * it lets go of, and what the limits refuse.  Included by paging_tracker.c.
 */
#include <kunit/test.h>

#define TEST_PAGES 100

struct tracker_test {
	struct paging_tracker *tracker;
	unsigned long allocated;
	unsigned long freed;
	unsigned long max_map_pages;
	unsigned long max_total_pages;
};

static struct paging_tracker *tracker_test_create(struct kunit *test,
						  unsigned int order)
{
	struct tracker_test *ctx = test->priv;

	ctx->tracker = paging_tracker_create(7, TEST_PAGES, order);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx->tracker);
	return ctx->tracker;
}

static int tracker_test_init(struct kunit *test)
{
	struct tracker_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->allocated = paging_stat_sum(PAGING_ALLOCATED);
	ctx->freed = paging_stat_sum(PAGING_FREED);
	ctx->max_map_pages = paging_max_map_pages;
	ctx->max_total_pages = paging_max_total_pages;
	test->priv = ctx;
	return 0;
}

/* Whatever a test recorded is let go of, once. */
static void tracker_test_exit(struct kunit *test)
{
	struct tracker_test *ctx = test->priv;

	if (!IS_ERR_OR_NULL(ctx->tracker))
		paging_tracker_put(ctx->tracker);
	paging_max_map_pages = ctx->max_map_pages;
	paging_max_total_pages = ctx->max_total_pages;
	KUNIT_EXPECT_EQ(test, paging_stat_sum(PAGING_ALLOCATED) - ctx->allocated,
			paging_stat_sum(PAGING_FREED) - ctx->freed);
}

static unsigned long tracker_test_allocated(struct kunit *test)
{
	struct tracker_test *ctx = test->priv;

	return paging_stat_sum(PAGING_ALLOCATED) - ctx->allocated;
}

static void tracker_starts_empty(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 0);
	unsigned long i;

	KUNIT_EXPECT_EQ(test, tracker->base, 7UL);
	KUNIT_EXPECT_EQ(test, tracker->nr_pages, (unsigned long)TEST_PAGES);
	for (i = 0; i < TEST_PAGES; i++)
		KUNIT_EXPECT_NULL(test, paging_tracker_page(tracker, i));
}

static void tracker_fills_single_pages(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 0);
	struct folio *folio = paging_tracker_fill(tracker, 42, 0);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_PTR_EQ(test, paging_tracker_page(tracker, 42),
			    folio_page(folio, 0));
	KUNIT_EXPECT_NULL(test, paging_tracker_page(tracker, 41));
	KUNIT_EXPECT_NULL(test, paging_tracker_page(tracker, 43));
	KUNIT_EXPECT_EQ(test, tracker_test_allocated(test), 1UL);
}

static void tracker_pages_are_zeroed(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 4);
	struct folio *folio = paging_tracker_fill(tracker, 0, 4);
	unsigned long i;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	for (i = 0; i < folio_nr_pages(folio); i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(page_address(folio_page(folio, i)),
						   0, PAGE_SIZE));
}

static void tracker_fills_aligned_blocks(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 4);
	struct folio *folio = paging_tracker_fill(tracker, 37, 4);
	unsigned long i;

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_ASSERT_EQ(test, folio_nr_pages(folio), 16L);
	for (i = 0; i < TEST_PAGES; i++) {
		struct page *want = NULL;

		if (i >= 32 && i < 48)
			want = folio_page(folio, i - 32);
		KUNIT_EXPECT_PTR_EQ(test, paging_tracker_page(tracker, i), want);
	}
	KUNIT_EXPECT_EQ(test, tracker_test_allocated(test), 16UL);
}

/* 100 pages: the last whole block of 16 ends at 96, then there is one of 4. */
static void tracker_blocks_stay_inside(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 4);
	struct folio *folio = paging_tracker_fill(tracker, 99, 4);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_EQ(test, folio_nr_pages(folio), 4L);
	KUNIT_EXPECT_PTR_EQ(test, paging_tracker_page(tracker, 96),
			    folio_page(folio, 0));
	KUNIT_EXPECT_NULL(test, paging_tracker_page(tracker, 95));
}

static void tracker_fill_finds_what_is_there(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 4);
	struct folio *folio = paging_tracker_fill(tracker, 5, 4);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	KUNIT_EXPECT_PTR_EQ(test, paging_tracker_fill(tracker, 15, 4), folio);
	KUNIT_EXPECT_EQ(test, tracker_test_allocated(test), 16UL);
}

/* A block that would cover a recorded page becomes a smaller one beside it. */
static void tracker_blocks_avoid_pages(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 4);
	struct folio *single = paging_tracker_fill(tracker, 3, 0);
	struct folio *block = paging_tracker_fill(tracker, 12, 4);

	KUNIT_ASSERT_NOT_NULL(test, single);
	KUNIT_ASSERT_NOT_NULL(test, block);
	KUNIT_EXPECT_EQ(test, folio_nr_pages(block), 8L);
	KUNIT_EXPECT_PTR_EQ(test, paging_tracker_page(tracker, 3),
			    folio_page(single, 0));
	KUNIT_EXPECT_PTR_EQ(test, paging_tracker_page(tracker, 8),
			    folio_page(block, 0));
	KUNIT_EXPECT_NULL(test, paging_tracker_page(tracker, 4));
}

/* Two tasks allocated the same page: the second to record it must not win. */
static void tracker_records_once(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 0);
	struct folio *first = paging_tracker_fill(tracker, 9, 0);
	struct folio *second = paging_alloc_folio(2);

	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_FALSE(test, paging_tracker_record(tracker, 8, second));
	KUNIT_EXPECT_NULL(test, paging_tracker_page(tracker, 8));
	KUNIT_EXPECT_PTR_EQ(test, paging_tracker_page(tracker, 9),
			    folio_page(first, 0));
	folio_put(second);
}

static void tracker_lives_until_last_put(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 0);
	struct tracker_test *ctx = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, paging_tracker_fill(tracker, 0, 0));
	paging_tracker_get(tracker);
	paging_tracker_put(tracker);
	KUNIT_EXPECT_EQ(test, paging_stat_sum(PAGING_FREED), ctx->freed);
	KUNIT_EXPECT_NOT_NULL(test, paging_tracker_page(tracker, 0));
}

/* A pin (of a device, say) keeps the page when the mapping goes. */
static void tracker_leaves_pinned_pages(struct kunit *test)
{
	struct paging_tracker *tracker = tracker_test_create(test, 0);
	struct tracker_test *ctx = test->priv;
	struct folio *folio = paging_tracker_fill(tracker, 0, 0);

	KUNIT_ASSERT_NOT_NULL(test, folio);
	folio_get(folio);
	paging_tracker_put(tracker);
	ctx->tracker = NULL;
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), 1);
	folio_put(folio);
}

static void tracker_limits(struct kunit *test)
{
	struct paging_tracker *tracker;

	paging_max_map_pages = TEST_PAGES - 1;
	tracker = paging_tracker_create(0, TEST_PAGES, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(tracker), -ENOMEM);

	paging_max_map_pages = TEST_PAGES;
	paging_max_total_pages = TEST_PAGES + 1;
	tracker_test_create(test, 0);
	tracker = paging_tracker_create(0, 2, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(tracker), -ENOMEM);
	tracker = paging_tracker_create(0, 1, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(tracker), 0);
	if (!IS_ERR(tracker))
		paging_tracker_put(tracker);
}

static struct kunit_case tracker_cases[] = {
	KUNIT_CASE(tracker_starts_empty),
	KUNIT_CASE(tracker_fills_single_pages),
	KUNIT_CASE(tracker_pages_are_zeroed),
	KUNIT_CASE(tracker_fills_aligned_blocks),
	KUNIT_CASE(tracker_blocks_stay_inside),
	KUNIT_CASE(tracker_fill_finds_what_is_there),
	KUNIT_CASE(tracker_blocks_avoid_pages),
	KUNIT_CASE(tracker_records_once),
	KUNIT_CASE(tracker_lives_until_last_put),
	KUNIT_CASE(tracker_leaves_pinned_pages),
	KUNIT_CASE(tracker_limits),
	{}
};

static struct kunit_suite tracker_suite = {
	.name = "paging_tracker",
	.init = tracker_test_init,
	.exit = tracker_test_exit,
	.test_cases = tracker_cases,
};

kunit_test_suite(tracker_suite);
