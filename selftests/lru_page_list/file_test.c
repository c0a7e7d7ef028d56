// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: page cache beside memory.  The file is a block device in
 * memory, all zeros, whose pages are those of any file.
 */
#include "../kselftest_harness.h"
#include "group.h"
#include "listing.h"

#define FILE_SIZE	(64 * MIB)

static char device[32];

FIXTURE(file)
{
	struct stage stage;
	size_t page;
	int zram;
};

FIXTURE_SETUP(file)
{
	const char *missing = stage_set(&self->stage);

	if (missing)
		SKIP(return, "%s", missing);
	self->page = page_bytes();
	self->zram = zram_add(FILE_SIZE / MIB);
	if (self->zram < 0) {
		stage_clear(&self->stage);
		SKIP(return, "no zram");
	}
	snprintf(device, sizeof(device), "/dev/zram%d", self->zram);
}

FIXTURE_TEARDOWN(file)
{
	zram_remove(self->zram);
	stage_clear(&self->stage);
}

static int open_file(void)
{
	int fd = open(device, O_RDONLY);

	if (fd < 0)
		_exit(102);
	return fd;
}

static void read_part(int fd, size_t from, size_t len)
{
	static char block[65536];

	for (size_t i = 0; i < len; i += sizeof(block))
		if (pread(fd, block, sizeof(block), from + i) != sizeof(block))
			_exit(103);
}

static char *map_file(int fd)
{
	char *p = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		_exit(101);
	return p;
}

static void load_pages(const char *p, size_t len, size_t page)
{
	for (size_t i = 0; i < len; i += page)
		load_word(p + i);
}

/* Pages of the part that are in the page cache. */
static long cached(int fd, size_t from, size_t len, size_t page)
{
	unsigned char *seen = malloc(len / page);
	char *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, from);
	long nr = 0;

	if (p == MAP_FAILED || mincore(p, len, seen))
		_exit(104);
	for (size_t i = 0; i < len / page; i++)
		nr += seen[i] & 1;
	munmap(p, len);
	free(seen);
	return nr;
}

static bool most(long nr, size_t len, size_t page, const char *what)
{
	long all = len / page;

	printf("# %ld of %ld pages of %s\n", nr, all, what);
	fflush(stdout);
	return nr * 20 >= all * 19;
}

/* Memory, and a mapped file that is much younger; reclaim of half of that. */
static int work_swappiness(size_t page)
{
	char *p = pages_of(LIMIT / 2);
	int fd = open_file();

	fill(p, LIMIT / 2, false);
	sleep_ms(1000);
	load_pages(map_file(fd), LIMIT / 4, page);
	drain_batches();
	if (put_file(GROUP "/memory.reclaim", "2M"))
		return 2;
	if (present(p, LIMIT / 2, page) != (long)(LIMIT / 2 / page))
		return 1;
	/* And at the limit. */
	for (int turn = 0; turn < 2; turn++)
		read_part(fd, 0, FILE_SIZE);
	return present(p, LIMIT / 2, page) != (long)(LIMIT / 2 / page);
}

static int run_at_swappiness(const char *swappiness, int (*work)(size_t page), size_t page)
{
	char before[16];
	int status;

	get_file("/proc/sys/vm/swappiness", before, sizeof(before));
	put_file("/proc/sys/vm/swappiness", swappiness);
	status = run_in_group(work, page);
	put_file("/proc/sys/vm/swappiness", before);
	return status;
}

/* Though it is what is oldest, and so what goes if there is a choice. */
TEST_F_TIMEOUT(file, swappiness_0_takes_no_anon, 300)
{
	EXPECT_EQ(1, run_at_swappiness("60", work_swappiness, self->page));
	EXPECT_EQ(0, run_at_swappiness("0", work_swappiness, self->page));
}

static int work_stream(size_t page)
{
	char *p = pages_of(LIMIT / 4);
	size_t hot = LIMIT / 4;
	int fd = open_file();

	fill(p, LIMIT / 4, false);
	/* Twice is use; not of what is in a batch of another CPU then, or waits in one. */
	read_part(fd, 0, hot);
	sleep_ms(50);
	drain_batches();
	read_part(fd, 0, hot);
	drain_batches();
	read_part(fd, hot, FILE_SIZE - hot);
	if (!most(present(p, LIMIT / 4, page), LIMIT / 4, page, "memory"))
		return 1;
	return most(cached(fd, 0, hot, page), hot, page, "cache") ? 0 : 2;
}

