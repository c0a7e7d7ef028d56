// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: where in the queue a folio goes.
 *
 * Nothing here has state or takes a lock: the callers hold the lru_lock of the
 * queue.  tests/queue_kunit.h runs all of it under UML.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include "internal.h"

/**
 * lpl_word_kept() - keep what is very old from looking young again
 * @word: a word
 * @now: current tick
 *
 * To be applied to all words each LPL_KEEP_EVERY ticks.
 *
 * Return: the new word, or the same.
 */
u32 lpl_word_kept(u32 word, u32 now)
{
	u32 age = (now - word) & LPL_STAMP_MASK;

	if (!(word & LPL_VALID) || age <= LPL_STAMP_MASK / 2 ||
	    age > LPL_STAMP_MASK - LPL_STAMP_AHEAD)
		return word;
	return lpl_word(now - LPL_STAMP_MASK / 2, word & ~LPL_STAMP_MASK);
}

/**
 * lpl_word_touched() - what is known of a folio that a harvest found touched
 * @word: its word
 * @age: its age, ticks
 * @now: current tick
 * @every: ticks between two harvests
 * @behind: so many ticks before @now it is taken to have been used; what harvest after
 *	harvest finds used is used all the time
 *
 * Return: the new word, whose stamp is not older than the old one's.
 */
u32 lpl_word_touched(u32 word, u32 age, u32 now, u32 every, u32 behind)
{
	u32 streak = (word & LPL_STREAK_MASK) >> LPL_STREAK_SHIFT;

	/* It may have been left for so long, see below. */
	if (!word || lpl_once(word) || age > (LPL_LEAVE_MOST + 2) * every)
		streak = 0;
	else if (streak < 3)
		streak++;
	if (!word || streak == 3)
		behind = 0;
	return lpl_word(now - min(age, behind), streak << LPL_STREAK_SHIFT);
}

/**
 * lpl_word_met() - what is known of a folio that reclaim found accessed at the tail
 * @word: its word
 * @now: current tick
 *
 * Return: the new word, whose streak is one less.
 */
u32 lpl_word_met(u32 word, u32 now)
{
	u32 streak = lpl_once(word) ? 0 : (word & LPL_STREAK_MASK) >> LPL_STREAK_SHIFT;

	streak -= !!streak;
	return lpl_word(now, streak << LPL_STREAK_SHIFT);
}

/**
 * lpl_leave() - may the accessed bit of a folio be left as it is?
 * @word: its word
 * @age: its age, ticks
 * @every: ticks between two harvests, a part of the age at eviction
 *
 * What harvest after harvest finds touched is far from the tail and will be
 * touched again: one in a few will do.  That saves its part of the budget, and
 * on cores without hardware accessed flag a fault.
 *
 * Return: true if it may.
 */
bool lpl_leave(u32 word, u32 age, u32 every)
{
	u32 streak = (word & LPL_STREAK_MASK) >> LPL_STREAK_SHIFT;

	if (streak < 2 || lpl_once(word))
		return false;
	return age < (streak == 2 ? 2 : LPL_LEAVE_MOST) * every;
}

/**
 * lpl_was_idle() - has a look found a folio idle, before it was found used?
 * @word: its word, as it was until then
 * @age: its age, ticks
 * @period: ticks since the last look
 * @every: ticks between two, as they were meant to be
 *
 * What is in use all the time has a stamp that is as old as the last look, or the last
 * that did not leave it alone.  So it may be used again and look as if it had not been for
 * as long; guard would take it for a hit that LRU has not.
 *
 * Return: true if its age is the time between two uses.
 */
bool lpl_was_idle(u32 word, u32 age, u32 period, u32 every)
{
	return age > period && !lpl_leave(word, age - period, every);
}

static struct folio *lpl_entry(struct list_head *node)
{
	return list_entry(node, struct folio, lru);
}

/**
 * lpl_place() - find the place of a folio that comes back to the queue
 * @queue: most recently used first
 * @age: its age, ticks
 * @now: current tick
 * @age_of: gives the age of a folio in the queue
 *
 * Looks from the end that is nearer in age, past no more than LPL_PLACE_MAX
 * folios: compaction and migration bring back many, and the lock is held.
 *
 * Return: the node after which it is to be added.
 */
