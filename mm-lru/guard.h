/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: guard, which keeps pages for how often they are used; see
 * guard.c.  Nothing of mm is needed in these two files, so that KUnit can test
 * them with pages that are only numbers.
 */
#ifndef _MM_LRU_PAGE_LIST_GUARD_H
#define _MM_LRU_PAGE_LIST_GUARD_H

#include <linux/types.h>

/* Lists of what is kept, by gap: one and a half octaves each. */
#define LPL_CLASSES		12

#define LPL_BUCKETS		512

/* Of the share that the window has of all pages. */
#define LPL_SHARE_ONE		0x40000000U

/**
 * struct lpl_guard - what LRU would hold, and how much of that is the window
 * @now: current tick, in 64 bits, so that it does not wrap around
 * @frames: pages on the lists, of the window and kept
 * @total: pages that have a stamp: those on the lists, and shadows
 * @share: part of @frames that the window is to have, of %LPL_SHARE_ONE
 * @debt: misses above those of LRU; -@frames / 32 at the least
 * @missed: misses that LRU would have had lately, in about 4 times lpl_guard_age()
 * @tripped: until @until all is as in LRU
 * @until: tick
 * @dwell: for how long it will be next time, ticks
 * @shift: ticks of a bucket, as a power of two
 * @origin: number (tick >> @shift) of the bucket in @count[0]
 * @first: number of the first bucket of which LRU would hold all pages
 * @newer: pages in buckets from @first on
 * @older: pages with a stamp from before @origin
 * @carry: of the pages in the bucket before @first, what LRU would hold is a
 *	part, and so is the answer; this is what is left of it to be answered
 * @count: pages by time of last use
 * @gain: uses that hit where LRU would have missed
 * @regret: uses that missed where LRU would have hit
 * @trips: how often the guard was left
 * @drift: pages that left and had not been counted; 0 unless there is a bug
 */
struct lpl_guard {
	u64 now;
	u32 frames;
	u32 total;
	u32 share;
	s32 debt;
	u32 missed;
	bool tripped;
	u32 until;
	u32 dwell;
	u32 shift;
	u64 origin;
	u64 first;
	u32 newer;
	u32 older;
	u32 carry;
	u32 count[LPL_BUCKETS];
	u64 gain;
	u64 regret;
	u32 trips;
	u32 drift;
};

/**
 * struct lpl_contender - a page that may be evicted
 * @gap: code of its gap, 0 if not known
 * @age: ticks since its last use
 */
struct lpl_contender {
	u8 gap;
	u32 age;
};

/**
 * enum lpl_verdict - what to do with the tail of the window and what is kept
 * @LPL_EVICT_TAIL: evict the tail of the window
 * @LPL_EVICT_KEPT: evict what is kept, the tail stays
 * @LPL_REPLACE_KEPT: evict what is kept, the tail is kept in its place
 * @LPL_KEEP_TAIL: the tail is kept, and there is none evicted yet
 */
enum lpl_verdict {
	LPL_EVICT_TAIL,
	LPL_EVICT_KEPT,
	LPL_REPLACE_KEPT,
	LPL_KEEP_TAIL,
};

/* Every second code, up to 40 minutes: for words that have 6 bits to spare. */
static inline u8 lpl_gap_pack(u8 gap)
{
	return (gap < 126 ? gap + 1 : 127) / 2;
}

static inline u8 lpl_gap_unpack(u8 packed)
{
	return 2 * packed;
}

u8 lpl_gap_code(u32 ticks);
u32 lpl_gap_ticks(u8 code);
u8 lpl_gap_after(u8 gap, u32 since, u32 period, u32 evict_age);
unsigned int lpl_gap_class(u8 gap);
u32 lpl_kept_key(const struct lpl_guard *guard, const struct lpl_contender *kept);

void lpl_guard_init(struct lpl_guard *guard, u32 now, u32 oldest);
void __lpl_guard_advance(struct lpl_guard *guard, u32 now);
void lpl_guard_page(struct lpl_guard *guard, u32 age, u32 nr);
void lpl_guard_unpage(struct lpl_guard *guard, u32 age, u32 nr);
void lpl_guard_shadow(struct lpl_guard *guard, u32 age, u32 nr);
void lpl_guard_unshadow(struct lpl_guard *guard, u32 age, u32 nr);
void lpl_guard_hit(struct lpl_guard *guard, u32 age);
void lpl_guard_use(struct lpl_guard *guard, u32 age, u32 before, u32 nr, bool again);
void lpl_guard_refault(struct lpl_guard *guard, u32 age);
u32 lpl_guard_age(const struct lpl_guard *guard);
u32 lpl_guard_window(const struct lpl_guard *guard, u32 frames);
bool lpl_guard_keeps(const struct lpl_guard *guard);
enum lpl_verdict lpl_guard_judge(const struct lpl_guard *guard, u32 window,
				 const struct lpl_contender *tail,
				 const struct lpl_contender *kept, bool may_keep);

/**
 * lpl_guard_advance() - time has passed
 * @guard: the guard
 * @now: current tick; one that is before the last is taken for the last
 */
static inline void lpl_guard_advance(struct lpl_guard *guard, u32 now)
{
	/* More often than not it is the same. */
	if ((s32)(now - (u32)guard->now) > 0)
		__lpl_guard_advance(guard, now);
}

#endif /* _MM_LRU_PAGE_LIST_GUARD_H */
