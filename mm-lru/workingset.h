/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: shadows that hold what guard knows of an evicted folio.  Included
 * by mm/workingset.c and by nothing else, as packing is static there.
 *
 *	63	  guard's own, so that those of other policies are told apart: the
 *		  counter that these hold never gets that far
 *	next 8	  id of the struct lpl_keep that counts the shadow
 *	next 6+21 gap and stamp
 *
 * in place of what pack_shadow() calls eviction.  With 64 bits there is room.
 */
#if defined(CONFIG_LRU_PAGE_LIST) && BITS_PER_LONG == 64
#include "keep.h"

#define LPL_SHADOW_BITS		(BITS_PER_LONG - EVICTION_SHIFT)
#define LPL_SHADOW		BIT(LPL_SHADOW_BITS - 1)
#define LPL_SHADOW_WORD_BITS	(LPL_STAMP_BITS + LPL_GAP_BITS)

/* The lruvec that @shadow is of, its id and word; NULL if it is not of ours. */
static struct lruvec *lpl_unpack_shadow(void *shadow, u32 *id, u32 *word, bool *workingset)
{
	struct mem_cgroup *memcg;
	struct pglist_data *pgdat;
	unsigned long token;
	int memcgid;

	unpack_shadow(shadow, &memcgid, &pgdat, &token, workingset);
	if (!(token & LPL_SHADOW))
		return NULL;
	memcg = mem_cgroup_from_id(memcgid);
	if (!mem_cgroup_disabled() && !memcg)
		return NULL;
	*id = token >> LPL_SHADOW_WORD_BITS & 0xff;
	*word = lpl_word(token, 0);
	*word |= (token >> LPL_STAMP_BITS << LPL_GAP_SHIFT) & LPL_GAP_MASK;
	return mem_cgroup_lruvec(memcg, pgdat);
}

/* workingset_eviction(): NULL if guard has nothing to say. */
static void *lru_page_list_eviction(struct folio *folio, struct mem_cgroup *target)
{
	struct pglist_data *pgdat = folio_pgdat(folio);
	unsigned long token;
	u32 id, word;

	BUILD_BUG_ON(LPL_SHADOW_WORD_BITS + 8 + 1 > LPL_SHADOW_BITS);
	if (!lru_page_list_enabled() || !lpl_guarded())
		return NULL;
	word = lpl_keep_evicted(folio, &id);
	if (!word)
		return NULL;
	workingset_age_nonresident(mem_cgroup_lruvec(target, pgdat), folio_nr_pages(folio));
	token = (word & LPL_GAP_MASK) >> LPL_GAP_SHIFT;
	token = (id & 0xff) << LPL_GAP_BITS | token;
	token = token << LPL_STAMP_BITS | (word & LPL_STAMP_MASK);
	return pack_shadow(mem_cgroup_id(folio_memcg(folio)), pgdat, token | LPL_SHADOW,
			   folio_test_workingset(folio));
}

/* workingset_test_recent(), for cachestat(): true if @shadow is guard's. */
static bool lru_page_list_test_recent(void *shadow, bool *workingset)
{
	struct pglist_data *pgdat;
	unsigned long token;
	int memcgid;

	if (!lru_page_list_enabled())
		return false;
	unpack_shadow(shadow, &memcgid, &pgdat, &token, workingset);
	return token & LPL_SHADOW;
}

/* workingset_refault(): true if @shadow is guard's, and all has been done. */
static bool lru_page_list_refault(struct folio *folio, void *shadow)
{
	int file = folio_is_file_lru(folio);
	long nr = folio_nr_pages(folio);
	struct lruvec *lruvec;
	bool workingset, recent;
	u32 id, word;

	if (!lru_page_list_enabled())
		return false;
	rcu_read_lock();
	lruvec = lpl_unpack_shadow(shadow, &id, &word, &workingset);
	if (!lruvec) {
		rcu_read_unlock();
		return false;
	}
	recent = lruvec == folio_lruvec(folio) && lpl_guarded() &&
		 lpl_keep_refault(lruvec, folio, id, word);
	rcu_read_unlock();

	lruvec = folio_lruvec(folio);
	mod_lruvec_state(lruvec, WORKINGSET_REFAULT_BASE + file, nr);
	/* It has been used before: not as what is read once. */
	folio_set_active(folio);
	if (!recent)
		return true;
	mod_lruvec_state(lruvec, WORKINGSET_ACTIVATE_BASE + file, nr);
	if (workingset) {
		folio_set_workingset(folio);
		lru_note_cost_refault(folio);
		mod_lruvec_state(lruvec, WORKINGSET_RESTORE_BASE + file, nr);
	}
	return true;
}

/* A shadow is being removed; the i_pages lock is held, interrupts disabled. */
void *__lru_page_list_unshadow(void *shadow)
{
	struct lruvec *lruvec;
	bool workingset;
	u32 id, word;

	if (!lpl_guarded() || !xa_is_value(shadow))
		return shadow;
	rcu_read_lock();
	lruvec = lpl_unpack_shadow(shadow, &id, &word, &workingset);
	if (lruvec)
		lpl_keep_unshadow(lruvec, id, word);
	rcu_read_unlock();
	return shadow;
}

/* shadow_lru_isolate(): @node goes with all shadows in it. */
static void lru_page_list_unshadow_node(struct xa_node *node)
{
	unsigned int i;

	if (!lru_page_list_enabled() || !lpl_guarded())
		return;
	for (i = 0; i < XA_CHUNK_SIZE; i++)
		__lru_page_list_unshadow(rcu_dereference_raw(node->slots[i]));
}
#else
static inline void *lru_page_list_eviction(struct folio *folio, struct mem_cgroup *target)
{
	return NULL;
}

static inline bool lru_page_list_test_recent(void *shadow, bool *workingset)
{
	return false;
}

static inline bool lru_page_list_refault(struct folio *folio, void *shadow)
{
	return false;
}

static inline void lru_page_list_unshadow_node(struct xa_node *node)
{
}
#endif
