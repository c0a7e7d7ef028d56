// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: mappings that are cut, moved and protected. */
#define PAGING_TEST_PRIVATE
#include "paging_test.h"

#define SPLIT "/sys/kernel/debug/split_huge_pages"

/* Unmap [from, to) of a filled mapping; the rest must stay as it is. */
static void unmap_part(struct __test_metadata *_metadata,
		       paging_fixture *self, size_t from, size_t to)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 1);
	ASSERT_EQ(0, munmap(p + from, to - from));
	EXPECT_EQ(0, wrong_pages(p, from, 1));
	EXPECT_EQ(0, wrong_pages(p + to, self->len - to, 1 + to));
	EXPECT_EQ(128 + SIGSEGV, end_of(read_byte, p + from));
	EXPECT_EQ(128 + SIGSEGV, end_of(read_byte, p + to - 1));
}

TEST_F(paging, keeps_the_rest_when_its_head_is_unmapped)
{
	unmap_part(_metadata, self, 0, self->len / 2 + self->page);
}

TEST_F(paging, keeps_the_rest_when_its_middle_is_unmapped)
{
	unmap_part(_metadata, self, self->len / 4 + self->page,
		   self->len / 2 + 3 * self->page);
}

TEST_F(paging, keeps_the_rest_when_its_tail_is_unmapped)
{
	unmap_part(_metadata, self, self->len / 2 - self->page, self->len);
}

/*
 * A part that was mapped by one PMD entry: the kernel drops the entry when
 * it is cut, and the pages have to come back by faults, with their contents.
 */
TEST_F(paging, keeps_the_rest_of_a_large_entry)
{
	size_t len = 2 * pmd_bytes(), wrong = 0;
	char *p;

	if (len > (16UL << 20))
		len = 4 * BLOCK;	/* a PMD entry maps much memory here */
	p = map_pages(self, len);
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, len, 2);
	ASSERT_EQ(0, munmap(p + self->page, self->page));
	wrong = wrong_pages(p, self->page, 2) +
		wrong_pages(p + 2 * self->page, len - 2 * self->page,
			    2 + 2 * self->page);
	EXPECT_EQ(0, wrong);
}

/* Cutting off an untouched mapping's head must not shift what comes after. */
TEST_F(paging, can_be_filled_after_it_was_cut)
{
	char *p = map_pages(self, self->len);
	size_t cut = 3 * self->page;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p, cut));
	fill_pages(p + cut, self->len - cut, 3);
	EXPECT_EQ(0, wrong_pages(p + cut, self->len - cut, 3));
}

TEST_F_TIMEOUT(paging, can_be_unmapped_page_by_page, 120)
{
	size_t len = 4 * BLOCK;
	char *p = map_pages(self, len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, len, 4);
	for (size_t i = 0; i < len; i += 2 * self->page)
		ASSERT_EQ(0, munmap(p + i, self->page));
	for (size_t i = self->page; i < len; i += 2 * self->page) {
		ASSERT_EQ(0, wrong_pages(p + i, self->page, 4 + i));
		ASSERT_EQ(0, munmap(p + i, self->page));
	}
}

TEST_F(paging, can_be_moved)
{
	char *p = map_pages(self, self->len), *q;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len / 2, 5);	/* the other half after it */
	q = mmap(NULL, self->len + pmd_bytes(), PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, q);
	q += self->page;			/* no large entry fits there */
	ASSERT_EQ(q, mremap(p, self->len, self->len,
			    MREMAP_MAYMOVE | MREMAP_FIXED, q));
	EXPECT_EQ(0, wrong_pages(q, self->len / 2, 5));
	fill_pages(q, self->len, 6);
	EXPECT_EQ(0, wrong_pages(q, self->len, 6));
	EXPECT_EQ(128 + SIGSEGV, end_of(read_byte, p));
}

