// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the addresses of /dev/petmem fragment: random allocations and frees in a
 * space of 64 MiB; the rest of the region is taken first. One line from time
 * to time:
 *
 *	step live_bytes free_bytes largest_hole holes failed
 *
 * failed: allocations since the last line for which there were enough free
 * bytes and no hole. Nothing is touched.
 *
 *	fragment STEPS SEED
 */
#include <stdio.h>
#include <stdlib.h>

#include <linux/petmem.h>

#include "harness.h"

#define SPACE	(64UL << 20)
#define UNIT	16384UL		/* a multiple of every page size */
#define UNITS	(SPACE / UNIT)
#define FULL	85		/* per cent: above that, rather free */
#define LINES	100

static struct {
	char *p;
	size_t units;
} live[UNITS];

static unsigned long nr_live, used, failed;
static unsigned char taken[UNITS];
static unsigned long rnd;
static char *space;

static unsigned long next_random(void)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return rnd >> 11;
}

/* Mostly small ones: 1 to 4 units, and now and then up to 64. */
static size_t some_size(void)
{
	return 1 + next_random() % (next_random() % 8 ? 4 : 64);
}

static void mark(char *p, size_t units, unsigned char value)
{
	size_t first = (p - space) / UNIT;

	for (size_t i = first; i < first + units; i++)
		taken[i] = value;
}

static void allocate(void)
{
	size_t units = some_size();
	char *p;

	if (used + units > UNITS)
		return;
	p = pet_malloc(units * UNIT);
	if (!p) {
		failed++;
		return;
	}
	live[nr_live].p = p;
	live[nr_live++].units = units;
	used += units;
	mark(p, units, 1);
}

static void release(void)
{
	unsigned long i;

	if (!nr_live)
		return;
	i = next_random() % nr_live;
	pet_free(live[i].p);
	used -= live[i].units;
	mark(live[i].p, live[i].units, 0);
	live[i] = live[--nr_live];
}

static void report(unsigned long step)
{
	unsigned long largest = 0, holes = 0, run = 0;

	for (size_t i = 0; i < UNITS; i++) {
		run = taken[i] ? 0 : run + 1;
		holes += run == 1;
		if (run > largest)
			largest = run;
	}
	printf("%lu %lu %lu %lu %lu %lu\n", step, used * UNIT,
	       (UNITS - used) * UNIT, largest * UNIT, holes, failed);
	failed = 0;
}

int main(int argc, char **argv)
{
	unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long every = steps / LINES ? steps / LINES : 1;
	size_t rest = PETMEM_REGION_END - PETMEM_REGION_START - SPACE;
	char *wall;

	if (argc != 3 || !steps) {
		fprintf(stderr, "usage: fragment STEPS SEED\n");
		return 2;
	}
	rnd = strtoul(argv[2], NULL, 10) * 7919 + 1;
	if (init_petmem()) {
		perror(PETMEM_DEVICE);
		return 1;
	}
	wall = pet_malloc(rest);
	if (!wall)
		return 1;
	space = wall + rest;
	for (unsigned long step = 1; step <= steps; step++) {
		if (used * 100 > FULL * UNITS || next_random() % 100 < 45)
			release();
		else
			allocate();
		if (step % every == 0)
			report(step);
	}
	return 0;
}
