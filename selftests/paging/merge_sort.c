// SPDX-License-Identifier: GPL-2.0-only
/*
 * merge_sort N: sort N thousand random keys in memory of /dev/paging.
 *
 * Two mappings, the keys and a second array of that length; each pass streams
 * from one to the other in order.  All pages are used, as in dense_mm, but
 * there is little work per page, so that what it costs to get one shows.
 */
#include "workload.h"

#define KEYS 1000UL
#define MAX_N 1000000UL

static void merge(uint64_t *to, const uint64_t *from, size_t low, size_t mid,
		  size_t high)
{
	size_t left = low, right = mid;

	for (size_t i = low; i < high; i++) {
		if (left < mid && (right >= high || from[left] <= from[right]))
			to[i] = from[left++];
		else
			to[i] = from[right++];
	}
}

static size_t at_most(size_t value, size_t limit)
{
	return value < limit ? value : limit;
}

/* Returns the array that holds the result in the end. */
static uint64_t *sort(uint64_t *keys, uint64_t *other, size_t n)
{
	uint64_t *from = keys, *to = other;

	for (size_t run = 1; run < n; run *= 2) {
		uint64_t *done = to;

		for (size_t low = 0; low < n; low += 2 * run)
			merge(to, from, low, at_most(low + run, n),
			      at_most(low + 2 * run, n));
		to = from;
		from = done;
	}
	return from;
}

static void check(const uint64_t *keys, size_t n, uint64_t sum)
{
	for (size_t i = 0; i < n; i++) {
		if (i && keys[i - 1] > keys[i])
			workload_wrong("the keys are not in order");
		sum -= keys[i];
	}
	if (sum)
		workload_wrong("these are not the keys from before");
}

int main(int argc, char **argv)
{
	uint64_t *keys, *other, state = 1, sum = 0;
	struct workload w;
	size_t n;

	n = KEYS * workload_init(&w, argc, argv, "thousands of keys", MAX_N);
	keys = workload_map(&w, n * sizeof(*keys));
	other = workload_map(&w, n * sizeof(*other));

	workload_start(&w);
	for (size_t i = 0; i < n; i++) {
		keys[i] = workload_random(&state);
		sum += keys[i];
	}
	keys = sort(keys, other, n);
	workload_stop(&w);

	if (w.check)
		check(keys, n, sum);
	workload_report(&w, n / KEYS, "sort", "Sort done");
	return 0;
}
