// SPDX-License-Identifier: GPL-2.0-only
/*
 * The harness of petmem programs.  It never calls mmap(): addresses are the
 * driver's to give.
 *
 * PETMEM_MAX_SIGNALS: end the program, without an error, at that many signals,
 * as the harness of some courses does.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/petmem.h>

#include "harness.h"

static int petmem_fd = -1;

static void handle_fault(int sig, siginfo_t *info, void *context)
{
	struct page_fault fault = {
		.fault_addr = (unsigned long)info->si_addr,
		.error_code = info->si_code,
	};
#ifdef PETMEM_MAX_SIGNALS
	static int signals;

	if (++signals == PETMEM_MAX_SIGNALS)
		exit(0);
#endif
	/* Refused: the access is made again, and ends the process. */
	if (ioctl(petmem_fd, PAGE_FAULT, &fault))
		signal(sig, SIG_DFL);
}

int init_petmem(void)
{
	struct sigaction action;

	petmem_fd = open(PETMEM_DEVICE, O_RDONLY);
	if (petmem_fd < 0)
		return -1;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handle_fault;
	action.sa_flags = SA_SIGINFO;
	return sigaction(SIGSEGV, &action, NULL);
}

void *pet_malloc(size_t size)
{
	struct alloc_request req = { .size = size };

	if (ioctl(petmem_fd, LAZY_ALLOC, &req))
		return NULL;
	return (void *)(unsigned long)req.addr;
}

void pet_free(void *addr)
{
	ioctl(petmem_fd, LAZY_FREE, addr);
}

void pet_dump(void)
{
	ioctl(petmem_fd, LAZY_DUMP_STATE, 0);
}

void pet_invlpg(void *addr)
{
	ioctl(petmem_fd, INVALIDATE_PAGE, addr);
}
