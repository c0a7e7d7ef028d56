// SPDX-License-Identifier: GPL-2.0-only
/* /dev/petmem: numbers, arguments, parameters, and memory for the pool. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include "petmem_test.h"

FIXTURE(device)
{
	int fd;
	struct saved_state saved;
};

FIXTURE_SETUP(device)
{
	if (!have_petmem())
		SKIP(return, "no " PETMEM_DEVICE " (is the module loaded, are you root?)");
	save_state(&self->saved);
	self->fd = open(PETMEM_DEVICE, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN_PARENT(device)
{
	restore_params(&self->saved);
	EXPECT_TRUE(pool_is_back(&self->saved));
}

TEST_F(device, layout)
{
	EXPECT_EQ(16, sizeof(struct memory_range));
	EXPECT_EQ(16, sizeof(struct alloc_request));
	EXPECT_EQ(12, sizeof(struct page_fault));
	EXPECT_EQ(1, ADD_MEMORY);
	EXPECT_EQ(2, RELEASE_MEMORY);
	EXPECT_EQ(10, ALLOCATE);
	EXPECT_EQ(11, FREE);
	EXPECT_EQ(30, LAZY_ALLOC);
	EXPECT_EQ(31, LAZY_FREE);
	EXPECT_EQ(32, LAZY_DUMP_STATE);
	EXPECT_EQ(50, PAGE_FAULT);
	EXPECT_EQ(51, INVALIDATE_PAGE);
	EXPECT_EQ(0x1000000000ULL, PETMEM_REGION_START);
	EXPECT_EQ(0x3000000000ULL, PETMEM_REGION_END);
}

TEST_F(device, node)
{
	struct stat st;

	ASSERT_EQ(0, stat(PETMEM_DEVICE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 0777);
	EXPECT_EQ(0, access("/sys/class/petmem/petmem/dev", F_OK));
}

TEST_F(device, unknown_numbers)
{
	static const unsigned int cmds[] = {
		0, 3, 4, 9, 12, 29, 33, 40, 49, 52, 100, 0xffff, 0xffffffff,
		0x4010bd01, 0x4010bdff,
	};

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-1, ioctl(self->fd, cmds[i], 0));
		EXPECT_EQ(ENOTTY, errno);
	}
}

TEST_F(device, bad_pointers)
{
	static const unsigned int cmds[] = {
		ADD_MEMORY, ALLOCATE, LAZY_ALLOC, PAGE_FAULT,
		PETMEM_RELEASE_MEMORY, PETMEM_ADD_CONTIGUOUS,
	};
	static const unsigned long bad[] = { 0, 1, -1UL, 1UL << 62 };

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(bad); j++) {
			EXPECT_EQ(-1, ioctl(self->fd, cmds[i], bad[j]));
			EXPECT_EQ(EFAULT, errno);
		}
	}
}

/* The result cannot be written: then nothing was allocated. */
TEST_F(device, read_only_request)
{
	struct alloc_request *req;
	long allocs = pool_stat("allocs"), frees = pool_stat("frees");

	req = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, req);
	req->size = 1;
	mprotect(req, page_bytes(), PROT_READ);
	EXPECT_EQ(-1, ioctl(self->fd, LAZY_ALLOC, req));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(pool_stat("allocs") - allocs, pool_stat("frees") - frees);
}

TEST_F(device, dump)
{
	EXPECT_EQ(0, ioctl(self->fd, LAZY_DUMP_STATE, 0));
	lazy_alloc(self->fd, 1);
	EXPECT_EQ(0, ioctl(self->fd, LAZY_DUMP_STATE, 0));
}

static int add_memory(int fd, unsigned long long base, unsigned long long pages)
{
	struct memory_range mem = { base, pages };

	return ioctl(fd, ADD_MEMORY, &mem) ? -errno : 0;
}

static int release_memory(int fd, unsigned long long base,
			  unsigned long long pages)
{
	struct memory_range mem = { base, pages };

	return ioctl(fd, PETMEM_RELEASE_MEMORY, &mem) ? -errno : 0;
}

/* Where the kernel's code is, which it certainly uses. */
static unsigned long long kernel_base(void)
{
	unsigned long long start, found = 0;
	char line[256];
	FILE *f = fopen("/proc/iomem", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "Kernel code") &&
		    sscanf(line, " %llx", &start) == 1)
			found = start;
	if (f)
		fclose(f);
	return found & ~(MIB - 1);
}

TEST_F(device, memory_in_use_is_refused)
{
	unsigned long long base = kernel_base();

	if (!base)
		SKIP(return, "/proc/iomem does not tell where the kernel is");
	EXPECT_EQ(-EBUSY, add_memory(self->fd, base, 256));
}

