/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the collections beside this one share as well: small
 * files, page sizes, pages with a content of their own, and how a child ends.
 */
#ifndef PAGING_TEST_UTIL_H
#define PAGING_TEST_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "touch.h"

/* Files of /proc and /sys.  -1 with errno if there is an error. */

static inline int put_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), err;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, value, strlen(value));
	err = errno;
	close(fd);
	errno = err;
	return n < 0 ? -1 : 0;
}

static inline int get_file(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	value[0] = 0;
	if (fd < 0)
		return -1;
	n = read(fd, value, size - 1);
	close(fd);
	if (n < 0)
		return -1;
	value[n] = 0;
	value[strcspn(value, "\n")] = 0;
	return 0;
}

static inline long get_number(const char *path)
{
	char value[64];

	return get_file(path, value, sizeof(value)) ? -1 : strtol(value, NULL, 0);
}

/* Value of "name value" or "name: value kB" in a file; -1 if not there. */
static inline long get_line(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	size_t len = strlen(name);
	char line[256];
	long value = -1;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len) && strchr(": ", line[len]))
			value = strtol(line + len + 1, NULL, 10);
	if (file)
		fclose(file);
	return value;
}

/* The word in brackets, as in "always [madvise] never"; all of it if there is none. */
static inline int get_choice(const char *path, char *value, size_t size)
{
	char text[256], *from = text;

	value[0] = 0;
	if (get_file(path, text, sizeof(text)))
		return -1;
	if (strchr(text, '[')) {
		from = strchr(text, '[') + 1;
		from[strcspn(from, "]")] = 0;
	}
	return snprintf(value, size, "%s", from) < (int)size ? 0 : -1;
}

static inline size_t page_bytes(void)
{
	return getpagesize();
}

/* Bytes that one PMD entry maps: a table of 8-byte entries fills a page. */
static inline size_t pmd_bytes(void)
{
	return page_bytes() / 8 * page_bytes();
}

static inline long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* Contents: each page begins with a number of its own. */

static inline void fill_pages(void *start, size_t len, unsigned long seed)
{
	char *p = start;

	for (size_t i = 0; i < len; i += page_bytes())
		store_word(p + i, seed + i);
}

/* How many pages do not have what fill_pages() wrote. */
static inline size_t wrong_pages(const void *start, size_t len, unsigned long seed)
{
	const char *p = start;
	size_t wrong = 0;

	for (size_t i = 0; i < len; i += page_bytes())
		wrong += load_word(p + i) != seed + i;
	return wrong;
}

static inline bool all_zero(const void *start, size_t len)
{
	const char *p = start;

	for (size_t i = 0; i < len; i += sizeof(long))
		if (load_word(p + i))
			return false;
	return true;
}

/* What a child may do, for end_of(). */

static inline void write_byte(void *p)
{
	store_byte(p, 1);
}

static inline void read_byte(void *p)
{
	load_byte(p);
}

static inline void no_core(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
}

/* The exit status of @pid, or 128 + the signal that ended it; -1 if there is none. */
static inline int exit_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* How fn(arg) ends in a child: 0, its exit status, or 128 + the signal. */
static inline int end_of(void (*fn)(void *), void *arg)
{
	pid_t pid = fork();

	if (!pid) {
		no_core();
		fn(arg);
		_exit(0);
	}
	return exit_of(pid);
}

#endif /* PAGING_TEST_UTIL_H */
