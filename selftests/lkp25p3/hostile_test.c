// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/lkp25p3: whatever is written to it, and whatever happens to the memory
 * meanwhile, the kernel neither stumbles nor fills its log.
 */
#include <pthread.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <sys/uio.h>
#include <time.h>
#include "lkp25p3_test.h"

#define HISTOGRAM	LKP25P3_DEBUGFS "/latency"

#define THREADS	2
#define ROUNDS	400		/* as many, or as there are in 10 seconds, */
#define FEWEST	40		/* but so many */

FIXTURE(hostile)
{
	int fd;
	int log;
	size_t page;
};

FIXTURE_SETUP(hostile)
{
	self->page = page_bytes();
	self->log = log_open();
	self->fd = lkp_open();
	if (self->fd < 0)
		SKIP(return, "no " LKP25P3_PROC " (is the module loaded, are you root?)");
}

FIXTURE_TEARDOWN(hostile)
{
	close(self->fd);
	close(self->log);
}

static unsigned int next_random(void)
{
	static unsigned int x = 1;

	x = x * 1664525 + 1013904223;
	return x >> 8;
}

TEST_F(hostile, what_is_no_command_gets_einval)
{
	static const char * const texts[] = {
		"hello", "\n", " ", "0x", "-1", "+5", "1 2", "0 0", "pid", "pid 1",
		"pid x 1000", "pid 0 1000", "pid -1 1000", "range 1 2 3", "range 2 1",
		"0x1000;", "10000000000000000", "%p%s%n", "0x0x1", "\xff\xfe",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		errno = 0;
		EXPECT_EQ(-1, write(self->fd, texts[i], strlen(texts[i])));
		EXPECT_EQ(EINVAL, errno) {
			TH_LOG("text: %s", texts[i]);
		}
	}
	EXPECT_EQ(-1, write(self->fd, "0\0001000", 6));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, "", 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_GE(1 + 10, log_count(self->log, "[lkp25p3]"));
}

