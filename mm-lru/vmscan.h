/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: taking from the tail.  Included by mm/vmscan.c and by nothing
 * else: isolation, all checks of what may be evicted, protection of memory
 * cgroups and the accounting are the stock ones, which are static there.
 */
#ifdef CONFIG_LRU_PAGE_LIST
#include "internal.h"
#include "keep.h"
#include "word.h"

static bool pgdat_balanced(pg_data_t *pgdat, int order, int highest_zoneidx);

#define LPL_AGE_ONCE	U32_MAX

/**
 * struct lpl_tails - what reclaim has seen of the tails it may take from
 * @tick: when it looked last
 * @oldest: age of the oldest in that tick
 * @oldest_before: the same in the tick in which it had looked before
 * @once: some had pages that were read once in that tick
 * @once_before: the same in the tick in which it had looked before
 * @once_of: who had them, the last one; only to be compared
 *
 * For a node and the memory cgroup whose limit is reclaimed for, or for all.
 * Without a lock, and two may have to share one: these are hints, and only while
 * reclaim has no difficulties, see lpl_old_enough().
 */
struct lpl_tails {
	u32 tick;
	u32 oldest;
	u32 oldest_before;
	bool once;
	bool once_before;
	const struct lruvec *once_of;
};

static struct lpl_tails lpl_tails[64];

static struct lpl_tails *lpl_tails_of(struct lruvec *lruvec, struct scan_control *sc)
{
	unsigned int id = cgroup_reclaim(sc) ? mem_cgroup_id(sc->target_mem_cgroup) : 0;

	return &lpl_tails[(id * nr_node_ids + lruvec_pgdat(lruvec)->node_id) %
			  ARRAY_SIZE(lpl_tails)];
}

/* That of the memory cgroup that reclaim is for, or of the root. */
static struct lruvec *lpl_target(struct lruvec *lruvec, struct scan_control *sc)
{
	return mem_cgroup_lruvec(sc->target_mem_cgroup, lruvec_pgdat(lruvec));
}

void lpl_change_lru_gen(bool enabled)
{
	lru_gen_change_state(enabled);
}

/*
 * What decides between the two queues.  As in get_scan_count() it spares nothing at the
 * last priority, but for 0; that of kswapd is 1.
 */
static int lpl_swappiness(struct lruvec *lruvec, struct scan_control *sc)
{
	int swappiness = sc_swappiness(sc, lruvec_memcg(lruvec));
	bool last = sc->priority <= current_is_kswapd();

	return swappiness && last ? MAX_SWAPPINESS / 2 : swappiness;
}

/*
 * Which of the two queues may be taken from.  Anonymous pages are mapped, but for a
 * few; reclaim of a node that has others beside it may be told to leave such alone.
 */
static void lpl_allowed(struct lruvec *lruvec, struct scan_control *sc, bool *allowed)
{
	struct mem_cgroup *memcg = lruvec_memcg(lruvec);
	int swappiness = lpl_swappiness(lruvec, sc);
	int nid = lruvec_pgdat(lruvec)->node_id;

	allowed[WORKINGSET_ANON] = sc->may_swap && sc->may_unmap &&
		can_reclaim_anon_pages(memcg, nid, sc) &&
		(swappiness || (!cgroup_reclaim(sc) && sc->file_is_tiny));
	allowed[WORKINGSET_FILE] = !sc->priority ||
		!(allowed[WORKINGSET_ANON] && (sc->file_is_tiny || swappiness == MAX_SWAPPINESS));
}

/* Of the oldest of a type; -1 if there is nothing. */
static s64 lpl_queue_age(struct lruvec *lruvec, enum lru_list lru)
{
	struct list_head *queue;
	s64 age = -1;

	spin_lock_irq(&lruvec->lru_lock);
	lpl_front_advance(lruvec, lpl_now(), lpl_front_is_apart() ? LPL_BEHIND_MOST : 0);
	queue = lpl_queue_filled(lruvec, lru);
	if (!list_empty(queue))
		age = lpl_folio_age(lru_to_folio(queue), lpl_now());
	if (lpl_guarded())
		age = lpl_keep_age(lruvec, lru / LRU_FILE, age);
	spin_unlock_irq(&lruvec->lru_lock);
	return age;
}

/* -1 if there is nothing. */
static s64 lpl_tail_age(struct lruvec *lruvec, struct list_head *queue)
{
	s64 age = -1;

	spin_lock_irq(&lruvec->lru_lock);
	if (!list_empty(queue))
		age = lpl_folio_age(lru_to_folio(queue), lpl_now());
	spin_unlock_irq(&lruvec->lru_lock);
	return age;
}

/*
 * What was read once becomes the tail of the file queue if it is to be taken: so many of
 * @nr pages.  0: the queues have to be looked at.
 */
