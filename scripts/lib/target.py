# SPDX-License-Identifier: GPL-2.0
"""Where an experiment runs: a guest of scripts/guest, or a machine behind ssh."""

import contextlib
import os
import shutil
import subprocess
import tempfile

import kernels

GUEST = os.path.join(kernels.ROOT, "scripts", "guest")
# Processes of lines_of(), of any thread.
RUNNING = set()


def end_all():
    """For a program that ends while threads wait for guests."""
    for process in list(RUNNING):
        process.terminate()


def programs_of(kernel_dir, collection="paging", program="dense_mm"):
    """The directory with the programs of a collection, found by one of them."""
    where = os.path.join(kernel_dir, "selftests", collection)
    if not os.path.exists(os.path.join(where, program)):
        where = os.path.join(kernels.variant_dir("arm64"), "selftests", collection)
    if not os.path.exists(os.path.join(where, program)):
        raise kernels.Error("the programs of the experiment are not built: run scripts/build arm64")
    return where


@contextlib.contextmanager
def load(programs, scripts, plan):
    """A directory with all that the other side needs."""
    with tempfile.TemporaryDirectory(prefix="paging-exp.") as where:
        os.chmod(where, 0o755)
        for path in [*programs, *scripts]:
            shutil.copy(path, where)
        with open(os.path.join(where, "plan"), "w") as out:
            out.write("".join(line + "\n" for line in plan))
        yield where


def lines_of(command, what):
    """The lines that a command prints, as it prints them; an error if it fails."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors,
                                   stdin=subprocess.DEVNULL, text=True, errors="replace")
        RUNNING.add(process)
        try:
            for line in process.stdout:
                yield line.rstrip("\n")
            status = process.wait()
        finally:
            RUNNING.discard(process)
            if process.poll() is None:
                process.terminate()
                process.wait()
        errors.seek(0)
        text = errors.read().strip()
    if status:
        raise kernels.Error(f"{what} failed (exit status {status})" + (f":\n{text}" if text else ""))


class Guest:
    """A boot of QEMU."""

    emulated = True

    def __init__(self, machine, kernel_dir, icount=False, cpu=None, timeout=3600, mem=None, shift=0,
                 disk=None, append=None):
        self.machine = machine
        self.kernel_dir = kernel_dir
        self.options = ["--machine", machine, "--kernel", kernel_dir, "--timeout", str(timeout)]
        if icount:
            self.options.append("--icount")
        if shift:
            self.options += ["--shift", str(shift)]
        if cpu:
            self.options += ["--cpu", cpu]
        if mem:
            self.options += ["--mem", mem]
        if disk:
            self.options += ["--disk", disk]
        if append:
            self.options += ["--append", append]

    def run(self, where, script):
        command = [GUEST, *self.options, "--add", f"{where}:/exp", "--", "sh", f"/exp/{script}"]
        return lines_of(command, f"scripts/guest --machine {self.machine}")

    def name(self):
        return f"QEMU, machine {self.machine}"


class Ssh:
    """A real machine; the user has to be root or to have sudo there."""

    emulated = False

    def __init__(self, host):
        self.host = host
        self.kernel_dir = kernels.variant_dir("arm64")
        probe = subprocess.run(self.command("id -u"), capture_output=True, text=True, check=False)
        if probe.returncode:
            raise kernels.Error(f"ssh {host} does not work: {probe.stderr.strip()}; it has to log in "
                                f"without a password (ssh-copy-id)")
        self.sudo = "" if probe.stdout.strip() == "0" else "sudo -n "

    def command(self, words):
        return ["ssh", "-o", "BatchMode=yes", self.host, words]

    def run(self, where, script):
        with subprocess.Popen(["tar", "-C", where, "-cf", "-", "."], stdout=subprocess.PIPE) as tar:
            put = subprocess.run(self.command("d=$(mktemp -d) && tar -C $d -xf - && echo $d"),
                                 stdin=tar.stdout, capture_output=True, text=True, check=False)
        there = put.stdout.strip()
        if put.returncode or not there.startswith("/"):
            raise kernels.Error(f"copying to {self.host} failed: {put.stderr.strip()}")
        return lines_of(self.command(f"{self.sudo}sh {there}/{script}; s=$?; rm -rf {there}; exit $s"),
                        f"the experiment on {self.host}")

    def name(self):
        return f"{self.host}, a real machine"
