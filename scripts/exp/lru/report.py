# SPDX-License-Identifier: GPL-2.0
"""Fills the lab report, Documentation/lab-reports/lru_page_list.md, from the results of runs, and puts its graphs beside it.

results/lru is the experiment on a cortex-a72. The same on another core or with swap on a disk is in lru-a76,
lru-x86_64 and lru-disk, with other patterns in lru-patterns, with more of them in files in lru-file, with other parameters of a pattern in lru-with-..., such as
lru-with-zipf=80, and what there is before something is killed in lru-oom. What is not in results/ is taken from what the report told before, which is kept
in lru_page_list.results beside it; what was never run is said to be missing.
"""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import bench
import figures
import htmlreport
import kernels
import limits
import oom
import page
import results
from five import Case, FITS
from options import report_parser
from texttable import fill, markdown

MACHINES = {
    "lru": "cortex-a72: a fault sets the accessed flag",
    "lru-a76": "cortex-a76: the CPU sets it",
    "lru-x86_64": "x86_64: the CPU sets it, above the page tables too",
}
# Many other patterns, with a seed or more each; of these, pattern.h says, guard had not seen some while it was made.
PATTERNS = "lru-patterns"
# What the first run has in memory only.
FILES = "lru-file"
UNSEEN = ("gauss", "tree", "sweep", "revisit")
# For the eye: none of these is a difference between seeds only.
EQUAL = 0.005


def best(data, case, key, choose):
    """The policies with the best median, those that are as good included."""
    found = {policy: data.median(case, policy, key) for policy in data.policies}
    found = {policy: value for policy, value in found.items() if value is not None}
    top = choose(found.values())
    return top, [policy for policy, value in found.items() if abs(value - top) <= EQUAL * abs(top)]


def comparison(data):
    """A line for each case: who is best, and where the strict queue is."""
    lines = []
    for case in data.cases:
        fewest, who = best(data, case, "miss", min)
        most, fastest = best(data, case, "touches_s", max)
        mine, pace = data.median(case, "lru", "miss"), data.median(case, "lru", "touches_s")
        if mine is None or Case(case).load <= FITS:
            continue
        misses = "has the fewest misses" if who == ["lru"] else \
            f"misses {mine:.1f} %, the best ({', '.join(who)}) {fewest:.1f} %"
        speed = "does the most touches a second" if fastest == ["lru"] else \
            f"does {pace / most:.3f} of the touches a second of {', '.join(fastest)}"
        lines.append(f"* {Case(case).title()}: `lru` {misses}; it {speed}.")
    return "\n".join(lines) or "No case was run in which memory is short."


def peers_win(data):
    lost = []
    for case in data.cases:
        for peer in limits.PEERS:
            mine, its = data.median(case, "lru", "touches_s"), data.median(case, peer, "touches_s")
            if mine and its and mine < its * (1 - EQUAL):
                lost.append([Case(case).title(), peer, f"{mine / its:.3f}",
                             *[f"{data.median(case, policy, 'miss'):.2f}" for policy in ("lru", peer)]])
    if not lost:
        return "In no case did a peer do more touches a second than `lru`."
    return markdown(["case", "peer that does more", "touches/s of lru, of its", "misses of lru, %", "its, %"], lost)


def guard_table(data):
    """Each case in which memory is short: guard beside the strict queue and the better peer."""
    rows = []
    for case in data.cases:
        mine = {key: data.median(case, "guard", key) for key in ("faults_1000", "miss", "touches_s")}
        if None in mine.values() or Case(case).load <= FITS:
            continue
        known = [peer for peer in limits.PEERS if peer in data.policies]
        peers = {key: choose((data.median(case, peer, key) for peer in known), default=0)
                 for key, choose in (("faults_1000", min), ("miss", min), ("touches_s", max))}
        rows.append([Case(case).title(), number(mine["faults_1000"], "{:.1f}"),
                     number(data.median(case, "lru", "faults_1000"), "{:.1f}"), f"{peers['faults_1000']:.1f}",
                     *[f"{mine[key] / peers[key]:.3f}" if peers[key] else "-" for key in ("faults_1000", "touches_s")],
                     f"{mine['miss']:.2f}", f"{peers['miss']:.2f}"])
    return markdown(["case", "major faults of 1000 touches: guard", "lru", "better peer", "guard's, of the better peer's",
                     "touches/s, of the better peer's", "misses of guard, %", "better peer's, %"], rows) \
        if rows else "guard was not run."


