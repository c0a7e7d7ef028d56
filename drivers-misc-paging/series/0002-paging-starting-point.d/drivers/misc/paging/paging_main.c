// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/paging: the starting point of the assignment.
 *
 * A device that can be mapped, and whose memory cannot be used yet: every
 * first touch of a page ends in SIGBUS.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <uapi/linux/paging.h>

static vm_fault_t paging_vma_fault(struct vm_fault *vmf)
{
	pr_info("%s() invoked: took a page fault at VA 0x%lx\n", __func__,
		vmf->real_address);
	return VM_FAULT_SIGBUS;
}

static void paging_vma_open(struct vm_area_struct *vma)
{
	pr_info("%s() invoked\n", __func__);
}

static void paging_vma_close(struct vm_area_struct *vma)
{
	pr_info("%s() invoked\n", __func__);
}

static const struct vm_operations_struct paging_vm_ops = {
	.open	= paging_vma_open,
	.close	= paging_vma_close,
	.fault	= paging_vma_fault,
};

static int paging_mmap(struct file *file, struct vm_area_struct *vma)
{
	pr_info("%s() invoked: new VMA for pid %d from VA 0x%lx to 0x%lx\n",
		__func__, current->pid, vma->vm_start, vma->vm_end);
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &paging_vm_ops;
	return 0;
}

static const struct file_operations paging_fops = {
	.owner	= THIS_MODULE,
	.mmap	= paging_mmap,
	.llseek	= noop_llseek,
};

static struct miscdevice paging_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= PAGING_MODULE_NAME,
	.fops	= &paging_fops,
	.mode	= 0600,
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

static void __exit paging_module_exit(void)
{
	misc_deregister(&paging_device);
	pr_info("Unloaded kmod_paging module\n");
}
module_exit(paging_module_exit);

MODULE_DESCRIPTION("Memory mapped by demand paging or pre-paging");
MODULE_AUTHOR("Paging Lab <paging-lab@localhost>");
MODULE_LICENSE("GPL");
