// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: which policy is active, and changing it under load.
 *
 * The lists of classic are what the other two are converted from and to:
 *
 *	mglru <-> classic	lru_gen_change_state()
 *	classic <-> lru		here
 *
 * /sys/kernel/mm/lru_gen/enabled is still a way to choose: both of its values
 * end lru, through lru_page_list_leave().
 */
#include <linux/cgroup.h>
#include <linux/cpu.h>
#include <linux/memcontrol.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/nodemask.h>

#include "internal.h"
#include "keep.h"

/* Folios converted in one hold of lru_lock. */
#define LPL_CONVERT_BATCH	64

const char *const lpl_policy_names[LPL_NR_POLICIES] = {
	[LPL_CLASSIC] = "classic",
	[LPL_MGLRU] = "mglru",
	[LPL_LRU] = "lru",
};

static DEFINE_MUTEX(lpl_policy_mutex);

/* Tick at which lru was chosen last. */
u32 lpl_since;

/**
 * lpl_policy() - which policy is active
 *
 * Return: the one that folios being added now go by.
 */
enum lpl_policy lpl_policy(void)
{
	if (lru_page_list_enabled())
		return LPL_LRU;
	return lru_gen_enabled() ? LPL_MGLRU : LPL_CLASSIC;
}

/*
 * Set while lru is being left: nothing goes to the lists of what was read once
 * and of what is parked, which the other policies do not look at.
 */
bool lpl_leaving;

/*
 * Active folios go before the inactive ones, in the order they have: a batch of
 * each type, true when that was all.
 */
static bool lpl_fill(struct lruvec *lruvec)
{
	enum lru_list lru;
	bool all = true;

	for (lru = LRU_INACTIVE_ANON; lru <= LRU_INACTIVE_FILE; lru += LRU_FILE) {
		struct list_head *active = &lruvec->lists[lru + LRU_ACTIVE];
		int left = LPL_CONVERT_BATCH;

		while (left-- && !list_empty(active)) {
			struct folio *folio = lru_to_folio(active);

			lruvec_del_folio(lruvec, folio);
			lruvec_add_folio(lruvec, folio);
		}
		all = all && list_empty(active);
	}
	return all;
}

/**
 * lpl_take_over() - convert some of what a change to lru has not come to yet
 * @lruvec: which reclaim is about to take from
 *
 * Many memory cgroups may come before this one, and to find nothing on lists
 * whose folios are all active would be a reason to kill.
 */
void lpl_take_over(struct lruvec *lruvec)
{
	if (list_empty(&lruvec->lists[LRU_ACTIVE_ANON]) &&
	    list_empty(&lruvec->lists[LRU_ACTIVE_FILE]))
		return;
	spin_lock_irq(&lruvec->lru_lock);
	/* Else they are active as it is being left. */
	if (lru_page_list_enabled())
		lpl_fill(lruvec);
	spin_unlock_irq(&lruvec->lru_lock);
}

/* What is added while this runs is classic's, and shifts the half by little. */
static bool lpl_drain(struct lruvec *lruvec, unsigned long *nr)
{
	int left = LPL_CONVERT_BATCH;
	enum lru_list lru;

	lpl_front_join(lruvec);
	lpl_unskip(lruvec);
	lpl_unpark(lruvec);
	for (lru = LRU_INACTIVE_ANON; lru <= LRU_INACTIVE_FILE; lru += LRU_FILE) {
		struct list_head *queue = &lruvec->lists[lru];
		unsigned long *todo = &nr[lru / LRU_FILE];

		while (*todo && !list_empty(queue)) {
			struct folio *folio = list_first_entry(queue, struct folio, lru);
			unsigned long pages = folio_nr_pages(folio);

			if (!left--)
				return false;
			lruvec_del_folio(lruvec, folio);
			folio_set_active(folio);
			update_lru_size(lruvec, lru + LRU_ACTIVE,
					folio_zonenum(folio), pages);
			list_add_tail(&folio->lru, &lruvec->lists[lru + LRU_ACTIVE]);
			*todo -= min(*todo, pages);
		}
	}
	return true;
}

static void lpl_convert(struct lruvec *lruvec, bool enable)
{
	unsigned long nr[2] = {
		lruvec_page_state(lruvec, NR_INACTIVE_ANON) / 2,
		lruvec_page_state(lruvec, NR_INACTIVE_FILE) / 2,
	};

	spin_lock_irq(&lruvec->lru_lock);
	while (!(enable ? lpl_fill(lruvec) : lpl_drain(lruvec, nr))) {
		spin_unlock_irq(&lruvec->lru_lock);
		cond_resched();
		spin_lock_irq(&lruvec->lru_lock);
	}
	spin_unlock_irq(&lruvec->lru_lock);
}

static void lpl_enter_lruvec(struct lruvec *lruvec)
{
	lpl_convert(lruvec, true);
}

static void lpl_leave_lruvec(struct lruvec *lruvec)
{
	lpl_convert(lruvec, false);
}

static void lpl_give_up_lists(struct lruvec *lruvec)
{
	spin_lock_irq(&lruvec->lru_lock);
	lpl_front_join(lruvec);
	lpl_unpark(lruvec);
	list_splice_tail_init(&lruvec->lru_page_list.once,
			      &lruvec->lists[LRU_INACTIVE_FILE]);
	spin_unlock_irq(&lruvec->lru_lock);
}

