// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: the accessed bits of an address space.
 *
 * A walk of its page tables reads and clears them, and moves what was touched to
 * the front; where the time for it is up, the next one goes on from there.  The
 * same is done with what reclaim finds beside an accessed page, and with what
 * others who clear accessed bits tell.
 */
#include <linux/accessed_bits.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/mmap_lock.h>
#include <linux/page_idle.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "internal.h"
#include "keep.h"
#include "word.h"

/*
 * What reclaim looks at around what it finds accessed; a part of one table, and
 * whole blocks of contiguous entries, as these are cleared together: 16 entries
 * with pages of 4 KiB, 128 with 16 KiB.
 */
#define LPL_AROUND		\
	(min_t(unsigned long, PTRS_PER_PTE, max(64UL, PTRS_PER_PTE / 16UL)) * PAGE_SIZE)

/*
 * What it looks at first with guard, and of how many faults it is to find the bits there.
 * It may be a part of a contiguous block, whose bits are left, as it is a large folio's.
 */
#define LPL_NEXT_TO		(LPL_AROUND / 4)
#define LPL_FAULTS_NEAR		2

/* Folios moved in one hold of lru_lock, with interrupts disabled. */
#define LPL_MOVE_BATCH		32

/**
 * struct lpl_walk - a harvest of one mm
 * @now: the tick that touched folios are stamped with
 * @until: when to stop, ns; 0: never
 * @every: ticks between two harvests, as it is meant to be
 * @period: as it is
 * @since: ticks since the last one of all of it began, more if there was none
 * @behind: so many ticks before @now what was touched is taken to have been
 * @leave: what was touched less ticks ago is left alone
 * @faults_only: all is, but what has its bit from the fault that brought it
 * @part: of a table only, so that a large folio may be mapped beyond what is seen
 * @hidden: nothing is, as the bit above the table whose lock is held was cleared
 * @resume: where to go on
 * @batch: folios to be moved, mapped by the table whose lock is held
 * @steady: bits of those of them that are used all the time
 * @nr: how many
 * @visited: for the counters, as are the next four; some at the tail are looked at twice
 * @young: the same
 * @moved: the same
 * @tables_skipped: the same
 * @skipped: the same
 * @cleared: accessed bits cleared, so that the TLB has to be flushed
 * @bits: those of the table whose lock is held, for others who want to know
 * @faulted: the last folio that had a bit from its fault; all its bits under this
 *	lock have: one fault sets those of all its pages
 */
struct lpl_walk {
	u32 now;
	u64 until;
	u32 every;
	u32 period;
	u32 since;
	u32 behind;
	u32 leave;
	bool faults_only;
	bool part;
	bool hidden;
	unsigned long resume;
	struct folio *batch[LPL_MOVE_BATCH];
	u32 steady;
	unsigned int nr;
	unsigned long visited;
	unsigned long young;
	unsigned long moved;
	unsigned long tables_skipped;
	unsigned long skipped;
	bool cleared;
	DECLARE_BITMAP(bits, MAX_PTRS_PER_PTE);
	struct folio *faulted;
};

/* ----------------------------------------------------------------- moving */

/* Sparse does not follow a lock from call to call: to it, these do nothing. */
static void lpl_lock_lruvec(struct lruvec *lruvec, unsigned long *flags)
{
	spin_lock_irqsave(&lruvec->lru_lock, *flags);
	__release(&lruvec->lru_lock);
}

static void lpl_unlock_lruvec(struct lruvec *lruvec, unsigned long flags)
{
	__acquire(&lruvec->lru_lock);
	spin_unlock_irqrestore(&lruvec->lru_lock, flags);
}

/*
 * The lock of the lruvec that @folio is on, in place of *@lruvec; false if
 * @folio is on none.
 *
 * The caller's page table lock keeps the folio mapped, hence allocated, but not
 * in its memory cgroup: a move takes it off one list under that lruvec's lock,
 * changes the cgroup, and puts it on the other list with PG_lru set last.  So
 * PG_lru and then the cgroup of the locked lruvec mean that it is on a list of
 * it, and stays there while the lock is held.  That it was moved twice meanwhile,
 * away and back, is excluded, as is that a lruvec is freed: both wait for a
 * grace period in between, and the page table lock is a read-side section of RCU.
 */
