// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: what one mmap() gives, and which calls are refused. */
#define PAGING_TEST_PRIVATE
#include "paging_test.h"

TEST_F(paging, is_zeroed)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(all_zero(p, self->len));
}

TEST_F(paging, is_zeroed_after_use_by_another)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	memset(p, 0xa5, self->len);
	ASSERT_EQ(0, munmap(p, self->len));
	p = map_pages(self, self->len);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(all_zero(p, self->len));
}

/* The rest of a page too of which one byte is written, whoever had it before. */
TEST_F(paging, is_zeroed_around_a_first_write)
{
	size_t len = 4 * self->len, touched = 0;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	memset(p, 0xa5, len);
	ASSERT_EQ(0, munmap(p, len));
	p = map_pages(self, self->len);
	ASSERT_NE(MAP_FAILED, p);
	for (size_t i = 0; i < self->len; i += self->page) {
		p[i] = 1;
		touched += !all_zero(p + i + sizeof(long),
				     self->page - sizeof(long));
	}
	EXPECT_EQ(0, touched);
}

TEST_F(paging, keeps_what_is_written)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 1);
	EXPECT_EQ(0, wrong_pages(p, self->len, 1));
}

/* A flag of the mapping at @p in /proc/self/smaps: "dd" is "do not dump". */
static bool has_vm_flag(const char *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512], start[32];
	bool found = false, has = false;

	snprintf(start, sizeof(start), "%lx-", (unsigned long)p);
	while (f && !has && fgets(line, sizeof(line), f)) {
		if (strchr(line, '-') && strncmp(line, "VmFlags:", 8))
			found = !strncmp(line, start, strlen(start));
		else if (found && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, flag);
	}
	if (f)
		fclose(f);
	return has;
}

TEST_F(paging, is_left_out_of_core_dumps)
{
	char *p = map_pages(self, self->len);

	if (access("/proc/self/smaps", R_OK))
		SKIP(return, "no /proc/self/smaps");
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(has_vm_flag(p, " dd"));
}

/* As dense_mm does: three mappings of one file at offset 0. */
TEST_F(paging, is_own_memory_of_each_mmap)
{
	char *p[3];

	for (int i = 0; i < 3; i++) {
		p[i] = map_pages(self, self->len);
		ASSERT_NE(MAP_FAILED, p[i]);
		fill_pages(p[i], self->len, 100 * i);
	}
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, wrong_pages(p[i], self->len, 100 * i));
}

TEST_F(paging, takes_any_length)
{
	size_t lens[] = { self->page, 3 * self->page, BLOCK + self->page,
			  self->len / 2 - self->page,
			  self->len / 2 + self->page };

	for (int i = 0; i < 5; i++) {
		size_t len = lens[i] / self->page * self->page;
		char *p = map_pages(self, len);

		ASSERT_NE(MAP_FAILED, p);
		fill_pages(p, len, i);
		EXPECT_EQ(0, wrong_pages(p, len, i));
	}
}

/* A length that is not a multiple of the page size is rounded up. */
TEST_F(paging, rounds_the_length_up)
{
	char *p = mmap(NULL, 3 * self->page, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(p, mmap(p, self->page + 1, PROT_READ | PROT_WRITE,
			  self->flags | MAP_FIXED, self->fd, 0));
	p[2 * self->page - 1] = 1;
	EXPECT_EQ(128 + SIGSEGV, end_of(read_byte, p + 2 * self->page));
}

TEST_F(paging, refuses_length_zero)
{
	EXPECT_EQ(MAP_FAILED, map_pages(self, 0));
	EXPECT_EQ(EINVAL, errno);
}

/* An offset only names the first page: still memory of its own. */
TEST_F(paging, takes_an_offset)
{
	off_t offset = 5 * self->page;
	char *p, *q;

	p = mmap(NULL, self->len, PROT_READ | PROT_WRITE, self->flags,
		 self->fd, offset);
	ASSERT_NE(MAP_FAILED, p);
	q = mmap(NULL, self->len, PROT_READ | PROT_WRITE, self->flags,
		 self->fd, offset);
	ASSERT_NE(MAP_FAILED, q);
	fill_pages(p, self->len, 7);
	EXPECT_TRUE(all_zero(q, self->len));
	EXPECT_EQ(0, wrong_pages(p, self->len, 7));
}

/* Not aligned to anything but the page, over a part of another mapping. */
TEST_F(paging, takes_map_fixed)
{
	char *p = map_pages(self, self->len), *q;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 1);
	q = mmap(p + self->page, 2 * BLOCK, PROT_READ | PROT_WRITE,
		 self->flags | MAP_FIXED, self->fd, 0);
	ASSERT_EQ(p + self->page, q);
	EXPECT_TRUE(all_zero(q, 2 * BLOCK));
	fill_pages(q, 2 * BLOCK, 2);
	EXPECT_EQ(0, wrong_pages(q, 2 * BLOCK, 2));
	EXPECT_EQ(0, wrong_pages(p, self->page, 1));
	EXPECT_EQ(0, wrong_pages(q + 2 * BLOCK,
				 self->len - 2 * BLOCK - self->page,
				 1 + 2 * BLOCK + self->page));
}

