// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: whose memory it is, and that all of it is back in the pool when
 * that has come to an end.  The fixture looks at the pool after each test;
 * these tests look at it earlier, too.
 */
#include <sys/syscall.h>
#include "petmem_test.h"

#ifndef MREMAP_FIXED
#define MREMAP_FIXED 2
#endif

#define LEN	(50 * self->page)

static bool wait_free(long want)
{
	for (int i = 0; i < 100; i++) {
		if (pool_stat("free") == want)
			return true;
		usleep(20000);
	}
	fprintf(stderr, "# free %ld, not %ld\n", pool_stat("free"), want);
	return false;
}

/* Whether @p is nothing to the driver and nothing to the process. */
static void touch(void *p)
{
	write_byte(p);
}

static void begin_anew(void *arg)
{
	size_t len = 50 * page_bytes();
	char *p;

	(void)arg;
	if (init_petmem())
		_exit(90);
	p = pet_malloc(len);
	if (!p)
		_exit(91);
	fill_pages(p, len, 5);
	_exit(wrong_pages(p, len, 5) ? 92 : 0);
}

TEST_F_TIMEOUT(petmem, exit_without_free, 120)
{
	long before = pool_stat("free");

	EXPECT_EQ(0, end_of(begin_anew, NULL));
	EXPECT_TRUE(wait_free(before));
}

static void stop_here(void *p)
{
	(void)p;
	raise(SIGSTOP);
	pause();
}

TEST_F_TIMEOUT(petmem, killed, 120)
{
	struct own own = { .fn = stop_here, .size = 40 * MIB, .touch = true,
			   .offset = 39 * MIB };
	long before = pool_stat("free");
	int status;
	pid_t pid = fork();

	if (!pid) {
		do_own(&own);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_GT(before, pool_stat("free"));
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, exit_of(pid));
	EXPECT_TRUE(wait_free(before));
}

static void exec_true(void *p)
{
	(void)p;
	execl("/proc/self/exe", "life_test", "-x", NULL);
	_exit(93);
}

TEST_F_TIMEOUT(petmem, exec, 120)
{
	struct own own = { .fn = exec_true, .size = 8 * MIB, .touch = true };
	long before = pool_stat("free");

	EXPECT_EQ(0, end_of(do_own, &own));
	EXPECT_TRUE(wait_free(before));
}

/* The child has the descriptor and the handler, and no memory yet. */
static void child_of_fork(void *parents)
{
	size_t len = 50 * page_bytes();
	char *p;

	p = pet_malloc(len);
	if (!p)
		_exit(91);
	if (!all_zero(p, len))
		_exit(92);
	fill_pages(p, len, 77);
	if (wrong_pages(p, len, 77))
		_exit(93);
	/* The same address as the parent's, likely, and other memory. */
	if (p != parents)
		_exit(94);
}

TEST_F_TIMEOUT(petmem, fork_both_sides_allocate_and_write, 120)
{
	char *p = pet_malloc(LEN), *q;
	long before;

	fill_pages(p, LEN, 1);
	before = pool_stat("free");
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, end_of(child_of_fork, p));
		EXPECT_TRUE(wait_free(before));
		EXPECT_EQ(0, wrong_pages(p, LEN, 1));
	}
	q = pet_malloc(LEN);
	ASSERT_NE(NULL, q);
	fill_pages(q, LEN, 2);
	EXPECT_EQ(0, wrong_pages(p, LEN, 1));
	EXPECT_EQ(0, wrong_pages(q, LEN, 2));
}

TEST_F_TIMEOUT(petmem, parents_memory_is_not_the_childs, 120)
{
	char *p = pet_malloc(LEN);

	fill_pages(p, LEN, 1);
	EXPECT_EQ(128 + SIGSEGV, end_of(touch, p));
	EXPECT_EQ(128 + SIGSEGV, end_of(read_byte, p));
	EXPECT_EQ(0, wrong_pages(p, LEN, 1));
}

