// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: the walk from a virtual address to the entry that maps it.
 *
 * What keeps the tables from being freed under the walk:
 *
 * With mmap_lock held for reading, that there is a VMA: munmap() frees tables
 * with the lock held for reading too, but only those in which no VMA is left.
 * A table of PTEs may also go when a huge page takes its place, without
 * mmap_lock; it is freed after an RCU grace period.  A table of PMDs that
 * hugetlb shares with other processes can be taken from this one without
 * mmap_lock, too; it is walked with interrupts off.
 *
 * Without mmap_lock, that interrupts are off on a CPU that runs in this address
 * space, which holds up both ways there are to free tables, as for GUP-fast.
 *
 * Entries are read once and may be out of date when the walk returns.  No
 * reference to the page is taken: a physical address is all that is told.
 */
#include <linux/hugetlb.h>
#include <linux/irqflags.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/swapops.h>

#include "lkp25p3_internal.h"

/* The CPU can use this entry: it is neither PROT_NONE nor being changed. */
static __always_inline bool pte_usable(pte_t pte)
{
#ifdef CONFIG_ARM64
	return pte_valid(pte);
#else
	return pte_flags(pte) & _PAGE_PRESENT;
#endif
}

static inline bool pmd_usable(pmd_t pmd)
{
#ifdef CONFIG_ARM64
	return pmd_valid(pmd);
#else
	return pmd_flags(pmd) & _PAGE_PRESENT;
#endif
}

static __always_inline bool pte_contiguous(pte_t pte)
{
#ifdef CONFIG_ARM64
	return pte_usable(pte) && pte_cont(pte);
#else
	return false;
#endif
}

static __always_inline u32 flag_if(bool set, u32 flag)
{
	return set ? flag : 0;
}

static __always_inline void set_record(struct lkp25p3_record *rec, u64 pa,
				       u32 flags, u8 state, u8 level,
				       u8 shift)
{
	/* In one piece: a range writes these by the million. */
	const u8 tail[8] = { state, level, shift };

	rec->pa = pa;
	rec->ns = 0;
	rec->flags = flags;
	memcpy((u8 *)rec + offsetof(struct lkp25p3_record, state), tail,
	       sizeof(tail));
}

static void set_swapped(struct lkp25p3_record *rec, swp_entry_t entry,
			unsigned long offset, u8 level, u8 shift)
{
	set_record(rec, 0, 0, LKP25P3_NOT_POPULATED, level, shift);
	if (!non_swap_entry(entry)) {
		rec->state = LKP25P3_SWAPPED;
		rec->swap_type = swp_type(entry);
		rec->pa = swp_offset(entry) + (offset >> PAGE_SHIFT);
	} else if (is_migration_entry(entry)) {
		rec->state = LKP25P3_MIGRATING;
		rec->pa = PFN_PHYS(swp_offset_pfn(entry)) + offset;
	} else if (is_hwpoison_entry(entry) || is_poisoned_swp_entry(entry)) {
		rec->state = LKP25P3_POISONED;
	} else if (is_device_private_entry(entry) ||
		   is_device_exclusive_entry(entry)) {
		rec->state = LKP25P3_DEVICE;
	}
	/* A marker of userfaultfd stands for a page that is not there. */
}

/* @pte is present. */
static __always_inline u32 pte_bits(pte_t pte)
{
	return flag_if(pte_young(pte), LKP25P3_YOUNG) |
	       flag_if(pte_dirty(pte), LKP25P3_DIRTY) |
	       flag_if(pte_write(pte), LKP25P3_WRITE) |
	       flag_if(pte_contiguous(pte), LKP25P3_CONT);
}

static __always_inline u32 pte_kind(pte_t pte)
{
	if (likely(!pte_special(pte)))
		return 0;
	return is_zero_pfn(pte_pfn(pte)) ? LKP25P3_ZERO : LKP25P3_SPECIAL;
}

/*
 * Records for @nr pages that are mapped one after the other from @pte on;
 * returns their flags.
 */
