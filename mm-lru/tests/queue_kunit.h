/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit tests of where folios go in the queue.  Included by queue.c.
 */
#include <kunit/test.h>

#define TEST_FOLIOS	200

struct queue_test {
	struct list_head queue;
	struct folio *folio;
};

/* The folio's age is kept where a test folio has room for it. */
static u32 queue_test_age(struct folio *folio, u32 now)
{
	return (unsigned long)folio->private;
}

static int queue_test_init(struct kunit *test)
{
	struct queue_test *ctx = kunit_kzalloc(test, sizeof(*ctx), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ctx);
	ctx->folio = kunit_kcalloc(test, TEST_FOLIOS, sizeof(*ctx->folio), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx->folio);
	INIT_LIST_HEAD(&ctx->queue);
	for (i = 0; i < TEST_FOLIOS; i++) {
		ctx->folio[i].private = (void *)(unsigned long)(10 * i);
		list_add_tail(&ctx->folio[i].lru, &ctx->queue);
	}
	test->priv = ctx;
	return 0;
}

/* How many folios are in front of where one of this age is put. */
static unsigned int queue_test_place(struct kunit *test, u32 age)
{
	struct queue_test *ctx = test->priv;
	struct list_head *node = lpl_place(&ctx->queue, age, 0, queue_test_age);
	unsigned int nr = 0;

	for (; node != &ctx->queue; node = node->prev)
		nr++;
	return nr;
}

/* In the middle of the time since the last harvest, but not before what is known. */
static void queue_used_is_before_the_harvest(struct kunit *test)
{
	u32 word = lpl_word_touched(lpl_word(100, 0), 100, 200, 80, 40);

	KUNIT_EXPECT_EQ(test, lpl_age(word, 200, 0), 40U);
	word = lpl_word_touched(lpl_word(190, 0), 10, 200, 80, 40);
	KUNIT_EXPECT_EQ(test, lpl_age(word, 200, 0), 10U);
	word = lpl_word_touched(0, 1000, 200, 80, 40);
	KUNIT_EXPECT_EQ(test, lpl_age(word, 200, 0), 0U);
}

/* One that is left alone for too long is left less. */
static void queue_met_at_the_tail(struct kunit *test)
{
	u32 word = lpl_word_met(lpl_word(100, LPL_STREAK_MASK), 200);

	KUNIT_EXPECT_EQ(test, word, lpl_word(200, 2 << LPL_STREAK_SHIFT));
	KUNIT_EXPECT_EQ(test, lpl_word_met(lpl_word(100, 0), 200), lpl_word(200, 0));
	KUNIT_EXPECT_EQ(test, lpl_word_met(lpl_word(100, LPL_ONCE), 200), lpl_word(200, 0));
	KUNIT_EXPECT_EQ(test, lpl_word_met(lpl_word(100, LPL_FRESH), 200), lpl_word(200, 0));
}

static void queue_used_all_the_time_is_not(struct kunit *test)
{
	u32 word = lpl_word(100, 0), now;
	int i;

	for (i = 1; i < 5; i++) {
		now = 100 + 80 * i;
		word = lpl_word_touched(word, lpl_age(word, now, 0), now, 80, 40);
		KUNIT_EXPECT_EQ_MSG(test, lpl_age(word, now, 0), i < 3 ? 40U : 0U, "harvest %d", i);
	}
}

/* Lists of one folio each, @newer and @older in front of @queue. */
static void queue_test_front(struct queue_test *ctx, struct list_head *newer,
			     struct list_head *older, struct list_head *queue)
{
	list_add(&ctx->folio[0].lru, newer);
	list_add(&ctx->folio[1].lru, older);
	list_add(&ctx->folio[2].lru, queue);
}

static void queue_front_gets_older(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	LIST_HEAD(newer);
	LIST_HEAD(older);
	LIST_HEAD(queue);

	queue_test_front(ctx, &newer, &older, &queue);
	KUNIT_EXPECT_FALSE(test, lpl_front_step(&newer, &older, &queue, 9, 10));
	KUNIT_EXPECT_TRUE(test, lpl_front_step(&newer, &older, &queue, 10, 10));
	KUNIT_EXPECT_TRUE(test, list_empty(&newer));
	KUNIT_EXPECT_PTR_EQ(test, older.next, &ctx->folio[0].lru);
	KUNIT_EXPECT_PTR_EQ(test, queue.next, &ctx->folio[1].lru);
	KUNIT_EXPECT_PTR_EQ(test, queue.prev, &ctx->folio[2].lru);
}

