/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user programs of lkp25p3 share: ends with a sentence, sizes, time,
 * and /proc/PID/pagemap.
 */
#ifndef LKP25P3_TOOLS_H
#define LKP25P3_TOOLS_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/types.h>

#define NS_PER_SEC 1000000000ULL

/* Ends the program; with errno's text where there is one. */
static inline noreturn void fail(const char *format, ...)
{
	int err = errno;
	va_list args;

	fflush(stdout);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, err ? ": %s\n" : "\n", strerror(err));
	exit(1);
}

/* "65536", "64K", "2M" or "1G"; 0 for what is none of these. */
static inline __u64 size_of(const char *text)
{
	__u64 value;
	int shift = 0;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		return 0;
	if (*end) {
		static const char units[] = "KMG";
		const char *unit = strchr(units, *end++);

		if (!unit)
			return 0;
		shift = 10 * (unit - units + 1);
	}
	return *end || value > ~0ULL >> shift ? 0 : value << shift;
}

/* A number from 0 to @max; -1 for anything else. */
static inline long number_of(const char *text, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > max)
		return -1;
	return value;
}

/* A hexadecimal address, with 0x or without; false if it is none. */
static inline bool address_of(const char *text, __u64 *va)
{
	char *end;

	errno = 0;
	*va = strtoull(text, &end, 16);
	return *text && !strchr("+- \t", *text) && !*end && !errno;
}

static inline size_t page_bytes(void)
{
	return getpagesize();
}

/* CLOCK_MONOTONIC, the clock that the kernel's monitor stamps with. */
static inline __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

/* Accesses that the compiler neither leaves out nor moves. */

static inline void write_byte(void *p)
{
	__atomic_store_n((char *)p, 1, __ATOMIC_RELAXED);
}

static inline void read_byte(const void *p)
{
	__atomic_load_n((const char *)p, __ATOMIC_RELAXED);
}

/* /proc/PID/pagemap: a word for each page. */

#define PAGEMAP_PRESENT	0x8000000000000000ULL
#define PAGEMAP_SWAPPED	0x4000000000000000ULL
#define PAGEMAP_PFN	0x007fffffffffffffULL

/* @pid 0: of this process. */
static inline int pagemap_open(int pid)
{
	char path[64] = "/proc/self/pagemap";

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The words of @nr pages from @va; false with errno if they cannot be read. */
static inline bool pagemap_read(int fd, __u64 va, __u64 *words, size_t nr)
{
	size_t bytes = nr * sizeof(*words);
	ssize_t got = pread(fd, words, bytes, va / page_bytes() * sizeof(*words));

	if (got >= 0 && (size_t)got < bytes)
		errno = ENXIO;	/* above what a process can have */
	return got == (ssize_t)bytes;
}

/* The page frame number; 0 if there is no page, or none that we may know. */
static inline __u64 pagemap_va2pfn(int fd, void *va)
{
	__u64 word;

	if (!pagemap_read(fd, (uintptr_t)va, &word, 1))
		return 0;
	return word & PAGEMAP_PRESENT ? word & PAGEMAP_PFN : 0;
}

/* The physical address; 0 as above, as no user page has frame 0. */
static inline __u64 pagemap_va2pa(int fd, void *va)
{
	__u64 pfn = pagemap_va2pfn(fd, va);

	return pfn ? pfn * page_bytes() + (uintptr_t)va % page_bytes() : 0;
}

/*
 * Without CAP_SYS_ADMIN in the first user namespace the kernel shows every
 * frame as 0, and no error.  A page that is certainly there tells.
 */
static inline bool pagemap_shows_frames(void)
{
	int fd = pagemap_open(0);
	char here = 0;
	bool shown;

	write_byte(&here);
	shown = fd >= 0 && pagemap_va2pfn(fd, &here);
	if (fd >= 0)
		close(fd);
	return shown;
}

#define NO_FRAMES \
	"no physical addresses: CAP_SYS_ADMIN is missing, without which the kernel shows every page frame as 0"

#endif /* LKP25P3_TOOLS_H */
