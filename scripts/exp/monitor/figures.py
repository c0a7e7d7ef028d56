# SPDX-License-Identifier: GPL-2.0
"""The heat map: seconds, virtual addresses, and how often a page was found accessed."""

import plot

MIB = 1 << 20


def matrix(run):
    """Rows are parts of the buffer, from its beginning; columns are seconds."""
    parts = len(run.seconds[0].bins)
    return "\n".join(" ".join(f"{s.bins[part]:g}" for s in run.seconds) for part in range(parts))


def heat_script(run, kind, path):
    bytes_ = int(run.buffer["pages"]) * int(run.buffer["page_bytes"])
    parts, va = len(run.seconds[0].bins), int(run.buffer["va"], 16)
    tics = ", ".join(f"'{va + i * bytes_ // 4:#x}' {i * bytes_ / 4 / MIB}" for i in range(5))
    limit = round(1000 / run.interval_ms)
    high = len(run.seconds) + 0.5
    quarters = "\n".join(f"set arrow from 0.5,{i * bytes_ / 4 / MIB} to {high},{i * bytes_ / 4 / MIB} nohead front "
                         f"linewidth 0.7 dashtype 3 linecolor rgb 'white'" for i in range(1, 4))
    return f"""$counts << EOD
{matrix(run)}
EOD
set terminal {plot.TERMINALS[kind]}
set output {plot.quoted(path)}
set title {plot.quoted(title(run))}
set xlabel {plot.quoted('seconds')}
set ylabel {plot.quoted(f'virtual address (a quarter is {bytes_ / 4 / MIB:g} MiB)')} offset -0.5,0
set cblabel {plot.quoted(f'scans of {limit} a second that found the page accessed')}
set xrange [0.5:{high}]
set yrange [0:{bytes_ / MIB}]
set cbrange [0:{limit}]
set xtics {'(1, 20, 40, 60, 80, 100, 120)' if len(run.seconds) == 120 else 'nomirror'}
set ytics ({tics})
set tics out nomirror
set border 3
set palette defined (0 '#000004', 1 '#3b0f70', 2 '#8c2981', 3 '#de4968', 4 '#fe9f6d', 5 '#fcfdbf')
{quarters}
{labels(note(run))}
plot $counts matrix using (1+$1):(($2+0.5)*{bytes_ / MIB / parts}):3 with image notitle
"""


def title(run):
    mib = int(run.buffer["pages"]) * int(run.buffer["page_bytes"]) / MIB
    return (f"Accesses to {mib:g} MiB, pages of {int(run.buffer['page_bytes']) // 1024} KiB, "
            f"scanned every {run.interval_ms} ms")


def note(run):
    """In the dark half, where it hides nothing."""
    hot, second = run.rates
    yield f"{hot:.0f} sweeps per second of the first quarter,"
    yield f"{second:.0f} of the second (asked for: one every {run.pace_ms} ms)"
    if len(run.saturated()) == 2:
        yield "both SATURATED, found by every scan: looks the same"
    elif run.saturated():
        yield f"saturated: the {'first' if run.saturated() == [0] else 'second'} quarter, found by every scan"


def labels(lines):
    return "\n".join(f"set label {i + 1} {plot.quoted(line)} at graph 0.5, graph {0.94 - 0.065 * i:.3f} center front "
                     f"textcolor rgb 'white'" for i, line in enumerate(lines))


def draw_heat(run, out, name):
    return plot.draw(out, name, lambda kind, path: heat_script(run, kind, path))
