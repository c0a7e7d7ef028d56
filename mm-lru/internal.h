/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: what its files know of each other, by the file that has it.
 */
#ifndef _MM_LRU_PAGE_LIST_INTERNAL_H
#define _MM_LRU_PAGE_LIST_INTERNAL_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/lru_page_list.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/time64.h>
#include <linux/types.h>

/* Ages are in ticks; a tick is what the queue is exact to. */
#define LPL_TICK_MS		10
#define LPL_TICKS_PER_SEC	(MSEC_PER_SEC / LPL_TICK_MS)

/**
 * lpl_tick_of() - the tick of a time
 * @jiffies64: the time
 *
 * Jiffies need not divide a tick: with HZ=250 it has 3 and 2 of them in turn.
 *
 * Return: ticks of LPL_TICK_MS, wrapping around at 2^32.
 */
static inline u32 lpl_tick_of(u64 jiffies64)
{
	return div_u64(jiffies64 * MSEC_PER_SEC, HZ * LPL_TICK_MS);
}

/* The current one. */
static inline u32 lpl_now(void)
{
	return lpl_tick_of(get_jiffies_64());
}

/*
 * The word of a folio, at its first page.  0: not seen yet, or freed since.
 *   stamp	tick of the last access that was seen
 *   streak	harvests in a row that found it touched, 3 for more
 *   gap		time between uses, code of guard.c in half its steps; 0: not known
 *   kept	on a list of what guard keeps
 *   fresh	what was seen is the fault that brought it, not a use after it;
 *		with the longest streak, which that cannot have: it was read once
 *   valid	so that no stamp looks like "not seen yet"
 */
#define LPL_STAMP_BITS		21
#define LPL_STAMP_MASK		GENMASK(LPL_STAMP_BITS - 1, 0)
#define LPL_STREAK_SHIFT	LPL_STAMP_BITS
#define LPL_STREAK_MASK		GENMASK(LPL_STAMP_BITS + 1, LPL_STAMP_BITS)
#define LPL_GAP_BITS		6
#define LPL_GAP_SHIFT		(LPL_STAMP_BITS + 2)
#define LPL_GAP_MASK		GENMASK(LPL_GAP_SHIFT + LPL_GAP_BITS - 1, LPL_GAP_SHIFT)
#define LPL_KEPT		BIT(29)
#define LPL_FRESH		BIT(30)
#define LPL_VALID		BIT(31)
#define LPL_ONCE		(LPL_FRESH | LPL_STREAK_MASK)

/* A stamp may be younger than the current tick by so many: see lpl_age(). */
#define LPL_STAMP_AHEAD		1024
/* How often lpl_word_kept() is applied to all words, ticks; 44 min. */
#define LPL_KEEP_EVERY		BIT(LPL_STAMP_BITS - 3)

/* For so many harvests a folio is left alone at the most: see lpl_leave(). */
#define LPL_LEAVE_MOST		4

/*
 * So long before a harvest, at the most, is what it finds used taken to have been
 * used, ticks; and what comes by a fault is in front of that for as long: see core.c.
 */
#define LPL_BEHIND_MOST		(LPL_TICKS_PER_SEC / 2)

/* How far from an end of the queue a folio that comes back is sorted in. */
#define LPL_PLACE_MAX		64

/* queue.c: where folios go; no state. */
typedef u32 (*lpl_age_fn)(struct folio *folio, u32 now);

static inline u32 lpl_word(u32 tick, u32 flags)
{
	return (tick & LPL_STAMP_MASK) | LPL_VALID | flags;
}

static inline bool lpl_word_is_of(u32 word, u32 tick)
{
	return !((word ^ tick) & LPL_STAMP_MASK);
}

/* On the list of what was read once, or taken from there to be evicted. */
static inline bool lpl_once(u32 word)
{
	return (word & LPL_ONCE) == LPL_ONCE;
}

/**
 * lpl_age() - how long ago a folio was accessed
 * @word: its word
 * @now: current tick
 * @since: tick at which the policy was chosen; nothing is known from before
 *
 * Stamps wrap around after 2^21 ticks, 5.8 hours; lpl_word_kept() sees to it that
 * none of a page gets that old. An age that is nearly as much is a stamp that is younger
 * than @now, which was read once for many folios.
 *
 * Return: ticks; never more than one more than @since is ago.
 */
static inline u32 lpl_age(u32 word, u32 now, u32 since)
{
	u32 most = min(now - since + 1, (u32)LPL_STAMP_MASK / 2);
	u32 age = (now - word) & LPL_STAMP_MASK;

	if (!(word & LPL_VALID))
		return most;
	if (age > LPL_STAMP_MASK - LPL_STAMP_AHEAD)
		return 0;
	return min(age, most);
}

