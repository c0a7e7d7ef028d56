# SPDX-License-Identifier: GPL-2.0
"""The table behind `make check`: what is run, in this order."""

from collections import namedtuple

# command: for sh, at the top of the repository. tap: it prints TAP, whose results are
# counted one by one; else the step is one test, by its exit status (4: skipped, as in
# kselftests). full: only in `make check-full`. limit: seconds after which it is ended.
# lane: the steps of one are run one after the other, those of different lanes side by side;
# when all builds have ended, two of the tests are. after: a step before it that it waits for.
TESTS = "tests"
# What was reached before is not to get worse; not all that it was to show has been.
LRU_RESULTS = "Documentation/lab-reports/lru_page_list.results"
Step = namedtuple("Step", "name command tap full limit lane after",
                  defaults=(True, False, 600, TESTS, None))


def kernel(variant, full=False):
    """Builds use all cores, but not all the time; guests use hardly more than one."""
    return Step("kernel " + variant, "scripts/build " + variant, tap=False, full=full, limit=3600,
                lane="builds", after="series")


def selftests(variant, name=None, options="", limit=1200, full=False, brief=""):
    return Step("selftests " + (name or variant), "scripts/kselftest %s%s%s" % (brief, variant, options),
                limit=limit, full=full, after="kernel " + variant)


def cost(component, variant, full=False):
    """Ratios to peers of the same boot."""
    out = "build/check/cost-%s-%s" % (component, variant)
    return Step("cost of %s on %s" % (component, variant), "scripts/exp/%s/cost --check --variant %s --out %s" % (
        component, variant, out), tap=False, limit=1200, full=full, after="kernel " + variant)


