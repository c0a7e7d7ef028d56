// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost: what a page of memory costs, by the ways to get it.
 *
 * Maps 32 MiB, writes a word to each page and unmaps it, several times, and
 * prints the smallest time per 4 KiB of each step.  In an emulator that
 * advances its clock by 1 ns per instruction (QEMU: -icount shift=0,sleep=off,
 * one CPU) these are instructions, kernel and user together; elsewhere they
 * are nanoseconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/paging.h>

#include "../kselftest.h"
#include "test_util.h"

#define PARAMS	"/sys/module/paging/parameters/"
#define THP	"/sys/kernel/mm/transparent_hugepage/"
#define CGROUP	"/sys/fs/cgroup"
#define UNIT	4096UL

/* A file of /sys and what it is set to for one way. */
struct knob {
	const char *path;
	const char *value;
};

struct way {
	const char *name;
	const char *peer;	/* the way to compare it with, or NULL */
	bool paging;
	int flags;
	struct knob knobs[4];
};

#define THP_OFF		{ THP "enabled", "madvise" }
#define MTHP_OFF	{ THP "hugepages-64kB/enabled", "never" }
#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define DEMAND(bytes)	{ { PARAMS "demand_paging", "1" },		\
			  { PARAMS "fault_bytes", bytes } }
#define PREPAGE(how, pmd) { { PARAMS "demand_paging", "0" },		\
			    { PARAMS "prepage", how },			\
			    { PARAMS "pmd_map", pmd } }

static const struct way ways[] = {
	{ "anon_demand", NULL, false, ANON, { THP_OFF, MTHP_OFF } },
	{ "anon_64k", NULL, false, ANON,
	  { THP_OFF, { THP "hugepages-64kB/enabled", "always" } } },
	{ "anon_populate", NULL, false, ANON | MAP_POPULATE,
	  { THP_OFF, MTHP_OFF } },
	{ "thp_demand", NULL, false, ANON,
	  { MTHP_OFF, { THP "enabled", "always" } } },
	{ "thp_populate", NULL, false, ANON | MAP_POPULATE,
	  { MTHP_OFF, { THP "enabled", "always" } } },
	{ "demand", "anon_demand", true, MAP_SHARED, DEMAND("page") },
	{ "demand_64k", "anon_64k", true, MAP_SHARED, DEMAND("65536") },
	{ "demand_private", "anon_demand", true, MAP_PRIVATE, DEMAND("page") },
	{ "prepage_single", "anon_populate", true, MAP_SHARED,
	  PREPAGE("single", "N") },
	{ "prepage_chunks_pte", "anon_populate", true, MAP_SHARED,
	  PREPAGE("chunks", "N") },
	{ "prepage_chunks_pmd", "thp_populate", true, MAP_SHARED,
	  PREPAGE("chunks", "Y") },
};

struct cost {
	long map, touch, unmap;	/* ns of the whole mapping */
	long faults;
};

static size_t length = 32UL << 20;
static int runs = 5;

