// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: the memory of a process, from its first allocation to its end.
 *
 * An open file has a map for each mm that uses it: a child of fork() has the
 * file but begins with a map of its own, since a map is looked up by the
 * caller's mm. A map has arenas: VMAs of 1 GiB as a rule, made when addresses
 * in them are first allocated, in which any number of ranges are. So
 * an allocation rarely has to make a VMA, and the core knows the addresses as
 * taken: it handles faults there (or sends the signal), gives them to nobody
 * else, and tears down what is mapped when the process ends in whatever way.
 *
 * An arena maps a file of its own. If it mapped the device's, close() of the
 * last descriptor would not be the end of that file while memory is mapped;
 * as it is, the last close frees all memory that was got from it.
 *
 * A map lives while it has arenas. ->close() of the last one runs after its
 * page table entries are gone and flushed, at munmap(), execve() or exit, and
 * takes the map from the file. That is the only end a map needs: there is
 * no moment at which the mm is gone and the map is not.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "petmem_internal.h"
#include "petmem_trace.h"

#define ARENA_BYTES	((unsigned long)SZ_1G)

/* Open files. */

/**
 * petmem_open_create() - make what stands behind an open file
 * @direct: the kernel handles faults
 * @best: best fit
 *
 * Context: petmem_opens_lock held.
 * Return: it, or NULL.
 */
struct petmem_open *petmem_open_create(bool direct, bool best)
{
	struct petmem_open *open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);

	if (!open)
		return NULL;
	kref_init(&open->ref);
	spin_lock_init(&open->lock);
	INIT_LIST_HEAD(&open->maps);
	open->direct = direct;
	open->best = best;
	open->pid = current->pid;
	get_task_comm(open->comm, current);
	list_add_tail(&open->link, &petmem_opens);
	return open;
}

static void petmem_open_free(struct kref *ref)
{
	kfree(container_of(ref, struct petmem_open, ref));
}

/* Maps. */

static void petmem_map_release(struct kref *ref)
{
	struct petmem_map *map = container_of(ref, struct petmem_map, ref);

	/* No arena is left: each has a reference. */
	xa_destroy(&map->swap);
	mmdrop(map->mm);
	kref_put(&map->open->ref, petmem_open_free);
	kfree(map);
}

/**
 * petmem_map_put() - let go of a map
 * @map: a map to which the caller has a reference
 */
void petmem_map_put(struct petmem_map *map)
{
	kref_put(&map->ref, petmem_map_release);
}

static struct petmem_map *petmem_map_create(struct petmem_open *open)
{
	struct petmem_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (!map)
		return NULL;
	kref_init(&map->ref);
	mutex_init(&map->space_lock);
	mutex_init(&map->lock);
	petmem_vspace_init(&map->vs, PETMEM_REGION_START, PETMEM_REGION_END,
			   open->best, &map->lock);
	mt_init_flags(&map->arenas, MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&map->arenas, &map->lock);
	xa_init(&map->swap);
	mmgrab(current->mm);
	map->mm = current->mm;
	kref_get(&open->ref);
	map->open = open;
	return map;
}

static struct petmem_map *petmem_map_find(struct petmem_open *open,
					  struct mm_struct *mm)
{
	struct petmem_map *map;

	list_for_each_entry(map, &open->maps, link) {
		if (map->mm == mm) {
			kref_get(&map->ref);
			return map;
		}
	}
	return NULL;
}

/**
 * petmem_map_lookup() - the caller's map
 * @open: the file
 *
 * Return: the map with a reference, or NULL.
 */
struct petmem_map *petmem_map_lookup(struct petmem_open *open)
{
	struct petmem_map *map;

	spin_lock(&open->lock);
	map = petmem_map_find(open, current->mm);
	spin_unlock(&open->lock);
	return map;
}

/**
 * petmem_init_process() - the caller's map, made if there is none
 * @open: the file
 *
 * Return: the map with a reference, or NULL when out of memory.
 */
struct petmem_map *petmem_init_process(struct petmem_open *open)
{
	struct petmem_map *map = petmem_map_lookup(open), *new;