/**
 * lpl_fault_alone() - is an accessed bit that of the fault that brought a folio?
 * @word: of the folio
 * @age: its age, ticks
 * @since: ticks since the last harvest began that has looked at it
 *
 * Such a folio has the time of the fault as its stamp: to count the bit as an
 * access would put it before what came later, and make cold pages of hot ones'
 * age.  Not so if a harvest since has found the bit clear, as of what was read
 * ahead and is mapped now; nor if it is on the list of what was read once, where
 * it does not belong then.
 *
 * Return: true if it is.
 */
static inline bool lpl_fault_alone(u32 word, u32 age, u32 since)
{
	return word & LPL_FRESH && !lpl_once(word) && age <= since;
}

/**
 * lpl_faulted_between() - the same, in fewer instructions
 * @word: of the folio
 * @now: current tick
 * @least: its age is this, at the least, ticks
 * @since: ticks since the last harvest began that has looked at it
 *
 * Return: true if it is; it may be false for a stamp that is younger than @now.
 */
static inline bool lpl_faulted_between(u32 word, u32 now, u32 least, u32 since)
{
	u32 age = (now - word) & LPL_STAMP_MASK;

	return word & LPL_FRESH && !lpl_once(word) && age >= least && age <= since;
}

/**
 * lpl_is_younger() - was a folio used lately?
 * @word: its word
 * @now: current tick
 * @age: less ticks ago than this
 *
 * Return: true if it was; it may be false for a stamp that is younger than @now.
 */
static inline bool lpl_is_younger(u32 word, u32 now, u32 age)
{
	return word & LPL_VALID && ((now - word) & LPL_STAMP_MASK) < age;
}

u32 lpl_word_kept(u32 word, u32 now);
u32 lpl_word_touched(u32 word, u32 age, u32 now, u32 every, u32 behind);
u32 lpl_word_met(u32 word, u32 now);
bool lpl_leave(u32 word, u32 age, u32 every);
bool lpl_was_idle(u32 word, u32 age, u32 period, u32 every);
struct list_head *lpl_place(struct list_head *queue, u32 age, u32 now,
			    lpl_age_fn age_of);
struct list_head *lpl_queue_place(struct lru_page_list_queue *queue, struct list_head *tail,
				  u32 age, u32 now, lpl_age_fn age_of);
void lpl_queue_advance(struct lru_page_list_queue *queue, u32 now);
bool lpl_queue_join(struct lru_page_list_queue *queue, struct list_head *tail);
bool lpl_queue_empty(const struct lru_page_list_queue *queue);

/* The part that so many others are newer than; 0: the newest. */
static inline struct list_head *lpl_queue_part(struct lru_page_list_queue *queue, unsigned int i)
{
	return &queue->list[queue->slot[i]];
}

u32 lpl_front_age(u32 since, u32 now);
bool lpl_front_step(struct list_head *newer, struct list_head *older,
		    struct list_head *queue, u32 age, u32 every);
bool lpl_prefer_anon(u32 anon_age, u32 file_age, unsigned int swappiness);
bool lpl_prefer_once(u32 once_age, bool many, u32 age);

/* control.c: when to harvest, and how much; no state but what it is given. */

/* Ticks between two harvests where nothing is evicted; no more anywhere. */
#define LPL_NO_PRESSURE		(8 * LPL_TICKS_PER_SEC)

/**
 * struct lpl_budget - CPU time that the harvester may use
 * @credit: what is left of it, ns; less than 0 if it was overrun
 * @stamp: when it was last added to, ns
 */
struct lpl_budget {
	s64 credit;
	u64 stamp;
};

u32 lpl_resolution(u32 evict_age, u32 shortest, bool pressure);
u32 lpl_average_add(u32 eighths, u32 value);
u32 lpl_average(u32 eighths);
void lpl_budget_add(struct lpl_budget *budget, u64 now, unsigned int percent);
void lpl_budget_spend(struct lpl_budget *budget, u64 used, unsigned int percent);
u64 lpl_budget_wait(const struct lpl_budget *budget, unsigned int percent);

/*
 * At the tail, of so many that are looked up one may turn out to be in use.  With guard it
 * is the tail of a small window, which most get to soon after they came: to look as often
 * would take more than is put back for nothing.
 */
#define LPL_IN_USE_ONE_OF	64
#define LPL_IN_USE_ONE_OF_GUARD	16

