# SPDX-License-Identifier: GPL-2.0
"""The monitor's records of one run, and whether they say what the program did."""

import kernels

QUARTERS = ["[0, 1/4)", "[1/4, 1/2)", "[1/2, 3/4)", "[3/4, 1)"]
WHAT = ["read as fast as possible", "read at its pace", "not read", "not read"]
TOLERANCE = 0.05


def pairs(text):
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


class Second:
    """One record: what the monitor said, and how many sweeps the program made meanwhile."""

    def __init__(self, rest):
        head, _, quarters = rest.partition(" quarters ")
        found = pairs(head)
        self.sweeps = [int(n) for n in found.pop("sweeps").split("/")]
        self.number = {name: int(value) for name, value in found.items()}
        split = [word.split("/") for word in quarters.split()]
        self.means = [float(word[0]) for word in split]
        self.least = [int(word[1]) for word in split]
        self.most = [int(word[2]) for word in split]
        self.bins = []

    def expected(self, quarter):
        """A page is found once per scan at most, and not more often than it was read."""
        return min(self.sweeps[quarter], self.number["scans"]) if quarter < 2 else 0


class Run:
    """One call of memalloc read."""

    def __init__(self, name, title, pace_ms, interval_ms):
        self.name, self.title = name, title
        self.pace_ms, self.interval_ms = pace_ms, interval_ms
        self.seconds, self.log, self.buffer = [], [], {}
        self.rates = [None, None]       # sweeps per second, of the whole run

    def take(self, kind, rest):
        if kind == "second":
            self.seconds.append(Second(rest))
        elif kind == "bins":
            self.seconds[-1].bins = [int(word) / 100 for word in rest.split()]
        elif kind == "buffer":
            self.buffer = pairs(rest)
        elif kind == "sweeps":
            found = pairs(rest)
            self.rates[int(found["quarter"])] = float(found["per_second"])
        elif kind == "log":
            self.log.append(rest)

    def check_complete(self, wanted):
        if None in self.rates or len(self.seconds) != (wanted if self.interval_ms else 0):
            raise kernels.Error(f"the run '{self.name}' has {len(self.seconds)} of {wanted} records")

    def mean(self, values):
        return sum(values) / len(self.seconds)

    def regions(self):
        """(expected, measured, difference as a fraction, sweeps, least, most count) of each quarter."""
        for quarter in range(4):
            expected = self.mean(s.expected(quarter) for s in self.seconds)
            measured = self.mean(s.means[quarter] for s in self.seconds)
            off = abs(measured - expected) / expected if expected else measured
            sweeps = self.mean(s.sweeps[quarter] for s in self.seconds) if quarter < 2 else 0
            yield (expected, measured, off, sweeps, min(s.least[quarter] for s in self.seconds),
                   max(s.most[quarter] for s in self.seconds))

    def worst(self):
        return max(region[2] for region in self.regions())

    def scans(self):
        return self.mean(s.number["scans"] for s in self.seconds)

    def missed(self):
        return sum(s.number["missed"] for s in self.seconds)

    def saturated(self):
        """Quarters that are read at least as often as the monitor looks."""
        return [quarter for quarter, region in enumerate(self.regions())
                if region[3] and region[3] >= self.scans()]

    def cpu_percent(self):
        spent = sum(s.number["cpu_ns"] for s in self.seconds)
        return 100 * spent / sum(s.number["end"] - s.number["start"] for s in self.seconds)

    def scan_ms(self):
        return sum(s.number["scan_ns"] for s in self.seconds) / sum(s.number["scans"] for s in self.seconds) / 1e6

    def ns_per_page(self):
        pages = int(self.buffer["pages"]) / self.seconds[0].number["sample"]
        return self.scan_ms() * 1e6 / pages

    def write(self, path):
        with open(path, "w") as out:
            out.write("second,start_ns,end_ns,scans,missed,cpu_ns,scan_ns,present,young,sweeps_0,sweeps_1,"
                      "expected_0,expected_1," + ",".join(f"{kind}_{q}" for q in range(4)
                                                          for kind in ("mean", "least", "most")) + "\n")
            for i, s in enumerate(self.seconds, 1):
                n = s.number
                cells = [i, n["start"], n["end"], n["scans"], n["missed"], n["cpu_ns"], n["scan_ns"], n["present"],
                         n["young"], *s.sweeps, s.expected(0), s.expected(1)]
                for q in range(4):
                    cells += [f"{s.means[q]:.4f}", s.least[q], s.most[q]]
                out.write(",".join(map(str, cells)) + "\n")

    def write_bins(self, path):
        with open(path, "w") as out:
            out.write("second," + ",".join(f"bin_{i}" for i in range(len(self.seconds[0].bins))) + "\n")
            for i, s in enumerate(self.seconds, 1):
                out.write(f"{i}," + ",".join(f"{value:g}" for value in s.bins) + "\n")


def take_all(lines, runs, progress):
    """Lines of one boot to the runs, by name; returns the conditions."""
    conditions, now, ended = {}, None, False
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "cond":
            key, _, value = rest.partition(" ")
            conditions[key.replace("_", " ")] = value
        elif kind == "begin":
            now = runs[rest]
            progress(rest)
        elif kind == "fail":
            raise kernels.Error(f"the experiment stopped: {rest}")
        elif kind == "end":
            ended = True
        elif now:
            now.take(kind, rest)
    if not ended:
        raise kernels.Error("the guest ended early")
    return conditions
