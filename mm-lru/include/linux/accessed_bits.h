/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One way to harvest accessed bits, for all who do.
 *
 * To read an accessed bit is to clear it, so two who read the bits of one
 * address space on their own steal them from each other.  Here each says whom
 * it is (a consumer) and is told what any other one has found.
 */
#ifndef _LINUX_ACCESSED_BITS_H
#define _LINUX_ACCESSED_BITS_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/mm_types.h>

/**
 * struct accessed_bits_consumer - somebody who wants to know
 * @list: of all consumers
 * @mm: whose pages; NULL: everybody's
 * @young: told of accessed pages: page i from @addr on was accessed if bit i of
 *	@bits is set, @nr bits.  They lie in one page table, whose lock is held
 *	by the caller in an RCU read section: it must not sleep.
 */
struct accessed_bits_consumer {
	struct list_head list;
	struct mm_struct *mm;
	void (*young)(struct accessed_bits_consumer *consumer,
		      struct vm_area_struct *vma, unsigned long addr,
		      const unsigned long *bits, unsigned int nr);
};

/**
 * struct accessed_bits_scan - one harvest: what to do, and what was found
 * @consumer: of whom; its @young is called for each page table
 * @every: look at one page of so many
 * @phase: at which, below @every
 * @keep_folios: do not set the young flag of folios, nor clear their idle flag
 * @origin: address that pages are counted from for @every
 * @next: where to go on
 * @tables: page tables looked at since mmap_lock was taken
 * @visited: entries looked at
 * @present: pages present among them
 * @coarse: those that share their accessed bit with others
 * @max_granule: bytes that the largest entry maps
 * @flush: flush the TLB at the end; set, too, where a bit was cleared
 */
struct accessed_bits_scan {
	struct accessed_bits_consumer *consumer;
	unsigned int every;
	unsigned int phase;
	bool keep_folios;
	unsigned long origin;
	unsigned long next;
	unsigned int tables;
	unsigned long visited;
	unsigned long present;
	unsigned long coarse;
	unsigned long max_granule;
	bool flush;
};

int accessed_bits_scan(struct accessed_bits_scan *scan, unsigned long start,
		       unsigned long end);
bool accessed_bits_in_hardware(void);

#ifdef CONFIG_ACCESSED_BITS

void accessed_bits_register(struct accessed_bits_consumer *consumer);
void accessed_bits_unregister(struct accessed_bits_consumer *consumer);

DECLARE_STATIC_KEY_FALSE(accessed_bits_shared);

void __accessed_bits_report(struct accessed_bits_consumer *self,
			    struct vm_area_struct *vma, unsigned long addr,
			    const unsigned long *bits, unsigned int nr);

bool __accessed_bits_wanted(struct accessed_bits_consumer *self, struct mm_struct *mm);

/**
 * accessed_bits_wanted() - is anybody else to be told?
 * @self: the consumer that is going to clear bits, or NULL
 * @mm: of which address space
 *
 * Who registers later need not be told of what is cleared before the RCU read
 * section ends that this is called in.
 *
 * Return: false if accessed_bits_report() would tell nobody.
 */
static inline bool accessed_bits_wanted(struct accessed_bits_consumer *self,
					struct mm_struct *mm)
{
	return static_branch_unlikely(&accessed_bits_shared) &&
	       __accessed_bits_wanted(self, mm);
}

/**
 * accessed_bits_report() - tell the others of bits that were cleared
 * @self: the consumer that cleared them, which is not told; or NULL
 * @vma: of the pages
 * @addr: of the first page
 * @bits: which of the pages were accessed
 * @nr: number of pages, in one page table
 *
 * Context: the lock of the page table held.
 */
static inline void accessed_bits_report(struct accessed_bits_consumer *self,
					struct vm_area_struct *vma,
					unsigned long addr,
					const unsigned long *bits,
					unsigned int nr)
{
	if (static_branch_unlikely(&accessed_bits_shared))
		__accessed_bits_report(self, vma, addr, bits, nr);
}

#else

static inline bool accessed_bits_wanted(struct accessed_bits_consumer *self,
					struct mm_struct *mm)
{
	return false;
}

static inline void accessed_bits_register(struct accessed_bits_consumer *consumer)
{
}

static inline void accessed_bits_unregister(struct accessed_bits_consumer *consumer)
{
}

static inline void accessed_bits_report(struct accessed_bits_consumer *self,
					struct vm_area_struct *vma,
					unsigned long addr,
					const unsigned long *bits,
					unsigned int nr)
{
}

#endif /* CONFIG_ACCESSED_BITS */

#endif /* _LINUX_ACCESSED_BITS_H */
