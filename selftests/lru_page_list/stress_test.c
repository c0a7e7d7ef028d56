// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: all at once, while memory is being reclaimed.  Contents are
 * checked; a kernel with lockdep, KASAN and DEBUG_VM checks the rest.  A test
 * ends when a certain work has been done, however long that takes, and after
 * LRU_PAGE_LIST_SECONDS if that is given.
 */
#include "../kselftest_harness.h"
#include "group.h"

FIXTURE(stress)
{
	struct stage stage;
	size_t page;
};

FIXTURE_SETUP(stress)
{
	const char *missing = stage_set(&self->stage);

	if (missing)
		SKIP(return, "%s", missing);
	self->page = page_bytes();
}

FIXTURE_TEARDOWN(stress)
{
	stage_clear(&self->stage);
}

/**
 * struct shared - what the children and the test tell each other
 * @stop: they are to end
 * @touched: pages they have touched
 * @rounds: of the storm
 * @cpus_gone: times that a CPU was taken away
 */
static struct shared {
	bool stop;
	unsigned long touched;
	unsigned long rounds;
	unsigned long cpus_gone;
} *shared;

static bool stopped(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

static unsigned long count(unsigned long *what, unsigned long more)
{
	return __atomic_add_fetch(what, more, __ATOMIC_RELAXED);
}

/* As fill(), but it ends when it is told to, and is seen to go on. */
static long work(char *p, size_t len, size_t page, bool check)
{
	long wrong = 0;

	for (size_t i = 0; i < len && !stopped(); i += page) {
		if (check)
			wrong += load_word(p + i) != i + 1;
		else
			store_word(p + i, i + 1);
		count(&shared->touched, 1);
	}
	return wrong;
}

static int one_of_a_storm(char *p, size_t page, int i)
{
	char *mine = pages_of(MIB);

	work(mine, MIB, page, false);
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
	return i == 3 || stopped() ? 0 : work(mine, MIB, page, true) != 0;
}

/* 0 if all eight have ended well, else how the first did that has not. */
static int storm(char *p, size_t page)
{
	int status, first = 0;
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
		if (!first)
			first = status;
	}
	return first;
}

static int work_storm(size_t page)
{
	char *p = pages_of(LIMIT / 2);
	int status;

	work(p, LIMIT / 2, page, false);
	while (!stopped()) {
		status = storm(p, page);
		/* As if it had been this one. */
		if (WIFSIGNALED(status))
			kill(getpid(), WTERMSIG(status));
		if (status || work(p, LIMIT / 2, page, true))
			return 1;
		count(&shared->rounds, 1);
	}
	return 0;
}

static int work_long(size_t page)
{
	char *p = pages_of(2 * LIMIT);

	work(p, 2 * LIMIT, page, false);
	while (!stopped())
		if (work(p, 2 * LIMIT, page, true))
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

static void tell_where(void)
{
	put_file("/proc/sysrq-trigger", "w");
	put_file("/proc/sysrq-trigger", "t");
}

/* A page a minute is slow, none is a hang: the log tells where all are. */
static bool hangs(void)
{
	static unsigned long before;
	static uint64_t since;
	unsigned long touched = count(&shared->touched, 0);

	if (!since || touched != before) {
		before = touched;
		since = now_ns();
	}
	if (now_ns() - since < 120 * 1000000000ULL)
		return false;
	tell_where();
	since = 0;
	return true;
}

static int end(pid_t pid)
{
	int status = -1;

	__atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
	for (int i = 1; waitpid(pid, &status, WNOHANG) != pid; i++) {
		sleep_ms(10);
		if (i == 12000)
			tell_where();
	}
	return status;
}

static void share(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED)
		_exit(101);
}

static const char online[] = "/sys/devices/system/cpu/cpu1/online";

/* Also what takes folios off their lists and brings them back. */
static void disturb(int turn)
{
	char line[256];
	FILE *queue;

	switch (turn % 6) {
	case 0:
		put_file("/proc/sys/vm/compact_memory", "1");
		break;
	case 1:
		/* Some kernels and some machines have none that can go. */
		if (access(online, W_OK))
			break;
		if (!put_file(online, "0"))
			count(&shared->cpus_gone, 1);
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
	case 5:
		put_file(LPL_DIR "guard", turn / 6 % 2 ? "0" : "1");
		break;
	}
}

