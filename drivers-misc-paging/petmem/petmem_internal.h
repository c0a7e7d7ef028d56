/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/petmem: what its files share, grouped by the file that defines it.
 *
 * Locks, outermost first:
 *
 *	petmem_opens_lock	open and close, and parameters they take over
 *	petmem_swap_lock	one swapper at a time; held over I/O
 *	map->space_lock		ioctls that change the address map
 *	mmap_lock, VMA lock
 *	map->lock		address map, arenas, pages, tables of one map
 *	page table locks
 *	open->lock, age lock	lists; nothing is called under them
 *	buddy and pending locks	innermost
 */
#ifndef _PETMEM_INTERNAL_H
#define _PETMEM_INTERNAL_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/xarray.h>
#include <uapi/linux/petmem.h>

#include "petmem_buddy.h"
#include "petmem_vspace.h"

struct petmem_map;

/* petmem_pool.c */

/**
 * enum petmem_source - where a donation came from
 * @PETMEM_CONTIGUOUS: allocated from the kernel
 * @PETMEM_OFFLINE: memory blocks that are offline
 */
enum petmem_source {
	PETMEM_CONTIGUOUS,
	PETMEM_OFFLINE,
};

/**
 * enum petmem_use - what an allocated page is
 * @PETMEM_RAW: pages of petmem_alloc_pages()
 * @PETMEM_DATA: mapped, or in the swap cache
 * @PETMEM_SWAPPING: being written to the swap file, which owns it meanwhile
 * @PETMEM_PTE_TABLE: page table of the lowest level
 * @PETMEM_PMD_TABLE: of the one above
 */
enum petmem_use {
	PETMEM_RAW,
	PETMEM_DATA,
	PETMEM_SWAPPING,
	PETMEM_PTE_TABLE,
	PETMEM_PMD_TABLE,
};

extern struct petmem_buddy petmem_pool;

int petmem_pool_init(void);
void petmem_pool_exit(void);
int petmem_add_contiguous(u64 bytes);
int petmem_add_offline(const struct memory_range *mem);
int petmem_release_memory(const struct memory_range *mem);
u64 petmem_alloc_pages(u64 n);
int petmem_free_pages(u64 addr, u64 n);
struct petmem_frame *petmem_get_page(enum petmem_use use);
void petmem_put_page(struct petmem_frame *frame);
void petmem_put_pages(struct list_head *frames);
void petmem_defer_tables(struct list_head *tables);
bool petmem_pool_settle(void);
unsigned long petmem_pool_pending(void);

static inline struct page *petmem_page(const struct petmem_frame *frame)
{
	return pfn_to_page(petmem_frame_pfn(frame));
}

static inline void *petmem_kaddr(const struct petmem_frame *frame)
{
	return __va(PFN_PHYS(petmem_frame_pfn(frame)));
}

/* petmem_stats.c */

enum petmem_stat {
	PETMEM_ALLOCS,		/* ranges allocated */
	PETMEM_FREES,		/* ranges freed */
	PETMEM_FAULTS,		/* pages mapped on demand */
	PETMEM_REFUSED,		/* faults refused */
	PETMEM_SWAP_OUTS,	/* pages written to the swap file */
	PETMEM_SWAP_INS,	/* and read from it */
	PETMEM_TABLES_POOL,	/* page tables made of pages of the pool */
	PETMEM_TABLES_CORE,	/* of that kind that the core was faster with */
	PETMEM_TABLES_FREED,	/* tables of the pool let go of */
	PETMEM_NR_STATS,
};

extern atomic_long_t petmem_stats[PETMEM_NR_STATS];

static inline void petmem_count(enum petmem_stat stat)
{
	atomic_long_inc(&petmem_stats[stat]);
}

void petmem_stats_init(void);
void petmem_stats_exit(void);
void petmem_dump_state(struct petmem_map *map);

/* petmem_map.c */

/* What a PMD table maps is at least 1 GiB. */
#define PETMEM_SPANS	((PETMEM_REGION_END - PETMEM_REGION_START) >> 30)

/**
 * struct petmem_open - an open file of the device
 * @ref: one of the file, one of each map
 * @link: in the list of all
 * @lock: for @maps
 * @maps: one for each mm that has used this file, and still has memory
 * @direct: faults are handled by the kernel
 * @best: best fit
 * @nr_pages: data pages of all its maps, against the limit
 * @nr_swapped: pages of them in the swap file
 * @pid: who opened it
 * @comm: likewise
 */
