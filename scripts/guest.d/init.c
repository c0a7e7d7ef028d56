// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's first process: mounts what a program expects, loads the lab's
 * drivers, runs one command and tells the host how it went.
 *
 * The host's half is scripts/lib/guest_channel.py. The job is a file of
 * NUL-terminated strings that the host adds to the initramfs: what leads to the
 * host (a device, or the name of a virtio port), the disk's device or "", then
 * the command's arguments.
 * Without a job, or with "" there, the command (or a shell) runs on the console.
 *
 * On the channel everything is a frame: one letter, the length as four bytes,
 * little end first, and the bytes:
 *   o e   output of the command, its stdout and its stderr
 *   m     a message of this program for the user
 *   k     records of /dev/kmsg
 *   x     the end: exit status, tainted before, tainted after (decimal)
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define JOB_FILE	"/.guest/job"
#define GIVEN_TMP	"/.guest/tmp"
#define DRIVERS_FILE	"/.guest/drivers"
#define PORTS		"/sys/class/virtio-ports"
#define MAGIC		"\001PAGING-GUEST 1\n"
#define MAX_WORDS	4096
#define DEVICE_WAIT_MS	20000
#define REST_MS		2000
#define HEAD		5		/* of a frame */
#define CHUNK		65536

static int channel = -1;

static const struct {
	const char *source, *target, *options;
} mounts[] = {
	{ "devtmpfs", "/dev",               NULL },
	{ "proc",     "/proc",              NULL },
	{ "sysfs",    "/sys",               NULL },
	{ "devpts",   "/dev/pts",           "mode=0620,ptmxmode=0666" },
	{ "tmpfs",    "/dev/shm",           "mode=1777" },
	{ "tmpfs",    "/tmp",               "mode=1777" },
	{ "debugfs",  "/sys/kernel/debug",  NULL },
	{ "tracefs",  "/sys/kernel/tracing", NULL },
	{ "cgroup2",  "/sys/fs/cgroup",     NULL },
};

static void write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		if (n > 0) {
			data += n;
			len -= n;
		}
	}
}

/* HEAD bytes lie free before @data, so that a frame is one write. */
static void send_frame(char kind, char *data, size_t len)
{
	unsigned char *head = (unsigned char *)data - HEAD;

	head[0] = kind;
	for (int i = 0; i < 4; i++)
		head[1 + i] = len >> (8 * i);
	write_all(channel, (char *)head, HEAD + len);
}

/* To the user where the host already listens, else to the console. */
__attribute__((format(printf, 2, 3)))
static void say(char kind, const char *format, ...)
{
	char frame[HEAD + 512], *text = frame + HEAD;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, 512, format, args);
	va_end(args);
	if (len > 511)
		len = 511;
	if (channel >= 0)
		send_frame(kind, text, len);
	else
		dprintf(2, "guest: %s\n", text);
}

static void mount_everything(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].target, 0755);
		/* A kernel without one of them is the user's choice. */
		mount(mounts[i].source, mounts[i].target, mounts[i].source, 0,
		      mounts[i].options);
	}
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
}

static int run(char **argv)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

/* The host puts here what it was asked to add below /tmp. */
static void fill_tmp(void)
{
	char *argv[] = { "/bin/cp", "-a", GIVEN_TMP "/.", "/tmp", NULL };

	if (access(GIVEN_TMP, F_OK))
		return;
	run(argv);
	chmod("/tmp", 01777);
}

/* The whole of a file, NUL-terminated; NULL where there is none. */
static char *slurp(const char *path, size_t *len)
{
	size_t size = 0, room = CHUNK;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : malloc(room + 1);
	ssize_t n;

	while (text && (n = read(fd, text + size, room - size)) > 0) {
		size += n;
		if (size == room) {
			room *= 2;
			text = realloc(text, room + 1);
		}
	}
	if (fd >= 0)
		close(fd);
	if (text)
		text[size] = 0;
	if (len)
		*len = size;
	return text;
}

/* The first number behind @key in a file; @key "" for the file's first. */
static long number_in(const char *path, const char *key)
{
	char *text = slurp(path, NULL);
	char *at = text ? strstr(text, key) : NULL;
	long value = at ? atol(at + strlen(key)) : -1;

	free(text);
	return value;
}

