// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grows until the OOM killer ends it, beside processes that keep touching
 * files and memory: how much there is to be had under a policy.
 *
 * usage: oom_load [file_mib=N] [hot_mib=N] [step_kib=N] [pause_ms=N]
 *
 *   file_mib	a mapped file, a block device of zeros, that is read again and
 *		again by another process
 *   hot_mib	memory that a third process keeps touching
 *   step_kib	by how much it grows at a time, and how long it waits then
 *
 * Prints the MiB that it reached, the time, and what was reclaimed.
 */
#include <sys/wait.h>
#include "lru_page_list.h"

static long file_mib = 32, hot_mib = 16, step_kib = 256, pause_ms = 2;

static void protect(const char *score)
{
	put_file("/proc/self/oom_score_adj", score);
}

static int zram;

static void touch_file(void)
{
	size_t len = file_mib * MIB, i;
	int fd = zram_open(zram);
	char *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	protect("-900");
	if (p == MAP_FAILED)
		_exit(1);
	for (;;)
		for (i = 0; i < len; i += 4096)
			peek(p + i);
}

static void touch_memory(void)
{
	size_t len = hot_mib * MIB, i;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	protect("-900");
	for (;;) {
		for (i = 0; i < len; i += 4096)
			poke(p + i, i);
		usleep(1000);
	}
}

static void grow(long *reached)
{
	size_t step = step_kib * 1024, i;
	uint64_t random = 88172645463325252ULL;

	protect("1000");
	for (;;) {
		char *p = mmap(NULL, step, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			_exit(2);
		/* Does not compress. */
		for (i = 0; i < step; i += 8)
			poke(p + i, next_random(&random));
		*reached += step_kib;
		usleep(pause_ms * 1000);
	}
}

static pid_t start(void (*work)(void))
{
	pid_t pid = fork();

	if (!pid)
		work();
	return pid;
}

int main(int argc, char **argv)
{
	long *reached = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t file = 0, hot = 0, grows;
	uint64_t began;
	int i, status;

	for (i = 1; i < argc; i++)
		if (sscanf(argv[i], "file_mib=%ld", &file_mib) != 1 &&
		    sscanf(argv[i], "hot_mib=%ld", &hot_mib) != 1 &&
		    sscanf(argv[i], "step_kib=%ld", &step_kib) != 1 &&
		    sscanf(argv[i], "pause_ms=%ld", &pause_ms) != 1)
			return fprintf(stderr, "oom_load: what is %s?\n", argv[i]), 2;
	zram = file_mib ? zram_add(file_mib) : -1;
	if (zram >= 0)
		file = start(touch_file);
	if (hot_mib)
		hot = start(touch_memory);
	sleep(2);
	printf("start policy=%s available_mib=%ld\n", get_file(LPL_DIR "policy"),
	       mem_available_kb() / 1024);
	fflush(stdout);
	began = now_ns();
	grows = fork();
	if (!grows)
		grow(reached);
	waitpid(grows, &status, 0);
	printf("oom policy=%s reached_mib=%ld ms=%ld signal=%d oom_kill=%ld",
	       get_file(LPL_DIR "policy"), *reached / 1024, (long)(now_ns() - began) / 1000000,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0, vm_count("oom_kill"));
	printf(" allocstall=%ld swapped_mib=%ld\n",
	       vm_count("allocstall_normal") + vm_count("allocstall_movable"),
	       vm_count("pswpout") * sysconf(_SC_PAGESIZE) / (long)MIB);
	if (file)
		kill(file, SIGKILL);
	if (hot)
		kill(hot, SIGKILL);
	while (wait(NULL) > 0)
		;
	if (zram >= 0)
		zram_remove(zram);
	return 0;
}