static bool lpl_lock_list(struct folio *folio, struct lruvec **lruvec,
			  unsigned long *flags)
{
	/* Nor need it be anybody's: a driver may have mapped it. */
	if (!folio_test_lru(folio))
		return false;
	if (!*lruvec || !folio_matches_lruvec(folio, *lruvec)) {
		if (*lruvec)
			lpl_unlock_lruvec(*lruvec, *flags);
		*lruvec = folio_lruvec(folio);
		lpl_lock_lruvec(*lruvec, flags);
	}
	if (!folio_test_lru(folio))
		return false;
	/* Pairs with the lru_lock that PG_lru was set under. */
	smp_rmb();
	return folio_matches_lruvec(folio, *lruvec);
}

/* Where entry @i of the batch goes; lru_lock is held. */
static struct list_head *lpl_move_to(struct lpl_walk *walk, struct lruvec *lruvec,
				     unsigned int i)
{
	struct folio *folio = walk->batch[i];

	if (lpl_guarded())
		return __lpl_keep_used(lruvec, folio, walk->now, walk->every, walk->period);
	if (walk->steady & BIT(i) && lpl_front_is_apart())
		return lpl_front_of(lruvec, folio);
	return lpl_queue_of(lruvec, folio);
}

/* On a list, but on none of this policy's. */
#define LPL_NOT_QUEUED	(BIT(PG_unevictable) | BIT(PG_active) | LRU_GEN_MASK)

static void lpl_move_batch(struct lpl_walk *walk)
{
	struct lruvec *lruvec = NULL, *before = NULL;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < walk->nr; i++) {
		struct folio *folio = walk->batch[i];

		/* What is not of this policy's lists: it is being changed. */
		if (!lpl_lock_list(folio, &lruvec, &flags) ||
		    READ_ONCE(folio->flags) & LPL_NOT_QUEUED)
			continue;
		if (lruvec != before)
			lpl_front_advance(lruvec, walk->now, walk->behind);
		before = lruvec;
		list_move(&folio->lru, lpl_move_to(walk, lruvec, i));
		walk->moved++;
	}
	if (lruvec)
		lpl_unlock_lruvec(lruvec, flags);
	walk->nr = 0;
	walk->steady = 0;
}

static u32 lpl_word_age(const struct lpl_walk *walk, const u32 *word)
{
	return lpl_age(READ_ONCE(*word), walk->now, READ_ONCE(lpl_since));
}

/*
 * Keep it known that @folio was accessed, as the accessed bit that said so has
 * been cleared.
 *
 * What asks whether memory is in use (khugepaged, Referenced in smaps) asks for
 * accessed bits, which else would say what came since the last harvest, not
 * since reclaim, clear_refs or MADV_COLD last cleared them.  All of these clear
 * PG_referenced as well.
 *
 * Of anonymous memory only, where nothing else is read from the flag: page cache
 * is taken or kept by it.
 */
static void lpl_mark_referenced(struct folio *folio)
{
	if (lpl_flag_is_free(folio) && !folio_test_referenced(folio))
		folio_set_referenced(folio);
}

/* A use of @folio was seen, as lpl_touched() says. */
static noinline void lpl_used(struct lpl_walk *walk, struct folio *folio, u32 *word,
			      u32 old, u32 age)
{
	u32 new;

	/* Reclaim may have taken it off its list, to look at it; else it is new. */
	if (old && !folio_test_lru(folio))
		folio_set_young(folio);
	new = lpl_word_touched(old, age, walk->now, walk->period, walk->behind);
	/* Large and shared ones are met more than once. */
	if (old && !(old & LPL_FRESH) &&
	    (!age || age == walk->behind || lpl_word_is_of(new, old))) {
		walk->skipped++;
		return;
	}
	/* The first access seen of all is the fault that brought it. */
	if (old && !(old & LPL_FRESH) && !folio_test_workingset(folio))
		folio_set_workingset(folio);
	/* With guard the word is written together with what counts it, on a list. */
	if (!lpl_guarded() || (!old && !folio_test_lru(folio)))
		WRITE_ONCE(*word, new);
	if (walk->behind && lpl_word_is_of(new, walk->now))
		walk->steady |= BIT(walk->nr);
	walk->batch[walk->nr++] = folio;
	if (walk->nr == LPL_MOVE_BATCH)
		lpl_move_batch(walk);
}

