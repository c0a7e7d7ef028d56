// SPDX-License-Identifier: GPL-2.0-only
/* /proc/lkp25p3: one address: where its page is, and why there is none. */
#include <sys/swap.h>
#include <sys/utsname.h>
#include <time.h>
#include "lkp25p3_test.h"

static const unsigned int ways[] = {
	LKP25P3_LOCKED, LKP25P3_LOCK_EACH, LKP25P3_LOCKLESS,
	LKP25P3_LOCKED | LKP25P3_TIME_EACH,
};

FIXTURE(translate)
{
	int fd;
	size_t page;
};

FIXTURE_SETUP(translate)
{
	self->page = page_bytes();
	self->fd = lkp_open();
	if (self->fd < 0)
		SKIP(return, "no " LKP25P3_PROC " (is the module loaded, are you root?)");
}

FIXTURE_TEARDOWN(translate)
{
	close(self->fd);
}

/* checkpatch takes `FIXTURE_DATA(translate) *self` for a product. */
#define translate_fixture FIXTURE_DATA(translate)

/* All ways say @state of @va; returns what one of them says. */
static struct lkp25p3_record
check_state(struct __test_metadata *_metadata, translate_fixture *self,
	    const char *va, unsigned int state)
{
	struct lkp25p3_record rec;

	for (unsigned int i = 0; i < ARRAY_SIZE(ways); i++) {
		rec = lkp_record(self->fd, va, 0, ways[i]);
		EXPECT_EQ(state, rec.state) {
			TH_LOG("way %u, VA %p", ways[i], va);
		}
	}
	return rec;
}

TEST_F(translate, small_pages_are_where_pagemap_has_them)
{
	size_t nr = 256;
	char *p = map_small(nr * self->page);

	ASSERT_NE(MAP_FAILED, p);
	write_pages(p, nr * self->page);
	for (size_t i = 0; i < nr; i++) {
		const char *va = p + i * self->page + i * 7;
		struct lkp25p3_record rec = check_state(_metadata, self, va, LKP25P3_PRESENT);

		EXPECT_EQ(pagemap_pfn(va) * self->page + i * 7, rec.pa);
		EXPECT_EQ(1, rec.level);
		EXPECT_EQ(self->page, 1UL << rec.shift);
		EXPECT_EQ(LKP25P3_WRITE | LKP25P3_DIRTY | LKP25P3_YOUNG,
			  rec.flags & ~LKP25P3_CONT);
	}
}

TEST_F(translate, entries_of_a_file_are_found)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *p = mmap(NULL, self->page, PROT_READ, MAP_SHARED, fd, 0);
	struct lkp25p3_record rec;

	ASSERT_NE(MAP_FAILED, p);
	read_page(p);
	rec = check_state(_metadata, self, p + 1, LKP25P3_PRESENT);
	EXPECT_EQ(pagemap_pfn(p) * self->page + 1, rec.pa);
	EXPECT_EQ(0, rec.flags & LKP25P3_WRITE);
}

TEST_F(translate, says_why_there_is_no_page)
{
	char *p = map_small(4 * self->page);

	ASSERT_NE(MAP_FAILED, p);
	check_state(_metadata, self, p, LKP25P3_NOT_POPULATED);
	write_page(p);
	check_state(_metadata, self, p, LKP25P3_PRESENT);
	ASSERT_EQ(0, madvise(p, self->page, MADV_DONTNEED));
	check_state(_metadata, self, p, LKP25P3_NOT_POPULATED);
	ASSERT_EQ(0, munmap(p, 4 * self->page));
	check_state(_metadata, self, p, LKP25P3_NO_VMA);
	check_state(_metadata, self, NULL, LKP25P3_NO_VMA);
	check_state(_metadata, self, (char *)-4096L, LKP25P3_NO_VMA);
	check_state(_metadata, self, (char *)-1L, LKP25P3_NO_VMA);
	check_state(_metadata, self, (char *)(1UL << 63), LKP25P3_NO_VMA);
	check_state(_metadata, self, (char *)0x0000800000000000UL, LKP25P3_NO_VMA);
}

