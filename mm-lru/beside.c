// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: what is mapped beside what reclaim looks up.
 *
 * Two harvests are a part of a second apart, and more where the budget is small.  What
 * was used since the last one would be found at the tail, page by page: isolated, looked
 * up, and put back for nothing.  But who looks up a page has found the table that maps it
 * and taken its lock, and to read the other entries of it costs little, if it is not done
 * for each page.  So reclaim looks at what is beside what it looks up, in use or not, from
 * time to time, and what is old and was used is at the front before its turn comes.
 *
 * Guard has another use for it besides: see lpl_look_for_faults().
 */
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/page_idle.h>
#include <linux/percpu.h>
#include <linux/rmap.h>
#include <linux/sched.h>

#include "keep.h"
#include "walk.h"

/*
 * What guard looks at, and is little for all: some cache lines of a table, and whole
 * blocks of contiguous entries, as these are cleared together: 16 entries with pages of
 * 4 KiB, 128 with 16 KiB.
 */
#define LPL_AROUND		\
	(min_t(unsigned long, PTRS_PER_PTE, max(64UL, PTRS_PER_PTE / 16UL)) * PAGE_SIZE)

/*
 * What it looks at first, and of how many faults it is to find the bits there.  It may
 * be a part of a contiguous block, whose bits are left, as it is a large folio's.
 */
#define LPL_NEXT_TO		(LPL_AROUND / 4)
#define LPL_FAULTS_NEAR		2

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
 * With guard what is faulted in gets to the tail of a small window soon, and often before
 * a harvest has met the bit of its fault: it would be put back as in use.  What is near it
 * has come with it, and so the bits of faults are cleared there together.  They tell no
 * use; for uses whole tables are looked at, less often.
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

/* What is looked at for uses: tables next to each other, not so many that it takes long. */
#define LPL_TABLES		clamp(2048UL / PTRS_PER_PTE, 1UL, (unsigned long)PTRS_PER_PMD)

/* A small part of a table is not worth to be put off for the other parts. */
static bool lpl_is_small_part(const struct vm_area_struct *vma, unsigned long table)
{
	return min(vma->vm_end, table + PMD_SIZE) - max(vma->vm_start, table) <= LPL_AROUND;
}

/*
 * Was the table that @pmd points to looked at less than @rest ticks ago?  The word of the
 * page that it is in says when; like that of any page it is gone when the page is freed.
 */
static bool lpl_looked_lately(const struct vm_area_struct *vma, unsigned long table, pmd_t pmd,
			      u32 now, u32 rest)
{
	u32 *word = lpl_is_small_part(vma, table) ? NULL : lpl_word_at(pmd_page(pmd));

	return word && lpl_is_younger(READ_ONCE(*word), now, rest);
}

/* The same word, if what it says is of all that @vma has there; else 0. */
static u32 lpl_last_look(const struct vm_area_struct *vma, unsigned long table, pmd_t pmd)
{
	bool whole = vma->vm_start <= table && vma->vm_end - table >= PMD_SIZE;

	return whole && !mm_has_notifiers(vma->vm_mm) ? lpl_page_word(pmd_page(pmd)) : 0;
}

/*
 * So long a page must have been idle by now for a look to tell: it leaves younger ones
 * alone; and where a bit was cleared after the last flush, the TLB may hide uses since.
 * A harvest has cleared it later than the stamp says that it gave.
 */
static u32 lpl_tells_from(const struct lpl_walk *walk, const struct mm_struct *mm)
{
	/* It may be later than now, by a tick or so. */
	u32 flushed = walk->now - READ_ONCE(mm->lru_page_list.flushed) + LPL_BEHIND_MOST + 1;

	return max3(walk->leave, LPL_LEAVE_MOST * walk->every, flushed);
}

/* Where other words have a gap, this one has that, or a little more. */
static void lpl_note_look(struct lpl_walk *walk, const struct vm_area_struct *vma,
			  unsigned long table, pmd_t pmd)
{
	u8 gap = lpl_gap_code(lpl_tells_from(walk, vma->vm_mm)) + 1;

	walk->look = lpl_last_look(vma, table, pmd);
	if (!lpl_is_small_part(vma, table))
		lpl_set_page_word(pmd_page(pmd), lpl_word_set_gap(lpl_word(walk->now, 0), gap));
}

/* The last folio that was looked up, on a CPU: one may have many entries, in many tables. */
static DEFINE_PER_CPU(unsigned long, lpl_looked_up);

