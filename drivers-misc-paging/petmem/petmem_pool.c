// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: the pool of physical memory, where it comes from and where it
 * goes.
 *
 * A page table that the core frees (at exit, at munmap()) is not free at once:
 * the core may still hold it back for lockless walkers. Therefore the pool has
 * a page reference of its own of each table, and a table waits on a list until
 * that is the only one. A table that this driver has detached has to wait for
 * an RCU grace period as well.
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/ioport.h>
#include <linux/kasan.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm_inline.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/workqueue.h>

#include "petmem_internal.h"

#define FRAME_4K	4096ULL	/* the unit of struct memory_range */

struct petmem_buddy petmem_pool;

/* Donations and withdrawals, one at a time. */
static DEFINE_MUTEX(petmem_donate_lock);

struct petmem_span {
	unsigned long pfn;
	unsigned long nr;
};

/*
 * Going online and being added exclude each other: whoever is first is here,
 * under the buddy allocator's lock, and refuses the other.
 */
static struct petmem_span petmem_going_online, petmem_adding;

static struct {
	spinlock_t lock;	/* for the lists */
	struct list_head fresh;	/* since the last grace period began */
	struct list_head waiting;
	unsigned long nr;
	struct rcu_work work;
	struct delayed_work retry;
	bool stopping;			/* no retry any more */
	struct workqueue_struct *queue;
} petmem_pending;

/**
 * petmem_get_page() - allocate one zeroed page
 * @use: for what
 *
 * Return: its frame, or NULL.
 */
struct petmem_frame *petmem_get_page(enum petmem_use use)
{
	struct petmem_frame *frame = petmem_buddy_alloc(&petmem_pool, 1);

	if (!frame)
		return NULL;
	frame->use = use;
	clear_page(petmem_kaddr(frame));
	return frame;
}

/**
 * petmem_put_page() - free a page
 * @frame: unmapped, in no list
 */
void petmem_put_page(struct petmem_frame *frame)
{
	petmem_buddy_put(&petmem_pool, frame);
}

/**
 * petmem_put_pages() - free pages
 * @frames: list of them; empty afterwards
 */
void petmem_put_pages(struct list_head *frames)
{
	struct petmem_frame *frame, *next;

	list_for_each_entry_safe(frame, next, frames, link)
		petmem_put_page(frame);
	INIT_LIST_HEAD(frames);
}

/**
 * petmem_alloc_pages() - allocate contiguous physical memory
 * @n: pages
 *
 * Return: physical address, or 0 if there is none.
 */
u64 petmem_alloc_pages(u64 n)
{
	struct petmem_frame *frame = petmem_buddy_alloc(&petmem_pool, n);

	if (!frame)
		return 0;
	frame->use = PETMEM_RAW;
	return PFN_PHYS(petmem_frame_pfn(frame));
}

/**
 * petmem_free_pages() - free what petmem_alloc_pages() has allocated
 * @addr: its result
 * @n: as then
 *
 * Return: 0, or -EINVAL with a message.
 */
int petmem_free_pages(u64 addr, u64 n)
{
	if (!PAGE_ALIGNED(addr))
		return -EINVAL;
	return petmem_buddy_free(&petmem_pool, PHYS_PFN(addr), n);
}

/* Tables. */

static void petmem_table_dtor(struct petmem_frame *frame)
{
	struct ptdesc *table = page_ptdesc(petmem_page(frame));

	if (frame->use == PETMEM_PTE_TABLE)
		pagetable_pte_dtor(table);
	else
		pagetable_pmd_dtor(table);
	put_page(petmem_page(frame));
}

/* Whether a table was the last to be waited for. */
static bool petmem_table_reap(struct petmem_frame *frame)
{
	struct page *page = petmem_page(frame);

	/* Detached by us: then nobody knows it after the grace period. */
	if (!frame->arena)
		petmem_table_dtor(frame);
	else if (page_count(page) != 1)
		return false;
	set_page_private(page, 0);
	petmem_count(PETMEM_TABLES_FREED);
	petmem_put_page(frame);
	return true;
}

