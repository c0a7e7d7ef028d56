# SPDX-License-Identifier: GPL-2.0
"""patches/ from a State: pure, and the same bytes from any version of git."""

import os
import re
import tempfile

from kernels import Error
import series_git
from series_repo import Hook, load, own_files, recipes

COVER = "Documentation/series/cover-letter.txt"
AUTHOR = "From: %s <%s>" % series_git.IDENTITY
HEAD = "From %s Mon Sep 17 00:00:00 2001\n" % ("0" * 40)


def compose(state):
    """{name: bytes} of all that belongs into patches/."""
    series = recipes(state)
    changes = own_changes(series, state)
    patches, whole = {}, {}
    for recipe, own in zip(series, changes[:-1]):
        sections = sorted([(hook.path, hook) for hook in recipe.hooks] + list(own.items()))
        if not sections:
            raise Error("%s.txt changes nothing: it names no file and has no .diff." % recipe.path)
        if len({path for path, _ in sections}) != len(sections):
            raise Error("%s: one file twice in one patch." % recipe.path)
        patches[recipe.name + ".patch"] = patch(recipe, sections)
        add_up(whole, [(path, hook) for path, hook in sections if path not in changes[-1]])
    add_up(whole, changes[-1].items())
    if COVER in state:
        patches["cover-letter.txt"] = cover(state[COVER][1].decode(), series, whole)
    return patches


def write_patches(root):
    """Make patches/ what compose() says, and nothing more; the number of patches."""
    patches = compose(load(root))
    folder = os.path.join(root, "patches")
    os.makedirs(folder, exist_ok=True)
    for name, content in patches.items():
        write_file(os.path.join(folder, name), content)
    for name in sorted(set(os.listdir(folder)) - set(patches)):
        os.unlink(os.path.join(folder, name))
    return sum(name.endswith(".patch") for name in patches)


def write_file(path, content, mode=0o644):
    """Whole or not at all; a file that has the content already keeps its time."""
    if os.path.exists(path) and open(path, "rb").read() == content and os.stat(path).st_mode & 0o777 == mode:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".tmp", "wb") as out:
        out.write(content)
    os.chmod(path + ".tmp", mode)
    os.rename(path + ".tmp", path)


def own_changes(series, state):
    """For each recipe, and at last for all together: {kernel path: its diff as a Hook}."""
    commits, mark = [], 0
    for recipe in series + [None]:
        own = own_files(recipe, state) if recipe else {}
        mark += 1
        lines = [b"commit refs/heads/series\nmark :%d\ncommitter x <x> 0 +0000\ndata 0\n" % mark]
        for path, (mode, content) in sorted(own.items()):
            lines.append(b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), path.encode(), len(content), content))
        commits.append(b"".join(lines) + b"\n")
    with tempfile.TemporaryDirectory() as scratch:
        git = series_git.init(scratch, bare=True)
        git.run("fast-import", "--quiet", "--export-marks=marks", stdin=b"".join(commits))
        with open(scratch + "/marks") as marks:
            ids = dict(line.split() for line in marks)
        ids = [ids[":%d" % (n + 1)] for n in range(len(series))]
        empty = git.text("mktree", stdin=b"")
        pairs = list(zip([empty] + ids[:-1], ids)) + [(empty, ids[-1] if ids else empty)]
        return [diff(git, old, new) for old, new in pairs]


def diff(git, old, new):
    text = git.run("diff", "--no-ext-diff", "--no-textconv", "--full-index", "--no-renames", "--no-color",
                   "--diff-algorithm=myers", "--indent-heuristic", "--src-prefix=a/", "--dst-prefix=b/",
                   "-U3", "--inter-hunk-context=0", old, new).stdout.decode("utf-8")
    sections = {}
    for part in re.split(r"(?m)^(?=diff --git )", text)[1:]:
        path = re.match(r"diff --git a/(\S+) ", part).group(1)
        sections[path] = Hook(path, part, "compose")
    return sections


def patch(recipe, sections):
    totals = {}
    add_up(totals, sections)
    text = "".join(hook.text for _, hook in sections)
    mime = "" if (recipe.body + text).isascii() else (
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n")
    return "".join([HEAD, AUTHOR, "\nDate: ", recipe.date, "\nSubject: [PATCH] ", recipe.subject, "\n", mime, "\n",
                    recipe.body, "---\n", diffstat(totals), "\n", text]).encode()


def add_up(totals, sections):
    """Add to {path: [added, removed, line for the summary or None]}."""
    for path, hook in sections:
        signs = [sign for sign, _ in hook.lines()]
        entry = totals.setdefault(path, [0, 0, None])
        entry[0] += signs.count("+")
        entry[1] += signs.count("-")
        created = re.search(r"(?m)^new file mode (\d+)$", hook.text.split("\n@@")[0])
        if created:
            entry[2] = " create mode %s %s\n" % (created.group(1), path)


def diffstat(totals):
    """What `git diff --stat --summary` prints, about."""
    width = max(len(path) for path in totals)
    most = max(added + removed for added, removed, _ in totals.values())
    digits = len(str(most))
    room = max(10, 72 - width - digits - 5)
    lines = []
    for path, (added, removed, _) in sorted(totals.items()):
        plus, minus = (n if most <= room else -(-n * room // most) for n in (added, removed))
        graph = "+" * plus + "-" * minus
        lines.append((" %-*s | %*d %s" % (width, path, digits, added + removed, graph)).rstrip() + "\n")
    plus, minus = (sum(t[i] for t in totals.values()) for i in (0, 1))
    total = " %s changed" % count(len(totals), "file")
    if plus or not minus:
        total += ", %s(+)" % count(plus, "insertion")
    if minus or not plus:
        total += ", %s(-)" % count(minus, "deletion")
    return "".join(lines) + total + "\n" + "".join(t[2] for _, t in sorted(totals.items()) if t[2])


def count(number, noun):
    return "%d %s%s" % (number, noun, "" if number == 1 else "s")


def cover(template, series, whole):
    """The template with @SHORTLOG@ and @DIFFSTAT@ filled in."""
    shortlog = "%s (%d):\n%s" % (series_git.IDENTITY[0], len(series), "".join("  %s\n" % r.subject for r in series))
    diffs = diffstat(whole) if whole else ""
    return template.replace("@SHORTLOG@\n", shortlog).replace("@DIFFSTAT@\n", diffs).encode()
