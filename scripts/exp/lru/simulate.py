# SPDX-License-Identifier: GPL-2.0
"""What guard gains and costs against LRU and CLOCK, simulated over many patterns and loads.

The policy is mm-lru/guard.c, compiled as it is; the memory is simulated. All
policies run the trace of the exact LRU, so that faults compare; --closed lets
each go as fast as it does. Patterns after "gauss" in pattern.h were held out
while it was made. The load is what is touched, % of the frames.
"""

import argparse
import math
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..")
MADE_WITH = ["rand", "zipf", "seq", "cyclic", "shift", "scanhot", "twoloop", "mix", "slide", "zigzag", "burst",
             "phase", "zdrift", "stream", "stack", "loopflip"]
HELD_OUT = ["gauss", "tree", "sweep", "matrix", "grow", "jump", "threeloop", "revisit"]


def parse(argv):
    made = argparse.ArgumentParser(prog="scripts/exp/lru/simulate", description=__doc__,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--patterns", default="all", help="names with commas, made, held-out or all")
    made.add_argument("--loads", default="110,130,150,200,300")
    made.add_argument("--periods", default="1,10", help="ticks of 10 ms between harvests")
    made.add_argument("--seeds", type=int, default=1)
    made.add_argument("--frames", type=int, default=36000)
    made.add_argument("--closed", action="store_true")
    made.add_argument("--no-opt", action="store_true")
    made.add_argument("--brief", action="store_true", help="the summary only")
    made.add_argument("--sim", default=None, metavar="FILE", help="a simulator that has been made already")
    made.add_argument("options", nargs="*", help="more for sim, such as batch=32")
    args = made.parse_args(argv)
    args.patterns = {"all": MADE_WITH + HELD_OUT, "made": MADE_WITH,
                     "held-out": HELD_OUT}.get(args.patterns) or args.patterns.split(",")
    return args


def compile_sim(out):
    """The simulator with the kernel's own guard.c."""
    mm = os.path.join(ROOT, "mm-lru")
    subprocess.run(["cc", "-O2", "-o", out, "-I", os.path.join(HERE, "shim"), "-I", mm,
                    os.path.join(HERE, "sim.c"), os.path.join(mm, "guard.c"), "-lm"], check=True)
    return out


def run(sim, args, pattern, load, period, seed):
    pages = args.frames * load // 300
    words = [sim, pattern, str(pages), str(args.frames), str(seed), f"period={period}",
             f"open={int(not args.closed)}", f"opt={int(not args.no_opt)}", *args.options]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return {fields["policy"]: {k: v if k in ("policy", "pattern") else float(v) for k, v in fields.items()}
            for fields in (dict(re.findall(r"(\S+)=(\S+)", line)) for line in text.splitlines())}


def row(pattern, load, period, got):
    guard, lru = got["guard"], got["lru"]
    opt = f"{got['opt']['miss']:.1f}" if "opt" in got else "-"
    return (f"| {pattern} {load} | {period * 10} | {opt} | {lru['miss']:.1f} | {got['clock']['miss']:.1f} | "
            f"{got['strict']['miss']:.1f} | {guard['miss']:.1f} | {lru['faults_1000']:.1f} -> {guard['faults_1000']:.1f} | "
            f"{100 * (guard['faults'] / max(lru['faults'], 1) - 1):+.1f} | {guard['window']:.2f} | {guard['trips']:.0f} |")


def summary(name, rows):
    """How much worse than the better of LRU and CLOCK, over all cases; what is next to nothing is left out."""
    worse, against = [], []
    for case, got in rows:
        best = min(got["lru"]["faults"], got["clock"]["faults"])
        if best >= 500:
            worse.append((got["guard"]["faults"] / best, case))
            against.append(got["guard"]["faults"] / max(got["lru"]["faults"], 1))
    if not worse:
        return
    mean = math.exp(sum(math.log(w) for w, _ in worse) / len(worse))
    lru = math.exp(sum(math.log(a) for a in against) / len(against))
    worst = ", ".join(f"{case} {100 * w - 100:+.1f}" for w, case in sorted(worse, reverse=True)[:5])
    print(f"{name}: {len(worse)} cases; faults, geometric mean, {100 * mean - 100:+.1f} % of the better of LRU and "
          f"CLOCK, {100 * lru - 100:+.1f} % of LRU; more than 3 % worse: "
          f"{sum(w > 1.03 for w, _ in worse)}, better by 3 %: {sum(w < 0.97 for w, _ in worse)}; worst: {worst}", flush=True)


def main(argv):
    args = parse(argv)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        sim = args.sim or compile_sim(os.path.join(scratch, "sim"))
        if not args.brief:
            print("| pattern, load % | period, ms | OPT | LRU | CLOCK | strict | guard miss % | "
                  "faults/1000 LRU -> guard | % | window | trips |\n" + "|---" * 11 + "|", flush=True)
        for period in (int(p) for p in args.periods.split(",")):
            for pattern in args.patterns:
                for load in (int(l) for l in args.loads.split(",")):
                    for seed in range(1, args.seeds + 1):
                        got = run(sim, args, pattern, load, period, seed)
                        rows.append((f"{pattern}{load}/{period}", got))
                        if not args.brief:
                            print(row(pattern, load, period, got), flush=True)
    named = {name: [r for r in rows if re.match(r"[a-z]+", r[0]).group() in names]
             for name, names in (("made with", MADE_WITH), ("held out", HELD_OUT))}
    for name, some in named.items():
        summary(name, some)


if __name__ == "__main__":
    main(sys.argv[1:])
