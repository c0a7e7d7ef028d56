/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the experiment programs share: where their memory comes from, what is
 * timed and how it is printed.  A program asks for all of its memory first
 * and works on it afterwards; the two are timed apart.
 */
#ifndef PAGING_WORKLOAD_H
#define PAGING_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_source {
	MEMORY_PAGING,		/* /dev/paging, in the mode of its parameters */
	MEMORY_ANONYMOUS,	/* what malloc() would give */
	MEMORY_POPULATE,	/* the same, MAP_POPULATE */
};

/**
 * struct workload - one run of an experiment program
 * @source: where the memory comes from
 * @check: compare the result with one that was found in another way
 * @machine: print one line of key=value pairs
 * @fd: /dev/paging, or -1
 * @map_ns: nanoseconds in mmap(), all calls added up
 * @work_ns: nanoseconds of the work, first touches included
 * @map_faults: minor page faults in mmap()
 * @work_faults: minor page faults during the work
 */
struct workload {
	enum memory_source source;
	bool check;
	bool machine;
	int fd;
	uint64_t map_ns;
	uint64_t work_ns;
	long map_faults;
	long work_faults;
};

/* Take the options from @argv; its single operand, the size, is returned. */
unsigned long workload_init(struct workload *w, int argc, char **argv,
			    const char *what, unsigned long max);
/* Memory of @len bytes.  NULL with a message if @len is 0, else ends at errors. */
void *workload_map(struct workload *w, size_t len);
void workload_start(struct workload *w);
void workload_stop(struct workload *w);
/* Print the times.  @work and @done: "multiplication", "Multiplication done". */
void workload_report(const struct workload *w, unsigned long size,
		     const char *work, const char *done);
/* End with a message because a check has failed. */
void workload_wrong(const char *what);

/* The same random numbers in each run. */
static inline uint64_t workload_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ULL;
	uint64_t z = *state;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

#endif /* PAGING_WORKLOAD_H */
