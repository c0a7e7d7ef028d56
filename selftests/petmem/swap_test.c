// SPDX-License-Identifier: GPL-2.0-only
/* /dev/petmem: more pages than the pool has, which is a small one here. */
#include "petmem_test.h"

#define SWAP_FILE	"/tmp/petmem_swap"
#define POOL_PAGES	1000

/* As petmem_variant is. */
#define swap_variant FIXTURE_VARIANT(swap)

FIXTURE(swap)
{
	int fd;
	size_t page;
	long pages;		/* some more than the pool has */
	struct saved_state saved;
	struct donations old;
};

FIXTURE_VARIANT(swap)
{
	const char *fault;
	const char *policy;
};

FIXTURE_VARIANT_ADD(swap, direct_clock)
{
	.fault = "direct",
	.policy = "clock",
};

FIXTURE_VARIANT_ADD(swap, direct_fifo)
{
	.fault = "direct",
	.policy = "fifo",
};

FIXTURE_VARIANT_ADD(swap, signal_clock)
{
	.fault = "signal",
	.policy = "clock",
};

static bool swap_is_direct(const swap_variant *variant)
{
	return !strcmp(variant->fault, "direct");
}

FIXTURE_SETUP(swap)
{
	if (!have_petmem())
		SKIP(return, "no " PETMEM_DEVICE " (is the module loaded, are you root?)");
	self->page = page_bytes();
	ASSERT_EQ(0, exchange_pool(&self->old, POOL_PAGES * self->page));
	save_state(&self->saved);
	self->pages = self->saved.free + self->saved.free / 8;
	unlink(SWAP_FILE);
	ASSERT_EQ(0, set_param("fault", variant->fault));
	ASSERT_EQ(0, set_param("swap_policy", variant->policy));
	ASSERT_EQ(0, set_param("swap_path", SWAP_FILE));
}

FIXTURE_TEARDOWN_PARENT(swap)
{
	restore_params(&self->saved);
	unlink(SWAP_FILE);
	EXPECT_TRUE(pool_is_back(&self->saved));
	EXPECT_EQ(0, restore_pool(&self->old));
}

static void make_swap_file(off_t bytes)
{
	int fd = open(SWAP_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (ftruncate(fd, bytes))
		perror("ftruncate");
	close(fd);
}

TEST_F_TIMEOUT(swap, contents_survive, 120)
{
	size_t len = self->pages * self->page;
	long outs = pool_stat("swap_outs");
	char *p;

	ASSERT_EQ(0, init_petmem());
	p = pet_malloc(len);
	ASSERT_NE(NULL, p);
	fill_pages(p, len, 1);
	EXPECT_LT(outs, pool_stat("swap_outs"));
	EXPECT_LT(0, pool_stat("swap_used"));
	EXPECT_EQ(0, wrong_pages(p, len, 1));
	fill_pages(p, len, 2);
	EXPECT_EQ(0, wrong_pages(p, len, 2));
	pet_free(p);
	EXPECT_EQ(0, pool_stat("swap_used"));
	EXPECT_EQ(self->saved.free, pool_stat("free"));
}

static void own_share(void *arg)
{
	size_t len = *(size_t *)arg;
	char *p;

	if (init_petmem())
		_exit(90);
	p = pet_malloc(len);
	fill_pages(p, len, getpid());
	for (int i = 0; i < 2; i++)
		if (wrong_pages(p, len, getpid()))
			_exit(92);
}

/* They take pages from each other, and end at different times. */
TEST_F_TIMEOUT(swap, processes_compete, 120)
{
	size_t len = self->pages / 3 * self->page;
	pid_t pid[3];

	for (int i = 0; i < 3; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			own_share(&len);
			_exit(0);
		}
	}
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, exit_of(pid[i]));
}

struct job {
	char *p;
	size_t len;
	unsigned long seed;
	size_t wrong;
};