TEST_F(paging, can_be_moved_in_part)
{
	char *p = map_pages(self, self->len), *q;
	size_t from = self->len / 4 + self->page, len = self->len / 4;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 7);
	q = mremap(p + from, len, len, MREMAP_MAYMOVE);
	ASSERT_EQ(p + from, q);
	q = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(q, mremap(p + from, len, len,
			    MREMAP_MAYMOVE | MREMAP_FIXED, q));
	EXPECT_EQ(0, wrong_pages(q, len, 7 + from));
	EXPECT_EQ(0, wrong_pages(p, from, 7));
	EXPECT_EQ(0, wrong_pages(p + from + len, self->len - from - len,
				 7 + from + len));
}

TEST_F(paging, cannot_grow)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(MAP_FAILED, mremap(p, self->len, 2 * self->len,
				     MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	fill_pages(p, self->len, 8);
	EXPECT_EQ(0, wrong_pages(p, self->len, 8));
}

TEST_F(paging, can_shrink)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 9);
	ASSERT_EQ(p, mremap(p, self->len, self->len / 4, 0));
	EXPECT_EQ(0, wrong_pages(p, self->len / 4, 9));
	EXPECT_EQ(128 + SIGSEGV, end_of(read_byte, p + self->len / 4));
}

TEST_F(paging, can_be_read_only_and_back)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 10);
	ASSERT_EQ(0, mprotect(p, self->len, PROT_READ));
	EXPECT_EQ(128 + SIGSEGV, end_of(write_byte, p + self->len / 2));
	EXPECT_EQ(0, wrong_pages(p, self->len, 10));
	ASSERT_EQ(0, mprotect(p, self->len, PROT_READ | PROT_WRITE));
	fill_pages(p, self->len, 11);
	EXPECT_EQ(0, wrong_pages(p, self->len, 11));
}

TEST_F(paging, can_be_protected_in_part)
{
	char *p = map_pages(self, self->len);
	size_t from = self->len / 4 + self->page, len = self->len / 4;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 12);
	ASSERT_EQ(0, mprotect(p + from, len, PROT_NONE));
	EXPECT_EQ(128 + SIGSEGV, end_of(read_byte, p + from));
	EXPECT_EQ(0, wrong_pages(p, from, 12));
	ASSERT_EQ(0, mprotect(p + from, len, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, wrong_pages(p, self->len, 12));
}

/* Mapped for reading first; the pages were never written to. */
TEST_F(paging, can_become_writable)
{
	char *p = mmap(NULL, self->len, PROT_READ, self->flags, self->fd, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(all_zero(p, self->len));
	EXPECT_EQ(128 + SIGSEGV, end_of(write_byte, p));
	ASSERT_EQ(0, mprotect(p, self->len, PROT_READ | PROT_WRITE));
	fill_pages(p, self->len, 13);
	EXPECT_EQ(0, wrong_pages(p, self->len, 13));
}

/* Shared memory stays, a private copy goes: as with any other file. */
TEST_F(paging, stays_or_goes_with_madv_dontneed)
{
	char *p = map_pages(self, self->len);

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 14);
	ASSERT_EQ(0, madvise(p, self->len, MADV_DONTNEED));
	EXPECT_TRUE(self->flags == MAP_SHARED ?
		    !wrong_pages(p, self->len, 14) : all_zero(p, self->len));
}

TEST_F(paging, stays_or_goes_with_madv_dontneed_of_a_part)
{
	char *p = map_pages(self, self->len);
	size_t from = self->len / 4 + self->page;

	size_t gone = self->flags == MAP_PRIVATE ? 3 : 0;

	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 15);
	ASSERT_EQ(0, madvise(p + from, 3 * self->page, MADV_DONTNEED));
	EXPECT_EQ(gone, wrong_pages(p, self->len, 15));
}

/* What memory_failure(), the debugfs file and khugepaged's tests do to THPs. */
TEST_F(paging, stays_intact_when_told_to_split)
{
	char *p = map_pages(self, self->len), range[80];

	if (access(SPLIT, W_OK))
		SKIP(return, "no " SPLIT);
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 16);
	snprintf(range, sizeof(range), "%d,0x%lx,0x%lx", getpid(),
		 (unsigned long)p, (unsigned long)p + self->len);
	put_file(SPLIT, range);
	put_file(SPLIT, "1");
	EXPECT_EQ(0, wrong_pages(p, self->len, 16));
}

TEST_HARNESS_MAIN
