// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread of accuracy that touches pages: all of a set, then a pause.  Odd
 * sweeps write, even ones read.
 *
 * An emulated TLB is large and keeps a translation until it is told not to; one
 * of a CPU has forgotten most of them after some milliseconds.  Who clears
 * accessed bits and leaves the flushing to chance, as DAMON does, would see next to nothing
 * of a program under emulation.  So the program can make its TLB forget: it
 * changes the protection of more pages than the kernel flushes one by one.
 */
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "accuracy.h"

#define FLUSH_PAGES	600

/* Whoever holds the lock touches, or says what is touched. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const bool *current;
static bool stop;
static pthread_t thread;
static char *other_pages;

static void prepare_to_forget(const struct workload *w)
{
	size_t len = FLUSH_PAGES * w->page;

	other_pages = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (other_pages == MAP_FAILED)
		err(1, "mmap");
	madvise(other_pages, len, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < FLUSH_PAGES; i++)
		__atomic_store_n(other_pages + i * w->page, 1, __ATOMIC_RELAXED);
}

static void forget_translations(const struct workload *w)
{
	size_t len = FLUSH_PAGES * w->page;

	if (mprotect(other_pages, len, PROT_READ) ||
	    mprotect(other_pages, len, PROT_READ | PROT_WRITE))
		err(1, "mprotect");
}

static void touch(const struct workload *w, bool writing)
{
	for (size_t i = 0; i < w->nr; i++) {
		if (!current[i])
			continue;
		if (writing)
			__atomic_store_n(w->p + i * w->page, 1, __ATOMIC_RELAXED);
		else
			__atomic_load_n(w->p + i * w->page, __ATOMIC_RELAXED);
	}
}

static void *sweep(void *arg)
{
	const struct timespec pause = { .tv_nsec = SWEEP_MS * 1000000 };
	const struct workload *w = arg;
	bool writing = false;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&lock);
		if (current) {
			if (w->forget)
				forget_translations(w);
			touch(w, writing);
		}
		pthread_mutex_unlock(&lock);
		writing = !writing;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

void workload_start(const struct workload *w)
{
	if (w->forget)
		prepare_to_forget(w);
	errno = pthread_create(&thread, NULL, sweep, (void *)w);
	if (errno)
		err(1, "starting a thread");
}

void workload_use(const bool *set)
{
	pthread_mutex_lock(&lock);
	current = set;
	pthread_mutex_unlock(&lock);
}

void workload_stop(void)
{
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}