/* Four times the group's limit, read once: neither memory nor cache in use goes. */
TEST_F_TIMEOUT(file, stream_does_not_flush, 300)
{
	EXPECT_EQ(0, run_in_group(work_stream, self->page));
}

static int work_mapped(size_t page)
{
	size_t hot = LIMIT / 4;
	char *p = map_file(open_file());

	for (size_t i = 0; i < FILE_SIZE; i += page) {
		load_word(p + i);
		if (i % (LIMIT / 16) == 0)
			load_pages(p, hot, page);
	}
	return most(present(p, hot, page), hot, page, "the mapped file") ? 0 : 1;
}

/* Pages that keep being touched stay, be there ever so many that are once. */
TEST_F_TIMEOUT(file, mapped_and_hot_stays, 300)
{
	EXPECT_EQ(0, run_in_group(work_mapped, self->page));
}

static int work_cache_only(size_t page)
{
	int fd = open_file();

	for (int turn = 0; turn < 3; turn++)
		read_part(fd, 0, FILE_SIZE);
	return 0;
}

/* Cache that nobody has mapped makes way, and nothing is killed for it. */
TEST_F_TIMEOUT(file, cache_is_reclaimable, 300)
{
	long swapped = vm_count("pswpout");

	put_file(GROUP "/memory.max", "8M");
	EXPECT_EQ(0, run_in_group(work_cache_only, self->page));
	EXPECT_EQ(0, get_line(GROUP "/memory.events", "oom_kill"));
	EXPECT_GT(100, vm_count("pswpout") - swapped);
}

static int work_swappiness_200(size_t page)
{
	size_t len = LIMIT / 4;
	char *p = pages_of(LIMIT / 2);
	int fd = open_file();

	fill(p, LIMIT / 2, false);
	read_part(fd, 0, len);
	drain_batches();
	if (put_file(GROUP "/memory.reclaim", "2M swappiness=200"))
		return errno == EINVAL ? 4 : 101;
	if (present(p, LIMIT / 2, page) * 8 > (long)(LIMIT / 2 / page) * 7)
		return 1;
	return most(cached(fd, 0, len, page), len, page, "cache that was read once") ? 0 : 2;
}

/* Not even what goes before all else otherwise. */
TEST_F_TIMEOUT(file, swappiness_200_takes_no_cache, 300)
{
	int status = run_in_group(work_swappiness_200, self->page);

	if (status == 4)
		SKIP(return, "memory.reclaim takes no swappiness");
	EXPECT_EQ(0, status);
}

static int work_read(size_t page)
{
	int fd = open_file();

	read_part(fd, 0, LIMIT / 4);
	drain_batches();
	return 0;
}

/* Who has nothing else gives cache at once, not when reclaim is at its wits' end. */
TEST_F_TIMEOUT(file, swappiness_200_takes_cache_of_who_has_no_other, 300)
{
	int fd = open_file();	/* Its pages stay until it is closed for the last time. */
	long rounds;

	EXPECT_EQ(0, run_in_group(work_read, self->page));
	rounds = lpl_stat("reclaim_rounds");
	if (put_file(GROUP "/memory.reclaim", "2M swappiness=200")) {
		close(fd);
		if (errno == EINVAL)
			SKIP(return, "memory.reclaim takes no swappiness");
		ASSERT_EQ(0, errno);
	}
	rounds = lpl_stat("reclaim_rounds") - rounds;
	TH_LOG("%ld rounds for %zu pages", rounds, 2 * MIB / self->page);
	/* They take 32 pages each, or less; to go through all priorities for a part is more. */
	EXPECT_GE((long)(4 * 2 * MIB / self->page / 32 * nodes()), rounds);
	close(fd);
}

