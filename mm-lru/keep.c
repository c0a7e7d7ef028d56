// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: the lists of what guard keeps, see guard.c for why.
 *
 * Each lruvec has a struct lpl_keep of its own: frames are those of a memory
 * cgroup on a node, so that what is decided under a limit is compared with what
 * LRU would do under that limit.  Between lruvecs the age at which LRU would
 * evict, lpl_keep_age(), decides, as the age of the tail does without guard.
 *
 *	lruvec->lists[]		the window; what is kept is not on them, but is
 *				counted as if it were (NR_INACTIVE_*)
 *	keep->classes[type][]	what is kept, LPL_KEPT in its word
 *	xarray slots		shadows: gap and stamp of what was evicted
 *
 * A folio is in the histogram from the time it is added to a list until it is
 * taken off, a shadow while it is in its slot: so the sum is right whatever
 * happens to either in between.  What was read once is in neither; its word says
 * LPL_ONCE.
 *
 *		Locks
 *
 * lru_lock: the lists, @window.  @lock: the histogram; it is innermost, nested in
 * lru_lock and in the i_pages lock of a mapping, interrupts disabled.
 * lruvec->lru_page_list.keep changes under lru_lock, and is freed after a grace
 * period, as shadows are looked at without lru_lock.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/page_idle.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "internal.h"
#include "keep.h"
#include "walk.h"
#include "word.h"

DEFINE_STATIC_KEY_FALSE(lpl_guard_key);

/* Of the last struct lpl_keep that was made; shadows of others are not counted. */
static atomic_t lpl_keep_last_id;

/* ------------------------------------------------------------------ words */

static unsigned int lpl_type(struct folio *folio)
{
	return folio_is_file_lru(folio) ? WORKINGSET_FILE : WORKINGSET_ANON;
}

static u32 lpl_age_now(u32 word, u32 now)
{
	return lpl_age(word, now, READ_ONCE(lpl_since));
}

static void lpl_lock_at(struct lpl_keep *keep, u32 now)
	__acquires(&keep->lock)
{
	spin_lock(&keep->lock);
	lpl_guard_advance(&keep->guard, now);
}

/* Under lru_lock: as it was when this was called. */
static bool lpl_keeps(struct lpl_keep *keep)
{
	bool keeps;

	spin_lock(&keep->lock);
	keeps = lpl_guard_keeps(&keep->guard);
	spin_unlock(&keep->lock);
	return keeps;
}

/* ---------------------------------------------------------------- lists */

static void lpl_keep_init(struct lpl_keep *keep, u32 oldest)
{
	int type, class;

	spin_lock_init(&keep->lock);
	lpl_guard_init(&keep->guard, lpl_now(), oldest);
	keep->id = atomic_inc_return(&lpl_keep_last_id);
	for (type = 0; type < ANON_AND_FILE; type++)
		for (class = 0; class < LPL_CLASSES; class++)
			INIT_LIST_HEAD(&keep->classes[type][class].list);
}

static struct lpl_class *lpl_class_of(struct lpl_keep *keep, struct folio *folio, u32 word)
{
	return &keep->classes[lpl_type(folio)][lpl_gap_class(lpl_word_gap(word))];
}

static struct lpl_keep *lpl_keep_of(struct lruvec *lruvec)
{
	return READ_ONCE(lruvec->lru_page_list.keep);
}

/* @word is that of more pages, or of less, if @nr is negative. */
static void lpl_count_word(struct lpl_keep *keep, u32 word, s64 nr)
{
	u32 *count = word & LPL_KEPT ? &keep->parked : &keep->window;

	if (!(word & LPL_KEPT) || lpl_parked(word))
		*count = max_t(s64, *count + nr, 0);
}

/**
 * __lpl_keep_count() - a folio was added to a list
 * @lruvec: whose; lru_lock held
 * @folio: the folio; its word says which list
 */
