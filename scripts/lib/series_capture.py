# SPDX-License-Identifier: GPL-2.0
"""build/tree: the series as commits to work in, and the way back.

`captured()` computes from the commits what the folders, recipes and hooks
have to be. The State that the tree was made from is kept in its repository,
at SNAPSHOT: comparing with it tells what was edited in the tree, and what
was edited in the folders meanwhile.
"""

import email.utils
import os
import re
import tempfile

from kernels import BUILD, Error, ROOT
import series_base
import series_git
from series_cli import alone
from series_compose import compose, write_file, write_patches
from series_repo import (COMPONENTS, NAME, Recipe, kernel_path, load, message, recipes,
                         repo_path, shipped, split_diff)
from series_tree import am_bare, belongs, check_out, lay_patches

TREE = os.path.join(BUILD, "tree")
SNAPSHOT = "refs/series/snapshot"


def tree():
    """build/tree from the repository; refuses to throw away work that was not captured."""
    state = load(ROOT)
    base = series_base.find()
    with alone():
        if os.path.exists(TREE):
            keep_work()
        commits = make_commits(base, state)
        if belongs(TREE, base):
            git = series_git.Git(TREE)
        else:
            git = first_tree(base)
        git.run("fetch", "-q", commits, "+main:refs/series/made")
        series_git.write_files(git, SNAPSHOT, state)
        git.run("checkout", "-q", "-f", "-B", "main", "refs/series/made")
        series_git.remove(commits)
    print("%s: %s commits on %s" % (TREE, git.text("rev-list", "--count", "base..main"), base.name))


def keep_work():
    git = series_git.Git(TREE)
    try:
        known = snapshot(git)
        uncaptured = captured(git, known) != known
    except Error as error:
        raise Error("%s holds work that is not captured (%s) Run `make capture` first, or remove %s." % (
            TREE, error, TREE))
    if uncaptured:
        raise Error("%s holds work that is not captured: run `make capture` first, or remove %s." % (TREE, TREE))


def untree():
    with alone():
        if os.path.exists(TREE):
            keep_work()
        series_git.remove(TREE)


def make_commits(base, state):
    """A repository with the series as commits, made aside so that a failure leaves build/tree alone."""
    aside = TREE + ".commits"
    series_git.remove(aside)
    with tempfile.TemporaryDirectory() as scratch:
        lay_patches({n: c for n, c in compose(state).items() if n.endswith(".patch")}, scratch)
        am_bare(base, scratch, aside)
    return aside


def first_tree(base):
    temporary = TREE + ".tmp"
    series_git.remove(temporary)
    check_out(base, temporary)
    series_git.remove(TREE)
    os.rename(temporary, TREE)
    return series_git.Git(TREE)


def snapshot(git):
    if not git.ok("rev-parse", "-q", "--verify", SNAPSHOT):
        raise Error("%s was not made by `make tree`." % git.directory)
    return series_git.read_files(git, SNAPSHOT)


def capture():
    """From build/tree to folders, recipes and hooks, and patches/."""
    if not os.path.exists(TREE):
        raise Error("there is no %s: `make tree` makes it." % TREE)
    git = series_git.Git(TREE)
    with alone():
        before = snapshot(git)
        after = captured(git, before)
        now = load(ROOT)
        changed = [p for p in sorted(set(before) | set(after)) if before.get(p) != after.get(p)]
        both = [p for p in changed if now.get(p) != before.get(p) and now.get(p) != after.get(p)]
        if both:
            raise Error("edited both in %s and in the repository since `make tree`: %s. Put aside one of the two." % (
                TREE, ", ".join(both)))
        merged = {path: after.get(path) if path in changed else entry for path, entry in dict(after, **now).items()
                  if path in now or path in changed}
        compose({path: entry for path, entry in merged.items() if entry})
        for path in sorted(p for p in before if p not in changed and now.get(p) != before[p]):
            print("kept %s as it has been edited in the repository since `make tree`" % path)
        for path in changed:
            write(path, after.get(path))
            print("%s %s" % ("removed" if path not in after else "wrote", path))
        number = write_patches(ROOT)
        series_git.write_files(git, SNAPSHOT, after)
    print("captured %d files, %d patches" % (len(changed), number))


def write(path, entry):
    full = os.path.join(ROOT, path)
    if entry:
        write_file(full, entry[1], 0o755 if entry[0] == "100755" else 0o644)
    elif os.path.exists(full):
        os.unlink(full)
        while not os.listdir(os.path.dirname(full)):
            full = os.path.dirname(full)
            os.rmdir(full)


