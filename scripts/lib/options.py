# SPDX-License-Identifier: GPL-2.0
"""The command line of an experiment."""

import argparse
import os

import kernels


class Parser(argparse.ArgumentParser):
    """Takes --help from the program's docstring, and says what is wrong in one sentence."""

    def __init__(self, program, doc):
        super().__init__(prog="scripts/exp/" + program, allow_abbrev=False, description=doc,
                         formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message):
        raise kernels.Error(f"{message}; see --help", 2)


def number(low, high):
    """A type for add_argument(): an int from low to high."""
    def convert(text):
        value = int(text)
        if not low <= value <= high:
            raise ValueError
        return value
    return convert


def report_parser(program, doc, results=""):
    """That of a program that fills a lab report from the results of runs."""
    made = Parser(program, doc)
    made.add_argument("--results", metavar="DIR", default=os.path.join(kernels.ROOT, "results", results))
    made.add_argument("--out", metavar="DIR", default=os.path.join(kernels.ROOT, "Documentation", "lab-reports"))
    return made
