// SPDX-License-Identifier: GPL-2.0-only
/* /dev/petmem: what happens at a touch, in the kernel's own too. */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <linux/futex.h>
#include "petmem_test.h"

static atomic_int signals;
static int fault_fd = -1;
static int last_code;

static void count_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	signals++;
	last_code = info->si_code;
	if (page_fault(fault_fd, info->si_addr, info->si_code))
		signal(sig, SIG_DFL);
}

static void count_signals(int fd)
{
	struct sigaction action = {
		.sa_sigaction = count_fault, .sa_flags = SA_SIGINFO,
	};

	fault_fd = fd;
	signals = 0;
	sigaction(SIGSEGV, &action, NULL);
}

TEST_F(petmem, signals_per_page)
{
	char *p = lazy_alloc(self->fd, 600 * self->page);

	count_signals(self->fd);
	fill_pages(p, 600 * self->page, 1);
	EXPECT_EQ(0, wrong_pages(p, 600 * self->page, 1));
	EXPECT_EQ(is_direct(variant) ? 0 : 600, atomic_load(&signals));
}

/* A page that was read first can be written without another fault. */
TEST_F(petmem, read_first)
{
	char *p = lazy_alloc(self->fd, self->page);
	long faults = pool_stat("faults");

	count_signals(self->fd);
	EXPECT_EQ(0, load_byte(p));
	store_byte(p, 5);
	EXPECT_EQ(5, load_byte(p));
	EXPECT_EQ(faults + 1, pool_stat("faults"));
	EXPECT_GE(1, atomic_load(&signals));
}