def budget(data, first):
    """What the budget costs the strict queue: the same with more of it."""
    rows = []
    for case in data.cases if data else []:
        for policy in ("lru", *(name for name in data.policies if name.startswith("budget-"))):
            found = [data.median(case, policy, key) for key in
                     ("klrud_pct", "stat_reached_ms", "fidelity", "scan_steal", "miss", "touches_s")]
            if None not in found:
                rows.append([Case(case).title(), policy, *[text.format(value) for text, value in zip(
                    ("{:.2f}", "{:.0f}", "{:.1f}", "{:.2f}", "{:.2f}", "{:.0f}"), found)]])
    if not rows:
        return "What a larger budget would change was not measured."
    return kernel(data.conditions, first) + f"What a larger budget changes (`budget_pct`; with enough of it, the eighth of the eviction age is what is left); {seeds(data)}:\n\n" + markdown(
        ["case", "policy", "harvester, % CPU", "ms between harvests", "fidelity, %", "scan/steal", "miss, %", "touches/s"], rows)


def seeds(data):
    nr = data.conditions["seeds"]
    return f"{nr} seed, so a small difference is none" if str(nr) == "1" else f"medians of {nr} seeds"


def guard_limit(data, first):
    """What the budget costs guard: the same, harvested each 10 ms."""
    rows = []
    for case in data.cases:
        both = [[data.median(case, policy, key) for policy in ("guard", "guard-always")]
                for key in ("faults_1000", "miss", "stat_reached_ms", "klrud_pct", "touches_s")]
        if Case(case).load > FITS and None not in sum(both, []):
            rows.append([Case(case).title(), *[text.format(value) for text, pair in zip(
                ("{:.1f}", "{:.2f}", "{:.0f}", "{:.1f}", "{:.0f}"), both) for value in pair]])
    if not rows:
        return "What its budget costs it was not measured (`--policies` with guard-always does)."
    return kernel(data.conditions, first) + f"What limits it where it does not do better is seen by giving it all the time that it wants (`guard-always`); {seeds(data)}:\n\n" + markdown(
        ["case", *[f"{what}: {policy}" for what in ("major faults of 1000 touches", "misses, %", "ms between harvests",
                                                    "harvester, % CPU", "touches/s") for policy in ("guard", "guard-always")]],
        rows) + """

A gap is known to the time between two harvests, and a page that no harvest has seen since its last use looks as old as one that was
not used. So fewer misses in the columns of `guard-always` are what the budget costs; where they are not fewer, it is not what limits guard. The
price of a harvest each 10 ms is in the columns beside."""


def patterns(data, first):
    """How guard does on patterns that it was not made with, and on others."""
    if not data:
        return "Other patterns were not run."
    worse = [f"{Case(case).title()} ({value})" for name, _, case, value, *_, met in data.limits if name == "faults-guard" and not met]
    told = f"More faults than its limit of the better peer's: {'; '.join(worse)}." if worse else \
        "In none of these it has more faults than its limit of the better peer's."
    return f"""{kernel(data.conditions, first)}On other patterns (`pattern.h` says what each is; {seeds(data)}). {', '.join(f'`{name}`' for name in UNSEEN)} were not looked at while guard was made:

{guard_table(data)}

{told}"""


def arch_of(conditions):
    return conditions["where"].split(", ")[1]


def kernel(conditions, first, which="Of"):
    """A sentence if this, or @which, was not run on the kernel of the first run; images of two architectures say nothing of it."""
    if arch_of(conditions) != arch_of(first) or conditions["kernel image"] == first["kernel image"]:
        return ""
    return f"{which} another kernel than section 2: {conditions['kernel image']}, not {first['kernel image']}.\n\n"