static void petmem_reap(struct work_struct *work)
{
	struct petmem_frame *frame, *next;
	unsigned long freed = 0;
	bool again, fresh;
	LIST_HEAD(tables);

	spin_lock(&petmem_pending.lock);
	list_splice_init(&petmem_pending.waiting, &tables);
	spin_unlock(&petmem_pending.lock);

	list_for_each_entry_safe(frame, next, &tables, link) {
		list_del(&frame->link);
		if (petmem_table_reap(frame))
			freed++;
		else
			list_add(&frame->link, &tables);
	}

	spin_lock(&petmem_pending.lock);
	fresh = !list_empty(&petmem_pending.fresh);
	list_splice_init(&petmem_pending.fresh, &petmem_pending.waiting);
	list_splice(&tables, &petmem_pending.waiting);
	petmem_pending.nr -= freed;
	again = petmem_pending.nr && !petmem_pending.stopping;
	spin_unlock(&petmem_pending.lock);

	/* A table that is shared with another mapping may live for long. */
	if (again && (fresh || freed))
		queue_rcu_work(petmem_pending.queue, &petmem_pending.work);
	else if (again)
		queue_delayed_work(petmem_pending.queue, &petmem_pending.retry,
				   HZ / 10);
}

static void petmem_retry(struct work_struct *work)
{
	queue_rcu_work(petmem_pending.queue, &petmem_pending.work);
}

/**
 * petmem_defer_tables() - free page tables when nobody can walk them any more
 * @tables: frames; with no arena: detached by us, else: left to the core
 */
void petmem_defer_tables(struct list_head *tables)
{
	unsigned long nr = list_count_nodes(tables);

	if (!nr)
		return;
	spin_lock(&petmem_pending.lock);
	list_splice_init(tables, &petmem_pending.fresh);
	petmem_pending.nr += nr;
	spin_unlock(&petmem_pending.lock);
	queue_rcu_work(petmem_pending.queue, &petmem_pending.work);
}

/**
 * petmem_pool_pending() - how many tables wait
 *
 * Return: pages.
 */
unsigned long petmem_pool_pending(void)
{
	return READ_ONCE(petmem_pending.nr);
}

/**
 * petmem_pool_settle() - wait for tables that are about to be free
 *
 * Context: May sleep for some grace periods, if there are such tables.
 * Return: whether there are free pages.
 */
bool petmem_pool_settle(void)
{
	int rounds;

	for (rounds = 0; rounds < 3 && petmem_pool_pending(); rounds++) {
		/* What the core frees by RCU on other CPUs. */
		rcu_barrier();
		queue_rcu_work(petmem_pending.queue, &petmem_pending.work);
		flush_rcu_work(&petmem_pending.work);
	}
	return READ_ONCE(petmem_pool.nr_free);
}

/* Sources. */

static int petmem_donate(unsigned long pfn, unsigned long nr,
			 enum petmem_source source)
{
	struct petmem_range *range;

	range = petmem_buddy_donate(&petmem_pool, pfn, nr, source);
	return PTR_ERR_OR_ZERO(range);
}

static int chunk_cmp(const void *a, const void *b)
{
	const struct petmem_span *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

static void petmem_free_kernel_pages(unsigned long pfn, unsigned long nr)
{
	while (nr--)
		__free_page(pfn_to_page(pfn++));
}

static bool petmem_alloc_chunk(struct petmem_span *chunk, unsigned long want)
{
	int order = min_t(int, ilog2(want), MAX_PAGE_ORDER);
	struct page *page;

	page = alloc_pages(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN,
			   order);
	if (!page)
		return false;
	split_page(page, order);
	chunk->pfn = page_to_pfn(page);
	chunk->nr = 1UL << order;
	return true;
}

/* Sort chunks and join neighbours. Return how many are left. */
static unsigned int petmem_join_chunks(struct petmem_span *chunks,
				       unsigned int nr)
{
	unsigned int i, last = 0;

	sort(chunks, nr, sizeof(*chunks), chunk_cmp, NULL);
	for (i = 1; i < nr; i++) {
		if (chunks[last].pfn + chunks[last].nr == chunks[i].pfn)
			chunks[last].nr += chunks[i].nr;
		else
			chunks[++last] = chunks[i];
	}
	return nr ? last + 1 : 0;
}

static int petmem_donate_chunks(struct petmem_span *chunks, unsigned int nr)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr; i++) {
		if (!err)
			err = petmem_donate(chunks[i].pfn, chunks[i].nr,
					    PETMEM_CONTIGUOUS);
		if (err)
			petmem_free_kernel_pages(chunks[i].pfn, chunks[i].nr);
	}
	return err;
}

