# SPDX-License-Identifier: GPL-2.0
"""The pristine kernel below the series: build/base/<name>, a git repository with one commit.

It has no files checked out; build/src and build/tree borrow its objects. It
is made in a temporary directory and renamed, so that it is whole or absent.
"""

import glob
import os
import re
import select
import shutil
import subprocess
import tarfile

from kernels import BUILD, Error
import series_git
from series_cli import Progress, alone, say

TARBALL = "/usr/src/linux-source-6.12.tar.xz"
BASES = os.path.join(BUILD, "base")
SERIES = (6, 12)
ROOM = 4 << 30
FIXED = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}


class Base:
    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)
        self.git = series_git.Git(path)
        self.commit = self.git.text("rev-parse", "refs/tags/base")
        self.tree = self.git.text("rev-parse", "refs/tags/base^{tree}")
        self.objects = os.path.join(path, ".git", "objects")

    def borrow(self, directory):
        return series_git.borrow(directory, self.objects, self.commit)


def find():
    """The base to work on, made first if it is not there."""
    tree = os.environ.get("KERNEL_TREE")
    if tree:
        return from_user(tree)
    if os.path.exists(TARBALL):
        return from_tarball(TARBALL, "debian")
    made = sorted(glob.glob(os.path.join(BASES, "debian-*")), key=os.path.getmtime)
    if made:
        return Base(made[-1])
    raise Error("%s is not there; run `scripts/deps demo`, or name a kernel tree of yours by "
                "KERNEL_TREE=/path." % TARBALL)


