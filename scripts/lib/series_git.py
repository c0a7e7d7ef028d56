# SPDX-License-Identifier: GPL-2.0
"""git, shut off from the user's configuration, and small repositories."""

import os
import shutil
import subprocess

from kernels import Error

IDENTITY = ("Paging Lab", "paging-lab@localhost")


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env.update(LC_ALL="C", TZ="UTC", GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null",
               GIT_TERMINAL_PROMPT="0", GIT_ADVICE="0",
               GIT_AUTHOR_NAME=IDENTITY[0], GIT_AUTHOR_EMAIL=IDENTITY[1],
               GIT_COMMITTER_NAME=IDENTITY[0], GIT_COMMITTER_EMAIL=IDENTITY[1])
    env.update(more)
    return env


class Git:
    """A repository: `directory` is where commands run, `env` goes to each of them."""

    def __init__(self, directory, **env):
        self.directory = directory
        self.env = environment(**env)

    def run(self, *args, stdin=None, check=True, **env):
        try:
            done = subprocess.run(["git", *args], cwd=self.directory, env=dict(self.env, **env),
                                  input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except FileNotFoundError:
            raise Error("git is not installed: run `apt-get install git`.")
        if check and done.returncode:
            raise Error("`git %s` failed in %s: %s" % (
                " ".join(args), self.directory, done.stderr.decode(errors="replace").strip()))
        return done

    def bytes(self, *args, stdin=None, **env):
        return self.run(*args, stdin=stdin, **env).stdout

    def text(self, *args, stdin=None, **env):
        return self.bytes(*args, stdin=stdin, **env).decode(errors="surrogateescape").strip()

    def ok(self, *args, **env):
        return self.run(*args, check=False, **env).returncode == 0


# Added to what `git init` has written: a program for each would take longer than all else.
SETTINGS = """[core]
	compression = 0
	fsync = none
	autocrlf = false
[pack]
	compression = 0
[gc]
	auto = 0
[maintenance]
	auto = false
[user]
	name = %s
	email = %s
""" % IDENTITY


def init(directory, bare=False):
    """An empty repository made for speed: all that is in it can be made again."""
    os.makedirs(directory, exist_ok=True)
    git = Git(directory)
    git.run("init", "-q", "--template=", "--object-format=sha1", "-b", "main", *(["--bare"] if bare else []))
    with open(os.path.join(directory, "" if bare else ".git", "config"), "a") as config:
        config.write(SETTINGS)
    return git


def borrow(directory, objects, commit):
    """A repository at `directory` whose history is `commit`, with the objects of another one.

    The other repository is only read. The path to it is relative where both
    lie in one build directory, so that the directory can be moved.
    """
    git = init(directory)
    own = os.path.realpath(os.path.join(directory, ".git", "objects"))
    objects = os.path.realpath(objects)
    near = os.path.relpath(objects, own)
    os.makedirs(os.path.join(own, "info"), exist_ok=True)
    os.makedirs(os.path.join(own, "..", "info"), exist_ok=True)
    with open(os.path.join(own, "info", "alternates"), "w") as out:
        out.write((near if near.count("..") <= 6 else objects) + "\n")
    with open(os.path.join(own, "..", "info", "exclude"), "w") as out:
        out.write("/patches\n.checkpatch-camelcase.*\n")
    git.run("update-ref", "refs/heads/main", commit)
    git.run("update-ref", "refs/tags/base", commit)
    return git


def remove(path):
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.exists(path):
        shutil.rmtree(path)


def write_files(git, ref, files):
    """Make `ref` a commit that holds {path: (mode, bytes)} and nothing else."""
    out = [b"commit %s\ncommitter x <x> 0 +0000\ndata 0\ndeleteall\n" % ref.encode()]
    for path, (mode, content) in sorted(files.items()):
        out.append(b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), path.encode(), len(content), content))
    git.run("fast-import", "--quiet", "--force", stdin=b"".join(out))


def list_files(git, treeish, *paths):
    """{path: (mode, blob)} of the files of a tree."""
    files = {}
    for line in git.bytes("ls-tree", "-r", "-z", treeish, "--", *paths).decode().split("\0"):
        if line:
            (mode, _, blob), path = line.split("\t")[0].split(), line.split("\t", 1)[1]
            files[path] = (mode, blob)
    return files


def read_blobs(git, blobs):
    """{blob: bytes}."""
    blobs = sorted(set(blobs))
    out = git.bytes("cat-file", "--batch", stdin="".join(b + "\n" for b in blobs).encode())
    contents, at = {}, 0
    for blob in blobs:
        end = out.index(b"\n", at)
        size = int(out[at:end].split()[2])
        contents[blob] = out[end + 1:end + 1 + size]
        at = end + 1 + size + 1
    return contents


def read_files(git, treeish):
    """{path: (mode, bytes)} of a tree."""
    files = list_files(git, treeish)
    contents = read_blobs(git, [blob for _, blob in files.values()])
    return {path: (mode, contents[blob]) for path, (mode, blob) in files.items()}
