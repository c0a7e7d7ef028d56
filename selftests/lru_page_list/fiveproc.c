// SPDX-License-Identifier: GPL-2.0-only
/*
 * Five processes, each with an equal allocation that it touches all of at
 * first; then the k-th goes on touching k/5 of it.  What is resident of the hot
 * and the cold parts, what faults, and whether the queue is in the order of the
 * accesses is reported per process and for all.
 *
 * usage: fiveproc [key=value]...
 *
 * A touch reads the page and sees whether it is all there, so it takes some
 * thousand instructions: what it costs, and what a fault costs, is told as well,
 * for the simulator.
 *
 *   pattern=rand	rand, zipf, shift, seq, cyclic or another one of pattern.h
 *   load=120		touched pages, % of the pages available at the start
 *   available=0	KiB that these are, where several runs are to be the same
 *   ms=16000		length of the run, of which the second half counts
 *   procs=5		number of processes
 *   file=0		1: a file in the current directory instead of memory
 *   seed=1
 *   write=50		% of touches that write
 *   zipf=100		exponent of zipf, %
 *   hot=20		part of its pages a process of shift is at, %
 *   step=500		ms until it goes on to other pages
 *   by=50		how far then, % of that part; more than 100: it leaps
 *   cluster=0		pages that a touch of rand is followed by, in a row
 *   csv=0		resident pages of each process once in each so many ms
 *   order=0		1: compare the queue with the times of the accesses
 */
#include <sys/prctl.h>
#include "lru_page_list.h"
#include "pattern.h"

#define MAX_PROCS	16

static struct {
	struct pattern how;
	long load, available, ms, procs, file, seed, write, csv, order;
} opt = {
	.how = PATTERN_DEFAULT,
	.load = 120, .ms = 16000, .procs = 5, .seed = 1, .write = 50,
};

struct part {
	long touches;
	long faults;
	long bad;
	long cpu_us;
	long touch_ns;
	char *memory;
};

/* Shared, and never swapped out: it would disturb what is measured. */
static struct shared {
	int ready, go, stop, counting;
	struct part part[MAX_PROCS];
} *shared;

static uint32_t *stamps[MAX_PROCS];	/* of each page, us since the start */
static size_t page_size;
static unsigned long pages;		/* of each process */
static uint64_t started;

