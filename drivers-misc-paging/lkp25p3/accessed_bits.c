// SPDX-License-Identifier: GPL-2.0-only
/*
 * Harvest accessed bits: read them, clear them, and tell everybody who asked.
 *
 * This is built into the kernel even where its users are modules, since what
 * it needs of mm is not exported.
 *
 * A scan takes mmap_lock for a number of page tables at a time, and the lock of
 * each table once.  The bits found in a table become a bitmap, which goes to
 * the scan's consumer and to all others.  Folios are marked as page_idle marks
 * them: not idle and young, so that reclaim, page_idle and DAMON still learn of
 * the access.
 *
 * Clearing a bit does not make a CPU forget that it has set it: one that still
 * has the translation in its TLB would use the page without setting the bit
 * again.  Everything is flushed once, at the end of a scan.  An access that a
 * CPU makes by an old translation between the clearing and the flush goes
 * unnoticed; that is the price of not flushing for each page.
 *
 * Contiguous PTEs (arm64) share one accessed bit, which is the OR of all of
 * theirs and is cleared in all of them: the block is read and cleared once, and
 * each of its pages counts as accessed.
 */
#include <linux/accessed_bits.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/page_idle.h>
#include <linux/pagewalk.h>
#include <linux/pgtable.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include <asm/tlbflush.h>

/* Page tables looked at under one hold of mmap_lock. */
#define TABLES_PER_HOLD	16

DEFINE_STATIC_KEY_FALSE(accessed_bits_shared);
EXPORT_SYMBOL_NS_GPL(accessed_bits_shared, PAGING_LAB);

static LIST_HEAD(consumers);
static DEFINE_SPINLOCK(consumers_lock);	/* to change the list */

/**
 * accessed_bits_register() - be told of what others find
 * @consumer: stays until it is unregistered
 *
 * Context: may sleep, until all have ended that did not know of @consumer.
 */
void accessed_bits_register(struct accessed_bits_consumer *consumer)
{
	spin_lock(&consumers_lock);
	list_add_tail_rcu(&consumer->list, &consumers);
	spin_unlock(&consumers_lock);
	static_branch_inc(&accessed_bits_shared);
	synchronize_rcu();
}
EXPORT_SYMBOL_NS_GPL(accessed_bits_register, PAGING_LAB);

/**
 * accessed_bits_unregister() - be told no more
 * @consumer: may be freed afterwards
 *
 * Context: may sleep.
 */
void accessed_bits_unregister(struct accessed_bits_consumer *consumer)
{
	static_branch_dec(&accessed_bits_shared);
	spin_lock(&consumers_lock);
	list_del_rcu(&consumer->list);
	spin_unlock(&consumers_lock);
	synchronize_rcu();
}
EXPORT_SYMBOL_NS_GPL(accessed_bits_unregister, PAGING_LAB);

static bool is_for(const struct accessed_bits_consumer *consumer,
		   const struct accessed_bits_consumer *self, const struct mm_struct *mm)
{
	return consumer != self && (!consumer->mm || consumer->mm == mm);
}

/* See accessed_bits_wanted(). */
bool __accessed_bits_wanted(struct accessed_bits_consumer *self, struct mm_struct *mm)
{
	struct accessed_bits_consumer *consumer;

	/* In the caller's read section, which is what register() waits for. */
	list_for_each_entry_rcu(consumer, &consumers, list)
		if (is_for(consumer, self, mm))
			return true;
	return false;
}

/* See accessed_bits_report(). */
void __accessed_bits_report(struct accessed_bits_consumer *self,
			    struct vm_area_struct *vma, unsigned long addr,
			    const unsigned long *bits, unsigned int nr)
{
	struct accessed_bits_consumer *consumer;

	rcu_read_lock();
	list_for_each_entry_rcu(consumer, &consumers, list)
		if (is_for(consumer, self, vma->vm_mm))
			consumer->young(consumer, vma, addr, bits, nr);
	rcu_read_unlock();
}
EXPORT_SYMBOL_NS_GPL(__accessed_bits_report, PAGING_LAB);