u32 lpl_beside(u32 beside, bool young, u32 one_of);
u32 lpl_beside_rest(u32 beside);

/* Counters. */
enum lpl_stat {
	LPL_PASSES,		/* times the harvester had something to do */
	LPL_MMS,		/* address spaces harvested, whole */
	LPL_MMS_PARTIAL,	/* or in part: budget, or the lock was wanted */
	LPL_MMS_EXITED,		/* that had ended since they ran */
	LPL_TRYLOCK_FAILED,	/* others held mmap_lock */
	LPL_VISITED,		/* entries of page tables looked at */
	LPL_YOUNG,		/* of these with the accessed bit set */
	LPL_MOVED,		/* folios moved to where their new stamp belongs */
	LPL_SKIPPED,		/* touched, but left as they are */
	LPL_AROUND_MOVED,	/* folios moved to the front by reclaim, beside others */
	LPL_AROUND_VISITED,	/* entries that it looked at for that */
	LPL_TOLD,		/* touched, as others who cleared bits found */
	LPL_TABLES_SKIPPED,	/* tables of no access, by the bit above them */
	LPL_NS,			/* CPU time of the harvester */
	LPL_GATED,		/* harvests left out as nothing was reclaimed */
	LPL_PARKED,		/* folios reclaim could not take */
	LPL_RECLAIM_ROUNDS,
	LPL_NR_STATS
};

extern atomic_long_t lpl_stats[LPL_NR_STATS];

static inline void lpl_count(enum lpl_stat stat, unsigned long nr)
{
	if (nr)
		atomic_long_add(nr, &lpl_stats[stat]);
}

/* Nothing else of mm reads PG_referenced of these. */
static inline bool lpl_flag_is_free(struct folio *folio)
{
	return folio_test_anon(folio) && folio_test_swapbacked(folio);
}

/* core.c: where folios are added, and the front of the queue. */
void lpl_front_advance(struct lruvec *lruvec, u32 now, u32 behind);
void lpl_front_join(struct lruvec *lruvec);
struct list_head *lpl_queue_filled(struct lruvec *lruvec, enum lru_list lru);

/* words.c: what is known of each page. */
extern bool lpl_wanted;

bool lpl_set_aside(void);
void lpl_set_coldest(struct folio *folio, struct list_head *queue);
void lpl_keep_words(void);
void lpl_forget_words(void);

/* aside.c: what is beside the queue. */
void lpl_unskip(struct lruvec *lruvec);
void lpl_unpark(struct lruvec *lruvec);
void lpl_try_again(struct lruvec *lruvec, bool now);
bool lpl_many_once(struct lruvec *lruvec);
unsigned long lpl_take_once(struct lruvec *lruvec, int zone, unsigned long nr);

/* beside.c: what reclaim looks up, and what is mapped beside that. */
bool lpl_found_idle(struct folio *folio);

/* pressure.c: what is evicted where. */
void lpl_note_eviction(struct lruvec *target, u32 age);
u32 lpl_evict_age(void);
u32 lpl_resolution_of(struct mm_struct *mm, bool *pressure);

/* policy.c: which policy, and changing it. */
enum lpl_policy { LPL_CLASSIC, LPL_MGLRU, LPL_LRU, LPL_NR_POLICIES };

extern const char *const lpl_policy_names[LPL_NR_POLICIES];
extern u32 lpl_since;
extern bool lpl_leaving;

enum lpl_policy lpl_policy(void);
int lpl_set_policy(enum lpl_policy policy);
extern bool lpl_guard_wanted;
int lpl_set_guard(bool guard);
void lpl_take_over(struct lruvec *lruvec);
/* In vmscan.h, which mm/vmscan.c includes. */
void lpl_change_lru_gen(bool enabled);

/* note.c: the address spaces that ran. */
struct llist_node *lpl_noted(int cpu);
void lpl_note_remote(void);

/* harvest.c: the accessed bits of an address space; those that others clear: told.c. */
extern struct accessed_bits_consumer lpl_consumer;

bool lpl_harvest_mm(struct mm_struct *mm, u32 now, u64 until, u32 every);

/* klrud.c: the thread that harvests. */
extern unsigned int lpl_interval_ms;
extern unsigned int lpl_budget_pct;
extern bool lpl_always;

void lpl_kick(void);
void lpl_kick_rested(void);
int lpl_harvester_start(void);
u32 lpl_resolution_now(void);
u32 lpl_reached_now(void);

/* debugfs.c, sysfs.c */
void lpl_debugfs_init(void);
int lpl_sysfs_init(void);

#endif /* _MM_LRU_PAGE_LIST_INTERNAL_H */
