// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: guard: a loop over more than fits hits, nothing gets lost, and
 * what it counts is what there is.
 */
#include "../kselftest_harness.h"
#include "group.h"

/* What is not ours comes and goes meanwhile; of it, and of batches of CPUs. */
#define SLACK	2048

FIXTURE(guard)
{
	char before[16];
	struct swap swap;
	size_t page;
};

FIXTURE_SETUP(guard)
{
	const char *missing;

	if (access(LPL_DIR "guard", W_OK))
		SKIP(return, "no lru_page_list in this kernel");
	missing = group_create();
	if (missing)
		SKIP(return, "%s", missing);
	self->page = sysconf(_SC_PAGESIZE);
	swap_get(&self->swap, 192);
	if (!self->swap.there)
		SKIP(return, "no swap, and no zram to make some");
	save_file(LPL_DIR "policy", self->before, sizeof(self->before));
	if (set_policy("lru"))
		SKIP(return, "booted with lru_page_list=off");
	if (put_file(LPL_DIR "guard", "1"))
		SKIP(return, "no guard here");
	put_file(LPL_DIR "always", "1");
}

FIXTURE_TEARDOWN(guard)
{
	put_file(LPL_DIR "always", "0");
	put_file(LPL_DIR "guard", "0");
	set_policy(self->before);
	group_remove(GROUP);
	swap_put(&self->swap);
}

#define LOOP	(LIMIT + LIMIT / 4)

/* Rounds over a quarter more than the limit; 1 if contents were wrong. */
static int go_round(const char *p, size_t page, int rounds)
{
	long wrong = 0;

	for (int i = 0; i < rounds; i++) {
		for (size_t at = 0; at < LOOP; at += page) {
			wrong += peek(p + at) != at + 1;
			/* So slowly that harvests tell pages apart. */
			if (at % (64 * page) == 0)
				sleep_ms(1);
		}
	}
	return wrong != 0;
}

static int work_loop(size_t page)
{
	char *p = pages_of(LOOP);

	fill(p, LOOP, page, false);
	return go_round(p, page, 12);
}

TEST_F_TIMEOUT(guard, loop_hits, 300)
{
	long gain = lpl_stat("guard_gain"), regret = lpl_stat("guard_regret");

	EXPECT_EQ(0, run_in_group(work_loop, self->page));
	gain = lpl_stat("guard_gain") - gain;
	regret = lpl_stat("guard_regret") - regret;
	/* LRU hits none; half a round of hits is little. */
	EXPECT_LT((long)(LOOP / self->page / 2), gain - regret);
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

TEST_F_TIMEOUT(guard, what_is_freed_leaves, 300)
{
	long shadows = lpl_stat("guard_shadows"), pages = lpl_stat("guard_pages");

	EXPECT_EQ(0, run_in_group(work_loop, self->page));
	EXPECT_GT(shadows + SLACK, lpl_stat("guard_shadows"));
	EXPECT_GT(pages + SLACK, lpl_stat("guard_pages"));
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

static int work_switch(size_t page)
{
	char *p = pages_of(LOOP);

	fill(p, LOOP, page, false);
	for (int i = 0; i < 20; i++) {
		if (put_file(LPL_DIR "guard", i % 2 ? "1" : "0") || go_round(p, page, 1))
			return 1;
	}
	return 0;
}

TEST_F_TIMEOUT(guard, can_be_switched_meanwhile, 300)
{
	EXPECT_EQ(0, run_in_group(work_switch, self->page));
	EXPECT_EQ(0, put_file(LPL_DIR "guard", "1"));
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

TEST_F_TIMEOUT(guard, off_keeps_nothing, 300)
{
	EXPECT_EQ(0, run_in_group(work_loop, self->page));
	ASSERT_EQ(0, put_file(LPL_DIR "guard", "0"));
	EXPECT_EQ(0, lpl_stat("guard_pages"));
	EXPECT_EQ(0, lpl_stat("guard_kept"));
	EXPECT_EQ(0, lpl_stat("guard_shadows"));
	EXPECT_EQ(0, run_in_group(work_loop, self->page));
	EXPECT_EQ(0, lpl_stat("guard_gain"));
}

TEST_HARNESS_MAIN