void __lpl_keep_count(struct lruvec *lruvec, struct folio *folio)
{
	struct lpl_keep *keep = lpl_keep_of(lruvec);
	u32 word = lpl_folio_word(folio);
	u32 now = lpl_now();

	if (!keep || lpl_once(word))
		return;
	lpl_lock_at(keep, now);
	lpl_guard_page(&keep->guard, lpl_age_now(word, now), folio_nr_pages(folio));
	spin_unlock(&keep->lock);
	lpl_count_word(keep, word, folio_nr_pages(folio));
}

/* Under @lock. */
static void lpl_uncount(struct lpl_keep *keep, struct folio *folio, u32 now)
{
	u32 word = lpl_folio_word(folio);

	if (lpl_once(word))
		return;
	lpl_guard_unpage(&keep->guard, lpl_age_now(word, now), folio_nr_pages(folio));
	lpl_count_word(keep, word, -folio_nr_pages(folio));
}

/**
 * __lpl_keep_uncount() - a folio is taken off a list
 * @lruvec: whose; lru_lock held
 * @folio: the folio
 */
void __lpl_keep_uncount(struct lruvec *lruvec, struct folio *folio)
{
	struct lpl_keep *keep = lpl_keep_of(lruvec);
	u32 now = lpl_now();

	if (!keep)
		return;
	lpl_lock_at(keep, now);
	lpl_uncount(keep, folio, now);
	spin_unlock(&keep->lock);
}

/**
 * __lpl_keep_uncount_all() - some are taken off a list
 * @lruvec: whose; lru_lock held
 * @folios: they
 */
void __lpl_keep_uncount_all(struct lruvec *lruvec, struct list_head *folios)
{
	struct lpl_keep *keep = lpl_keep_of(lruvec);
	struct folio *folio;
	u32 now = lpl_now();

	if (!keep)
		return;
	lpl_lock_at(keep, now);
	list_for_each_entry(folio, folios, lru)
		lpl_uncount(keep, folio, now);
	spin_unlock(&keep->lock);
}

/**
 * lpl_keep_queue() - which list a folio that was kept before is to be added to
 * @lruvec: whose; lru_lock held
 * @folio: the folio
 * @queue: that of the window
 *
 * Return: that of what is kept, or @queue if it is kept no longer.
 */
struct list_head *lpl_keep_queue(struct lruvec *lruvec, struct folio *folio,
				 struct list_head *queue)
{
	struct lpl_keep *keep = lpl_keep_of(lruvec);
	u32 word = lpl_folio_word(folio);

	if (keep && !lpl_parked(word) && lpl_keeps(keep))
		return &lpl_class_of(keep, folio, word)->list;
	lpl_change_folio_word(folio, LPL_KEPT, 0);
	return queue;
}

/**
 * __lpl_keep_parked() - a victim could not be evicted, and is parked
 * @lruvec: whose; lru_lock held
 * @folio: the folio; not counted
 */
void __lpl_keep_parked(struct lruvec *lruvec, struct folio *folio)
{
	u32 word = lpl_folio_word(folio);

	if (lpl_keep_of(lruvec) && !lpl_once(word))
		lpl_change_folio_word(folio, LPL_GAP_MASK, LPL_KEPT);
}

/*
 * Is @folio, of this word and age, known to have been idle since its last use?  By what is
 * known of one address space, so not if others map it too; nor if its use has been noted
 * while it was isolated.
 */
static bool lpl_known_idle(const struct lpl_walk *walk, struct folio *folio, u32 word, u32 age)
{
	if (folio_likely_mapped_shared(folio) || folio_test_young(folio))
		return false;
	if (lpl_was_idle(word, age, walk->idle.since, walk->idle.every))
		return true;
	/* Of a large one another table may map the rest. */
	return !folio_test_large(folio) && lpl_look_found_idle(walk->look, walk->now, age);
}

/**
 * __lpl_keep_used() - a harvest found a folio on a list used
 * @lruvec: whose; lru_lock held
 * @folio: the folio; its word has its last use
 * @walk: the harvest, or look
 * @window: the list that it goes to if it is not kept
 *
 * Return: the list whose front it is to be moved to.
 */
