# SPDX-License-Identifier: GPL-2.0
"""Fills the project's report, Documentation/lab-reports/petmem.md, from the results of runs."""

import csv
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]

# pylint: disable=wrong-import-position
import cost
import htmlreport
import kernels
import page
from options import report_parser
from run import Data, FRAG
from texttable import fill, markdown


def parse(argv):
    made = report_parser("petmem/report", __doc__, "petmem")
    made.add_argument("--tested", metavar="KERNEL", action="append", default=[],
                      help="run the kselftests on this kernel for the report (may be repeated)")
    return made.parse_args(argv)


def load(results):
    """What run.py has measured."""
    data = Data()
    try:
        with open(os.path.join(results, "facts.json")) as text:
            facts = json.load(text)
    except FileNotFoundError:
        raise kernels.Error(f"there are no results in {results}: run scripts/exp/petmem/run") from None
    data.conditions, data.cost = facts["conditions"], facts["cost"]
    steps = {}
    with open(os.path.join(results, "data.csv"), newline="") as text:
        for row in csv.DictReader(text):
            if row["experiment"] == "fragmentation":
                key = (row["setting"], int(row["run"]))
                line = steps.setdefault(key, {}).setdefault(int(row["x"]), {"step": int(row["x"])})
                line[row["measure"]] = int(row["value"])
            elif row["experiment"] == "replacement":
                key = (row["setting"], row["pattern"], int(row["x"]))
                data.swap.setdefault(key, {})[row["measure"]] = int(row["value"])
    data.frag = {key: [lines[step] for step in sorted(lines)] for key, lines in steps.items()}
    assert all(name in line for lines in data.frag.values() for line in lines for name in FRAG)
    return data


def tested(kernel):
    """One line for each test program: what passed."""
    done = subprocess.run([os.path.join(kernels.ROOT, "scripts", "kselftest"), kernel, "petmem"],
                          capture_output=True, text=True, check=False)
    rows, totals = [], "-"
    for line in done.stdout.splitlines():
        found = re.search(r"Totals: pass:(\d+) fail:(\d+).*skip:(\d+)", line)
        if found:
            totals = "{} passed, {} failed, {} skipped".format(*found.groups())
        found = re.match(r"(ok|not ok) \d+ selftests: petmem: (\S+)(.*)", line)
        if found:
            rows.append([kernel, found.group(2), found.group(1), totals if totals != "-" else found.group(3) or "-"])
            totals = "-"
    if not rows:
        raise kernels.Error(f"no selftest ran on {kernel}: {done.stderr.strip()}")
    return rows


def state(names):
    if not names:
        return "The kselftests were not run for this report: `scripts/kselftest arm64 petmem` does."
    return "The kselftests, in guests:\n\n" + markdown(["kernel", "program", "result", "tests"],
                                                      [row for name in names for row in tested(name)])


def costs(data):
    return "\n\n".join(f"`{variant}`:\n\n" + markdown(cost.HEADER, cost.rows_of(found)[0])
                       for variant, found in sorted(data.cost.items()))


def main():
    args = parse(sys.argv[1:])
    data = load(args.results)
    found = {
        "DATE": data.conditions["date"], "WHERE": data.conditions["where"],
        "QUICK": " This was a quick run." if data.conditions["quick"] != "no" else "",
        "STATE": state(args.tested), "COST": costs(data),
        "FRAG": markdown(page.FRAG_HEADER, page.frag_rows(data)), "SWAP": markdown(*page.swap_rows(data)),
        "CONDITIONS": markdown(["what", "value"], sorted(data.conditions.items())),
    }
    path = os.path.join(args.out, "petmem.md")
    fill(os.path.join(HERE, "lab-report.md.in"), found, path)
    print(f"Written: {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    htmlreport.run_main("report", main)
