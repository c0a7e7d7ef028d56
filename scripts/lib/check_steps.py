# SPDX-License-Identifier: GPL-2.0
"""The table behind `make check`: what is run, in this order."""

from collections import namedtuple

# command: for sh, at the top of the repository. tap: it prints TAP, whose results are
# counted one by one; else the step is one test, by its exit status (4: skipped, as in
# kselftests). full: only in `make check-full`. limit: seconds after which it is ended.
Step = namedtuple("Step", "name command tap full limit", defaults=(True, False, 600))

STEPS = [
    Step("series", "scripts/series check"),
    Step("tests of the runner", "scripts/tests/check_test"),
    Step("tests of the series", "scripts/tests/series_test"),
    Step("kernel arm64", "scripts/build arm64", tap=False, limit=3600),
    Step("kernel x86_64", "scripts/build x86_64", tap=False, limit=3600),
    Step("warnings arm64", "scripts/build --w1 --sparse arm64", tap=False, limit=1800),
    Step("warnings x86_64", "scripts/build --w1 --sparse x86_64", tap=False, limit=1800),
    Step("kunit", "scripts/kunit --raw", limit=1200),
    Step("each patch arm64", "scripts/series bisect arm64", full=True, limit=7200),
    Step("each patch x86_64", "scripts/series bisect x86_64", full=True, limit=7200),
    Step("plain 6.12.N", "scripts/series plain", full=True, limit=3600),
]
