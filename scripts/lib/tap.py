# SPDX-License-Identifier: GPL-2.0
"""Results from TAP as kselftests (nested after `# `) and KUnit (indented) print it."""

import re

RESULT = re.compile(r"((?:# |  )*)(ok|not ok) (\d+)(.*)")
PLAN = re.compile(r"((?:# |  )*)1\.\.(\d+)(?: *# *(?:SKIP|skip)\w*(.*))?$")
BAIL = re.compile(r"(?:# |  )*(Bail out!.*)")
SKIP = re.compile(r"# *SKIP\w*:? *(.*)", re.I)


class Results:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []


class Level:
    """One list of results: those of a program, or of one nested in another."""

    def __init__(self):
        self.plan, self.numbers, self.bad = None, [], False
        self.skip = None        # why the whole list was left out


def parse(text):
    """The Results of the innermost tests; None if there is no TAP in the text.

    A test with others nested in it counts by those, and once more only if
    it failed and they did not. A list whose results are not those that its
    plan says is a failure, and so is one that is empty for no reason.
    """
    results, levels, found = Results(), {}, False
    for line in text.split("\n"):
        line = line.rstrip()
        plan, result, bail = PLAN.match(line), RESULT.match(line), BAIL.match(line)
        if plan:
            found = True
            begin(plan, levels, results)
        elif result:
            found = True
            take(result, levels, results)
        elif bail:
            found = True
            results.failed.append(bail.group(1))
    for depth in sorted(levels, reverse=True):
        end(levels[depth], results, "the whole list")
    return results if found else None


def begin(plan, levels, results):
    depth = len(plan.group(1))
    if depth in levels and (levels[depth].plan is not None or not levels[depth].numbers):
        end(levels.pop(depth), results, "a list of tests")
    level = levels.setdefault(depth, Level())
    level.plan = int(plan.group(2))
    if plan.group(3) is not None:
        level.skip = plan.group(3).strip(" :")


def end(level, results, name):
    """A list that no result of an outer one stands for."""
    if level.skip is not None:
        results.skipped.append(("all tests", level.skip or "no reason given"))
    close(level, results, name)


def take(result, levels, results):
    depth, good, name = len(result.group(1)), result.group(2) == "ok", result.group(4).strip(" -")
    nested = [levels.pop(d) for d in sorted(levels, reverse=True) if d > depth]
    skip = SKIP.search(name)
    reason = skip.group(1) if skip else None
    if skip:
        name = name[:skip.start()].strip(" -")
    for level in nested:
        close(level, results, name)
        if level.skip is not None:
            reason = reason or level.skip
    level = levels.setdefault(depth, Level())
    level.numbers.append(int(result.group(3)))
    level.bad |= not good
    if any(n.numbers for n in nested):
        if not good and not any(n.bad for n in nested):
            results.failed.append(name)
    elif reason is not None and good:
        results.skipped.append((name, reason or "no reason given"))
    else:
        (results.passed if good else results.failed).append(name)


def close(level, results, name):
    """Hold a list against its plan."""
    if level.plan is None or level.skip is not None and not level.numbers:
        return
    if level.plan != len(level.numbers):
        why = "%d results, %d were planned" % (len(level.numbers), level.plan)
    elif not level.plan:
        why = "no tests in it"
    elif sorted(level.numbers) != list(range(1, level.plan + 1)):
        why = "some results came twice, others not at all"
    else:
        return
    results.failed.append("%s: %s" % (name, why))
    level.bad = True
