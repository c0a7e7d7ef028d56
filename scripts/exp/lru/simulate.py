# SPDX-License-Identifier: GPL-2.0
"""The simulated memory: sim.c, and the patterns that it shares with fiveproc."""

import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PATTERN_H = os.path.join(HERE, "..", "..", "..", "selftests", "lru_page_list", "pattern.h")


def patterns():
    """Their names, as pattern.h has them."""
    with open(PATTERN_H) as text:
        table = re.search(r"pattern_names\[\] = {(.*?)};", text.read(), re.S)
    return re.findall(r'"(\w+)"', table[1])


def compile_sim(out):
    subprocess.run(["cc", "-O2", "-o", out, os.path.join(HERE, "sim.c"), "-lm"], check=True)
    return out
