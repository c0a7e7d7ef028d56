// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: guard, which keeps pages for how often they are used.
 *
 *		What is wrong with strict LRU
 *
 * Going round a loop over a little more than fits, LRU evicts each page just
 * before its next use and hits none.  A scan that touches each page once pushes
 * out all that is used again and again.  And of two pages, one used each second
 * and one for the first time now, it keeps the latter.  What it is good at is
 * change: what is used now is what will be.
 *
 *		The idea
 *
 * The queue is cut in two.  Its front part is the window: LRU, as ever.  Behind
 * it are the pages that are kept for their gap, a running average of the time
 * between two uses that harvests saw; they are on lists by the logarithm of it.
 * When memory is wanted the tail of the window fights the page whose next use
 * is expected last of those kept, that is, whose gap, or its age if that is
 * more already, is the largest:
 *
 *	 used				     no longer used
 *	  |					   |
 *	  v	    window, LRU			   v
 *	[ . . . . . . . . . . . . . . . . . . . . tail ] --fights--+
 *								   |  loser:
 *	[ gap <12 ][ <32 ][ <96 ][ <256 ]....[ 12 classes ] -------+  evicted
 *	  kept: lists by gap, LRU each		  worst
 *
 * The one that is kept wins unless the other's gap is less than 3/4 of its: in
 * a loop all gaps are alike, so that what is kept stays and a part of the loop
 * is hit each time round.  (Were it to win more often, a hot set that moves on,
 * whose gaps are known badly, would gain; loops of several lengths, of which the
 * shorter ones are worth keeping, would lose more.)  A page whose gap is not
 * known loses, and is not kept even if there is room: so a scan goes through the
 * window without touching what is kept, and what was used once at the start of a
 * program takes up no frames.
 *
 *		How much worse than LRU can it be?
 *
 * A gap says nothing when the pattern changes.  So that it is not trusted too
 * much the guard knows, use by use, what LRU would have done with as many
 * pages, and this takes no second list.  LRU holds those pages that were used
 * last.  Count all pages by the time of their last use, those that are there and
 * those that were evicted and whose shadow still tells that time; then the
 * newest ones that add up to the number of frames are what LRU holds, and time T
 * at which they do is where its tail is:
 *
 *	 pages |	     _
 *	       |   _   _| |_   _		grey: sum = frames
 *	       |__| |_|     |_|x|_
 *	       |		  x|####
 *	       +------------------|-----> time of last use
 *		 LRU evicted	  T     now
 *
 * A use of a page last used before T is a miss of LRU.  If the page is here it
 * is a gain; a page that had been evicted but was last used after T is a
 * regret.  Regret - gain is exactly the misses that the guard has had above
 * LRU's (as far as the order of uses is the same), and steers it:
 *
 *   - the window begins with 15/16 of all.  With each gain it gets smaller by
 *     two pages, or by 16 where gains have outweighed regrets by 1/32 of the
 *     frames, and with each regret larger by half of that, as gains come later
 *     than what they cost; it is between 1/16 and 31/32;
 *   - when the debt, regret - gain but no less than -1/32 of the frames, is
 *     above 1/16 of the misses that LRU would have had lately, or of the
 *     frames, the guard trips: the oldest page goes, whether in the window or
 *     kept, and pages that are used go to the window.  That is LRU from then
 *     on, with no page given up that LRU would hold.  It lasts for twice the
 *     time that LRU keeps a page (now - T), and doubly long the next time, up
 *     to 32 times; then the guard begins again with the largest window.  While
 *     gains outweigh regrets these times shrink again.
 *
 * So an episode in which it is wrong costs 1/16 of the frames in faults at the
 * most, and some per cent where faults are few, down to 1/64 of the frames;
 * episodes are far apart where it is wrong again and again.
 *
 *		What counts as a use
 *
 * The fault that brings a page sets its accessed bit, and the first harvest
 * finds it.  Were that a use, all pages would have a gap of one tick.  It is
 * known by LPL_FRESH in the word and gives neither gap nor event.  Two uses less
 * than a harvest apart belong together and say nothing of the time to the next.
 * Nor is a use an event if no look is known to have found the page idle since the
 * one before: what is used all the time is left alone by most harvests, and its
 * stamp is as old as the last that did not; where LRU keeps pages for no longer it
 * would be taken for a gain, and guard think itself far better than it is.  What a
 * harvest finds was used in the middle of the time since the one before, on
 * average: its stamp, and the end of the gap, is that.
 * A page that nobody has used for three times as long as LRU would keep it
 * tells no more than that: longer gaps count as that long.
 *
 * A page that is used again and again for a while and then not for long has two
 * gaps, and it is the long one that it has to be kept for.  So a gap that is
 * short, less than a third of the time that LRU keeps a page, says nothing of
 * one that is not; among themselves short ones are averaged as all others are.
 *
 *		Numbers
 *
 * Gaps are codes of 8 bits, 8 steps to an octave (error 1/16 at the most), of
 * which words of pages and shadows hold every second one, in 6 bits.  The
 * histogram has 512 buckets of 2^shift ticks.  A bucket is made twice as wide
 * when T is near the old end, and half as wide when T is among the newest 1/16,
 * with its pages divided evenly, since when they came is not known.  What falls
 * off the old end is counted in one number.  Of the bucket that T is in, LRU
 * holds a part; uses of its pages are hits in the same proportion.
 *
 *		Locks, time
 *
 * The caller has a lock for each struct lpl_guard and holds it for whatever
 * takes one that is not const; nothing here takes another or sleeps.  Ages are
 * ticks before @now, which lpl_guard_advance() has set, so that stamps with few
 * bits are the caller's to extend.  All takes constant time but for advance(),
 * which moves 2 kB once in 64 buckets, and for T, which follows the pages that
 * it is about, a bucket at a time.
 */