static int flag(const int *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void set_flag(int *p, int value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static uint32_t now_us(void)
{
	return (now_ns() - started) / 1000 + 1;
}

static void *lasting(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED || mlock(p, len)) {
		perror("fiveproc: memory for the results");
		exit(1);
	}
	return p;
}

static char *allocate(int me)
{
	size_t len = pages * page_size;
	char name[32];
	int fd = -1;
	char *p;

	if (opt.file) {
		snprintf(name, sizeof(name), "fiveproc.%d", me);
		fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		unlink(name);
		if (fd < 0 || ftruncate(fd, len))
			return NULL;
	}
	p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		 fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

static uint64_t mark(int me, unsigned long page)
{
	return (uint64_t)(me + 1) << 56 | page;
}

/* Of a page: a count at both ends, its mark beside them, and nothing between. */
struct words {
	uint64_t *first, *last, *mark, *copy;
};

static struct words words_of(char *p, unsigned long page)
{
	uint64_t *first = (uint64_t *)(p + page * page_size);
	uint64_t *last = first + page_size / sizeof(*first) - 1;

	return (struct words) { first, last, first + 1, last - 1 };
}

static void fill(int me, char *p, unsigned long page)
{
	struct words w = words_of(p, page);

	store_word(w.mark, mark(me, page));
	store_word(w.copy, mark(me, page));
	stamps[me][page] = now_us();
}

static void touch(struct walker *walker, char *p, unsigned long page, bool writes)
{
	struct words w = words_of(p, page);
	uint64_t expected = mark(walker->me, page), count = load_word(w.first), wrong;

	wrong = count ^ load_word(w.last);
	wrong |= expected ^ load_word(w.mark);
	wrong |= expected ^ load_word(w.copy);
	/* As many words of a larger page: a touch costs the same. */
	for (const uint64_t *word = w.mark + 1; word < w.copy; word += page_size / 4096)
		wrong |= load_word(word);
	if (wrong)
		shared->part[walker->me].bad++;
	if (writes) {
		store_word(w.first, count + 1);
		store_word(w.last, count + 1);
	}
	stamps[walker->me][page] = now_us();
}

/* CPU time of a touch that hits, ns; the walker stays where it is. */
static long touch_cost(struct walker trial, char *p)
{
	const int nr = 500;
	struct timespec from, to;

	touch(&trial, p, 0, true);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (int i = 0; i < nr; i++) {
		/* All of them are there: this is page 0. */
		bool missing = next_page(&trial, now_us() / 1000) >= pages;

		next_random(&trial.random);
		touch(&trial, p, missing, i & 1);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return ((to.tv_sec - from.tv_sec) * 1000000000L + to.tv_nsec - from.tv_nsec) / nr;
}

static long major_faults(long *cpu_us)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	*cpu_us = usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
		  usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
	return usage.ru_majflt;
}

static unsigned long hot_pages(int me)
{
	return pages * (me + 1) / opt.procs;
}

static void child(int me)
{
	struct part *part = &shared->part[me];
	struct walker w;
	char *p = allocate(me);
	long faults = 0, cpu = 0;
	bool counting = false;
	unsigned long i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	part->memory = p;
	if (!p)
		exit(1);
	walker_init(&w, &opt.how, me, opt.seed, hot_pages(me));
	for (i = 0; i < pages; i++)
		fill(me, p, i);
	part->touch_ns = touch_cost(w, p);
	__sync_fetch_and_add(&shared->ready, 1);
	while (!flag(&shared->go))
		usleep(1000);
	while (!flag(&shared->stop)) {
		touch(&w, p, next_page(&w, now_us() / 1000),
		      (long)(next_random(&w.random) >> 33) % 100 < opt.write);
		if (!counting && flag(&shared->counting)) {
			counting = true;
			faults = major_faults(&cpu);
		}
		if (counting)
			part->touches++;
	}
	part->faults = major_faults(&part->cpu_us) - faults;
	part->cpu_us -= cpu;
	__sync_fetch_and_add(&shared->ready, 1);
	for (;;)
		pause();
}

/* ---------------------------------------------------------------- sources */

/*
 * Files that the results come from, open from the start.  To open one takes
 * memory of the kernel's own, which may not come from CMA; where a watermark is
 * raised (watermark_boost_factor) and the free memory is CMA for a good part,
 * as on a machine that these processes keep short of memory, who asks for such
 * memory may wait for minutes while who asks for a user's page does not.
 */
static struct {
	int vmstat, stats, pagemap[MAX_PROCS];
} source;

static int source_of(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* The number after a name that a line of the file begins with; -1 if there is none. */
static long count(int fd, const char *name)
{
	static char text[32768];
	ssize_t len = 0, got;
	char *line;

	while ((got = pread(fd, text + len, sizeof(text) - 1 - len, len)) > 0)
		len += got;
	text[len] = 0;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ')
			return atol(line + strlen(name));
	return -1;
}

/* ---------------------------------------------------------------- results */

struct seen {
	uint32_t stamp;
	uint32_t age;		/* ms, when it was looked at */
	uint64_t pfn;		/* 0: not resident */
	unsigned long place;	/* in the queue, from the front */
};

static int by_pfn(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

/*
 * Of each process all pages, as they were when last looked at.  The processes go on
 * meanwhile: to be stopped, or not to get the CPU for so long, changes what they do.
 */
static struct seen *seen;

/* Pages [from, to) of a process, by its page map. */
static void see_pages(int me, unsigned long from, unsigned long to)
{
	off_t at = ((uintptr_t)shared->part[me].memory / page_size + from) * 8;
	struct seen *into = seen + me * pages;
	uint64_t entry[512];
	unsigned long i;
	uint32_t now;

	if (pread(source.pagemap[me], entry, (to - from) * 8, at) != (ssize_t)(to - from) * 8)
		return;
	now = now_us();
	for (i = from; i < to; i++) {
		into[i].pfn = entry[i - from] & PAGEMAP_PRESENT ? entry[i - from] & PAGEMAP_PFN : 0;
		into[i].stamp = stamps[me][i];
		into[i].age = (int32_t)(now - into[i].stamp) > 0 ? (now - into[i].stamp) / 1000 : 0;
	}
}

static void see(void)
{
	unsigned long i;
	int k;

	for (k = 0; k < opt.procs; k++)
		for (i = 0; i < pages; i += 512)
			see_pages(k, i, i + 512 < pages ? i + 512 : pages);
}

static unsigned long resident(const struct seen *from, unsigned long nr)
{
	unsigned long found = 0;

	while (nr--)
		found += !!from++->pfn;
	return found;
}

static void report_residents(const char *when)
{
	int k;

	for (k = 0; k < opt.procs; k++)
		printf("resident when=%s proc=%d hot=%lu of %lu cold=%lu of %lu\n", when, k + 1,
		       resident(seen + k * pages, hot_pages(k)), hot_pages(k),
		       resident(seen + k * pages + hot_pages(k), pages - hot_pages(k)),
		       pages - hot_pages(k));
}

/* ms since a page was touched; what is older is as old as this. */
#define OLDEST	32768

/* Share of what is resident that would be if exactly the newest were, %. */
static double fidelity(unsigned long nr)
{
	static uint32_t all[OLDEST], there[OLDEST];
	unsigned long i, age, left = resident(seen, nr), frames = left;
	double right = 0;

	memset(all, 0, sizeof(all));
	memset(there, 0, sizeof(there));
	for (i = 0; i < nr; i++) {
		age = seen[i].age < OLDEST ? seen[i].age : OLDEST - 1;
		all[age]++;
		there[age] += !!seen[i].pfn;
	}
	for (age = 0; left; left -= i, age++) {
		i = all[age] < left ? all[age] : left;
		if (i)
			right += (double)there[age] * i / all[age];
	}
	return frames ? 100 * right / frames : 0;
}

/* Of all looks while it counts. */
static struct {
	double fidelity;
	long nr;
} looks;

static void look(uint64_t began)
{
	char when[16];

	see();
	if (flag(&shared->counting)) {
		looks.fidelity += fidelity(opt.procs * pages);
		looks.nr++;
	}
	snprintf(when, sizeof(when), "%lu", (now_ns() - began) / 1000000);
	if (opt.csv)
		report_residents(when);
}

static unsigned long read_queue(FILE *queue, struct seen *seen, unsigned long nr)
{
	unsigned long place = 0, found = 0;
	char line[128];

	while (fgets(line, sizeof(line), queue)) {
		struct seen key, *hit;

		if (sscanf(line, "pfn=%lu", &key.pfn) != 1)
			continue;
		place++;
		hit = bsearch(&key, seen, nr, sizeof(*seen), by_pfn);
		if (hit) {
			hit->place = place;
			found++;
		}
	}
	return found;
}

/*
 * Pairs of pages that are apart in time and in the right order in the queue.  That is not
 * opened before, as it takes memory, which the other policies would not be without.
 */
static void report_order(void)
{
	static const uint32_t apart_us[] = { 12000, 60000, 200000 };
	unsigned long present, found, i, k, pairs, right, nr = opt.procs * pages;
	FILE *queue = fopen(LPL_QUEUE, "r");
	uint64_t random = 12345;
	struct seen *first;

	if (!queue) {
		perror("fiveproc: " LPL_QUEUE);
		return;
	}
	/* The harvest of the last touches: where nothing runs there is no tick to wake it. */
	for (uint64_t end = now_ns() + 100000000; now_ns() < end;)
		;
	see();
	qsort(seen, nr, sizeof(*seen), by_pfn);
	for (i = 0; i < nr && !seen[i].pfn; i++)
		;
	first = seen + i;
	present = nr - i;
	found = read_queue(queue, first, present);
	printf("order resident=%lu in_queue=%lu", present, found);
	for (k = 0; present && k < ARRAY_SIZE(apart_us); k++) {
		pairs = 0;
		right = 0;
		for (i = 0; i < 2000000 && pairs < 400000; i++) {
			struct seen *a = &first[next_random(&random) % present];
			struct seen *b = &first[next_random(&random) % present];

			if (!a->place || !b->place || a->stamp < b->stamp + apart_us[k])
				continue;
			pairs++;
			right += a->place < b->place;
		}
		printf(" apart_%ums=%.3f", apart_us[k] / 1000,
		       pairs ? 100.0 * right / pairs : 0.0);
	}
	printf("\n");
	fclose(queue);
}

static const char *const counters[] = {
	"pgscan_kswapd", "pgscan_direct", "pgsteal_kswapd", "pgsteal_direct", "pgmajfault",
	"pswpin", "pswpout", "workingset_refault_anon", "workingset_refault_file",
};

#define NR_COUNTERS	ARRAY_SIZE(counters)

static void read_counters(long *value)
{
	unsigned int i;

	for (i = 0; i < NR_COUNTERS; i++)
		value[i] = count(source.vmstat, counters[i]);
}

static void report(const long *before, double seconds, long klrud_ns)
{
	long after[NR_COUNTERS], touches = 0, faults = 0, bad = 0, cpu_us = 0, touch_ns = 0;
	long scan, steal;
	double miss = 0;
	unsigned int i;
	int k;

	read_counters(after);
	for (k = 0; k < opt.procs; k++) {
		struct part *part = &shared->part[k];
		double ratio = part->touches ? 100.0 * part->faults / part->touches : 0;

		printf("proc=%d touches=%ld faults=%ld miss=%.2f bad=%ld cpu_us=%ld\n", k + 1,
		       part->touches, part->faults, ratio, part->bad, part->cpu_us);
		cpu_us += part->cpu_us;
		touch_ns += part->touch_ns / opt.procs;
		touches += part->touches;
		faults += part->faults;
		bad += part->bad;
		miss += ratio / opt.procs;
	}
	scan = after[0] + after[1] - before[0] - before[1];
	steal = after[2] + after[3] - before[2] - before[3];
	for (i = 0; i < NR_COUNTERS; i++)
		printf("%s=%ld ", counters[i], after[i] - before[i]);
	printf("\nresult policy=%s", file_text(LPL_DIR "policy"));
	printf(" pattern=%s load=%ld seed=%ld", pattern_names[opt.how.kind], opt.load, opt.seed);
	printf(" touches_s=%.0f faults=%ld miss=%.2f", touches / seconds, faults, miss);
	printf(" scan_steal=%.3f frames=%lu", steal ? (double)scan / steal : 0,
	       resident(seen, opt.procs * pages));
	printf(" klrud_pct=%.2f bad=%ld", klrud_ns / seconds / 1e7, bad);
	printf(" cpu_us=%ld touch_ns=%ld pages=%lu counted_ms=%.0f", cpu_us, touch_ns, pages,
	       seconds * 1000);
	printf(" fidelity=%.2f\n", looks.nr ? looks.fidelity / looks.nr :
	       fidelity(opt.procs * pages));
}

/* ------------------------------------------------------------------- main */

static void wait_for(int nr, const pid_t *pids)
{
	int k, status;

	while (flag(&shared->ready) < nr) {
		usleep(10000);
		for (k = 0; k < opt.procs; k++)
			if (waitpid(pids[k], &status, WNOHANG) == pids[k]) {
				printf("proc=%d ended, status %#x\n", k + 1, status);
				exit(1);
			}
	}
}

static void option(char *arg)
{
	char *value = strchr(arg, '=');
	static const struct { const char *name; long *value; } options[] = {
		{ "load", &opt.load }, { "available", &opt.available },
		{ "ms", &opt.ms }, { "procs", &opt.procs },
		{ "file", &opt.file }, { "seed", &opt.seed }, { "write", &opt.write },
		{ "zipf", &opt.how.zipf }, { "hot", &opt.how.hot }, { "step", &opt.how.step },
		{ "by", &opt.how.by }, { "cluster", &opt.how.cluster },
		{ "csv", &opt.csv }, { "order", &opt.order },
	};
	unsigned int i;

	if (value) {
		*value++ = 0;
		for (i = 0; i < ARRAY_SIZE(options); i++)
			if (!strcmp(arg, options[i].name)) {
				*options[i].value = atol(value);
				return;
			}
		if (!strcmp(arg, "pattern") && pattern_of(&opt.how, value))
			return;
	}
	fprintf(stderr, "fiveproc: what is %s?\n", arg);
	exit(2);
}

static void sleep_until(uint64_t then)
{
	uint64_t now;

	while ((now = now_ns()) < then)
		usleep((then - now) / 1000 + 1);
}

/* Looks each csv ms, or 8 times, at a random moment of these: no pattern is in step. */
static void watch(uint64_t began, uint64_t end)
{
	static uint64_t random = 54321;
	uint64_t every = (opt.csv ? opt.csv : opt.ms / 16) * 1000000ULL, from, at;

	for (from = now_ns(); from < end; from += every) {
		at = from + next_random(&random) % every;
		sleep_until(at < end ? at : end);
		if (now_ns() < end)
			look(began);
	}
	sleep_until(end);
}

static void run(pid_t *pids)
{
	long before[NR_COUNTERS], klrud;
	uint64_t began, counted;

	wait_for(opt.procs, pids);
	see();
	report_residents("start");
	began = now_ns();
	set_flag(&shared->go, 1);
	watch(began, began + opt.ms * 500000ULL);
	read_counters(before);
	klrud = count(source.stats, "cpu_ns");
	counted = now_ns();
	set_flag(&shared->counting, 1);
	/* Late as it may be: it is as long as the first half. */
	watch(began, counted + opt.ms * 500000ULL);
	counted = now_ns() - counted;
	set_flag(&shared->ready, 0);
	klrud = count(source.stats, "cpu_ns") - klrud;
	set_flag(&shared->stop, 1);
	wait_for(opt.procs, pids);
	see();
	report_residents("end");
	report(before, counted / 1e9, klrud);
	if (opt.order)
		report_order();
}

int main(int argc, char **argv)
{
	pid_t pids[MAX_PROCS];
	char path[32];
	int k;

	for (k = 1; k < argc; k++)
		option(argv[k]);
	if (opt.procs < 1 || opt.procs > MAX_PROCS || opt.load < 1 || opt.ms < 100 ||
	    opt.csv < 0 || opt.available < 0 || opt.how.hot < 1 || opt.how.step < 1 ||
	    opt.how.by < 0) {
		fprintf(stderr, "fiveproc: a number is too small, or procs over %d\n", MAX_PROCS);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	page_size = page_bytes();
	started = now_ns();
	shared = lasting(sizeof(*shared));
	/* All allocations together, of which (n + 1) / 2n are touched. */
	if (!opt.available)
		opt.available = mem_available_kb();
	pages = opt.available * 1024 / page_size * opt.load / 100 * 2 / (opt.procs + 1);
	for (k = 0; k < opt.procs; k++)
		stamps[k] = lasting(pages * sizeof(uint32_t));
	seen = lasting(opt.procs * pages * sizeof(*seen));
	printf("pages=%lu procs=%ld page_size=%zu\n", pages, opt.procs, page_size);

	source.vmstat = source_of("/proc/vmstat");
	source.stats = source_of(LPL_DIR "stats");
	for (k = 0; k < opt.procs; k++) {
		pids[k] = fork();
		if (!pids[k])
			child(k);
		snprintf(path, sizeof(path), "/proc/%d/pagemap", pids[k]);
		source.pagemap[k] = source_of(path);
	}
	/* Who measures does not wait for memory of its own, nor for its program's. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		perror("fiveproc: mlockall");
	run(pids);
	for (k = 0; k < opt.procs; k++)
		kill(pids[k], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
