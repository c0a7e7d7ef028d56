// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: a CPU without a tick (nohz_full).  Nobody is switched to or from
 * there, and no timer interrupt notes who runs: the remote tick does, once a second.
 */
#include "../kselftest_harness.h"
#include <sched.h>
#include "listing.h"

#define PAGES	64
#define SECOND	1000	/* ms: the remote tick's */
#define SLACK	500	/* ms: until the harvest, and until the queue is read */

/**
 * struct toucher - who touches pages on that CPU, without a system call
 * @pid: its
 * @cpu: that one
 * @p: pages, in the child as well
 */
struct toucher {
	pid_t pid;
	int cpu;
	char *p;
};

FIXTURE(nohz)
{
	char before[16];
	struct toucher toucher;
	size_t page;
};

static bool run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static void touch_for_ever(struct toucher *toucher, size_t page)
{
	if (!run_on(toucher->cpu))
		_exit(100);
	for (;;)
		for (size_t i = 0; i < PAGES; i++)
			store_word(toucher->p + i * page, i);
}

FIXTURE_SETUP(nohz)
{
	const char *cpus = file_text("/sys/devices/system/cpu/nohz_full");

	if (access(LPL_DIR "policy", R_OK))
		SKIP(return, "no lru_page_list in this kernel");
	self->toucher.cpu = atoi(cpus);
	if (self->toucher.cpu <= 0)
		SKIP(return, "no CPU is without a tick: boot with nohz_full=1");
	get_file(LPL_DIR "policy", self->before, sizeof(self->before));
	if (set_policy("lru"))
		SKIP(return, "booted with lru_page_list=off");
	put_file(LPL_DIR "always", "1");
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	self->page = page_bytes();
	self->toucher.p = mmap(NULL, PAGES * self->page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->toucher.p);
	madvise(self->toucher.p, PAGES * self->page, MADV_NOHUGEPAGE);
	self->toucher.pid = fork();
	if (!self->toucher.pid)
		touch_for_ever(&self->toucher, self->page);
	ASSERT_LT(0, self->toucher.pid);
	ASSERT_TRUE(run_on(0));
}

FIXTURE_TEARDOWN(nohz)
{
	put_file(LPL_DIR "always", "0");
	set_policy(self->before);
	kill(self->toucher.pid, SIGKILL);
	waitpid(self->toucher.pid, NULL, 0);
}

/* Timer interrupts of a CPU so far, of all that have such a name. */
static long ticks_of(int cpu)
{
	FILE *file = fopen("/proc/interrupts", "r");
	char line[1024];
	long sum = 0;

	while (file && fgets(line, sizeof(line), file)) {
		char *at = strchr(line, ':');

		if (!at || !(strstr(line, "timer") || strstr(line, "LOC:")))
			continue;
		at++;
		for (int i = 0; i < cpu; i++)
			strtol(at, &at, 10);
		sum += strtol(at, NULL, 10);
	}
	if (file)
		fclose(file);
	return sum;
}

/* The age of the oldest of the pages, ms; -1 if one is not there. */
static long oldest(const struct toucher *toucher, size_t page)
{
	FILE *queue = fopen(LPL_QUEUE, "r");
	struct listing list = { 0 };
	char path[32];
	long age = 0;
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", toucher->pid);
	pagemap = open(path, O_RDONLY);
	if (!queue || pagemap < 0)
		return -1;
	listing_read(&list, queue);
	for (size_t i = 0; i < PAGES && age >= 0; i++) {
		struct queue_line *line;

		line = listing_find(&list, pfn_of(pagemap, toucher->p + i * page));
		if (!line || line->age > age)
			age = line ? line->age : -1;
	}
	free(list.line);
	fclose(queue);
	close(pagemap);
	return age;
}

TEST_F_TIMEOUT(nohz, order_is_exact_to_a_second, 120)
{
	long ticks, age;

	sleep_ms(3000);
	ticks = ticks_of(self->toucher.cpu);
	for (int i = 0; i < 5; i++) {
		sleep_ms(SECOND + 100 * i);
		age = oldest(&self->toucher, self->page);
		TH_LOG("the oldest page is of %ld ms ago", age);
		EXPECT_LE(0, age);
		EXPECT_GE(SECOND + SLACK, age);
	}
	ticks = ticks_of(self->toucher.cpu) - ticks;
	/* Else this has shown nothing. */
	EXPECT_GT(200, ticks) TH_LOG("%ld timer interrupts in 6 s", ticks);
}

/* Who was noted from afar may be gone, or the policy changed, before the harvest. */
TEST_F_TIMEOUT(nohz, exit_and_switch_meanwhile, 120)
{
	for (int i = 0; i < 8; i++) {
		sleep_ms(400);
		if (i & 1)
			ASSERT_EQ(0, set_policy(i & 2 ? "classic" : "mglru"));
		kill(self->toucher.pid, SIGKILL);
		waitpid(self->toucher.pid, NULL, 0);
		ASSERT_EQ(0, set_policy("lru"));
		self->toucher.pid = fork();
		if (!self->toucher.pid)
			touch_for_ever(&self->toucher, self->page);
	}
	sleep_ms(2 * SECOND);
	EXPECT_GE(SECOND + SLACK, oldest(&self->toucher, self->page));
}

TEST_HARNESS_MAIN
