// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: limits, and processes that are killed at a bad moment. */
#include <time.h>
#include "paging_test.h"

#define MIB (1024UL * 1024)

TEST_F(paging, is_limited_in_one_mapping)
{
	ASSERT_EQ(0, set_param("max_map_pages", "16"));
	EXPECT_EQ(MAP_FAILED, map_pages(self, 17 * self->page));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_NE(MAP_FAILED, map_pages(self, 16 * self->page));
	EXPECT_NE(MAP_FAILED, map_pages(self, 16 * self->page));
}

TEST_F(paging, is_limited_in_all_mappings_together)
{
	long before = stat_of("pages_reserved");
	char *p;

	ASSERT_EQ(0, set_param_number("max_total_pages", before + 32));
	p = map_pages(self, 20 * self->page);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(before + 20, stat_of("pages_reserved"));
	EXPECT_EQ(MAP_FAILED, map_pages(self, 13 * self->page));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_NE(MAP_FAILED, map_pages(self, 12 * self->page));
	ASSERT_EQ(0, munmap(p, 20 * self->page));
	EXPECT_NE(MAP_FAILED, map_pages(self, 20 * self->page));
}

static size_t ram_bytes(void)
{
	return sysconf(_SC_PHYS_PAGES) * page_bytes();
}

TEST_F(paging, is_limited_to_half_of_the_memory_by_default)
{
	size_t more = ram_bytes() / 2 + (64UL << 20);

	EXPECT_EQ(MAP_FAILED, map_pages(self, more / self->page * self->page));
	EXPECT_EQ(ENOMEM, errno);
}

TEST_F(paging, refuses_the_largest_lengths)
{
	EXPECT_EQ(MAP_FAILED, map_pages(self, 1UL << 46));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(MAP_FAILED, map_pages(self, -self->page));
	EXPECT_EQ(ENOMEM, errno);
}

TEST_F(paging, obeys_rlimit_as)
{
	struct rlimit little = { 64UL << 20, 64UL << 20 };

	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &little));
	EXPECT_EQ(MAP_FAILED, map_pages(self, 128UL << 20));
	EXPECT_EQ(ENOMEM, errno);
}

/* Pages that processes have got from the driver, by either way. */
static long pages_mapped(void)
{
	return stat_of("fault_pages") + stat_of("prepaged_pages");
}

static void wait_until_mapped(long pages)
{
	while (pages_mapped() < pages)
		;
}

static void map_and_fill(paging_fixture *self, size_t len)
{
	char *p = map_pages(self, len);

	if (p != MAP_FAILED)
		fill_pages(p, len, 1);
	pause();
	_exit(1);
}

/*
 * Killed while its pages are being allocated and mapped: it has to end before
 * it has all of them, and the fixture sees that they are freed.  It may have
 * been too fast for us, but not each time.
 */
TEST_F_TIMEOUT(paging, is_freed_when_killed_in_the_middle, 240)
{
	size_t quarter = ram_bytes() / 4 / self->page * self->page;
	size_t len = quarter < 256 * MIB ? quarter : 256 * MIB;
	long goal = len / self->page, got = goal;

	for (int i = 0; i < 20 && got >= goal; i++) {
		long before = pages_mapped();
		int status = 0;
		pid_t pid = fork();

		if (!pid)
			map_and_fill(self, len);
		ASSERT_LT(0, pid);
		wait_until_mapped(before + 64);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		got = pages_mapped() - before;
	}
	EXPECT_LT(got, goal);
}

/* Many processes that come, map, touch and are killed at any moment. */
TEST_F_TIMEOUT(paging, is_freed_when_many_are_killed, 240)
{
	for (int i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (!pid) {
			for (;;) {
				char *p = map_pages(self, self->len);

				fill_pages(p, self->len, 1);
				munmap(p + self->page, self->len / 2);
			}
		}
		ASSERT_LT(0, pid);
		usleep(1000 + 700 * i);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
}

TEST_HARNESS_MAIN
