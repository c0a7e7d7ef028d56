// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: how long translations took, and what it costs to ask.
 *
 * A walk takes about as long as reading the clock.  The cost of an empty
 * measurement is the mean of many, which is finer than the clock's steps, and
 * subtracted; a group of translations between two readings shares it.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "lkp25p3_classes.h"
#include "lkp25p3_internal.h"

/* The least of several means: an interrupt spoils one of them. */
#define CALIBRATION_GROUPS	16
#define CALIBRATION_RUNS	64

struct lkp25p3_classes {
	unsigned long nr[LKP25P3_CLASSES];
};

static DEFINE_PER_CPU(struct lkp25p3_classes, lkp25p3_classes);

/* ns in 16ths, of an empty measurement; written once, by init. */
static u64 clock_cost_x16;

/**
 * lkp25p3_clock_cost_x16() - what an empty measurement shows
 *
 * Return: nanoseconds, in 16ths.
 */
u64 lkp25p3_clock_cost_x16(void)
{
	return clock_cost_x16;
}

/**
 * lkp25p3_latency_ns() - the time for one of several things timed together
 * @raw_ns: between two readings of the clock
 * @nr: things
 *
 * Return: nanoseconds, without those for the clock.
 */
u32 lkp25p3_latency_ns(u64 raw_ns, unsigned int nr)
{
	u64 x16 = raw_ns * 16;

	x16 = x16 > clock_cost_x16 ? x16 - clock_cost_x16 : 0;
	return min_t(u64, div_u64(x16 + 8 * nr, 16 * nr), U32_MAX);
}

/**
 * lkp25p3_latency_add() - count translations
 * @ns: how long each took
 * @nr: how many
 */
void lkp25p3_latency_add(u32 ns, unsigned int nr)
{
	this_cpu_add(lkp25p3_classes.nr[lkp25p3_class_of(ns)], nr);
}

static u64 class_sum(unsigned int class)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(lkp25p3_classes.nr[class], cpu);
	return sum;
}

static int latency_show(struct seq_file *m, void *unused)
{
	u64 *nr = kmalloc_array(LKP25P3_CLASSES, sizeof(*nr), GFP_KERNEL);
	u64 all = 0, sum = 0;
	unsigned int i;

	if (!nr)
		return -ENOMEM;
	/* Read once: they change, and back to 0 as well. */
	for (i = 0; i < LKP25P3_CLASSES; i++) {
		nr[i] = class_sum(i);
		all += nr[i];
	}
	seq_printf(m, "# reading the clock twice: %llu.%02llu ns, subtracted\n",
		   clock_cost_x16 / 16, clock_cost_x16 % 16 * 100 / 16);
	seq_printf(m, "# translations: %llu; of a group timed together, each counts with the mean\n",
		   all);
	seq_puts(m, "# from_ns below_ns translations percentile\n");
	for (i = 0; i < LKP25P3_CLASSES; i++) {
		sum += nr[i];
		if (nr[i])
			seq_printf(m, "%llu %llu %llu %llu.%02llu\n",
				   lkp25p3_class_start(i), lkp25p3_class_start(i + 1), nr[i],
				   div64_u64(sum * 100, all),
				   div64_u64(sum * 10000, all) % 100);
	}
	kfree(nr);
	return 0;
}

static int latency_open(struct inode *inode, struct file *file)
{
	return single_open(file, latency_show, NULL);
}

/* Whatever is written, all counts begin at 0 again. */
static ssize_t latency_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&lkp25p3_classes, cpu), 0,
		       sizeof(struct lkp25p3_classes));
	return count;
}

static const struct file_operations latency_fops = {
	.owner		= THIS_MODULE,
	.open		= latency_open,
	.read		= seq_read,
	.write		= latency_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static u64 empty_measurements(void)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < CALIBRATION_RUNS; i++) {
		u64 start = ktime_get_ns();

		sum += ktime_get_ns() - start;
	}
	return sum;
}

/**
 * lkp25p3_latency_init() - calibrate, and make the file in debugfs
 * @dir: the module's directory there
 */
void lkp25p3_latency_init(struct dentry *dir)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < CALIBRATION_GROUPS; i++)
		least = min(least, empty_measurements());
	clock_cost_x16 = div_u64(least * 16, CALIBRATION_RUNS);
	debugfs_create_file("latency", 0600, dir, NULL, &latency_fops);
}