/**
 * accessed_bits_in_hardware() - who sets accessed bits
 *
 * Return: true if the CPU does; false if each one costs a page fault.
 */
bool accessed_bits_in_hardware(void)
{
	return arch_has_hw_pte_young();
}
EXPORT_SYMBOL_NS_GPL(accessed_bits_in_hardware, PAGING_LAB);

static void __keep_folio(struct folio *folio)
{
	folio_clear_idle(folio);
	folio_set_young(folio);
}

static __always_inline void keep_folio(struct folio *folio)
{
	const unsigned long mask = BIT(PG_young) | BIT(PG_idle);

	/* Changing them is atomic, and mostly done already. */
	if (unlikely((READ_ONCE(folio->flags) & mask) != BIT(PG_young)))
		__keep_folio(folio);
}

/* As in GUP-fast: an entry that is not special has a struct page. */
static __always_inline void keep_page(pte_t pte)
{
	if (likely(!pte_special(pte) && !pte_devmap(pte)))
		keep_folio(pfn_folio(pte_pfn(pte)));
}

struct table_scan {
	struct accessed_bits_scan *scan;
	struct vm_area_struct *vma;
	unsigned long addr;
	unsigned int nr;
	bool notify;
	DECLARE_BITMAP(young, MAX_PTRS_PER_PTE);
};

static __always_inline unsigned long address_of(const struct table_scan *t,
						unsigned int i)
{
	return t->addr + i * PAGE_SIZE;
}

/*
 * arm64: in one entry that was seen to be young, whatever its neighbours.  The
 * lock of the table keeps everybody away but the CPUs, which set other bits.
 */
#ifdef CONFIG_ARM64
static __always_inline bool clear_young(const struct table_scan *t,
					unsigned int i, pte_t *ptep)
{
	return atomic_long_fetch_andnot_relaxed(PTE_AF, (atomic_long_t *)ptep) &
	       PTE_AF;
}
#else
static __always_inline bool clear_young(const struct table_scan *t,
					unsigned int i, pte_t *ptep)
{
	return ptep_test_and_clear_young(t->vma, address_of(t, i), ptep);
}
#endif

#ifdef CONFIG_ARM64_CONTPTE

/* One of several entries that share their accessed bit. */
static __always_inline bool in_block(pte_t pte)
{
	return pte_valid_cont(pte);
}

static bool notifier_clear_young(struct mm_struct *mm, unsigned long start,
				 unsigned long end)
{
#ifdef CONFIG_MMU_NOTIFIER
	return mmu_notifier_clear_young(mm, start, end);
#else
	return false;
#endif
}

/*
 * Entry @i is in a block.  Any entry's bit is that of the block: if one is set
 * all are cleared, those outside of the range too.
 */
static bool clear_young_block(const struct table_scan *t, unsigned int i,
			      pte_t *ptep)
{
	unsigned long block = address_of(t, i) & CONT_PTE_MASK;
	bool young = false;
	unsigned int n;

	ptep = PTR_ALIGN_DOWN(ptep, sizeof(*ptep) * CONT_PTES);
	for (n = 0; n < CONT_PTES; n++, ptep++)
		if (pte_young(READ_ONCE(*ptep)))
			young |= clear_young(t, i, ptep);
	if (unlikely(t->notify))
		young |= notifier_clear_young(t->vma->vm_mm, block,
					      block + CONT_PTE_SIZE);
	return young;
}

/*
 * The bit of the block of entry @i is cleared, and the range ends in the block:
 * others may watch the rest of it.  @first up to @last are found() later.
 */
static void report_rest(const struct table_scan *t, unsigned int i,
			unsigned int first, unsigned int last)
{
	unsigned long block = address_of(t, i) & CONT_PTE_MASK;
	DECLARE_BITMAP(young, CONT_PTES);

	bitmap_fill(young, CONT_PTES);
	bitmap_clear(young, (address_of(t, first) - block) >> PAGE_SHIFT,
		     last - first);
	accessed_bits_report(t->scan->consumer, t->vma, block, young,
			     CONT_PTES);
}

