// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: the monitor, a thread that watches the accessed bits of a range.
 *
 * Each scan says of each page whether it was accessed since the scan before;
 * the counts of a second say in how many of its intervals it was.  A page that
 * is accessed in every interval cannot be told from one that is accessed a
 * thousand times in each: a shorter interval can.
 *
 * What was accessed is collected in a bitmap, to which anybody else who clears
 * accessed bits of this address space adds what it finds, and which is added
 * to the counts after a scan.  With sampling, a page's bit stays in the bitmap
 * until it is the page's turn.
 *
 * The monitor holds mm_count, not mm_users: the process may exit, and the
 * monitor then has nothing more to do.  It lives as long as the open file that
 * it was started with; the thread is stopped and the files in debugfs are
 * removed, which waits for their readers, before it is freed.
 */
#include <linux/accessed_bits.h>
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/hrtimer.h>
#include <linux/idr.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "lkp25p3_internal.h"
#include "lkp25p3_regions.h"
#include "lkp25p3_ring.h"

#define MAX_MONITORS	16
#define MAX_PAGES	BIT(24)

/* A scan that is late blurs what it finds. */
#define MONITOR_NICE	(-10)

/* Less than what a record of the log holds. */
#define LINE_SIZE	960

/**
 * struct lkp25p3_watch - a monitor
 * @consumer: of accessed bits; has the mm, and a reference to its mm_count
 * @start: first address
 * @nr_pages: pages watched
 * @interval_ms: from scan to scan
 * @scans: how many make a second
 * @sample: each scan takes one of so many pages
 * @flags: LKP25P3_MONITOR_...
 * @id: number, and name in debugfs
 * @pid: of the process it was started by, for people
 * @thread: scans; all fields from @turn on are its own
 * @begun: the thread has forgotten what was accessed before
 * @dir: in debugfs
 * @touched: a bit for each page that was accessed and is not yet counted;
 *	changed by anybody, atomically
 * @ring: what readers get
 * @turn: number of scans made
 * @second: the one that is being counted
 * @cpu_before: CPU time that the thread had used at its beginning
 * @begun_ns: when it began
 * @first_ns: when the first one did
 * @regions: scratch for the line in the log
 * @line: the same
 */
struct lkp25p3_watch {
	struct accessed_bits_consumer consumer;
	unsigned long start;
	unsigned long nr_pages;
	unsigned int interval_ms;
	unsigned int scans;
	unsigned int sample;
	u32 flags;
	int id;
	pid_t pid;
	struct task_struct *thread;
	struct completion begun;
	struct dentry *dir;
	atomic_long_t *touched;
	struct lkp25p3_ring ring;

	u64 turn;
	struct lkp25p3_second *second;
	u64 cpu_before;
	u64 begun_ns;
	u64 first_ns;
	struct lkp25p3_region regions[LKP25P3_REGION_BLOCKS];
	char line[LINE_SIZE];
};

static struct dentry *monitors_dir;
static DEFINE_IDA(monitor_ids);

/* ---------------------------------------------------------- collecting bits */

static unsigned long watch_end(const struct lkp25p3_watch *watch)
{
	return watch->start + watch->nr_pages * PAGE_SIZE;
}

/* Found by somebody else: may lie across the ends of the range. */
static void watch_some(struct lkp25p3_watch *watch, unsigned long addr,
		       const unsigned long *bits, unsigned int nr)
{
	unsigned int i;

	for_each_set_bit(i, bits, nr) {
		unsigned long at = addr + i * PAGE_SIZE;

		if (at >= watch->start && at < watch_end(watch))
			set_bit((at - watch->start) >> PAGE_SHIFT,
				(unsigned long *)watch->touched);
	}
}