struct list_head *lpl_place(struct list_head *queue, u32 age, u32 now,
			    lpl_age_fn age_of)
{
	struct list_head *node = queue;
	int left = LPL_PLACE_MAX;
	u32 first, last;

	/* What was used just now needs no look at the others. */
	if (!age || list_empty(queue))
		return queue;

	first = age_of(lpl_entry(queue->next), now);
	last = age_of(lpl_entry(queue->prev), now);
	/* Neither is more than half of what 32 bits hold. */
	if (age <= (first + last) / 2) {
		while (left-- && node->next != queue &&
		       age_of(lpl_entry(node->next), now) < age)
			node = node->next;
		return node;
	}

	node = queue->prev;
	while (left-- && node != queue && age_of(lpl_entry(node), now) > age)
		node = node->prev;
	return node;
}

/**
 * lpl_queue_empty() - is nothing in any part of a queue?
 * @queue: the queue; without a lock this is what was so a moment ago
 *
 * Return: true if so.
 */
bool lpl_queue_empty(const struct lru_page_list_queue *queue)
{
	int i;

	for (i = 0; i < LRU_PAGE_LIST_PARTS; i++)
		if (!list_empty(&queue->list[i]))
			return false;
	return true;
}

/* The oldest part has something, unless it is the only one. */
static void lpl_queue_trim(struct lru_page_list_queue *queue)
{
	while (queue->nr > 1 && list_empty(lpl_queue_part(queue, queue->nr - 1)))
		queue->nr--;
}

/**
 * lpl_queue_join() - let the oldest part of a queue be the front of its tail
 * @queue: the queue
 * @tail: what is older than all parts
 *
 * Return: false if no part has anything.
 */
bool lpl_queue_join(struct lru_page_list_queue *queue, struct list_head *tail)
{
	lpl_queue_trim(queue);
	if (list_empty(lpl_queue_part(queue, queue->nr - 1)))
		return false;
	list_splice_init(lpl_queue_part(queue, queue->nr - 1), tail);
	return true;
}

/*
 * The part, not the newest, which if it were one with the next older one would be of the
 * least time for its age.
 */
static int lpl_queue_least(const struct lru_page_list_queue *queue, u32 now)
{
	u32 least_time = U32_MAX, least_age = 1;
	int i, least = 1;

	for (i = 1; i < queue->nr - 1; i++) {
		u32 time = queue->since[i - 1] - queue->since[i + 1];
		u32 age = now - queue->since[i + 1];

		if ((u64)time * least_age < (u64)least_time * age) {
			least_time = time;
			least_age = age;
			least = i;
		}
	}
	return least;
}

/* Begin the newest, before the first @at; what is in place of part @at is free. */
static void lpl_queue_begin(struct lru_page_list_queue *queue, int at, u32 now)
{
	u8 slot = queue->slot[at];

	memmove(&queue->slot[1], &queue->slot[0], at * sizeof(queue->slot[0]));
	memmove(&queue->since[1], &queue->since[0], at * sizeof(queue->since[0]));
	queue->slot[0] = slot;
	queue->since[0] = now;
}

/**
 * lpl_queue_advance() - let the parts of a queue get older
 * @queue: the queue
 * @now: current tick, or the one in which a harvest began
 *
 * What comes in a tick is a part, or in up to a third of a second, where all that is new
 * comes from in front of the queue.  When there are as many as there may be, two neighbours
 * become one: those that are of the least time then for their age.  So all are of about
 * the same part of their age, whatever that of the oldest is, but for those of one tick:
 * with 48 of them a twelfth, where the oldest is two seconds old, and a sixth, where it is
 * two minutes old.
 */
void lpl_queue_advance(struct lru_page_list_queue *queue, u32 now)
{
	int at;

	/* Most of the time, and each insertion asks. */
	if (!lpl_front_age(queue->since[0], now))
		return;
	if (list_empty(lpl_queue_part(queue, 0))) {
		queue->since[0] = now;
		return;
	}
	lpl_queue_trim(queue);
	if (queue->nr < LRU_PAGE_LIST_PARTS) {
		at = queue->nr++;
	} else {
		at = lpl_queue_least(queue, now);
		list_splice_init(lpl_queue_part(queue, at), lpl_queue_part(queue, at + 1));
	}
	lpl_queue_begin(queue, at, now);
}

/* Is one of this age older than all of a part, or in it? */
static bool lpl_queue_is_older(struct list_head *part, u32 age, u32 now, lpl_age_fn age_of)
{
	return !list_empty(part) && age_of(lpl_entry(part->next), now) <= age;
}

