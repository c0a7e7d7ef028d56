// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: klrud, the thread that harvests.
 *
 * Woken by the tick, it takes the mms that the CPUs have noted, and harvests
 * those that are due.  What the budget does not reach waits in line, first come
 * first served, and is gone on with where it was left.
 */
#include <linux/accessed_bits.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/sched/clock.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>

#include "internal.h"

/*
 * Ticks that mms are left on the lists of the CPUs, which hold what has ended;
 * less where one was worth a harvest more often than that, lately.
 */
#define LPL_REST_MAX		10

unsigned int lpl_interval_ms = LPL_TICK_MS;
unsigned int lpl_budget_pct = 1;
bool lpl_always;

/* klrud's own: mms in line, in the order they were noted. */
struct lpl_line {
	struct llist_node *first;
	struct llist_node **last;
	unsigned long nr;
	/* Fewest ticks between two harvests of an mm, and the tick that it is from. */
	u32 finest;
	u32 finest_at;
	/* Tick in which lpl_keep_words() was last called. */
	u32 kept;
	/* lpl_consumer is registered. */
	bool listens;
	/* CPU time of the thread that the budget has paid for, ns. */
	u64 paid;
};

static struct task_struct *lpl_thread;
static unsigned long lpl_kicked;
/* Nothing to do before; ticks. */
static u32 lpl_rest_until;
/* Running average of the ticks between two harvests of one mm. */
static u32 lpl_reached;

/**
 * lpl_kick() - let the harvester look now whether there is something to do
 *
 * Context: any but under an rq lock.
 */
void lpl_kick(void)
{
	struct task_struct *thread = READ_ONCE(lpl_thread);

	if (!thread)
		return;
	set_bit(0, &lpl_kicked);
	wake_up_process(thread);
}

/**
 * lpl_kick_rested() - the same, unless it is known that there is not
 *
 * For the tick.
 */
void lpl_kick_rested(void)
{
	if ((s32)(lpl_now() - READ_ONCE(lpl_rest_until)) >= 0)
		lpl_kick();
}

static struct mm_struct *lpl_mm_of(struct llist_node *node)
{
	return container_of(node, struct mm_struct, lru_page_list.node);
}

static void lpl_line_add(struct lpl_line *line, struct llist_node *node)
{
	node->next = NULL;
	*line->last = node;
	line->last = &node->next;
	line->nr++;
}

static struct mm_struct *lpl_line_take(struct lpl_line *line)
{
	struct llist_node *node = line->first;

	line->first = node->next;
	if (!line->first)
		line->last = &line->first;
	line->nr--;
	return lpl_mm_of(node);
}

/* It counts for a second. */
static bool lpl_line_is_fine(const struct lpl_line *line, u32 now)
{
	return now - line->finest_at < LPL_TICKS_PER_SEC;
}

static void lpl_line_finest(struct lpl_line *line, u32 now, u32 every)
{
	if (every > line->finest && lpl_line_is_fine(line, now))
		return;
	line->finest = every;
	line->finest_at = now;
}

/* An mm that ran again would be late by what is rested: that is no more than this. */
static u32 lpl_line_rest(const struct lpl_line *line, u32 now)
{
	if (!lpl_line_is_fine(line, now))
		return LPL_REST_MAX;
	return min_t(u32, line->finest, LPL_REST_MAX);
}

/* It is not yet worth a harvest again; 0 if it is. */
static u32 lpl_waits(struct mm_struct *mm, u32 now, u32 every)
{
	u32 wait = mm->lru_page_list.due - now;

	return wait <= every ? wait : 0;
}

static void lpl_gather(struct lpl_line *line)
{
	struct llist_node *node, *next;
	u32 now = lpl_now();
	int cpu;

	lpl_note_remote();
	for_each_possible_cpu(cpu) {
		node = llist_reverse_order(lpl_noted(cpu));
		for (; node; node = next) {
			struct mm_struct *mm = lpl_mm_of(node);

			next = node->next;
			/* How late it will be counts from here. */
			if (!lpl_waits(mm, now, LPL_NO_PRESSURE))
				mm->lru_page_list.due = now;
			lpl_line_add(line, node);
		}
	}
}