static void *thread_job(void *arg)
{
	struct job *job = arg;

	fill_pages(job->p, job->len, job->seed);
	job->wrong = wrong_pages(job->p, job->len, job->seed);
	return NULL;
}

TEST_F_TIMEOUT(swap, threads_compete, 120)
{
	size_t len = self->pages / 3 * self->page;
	struct job job[3];
	pthread_t thread[3];

	ASSERT_EQ(0, init_petmem());
	for (int i = 0; i < 3; i++) {
		job[i] = (struct job){ pet_malloc(len), len, i, 1 };
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, thread_job, &job[i]));
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, job[i].wrong);
	}
}

static void fill_and_stop(void *arg)
{
	own_share(arg);
	raise(SIGSTOP);
	pause();
}

TEST_F_TIMEOUT(swap, killed_with_pages_in_the_file, 120)
{
	size_t len = self->pages * self->page;
	int status;
	pid_t pid = fork();

	if (!pid) {
		fill_and_stop(&len);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	EXPECT_TRUE(WIFSTOPPED(status));
	EXPECT_LT(0, pool_stat("swap_used"));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, exit_of(pid));
}

static void fill_for_ever(size_t len)
{
	char *p;

	if (init_petmem())
		_exit(90);
	p = pet_malloc(len);
	for (;;)
		fill_pages(p, len, 1);
}

/* Killed at any moment, also while a page is on its way. */
TEST_F_TIMEOUT(swap, killed_while_swapping, 120)
{
	size_t len = self->pages * self->page;

	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (!pid)
			fill_for_ever(len);
		usleep(300000 + 150000 * i);
		kill(pid, SIGKILL);
		EXPECT_EQ(128 + SIGKILL, exit_of(pid));
	}
}

static void fill_all(void *arg)
{
	size_t len = *(size_t *)arg;
	char *p;

	if (init_petmem())
		_exit(90);
	p = pet_malloc(len);
	fill_pages(p, len, 1);
	_exit(91);
}

/* A file of fixed size is full at some time: an error for who wants more. */
TEST_F_TIMEOUT(swap, full_file, 120)
{
	size_t len = self->pages * self->page;
	int end;

	make_swap_file(64 * self->page);
	end = end_of(fill_all, &len);
	EXPECT_EQ(swap_is_direct(variant) ? 128 + SIGBUS : 128 + SIGSEGV, end);
}

/* The file loses its end: what was there cannot be read, and is not zeroes. */
TEST_F_TIMEOUT(swap, unreadable_slots, 120)
{
	size_t len = self->pages * self->page;
	char *p;
	pid_t pid;
	int end;

	pid = fork();
	if (!pid) {
		no_core();
		if (init_petmem())
			_exit(90);
		p = pet_malloc(len);
		fill_pages(p, len, 1);
		if (truncate(SWAP_FILE, 0))
			_exit(93);
		for (size_t i = 0; i < len; i += self->page)
			if (load_word(p + i) != 1 + i)
				_exit(94);
		_exit(95);
	}
	end = exit_of(pid);
	EXPECT_EQ(swap_is_direct(variant) ? 128 + SIGBUS : 128 + SIGSEGV, end);
}

/*
 * System calls get the pages back as well where the kernel handles faults;
 * where signals do, a system call gives EFAULT until the page is touched.
 */
TEST_F_TIMEOUT(swap, read_and_write, 120)
{
	size_t len = self->pages * self->page;
	unsigned long value, refused = 0;
	int link[2];
	char *p;

	ASSERT_EQ(0, pipe(link));
	ASSERT_EQ(0, init_petmem());
	p = pet_malloc(len);
	fill_pages(p, len, 1);
	for (size_t i = 0; i < len; i += self->page) {
		ssize_t n = write(link[1], p + i, sizeof(value));

		if (n < 0) {
			ASSERT_EQ(EFAULT, errno);
			refused++;
			load_word(p + i);
			n = write(link[1], p + i, sizeof(value));
		}
		ASSERT_EQ(sizeof(value), n);
		ASSERT_EQ(sizeof(value), read(link[0], &value, sizeof(value)));
		ASSERT_EQ(1 + i, value);
	}
	if (swap_is_direct(variant)) {
		EXPECT_EQ(0, refused);
	} else {
		EXPECT_LT(0, refused);
	}
}

