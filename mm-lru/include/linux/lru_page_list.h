/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: hooks of the rest of the kernel, see mm/lru_page_list/core.c.
 *
 * Where another policy is active each is one static branch, where it is built
 * out each is nothing.
 */
#ifndef _LINUX_LRU_PAGE_LIST_H
#define _LINUX_LRU_PAGE_LIST_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mmzone.h>
#include <linux/sched.h>

struct page_ext_operations;
struct page_vma_mapped_walk;
struct xa_state;

/* Bits of a shadow that no other policy uses: 1 where there is room for guard's. */
#define LRU_PAGE_LIST_SHADOW_SHIFT	(IS_ENABLED(CONFIG_LRU_PAGE_LIST) && BITS_PER_LONG == 64)

/* Of a lruvec, with lists of nothing. */
static inline void lru_page_list_init_queue(struct lru_page_list_queue *queue)
{
	int i;

	queue->nr = 1;
	for (i = 0; i < LRU_PAGE_LIST_PARTS; i++) {
		queue->slot[i] = i;
		INIT_LIST_HEAD(&queue->list[i]);
	}
}

#ifdef CONFIG_LRU_PAGE_LIST

DECLARE_STATIC_KEY_FALSE(lru_page_list_key);
DECLARE_STATIC_KEY_FALSE(lru_page_list_kept_key);

/* For the list of page_ext clients, which has no room for an #ifdef. */
#define LRU_PAGE_LIST_PAGE_EXT	lru_page_list_page_ext,
#define lru_page_list_page_ext	(&lru_page_list_page_ext_ops)
extern struct page_ext_operations lru_page_list_page_ext_ops;

static inline bool lru_page_list_enabled(void)
{
	return static_branch_unlikely(&lru_page_list_key);
}

void __lru_page_list_note(struct mm_struct *mm);
void __lru_page_list_tick(struct task_struct *curr);
void __lru_page_list_tick_remote(struct task_struct *curr);
bool __lru_page_list_add(struct lruvec *lruvec, struct folio *folio, bool tail);
void __lru_page_list_del(struct lruvec *lruvec, struct folio *folio);
void __lru_page_list_isolated(struct lruvec *lruvec, struct list_head *isolated);
void __lru_page_list_unshadow(void *shadow);
void __lru_page_list_unshadow_all(struct xa_state *xas);
void __lru_page_list_init_lruvec(struct lruvec *lruvec);
void __lru_page_list_exit_lruvec(struct lruvec *lruvec);
void __lru_page_list_free(struct page *page);
void __lru_page_list_copy(struct folio *dst, struct folio *src);
void __lru_page_list_touch(struct folio *folio);
void __lru_page_list_referenced(struct folio *folio);
void __lru_page_list_park(struct lruvec *lruvec, struct folio *folio);
void __lru_page_list_look_around(struct page_vma_mapped_walk *pvmw, bool young);
void __lru_page_list_cold(struct lruvec *lruvec, struct folio *folio);
struct list_head *__lru_page_list_skipped(struct lruvec *lruvec,
					  struct list_head *skipped,
					  struct list_head *src, bool file);
bool __lru_page_list_fill(struct lruvec *lruvec, struct list_head *src, enum lru_list lru);
unsigned long __lru_page_list_half(struct lruvec *lruvec, bool file);
void lru_page_list_leave(void);

/* mm_init(): a child's mm begins as a copy of its parent's. */
static inline void lru_page_list_init_mm(struct mm_struct *mm)
{
	mm->lru_page_list = (struct lru_page_list_mm) { };
}

static inline void lru_page_list_init_lruvec(struct lruvec *lruvec)
{
	int file;

	for (file = 0; file < 2; file++) {
		lru_page_list_init_queue(&lruvec->lru_page_list.queue[file]);
		INIT_LIST_HEAD(&lruvec->lru_page_list.front[0][file]);
		INIT_LIST_HEAD(&lruvec->lru_page_list.front[1][file]);
		INIT_LIST_HEAD(&lruvec->lru_page_list.parked[file]);
		INIT_LIST_HEAD(&lruvec->lru_page_list.skipped[file]);
	}
	INIT_LIST_HEAD(&lruvec->lru_page_list.once);
	/* The rest is 0, as all of lruvec is. */
	if (lru_page_list_enabled())
		__lru_page_list_init_lruvec(lruvec);
}