/* Ticks start at any number, which is near the end of 32 bits with HZ=100, and wrap. */
static void queue_front_age_is_of_any_tick(struct kunit *test)
{
	static const u32 ticks[] = { 0, 5, S32_MAX, (u32)S32_MAX + 1, (u32)-30000, U32_MAX };
	int i;

	for (i = 0; i < ARRAY_SIZE(ticks); i++) {
		KUNIT_EXPECT_EQ(test, lpl_front_age(ticks[i], ticks[i]), 0U);
		KUNIT_EXPECT_EQ(test, lpl_front_age(ticks[i], ticks[i] + 7), 7U);
		/* A harvest that began before. */
		KUNIT_EXPECT_EQ(test, lpl_front_age(ticks[i], ticks[i] - 7), 0U);
		/* Not in use for 300 days. */
		KUNIT_EXPECT_EQ(test, lpl_front_age(ticks[i], ticks[i] + 2600000000U), 2600000000U);
	}
	/* Never in use before, five minutes before ticks wrap. */
	KUNIT_EXPECT_EQ(test, lpl_front_age(0, -30000), (u32)-30000);
}

/* After a long time, or if nothing is to be in front. */
static void queue_front_is_joined(struct kunit *test)
{
	static const u32 age[] = { 20, 0, 7 }, every[] = { 10, 0, 0 };
	struct queue_test *ctx = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(age); i++) {
		LIST_HEAD(newer);
		LIST_HEAD(older);
		LIST_HEAD(queue);

		queue_test_front(ctx, &newer, &older, &queue);
		KUNIT_EXPECT_TRUE(test, lpl_front_step(&newer, &older, &queue, age[i], every[i]));
		KUNIT_EXPECT_TRUE(test, list_empty(&newer) && list_empty(&older));
		KUNIT_EXPECT_PTR_EQ(test, queue.next, &ctx->folio[0].lru);
		KUNIT_EXPECT_PTR_EQ(test, queue.next->next, &ctx->folio[1].lru);
		KUNIT_EXPECT_PTR_EQ(test, queue.prev, &ctx->folio[2].lru);
	}
}

static void queue_empty(struct kunit *test)
{
	LIST_HEAD(empty);

	KUNIT_EXPECT_PTR_EQ(test, lpl_place(&empty, 5, 0, queue_test_age), &empty);
}

static void queue_just_used_goes_to_the_front(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 0), 0U);
}

static void queue_same_age_goes_before(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 10), 1U);
}

static void queue_near_the_front_is_sorted(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 95), 10U);
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 601), 61U);
}

static void queue_near_the_tail_is_sorted(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 10 * TEST_FOLIOS), TEST_FOLIOS);
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 1905), 191U);
}

static void queue_search_is_bounded(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 900), LPL_PLACE_MAX);
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 1100), TEST_FOLIOS - LPL_PLACE_MAX);
}

/* The folio's stamp is kept there. */
static u32 queue_test_since(struct folio *folio, u32 now)
{
	return now - (u32)(unsigned long)folio->private;
}

/* One comes in each tick from @from to @to. */
static void queue_test_parts(struct queue_test *ctx, struct lru_page_list_queue *queue,
			     u32 from, u32 to)
{
	if (!from) {
		memset(queue, 0, sizeof(*queue));
		lru_page_list_init_queue(queue);
	}
	for (; from < to; from++) {
		lpl_queue_advance(queue, from);
		ctx->folio[from].private = (void *)(unsigned long)from;
		list_add(&ctx->folio[from].lru, lpl_queue_part(queue, 0));
	}
}

/* All are there, and in order, in parts and @tail. */
static void queue_test_is_whole(struct kunit *test, struct lru_page_list_queue *queue,
				struct list_head *tail, u32 nr)
{
	struct folio *folio;
	LIST_HEAD(all);
	int i;

	list_splice_init(tail, &all);
	for (i = queue->nr - 1; i >= 0; i--)
		list_splice_init(lpl_queue_part(queue, i), &all);
	KUNIT_EXPECT_TRUE(test, lpl_queue_empty(queue));
	list_for_each_entry(folio, &all, lru)
		KUNIT_EXPECT_EQ(test, queue_test_since(folio, nr--), 1U);
	KUNIT_EXPECT_EQ(test, nr, 0U);
}