/* Returns the first entry after the block, or after the range. */
static unsigned int scan_block(struct table_scan *t, pte_t *start,
			       unsigned int i, pte_t pte)
{
	unsigned int left = pte_batch_hint(start + i, pte);
	unsigned int before = CONT_PTES - left;
	unsigned int first = i > before ? i - before : 0;
	unsigned int last = min(i + left, t->nr);
	struct accessed_bits_scan *scan = t->scan;

	scan->visited += last - first;
	scan->present += last - first;
	scan->coarse += last - first;
	scan->max_granule = max(scan->max_granule, CONT_PTE_SIZE);
	if (!clear_young_block(t, i, start + i))
		return last;
	bitmap_set(t->young, first, last - first);
	if (unlikely(last - first < CONT_PTES))
		report_rest(t, i, first, last);
	if (!scan->keep_folios)
		keep_page(pte);
	return last;
}

#else

static __always_inline bool in_block(pte_t pte)
{
	return false;
}

static unsigned int scan_block(struct table_scan *t, pte_t *start,
			       unsigned int i, pte_t pte)
{
	return i + 1;
}

#endif /* CONFIG_ARM64_CONTPTE */

/* Somebody's secondary page tables (KVM's) have accessed bits, too. */
static bool clear_young_notify(const struct table_scan *t, unsigned int i,
			       pte_t *ptep)
{
	return ptep_clear_young_notify(t->vma, address_of(t, i), ptep);
}

static __always_inline void scan_ptes(struct table_scan *t, pte_t *start,
				      unsigned int first, unsigned int every,
				      bool keep, bool notify)
{
	unsigned int i = first, visited = 0, absent = 0, end;
	unsigned long word;

	for (end = BITS_PER_LONG; i < t->nr; end += BITS_PER_LONG) {
		unsigned int stop = min(end, t->nr);

		for (word = 0; i < stop; i += every) {
			/* Not ptep_get(), which reads a whole block. */
			pte_t pte = READ_ONCE(start[i]);

			if (unlikely(!pte_present(pte))) {
				absent++;
				visited++;
				continue;
			}
			if (unlikely(in_block(pte))) {
				unsigned int next = scan_block(t, start, i, pte);

				while (i + every < next)
					i += every;
				continue;
			}
			visited++;
			if (!notify && !pte_young(pte))
				continue;
			if (notify ? !clear_young_notify(t, i, start + i) :
				     !clear_young(t, i, start + i))
				continue;
			word |= BIT(i % BITS_PER_LONG);
			if (keep)
				keep_page(pte);
		}
		t->young[end / BITS_PER_LONG - 1] |= word;
	}
	t->scan->present += visited - absent;
	t->scan->visited += visited;
}

static void found(struct accessed_bits_scan *scan, struct vm_area_struct *vma,
		  unsigned long addr, const unsigned long *young,
		  unsigned int nr)
{
	struct accessed_bits_consumer *self = scan->consumer;

	scan->flush = true;
	self->young(self, vma, addr, young, nr);
	accessed_bits_report(self, vma, addr, young, nr);
}

/* The first page from @addr on that it is the turn of. */
static unsigned int first_of_turn(struct accessed_bits_scan *scan,
				  unsigned long addr)
{
	unsigned long index = (addr - scan->origin) >> PAGE_SHIFT;
	unsigned int over = (index + scan->every - scan->phase) % scan->every;

	return over ? scan->every - over : 0;
}

static void scan_table(struct accessed_bits_scan *scan, pmd_t *pmd,
		       unsigned long addr, unsigned long end,
		       struct vm_area_struct *vma)
{
	struct table_scan t = {
		.scan = scan, .vma = vma, .addr = addr,
		.nr = (end - addr) >> PAGE_SHIFT,
		.notify = mm_has_notifiers(vma->vm_mm),
	};
	spinlock_t *ptl;	/* of the table */
	pte_t *start;

