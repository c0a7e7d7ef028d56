// SPDX-License-Identifier: GPL-2.0-only
/*
 * What policies make of the patterns of fiveproc: exact LRU, CLOCK, RANDOM, and
 * OPT (Belady) on the trace that the exact LRU ran.
 *
 * usage: sim pattern pages frames seed [key=value]...
 *
 *   zipf= hot= step= by= cluster=	of the pattern, as for fiveproc
 *   touch_ns=5000 fault_ns=70000	what a touch and a fault cost; a touch also as
 *	five numbers with commas between, one for each process
 *   slice_ms=4	what a process runs at a time
 *   ms=16000	length, of which the second half counts
 *   opt=1	0: without OPT, which takes most of the time
 *
 * pages is that of each of the five processes, frames those that all of them
 * have, both as fiveproc prints them.  Touch and fault cost what they cost in the
 * guest, so that a process that faults more touches less, as there.
 */
#include <stdio.h>
#include <stdlib.h>
#include "../../../selftests/lru_page_list/pattern.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#define PROCS	5

static struct pattern how = PATTERN_DEFAULT;
static long pages, frames, seed;
static long touch_ns[PROCS] = { 5000, 5000, 5000, 5000, 5000 };
static long fault_ns = 70000, slice_ms = 4, ms = 16000;
static long with_opt = 1;

/* One list over all pages; the head comes after them. */
static struct link { int prev, next; } *list;
static char *held, *used;
static int total, head, hand;
static long nr_held;
static uint64_t coin;

/* What LRU touched; the first half does not count. */
static int *trace;
static size_t trace_nr, trace_room;
static size_t trace_counts;

static void take_off(int page)
{
	list[list[page].prev].next = list[page].next;
	list[list[page].next].prev = list[page].prev;
}

static void put_front(int page)
{
	list[page].prev = head;
	list[page].next = list[head].next;
	list[list[head].next].prev = page;
	list[head].next = page;
}

enum policy { LRU, CLOCK, RANDOM, NR_POLICIES };
static const char *const names[] = { "lru", "clock", "random" };

/* Frames as an array for RANDOM and CLOCK. */
static int *frame, *frame_of;

static int victim(enum policy policy)
{
	int f;

	if (policy == LRU)
		return list[head].prev;
	if (policy == RANDOM) {
		coin ^= coin << 13, coin ^= coin >> 7, coin ^= coin << 17;
		return frame[coin % frames];
	}
	while (used[frame[hand]]) {
		used[frame[hand]] = 0;
		hand = (hand + 1) % frames;
	}
	f = frame[hand];
	hand = (hand + 1) % frames;
	return f;
}

/* True if it was there. */
static bool reference(enum policy policy, int page)
{
	int old;

	if (held[page]) {
		used[page] = 1;
		if (policy == LRU) {
			take_off(page);
			put_front(page);
		}
		return true;
	}
	if (nr_held < frames) {
		frame_of[page] = nr_held;
		frame[nr_held++] = page;
	} else {
		old = victim(policy);
		held[old] = 0;
		if (policy == LRU)
			take_off(old);
		frame_of[page] = frame_of[old];
		frame[frame_of[page]] = page;
	}
	held[page] = 1;
	used[page] = 1;
	if (policy == LRU)
		put_front(page);
	return false;
}

static void record(int page)
{
	if (trace_nr == trace_room) {
		trace_room = trace_room ? 2 * trace_room : 1 << 20;
		trace = realloc(trace, trace_room * sizeof(*trace));
	}
	trace[trace_nr++] = page;
}

static void reset(void)
{
	int i;

	coin = 88172645463325252ULL;
	nr_held = hand = 0;
	list[head].next = list[head].prev = head;
	for (i = 0; i < total; i++)
		held[i] = used[i] = 0;
}

static void print(const char *name, const long *touches, const long *faults)
{
	double miss = 0;
	long t = 0, f = 0;
	int k;

	for (k = 0; k < PROCS; k++) {
		miss += touches[k] ? 100.0 * faults[k] / touches[k] / PROCS : 0;
		t += touches[k];
		f += faults[k];
	}
	printf("sim policy=%s pattern=%s frames=%ld seed=%ld touches_s=%.0f faults=%ld miss=%.2f faults_1000=%.1f\n",
	       name, pattern_names[how.kind], frames, seed, t / (ms / 2e3), f, miss,
	       t ? 1000.0 * f / t : 0);
}

/* All is touched once, as fiveproc does. */
static void fill(enum policy policy)
{
	int i, k;

	for (i = 0; i < pages; i++)
		for (k = 0; k < PROCS; k++)
			reference(policy, k * pages + i);
}

