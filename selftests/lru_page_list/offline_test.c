// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: memory that goes offline while pages lie in it, and memory cgroups
 * that go offline while there are pages of theirs.
 */
#include "../kselftest_harness.h"
#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>
#include "group.h"
#include "listing.h"

#define BLOCKS	"/sys/devices/system/memory/"
#define OLD	GROUP "/old"
#define LIVE	GROUP "/live"

#define SIZE	(16 * MIB)	/* what is in the block, with what is another process's */
#define OTHERS	(2 * MIB)
#define SLACK	100		/* ms: ticks, and the time between two lines of a test */

/* ----------------------------------------------------------------- the queue */

/* Numbers of memory cgroups that the other file of debugfs does not have. */
static long strange_groups(const struct listing *list)
{
	FILE *groups = fopen("/sys/kernel/debug/lru_gen", "r");
	static bool known[65536];
	unsigned int memcg;
	char text[4096];
	long nr = 0;

	if (!groups)
		return 0;
	memset(known, 0, sizeof(known));
	while (fgets(text, sizeof(text), groups))
		if (sscanf(text, "memcg %u", &memcg) == 1)
			known[memcg % ARRAY_SIZE(known)] = true;
	fclose(groups);
	for (size_t i = 0; i < list->nr; i++)
		nr += !known[list->line[i].memcg % ARRAY_SIZE(known)];
	return nr;
}

/* ------------------------------------------------------------------- memory */

/* One half anonymous, the other one shared. */
static char *memory_of(size_t len)
{
	char *p = pages_of(len);
	int fd = memfd_create("offline_test", 0);

	if (fd < 0 || ftruncate(fd, len / 2) ||
	    mmap(p + len / 2, len / 2, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 fd, 0) == MAP_FAILED)
		_exit(111);
	close(fd);
	madvise(p + len / 2, len / 2, MADV_NOHUGEPAGE);
	return p;
}

/* For each page; 0 for what is not present. */
static uint64_t *frames_of(pid_t pid, const char *p, size_t len)
{
	size_t nr = len / page_bytes(), size = nr * sizeof(uint64_t);
	uint64_t *pfn = malloc(size);
	char path[40];
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap = open(path, O_RDONLY);
	if (!pfn || pread(pagemap, pfn, size, (uintptr_t)p / page_bytes() * sizeof(*pfn)) !=
		    (ssize_t)size)
		_exit(112);
	close(pagemap);
	for (size_t i = 0; i < nr; i++)
		pfn[i] = pfn[i] & PAGEMAP_PRESENT ? pfn[i] & PAGEMAP_PFN : 0;
	return pfn;
}

static long present_of(pid_t pid, const char *p, size_t len)
{
	uint64_t *pfn = frames_of(pid, p, len);
	long nr = 0;

	for (size_t i = 0; i < len / page_bytes(); i++)
		nr += !!pfn[i];
	free(pfn);
	return nr;
}

#define TURNS	4
#define APART	300	/* ms between them, at least */

/**
 * struct turn - the last use of one page in so many
 * @touched: when it was, at the earliest
 * @settled: when it had been seen, at the latest
 */
struct turn {
	uint64_t touched, settled;
};

/* What is written is what fill_pages() with 1 does. */
static void touch_in_turn(char *p, size_t len, struct turn *turn)
{
	for (int t = 0; t < TURNS; t++) {
		turn[t].touched = now_ns();
		for (size_t i = t * page_bytes(); i < len; i += TURNS * page_bytes())
			store_word(p + i, 1 + i);
		settle_ms(60);
		turn[t].settled = now_ns();
		sleep_ms(APART);
	}
}

