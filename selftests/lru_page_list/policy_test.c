// SPDX-License-Identifier: GPL-2.0-only
/* lru_page_list: the files of the policy, and changing it. */
#include "../kselftest_harness.h"
#include "lru_page_list.h"

#define LRU_GEN	"/sys/kernel/mm/lru_gen/enabled"

FIXTURE(policy)
{
	char before[16];
};

FIXTURE_SETUP(policy)
{
	if (access(LPL_DIR "policy", R_OK))
		SKIP(return, "no lru_page_list in this kernel");
	get_file(LPL_DIR "policy", self->before, sizeof(self->before));
	if (set_policy("lru") == -EOPNOTSUPP)
		SKIP(return, "booted with lru_page_list=off");
}

FIXTURE_TEARDOWN(policy)
{
	set_policy(self->before);
}

TEST_F(policy, names)
{
	static const char *const policies[] = { "classic", "mglru", "lru" };

	for (int i = 0; i < 9; i++) {
		ASSERT_EQ(0, set_policy(policies[i % 3]));
		EXPECT_TRUE(policy_is(policies[i % 3]));
		ASSERT_EQ(0, set_policy(policies[i / 3]));
		EXPECT_TRUE(policy_is(policies[i / 3]));
	}
}

TEST_F(policy, unknown_is_refused)
{
	EXPECT_EQ(-EINVAL, set_policy("fifo"));
	EXPECT_EQ(-EINVAL, set_policy("lru mglru"));
	EXPECT_TRUE(policy_is("lru"));
}

TEST_F(policy, lru_gen_file_agrees)
{
	ASSERT_EQ(0, put_file(LRU_GEN, "y"));
	EXPECT_TRUE(policy_is("mglru"));
	ASSERT_EQ(0, set_policy("lru"));
	EXPECT_EQ(0, get_number(LRU_GEN) & 1);
	ASSERT_EQ(0, put_file(LRU_GEN, "n"));
	EXPECT_TRUE(policy_is("classic"));
	ASSERT_EQ(0, put_file(LRU_GEN, "y"));
	ASSERT_EQ(0, set_policy("classic"));
	EXPECT_EQ(0, get_number(LRU_GEN) & 1);
}

static void check_number(struct __test_metadata *_metadata, const char *path,
			 const char *const *refused, const char *least, const char *most)
{
	char before[16];

	get_file(path, before, sizeof(before));
	for (; *refused; refused++) {
		EXPECT_GT(0, put_file(path, *refused))
			TH_LOG("%s took %s", path, *refused);
	}
	EXPECT_STREQ(before, file_text(path));
	EXPECT_EQ(0, put_file(path, least));
	EXPECT_STREQ(least, file_text(path));
	EXPECT_EQ(0, put_file(path, most));
	EXPECT_STREQ(most, file_text(path));
	EXPECT_EQ(0, put_file(path, before));
}

TEST_F(policy, numbers_are_checked)
{
	static const char *const interval[] = { "0", "9", "1001", "-10", "x", NULL };
	static const char *const budget[] = { "0", "101", "-1", "4294967297", NULL };
	static const char *const flag[] = { "2", "x", NULL };

	check_number(_metadata, LPL_DIR "interval_ms", interval, "10", "1000");
	check_number(_metadata, LPL_DIR "budget_pct", budget, "1", "100");
	check_number(_metadata, LPL_DIR "always", flag, "0", "1");
	check_number(_metadata, LPL_DIR "guard", flag, "0", "1");
}

/*
 * Runs for 200 ms.  In @slots go the intervals of 10 ms in which it did run all
 * the time, as a guest of a slow machine may not; in @most all there were.
 */
static long passes_while_busy(long *slots, long *most)
{
	uint64_t counted = now_ns(), began, last, slot, now;
	long passes = lpl_stat("passes");

	began = now_ns();
	last = began;
	slot = began;
	*slots = 0;
	do {
		now = now_ns();
		if (now - last > 2000000) {
			slot = now;
		} else if (now - slot >= 10000000) {
			slot = now;
			++*slots;
		}
		last = now;
	} while (now - began < 200000000ULL);
	passes = lpl_stat("passes") - passes;
	*most = (now_ns() - counted) / 10000000 + 2;
	return passes;
}

/* One each 10 ms, whatever HZ is. */
TEST_F(policy, passes_each_10_ms)
{
	long passes, slots, most, best = 0, tried = 0;

	ASSERT_EQ(0, put_file(LPL_DIR "always", "1"));
	for (int i = 0; i < 50 && best < 80; i++) {
		passes = passes_while_busy(&slots, &most);
		EXPECT_LE(passes, most);
		if (slots < 5)
			continue;
		tried++;
		if (passes * 100 / slots > best)
			best = passes * 100 / slots;
	}
	ASSERT_EQ(0, put_file(LPL_DIR "always", "0"));
	EXPECT_GT(lpl_stat("cpu_ns"), 0);
	if (!tried)
		SKIP(return, "this machine is too slow");
	EXPECT_GE(best, 80) TH_LOG("%ld %% of the passes at best", best);
}