static __always_inline u32 set_ptes_present(struct lkp25p3_record *recs,
					    pte_t pte, unsigned long offset,
					    unsigned int nr)
{
	u32 flags = pte_bits(pte) | pte_kind(pte);
	u64 pa = PFN_PHYS(pte_pfn(pte)) + offset;

	if (unlikely(!pte_usable(pte)))
		flags |= LKP25P3_KEPT;
	do {
		set_record(recs++, pa, flags, LKP25P3_PRESENT, 1, PAGE_SHIFT);
		pa += PAGE_SIZE;
	} while (--nr);
	return flags;
}

/* How many pages from @addr on, at most @max, an entry of 2^@shift bytes has. */
static unsigned int pages_left(unsigned long addr, unsigned int shift,
			       unsigned int max)
{
	unsigned long left = BIT(shift) - (addr & (BIT(shift) - 1));

	return min_t(unsigned long, max, DIV_ROUND_UP(left, PAGE_SIZE));
}

static unsigned int walk_none(unsigned long addr, unsigned int shift,
			      struct lkp25p3_record *recs, unsigned int max)
{
	unsigned int i, nr = pages_left(addr, shift, max);

	for (i = 0; i < nr; i++)
		set_record(&recs[i], 0, 0, LKP25P3_NOT_POPULATED, 0, 0);
	return nr;
}

static void set_absent(struct lkp25p3_record *rec, pte_t pte,
		       unsigned long offset)
{
	if (pte_none(pte))
		set_record(rec, 0, 0, LKP25P3_NOT_POPULATED, 0, 0);
	else
		set_swapped(rec, pte_to_swp_entry(pte), offset, 1, PAGE_SHIFT);
}

/* The flags of all records are added to *@seen. */
static __always_inline unsigned int walk_ptes(pmd_t pmd, unsigned long addr,
					      struct lkp25p3_record *recs,
					      unsigned int max, u32 *seen)
{
	unsigned long offset = offset_in_page(addr);
	unsigned int done, nr;
	pte_t *ptep;

	if (unlikely(pmd_bad(pmd)))
		return walk_none(addr, PMD_SHIFT, recs, max);
	/*
	 * In a 64-bit kernel a table is always mapped, and what else
	 * pte_offset_map() sees to, the RCU read section and reading the entry
	 * only once, is seen to.
	 */
	ptep = pte_offset_kernel(&pmd, addr);
	max = min_t(unsigned long, max, PTRS_PER_PTE - pte_index(addr));
	for (done = 0; done < max; done += nr) {
		/* Not ptep_get_lockless(), which reads a whole block. */
		pte_t pte = READ_ONCE(ptep[done]);

		nr = 1;
		/* What is read the second time may be another entry, or none. */
		if (unlikely(pte_contiguous(pte))) {
			pte = ptep_get_lockless(ptep + done);
			nr = min(pte_batch_hint(ptep + done, pte), max - done);
		}
		if (unlikely(!pte_present(pte))) {
			set_absent(recs + done, pte, offset);
			continue;
		}
		*seen |= set_ptes_present(recs + done, pte, offset, nr);
	}
	return done;
}

static unsigned int walk_huge(unsigned long pfn, u32 flags, unsigned int level,
			      unsigned int shift, unsigned long addr,
			      struct lkp25p3_record *recs, unsigned int max)
{
	u64 pa = PFN_PHYS(pfn) + (addr & (BIT(shift) - 1));
	unsigned int i, nr = pages_left(addr, shift, max);

	for (i = 0; i < nr; i++, pa += PAGE_SIZE)
		set_record(&recs[i], pa, flags, LKP25P3_PRESENT, level, shift);
	return nr;
}

static u32 pmd_bits(pmd_t pmd)
{
	return flag_if(pmd_young(pmd), LKP25P3_YOUNG) |
	       flag_if(pmd_dirty(pmd), LKP25P3_DIRTY) |
	       flag_if(pmd_write(pmd), LKP25P3_WRITE) |
	       flag_if(is_huge_zero_pmd(pmd), LKP25P3_ZERO) |
	       flag_if(pmd_special(pmd), LKP25P3_SPECIAL) |
	       flag_if(!pmd_usable(pmd), LKP25P3_KEPT);
}

/* A leaf has its bits where a PTE has them; not all tests exist for PUDs. */
static u32 pud_bits(pud_t pud)
{
	return (pte_bits(__pte(pud_val(pud))) & ~LKP25P3_CONT) |
	       flag_if(pud_special(pud), LKP25P3_SPECIAL) |
	       flag_if(!pte_usable(__pte(pud_val(pud))), LKP25P3_KEPT);
}

