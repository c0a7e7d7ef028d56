// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: what reclaim takes, and what it leaves alone.  A memory cgroup
 * is made small, so that the machine may have any size.
 */
#include "../kselftest_harness.h"
#include "lru_page_list.h"

#define ROOT	"/sys/fs/cgroup"
#define GROUP	ROOT "/lru-page-list-test"
#define LIMIT	(24 * MIB)

FIXTURE(reclaim)
{
	char before[16];
	size_t page;
	bool swap;
};

static const char *group_create(void)
{
	if (access(ROOT "/cgroup.procs", W_OK) &&
	    mount("cgroup2", ROOT, "cgroup2", 0, NULL))
		return "no cgroup2";
	put_file(ROOT "/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		return "cannot make a group";
	if (access(GROUP "/memory.max", W_OK))
		return "no memory controller";
	put_file(GROUP "/memory.max", "24M");
	put_file(GROUP "/memory.swap.max", "max");
	return NULL;
}

FIXTURE_SETUP(reclaim)
{
	const char *missing;

	if (access(LPL_DIR "policy", R_OK))
		SKIP(return, "no lru_page_list in this kernel");
	save_file(LPL_DIR "policy", self->before, sizeof(self->before));
	if (set_policy("lru"))
		SKIP(return, "booted with lru_page_list=off");
	missing = group_create();
	if (missing)
		SKIP(return, "%s", missing);
	self->page = sysconf(_SC_PAGESIZE);
	self->swap = swap_on_zram(256);
}

FIXTURE_TEARDOWN(reclaim)
{
	put_file(LPL_DIR "always", "0");
	set_policy(self->before);
	for (int i = 0; i < 100 && rmdir(GROUP); i++)
		sleep_ms(20);
}

static void enter_group(void)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%d", getpid());
	if (put_file(GROUP "/cgroup.procs", pid))
		_exit(100);
}

static char *pages_of(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(101);
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

/* Writes each page, or reads what was written; the number that is wrong. */
static long fill(char *p, size_t len, size_t page, bool check)
{
	long wrong = 0;

	for (size_t i = 0; i < len; i += page) {
		if (check)
			wrong += peek(p + i) != i + 1;
		else
			poke(p + i, i + 1);
	}
	return wrong;
}

static long present(const char *p, size_t len, size_t page)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	long nr = 0;

	for (size_t i = 0; i < len; i += page)
		nr += !!pfn_of(pagemap, p + i);
	close(pagemap);
	return nr;
}

/* The child's exit status, -1 if a signal ended it. */
static int run_in_group(int (*work)(size_t page), size_t page)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		enter_group();
		_exit(work(page));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int work_contents(size_t page)
{
	char *p = pages_of(2 * LIMIT);

	fill(p, 2 * LIMIT, page, false);
	for (int i = 0; i < 3; i++)
		if (fill(p, 2 * LIMIT, page, true))
			return 1;
	return 0;
}

TEST_F(reclaim, contents_survive)
{
	long steal = vm_count("pswpout");

	if (!self->swap)
		SKIP(return, "no swap");
	EXPECT_EQ(0, run_in_group(work_contents, self->page));
	EXPECT_LT(steal, vm_count("pswpout"));
}

/* The half that is used stays, the half that is not goes. */
static int work_hot_stays(size_t page)
{
	size_t hot = LIMIT / 2;
	char *p = pages_of(hot), *cold = pages_of(2 * LIMIT);
	long gone;

	fill(p, hot, page, false);
	for (size_t i = 0; i < 2 * LIMIT; i += page) {
		cold[i] = 1;
		if (i % (256 * page) == 0) {
			fill(p, hot, page, true);
			sleep_ms(2);
		}
	}
	gone = hot / page - present(p, hot, page);
	if (gone * 50 > (long)(hot / page))
		fprintf(stderr, "# %ld of %zu hot pages gone\n", gone, hot / page);
	return gone * 50 > (long)(hot / page);
}

TEST_F(reclaim, hot_stays)
{
	if (!self->swap)
		SKIP(return, "no swap");
	EXPECT_EQ(0, run_in_group(work_hot_stays, self->page));
}

static int work_mlock(size_t page)
{
	size_t len = LIMIT / 4;
	char *p = pages_of(len), *other = pages_of(2 * LIMIT);

	if (mlock(p, len))
		return 102;
	fill(p, len, page, false);
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, page, i);
	return present(p, len, page) != (long)(len / page) || fill(p, len, page, true);
}

