// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/paging: counters, tracepoints and limits.
 *
 * Events are counted per CPU, since faults of different threads count them at
 * the same time.  /sys/class/misc/paging/stats/ shows the sums; the ABI is in
 * Documentation/ABI/testing/sysfs-class-misc-paging.
 */
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "paging_internal.h"

#define CREATE_TRACE_POINTS
#include "paging_trace.h"

unsigned long paging_max_map_pages;
unsigned long paging_max_total_pages;

module_param_named(max_map_pages, paging_max_map_pages, ulong, 0644);
MODULE_PARM_DESC(max_map_pages,
		 "most pages of one mapping (default 0: half of the RAM)");

module_param_named(max_total_pages, paging_max_total_pages, ulong, 0644);
MODULE_PARM_DESC(max_total_pages,
		 "most pages of all mappings together (default 0: half of the RAM)");

DEFINE_PER_CPU(struct paging_stats, paging_stats);

/* Pages that mappings may still come to hold: all of their lengths added up. */
static atomic_long_t paging_reserved = ATOMIC_LONG_INIT(0);

/**
 * paging_stat_sum() - the value of a counter
 * @stat: which one
 *
 * Return: the sum over all CPUs; while others count, some recent value.
 */
unsigned long paging_stat_sum(enum paging_stat stat)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(paging_stats, cpu).nr[stat]);
	return sum;
}

static unsigned long paging_limit(unsigned long pages)
{
	return pages ?: totalram_pages() / 2;
}

/**
 * paging_reserve() - take pages from the limits
 * @nr_pages: length of a new mapping
 *
 * A mapping reserves its whole length, so that a limit is met by an errno
 * from mmap() and never by a signal in the middle of the program's work.
 *
 * Return: 0, or -ENOMEM if the mapping or all mappings together would be
 * larger than the parameters allow.
 */
int paging_reserve(unsigned long nr_pages)
{
	unsigned long limit = paging_limit(READ_ONCE(paging_max_total_pages));
	long total = atomic_long_read(&paging_reserved);

	if (nr_pages > paging_limit(READ_ONCE(paging_max_map_pages)))
		return -ENOMEM;

	/* Not added before it is known to fit: another mapping might. */
	do {
		if (nr_pages > limit || total > limit - nr_pages)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&paging_reserved, &total,
					  total + nr_pages));
	return 0;
}

/**
 * paging_unreserve() - give back what paging_reserve() took
 * @nr_pages: as then
 */
void paging_unreserve(unsigned long nr_pages)
{
	atomic_long_sub(nr_pages, &paging_reserved);
}

#define PAGING_STAT(_name, _stat)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lu\n", paging_stat_sum(_stat));	\
}									\
static DEVICE_ATTR_RO(_name)

PAGING_STAT(maps, PAGING_MAPS);
PAGING_STAT(trackers, PAGING_TRACKERS);
PAGING_STAT(pages_allocated, PAGING_ALLOCATED);
PAGING_STAT(pages_freed, PAGING_FREED);
PAGING_STAT(faults, PAGING_FAULTS);
PAGING_STAT(fault_pages, PAGING_FAULT_PAGES);
PAGING_STAT(prepaged_pages, PAGING_PREPAGED);
PAGING_STAT(private_copies, PAGING_COPIES);

static ssize_t pages_reserved_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&paging_reserved));
}
static DEVICE_ATTR_RO(pages_reserved);

static struct attribute *paging_attrs[] = {
	&dev_attr_maps.attr,
	&dev_attr_trackers.attr,
	&dev_attr_pages_allocated.attr,
	&dev_attr_pages_freed.attr,
	&dev_attr_pages_reserved.attr,
	&dev_attr_faults.attr,
	&dev_attr_fault_pages.attr,
	&dev_attr_prepaged_pages.attr,
	&dev_attr_private_copies.attr,
	NULL
};

static const struct attribute_group paging_stats_group = {
	.name = "stats",
	.attrs = paging_attrs,
};

const struct attribute_group *paging_groups[] = {
	&paging_stats_group,
	NULL
};