/* @mm was taken from the line; from here on CPUs may note it again. */
static void lpl_unnote(struct mm_struct *mm)
{
	/* The link is read before another CPU may write it. */
	smp_mb__before_atomic();
	clear_bit(LRU_PAGE_LIST_NOTED, &mm->lru_page_list.flags);
}

/* Not all of @mm was reached: keep it in line unless it ran again meanwhile. */
static void lpl_renote(struct lpl_line *line, struct mm_struct *mm)
{
	if (test_and_set_bit(LRU_PAGE_LIST_NOTED, &mm->lru_page_list.flags))
		mmdrop(mm);
	else
		lpl_line_add(line, &mm->lru_page_list.node);
}

/**
 * lpl_resolution_now() - how exact the queue is meant to be at this time
 *
 * Return: ticks between two harvests of one mm, for reclaim of all memory.
 */
u32 lpl_resolution_now(void)
{
	bool pressure;

	return lpl_resolution_of(NULL, &pressure);
}

/**
 * lpl_reached_now() - how exact the queue has been lately
 *
 * Return: ticks between two harvests of one mm, of those that were made.
 */
u32 lpl_reached_now(void)
{
	return lpl_average(READ_ONCE(lpl_reached));
}

static void lpl_note_reached(u32 ticks)
{
	WRITE_ONCE(lpl_reached, lpl_average_add(READ_ONCE(lpl_reached), ticks));
}

/* An mm that has ended would keep its page directory while it is in line. */
static bool lpl_drop_ended(struct mm_struct *mm)
{
	if (atomic_read(&mm->mm_users))
		return false;
	lpl_count(LPL_MMS_EXITED, 1);
	lpl_unnote(mm);
	mmdrop(mm);
	return true;
}

/*
 * Clearing costs faults where there is no hardware accessed flag, and with
 * nothing to evict the order is of no use.  Else when @mm is due: 0 for now.
 */
static u32 lpl_mm_rests(struct mm_struct *mm, u32 now, u32 *every)
{
	bool pressure;

	*every = lpl_resolution_of(mm, &pressure);
	if (READ_ONCE(lpl_always) || arch_has_hw_pte_young() || pressure)
		return lpl_waits(mm, now, *every);
	lpl_count(LPL_GATED, 1);
	mm->lru_page_list.due = now;
	return LPL_REST_MAX;
}

/* Takes over the reference of @mm; true if all of it was harvested. */
static bool lpl_serve(struct lpl_line *line, struct mm_struct *mm, u64 until, u32 every)
{
	u32 now = lpl_now();
	s32 late;

	lpl_line_finest(line, now, every);
	lpl_unnote(mm);
	if (!lpl_harvest_mm(mm, now, until, every)) {
		lpl_renote(line, mm);
		return false;
	}
	late = lpl_now() - mm->lru_page_list.due;
	lpl_note_reached(every + max(late, 0));
	mm->lru_page_list.due = now + every;
	mmdrop(mm);
	return true;
}

/*
 * Return: ticks until there is more to do, at the earliest.
 */
static u32 lpl_pass(struct lpl_line *line, struct lpl_budget *budget)
{
	bool always = READ_ONCE(lpl_always);
	u32 earliest = LPL_REST_MAX;
	unsigned long n = line->nr;
	bool harvested = false;
	u32 now = lpl_now();
	u32 every, rests;
	u64 until = 0;

	while (n--) {
		struct mm_struct *mm = lpl_line_take(line);

		if (lpl_drop_ended(mm))
			continue;
		rests = lpl_mm_rests(mm, now, &every);
		if (rests) {
			lpl_line_add(line, &mm->lru_page_list.node);
			earliest = min(earliest, rests);
			continue;
		}
		if (!always && !until)
			until = local_clock() + max_t(s64, budget->credit, 1);
		harvested = true;
		if (!lpl_serve(line, mm, until, every))
			earliest = 1;
		if (until && local_clock() >= until) {
			earliest = 1;
			break;
		}
	}
	lpl_count(LPL_PASSES, harvested);
	return min(earliest, lpl_line_rest(line, now));
}

