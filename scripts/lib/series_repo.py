# SPDX-License-Identifier: GPL-2.0
"""The one source of truth: folders, recipes and hooks, as they lie in the repository.

A State maps each path of the repository's component folders to (mode, bytes).
Everything else here reads it; nothing here needs a kernel tree.
"""

import os
import re
import tempfile

from kernels import Error
import series_git

# folder: [(prefix in the folder, where it lands in the kernel)], the first that fits
COMPONENTS = {
    "drivers-misc-paging": [("uapi/", "include/uapi/linux/"), ("include/", "include/linux/"), ("", "drivers/misc/paging/")],
    "mm-lru": [("include/", "include/"), ("", "mm/lru_page_list/")],
    "selftests": [("", "tools/testing/selftests/")],
    "Documentation": [("", "Documentation/")],
}
NOT_SHIPPED = ["Documentation/lab-reports/"] + [c + "/series/" for c in COMPONENTS]

NAME = re.compile(r"(\d{4})-[a-z0-9][a-z0-9_.-]*$")
PLAIN = re.compile(r"[A-Za-z0-9._+/-]+$")
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d [+-]\d{4}$")


def shipped(path):
    return not any(path.startswith(prefix) for prefix in NOT_SHIPPED)


def kernel_path(path):
    """Where a shipped file of the repository lands in the kernel."""
    component, rest = path.split("/", 1)
    for prefix, target in COMPONENTS[component]:
        if rest.startswith(prefix):
            return target + rest[len(prefix):]


def repo_path(path):
    """The folder's path for a new file of the kernel, None if no folder holds such."""
    candidates = []
    for component, rules in COMPONENTS.items():
        for prefix, target in rules:
            if path.startswith(target):
                repo = component + "/" + prefix + path[len(target):]
                if shipped(repo) and kernel_path(repo) == path:
                    candidates.append((len(target), repo))
    return max(candidates)[1] if candidates else None


def load(root):
    """The State of a repository, without what its .gitignore names."""
    state = {}
    with tempfile.TemporaryDirectory() as scratch:
        git = series_git.init(scratch, bare=True)
        names = git.bytes("--git-dir", scratch, "--work-tree", root, "-C", root, "ls-files", "-z", "-o",
                          "--exclude-standard", "--", *[c for c in COMPONENTS if os.path.isdir(os.path.join(root, c))])
    for name in sorted(names.decode().split("\0")):
        path = os.path.join(root, name)
        if not name:
            continue
        if not PLAIN.match(name):
            raise Error("%r: the names of files may have letters, digits and ._+-/ only." % name)
        if os.path.islink(path) or not os.path.isfile(path):
            raise Error("%s is not a plain file; the series holds plain files only." % name)
        with open(path, "rb") as source:
            state[name] = ("100755" if os.stat(path).st_mode & 0o100 else "100644", source.read())
    return state


