// SPDX-License-Identifier: GPL-2.0-only
/*
 * petmem: give memory to the pool of /dev/petmem, and take it back.
 *
 *	petmem MB		memory blocks taken offline; where that cannot be,
 *				contiguous memory of the kernel's
 *	petmem -c MB		contiguous memory
 *	petmem -l		list what the pool has
 *	petmem -r [BASE PAGES]	take it back, all or one range as -l lists it;
 *				blocks go online again
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <linux/petmem.h>

#define BLOCKS	"/sys/devices/system/memory"
#define DEBUGFS	"/sys/kernel/debug"
#define POOL	DEBUGFS "/petmem/pool"
#define MIB	(1024 * 1024ULL)
#define UNIT	4096	/* of struct memory_range, whatever the page size */

static int device = -1;

static bool read_text(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "r");
	bool ok;

	if (!f)
		return false;
	ok = fgets(text, size, f);
	fclose(f);
	if (ok)
		text[strcspn(text, "\n")] = 0;
	return ok;
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

static unsigned long long block_bytes(void)
{
	char text[32];

	if (!read_text(BLOCKS "/block_size_bytes", text, sizeof(text)))
		return 0;
	return strtoull(text, NULL, 16);
}

static void block_path(unsigned long block, const char *file, char *path,
		       size_t size)
{
	snprintf(path, size, BLOCKS "/memory%lu/%s", block, file);
}

static bool block_is(unsigned long block, const char *state)
{
	char path[128], text[32];

	block_path(block, "state", path, sizeof(path));
	return read_text(path, text, sizeof(text)) && !strcmp(text, state);
}

static bool block_set(unsigned long block, const char *state)
{
	char path[128];

	block_path(block, "state", path, sizeof(path));
	return write_text(path, state);
}

static bool block_exists(unsigned long block)
{
	char path[128];

	block_path(block, "state", path, sizeof(path));
	return !access(path, F_OK);
}

static void block_online(unsigned long block)
{
	if (!block_is(block, "offline"))
		return;
	if (!block_set(block, "online_movable") && !block_set(block, "online"))
		fprintf(stderr, "petmem: memory%lu stays offline: %s\n", block,
			strerror(errno));
}

static long highest_block(void)
{
	DIR *dir = opendir(BLOCKS);
	struct dirent *entry;
	long highest = -1, nr;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "memory%ld", &nr) == 1 && nr > highest)
			highest = nr;
	closedir(dir);
	return highest;
}

static int add_range(unsigned long long base, unsigned long long bytes)
{
	struct memory_range mem = { base, bytes / UNIT };

	return ioctl(device, ADD_MEMORY, &mem);
}

/*
 * Take the blocks [first, first + nr) offline and add them. What went offline
 * for it goes online again if that fails.
 */
static bool take_blocks(unsigned long first, unsigned long nr,
			unsigned long long block)
{
	bool *taken = calloc(nr, sizeof(*taken));
	bool ok = taken;
	unsigned long i;

	for (i = 0; ok && i < nr; i++) {
		if (block_is(first + i, "offline"))
			continue;
		taken[i] = block_set(first + i, "offline");
		ok = taken[i];
	}
	if (ok && add_range(first * block, nr * block)) {
		if (errno != EEXIST)
			fprintf(stderr, "petmem: memory%lu: %s\n", first,
				strerror(errno));
		ok = false;
	}
	for (i = 0; taken && !ok && i < nr; i++)
		if (taken[i])
			block_online(first + i);
	free(taken);
	return ok;
}

/* Blocks at the end first: what was plugged in is there. */
static bool add_offline(unsigned long long bytes)
{
	unsigned long long block = block_bytes();
	unsigned long nr, i;
	long first;

	if (!block)
		return false;
	nr = (bytes + block - 1) / block;
	for (first = highest_block() - nr + 1; first >= 0; first--) {
		for (i = 0; i < nr && block_exists(first + i); i++)
			;
		if (i < nr || !take_blocks(first, nr, block))
			continue;
		printf("petmem: added %llu MB of offline memory at 0x%llx\n",
		       nr * block / MIB, first * block);
		return true;
	}
	return false;
}

