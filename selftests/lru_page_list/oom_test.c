// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: nothing is killed for want of memory earlier than with the other
 * policies.  A small machine in a memory cgroup; oom_load does the same to all of one.
 */
#include "../kselftest_harness.h"
#include "../paging/touch.h"
#include "group.h"

/* What the group may have, and how much of it is a file that is in use. */
#define ROOM	"64M"
#define MAPPED	(8 * MIB)
#define STEP	(256 * 1024UL)

FIXTURE(oom)
{
	struct stage stage;
	int zram;
	/* Bytes that were to be had; shared with who grows. */
	size_t *reached;
};

FIXTURE_VARIANT(oom)
{
	const char *swap;
};

FIXTURE_VARIANT_ADD(oom, no_swap) { "0" };
FIXTURE_VARIANT_ADD(oom, swap) { "32M" };

FIXTURE_SETUP(oom)
{
	const char *missing = stage_set(&self->stage);

	if (missing)
		SKIP(return, "%s", missing);
	self->zram = zram_add(MAPPED / MIB);
	if (self->zram < 0) {
		stage_clear(&self->stage);
		SKIP(return, "no zram");
	}
	self->reached = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->reached);
	ASSERT_EQ(0, put_file(GROUP "/memory.max", ROOM));
	ASSERT_EQ(0, put_file(GROUP "/memory.swap.max", variant->swap));
}

FIXTURE_TEARDOWN(oom)
{
	zram_remove(self->zram);
	stage_clear(&self->stage);
}

static void read_again_and_again(int zram)
{
	char *p = mmap(NULL, MAPPED, PROT_READ, MAP_SHARED, zram_open(zram), 0);

	if (p == MAP_FAILED)
		_exit(102);
	for (;;) {
		for (size_t at = 0; at < MAPPED; at += page_bytes())
			load_word(p + at);
		sleep_ms(1);
	}
}

static void grow(size_t *reached)
{
	for (;;) {
		fill(pages_of(STEP), STEP, false);
		*reached += STEP;
		/* Who reads gets a turn. */
		sleep_ms(1);
	}
}

static pid_t begin(const char *score)
{
	pid_t pid = fork();

	if (!pid) {
		put_file("/proc/self/oom_score_adj", score);
		enter(GROUP);
	}
	return pid;
}

/* MiB that were to be had before who asked for them was killed; -1 if it ended otherwise. */
static long memory_to_be_had(int zram, size_t *reached)
{
	pid_t reader = begin("-1000"), grower;
	int status;

	if (!reader)
		read_again_and_again(zram);
	*reached = 0;
	grower = begin("1000");
	if (!grower)
		grow(reached);
	waitpid(grower, &status, 0);
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return -1;
	return *reached / MIB;
}

TEST_F_TIMEOUT(oom, nothing_is_killed_earlier, 300)
{
	static const struct way each[] = {
		{ "classic", "0", "0" }, { "mglru", "0", "0" },
		{ "lru", "0", "0" }, { "lru", "1", "0" },
	};
	long kills = get_line(GROUP "/memory.events", "oom_kill"), best = 0;

	for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
		long mib;

		if (!way_set(&each[i]))
			continue;
		mib = memory_to_be_had(self->zram, self->reached);
		TH_LOG("%s, guard %s: %ld MiB", each[i].policy, each[i].guard, mib);
		EXPECT_EQ(++kills, get_line(GROUP "/memory.events", "oom_kill"));
		if (strcmp(each[i].policy, "lru"))
			best = mib > best ? mib : best;
		else
			EXPECT_LE(best * 95, mib * 100);
	}
	EXPECT_LT(0, best);
}

TEST_HARNESS_MAIN
