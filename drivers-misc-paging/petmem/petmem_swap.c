// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: pages go to a file when the pool is empty, and come back.
 *
 * All mapped data pages are in one list in the order of replacement. FIFO takes
 * the oldest. Clock gives a page that was accessed since the hand was there
 * last another round; where the processor does not set the accessed bit, the
 * next access faults for it.
 *
 * On its way a page is in the map's xarray @swap in place of its page table
 * entry, and changes there under map->lock:
 *
 *	mapped --unmap, flush--> frame, SWAPPING --written--> slot
 *	  ^                            | error                  | read
 *	  +-------touch---------- frame, DATA <-----------------+
 *
 * A page that is freed while it is being written loses its entry, by which the
 * swapper knows. Whoever touches a page in the state SWAPPING or slot waits
 * for petmem_swap_lock, which is held over the I/O.
 *
 * I/O is done by a work item: a fault can come from inside of write(2) to
 * another file, with locks of that file held.
 */
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "petmem_internal.h"
#include "petmem_trace.h"

#define SWAP_BATCH	32		/* pages to write when the pool is empty */
#define SWAP_MOST	1048576UL	/* slots of a file that is to grow */
#define SWAP_PATIENCE	HZ		/* for pages that are on their way */

/* One swapper at a time; the file and its slots. */
DEFINE_MUTEX(petmem_swap_lock);

static struct file *petmem_swap_file;
static unsigned long petmem_nr_slots;
static bool petmem_clock;
static DEFINE_IDA(petmem_slots);
static atomic_long_t petmem_slots_used = ATOMIC_LONG_INIT(0);

static DEFINE_SPINLOCK(petmem_age_lock);
static LIST_HEAD(petmem_age_list);
static unsigned long petmem_nr_aged;

/*
 * In the xarray: the last try to get a page for this address has failed. An
 * entry where there is none otherwise, a mark where there is.
 */
static int petmem_failed;
#define PETMEM_FAILED	XA_MARK_0

/* Slots as values; the lowest bit says that the slot cannot be read. */

static void *slot_entry(int slot, bool bad)
{
	return xa_mk_value((unsigned long)slot << 1 | bad);
}

static int entry_slot(void *entry)
{
	return xa_to_value(entry) >> 1;
}

static bool entry_bad(void *entry)
{
	return xa_to_value(entry) & 1;
}

static void slot_free(int slot)
{
	ida_free(&petmem_slots, slot);
	atomic_long_dec(&petmem_slots_used);
}

static int slot_alloc(void)
{
	int slot = ida_alloc_max(&petmem_slots, petmem_nr_slots - 1, GFP_KERNEL);

	if (slot >= 0)
		atomic_long_inc(&petmem_slots_used);
	return slot;
}

/**
 * petmem_swap_on() - whether there is a swap file
 *
 * It does not change while the device is open; else petmem_swap_lock is to be
 * held.
 *
 * Return: true if so.
 */
bool petmem_swap_on(void)
{
	return petmem_swap_file;
}

/**
 * petmem_swap_slots() - size of the swap file
 *
 * Return: pages; 0 without one.
 */
unsigned long petmem_swap_slots(void)
{
	return petmem_nr_slots;
}

/**
 * petmem_swap_used() - how much of it is used
 *
 * Return: pages.
 */
unsigned long petmem_swap_used(void)
{
	return atomic_long_read(&petmem_slots_used);
}

/**
 * petmem_swap_open() - open the swap file
 * @path: its path; empty: there is none
 * @clock: replacement by clock, not FIFO
 *
 * A file that is not there is made, and an empty one grows; others, and block
 * devices, are used as far as they go.
 *
 * Context: the device is not open.
 * Return: 0 or a negative errno.
 */
