// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: memory shared with children, or private to each. */
#define PAGING_TEST_PRIVATE
#include "paging_test.h"

/* Run @code in a child; the child's exit status, or -1. */
#define IN_CHILD(code) ({						\
	pid_t __pid = fork();						\
	int __status = -1;						\
									\
	if (!__pid) {							\
		code;							\
		_exit(0);						\
	}								\
	waitpid(__pid, &__status, 0);					\
	WIFEXITED(__status) ? WEXITSTATUS(__status) : -1;		\
})

TEST_F(paging, shows_a_child_what_was_written_before)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 1);
	EXPECT_EQ(0, IN_CHILD(_exit(wrong_pages(p, self->len, 1) != 0)));
}

TEST_F(paging, shows_the_parent_what_a_child_writes_if_shared)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 1);
	EXPECT_EQ(0, IN_CHILD(fill_pages(p, self->len, 2)));
	EXPECT_EQ(0, wrong_pages(p, self->len,
				 self->flags == MAP_SHARED ? 2 : 1));
}

/* Not a page was there when the child was made. */
TEST_F(paging, is_shared_also_if_touched_after_the_fork)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, IN_CHILD(fill_pages(p, self->len, 3)));
	EXPECT_TRUE(self->flags == MAP_SHARED ?
		    !wrong_pages(p, self->len, 3) : all_zero(p, self->len));
}

TEST_F(paging, shows_a_child_what_the_parent_writes_later_if_shared)
{
	char *p = map_pages(self, self->len);
	int go[2], status = -1;
	pid_t pid;
	char c;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 4);
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		unsigned long seed = self->flags == MAP_SHARED ? 5 : 4;

		if (read(go[0], &c, 1) != 1)
			_exit(2);
		_exit(wrong_pages(p, self->len, seed) != 0);
	}
	fill_pages(p, self->len, 5);
	ASSERT_EQ(1, write(go[1], "x", 1));
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
}

TEST_F(paging, stays_when_the_child_unmaps_it)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 6);
	EXPECT_EQ(0, IN_CHILD(_exit(munmap(p, self->len) != 0)));
	EXPECT_EQ(0, wrong_pages(p, self->len, 6));
}

TEST_F(paging, stays_in_the_child_when_the_parent_unmaps_it)
{
	char *p = map_pages(self, self->len);
	int go[2], status = -1;
	pid_t pid;
	char c;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 7);
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		if (read(go[0], &c, 1) != 1)
			_exit(2);
		_exit(wrong_pages(p, self->len, 7) != 0);
	}
	ASSERT_EQ(0, munmap(p, self->len));
	close(self->fd);
	ASSERT_EQ(1, write(go[1], "x", 1));
	waitpid(pid, &status, 0);
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
}

TEST_F(paging, is_not_in_a_child_with_madv_dontfork)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 8);
	ASSERT_EQ(0, madvise(p, self->len, MADV_DONTFORK));
	EXPECT_EQ(128 + SIGSEGV, end_of(read_byte, p));
}

/* The child cuts its own view; the parent's is whole. */
TEST_F(paging, is_cut_for_the_child_alone)
{
	char *p = map_pages(self, self->len);
	size_t cut = self->page;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, IN_CHILD({
		munmap(p, cut);
		fill_pages(p + cut, self->len - cut, 9 + cut);
		_exit(wrong_pages(p + cut, self->len - cut, 9 + cut) != 0);
	}));
	fill_pages(p, cut, 9);
	EXPECT_TRUE(self->flags == MAP_PRIVATE ||
		    !wrong_pages(p, self->len, 9));
}

TEST_F_TIMEOUT(paging, survives_many_children, 120)
{
	char *p = map_pages(self, 4 * BLOCK);
	int status, failed = 0;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, 2 * BLOCK, 10);
	for (int i = 0; i < 20; i++) {
		if (!fork()) {
			if (fork())	/* let the child go before its child */
				_exit(0);
			fill_pages(p + 2 * BLOCK, BLOCK, 11);
			_exit(wrong_pages(p, 2 * BLOCK, 10) != 0);
		}
	}
	while (wait(&status) > 0)
		failed += !WIFEXITED(status) || WEXITSTATUS(status);
	EXPECT_EQ(0, failed);
	EXPECT_EQ(0, wrong_pages(p, 2 * BLOCK, 10));
}

/* All pages were read before, by both; a write of one must still tell. */
TEST_F(paging, is_shared_or_private_also_if_read_before)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(all_zero(p, self->len));
	EXPECT_EQ(0, IN_CHILD({
		fill_pages(p, self->len, 12);
		_exit(wrong_pages(p, self->len, 12) != 0);
	}));
	EXPECT_TRUE(self->flags == MAP_SHARED ?
		    !wrong_pages(p, self->len, 12) : all_zero(p, self->len));
	fill_pages(p, self->len, 13);
	EXPECT_EQ(0, wrong_pages(p, self->len, 13));
}

TEST_HARNESS_MAIN