TEST_F(petmem, page_fault_ioctl)
{
	char *p = lazy_alloc(self->fd, 2 * self->page);

	EXPECT_EQ(0, page_fault(self->fd, p, 1));
	EXPECT_EQ(0, page_fault(self->fd, p, 1));
	EXPECT_EQ(1, page_fault(self->fd, p, 2));
	EXPECT_EQ(0, page_fault(self->fd, p + self->page + 5, 2));
	EXPECT_EQ(1, page_fault(self->fd, p + self->page, 2));
	EXPECT_EQ(1, page_fault(self->fd, p + 2 * self->page, 1));
	EXPECT_EQ(1, page_fault(self->fd, p - 1, 1));
	EXPECT_EQ(1, page_fault(self->fd, &p, 1));
	EXPECT_EQ(1, page_fault(self->fd, NULL, 1));
	EXPECT_EQ(1, page_fault(self->fd, (void *)-1L, 1));
	EXPECT_EQ(1, page_fault(self->fd, p, 0));
	EXPECT_EQ(1, page_fault(self->fd, p, 3));
	EXPECT_EQ(1, page_fault(self->fd, p, -1));
	EXPECT_EQ(-1, ioctl(self->fd, PAGE_FAULT, NULL));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(petmem, execution_is_refused)
{
	struct own own = { .fn = run_code, .size = 4096, .touch = true };

	EXPECT_EQ(128 + SIGSEGV, end_of(do_own, &own));
	own.touch = false;
	EXPECT_EQ(128 + SIGSEGV, end_of(do_own, &own));
}

/* System calls reach the memory: in signal mode, where it was touched. */
TEST_F(petmem, system_calls)
{
	size_t len = 8 * self->page;
	char *p = lazy_alloc(self->fd, len), *q = lazy_alloc(self->fd, len);
	bool direct = is_direct(variant);
	int fd = open("/dev/zero", O_RDONLY), link[2];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(link));
	if (!direct) {
		EXPECT_EQ(-1, read(fd, p, len));
		EXPECT_EQ(EFAULT, errno);
		for (size_t i = 0; i < len; i += self->page) {
			ASSERT_EQ(0, page_fault(self->fd, p + i, 1));
			ASSERT_EQ(0, page_fault(self->fd, q + i, 1));
		}
	}
	EXPECT_EQ(len, read(fd, p, len));
	fill_pages(p, len, 5);
	EXPECT_EQ(len, write(link[1], p, len));
	EXPECT_EQ(len, read(link[0], q, len));
	EXPECT_EQ(0, wrong_pages(q, len, 5));
	lazy_free(self->fd, p);
	EXPECT_EQ(-1, read(fd, p, len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(fd, q + len, 1));
	EXPECT_EQ(EFAULT, errno);
}

/* Nothing can pin these pages: an error, and not another page. */
TEST_F(petmem, pins_are_refused)
{
	char *p = lazy_alloc(self->fd, self->page);
	int fd = open("/tmp/petmem_direct", O_RDWR | O_CREAT | O_DIRECT, 0600);

	unlink("/tmp/petmem_direct");
	if (fd < 0)
		SKIP(return, "no O_DIRECT in /tmp");
	ASSERT_EQ(0, page_fault(self->fd, p, 1));
	memset(p, 7, self->page);
	if (write(fd, p, self->page) == (ssize_t)self->page) {
		memset(p, 0, self->page);
		ASSERT_EQ(self->page, pread(fd, p, self->page, 0));
		EXPECT_EQ(7, *p);
	} else {
		EXPECT_EQ(EFAULT, errno);
	}
}

static void fill_too_much(void *arg)
{
	unsigned long pages = *(long *)arg;
	char *p;

	if (init_petmem())
		_exit(90);
	p = pet_malloc(pages * page_bytes());
	fill_pages(p, pages * page_bytes(), 1);
	_exit(91);
}

/* Out of pages: an error, never somebody else's page. */
TEST_F_TIMEOUT(petmem, exhaustion, 120)
{
	char *p = lazy_alloc(self->fd, self->page);
	long pages = pool_stat("total") + 1, before;
	int end;

	ASSERT_EQ(0, page_fault(self->fd, p, 1));
	*p = 42;
	before = pool_stat("free");
	end = end_of(fill_too_much, &pages);
	EXPECT_EQ(is_direct(variant) ? 128 + SIGBUS : 128 + SIGSEGV, end);
	EXPECT_EQ(42, *p);
	for (int i = 0; i < 50 && pool_stat("free") != before; i++)
		usleep(20000);
	EXPECT_EQ(before, pool_stat("free"));
}

TEST_F(petmem, limit_of_an_open_file)
{
	char *p = lazy_alloc(self->fd, 20 * self->page);

	ASSERT_EQ(0, set_param("max_open_pages", "10"));
	for (int i = 0; i < 10; i++)
		EXPECT_EQ(0, page_fault(self->fd, p + i * self->page, 1));
	EXPECT_EQ(1, page_fault(self->fd, p + 10 * self->page, 1));
	EXPECT_EQ(0, page_fault(self->fd, p, 1));
	ASSERT_EQ(0, set_param("max_open_pages", "0"));
	EXPECT_EQ(0, page_fault(self->fd, p + 10 * self->page, 1));
}

TEST_F(petmem, invalidate_page)
{
	char *p = lazy_alloc(self->fd, 2 * self->page);

	EXPECT_EQ(0, ioctl(self->fd, INVALIDATE_PAGE, p));
	ASSERT_EQ(0, page_fault(self->fd, p, 1));
	*p = 3;
	EXPECT_EQ(0, ioctl(self->fd, INVALIDATE_PAGE, p + 7));
	EXPECT_EQ(3, *p);
	EXPECT_EQ(-1, ioctl(self->fd, INVALIDATE_PAGE, p + 2 * self->page));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->fd, INVALIDATE_PAGE, NULL));
	EXPECT_EQ(-1, ioctl(self->fd, INVALIDATE_PAGE, &p));
	pet_invlpg(p);
}

TEST_F(petmem, futex)
{
	int *p = lazy_alloc(self->fd, self->page);

	ASSERT_EQ(0, page_fault(self->fd, p, 1));
	EXPECT_EQ(-1, syscall(SYS_futex, p, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
	EXPECT_EQ(EAGAIN, errno);
}

/* Tables come from the pool; in direct mode the core may make one per GiB. */
TEST_F(petmem, tables_come_from_the_pool)
{
	long pool = pool_stat("tables_pool"), core = pool_stat("tables_core");
	char *p = lazy_alloc(self->fd, 3 * pmd_bytes());

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, page_fault(self->fd, p + i * pmd_bytes(), 1));
	EXPECT_LE(pool + 3, pool_stat("tables_pool"));
	EXPECT_EQ(core, pool_stat("tables_core"));
}

TEST_HARNESS_MAIN
