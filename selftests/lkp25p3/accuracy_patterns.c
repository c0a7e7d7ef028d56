// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sets of pages that accuracy touches.  Those with something random in them
 * are others for each seed, so that nobody can have been tuned to them.
 */
#include <string.h>

#include "accuracy.h"

const char *const patterns[] = {
	"dense",	/* three eighths in one piece */
	"sparse",	/* every 17th page */
	"random",	/* a tenth, others in each period */
	"single",	/* the ends and three others, others in each period */
	"window",	/* an eighth, which moves by a third of its size */
	"alternate",	/* the odd pages, then the even ones */
	"bursts",	/* runs and gaps of any length up to 200, others in each period */
	"all",
	"none",
	NULL
};

static uint32_t next_random(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 8;
}

static void put_single(bool *set, size_t nr, uint32_t *x)
{
	set[0] = true;
	set[nr - 1] = true;
	for (int i = 0; i < 3; i++)
		set[next_random(x) % nr] = true;
}

static void put_window(bool *set, size_t nr, unsigned int period)
{
	size_t size = nr / 8, first = period * (size / 3) % (nr - size);

	memset(set + first, true, size);
}

static void put_bursts(bool *set, size_t nr, uint32_t *x)
{
	for (size_t i = next_random(x) % 200; i < nr; i += next_random(x) % 200 + 1)
		for (size_t n = next_random(x) % 200 + 1; n && i < nr; n--)
			set[i++] = true;
}

void make_set(bool *set, size_t nr, const char *pattern, unsigned int period, uint32_t seed)
{
	uint32_t x = seed + period * 2654435761U;

	memset(set, false, nr);
	if (!strcmp(pattern, "dense"))
		memset(set + nr / 8, true, nr / 2 - nr / 8);
	else if (!strcmp(pattern, "single"))
		put_single(set, nr, &x);
	else if (!strcmp(pattern, "window"))
		put_window(set, nr, period);
	else if (!strcmp(pattern, "bursts"))
		put_bursts(set, nr, &x);
	else if (!strcmp(pattern, "all"))
		memset(set, true, nr);
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(pattern, "sparse"))
			set[i] = i % 17 == 3;
		else if (!strcmp(pattern, "random"))
			set[i] = next_random(&x) % 10 == 0;
		else if (!strcmp(pattern, "alternate"))
			set[i] = (i + period) % 2;
	}
}
