// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: a queue of the pages of all processes, by last access.
 *
 *		Where the order is
 *
 * A folio is on the list of its memory cgroup and node by folio->lru, as ever:
 * while this policy is active all evictable folios are on the two inactive
 * lists of their lruvec, PG_active clear, most recently used first, but for those
 * that reclaim has put aside (read once, parked, skipped, kept by guard).  So what
 * isolates, migrates, splits, charges or frees folios needs to know nothing of
 * the policy, and the checks of reclaim are the stock ones.
 *
 * A word of 4 bytes for each page (page_ext) says when a folio was last seen
 * accessed, in ticks of 10 ms.  The list is the order within one lruvec and
 * type; the stamps order the lists against each other: reclaim takes from the
 * oldest tail, and debugfs merges the lists into the one queue that they are.
 * The stamp is also what puts a folio back where it was after compaction or
 * migration had taken it off.
 *
 *	     tick, switch		 klrud			   reclaim
 *	  note the mm that ran -> read and clear its	-> take from the tail,
 *	  wake klrud each 10 ms   accessed bits, move      accessed after all:
 *				  touched pages to front   to the front
 *
 * Accessed bits are not read in the tick: mmap_lock sleeps, page table locks
 * are taken with interrupts enabled, and a walk takes long.
 *
 *		How exact it is
 *
 * What a harvest finds used was used at some time since the one before, in the
 * middle of it on average, and gets that time for its stamp.  The tick of the harvest
 * would make it younger than what has been faulted in since, whose time is known, by
 * half of what is between two harvests.  For the same reason it goes behind that.
 * To find the place at once, what has come lately is on lists of its own, which are
 * the front of the queue: in two parts that are spliced to the rest as they get old,
 * each of a third of the time between two harvests, so that half of that is in front
 * on average.  What harvest after harvest finds used is used all the time, and goes
 * to the very front.  Reclaim that has emptied the rest takes from the front, too.
 *
 * The tail is exact to the instant, since folio_check_references() sees an access that
 * came after the last harvest, and what is mapped beside is looked at as well.
 * In mode `always' a harvest is due each 10 ms; otherwise it is when the order
 * would be wrong by more than a part of the age at which pages are evicted now,
 * and only while the budget lasts; see control.c.
 *
 * Reading a bit without clearing it tells nothing the second time, and clearing
 * it has a price: on cores without hardware accessed flag the next touch
 * faults.  Where nothing is being reclaimed the order has no use, and such
 * cores are left alone.  One flush of the TLB for each address space and
 * harvest follows the clearing, since an entry that stays in the TLB would
 * hide all later accesses, most of all to the hottest pages.
 *
 * Secondary page tables (KVM's) are looked at only by reclaim, at the tail.
 * What else clears accessed bits of the same address spaces (lkp25p3's monitor)
 * is told of what is cleared here, and tells: see accessed_bits.h.  What only
 * asks whether memory was accessed at all finds PG_referenced in place of the
 * bit: see lpl_mark_referenced().
 *
 *		Locks
 *
 *	mmap_lock (trylock, read)	harvest of one mm; given up when wanted
 *	  page table lock		pins what is mapped: no references needed
 *	    lru_lock			moves, insertions; interrupts disabled
 *
 * which is the order at the top of mm/rmap.c.  The noting of mms takes no lock
 * (llist) since the rq may be locked; the harvester is woken from the tick
 * after the rq is unlocked.  A change of policy takes, in this order,
 *
 *	lpl_policy_mutex, cgroup_mutex, cpus_read_lock, get_online_mems,
 *	  jump_label_mutex	the key is turned first
 *	  lru_lock		then the lists of each lruvec are converted
 *
 * An insertion reads the key under lru_lock, and the conversion of the lruvec
 * comes after: whatever went to an active list before the key was turned is
 * moved, and afterwards nothing goes there.  What has not been moved yet when
 * reclaim comes is moved by reclaim itself, and what was read once or is parked is
 * put on the queue before the key is turned back: nobody is killed for folios that
 * the change hides.
 *
 * Words are written without a lock.  Both writers of a race, a harvest and the
 * insertion of a folio that was isolated meanwhile, write a stamp not older
 * than the last tick, or the one that was there.
 *
 *		Page cache that no process has mapped
 *
 * It is in the queue too, from its second use on: what is read once, as by a
 * stream, waits on a list of its own and is taken from there first, as soon as
 * it is so old, or there is so much of it, that readahead has been of use.
 * Memory that MADV_FREE has given up waits there as well.
 *
 *		Folios that reclaim could not take
 *
 * The stock lists send these to the head, to be out of the way of the next
 * batch.  Here that would make them recently used.  So they are put aside until
 * the round is over; then the list is spliced to the tail at once.  What is likely
 * to be in the same state then is parked for longer, as looking at it again in each
 * round would be most of the work: what is to be written first, which
 * folio_rotate_reclaimable() puts to the tail when it has been; what a file system's
 * journal holds; what somebody has a reference to.  Most of that ends without a
 * sign, so all that is parked goes back to the tail together when the first has
 * been for LPL_PARK_MOST, or when reclaim has difficulties: nothing is killed for
 * it.
 */
#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/memcontrol.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/nodemask.h>
#include <linux/page_ext.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "keep.h"
#include "word.h"

DEFINE_STATIC_KEY_FALSE(lru_page_list_key);
/* Guard has been in force: what it made for memory cgroups may outlive that. */
DEFINE_STATIC_KEY_FALSE(lru_page_list_kept_key);

atomic_long_t lpl_stats[LPL_NR_STATS];

/* ------------------------------------------------------------------ words */

static bool lpl_wanted __initdata = true;

static bool __init lpl_need_page_ext(void)
{
	return lpl_wanted;
}

static bool lpl_have_words __ro_after_init;

static void __init lpl_init_page_ext(void)
{
	lpl_have_words = lpl_wanted;
}

struct page_ext_operations lru_page_list_page_ext_ops = {
	.size = sizeof(u32),
	.need = lpl_need_page_ext,
	.init = lpl_init_page_ext,
};

/**
 * lpl_set_aside() - is there memory for words?
 *
 * Return: false if the kernel was booted with lru_page_list=off.
 */
bool lpl_set_aside(void)
{
	return lpl_have_words;
}

/*
 * The page goes to the allocator: what will be in it is new.  The first page
 * of a block is the only one to have a word, as a split gives each part its
 * own and parts are freed one by one.
 */
void __lru_page_list_free(struct page *page)
{
	lpl_set_page_word(page, 0);
}

void __lru_page_list_copy(struct folio *dst, struct folio *src)
{
	lpl_set_folio_word(dst, lpl_folio_word(src));
}

void __lru_page_list_touch(struct folio *folio)
{
	if (lpl_guarded())
		__lpl_keep_touch(folio);
	else
		lpl_set_folio_word(folio, lpl_word(lpl_now(), 0));
}

/*
 * Reclaim found @folio accessed, and has cleared its bits.  PG_referenced, which it
 * has cleared as well, says so until the folio is added again: see below.  If
 * harvests had found it in use, and left it alone for too long, the next one will do
 * neither.
 */
void __lru_page_list_referenced(struct folio *folio)
{
	u32 word = lpl_folio_word(folio);

	if (lpl_guarded())
		__lpl_keep_touch(folio);
	else
		lpl_set_folio_word(folio, lpl_word_met(word, lpl_now()));
	folio_set_referenced(folio);
}

/* A batch of reclaim takes less, but for bad luck, ticks. */
#define LPL_JUST_USED	5

/* The flag may be of old where reclaim has not come to look at the bits. */
static bool lpl_was_referenced(struct folio *folio)
{
	if (!folio_test_referenced(folio) || lpl_folio_age(folio, lpl_now()) > LPL_JUST_USED)
		return false;
	if (!lpl_flag_is_free(folio))
		folio_clear_referenced(folio);
	return true;
}

/* The only writer of a race that is not younger: it must not win. */
static void lpl_keep_word(struct page *page, u32 now)
{
	u32 *word = lpl_word_at(page);
	u32 old = word ? READ_ONCE(*word) : 0;

	if (lpl_word_kept(old, now) != old)
		cmpxchg(word, old, lpl_word_kept(old, now));
}

/* Memory does not come or go. */
static void lpl_each_word(void (*change)(struct page *page, u32 now))
{
	u32 now = lpl_now();
	struct zone *zone;

	for_each_populated_zone(zone) {
		unsigned long pfn, end = zone_end_pfn(zone);

		for (pfn = zone->zone_start_pfn; pfn < end; pfn++) {
			struct page *page = pfn_to_online_page(pfn);

			if (page)
				change(page, now);
			else
				pfn = ALIGN(pfn + 1, pageblock_nr_pages) - 1;
			if (pfn % pageblock_nr_pages == 0)
				cond_resched();
		}
	}
}

/**
 * lpl_keep_words() - keep all that is very old from looking young again
 *
 * Context: process context; looks at every page there is.
 */
void lpl_keep_words(void)
{
	u32 now = lpl_now();

	get_online_mems();
	lpl_each_word(lpl_keep_word);
	put_online_mems();
	if (now - READ_ONCE(lpl_since) > LPL_STAMP_MASK)
		WRITE_ONCE(lpl_since, now - LPL_STAMP_MASK);
}

static void lpl_forget_word(struct page *page, u32 now)
{
	lpl_set_page_word(page, 0);
}

/**
 * lpl_forget_words() - nothing is known of any page
 *
 * While another policy is in force words stay as they are, whatever becomes of
 * their pages: freed, or other than the first of a large folio, which has the only
 * word; and after some hours old stamps would look young.
 *
 * Context: before lru is chosen; memory does not come or go.
 */
void lpl_forget_words(void)
{
	lpl_each_word(lpl_forget_word);
}

/* ------------------------------------------------------------------ lists */

static void lpl_front_step_of(struct lruvec *lruvec, bool file, u32 age, u32 every)
{
	struct lru_page_list_lruvec *state = &lruvec->lru_page_list;

	lpl_front_step(&state->front[0][file], &state->front[1][file],
		       &lruvec->lists[file * LRU_FILE], age, every);
}

/**
 * lpl_front_advance() - let what is in front of the queue get older
 * @lruvec: whose; lru_lock held
 * @now: current tick
 * @behind: what is older than about this is part of the queue then, ticks; 0: all is
 *
 * Each part has come within two thirds of it, so what is in front is that of
 * between two thirds and four of it.
 */
void lpl_front_advance(struct lruvec *lruvec, u32 now, u32 behind)
{
	struct lru_page_list_lruvec *state = &lruvec->lru_page_list;
	u32 every = DIV_ROUND_UP(2 * behind, 3);
	/* A harvest has read @now some time ago. */
	u32 age = max((s32)(now - state->front_since), 0);

	/* Most of the time, and each insertion asks. */
	if (age < every)
		return;
	lpl_front_step_of(lruvec, false, age, every);
	lpl_front_step_of(lruvec, true, age, every);
	state->front_since += age;
}

/**
 * lpl_front_join() - nothing is in front of the queue
 * @lruvec: whose; lru_lock held
 */
void lpl_front_join(struct lruvec *lruvec)
{
	lockdep_assert_held(&lruvec->lru_lock);
	lpl_front_step_of(lruvec, false, 0, 0);
	lpl_front_step_of(lruvec, true, 0, 0);
}

/**
 * lpl_queue_filled() - the queue, for its tail
 * @lruvec: whose; lru_lock held
 * @lru: of which type
 *
 * Return: it; empty only if nothing is in front of it either.
 */
struct list_head *lpl_queue_filled(struct lruvec *lruvec, enum lru_list lru)
{
	if (list_empty(&lruvec->lists[lru]))
		lpl_front_step_of(lruvec, lru / LRU_FILE, 0, 0);
	return &lruvec->lists[lru];
}

/* Where what is used in this very tick goes. */
static struct list_head *lpl_front(struct lruvec *lruvec, struct folio *folio, u32 now)
{
	bool apart = lpl_front_is_apart();

	lpl_front_advance(lruvec, now, apart ? LPL_BEHIND_MOST : 0);
	return apart ? lpl_front_of(lruvec, folio) : lpl_queue_of(lruvec, folio);
}

/* For how long folios that reclaim could not take are parked at the most, ticks. */
#define LPL_PARK_MOST	(4 * LPL_TICKS_PER_SEC)

/*
 * A stream would push out all else; what refaults, or is used a second time, has
 * PG_active here.  What MADV_FREE has given up goes first as well.
 */
static bool lpl_use_once(struct folio *folio)
{
	if (READ_ONCE(lpl_leaving) || !folio_is_file_lru(folio))
		return false;
	return folio_test_anon(folio) ||
	       (!folio_test_active(folio) && !folio_mapped(folio));
}

/* Where @folio goes, which is new more often than not. */
static struct list_head *lpl_position(struct lruvec *lruvec, struct folio *folio)
{
	struct list_head *queue = lpl_queue_of(lruvec, folio);
	u32 *at = lpl_word_at(&folio->page);
	u32 old = at ? READ_ONCE(*at) : 0, word = old;
	u32 since = READ_ONCE(lpl_since);
	u32 now = lpl_now();
	u32 age;
	bool new;

	if (!at)
		return queue;
	/* Stamps from before the policy was chosen say nothing. */
	new = !word || lpl_age(word, now, since) > now - since;
	if (new)
		word = lpl_word(now, LPL_FRESH);
	if ((word & LPL_FRESH || folio_test_anon(folio)) && lpl_use_once(folio)) {
		WRITE_ONCE(*at, lpl_word(word, LPL_ONCE));
		return &lruvec->lru_page_list.once;
	}
	if (lpl_once(word))
		word &= ~LPL_STREAK_MASK;
	/* Not over what a harvest has written meanwhile. */
	if (word != old)
		WRITE_ONCE(*at, word);
	age = lpl_age(word, now, since);
	if (lpl_guarded() && word & LPL_KEPT)
		queue = lpl_keep_queue(lruvec, folio, queue);
	/* What reclaim found accessed was used at some time since the last harvest. */
	else if (new || (!age && (!folio_test_referenced(folio) || word & LPL_STREAK_MASK)))
		return lpl_front(lruvec, folio, now);
	return lpl_place(queue, age, now, lpl_folio_age);
}

/*
 * What goes to the tail counts as no younger than what is there: the stamps
 * order the tails against each other, and a young one would shield those before
 * it.
 */
static void lpl_set_coldest(struct folio *folio, struct list_head *queue)
{
	u32 now = lpl_now();
	u32 age;

	if (list_empty(queue))
		return;
	age = lpl_folio_age(lru_to_folio(queue), now);
	if (lpl_folio_age(folio, now) < age)
		lpl_set_folio_word(folio, lpl_word(now - age, 0));
}

/*
 * Like lru_gen_add_folio(), with which it shares its callers, under lru_lock.
 * PG_active means "added by an access" to the rest of mm; here the stamp does.
 */
bool __lru_page_list_add(struct lruvec *lruvec, struct folio *folio, bool tail)
{
	struct list_head *position;
	enum lru_list lru;

	if (folio_test_unevictable(folio))
		return false;

	position = tail ? NULL : lpl_position(lruvec, folio);
	if (folio_test_active(folio))
		folio_clear_active(folio);
	lru = folio_is_file_lru(folio) ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
	update_lru_size(lruvec, lru, folio_zonenum(folio), folio_nr_pages(folio));
	if (tail) {
		/* It is to go: without a gap, guard does not keep it instead. */
		lpl_change_folio_word(folio, LPL_KEPT | LPL_GAP_MASK, 0);
		lpl_set_coldest(folio, lpl_queue_filled(lruvec, lru));
		list_add_tail(&folio->lru, &lruvec->lists[lru]);
	} else {
		list_add(&folio->lru, position);
	}
	lpl_keep_count(lruvec, folio);
	return true;
}

/* Under lru_lock, before its size changes or its cgroup. */
void __lru_page_list_del(struct lruvec *lruvec, struct folio *folio)
{
	if (!folio_test_unevictable(folio))
		lpl_keep_uncount(lruvec, folio);
}

void __lru_page_list_isolated(struct lruvec *lruvec, struct list_head *isolated)
{
	if (lpl_guarded())
		__lpl_keep_uncount_all(lruvec, isolated);
}

/* A memory cgroup, or a node, is being made; under a lock of lpl_switch_guard()'s. */
void __lru_page_list_init_lruvec(struct lruvec *lruvec)
{
	if (lpl_guarded())
		lpl_keep_start(lruvec);
}

/* A memory cgroup is being freed; it has no folios and cannot be found. */
void __lru_page_list_exit_lruvec(struct lruvec *lruvec)
{
	kfree(lruvec->lru_page_list.keep);
}

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
 * That it was locked, or that this caller may not wait for a disk, is none.
 */
static bool lpl_is_held(struct folio *folio)
{
	if (folio_test_writeback(folio) || lpl_is_referenced(folio))
		return true;
	return !folio_test_anon(folio) && !folio_test_swapbacked(folio) &&
	       (folio_test_dirty(folio) || folio_has_private(folio));
}

/*
 * Reclaim has just added @folio again as it could not take it; under lru_lock.
 * What it found accessed stays where its stamp put it.
 */
void __lru_page_list_park(struct lruvec *lruvec, struct folio *folio)
{
	struct lru_page_list_lruvec *state = &lruvec->lru_page_list;
	bool used = lpl_was_referenced(folio);
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
	if (list_empty(queue))
		return;
	lpl_count(LPL_PARKED, 1);
	if (!lpl_is_held(folio)) {
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
	struct list_head *queue =
		&lruvec->lists[file ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON];
	unsigned int nr = 0;
	struct list_head *node;

	/* Of an active list, if lru was chosen since reclaim began with it. */
	if (src != queue)
		return src;
	list_for_each(node, skipped)
		if (++nr > 16 * SWAP_CLUSTER_MAX)
			return src;
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
	return list_empty(&lruvec->lists[LRU_INACTIVE_ANON]) &&
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

/* MADV_COLD and the like; under lru_lock. */
void __lru_page_list_cold(struct lruvec *lruvec, struct folio *folio)
{
	struct list_head *queue;

	if (folio_test_unevictable(folio))
		return;
	queue = lpl_queue_filled(lruvec, folio_lru_list(folio));
	folio_clear_referenced(folio);
	lpl_keep_uncount(lruvec, folio);
	lpl_change_folio_word(folio, LPL_KEPT, 0);
	lpl_set_coldest(folio, queue);
	list_move_tail(&folio->lru, queue);
	lpl_keep_count(lruvec, folio);
}

/*
 * Refault distances are compared with the size of the active lists, of which
 * there are none: the younger half of the queue is what classic would have
 * there.
 */
unsigned long __lru_page_list_half(struct lruvec *lruvec, bool file)
{
	return lruvec_page_state(lruvec, file ? NR_INACTIVE_FILE :
						NR_INACTIVE_ANON) / 2;
}

/* -------------------------------------------------------------- evictions */

/* Of the last eviction of all, ticks; for people. */
static u32 lpl_evicted_age;

/* Was anything reclaimed there within the last second? */
static bool lpl_pressed(const struct lru_page_list_lruvec *target, u32 now)
{
	u32 at = READ_ONCE(target->evicted_at);

	return at && now + 1 - at <= LPL_TICKS_PER_SEC + 1;
}

/**
 * lpl_note_eviction() - folios are being taken from a tail
 * @target: lruvec of the memory cgroup that reclaim is for, or of the root
 * @age: their age, ticks
 *
 * Wakes the harvester if it was resting as nothing was reclaimed.
 */
void lpl_note_eviction(struct lruvec *target, u32 age)
{
	struct lru_page_list_lruvec *state = &target->lru_page_list;
	u32 old = READ_ONCE(state->evicted_age);
	u32 now = lpl_now();
	bool rested = !lpl_pressed(state, now);

	if (!rested)
		age = old - old / 8 + age / 8;
	WRITE_ONCE(state->evicted_age, age);
	/* Not 0, which is never. */
	WRITE_ONCE(state->evicted_at, now | 1);
	WRITE_ONCE(lpl_evicted_age, age);
	if (rested)
		lpl_kick();
}

u32 lpl_evict_age(void)
{
	return READ_ONCE(lpl_evicted_age);
}

/* Age at eviction for @memcg, or one above it; U32_MAX if nothing is evicted. */
static u32 lpl_evict_age_of(struct mem_cgroup *memcg, u32 now)
{
	u32 age = U32_MAX;
	int nid;

	do {
		for_each_node_state(nid, N_MEMORY) {
			struct lruvec *lruvec = mem_cgroup_lruvec(memcg, NODE_DATA(nid));

			if (lpl_pressed(&lruvec->lru_page_list, now))
				age = min(age, READ_ONCE(lruvec->lru_page_list.evicted_age));
		}
	} while (memcg && (memcg = parent_mem_cgroup(memcg)));
	return age;
}

/**
 * lpl_resolution_of() - how exact the order of its pages is worth being
 * @mm: the address space, with a reference to its mm_count; NULL: the finest
 *	that reclaim of all memory asks for
 * @pressure: set if something is reclaimed where its pages are
 *
 * What is evicted from a small memory cgroup, at a low age, is no reason to
 * harvest the processes of others as often.
 *
 * Return: ticks between two harvests of it.
 */
u32 lpl_resolution_of(struct mm_struct *mm, bool *pressure)
{
	u32 shortest = DIV_ROUND_UP(READ_ONCE(lpl_interval_ms), LPL_TICK_MS);
	struct mem_cgroup *memcg;
	u32 age;

	/* A kernel without memory cgroups has none. */
	memcg = mm ? get_mem_cgroup_from_mm(mm) : NULL;
	age = lpl_evict_age_of(memcg, lpl_now());
	mem_cgroup_put(memcg);
	*pressure = age != U32_MAX;
	if (READ_ONCE(lpl_always))
		return shortest;
	return lpl_resolution(age, shortest, *pressure);
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

/**
 * lpl_take_once() - let what was read once be the tail of the file queue
 * @lruvec: whose; lru_lock held
 * @nr: pages, about
 *
 * Reclaim takes just these from there.
 */
void lpl_take_once(struct lruvec *lruvec, unsigned long nr)
{
	struct list_head *once = &lruvec->lru_page_list.once;
	unsigned long taken_pages = 0;
	LIST_HEAD(taken);

	lockdep_assert_held(&lruvec->lru_lock);
	while (taken_pages < nr && !list_empty(once)) {
		taken_pages += folio_nr_pages(lru_to_folio(once));
		list_move(once->prev, &taken);
	}
	list_splice_tail(&taken, &lruvec->lists[LRU_INACTIVE_FILE]);
}

/* ------------------------------------------------------------------- boot */

static int lpl_boot_policy __initdata = -1;

static int __init lpl_boot_param(char *arg)
{
	int policy;

	if (!arg)
		return -EINVAL;
	if (!strcmp(arg, "off")) {
		lpl_wanted = false;
		lpl_boot_policy = -1;
		return 0;
	}
	policy = match_string(lpl_policy_names, LPL_NR_POLICIES, arg);
	if (policy < 0) {
		pr_warn("lru_page_list: no such policy: %s\n", arg);
		return 0;
	}
	lpl_wanted = true;
	lpl_boot_policy = policy;
	return 0;
}
early_param("lru_page_list", lpl_boot_param);

static int __init lpl_init(void)
{
	if (lpl_sysfs_init())
		pr_err("lru_page_list: cannot make files in sysfs\n");
	lpl_debugfs_init();
	if (lpl_boot_policy >= 0 && lpl_set_policy(lpl_boot_policy))
		pr_err("lru_page_list: cannot set policy %s\n",
		       lpl_policy_names[lpl_boot_policy]);
	return 0;
}
late_initcall(lpl_init);
