/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/petmem: a memory manager beside the kernel's.
 *
 * A program opens the device, for reading is enough, and allocates memory in
 * [PETMEM_REGION_START, PETMEM_REGION_END) with PETMEM_LAZY_ALLOC.
 */
#ifndef _UAPI_LINUX_PETMEM_H
#define _UAPI_LINUX_PETMEM_H

#include <linux/ioctl.h>

#define PETMEM_DEVICE		"/dev/petmem"

#define PETMEM_REGION_START	0x1000000000ULL
#define PETMEM_REGION_END	0x3000000000ULL

/* Bare numbers; the argument is a pointer or, where it says so, an address. */
#define ADD_MEMORY		1	/* struct memory_range: offline memory */
#define RELEASE_MEMORY		2	/* FIGETBSZ: never arrives, see below */
#define ALLOCATE		10	/* struct alloc_request: mapped at once */
#define FREE			11	/* an address */
#define LAZY_ALLOC		30	/* struct alloc_request */
#define LAZY_FREE		31	/* an address */
#define LAZY_DUMP_STATE		32	/* nothing */
#define PAGE_FAULT		50	/* struct page_fault; 0 or, refused, 1 */
#define INVALIDATE_PAGE		51	/* an address */

/**
 * struct memory_range - physical memory
 * @base_addr: first byte; of a page
 * @pages: length in units of 4096 bytes, whatever the page size is; whole
 *	pages
 */
struct memory_range {
	unsigned long long base_addr;
	unsigned long long pages;
} __attribute__((packed));

/**
 * struct alloc_request - addresses
 * @size: bytes; rounded up to pages
 * @addr: result; untouched if there is no such space or @size is 0
 */
struct alloc_request {
	unsigned long long size;
	unsigned long long addr;
} __attribute__((packed));

/**
 * struct page_fault - a fault to handle
 * @fault_addr: as in si_addr
 * @error_code: as in si_code: 1, nothing is mapped there; 2, no permission
 */
struct page_fault {
	unsigned long long fault_addr;
	unsigned int error_code;
} __attribute__((packed));

/* What the numbers above have not, or cannot have. */
#define PETMEM_RELEASE_MEMORY	_IOW(0xBD, 2, struct memory_range)
/* Let the driver allocate contiguous memory: the argument points to bytes. */
#define PETMEM_ADD_CONTIGUOUS	_IOW(0xBD, 3, unsigned long long)

#endif /* _UAPI_LINUX_PETMEM_H */