static void simulate(enum policy policy)
{
	long touches[PROCS] = { 0 }, faults[PROCS] = { 0 };
	uint64_t now = 0, end, length = ms * 1000000ULL;
	struct walker walker[PROCS];
	int k;

	reset();
	fill(policy);
	for (k = 0; k < PROCS; k++)
		walker_init(&walker[k], &how, k, seed, pages * (k + 1) / PROCS);
	for (k = 0; now < length; k = (k + 1) % PROCS)
		for (end = now + slice_ms * 1000000; now < end; now += touch_ns[k]) {
			int page = k * pages + next_page(&walker[k], now / 1000000);
			bool hit = reference(policy, page);

			walker_random(&walker[k]);
			if (!hit)
				now += fault_ns;
			if (policy == LRU) {
				if (now < length / 2)
					trace_counts = trace_nr + 1;
				record(page);
			}
			if (now >= length / 2) {
				touches[k]++;
				faults[k] += !hit;
			}
		}
	print(names[policy], touches, faults);
}

/* Belady: evict what is used latest; a heap of (next use, page), lazily cleaned. */
struct entry { size_t next; int page; };
static struct entry *heap;
static size_t heap_nr, heap_room;

static void heap_push(size_t next, int page)
{
	size_t i = heap_nr++;

	if (heap_nr > heap_room) {
		heap_room = heap_room ? 2 * heap_room : 1 << 20;
		heap = realloc(heap, heap_room * sizeof(*heap));
	}
	for (; i && heap[(i - 1) / 2].next < next; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = (struct entry) { next, page };
}

static struct entry heap_pop(void)
{
	struct entry top = heap[0], last = heap[--heap_nr];
	size_t i = 0, c;

	while ((c = 2 * i + 1) < heap_nr) {
		if (c + 1 < heap_nr && heap[c + 1].next > heap[c].next)
			c++;
		if (heap[c].next <= last.next)
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = last;
	return top;
}

static void simulate_opt(void)
{
	long touches[PROCS] = { 0 }, faults[PROCS] = { 0 };
	size_t *next = malloc(trace_nr * sizeof(*next));
	size_t *last = malloc(total * sizeof(*last));
	size_t *when = malloc(total * sizeof(*when));
	size_t i;
	int page;

	for (page = 0; page < total; page++)
		last[page] = trace_nr + page;
	for (i = trace_nr; i-- > 0;) {
		next[i] = last[trace[i]];
		last[trace[i]] = i;
	}
	/* It begins with what is used first. */
	reset();
	for (page = 0; page < total; page++) {
		when[page] = last[page];
		held[page] = 1;
		heap_push(last[page], page);
	}
	for (nr_held = total; nr_held > frames; nr_held--)
		held[heap_pop().page] = 0;
	for (i = 0; i < trace_nr; i++) {
		page = trace[i];
		if (!held[page]) {
			struct entry e;

			do
				e = heap_pop();
			while (!held[e.page] || when[e.page] != e.next);
			held[e.page] = 0;
			held[page] = 1;
			faults[page / pages] += i >= trace_counts;
		}
		when[page] = next[i];
		heap_push(next[i], page);
		touches[page / pages] += i >= trace_counts;
	}
	print("opt", touches, faults);
}

static const struct key { const char *name; long *value; } keys[] = {
	{ "zipf", &how.zipf }, { "hot", &how.hot }, { "step", &how.step },
	{ "by", &how.by }, { "cluster", &how.cluster }, { "fault_ns", &fault_ns },
	{ "slice_ms", &slice_ms }, { "ms", &ms }, { "opt", &with_opt },
};

/* One number for all, or one for each. */
static bool set_touch(const char *word)
{
	long *t = touch_ns;
	int k, nr = sscanf(word, "%ld,%ld,%ld,%ld,%ld", t, t + 1, t + 2, t + 3, t + 4);

	for (k = 0; k < PROCS; k++) {
		if (nr == 1)
			t[k] = t[0];
		if (t[k] < 1)
			return false;
	}
	return nr == 1 || nr == PROCS;
}

static bool set(const char *word)
{
	size_t i, len = strcspn(word, "=");

	if (!strncmp(word, "touch_ns=", 9))
		return set_touch(word + 9);
	for (i = 0; word[len] && i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len && !strncmp(keys[i].name, word, len)) {
			*keys[i].value = atol(word + len + 1);
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 5 || !pattern_of(&how, argv[1]))
		return fprintf(stderr, "usage: sim pattern pages frames seed [key=value]...\n"), 2;
	pages = atol(argv[2]);
	frames = atol(argv[3]);
	seed = atol(argv[4]);
	for (i = 5; i < argc; i++)
		if (!set(argv[i]))
			return fprintf(stderr, "sim: what is %s?\n", argv[i]), 2;
	total = PROCS * pages;
	head = total;
	if (pages < PROCS || frames < 1 || frames >= total || slice_ms < 1 || how.step < 1 ||
	    how.by < 0)
		return fprintf(stderr, "sim: frames must be less than pages, times and numbers not 0\n"), 2;
	list = calloc(total + 1, sizeof(*list));
	held = calloc(total, 1);
	used = calloc(total, 1);
	frame = calloc(frames, sizeof(*frame));
	frame_of = calloc(total, sizeof(*frame_of));
	for (i = 0; i < NR_POLICIES; i++)
		simulate(i);
	if (with_opt)
		simulate_opt();
	return 0;
}
