/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: guard, what is kept although it was not used last.
 *
 *		The idea
 *
 * The queue of strict LRU is the window.  Beside it are lists of what is kept
 * for its gap, the average time between two uses that were seen.  At the tail
 * of the window a page fights the one kept whose next use is expected last, and
 * the loser is evicted.  So part of a loop stays, a scan does not push out what
 * is used again and again, and what is used often is kept longer.
 *
 * What that costs or gains against LRU is known, exactly and without a second
 * list of pages: LRU would hold the newest F pages, of those resident and of
 * those evicted.  Counting pages by the tick of their last use gives T, the tick
 * from which on the newest add up to F; a use of a page last used at s is a hit
 * of LRU if s >= T.  Misses where LRU hits, less hits where it misses, are the
 * debt.  It steers the size of the window, and when it gets too large the guard
 * is left for a while, and for twice as long each time.
 *
 * Ages are in ticks.  Nothing here takes a lock: the caller has one for each
 * struct lpl_guard.
 */
#ifndef _MM_LRU_PAGE_LIST_GUARD_LOGIC_H
#define _MM_LRU_PAGE_LIST_GUARD_LOGIC_H

#define LPL_GUARD_BUCKETS	1024
#define LPL_GUARD_CLASSES	12
#define LPL_NO_STAMP		(~0U)

/**
 * struct lpl_guard - the window of a node, and what LRU would have done
 * @frames: pages in the window and kept
 * @window: how many of them the window is to have
 * @debt: misses more than LRU, not less than -frames / 32
 * @until: tick until which the guard is left alone
 * @dwell: for how long next time, ticks
 * @evict_age: age at which LRU evicts, ticks
 * @shift: ticks of a bucket, as a power of two
 * @origin: bucket of count[0], as a tick >> shift; even
 * @first: bucket of T, the same
 * @newer: pages last used in bucket @first or later
 * @count: of pages by bucket
 * @gain: hits where LRU misses
 * @regret: misses where LRU hits
 * @trips: how often it was left alone
 */
struct lpl_guard {
	unsigned long frames;
	unsigned long window;
	long debt;
	u32 until;
	u32 dwell;
	u32 evict_age;
	unsigned int shift;
	u32 origin;
	u32 first;
	unsigned long newer;
	u32 count[LPL_GUARD_BUCKETS];
	unsigned long gain;
	unsigned long regret;
	unsigned long trips;
};

/* ------------------------------------------------------------------- gaps */

/**
 * lpl_gap_code() - a time in 8 bits
 * @ticks: at least 1
 *
 * Return: 8 steps an octave; 0 is for "not known".
 */
static inline u8 lpl_gap_code(u32 ticks)
{
	unsigned int octave;

	if (ticks < 8)
		return ticks ? ticks : 1;
	octave = fls(ticks) - 4;
	return 8 * octave + (ticks >> octave);
}

static inline u32 lpl_gap_ticks(u8 code)
{
	if (code < 16)
		return code;
	return (8 + code % 8) << (code / 8 - 1);
}

/**
 * lpl_gap_after() - the gap of a page that is used again
 * @gap: its code
 * @since: ticks since its last use
 * @evict_age: age at which LRU evicts
 *
 * Uses in one tick and the next belong together; what was idle for very long
 * tells no more than that.
 *
 * Return: the new code.
 */
static inline u8 lpl_gap_after(u8 gap, u32 since, u32 evict_age)
{
	if (!since)
		return gap;
	since = min(since, 3 * max(evict_age, 1U));
	return lpl_gap_code(gap ? (lpl_gap_ticks(gap) + since) / 2 : since);
}

/* Lists of what is kept, three octaves in two. */
static inline unsigned int lpl_gap_class(u8 gap)
{
	return min(gap / 12U, LPL_GUARD_CLASSES - 1U);
}

/* Time between uses that is to be expected, for what is kept. */
static inline u32 lpl_keep_key(u8 gap, u32 age)
{
	return max(lpl_gap_ticks(gap), age);
}

/**
 * lpl_guard_wins() - does the tail of the window take the place of what is kept?
 * @gap: code of the tail of the window
 * @age: its age
 * @kept: lpl_keep_key() of what is kept
 *
 * One whose gap is not known does not, and who is there wins ties.
 *
 * Return: true if so.
 */
static inline bool lpl_guard_wins(u8 gap, u32 age, u32 kept)
{
	if (!gap)
		return false;
	return max(lpl_gap_ticks(gap), age) < kept - kept / 4;
}

/* ---------------------------------------------------- what LRU would hold */