struct list_head *__lpl_keep_used(struct lruvec *lruvec, struct folio *folio,
				  const struct lpl_walk *walk, struct list_head *window)
{
	struct lpl_keep *keep = lpl_keep_of(lruvec);
	u32 word = lpl_folio_word(folio);
	u32 age = lpl_age_now(word, walk->now);
	u32 used = lpl_word_used(walk, word, age);
	u32 before = lpl_age_now(used, walk->now);
	u32 nr = folio_nr_pages(folio);
	bool again = word && !(word & LPL_FRESH);
	u32 gap = lpl_word_gap(word);
	bool keeps;

	if (!keep) {
		lpl_set_folio_word(folio, used);
		return window;
	}
	lpl_lock_at(keep, walk->now);
	if (again)
		gap = lpl_gap_after(gap, age - before, walk->every, lpl_guard_age(&keep->guard));
	if (lpl_once(word))
		lpl_guard_page(&keep->guard, before, nr);
	else
		lpl_guard_use(&keep->guard, age, before, nr,
			      again && lpl_known_idle(walk, folio, word, age));
	keeps = lpl_guard_keeps(&keep->guard);
	spin_unlock(&keep->lock);

	used = lpl_word_set_gap(used, gap);
	if (word & LPL_KEPT && !lpl_parked(word) && keeps)
		used |= LPL_KEPT;
	if (!lpl_once(word))
		lpl_count_word(keep, word, -(s64)nr);
	lpl_count_word(keep, used, nr);
	lpl_set_folio_word(folio, used);
	return used & LPL_KEPT ? &lpl_class_of(keep, folio, used)->list : window;
}

/**
 * __lpl_keep_touch() - a folio that is on no list was used
 * @folio: the folio, isolated or about to be added
 * @idle: it is known to have been idle since its last use: see lpl_was_idle()
 */
void __lpl_keep_touch(struct folio *folio, bool idle)
{
	struct lpl_keep *keep;
	struct lruvec *lruvec;
	unsigned long flags;
	u32 now = lpl_now();
	u32 word = lpl_folio_word(folio);
	u32 age = lpl_age_now(word, now);
	u32 gap = lpl_word_gap(word);
	bool again = word && !(word & LPL_FRESH);
	u32 kept = lpl_parked(word) ? 0 : word & LPL_KEPT;

	rcu_read_lock();
	lruvec = folio_lruvec(folio);
	keep = lpl_keep_of(lruvec);
	if (keep && again) {
		spin_lock_irqsave(&keep->lock, flags);
		lpl_guard_advance(&keep->guard, now);
		gap = lpl_gap_after(gap, age, 1, lpl_guard_age(&keep->guard));
		if (idle)
			lpl_guard_hit(&keep->guard, age);
		spin_unlock_irqrestore(&keep->lock, flags);
	}
	rcu_read_unlock();
	lpl_set_folio_word(folio, lpl_word_set_gap(lpl_word(now, kept), gap));
}

/* ---------------------------------------------------------------- victims */

/**
 * struct lpl_fight - a batch of victims being chosen
 * @lruvec: from where; lru_lock held
 * @keep: what it keeps
 * @allowed: types that may be taken
 * @swappiness: weighs them
 * @now: current tick
 * @tail: of each type, that of the window; none if it may not be taken; what is
 *	known of one changes under lru_lock, but for LPL_FRESH of its word
 * @worst: of each type, the class whose last is expected last; %NULL if none is kept
 * @taken: victims, oldest last
 * @nr: pages of them
 * @of_window: the same, that are counted there until they are isolated
 */
struct lpl_fight {
	struct lruvec *lruvec;
	struct lpl_keep *keep;
	const bool *allowed;
	unsigned int swappiness;
	u32 now;
	struct lpl_last tail[ANON_AND_FILE];
	struct lpl_class *worst[ANON_AND_FILE];
	struct list_head taken[ANON_AND_FILE];
	unsigned long nr[ANON_AND_FILE];
	u32 of_window;
};

/* What was the last of @list is no more. */
static void lpl_see_last(struct lpl_fight *fight, struct lpl_last *last, struct list_head *list)
{
	last->folio = NULL;
	if (list_empty(list))
		return;
	last->folio = lru_to_folio(list);
	last->word = lpl_folio_word(last->folio);
	last->is.gap = lpl_word_gap(last->word);
	last->is.age = lpl_age_now(last->word, fight->now);
}