/* Pages that are not in the queue with the age that they must have. */
static long ages_off(const struct listing *list, const uint64_t *pfn, size_t nr,
		     const struct turn *turn)
{
	long off = 0;

	for (size_t i = 0; i < nr; i++) {
		long least = (long)(list->began - turn[i % TURNS].settled) / 1000000 - SLACK;
		long most = (long)(list->ended - turn[i % TURNS].touched) / 1000000 + SLACK;
		struct queue_line *line = listing_find(list, pfn[i]);

		if (line && line->age >= least && line->age <= most)
			continue;
		if (!off++)
			printf("# page %zu: age %ld, not %ld to %ld\n", i, line ? line->age : -1,
			       least, most);
	}
	fflush(stdout);
	return off;
}

/* Of pairs of pages of two turns, those that the queue has the other way round, %. */
static double turned_round(const struct listing *list, const uint64_t *pfn, size_t nr)
{
	uint64_t random = 1;
	long pairs = 0, wrong = 0;

	for (int n = 0; n < 200000; n++) {
		size_t i = next_random(&random) % nr, j = next_random(&random) % nr;
		struct queue_line *a = listing_find(list, pfn[i]);
		struct queue_line *b = listing_find(list, pfn[j]);

		if (i % TURNS <= j % TURNS || !a || !b)
			continue;
		pairs++;
		wrong += a->place > b->place;
	}
	return pairs ? 100.0 * wrong / pairs : 100;
}

/* ------------------------------------------------------------------- blocks */

/**
 * struct block - a memory block
 * @nr: its number; -1: none
 * @pages: how many of those that are looked at are in it
 * @movable: all in it can move, so that nothing may keep it from going offline
 */
struct block {
	long nr;
	long pages;
	bool movable;
};

/* 0 if there are no blocks. */
static uint64_t block_frames(void)
{
	static uint64_t frames;
	char text[32];

	if (!frames && !get_file(BLOCKS "block_size_bytes", text, sizeof(text)))
		frames = strtoull(text, NULL, 16) / page_bytes();
	return frames;
}

static bool block_says(long nr, const char *file, const char *value)
{
	char path[64], text[32];

	snprintf(path, sizeof(path), BLOCKS "memory%ld/%s", nr, file);
	return !get_file(path, text, sizeof(text)) && !strcmp(text, value);
}

static bool is_movable(long nr)
{
	return block_says(nr, "valid_zones", "Movable");
}

/* 0 or an errno. */
static int block_set(long nr, const char *state)
{
	char path[64];

	snprintf(path, sizeof(path), BLOCKS "memory%ld/state", nr);
	return put_file(path, state) ? errno : 0;
}

/* What holds a page for a moment only is no reason. */
static int block_offline(long nr)
{
	int err = 0;

	for (int i = 0; i < 5; i++) {
		err = block_set(nr, "offline");
		if (err != EBUSY && err != EAGAIN)
			break;
		sleep_ms(100);
	}
	return err;
}

static int block_online(const struct block *block)
{
	return block_set(block->nr, block->movable ? "online_movable" : "online");
}

static bool in_block(uint64_t pfn, const struct block *block)
{
	return pfn && (long)(pfn / block_frames()) == block->nr;
}

static long count_in_block(const uint64_t *pfn, size_t nr, const struct block *block)
{
	long in = 0;

	for (size_t i = 0; i < nr; i++)
		in += in_block(pfn[i], block);
	return in;
}

static long listed_in_block(const struct listing *list, const struct block *block)
{
	long in = 0;

	for (size_t i = 0; i < list->nr; i++)
		in += in_block(list->line[i].pfn, block);
	return in;
}

#define CANDIDATES	16

static int by_pages(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return (x->pages < y->pages) - (x->pages > y->pages);
}

/* Blocks in which pages are, those with most first. */
static int candidates(struct block *block, const uint64_t *pfn, size_t pages)
{
	int nr = 0;

	for (size_t i = 0; i < pages && block_frames(); i++) {
		int at = 0;

		while (at < nr && !in_block(pfn[i], &block[at]))
			at++;
		if (at == CANDIDATES || !pfn[i])
			continue;
		if (at == nr) {
			block[at] = (struct block) { .nr = pfn[i] / block_frames() };
			block[at].movable = is_movable(block[at].nr);
			nr++;
		}
		block[at].pages++;
	}
	qsort(block, nr, sizeof(*block), by_pages);
	return nr;
}

