// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency [-n PAGES] [-w WAY,...]: how long a translation takes by each way to
 * get one.
 *
 * The pages of one buffer are translated by each way, in an order that jumps
 * about where the way takes single addresses.  A way that does one page at a
 * time is timed page by page, one that does many by the call, divided by the
 * pages of it.  Two readings of the clock with nothing between them are
 * measured first, and their mean is taken off what is timed from user space;
 * the module does the same for what it times itself.
 *
 * Lines: "clock NS", then for each way "way NAME pages=N mean=NS" and
 * "value NAME NS PAGES" for each latency that came up.
 */
#include "tools.h"

#include <linux/lkp25p3.h>

#define GROUP		512
#define CALIBRATION	4096
#define DEFAULT_PAGES	16384

struct run {
	char *buffer;
	__u64 pages;
	__u64 clock_x16;	/* of an empty measurement, in 16ths of a nanosecond */
	__u64 *vas;		/* all pages, in an order that jumps about */
	__u64 *words;	/* what pagemap said, by place in vas */
	struct lkp25p3_record *records;
	__u32 *ns;		/* latency of each page */
	__u64 sum_x16;
	int pagemap, proc;
};

struct way {
	const char *name;
	const char *text;
	void (*translate)(struct run *r);
	bool module;		/* needs /proc/lkp25p3 */
};

/* Of @nr pages from @first. */
static void took(struct run *r, __u64 first, __u64 nr, __u64 raw_ns)
{
	__u64 x16 = raw_ns * 16;

	x16 = x16 > r->clock_x16 ? x16 - r->clock_x16 : 0;
	r->sum_x16 += x16;
	for (__u64 i = first; i < first + nr; i++)
		r->ns[i] = (x16 + 8 * nr) / (16 * nr);
}

/* As a student's first program does it: everything anew for each address. */
static void by_fopen(struct run *r)
{
	for (__u64 i = 0; i < r->pages; i++) {
		__u64 start = now_ns();
		FILE *f = fopen("/proc/self/pagemap", "rb");

		if (!f || fseek(f, r->vas[i] / page_bytes() * 8, SEEK_SET) ||
		    fread(&r->words[i], 8, 1, f) != 1)
			fail("pagemap by stdio");
		fclose(f);
		took(r, i, 1, now_ns() - start);
	}
}

static void by_open(struct run *r)
{
	for (__u64 i = 0; i < r->pages; i++) {
		__u64 start = now_ns();
		int fd = pagemap_open(0);

		if (fd < 0 || !pagemap_read(fd, r->vas[i], &r->words[i], 1))
			fail("pagemap, opened each time");
		close(fd);
		took(r, i, 1, now_ns() - start);
	}
}

static void by_pread(struct run *r)
{
	for (__u64 i = 0; i < r->pages; i++) {
		__u64 start = now_ns();

		if (!pagemap_read(r->pagemap, r->vas[i], &r->words[i], 1))
			fail("pagemap");
		took(r, i, 1, now_ns() - start);
	}
}

static void by_pread_batch(struct run *r)
{
	for (__u64 i = 0; i < r->pages; i += GROUP) {
		__u64 nr = r->pages - i < GROUP ? r->pages - i : GROUP;
		__u64 start = now_ns();

		if (!pagemap_read(r->pagemap, (uintptr_t)r->buffer + i * page_bytes(),
				  &r->words[i], nr))
			fail("pagemap, many pages");
		took(r, i, nr, now_ns() - start);
	}
}

/* Tells which pages are present, and not where: no frame numbers. */
static void by_pagemap_scan(struct run *r)
{
	static struct page_region regions[GROUP];

	for (__u64 i = 0; i < r->pages; i += GROUP) {
		__u64 nr = r->pages - i < GROUP ? r->pages - i : GROUP;
		__u64 va = (uintptr_t)r->buffer + i * page_bytes(), start;
		struct pm_scan_arg scan = {
			.size = sizeof(scan), .start = va, .end = va + nr * page_bytes(),
			.vec = (uintptr_t)regions, .vec_len = GROUP,
			.return_mask = PAGE_IS_PRESENT | PAGE_IS_PFNZERO,
		};

		start = now_ns();
		if (ioctl(r->pagemap, PAGEMAP_SCAN, &scan) < 0)
			fail("PAGEMAP_SCAN");
		took(r, i, nr, now_ns() - start);
	}
}

