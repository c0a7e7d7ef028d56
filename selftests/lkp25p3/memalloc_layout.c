// SPDX-License-Identifier: GPL-2.0-only
/*
 * memalloc 4k|2m|calloc: three ways to get the same amount of memory, and where
 * it is.
 *
 * An allocation that nobody has written to has no page, or all of them are the
 * one page of zeroes, and then there is nothing to translate.  So each page is
 * written to first, and the kernel is asked to count: every page has to be there
 * and none of them may be the page of zeroes.
 *
 * Pages are told as runs, which follow each other virtually and physically; the
 * file of -l has a line for each page.
 */
#include "memalloc.h"

#include <sys/resource.h>

#define WORDS 4096

struct scheme {
	const char *name;
	__u64 block;		/* 0: all in one */
};

static const struct scheme schemes[] = {
	{ "4k", 4096 },
	{ "2m", 2 << 20 },
	{ "calloc", 0 },
};

/* What is known of the memory. */
struct layout {
	FILE *log;
	int pagemap;
	__u64 pages;
	__u64 va_ranges;	/* without a gap between them */
	__u64 runs;
	__u64 longest;	/* run, in pages */
	__u64 run_va, run_pfn, run_pages;
	__u64 next_va;
	struct population population;
};

/* The scan wants room for ranges; each call goes on where the last one ended. */
void count_population(__u64 start, __u64 end, struct population *p)
{
	static struct page_region regions[512];
	struct pm_scan_arg scan = {
		.size = sizeof(scan),
		.start = start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = 512,
		.category_mask = PAGE_IS_PRESENT,
		.return_mask = PAGE_IS_PRESENT | PAGE_IS_PFNZERO,
	};
	int fd, nr;

	if (start == end)
		return;
	fd = pagemap_open(0);
	p->pages += (end - start) / page_bytes();
	do {
		nr = ioctl(fd, PAGEMAP_SCAN, &scan);
		if (nr < 0)
			fail("counting pages by PAGEMAP_SCAN");
		for (int i = 0; i < nr; i++) {
			__u64 pages = (regions[i].end - regions[i].start) / page_bytes();

			p->present += pages;
			if (regions[i].categories & PAGE_IS_PFNZERO)
				p->zero += pages;
		}
		scan.start = scan.walk_end;
	} while (scan.walk_end < end);
	close(fd);
}

static void end_run(struct layout *l)
{
	if (!l->run_pages)
		return;
	printf("run 0x%llx 0x%llx %llu\n", l->run_va,
	       l->run_pfn * page_bytes(), l->run_pages);
	l->runs++;
	if (l->run_pages > l->longest)
		l->longest = l->run_pages;
	l->run_pages = 0;
}

static void add_page(struct layout *l, __u64 va, __u64 pfn)
{
	if (l->log)
		fprintf(l->log, "VA: 0x%llx -> PA: 0x%llx\n", va,
			pfn * page_bytes());
	l->pages++;
	if (va != l->next_va)
		l->va_ranges++;
	if (va != l->next_va || pfn != l->run_pfn + l->run_pages)
		end_run(l);
	if (!l->run_pages) {
		l->run_va = va;
		l->run_pfn = pfn;
	}
	l->run_pages++;
	l->next_va = va + page_bytes();
}

/* Whole pages without a gap between them. */
static void add_extent(struct layout *l, __u64 va, __u64 end)
{
	static __u64 words[WORDS];
	__u64 page = page_bytes();

	count_population(va, end, &l->population);
	while (va < end) {
		__u64 nr = (end - va) / page;

		nr = nr < WORDS ? nr : WORDS;
		if (!pagemap_read(l->pagemap, va, words, nr))
			fail("reading pagemap at 0x%llx", va);
		for (__u64 i = 0; i < nr; i++, va += page)
			if (words[i] & PAGEMAP_PRESENT)
				add_page(l, va, words[i] & PAGEMAP_PFN);
	}
}

/* Blocks in order; neighbours may share a page. */
static void add_blocks(struct layout *l, char **blocks, __u64 nr, __u64 block)
{
	__u64 page = page_bytes(), start = 0, end = 0;

	for (__u64 i = 0; i < nr; i++) {
		__u64 first = (uintptr_t)blocks[i] / page * page;

		if (first > end) {
			add_extent(l, start, end);
			start = first;
		}
		end = ((uintptr_t)blocks[i] + block + page - 1) / page * page;
	}
	add_extent(l, start, end);
	end_run(l);
}

/* Every page of the block, and its last byte, which may be in one more. */
static void populate(char *p, __u64 bytes)
{
	__u64 step = page_bytes() < bytes ? page_bytes() : bytes;

	for (__u64 i = 0; i < bytes; i += step)
		write_byte(p + i);
	write_byte(p + bytes - 1);
}

static char **allocate(const struct scheme *s, __u64 bytes, __u64 *nr)
{
	__u64 block = s->block ? s->block : bytes;
	char **blocks;

	*nr = (bytes + block - 1) / block;
	blocks = calloc(*nr, sizeof(*blocks));
	for (__u64 i = 0; blocks && i < *nr; i++) {
		blocks[i] = s->block ? malloc(block) : calloc(block, 1);
		if (!blocks[i])
			fail("block %llu of %llu bytes", i, block);
		populate(blocks[i], block);
	}
	if (!blocks)
		fail("no memory for %llu pointers", *nr);
	return blocks;
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)*(char * const *)a, y = (uintptr_t)*(char * const *)b;

	return x < y ? -1 : x > y;
}

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static void check(const struct layout *l)
{
	const struct population *p = &l->population;

	if (p->present != p->pages || l->pages != p->pages)
		fail("%llu of %llu pages are present (pagemap: %llu)",
		     p->present, p->pages, l->pages);
	if (p->zero)
		fail("%llu pages are the page of zeroes", p->zero);
}

void allocate_and_show(const char *name, const struct options *o)
{
	struct layout l = { .pagemap = pagemap_open(0) };
	const struct scheme *s = schemes;
	__u64 nr, block, before;
	char **blocks;
	long faults;

	while (strcmp(s->name, name))
		s++;
	if (!pagemap_shows_frames())
		fail(NO_FRAMES);
	if (o->path) {
		l.log = fopen(o->path, "w");
		if (!l.log)
			fail("%s", o->path);
	}
	block = s->block ? s->block : o->bytes;
	faults = minor_faults();
	before = now_ns();
	blocks = allocate(s, o->bytes, &nr);
	printf("allocated scheme=%s bytes=%llu block=%llu blocks=%llu ns=%llu faults=%ld\n",
	       s->name, o->bytes, block, nr, now_ns() - before, minor_faults() - faults);

	printf("order first=%p second=%p last=%p\n", blocks[0],
	       nr > 1 ? blocks[1] : NULL, blocks[nr - 1]);
	qsort(blocks, nr, sizeof(*blocks), by_address);
	add_blocks(&l, blocks, nr, block);
	if (l.log && fclose(l.log))
		fail("writing %s", o->path);
	errno = 0;
	check(&l);
	printf("layout scheme=%s page_bytes=%zu pages=%llu present=%llu zero=%llu",
	       s->name, page_bytes(), l.pages, l.population.present, l.population.zero);
	printf(" va_ranges=%llu runs=%llu longest=%llu\n", l.va_ranges, l.runs, l.longest);
	fflush(stdout);
	while (o->keep)
		pause();
}
