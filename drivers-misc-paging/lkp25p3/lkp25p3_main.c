// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: the file /proc/lkp25p3 and the module.
 *
 * lkp25p3_walk.c walks page tables, lkp25p3_translate.c asks it and answers,
 * lkp25p3_latency.c keeps the time, lkp25p3_vmas.c dumps VMAs;
 * lkp25p3_monitor.c watches accessed bits and lkp25p3_regions.c shortens what
 * it has seen to a line.
 *
 * Who may open the file may know physical addresses, as with /proc/PID/pagemap:
 * CAP_SYS_ADMIN in the initial user namespace, and at open(), so that the file
 * can be handed to a process that has no such right.
 */
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/proc_fs.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "lkp25p3_command.h"
#include "lkp25p3_internal.h"

/* Lines about addresses; what is more is in the answer to read() alone. */
struct ratelimit_state lkp25p3_log_limit =
	RATELIMIT_STATE_INIT(lkp25p3_log_limit, 10 * HZ, 1000);
module_param_named(log_limit, lkp25p3_log_limit.burst, int, 0644);
MODULE_PARM_DESC(log_limit, "lines about addresses that the log takes in 10 seconds");

/**
 * lkp25p3_get_mm() - the address space of a process
 * @pid: the process, as the caller's namespace numbers it; 0: the caller
 *
 * Return: an mm with a reference to its users; or ERR_PTR: -ESRCH, if there is
 * none, -EACCES, if the caller could not ptrace() it, -EINTR.
 */
struct mm_struct *lkp25p3_get_mm(pid_t pid)
{
	struct mm_struct *mm = current->mm;
	struct task_struct *task;
	struct pid *handle;

	if (!pid) {
		if (!mm)
			return ERR_PTR(-ESRCH);
		mmget(mm);
		return mm;
	}
	handle = find_get_pid(pid);
	task = get_pid_task(handle, PIDTYPE_PID);
	put_pid(handle);
	if (!task)
		return ERR_PTR(-ESRCH);
	mm = mm_access(task, PTRACE_MODE_READ_FSCREDS);
	put_task_struct(task);
	return mm;
}