/* 0 or an errno; *@block is the one that went, or that should have. */
static int offline_one_of(const uint64_t *pfn, size_t pages, struct block *block)
{
	struct block list[CANDIDATES];
	int nr = candidates(list, pfn, pages), err = ENODEV;

	for (int i = 0; i < nr && err; i++) {
		err = block_offline(list[i].nr);
		if (!err || list[i].movable)
			*block = list[i];
		if (list[i].movable)
			break;
	}
	return err;
}

/* How often @visit says true, of all blocks, or 1 and which if @first. */
static long visit_blocks(bool (*visit)(long nr), long *first)
{
	DIR *dir = opendir(BLOCKS);
	struct dirent *entry;
	long nr, found = 0;

	while (dir && !(first && found) && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "memory%ld", &nr) == 1 && visit(nr)) {
			found++;
			if (first)
				*first = nr;
		}
	if (dir)
		closedir(dir);
	return found;
}

static bool plug_block(long nr)
{
	return block_says(nr, "state", "offline") && !block_set(nr, "online_movable");
}

/* Memory that is there and offline, as virtio-mem's, can go where all can move. */
static long plug(void)
{
	long plugged = -1;

	visit_blocks(plug_block, &plugged);
	return plugged;
}

/* Processes' memory is in there first. */
static bool is_only_movable(const struct block *block)
{
	return block->movable && visit_blocks(is_movable, NULL) == 1;
}

/* ------------------------------------------------------------------ fixture */

FIXTURE(offline)
{
	struct stage stage;
	size_t page;
	FILE *queue;
	long plugged;
	struct block block;
	struct listing list;
	pid_t other;
	int zram;
};

/* checkpatch takes `FIXTURE_DATA(offline) *self` for a product. */
#define offline_fixture FIXTURE_DATA(offline)

FIXTURE_VARIANT(offline)
{
	const char *guard;
};

FIXTURE_VARIANT_ADD(offline, strict) { .guard = "0" };
FIXTURE_VARIANT_ADD(offline, guard) { .guard = "1" };

FIXTURE_SETUP(offline)
{
	const char *missing = stage_set_guard(&self->stage, variant->guard);

	if (missing)
		SKIP(return, "%s", missing);
	self->page = page_bytes();
	self->plugged = -1;
	self->block.nr = -1;
	self->zram = -1;
	ASSERT_EQ(0, put_file(LPL_DIR "always", "1"));
	drain_batches();
	self->queue = fopen(LPL_QUEUE, "r");
	ASSERT_NE(NULL, self->queue);
}

FIXTURE_TEARDOWN(offline)
{
	if (self->other > 0) {
		kill(self->other, SIGKILL);
		waitpid(self->other, NULL, 0);
	}
	if (self->block.nr >= 0 && self->block.nr != self->plugged &&
	    block_says(self->block.nr, "state", "offline"))
		block_online(&self->block);
	if (self->plugged >= 0)
		block_offline(self->plugged);
	if (self->zram >= 0)
		zram_remove(self->zram);
	group_remove(OLD);
	group_remove(LIVE);
	stage_clear(&self->stage);
}

/* A block in which these pages are; false if the test is over. */
static bool take_offline(struct __test_metadata *_metadata, offline_fixture *self,
			 const uint64_t *pfn, size_t nr)
{
	int err = offline_one_of(pfn, nr, &self->block);

	if (err && self->block.nr < 0)
		SKIP(return false, "no memory block can go offline (is any plugged in?): %s",
		     strerror(err));
	EXPECT_EQ(0, err);
	return !err;
}

/**
 * struct other - a process that uses its memory all the time
 * @p: what it uses
 * @end: set when it is to end
 */
struct other {
	char *p, *end;
};

