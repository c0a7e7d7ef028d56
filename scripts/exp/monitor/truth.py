# SPDX-License-Identifier: GPL-2.0
"""Which pages were touched, which ones a watcher said were, and how far the two agree.

A set of pages is an integer: bit i is page i.
"""

import kernels

SAMPLES = 20        # of DAMON in an aggregation, with its defaults


def ones(first, pages):
    return ((1 << pages) - 1) << first


def pages_in(some):
    return bin(some).count("1")


class Score:
    """Pages over some periods: touched and said, said alone, touched alone."""

    def __init__(self):
        self.both = self.wrong = self.lost = 0

    def add(self, truth, said):
        self.both += pages_in(truth & said)
        self.wrong += pages_in(said & ~truth)
        self.lost += pages_in(truth & ~said)
        return self

    def precision(self):
        """Of what was said, how much is true; of nothing, all."""
        return self.both / (self.both + self.wrong) if self.both + self.wrong else 1.0

    def recall(self):
        """Of what is true, how much was said."""
        return self.both / (self.both + self.lost) if self.both + self.lost else 1.0

    def exact(self):
        return not self.wrong and not self.lost

    def quality(self):
        """The harmonic mean of the two (F1)."""
        return 2 * self.both / (2 * self.both + self.wrong + self.lost) if self.both + self.wrong + self.lost else 1.0


class Period:
    """What was touched, and how often each page was found: (first page, pages, count) of runs."""

    def __init__(self, truth):
        self.truth = truth
        self.runs = []

    def said(self, least=1):
        found = 0
        for first, pages, count in self.runs:
            if count >= least:
                found |= ones(first, pages)
        return found

    def counts(self):
        """Smallest and largest count of a page that was touched; None if none was."""
        found = [count for first, pages, count in self.runs if self.truth & ones(first, pages)]
        return (min(found), max(found)) if found else None


class Watched:
    """A pattern, by one watcher."""

    def __init__(self, pattern):
        self.pattern = pattern
        self.periods, self.facts = [], {}
        self.cpu_ns = self.wall_ns = 0

    def score(self, least=1):
        made = Score()
        for period in self.periods:
            made.add(period.truth, period.said(least))
        return made

    def best(self):
        """(threshold, score) of the threshold that fits best, which only who knows the truth can pick."""
        return max(((least, self.score(least)) for least in range(1, SAMPLES + 1)), key=lambda pair: pair[1].quality())

    def touched(self):
        return sum(pages_in(period.truth) for period in self.periods) / len(self.periods)

    def counts(self):
        found = [pair for pair in (period.counts() for period in self.periods) if pair]
        return (min(a for a, _ in found), max(b for _, b in found)) if found else None

    def cpu_ms(self):
        """Of the watching thread, per second."""
        return 1000 * self.cpu_ns / self.wall_ns if self.wall_ns else 0.0

    def take(self, kind, rest):
        words = rest.split()
        if kind == "truth":
            self.periods.append(Period(int(rest, 16)))
        elif kind == "counts":
            first = 0
            for count, pages in (map(int, word.split("*")) for word in words):
                self.periods[-1].runs.append((first, pages, count))
                first += pages
        elif kind == "region":
            first, pages, samples = map(int, words)
            self.periods[-1].runs.append((first, pages, samples))
        elif kind == "cpu":
            self.cpu_ns, self.wall_ns = map(int, words)
        elif kind == "monitor":
            self.facts = dict(word.split("=") for word in words)


def take_all(lines, periods):
    """{watcher: [Watched]} of one boot."""
    found, now, ended = {}, None, False
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "watcher":
            now = found.setdefault(rest, [])
        elif kind == "fail":
            raise kernels.Error(f"the experiment stopped: {rest}")
        elif kind == "end":
            ended = True
        elif kind == "pattern" and now is not None:
            now.append(Watched(rest))
        elif now:
            now[-1].take(kind, rest)
    whole = all(len(watched.periods) == periods and watched.wall_ns for some in found.values() for watched in some)
    if not ended or not whole:
        raise kernels.Error("the guest ended early")
    return found
