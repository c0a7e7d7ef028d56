// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/lkp25p3: allocations that fail, one after another.
 *
 * For n = 1, 2, 3, ... a child has its n-th allocation fail (fault injection,
 * /proc/self/fail-nth) while it opens the file, translates, and starts and ends
 * a monitor, until a run gets by with fewer.
 */
#include "lkp25p3_test.h"

#define DEBUGFS	"/sys/kernel/debug/"
#define MOST	400

enum outcome { FINE, NO_MEMORY, UNUSED, WRONG_ERRNO };

static const char *injection_missing(void)
{
	int fd = lkp_open();

	if (fd < 0)
		return "no " LKP25P3_PROC " (is the module loaded, are you root?)";
	close(fd);
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

static int use_all(char *p, struct lkp25p3_monitor *m, struct lkp25p3_record *recs)
{
	int fd = lkp_open(), err = 0;

	if (fd < 0)
		return errno;
	if (lkp_batch(fd, NULL, (uintptr_t)p, recs, 16, 0, 0) < 0 ||
	    write(fd, "1000", 4) < 0 || write(fd, "range 1000 4000", 15) < 0 ||
	    write(fd, "0", 1) < 0 || ioctl(fd, LKP25P3_IOC_MONITOR_START, m))
		err = errno;
	close(fd);
	return err;
}

static enum outcome run_with_failure(char *p, int nth)
{
	struct lkp25p3_monitor m = {
		.start = (uintptr_t)p, .len = 16 * page_bytes(), .interval_ms = 4,
	};
	int fd = open("/proc/self/fail-nth", O_RDWR), err;
	char text[24], left[24] = "";
	struct lkp25p3_record recs[16];

	snprintf(text, sizeof(text), "%d", nth);
	if (write(fd, text, strlen(text)) < 0)
		return WRONG_ERRNO;
	err = use_all(p, &m, recs);
	/* Copies to users fail as well: if this one does, nothing before it did. */
	if (pread(fd, left, sizeof(left) - 1, 0) < 0)
		left[0] = '1';
	pwrite(fd, "0", 1, 0);
	/* EAGAIN: there were too many dumps; EFAULT: a copy failed. */
	if (err && err != EAGAIN)
		return err == ENOMEM || err == EFAULT || err == EINTR ? NO_MEMORY : WRONG_ERRNO;
	return atoi(left) ? UNUSED : FINE;
}

TEST(survives_each_failed_allocation)
{
	const char *missing = injection_missing();
	int nth, status, hits = 0;
	char *p;

	if (missing)
		SKIP(return, "%s", missing);
	injection_set_up();
	p = map_small(16 * page_bytes());
	write_pages(p, 16 * page_bytes());
	for (nth = 1; nth <= MOST; nth++) {
		pid_t pid = fork();

		if (!pid)
			_exit(run_with_failure(p, nth));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		ASSERT_NE(WRONG_ERRNO, WEXITSTATUS(status)) {
			TH_LOG("allocation %d", nth);
		}
		hits += WEXITSTATUS(status) == NO_MEMORY;
		if (WEXITSTATUS(status) == UNUSED)
			break;
	}
	EXPECT_LT(3, hits);
	EXPECT_GT(MOST, nth);
}

TEST_HARNESS_MAIN
