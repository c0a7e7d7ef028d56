// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: page tables made of pages of the pool.
 *
 *	     PGD (P4D, PUD)	the core's: they also cover other addresses
 *	      |
 *	     PMD table		from the pool: covers 1 GiB (4K pages) or
 *	      |			64 GiB (16K), all of it inside of the region
 *	     PTE table		from the pool: covers 2 MiB or 32 MiB
 *	      |
 *	     data page		special PTE: no reference, not in the RSS
 *
 * A table from the pool is installed with the locks and the accounting that
 * the core uses for its own, and in addition to the pool's page reference it
 * has the one that the core drops when it frees a table.  So it makes no
 * difference to the core whose tables it frees when a mapping goes as a whole;
 * where they went is found out in petmem_pool.c.
 *
 * Freeing a range detaches PTE tables that have become empty.  That is done
 * under the lock of the PMD table and the table's own, and the table is kept
 * for an RCU grace period: pte_offset_map_lock() of the core copes with that,
 * and so does GUP-fast, which disables interrupts.  PMD tables are walked by the
 * core without locks of their own: to detach one, the VMA that covers it is
 * locked for writing.  Where it covers more than one VMA (16K pages), the core
 * frees it with the last of them.
 *
 * All functions but the one for that are called with map->lock held and, for
 * addresses of a VMA that was found under it, with mmap_lock held for reading, or
 * with the lock of the VMA: the first keeps away everybody else who makes or
 * detaches tables here, the second the core's freeing. (munmap() frees tables
 * while others may read-lock mmap_lock; but then the VMA is not found any more.)
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pgtable.h>

/* Not linux/pgalloc.h, which the first of 6.12.y do not have. */
#include "asm/pgalloc.h"
#include <asm/tlbflush.h>

#include "petmem_internal.h"
#include "petmem_trace.h"

#if defined(CONFIG_X86) && defined(MODULE)
/* <asm/tlbflush.h> has it for built-in code only; it is exported for this. */
void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
			unsigned long end, unsigned int stride_shift,
			bool freed_tables);
#endif

/* A new table of the pool, ready to be installed. */
static struct petmem_frame *petmem_table_new(struct petmem_arena *arena,
					     enum petmem_use use,
					     unsigned long addr)
{
	struct petmem_frame *frame = petmem_get_page(use);
	struct ptdesc *table;
	bool ok;

	if (!frame)
		return NULL;
	set_page_private(petmem_page(frame), 0);
	table = page_ptdesc(petmem_page(frame));
	ok = use == PETMEM_PTE_TABLE ? pagetable_pte_ctor(table) :
				       pagetable_pmd_ctor(table);
	if (!ok) {
		petmem_put_page(frame);
		return NULL;
	}
	get_page(petmem_page(frame));
	frame->arena = arena;
	frame->addr = addr;
	frame->entries = 0;
	return frame;
}

/* Another task has put a table there: ours was never seen by anyone. */
static void petmem_table_unused(struct petmem_frame *frame)
{
	struct ptdesc *table = page_ptdesc(petmem_page(frame));

	if (frame->use == PETMEM_PTE_TABLE)
		pagetable_pte_dtor(table);
	else
		pagetable_pmd_dtor(table);
	put_page(petmem_page(frame));
	set_page_private(petmem_page(frame), 0);
	petmem_put_page(frame);
}

static void petmem_table_installed(struct petmem_frame *frame)
{
	struct petmem_arena *arena = frame->arena;

	list_add(&frame->link, &arena->tables);
	arena->map->nr_tables[frame->use == PETMEM_PMD_TABLE]++;
	petmem_count(PETMEM_TABLES_POOL);
	trace_petmem_table(frame, true);
}