/* An accessed bit of @folio has been cleared: others must not miss the access. */
static inline void lpl_seen(struct lpl_walk *walk, struct folio *folio)
{
	walk->young++;
	if (folio_test_idle(folio))
		folio_clear_idle(folio);
	lpl_mark_referenced(folio);
}

/*
 * The bit was that of the fault that brought @folio.  Under lru_lock guard writes what it
 * keeps it for; a use that was seen meanwhile has another stamp, and no LPL_FRESH.
 */
static inline void lpl_faulted(struct lpl_walk *walk, struct folio *folio, u32 *word, u32 old)
{
	u32 stamp = old & LPL_STAMP_MASK;

	lpl_seen(walk, folio);
	walk->skipped++;
	while ((old & LPL_STAMP_MASK) == stamp &&
	       !try_cmpxchg_relaxed(word, &old, old & ~LPL_FRESH))
		;
}

/* @folio, whose word this is, was accessed, and its bit is clear now. */
static inline void lpl_touched(struct lpl_walk *walk, struct folio *folio, u32 *word,
			       u32 age)
{
	u32 old = READ_ONCE(*word);

	if (folio == walk->faulted || lpl_fault_alone(old, age, walk->since)) {
		walk->faulted = folio;
		lpl_faulted(walk, folio, word, old);
		return;
	}
	lpl_seen(walk, folio);
	lpl_used(walk, folio, word, old, age);
}

/* ---------------------------------------------------------------- walking */

static bool lpl_clear_pte(struct vm_area_struct *vma, unsigned long addr, pte_t *pte)
{
	if (mm_has_notifiers(vma->vm_mm))
		return ptep_clear_young_notify(vma, addr, pte);
	return ptep_test_and_clear_young(vma, addr, pte);
}

static bool lpl_clear_pmd(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmd)
{
	if (mm_has_notifiers(vma->vm_mm))
		return pmdp_clear_young_notify(vma, addr, pmd);
	return pmdp_test_and_clear_young(vma, addr, pmd);
}

static struct folio *lpl_walk_folio(struct folio *folio)
{
	if (!folio || folio_is_zone_device(folio))
		return NULL;
	return folio;
}

/*
 * As vm_normal_page(), which takes longer than all else that is done for most entries;
 * it is asked about those that are not plain.
 */
static inline struct page *lpl_pte_page(struct vm_area_struct *vma, unsigned long addr,
					pte_t pte)
{
	unsigned long pfn = pte_pfn(pte);

	if (IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) && !pte_special(pte) &&
	    pfn <= highest_memmap_pfn)
		return pfn_to_page(pfn);
	return vm_normal_page(vma, addr, pte);
}

/*
 * Only where no other entry of the folio is left, and the table will be looked
 * at again: a stale bit would look like an access long afterwards.  And the bits of
 * the fault of a large folio are left for when all of them are seen: those that
 * remained would be taken for uses.
 */
static bool lpl_walk_leave(struct lpl_walk *walk, struct folio *folio, u32 word, u32 age)
{
	if (walk->part && folio_test_large(folio) && word & LPL_FRESH)
		return true;
	if (walk->faults_only)
		return age < walk->leave || !lpl_fault_alone(word, age, walk->since);
	if (age >= walk->leave && (!walk->leave || !lpl_leave(word, age, walk->every)))
		return false;
	if (walk->hidden || folio_test_large(folio) || folio_mapcount(folio) > 1)
		return false;
	walk->skipped++;
	return true;
}

