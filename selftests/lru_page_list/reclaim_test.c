// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: which pages of memory reclaim takes, and which it leaves alone.
 * Those of files are in file_test.
 */
#include "../kselftest_harness.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include "group.h"
#include "listing.h"

FIXTURE(reclaim)
{
	struct stage stage;
	size_t page;
};

FIXTURE_SETUP(reclaim)
{
	const char *missing = stage_set(&self->stage);

	if (missing)
		SKIP(return, "%s", missing);
	self->page = page_bytes();
}

FIXTURE_TEARDOWN(reclaim)
{
	stage_clear(&self->stage);
}

static int work_contents(size_t page)
{
	char *p = pages_of(2 * LIMIT);

	fill(p, 2 * LIMIT, false);
	for (int i = 0; i < 2; i++)
		if (fill(p, 2 * LIMIT, true))
			return 1;
	return 0;
}

TEST_F_TIMEOUT(reclaim, all_contents_survive, 300)
{
	long steal = vm_count("pswpout");

	EXPECT_EQ(0, run_in_group(work_contents, self->page));
	EXPECT_LT(steal, vm_count("pswpout"));
}

/* All at random, in a second or more: what is in use within a tick nothing can tell. */
static void touch_slowly(char *p, size_t len, size_t page)
{
	static uint64_t random = 1;

	for (size_t i = 0; i < len / page; i++) {
		p[next_random(&random) % (len / page) * page]++;
		if (i % (len / page / 64) == 0)
			sleep_ms(20);
	}
}

/*
 * What reclaim may scan for 1000 pages that it takes: it looks as often as it takes for
 * one of 64 to be in use.  And a group takes 64 pages at a time, the first of which has
 * their table looked at: what was used since the 64 before has been isolated by then.
 */
static long most_scanned(size_t pages)
{
	return 1000 + 1000 / 64 + 1000 * 64 / pages;
}

/* Once it knows how often to look. */
static int work_at_random(size_t page)
{
	static const char stat[] = GROUP "/memory.stat";
	char *p = pages_of(2 * LIMIT);
	long scanned, taken, looked, of_1000;

	fill(p, 2 * LIMIT, false);
	for (int i = 0; i < 2; i++)
		touch_slowly(p, 2 * LIMIT, page);
	scanned = get_line(stat, "pgscan");
	taken = get_line(stat, "pgsteal");
	looked = lpl_stat("around_visited");
	for (int i = 0; i < 4; i++)
		touch_slowly(p, 2 * LIMIT, page);
	scanned = get_line(stat, "pgscan") - scanned;
	taken = get_line(stat, "pgsteal") - taken;
	looked = lpl_stat("around_visited") - looked;
	if (taken < (long)(2 * LIMIT / page))
		return 2;
	of_1000 = scanned * 1000 / taken;
	fprintf(stderr, "# %ld scanned for 1000 taken\n", of_1000);
	return looked <= 0 || of_1000 < 1000 || of_1000 > most_scanned(2 * LIMIT / page);
}

/*
 * What is used again before it gets to the tail is found in time, though a harvest be
 * seconds away: by reclaim, beside what it looks up.  Else it would scan two for one.
 */
TEST_F_TIMEOUT(reclaim, few_at_the_tail_are_in_use, 300)
{
	if (self->stage.swap.zram < 0)
		SKIP(return, "swap is not this test's, and may scan each page twice");
	ASSERT_EQ(0, put_file(LPL_DIR "interval_ms", "1000"));
	EXPECT_EQ(0, run_in_group(work_at_random, self->page));
}

/* The half that is used stays, the half that is not goes. */
static int work_hot_stays(size_t page)
{
	size_t hot = LIMIT / 2;
	char *p = pages_of(hot), *cold = pages_of(2 * LIMIT);
	long gone;

	fill(p, hot, false);
	for (size_t i = 0; i < 2 * LIMIT; i += page) {
		cold[i] = 1;
		if (i % (LIMIT / 16) == 0) {
			fill(p, hot, true);
			sleep_ms(2);
		}
	}
	gone = hot / page - present(p, hot, page);
	if (gone * 50 > (long)(hot / page))
		fprintf(stderr, "# %ld of %zu hot pages gone\n", gone, hot / page);
	return gone * 50 > (long)(hot / page);
}

