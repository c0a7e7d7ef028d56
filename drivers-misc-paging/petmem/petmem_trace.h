/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/petmem: tracepoints. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM petmem

#if !defined(_PETMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _PETMEM_TRACE_H

#include <linux/tracepoint.h>

#include "petmem_internal.h"

/* An allocation of addresses: bytes asked for, where (0: no room), result. */
TRACE_EVENT(petmem_alloc,

	TP_PROTO(struct petmem_map *map, u64 size, u64 addr, int ret),
	TP_ARGS(map, size, addr, ret),
	TP_STRUCT__entry(
		__field(void *, map)
		__field(u64, size)
		__field(u64, addr)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->size = size;
		__entry->addr = addr;
		__entry->ret = ret;
	),
	TP_printk("map=%p size=%llu addr=0x%llx ret=%d", __entry->map,
		  __entry->size, __entry->addr, __entry->ret)
);

/* A range was freed. */
TRACE_EVENT(petmem_free,

	TP_PROTO(struct petmem_map *map, unsigned long addr, int ret),
	TP_ARGS(map, addr, ret),
	TP_STRUCT__entry(
		__field(void *, map)
		__field(unsigned long, addr)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->addr = addr;
		__entry->ret = ret;
	),
	TP_printk("map=%p addr=0x%lx ret=%d", __entry->map, __entry->addr,
		  __entry->ret)
);

/* A page fault: its address, the code as in si_code, and what came of it. */
TRACE_EVENT(petmem_fault,

	TP_PROTO(struct petmem_map *map, unsigned long addr, u32 code, int ret),
	TP_ARGS(map, addr, code, ret),
	TP_STRUCT__entry(
		__field(void *, map)
		__field(unsigned long, addr)
		__field(u32, code)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->addr = addr;
		__entry->code = code;
		__entry->ret = ret;
	),
	TP_printk("map=%p addr=0x%lx code=%u ret=%d", __entry->map,
		  __entry->addr, __entry->code, __entry->ret)
);

/* A page table of the pool was installed, or taken out when it was empty. */
TRACE_EVENT(petmem_table,

	TP_PROTO(struct petmem_frame *frame, bool installed),
	TP_ARGS(frame, installed),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned long, addr)
		__field(bool, pmd)
		__field(bool, installed)
	),
	TP_fast_assign(
		__entry->pfn = petmem_frame_pfn(frame);
		__entry->addr = frame->addr;
		__entry->pmd = frame->use == PETMEM_PMD_TABLE;
		__entry->installed = installed;
	),
	TP_printk("%s %s table pfn=0x%lx addr=0x%lx",
		  __entry->installed ? "install" : "detach",
		  __entry->pmd ? "PMD" : "PTE", __entry->pfn, __entry->addr)
);

/* A page went to the swap file or came from it. */
TRACE_EVENT(petmem_swap,

	TP_PROTO(struct petmem_map *map, unsigned long addr, int slot, bool out,
		 int ret),
	TP_ARGS(map, addr, slot, out, ret),
	TP_STRUCT__entry(
		__field(void *, map)
		__field(unsigned long, addr)
		__field(int, slot)
		__field(bool, out)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->map = map;
		__entry->addr = addr;
		__entry->slot = slot;
		__entry->out = out;
		__entry->ret = ret;
	),
	TP_printk("map=%p addr=0x%lx slot=%d %s ret=%d", __entry->map,
		  __entry->addr, __entry->slot, __entry->out ? "out" : "in",
		  __entry->ret)
);

#endif /* _PETMEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE petmem_trace
#include <trace/define_trace.h>
