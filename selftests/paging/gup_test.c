// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: others at its pages: devices, debuggers, pipes. */
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include "paging_test.h"

#define IO_BYTES (512UL << 10)
#define EXT4_BYTES (16UL << 20)
#define EXT4 "/tmp/paging-ext4"

/* A disk in memory: a loop device over a memfd, so that no real one is at risk. */
struct disk {
	int loop, file;
	char path[32];
	const char *missing;
};

static struct disk disk_open(size_t bytes)
{
	struct disk d = { -1, -1, "", NULL };
	int control = open("/dev/loop-control", O_RDWR), nr;

	if (control < 0) {
		d.missing = "no /dev/loop-control";
		return d;
	}
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	d.file = memfd_create("disk", 0);
	if (nr < 0 || d.file < 0 || ftruncate(d.file, bytes)) {
		d.missing = "no free loop device or no memfd";
		return d;
	}
	snprintf(d.path, sizeof(d.path), "/dev/loop%d", nr);
	d.loop = open(d.path, O_RDWR | O_DIRECT);
	if (d.loop < 0 || ioctl(d.loop, LOOP_SET_FD, d.file))
		d.missing = "no loop device";
	return d;
}

static void disk_close(struct disk *d)
{
	ioctl(d->loop, LOOP_CLR_FD);
	close(d->loop);
	close(d->file);
}

TEST_F(paging, can_be_written_out_by_direct_io)
{
	char *p = map_pages(self, IO_BYTES), *copy = malloc(IO_BYTES);
	struct disk d = disk_open(IO_BYTES);

	if (d.missing)
		SKIP(return, "%s", d.missing);
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, IO_BYTES, 1);
	EXPECT_EQ(IO_BYTES, pwrite(d.loop, p, IO_BYTES, 0));
	EXPECT_EQ(IO_BYTES, pread(d.file, copy, IO_BYTES, 0));
	EXPECT_EQ(0, wrong_pages(copy, IO_BYTES, 1));
	disk_close(&d);
}

/* Into pages that nobody has touched: pinning them is what faults them in. */
TEST_F(paging, can_be_read_into_by_direct_io)
{
	char *p = map_pages(self, IO_BYTES), *copy = malloc(IO_BYTES);
	struct disk d = disk_open(IO_BYTES);

	if (d.missing)
		SKIP(return, "%s", d.missing);
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(copy, IO_BYTES, 2);
	EXPECT_EQ(IO_BYTES, pwrite(d.file, copy, IO_BYTES, 0));
	EXPECT_EQ(IO_BYTES, pread(d.loop, p, IO_BYTES, 0));
	EXPECT_EQ(0, wrong_pages(p, IO_BYTES, 2));
	disk_close(&d);
}

static const char *mount_ext4(struct disk *d)
{
	char command[80];

	/* A device that somebody has open for writing may not be mountable. */
	close(d->loop);
	d->loop = open(d->path, O_RDONLY);
	snprintf(command, sizeof(command), "mke2fs %s >/dev/null 2>&1", d->path);
	if (system(command))
		return "no mke2fs";
	mkdir(EXT4, 0700);
	return mount(d->path, EXT4, "ext4", 0, NULL) ? "no ext4" : NULL;
}

/* The same with a file system between. */
TEST_F(paging, can_be_the_buffer_of_a_file_in_ext4)
{
	char *p = map_pages(self, IO_BYTES), *q = map_pages(self, IO_BYTES);
	struct disk d = disk_open(EXT4_BYTES);
	const char *missing = d.missing ?: mount_ext4(&d);
	int fd;

	if (missing) {
		disk_close(&d);
		SKIP(return, "%s", missing);
	}
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	fill_pages(p, IO_BYTES, 3);
	fd = open(EXT4 "/file", O_RDWR | O_CREAT | O_DIRECT, 0600);
	EXPECT_LE(0, fd);
	EXPECT_EQ(IO_BYTES, pwrite(fd, p, IO_BYTES, 0));
	EXPECT_EQ(IO_BYTES, pread(fd, q, IO_BYTES, 0));
	EXPECT_EQ(0, wrong_pages(q, IO_BYTES, 3));
	close(fd);
	EXPECT_EQ(0, umount(EXT4));
	disk_close(&d);
}