/* Cache that was in use, evicted, and is read again. */
static int work_cache_returns(size_t page)
{
	size_t len = LIMIT / 4;
	char *other = pages_of(LIMIT);
	int fd = open_file();
	struct return_of was;
	long there;

	for (int turn = 0; turn < 3; turn++) {
		read_part(fd, 0, len);
		drain_batches();
	}
	fill(other, LIMIT, false);
	there = cached(fd, 0, len, page);
	was = return_begins("workingset_restore_file");
	if (there * 4 > (long)(len / page))
		return 3;
	read_part(fd, 0, len);
	return return_ends(&was, len / page - there);
}

TEST_F_TIMEOUT(file, stalls_are_counted, 300)
{
	EXPECT_EQ(0, run_in_group(work_cache_returns, self->page));
}

/* Memory and a part of a mapped file, of which one is older; which of them reclaim takes. */
static int work_older(size_t page, bool file_first)
{
	size_t len = LIMIT / 3;
	char *file = mmap(NULL, len, PROT_READ, MAP_SHARED, open_file(), 0), *p = pages_of(len);
	long left[2];

	if (file == MAP_FAILED)
		return 101;
	for (int turn = 0; turn < 2; turn++) {
		if (file_first == !turn)
			load_pages(file, len, page);
		else
			fill(p, len, false);
		settle_ms(300);
	}
	put_file(GROUP "/memory.reclaim", "4M");
	left[0] = present(p, len, page);
	left[1] = present(file, len, page);
	printf("# resident %ld of memory, %ld of the file, of %zu\n", left[0], left[1], len / page);
	fflush(stdout);
	return left[file_first] * 4 > left[!file_first] * 3;
}

static int work_file_is_older(size_t page)
{
	return work_older(page, true);
}

static int work_memory_is_older(size_t page)
{
	return work_older(page, false);
}

/* There is one age for both; at 100 no kind costs more than the other. */
TEST_F_TIMEOUT(file, the_older_goes_whatever_it_is, 300)
{
	put_file(LPL_DIR "always", "1");
	EXPECT_EQ(0, run_at_swappiness("100", work_file_is_older, self->page));
	EXPECT_EQ(0, run_at_swappiness("100", work_memory_is_older, self->page));
}

static int work_file_loop(size_t page)
{
	char *p = mmap(NULL, 2 * LIMIT, PROT_READ, MAP_SHARED, open_file(), 0);

	/* Nothing is read ahead: each page is a fault. */
	if (p == MAP_FAILED || madvise(p, 2 * LIMIT, MADV_RANDOM))
		return 101;
	for (int turn = 0; turn < 3; turn++)
		load_pages(p, 2 * LIMIT, page);
	return 0;
}

TEST_F_TIMEOUT(file, refaults_are_counted, 300)
{
	struct refaults was = refaults_begin("workingset_refault_file");

	EXPECT_EQ(0, run_in_group(work_file_loop, self->page));
	EXPECT_TRUE(refaults_end(&was, 2 * LIMIT / self->page));
}

/**
 * struct change - of the policy, while one needs memory at once
 * @from: policy before
 * @to: policy after
 * @reads: how often the part of the file is read before
 * @other: descriptor of a file in which there is a lot of page cache
 * @len: how much
 */
struct change {
	const char *from, *to;
	int reads;
	int other;
	size_t len;
};

/* In the root group, which is the first that a change comes to. */
static bool change_fill(const struct change *change)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		enter(ROOT);
		for (int turn = 0; turn < 2; turn++)
			read_part(change->other, 0, change->len);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/*
 * Has nothing but page cache to give, and grows over the limit when the new policy
 * is in force; up to there it has grown before, as the change does not take long.
 */
static void change_work(const struct change *change, size_t page, int ready, uint64_t *end)
{
	size_t before = LIMIT * 3 / 16, after = LIMIT / 8;
	int fd = open_file();
	char *p;

	enter(GROUP);
	p = pages_of(before + after);
	for (int turn = 0; turn < change->reads; turn++)
		read_part(fd, 0, LIMIT * 3 / 4);
	fill(p, before, false);
	if (write(ready, "x", 1) != 1)
		_exit(105);
	while (!policy_is(change->to))
		;
	fill(p + before, after, false);
	*end = now_ns();
	_exit(0);
}

