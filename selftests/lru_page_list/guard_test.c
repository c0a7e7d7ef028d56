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
	const char *missing = stage_set_guard(&self->stage, "1");

	if (missing)
		SKIP(return, "%s", missing);
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

static int work_short_loop(size_t page)
{
	return go_round(loop_of(page), page, 4);
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

/* Leaves many times more shadows than may stay. */
#define MUCH	(4 * LIMIT)
/* What is used all the time, while others come and go. */
#define HOT	(LIMIT / 4)

static int work_hot(size_t page)
{
	char *hot = pages_of(HOT), *p = pages_of(MUCH);

	fill(hot, HOT, false);
	for (size_t at = 0; at < MUCH; at += page) {
		store_word(p + at, at + 1);
		if (at % (LIMIT / 64) == 0 && fill(hot, HOT, true))
			return 1;
	}
	return 0;
}

/*
 * LRU would hit all that guard hits here.  Harvests are too few to see it: what they have
 * left alone, or not come to, looks as if it had not been used for longer than LRU keeps.
 */
TEST_F_TIMEOUT(guard, in_use_all_the_time_is_no_gain, 300)
{
	long gain = lpl_stat("guard_gain");

	put_file(LPL_DIR "always", "0");
	EXPECT_EQ(0, put_file(LPL_DIR "interval_ms", "1000"));
	EXPECT_EQ(0, run_in_group(work_hot, self->page));
	gain = lpl_stat("guard_gain") - gain;
	printf("# gain %ld of %zu pages in use\n", gain, HOT / self->page);
	EXPECT_GT((long)(HOT / self->page / 8), gain);
}

/* Whoever looks at an address space as its process ends frees it later. */
static long lpl_stat_below(const char *name, long bound)
{
	for (int i = 0; i < 500 && lpl_stat(name) >= bound; i++)
		sleep_ms(20);
	return lpl_stat(name);
}

/* Are there shadows of most of what does not fit? */
static bool many_shadows(long before, size_t page)
{
	long nr = lpl_stat("guard_shadows") - before;
	long all = (MUCH - LIMIT) / page;

	printf("# %ld shadows, %ld pages do not fit\n", nr, all);
	fflush(stdout);
	return nr * 4 > all * 3;
}

/* None of a test's own: its processes have ended. */
static long pages_in_swap(size_t page)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (info.totalswap - info.freeswap) * info.mem_unit / page;
}

/*
 * How many more there are than @before, or than can be of pages in swap, after a
 * while if they are too many. If a node gets full then pages of others go, too, and
 * their shadows stay.
 */
static long shadows_left(long before, size_t page)
{
	long left, others;

	for (int i = 0; i < 500; i++) {
		others = pages_in_swap(page);
		left = lpl_stat("guard_shadows") - (before > others ? before : others);
		if (left < SLACK / page)
			break;
		sleep_ms(20);
	}
	printf("# %ld shadows left (%ld before, %ld pages in swap), less than %ld may be\n",
	       left, before, others, SLACK / page);
	fflush(stdout);
	return left;
}

/* Shadows of the first round go as pages come back, those of the second as it ends. */
static int work_much(size_t page)
{
	long before = lpl_stat("guard_shadows");
	char *p = pages_of(MUCH);

	fill(p, MUCH, false);
	if (fill(p, MUCH, true))
		return 1;
	return many_shadows(before, page) ? 0 : 2;
}