static void free_it(void *p)
{
	pet_free(p);
}

TEST_F_TIMEOUT(petmem, child_cannot_free_parents_memory, 120)
{
	char *p = pet_malloc(LEN);

	fill_pages(p, LEN, 1);
	EXPECT_EQ(0, end_of(free_it, p));
	EXPECT_EQ(0, wrong_pages(p, LEN, 1));
}

static void free_twice(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		char *p = pet_malloc(1);

		write_byte(p);
		pet_free(p);
	}
}

/* Children that have come and gone leave nothing behind in the open file. */
TEST_F_TIMEOUT(petmem, children_that_free_everything, 120)
{
	char line[256];
	int maps = 0;
	FILE *f;

	for (int i = 0; i < 20; i++)
		EXPECT_EQ(0, end_of(free_twice, NULL));
	f = fopen(DEBUGFS "/petmem/opens", "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f))
		maps += !strncmp(line, "  map", 5);
	fclose(f);
	EXPECT_EQ(0, maps);
}

TEST_F_TIMEOUT(petmem, use_after_free_dies, 120)
{
	struct own own = { .fn = touch, .size = LEN, .touch = true,
			   .free = true };

	EXPECT_EQ(128 + SIGSEGV, end_of(do_own, &own));
	own.offset = LEN - 1;
	EXPECT_EQ(128 + SIGSEGV, end_of(do_own, &own));
	own.fn = read_byte;
	EXPECT_EQ(128 + SIGSEGV, end_of(do_own, &own));
}

TEST_F_TIMEOUT(petmem, outside_of_allocations_dies, 120)
{
	struct own own = { .fn = touch, .size = LEN, .offset = LEN };

	EXPECT_EQ(128 + SIGSEGV, end_of(do_own, &own));
	own.offset = 100 * GIB;
	EXPECT_EQ(128 + SIGSEGV, end_of(do_own, &own));
	own.offset = 200 * GIB;
	EXPECT_EQ(128 + SIGSEGV, end_of(do_own, &own));
	EXPECT_EQ(128 + SIGSEGV, end_of(touch, NULL));
}

/* No mapping keeps the file: its last close is the end of its memory. */
TEST_F_TIMEOUT(petmem, last_close_frees, 120)
{
	long before = pool_stat("free");
	int fd = open(PETMEM_DEVICE, O_RDONLY), fd2 = dup(fd);
	char *p = lazy_alloc(fd, LEN), *q;

	ASSERT_NE(NULL, p);
	for (size_t i = 0; i < LEN && !is_direct(variant); i += self->page)
		ASSERT_EQ(0, page_fault(fd, p + i, 1));
	fill_pages(p, LEN, 1);
	close(fd);
	EXPECT_EQ(0, wrong_pages(p, LEN, 1));
	EXPECT_EQ(0, page_fault(fd2, p, 1));
	close(fd2);
	EXPECT_TRUE(wait_free(before));
	EXPECT_EQ(128 + SIGSEGV, end_of(touch, p));
	q = pet_malloc(LEN);
	ASSERT_NE(NULL, q);
	EXPECT_TRUE(all_zero(q, LEN));
}

/* A child has the last descriptor, the parent the memory. */
TEST_F_TIMEOUT(petmem, last_close_in_another_process, 120)
{
	int fd = open(PETMEM_DEVICE, O_RDONLY), go[2];
	char *p = lazy_alloc(fd, LEN), c;
	long before;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		close(go[1]);
		read(go[0], &c, 1);
		_exit(0);
	}
	before = pool_stat("free");
	for (size_t i = 0; i < LEN; i += self->page)
		ASSERT_EQ(0, page_fault(fd, p + i, 1));
	fill_pages(p, LEN, 1);
	close(fd);
	EXPECT_EQ(0, wrong_pages(p, LEN, 1));
	write(go[1], "", 1);
	EXPECT_EQ(0, exit_of(pid));
	/* Tables of the upper level stay until the VMA goes. */
	for (int i = 0; i < 100 && pool_stat("free") < before - 1; i++)
		usleep(10000);
	EXPECT_LE(before - 1, pool_stat("free"));
	EXPECT_EQ(1, page_fault(self->fd, p, 1));
}