static unsigned long lpl_choose_once(struct lruvec *lruvec, struct scan_control *sc, s64 age,
				     unsigned long nr)
{
	s64 once = lpl_tail_age(lruvec, &lruvec->lru_page_list.once);
	unsigned long taken = 0;
	bool take;

	if (once < 0)
		return 0;
	take = age < 0 || lpl_prefer_once(once, false, age);
	spin_lock_irq(&lruvec->lru_lock);
	/* They are counted only if it depends on that. */
	if (take || lpl_many_once(lruvec))
		taken = lpl_take_once(lruvec, sc->reclaim_idx, nr);
	spin_unlock_irq(&lruvec->lru_lock);
	return min(taken, nr);
}

/*
 * The list to take @nr from next, or less, the age of its tail, and of the oldest, which
 * swappiness may spare; false if all are empty.  What was read once has an age above
 * all, as it goes first.  Where there is nothing anonymous, cache is not spared for it.
 */
static bool lpl_choose(struct lruvec *lruvec, struct scan_control *sc,
		       const bool *allowed, unsigned long *nr,
		       enum lru_list *lru, u32 *age, u32 *oldest)
{
	s64 anon = allowed[WORKINGSET_ANON] ?
		   lpl_queue_age(lruvec, LRU_INACTIVE_ANON) : -1;
	bool spared = !allowed[WORKINGSET_FILE] && anon >= 0;
	s64 file = spared ? -1 : lpl_queue_age(lruvec, LRU_INACTIVE_FILE);
	unsigned long once = spared ? 0 :
			     lpl_choose_once(lruvec, sc, max(anon, file), *nr);

	if (once) {
		*nr = once;
		*lru = LRU_INACTIVE_FILE;
		*age = *oldest = LPL_AGE_ONCE;
		return true;
	}
	if (anon < 0 && file < 0)
		return false;
	if (file < 0 ||
	    (anon >= 0 && lpl_prefer_anon(anon, file, lpl_swappiness(lruvec, sc)))) {
		*lru = LRU_INACTIVE_ANON;
		*age = anon;
	} else {
		*lru = LRU_INACTIVE_FILE;
		*age = file;
	}
	*oldest = max(anon, file);
	return true;
}

static void lpl_tails_tick(struct lpl_tails *all, u32 now)
{
	if (now == READ_ONCE(all->tick))
		return;
	WRITE_ONCE(all->oldest_before, READ_ONCE(all->oldest));
	WRITE_ONCE(all->oldest, 0);
	WRITE_ONCE(all->once_before, READ_ONCE(all->once));
	WRITE_ONCE(all->once, false);
	WRITE_ONCE(all->tick, now);
}

/* There is what was read once elsewhere: a stream does not flush its siblings. */
static bool lpl_once_elsewhere(const struct lpl_tails *all, const struct lruvec *lruvec)
{
	return (READ_ONCE(all->once) || READ_ONCE(all->once_before)) &&
	       READ_ONCE(all->once_of) != lruvec;
}

/* kswapd may not swap where it makes room for larger blocks of a kind: it is to shrink caches. */
static bool lpl_is_boosting(const struct scan_control *sc)
{
	return current_is_kswapd() && !sc->may_swap;
}

/*
 * One queue over all memory cgroups that reclaim is for: at first only those
 * give that have what was read once, or whose tail is as old as the oldest that
 * was seen in this tick or in the one before in which there was reclaim, give or
 * take an eighth.  When that has not sufficed three times, which the number of the
 * priority tells, all do, as protection or a lack of swap may hold the oldest.  A node
 * that is boosted has seen anonymous tails before, which it may not take now.
 */
static bool lpl_old_enough(struct lruvec *lruvec, struct scan_control *sc, u32 age)
{
	struct lpl_tails *all = lpl_tails_of(lruvec, sc);
	u32 oldest;

	if (lpl_is_boosting(sc))
		return true;
	lpl_tails_tick(all, lpl_now());
	if (age == LPL_AGE_ONCE) {
		WRITE_ONCE(all->once_of, lruvec);
		WRITE_ONCE(all->once, true);
		return true;
	}
	if (age > READ_ONCE(all->oldest))
		WRITE_ONCE(all->oldest, age);

	if (sc->priority < DEF_PRIORITY - 2)
		return true;
	if (lpl_once_elsewhere(all, lruvec))
		return false;
	oldest = max(READ_ONCE(all->oldest), READ_ONCE(all->oldest_before));
	return age >= oldest - oldest / 8;
}

/* kswapd goes on though the node is balanced if that is to be boosted. */
static bool lpl_enough(struct lruvec *lruvec, struct scan_control *sc,
		       unsigned long reclaimed)
{
	if (reclaimed >= sc->nr_to_reclaim)
		return true;
	return current_is_kswapd() && !lpl_is_boosting(sc) &&
	       pgdat_balanced(lruvec_pgdat(lruvec), sc->order, sc->reclaim_idx);
}

