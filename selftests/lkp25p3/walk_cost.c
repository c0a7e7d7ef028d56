// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk_cost: what a translation costs, by each way, beside /proc/self/pagemap.
 *
 * Prints a line for each way: its name and nanoseconds for an address, of the
 * best of some rounds; where a nanosecond is an instruction (scripts/guest
 * --icount), instructions.  "in_module" is timed by the module, the others are
 * whole system calls, divided by the addresses they translate.
 */
#include "cost.h"

#define PAGES	4096
#define ROUNDS	5

static size_t page;
static char *buffer;
static int pagemap, proc;
static uint64_t vas[PAGES], words[PAGES];
static struct lkp25p3_record recs[PAGES];

static void by_pread(void)
{
	for (int i = 0; i < PAGES; i++)
		if (pread(pagemap, &words[i], 8, vas[i] / page * 8) != 8)
			err(1, "pread");
}

static void by_pread_of_512(void)
{
	for (int i = 0; i < PAGES; i += 512)
		if (pread(pagemap, &words[i], 512 * 8,
			  ((uintptr_t)buffer / page + i) * 8) != 512 * 8)
			err(1, "pread");
}

static void by_batch(const uint64_t *addrs, unsigned int mode)
{
	struct lkp25p3_batch batch = {
		.vas = (uintptr_t)addrs, .records = (uintptr_t)recs, .nr = PAGES, .mode = mode,
		.start = addrs ? 0 : (uintptr_t)buffer,
	};

	if (ioctl(proc, LKP25P3_IOC_BATCH, &batch))
		err(1, "batch");
}

static void by_range(void)
{
	by_batch(NULL, LKP25P3_LOCKED);
}

static void by_random_locked(void)
{
	by_batch(vas, LKP25P3_LOCKED);
}

static void by_random_lock_each(void)
{
	by_batch(vas, LKP25P3_LOCK_EACH);
}

static void by_random_lockless(void)
{
	by_batch(vas, LKP25P3_LOCKLESS);
}

static void measure(const char *name, void (*way)(void))
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = now_ns(), took;

		way();
		took = now_ns() - start;
		if (took < best)
			best = took;
	}
	print_cost(name, best, PAGES);
}

/* As the module has timed it. */
static void measure_module(const char *name, unsigned int mode)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t sum = 0;

		by_batch(vas, mode);
		for (int j = 0; j < PAGES; j++)
			sum += recs[j].ns;
		if (sum < best)
			best = sum;
	}
	print_cost(name, best, PAGES);
}

int main(void)
{
	unsigned int x = 1;

	page = getpagesize();
	proc = open_or_die(LKP25P3_PROC, O_RDWR);
	pagemap = open_or_die("/proc/self/pagemap", O_RDONLY);
	buffer = map_written(PAGES, page);
	for (int i = 0; i < PAGES; i++) {
		x = x * 1664525 + 1013904223;
		vas[i] = (uintptr_t)buffer + (x >> 8) % PAGES * page;
	}
	puts("way,each");
	measure("pagemap_pread", by_pread);
	measure("pagemap_pread_512", by_pread_of_512);
	measure_module("in_module_locked", LKP25P3_LOCK_EACH);
	measure_module("in_module_locked_timed_each", LKP25P3_LOCK_EACH | LKP25P3_TIME_EACH);
	measure_module("in_module_lockless", LKP25P3_LOCKLESS);
	measure("range", by_range);
	measure("random", by_random_locked);
	measure("random_lock_each", by_random_lock_each);
	measure("random_lockless", by_random_lockless);
	return 0;
}
