// SPDX-License-Identifier: GPL-2.0-only
/*
 * accuracy [-n PAGES] [-p PERIODS] [-t MS] [-s SEED] monitor|damon|damon-flush
 *
 * Touches a known set of pages in each period, over and over, and prints which
 * they were and what was said of them by whoever watched:
 *
 *   pattern NAME
 *   truth HEX			bit i: page i was touched in this period
 *   counts COUNT*PAGES ...	the monitor's, summed up over the period, or
 *   region FIRST PAGES SAMPLES	each of DAMON's, of the period's last 100 ms
 *   cpu NS WALL_NS		of the watching thread, for this pattern
 *
 * The sets are made here and nowhere asked of the kernel.  The monitor is asked
 * for what it counted, during the period, as it keeps some seconds only, and until
 * no page was touched any more and a scan was made afterwards; the next period
 * begins then.  DAMON gets a period in front that is
 * not counted, since it begins with ten equal regions, and its regions are asked for
 * while the pages are still being touched.  "damon-flush": with a program whose
 * TLB forgets, see accuracy_workload.c.
 */

#include "accuracy.h"
#include "cost.h"
#include "damon.h"

#define MAX_PAGES	262144U
#define PATIENCE_NS	120000000000ULL
#define NS_PER_MS	1000000ULL

struct job {
	struct workload work;
	unsigned int periods, period_ms;
	uint32_t seed;
	bool *set, *next;
	unsigned int *counts;
	struct lkp25p3_second *second;	/* the last one that was read */
	__u64 cpu, wall;		/* of all of them */
	struct damon_region *regions;
};

static void print_truth(const struct job *j)
{
	printf("truth ");
	for (size_t i = (j->work.nr + 3) / 4; i-- > 0;) {
		unsigned int nibble = 0;

		for (size_t k = 0; k < 4 && 4 * i + k < j->work.nr; k++)
			nibble |= j->set[4 * i + k] << k;
		putchar("0123456789abcdef"[nibble]);
	}
	putchar('\n');
}

/* The set of a period, in a place that nobody reads yet. */
static void begin_period(struct job *j, const char *pattern, unsigned int period)
{
	bool *old = j->set;

	make_set(j->next, j->work.nr, pattern, period, j->seed);
	workload_use(j->next);
	j->set = j->next;
	j->next = old;
}

/* The monitor. */

static int start_monitor(const struct job *j, int *ring)
{
	struct lkp25p3_monitor m = {
		.start = (uintptr_t)j->work.p, .len = j->work.nr * j->work.page,
		.flags = LKP25P3_MONITOR_QUIET,
	};
	int fd = open_or_die(LKP25P3_PROC, O_RDWR);
	char path[96];

	if (ioctl(fd, LKP25P3_IOC_MONITOR_START, &m))
		err(1, "monitor");
	snprintf(path, sizeof(path), LKP25P3_DEBUGFS "/monitor/%u/counts", m.id);
	*ring = open_or_die(path, O_RDONLY);
	return fd;
}

/* What was counted in a second; after some milliseconds nothing if there is no new one. */
static void add_second(struct job *j, int ring)
{
	const struct lkp25p3_second *s = j->second;
	const unsigned char *counts = (const unsigned char *)(s + 1);
	__u64 before = s->seq;
	ssize_t n = read(ring, j->second, sizeof(*s) + j->work.nr);

	if (n < 0)
		err(1, "reading counts");
	if (!n) {
		usleep(5000);
		return;
	}
	if (s->seq != before + 1)
		errx(1, "%llu seconds of counts are lost", s->seq - before - 1);
	for (size_t i = 0; i < j->work.nr; i++)
		j->counts[i] += counts[i];
	j->cpu += s->cpu_ns;
	j->wall += s->end_ns - s->start_ns;
}

/* The period, and then, as nobody touches a page, until what was touched has been counted. */
static void add_counts(struct job *j, int ring)
{
	const struct lkp25p3_second *s = j->second;
	__u64 now, end = now_ns() + j->period_ms * NS_PER_MS;

	while (now_ns() < end)
		add_second(j, ring);
	workload_use(NULL);
	now = now_ns();
	while (s->end_ns - s->scan_ns <= now) {
		if (now_ns() - now > PATIENCE_NS)
			errx(1, "the monitor has told nothing for long");
		add_second(j, ring);
	}
}