static int petmem_install_pmd_table(struct petmem_arena *arena, pud_t *pud,
				    unsigned long addr)
{
	struct mm_struct *mm = arena->map->mm;
	struct petmem_frame *frame;
	bool ours;

	frame = petmem_table_new(arena, PETMEM_PMD_TABLE, addr & PUD_MASK);
	if (!frame)
		return -ENOMEM;
	spin_lock(&mm->page_table_lock);
	ours = !pud_present(READ_ONCE(*pud));
	if (ours) {
		mm_inc_nr_pmds(mm);
		smp_wmb(); /* See comment in pmd_install() */
		pud_populate(mm, pud, petmem_kaddr(frame));
	}
	spin_unlock(&mm->page_table_lock);

	if (ours)
		petmem_table_installed(frame);
	else
		petmem_table_unused(frame);
	return 0;
}

/* Count PTE tables in the PMD table that has the entry, if it is the pool's. */
static void petmem_count_entry(pmd_t *pmd, int delta)
{
	struct petmem_frame *table;

	table = petmem_buddy_frame(&petmem_pool, page_to_pfn(virt_to_page(pmd)));
	if (table)
		table->entries += delta;
}

static int petmem_install_pte_table(struct petmem_arena *arena, pmd_t *pmd,
				    unsigned long addr)
{
	struct mm_struct *mm = arena->map->mm;
	struct petmem_frame *frame;
	spinlock_t *ptl;	/* of one table */
	bool ours;

	frame = petmem_table_new(arena, PETMEM_PTE_TABLE, addr & PMD_MASK);
	if (!frame)
		return -ENOMEM;
	ptl = pmd_lock(mm, pmd);
	ours = pmd_none(*pmd);
	if (ours) {
		mm_inc_nr_ptes(mm);
		smp_wmb(); /* See comment in pmd_install() */
		pmd_populate(mm, pmd, petmem_page(frame));
	}
	spin_unlock(ptl);

	if (ours) {
		petmem_table_installed(frame);
		petmem_count_entry(pmd, 1);
	} else {
		petmem_table_unused(frame);
	}
	return 0;
}

/**
 * petmem_table_prepare() - make the PMD table for an address
 * @arena: a new arena
 * @addr: an address in it
 *
 * The core would make it at the first fault, before it asks this driver. If the
 * pool is empty, it may.
 */
void petmem_table_prepare(struct petmem_arena *arena, unsigned long addr)
{
	struct mm_struct *mm = arena->map->mm;
	p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;

	if (pud && pud_none(READ_ONCE(*pud)))
		petmem_install_pmd_table(arena, pud, addr);
}

/* The core was faster with a PMD table: see petmem_table_prepare(). */
static void petmem_note_core_table(struct petmem_arena *arena, pud_t *pud,
				   unsigned long addr)
{
	unsigned long span = (addr - PETMEM_REGION_START) >> PUD_SHIFT;
	struct page *page = pud_page(READ_ONCE(*pud));

	if (petmem_buddy_frame(&petmem_pool, page_to_pfn(page)))
		return;
	if (!__test_and_set_bit(span, arena->core_tables))
		petmem_count(PETMEM_TABLES_CORE);
}

/* Make all tables for an address; its PMD entry then has a PTE table. */
static int petmem_table_make(struct petmem_arena *arena, unsigned long addr,
			     pmd_t **pmd)
{
	struct mm_struct *mm = arena->map->mm;
	p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;
	int err;

	if (!pud)
		return -ENOMEM;
	if (pud_none(READ_ONCE(*pud))) {
		err = petmem_install_pmd_table(arena, pud, addr);
		if (err)
			return -EAGAIN;
	}
	*pmd = pmd_offset(pud, addr);
	if (pmd_none(pmdp_get_lockless(*pmd))) {
		petmem_note_core_table(arena, pud, addr);
		err = petmem_install_pte_table(arena, *pmd, addr);
		if (err)
			return -EAGAIN;
	}
	return pmd_leaf(pmdp_get_lockless(*pmd)) ? -EFAULT : 0;
}

