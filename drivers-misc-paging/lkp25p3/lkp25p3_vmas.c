// SPDX-License-Identifier: GPL-2.0-only
/*
 * lkp25p3: the VMAs of process 1, in the kernel's log.
 *
 * The text of as many VMAs as fit into a buffer is made with mmap_lock held and
 * printed without it: the console may be slow, and process 1 should not have
 * to wait for it.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "lkp25p3_internal.h"

/* Room for the longest path, escaped, twice and some. */
#define DUMP_BUFFER	(8 * PATH_MAX)
#define DUMP_ONE	(5 * PATH_MAX)

/* One dump's lines at a time. */
static DEFINE_MUTEX(dump_lock);

static void format_path(struct seq_buf *s, struct vm_area_struct *vma)
{
	const struct path *path = file_user_path(vma->vm_file);
	size_t size;
	char *buf, *p;

	size = seq_buf_get_buf(s, &buf);
	p = d_path(path, buf, size);
	if (IS_ERR(p)) {
		seq_buf_puts(s, "(path too long)");
		return;
	}
	/* As in /proc/PID/maps. */
	p = mangle_path(buf, p, "\n");
	if (p)
		seq_buf_commit(s, p - buf);
	else
		seq_buf_puts(s, "(path too long)");
}

/* Without a file: what it is for. */
static void format_anonymous(struct seq_buf *s, struct vm_area_struct *vma)
{
	const char *name = NULL;

	if (vma->vm_ops && vma->vm_ops->name)
		name = vma->vm_ops->name(vma);
	if (name)
		seq_buf_printf(s, "Type: Special Mapping %s\n", name);
	else if (vma_is_initial_heap(vma))
		seq_buf_puts(s, "Type: Heap\n");
	else if (vma_is_initial_stack(vma))
		seq_buf_puts(s, "Type: Stack\n");
	else
		seq_buf_puts(s, "Type: Anonymous Mapping\n");
}

static void format_vma(struct seq_buf *s, struct vm_area_struct *vma,
		       unsigned long number)
{
	vm_flags_t flags = vma->vm_flags;

	seq_buf_printf(s, "VMA%lu: [0x%08lx - 0x%08lx] (size: %lu KB)\n",
		       number, vma->vm_start, vma->vm_end,
		       (vma->vm_end - vma->vm_start) >> 10);
	seq_buf_printf(s, "Permissions: %c%c%c%c\n",
		       flags & VM_READ ? 'r' : '-', flags & VM_WRITE ? 'w' : '-',
		       flags & VM_EXEC ? 'x' : '-',
		       flags & VM_MAYSHARE ? 's' : 'p');
	if (!vma->vm_file) {
		format_anonymous(s, vma);
		return;
	}
	seq_buf_puts(s, "Type: File-backed Mapping\nFile: ");
	format_path(s, vma);
	seq_buf_printf(s, "\nOffset: 0x%llx\n",
		       (u64)vma->vm_pgoff << PAGE_SHIFT);
}

/* The record of a log line is short: no line of the text may be lost. */
static void print_lines(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line)
			pr_info("%s\n", line);
}

/* From *@next on; returns false when there are no more. */
static bool format_vmas(struct mm_struct *mm, struct seq_buf *s,
			unsigned long *next, unsigned long *number)
{
	VMA_ITERATOR(vmi, mm, *next);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma) {
		if (seq_buf_buffer_left(s) < DUMP_ONE)
			return true;
		format_vma(s, vma, ++*number);
		*next = vma->vm_end;
	}
	return false;
}

static int dump_vmas_of(struct mm_struct *mm)
{
	char *buf = kvmalloc(DUMP_BUFFER, GFP_KERNEL);
	unsigned long next = 0, number = 0;
	struct seq_buf s;
	bool more = true;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	while (more && !err) {
		seq_buf_init(&s, buf, DUMP_BUFFER);
		err = mmap_read_lock_killable(mm);
		if (err)
			break;
		more = format_vmas(mm, &s, &next, &number);
		mmap_read_unlock(mm);
		seq_buf_str(&s);
		print_lines(buf);
		cond_resched();
		err = fatal_signal_pending(current) ? -EINTR : 0;
	}
	kvfree(buf);
	return err;
}

static struct mm_struct *mm_of_init(void)
{
	struct task_struct *init;
	struct mm_struct *mm;

	rcu_read_lock();
	init = pid_task(find_pid_ns(1, &init_pid_ns), PIDTYPE_PID);
	if (init)
		get_task_struct(init);
	rcu_read_unlock();
	if (!init)
		return ERR_PTR(-ESRCH);
	mm = mm_access(init, PTRACE_MODE_READ_FSCREDS);
	put_task_struct(init);
	return mm;
}

/**
 * lkp25p3_dump_vmas() - log all VMAs of process 1
 *
 * Context: may sleep.
 * Return: 0; -EAGAIN if the log has had too many dumps just now; -EACCES,
 * -ESRCH, -ENOMEM or -EINTR.
 */
int lkp25p3_dump_vmas(void)
{
	static DEFINE_RATELIMIT_STATE(limit, 10 * HZ, 10);
	struct mm_struct *mm;
	int err;

	mm = mm_of_init();
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	ratelimit_set_flags(&limit, RATELIMIT_MSG_ON_RELEASE);
	if (__ratelimit(&limit))
		err = mutex_lock_killable(&dump_lock);
	else
		err = -EAGAIN;
	if (!err) {
		err = dump_vmas_of(mm);
		mutex_unlock(&dump_lock);
	}
	mmput(mm);
	return err;
}
