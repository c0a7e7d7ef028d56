// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: the last seconds of a monitor, for readers.
 *
 * The monitor never waits for a reader.  It invalidates a slot (sequence number
 * 0), fills it and gives it its number; a reader copies a slot and then looks
 * whether it still has the number that it had before.  A reader that was too
 * slow finds a gap in the numbers.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "lkp25p3_ring.h"

static struct lkp25p3_second *slot_of(struct lkp25p3_ring *ring, u64 seq)
{
	return ring->mem + (seq % LKP25P3_RING_SLOTS) * ring->slot_bytes;
}

/**
 * lkp25p3_ring_init() - allocate a ring
 * @ring: zeroed
 * @nr_pages: counts in a second
 *
 * Return: 0 or -ENOMEM.
 */
int lkp25p3_ring_init(struct lkp25p3_ring *ring, unsigned long nr_pages)
{
	ring->nr_pages = nr_pages;
	ring->slot_bytes = ALIGN(sizeof(struct lkp25p3_second) + nr_pages +
				 LKP25P3_COUNTS_PAD, 64);
	ring->mem = __vmalloc(array_size(ring->slot_bytes, LKP25P3_RING_SLOTS),
			      GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
	return ring->mem ? 0 : -ENOMEM;
}

/**
 * lkp25p3_ring_free() - free a ring that nobody reads any more
 * @ring: the ring
 */
void lkp25p3_ring_free(struct lkp25p3_ring *ring)
{
	vfree(ring->mem);
}

/**
 * lkp25p3_ring_counts() - the counts of a second
 * @second: the second
 *
 * Return: a byte for each page, and LKP25P3_COUNTS_PAD more.
 */
u8 *lkp25p3_ring_counts(struct lkp25p3_second *second)
{
	return (u8 *)(second + 1);
}

/**
 * lkp25p3_ring_begin() - take the slot for the next second
 * @ring: the ring
 *
 * Context: the one writer.
 * Return: the slot, with zero counts.
 */
struct lkp25p3_second *lkp25p3_ring_begin(struct lkp25p3_ring *ring)
{
	struct lkp25p3_second *second = slot_of(ring, ring->seq + 1);

	WRITE_ONCE(second->seq, 0);
	/* Before anything else of it: a reader that sees more sees this. */
	smp_wmb();
	memset(lkp25p3_ring_counts(second), 0,
	       ring->nr_pages + LKP25P3_COUNTS_PAD);
	return second;
}

/**
 * lkp25p3_ring_publish() - the second is complete
 * @ring: the ring
 * @second: what lkp25p3_ring_begin() gave; its seq is set here
 *
 * Context: the one writer.
 */
void lkp25p3_ring_publish(struct lkp25p3_ring *ring,
			  struct lkp25p3_second *second)
{
	u64 seq = ring->seq + 1;

	/* After all else of it; pairs with copy_second(). */
	smp_store_release(&second->seq, seq);
	/* After the slot; pairs with ring_read(). */
	smp_store_release(&ring->seq, seq);
}

struct ring_reader {
	struct lkp25p3_ring *ring;
	u64 next;
};

static int ring_open(struct inode *inode, struct file *file)
{
	struct ring_reader *reader = kmalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return -ENOMEM;
	reader->ring = inode->i_private;
	reader->next = 1;
	file->private_data = reader;
	return nonseekable_open(inode, file);
}

static int ring_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

/* -EAGAIN: overwritten while it was copied, or before. */
static ssize_t copy_second(struct lkp25p3_ring *ring, u64 seq,
			   char __user *buf)
{
	size_t bytes = sizeof(struct lkp25p3_second) + ring->nr_pages;
	struct lkp25p3_second *second = slot_of(ring, seq);

	/* Before all else of it; pairs with lkp25p3_ring_publish(). */
	if (smp_load_acquire(&second->seq) != seq)
		return -EAGAIN;
	if (copy_to_user(buf, second, bytes))
		return -EFAULT;
	/* The copy is made; pairs with smp_wmb() in lkp25p3_ring_begin(). */
	smp_rmb();
	return READ_ONCE(second->seq) == seq ? bytes : -EAGAIN;
}

/* One second for each call; 0 when there is none that is new. */
static ssize_t ring_read(struct file *file, char __user *buf, size_t count,
			 loff_t *ppos)
{
	struct ring_reader *reader = file->private_data;
	struct lkp25p3_ring *ring = reader->ring;
	ssize_t ret = -EAGAIN;

	if (count < sizeof(struct lkp25p3_second) + ring->nr_pages)
		return -EINVAL;
	while (ret == -EAGAIN) {
		/* Before any slot; pairs with lkp25p3_ring_publish(). */
		u64 seq = smp_load_acquire(&ring->seq);

		if (reader->next > seq)
			return 0;
		/* The slot after the last one is being written to. */
		if (seq - reader->next >= LKP25P3_RING_SLOTS - 1)
			reader->next = seq - LKP25P3_RING_SLOTS + 2;
		ret = copy_second(ring, reader->next, buf);
		if (ret != -EFAULT)
			reader->next++;
	}
	return ret;
}

const struct file_operations lkp25p3_ring_fops = {
	.owner		= THIS_MODULE,
	.open		= ring_open,
	.release	= ring_release,
	.read		= ring_read,
};
