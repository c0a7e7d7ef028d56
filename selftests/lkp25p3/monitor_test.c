// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/lkp25p3: the monitor counts the pages that were accessed, those alone,
 * and takes them from nobody.
 *
 * No test depends on how fast the machine is: a page is touched, at least one
 * scan is waited for, and it has to be counted exactly once.
 */
#include <sys/utsname.h>
#include <time.h>
#include "lkp25p3_test.h"

#define MAX_PAGES	16384
#define INTERVAL_MS	10

struct second {
	struct lkp25p3_second head;
	unsigned char counts[MAX_PAGES];
};

FIXTURE(monitor)
{
	int fd;
	int ring;
	size_t page;
	size_t nr;		/* pages watched */
	char *p;
	unsigned long *sums;	/* counts of all seconds read */
	struct second last;
	unsigned long seconds, gaps;
	uint64_t max_granule, missed;
	unsigned long crossings;	/* scans while pages were touched, at most */
	struct lkp25p3_monitor m;
};

#define monitor_fixture FIXTURE_DATA(monitor)

FIXTURE_SETUP(monitor)
{
	self->page = page_bytes();
	self->ring = -1;
	self->fd = lkp_open();
	if (self->fd < 0)
		SKIP(return, "no " LKP25P3_PROC " (is the module loaded, are you root?)");
	if (access(LKP25P3_DEBUGFS "/monitor", F_OK))
		SKIP(return, "no " LKP25P3_DEBUGFS " (is debugfs mounted?)");
	self->sums = calloc(MAX_PAGES, sizeof(*self->sums));
}

FIXTURE_TEARDOWN(monitor)
{
	free(self->sums);
	close(self->ring);
	close(self->fd);
}

