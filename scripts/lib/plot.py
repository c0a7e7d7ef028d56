# SPDX-License-Identifier: GPL-2.0
"""Graphs drawn by gnuplot; those with error bars on logarithmic axes are made here."""

import math
import os
import shutil
import subprocess

# Told apart also by colour-blind readers (Okabe and Ito) and by their point type.
COLOURS = ["#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#009e73", "#999999", "#cc79a7"]
POINTS = [7, 6, 5, 4, 9, 8, 13]

TERMINALS = {
    "png": "pngcairo noenhanced size 1400,940 font 'DejaVu Sans,20' linewidth 2 background 'white'",
    "pdf": "pdfcairo noenhanced size 16cm,11cm font 'DejaVu Sans,10' linewidth 1.2",
    "svg": "svg noenhanced size 840,560 font 'DejaVu Sans,13' dynamic background 'white'",
}


class Missing(Exception):
    pass


def check():
    if not shutil.which("gnuplot"):
        raise Missing("gnuplot is missing: run scripts/deps, which installs what is needed")


# Side by side, so that the bars of one size do not hide each other.
DODGE = 1.02


def datablock(number, points, shift):
    lines = [f"{x * DODGE ** shift:.6g} {y:.9g} {low:.9g} {high:.9g}" for x, y, low, high in points]
    return f"$d{number} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def ytics(low, high):
    """1, 2, 5, 10, ... where that fits; powers of ten over a wide range."""
    steps = (1, 2, 5) if high / low < 2000 else (1,)
    marks, unit = [], 10.0 ** math.floor(math.log10(low))
    while unit <= high:
        marks += [f"'{step * unit:g}' {step * unit:g}" for step in steps if low <= step * unit <= high]
        unit *= 10
    return ", ".join(marks)


def script(title, xlabel, ylabel, series, kind, path):
    """series: [(name, [(x, y, low, high)])]; low must be above 0."""
    xs = sorted({point[0] for _, points in series for point in points})
    tics = ", ".join(f"'{x}' {x}" for x in xs)
    low = min(point[2] for _, points in series for point in points) / 1.3
    high = max(point[3] for _, points in series for point in points) * 1.3
    head = f"""
set terminal {TERMINALS[kind]}
set output {quoted(path)}
set title {quoted(title)}
set xlabel {quoted(xlabel)} offset 0,0.4
set ylabel {quoted(ylabel)}
set logscale xy
set xrange [{xs[0] / 1.25}:{xs[-1] * 1.25}]
set xtics ({tics})
set yrange [{low}:{high}]
set ytics ({ytics(low, high)})
set grid xtics ytics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set border 3
set tics nomirror
set key outside below horizontal Left reverse samplen 2 maxcols 3 width 1 spacing 1.2
set errorbars 0.6
"""
    lines = []
    for i, (name, _) in enumerate(series):
        lines.append(f"$d{i} using 1:2:3:4 with yerrorlines linewidth 1.4 pointsize 1 "
                     f"linecolor rgb '{COLOURS[i % len(COLOURS)]}' "
                     f"pointtype {POINTS[i % len(POINTS)]} title {quoted(name)}")
    middle = (len(series) - 1) / 2
    blocks = "".join(datablock(i, points, i - middle) for i, (_, points) in enumerate(series))
    return blocks + head + "plot " + ", \\\n     ".join(lines) + "\n"


def graph(directory, name, title, xlabel, ylabel, series, kinds=("png", "pdf")):
    """Write name.png, name.pdf, ... to directory; returns their names."""
    return draw(directory, name, lambda kind, path: script(title, xlabel, ylabel, series, kind, path), kinds)


def draw(directory, name, make_script, kinds=("png", "pdf")):
    """The same for any graph: make_script(kind, path) gives what gnuplot is told."""
    made = []
    for kind in kinds:
        path = os.path.join(directory, f"{name}.{kind}")
        text = make_script(kind, path)
        done = subprocess.run(["gnuplot"], input=text, text=True, capture_output=True, check=False)
        if done.returncode or not os.path.exists(path):
            raise Missing(f"gnuplot could not draw {name}.{kind}: {done.stderr.strip()}")
        made.append(os.path.basename(path))
    return made