static void *thread_touch(void *p)
{
	for (int i = 0; i < 1000; i++)
		write_byte((char *)p + i % 50 * page_bytes());
	return NULL;
}

static void *thread_free(void *p)
{
	pet_free(p);
	return NULL;
}

TEST_F_TIMEOUT(petmem, threads_share_memory, 120)
{
	char *p = pet_malloc(LEN);
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, thread_touch, p));
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	EXPECT_EQ(1, *p);
	ASSERT_EQ(0, pthread_create(&thread[0], NULL, thread_free, p));
	pthread_join(thread[0], NULL);
	EXPECT_EQ(-1, lazy_free(self->fd, p));
}

static void touch_while_freed(void *arg)
{
	size_t len = 50 * page_bytes();
	pthread_t thread;
	char *p;

	(void)arg;
	if (init_petmem())
		_exit(90);
	p = pet_malloc(len);
	fill_pages(p, len, 1);
	pthread_create(&thread, NULL, thread_free, p);
	for (;;)
		thread_touch(p);
}

TEST_F_TIMEOUT(petmem, free_from_another_thread_ends_the_toucher, 120)
{
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(128 + SIGSEGV, end_of(touch_while_freed, NULL));
}

/* Every first touch is a race of four threads. */
static void *thread_race(void *p)
{
	for (size_t i = 0; i < 2000; i++)
		write_byte((char *)p + i * page_bytes());
	return NULL;
}

TEST_F_TIMEOUT(petmem, threads_race_for_first_touches, 120)
{
	char *p = pet_malloc(2000 * self->page);
	pthread_t thread[4];

	if (pool_stat("free") < 2100)
		SKIP(return, "the pool is too small");
	for (int i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, thread_race, p));
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	for (size_t i = 0; i < 2000; i++)
		ASSERT_EQ(1, p[i * self->page]);
}

/* The process may unmap an arena, as a whole. It is its own memory. */
TEST_F_TIMEOUT(petmem, munmap, 120)
{
	char *p = pet_malloc(LEN), *q;
	long before = pool_stat("free");

	fill_pages(p, LEN, 1);
	EXPECT_EQ(-1, munmap(p, self->page));
	EXPECT_EQ(0, wrong_pages(p, LEN, 1));
	EXPECT_EQ(0, munmap((void *)PETMEM_REGION_START,
			    PETMEM_REGION_END - PETMEM_REGION_START));
	/* In direct mode there was a table before there was a page. */
	for (int i = 0; i < 100 && pool_stat("free") < before; i++)
		usleep(20000);
	EXPECT_LE(before, pool_stat("free"));
	EXPECT_EQ(-1, lazy_free(self->fd, p));
	EXPECT_EQ(1, page_fault(self->fd, p, 1));
	q = pet_malloc(LEN);
	ASSERT_NE(NULL, q);
	EXPECT_TRUE(all_zero(q, LEN));
}

