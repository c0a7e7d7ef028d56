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
	const char *missing = stage_set_guard(&self->stage, variant->guard);

	if (missing)
		SKIP(return, "%s", missing);
	self->page = page_bytes();
	put_file(GROUP "/memory.max", "max");
	if (get_file(huge_pages, self->huge_pages, sizeof(self->huge_pages)))
		snprintf(self->huge_pages, sizeof(self->huge_pages), "0");
	take_most();
}

FIXTURE_TEARDOWN(kswapd)
{
	put_file(huge_pages, self->huge_pages);
	stage_clear(&self->stage);
}

/* Pages of the group that kswapd took: of others' some may be older, and go first. */
static long taken(void)
{
	return get_line(GROUP "/memory.stat", "pgsteal_kswapd");
}

/* Fills @more until kswapd has taken @pages, and uses @hot meanwhile; 0, or what was wrong. */
static int fill_until_taken(char *more, size_t len, char *hot, long pages)
{
	long end = taken() + pages;

	for (size_t i = 0; i < len; i += MIB) {
		if (taken() >= end)
			return 0;
		fill(more + i, MIB, false);
		if (fill(hot, HOT, true))
			return 1;
		/* That it comes before who fills would have to reclaim. */
		sleep_ms(2);
	}
	return 2;
}

static bool nearly(long nr, size_t len, size_t page)
{
	return nr * 20 >= (long)(len / page) * 19;
}

/* What was used longest ago is gone when twice as much was taken, what is in use is there. */
static int work_kswapd(size_t page)
{
	size_t len = get_line("/proc/meminfo", "MemFree") * 1024 / MIB * MIB + 6 * PART;
	char *old = pages_of(PART), *hot = pages_of(HOT), *more = pages_of(len);
	long before = vm_count("pgsteal_kswapd");
	long there, in_use;
	int wrong;

	fill(old, PART, false);
	fill(hot, HOT, false);
	/* Older than what is to come by more than a harvest may be off. */
	sleep_ms(2000);
	wrong = fill_until_taken(more, len, hot, 2 * PART / page);
	in_use = present(hot, HOT, page);
	there = present(old, PART, page);
	printf("# of %zu pages of each part: %ld of the old, %ld of 1/4 in use; %ld stalls\n",
	       PART / page, there, in_use, vm_count("allocstall_normal"));
	printf("# kswapd took %ld pages, %ld of them these; a harvest each %ld ms\n",
	       vm_count("pgsteal_kswapd") - before, taken(), lpl_stat("reached_ms"));
	fflush(stdout);
	if (wrong)
		return wrong;
	if (!nearly(in_use, HOT, page))
		return 3;
	/* Another node may have room. */
	if (nodes() == 1 && !nearly(PART / page - there, PART, page))
		return 4;
	return fill(old, PART, true) ? 1 : 0;
}

TEST_F_TIMEOUT(kswapd, takes_what_was_used_longest_ago, 600)
{
	EXPECT_EQ(0, run_in_group(work_kswapd, self->page));
}

TEST_HARNESS_MAIN