TEST_F(translate, a_page_without_access_is_kept)
{
	char *p = map_small(2 * self->page);
	struct lkp25p3_record rec;
	uint64_t pa;

	ASSERT_NE(MAP_FAILED, p);
	write_page(p);
	pa = lkp(self->fd, p).pa;
	ASSERT_EQ(0, mprotect(p, 2 * self->page, PROT_NONE));
	rec = check_state(_metadata, self, p, LKP25P3_PROT_NONE);
	EXPECT_EQ(LKP25P3_KEPT, rec.flags & LKP25P3_KEPT);
	EXPECT_EQ(pa, rec.pa);
	rec = check_state(_metadata, self, p + self->page, LKP25P3_PROT_NONE);
	EXPECT_EQ(0, rec.flags & LKP25P3_KEPT);
	ASSERT_EQ(0, mprotect(p, 2 * self->page, RW));
	rec = check_state(_metadata, self, p, LKP25P3_PRESENT);
	EXPECT_EQ(pa, rec.pa);
	EXPECT_EQ(0, rec.flags & LKP25P3_KEPT);
}

TEST_F(translate, the_zero_page_is_told)
{
	char *p = map_small(2 * self->page);
	struct lkp25p3_record rec;

	ASSERT_NE(MAP_FAILED, p);
	read_page(p);
	read_page(p + self->page);
	rec = check_state(_metadata, self, p, LKP25P3_PRESENT);
	EXPECT_EQ(LKP25P3_ZERO, rec.flags & (LKP25P3_ZERO | LKP25P3_SPECIAL));
	EXPECT_EQ(rec.pa, lkp(self->fd, p + self->page).pa);
	write_page(p);
	rec = check_state(_metadata, self, p, LKP25P3_PRESENT);
	EXPECT_EQ(0, rec.flags & LKP25P3_ZERO);
}

static char *stack_gap(void)
{
	unsigned long start, end;
	char line[256], *gap = NULL;
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "[stack]") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			gap = (char *)start - page_bytes();
	if (f)
		fclose(f);
	return gap;
}

TEST_F(translate, the_gap_below_a_stack_is_told)
{
	char *gap = stack_gap();

	ASSERT_NE(NULL, gap);
	check_state(_metadata, self, gap, LKP25P3_GUARD);
	check_state(_metadata, self, gap - 64 * self->page, LKP25P3_GUARD);
}

static char *pfn_area(void)
{
	unsigned long start;
	char line[256], *at = NULL;
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "[vvar]") && sscanf(line, "%lx-", &start) == 1)
			at = (char *)start;
	if (f)
		fclose(f);
	return at;
}

TEST_F(translate, pfn_mappings_are_found)
{
	struct timespec now;
	char *p = pfn_area();
	struct lkp25p3_record rec;

	if (!p)
		SKIP(return, "no [vvar]");
	clock_gettime(CLOCK_MONOTONIC, &now);
	read_page(p);
	rec = check_state(_metadata, self, p, LKP25P3_PRESENT);
	EXPECT_EQ(LKP25P3_SPECIAL, rec.flags & LKP25P3_SPECIAL);
	EXPECT_NE(0, rec.pa);
}

TEST_F(translate, a_huge_page_is_one_entry)
{
	size_t huge = pmd_bytes();
	char *p = map_aligned(huge, huge);
	struct lkp25p3_record rec, other;

	ASSERT_NE(MAP_FAILED, p);
	madvise(p, huge, MADV_HUGEPAGE);
	write_pages(p, huge);
	if (madvise(p, huge, MADV_COLLAPSE))
		SKIP(return, "no huge page to be had");
	rec = check_state(_metadata, self, p + 12345, LKP25P3_PRESENT);
	EXPECT_EQ(2, rec.level);
	EXPECT_EQ(huge, 1UL << rec.shift);
	EXPECT_EQ(pagemap_pfn(p) * self->page + 12345, rec.pa);
	other = check_state(_metadata, self, p + huge - 1, LKP25P3_PRESENT);
	EXPECT_EQ(rec.pa - 12345 + huge - 1, other.pa);

	/* In two: the entries are small, the page is where it was. */
	ASSERT_EQ(0, munmap(p + huge - self->page, self->page));
	other = check_state(_metadata, self, p + 12345, LKP25P3_PRESENT);
	EXPECT_EQ(1, other.level);
	EXPECT_EQ(rec.pa, other.pa);
}

