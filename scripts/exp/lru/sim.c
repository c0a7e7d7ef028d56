// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other policies would have made of fiveproc: exact LRU, CLOCK, RANDOM,
 * and OPT (Belady) on the trace that the exact LRU ran.
 *
 * usage: sim pattern pages frames seed [zipf=N] [hot=N] [step=N] [cluster=N]
 *	      [touch_ns=N] [fault_ns=N]
 *
 * pages is that of each of the five processes, frames those that all of them
 * have, both as fiveproc prints them.  A process runs for slices of 4 ms of
 * virtual time; touch and fault cost what they cost in the guest, so that a
 * process that faults more touches less, as there.  16 s, of which the second
 * half counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include "../../../selftests/lru_page_list/pattern.h"

#define PROCS	5
#define SLICE	4000000ULL
#define LENGTH	16000000000ULL

static struct pattern how = PATTERN_DEFAULT;
static unsigned long pages, frames;
static long seed;
static uint64_t touch_ns = 5000, fault_ns = 70000;

struct node { int prev, next; };

/* One list over all pages; head and tail are the last two nodes. */
static struct node *list;
static char *held, *used;
static int total, head, hand;
static unsigned long nr_held;
static uint64_t coin = 88172645463325252ULL;

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
	printf("sim policy=%s pattern=%s frames=%lu seed=%ld touches_s=%.0f faults=%ld miss=%.2f faults_1000=%.1f\n",
	       name, pattern_names[how.kind], frames, seed, t / (LENGTH / 2e9), f, miss,
	       t ? 1000.0 * f / t : 0);
}

static void simulate(enum policy policy)
{
	long touches[PROCS] = { 0 }, faults[PROCS] = { 0 };
	struct walker walker[PROCS];
	uint64_t now = 0, end;
	unsigned long i;
	int k;

	reset();
	for (i = 0; i < pages; i++)
		for (k = 0; k < PROCS; k++)
			reference(policy, k * pages + i);
	for (k = 0; k < PROCS; k++)
		walker_init(&walker[k], &how, k, seed, pages * (k + 1) / PROCS);
	for (k = 0; now < LENGTH; k = (k + 1) % PROCS)
		for (end = now + SLICE; now < end; now += touch_ns) {
			int page = k * pages + next_page(&walker[k], now / 1000000);
			bool hit = reference(policy, page);

			walker_random(&walker[k]);
			if (!hit)
				now += fault_ns;
			if (policy == LRU) {
				if (now < LENGTH / 2)
					trace_counts = trace_nr + 1;
				record(page);
			}
			if (now >= LENGTH / 2) {
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

int main(int argc, char **argv)
{
	int i;

	if (argc < 5 || !pattern_of(&how, argv[1]))
		return fprintf(stderr, "usage: sim pattern pages frames seed [key=value]...\n"), 2;
	pages = atol(argv[2]);
	frames = atol(argv[3]);
	seed = atol(argv[4]);
	for (i = 5; i < argc; i++) {
		long value = strchr(argv[i], '=') ? atol(strchr(argv[i], '=') + 1) : 0;

		if (!strncmp(argv[i], "zipf=", 5))
			how.zipf = value;
		else if (!strncmp(argv[i], "hot=", 4))
			how.hot = value;
		else if (!strncmp(argv[i], "step=", 5))
			how.step = value;
		else if (!strncmp(argv[i], "cluster=", 8))
			how.cluster = value;
		else if (!strncmp(argv[i], "touch_ns=", 9))
			touch_ns = value;
		else if (!strncmp(argv[i], "fault_ns=", 9))
			fault_ns = value;
		else
			return fprintf(stderr, "sim: what is %s?\n", argv[i]), 2;
	}
	total = PROCS * pages;
	head = total;
	if (!pages || !frames || frames >= total)
		return fprintf(stderr, "sim: frames must be less than pages\n"), 2;
	list = calloc(total + 1, sizeof(*list));
	held = calloc(total, 1);
	used = calloc(total, 1);
	frame = calloc(frames, sizeof(*frame));
	frame_of = calloc(total, sizeof(*frame_of));
	for (i = 0; i < NR_POLICIES; i++)
		simulate(i);
	simulate_opt();
	return 0;
}
