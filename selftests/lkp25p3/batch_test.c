// SPDX-License-Identifier: GPL-2.0-only
/* /proc/lkp25p3: many addresses by one call. */
#include <sys/mman.h>
#include "lkp25p3_test.h"

#define LATENCY	LKP25P3_DEBUGFS "/latency"

FIXTURE(batch)
{
	int fd;
	size_t page;
	unsigned int nr;	/* pages at p; two of three are there */
	char *p;
	struct lkp25p3_record *recs;
	uint64_t *vas;
};

FIXTURE_SETUP(batch)
{
	self->page = page_bytes();
	self->nr = 3000;
	self->fd = lkp_open();
	if (self->fd < 0)
		SKIP(return, "no " LKP25P3_PROC " (is the module loaded, are you root?)");
	self->p = map_small(self->nr * self->page);
	self->recs = calloc(self->nr + 1, sizeof(*self->recs));
	self->vas = calloc(self->nr, sizeof(*self->vas));
	ASSERT_NE(MAP_FAILED, self->p);
	for (unsigned int i = 0; i < self->nr; i++)
		if (i % 3)
			write_page(self->p + i * self->page);
}

FIXTURE_TEARDOWN(batch)
{
	close(self->fd);
}

#define batch_fixture FIXTURE_DATA(batch)

static unsigned int state_of(unsigned int i)
{
	return i % 3 ? LKP25P3_PRESENT : LKP25P3_NOT_POPULATED;
}

TEST_F(batch, a_range_has_a_record_for_each_page)
{
	uint64_t start = (uintptr_t)self->p;

	memset(self->recs, 0xff, (self->nr + 1) * sizeof(*self->recs));
	ASSERT_EQ(self->nr, lkp_batch(self->fd, NULL, start, self->recs, self->nr, 0, 0));
	for (unsigned int i = 0; i < self->nr; i++) {
		ASSERT_EQ(state_of(i), self->recs[i].state);
		ASSERT_EQ(pagemap_pfn(self->p + i * self->page) * self->page,
			  self->recs[i].pa);
		ASSERT_EQ(0, self->recs[i].reserved);
	}
	/* Not one more. */
	EXPECT_EQ(~0ULL, self->recs[self->nr].pa);
}

TEST_F(batch, a_range_leaves_a_mapping_and_enters_another)
{
	char *p = map_small(20 * self->page);
	struct lkp25p3_record recs[20];

	write_pages(p, 20 * self->page);
	ASSERT_EQ(0, munmap(p + 5 * self->page, 5 * self->page));
	ASSERT_EQ(0, mprotect(p + 15 * self->page, self->page, PROT_NONE));
	ASSERT_EQ(20, lkp_batch(self->fd, NULL, (uintptr_t)p, recs, 20, 0, 0));
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(i == 15 ? LKP25P3_PROT_NONE :
			  i >= 5 && i < 10 ? LKP25P3_NO_VMA : LKP25P3_PRESENT,
			  recs[i].state);
}

TEST_F(batch, random_addresses_in_all_ways)
{
	static const unsigned int ways[] = { LKP25P3_LOCKED, LKP25P3_LOCK_EACH,
					     LKP25P3_LOCKLESS };
	uint64_t *pas = calloc(self->nr, sizeof(*pas));
	unsigned int x = 1;

	for (unsigned int i = 0; i < self->nr; i++)
		pas[i] = pagemap_pfn(self->p + i * self->page) * self->page;
	for (unsigned int i = 0; i < self->nr; i++) {
		x = x * 1664525 + 1013904223;
		self->vas[i] = (uintptr_t)self->p + (uint64_t)(x >> 8) % self->nr * self->page;
	}
	for (unsigned int w = 0; w < 6; w++) {
		unsigned int mode = ways[w % 3] | (w / 3 ? LKP25P3_TIME_EACH : 0);

		memset(self->recs, 0xff, self->nr * sizeof(*self->recs));
		ASSERT_EQ(self->nr, lkp_batch(self->fd, self->vas, 0, self->recs,
					      self->nr, 0, mode));
		for (unsigned int i = 0; i < self->nr; i++) {
			size_t page = (self->vas[i] - (uintptr_t)self->p) / self->page;

			ASSERT_EQ(state_of(page), self->recs[i].state);
			ASSERT_EQ(pas[page], self->recs[i].pa);
		}
	}
	free(pas);
}