/* Here, as who changes the policy holds locks that this takes. */
static void lpl_listen(struct lpl_line *line, bool listen)
{
	if (line->listens == listen)
		return;
	line->listens = listen;
	if (listen)
		accessed_bits_register(&lpl_consumer);
	else
		accessed_bits_unregister(&lpl_consumer);
	/* A part of a change of policy, and long, as code is patched: no harvest is to pay. */
	line->paid = task_sched_runtime(current);
}

static void lpl_let_go(struct lpl_line *line)
{
	/* A CPU may be noting yet, with interrupts disabled. */
	synchronize_rcu();
	lpl_gather(line);
	lpl_listen(line, false);
	while (line->nr) {
		struct mm_struct *mm = lpl_line_take(line);

		lpl_unnote(mm);
		mmdrop(mm);
	}
}

static void lpl_work(struct lpl_line *line, struct lpl_budget *budget)
{
	unsigned int percent = READ_ONCE(lpl_budget_pct);
	u32 start = lpl_now();
	u64 ran;
	u32 rest;

	lpl_listen(line, true);
	lpl_budget_add(budget, local_clock(), percent);
	if (start - line->kept > LPL_KEEP_EVERY) {
		line->kept = start;
		lpl_keep_words();
	}
	lpl_gather(line);
	if (!READ_ONCE(lpl_always) && lpl_budget_wait(budget, percent))
		rest = 1;
	else
		rest = min_t(u32, lpl_pass(line, budget), LPL_REST_MAX);

	/* With what waking up and going to sleep took since. */
	ran = task_sched_runtime(current) - line->paid;
	line->paid += ran;
	lpl_count(LPL_NS, ran);
	if (READ_ONCE(lpl_always)) {
		budget->credit = 0;
		rest = 1;
	} else {
		lpl_budget_spend(budget, ran, percent);
		/*
		 * In debt for longer, though what has ended is held meanwhile: where
		 * waking up is dear, as in a guest that has no CPU of its own, it
		 * would never get out of debt, nor to a harvest.  From now on, not
		 * from @start, and not a part of a tick too early, for the same reason.
		 */
		rest = max_t(u32, rest, lpl_now() - start +
			     DIV_ROUND_UP_ULL(lpl_budget_wait(budget, percent),
					      LPL_TICK_MS * NSEC_PER_MSEC));
	}
	WRITE_ONCE(lpl_rest_until, start + rest);
}

static int lpl_harvester(void *unused)
{
	struct lpl_line line = { .last = &line.first, .kept = lpl_now() };
	struct lpl_budget budget = { .stamp = local_clock() };

	set_user_nice(current, -10);
	for (;;) {
		set_current_state(TASK_IDLE);
		if (!test_bit(0, &lpl_kicked))
			schedule();
		__set_current_state(TASK_RUNNING);
		if (!test_and_clear_bit(0, &lpl_kicked))
			continue;

		if (lru_page_list_enabled())
			lpl_work(&line, &budget);
		else
			lpl_let_go(&line);
	}
	return 0;
}

/**
 * lpl_harvester_start() - start the thread, if it has not been
 *
 * It stays, asleep while another policy is active.
 *
 * Return: 0, or why there is no thread.
 */
int lpl_harvester_start(void)
{
	struct task_struct *thread;

	if (lpl_thread)
		return 0;
	thread = kthread_run(lpl_harvester, NULL, "klrud");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	WRITE_ONCE(lpl_thread, thread);
	return 0;
}
