/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: where the word of a page is.
 */
#ifndef _MM_LRU_PAGE_LIST_WORD_H
#define _MM_LRU_PAGE_LIST_WORD_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/lru_page_list.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page_ext.h>

#include "internal.h"

/**
 * struct lpl_words - words of pages near each other, which are most of those in a table
 * @section: of memory, that of the last page; none at first: %LPL_NO_SECTION
 * @first: where the word of page frame 0 would be in it; %NULL if it has no words
 */
struct lpl_words {
	unsigned long section;
	void *first;
};

#define LPL_NO_SECTION	ULONG_MAX

/**
 * lpl_word_of_pfn() - the word of a page, in place
 * @pfn: of the page; whoever calls this holds it: a reference, its place in a page
 *	table or on a list whose lock is held, or it is being freed
 *
 * Words of memory that goes offline go away with the memory, after all of it has
 * been freed and isolated.  So as long as the page is held its word stays, and
 * nothing has to be held for the word.  page_ext_get() looks for it where it is
 * looked for here, but holds off RCU too, for who has a page that may be anything;
 * that was most of what this policy took of an allocation.
 *
 * Return: where its word is; %NULL for memory that has none, as that of devices.
 */
static inline u32 *lpl_word_of_pfn(unsigned long pfn)
{
#ifdef CONFIG_SPARSEMEM
	void *page_ext = READ_ONCE(__pfn_to_section(pfn)->page_ext);

	/* Its lowest bit: the array is about to go. A poisoned page may be left by then. */
	if (!page_ext || (unsigned long)page_ext & 1)
		return NULL;
	page_ext += page_ext_size * pfn;
#else
	struct page_ext *page_ext = page_ext_get(pfn_to_page(pfn));

	if (!page_ext)
		return NULL;
	page_ext_put(page_ext);
#endif
	return page_ext_data(page_ext, lru_page_list_page_ext);
}

/**
 * lpl_word_near() - the same of one page after the other
 * @words: takes notice of where they are
 * @pfn: of the page, held as lpl_word_of_pfn() says
 *
 * Return: where its word is; %NULL for memory that has none.
 */
static inline u32 *lpl_word_near(struct lpl_words *words, unsigned long pfn)
{
#ifdef CONFIG_SPARSEMEM
	if (pfn_to_section_nr(pfn) != words->section) {
		void *word = lpl_word_of_pfn(pfn);

		words->section = pfn_to_section_nr(pfn);
		words->first = word ? word - page_ext_size * pfn : NULL;
	}
	return words->first ? words->first + page_ext_size * pfn : NULL;
#else
	return lpl_word_of_pfn(pfn);
#endif
}

/**
 * lpl_word_at() - the same
 * @page: the page, held as lpl_word_of_pfn() says
 *
 * Return: where its word is; %NULL for memory that has none.
 */
static inline u32 *lpl_word_at(const struct page *page)
{
	return lpl_word_of_pfn(page_to_pfn(page));
}

static inline u32 lpl_page_word(const struct page *page)
{
	u32 *word = lpl_word_at(page);

	return word ? READ_ONCE(*word) : 0;
}

static inline void lpl_set_page_word(const struct page *page, u32 value)
{
	u32 *word = lpl_word_at(page);

	if (word)
		WRITE_ONCE(*word, value);
}

/**
 * lpl_folio_word() - what is known of a folio
 * @folio: the folio, held as lpl_word_at() says
 *
 * Return: its word, 0 if nothing is.
 */
static inline u32 lpl_folio_word(const struct folio *folio)
{
	return lpl_page_word(&folio->page);
}

static inline void lpl_set_folio_word(const struct folio *folio, u32 word)
{
	lpl_set_page_word(&folio->page, word);
}

/**
 * lpl_change_folio_word() - change a part of what is known of a folio
 * @folio: the folio, held as lpl_word_at() says
 * @clear: bits to be cleared
 * @set: bits to be set then
 *
 * While the folio may be mapped and on a list: who finds the bit of its fault clears
 * LPL_FRESH under the lock of a page table, whatever lock is held here.
 */
static inline void lpl_change_folio_word(const struct folio *folio, u32 clear, u32 set)
{
	u32 *word = lpl_word_at(&folio->page);
	u32 old;

	if (!word)
		return;
	old = READ_ONCE(*word);
	while (!try_cmpxchg_relaxed(word, &old, (old & ~clear) | set))
		;
}

/**
 * lpl_folio_age() - how long ago a folio was last seen accessed
 * @folio: the folio, held as lpl_word_at() says
 * @now: current tick
 *
 * Return: ticks.
 */
static inline u32 lpl_folio_age(struct folio *folio, u32 now)
{
	return lpl_age(lpl_folio_word(folio), now, READ_ONCE(lpl_since));
}

#endif /* _MM_LRU_PAGE_LIST_WORD_H */
