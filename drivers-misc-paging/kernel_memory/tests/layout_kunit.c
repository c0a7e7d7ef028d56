// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of kernel_memory's arithmetic: order, pages, values.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/module.h>

#include "../kernel_memory_layout.h"

static void order_of_small_numbers(struct kunit *test)
{
	static const unsigned int order[] = { 0, 0, 1, 2, 2, 3, 3, 3, 3, 4 };
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(order); n++)
		KUNIT_EXPECT_EQ_MSG(test, my_get_order(n), order[n], "n=%u", n);
}

/* 2^k takes order k, one page less takes no less, one more takes k + 1. */
static void order_around_powers_of_two(struct kunit *test)
{
	unsigned int k;

	for (k = 2; k < 32; k++) {
		unsigned int n = 1U << k;

		KUNIT_EXPECT_EQ(test, my_get_order(n - 1), k);
		KUNIT_EXPECT_EQ(test, my_get_order(n), k);
		KUNIT_EXPECT_EQ(test, my_get_order(n + 1), k + 1);
	}
	KUNIT_EXPECT_EQ(test, my_get_order(UINT_MAX), 32U);
}

/* The kernel's own counts in bytes and has no answer for 0. */
static void order_agrees_with_get_order(struct kunit *test)
{
	unsigned int n;

	for (n = 1; n < 5000; n++)
		KUNIT_EXPECT_EQ(test, my_get_order(n),
				(unsigned int)get_order((unsigned long)n << PAGE_SHIFT));
}

static void pages_of_structs(struct kunit *test)
{
	const unsigned int per_page = KERNEL_MEMORY_PER_PAGE;

	KUNIT_EXPECT_EQ(test, sizeof(struct kernel_memory_struct), 32UL);
	KUNIT_EXPECT_EQ(test, per_page, (unsigned int)(PAGE_SIZE / 32));
	KUNIT_EXPECT_EQ(test, kernel_memory_nr_pages(0), 0U);
	KUNIT_EXPECT_EQ(test, kernel_memory_nr_pages(1), 1U);
	KUNIT_EXPECT_EQ(test, kernel_memory_nr_pages(per_page), 1U);
	KUNIT_EXPECT_EQ(test, kernel_memory_nr_pages(per_page + 1), 2U);
	KUNIT_EXPECT_EQ(test, kernel_memory_nr_pages(UINT_MAX),
			UINT_MAX / per_page + 1);
}

static void exercise_with_4k_pages(struct kunit *test)
{
	static const unsigned int want[][3] = {
		{ 200, 2, 1 }, { 1000, 8, 3 }, { 2000, 16, 4 },
		{ 4000, 32, 5 }, { 10000, 79, 7 }, { 50000, 391, 9 },
	};
	unsigned int i;

	if (PAGE_SIZE != 4096)
		kunit_skip(test, "pages are not 4 KiB");
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		unsigned int pages = kernel_memory_nr_pages(want[i][0]);

		KUNIT_EXPECT_EQ(test, pages, want[i][1]);
		KUNIT_EXPECT_EQ(test, my_get_order(pages), want[i][2]);
	}
	KUNIT_EXPECT_EQ(test, kernel_memory_value(0, 0, 0), 0U);
	KUNIT_EXPECT_EQ(test, kernel_memory_value(1, 0, 0), 1024U);
}

/* In the order of memory the values count up. */
static void values_count_up(struct kunit *test)
{
	unsigned int page, nr, k, next = 0;

	for (page = 0; page < 3; page++)
		for (nr = 0; nr < KERNEL_MEMORY_PER_PAGE; nr++)
			for (k = 0; k < KERNEL_MEMORY_VALUES; k++, next++)
				if (kernel_memory_value(page, nr, k) != next)
					KUNIT_FAIL(test, "%u, %u, %u: not %u",
						   page, nr, k, next);
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(order_of_small_numbers),
	KUNIT_CASE(order_around_powers_of_two),
	KUNIT_CASE(order_agrees_with_get_order),
	KUNIT_CASE(pages_of_structs),
	KUNIT_CASE(exercise_with_4k_pages),
	KUNIT_CASE(values_count_up),
	{}
};

static struct kunit_suite layout_suite = {
	.name = "kernel_memory_layout",
	.test_cases = layout_cases,
};

kunit_test_suite(layout_suite);

MODULE_DESCRIPTION("KUnit tests of kernel_memory's arithmetic");
MODULE_LICENSE("GPL");