def version(makefile, what):
    """6.12.N from the text of a kernel's Makefile; other kernels are refused."""
    found = [re.search(r"(?m)^%s *= *(\d+)" % word, makefile) for word in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    if not all(found):
        raise Error("%s is not a Linux kernel tree." % what)
    numbers = tuple(int(n.group(1)) for n in found)
    if numbers[:2] != SERIES:
        raise Error("%s is Linux %d.%d.%d, and this series is for %d.%d.y: choose another tree." % (
            (what,) + numbers + SERIES))
    return "%d.%d.%d" % numbers


def need_room():
    os.makedirs(BASES, exist_ok=True)
    free = shutil.disk_usage(BASES).free
    if free < ROOM:
        raise Error("the kernel's source needs %.0f GB in %s and there are %.1f: free some, or name another "
                    "place by PAGING_BUILD_DIR=/path." % (ROOM / 1e9, BASES, free / 1e9))


def stamped(stamp):
    for path in glob.glob(os.path.join(BASES, "*", "stamp")):
        with open(path) as lines:
            if lines.read() == stamp:
                return Base(os.path.dirname(path))


def make(kind, stamp, fill):
    """A new base; fill(git) returns its tree and its version."""
    need_room()
    for left in glob.glob(os.path.join(BASES, ".tmp-*")):
        series_git.remove(left)
    temporary = os.path.join(BASES, ".tmp-%d" % os.getpid())
    try:
        git = series_git.init(temporary)
        tree, number = fill(git)
        commit = git.text("commit-tree", "-m", "Linux %s" % number, tree, **FIXED)
        git.run("update-ref", "refs/tags/base", commit)
        git.run("update-ref", "refs/heads/main", commit)
        with open(os.path.join(temporary, "stamp"), "w") as out:
            out.write(stamp)
        path = os.path.join(BASES, "%s-%s-%s" % (kind, number, tree[:8]))
        series_git.remove(path)
        os.rename(temporary, path)
    finally:
        series_git.remove(temporary)
    return Base(path)


def from_tarball(tarball, kind):
    status = os.stat(tarball)
    stamp = "%s %d %d\n" % (os.path.realpath(tarball), status.st_size, status.st_mtime_ns)
    base = stamped(stamp)
    if base:
        return base
    with alone():
        return stamped(stamp) or make(kind, stamp, lambda git: import_tarball(git, tarball))


def broken(tarball):
    return Error("%s cannot be unpacked; is the disk full? Else reinstall it: "
                 "`apt-get install --reinstall linux-source-6.12`." % tarball)


class Pieces:
    """A pipe, read as it comes.

    Python acts on a signal before it waits and if it is woken by it. One that
    comes between two pieces of a larger read() would be seen when that read is
    complete, which it never is if the other side has stopped.
    """

    def __init__(self, pipe):
        self.fd = pipe.fileno()

    def read(self, size):
        while not select.select([self.fd], [], [], 1)[0]:
            pass
        return os.read(self.fd, size)


def import_tarball(git, tarball):
    """The files of a .tar.xz straight into the objects: half the time of unpacking and adding them."""
    listed = subprocess.run(["xz", "--robot", "--list", tarball], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listed.returncode:
        raise broken(tarball)
    total = int(listed.stdout.split(b"totals")[1].split()[3])
    progress = Progress("unpacking " + os.path.basename(tarball))
    xz = subprocess.Popen(["xz", "-T0", "-dc", tarball], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    into = subprocess.Popen(["git", "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--depth=0"],
                            cwd=git.directory, env=git.env, stdin=subprocess.PIPE)
    write = into.stdin.write
    try:
        write(b"commit refs/heads/import\ncommitter x <x> 0 +0000\ndata 0\n")
        with tarfile.open(fileobj=Pieces(xz.stdout), mode="r|", bufsize=1 << 20) as archive:
            for member in archive:
                path = member.name.partition("/")[2].encode()
                if path and member.issym():
                    mode, content = b"120000", member.linkname.encode()
                elif path and member.isfile():
                    mode = b"100755" if member.mode & 0o100 else b"100644"
                    content = archive.extractfile(member).read()
                else:
                    continue
                write(b"M %s inline %s\ndata %d\n%s\n" % (mode, path, len(content), content))
                archive.members = []
                progress.show(member.offset, total)
        into.stdin.close()
        if xz.wait() or into.wait():
            raise tarfile.TarError
    except (tarfile.TarError, BrokenPipeError):
        raise broken(tarball)
    finally:
        for child in (xz, into):
            if child.poll() is None:
                child.kill()
                child.wait()
    progress.end()
    number = version(git.text("cat-file", "-p", "refs/heads/import:Makefile"), tarball)
    tree = git.text("rev-parse", "refs/heads/import^{tree}")
    git.run("update-ref", "-d", "refs/heads/import")
    return tree, number


def from_user(path):
    """The user's own tree, which is only read."""
    path = os.path.realpath(os.path.expanduser(path))
    if not os.path.isfile(os.path.join(path, "Makefile")) or not os.path.isdir(os.path.join(path, "mm")):
        raise Error("KERNEL_TREE=%s is not the top of a Linux kernel tree." % path)
    user = series_git.Git(path, GIT_OPTIONAL_LOCKS="0", GIT_CONFIG_COUNT="1",
                          GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
    top = user.run("rev-parse", "--show-toplevel", check=False).stdout.decode().strip()
    if top and os.path.realpath(top) == path:
        return from_git(path, user)
    return from_directory(path)


def from_git(path, user):
    """Its commit, by borrowing its objects."""
    if not user.ok("rev-parse", "-q", "--verify", "HEAD^{tree}"):
        raise Error("KERNEL_TREE=%s has no commit yet." % path)
    tree = user.text("rev-parse", "HEAD^{tree}")
    if user.run("status", "--porcelain", "-uno").stdout:
        say("KERNEL_TREE=%s has uncommitted changes; the commit that is checked out is used without them." % path)
    stamp = "%s %s\n" % (path, tree)
    base = stamped(stamp)
    if base:
        return base
    number = version(user.text("cat-file", "-p", "HEAD:Makefile"), "KERNEL_TREE=%s" % path)
    objects = os.path.join(path, user.text("rev-parse", "--git-path", "objects"))

    def fill(git):
        with open(os.path.join(git.directory, ".git", "objects", "info", "alternates"), "w") as out:
            out.write(os.path.realpath(objects) + "\n")
        return tree, number
    with alone():
        return stamped(stamp) or make("user", stamp, fill)


def from_directory(path):
    """A plain directory: its files without what its .gitignore names. Read again if it has changed."""
    with open(os.path.join(path, "Makefile"), errors="replace") as makefile:
        number = version(makefile.read(), "KERNEL_TREE=%s" % path)
    kept = os.path.join(BASES, ".index-" + re.sub(r"\W", "_", path))
    with alone():
        need_room()
        git = series_git.init(kept, bare=True)
        if not os.path.exists(os.path.join(kept, "index")):
            say("reading %s, about half a minute" % path)
        git.run("-c", "core.bigFileThreshold=1", "--git-dir", kept, "--work-tree", path, "-C", path, "add", "-A", ".")
        tree = git.text("--git-dir", kept, "write-tree")
        stamp = "%s %s\n" % (path, tree)

        def fill(new):
            with open(os.path.join(new.directory, ".git", "objects", "info", "alternates"), "w") as out:
                out.write(os.path.join(kept, "objects") + "\n")
            return tree, number
        return stamped(stamp) or make("user", stamp, fill)


def plain():
    """6.12.N without Debian's patches, from the source package, through an apt configuration of our own."""
    place = os.path.join(BUILD, "apt")
    tarballs = glob.glob(os.path.join(place, "linux-6.12_*.orig.tar.xz"))
    if not tarballs:
        need_room()
        download_plain(place)
        tarballs = glob.glob(os.path.join(place, "linux-6.12_*.orig.tar.xz"))
    if not tarballs:
        raise Error("apt-get did not bring the source of linux-6.12; look for it by `apt-cache showsrc linux-6.12`.")
    return from_tarball(max(tarballs, key=os.path.getmtime), "plain")


def download_plain(place):
    for part in ("lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(place, part), exist_ok=True)
    listed = apt(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(SIGNED_BY)",
                  "Created-By: Packages"], "list the package sources")
    sources = set()
    for line in listed.splitlines():
        uri, release, *key = line.split(" ")
        if "bookworm" in release and "deb" in uri:
            signed = "[signed-by=%s] " % key[0] if key and key[0].startswith("/") else ""
            sources.add("deb-src %s%s %s main\n" % (signed, uri, release))
    with open(os.path.join(place, "sources.list"), "w") as out:
        out.writelines(sorted(sources))
    options = ["-o", "Dir::Etc::sourcelist=%s/sources.list" % place, "-o", "Dir::Etc::sourceparts=/dev/null",
               "-o", "Dir::State::lists=%s/lists" % place, "-o", "Dir::Cache=%s/cache" % place,
               "-o", "APT::Sandbox::User=", "-o", "Dpkg::Use-Pty=0"]
    say("fetching the source package linux-6.12 (150 MB)")
    apt(["apt-get", "-q", "update", *options], "read the list of source packages")
    shown = apt(["apt-cache", "showsrc", *options, "linux-6.12"], "find the source package linux-6.12")
    versions = re.findall(r"(?m)^Version: (6\.12\.(\d+)-\S+)$", shown)
    parts = os.path.join(place, "parts")
    os.makedirs(parts, exist_ok=True)
    last = Error("apt-get lists no source package linux-6.12.")
    for number, _ in sorted(set(versions), key=lambda found: -int(found[1])):
        # A mirror may list a version that it does not hold (any more): take the next older one.
        try:
            apt(["apt-get", "-q", "source", "--download-only", "--tar-only", *options, "linux-6.12=" + number],
                "fetch the source package linux-6.12", cwd=parts)
            break
        except Error as error:
            last = error
    else:
        raise last
    for tarball in glob.glob(parts + "/*.orig.tar.xz"):
        os.rename(tarball, os.path.join(place, os.path.basename(tarball)))


def apt(command, what, cwd=None):
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise Error("apt-get cannot %s (is there a network?): %s" % (
            what, done.stderr.decode(errors="replace").strip().split("\n")[-1]))
    return done.stdout.decode()
