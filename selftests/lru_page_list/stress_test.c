// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: all at once, while memory is being reclaimed.  Contents are
 * checked; a kernel with lockdep, KASAN and DEBUG_VM checks the rest.
 * LRU_PAGE_LIST_SECONDS makes each test take that long.
 */
#include "../kselftest_harness.h"
#include "group.h"

FIXTURE(stress)
{
	char before[16];
	struct swap swap;
	size_t page;
};

FIXTURE_SETUP(stress)
{
	const char *missing;

	if (access(LPL_DIR "policy", R_OK))
		SKIP(return, "no lru_page_list in this kernel");
	missing = group_create();
	if (missing)
		SKIP(return, "%s", missing);
	self->page = sysconf(_SC_PAGESIZE);
	swap_get(&self->swap, 192);
	if (!self->swap.there)
		SKIP(return, "no swap, and no zram to make some");
	save_file(LPL_DIR "policy", self->before, sizeof(self->before));
	if (set_policy("lru"))
		SKIP(return, "booted with lru_page_list=off");
}

FIXTURE_TEARDOWN(stress)
{
	put_file(LPL_DIR "always", "0");
	set_policy(self->before);
	group_remove(GROUP);
	swap_put(&self->swap);
}

/* What children share with the test. */
static int *stop;

static bool stopped(void)
{
	return __atomic_load_n(stop, __ATOMIC_RELAXED);
}

static int one_of_a_storm(char *p, size_t page, int i)
{
	char *mine = pages_of(MIB);

	fill(mine, MIB, page, false);
	if (i & 1)
		mprotect(p, LIMIT / 4, PROT_READ);
	if (i & 2)
		munmap(p + LIMIT / 4, LIMIT / 8);
	if (i & 4)
		madvise(p, LIMIT / 8, MADV_PAGEOUT);
	if (i == 3)
		mremap(mine, MIB, 2 * MIB, MREMAP_MAYMOVE);
	if (i == 6)
		madvise(p, LIMIT / 2, MADV_COLD);
	if (i == 7)
		execl("/proc/self/exe", "stress_test", "--nothing", NULL);
	return i == 3 ? 0 : fill(mine, MIB, page, true) != 0;
}

static int work_storm(size_t page)
{
	char *p = pages_of(LIMIT / 2);
	int status;

	fill(p, LIMIT / 2, page, false);
	while (!stopped()) {
		pid_t pids[8];

		for (int i = 0; i < 8; i++) {
			pids[i] = fork();
			if (!pids[i])
				_exit(one_of_a_storm(p, page, i));
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

static int work_long(size_t page)
{
	char *p = pages_of(2 * LIMIT);

	fill(p, 2 * LIMIT, page, false);
	while (!stopped())
		if (fill(p, 2 * LIMIT, page, true))
			return 1;
	return 0;
}

static pid_t start(int (*work)(size_t page), size_t page)
{
	pid_t pid = fork();

	if (!pid) {
		enter(GROUP);
		_exit(work(page));
	}
	return pid;
}

static int end(pid_t pid)
{
	int status = -1;

	__atomic_store_n(stop, 1, __ATOMIC_RELAXED);
	waitpid(pid, &status, 0);
	return status;
}

static void share_stop(void)
{
	stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stop == MAP_FAILED)
		_exit(101);
}

/* Also what takes folios off their lists and brings them back. */
static void disturb(int turn)
{
	static const char online[] = "/sys/devices/system/cpu/cpu1/online";
	char line[256];
	FILE *queue;

	switch (turn % 5) {
	case 0:
		put_file("/proc/sys/vm/compact_memory", "1");
		break;
	case 1:
		put_file(online, "0");
		put_file(online, "1");
		break;
	case 2:
		put_file(GROUP "/memory.reclaim", "2M");
		break;
	case 3:
		queue = fopen(LPL_QUEUE, "r");
		while (queue && fgets(line, sizeof(line), queue))
			;
		if (queue)
			fclose(queue);
		break;
	case 4:
		put_file("/proc/sys/vm/drop_caches", "1");
		break;
	}
}

TEST_F_TIMEOUT(stress, fork_and_exit_storm, 900)
{
	uint64_t until = now_ns() + long_seconds(4) * 1000000000ULL;
	int turn = 0;
	pid_t pid;

	share_stop();
	put_file(LPL_DIR "always", "1");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	pid = start(work_storm, self->page);
	while (turn < 10 || now_ns() < until) {
		disturb(turn++);
		sleep_ms(50);
	}
	EXPECT_EQ(0, end(pid));
}

/* Every 100 ms the next of these policies; how many of three were killed. */
static int switch_under_load(struct __test_metadata *_metadata,
			     const char *const *policies, int nr, size_t page)
{
	uint64_t until = now_ns() + long_seconds(5) * 1000000000ULL;
	int turn = 0, status, killed = 0;
	pid_t pids[3];

	share_stop();
	pids[0] = start(work_long, page);
	pids[1] = start(work_long, page);
	pids[2] = start(work_storm, page);
	while (turn < 24 || now_ns() < until) {
		EXPECT_EQ(0, set_policy(policies[turn % nr]));
		put_file(LPL_DIR "always", turn % 4 ? "0" : "1");
		turn++;
		sleep_ms(100);
	}
	for (int i = 0; i < 3; i++) {
		status = end(pids[i]);
		if (status == SIGKILL)
			killed++;
		else
			EXPECT_EQ(0, status);
	}
	return killed;
}

TEST_F_TIMEOUT(stress, switching_under_load, 900)
{
	static const char *const policies[] = { "classic", "lru" };

	EXPECT_EQ(0, switch_under_load(_metadata, policies, 2, self->page));
}

/*
 * All changes between two of three.  For some time after a change to mglru, what
 * it can take is little, and a memory cgroup at its limit may have a process
 * killed for it; it does so without lru as well.
 */
TEST_F_TIMEOUT(stress, switching_between_all, 900)
{
	static const char *const policies[] = {
		"classic", "mglru", "lru", "mglru", "classic", "lru"
	};
	long before = get_line(GROUP "/memory.events", "oom_kill");
	int killed = switch_under_load(_metadata, policies, 6, self->page);

	TH_LOG("%d of 3 killed", killed);
	EXPECT_LE(killed, get_line(GROUP "/memory.events", "oom_kill") - before);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--nothing"))
		return 0;
	return test_harness_run(argc, argv);
}
