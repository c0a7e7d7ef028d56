// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: /sys/kernel/debug/lru_page_list/queue, the queue front to back.
 *
 * The lists of all memory cgroups, nodes and types are copied when a read
 * begins, each at one instant, and merged by age while it goes on.  Memory for
 * the copy is allocated by open(), since that may evict the tail: a test that
 * opens the file in advance sees what nothing has disturbed.
 *
 * A list is copied in one hold of its lru_lock, 20 to 50 ns a folio, and so that
 * a machine of any size bears it no more than LPL_COPY_MAX folios are: this file
 * is for looking at the policy, not for production.
 */
#include <linux/debugfs.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmalloc.h>

#include "internal.h"
#include "keep.h"
#include "word.h"

/* A folio out of order does not hold back those around it further than this. */
#define LPL_MERGE_WINDOW	32

#define LPL_COPY_AGE_BITS	LPL_STAMP_BITS

/* Folios copied at most: 32 MiB. */
#define LPL_COPY_MAX		BIT(22)

/* One list; its folios are entries first to end, next is the next to be shown. */
struct lpl_list {
	struct list_head node;
	unsigned long next;
	unsigned long end;
	u32 age;
	unsigned short memcg;
	int nid;
	bool file;
};

/**
 * struct lpl_copy - an open file
 * @lists: lists that have something left to show
 * @room: entries that there is memory for
 * @nr: entries copied
 * @truncated: there were more
 * @entry: pfn and age
 */
struct lpl_copy {
	struct list_head lists;
	unsigned long room;
	unsigned long nr;
	bool truncated;
	u64 entry[];
};

static u32 lpl_entry_age(const struct lpl_copy *copy, unsigned long i)
{
	return copy->entry[i] & (BIT(LPL_COPY_AGE_BITS) - 1);
}

static void lpl_copy_queue(struct lpl_copy *copy, struct list_head *queue, u32 now)
{
	struct folio *folio;

	list_for_each_entry(folio, queue, lru) {
		if (copy->nr == copy->room) {
			copy->truncated = true;
			return;
		}
		copy->entry[copy->nr++] = (u64)folio_pfn(folio) << LPL_COPY_AGE_BITS |
					  lpl_folio_age(folio, now);
	}
}

/* What a list is merged by: the least age of the next few. */
static void lpl_list_age(const struct lpl_copy *copy, struct lpl_list *list)
{
	unsigned long end = min(list->next + LPL_MERGE_WINDOW, list->end);
	unsigned long i;

	list->age = U32_MAX;
	for (i = list->next; i < end; i++)
		list->age = min(list->age, lpl_entry_age(copy, i));
}

/* Under lru_lock. */
static void lpl_copy_window(struct lpl_copy *copy, struct lruvec *lruvec, bool file, u32 now)
{
	struct lru_page_list_queue *queue = &lruvec->lru_page_list.queue[file];
	int i;

	lpl_copy_queue(copy, &lruvec->lru_page_list.front[0][file], now);
	lpl_copy_queue(copy, &lruvec->lru_page_list.front[1][file], now);
	for (i = 0; i < queue->nr; i++)
		lpl_copy_queue(copy, lpl_queue_part(queue, i), now);
	lpl_copy_queue(copy, &lruvec->lists[file * LRU_FILE], now);
	lpl_copy_queue(copy, &lruvec->lru_page_list.skipped[file], now);
	lpl_copy_queue(copy, &lruvec->lru_page_list.parked[file], now);
	if (file)
		lpl_copy_queue(copy, &lruvec->lru_page_list.once, now);
}

/* @class: of what guard keeps; -1: the queue */
static int lpl_copy_list(struct lpl_copy *copy, struct lruvec *lruvec, bool file, int class)
{
	struct lpl_keep *keep;
	struct lpl_list *list = kmalloc(sizeof(*list), GFP_KERNEL);
	u32 now;

	if (!list)
		return -ENOMEM;
	list->file = file;
	list->nid = lruvec_pgdat(lruvec)->node_id;
	list->memcg = mem_cgroup_id(lruvec_memcg(lruvec));
	list->next = copy->nr;

	now = lpl_now();
	spin_lock_irq(&lruvec->lru_lock);
	keep = lruvec->lru_page_list.keep;
	if (class < 0)
		lpl_copy_window(copy, lruvec, file, now);
	else if (keep)
		lpl_copy_queue(copy, &keep->classes[file][class].list, now);
	spin_unlock_irq(&lruvec->lru_lock);

	list->end = copy->nr;
	if (list->next == list->end) {
		kfree(list);
		return 0;
	}
	lpl_list_age(copy, list);
	list_add_tail(&list->node, &copy->lists);
	return 0;
}

