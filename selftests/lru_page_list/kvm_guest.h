/* SPDX-License-Identifier: GPL-2.0-only */
/* What a virtual machine of kvm_test runs. */
#ifndef _KVM_GUEST_H
#define _KVM_GUEST_H

#include <linux/kvm.h>
#include <stdint.h>
#include <sys/ioctl.h>

/* Where the guest finds its program, its memory, and the way out. */
#define AT_CODE		0x10000UL
#define AT_GUEST	0x10000000UL
#define AT_OUT		0x20000000UL

/*
 * What runs in the guest, without an address translation of its own: it reads a word of
 * each page, tells that it has, and begins anew.
 */
#if defined(__aarch64__)
/* x0: its memory, x1: bytes of that, x2: of a page, x3: the way out. */
asm(".pushsection .rodata\n"
	".globl guest_code, guest_code_end\n"
	"guest_code:\n"
	"	mov	x4, #0\n"
	"1:	ldr	x5, [x0, x4]\n"
	"	add	x4, x4, x2\n"
	"	cmp	x4, x1\n"
	"	b.lo	1b\n"
	"	str	x4, [x3]\n"
	"	b	guest_code\n"
	"guest_code_end:\n"
	".popsection\n");
#define GUEST_TOLD	KVM_EXIT_MMIO
#elif defined(__x86_64__)
/* esi: its memory, edx: bytes of that, ecx: of a page. */
asm(".pushsection .rodata\n"
	".globl guest_code, guest_code_end\n"
	".code32\n"
	"guest_code:\n"
	"	xor	%ebx, %ebx\n"
	"1:	mov	(%esi, %ebx), %eax\n"
	"	add	%ecx, %ebx\n"
	"	cmp	%edx, %ebx\n"
	"	jb	1b\n"
	"	out	%al, $16\n"
	"	jmp	guest_code\n"
	"guest_code_end:\n"
	".code64\n"
	".popsection\n");
#define GUEST_TOLD	KVM_EXIT_IO
#endif

extern const char guest_code[], guest_code_end[];

#if defined(__aarch64__)
static inline int set_reg(int cpu, uint64_t index, uint64_t value)
{
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | index,
		.addr = (uintptr_t)&value,
	};

	return ioctl(cpu, KVM_SET_ONE_REG, &reg);
}

#define REG(name)	KVM_REG_ARM_CORE_REG(name)

/* The CPU @cpu of @vm is at the program, which is to read @len bytes. */
static inline int guest_begins(int vm, int cpu, size_t len, size_t page)
{
	struct kvm_vcpu_init init = { 0 };

	return ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init) ||
	       ioctl(cpu, KVM_ARM_VCPU_INIT, &init) ||
	       set_reg(cpu, REG(regs.pc), AT_CODE) ||
	       set_reg(cpu, REG(regs.regs[0]), AT_GUEST) ||
	       set_reg(cpu, REG(regs.regs[1]), len) ||
	       set_reg(cpu, REG(regs.regs[2]), page) ||
	       set_reg(cpu, REG(regs.regs[3]), AT_OUT);
}
#elif defined(__x86_64__)
/* The CPU @cpu of @vm is at the program, which is to read @len bytes. */
static inline int guest_begins(int vm, int cpu, size_t len, size_t page)
{
	struct kvm_segment all = { .limit = 0xffffffff, .present = 1, .s = 1, .db = 1, .g = 1 };
	struct kvm_regs regs = {
		.rip = AT_CODE, .rflags = 2, .rsi = AT_GUEST, .rdx = len, .rcx = page,
	};
	struct kvm_sregs sregs;

	if (ioctl(cpu, KVM_GET_SREGS, &sregs))
		return -1;
	/* Protected, 32 bits, no pages. */
	sregs.cr0 |= 1;
	all.type = 3;
	all.selector = 16;
	sregs.ds = all;
	sregs.es = all;
	sregs.ss = all;
	all.type = 11;
	all.selector = 8;
	sregs.cs = all;
	return ioctl(cpu, KVM_SET_SREGS, &sregs) || ioctl(cpu, KVM_SET_REGS, &regs);
}
#endif

#endif