/*
 * One line per driver: its name, the least memory in MB that it is loaded
 * with, its parameters. A driver that this kernel does not have is no error:
 * it may be built in, or not written yet.
 */
static void load_driver(char *line, const char *known, long have_mb)
{
	char *argv[32] = { "/bin/modprobe" }, wanted[128];
	int n = 1;

	for (char *word = strtok(line, " \t"); word && n < 31; word = strtok(NULL, " \t"))
		argv[n++] = word;
	if (n < 3 || argv[1][0] == '#')
		return;
	snprintf(wanted, sizeof(wanted), "/%s.ko:", argv[1]);
	if (!strstr(known, wanted) || have_mb < atol(argv[2]))
		return;
	memmove(&argv[2], &argv[3], (n - 2) * sizeof(argv[0]));
	if (run(argv))
		say('m', "the driver %s did not load, see the kernel's log", argv[1]);
}

static void load_drivers(void)
{
	long have_mb = number_in("/proc/meminfo", "MemTotal:") / 1024;
	char path[256], *known, *drivers, *next;
	struct utsname name;

	uname(&name);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", name.release);
	known = slurp(path, NULL);
	drivers = slurp(DRIVERS_FILE, NULL);
	for (char *line = drivers; known && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		load_driver(line, known, have_mb);
	}
	free(known);
	free(drivers);
}

/*
 * The virtio port of a name as /dev has it, which depends on the order that
 * the virtio devices were found in. NULL as long as it is not there.
 */
static const char *port_named(const char *wanted)
{
	static char path[320];
	DIR *ports = opendir(PORTS);
	struct dirent *entry;
	bool found = false;

	while (ports && !found && (entry = readdir(ports))) {
		char *name;

		snprintf(path, sizeof(path), PORTS "/%s/name", entry->d_name);
		name = slurp(path, NULL);
		if (name) {
			name[strcspn(name, "\n")] = 0;
			found = !strcmp(name, wanted);
			free(name);
		}
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
	}
	if (ports)
		closedir(ports);
	return found ? path : NULL;
}

/* A port appears some time after boot: its driver asks the host for names. */
static int open_channel(const char *where)
{
	struct termios raw;
	int fd = -1;

	for (int waited = 0; waited < DEVICE_WAIT_MS; waited++) {
		const char *path = *where == '/' ? where : port_named(where);

		if (path)
			fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
		if (fd >= 0)
			break;
		usleep(1000);
	}
	/* A serial port has to pass every byte; a virtio port is no terminal. */
	if (fd >= 0 && !tcgetattr(fd, &raw)) {
		cfmakeraw(&raw);
		raw.c_cflag |= CLOCAL;
		cfsetspeed(&raw, B115200);
		tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

/* An SD card is found some time after boot, and sooner or later than the channel. */
static void wait_for_disk(const char *disk)
{
	int waited = 0;

	while (*disk && access(disk, F_OK) && waited++ < DEVICE_WAIT_MS)
		usleep(1000);
	if (*disk && access(disk, F_OK))
		say('m', "the kernel has found no %s", disk);
}

static void send_kernel_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	static char frame[HEAD + CHUNK];
	char *batch = frame + HEAD, record[8192];
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return;
	/* EPIPE: the next record was overwritten; reading goes on behind it. */
	while ((n = read(fd, record, sizeof(record))) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		if (used + n > CHUNK) {
			send_frame('k', batch, used);
			used = 0;
		}
		memcpy(batch + used, record, n);
		used += n;
	}
	send_frame('k', batch, used);
	close(fd);
}

static pid_t start_command(char **argv, int out, int err)
{
	pid_t pid = fork();
	sigset_t none;
	int why, null;

	if (pid)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (null > 2)
		close(null);
	execvp(argv[0], argv);
	why = errno;
	dprintf(2, "guest: cannot run %s: %s\n", argv[0], strerror(why));
	_exit(why == ENOENT ? 127 : 126);
}

static void forward(struct pollfd *from, char kind)
{
	static char frame[HEAD + CHUNK];
	ssize_t n = read(from->fd, frame + HEAD, CHUNK);

	if (n > 0)
		send_frame(kind, frame + HEAD, n);
	else if (!n || (errno != EAGAIN && errno != EINTR))
		from->fd = -1;
}

/* Reaps whoever died; true once that was the command. */
static bool reap(pid_t command, int *status)
{
	bool done = false;
	int how;
	pid_t pid;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
		done = true;
	}
	return done;
}