TEST_F_TIMEOUT(reclaim, hot_stays, 300)
{
	put_file(LPL_DIR "always", "1");
	EXPECT_EQ(0, run_in_group(work_hot_stays, self->page));
}

/*
 * As exact as is worth it.  The CPU time for that is not what this is about: a
 * machine that is emulated on a busy one has less than it thinks.
 */
static int run_with_budget(int (*work)(size_t page), size_t page)
{
	char before[16];
	int status;

	get_file(LPL_DIR "budget_pct", before, sizeof(before));
	put_file(LPL_DIR "budget_pct", "100");
	status = run_in_group(work, page);
	put_file(LPL_DIR "budget_pct", before);
	return status;
}

TEST_F_TIMEOUT(reclaim, hot_stays_if_worth, 300)
{
	EXPECT_EQ(0, run_with_budget(work_hot_stays, self->page));
}

/* Of the harvests that were worth it in 300 ms under pressure, so many %. */
static long share_of_harvests(char *p)
{
	long passes = lpl_stat("passes"), every = 10, age;
	uint64_t began = now_ns();

	do {
		fill(p, 2 * LIMIT, false);
		age = lpl_stat("eviction_age_ms") / 8;
		if (age > every)
			every = age;
	} while (now_ns() - began < 300000000ULL);
	passes = lpl_stat("passes") - passes;
	return passes * every * 100000000ULL / (now_ns() - began);
}

static int work_that_ages_fast(size_t page)
{
	char *p = pages_of(2 * LIMIT);
	long share = 0;

	for (int i = 0; i < 20 && share < 50; i++) {
		long now = share_of_harvests(p);

		if (now > share)
			share = now;
	}
	if (share < 50)
		fprintf(stderr, "# %ld %% of the harvests at best\n", share);
	return share < 50;
}

/* It does not rest longer than the order is worth. */
TEST_F_TIMEOUT(reclaim, harvests_as_often_as_worth, 300)
{
	EXPECT_EQ(0, run_with_budget(work_that_ages_fast, self->page));
}

/* 0 if all of @p is, and was not moved to the queue either, where some of @other is. */
static int all_there_and_not_listed(const char *p, size_t len, const char *other, size_t page)
{
	if (present(p, len, page) != (long)(len / page) || wrong_pages(p, len, 1))
		return 1;
	/* To list them takes memory. */
	put_file(GROUP "/memory.max", "max");
	if (listed(other, 2 * LIMIT, 0) * 2 < present(other, 2 * LIMIT, page))
		return 2;
	return listed(p, len, 0) ? 3 : 0;
}

static int work_mlock(size_t page)
{
	size_t len = LIMIT / 4;
	char *p = pages_of(len), *other = pages_of(2 * LIMIT);

	if (mlock(p, len))
		return 102;
	fill(p, len, false);
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, i);
	return all_there_and_not_listed(p, len, other, page);
}

TEST_F_TIMEOUT(reclaim, mlocked_never_leaves, 300)
{
	EXPECT_EQ(0, run_in_group(work_mlock, self->page));
}

/* Pages of shared memory that may not be evicted, whoever has mapped them. */
static int work_shm_lock(size_t page)
{
	size_t len = LIMIT / 4;
	int id = shmget(IPC_PRIVATE, len, IPC_CREAT | 0600);
	char *other = pages_of(2 * LIMIT), *p;

	if (id < 0)
		return 4;
	p = shmat(id, NULL, 0);
	if (p == (void *)-1 || shmctl(id, SHM_LOCK, NULL))
		return 102;
	/* It stays as long as this process has it. */
	shmctl(id, IPC_RMID, NULL);
	fill(p, len, false);
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, i);
	return all_there_and_not_listed(p, len, other, page);
}

TEST_F_TIMEOUT(reclaim, unevictable_never_leaves, 300)
{
	int status = run_in_group(work_shm_lock, self->page);

	if (status == 4)
		SKIP(return, "no shared memory of System V");
	EXPECT_EQ(0, status);
}

/* Locked and unlocked again it is a page like others. */
static int work_munlock(size_t page)
{
	size_t len = LIMIT / 4;
	char *p = pages_of(len), *other = pages_of(2 * LIMIT);

	fill(p, len, false);
	if (mlock(p, len) || munlock(p, len))
		return 102;
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, i);
	/* Some wait in a batch of a CPU to be unlocked. */
	if (present(p, len, page) * 4 > (long)(len / page))
		return 1;
	return fill(p, len, true) ? 2 : 0;
}