static void die(const char *what)
{
	fprintf(stderr, "cost: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static long smaller(long a, long b)
{
	return a < b ? a : b;
}

static void measure_once(const struct way *way, int fd, struct cost *best)
{
	size_t step = getpagesize();
	long start, mapped, touched, unmapped, faults;
	char *p;

	faults = minor_faults();
	start = now_ns();
	p = mmap(0, length, PROT_READ | PROT_WRITE, way->flags,
		 way->paging ? fd : -1, 0);
	if (p == MAP_FAILED)
		die(way->name);
	mapped = now_ns();
	for (size_t i = 0; i < length; i += step)
		store_word(p + i, 1);
	touched = now_ns();
	munmap(p, length);
	unmapped = now_ns();

	best->map = smaller(best->map, mapped - start);
	best->touch = smaller(best->touch, touched - mapped);
	best->unmap = smaller(best->unmap, unmapped - touched);
	best->faults = smaller(best->faults, minor_faults() - faults);
}

static const char *knob_value(const struct knob *knob)
{
	static char page[24];

	if (strcmp(knob->value, "page"))
		return knob->value;
	snprintf(page, sizeof(page), "%d", getpagesize());
	return page;
}

/* Returns false if this kernel does not have what the way needs. */
static bool measure(const struct way *way, int fd, struct cost *best)
{
	const struct knob *knob;

	for (knob = way->knobs; knob->path; knob++)
		if (put_file(knob->path, knob_value(knob)) &&
		    strcmp(knob->value, "never") &&
		    strcmp(knob->value, "madvise"))
			return false;
	*best = (struct cost){ __LONG_MAX__, __LONG_MAX__, __LONG_MAX__,
			       __LONG_MAX__ };
	for (int i = 0; i < runs; i++)
		measure_once(way, fd, best);
	return true;
}

static void print_header(bool csv)
{
	if (csv)
		printf("way,peer,mmap,touch,munmap,mmap_touch,all,faults_per_page\n");
	else
		printf("%-20s %7s %7s %7s %10s %7s %11s\n", "way", "mmap",
		       "touch", "munmap", "mmap+touch", "all",
		       "faults/page");
}

static void print_cost(const struct way *way, const struct cost *c, bool csv)
{
	double pages = (double)length / UNIT;

	if (csv)
		printf("%s,%s", way->name, way->peer ? way->peer : "");
	else
		printf("%-20s", way->name);
	printf(csv ? ",%.0f,%.0f,%.0f,%.0f,%.0f,%.4f\n" :
		     " %7.0f %7.0f %7.0f %10.0f %7.0f %11.4f\n",
	       c->map / pages, c->touch / pages, c->unmap / pages,
	       (c->map + c->touch) / pages,
	       (c->map + c->touch + c->unmap) / pages, c->faults / pages);
}

static void enter_memcg(void)
{
	char pid[24];

	mkdir(CGROUP, 0755);
	if (access(CGROUP "/cgroup.procs", W_OK) &&
	    mount("cgroup2", CGROUP, "cgroup2", 0, NULL))
		die("mounting cgroup2");
	put_file(CGROUP "/cgroup.subtree_control", "+memory");
	mkdir(CGROUP "/paging-cost", 0755);
	if (access(CGROUP "/paging-cost/memory.current", R_OK))
		die("no memory controller in " CGROUP);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (put_file(CGROUP "/paging-cost/cgroup.procs", pid))
		die(CGROUP "/paging-cost/cgroup.procs");
}

static void leave_memcg(void)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%d", getpid());
	put_file(CGROUP "/cgroup.procs", pid);
	rmdir(CGROUP "/paging-cost");
}

static const char * const saved_paths[] = {
	PARAMS "demand_paging", PARAMS "fault_bytes", PARAMS "prepage",
	PARAMS "pmd_map", THP "enabled", THP "hugepages-64kB/enabled",
};

static char saved[ARRAY_SIZE(saved_paths)][64];

static void save(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(saved_paths); i++)
		if (get_choice(saved_paths[i], saved[i], sizeof(saved[i])))
			saved[i][0] = 0;
}

static void restore(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(saved_paths); i++)
		if (saved[i][0])
			put_file(saved_paths[i], saved[i]);
}

static void print_usage(void)
{
	fprintf(stderr,
		"usage: cost [-g] [-r] [-s MIB] [-n RUNS]\n"
		"  -g  in a memory cgroup of its own (default: where it was started)\n"
		"  -r  comma-separated, for a program to read\n"
		"  -s  size of the mapping (default 32)\n"
		"  -n  runs of each way, the smallest counts (default 5)\n");
	exit(2);
}

int main(int argc, char **argv)
{
	bool memcg = false, csv = false;
	int opt, fd;

	while ((opt = getopt(argc, argv, "grs:n:")) != -1) {
		if (opt == 'g')
			memcg = true;
		else if (opt == 'r')
			csv = true;
		else if (opt == 's' && atol(optarg) > 0)
			length = atol(optarg) << 20;
		else if (opt == 'n' && atoi(optarg) > 0)
			runs = atoi(optarg);
		else
			print_usage();
	}
	if (optind != argc)
		print_usage();

	fd = open(DEV_NAME, O_RDWR);
	if (fd < 0)
		die(DEV_NAME);
	save();
	if (memcg)
		enter_memcg();
	print_header(csv);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct cost cost;

		if (measure(&ways[i], fd, &cost))
			print_cost(&ways[i], &cost, csv);
		else
			fprintf(stderr, "cost: %s: not on this kernel\n",
				ways[i].name);
	}
	if (memcg)
		leave_memcg();
	restore();
	return 0;
}
