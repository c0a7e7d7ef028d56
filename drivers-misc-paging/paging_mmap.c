// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/paging: mappings, from mmap() to the last close.
 */
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "paging_internal.h"
#include "paging_trace.h"

static unsigned int demand_paging = 1;
module_param(demand_paging, uint, 0644);
MODULE_PARM_DESC(demand_paging,
		 "1: map pages when they are touched; 0: when mmap() is called (default 1)");

static bool pmd_map = true;
module_param(pmd_map, bool, 0644);
MODULE_PARM_DESC(pmd_map,
		 "map memory of PMD size by one PMD entry (default Y); N: by PTEs");

/* fork(), or a VMA was split or moved: one more VMA shows this mapping. */
static void paging_vma_open(struct vm_area_struct *vma)
{
	pr_debug("%s() invoked\n", __func__);
	paging_tracker_get(vma->vm_private_data);
}

/* The VMA's page table entries are gone, and flushed from the TLBs. */
static void paging_vma_close(struct vm_area_struct *vma)
{
	pr_debug("%s() invoked\n", __func__);
	paging_tracker_put(vma->vm_private_data);
}

/*
 * The core handles a fault under the lock of the VMA alone only if this
 * method exists: it takes a driver without it for one that wants mmap_lock,
 * and begins each fault anew.  Nothing is mapped around a fault: that would
 * make demand paging look cheaper than it is.
 */
static vm_fault_t paging_vma_map_pages(struct vm_fault *vmf, pgoff_t start,
				       pgoff_t end)
{
	return 0;
}

static const struct vm_operations_struct paging_vm_ops = {
	.open		= paging_vma_open,
	.close		= paging_vma_close,
	.fault		= paging_vma_fault,
	.map_pages	= paging_vma_map_pages,
};

/**
 * paging_mmap() - map memory of its own
 * @file: /dev/paging
 * @vma: the new VMA
 *
 * A private mapping that may be written is never pre-paged: every page would
 * be replaced by the writer's copy.
 *
 * Context: mmap_lock held for writing, @vma not yet visible to others.
 * Return: 0, -ENOMEM (no memory, or over a limit), -EINTR or -EFAULT.
 */
int paging_mmap(struct file *file, struct vm_area_struct *vma)
{
	bool demand = READ_ONCE(demand_paging) || is_cow_mapping(vma->vm_flags);
	struct paging_tracker *tracker;
	int ret = 0;

	pr_debug("%s() invoked: new VMA for pid %d from VA 0x%lx to 0x%lx\n",
		 __func__, current->pid, vma->vm_start, vma->vm_end);

	tracker = paging_tracker_create(vma->vm_pgoff, vma_pages(vma),
					READ_ONCE(paging_fault_order));
	if (IS_ERR(tracker))
		return PTR_ERR(tracker);

	/*
	 * Growing would leave the tracker's array.  The core takes the flag as
	 * a sign of special memory, too: no merging of VMAs, none of
	 * khugepaged, KSM or mlock().  Copies in a private mapping are on the
	 * LRU nevertheless, and cannot be locked.
	 */
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	if (!READ_ONCE(pmd_map))
		vm_flags_set(vma, VM_NOHUGEPAGE);
	vma->vm_private_data = tracker;
	vma->vm_ops = &paging_vm_ops;

	if (!demand)
		ret = paging_prepage(vma);
	trace_paging_map(vma, tracker, demand, ret);
	if (ret) {
		/* The core does not call ->close() for a failed mmap(). */
		paging_tracker_put(tracker);
		return ret;
	}
	paging_count(PAGING_MAPS, 1);
	return 0;
}

/* The largest unit that this mapping can be mapped by, in bytes. */
static unsigned long paging_alignment(unsigned long len)
{
	unsigned long block = PAGE_SIZE << READ_ONCE(paging_fault_order);

	if (len >= PMD_SIZE)
		return PMD_SIZE;
	return len >= block ? block : PAGE_SIZE;
}

/**
 * paging_get_unmapped_area() - find an address for a new mapping
 * @file: /dev/paging
 * @addr: the address asked for, or 0
 * @len: bytes
 * @pgoff: page offset
 * @flags: of mmap()
 *
 * A mapping is aligned so that the blocks it is made of can be mapped by one
 * PMD entry or one run of contiguous PTEs, unless the caller chose an address.
 *
 * Return: the address, or a negative errno.
 */
unsigned long paging_get_unmapped_area(struct file *file, unsigned long addr,
				       unsigned long len, unsigned long pgoff,
				       unsigned long flags)
{
	unsigned long align = paging_alignment(len);
	unsigned long padded = len + align - PAGE_SIZE;
	unsigned long area;

	if (!addr && !(flags & MAP_FIXED) && padded > len) {
		area = mm_get_unmapped_area(current->mm, file, 0, padded,
					    pgoff, flags);
		if (!IS_ERR_VALUE(area))
			return ALIGN(area, align);
	}
	return mm_get_unmapped_area(current->mm, file, addr, len, pgoff,
				    flags);
}