/*
 * As many as classic would scan, and a batch at least: which of the memory
 * cgroups gives is decided by age, and a small one may be the oldest.  None
 * where nothing is of the zones that are of use, or all would be skipped.
 */
static unsigned long lpl_scan_target(struct lruvec *lruvec, struct scan_control *sc)
{
	unsigned long nr[NR_LRU_LISTS], sum = 0;
	unsigned long fit = 0;
	enum lru_list lru;

	/* All folios are inactive; that is no sign of cache to be trimmed. */
	sc->cache_trim_mode = 0;
	get_scan_count(lruvec, sc, nr);
	for_each_evictable_lru(lru) {
		sum += nr[lru];
		fit += lruvec_lru_size(lruvec, lru, sc->reclaim_idx);
	}
	return fit ? max(sum, SWAP_CLUSTER_MAX) : 0;
}

/*
 * Guard takes the worst pages, of whatever zone.  Where only some zones are of use
 * most of its choice would be skipped, and no longer be kept: the window is taken as
 * it is then, until that has not sufficed three times.
 */
static bool lpl_may_choose(struct lruvec *lruvec, struct scan_control *sc)
{
	struct pglist_data *pgdat = lruvec_pgdat(lruvec);
	int zid;

	if (!lpl_guarded())
		return false;
	for (zid = sc->reclaim_idx + 1; zid < MAX_NR_ZONES; zid++)
		if (managed_zone(&pgdat->node_zones[zid]))
			return sc->priority < DEF_PRIORITY - 2;
	return true;
}

/* What guard evicts, which may be of both types; false if there is none here. */
static bool lpl_shrink_chosen(struct lruvec *lruvec, struct scan_control *sc,
			      const bool *allowed, unsigned long nr,
			      unsigned long *reclaimed)
{
	int swappiness = lpl_swappiness(lruvec, sc);
	unsigned long chosen[ANON_AND_FILE];
	int type;

	if (!lpl_keep_choose(lruvec, allowed, swappiness, nr, chosen))
		return false;
	for (type = 0; type < ANON_AND_FILE; type++)
		if (chosen[type])
			*reclaimed += shrink_inactive_list(chosen[type], lruvec, sc,
							   type * LRU_FILE);
	return true;
}

/*
 * What turns out to be accessed at the tail goes to the front, which is reason
 * enough at any priority but the last: there what is accessed goes too, or all
 * that is left would be kept for being in use until something is killed.
 */
static void lpl_shrink_lruvec(struct lruvec *lruvec, struct scan_control *sc)
{
	unsigned long left = lpl_scan_target(lruvec, sc);
	unsigned long reclaimed = 0;
	bool allowed[ANON_AND_FILE];
	struct blk_plug plug;
	bool first = true;
	enum lru_list lru;
	u32 age, oldest;

	lpl_take_over(lruvec);
	/* Once as it gets difficult, and before something is killed. */
	lpl_try_again(lruvec, !sc->priority || sc->priority == DEF_PRIORITY / 2 - 1);
	lpl_allowed(lruvec, sc, allowed);
	lpl_count(LPL_RECLAIM_ROUNDS, 1);

	blk_start_plug(&plug);
	while (left) {
		unsigned long nr = min(left, SWAP_CLUSTER_MAX);

		if (!lpl_choose(lruvec, sc, allowed, &nr, &lru, &age, &oldest))
			break;
		if (!lpl_old_enough(lruvec, sc, oldest))
			break;
		if (first && age != LPL_AGE_ONCE) {
			lpl_note_eviction(lpl_target(lruvec, sc), age);
			first = false;
		}
		left -= nr;
		if (age == LPL_AGE_ONCE || !lpl_may_choose(lruvec, sc) ||
		    !lpl_shrink_chosen(lruvec, sc, allowed, nr, &reclaimed))
			reclaimed += shrink_inactive_list(nr, lruvec, sc, lru);
		cond_resched();
		if (lpl_enough(lruvec, sc, reclaimed))
			break;
	}
	blk_finish_plug(&plug);
	sc->nr_reclaimed += reclaimed;

	spin_lock_irq(&lruvec->lru_lock);
	lpl_unskip(lruvec);
	spin_unlock_irq(&lruvec->lru_lock);
}

/* True if @lruvec is this policy's, and has been shrunk. */
static bool lru_page_list_shrink(struct lruvec *lruvec, struct scan_control *sc)
{
	if (!lru_page_list_enabled())
		return false;
	lpl_shrink_lruvec(lruvec, sc);
	return true;
}
#else
static inline bool lru_page_list_shrink(struct lruvec *lruvec, struct scan_control *sc)
{
	return false;
}
#endif /* CONFIG_LRU_PAGE_LIST */
