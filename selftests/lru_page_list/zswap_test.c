// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: pages that zswap refuses, in a group of which nothing may go on to the
 * swap device.  Reclaim has them unmapped and in the swap cache, and cannot evict them.
 */
#include "../kselftest_harness.h"
#include "group.h"

#define ENABLED	"/sys/module/zswap/parameters/enabled"

FIXTURE(zswap)
{
	struct stage stage;
	size_t page;
	char before[16];
};

FIXTURE_SETUP(zswap)
{
	const char *missing = stage_set(&self->stage);

	if (missing)
		SKIP(return, "%s", missing);
	self->page = page_bytes();
	if (get_file(ENABLED, self->before, sizeof(self->before)) || put_file(ENABLED, "Y")) {
		stage_clear(&self->stage);
		SKIP(return, "no zswap");
	}
	if (put_file(GROUP "/memory.zswap.writeback", "0")) {
		put_file(ENABLED, self->before);
		stage_clear(&self->stage);
		SKIP(return, "zswap's writeback cannot be switched off");
	}
}

FIXTURE_TEARDOWN(zswap)
{
	put_file(ENABLED, self->before);
	stage_clear(&self->stage);
}

/* Random words, which cannot be compressed. */
static void fill_random(uint64_t *p, size_t len)
{
	uint64_t random = 1;

	for (size_t i = 0; i < len / sizeof(*p); i++)
		p[i] = next_random(&random);
}

static bool is_random(const uint64_t *p, size_t len)
{
	uint64_t random = 1;

	for (size_t i = 0; i < len / sizeof(*p); i++)
		if (p[i] != next_random(&random))
			return false;
	return true;
}

/* Half of the limit cannot go; of what can, each page goes and comes back many times. */
static int work_refused(size_t page)
{
	static const char stat[] = GROUP "/memory.stat";
	size_t len = LIMIT / 2;
	char *p = pages_of(len), *other = pages_of(LIMIT);
	long scanned, taken, most;
	uint64_t began;

	fill_random((uint64_t *)p, len);
	fill(other, LIMIT, false);
	began = now_ns();
	scanned = get_line(stat, "pgscan");
	taken = get_line(stat, "pgsteal");
	for (int turn = 0; turn < 4; turn++)
		if (fill(other, LIMIT, true))
			return 2;
	scanned = get_line(stat, "pgscan") - scanned;
	taken = get_line(stat, "pgsteal") - taken;
	/* What is refused may be tried each 4 s, and once more where reclaim has difficulties. */
	most = 2 * taken + 2 * len / page * (1 + (now_ns() - began) / 4000000000);
	printf("# scanned %ld for %ld taken, at most %ld\n", scanned, taken, most);
	fflush(stdout);
	/* It has been refused, that is, it is still in memory, but mapped no more. */
	if (taken < (long)(LIMIT / page) || get_line(stat, "swapcached") < (long)len / 2)
		return 3;
	if (!is_random((uint64_t *)p, len))
		return 4;
	return scanned > most;
}

TEST_F_TIMEOUT(zswap, what_it_refuses_is_seldom_tried, 300)
{
	EXPECT_EQ(0, run_in_group(work_refused, self->page));
	EXPECT_EQ(0, get_line(GROUP "/memory.events", "oom_kill"));
}

TEST_F_TIMEOUT(zswap, guard_seldom_tries_it, 300)
{
	if (put_file(LPL_DIR "guard", "1"))
		SKIP(return, "no guard in a kernel of 32 bits");
	EXPECT_EQ(0, run_in_group(work_refused, self->page));
	EXPECT_EQ(0, get_line(GROUP "/memory.events", "oom_kill"));
}

TEST_HARNESS_MAIN