TEST_F(translate, a_huge_page_of_zeroes_is_told)
{
	size_t huge = pmd_bytes();
	char *p = map_aligned(huge, huge), old[16];
	struct lkp25p3_record rec;

	get_choice(THP "enabled", old, sizeof(old));
	if (!old[0] || !strcmp(old, "never"))
		SKIP(return, "transparent huge pages are off");
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, madvise(p, huge, MADV_HUGEPAGE));
	read_page(p);
	rec = check_state(_metadata, self, p + huge / 2, LKP25P3_PRESENT);
	if (rec.level != 2)
		SKIP(return, "no huge zero page was used");
	EXPECT_EQ(LKP25P3_ZERO, rec.flags & LKP25P3_ZERO);
}

TEST_F(translate, contiguous_entries_are_told_and_counted_one_by_one)
{
	size_t len = 16 * 65536;
	char path[128], old[16], *p;
	struct utsname name;
	struct lkp25p3_record first, rec;

	uname(&name);
	if (strcmp(name.machine, "aarch64") || self->page != 4096)
		SKIP(return, "64 KiB of contiguous entries are for arm64 with 4 KiB pages");
	snprintf(path, sizeof(path), THP "hugepages-64kB/enabled");
	get_choice(path, old, sizeof(old));
	ASSERT_EQ(0, put_file(path, "always"));
	p = map_aligned(len, 65536);
	ASSERT_NE(MAP_FAILED, p);
	write_pages(p, len);
	ASSERT_EQ(0, put_file(path, old[0] ? old : "never"));

	first = check_state(_metadata, self, p, LKP25P3_PRESENT);
	EXPECT_EQ(LKP25P3_CONT, first.flags & LKP25P3_CONT);
	for (size_t i = 0; i < len; i += self->page) {
		rec = check_state(_metadata, self, p + i, LKP25P3_PRESENT);
		EXPECT_EQ(pagemap_pfn(p + i) * self->page, rec.pa);
		EXPECT_EQ(1, rec.level);
		EXPECT_EQ(12, rec.shift);
	}
	ASSERT_EQ(0, munmap(p + self->page, self->page));
	rec = check_state(_metadata, self, p, LKP25P3_PRESENT);
	EXPECT_EQ(0, rec.flags & LKP25P3_CONT);
	EXPECT_EQ(first.pa, rec.pa);
}

