// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: what kswapd takes, of all memory that the machine has.  Huge pages that
 * nobody uses hold most of it, so that the rest is soon full.
 */
#include "../kselftest_harness.h"
#include "group.h"

#define PART	(16 * MIB)
#define HOT	(4 * MIB)
/* What is not taken by huge pages. */
#define REST	(160 * MIB)

static const char huge_pages[] = "/proc/sys/vm/nr_hugepages";

FIXTURE(kswapd)
{
	struct stage stage;
	char huge_pages[24];
	char budget_pct[8];
	size_t page;
};

FIXTURE_VARIANT(kswapd)
{
	const char *guard;
};

FIXTURE_VARIANT_ADD(kswapd, strict)
{
	.guard = "0",
};

FIXTURE_VARIANT_ADD(kswapd, guard)
{
	.guard = "1",
};

static void take_most(void)
{
	long size = get_line("/proc/meminfo", "Hugepagesize");
	long left = get_line("/proc/meminfo", "MemFree") - REST / 1024;
	char nr[24];

	if (size <= 0 || left <= 0)
		return;
	snprintf(nr, sizeof(nr), "%ld", left / size);
	put_file(huge_pages, nr);
}

FIXTURE_SETUP(kswapd)
{
	const char *missing = stage_set(&self->stage);

	if (missing)
		SKIP(return, "%s", missing);
	self->page = page_bytes();
	put_file(GROUP "/memory.max", "max");
	put_file(LPL_DIR "guard", variant->guard);
	/* What is in use is to be found so, however slow the machine is. */
	get_file(LPL_DIR "budget_pct", self->budget_pct, sizeof(self->budget_pct));
	put_file(LPL_DIR "budget_pct", "20");
	if (get_file(huge_pages, self->huge_pages, sizeof(self->huge_pages)))
		snprintf(self->huge_pages, sizeof(self->huge_pages), "0");
	take_most();
}

FIXTURE_TEARDOWN(kswapd)
{
	put_file(huge_pages, self->huge_pages);
	put_file(LPL_DIR "budget_pct", self->budget_pct);
	stage_clear(&self->stage);
}

/**
 * struct parts - memory of different ages
 * @page: bytes of a page
 * @old: used longest ago, %PART
 * @hot: in use, %HOT
 * @more: used once after @old, in the order of its addresses
 * @len: bytes of @more that may be needed: kswapd takes other memory of the machine, too
 * @filled: bytes of @more that have been used
 * @left: pages of @old that are there yet
 * @gone: pages of @more that are not there any more
 */
struct parts {
	size_t page;
	char *old, *hot, *more;
	size_t len, filled;
	long left, gone;
};

static bool few(long nr, size_t len, size_t page)
{
	return nr * 20 <= (long)(len / page);
}

static void look(struct parts *parts)
{
	/* In this order, as kswapd goes on meanwhile: what is left then was left before. */
	parts->gone = parts->filled / parts->page -
		      present(parts->more, parts->filled, parts->page);
	parts->left = present(parts->old, PART, parts->page);
}

/*
 * Some is old yet, and more than little of what came later was taken.  With guard, which
 * need not take by age alone, so much that it is not by age at all.
 */
static bool out_of_order(const struct parts *parts)
{
	if (few(parts->gone, PART, parts->page))
		return false;
	return !get_number(LPL_DIR "guard") ||
	       parts->gone > (long)(PART / parts->page) - parts->left;
}

/* All in use is used again, and a little more; nonzero if its contents are wrong. */
static int fill_more(struct parts *parts)
{
	fill(parts->more + parts->filled, MIB, false);
	parts->filled += MIB;
	if (fill(parts->hot, HOT, true))
		return 1;
	/* That it comes before who fills would have to reclaim. */
	sleep_ms(2);
	return 0;
}

/*
 * Fills until kswapd has taken what is old; 0, or what was wrong.  How much it takes of
 * others' until then, which is older, is not known: files in memory are, since boot.
 */
static int fill_until_taken(struct parts *parts)
{
	long before = vm_count("pgsteal_kswapd"), taken = 0, now;

	while (parts->filled < parts->len) {
		if (fill_more(parts))
			return 1;
		now = vm_count("pgsteal_kswapd") - before;
		if (now == taken)
			continue;
		taken = now;
		look(parts);
		/* Another node may have room, and be where the old is. */
		if (nodes() > 1 && taken >= (long)(2 * PART / parts->page))
			return 0;
		if (nodes() > 1)
			continue;
		if (few(parts->left, PART, parts->page))
			return 0;
		if (out_of_order(parts))
			return 4;
	}
	return 2;
}

/* What was used longest ago is gone before what came later, and what is in use is there. */
static int work_kswapd(size_t page)
{
	size_t more = (get_line("/proc/meminfo", "MemFree") +
		       get_line("/proc/meminfo", "Cached")) * 1024 / MIB * MIB + 6 * PART;
	struct parts parts = {
		page, pages_of(PART), pages_of(HOT), pages_of(more), .len = more,
	};
	long before = vm_count("pgsteal_kswapd");
	long in_use;
	int wrong;

	fill(parts.old, PART, false);
	fill(parts.hot, HOT, false);
	/* Older than what is to come by more than a harvest may be off. */
	sleep_ms(2000);
	wrong = fill_until_taken(&parts);
	in_use = present(parts.hot, HOT, page);
	printf("# of %zu pages of each part: %ld of the old, %ld of 1/4 in use\n",
	       PART / page, parts.left, in_use);
	printf("# %ld of the newer are gone; %ld taken in all, %ld stalls since boot\n",
	       parts.gone, vm_count("pgsteal_kswapd") - before, vm_count("allocstall_normal"));
	fflush(stdout);
	if (wrong)
		return wrong;
	if (!few(HOT / page - in_use, HOT, page))
		return 3;
	return fill(parts.old, PART, true) ? 1 : 0;
}

TEST_F_TIMEOUT(kswapd, takes_what_was_used_longest_ago, 600)
{
	EXPECT_EQ(0, run_in_group(work_kswapd, self->page));
}

TEST_HARNESS_MAIN