TEST_F(batch, bad_requests_are_refused)
{
	uint64_t va = (uintptr_t)self->p, *vas = self->vas;
	struct lkp25p3_record *recs = self->recs;

	for (unsigned int i = 0; i < self->nr; i++)
		vas[i] = va;
#define REFUSED(want, call) do {		\
		errno = 0;			\
		EXPECT_EQ(-1, call);		\
		EXPECT_EQ(want, errno);		\
	} while (0)
	REFUSED(EINVAL, lkp_batch(self->fd, vas, 0, recs, 0, 0, 0));
	REFUSED(EINVAL, lkp_batch(self->fd, vas, 0, recs, LKP25P3_BATCH_MAX + 1, 0, 0));
	REFUSED(EINVAL, lkp_batch(self->fd, vas, 0, recs, ~0U, 0, 0));
	REFUSED(EINVAL, lkp_batch(self->fd, vas, 0, recs, 1, 0, 3));
	REFUSED(EINVAL, lkp_batch(self->fd, vas, 0, recs, 1, 0, 8));
	REFUSED(EINVAL, lkp_batch(self->fd, vas, 0, recs, 1, -1, 0));
	REFUSED(EINVAL, lkp_batch(self->fd, vas, 0, recs, 1, getpid(), LKP25P3_LOCKLESS));
	REFUSED(EINVAL, lkp_batch(self->fd, NULL, va + 1, recs, 1, 0, 0));
	REFUSED(EINVAL, lkp_batch(self->fd, NULL, -self->page, recs, 2, 0, 0));
	REFUSED(ESRCH, lkp_batch(self->fd, vas, 0, recs, 1, 0x7fffffff, 0));
	REFUSED(EFAULT, lkp_batch(self->fd, vas, 0, NULL, 1, 0, 0));
	REFUSED(EFAULT, lkp_batch(self->fd, vas, 0, (void *)-4096L, 1, 0, 0));
	REFUSED(EFAULT, lkp_batch(self->fd, (void *)8, 0, recs, 1, 0, 0));
	REFUSED(EFAULT, ioctl(self->fd, LKP25P3_IOC_BATCH, NULL));
	REFUSED(EFAULT, ioctl(self->fd, LKP25P3_IOC_BATCH, (void *)-8L));
	REFUSED(ENOTTY, ioctl(self->fd, _IO('P', 0x99)));
	REFUSED(ENOTTY, ioctl(self->fd, 0, NULL));
}

TEST_F(batch, what_was_done_before_a_fault_is_told)
{
	struct lkp25p3_batch batch = { .nr = 3000, .start = (uintptr_t)self->p };
	size_t size = 4 * 65536;
	char *room = map_small(2 * size);

	ASSERT_NE(MAP_FAILED, room);
	ASSERT_EQ(0, mprotect(room + 2 * self->page, 2 * size - 2 * self->page, PROT_NONE));
	batch.records = (uintptr_t)room;
	EXPECT_EQ(-1, ioctl(self->fd, LKP25P3_IOC_BATCH, &batch));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_GE(2 * self->page / sizeof(struct lkp25p3_record), batch.done);
}

TEST_F(batch, a_million_translations_leave_the_log_alone)
{
	unsigned int nr = LKP25P3_BATCH_MAX;
	struct lkp25p3_record *recs = calloc(nr, sizeof(*recs));
	int log = log_open();

	ASSERT_NE(NULL, recs);
	ASSERT_EQ(nr, lkp_batch(self->fd, NULL, (uintptr_t)self->p & -(uint64_t)self->page,
				recs, nr, 0, 0));
	EXPECT_EQ(0, log_count(log, "[lkp25p3]"));
	free(recs);
	close(log);
}

/* Translations in the histogram; the percentile of the last class in *@last. */
static long histogram(double *last)
{
	FILE *f = fopen(LATENCY, "r");
	long from, below, nr, sum = 0, before = -1;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%ld %ld %ld %lf", &from, &below, &nr, last) != 4 ||
		    from >= below || from < before)
			sum = -1000000;
		before = below;
		sum += nr;
	}
	if (f)
		fclose(f);
	return f ? sum : -1;
}

TEST_F(batch, the_histogram_counts_translations)
{
	char command[32];
	double last = 0;

	if (access(LATENCY, R_OK))
		SKIP(return, "no " LATENCY " (is debugfs mounted?)");
	for (unsigned int i = 0; i < self->nr; i++)
		self->vas[i] = (uintptr_t)self->p;
	ASSERT_EQ(0, put_file(LATENCY, "0"));
	EXPECT_EQ(0, histogram(&last));
	lkp_batch(self->fd, self->vas, 0, self->recs, self->nr, 0, LKP25P3_LOCKED);
	EXPECT_EQ(self->nr, histogram(&last));
	lkp_batch(self->fd, self->vas, 0, self->recs, 100, 0,
		  LKP25P3_LOCKLESS | LKP25P3_TIME_EACH);
	EXPECT_EQ(self->nr + 100, histogram(&last));
	snprintf(command, sizeof(command), "%lx", (unsigned long)self->p);
	lkp_command(self->fd, command);
	EXPECT_EQ(self->nr + 101, histogram(&last));
	EXPECT_EQ(100.0, last);
}

TEST_HARNESS_MAIN