#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "guard.h"

/* Buckets that fall off the old end at once. */
#define LPL_SLIDE		(LPL_BUCKETS / 8)
/* Buckets to either side in which a page may be that is not in its own. */
#define LPL_NEAR		8
#define LPL_SHIFT_MAX		20

#define LPL_SHARE_LEAST		(LPL_SHARE_ONE / 16)
#define LPL_SHARE_MOST		(LPL_SHARE_ONE - LPL_SHARE_ONE / 32)
#define LPL_SHARE_FIRST		(LPL_SHARE_ONE - LPL_SHARE_ONE / 16)

/* Pages that a gain moves the bound of the window by; when all is well; of a regret the half. */
#define LPL_STEP		2
#define LPL_STEP_SURE		16

/* Times that LRU keeps a page: until the guard is tried again. */
#define LPL_DWELL_LEAST		2
#define LPL_DWELL_MOST		32

/* What a gap may be at most, times that LRU keeps a page; what part of it is short. */
#define LPL_GAP_MOST		3
#define LPL_GAP_SHORT		3

/* Longest age that is told apart, ticks: four months. */
#define LPL_AGE_MOST		0x40000000U

/* ------------------------------------------------------------------- gaps */

/**
 * lpl_gap_code() - a time in 8 bits
 * @ticks: of less than 2^34, 0 counting as 1
 *
 * Return: its code, never 0; 8 steps an octave, the lower bound of each.
 */
u8 lpl_gap_code(u32 ticks)
{
	unsigned int octave;

	if (ticks < 16)
		return max(ticks, 1U);
	octave = fls(ticks) - 4;
	return 8 * octave + (ticks >> octave);
}

/**
 * lpl_gap_ticks() - the time of a code
 * @code: of lpl_gap_code(); 0 is none
 *
 * Return: ticks, the middle of what has this code.
 */
u32 lpl_gap_ticks(u8 code)
{
	unsigned int octave;

	if (code < 16)
		return code;
	octave = code / 8 - 1;
	return ((8U + code % 8) << octave) + (1U << octave) / 2;
}

/**
 * lpl_gap_after() - the gap of a page that is used again
 * @gap: its code so far, 0 if not known
 * @since: ticks since its last use
 * @period: ticks between two harvests
 * @evict_age: age at which LRU evicts, ticks
 *
 * Return: the code of the new gap.
 */
u8 lpl_gap_after(u8 gap, u32 since, u32 period, u32 evict_age)
{
	u32 age = clamp(evict_age, 1U, LPL_AGE_MOST);

	if (since < period || !since)
		return gap;
	since = min(since, LPL_GAP_MOST * age);
	if (!gap)
		return lpl_gap_code(since);
	if (since < age / LPL_GAP_SHORT && lpl_gap_ticks(gap) >= age / LPL_GAP_SHORT)
		return gap;
	return lpl_gap_code(lpl_gap_ticks(gap) / 2 + (since + 1) / 2);
}

