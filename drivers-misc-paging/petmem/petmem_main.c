// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/petmem: the device, its parameters, and the module.
 *
 * A process allocates addresses by an ioctl and gets physical pages when it
 * touches them, all of it by this driver's own means: petmem_pool.c and
 * petmem_buddy.c have the physical pages, petmem_vspace.c the addresses,
 * petmem_table.c the page tables between them; petmem_map.c is what belongs to
 * a process and when that ends, petmem_fault.c what happens at a touch, and
 * petmem_swap.c what happens when the pages run out.
 */
#include <linux/capability.h>
#include <linux/cdev.h>
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "petmem_internal.h"

/* For the list, and for what open files have taken over. */
DEFINE_MUTEX(petmem_opens_lock);
LIST_HEAD(petmem_opens);

/* Parameters. Those that files have taken over do not change under them. */

static const char * const petmem_fault_names[] = { "signal", "direct", NULL };
static const char * const petmem_fit_names[] = { "first", "best", NULL };
static const char * const petmem_policy_names[] = { "fifo", "clock", NULL };

struct petmem_choice {
	const char * const *names;
	int value;
};

static struct petmem_choice petmem_fault = { petmem_fault_names, 1 };
static struct petmem_choice petmem_fit = { petmem_fit_names, 0 };
static struct petmem_choice petmem_policy = { petmem_policy_names, 1 };

static int petmem_set_choice(const char *val, const struct kernel_param *kp)
{
	struct petmem_choice *choice = kp->arg;
	int i, err = -EINVAL;

	for (i = 0; choice->names[i]; i++)
		if (sysfs_streq(val, choice->names[i]))
			break;
	if (!choice->names[i])
		return err;
	mutex_lock(&petmem_opens_lock);
	err = list_empty(&petmem_opens) ? 0 : -EBUSY;
	if (!err)
		choice->value = i;
	mutex_unlock(&petmem_opens_lock);
	return err;
}

static int petmem_get_choice(char *buf, const struct kernel_param *kp)
{
	struct petmem_choice *choice = kp->arg;

	return sysfs_emit(buf, "%s\n", choice->names[choice->value]);
}

static const struct kernel_param_ops petmem_choice_ops = {
	.set = petmem_set_choice,
	.get = petmem_get_choice,
};

module_param_cb(fault, &petmem_choice_ops, &petmem_fault, 0644);
MODULE_PARM_DESC(fault, "who handles page faults: the program's signal handler (signal) or the kernel (direct, default)");
module_param_cb(fit, &petmem_choice_ops, &petmem_fit, 0644);
MODULE_PARM_DESC(fit, "how addresses are chosen: first (default) or best");
module_param_cb(swap_policy, &petmem_choice_ops, &petmem_policy, 0644);
MODULE_PARM_DESC(swap_policy, "which page is replaced: clock (default) or fifo");

static char petmem_swap_path[256];

static int petmem_set_swap_path(const char *val, const struct kernel_param *kp)
{
	size_t len = strcspn(val, "\n");
	int err;

	if (len >= sizeof(petmem_swap_path))
		return -ENAMETOOLONG;
	if (len && val[0] != '/')
		return -EINVAL;
	mutex_lock(&petmem_opens_lock);
	err = list_empty(&petmem_opens) ? 0 : -EBUSY;
	if (!err)
		strscpy(petmem_swap_path, val, len + 1);
	mutex_unlock(&petmem_opens_lock);
	return err;
}

static int petmem_get_swap_path(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", petmem_swap_path);
}

static const struct kernel_param_ops petmem_swap_path_ops = {
	.set = petmem_set_swap_path,
	.get = petmem_get_swap_path,
};

module_param_cb(swap_path, &petmem_swap_path_ops, NULL, 0600);
MODULE_PARM_DESC(swap_path, "file or block device that pages go to when the pool is empty; an absolute path (default: none)");

static unsigned int pool_mb = 64;
module_param(pool_mb, uint, 0444);
MODULE_PARM_DESC(pool_mb, "MB to allocate for the pool when the module is loaded (default 64)");

unsigned long petmem_max_open_pages;
module_param_named(max_open_pages, petmem_max_open_pages, ulong, 0644);
MODULE_PARM_DESC(max_open_pages, "pages in memory of one open file from which on it gets no new ones (default 0: no limit)");