TEST_F(translate, hugetlb_pages_are_told)
{
	const char *nr = "/proc/sys/vm/nr_hugepages";
	size_t huge = pmd_bytes();
	struct lkp25p3_record rec;
	char *p;

	put_file(nr, "1");
	p = mmap(NULL, huge, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		SKIP(return, "no hugetlb page of the default size to be had");
	check_state(_metadata, self, p, LKP25P3_NOT_POPULATED);
	write_page(p);
	rec = check_state(_metadata, self, p + 54321, LKP25P3_PRESENT);
	EXPECT_EQ(LKP25P3_HUGETLB, rec.flags & LKP25P3_HUGETLB);
	EXPECT_EQ(huge, 1UL << rec.shift);
	EXPECT_EQ(2, rec.level);
	EXPECT_EQ(pagemap_pfn(p) * self->page + 54321, rec.pa);
	munmap(p, huge);
	put_file(nr, "0");
}

/* A swap area in compressed memory; NULL or what is missing. */
static const char *swap_begin(void)
{
	static char block[65536];
	unsigned int *header = (unsigned int *)(block + 1024);
	size_t page = page_bytes(), size = 16UL << 20;
	char text[32];
	int fd;

	snprintf(text, sizeof(text), "%zu", size);
	if (put_file("/sys/block/zram0/disksize", text))
		return "no /dev/zram0, or it is in use";
	header[0] = 1;
	header[1] = size / page - 1;
	memcpy(block + page - 10, "SWAPSPACE2", 10);
	fd = open("/dev/zram0", O_WRONLY);
	if (fd < 0 || write(fd, block, page) != (ssize_t)page || fsync(fd))
		return "cannot write to /dev/zram0";
	close(fd);
	return swapon("/dev/zram0", 0) ? "cannot swap to /dev/zram0" : NULL;
}

TEST_F(translate, a_swapped_page_is_told_with_its_place)
{
	const char *missing = swap_begin();
	char *p = map_small(8 * self->page);
	uint64_t entry = 0;
	struct lkp25p3_record rec = { 0 };
	int fd;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_NE(MAP_FAILED, p);
	write_pages(p, 8 * self->page);
	for (int i = 0; i < 100 && rec.state != LKP25P3_SWAPPED; i++) {
		madvise(p, 8 * self->page, MADV_PAGEOUT);
		rec = lkp(self->fd, p + self->page);
	}
	rec = check_state(_metadata, self, p + self->page, LKP25P3_SWAPPED);
	fd = open("/proc/self/pagemap", O_RDONLY);
	EXPECT_EQ(8, pread(fd, &entry, 8, ((uintptr_t)p / self->page + 1) * 8));
	close(fd);
	EXPECT_EQ(1, entry >> 62 & 1);
	EXPECT_EQ(entry & 31, rec.swap_type);
	EXPECT_EQ(entry >> 5 & ((1ULL << 50) - 1), rec.pa);
	EXPECT_NE(NULL, strstr(lkp_command(self->fd, ({
		static char text[32];

		snprintf(text, sizeof(text), "%lx", (unsigned long)p + self->page);
		text;
	})), "no PA: swapped (type "));
	read_page(p + self->page);
	check_state(_metadata, self, p + self->page, LKP25P3_PRESENT);
	ASSERT_EQ(0, swapoff("/dev/zram0"));
	EXPECT_EQ(0, put_file("/sys/block/zram0/reset", "1"));
}

TEST_F(translate, a_tag_in_the_highest_byte_is_no_part_of_an_address)
{
	char *p = map_small(self->page);
	struct utsname name;
	struct lkp25p3_record rec;

	uname(&name);
	if (strcmp(name.machine, "aarch64"))
		SKIP(return, "for arm64, which ignores that byte");
	write_page(p);
	rec = check_state(_metadata, self, (char *)((uintptr_t)p | 0x5aUL << 56),
			  LKP25P3_PRESENT);
	EXPECT_EQ(lkp(self->fd, p).pa, rec.pa);
}

TEST_F(translate, text_and_log_say_the_same)
{
	char *p = map_small(2 * self->page), command[64], want[128], line[512];
	int log = log_open();
	const char *answer;

	ASSERT_NE(MAP_FAILED, p);
	write_page(p);
	snprintf(command, sizeof(command), "0x%lx\n", (unsigned long)p + 5);
	snprintf(want, sizeof(want), "[lkp25p3] VA: 0x%lx -> PA: 0x%llx | Latency: ",
		 (unsigned long)p + 5, (unsigned long long)lkp(self->fd, p + 5).pa);
	answer = lkp_command(self->fd, command);
	EXPECT_EQ(0, strncmp(want, answer, strlen(want))) {
		TH_LOG("answer: %s", answer);
	}
	ASSERT_TRUE(log_next(log, "[lkp25p3] VA: ", line, sizeof(line), NULL));
	EXPECT_EQ(0, strncmp(line, answer, strlen(line)));
	/* Without 0x, and without a newline. */
	snprintf(command, sizeof(command), "%lx", (unsigned long)p + 5);
	answer = lkp_command(self->fd, command);
	EXPECT_EQ(0, strncmp(want, answer, strlen(want)));
	snprintf(command, sizeof(command), "0x%lx", (unsigned long)(p + self->page));
	EXPECT_NE(NULL, strstr(lkp_command(self->fd, command),
			       "-> no PA: not populated | Latency: "));
	EXPECT_NE(NULL, strstr(lkp_command(self->fd, "0x0"), "VA: 0x0 -> no PA: no VMA | "));
	close(log);
}

TEST_F(translate, another_process_by_its_number)
{
	char *p = map_small(self->page), command[64], want[64];
	int to[2], from[2], status;
	struct lkp25p3_record rec, theirs;
	pid_t pid;

	write_page(p);
	ASSERT_EQ(0, pipe(to) | pipe(from));
	pid = fork();
	if (!pid) {
		write_page(p);	/* their own copy */
		rec = lkp(self->fd, p);
		if (write(from[1], &rec, sizeof(rec)) != sizeof(rec))
			_exit(1);
		_exit(read(to[0], &rec, 1) != 1);
	}
	ASSERT_EQ(sizeof(theirs), read(from[0], &theirs, sizeof(theirs)));
	rec = lkp_record(self->fd, p, pid, LKP25P3_LOCKED);
	EXPECT_EQ(LKP25P3_PRESENT, rec.state);
	EXPECT_EQ(theirs.pa, rec.pa);
	EXPECT_NE(lkp(self->fd, p).pa, rec.pa);
	snprintf(command, sizeof(command), "pid %d 0x%lx", pid, (unsigned long)p);
	snprintf(want, sizeof(want), "-> PA: 0x%llx ", (unsigned long long)theirs.pa);
	EXPECT_NE(NULL, strstr(lkp_command(self->fd, command), want));
	ASSERT_EQ(1, write(to[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-1, write(self->fd, command, strlen(command)));
	EXPECT_EQ(ESRCH, errno);
}

TEST_F(translate, a_range_is_told_in_runs)
{
	size_t len = 64 * self->page;
	/* In one page table; its first run is logged however short the others are. */
	char *p = map_aligned(len, len), command[96], want[128];
	const char *answer;
	int log = log_open();

	ASSERT_NE(MAP_FAILED, p);
	madvise(p, len, MADV_NOHUGEPAGE);
	write_pages(p + len / 2, len / 2);
	snprintf(command, sizeof(command), "range 0x%lx 0x%lx", (unsigned long)p,
		 (unsigned long)p + len);
	snprintf(want, sizeof(want), "[lkp25p3] VA: 0x%lx - 0x%lx: 64 pages, 32 present, ",
		 (unsigned long)p, (unsigned long)p + len);
	answer = lkp_command(self->fd, command);
	EXPECT_EQ(0, strncmp(want, answer, strlen(want))) {
		TH_LOG("answer: %s", answer);
	}
	EXPECT_LE(1, log_count(log, "(32 pages) -> no PA: not populated"));
	close(log);
}

/* Kept pages make a run only where one follows the other. */
TEST_F(translate, kept_pages_of_a_range_are_told_in_runs)
{
	size_t nr = 64, runs = 1;
	char *p = map_small(nr * self->page), command[96], want[64];
	struct lkp25p3_record recs[64];
	const char *answer;

	ASSERT_NE(MAP_FAILED, p);
	/* The even ones first, so that hardly any two are neighbours. */
	for (size_t i = 0; i < 2 * nr; i += 2)
		write_page(p + (i % nr + i / nr) * self->page);
	ASSERT_EQ(0, mprotect(p, nr * self->page, PROT_NONE));
	ASSERT_EQ(nr, lkp_batch(self->fd, NULL, (uintptr_t)p, recs, nr, 0, LKP25P3_LOCKED));
	for (size_t i = 1; i < nr; i++)
		runs += recs[i].pa != recs[i - 1].pa + self->page;
	EXPECT_LT(1, runs);
	snprintf(command, sizeof(command), "range 0x%lx 0x%lx", (unsigned long)p,
		 (unsigned long)p + nr * self->page);
	snprintf(want, sizeof(want), " %zu runs of contiguous memory", runs);
	answer = lkp_command(self->fd, command);
	EXPECT_NE(NULL, strstr(answer, want)) {
		TH_LOG("%zu runs, answer: %s", runs, answer);
	}
}

TEST_HARNESS_MAIN