/* Is the bucket of @stamp one that LRU would hold? */
static inline bool lpl_guard_held(const struct lpl_guard *guard, u32 stamp)
{
	return stamp != LPL_NO_STAMP && (s32)((stamp >> guard->shift) - guard->first) >= 0;
}

static inline u32 *lpl_guard_bucket(struct lpl_guard *guard, u32 bucket)
{
	return &guard->count[bucket - guard->origin];
}

/* Two buckets become one. */
static inline void lpl_guard_widen(struct lpl_guard *guard)
{
	unsigned int i;

	memset(guard->count, 0, (guard->first - guard->origin) * sizeof(u32));
	for (i = 0; i < LPL_GUARD_BUCKETS; i++) {
		u32 sum = 0;

		if (2 * i + 1 < LPL_GUARD_BUCKETS)
			sum = guard->count[2 * i] + guard->count[2 * i + 1];
		guard->count[i] = sum;
	}
	guard->shift++;
	guard->origin /= 2;
	guard->first /= 2;
}

/* Makes room for the bucket of @now; what is before @first is not needed. */
static inline void lpl_guard_advance(struct lpl_guard *guard, u32 now)
{
	while ((now >> guard->shift) - guard->origin >= LPL_GUARD_BUCKETS) {
		unsigned int unused = (guard->first & ~1U) - guard->origin;
		unsigned int left = LPL_GUARD_BUCKETS - unused;

		memmove(guard->count, guard->count + unused, left * sizeof(u32));
		memset(guard->count + left, 0, unused * sizeof(u32));
		guard->origin += unused;
		if (unused < LPL_GUARD_BUCKETS / 4)
			lpl_guard_widen(guard);
	}
}

/**
 * lpl_guard_forget() - a page, or what is known of an evicted one, is gone
 * @guard: the guard
 * @stamp: its last use
 */
static inline void lpl_guard_forget(struct lpl_guard *guard, u32 stamp)
{
	u32 *count;

	if (!lpl_guard_held(guard, stamp))
		return;
	count = lpl_guard_bucket(guard, stamp >> guard->shift);
	if (*count) {
		--*count;
		guard->newer--;
	}
}

/**
 * lpl_guard_seen() - a page is used
 * @guard: the guard
 * @stamp: its last use before, or %LPL_NO_STAMP
 * @now: current tick
 *
 * Return: true if LRU would have held it.
 */
static inline bool lpl_guard_seen(struct lpl_guard *guard, u32 stamp, u32 now)
{
	bool hit = lpl_guard_held(guard, stamp);

	lpl_guard_forget(guard, stamp);
	lpl_guard_advance(guard, now);
	++*lpl_guard_bucket(guard, now >> guard->shift);
	guard->newer++;
	while (guard->newer > guard->frames &&
	       guard->first != now >> guard->shift) {
		guard->newer -= *lpl_guard_bucket(guard, guard->first);
		guard->first++;
	}
	guard->evict_age = now - (guard->first << guard->shift);
	return hit;
}

/**
 * lpl_guard_event() - guard and LRU differ in a use
 * @guard: the guard
 * @gain: it was a hit, and LRU would have missed; else the other way round
 * @now: current tick
 */
static inline void lpl_guard_event(struct lpl_guard *guard, bool gain, u32 now)
{
	unsigned long most = guard->frames - guard->frames / 32;
	u32 age = max(guard->evict_age, 1U);
	int step = gain ? -1 : 1;

	if (gain)
		guard->gain++;
	else
		guard->regret++;
	guard->debt += step;
	if (guard->debt <= -(long)(guard->frames / 32)) {
		guard->debt = -(long)(guard->frames / 32);
		guard->dwell = max(guard->dwell - guard->dwell / 64, 2 * age);
	}
	if ((s32)(guard->until - now) > 0) {
		guard->window = most;
	} else if (guard->debt > (long)(guard->frames / 8)) {
		guard->debt = 0;
		guard->dwell = clamp(guard->dwell, 2 * age, 32 * age);
		guard->until = now + guard->dwell;
		guard->dwell = min(2 * guard->dwell, 32 * age);
		guard->window = most;
		guard->trips++;
	} else {
		guard->window = clamp((long)guard->window + 2 * step,
				      (long)(guard->frames / 16), (long)most);
	}
}

static inline void lpl_guard_init(struct lpl_guard *guard, unsigned long frames, u32 now)
{
	*guard = (struct lpl_guard) {
		.frames = frames,
		.window = frames - frames / 4,
		.until = now,
		.shift = 4,
	};
	guard->origin = (now >> guard->shift) & ~1U;
	guard->first = guard->origin;
}

#endif