/* A memory cgroup is freed. */
static inline void lru_page_list_exit_lruvec(struct lruvec *lruvec)
{
	if (static_branch_unlikely(&lru_page_list_kept_key))
		__lru_page_list_exit_lruvec(lruvec);
}

/* context_switch(): @prev ran until now; its rq is locked. */
static inline void lru_page_list_switch(struct task_struct *prev)
{
	struct mm_struct *mm = prev->mm;

	if (!lru_page_list_enabled() || !mm)
		return;
	if (!test_bit(LRU_PAGE_LIST_NOTED, &mm->lru_page_list.flags))
		__lru_page_list_note(mm);
}

/* sched_tick(): @curr runs on this CPU; its rq is not locked. */
static inline void lru_page_list_tick(struct task_struct *curr)
{
	if (lru_page_list_enabled())
		__lru_page_list_tick(curr);
}

/* sched_tick_remote(): @curr runs on another CPU, whose rq is locked. */
static inline void lru_page_list_tick_remote(struct task_struct *curr)
{
	if (lru_page_list_enabled())
		__lru_page_list_tick_remote(curr);
}

/* lruvec_add_folio() and lruvec_add_folio_tail(): true if it was added. */
static inline bool lru_page_list_add(struct lruvec *lruvec, struct folio *folio,
				     bool tail)
{
	return lru_page_list_enabled() &&
	       __lru_page_list_add(lruvec, folio, tail);
}

/* lruvec_del_folio() */
static inline void lru_page_list_del(struct lruvec *lruvec, struct folio *folio)
{
	if (lru_page_list_enabled())
		__lru_page_list_del(lruvec, folio);
}

/* isolate_lru_folios(): these are off the lists. */
static inline void lru_page_list_isolated(struct lruvec *lruvec,
					  struct list_head *isolated)
{
	if (lru_page_list_enabled())
		__lru_page_list_isolated(lruvec, isolated);
}

/* @shadow is removed from a mapping, whose i_pages lock is held; returns it. */
static inline void *lru_page_list_unshadow(void *shadow)
{
	if (LRU_PAGE_LIST_SHADOW_SHIFT && lru_page_list_enabled())
		__lru_page_list_unshadow(shadow);
	return shadow;
}

/* __filemap_add_folio(): all that @xas is about to replace, of which @last was the last. */
static inline void *lru_page_list_unshadow_all(struct xa_state *xas, void *last)
{
	if (LRU_PAGE_LIST_SHADOW_SHIFT && lru_page_list_enabled())
		__lru_page_list_unshadow_all(xas);
	return last;
}

/* free_pages_prepare(): what comes to @page next is new. */
static inline void lru_page_list_free(struct page *page)
{
	if (lru_page_list_enabled())
		__lru_page_list_free(page);
}

/* folio_migrate_flags(), splitting: @dst takes the place of (a part of) @src. */
static inline void lru_page_list_copy(struct folio *dst, struct folio *src)
{
	if (lru_page_list_enabled())
		__lru_page_list_copy(dst, src);
}

/* lru_activate(): @folio was accessed and is about to be added again. */
static inline void lru_page_list_touch(struct folio *folio)
{
	if (lru_page_list_enabled())
		__lru_page_list_touch(folio);
}

/* folio_check_references(): true if a reference keeps it, but at the last priority. */
static inline bool lru_page_list_referenced(struct folio *folio)
{
	if (!lru_page_list_enabled())
		return false;
	__lru_page_list_referenced(folio);
	return true;
}

/* folio_referenced_one(): the entry that @pvmw is at was found @young, or not. */
static inline void lru_page_list_look_around(struct page_vma_mapped_walk *pvmw, bool young)
{
	if (lru_page_list_enabled())
		__lru_page_list_look_around(pvmw, young);
}