static void other_work(const struct other *other)
{
	long wrong = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fill_pages(other->p, OTHERS, 1);
	do {
		wrong += wrong_pages(other->p, OTHERS, 1);
		fill_pages(other->p, OTHERS, 1);
	} while (!wrong && !load_word(other->end));
	_exit(wrong != 0);
}

static pid_t other_start(struct other *other)
{
	pid_t pid;

	other->p = memory_of(OTHERS);
	other->end = mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (other->end == MAP_FAILED)
		_exit(118);
	pid = fork();
	if (!pid)
		other_work(other);
	return pid;
}

/* -------------------------------------------------------------------- tests */

/* Of SIZE; its frames, and the queue is listed. */
static uint64_t *use_in_turn(offline_fixture *self, char *p, struct turn *turn)
{
	uint64_t *pfn;

	fill_pages(p, SIZE, 1);
	drain_batches();
	touch_in_turn(p, SIZE, turn);
	pfn = frames_of(getpid(), p, SIZE);
	listing_read(&self->list, self->queue);
	return pfn;
}

/* What lies in the block when it is online again is in the queue, with its age. */
static void use_again(struct __test_metadata *_metadata, offline_fixture *self)
{
	size_t nr = SIZE / self->page;
	struct turn turn[TURNS];
	uint64_t *pfn;
	char *p;

	EXPECT_EQ(0, block_online(&self->block));
	p = memory_of(SIZE);
	pfn = use_in_turn(self, p, turn);
	TH_LOG("online again: %ld of %zu pages are in it", count_in_block(pfn, nr, &self->block),
	       nr);
	if (is_only_movable(&self->block))
		EXPECT_LT(0, count_in_block(pfn, nr, &self->block));
	EXPECT_EQ(0, ages_off(&self->list, pfn, nr, turn));
	EXPECT_EQ(0, wrong_pages(p, SIZE, 1));
	free(pfn);
}

TEST_F_TIMEOUT(offline, memory_block, 300)
{
	size_t nr = SIZE / self->page;
	long passes, listed, others, blocks;
	uint64_t *pfn, *pfn_other;
	struct other other;
	char *p;

	self->plugged = plug();
	p = memory_of(SIZE);
	fill_pages(p, SIZE, 1);
	self->other = other_start(&other);
	blocks = visit_blocks(is_movable, NULL);
	settle_ms(300);
	pfn = frames_of(getpid(), p, SIZE);
	pfn_other = frames_of(self->other, other.p, OTHERS);
	listing_read(&self->list, self->queue);

	passes = lpl_stat("passes");
	if (!take_offline(_metadata, self, pfn, nr))
		return;
	EXPECT_LT(passes, lpl_stat("passes"));
	listed = listed_in_block(&self->list, &self->block);
	others = count_in_block(pfn_other, OTHERS / self->page, &self->block);
	TH_LOG("%ld of %zu pages were in it, %ld of another process, %ld of the queue",
	       self->block.pages, nr, others, listed);
	EXPECT_LT(0, listed);
	if (self->block.movable && blocks == 1)
		EXPECT_LT(0, others);

	listing_read(&self->list, self->queue);
	EXPECT_EQ(0, self->list.broken);
	EXPECT_EQ(0, listed_in_block(&self->list, &self->block));
	EXPECT_EQ(0, wrong_pages(p, SIZE, 1));
	store_word(other.end, 1);
	EXPECT_EQ(0, exit_of(self->other));
	self->other = 0;
	munmap(p, SIZE);
	free(pfn);
	free(pfn_other);
	use_again(_metadata, self);
}

