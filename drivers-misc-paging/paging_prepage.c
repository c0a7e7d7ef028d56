// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/paging: pre-paging, which fills a mapping before mmap() returns.
 *
 * The memory comes one page at a time, or in contiguous chunks: as large as
 * one PMD entry maps while the machine has them, smaller ones when it does
 * not, down to single pages.  An allocation that failed is not tried again
 * for the same mapping.
 */
#include <linux/moduleparam.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "paging_internal.h"

static bool paging_chunks = true;

static int paging_set_prepage(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "chunks"))
		WRITE_ONCE(paging_chunks, true);
	else if (sysfs_streq(val, "single"))
		WRITE_ONCE(paging_chunks, false);
	else
		return -EINVAL;
	return 0;
}

static int paging_get_prepage(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", paging_chunks ? "chunks" : "single");
}

static const struct kernel_param_ops paging_prepage_ops = {
	.set = paging_set_prepage,
	.get = paging_get_prepage,
};
module_param_cb(prepage, &paging_prepage_ops, NULL, 0644);
MODULE_PARM_DESC(prepage,
		 "memory for pre-paging: contiguous \"chunks\" (default) or \"single\" pages");

/* log2 of the pages that the next chunk may have. */
static unsigned int paging_chunk_order(unsigned long index, unsigned long left,
				       unsigned int max_order)
{
	unsigned int order = min_t(unsigned int, max_order, ilog2(left));

	return index ? min_t(unsigned int, order, __ffs(index)) : order;
}

/**
 * paging_prepage() - allocate and map all pages of a new mapping
 * @vma: the VMA, not yet visible to other tasks, with its tracker
 *
 * On failure the pages so far stay in the tracker and some in page tables: the
 * caller puts the tracker, the core unmaps the VMA, and a page is freed by
 * whichever comes last.
 *
 * Context: mmap_lock held for writing. May sleep; a fatal signal ends it.
 * Return: 0, -EINTR, -ENOMEM, or -EFAULT if the pages cannot be mapped.
 */
int paging_prepage(struct vm_area_struct *vma)
{
	struct paging_tracker *tracker = vma->vm_private_data;
	unsigned int max_order = 0;
	unsigned long index = 0;

	if (READ_ONCE(paging_chunks))
		max_order = min_t(unsigned int, PMD_ORDER, MAX_PAGE_ORDER);

	while (index < tracker->nr_pages) {
		struct folio *folio;
		int ret;

		if (fatal_signal_pending(current))
			return -EINTR;

		max_order = paging_chunk_order(index,
					       tracker->nr_pages - index,
					       max_order);
		folio = paging_tracker_fill(tracker, index, max_order);
		if (!folio)
			return -ENOMEM;
		max_order = folio_order(folio);

		ret = paging_map_folio(vma, tracker->base + index, folio);
		if (ret < 0)
			return ret == -ENOMEM ? ret : -EFAULT;
		index += ret;
		paging_count(PAGING_PREPAGED, ret);
		cond_resched();
	}
	return 0;
}