def number(value, form):
    return "-" if value is None else form.format(value)


def hardware(found):
    rows = []
    others_of = set()
    for name, title in MACHINES.items():
        data = found[name]
        if not data:
            rows.append([title, *["not run"] * 8])
            continue
        others_of.add(f"`{name}` was run on {data.conditions['date']}." if arch_of(data.conditions) != arch_of(found["lru"].conditions)
                      else kernel(data.conditions, found["lru"].conditions, f"`{name}` is of"))
        fits = next((case for case in data.cases if Case(case).load <= FITS), None)
        full = "rand:200" if "rand:200" in data.cases else None
        def ratio(case, policy, key, data=data):
            mine, peer = data.median(case, policy, key), data.median(case, "classic", key)
            return mine / peer if mine is not None and peer else None
        rows.append([title, *[number(ratio(case, policy, "touches_s"), "{:.3f}")
                              for case in (fits, full) for policy in ("lru", "always")],
                     *[number(data.median(full, policy, "klrud_pct"), "{:.2f}") for policy in ("lru", "always")],
                     number(data.median(full, "lru", "fidelity"), "{:.1f}"),
                     number(data.bench.more_than_classic("lru", bench.IDLE[-1]), "{:+.3f} %")])
    table = markdown(["core", "fits: lru", "fits: always", "random 200 %: lru", "random 200 %: always",
                      "harvester, % CPU: lru", "always", "resident set is LRU's, %: lru", "loop beside sleepers: lru"], rows)
    return "\n\n".join([table, *(text.strip() for text in sorted(others_of - {""}))])


def others(found):
    """The tables of all but the first."""
    parts = []
    for name, data in found.items():
        if data and name not in ("lru", "lru-budget"):
            more = {PATTERNS: ", other patterns", FILES: ", more in files"}.get(name, "")
            more += f", {data.conditions['more for fiveproc']}" if name.startswith(results.VARIED) else ""
            parts.append(f"### {data.conditions['where']}, swap: {data.conditions['swap']}{more}\n\n"
                         f"{kernel(data.conditions, found['lru'].conditions)}{missed(data)}\n\n{markdown(page.HEADER, page.rows(data))}\n\n{guard_table(data)}")
    return "\n\n".join(parts) or "Nothing else was run for this report."


def parameters(found):
    """The patterns that were run with other parameters: a line for each, those of the first run included."""
    made = [data for name, data in found.items() if data and name.startswith(results.VARIED)]
    if not made:
        return "With other parameters nothing was run."
    policies = (*limits.PEERS, "lru", "guard")
    cases = {case for data in made for case in data.cases}
    rows, worse, elsewhere = [], [], []
    for data in [found["lru"], *made]:
        if kernel(data.conditions, found["lru"].conditions):
            elsewhere.append(data.conditions["more for fiveproc"] + f" ({data.conditions['kernel image']})")
        words = data.conditions["more for fiveproc"].removeprefix("none: ")
        for case in cases & set(data.cases):
            rows.append([Case(case).title(), words, data.conditions["seeds"],
                         *[number(data.median(case, policy, "miss"), "{:.1f}") for policy in policies],
                         *[number(data.median(case, "lru", key), "{:.1f}") for key in ("sim_lru", "sim_random")],
                         *[number(data.median(case, policy, "faults_1000"), "{:.0f}") for policy in policies]])
        worse += [f"{case} with {words} ({value} of the better peer's)" for name, _, case, value, *_, met in data.limits
                  if name == "faults-guard" and not met]
    table = markdown(["case", "parameters", "seeds", *[f"misses, %: {name}" for name in (*policies, "simulated LRU", "random victim")],
                      *[f"faults of 1000 touches: {policy}" for policy in policies]], sorted(rows))
    told = f"\n\nIn these, `guard` has more faults than its limit of the better peer's: {'; '.join(worse)}." if worse else ""
    told += f"\n\nOf another kernel than section 2: {'; '.join(elsewhere)}." if elsewhere else ""
    return f"What the parameters of a pattern change (in full in section 8):\n\n{table}{told}"