TEST_F(device, nonsense_memory_is_refused)
{
	unsigned long long base = kernel_base();

	EXPECT_EQ(-EINVAL, add_memory(self->fd, base, 0));
	EXPECT_EQ(-EINVAL, add_memory(self->fd, base + 1, 256));
	EXPECT_EQ(-EINVAL, add_memory(self->fd, base + 4095, 256));
	EXPECT_EQ(-EINVAL, add_memory(self->fd, 1ULL << 50, 256));
	EXPECT_EQ(-EINVAL, add_memory(self->fd, -4096ULL * 256, 256));
	EXPECT_EQ(-EINVAL, add_memory(self->fd, -65536ULL, 1024));
	EXPECT_EQ(-EINVAL, add_memory(self->fd, base, -1ULL));
	EXPECT_EQ(-EINVAL, add_memory(self->fd, base, 1ULL << 52));
	EXPECT_EQ(-EINVAL, add_memory(self->fd, base, (1ULL << 52) + 256));
	EXPECT_NE(0, add_memory(self->fd, 0, 1ULL << 40));
	EXPECT_EQ(-EINVAL, release_memory(self->fd, 0, 0));
	EXPECT_EQ(-ENOENT, release_memory(self->fd, 0, 256));
	EXPECT_EQ(-ENOENT, release_memory(self->fd, base, 256));
}

/* The number that the course uses is the kernel's own: the block size. */
TEST_F(device, release_number_is_taken)
{
	struct memory_range mem = { 0, 256 };

	ioctl(self->fd, RELEASE_MEMORY, &mem);
	EXPECT_EQ(pool_stat("total"), self->saved.total);
}

static bool was_there(const struct donation *d, const struct donations *old)
{
	for (int i = 0; i < old->nr; i++)
		if (old->at[i].base == d->base)
			return true;
	return false;
}

TEST_F(device, contiguous_memory_comes_and_goes)
{
	static struct donations old, new;
	unsigned long long bytes = 8 * MIB + 3 * page_bytes();
	long total = pool_stat("total");

	list_donations(&old);
	ASSERT_EQ(0, ioctl(self->fd, PETMEM_ADD_CONTIGUOUS, &bytes));
	EXPECT_EQ(total + bytes / page_bytes(), pool_stat("total"));
	list_donations(&new);
	for (int i = 0; i < new.nr; i++) {
		struct donation *d = &new.at[i];

		if (was_there(d, &old))
			continue;
		EXPECT_NE(0, add_memory(self->fd, d->base, d->pages));
		EXPECT_EQ(-ENOENT, release_memory(self->fd, d->base,
						  d->pages + page_bytes() / 4096));
		EXPECT_EQ(0, take_back(self->fd, d));
		EXPECT_EQ(-1, take_back(self->fd, d));
		EXPECT_EQ(ENOENT, errno);
	}
	EXPECT_EQ(total, pool_stat("total"));
	bytes = 0;
	EXPECT_EQ(-1, ioctl(self->fd, PETMEM_ADD_CONTIGUOUS, &bytes));
	bytes = -1ULL;
	EXPECT_EQ(-1, ioctl(self->fd, PETMEM_ADD_CONTIGUOUS, &bytes));
	bytes = 1ULL << 50;
	EXPECT_EQ(-1, ioctl(self->fd, PETMEM_ADD_CONTIGUOUS, &bytes));
	EXPECT_EQ(total, pool_stat("total"));
}

TEST_F(device, memory_in_use_is_not_released)
{
	struct alloc_request req = { .size = page_bytes() };
	static struct donations d;
	int busy = 0;

	ASSERT_EQ(0, ioctl(self->fd, ALLOCATE, &req));
	ASSERT_NE(0, req.addr);
	list_donations(&d);
	for (int i = 0; i < d.nr; i++)
		if (d.at[i].free * page_bytes() < d.at[i].pages * 4096)
			busy += take_back(self->fd, &d.at[i]) && errno == EBUSY;
	EXPECT_LE(1, busy);
}

TEST_F(device, parameters)
{
	char value[64];

	/* Taken over by the open file. */
	EXPECT_EQ(-1, set_param("fault", "signal"));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, set_param("fit", "best"));
	EXPECT_EQ(-1, set_param("swap_path", "/tmp/x"));
	EXPECT_EQ(-1, set_param("swap_policy", "fifo"));
	close(self->fd);
	EXPECT_EQ(0, set_param("fault", "signal\n"));
	get_param("fault", value, sizeof(value));
	EXPECT_STREQ("signal", value);
	EXPECT_EQ(0, set_param("fault", "direct"));
	EXPECT_EQ(-1, set_param("fault", "other"));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, set_param("fit", "best"));
	EXPECT_EQ(0, set_param("fit", "first"));
	EXPECT_EQ(-1, set_param("fit", "worst"));
	EXPECT_EQ(0, set_param("swap_policy", "fifo"));
	EXPECT_EQ(0, set_param("swap_policy", "clock"));
	EXPECT_EQ(-1, set_param("swap_path", "relative"));
	EXPECT_EQ(0, set_param("swap_path", "/nowhere/at/all"));
	EXPECT_EQ(-1, open(PETMEM_DEVICE, O_RDONLY));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(0, set_param("swap_path", "/dev/null"));
	EXPECT_EQ(-1, open(PETMEM_DEVICE, O_RDONLY));
	EXPECT_EQ(0, set_param("swap_path", "\n"));
	EXPECT_LE(0, open(PETMEM_DEVICE, O_RDONLY));
}

TEST_HARNESS_MAIN
