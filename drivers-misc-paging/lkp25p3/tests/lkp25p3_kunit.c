// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: tests of what needs no page table: how commands are understood, the
 * classes of the histogram, and how counts are added up and shortened.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "../lkp25p3_classes.h"
#include "../lkp25p3_command.h"
#include "../lkp25p3_regions.h"

/* ---------------------------------------------------------------- commands */

static const struct parse_case {
	const char *text;
	int err;
	struct lkp25p3_command cmd;
} parse_cases[] = {
	{ "0", 0, { LKP25P3_DUMP } },
	{ "0\n", 0, { LKP25P3_DUMP } },
	{ "  0 ", 0, { LKP25P3_DUMP } },
	{ "0x0", 0, { LKP25P3_ADDRESS, 0, 0 } },
	{ "00", 0, { LKP25P3_ADDRESS, 0, 0 } },
	{ "0x7f00deadb000\n", 0, { LKP25P3_ADDRESS, 0, 0x7f00deadb000 } },
	{ "7F00DEADB000", 0, { LKP25P3_ADDRESS, 0, 0x7f00deadb000 } },
	{ "0XAB", 0, { LKP25P3_ADDRESS, 0, 0xab } },
	{ "ffffffffffffffff", 0, { LKP25P3_ADDRESS, 0, ULONG_MAX } },
	{ "pid 12 0x1000", 0, { LKP25P3_ADDRESS, 12, 0x1000 } },
	{ "pid\t12\t0x1000\n", 0, { LKP25P3_ADDRESS, 12, 0x1000 } },
	{ "range 1000 3000", 0, { LKP25P3_RANGE, 0, 0x1000, 0x3000 } },
	{ "pid 7 range 0x1000 0x3000", 0, { LKP25P3_RANGE, 7, 0x1000, 0x3000 } },
	{ "pid 2147483647 0", 0, { LKP25P3_ADDRESS, 2147483647, 0 } },
	{ "", -EINVAL },
	{ "\n", -EINVAL },
	{ "   ", -EINVAL },
	{ "hello", -EINVAL },
	{ "0x", -EINVAL },
	{ "-1", -EINVAL },
	{ "+1", -EINVAL },
	{ "0 0", -EINVAL },
	{ "0x1000 0x2000", -EINVAL },
	{ "10000000000000000", -EINVAL },
	{ "0x10000000000000000", -EINVAL },
	{ "1000 ;", -EINVAL },
	{ "pid", -EINVAL },
	{ "pid 0 1000", -EINVAL },
	{ "pid -1 1000", -EINVAL },
	{ "pid +1 1000", -EINVAL },
	{ "pid 2147483648 1000", -EINVAL },
	{ "pid 0x12 1000", -EINVAL },
	{ "pid 12", -EINVAL },
	{ "pid 12 pid 12 1000", -EINVAL },
	{ "range", -EINVAL },
	{ "range 1000", -EINVAL },
	{ "range 1000 1000", -EINVAL },
	{ "range 2000 1000", -EINVAL },
	{ "range 1000 2000 3000", -EINVAL },
	{ "%s%n", -EINVAL },
};

static void parse_case_name(const struct parse_case *c, char *name)
{
	scnprintf(name, KUNIT_PARAM_DESC_SIZE, "'%*pE'", (int)strlen(c->text),
		  c->text);
}

KUNIT_ARRAY_PARAM(parse, parse_cases, parse_case_name);

static void test_parse(struct kunit *test)
{
	const struct parse_case *c = test->param_value;
	struct lkp25p3_command cmd;
	char text[64];

	strscpy(text, c->text);
	KUNIT_ASSERT_EQ(test, lkp25p3_parse(text, &cmd), c->err);
	if (c->err)
		return;
	KUNIT_EXPECT_EQ(test, cmd.verb, c->cmd.verb);
	KUNIT_EXPECT_EQ(test, cmd.pid, c->cmd.pid);
	KUNIT_EXPECT_EQ(test, cmd.start, c->cmd.start);
	KUNIT_EXPECT_EQ(test, cmd.end, c->cmd.end);
}

/* ----------------------------------------------------------------- classes */

static void test_classes_follow_each_other(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, lkp25p3_class_start(0), 0);
	for (i = 0; i < LKP25P3_CLASSES; i++) {
		u64 first = lkp25p3_class_start(i);
		u64 last = lkp25p3_class_start(i + 1) - 1;

		KUNIT_EXPECT_EQ(test, lkp25p3_class_of(first), i);
		KUNIT_EXPECT_EQ(test, lkp25p3_class_of(last), i);
		KUNIT_EXPECT_LE(test, 4 * (last - first), first);
	}
	KUNIT_EXPECT_EQ(test, lkp25p3_class_start(LKP25P3_CLASSES), 1ULL << 32);
}

/* ------------------------------------------------------------------ counts */

static void test_count_bits(struct kunit *test)
{
	static const u64 words[] = {
		0, 1, 1ULL << 63, U64_MAX, 0x8040201008040201ULL,
		0x00ff00ff00ff00ffULL, 0x123456789abcdef0ULL,
	};
	u8 counts[64] = {}, want[64] = {};
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		lkp25p3_count_bits(counts, words[i]);
		for (bit = 0; bit < 64; bit++)
			want[bit] += words[i] >> bit & 1;
	}
	KUNIT_EXPECT_MEMEQ(test, counts, want, sizeof(counts));
}