TEST_F(hostile, long_input_gets_einval)
{
	static const size_t sizes[] = { 128, 129, 4096, 1 << 20 };
	char *text = malloc(1 << 20), *nowhere = (char *)8;

	memset(text, '0', 1 << 20);
	EXPECT_EQ(127, write(self->fd, text, 127));	/* 0, as an address */
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		errno = 0;
		EXPECT_EQ(-1, write(self->fd, text, sizes[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(-1, write(self->fd, nowhere, 16));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, write(self->fd, nowhere - 4096, 16));
	EXPECT_EQ(EFAULT, errno);
	free(text);
}

TEST_F(hostile, ranges_too_large_are_refused)
{
	static const char * const texts[] = {
		"range 0 ffffffffffffffff", "range 0 7fffffffffff",
		"range ffff800000000000 ffffffffffffffff",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		EXPECT_EQ(-1, write(self->fd, texts[i], strlen(texts[i])));
		EXPECT_EQ(EINVAL, errno);
	}
	/* At the very end of all addresses. */
	EXPECT_NE(NULL, strstr(lkp_command(self->fd, "range fffffffffffff000 ffffffffffffffff"),
			       "pages, 0 present"));
}

TEST_F(hostile, random_bytes_do_nothing)
{
	char text[160];

	for (int i = 0; i < 20000; i++) {
		size_t len = next_random() % sizeof(text);

		for (size_t j = 0; j < len; j++)
			text[j] = i % 2 ? (char)next_random() :
				  "0123456789abcdefx \t\nrangepid"[next_random() % 28];
		/* A dump of process 1 is for another test. */
		if (len && text[0] == '0')
			text[0] = '1';
		if (write(self->fd, text, len) >= 0) {
			EXPECT_GT(128, len);
		} else {
			EXPECT_TRUE(errno == EINVAL || errno == ESRCH ||
				    errno == EAGAIN || errno == EPERM);
		}
	}
	/* 10 lines in 5 seconds for what is none, 1000 in 10 for addresses. */
	EXPECT_GE(2500, log_count(self->log, "[lkp25p3]"));
}

TEST_F(hostile, a_million_lines_are_not_logged)
{
	char command[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(command, sizeof(command), "0x%x", next_random());
		EXPECT_NE(-1, write(self->fd, command, strlen(command)));
	}
	EXPECT_GE(3000, log_count(self->log, "[lkp25p3] VA: "));
}

/* Memory that comes and goes, in all ways, while it is translated. */

struct commotion {
	char *p;
	size_t len;
	bool end;
};

static void *make_commotion(void *data)
{
	struct commotion *c = data;
	size_t part = c->len / 4;
	unsigned int x = 1;
	int status;

	while (!__atomic_load_n(&c->end, __ATOMIC_RELAXED)) {
		char *at = c->p + x % 4 * part;
		pid_t pid;

		x = x * 1664525 + 1013904223;
		switch (x >> 8 & 7) {
		case 0:
			munmap(at, part);
			break;
		case 1:
			mprotect(at, part, PROT_NONE);
			break;
		case 2:
			madvise(at, part, MADV_DONTNEED);
			break;
		case 3:
			madvise(at, part, MADV_COLLAPSE);
			break;
		case 4:
			pid = fork();
			if (!pid)
				_exit(0);
			waitpid(pid, &status, 0);
			break;
		default:
			if (mmap(at, part, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				 -1, 0) == at)
				madvise(at, part, 23 /* MADV_POPULATE_WRITE */);
		}
		sched_yield();
	}
	return NULL;
}

TEST_F_TIMEOUT(hostile, memory_may_come_and_go_meanwhile, 120)
{
	struct commotion c = { .len = 4 * pmd_bytes() };
	pthread_t threads[THREADS];
	unsigned int nr = 512;
	struct lkp25p3_record *recs = calloc(nr, sizeof(*recs));
	uint64_t *vas = calloc(nr, sizeof(*vas));
	time_t end = time(NULL) + 10;

	if (c.len > 64UL << 20)
		c.len = 64UL << 20;
	c.p = map_aligned(c.len, pmd_bytes());
	ASSERT_NE(MAP_FAILED, c.p);
	for (int i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, make_commotion, &c));
	for (int i = 0; i < FEWEST || (i < ROUNDS && time(NULL) < end); i++) {
		unsigned int mode = i % 3;
		uint64_t start = (uintptr_t)c.p +
			(uint64_t)next_random() % (c.len / self->page - nr) * self->page;

		for (unsigned int j = 0; j < nr; j++)
			vas[j] = (uintptr_t)c.p + (uint64_t)next_random() * 64 % c.len;
		ASSERT_EQ(nr, lkp_batch(self->fd, i & 8 ? NULL : vas, start, recs, nr, 0, mode));
		for (unsigned int j = 0; j < nr; j++) {
			ASSERT_GE(LKP25P3_DEVICE, recs[j].state);
			if (recs[j].state == LKP25P3_PRESENT)
				ASSERT_NE(0, recs[j].pa);
		}
	}
	__atomic_store_n(&c.end, true, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	free(recs);
	free(vas);
}

static void *drop_and_fill(void *data)
{
	struct commotion *c = data;

	while (!__atomic_load_n(&c->end, __ATOMIC_RELAXED)) {
		for (size_t i = 0; i < c->len; i += 65536)
			write_page(c->p + i);
		madvise(c->p, c->len, MADV_DONTNEED);
	}
	return NULL;
}

/* arm64 reads an entry of a block twice, and the block may be half gone meanwhile. */
TEST_F_TIMEOUT(hostile, contiguous_entries_may_go_meanwhile, 120)
{
	const char *path = THP "hugepages-64kB/enabled";
	struct commotion c = { .len = 1 << 20 };
	unsigned int nr = c.len / self->page;
	struct lkp25p3_record *recs = calloc(nr, sizeof(*recs));
	time_t end = time(NULL) + 10;
	int made_up = 0;
	pthread_t thread;
	char old[16];

	if (get_choice(path, old, sizeof(old)))
		SKIP(return, "no " THP "hugepages-64kB");
	c.p = map_aligned(c.len, 65536);
	ASSERT_NE(MAP_FAILED, c.p);
	ASSERT_EQ(0, put_file(path, "always"));
	EXPECT_EQ(0, pthread_create(&thread, NULL, drop_and_fill, &c));
	for (int i = 0; i < FEWEST || (i < 20 * ROUNDS && time(NULL) < end); i++) {
		EXPECT_EQ(nr, lkp_batch(self->fd, NULL, (uintptr_t)c.p, recs, nr, 0,
					LKP25P3_LOCKED));
		for (unsigned int j = 0; j < nr; j++)
			made_up += recs[j].state == LKP25P3_PRESENT && recs[j].pa < self->page;
	}
	EXPECT_EQ(0, made_up);
	__atomic_store_n(&c.end, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	put_file(path, old);
	free(recs);
}

/* A process that ends while it is looked at. */
TEST_F_TIMEOUT(hostile, processes_may_end_meanwhile, 120)
{
	struct lkp25p3_record recs[64];
	int status;

	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		for (int j = 0; j < 20; j++)
			if (lkp_batch(self->fd, NULL, 0x400000, recs, 64, pid, 0) != 64)
				EXPECT_EQ(ESRCH, errno);
		waitpid(pid, &status, 0);
	}
}

/* What is counted while the histogram is printed, or begun anew. */

static noreturn void change_the_histogram(int fd)
{
	struct lkp25p3_record rec;

	for (unsigned int i = 0;; i++) {
		lkp_batch(fd, NULL, 0x10000, &rec, 1, 0, LKP25P3_LOCKED);
		if (i % 8 == 0)
			put_file(HISTOGRAM, "0");
	}
}

/* Its lines add up to what its head has, and the last one is at 100 %. */
static bool the_histogram_adds_up(void)
{
	static char text[16384];
	unsigned long long all = 1, sum = 0, nr;
	char percent[16] = "100.00";
	int fd = open(HISTOGRAM, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "%*u %*u %llu %15s", &nr, percent) == 2)
			sum += nr;
		else
			sscanf(line, "# translations: %llu", &all);
	}
	return sum == all && !strcmp(percent, "100.00");
}

TEST_F(hostile, the_histogram_adds_up_meanwhile)
{
	time_t end = time(NULL) + 10;
	int wrong = 0, status;
	pid_t pid;

	if (access(HISTOGRAM, W_OK))
		SKIP(return, "no " HISTOGRAM " (is debugfs mounted?)");
	pid = fork();
	if (!pid)
		change_the_histogram(self->fd);
	for (int i = 0; i < FEWEST || (i < 20 * ROUNDS && time(NULL) < end); i++)
		wrong += !the_histogram_adds_up();
	EXPECT_EQ(0, wrong);
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
}

TEST_HARNESS_MAIN