def missed(data):
    failed = "".join(f"\n\n**A boot failed, and is not in the tables:** {text.splitlines()[0]}" for text in data.failed)
    lines = [line for line in data.limits if not line[-1]]
    text = f"{len(data.limits) - len(lines)} of {len(data.limits)} lines of what it must show are met"
    return text + ("." if not lines else "; not met: " + "; ".join(
        f"{name}, {case}: {value} (limit {limit})" for name, _, case, value, limit, *_ in lines) + ".") + failed


def costs(data):
    if not data.bench.found:
        return "Not measured."
    return "\n\n".join([markdown(bench.HEADER, data.bench.rows()), markdown(bench.TICK_HEADER, data.bench.tick_rows()),
                        markdown(bench.PERF_HEADER, data.bench.perf_rows())])


def cost_text(data):
    """What a page costs under the queue, of what it costs under classic."""
    peer = data.bench.get("bench", "classic", 0)
    lines = []
    for policy in ("mglru", "lru", "guard"):
        mine = data.bench.get("bench", policy, 0)
        if peer and mine:
            lines.append(f"* `{policy}`: " + ", ".join(
                f"{what} {100 * (mine[work] / peer[work] - 1):+.1f} %" for work, what in bench.WORK.items()))
    return "With nothing to reclaim, time for a page compared with `classic`:\n\n" + "\n".join(lines) if lines else ""


def scan_text(data):
    cases = [case for case in data.cases if case.startswith("rand") and Case(case).load > FITS]
    return markdown(["case", *data.policies], [
        [Case(case).title(), *[number(data.median(case, policy, "scan_steal"), "{:.2f}") for policy in data.policies]]
        for case in cases]) if cases else "Not measured."


def oom_peers(data):
    """How the multi-gen LRU compares with classic, as what was reported of it is what this is about."""
    parts, early = [], False
    for peer in ("mglru", "mglru-ttl"):
        shares = [share for place in data.places() if (share := data.share(place, peer, ("classic",))) is not None]
        if shares:
            parts.append(f"`{peer}` reached {min(shares):.2f} to {max(shares):.2f} of what classic did")
            early |= peer == "mglru" and min(shares) < oom.LEAST
    reported = "" if early else "Without `min_ttl_ms`, what was reported of the multi-gen LRU is not reproduced by these. "
    return f"Of what is in the table, {' and '.join(parts)}. {reported}" if parts else ""


def oom_text(facts, first):
    if not facts:
        return "Not measured: `scripts/exp/lru/oom` does."
    data = oom.Data()
    data.found, data.conditions, data.failed = facts["found"], facts["conditions"], facts["failed"]
    complaints = data.complaints()
    said = oom_peers(data) + f"`lru` and `guard` reached as much as the better peer in each row, within {100 * (1 - oom.LEAST):.0f} %." if not complaints else \
        "Earlier than the better peer, or not as expected:\n\n" + "\n".join(f"* {text}" for text in complaints)
    missing = data.missing()
    said += f"\n\nNot run: {', '.join(missing)}." if missing else ""
    return f"{kernel(data.conditions, first)}{markdown(oom.HEADER, data.rows())}\n\n{said}\n\n![memory to be had](lru_page_list-oom.svg)"


def copy(where, name, target):
    """From the directory of a run, if it was made now and has it."""
    if where and os.path.exists(os.path.join(where, name)):
        shutil.copyfile(os.path.join(where, name), target)


def shown(out, name, title):
    return f"![{title}]({name})\n\n*{title}.*" if os.path.exists(os.path.join(out, name)) else ""


