// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: folios beside the queue: parked, skipped, read once; see core.c for why.
 *
 * They count as if they were on the inactive lists, and go to the tail of the queue
 * when reclaim is to take them: what is parked or skipped all at once, what was read
 * once a batch at a time.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/sizes.h>
#include <linux/swap.h>

#include "internal.h"
#include "keep.h"
#include "word.h"

/* For how long folios that reclaim could not take are parked at the most, ticks. */
#define LPL_PARK_MOST	(4 * LPL_TICKS_PER_SEC)

/* By others than page tables and its cache. */
static bool lpl_is_referenced(struct folio *folio)
{
	int own = folio_mapcount(folio) + folio_has_private(folio);

	if (folio_test_swapcache(folio) || !folio_test_anon(folio))
		own += folio_nr_pages(folio);
	return folio_ref_count(folio) > own;
}

/*
 * Is there a reason to expect that reclaim will not be able to take it for a while?
 * Swap or zswap takes no more, if it made @active what has to go there.  That it was
 * locked, or that this caller may not wait for a disk, is none.
 */
static bool lpl_is_held(struct folio *folio, bool active)
{
	if (folio_test_writeback(folio) || lpl_is_referenced(folio))
		return true;
	if (folio_test_swapbacked(folio))
		return active && (folio_mapped(folio) || folio_test_dirty(folio));
	return !folio_test_anon(folio) && (folio_test_dirty(folio) || folio_has_private(folio));
}

/*
 * Memory that is in use again after MADV_FREE comes from the queue of files, and goes by
 * its stamp in that of anonymous pages.
 */
static bool lpl_is_from_elsewhere(struct folio *folio, struct list_head *queue, bool active)
{
	return active && folio_mapped(folio) && folio_test_anon(folio) && !lpl_guarded() &&
	       lpl_folio_age(folio, lpl_now()) < lpl_folio_age(lru_to_folio(queue), lpl_now());
}

/* A harvest that meets a folio while reclaim has it was not long ago, ticks. */
#define LPL_JUST_USED	5

/*
 * Reclaim found it accessed and made it active, having cleared the flag before; or a
 * harvest did.  Where reclaim has not come to look, as at what is being written, the flag
 * may be of old.
 */
static bool lpl_was_referenced(struct folio *folio, bool active)
{
	bool looked = active && !folio_test_writeback(folio);

	if (!folio_test_referenced(folio) ||
	    (!looked && lpl_folio_age(folio, lpl_now()) > LPL_JUST_USED))
		return false;
	if (!lpl_flag_is_free(folio))
		folio_clear_referenced(folio);
	return true;
}

/*
 * Reclaim has just added @folio again as it could not take it; under lru_lock.
 * What it found accessed stays where its stamp put it.
 */
void __lru_page_list_park(struct lruvec *lruvec, struct folio *folio)
{
	struct lru_page_list_lruvec *state = &lruvec->lru_page_list;
	bool active = state->added_active;
	bool used = lpl_was_referenced(folio, active);
	bool file = folio_is_file_lru(folio);
	struct list_head *queue;

	lockdep_assert_held(&lruvec->lru_lock);
	/*
	 * The queue is empty where this is all, and has been read once.  On an
	 * active list it is if lru was chosen since it was added.
	 */
	if (used || folio_test_unevictable(folio) || folio_test_active(folio) ||
	    READ_ONCE(lpl_leaving))
		return;
	queue = lpl_queue_filled(lruvec, folio_lru_list(folio));
	if (list_empty(queue) || lpl_is_from_elsewhere(folio, queue, active))
		return;
	lpl_count(LPL_PARKED, 1);
	if (!lpl_is_held(folio, active)) {
		list_move(&folio->lru, &state->skipped[file]);
		return;
	}
	if (list_empty(&state->parked[0]) && list_empty(&state->parked[1]))
		WRITE_ONCE(state->parked_since, lpl_now());
	lpl_keep_uncount(lruvec, folio);
	lpl_set_coldest(folio, queue);
	lpl_keep_parked(lruvec, folio);
	lpl_keep_count(lruvec, folio);
	list_move(&folio->lru, &state->parked[file]);
}

/*
 * Folios of zones that reclaim does not want are put aside for a round, unless there
 * are so many that finding them again in each round would cost too much; then
 * they go to the head, as ever.  Under lru_lock.
 */
struct list_head *__lru_page_list_skipped(struct lruvec *lruvec,
					  struct list_head *skipped,
					  struct list_head *src, bool file)
{
	unsigned int nr = 0;
	struct list_head *node;

