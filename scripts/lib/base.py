# SPDX-License-Identifier: GPL-2.0
"""Prepare the kernel that the series goes onto, and print where it is.

usage: scripts/base [--plain]

Without an option: the tree named by KERNEL_TREE=/path (only read), else
Debian's linux-source-6.12. --plain: Linux 6.12.N without Debian's patches.
"""

import sys

import series_cli


def main():
    import series_base
    if sys.argv[1:] not in ([], ["--plain"]):
        print(__doc__.strip(), file=sys.stderr if sys.argv[1:] != ["--help"] else sys.stdout)
        return 0 if sys.argv[1:] == ["--help"] else 2
    print((series_base.plain() if sys.argv[1:] else series_base.find()).path)


if __name__ == "__main__":
    series_cli.main(main)