	if (map)
		return map;
	new = petmem_map_create(open);
	if (!new)
		return NULL;
	spin_lock(&open->lock);
	map = petmem_map_find(open, current->mm);
	if (!map) {
		kref_get(&new->ref);	/* the list's */
		list_add(&new->link, &open->maps);
	}
	spin_unlock(&open->lock);
	if (!map)
		return new;
	petmem_map_put(new);
	return map;
}

/* The last arena is gone, or the file is closed. map->lock is held. */
static void petmem_map_kill(struct petmem_map *map)
{
	if (map->dead)
		return;
	map->dead = true;
	petmem_vspace_destroy(&map->vs);
	spin_lock(&map->open->lock);
	list_del_init(&map->link);
	spin_unlock(&map->open->lock);
	petmem_map_put(map);	/* the list's; the caller has one */
}

/* Arenas. */

/* The arena at or after an address. */
static struct petmem_arena *petmem_arena_next(struct petmem_map *map,
					      unsigned long addr)
{
	MA_STATE(mas, &map->arenas, addr >> PAGE_SHIFT, addr >> PAGE_SHIFT);

	return mas_find(&mas, ULONG_MAX);
}

static struct petmem_arena *petmem_arena_prev(struct petmem_map *map,
					      unsigned long addr)
{
	MA_STATE(mas, &map->arenas, addr >> PAGE_SHIFT, addr >> PAGE_SHIFT);

	return mas_prev(&mas, 0);
}

static int petmem_arena_store(struct petmem_arena *arena, bool there)
{
	MA_STATE(mas, &arena->map->arenas, arena->start >> PAGE_SHIFT,
		 (arena->end - 1) >> PAGE_SHIFT);

	return mas_store_gfp(&mas, there ? arena : NULL,
			     GFP_KERNEL | (there ? 0 : __GFP_NOFAIL));
}

/* Only inside of mremap(), which is refused later: two VMAs for a moment. */
static void petmem_vma_open(struct vm_area_struct *vma)
{
	struct petmem_arena *arena = vma->vm_private_data;

	mutex_lock(&arena->map->lock);
	arena->nr_vmas++;
	arena->moved = true;
	mutex_unlock(&arena->map->lock);
}

/* Nothing of the arena is mapped any more, and all TLBs are flushed. */
static void petmem_arena_close(struct petmem_arena *arena)
{
	struct petmem_map *map = arena->map;
	struct petmem_frame *frame;
	LIST_HEAD(frames);

	petmem_arena_store(arena, false);
	list_for_each_entry(frame, &arena->pages, link)
		petmem_age_del(frame);
	list_splice_init(&arena->pages, &frames);
	petmem_swap_drop(map, arena->start, arena->end, &frames);
	petmem_page_free(map, &frames);
	petmem_arena_drop_tables(arena);
	if (mtree_empty(&map->arenas))
		petmem_map_kill(map);
}

static void petmem_vma_close(struct vm_area_struct *vma)
{
	struct petmem_arena *arena = vma->vm_private_data;
	struct petmem_map *map = arena->map;

	/* The arena's file, which this VMA still holds, keeps both. */
	mutex_lock(&map->lock);
	if (!--arena->nr_vmas)
		petmem_arena_close(arena);
	mutex_unlock(&map->lock);
}

/* A part of an arena cannot be unmapped, protected or moved away. */
static int petmem_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int petmem_vma_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static int petmem_vma_mprotect(struct vm_area_struct *vma, unsigned long start,
			       unsigned long end, unsigned long flags)
{
	return -EACCES;
}

/* Without it, every fault would be begun twice: see paging_vma_map_pages(). */
static vm_fault_t petmem_vma_map_pages(struct vm_fault *vmf, pgoff_t start,
				       pgoff_t end)
{
	return 0;
}

static const char *petmem_vma_name(struct vm_area_struct *vma)
{
	return "[petmem]";
}

static const struct vm_operations_struct petmem_vm_ops = {
	.open		= petmem_vma_open,
	.close		= petmem_vma_close,
	.may_split	= petmem_vma_may_split,
	.mremap		= petmem_vma_mremap,
	.mprotect	= petmem_vma_mprotect,
	.fault		= petmem_vma_fault,
	.map_pages	= petmem_vma_map_pages,
	.name		= petmem_vma_name,
};

