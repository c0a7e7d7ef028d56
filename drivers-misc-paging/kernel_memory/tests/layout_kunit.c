// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: the arithmetic of kernel_memory, for any page size. */
#include <kunit/test.h>

#include "../kernel_memory_layout.h"

static void order_of_small_numbers(struct kunit *test)
{
	static const unsigned int orders[] = { 0, 0, 1, 2, 2, 3, 3, 3, 3, 4 };
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(orders); n++)
		KUNIT_EXPECT_EQ_MSG(test, my_get_order(n), orders[n], "%u", n);
}

static void order_around_powers_of_two(struct kunit *test)
{
	unsigned int order;

	for (order = 2; order < 32; order++) {
		unsigned int n = 1U << order;

		KUNIT_EXPECT_EQ(test, my_get_order(n - 1), order);
		KUNIT_EXPECT_EQ(test, my_get_order(n), order);
		KUNIT_EXPECT_EQ(test, my_get_order(n + 1), order + 1);
	}
	KUNIT_EXPECT_EQ(test, my_get_order(UINT_MAX), 32U);
}

/* The smallest power of two that is enough, found by trying. */
static void order_is_what_a_search_finds(struct kunit *test)
{
	unsigned int n, order;

	for (n = 1; n < 5000; n++) {
		for (order = 0; 1U << order < n;)
			order++;
		KUNIT_ASSERT_EQ_MSG(test, my_get_order(n), order, "%u", n);
	}
}

static void pages_hold_all_structs(struct kunit *test)
{
	unsigned int n;

	KUNIT_EXPECT_EQ(test, kernel_memory_nr_pages(0), 0U);
	for (n = 1; n < 5 * KERNEL_MEMORY_PER_PAGE; n++) {
		unsigned int pages = kernel_memory_nr_pages(n);

		KUNIT_EXPECT_GE(test, pages * KERNEL_MEMORY_PER_PAGE, n);
		KUNIT_EXPECT_LT(test, (pages - 1) * KERNEL_MEMORY_PER_PAGE, n);
	}
	KUNIT_EXPECT_EQ(test, kernel_memory_nr_pages(UINT_MAX),
			UINT_MAX / KERNEL_MEMORY_PER_PAGE + 1);
}

/* The table of the assignment, which is of pages of 4 KiB. */
static void pages_and_orders_of_the_assignment(struct kunit *test)
{
	static const struct {
		unsigned int structs, pages, order;
	} table[] = {
		{ 200, 2, 1 }, { 1000, 8, 3 }, { 2000, 16, 4 },
		{ 4000, 32, 5 }, { 10000, 79, 7 }, { 50000, 391, 9 },
	};
	int i;

	if (PAGE_SIZE != 4096)
		kunit_skip(test, "pages of %lu bytes, not 4096", PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		unsigned int pages = kernel_memory_nr_pages(table[i].structs);

		KUNIT_EXPECT_EQ(test, pages, table[i].pages);
		KUNIT_EXPECT_EQ(test, my_get_order(pages), table[i].order);
	}
}

static void values_count_on(struct kunit *test)
{
	unsigned int page, nr, k, expected = 0;

	for (page = 0; page < 3; page++)
		for (nr = 0; nr < KERNEL_MEMORY_PER_PAGE; nr++)
			for (k = 0; k < KERNEL_MEMORY_VALUES; k++)
				KUNIT_ASSERT_EQ(test, expected++,
						kernel_memory_value(page, nr, k));
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(order_of_small_numbers),
	KUNIT_CASE(order_around_powers_of_two),
	KUNIT_CASE(order_is_what_a_search_finds),
	KUNIT_CASE(pages_hold_all_structs),
	KUNIT_CASE(pages_and_orders_of_the_assignment),
	KUNIT_CASE(values_count_on),
	{}
};

static struct kunit_suite layout_suite = {
	.name = "kernel_memory_layout",
	.test_cases = layout_cases,
};

kunit_test_suite(layout_suite);

MODULE_DESCRIPTION("KUnit tests of kernel_memory's arithmetic");
MODULE_LICENSE("GPL");