STEPS = [
    Step("series", "scripts/series check"),
    kernel("arm64"),
    # Two in one: what has pages of 16 KiB, and what finds mistakes.
    kernel("arm64-16k-debug"),
    kernel("x86_64"),
    Step("kunit", "scripts/kunit --raw", limit=1800, lane="builds"),
    Step("warnings arm64", "scripts/build --w1 --sparse arm64", tap=False, limit=1800, lane="builds"),
    Step("warnings x86_64", "scripts/build --w1 --sparse x86_64", tap=False, limit=1800, lane="builds"),
    Step("32 bits", "python3 -B scripts/tests/compile_i386.py", limit=1800, lane="builds"),
    Step("one static branch", "python3 -B scripts/tests/lru_branch.py", limit=1800, lane="builds"),
    Step("tests of the runner", "scripts/tests/check_test"),
    Step("tests of the series", "scripts/tests/series_test", limit=1200),
    Step("tests of the experiment", "python3 -B scripts/tests/exp_paging.py", tap=False),
    Step("tests of the walker's experiments", "python3 -B scripts/tests/exp_walker.py", tap=False),
    Step("tests of the experiments of lru_page_list", "python3 -B scripts/tests/exp_lru.py", tap=False),
    Step("tests of mm_parity", "python3 -B scripts/tests/test_mm_parity.py", tap=False),
    # The longest, for which nothing else is to be waited in the end.
    selftests("arm64-16k-debug", limit=3600, brief="--brief "),
    selftests("x86_64"),
    selftests("arm64"),
    selftests("arm64", "raspi3b", " paging -- --machine raspi3b"),
    Step("guest arm64", "scripts/tests/guest_test", limit=1200, after="kernel arm64"),
    Step("boot parameters", "scripts/tests/lru_boot", after="kernel arm64"),
    Step("what an experiment puts back", "scripts/tests/lru_measure", after="kernel arm64"),
    Step("experiment paging", "scripts/exp/paging/run --quick --out build/check/paging", tap=False,
         limit=1200, after="kernel arm64"),
    Step("experiment petmem", "scripts/exp/petmem/run --quick --out build/check/petmem", tap=False, limit=1200,
         after="kernel arm64"),
    Step("experiment kernel_memory", "scripts/exp/kernel_memory/report --out build/check/kernel_memory",
         tap=False, after="kernel arm64"),
    Step("experiment walker", "scripts/exp/walker/run --quick --out build/check/walker", tap=False, limit=1200,
         after="kernel arm64"),
    Step("experiment monitor", "scripts/exp/monitor/run --quick --out build/check/monitor", tap=False, limit=1200,
         after="kernel arm64"),
    Step("experiment lru_page_list", "scripts/exp/lru/run --quick --check --out build/check/lru", tap=False, limit=1800,
         after="kernel arm64"),
    Step("memory before a kill", "scripts/exp/lru/oom --quick --check --out build/check/lru-oom", tap=False, limit=1200,
         after="kernel arm64"),
    cost("walker", "arm64"),
    cost("walker", "x86_64"),
    Step("accuracy of the monitor", "scripts/exp/monitor/accuracy --quick --check --out build/check/accuracy",
         tap=False, limit=1200, after="kernel x86_64"),
    # Those that a kernel can change; the others are about what scripts/guest does here, whatever it boots.
    Step("guest x86_64", "scripts/tests/guest_test x86_64 exit_status death_by_a_signal streams file_systems drivers_are_loaded "
         "built_in memory cpus append icount boards kvm warning_is oops panic hung goes_down shell", limit=1200,
         after="kernel x86_64"),
    Step("all of guest x86_64", "scripts/tests/guest_test x86_64", limit=1200, full=True, after="kernel x86_64"),
    cost("paging", "arm64"),
    cost("petmem", "arm64"),
    kernel("arm64-16k", full=True),
    selftests("arm64-16k", full=True),
    # The queue's ticks are 10 ms whatever these are.
    kernel("arm64-hz100", full=True),
    selftests("arm64-hz100", options=" lru_page_list", full=True),
    kernel("arm64-hz1000", full=True),
    selftests("arm64-hz1000", "arm64-hz1000, CPU 1 without a tick", " lru_page_list -- --append nohz_full=1", full=True),
    kernel("arm64-numa", full=True),
    selftests("arm64-numa", options=" lru_page_list", full=True),
    # Of 128 MB: a node is full while there is much elsewhere.
    selftests("arm64-numa", "arm64-numa, 8 nodes", " lru_page_list -- --append numa=fake=8", full=True),
    # Static branches that are patched, as in the Pi's kernels: with one virtual CPU nothing is translated meanwhile.
    kernel("arm64-patching", full=True),
    selftests("arm64-patching", "arm64-patching, one CPU", " lru_page_list lkp25p3 -- --smp 1", full=True),
    kernel("arm64-cost", full=True),
    cost("paging", "arm64-cost", full=True),
    cost("petmem", "arm64-cost", full=True),
    kernel("arm64-debug", full=True),
    kernel("x86_64-debug", full=True),
    selftests("arm64-debug", "all on arm64-debug", limit=7200, full=True),
    selftests("x86_64-debug", limit=7200, full=True),
    selftests("arm64", "all on raspi3b", " -- --machine raspi3b", full=True),
    selftests("arm64", "cortex-a76", " -- --cpu cortex-a76", full=True),
    Step("mutants of paging", "python3 -B scripts/tests/paging_mutants.py", full=True, limit=1800, lane="builds"),
    Step("order, exact time", "scripts/kselftest arm64 lru_page_list:order_test lru_page_list:policy_test -- --icount",
         full=True, limit=1800, after="kernel arm64"),
    Step("lru_page_list stress",
         "LRU_PAGE_LIST_SECONDS=120 scripts/kselftest arm64-debug lru_page_list:stress_test",
         full=True, limit=1800, after="kernel arm64-debug"),
    kernel("x86_64-mm-base", full=True),
    kernel("x86_64-mm", full=True),
    Step("selftests of mm", "scripts/tests/mm_parity --out build/check/mm-parity", full=True, limit=10800,
         after="kernel x86_64-mm"),
    Step("built out", "python3 -B scripts/tests/built_out.py", full=True, limit=3600, lane="builds"),
    Step("starting point", "scripts/build arm64-start && scripts/exp/paging/start --out build/check/start",
         tap=False, full=True, limit=3600, lane="builds"),
    Step("whole experiment", "scripts/exp/paging/run --out build/check/paging", tap=False, full=True, limit=3600,
         after="kernel arm64"),
    Step("whole experiment walker", "scripts/exp/walker/run --out build/check/walker", tap=False, full=True,
         limit=3600, after="kernel arm64"),
    Step("whole experiment monitor", "scripts/exp/monitor/run --out build/check/monitor", tap=False, full=True,
         limit=14400, after="kernel arm64"),
    Step("whole experiment lru_page_list",
         "scripts/exp/lru/run --check --known %s/lru.json --jobs 2 --out build/check/lru" % LRU_RESULTS, tap=False,
         full=True, limit=36000, after="kernel arm64"),
    Step("whole experiment lru_page_list x86_64",
         "scripts/exp/lru/run --check --known %s/lru-x86_64.json --jobs 2 --arch x86_64 --out build/check/lru-x86_64" %
         LRU_RESULTS, tap=False, full=True, limit=36000, after="kernel x86_64"),
    Step("memory before a kill, all sizes", "scripts/exp/lru/oom --check --jobs 2 --out build/check/lru-oom", tap=False, full=True,
         limit=14400, after="kernel arm64"),
    Step("each patch arm64", "scripts/series bisect arm64", full=True, limit=7200, lane="builds"),
    Step("each patch x86_64", "scripts/series bisect x86_64", full=True, limit=7200, lane="builds"),
    Step("plain 6.12.N", "scripts/series plain", full=True, limit=3600, lane="builds"),
]
