// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: pages on demand.
 *
 * A fault arrives in one of two ways. In direct mode the core calls
 * petmem_vma_fault() under the lock of the VMA. In signal mode the process gets
 * SIGSEGV, and its handler calls ioctl(PAGE_FAULT), which ends in
 * petmem_populate() with no lock held. What both do is petmem_touch().
 *
 * petmem_touch() does not wait. If it needs a page while the pool is empty, or
 * one that is in the swap file, the caller lets go of its locks, has that
 * done, and tries again: no I/O is done under mmap_lock, which others may hold
 * who write to the same file system. In direct mode this uses the core's
 * protocol for a fault that has to be begun anew.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "petmem_internal.h"
#include "petmem_trace.h"

/**
 * petmem_page_free() - free data pages
 * @map: whose they are
 * @frames: unmapped, no TLB has them; emptied
 */
void petmem_page_free(struct petmem_map *map, struct list_head *frames)
{
	atomic_long_sub(list_count_nodes(frames), &map->open->nr_pages);
	petmem_put_pages(frames);
}

/*
 * Count a new page of a file. (One that comes back from the swap file is let in
 * whatever the limit is: to refuse it would be to lose it.)
 */
static bool petmem_charge(struct petmem_open *open)
{
	unsigned long most = READ_ONCE(petmem_max_open_pages);
	long nr = atomic_long_read(&open->nr_pages);

	do {
		if (most && nr >= most)
			return false;
	} while (!atomic_long_try_cmpxchg(&open->nr_pages, &nr, nr + 1));
	return true;
}

static struct petmem_frame *petmem_new_page(struct petmem_open *open, int *err)
{
	struct petmem_frame *frame;

	if (!petmem_charge(open)) {
		*err = -EDQUOT;
		return NULL;
	}
	frame = petmem_get_page(PETMEM_DATA);
	*err = frame ? 0 : -EAGAIN;
	if (!frame)
		atomic_long_dec(&open->nr_pages);
	return frame;
}

static int petmem_map_page(struct petmem_arena *arena, unsigned long addr,
			   struct petmem_frame *frame)
{
	int err = petmem_table_map(arena, addr, frame);

	if (err)
		return err;
	frame->arena = arena;
	frame->addr = addr;
	frame->owner = current->pid;
	list_add_tail(&frame->link, &arena->pages);
	petmem_age_add(frame);
	return 0;
}

/*
 * Map a page at an address. The locks that petmem_table.c wants are held.
 *
 * -EFAULT: nothing is allocated there; -EAGAIN: the pool is empty; -ESTALE: the
 * page is in the swap file; -EIO: and cannot be read; -EDQUOT, -ENOMEM.
 */
static int petmem_touch(struct petmem_arena *arena, unsigned long addr)
{
	struct petmem_map *map = arena->map;
	struct petmem_frame *frame, *cached;
	LIST_HEAD(frames);
	int err;

	if (!petmem_vspace_find(&map->vs, addr))
		return -EFAULT;
	cached = petmem_swap_cached(map, addr, &err);
	if (err)
		return err;
	frame = cached ?: petmem_new_page(map->open, &err);
	if (!frame)
		return err;
	err = petmem_map_page(arena, addr, frame);
	if (!err) {
		if (cached)
			petmem_swap_mapped(map, addr);
		petmem_count(PETMEM_FAULTS);
		return 0;
	}
	if (!cached) {
		list_add(&frame->link, &frames);
		petmem_page_free(map, &frames);
	}
	return err == -EEXIST ? 0 : err;
}

/* Do what petmem_touch() could not. No lock is held. */
static int petmem_wait(struct petmem_map *map, unsigned long addr, int why)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	if (why == -ESTALE)
		return petmem_swap_in(map, addr);
	return petmem_make_room();
}

static int petmem_touch_unlocked(struct petmem_map *map, unsigned long addr)
{
	struct vm_area_struct *vma;
	int err = -EFAULT;

	mmap_read_lock(map->mm);
	vma = vma_lookup(map->mm, addr);
	if (vma && petmem_vma_is_ours(vma, map)) {
		mutex_lock(&map->lock);
		err = petmem_touch(vma->vm_private_data, addr);
		mutex_unlock(&map->lock);
	}
	mmap_read_unlock(map->mm);
	return err;
}

/**
 * petmem_populate() - map a page, waiting for memory and the swap file
 * @map: the map; its mm has users
 * @addr: an address of the page
 *
 * Context: no locks held. May sleep.
 * Return: 0; -EFAULT if nothing is allocated there; -ENOMEM, -EDQUOT, -EIO,
 * -ENOSPC, -EINTR.
 */
int petmem_populate(struct petmem_map *map, unsigned long addr)
{
	int err;

	addr &= PAGE_MASK;
	for (;;) {
		err = petmem_touch_unlocked(map, addr);
		if (err != -EAGAIN && err != -ESTALE)
			return err;
		err = petmem_wait(map, addr, err);
		if (err)
			return err;
	}
}

