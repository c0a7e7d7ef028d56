# SPDX-License-Identifier: GPL-2.0
"""Line graphs on linear axes, drawn by gnuplot."""

from plot import COLOURS, POINTS, TERMINALS, draw, quoted


def script(title, labels, series, kind, path):
    """labels: (x, y); series: [(name, [(x, y)])]. Few points are marked."""
    blocks, lines = [], []
    for i, (name, points) in enumerate(series):
        blocks.append(f"$d{i} << EOD\n" + "".join(f"{x:.9g} {y:.9g}\n" for x, y in points) + "EOD\n")
        how = "lines" if len(points) > 20 else f"linespoints pointsize 1 pointtype {POINTS[i % len(POINTS)]}"
        lines.append(f"$d{i} using 1:2 with {how} linewidth 1.4 linecolor rgb '{COLOURS[i % len(COLOURS)]}' "
                     f"title {quoted(name)}")
    return "".join(blocks) + f"""
set terminal {TERMINALS[kind]}
set output {quoted(path)}
set title {quoted(title)}
set xlabel {quoted(labels[0])} offset 0,0.4
set ylabel {quoted(labels[1])}
set yrange [0:*]
set grid xtics ytics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set border 3
set rmargin 5
set tics nomirror
set key outside below horizontal Left reverse samplen 2 maxcols 3 width 1 spacing 1.2
plot """ + ", \\\n     ".join(lines) + "\n"


def graph(directory, name, title, labels, series, kinds=("png", "pdf")):
    """Write name.png, name.pdf, ... to directory; returns their names."""
    return draw(directory, name, lambda kind, path: script(title, labels, series, kind, path), kinds)