/* Others may watch the same address space, and would miss what was cleared. */
static void lpl_tell(struct lpl_walk *walk, struct vm_area_struct *vma,
		     unsigned long addr, unsigned int nr)
{
	if (bitmap_empty(walk->bits, nr))
		return;
	accessed_bits_report(&lpl_consumer, vma, addr, walk->bits, nr);
	bitmap_zero(walk->bits, nr);
}

/* An entry of a folio, whose word this is; false if it is left as it is. */
static bool lpl_walk_entry(struct lpl_walk *walk, struct vm_area_struct *vma,
			   unsigned long addr, pte_t *pte, struct folio *folio, u32 *word)
{
	u32 age = lpl_word_age(walk, word);

	if (lpl_walk_leave(walk, folio, READ_ONCE(*word), age) ||
	    !lpl_clear_pte(vma, addr, pte))
		return false;
	lpl_touched(walk, folio, word, age);
	return true;
}

/* The entry of something, if it can be on a list. */
static bool lpl_walk_page(struct lpl_walk *walk, struct vm_area_struct *vma,
			  unsigned long addr, pte_t *pte, struct page *page, u32 *word)
{
	struct folio *folio = lpl_walk_folio(page_folio(page));

	if (folio && &folio->page != page)
		word = lpl_word_at(&folio->page);
	return folio && word && lpl_walk_entry(walk, vma, addr, pte, folio, word);
}

/*
 * An entry that is present and young; false if it is left as it is.
 *
 * Where memory is short most bits that a harvest finds are those of faults, and
 * clearing them most of what it does.  So that comes first, and nothing is looked
 * at that is not needed for it.  What belongs to a large folio is not so simple; its
 * word is that of its first page, the others have none.
 */
static bool lpl_walk_pte(struct lpl_walk *walk, struct vm_area_struct *vma,
			 unsigned long addr, pte_t *pte, pte_t entry)
{
	/* It may be a part of a large folio, whose word is that of its first page. */
	struct page *page = lpl_pte_page(vma, addr, entry);
	u32 *word = page ? lpl_word_of_pfn(pte_pfn(entry)) : NULL;
	u32 old = word ? READ_ONCE(*word) : 0;
	bool faulted = lpl_faulted_between(old, walk->now, walk->leave, walk->since);
	struct folio *folio;

	if (!word || (old && !faulted && walk->faults_only))
		return false;
	folio = page_folio(page);
	if (!faulted || folio_test_large(folio))
		return lpl_walk_page(walk, vma, addr, pte, page, word);
	if (!lpl_clear_pte(vma, addr, pte))
		return false;
	lpl_faulted(walk, folio, word, old);
	return true;
}

/* An entry as it is, be it one of a contiguous block. */
static inline pte_t lpl_pte_alone(pte_t *pte)
{
#ifdef pte_batch_hint
	return READ_ONCE(*pte);
#else
	return ptep_get(pte);
#endif
}

static inline unsigned long lpl_young(pte_t *pte)
{
	return !!pte_young(lpl_pte_alone(pte));
}

/*
 * Which of @nr entries, of a word's bits at the most, are marked young.  Four at a
 * time: where little is touched this is most of a harvest.
 */
static unsigned long lpl_young_of(pte_t *start, unsigned int nr)
{
	unsigned long young = 0;

	while (nr % 4)
		young = young << 1 | lpl_young(start + --nr);
	for (; nr; nr -= 4) {
		pte_t *pte = start + nr - 4;

		young = young << 4 | lpl_young(pte + 3) << 3 | lpl_young(pte + 2) << 2 |
			lpl_young(pte + 1) << 1 | lpl_young(pte);
	}
	return young;
}

/*
 * Contiguous entries are as one, young if any is marked, and cleared together.
 * Where it is not their first that is marked: how many of them are before entry @i.
 */
