# SPDX-License-Identifier: GPL-2.0
"""What the guest told: layouts of memory and latencies."""

import kernels

# name: (what it is in a table, in which CDF it is shown)
WAYS = {
    "fopen": ("pagemap: fopen, fseek, fread, fclose for each", "pagemap"),
    "open": ("pagemap: open, pread, close for each", "pagemap"),
    "pread": ("pagemap: pread for each, kept open", "pagemap"),
    "pread_batch": ("pagemap: pread of 512 entries", "pagemap"),
    "pagemap_scan": ("PAGEMAP_SCAN of 512 pages (tells no frames)", None),
    "write": ("/proc/lkp25p3: one write, with the line in the log", None),
    "range": ("/proc/lkp25p3: 512 consecutive pages in a call", "kernel"),
    "batch": ("/proc/lkp25p3: 512 addresses in a call, in any order", "kernel"),
    "batch_lock_each": ("the same, mmap_lock taken for each", None),
    "batch_lockless": ("the same, without locks", None),
    "kernel_locked": ("the walk alone, mmap_lock taken for it", "kernel"),
    "kernel_lockless": ("the walk alone, without locks", "kernel"),
}
SCHEMES = {"4k": "malloc(4 KiB), over and over", "2m": "malloc(2 MiB), over and over", "calloc": "one calloc"}


def pairs(text):
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


class Layout:
    """Of one scheme: runs are (VA, PA, pages), by VA."""

    def __init__(self, scheme):
        self.scheme = scheme
        self.runs, self.facts = [], {}

    def take(self, kind, rest):
        if kind == "run":
            va, pa, pages = rest.split()
            self.runs.append((int(va, 16), int(pa, 16), int(pages)))
        elif kind in ("allocated", "layout", "order"):
            self.facts.update(pairs(rest))

    def number(self, name):
        return int(self.facts[name])

    def check(self, wanted_bytes):
        if "pages" not in self.facts:
            raise kernels.Error(f"memalloc {self.scheme} did not end well")
        if self.number("bytes") != wanted_bytes or self.number("present") != self.number("pages") \
                or self.number("zero") or sum(run[2] for run in self.runs) != self.number("pages"):
            raise kernels.Error(f"memalloc {self.scheme}: not all pages are there: {self.facts}")

    def steps(self):
        """How often the next run is above, and below, in physical memory; gaps in VA left out."""
        page = self.number("page_bytes")
        up = down = back_to_back = 0
        for (va, pa, pages), (next_va, next_pa, next_pages) in zip(self.runs, self.runs[1:]):
            if va + pages * page != next_va:
                continue
            up += next_pa > pa
            down += next_pa < pa
            back_to_back += next_pa + next_pages * page == pa
        return up, down, back_to_back

    def write_runs(self, path):
        with open(path, "w") as out:
            out.write("va,pa,pages\n")
            out.writelines(f"{va:#x},{pa:#x},{pages}\n" for va, pa, pages in self.runs)

    def write_pages(self, out):
        page = self.number("page_bytes")
        for va, pa, pages in self.runs:
            for i in range(pages):
                out.write(f"VA: {va + i * page:#x} -> PA: {pa + i * page:#x}\n")


class Latency:
    """Of each way: the mean, and how many translations took how long."""

    def __init__(self, name):
        self.name = name
        self.clock, self.same = None, 0
        self.means, self.values, self.pages = {}, {}, 0

    def take(self, kind, rest):
        if kind == "clock":
            self.clock = float(rest)
        elif kind == "way":
            name, *_ = rest.split()
            self.means[name] = float(pairs(rest)["mean"])
            self.pages = int(pairs(rest)["pages"])
        elif kind == "value":
            name, ns, count = rest.split()
            self.values.setdefault(name, []).append((int(ns), int(count)))
        elif kind == "same":
            self.same = int(rest)

    def check(self):
        if set(self.means) != set(WAYS) or self.same != self.pages:
            raise kernels.Error(f"latency: {len(self.means)} of {len(WAYS)} ways, {self.same} addresses compared")

    def percentile(self, name, percent):
        wanted = percent / 100 * sum(count for _, count in self.values[name])
        for ns, count in self.values[name]:
            wanted -= count
            if wanted <= 0:
                return ns
        return self.values[name][-1][0]

    def write(self, path, names):
        with open(path, "w") as out:
            out.write("way,ns,translations\n")
            out.writelines(f"{name},{ns},{count}\n" for name in names for ns, count in self.values[name])


class Data:
    def __init__(self):
        self.layouts, self.latencies = {}, {}
        self.dump, self.maps = [], []
        self.conditions = {}

    def take(self, lines, name, progress):
        """All lines of one boot; name tells the machine of its latencies."""
        now, ended = None, False
        conditions = self.conditions.setdefault(name, {})
        for line in lines:
            kind, _, rest = line.partition(" ")
            if kind == "cond":
                key, _, value = rest.partition(" ")
                conditions[key.replace("_", " ")] = value
            elif kind == "begin":
                what, _, argument = rest.partition(" ")
                progress(rest)
                if what == "layout":
                    now = self.layouts[argument] = Layout(argument)
                elif what == "latency":
                    now = self.latencies[name] = Latency(name)
            elif kind == "fail":
                raise kernels.Error(f"the experiment stopped: {rest}")
            elif kind == "dump":
                self.dump.append(rest)
            elif kind == "maps":
                self.maps.append(rest)
            elif kind == "end":
                ended = True
            elif now:
                now.take(kind, rest)
        if not ended:
            raise kernels.Error("the guest ended early")
