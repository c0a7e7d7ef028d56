// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: memory that two processes map: a use by either of them is one.
 */
#include "../kselftest_harness.h"
#include "../paging/touch.h"
#include "group.h"
#include "listing.h"

/* What both map, and what comes and goes meanwhile, a part at a time. */
#define SHARED	(LIMIT / 4)
#define MUCH	(4 * LIMIT)
#define PART	(LIMIT / 64)

FIXTURE(shared)
{
	struct stage stage;
	size_t page;
};

/*
 * @flags are of what is mapped: one object, or one anonymous memory since a fork.  @guard
 * is written to it.  What nobody uses any more has gone after @turns of others' memory:
 * guard keeps a part of what came back for as long as it was away, and no longer.
 */
FIXTURE_VARIANT(shared)
{
	int flags;
	const char *guard;
	int turns;
};

FIXTURE_VARIANT_ADD(shared, object) { MAP_SHARED, "0", 1 };
FIXTURE_VARIANT_ADD(shared, forked) { MAP_PRIVATE, "0", 1 };
FIXTURE_VARIANT_ADD(shared, object_guard) { MAP_SHARED, "1", 4 };
FIXTURE_VARIANT_ADD(shared, forked_guard) { MAP_PRIVATE, "1", 4 };

/* Of the variant; work in the group is told nothing else than the page size. */
static int flags, turns;

FIXTURE_SETUP(shared)
{
	const char *missing = stage_set_guard(&self->stage, variant->guard);

	if (missing)
		SKIP(return, "%s", missing);
	put_file(LPL_DIR "always", "1");
	self->page = page_bytes();
	flags = variant->flags;
	turns = variant->turns;
}

FIXTURE_TEARDOWN(shared)
{
	stage_clear(&self->stage);
}

/**
 * struct reader - the process that uses what is shared; the other only has it mapped
 * @pid: process
 * @ask: it reads all of it for each byte written to this
 * @answer: and says here whether contents were right
 */
struct reader {
	pid_t pid;
	int ask, answer;
};

static void read_if_asked(const char *p, int ask, int answer)
{
	char byte;

	while (read(ask, &byte, 1) == 1) {
		byte = !fill((char *)p, SHARED, true);
		if (write(answer, &byte, 1) != 1)
			break;
	}
	_exit(0);
}

static struct reader reader_of(const char *p)
{
	struct reader reader;
	int ask[2], answer[2];

	if (pipe(ask) || pipe(answer))
		_exit(102);
	reader.pid = fork();
	if (!reader.pid) {
		close(ask[1]);
		read_if_asked(p, ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	reader.ask = ask[1];
	reader.answer = answer[0];
	return reader;
}

/* It has read all, and contents were right. */
static bool reads(const struct reader *reader)
{
	char right = 0;

	return write(reader->ask, "", 1) == 1 && read(reader->answer, &right, 1) == 1 && right;
}

static void reader_ends(struct reader *reader)
{
	close(reader->ask);
	close(reader->answer);
	waitpid(reader->pid, NULL, 0);
}

static char *shared_pages(void)
{
	char *p = mmap(NULL, SHARED, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(101);
	madvise(p, SHARED, MADV_NOHUGEPAGE);
	fill(p, SHARED, false);
	return p;
}

/* Pages that are mapped here have been in memory all the time: only the other maps them anew. */
static int work_used_by_the_other(size_t page)
{
	char *p = shared_pages(), *much = pages_of(MUCH);
	struct reader reader = reader_of(p);
	long left, all = SHARED / page;
	bool right = true;

	for (size_t at = 0; at < MUCH; at += page) {
		store_word(much + at, at + 1);
		if (at % PART == 0) {
			right = right && reads(&reader);
			sleep_ms(1);
		}
	}
	left = present(p, SHARED, page);
	printf("# %ld of %ld pages stayed\n", left, all);
	fflush(stdout);
	reader_ends(&reader);
	if (!right)
		return 1;
	return left * 20 >= all * 19 ? 0 : 2;
}

TEST_F_TIMEOUT(shared, what_one_of_two_uses_stays, 300)
{
	EXPECT_EQ(0, run_in_group(work_used_by_the_other, self->page));
}

static int work_used_by_none(size_t page)
{
	char *p = shared_pages(), *much = pages_of(MUCH);
	struct reader reader = reader_of(p);
	long left = SHARED / page, all = left;
	bool right = reads(&reader);

	for (int i = 0; i < turns && left * 20 > all; i++) {
		fill(much, MUCH, false);
		left = present(p, SHARED, page);
		printf("# %ld of %ld pages stayed\n", left, all);
		fflush(stdout);
	}
	/* From swap, or wherever it was. */
	right = right && reads(&reader) && !fill(p, SHARED, true);
	reader_ends(&reader);
	if (!right)
		return 1;
	return left * 20 <= all ? 0 : 2;
}

TEST_F_TIMEOUT(shared, what_neither_uses_goes, 300)
{
	EXPECT_EQ(0, run_in_group(work_used_by_none, self->page));
}

#define IDLE_MS		1000

/* Of all pages the age is that of the last use, whoever used it. */
static int work_ages(size_t page)
{
	char *p = shared_pages();
	struct reader reader = reader_of(p);
	long bound, older, idle, all = SHARED / page;
	uint64_t used;
	bool right;

	drain_batches();
	settle_ms(IDLE_MS);
	idle = listed(p, SHARED, IDLE_MS / 2);
	used = now_ns();
	right = reads(&reader);
	settle_ms(50);
	/* Less than if the use had not been seen, by half of the time without one. */
	bound = (now_ns() - used) / 1000000 + IDLE_MS / 2;
	older = listed(p, SHARED, bound);
	printf("# %ld of %ld pages idle for %d ms; %ld for %ld ms after a use\n", idle, all,
	       IDLE_MS / 2, older, bound);
	fflush(stdout);
	reader_ends(&reader);
	if (!right)
		return 1;
	return idle == all && !older ? 0 : 2;
}

TEST_F_TIMEOUT(shared, the_age_is_that_of_the_last_use_by_either, 120)
{
	if (access("/sys/kernel/debug", R_OK))
		SKIP(return, "no debugfs");
	EXPECT_EQ(0, run_in_group(work_ages, self->page));
}

TEST_HARNESS_MAIN