TEST_F_TIMEOUT(reclaim, munlocked_can, 300)
{
	EXPECT_EQ(0, run_in_group(work_munlock, self->page));
}

#define KSM	"/sys/kernel/mm/ksm/"
#define ALIKE	(MIB / 2)

/* True when both halves of @p, which are alike, are of the same pages. */
static bool merged(const char *p, size_t page)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	bool all = true;

	for (size_t i = 0; i < ALIKE && all; i += page)
		all = pfn_of(pagemap, p + i) == pfn_of(pagemap, p + ALIKE + i);
	close(pagemap);
	return all;
}

/* Both halves of some memory become one, and are used; then other memory comes. */
static int work_ksm(size_t page)
{
	char *p = pages_of(2 * ALIKE), *other = pages_of(2 * LIMIT);

	fill(p, ALIKE, false);
	fill(p + ALIKE, ALIKE, false);
	if (madvise(p, 2 * ALIKE, MADV_MERGEABLE))
		return 4;
	for (int i = 0; i < 600 && !merged(p, page); i++)
		sleep_ms(100);
	if (!merged(p, page))
		return 5;
	if (fill(p, ALIKE, true) || fill(p + ALIKE, ALIKE, true))
		return 1;
	drain_batches();
	if (listed(p, 2 * ALIKE, 0) != (long)(2 * ALIKE / page))
		return 2;
	/* They are of the oldest then. */
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, i);
	if (present(p, 2 * ALIKE, page))
		return 3;
	return fill(p, ALIKE, true) || fill(p + ALIKE, ALIKE, true);
}

/* Pages that KSM has merged are in the queue once, and leave it in their turn. */
TEST_F_TIMEOUT(reclaim, merged_by_ksm, 300)
{
	char scan[24], sleeps[24], run[24];
	int status;

	if (get_file(KSM "run", run, sizeof(run)))
		SKIP(return, "no KSM");
	get_file(KSM "pages_to_scan", scan, sizeof(scan));
	get_file(KSM "sleep_millisecs", sleeps, sizeof(sleeps));
	put_file(KSM "pages_to_scan", "10000");
	put_file(KSM "sleep_millisecs", "10");
	put_file(KSM "run", "1");
	status = run_in_group(work_ksm, self->page);
	put_file(KSM "run", run);
	put_file(KSM "pages_to_scan", scan);
	put_file(KSM "sleep_millisecs", sleeps);
	EXPECT_EQ(0, status);
}

static int work_hugetlb(size_t page)
{
	size_t len = get_line("/proc/meminfo", "Hugepagesize") * 1024;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	char *other = pages_of(2 * LIMIT);

	if (p == MAP_FAILED)
		return 4;
	fill(p, len, false);
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, i);
	return all_there_and_not_listed(p, len, other, page);
}

TEST_F_TIMEOUT(reclaim, hugetlb_never_leaves, 300)
{
	int status;

	put_file("/proc/sys/vm/nr_hugepages", "1");
	status = run_in_group(work_hugetlb, self->page);
	put_file("/proc/sys/vm/nr_hugepages", "0");
	if (status == 4)
		SKIP(return, "no huge page");
	EXPECT_EQ(0, status);
}

/* A pipe holds references to pages that were given to it. */
static int work_referenced(size_t page)
{
	size_t len = 16 * page;
	char *p = pages_of(len), *other = pages_of(2 * LIMIT), text[64];
	struct iovec { void *base; size_t len; } iov = { p, len };
	long frames[16];
	int fds[2], pagemap = open("/proc/self/pagemap", O_RDONLY);
	long moved = 0;

	fill(p, len, false);
	if (pipe(fds) || syscall(__NR_vmsplice, fds[1], &iov, 1, 0) != (long)len)
		return 4;
	for (int i = 0; i < 16; i++)
		frames[i] = pfn_of(pagemap, p + i * page);
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, i);
	fill(p, len, true);
	for (int i = 0; i < 16; i++)
		moved += frames[i] != (long)pfn_of(pagemap, p + i * page);
	if (read(fds[0], text, sizeof(text)) != sizeof(text) || *(size_t *)text != 1)
		return 5;
	return moved ? 1 : 0;
}

