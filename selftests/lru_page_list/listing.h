/* SPDX-License-Identifier: GPL-2.0-only */
/* lru_page_list: what the file of the queue says, for its tests. */
#ifndef _LRU_PAGE_LIST_LISTING_H
#define _LRU_PAGE_LIST_LISTING_H

#include "lru_page_list.h"

/**
 * struct queue_line - a line of the queue
 * @pfn: first page frame of the folio
 * @age: time since it was last seen accessed, ms
 * @nid: node
 * @memcg: number of the memory cgroup
 * @file: of a file, else anonymous
 * @place: lines before it
 */
struct queue_line {
	uint64_t pfn;
	long age;
	unsigned int nid;
	unsigned int memcg;
	bool file;
	size_t place;
};

/* True if @text is one, and nothing else is in it. */
static inline bool queue_line(const char *text, struct queue_line *line)
{
	char type[8], again[160];

	if (sscanf(text, "pfn=%lu age_ms=%ld nid=%u memcg=%u type=%7s", &line->pfn,
		   &line->age, &line->nid, &line->memcg, type) != 5)
		return false;
	line->file = !strcmp(type, "file");
	snprintf(again, sizeof(again), "pfn=%lu age_ms=%ld nid=%u memcg=%u type=%s\n",
		 line->pfn, line->age, line->nid, line->memcg, line->file ? "file" : "anon");
	return !strcmp(text, again);
}

/**
 * struct listing - what the queue lists, by pfn
 * @line: its lines
 * @nr: how many
 * @room: how many there is memory for
 * @told: how many there are by its first line; -1 if that does not say so
 * @broken: lines that say something else, and 1 more if there are not so many as told
 * @began: when it was read
 * @ended: until when
 */
struct listing {
	struct queue_line *line;
	size_t nr, room;
	long told;
	long broken;
	uint64_t began, ended;
};

static inline void listing_add(struct listing *list, const char *text)
{
	struct queue_line line;

	if (list->told < 0 && sscanf(text, "# policy lru, %ld folios", &list->told) == 1) {
		list->broken += !!strstr(text, "there are more");
		return;
	}
	if (!queue_line(text, &line)) {
		list->broken++;
		return;
	}
	if (list->nr == list->room) {
		list->room = 2 * list->room + 4096;
		list->line = realloc(list->line, list->room * sizeof(line));
		if (!list->line)
			_exit(110);
	}
	line.place = list->nr;
	list->line[list->nr++] = line;
}

static inline int by_pfn(const void *a, const void *b)
{
	const struct queue_line *x = a, *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

#define SELDOM	"1000"	/* ms between harvests */

static inline void harvest_each(const char *interval_ms)
{
	put_file(LPL_DIR "interval_ms", interval_ms);
}

/*
 * While the queue is read: whoever works out what it says has its own pages made old by
 * each harvest, and where a fault takes long, as on a debug kernel, does little else.
 * @interval is for harvest_each() afterwards.
 */
static inline void harvest_seldom(char *interval, size_t size)
{
	get_file(LPL_DIR "interval_ms", interval, size);
	harvest_each(SELDOM);
}

/* @list is all 0 at first; its memory is kept for the next time. */
static inline void listing_read(struct listing *list, FILE *queue)
{
	char text[160], interval[16];

	list->nr = 0;
	list->told = -1;
	list->broken = 0;
	harvest_seldom(interval, sizeof(interval));
	rewind(queue);
	list->began = now_ns();
	while (fgets(text, sizeof(text), queue))
		listing_add(list, text);
	list->ended = now_ns();
	harvest_each(interval);
	list->broken += list->told != (long)list->nr;
	qsort(list->line, list->nr, sizeof(*list->line), by_pfn);
}

/* NULL if it is not there. */
static inline struct queue_line *listing_find(const struct listing *list, uint64_t pfn)
{
	struct queue_line key = { .pfn = pfn };

	return bsearch(&key, list->line, list->nr, sizeof(key), by_pfn);
}

/* Pages of @p that the queue lists with an age of this, or more; -1 if it cannot be read. */
static inline long listed(const char *p, size_t len, long least)
{
	FILE *queue = fopen(LPL_QUEUE, "r");
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	struct listing list = { 0 };
	long nr = 0;

	if (!queue || pagemap < 0)
		return -1;
	listing_read(&list, queue);
	for (size_t i = 0; i < len; i += page_bytes()) {
		struct queue_line *line = listing_find(&list, pfn_of(pagemap, p + i));

		nr += line && line->age >= least;
	}
	free(list.line);
	fclose(queue);
	close(pagemap);
	return list.broken ? -1 : nr;
}

#endif