static void lpl_see_tail(struct lpl_fight *fight, int type)
{
	if (fight->allowed[type])
		lpl_see_last(fight, &fight->tail[type],
			     lpl_queue_filled(fight->lruvec, type * LRU_FILE));
}

static void lpl_see_class(struct lpl_fight *fight, struct lpl_class *class)
{
	lpl_see_last(fight, &class->last, &class->list);
	if (class->last.folio)
		class->key = lpl_kept_key(&fight->keep->guard, &class->last.is);
}

static void lpl_find_worst(struct lpl_fight *fight, int type)
{
	struct lpl_class *worst = NULL;
	int i;

	for (i = 0; i < LPL_CLASSES; i++) {
		struct lpl_class *class = &fight->keep->classes[type][i];

		if (class->last.folio && (!worst || class->key > worst->key))
			worst = class;
	}
	fight->worst[type] = worst;
}

/* The type whose tail goes first: that of the older one, weighed by swappiness; -1: none. */
static int lpl_tail_type(struct lpl_fight *fight)
{
	struct lpl_last *anon = &fight->tail[WORKINGSET_ANON];
	struct lpl_last *file = &fight->tail[WORKINGSET_FILE];

	if (!anon->folio || !file->folio)
		return anon->folio ? WORKINGSET_ANON : file->folio ? WORKINGSET_FILE : -1;
	return lpl_prefer_anon(anon->is.age, file->is.age, fight->swappiness) ?
	       WORKINGSET_ANON : WORKINGSET_FILE;
}

/* The same of what is kept. */
static int lpl_worst_type(struct lpl_fight *fight)
{
	struct lpl_class *anon = NULL, *file = NULL;

	if (fight->allowed[WORKINGSET_ANON])
		anon = fight->worst[WORKINGSET_ANON];
	if (fight->allowed[WORKINGSET_FILE])
		file = fight->worst[WORKINGSET_FILE];
	if (!anon || !file)
		return anon ? WORKINGSET_ANON : file ? WORKINGSET_FILE : -1;
	return lpl_prefer_anon(anon->key, file->key, fight->swappiness) ?
	       WORKINGSET_ANON : WORKINGSET_FILE;
}

static void lpl_keep_tail(struct lpl_fight *fight, int type)
{
	struct lpl_last *tail = &fight->tail[type];
	struct lpl_class *class = &fight->keep->classes[type][lpl_gap_class(tail->is.gap)];
	struct folio *folio = tail->folio;

	/* It may be one that was kept, and could not be evicted. */
	if (!(tail->word & LPL_KEPT))
		fight->keep->window -= min_t(u32, folio_nr_pages(folio), fight->keep->window);
	lpl_change_folio_word(folio, 0, LPL_KEPT);
	list_move(&folio->lru, &class->list);
	if (!class->last.folio) {
		lpl_see_class(fight, class);
		lpl_find_worst(fight, type);
	}
	lpl_see_tail(fight, type);
}

static void lpl_take_victim(struct lpl_fight *fight, const struct lpl_last *victim, int type)
{
	long nr = folio_nr_pages(victim->folio);

	list_move(&victim->folio->lru, &fight->taken[type]);
	fight->nr[type] += nr;
	if (!(victim->word & LPL_KEPT))
		fight->of_window += nr;
}

static void lpl_take_tail(struct lpl_fight *fight, int type)
{
	lpl_take_victim(fight, &fight->tail[type], type);
	lpl_see_tail(fight, type);
}

/* Its word still says that it is kept: if it turns out to be in use, it is again. */
static void lpl_take_kept(struct lpl_fight *fight, int type)
{
	struct lpl_class *class = fight->worst[type];

	lpl_take_victim(fight, &class->last, type);
	lpl_see_class(fight, class);
	lpl_find_worst(fight, type);
}

/*
 * The window without what was taken, which is counted until it is isolated, as if
 * frames were without it too: so each victim shrinks both in proportion.  The same
 * goes for what is parked.
 */