TEST_F_TIMEOUT(petmem, vma_cannot_be_changed, 120)
{
	char *p = pet_malloc(LEN), *to;

	fill_pages(p, LEN, 1);
	EXPECT_EQ(-1, mprotect(p, self->page, PROT_READ));
	EXPECT_EQ(-1, mprotect((void *)PETMEM_REGION_START, GIB, PROT_READ));
	EXPECT_EQ(-1, mprotect((void *)PETMEM_REGION_START, GIB,
			       PROT_READ | PROT_WRITE | PROT_EXEC));
	EXPECT_EQ(-1, madvise(p, self->page, MADV_DONTNEED));
	EXPECT_EQ(-1, madvise((void *)PETMEM_REGION_START, GIB, MADV_DOFORK));
	EXPECT_EQ(MAP_FAILED, mremap(p, self->page, 2 * self->page, MREMAP_MAYMOVE));
	to = mmap(NULL, GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, to);
	EXPECT_EQ(MAP_FAILED, mremap((void *)PETMEM_REGION_START, GIB, GIB,
				     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(0, wrong_pages(p, LEN, 1));
	pet_free(p);
}

/* kB of page tables of this process. */
static long table_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	long kb = -1;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPTE: %ld kB", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/*
 * The kernel moves page table entries before it asks whether it may. Where the
 * new addresses lie otherwise in their tables than the old ones, it makes
 * tables on its way back, below one of the driver's.
 */
TEST_F_TIMEOUT(petmem, refused_move_leaves_no_tables, 120)
{
	/* The longest that a table of one level spans: 32 MiB with pages of 16 KiB. */
	unsigned long align = 32 * MIB;
	char *room = mmap(NULL, 2 * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long before = table_kb();
	char *p, *to;

	ASSERT_NE(MAP_FAILED, room);
	ASSERT_LT(0, before);
	to = (char *)(((unsigned long)room + align - 1) / align * align) + self->page;
	p = pet_malloc(self->page);
	ASSERT_NE(NULL, p);
	store_byte(p, 3);
	EXPECT_EQ(MAP_FAILED, mremap((void *)PETMEM_REGION_START, GIB, GIB,
				     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(3, load_byte(p));
	pet_free(p);
	ASSERT_EQ(0, munmap(room, 2 * GIB));
	EXPECT_GE(before, table_kb());
}

/* What is allocated in an arena that was unmapped and made anew is kept. */
TEST_F_TIMEOUT(petmem, memory_in_an_arena_made_anew, 120)
{
	char *first = pet_malloc(self->page), *hole = pet_malloc(self->page);
	char *rest = pet_malloc(GIB), *again;

	ASSERT_EQ((char *)PETMEM_REGION_START, first);
	ASSERT_EQ(first + self->page, hole);
	ASSERT_NE(NULL, rest);
	ASSERT_EQ(0, munmap(first, GIB));
	pet_free(hole);
	again = pet_malloc(self->page);
	ASSERT_EQ(hole, again);
	store_byte(again, 7);
	pet_free(first);
	EXPECT_EQ(7, load_byte(again));
	pet_free(again);
	pet_free(rest);
}

/* With MCL_FUTURE the addresses alone count as locked memory. */
static void lock_what_comes(void *arg)
{
	struct rlimit little = { 64 * KIB, 64 * KIB };
	int fd = open(PETMEM_DEVICE, O_RDONLY);
	char *p;

	(void)arg;
	if (fd < 0 || setrlimit(RLIMIT_MEMLOCK, &little) || seteuid(65534))
		_exit(90);
	if (mlockall(MCL_FUTURE))
		_exit(91);
	errno = 0;
	if (lazy_alloc(fd, MIB) || errno != EAGAIN)
		_exit(92);
	munlockall();
	p = lazy_alloc(fd, MIB);
	_exit(!p || lazy_free(fd, p) ? 93 : 0);
}

TEST_F_TIMEOUT(petmem, locked_memory_has_a_limit, 120)
{
	EXPECT_EQ(0, end_of(lock_what_comes, NULL));
}

TEST_F_TIMEOUT(petmem, module_stays_while_in_use, 120)
{
	if (access("/sys/module/petmem/initstate", F_OK))
		SKIP(return, "built into the kernel, not a module");
	EXPECT_EQ(-1, syscall(SYS_delete_module, "petmem", O_NONBLOCK));
	EXPECT_EQ(EAGAIN, errno);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "-x"))
		return 0;
	return test_harness_run(argc, argv);
}
