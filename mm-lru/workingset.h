/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lru_page_list: shadows that hold what guard knows of an evicted folio.  Included
 * by mm/workingset.c and by nothing else, as packing is static there.
 *
 *	highest bit	it is guard's own: EVICTION_SHIFT leaves it to guard, so
 *			that it is 0 in those of other policies
 *	next		tick of its last use, as many bits of it as there is room for,
 *			21 at the least: then those from 5.8 hours ago look young
 *	next 8		id of the struct lpl_keep that counts the shadow
 *	next 6		gap
 *
 * in place of what pack_shadow() calls eviction.  With 64 bits there is room.
 */
#if LRU_PAGE_LIST_SHADOW_SHIFT
#include "keep.h"

#define LPL_SHADOW		BIT(BITS_PER_XA_VALUE - 1)
#define LPL_SHADOW_ID_BITS	8
#define LPL_SHADOW_TICK_SHIFT	(LPL_SHADOW_ID_BITS + LPL_GAP_BITS)
#define LPL_SHADOW_TICK_BITS	(BITS_PER_LONG - EVICTION_SHIFT - LPL_SHADOW_TICK_SHIFT)
/* Not more than an age is told apart to. */
#define LPL_SHADOW_TICK_MASK	\
	((u32)BIT(LPL_SHADOW_TICK_BITS < 30 ? LPL_SHADOW_TICK_BITS : 30) - 1)

static bool lpl_is_shadow(void *shadow)
{
	return xa_is_value(shadow) && xa_to_value(shadow) & LPL_SHADOW;
}

static void *lpl_pack_shadow(struct folio *folio, const struct lpl_shadow *ours)
{
	unsigned long token = (lpl_now() - ours->age) & LPL_SHADOW_TICK_MASK;
	void *shadow;

	BUILD_BUG_ON(LPL_SHADOW_TICK_BITS < LPL_STAMP_BITS);
	token = token << LPL_SHADOW_ID_BITS | ours->id;
	token = token << LPL_GAP_BITS | lpl_gap_pack(ours->gap);
	shadow = pack_shadow(mem_cgroup_id(folio_memcg(folio)), folio_pgdat(folio), token,
			     folio_test_workingset(folio));
	return xa_mk_value(xa_to_value(shadow) | LPL_SHADOW);
}

/*
 * What one of guard's holds.  Under RCU.
 *
 * Return: the lruvec that it is of; NULL if the memory cgroup has gone.
 */
static struct lruvec *lpl_unpack_shadow(void *shadow, struct lpl_shadow *ours)
{
	struct mem_cgroup *memcg;
	struct pglist_data *pgdat;
	unsigned long token;
	int memcgid;

	unpack_shadow(shadow, &memcgid, &pgdat, &token, &ours->workingset);
	ours->gap = lpl_gap_unpack(token & GENMASK(LPL_GAP_BITS - 1, 0));
	ours->id = token >> LPL_GAP_BITS;
	ours->age = (lpl_now() - (u32)(token >> LPL_SHADOW_TICK_SHIFT)) & LPL_SHADOW_TICK_MASK;
	if (ours->age > LPL_SHADOW_TICK_MASK - LPL_STAMP_AHEAD)
		ours->age = 0;
	memcg = mem_cgroup_from_id(memcgid);
	if (!mem_cgroup_disabled() && !memcg)
		return NULL;
	return mem_cgroup_lruvec(memcg, pgdat);
}

/* workingset_eviction(): NULL if guard has nothing to say. */
static void *lru_page_list_eviction(struct folio *folio, struct mem_cgroup *target)
{
	struct lpl_shadow ours;

	if (!lru_page_list_enabled() || !lpl_guarded())
		return NULL;
	/* Nobody would find the queues of one that is going: it has no id. */
	if (!mem_cgroup_disabled() && !mem_cgroup_id(folio_memcg(folio)))
		return NULL;
	if (!lpl_keep_evicted(folio, &ours))
		return NULL;
	workingset_age_nonresident(mem_cgroup_lruvec(target, folio_pgdat(folio)),
				   folio_nr_pages(folio));
	return lpl_pack_shadow(folio, &ours);
}

static bool lru_page_list_owns(void *shadow)
{
	return lru_page_list_enabled() && lpl_is_shadow(shadow);
}

/* workingset_test_recent() of one that guard owns, for cachestat(); under RCU. */
static bool lru_page_list_test_recent(void *shadow, bool *workingset)
{
	struct lpl_shadow ours;
	struct lruvec *lruvec = lpl_unpack_shadow(shadow, &ours);

	*workingset = ours.workingset;
	return lruvec && lpl_guarded() && lpl_keep_recent(lruvec, &ours);
}

/*
 * workingset_refault(): true if @shadow is guard's, and all has been done.  As in
 * the other policies what counts is whether it would still be where it was evicted
 * from; if that memory cgroup has gone it is not recent.
 */
static bool lru_page_list_refault(struct folio *folio, void *shadow)
{
	int file = folio_is_file_lru(folio);
	long nr = folio_nr_pages(folio);
	struct lpl_shadow ours;
	struct lruvec *lruvec;
	bool recent;

	if (!lru_page_list_owns(shadow))
		return false;
	rcu_read_lock();
	lruvec = lpl_unpack_shadow(shadow, &ours);
	recent = lruvec && lpl_guarded() && lpl_keep_refault(lruvec, folio, &ours);
	rcu_read_unlock();

	lruvec = folio_lruvec(folio);
	mod_lruvec_state(lruvec, WORKINGSET_REFAULT_BASE + file, nr);
	/* It has been used before: not as what is read once. */
	folio_set_active(folio);
	if (!recent)
		return true;
	mod_lruvec_state(lruvec, WORKINGSET_ACTIVATE_BASE + file, nr);
	if (ours.workingset) {
		folio_set_workingset(folio);
		lru_note_cost_refault(folio);
		mod_lruvec_state(lruvec, WORKINGSET_RESTORE_BASE + file, nr);
	}
	return true;
}

/* A shadow is being removed; the i_pages lock is held, interrupts disabled. */
void __lru_page_list_unshadow(void *shadow)
{
	struct lpl_shadow ours;
	struct lruvec *lruvec;

	if (!lpl_guarded() || !lpl_is_shadow(shadow))
		return;
	rcu_read_lock();
	lruvec = lpl_unpack_shadow(shadow, &ours);
	if (lruvec)
		lpl_keep_unshadow(lruvec, &ours);
	rcu_read_unlock();
}

/* Those of all slots that @xas is about to store a folio in. */
void __lru_page_list_unshadow_all(struct xa_state *xas)
{
	void *shadow;

	if (!lpl_guarded())
		return;
	xas_reset(xas);
	xas_for_each_conflict(xas, shadow)
		__lru_page_list_unshadow(shadow);
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

static inline bool lru_page_list_owns(void *shadow)
{
	return false;
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