static void print_counts(const struct job *j)
{
	printf("counts");
	for (size_t i = 0, n; i < j->work.nr; i += n) {
		for (n = 1; i + n < j->work.nr && j->counts[i + n] == j->counts[i];)
			n++;
		printf(" %u*%zu", j->counts[i], n);
	}
	putchar('\n');
}

static void ask_monitor(struct job *j, const char *pattern)
{
	int ring, fd = start_monitor(j, &ring);

	j->second->seq = 0;
	j->cpu = 0;
	j->wall = 0;
	for (unsigned int i = 1; i <= j->periods; i++) {
		memset(j->counts, 0, j->work.nr * sizeof(*j->counts));
		begin_period(j, pattern, i);
		add_counts(j, ring);
		print_truth(j);
		print_counts(j);
	}
	printf("cpu %llu %llu\n", j->cpu, j->wall);
	printf("monitor granule=%u hardware=%u interval_ms=%u\n", j->second->max_granule,
	       j->second->hw_young, j->second->interval_ms);
	close(ring);
	close(fd);
}

/* DAMON. */

static void print_regions(const struct job *j)
{
	unsigned int nr = damon_regions(j->regions, 4 * DAMON_MAX_REGIONS);
	__u64 start = (uintptr_t)j->work.p;

	print_truth(j);
	for (unsigned int i = 0; i < nr; i++)
		printf("region %llu %llu %u\n",
		       (j->regions[i].start - start) / j->work.page,
		       (j->regions[i].end - j->regions[i].start) / j->work.page,
		       j->regions[i].samples);
}

static void ask_damon(struct job *j, const char *pattern)
{
	struct damon d = {
		.start = (uintptr_t)j->work.p,
		.end = (uintptr_t)j->work.p + j->work.nr * j->work.page,
	};
	__u64 start, cpu;

	if (!damon_start(&d))
		errx(1, "this kernel has no DAMON");
	start = now_ns();
	cpu = damon_cpu_ns(&d);
	for (unsigned int i = 0; i <= j->periods; i++) {
		begin_period(j, pattern, i);
		usleep(j->period_ms * 1000);
		if (i)
			print_regions(j);
	}
	printf("cpu %llu %llu\n", damon_cpu_ns(&d) - cpu, now_ns() - start);
	workload_use(NULL);
	damon_stop();
}

static void *must_alloc(size_t nr, size_t size)
{
	void *p = calloc(nr, size);

	if (!p)
		err(1, "no memory");
	return p;
}

static unsigned long number_or_die(const char *text, unsigned long least, unsigned long most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < least || value > most)
		errx(2, "%s is not a number from %lu to %lu", text, least, most);
	return value;
}

static void parse(struct job *j, int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:p:t:s:")) != -1) {
		if (opt == 'n')
			j->work.nr = number_or_die(optarg, 64, MAX_PAGES);
		else if (opt == 'p')
			j->periods = number_or_die(optarg, 1, 1000);
		else if (opt == 't')
			j->period_ms = number_or_die(optarg, 10, 60000);
		else if (opt == 's')
			j->seed = number_or_die(optarg, 0, UINT32_MAX);
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct job j = {
		.work.nr = 4099, .work.page = getpagesize(),
		.periods = 3, .period_ms = 1000, .seed = 1,
	};
	const char *who;
	bool damon;

	parse(&j, argc, argv);
	who = optind == argc - 1 ? argv[optind] : "";
	damon = !strncmp(who, "damon", 5);
	j.work.forget = !strcmp(who, "damon-flush");
	if (!j.work.forget && strcmp(who, "damon") && strcmp(who, "monitor"))
		errx(2, "who watches? monitor, damon or damon-flush");
	/* From the middle of a table on. */
	j.work.p = map_written(j.work.nr + 3, j.work.page) + 3 * j.work.page;
	j.set = must_alloc(j.work.nr, sizeof(*j.set));
	j.next = must_alloc(j.work.nr, sizeof(*j.next));
	j.counts = must_alloc(j.work.nr, sizeof(*j.counts));
	j.second = must_alloc(1, sizeof(*j.second) + j.work.nr);
	j.regions = must_alloc(4 * DAMON_MAX_REGIONS, sizeof(*j.regions));
	workload_start(&j.work);
	for (int i = 0; patterns[i]; i++) {
		printf("pattern %s\n", patterns[i]);
		if (damon)
			ask_damon(&j, patterns[i]);
		else
			ask_monitor(&j, patterns[i]);
		fflush(stdout);
	}
	workload_stop();
	return 0;
}