static int lkp25p3_open(struct inode *inode, struct file *file)
{
	struct lkp25p3_file *f;

	if (!file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	file->private_data = f;
	return 0;
}

static int lkp25p3_release(struct inode *inode, struct file *file)
{
	struct lkp25p3_file *f = file->private_data;

	if (f->watch)
		lkp25p3_monitor_stop(f->watch);
	kfree(f);
	return 0;
}

static int run_command(struct lkp25p3_file *f,
		       const struct lkp25p3_command *cmd)
{
	switch (cmd->verb) {
	case LKP25P3_DUMP:
		return lkp25p3_dump_vmas();
	case LKP25P3_RANGE:
		return lkp25p3_translate_range(f, cmd->pid, cmd->start,
					       cmd->end);
	default:
		return lkp25p3_translate_one(f, cmd->pid, cmd->start);
	}
}

static int get_command(const char __user *buf, size_t count,
		       struct lkp25p3_command *cmd)
{
	char text[LKP25P3_INPUT_SIZE];

	if (!count || count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = 0;
	if (strlen(text) != count)
		return -EINVAL;
	return lkp25p3_parse(text, cmd);
}

static ssize_t lkp25p3_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *ppos)
{
	struct lkp25p3_file *f = file->private_data;
	struct lkp25p3_command cmd;
	int err = get_command(buf, count, &cmd);

	if (err) {
		if (err == -EINVAL)
			pr_info_ratelimited("[lkp25p3] what pid %d has written is no command\n",
					    task_pid_nr(current));
		return err;
	}
	err = mutex_lock_killable(&f->lock);
	if (err)
		return err;
	f->answer_len = 0;
	err = run_command(f, &cmd);
	mutex_unlock(&f->lock);
	*ppos = 0;	/* for read(), from the beginning of the answer */
	return err ? err : count;
}

static ssize_t lkp25p3_read(struct file *file, char __user *buf, size_t count,
			    loff_t *ppos)
{
	struct lkp25p3_file *f = file->private_data;
	ssize_t ret;

	ret = mutex_lock_killable(&f->lock);
	if (ret)
		return ret;
	ret = simple_read_from_buffer(buf, count, ppos, f->answer,
				      f->answer_len);
	mutex_unlock(&f->lock);
	return ret;
}

static long ioctl_batch(void __user *arg)
{
	struct lkp25p3_batch batch;
	int err;

	if (copy_from_user(&batch, arg, sizeof(batch)))
		return -EFAULT;
	err = lkp25p3_translate_batch(&batch);
	if (copy_to_user(arg, &batch, sizeof(batch)))
		return -EFAULT;
	return err;
}

static long ioctl_monitor_start(struct lkp25p3_file *f, void __user *arg)
{
	struct lkp25p3_monitor monitor;
	struct lkp25p3_watch *watch;

	if (f->watch)
		return -EBUSY;
	if (copy_from_user(&monitor, arg, sizeof(monitor)))
		return -EFAULT;
	watch = lkp25p3_monitor_start(&monitor);
	if (IS_ERR(watch))
		return PTR_ERR(watch);
	if (copy_to_user(arg, &monitor, sizeof(monitor))) {
		lkp25p3_monitor_stop(watch);
		return -EFAULT;
	}
	f->watch = watch;
	return 0;
}

static long ioctl_monitor_stop(struct lkp25p3_file *f)
{
	if (!f->watch)
		return -ENOENT;
	lkp25p3_monitor_stop(f->watch);
	f->watch = NULL;
	return 0;
}

static long lkp25p3_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	struct lkp25p3_file *f = file->private_data;
	void __user *user = (void __user *)arg;
	long ret;

	if (cmd == LKP25P3_IOC_BATCH)
		return ioctl_batch(user);

	ret = mutex_lock_killable(&f->lock);
	if (ret)
		return ret;
	if (cmd == LKP25P3_IOC_MONITOR_START)
		ret = ioctl_monitor_start(f, user);
	else if (cmd == LKP25P3_IOC_MONITOR_STOP)
		ret = ioctl_monitor_stop(f);
	else
		ret = -ENOTTY;
	mutex_unlock(&f->lock);
	return ret;
}

static const struct proc_ops lkp25p3_proc_ops = {
	.proc_open	= lkp25p3_open,
	.proc_release	= lkp25p3_release,
	.proc_read	= lkp25p3_read,
	.proc_write	= lkp25p3_write,
	.proc_lseek	= default_llseek,
	.proc_ioctl	= lkp25p3_ioctl,
#ifdef CONFIG_COMPAT
	.proc_compat_ioctl = compat_ptr_ioctl,
#endif
};

/* As the file has always had it: it is open() that says EPERM. */
#define PROC_MODE	0666

static struct dentry *lkp25p3_debugfs;

static int __init lkp25p3_init(void)
{
	lkp25p3_debugfs = debugfs_create_dir("lkp25p3", NULL);
	lkp25p3_latency_init(lkp25p3_debugfs);
	lkp25p3_monitor_init(lkp25p3_debugfs);
	if (!proc_create("lkp25p3", PROC_MODE, NULL, &lkp25p3_proc_ops)) {
		debugfs_remove(lkp25p3_debugfs);
		return -ENOMEM;
	}
	return 0;
}
module_init(lkp25p3_init);

static void __exit lkp25p3_exit(void)
{
	/* Releases the files that are open yet, and so ends their monitors. */
	remove_proc_entry("lkp25p3", NULL);
	debugfs_remove(lkp25p3_debugfs);
}
module_exit(lkp25p3_exit);

MODULE_DESCRIPTION("Page-table walker and accessed-bit monitor");
MODULE_AUTHOR("Paging Lab <paging-lab@localhost>");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(PAGING_LAB);
