# SPDX-License-Identifier: GPL-2.0
"""The ways to get memory that the experiments compare."""


class Mode:
    def __init__(self, name, title, source="paging", demand=1, fault="page", prepage="chunks", pmd="Y"):
        self.name = name
        self.title = title
        self.fields = f"{source} {demand} {fault} {prepage} {pmd}"

    def plan(self, program, size, run):
        return f"{program} {self.name} {self.fields} {size} {run}"


MODES = [
    Mode("demand", "demand paging"),
    Mode("demand_64k", "demand, 64 KiB blocks", fault="65536"),
    Mode("prepage_single", "pre-paged, single pages", demand=0, prepage="single"),
    Mode("prepage_chunks", "pre-paged, chunks", demand=0),
    Mode("anonymous", "anonymous memory", source="anonymous"),
    Mode("populate", "anonymous, MAP_POPULATE", source="populate"),
]
BY_NAME = {mode.name: mode for mode in MODES}
PREPAGED = ["prepage_single", "prepage_chunks"]