TEST_F_TIMEOUT(guard, what_is_freed_leaves, 300)
{
	long slack = SLACK / self->page, shadows = lpl_stat("guard_shadows");
	long pages = lpl_stat("guard_pages") + slack;

	EXPECT_EQ(0, run_in_group(work_much, self->page));
	EXPECT_GT(slack, shadows_left(shadows, self->page));
	EXPECT_GT(pages, lpl_stat_below("guard_pages", pages));
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

/* A block device in memory, whose pages are those of any file. */
static int file;

static int work_file(size_t page)
{
	char *p = mmap(NULL, MUCH, PROT_READ, MAP_SHARED, file, 0);

	/* What is read ahead looks as if it were read once, which has no shadows. */
	if (p == MAP_FAILED || madvise(p, MUCH, MADV_RANDOM))
		return 101;
	for (int i = 0; i < 2; i++)
		for (size_t at = 0; at < MUCH; at += page)
			load_word(p + at);
	return 0;
}

TEST_F_TIMEOUT(guard, what_is_dropped_leaves, 300)
{
	long before = lpl_stat("guard_shadows"), slack = SLACK / self->page;
	int zram = zram_add(MUCH / MIB);

	if (zram < 0)
		SKIP(return, "no zram");
	file = zram_open(zram);
	EXPECT_LE(0, file);
	EXPECT_EQ(0, run_in_group(work_file, self->page));
	EXPECT_TRUE(many_shadows(before, self->page));
	EXPECT_EQ(0, posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED));
	EXPECT_GT(slack, shadows_left(before, self->page));

	/* As it is closed for the last time all of it is truncated. */
	EXPECT_EQ(0, run_in_group(work_file, self->page));
	EXPECT_TRUE(many_shadows(before, self->page));
	close(file);
	EXPECT_GT(slack, shadows_left(before, self->page));
	zram_remove(zram);
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

#ifndef __NR_cachestat
#define __NR_cachestat	451
#endif

/* Pages of the file that are not there, and how many of these would be in a little more memory. */
static int evicted(long *all, long *recent)
{
	struct { uint64_t start, len; } range = { 0, 0 };
	struct { uint64_t cache, dirty, writeback, evicted, recent; } stat;

	if (syscall(__NR_cachestat, file, &range, &stat, 0))
		return -errno;
	*all = stat.evicted;
	*recent = stat.recent;
	return 0;
}

#define CHILD	GROUP "/child"

/* With its memory cgroup goes what a shadow can be compared with; it is not recent for ever. */
TEST_F_TIMEOUT(guard, shadows_of_who_has_gone_are_not_recent, 300)
{
	long all, recent = 0, most = MUCH / self->page;
	int zram = zram_add(MUCH / MIB), err;

	if (zram < 0)
		SKIP(return, "no zram");
	file = zram_open(zram);
	put_file(GROUP "/cgroup.subtree_control", "+memory");
	mkdir(CHILD, 0755);
	EXPECT_EQ(0, run_in(CHILD, work_file, self->page));
	err = evicted(&all, &recent);
	if (!err) {
		EXPECT_LT(most / 2, all);
		/* Half as much memory more would hold this many. */
		EXPECT_LT(0, recent);
		EXPECT_LT(recent, most / 2);
	}
	group_remove(CHILD);
	if (!err) {
		/* It goes after rmdir() has returned; a few shadows are of other groups. */
		for (int i = 0; i < 500 && recent > most / 100 && !evicted(&all, &recent); i++)
			sleep_ms(20);
		EXPECT_LT(most / 2, all);
		EXPECT_GE(most / 100, recent);
	}
	put_file(GROUP "/cgroup.subtree_control", "-memory");
	close(file);
	zram_remove(zram);
	if (err)
		SKIP(return, "no cachestat");
}

static int work_read(size_t page)
{
	static char block[65536];

	for (size_t at = 0; at < LIMIT * 3 / 4; at += sizeof(block))
		if (pread(file, block, sizeof(block), at) != sizeof(block))
			return 103;
	return 0;
}

/* Of what was there before lru was chosen, and has not been seen since, nothing is known. */
TEST_F_TIMEOUT(guard, what_was_there_before_leaves, 300)
{
	long slack = SLACK / self->page, before;
	int zram = zram_add(LIMIT / MIB);

	if (zram < 0)
		SKIP(return, "no zram");
	file = zram_open(zram);
	EXPECT_EQ(0, set_policy("classic"));
	EXPECT_EQ(0, run_in_group(work_read, self->page));
	EXPECT_EQ(0, set_policy("lru"));
	before = lpl_stat("guard_shadows");
	EXPECT_EQ(0, run_in_group(work_much, self->page));
	close(file);
	EXPECT_GT(slack, shadows_left(before, self->page));
	zram_remove(zram);
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

static int work_switch(size_t page)
{
	char *p = loop_of(page);

	/* Nearly all is kept as it is switched off. */
	for (int i = 0; i < 3; i++) {
		if (put_file(LPL_DIR "guard", "1") || go_round(p, page, 4) ||
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
	EXPECT_EQ(0, run_in_group(work_short_loop, self->page));
	ASSERT_EQ(0, put_file(LPL_DIR "guard", "0"));
	EXPECT_EQ(0, lpl_stat("guard_pages"));
	EXPECT_EQ(0, lpl_stat("guard_kept"));
	EXPECT_EQ(0, lpl_stat("guard_shadows"));
	EXPECT_EQ(0, run_in_group(work_short_loop, self->page));
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
