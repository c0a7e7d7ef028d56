# SPDX-License-Identifier: GPL-2.0
"""How much memory there is to be had under each policy before something is killed.

A process grows until the OOM killer ends it, beside others that the killer is told to spare. Two loads: "mapped",
beside a hot mapped file and hot memory; "copy", beside those and a process that copies files without end, so that
all free memory is page cache and some of it has to be written. The latter is the kind of load of
raspberrypi/linux#5395, where the multi-gen LRU let something be killed early on a Pi 4. All policies
of a size and a kind of swap run in one boot.
"""

import csv
import datetime
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import figures
import htmlreport
import kernels
import plot
import records
from guest_machine import megabytes
from options import Parser, number
from texttable import show

POLICIES = ["classic", "mglru", "mglru-ttl", "lru", "guard"]
SIZES = ["256M", "512M", "1G"]
SWAPS = ["zram", "disk", "no"]
LOADS = ["mapped", "copy"]
KEYS = ["available_mib", "reached_mib", "ms", "oom_kill", "signal", "allocstall", "swapped_mib"]
HEADER = ["memory", "swap", "load", "policy", "free at first, MiB", "reached, MiB", "of classic's", "after, ms", "killed by the OOM killer",
          "direct reclaims", "swapped out, MiB"]
PEERS = ("classic", "mglru")
# Reached, of the better peer's: less than that is earlier.
LEAST = 0.97


def parse(argv):
    made = Parser("lru/oom", __doc__)
    made.add_argument("--kernel", metavar="DIR", help="directory of the kernel (default build/ARCH)")
    made.add_argument("--arch", choices=["arm64", "x86_64"], default="arm64")
    made.add_argument("--cpu", metavar="C", help="CPU model (default cortex-a72, x86_64: max)")
    made.add_argument("--mem", metavar="LIST", help="memory of the guests (default 256M,512M,1G)")
    made.add_argument("--swap", metavar="LIST", help="zram, disk, no (default all)")
    made.add_argument("--loads", metavar="LIST", default=",".join(LOADS), help="mapped, copy (default both)")
    made.add_argument("--policies", metavar="LIST", default=",".join(POLICIES),
                      help="mglru-ttl is mglru with min_ttl_ms=1000, with which it would rather kill than take what was used in the last second")
    made.add_argument("--shift", type=number(0, 10), default=1, metavar="N", help="an instruction takes 2^N ns (default 1)")
    made.add_argument("--jobs", type=number(1, 64), default=1, metavar="N", help="guests side by side (default 1)")
    made.add_argument("--timeout", type=number(10, 86400), default=7200, metavar="S", help="of a guest (default 7200)")
    made.add_argument("--quick", action="store_true", help="128 MB without swap, classic and lru")
    made.add_argument("--check", action="store_true", help=f"fail if lru or guard reach less than {LEAST} of the better of classic and mglru")
    made.add_argument("--programs", metavar="DIR", help="take oom_load from here (default: the kernel's)")
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "results", "lru-oom"))
    args = made.parse_args(argv)
    args.sizes = (args.mem or ("128M" if args.quick else ",".join(SIZES))).split(",")
    args.swaps = (args.swap or ("no" if args.quick else ",".join(SWAPS))).split(",")
    args.loads = args.loads.split(",")
    args.policies = ["classic", "lru"] if args.quick else args.policies.split(",")
    for names, known in ((args.swaps, SWAPS), (args.loads, LOADS), (args.policies, POLICIES + ["always"])):
        if not set(names) <= set(known):
            raise kernels.Error(f"{', '.join(names)}: {', '.join(known)} are known; see --help", 2)
    for size in args.sizes:
        megabytes("--mem", size)
    args.kernel = args.kernel or kernels.variant_dir(args.arch)
    args.cpu = args.cpu or {"arm64": "cortex-a72", "x86_64": "max"}[args.arch]
    return args


def words_of(load, mib):
    words = [f"file_mib={mib // 8}", f"hot_mib={mib // 16}", f"step_kib={max(mib, 128)}", "pause_ms=2"]
    return words + ([f"copy_mib={2 * mib}"] if load == "copy" else [])


def plan(args, mib, swap):
    """Swap as large as memory: there is an end to it."""
    return [f"swap {swap} {mib}"] + [
        f"run {load}:{policy} {policy} memory oom_load {' '.join(words_of(load, mib))}"
        for load in args.loads for policy in args.policies]