/* The most that a part is of its age, %; those of one tick apart. */
static u32 queue_test_coarsest(struct lru_page_list_queue *queue, u32 now)
{
	u32 most = 0;
	int i;

	for (i = 1; i < queue->nr; i++) {
		u32 time = queue->since[i - 1] - queue->since[i];

		if (time > 1)
			most = max(most, 100 * time / (now - queue->since[i]));
	}
	return most;
}

static void queue_parts_are_of_a_tick_while_there_are_some(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	struct lru_page_list_queue queue;
	LIST_HEAD(tail);

	queue_test_parts(ctx, &queue, 0, LRU_PAGE_LIST_PARTS);
	KUNIT_EXPECT_EQ(test, queue.nr, LRU_PAGE_LIST_PARTS);
	KUNIT_EXPECT_EQ(test, queue_test_coarsest(&queue, LRU_PAGE_LIST_PARTS), 0U);
	queue_test_is_whole(test, &queue, &tail, LRU_PAGE_LIST_PARTS);
}

static void queue_parts_are_of_a_part_of_their_age(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	struct lru_page_list_queue queue;
	LIST_HEAD(tail);
	u32 now;

	queue_test_parts(ctx, &queue, 0, TEST_FOLIOS);
	KUNIT_EXPECT_EQ(test, queue.nr, LRU_PAGE_LIST_PARTS);
	KUNIT_EXPECT_LE(test, queue_test_coarsest(&queue, TEST_FOLIOS), 12U);
	queue_test_is_whole(test, &queue, &tail, TEST_FOLIOS);

	/* An hour, in which folios are used again and again. */
	queue_test_parts(ctx, &queue, 0, TEST_FOLIOS);
	for (now = TEST_FOLIOS; now < 3600 * LPL_TICKS_PER_SEC; now++) {
		struct folio *folio = &ctx->folio[now % 8 ? now % 8 : now % TEST_FOLIOS];

		lpl_queue_advance(&queue, now);
		list_move(&folio->lru, lpl_queue_part(&queue, 0));
	}
	KUNIT_EXPECT_LE(test, queue_test_coarsest(&queue, now), 33U);
}

static void queue_parts_are_left_as_the_oldest_are_taken(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	struct lru_page_list_queue queue;
	LIST_HEAD(tail);

	queue_test_parts(ctx, &queue, 0, TEST_FOLIOS / 2);
	while (queue.nr > 5)
		KUNIT_EXPECT_TRUE(test, lpl_queue_join(&queue, &tail));
	queue_test_parts(ctx, &queue, TEST_FOLIOS / 2, TEST_FOLIOS / 2 + 10);
	KUNIT_EXPECT_LE(test, queue.nr, 15);
	queue_test_is_whole(test, &queue, &tail, TEST_FOLIOS / 2 + 10);
}

/* However long nothing has come, and whenever a harvest began. */
static void queue_parts_of_any_tick(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	struct lru_page_list_queue queue;
	LIST_HEAD(tail);
	u32 i;

	queue_test_parts(ctx, &queue, 0, TEST_FOLIOS);
	for (i = 0; i < 100; i++) {
		lpl_queue_advance(&queue, i * 2000000000U - i);
		/* There is something in the newest, or it is not made older. */
		list_move(&ctx->folio[TEST_FOLIOS - 1].lru, lpl_queue_part(&queue, 0));
	}
	queue_test_is_whole(test, &queue, &tail, TEST_FOLIOS);
}

static void queue_oldest_part_is_joined(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	struct lru_page_list_queue queue;
	LIST_HEAD(tail);

	queue_test_parts(ctx, &queue, 0, 5);
	KUNIT_EXPECT_FALSE(test, lpl_queue_empty(&queue));
	KUNIT_EXPECT_TRUE(test, lpl_queue_join(&queue, &tail));
	KUNIT_EXPECT_TRUE(test, lpl_queue_join(&queue, &tail));
	KUNIT_EXPECT_PTR_EQ(test, tail.prev, &ctx->folio[0].lru);
	KUNIT_EXPECT_PTR_EQ(test, tail.next, &ctx->folio[1].lru);
	while (lpl_queue_join(&queue, &tail))
		;
	KUNIT_EXPECT_TRUE(test, lpl_queue_empty(&queue));
	queue_test_is_whole(test, &queue, &tail, 5);
}

