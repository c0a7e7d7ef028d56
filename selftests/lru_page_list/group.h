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
 * struct stage - what is needed to see reclaim, and what was there before
 * @before: the policy
 * @swap: some, made if there was none
 */
struct stage {
	char before[16];
	struct swap swap;
};

/* The group, swap, and the policy lru; what is missing, or NULL. */
static inline const char *stage_set(struct stage *stage)
{
	const char *missing;

	if (access(LPL_DIR "policy", R_OK))
		return "no lru_page_list in this kernel";
	missing = group_create();
	if (missing)
		return missing;
	swap_get(&stage->swap, 192);
	if (!stage->swap.there)
		return "no swap, and no zram to make some";
	get_file(LPL_DIR "policy", stage->before, sizeof(stage->before));
	return set_policy("lru") ? "booted with lru_page_list=off" : NULL;
}

static inline void stage_clear(struct stage *stage)
{
	put_file(LPL_DIR "always", "0");
	put_file(LPL_DIR "guard", "0");
	put_file(LPL_DIR "interval_ms", "10");
	set_policy(stage->before);
	group_remove(GROUP);
	swap_put(&stage->swap);
}

#endif
