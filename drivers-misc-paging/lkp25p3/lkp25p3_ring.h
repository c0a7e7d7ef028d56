/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkp25p3: the last seconds of a monitor, for readers.
 */
#ifndef _LKP25P3_RING_H
#define _LKP25P3_RING_H

#include <linux/fs.h>
#include <uapi/linux/lkp25p3.h>

/* Seconds that a reader may be late. */
#define LKP25P3_RING_SLOTS	8

/* Bytes that the counts are longer than one for each page. */
#define LKP25P3_COUNTS_PAD	64

/**
 * struct lkp25p3_ring - slots of a header and counts each, used in turn
 * @mem: all of them
 * @slot_bytes: size of one
 * @nr_pages: counts in one
 * @seq: of the last second that is complete; written by the monitor's thread
 *	with release, after the slot
 */
struct lkp25p3_ring {
	void *mem;
	size_t slot_bytes;
	unsigned long nr_pages;
	u64 seq;
};

int lkp25p3_ring_init(struct lkp25p3_ring *ring, unsigned long nr_pages);
void lkp25p3_ring_free(struct lkp25p3_ring *ring);
struct lkp25p3_second *lkp25p3_ring_begin(struct lkp25p3_ring *ring);
u8 *lkp25p3_ring_counts(struct lkp25p3_second *second);
void lkp25p3_ring_publish(struct lkp25p3_ring *ring,
			  struct lkp25p3_second *second);

extern const struct file_operations lkp25p3_ring_fops;

#endif /* _LKP25P3_RING_H */
