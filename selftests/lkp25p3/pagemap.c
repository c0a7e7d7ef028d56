// SPDX-License-Identifier: GPL-2.0-only
/*
 * pagemap [-p PID] [-l FILE] VA|START-END...: translate virtual addresses by
 * /proc/PID/pagemap.
 *
 * Each translation is one pread(), timed by itself, and one line: where the
 * page is, or why there is no address.  Exit status: 0 if all were translated,
 * 1 after an error, 3 if some address has no page.
 */
#include "tools.h"

#define NO_PAGE 3

struct job {
	FILE *log;
	int pid;
	int fd;
	__u64 translated, without;
};

static noreturn void print_usage(void)
{
	fprintf(stderr, "usage: pagemap [-p PID] [-l FILE] VA|START-END...\n"
		"  addresses are hexadecimal; of a range each page is translated\n"
		"  -p PID   of that process (default: this one)\n"
		"  -l FILE  write the lines to FILE\n");
	exit(2);
}

/* The lines of /proc/PID/maps tell a hole from a page that was not touched. */
static bool is_mapped(int pid, __u64 va)
{
	char path[64] = "/proc/self/maps", line[512];
	bool found = false;
	FILE *maps;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps)
		fail("%s", path);
	while (!found && fgets(line, sizeof(line), maps)) {
		__u64 start, end;

		found = sscanf(line, "%llx-%llx", &start, &end) == 2 &&
			va >= start && va < end;
	}
	fclose(maps);
	return found;
}

static void translate(struct job *job, __u64 va)
{
	__u64 word, before, ns;
	bool read;

	before = now_ns();
	read = pagemap_read(job->fd, va, &word, 1);
	ns = now_ns() - before;
	if (!read && errno != ENXIO)
		fail("reading pagemap at 0x%llx", va);

	fprintf(job->log, "VA: 0x%llx -> ", va);
	if (read && word & PAGEMAP_PRESENT) {
		job->translated++;
		fprintf(job->log, "PA: 0x%llx",
			(word & PAGEMAP_PFN) * page_bytes() + va % page_bytes());
	} else {
		job->without++;
		if (read && word & PAGEMAP_SWAPPED)
			fprintf(job->log, "no PA: swapped (type %u, offset 0x%llx)",
				(unsigned int)(word & 31), (word & PAGEMAP_PFN) >> 5);
		else if (is_mapped(job->pid, va))
			fprintf(job->log, "no PA: not populated");
		else
			fprintf(job->log, "no PA: not mapped");
	}
	fprintf(job->log, " | Latency: %llu ns\n", ns);
}

static void translate_word(struct job *job, char *word)
{
	char *dash = strchr(word, '-');
	__u64 start, end;

	if (dash)
		*dash = 0;
	if (!address_of(word, &start) || (dash && !address_of(dash + 1, &end)) ||
	    (dash && end <= start))
		print_usage();
	if (!dash) {
		translate(job, start);
		return;
	}
	start -= start % page_bytes();
	for (; start < end; start += page_bytes())
		translate(job, start);
}

int main(int argc, char **argv)
{
	struct job job = { .log = stdout };
	const char *path = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "p:l:")) != -1) {
		if (opt == 'l')
			path = optarg;
		else if (opt == 'p' && number_of(optarg, 1 << 22) > 0)
			job.pid = number_of(optarg, 1 << 22);
		else
			print_usage();
	}
	if (optind == argc)
		print_usage();
	errno = 0;
	if (!pagemap_shows_frames())
		fail(NO_FRAMES);
	job.fd = pagemap_open(job.pid);
	if (job.fd < 0)
		fail("pagemap of process %d", job.pid);
	if (path)
		job.log = fopen(path, "w");
	if (!job.log)
		fail("%s", path);
	for (; optind < argc; optind++)
		translate_word(&job, argv[optind]);
	if (fclose(job.log))
		fail("writing the log");
	fprintf(stderr, "%llu translated, %llu without a page, pages of %zu bytes\n",
		job.translated, job.without, page_bytes());
	return job.without ? NO_PAGE : 0;
}