static unsigned int lpl_block_before(pte_t *start, unsigned int i, unsigned int step)
{
	unsigned int n;

	for (n = 0; n < i; n++) {
		pte_t *pte = start + i - n - 1;

		if (pte_batch_hint(pte, lpl_pte_alone(pte)) != step + n + 1)
			break;
	}
	return n;
}

/*
 * Entry @i of @nr, and with it its block.
 * Returns the number of entries up to the end of that.
 */
static unsigned int lpl_walk_young(struct lpl_walk *walk, struct vm_area_struct *vma,
				   unsigned long addr, pte_t *start, unsigned int i,
				   unsigned int nr, bool wanted)
{
	pte_t pte = ptep_get(start + i);
	unsigned int step = pte_batch_hint(start + i, pte);
	unsigned int before;

	/* What is not present may have anything where the mark would be. */
	if (pte_present(pte) &&
	    lpl_walk_pte(walk, vma, addr + i * PAGE_SIZE, start + i, pte) && wanted) {
		before = lpl_block_before(start, i, step);
		bitmap_set(walk->bits, i - before, before + min(step, nr - i));
	}
	return step;
}

/*
 * @nr entries of one table from @start on, which maps @addr; its lock is held.
 *
 * Most are not young: as little as can be is done for these.
 */
static void lpl_walk_ptes(struct lpl_walk *walk, struct vm_area_struct *vma,
			  unsigned long addr, pte_t *start, unsigned int nr)
{
	bool wanted = accessed_bits_wanted(&lpl_consumer, vma->vm_mm);
	unsigned long seen = walk->young, young;
	unsigned int at, i, next = 0;

	walk->faulted = NULL;
	for (at = 0; at < nr; at += BITS_PER_LONG) {
		young = lpl_young_of(start + at, min(nr - at, BITS_PER_LONG));
		for (; young; young &= young - 1) {
			i = at + __ffs(young);
			if (i >= next)
				next = i + lpl_walk_young(walk, vma, addr, start, i, nr, wanted);
		}
	}
	walk->cleared |= walk->young != seen;
	walk->visited += nr;
	lpl_move_batch(walk);
	lpl_tell(walk, vma, addr, nr);
}

static void lpl_walk_table(pmd_t *pmd, unsigned long addr, unsigned long end,
			   struct vm_area_struct *vma, struct lpl_walk *walk)
{
	spinlock_t *ptl;	/* of the table */
	pte_t *start;

	start = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);
	if (!start)
		return;
	__acquire(ptl);		/* for sparse, which does not follow the above */
	lpl_walk_ptes(walk, vma, addr, start, (end - addr) >> PAGE_SHIFT);
	pte_unmap_unlock(start, ptl);
}

/* True if @pmd mapped a huge page, which has been dealt with. */
static bool lpl_walk_huge(pmd_t *pmd, unsigned long addr, unsigned long end,
			  struct vm_area_struct *vma, struct lpl_walk *walk)
{
	spinlock_t *ptl = pmd_trans_huge_lock(pmd, vma);
	struct folio *folio;
	u32 *word;

	if (!ptl)
		return false;
	__acquire(ptl);
	walk->visited++;
	walk->faulted = NULL;
	if (pmd_present(*pmd) && pmd_young(*pmd)) {
		folio = lpl_walk_folio(vm_normal_folio_pmd(vma, addr, *pmd));
		word = folio ? lpl_word_at(&folio->page) : NULL;
		if (word && lpl_clear_pmd(vma, addr & PMD_MASK, pmd)) {
			walk->cleared = true;
			bitmap_set(walk->bits, 0, (end - addr) >> PAGE_SHIFT);
			lpl_touched(walk, folio, word, lpl_word_age(walk, word));
			lpl_move_batch(walk);
			lpl_tell(walk, vma, addr, (end - addr) >> PAGE_SHIFT);
		}
	}
	spin_unlock(ptl);
	return true;
}

