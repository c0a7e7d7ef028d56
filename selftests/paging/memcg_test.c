// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: its memory is charged to the memory cgroup of its user. */
#include <sys/mount.h>
#include "paging_test.h"

#define ROOT	"/sys/fs/cgroup"
#define GROUP	ROOT "/paging-test"
#define MIB	(1024UL * 1024)

/* A group of our own; NULL, or what is missing for it. */
static const char *group_create(void)
{
	if (access(ROOT "/cgroup.procs", W_OK) &&
	    mount("cgroup2", ROOT, "cgroup2", 0, NULL))
		return "no cgroup2";
	put_file(ROOT "/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		return "cannot make a group in " ROOT;
	if (access(GROUP "/memory.current", R_OK)) {
		rmdir(GROUP);
		return "no memory controller in " ROOT;
	}
	return NULL;
}

static int group_enter(void)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return put_file(GROUP "/cgroup.procs", pid);
}

static void group_remove(void)
{
	for (int i = 0; i < 100 && rmdir(GROUP); i++)
		usleep(20000);
}

static long charged(void)
{
	return get_number(GROUP "/memory.current");
}

TEST_F(paging, is_charged)
{
	const char *missing = group_create();
	int status = -1;
	pid_t pid;

	if (missing)
		SKIP(return, "%s", missing);
	pid = fork();
	if (!pid) {
		size_t len = 16 * MIB;
		char *p;

		if (group_enter())
			_exit(2);
		if (charged() >= (long)(4 * MIB))
			_exit(4);
		p = map_pages(self, len);
		if (p == MAP_FAILED)
			_exit(3);
		fill_pages(p, len, 1);
		/*
		 * All of it, not only the difference: charges are taken from
		 * the counter in batches, so what a CPU has in stock counts
		 * before it is used.
		 */
		_exit(charged() < (long)len);
	}
	waitpid(pid, &status, 0);
	group_remove();
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_F(paging, is_uncharged_when_unmapped)
{
	const char *missing = group_create();
	int status = -1;
	pid_t pid;

	if (missing)
		SKIP(return, "%s", missing);
	pid = fork();
	if (!pid) {
		size_t len = 16 * MIB;
		char *p;
		long before;

		if (group_enter())
			_exit(2);
		p = map_pages(self, len);
		if (p == MAP_FAILED)
			_exit(3);
		fill_pages(p, len, 1);
		before = charged();
		munmap(p, len);
		_exit(before - charged() < (long)(len - 2 * MIB));
	}
	waitpid(pid, &status, 0);
	group_remove();
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* Reclaim hints for one page of a block, which has to be left as it is. */
TEST_F(paging, stays_intact_when_called_cold)
{
	const char *missing = group_create();
	int status = -1;
	pid_t pid;

	if (missing)
		SKIP(return, "%s", missing);
	pid = fork();
	if (!pid) {
		char *p;

		if (group_enter())
			_exit(2);
		p = map_pages(self, self->len);
		if (p == MAP_FAILED)
			_exit(3);
		fill_pages(p, self->len, 1);
		if (madvise(p + self->page, self->page, MADV_COLD) ||
		    madvise(p + self->page, self->page, MADV_PAGEOUT))
			_exit(4);
		_exit(wrong_pages(p, self->len, 1) ? 5 : 0);
	}
	waitpid(pid, &status, 0);
	group_remove();
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/*
 * Over memory.max the process gets ENOMEM or is killed, and nobody else; that
 * it could also hang is what the timeout of this test is for.
 */
TEST_F_TIMEOUT(paging, is_limited_by_memory_max, 60)
{
	const char *missing = group_create();
	int status = 0;
	pid_t pid;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, put_file(GROUP "/memory.max", "8388608"));
	put_file(GROUP "/memory.swap.max", "0");
	pid = fork();
	if (!pid) {
		size_t len = 32 * MIB;
		char *p;

		if (group_enter())
			_exit(2);
		p = map_pages(self, len);
		if (p == MAP_FAILED)
			_exit(errno == ENOMEM ? 0 : 3);
		fill_pages(p, len, 1);
		_exit(4);
	}
	waitpid(pid, &status, 0);
	group_remove();
	if (WIFSIGNALED(status)) {
		EXPECT_TRUE(WTERMSIG(status) == SIGKILL ||
			    WTERMSIG(status) == SIGBUS);
	} else {
		EXPECT_EQ(0, WEXITSTATUS(status));
	}
}

TEST_HARNESS_MAIN