/* Files. */

static int petmem_open_file(struct inode *inode, struct file *file)
{
	struct petmem_open *open;
	int err = 0;

	mutex_lock(&petmem_opens_lock);
	if (list_empty(&petmem_opens))
		err = petmem_swap_open(petmem_swap_path, petmem_policy.value);
	if (!err) {
		open = petmem_open_create(petmem_fault.value, petmem_fit.value);
		if (!open)
			err = -ENOMEM;
		file->private_data = open;
	}
	if (list_empty(&petmem_opens))
		petmem_swap_close();
	mutex_unlock(&petmem_opens_lock);
	return err;
}

static int petmem_release_file(struct inode *inode, struct file *file)
{
	mutex_lock(&petmem_opens_lock);
	petmem_open_close(file->private_data);
	if (list_empty(&petmem_opens))
		petmem_swap_close();
	mutex_unlock(&petmem_opens_lock);
	return 0;
}

/* Ioctls. */

static int petmem_ioctl_add(void __user *arg)
{
	struct memory_range mem;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&mem, arg, sizeof(mem)))
		return -EFAULT;
	return petmem_add_offline(&mem);
}

static int petmem_ioctl_release(void __user *arg)
{
	struct memory_range mem;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&mem, arg, sizeof(mem)))
		return -EFAULT;
	return petmem_release_memory(&mem);
}

static int petmem_ioctl_contiguous(void __user *arg)
{
	u64 bytes;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&bytes, arg, sizeof(bytes)))
		return -EFAULT;
	return petmem_add_contiguous(bytes);
}

static int petmem_alloc(struct petmem_open *open, u64 size, u64 *addr)
{
	struct petmem_map *map;
	int err;

	/* Another thread may have ended the map that was found. */
	do {
		map = petmem_init_process(open);
		if (!map)
			return -ENOMEM;
		err = petmem_map_alloc(map, size, addr);
		petmem_map_put(map);
		if (fatal_signal_pending(current))
			break;
	} while (err == -ESTALE);
	return err == -ESTALE ? -EINTR : err;
}

static int petmem_free(struct petmem_open *open, unsigned long addr)
{
	struct petmem_map *map;
	int err;

	if (!addr)
		return 0;
	map = petmem_map_lookup(open);
	if (!map)
		return -EINVAL;
	err = petmem_map_free(map, addr);
	petmem_map_put(map);
	return err;
}

/* Map all pages now; without memory for that there is no allocation. */
static int petmem_fill(struct petmem_open *open, u64 addr, u64 size)
{
	struct petmem_map *map = petmem_map_lookup(open);
	int err = map ? 0 : -ENOMEM;
	u64 pos;

	for (pos = 0; pos < size && !err; pos += PAGE_SIZE) {
		err = petmem_populate(map, addr + pos);
		cond_resched();
	}
	if (map)
		petmem_map_put(map);
	return err;
}

static int petmem_ioctl_alloc(struct petmem_open *open, void __user *arg,
			      bool lazy)
{
	struct alloc_request req;
	u64 addr = 0;
	int err;

	if (copy_from_user(&req, arg, sizeof(req)))
		return -EFAULT;
	err = petmem_alloc(open, req.size, &addr);
	if (err || !addr)
		return err;
	if (!lazy)
		err = petmem_fill(open, addr, req.size);
	req.addr = addr;
	if (!err && copy_to_user(arg, &req, sizeof(req)))
		err = -EFAULT;
	if (err)
		petmem_free(open, addr);
	return err;
}

static int petmem_ioctl_fault(struct petmem_open *open, void __user *arg)
{
	struct page_fault fault;
	struct petmem_map *map;
	int err = -EFAULT;

	if (copy_from_user(&fault, arg, sizeof(fault)))
		return -EFAULT;
	map = petmem_map_lookup(open);
	if (map) {
		err = petmem_handle_pagefault(map, fault.fault_addr,
					      fault.error_code);
		petmem_map_put(map);
	}
	return err ? 1 : 0;
}

static int petmem_ioctl_map(struct petmem_open *open, unsigned int cmd,
			    unsigned long addr)
{
	struct petmem_map *map = petmem_map_lookup(open);
	int err = 0;

	if (cmd == LAZY_DUMP_STATE)
		petmem_dump_state(map);
	else
		err = map ? petmem_invalidate(map, addr) : -EINVAL;
	if (map)
		petmem_map_put(map);
	return err;
}