/**
 * lpl_gap_class() - which list of what is kept a page is on
 * @gap: code
 *
 * Return: less than %LPL_CLASSES.
 */
unsigned int lpl_gap_class(u8 gap)
{
	return min(gap / 12U, LPL_CLASSES - 1U);
}

/**
 * lpl_kept_key() - when the next use of what is kept is expected
 * @guard: the guard
 * @kept: the page
 *
 * Return: ticks; the largest is the one to be evicted.
 */
u32 lpl_kept_key(const struct lpl_guard *guard, const struct lpl_contender *kept)
{
	if (guard->tripped)
		return kept->age;
	return max(lpl_gap_ticks(kept->gap), kept->age);
}

/* One that has not been used again is not worth keeping, yet. */
static bool lpl_wins(const struct lpl_contender *tail, const struct lpl_contender *kept)
{
	u32 key = max(lpl_gap_ticks(kept->gap), kept->age);

	return tail->gap && max(lpl_gap_ticks(tail->gap), tail->age) < key - key / 4;
}

/* -------------------------------------------------------------- histogram */

static u64 lpl_newest(const struct lpl_guard *guard)
{
	return guard->now >> guard->shift;
}

static u64 lpl_bucket(const struct lpl_guard *guard, u32 age)
{
	return (guard->now - age) >> guard->shift;
}

static u32 *lpl_count_of(struct lpl_guard *guard, u64 bucket)
{
	return &guard->count[bucket - guard->origin];
}

/* Find @first again, from where it was. */
static void lpl_guard_settle(struct lpl_guard *guard)
{
	u32 more;

	while (guard->newer > guard->frames && guard->first <= lpl_newest(guard))
		guard->newer -= *lpl_count_of(guard, guard->first++);

	while (guard->first > guard->origin) {
		more = *lpl_count_of(guard, guard->first - 1);
		if (guard->newer + more > guard->frames)
			break;
		guard->newer += more;
		guard->first--;
	}
}

static void lpl_guard_recount(struct lpl_guard *guard)
{
	guard->first = lpl_newest(guard) + 1;
	guard->newer = 0;
	lpl_guard_settle(guard);
}

/* The oldest buckets fall off; @first may be among them. */
static void lpl_guard_slide(struct lpl_guard *guard, u64 nr)
{
	u32 off = min_t(u64, nr, LPL_BUCKETS);
	u32 left = LPL_BUCKETS - off;
	u32 i;

	for (i = 0; i < off; i++)
		guard->older += guard->count[i];
	memmove(guard->count, guard->count + off, left * sizeof(*guard->count));
	memset(guard->count + left, 0, off * sizeof(*guard->count));
	guard->origin += nr;
}

static void lpl_guard_widen(struct lpl_guard *guard)
{
	u64 half = guard->origin / 2;
	u32 i;

	for (i = 0; i < LPL_BUCKETS; i++) {
		u32 nr = guard->count[i];

		guard->count[i] = 0;
		guard->count[(guard->origin + i) / 2 - half] += nr;
	}
	guard->origin = half;
	guard->shift++;
}

/* Those are left whose halves there is room for. */
static void lpl_guard_narrow(struct lpl_guard *guard)
{
	u32 used = lpl_newest(guard) + 1 - guard->origin;
	u32 i;

	if (used > LPL_BUCKETS / 4) {
		lpl_guard_slide(guard, used - LPL_BUCKETS / 4);
		used = LPL_BUCKETS / 4;
	}
	guard->shift--;
	guard->origin *= 2;
	for (i = used; i-- > 0;) {
		u32 nr = guard->count[i];
		/* The half of the newest that is yet to come has none. */
		u32 later = guard->origin + 2 * i + 1 > lpl_newest(guard) ? 0 : nr / 2;

		guard->count[2 * i + 1] = later;
		guard->count[2 * i] = nr - later;
	}
}

