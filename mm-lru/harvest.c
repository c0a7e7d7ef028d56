// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: klrud, the thread that reads accessed bits.
 *
 * Woken by the tick, it takes the mms that the CPUs have noted, walks the page
 * tables of those that are due, and moves what was touched to the front.  What
 * the budget does not reach waits in line, first come first served, and is
 * gone on with where it was left.
 */
#include <linux/accessed_bits.h>
#include <linux/atomic.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mmu_notifier.h>
#include <linux/mmap_lock.h>
#include <linux/page_idle.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/sched/clock.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "internal.h"
#include "keep.h"

/*
 * Ticks that mms are left on the lists of the CPUs, which hold what has ended;
 * less where one was worth a harvest more often than that, lately.
 */
#define LPL_REST_MAX		10

/*
 * What reclaim looks at around what it finds accessed; a part of one table, and
 * whole blocks of contiguous entries, as these are cleared together: 16 entries
 * with pages of 4 KiB, 128 with 16 KiB.
 */
#define LPL_AROUND		(max(64UL, PTRS_PER_PTE / 16UL) * PAGE_SIZE)

/* Folios moved in one hold of lru_lock, with interrupts disabled. */
#define LPL_MOVE_BATCH		32

unsigned int lpl_interval_ms = LPL_TICK_MS;
unsigned int lpl_budget_pct = 1;
bool lpl_always;

/**
 * struct lpl_walk - a harvest of one mm
 * @now: the tick that touched folios are stamped with
 * @until: when to stop, ns; 0: never
 * @every: ticks between two harvests, as it is meant to be
 * @period: as it is
 * @since: ticks since the last one of all of it began, more if there was none
 * @leave: what was touched less ticks ago is left alone
 * @hidden: nothing is, as the bit above the table whose lock is held was cleared
 * @resume: where to go on
 * @batch: folios to be moved, mapped by the table whose lock is held
 * @nr: how many
 * @visited: for the counters, as are the next four
 * @young: the same
 * @moved: the same
 * @tables_skipped: the same
 * @skipped: the same
 * @cleared: accessed bits cleared, so that the TLB has to be flushed
 * @bits: those of the table whose lock is held, for others who want to know
 */
struct lpl_walk {
	u32 now;
	u64 until;
	u32 every;
	u32 period;
	u32 since;
	u32 leave;
	bool hidden;
	unsigned long resume;
	struct folio *batch[LPL_MOVE_BATCH];
	unsigned int nr;
	unsigned long visited;
	unsigned long young;
	unsigned long moved;
	unsigned long tables_skipped;
	unsigned long skipped;
	bool cleared;
	DECLARE_BITMAP(bits, PTRS_PER_PTE);
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

static void lpl_move_batch(struct lpl_walk *walk)
{
	struct lruvec *lruvec = NULL;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < walk->nr; i++) {
		struct folio *folio = walk->batch[i];

		/* What is not of this policy's lists: it is being changed. */
		if (!lpl_lock_list(folio, &lruvec, &flags) ||
		    folio_test_unevictable(folio) ||
		    folio_test_active(folio) || folio_lru_gen(folio) >= 0)
			continue;
		list_move(&folio->lru, lpl_guarded() ?
			  __lpl_keep_used(lruvec, folio, walk->now, walk->every, walk->period) :
			  &lruvec->lists[folio_lru_list(folio)]);
		walk->moved++;
	}
	if (lruvec)
		lpl_unlock_lruvec(lruvec, flags);
	walk->nr = 0;
}

static u32 lpl_word_age(const struct lpl_walk *walk, const u32 *word)
{
	return lpl_age(READ_ONCE(*word), walk->now, READ_ONCE(lpl_since));
}

/*
 * What came by a fault has its bit set by that, and its stamp is the time of the
 * fault: to count the bit as an access would put it before what came later, and
 * make cold pages of hot ones' age.  Not so if a harvest since has found the bit
 * clear, as of what was read ahead and is mapped now.
 */
static bool lpl_fault_alone(const struct lpl_walk *walk, struct folio *folio,
			    u32 word, u32 age)
{
	return word & LPL_FRESH && age <= walk->since && folio_test_swapbacked(folio);
}