static void lpl_change_lruvecs(void (*change)(struct lruvec *lruvec))
{
	struct mem_cgroup *memcg = mem_cgroup_iter(NULL, NULL, NULL);
	int nid;

	/* Also where memory has gone, or may come. */
	do {
		for_each_node(nid)
			change(mem_cgroup_lruvec(memcg, NODE_DATA(nid)));
		cond_resched();
	} while ((memcg = mem_cgroup_iter(NULL, memcg, NULL)));
}

/* Shadows that are counted while guard is in force have a place to be found. */
bool lpl_guard_wanted;

/*
 * The same locks as lpl_switch_key().  The lists of what is kept go before the
 * key: a lruvec without them is strict, and reclaim finds all of it.
 */
static void lpl_switch_guard(bool on)
{
	if (on == static_key_enabled(&lpl_guard_key))
		return;
	if (on) {
		static_branch_enable_cpuslocked(&lru_page_list_kept_key);
		static_branch_enable_cpuslocked(&lpl_guard_key);
		lpl_change_lruvecs(lpl_keep_start);
	} else {
		lpl_change_lruvecs(lpl_keep_stop);
		static_branch_disable_cpuslocked(&lpl_guard_key);
	}
}

/*
 * cgroup_mutex and cpus_read_lock held, and memory does not come or go.
 *
 * At no time is a folio where the policy in force does not look: reclaim takes
 * over by itself what is active yet, and what was read once or is parked is on
 * the queue before lru is left.
 */
static void lpl_switch_key(bool enable)
{
	static bool known;

	if (enable) {
		/* As memory is set aside all words are 0. */
		if (known)
			lpl_forget_words();
		known = true;
		WRITE_ONCE(lpl_since, lpl_now());
		static_branch_enable_cpuslocked(&lru_page_list_key);
		lpl_change_lruvecs(lpl_enter_lruvec);
		lpl_switch_guard(READ_ONCE(lpl_guard_wanted));
		return;
	}
	lpl_switch_guard(false);
	WRITE_ONCE(lpl_leaving, true);
	lpl_change_lruvecs(lpl_give_up_lists);
	static_branch_disable_cpuslocked(&lru_page_list_key);
	/* All insertions under way, with interrupts disabled. */
	synchronize_rcu();
	lpl_change_lruvecs(lpl_leave_lruvec);
	WRITE_ONCE(lpl_leaving, false);
}

/**
 * lru_page_list_leave() - go back to the classic lists
 *
 * For lru_gen_change_state(), which holds the locks.
 */
void lru_page_list_leave(void)
{
	if (!lru_page_list_enabled())
		return;
	lpl_switch_key(false);
	/* It lets go of the mms that it and the CPUs hold. */
	lpl_kick();
}

/* False if somebody has chosen mglru meanwhile. */
static bool lpl_enter(void)
{
	bool done;

	cgroup_lock();
	cpus_read_lock();
	get_online_mems();
	done = !lru_gen_enabled();
	if (done && !lru_page_list_enabled()) {
		lpl_switch_key(true);
		lpl_kick();
	}
	put_online_mems();
	cpus_read_unlock();
	cgroup_unlock();
	return done;
}

static int lpl_enter_lru(void)
{
	int err;

	if (!lpl_set_aside()) {
		pr_info_once("lru_page_list: no memory was set aside, booted with lru_page_list=off\n");
		return -EOPNOTSUPP;
	}
	if (lru_page_list_enabled())
		return 0;

	err = lpl_harvester_start();
	if (err)
		return err;
	do {
		lpl_change_lru_gen(false);
	} while (!lpl_enter());
	return 0;
}

/**
 * lpl_set_policy() - change to a policy
 * @policy: which
 *
 * Context: process context, no locks held.
 * Return: 0; -EOPNOTSUPP if there is no memory set aside for lru; -ENOMEM if
 * its thread cannot be started; -EINTR.
 */
int lpl_set_policy(enum lpl_policy policy)
{
	int err = 0;

	if (mutex_lock_interruptible(&lpl_policy_mutex))
		return -EINTR;
	if (policy == LPL_LRU)
		err = lpl_enter_lru();
	else
		lpl_change_lru_gen(policy == LPL_MGLRU);
	mutex_unlock(&lpl_policy_mutex);
	return err;
}

/**
 * lpl_set_guard() - let the queue be strict, or keep pages for their gap
 * @guard: the latter; it begins when the policy is lru
 *
 * Context: process context, no locks held.
 * Return: 0; -EOPNOTSUPP if there is no memory set aside for lru, or no room
 * in shadows (32 bits); -EINTR.
 */
int lpl_set_guard(bool guard)
{
	if (guard && (!lpl_set_aside() || !IS_ENABLED(CONFIG_64BIT)))
		return -EOPNOTSUPP;
	if (mutex_lock_interruptible(&lpl_policy_mutex))
		return -EINTR;
	cgroup_lock();
	cpus_read_lock();
	get_online_mems();
	WRITE_ONCE(lpl_guard_wanted, guard);
	if (lru_page_list_enabled())
		lpl_switch_guard(guard);
	put_online_mems();
	cpus_read_unlock();
	cgroup_unlock();
	mutex_unlock(&lpl_policy_mutex);
	return 0;
}