class Hook:
    """The edit of one existing kernel file: a section of a .diff."""

    def __init__(self, path, text, where):
        self.path, self.text, self.where = path, text, where

    def lines(self):
        """('+', line) and ('-', line) of the hunks."""
        left = right = 0
        for line in self.text.split("\n"):
            if left <= 0 and right <= 0:
                found = re.match(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@", line)
                if found:
                    left, right = (int(n) if n else 1 for n in found.groups())
                continue
            if not line.startswith(("+", "-", " ", "\\")):
                line = " " + line
            left -= line[0] in "- "
            right -= line[0] in "+ "
            if line[0] in "+-":
                yield line[0], line[1:]
        if left or right:
            raise Error("%s: a hunk for %s has not as many lines as its @@ line says." % (self.where, self.path))


def split_diff(text, where):
    """The sections of a diff, by file."""
    parts = re.split(r"(?m)^(?=diff --git )", text)
    if parts[0].strip():
        raise Error("%s must begin with a `diff --git a/... b/...` line." % where)
    hooks = []
    for part in parts[1:]:
        head = re.match(r"diff --git a/(\S+) b/(\S+)\n", part)
        if not head or head.group(1) != head.group(2) or "\n+++ b/%s\n" % head.group(1) not in part:
            raise Error("%s: a hook edits an existing file; cannot read the section `%s`." % (
                where, part.split("\n")[0]))
        hooks.append(Hook(head.group(1), part if part.endswith("\n") else part + "\n", where))
    return hooks


class Recipe:
    """One patch: its message, the files it brings, its stages and its hooks."""

    def __init__(self, component, name):
        self.component, self.name = component, name
        self.subject = self.date = self.body = ""
        self.files = []         # paths in the repository, in their final form
        self.stages = {}        # kernel path: (mode, bytes), the form at this patch
        self.hooks = []

    @property
    def path(self):
        return "%s/series/%s" % (self.component, self.name)

    def text(self):
        head = ["Subject: " + self.subject, "Date: " + self.date]
        return "\n".join(head + ["file: " + f for f in sorted(self.files)] + ["", self.body])

    def parse(self, text):
        head, _, body = text.partition("\n\n")
        fields = {"Subject": [], "Date": [], "file": []}
        for line in head.split("\n"):
            key, colon, value = line.partition(": ")
            if not colon or key not in fields:
                raise Error("%s.txt: `%s` is none of Subject:, Date:, file:." % (self.path, line))
            fields[key].append(value.strip())
        for key in ("Subject", "Date"):
            if len(fields[key]) != 1:
                raise Error("%s.txt needs exactly one `%s:` line." % (self.path, key))
        self.subject, self.date, self.files = fields["Subject"][0], fields["Date"][0], fields["file"]
        self.body = message(body)
        self.validate()

    def validate(self):
        where = self.path + ".txt"
        if not self.subject.isascii() or self.subject.startswith("["):
            raise Error("%s: the subject must be ASCII and not begin with `[`." % where)
        if not DATE.match(self.date):
            raise Error("%s: the date must look like `Sat, 21 Nov 2026 08:00:00 +0000`." % where)
        for line in self.body.split("\n"):
            if re.match(r"---|diff -|Index: |From |-- ?>8", line):
                raise Error("%s: git am would end the message at the line `%s`." % (where, line))
        if not re.search(r"(?m)^Signed-off-by: ", self.body):
            raise Error("%s has no Signed-off-by: line." % where)


def message(text):
    """A commit message's body as git stores it."""
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def recipes(state):
    """The recipes of a State in the order of the series."""
    found, owner = {}, {}
    for path in state:
        component, _, rest = path.partition("/series/")
        if component not in COMPONENTS or not rest.endswith(".txt") or not NAME.match(rest[:-4]):
            continue
        recipe = Recipe(component, rest[:-4])
        recipe.parse(decode(state, path))
        number = recipe.name[:4]
        if number in owner:
            raise Error("%s.txt and %s.txt have the same number; give one of them another." % (
                owner[number].path, recipe.path))
        owner[number] = found[recipe.path] = recipe
    for path in state:
        attach(state, path, found)
    return sorted(found.values(), key=lambda recipe: recipe.name)


def attach(state, path, found):
    """Give a .diff or a stage to the recipe that it lies beside."""
    component, _, rest = path.partition("/series/")
    top, slash, inner = rest.partition("/")
    slug, kind = os.path.splitext(top)
    if component not in COMPONENTS or not NAME.match(slug):
        return
    recipe = found.get("%s/series/%s" % (component, slug))
    if recipe is None:
        raise Error("%s has no recipe %s.txt beside it." % (path, slug))
    if kind == ".diff" and not slash:
        recipe.hooks = split_diff(decode(state, path), path)
    elif kind == ".d" and slash:
        recipe.stages[inner] = state[path]
    elif kind != ".txt" or slash:
        raise Error("%s is neither a recipe (.txt), nor hooks (.diff), nor a stage (.d/...)." % path)


def decode(state, path):
    try:
        return state[path][1].decode("utf-8")
    except UnicodeDecodeError:
        raise Error("%s is not UTF-8 text." % path)


def final_files(state):
    """{kernel path: (repository path, (mode, bytes))} of all that ships."""
    files = {}
    for path, entry in state.items():
        if not shipped(path):
            continue
        target = kernel_path(path)
        if target in files:
            raise Error("%s and %s are both %s in the kernel." % (files[target][0], path, target))
        files[target] = (path, entry)
    return files


def own_files(recipe, state):
    """{kernel path: (mode, bytes)} that a patch brings or changes."""
    own = dict(recipe.stages)
    for path in recipe.files:
        if path not in state or not shipped(path):
            raise Error("%s.txt names `file: %s`, which is not there (or not shipped)." % (recipe.path, path))
        own[kernel_path(path)] = state[path]
    for path, (_, content) in own.items():
        if not brought_through(content):
            raise Error("%s: %s is not UTF-8 text with Unix line ends; git am would not bring it through." % (
                recipe.path, path))
    return own


def brought_through(content):
    try:
        return "\0" not in content.decode("utf-8") and b"\r\n" not in content
    except UnicodeDecodeError:
        return False