#ifdef CONFIG_ARCH_HAS_NONLEAF_PMD_YOUNG
/* Under the lock, since it may have come to be a huge or a migration entry. */
static bool lpl_clear_table(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmd)
{
	spinlock_t *ptl = pmd_lock(vma->vm_mm, pmd);
	bool cleared = pmd_present(*pmd) && !pmd_leaf(*pmd) &&
		       pmdp_test_and_clear_young(vma, addr, pmd);

	spin_unlock(ptl);
	return cleared;
}
#else
static bool lpl_clear_table(struct vm_area_struct *vma, unsigned long addr, pmd_t *pmd)
{
	return false;
}
#endif

/*
 * Where the CPU sets the bit of the entry above a table too, a table without it
 * has no page touched.  The bit is cleared first, so that an access meanwhile
 * sets it again; and only where this VMA has the whole table, since the others
 * with a part of it would miss theirs.
 */
static bool lpl_table_touched(pmd_t *pmd, unsigned long addr, unsigned long end,
			      struct vm_area_struct *vma, struct lpl_walk *walk)
{
	walk->hidden = false;
	if (!arch_has_hw_nonleaf_pmd_young() || end - addr != PMD_SIZE ||
	    mm_has_notifiers(vma->vm_mm))
		return true;
	if (!pmd_young(pmdp_get_lockless(pmd))) {
		walk->tables_skipped++;
		return false;
	}
	walk->hidden = lpl_clear_table(vma, addr, pmd);
	walk->cleared |= walk->hidden;
	return true;
}

static int lpl_pmd_entry(pmd_t *pmd, unsigned long addr, unsigned long end,
			 struct mm_walk *mm_walk)
{
	struct lpl_walk *walk = mm_walk->private;
	struct vm_area_struct *vma = mm_walk->vma;

	if (!lpl_walk_huge(pmd, addr, end, vma, walk) &&
	    lpl_table_touched(pmd, addr, end, vma, walk))
		lpl_walk_table(pmd, addr, end, vma, walk);

	walk->resume = end;
	if (walk->until && local_clock() >= walk->until)
		return 1;
	return need_resched() || mmap_lock_is_contended(vma->vm_mm);
}

/* As MGLRU's should_skip_vma(): what reclaim cannot or need not age. */
static bool lpl_skip_vma(struct vm_area_struct *vma)
{
	if (vma->vm_flags & (VM_LOCKED | VM_SPECIAL) || is_vm_hugetlb_page(vma))
		return true;
	if (!vma_has_recency(vma) || vma_is_dax(vma) ||
	    vma == get_gate_vma(vma->vm_mm))
		return true;
	return !vma_is_anonymous(vma) &&
	       (!vma->vm_file || mapping_unevictable(vma->vm_file->f_mapping));
}

static int lpl_test_walk(unsigned long start, unsigned long end, struct mm_walk *mm_walk)
{
	return lpl_skip_vma(mm_walk->vma);
}

static const struct mm_walk_ops lpl_walk_ops = {
	.pmd_entry = lpl_pmd_entry,
	.test_walk = lpl_test_walk,
	.walk_lock = PGWALK_RDLOCK,
};

static void lpl_count_walk(struct lpl_walk *walk)
{
	lpl_count(LPL_VISITED, walk->visited);
	lpl_count(LPL_YOUNG, walk->young);
	lpl_count(LPL_MOVED, walk->moved);
	lpl_count(LPL_SKIPPED, walk->skipped);
	lpl_count(LPL_TABLES_SKIPPED, walk->tables_skipped);
}

/* Ticks since the last harvest of all of @mm began; no more than any age, where there was none. */
static u32 lpl_since_harvest(struct mm_struct *mm, u32 now)
{
	return min(now - READ_ONCE(mm->lru_page_list.harvested), (u32)LPL_STAMP_MASK / 2);
}

/* ------------------------------------------- what others have cleared */

static void lpl_told_folio(struct lpl_walk *walk, struct folio *folio)
{
	u32 *word;

	folio = lpl_walk_folio(folio);
	word = folio ? lpl_word_at(&folio->page) : NULL;
	if (!word)
		return;
	/* It was set for reclaim not to miss the access, nor does it. */
	if (folio_test_lru(folio))
		folio_test_clear_young(folio);
	lpl_touched(walk, folio, word, lpl_word_age(walk, word));
}