/* What is moved to another frame is not young for it, nor old, and goes where it was. */
TEST_F_TIMEOUT(offline, migrated_keeps_its_age, 300)
{
	size_t nr = SIZE / self->page;
	struct turn turn[TURNS];
	uint64_t *before, *after;
	double wrong;
	long moved = 0;
	char *p;

	self->plugged = plug();
	p = memory_of(SIZE);
	before = use_in_turn(self, p, turn);
	EXPECT_EQ(0, ages_off(&self->list, before, nr, turn));

	if (!take_offline(_metadata, self, before, nr))
		return;
	after = frames_of(getpid(), p, SIZE);
	listing_read(&self->list, self->queue);
	for (size_t i = 0; i < nr; i++)
		moved += before[i] != after[i];
	wrong = turned_round(&self->list, after, nr);
	TH_LOG("%ld of %zu pages moved, %.2f %% of pairs are in another order", moved, nr, wrong);
	EXPECT_LE(self->block.pages, moved);
	EXPECT_EQ(0, count_in_block(after, nr, &self->block));
	EXPECT_EQ(0, ages_off(&self->list, after, nr, turn));
	/* Of its window guard knows no more than the ends. */
	if (!strcmp(variant->guard, "0"))
		EXPECT_GT(5, wrong);
	EXPECT_EQ(0, wrong_pages(p, SIZE, 1));
	free(before);
	free(after);
}

#define OLD_MEMORY	(8 * MIB)
#define OLD_FILE	(4 * MIB)
#define LIVE_MEMORY	(3 * MIB)

/**
 * struct estate - what a memory cgroup leaves when it goes
 * @memory: of a process that is in another one by then
 * @file: page cache that nobody has mapped
 * @young: what that process has in its new group
 * @fits: nothing of it has been evicted by then
 * @done: the pipe that the process tells by how far it has come
 * @go: the pipe that tells it to go on
 */
struct estate {
	char *memory;
	int file;
	char *young;
	bool fits;
	int done[2];
	int go[2];
};

/* One has come so far, and waits until the other has. */
static void step(const struct estate *estate)
{
	char c = 0;

	if (write(estate->done[1], &c, 1) != 1 || read(estate->go[0], &c, 1) != 1)
		_exit(113);
}

/* So slowly that harvests tell pages apart, which guard keeps some of for it. */
static long go_round(const char *p, size_t len, unsigned long seed)
{
	long wrong = 0;

	for (size_t i = 0; i < len; i += page_bytes()) {
		wrong += load_word(p + i) != seed + i;
		if (i % (LIMIT / 64) == 0)
			sleep_ms(1);
	}
	return wrong;
}

