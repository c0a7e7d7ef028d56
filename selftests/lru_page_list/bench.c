// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a policy costs: getting and giving back memory, touching what is there,
 * and running with nothing to do for it.
 *
 * usage: bench [mib=64] [rounds=5] [load=0] [idle=0] [compute=1]
 *
 *   mib	memory that is got, touched and given back in each round
 *   load	1: beside a process that keeps all other memory in use
 *   idle	processes that have memory and sleep meanwhile
 *   compute	million steps of a loop that needs no memory, in each round
 *
 * Prints one line for each kind of work: the median over the rounds of the time
 * per page (of a step of the loop), faults, and CPU time of kswapd and of the
 * harvester.
 */
#include <dirent.h>
#include "lru_page_list.h"

#define MAX_ROUNDS	99

static long mib = 64, rounds = 5, load, idle, steps = 1;
static pid_t idler[1000];
static size_t page_size;

enum work { ALLOCATE, TOUCH, FREE, COMPUTE, NR_WORK };

static const char *const work_names[] = { "allocate", "touch", "free", "compute" };

struct result {
	double ns[MAX_ROUNDS];
	long minor, major;
};

static struct result results[NR_WORK];

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Of /proc/PID/stat: the name, and the ticks in user and in kernel mode. */
#define STAT_FORMAT	"%*d (%63[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu"

/* CPU time of a kernel thread, ms; 0 if there is none of that name. */
static long thread_ms(const char *name)
{
	unsigned long utime, stime, sum = 0;
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[300], comm[64];
	FILE *file;

	while (proc && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		file = atol(entry->d_name) ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		if (fscanf(file, STAT_FORMAT, comm, &utime, &stime) == 3 &&
		    !strncmp(comm, name, strlen(name)))
			sum += utime + stime;
		fclose(file);
	}
	if (proc)
		closedir(proc);
	return sum * 1000 / sysconf(_SC_CLK_TCK);
}

static char *get_memory(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("bench: mmap");
		exit(1);
	}
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

static void touch_all(char *p, size_t len)
{
	for (size_t i = 0; i < len; i += page_size)
		store_word(p + i, i);
}

/* Of a known length, and nothing that a policy has to do with. */
static uint64_t compute(void)
{
	uint64_t random = 88172645463325252ULL;

	for (long i = 0; i < steps * 1000000; i++)
		next_random(&random);
	return random;
}

static void work(enum work kind, char **p, size_t len)
{
	switch (kind) {
	case ALLOCATE:
		*p = get_memory(len);
		touch_all(*p, len);
		break;
	case TOUCH:
		for (int i = 0; i < 10; i++)
			touch_all(*p, len);
		break;
	case FREE:
		munmap(*p, len);
		break;
	default:
		if (!compute())
			exit(1);
	}
}

static void run_round(long round)
{
	size_t len = mib * MIB;
	struct rusage before, after;
	uint64_t began;
	char *p = NULL;

	for (int kind = 0; kind < NR_WORK; kind++) {
		struct result *result = &results[kind];

		getrusage(RUSAGE_SELF, &before);
		began = now_ns();
		work(kind, &p, len);
		result->ns[round] = (double)(now_ns() - began) /
				    (kind == COMPUTE ? steps * 1000000 : len / page_size);
		getrusage(RUSAGE_SELF, &after);
		result->minor += after.ru_minflt - before.ru_minflt;
		result->major += after.ru_majflt - before.ru_majflt;
	}
}

/* Half as much again as there is: somebody has to give. */
static pid_t start_load(void)
{
	size_t len = mem_available_kb() * 1024 / 2 * 3;
	pid_t pid = fork();
	char *p;

	if (pid)
		return pid;
	p = get_memory(len);
	for (;;)
		touch_all(p, len);
}

/* Each with some pages that are young when it goes to sleep. */
static void start_idle(void)
{
	const size_t len = 64 * page_size;

	for (int i = 0; i < idle; i++) {
		idler[i] = fork();
		if (!idler[i]) {
			touch_all(get_memory(len), len);
			for (;;)
				pause();
		}
	}
}

static void end_idle(void)
{
	for (int i = 0; i < idle; i++)
		if (idler[i] > 0) {
			kill(idler[i], SIGKILL);
			waitpid(idler[i], NULL, 0);
		}
}

int main(int argc, char **argv)
{
	long kswapd, klrud;
	uint64_t began;
	pid_t pid = 0;
	int i;

	for (i = 1; i < argc; i++)
		if (sscanf(argv[i], "mib=%ld", &mib) != 1 &&
		    sscanf(argv[i], "rounds=%ld", &rounds) != 1 &&
		    sscanf(argv[i], "load=%ld", &load) != 1 &&
		    sscanf(argv[i], "idle=%ld", &idle) != 1 &&
		    sscanf(argv[i], "compute=%ld", &steps) != 1)
			return fprintf(stderr, "bench: what is %s?\n", argv[i]), 2;
	if (mib < 1 || rounds < 1 || rounds > MAX_ROUNDS || steps < 1 || steps > 1000 ||
	    idle < 0 || idle > (long)ARRAY_SIZE(idler))
		return 2;
	page_size = page_bytes();
	start_idle();
	if (load)
		pid = start_load();
	if (load || idle)
		sleep(2);
	kswapd = thread_ms("kswapd");
	klrud = lpl_stat("cpu_ns");
	began = now_ns();
	for (i = 0; i < rounds; i++)
		run_round(i);
	began = (now_ns() - began) / 1000000 + 1;
	kswapd = thread_ms("kswapd") - kswapd;
	klrud = (lpl_stat("cpu_ns") - klrud) / 1000000;
	if (pid) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	end_idle();
	for (i = 0; i < NR_WORK; i++) {
		qsort(results[i].ns, rounds, sizeof(double), by_value);
		printf("bench work=%s ns_page=%.3f minor=%ld major=%ld\n", work_names[i],
		       results[i].ns[rounds / 2], results[i].minor, results[i].major);
	}
	printf("total policy=%s load=%ld idle=%ld ms=%ld", file_text(LPL_DIR "policy"), load, idle,
	       (long)began);
	printf(" kswapd_pct=%.2f klrud_pct=%.2f\n", 100.0 * kswapd / began, 100.0 * klrud / began);
	return 0;
}