/* How many folios are in front of what is added after @node. */
static u32 queue_test_before(struct lru_page_list_queue *queue, struct list_head *tail,
			     struct list_head *node)
{
	struct list_head *list, *at;
	u32 nr = 0;
	int i;

	for (i = 0; i <= queue->nr; i++) {
		list = i < queue->nr ? lpl_queue_part(queue, i) : tail;
		if (node == list)
			return nr;
		list_for_each(at, list) {
			nr++;
			if (at == node)
				return nr;
		}
	}
	return U32_MAX;
}

/* Of any age, in parts and in the tail. */
static void queue_place_in_parts_is_found(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	struct lru_page_list_queue queue;
	struct list_head *node;
	LIST_HEAD(tail);
	u32 age, before;
	int i;

	queue_test_parts(ctx, &queue, 0, TEST_FOLIOS);
	for (i = 0; i < 3; i++)
		lpl_queue_join(&queue, &tail);
	node = lpl_queue_place(&queue, &tail, 0, TEST_FOLIOS, queue_test_since);
	KUNIT_EXPECT_PTR_EQ(test, node, lpl_queue_part(&queue, 0));
	/* Before or after the one of the same age. */
	for (age = 1; age <= TEST_FOLIOS; age++) {
		node = lpl_queue_place(&queue, &tail, age, TEST_FOLIOS, queue_test_since);
		before = queue_test_before(&queue, &tail, node);
		KUNIT_EXPECT_GE_MSG(test, before, age - 1, "of age %u", age);
		KUNIT_EXPECT_LE_MSG(test, before, age, "of age %u", age);
	}
	node = lpl_queue_place(&queue, &tail, TEST_FOLIOS + 1, TEST_FOLIOS, queue_test_since);
	KUNIT_EXPECT_EQ(test, queue_test_before(&queue, &tail, node), TEST_FOLIOS);
}

/* Where all are old the nearer end is looked from as well. */
static void queue_place_in_an_old_part_is_found(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	int i;

	for (i = 0; i < TEST_FOLIOS; i++)
		ctx->folio[i].private += 100000;
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 100000 + 95), 10U);
	KUNIT_EXPECT_EQ(test, queue_test_place(test, 100000 + 1905), 191U);
}

/* What was put to the head though it is old does not keep what comes back from its place. */
static void queue_place_beside_one_out_of_order(struct kunit *test)
{
	static const int parts[] = { 0, 5, 20 };
	struct queue_test *ctx = test->priv;
	struct lru_page_list_queue queue;
	struct list_head *node;
	LIST_HEAD(tail);
	int i;

	queue_test_parts(ctx, &queue, 0, TEST_FOLIOS);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		list_move(&ctx->folio[i].lru, lpl_queue_part(&queue, parts[i]));
		node = lpl_queue_place(&queue, &tail, 100, TEST_FOLIOS, queue_test_since);
		/* Those, and those of 1 to 99, or to 100. */
		KUNIT_EXPECT_GE(test, queue_test_before(&queue, &tail, node), 100U + i);
		KUNIT_EXPECT_LE(test, queue_test_before(&queue, &tail, node), 101U + i);
	}
}

/* All are taken off but the oldest, and brought back, the eldest and the youngest in turn. */
static void queue_place_of_all_is_found(struct kunit *test)
{
	struct queue_test *ctx = test->priv;
	struct lru_page_list_queue queue;
	struct list_head *node;
	LIST_HEAD(away);
	LIST_HEAD(tail);
	u32 i, stamp;

	queue_test_parts(ctx, &queue, 0, TEST_FOLIOS);
	for (i = 1; i < TEST_FOLIOS; i++)
		list_move(&ctx->folio[i].lru, &away);
	for (i = 1; i < TEST_FOLIOS; i++) {
		stamp = i % 2 ? TEST_FOLIOS - (i + 1) / 2 : i / 2;
		node = lpl_queue_place(&queue, &tail, TEST_FOLIOS - stamp, TEST_FOLIOS,
				       queue_test_since);
		list_move(&ctx->folio[stamp].lru, node);
	}
	for (i = 0; i < queue.nr; i++)
		KUNIT_EXPECT_FALSE_MSG(test, list_empty(lpl_queue_part(&queue, i)), "part %u", i);
	queue_test_is_whole(test, &queue, &tail, TEST_FOLIOS);
}

