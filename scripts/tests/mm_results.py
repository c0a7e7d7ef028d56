# SPDX-License-Identifier: GPL-2.0
"""What came of a test of mm, in a form that two kernels can be compared by."""

import re

import guest_faults
from mm_side import DOWN, STUCK, TIMEOUT

SKIPPED = 4
# Results within a program: TAP, and what khugepaged and the tests of userfaultfd print.
TAP = re.compile(r"\s*(ok|not ok) \d+ *-? *(.*)")
SKIP = re.compile(r"# *SKIP", re.I)
CASE = re.compile(r"(?:Run test:|# \[RUN\]) (.*)")
STEP = re.compile(r"(\S.*?)\.{3,}.*?\b(OK|Fail|Skip|done|failed|skipped)\b")
WORDS = {"ok": "ok", "OK": "ok", "done": "ok", "not ok": "not ok", "Fail": "not ok", "failed": "not ok",
         "Skip": "skip", "skipped": "skip"}
# In names: what may be another number in each run. Sizes of pages stay.
NUMBER = re.compile(r"0x[0-9a-f]+|\b\d+(?=MB\b|\b)(?! ?kB)")
COLOUR = re.compile(r"\x1b\[\d*m")
TOLD = {TIMEOUT: "timeout", STUCK: "the guest hung", DOWN: "the guest went down"}


def parts(lines):
    """{name: ok, not ok or skip} of what a program tells of its parts; the same name again gets a number."""
    found, case = {}, ""
    for line in lines:
        line = COLOUR.sub("", line)
        tap, step = TAP.match(line), STEP.match(line)
        named = CASE.match(line)
        case = named.group(1) + ": " if named else case
        if tap:
            skip = SKIP.search(tap.group(2))
            name = case + (tap.group(2)[:skip.start()] if skip else tap.group(2))
            result = "skip" if skip else tap.group(1)
        elif step:
            name, result = case + step.group(1), WORDS[step.group(2)]
        else:
            continue
        name = NUMBER.sub("N", name.strip())
        again = sum(other == name or other.startswith(name + " (again") for other in found)
        found[f"{name} (again {again})" if again else name] = result
    return found


class Result:
    """Equal to that of another run if it went the same way in all of its parts."""

    def __init__(self, test):
        self.test = test
        self.unfinished = test.status in TOLD
        self.parts = parts(test.lines)
        self.faults = guest_faults.find(test.kernel)

    def verdict(self):
        status = self.test.status
        if self.unfinished:
            text = TOLD[status]
        elif status == 0:
            text = "pass"
        elif status == SKIPPED:
            text = "skip"
        else:
            text = f"signal {status - 128}" if status > 128 else f"fail {status}"
        return text + (", the kernel complained" if self.faults else "")

    def key(self):
        return self.verdict(), () if self.unfinished else tuple(sorted(self.parts.items()))

    def counts(self):
        """As "12 ok, 1 not ok"."""
        values = list(self.parts.values())
        return ", ".join(f"{values.count(word)} {word}" for word in ("ok", "not ok", "skip") if word in values)

    def cell(self):
        counts = self.counts()
        return self.verdict() + (f" ({counts})" if counts else "")

    def skip_reason(self):
        """What the program gave as one, in few words."""
        said = [line.strip("# ") for line in self.test.lines if line.strip()]
        return next((line for line in said if re.search("skip|must|need|not available", line, re.I)),
                    said[-1] if said else "no reason given")


def differences(base, ours):
    """Sentences on what went another way."""
    if base.verdict() != ours.verdict():
        yield f"{base.verdict()} on the base, {ours.verdict()} on ours"
    if not base.unfinished and not ours.unfinished:
        for name in dict.fromkeys([*base.parts, *ours.parts]):
            was, is_now = base.parts.get(name, "absent"), ours.parts.get(name, "absent")
            if was != is_now:
                yield f"{name}: {was} on the base, {is_now} on ours"
    yield from (f"ours: {line}" for line in ours.faults if not base.faults)


class Comparison:
    """One test: its runs on the base and on ours, the first of each and those after a difference."""

    def __init__(self, name, base, ours):
        self.name, self.base, self.ours = name, [base], [ours]

    def same_at_first(self):
        return self.base[0].key() == self.ours[0].key()

    def only_ours_complained(self):
        return any(run.faults for run in self.ours) and not any(run.faults for run in self.base)

    def is_unsteady(self):
        """A test that strays as often on the base proves nothing; one run more may be chance."""
        base, ours = [run.key() for run in self.base], [run.key() for run in self.ours]
        strays = sum(key not in base for key in ours)
        return bool({*base} & {*ours}) and strays <= 1 + sum(key not in ours for key in base)

    def verdict(self):
        """same, differs, or why it is neither."""
        if self.only_ours_complained():
            return "differs"
        if self.same_at_first():
            if self.base[0].unfinished:
                return f"{self.base[0].verdict()} on both"
            if self.base[0].test.status == SKIPPED:
                return f"skipped on both: {self.base[0].skip_reason()}"
            return "same"
        return "unsteady" if self.is_unsteady() else "differs"

    def row(self):
        return [self.name, told(self.base), told(self.ours), self.verdict()]


def told(runs):
    return "; ".join(dict.fromkeys(run.cell() for run in runs))
