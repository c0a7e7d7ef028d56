// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: translations: one with a line in the log, a range with a line for
 * each run of contiguous memory, a batch with a record for each address.
 *
 * Nothing is printed, copied or allocated while mmap_lock is held: printing may
 * be slow, and copying may fault and want that lock.
 */
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "lkp25p3_internal.h"

/* Records filled under one hold of mmap_lock. */
#define GROUP		512

/* Lines that a range may log. */
#define RANGE_LINES	32

/* The most that a range in text may span, as its runs have to be found. */
#define RANGE_PAGES	BIT(22)

static const char * const no_pa_reasons[] = {
	[LKP25P3_NO_VMA]	= "no VMA",
	[LKP25P3_NOT_POPULATED]	= "not populated",
	[LKP25P3_GUARD]		= "guard",
	[LKP25P3_POISONED]	= "poisoned by a memory error",
	[LKP25P3_DEVICE]	= "in device memory",
};

/* What is said of one record, after its VA. */
static int describe(char *buf, size_t size, const struct lkp25p3_record *rec)
{
	switch (rec->state) {
	case LKP25P3_PRESENT:
		return scnprintf(buf, size, "PA: 0x%llx", rec->pa);
	case LKP25P3_SWAPPED:
		return scnprintf(buf, size,
				 "no PA: swapped (type %u, offset 0x%llx)",
				 rec->swap_type, rec->pa);
	case LKP25P3_MIGRATING:
		return scnprintf(buf, size,
				 "no PA: migrating (from PA 0x%llx)", rec->pa);
	case LKP25P3_PROT_NONE:
		if (rec->flags & LKP25P3_KEPT)
			return scnprintf(buf, size,
					 "no PA: PROT_NONE (page kept at PA 0x%llx)",
					 rec->pa);
		return scnprintf(buf, size,
				 "no PA: PROT_NONE, not populated");
	default:
		return scnprintf(buf, size, "no PA: %s",
				 no_pa_reasons[rec->state]);
	}
}

static int describe_flags(char *buf, size_t size,
			  const struct lkp25p3_record *rec)
{
	if (rec->state != LKP25P3_PRESENT)
		return scnprintf(buf, size, "%s", "");
	return scnprintf(buf, size, " | Page: %lu KB%s%s%s%s",
			 BIT(rec->shift) >> 10,
			 rec->flags & LKP25P3_CONT ? " contiguous" : "",
			 rec->flags & LKP25P3_HUGETLB ? " hugetlb" : "",
			 rec->flags & LKP25P3_ZERO ? " zero" : "",
			 rec->flags & LKP25P3_SPECIAL ? " pfn" : "");
}

/* mmap_lock held for reading. *@vma is the one of the address before, or NULL. */
static unsigned int walk_locked(struct mm_struct *mm,
				struct vm_area_struct **vma,
				unsigned long addr,
				struct lkp25p3_record *recs, unsigned int max)
{
	struct vm_area_struct *last = *vma;

	addr = untagged_addr_remote(mm, addr);
	if (!last || addr < last->vm_start || addr >= last->vm_end)
		*vma = last = vma_lookup(mm, addr);
	if (likely(last))
		return lkp25p3_walk(last, addr, recs, max);
	lkp25p3_no_vma(mm, addr, recs);
	return 1;
}

/*
 * One address.  Of the caller's own, the VMA is looked up only if the page
 * tables leave a question.
 */
static inline void walk_one(struct mm_struct *mm, struct vm_area_struct **vma,
			    unsigned long addr, struct lkp25p3_record *rec)
{
	if (mm != current->mm)
		walk_locked(mm, vma, addr, rec, 1);
	else if (unlikely(!lkp25p3_walk_own(mm, addr, rec)))
		lkp25p3_explain(mm, addr, rec);
}

/**
 * lkp25p3_translate_one() - translate an address, and say so in the log
 * @f: gets the answer for read()
 * @pid: whose address; 0: the caller's
 * @addr: any number
 *
 * Context: @f->lock held. May sleep.
 * Return: 0, or an errno if there is no such address space or no right to it.
 */