/* The PMD entry of an address if it has a PTE table, or NULL. */
static pmd_t *petmem_table_find(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd, entry;

	if (pgd_none(READ_ONCE(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(READ_ONCE(*p4d)))
		return NULL;
	pud = pud_offset(p4d, addr);
	if (pud_none(READ_ONCE(*pud)))
		return NULL;
	pmd = pmd_offset(pud, addr);
	entry = pmdp_get_lockless(pmd);
	return pmd_none(entry) || pmd_leaf(entry) ? NULL : pmd;
}

/* Where the next PTE table may begin, or @end: a step over what has none. */
static unsigned long petmem_next_table(struct mm_struct *mm, unsigned long addr,
				       unsigned long end)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;

	if (pgd_none(READ_ONCE(*pgd)))
		return pgd_addr_end(addr, end);
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(READ_ONCE(*p4d)))
		return p4d_addr_end(addr, end);
	if (pud_none(READ_ONCE(*pud_offset(p4d, addr))))
		return pud_addr_end(addr, end);
	return pmd_addr_end(addr, end);
}

/* The pool's frame of the PTE table below a PMD entry, or NULL. */
static struct petmem_frame *petmem_table_frame(pmd_t *pmd)
{
	return petmem_buddy_frame(&petmem_pool,
				  page_to_pfn(pmd_page(pmdp_get_lockless(pmd))));
}

/* There is nothing to learn from clean or old entries: no second fault. */
static pte_t petmem_pte(const struct petmem_frame *frame)
{
	pgprot_t prot = vm_get_page_prot(VM_READ | VM_WRITE | VM_SHARED);
	pte_t pte = pfn_pte(petmem_frame_pfn(frame), prot);

	return pte_mkspecial(pte_mkyoung(pte_mkdirty(pte_mkwrite_novma(pte))));
}

/**
 * petmem_table_map() - map a page
 * @arena: where
 * @addr: its user address
 * @frame: the page
 *
 * Return: 0; -EAGAIN if the pool has no page for a table, -ENOMEM if the
 * kernel has none for its own; -EEXIST if a page is mapped there; -EFAULT.
 */
int petmem_table_map(struct petmem_arena *arena, unsigned long addr,
		     struct petmem_frame *frame)
{
	struct mm_struct *mm = arena->map->mm;
	struct petmem_frame *table;
	spinlock_t *ptl;	/* of one table */
	pte_t *pte;
	pmd_t *pmd;
	int err;

	err = petmem_table_make(arena, addr, &pmd);
	if (err)
		return err;
	table = petmem_table_frame(pmd);
	ptl = pte_lockptr(mm, pmd);
	pte = pte_offset_kernel(pmd, addr);
	spin_lock(ptl);
	if (pte_none(ptep_get(pte)))
		set_pte_at(mm, addr, pte, petmem_pte(frame));
	else
		err = -EEXIST;
	spin_unlock(ptl);
	if (!err && table)
		table->entries++;
	return err;
}

/**
 * petmem_table_look() - the page that is mapped at an address
 * @arena: where
 * @addr: user address
 * @old: set to whether its entry is not marked as accessed
 *
 * Return: the page's frame, or NULL.
 */
struct petmem_frame *petmem_table_look(struct petmem_arena *arena,
				       unsigned long addr, bool *old)
{
	pmd_t *pmd = petmem_table_find(arena->map->mm, addr);
	pte_t pte;

	if (!pmd)
		return NULL;
	pte = ptep_get(pte_offset_kernel(pmd, addr));
	if (!pte_present(pte))
		return NULL;
	*old = !pte_young(pte);
	return petmem_buddy_frame(&petmem_pool, pte_pfn(pte));
}

/**
 * petmem_table_test_young() - test and clear whether a page was accessed
 * @vma: where it is mapped
 * @addr: at which address
 *
 * Return: whether it was.
 */
bool petmem_table_test_young(struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	pmd_t *pmd = petmem_table_find(mm, addr);
	spinlock_t *ptl;	/* of one table */
	bool young;

	if (!pmd)
		return false;
	ptl = pte_lockptr(mm, pmd);
	spin_lock(ptl);
	young = ptep_clear_flush_young(vma, addr, pte_offset_kernel(pmd, addr));
	spin_unlock(ptl);
	/*
	 * x86 does not flush there, and sets no bit while it has the page in a
	 * TLB: what is used all the time would look unused.
	 */
	if (young)
		petmem_table_flush(vma, addr);
	return young;
}