TEST_F(reclaim, mlocked_never_leaves)
{
	if (!self->swap)
		SKIP(return, "no swap");
	EXPECT_EQ(0, run_in_group(work_mlock, self->page));
}

/* Locked and unlocked again it is a page like others. */
static int work_munlock(size_t page)
{
	size_t len = LIMIT / 4;
	char *p = pages_of(len), *other = pages_of(2 * LIMIT);

	fill(p, len, page, false);
	if (mlock(p, len) || munlock(p, len))
		return 102;
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, page, i);
	if (fill(p, len, page, true))
		return 2;
	return 0;
}

TEST_F(reclaim, munlocked_can)
{
	if (!self->swap)
		SKIP(return, "no swap");
	EXPECT_EQ(0, run_in_group(work_munlock, self->page));
}

static int work_hugetlb(size_t page)
{
	size_t len = get_line("/proc/meminfo", "Hugepagesize") * 1024;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	char *other = pages_of(2 * LIMIT);

	if (p == MAP_FAILED)
		return 4;
	fill(p, len, page, false);
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, page, i);
	return present(p, len, page) != (long)(len / page) || fill(p, len, page, true);
}

TEST_F(reclaim, hugetlb_never_leaves)
{
	int status;

	if (!self->swap)
		SKIP(return, "no swap");
	put_file("/proc/sys/vm/nr_hugepages", "1");
	status = run_in_group(work_hugetlb, self->page);
	put_file("/proc/sys/vm/nr_hugepages", "0");
	if (status == 4)
		SKIP(return, "no huge page");
	EXPECT_EQ(0, status);
}

/* A pipe holds references to pages that were given to it. */
static int work_pinned(size_t page)
{
	size_t len = 16 * page;
	char *p = pages_of(len), *other = pages_of(2 * LIMIT), text[64];
	struct iovec { void *base; size_t len; } iov = { p, len };
	long frames[16];
	int fds[2], pagemap = open("/proc/self/pagemap", O_RDONLY);
	long moved = 0;

	fill(p, len, page, false);
	if (pipe(fds) || syscall(__NR_vmsplice, fds[1], &iov, 1, 0) != (long)len)
		return 4;
	for (int i = 0; i < 16; i++)
		frames[i] = pfn_of(pagemap, p + i * page);
	for (int i = 0; i < 2; i++)
		fill(other, 2 * LIMIT, page, i);
	fill(p, len, page, true);
	for (int i = 0; i < 16; i++)
		moved += frames[i] != (long)pfn_of(pagemap, p + i * page);
	if (read(fds[0], text, sizeof(text)) != sizeof(text) || *(size_t *)text != 1)
		return 5;
	return moved ? 1 : 0;
}

TEST_F(reclaim, referenced_keeps_its_frame)
{
	int status;

	if (!self->swap)
		SKIP(return, "no swap");
	status = run_in_group(work_pinned, self->page);
	if (status == 4)
		SKIP(return, "no vmsplice");
	EXPECT_EQ(0, status);
}