static int child_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * Until the command is gone and both streams are at their end. What it left
 * running is killed then, or a stream that it holds would never end; a task
 * that hangs in the kernel cannot be killed, and is not waited for.
 */
static int supervise(pid_t command, int out, int err, int signals)
{
	struct pollfd fds[3] = {
		{ .fd = out, .events = POLLIN },
		{ .fd = err, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	int status = 0;

	while (command || fds[0].fd >= 0 || fds[1].fd >= 0) {
		int ready = poll(fds, 3, command ? -1 : REST_MS);

		if (!ready)
			break;
		if (ready < 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fds[i].revents)
				forward(&fds[i], "oe"[i]);
		if (!fds[2].revents)
			continue;
		while (read(signals, &info, sizeof(info)) > 0)
			;
		if (reap(command, &status)) {
			command = 0;
			kill(-1, SIGKILL);
		}
	}
	return status;
}

static int run_command(char **argv)
{
	int out[2], err[2], signals = child_signals();
	pid_t command;

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return 126;
	command = start_command(argv, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	if (command < 0)
		return 126;
	return supervise(command, out[0], err[0], signals);
}

static void do_job(char **argv)
{
	long before = number_in("/proc/sys/kernel/tainted", "");
	int status = run_command(argv);
	char end;

	sync();
	send_kernel_log();
	say('x', "%d %ld %ld", status, before, number_in("/proc/sys/kernel/tainted", ""));
	/* The host ends us once it has everything: a power-off would drop what waits. */
	while (read(channel, &end, 1) < 0 && errno == EINTR)
		;
}

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	/* A board that cannot: a restart ends QEMU as well. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

/* /dev/console cannot be a controlling terminal; what is behind it can. */
static void open_terminal(void)
{
	char path[64] = "/dev/console", *names, *name;
	int fd;

	names = slurp("/sys/class/tty/console/active", NULL);
	if (names) {
		names[strcspn(names, "\n")] = 0;
		name = strrchr(names, ' ');
		snprintf(path, sizeof(path), "/dev/%s", name ? name + 1 : names);
	}
	fd = open(path, O_RDWR);
	if (fd < 0)
		return;
	ioctl(fd, TIOCSCTTY, 1);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static void run_on_console(char **argv)
{
	static char *shell[] = { "sh", "-l", NULL };
	pid_t gone, pid = fork();

	if (!*argv)
		argv = shell;
	if (!pid) {
		setsid();
		open_terminal();
		execvp(argv[0], argv);
		dprintf(2, "guest: cannot run %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	do {
		gone = wait(NULL);
	} while (gone != pid && !(gone < 0 && errno == ECHILD));
}

static void quit(int signal)
{
	(void)signal;
	power_off();
}

/* The job's strings, ended by NULL. */
static char **read_job(void)
{
	static char *words[MAX_WORDS + 1];
	size_t len = 0;
	char *text = slurp(JOB_FILE, &len);
	int n = 0;

	for (char *p = text; text && p < text + len && n < MAX_WORDS; p += strlen(p) + 1)
		words[n++] = p;
	return words;
}

static void prepare(void)
{
	mount_everything();
	fill_tmp();
	/* What busybox's poweroff, halt and reboot send to process 1. */
	signal(SIGUSR1, quit);
	signal(SIGUSR2, quit);
	signal(SIGTERM, quit);
	clearenv();
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("TERM", "vt100", 1);
	sethostname("guest", strlen("guest"));
	chdir("/");
	chmod("/", 0755);	/* a tmpfs: everybody's to write to, at first */
	umask(022);
}

int main(void)
{
	char **job;

	prepare();
	job = read_job();
	if (!job[0] || !job[0][0]) {
		load_drivers();
		if (job[0])
			wait_for_disk(job[1]);
		run_on_console(job[0] ? job + 2 : job);
		power_off();
	}
	channel = open_channel(job[0]);
	if (channel < 0) {
		say('m', "the kernel has no %s%s, so there is no way to the host",
		    job[0][0] == '/' ? "" : "virtio port ", job[0]);
		power_off();
	}
	write_all(channel, MAGIC, strlen(MAGIC));
	load_drivers();
	wait_for_disk(job[1]);
	do_job(job + 2);
	power_off();
}
