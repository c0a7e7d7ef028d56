/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: a memory cgroup that is small, so that the machine may have
 * any size, and work that is done in it.
 */
#ifndef _GROUP_H
#define _GROUP_H

#include "lru_page_list.h"

#define ROOT	"/sys/fs/cgroup"
#define GROUP	ROOT "/lru-page-list-test"
#define LIMIT	(16 * MIB)

static inline int nodes(void)
{
	char path[64];
	int nr = 0;

	do
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", nr);
	while (!access(path, F_OK) && ++nr);
	return nr ? nr : 1;
}

/* What is missing, or NULL. */
static inline const char *group_create(void)
{
	if (access(ROOT "/cgroup.procs", W_OK) &&
	    mount("cgroup2", ROOT, "cgroup2", 0, NULL))
		return "no cgroup2";
	put_file(ROOT "/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		return "cannot make a group";
	if (access(GROUP "/memory.max", W_OK))
		return "no memory controller";
	put_file(GROUP "/memory.max", "16M");
	put_file(GROUP "/memory.swap.max", "max");
	return NULL;
}

static inline void group_remove(const char *group)
{
	for (int i = 0; i < 250 && rmdir(group) && errno == EBUSY; i++)
		sleep_ms(20);
}

static inline void enter(const char *group)
{
	char path[96], pid[24];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (put_file(path, pid))
		_exit(100);
}

static inline char *pages_of(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(101);
	madvise(p, len, MADV_NOHUGEPAGE);
	return p;
}

/* Writes each page, or reads what was written; the number that is wrong. */
static inline long fill(char *p, size_t len, bool check)
{
	if (check)
		return wrong_pages(p, len, 1);
	fill_pages(p, len, 1);
	return 0;
}

static inline long present(const char *p, size_t len, size_t page)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	long nr = 0;

	for (size_t i = 0; i < len; i += page)
		nr += !!pfn_of(pagemap, p + i);
	close(pagemap);
	return nr;
}

/* The child's exit status, -1 if a signal ended it. */
static inline int run_in(const char *group, int (*work)(size_t page), size_t page)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		enter(group);
		_exit(work(page));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int run_in_group(int (*work)(size_t page), size_t page)
{
	return run_in(GROUP, work, page);
}

/**
 * struct refaults - what the group is told to have lost too early, since refaults_begin()
 * @name: of memory.stat
 * @nr: refaults
 * @major: major faults
 */
struct refaults {
	const char *name;
	long nr, major;
};

static inline struct refaults refaults_begin(const char *name)
{
	return (struct refaults){
		.name = name,
		.nr = get_line(GROUP "/memory.stat", name),
		.major = get_line(GROUP "/memory.stat", "pgmajfault"),
	};
}

/* All that has been read back is counted, and once; @first were read for the first time. */
static inline bool refaults_end(const struct refaults *was, long first)
{
	struct refaults now = refaults_begin(was->name);
	long nr = now.nr - was->nr, back = now.major - was->major - first;

	printf("# %ld %s, %ld read back\n", nr, was->name, back);
	fflush(stdout);
	return back > 0 && nr * 10 >= back * 9 && nr * 9 <= back * 10;
}

/* us that some of the group was stalled for memory; -1 where that is not kept. */
static inline long stalled(void)
{
	char text[256] = "";
	const char *total;

	if (get_file(GROUP "/memory.pressure", text, sizeof(text)))
		return -1;
	total = strstr(text, "total=");
	return total ? atol(total + strlen("total=")) : -1;
}

/**
 * struct return_of - what is to be told of memory that comes back after it was evicted
 * @restored: name in memory.stat of what was in use before
 * @stalled: us of stalls by then; -1 where they are not kept
 * @nr: of @restored by then
 */
struct return_of {
	const char *restored;
	long stalled;
	long nr;
};

/* From now on nothing is reclaimed in the group: only who waits for a page is stalled. */
static inline struct return_of return_begins(const char *restored)
{
	put_file(GROUP "/memory.max", "max");
	return (struct return_of){ restored, stalled(), get_line(GROUP "/memory.stat", restored) };
}

/* @pages have come back, which were in use: 0 if most are counted as such, and it was a stall. */
static inline int return_ends(const struct return_of *was, long pages)
{
	long nr = get_line(GROUP "/memory.stat", was->restored) - was->nr;
	long us = stalled() - was->stalled;

	printf("# %ld %s of %ld pages, stalled for %ld us\n", nr, was->restored, pages, us);
	fflush(stdout);
	if (nr * 2 < pages)
		return 5;
	return was->stalled >= 0 && us <= 0 ? 6 : 0;
}

/**
 * struct stage - what is needed to see reclaim, and what was there before
 * @before: the policy
 * @swap: some, made if there was none
 */
struct stage {
	char before[16];
	struct swap swap;
};

static inline void stage_clear(struct stage *stage)
{
	put_file(LPL_DIR "always", "0");
	put_file(LPL_DIR "guard", "0");
	put_file(LPL_DIR "interval_ms", "10");
	set_policy(stage->before);
	group_remove(GROUP);
	swap_put(&stage->swap);
}

static inline const char *stage_try(struct stage *stage)
{
	const char *missing = group_create();

	if (missing)
		return missing;
	swap_get(&stage->swap, 192);
	if (!stage->swap.there)
		return "no swap, and no zram to make some";
	return set_policy("lru") ? "booted with lru_page_list=off" : NULL;
}

/*
 * The group, swap, and the policy lru; what is missing, or NULL.  Whoever skips a
 * test in its setup has no teardown, so what was made by then is undone here.
 */
static inline const char *stage_set(struct stage *stage)
{
	const char *missing;

	if (access(LPL_DIR "policy", R_OK))
		return "no lru_page_list in this kernel";
	stage->swap.zram = -1;
	get_file(LPL_DIR "policy", stage->before, sizeof(stage->before));
	missing = stage_try(stage);
	if (missing)
		stage_clear(stage);
	return missing;
}

/* The same, with this written to guard. */
static inline const char *stage_set_guard(struct stage *stage, const char *guard)
{
	const char *missing = stage_set(stage);

	if (missing || !put_file(LPL_DIR "guard", guard))
		return missing;
	stage_clear(stage);
	return "no guard: needs 64 bits";
}

/**
 * struct way - one to choose what is reclaimed
 * @policy: written to the file of that name
 * @guard: to that
 * @always: and that
 */
struct way {
	const char *policy, *guard, *always;
};

/* False where there is none of it: without the multi-gen LRU, or with 32 bits. */
static inline bool way_set(const struct way *way)
{
	return !set_policy(way->policy) && !put_file(LPL_DIR "guard", way->guard) &&
	       !put_file(LPL_DIR "always", way->always);
}

#endif