/* hugetlb keeps its swap entries in the form of PTEs, in tables of any level. */
static unsigned int walk_swapped(pte_t pte, unsigned int level,
				 unsigned int shift, unsigned long addr,
				 struct lkp25p3_record *recs, unsigned int max)
{
	swp_entry_t entry = pte_to_swp_entry(pte);
	unsigned int i, nr = pages_left(addr, shift, max);

	for (i = 0; i < nr; i++)
		set_swapped(&recs[i], entry,
			    (addr & (BIT(shift) - 1)) + i * PAGE_SIZE, level,
			    shift);
	return nr;
}

/* x86: an entry with PROT_NONE is present for PTEs, but not for PUDs. */
static unsigned int walk_absent_pud(pud_t pud, unsigned long addr,
				    struct lkp25p3_record *recs,
				    unsigned int max)
{
	pte_t pte = __pte(pud_val(pud));

	if (pud_none(pud))
		return walk_none(addr, PUD_SHIFT, recs, max);
	if (pte_present(pte))
		return walk_huge(pud_pfn(pud), pud_bits(pud), 3, PUD_SHIFT,
				 addr, recs, max);
	return walk_swapped(pte, 3, PUD_SHIFT, addr, recs, max);
}

/* In an RCU read section at least.  Returns the number of records, not 0. */
static __always_inline unsigned int walk_tables(struct mm_struct *mm,
						unsigned long addr,
						struct lkp25p3_record *recs,
						unsigned int max, u32 *seen)
{
	pgd_t *pgdp = pgd_offset(mm, addr);
	pgd_t pgd = pgdp_get(pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;

	if (unlikely(!pgd_present(pgd)))
		return walk_none(addr, PGDIR_SHIFT, recs, max);
	p4dp = p4d_offset_lockless(pgdp, pgd, addr);
	p4d = p4dp_get(p4dp);
	if (unlikely(!p4d_present(p4d)))
		return walk_none(addr, P4D_SHIFT, recs, max);
	pudp = pud_offset_lockless(p4dp, p4d, addr);
	pud = pudp_get(pudp);
	if (unlikely(!pud_present(pud)))
		return walk_absent_pud(pud, addr, recs, max);
	if (unlikely(pud_leaf(pud)))
		return walk_huge(pud_pfn(pud), pud_bits(pud), 3, PUD_SHIFT,
				 addr, recs, max);
	pmdp = pmd_offset_lockless(pudp, pud, addr);
	pmd = pmdp_get_lockless(pmdp);
	if (unlikely(pmd_none(pmd)))
		return walk_none(addr, PMD_SHIFT, recs, max);
	if (unlikely(!pmd_present(pmd)))
		return walk_swapped(__pte(pmd_val(pmd)), 2, PMD_SHIFT, addr,
				    recs, max);
	if (pmd_leaf(pmd)) {
		*seen = pmd_bits(pmd);
		return walk_huge(pmd_pfn(pmd), *seen, 2, PMD_SHIFT, addr, recs,
				 max);
	}
	return walk_ptes(pmd, addr, recs, max, seen);
}

/* What only the VMA tells: hugetlb, and what is not accessible. */
static void complete_record(struct vm_area_struct *vma, unsigned long addr,
			    struct lkp25p3_record *rec)
{
	bool open = vma_is_accessible(vma);

	if (is_vm_hugetlb_page(vma) && rec->level) {
		unsigned int shift = huge_page_shift(hstate_vma(vma));

		/* All contiguous entries are the same one while it moves. */
		if (rec->state == LKP25P3_MIGRATING)
			rec->pa += addr & (BIT(shift) - BIT(rec->shift));
		rec->flags |= LKP25P3_HUGETLB;
		rec->shift = shift;
	}
	if (rec->state == LKP25P3_PRESENT && (rec->flags & LKP25P3_KEPT)) {
		if (open)	/* a NUMA hint, or a huge page being split */
			rec->flags &= ~LKP25P3_KEPT;
		else
			rec->state = LKP25P3_PROT_NONE;
	} else if (rec->state == LKP25P3_NOT_POPULATED && !open) {
		rec->state = LKP25P3_PROT_NONE;
	}
}

static unsigned int walk_hugetlb(struct vm_area_struct *vma,
				 unsigned long addr,
				 struct lkp25p3_record *recs, unsigned int max)
{
	unsigned long flags;
	unsigned int i, nr;
	u32 seen = 0;

	local_irq_save(flags);
	nr = walk_tables(vma->vm_mm, addr, recs, max, &seen);
	local_irq_restore(flags);
	for (i = 0; i < nr; i++)
		complete_record(vma, addr + i * PAGE_SIZE, &recs[i]);
	return nr;
}

/**
 * lkp25p3_walk() - translate an address and those of the pages that follow
 * @vma: that @addr is in
 * @addr: the first address
 * @recs: the answers, for @addr, @addr + PAGE_SIZE, ...
 * @max: how many there may be at most; they do not leave @vma
 *
 * Context: mmap_lock of @vma held for reading.
 * Return: how many answers there are, at least 1: what lies in one page table.
 */
unsigned int lkp25p3_walk(struct vm_area_struct *vma, unsigned long addr,
			  struct lkp25p3_record *recs, unsigned int max)
{
	unsigned int i, nr;
	u32 seen = 0;

	if (max > 1)
		max = min_t(unsigned long, max,
			    DIV_ROUND_UP(vma->vm_end - addr, PAGE_SIZE));
	if (unlikely(is_vm_hugetlb_page(vma)))
		return walk_hugetlb(vma, addr, recs, max);
	rcu_read_lock();
	nr = walk_tables(vma->vm_mm, addr, recs, max, &seen);
	rcu_read_unlock();

	/* Else all that the VMA could add is that KEPT was a NUMA hint. */
	if (unlikely(!vma_is_accessible(vma) || seen & LKP25P3_KEPT))
		for (i = 0; i < nr; i++)
			complete_record(vma, addr + i * PAGE_SIZE, &recs[i]);
	return nr;
}

/**
 * lkp25p3_walk_own() - translate one of the caller's own addresses
 * @mm: current->mm
 * @addr: any number
 * @rec: the answer, as far as page tables have it
 *
 * Context: any but NMI; no lock is needed.
 * Return: true if the answer is complete; false if lkp25p3_explain() is to look
 * at it.
 */
bool lkp25p3_walk_own(struct mm_struct *mm, unsigned long addr,
		      struct lkp25p3_record *rec)
{
	unsigned long flags;
	u32 seen = 0;

	addr = untagged_addr(addr);
	/* What the CPU has, which may be less than TASK_SIZE_MAX. */
	if (unlikely(addr >= mm->task_size)) {
		set_record(rec, 0, 0, LKP25P3_NO_VMA, 0, 0);
		return true;
	}
	local_irq_save(flags);
	walk_tables(mm, addr, rec, 1, &seen);
	local_irq_restore(flags);
	return lkp25p3_is_plain(rec);
}

/**
 * lkp25p3_no_vma() - the answer for an address in no VMA
 * @mm: address space
 * @addr: address
 * @rec: the answer
 *
 * Context: mmap_lock held for reading.
 */
void lkp25p3_no_vma(struct mm_struct *mm, unsigned long addr,
		    struct lkp25p3_record *rec)
{
	struct vm_area_struct *next = find_vma(mm, addr);
	bool guard = next && addr >= vm_start_gap(next);

	set_record(rec, 0, 0, guard ? LKP25P3_GUARD : LKP25P3_NO_VMA, 0, 0);
}

/**
 * lkp25p3_explain() - complete the answer of lkp25p3_walk_own()
 * @mm: address space
 * @addr: address
 * @rec: the answer
 *
 * Context: mmap_lock held for reading.
 */
void lkp25p3_explain(struct mm_struct *mm, unsigned long addr,
		     struct lkp25p3_record *rec)
{
	struct vm_area_struct *vma;
	u32 ns = rec->ns;

	addr = untagged_addr(addr);
	vma = vma_lookup(mm, addr);
	if (vma)
		complete_record(vma, addr, rec);
	else
		lkp25p3_no_vma(mm, addr, rec);
	rec->ns = ns;
}