static void watch_young(struct accessed_bits_consumer *consumer,
			struct vm_area_struct *vma, unsigned long addr,
			const unsigned long *bits, unsigned int nr)
{
	struct lkp25p3_watch *watch =
		container_of(consumer, struct lkp25p3_watch, consumer);
	unsigned long index = (addr - watch->start) >> PAGE_SHIFT;
	atomic_long_t *to = watch->touched + index / BITS_PER_LONG;
	unsigned int i, shift = index % BITS_PER_LONG;

	if (addr < watch->start || addr + nr * PAGE_SIZE > watch_end(watch)) {
		watch_some(watch, addr, bits, nr);
		return;
	}
	for (i = 0; i < BITS_TO_LONGS(nr); i++) {
		unsigned long word = bits[i];

		if (!word)
			continue;
		atomic_long_or(word << shift, &to[i]);
		if (shift && word >> (BITS_PER_LONG - shift))
			atomic_long_or(word >> (BITS_PER_LONG - shift),
				       &to[i + 1]);
	}
}

/* The pages of a word that it is the turn of. */
static unsigned long turn_mask(const struct lkp25p3_watch *watch,
			       unsigned long first, unsigned int phase)
{
	unsigned int over = first % watch->sample;
	unsigned int i = (phase + watch->sample - over) % watch->sample;
	unsigned long mask = 0;

	for (; i < BITS_PER_LONG; i += watch->sample)
		mask |= BIT(i);
	return mask;
}

/* The touched pages of word @i that it is the turn of; they are so no more. */
static unsigned long take_touched(struct lkp25p3_watch *watch, unsigned long i,
				  unsigned int phase)
{
	unsigned long mask;

	if (!atomic_long_read(&watch->touched[i]))
		return 0;
	if (watch->sample == 1)
		return atomic_long_xchg(&watch->touched[i], 0);
	mask = turn_mask(watch, i * BITS_PER_LONG, phase);
	return mask & atomic_long_fetch_andnot(mask, &watch->touched[i]);
}

static void count_touched(struct lkp25p3_watch *watch, unsigned int phase)
{
	u8 *counts = lkp25p3_ring_counts(watch->second);
	unsigned long i, words = BITS_TO_LONGS(watch->nr_pages);

	for (i = 0; i < words; i++, counts += BITS_PER_LONG) {
		unsigned long word = take_touched(watch, i, phase);

		if (word) {
			watch->second->young += hweight_long(word);
			lkp25p3_count_bits(counts, word);
		}
		if (i % 1024 == 0)
			cond_resched();
	}
}

/* ------------------------------------------------------------- the thread */

static void begin_second(struct lkp25p3_watch *watch)
{
	struct lkp25p3_second *s = lkp25p3_ring_begin(&watch->ring);

	watch->second = s;
	watch->begun_ns = ktime_get_ns();
	watch->cpu_before = current->se.sum_exec_runtime;
	*s = (struct lkp25p3_second) {
		.magic		= LKP25P3_SECOND_MAGIC,
		.bytes		= sizeof(*s),
		.start_ns	= watch->begun_ns,
		.va		= watch->start,
		.nr_pages	= watch->nr_pages,
		.page_bytes	= PAGE_SIZE,
		.interval_ms	= watch->interval_ms,
		.sample		= watch->sample,
		.hw_young	= accessed_bits_in_hardware(),
	};
}

/* The address space is gone if this returns false. */
static bool watch_scan(struct lkp25p3_watch *watch)
{
	struct lkp25p3_second *s = watch->second;
	struct accessed_bits_scan scan = {
		.consumer	= &watch->consumer,
		.every		= watch->sample,
		.phase		= watch->turn++ % watch->sample,
		.keep_folios	= watch->flags & LKP25P3_MONITOR_NO_HAND_ON,
		.origin		= watch->start,
		/*
		 * Others clear bits as well, and not all of them flush: reclaim
		 * does not, /proc/PID/clear_refs does not.  A page that is in a
		 * TLB then looks unused for as long as it stays there.
		 */
		.flush		= true,
	};
	u64 start = ktime_get_ns();

	if (accessed_bits_scan(&scan, watch->start, watch_end(watch)))
		return false;
	count_touched(watch, scan.phase);
	s->scan_ns += ktime_get_ns() - start;
	s->scans++;
	s->visited += scan.visited;
	s->present = scan.present;
	s->coarse = scan.coarse;
	s->max_granule = max_t(u32, s->max_granule, scan.max_granule);
	return true;
}

