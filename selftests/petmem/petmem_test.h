/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of /dev/petmem share: a fixture with a variant for each
 * way to handle faults and to find addresses.  At the end of each test, when
 * its process is gone, the pool has to be as it was before.
 */
#ifndef PETMEM_TEST_H
#define PETMEM_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/petmem.h>

#include "../kselftest_harness.h"
#include "../paging/test_util.h"
#include "harness.h"

#define PARAMS	"/sys/module/petmem/parameters/"
#define DEBUGFS	"/sys/kernel/debug"
#define POOL	DEBUGFS "/petmem/pool"
#define KIB	1024UL
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)

/* checkpatch takes `FIXTURE_VARIANT(petmem) *variant` for a product. */
#define petmem_variant FIXTURE_VARIANT(petmem)

static inline int set_param(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMS "%s", name);
	return put_file(path, value);
}

static inline void get_param(const char *name, char *value, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMS "%s", name);
	get_file(path, value, size);
}

/* A number of the pool, such as "free"; -1 if it is not there. */
static inline long pool_stat(const char *name)
{
	FILE *f = fopen(POOL, "r");
	char key[64];
	long value, found = -1;

	if (!f)
		return -1;
	while (fscanf(f, "%63s %ld%*[^\n]", key, &value) >= 1)
		if (!strcmp(key, name) && found < 0)
			found = value;
	fclose(f);
	return found;
}

/* The memory of the pool, to be exchanged for less: what is small fills soon. */

#define MOST_DONATIONS	1000

struct donation {
	unsigned long long base, pages, free;
	char source[16];
};

struct donations {
	int nr;
	struct donation at[MOST_DONATIONS];
};

static inline void list_donations(struct donations *d)
{
	FILE *f = fopen(POOL, "r");
	char line[256];

	d->nr = 0;
	while (f && d->nr < MOST_DONATIONS && fgets(line, sizeof(line), f))
		if (sscanf(line, "range %llx %llu free %llu %15s",
			   &d->at[d->nr].base, &d->at[d->nr].pages,
			   &d->at[d->nr].free, d->at[d->nr].source) == 4)
			d->nr++;
	if (f)
		fclose(f);
}

static inline int take_back(int fd, const struct donation *d)
{
	struct memory_range mem = { d->base, d->pages };

	return ioctl(fd, PETMEM_RELEASE_MEMORY, &mem);
}

static inline int add_pool(int fd, unsigned long long bytes)
{
	return ioctl(fd, PETMEM_ADD_CONTIGUOUS, &bytes);
}

static inline int donate_again(int fd, const struct donation *d)
{
	struct memory_range mem = { d->base, d->pages };

	if (!strcmp(d->source, "offline"))
		return ioctl(fd, ADD_MEMORY, &mem);
	return add_pool(fd, d->pages * 4096);
}

/* Make the pool @bytes large, and keep in @old how it was. */
static inline int exchange_pool(struct donations *old, unsigned long long bytes)
{
	int fd = open(PETMEM_DEVICE, O_RDONLY), err = 0;

	list_donations(old);
	for (int i = 0; i < old->nr; i++)
		err |= take_back(fd, &old->at[i]);
	err |= add_pool(fd, bytes);
	close(fd);
	return err;
}

static inline int restore_pool(const struct donations *old)
{
	static struct donations now;
	int fd = open(PETMEM_DEVICE, O_RDONLY), err = 0;

	list_donations(&now);
	for (int i = 0; i < now.nr; i++)
		err |= take_back(fd, &now.at[i]);
	for (int i = 0; i < old->nr; i++)
		err |= donate_again(fd, &old->at[i]);
	close(fd);
	return err;
}