static long petmem_do_ioctl(struct file *file, unsigned int cmd,
			    unsigned long addr, void __user *arg)
{
	struct petmem_open *open = file->private_data;

	switch (cmd) {
	case ADD_MEMORY:
		return petmem_ioctl_add(arg);
	case PETMEM_RELEASE_MEMORY:
		return petmem_ioctl_release(arg);
	case PETMEM_ADD_CONTIGUOUS:
		return petmem_ioctl_contiguous(arg);
	case ALLOCATE:
	case LAZY_ALLOC:
		return petmem_ioctl_alloc(open, arg, cmd == LAZY_ALLOC);
	case FREE:
	case LAZY_FREE:
		return petmem_free(open, addr);
	case PAGE_FAULT:
		return petmem_ioctl_fault(open, arg);
	case LAZY_DUMP_STATE:
	case INVALIDATE_PAGE:
		return petmem_ioctl_map(open, cmd, addr);
	default:
		return -ENOTTY;
	}
}

static long petmem_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return petmem_do_ioctl(file, cmd, arg, (void __user *)arg);
}

#ifdef CONFIG_COMPAT
/* The structs are packed and thus the same. */
static long petmem_compat_ioctl(struct file *file, unsigned int cmd,
				unsigned long arg)
{
	return petmem_do_ioctl(file, cmd, arg, compat_ptr(arg));
}
#endif

static const struct file_operations petmem_fops = {
	.owner		= THIS_MODULE,
	.open		= petmem_open_file,
	.release	= petmem_release_file,
	.unlocked_ioctl	= petmem_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= petmem_compat_ioctl,
#endif
	.llseek		= noop_llseek,
};

/* The device. */

static char *petmem_devnode(const struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = 0600;
	return NULL;
}

static const struct class petmem_class = {
	.name		= "petmem",
	.devnode	= petmem_devnode,
};

static dev_t petmem_dev;
static struct cdev petmem_cdev;

static int __init petmem_device_init(void)
{
	struct device *dev;
	int err;

	err = alloc_chrdev_region(&petmem_dev, 0, 1, "petmem");
	if (err)
		return err;
	err = class_register(&petmem_class);
	if (err)
		goto unregister_region;
	cdev_init(&petmem_cdev, &petmem_fops);
	petmem_cdev.owner = THIS_MODULE;
	err = cdev_add(&petmem_cdev, petmem_dev, 1);
	if (err)
		goto unregister_class;
	dev = device_create(&petmem_class, NULL, petmem_dev, NULL, "petmem");
	err = PTR_ERR_OR_ZERO(dev);
	if (!err)
		return 0;

	cdev_del(&petmem_cdev);
unregister_class:
	class_unregister(&petmem_class);
unregister_region:
	unregister_chrdev_region(petmem_dev, 1);
	return err;
}

static int __init petmem_module_init(void)
{
	int err;

	err = petmem_pool_init();
	if (err)
		return err;
	if (pool_mb) {
		err = petmem_add_contiguous((u64)pool_mb << 20);
		if (err)
			pr_err("petmem: cannot allocate %u MB for the pool: error %d\n",
			       pool_mb, err);
	}
	if (!err)
		err = petmem_device_init();
	if (err) {
		petmem_pool_exit();
		return err;
	}
	petmem_stats_init();
	pr_info("petmem: loaded, %lu pages in the pool\n",
		petmem_pool.nr_pages);
	return 0;
}
module_init(petmem_module_init);

/* The files of arenas hold the module, and VMAs and slow faults hold these. */
static void __exit petmem_module_exit(void)
{
	petmem_stats_exit();
	device_destroy(&petmem_class, petmem_dev);
	cdev_del(&petmem_cdev);
	class_unregister(&petmem_class);
	unregister_chrdev_region(petmem_dev, 1);
	petmem_pool_exit();
	pr_info("petmem: unloaded\n");
}
module_exit(petmem_module_exit);

MODULE_DESCRIPTION("A memory manager beside the kernel's");
MODULE_AUTHOR("Paging Lab <paging-lab@localhost>");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(PAGING_LAB);