	bitmap_zero(t.young, PTRS_PER_PTE);
	start = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!start)
		return;
	__acquire(ptl);		/* for sparse, which does not follow the above */
	/* Three of what would be sixteen, for the sake of the first two. */
	if (t.notify || scan->every > 1)
		scan_ptes(&t, start, first_of_turn(scan, addr), scan->every,
			  !scan->keep_folios, t.notify);
	else if (scan->keep_folios)
		scan_ptes(&t, start, 0, 1, false, false);
	else
		scan_ptes(&t, start, 0, 1, true, false);
	scan->max_granule = max(scan->max_granule, PAGE_SIZE);
	if (!bitmap_empty(t.young, t.nr))
		found(scan, vma, addr, t.young, t.nr);
	pte_unmap_unlock(start, ptl);
}

static void scan_huge(struct accessed_bits_scan *scan, pmd_t *pmd,
		      unsigned long addr, unsigned long end,
		      struct vm_area_struct *vma)
{
	unsigned int nr = (end - addr) >> PAGE_SHIFT;
	DECLARE_BITMAP(all, MAX_PTRS_PER_PTE);
	bool young;
	pmd_t old;

	old = pmdp_get(pmd);
	scan->visited++;
	if (!pmd_present(old))
		return;
	scan->present += nr;
	scan->coarse += nr;
	scan->max_granule = max(scan->max_granule, PMD_SIZE);
	if (mm_has_notifiers(vma->vm_mm))
		young = pmdp_clear_young_notify(vma, addr & PMD_MASK, pmd);
	else
		young = pmdp_test_and_clear_young(vma, addr & PMD_MASK, pmd);
	if (!young)
		return;
	bitmap_zero(all, PTRS_PER_PTE);
	bitmap_set(all, 0, nr);
	if (!scan->keep_folios && !is_huge_zero_pmd(old) &&
	    !pmd_devmap(old) && !pmd_special(old))
		keep_folio(pfn_folio(pmd_pfn(old)));
	scan->flush = true;
	scan->consumer->young(scan->consumer, vma, addr, all, nr);
	/* Its bit is cleared: others may watch pages of it out of this range. */
	bitmap_fill(all, PTRS_PER_PTE);
	accessed_bits_report(scan->consumer, vma, addr & PMD_MASK, all,
			     PTRS_PER_PTE);
}

static int scan_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
		    struct mm_walk *walk)
{
	struct accessed_bits_scan *scan = walk->private;
	struct vm_area_struct *vma = walk->vma;
	spinlock_t *ptl = pmd_trans_huge_lock(pmd, vma);	/* of the table */

	if (ptl) {
		__acquire(ptl);
		scan_huge(scan, pmd, addr, end, vma);
		spin_unlock(ptl);
	} else {
		scan_table(scan, pmd, addr, end, vma);
	}
	scan->next = end;
	return ++scan->tables >= TABLES_PER_HOLD || need_resched() ||
	       mmap_lock_is_contended(vma->vm_mm);
}

static const struct mm_walk_ops scan_ops = {
	.pmd_entry = scan_pmd,
	.walk_lock = PGWALK_RDLOCK,
};

/**
 * accessed_bits_scan() - harvest the accessed bits of a range, once
 * @scan: what to do, and what was found; counts are added to those in it
 * @start: first address, page aligned
 * @end: address after the last, page aligned
 *
 * The address space is that of @scan->consumer, to whose mm_count the caller
 * has a reference.  Where there is no VMA, one of PFN mappings, or hugetlb,
 * nothing is found.
 *
 * Context: may sleep; takes mmap_lock for reading several times.
 * Return: 0, or -ESRCH if the address space has no user any more.
 */
int accessed_bits_scan(struct accessed_bits_scan *scan, unsigned long start,
		       unsigned long end)
{
	struct mm_struct *mm = scan->consumer->mm;
	int stopped;

	if (!mmget_not_zero(mm))
		return -ESRCH;
	scan->next = start;
	do {
		scan->tables = 0;
		mmap_read_lock(mm);
		stopped = walk_page_range(mm, scan->next, end, &scan_ops, scan);
		mmap_read_unlock(mm);
		cond_resched();
	} while (stopped > 0 && scan->next < end);
	if (scan->flush)
		flush_tlb_mm(mm);
	scan->flush = false;
	/* The last one to leave would have to take it all down. */
	mmput_async(mm);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(accessed_bits_scan, PAGING_LAB);