/*
 * What was accessed before the first interval is nobody's business: the bits
 * may be as old as the pages.  Returns false as watch_scan() does.
 */
static bool watch_forget(struct lkp25p3_watch *watch)
{
	struct accessed_bits_scan scan = {
		.consumer	= &watch->consumer,
		.every		= 1,
		.keep_folios	= watch->flags & LKP25P3_MONITOR_NO_HAND_ON,
		.origin		= watch->start,
		.flush		= true,
	};
	unsigned long i;

	if (accessed_bits_scan(&scan, watch->start, watch_end(watch)))
		return false;
	for (i = 0; i <= BITS_TO_LONGS(watch->nr_pages); i++)
		atomic_long_set(&watch->touched[i], 0);
	return true;
}

static void format_head(struct seq_buf *line, const struct lkp25p3_watch *watch,
			const struct lkp25p3_second *s, u32 off)
{
	u64 ms = div_u64(s->end_ns - watch->first_ns + NSEC_PER_MSEC / 2,
			 NSEC_PER_MSEC);

	seq_buf_printf(line, "[lkp25p3] monitor %d: seq=%llu t=%llu.%03llu s",
		       watch->id, watch->ring.seq + 1, div_u64(ms, 1000),
		       ms - div_u64(ms, 1000) * 1000);
	seq_buf_printf(line, " pages=%lu present=%llu granule=%uK",
		       watch->nr_pages, s->present,
		       max(s->max_granule, s->page_bytes) >> 10);
	seq_buf_printf(line, " scans=%u missed=%u interval=%u ms sample=1/%u",
		       s->scans, s->missed, s->interval_ms, s->sample);
	seq_buf_printf(line, " young=%llu scan=%llu us cpu=%llu us off=%u.%u |",
		       s->young, div_u64(s->scan_ns, 1000),
		       div_u64(s->cpu_ns, 1000), off / 10, off % 10);
}

static void log_second(struct lkp25p3_watch *watch,
		       const struct lkp25p3_second *s)
{
	const struct lkp25p3_region *r = watch->regions;
	struct seq_buf line;
	unsigned int nr;
	u32 off;

	nr = lkp25p3_regions(lkp25p3_ring_counts(watch->second),
			     watch->nr_pages, watch->regions, &off);
	seq_buf_init(&line, watch->line, sizeof(watch->line));
	format_head(&line, watch, s, off);
	for (; nr; nr--, r++) {
		u32 mean = lkp25p3_region_mean_x10(r);

		seq_buf_printf(&line, " [%lu-%lu]=%u.%u", r->first,
			       r->first + r->pages - 1, mean / 10, mean % 10);
	}
	pr_info("%s\n", seq_buf_str(&line));
}

static void end_second(struct lkp25p3_watch *watch, bool ended)
{
	struct lkp25p3_second *s = watch->second;

	s->end_ns = ktime_get_ns();
	s->ended = ended;
	/* As of the last time it slept, so what follows counts next time. */
	s->cpu_ns = current->se.sum_exec_runtime - watch->cpu_before;
	if (!(watch->flags & LKP25P3_MONITOR_QUIET))
		log_second(watch, s);
	lkp25p3_ring_publish(&watch->ring, s);
}

static void sleep_until(ktime_t when)
{
	set_current_state(TASK_INTERRUPTIBLE);
	if (!kthread_should_stop())
		schedule_hrtimeout(&when, HRTIMER_MODE_ABS);
	__set_current_state(TASK_RUNNING);
}

static void sleep_until_stopped(void)
{
	while (!kthread_should_stop())
		sleep_until(KTIME_MAX);
}