/* How it ended; set @during if that was before the change was over. */
static int change_once(const struct change *change, size_t page, bool *during)
{
	uint64_t *end = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = -1, ready[2];
	uint64_t changed;
	pid_t pid;
	char c;

	if (end == MAP_FAILED || set_policy(change->from) || !change_fill(change) || pipe(ready))
		return -1;
	pid = fork();
	if (!pid)
		change_work(change, page, ready[1], end);
	close(ready[1]);
	if (read(ready[0], &c, 1) == 1 && !set_policy(change->to)) {
		changed = now_ns();
		waitpid(pid, &status, 0);
		*during = status || *end < changed;
	}
	close(ready[0]);
	munmap(end, page);
	return status;
}

static void change_hides(struct __test_metadata *_metadata, size_t page, struct change *change)
{
	struct change none = { .from = change->from, .to = change->from, .reads = change->reads };
	bool during = false;
	char path[32];
	int big;

	change->len = mem_available_kb() * 1024 / 3 / MIB * MIB;
	if (change->len > 384 * MIB)
		change->len = 384 * MIB;
	big = zram_add(change->len / MIB);
	if (big < 0)
		SKIP(return, "no zram");
	snprintf(path, sizeof(path), "/dev/zram%d", big);
	change->other = open(path, O_RDONLY);
	EXPECT_LE(0, change->other);
	put_file(GROUP "/memory.swap.max", "0");
	/* There is enough for it where nothing changes. */
	none.other = change->other;
	none.len = change->len;
	EXPECT_EQ(0, change_once(&none, page, &during));
	during = false;
	for (int turn = 0; turn < 5 && !during; turn++)
		EXPECT_EQ(0, change_once(change, page, &during));
	close(change->other);
	zram_remove(big);
	EXPECT_EQ(0, get_line(GROUP "/memory.events", "oom_kill"));
	if (!during)
		SKIP(return, "the policy is changed too fast to see");
}

/*
 * A change goes from one memory cgroup to the next, and the last one may need
 * memory before that. Cache that was in use is on the active list then, where lru
 * has nothing; without swap there is nothing else.
 */
TEST_F_TIMEOUT(file, change_to_lru_hides_nothing, 300)
{
	struct change change = { .from = "classic", .to = "lru", .reads = 3 };

	change_hides(_metadata, self->page, &change);
}

/* What was read once is where classic has nothing. */
TEST_F_TIMEOUT(file, change_from_lru_hides_nothing, 300)
{
	struct change change = { .from = "lru", .to = "classic", .reads = 1 };

	change_hides(_metadata, self->page, &change);
}

#define PROTECTED	GROUP "/protected"
#define OTHER		GROUP "/other"

static void protect_parts(void)
{
	put_file(GROUP "/cgroup.subtree_control", "+memory");
	mkdir(PROTECTED, 0755);
	mkdir(OTHER, 0755);
}

/* Fills its part, waits to be told, and looks what is left of it, %. */
static int work_protected(size_t page, int ready, int go)
{
	char *p = pages_of(LIMIT / 4), c = 0;

	fill(p, LIMIT / 4, false);
	if (write(ready, &c, 1) != 1 || read(go, &c, 1) != 1)
		return 105;
	most(present(p, LIMIT / 4, page), LIMIT / 4, page, "what is protected");
	return present(p, LIMIT / 4, page) * 100 / (LIMIT / 4 / page);
}

/* More memory than fits. */
static int work_beside(size_t page)
{
	char *p = pages_of(2 * LIMIT);

	for (int i = 0; i < 3; i++)
		fill(p, 2 * LIMIT, i);
	return 0;
}

static int work_stream_beside(size_t page)
{
	read_part(open_file(), 0, FILE_SIZE);
	return 0;
}

