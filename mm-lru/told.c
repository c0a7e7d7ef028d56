// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: accessed bits that others have cleared.
 *
 * lkp25p3's monitor clears those of the same address spaces, and tells whom it
 * concerns: see accessed_bits.h.
 */
#include <linux/accessed_bits.h>
#include <linux/mm.h>
#include <linux/page_idle.h>
#include <linux/rmap.h>

#include "../internal.h"
#include "walk.h"

static void lpl_told_folio(struct lpl_walk *walk, struct folio *folio)
{
	u32 *word;

	folio = lpl_walk_folio(folio);
	word = folio ? lpl_word_at(&folio->page) : NULL;
	if (!word)
		return;
	/* It was set for reclaim not to miss the access, nor does it. */
	if (folio_test_lru(folio))
		folio_test_clear_young(folio);
	lpl_touched(walk, folio, word, lpl_word_age(walk, word));
}

static void lpl_told_table(struct lpl_walk *walk, struct vm_area_struct *vma,
			   pmd_t *pmd, unsigned long addr,
			   const unsigned long *bits, unsigned int nr)
{
	pte_t *start = pte_offset_map(pmd, addr);
	unsigned int i;

	if (!start)
		return;
	__acquire(RCU);		/* for sparse, which does not follow the above */
	for_each_set_bit(i, bits, nr) {
		pte_t pte = ptep_get(start + i);

		if (pte_present(pte))
			lpl_told_folio(walk, vm_normal_folio(vma, addr + i * PAGE_SIZE, pte));
	}
	pte_unmap(start);
}

/* By somebody who holds the lock of the table, so that all is as it was. */
static void lpl_told(struct accessed_bits_consumer *consumer,
		     struct vm_area_struct *vma, unsigned long addr,
		     const unsigned long *bits, unsigned int nr)
{
	struct lpl_walk walk = { .now = lpl_now(), .every = 1, .period = 1 };
	pmd_t *pmd = mm_find_pmd(vma->vm_mm, addr);

	if (!lru_page_list_enabled() || !pmd || lpl_skip_vma(vma))
		return;
	walk.since = lpl_since_harvest(vma->vm_mm, walk.now);
	walk.idle = lpl_told_idle(vma->vm_mm, walk.now);
	if (pmd_trans_huge(pmdp_get(pmd)))
		lpl_told_folio(&walk, vm_normal_folio_pmd(vma, addr, pmdp_get(pmd)));
	else
		lpl_told_table(&walk, vma, pmd, addr, bits, nr);
	lpl_move_batch(&walk);
	lpl_count(LPL_TOLD, walk.young);
	lpl_count(LPL_MOVED, walk.moved);
}

struct accessed_bits_consumer lpl_consumer = { .young = lpl_told };
