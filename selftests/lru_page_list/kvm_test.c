// SPDX-License-Identifier: GPL-2.0-only
/*
 * lru_page_list: memory of a virtual machine, which only its guest uses: that is
 * in the accessed bits of KVM's page tables, not in those of the process.
 */
#include "../kselftest_harness.h"
#include "../paging/touch.h"
#include "group.h"
#include "kvm_guest.h"

/* The guest's memory, and what the process has come and go meanwhile, a part at a time. */
#define GUEST	(LIMIT / 4)
#define MUCH	(4 * LIMIT)
#define PART	(LIMIT / 64)

/**
 * struct machine - a virtual machine with one CPU
 * @vm: file descriptor of it
 * @cpu: of its CPU
 * @run: what its CPU stopped for
 * @memory: of the guest, here
 */
struct machine {
	int vm, cpu;
	struct kvm_run *run;
	char *memory;
};

static int give_memory(int vm, uint32_t slot, uint64_t at, const char *p, size_t len)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = at,
		.memory_size = len,
		.userspace_addr = (uintptr_t)p,
	};

	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* Lives until the process ends.  What does not work, or NULL. */
static const char *machine_begin(struct machine *m, size_t page)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	char *code = pages_of(page);

	memcpy(code, guest_code, guest_code_end - guest_code);
	m->memory = pages_of(GUEST);
	fill(m->memory, GUEST, false);
	m->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (m->vm < 0)
		return "KVM_CREATE_VM";
	if (give_memory(m->vm, 0, AT_CODE, code, page) ||
	    give_memory(m->vm, 1, AT_GUEST, m->memory, GUEST))
		return "KVM_SET_USER_MEMORY_REGION";
	m->cpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	if (m->cpu < 0)
		return "KVM_CREATE_VCPU";
	m->run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		      MAP_SHARED, m->cpu, 0);
	if (m->run == MAP_FAILED)
		return "mmap of kvm_run";
	return guest_begins(m->vm, m->cpu, GUEST, page) ? "the registers" : NULL;
}

/* The guest reads all of its memory. */
static bool guest_reads(const struct machine *m)
{
	int err;

	do
		err = ioctl(m->cpu, KVM_RUN, 0);
	while (err && errno == EINTR);
	if (!err && m->run->exit_reason == GUEST_TOLD)
		return true;
	printf("# KVM_RUN: %d, exit %u\n", err ? -errno : 0, m->run->exit_reason);
	return false;
}

FIXTURE(kvm)
{
	struct stage stage;
	size_t page;
};

/*
 * @guard is written to it.  What the guest does not use any more has gone after @turns of
 * others' memory: guard keeps a part of what came back for as long as it was away, and no
 * longer.
 */
FIXTURE_VARIANT(kvm)
{
	const char *guard;
	int turns;
};

FIXTURE_VARIANT_ADD(kvm, strict) { "0", 1 };
FIXTURE_VARIANT_ADD(kvm, guard) { "1", 4 };

/* Of the variant. */
static int turns;

FIXTURE_SETUP(kvm)
{
	const char *missing;

	if (access("/dev/kvm", R_OK | W_OK))
		SKIP(return, "no /dev/kvm: needs CONFIG_KVM and a CPU that can");
	missing = stage_set_guard(&self->stage, variant->guard);
	if (missing)
		SKIP(return, "%s", missing);
	put_file(LPL_DIR "always", "1");
	self->page = page_bytes();
	turns = variant->turns;
}

FIXTURE_TEARDOWN(kvm)
{
	stage_clear(&self->stage);
}

/* Memory comes and goes; false if the guest is to read its own meanwhile, and could not. */
static bool come_and_go(char *much, size_t page, const struct machine *reads)
{
	for (size_t at = 0; at < MUCH; at += page) {
		store_word(much + at, at + 1);
		if (at % PART)
			continue;
		if (reads && !guest_reads(reads))
			return false;
		sleep_ms(1);
	}
	return true;
}

static long left_of(const struct machine *m, size_t page)
{
	long left = present(m->memory, GUEST, page);

	printf("# %ld of %zu pages stayed\n", left, GUEST / page);
	fflush(stdout);
	return left;
}

static bool machine_works(struct machine *m, size_t page)
{
	const char *wrong = machine_begin(m, page);

	if (!wrong)
		return guest_reads(m);
	printf("# %s: %s\n", wrong, strerror(errno));
	fflush(stdout);
	return false;
}

static int work_in_use(size_t page)
{
	struct machine m;

	if (!machine_works(&m, page) || !come_and_go(pages_of(MUCH), page, &m))
		return 1;
	return left_of(&m, page) * 20 >= (long)(GUEST / page) * 19 ? 0 : 2;
}

static int work_idle(size_t page)
{
	long left = GUEST / page, all = left;
	char *much = pages_of(MUCH);
	struct machine m;

	if (!machine_works(&m, page))
		return 1;
	for (int i = 0; i < turns && left * 20 > all; i++) {
		come_and_go(much, page, NULL);
		left = left_of(&m, page);
	}
	if (left * 20 > all)
		return 2;
	/* What has gone comes back with its contents. */
	return guest_reads(&m) && !fill(m.memory, GUEST, true) ? 0 : 3;
}

TEST_F_TIMEOUT(kvm, what_the_guest_uses_stays, 300)
{
	long gain = lpl_stat("guard_gain");

	EXPECT_EQ(0, run_in_group(work_in_use, self->page));
	/* LRU would have hit all of it as well. */
	gain = lpl_stat("guard_gain") - gain;
	printf("# gain %ld of %zu pages in use\n", gain, GUEST / self->page);
	EXPECT_GE((long)(GUEST / self->page / 8), gain);
	EXPECT_EQ(0, lpl_stat("guard_drift"));
}

TEST_F_TIMEOUT(kvm, what_it_does_not_use_goes, 300)
{
	EXPECT_EQ(0, run_in_group(work_idle, self->page));
}

TEST_HARNESS_MAIN