/* What a user waits for: the system call, the walk, and the line in the log. */
static void by_write(struct run *r)
{
	for (__u64 i = 0; i < r->pages; i++) {
		__u64 start = now_ns();
		char text[32];
		int n = snprintf(text, sizeof(text), "0x%llx", r->vas[i]);

		if (write(r->proc, text, n) != n)
			fail("writing %s to " LKP25P3_PROC, text);
		took(r, i, 1, now_ns() - start);
	}
}

static void call_module(struct run *r, __u64 first, __u64 nr, bool range, __u32 mode)
{
	struct lkp25p3_batch b = {
		.vas = range ? 0 : (uintptr_t)&r->vas[first],
		.start = range ? (uintptr_t)r->buffer + first * page_bytes() : 0,
		.records = (uintptr_t)&r->records[first],
		.nr = nr,
		.mode = mode,
	};

	if (ioctl(r->proc, LKP25P3_IOC_BATCH, &b) || b.done != nr)
		fail("a batch of %llu addresses", nr);
}

/* From user space: what a page costs the caller, all in all. */
static void timed_batches(struct run *r, bool range, __u32 mode)
{
	for (__u64 i = 0; i < r->pages; i += GROUP) {
		__u64 nr = r->pages - i < GROUP ? r->pages - i : GROUP;
		__u64 start = now_ns();

		call_module(r, i, nr, range, mode);
		took(r, i, nr, now_ns() - start);
	}
}

static void by_range(struct run *r)
{
	timed_batches(r, true, LKP25P3_LOCKED);
}

static void by_batch(struct run *r)
{
	timed_batches(r, false, LKP25P3_LOCKED);
}

static void by_lock_each(struct run *r)
{
	timed_batches(r, false, LKP25P3_LOCK_EACH);
}

static void by_lockless(struct run *r)
{
	timed_batches(r, false, LKP25P3_LOCKLESS);
}

/* As the module timed it, walk by walk. */
static void kernel_times(struct run *r, __u32 mode)
{
	call_module(r, 0, r->pages, false, mode | LKP25P3_TIME_EACH);
	for (__u64 i = 0; i < r->pages; i++) {
		r->ns[i] = r->records[i].ns;
		r->sum_x16 += 16ULL * r->ns[i];
	}
}

static void kernel_locked(struct run *r)
{
	kernel_times(r, LKP25P3_LOCK_EACH);
}

static void kernel_lockless(struct run *r)
{
	kernel_times(r, LKP25P3_LOCKLESS);
}

static const struct way ways[] = {
	{ "fopen", "pagemap: fopen, fseek, fread, fclose", by_fopen },
	{ "open", "pagemap: open, pread, close", by_open },
	{ "pread", "pagemap: pread, kept open", by_pread },
	{ "pread_batch", "pagemap: pread of 512 entries", by_pread_batch },
	{ "pagemap_scan", "PAGEMAP_SCAN of 512 pages (no frames)", by_pagemap_scan },
	{ "write", "/proc/lkp25p3: write, with the log line", by_write, true },
	{ "range", "batch of consecutive pages, 512 a call", by_range, true },
	{ "batch", "batch of any addresses, 512 a call", by_batch, true },
	{ "batch_lock_each", "the same, mmap_lock taken for each", by_lock_each, true },
	{ "batch_lockless", "the same, without locks", by_lockless, true },
	{ "kernel_locked", "in the kernel: the walk, mmap_lock taken", kernel_locked, true },
	{ "kernel_lockless", "in the kernel: the walk without locks", kernel_lockless, true },
};

#define NR_WAYS (sizeof(ways) / sizeof(*ways))

static noreturn void print_usage(void)
{
	fprintf(stderr, "usage: latency [-n PAGES] [-w WAY,...]\n"
		"  -n PAGES    how many translations (default %u, at most 1048576)\n"
		"  -w WAY,...  only these ways:\n", DEFAULT_PAGES);
	for (unsigned int i = 0; i < NR_WAYS; i++)
		fprintf(stderr, "              %-16s%s\n", ways[i].name, ways[i].text);
	exit(2);
}

/* The mean of many is finer than the steps of the clock. */
static __u64 empty_measurement_x16(void)
{
	__u64 least = ~0ULL;

	for (int group = 0; group < 8; group++) {
		__u64 sum = 0;

		for (int i = 0; i < CALIBRATION; i++) {
			__u64 start = now_ns();

			sum += now_ns() - start;
		}
		least = sum < least ? sum : least;
	}
	return least * 16 / CALIBRATION;
}

