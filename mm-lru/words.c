// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: the word of 4 bytes that each page has, see internal.h for what is in it.
 */
#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page_ext.h>

#include "internal.h"
#include "keep.h"
#include "word.h"

/* By the boot parameter. */
bool lpl_wanted __initdata = true;

static bool __init lpl_need_page_ext(void)
{
	return lpl_wanted;
}

static bool lpl_have_words __ro_after_init;

static void __init lpl_init_page_ext(void)
{
	lpl_have_words = lpl_wanted;
}

struct page_ext_operations lru_page_list_page_ext_ops = {
	.size = sizeof(u32),
	.need = lpl_need_page_ext,
	.init = lpl_init_page_ext,
};

/**
 * lpl_set_aside() - is there memory for words?
 *
 * Return: false if the kernel was booted with lru_page_list=off.
 */
bool lpl_set_aside(void)
{
	return lpl_have_words;
}

/*
 * The page goes to the allocator: what will be in it is new.  The first page
 * of a block is the only one to have a word, as a split gives each part its
 * own and parts are freed one by one.
 */
void __lru_page_list_free(struct page *page)
{
	lpl_set_page_word(page, 0);
}

void __lru_page_list_copy(struct folio *dst, struct folio *src)
{
	lpl_set_folio_word(dst, lpl_folio_word(src));
}

/*
 * PG_workingset tells that a folio was in use before it was evicted: whoever waits for
 * it is stalled for memory, in PSI's terms.  The stock policies set it as a folio leaves
 * the active list, or is seen used again.
 */
static void lpl_is_workingset(struct folio *folio)
{
	if (!folio_test_workingset(folio))
		folio_set_workingset(folio);
}

void __lru_page_list_touch(struct folio *folio)
{
	lpl_is_workingset(folio);
	/* Not all uses by read() and write() are told. */
	if (lpl_guarded())
		__lpl_keep_touch(folio, false);
	else
		lpl_set_folio_word(folio, lpl_word(lpl_now(), 0));
}

/*
 * Reclaim found @folio accessed, and has cleared its bits.  PG_referenced, which it
 * has cleared as well, says so until the folio is added again: see aside.c.  If
 * harvests had found it in use, and left it alone for too long, the next one will do
 * neither.
 */
void __lru_page_list_referenced(struct folio *folio)
{
	u32 word = lpl_folio_word(folio);

	/* Not by its own fault. */
	if (word && !(word & LPL_FRESH))
		lpl_is_workingset(folio);
	if (lpl_guarded())
		__lpl_keep_touch(folio, lpl_found_idle(folio));
	else
		lpl_set_folio_word(folio, lpl_word_met(word, lpl_now()));
	folio_set_referenced(folio);
}

/**
 * lpl_set_coldest() - a folio goes to the tail of a queue
 * @folio: the folio
 * @queue: the queue; its lru_lock is held
 *
 * It counts as no younger than what is there: the stamps order the tails against each
 * other, and a young one would shield those before it.
 */
void lpl_set_coldest(struct folio *folio, struct list_head *queue)
{
	u32 now = lpl_now();
	u32 age;

	if (list_empty(queue))
		return;
	age = lpl_folio_age(lru_to_folio(queue), now);
	if (lpl_folio_age(folio, now) < age)
		lpl_set_folio_word(folio, lpl_word(now - age, 0));
}

/* The only writer of a race that is not younger: it must not win. */
static void lpl_keep_word(struct page *page, u32 now)
{
	u32 *word = lpl_word_at(page);
	u32 old = word ? READ_ONCE(*word) : 0;

	if (lpl_word_kept(old, now) != old)
		cmpxchg(word, old, lpl_word_kept(old, now));
}

/* Memory does not come or go. */
static void lpl_each_word(void (*change)(struct page *page, u32 now))
{
	u32 now = lpl_now();
	struct zone *zone;

	for_each_populated_zone(zone) {
		unsigned long pfn, end = zone_end_pfn(zone);

		for (pfn = zone->zone_start_pfn; pfn < end; pfn++) {
			struct page *page = pfn_to_online_page(pfn);

			if (page)
				change(page, now);
			else
				pfn = ALIGN(pfn + 1, pageblock_nr_pages) - 1;
			if (pfn % pageblock_nr_pages == 0)
				cond_resched();
		}
	}
}

/**
 * lpl_keep_words() - keep all that is very old from looking young again
 *
 * Context: process context; looks at every page there is.
 */
void lpl_keep_words(void)
{
	u32 now = lpl_now();

	get_online_mems();
	lpl_each_word(lpl_keep_word);
	put_online_mems();
	if (now - READ_ONCE(lpl_since) > LPL_STAMP_MASK)
		WRITE_ONCE(lpl_since, now - LPL_STAMP_MASK);
}

static void lpl_forget_word(struct page *page, u32 now)
{
	lpl_set_page_word(page, 0);
}

/**
 * lpl_forget_words() - nothing is known of any page
 *
 * While another policy is in force words stay as they are, whatever becomes of
 * their pages: freed, or other than the first of a large folio, which has the only
 * word; and after some hours old stamps would look young.
 *
 * Context: before lru is chosen; memory does not come or go.
 */
void lpl_forget_words(void)
{
	lpl_each_word(lpl_forget_word);
}
