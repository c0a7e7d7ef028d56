// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: page faults, how many there are, and what they leave. */
#include <pthread.h>
#define PAGING_TEST_PRIVATE
#include "paging_test.h"

#define NR_THREADS 8

TEST_F(paging, faults_once_when_written)
{
	char *p = map_pages(self, self->len);
	long faults;

	ASSERT_NE(MAP_FAILED, p);
	faults = minor_faults();
	fill_pages(p, self->len, 1);
	EXPECT_EQ(faults_for(self, self->len), minor_faults() - faults);
}

/* Also on cores that do not set the dirty bit themselves (Cortex-A53, A72). */
TEST_F(paging, does_not_fault_again_when_written_after_read)
{
	char *p = map_pages(self, self->len);
	bool copied = self->flags == MAP_PRIVATE;
	long faults;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(all_zero(p, self->len));
	faults = minor_faults();
	fill_pages(p, self->len, 1);
	EXPECT_EQ(copied ? self->len / self->page : 0,
		  minor_faults() - faults);
}

TEST_F(paging, allocates_no_more_than_what_is_touched)
{
	char *p = map_pages(self, self->len);
	long faults, pages = stat_of("pages_allocated");
	size_t bytes = self->flags == MAP_PRIVATE ? 0 : self->per_fault;

	ASSERT_NE(MAP_FAILED, p);
	faults = minor_faults();
	p[self->len / 2] = 1;
	EXPECT_EQ(self->per_fault ? 1 : 0, minor_faults() - faults);
	EXPECT_EQ(bytes / self->page, stat_of("pages_allocated") - pages);
}

TEST_F(paging, counts_faults_and_pages)
{
	long faults = stat_of("faults"), pages = stat_of("fault_pages");
	long prepaged = stat_of("prepaged_pages");
	long copies = stat_of("private_copies");
	long all = self->len / self->page;
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 2);
	EXPECT_EQ(faults_for(self, self->len), stat_of("faults") - faults);
	if (self->flags == MAP_PRIVATE) {
		EXPECT_EQ(all, stat_of("private_copies") - copies);
		return;
	}
	EXPECT_EQ(self->per_fault ? all : 0, stat_of("fault_pages") - pages);
	EXPECT_EQ(self->per_fault ? 0 : all,
		  stat_of("prepaged_pages") - prepaged);
}

/* A field of the mapping at @p in /proc/self/smaps, in bytes. */
static long smaps_bytes(const char *p, const char *field)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512], start[32];
	bool found = false;
	long kib = -1;

	if (!f)
		return -1;
	snprintf(start, sizeof(start), "%lx-", (unsigned long)p);
	while (kib < 0 && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, start, strlen(start)))
			found = true;
		else if (found && !strncmp(line, field, strlen(field)))
			kib = atol(line + strlen(field));
	}
	fclose(f);
	return kib < 0 ? -1 : kib * 1024;
}

TEST_F(paging, is_in_the_rss)
{
	long before = status_bytes("VmRSS:"), smaps;
	char *p = map_pages(self, self->len);

	if (before < 0)
		SKIP(return, "no /proc/self/status");
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 3);
	smaps = smaps_bytes(p, "Rss:");
	EXPECT_TRUE(smaps < 0 || smaps == (long)self->len);
	/* The process's own figure is off by some pages per CPU. */
	EXPECT_LT(self->len / 2, status_bytes("VmRSS:") - before);
}

TEST_F(paging, leaves_the_rss)
{
	long before;
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 3);
	before = status_bytes("VmRSS:");
	ASSERT_EQ(0, munmap(p, self->len));
	EXPECT_LT(self->len / 2, before - status_bytes("VmRSS:"));
}

static size_t pages_present(int pagemap, const char *p, size_t len)
{
	size_t present = 0;

	for (size_t i = 0; i < len; i += page_bytes()) {
		off_t at = (unsigned long)(p + i) / page_bytes() * 8;
		uint64_t entry = 0;

		if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry))
			return 0;
		present += entry >> 63;
	}
	return present;
}

TEST_F(paging, is_in_pagemap)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	char *p = map_pages(self, self->len);
	bool demand = self->per_fault != 0;

	if (pagemap < 0)
		SKIP(return, "no /proc/self/pagemap");
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(demand ? 0 : self->len / self->page,
		  pages_present(pagemap, p, self->len));
	fill_pages(p, self->len, 4);
	EXPECT_EQ(self->len / self->page,
		  pages_present(pagemap, p, self->len));
}

/* Pages whose frame follows that of the page before, of @len bytes at @p. */
static size_t pages_in_a_row(int pagemap, const char *p, size_t len)
{
	size_t count = 0;
	uint64_t last = 0;

	for (size_t i = 0; i < len; i += page_bytes()) {
		off_t at = (uintptr_t)(p + i) / page_bytes() * sizeof(uint64_t);
		uint64_t entry = 0;

		pread(pagemap, &entry, sizeof(entry), at);
		entry &= (1ULL << 55) - 1;
		count += last && entry == last + 1;
		last = entry;
	}
	return count;
}

