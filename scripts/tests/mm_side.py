# SPDX-License-Identifier: GPL-2.0
"""The selftests of mm on one kernel: as many boots as it takes, each going on behind the test that ended the last."""

import contextlib
import os
import select
import shutil
import subprocess
import tempfile

import kernels
import target

HERE = os.path.dirname(os.path.abspath(__file__))
# Three CPUs: with fewer, the tests of migration find too few threads.
MACHINE = ["--mem", "2G", "--smp", "3", "--disk", "2G", "--append", "numa=fake=2"]
# Seconds without a word beyond the time that a test has: for boot, and for what is between two tests.
GRACE = 180
TIMEOUT, STUCK, DOWN = "timeout", "stuck", "down"


class Test:
    """One run of one test."""

    def __init__(self, name):
        self.name, self.status, self.seconds, self.policy = name, None, 0, ""
        self.lines, self.kernel = [], []


class Boot:
    """Takes what mm_hooks.bash prints; told(number, test) is called as soon as a test has ended."""

    def __init__(self, told=lambda number, test: None):
        self.tests, self.conditions, self.ended = {}, {}, False
        self.last, self.told = None, told

    def take(self, line):
        kind, _, rest = line.partition(" ")
        if kind == "|" and self.running():
            self.last.lines.append(rest)
        elif kind == "kernel" and self.running():
            self.last.kernel.append(rest)
        elif kind == "begin":
            number, name = rest.split(" ", 1)
            self.last = self.tests[int(number)] = Test(name)
        elif kind == "done":
            number, status, seconds, policy = rest.split(" ", 3)
            self.last.status = status if status == TIMEOUT else int(status)
            self.last.seconds, self.last.policy = int(seconds), policy
            self.told(int(number), self.last)
        elif kind == "cond":
            name, _, value = rest.partition(" ")
            self.conditions[name] = value
        elif kind == "fail":
            raise kernels.Error(f"the guest stopped: {rest}")
        elif kind == "end":
            self.ended = True

    def running(self):
        return self.last is not None and self.last.status is None


@contextlib.contextmanager
def load(programs, bash, plan):
    """A directory with all that a guest needs."""
    with tempfile.TemporaryDirectory(prefix="mm-parity.") as where:
        os.chmod(where, 0o755)
        for name in ("mm_guest.sh", "mm_hooks.bash"):
            shutil.copy(os.path.join(HERE, name), where)
        shutil.copytree(programs, os.path.join(where, "mm"))
        shutil.copy(bash, os.path.join(where, "bash"))
        with open(os.path.join(where, "plan"), "w") as out:
            out.writelines(f"{name}='{value}'\n" for name, value in plan.items())
        yield where


def lines_of(process, quiet):
    """Its lines as they come; TimeoutError if there are none for so many seconds."""
    rest = b""
    while True:
        if not select.select([process.stdout], [], [], quiet)[0]:
            raise TimeoutError
        data = os.read(process.stdout.fileno(), 1 << 16)
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)


class Side:
    """A kernel with its command line."""

    def __init__(self, name, kernel, append=()):
        self.name, self.kernel = name, kernel
        self.append = [word for text in append for word in ("--append", text)]
        self.conditions, self.boots, self.stopped = {}, 0, False

    def command(self, where):
        added = [f"{where}:/parity", f"{where}/bash:/bin/bash"]
        added += [f"{os.path.join(HERE, 'mm_tools', name)}:/bin/{name}" for name in ("sudo", "pgrep", "killall")]
        return [target.GUEST, "--kernel", self.kernel, *MACHINE, *self.append, "--timeout", "36000",
                *[word for name in added for word in ("--add", name)], "--", "sh", "/parity/mm_guest.sh"]

    def boot(self, where, limit, told):
        """One boot, and what scripts/guest said beside the tests' own words."""
        boot, stuck = Boot(lambda number, test: told(self, number, test)), False
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(self.command(where), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=errors)
            target.RUNNING.add(process)
            try:
                for line in lines_of(process, limit + GRACE):
                    boot.take(line)
                process.wait()
            except TimeoutError:
                stuck = True
            finally:
                target.RUNNING.discard(process)
                process.terminate()
                process.wait()
                process.stdout.close()
            errors.seek(0)
            said = errors.read().splitlines()
        if boot.running():
            boot.last.status = STUCK if stuck else DOWN
            boot.last.kernel += said
            told(self, max(boot.tests), boot.last)
        self.boots += 1
        return boot, said

    def run(self, programs, bash, limits, only, told):
        """{number: Test} of all tests, or of those that are named."""
        plan = {"LIMIT": limits[""], "ONLY": ",".join(only),
                "LIMITS": ",".join(f"{name}={seconds}" for name, seconds in limits.items() if name)}
        tests, first, idle = {}, 1, 0
        while True:
            with load(programs, bash, {**plan, "FROM": first}) as where:
                boot, said = self.boot(where, max(limits.values()), told)
            self.conditions.update(boot.conditions)
            tests.update(boot.tests)
            if boot.ended:
                return tests
            idle = 0 if boot.tests else idle + 1
            if idle == 2 or self.stopped:
                raise kernels.Error(f"{self.name}: the guest ended without a test\n" + "\n".join(said[-20:]))
            first = max(tests, default=0) + 1