static int watch_thread(void *data)
{
	struct lkp25p3_watch *watch = data;
	const u64 interval = (u64)watch->interval_ms * NSEC_PER_MSEC;
	bool alive;
	ktime_t due;

	set_user_nice(current, MONITOR_NICE);
	alive = watch_forget(watch);
	begin_second(watch);
	watch->first_ns = watch->begun_ns;
	if (!alive)
		end_second(watch, true);
	complete(&watch->begun);
	due = ns_to_ktime(watch->begun_ns + interval);
	while (alive && !kthread_should_stop()) {
		struct lkp25p3_second *s = watch->second;
		ktime_t now;
		u64 late;

		sleep_until(due);
		now = ktime_get();
		if (ktime_before(now, due))
			continue;
		late = div64_u64(ktime_to_ns(ktime_sub(now, due)), interval);
		s->missed += late;
		due = ktime_add_ns(due, (late + 1) * interval);
		alive = watch_scan(watch);
		if (alive && s->scans + s->missed < watch->scans)
			continue;
		end_second(watch, !alive);
		if (alive)
			begin_second(watch);
	}
	/* Nothing is left to be watched, but the file is yet open. */
	sleep_until_stopped();
	return 0;
}

/* ----------------------------------------------------------- start and stop */

static int status_show(struct seq_file *m, void *unused)
{
	struct lkp25p3_watch *watch = m->private;

	seq_printf(m, "pid %d\nstart 0x%lx\npages %lu\npage_bytes %lu\n",
		   watch->pid, watch->start, watch->nr_pages, PAGE_SIZE);
	seq_printf(m, "interval_ms %u\nscans_per_second %u\nsample %u\n",
		   watch->interval_ms, watch->scans, watch->sample);
	seq_printf(m, "coverage_percent %u\n", 100 / watch->sample);
	seq_printf(m, "accessed_bit %s\n", accessed_bits_in_hardware() ?
		   "hardware" : "page fault");
	seq_printf(m, "hand_on %u\nseconds %llu\n",
		   !(watch->flags & LKP25P3_MONITOR_NO_HAND_ON),
		   READ_ONCE(watch->ring.seq));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

static int check_monitor(struct lkp25p3_monitor *m)
{
	if (!m->interval_ms)
		m->interval_ms = 100;
	if (!m->sample)
		m->sample = 1;
	if (m->interval_ms < LKP25P3_MIN_INTERVAL_MS ||
	    m->interval_ms > LKP25P3_MAX_INTERVAL_MS ||
	    m->sample > LKP25P3_MAX_SAMPLE ||
	    m->flags & ~(LKP25P3_MONITOR_NO_HAND_ON | LKP25P3_MONITOR_QUIET))
		return -EINVAL;
	if (!m->len || (m->start | m->len) & ~PAGE_MASK ||
	    m->start + m->len < m->start || m->start + m->len > TASK_SIZE)
		return -EINVAL;
	return m->len >> PAGE_SHIFT > MAX_PAGES ? -E2BIG : 0;
}

static void free_watch(struct lkp25p3_watch *watch)
{
	lkp25p3_ring_free(&watch->ring);
	kvfree(watch->touched);
	if (watch->id > 0)
		ida_free(&monitor_ids, watch->id);
	if (watch->consumer.mm)
		mmdrop(watch->consumer.mm);
	kvfree(watch);
}

static struct lkp25p3_watch *alloc_watch(const struct lkp25p3_monitor *m)
{
	struct lkp25p3_watch *watch = kvzalloc(sizeof(*watch),
					       GFP_KERNEL_ACCOUNT);

	if (!watch)
		return ERR_PTR(-ENOMEM);
	watch->start = m->start;
	watch->nr_pages = m->len >> PAGE_SHIFT;
	watch->interval_ms = m->interval_ms;
	watch->scans = max(1000 / m->interval_ms, 1U);
	watch->sample = m->sample;
	watch->flags = m->flags;
	watch->pid = task_tgid_nr(current);
	watch->consumer.young = watch_young;
	init_completion(&watch->begun);
	watch->touched = kvcalloc(BITS_TO_LONGS(watch->nr_pages) + 1,
				  sizeof(*watch->touched), GFP_KERNEL_ACCOUNT);
	if (!watch->touched || lkp25p3_ring_init(&watch->ring, watch->nr_pages)) {
		free_watch(watch);
		return ERR_PTR(-ENOMEM);
	}
	watch->id = ida_alloc_range(&monitor_ids, 1, MAX_MONITORS, GFP_KERNEL);
	if (watch->id < 0) {
		int err = watch->id == -ENOSPC ? -EBUSY : watch->id;

		free_watch(watch);
		return ERR_PTR(err);
	}
	return watch;
}

static void make_files(struct lkp25p3_watch *watch)
{
	char name[16];

	scnprintf(name, sizeof(name), "%d", watch->id);
	watch->dir = debugfs_create_dir(name, monitors_dir);
	debugfs_create_file("status", 0400, watch->dir, watch, &status_fops);
	debugfs_create_file("counts", 0400, watch->dir, &watch->ring,
			    &lkp25p3_ring_fops);
}

static void announce(const struct lkp25p3_watch *watch)
{
	pr_info("[lkp25p3] monitor %d: pid %d, [0x%lx - 0x%lx), %lu pages of %lu bytes, every %u ms%s\n",
		watch->id, watch->pid, watch->start, watch_end(watch),
		watch->nr_pages, PAGE_SIZE, watch->interval_ms,
		accessed_bits_in_hardware() ? "" :
		"; this CPU does not set accessed bits: each one found costs the process a page fault");
	if (watch->sample > 1)
		pr_info("[lkp25p3] monitor %d: each scan covers 1/%u of the pages (%u %%), in turn\n",
			watch->id, watch->sample, 100 / watch->sample);
}

/**
 * lkp25p3_monitor_stop() - end a monitor
 * @watch: the monitor; freed
 *
 * Context: may sleep, for as long as a scan takes.
 */
void lkp25p3_monitor_stop(struct lkp25p3_watch *watch)
{
	kthread_stop(watch->thread);
	accessed_bits_unregister(&watch->consumer);
	debugfs_remove(watch->dir);
	pr_info("[lkp25p3] monitor %d: ended after %llu seconds\n", watch->id,
		watch->ring.seq);
	free_watch(watch);
}

/**
 * lkp25p3_monitor_start() - watch a range of the caller's addresses
 * @monitor: what to watch; @monitor->id is set
 *
 * What was accessed before this returns is not counted, what is accessed
 * afterwards is.
 *
 * Context: may sleep.
 * Return: the monitor; or ERR_PTR: -EINVAL, -E2BIG (more than 2^24 pages),
 * -EBUSY (too many monitors), -ESRCH, -ENOMEM, -EINTR.
 */
struct lkp25p3_watch *lkp25p3_monitor_start(struct lkp25p3_monitor *monitor)
{
	struct lkp25p3_watch *watch;
	int err = check_monitor(monitor);

	if (!err && !current->mm)
		err = -ESRCH;
	if (err)
		return ERR_PTR(err);
	watch = alloc_watch(monitor);
	if (IS_ERR(watch))
		return watch;
	mmgrab(current->mm);
	watch->consumer.mm = current->mm;
	watch->thread = kthread_create(watch_thread, watch, "lkp25p3/%d",
				       watch->id);
	if (IS_ERR(watch->thread)) {
		err = PTR_ERR(watch->thread);
		free_watch(watch);
		return ERR_PTR(err);
	}
	announce(watch);
	accessed_bits_register(&watch->consumer);
	make_files(watch);
	monitor->id = watch->id;
	wake_up_process(watch->thread);
	if (wait_for_completion_killable(&watch->begun)) {
		lkp25p3_monitor_stop(watch);
		return ERR_PTR(-EINTR);
	}
	return watch;
}

/**
 * lkp25p3_monitor_init() - make the monitors' directory
 * @dir: the module's one in debugfs
 */
void lkp25p3_monitor_init(struct dentry *dir)
{
	monitors_dir = debugfs_create_dir("monitor", dir);
}
