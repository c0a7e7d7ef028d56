// SPDX-License-Identifier: GPL-2.0-only
/* /dev/petmem: addresses: what is given, what is refused, what is reused. */
#include "petmem_test.h"

TEST_F(petmem, memory_is_zeroed_and_keeps_contents)
{
	char *p = pet_malloc(10 * self->page);

	ASSERT_NE(NULL, p);
	EXPECT_TRUE(all_zero(p, 10 * self->page));
	fill_pages(p, 10 * self->page, 7);
	EXPECT_EQ(0, wrong_pages(p, 10 * self->page, 7));
	pet_free(p);
	p = pet_malloc(10 * self->page);
	ASSERT_NE(NULL, p);
	EXPECT_TRUE(all_zero(p, 10 * self->page));
}

TEST_F(petmem, addresses_are_in_the_region)
{
	unsigned long a = (unsigned long)pet_malloc(1);
	unsigned long b = (unsigned long)pet_malloc(self->page + 1);
	unsigned long c = (unsigned long)pet_malloc(1);

	EXPECT_LE(PETMEM_REGION_START, a);
	EXPECT_LT(c, PETMEM_REGION_END);
	EXPECT_EQ(0, a % self->page);
	EXPECT_EQ(a + self->page, b);
	EXPECT_EQ(b + 2 * self->page, c);
}

TEST_F(petmem, impossible_sizes_give_null)
{
	struct alloc_request req = { .size = 100ULL << 40, .addr = 42 };

	EXPECT_EQ(NULL, pet_malloc(0));
	EXPECT_EQ(NULL, pet_malloc(100UL << 40));
	EXPECT_EQ(NULL, pet_malloc(PETMEM_REGION_END - PETMEM_REGION_START + 1));
	EXPECT_EQ(NULL, pet_malloc(SIZE_MAX));
	EXPECT_EQ(NULL, pet_malloc(SIZE_MAX - self->page + 1));
	EXPECT_EQ(0, ioctl(self->fd, LAZY_ALLOC, &req));
	EXPECT_EQ(42, req.addr);
	EXPECT_NE(NULL, pet_malloc(1));
}

/* Addresses cost nothing: more of them than there is memory. */
TEST_F(petmem, the_whole_region_can_be_allocated)
{
	char *p = pet_malloc(PETMEM_REGION_END - PETMEM_REGION_START);

	ASSERT_EQ((char *)PETMEM_REGION_START, p);
	EXPECT_EQ(NULL, pet_malloc(1));
	write_byte(p);
	write_byte(p + 100 * GIB);
	write_byte((char *)PETMEM_REGION_END - 1);
	pet_free(p);
	EXPECT_EQ(p, pet_malloc(1));
}

TEST_F(petmem, frees_are_checked)
{
	char *p = lazy_alloc(self->fd, 3 * self->page);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(0, lazy_free(self->fd, NULL));
	EXPECT_EQ(-1, lazy_free(self->fd, p + self->page));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, lazy_free(self->fd, p + 1));
	EXPECT_EQ(-1, lazy_free(self->fd, &p));
	EXPECT_EQ(-1, lazy_free(self->fd, (void *)-1L));
	EXPECT_EQ(0, lazy_free(self->fd, p));
	EXPECT_EQ(-1, lazy_free(self->fd, p));
	EXPECT_EQ(EINVAL, errno);
	pet_free(NULL);
	pet_free(p);
}

TEST_F(petmem, neighbours_coalesce_in_every_order)
{
	static const int orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	char *p[3], *wall, *all;

	for (int i = 0; i < 6; i++) {
		for (int j = 0; j < 3; j++) {
			p[j] = pet_malloc(10 * self->page);
			fill_pages(p[j], 10 * self->page, i);
		}
		wall = pet_malloc(1);
		for (int j = 0; j < 3; j++)
			pet_free(p[orders[i][j]]);
		all = pet_malloc(30 * self->page);
		EXPECT_EQ(p[0], all);
		EXPECT_TRUE(all_zero(all, 30 * self->page));
		pet_free(all);
		pet_free(wall);
	}
}

TEST_F(petmem, fit)
{
	bool best = !strcmp(variant->fit, "best");
	char *large = pet_malloc(5 * self->page), *small;

	pet_malloc(1);
	small = pet_malloc(2 * self->page);
	pet_malloc(1);
	pet_free(large);
	pet_free(small);
	EXPECT_EQ(best ? small : large, pet_malloc(2 * self->page));
}