TEST_F_TIMEOUT(reclaim, referenced_keeps_its_frame, 300)
{
	int status;

	status = run_in_group(work_referenced, self->page);
	if (status == 4)
		SKIP(return, "no vmsplice");
	EXPECT_EQ(0, status);
}

/* They are the oldest by far, but not looked at in each round of reclaim. */
TEST_F_TIMEOUT(reclaim, referenced_is_seldom_tried, 300)
{
	long rounds = lpl_stat("reclaim_rounds"), parked = lpl_stat("parked");
	int status = run_in_group(work_referenced, self->page);

	if (status == 4)
		SKIP(return, "no vmsplice");
	EXPECT_EQ(0, status);
	rounds = lpl_stat("reclaim_rounds") - rounds;
	parked = lpl_stat("parked") - parked;
	TH_LOG("tried %ld times in %ld rounds", parked, rounds);
	EXPECT_LT(100, rounds);
	EXPECT_GT(2 * rounds, parked);
}

/* Pages that a device may write to at any time. */
static int work_pinned(size_t page)
{
	size_t len = 16 * page;
	char *p = pages_of(len), *other = pages_of(2 * LIMIT);
	struct iovec { void *base; size_t len; } iov = { p, len };
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	char params[256] = { 0 };
	uint64_t frames[16];
	int ring;

	fill(p, len, false);
	ring = syscall(__NR_io_uring_setup, 4, params);
	if (ring < 0 || syscall(__NR_io_uring_register, ring, 0, &iov, 1))
		return 4;
	for (int i = 0; i < 16; i++)
		frames[i] = pfn_of(pagemap, p + i * page);
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, i);
	for (int i = 0; i < 16; i++)
		if (frames[i] != pfn_of(pagemap, p + i * page))
			return 1;
	return fill(p, len, true) != 0;
}

TEST_F_TIMEOUT(reclaim, pinned_never_leaves, 300)
{
	int status = run_in_group(work_pinned, self->page);

	if (status == 4)
		SKIP(return, "no io_uring");
	EXPECT_EQ(0, status);
}

TEST_F_TIMEOUT(reclaim, refaults_are_counted, 300)
{
	struct refaults was = refaults_begin("workingset_refault_anon");

	EXPECT_EQ(0, run_in_group(work_contents, self->page));
	EXPECT_TRUE(refaults_end(&was, 0));
}

/* In use, evicted, and needed again. */
static int work_return(size_t page)
{
	size_t len = LIMIT / 4;
	char *p = pages_of(len), *other = pages_of(LIMIT);
	struct return_of was;
	long there;

	fill(p, len, false);
	drain_batches();
	for (int i = 0; i < 2; i++) {
		settle_ms(100);
		fill(p, len, true);
	}
	settle_ms(100);
	fill(other, LIMIT, false);
	there = present(p, len, page);
	was = return_begins("workingset_restore_anon");
	if (there * 4 > (long)(len / page))
		return 3;
	return fill(p, len, true) ? 1 : return_ends(&was, len / page - there);
}

/* PSI, and who counts what was in use, know of it. */
TEST_F_TIMEOUT(reclaim, stalls_are_counted, 300)
{
	put_file(LPL_DIR "always", "1");
	EXPECT_EQ(0, run_in_group(work_return, self->page));
}

/* Minor faults, % of its pages, of memory that all fits and is touched again and again. */
static long faults_while_it_fits(char *p, size_t len, size_t page)
{
	uint64_t began = now_ns();
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	while (now_ns() - began < 500000000ULL)
		fill(p, len, true);
	getrusage(RUSAGE_SELF, &after);
	return (after.ru_minflt - before.ru_minflt) * 100 / (long)(len / page);
}

/*
 * Where a fault sets the accessed flag, clearing it is what the queue costs; it is
 * not worth that while there is nothing to evict, which it takes some time to know.
 */
