// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: the accessed bits in a table.
 *
 * They are read and cleared, and what was touched is moved to where it belongs now, 32
 * folios in one hold of lru_lock.  Who walks holds the lock of the table, which
 * pins all that is mapped by it.
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/page_idle.h>
#include <linux/swap.h>

#include "../internal.h"
#include "keep.h"
#include "walk.h"

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
	bool front = walk->steady & BIT(i) && lpl_front_is_apart();
	struct list_head *to = front ? lpl_front_of(lruvec, folio) : lpl_queue_of(lruvec, folio);

	return lpl_guarded() ? __lpl_keep_used(lruvec, folio, walk, to) : to;
}

/* On a list, but on none of this policy's. */
#define LPL_NOT_QUEUED	(BIT(PG_unevictable) | BIT(PG_active) | LRU_GEN_MASK)

/**
 * lpl_move_batch() - move what was touched to where it belongs now
 * @walk: has the batch, which is empty then; the lock of the table that maps it is held
 */
void lpl_move_batch(struct lpl_walk *walk)
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
			lpl_front_advance(lruvec, walk->now,
					  walk->beside ? LPL_BEHIND_MOST : walk->behind);
		before = lruvec;
		list_move(&folio->lru, lpl_move_to(walk, lruvec, i));
		walk->moved++;
	}
	if (lruvec)
		lpl_unlock_lruvec(lruvec, flags);
	walk->nr = 0;
	walk->steady = 0;
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
	u32 behind = walk->beside ? 0 : walk->behind;
	u32 new;

	/* Reclaim may have taken it off its list, to look at it; else it is new. */
	if (old && !folio_test_lru(folio))
		folio_set_young(folio);
	new = lpl_word_used(walk, old, age);
	/* Large and shared ones are met more than once. */
	if (old && !(old & LPL_FRESH) &&
	    (!age || age == behind || lpl_word_is_of(new, old))) {
		walk->skipped++;
		return;
	}
	/* The first access seen of all is the fault that brought it. */
	if (old && !(old & LPL_FRESH) && !folio_test_workingset(folio))
		folio_set_workingset(folio);
	/* With guard the word is written together with what counts it, on a list. */
	if (!lpl_guarded() || (!old && !folio_test_lru(folio)))
		WRITE_ONCE(*word, new);
	if ((walk->beside || behind) && lpl_word_is_of(new, walk->now))
		walk->steady |= BIT(walk->nr);
	walk->used = folio;
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

/**
 * lpl_touched() - a folio was accessed, and its bit is clear now
 * @walk: takes notice; the lock of the table that maps it is held
 * @folio: the folio
 * @word: its word
 * @age: its age by that, ticks
 */
void lpl_touched(struct lpl_walk *walk, struct folio *folio, u32 *word, u32 age)
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
	if (walk->beside && folio_test_large(folio) && word & LPL_FRESH)
		return true;
	/* The other entries of what was found used go with the first. */
	if (walk->beside && age < walk->leave)
		return folio != walk->used;
	if (walk->faults_only)
		return !lpl_fault_alone(word, age, walk->since);
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

static inline unsigned long lpl_young(pte_t pte)
{
	return !!pte_young(pte);
}

/*
 * Which of @nr entries, of a word's bits at the most, are marked young.  Four at a
 * time: where little is touched this is most of a harvest.
 */
static unsigned long lpl_young_of(pte_t *start, unsigned int nr)
{
	unsigned long young = 0;

	while (nr % 4)
		young = young << 1 | lpl_young(lpl_pte_alone(start + --nr));
	for (; nr; nr -= 4) {
		pte_t *pte = start + nr - 4;
		pte_t a = lpl_pte_alone(pte), b = lpl_pte_alone(pte + 1);
		pte_t c = lpl_pte_alone(pte + 2), d = lpl_pte_alone(pte + 3);

		young <<= 4;
		if (lpl_young(__pte(pte_val(a) | pte_val(b) | pte_val(c) | pte_val(d))))
			young |= lpl_young(a) | lpl_young(b) << 1 | lpl_young(c) << 2 |
				 lpl_young(d) << 3;
	}
	return young;
}

