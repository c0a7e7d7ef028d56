# SPDX-License-Identifier: GPL-2.0
"""The graphs: bars for each case and policy, and what is resident over time."""

import bench
import plot
from five import Case

KINDS = ("png", "svg", "pdf")
# key of a run: (title, label of the axis). With the simulated ones for the miss ratio.
BARS = {
    "miss": ("Miss ratio, mean of the five processes", "misses, % of the touches"),
    "touches_s": ("Touches a second, all five processes", "touches a second (virtual time)"),
    "scan_steal": ("Pages scanned for each one reclaimed", "pgscan / pgsteal"),
    "fidelity": ("Share of the resident set that exact LRU would hold", "%"),
}
# The same of the benchmark: and {what it is in its figures, a sum of several with +: how it is called}.
COSTS = {
    "ns_page": ("Memory got and given back", "ns a page (virtual time)", {"allocate": "got", "free": "given back"}),
    "bench_faults": ("Page faults, memory got and touched again and again", "faults", {"minor+major": "faults"}),
    "bench_cpu": ("CPU time of kswapd and of the harvester meanwhile", "% of a CPU", {"kswapd_pct": "kswapd", "klrud_pct": "harvester"}),
}
# Many small graphs in one.
SMALL = {
    "png": "pngcairo noenhanced size 1800,900 font 'DejaVu Sans,13' linewidth 1.5 background 'white'",
    "pdf": "pdfcairo noenhanced size 26cm,13cm font 'DejaVu Sans,8' linewidth 1",
    "svg": "svg noenhanced size 1300,650 font 'DejaVu Sans,10' dynamic background 'white'",
}
SIMULATED = {"sim_lru": "simulated exact LRU", "sim_opt": "simulated OPT", "sim_random": "simulated random victim"}


def bars_script(text, labels, groups, series, kind, path):
    """series: [(name, [(median, min, max) or None of each group])]"""
    blocks, lines = [], []
    width = 0.86 / len(series)
    for i, (_, values) in enumerate(series):
        rows = [f"{x - 0.43 + (i + 0.5) * width:.4f} {mid:.9g} {low:.9g} {high:.9g}"
                for x, (mid, low, high) in ((x, v) for x, v in enumerate(values) if v)]
        blocks.append(f"$d{i} << EOD\n" + "\n".join(rows) + "\nEOD\n")
    for i, (name, values) in enumerate(series):
        if any(values):
            colour = plot.COLOURS[i] if i < len(plot.COLOURS) else "#444444"
            lines.append(f"$d{i} using 1:2:({width * 0.92:.4f}) with boxes fillstyle solid 0.85 noborder "
                         f"linecolor rgb '{colour}' title {plot.quoted(name)}")
            if any(low != high for _, low, high in filter(None, values)):
                lines.append(f"$d{i} using 1:2:3:4 with yerrorbars pointtype 0 linewidth 1 linecolor rgb '#222222' notitle")
    tics = ", ".join(f"{plot.quoted(group)} {x}" for x, group in enumerate(groups))
    return "".join(blocks) + f"""
set terminal {plot.TERMINALS[kind]}
set output {plot.quoted(path)}
set title {plot.quoted(text)}
set ylabel {plot.quoted(labels)}
set xrange [-0.6:{len(groups) - 0.4}]
set yrange [0:*]
set xtics ({tics}) rotate by -20 nomirror
set grid ytics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set border 3
set tics nomirror
set rmargin 10
set errorbars 0.4
set key outside below horizontal Left reverse samplen 1 maxcols 4 width 1 spacing 1.2
plot """ + ", \\\n     ".join(lines) + "\n"


def reference(data, case):
    """The policy whose frames the simulated ones beside have."""
    return next((policy for policy in ("lru", *data.policies) if data.spread(case, policy, "sim_lru")), "lru")