TEST_F_TIMEOUT(reclaim, costs_no_faults_if_all_fits, 120)
{
	size_t len = LIMIT / 4;
	char *p = pages_of(len);
	long faults = 100, young, gated;

	fill(p, len, false);
	for (int i = 0; i < 60 && faults > 0; i++)
		faults = faults_while_it_fits(p, len, self->page);
	EXPECT_EQ(0, faults);
	young = lpl_stat("young");
	gated = lpl_stat("gated");
	/* More than twice the time between two harvests where there is no such flag. */
	for (int i = 0; i < 36; i++)
		faults += faults_while_it_fits(p, len, self->page);
	EXPECT_EQ(0, faults);
	young = lpl_stat("young") - young;
	gated = lpl_stat("gated") - gated;
	put_file(LPL_DIR "always", "1");
	faults = faults_while_it_fits(p, len, self->page);
	TH_LOG("%ld %% with always", faults);
	if (faults) {
		EXPECT_EQ(0, young);
		EXPECT_LT(0, gated);
	}
}

/* CPU time of the harvester in two seconds of a load that has to be reclaimed for, per mille. */
static long harvester_share(void)
{
	uint64_t began = now_ns();
	long cpu = lpl_stat("cpu_ns");

	while (now_ns() - began < 2000000000ULL)
		sleep_ms(50);
	return (lpl_stat("cpu_ns") - cpu) * 1000 / (now_ns() - began);
}

static int work_without_end(size_t page)
{
	char *p = pages_of(2 * LIMIT);

	for (;;)
		fill(p, 2 * LIMIT, false);
	return 0;
}

/*
 * In the long run.  What it has overrun by, as this guest may not have had its CPU, it
 * pays later: the mean of all windows comes down to the budget, and is no less for it.
 * What one pass takes may be paid for during some windows.  This load is worth half of
 * the budget and more.
 */
TEST_F_TIMEOUT(reclaim, budget_is_kept, 300)
{
	long enough = lpl_stat("passes") + 5, sum = 0;
	int windows = 0;
	pid_t pid;

	ASSERT_STREQ("1", file_text(LPL_DIR "budget_pct"));
	pid = fork();
	if (!pid)
		_exit(run_in_group(work_without_end, self->page));
	while (windows < 5 ||
	       (windows < 100 && (sum > 11 * windows || sum < 5 * windows ||
				  lpl_stat("passes") < enough))) {
		sum += harvester_share();
		windows++;
	}
	EXPECT_LE(sum, 11 * windows);
	EXPECT_LE(5 * windows, sum);
	EXPECT_LE(enough, lpl_stat("passes"));
	put_file(LPL_DIR "always", "1");
	TH_LOG("%ld of 1000 in %d windows, with always %ld", sum / windows, windows,
	       harvester_share());
	put_file(GROUP "/cgroup.kill", "1");
	waitpid(pid, NULL, 0);
}

