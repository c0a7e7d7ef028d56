/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: what guard keeps, for the files that have lists and words; see
 * keep.c.
 */
#ifndef _MM_LRU_PAGE_LIST_KEEP_H
#define _MM_LRU_PAGE_LIST_KEEP_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "guard.h"
#include "internal.h"

/**
 * struct lpl_last - the last folio of a list, while victims are chosen
 * @folio: it; %NULL if there is none
 * @word: its word
 * @is: what guard sees of it
 */
struct lpl_last {
	struct folio *folio;
	u32 word;
	struct lpl_contender is;
};

/**
 * struct lpl_class - what is kept of a type and of gaps that are alike
 * @list: most recently used first
 * @last: while victims are chosen: the last
 * @key: while victims are chosen: lpl_kept_key() of it
 *
 * All under lru_lock; victims are chosen in one hold of it.
 */
struct lpl_class {
	struct list_head list;
	struct lpl_last last;
	u32 key;
};

/**
 * struct lpl_keep - guard in a lruvec
 * @rcu: it is freed by this
 * @lock: for @guard
 * @guard: what LRU would do
 * @window: pages that are counted and not LPL_KEPT; under lru_lock
 * @parked: pages that are counted and lpl_parked(); the same
 * @id: its low 8 bits tell shadows that are counted here from older ones
 * @classes: what is kept, by type and gap
 */
struct lpl_keep {
	struct rcu_head rcu;
	spinlock_t lock; /* guard; innermost, interrupts disabled */
	struct lpl_guard guard;
	u32 window;
	u32 parked;
	u32 id;
	struct lpl_class classes[ANON_AND_FILE][LPL_CLASSES];
};

/**
 * struct lpl_shadow - what is known of a page that was evicted
 * @age: ticks since its last use
 * @id: that of the struct lpl_keep that counts it, the low bits
 * @gap: code of its gap, 0 if not known
 * @workingset: it was PG_workingset
 */
struct lpl_shadow {
	u32 age;
	u8 id;
	u8 gap;
	bool workingset;
};

struct lpl_walk;

DECLARE_STATIC_KEY_FALSE(lpl_guard_key);

static inline bool lpl_guarded(void)
{
	return static_branch_unlikely(&lpl_guard_key);
}

/*
 * Is the front of the queue, or of guard's window, on lists of its own?  Under lru_lock:
 * not once its lruvec has been told that the policy is being left.
 */
static inline bool lpl_front_is_apart(void)
{
	return lru_page_list_enabled() && !READ_ONCE(lpl_always) && !READ_ONCE(lpl_leaving);
}

/* Is there more of the queue than its tail?  Under lru_lock, the same. */
static inline bool lpl_queue_is_in_parts(struct lruvec *lruvec)
{
	return lru_page_list_enabled() && !lruvec->lru_page_list.keep &&
	       !READ_ONCE(lpl_leaving);
}

/* The head of a queue. */
static inline struct list_head *lpl_queue_head(struct lruvec *lruvec, bool file)
{
	return lpl_queue_is_in_parts(lruvec) ?
	       lpl_queue_part(&lruvec->lru_page_list.queue[file], 0) :
	       &lruvec->lists[file * LRU_FILE];
}

static inline struct list_head *lpl_queue_of(struct lruvec *lruvec, struct folio *folio)
{
	return lpl_queue_head(lruvec, folio_is_file_lru(folio));
}

static inline struct list_head *lpl_front_of(struct lruvec *lruvec, struct folio *folio)
{
	return &lruvec->lru_page_list.front[0][folio_is_file_lru(folio)];
}

static inline u8 lpl_word_gap(u32 word)
{
	return lpl_gap_unpack((word & LPL_GAP_MASK) >> LPL_GAP_SHIFT);
}

/* Neither in the window nor kept, as nothing is without a gap: see core.c. */
static inline bool lpl_parked(u32 word)
{
	return (word & (LPL_KEPT | LPL_GAP_MASK)) == LPL_KEPT;
}

static inline u32 lpl_word_set_gap(u32 word, u8 gap)
{
	return (word & ~LPL_GAP_MASK) | (u32)lpl_gap_pack(gap) << LPL_GAP_SHIFT;
}

void __lpl_keep_count(struct lruvec *lruvec, struct folio *folio);
void __lpl_keep_uncount(struct lruvec *lruvec, struct folio *folio);
void __lpl_keep_uncount_all(struct lruvec *lruvec, struct list_head *folios);
struct list_head *lpl_keep_queue(struct lruvec *lruvec, struct folio *folio,
				 struct list_head *queue);
void __lpl_keep_parked(struct lruvec *lruvec, struct folio *folio);
struct list_head *__lpl_keep_used(struct lruvec *lruvec, struct folio *folio,
				  const struct lpl_walk *walk, struct list_head *window);
void __lpl_keep_touch(struct folio *folio, bool idle);
bool lpl_keep_choose(struct lruvec *lruvec, const bool *allowed, unsigned int swappiness,
		     unsigned long nr, unsigned long *taken);
s64 lpl_keep_age(struct lruvec *lruvec, int type, s64 age);
bool lpl_keep_evicted(struct folio *folio, struct lpl_shadow *shadow);
void lpl_keep_unshadow(struct lruvec *lruvec, const struct lpl_shadow *shadow);
bool lpl_keep_recent(struct lruvec *lruvec, const struct lpl_shadow *shadow);
bool lpl_keep_refault(struct lruvec *lruvec, struct folio *folio,
		      const struct lpl_shadow *shadow);
void lpl_keep_start(struct lruvec *lruvec);
void lpl_keep_stop(struct lruvec *lruvec);
int lpl_keep_stats(char *buf, int at);

static inline void lpl_keep_count(struct lruvec *lruvec, struct folio *folio)
{
	if (lpl_guarded())
		__lpl_keep_count(lruvec, folio);
}

static inline void lpl_keep_uncount(struct lruvec *lruvec, struct folio *folio)
{
	if (lpl_guarded())
		__lpl_keep_uncount(lruvec, folio);
}

static inline void lpl_keep_parked(struct lruvec *lruvec, struct folio *folio)
{
	if (lpl_guarded())
		__lpl_keep_parked(lruvec, folio);
}

#endif /* _MM_LRU_PAGE_LIST_KEEP_H */