int petmem_swap_open(const char *path, bool clock)
{
	struct inode *inode;
	struct file *file;

	petmem_clock = clock;
	if (!path || !*path)
		return 0;
	file = filp_open(path, O_RDWR | O_CREAT | O_LARGEFILE, 0600);
	if (IS_ERR(file)) {
		pr_err("petmem: cannot open swap file %s: error %ld\n", path,
		       PTR_ERR(file));
		return PTR_ERR(file);
	}
	inode = file->f_mapping->host;
	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode)) {
		pr_err("petmem: %s is neither a file nor a block device\n", path);
		fput(file);
		return -EINVAL;
	}
	petmem_nr_slots = min_t(u64, i_size_read(inode) >> PAGE_SHIFT,
				SWAP_MOST);
	if (!petmem_nr_slots)
		petmem_nr_slots = SWAP_MOST;
	petmem_swap_file = file;
	return 0;
}

/**
 * petmem_swap_close() - close the swap file
 *
 * Context: petmem_opens_lock held; the device is not open any more. A fault in
 * what was mapped may still be on its way, and finds no file then.
 */
void petmem_swap_close(void)
{
	mutex_lock(&petmem_swap_lock);
	if (petmem_swap_file)
		fput(petmem_swap_file);
	petmem_swap_file = NULL;
	petmem_nr_slots = 0;
	mutex_unlock(&petmem_swap_lock);
}

/* I/O. */

struct petmem_io {
	struct work_struct work;
	struct completion done;
	struct petmem_frame *frame;
	loff_t pos;
	bool write;
	ssize_t ret;
};

static void petmem_io_work(struct work_struct *work)
{
	struct petmem_io *io = container_of(work, struct petmem_io, work);
	void *data = petmem_kaddr(io->frame);

	if (io->write)
		io->ret = kernel_write(petmem_swap_file, data, PAGE_SIZE,
				       &io->pos);
	else
		io->ret = kernel_read(petmem_swap_file, data, PAGE_SIZE,
				      &io->pos);
	complete(&io->done);
}

static int petmem_io(struct petmem_frame *frame, int slot, bool write)
{
	struct petmem_io io = {
		.frame = frame,
		.pos = (loff_t)slot << PAGE_SHIFT,
		.write = write,
	};

	lockdep_assert_held(&petmem_swap_lock);
	INIT_WORK_ONSTACK(&io.work, petmem_io_work);
	init_completion(&io.done);
	queue_work(system_unbound_wq, &io.work);
	wait_for_completion(&io.done);
	destroy_work_on_stack(&io.work);
	if (io.ret == PAGE_SIZE) {
		petmem_count(write ? PETMEM_SWAP_OUTS : PETMEM_SWAP_INS);
		return 0;
	}
	pr_warn_ratelimited("petmem: cannot %s slot %d of the swap file: %zd\n",
			    write ? "write" : "read", slot, io.ret);
	if (io.ret >= 0)
		return write ? -ENOSPC : -EIO;
	return io.ret;
}

/* The order of replacement. */

/**
 * petmem_age_add() - a page was mapped
 * @frame: the page, with its address; its map's lock is held
 */
void petmem_age_add(struct petmem_frame *frame)
{
	if (!petmem_swap_on())
		return;
	spin_lock(&petmem_age_lock);
	list_add_tail(&frame->age, &petmem_age_list);
	petmem_nr_aged++;
	spin_unlock(&petmem_age_lock);
}

/**
 * petmem_age_del() - a page is not to be replaced any more
 * @frame: the page, in the list or not; its map's lock is held
 */
void petmem_age_del(struct petmem_frame *frame)
{
	if (!frame->age.next)
		return;
	spin_lock(&petmem_age_lock);
	list_del(&frame->age);
	frame->age.next = NULL;
	petmem_nr_aged--;
	spin_unlock(&petmem_age_lock);
}

/*
 * Move the hand on: the frame at its head, and the map with a reference. The
 * frame is in the list, therefore its arena has not been closed and its map is
 * there. Both may change as soon as the lock is gone.
 */
