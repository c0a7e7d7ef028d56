// SPDX-License-Identifier: GPL-2.0-only
/* lru_page_list: the order of the queue is the order of the accesses. */
#include "../kselftest_harness.h"
#include <linux/lkp25p3.h>
#include <sys/ioctl.h>
#include "listing.h"

#define GROUPS	10
#define GROUP	64		/* pages */
#define APART	60		/* ms between groups, at least */
#define SLACK	100		/* ms: ticks, and the time between two lines of a test */

static void settle(void)
{
	settle_ms(APART);
}

static long ms_since(uint64_t then)
{
	return (now_ns() - then) / 1000000;
}

/* Of group 1; a fault maps what is around it, young on some CPUs. */
#define FAR	(32 * GROUPS + 1)

struct place {
	uint64_t pfn;
	long at;
	long age;
};

static void find_among_harvests(FILE *queue, struct place *place, int nr)
{
	struct queue_line line;
	char text[160];
	long at = 0;

	rewind(queue);
	for (int i = 0; i < nr; i++)
		place[i].at = -1;
	while (fgets(text, sizeof(text), queue)) {
		if (!queue_line(text, &line))
			continue;
		at++;
		for (int i = 0; i < nr; i++)
			if (place[i].pfn == line.pfn) {
				place[i].at = at;
				place[i].age = line.age;
			}
	}
}

static void find_places(FILE *queue, struct place *place, int nr)
{
	char interval[16];

	harvest_seldom(interval, sizeof(interval));
	find_among_harvests(queue, place, nr);
	harvest_each(interval);
}

FIXTURE(order)
{
	char before[16];
	size_t page;
	FILE *queue;
	int pagemap;
	int monitor;
	int zram;
	int fd;
	char *p;
	size_t len;
};

FIXTURE_VARIANT(order)
{
	bool shared;
	bool file;
	bool watched;
};

FIXTURE_VARIANT_ADD(order, anon) { .shared = false };
FIXTURE_VARIANT_ADD(order, shmem) { .shared = true };
/* A block device in memory, whose pages are those of any file. */
FIXTURE_VARIANT_ADD(order, file) { .file = true };
/* By another reader of accessed bits, who clears them more often. */
FIXTURE_VARIANT_ADD(order, watched) { .watched = true };