static inline bool have_petmem(void)
{
	if (access(POOL, F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	return !access(PETMEM_DEVICE, R_OK) && !access(POOL, R_OK);
}

/* Ioctls, without the harness. */

static inline void *lazy_alloc(int fd, unsigned long long size)
{
	struct alloc_request req = { .size = size };

	if (ioctl(fd, LAZY_ALLOC, &req))
		return NULL;
	return (void *)(unsigned long)req.addr;
}

static inline int lazy_free(int fd, void *addr)
{
	return ioctl(fd, LAZY_FREE, addr);
}

static inline int page_fault(int fd, const void *addr, int code)
{
	struct page_fault fault = {
		.fault_addr = (unsigned long)addr, .error_code = code,
	};

	return ioctl(fd, PAGE_FAULT, &fault);
}

static inline void run_code(void *p)
{
	((void (*)(void))p)();
}

/*
 * For end_of(), in a process of its own memory: pet addresses do not outlive
 * fork(), so the child begins anew. @size: what it allocates first.
 */
struct own {
	void (*fn)(void *arg);
	size_t size;
	size_t offset;
	bool touch;	/* a byte at offset, before fn */
	bool free;	/* all of it, before fn */
};

static inline void do_own(void *arg)
{
	struct own *own = arg;
	char *p;

	if (init_petmem())
		_exit(99);
	p = pet_malloc(own->size);
	if (!p)
		_exit(98);
	if (own->touch)
		write_byte(p + own->offset);
	if (own->free)
		pet_free(p);
	own->fn(p + own->offset);
}

#define SAVED_PARAMS 5

static const char * const saved_names[SAVED_PARAMS] = {
	"fault", "fit", "swap_path", "swap_policy", "max_open_pages",
};

struct saved_state {
	char params[SAVED_PARAMS][256];
	long total, free, used_slots;
};

static inline void save_state(struct saved_state *s)
{
	for (int i = 0; i < SAVED_PARAMS; i++)
		get_param(saved_names[i], s->params[i], sizeof(s->params[i]));
	s->total = pool_stat("total");
	s->free = pool_stat("free");
	s->used_slots = pool_stat("swap_used");
}

static inline void restore_params(struct saved_state *s)
{
	for (int i = 0; i < SAVED_PARAMS; i++)
		set_param(saved_names[i], s->params[i][0] ? s->params[i] : "\n");
}

static inline bool pool_is_back(const struct saved_state *s)
{
	for (int i = 0; i < 100; i++) {
		if (pool_stat("total") == s->total &&
		    pool_stat("free") == s->free &&
		    pool_stat("swap_used") == s->used_slots)
			return true;
		usleep(20000);
	}
	fprintf(stderr, "# pool: total %ld -> %ld, free %ld -> %ld, slots %ld -> %ld\n",
		s->total, pool_stat("total"), s->free, pool_stat("free"),
		s->used_slots, pool_stat("swap_used"));
	return false;
}

FIXTURE(petmem)
{
	int fd;
	size_t page;
	struct saved_state saved;
};

FIXTURE_VARIANT(petmem)
{
	const char *fault;
	const char *fit;
};

FIXTURE_VARIANT_ADD(petmem, direct)
{
	.fault = "direct",
	.fit = "first",
};

FIXTURE_VARIANT_ADD(petmem, signal)
{
	.fault = "signal",
	.fit = "first",
};

FIXTURE_VARIANT_ADD(petmem, direct_best)
{
	.fault = "direct",
	.fit = "best",
};

FIXTURE_SETUP(petmem)
{
	if (!have_petmem())
		SKIP(return, "no " PETMEM_DEVICE " (is the module loaded, are you root?)");
	self->page = page_bytes();
	self->fd = -1;
	save_state(&self->saved);
	ASSERT_EQ(0, set_param("fault", variant->fault));
	ASSERT_EQ(0, set_param("fit", variant->fit));
	ASSERT_EQ(0, init_petmem());
	self->fd = open(PETMEM_DEVICE, O_RDONLY);
	ASSERT_LE(0, self->fd);
}

/* In the parent: the test's process and its memory are gone. */
FIXTURE_TEARDOWN_PARENT(petmem)
{
	restore_params(&self->saved);
	EXPECT_TRUE(pool_is_back(&self->saved));
}

static inline bool is_direct(const petmem_variant *variant)
{
	return !strcmp(variant->fault, "direct");
}

#endif /* PETMEM_TEST_H */