static void lpl_told_table(struct lpl_walk *walk, struct vm_area_struct *vma,
			   pmd_t *pmd, unsigned long addr,
			   const unsigned long *bits, unsigned int nr)
{
	pte_t *start = pte_offset_map(pmd, addr);
	unsigned int i;

	if (!start)
		return;
	__acquire(RCU);		/* for sparse, as above */
	for_each_set_bit(i, bits, nr) {
		pte_t pte = ptep_get(start + i);

		if (pte_present(pte))
			lpl_told_folio(walk, vm_normal_folio(vma, addr + i * PAGE_SIZE, pte));
	}
	pte_unmap(start);
}

/* By somebody who holds the lock of the table, so that all is as it was. */
static void lpl_told(struct accessed_bits_consumer *consumer,
		     struct vm_area_struct *vma, unsigned long addr,
		     const unsigned long *bits, unsigned int nr)
{
	struct lpl_walk walk = { .now = lpl_now(), .every = 1, .period = 1 };
	pmd_t *pmd = mm_find_pmd(vma->vm_mm, addr);

	if (!lru_page_list_enabled() || !pmd || lpl_skip_vma(vma))
		return;
	walk.since = lpl_since_harvest(vma->vm_mm, walk.now);
	if (pmd_trans_huge(pmdp_get(pmd)))
		lpl_told_folio(&walk, vm_normal_folio_pmd(vma, addr, pmdp_get(pmd)));
	else
		lpl_told_table(&walk, vma, pmd, addr, bits, nr);
	lpl_move_batch(&walk);
	lpl_count(LPL_TOLD, walk.young);
	lpl_count(LPL_MOVED, walk.moved);
}

struct accessed_bits_consumer lpl_consumer = { .young = lpl_told };

/* ------------------------------------------------- at the tail, by reclaim */

/* What @pvmw has found is in the table from @start to @end, too. */
static void lpl_look_at(struct lpl_walk *walk, struct page_vma_mapped_walk *pvmw,
			unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = pvmw->vma;

	start = max(start, vma->vm_start);
	end = min(end, vma->vm_end);
	lpl_walk_ptes(walk, vma, start, pvmw->pte - ((pvmw->address - start) >> PAGE_SHIFT),
		      (end - start) >> PAGE_SHIFT);
}

/*
 * With guard only the bits of faults are cleared, which tell no use, and uses are
 * left for a harvest to find.  The tail is that of a small window then, and most that
 * reach it are next to each other in a loop, where those ahead were used longest ago:
 * to take what is found there for a use now would spoil the gaps that guard goes by.
 *
 * Where pages are not faulted next to each other there is little to be found.  So
 * the nearest ones, in the next cache lines of the table, tell whether to go on; if they
 * are not those of the same large folio, whose bits are left.
 */
static void lpl_look_for_faults(struct lpl_walk *walk, struct page_vma_mapped_walk *pvmw)
{
	unsigned long near = ALIGN_DOWN(pvmw->address, LPL_NEXT_TO);
	unsigned long window = ALIGN_DOWN(pvmw->address, LPL_AROUND);

	walk->faults_only = true;
	/* Not in the tick of the fault, which may go on to use it. */
	walk->leave = 1;
	if (pvmw->nr_pages == 1)
		lpl_look_at(walk, pvmw, near, near + LPL_NEXT_TO);
	if (pvmw->nr_pages > 1 || walk->young >= LPL_FAULTS_NEAR)
		lpl_look_at(walk, pvmw, window, window + LPL_AROUND);
}

/* A large folio has an entry for each of its pages: once in a window is enough. */
static bool lpl_looked_around(const struct page_vma_mapped_walk *pvmw)
{
	return pvmw->nr_pages > 1 && !IS_ALIGNED(pvmw->address, LPL_AROUND) &&
	       pte_pfn(ptep_get(pvmw->pte)) != pvmw->pfn;
}