static struct petmem_frame *petmem_age_next(struct petmem_map **map,
					    unsigned long *addr)
{
	struct petmem_frame *frame;

	spin_lock(&petmem_age_lock);
	frame = list_first_entry_or_null(&petmem_age_list, struct petmem_frame,
					 age);
	if (frame) {
		list_move_tail(&frame->age, &petmem_age_list);
		*map = frame->arena->map;
		*addr = frame->addr;
		kref_get(&(*map)->ref);
	}
	spin_unlock(&petmem_age_lock);
	return frame;
}

/* Out. */

/* Unmap a page unless it has changed, or the clock spares it. */
static bool petmem_swap_unmap(struct petmem_map *map, unsigned long addr,
			      struct petmem_frame *frame, bool spare)
{
	struct vm_area_struct *vma = vma_lookup(map->mm, addr);
	LIST_HEAD(frames);
	bool old;

	if (!vma || !petmem_vma_is_ours(vma, map) ||
	    petmem_table_look(vma->vm_private_data, addr, &old) != frame)
		return false;
	if (spare && petmem_table_test_young(vma, addr))
		return false;
	if (xa_err(xa_store(&map->swap, addr >> PAGE_SHIFT, frame, GFP_KERNEL)))
		return false;
	frame->use = PETMEM_SWAPPING;
	petmem_table_zap(vma, addr, addr + PAGE_SIZE, &frames);
	list_del_init(&frame->link);
	return true;
}

/* 0, -EAGAIN if it is not to be this page, -EBUSY if its process is ending. */
static int petmem_swap_take(struct petmem_map *map, unsigned long addr,
			    struct petmem_frame *frame, bool spare)
{
	bool taken;

	if (!mmget_not_zero(map->mm))
		return -EBUSY;
	mmap_read_lock(map->mm);
	mutex_lock(&map->lock);
	taken = petmem_swap_unmap(map, addr, frame, spare);
	mutex_unlock(&map->lock);
	mmap_read_unlock(map->mm);
	mmput_async(map->mm);
	return taken ? 0 : -EAGAIN;
}

/* The page was written, or not. It may have been freed meanwhile. */
static void petmem_swap_finish(struct petmem_map *map, unsigned long addr,
			       struct petmem_frame *frame, int slot, int err)
{
	unsigned long index = addr >> PAGE_SHIFT;
	LIST_HEAD(frames);
	bool there;

	mutex_lock(&map->lock);
	there = xa_load(&map->swap, index) == frame;
	if (there && !err) {
		/* Replaces an entry, so it needs no memory. */
		xa_store(&map->swap, index, slot_entry(slot, false), GFP_KERNEL);
		atomic_long_inc(&map->open->nr_swapped);
	} else {
		slot_free(slot);
	}
	if (there && err) {
		frame->use = PETMEM_DATA;
	} else {
		list_add(&frame->link, &frames);
		petmem_page_free(map, &frames);
	}
	mutex_unlock(&map->lock);
	trace_petmem_swap(map, addr, slot, true, err);
}

/* Look for a page to replace and write it. -EAGAIN, -EBUSY: not this one. */
static int petmem_swap_one(bool spare)
{
	struct petmem_frame *frame;
	struct petmem_map *map;
	unsigned long addr;
	int slot, err;

	/* Before the page is unmapped: a full file changes nothing. */
	slot = slot_alloc();
	if (slot < 0)
		return slot;
	frame = petmem_age_next(&map, &addr);
	if (!frame) {
		slot_free(slot);
		return -EAGAIN;
	}
	err = petmem_swap_take(map, addr, frame, spare);
	if (err) {
		slot_free(slot);
	} else {
		err = petmem_io(frame, slot, true);
		petmem_swap_finish(map, addr, frame, slot, err);
	}
	petmem_map_put(map);
	return err;
}

