// SPDX-License-Identifier: GPL-2.0-only
/* /proc/lkp25p3: the module may go while its file is open and a monitor runs. */
#include <sys/syscall.h>
#include "lkp25p3_test.h"

static const char *module_missing(void)
{
	if (access("/sys/module/lkp25p3", F_OK))
		return "the module is not loaded";
	if (access("/sys/module/lkp25p3/initstate", F_OK))
		return "built into the kernel, not a module";
	if (system("modprobe -n lkp25p3 2>/dev/null || modprobe lkp25p3 2>/dev/null"))
		return "modprobe cannot find the module to load it again";
	return NULL;
}

static int module_remove(void)
{
	return syscall(SYS_delete_module, "lkp25p3", O_NONBLOCK);
}

TEST(module_goes_while_its_file_is_open)
{
	struct lkp25p3_monitor m = { .len = page_bytes(), .interval_ms = 4 };
	const char *missing = module_missing();
	int fd = lkp_open();
	char text[16];

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_LE(0, fd);
	m.start = (uintptr_t)map_small(page_bytes());
	ASSERT_EQ(0, ioctl(fd, LKP25P3_IOC_MONITOR_START, &m));
	usleep(20000);
	ASSERT_EQ(0, module_remove());
	EXPECT_NE(0, access(LKP25P3_PROC, F_OK));
	EXPECT_NE(0, access(LKP25P3_DEBUGFS, F_OK));
	EXPECT_EQ(-1, read(fd, text, sizeof(text)));
	EXPECT_EQ(-1, write(fd, "1000", 4));
	EXPECT_EQ(-1, ioctl(fd, LKP25P3_IOC_MONITOR_STOP));
	EXPECT_EQ(0, close(fd));
	ASSERT_EQ(0, system("modprobe lkp25p3"));
	fd = lkp_open();
	EXPECT_LE(0, fd);
	close(fd);
}

TEST(module_comes_and_goes)
{
	const char *missing = module_missing();

	if (missing)
		SKIP(return, "%s", missing);
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, module_remove());
		ASSERT_EQ(0, system("modprobe lkp25p3"));
		ASSERT_EQ(0, access(LKP25P3_PROC, F_OK));
	}
}

TEST_HARNESS_MAIN