def graphs(data, out):
    """Drawn from what is kept; what is resident over time is not, so that stays as it is if the run is not a new one."""
    parts = []
    for key in figures.BARS:
        figures.bars(data, out, key, "lru_page_list-" + key, ["svg"])
        parts.append(shown(out, f"lru_page_list-{key}.svg", figures.BARS[key][0]))
    for case in ("rand:200", "shift:200"):
        name = "resident-" + case.replace(":", "-") + ".png"
        copy(data.where, name, os.path.join(out, "lru_page_list-" + name))
        parts.append(shown(out, "lru_page_list-" + name, "What is resident of the five processes: hot parts above, cold parts below"))
    return "\n\n".join(filter(None, parts))


def cost_graphs(data, out):
    for key in figures.COSTS:
        figures.cost_bars(data, out, key, "lru_page_list-" + key, ["svg"])
    return "\n\n".join(filter(None, (shown(out, f"lru_page_list-{key}.svg", figures.COSTS[key][0]) for key in figures.COSTS)))


def runs(found, found_oom):
    """When each was run, and on which kernel."""
    conditions = {name: data.conditions for name, data in found.items() if data}
    if found_oom:
        conditions[results.OOM] = found_oom["conditions"]
    return markdown(["run", "on", "date", "kernel image", "seeds"], [
        [f"`{name}`", made["where"].removeprefix("QEMU, ").partition(" (")[0], made["date"], made["kernel image"], made.get("seeds", "1")]
        for name, made in conditions.items()])


def limit_table(data):
    return markdown(limits.HEADER, [line[1:-1] for line in data.limits])


def values(found, found_oom, out):
    data = found["lru"]
    case = next((case for case in data.cases if Case(case).load > FITS), data.cases[0])
    return {
        "DATE": data.conditions["date"], "WHERE": data.conditions["where"],
        "QUICK": " **This was a quick run: nothing is settled in it.**" if data.quick else "",
        "POLICIES": markdown(["policy", "what it is"], page.policy_rows(data)),
        "MEANING": "\n".join(f"* {text}" for text in page.MEANING),
        "TABLE": markdown(page.HEADER, page.rows(data)), "GRAPHS": graphs(data, out),
        "COMPARISON": comparison(data), "PEERS": peers_win(data), "GUARD": guard_table(data),
        "PATTERNS": patterns(found[PATTERNS], data.conditions),
        "GUARD_LIMIT": guard_limit(found["lru-budget"] or data, data.conditions), "BUDGET": budget(found["lru-budget"], data.conditions), "LIMITS": limit_table(data), "MISSED": missed(data),
        "TOUCH_NS": number(data.median(case, "lru", "sim_touch_ns"), "{:.0f}"),
        "FAULT_NS": number(data.median(case, "lru", "sim_fault_ns"), "{:.0f}"), "EXAMPLE": Case(case).title(),
        "COSTS": costs(data), "COST_TEXT": cost_text(data), "COST_GRAPHS": cost_graphs(data, out), "SCAN": scan_text(data), "PARAMETERS": parameters(found),
        "HARDWARE": hardware(found), "OTHERS": others(found), "OOM": oom_text(found_oom, data.conditions),
        "RUNS": runs(found, found_oom), "CONDITIONS": markdown(["what", "value"], sorted(data.conditions.items())),
    }


def main():
    args = report_parser("lru/report", __doc__).parse_args(sys.argv[1:])
    kept = os.path.join(args.out, results.KEPT)
    found = {name: results.read_run(args.results, kept, name)
             for name in [*MACHINES, "lru-disk", "lru-budget", FILES, PATTERNS, *results.varied(args.results, kept)]}
    if not found["lru"]:
        raise kernels.Error(f"there are no results in {os.path.join(args.results, 'lru')}: run scripts/exp/lru/run")
    found_oom = results.read_oom(args.results, kept)
    os.makedirs(args.out, exist_ok=True)
    copy(os.path.join(args.results, results.OOM), "oom.svg", os.path.join(args.out, "lru_page_list-oom.svg"))
    path = os.path.join(args.out, "lru_page_list.md")
    fill(os.path.join(HERE, "lab-report.md.in"), values(found, found_oom, args.out), path)
    print(f"Written: {os.path.relpath(path)}, with its graphs beside it")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("report", main)
