// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: the accessed bits of an address space.
 *
 * All of its page tables are walked; where the time for it is up, the next harvest
 * goes on from there.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <asm/tlbflush.h>

#include "keep.h"
#include "walk.h"

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

	if (!ptl)
		return false;
	__acquire(ptl);
	lpl_walk_pmd(walk, vma, addr, end, pmd);
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

/*
 * Nobody but the harvest uses it any more: what the process had mapped or open is to
 * go now, as who waited for it expects, not when all of its tables have been looked at.
 */
static bool lpl_is_left(struct mm_struct *mm)
{
	return atomic_read(&mm->mm_users) == 1;
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
	return need_resched() || mmap_lock_is_contended(vma->vm_mm) ||
	       lpl_is_left(vma->vm_mm);
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

/* Of a harvest in parts, what is true of all of them. */
static void lpl_harvest_begin(struct lru_page_list_mm *state, const struct lpl_walk *walk)
{
	struct lru_page_list_harvest *going = &state->going;

	if (!state->resume)
		*going = (struct lru_page_list_harvest) { .began = walk->now };
	going->every = max(going->every, walk->every);
	going->blind = max3(going->blind, walk->behind,
			    min(walk->now - state->flushed, (u32)LPL_STAMP_MASK / 2));
}

/* Who reads these meanwhile may mix two harvests: guard has an event less, or one too many. */
static void lpl_harvest_end(struct lru_page_list_mm *state)
{
	WRITE_ONCE(state->last.every, state->going.every);
	WRITE_ONCE(state->last.blind, state->going.blind);
	WRITE_ONCE(state->last.began, state->going.began);
}

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
		.idle = lpl_told_idle(mm, now),
		.period = clamp(now - state->last.began, every, max(every, LPL_NO_PRESSURE)),
		/* Not where each access is to be seen. */
		.leave = until ? 1 : 0,
	};
	bool again;
	u32 flushed;
	int stopped;

	if (until)
		walk.behind = min(walk.period / 2, LPL_BEHIND_MOST);
	if (!mmget_not_zero(mm)) {
		lpl_count(LPL_MMS_EXITED, 1);
		return true;
	}
	lpl_harvest_begin(state, &walk);
	do {
		if (!mmap_read_trylock(mm)) {
			lpl_count(LPL_TRYLOCK_FAILED, 1);
			stopped = 1;
			break;
		}
		walk.resume = state->resume;
		stopped = walk_page_range(mm, walk.resume, mm->task_size,
					  &lpl_walk_ops, &walk);
		again = !mmap_lock_is_contended(mm) && !lpl_is_left(mm);
		mmap_read_unlock(mm);
		state->resume = stopped > 0 ? walk.resume : 0;
		cond_resched();
	} while (stopped > 0 && again && (!until || local_clock() < until));

	if (stopped <= 0)
		lpl_harvest_end(state);
	flushed = lpl_now();
	if (test_and_clear_bit(LRU_PAGE_LIST_STALE, &state->flags) || walk.cleared)
		flush_tlb_mm(mm);
	WRITE_ONCE(state->flushed, flushed);
	/* Not the last reference's work in this thread. */
	mmput_async(mm);
	lpl_count_walk(&walk);
	lpl_count(stopped > 0 ? LPL_MMS_PARTIAL : LPL_MMS, 1);
	return stopped <= 0;
}
