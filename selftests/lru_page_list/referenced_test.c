// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: it clears accessed bits, and what asks for them still finds out
 * whether memory was accessed since it, or reclaim, last cleared them.
 */
#include "../kselftest_harness.h"
#include "lru_page_list.h"

#define THP	"/sys/kernel/mm/transparent_hugepage/"
#define DAEMON	THP "khugepaged/"

struct knob {
	const char *path;
	const char *value;
	char before[32];
};

FIXTURE(referenced)
{
	char before[16];
	struct knob knobs[3];
	size_t huge;
	char *p;
};

FIXTURE_VARIANT(referenced)
{
	bool huge;
};

FIXTURE_VARIANT_ADD(referenced, pages) { .huge = false };
FIXTURE_VARIANT_ADD(referenced, huge) { .huge = true };

/* Of the mapping that begins at @p, kB; -1 if there is none. */
static long smaps_kb(const char *p, const char *name)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	size_t len = strlen(name);
	unsigned long start;
	bool here = false;
	char line[512], dash;
	long value = -1;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx%c", &start, &dash) == 2 && dash == '-')
			here = start == (uintptr_t)p;
		else if (here && !strncmp(line, name, len) && line[len] == ':')
			value = strtol(line + len + 1, NULL, 10);
	}
	if (file)
		fclose(file);
	return value;
}

/* One that holds one huge page, and is merged with none. */
static char *map_one(size_t huge)
{
	char *all = mmap(NULL, 3 * huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p = (char *)(((uintptr_t)all + huge) / huge * huge);

	if (all == MAP_FAILED || mprotect(p, huge, PROT_READ | PROT_WRITE))
		return NULL;
	return p;
}

static void restore(struct knob *knobs, size_t nr, const char *policy)
{
	for (size_t i = 0; i < nr; i++)
		if (knobs[i].path)
			put_file(knobs[i].path, knobs[i].before);
	put_file(LPL_DIR "always", "0");
	set_policy(policy);
}

FIXTURE_SETUP(referenced)
{
	const struct knob knobs[] = {
		{ THP "enabled", "madvise" },
		{ DAEMON "scan_sleep_millisecs", "10" },
		{ DAEMON "pages_to_scan", "100000" },
	};

	if (access(LPL_DIR "policy", R_OK))
		SKIP(return, "no lru_page_list in this kernel");
	if (access("/proc/self/smaps", R_OK))
		SKIP(return, "no smaps");
	if (access(THP "enabled", W_OK))
		SKIP(return, "no huge pages");
	get_file(LPL_DIR "policy", self->before, sizeof(self->before));
	if (set_policy("lru"))
		SKIP(return, "booted with lru_page_list=off");
	ASSERT_EQ(0, put_file(LPL_DIR "always", "1"));
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		self->knobs[i] = knobs[i];
		get_choice(knobs[i].path, self->knobs[i].before, sizeof(knobs[i].before));
		ASSERT_EQ(0, put_file(knobs[i].path, knobs[i].value));
	}
	self->huge = pmd_bytes();
	self->p = map_one(self->huge);
	ASSERT_NE(NULL, self->p);
	madvise(self->p, self->huge, variant->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	fill_pages(self->p, self->huge, 1);
	drain_batches();
	if (variant->huge && smaps_kb(self->p, "AnonHugePages") <= 0) {
		restore(self->knobs, ARRAY_SIZE(self->knobs), self->before);
		SKIP(return, "no huge page was to be had");
	}
}

FIXTURE_TEARDOWN(referenced)
{
	restore(self->knobs, ARRAY_SIZE(self->knobs), self->before);
}

TEST_F(referenced, stays)
{
	for (int i = 0; i < 3; i++) {
		settle_ms(50);
		EXPECT_EQ((long)self->huge / 1024, smaps_kb(self->p, "Referenced"));
	}
}

/* What it was cleared for: how much is in use from now on. */
TEST_F(referenced, clear_refs)
{
	settle_ms(50);
	ASSERT_EQ(0, put_file("/proc/self/clear_refs", "1"));
	settle_ms(50);
	EXPECT_EQ(0, smaps_kb(self->p, "Referenced"));
	fill_pages(self->p, self->huge, 1);
	settle_ms(50);
	EXPECT_EQ((long)self->huge / 1024, smaps_kb(self->p, "Referenced"));
}

TEST_F(referenced, cold_advice)
{
	settle_ms(50);
	if (madvise(self->p, self->huge, MADV_COLD))
		SKIP(return, "no MADV_COLD");
	settle_ms(50);
	EXPECT_EQ(0, smaps_kb(self->p, "Referenced"));
}

static bool collapses(const char *p)
{
	uint64_t end = now_ns() + 20 * 1000000000ULL;

	while (now_ns() < end) {
		if (smaps_kb(p, "AnonHugePages") > 0)
			return true;
		sleep_ms(10);
	}
	return false;
}

/*
 * It leaves alone what was not accessed since, as memory that is cold.  What is huge
 * is mapped by small entries before, as a part of it is given up.
 */
TEST_F_TIMEOUT(referenced, khugepaged, 120)
{
	if (variant->huge)
		ASSERT_EQ(0, madvise(self->p, page_bytes(), MADV_DONTNEED));
	settle_ms(50);
	ASSERT_EQ(0, madvise(self->p, self->huge, MADV_HUGEPAGE));
	EXPECT_TRUE(collapses(self->p));
}

TEST_HARNESS_MAIN