static bool lpl_queue_has_older(struct list_head *part, u32 age, u32 now, lpl_age_fn age_of)
{
	return !list_empty(part) && age_of(lpl_entry(part->prev), now) > age;
}

/**
 * lpl_queue_place() - find the place in a queue of a folio that comes back to it
 * @queue: the queue
 * @tail: what is older than all parts
 * @age: its age, ticks
 * @now: current tick
 * @age_of: gives the age of a folio in the queue
 *
 * It is in the oldest part whose newest is not older, and where in it lpl_place() finds.
 * Reclaim puts to the head what is of other zones, old as it is; and what it brings back
 * to be put aside is as old as the tail, so that is looked at first.
 *
 * Return: the node after which it is to be added.
 */
struct list_head *lpl_queue_place(struct lru_page_list_queue *queue, struct list_head *tail,
				  u32 age, u32 now, lpl_age_fn age_of)
{
	int i = queue->nr - 1;

	/* What was used just now needs no look at the others. */
	if (!age)
		return lpl_queue_part(queue, 0);
	if (lpl_queue_is_older(tail, age, now, age_of))
		return lpl_place(tail, age, now, age_of);
	while (i > 0 && !lpl_queue_is_older(lpl_queue_part(queue, i), age, now, age_of))
		i--;
	/* Between two folios there may be parts of which all, or what is newer, is away. */
	while (i + 1 < queue->nr && (s32)(now - age - queue->since[i]) < 0 &&
	       !lpl_queue_has_older(lpl_queue_part(queue, i), age, now, age_of))
		i++;
	return lpl_place(lpl_queue_part(queue, i), age, now, age_of);
}

/**
 * lpl_front_age() - since when the newer part of what is in front is growing
 * @since: tick in which it was begun; may be any for a list that was never in use
 * @now: current tick, or the one in which a harvest began
 *
 * Ticks start at any number and wrap: all that is not a little ahead is long ago.
 *
 * Return: ticks.
 */
u32 lpl_front_age(u32 since, u32 now)
{
	u32 age = now - since;

	return age > U32_MAX - LPL_STAMP_AHEAD ? 0 : age;
}

/**
 * lpl_front_step() - let what is in front of a queue get older
 * @newer: the newer part of it, which folios come to
 * @older: the older part
 * @queue: the queue
 * @age: ticks since @newer was begun
 * @every: ticks that a part is to be of; 0: nothing is to be in front
 *
 * The order of all together stays as it is.
 *
 * Return: true if @newer begins anew.
 */
bool lpl_front_step(struct list_head *newer, struct list_head *older,
		    struct list_head *queue, u32 age, u32 every)
{
	if (age < every)
		return false;
	list_splice_init(older, queue);
	list_splice_init(newer, age / 2 < every ? older : queue);
	return true;
}

/**
 * lpl_prefer_anon() - which of two tails is to be taken from
 * @anon_age: age of the tail of the anonymous queue, ticks
 * @file_age: age of the tail of the file queue, ticks
 * @swappiness: 0 (file only) to 200 (anonymous only); at 100 the older one
 *
 * Return: true for the anonymous one.
 */
bool lpl_prefer_anon(u32 anon_age, u32 file_age, unsigned int swappiness)
{
	if (!swappiness)
		return false;
	if (swappiness >= 200)
		return true;
	return (u64)(anon_age + 1) * swappiness >
	       (u64)(file_age + 1) * (200 - swappiness);
}

/* Long enough for what was read ahead to be read, ticks. */
#define LPL_ONCE_AGE	10
#define LPL_ONCE_FACTOR	64

/**
 * lpl_prefer_once() - is page cache that was read once to be taken?
 * @once_age: age of the oldest of it, ticks
 * @many: there is more of it than is read ahead
 * @age: age of the oldest tail of the queue, ticks
 *
 * It is unless there is so little, and so young, that its use may be yet to
 * come; then only what has not been used for a very long time goes before it.
 *
 * Return: true if it is.
 */
bool lpl_prefer_once(u32 once_age, bool many, u32 age)
{
	return many || once_age >= LPL_ONCE_AGE ||
	       (u64)once_age * LPL_ONCE_FACTOR >= age;
}

#ifdef CONFIG_LRU_PAGE_LIST_KUNIT_TEST
#include "tests/queue_kunit.h"
#endif