/**
 * petmem_vma_is_ours() - whether a VMA is an arena of a map
 * @vma: any VMA
 * @map: the map
 *
 * Return: true if so.
 */
bool petmem_vma_is_ours(struct vm_area_struct *vma, struct petmem_map *map)
{
	struct petmem_arena *arena = vma->vm_private_data;

	return vma->vm_ops == &petmem_vm_ops && arena->map == map;
}

/*
 * In signal mode the core takes any access for one without permission, unless
 * there is a page: that much the processor decides. It is never asked for one
 * and so makes no tables.
 */
static int petmem_arena_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct petmem_arena *arena = file->private_data;
	struct petmem_map *map = arena->map;
	int err;

	/* VM_IO keeps MADV_DOFORK away. */
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			  VM_DONTCOPY);
	vm_flags_clear(vma, VM_EXEC | VM_MAYEXEC);
	if (!map->open->direct)
		vm_flags_clear(vma, VM_MAYREAD | VM_MAYWRITE);

	mutex_lock(&map->lock);
	err = arena->nr_vmas || arena->start != vma->vm_start ||
	      arena->end != vma->vm_end ? -EINVAL : 0;
	if (map->dead)
		err = -ESTALE;
	if (!err)
		err = petmem_arena_store(arena, true);
	if (!err) {
		arena->nr_vmas = 1;
		vma->vm_private_data = arena;
		vma->vm_ops = &petmem_vm_ops;
	}
	mutex_unlock(&map->lock);
	return err;
}

static int petmem_arena_release(struct inode *inode, struct file *file)
{
	struct petmem_arena *arena = file->private_data;

	petmem_map_put(arena->map);
	kfree(arena);
	return 0;
}

static const struct file_operations petmem_arena_fops = {
	.owner		= THIS_MODULE,
	.mmap		= petmem_arena_mmap,
	.release	= petmem_arena_release,
};

static struct file *petmem_arena_file(struct petmem_map *map,
				      unsigned long start, unsigned long end)
{
	struct petmem_arena *arena = kzalloc(sizeof(*arena), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!arena)
		return ERR_PTR(-ENOMEM);
	arena->map = map;
	arena->start = start;
	arena->end = end;
	INIT_LIST_HEAD(&arena->pages);
	INIT_LIST_HEAD(&arena->tables);
	file = anon_inode_getfile("[petmem]", &petmem_arena_fops, arena, O_RDWR);
	if (IS_ERR(file))
		kfree(arena);
	else
		kref_get(&map->ref);
	return file;
}

/* map->space_lock is held. -EEXIST if something is mapped there. */
static int petmem_arena_create(struct petmem_map *map, unsigned long start,
			       unsigned long end)
{
	unsigned long prot = map->open->direct ? PROT_READ | PROT_WRITE :
						 PROT_NONE;
	struct file *file = petmem_arena_file(map, start, end);
	unsigned long addr;

	if (IS_ERR(file))
		return PTR_ERR(file);
	addr = vm_mmap(file, start, end - start, prot,
		       MAP_SHARED | MAP_FIXED_NOREPLACE, 0);
	fput(file);
	return IS_ERR_VALUE(addr) ? (int)addr : 0;
}

/*
 * In direct mode, be faster than the core with the first of the tables. Only
 * below a VMA: an arena that is being unmapped is known for a moment longer,
 * and what is made there then nobody frees.
 */
static void petmem_arena_prepare(struct petmem_map *map, unsigned long addr)
{
	struct vm_area_struct *vma;

	if (!map->open->direct)
		return;
	mmap_read_lock(map->mm);
	vma = vma_lookup(map->mm, addr);
	if (vma && petmem_vma_is_ours(vma, map)) {
		mutex_lock(&map->lock);
		petmem_table_prepare(vma->vm_private_data, addr);
		mutex_unlock(&map->lock);
	}
	mmap_read_unlock(map->mm);
}

