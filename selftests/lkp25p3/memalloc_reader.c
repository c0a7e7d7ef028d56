// SPDX-License-Identifier: GPL-2.0-only
/*
 * memalloc read: a buffer of which the first quarter is read as fast as it
 * goes, the second one every few milliseconds, and the upper half never.
 *
 * Each quarter has a thread of its own, so that one does not pace the other,
 * and each thread counts its sweeps by the millisecond that they end in.  The
 * monitor of lkp25p3 counts for each page and second in how many of its
 * intervals the page was accessed.  Both together say whether it counts right:
 * a page that is swept s times in a second is found s times, but never more
 * often than there were scans.
 *
 * For each record of the monitor there is a line "second" and a line "bins",
 * which has the mean count of each 256th part of the buffer in hundredths.
 */
#include "memalloc.h"

#include <pthread.h>
#include <sched.h>

#include <linux/lkp25p3.h>

#define BINS		256
#define QUARTERS	4
#define PATIENCE_SEC	60

#define NS_PER_MS	1000000ULL
/* Milliseconds that are remembered: more than the patience. */
#define SLOTS		65536

/* Sweeps that ended in a millisecond of CLOCK_MONOTONIC. */
struct slot {
	__u64 ms, nr;
};

/* A thread that sweeps its part; only it writes to nr and slots. */
struct sweeper {
	pthread_t thread;
	const char *start;
	__u64 bytes;
	__u64 pace_ns;		/* 0: one sweep after the other */
	__u64 nr;		/* sweeps done */
	struct slot *slots;	/* a ring */
};

static bool stop;