/* What is left, %; less than 0 if it cannot be told. */
static int run_protected(size_t page, const char *how, int (*beside)(size_t page))
{
	int status = -1, ready[2], go[2];
	char c = 0;
	pid_t pid;

	protect_parts();
	put_file(how, "8M");
	if (pipe(ready) || pipe(go))
		return -1;
	pid = fork();
	if (!pid) {
		enter(PROTECTED);
		_exit(work_protected(page, ready[1], go[0]));
	}
	if (read(ready[0], &c, 1) != 1)
		return -1;
	/* Younger by far, and all that has to go is its own. */
	sleep_ms(100);
	run_in(OTHER, beside, page);
	if (write(go[1], &c, 1) != 1)
		return -1;
	waitpid(pid, &status, 0);
	group_remove(PROTECTED);
	group_remove(OTHER);
	put_file(GROUP "/cgroup.subtree_control", "-memory");
	return WIFEXITED(status) && WEXITSTATUS(status) <= 100 ? WEXITSTATUS(status) : -1;
}

TEST_F_TIMEOUT(file, memory_min_protects, 300)
{
	EXPECT_LE(95, run_protected(self->page, PROTECTED "/memory.min", work_beside));
}

TEST_F_TIMEOUT(file, memory_low_protects, 300)
{
	EXPECT_LE(95, run_protected(self->page, PROTECTED "/memory.low", work_beside));
}

/* It can fail: without protection the older part goes. */
TEST_F_TIMEOUT(file, without_protection_the_older_goes, 300)
{
	int left = run_protected(self->page, PROTECTED "/memory.high", work_beside);

	EXPECT_LE(0, left);
	EXPECT_GT(50, left);
}

/*
 * What was read once goes first, whichever memory cgroup has it.  Before that is
 * known, while it is in the batches of the CPUs, some may go.
 */
TEST_F_TIMEOUT(file, stream_spares_its_sibling, 300)
{
	for (int guard = 0; guard < 2; guard++) {
		if (put_file(LPL_DIR "guard", guard ? "1" : "0"))
			break;
		EXPECT_LE(70, run_protected(self->page, PROTECTED "/memory.high",
					    work_stream_beside));
	}
}

#define FAULTS		256
#define FAULTS_LEAST	64	/* some batches of a CPU */
#define PASSES_MS	1000	/* between two passes, the most that interval_ms takes */
#define TRIES		20	/* to have all faults between two passes */
#define SLACK_MS	100	/* ticks, and the time between two lines of a test */

/*
 * Faults on pages that are not in the cache, all of them between two passes: a pass that falls
 * between a page's way into the cache and its mapping finds the use in the pass after, and says
 * so.  false: it took too long, as on a machine that is busy with something else.
 */
static bool fault_between_passes(int fd, const char *p, size_t len, size_t page)
{
	long passes = lpl_stat("passes");
	uint64_t start;

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	while (lpl_stat("passes") == passes)
		;
	start = now_ns();
	load_pages(p, len, page);
	/* What waits in the batch of a CPU gets its stamp as it is added. */
	drain_batches();
	return now_ns() - start < PASSES_MS * 3 / 4 * 1000000ULL;
}

/*
 * What a fault brings is not read once, as it will be mapped, though what fills the batch
 * of a CPU is not when it is added.
 */
TEST_F_TIMEOUT(file, faults_are_in_order, 120)
{
	size_t len = FAULTS * self->page, least_len = FAULTS_LEAST * self->page;
	char interval[16], path[64];
	uint64_t last;
	int fd, tries;
	long least;
	char *p;

	/* No reading ahead; what is advised to be read at random is not in order. */
	snprintf(path, sizeof(path), "/sys/block/zram%d/queue/read_ahead_kb", self->zram);
	ASSERT_EQ(0, put_file(path, "0"));
	fd = open_file();
	snprintf(interval, sizeof(interval), "%d", PASSES_MS);
	put_file(LPL_DIR "interval_ms", interval);
	put_file(LPL_DIR "always", "1");
	p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	for (tries = 1; !fault_between_passes(fd, p, len, self->page); tries++) {
		ASSERT_GT(TRIES, tries);
		/* What is mapped stays in the cache. */
		munmap(p, len);
		len = len / 2 < least_len ? least_len : len / 2;
		p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, p);
	}
	last = now_ns();
	settle_ms(2 * PASSES_MS);
	least = (now_ns() - last) / 1000000 - SLACK_MS;
	EXPECT_EQ((long)(len / self->page), listed(p, len, least));
	munmap(p, len);
	close(fd);
}

TEST_HARNESS_MAIN