/* Make an arena for a gap, and larger if there is room. */
static int petmem_arena_fill(struct petmem_map *map, unsigned long start,
			     unsigned long end)
{
	unsigned long low = round_down(start, ARENA_BYTES);
	unsigned long high = round_up(end, ARENA_BYTES);
	struct petmem_arena *arena;
	int err;

	mutex_lock(&map->lock);
	arena = petmem_arena_prev(map, start);
	if (arena)
		low = max(low, arena->end);
	arena = petmem_arena_next(map, start);
	if (arena)
		high = min(high, arena->start);
	mutex_unlock(&map->lock);

	err = petmem_arena_create(map, low, high);
	if (err && (low != start || high != end))
		err = petmem_arena_create(map, start, end);
	if (!err)
		petmem_arena_prepare(map, start);
	return err;
}

/* Make arenas for all of a range. map->space_lock is held. */
static int petmem_map_cover(struct petmem_map *map, unsigned long start,
			    unsigned long end)
{
	while (start < end) {
		struct petmem_arena *arena;
		unsigned long stop = end, next = 0;
		bool bare = false;
		int err = 0;

		mutex_lock(&map->lock);
		arena = petmem_arena_next(map, start);
		if (arena && arena->start <= start) {
			next = arena->end;
			bare = list_empty(&arena->tables);
		} else if (arena) {
			stop = min(stop, arena->start);
		}
		mutex_unlock(&map->lock);

		if (!next)
			err = petmem_arena_fill(map, start, stop);
		else if (bare)
			petmem_arena_prepare(map, start);
		if (err)
			return err;
		start = next ?: stop;
	}
	return 0;
}

/*
 * An arena without ranges, or NULL. The ranges tell, not a count of them: an
 * arena may be unmapped by the process, and made anew for what is left there.
 */
static struct petmem_arena *petmem_find_empty(struct petmem_map *map)
{
	struct petmem_arena *arena;
	unsigned long pos = 0;

	while ((arena = petmem_arena_next(map, pos)) &&
	       petmem_vspace_used(&map->vs, arena->start, arena->end))
		pos = arena->end;
	return arena;
}

static bool petmem_is_only(struct petmem_map *map, struct petmem_arena *arena)
{
	return petmem_arena_next(map, 0) == arena &&
	       !petmem_arena_next(map, arena->end);
}

/* Where the only arena begins, if it is empty and of the usual size; or 0. */
static unsigned long petmem_arena_to_keep(struct petmem_map *map)
{
	struct petmem_arena *arena;
	unsigned long start = 0;

	mutex_lock(&map->lock);
	arena = petmem_find_empty(map);
	if (arena && arena->end - arena->start == ARENA_BYTES &&
	    petmem_is_only(map, arena))
		start = arena->start;
	mutex_unlock(&map->lock);
	return start;
}

/*
 * Take the tables of the only arena, and leave its VMA for the next time.
 * mmap_lock held for writing keeps the arena.
 */
static bool petmem_keep_arena(struct petmem_map *map)
{
	struct vm_area_struct *vma;
	unsigned long start;
	bool kept = false;

	mmap_write_lock(map->mm);
	start = petmem_arena_to_keep(map);
	vma = start ? vma_lookup(map->mm, start) : NULL;
	if (vma && petmem_vma_is_ours(vma, map)) {
		/*
		 * Faults are handled without mmap_lock. They take map->lock
		 * under the lock of the VMA: wait for them before taking it.
		 */
		vma_start_write(vma);
		mutex_lock(&map->lock);
		kept = petmem_table_clear(vma);
		mutex_unlock(&map->lock);
	}
	mmap_write_unlock(map->mm);
	return kept;
}

/*
 * Nothing is allocated in some arena any more. Unmap it, so that the core frees
 * its tables; but not if there will be another one at the next allocation.
 * map->space_lock is held, so that no arena can come into use.
 */
static void petmem_map_trim(struct petmem_map *map)
{
	struct petmem_arena *arena;
	unsigned long start, end;

	if (petmem_keep_arena(map))
		return;
	do {
		mutex_lock(&map->lock);
		arena = petmem_find_empty(map);
		start = arena ? arena->start : 0;
		end = arena ? arena->end : 0;
		mutex_unlock(&map->lock);
	} while (end && !vm_munmap(start, end - start));
}