def draw_bars(where, title, label, groups, series):
    """where: (directory, name, kinds of files); the name, or None if there is nothing to draw."""
    out, name, kinds = where
    if not any(value for _, values in series for value in values):
        return None
    plot.draw(out, name, lambda kind, path: bars_script(title, label, groups, series, kind, path), kinds)
    return name


def bars(data, out, key, name=None, kinds=KINDS):
    series = [(policy, [data.spread(case, policy, key) for case in data.cases]) for policy in data.policies]
    if key == "miss":
        series += [(title, [data.spread(case, reference(data, case), sim) for case in data.cases])
                   for sim, title in SIMULATED.items()]
    groups = [case.replace(":", " ") for case in data.cases]
    return draw_bars((out, name or key, kinds), *BARS[key], groups, series)


def cost_bars(data, out, key, name=None, kinds=KINDS):
    """What the benchmark of memory says, alone and beside a load; one value each."""
    groups, columns = [], []
    for load, beside in bench.BESIDE.items():
        for values, title in COSTS[key][2].items():
            groups.append(f"{title}, {'beside ' + beside.partition(' that')[0] if load else 'alone'}")
            columns.append((load, values.split("+")))
    def value(policy, load, names):
        got = data.bench.get("bench", policy, load)
        return (sum(got[one] for one in names),) * 3 if all(one in got for one in names) else None
    series = [(policy, [value(policy, *column) for column in columns]) for policy in data.bench.policies()]
    return draw_bars((out, name or key, kinds), *COSTS[key][:2], groups, series)


def panel(number, lines, title, axis):
    blocks = "".join(f"$p{number}_{i} << EOD\n" + "\n".join(f"{ms / 1000:g} {value:.2f}" for ms, value in points) + "\nEOD\n"
                     for i, points in enumerate(lines))
    plots = ", ".join(f"$p{number}_{i} using 1:2 with lines linewidth 1.5 linecolor rgb '{plot.COLOURS[i % 7]}' "
                      f"title {plot.quoted(str(i + 1))}" for i in range(len(lines)))
    return blocks, f"set title {plot.quoted(title)}\nset ylabel {plot.quoted(axis)}\nplot {plots}\n"


def series_script(text, panels, columns, kind, path):
    """panels: [(title, label, [points of a line])], row by row."""
    made = [panel(i, lines, title, axis) for i, (title, axis, lines) in enumerate(panels)]
    return "".join(blocks for blocks, _ in made) + f"""
set terminal {SMALL[kind]}
set output {plot.quoted(path)}
set multiplot layout {len(panels) // columns},{columns} title {plot.quoted(text)}
set yrange [0:105]
set xlabel 's'
set border 3
set tics nomirror
set grid linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set key bottom right horizontal samplen 1 spacing 1
""" + "".join(commands for _, commands in made) + "unset multiplot\n"


def resident(data, out, case):
    """Of the first seed: a column for each policy, hot parts above, cold parts below."""
    runs = [run for policy in data.policies for run in data.runs
            if (run.case, run.policy) == (case, policy) and run.series and run.seed == 1]
    if not runs:
        return None
    panels = []
    for part, axis in ((0, "hot part, % resident"), (1, "cold part, % resident")):
        for run in runs:
            # The fifth process has no cold part.
            processes = range(len(run.processes) - part)
            lines = [[(ms, found[process][part]) for ms, found in run.series] for process in processes]
            panels.append((run.policy, axis, lines))
    name = "resident-" + case.replace(":", "-").replace("/", "-")
    title = f"{Case(case).title()}: what is resident of each process (1 to 5)"
    plot.draw(out, name, lambda kind, path: series_script(title, panels, len(runs), kind, path), KINDS)
    return name


def draw(data, out):
    """Names of the graphs that could be drawn."""
    made = [bars(data, out, key) for key in BARS] + [cost_bars(data, out, key) for key in COSTS]
    made += [resident(data, out, case) for case in data.cases]
    return [name for name in made if name]