static int lpl_copy_lists(struct lpl_copy *copy, struct lruvec *lruvec)
{
	int class, last = lpl_guarded() ? LPL_CLASSES : 0, err = 0;

	for (class = -1; class < last; class++) {
		err = err ?: lpl_copy_list(copy, lruvec, false, class);
		err = err ?: lpl_copy_list(copy, lruvec, true, class);
	}
	return err;
}

static void lpl_copy_forget(struct lpl_copy *copy)
{
	struct lpl_list *list, *next;

	list_for_each_entry_safe(list, next, &copy->lists, node)
		kfree(list);
	INIT_LIST_HEAD(&copy->lists);
	copy->nr = 0;
	copy->truncated = false;
}

static int lpl_copy_take(struct lpl_copy *copy)
{
	struct mem_cgroup *memcg;
	int nid, err = 0;

	lpl_copy_forget(copy);
	if (!lru_page_list_enabled())
		return 0;
	lru_add_drain_all();

	memcg = mem_cgroup_iter(NULL, NULL, NULL);
	do {
		for_each_node_state(nid, N_MEMORY) {
			struct lruvec *lruvec = mem_cgroup_lruvec(memcg, NODE_DATA(nid));

			err = err ?: lpl_copy_lists(copy, lruvec);
		}
		cond_resched();
		if (err) {
			mem_cgroup_iter_break(NULL, memcg);
			break;
		}
	} while ((memcg = mem_cgroup_iter(NULL, memcg, NULL)));
	return err;
}

/* The list whose next folio was used most recently. */
static struct lpl_list *lpl_youngest(struct lpl_copy *copy)
{
	struct lpl_list *list, *youngest = NULL;

	list_for_each_entry(list, &copy->lists, node)
		if (!youngest || list->age < youngest->age)
			youngest = list;
	return youngest;
}

static void *lpl_seq_start(struct seq_file *m, loff_t *pos)
{
	struct lpl_copy *copy = m->private;
	int err;

	if (*pos)
		return lpl_youngest(copy);
	err = lpl_copy_take(copy);
	return err ? ERR_PTR(err) : SEQ_START_TOKEN;
}

static void *lpl_seq_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct lpl_copy *copy = m->private;
	struct lpl_list *list = v;

	++*pos;
	if (v != SEQ_START_TOKEN) {
		list->next++;
		lpl_list_age(copy, list);
		if (list->next == list->end) {
			list_del(&list->node);
			kfree(list);
		}
	}
	return lpl_youngest(copy);
}

static int lpl_seq_show(struct seq_file *m, void *v)
{
	struct lpl_copy *copy = m->private;
	struct lpl_list *list = v;

	if (v == SEQ_START_TOKEN) {
		seq_printf(m, "# policy %s, %lu folios%s, resolution %u ms\n",
			   lpl_policy_names[lpl_policy()], copy->nr,
			   copy->truncated ? " (there are more)" : "",
			   lpl_resolution_now() * LPL_TICK_MS);
		return 0;
	}
	seq_printf(m, "pfn=%llu age_ms=%u nid=%d memcg=%u type=%s\n",
		   copy->entry[list->next] >> LPL_COPY_AGE_BITS,
		   lpl_entry_age(copy, list->next) * LPL_TICK_MS,
		   list->nid, list->memcg, list->file ? "file" : "anon");
	return 0;
}

static void lpl_seq_stop(struct seq_file *m, void *v)
{
}

static const struct seq_operations lpl_seq_ops = {
	.start = lpl_seq_start,
	.next = lpl_seq_next,
	.stop = lpl_seq_stop,
	.show = lpl_seq_show,
};

static int lpl_queue_open(struct inode *inode, struct file *file)
{
	unsigned long nr = min(totalram_pages(), LPL_COPY_MAX);
	struct lpl_copy *copy;
	int err;

	/* Whatever comes to be in the queue until it is read. */
	copy = vmalloc(struct_size(copy, entry, nr));
	if (!copy)
		return -ENOMEM;
	copy->room = nr;
	copy->nr = 0;
	INIT_LIST_HEAD(&copy->lists);

	err = seq_open(file, &lpl_seq_ops);
	if (err)
		vfree(copy);
	else
		((struct seq_file *)file->private_data)->private = copy;
	return err;
}

static int lpl_queue_release(struct inode *inode, struct file *file)
{
	struct lpl_copy *copy = ((struct seq_file *)file->private_data)->private;

	lpl_copy_forget(copy);
	vfree(copy);
	return seq_release(inode, file);
}

static const struct file_operations lpl_queue_fops = {
	.owner = THIS_MODULE,
	.open = lpl_queue_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = lpl_queue_release,
};

void __init lpl_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("lru_page_list", NULL);

	debugfs_create_file("queue", 0400, dir, NULL, &lpl_queue_fops);
}
