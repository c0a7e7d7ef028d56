// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: counters, tracepoints, debugfs, and the dump in the log.
 *
 *	/sys/kernel/debug/petmem/pool	the pool, with its counters
 *	/sys/kernel/debug/petmem/opens	one line per open file and map
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "petmem_internal.h"

#define CREATE_TRACE_POINTS
#include "petmem_trace.h"

#define DUMP_RANGES	64	/* that LAZY_DUMP_STATE prints */

atomic_long_t petmem_stats[PETMEM_NR_STATS];

static const char * const petmem_stat_names[PETMEM_NR_STATS] = {
	[PETMEM_ALLOCS]		= "allocs",
	[PETMEM_FREES]		= "frees",
	[PETMEM_FAULTS]		= "faults",
	[PETMEM_REFUSED]	= "refused",
	[PETMEM_SWAP_OUTS]	= "swap_outs",
	[PETMEM_SWAP_INS]	= "swap_ins",
	[PETMEM_TABLES_POOL]	= "tables_pool",
	[PETMEM_TABLES_CORE]	= "tables_core",
	[PETMEM_TABLES_FREED]	= "tables_freed",
};

static struct dentry *petmem_dir;

static void petmem_show_ranges(struct seq_file *m)
{
	struct petmem_range *range;

	spin_lock(&petmem_pool.lock);
	list_for_each_entry(range, &petmem_pool.ranges, link)
		seq_printf(m, "range 0x%llx %llu free %lu %s\n",
			   PFN_PHYS(range->base),
			   PFN_PHYS(range->nr) / 4096, range->nr_free,
			   range->source == PETMEM_OFFLINE ? "offline" :
							     "contiguous");
	spin_unlock(&petmem_pool.lock);
}

static int pool_show(struct seq_file *m, void *unused)
{
	int i;

	/* Tables on their way back to the pool count as free. */
	petmem_pool_settle();
	seq_printf(m, "total %lu\n", READ_ONCE(petmem_pool.nr_pages));
	seq_printf(m, "free %lu\n", READ_ONCE(petmem_pool.nr_free));
	seq_printf(m, "pending %lu\n", petmem_pool_pending());
	for (i = 0; i < PETMEM_NR_STATS; i++)
		seq_printf(m, "%s %ld\n", petmem_stat_names[i],
			   atomic_long_read(&petmem_stats[i]));
	seq_printf(m, "swap_slots %lu\n", petmem_swap_slots());
	seq_printf(m, "swap_used %lu\n", petmem_swap_used());
	for (i = 0; i < PETMEM_ORDERS; i++)
		if (READ_ONCE(petmem_pool.nr_blocks[i]))
			seq_printf(m, "order %d %lu\n", i + PAGE_SHIFT,
				   READ_ONCE(petmem_pool.nr_blocks[i]));
	petmem_show_ranges(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pool);

/* A map that does not go while it is looked at: the nth of a file. */
static struct petmem_map *petmem_nth_map(struct petmem_open *open, int n)
{
	struct petmem_map *map;

	spin_lock(&open->lock);
	list_for_each_entry(map, &open->maps, link) {
		if (!n--) {
			kref_get(&map->ref);
			spin_unlock(&open->lock);
			return map;
		}
	}
	spin_unlock(&open->lock);
	return NULL;
}

static void petmem_show_map(struct seq_file *m, struct petmem_map *map)
{
	mutex_lock(&map->lock);
	seq_printf(m, "  map ranges %lu bytes %lu avoided %lu largest_hole %lu pte_tables %lu pmd_tables %lu\n",
		   map->vs.nr, map->vs.bytes, map->vs.nr_foreign,
		   petmem_vspace_largest(&map->vs), map->nr_tables[0],
		   map->nr_tables[1]);
	mutex_unlock(&map->lock);
}

static int opens_show(struct seq_file *m, void *unused)
{
	struct petmem_open *open;
	struct petmem_map *map;
	int n;

	mutex_lock(&petmem_opens_lock);
	list_for_each_entry(open, &petmem_opens, link) {
		seq_printf(m, "open pid %d comm %s fault %s fit %s pages %ld swapped %ld\n",
			   open->pid, open->comm,
			   open->direct ? "direct" : "signal",
			   open->best ? "best" : "first",
			   atomic_long_read(&open->nr_pages),
			   atomic_long_read(&open->nr_swapped));
		for (n = 0; (map = petmem_nth_map(open, n)); n++) {
			petmem_show_map(m, map);
			petmem_map_put(map);
		}
	}
	mutex_unlock(&petmem_opens_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(opens);

static void petmem_dump_pool(void)
{
	int i;

	pr_info("petmem: pool: %lu pages, %lu free, %lu tables waiting, %lu of %lu swap slots used\n",
		READ_ONCE(petmem_pool.nr_pages), READ_ONCE(petmem_pool.nr_free),
		petmem_pool_pending(), petmem_swap_used(), petmem_swap_slots());
	for (i = 0; i < PETMEM_ORDERS; i++)
		if (READ_ONCE(petmem_pool.nr_blocks[i]))
			pr_info("petmem: order %d: %lu free blocks\n",
				i + PAGE_SHIFT,
				READ_ONCE(petmem_pool.nr_blocks[i]));
}

static void petmem_dump_map(struct petmem_map *map)
{
	struct petmem_vrange *range;
	unsigned long pos = 0;
	int n = 0;

	mutex_lock(&map->lock);
	pr_info("petmem: map of pid %d: %lu ranges, %lu bytes, %ld pages, %ld swapped, %lu PTE and %lu PMD tables\n",
		current->pid, map->vs.nr, map->vs.bytes,
		atomic_long_read(&map->open->nr_pages),
		atomic_long_read(&map->open->nr_swapped), map->nr_tables[0],
		map->nr_tables[1]);
	while ((range = petmem_vspace_next(&map->vs, pos)) && n++ < DUMP_RANGES) {
		pr_info("petmem: 0x%lx - 0x%lx%s\n", range->start, range->end,
			range->foreign ? " (of others)" : "");
		pos = range->end;
	}
	mutex_unlock(&map->lock);
}

/**
 * petmem_dump_state() - print the pool and a map to the log
 * @map: the caller's map, or NULL if it has none
 */
void petmem_dump_state(struct petmem_map *map)
{
	petmem_dump_pool();
	if (map)
		petmem_dump_map(map);
	else
		pr_info("petmem: pid %d has allocated nothing\n", current->pid);
}

/**
 * petmem_stats_init() - make the files in debugfs
 */
void petmem_stats_init(void)
{
	petmem_dir = debugfs_create_dir("petmem", NULL);
	debugfs_create_file("pool", 0400, petmem_dir, NULL, &pool_fops);
	debugfs_create_file("opens", 0400, petmem_dir, NULL, &opens_fops);
}

/**
 * petmem_stats_exit() - remove them
 */
void petmem_stats_exit(void)
{
	debugfs_remove(petmem_dir);
}
