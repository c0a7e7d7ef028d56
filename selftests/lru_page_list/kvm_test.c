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
 * @guard is written to it.  Of what the guest does not use any more @kept per cent may
 * stay: guard keeps a part of what came back for as long as it was away.
 */
FIXTURE_VARIANT(kvm)
{
	const char *guard;
	int kept;
};

FIXTURE_VARIANT_ADD(kvm, strict) { "0", 5 };
FIXTURE_VARIANT_ADD(kvm, guard) { "1", 50 };

/* Of the variant. */
static int kept;

FIXTURE_SETUP(kvm)
{
	const char *missing;

	if (access("/dev/kvm", R_OK | W_OK))
		SKIP(return, "no /dev/kvm: needs CONFIG_KVM and a CPU that can");
	missing = stage_set(&self->stage);
	if (missing)
		SKIP(return, "%s", missing);
	if (put_file(LPL_DIR "guard", variant->guard)) {
		stage_clear(&self->stage);
		SKIP(return, "no guard: needs 64 bits");
	}
	put_file(LPL_DIR "always", "1");
	self->page = page_bytes();
	kept = variant->kept;
}

FIXTURE_TEARDOWN(kvm)
{
	stage_clear(&self->stage);
}

/* @reads: the guest does, all the time; else only at first. */
static int work_beside(size_t page, bool reads)
{
	struct machine m;
	const char *wrong = machine_begin(&m, page);
	char *much = pages_of(MUCH);
	long left, all = GUEST / page;
	bool did = !wrong && guest_reads(&m);

	for (size_t at = 0; did && at < MUCH; at += page) {
		store_word(much + at, at + 1);
		if (at % PART == 0) {
			did = !reads || guest_reads(&m);
			sleep_ms(1);
		}
	}
	if (!did) {
		printf("# %s does not work: %s\n", wrong ? wrong : "KVM_RUN", strerror(errno));
		fflush(stdout);
		return 1;
	}
	left = present(m.memory, GUEST, page);
	printf("# %ld of %ld pages stayed\n", left, all);
	fflush(stdout);
	if (reads ? left * 20 < all * 19 : left * 100 > all * kept)
		return 2;
	/* What has gone comes back with its contents. */
	return guest_reads(&m) && !fill(m.memory, GUEST, true) ? 0 : 3;
}

static int work_in_use(size_t page)
{
	return work_beside(page, true);
}

static int work_idle(size_t page)
{
	return work_beside(page, false);
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
