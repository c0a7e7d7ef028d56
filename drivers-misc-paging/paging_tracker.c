// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/paging: the tracker, which records every page of a mapping.
 *
 * A flat array of page pointers costs a load where a tree costs a descent;
 * with one word per page it is 0.2 % of the memory it describes.  The array
 * is charged to the memory cgroup like the pages themselves.
 */
#include <linux/pagevec.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "paging_internal.h"
#include "paging_trace.h"

/**
 * paging_tracker_create() - make the record of a new mapping
 * @base: page offset of its first page
 * @nr_pages: its length in pages, not 0
 * @order: log2 of the pages to allocate together on a demand fault
 *
 * Takes @nr_pages from the limits, see paging_reserve().
 *
 * Context: May sleep.
 * Return: a tracker with one reference, or ERR_PTR(-ENOMEM).
 */
struct paging_tracker *paging_tracker_create(unsigned long base,
					     unsigned long nr_pages,
					     unsigned int order)
{
	struct paging_tracker *tracker;
	int err;

	err = paging_reserve(nr_pages);
	if (err)
		return ERR_PTR(err);

	tracker = kvzalloc(struct_size(tracker, pages, nr_pages),
			   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!tracker) {
		paging_unreserve(nr_pages);
		return ERR_PTR(-ENOMEM);
	}

	refcount_set(&tracker->ref, 1);
	spin_lock_init(&tracker->lock);
	tracker->base = base;
	tracker->nr_pages = nr_pages;
	tracker->order = order;
	paging_count(PAGING_TRACKERS, 1);
	return tracker;
}

/**
 * paging_tracker_get() - a further VMA shows this mapping
 * @tracker: a tracker to which the caller has a reference
 */
void paging_tracker_get(struct paging_tracker *tracker)
{
	refcount_inc(&tracker->ref);
}

static unsigned long paging_tracker_drop_pages(struct paging_tracker *tracker)
{
	unsigned long index = 0, freed = 0;
	struct folio_batch batch;

	folio_batch_init(&batch);
	while (index < tracker->nr_pages) {
		struct folio *folio;
		unsigned long nr;

		if (!tracker->pages[index]) {
			if (!(++index % SZ_64K))
				cond_resched();
			continue;
		}
		/* Recorded whole, so this is the head and all of it follows. */
		folio = page_folio(tracker->pages[index]);
		nr = folio_nr_pages(folio);
		index += nr;
		freed += nr;
		/* Many at once: the memory cgroup is told of them once, too. */
		if (!folio_batch_add(&batch, folio)) {
			folios_put(&batch);
			cond_resched();
		}
	}
	folios_put(&batch);
	return freed;
}

/**
 * paging_tracker_put() - a VMA that showed this mapping is gone
 * @tracker: the tracker; not to be used afterwards
 *
 * The last one lets go of all pages and frees the tracker.  By then the page
 * table entries have been cleared and the TLBs flushed, since ->close() runs
 * after both.
 *
 * Context: May sleep.
 */
void paging_tracker_put(struct paging_tracker *tracker)
{
	unsigned long freed;

	if (!refcount_dec_and_test(&tracker->ref))
		return;

	freed = paging_tracker_drop_pages(tracker);
	trace_paging_release(tracker, freed);
	paging_count(PAGING_FREED, freed);
	paging_count(PAGING_TRACKERS, -1);
	paging_unreserve(tracker->nr_pages);
	kvfree(tracker);
}

/**
 * paging_tracker_page() - look up a page of the mapping
 * @tracker: the tracker
 * @index: which page, below @tracker->nr_pages
 *
 * Return: the page, valid while the caller's VMA (or reference) is; or NULL
 * if none has been recorded.
 */
struct page *paging_tracker_page(struct paging_tracker *tracker,
				 unsigned long index)
{
	/* Pairs with the release in paging_tracker_record(): zeroed, ready. */
	return smp_load_acquire(&tracker->pages[index]);
}

/* Record all pages of @folio from @index on, or none if one is taken. */
static bool paging_tracker_record(struct paging_tracker *tracker,
				  unsigned long index, struct folio *folio)
{
	unsigned long i, nr = folio_nr_pages(folio);
	bool free = true;

	spin_lock(&tracker->lock);
	for (i = index; i < min(index + nr, tracker->end) && free; i++)
		free = !tracker->pages[i];
	if (free)
		tracker->end = max(tracker->end, index + nr);
	for (i = 0; i < nr && free; i++)
		/* Pairs with the acquire in paging_tracker_page(). */
		smp_store_release(&tracker->pages[index + i],
				  folio_page(folio, i));
	spin_unlock(&tracker->lock);
	return free;
}

static struct folio *paging_alloc_folio(unsigned int order)
{
	gfp_t gfp = GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT;
	struct folio *folio;

	/* Smaller ones are tried next: do not work hard, do not complain. */
	if (order)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	folio = folio_alloc(gfp, order);
	/* Not to be split as a THP is: it has no mapping to do that under. */
	if (folio && order)
		folio_clear_large_rmappable(folio);
	return folio;
}

/**
 * paging_tracker_fill() - allocate and record pages that are not there yet
 * @tracker: the tracker
 * @index: a page that is wanted, below @tracker->nr_pages
 * @order: log2 of how many pages to allocate at most
 *
 * The pages are zeroed, contiguous and naturally aligned both in memory and
 * in the mapping; they start at or before @index.  Fewer than asked for come
 * where the block would leave the mapping, where a part of it is there
 * already, or where memory is too fragmented.
 *
 * Two tasks may want the same page at the same time: the first to record it
 * wins and the other one gives back what it has allocated.
 *
 * Context: May sleep.
 * Return: the folio that holds page @index, ours or another task's, or NULL
 * when out of memory.
 */
struct folio *paging_tracker_fill(struct paging_tracker *tracker,
				  unsigned long index, unsigned int order)
{
	struct page *page;

	for (;; order--) {
		unsigned long nr = 1UL << order;
		unsigned long first = round_down(index, nr);
		struct folio *folio;

		page = paging_tracker_page(tracker, index);
		if (page)
			return page_folio(page);
		if (order && nr > tracker->nr_pages - first)
			continue;
		folio = paging_alloc_folio(order);
		if (folio && paging_tracker_record(tracker, first, folio)) {
			paging_count(PAGING_ALLOCATED, nr);
			return folio;
		}
		if (folio)
			folio_put(folio);
		if (!order)
			break;
	}

	/* Out of memory, unless another task has just recorded this page. */
	page = paging_tracker_page(tracker, index);
	return page ? page_folio(page) : NULL;
}

#ifdef CONFIG_PAGING_KUNIT_TEST
#include "tests/tracker_kunit.h"
#endif
