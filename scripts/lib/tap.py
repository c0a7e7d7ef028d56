# SPDX-License-Identifier: GPL-2.0
"""Results from TAP as kselftests (nested after `# `) and KUnit (indented) print it."""

import re

RESULT = re.compile(r"((?:# |  )*)(ok|not ok) (\d+)(.*)")
PLAN = re.compile(r"((?:# |  )*)1\.\.(\d+)(?: *# *(?:SKIP|skip)\w*(.*))?$")
SKIP = re.compile(r"# *SKIP\w*:? *(.*)", re.I)


class Results:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []


class Level:
    """One list of results: those of a program, or of one nested in another."""

    def __init__(self):
        self.plan, self.seen, self.bad = None, 0, False


def parse(text):
    """The Results of the innermost tests; None if there is no TAP in the text.

    A test with others nested in it counts by those, and once more only if
    it failed and they did not. A list with fewer or more results than its
    plan says is a failure.
    """
    results, levels, found = Results(), {}, False
    for line in text.split("\n"):
        line = line.rstrip()
        plan, result = PLAN.match(line), RESULT.match(line)
        if plan:
            found = True
            depth = len(plan.group(1))
            if depth in levels and (levels[depth].plan is not None or not levels[depth].seen):
                close(levels.pop(depth), results, "a list of tests")
            levels.setdefault(depth, Level()).plan = int(plan.group(2))
            if plan.group(3) is not None:
                results.skipped.append(("all tests", plan.group(3).strip(" :")))
        elif result:
            found = True
            take(result, levels, results)
    for depth in sorted(levels, reverse=True):
        close(levels[depth], results, "the whole list")
    return results if found else None


def take(result, levels, results):
    depth, good, name = len(result.group(1)), result.group(2) == "ok", result.group(4).strip(" -")
    nested = [levels.pop(d) for d in sorted(levels, reverse=True) if d > depth]
    for level in nested:
        close(level, results, name)
    level = levels.setdefault(depth, Level())
    level.seen += 1
    level.bad |= not good
    skip = SKIP.search(name)
    if any(n.seen for n in nested):
        if not good and not any(n.bad for n in nested):
            results.failed.append(name)
    elif skip and good:
        results.skipped.append((name[:skip.start()].strip(" -"), skip.group(1) or "no reason given"))
    else:
        (results.passed if good else results.failed).append(name)


def close(level, results, name):
    if level.plan is not None and level.plan != level.seen:
        results.failed.append("%s: %d results, %d were planned" % (name, level.seen, level.plan))
        level.bad = True