/*
 * Which of those that are @young reclaim is looking for.  Most of what is young is in
 * use, and not: as little as can be is done for it.
 */
static unsigned long lpl_old_of(const struct lpl_walk *walk, pte_t *start, unsigned long young)
{
	struct lpl_words words = { .section = LPL_NO_SECTION };
	u32 now = walk->now, leave = walk->leave;
	unsigned long left;

	for (left = young; left; left &= left - 1) {
		pte_t pte = lpl_pte_alone(start + __ffs(left));
		u32 *word;

		/* See lpl_pte_page(); what is not plain is left for that. */
		if (!pte_present(pte) || pte_special(pte) || pte_pfn(pte) > highest_memmap_pfn)
			continue;
		word = lpl_word_near(&words, pte_pfn(pte));
		if (word && lpl_is_younger(READ_ONCE(*word), now, leave))
			young ^= left & -left;
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

/**
 * lpl_walk_ptes() - read and clear accessed bits of a table
 * @walk: what is done with them
 * @vma: of all that is walked
 * @addr: where it begins
 * @start: its first entry; the lock of the table is held
 * @nr: how many entries
 *
 * Most are not young: as little as can be is done for these.
 */
void lpl_walk_ptes(struct lpl_walk *walk, struct vm_area_struct *vma, unsigned long addr,
		   pte_t *start, unsigned int nr)
{
	bool wanted = accessed_bits_wanted(&lpl_consumer, vma->vm_mm);
	unsigned long seen = walk->young, young;
	unsigned int at, i, next = 0;

	walk->faulted = NULL;
	walk->used = NULL;
	for (at = 0; at < nr; at += BITS_PER_LONG) {
		young = lpl_young_of(start + at, min(nr - at, BITS_PER_LONG));
		if (walk->beside)
			young = lpl_old_of(walk, start + at, young);
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

/**
 * lpl_walk_pmd() - the same of an entry that maps a huge page
 * @walk: what is done with it
 * @vma: where it is mapped
 * @addr: from where on it is in @vma
 * @end: up to where
 * @pmd: the entry, whose lock is held
 */
void lpl_walk_pmd(struct lpl_walk *walk, struct vm_area_struct *vma, unsigned long addr,
		  unsigned long end, pmd_t *pmd)
{
	struct folio *folio;
	u32 *word;

	walk->visited++;
	walk->faulted = NULL;
	walk->used = NULL;
	if (!pmd_present(*pmd) || !pmd_young(*pmd))
		return;
	folio = lpl_walk_folio(vm_normal_folio_pmd(vma, addr, *pmd));
	word = folio ? lpl_word_at(&folio->page) : NULL;
	if (!word || !lpl_clear_pmd(vma, addr & PMD_MASK, pmd))
		return;
	walk->cleared = true;
	bitmap_set(walk->bits, 0, (end - addr) >> PAGE_SHIFT);
	lpl_touched(walk, folio, word, lpl_word_age(walk, word));
	lpl_move_batch(walk);
	lpl_tell(walk, vma, addr, (end - addr) >> PAGE_SHIFT);
}

/**
 * lpl_skip_vma() - is there nothing that reclaim can or need age?
 * @vma: where
 *
 * Return: true if there is not, as MGLRU's should_skip_vma() says.
 */
bool lpl_skip_vma(struct vm_area_struct *vma)
{
	if (vma->vm_flags & (VM_LOCKED | VM_SPECIAL) || is_vm_hugetlb_page(vma))
		return true;
	if (!vma_has_recency(vma) || vma_is_dax(vma) ||
	    vma == get_gate_vma(vma->vm_mm))
		return true;
	return !vma_is_anonymous(vma) &&
	       (!vma->vm_file || mapping_unevictable(vma->vm_file->f_mapping));
}
