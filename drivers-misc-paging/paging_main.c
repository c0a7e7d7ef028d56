// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/paging: the device and the module.
 *
 * Memory that a program maps from this device is filled by demand paging, one
 * page (or block) at each first touch, or by pre-paging, all of it in mmap().
 * The files are the layers: paging_mmap.c is where a mapping begins and ends,
 * paging_fault.c and paging_prepage.c are the two ways to fill it, both on
 * paging_tracker.c, which owns the pages; paging_stats.c counts and limits.
 * Each module parameter is in the file that uses it.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <uapi/linux/paging.h>

#include "paging_internal.h"

static const struct file_operations paging_fops = {
	.owner			= THIS_MODULE,
	.mmap			= paging_mmap,
	.get_unmapped_area	= paging_get_unmapped_area,
	.llseek			= noop_llseek,
};

static struct miscdevice paging_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= PAGING_MODULE_NAME,
	.fops	= &paging_fops,
	.mode	= 0600,
	.groups	= paging_groups,
};

static int __init paging_module_init(void)
{
	int err;

	err = misc_register(&paging_device);
	if (err) {
		pr_err("cannot register %s: error %d\n", DEV_NAME, err);
		return err;
	}
	pr_info("Loaded kmod_paging module\n");
	return 0;
}
module_init(paging_module_init);

/* Mappings hold the file and so the module: none is left here. */
static void __exit paging_module_exit(void)
{
	misc_deregister(&paging_device);
	pr_info("Unloaded kmod_paging module: allocated %lu pages, freed %lu pages\n",
		paging_stat_sum(PAGING_ALLOCATED),
		paging_stat_sum(PAGING_FREED));
}
module_exit(paging_module_exit);

MODULE_DESCRIPTION("Memory mapped by demand paging or pre-paging");
MODULE_AUTHOR("Paging Lab <paging-lab@localhost>");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(PAGING_LAB);