static int watch(const void *p, size_t len)
{
	struct lkp25p3_monitor monitor = {
		.start = (uintptr_t)p,
		.len = len,
		.interval_ms = LKP25P3_MIN_INTERVAL_MS,
		.flags = LKP25P3_MONITOR_QUIET,
	};
	int fd = open(LKP25P3_PROC, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && ioctl(fd, LKP25P3_IOC_MONITOR_START, &monitor)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* -1 where the memory is anonymous; -2 if there is no such thing. */
static int open_memory(bool shared, bool file, size_t len, int *zram)
{
	int fd = -1;

	if (shared)
		fd = memfd_create("order_test", 0);
	if (file) {
		*zram = zram_add(16);
		fd = *zram < 0 ? -1 : zram_open(*zram);
	}
	if (shared && ftruncate(fd, len))
		return -2;
	return fd < 0 && (shared || file) ? -2 : fd;
}

static void restore(const char *policy)
{
	put_file(LPL_DIR "always", "0");
	set_policy(policy);
}

FIXTURE_SETUP(order)
{
	self->monitor = -1;
	self->zram = -1;
	self->fd = -1;
	if (access(LPL_DIR "policy", R_OK))
		SKIP(return, "no lru_page_list in this kernel");
	if (variant->watched && access(LKP25P3_PROC, R_OK))
		SKIP(return, "no " LKP25P3_PROC);
	get_file(LPL_DIR "policy", self->before, sizeof(self->before));
	if (set_policy("lru"))
		SKIP(return, "booted with lru_page_list=off");
	ASSERT_EQ(0, put_file(LPL_DIR "always", "1"));
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	self->queue = fopen(LPL_QUEUE, "r");
	ASSERT_NE(NULL, self->queue);
	self->pagemap = open("/proc/self/pagemap", O_RDONLY);
	ASSERT_LE(0, self->pagemap);

	self->page = page_bytes();
	self->len = GROUPS * GROUP * self->page;
	self->fd = open_memory(variant->shared, variant->file, self->len, &self->zram);
	if (variant->file && self->fd < 0) {
		restore(self->before);
		SKIP(return, "no zram");
	}
	ASSERT_LE(-1, self->fd);
	self->p = mmap(NULL, self->len, PROT_READ | PROT_WRITE,
		       self->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->p);
	madvise(self->p, self->len, MADV_NOHUGEPAGE);
	memset(self->p, 1, self->len);
	if (variant->watched) {
		self->monitor = watch(self->p, self->len);
		ASSERT_LE(0, self->monitor);
	}
	/* Brings in what waits in the batches of the CPUs. */
	find_places(self->queue, NULL, 0);
	settle();
}

FIXTURE_TEARDOWN(order)
{
	if (self->monitor >= 0)
		close(self->monitor);
	if (self->zram >= 0) {
		munmap(self->p, self->len);
		close(self->fd);
		zram_remove(self->zram);
	}
	restore(self->before);
}

/* Group g is pages g, g + GROUPS, ...: neighbours are of different groups. */
static void touch_group(char *p, size_t page, int group)
{
	for (int i = 0; i < GROUP; i++)
		store_word(p + (i * GROUPS + group) * page, i);
}

TEST_F_TIMEOUT(order, is_that_of_the_accesses, 300)
{
	static const int turns[GROUPS] = { 3, 7, 0, 9, 1, 5, 8, 2, 6, 4 };
	struct place place[GROUPS * GROUP];
	long wrong = 0, pairs = 0, absent = 0;
	long told = lpl_stat("told");
	int turn_of[GROUPS];

	for (int i = 0; i < GROUPS; i++) {
		turn_of[turns[i]] = i;
		touch_group(self->p, self->page, turns[i]);
		settle();
	}
	for (int i = 0; i < GROUPS * GROUP; i++)
		place[i].pfn = pfn_of(self->pagemap, self->p + i * self->page);
	ASSERT_NE(0, place[0].pfn);
	find_places(self->queue, place, GROUPS * GROUP);

	for (int i = 0; i < GROUPS * GROUP; i++)
		for (int j = 0; j < GROUPS * GROUP; j++) {
			if (turn_of[i % GROUPS] <= turn_of[j % GROUPS])
				continue;
			pairs++;
			wrong += place[i].at > place[j].at;
		}
	for (int i = 0; i < GROUPS * GROUP; i++)
		absent += place[i].at < 0;
	TH_LOG("%ld of %ld pairs wrong, %ld pages not in the queue", wrong, pairs, absent);
	EXPECT_EQ(0, absent);
	EXPECT_LE(wrong * 1000, pairs);
	if (variant->watched)
		EXPECT_LT(told, lpl_stat("told"));
}

/* Seen by a harvest after the access and before settle() was over. */
TEST_F_TIMEOUT(order, ages_are_those_of_the_accesses, 300)
{
	uint64_t touched[GROUPS], settled[GROUPS];
	struct place place[GROUPS * GROUP];
	long least[GROUPS], off = 0;

	for (int i = 0; i < GROUPS; i++) {
		touched[i] = now_ns();
		touch_group(self->p, self->page, i);
		settle();
		settled[i] = now_ns();
	}
	for (int i = 0; i < GROUPS * GROUP; i++)
		place[i].pfn = pfn_of(self->pagemap, self->p + i * self->page);
	for (int i = 0; i < GROUPS; i++)
		least[i] = ms_since(settled[i]);
	find_places(self->queue, place, GROUPS * GROUP);
	for (int i = 0; i < GROUPS * GROUP; i++) {
		int group = i % GROUPS;

		off += place[i].age < least[group] - SLACK ||
		       place[i].age > ms_since(touched[group]) + SLACK;
	}
	EXPECT_LE(off * 50, GROUPS * GROUP) TH_LOG("%ld ages are off", off);
}

/* Pairs of pages, those of the first in a group left out, whose order is another one. */
static long turned_round(const struct place *first, const struct place *second)
{
	long nr = 0;

	for (int i = GROUPS; i < GROUPS * GROUP; i++)
		for (int j = GROUPS; j < GROUPS * GROUP; j++)
			nr += first[i].at < first[j].at && second[i].at >= second[j].at;
	return nr;
}

/* Looking does not change it: no page that nobody touched moves. */
TEST_F_TIMEOUT(order, reading_does_not_disturb, 300)
{
	struct place first[GROUPS * GROUP], second[GROUPS * GROUP];
	long moved = 0, absent = 0, all = (GROUPS - 1) * GROUP * GROUPS * GROUP / 2;

	for (int i = 0; i < GROUPS; i++) {
		touch_group(self->p, self->page, i);
		settle();
	}
	for (int i = 0; i < GROUPS * GROUP; i++)
		first[i].pfn = pfn_of(self->pagemap, self->p + i * self->page);
	memcpy(second, first, sizeof(second));
	find_among_harvests(self->queue, first, GROUPS * GROUP);
	find_among_harvests(self->queue, second, GROUPS * GROUP);
	for (int i = GROUPS; i < GROUPS * GROUP; i++) {
		moved += second[i].age < first[i].age;
		absent += first[i].at < 0 || second[i].at < 0;
	}
	EXPECT_EQ(0, absent);
	EXPECT_LE(moved * 100, GROUPS * GROUP);
	EXPECT_LE(turned_round(first, second) * 100, all);
}

static void expect_listing(struct __test_metadata *_metadata, FILE *queue,
			   const struct place *mine, int nr, bool file)
{
	struct listing all = { 0 };
	long twice = 0, of_type[2] = { 0 };

	listing_read(&all, queue);
	for (size_t i = 1; i < all.nr; i++)
		twice += all.line[i].pfn == all.line[i - 1].pfn;
	for (int i = 0; i < nr; i++) {
		struct queue_line *line = listing_find(&all, mine[i].pfn);

		if (line)
			of_type[line->file]++;
	}
	EXPECT_LT(nr, all.nr);
	EXPECT_EQ(all.told, all.nr);
	EXPECT_EQ(0, all.broken);
	EXPECT_EQ(0, twice);
	EXPECT_EQ(nr, of_type[file]);
	EXPECT_EQ(0, of_type[!file]);
	free(all.line);
}

/* Programs read the lines; with guard they are of many lists. */
TEST_F_TIMEOUT(order, listing_has_each_once, 300)
{
	static struct place place[GROUPS * GROUP];

	for (int guard = 0; guard < 2; guard++) {
		if (put_file(LPL_DIR "guard", guard ? "1" : "0"))
			break;
		for (int i = 0; i < GROUPS; i++)
			touch_group(self->p, self->page, i);
		settle();
		for (int i = 0; i < GROUPS * GROUP; i++)
			place[i].pfn = pfn_of(self->pagemap, self->p + i * self->page);
		expect_listing(_metadata, self->queue, place, GROUPS * GROUP, variant->file);
	}
	put_file(LPL_DIR "guard", "0");
}

/* A mapping that only a child touches is a process that ran, too. */
TEST_F_TIMEOUT(order, child_counts, 300)
{
	struct place place[2];
	uint64_t since;
	long least;
	pid_t pid;

	touch_group(self->p, self->page, 1);
	settle();
	since = now_ns();
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 5; i++) {
			load_word(self->p);
			settle();
		}
		load_word(self->p);
		settle();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	place[0].pfn = pfn_of(self->pagemap, self->p);
	place[1].pfn = pfn_of(self->pagemap, self->p + FAR * self->page);
	least = ms_since(since);
	find_places(self->queue, place, 2);
	ASSERT_LT(0, place[0].at);
	ASSERT_LT(0, place[1].at);
	EXPECT_LT(place[0].at, place[1].at);
	EXPECT_LE(place[0].age, ms_since(since) - 5 * APART + SLACK);
	EXPECT_GE(place[1].age, least - SLACK);
}

#define LARGE_MS	500	/* between two passes */
#define KPF_HEAD	0x8000	/* KPF_COMPOUND_HEAD is bit 15 */

FIXTURE(large)
{
	char before[16];
	char enabled[96];
	char size_before[16];
	size_t page;
	size_t len;
	FILE *queue;
	int pagemap;
	char *p;
};

FIXTURE_VARIANT(large)
{
	unsigned int pages;	/* 0: as many as one entry of the table above maps */
};

FIXTURE_VARIANT_ADD(large, of_8_pages) { .pages = 8 };
/* Which arm64 maps as one, with pages of 4 KB: contpte. */
FIXTURE_VARIANT_ADD(large, of_16_pages) { .pages = 16 };
FIXTURE_VARIANT_ADD(large, huge) { .pages = 0 };

static bool is_large(uint64_t pfn)
{
	int flags = open("/proc/kpageflags", O_RDONLY);
	uint64_t found = 0;

	if (pread(flags, &found, sizeof(found), pfn * sizeof(found)) != sizeof(found))
		found = 0;
	close(flags);
	return found & KPF_HEAD;
}

FIXTURE_SETUP(large)
{
	char interval[16];
	size_t len;
	char *p;

	self->page = page_bytes();
	len = variant->pages ? variant->pages * self->page : pmd_bytes();
	self->len = len;
	snprintf(self->enabled, sizeof(self->enabled),
		 "/sys/kernel/mm/transparent_hugepage/hugepages-%zukB/enabled", len / 1024);
	if (access(LPL_DIR "policy", R_OK) || access(self->enabled, W_OK))
		SKIP(return, "no lru_page_list, or no folios of %zu KB, here", len / 1024);
	get_file(LPL_DIR "policy", self->before, sizeof(self->before));
	if (set_policy("lru"))
		SKIP(return, "booted with lru_page_list=off");
	snprintf(interval, sizeof(interval), "%d", LARGE_MS);
	ASSERT_EQ(0, put_file(LPL_DIR "interval_ms", interval));
	ASSERT_EQ(0, put_file(LPL_DIR "always", "1"));
	get_choice(self->enabled, self->size_before, sizeof(self->size_before));
	ASSERT_EQ(0, put_file(self->enabled, "madvise"));
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	self->queue = fopen(LPL_QUEUE, "r");
	ASSERT_NE(NULL, self->queue);
	self->pagemap = open("/proc/self/pagemap", O_RDONLY);
	p = mmap(NULL, 2 * len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	self->p = (char *)(((uintptr_t)p + len - 1) / len * len);
	ASSERT_EQ(0, madvise(self->p, len, MADV_HUGEPAGE));
	find_places(self->queue, NULL, 0);
}

FIXTURE_TEARDOWN(large)
{
	put_file(self->enabled, self->size_before);
	put_file(LPL_DIR "always", "0");
	put_file(LPL_DIR "interval_ms", "10");
	set_policy(self->before);
}

/* A pass has just been: the next one comes LARGE_MS later. */
static void just_after_a_pass(void)
{
	long passes = lpl_stat("passes");

	while (lpl_stat("passes") == passes)
		;
}

/* It sets the accessed bits of all its pages; the stamp stays that of the fault. */
TEST_F_TIMEOUT(large, its_fault_is_no_use, 120)
{
	struct place place;
	uint64_t faulted;
	long least;

	just_after_a_pass();
	store_word(self->p, 1);
	faulted = now_ns();
	place.pfn = pfn_of(self->pagemap, self->p);
	ASSERT_TRUE(is_large(place.pfn));
	settle_ms(2 * LARGE_MS);
	least = ms_since(faulted) - SLACK;
	find_places(self->queue, &place, 1);
	EXPECT_LE(0, place.at);
	EXPECT_LE(least, place.age);
}

/* A use of its last page is one of all of it, and the queue has it once. */
TEST_F_TIMEOUT(large, a_use_of_its_last_page_counts, 120)
{
	uint64_t touched, used;
	struct place place;
	long first;

	store_word(self->p, 1);
	touched = now_ns();
	place.pfn = pfn_of(self->pagemap, self->p);
	ASSERT_TRUE(is_large(place.pfn));
	settle_ms(3 * LARGE_MS);
	find_places(self->queue, &place, 1);
	first = place.at;
	EXPECT_LE(0, first);
	EXPECT_LE(LARGE_MS, place.age);
	used = now_ns();
	load_word(self->p + self->len - self->page);
	settle_ms(2 * LARGE_MS);
	find_places(self->queue, &place, 1);
	EXPECT_LE(0, place.at);
	EXPECT_GE(ms_since(used) + SLACK, place.age);
	EXPECT_LT(place.age, ms_since(touched) - 2 * LARGE_MS);
}

/* Into pages. */
static bool split(const char *p, size_t len)
{
	char text[96];

	snprintf(text, sizeof(text), "%d,0x%lx,0x%lx,0", getpid(), (unsigned long)p,
		 (unsigned long)p + len);
	return !put_file("/sys/kernel/debug/split_huge_pages", text);
}

/* The parts, other than those that hold nothing, are as old as the whole was. */
TEST_F_TIMEOUT(large, its_parts_are_as_old, 120)
{
	struct place place[4];
	uint64_t touched;
	long least;

	if (access("/sys/kernel/debug/split_huge_pages", W_OK))
		SKIP(return, "no split_huge_pages");
	touched = now_ns();
	fill_pages(self->p, self->len, 1);
	ASSERT_TRUE(is_large(pfn_of(self->pagemap, self->p)));
	settle_ms(3 * LARGE_MS);
	least = ms_since(touched) - LARGE_MS - SLACK;
	/* Or khugepaged makes it one folio again. */
	ASSERT_EQ(0, madvise(self->p, self->len, MADV_NOHUGEPAGE));
	ASSERT_TRUE(split(self->p, self->len));
	ASSERT_FALSE(is_large(pfn_of(self->pagemap, self->p)));
	for (int i = 0; i < 4; i++)
		place[i].pfn = pfn_of(self->pagemap, self->p + i * (self->len / 4));
	find_places(self->queue, place, 4);
	for (int i = 0; i < 4; i++) {
		EXPECT_LE(0, place[i].at);
		EXPECT_LE(least, place[i].age) TH_LOG("part %d", i);
	}
}

TEST_HARNESS_MAIN