static vm_fault_t petmem_fault_slow(struct vm_fault *vmf,
				    struct petmem_map *map)
{
	unsigned long addr = vmf->address;
	struct file *file;
	int err;

	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY) ||
	    (vmf->flags & FAULT_FLAG_RETRY_NOWAIT))
		return VM_FAULT_SIGBUS;
	/* The arena's: it holds the map, and the module that this is in. */
	file = get_file(vmf->vma->vm_file);
	release_fault_lock(vmf);
	err = petmem_populate(map, addr);
	/* The fault is begun anew and then has to know how this has ended. */
	if (err)
		petmem_swap_note(map, addr);
	fput(file);
	return VM_FAULT_RETRY;
}

/**
 * petmem_vma_fault() - handle a page fault in an arena; direct mode
 * @vmf: the fault
 *
 * Context: VMA locked for reading. May sleep.
 * Return: as ->fault() does.
 */
vm_fault_t petmem_vma_fault(struct vm_fault *vmf)
{
	struct petmem_arena *arena = vmf->vma->vm_private_data;
	struct petmem_map *map = arena->map;
	int err;

	mutex_lock(&map->lock);
	err = petmem_touch(arena, vmf->address);
	mutex_unlock(&map->lock);
	trace_petmem_fault(map, vmf->address, 1, err);
	if (!err)
		return VM_FAULT_NOPAGE;
	if (err == -ESTALE || err == -EAGAIN)
		return petmem_fault_slow(vmf, map);
	petmem_count(PETMEM_REFUSED);
	return err == -EFAULT ? VM_FAULT_SIGSEGV : VM_FAULT_SIGBUS;
}

/*
 * Whether a page that is mapped may be accessed now. If so, the fault came
 * about before that, in another thread, or because of the accessed bit.
 */
static bool petmem_fault_is_stale(struct petmem_arena *arena,
				  unsigned long addr, u32 error_code)
{
	struct petmem_frame *frame;
	bool old;

	frame = petmem_table_look(arena, addr, &old);
	if (!frame)
		return false;
	if (old)
		petmem_table_mark_young(arena, addr);
	else if (error_code == SEGV_ACCERR && frame->owner == current->pid)
		return false;
	/* Once: if this thread comes again, it is not allowed what it does. */
	frame->owner = current->pid;
	return true;
}

/* 1: the page is there and may be accessed; -EACCES: may not; 0: not there. */
static int petmem_fault_check(struct petmem_map *map, unsigned long addr,
			      u32 error_code)
{
	struct vm_area_struct *vma;
	bool old;
	int ret = 0;

	mmap_read_lock(map->mm);
	vma = vma_lookup(map->mm, addr);
	if (vma && petmem_vma_is_ours(vma, map)) {
		mutex_lock(&map->lock);
		if (petmem_fault_is_stale(vma->vm_private_data, addr, error_code))
			ret = 1;
		else if (petmem_table_look(vma->vm_private_data, addr, &old))
			ret = -EACCES;
		mutex_unlock(&map->lock);
	}
	mmap_read_unlock(map->mm);
	return ret;
}

/**
 * petmem_handle_pagefault() - handle a fault that a process has told of
 * @map: the process's map
 * @addr: the address
 * @error_code: SEGV_MAPERR or SEGV_ACCERR, as the process got it
 *
 * The VMA of signal mode permits nothing, so that a page that is not there
 * has SEGV_ACCERR as well: a fault is one for want of permission if there
 * is a page.
 *
 * Context: no locks held. May sleep.
 * Return: 0 if the access can be tried again, or a negative errno.
 */
int petmem_handle_pagefault(struct petmem_map *map, unsigned long addr,
			    u32 error_code)
{
	int ret;

	if (error_code != SEGV_MAPERR && error_code != SEGV_ACCERR)
		return -EINVAL;
	if (addr < PETMEM_REGION_START || addr >= PETMEM_REGION_END)
		return -EFAULT;
	addr &= PAGE_MASK;
	ret = petmem_fault_check(map, addr, error_code);
	if (!ret)
		ret = petmem_populate(map, addr);
	trace_petmem_fault(map, addr, error_code, ret < 0 ? ret : 0);
	if (ret >= 0)
		return 0;
	petmem_count(PETMEM_REFUSED);
	return ret;
}

/**
 * petmem_invalidate() - flush a page from the TLBs
 * @map: the process's map
 * @addr: an address of the page
 *
 * Return: 0, or -EINVAL if nothing is allocated there.
 */
int petmem_invalidate(struct petmem_map *map, unsigned long addr)
{
	struct vm_area_struct *vma;
	int err = -EINVAL;

	mmap_read_lock(map->mm);
	vma = vma_lookup(map->mm, addr);
	if (vma && petmem_vma_is_ours(vma, map)) {
		mutex_lock(&map->lock);
		if (petmem_vspace_find(&map->vs, addr))
			err = 0;
		mutex_unlock(&map->lock);
		if (!err)
			petmem_table_flush(vma, addr & PAGE_MASK);
	}
	mmap_read_unlock(map->mm);
	return err;
}