static u32 lpl_window_left(struct lpl_fight *fight)
{
	struct lpl_keep *keep = fight->keep;
	u32 window = keep->window;

	window -= min(fight->of_window, window);
	return window + lpl_guard_window(&keep->guard, fight->nr[0] + fight->nr[1] + keep->parked);
}

static enum lpl_verdict lpl_fight_once(struct lpl_fight *fight, bool may_keep)
{
	int tail = lpl_tail_type(fight), worst = lpl_worst_type(fight);
	enum lpl_verdict verdict;

	verdict = lpl_guard_judge(&fight->keep->guard, lpl_window_left(fight),
				  tail < 0 ? NULL : &fight->tail[tail].is,
				  worst < 0 ? NULL : &fight->worst[worst]->last.is, may_keep);
	/* First, as what is kept instead may be of the same class. */
	if (worst >= 0 && (verdict == LPL_EVICT_KEPT || verdict == LPL_REPLACE_KEPT))
		lpl_take_kept(fight, worst);
	if (tail >= 0 && (verdict == LPL_KEEP_TAIL || verdict == LPL_REPLACE_KEPT))
		lpl_keep_tail(fight, tail);
	if (tail >= 0 && verdict == LPL_EVICT_TAIL)
		lpl_take_tail(fight, tail);
	return verdict;
}

/* Until @nr pages were taken, or there are none. */
static void lpl_fight_all(struct lpl_fight *fight, unsigned long nr)
{
	unsigned long unfought = 0, last, left = 4 * nr;
	int type, i;

	for (type = 0; type < ANON_AND_FILE; type++) {
		INIT_LIST_HEAD(&fight->taken[type]);
		lpl_see_tail(fight, type);
		for (i = 0; i < LPL_CLASSES; i++)
			lpl_see_class(fight, &fight->keep->classes[type][i]);
		lpl_find_worst(fight, type);
	}
	do {
		last = fight->nr[0] + fight->nr[1];
		/* Twice as many as are taken, at most. */
		if (lpl_fight_once(fight, unfought < 2 * (last + 1)) == LPL_KEEP_TAIL)
			unfought++;
		else if (last == fight->nr[0] + fight->nr[1])
			break;
	} while (--left && fight->nr[0] + fight->nr[1] < nr);
}

/**
 * lpl_keep_choose() - put victims to the tails of the window
 * @lruvec: from where
 * @allowed: which types may be taken
 * @swappiness: as ever
 * @nr: pages, about
 * @taken: how many pages of each type were put there
 *
 * Return: true if @lruvec has guard, so that @taken says all.
 */
bool lpl_keep_choose(struct lruvec *lruvec, const bool *allowed, unsigned int swappiness,
		     unsigned long nr, unsigned long *taken)
{
	struct lpl_fight fight = {
		.lruvec = lruvec, .allowed = allowed, .swappiness = swappiness,
		.now = lpl_now(),
	};
	int type;

	spin_lock_irq(&lruvec->lru_lock);
	fight.keep = lpl_keep_of(lruvec);
	if (!fight.keep) {
		spin_unlock_irq(&lruvec->lru_lock);
		return false;
	}
	lpl_lock_at(fight.keep, fight.now);
	lpl_fight_all(&fight, nr);
	spin_unlock(&fight.keep->lock);
	for (type = 0; type < ANON_AND_FILE; type++) {
		list_splice_tail(&fight.taken[type], &lruvec->lists[type * LRU_FILE]);
		taken[type] = fight.nr[type];
	}
	spin_unlock_irq(&lruvec->lru_lock);
	return true;
}

/**
 * lpl_keep_age() - how old the oldest of a type would be in LRU
 * @lruvec: of which; lru_lock held
 * @type: anonymous or file
 * @age: of the tail of its queue, ticks; -1 if that is empty
 *
 * Return: the largest of @age and that of what is kept, but no more than the age
 * at which LRU would evict; -1 if there is nothing.
 */