static int ring_open(unsigned int id)
{
	char path[96];

	snprintf(path, sizeof(path), LKP25P3_DEBUGFS "/monitor/%u/counts", id);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Watch @nr pages at @p; 0 or -1 and errno. */
static int watch(monitor_fixture *self, char *p, size_t nr)
{
	self->p = p;
	self->nr = nr;
	self->m.start = (uintptr_t)p;
	self->m.len = nr * self->page;
	if (!self->m.interval_ms)
		self->m.interval_ms = INTERVAL_MS;
	self->m.flags |= LKP25P3_MONITOR_QUIET;
	if (ioctl(self->fd, LKP25P3_IOC_MONITOR_START, &self->m))
		return -1;
	self->ring = ring_open(self->m.id);
	return self->ring < 0 ? -1 : 0;
}

/* Add up the seconds there are; returns how many. */
static int read_seconds(monitor_fixture *self)
{
	uint64_t before = self->last.head.seq;
	int nr = 0;

	while (read(self->ring, &self->last, sizeof(self->last)) > 0) {
		self->gaps += self->last.head.seq != before + 1;
		before = self->last.head.seq;
		self->missed += self->last.head.missed;
		if (self->last.head.max_granule > self->max_granule)
			self->max_granule = self->last.head.max_granule;
		for (size_t i = 0; i < self->nr; i++)
			self->sums[i] += self->last.counts[i];
		self->seconds++;
		nr++;
	}
	return nr;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Until a second is over whose last scan began later than now, or the last is. */
static void wait_for_scan(monitor_fixture *self)
{
	uint64_t now = now_ns();

	for (int i = 0; i < 6000 && !self->last.head.ended; i++) {
		if (read_seconds(self) &&
		    self->last.head.end_ns - self->last.head.scan_ns > now)
			break;
		usleep(10000);
	}
}

/* Pages were touched from @begin until now. */
static void touched_since(monitor_fixture *self, uint64_t begin)
{
	self->crossings += (now_ns() - begin) / (self->m.interval_ms * 1000000ULL) + 1;
}

/*
 * Pages that were not counted as often as they were touched, or that were and
 * were not touched.  One that is touched while a scan comes by may count twice:
 * the fault that sets the bit and the access itself are not one.  So there may
 * be one for each scan, with all the pages that share its bit.
 */
static size_t wrong(monitor_fixture *self, const unsigned char *want, unsigned int times)
{
	size_t granule = self->max_granule ? self->max_granule / self->page : 1;
	size_t bits = self->nr / granule;
	size_t bad = 0, twice = 0;
	size_t allowed = self->crossings > bits / 100 + 1 ? self->crossings : bits / 100 + 1;

	for (size_t i = 0; i < self->nr; i++) {
		bad += want[i] ? self->sums[i] < times : self->sums[i] > 0;
		twice += want[i] && self->sums[i] > times;
	}
	return bad + (twice > allowed * granule ? twice : 0);
}

/*
 * Write to a page; returns how often that counts at the most.  Where a fault sets
 * the bit, a scan may come between it and the access, which then faults again: a
 * use for each of them.
 */
static unsigned long write_and_count(char *p)
{
	long faults = minor_faults();

	write_page(p);
	faults = minor_faults() - faults;
	return faults > 1 ? faults : 1;
}

static void touch(monitor_fixture *self, const unsigned char *set, bool writing)
{
	uint64_t begin = now_ns();

	for (size_t i = 0; i < self->nr; i++) {
		if (!set[i])
			continue;
		if (writing)
			write_page(self->p + i * self->page);
		else
			read_page(self->p + i * self->page);
	}
	touched_since(self, begin);
}

static char *map_written(size_t len)
{
	char *p = map_small(len);

	if (p != MAP_FAILED)
		write_pages(p, len);
	return p;
}

/* A huge page, and what is in it; NULL if there is none to be had. */
static char *map_huge(size_t huge)
{
	char *p = map_aligned(huge, huge);

	if (huge / page_bytes() > MAX_PAGES || p == MAP_FAILED)
		return NULL;
	madvise(p, huge, MADV_HUGEPAGE);
	write_pages(p, huge);
	return madvise(p, huge, MADV_COLLAPSE) ? NULL : p;
}

/* Blocks of 64 KiB of contiguous entries; NULL if this machine has none, or MAP_FAILED. */
static char *map_blocks(size_t nr)
{
	const char *path = THP "hugepages-64kB/enabled";
	struct utsname name;
	char old[16], *p;

	uname(&name);
	if (strcmp(name.machine, "aarch64") || page_bytes() != 4096)
		return NULL;
	get_choice(path, old, sizeof(old));
	if (put_file(path, "always"))
		return MAP_FAILED;
	p = map_aligned(nr * 65536, 65536);
	if (p != MAP_FAILED)
		write_pages(p, nr * 65536);
	return put_file(path, old[0] ? old : "never") ? MAP_FAILED : p;
}

#define NO_BLOCKS	"64 KiB of contiguous entries are for arm64 with 4 KiB pages"

/* Another monitor, of the same process. */
static int watch_too(monitor_fixture *other, size_t page, char *p, size_t nr)
{
	*other = (monitor_fixture){ .fd = lkp_open(), .page = page };
	other->sums = calloc(MAX_PAGES, sizeof(*other->sums));
	other->m.interval_ms = 7;
	return watch(other, p, nr);
}

static void end_watch_too(monitor_fixture *other)
{
	free(other->sums);
	close(other->ring);
	close(other->fd);
}

/* Pages of which the count is not 1 to @most, for those from @first up to @end, or 0. */
static size_t wrong_part(const monitor_fixture *self, size_t first, size_t end, unsigned long most)
{
	size_t bad = 0;

	for (size_t i = 0; i < self->nr; i++) {
		bool used = i >= first && i < end;

		bad += self->sums[i] < used || self->sums[i] > (used ? most : 0);
	}
	return bad;
}

/* Precision and recall. */

static unsigned int next_random(unsigned int *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 8;
}

static void make_pattern(unsigned char *set, size_t nr, int pattern)
{
	unsigned int x = 1;

	for (size_t i = 0; i < nr; i++) {
		switch (pattern) {
		case 0:		/* one of a hundred, anywhere */
			set[i] = next_random(&x) % 100 == 0;
			break;
		case 1:		/* every other one */
			set[i] = i % 2;
			break;
		case 2:		/* the ends */
			set[i] = i == 0 || i == nr - 1;
			break;
		case 3:		/* all */
			set[i] = 1;
			break;
		default:	/* bursts */
			set[i] = i / 37 % 5 == 2;
		}
	}
}

TEST_F_TIMEOUT(monitor, counts_each_page_that_was_touched_and_no_other, 120)
{
	static unsigned char set[MAX_PAGES];
	size_t nr = 4099;	/* no multiple of anything */

	/* From the middle of a table on. */
	ASSERT_EQ(0, watch(self, map_written((nr + 3) * self->page) + 3 * self->page, nr));
	for (int pattern = 0; pattern < 5; pattern++) {
		make_pattern(set, nr, pattern);
		memset(self->sums, 0, MAX_PAGES * sizeof(*self->sums));
		self->crossings = 0;
		/* The last one twice: by reading, and by writing. */
		for (int times = 1; times <= 1 + (pattern == 4); times++) {
			touch(self, set, times == 2);
			wait_for_scan(self);
			EXPECT_EQ(0, wrong(self, set, times)) {
				TH_LOG("pattern %d, %d times", pattern, times);
			}
		}
	}
	EXPECT_EQ(0, self->gaps);
	EXPECT_EQ(self->page, self->max_granule);
	EXPECT_EQ(nr, self->last.head.present);
	EXPECT_EQ(0, self->last.head.coarse);
}

TEST_F(monitor, the_head_of_a_second_is_right)
{
	struct lkp25p3_second *s = &self->last.head;

	ASSERT_EQ(0, watch(self, map_written(64 * self->page), 64));
	wait_for_scan(self);
	EXPECT_EQ(LKP25P3_SECOND_MAGIC, s->magic);
	EXPECT_EQ(sizeof(*s), s->bytes);
	EXPECT_EQ((uintptr_t)self->p, s->va);
	EXPECT_EQ(64, s->nr_pages);
	EXPECT_EQ(self->page, s->page_bytes);
	EXPECT_EQ(INTERVAL_MS, s->interval_ms);
	EXPECT_EQ(1, s->sample);
	EXPECT_LE(1000 / INTERVAL_MS, s->scans + s->missed);
	EXPECT_LE(990000000ULL, s->end_ns - s->start_ns);
	EXPECT_EQ(64 * s->scans, s->visited);
	EXPECT_LT(0, s->scan_ns);
	EXPECT_LT(0, s->cpu_ns);
	EXPECT_EQ(0, s->ended);
}

/* Every interval in which it is accessed counts, and a page that always is has all. */
TEST_F(monitor, a_page_in_use_is_counted_by_each_scan)
{
	unsigned long scans;

	self->m.interval_ms = 100;
	ASSERT_EQ(0, watch(self, map_written(16 * self->page), 16));
	scans = 0;
	while (self->seconds < 4) {
		unsigned long before = self->seconds;

		for (int i = 0; i < 1000; i++)
			write_page(self->p + 5 * self->page);
		read_seconds(self);
		if (self->seconds != before)
			scans += self->last.head.scans;
	}
	/* A scan or two may have come while this was not running. */
	EXPECT_GE(scans, self->sums[5]);
	EXPECT_LE(scans / 2, self->sums[5]);
	EXPECT_EQ(0, self->sums[4] + self->sums[6]);
}

TEST_F(monitor, sampling_counts_a_page_when_its_turn_comes)
{
	static unsigned char set[MAX_PAGES];
	struct lkp25p3_second *s = &self->last.head;
	size_t nr = 1000;

	self->m.sample = 8;
	ASSERT_EQ(0, watch(self, map_written(nr * self->page), nr));
	make_pattern(set, nr, 4);
	touch(self, set, true);
	wait_for_scan(self);
	EXPECT_EQ(0, wrong(self, set, 1));
	EXPECT_EQ(8, s->sample);
	/* Each scan looks at an eighth. */
	EXPECT_GE((uint64_t)s->scans * (nr / 8 + 1), s->visited);
	EXPECT_LE((uint64_t)s->scans * (nr / 8), s->visited);
}

/* Entries for more than a page. */

TEST_F(monitor, a_huge_page_counts_as_a_whole_and_is_said_to)
{
	size_t huge = pmd_bytes(), nr = huge / self->page;
	char *p = map_huge(huge);
	unsigned long most;

	if (!p)
		SKIP(return, "no huge page to be had");
	ASSERT_EQ(0, watch(self, p, nr));
	most = write_and_count(p + 17 * self->page);
	wait_for_scan(self);
	EXPECT_EQ(huge, self->max_granule);
	EXPECT_EQ(nr, self->last.head.coarse);
	EXPECT_EQ(nr, self->last.head.present);
	EXPECT_EQ(0, wrong_part(self, 0, nr, most));
}

/* Each clears the bit of the whole, of which the other one watches the rest. */
TEST_F(monitor, two_share_a_huge_page)
{
	size_t huge = pmd_bytes(), half = huge / self->page / 2;
	static monitor_fixture other;
	char *p = map_huge(huge);
	unsigned long most;

	if (!p)
		SKIP(return, "no huge page to be had");
	ASSERT_EQ(0, watch(self, p, half));
	ASSERT_EQ(0, watch_too(&other, self->page, p + huge / 2, half));
	most = write_and_count(p + 17 * self->page);
	wait_for_scan(self);
	wait_for_scan(&other);
	EXPECT_EQ(0, wrong_part(self, 0, half, most));
	EXPECT_EQ(0, wrong_part(&other, 0, half, most));
	EXPECT_EQ(half, self->last.head.present);
	end_watch_too(&other);
}

TEST_F(monitor, contiguous_entries_lose_no_access)
{
	static unsigned char set[MAX_PAGES];
	size_t nr = 64 * 16;
	char *p = map_blocks(64);
	uint64_t begin;

	if (!p)
		SKIP(return, NO_BLOCKS);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(lkp(self->fd, p).flags & LKP25P3_CONT);

	/* One page of every other block: all 16 of those count. */
	ASSERT_EQ(0, watch(self, p, nr));
	begin = now_ns();
	for (size_t block = 0; block < 64; block += 2) {
		write_page(p + block * 65536 + block % 16 * 4096);
		memset(set + block * 16, 1, 16);
	}
	touched_since(self, begin);
	wait_for_scan(self);
	EXPECT_EQ(0, wrong(self, set, 1));
	EXPECT_EQ(65536, self->max_granule);
	EXPECT_EQ(nr, self->last.head.coarse);
}

TEST_F(monitor, contiguous_entries_cut_by_the_ends_and_by_sampling)
{
	char *p = map_blocks(4);
	unsigned long most;

	if (!p)
		SKIP(return, NO_BLOCKS);
	ASSERT_NE(MAP_FAILED, p);
	self->m.sample = 5;
	ASSERT_EQ(0, watch(self, p + 3 * 4096, 3 * 16 - 7));
	most = write_and_count(p + 65536 + 8 * 4096);
	wait_for_scan(self);
	EXPECT_EQ(0, wrong_part(self, 13, 29, most));
}

/* As with a huge page; the blocks on both sides of the one that is shared are not used. */
TEST_F(monitor, two_share_a_block_of_contiguous_entries)
{
	static monitor_fixture other;
	char *p = map_blocks(4);
	unsigned long most;

	if (!p)
		SKIP(return, NO_BLOCKS);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(lkp(self->fd, p + 65536).flags & LKP25P3_CONT);
	ASSERT_EQ(0, watch(self, p, 16 + 5));
	ASSERT_EQ(0, watch_too(&other, self->page, p + (16 + 5) * 4096, 11 + 2 * 16));
	most = write_and_count(p + 65536 + 8 * 4096);
	wait_for_scan(self);
	wait_for_scan(&other);
	EXPECT_EQ(0, wrong_part(self, 16, 16 + 5, most));
	EXPECT_EQ(0, wrong_part(&other, 0, 11, most));
	end_watch_too(&other);
}

/* What it must not do. */

TEST_F(monitor, bad_requests_are_refused)
{
	uint64_t page = self->page, start = (uintptr_t)map_small(page);
	const struct lkp25p3_monitor bad[] = {
		{ .start = start },
		{ .start = start + 1, .len = page },
		{ .start = start, .len = page - 1 },
		{ .start = -page, .len = page },
		{ .start = start, .len = -page },
		{ .start = 1UL << 63, .len = page },
		{ .start = 0, .len = -page },
		{ .start = start, .len = page, .interval_ms = 3 },
		{ .start = start, .len = page, .interval_ms = 1001 },
		{ .start = start, .len = page, .sample = 65 },
		{ .start = start, .len = page, .flags = 4 },
		{ .start = start, .len = page, .flags = 1U << 31 },
	};
	struct lkp25p3_monitor m;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		m = bad[i];
		errno = 0;
		EXPECT_EQ(-1, ioctl(self->fd, LKP25P3_IOC_MONITOR_START, &m));
		EXPECT_EQ(EINVAL, errno) {
			TH_LOG("request %zu", i);
		}
	}
	m = (struct lkp25p3_monitor){ .start = 0, .len = (1UL << 25) * page };
	EXPECT_EQ(-1, ioctl(self->fd, LKP25P3_IOC_MONITOR_START, &m));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(-1, ioctl(self->fd, LKP25P3_IOC_MONITOR_START, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->fd, LKP25P3_IOC_MONITOR_STOP));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(monitor, one_to_a_file_and_sixteen_in_all)
{
	struct lkp25p3_monitor m = {
		.start = (uintptr_t)map_small(self->page), .len = self->page,
		.flags = LKP25P3_MONITOR_QUIET,
	};
	int fds[40], i;

	ASSERT_EQ(0, ioctl(self->fd, LKP25P3_IOC_MONITOR_START, &m));
	EXPECT_EQ(-1, ioctl(self->fd, LKP25P3_IOC_MONITOR_START, &m));
	EXPECT_EQ(EBUSY, errno);
	for (i = 0; i < 40; i++) {
		fds[i] = lkp_open();
		if (ioctl(fds[i], LKP25P3_IOC_MONITOR_START, &m))
			break;
	}
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(15, i);
	for (; i >= 0; i--)
		close(fds[i]);
	EXPECT_EQ(0, ioctl(self->fd, LKP25P3_IOC_MONITOR_STOP));
	EXPECT_EQ(0, ioctl(self->fd, LKP25P3_IOC_MONITOR_START, &m));
}

TEST_F(monitor, what_it_writes_to_the_log_is_short)
{
	size_t nr = 16384;
	struct lkp25p3_monitor m = { .interval_ms = 20 };
	char *p = map_written(nr * self->page), line[2048];
	int log = log_open(), lines = 0;
	unsigned int x = 1;

	m.start = (uintptr_t)p;
	m.len = nr * self->page;
	ASSERT_EQ(0, ioctl(self->fd, LKP25P3_IOC_MONITOR_START, &m));
	for (int i = 0; i < 150 && lines < 2; i++) {
		/* As irregular as can be. */
		for (int j = 0; j < 2000; j++)
			write_page(p + next_random(&x) % nr * self->page);
		usleep(20000);
		while (log_next(log, "seq=", line, sizeof(line), NULL)) {
			EXPECT_GE(960, strlen(line));
			EXPECT_NE(NULL, strstr(line, "] monitor "));
			EXPECT_NE(NULL, strstr(line, "]="));
			lines++;
		}
	}
	EXPECT_LE(2, lines);
	close(log);
}

TEST_F(monitor, a_short_buffer_gets_einval_and_no_news_is_zero)
{
	char little[64];

	ASSERT_EQ(0, watch(self, map_written(64 * self->page), 64));
	EXPECT_EQ(-1, read(self->ring, little, sizeof(little)));
	EXPECT_EQ(EINVAL, errno);
	wait_for_scan(self);
	EXPECT_EQ(0, read(self->ring, &self->last, sizeof(self->last)));
}

/* Others want to know of the same accesses. */

TEST_F(monitor, two_do_not_take_it_from_each_other)
{
	static unsigned char set[MAX_PAGES];
	static monitor_fixture other;
	size_t nr = 600;

	ASSERT_EQ(0, watch(self, map_written(nr * self->page), nr));
	ASSERT_EQ(0, watch_too(&other, self->page, self->p + 100 * self->page, nr - 100));
	make_pattern(set, nr, 4);
	touch(self, set, true);
	wait_for_scan(self);
	wait_for_scan(&other);
	EXPECT_EQ(0, wrong(self, set, 1));
	EXPECT_EQ(0, wrong(&other, set + 100, 1));
	end_watch_too(&other);
}

#define LRU_DIR "/sys/kernel/mm/lru_page_list/"

/* It clears the bits of all that ran each 10 ms, long before the monitor comes. */
TEST_F(monitor, lru_page_list_takes_it_from_nobody)
{
	static unsigned char set[MAX_PAGES];
	size_t nr = 600;
	char before[16];
	long found;

	if (access(LRU_DIR "policy", W_OK))
		SKIP(return, "no lru_page_list in this kernel");
	get_file(LRU_DIR "policy", before, sizeof(before));
	if (put_file(LRU_DIR "policy", "lru"))
		SKIP(return, "booted with lru_page_list=off");
	EXPECT_EQ(0, put_file(LRU_DIR "always", "1"));
	self->m.interval_ms = 200;
	EXPECT_EQ(0, watch(self, map_written(nr * self->page), nr));
	wait_for_scan(self);
	memset(self->sums, 0, MAX_PAGES * sizeof(*self->sums));
	make_pattern(set, nr, 4);
	found = get_line(LRU_DIR "stats", "young");
	touch(self, set, true);
	wait_for_scan(self);
	EXPECT_EQ(0, wrong(self, set, 1));
	EXPECT_LE(found + 60, get_line(LRU_DIR "stats", "young"));
	put_file(LRU_DIR "always", "0");
	put_file(LRU_DIR "policy", before);
}

#define IDLE_BITMAP "/sys/kernel/mm/page_idle/bitmap"

/* 1: the page of @pfn is idle, 0: it is not; -1: cannot tell. */
static int is_idle(uint64_t pfn)
{
	int fd = open(IDLE_BITMAP, O_RDONLY);
	uint64_t word;
	ssize_t n = pread(fd, &word, 8, pfn / 64 * 8);

	close(fd);
	return n == 8 ? word >> pfn % 64 & 1 : -1;
}

static int make_idle(uint64_t pfn)
{
	int fd = open(IDLE_BITMAP, O_WRONLY);
	uint64_t word = 1ULL << pfn % 64;
	ssize_t n = pwrite(fd, &word, 8, pfn / 64 * 8);

	close(fd);
	return n == 8 ? 0 : -1;
}

/* Touched, seen by the monitor, and then asked of page_idle. */
static int idle_after_touch(struct __test_metadata *_metadata, monitor_fixture *self)
{
	char *p = map_written(64 * self->page);
	uint64_t pfn = pagemap_pfn(p + 9 * self->page);
	unsigned long most;

	EXPECT_EQ(0, watch(self, p, 64));
	/* A page has to be on its list to be idle. */
	for (int i = 0; i < 50 && is_idle(pfn) != 1; i++) {
		make_idle(pfn);
		usleep(20000);
		madvise(p, self->page, 20 /* MADV_COLD drains the CPUs' batches */);
	}
	if (is_idle(pfn) != 1)
		return -1;
	most = write_and_count(p + 9 * self->page);
	wait_for_scan(self);
	EXPECT_LE(1, self->sums[9]);
	EXPECT_GE(most, self->sums[9]);
	return is_idle(pfn);
}

TEST_F(monitor, page_idle_is_not_robbed)
{
	int idle;

	if (access(IDLE_BITMAP, R_OK))
		SKIP(return, "no " IDLE_BITMAP);
	idle = idle_after_touch(_metadata, self);
	if (idle < 0)
		SKIP(return, "the page cannot be made idle");
	EXPECT_EQ(0, idle);
}

/* What the test before would see if it were. */
TEST_F(monitor, page_idle_is_robbed_if_that_is_asked_for)
{
	int idle;

	if (access(IDLE_BITMAP, R_OK))
		SKIP(return, "no " IDLE_BITMAP);
	self->m.flags = LKP25P3_MONITOR_NO_HAND_ON;
	idle = idle_after_touch(_metadata, self);
	if (idle < 0)
		SKIP(return, "the page cannot be made idle");
	EXPECT_EQ(1, idle);
}

/* The process may do what it likes. */

TEST_F(monitor, a_child_of_fork_is_not_watched)
{
	size_t nr = 64;
	char *p = mmap(NULL, nr * self->page, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned char none[64] = { 0 };
	int status;
	pid_t pid;

	write_pages(p, nr * self->page);
	ASSERT_EQ(0, watch(self, p, nr));
	pid = fork();
	if (!pid) {
		write_pages(p, nr * self->page);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	wait_for_scan(self);
	EXPECT_EQ(0, wrong(self, none, 1));
}

TEST_F(monitor, memory_may_be_unmapped_meanwhile)
{
	static unsigned char set[MAX_PAGES];
	size_t nr = 600;

	ASSERT_EQ(0, watch(self, map_written(nr * self->page), nr));
	ASSERT_EQ(0, munmap(self->p + 200 * self->page, 100 * self->page));
	memset(set, 1, nr);
	memset(set + 200, 0, 100);
	touch(self, set, true);
	wait_for_scan(self);
	EXPECT_EQ(0, wrong(self, set, 1));
	EXPECT_EQ(nr - 100, self->last.head.present);
	ASSERT_EQ(0, munmap(self->p, nr * self->page));
	wait_for_scan(self);
	EXPECT_EQ(0, self->last.head.present);
	EXPECT_EQ(0, self->last.head.ended);
}

/* A child that is watched, by a file that its parent has too. */
static pid_t watched_child(monitor_fixture *self, bool exec)
{
	int told[2];
	pid_t pid;

	if (pipe(told))
		return -1;
	pid = fork();
	if (!pid) {
		int failed = watch(self, map_written(64 * self->page), 64);

		if (write(told[1], &self->m.id, 4) != 4 || failed)
			_exit(1);
		usleep(100000);
		if (exec)
			execl("/proc/self/exe", "monitor_test", "--wait", NULL);
		_exit(0);
	}
	self->nr = 64;
	if (read(told[0], &self->m.id, 4) != 4)
		return -1;
	self->ring = ring_open(self->m.id);
	return pid;
}

TEST_F(monitor, the_process_may_exit)
{
	pid_t pid = watched_child(self, false);
	int status;

	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	wait_for_scan(self);
	EXPECT_EQ(1, self->last.head.ended);
	usleep(50000);
	EXPECT_EQ(0, read_seconds(self));
	EXPECT_EQ(0, ioctl(self->fd, LKP25P3_IOC_MONITOR_STOP));
}

TEST_F(monitor, the_process_may_exec)
{
	pid_t pid = watched_child(self, true);
	int status;

	ASSERT_LT(0, pid);
	wait_for_scan(self);
	EXPECT_EQ(1, self->last.head.ended);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
}

TEST_F(monitor, it_ends_with_its_file_and_its_directory_goes)
{
	char path[96];

	ASSERT_EQ(0, watch(self, map_written(64 * self->page), 64));
	snprintf(path, sizeof(path), LKP25P3_DEBUGFS "/monitor/%u/status", self->m.id);
	EXPECT_EQ(0, access(path, F_OK));
	ASSERT_EQ(0, close(self->fd));
	EXPECT_NE(0, access(path, F_OK));
	/* A reader's file is yet open. */
	EXPECT_EQ(-1, read(self->ring, &self->last, sizeof(self->last)));
	self->fd = lkp_open();
}

static __attribute__((constructor)) void wait_if_asked(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--wait"))
		for (;;)
			pause();
}

TEST_HARNESS_MAIN
