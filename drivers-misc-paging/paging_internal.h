/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/paging: what its files share, grouped by the file that defines it.
 */
#ifndef _PAGING_INTERNAL_H
#define _PAGING_INTERNAL_H

#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

struct attribute_group;
struct file;

/* paging_mmap.c */

int paging_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long paging_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags);

/* paging_fault.c */

extern unsigned int paging_fault_order;	/* log2 of the pages a fault maps */

vm_fault_t paging_vma_fault(struct vm_fault *vmf);
int paging_map_folio(struct vm_area_struct *vma, unsigned long first,
		     struct folio *folio);

/* paging_prepage.c */

int paging_prepage(struct vm_area_struct *vma);

/* paging_tracker.c */

/**
 * struct paging_tracker - the pages of one mmap() of /dev/paging
 * @ref: one per VMA that shows a part of the mapping: 1 at mmap(), up when a
 *	VMA is split, moved or inherited by fork(), down when one is closed.
 * @base: page offset (vm_pgoff) of page 0.  An index is a page offset minus
 *	@base, so it stays right when the VMA is split or moved.
 * @nr_pages: length of the mapping, in pages.
 * @order: log2 of the pages that one demand fault allocates.
 * @lock: taken to record pages; innermost, nothing is called under it.
 * @end: no page from this index on is recorded; under @lock.
 * @pages: by index, NULL until recorded.  An entry changes once, under @lock,
 *	and is read without it.
 *
 * The tracker owns one reference of each folio it has recorded and drops it
 * when it is freed itself, which is when the last VMA has gone.  Page table
 * entries and pins hold references of their own: a page outlives the tracker
 * for as long as a device or another process is using it.
 */
struct paging_tracker {
	refcount_t ref;
	unsigned int order;
	unsigned long base;
	unsigned long nr_pages;
	spinlock_t lock;	/* to record pages; innermost */
	unsigned long end;
	struct page *pages[] __counted_by(nr_pages);
};

struct paging_tracker *paging_tracker_create(unsigned long base,
					     unsigned long nr_pages,
					     unsigned int order);
void paging_tracker_get(struct paging_tracker *tracker);
void paging_tracker_put(struct paging_tracker *tracker);
struct page *paging_tracker_page(struct paging_tracker *tracker,
				 unsigned long index);
struct folio *paging_tracker_fill(struct paging_tracker *tracker,
				  unsigned long index, unsigned int order);

/* paging_stats.c */

enum paging_stat {
	PAGING_MAPS,		/* calls of mmap() that succeeded */
	PAGING_TRACKERS,	/* trackers that exist now */
	PAGING_ALLOCATED,	/* pages recorded by trackers */
	PAGING_FREED,		/* pages that trackers have let go */
	PAGING_FAULTS,		/* page faults handled */
	PAGING_FAULT_PAGES,	/* pages mapped by them */
	PAGING_PREPAGED,	/* pages mapped by mmap() itself */
	PAGING_COPIES,		/* private copies made for writers */
	PAGING_NR_STATS,
};

struct paging_stats {
	unsigned long nr[PAGING_NR_STATS];
};

DECLARE_PER_CPU(struct paging_stats, paging_stats);

static inline void paging_count(enum paging_stat stat, long nr)
{
	this_cpu_add(paging_stats.nr[stat], nr);
}

extern unsigned long paging_max_map_pages;
extern unsigned long paging_max_total_pages;

unsigned long paging_stat_sum(enum paging_stat stat);
int paging_reserve(unsigned long nr_pages);
void paging_unreserve(unsigned long nr_pages);

extern const struct attribute_group *paging_groups[];

#endif /* _PAGING_INTERNAL_H */
