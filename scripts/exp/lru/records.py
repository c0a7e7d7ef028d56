# SPDX-License-Identifier: GPL-2.0
"""What measure.sh prints: one record for each line of the plan."""

import concurrent.futures
import hashlib
import os
import re
import subprocess

import kernels
import target

HERE = os.path.dirname(os.path.abspath(__file__))
# name of a policy: what is said about it. Others than the first three are settings of lru or of mglru.
POLICIES = {
    "classic": "active and inactive lists",
    "mglru": "multi-gen LRU",
    "lru": "strict queue, within its budget",
    "always": "strict queue, each 10 ms whatever it costs",
    "guard": "queue with guard, within its budget",
    "guard-always": "queue with guard, harvested each 10 ms whatever it costs",
}
# To tell what the budget of 1 % costs.
BUDGETS = (2, 4, 8)
POLICIES.update({f"budget-{percent}": f"strict queue, with a budget of {percent} % of a CPU" for percent in BUDGETS})
# Those of a run that names none.
USUAL = ["classic", "mglru", "lru", "always", "guard"]


def fields(text):
    """{name: value} of the words name=value, values as they are."""
    return dict(re.findall(r"(\S+?)=(\S+)", text))


class Record:
    """One run under one policy."""

    def __init__(self, name):
        self.name = name
        self.lines, self.stats = [], {}
        self.status = None

    def all_of(self, start):
        return [fields(line) for line in self.lines if line.startswith(start + " ")]

    def ending(self):
        """The last lines of the program, and what the kernel's log had by then if it failed."""
        log = [line for line in self.lines if line.startswith("log ")]
        return "\n".join([line for line in self.lines if not line.startswith("log ")][-8:] + log)

    def one(self, start):
        found = self.all_of(start)
        if not found:
            raise kernels.Error(f"{self.name}: there is no line \"{start} ...\" (status {self.status})\n{self.ending()}")
        return found[0]


class Boot:
    """All records of one boot."""

    def __init__(self):
        self.records, self.conditions, self.refused = [], {}, set()
        self.ended = False

    def take(self, line, progress=lambda record: None):
        kind, _, rest = line.partition(" ")
        last = self.records[-1] if self.records else None
        if last and last.status is None and kind != "done":
            last.lines.append(line)
        elif kind == "cond":
            name, _, value = rest.partition(" ")
            self.conditions[name] = value
        elif kind == "begin":
            self.records.append(Record(rest))
        elif kind == "done":
            last.status = int(rest.split()[-1])
            progress(last)
        elif kind == "stat" and last:
            name, _, value = rest.partition(" ")
            last.stats[name] = value
        elif kind == "refused":
            self.refused.add(rest)
        elif kind == "fail":
            raise kernels.Error(f"the experiment stopped: {rest}")
        elif kind == "end":
            self.ended = True


def host_mib(host):
    """MiB of memory of a machine, by ssh."""
    where = target.Ssh(host)
    done = subprocess.run(where.command("awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo"), capture_output=True, text=True,
                          check=False)
    if done.returncode or not done.stdout.strip().isdigit():
        raise kernels.Error(f"{host}: how much memory it has cannot be read: {done.stderr.strip()}")
    return int(done.stdout)


def guest(args, disk=None, append=None, mem=None):
    return target.Guest("virt", args.kernel, icount=True, shift=args.shift, cpu=args.cpu, mem=mem or args.mem,
                        timeout=args.timeout, disk=disk, append=append)


def image(args):
    """The kernel's image, by the first digits of its SHA-256: what uname says does not tell builds apart."""
    arch = kernels.ARCHES[args.arch]
    for name in (arch["names"][-1], arch["image"]):
        try:
            with open(os.path.join(args.kernel, name), "rb") as file:
                return f"sha256 {hashlib.sha256(file.read()).hexdigest()[:12]}"
        except OSError:
            continue
    return "unknown"


def measure(where, programs, plan, progress=lambda record: None):
    """A boot; an error if it did not come to its end."""
    boot = Boot()
    with target.load(programs, [os.path.join(HERE, "measure.sh")], plan) as load:
        for line in where.run(load, "measure.sh"):
            boot.take(line, progress)
    if not boot.ended:
        raise kernels.Error("the guest ended early")
    return boot


def side_by_side(jobs, boot, work):
    """
    boot(*what) of each of @work, @jobs at a time. Yields (what, the Boot, or the kernels.Error that it ended with), in
    their order: one that fails does not throw away hours of others' work.
    """
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        boots = [pool.submit(boot, *what) for what in work]
        try:
            for what, made in zip(work, boots):
                error = made.exception()
                if error and not isinstance(error, kernels.Error):
                    raise error
                yield what, error or made.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            target.end_all()
            raise


def programs(kernel_dir, *names):
    where = os.path.join(kernel_dir, "selftests", "lru_page_list")
    for name in names:
        if not os.path.exists(os.path.join(where, name)):
            raise kernels.Error(f"{os.path.join(where, name)} is not built: run scripts/build "
                                f"{os.path.basename(os.path.normpath(kernel_dir))}")
    return [os.path.join(where, name) for name in names]
