# SPDX-License-Identifier: GPL-2.0
"""The patch series: compose it, prove it, and work on it.

usage: scripts/series COMMAND [NAME...]

  compose    write patches/ from the folders, recipes and hooks
  am         make build/src by `git am patches/*.patch` if it is not there, then sync
  sync       make build/src equal to base + hooks + folders; prints its path
  at NNNN    make a tree that ends with this patch, 0000: with none; prints its path
  tree       make build/tree: a git work tree with the series as commits, to work in
  capture    bring the commits and edits of build/tree back into the repository
  untree     remove build/tree, unless it holds work that is not captured
  check      prove things about the series (TAP): drift, partition, budget, am, checkpatch, kernel-doc;
             all of them, or those named
  bisect A   build each patch by itself for A, arm64 or x86_64: our options =y, =m and =n (TAP)
  plain      git am on Linux 6.12.N without Debian's patches, and build it (TAP)
"""

import sys

import series_cli
from kernels import ROOT


def compose():
    from series_compose import write_patches
    print("patches/: %d patches" % write_patches(ROOT))


def sync(by_am=False):
    import series_tree
    print(series_tree.sync(by_am))


def am():
    sync(by_am=True)


def tree():
    import series_capture
    series_capture.tree()


def capture():
    import series_capture
    series_capture.capture()


def untree():
    import series_capture
    series_capture.untree()


def check(*names):
    import series_check
    return 1 if series_check.check(names) else 0


def bisect(arch):
    import series_bisect
    return 1 if series_bisect.bisect(arch) else 0


def plain():
    import series_bisect
    return 1 if series_bisect.plain() else 0


def at(number):
    import series_bisect
    print(series_bisect.at(number))


COMMANDS = {function.__name__: function for function in (
    compose, am, sync, at, tree, capture, untree, check, bisect, plain)}


def main():
    name, *rest = sys.argv[1:] or [""]
    if name == "--help":
        print(__doc__.strip())
    elif name not in COMMANDS or len(rest) != (name in ("bisect", "at")) and name != "check":
        print(__doc__.strip(), file=sys.stderr)
        return 2
    else:
        return COMMANDS[name](*rest)


if __name__ == "__main__":
    series_cli.main(main)