/*
 * arm64 wants this bit of a valid entry set atomically, as by
 * ptep_set_access_flags(), which modules do not have.  No flush: without the
 * bit an entry is in no TLB.
 */
static void petmem_set_young(struct mm_struct *mm, unsigned long addr,
			     pte_t *ptep, pte_t pte)
{
#ifdef CONFIG_ARM64
	atomic_long_or(PTE_AF, (atomic_long_t *)ptep);
#else
	set_pte_at(mm, addr, ptep, pte_mkyoung(pte));
#endif
}

/**
 * petmem_table_mark_young() - let a page be accessed again
 * @arena: where it is mapped
 * @addr: at which address
 *
 * In signal mode nobody else handles this fault, which cores take that do not
 * set the accessed bit themselves.
 */
void petmem_table_mark_young(struct petmem_arena *arena, unsigned long addr)
{
	struct mm_struct *mm = arena->map->mm;
	pmd_t *pmd = petmem_table_find(mm, addr);
	spinlock_t *ptl;	/* of one table */
	pte_t *ptep, pte;

	if (!pmd)
		return;
	ptl = pte_lockptr(mm, pmd);
	ptep = pte_offset_kernel(pmd, addr);
	spin_lock(ptl);
	pte = ptep_get(ptep);
	if (pte_present(pte))
		petmem_set_young(mm, addr, ptep, pte);
	spin_unlock(ptl);
}

/* Move the pages that are mapped below a PMD entry to a list. */
static void petmem_collect(pmd_t *pmd, unsigned long start, unsigned long end,
			   struct list_head *frames)
{
	struct petmem_frame *table = petmem_table_frame(pmd);
	pte_t *pte = pte_offset_kernel(pmd, start);

	for (; start < end; start += PAGE_SIZE, pte++) {
		struct petmem_frame *frame;

		if (!pte_present(ptep_get(pte)))
			continue;
		frame = petmem_buddy_frame(&petmem_pool, pte_pfn(ptep_get(pte)));
		if (WARN_ON_ONCE(!frame))
			continue;
		petmem_age_del(frame);
		list_move(&frame->link, frames);
		if (table)
			table->entries--;
	}
}

/* One lock may stand for all tables, if there are few CPUs. */
static void petmem_clear_pmd(struct mm_struct *mm, pmd_t *pmd)
{
	spinlock_t *pml = pmd_lock(mm, pmd);
	spinlock_t *ptl = pte_lockptr(mm, pmd);

	if (ptl == pml) {
		pmd_clear(pmd);
	} else {
		spin_lock_nested(ptl, SINGLE_DEPTH_NESTING);
		pmd_clear(pmd);
		spin_unlock(ptl);
	}
	spin_unlock(pml);
}

/* Detach a PTE table of the pool if it is empty, and add it to a list. */
static void petmem_detach(struct petmem_arena *arena, pmd_t *pmd,
			  unsigned long addr, struct list_head *tables)
{
	struct petmem_frame *table = petmem_table_frame(pmd);
	struct mm_struct *mm = arena->map->mm;

	addr &= PMD_MASK;
	/* In a table that reaches over the arena, others have their entries. */
	if (!table || table->entries || addr < arena->start ||
	    addr + PMD_SIZE > arena->end)
		return;
	petmem_clear_pmd(mm, pmd);
	petmem_count_entry(pmd, -1);
	mm_dec_nr_ptes(mm);
	arena->map->nr_tables[0]--;
	trace_petmem_table(table, false);
	table->arena = NULL;
	list_move(&table->link, tables);
}

/*
 * No CPU may walk a detached table from its cache of upper levels. An entry of
 * the table that it was detached from covers 1 << @shift bytes.
 */
static void petmem_flush_walks(struct vm_area_struct *vma, unsigned long start,
			       unsigned long end, unsigned int shift)
{
#ifdef CONFIG_X86
	flush_tlb_mm_range(vma->vm_mm, start, end, shift, true);
#else
	/* The level is of leaf entries only, and these had been of another one. */
	__flush_tlb_range(vma, start, end, 1UL << shift, false, TLBI_TTL_UNKNOWN);
#endif
}