/**
 * petmem_add_contiguous() - allocate memory for the pool from the kernel
 * @bytes: how much; rounded up to pages
 *
 * It is as contiguous as the page allocator makes it: blocks of its largest
 * order, and of neighbouring ones a single donation.
 *
 * Return: 0; -EINVAL for no or too many bytes, -ENOMEM, with nothing added.
 */
int petmem_add_contiguous(u64 bytes)
{
	unsigned long want, most = totalram_pages() / 4 * 3;
	struct petmem_span *chunks;
	unsigned int nr = 0, max;
	int err = 0;

	if (!bytes || bytes > (u64)most << PAGE_SHIFT)
		return -EINVAL;
	want = DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
	max = (want >> MAX_PAGE_ORDER) + MAX_PAGE_ORDER + 1;
	chunks = kvcalloc(max, sizeof(*chunks), GFP_KERNEL);
	if (!chunks)
		return -ENOMEM;

	mutex_lock(&petmem_donate_lock);
	if (want + READ_ONCE(petmem_pool.nr_pages) > most)
		err = -ENOMEM;
	while (want && !err) {
		if (nr < max && petmem_alloc_chunk(&chunks[nr], want))
			want -= chunks[nr++].nr;
		else
			err = -ENOMEM;
	}
	if (err)
		while (nr--)
			petmem_free_kernel_pages(chunks[nr].pfn, chunks[nr].nr);
	else
		err = petmem_donate_chunks(chunks, petmem_join_chunks(chunks, nr));
	mutex_unlock(&petmem_donate_lock);
	kvfree(chunks);
	return err;
}

/*
 * Memory may be offline since it is broken. With CONFIG_DEBUG_VM, going offline
 * overwrites all flags by ones, and it cannot be told.
 */
static int petmem_check_broken(unsigned long pfn, unsigned long nr)
{
#ifdef CONFIG_MEMORY_FAILURE
	for (; nr--; pfn++) {
		unsigned long flags = READ_ONCE(pfn_to_page(pfn)->flags);

		if (flags != ~0UL && flags & BIT(PG_hwpoison))
			return -EHWPOISON;
	}
#endif
	return 0;
}