/*
 * The same, for guard: what the last harvests of all tell together that it was found to be
 * mapped by, and the tick of that.  Looks beside others do not count: while reclaim has it
 * isolated they may find it used, and its stamp stays as it was; if a harvest does then,
 * it says so.
 */
struct lpl_lookup {
	unsigned long pfn;
	u32 at;
	struct lpl_idle idle;
};

static DEFINE_PER_CPU(struct lpl_lookup, lpl_last_lookup);

/*
 * With guard, before reclaim forgets what else it knew of a use.  That who writes or reads
 * it may be preempted, and something is missed, does no harm.
 */
static void lpl_note_lookup(const struct page_vma_mapped_walk *pvmw, bool young)
{
	struct lpl_lookup *last = raw_cpu_ptr(&lpl_last_lookup);
	struct mm_struct *mm = pvmw->vma->vm_mm;
	u32 now = lpl_now();
	struct lpl_idle idle = lpl_told_idle(mm, now);

	if (folio_test_young(pfn_folio(pvmw->pfn)))
		idle = LPL_NOT_IDLE;
	if (last->pfn == pvmw->pfn) {
		idle.since = max(idle.since, last->idle.since + now - last->at);
		idle.every = max(idle.every, last->idle.every);
	}
	*last = (struct lpl_lookup) { .pfn = pvmw->pfn, .at = now, .idle = idle };
	/* Reclaim has cleared it; not all architectures flush that. */
	if (young && !test_bit(LRU_PAGE_LIST_STALE, &mm->lru_page_list.flags))
		set_bit(LRU_PAGE_LIST_STALE, &mm->lru_page_list.flags);
}

/**
 * lpl_found_idle() - have harvests found a folio idle, that reclaim finds used?
 * @folio: the folio, which has been looked up just now
 *
 * Return: true if they have; false also if that is not known, as another folio was looked
 * up since, or another CPU has looked it up.
 */
bool lpl_found_idle(struct folio *folio)
{
	struct lpl_lookup last = *raw_cpu_ptr(&lpl_last_lookup);
	u32 now = lpl_now();

	return last.pfn == folio_pfn(folio) &&
	       lpl_was_idle(lpl_folio_word(folio), lpl_folio_age(folio, now),
			    last.idle.since + now - last.at, last.idle.every);
}

/*
 * For how many ticks is what was looked at to be left?  0: nothing is looked at.  As
 * often as it takes for few to be found in use at the tail: see lpl_beside().
 */
static u32 lpl_look_rest(const struct page_vma_mapped_walk *pvmw, bool young)
{
	struct folio *folio = pfn_folio(pvmw->pfn);
	u32 *beside = &folio_lruvec(folio)->lru_page_list.beside;
	u32 old = READ_ONCE(*beside);
	u32 one_of = lpl_guarded() ? LPL_IN_USE_ONE_OF_GUARD : LPL_IN_USE_ONE_OF;
	u32 new = lpl_beside(old, young || folio_test_young(folio), one_of);

	/* It is not at the tail by its age. */
	if (lpl_once(lpl_folio_word(folio)))
		return 0;
	/* That PREEMPT_RT may have preempted this, and something is missed, does no harm. */
	if (raw_cpu_read(lpl_looked_up) == pvmw->pfn)
		return 0;
	raw_cpu_write(lpl_looked_up, pvmw->pfn);
	if (new != old)
		WRITE_ONCE(*beside, new);
	/* Found beside another it was, and is in a batch of reclaim's yet. */
	if (!lpl_folio_age(folio, lpl_now()))
		return 0;
	return lpl_beside_rest(new);
}

/*
 * Others who hold the locks of two tables have an order.  With few CPUs all tables of
 * an address space have one lock.  Sparse does not follow either.
 */
static bool lpl_try_table(spinlock_t *lock, const spinlock_t *held)
{
	if (lock == held)
		return true;
	if (!spin_trylock(lock))
		return false;
	__release(lock);
	return true;
}

static void lpl_leave_table(spinlock_t *lock, const spinlock_t *held)
{
	if (lock == held)
		return;
	__acquire(lock);
	spin_unlock(lock);
}

/*
 * A table beside the one that @pvmw has found, and whose lock is held.  It can neither be
 * moved nor freed with what it maps, as both take the lock by which reclaim looks up who
 * maps a page of the VMA; where exec moves its stack without that, lpl_skip_vma() says
 * true.  khugepaged may take it away, and changes @pmd with the lock of the table held.
 */
