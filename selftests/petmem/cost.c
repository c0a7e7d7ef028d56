// SPDX-License-Identifier: GPL-2.0-only
/*
 * What memory of /dev/petmem costs, beside anonymous memory and malloc(): one
 * line "name value" each, in nanoseconds of CLOCK_MONOTONIC; under icount that
 * is instructions. Each figure is the smallest of some runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/petmem.h>

#include "../paging/touch.h"
#include "harness.h"

#define RUNS	3
#define PAGES	4096L	/* that the first touches go to */
#define BLOCKS	1000
#define BLOCK	(32 * 1024L)

static size_t page;

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void touch(char *p, size_t len)
{
	for (size_t i = 0; i < len; i += page)
		store_word(p + i, 1);
}

static char *anon_alloc(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void anon_free(char *p, size_t len)
{
	munmap(p, len);
}

static char *pet_alloc(size_t len)
{
	return pet_malloc(len);
}

static void pet_release(char *p, size_t len)
{
	(void)len;
	pet_free(p);
}

static char *libc_alloc(size_t len)
{
	return malloc(len);
}

static void libc_free(char *p, size_t len)
{
	(void)len;
	free(p);
}

struct source {
	const char *name;
	char *(*alloc)(size_t len);
	void (*free)(char *p, size_t len);
};

static const struct source sources[] = {
	{ "anon", anon_alloc, anon_free },
	{ "petmem", pet_alloc, pet_release },
	{ "malloc", libc_alloc, libc_free },
};

#define NR_SOURCES	(sizeof(sources) / sizeof(*sources))

static void report(const char *name, const char *what, long value)
{
	printf("%s.%s %ld\n", name, what, value);
	fflush(stdout);
}

static long smallest(long a, long b)
{
	return !a || b < a ? b : a;
}

/* One large piece of memory: per page. */
static void large(const struct source *s)
{
	long alloc = 0, first = 0, release = 0;

	for (int i = 0; i < RUNS; i++) {
		long t0 = now(), t1, t2;
		char *p = s->alloc(PAGES * page);

		if (!p)
			exit(1);
		t1 = now();
		touch(p, PAGES * page);
		t2 = now();
		s->free(p, PAGES * page);
		release = smallest(release, now() - t2);
		first = smallest(first, t2 - t1);
		alloc = smallest(alloc, t1 - t0);
	}
	report(s->name, "alloc", alloc);
	report(s->name, "touch_per_page", first / PAGES);
	report(s->name, "free_per_page", release / PAGES);
}

static char *block[BLOCKS];

/* Many blocks that live at the same time; and one after the other. */
static void blocks(const struct source *s)
{
	long together = 0, single = 0;

	for (int run = 0; run < RUNS; run++) {
		long t0 = now(), t1;

		for (int i = 0; i < BLOCKS; i++) {
			block[i] = s->alloc(BLOCK);
			touch(block[i], BLOCK);
		}
		for (int i = 0; i < BLOCKS; i++)
			s->free(block[i], BLOCK);
		t1 = now();
		for (int i = 0; i < BLOCKS; i++) {
			block[i] = s->alloc(BLOCK);
			touch(block[i], BLOCK);
			s->free(block[i], BLOCK);
		}
		single = smallest(single, now() - t1);
		together = smallest(together, t1 - t0);
	}
	report(s->name, "1000_blocks", together);
	report(s->name, "1000_blocks_one_by_one", single);
}

static char *live[10000];

/* Allocate 8 pages while about @nr others are there, with holes or not. */
static void find_fit(long nr, int holes)
{
	char what[64];
	long best = 0;

	for (long i = 1; i < nr; i++)
		live[i] = pet_malloc((1 + i % 7) * page);
	for (long i = 2; holes && i < nr; i += 2) {
		pet_free(live[i]);
		live[i] = NULL;
	}
	for (int i = 0; i < 50; i++) {
		long t0 = now();

		live[0] = pet_malloc(8 * page);
		best = smallest(best, now() - t0);
		pet_free(live[0]);
		live[0] = NULL;
	}
	for (long i = 1; i < nr; i++)
		pet_free(live[i]);
	snprintf(what, sizeof(what), "fit_%ld%s", nr, holes ? "_holes" : "");
	report("petmem", what, best);
}

int main(void)
{
	page = getpagesize();
	/* Pages of the usual size on both sides. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (init_petmem()) {
		perror(PETMEM_DEVICE);
		return 1;
	}
	for (size_t i = 0; i < NR_SOURCES; i++) {
		if (sources[i].alloc != libc_alloc)
			large(&sources[i]);
		blocks(&sources[i]);
	}
	for (int holes = 0; holes < 2; holes++) {
		find_fit(10, holes);
		find_fit(1000, holes);
		find_fit(10000, holes);
	}
	return 0;
}
