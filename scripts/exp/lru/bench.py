# SPDX-License-Identifier: GPL-2.0
"""What the policies cost: memory got, touched and given back; a loop that needs none, alone and beside many sleeping
processes; and what perf stat counts."""

import re

from records import POLICIES, fields

WORK = {"allocate": "got and touched first", "touch": "touched again", "free": "given back"}
PERF_EVENTS = ["page-faults", "major-faults", "instructions", "cycles"]
IDLE = [0, 200]
PERF = "perf stat -x, -e page-faults,major-faults,instructions,cycles"
HEADER = ["beside", "policy", *[f"{what}, ns/page" for what in WORK.values()], "faults", "of these major",
          "kswapd, % CPU", "harvester, % CPU"]
TICK_HEADER = ["sleeping processes", "policy", "a step of the loop, ns", "more than classic, %", "harvester, % CPU"]
PERF_HEADER = ["policy", *PERF_EVENTS, "instructions, of classic's"]
BESIDE = {0: "nothing", 1: "a load that takes all memory"}


def plan(policies, args):
    """One boot: all policies for each kind of work, one after the other."""
    mib, rounds, steps = (8, 3, 20) if args.quick else (32, 5, 100)
    lines = [f"swap {args.swap} {4 * args.mib}"]
    for load in BESIDE:
        lines += [f"run bench:{policy}:{load} {policy} memory bench mib={mib} rounds={rounds} load={load}"
                  for policy in policies if not (args.quick and load)]
    for idle in IDLE:
        lines += [f"run tick:{policy}:{idle} {policy} memory bench mib=1 rounds=3 idle={idle} compute={steps}"
                  for policy in policies]
    lines += [f"run perf:{policy}:0 {policy} memory {PERF} bench mib={mib} rounds={rounds}" for policy in policies]
    return lines


def perf_of(lines):
    """{event: count} of perf stat -x,; an event that the machine does not count is left out."""
    found = {}
    for line in lines:
        words = line.split(",")
        if len(words) > 3 and words[0].isdigit():
            found[re.sub(r":.*", "", words[2])] = int(words[0])
    return found


class Bench:
    """The figures of one machine: {(kind, policy, x): {name: value}}."""

    def __init__(self):
        self.found = {}

    def take(self, record):
        kind, policy, x = record.name.split(":")
        got = self.found.setdefault(f"{kind}:{policy}:{x}", {})
        if kind == "perf":
            got.update(perf_of(record.lines))
            return
        for line in (line for line in record.lines if line.startswith("bench work=")):
            work = fields(line)
            got[work["work"]] = float(work["ns_page"])
            for kind_of in ("minor", "major"):
                got[kind_of] = got.get(kind_of, 0) + int(work[kind_of])
        total = record.one("total")
        got.update({name: float(total[name]) for name in ("kswapd_pct", "klrud_pct")})

    def policies(self):
        found = {name.split(":")[1] for name in self.found}
        return [policy for policy in POLICIES if policy in found]

    def get(self, kind, policy, x):
        return self.found.get(f"{kind}:{policy}:{x}", {})

    def rows(self):
        made = []
        for load, beside in BESIDE.items():
            for policy in self.policies():
                got = self.get("bench", policy, load)
                if "allocate" in got:
                    made.append([beside, policy, *[f"{got[work]:.0f}" for work in WORK],
                                 got["minor"] + got["major"], got["major"],
                                 f"{got['kswapd_pct']:.1f}", f"{got['klrud_pct']:.2f}"])
        return made

    def more_than_classic(self, policy, idle):
        peer = self.get("tick", "classic", idle).get("compute")
        mine = self.get("tick", policy, idle).get("compute")
        return 100 * (mine / peer - 1) if peer and mine else None

    def tick_rows(self):
        made = []
        for idle in IDLE:
            for policy in self.policies():
                got = self.get("tick", policy, idle)
                if "compute" in got:
                    more = self.more_than_classic(policy, idle)
                    made.append([idle, policy, f"{got['compute']:.3f}", "-" if more is None else f"{more:+.3f}",
                                 f"{got['klrud_pct']:.2f}"])
        return made

    def perf_rows(self):
        peer = self.get("perf", "classic", 0).get("instructions")
        made = []
        for policy in self.policies():
            got = self.get("perf", policy, 0)
            if got:
                mine = got.get("instructions")
                made.append([policy, *[got.get(event, "not counted") for event in PERF_EVENTS],
                             f"{mine / peer:.4f}" if mine and peer else "-"])
        return made
