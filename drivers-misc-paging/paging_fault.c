// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/paging: the page fault handler.
 *
 * It runs under the lock of the VMA alone (the ->map_pages stub in
 * paging_mmap.c says why), with any number of threads at once.  That lock
 * keeps the VMA and so its reference to the tracker; the tracker keeps the
 * pages.  Nothing here may change vm_flags or look for another VMA.
 *
 * Shared memory is mapped by vm_insert_folio() as dirty, also for readers:
 * these pages are never written back, so there is nothing to learn from a
 * second fault at the first write, which is what a clean entry costs on cores
 * that do not set the dirty bit themselves (Cortex-A53, A72).
 */
#include <linux/highmem.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/pgtable.h>
#include <linux/sysfs.h>
#include <linux/userfaultfd_k.h>

#include "paging_internal.h"
#include "paging_trace.h"

unsigned int paging_fault_order;

static int paging_set_fault_bytes(const char *val,
				  const struct kernel_param *kp)
{
	unsigned long bytes, max_order = min(PMD_ORDER, MAX_PAGE_ORDER);
	char *end;

	bytes = memparse(val, &end);
	if (end == val || (*end && *end != '\n'))
		return -EINVAL;
	if (!is_power_of_2(bytes) || bytes < PAGE_SIZE ||
	    bytes > PAGE_SIZE << max_order)
		return -EINVAL;
	WRITE_ONCE(paging_fault_order, ilog2(bytes >> PAGE_SHIFT));
	return 0;
}

static int paging_get_fault_bytes(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%lu\n", PAGE_SIZE << paging_fault_order);
}

static const struct kernel_param_ops paging_fault_bytes_ops = {
	.set = paging_set_fault_bytes,
	.get = paging_get_fault_bytes,
};
module_param_cb(fault_bytes, &paging_fault_bytes_ops, NULL, 0644);
MODULE_PARM_DESC(fault_bytes,
		 "bytes that one fault maps: a power of two from the page size (default) to the PMD size; 64K makes contiguous PTEs on arm64");

/**
 * paging_map_folio() - map what a VMA shows of a folio
 * @vma: shared VMA of /dev/paging; locked for reading at least
 * @first: page offset of the folio's first page
 * @folio: recorded by the VMA's tracker
 *
 * Context: May sleep, for page tables.
 * Return: the number of pages, or -ENOMEM, or -EBUSY if another task has
 * mapped some of it.
 */
int paging_map_folio(struct vm_area_struct *vma, unsigned long first,
		     struct folio *folio)
{
	unsigned long end = first + folio_nr_pages(folio);
	unsigned long pgoff = max(first, vma->vm_pgoff);
	unsigned long stop = min(end, vma->vm_pgoff + vma_pages(vma));
	int mapped = 0;

	while (pgoff < stop) {
		unsigned long addr = vma->vm_start +
				     ((pgoff - vma->vm_pgoff) << PAGE_SHIFT);
		unsigned long nr = min(stop - pgoff,
				       PTRS_PER_PTE - pte_index(addr));
		int err;

		err = vm_insert_folio(vma, addr,
				      folio_page(folio, pgoff - first), nr);
		if (err)
			return err;
		pgoff += nr;
		mapped += nr;
	}
	return mapped;
}

/* A write to a private mapping: the core has allocated the writer's copy. */
static vm_fault_t paging_fault_copy(struct vm_fault *vmf)
{
	vm_fault_t ret;

	/*
	 * Nobody can write to the pages of a private mapping but through such
	 * a copy, so whether recorded or not they hold zeroes: clear the copy
	 * instead of allocating a page only to copy from it.
	 */
	clear_user_highpage(vmf->cow_page, vmf->address);
	__SetPageUptodate(vmf->cow_page);
	ret = finish_fault(vmf);
	if (ret)
		return ret;
	paging_count(PAGING_COPIES, 1);
	return VM_FAULT_DONE_COW;
}

/*
 * Let the core insert the page, where it knows what this driver does not: when
 * the OOM reaper took the copies of a private mapping, they must not seem to
 * be zeroes; and userfaultfd leaves markers in entries that have no page.
 */
static vm_fault_t paging_fault_core(struct vm_fault *vmf, struct page *page)
{
	get_page(page);
	vmf->page = page;
	paging_count(PAGING_FAULT_PAGES, 1);
	return 0;
}

static vm_fault_t paging_fault_shared(struct vm_fault *vmf, struct page *page,
				      struct folio *folio)
{
	unsigned long idx = folio_page_idx(folio, page);
	int ret;

	ret = paging_map_folio(vmf->vma, vmf->pgoff - idx, folio);
	/* A part was there already (say, after mprotect()): just this page. */
	if (ret == -EBUSY) {
		ret = vm_insert_folio(vmf->vma, vmf->address, page, 1);
		if (!ret)
			ret = 1;
	}
	/* And if that one was, another thread was faster. */
	if (ret == -EBUSY)
		return VM_FAULT_NOPAGE;
	if (ret < 0)
		return vmf_error(ret);
	paging_count(PAGING_FAULT_PAGES, ret);
	return VM_FAULT_NOPAGE;
}

static vm_fault_t paging_fault(struct vm_fault *vmf,
			       struct paging_tracker *tracker)
{
	unsigned long index = vmf->pgoff - tracker->base;
	struct folio *folio;
	struct page *page;

	if (index >= tracker->nr_pages)
		return VM_FAULT_SIGBUS;
	if (vmf->cow_page)
		return paging_fault_copy(vmf);

	folio = paging_tracker_fill(tracker, index, tracker->order);
	if (!folio)
		return VM_FAULT_OOM;
	page = paging_tracker_page(tracker, index);
	if (PageHWPoison(page))
		return VM_FAULT_HWPOISON;

	if (is_cow_mapping(vmf->vma->vm_flags) || userfaultfd_armed(vmf->vma))
		return paging_fault_core(vmf, page);
	return paging_fault_shared(vmf, page, folio);
}

/**
 * paging_vma_fault() - handle a page fault in a mapping of /dev/paging
 * @vmf: the fault
 *
 * Context: VMA locked for reading. May sleep.
 * Return: as ->fault() does.
 */
vm_fault_t paging_vma_fault(struct vm_fault *vmf)
{
	struct paging_tracker *tracker = vmf->vma->vm_private_data;
	vm_fault_t ret;

	pr_debug("%s() invoked: took a page fault at VA 0x%lx\n", __func__,
		 vmf->real_address);
	ret = paging_fault(vmf, tracker);
	paging_count(PAGING_FAULTS, 1);
	trace_paging_fault(vmf, tracker, ret);
	return ret;
}