/* Those of Documentation/ABI/testing/sysfs-kernel-mm-lru-page-list. */
TEST_F(policy, stats_have_their_names)
{
	static const char *const names[] = {
		"passes", "mms", "mms_partial", "mms_exited", "trylock_failed", "visited",
		"young", "moved", "skipped", "around", "around_visited", "told",
		"tables_skipped", "cpu_ns",
		"gated", "parked", "reclaim_rounds", "resolution_ms", "reached_ms",
		"eviction_age_ms", "guard_pages", "guard_shadows", "guard_kept",
		"guard_window", "guard_tripped", "guard_gain", "guard_regret", "guard_trips",
		"guard_drift",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_LE(0, lpl_stat(names[i])) {
			TH_LOG("no %s", names[i]);
		}
	}
}

/* A process that goes on touching its memory is seen to. */
TEST_F_TIMEOUT(policy, stats_count_what_is_harvested, 120)
{
	size_t page = page_bytes(), len = 64 * page;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long visited = lpl_stat("visited"), young = lpl_stat("young");
	long moved = lpl_stat("moved"), mms = lpl_stat("mms");
	long skipped = lpl_stat("skipped");

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, put_file(LPL_DIR "always", "1"));
	for (int turn = 0; turn < 4; turn++) {
		for (size_t at = 0; at < len; at += page)
			store_word(p + at, at);
		/* What is in a batch of a CPU is in no queue. */
		drain_batches();
		settle_ms(30);
	}
	EXPECT_EQ(get_number(LPL_DIR "interval_ms"), lpl_stat("resolution_ms"));
	EXPECT_EQ(0, put_file(LPL_DIR "always", "0"));
	EXPECT_LE(3, lpl_stat("mms") - mms);
	EXPECT_LE(3 * 64, lpl_stat("visited") - visited);
	EXPECT_LE(3 * 64, lpl_stat("young") - young);
	EXPECT_LE(2 * 64, lpl_stat("moved") - moved);
	/* The bits of the faults that brought them. */
	EXPECT_LE(32, lpl_stat("skipped") - skipped);
	munmap(p, len);
}

/* What ends between the tick that notes it and the harvest. */
TEST_F_TIMEOUT(policy, stats_count_what_has_ended, 120)
{
	long ended = lpl_stat("mms_exited");

	ASSERT_EQ(0, put_file(LPL_DIR "always", "1"));
	for (int i = 0; i < 1000 && lpl_stat("mms_exited") == ended; i++) {
		uint64_t began = now_ns();
		pid_t pid = fork();

		if (!pid) {
			while (now_ns() - began < 12000000ULL)
				;
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	EXPECT_LT(ended, lpl_stat("mms_exited"));
	EXPECT_EQ(0, put_file(LPL_DIR "always", "0"));
}

/* A harvest does not wait for the lock of who changes his mappings all the time. */
TEST_F_TIMEOUT(policy, stats_count_locks_that_are_taken, 120)
{
	size_t len = 4096 * page_bytes();
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	long failed = lpl_stat("trylock_failed");
	uint64_t began = now_ns();

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, put_file(LPL_DIR "always", "1"));
	while (now_ns() - began < 30000000000ULL && lpl_stat("trylock_failed") == failed)
		for (int i = 0; i < 20; i++)
			mprotect(p, len, i % 2 ? PROT_READ | PROT_WRITE : PROT_READ);
	EXPECT_LT(failed, lpl_stat("trylock_failed"));
	EXPECT_EQ(0, put_file(LPL_DIR "always", "0"));
	munmap(p, len);
}

TEST_F(policy, queue_is_of_root)
{
	struct stat info;

	if (stat(LPL_QUEUE, &info))
		SKIP(return, "debugfs is not mounted");
	EXPECT_EQ(0400, info.st_mode & 0777);
}

TEST_F(policy, no_queue_in_other_policies)
{
	char line[256];
	FILE *queue;

	ASSERT_EQ(0, set_policy("classic"));
	queue = fopen(LPL_QUEUE, "r");
	if (!queue)
		SKIP(return, "debugfs is not mounted");
	while (fgets(line, sizeof(line), queue))
		EXPECT_EQ('#', line[0]);
	fclose(queue);
}

TEST_HARNESS_MAIN
