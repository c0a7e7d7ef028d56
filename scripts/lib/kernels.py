# SPDX-License-Identifier: GPL-2.0
"""The kernels of the lab: one table, and where their files lie."""

import os
import platform

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("PAGING_BUILD_DIR") or os.path.join(ROOT, "build")
CONFIG = os.path.join(ROOT, "scripts", "config")

# name: (architecture, fragments; a later one overrides an earlier one). A fragment of
# DRIVERS holds what our series adds, which a tree may not have yet. BUILTIN variants have
# it as =y instead of =m, so that this form is tested as well.
VARIANTS = {
    "arm64":        ("arm64",  ["base", "arm64", "boards", "paging"]),
    "x86_64":       ("x86_64", ["base", "x86_64", "paging"]),
    "arm64-debug":  ("arm64",  ["base", "arm64", "paging", "debug"]),
    "x86_64-debug": ("x86_64", ["base", "x86_64", "paging", "debug", "debug-slow"]),
    "arm64-cost":   ("arm64",  ["base", "arm64", "paging", "cost"]),
    "arm64-16k":    ("arm64",  ["base", "arm64", "16k", "paging"]),
    "arm64-16k-debug": ("arm64", ["base", "arm64", "16k", "paging", "debug"]),
    "arm64-hz100":  ("arm64",  ["base", "arm64", "paging", "hz100"]),
    "arm64-hz1000": ("arm64",  ["base", "arm64", "paging", "hz1000"]),
    "arm64-numa":   ("arm64",  ["base", "arm64", "paging", "numa"]),
    "arm64-start":  ("arm64",  ["base", "arm64", "boards", "paging"]),
    "arm64-patching": ("arm64", ["base", "arm64", "boards", "paging", "patching"]),
    "x86_64-mm":    ("x86_64", ["base", "x86_64", "mm", "lru"]),
    "x86_64-mm-base": ("x86_64", ["base", "x86_64", "mm"]),
}
# The last patch of the series that is in these kernels, 0000 for none; the others have all of it.
LAST_PATCH = {"arm64-start": "0002", "x86_64-mm-base": "0000"}
# The kernel's own selftests that are built with these kernels, in place of ours.
SELFTESTS = {"x86_64-mm": [], "x86_64-mm-base": ["mm"]}

DRIVERS = ["paging"]
BUILTIN = ["arm64-debug", "arm64-16k-debug", "x86_64-debug"]

# architecture: kernel's ARCH, Debian's name, GNU triplet, image in the object tree, its
# names in build/<variant> (kern4: the assignment's; last: make's), QEMU, device trees
ARCHES = {
    "arm64": dict(karch="arm64", deb="arm64", triplet="aarch64-linux-gnu",
                  image="arch/arm64/boot/Image", names=["kern4", "Image"], qemu="qemu-system-aarch64",
                  dtbs=["broadcom/bcm2837-rpi-3-b.dtb", "broadcom/bcm2711-rpi-4-b.dtb"]),
    "x86_64": dict(karch="x86_64", deb="amd64", triplet="x86_64-linux-gnu",
                   image="arch/x86/boot/bzImage", names=["bzImage"], qemu="qemu-system-x86_64", dtbs=[]),
}


class Error(Exception):
    """One sentence for the user; `status` is what the program exits with."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def host_arch():
    return {"aarch64": "arm64", "x86_64": "x86_64"}.get(platform.machine(), platform.machine())


def cross_prefix(arch):
    return "" if arch == host_arch() else ARCHES[arch]["triplet"] + "-"


def variant_dir(variant):
    return os.path.join(BUILD, variant)


def read_config(path):
    """{symbol: value} of a .config or a fragment; 'n' for what is not set."""
    values = {}
    with open(path) as lines:
        for line in lines:
            line = line.strip()
            if line.startswith("CONFIG_") and "=" in line:
                name, value = line.split("=", 1)
                values[name] = value
            elif line.startswith("# CONFIG_") and line.endswith(" is not set"):
                values[line.split()[1]] = "n"
    return values
