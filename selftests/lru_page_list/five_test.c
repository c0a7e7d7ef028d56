// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: the five processes of fiveproc in a small memory cgroup, under each
 * policy: contents are right, and what is resident is what was used last.
 */
#include "../kselftest_harness.h"
#include "group.h"

/* They go on touching twice what the group may have, after all of their memory. */
#define RUN	"./fiveproc pattern=rand available=16384 load=200 ms=4000 "

/**
 * struct result - what fiveproc tells
 * @touches: touches a second
 * @miss: of 100 touches
 * @bad: pages with wrong contents
 * @fidelity: per cent of what is resident that an exact LRU would hold
 */
struct result {
	double touches, miss, fidelity;
	long bad;
};

FIXTURE(five)
{
	struct stage stage;
};

/* Shared with who runs fiveproc. */
static struct result *told;

FIXTURE_SETUP(five)
{
	const char *missing;

	if (access("./fiveproc", X_OK))
		SKIP(return, "no ./fiveproc: to be run where that is");
	missing = stage_set(&self->stage);
	if (missing)
		SKIP(return, "%s", missing);
	told = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, told);
}

FIXTURE_TEARDOWN(five)
{
	stage_clear(&self->stage);
}

static double value_of(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at ? atof(at + strlen(name)) : -1;
}

static int work_five(size_t page)
{
	FILE *out = popen(RUN, "r");
	char line[1024];
	bool found = false;

	while (out && fgets(line, sizeof(line), out)) {
		if (strncmp(line, "result ", strlen("result ")))
			continue;
		*told = (struct result){
			.touches = value_of(line, " touches_s="),
			.miss = value_of(line, " miss="),
			.fidelity = value_of(line, " fidelity="),
			.bad = value_of(line, " bad="),
		};
		found = true;
	}
	return out && !pclose(out) && found ? 0 : 1;
}

TEST_F_TIMEOUT(five, what_is_resident_was_used_last, 600)
{
	static const struct way each[] = {
		{ "classic", "0", "0" }, { "mglru", "0", "0" }, { "lru", "1", "0" },
		{ "lru", "0", "0" }, { "lru", "0", "1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
		if (!way_set(&each[i]))
			continue;
		EXPECT_EQ(0, run_in_group(work_five, page_bytes()));
		EXPECT_EQ(0, told->bad);
		/* Else memory was not short, and nothing was seen. */
		EXPECT_LT(1, told->miss);
		TH_LOG("%s, guard %s, always %s: %.0f touches/s, %.2f %% miss, %.2f %% are LRU's",
		       each[i].policy, each[i].guard, each[i].always, told->touches, told->miss,
		       told->fidelity);
	}
	/* The last one: the strict queue, each 10 ms. */
	EXPECT_LE(95, told->fidelity);
}

TEST_HARNESS_MAIN
