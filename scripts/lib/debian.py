# SPDX-License-Identifier: GPL-2.0
"""Files of Debian's packages for any architecture, without installing them."""

import contextlib
import glob
import os
import shutil
import subprocess
import tempfile

from kernels import ARCHES, BUILD, Error

CACHE = os.path.join(BUILD, "cache")


def apt(where, deb_arch, what, *command):
    """apt-get on a configuration of its own: the machine's is neither used nor changed."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(where, name), exist_ok=True)
    open(os.path.join(where, "status"), "a").close()
    result = subprocess.run(
        ["apt-get", "-q", "-o", f"APT::Architecture={deb_arch}",
         "-o", f"APT::Architectures={deb_arch}", "-o", f"Dir::State={where}/state",
         "-o", f"Dir::Cache={where}/cache", "-o", f"Dir::State::status={where}/status",
         "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=", *command],
        cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    if result.returncode:
        raise Error(f"{what} for {deb_arch} cannot be fetched from Debian's archive: "
                    f"is the network there?\n{result.stdout[-1000:]}")


@contextlib.contextmanager
def fetched(arch, packages):
    """A directory on the cache's file system with the files of these packages; it vanishes again."""
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="apt-") as where:
        what = ", ".join(packages)
        apt(where, ARCHES[arch]["deb"], what, "update")
        apt(where, ARCHES[arch]["deb"], what, "download", *packages)
        for package in glob.glob(os.path.join(where, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, os.path.join(where, "x")], check=True)
        yield os.path.join(where, "x")


def unpacked(arch, name, packages):
    """The same, fetched once and kept in the cache by a name."""
    path = os.path.join(CACHE, f"{name}-{arch}")
    if not os.path.isdir(path):
        with fetched(arch, packages) as where:
            shutil.rmtree(path + ".new", ignore_errors=True)
            os.rename(where, path + ".new")
        os.rename(path + ".new", path)
    return path
