// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program as a user of the first hour has it: it knows /dev/paging by
 * paging.h alone and times with gettimeofday().  It is here to see that such
 * a program keeps compiling and running.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "paging.h"

static double seconds(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return tv.tv_sec + tv.tv_usec / 1e6;
}

static double *matrix(int fd, size_t n)
{
	void *p = mmap(0, 8 * n * n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
	int fd = open(DEV_NAME, O_RDWR);
	double *a, *b, *c, start, mapped;

	if (fd < 0) {
		perror("open " DEV_NAME);
		return 1;
	}
	start = seconds();
	a = matrix(fd, n);
	b = matrix(fd, n);
	c = matrix(fd, n);
	mapped = seconds();
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			for (size_t k = 0; k < n; k++)
				c[i * n + j] += a[i * n + k] * b[k * n + j];
	printf("mmap: %f s, multiplication: %f s\n", mapped - start,
	       seconds() - mapped);
	printf("Multiplication done\n");
	return 0;
}