class Commit:
    def __init__(self, git, commit, parent):
        self.id, self.parent = commit, parent
        raw = git.bytes("log", "-1", "--format=%an%x00%ae%x00%aD%x00%s%x00%B", commit).decode().split("\0")
        self.date, self.subject = raw[2], raw[3]
        self.body = message(raw[4].strip("\n").partition("\n")[2]) if "\n" in raw[4].strip() else ""
        self.changes = {}       # path: (mode, blob), (None, None) where it was deleted
        fields = git.bytes("diff-tree", "-r", "-z", "--raw", "--no-renames", parent, commit).decode().split("\0")
        for info, path in zip(fields[::2], fields[1::2]):
            _, mode, _, blob, status = info.lstrip(":").split()
            self.changes[path] = (None, None) if status == "D" else (mode, blob)

    def __str__(self):
        return "commit %s (%s)" % (self.id[:10], self.subject)


def commits_of(git):
    for state in ("rebase-merge", "rebase-apply"):
        if os.path.exists(os.path.join(git.directory, ".git", state)):
            raise Error("a rebase or git am is under way in %s: finish it or abort it." % git.directory)
    if not git.ok("merge-base", "--is-ancestor", "base", "HEAD"):
        raise Error("the commits in %s do not stand on the tag `base` any more." % git.directory)
    if git.text("rev-list", "--merges", "base..HEAD"):
        raise Error("there is a merge in %s; a series is a straight line: rebase it." % git.directory)
    ids = git.text("rev-list", "--reverse", "base..HEAD").split()
    return [Commit(git, new, old) for old, new in zip(["base"] + ids, ids)]


def captured(git, before):
    """The State that the commits and edits of a tree stand for; `before` is what it was made from."""
    commits = commits_of(git)
    touched = {path for commit in commits for path in commit.changes}
    foreign = set(series_git.list_files(git, "base", *touched)) if touched else set()
    edits = working_edits(git, foreign)
    names = {kernel_path(path): path for path in before if shipped(path)}
    last = {}
    for number, commit in enumerate(commits):
        for path, (mode, _) in commit.changes.items():
            if path in foreign:
                continue
            if mode is None:
                raise Error("%s deletes %s, which an earlier commit of the series adds: make them one commit by "
                            "`git rebase -i`." % (commit, path))
            if mode not in ("100644", "100755"):
                raise Error("%s: %s is not a plain file." % (commit, path))
            if not names.setdefault(path, repo_path(path)):
                raise Error("%s adds %s, and no folder of the project holds that: put it below %s." % (
                    commit, path, ", ".join(sorted({t for r in COMPONENTS.values() for _, t in r if t != "include/"}))))
            last[path] = number
    contents = series_git.read_blobs(git, [blob for commit in commits for path, (_, blob) in commit.changes.items()
                                           if path not in foreign])
    old = recipes(before)
    series = match(commits, old)
    name(commits, series, names, foreign)
    named = {path for recipe in old for path in recipe.files}
    after = {path: entry for path, entry in before.items() if not decided(path, named)}
    for number, (commit, recipe) in enumerate(zip(commits, series)):
        for path, (mode, blob) in commit.changes.items():
            if path in foreign:
                continue
            if last[path] == number:
                after[names[path]] = edits.get(path) or (mode, contents[blob])
            else:
                after["%s.d/%s" % (recipe.path, path)] = (mode, contents[blob])
        recipe.files = [names[path] for path in commit.changes if path not in foreign and last[path] == number]
        after[recipe.path + ".txt"] = ("100644", recipe_text(commit, recipe, before).encode())
        hooks = [hook_text(git, commit, path, recipe) for path in in_order(commit, foreign, recipe)]
        if hooks and hooks == [hook.text for hook in recipe.hooks]:
            after[recipe.path + ".diff"] = before[recipe.was.path + ".diff"]
        elif hooks:
            after[recipe.path + ".diff"] = ("100644", "".join(hooks).encode())
    return after


def decided(path, named):
    """Whether capture decides about a file: recipes, hooks, stages, and what a recipe names."""
    component, _, rest = path.partition("/series/")
    if rest and component in COMPONENTS:
        return bool(NAME.match(os.path.splitext(rest.split("/")[0])[0]))
    return path in named


def working_edits(git, foreign):
    """{path: (mode, bytes)} of uncommitted edits to files of ours."""
    edits = {}
    ours = set(git.bytes("diff", "--name-only", "-z", "--no-renames", "base", "HEAD").decode().split("\0")) - foreign
    for entry in git.bytes("status", "--porcelain", "-z", "--no-renames", "-uall").decode().split("\0"):
        if not entry:
            continue
        kind, path = entry[:2], entry[3:]
        full = os.path.join(git.directory, path)
        if path not in ours:
            raise Error("%s has an uncommitted %s, %s: commit it, or amend the commit that it belongs to "
                        "(git commit --fixup, git rebase -i --autosquash)." % (
                            git.directory, "new file" if "?" in kind else "edit of a file of the kernel", path))
        if not os.path.isfile(full):
            raise Error("%s is deleted in %s, but not in a commit: commit that, or restore it." % (path, git.directory))
        with open(full, "rb") as source:
            edits[path] = ("100755" if os.stat(full).st_mode & 0o100 else "100644", source.read())
    return edits