/* lru_deactivate(): true if @folio was moved to the tail. */
static inline bool lru_page_list_cold(struct lruvec *lruvec, struct folio *folio)
{
	if (!lru_page_list_enabled())
		return false;
	__lru_page_list_cold(lruvec, folio);
	return true;
}

/* move_folios_to_lru(): @folio, just added again, could not be reclaimed. */
static inline void lru_page_list_park(struct lruvec *lruvec, struct folio *folio)
{
	if (lru_page_list_enabled())
		__lru_page_list_park(lruvec, folio);
}

/* isolate_lru_folios(): where folios of zones out of reach go meanwhile. */
static inline struct list_head *
lru_page_list_skipped(struct lruvec *lruvec, struct list_head *skipped,
		      struct list_head *src, bool file)
{
	return lru_page_list_enabled() ?
	       __lru_page_list_skipped(lruvec, skipped, src, file) : src;
}

/* isolate_lru_folios(): no folio is left on @src, nor elsewhere for it. */
static inline bool lru_page_list_empty(struct lruvec *lruvec, struct list_head *src,
				       enum lru_list lru)
{
	return list_empty(src) &&
	       !(lru_page_list_enabled() && __lru_page_list_fill(lruvec, src, lru));
}

/* workingset_test_recent(): pages that classic would hold on its active list. */
static inline unsigned long lru_page_list_half(struct lruvec *lruvec, bool file)
{
	return lru_page_list_enabled() ? __lru_page_list_half(lruvec, file) : 0;
}

#else /* !CONFIG_LRU_PAGE_LIST */

#define LRU_PAGE_LIST_PAGE_EXT

static inline bool lru_page_list_enabled(void)
{
	return false;
}

static inline void lru_page_list_init_mm(struct mm_struct *mm)
{
}

static inline void lru_page_list_init_lruvec(struct lruvec *lruvec)
{
}

static inline void lru_page_list_switch(struct task_struct *prev)
{
}

static inline void lru_page_list_tick(struct task_struct *curr)
{
}

static inline void lru_page_list_tick_remote(struct task_struct *curr)
{
}

/*
 * Macros, as inline functions that do nothing are not nothing in what is inlined
 * as often as lruvec_add_folio(): registers are chosen otherwise.
 */
#define lru_page_list_add(lruvec, folio, tail) \
	((void)(lruvec), (void)(folio), (void)(tail), false)
#define lru_page_list_del(lruvec, folio)	((void)(lruvec), (void)(folio))
#define lru_page_list_empty(lruvec, src, lru)	((void)(lruvec), (void)(lru), list_empty(src))

static inline void lru_page_list_isolated(struct lruvec *lruvec,
					  struct list_head *isolated)
{
}

static inline void *lru_page_list_unshadow(void *shadow)
{
	return shadow;
}

static inline void *lru_page_list_unshadow_all(struct xa_state *xas, void *last)
{
	return last;
}

static inline void lru_page_list_exit_lruvec(struct lruvec *lruvec)
{
}

static inline void lru_page_list_free(struct page *page)
{
}

static inline void lru_page_list_copy(struct folio *dst, struct folio *src)
{
}

static inline void lru_page_list_touch(struct folio *folio)
{
}

static inline bool lru_page_list_referenced(struct folio *folio)
{
	return false;
}

static inline void lru_page_list_look_around(struct page_vma_mapped_walk *pvmw, bool young)
{
}

static inline bool lru_page_list_cold(struct lruvec *lruvec, struct folio *folio)
{
	return false;
}

static inline void lru_page_list_park(struct lruvec *lruvec, struct folio *folio)
{
}

static inline struct list_head *
lru_page_list_skipped(struct lruvec *lruvec, struct list_head *skipped,
		      struct list_head *src, bool file)
{
	return src;
}

static inline unsigned long lru_page_list_half(struct lruvec *lruvec, bool file)
{
	return 0;
}

static inline void lru_page_list_leave(void)
{
}

#endif /* CONFIG_LRU_PAGE_LIST */

#endif /* _LINUX_LRU_PAGE_LIST_H */