/* Addresses. */

/* Both addresses are 0 if there is no such space. */
static int petmem_take_vspace(struct petmem_map *map, u64 size,
			      unsigned long *start, unsigned long *end)
{
	struct petmem_vrange *range;

	*start = 0;
	*end = 0;
	mutex_lock(&map->lock);
	if (map->dead) {
		range = ERR_PTR(-ESTALE);
	} else {
		range = petmem_alloc_vspace(&map->vs, size);
		/* What others had mapped may be gone by now. */
		if (!range && petmem_vspace_forget(&map->vs))
			range = petmem_alloc_vspace(&map->vs, size);
	}
	/* Without the lock the map may die, and its ranges are freed. */
	if (!IS_ERR_OR_NULL(range)) {
		*start = range->start;
		*end = range->end;
	}
	mutex_unlock(&map->lock);
	return PTR_ERR_OR_ZERO(range);
}

static void petmem_drop_vspace(struct petmem_map *map, unsigned long start)
{
	struct petmem_vrange *range;

	/* If it died meanwhile, all ranges are gone. */
	mutex_lock(&map->lock);
	range = petmem_vspace_find(&map->vs, start);
	if (range)
		petmem_free_vspace(&map->vs, range);
	mutex_unlock(&map->lock);
}

/* Remember, as a whole, what others have mapped between two addresses. */
static int petmem_avoid_others(struct petmem_map *map, unsigned long start,
			       unsigned long end)
{
	struct mm_struct *mm = map->mm;
	struct vm_area_struct *vma;
	int err = 0;

	mmap_read_lock(mm);
	mutex_lock(&map->lock);
	while (!err && start < end) {
		vma = find_vma_intersection(mm, start, end);
		if (!vma)
			break;
		if (!petmem_vma_is_ours(vma, map))
			err = petmem_vspace_avoid(&map->vs, vma->vm_start,
						  vma->vm_end);
		start = vma->vm_end;
	}
	mutex_unlock(&map->lock);
	mmap_read_unlock(mm);
	return err;
}

/* One try. -EEXIST: somebody else is in the way, and is now known. */
static int petmem_try_alloc(struct petmem_map *map, u64 size, u64 *addr)
{
	unsigned long start, end;
	int err, avoid;

	err = petmem_take_vspace(map, size, &start, &end);
	if (err || !end)
		return err;
	err = petmem_map_cover(map, start, end);
	if (err) {
		petmem_drop_vspace(map, start);
		avoid = err == -EEXIST ? petmem_avoid_others(map, start, end) : 0;
		return avoid ?: err;
	}
	*addr = start;
	return 0;
}

/**
 * petmem_map_alloc() - allocate addresses
 * @map: the caller's map
 * @size: bytes
 * @addr: set, unless there is no such space
 *
 * Context: current->mm is the map's, mmap_lock not held.
 * Return: 0; -ESTALE if the map has died and another one is to be looked up;
 * -ENOMEM, -EINTR; -EAGAIN, of mmap(), for a limit on locked memory.
 */
int petmem_map_alloc(struct petmem_map *map, u64 size, u64 *addr)
{
	int err;

	if (mutex_lock_killable(&map->space_lock))
		return -EINTR;
	do {
		err = petmem_try_alloc(map, size, addr);
	} while (err == -EEXIST && !fatal_signal_pending(current));
	if (err || !*addr)
		petmem_map_trim(map);
	/* It never came to have an arena: nobody else would end it. */
	mutex_lock(&map->lock);
	if (mtree_empty(&map->arenas))
		petmem_map_kill(map);
	mutex_unlock(&map->lock);
	mutex_unlock(&map->space_lock);
	trace_petmem_alloc(map, size, *addr, err);
	if (!err && *addr)
		petmem_count(PETMEM_ALLOCS);
	return err;
}

