/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lkp25p3: what its files share, grouped by the file that defines it.
 */
#ifndef _LKP25P3_INTERNAL_H
#define _LKP25P3_INTERNAL_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <uapi/linux/lkp25p3.h>

struct dentry;
struct lkp25p3_watch;

/**
 * struct lkp25p3_file - an open /proc/lkp25p3
 * @lock: serialises the calls on this file; outermost, mmap_lock is taken
 *	under it
 * @watch: its monitor, or NULL; under @lock
 * @answer: what read() gives, the answer to the last write(); under @lock
 * @answer_len: its length
 */
struct lkp25p3_file {
	struct mutex lock;	/* serialises the calls on this file */
	struct lkp25p3_watch *watch;
	size_t answer_len;
	char answer[256];
};

/* lkp25p3_main.c */

extern struct ratelimit_state lkp25p3_log_limit;

struct mm_struct *lkp25p3_get_mm(pid_t pid);

/* lkp25p3_walk.c */

unsigned int lkp25p3_walk(struct vm_area_struct *vma, unsigned long addr,
			  struct lkp25p3_record *recs, unsigned int max);
bool lkp25p3_walk_own(struct mm_struct *mm, unsigned long addr,
		      struct lkp25p3_record *rec);
void lkp25p3_no_vma(struct mm_struct *mm, unsigned long addr,
		    struct lkp25p3_record *rec);
void lkp25p3_explain(struct mm_struct *mm, unsigned long addr,
		     struct lkp25p3_record *rec);

/*
 * A small page that the CPU can use and of which the VMA has nothing to tell:
 * contiguous ones may be hugetlb.
 */
static inline bool lkp25p3_is_plain(const struct lkp25p3_record *rec)
{
	return rec->state == LKP25P3_PRESENT && rec->level == 1 &&
	       !(rec->flags & (LKP25P3_KEPT | LKP25P3_CONT));
}

/* lkp25p3_translate.c */

int lkp25p3_translate_one(struct lkp25p3_file *f, pid_t pid,
			  unsigned long addr);
int lkp25p3_translate_range(struct lkp25p3_file *f, pid_t pid,
			    unsigned long start, unsigned long end);
int lkp25p3_translate_batch(struct lkp25p3_batch *batch);

/* lkp25p3_vmas.c */

int lkp25p3_dump_vmas(void);

/* lkp25p3_latency.c */

u64 lkp25p3_clock_cost_x16(void);
u32 lkp25p3_latency_ns(u64 raw_ns, unsigned int nr);
void lkp25p3_latency_add(u32 ns, unsigned int nr);
void lkp25p3_latency_init(struct dentry *dir);

/* lkp25p3_monitor.c */

struct lkp25p3_watch *lkp25p3_monitor_start(struct lkp25p3_monitor *monitor);
void lkp25p3_monitor_stop(struct lkp25p3_watch *watch);
void lkp25p3_monitor_init(struct dentry *dir);

#endif /* _LKP25P3_INTERNAL_H */