int lkp25p3_translate_one(struct lkp25p3_file *f, pid_t pid,
			  unsigned long addr)
{
	struct mm_struct *mm = lkp25p3_get_mm(pid);
	struct vm_area_struct *vma = NULL;
	struct lkp25p3_record rec;
	char what[80], page[64];
	u64 start, raw;
	u32 ns;
	int err;

	if (IS_ERR(mm))
		return PTR_ERR(mm);
	start = ktime_get_ns();
	err = mmap_read_lock_killable(mm);
	if (!err) {
		walk_one(mm, &vma, addr, &rec);
		mmap_read_unlock(mm);
	}
	raw = ktime_get_ns() - start;
	mmput(mm);
	if (err)
		return err;

	ns = lkp25p3_latency_ns(raw, 1);
	lkp25p3_latency_add(ns, 1);
	describe(what, sizeof(what), &rec);
	describe_flags(page, sizeof(page), &rec);
	f->answer_len = scnprintf(f->answer, sizeof(f->answer),
				  "[lkp25p3] VA: 0x%lx -> %s | Latency: %u ns%s\n",
				  addr, what, ns, page);
	if (__ratelimit(&lkp25p3_log_limit))
		pr_info("%s", f->answer);
	return 0;
}

/* A run of pages that follow each other virtually and physically. */
struct run {
	unsigned long start;
	unsigned long pages;
	struct lkp25p3_record first;
};

static bool continues(const struct run *run, const struct lkp25p3_record *rec)
{
	const struct lkp25p3_record *first = &run->first;

	if (!run->pages || rec->state != first->state ||
	    rec->level != first->level ||
	    ((rec->flags ^ first->flags) & (LKP25P3_ZERO | LKP25P3_KEPT)))
		return false;
	switch (rec->state) {
	case LKP25P3_PRESENT:
		if (rec->flags & LKP25P3_ZERO)
			return true;
		fallthrough;
	case LKP25P3_MIGRATING:
		return rec->pa == first->pa + run->pages * PAGE_SIZE;
	case LKP25P3_PROT_NONE:
		return !(rec->flags & LKP25P3_KEPT) ||
		       rec->pa == first->pa + run->pages * PAGE_SIZE;
	case LKP25P3_SWAPPED:
		return rec->swap_type == first->swap_type &&
		       rec->pa == first->pa + run->pages;
	default:
		return true;
	}
}

static void log_run(const struct run *run)
{
	char what[80], page[64];

	if (!run->pages || !__ratelimit(&lkp25p3_log_limit))
		return;
	describe(what, sizeof(what), &run->first);
	describe_flags(page, sizeof(page), &run->first);
	pr_info("[lkp25p3] VA: 0x%lx - 0x%lx (%lu pages) -> %s%s\n",
		run->start, run->start + run->pages * PAGE_SIZE, run->pages,
		what, page);
}

struct range_sum {
	struct run run;
	unsigned long runs;
	unsigned long present;
};

static void add_to_range(struct range_sum *sum, unsigned long addr,
			 const struct lkp25p3_record *recs, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		sum->present += recs[i].state == LKP25P3_PRESENT;
		if (continues(&sum->run, &recs[i])) {
			sum->run.pages++;
			continue;
		}
		if (sum->runs <= RANGE_LINES)
			log_run(&sum->run);
		sum->run = (struct run){ addr + i * PAGE_SIZE, 1, recs[i] };
		sum->runs++;
	}
}

/* Fill up to GROUP records for consecutive pages; returns how many, or -EINTR. */
static int walk_group(struct mm_struct *mm, unsigned long addr,
		      struct lkp25p3_record *recs, unsigned int max)
{
	struct vm_area_struct *vma = NULL;
	unsigned int done = 0;
	u64 start, raw;
	u32 ns;

	start = ktime_get_ns();
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	while (done < max)
		done += walk_locked(mm, &vma, addr + done * PAGE_SIZE,
				    recs + done, max - done);
	mmap_read_unlock(mm);
	raw = ktime_get_ns() - start;

	ns = lkp25p3_latency_ns(raw, done);
	lkp25p3_latency_add(ns, done);
	for (max = 0; max < done; max++)
		recs[max].ns = ns;
	return done;
}

static struct lkp25p3_record *alloc_group(void)
{
	return kvmalloc_array(GROUP, sizeof(struct lkp25p3_record), GFP_KERNEL);
}