/* Writing from this memory holds locks of the file system at the fault. */
TEST_F_TIMEOUT(swap, write_to_the_same_file_system, 120)
{
	size_t len = self->saved.free / 4 * self->page;
	ssize_t n;
	char *p[5];
	int fd;

	ASSERT_EQ(0, init_petmem());
	for (int i = 0; i < 5; i++) {
		p[i] = pet_malloc(len);
		fill_pages(p[i], len, i);
	}
	fd = open("/tmp/petmem_out", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ASSERT_LE(0, fd);
	unlink("/tmp/petmem_out");
	n = write(fd, p[0], len);
	if (swap_is_direct(variant)) {
		EXPECT_EQ(len, n);
		EXPECT_EQ(len, pread(fd, p[1], len, 0));
		EXPECT_EQ(0, wrong_pages(p[1], len, 0));
	} else {
		EXPECT_GT((ssize_t)len, n);
		EXPECT_EQ(0, wrong_pages(p[0], len, 0));
		EXPECT_EQ(len, write(fd, p[0], len));
	}
	close(fd);
}

/* The clock spares what is used again and again; a FIFO cannot. */
TEST_F_TIMEOUT(swap, clock_spares_hot_pages, 120)
{
	size_t hot = 64 * self->page, len = self->pages * self->page;
	long ins = pool_stat("swap_ins");
	char *p;

	ASSERT_EQ(0, init_petmem());
	p = pet_malloc(len);
	fill_pages(p, hot, 1);
	for (size_t i = hot; i < len; i += 32 * self->page) {
		size_t end = i + 32 * self->page;

		fill_pages(p + i, (end < len ? end : len) - i, i);
		ASSERT_EQ(0, wrong_pages(p, hot, 1));
	}
	if (!strcmp(variant->policy, "clock")) {
		EXPECT_EQ(ins, pool_stat("swap_ins"));
	} else {
		EXPECT_LT(ins, pool_stat("swap_ins"));
	}
}

/* What a later year of the course asks for, once: with the defaults. */
FIXTURE(course)
{
	struct saved_state saved;
	struct donations old;
};

FIXTURE_SETUP(course)
{
	if (!have_petmem())
		SKIP(return, "no " PETMEM_DEVICE " (is the module loaded, are you root?)");
	if (page_bytes() != 4096)
		SKIP(return, "33000 pages of that size do not fit into a swap file of a guest");
	if (exchange_pool(&self->old, 128 * MIB)) {
		restore_pool(&self->old);
		SKIP(return, "not enough memory for a pool of that size");
	}
	save_state(&self->saved);
	unlink(SWAP_FILE);
	ASSERT_EQ(0, set_param("swap_path", SWAP_FILE));
}

FIXTURE_TEARDOWN_PARENT(course)
{
	restore_params(&self->saved);
	unlink(SWAP_FILE);
	EXPECT_TRUE(pool_is_back(&self->saved));
	EXPECT_EQ(0, restore_pool(&self->old));
}

TEST_F_TIMEOUT(course, pages_33000_through_128_mb, 600)
{
	size_t len = 33000 * page_bytes();
	long outs = pool_stat("swap_outs");
	char *p;

	ASSERT_EQ(0, init_petmem());
	p = pet_malloc(len);
	ASSERT_NE(NULL, p);
	fill_pages(p, len, 33);
	EXPECT_LT(outs, pool_stat("swap_outs"));
	EXPECT_EQ(0, wrong_pages(p, len, 33));
	pet_free(p);
}

TEST_HARNESS_MAIN
