// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/paging: allocations that fail, one after another.
 *
 * For n = 1, 2, 3, ... a child has its n-th allocation fail (fault injection,
 * /proc/self/fail-nth) while it maps memory and uses it, until a run gets by
 * with fewer.  Each run must end well, with an errno or by SIGBUS.
 */
#include "paging_test.h"

#define DEBUGFS	"/sys/kernel/debug/"
#define MOST	400

enum outcome { FINE, NO_MEMORY, UNUSED, WRONG_ERRNO, WRONG_DATA };

static const char *injection_missing(void)
{
	if (access("/proc/self/fail-nth", W_OK))
		return "no CONFIG_FAULT_INJECTION, or no debug kernel";
	if (access(DEBUGFS "fail_page_alloc", F_OK) ||
	    access(DEBUGFS "failslab", F_OK))
		return "no fail_page_alloc or failslab in debugfs";
	return NULL;
}

/* Let it hit all allocations, those that may sleep included. */
static void injection_set_up(void)
{
	put_file(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N");
	put_file(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N");
	put_file(DEBUGFS "fail_page_alloc/min-order", "0");
	put_file(DEBUGFS "fail_page_alloc/verbose", "0");
	put_file(DEBUGFS "failslab/ignore-gfp-wait", "N");
	put_file(DEBUGFS "failslab/verbose", "0");
}

static enum outcome run_with_failure(paging_fixture *self, size_t len,
				     int nth)
{
	int fd = open("/proc/self/fail-nth", O_RDWR), map_errno;
	char text[24], left[24] = "";
	char *p;

	snprintf(text, sizeof(text), "%d", nth);
	if (write(fd, text, strlen(text)) < 0)
		return WRONG_ERRNO;
	p = map_pages(self, len);
	map_errno = errno;
	if (p != MAP_FAILED)
		fill_pages(p, len, nth);
	/* Copies to users fail as well: if this one does, nothing before it did. */
	if (pread(fd, left, sizeof(left) - 1, 0) < 0)
		left[0] = '1';
	pwrite(fd, "0", 1, 0);

	if (p == MAP_FAILED)
		return map_errno == ENOMEM ? NO_MEMORY : WRONG_ERRNO;
	if (wrong_pages(p, len, nth))
		return WRONG_DATA;
	return atoi(left) ? UNUSED : FINE;
}

TEST_F_TIMEOUT(paging, survives_each_failed_allocation, 280)
{
	const char *missing = injection_missing();
	int nth, status, hits = 0;

	if (missing)
		SKIP(return, "%s", missing);
	injection_set_up();
	for (nth = 1; nth <= MOST; nth++) {
		pid_t pid = fork();

		if (!pid)
			_exit(run_with_failure(self, 4 * BLOCK, nth));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		if (WIFSIGNALED(status)) {
			EXPECT_EQ(SIGBUS, WTERMSIG(status));
			hits++;
			continue;
		}
		if (WEXITSTATUS(status) == UNUSED)
			break;
		ASSERT_GT(UNUSED, WEXITSTATUS(status));
		hits++;
	}
	EXPECT_LT(0, hits);
}

TEST_HARNESS_MAIN
