// SPDX-License-Identifier: GPL-2.0-only
/* /proc/lkp25p3: who may open it, and whom one may look at with it. */
#include <linux/capability.h>
#include <sys/syscall.h>
#include "lkp25p3_test.h"

FIXTURE(access)
{
	int fd;
};

FIXTURE_SETUP(access)
{
	self->fd = lkp_open();
	if (self->fd < 0)
		SKIP(return, "no " LKP25P3_PROC " (is the module loaded, are you root?)");
}

FIXTURE_TEARDOWN(access)
{
	close(self->fd);
}

/* The errno of open() in a child of which @become makes somebody else. */
static int errno_of_open(int (*become)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (become())
			_exit(255);
		errno = 0;
		_exit(lkp_open() < 0 ? errno : 0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int become_nobody(void)
{
	return setgid(65534) || setuid(65534);
}

static int become_root_without_admin(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~(1U << CAP_SYS_ADMIN);
	return syscall(SYS_capset, &header, data);
}

static int become_root_of_a_namespace(void)
{
	if (unshare(CLONE_NEWUSER))
		return -1;
	return put_file("/proc/self/uid_map", "0 0 1") ||
	       put_file("/proc/self/gid_map", "0 0 1");
}

static int become_nobody_else(void)
{
	return 0;
}

TEST_F(access, root_may_open_it)
{
	EXPECT_EQ(0, errno_of_open(become_nobody_else));
}

TEST_F(access, others_get_eperm)
{
	EXPECT_EQ(EPERM, errno_of_open(become_nobody));
	EXPECT_EQ(EPERM, errno_of_open(become_root_without_admin));
}

TEST_F(access, root_of_another_user_namespace_gets_eperm)
{
	if (access("/proc/self/ns/user", F_OK))
		SKIP(return, "no user namespaces");
	EXPECT_EQ(EPERM, errno_of_open(become_root_of_a_namespace));
}

TEST_F(access, an_open_file_can_be_handed_to_somebody)
{
	struct lkp25p3_record rec;
	int status;
	pid_t pid;
	char *p;

	p = map_small(page_bytes());
	pid = fork();
	if (!pid) {
		if (become_nobody())
			_exit(1);
		write_page(p);
		if (lkp(self->fd, p).state != LKP25P3_PRESENT)
			_exit(2);
		/* But not to look at others. */
		if (lkp_batch(self->fd, NULL, (uintptr_t)p, &rec, 1, 1, 0) != -1 ||
		    (errno != EPERM && errno != EACCES))
			_exit(3);
		if (write(self->fd, "0", 1) != -1 || (errno != EPERM && errno != EACCES))
			_exit(4);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(access, a_process_of_the_kernel_has_no_addresses)
{
	struct lkp25p3_record rec;

	/* kthreadd */
	EXPECT_EQ(-1, lkp_batch(self->fd, NULL, 0x10000, &rec, 1, 2, 0));
	EXPECT_EQ(ESRCH, errno);
}

TEST_HARNESS_MAIN