TEST_F_TIMEOUT(petmem, thousands_of_small_blocks, 120)
{
	static char *p[3000];
	long before = pool_stat("free");

	for (int i = 0; i < 3000; i++) {
		p[i] = pet_malloc(32 * KIB);
		ASSERT_NE(NULL, p[i]);
		store_word(p[i], i);
	}
	for (int i = 0; i < 3000; i++)
		ASSERT_EQ(i, load_word(p[i]));
	for (int i = 0; i < 3000; i += 2)
		pet_free(p[i]);
	for (int i = 1; i < 3000; i += 2) {
		ASSERT_EQ(i, load_word(p[i]));
		pet_free(p[i]);
	}
	/* All of it, tables too, and while the process lives. */
	EXPECT_EQ(before, pool_stat("free"));
}

/* One page more than a page table maps. */
TEST_F_TIMEOUT(petmem, pages_across_a_page_table, 120)
{
	size_t len = pmd_bytes() + self->page;
	long before = pool_stat("free");
	char *p;

	if (before * (long)self->page < (long)len + 16 * (long)self->page)
		SKIP(return, "the pool is too small");
	p = pet_malloc(len);
	ASSERT_NE(NULL, p);
	fill_pages(p, len, 3);
	EXPECT_EQ(0, wrong_pages(p, len, 3));
	pet_free(p);
	EXPECT_EQ(before, pool_stat("free"));
}

TEST_F(petmem, sparse_touches)
{
	char *p = pet_malloc(4 * GIB);
	long before = pool_stat("free");

	ASSERT_NE(NULL, p);
	for (unsigned long i = 0; i < 4 * GIB; i += 100 * MIB)
		store_word(p + i, i);
	for (unsigned long i = 0; i < 4 * GIB; i += 100 * MIB)
		ASSERT_EQ(i, load_word(p + i));
	EXPECT_GT(before, pool_stat("free"));
	pet_free(p);
}

TEST_F(petmem, several_opens_do_not_overlap)
{
	char *p[4];
	int fd[4];

	for (int i = 0; i < 4; i++) {
		fd[i] = open(PETMEM_DEVICE, O_RDONLY);
		ASSERT_LE(0, fd[i]);
		p[i] = lazy_alloc(fd[i], 8 * self->page);
		ASSERT_NE(NULL, p[i]);
		for (int j = 0; j < i; j++)
			EXPECT_TRUE(p[i] + 8 * self->page <= p[j] ||
				    p[j] + 8 * self->page <= p[i]);
		if (!is_direct(variant))
			for (int j = 0; j < 8; j++)
				ASSERT_EQ(0, page_fault(fd[i], p[i] + j * self->page, 1));
		fill_pages(p[i], 8 * self->page, i);
	}
	/* What one has allocated is nothing to the other. */
	EXPECT_EQ(-1, lazy_free(fd[0], p[1]));
	EXPECT_EQ(1, page_fault(fd[0], p[1], 1));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, wrong_pages(p[i], 8 * self->page, i));
}

TEST_F(petmem, mappings_of_others_are_avoided)
{
	char *at = (char *)PETMEM_REGION_START + 2 * self->page;
	char *p, *q, *other;

	other = mmap(at, self->page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	ASSERT_EQ(at, other);
	*other = 1;
	p = pet_malloc(2 * self->page);
	q = pet_malloc(2 * self->page);
	ASSERT_NE(NULL, p);
	ASSERT_NE(NULL, q);
	EXPECT_TRUE(p + 2 * self->page <= at || p > at);
	EXPECT_TRUE(q + 2 * self->page <= at || q > at);
	fill_pages(p, 2 * self->page, 1);
	fill_pages(q, 2 * self->page, 2);
	EXPECT_EQ(1, *other);
	EXPECT_EQ(NULL, pet_malloc(PETMEM_REGION_END - PETMEM_REGION_START));

	/* When it is gone, its place can be used. */
	pet_free(p);
	pet_free(q);
	ASSERT_EQ(0, munmap(other, self->page));
	EXPECT_EQ((char *)PETMEM_REGION_START,
		  pet_malloc(PETMEM_REGION_END - PETMEM_REGION_START));
}

TEST_F(petmem, allocate_maps_at_once)
{
	struct alloc_request req = { .size = 20 * self->page };
	long faults = pool_stat("faults");

	ASSERT_EQ(0, ioctl(self->fd, ALLOCATE, &req));
	ASSERT_NE(0, req.addr);
	EXPECT_EQ(faults + 20, pool_stat("faults"));
	fill_pages((void *)(unsigned long)req.addr, req.size, 9);
	EXPECT_EQ(faults + 20, pool_stat("faults"));
	EXPECT_EQ(0, ioctl(self->fd, FREE, req.addr));

	/* All or nothing. */
	req.size = (pool_stat("total") + 1) * self->page;
	req.addr = 0;
	EXPECT_EQ(-1, ioctl(self->fd, ALLOCATE, &req));
	EXPECT_EQ(ENOMEM, errno);
	EXPECT_EQ(0, req.addr);
}

TEST_HARNESS_MAIN