s64 lpl_keep_age(struct lruvec *lruvec, int type, s64 age)
{
	struct lpl_keep *keep = lpl_keep_of(lruvec);
	u32 now = lpl_now();
	int class;
	s64 lru;

	if (!keep)
		return age;
	lpl_lock_at(keep, now);
	lru = lpl_guard_age(&keep->guard);
	spin_unlock(&keep->lock);
	for (class = 0; class < LPL_CLASSES && age < lru; class++) {
		struct list_head *list = &keep->classes[type][class].list;

		if (!list_empty(list))
			age = max_t(s64, age, lpl_folio_age(lru_to_folio(list), now));
	}
	return min(age, lru);
}

/* ---------------------------------------------------------------- shadows */

/* That counts it; NULL if guard has been off meanwhile. */
static struct lpl_keep *lpl_keep_of_shadow(struct lruvec *lruvec,
					   const struct lpl_shadow *shadow)
{
	struct lpl_keep *keep = lpl_keep_of(lruvec);

	return keep && (u8)keep->id == shadow->id ? keep : NULL;
}

/**
 * lpl_keep_evicted() - what a shadow is to hold
 * @folio: being evicted, isolated
 * @shadow: to be filled
 *
 * Return: false if there is nothing to be held.
 */
bool lpl_keep_evicted(struct folio *folio, struct lpl_shadow *shadow)
{
	u32 word = lpl_folio_word(folio);
	u32 now = lpl_now();
	struct lpl_keep *keep;
	unsigned long flags;

	/* Large ones of files have one shadow, which may be split. */
	if (!word || lpl_once(word) ||
	    (folio_test_large(folio) && !folio_test_swapcache(folio)))
		return false;
	shadow->age = lpl_age_now(word, now);
	shadow->gap = lpl_word_gap(word);
	rcu_read_lock();
	keep = lpl_keep_of(folio_lruvec(folio));
	if (keep) {
		shadow->id = keep->id;
		spin_lock_irqsave(&keep->lock, flags);
		lpl_guard_advance(&keep->guard, now);
		lpl_guard_shadow(&keep->guard, shadow->age, folio_nr_pages(folio));
		spin_unlock_irqrestore(&keep->lock, flags);
	}
	rcu_read_unlock();
	return keep;
}

/**
 * lpl_keep_unshadow() - a shadow is being removed from its slot
 * @lruvec: of what was evicted
 * @shadow: what it held
 *
 * Context: the i_pages lock held, interrupts disabled; RCU.
 */
void lpl_keep_unshadow(struct lruvec *lruvec, const struct lpl_shadow *shadow)
{
	struct lpl_keep *keep = lpl_keep_of_shadow(lruvec, shadow);

	if (!keep)
		return;
	lpl_lock_at(keep, lpl_now());
	lpl_guard_unshadow(&keep->guard, shadow->age, 1);
	spin_unlock(&keep->lock);
}

/* It would be here if half as much more memory were; @evicts is the age at which LRU does. */
static bool lpl_is_recent(const struct lpl_shadow *shadow, u32 evicts)
{
	return shadow->age <= evicts + evicts / 2;
}

/**
 * lpl_keep_recent() - would what was evicted be here if a little more memory were?
 * @lruvec: of what was evicted
 * @shadow: what its shadow holds
 *
 * Context: RCU.
 * Return: true if it would.
 */
bool lpl_keep_recent(struct lruvec *lruvec, const struct lpl_shadow *shadow)
{
	struct lpl_keep *keep = lpl_keep_of_shadow(lruvec, shadow);
	unsigned long flags;
	u32 evicts;

	if (!keep)
		return false;
	spin_lock_irqsave(&keep->lock, flags);
	evicts = lpl_guard_age(&keep->guard);
	spin_unlock_irqrestore(&keep->lock, flags);
	return lpl_is_recent(shadow, evicts);
}

/**
 * lpl_keep_refault() - what was evicted is used, and will be added to a list
 * @lruvec: of what was evicted, whose queue it was that let it go
 * @folio: the new one, which may come to another
 * @shadow: what the shadow held
 *
 * Context: RCU.
 * Return: as lpl_keep_recent() does.
 */