/* @folio, whose word this is, was accessed, and its bit is clear now. */
static void lpl_touched(struct lpl_walk *walk, struct folio *folio, u32 *word, u32 age)
{
	u32 old = READ_ONCE(*word);

	walk->young++;
	folio_clear_idle(folio);
	lpl_mark_referenced(folio);
	if (lpl_fault_alone(walk, folio, old, age)) {
		/* Not over what guard writes under lru_lock. */
		cmpxchg(word, old, old & ~LPL_FRESH);
		walk->skipped++;
		return;
	}
	/* Reclaim may have taken it off its list, to look at it; else it is new. */
	if (old && !folio_test_lru(folio))
		folio_set_young(folio);
	/* Large and shared ones are met more than once. */
	if (old && !age && !(old & LPL_FRESH)) {
		walk->skipped++;
		return;
	}
	/* The first access seen of all is the fault that brought it. */
	if (old && !(old & LPL_FRESH) && !folio_test_workingset(folio))
		folio_set_workingset(folio);
	/* With guard the word is written together with what counts it. */
	if (!lpl_guarded())
		WRITE_ONCE(*word, lpl_word_touched(old, age, walk->now, walk->period));
	walk->batch[walk->nr++] = folio;
	if (walk->nr == LPL_MOVE_BATCH)
		lpl_move_batch(walk);
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
 * Only where no other entry of the folio is left, and the table will be looked
 * at again: a stale bit would look like an access long afterwards.
 */
static bool lpl_walk_leave(struct lpl_walk *walk, struct folio *folio, u32 word, u32 age)
{
	if (age >= walk->leave && (!walk->leave || !lpl_leave(word, age, walk->every)))
		return false;
	if (walk->hidden || folio_test_large(folio) || folio_mapcount(folio) > 1)
		return false;
	walk->skipped++;
	return true;
}

static struct accessed_bits_consumer lpl_consumer;

/* Others may watch the same address space, and would miss what was cleared. */
static void lpl_tell(struct lpl_walk *walk, struct vm_area_struct *vma,
		     unsigned long addr, unsigned int nr)
{
	if (bitmap_empty(walk->bits, nr))
		return;
	accessed_bits_report(&lpl_consumer, vma, addr, walk->bits, nr);
	bitmap_zero(walk->bits, nr);
}

/* An entry that is present and young; false if it is left as it is. */
static bool lpl_walk_pte(struct lpl_walk *walk, struct vm_area_struct *vma,
			 unsigned long addr, pte_t *pte, pte_t entry)
{
	struct folio *folio = lpl_walk_folio(vm_normal_folio(vma, addr, entry));
	u32 *word = folio ? lpl_mapped_word(folio) : NULL;
	u32 age;

	if (!word)
		return false;
	age = lpl_word_age(walk, word);
	if (lpl_walk_leave(walk, folio, READ_ONCE(*word), age) ||
	    !lpl_clear_pte(vma, addr, pte))
		return false;
	walk->cleared = true;
	lpl_touched(walk, folio, word, age);
	return true;
}

/* @nr entries of one table from @start on, which maps @addr; its lock is held. */
static void lpl_walk_ptes(struct lpl_walk *walk, struct vm_area_struct *vma,
			  unsigned long addr, pte_t *start, unsigned int nr)
{
	unsigned int i, step;

	for (i = 0; i < nr; i += step) {
		pte_t pte = ptep_get(start + i);

		step = 1;
		walk->visited++;
		if (!pte_present(pte))
			continue;
		/* Contiguous entries have one bit, and are cleared together. */
		step = min(pte_batch_hint(start + i, pte), nr - i);
		if (pte_young(pte) &&
		    lpl_walk_pte(walk, vma, addr + i * PAGE_SIZE, start + i, pte))
			bitmap_set(walk->bits, i, step);
	}
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
	if (pmd_present(*pmd) && pmd_young(*pmd)) {
		folio = lpl_walk_folio(vm_normal_folio_pmd(vma, addr, *pmd));
		word = folio ? lpl_mapped_word(folio) : NULL;
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

/* ------------------------------------------- what others have cleared */

static void lpl_told_folio(struct lpl_walk *walk, struct folio *folio)
{
	u32 *word;

	folio = lpl_walk_folio(folio);
	word = folio ? lpl_mapped_word(folio) : NULL;
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
	walk.since = walk.now - READ_ONCE(vma->vm_mm->lru_page_list.harvested);
	if (pmd_trans_huge(pmdp_get(pmd)))
		lpl_told_folio(&walk, vm_normal_folio_pmd(vma, addr, pmdp_get(pmd)));
	else
		lpl_told_table(&walk, vma, pmd, addr, bits, nr);
	lpl_move_batch(&walk);
	lpl_count(LPL_TOLD, walk.young);
	lpl_count(LPL_MOVED, walk.moved);
}

static struct accessed_bits_consumer lpl_consumer = { .young = lpl_told };

/* ------------------------------------------------- at the tail, by reclaim */

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
	unsigned long start = max(vma->vm_start, window);
	unsigned long end = min(vma->vm_end, window + LPL_AROUND);
	struct lpl_walk walk = { .now = lpl_now() };
	bool pressure;

	if (!pvmw->pte || lpl_skip_vma(vma) || READ_ONCE(lpl_always))
		return;
	walk.every = lpl_resolution_of(vma->vm_mm, &pressure);
	walk.period = walk.every;
	walk.leave = 2 * walk.every;
	walk.since = walk.now - READ_ONCE(vma->vm_mm->lru_page_list.harvested);
	lpl_walk_ptes(&walk, vma, start,
		      pvmw->pte - ((pvmw->address - start) >> PAGE_SHIFT),
		      (end - start) >> PAGE_SHIFT);
	if (walk.cleared)
		set_bit(LRU_PAGE_LIST_STALE, &vma->vm_mm->lru_page_list.flags);
	lpl_count(LPL_AROUND_MOVED, walk.moved);
}

/* ---------------------------------------------------------- address spaces */

/* True when all of it was walked; an mm that has ended counts as that. */
static bool lpl_harvest_mm(struct mm_struct *mm, u32 now, u64 until, u32 every)
{
	struct lru_page_list_mm *state = &mm->lru_page_list;
	struct lpl_walk walk = {
		.now = now, .until = until, .every = every,
		.since = now - state->harvested,
		.period = clamp(now - state->harvested, every, max(every, LPL_NO_PRESSURE)),
		/* Not where each access is to be seen. */
		.leave = until ? 1 : 0,
	};
	bool again;
	int stopped;

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

/* ------------------------------------------------------------- the thread */

/* klrud's own: mms in line, in the order they were noted. */
struct lpl_line {
	struct llist_node *first;
	struct llist_node **last;
	unsigned long nr;
	/* Fewest ticks between two harvests of an mm, and the tick that it is from. */
	u32 finest;
	u32 finest_at;
	/* Tick in which lpl_keep_words() was last called. */
	u32 kept;
	/* lpl_consumer is registered. */
	bool listens;
	/* CPU time of the thread that the budget has paid for, ns. */
	u64 paid;
};

static struct task_struct *lpl_thread;
static unsigned long lpl_kicked;
/* Nothing to do before; ticks. */
static u32 lpl_rest_until;
/* Running average of the ticks between two harvests of one mm. */
static u32 lpl_reached;

/**
 * lpl_kick() - let the harvester look now whether there is something to do
 *
 * Context: any but under an rq lock.
 */
void lpl_kick(void)
{
	struct task_struct *thread = READ_ONCE(lpl_thread);

	if (!thread)
		return;
	set_bit(0, &lpl_kicked);
	wake_up_process(thread);
}

/**
 * lpl_kick_rested() - the same, unless it is known that there is not
 *
 * For the tick.
 */
void lpl_kick_rested(void)
{
	if ((s32)(lpl_now() - READ_ONCE(lpl_rest_until)) >= 0)
		lpl_kick();
}

static struct mm_struct *lpl_mm_of(struct llist_node *node)
{
	return container_of(node, struct mm_struct, lru_page_list.node);
}

static void lpl_line_add(struct lpl_line *line, struct llist_node *node)
{
	node->next = NULL;
	*line->last = node;
	line->last = &node->next;
	line->nr++;
}

static struct mm_struct *lpl_line_take(struct lpl_line *line)
{
	struct llist_node *node = line->first;

	line->first = node->next;
	if (!line->first)
		line->last = &line->first;
	line->nr--;
	return lpl_mm_of(node);
}

/* It counts for a second. */
static bool lpl_line_is_fine(const struct lpl_line *line, u32 now)
{
	return now - line->finest_at < LPL_TICKS_PER_SEC;
}

static void lpl_line_finest(struct lpl_line *line, u32 now, u32 every)
{
	if (every > line->finest && lpl_line_is_fine(line, now))
		return;
	line->finest = every;
	line->finest_at = now;
}

/* An mm that ran again would be late by what is rested: that is no more than this. */
static u32 lpl_line_rest(const struct lpl_line *line, u32 now)
{
	if (!lpl_line_is_fine(line, now))
		return LPL_REST_MAX;
	return min_t(u32, line->finest, LPL_REST_MAX);
}

/* It is not yet worth a harvest again; 0 if it is. */
static u32 lpl_waits(struct mm_struct *mm, u32 now, u32 every)
{
	u32 wait = mm->lru_page_list.due - now;

	return wait <= every ? wait : 0;
}

static void lpl_gather(struct lpl_line *line)
{
	struct llist_node *node, *next;
	u32 now = lpl_now();
	int cpu;

	lpl_note_remote();
	for_each_possible_cpu(cpu) {
		node = llist_reverse_order(lpl_noted(cpu));
		for (; node; node = next) {
			struct mm_struct *mm = lpl_mm_of(node);

			next = node->next;
			/* How late it will be counts from here. */
			if (!lpl_waits(mm, now, LPL_NO_PRESSURE))
				mm->lru_page_list.due = now;
			lpl_line_add(line, node);
		}
	}
}

/* @mm was taken from the line; from here on CPUs may note it again. */
static void lpl_unnote(struct mm_struct *mm)
{
	/* The link is read before another CPU may write it. */
	smp_mb__before_atomic();
	clear_bit(LRU_PAGE_LIST_NOTED, &mm->lru_page_list.flags);
}

/* Not all of @mm was reached: keep it in line unless it ran again meanwhile. */
static void lpl_renote(struct lpl_line *line, struct mm_struct *mm)
{
	if (test_and_set_bit(LRU_PAGE_LIST_NOTED, &mm->lru_page_list.flags))
		mmdrop(mm);
	else
		lpl_line_add(line, &mm->lru_page_list.node);
}

/**
 * lpl_resolution_now() - how exact the queue is meant to be at this time
 *
 * Return: ticks between two harvests of one mm, for reclaim of all memory.
 */
u32 lpl_resolution_now(void)
{
	bool pressure;

	return lpl_resolution_of(NULL, &pressure);
}

/**
 * lpl_reached_now() - how exact the queue has been lately
 *
 * Return: ticks between two harvests of one mm, of those that were made.
 */
u32 lpl_reached_now(void)
{
	return READ_ONCE(lpl_reached);
}

static void lpl_note_reached(u32 ticks)
{
	u32 old = READ_ONCE(lpl_reached);

	/* Rounded up, so that it gets to any number. */
	WRITE_ONCE(lpl_reached, old - DIV_ROUND_UP(old, 8) + DIV_ROUND_UP(ticks, 8));
}

/* An mm that has ended would keep its page directory while it is in line. */
static bool lpl_drop_ended(struct mm_struct *mm)
{
	if (atomic_read(&mm->mm_users))
		return false;
	lpl_count(LPL_MMS_EXITED, 1);
	lpl_unnote(mm);
	mmdrop(mm);
	return true;
}

/*
 * Clearing costs faults where there is no hardware accessed flag, and with
 * nothing to evict the order is of no use.  Else when @mm is due: 0 for now.
 */
static u32 lpl_mm_rests(struct mm_struct *mm, u32 now, u32 *every)
{
	bool pressure;

	*every = lpl_resolution_of(mm, &pressure);
	if (READ_ONCE(lpl_always) || arch_has_hw_pte_young() || pressure)
		return lpl_waits(mm, now, *every);
	lpl_count(LPL_GATED, 1);
	mm->lru_page_list.due = now;
	return LPL_REST_MAX;
}

/* Takes over the reference of @mm; true if all of it was harvested. */
static bool lpl_serve(struct lpl_line *line, struct mm_struct *mm, u64 until, u32 every)
{
	u32 now = lpl_now();
	s32 late;

	lpl_line_finest(line, now, every);
	lpl_unnote(mm);
	if (!lpl_harvest_mm(mm, now, until, every)) {
		lpl_renote(line, mm);
		return false;
	}
	late = lpl_now() - mm->lru_page_list.due;
	lpl_note_reached(every + max(late, 0));
	mm->lru_page_list.due = now + every;
	mmdrop(mm);
	return true;
}

/*
 * Return: ticks until there is more to do, at the earliest.
 */
static u32 lpl_pass(struct lpl_line *line, struct lpl_budget *budget)
{
	bool always = READ_ONCE(lpl_always);
	u32 earliest = LPL_REST_MAX;
	unsigned long n = line->nr;
	bool harvested = false;
	u32 now = lpl_now();
	u32 every, rests;
	u64 until = 0;

	while (n--) {
		struct mm_struct *mm = lpl_line_take(line);

		if (lpl_drop_ended(mm))
			continue;
		rests = lpl_mm_rests(mm, now, &every);
		if (rests) {
			lpl_line_add(line, &mm->lru_page_list.node);
			earliest = min(earliest, rests);
			continue;
		}
		if (!always && !until)
			until = local_clock() + max_t(s64, budget->credit, 1);
		harvested = true;
		if (!lpl_serve(line, mm, until, every))
			earliest = 1;
		if (until && local_clock() >= until) {
			earliest = 1;
			break;
		}
	}
	lpl_count(LPL_PASSES, harvested);
	return min(earliest, lpl_line_rest(line, now));
}

/* Here, as who changes the policy holds locks that this takes. */
static void lpl_listen(struct lpl_line *line, bool listen)
{
	if (line->listens == listen)
		return;
	line->listens = listen;
	if (listen)
		accessed_bits_register(&lpl_consumer);
	else
		accessed_bits_unregister(&lpl_consumer);
	/* A part of a change of policy, and long, as code is patched: no harvest is to pay. */
	line->paid = task_sched_runtime(current);
}

static void lpl_let_go(struct lpl_line *line)
{
	/* A CPU may be noting yet, with interrupts disabled. */
	synchronize_rcu();
	lpl_gather(line);
	lpl_listen(line, false);
	while (line->nr) {
		struct mm_struct *mm = lpl_line_take(line);

		lpl_unnote(mm);
		mmdrop(mm);
	}
}

static void lpl_work(struct lpl_line *line, struct lpl_budget *budget)
{
	unsigned int percent = READ_ONCE(lpl_budget_pct);
	u32 start = lpl_now();
	u64 ran;
	u32 rest;

	lpl_listen(line, true);
	lpl_budget_add(budget, local_clock(), percent);
	if (start - line->kept > LPL_KEEP_EVERY) {
		line->kept = start;
		lpl_keep_words();
	}
	lpl_gather(line);
	if (!READ_ONCE(lpl_always) && lpl_budget_wait(budget, percent))
		rest = 1;
	else
		rest = lpl_pass(line, budget);

	/* With what waking up and going to sleep took since. */
	ran = task_sched_runtime(current) - line->paid;
	line->paid += ran;
	lpl_count(LPL_NS, ran);
	if (READ_ONCE(lpl_always)) {
		budget->credit = 0;
		rest = 1;
	} else {
		lpl_budget_spend(budget, ran, percent);
		rest = max_t(u32, rest, div_u64(lpl_budget_wait(budget, percent),
						LPL_TICK_MS * NSEC_PER_MSEC));
	}
	WRITE_ONCE(lpl_rest_until, start + min(rest, (u32)LPL_REST_MAX));
}

static int lpl_harvester(void *unused)
{
	struct lpl_line line = { .last = &line.first, .kept = lpl_now() };
	struct lpl_budget budget = { .stamp = local_clock() };

	set_user_nice(current, -10);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (!test_bit(0, &lpl_kicked))
			schedule();
		__set_current_state(TASK_RUNNING);
		if (!test_and_clear_bit(0, &lpl_kicked))
			continue;

		if (lru_page_list_enabled())
			lpl_work(&line, &budget);
		else
			lpl_let_go(&line);
	}
	return 0;
}

/**
 * lpl_harvester_start() - start the thread, if it has not been
 *
 * It stays, asleep while another policy is active.
 *
 * Return: 0, or why there is no thread.
 */
int lpl_harvester_start(void)
{
	struct task_struct *thread;

	if (lpl_thread)
		return 0;
	thread = kthread_run(lpl_harvester, NULL, "klrud");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	WRITE_ONCE(lpl_thread, thread);
	return 0;
}
