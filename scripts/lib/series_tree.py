# SPDX-License-Identifier: GPL-2.0
"""Trees with the series in them: build/src, that kernels are built from, and what it must be."""

import hashlib
import os
import re
import subprocess
import tempfile

from kernels import BUILD, Error, ROOT
import series_base
import series_git
from series_cli import alone, say
from series_repo import final_files, load, recipes

SRC = os.path.join(BUILD, "src")


def expected_tree(git, base, state):
    """The tree id of base + hooks + folders, made in `git` without patches/ or git am."""
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": os.path.join(scratch, "index")}
        git.run("read-tree", base.commit, **index)
        for recipe in recipes(state):
            for hook in recipe.hooks:
                apply_hook(git, hook, base.name, index)
        overlay = final_files(state)
        present = series_git.list_files(git, base.commit, *overlay)
        if present:
            raise Error("%s is to become %s, which the base %s has already." % (
                overlay[min(present)][0], min(present), base.name))
        ids = write_blobs(git, {path: entry[1] for path, (_, entry) in overlay.items()}, scratch)
        lines = "".join("%s %s\t%s\n" % (entry[0], ids[path], path) for path, (_, entry) in overlay.items())
        git.run("update-index", "--add", "--index-info", stdin=lines.encode(), **index)
        return git.text("write-tree", **index)


def apply_hook(git, hook, base, index):
    done = git.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=hook.text.encode(), check=False, **index)
    if done.returncode:
        raise Error("the hook %s does not apply to %s of the base %s; take another 6.12.y tree (KERNEL_TREE=/path) "
                    "or rebase the hook (`make tree`)." % (hook.where, hook.path, base))


def write_blobs(git, contents, scratch):
    """{name: bytes} into the objects; {name: blob}."""
    names = sorted(contents)
    for number, name in enumerate(names):
        with open(os.path.join(scratch, str(number)), "wb") as out:
            out.write(contents[name])
    paths = "".join(os.path.join(scratch, str(number)) + "\n" for number in range(len(names)))
    ids = git.text("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=paths.encode()).split()
    return dict(zip(names, ids))


def lay_patches(patches, directory):
    os.makedirs(directory, exist_ok=True)
    for name, content in patches.items():
        with open(os.path.join(directory, name), "wb") as out:
            out.write(content)


def am(git, patches):
    """`git am patches/*.patch`, typed so at the root of a tree, where `patches` lies elsewhere."""
    link = os.path.join(git.directory, "patches")
    os.symlink(patches, link)
    try:
        done = subprocess.run("git am patches/*.patch", shell=True, cwd=git.directory, env=git.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    finally:
        os.unlink(link)
    if done.returncode:
        raise Error(am_failure(done.stdout.decode(errors="replace"), os.path.basename(git.directory)))
    return git.text("rev-parse", "HEAD")


def am_failure(output, _):
    patch = re.search(r"Patch failed at \d+ (.*)", output)
    files = sorted(set(re.findall(r"(?m)^error: (?:patch failed: )?([^:\n]+)(?::\d+$|: )", output)))
    return "git am stops at the patch `%s`, at %s: take another 6.12.y tree (KERNEL_TREE=/path), or see `%s`." % (
        patch.group(1) if patch else "?", ", ".join(files) or "no file", output.strip().split("\n")[0])


def am_bare(base, patches, directory):
    """The series as commits on the base, with no files checked out but those it touches."""
    git = base.borrow(directory)
    git.run("read-tree", base.commit)
    return git, am(git, patches)


def check_out(base, directory):
    """A fresh tree of the base with all files."""
    git = base.borrow(directory)
    say("checking out %s" % base.name)
    git.run("-c", "checkout.workers=0", "checkout", "-q", "-f", "main")
    return git


def sync(by_am=False):
    """Make build/src equal to base + hooks + folders; touch only files that differ."""
    state = load(ROOT)
    base = series_base.find()
    with alone():
        git = series_git.Git(SRC)
        if belongs(SRC, base):
            key = digest(base, state)
            tree = wanted(git, base, state, key)
        else:
            git, tree, key = create(base, state, by_am)
        if refresh(git, tree, base):
            say("%s now has the series as it is in the folders" % SRC)
        with open(os.path.join(SRC, ".git", "series-key"), "w") as out:
            out.write("%s %s\n" % (key, tree))
    return SRC


def belongs(directory, base):
    tag = os.path.join(directory, ".git", "refs", "tags", "base")
    return os.path.exists(tag) and open(tag).read().strip() == base.commit


def digest(base, state):
    whole = hashlib.sha256(base.commit.encode())
    for path, (mode, content) in sorted(state.items()):
        whole.update(("%s %s %d\n" % (path, mode, len(content))).encode() + content)
    return whole.hexdigest()


def wanted(git, base, state, key):
    """expected_tree(), remembered from the last time."""
    try:
        known, tree = open(os.path.join(SRC, ".git", "series-key")).read().split()
        if known == key:
            return tree
    except (OSError, ValueError):
        pass
    return expected_tree(git, base, state)


def create(base, state, by_am):
    """A new build/src; the old one, of another base, goes away when it is whole."""
    temporary = SRC + ".tmp"
    series_git.remove(temporary)
    try:
        git = check_out(base, temporary)
        if by_am:
            say("git am patches/*.patch")
            am(git, os.path.join(ROOT, "patches"))
        tree = expected_tree(git, base, state)
        series_git.remove(SRC)
        os.rename(temporary, SRC)
    finally:
        series_git.remove(temporary)
    return series_git.Git(SRC), tree, digest(base, state)


def refresh(git, tree, base):
    """Whether any file had to be written."""
    lock = os.path.join(git.directory, ".git", "index.lock")
    if os.path.exists(lock):
        os.unlink(lock)         # of a run that was ended; alone() keeps out a live one
    git.run("update-index", "-q", "--refresh", check=False)
    if git.ok("diff-index", "--quiet", tree):
        return False
    git.run("read-tree", "--reset", "-u", tree)
    if git.text("rev-parse", "HEAD^{tree}") != tree:
        git.run("update-ref", "HEAD", git.text("commit-tree", "-m", "The series as it is in the folders",
                                               "-p", base.commit, tree))
    return True
