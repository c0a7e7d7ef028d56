/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to memory that are made exactly where they are written: relaxed
 * atomics, which a compiler neither drops, repeats nor joins.
 */
#ifndef PAGING_TOUCH_H
#define PAGING_TOUCH_H

static inline unsigned long load_word(const void *p)
{
	return __atomic_load_n((const unsigned long *)p, __ATOMIC_RELAXED);
}

static inline void store_word(void *p, unsigned long value)
{
	__atomic_store_n((unsigned long *)p, value, __ATOMIC_RELAXED);
}

static inline char load_byte(const void *p)
{
	return __atomic_load_n((const char *)p, __ATOMIC_RELAXED);
}

static inline void store_byte(void *p, char value)
{
	__atomic_store_n((char *)p, value, __ATOMIC_RELAXED);
}

#endif