/**
 * petmem_table_zap() - unmap addresses
 * @vma: where they are mapped
 * @start: first address
 * @end: the address behind them, in @vma
 * @frames: gets the pages, of which no TLB knows any more
 */
void petmem_table_zap(struct vm_area_struct *vma, unsigned long start,
		      unsigned long end, struct list_head *frames)
{
	struct petmem_arena *arena = vma->vm_private_data;
	unsigned long addr, next;
	LIST_HEAD(tables);
	bool any = false;
	pmd_t *pmd;

	for (addr = start; addr < end; addr = next) {
		next = petmem_next_table(vma->vm_mm, addr, end);
		pmd = petmem_table_find(vma->vm_mm, addr);
		if (!pmd)
			continue;
		petmem_collect(pmd, addr, next, frames);
		any = true;
	}
	if (!any)
		return;

	/* The core clears, notifies secondary MMUs and flushes. */
	zap_vma_ptes(vma, start, end - start);

	for (addr = start; addr < end; addr = next) {
		next = petmem_next_table(vma->vm_mm, addr, end);
		pmd = petmem_table_find(vma->vm_mm, addr);
		if (pmd)
			petmem_detach(arena, pmd, addr, &tables);
	}
	if (list_empty(&tables))
		return;
	petmem_flush_walks(vma, start & PMD_MASK, ALIGN(end, PMD_SIZE),
			   PMD_SHIFT);
	petmem_defer_tables(&tables);
}

/*
 * Whether all that is left in an arena are PMD tables that only it uses. Their
 * counts tell only of tables of the pool below them: mremap() has the core make
 * others before it is refused.
 */
static bool petmem_can_clear(struct petmem_arena *arena)
{
	struct petmem_frame *table;

	list_for_each_entry(table, &arena->tables, link)
		if (table->use != PETMEM_PMD_TABLE || table->entries ||
		    table->addr < arena->start ||
		    table->addr + PUD_SIZE > arena->end)
			return false;
	return !arena->moved && bitmap_empty(arena->core_tables, PETMEM_SPANS);
}

/**
 * petmem_table_clear() - detach all tables of an arena without pages
 * @vma: the arena's, locked for writing; map->lock held
 *
 * Return: whether that was possible.
 */
bool petmem_table_clear(struct vm_area_struct *vma)
{
	struct petmem_arena *arena = vma->vm_private_data;
	struct mm_struct *mm = vma->vm_mm;
	struct petmem_frame *table;

	if (!petmem_can_clear(arena))
		return false;
	if (list_empty(&arena->tables))
		return true;
	list_for_each_entry(table, &arena->tables, link) {
		p4d_t *p4d = p4d_offset(pgd_offset(mm, table->addr), table->addr);

		spin_lock(&mm->page_table_lock);
		pud_clear(pud_offset(p4d, table->addr));
		spin_unlock(&mm->page_table_lock);
		mm_dec_nr_pmds(mm);
		arena->map->nr_tables[1]--;
		trace_petmem_table(table, false);
		table->arena = NULL;
	}
	petmem_flush_walks(vma, arena->start, arena->end, PUD_SHIFT);
	petmem_defer_tables(&arena->tables);
	return true;
}

/**
 * petmem_table_flush() - flush a page from the TLBs
 * @vma: where it is mapped
 * @addr: at which address
 */
void petmem_table_flush(struct vm_area_struct *vma, unsigned long addr)
{
#ifdef CONFIG_X86
	flush_tlb_mm_range(vma->vm_mm, addr, addr + PAGE_SIZE, PAGE_SHIFT,
			   false);
#else
	flush_tlb_page(vma, addr);
#endif
}

/**
 * petmem_arena_drop_tables() - the core has freed, or will free, all tables
 * @arena: its VMA is gone
 */
void petmem_arena_drop_tables(struct petmem_arena *arena)
{
	struct petmem_frame *frame;

	list_for_each_entry(frame, &arena->tables, link)
		arena->map->nr_tables[frame->use == PETMEM_PMD_TABLE]--;
	petmem_defer_tables(&arena->tables);
}
