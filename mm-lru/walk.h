/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: reading and clearing accessed bits, for a harvest, for what reclaim
 * looks at, and for what others tell.
 */
#ifndef _MM_LRU_PAGE_LIST_WALK_H
#define _MM_LRU_PAGE_LIST_WALK_H

#include <linux/accessed_bits.h>
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/memremap.h>
#include <linux/pgtable.h>
#include <linux/types.h>

#include "internal.h"
#include "keep.h"
#include "word.h"

/* Folios moved in one hold of lru_lock, with interrupts disabled. */
#define LPL_MOVE_BATCH		32

/**
 * struct lpl_idle - what the last harvest of an address space tells, for guard
 * @since: ticks; of what was used before that it does
 * @every: but for what it left alone, as lpl_leave() says with this
 */
struct lpl_idle {
	u32 since;
	u32 every;
};

/**
 * struct lpl_walk - a harvest of one mm, or a look of reclaim's, or what is told
 * @now: the tick of it
 * @until: when to stop, ns; 0: never
 * @every: ticks between two harvests, as it is meant to be; for a look of the age that
 *	it is for; else 1
 * @period: as it is; of what is used less often than some of these nothing is known
 * @since: ticks since the last harvest of all of the mm began, more if there was none
 * @idle: what it tells
 * @behind: so many ticks before @now what was touched is taken to have been, and what
 *	came since then is in front of it; in a harvest
 * @leave: what was touched less ticks ago is left alone
 * @faults_only: all is, but what has its bit from the fault that brought it
 * @beside: only a part of a table is walked, by reclaim: a large folio may be mapped beyond
 *	what is seen; and what is used has been just now, as it is looked at so often
 * @look: word of the table, see lpl_look_found_idle(); 0 if the last look at it is not known
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
 * @used: the last one that was found used, and is to be moved
 */
struct lpl_walk {
	u32 now;
	u64 until;
	u32 every;
	u32 period;
	u32 since;
	struct lpl_idle idle;
	u32 behind;
	u32 leave;
	bool faults_only;
	bool beside;
	u32 look;
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
	struct folio *used;
};

/* What is mapped, if it can be on a list. */
static inline struct folio *lpl_walk_folio(struct folio *folio)
{
	if (!folio || folio_is_zone_device(folio))
		return NULL;
	return folio;
}

static inline u32 lpl_word_age(const struct lpl_walk *walk, const u32 *word)
{
	return lpl_age(READ_ONCE(*word), walk->now, READ_ONCE(lpl_since));
}

/* The word of what was found used, of which @word and @age were known. */
static inline u32 lpl_word_used(const struct lpl_walk *walk, u32 word, u32 age)
{
	return lpl_word_touched(word, age, walk->now, walk->period,
				walk->beside ? 0 : walk->behind);
}

/* Ticks since the last harvest of all of @mm began; no more than any age, where there was none. */
static inline u32 lpl_since_harvest(struct mm_struct *mm, u32 now)
{
	return min(now - READ_ONCE(mm->lru_page_list.last.began), (u32)LPL_STAMP_MASK / 2);
}

/* Nothing is known to have been idle. */
#define LPL_NOT_IDLE		((struct lpl_idle) { .since = LPL_STAMP_MASK })

/**
 * lpl_told_idle() - what the last harvest tells
 * @mm: of this address space
 * @now: current tick
 *
 * A use by the guest of a virtual machine is not looked for where its host has none.
 *
 * Return: that; nothing without guard, as nobody asks.
 */
static inline struct lpl_idle lpl_told_idle(struct mm_struct *mm, u32 now)
{
	if (!lpl_guarded() || mm_has_notifiers(mm))
		return LPL_NOT_IDLE;
	return (struct lpl_idle) {
		.since = lpl_since_harvest(mm, now) + READ_ONCE(mm->lru_page_list.last.blind),
		.every = READ_ONCE(mm->lru_page_list.last.every),
	};
}

/**
 * lpl_look_found_idle() - has a look at a table found a page idle?
 * @look: word of the table that maps it, if reclaim has looked at all of that beside
 *	another page: when, and from what age on it could tell; else 0
 * @now: current tick
 * @age: the age of the page, ticks
 *
 * Return: true if it has.
 */
static inline bool lpl_look_found_idle(u32 look, u32 now, u32 age)
{
	u32 ago = (now - look) & LPL_STAMP_MASK;

	return look & LPL_VALID && ago < age && age - ago >= lpl_gap_ticks(lpl_word_gap(look));
}

bool lpl_skip_vma(struct vm_area_struct *vma);
void lpl_touched(struct lpl_walk *walk, struct folio *folio, u32 *word, u32 age);
void lpl_move_batch(struct lpl_walk *walk);
void lpl_walk_ptes(struct lpl_walk *walk, struct vm_area_struct *vma, unsigned long addr,
		   pte_t *start, unsigned int nr);
void lpl_walk_pmd(struct lpl_walk *walk, struct vm_area_struct *vma, unsigned long addr,
		  unsigned long end, pmd_t *pmd);

#endif /* _MM_LRU_PAGE_LIST_WALK_H */
