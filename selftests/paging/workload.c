// SPDX-License-Identifier: GPL-2.0-only
/* What the experiment programs share, see workload.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <linux/paging.h>

#include "workload.h"

static const char * const source_names[] = {
	[MEMORY_PAGING] = "paging",
	[MEMORY_ANONYMOUS] = "anonymous",
	[MEMORY_POPULATE] = "populate",
};

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static void print_usage(const char *name, const char *what, unsigned long max)
{
	fprintf(stderr,
		"usage: %s [-m paging|anonymous|populate] [-c] [-r] N\n"
		"  N   %s, at most %lu\n"
		"  -m  where the memory comes from: " DEV_NAME " (default),\n"
		"      anonymous memory, or that with MAP_POPULATE\n"
		"  -c  check the result\n"
		"  -r  print one machine-readable line\n", name, what, max);
	exit(2);
}

static int find_source(const char *name)
{
	for (int i = 0; i <= MEMORY_POPULATE; i++)
		if (!strcmp(name, source_names[i]))
			return i;
	return -1;
}

unsigned long workload_init(struct workload *w, int argc, char **argv,
			    const char *what, unsigned long max)
{
	unsigned long size;
	int opt, source;
	char *end;

	*w = (struct workload){ .fd = -1 };
	while ((opt = getopt(argc, argv, "m:cr")) != -1) {
		switch (opt) {
		case 'm':
			source = find_source(optarg);
			if (source < 0)
				print_usage(argv[0], what, max);
			w->source = source;
			break;
		case 'c':
			w->check = true;
			break;
		case 'r':
			w->machine = true;
			break;
		default:
			print_usage(argv[0], what, max);
		}
	}
	if (optind != argc - 1 || argv[optind][0] < '0' || argv[optind][0] > '9')
		print_usage(argv[0], what, max);
	errno = 0;
	size = strtoul(argv[optind], &end, 10);
	if (*end || errno || size > max)
		print_usage(argv[0], what, max);

	if (w->source == MEMORY_PAGING) {
		w->fd = open(DEV_NAME, O_RDWR);
		if (w->fd < 0)
			die(DEV_NAME);
	}
	return size;
}

void *workload_map(struct workload *w, size_t len)
{
	int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
	long faults = minor_faults();
	uint64_t start = now_ns();
	void *p;

	if (w->source == MEMORY_PAGING)
		p = mmap(0, len, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	else if (w->source == MEMORY_ANONYMOUS)
		p = mmap(0, len, PROT_READ | PROT_WRITE, anonymous, -1, 0);
	else
		p = mmap(0, len, PROT_READ | PROT_WRITE,
			 anonymous | MAP_POPULATE, -1, 0);
	w->map_ns += now_ns() - start;
	w->map_faults += minor_faults() - faults;

	if (p == MAP_FAILED) {
		if (len)
			die("mmap");
		fprintf(stderr, "mmap: %s\n", strerror(errno));
		return NULL;
	}
	return p;
}

void workload_start(struct workload *w)
{
	w->work_faults = -minor_faults();
	w->work_ns = -now_ns();
}

void workload_stop(struct workload *w)
{
	w->work_ns += now_ns();
	w->work_faults += minor_faults();
}

void workload_report(const struct workload *w, unsigned long size,
		     const char *work, const char *done)
{
	if (w->machine) {
		printf("size=%lu map_ns=%llu work_ns=%llu sum_ns=%llu ", size,
		       (unsigned long long)w->map_ns,
		       (unsigned long long)w->work_ns,
		       (unsigned long long)(w->map_ns + w->work_ns));
		printf("map_faults=%ld work_faults=%ld checked=%d\n",
		       w->map_faults, w->work_faults, w->check);
		return;
	}
	printf("mmap time: %.6f s\n%s time: %.6f s\nsum: %.6f s\n",
	       w->map_ns / 1e9, work, w->work_ns / 1e9,
	       (w->map_ns + w->work_ns) / 1e9);
	if (w->check)
		printf("Result checked\n");
	printf("%s\n", done);
}

void workload_wrong(const char *what)
{
	fprintf(stderr, "wrong result: %s\n", what);
	exit(EXIT_FAILURE);
}
