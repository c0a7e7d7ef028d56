# SPDX-License-Identifier: GPL-2.0
"""The figures: where memory is, and how long a translation takes."""

import math

import plot
from data import SCHEMES, WAYS

MIB = 1 << 20
# More than that many lines make a PDF that nobody can open; then every n-th is drawn.
MOST_RUNS = 20000
PART1_TITLE = "Paging-Lab-Pagemap-Lat-CDF"
PART2_TITLE = "Paging-Lab-Kernel-Lat-CDF"
CAPTIONS = {
    PART1_TITLE: "Latency of one translation through /proc/PID/pagemap, by how the file is used",
    PART2_TITLE: "Latency of one translation by the kernel's own walk of the page table",
}


def segments(runs, page, origin):
    """Lines from the first to the last page of each run, in MiB."""
    lines = []
    for va, pa, pages in runs:
        x, y, length = (va - origin) / MIB, pa / MIB, pages * page / MIB
        lines.append(f"{x:.6f} {y:.6f}\n{x + length:.6f} {y + length:.6f}\n\n")
    return "$d{} << EOD\n{}EOD\n", "".join(lines)


def panel(number, runs, page, origin, title):
    opening, body = segments(runs, page, origin)
    return opening.format(number, body), (
        f"set title {plot.quoted(title)}\n"
        f"set xlabel 'virtual address, MiB above {origin:#x}'\nset ylabel 'physical address, MiB'\n"
        f"plot $d{number} with lines linewidth 2 linecolor rgb '{plot.COLOURS[0]}' notitle\n")


def first_pages(runs, page, wanted):
    made = []
    for va, pa, pages in runs:
        take = min(pages, wanted)
        made.append((va, pa, take))
        wanted -= take
        if not wanted:
            break
    return made


def layout_script(layout, kind, path):
    page = layout.number("page_bytes")
    origin = layout.runs[0][0]
    every = math.ceil(len(layout.runs) / MOST_RUNS)
    zoomed = min(1024, layout.number("pages"))
    whole = panel(0, layout.runs[::every], page, origin, "all of it" + (f" (one run of {every})" if every > 1 else ""))
    zoom = panel(1, first_pages(layout.runs, page, zoomed), page, origin, f"the first {zoomed} pages")
    title = (f"{SCHEMES[layout.scheme]}: {layout.number('bytes') / MIB:g} MiB, {layout.number('pages')} pages of "
             f"{page // 1024} KiB in {layout.number('runs')} physical runs")
    return f"""{whole[0]}{zoom[0]}
set terminal {plot.TERMINALS[kind]}
set output {plot.quoted(path)}
set multiplot layout 1,2 title {plot.quoted(title)}
set border 3
set tics nomirror
set xtics rotate by -30
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
        # The slowest one in ten thousand is an interrupt, and would squeeze all the rest.
        blocks.append(f"$d{i} << EOD\n" + "\n".join(f"{x:.6g} {y:.6f}" for x, y in points) + "\nEOD\n")
        lines.append(f"$d{i} with lines linewidth 2 linecolor rgb '{plot.COLOURS[i]}' title {plot.quoted(WAYS[name][0])}")
    low = min(latency.percentile(name, 0.1) for name in names) / 1000 / 1.5
    high = max(latency.percentile(name, 99.9) for name in names) / 1000 * 1.5
    return "".join(blocks) + f"""
set terminal {plot.TERMINALS[kind]}
set output {plot.quoted(path)}
set title {plot.quoted(title)}
set xlabel 'latency of a translation (microseconds)'
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