static int work_huge(size_t page)
{
	size_t huge = get_line("/proc/meminfo", "Hugepagesize") * 1024;
	size_t len = 2 * LIMIT;
	char *p = mmap(NULL, len + huge, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 101;
	if (madvise(p, len + huge, MADV_HUGEPAGE))
		return 4;
	fill(p, len, false);
	for (int i = 0; i < 2; i++)
		if (fill(p, len, true))
			return 1;
	return 0;
}

static long huge_gone(void)
{
	return vm_count("thp_swpout") + vm_count("thp_split_page");
}

/* Huge pages are split to be swapped out, or swapped out as they are. */
TEST_F_TIMEOUT(reclaim, huge_pages_survive, 300)
{
	long had = vm_count("thp_fault_alloc"), gone = huge_gone();
	char before[64];
	int status;

	if (pmd_bytes() >= LIMIT)
		SKIP(return, "no huge page fits into a group of 16 MB");
	get_file("/sys/kernel/mm/transparent_hugepage/enabled", before, sizeof(before));
	put_file("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	status = run_in_group(work_huge, self->page);
	if (strstr(before, "[never]"))
		put_file("/sys/kernel/mm/transparent_hugepage/enabled", "never");
	if (status == 4)
		SKIP(return, "no huge pages");
	EXPECT_EQ(0, status);
	ASSERT_LT(had, vm_count("thp_fault_alloc"));
	EXPECT_LT(gone, huge_gone());
}

/* Of a group that is at its limit, in which nobody but the reader does anything. */
static int work_reader(size_t page)
{
	char *p = pages_of(2 * LIMIT), line[256];
	FILE *queue;
	long before;

	fill(p, 2 * LIMIT, false);
	queue = fopen(LPL_QUEUE, "r");
	if (!queue)
		return 4;
	/* Its own buffer, the first time. */
	for (int i = 0; i < 2; i++) {
		rewind(queue);
		before = present(p, 2 * LIMIT, page);
		while (fgets(line, sizeof(line), queue))
			;
	}
	before -= present(p, 2 * LIMIT, page);
	printf("# %ld pages have gone\n", before);
	fflush(stdout);
	return before > 8;
}

/* What is shown is not what the reader has pushed out of the queue. */
TEST_F_TIMEOUT(reclaim, reading_the_queue_takes_nothing, 300)
{
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	EXPECT_EQ(0, run_in_group(work_reader, self->page));
}

/* Swap that goes away while pages are in it. */
TEST_F_TIMEOUT(reclaim, swapoff, 300)
{
	int status, fds[2];
	char c;
	pid_t pid;

	if (self->stage.swap.zram < 0)
		SKIP(return, "the swap is not this test's");
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid) {
		char *p;

		enter(GROUP);
		p = pages_of(2 * LIMIT);
		fill(p, 2 * LIMIT, false);
		c = write(fds[1], "x", 1);
		while (get_line("/proc/meminfo", "SwapTotal"))
			sleep_ms(10);
		_exit(fill(p, 2 * LIMIT, true) != 0);
	}
	ASSERT_EQ(1, read(fds[0], &c, 1));
	put_file(GROUP "/memory.max", "max");
	swap_put(&self->stage.swap);
	self->stage.swap.zram = -1;
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

/* Without swap the limit ends the process, and not earlier. */
static int work_fits(size_t page)
{
	char *p = pages_of(LIMIT * 3 / 4);

	for (int i = 0; i < 3; i++)
		fill(p, LIMIT * 3 / 4, i);
	return 0;
}

TEST_F_TIMEOUT(reclaim, no_swap, 300)
{
	put_file(GROUP "/memory.swap.max", "0");
	EXPECT_EQ(0, run_in_group(work_fits, self->page));
	EXPECT_EQ(-1, run_in_group(work_contents, self->page));
}

TEST_F_TIMEOUT(reclaim, proactive, 300)
{
	int status, fds[2];
	char c;
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid) {
		char *p;

		enter(GROUP);
		p = pages_of(LIMIT / 2);
		fill(p, LIMIT / 2, false);
		c = write(fds[1], "x", 1);
		pause();
		_exit(0);
	}
	ASSERT_EQ(1, read(fds[0], &c, 1));
	sleep_ms(1500);
	long before = get_number(GROUP "/memory.current");

	EXPECT_EQ(0, put_file(GROUP "/memory.reclaim", "4M"));
	EXPECT_LE(get_number(GROUP "/memory.current"), before - (long)(3 * MIB));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/*
 * Of two parts of memory the younger goes first, after this advice about it. It
 * is the younger if a harvest has come between fault and reclaim.
 */
static int work_advice(size_t page, int advice)
{
	size_t len = LIMIT / 3;
	char *a = pages_of(len), *b = pages_of(len);
	long ka, kb;

	fill(a, len, false);
	sleep_ms(100);
	fill(b, len, false);
	sleep_ms(100);
	if (madvise(b, len, advice))
		return 4;
	sleep_ms(150);
	put_file(GROUP "/memory.reclaim", "4M");
	ka = present(a, len, page);
	kb = present(b, len, page);
	if (ka <= kb)
		fprintf(stderr, "# resident %ld %ld\n", ka, kb);
	return ka <= kb;
}

static int work_cold(size_t page)
{
	return work_advice(page, MADV_COLD);
}

static int work_free(size_t page)
{
	return work_advice(page, MADV_FREE);
}

/* It can fail. */
static int work_no_advice(size_t page)
{
	return work_advice(page, MADV_NORMAL);
}

TEST_F_TIMEOUT(reclaim, cold_advice_goes_first, 300)
{
	put_file(LPL_DIR "always", "1");
	EXPECT_EQ(0, run_in_group(work_cold, self->page));
	EXPECT_EQ(1, run_in_group(work_no_advice, self->page));
}

TEST_F_TIMEOUT(reclaim, free_advice_goes_first, 300)
{
	put_file(LPL_DIR "always", "1");
	EXPECT_EQ(0, run_in_group(work_free, self->page));
}

TEST_HARNESS_MAIN
