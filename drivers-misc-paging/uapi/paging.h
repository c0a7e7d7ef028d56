/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/paging: memory mapped by demand paging or pre-paging.
 *
 * A program opens DEV_NAME and calls mmap() on it, as often as it likes: each
 * call gives zeroed memory of its own.  There are no ioctls.
 */
#ifndef _UAPI_LINUX_PAGING_H
#define _UAPI_LINUX_PAGING_H

#define PAGING_MODULE_NAME	"paging"
#define DEV_NAME		"/dev/" PAGING_MODULE_NAME

#endif /* _UAPI_LINUX_PAGING_H */
