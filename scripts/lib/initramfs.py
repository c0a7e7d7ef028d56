# SPDX-License-Identifier: GPL-2.0
"""The guest's root file system: busybox, our init, perf, the kernel's modules."""

import contextlib
import os
import subprocess

import cpio
import debian
import kernels
from debian import CACHE
from kernels import ROOT, VARIANTS, Error

GUEST = os.path.join(ROOT, "scripts/guest.d")

PROFILE = """\
export PS1='guest:\\w\\$ '
"""

# kselftest's runner calls it so, and busybox does not know the option.
TIMEOUT = """\
#!/bin/sh
[ "$1" != --foreground ] || shift
exec busybox timeout "$@"
"""


def busybox(arch):
    """A static busybox of Debian's, fetched once."""
    path = os.path.join(CACHE, f"busybox-{arch}")
    if not os.path.exists(path):
        with debian.fetched(arch, ["busybox-static"]) as where:
            os.replace(os.path.join(where, "bin/busybox"), path)
    return path


def applets(path):
    """busybox's names for itself: in its text one after the other, from '[' on."""
    with open(path, "rb") as binary:
        text = binary.read()
    start = text.find(b"\0[\0[[\0") + 1
    names = text[start:text.find(b"\0\0", start)].decode("ascii", "replace").split("\0")
    if start == 0 or "sh" not in names or "modprobe" not in names:
        raise Error(f"{path} is not the busybox that was expected: remove it and build again")
    return [name for name in names if name != "busybox"]


def init(arch):
    """Our first process, compiled when its source is newer."""
    source = os.path.join(GUEST, "init.c")
    path = os.path.join(CACHE, f"init-{arch}")
    with contextlib.suppress(FileNotFoundError):
        if os.stat(path).st_mtime_ns > os.stat(source).st_mtime_ns:
            return path
    os.makedirs(CACHE, exist_ok=True)
    result = subprocess.run([kernels.cross_prefix(arch) + "gcc", "-static", "-O2", "-s", "-Wall",
                             "-Wextra", "-o", path + ".new", source],
                            stderr=subprocess.PIPE, text=True)
    if result.returncode:
        raise Error(f"the guest's init does not compile for {arch}\n{result.stderr}")
    os.replace(path + ".new", path)
    return path


def write(archive, variant, arch):
    target = kernels.variant_dir(variant)
    box = busybox(arch)
    archive.add(init(arch), "init")
    for name in ("bin", "proc", "sys", "dev", "run", "mnt", "etc", "root"):
        archive.directory(name, 0o700 if name == "root" else 0o755)
    archive.directory("tmp", 0o1777)
    for name in ("sbin", "usr/bin", "usr/sbin"):
        archive.symlink(name, "/bin")
    archive.device("dev/console", 0o20600, 5, 1)
    archive.device("dev/null", 0o20666, 1, 3)
    archive.add(box, "bin/busybox")
    for name in applets(box):
        if name != "timeout":
            archive.symlink("bin/" + name, "busybox")
    archive.file("bin/timeout", TIMEOUT.encode(), 0o755)
    archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    archive.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    archive.file("etc/profile", PROFILE.encode())
    archive.add(os.path.join(GUEST, "drivers"), ".guest/drivers")
    if os.path.exists(os.path.join(target, "perf")):
        archive.add(os.path.join(target, "perf"), "bin/perf")
    modules = os.path.join(target, "modules/lib/modules")
    if os.path.isdir(modules):
        archive.add(modules, "lib/modules")


def inputs(variant, arch):
    target = kernels.variant_dir(variant)
    yield busybox(arch)
    yield init(arch)
    yield os.path.join(GUEST, "drivers")
    yield __file__
    yield os.path.join(target, "perf")
    yield os.path.join(target, "modules/.stamp")


def make(variant):
    """build/<variant>/initramfs.cpio; left alone if nothing it is made of is newer."""
    arch = VARIANTS[variant][0]
    path = os.path.join(kernels.variant_dir(variant), "initramfs.cpio")
    with contextlib.suppress(FileNotFoundError):
        mine = os.stat(path).st_mtime_ns
        times = [os.stat(name).st_mtime_ns for name in inputs(variant, arch) if os.path.exists(name)]
        if mine > max(times):
            return path
    with open(path + ".new", "wb") as stream:
        archive = cpio.Writer(stream)
        write(archive, variant, arch)
        archive.end()
    os.replace(path + ".new", path)
    return path
