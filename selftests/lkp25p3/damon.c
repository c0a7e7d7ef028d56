// SPDX-License-Identifier: GPL-2.0-only
/*
 * DAMON by way of its files in sysfs: one thread, one context, one target with
 * one range, and a scheme that does nothing but tell its regions.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "damon.h"

#define ADMIN	"/sys/kernel/mm/damon/admin/kdamonds/"
#define CONTEXT	"0/contexts/0/"
#define SCHEME	CONTEXT "schemes/0/"
#define TARGET	CONTEXT "targets/0/"
#define TRIED	SCHEME "tried_regions/"

static void put(const char *file, const char *value)
{
	char path[192];
	int fd;

	snprintf(path, sizeof(path), ADMIN "%s", file);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err(1, "DAMON: %s to %s", value, path);
	close(fd);
}

static void put_number(const char *file, __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	put(file, text);
}

static __u64 get_number(const char *file)
{
	char path[320], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), ADMIN "%s", file);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		err(1, "DAMON: %s", path);
	close(fd);
	return strtoull(text, NULL, 10);
}

/* Ten, or more, of about the same size; it splits and merges them from there. */
static void set_regions(const struct damon *d, unsigned int nr)
{
	__u64 page = getpagesize(), pages = (d->end - d->start) / page;
	char file[64];

	put_number(TARGET "regions/nr_regions", nr);
	for (unsigned int i = 0; i < nr; i++) {
		snprintf(file, sizeof(file), TARGET "regions/%u/start", i);
		put_number(file, d->start + pages * i / nr * page);
		snprintf(file, sizeof(file), TARGET "regions/%u/end", i);
		put_number(file, d->start + pages * (i + 1) / nr * page);
	}
}

/* Every region fits: the least is 0 for all of these. */
static void want_all_regions(void)
{
	put(CONTEXT "schemes/nr_schemes", "1");
	put(SCHEME "action", "stat");
	put_number(SCHEME "access_pattern/sz/max", ULONG_MAX);
	put_number(SCHEME "access_pattern/nr_accesses/max", UINT_MAX);
	put_number(SCHEME "access_pattern/age/max", UINT_MAX);
}

bool damon_start(struct damon *d)
{
	unsigned int least = d->min_regions ? d->min_regions : DAMON_MIN_REGIONS;

	if (access(ADMIN "nr_kdamonds", W_OK))
		return false;
	put("nr_kdamonds", "1");
	put("0/contexts/nr_contexts", "1");
	/* The range alone: else it would watch all of the address space. */
	put(CONTEXT "operations", "fvaddr");
	put_number(CONTEXT "monitoring_attrs/nr_regions/min", least);
	put_number(CONTEXT "monitoring_attrs/nr_regions/max", DAMON_MAX_REGIONS);
	put(CONTEXT "targets/nr_targets", "1");
	put_number(TARGET "pid_target", getpid());
	set_regions(d, least);
	want_all_regions();
	put("0/state", "on");
	if (clock_getcpuclockid(get_number("0/pid"), &d->clock))
		errx(1, "DAMON's thread has no clock");
	return true;
}

void damon_stop(void)
{
	put("0/state", "off");
	put("nr_kdamonds", "0");
}

__u64 damon_cpu_ns(const struct damon *d)
{
	struct timespec t;

	if (clock_gettime(d->clock, &t))
		err(1, "the CPU time of DAMON's thread");
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static __u64 region_number(const char *region, const char *name)
{
	char file[300];

	snprintf(file, sizeof(file), TRIED "%s/%s", region, name);
	return get_number(file);
}

unsigned int damon_regions(struct damon_region *regions, unsigned int max)
{
	unsigned int nr = 0;
	struct dirent *entry;
	DIR *dir;

	put("0/state", "update_schemes_tried_regions");
	dir = opendir(ADMIN TRIED);
	if (!dir)
		err(1, "DAMON: the regions");
	while (nr < max && (entry = readdir(dir))) {
		if (*entry->d_name < '0' || *entry->d_name > '9')
			continue;
		regions[nr].start = region_number(entry->d_name, "start");
		regions[nr].end = region_number(entry->d_name, "end");
		regions[nr].samples = region_number(entry->d_name, "nr_accesses");
		nr++;
	}
	closedir(dir);
	return nr;
}