/*
 * Reclaim came to the tail, looked up who maps what is there, and found it
 * accessed.  Those beside it are looked at, too, which costs little where the
 * table has been found and is locked; of these, what is not near the front.
 *
 * The next harvest of the address space flushes its TLB.
 */
void __lru_page_list_look_around(struct page_vma_mapped_walk *pvmw)
{
	struct vm_area_struct *vma = pvmw->vma;
	unsigned long window = ALIGN_DOWN(pvmw->address, LPL_AROUND);
	struct lpl_walk walk = { .now = lpl_now(), .every = 1, .period = 1, .part = true };
	bool pressure;

	if (!pvmw->pte || lpl_looked_around(pvmw) || lpl_skip_vma(vma) ||
	    READ_ONCE(lpl_always))
		return;
	walk.since = lpl_since_harvest(vma->vm_mm, walk.now);
	if (lpl_guarded()) {
		lpl_look_for_faults(&walk, pvmw);
	} else {
		walk.every = lpl_resolution_of(vma->vm_mm, &pressure);
		walk.period = max(walk.every, lpl_reached_now());
		walk.leave = 2 * walk.every;
		walk.behind = min(walk.since / 2, LPL_BEHIND_MOST);
		lpl_look_at(&walk, pvmw, window, window + LPL_AROUND);
	}
	if (walk.cleared)
		set_bit(LRU_PAGE_LIST_STALE, &vma->vm_mm->lru_page_list.flags);
	lpl_count(LPL_AROUND_MOVED, walk.moved);
}

/* ---------------------------------------------------------- address spaces */

/**
 * lpl_harvest_mm() - read and clear the accessed bits of an address space
 * @mm: it, which may have ended, but for its mm_struct
 * @now: tick that what was touched is stamped with
 * @until: when to stop, local_clock(); 0: never
 * @every: ticks between two harvests of it, as they are meant to be
 *
 * Context: klrud; takes mmap_lock for reading if it is free.
 * Return: true when all of it was walked, or it has ended.
 */
bool lpl_harvest_mm(struct mm_struct *mm, u32 now, u64 until, u32 every)
{
	struct lru_page_list_mm *state = &mm->lru_page_list;
	struct lpl_walk walk = {
		.now = now, .until = until, .every = every,
		.since = lpl_since_harvest(mm, now),
		.period = clamp(now - state->harvested, every, max(every, LPL_NO_PRESSURE)),
		/* Not where each access is to be seen. */
		.leave = until ? 1 : 0,
	};
	bool again;
	int stopped;

	/* Guard goes by gaps, all of which are as much too short as too long. */
	if (until && !lpl_guarded())
		walk.behind = min(walk.period / 2, LPL_BEHIND_MOST);
	if (!mmget_not_zero(mm)) {
		lpl_count(LPL_MMS_EXITED, 1);
		return true;
	}
	if (!state->resume)
		state->began = now;
	do {
		if (!mmap_read_trylock(mm)) {
			lpl_count(LPL_TRYLOCK_FAILED, 1);
			stopped = 1;
			break;
		}
		walk.resume = state->resume;
		stopped = walk_page_range(mm, walk.resume, mm->task_size,
					  &lpl_walk_ops, &walk);
		again = !mmap_lock_is_contended(mm);
		mmap_read_unlock(mm);
		state->resume = stopped > 0 ? walk.resume : 0;
		cond_resched();
	} while (stopped > 0 && again && (!until || local_clock() < until));

	if (stopped <= 0)
		WRITE_ONCE(state->harvested, state->began);
	if (test_and_clear_bit(LRU_PAGE_LIST_STALE, &state->flags) || walk.cleared)
		flush_tlb_mm(mm);
	/* Not the last reference's work in this thread. */
	mmput_async(mm);
	lpl_count_walk(&walk);
	lpl_count(stopped > 0 ? LPL_MMS_PARTIAL : LPL_MMS, 1);
	return stopped <= 0;
}