/*
 * Write some pages. -EAGAIN: there is none that could be taken now; -EBUSY: and
 * a process is ending, which is about to give its pages back.
 */
static int petmem_swap_round(void)
{
	unsigned long scan = 2 * READ_ONCE(petmem_nr_aged) + SWAP_BATCH;
	unsigned long i, done = 0;
	int err, ret = -EAGAIN;

	for (i = 0; i < scan && done < SWAP_BATCH; i++) {
		err = petmem_swap_one(petmem_clock && i < scan / 2);
		if (!err)
			done++;
		else if (err == -EBUSY)
			ret = err;
		else if (err != -EAGAIN)
			return done ? 0 : err;
		cond_resched();
	}
	return done ? 0 : ret;
}

/*
 * Write some pages, or wait for others that are on their way back to the pool:
 * a page of a range that is being freed, or of an address space that is being
 * taken down, is in no list for a moment. petmem_swap_lock is held.
 */
static int petmem_swap_shrink(void)
{
	unsigned long until = jiffies + SWAP_PATIENCE;
	int err;

	for (;;) {
		err = petmem_swap_round();
		if (err != -EAGAIN && err != -EBUSY)
			return err;
		schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (petmem_pool_settle())
			return 0;
		if (err == -EAGAIN && time_after(jiffies, until))
			return -ENOMEM;
	}
}

/**
 * petmem_make_room() - the pool is empty: have some pages free
 *
 * Context: no locks held. May sleep and do I/O.
 * Return: 0; or -ENOMEM, -ENOSPC, or an error of the swap file.
 */
int petmem_make_room(void)
{
	int err = 0;

	if (petmem_pool_settle())
		return 0;
	if (!petmem_swap_on())
		return -ENOMEM;
	if (mutex_lock_killable(&petmem_swap_lock))
		return -EINTR;
	if (!petmem_swap_on())
		err = -ENOMEM;
	else if (!READ_ONCE(petmem_pool.nr_free))
		err = petmem_swap_shrink();
	mutex_unlock(&petmem_swap_lock);
	return err;
}

/* In. */

static struct petmem_frame *petmem_swap_get_page(int *err)
{
	struct petmem_frame *frame;

	do {
		frame = petmem_get_page(PETMEM_DATA);
		*err = frame ? 0 : petmem_swap_shrink();
	} while (!frame && !*err);
	return frame;
}

/* Put a page that was read in place of its slot, unless that is gone. */
static int petmem_swap_arrive(struct petmem_map *map, unsigned long addr,
			      void *entry, struct petmem_frame *frame, int err)
{
	unsigned long index = addr >> PAGE_SHIFT;
	int slot = entry_slot(entry);

	mutex_lock(&map->lock);
	if (xa_load(&map->swap, index) != entry) {
		petmem_put_page(frame);
	} else if (err) {
		xa_store(&map->swap, index, slot_entry(slot, true), GFP_KERNEL);
		petmem_put_page(frame);
	} else {
		xa_store(&map->swap, index, frame, GFP_KERNEL);
		xa_clear_mark(&map->swap, index, PETMEM_FAILED);
		atomic_long_inc(&map->open->nr_pages);
		atomic_long_dec(&map->open->nr_swapped);
		slot_free(slot);
	}
	mutex_unlock(&map->lock);
	trace_petmem_swap(map, addr, slot, false, err);
	return err;
}

/* petmem_swap_lock is held, so that the slot stays what it is. */
static int petmem_swap_read(struct petmem_map *map, unsigned long addr)
{
	struct petmem_frame *frame;
	void *entry;
	int err;

	entry = xa_load(&map->swap, addr >> PAGE_SHIFT);
	if (!xa_is_value(entry) || entry_bad(entry))
		return 0;
	if (!petmem_swap_on())
		return -EIO;
	frame = petmem_swap_get_page(&err);
	if (!frame)
		return err;
	err = petmem_io(frame, entry_slot(entry), false);
	return petmem_swap_arrive(map, addr, entry, frame, err);
}

