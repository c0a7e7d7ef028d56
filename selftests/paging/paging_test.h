/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of /dev/paging share: a fixture with a variant for each mode
 * of the driver.  It sets the module's parameters for the test and puts them
 * back afterwards, and it checks at the end of each test, when its process
 * is gone, that no page, tracker or reservation was left behind.
 */
#ifndef PAGING_TEST_H
#define PAGING_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/paging.h>

#include "../kselftest_harness.h"
#include "test_util.h"

#define PARAMS	"/sys/module/paging/parameters/"
#define STATS	"/sys/class/misc/paging/stats/"
#define BLOCK	65536UL

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static inline int set_param(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMS "%s", name);
	return put_file(path, value);
}

static inline int set_param_number(const char *name, unsigned long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", value);
	return set_param(name, text);
}

static inline long stat_of(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), STATS "%s", name);
	return get_number(path);
}

/* A field of /proc/self/status, such as "RssFile:", in bytes; -1 if none. */
static inline long status_bytes(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)))
			kib = atol(line + strlen(field));
	fclose(f);
	return kib < 0 ? -1 : kib * 1024;
}

/* The fixture. */

enum saved_param { DEMAND, FAULT_BYTES, PREPAGE, PMD_MAP, MAX_MAP, MAX_TOTAL,
		   NR_PARAMS };

static const char * const param_names[NR_PARAMS] = {
	[DEMAND] = "demand_paging", [FAULT_BYTES] = "fault_bytes",
	[PREPAGE] = "prepage", [PMD_MAP] = "pmd_map",
	[MAX_MAP] = "max_map_pages", [MAX_TOTAL] = "max_total_pages",
};

struct saved_state {
	char params[NR_PARAMS][32];
	long held, trackers, reserved;
};

static inline long pages_held(void)
{
	return stat_of("pages_allocated") - stat_of("pages_freed");
}

static inline void save_state(struct saved_state *s)
{
	char path[128];

	for (int i = 0; i < NR_PARAMS; i++) {
		snprintf(path, sizeof(path), PARAMS "%s", param_names[i]);
		get_file(path, s->params[i], sizeof(s->params[i]));
	}
	s->held = pages_held();
	s->trackers = stat_of("trackers");
	s->reserved = stat_of("pages_reserved");
}

static inline void restore_params(const struct saved_state *s)
{
	for (int i = 0; i < NR_PARAMS; i++)
		set_param(param_names[i], s->params[i]);
}

/* A pin may be dropped a moment after its owner, so give it that moment. */
static inline bool state_is_back(const struct saved_state *s)
{
	for (int i = 0; i < 100; i++) {
		if (pages_held() == s->held &&
		    stat_of("trackers") == s->trackers &&
		    stat_of("pages_reserved") == s->reserved)
			return true;
		usleep(20000);
	}
	fprintf(stderr, "# pages held %ld -> %ld, trackers %ld -> %ld, reserved %ld -> %ld\n",
		s->held, pages_held(), s->trackers, stat_of("trackers"),
		s->reserved, stat_of("pages_reserved"));
	return false;
}

FIXTURE(paging)
{
	int fd;
	size_t page;
	size_t len;		/* a few blocks and PMD entries */
	int flags;		/* MAP_SHARED or MAP_PRIVATE */
	size_t per_fault;	/* bytes that a fault maps; 0: there are none */
	struct saved_state saved;
};

/* For parameters: checkpatch takes `FIXTURE_DATA(paging) *self` for a product. */
#define paging_fixture FIXTURE_DATA(paging)

FIXTURE_VARIANT(paging)
{
	bool demand;
	bool block;		/* faults of 64 KiB */
	const char *prepage;
	const char *pmd_map;
	bool private;
};

FIXTURE_VARIANT_ADD(paging, demand)
{
	.demand = true,
	.prepage = "chunks",
	.pmd_map = "Y",
};

FIXTURE_VARIANT_ADD(paging, demand_64k)
{
	.demand = true,
	.block = true,
	.prepage = "chunks",
	.pmd_map = "Y",
};

FIXTURE_VARIANT_ADD(paging, prepage_single)
{
	.prepage = "single",
	.pmd_map = "N",
};

FIXTURE_VARIANT_ADD(paging, prepage_chunks_pte)
{
	.prepage = "chunks",
	.pmd_map = "N",
};

FIXTURE_VARIANT_ADD(paging, prepage_chunks_pmd)
{
	.prepage = "chunks",
	.pmd_map = "Y",
};

#ifdef PAGING_TEST_PRIVATE
FIXTURE_VARIANT_ADD(paging, private_demand)
{
	.demand = true,
	.prepage = "chunks",
	.pmd_map = "Y",
	.private = true,
};

FIXTURE_VARIANT_ADD(paging, private_prepage)
{
	.prepage = "chunks",
	.pmd_map = "Y",
	.private = true,
};
#endif

FIXTURE_SETUP(paging)
{
	size_t fault = variant->block ? BLOCK : page_bytes();

	self->page = page_bytes();
	self->len = pmd_bytes() > (8UL << 20) ? 8UL << 20 : 4 * pmd_bytes();
	self->flags = variant->private ? MAP_PRIVATE : MAP_SHARED;
	self->per_fault = variant->demand || variant->private ? fault : 0;

	self->fd = open(DEV_NAME, O_RDWR);
	if (self->fd < 0)
		SKIP(return, "no " DEV_NAME " (is the module loaded, are you root?)");

	save_state(&self->saved);
	ASSERT_EQ(0, set_param("demand_paging", variant->demand ? "1" : "0"));
	ASSERT_EQ(0, set_param_number("fault_bytes", fault));
	ASSERT_EQ(0, set_param("prepage", variant->prepage));
	ASSERT_EQ(0, set_param("pmd_map", variant->pmd_map));
	ASSERT_EQ(0, set_param("max_map_pages", "0"));
	ASSERT_EQ(0, set_param("max_total_pages", "0"));
}

/* In the parent: the test's process and its mappings are gone. */
FIXTURE_TEARDOWN_PARENT(paging)
{
	restore_params(&self->saved);
	EXPECT_TRUE(state_is_back(&self->saved));
}

static inline char *map_pages(paging_fixture *self, size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE, self->flags, self->fd, 0);
}

/* Faults that the first write to each page of @len bytes takes. */
static inline long faults_for(paging_fixture *self, size_t len)
{
	if (!self->per_fault)
		return 0;
	if (self->flags == MAP_PRIVATE)
		return len / self->page;
	return (len + self->per_fault - 1) / self->per_fault;
}

#endif /* PAGING_TEST_H */
