/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkp25p3: the classes of the latency histogram.
 *
 * Below 4 ns each value is a class of its own; above, each octave has four, so
 * that a class is at most 25 % wide.  No driver state: KUnit has this file by
 * itself.
 */
#ifndef _LKP25P3_CLASSES_H
#define _LKP25P3_CLASSES_H

#include <linux/log2.h>
#include <linux/types.h>

#define LKP25P3_CLASSES		124

/**
 * lkp25p3_class_of() - the class that a value is in
 * @ns: nanoseconds
 *
 * Return: the class, below LKP25P3_CLASSES.
 */
static inline unsigned int lkp25p3_class_of(u32 ns)
{
	unsigned int log;

	if (ns < 4)
		return ns;
	log = ilog2(ns);
	return 4 * (log - 1) + (ns >> (log - 2)) - 4;
}

/**
 * lkp25p3_class_start() - where a class begins
 * @class: the class, or LKP25P3_CLASSES, for the end of the last one
 *
 * Return: the smallest value in it, nanoseconds.
 */
static inline u64 lkp25p3_class_start(unsigned int class)
{
	if (class < 4)
		return class;
	return (u64)(4 + class % 4) << (class / 4 - 1);
}

#endif /* _LKP25P3_CLASSES_H */