/* Whether every page is RAM that the kernel knows and does not use. */
static int petmem_check_offline(u64 base, u64 bytes)
{
	unsigned long pfn;

	if (region_intersects(base, bytes, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_INTERSECTS)
		return -EINVAL;
	for (pfn = PHYS_PFN(base); pfn < PHYS_PFN(base + bytes);
	     pfn = SECTION_ALIGN_UP(pfn + 1)) {
		if (!pfn_valid(pfn))
			return -EINVAL;
		if (pfn_to_online_page(pfn))
			return -EBUSY;
		/*
		 * KASAN drops the shadow of hotplugged memory that goes offline;
		 * and such memory may have its own page structs in it.
		 */
		if ((IS_ENABLED(CONFIG_KASAN) ||
		     mhp_supports_memmap_on_memory()) &&
		    !early_section(__pfn_to_section(pfn)))
			return -EOPNOTSUPP;
	}
	return petmem_check_broken(PHYS_PFN(base), PHYS_PFN(bytes));
}

/* The page structs of offline memory, and its shadow, hold nothing valid. */
static void petmem_init_pages(unsigned long pfn, unsigned long nr)
{
	int nid = memory_add_physaddr_to_nid(PFN_PHYS(pfn));

	/* Free when it went offline, as KASAN knows it. */
	kasan_unpoison_range(pfn_to_kaddr(pfn), nr * PAGE_SIZE);
	for (; nr--; pfn++) {
		struct page *page = pfn_to_page(pfn);

		mm_zero_struct_page(page);
		set_page_links(page, ZONE_NORMAL, nid, pfn);
		init_page_count(page);
		atomic_set(&page->_mapcount, -1);
		page_cpupid_reset_last(page);
		page_kasan_tag_reset(page);
		INIT_LIST_HEAD(&page->lru);
	}
}

static int petmem_check_range(const struct memory_range *mem, u64 *bytes)
{
	if (!mem->pages || !PAGE_ALIGNED(mem->base_addr) ||
	    check_mul_overflow(mem->pages, FRAME_4K, bytes) ||
	    !PAGE_ALIGNED(*bytes) || mem->base_addr + *bytes < mem->base_addr ||
	    mem->base_addr + *bytes > 1ULL << MAX_PHYSMEM_BITS)
		return -EINVAL;
	return 0;
}

static bool petmem_spans_overlap(unsigned long a, unsigned long a_nr,
				 unsigned long b, unsigned long b_nr)
{
	return a < b + b_nr && b < a + a_nr;
}

/* Whether the pool has some of it; under the buddy allocator's lock. */
static bool petmem_in_pool(unsigned long pfn, unsigned long nr)
{
	struct petmem_range *range;

	list_for_each_entry(range, &petmem_pool.ranges, link)
		if (petmem_spans_overlap(range->base, range->nr, pfn, nr))
			return true;
	return false;
}

static int petmem_begin_adding(unsigned long pfn, unsigned long nr)
{
	int err = 0;

	spin_lock(&petmem_pool.lock);
	if (petmem_in_pool(pfn, nr))
		err = -EEXIST;
	else if (petmem_spans_overlap(petmem_going_online.pfn,
				      petmem_going_online.nr, pfn, nr))
		err = -EBUSY;
	else
		petmem_adding = (struct petmem_span){ pfn, nr };
	spin_unlock(&petmem_pool.lock);
	return err;
}

static void petmem_end_adding(void)
{
	spin_lock(&petmem_pool.lock);
	petmem_adding.nr = 0;
	spin_unlock(&petmem_pool.lock);
}

static int petmem_donate_offline(unsigned long pfn, unsigned long nr)
{
	petmem_init_pages(pfn, nr);
	return petmem_donate(pfn, nr, PETMEM_OFFLINE);
}

/**
 * petmem_add_offline() - add memory that is offline
 * @mem: the range
 *
 * Return: 0; -EINVAL if it is no RAM or no range of whole pages, -EBUSY if the
 * kernel uses a part of it, -EEXIST if the pool has a part of it, -ENOMEM,
 * -EHWPOISON if a page is known to be broken, -EOPNOTSUPP for hotplugged memory
 * under KASAN or memory_hotplug.memmap_on_memory.
 */
int petmem_add_offline(const struct memory_range *mem)
{
	u64 bytes;
	int err;

	err = petmem_check_range(mem, &bytes);
	if (err)
		return err;

	mutex_lock(&petmem_donate_lock);
	err = petmem_begin_adding(PHYS_PFN(mem->base_addr), PHYS_PFN(bytes));
	if (!err) {
		err = petmem_check_offline(mem->base_addr, bytes);
		if (!err)
			err = petmem_donate_offline(PHYS_PFN(mem->base_addr),
						    PHYS_PFN(bytes));
		petmem_end_adding();
	}
	mutex_unlock(&petmem_donate_lock);
	return err;
}

static void petmem_give_back(struct petmem_range *range)
{
	if (range->source == PETMEM_CONTIGUOUS)
		petmem_free_kernel_pages(range->base, range->nr);
	petmem_range_free(range);
}

/**
 * petmem_release_memory() - give memory back
 * @mem: as it was added, or as the statistics list it
 *
 * Return: 0; -EINVAL, -ENOENT if there is no such range in the pool, -EBUSY
 * if it is in use.
 */
int petmem_release_memory(const struct memory_range *mem)
{
	struct petmem_range *range;
	u64 bytes;
	int err;

	err = petmem_check_range(mem, &bytes);
	if (err)
		return err;
	petmem_pool_settle();
	mutex_lock(&petmem_donate_lock);
	err = petmem_buddy_withdraw(&petmem_pool, PHYS_PFN(mem->base_addr),
				    PHYS_PFN(bytes), &range);
	if (!err)
		petmem_give_back(range);
	mutex_unlock(&petmem_donate_lock);
	return err;
}

static int petmem_going(const struct memory_notify *notify)
{
	unsigned long pfn = notify->start_pfn, nr = notify->nr_pages;

	if (petmem_in_pool(pfn, nr) ||
	    petmem_spans_overlap(petmem_adding.pfn, petmem_adding.nr, pfn, nr))
		return notifier_from_errno(-EBUSY);
	petmem_going_online = (struct petmem_span){ pfn, nr };
	return NOTIFY_OK;
}

/*
 * Memory of the pool must not go online: the kernel would use it as well.  It is
 * refused before anything is done, since MEM_GOING_ONLINE comes when the page
 * structs have been initialized anew, those of tables in use among them.
 * MEM_FINISH_OFFLINE also tells that going online has failed.
 */
static int petmem_memory_notify(struct notifier_block *nb, unsigned long action,
				void *arg)
{
	int ret = NOTIFY_OK;

	spin_lock(&petmem_pool.lock);
	if (action == MEM_PREPARE_ONLINE)
		ret = petmem_going(arg);
	else if (action == MEM_ONLINE || action == MEM_FINISH_OFFLINE)
		petmem_going_online.nr = 0;
	spin_unlock(&petmem_pool.lock);
	return ret;
}

static struct notifier_block petmem_memory_nb = {
	.notifier_call = petmem_memory_notify,
	/* The last to be asked, so that nobody refuses what it was told of. */
	.priority = INT_MIN,
};

/**
 * petmem_pool_init() - make the pool, without memory
 *
 * Return: 0 or -ENOMEM.
 */
int petmem_pool_init(void)
{
	int err;

	petmem_buddy_init(&petmem_pool);
	spin_lock_init(&petmem_pending.lock);
	INIT_LIST_HEAD(&petmem_pending.fresh);
	INIT_LIST_HEAD(&petmem_pending.waiting);
	INIT_RCU_WORK(&petmem_pending.work, petmem_reap);
	INIT_DELAYED_WORK(&petmem_pending.retry, petmem_retry);
	petmem_pending.queue = alloc_workqueue("petmem", WQ_UNBOUND, 1);
	if (!petmem_pending.queue)
		return -ENOMEM;
	err = register_memory_notifier(&petmem_memory_nb);
	if (err)
		destroy_workqueue(petmem_pending.queue);
	return err;
}

/**
 * petmem_pool_exit() - give all memory back
 *
 * Nobody uses it any more, but the core may still hold tables for a moment.
 */
void petmem_pool_exit(void)
{
	struct petmem_range *range, *next;
	int tries;

	for (tries = 0; tries < 100 && petmem_pool_pending(); tries++) {
		petmem_pool_settle();
		if (petmem_pool_pending())
			schedule_timeout_uninterruptible(HZ / 10);
	}
	/* Neither of the two works begins the other one again. */
	spin_lock(&petmem_pending.lock);
	petmem_pending.stopping = true;
	spin_unlock(&petmem_pending.lock);
	flush_rcu_work(&petmem_pending.work);
	cancel_delayed_work_sync(&petmem_pending.retry);
	flush_rcu_work(&petmem_pending.work);
	destroy_workqueue(petmem_pending.queue);
	unregister_memory_notifier(&petmem_memory_nb);

	list_for_each_entry_safe(range, next, &petmem_pool.ranges, link) {
		if (range->nr_free == range->nr)
			petmem_give_back(range);
		else
			pr_err("petmem: %lu pages are lost, as %lu of them are in use\n",
			       range->nr, range->nr - range->nr_free);
	}
}
