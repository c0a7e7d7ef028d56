// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: guard: a loop over more than fits hits, nothing gets lost, and
 * what it counts is what there is.
 */
#include "../kselftest_harness.h"
#include "../paging/touch.h"
#include "group.h"

/* What is not ours comes and goes meanwhile; of it, and of batches of CPUs. */
#define SLACK	(8 * MIB)

FIXTURE(guard)
{
	struct stage stage;
	size_t page;
};

FIXTURE_SETUP(guard)
{
	const char *missing = stage_set(&self->stage);

	if (missing)
		SKIP(return, "%s", missing);
	if (put_file(LPL_DIR "guard", "1"))
		SKIP(return, "no guard: needs 64 bits");
	put_file(LPL_DIR "always", "1");
	self->page = page_bytes();
}

FIXTURE_TEARDOWN(guard)
{
	stage_clear(&self->stage);
}

#define LOOP	(LIMIT + LIMIT / 4)

/* Rounds over a quarter more than the limit; 1 if contents were wrong. */
static int go_round(const char *p, size_t page, int rounds)
{
	long wrong = 0;

	for (int i = 0; i < rounds; i++) {
		for (size_t at = 0; at < LOOP; at += page) {
			wrong += load_word(p + at) != at + 1;
			/* So slowly that harvests tell pages apart. */
			if (at % (LIMIT / 64) == 0)
				sleep_ms(1);
		}
	}
	return wrong != 0;
}

static char *loop_of(size_t page)
{
	char *p = pages_of(LOOP);

	for (size_t at = 0; at < LOOP; at += page)
		store_word(p + at, at + 1);
	return p;
}

static int work_loop(size_t page)
{
	return go_round(loop_of(page), page, 12);
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

/* Whoever looks at an address space as its process ends frees it later. */
static long lpl_stat_below(const char *name, long bound)
{
	for (int i = 0; i < 500 && lpl_stat(name) >= bound; i++)
		sleep_ms(20);
	return lpl_stat(name);
}

TEST_F_TIMEOUT(guard, what_is_freed_leaves, 300)
{
	long slack = SLACK / self->page;
	long shadows = lpl_stat("guard_shadows") + slack;
	long pages = lpl_stat("guard_pages") + slack;

	EXPECT_EQ(0, run_in_group(work_loop, self->page));
	EXPECT_GT(shadows, lpl_stat_below("guard_shadows", shadows));
	EXPECT_GT(pages, lpl_stat_below("guard_pages", pages));
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

static int work_switch(size_t page)
{
	char *p = loop_of(page);

	/* Nearly all is kept as it is switched off. */
	for (int i = 0; i < 6; i++) {
		if (put_file(LPL_DIR "guard", "1") || go_round(p, page, 6) ||
		    put_file(LPL_DIR "guard", "0") || go_round(p, page, 1))
			return 1;
	}
	return 0;
}

/* Policies are changed by another process than the one that goes round. */
static int work_fast(size_t page)
{
	const char *p = loop_of(page);
	long wrong = 0;

	for (uint64_t until = now_ns() + 8000000000ULL; now_ns() < until;)
		for (size_t at = 0; at < LOOP; at += page)
			wrong += load_word(p + at) != at + 1;
	return wrong != 0;
}

TEST_F_TIMEOUT(guard, nobody_is_killed_for_the_switch, 300)
{
	long before = get_line(GROUP "/memory.events", "oom_kill");
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(run_in_group(work_fast, self->page));
	for (int i = 0; waitpid(pid, &status, WNOHANG) != pid; i++) {
		put_file(LPL_DIR "guard", i % 2 ? "1" : "0");
		sleep_ms(i % 2 ? 400 : 20);
	}
	EXPECT_EQ(0, status);
	EXPECT_EQ(before, get_line(GROUP "/memory.events", "oom_kill"));
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

TEST_F_TIMEOUT(guard, waits_for_its_policy, 300)
{
	EXPECT_LT(0, lpl_stat("guard_pages"));
	ASSERT_EQ(0, set_policy("classic"));
	EXPECT_EQ(0, lpl_stat("guard_pages"));
	EXPECT_STREQ("1", file_text(LPL_DIR "guard"));
	ASSERT_EQ(0, set_policy("lru"));
	EXPECT_LT(0, lpl_stat("guard_pages"));
}

TEST_HARNESS_MAIN