	/* Of an active list, if lru was chosen since reclaim began with it. */
	if (src != &lruvec->lists[file * LRU_FILE])
		return src;
	list_for_each(node, skipped)
		if (++nr > 16 * SWAP_CLUSTER_MAX)
			return lpl_queue_head(lruvec, file);
	return &lruvec->lru_page_list.skipped[file];
}

/**
 * lpl_unskip() - put folios of other zones back to the tail
 * @lruvec: whose; lru_lock held
 *
 * They were taken from the tail oldest first, so their order is that of the queue.
 */
void lpl_unskip(struct lruvec *lruvec)
{
	struct list_head *skipped = lruvec->lru_page_list.skipped;

	lockdep_assert_held(&lruvec->lru_lock);
	list_splice_tail_init(&skipped[0], &lruvec->lists[LRU_INACTIVE_ANON]);
	list_splice_tail_init(&skipped[1], &lruvec->lists[LRU_INACTIVE_FILE]);
}

/**
 * lpl_unpark() - put parked folios back to the tail
 * @lruvec: whose; lru_lock held
 */
void lpl_unpark(struct lruvec *lruvec)
{
	struct list_head *parked = lruvec->lru_page_list.parked;

	lockdep_assert_held(&lruvec->lru_lock);
	list_splice_tail_init(&parked[0], &lruvec->lists[LRU_INACTIVE_ANON]);
	list_splice_tail_init(&parked[1], &lruvec->lists[LRU_INACTIVE_FILE]);
}

static bool lpl_queues_empty(struct lruvec *lruvec)
{
	int part;

	for (part = 0; part < 2; part++)
		if (!list_empty(&lruvec->lru_page_list.front[part][0]) ||
		    !list_empty(&lruvec->lru_page_list.front[part][1]))
			return false;
	return lpl_queue_empty(&lruvec->lru_page_list.queue[0]) &&
	       lpl_queue_empty(&lruvec->lru_page_list.queue[1]) &&
	       list_empty(&lruvec->lists[LRU_INACTIVE_ANON]) &&
	       list_empty(&lruvec->lists[LRU_INACTIVE_FILE]);
}

/**
 * lpl_try_again() - the same if they have been parked for long
 * @lruvec: whose
 * @now: even if they have not
 */
void lpl_try_again(struct lruvec *lruvec, bool now)
{
	struct lru_page_list_lruvec *state = &lruvec->lru_page_list;

	if (list_empty(&state->parked[0]) && list_empty(&state->parked[1]))
		return;
	if (!now && !lpl_queues_empty(lruvec) &&
	    lpl_now() - READ_ONCE(state->parked_since) < LPL_PARK_MOST)
		return;
	spin_lock_irq(&lruvec->lru_lock);
	lpl_unpark(lruvec);
	spin_unlock_irq(&lruvec->lru_lock);
}

/* What is read ahead for some streams at a time. */
#define LPL_ONCE_MANY	(SZ_2M >> PAGE_SHIFT)

/**
 * lpl_many_once() - is there more that was read once than is read ahead?
 * @lruvec: where; lru_lock held
 *
 * Return: true if there is.
 */
bool lpl_many_once(struct lruvec *lruvec)
{
	unsigned long nr = 0;
	struct folio *folio;

	lockdep_assert_held(&lruvec->lru_lock);
	list_for_each_entry(folio, &lruvec->lru_page_list.once, lru) {
		nr += folio_nr_pages(folio);
		if (nr > LPL_ONCE_MANY)
			return true;
	}
	return false;
}

/* Of other zones so many are passed, which a batch finds beside them. */
#define LPL_ONCE_PASSED		(16 * SWAP_CLUSTER_MAX)

/**
 * lpl_take_once() - let what was read once be the tail of the file queue
 * @lruvec: whose; lru_lock held
 * @zone: highest that it may be of; what is of others stays
 * @nr: pages, about
 *
 * Return: pages that are now; reclaim is to take just these from there.
 */
unsigned long lpl_take_once(struct lruvec *lruvec, int zone, unsigned long nr)
{
	struct folio *folio, *next;
	unsigned long taken_pages = 0;
	unsigned int passed = 0;
	LIST_HEAD(taken);

	lockdep_assert_held(&lruvec->lru_lock);
	list_for_each_entry_safe_reverse(folio, next, &lruvec->lru_page_list.once, lru) {
		if (taken_pages >= nr || passed > LPL_ONCE_PASSED)
			break;
		if (folio_zonenum(folio) > zone) {
			passed++;
			continue;
		}
		taken_pages += folio_nr_pages(folio);
		list_move(&folio->lru, &taken);
	}
	list_splice_tail(&taken, &lruvec->lists[LRU_INACTIVE_FILE]);
	return taken_pages;
}
