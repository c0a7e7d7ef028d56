/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of /proc/lkp25p3 share: translations by each of its ways, what
 * /proc/self/pagemap says beside it, the kernel's log, and a monitor.
 */
#ifndef LKP25P3_TEST_H
#define LKP25P3_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/lkp25p3.h>

#include "../kselftest_harness.h"
#include "../paging/test_util.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define THP		"/sys/kernel/mm/transparent_hugepage/"
#define RW		(PROT_READ | PROT_WRITE)

static inline void write_page(char *p)
{
	store_byte(p, 1);
}

static inline void read_page(const char *p)
{
	load_byte(p);
}

static inline void write_pages(char *p, size_t len)
{
	for (size_t i = 0; i < len; i += page_bytes())
		write_page(p + i);
}

static inline char *map_anon(size_t len)
{
	return mmap(NULL, len, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* With 4 KiB (16 KiB) entries, whatever the system prefers. */
static inline char *map_small(size_t len)
{
	char *p = map_anon(len);

	if (p != MAP_FAILED)
		madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

/* @len bytes at a multiple of @align. */
static inline char *map_aligned(size_t len, size_t align)
{
	char *p = map_anon(len + align);
	uintptr_t at = ((uintptr_t)p + align - 1) & -align;

	return p == MAP_FAILED ? p : (char *)at;
}

/* Translations. */

static inline int lkp_open(void)
{
	return open(LKP25P3_PROC, O_RDWR | O_CLOEXEC);
}

static inline int lkp_batch(int fd, const uint64_t *vas, uint64_t start,
			    struct lkp25p3_record *recs,
			    unsigned int nr, int pid, unsigned int mode)
{
	struct lkp25p3_batch batch = {
		.vas = (uintptr_t)vas, .start = start, .records = (uintptr_t)recs,
		.nr = nr, .pid = pid, .mode = mode,
	};
	int err = ioctl(fd, LKP25P3_IOC_BATCH, &batch);

	return err ? err : (int)batch.done;
}

/* One address in one way. */
static inline struct lkp25p3_record lkp_record(int fd, const void *va, int pid, unsigned int mode)
{
	struct lkp25p3_record rec = { .state = 255 };
	uint64_t addr = (uintptr_t)va;

	lkp_batch(fd, &addr, 0, &rec, 1, pid, mode);
	return rec;
}

static inline struct lkp25p3_record lkp(int fd, const void *va)
{
	return lkp_record(fd, va, 0, LKP25P3_LOCKED);
}

/* The frame number that /proc/PID/pagemap has, 0 if the page is not present. */
static inline uint64_t pagemap_pfn(const void *va)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, 8, (uintptr_t)va / page_bytes() * 8) != 8)
		entry = 0;
	close(fd);
	return entry >> 63 ? entry & ((1ULL << 55) - 1) : 0;
}

/* What read() gives after a command: the answer, or "" and errno. */
static inline const char *lkp_command(int fd, const char *command)
{
	static char answer[512];
	ssize_t n;

	answer[0] = 0;
	if (write(fd, command, strlen(command)) < 0)
		return answer;
	n = read(fd, answer, sizeof(answer) - 1);
	answer[n > 0 ? n : 0] = 0;
	return answer;
}

/* The kernel's log, from when it was opened. */

static inline int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/*
 * The text of the next message that has @what in it; false if there is none.
 * What was overwritten before it was read is counted in @lost, if not NULL.
 */
static inline bool log_next(int fd, const char *what, char *text, size_t size, int *lost)
{
	static char entry[8192];
	char *from, *end;
	ssize_t n;

	for (;;) {
		n = read(fd, entry, sizeof(entry) - 1);
		if (n < 0 && errno == EPIPE) {
			if (lost)
				++*lost;
			continue;
		}
		if (n < 0)
			return false;
		entry[n] = 0;
		from = strchr(entry, ';');
		if (!from || !strstr(from, what))
			continue;
		end = strchr(from, '\n');
		if (end)
			*end = 0;
		snprintf(text, size, "%s", from + 1);
		return true;
	}
}

static inline int log_count(int fd, const char *what)
{
	char text[1024];
	int nr = 0;

	while (log_next(fd, what, text, sizeof(text), NULL))
		nr++;
	return nr;
}

#endif /* LKP25P3_TEST_H */
