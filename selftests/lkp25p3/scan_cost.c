// SPDX-License-Identifier: GPL-2.0-only
/*
 * scan_cost: what a scan of accessed bits costs for each page, as the monitor
 * itself reports it, beside page_idle.
 *
 * Prints a line for each way: its name and nanoseconds for a page, of the best
 * of some scans; where a nanosecond is an instruction (scripts/guest --icount),
 * instructions.  What the touched pages cost the program afterwards ("touch")
 * is measured too: cores without hardware access flag take a fault for each.
 */
#include "cost.h"

#define PAGES	32768UL
#define SCANS	3
#define THP_64K	"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"
#define IDLE	"/sys/kernel/mm/page_idle/bitmap"

static size_t page;
static unsigned char second[sizeof(struct lkp25p3_second) + PAGES];
static const struct lkp25p3_second *head = (void *)second;

static uint64_t touch(char *p)
{
	uint64_t start = now_ns();

	for (size_t i = 0; i < PAGES; i++)
		__atomic_store_n(p + i * page, 1, __ATOMIC_RELAXED);
	return now_ns() - start;
}

static void next_second(int ring)
{
	for (;;) {
		ssize_t n = read(ring, second, sizeof(second));

		if (n > 0)
			return;
		if (n < 0)
			err(1, "reading counts");
		usleep(5000);
	}
}

static uint64_t young_pages(void)
{
	uint64_t young = 0;

	for (size_t i = 0; i < PAGES; i++)
		young += second[sizeof(*head) + i];
	return young;
}

/* One scan a second; all pages are touched before each if @touched. */
static void measure(const char *name, char *p, int touched, unsigned int flags)
{
	struct lkp25p3_monitor m = {
		.start = (uintptr_t)p, .len = PAGES * page, .interval_ms = 1000,
		.flags = LKP25P3_MONITOR_QUIET | flags,
	};
	uint64_t best = UINT64_MAX, again = UINT64_MAX, took;
	int proc = open_or_die(LKP25P3_PROC, O_RDWR), ring;
	char path[96];

	if (ioctl(proc, LKP25P3_IOC_MONITOR_START, &m))
		err(1, "monitor");
	snprintf(path, sizeof(path), LKP25P3_DEBUGFS "/monitor/%u/counts", m.id);
	ring = open_or_die(path, O_RDONLY);
	next_second(ring);
	for (int i = 0; i < SCANS; i++) {
		took = touched ? touch(p) : 0;
		if (took < again)
			again = took;
		next_second(ring);
		if (head->scans != 1 || head->visited != PAGES)
			errx(1, "%s: %u scans of %llu pages", name, head->scans,
			     (unsigned long long)head->visited);
		if (young_pages() != (touched ? PAGES : 0))
			errx(1, "%s: %llu young pages", name,
			     (unsigned long long)young_pages());
		if (head->scan_ns < best)
			best = head->scan_ns;
	}
	close(ring);
	close(proc);
	print_cost(name, best, PAGES);
	if (touched) {
		snprintf(path, sizeof(path), "%s_touch", name);
		print_cost(path, again, PAGES);
	}
}

static void set_64k(const char *value)
{
	int fd = open(THP_64K, O_WRONLY);

	if (fd >= 0 && write(fd, value, strlen(value)) < 0)
		warn(THP_64K);
	close(fd);
}

static char *map_contiguous(void)
{
	size_t len = PAGES * page;
	char *p;

	set_64k("always");
	p = mmap(NULL, len + 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");
	p += -(uintptr_t)p & 65535;
	memset(p, 1, len);
	set_64k("never");
	return p;
}

/* Mark all pages as idle and ask for them again, in the order of frames. */
static void measure_page_idle(char *p)
{
	static unsigned char frames[1 << 21];	/* a bit for each: 64 GiB of 4 KiB */
	int map = open_or_die("/proc/self/pagemap", O_RDONLY);
	int idle = open(IDLE, O_RDWR);
	uint64_t start, word, entry;

	if (idle < 0)
		return;
	for (size_t i = 0; i < PAGES; i++) {
		if (pread(map, &entry, 8, ((uintptr_t)p / page + i) * 8) != 8)
			err(1, "pagemap");
		entry &= (1ULL << 55) - 1;
		if (entry / 8 < sizeof(frames))
			frames[entry / 8] |= 1 << entry % 8;
	}
	touch(p);
	start = now_ns();
	for (size_t i = 0; i < sizeof(frames); i += 8) {
		memcpy(&word, frames + i, 8);
		if (word && pwrite(idle, &word, 8, i) != 8)
			err(1, IDLE);
	}
	for (size_t i = 0; i < sizeof(frames); i += 8) {
		memcpy(&word, frames + i, 8);
		if (word && pread(idle, &word, 8, i) != 8)
			err(1, IDLE);
	}
	print_cost("page_idle", now_ns() - start, PAGES);
	close(idle);
	close(map);
}

int main(void)
{
	char *p;

	page = getpagesize();
	p = map_written(PAGES, page);
	puts("way,each");
	measure("none_young", p, 0, 0);
	measure("all_young", p, 1, LKP25P3_MONITOR_NO_HAND_ON);
	measure("all_young_handed_on", p, 1, 0);
	measure_page_idle(p);
	if (page == 4096 && !access(THP_64K, W_OK)) {
		p = map_contiguous();
		measure("contiguous_none_young", p, 0, 0);
		measure("contiguous_all_young", p, 1, LKP25P3_MONITOR_NO_HAND_ON);
		measure("contiguous_all_young_handed_on", p, 1, 0);
	}
	return 0;
}