struct petmem_open {
	struct kref ref;
	struct list_head link;
	spinlock_t lock;	/* for @maps */
	struct list_head maps;
	bool direct;
	bool best;
	atomic_long_t nr_pages;
	atomic_long_t nr_swapped;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct petmem_map - the memory of one mm from one open file
 * @ref: one of the list in @open while the map is alive, one of each arena,
 *	one of each user
 * @link: in the list of @open, under its lock
 * @open: the file; has a reference
 * @mm: whose addresses these are; mmgrab()bed, so no other mm can be here
 * @space_lock: held by ioctls that change @vs, over the making and removing
 *	of VMAs, thus outside of mmap_lock
 * @lock: for all below; held inside of mmap_lock
 * @vs: the addresses
 * @arenas: struct petmem_arena by page number
 * @swap: by page number, pages that are not mapped: struct petmem_frame while
 *	in memory, a value with the slot while in the swap file
 * @nr_tables: page tables from the pool, PTE and PMD level
 * @dead: has no arena any more, or its file is closed; nothing can be added
 */
struct petmem_map {
	struct kref ref;
	struct list_head link;
	struct petmem_open *open;
	struct mm_struct *mm;
	struct mutex space_lock;	/* outside of mmap_lock */
	struct mutex lock;		/* inside of mmap_lock */
	struct petmem_vspace vs;
	struct maple_tree arenas;
	struct xarray swap;
	unsigned long nr_tables[2];
	bool dead;
};

/**
 * struct petmem_arena - addresses for which there is a VMA
 * @map: has a reference
 * @start: first address
 * @end: the address behind them
 * @pages: data pages (struct petmem_frame)
 * @tables: page tables from the pool, unless they are detached
 * @core_tables: spans of a PMD table for which the core has made that table
 * @nr_vmas: its VMAs: one, or two inside of mremap(); 0 before mmap()
 * @moved: mremap() was tried: the core may have made tables that no count has
 *
 * Belongs to the file that its VMA maps: that has no other purpose than to
 * be held by the VMA, and to hold the module, independent of the device's.
 */
struct petmem_arena {
	struct petmem_map *map;
	unsigned long start;
	unsigned long end;
	struct list_head pages;
	struct list_head tables;
	DECLARE_BITMAP(core_tables, PETMEM_SPANS);
	int nr_vmas;
	bool moved;
};

struct petmem_open *petmem_open_create(bool direct, bool best);
void petmem_open_close(struct petmem_open *open);
struct petmem_map *petmem_init_process(struct petmem_open *open);
struct petmem_map *petmem_map_lookup(struct petmem_open *open);
void petmem_map_put(struct petmem_map *map);
int petmem_map_alloc(struct petmem_map *map, u64 size, u64 *addr);
int petmem_map_free(struct petmem_map *map, unsigned long addr);
bool petmem_vma_is_ours(struct vm_area_struct *vma, struct petmem_map *map);

/* petmem_table.c */

int petmem_table_map(struct petmem_arena *arena, unsigned long addr,
		     struct petmem_frame *frame);
void petmem_table_prepare(struct petmem_arena *arena, unsigned long addr);
struct petmem_frame *petmem_table_look(struct petmem_arena *arena,
				       unsigned long addr, bool *old);
bool petmem_table_test_young(struct vm_area_struct *vma, unsigned long addr);
void petmem_table_mark_young(struct petmem_arena *arena, unsigned long addr);
void petmem_table_zap(struct vm_area_struct *vma, unsigned long start,
		      unsigned long end, struct list_head *frames);
bool petmem_table_clear(struct vm_area_struct *vma);
void petmem_table_flush(struct vm_area_struct *vma, unsigned long addr);
void petmem_arena_drop_tables(struct petmem_arena *arena);

/* petmem_fault.c */

vm_fault_t petmem_vma_fault(struct vm_fault *vmf);
int petmem_handle_pagefault(struct petmem_map *map, unsigned long addr,
			    u32 error_code);
int petmem_populate(struct petmem_map *map, unsigned long addr);
int petmem_invalidate(struct petmem_map *map, unsigned long addr);
void petmem_page_free(struct petmem_map *map, struct list_head *frames);

/* petmem_swap.c */

extern struct mutex petmem_swap_lock;

int petmem_swap_open(const char *path, bool clock);
void petmem_swap_close(void);
bool petmem_swap_on(void);
unsigned long petmem_swap_slots(void);
unsigned long petmem_swap_used(void);
void petmem_age_add(struct petmem_frame *frame);
void petmem_age_del(struct petmem_frame *frame);
int petmem_make_room(void);
int petmem_swap_in(struct petmem_map *map, unsigned long addr);
struct petmem_frame *petmem_swap_cached(struct petmem_map *map,
					unsigned long addr, int *err);
void petmem_swap_mapped(struct petmem_map *map, unsigned long addr);
void petmem_swap_note(struct petmem_map *map, unsigned long addr);
void petmem_swap_drop(struct petmem_map *map, unsigned long start,
		      unsigned long end, struct list_head *frames);

/* petmem_main.c */

extern unsigned long petmem_max_open_pages;
extern struct mutex petmem_opens_lock;
extern struct list_head petmem_opens;

#endif /* _PETMEM_INTERNAL_H */