/* Blocks and chunks are contiguous in memory, as far as it is not fragmented. */
TEST_F(paging, comes_in_blocks_or_chunks)
{
	size_t unit = self->per_fault ?: pmd_bytes(), pages, in_a_row;
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	char *p = map_pages(self, self->len);

	if (pagemap < 0 || geteuid())
		SKIP(return, "no frame numbers in /proc/self/pagemap");
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 4);
	pages = self->len / self->page;
	in_a_row = pages_in_a_row(pagemap, p, self->len);
	if (self->flags == MAP_PRIVATE || !strcmp(variant->prepage, "single"))
		unit = self->page;
	EXPECT_LE(pages / 2 * (unit > self->page), in_a_row);
}

/* Whole PMD entries only where they are asked for. */
TEST_F(paging, is_mapped_by_pmd_entries_if_asked)
{
	bool asked = !variant->demand && self->flags == MAP_SHARED &&
		     !strcmp(variant->prepage, "chunks") &&
		     !strcmp(variant->pmd_map, "Y");
	char *p = map_pages(self, self->len);
	long bytes;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 5);
	bytes = smaps_bytes(p, "FilePmdMapped:");
	if (bytes < 0)
		SKIP(return, "no FilePmdMapped in /proc/self/smaps");
	EXPECT_TRUE(asked && self->len >= pmd_bytes() ?
		    bytes >= (long)pmd_bytes() : !bytes);
}

struct racer {
	pthread_barrier_t *start;
	unsigned long *words;
	size_t len;
	int nr;
};

/* Each thread writes its own word of every page, all at the same time. */
static void *race(void *arg)
{
	struct racer *r = arg;

	pthread_barrier_wait(r->start);
	for (size_t i = 0; i < r->len; i += page_bytes())
		__atomic_store_n(r->words + i / sizeof(long) + r->nr,
				 i + r->nr + 1, __ATOMIC_RELAXED);
	return NULL;
}

TEST_F_TIMEOUT(paging, can_be_faulted_by_threads_together, 120)
{
	long allocated = stat_of("pages_allocated");
	pthread_t threads[NR_THREADS];
	struct racer racers[NR_THREADS];
	char *p = map_pages(self, self->len);
	pthread_barrier_t start;
	size_t wrong = 0;

	ASSERT_NE(MAP_FAILED, p);
	pthread_barrier_init(&start, NULL, NR_THREADS);
	for (int t = 0; t < NR_THREADS; t++) {
		racers[t] = (struct racer){ &start, (void *)p, self->len, t };
		ASSERT_EQ(0, pthread_create(&threads[t], NULL, race,
					    &racers[t]));
	}
	for (int t = 0; t < NR_THREADS; t++)
		pthread_join(threads[t], NULL);
	for (int t = 0; t < NR_THREADS; t++)
		for (size_t i = 0; i < self->len; i += self->page)
			wrong += racers[t].words[i / sizeof(long) + t] !=
				 i + t + 1;
	EXPECT_EQ(0, wrong);
	if (self->flags == MAP_SHARED) {
		EXPECT_EQ(self->len / self->page,
			  stat_of("pages_allocated") - allocated);
	}
}

/* Tracepoints */

static const char *tracefs(void)
{
	if (!access("/sys/kernel/tracing/events/paging", F_OK))
		return "/sys/kernel/tracing";
	if (!access("/sys/kernel/debug/tracing/events/paging", F_OK))
		return "/sys/kernel/debug/tracing";
	return NULL;
}

static int count_in_trace(const char *dir, const char *event)
{
	char path[128], line[512];
	int count = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", dir);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		count += !!strstr(line, event);
	fclose(f);
	return count;
}

static int trace_put(const char *file, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tracefs(), file);
	return put_file(path, value);
}

static int trace_clear(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/trace", tracefs());
	return close(open(path, O_WRONLY | O_TRUNC));
}

TEST_F(paging, is_traced)
{
	size_t len = 4 * BLOCK;
	char *p;

	if (!tracefs())
		SKIP(return, "no tracefs with the events of paging");
	ASSERT_EQ(0, trace_clear());
	ASSERT_EQ(0, trace_put("events/paging/enable", "1"));
	p = map_pages(self, len);
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, len, 5);
	ASSERT_EQ(0, munmap(p, len));
	ASSERT_EQ(0, trace_put("events/paging/enable", "0"));
	EXPECT_EQ(1, count_in_trace(tracefs(), "paging_map:"));
	EXPECT_EQ(faults_for(self, len),
		  count_in_trace(tracefs(), "paging_fault:"));
	EXPECT_EQ(1, count_in_trace(tracefs(), "paging_release:"));
}

TEST_HARNESS_MAIN