static void sleep_until(__u64 when)
{
	struct timespec at = { when / NS_PER_SEC, when % NS_PER_SEC };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void count_sweep(struct sweeper *s, __u64 now)
{
	__u64 ms = now / NS_PER_MS;
	struct slot *slot = &s->slots[ms % SLOTS];

	s->nr++;
	if (slot->ms != ms) {
		__atomic_store_n(&slot->nr, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&slot->ms, ms, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&slot->nr, slot->nr + 1, __ATOMIC_RELAXED);
}

static void *sweep(void *arg)
{
	struct sweeper *s = arg;
	__u64 page = page_bytes(), due = now_ns();

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		__u64 now;

		for (const char *p = s->start; p < s->start + s->bytes; p += page)
			read_byte(p);
		now = now_ns();
		count_sweep(s, now);
		if (!s->pace_ns)
			continue;
		due += s->pace_ns;
		if (due > now)
			sleep_until(due);
		else
			due = now;	/* too slow to keep up: no pause */
	}
	return NULL;
}

static void start_sweeper(struct sweeper *s, const char *start, __u64 bytes,
			  unsigned int pace_ms)
{
	s->start = start;
	s->bytes = bytes;
	s->pace_ns = pace_ms * NS_PER_MS;
	s->slots = calloc(SLOTS, sizeof(*s->slots));
	if (!s->slots)
		fail("no memory for the counts of sweeps");
	errno = pthread_create(&s->thread, NULL, sweep, s);
	if (errno)
		fail("starting a thread");
}

/* Sweeps that ended from @start to @end, to a millisecond. */
static __u64 sweeps_between(const struct sweeper *s, __u64 start, __u64 end)
{
	__u64 nr = 0;

	for (__u64 ms = start / NS_PER_MS; ms < end / NS_PER_MS; ms++) {
		const struct slot *slot = &s->slots[ms % SLOTS];

		if (__atomic_load_n(&slot->ms, __ATOMIC_ACQUIRE) == ms)
			nr += __atomic_load_n(&slot->nr, __ATOMIC_RELAXED);
	}
	return nr;
}

/* A page at a time, so that a count is one of a page of the base size. */
static char *make_buffer(const struct options *o)
{
	struct population p = {};
	char *buffer = mmap(NULL, o->bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buffer == MAP_FAILED)
		fail("a buffer of %llu bytes", o->bytes);
	/* EINVAL: a kernel without huge pages. */
	if (madvise(buffer, o->bytes, MADV_NOHUGEPAGE) && errno != EINVAL)
		fail("MADV_NOHUGEPAGE");
	errno = 0;
	for (__u64 i = 0; i < o->bytes; i += page_bytes())
		write_byte(buffer + i);
	count_population((uintptr_t)buffer, (uintptr_t)buffer + o->bytes, &p);
	if (p.present != p.pages || p.zero)
		fail("%llu of %llu pages are present, %llu are the page of zeroes",
		     p.present, p.pages, p.zero);
	printf("buffer va=0x%llx pages=%llu page_bytes=%zu present=%llu zero=%llu\n",
	       (__u64)(uintptr_t)buffer, p.pages, page_bytes(), p.present, p.zero);
	return buffer;
}

/* Returns the file of the records. */
static int start_monitor(const struct options *o, const char *buffer)
{
	struct lkp25p3_monitor m = {
		.start = (uintptr_t)buffer,
		.len = o->bytes,
		.interval_ms = o->interval_ms,
		.sample = o->sample,
	};
	int fd = open(LKP25P3_PROC, O_RDWR | O_CLOEXEC);
	char path[80];

	if (fd < 0)
		fail(LKP25P3_PROC);
	if (ioctl(fd, LKP25P3_IOC_MONITOR_START, &m))
		fail("starting the monitor");
	/* Not closed: the monitor lives as long as this file. */
	snprintf(path, sizeof(path), LKP25P3_DEBUGFS "/monitor/%u/counts", m.id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("%s (is debugfs mounted?)", path);
	return fd;
}

static double mean_of(const __u8 *counts, __u64 first, __u64 end)
{
	__u64 sum = 0;

	for (__u64 i = first; i < end; i++)
		sum += counts[i];
	return (double)sum / (end - first);
}

/* Smallest and largest count of a quarter tell whether all its pages agree. */
static void print_quarter(const __u8 *counts, __u64 first, __u64 end)
{
	__u8 min = 255, max = 0;

	for (__u64 i = first; i < end; i++) {
		min = counts[i] < min ? counts[i] : min;
		max = counts[i] > max ? counts[i] : max;
	}
	printf(" %.4f/%u/%u", mean_of(counts, first, end), min, max);
}

static void print_second(const struct lkp25p3_second *s,
			 const struct sweeper *sweepers)
{
	const __u8 *counts = (const __u8 *)s + s->bytes;
	__u64 n = s->nr_pages, bins = n < BINS ? n : BINS;

	printf("second seq=%llu start=%llu end=%llu scans=%u missed=%u interval=%u",
	       s->seq, s->start_ns, s->end_ns, s->scans, s->missed, s->interval_ms);
	printf(" sample=%u young=%llu present=%llu granule=%u hardware=%u",
	       s->sample, s->young, s->present, s->max_granule, s->hw_young);
	printf(" scan_ns=%llu cpu_ns=%llu", s->scan_ns, s->cpu_ns);
	printf(" sweeps=%llu/%llu quarters",
	       sweeps_between(&sweepers[0], s->start_ns, s->end_ns),
	       sweeps_between(&sweepers[1], s->start_ns, s->end_ns));
	for (int q = 0; q < QUARTERS; q++)
		print_quarter(counts, n * q / QUARTERS, n * (q + 1) / QUARTERS);
	printf("\nbins");
	for (__u64 i = 0; i < bins; i++)
		printf(" %.0f", 100 * mean_of(counts, n * i / bins, n * (i + 1) / bins));
	printf("\n");
	fflush(stdout);
}

/* One record, as soon as there is one. */
static void next_record(int fd, void *record, size_t bytes)
{
	__u64 give_up = now_ns() + PATIENCE_SEC * NS_PER_SEC;
	ssize_t n;

	while ((n = read(fd, record, bytes)) <= 0) {
		if (n < 0 && errno != EAGAIN)
			fail("reading the counts");
		if (now_ns() > give_up)
			fail("the monitor has told nothing for %u seconds", PATIENCE_SEC);
		usleep(50000);
	}
	if ((size_t)n != bytes)
		fail("a record of %zd bytes, not %zu", n, bytes);
}

static void collect(const struct options *o, const char *buffer,
		    const struct sweeper *sweepers)
{
	size_t bytes = sizeof(struct lkp25p3_second) + o->bytes / page_bytes();
	struct lkp25p3_second *record = malloc(bytes);
	FILE *raw = o->path ? fopen(o->path, "w") : NULL;
	__u64 last = 0;
	int fd;

	if (!record || (o->path && !raw))
		fail("%s", o->path ? o->path : "no memory for a record");
	fd = start_monitor(o, buffer);
	for (unsigned int i = 0; i < o->seconds; i++) {
		next_record(fd, record, bytes);
		errno = 0;
		if (record->magic != LKP25P3_SECOND_MAGIC || record->bytes != sizeof(*record))
			fail("that is no record of the monitor's");
		if (last && record->seq != last + 1)
			fail("%llu records are lost", record->seq - last - 1);
		last = record->seq;
		print_second(record, sweepers);
		if (raw && fwrite(record, bytes, 1, raw) != 1)
			fail("writing %s", o->path);
	}
	if (raw && fclose(raw))
		fail("writing %s", o->path);
}

void read_at_two_speeds(const struct options *o)
{
	struct sweeper sweepers[2] = {};
	__u64 quarter = o->bytes / QUARTERS, begin, ns;
	char *buffer;

	if (quarter % page_bytes())
		fail("%llu bytes are not four times some pages", o->bytes);
	buffer = make_buffer(o);
	start_sweeper(&sweepers[0], buffer, quarter, 0);
	start_sweeper(&sweepers[1], buffer + quarter, quarter, o->pace_ms);
	begin = now_ns();
	if (o->interval_ms)
		collect(o, buffer, sweepers);
	else
		sleep_until(begin + o->seconds * NS_PER_SEC);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	ns = now_ns() - begin;
	for (int i = 0; i < 2; i++)
		pthread_join(sweepers[i].thread, NULL);
	printf("sweeps quarter=0 nr=%llu per_second=%.2f\n", sweepers[0].nr,
	       sweepers[0].nr * 1e9 / ns);
	printf("sweeps quarter=1 nr=%llu per_second=%.2f pace_ms=%u\n",
	       sweepers[1].nr, sweepers[1].nr * 1e9 / ns, o->pace_ms);
}
