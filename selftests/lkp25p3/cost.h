/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two cost programs share: a clock, a way out, and a column of figures. */
#ifndef COST_H
#define COST_H

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/lkp25p3.h>

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static inline int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* Pages of the smallest size, all there. */
static inline char *map_written(size_t pages, size_t page)
{
	char *p = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	madvise(p, pages * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < pages; i++)
		p[i * page] = 1;
	return p;
}

static inline void print_cost(const char *way, uint64_t ns, uint64_t nr)
{
	printf("%s,%llu.%llu\n", way, (unsigned long long)(ns / nr),
	       (unsigned long long)(ns * 10 / nr % 10));
	fflush(stdout);
}

#endif /* COST_H */