bool lpl_keep_refault(struct lruvec *lruvec, struct folio *folio,
		      const struct lpl_shadow *shadow)
{
	struct lpl_keep *keep = lpl_keep_of_shadow(lruvec, shadow);
	u32 now = lpl_now(), gap, evicts;
	unsigned long flags;

	if (!keep)
		return false;
	spin_lock_irqsave(&keep->lock, flags);
	lpl_guard_advance(&keep->guard, now);
	evicts = lpl_guard_age(&keep->guard);
	gap = lpl_gap_after(shadow->gap, shadow->age, 1, evicts);
	lpl_guard_refault(&keep->guard, shadow->age);
	spin_unlock_irqrestore(&keep->lock, flags);

	/* Its own fault, or readahead, is what this is; the next use is another. */
	lpl_set_folio_word(folio, lpl_word_set_gap(lpl_word(now, LPL_FRESH), gap));
	return lpl_is_recent(shadow, evicts);
}

/* --------------------------------------------------------------- switching */

/* The oldest of the tails; age in *@age. */
static struct list_head *lpl_oldest(struct list_head **lists, int nr, u32 now)
{
	struct list_head *oldest = NULL;
	u32 most = 0;
	int i;

	for (i = 0; i < nr; i++) {
		u32 age;

		if (list_empty(lists[i]))
			continue;
		age = lpl_folio_age(lru_to_folio(lists[i]), now);
		if (!oldest || age > most) {
			oldest = lists[i];
			most = age;
		}
	}
	return oldest;
}

/* What was kept goes back to where it would be on the queue. */
static void lpl_merge(struct lruvec *lruvec, struct lpl_keep *keep, int type)
{
	struct list_head *queue = &lruvec->lists[type * LRU_FILE];
	struct list_head *lists[LPL_CLASSES + 1], *oldest;
	u32 now = lpl_now();
	LIST_HEAD(merged);
	int i;

	for (i = 0; i < LPL_CLASSES; i++)
		lists[i] = &keep->classes[type][i].list;
	lists[i] = queue;
	while ((oldest = lpl_oldest(lists, LPL_CLASSES + 1, now))) {
		struct folio *folio = lru_to_folio(oldest);

		lpl_change_folio_word(folio, LPL_KEPT | LPL_GAP_MASK, 0);
		list_move(&folio->lru, &merged);
	}
	list_splice(&merged, queue);
}

/**
 * lpl_keep_stop() - end guard in a lruvec
 * @lruvec: which; it is strict from here on, and then the key is turned off
 *
 * In one hold of lru_lock, so that reclaim finds all or nothing of it: some
 * 100 ns a folio. The same goes for lpl_keep_start().
 */
void lpl_keep_stop(struct lruvec *lruvec)
{
	struct lpl_keep *keep;
	int type;

	spin_lock_irq(&lruvec->lru_lock);
	keep = lpl_keep_of(lruvec);
	if (keep) {
		lpl_front_join(lruvec);
		for (type = 0; type < ANON_AND_FILE; type++)
			lpl_merge(lruvec, keep, type);
		WRITE_ONCE(lruvec->lru_page_list.keep, NULL);
	}
	spin_unlock_irq(&lruvec->lru_lock);
	if (keep)
		kfree_rcu(keep, rcu);
}

static void lpl_count_list(struct lruvec *lruvec, struct list_head *list)
{
	struct folio *folio;

	list_for_each_entry(folio, list, lru) {
		u32 word = lpl_folio_word(folio);

		/* What was isolated as guard ended may still say that it is kept. */
		if (word & (LPL_KEPT | LPL_GAP_MASK) || lpl_once(word))
			lpl_change_folio_word(folio, LPL_STREAK_MASK | LPL_GAP_MASK | LPL_KEPT,
					      LPL_VALID);
		__lpl_keep_count(lruvec, folio);
	}
}

static u32 lpl_oldest_age(struct lruvec *lruvec)
{
	u32 now = lpl_now(), oldest = 0;
	int type;

	for (type = 0; type < ANON_AND_FILE; type++) {
		struct list_head *queue = &lruvec->lists[type * LRU_FILE];

		if (!list_empty(queue))
			oldest = max(oldest, lpl_folio_age(lru_to_folio(queue), now));
	}
	return oldest;
}