TEST_F(paging, is_all_there_with_map_populate)
{
	long faults;
	char *p;

	p = mmap(NULL, self->len, PROT_READ | PROT_WRITE,
		 self->flags | MAP_POPULATE, self->fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	faults = minor_faults();
	fill_pages(p, self->len, 3);
	EXPECT_EQ(faults, minor_faults());
}

TEST_F(paging, can_be_locked)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	fill_pages(p, self->len, 4);
	EXPECT_EQ(0, mlock(p, self->len));
	EXPECT_EQ(0, wrong_pages(p, self->len, 4));
	EXPECT_EQ(0, munlock(p, self->len));
}

TEST_F(paging, keeps_the_mode_it_was_made_with)
{
	char *p = map_pages(self, self->len);
	long faults;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, set_param("demand_paging", variant->demand ? "0" : "1"));
	ASSERT_EQ(0, set_param_number("fault_bytes", variant->block ?
				      self->page : BLOCK));
	faults = minor_faults();
	fill_pages(p, self->len, 5);
	EXPECT_EQ(faults_for(self, self->len), minor_faults() - faults);
}

TEST_F_TIMEOUT(paging, is_freed_in_many_cycles, 120)
{
	long held = pages_held();

	for (int i = 0; i < 200; i++) {
		size_t len = self->page * (1 + i % 37);
		char *p = map_pages(self, len);

		ASSERT_NE(MAP_FAILED, p);
		fill_pages(p, len, i);
		ASSERT_EQ(0, munmap(p, len));
	}
	EXPECT_EQ(held, pages_held());
}

TEST_F(paging, is_counted)
{
	long maps = stat_of("maps"), allocated = stat_of("pages_allocated");
	long freed = stat_of("pages_freed"), trackers = stat_of("trackers");
	char *p = map_pages(self, self->len);
	long pages = self->len / self->page;
	bool copies = self->flags == MAP_PRIVATE;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 6);
	EXPECT_EQ(1, stat_of("maps") - maps);
	EXPECT_EQ(1, stat_of("trackers") - trackers);
	EXPECT_EQ(copies ? 0 : pages, stat_of("pages_allocated") - allocated);
	ASSERT_EQ(0, munmap(p, self->len));
	EXPECT_EQ(trackers, stat_of("trackers"));
	EXPECT_EQ(copies ? 0 : pages, stat_of("pages_freed") - freed);
}

/* Pages of one mapping of at least PMD size begin at a multiple of it. */
TEST_F(paging, is_aligned_for_large_entries)
{
	size_t len = pmd_bytes() + self->page;
	char *p = map_pages(self, len);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, (unsigned long)p % pmd_bytes());
}

/* The rest does not depend on the mode. */

TEST(node_is_for_its_owner_only)
{
	struct stat st;

	if (stat(DEV_NAME, &st))
		SKIP(return, "no " DEV_NAME);
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 0777);
}

TEST(node_is_not_for_reading_or_writing)
{
	char c = 0;
	int fd = open(DEV_NAME, O_RDWR);

	if (fd < 0)
		SKIP(return, "no " DEV_NAME);
	EXPECT_EQ(-1, read(fd, &c, 1));
	EXPECT_EQ(-1, write(fd, &c, 1));
	close(fd);
}

TEST(parameters_refuse_nonsense)
{
	static const char * const bad_bytes[] = { "0", "1", "5000", "-1", "x",
						  "1T", "" };
	struct saved_state saved;

	if (access(DEV_NAME, F_OK))
		SKIP(return, "no " DEV_NAME);
	save_state(&saved);
	for (int i = 0; i < 6; i++) {
		EXPECT_EQ(-1, set_param("fault_bytes", bad_bytes[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(-1, set_param("prepage", "some"));
	EXPECT_EQ(-1, set_param("demand_paging", "yes"));
	EXPECT_EQ(-1, set_param("pmd_map", "2"));
	EXPECT_EQ(-1, set_param("max_map_pages", "-"));
	restore_params(&saved);
}

TEST(fault_bytes_takes_each_power_of_two)
{
	struct saved_state saved;
	size_t top = pmd_bytes();

	if (access(DEV_NAME, F_OK))
		SKIP(return, "no " DEV_NAME);
	save_state(&saved);
	if (top > (4UL << 20))
		top = 4UL << 20;
	for (size_t bytes = page_bytes(); bytes <= top; bytes *= 2) {
		EXPECT_EQ(0, set_param_number("fault_bytes", bytes));
		EXPECT_EQ(bytes, get_number(PARAMS "fault_bytes"));
	}
	restore_params(&saved);
}

TEST_HARNESS_MAIN
