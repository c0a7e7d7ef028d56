/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/paging: tracepoints. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM paging

#if !defined(_PAGING_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PAGING_TRACE_H

#include <linux/tracepoint.h>

#include "paging_internal.h"

/* A call of mmap(): address and bytes, how it is filled, and its result. */
TRACE_EVENT(paging_map,

	TP_PROTO(struct vm_area_struct *vma, struct paging_tracker *tracker,
		 bool demand, int ret),
	TP_ARGS(vma, tracker, demand, ret),
	TP_STRUCT__entry(
		__field(void *, tracker)
		__field(unsigned long, start)
		__field(unsigned long, bytes)
		__field(bool, demand)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->tracker = tracker;
		__entry->start = vma->vm_start;
		__entry->bytes = vma->vm_end - vma->vm_start;
		__entry->demand = demand;
		__entry->ret = ret;
	),
	TP_printk("tracker=%p start=0x%lx bytes=%lu mode=%s ret=%d",
		  __entry->tracker, __entry->start, __entry->bytes,
		  __entry->demand ? "demand" : "prepage", __entry->ret)
);

/* A page fault: where, the page's index in the mapping, and its result. */
TRACE_EVENT(paging_fault,

	TP_PROTO(struct vm_fault *vmf, struct paging_tracker *tracker,
		 vm_fault_t ret),
	TP_ARGS(vmf, tracker, ret),
	TP_STRUCT__entry(
		__field(void *, tracker)
		__field(unsigned long, address)
		__field(unsigned long, index)
		__field(bool, write)
		__field(unsigned int, ret)
	),
	TP_fast_assign(
		__entry->tracker = tracker;
		__entry->address = vmf->real_address;
		__entry->index = vmf->pgoff - tracker->base;
		__entry->write = vmf->flags & FAULT_FLAG_WRITE;
		__entry->ret = (__force unsigned int)ret;
	),
	TP_printk("tracker=%p address=0x%lx index=%lu %s ret=0x%x",
		  __entry->tracker, __entry->address, __entry->index,
		  __entry->write ? "write" : "read", __entry->ret)
);

/* The last VMA of a mapping has gone; this many pages were let go with it. */
TRACE_EVENT(paging_release,

	TP_PROTO(struct paging_tracker *tracker, unsigned long pages),
	TP_ARGS(tracker, pages),
	TP_STRUCT__entry(
		__field(void *, tracker)
		__field(unsigned long, pages)
	),
	TP_fast_assign(
		__entry->tracker = tracker;
		__entry->pages = pages;
	),
	TP_printk("tracker=%p pages=%lu", __entry->tracker, __entry->pages)
);

#endif /* _PAGING_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE paging_trace
#include <trace/define_trace.h>