/* Buckets are to be small against the time from T to now, and to reach T. */
static void lpl_guard_rescale(struct lpl_guard *guard)
{
	u64 back = lpl_newest(guard) + 1 - guard->first;

	if (guard->total <= guard->frames)
		return;
	if (back < LPL_BUCKETS / 16 && guard->shift)
		lpl_guard_narrow(guard);
	else if (back > LPL_BUCKETS / 2 && guard->shift < LPL_SHIFT_MAX)
		lpl_guard_widen(guard);
	else
		return;
	lpl_guard_recount(guard);
}

/* Pages of the bucket that T is in, and how many of them LRU holds. */
static u32 lpl_at_tail(const struct lpl_guard *guard, u32 *held)
{
	*held = guard->frames - guard->newer;
	if (guard->first == guard->origin)
		return guard->older;
	return guard->count[guard->first - 1 - guard->origin];
}

/**
 * lpl_guard_age() - how long LRU would keep a page that is not used
 * @guard: the guard
 *
 * Return: ticks, 1 at the least.
 */
u32 lpl_guard_age(const struct lpl_guard *guard)
{
	u64 age = guard->now + 1 - (guard->first << guard->shift);
	u32 held, all = lpl_at_tail(guard, &held);

	if (guard->total <= guard->frames)
		return LPL_AGE_MOST;
	if (guard->first > lpl_newest(guard))
		age = 0;
	age += min(held / max(all >> guard->shift, 1U), 1U << guard->shift);
	return clamp_t(u64, age, 1, LPL_AGE_MOST);
}

/* Misses of LRU count for about four times as long as it keeps a page. */
static void lpl_guard_forget(struct lpl_guard *guard, u64 buckets)
{
	/* An age may be what there is room for, and four times that is not. */
	u64 life = 4ULL * (lpl_guard_age(guard) >> guard->shift) + 1;

	if (buckets >= life)
		guard->missed = 0;
	else
		guard->missed -= min_t(u64, guard->missed,
				       (div64_u64(guard->missed, life) + 1) * buckets);
}

/* To @now, which is after what was now. */
void __lpl_guard_advance(struct lpl_guard *guard, u32 now)
{
	u64 before = lpl_newest(guard);
	u64 used;

	guard->now += now - (u32)guard->now;
	if (guard->tripped && (s32)(guard->until - now) <= 0) {
		guard->tripped = false;
		guard->share = LPL_SHARE_MOST;
	}
	if (lpl_newest(guard) == before)
		return;
	lpl_guard_forget(guard, lpl_newest(guard) - before);
	used = lpl_newest(guard) + 1 - guard->origin;
	if (used > LPL_BUCKETS) {
		lpl_guard_slide(guard, used - LPL_BUCKETS + LPL_SLIDE);
		lpl_guard_recount(guard);
	}
	lpl_guard_rescale(guard);
}

static void lpl_count_in(struct lpl_guard *guard, u32 age, u32 nr)
{
	u64 bucket = lpl_bucket(guard, age);

	guard->total += nr;
	if (bucket < guard->origin) {
		guard->older += nr;
		return;
	}
	*lpl_count_of(guard, bucket) += nr;
	if (bucket >= guard->first)
		guard->newer += nr;
}

/* As many of @nr as there are. */
static u32 lpl_take_from(struct lpl_guard *guard, u64 bucket, u32 nr)
{
	u32 *count = &guard->older;

	if (bucket >= guard->origin)
		count = lpl_count_of(guard, bucket);
	nr = min(nr, *count);
	*count -= nr;
	if (bucket >= guard->first)
		guard->newer -= nr;
	return nr;
}

/* In order of distance, up to @far; from the oldest bucket if it is before that. */
static u32 lpl_take_near(struct lpl_guard *guard, u64 bucket, u32 nr, u64 far)
{
	u32 left = nr;
	u64 d;

	bucket = max(bucket, guard->origin);
	for (d = 0; left && d <= far; d++) {
		if (bucket >= guard->origin + d)
			left -= lpl_take_from(guard, bucket - d, left);
		if (bucket + d >= guard->origin && bucket + d <= lpl_newest(guard))
			left -= lpl_take_from(guard, bucket + d, left);
	}
	return nr - left;
}

/*
 * What was divided evenly is in the other half or, divided again, near it, as are
 * pages of a harvest that took some ticks; or it has fallen off.  The sum stays
 * right whatever was guessed.
 */