/**
 * petmem_swap_in() - get a page from the swap file
 * @map: whose it is
 * @addr: its address
 *
 * Context: no locks held. May sleep and do I/O.
 * Return: 0, and the page is in memory or is not needed any more; or an error.
 */
int petmem_swap_in(struct petmem_map *map, unsigned long addr)
{
	int err;

	if (mutex_lock_killable(&petmem_swap_lock))
		return -EINTR;
	err = petmem_swap_read(map, addr);
	mutex_unlock(&petmem_swap_lock);
	return err;
}

/* What is not mapped. map->lock is held for all of these. */

/**
 * petmem_swap_cached() - what is known of a page that is not mapped
 * @map: its map
 * @addr: its address
 * @err: -ESTALE if it is in the file or on its way, -EIO if it cannot be read,
 *	-ENOMEM if an attempt to get it has just failed; else 0
 *
 * Return: the page if it is in memory, else NULL.
 */
struct petmem_frame *petmem_swap_cached(struct petmem_map *map,
					unsigned long addr, int *err)
{
	unsigned long index = addr >> PAGE_SHIFT;
	struct petmem_frame *frame = NULL;
	void *entry;

	*err = 0;
	if (xa_empty(&map->swap))
		return NULL;
	entry = xa_load(&map->swap, index);
	if (entry == &petmem_failed) {
		xa_erase(&map->swap, index);
		*err = -ENOMEM;
	} else if (xa_get_mark(&map->swap, index, PETMEM_FAILED)) {
		xa_clear_mark(&map->swap, index, PETMEM_FAILED);
		*err = -ENOMEM;
	} else if (xa_is_value(entry)) {
		*err = entry_bad(entry) ? -EIO : -ESTALE;
	} else if (entry) {
		frame = entry;
		if (frame->use != PETMEM_SWAPPING)
			return frame;
		*err = -ESTALE;
	}
	return NULL;
}

/**
 * petmem_swap_mapped() - a page that petmem_swap_cached() returned is mapped
 * @map: its map
 * @addr: its address
 */
void petmem_swap_mapped(struct petmem_map *map, unsigned long addr)
{
	xa_erase(&map->swap, addr >> PAGE_SHIFT);
}

/**
 * petmem_swap_note() - remember that there was no page for an address
 * @map: the map; its lock is not held
 * @addr: the address
 *
 * The next touch fails for that; if it cannot even be remembered, it tries
 * again.
 */
void petmem_swap_note(struct petmem_map *map, unsigned long addr)
{
	unsigned long index = addr >> PAGE_SHIFT;

	mutex_lock(&map->lock);
	if (petmem_vspace_find(&map->vs, addr) &&
	    xa_insert(&map->swap, index, &petmem_failed, GFP_KERNEL) == -EBUSY)
		xa_set_mark(&map->swap, index, PETMEM_FAILED);
	mutex_unlock(&map->lock);
}

/**
 * petmem_swap_drop() - forget pages that are not mapped
 * @map: their map
 * @start: first address
 * @end: the address behind them
 * @frames: gets those that are in memory
 */
void petmem_swap_drop(struct petmem_map *map, unsigned long start,
		      unsigned long end, struct list_head *frames)
{
	unsigned long index;
	void *entry;

	if (xa_empty(&map->swap))
		return;
	xa_for_each_range(&map->swap, index, entry, start >> PAGE_SHIFT,
			  (end - 1) >> PAGE_SHIFT) {
		struct petmem_frame *frame = entry;

		xa_erase(&map->swap, index);
		if (xa_is_value(entry)) {
			slot_free(entry_slot(entry));
			atomic_long_dec(&map->open->nr_swapped);
		} else if (entry != &petmem_failed &&
			   frame->use != PETMEM_SWAPPING) {
			list_add(&frame->link, frames);
		}
	}
}
