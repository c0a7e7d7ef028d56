// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grows until the OOM killer ends it, beside processes that keep touching
 * files and memory: how much there is to be had under a policy.
 *
 * usage: oom_load [file_mib=N] [hot_mib=N] [copy_mib=N] [step_kib=N] [pause_ms=N]
 *		    [random=N]
 *
 *   file_mib	a mapped file, a block device of zeros, that is read again and
 *		again by another process
 *   hot_mib	memory that a third process keeps touching
 *   copy_mib	a file, a block device of zeros, that a fourth process copies to
 *		another one again and again by read and write: all free memory
 *		gets into the page cache, and some of that has to be written
 *   step_kib	by how much it grows at a time, and how long it waits then
 *   random	% of what it writes that does not compress
 *
 * Prints the MiB that it reached, the time, and what was reclaimed.
 */
#include <sys/wait.h>
#include "lru_page_list.h"

static long file_mib = 32, hot_mib = 16, copy_mib, step_kib = 256, pause_ms = 2;
static long random_pct = 50;

static void protect(const char *score)
{
	put_file("/proc/self/oom_score_adj", score);
}

/* Devices: what is mapped, and what is copied from and to. */
static int zram[3] = { -1, -1, -1 };

static void touch_file(void)
{
	size_t len = file_mib * MIB, i;
	int fd = zram_open(zram[0]);
	char *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	protect("-900");
	if (p == MAP_FAILED)
		_exit(1);
	for (;;)
		for (i = 0; i < len; i += 4096)
			load_word(p + i);
}

static void touch_memory(void)
{
	size_t len = hot_mib * MIB, i;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	protect("-900");
	for (;;) {
		for (i = 0; i < len; i += 4096)
			store_word(p + i, i);
		usleep(1000);
	}
}

static void copy_file(void)
{
	static char buffer[65536];
	int in = zram_open(zram[1]), out = zram_open(zram[2]);
	ssize_t n;

	protect("-900");
	if (in < 0 || out < 0)
		_exit(1);
	for (;;) {
		n = read(in, buffer, sizeof(buffer));
		if (n <= 0 || write(out, buffer, n) != n) {
			lseek(in, 0, SEEK_SET);
			lseek(out, 0, SEEK_SET);
		}
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
		for (i = 0; i < step; i += 8)
			store_word(p + i, i % 4096 < 4096u * random_pct / 100 ?
				   next_random(&random) : 1);
		*reached += step_kib;
		usleep(pause_ms * 1000);
	}
}

/* In the order of the line that is printed. */
static void read_counts(long *count)
{
	count[0] = vm_count("oom_kill");
	count[1] = vm_count("allocstall_normal") + vm_count("allocstall_movable") +
		   (vm_count("allocstall_dma") > 0 ? vm_count("allocstall_dma") : 0) +
		   (vm_count("allocstall_dma32") > 0 ? vm_count("allocstall_dma32") : 0);
	count[2] = vm_count("pswpout");
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
	pid_t file = 0, hot = 0, copies = 0, grows;
	long before[3], after[3];
	uint64_t began;
	int i, status;

	for (i = 1; i < argc; i++)
		if (sscanf(argv[i], "file_mib=%ld", &file_mib) != 1 &&
		    sscanf(argv[i], "hot_mib=%ld", &hot_mib) != 1 &&
		    sscanf(argv[i], "copy_mib=%ld", &copy_mib) != 1 &&
		    sscanf(argv[i], "random=%ld", &random_pct) != 1 &&
		    sscanf(argv[i], "step_kib=%ld", &step_kib) != 1 &&
		    sscanf(argv[i], "pause_ms=%ld", &pause_ms) != 1)
			return fprintf(stderr, "oom_load: what is %s?\n", argv[i]), 2;
	if (file_mib < 0 || hot_mib < 0 || copy_mib < 0 || step_kib < 4 || pause_ms < 0 ||
	    random_pct < 0 || random_pct > 100)
		return 2;
	zram[0] = file_mib ? zram_add(file_mib) : -1;
	if (zram[0] >= 0)
		file = start(touch_file);
	if (copy_mib) {
		zram[1] = zram_add(copy_mib);
		zram[2] = zram_add(copy_mib);
		copies = start(copy_file);
	}
	if (hot_mib)
		hot = start(touch_memory);
	sleep(2);
	printf("start policy=%s available_mib=%ld\n", file_text(LPL_DIR "policy"),
	       mem_available_kb() / 1024);
	fflush(stdout);
	read_counts(before);
	began = now_ns();
	grows = fork();
	if (!grows)
		grow(reached);
	waitpid(grows, &status, 0);
	read_counts(after);
	printf("oom policy=%s reached_mib=%ld ms=%ld signal=%d oom_kill=%ld",
	       file_text(LPL_DIR "policy"), *reached / 1024, (long)(now_ns() - began) / 1000000,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0, after[0] - before[0]);
	printf(" allocstall=%ld swapped_mib=%ld\n", after[1] - before[1],
	       (after[2] - before[2]) * page_bytes() / (long)MIB);
	if (file)
		kill(file, SIGKILL);
	if (hot)
		kill(hot, SIGKILL);
	if (copies)
		kill(copies, SIGKILL);
	while (wait(NULL) > 0)
		;
	for (i = 0; i < 3; i++)
		if (zram[i] >= 0)
			zram_remove(zram[i]);
	return 0;
}