static void lpl_count_out(struct lpl_guard *guard, u32 age, u32 nr)
{
	u64 bucket = lpl_bucket(guard, age);
	u32 left = nr - lpl_take_from(guard, bucket, nr);

	if (left && bucket >= guard->origin)
		left -= lpl_take_near(guard, bucket, left, LPL_NEAR);
	if (left)
		left -= lpl_take_from(guard, 0, left);
	if (left)
		left -= lpl_take_near(guard, bucket, left, LPL_BUCKETS);
	guard->drift += left;
	guard->total -= nr - left;
}

/* Would LRU hold a page of this age? */
static bool lpl_guard_held(struct lpl_guard *guard, u32 age)
{
	u64 bucket = max(lpl_bucket(guard, age) + 1, guard->origin);
	u32 held, all;

	if (bucket != guard->first)
		return bucket > guard->first;
	all = lpl_at_tail(guard, &held);
	if (held >= all)
		return true;
	guard->carry = min(guard->carry, all - 1) + held;
	if (guard->carry < all)
		return false;
	guard->carry -= all;
	return true;
}

/* --------------------------------------------------------- gain and regret */

static u32 lpl_part(const struct lpl_guard *guard, u32 of)
{
	return max(guard->frames / of, 1U);
}

/* What being wrong may cost before the guard trips, misses. */
static s32 lpl_guard_allowance(const struct lpl_guard *guard)
{
	return clamp(guard->missed / 16, lpl_part(guard, 64), lpl_part(guard, 16));
}

static void lpl_guard_trip(struct lpl_guard *guard)
{
	u32 age = lpl_guard_age(guard);
	u32 most = min(age, LPL_AGE_MOST / LPL_DWELL_MOST) * LPL_DWELL_MOST;
	u32 least = min(age, LPL_AGE_MOST / LPL_DWELL_MOST) * LPL_DWELL_LEAST;
	u32 dwell = clamp(guard->dwell, least, most);

	guard->debt = 0;
	guard->tripped = true;
	guard->until = guard->now + dwell;
	guard->dwell = min(2 * dwell, most);
	guard->trips++;
}

/* A miss more than LRU's (1), or one less (-1). */
static void lpl_guard_event(struct lpl_guard *guard, s32 miss)
{
	s32 least = -(s32)lpl_part(guard, 32);
	u32 page = LPL_SHARE_ONE / max(guard->frames, 64U);
	u32 step = LPL_STEP * page;

	/* What was kept before is no more than what is left of it. */
	if (guard->tripped)
		return;
	guard->debt = max(guard->debt + miss, least);
	if (guard->debt == least) {
		guard->dwell -= guard->dwell / 64;
		step = LPL_STEP_SURE * page;
	}
	if (guard->debt > lpl_guard_allowance(guard))
		lpl_guard_trip(guard);
	else if (miss > 0)
		guard->share = min(guard->share + step / 2, LPL_SHARE_MOST);
	else
		guard->share = max(guard->share - min(step, guard->share), LPL_SHARE_LEAST);
}

/* -------------------------------------------------------------- interface */

/**
 * lpl_guard_init() - begin
 * @guard: to be filled
 * @now: current tick
 * @oldest: age of the oldest page that will be told of at first, ticks
 */
void lpl_guard_init(struct lpl_guard *guard, u32 now, u32 oldest)
{
	memset(guard, 0, sizeof(*guard));
	/* So that no age is before 0. */
	guard->now = now + (1ULL << 32);
	guard->share = LPL_SHARE_FIRST;
	while (oldest >> guard->shift >= LPL_BUCKETS / 2 && guard->shift < LPL_SHIFT_MAX)
		guard->shift++;
	guard->origin = lpl_newest(guard) - LPL_BUCKETS / 2;
	guard->first = guard->origin;
}

/**
 * lpl_guard_page() - pages came to the lists
 * @guard: the guard
 * @age: ticks since their last use
 * @nr: how many
 */
void lpl_guard_page(struct lpl_guard *guard, u32 age, u32 nr)
{
	guard->frames += nr;
	lpl_count_in(guard, age, nr);
	lpl_guard_settle(guard);
}

/**
 * lpl_guard_unpage() - pages left the lists: isolated, or freed
 * @guard: the guard
 * @age: ticks since their last use
 * @nr: how many
 */
void lpl_guard_unpage(struct lpl_guard *guard, u32 age, u32 nr)
{
	guard->frames -= min(nr, guard->frames);
	lpl_count_out(guard, age, nr);
	lpl_guard_settle(guard);
}

