// SPDX-License-Identifier: GPL-2.0-only
/* /proc/lkp25p3: the dump of process 1's VMAs is what /proc/1/maps has. */
#include <regex.h>
#include "lkp25p3_test.h"

/* As in Documentation/ABI/testing/procfs-lkp25p3. */
#define BLOCK_REGEX							\
	"VMA([0-9]+): \\[0x([0-9a-f]{8,16}) - 0x([0-9a-f]{8,16})\\] "	\
	"\\(size: ([0-9]+) KB\\)\n"					\
	"Permissions: ([r-][w-][x-][sp])\n"				\
	"Type: (File-backed Mapping\nFile: ([^\n]*)\nOffset: 0x([0-9a-f]+)" \
	"|Heap|Stack|Anonymous Mapping|Special Mapping \\[[^\n]*\\])\n"

#define DUMP_SIZE	1048576

struct area {
	unsigned long start, end, offset;
	char perms[8];
	char file[512];		/* "" if there is none */
};

static int next_area(FILE *maps, struct area *a)
{
	char line[1024], *name;
	int at = 0;

	do {
		if (!fgets(line, sizeof(line), maps))
			return 0;
		if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %n", &a->start, &a->end,
			   a->perms, &a->offset, &at) != 4)
			return 0;
		name = line + at;
		name[strcspn(name, "\n")] = 0;
	} while (!strcmp(name, "[vsyscall]"));	/* no VMA */
	snprintf(a->file, sizeof(a->file), "%s", name);
	return 1;
}

static bool is_of_dump(const char *line)
{
	static const char * const heads[] = { "VMA", "Permissions: ", "Type: ",
					      "File: ", "Offset: " };

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (!strncmp(line, heads[i], strlen(heads[i])))
			return true;
	return false;
}

/* All lines of a dump; "" if the kernel had lost some. */
static void dump(int fd, const char *command, char *text)
{
	int log = log_open(), lost = 0;
	char line[1100];
	size_t len = 0;

	text[0] = 0;
	if (write(fd, command, strlen(command)) < 0)
		return;
	while (len < DUMP_SIZE - sizeof(line) &&
	       log_next(log, "", line, sizeof(line), &lost))
		if (is_of_dump(line))
			len += sprintf(text + len, "%s\n", line);
	close(log);
	if (lost)
		text[0] = 0;
}

static unsigned long field(const char *text, regmatch_t m, int base)
{
	return m.rm_so < 0 ? 0 : strtoul(text + m.rm_so, NULL, base);
}

static bool same(const char *text, regmatch_t m, const char *other)
{
	size_t len = m.rm_eo - m.rm_so;

	return m.rm_so >= 0 && len == strlen(other) && !strncmp(text + m.rm_so, other, len);
}

FIXTURE(vmas)
{
	int fd;
	char *text;
};

FIXTURE_SETUP(vmas)
{
	self->fd = lkp_open();
	if (self->fd < 0)
		SKIP(return, "no " LKP25P3_PROC " (is the module loaded, are you root?)");
	self->text = malloc(DUMP_SIZE);
}

FIXTURE_TEARDOWN(vmas)
{
	free(self->text);
	close(self->fd);
}

static void compare(struct __test_metadata *_metadata, const char *text)
{
	FILE *maps = fopen("/proc/1/maps", "r");
	unsigned long number = 0;
	regmatch_t m[9];
	struct area a;
	regex_t regex;

	ASSERT_NE(NULL, maps);
	ASSERT_EQ(0, regcomp(&regex, BLOCK_REGEX, REG_EXTENDED));
	while (next_area(maps, &a)) {
		bool is_file = a.file[0] == '/';

		ASSERT_EQ(0, regexec(&regex, text, 9, m, 0)) {
			TH_LOG("no block for %lx-%lx in: %.300s", a.start, a.end, text);
		}
		EXPECT_EQ(0, m[0].rm_so);	/* nothing between two blocks */
		EXPECT_EQ(++number, field(text, m[1], 10));
		EXPECT_EQ(a.start, field(text, m[2], 16));
		EXPECT_EQ(a.end, field(text, m[3], 16));
		EXPECT_EQ((a.end - a.start) >> 10, field(text, m[4], 10));
		EXPECT_TRUE(same(text, m[5], a.perms));
		EXPECT_EQ(is_file, m[7].rm_so >= 0);
		if (is_file) {
			EXPECT_TRUE(same(text, m[7], a.file));
			EXPECT_EQ(a.offset, field(text, m[8], 16));
		}
		if (!strcmp(a.file, "[heap]"))
			EXPECT_TRUE(same(text, m[6], "Heap"));
		if (!strcmp(a.file, "[stack]"))
			EXPECT_TRUE(same(text, m[6], "Stack"));
		if (!strcmp(a.file, "[vdso]"))
			EXPECT_TRUE(same(text, m[6], "Special Mapping [vdso]"));
		text += m[0].rm_eo;
	}
	EXPECT_EQ(0, *text);			/* and none is left over */
	EXPECT_LT(3, number);
	regfree(&regex);
	fclose(maps);
}

TEST_F(vmas, the_dump_agrees_with_maps)
{
	dump(self->fd, "0", self->text);
	compare(_metadata, self->text);
}

TEST_F(vmas, a_newline_changes_nothing)
{
	dump(self->fd, "0\n", self->text);
	compare(_metadata, self->text);
}

TEST_F(vmas, an_address_of_zero_is_no_dump)
{
	dump(self->fd, "0x0\n", self->text);
	EXPECT_EQ(0, strlen(self->text));
}

/* The last one: for ten seconds there is no other. */
TEST_F(vmas, dumps_do_not_flood_the_log)
{
	int nr;

	for (nr = 0; nr < 100 && write(self->fd, "0", 1) == 1; nr++)
		;
	EXPECT_GE(50, nr);
	EXPECT_EQ(EAGAIN, errno);
}

TEST_HARNESS_MAIN
