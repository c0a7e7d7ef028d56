// SPDX-License-Identifier: GPL-2.0-only
/* /dev/paging: faults are handled under the lock of their VMA, at once. */
#define PAGING_TEST_PRIVATE
#include "paging_test.h"

/* An event of /proc/vmstat; -1 without CONFIG_PER_VMA_LOCK_STATS. */
static long vm_event(const char *event)
{
	FILE *f = fopen("/proc/vmstat", "r");
	char name[64];
	long value, found = -1;

	while (f && fscanf(f, "%63s %ld", name, &value) == 2)
		if (!strcmp(name, event))
			found = value;
	if (f)
		fclose(f);
	return found;
}

/* A fault that is begun anew under mmap_lock would be a retry, each time. */
TEST_F(paging, does_not_wait_for_the_lock_of_the_mm)
{
	long retries = vm_event("vma_lock_retry"), done = vm_event("vma_lock_success");
	long faults = faults_for(self, self->len);
	char *p = map_pages(self, self->len);

	if (retries < 0)
		SKIP(return, "no CONFIG_PER_VMA_LOCK_STATS");
	ASSERT_NE(MAP_FAILED, p);
	fill_pages(p, self->len, 1);
	EXPECT_LE(faults, vm_event("vma_lock_success") - done);
	EXPECT_GE(faults / 4, vm_event("vma_lock_retry") - retries);
}

TEST_HARNESS_MAIN
