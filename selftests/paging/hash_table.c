// SPDX-License-Identifier: GPL-2.0-only
/*
 * hash_table N: a hash table of N MiB with few keys, in memory of /dev/paging.
 *
 * The table was made large for what might come, and little came: one key for
 * each 64 KiB, scattered over all of it.  Most pages are never used, which is
 * where demand paging wins: pre-paging allocates and clears all of them, and
 * a larger fault block allocates and clears its neighbours.
 */
#include <stdlib.h>

#include "workload.h"

#define MIB (1024UL * 1024)
#define MAX_N 65536UL
#define BYTES_PER_KEY (64UL << 10)
#define LOOKUPS 16

struct slot {
	uint64_t key;	/* 0: free */
	uint64_t value;
};

static struct slot *find(struct slot *table, size_t nr_slots, uint64_t key)
{
	size_t i = key % nr_slots;

	while (table[i].key && table[i].key != key)
		i = i + 1 < nr_slots ? i + 1 : 0;
	return &table[i];
}

static void fill(struct slot *table, size_t nr_slots, size_t nr_keys)
{
	uint64_t state = 1;

	for (size_t i = 0; i < nr_keys; i++) {
		uint64_t key = workload_random(&state) | 1;
		struct slot *slot = find(table, nr_slots, key);

		slot->key = key;
		slot->value = key * 3;
	}
}

/* Returns how many of the keys have their value. */
static size_t look_up(struct slot *table, size_t nr_slots, size_t nr_keys)
{
	uint64_t state = 1;
	size_t found = 0;

	for (size_t i = 0; i < nr_keys; i++) {
		uint64_t key = workload_random(&state) | 1;

		found += find(table, nr_slots, key)->value == key * 3;
	}
	return found;
}

int main(int argc, char **argv)
{
	size_t len, nr_slots, nr_keys, found = 0;
	struct workload w;
	struct slot *table;

	len = MIB * workload_init(&w, argc, argv, "MiB of the table", MAX_N);
	nr_slots = len / sizeof(*table);
	nr_keys = len / BYTES_PER_KEY;
	table = workload_map(&w, len);

	workload_start(&w);
	fill(table, nr_slots, nr_keys);
	for (int i = 0; i < LOOKUPS; i++)
		found += look_up(table, nr_slots, nr_keys);
	workload_stop(&w);

	if (w.check && found != LOOKUPS * nr_keys)
		workload_wrong("keys are missing");
	workload_report(&w, len / MIB, "hash table", "Hash table done");
	return 0;
}
