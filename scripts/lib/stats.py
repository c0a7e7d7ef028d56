# SPDX-License-Identifier: GPL-2.0
"""What is said about repeated measurements, and when two of them differ."""

import math
import statistics


class Summary:
    """Minimum, maximum, mean, median, standard deviation of some values."""

    FIELDS = ("min", "max", "mean", "median", "stddev")

    def __init__(self, values):
        self.n = len(values)
        self.min = min(values)
        self.max = max(values)
        self.mean = statistics.fmean(values)
        self.median = statistics.median(values)
        self.stddev = statistics.stdev(values) if len(values) > 1 else 0.0


# Of the rank test's z: 2.5 is 99 %, as many pairs are compared. Five runs against five reach 2.61.
THRESHOLD = 2.5


def rank_z(a, b):
    """Mann and Whitney's z: below 0 if the values of a tend to be smaller than those of b.

    Ranks, not means: one interrupt in a run moves a mean by half of it, and a rank by a little.
    """
    smaller = sum((x < y) - (x > y) for x in a for y in b) / 2
    return -smaller / math.sqrt(len(a) * len(b) * (len(a) + len(b) + 1) / 12)


def compare(a, b):
    """-1 if the values of a are smaller than those of b, 1 if larger, 0 if the noise hides it."""
    z = rank_z(a, b)
    return 0 if abs(z) < THRESHOLD else (-1 if z < 0 else 1)


def duration(ns):
    """A time that reads well: three digits and a unit."""
    for factor, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "\u00b5s")):
        if ns >= factor:
            return f"{digits(ns / factor)} {unit}"
    return f"{ns:.0f} ns"


def digits(value):
    """Three significant digits, without an exponent."""
    if value == 0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"