static void lpl_look_at_other(struct lpl_walk *walk, struct page_vma_mapped_walk *pvmw,
			      unsigned long table, pmd_t *pmd, u32 rest)
{
	struct vm_area_struct *vma = pvmw->vma;
	pmd_t seen = pmdp_get_lockless(pmd);
	unsigned long start = max(table, vma->vm_start);
	unsigned long end = min(table + PMD_SIZE, vma->vm_end);
	spinlock_t *lock;	/* of that table */
	pte_t *pte = pte_offset_map_nolock(vma->vm_mm, pmd, start, &lock);

	if (!pte)
		return;
	__acquire(RCU);		/* for sparse, which does not follow the above */
	if (lpl_try_table(lock, pvmw->ptl)) {
		if (pmd_same(seen, pmdp_get_lockless(pmd)) &&
		    !lpl_looked_lately(vma, table, seen, walk->now, rest)) {
			lpl_note_look(walk, vma, table, seen);
			lpl_walk_ptes(walk, vma, start, pte, (end - start) >> PAGE_SHIFT);
		}
		lpl_leave_table(lock, pvmw->ptl);
	}
	pte_unmap(pte);
}

/*
 * What is so old that it would get to the tail soon.  It is looked at many times until
 * then, so what is found used has been just now.
 *
 * Reclaim comes in bursts, and in each the first page of a table is at the tail before
 * the table is looked at.  So some tables are looked at together.
 */
static void lpl_look_for_uses(struct lpl_walk *walk, struct page_vma_mapped_walk *pvmw,
			      u32 rest)
{
	unsigned long own = pvmw->address & PMD_MASK;
	unsigned long first = ALIGN_DOWN(own, LPL_TABLES * PMD_SIZE);
	unsigned long table = max(first, pvmw->vma->vm_start & PMD_MASK);
	unsigned long end = min(first + LPL_TABLES * PMD_SIZE, pvmw->vma->vm_end);
	u32 age = lpl_folio_age(pfn_folio(pvmw->pfn), walk->now);

	walk->leave = max(age / 2, 1);
	walk->every = lpl_resolution(age, 1, true);
	walk->period = max(walk->every, lpl_reached_now());
	lpl_note_look(walk, pvmw->vma, own, pmdp_get(pvmw->pmd));
	lpl_look_at(walk, pvmw, own, own + PMD_SIZE);
	for (; table < end; table += PMD_SIZE) {
		if (need_resched() || spin_needbreak(pvmw->ptl))
			break;
		if (table != own)
			lpl_look_at_other(walk, pvmw, table, pvmw->pmd +
					  (long)(table - own) / (long)PMD_SIZE, rest);
	}
}

/* For uses, in tables that have had @rest; or, where that is 0, for faults. */
static void lpl_look(struct page_vma_mapped_walk *pvmw, u32 rest)
{
	struct mm_struct *mm = pvmw->vma->vm_mm;
	struct lpl_walk walk = { .now = lpl_now(), .every = 1, .period = 1, .beside = true };

	walk.since = lpl_since_harvest(mm, walk.now);
	walk.idle = lpl_told_idle(mm, walk.now);
	if (rest)
		lpl_look_for_uses(&walk, pvmw, rest);
	else
		lpl_look_for_faults(&walk, pvmw);
	if (walk.cleared)
		set_bit(LRU_PAGE_LIST_STALE, &mm->lru_page_list.flags);
	lpl_count(LPL_AROUND_MOVED, walk.moved);
	lpl_count(LPL_AROUND_VISITED, walk.visited);
}

/*
 * Reclaim came to the tail, and looked up who maps what is there.  The next harvest of
 * the address space flushes its TLB.
 */
void __lru_page_list_look_around(struct page_vma_mapped_walk *pvmw, bool young)
{
	struct vm_area_struct *vma = pvmw->vma;
	u32 rest;

	if (lpl_guarded())
		lpl_note_lookup(pvmw, young);
	if (!pvmw->pte || lpl_skip_vma(vma) || READ_ONCE(lpl_always))
		return;
	if (lpl_guarded() && young && !lpl_looked_around(pvmw))
		lpl_look(pvmw, 0);
	rest = lpl_look_rest(pvmw, young);
	if (rest && !lpl_looked_lately(vma, pvmw->address & PMD_MASK, pmdp_get(pvmw->pmd),
				       lpl_now(), rest))
		lpl_look(pvmw, rest);
}