static void lpl_count_all(struct lruvec *lruvec)
{
	struct folio *folio;
	int type;

	/* A harvest that began before writes words without lru_lock. */
	list_for_each_entry(folio, &lruvec->lru_page_list.once, lru)
		lpl_change_folio_word(folio, 0, LPL_ONCE);
	for (type = 0; type < ANON_AND_FILE; type++) {
		lpl_count_list(lruvec, &lruvec->lists[type * LRU_FILE]);
		lpl_count_list(lruvec, &lruvec->lru_page_list.skipped[type]);
		lpl_count_list(lruvec, &lruvec->lru_page_list.parked[type]);
	}
}

/**
 * lpl_keep_start() - begin guard in a lruvec
 * @lruvec: which; the key has been turned on
 *
 * Without memory for it the lruvec stays strict.
 */
void lpl_keep_start(struct lruvec *lruvec)
{
	struct lpl_keep *keep = kzalloc(sizeof(*keep), GFP_KERNEL);

	if (!keep)
		return;
	spin_lock_irq(&lruvec->lru_lock);
	if (lpl_keep_of(lruvec)) {
		spin_unlock_irq(&lruvec->lru_lock);
		kfree(keep);
		return;
	}
	lpl_front_join(lruvec);
	lpl_keep_init(keep, lpl_oldest_age(lruvec));
	/* What it points to is seen before it is. */
	smp_store_release(&lruvec->lru_page_list.keep, keep);
	lpl_count_all(lruvec);
	spin_unlock_irq(&lruvec->lru_lock);
}

/* ------------------------------------------------------------------ stats */

/**
 * struct lpl_keep_sums - of all lruvecs
 * @frames: pages that are counted
 * @shadows: shadows that are
 * @kept: pages that are kept
 * @window: pages that the windows are to have
 * @gain: hits where LRU would have missed
 * @regret: misses where it would have hit
 * @trips: how often it was left
 * @tripped: lruvecs in which it is
 * @drift: what left and had not been counted
 */
struct lpl_keep_sums {
	u64 frames;
	u64 shadows;
	u64 kept;
	u64 window;
	u64 gain;
	u64 regret;
	u64 trips;
	u64 tripped;
	u64 drift;
};

static void lpl_keep_sum(struct lruvec *lruvec, struct lpl_keep_sums *sums)
{
	struct lpl_keep *keep;

	spin_lock_irq(&lruvec->lru_lock);
	keep = lpl_keep_of(lruvec);
	if (keep) {
		struct lpl_guard *guard = &keep->guard;

		lpl_lock_at(keep, lpl_now());
		sums->frames += guard->frames;
		sums->shadows += guard->total - min(guard->frames, guard->total);
		sums->kept += guard->frames - min(keep->window + keep->parked, guard->frames);
		sums->window += lpl_guard_window(guard, guard->frames);
		sums->gain += guard->gain;
		sums->regret += guard->regret;
		sums->trips += guard->trips;
		sums->tripped += guard->tripped;
		sums->drift += guard->drift;
		spin_unlock(&keep->lock);
	}
	spin_unlock_irq(&lruvec->lru_lock);
}

/**
 * lpl_keep_stats() - what guard does, for the file of counters
 * @buf: of a page
 * @at: how much of it is used
 *
 * Return: how much more.
 */
int lpl_keep_stats(char *buf, int at)
{
	struct mem_cgroup *memcg = mem_cgroup_iter(NULL, NULL, NULL);
	struct lpl_keep_sums sums = { };
	int nid;

	do {
		for_each_node_state(nid, N_MEMORY)
			lpl_keep_sum(mem_cgroup_lruvec(memcg, NODE_DATA(nid)), &sums);
	} while ((memcg = mem_cgroup_iter(NULL, memcg, NULL)));
	return sysfs_emit_at(buf, at,
			     "guard_pages %llu\nguard_shadows %llu\nguard_kept %llu\n"
			     "guard_window %llu\nguard_gain %llu\nguard_regret %llu\n"
			     "guard_trips %llu\nguard_tripped %llu\nguard_drift %llu\n",
			     sums.frames, sums.shadows, sums.kept, sums.window, sums.gain,
			     sums.regret, sums.trips, sums.tripped, sums.drift);
}