/**
 * lpl_guard_shadow() - pages were evicted, and left shadows
 * @guard: the guard
 * @age: ticks since their last use
 * @nr: how many
 */
void lpl_guard_shadow(struct lpl_guard *guard, u32 age, u32 nr)
{
	lpl_count_in(guard, age, nr);
	lpl_guard_settle(guard);
}

/**
 * lpl_guard_unshadow() - shadows are gone: refaulted, or what they are of is
 * @guard: the guard
 * @age: ticks since the last use of the pages
 * @nr: how many
 */
void lpl_guard_unshadow(struct lpl_guard *guard, u32 age, u32 nr)
{
	lpl_count_out(guard, age, nr);
	lpl_guard_settle(guard);
}

/**
 * lpl_guard_hit() - a page that had not been evicted was used
 * @guard: the guard
 * @age: ticks between its last use and now
 */
void lpl_guard_hit(struct lpl_guard *guard, u32 age)
{
	if (lpl_guard_held(guard, age))
		return;
	guard->gain++;
	guard->missed++;
	lpl_guard_event(guard, -1);
}

/**
 * lpl_guard_use() - a page on the lists was used
 * @guard: the guard
 * @age: ticks between its last use before and now
 * @before: ticks between this use and now, no more than @age
 * @nr: of how many pages it is
 * @again: false if this is, or may be, what brought it
 */
void lpl_guard_use(struct lpl_guard *guard, u32 age, u32 before, u32 nr, bool again)
{
	if (again)
		lpl_guard_hit(guard, age - before);
	lpl_count_out(guard, age, nr);
	lpl_count_in(guard, before, nr);
	lpl_guard_settle(guard);
}

/**
 * lpl_guard_refault() - an evicted page was used
 * @guard: the guard
 * @age: ticks between its last use and now
 *
 * Before lpl_guard_page(); whether before or after lpl_guard_unshadow() makes a
 * difference of a page.
 */
void lpl_guard_refault(struct lpl_guard *guard, u32 age)
{
	if (!lpl_guard_held(guard, age)) {
		guard->missed++;
		return;
	}
	guard->regret++;
	lpl_guard_event(guard, 1);
}

/**
 * lpl_guard_window() - how large the window is to be
 * @guard: the guard
 * @frames: of so many pages, those of @guard or a part of them
 *
 * Return: pages.
 */
u32 lpl_guard_window(const struct lpl_guard *guard, u32 frames)
{
	return (u64)frames * guard->share / LPL_SHARE_ONE;
}

/**
 * lpl_guard_keeps() - does what is kept stay that when it is used?
 * @guard: the guard
 *
 * Return: false if it is to go to the window.
 */
bool lpl_guard_keeps(const struct lpl_guard *guard)
{
	return !guard->tripped;
}

/**
 * lpl_guard_judge() - who is to be evicted
 * @guard: the guard; %NULL is strict LRU
 * @window: pages in the window
 * @tail: its tail, %NULL if it is empty
 * @kept: what is kept of the largest lpl_kept_key(), %NULL if nothing is
 * @may_keep: the tail may be kept without a fight; false bounds the work
 *
 * Return: the verdict.
 */
enum lpl_verdict lpl_guard_judge(const struct lpl_guard *guard, u32 window,
				 const struct lpl_contender *tail,
				 const struct lpl_contender *kept, bool may_keep)
{
	u32 wanted;

	if (!guard)
		return LPL_EVICT_TAIL;
	if (guard->tripped)
		return kept && (!tail || kept->age > tail->age) ? LPL_EVICT_KEPT :
								  LPL_EVICT_TAIL;
	wanted = lpl_guard_window(guard, guard->frames);
	if (kept && (!tail || window < wanted))
		return LPL_EVICT_KEPT;
	if (!tail)
		return LPL_EVICT_TAIL;
	if (may_keep && window > wanted + 2 && tail->gap)
		return LPL_KEEP_TAIL;
	return kept && lpl_wins(tail, kept) ? LPL_REPLACE_KEPT : LPL_EVICT_TAIL;
}

#ifdef CONFIG_LRU_PAGE_LIST_KUNIT_TEST
#include "tests/guard_kunit.h"
#endif
