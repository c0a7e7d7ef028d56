// SPDX-License-Identifier: GPL-2.0-only
/*
 * memalloc 4k|2m|calloc: allocate 2 GiB by one of three schemes, write to every
 * page and tell where in physical memory they are.
 * memalloc read: read two quarters of a buffer at two speeds, while the module
 * lkp25p3 watches which pages are accessed.
 *
 * memalloc_layout.c and memalloc_reader.c do the work.
 */
#include "memalloc.h"

static noreturn void print_usage(void)
{
	fprintf(stderr,
		"usage: memalloc [-n SIZE] [-l FILE] [-k] 4k|2m|calloc\n"
		"       memalloc [-n SIZE] [-t SECONDS] [-p MS] [-i MS] [-s N] [-l FILE] read\n"
		"  -n SIZE     bytes, such as 64M (default 2G; read: 1G)\n"
		"  -l FILE     write VA and PA of each page to FILE; read: the counts of all pages\n"
		"  -k          then wait for a signal, so that others can look at the memory\n"
		"  -t SECONDS  read for so long (default 120)\n"
		"  -p MS       sweep the second quarter every so often (default 1; 0: without a pause)\n"
		"  -i MS       interval of the monitor (default 100; 0: no monitor)\n"
		"  -s N        each scan looks at one of N pages (default 1)\n");
	exit(2);
}

/* A number from @min to @max. */
static unsigned int option(const char *text, long min, long max)
{
	long value = number_of(text, max);

	if (value < min)
		print_usage();
	return value;
}

int main(int argc, char **argv)
{
	struct options o = {
		.seconds = 120, .pace_ms = 1, .interval_ms = 100, .sample = 1,
	};
	bool read;
	int opt;

	while ((opt = getopt(argc, argv, "n:l:kt:p:i:s:")) != -1) {
		if (opt == 'n') {
			o.bytes = size_of(optarg);
			if (!o.bytes || o.bytes >> 46)
				print_usage();
		} else if (opt == 'l') {
			o.path = optarg;
		} else if (opt == 'k') {
			o.keep = true;
		} else if (opt == 't') {
			o.seconds = option(optarg, 1, 86400);
		} else if (opt == 'p') {
			o.pace_ms = option(optarg, 0, 60000);
		} else if (opt == 'i') {
			o.interval_ms = option(optarg, 0, 1000);
		} else if (opt == 's') {
			o.sample = option(optarg, 1, 64);
		} else {
			print_usage();
		}
	}
	if (optind != argc - 1)
		print_usage();
	errno = 0;
	read = !strcmp(argv[optind], "read");
	if (!o.bytes)
		o.bytes = read ? 1ULL << 30 : 2ULL << 30;
	if (read)
		read_at_two_speeds(&o);
	else if (!strcmp(argv[optind], "4k") || !strcmp(argv[optind], "2m") ||
		 !strcmp(argv[optind], "calloc"))
		allocate_and_show(argv[optind], &o);
	else
		print_usage();
	return 0;
}