static int add_contiguous(unsigned long long bytes)
{
	if (ioctl(device, PETMEM_ADD_CONTIGUOUS, &bytes)) {
		fprintf(stderr, "petmem: cannot allocate %llu MB: %s\n",
			bytes / MIB, strerror(errno));
		return 1;
	}
	printf("petmem: added %llu MB of the kernel's memory\n", bytes / MIB);
	return 0;
}

static void explain(void)
{
	fprintf(stderr,
		"petmem: no memory can be taken offline here%s\n"
		"petmem: allocating contiguous memory instead\n",
		block_bytes() ?
#ifdef __aarch64__
		": on arm64, memory\n"
		"petmem: that was there at boot stays, only what was plugged in later can go."
#else
		": it is all in use\n"
		"petmem: by the kernel; movablecore= on its command line keeps some for this."
#endif
		: ": this kernel\npetmem: has no memory hotplug.");
}

static int add(const char *text, bool contiguous)
{
	unsigned long long mb;
	char *end;

	errno = 0;
	mb = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || !mb ||
	    mb > 1ULL << 30) {
		fprintf(stderr, "petmem: %s is no number of MB\n", text);
		return 2;
	}
	if (!contiguous) {
		if (add_offline(mb * MIB))
			return 0;
		explain();
	}
	return add_contiguous(mb * MIB);
}

struct range {
	unsigned long long base, pages, free;
	char source[32];
};

static bool next_range(FILE *f, struct range *range)
{
	char line[256];

	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "range %llx %llu free %llu %31s", &range->base,
			   &range->pages, &range->free, range->source) == 4)
			return true;
	return false;
}

static FILE *open_pool(void)
{
	FILE *f;

	if (access(POOL, F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	f = fopen(POOL, "r");
	if (!f)
		perror("petmem: " POOL);
	return f;
}

static int list(void)
{
	FILE *f = open_pool();
	struct range range;

	if (!f)
		return 1;
	while (next_range(f, &range))
		printf("0x%llx %llu: %llu MB, %s\n", range.base, range.pages,
		       range.pages * UNIT / MIB, range.source);
	fclose(f);
	return 0;
}

static int release_one(unsigned long long base, unsigned long long pages,
		       bool offline)
{
	struct memory_range mem = { base, pages };
	unsigned long long block = block_bytes(), at;

	if (ioctl(device, PETMEM_RELEASE_MEMORY, &mem)) {
		fprintf(stderr, "petmem: 0x%llx %llu: %s\n", base, pages,
			strerror(errno));
		return 1;
	}
	for (at = base; offline && block && at < base + pages * UNIT; at += block)
		block_online(at / block);
	return 0;
}

static int release(bool all, unsigned long long base, unsigned long long pages)
{
	FILE *f = open_pool();
	struct range range;
	int status = 0, found = 0;

	if (!f)
		return 1;
	while (next_range(f, &range)) {
		if (!all && (range.base != base || range.pages != pages))
			continue;
		found++;
		status |= release_one(range.base, range.pages,
				      !strcmp(range.source, "offline"));
	}
	fclose(f);
	if (!all && !found) {
		fprintf(stderr, "petmem: the pool has no such range; petmem -l lists them\n");
		return 1;
	}
	return status;
}

static int print_usage(void)
{
	fprintf(stderr,
		"usage: petmem MB | -c MB | -l | -r [BASE PAGES]\n"
		"  MB     give so many MB of memory to petmem, offline if possible\n"
		"  -c MB  allocated from the kernel\n"
		"  -l     list what it has\n"
		"  -r     take all of it back, or one range as -l lists it\n");
	return 2;
}

int main(int argc, char **argv)
{
	bool want_list = argc == 2 && !strcmp(argv[1], "-l");
	bool want_release = argc > 1 && !strcmp(argv[1], "-r");
	bool contiguous = argc == 3 && !strcmp(argv[1], "-c");

	if (argc < 2 || (argc > 2 && !contiguous && !(want_release && argc == 4)))
		return print_usage();
	if (argv[1][0] == '-' && !want_list && !want_release && !contiguous)
		return print_usage();
	device = open(PETMEM_DEVICE, O_RDONLY);
	if (device < 0) {
		perror("petmem: " PETMEM_DEVICE);
		return 1;
	}
	if (want_list)
		return list();
	if (want_release)
		return argc == 2 ? release(true, 0, 0) :
				   release(false, strtoull(argv[2], NULL, 0),
					   strtoull(argv[3], NULL, 0));
	return add(argv[argc - 1], contiguous);
}
