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


# Of Welch's t. Above the usual 2.1 (95 %, some ten runs), since many pairs are compared.
THRESHOLD = 3.0


def compare(a, b):
    """-1 if a is smaller than b, 1 if larger, 0 if the noise hides it.

    Welch's t, and the medians have to agree with the means: one outlier must not decide.
    """
    error = math.sqrt(a.stddev ** 2 / a.n + b.stddev ** 2 / b.n)
    difference = a.mean - b.mean
    if abs(difference) <= THRESHOLD * error or difference * (a.median - b.median) <= 0:
        return 0
    return -1 if difference < 0 else 1


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