/**
 * lkp25p3_translate_range() - log the runs of contiguous memory of a range
 * @f: gets the summary for read()
 * @pid: whose addresses; 0: the caller's
 * @start: first address
 * @end: address after the last
 *
 * At most RANGE_LINES runs are logged, and the number of all.
 *
 * Context: @f->lock held. May sleep.
 * Return: 0 or an errno.
 */
int lkp25p3_translate_range(struct lkp25p3_file *f, pid_t pid,
			    unsigned long start, unsigned long end)
{
	struct range_sum sum = {};
	struct lkp25p3_record *recs;
	struct mm_struct *mm;
	unsigned long pages;
	int err = 0;

	start = round_down(start, PAGE_SIZE);
	if (end <= start || (end - 1 - start) >> PAGE_SHIFT >= RANGE_PAGES)
		return -EINVAL;
	pages = ((end - 1 - start) >> PAGE_SHIFT) + 1;
	recs = alloc_group();
	if (!recs)
		return -ENOMEM;
	mm = lkp25p3_get_mm(pid);
	if (IS_ERR(mm)) {
		kvfree(recs);
		return PTR_ERR(mm);
	}
	end = start;
	while (pages && !err) {
		int nr = walk_group(mm, end, recs,
				    min_t(unsigned long, pages, GROUP));

		if (nr < 0) {
			err = nr;
			break;
		}
		add_to_range(&sum, end, recs, nr);
		end += nr * PAGE_SIZE;
		pages -= nr;
		err = fatal_signal_pending(current) ? -EINTR : 0;
		cond_resched();
	}
	mmput(mm);
	kvfree(recs);
	if (err)
		return err;

	if (sum.runs <= RANGE_LINES)
		log_run(&sum.run);
	f->answer_len = scnprintf(f->answer, sizeof(f->answer),
				  "[lkp25p3] VA: 0x%lx - 0x%lx: %lu pages, %lu present, %lu runs of contiguous memory\n",
				  start, end, (end - start) >> PAGE_SHIFT,
				  sum.present, sum.runs);
	if (__ratelimit(&lkp25p3_log_limit))
		pr_info("%s", f->answer);
	return 0;
}

/* One hold of mmap_lock for all addresses; not more than GROUP. */
static int random_locked(struct mm_struct *mm, const u64 *vas,
			 struct lkp25p3_record *recs, unsigned int nr)
{
	struct vm_area_struct *vma = NULL;
	unsigned int i;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	for (i = 0; i < nr; i++)
		walk_one(mm, &vma, vas[i], &recs[i]);
	mmap_read_unlock(mm);
	return 0;
}

static int random_lock_each(struct mm_struct *mm, const u64 *vas,
			    struct lkp25p3_record *recs, unsigned int nr)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++)
		err = random_locked(mm, &vas[i], &recs[i], 1);
	return err;
}

static int random_lockless(struct mm_struct *mm, const u64 *vas,
			   struct lkp25p3_record *recs, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		lkp25p3_walk_own(mm, vas[i], &recs[i]);
	return 0;
}

/* What a lockless walk cannot tell, outside of the time that is measured. */
static int explain_all(struct mm_struct *mm, const u64 *vas,
		       struct lkp25p3_record *recs, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (lkp25p3_is_plain(&recs[i]))
			continue;
		if (mmap_read_lock_killable(mm))
			return -EINTR;
		lkp25p3_explain(mm, vas[i], &recs[i]);
		mmap_read_unlock(mm);
	}
	return 0;
}

typedef int (*walk_fn)(struct mm_struct *mm, const u64 *vas,
			struct lkp25p3_record *recs, unsigned int nr);

static const walk_fn random_walks[] = {
	[LKP25P3_LOCKED]	= random_locked,
	[LKP25P3_LOCK_EACH]	= random_lock_each,
	[LKP25P3_LOCKLESS]	= random_lockless,
};

static int time_walk(walk_fn walk, struct mm_struct *mm, const u64 *vas,
		     struct lkp25p3_record *recs, unsigned int nr)
{
	u64 start = ktime_get_ns(), raw;
	int err = walk(mm, vas, recs, nr);
	unsigned int i;
	u32 ns;

	raw = ktime_get_ns() - start;
	if (err)
		return err;
	ns = lkp25p3_latency_ns(raw, nr);
	lkp25p3_latency_add(ns, nr);
	for (i = 0; i < nr; i++)
		recs[i].ns = ns;
	return 0;
}

