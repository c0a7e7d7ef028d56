// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test programs of the course, on the harness alone; one of them is run:
 *
 *	programs [pages N | free | huge | null | fork | small N | invlpg]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static int touch_pages(long n)
{
	size_t page = getpagesize();
	char *p = pet_malloc(n * page);
	long i;

	if (!p)
		return 1;
	for (i = 0; i < n; i++)
		*(long *)(p + i * page) = i;
	for (i = 0; i < n; i++)
		if (*(long *)(p + i * page) != i)
			return 1;
	printf("%ld pages\n", n);
	pet_dump();
	pet_free(p);
	return 0;
}

static int use_after_free(void)
{
	char *p = pet_malloc(8192);

	memcpy(p, "hello", sizeof("hello"));
	printf("%s\n", p);
	fflush(stdout);
	pet_free(p);
	p[0] = 'j';
	return 1;
}

static int both_sides(void)
{
	long *p = pet_malloc(4096);
	int status;
	pid_t pid;

	*p = 1;
	pid = fork();
	if (!pid) {
		long *q = pet_malloc(4096);

		*q = 2;
		_exit(*q == 2 ? 0 : 1);
	}
	*p = 3;
	waitpid(pid, &status, 0);
	printf("parent %ld child %d\n", *p, WEXITSTATUS(status));
	return status;
}

static int small_blocks(long n)
{
	long **block = calloc(n, sizeof(*block));
	long i;

	for (i = 0; i < n; i++) {
		block[i] = pet_malloc(32 * 1024);
		if (!block[i])
			return 1;
		*block[i] = i;
	}
	for (i = 0; i < n; i++) {
		if (*block[i] != i)
			return 1;
		pet_free(block[i]);
	}
	printf("%ld blocks\n", n);
	return 0;
}

static int invlpg(void)
{
	char *p = pet_malloc(1);

	*p = 5;
	pet_invlpg(p);
	printf("%d\n", *p);
	return *p != 5;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "pages";
	long n = argc > 2 ? atol(argv[2]) : 10;

	if (init_petmem()) {
		fprintf(stderr, "no device\n");
		return 3;
	}
	if (!strcmp(what, "pages"))
		return touch_pages(n);
	if (!strcmp(what, "free"))
		return use_after_free();
	if (!strcmp(what, "huge")) {
		printf("%p\n", pet_malloc(100UL << 40));
		return 0;
	}
	if (!strcmp(what, "null")) {
		pet_free(NULL);
		printf("%p\n", pet_malloc(0));
		return 0;
	}
	if (!strcmp(what, "fork"))
		return both_sides();
	if (!strcmp(what, "small"))
		return small_blocks(n);
	if (!strcmp(what, "invlpg"))
		return invlpg();
	return 2;
}