/* However slow the machine is, some rounds are to be under each disturbance. */
TEST_F_TIMEOUT(stress, fork_and_exit_storm, 900)
{
	uint64_t until = now_ns() + long_seconds(0) * 1000000000ULL;
	int turn = 0;
	pid_t pid;

	share();
	put_file(LPL_DIR "always", "1");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	pid = start(work_storm, self->page);
	while (turn < 12 || count(&shared->rounds, 0) < 5 || now_ns() < until) {
		disturb(turn++);
		sleep_ms(50);
		ASSERT_FALSE(hangs());
		ASSERT_EQ(0, waitpid(pid, NULL, WNOHANG));
	}
	TH_LOG("%d disturbances, %lu rounds", turn, count(&shared->rounds, 0));
	EXPECT_EQ(0, end(pid));
	EXPECT_TRUE(access(online, W_OK) || count(&shared->cpus_gone, 0))
		TH_LOG("no CPU could be taken away");
}

/**
 * struct load - three that need more than there is
 * @pids: they
 * @killed: how often one of them was, and another was started
 */
struct load {
	pid_t pids[3];
	int killed;
};

static void load_start(struct load *load, int i, size_t page)
{
	load->pids[i] = start(i ? work_long : work_storm, page);
}

/* How one ended without having been told to, unless it was killed. */
static int load_tend(struct load *load, size_t page)
{
	int status;

	for (int i = 0; i < 3; i++) {
		if (waitpid(load->pids[i], &status, WNOHANG) != load->pids[i])
			continue;
		if (status != SIGKILL)
			return status ?: -1;
		load->killed++;
		load_start(load, i, page);
	}
	return 0;
}

#define TURNS	24

/*
 * Every 100 ms the next of these policies, @turns or more, until as much has been
 * reclaimed as the group may hold; how many were killed meanwhile.
 */
static int switch_under_load(struct __test_metadata *_metadata,
			     const char *const *policies, int nr, int turns, size_t page)
{
	uint64_t until = now_ns() + long_seconds(0) * 1000000000ULL;
	long steal = get_line(GROUP "/memory.stat", "pgsteal");
	uint64_t began = now_ns();
	struct load load = { .killed = 0 };
	int turn = 0, status = 0;
	bool hung = false;

	share();
	for (int i = 0; i < 3; i++)
		load_start(&load, i, page);
	while (!status && !(hung = hangs())) {
		if (turn >= turns && now_ns() >= until &&
		    get_line(GROUP "/memory.stat", "pgsteal") - steal >= (long)(LIMIT / page))
			break;
		EXPECT_EQ(0, set_policy(policies[turn % nr]));
		put_file(LPL_DIR "always", turn % 4 ? "0" : "1");
		/* Before lru, while it is in force, and through more than one turn of it. */
		put_file(LPL_DIR "guard", turn % 5 < 3 ? "1" : "0");
		turn++;
		sleep_ms(100);
		status = load_tend(&load, page);
	}
	EXPECT_EQ(0, status);
	EXPECT_FALSE(hung);
	EXPECT_LE(turns, turn);
	TH_LOG("%d turns in %lu s, %d killed", turn, (now_ns() - began) / 1000000000UL,
	       load.killed);
	for (int i = 0; i < 3; i++) {
		status = end(load.pids[i]);
		if (status == SIGKILL)
			load.killed++;
		else
			EXPECT_EQ(0, status);
	}
	return load.killed;
}

TEST_F_TIMEOUT(stress, switching_under_load, 900)
{
	static const char *const policies[] = { "classic", "lru" };

	EXPECT_EQ(0, switch_under_load(_metadata, policies, 2, TURNS, self->page));
}

/*
 * All changes between two of three.  For some time after a change to mglru, what
 * it can take is little, and a memory cgroup at its limit may have a process
 * killed for it; it does so without lru as well, which is looked at first.
 */
TEST_F_TIMEOUT(stress, switching_between_all, 900)
{
	static const char *const policies[] = {
		"classic", "mglru", "lru", "mglru", "classic", "lru"
	};
	static const char *const peers[] = { "classic", "mglru" };
	int usual = switch_under_load(_metadata, peers, 2, TURNS / 2, self->page);
	long before = get_line(GROUP "/memory.events", "oom_kill");
	int killed = switch_under_load(_metadata, policies, 6, TURNS, self->page);

	EXPECT_LE(killed, get_line(GROUP "/memory.events", "oom_kill") - before);
	/* In twice as many turns, of which a third begin mglru, not half. */
	EXPECT_LE(killed, 4 * usual + 6);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--nothing"))
		return 0;
	return test_harness_run(argc, argv);
}
