// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel_memory: the page allocator exercise.
 *
 * A thread allocates contiguous pages for nr_structs structs, finds each page
 * by the long way (struct page, frame number, physical address, kernel
 * virtual address) and fills it. When the module is unloaded every value is
 * read back before the pages are freed.
 */
#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/sched.h>

#include "kernel_memory_layout.h"

static unsigned int nr_structs = 2000;
module_param(nr_structs, uint, 0644);
MODULE_PARM_DESC(nr_structs,
		 "structs to allocate memory for when the module is loaded (default 2000)");

/*
 * Set up before the thread starts; the pages are the thread's until it
 * completes @filled. The parameter may be written to in the meantime, so its
 * value at load time is kept here.
 */
static struct {
	struct task_struct *thread;
	struct completion filled;
	struct page *pages;
	unsigned int nr_structs;
	unsigned int nr_pages;
	unsigned int order;
} km;

/* The structs of page @i, by way of its frame number and physical address. */
static struct kernel_memory_struct *kernel_memory_page(unsigned int i)
{
	unsigned long pfn = page_to_pfn(km.pages) + i;

	return __va(PFN_PHYS(pfn));
}

static unsigned int kernel_memory_in_page(unsigned int i)
{
	return min(km.nr_structs - i * KERNEL_MEMORY_PER_PAGE,
		   KERNEL_MEMORY_PER_PAGE);
}

static void kernel_memory_fill(void)
{
	unsigned int i, j, k;

	for (i = 0; i < km.nr_pages; i++) {
		struct kernel_memory_struct *s = kernel_memory_page(i);

		for (j = 0; j < kernel_memory_in_page(i); j++)
			for (k = 0; k < KERNEL_MEMORY_VALUES; k++)
				s[j].value[k] = kernel_memory_value(i, j, k);
		pr_debug("page %u: pfn=%lx va=%p first value=%u\n", i,
			 page_to_pfn(km.pages) + i, s, s[0].value[0]);
		cond_resched();
	}
}

/* Runs in the module's exit: the thread has ended. Returns wrong values. */
static unsigned int kernel_memory_verify(void)
{
	unsigned int i, j, k, wrong = 0;

	for (i = 0; i < km.nr_pages; i++) {
		struct kernel_memory_struct *s = kernel_memory_page(i);

		for (j = 0; j < kernel_memory_in_page(i); j++)
			for (k = 0; k < KERNEL_MEMORY_VALUES; k++)
				wrong += s[j].value[k] !=
					 kernel_memory_value(i, j, k);
		cond_resched();
	}
	return wrong;
}

static int kernel_memory_thread(void *unused)
{
	pr_info("Hello from thread %s. nr_structs=%u\n", current->comm,
		km.nr_structs);
	pr_info("page size %lu, struct size %zu, structs per page %u\n",
		PAGE_SIZE, sizeof(struct kernel_memory_struct),
		KERNEL_MEMORY_PER_PAGE);
	pr_info("nr_pages %u, order %u, structs per page %u\n", km.nr_pages,
		km.order, KERNEL_MEMORY_PER_PAGE);
	kernel_memory_fill();
	if (IS_BUILTIN(CONFIG_KERNEL_MEMORY))
		pr_info("built in: the values stay and cannot be verified\n");
	complete(&km.filled);

	/* Until the module goes: asleep, woken by kthread_stop() alone. */
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int __init kernel_memory_init(void)
{
	km.nr_structs = READ_ONCE(nr_structs);
	km.nr_pages = kernel_memory_nr_pages(km.nr_structs);
	km.order = my_get_order(km.nr_pages);
	if (!km.nr_structs || km.order > MAX_PAGE_ORDER) {
		pr_err("nr_structs=%u refused: from 1 to %lu structs fit one allocation\n",
		       km.nr_structs, (unsigned long)KERNEL_MEMORY_PER_PAGE <<
				      MAX_PAGE_ORDER);
		return -EINVAL;
	}

	km.pages = alloc_pages(GFP_KERNEL, km.order);
	if (!km.pages) {
		pr_err("no %u contiguous pages are free\n", 1U << km.order);
		return -ENOMEM;
	}
	init_completion(&km.filled);
	km.thread = kthread_run(kernel_memory_thread, NULL, "k_memory");
	if (IS_ERR(km.thread)) {
		__free_pages(km.pages, km.order);
		return PTR_ERR(km.thread);
	}
	pr_info("Loaded kernel_memory module\n");
	return 0;
}
module_init(kernel_memory_init);

static void __exit kernel_memory_exit(void)
{
	unsigned int wrong;

	/* A thread that is stopped before it has run never does. */
	wait_for_completion(&km.filled);
	kthread_stop(km.thread);

	wrong = kernel_memory_verify();
	if (wrong)
		pr_err("%u values are wrong\n", wrong);
	else
		pr_info("Success: all %u structs hold the right values\n",
			km.nr_structs);
	__free_pages(km.pages, km.order);
	pr_info("Unloaded kernel_memory module\n");
}
module_exit(kernel_memory_exit);

MODULE_DESCRIPTION("The page allocator exercise");
MODULE_AUTHOR("Paging Lab <paging-lab@localhost>");
MODULE_LICENSE("GPL");