static void test_count_bits_up_to_the_maximum(struct kunit *test)
{
	u8 counts[64] = {};
	unsigned int i;

	for (i = 0; i < 255; i++)
		lkp25p3_count_bits(counts, 1ULL << 5);
	KUNIT_EXPECT_EQ(test, counts[5], 255);
	KUNIT_EXPECT_EQ(test, counts[4], 0);
	KUNIT_EXPECT_EQ(test, counts[6], 0);
}

/* ----------------------------------------------------------------- regions */

#define TEST_PAGES	4096UL

struct regions_test {
	u8 counts[TEST_PAGES];
	struct lkp25p3_region r[LKP25P3_REGION_BLOCKS];
};

static int regions_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct regions_test),
				   GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

/* The regions follow each other, and hold all pages and all counts. */
static void expect_complete(struct kunit *test, unsigned long nr_pages,
			    unsigned int nr)
{
	struct regions_test *t = test->priv;
	unsigned long i, next = 0;
	u64 sum = 0, want = 0;

	KUNIT_EXPECT_GE(test, nr, 1);
	KUNIT_EXPECT_LE(test, nr, LKP25P3_REGIONS_MAX);
	for (i = 0; i < nr_pages; i++)
		want += t->counts[i];
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_EQ(test, t->r[i].first, next);
		KUNIT_EXPECT_GE(test, t->r[i].pages, 1);
		next += t->r[i].pages;
		sum += t->r[i].sum;
	}
	KUNIT_EXPECT_EQ(test, next, nr_pages);
	KUNIT_EXPECT_EQ(test, sum, want);
}

static void test_regions_of_equal_pages(struct kunit *test)
{
	struct regions_test *t = test->priv;
	u32 off;

	memset(t->counts, 7, sizeof(t->counts));
	KUNIT_EXPECT_EQ(test, lkp25p3_regions(t->counts, TEST_PAGES, t->r,
					      &off), 1);
	expect_complete(test, TEST_PAGES, 1);
	KUNIT_EXPECT_EQ(test, lkp25p3_region_mean_x10(&t->r[0]), 70);
	KUNIT_EXPECT_EQ(test, off, 0);
}

static void test_regions_of_one_page(struct kunit *test)
{
	struct regions_test *t = test->priv;
	u32 off;

	t->counts[0] = 255;
	KUNIT_EXPECT_EQ(test, lkp25p3_regions(t->counts, 1, t->r, &off), 1);
	KUNIT_EXPECT_EQ(test, lkp25p3_region_mean_x10(&t->r[0]), 2550);
	expect_complete(test, 1, 1);
}

/* The pattern of memalloc: hot, half as hot, cold. */
static void test_regions_keep_steps(struct kunit *test)
{
	struct regions_test *t = test->priv;
	u32 off;

	memset(t->counts, 10, TEST_PAGES / 4);
	memset(t->counts + TEST_PAGES / 4, 5, TEST_PAGES / 4);
	KUNIT_ASSERT_EQ(test, lkp25p3_regions(t->counts, TEST_PAGES, t->r,
					      &off), 3);
	expect_complete(test, TEST_PAGES, 3);
	KUNIT_EXPECT_EQ(test, off, 0);
	KUNIT_EXPECT_EQ(test, t->r[1].first, TEST_PAGES / 4);
	KUNIT_EXPECT_EQ(test, t->r[2].first, TEST_PAGES / 2);
	KUNIT_EXPECT_EQ(test, lkp25p3_region_mean_x10(&t->r[1]), 50);
}

static void test_regions_say_how_far_off(struct kunit *test)
{
	struct regions_test *t = test->priv;
	unsigned long i;
	u32 off;

	/* Every other page: no block can tell them apart. */
	for (i = 0; i < TEST_PAGES; i += 2)
		t->counts[i] = 10;
	KUNIT_EXPECT_EQ(test, lkp25p3_regions(t->counts, TEST_PAGES, t->r,
					      &off), 1);
	KUNIT_EXPECT_EQ(test, off, 50);
}

static void test_regions_are_bounded(struct kunit *test)
{
	static const unsigned long sizes[] = { 2, 25, 511, 512, 513, 1000,
					       TEST_PAGES };
	struct regions_test *t = test->priv;
	unsigned long i, j;
	u32 off, x = 1;

	for (i = 0; i < TEST_PAGES; i++) {
		x = x * 1664525 + 1013904223;
		t->counts[i] = x >> 24;
	}
	for (j = 0; j < ARRAY_SIZE(sizes); j++)
		expect_complete(test, sizes[j],
				lkp25p3_regions(t->counts, sizes[j], t->r,
						&off));
}

static struct kunit_case lkp25p3_cases[] = {
	KUNIT_CASE_PARAM(test_parse, parse_gen_params),
	KUNIT_CASE(test_classes_follow_each_other),
	KUNIT_CASE(test_count_bits),
	KUNIT_CASE(test_count_bits_up_to_the_maximum),
	KUNIT_CASE(test_regions_of_equal_pages),
	KUNIT_CASE(test_regions_of_one_page),
	KUNIT_CASE(test_regions_keep_steps),
	KUNIT_CASE(test_regions_say_how_far_off),
	KUNIT_CASE(test_regions_are_bounded),
	{}
};

static struct kunit_suite lkp25p3_suite = {
	.name = "lkp25p3",
	.init = regions_test_init,
	.test_cases = lkp25p3_cases,
};

kunit_test_suite(lkp25p3_suite);

MODULE_DESCRIPTION("Tests of lkp25p3");
MODULE_AUTHOR("Paging Lab <paging-lab@localhost>");
MODULE_LICENSE("GPL");
