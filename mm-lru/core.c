// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: a queue of the pages of all processes, by last access.
 *
 *		Where the order is
 *
 * A folio is on the list of its memory cgroup and node by folio->lru, as ever:
 * while this policy is active all evictable folios are in two queues of their
 * lruvec, PG_active clear, most recently used first, but for those that reclaim has
 * put aside (read once, parked, skipped, kept by guard).  The tail of a queue is the
 * inactive list, and all count as if they were on that.  So what isolates,
 * migrates, splits, charges or frees folios needs to know nothing of the policy, and
 * the checks of reclaim are the stock ones.
 *
 * A word of 4 bytes for each page (page_ext) says when a folio was last seen
 * accessed, in ticks of 10 ms.  The list is the order within one lruvec and
 * type; the stamps order the lists against each other: reclaim takes from the
 * oldest tail, and debugfs merges the lists into the one queue that they are.
 * The stamp is also what puts a folio back where it was after compaction or
 * migration had taken it off.  For its place to be found the queue is in parts, each
 * of which has what came in one part of the time; the inactive list has what is older
 * than all of them, from where the stock code takes, and gets the oldest part when it
 * has no more.  There is a most of them, so each is of about the same part of its age:
 * see lpl_queue_advance().  With guard the window is not in such parts, as its order
 * matters less; only its front is apart, see below.
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
 * came after the last harvest; and what is mapped beside what it is asked about is looked
 * at as well, so that it finds few: see beside.c.
 * In mode `always' a harvest is due each 10 ms; otherwise it is when the order
 * would be wrong by more than a part of the age at which pages are evicted now,
 * and only while the budget lasts; see control.c.
 *
 * Reading a bit without clearing it tells nothing the second time, and clearing
 * it has a price: on cores without hardware accessed flag the next touch
 * faults.  Where nothing is being reclaimed the order has no use, and such
 * cores are left alone.  One flush of the TLB for each address space and
 * harvest, or part of one, follows the clearing, since an entry that stays in
 * the TLB would hide all later accesses, most of all to the hottest pages.
 *
 * Secondary page tables (KVM's) are looked at, alone, only by reclaim, at the
 * tail; a harvest clears their bits of what it finds accessed in the first.
 * What else clears accessed bits of the same address spaces (lkp25p3's monitor)
 * is told of what is cleared here, and tells: see accessed_bits.h.  What only
 * asks whether memory was accessed at all finds PG_referenced in place of the
 * bit: see lpl_mark_referenced().
 *
 *		Locks
 *
 *	mmap_lock (trylock, read)	harvest of one mm; given up when wanted
 *	  page table lock		pins what is mapped: no references needed; beside
 *					the one that reclaim holds others are tried
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
 * insertion of a folio that was isolated meanwhile, write a stamp not older than
 * what they have read.  So an age is wrong by the time since the harvest before, at
 * most, or what was written last is lost with the use that it told of.
 *
 *		Page cache that no process has mapped
 *
 * It is in the queue too, from its second use on: what is read once, as by a
 * stream, waits on a list of its own and is taken from there first, as soon as
 * it is so old, or there is so much of it, that readahead has been of use, or the
 * tail of the queue is not much older.
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
 * journal holds; what somebody has a reference to; what the stock code makes active
 * for want of a place to write it to, as where swap or zswap takes no more of it.
 * Most of that ends without a sign, so all that is parked goes back to the tail
 * together when the first has been for LPL_PARK_MOST, or when reclaim has difficulties:
 * nothing is killed for it.
 */
#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"
#include "keep.h"
#include "word.h"

DEFINE_STATIC_KEY_FALSE(lru_page_list_key);
/* Guard has been in force: what it made for memory cgroups may outlive that. */
DEFINE_STATIC_KEY_FALSE(lru_page_list_kept_key);

atomic_long_t lpl_stats[LPL_NR_STATS];

/* ------------------------------------------------------------------ lists */

static void lpl_front_step_of(struct lruvec *lruvec, bool file, u32 age, u32 every,
			      struct list_head *queue)
{
	struct lru_page_list_lruvec *state = &lruvec->lru_page_list;

	lpl_front_step(&state->front[0][file], &state->front[1][file], queue, age, every);
}

/* The tail is all of the queue, but for what is in front of it. */
static void lpl_queue_join_all(struct lruvec *lruvec)
{
	int file;

	for (file = 0; file < 2; file++)
		while (lpl_queue_join(&lruvec->lru_page_list.queue[file],
				      &lruvec->lists[file * LRU_FILE]))
			;
}

/**
 * lpl_front_advance() - let the queue, and what is in front of it, get older
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
	u32 age = lpl_front_age(state->front_since, now);
	int file;

	if (lpl_queue_is_in_parts(lruvec))
		for (file = 0; file < 2; file++)
			lpl_queue_advance(&state->queue[file], now);
	else
		lpl_queue_join_all(lruvec);
	/* Most of the time, and each insertion asks. */
	if (age < every)
		return;
	for (file = 0; file < 2; file++)
		lpl_front_step_of(lruvec, file, age, every, lpl_queue_head(lruvec, file));
	state->front_since += age;
}

/**
 * lpl_front_join() - all of the queue, and what is in front of it, is one list, the tail
 * @lruvec: whose; lru_lock held
 */
void lpl_front_join(struct lruvec *lruvec)
{
	int file;

	lockdep_assert_held(&lruvec->lru_lock);
	lpl_queue_join_all(lruvec);
	for (file = 0; file < 2; file++)
		lpl_front_step_of(lruvec, file, 0, 0, &lruvec->lists[file * LRU_FILE]);
}

/**
 * lpl_queue_filled() - the tail of the queue
 * @lruvec: whose; lru_lock held
 * @lru: of which type
 *
 * Return: its list; empty only if nothing is in front of it either.
 */
struct list_head *lpl_queue_filled(struct lruvec *lruvec, enum lru_list lru)
{
	struct list_head *tail = &lruvec->lists[lru];
	bool file = lru / LRU_FILE;

	if (list_empty(tail) && !lpl_queue_join(&lruvec->lru_page_list.queue[file], tail))
		lpl_front_step_of(lruvec, file, 0, 0, tail);
	return tail;
}

/*
 * Reclaim isolates from @src, and has used it up; true if there is more now.  It goes on
 * through all of the queue, and what is in front of it, as if that were one list: what is
 * of zones that are of no use to it does not count as looked at.
 */
bool __lru_page_list_fill(struct lruvec *lruvec, struct list_head *src, enum lru_list lru)
{
	return !is_active_lru(lru) && src == &lruvec->lists[lru] &&
	       !list_empty(lpl_queue_filled(lruvec, lru));
}

/* Where what is used in this very tick goes. */
static struct list_head *lpl_front(struct lruvec *lruvec, struct folio *folio, u32 now)
{
	bool apart = lpl_front_is_apart();

	lpl_front_advance(lruvec, now, apart ? LPL_BEHIND_MOST : 0);
	return apart ? lpl_front_of(lruvec, folio) : lpl_queue_of(lruvec, folio);
}

/* The last page cache that was added, on a CPU, was mapped; under any lru_lock. */
static DEFINE_PER_CPU(bool, lpl_mapped_last);

/*
 * A fault adds a folio before it maps it.  The one that fills the batch of its CPU goes to
 * a list in that moment, as the last of some that are mapped by now, and would look like
 * one that was read.  A wrong guess lets a page of a stream into the queue, one in a batch.
 */
static bool lpl_is_to_be_mapped(struct folio *folio)
{
	return __this_cpu_read(lpl_mapped_last) && folio_test_locked(folio) &&
	       !folio_test_uptodate(folio);
}

/*
 * A stream would push out all else; what refaults, or is used a second time, has
 * PG_active here.  What MADV_FREE has given up goes first as well.
 */
static bool lpl_use_once(struct folio *folio)
{
	if (READ_ONCE(lpl_leaving) || !folio_is_file_lru(folio))
		return false;
	return folio_test_anon(folio) ||
	       (!folio_test_active(folio) && !folio_mapped(folio) &&
		!lpl_is_to_be_mapped(folio));
}

/* Where one of this age is in the queue. */
static struct list_head *lpl_sorted(struct lruvec *lruvec, bool file, u32 age, u32 now)
{
	struct list_head *tail = &lruvec->lists[file * LRU_FILE];

	if (!lpl_queue_is_in_parts(lruvec)) {
		/* It may have been until a moment ago. */
		lpl_queue_join_all(lruvec);
		return lpl_place(tail, age, now, lpl_folio_age);
	}
	return lpl_queue_place(&lruvec->lru_page_list.queue[file], tail, age, now, lpl_folio_age);
}

/* Where @folio goes, which is new more often than not. */
static struct list_head *lpl_position(struct lruvec *lruvec, struct folio *folio)
{
	struct list_head *kept;
	u32 *at = lpl_word_at(&folio->page);
	u32 old = at ? READ_ONCE(*at) : 0, word = old;
	u32 since = READ_ONCE(lpl_since);
	u32 now = lpl_now();
	u32 age;
	bool new;

	if (!at)
		return lpl_queue_of(lruvec, folio);
	/* Stamps from before the policy was chosen say nothing. */
	new = !word || lpl_age(word, now, since) > now - since;
	if (new)
		word = lpl_word(now, LPL_FRESH);
	if ((word & LPL_FRESH || folio_test_anon(folio)) && lpl_use_once(folio)) {
		__this_cpu_write(lpl_mapped_last, false);
		WRITE_ONCE(*at, lpl_word(word, LPL_ONCE));
		return &lruvec->lru_page_list.once;
	}
	if (new && folio_is_file_lru(folio))
		__this_cpu_write(lpl_mapped_last, folio_mapped(folio));
	if (lpl_once(word))
		word &= ~LPL_STREAK_MASK;
	/* Not over what a harvest has written meanwhile. */
	if (word != old)
		WRITE_ONCE(*at, word);
	age = lpl_age(word, now, since);
	kept = lpl_guarded() && word & LPL_KEPT ? lpl_keep_queue(lruvec, folio, NULL) : NULL;
	if (kept)
		return lpl_place(kept, age, now, lpl_folio_age);
	/* What reclaim found accessed was used at some time since the last harvest. */
	if (new || (!age && (!folio_test_referenced(folio) || word & LPL_STREAK_MASK)))
		return lpl_front(lruvec, folio, now);
	return lpl_sorted(lruvec, folio_is_file_lru(folio), age, now);
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

	/* It has been written to be evicted, but is mapped again, so it was used meanwhile. */
	if (tail && folio_mapped(folio))
		tail = false;
	position = tail ? NULL : lpl_position(lruvec, folio);
	lruvec->lru_page_list.added_active = folio_test_active(folio);
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

/* Where there are memory cgroups nothing is in a node's own, which nobody would free. */
static bool lpl_is_used(const struct lruvec *lruvec)
{
	int nid;

	if (mem_cgroup_disabled())
		return true;
	for_each_node(nid)
		if (lruvec == &NODE_DATA(nid)->__lruvec)
			return false;
	return true;
}

/* A memory cgroup, or a node, is being made; under a lock of lpl_switch_guard()'s. */
void __lru_page_list_init_lruvec(struct lruvec *lruvec)
{
	if (lpl_guarded() && lpl_is_used(lruvec))
		lpl_keep_start(lruvec);
}

/* A memory cgroup is being freed; it has no folios and cannot be found. */
void __lru_page_list_exit_lruvec(struct lruvec *lruvec)
{
	kfree(lruvec->lru_page_list.keep);
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