def instant(date):
    return email.utils.parsedate_tz(date)


def match(commits, old):
    """For each commit its recipe: by author date and subject, by date, by subject, or a new one."""
    found, free = {}, list(old)
    for same in (lambda c, r: instant(c.date) == instant(r.date) and c.subject == r.subject,
                 lambda c, r: instant(c.date) == instant(r.date),
                 lambda c, r: c.subject == r.subject):
        for number, commit in enumerate(commits):
            for recipe in free:
                if number not in found and same(commit, recipe):
                    found[number] = recipe
                    free.remove(recipe)
                    break
    series = []
    for number, commit in enumerate(commits):
        recipe = Recipe("", "")
        if number in found:
            recipe.component, recipe.name = found[number].component, found[number].name
            recipe.hooks, recipe.date = found[number].hooks, found[number].date
        recipe.was = found.get(number)
        series.append(recipe)
    return series


def name(commits, series, names, foreign):
    """Components and slugs for new commits; new numbers where the order needs them."""
    taken = {instant(recipe.date) for recipe in series if recipe.was}
    for commit, recipe in zip(commits, series):
        if recipe.was:
            if instant(commit.date) not in taken | {instant(c.date) for c in commits if c is not commit}:
                recipe.date = commit.date
            continue
        recipe.component = component_of([names.get(p) if p not in foreign else p for p in commit.changes])
        words = re.sub(r"[^a-z0-9]+", "-", commit.subject.split(": ")[-1].lower()).strip("-")
        recipe.name = "0000-" + re.sub(r"-[^-]*$", "", words[:41]) if len(words) > 40 else "0000-" + words
        recipe.date = commit.date
        while instant(recipe.date) in taken:
            later = email.utils.parsedate_to_datetime(recipe.date).timestamp() + 60
            recipe.date = email.utils.formatdate(later).replace("-0000", "+0000")
        taken.add(instant(recipe.date))
    numbers = []
    for recipe in series:
        numbers.append(int(recipe.name[:4]) if recipe.was else numbers[-1] + 1 if numbers else 1)
    if any(b <= a for a, b in zip(numbers, numbers[1:])):
        numbers = range(1, len(series) + 1)
    for number, recipe in zip(numbers, series):
        recipe.name = "%04d%s" % (number, recipe.name[4:])


def component_of(paths):
    """The component that most files belong to; hooks count where there are no other files."""
    votes = [p.split("/")[0] for p in paths if p and p.split("/")[0] in COMPONENTS]
    if not votes:
        mm = sum(p.startswith("mm/") for p in paths)
        votes = ["mm-lru" if 2 * mm > len(paths) else "drivers-misc-paging"]
    return max(sorted(set(votes)), key=votes.count)


def recipe_text(commit, recipe, before):
    """The text that the recipe has, if it says the same."""
    recipe.subject, recipe.body = commit.subject, commit.body
    recipe.validate()
    was = recipe.was
    if was and (was.subject, was.body, instant(was.date), sorted(was.files)) == (
            recipe.subject, recipe.body, instant(recipe.date), sorted(recipe.files)):
        return before[was.path + ".txt"][1].decode()
    return recipe.text()


def in_order(commit, foreign, recipe):
    """The existing files that a commit edits, in the order that its hooks have."""
    order = [hook.path for hook in recipe.hooks]
    return sorted((path for path in commit.changes if path in foreign),
                  key=lambda path: (order.index(path) if path in order else len(order), path))


def hook_text(git, commit, path, recipe):
    """The hook as it is written, if it does the same; else as git prints it."""
    for hook in recipe.hooks:
        if hook.path == path and effect(git, commit, hook) == commit.changes[path]:
            return hook.text
    text = git.bytes("diff", "--no-renames", "--no-color", "--no-ext-diff", "--diff-algorithm=myers",
                     commit.parent, commit.id, "--", path).decode()
    text = re.sub(r"(?m)^index [0-9a-f]+\.\.[0-9a-f]+.*\n", "", text)
    try:
        split_diff(text, str(commit))
    except Error:
        raise Error("%s does with %s what a hook cannot: hooks edit lines of existing files." % (commit, path))
    return text


def effect(git, commit, hook):
    """(mode, blob) after a hook on the parent of a commit, None if it does not apply."""
    was = series_git.list_files(git, commit.parent, hook.path).get(hook.path)
    if not was:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": os.path.join(scratch, "index")}
        git.run("update-index", "--add", "--cacheinfo", "%s,%s,%s" % (was + (hook.path,)), **index)
        if git.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=hook.text.encode(),
                   check=False, **index).returncode:
            return None
        mode, blob = git.text("ls-files", "-s", "--", hook.path, **index).split()[:2]
        return mode, blob
