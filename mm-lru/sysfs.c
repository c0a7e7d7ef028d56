// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: /sys/kernel/mm/lru_page_list/.  The ABI is in
 * Documentation/ABI/testing/sysfs-kernel-mm-lru-page-list.
 */
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/sysfs.h>

#include "internal.h"
#include "keep.h"

#define LPL_ATTR(_name)							\
	static struct kobj_attribute _name##_attr = __ATTR_RW(_name)

static ssize_t policy_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", lpl_policy_names[lpl_policy()]);
}

static ssize_t policy_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t len)
{
	int policy = __sysfs_match_string(lpl_policy_names, LPL_NR_POLICIES, buf);
	int err;

	if (policy < 0)
		return -EINVAL;
	err = lpl_set_policy(policy);
	return err ?: len;
}

LPL_ATTR(policy);

static ssize_t lpl_store_uint(const char *buf, size_t len, unsigned int *value,
			      unsigned int least, unsigned int most)
{
	unsigned int new;
	int err = kstrtouint(buf, 0, &new);

	if (err)
		return err;
	if (new < least || new > most)
		return -EINVAL;
	WRITE_ONCE(*value, new);
	return len;
}

static ssize_t interval_ms_show(struct kobject *kobj, struct kobj_attribute *attr,
				char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(lpl_interval_ms));
}

static ssize_t interval_ms_store(struct kobject *kobj, struct kobj_attribute *attr,
				 const char *buf, size_t len)
{
	return lpl_store_uint(buf, len, &lpl_interval_ms, LPL_TICK_MS, MSEC_PER_SEC);
}

LPL_ATTR(interval_ms);

static ssize_t budget_pct_show(struct kobject *kobj, struct kobj_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(lpl_budget_pct));
}

static ssize_t budget_pct_store(struct kobject *kobj, struct kobj_attribute *attr,
				const char *buf, size_t len)
{
	return lpl_store_uint(buf, len, &lpl_budget_pct, 1, 100);
}

LPL_ATTR(budget_pct);

static ssize_t always_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(lpl_always));
}

static ssize_t always_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t len)
{
	bool always;
	int err = kstrtobool(buf, &always);

	if (err)
		return err;
	WRITE_ONCE(lpl_always, always);
	return len;
}

LPL_ATTR(always);

static ssize_t guard_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(lpl_guard_wanted));
}

static ssize_t guard_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t len)
{
	bool guard;
	int err = kstrtobool(buf, &guard);

	if (err)
		return err;
	err = lpl_set_guard(guard);
	return err ?: len;
}

LPL_ATTR(guard);

static const char *const lpl_stat_names[LPL_NR_STATS] = {
	[LPL_PASSES] = "passes",
	[LPL_MMS] = "mms",
	[LPL_MMS_PARTIAL] = "mms_partial",
	[LPL_MMS_EXITED] = "mms_exited",
	[LPL_TRYLOCK_FAILED] = "trylock_failed",
	[LPL_VISITED] = "visited",
	[LPL_YOUNG] = "young",
	[LPL_MOVED] = "moved",
	[LPL_SKIPPED] = "skipped",
	[LPL_AROUND_MOVED] = "around",
	[LPL_AROUND_VISITED] = "around_visited",
	[LPL_TOLD] = "told",
	[LPL_TABLES_SKIPPED] = "tables_skipped",
	[LPL_NS] = "cpu_ns",
	[LPL_GATED] = "gated",
	[LPL_PARKED] = "parked",
	[LPL_RECLAIM_ROUNDS] = "reclaim_rounds",
};

static ssize_t stats_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int i, len = 0;

	for (i = 0; i < LPL_NR_STATS; i++)
		len += sysfs_emit_at(buf, len, "%s %lu\n", lpl_stat_names[i],
				     atomic_long_read(&lpl_stats[i]));
	len += sysfs_emit_at(buf, len, "resolution_ms %u\n",
			     lpl_resolution_now() * LPL_TICK_MS);
	len += sysfs_emit_at(buf, len, "reached_ms %u\n",
			     lpl_reached_now() * LPL_TICK_MS);
	len += lpl_keep_stats(buf, len);
	len += sysfs_emit_at(buf, len, "eviction_age_ms %u\n",
			     lpl_evict_age() * LPL_TICK_MS);
	return len;
}

static struct kobj_attribute stats_attr = __ATTR_RO(stats);

static struct attribute *lpl_attrs[] = {
	&policy_attr.attr,
	&interval_ms_attr.attr,
	&always_attr.attr,
	&guard_attr.attr,
	&budget_pct_attr.attr,
	&stats_attr.attr,
	NULL
};

static const struct attribute_group lpl_attr_group = {
	.name = "lru_page_list",
	.attrs = lpl_attrs,
};

/**
 * lpl_sysfs_init() - make the files
 *
 * Return: 0 or an errno.
 */
int __init lpl_sysfs_init(void)
{
	return sysfs_create_group(mm_kobj, &lpl_attr_group);
}