/* Unmap and free the pages of some addresses. map->lock is held. */
static void petmem_map_zap(struct petmem_map *map, unsigned long start,
			   unsigned long end)
{
	struct vm_area_struct *vma;
	LIST_HEAD(frames);
	unsigned long pos = start;

	while (pos < end && (vma = find_vma_intersection(map->mm, pos, end))) {
		if (petmem_vma_is_ours(vma, map))
			petmem_table_zap(vma, max(pos, vma->vm_start),
					 min(end, vma->vm_end), &frames);
		pos = vma->vm_end;
	}
	petmem_swap_drop(map, start, end, &frames);
	petmem_page_free(map, &frames);
}

/* True if an arena has become empty. */
static int petmem_map_free_locked(struct petmem_map *map, unsigned long addr)
{
	struct petmem_vrange *range = petmem_vspace_find(&map->vs, addr);
	unsigned long start, end;

	if (!range || range->start != addr)
		return -EINVAL;
	start = range->start;
	end = range->end;
	/* First: a touch from now on is a fault that is refused. */
	petmem_free_vspace(&map->vs, range);
	petmem_map_zap(map, start, end);
	return !!petmem_find_empty(map);
}

/**
 * petmem_map_free() - free addresses and what is mapped there
 * @map: the caller's map
 * @addr: as it was allocated
 *
 * Context: current->mm is the map's, mmap_lock not held.
 * Return: 0, or -EINVAL if nothing was allocated that begins there.
 */
int petmem_map_free(struct petmem_map *map, unsigned long addr)
{
	int ret;

	mutex_lock(&map->space_lock);
	mmap_read_lock(map->mm);
	mutex_lock(&map->lock);
	ret = petmem_map_free_locked(map, addr);
	mutex_unlock(&map->lock);
	mmap_read_unlock(map->mm);
	if (ret > 0)
		petmem_map_trim(map);
	mutex_unlock(&map->space_lock);
	trace_petmem_free(map, addr, ret);
	if (ret < 0)
		return ret;
	petmem_count(PETMEM_FREES);
	return 0;
}

/* The end of a file. */

/* Of the caller's own mm: unmap all arenas, which ends the map. */
static void petmem_map_unmap(struct petmem_map *map)
{
	struct petmem_arena *arena;
	unsigned long start, end;

	do {
		mutex_lock(&map->lock);
		arena = petmem_arena_next(map, 0);
		start = arena ? arena->start : 0;
		end = arena ? arena->end : 0;
		mutex_unlock(&map->lock);
	} while (end && !vm_munmap(start, end - start));
}

/* Of another mm: its VMAs stay, with nothing in them that could be touched. */
static void petmem_map_empty(struct petmem_map *map)
{
	/* Without users it is about to close all arenas itself. */
	if (!mmget_not_zero(map->mm))
		return;
	mmap_read_lock(map->mm);
	mutex_lock(&map->lock);
	petmem_map_kill(map);
	petmem_map_zap(map, PETMEM_REGION_START, PETMEM_REGION_END);
	mutex_unlock(&map->lock);
	mmap_read_unlock(map->mm);
	mmput(map->mm);
}

static void petmem_deinit_process(struct petmem_map *map)
{
	if (map->mm == current->mm) {
		mutex_lock(&map->space_lock);
		petmem_map_unmap(map);
		mutex_unlock(&map->space_lock);
	} else {
		petmem_map_empty(map);
	}
	mutex_lock(&map->lock);
	petmem_map_kill(map);
	mutex_unlock(&map->lock);
}

/**
 * petmem_open_close() - the last descriptor of a file is gone
 * @open: the file's
 *
 * Context: petmem_opens_lock held.
 */
void petmem_open_close(struct petmem_open *open)
{
	struct petmem_map *map;

	list_del(&open->link);
	for (;;) {
		spin_lock(&open->lock);
		map = list_first_entry_or_null(&open->maps, struct petmem_map,
					       link);
		if (map)
			kref_get(&map->ref);
		spin_unlock(&open->lock);
		if (!map)
			break;
		petmem_deinit_process(map);
		petmem_map_put(map);
	}
	kref_put(&open->ref, petmem_open_free);
}