static void queue_age(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lpl_age(lpl_word(100, 0), 100, 0), 0U);
	KUNIT_EXPECT_EQ(test, lpl_age(lpl_word(100, LPL_FRESH), 130, 0), 30U);
}

static void queue_younger(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, lpl_is_younger(0, 100, 50));
	KUNIT_EXPECT_TRUE(test, lpl_is_younger(lpl_word(100, LPL_FRESH), 100, 1));
	KUNIT_EXPECT_TRUE(test, lpl_is_younger(lpl_word(51, 0), 100, 50));
	KUNIT_EXPECT_FALSE(test, lpl_is_younger(lpl_word(50, 0), 100, 50));
	/* It wraps around. */
	KUNIT_EXPECT_TRUE(test, lpl_is_younger(lpl_word(-10U, 0), 20, 31));
	KUNIT_EXPECT_FALSE(test, lpl_is_younger(lpl_word(-10U, 0), 20, 30));
}

/* The harvest stamps with ticks that others may not have read yet. */
static void queue_age_of_the_next_tick(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lpl_age(lpl_word(101, 0), 100, 0), 0U);
	KUNIT_EXPECT_EQ(test, lpl_age(lpl_word(5000 + LPL_STAMP_AHEAD, 0), 5000, 0), 0U);
}

/* A year: what is never touched stays the oldest. */
static void queue_age_is_kept(struct kunit *test)
{
	u32 word = lpl_word(100, LPL_FRESH), now = 100;
	u32 least = 0;

	for (; now < 365U * 24 * 3600 * 100; now += LPL_KEEP_EVERY) {
		u32 age = lpl_age(word, now, 0);

		KUNIT_EXPECT_GE(test, age, least);
		least = age;
		word = lpl_word_kept(word, now);
		KUNIT_EXPECT_EQ(test, lpl_age(word, now, 0), age);
		KUNIT_EXPECT_EQ(test, word & ~LPL_STAMP_MASK, LPL_VALID | LPL_FRESH);
	}
	KUNIT_EXPECT_EQ(test, least, (u32)LPL_STAMP_MASK / 2);
	KUNIT_EXPECT_EQ(test, lpl_word_kept(0, now), 0U);
	word = lpl_word(now + 1, 0);
	KUNIT_EXPECT_EQ(test, lpl_word_kept(word, now), word);
}

static void queue_age_wraps(struct kunit *test)
{
	u32 now = BIT(LPL_STAMP_BITS) + 5;

	KUNIT_EXPECT_EQ(test, lpl_age(lpl_word(LPL_STAMP_MASK, 0), now, 0), 6U);
	KUNIT_EXPECT_EQ(test, lpl_age(lpl_word(U32_MAX, 0), 2, U32_MAX - 100), 3U);
}

static void queue_age_from_before(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lpl_age(lpl_word(100, 0), 1000, 900), 101U);
	KUNIT_EXPECT_EQ(test, lpl_age(0, 1000, 900), 101U);
}

static void queue_older_tail_is_taken(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, lpl_prefer_anon(11, 10, 100));
	KUNIT_EXPECT_FALSE(test, lpl_prefer_anon(10, 11, 100));
	KUNIT_EXPECT_TRUE(test, lpl_prefer_anon(240, 100, 60));
	KUNIT_EXPECT_FALSE(test, lpl_prefer_anon(220, 100, 60));
}

static void queue_swappiness_ends(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, lpl_prefer_anon(U32_MAX / 2, 0, 0));
	KUNIT_EXPECT_TRUE(test, lpl_prefer_anon(0, U32_MAX / 2, 200));
}

/* Harvests each 10 ticks; how many of 40 leave a folio that is always touched. */
static int harvests_left(int streak)
{
	u32 word = 0, now = 100, age;
	int i, left = 0;

	for (i = 0; i < 40; i++, now += 10) {
		age = lpl_age(word, now, 0);
		if (lpl_leave(word, age, 10)) {
			left++;
			continue;
		}
		word = lpl_word_touched(word, age, now, 10, 0);
		if ((word & LPL_STREAK_MASK) >> LPL_STREAK_SHIFT > streak)
			word = lpl_word(now, streak << LPL_STREAK_SHIFT);
	}
	return left;
}