static int work_swappiness(size_t page)
{
	char *p = pages_of(LIMIT / 2), text[65536] = { 0 };
	int fd = open("reclaim_test.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
	long out = get_line(GROUP "/memory.stat", "pswpout");

	if (fd < 0)
		return 102;
	unlink("reclaim_test.tmp");
	fill(p, LIMIT / 2, page, false);
	for (size_t i = 0; i < 2 * LIMIT; i += sizeof(text))
		if (write(fd, text, sizeof(text)) < 0)
			return 4;
	fdatasync(fd);
	for (int turn = 0; turn < 3; turn++)
		for (size_t i = 0; i < 2 * LIMIT; i += sizeof(text))
			if (pread(fd, text, sizeof(text), i) < 0)
				return 102;
	if (present(p, LIMIT / 2, page) != (long)(LIMIT / 2 / page))
		return 1;
	return get_line(GROUP "/memory.stat", "pswpout") != out;
}

/* File pages only, wherever they are not those of tmpfs. */
TEST_F(reclaim, swappiness_0_takes_no_anon)
{
	char before[16];
	int status;

	if (!self->swap)
		SKIP(return, "no swap");
	save_file("/proc/sys/vm/swappiness", before, sizeof(before));
	put_file("/proc/sys/vm/swappiness", "0");
	status = run_in_group(work_swappiness, self->page);
	put_file("/proc/sys/vm/swappiness", before);
	if (status == -1 || status == 4)
		SKIP(return, "the file is not on a disk");
	EXPECT_EQ(0, status);
}

/* Without swap the limit ends the process, and not earlier. */
static int work_fits(size_t page)
{
	char *p = pages_of(LIMIT * 3 / 4);

	for (int i = 0; i < 3; i++)
		fill(p, LIMIT * 3 / 4, page, i);
	return 0;
}

TEST_F(reclaim, no_swap)
{
	put_file(GROUP "/memory.swap.max", "0");
	EXPECT_EQ(0, run_in_group(work_fits, self->page));
	EXPECT_EQ(-1, run_in_group(work_contents, self->page));
}

TEST_F(reclaim, proactive)
{
	int status, fds[2];
	char c;
	pid_t pid;

	if (!self->swap)
		SKIP(return, "no swap");
	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid) {
		char *p;

		enter_group();
		p = pages_of(LIMIT / 2);
		fill(p, LIMIT / 2, self->page, false);
		c = write(fds[1], "x", 1);
		pause();
		_exit(0);
	}
	ASSERT_EQ(1, read(fds[0], &c, 1));
	sleep_ms(1500);
	long before = get_number(GROUP "/memory.current");

	EXPECT_EQ(0, put_file(GROUP "/memory.reclaim", "4M"));
	EXPECT_LE(get_number(GROUP "/memory.current"), before - (long)(3 * MIB));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

TEST_F(reclaim, cold_advice_goes_first)
{
	int status;
	pid_t pid;

	if (!self->swap)
		SKIP(return, "no swap");
	pid = fork();
	if (!pid) {
		char *a, *b;
		size_t len = LIMIT / 3;
		long ka, kb;

		enter_group();
		a = pages_of(len);
		b = pages_of(len);
		fill(a, len, self->page, false);
		sleep_ms(100);
		fill(b, len, self->page, false);
		sleep_ms(100);
		/* b is younger, but said to be cold. */
		madvise(b, len, MADV_COLD);
		sleep_ms(100);
		put_file(GROUP "/memory.reclaim", "4M");
		ka = present(a, len, self->page);
		kb = present(b, len, self->page);
		if (ka <= kb)
			fprintf(stderr, "# resident %ld %ld\n", ka, kb);
		_exit(ka <= kb);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
}

static int work_storm(size_t page)
{
	char *p = pages_of(LIMIT / 2);
	uint64_t end = now_ns() + 8000000000ULL;
	int status;

	fill(p, LIMIT / 2, page, false);
	while (now_ns() < end) {
		pid_t pids[8];

		for (int i = 0; i < 8; i++) {
			pids[i] = fork();
			if (!pids[i]) {
				char *mine = pages_of(MIB);

				fill(mine, MIB, page, false);
				if (i & 1)
					mprotect(p, LIMIT / 4, PROT_READ);
				if (i & 2)
					munmap(p + LIMIT / 4, LIMIT / 8);
				if (i & 4)
					madvise(p, LIMIT / 8, MADV_PAGEOUT);
				_exit(fill(mine, MIB, page, true) != 0);
			}
		}
		for (int i = 0; i < 8; i++) {
			if (pids[i] < 0)
				continue;
			waitpid(pids[i], &status, 0);
			if (status)
				return 1;
		}
	}
	return fill(p, LIMIT / 2, page, true) != 0;
}

TEST_F_TIMEOUT(reclaim, fork_and_exit_storm, 120)
{
	if (!self->swap)
		SKIP(return, "no swap");
	put_file(LPL_DIR "always", "1");
	EXPECT_EQ(0, run_in_group(work_storm, self->page));
}

static int work_long(size_t page)
{
	char *p = pages_of(2 * LIMIT);
	uint64_t end = now_ns() + 20000000000ULL;

	fill(p, 2 * LIMIT, page, false);
	while (now_ns() < end)
		if (fill(p, 2 * LIMIT, page, true))
			return 1;
	return 0;
}

/* Every 100 ms another policy, while memory is being reclaimed. */
TEST_F_TIMEOUT(reclaim, switching_under_load, 120)
{
	static const char *const policies[] = { "classic", "mglru", "lru" };
	pid_t pids[2];
	int status, changes = 0;

	if (!self->swap)
		SKIP(return, "no swap");
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			enter_group();
			_exit(work_long(self->page));
		}
	}
	while (!waitpid(pids[0], &status, WNOHANG)) {
		ASSERT_EQ(0, set_policy(policies[rand() % 3]));
		changes++;
		sleep_ms(100);
	}
	EXPECT_EQ(0, status);
	waitpid(pids[1], &status, 0);
	EXPECT_EQ(0, status);
	TH_LOG("%d changes", changes);
	EXPECT_LT(20, changes);
}

TEST_HARNESS_MAIN
