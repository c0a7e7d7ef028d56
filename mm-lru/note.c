// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: which address spaces ran since the last tick.
 *
 * prev of each context switch and curr of each tick is exactly what ran.  Each
 * is put once on the list of its CPU, which the harvester takes as a whole, so
 * the cost is that of what ran and never that of what there is.
 *
 * A listed mm has LRU_PAGE_LIST_NOTED set and a reference held (mm_count),
 * both until the harvester has taken it off its own list.
 */
#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "internal.h"

struct lpl_cpu {
	struct llist_head mms;
	/* What a tickless CPU runs, one reference; taken by the harvester. */
	struct task_struct *remote;
};

static DEFINE_PER_CPU(struct lpl_cpu, lpl_cpus);

/* The tick in which the harvester was last woken. */
static u32 lpl_woken;

/*
 * Interrupts are disabled; @mm is that of the task that is running here, which
 * can therefore not be freed.
 */
void __lru_page_list_note(struct mm_struct *mm)
{
	if (test_and_set_bit(LRU_PAGE_LIST_NOTED, &mm->lru_page_list.flags))
		return;
	mmgrab(mm);
	llist_add(&mm->lru_page_list.node, &this_cpu_ptr(&lpl_cpus)->mms);
}

/* Each CPU's, with interrupts disabled and no rq locked: it may wake. */
void __lru_page_list_tick(struct task_struct *curr)
{
	u32 woken = READ_ONCE(lpl_woken);
	u32 now = lpl_now();

	lru_page_list_switch(curr);
	/* One CPU of those that see a tick of ours begin, whatever HZ is. */
	if (now != woken && cmpxchg(&lpl_woken, woken, now) == woken)
		lpl_kick_rested();
}

/*
 * Once a second for a CPU without a tick, by another one.  The task cannot be
 * freed as its rq is locked, but its mm can, by execve(): the harvester looks
 * for the mm in its own context.
 */
void __lru_page_list_tick_remote(struct task_struct *curr)
{
	struct task_struct **slot = &per_cpu(lpl_cpus, task_cpu(curr)).remote;

	if (!curr->mm || READ_ONCE(*slot))
		return;
	get_task_struct(curr);
	/* With its reference. */
	smp_store_release(slot, curr);
}

/**
 * lpl_note_remote() - note what CPUs without a tick run
 *
 * Context: process context, no locks held.
 */
void lpl_note_remote(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct task_struct **slot = &per_cpu(lpl_cpus, cpu).remote;
		struct task_struct *task;
		struct mm_struct *mm;

		if (!READ_ONCE(*slot))
			continue;
		task = xchg(slot, NULL);
		mm = get_task_mm(task);
		put_task_struct(task);
		if (!mm)
			continue;
		local_irq_disable();
		__lru_page_list_note(mm);
		local_irq_enable();
		mmput_async(mm);
	}
}

/**
 * lpl_noted() - take the list of a CPU
 * @cpu: any possible one; what an offline CPU has left is taken too
 *
 * Return: the mms, newest first, each with its reference.
 */
struct llist_node *lpl_noted(int cpu)
{
	return llist_del_all(&per_cpu(lpl_cpus, cpu).mms);
}