static char *map_file(int file)
{
	char *p = mmap(NULL, OLD_FILE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	if (p == MAP_FAILED)
		_exit(114);
	return p;
}

/* Pages of a mapping of a file that are in its cache, whoever has mapped them. */
static long cached_of(char *p, size_t len)
{
	unsigned char *seen = malloc(len / page_bytes());
	long nr = 0;

	if (!seen || mincore(p, len, seen))
		_exit(115);
	for (size_t i = 0; i < len / page_bytes(); i++)
		nr += seen[i] & 1;
	free(seen);
	return nr;
}

static long cached(int file)
{
	char *p = map_file(file);
	long nr = cached_of(p, OLD_FILE);

	munmap(p, OLD_FILE);
	return nr;
}

static long use_in_old(const struct estate *estate)
{
	char *file = map_file(estate->file);
	long wrong = 0;

	fill_pages(estate->memory, OLD_MEMORY, 1);
	fill_pages(file, OLD_FILE, 2);
	if (msync(file, OLD_FILE, MS_SYNC))
		_exit(116);
	for (int turn = 0; turn < 4; turn++) {
		wrong += go_round(estate->memory, OLD_MEMORY, 1);
		wrong += go_round(file, OLD_FILE, 2);
	}
	munmap(file, OLD_FILE);
	/* Reclaim for a file unmaps what it may not write, so it may be that none is mapped. */
	return wrong + go_round(estate->memory, OLD_MEMORY / 8, 1);
}

/* The exit status says what was wrong. */
static void heir_work(const struct estate *estate)
{
	char *file;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter(OLD);
	if (use_in_old(estate))
		_exit(1);
	enter(LIVE);
	step(estate);

	/* That is much younger. */
	sleep_ms(1000);
	fill_pages(estate->young, LIVE_MEMORY, 3);
	step(estate);

	file = map_file(estate->file);
	if (wrong_pages(estate->memory, OLD_MEMORY, 1))
		_exit(2);
	if (wrong_pages(file, OLD_FILE, 2))
		_exit(3);
	_exit(wrong_pages(estate->young, LIVE_MEMORY, 3) ? 4 : 0);
}

/* The file is a block device in memory; false if there is none. */
static bool estate_make(struct estate *estate, int *zram)
{
	*zram = zram_add(OLD_FILE / MIB);
	if (*zram < 0)
		return false;
	estate->file = zram_open(*zram);
	estate->memory = memory_of(OLD_MEMORY);
	estate->young = pages_of(LIVE_MEMORY);
	if (pipe(estate->done) || pipe(estate->go))
		_exit(117);
	put_file(GROUP "/cgroup.subtree_control", "+memory");
	mkdir(OLD, 0755);
	mkdir(LIVE, 0755);
	put_file(GROUP "/memory.max", "32M");
	put_file(OLD "/memory.max", estate->fits ? "max" : "8M");
	return true;
}

/* How many of what is present are listed for the group that the first of them is for. */
static long listed_alike(const struct listing *list, pid_t pid, const char *p, size_t len,
			 unsigned int *memcg)
{
	uint64_t *pfn = frames_of(pid, p, len);
	bool first = true;
	long nr = 0;

	for (size_t i = 0; i < len / page_bytes(); i++) {
		struct queue_line *line = pfn[i] ? listing_find(list, pfn[i]) : NULL;

		if (line && first)
			*memcg = line->memcg;
		first = first && !line;
		nr += line && line->memcg == *memcg;
	}
	free(pfn);
	return nr;
}

static long young_left(pid_t pid, const struct estate *estate)
{
	return present_of(pid, estate->young, LIVE_MEMORY);
}

static long old_left(pid_t pid, const struct estate *estate)
{
	return present_of(pid, estate->memory, OLD_MEMORY / 2) +
	       cached_of(estate->memory + OLD_MEMORY / 2, OLD_MEMORY / 2) + cached(estate->file);
}

/* All of it is in the queue, and nothing that is of a group that is not there. */
static void is_listed(struct __test_metadata *_metadata, offline_fixture *self,
		      const struct estate *estate)
{
	long nr = present_of(self->other, estate->memory, OLD_MEMORY);
	unsigned int old = 0, live = 0;

	listing_read(&self->list, self->queue);
	EXPECT_EQ(0, self->list.broken);
	EXPECT_EQ(0, strange_groups(&self->list));
	EXPECT_LT(0, nr);
	EXPECT_EQ(nr, listed_alike(&self->list, self->other, estate->memory, OLD_MEMORY, &old));
	EXPECT_EQ((long)(LIVE_MEMORY / self->page),
		  listed_alike(&self->list, self->other, estate->young, LIVE_MEMORY, &live));
	EXPECT_NE(old, live);
	if (estate->fits) {
		EXPECT_EQ((long)(OLD_MEMORY / self->page), nr);
		EXPECT_EQ((long)(OLD_FILE / self->page), cached(estate->file));
	}
	TH_LOG("%ld pages are listed for %u, the young ones for %u; guard keeps %ld", nr, old, live,
	       lpl_stat("guard_kept"));
}

/* In one step of many pages all groups come to give some, however old theirs are. */
#define STEP	32	/* pages */

static void reclaim_in_steps(long pages)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", STEP * page_bytes());
	for (; pages > 0; pages -= STEP)
		put_file(GROUP "/memory.reclaim", text);
}

/*
 * It is what is oldest in the parent by far.  After some rounds in which its file pages
 * alone are looked at, which may be younger than its memory, others give as well; where
 * it has been used once from end to end it is of one age.
 */