/* A child that waits, with the mapping, until @release is closed. */
static pid_t start_child(int release[2])
{
	pid_t pid;
	char c;

	if (pipe(release))
		return -1;
	pid = fork();
	if (!pid) {
		close(release[1]);
		_exit(read(release[0], &c, 1) != 0);
	}
	close(release[0]);
	return pid;
}

/* The child inherits the mapping; we look at it without one of our own. */
TEST_F(paging, can_be_read_and_written_by_process_vm)
{
	char *p = map_pages(self, self->len), *copy = malloc(self->len);
	struct iovec local = { copy, self->len }, remote = { p, self->len };
	int release[2];
	pid_t pid;

	if (process_vm_readv(getpid(), NULL, 0, NULL, 0, 0))
		SKIP(return, "no process_vm_readv()");
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 1);
	pid = start_child(release);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, munmap(p, self->len));

	EXPECT_EQ(self->len,
		  process_vm_readv(pid, &local, 1, &remote, 1, 0));
	EXPECT_EQ(0, wrong_pages(copy, self->len, 1));
	fill_pages(copy, self->len, 2);
	EXPECT_EQ(self->len,
		  process_vm_writev(pid, &local, 1, &remote, 1, 0));
	memset(copy, 0, self->len);
	EXPECT_EQ(self->len, process_vm_readv(pid, &local, 1, &remote, 1, 0));
	EXPECT_EQ(0, wrong_pages(copy, self->len, 2));
	close(release[1]);
	waitpid(pid, NULL, 0);
}

TEST_F(paging, can_be_peeked_and_poked_by_ptrace)
{
	char *p = map_pages(self, self->len);
	char *at = p + self->len / 2 + self->page;
	int release[2], status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 3);
	pid = start_child(release);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(3 + (at - p), ptrace(PTRACE_PEEKDATA, pid, at, 0));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, pid, at, 4711));
	EXPECT_EQ(4711, load_word((void *)at));
	ptrace(PTRACE_DETACH, pid, 0, 0);
	close(release[1]);
	waitpid(pid, NULL, 0);
}

TEST_F(paging, can_be_read_through_proc_mem)
{
	char *p = map_pages(self, self->len), *copy = malloc(self->len);
	int mem = open("/proc/self/mem", O_RDONLY);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_LE(0, mem);
	fill_pages(p, self->len, 4);
	ASSERT_EQ(self->len, pread(mem, copy, self->len, (off_t)p));
	EXPECT_EQ(0, wrong_pages(copy, self->len, 4));
}

/* The pipe holds the pages themselves: no one else may get them meanwhile. */
TEST_F(paging, stays_intact_in_a_pipe_after_munmap)
{
	size_t len = 8 * self->page;
	char *p = map_pages(self, len), *q, *copy = malloc(len);
	struct iovec iov = { p, len };
	ssize_t in_pipe, got = 0, n;
	int pipes[2];

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, len, 5);
	ASSERT_EQ(0, pipe(pipes));
	in_pipe = vmsplice(pipes[1], &iov, 1, 0);
	ASSERT_LT(0, in_pipe);
	ASSERT_EQ(0, munmap(p, len));

	/* Whatever was freed wrongly is taken and overwritten here. */
	for (int i = 0; i < 4; i++) {
		q = map_pages(self, self->len);
		ASSERT_NE(MAP_FAILED, q);
		fill_pages(q, self->len, 1000);
		ASSERT_EQ(0, munmap(q, self->len));
	}
	while (got < in_pipe) {
		n = read(pipes[0], copy + got, in_pipe - got);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_EQ(0, wrong_pages(copy, in_pipe, 5));
}

TEST_F(paging, can_be_the_buffer_of_read_and_write)
{
	char *p = map_pages(self, IO_BYTES), *q = map_pages(self, IO_BYTES);
	int fd = memfd_create("file", 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	fill_pages(p, IO_BYTES, 6);
	EXPECT_EQ(IO_BYTES, pwrite(fd, p, IO_BYTES, 0));
	EXPECT_EQ(IO_BYTES, pread(fd, q, IO_BYTES, 0));
	EXPECT_EQ(0, wrong_pages(q, IO_BYTES, 6));
}

TEST_HARNESS_MAIN