static int translate_group(const struct lkp25p3_batch *batch,
			   struct mm_struct *mm, const u64 *vas,
			   struct lkp25p3_record *recs, unsigned int nr)
{
	u32 how = batch->mode & LKP25P3_WALK_MASK;
	walk_fn walk = random_walks[how];
	unsigned int i;
	int err = 0;

	if (!(batch->mode & LKP25P3_TIME_EACH))
		err = time_walk(walk, mm, vas, recs, nr);
	else
		for (i = 0; i < nr && !err; i++)
			err = time_walk(walk, mm, &vas[i], &recs[i], 1);
	if (!err && how == LKP25P3_LOCKLESS)
		err = explain_all(mm, vas, recs, nr);
	return err;
}

static int get_vas(const struct lkp25p3_batch *batch, u32 first, u64 *vas,
		   unsigned int nr)
{
	const u64 __user *from = u64_to_user_ptr(batch->vas);
	unsigned int i;

	if (batch->vas)
		return copy_from_user(vas, from + first, nr * sizeof(*vas)) ?
		       -EFAULT : 0;
	for (i = 0; i < nr; i++)
		vas[i] = batch->start + (u64)(first + i) * PAGE_SIZE;
	return 0;
}

/* Consecutive pages need no addresses, unless each is to be walked to by itself. */
static bool is_range(const struct lkp25p3_batch *batch)
{
	return !batch->vas && batch->mode == LKP25P3_LOCKED;
}

static int batch_group(struct lkp25p3_batch *batch, struct mm_struct *mm,
		       u64 *vas, struct lkp25p3_record *recs)
{
	struct lkp25p3_record __user *to = u64_to_user_ptr(batch->records);
	int err, nr = min_t(u32, batch->nr - batch->done, GROUP);

	if (is_range(batch)) {
		nr = walk_group(mm, batch->start + (u64)batch->done * PAGE_SIZE,
				recs, nr);
		err = min(nr, 0);
	} else {
		err = get_vas(batch, batch->done, vas, nr);
		if (!err)
			err = translate_group(batch, mm, vas, recs, nr);
	}
	if (err)
		return err;
	if (copy_to_user(to + batch->done, recs, nr * sizeof(*recs)))
		return -EFAULT;
	batch->done += nr;
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int check_batch(const struct lkp25p3_batch *batch)
{
	u32 how = batch->mode & LKP25P3_WALK_MASK;

	if (!batch->nr || batch->nr > LKP25P3_BATCH_MAX || batch->pid < 0 ||
	    batch->mode & ~(LKP25P3_WALK_MASK | LKP25P3_TIME_EACH) ||
	    how >= ARRAY_SIZE(random_walks))
		return -EINVAL;
	/* A remote CPU may free tables while interrupts are off here. */
	if (how == LKP25P3_LOCKLESS && batch->pid)
		return -EINVAL;
	if (!batch->vas &&
	    (batch->start % PAGE_SIZE ||
	     batch->start + (u64)batch->nr * PAGE_SIZE < batch->start))
		return -EINVAL;
	return 0;
}

/**
 * lkp25p3_translate_batch() - a record for each of many addresses
 * @batch: what to translate; @batch->done is set
 *
 * Context: may sleep.
 * Return: 0; or -EINVAL, -EFAULT, -ENOMEM, -ESRCH, -EACCES, -EINTR, of which
 * -EFAULT and -EINTR may come when a part is done.
 */
int lkp25p3_translate_batch(struct lkp25p3_batch *batch)
{
	struct lkp25p3_record *recs;
	struct mm_struct *mm;
	int err;
	u64 *vas;

	batch->done = 0;
	err = check_batch(batch);
	if (err)
		return err;
	recs = alloc_group();
	vas = kvmalloc_array(GROUP, sizeof(*vas), GFP_KERNEL);
	mm = recs && vas ? lkp25p3_get_mm(batch->pid) : ERR_PTR(-ENOMEM);
	err = PTR_ERR_OR_ZERO(mm);
	while (!err && batch->done < batch->nr)
		err = batch_group(batch, mm, vas, recs);
	if (!IS_ERR(mm))
		mmput(mm);
	kvfree(vas);
	kvfree(recs);
	return err;
}