class Data:
    def __init__(self):
        self.found, self.conditions, self.refused, self.failed = {}, {}, set(), []

    def take(self, size, swap, record):
        load, policy = record.name.split(":")
        if record.status:
            raise kernels.Error(f"{size}, {swap}, {record.name}: oom_load ended with {record.status}\n{record.ending()}")
        row = {**record.one("start"), **record.one("oom")}
        self.found[f"{size} {swap} {load} {policy}"] = {key: float(row[key]) for key in KEYS}

    def get(self, *where):
        return self.found.get(" ".join(where))

    def places(self):
        return list(dict.fromkeys(tuple(name.split()[:3]) for name in self.found))

    def missing(self):
        """Of all sizes, kinds of swap and loads, those that were not run, or not under each policy."""
        made = []
        for place in ((size, swap, load) for size in SIZES for swap in SWAPS for load in LOADS):
            policies = [policy for policy in POLICIES if not self.get(*place, policy)]
            if policies:
                made.append(" ".join(place) + ("" if policies == POLICIES else f" with {', '.join(policies)}"))
        return made

    def policies(self):
        return sorted({name.split()[3] for name in self.found}, key=(POLICIES + ["always"]).index)

    def share(self, place, policy, peers):
        """Of what the best of these reached; None if one of both is missing."""
        best = max((self.get(*place, peer)["reached_mib"] for peer in peers if self.get(*place, peer)), default=0)
        mine = self.get(*place, policy)
        return mine["reached_mib"] / best if mine and best else None

    def rows(self):
        made = []
        for place in self.places():
            for policy in self.policies():
                row = self.get(*place, policy)
                if row:
                    share = self.share(place, policy, ("classic",))
                    made.append([*place, policy, f"{row['available_mib']:.0f}", f"{row['reached_mib']:.0f}",
                                 "-" if share is None else f"{share:.3f}", f"{row['ms']:.0f}",
                                 "yes" if row["oom_kill"] else f"no (signal {row['signal']:.0f})",
                                 f"{row['allocstall']:.0f}", f"{row['swapped_mib']:.0f}"])
        return made

    def complaints(self):
        """Sentences."""
        made = list(self.failed)
        for place in self.places():
            for policy in ("lru", "always", "guard"):
                share = self.share(place, policy, PEERS)
                if share is not None and share < LEAST:
                    made.append(f"{', '.join(place)}: {policy} reached {share:.3f} of what the better peer did; the least is {LEAST}")
        made += [f"{name}: it was not the OOM killer that ended it" for name, row in self.found.items() if not row["oom_kill"]]
        return made


def boot_all(args, size, swap):
    """A boot with all loads and policies of a size of memory and a kind of swap."""
    mib = megabytes("--mem", size)
    programs = [os.path.join(args.programs, "oom_load")] if args.programs else records.programs(args.kernel, "oom_load")
    where = records.guest(args, disk=f"{mib}M" if swap == "disk" else None, mem=size)
    return records.measure(where, programs, plan(args, mib, swap),
                           lambda record: print(f"{size}, {swap}: {record.name}", file=sys.stderr, flush=True))


def measure(args):
    data = Data()
    work = [(args, size, swap) for size in args.sizes for swap in args.swaps]
    for (_, size, swap), boot in records.side_by_side(args.jobs, boot_all, work):
        try:
            if isinstance(boot, kernels.Error):
                raise boot
            for record in boot.records:
                data.take(size, swap, record)
        except kernels.Error as error:
            data.failed.append(f"{size}, {swap}: the boot failed: {error}")
            continue
        data.conditions.update(boot.conditions)
        data.refused |= boot.refused
    if not data.found:
        raise kernels.Error(data.failed[0])
    for name in ("MemTotal", "MemAvailable"):
        data.conditions.pop(name, None)
    data.conditions.update({
        "where": f"QEMU, {args.arch}, {args.cpu} (an emulator: not the timing of any board)",
        "time": f"-icount, an instruction takes {2 ** args.shift} ns, one CPU",
        "date": datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
        "kernel image": records.image(args), "swap": "as large as memory", "what grows": "half of each page does not compress",
        "quick": "yes" if args.quick else "no", "refused": ", ".join(sorted(data.refused)) or "nothing"})
    return data


def draw(data, out):
    places = data.places()
    series = [(policy, [(value["reached_mib"],) * 3 if (value := data.get(*place, policy)) else None for place in places])
              for policy in data.policies()]
    plot.draw(out, "oom", lambda kind, path: figures.bars_script(
        "Memory to be had before the OOM killer comes", "MiB reached", [" ".join(place) for place in places], series, kind, path),
        figures.KINDS)


def write(data, out):
    with open(os.path.join(out, "data.csv"), "w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["memory", "swap", "load", "policy", "measure", "value"])
        writer.writerows([*name.split(), key, f"{value:g}"] for name, row in data.found.items() for key, value in row.items())
    with open(os.path.join(out, "facts.json"), "w") as text:
        json.dump({"found": data.found, "failed": data.failed, "conditions": data.conditions}, text, indent=1, sort_keys=True)
        text.write("\n")
    draw(data, out)
    page = htmlreport.Page("lru_page_list: how much memory there is before something is killed",
                           f"{data.conditions['where']} \u00b7 {data.conditions['date']}")
    page.text("All of this ran under an emulator; what counts here are megabytes, which do not depend on its speed much.", "note")
    page.code(__doc__.strip())
    page.table(HEADER, data.rows(), text_columns=4, groups=True)
    for text in data.complaints():
        page.text(text, "note")
    page.figure(os.path.join(out, "oom.png"), "oom.png, oom.svg, oom.pdf")
    page.heading("Conditions")
    page.table(["what", "value"], sorted(data.conditions.items()), text_columns=2)
    page.write(os.path.join(out, "index.html"))


def main():
    args = parse(sys.argv[1:])
    plot.check()
    with htmlreport.directory(args.out) as out:
        data = measure(args)
        write(data, out)
    show(data.conditions["where"], HEADER, data.rows())
    print(f"\nReport: {os.path.join(os.path.relpath(args.out), 'index.html')}")
    for text in data.complaints():
        print(f"oom: {text}", file=sys.stderr)
    return 1 if data.failed or args.check and data.complaints() else 0


if __name__ == "__main__":
    htmlreport.run_main("oom", main)