/* A step that has no factor in common with the number of pages visits all. */
static __u64 gcd(__u64 a, __u64 b)
{
	return b ? gcd(b, a % b) : a;
}

static void prepare(struct run *r)
{
	__u64 bytes = r->pages * page_bytes(), step = r->pages * 5 / 8 + 1;

	r->buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r->vas = calloc(r->pages, sizeof(*r->vas));
	r->words = calloc(r->pages, sizeof(*r->words));
	r->records = calloc(r->pages, sizeof(*r->records));
	r->ns = calloc(r->pages, sizeof(*r->ns));
	if (r->buffer == MAP_FAILED || !r->vas || !r->words || !r->records || !r->ns)
		fail("no memory for %llu pages", r->pages);
	madvise(r->buffer, bytes, MADV_NOHUGEPAGE);
	while (gcd(step, r->pages) != 1)
		step++;
	for (__u64 i = 0; i < r->pages; i++) {
		r->vas[i] = (uintptr_t)r->buffer + i * step % r->pages * page_bytes();
		write_byte(r->buffer + i * page_bytes());
	}
	/* Written to once, so that no way has the page faults of another. */
	memset(r->words, 1, r->pages * sizeof(*r->words));
	memset(r->records, 1, r->pages * sizeof(*r->records));
	memset(r->ns, 1, r->pages * sizeof(*r->ns));
}

static int by_value(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

static void print_way(struct run *r, const char *name)
{
	printf("way %s pages=%llu mean=%.2f\n", name, r->pages,
	       r->sum_x16 / 16.0 / r->pages);
	qsort(r->ns, r->pages, sizeof(*r->ns), by_value);
	for (__u64 i = 0, n; i < r->pages; i += n) {
		for (n = 1; i + n < r->pages && r->ns[i + n] == r->ns[i];)
			n++;
		printf("value %s %u %llu\n", name, r->ns[i], n);
	}
}

/* The module and pagemap have to say the same of each address. */
static void compare(const struct run *r)
{
	for (__u64 i = 0; i < r->pages; i++) {
		const struct lkp25p3_record *rec = &r->records[i];
		__u64 pa = pagemap_va2pa(r->pagemap, (void *)(uintptr_t)r->vas[i]);

		if (rec->state != LKP25P3_PRESENT || rec->pa != pa)
			fail("VA 0x%llx: the module says PA 0x%llx (state %u), pagemap 0x%llx",
			     r->vas[i], rec->pa, rec->state, pa);
	}
	printf("same %llu\n", r->pages);
}

static bool is_wanted(const char *list, const char *name)
{
	size_t n = strlen(name);
	const char *at = list;

	while (at && (strncmp(at, name, n) || (at[n] && at[n] != ','))) {
		at = strchr(at, ',');
		if (at)
			at++;
	}
	return !list || at;
}

int main(int argc, char **argv)
{
	struct run r = { .pages = DEFAULT_PAGES };
	const char *list = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "n:w:")) != -1) {
		if (opt == 'w')
			list = optarg;
		else if (opt == 'n' && number_of(optarg, 1 << 20) > 0)
			r.pages = number_of(optarg, 1 << 20);
		else
			print_usage();
	}
	if (optind != argc)
		print_usage();
	errno = 0;
	if (!pagemap_shows_frames())
		fail(NO_FRAMES);
	r.pagemap = pagemap_open(0);
	r.proc = open(LKP25P3_PROC, O_RDWR);
	if (r.proc < 0)
		fprintf(stderr, "no " LKP25P3_PROC ": pagemap alone\n");
	prepare(&r);
	r.clock_x16 = empty_measurement_x16();
	printf("clock %.2f\n", r.clock_x16 / 16.0);
	for (unsigned int i = 0; i < NR_WAYS; i++) {
		if (!is_wanted(list, ways[i].name) || (ways[i].module && r.proc < 0))
			continue;
		r.sum_x16 = 0;
		ways[i].translate(&r);
		print_way(&r, ways[i].name);
	}
	if (r.proc >= 0) {
		call_module(&r, 0, r.pages, false, LKP25P3_LOCKED);
		compare(&r);
	}
	return 0;
}
