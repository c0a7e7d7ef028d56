// SPDX-License-Identifier: GPL-2.0-only
/*
 * walk [-p PID] VA|START-END...: translate virtual addresses by /proc/lkp25p3.
 * walk -d: have the VMAs of process 1 dumped to the kernel's log.
 *
 * An address and a range go as text, and what the module answers is printed.
 * Of a range, -a asks for a line for each page, by way of the binary batch.
 */
#include "tools.h"

#include <linux/lkp25p3.h>

#define GROUP 4096

static const char * const states[] = {
	[LKP25P3_PRESENT]	= "present",
	[LKP25P3_NO_VMA]	= "no VMA",
	[LKP25P3_NOT_POPULATED]	= "not populated",
	[LKP25P3_SWAPPED]	= "swapped",
	[LKP25P3_MIGRATING]	= "migrating",
	[LKP25P3_GUARD]		= "guard",
	[LKP25P3_PROT_NONE]	= "PROT_NONE",
	[LKP25P3_POISONED]	= "poisoned",
	[LKP25P3_DEVICE]	= "in device memory",
};

static noreturn void print_usage(void)
{
	fprintf(stderr, "usage: walk [-p PID] [-a] VA|START-END... | walk -d\n"
		"  addresses are hexadecimal; of a range the runs are logged by the kernel\n"
		"  -p PID  of that process (default: this one)\n"
		"  -a      a line for each page of a range\n"
		"  -d      dump the VMAs of process 1 to the kernel's log\n");
	exit(2);
}

static void ask(int fd, const char *command)
{
	char answer[512];
	ssize_t n;

	if (write(fd, command, strlen(command)) < 0)
		fail("%s: '%s'", LKP25P3_PROC, command);
	while ((n = read(fd, answer, sizeof(answer))) > 0)
		fwrite(answer, 1, n, stdout);
}

static void print_record(__u64 va, const struct lkp25p3_record *rec)
{
	printf("VA: 0x%llx -> ", va);
	if (rec->state == LKP25P3_PRESENT)
		printf("PA: 0x%llx | Latency: %u ns | level %u, %llu KB, flags 0x%x\n",
		       rec->pa, rec->ns, rec->level, (1ULL << rec->shift) >> 10,
		       rec->flags);
	else
		printf("no PA: %s | Latency: %u ns\n",
		       rec->state < sizeof(states) / sizeof(*states) ?
		       states[rec->state] : "of a reason that is not known here", rec->ns);
}

static void translate_pages(int fd, int pid, __u64 start, __u64 end)
{
	static struct lkp25p3_record records[GROUP];
	__u64 page = page_bytes();

	for (start -= start % page; start < end;) {
		__u64 left = (end - start + page - 1) / page;
		struct lkp25p3_batch b = {
			.start = start,
			.records = (uintptr_t)records,
			.nr = left < GROUP ? left : GROUP,
			.pid = pid,
		};

		if (ioctl(fd, LKP25P3_IOC_BATCH, &b))
			fail("a batch from 0x%llx", start);
		for (unsigned int i = 0; i < b.nr; i++, start += page)
			print_record(start, &records[i]);
	}
}

static void translate(int fd, int pid, bool each, char *word)
{
	char *dash = strchr(word, '-'), who[32] = "", command[160];
	__u64 start, end = 0;

	if (dash)
		*dash = 0;
	if (!address_of(word, &start) || (dash && !address_of(dash + 1, &end)) ||
	    (dash && end <= start))
		print_usage();
	if (dash && each) {
		translate_pages(fd, pid, start, end);
		return;
	}
	if (pid)
		snprintf(who, sizeof(who), "pid %d ", pid);
	if (dash)
		snprintf(command, sizeof(command), "%srange 0x%llx 0x%llx",
			 who, start, end);
	else
		snprintf(command, sizeof(command), "%s0x%llx", who, start);
	ask(fd, command);
}

int main(int argc, char **argv)
{
	bool each = false, dump = false;
	int opt, fd, pid = 0;

	while ((opt = getopt(argc, argv, "p:ad")) != -1) {
		if (opt == 'a')
			each = true;
		else if (opt == 'd')
			dump = true;
		else if (opt == 'p' && number_of(optarg, 1 << 22) > 0)
			pid = number_of(optarg, 1 << 22);
		else
			print_usage();
	}
	if (dump ? optind < argc : optind == argc)
		print_usage();
	fd = open(LKP25P3_PROC, O_RDWR);
	if (fd < 0)
		fail(LKP25P3_PROC);
	if (dump)
		ask(fd, "0");
	for (; optind < argc; optind++)
		translate(fd, pid, each, argv[optind]);
	return 0;
}