static void queue_hot_is_left(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, harvests_left(1), 0);
	KUNIT_EXPECT_GE(test, harvests_left(2), 17);
	KUNIT_EXPECT_LE(test, harvests_left(2), 20);
	KUNIT_EXPECT_GE(test, harvests_left(3), 25);
	KUNIT_EXPECT_LE(test, harvests_left(3), 30);
}

static void queue_streak_ends(struct kunit *test)
{
	u32 word = 0;
	int i;

	for (i = 0; i < 5; i++)
		word = lpl_word_touched(word, 10, 100 + 10 * i, 10, 0);
	KUNIT_EXPECT_TRUE(test, lpl_leave(word, 10 * LPL_LEAVE_MOST - 1, 10));
	KUNIT_EXPECT_FALSE(test, lpl_leave(word, 10 * LPL_LEAVE_MOST, 10));
	word = lpl_word_touched(word, 10 * LPL_LEAVE_MOST, 300, 10, 0);
	KUNIT_EXPECT_TRUE(test, lpl_leave(word, 5, 10));
	word = lpl_word_touched(word, 10 * (LPL_LEAVE_MOST + 2) + 1, 300, 10, 0);
	KUNIT_EXPECT_FALSE(test, lpl_leave(word, 5, 10));
	KUNIT_EXPECT_EQ(test, lpl_age(word, 305, 0), 5U);
}

/* Looked at each 10 ticks, and found used each time: no time between two uses is known. */
static void queue_left_was_not_idle(struct kunit *test)
{
	u32 word = 0, now = 100, age;
	int i;

	for (i = 0; i < 40; i++, now += 10) {
		age = lpl_age(word, now, 0);
		if (lpl_leave(word, age, 10))
			continue;
		if (word)
			KUNIT_EXPECT_FALSE_MSG(test, lpl_was_idle(word, age, 10, 10), "look %d", i);
		word = lpl_word_touched(word, age, now, 10, 0);
	}
	/* A look that had left it might have found it idle, and has not looked. */
	KUNIT_EXPECT_FALSE(test, lpl_was_idle(word, 10 * LPL_LEAVE_MOST, 10, 10));
	KUNIT_EXPECT_TRUE(test, lpl_was_idle(word, 10 * LPL_LEAVE_MOST + 10, 10, 10));
}

/* One look that found it idle is enough, however late the next one comes. */
static void queue_idle_was_looked_at(struct kunit *test)
{
	u32 word = lpl_word(100, 0);

	KUNIT_EXPECT_FALSE(test, lpl_was_idle(word, 10, 10, 10));
	KUNIT_EXPECT_TRUE(test, lpl_was_idle(word, 11, 10, 10));
	KUNIT_EXPECT_FALSE(test, lpl_was_idle(word, 200, 200, 10));
	KUNIT_EXPECT_TRUE(test, lpl_was_idle(word, 201, 200, 10));
	KUNIT_EXPECT_TRUE(test, lpl_was_idle(lpl_word(100, LPL_ONCE), 20, 10, 10));
}

/* The bit that says so is its first use: it is not left, nor is it a streak. */
static void queue_read_once_is_used(struct kunit *test)
{
	u32 word = lpl_word(100, LPL_ONCE);
	int i;

	KUNIT_EXPECT_TRUE(test, lpl_once(word));
	KUNIT_EXPECT_FALSE(test, lpl_leave(word, 1, 10));
	KUNIT_EXPECT_FALSE(test, lpl_fault_alone(word, 1, 10));
	word = lpl_word_touched(word, 1, 101, 10, 0);
	KUNIT_EXPECT_FALSE(test, lpl_once(word));
	KUNIT_EXPECT_FALSE(test, lpl_leave(word, 1, 10));

	/* Nor does it come to look like that in any number of harvests. */
	word = lpl_word(100, LPL_FRESH);
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_FALSE(test, lpl_once(word));
		word = lpl_word_touched(word, 1, 101 + i, 10, 0);
	}
}

static void queue_fault_is_no_use(struct kunit *test)
{
	u32 fresh = lpl_word(100, LPL_FRESH);

	KUNIT_EXPECT_TRUE(test, lpl_fault_alone(fresh, 10, 10));
	/* A harvest has looked meanwhile, and the bit is another's. */
	KUNIT_EXPECT_FALSE(test, lpl_fault_alone(fresh, 11, 10));
	KUNIT_EXPECT_FALSE(test, lpl_fault_alone(lpl_word(100, 0), 1, 10));
}