static void goes_first(struct __test_metadata *_metadata, offline_fixture *self,
		       const struct estate *estate)
{
	long old = old_left(self->other, estate), gone, gone_young;

	reclaim_in_steps(old * 3 / 4);
	gone = old - old_left(self->other, estate);
	gone_young = LIVE_MEMORY / self->page - young_left(self->other, estate);
	TH_LOG("of %ld old pages %ld are gone, of the young ones %ld; cached %ld", old, gone,
	       gone_young, cached(estate->file));
	EXPECT_LE(old / 2, gone);
	EXPECT_LE(gone_young * (estate->fits ? 4 : 2), gone);

	/* And in the end all of it. */
	for (int i = 0; i < 10 && old_left(self->other, estate); i++)
		put_file(GROUP "/memory.reclaim", "4M");
	EXPECT_EQ(0, old_left(self->other, estate));
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

static long dying(void)
{
	return get_line(GROUP "/cgroup.stat", "nr_dying_descendants");
}

static void charge_on(int cpu)
{
	pid_t pid = fork();
	cpu_set_t set;

	if (!pid) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		enter(LIVE);
		fill(pages_of(MIB), MIB, false);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* A CPU holds the group that it charged last, and what is in its batches. */
static long dying_after_a_while(void)
{
	for (int i = 0; i < 50 && dying(); i++) {
		for (int cpu = 0; cpu < get_nprocs(); cpu++)
			charge_on(cpu);
		drain_batches();
		sleep_ms(100);
	}
	return dying();
}

/* Nothing holds it when all of it is gone. */
static void is_let_go(struct __test_metadata *_metadata, offline_fixture *self,
		      const struct estate *estate)
{
	munmap(estate->memory, OLD_MEMORY);
	close(estate->file);
	zram_remove(self->zram);
	self->zram = -1;
	/* CPUs hold slots of swap that were freed as well. */
	if (self->stage.swap.zram < 0)
		return;
	swap_put(&self->stage.swap);
	self->stage.swap.zram = -1;
	EXPECT_EQ(0, dying_after_a_while());
}

static bool step_is_done(struct __test_metadata *_metadata, const struct estate *estate)
{
	char c;
	bool done = read(estate->done[0], &c, 1) == 1;

	EXPECT_TRUE(done);
	return done;
}

static void go_on(struct __test_metadata *_metadata, const struct estate *estate)
{
	EXPECT_EQ(1, write(estate->go[1], "", 1));
}

static void outlive(struct __test_metadata *_metadata, offline_fixture *self, bool fits)
{
	struct estate estate = { .fits = fits };

	if (!estate_make(&estate, &self->zram))
		SKIP(return, "no zram");
	self->other = fork();
	if (!self->other)
		heir_work(&estate);
	close(estate.done[1]);
	close(estate.go[0]);
	if (!step_is_done(_metadata, &estate))
		return;
	EXPECT_EQ(0, dying());
	group_remove(OLD);
	EXPECT_NE(0, access(OLD, F_OK));
	EXPECT_EQ(1, dying());
	go_on(_metadata, &estate);

	if (!step_is_done(_metadata, &estate))
		return;
	is_listed(_metadata, self, &estate);
	goes_first(_metadata, self, &estate);
	go_on(_metadata, &estate);

	EXPECT_EQ(0, exit_of(self->other));
	self->other = 0;
	EXPECT_EQ(0, get_line(GROUP "/memory.events", "oom_kill"));
	is_let_go(_metadata, self, &estate);
}

/* Some of what it has is in swap as it goes, and refers to it by its number. */
TEST_F_TIMEOUT(offline, memory_cgroup, 300)
{
	outlive(_metadata, self, false);
}

/* Nothing is, so its number is gone with it. */
TEST_F_TIMEOUT(offline, memory_cgroup_without_swap, 300)
{
	outlive(_metadata, self, true);
}

TEST_HARNESS_MAIN
