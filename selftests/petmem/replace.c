// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often a page of /dev/petmem has to be read from the swap file, by the
 * order in which pages are used:
 *
 *	replace loop|skewed PAGES TOUCHES
 *
 * loop: one after the other, again and again; skewed: at random, four of five
 * in a fifth of the pages. All pages are touched once before. Prints
 * "touches N swap_ins N swap_outs N wrong N".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/petmem.h>

#include "../paging/touch.h"
#include "harness.h"

#define POOL "/sys/kernel/debug/petmem/pool"

static unsigned long rnd = 88172645463325252UL;

static unsigned long next_random(void)
{
	rnd ^= rnd << 13;
	rnd ^= rnd >> 7;
	rnd ^= rnd << 17;
	return rnd >> 11;
}

static long pool_stat(const char *name)
{
	FILE *f = fopen(POOL, "r");
	char key[64];
	long value, found = -1;

	while (f && fscanf(f, "%63s %ld%*[^\n]", key, &value) >= 1)
		if (!strcmp(key, name) && found < 0)
			found = value;
	if (f)
		fclose(f);
	return found;
}

static unsigned long next_page(int skewed, unsigned long i, unsigned long pages)
{
	unsigned long hot = pages / 5;

	if (!skewed)
		return i % pages;
	if (next_random() % 5)
		return next_random() % hot;
	return hot + next_random() % (pages - hot);
}

int main(int argc, char **argv)
{
	unsigned long pages = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long touches = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned long page = getpagesize(), wrong = 0;
	int skewed = argc == 4 && !strcmp(argv[1], "skewed");
	long ins, outs;
	char *p;

	if (pages < 10 || !touches) {
		fprintf(stderr, "usage: replace loop|skewed PAGES TOUCHES\n");
		return 2;
	}
	if (init_petmem()) {
		perror(PETMEM_DEVICE);
		return 1;
	}
	p = pet_malloc(pages * page);
	if (!p)
		return 1;
	for (unsigned long i = 0; i < pages; i++)
		store_word(p + i * page, i);
	ins = pool_stat("swap_ins");
	outs = pool_stat("swap_outs");
	for (unsigned long i = 0; i < touches; i++) {
		unsigned long n = next_page(skewed, i, pages);

		wrong += load_word(p + n * page) != n;
	}
	printf("touches %lu swap_ins %ld swap_outs %ld wrong %lu\n", touches,
	       pool_stat("swap_ins") - ins, pool_stat("swap_outs") - outs, wrong);
	return wrong != 0;
}
