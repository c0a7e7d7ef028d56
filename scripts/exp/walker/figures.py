# SPDX-License-Identifier: GPL-2.0
"""The figures: where memory is, and how long a translation takes."""

import math

import plot
from data import SCHEMES, WAYS

MIB = 1 << 20
# More points than that make a PDF that is slow to open; then every n-th page is drawn.
MOST_POINTS = 8192
ZOOMED_PAGES = 1024
PART1_TITLE = "Paging-Lab-Pagemap-Lat-CDF"
PART2_TITLE = "Paging-Lab-Kernel-Lat-CDF"
CAPTIONS = {
    PART1_TITLE: "Latency of one translation through /proc/PID/pagemap, by how the file is used",
    PART2_TITLE: "Latency of one translation by the kernel's own walk of the page table",
}


def every_nth_page(runs, page, step, most):
    """(VA, PA) of every step-th page of the first most ones."""
    index, wanted = 0, 0
    for va, pa, pages in runs:
        while wanted < min(index + pages, most):
            yield va + (wanted - index) * page, pa + (wanted - index) * page
            wanted += step
        index += pages


def panel(number, points, origin, length, title):
    body = "\n".join(f"{(va - origin) / MIB:.6f} {pa / MIB:.6f}" for va, pa in points)
    return f"$d{number} << EOD\n{body}\nEOD\n", (
        f"set title {plot.quoted(title)}\nset xrange [0:{length / MIB}]\nset xtics {length / MIB / 4}\n"
        f"set xlabel 'virtual address: MiB above {origin:#x}'\nset ylabel 'physical address (MiB)'\n"
        f"plot $d{number} with points pointtype 5 pointsize 0.2 linecolor rgb '{plot.COLOURS[0]}' notitle\n")


def layout_script(layout, kind, path):
    page, pages, origin = layout.number("page_bytes"), layout.number("pages"), layout.runs[0][0]
    step = math.ceil(pages / MOST_POINTS)
    zoomed = min(ZOOMED_PAGES, pages)
    length = math.ceil((layout.runs[-1][0] + layout.runs[-1][2] * page - origin) / (64 * MIB)) * 64 * MIB
    whole = panel(0, every_nth_page(layout.runs, page, step, pages), origin, length,
                  f"one page of {step}" if step > 1 else "all of it")
    zoom = panel(1, every_nth_page(layout.runs, page, 1, zoomed), origin, zoomed * page, f"the first {zoomed} pages")
    title = (f"{SCHEMES[layout.scheme]}: {layout.number('bytes') / MIB:g} MiB, {pages} pages of "
             f"{page // 1024} KiB in {layout.number('runs')} physical runs")
    return f"""{whole[0]}{zoom[0]}
set terminal {plot.TERMINALS[kind]}
set output {plot.quoted(path)}
set multiplot layout 1,2 title {plot.quoted(title)}
set border 3
set tics nomirror
set rmargin 4
set grid linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
{whole[1]}{zoom[1]}unset multiplot
"""


def draw_layout(layout, out, name):
    return plot.draw(out, name, lambda kind, path: layout_script(layout, kind, path))


def cdf_points(values):
    """Percentile at each latency in microseconds; 0 ns, below the clock's step, is drawn at half a ns."""
    total, done, points = sum(count for _, count in values), 0, []
    for ns, count in values:
        points.append((max(ns, 0.5) / 1000, 100 * done / total))
        done += count
        points.append((max(ns, 0.5) / 1000, 100 * done / total))
    return points


def cdf_script(title, latency, names, kind, path):
    blocks, lines = [], []
    for i, name in enumerate(names):
        points = cdf_points(latency.values[name])
        blocks.append(f"$d{i} << EOD\n" + "\n".join(f"{x:.6g} {y:.6f}" for x, y in points) + "\nEOD\n")
        lines.append(f"$d{i} with lines linewidth 2 linecolor rgb '{plot.COLOURS[i]}' "
                     f"title {plot.quoted(WAYS[name][0])}")
    # The slowest of a thousand had an interrupt, and would squeeze all the rest.
    low = min(latency.percentile(name, 0.1) for name in names) / 1000 / 1.5
    high = max(latency.percentile(name, 99.9) for name in names) / 1000 * 1.5
    return "".join(blocks) + f"""
set terminal {plot.TERMINALS[kind]}
set output {plot.quoted(path)}
set title {plot.quoted(title)}
set xlabel 'latency of a translation (microseconds)' offset 0,0.4
set xtics ({plot.ytics(max(low, 1e-4), high)})
set ylabel 'percentile'
set logscale x
set xrange [{max(low, 1e-4)}:{high}]
set yrange [0:100]
set ytics 10
set grid linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set border 3
set tics nomirror
set key outside below vertical Left reverse samplen 2 maxcols 1 spacing 1.2
plot """ + ", \\\n     ".join(lines) + "\n"


def draw_cdf(title, latency, part, out):
    names = [name for name, (_, where) in WAYS.items() if where == part]
    return plot.draw(out, title, lambda kind, path: cdf_script(title, latency, names, kind, path))
