/* SPDX-License-Identifier: GPL-2.0-only */
/* lru_page_list: what its tests and programs share. */
#ifndef _LRU_PAGE_LIST_H
#define _LRU_PAGE_LIST_H

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "../paging/test_util.h"

#define LPL_DIR		"/sys/kernel/mm/lru_page_list/"
#define LPL_QUEUE	"/sys/kernel/debug/lru_page_list/queue"
#define MIB		(1024UL * 1024)
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/* As get_file(); "" if there is none.  Until the next call. */
static inline const char *file_text(const char *path)
{
	static char text[4096];

	get_file(path, text, sizeof(text));
	return text;
}

/* How long what is long lasts, s: for tests that are worth more time at times. */
static inline long long_seconds(long usual)
{
	const char *text = getenv("LRU_PAGE_LIST_SECONDS");

	return text ? atol(text) : usual;
}

static inline long vm_count(const char *name)
{
	return get_line("/proc/vmstat", name);
}

static inline long lpl_stat(const char *name)
{
	return get_line(LPL_DIR "stats", name);
}

static inline long mem_available_kb(void)
{
	return get_line("/proc/meminfo", "MemAvailable");
}

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static inline void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/*
 * So long, and until the harvester has read and cleared the bits of what was
 * touched so far, however slow the machine is.  Something has to run for there
 * to be a tick.
 */
static inline void settle_ms(unsigned int ms)
{
	uint64_t end = now_ns() + ms * 1000000ULL;
	long passes = lpl_stat("passes");

	while (now_ns() < end || lpl_stat("passes") < passes + 3)
		;
}

/* 0 or a negative errno. */
static inline int set_policy(const char *policy)
{
	return put_file(LPL_DIR "policy", policy) ? -errno : 0;
}

static inline bool policy_is(const char *policy)
{
	return !strcmp(file_text(LPL_DIR "policy"), policy);
}

/* xorshift64*; never 0. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ULL;
}

/* A new zram device of this size; its number, or -1 if there is none. */
static inline int zram_add(unsigned long mib)
{
	char path[64], text[32];
	long n;

	if (access("/sys/class/zram-control/hot_add", R_OK))
		return -1;
	n = get_number("/sys/class/zram-control/hot_add");
	snprintf(path, sizeof(path), "/sys/block/zram%ld/disksize", n);
	snprintf(text, sizeof(text), "%luM", mib);
	if (put_file(path, text))
		return -1;
	return n;
}

static inline void zram_remove(int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	put_file("/sys/class/zram-control/hot_remove", text);
}

static inline int zram_open(int n)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/zram%d", n);
	return open(path, O_RDWR);
}

/**
 * struct swap - swap that a test has made for itself
 * @zram: device, -1 if it made none as there was swap already
 * @there: there is swap
 * @page_cluster: vm.page-cluster before, where it made some
 */
struct swap {
	int zram;
	bool there;
	char page_cluster[8];
};

static inline bool swap_format(int zram, unsigned long mib)
{
	char header[65536] = { 0 };
	size_t page = page_bytes();
	uint32_t *info = (uint32_t *)(header + 1024);
	int fd = zram_open(zram);
	bool done;

	info[0] = 1;
	info[1] = mib * MIB / page - 1;
	memcpy(header + page - 10, "SWAPSPACE2", 10);
	done = fd >= 0 && write(fd, header, page) == (ssize_t)page && !fsync(fd);
	if (fd >= 0)
		close(fd);
	return done;
}

static inline void swap_get(struct swap *swap, unsigned long mib)
{
	char path[32];

	swap->zram = -1;
	swap->there = get_line("/proc/meminfo", "SwapTotal") > 0;
	if (swap->there)
		return;
	swap->zram = zram_add(mib);
	if (swap->zram < 0)
		return;
	snprintf(path, sizeof(path), "/dev/zram%d", swap->zram);
	swap->there = swap_format(swap->zram, mib) && !swapon(path, 0);
	get_file("/proc/sys/vm/page-cluster", swap->page_cluster, sizeof(swap->page_cluster));
	put_file("/proc/sys/vm/page-cluster", "0");
}

static inline void swap_put(struct swap *swap)
{
	char path[32];

	if (swap->zram < 0)
		return;
	snprintf(path, sizeof(path), "/dev/zram%d", swap->zram);
	if (swap->there) {
		swapoff(path);
		put_file("/proc/sys/vm/page-cluster", swap->page_cluster);
	}
	zram_remove(swap->zram);
}

#define PAGEMAP_PRESENT	0x8000000000000000ULL
#define PAGEMAP_PFN	0x007fffffffffffffULL

/* 0 if the page is not present (or the caller may not know). */
static inline uint64_t pfn_of(int pagemap, const void *addr)
{
	uint64_t entry = 0;
	off_t at = (uintptr_t)addr / page_bytes() * sizeof(entry);

	if (pread(pagemap, &entry, sizeof(entry), at) != sizeof(entry) ||
	    !(entry & PAGEMAP_PRESENT))
		return 0;
	return entry & PAGEMAP_PFN;
}

/*
 * What waits in the batches of the CPUs for its place in the queue comes to be in
 * it.  A harvest that finds it accessed there makes the folio young as well.
 */
static inline void drain_batches(void)
{
	char line[256];
	FILE *queue;

	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	queue = fopen(LPL_QUEUE, "r");
	while (queue && fgets(line, sizeof(line), queue))
		;
	if (queue)
		fclose(queue);
}

#endif