/* What is shorter must not say more than lpl_fault_alone() does. */
static void queue_fault_in_fewer_instructions(struct kunit *test)
{
	static const u32 words[] = {
		0, LPL_FRESH, LPL_VALID | LPL_FRESH, LPL_VALID | LPL_ONCE, LPL_VALID | LPL_KEPT,
	};
	u32 now, age, since, i;

	for (now = 100; now < 2 * LPL_STAMP_MASK; now += LPL_STAMP_MASK - 7) {
		for (age = 0; age < 30; age++) {
			for (since = 0; since < 30; since++) {
				for (i = 0; i < ARRAY_SIZE(words); i++) {
					u32 word = words[i] | ((now - age) & LPL_STAMP_MASK);
					bool alone = lpl_fault_alone(word, age, since);

					KUNIT_EXPECT_EQ(test, alone && age >= 2,
							lpl_faulted_between(word, now, 2, since));
				}
			}
		}
	}
	/* Of the next tick. */
	KUNIT_EXPECT_FALSE(test, lpl_faulted_between(lpl_word(101, LPL_FRESH), 100, 1, 10));
}

static void queue_read_once_goes_first(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, lpl_prefer_once(LPL_ONCE_AGE, false, U32_MAX));
	KUNIT_EXPECT_TRUE(test, lpl_prefer_once(0, false, 0));
	KUNIT_EXPECT_TRUE(test, lpl_prefer_once(1, false, LPL_ONCE_FACTOR));
	KUNIT_EXPECT_FALSE(test, lpl_prefer_once(1, false, LPL_ONCE_FACTOR + 1));
	KUNIT_EXPECT_TRUE(test, lpl_prefer_once(0, true, U32_MAX));
}

static struct kunit_case queue_test_cases[] = {
	KUNIT_CASE(queue_read_once_is_used),
	KUNIT_CASE(queue_fault_is_no_use),
	KUNIT_CASE(queue_fault_in_fewer_instructions),
	KUNIT_CASE(queue_used_is_before_the_harvest),
	KUNIT_CASE(queue_met_at_the_tail),
	KUNIT_CASE(queue_used_all_the_time_is_not),
	KUNIT_CASE(queue_front_gets_older),
	KUNIT_CASE(queue_front_age_is_of_any_tick),
	KUNIT_CASE(queue_front_is_joined),
	KUNIT_CASE(queue_empty),
	KUNIT_CASE(queue_just_used_goes_to_the_front),
	KUNIT_CASE(queue_same_age_goes_before),
	KUNIT_CASE(queue_near_the_front_is_sorted),
	KUNIT_CASE(queue_near_the_tail_is_sorted),
	KUNIT_CASE(queue_search_is_bounded),
	KUNIT_CASE(queue_parts_are_of_a_tick_while_there_are_some),
	KUNIT_CASE(queue_parts_are_of_a_part_of_their_age),
	KUNIT_CASE(queue_parts_are_left_as_the_oldest_are_taken),
	KUNIT_CASE(queue_parts_of_any_tick),
	KUNIT_CASE(queue_oldest_part_is_joined),
	KUNIT_CASE(queue_place_in_parts_is_found),
	KUNIT_CASE(queue_place_in_an_old_part_is_found),
	KUNIT_CASE(queue_place_beside_one_out_of_order),
	KUNIT_CASE(queue_place_of_all_is_found),
	KUNIT_CASE(queue_age),
	KUNIT_CASE(queue_younger),
	KUNIT_CASE(queue_age_of_the_next_tick),
	KUNIT_CASE(queue_age_wraps),
	KUNIT_CASE(queue_age_is_kept),
	KUNIT_CASE(queue_age_from_before),
	KUNIT_CASE(queue_older_tail_is_taken),
	KUNIT_CASE(queue_swappiness_ends),
	KUNIT_CASE(queue_read_once_goes_first),
	KUNIT_CASE(queue_hot_is_left),
	KUNIT_CASE(queue_streak_ends),
	KUNIT_CASE(queue_left_was_not_idle),
	KUNIT_CASE(queue_idle_was_looked_at),
	{ }
};

static struct kunit_suite queue_test_suite = {
	.name = "lru_page_list_queue",
	.init = queue_test_init,
	.test_cases = queue_test_cases,
};

kunit_test_suite(queue_test_suite);
