// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: the module cannot go while it is in use, and counts right. */
#include <sys/klog.h>
#include <sys/syscall.h>
#include "paging_test.h"

#define LOG_READ_ALL 3
#define UNLOADED "Unloaded kmod_paging module:"

static const char *module_missing(void)
{
	if (access("/sys/module/paging", F_OK))
		return "the module is not loaded";
	if (access("/sys/module/paging/initstate", F_OK))
		return "built into the kernel, not a module";
	return NULL;
}

static int module_remove(void)
{
	return syscall(SYS_delete_module, "paging", O_NONBLOCK);
}

/* The counters of the last unload in the kernel's log. */
static bool unload_counts(unsigned long *allocated, unsigned long *freed)
{
	static char log[1 << 20];
	int len = klogctl(LOG_READ_ALL, log, sizeof(log) - 1);
	char *at = log, *last = NULL;

	if (len < 0)
		return false;
	log[len] = 0;
	while ((at = strstr(at, UNLOADED)))
		last = at++;
	return last && sscanf(last + strlen(UNLOADED), " allocated %lu pages, freed %lu pages",
			      allocated, freed) == 2;
}

TEST(module_stays_while_memory_is_mapped)
{
	const char *missing = module_missing();
	int fd = open(DEV_NAME, O_RDWR);
	char *p;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_LE(0, fd);
	p = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	close(fd);		/* the mapping alone holds it */
	EXPECT_EQ(-1, module_remove());
	EXPECT_EQ(EAGAIN, errno);
	*p = 1;
	EXPECT_EQ(1, *p);
}

/*
 * rmmod(8) says EBUSY or "in use"; the system call says EAGAIN with
 * O_NONBLOCK, as all callers use it.
 */
TEST(module_goes_with_equal_counters_and_comes_back)
{
	const char *missing = module_missing();
	unsigned long allocated = 1, freed = 0;
	char *p;
	int fd;

	if (missing)
		SKIP(return, "%s", missing);
	if (system("modprobe -n paging 2>/dev/null || modprobe paging 2>/dev/null"))
		SKIP(return, "modprobe cannot find the module to load it again");
	fd = open(DEV_NAME, O_RDWR);
	ASSERT_LE(0, fd);
	p = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, BLOCK, 1);
	ASSERT_EQ(0, munmap(p, BLOCK));
	ASSERT_EQ(0, close(fd));

	ASSERT_EQ(0, module_remove());
	EXPECT_NE(0, access(DEV_NAME, F_OK));
	EXPECT_TRUE(unload_counts(&allocated, &freed));
	EXPECT_LE(BLOCK / page_bytes(), allocated);
	EXPECT_EQ(allocated, freed);
	ASSERT_EQ(0, system("modprobe paging"));
	EXPECT_EQ(0, access(DEV_NAME, F_OK));
}

TEST_HARNESS_MAIN
