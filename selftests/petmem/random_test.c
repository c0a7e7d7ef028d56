// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: random ioctls from several processes with several threads, with
 * valid arguments and others.  Each thread knows what its memory has to hold.
 *
 *	random_test [operations [seed]]
 */
#include "petmem_test.h"

#define PROCESSES	3
#define THREADS		3
#define SLOTS		40

static long operations = 100000;
static unsigned long seed = 1;

struct slot {
	char *p;
	size_t pages;
	unsigned long value;	/* what touched pages begin with */
	unsigned char touched[64];
};

struct worker {
	unsigned long rnd;
	int fd;
	long ops;
	long wrong;
	struct slot slot[SLOTS];
};

static unsigned long next(struct worker *w)
{
	w->rnd ^= w->rnd << 13;
	w->rnd ^= w->rnd >> 7;
	w->rnd ^= w->rnd << 17;
	return w->rnd >> 11;
}

static void check(struct worker *w, struct slot *s, size_t page)
{
	unsigned long want = s->touched[page] ? s->value + page : 0;

	if (load_word(s->p + page * page_bytes()) != want)
		w->wrong++;
}

/* The harness asks its own file, which knows nothing of this worker's. */
static void touch_page(struct worker *w, struct slot *s, size_t page)
{
	char *p = s->p + page * page_bytes();

	if (page_fault(w->fd, p, 1))
		return;
	check(w, s, page);
	store_word(p, s->value + page);
	s->touched[page] = 1;
}

static void op_alloc(struct worker *w, struct slot *s)
{
	s->pages = 1 + next(w) % 60;
	s->p = lazy_alloc(w->fd, s->pages * page_bytes() - next(w) % 100);
	s->value = next(w) | 1;
	memset(s->touched, 0, sizeof(s->touched));
	if (!s->p)
		w->wrong++;
}

static void op_free(struct worker *w, struct slot *s)
{
	for (size_t i = 0; i < s->pages; i++)
		if (s->touched[i] && !page_fault(w->fd, s->p + i * page_bytes(), 1))
			check(w, s, i);
	if (lazy_free(w->fd, s->p))
		w->wrong++;
	if (next(w) % 8 == 0 && next(w) % 2)
		lazy_free(w->fd, s->p + 1);
	s->p = NULL;
}

/* Nothing of this may have an effect on what others do. */
static void op_nonsense(struct worker *w)
{
	unsigned long arg = next(w) << (next(w) % 40);
	struct memory_range mem = { arg, next(w) };

	switch (next(w) % 9) {
	case 0:
		ioctl(w->fd, PAGE_FAULT, arg & 1 ? 0 : arg);
		break;
	case 1:
		lazy_free(w->fd, (void *)(arg | 1));
		break;
	case 2:
		ioctl(w->fd, ADD_MEMORY, &mem);
		break;
	case 3:
		mem.pages = next(w) % 1000;
		ioctl(w->fd, PETMEM_RELEASE_MEMORY, &mem);
		break;
	case 4:
		if (lazy_alloc(w->fd, 1ULL << 40 | arg))
			w->wrong++;
		break;
	case 5:
		page_fault(w->fd, (void *)arg, next(w) % 4);
		break;
	case 6:
		ioctl(w->fd, INVALIDATE_PAGE, arg);
		break;
	case 7:
		ioctl(w->fd, 100 + arg % 1000, arg);
		break;
	case 8:
		ioctl(w->fd, LAZY_ALLOC, arg & 1 ? 0 : arg << 30);
		break;
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (long i = 0; i < w->ops; i++) {
		struct slot *s = &w->slot[next(w) % SLOTS];
		unsigned long what = next(w) % 16;

		if (!what)
			op_nonsense(w);
		else if (!s->p)
			op_alloc(w, s);
		else if (what < 4)
			op_free(w, s);
		else if (what == 4)
			ioctl(w->fd, INVALIDATE_PAGE, s->p);
		else
			touch_page(w, s, next(w) % s->pages);
	}
	return NULL;
}

static int process(int nr, long ops, bool own_files)
{
	static struct worker worker[THREADS];
	pthread_t thread[THREADS];
	long wrong = 0;
	int fd;

	if (init_petmem())
		return 90;
	fd = open(PETMEM_DEVICE, O_RDONLY);
	for (int i = 0; i < THREADS; i++) {
		worker[i].rnd = seed * 1000 + nr * 100 + i + 1;
		worker[i].ops = ops / THREADS;
		worker[i].fd = own_files ? open(PETMEM_DEVICE, O_RDONLY) : fd;
		if (pthread_create(&thread[i], NULL, work, &worker[i]))
			return 91;
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		wrong += worker[i].wrong;
	}
	if (wrong)
		printf("# number %d: %ld wrong\n", nr, wrong);
	return wrong ? 92 : 0;
}

/* One process is killed at some time, and begun again. */
static int run(bool own_files)
{
	int status = 0;
	pid_t pid[PROCESSES];

	for (int i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		if (!pid[i])
			_exit(process(i, operations / PROCESSES, own_files));
	}
	for (int i = 0; i < 3; i++) {
		pid_t victim = fork();

		if (!victim)
			_exit(process(10 + i, operations, own_files));
		if (victim < 0)
			return 98;
		usleep(200000);
		kill(victim, SIGKILL);
		waitpid(victim, NULL, 0);
	}
	for (int i = 0; i < PROCESSES; i++)
		status |= exit_of(pid[i]);
	return status;
}

TEST_F_TIMEOUT(petmem, random_operations, 300)
{
	ASSERT_EQ(0, close(self->fd));
	EXPECT_EQ(0, run(false));
}

TEST_F_TIMEOUT(petmem, random_operations_own_files, 300)
{
	ASSERT_EQ(0, close(self->fd));
	operations /= 4;
	EXPECT_EQ(0, run(true));
}

FIXTURE(swapping)
{
	struct saved_state saved;
	struct donations old;
};

/* The same with a pool that is too small, also for a few operations, and a swap file. */
FIXTURE_SETUP(swapping)
{
	long pages = operations < 4000 ? 100 : operations < 16000 ? operations / 40 : 400;

	if (!have_petmem())
		SKIP(return, "no " PETMEM_DEVICE);
	ASSERT_EQ(0, exchange_pool(&self->old, pages * page_bytes()));
	save_state(&self->saved);
	ASSERT_EQ(0, set_param("fault", "direct"));
	ASSERT_EQ(0, set_param("swap_path", "/tmp/petmem_random"));
}

FIXTURE_TEARDOWN_PARENT(swapping)
{
	restore_params(&self->saved);
	unlink("/tmp/petmem_random");
	EXPECT_TRUE(pool_is_back(&self->saved));
	EXPECT_EQ(0, restore_pool(&self->old));
}

TEST_F_TIMEOUT(swapping, random_operations, 300)
{
	long outs = pool_stat("swap_outs");

	operations /= 4;
	EXPECT_EQ(0, run(false));
	EXPECT_LT(outs, pool_stat("swap_outs"));
}

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] != '-')
		operations = atol(argv[1]);
	if (argc > 2)
		seed = atol(argv[2]);
	return test_harness_run(1, argv);
}
