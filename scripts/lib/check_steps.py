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
    Step("tests of the series", "scripts/tests/series_test", limit=1200),
    Step("tests of the experiment", "python3 -B scripts/tests/exp_paging.py", tap=False),
    Step("kernel arm64", "scripts/build arm64", tap=False, limit=3600),
    Step("guest arm64", "scripts/tests/guest_test", limit=1200),
    Step("selftests arm64", "scripts/kselftest arm64", limit=1200),
    Step("selftests raspi3b", "scripts/kselftest arm64 -- --machine raspi3b", limit=1200),
    Step("experiment paging", "scripts/exp/paging/run --quick --out build/check/paging", tap=False, limit=1200),
    Step("experiment petmem", "scripts/exp/petmem/run --quick --out build/check/petmem", tap=False, limit=1200),
    Step("kernel x86_64", "scripts/build x86_64", tap=False, limit=3600),
    Step("guest x86_64", "scripts/tests/guest_test x86_64", limit=1200),
    Step("selftests x86_64", "scripts/kselftest x86_64", limit=1200),
    Step("warnings arm64", "scripts/build --w1 --sparse arm64", tap=False, limit=1800),
    Step("warnings x86_64", "scripts/build --w1 --sparse x86_64", tap=False, limit=1800),
    Step("kunit", "scripts/kunit --raw", limit=1200),
    Step("kernel arm64-cost", "scripts/build arm64-cost", tap=False, limit=3600),
    Step("cost", "scripts/exp/paging/cost --check --out build/check/cost", tap=False, limit=1200),
    Step("cost of petmem", "scripts/exp/petmem/cost --check --out build/check/petmem-cost", tap=False, limit=1200),
    Step("kernel arm64-16k", "scripts/build arm64-16k", tap=False, limit=3600),
    Step("selftests arm64-16k", "scripts/kselftest arm64-16k", limit=1200),
    Step("kernel arm64-debug", "scripts/build arm64-debug", tap=False, limit=3600),
    Step("selftests arm64-debug", "scripts/kselftest arm64-debug", limit=1800),
    Step("kernel x86_64-debug", "scripts/build x86_64-debug", tap=False, full=True, limit=3600),
    Step("selftests x86_64-debug", "scripts/kselftest x86_64-debug", full=True, limit=1800),
    Step("selftests cortex-a76", "scripts/kselftest arm64 -- --cpu cortex-a76", full=True, limit=1200),
    Step("mutants of paging", "python3 -B scripts/tests/paging_mutants.py", full=True, limit=1800),
    Step("starting point", "scripts/build arm64-start && scripts/exp/paging/start --out build/check/start",
         tap=False, full=True, limit=3600),
    Step("whole experiment", "scripts/exp/paging/run --out build/check/paging", tap=False, full=True, limit=3600),
    Step("each patch arm64", "scripts/series bisect arm64", full=True, limit=7200),
    Step("each patch x86_64", "scripts/series bisect x86_64", full=True, limit=7200),
    Step("plain 6.12.N", "scripts/series plain", full=True, limit=3600),
]
