# SPDX-License-Identifier: GPL-2.0
"""The experiment of lru_page_list: fiveproc under each policy, in an emulated machine.

Guest time is an instruction count (-icount), so that figures repeat; they are
ratios between policies on the same emulated machine, not times of a Pi.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "lib"), HERE]

# pylint: disable=wrong-import-position
import kernels
import simulate

GUEST = os.path.join(kernels.ROOT, "scripts", "guest")
# Pattern and what is touched, % of the memory available at the start.
CASES = [("rand", 60), ("rand", 120), ("zipf", 120), ("shift", 120), ("seq", 120), ("cyclic", 110)]
POLICIES = ["classic", "mglru", "lru", "always", "guard"]
WORK = ["allocate", "touch", "free", "compute"]
SHOWN = ["touches_s", "miss", "scan_steal", "fidelity", "klrud_pct", "frames"]


def parse(argv):
    made = argparse.ArgumentParser(prog="scripts/exp/lru/run", description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--kernel", metavar="DIR", default=kernels.variant_dir("arm64"))
    made.add_argument("--arch", default="arm64")
    made.add_argument("--cpu", default=None)
    made.add_argument("--mem", default="256M")
    made.add_argument("--seeds", type=int, default=3)
    made.add_argument("--ms", type=int, default=16000, help="length of a run, virtual ms")
    made.add_argument("--cases", default=None, help="such as rand:120,zipf:120")
    made.add_argument("--policies", default=",".join(POLICIES))
    made.add_argument("--bench", action="store_true", help="bench instead of fiveproc: the costs of memory")
    made.add_argument("--oom", action="store_true", help="oom_load instead: how much memory there is to be had")
    made.add_argument("--swap", choices=["zram", "disk", "no"], default="zram")
    made.add_argument("--out", default=None, metavar="FILE", help="all lines of all runs")
    made.add_argument("options", nargs="*", help="more for fiveproc, such as zipf=80")
    args = made.parse_args(argv)
    args.cases = [(c.split(":")[0], int(c.split(":")[1])) for c in args.cases.split(",")] if args.cases else CASES
    return args


def guest(args, program, policy, words):
    command = [GUEST, "--arch", args.arch, "--kernel", args.kernel, "--mem", args.mem, "--icount",
               "--timeout", "1500", "--add", os.path.join(HERE, "measure.sh"),
               "--add", os.path.join(args.kernel, "selftests", "lru_page_list", program)]
    if args.cpu:
        command += ["--cpu", args.cpu]
    if args.swap == "disk":
        command += ["--disk", "512M"]
    done = subprocess.run(command + ["--", "sh", "/measure.sh", args.swap, program, policy, *words],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise kernels.Error(f"{policy} {' '.join(words)}: status {done.returncode}\n{done.stdout[-800:]}{done.stderr[-800:]}")
    return done.stdout


def fields(text, start):
    for line in text.splitlines():
        if line.startswith(start + " "):
            return dict(re.findall(r"(\S+?)=(\S+)", line))
    return {}


def simulated(sim, text, row):
    """What sim makes of the run with the guest's pages and frames."""
    pages = fields("x " + text.splitlines()[0], "x")["pages"]
    done = subprocess.run([sim, row["pattern"], pages, row["frames"], row["seed"]],
                          capture_output=True, text=True, check=False)
    return {m[0]: float(m[1]) for m in re.findall(r"policy=(\S+) .*? miss=(\S+)", done.stdout)}


def one(args, sim, policy, pattern, load, seed, log):
    words = [f"pattern={pattern}", f"load={load}", f"seed={seed}", f"ms={args.ms}", *args.options]
    if policy in ("lru", "always"):
        words.append("order=1")
    text = guest(args, "fiveproc", policy, words)
    log.write(f"# {policy} {' '.join(words)}\n{text}")
    log.flush()
    row = fields(text, "result")
    if row.get("bad") != "0":
        raise kernels.Error(f"{policy} {' '.join(words)}: wrong contents\n{text[-600:]}")
    row.update(fields(text, "order"))
    row.update({"sim_" + k: v for k, v in simulated(sim, text, row).items()})
    return row


def bench(args, log):
    """What getting, touching and giving back memory costs, without and with reclaim."""
    print("| load | policy | " + " | ".join(f"{work} ns/page" for work in WORK) + " | faults | kswapd % | klrud % |\n" +
          "|" + "---|" * (len(WORK) + 5), flush=True)
    for load in (0, 1):
        for policy in args.policies.split(","):
            text = guest(args, "bench", policy, [f"load={load}", "mib=32", *args.options])
            log.write(f"# bench {policy} load={load}\n{text}")
            rows = {work: fields(text, f"bench work={work}") for work in WORK}
            ran = fields(text, "bench policy=" + ("lru" if policy in ("always", "guard") else policy))
            faults = sum(int(row["minor"]) + int(row["major"]) for row in rows.values())
            print(f"| {load} | {policy} | " + " | ".join(rows[work]["ns_page"] for work in WORK) +
                  f" | {faults} | {ran['kswapd_pct']} | {ran['klrud_pct']} |", flush=True)


def oom(args, log):
    """A load that grows until something is killed, beside a hot file and hot memory."""
    keys = ["reached_mib", "ms", "oom_kill", "allocstall", "swapped_mib"]
    print("| memory | swap | policy | " + " | ".join(keys) + " |\n|" + "---|" * (len(keys) + 3), flush=True)
    for policy in args.policies.split(","):
        text = guest(args, "oom_load", policy, args.options)
        log.write(f"# oom {args.mem} {args.swap} {policy}\n{text}")
        row = fields(text, "oom")
        print(f"| {args.mem} | {args.swap} | {policy} | " + " | ".join(row[key] for key in keys) + " |", flush=True)


def median(rows, key):
    values = [float(row[key]) for row in rows if key in row]
    return f"{statistics.median(values):.2f}" if values else "-"


def main(argv):
    args = parse(argv)
    keys = SHOWN + ["apart_60ms", "sim_lru", "sim_guard", "sim_opt", "sim_random"]
    with tempfile.TemporaryDirectory() as scratch, open(args.out or os.devnull, "a") as log:
        if args.bench or args.oom:
            (bench if args.bench else oom)(args, log)
            return
        sim = simulate.compile_sim(os.path.join(scratch, "sim"))
        print("| case | policy | " + " | ".join(keys) + " |\n|" + "---|" * (len(keys) + 2), flush=True)
        for pattern, load in args.cases:
            for policy in args.policies.split(","):
                rows = [one(args, sim, policy, pattern, load, seed + 1, log) for seed in range(args.seeds)]
                print(f"| {pattern}:{load} | {policy} | " +
                      " | ".join(median(rows, key) for key in keys) + " |", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except kernels.Error as error:
        sys.exit(f"run: {error}")
