/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of /dev/petmem for programs: malloc() and free() on its ioctls, and
 * a handler of SIGSEGV that has pages mapped, where the kernel does not.
 */
#ifndef PETMEM_HARNESS_H
#define PETMEM_HARNESS_H

#include <stddef.h>

/* Open the device and install the handler. -1 if there is no device. */
int init_petmem(void);

/* @size bytes, rounded up to pages, not touched yet; NULL if there are none. */
void *pet_malloc(size_t size);

/* Free what pet_malloc() returned. NULL is fine. */
void pet_free(void *addr);

/* Have the state of the memory printed to the kernel's log. */
void pet_dump(void);

/* Flush the page at @addr from the TLBs. */
void pet_invlpg(void *addr);

#endif /* PETMEM_HARNESS_H */
