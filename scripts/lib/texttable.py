# SPDX-License-Identifier: GPL-2.0
"""Tables as text, and reports that are templates with such tables in them."""

import os


def markdown(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def show(title, header, rows):
    """Prints a table in columns."""
    lines = [[str(cell) for cell in line] for line in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    print(f"\n{title}")
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def fill(template, values, path):
    """Writes to path, which is never half written, a template with each @KEY@ replaced."""
    with open(template, encoding="utf-8") as text:
        made = text.read()
    for key, value in values.items():
        made = made.replace(f"@{key}@", value)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write(made)
    os.rename(path + ".new", path)
