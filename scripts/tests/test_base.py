# SPDX-License-Identifier: GPL-2.0
"""scripts/base: the user's tree is only read, the wrong one is refused, and an interruption leaves nothing half-made."""

import os
import shutil
import signal
import stat
import subprocess
import sys

import toy
from toy import MEMORY, Skip, Toy

PACKAGE = "linux-source-6.12"


def make_toy():
    t = Toy()
    shutil.rmtree(t.build, ignore_errors=True)
    return t


def base(t, *args, **env):
    """Path of the base, whole and as git wants it."""
    status, output = t.run("base", *args, **env)
    assert status == 0, output
    path = output.splitlines()[-1]
    assert os.path.isdir(path) and t.git("fsck", "--connectivity-only", where=path) is not None
    return path


def refuses(t, *words, args=(), **env):
    """One sentence, and nothing half-made."""
    status, output = t.run("base", *args, **env)
    assert status == 1 and "Traceback" not in output, "%d: %s" % (status, output)
    output = "".join(line for line in output.splitlines(True) if not line.startswith("unpacking "))
    assert output.count("\n") == 1 and output.startswith("scripts/base: "), output
    for word in words:
        assert word in output, "no %r in: %s" % (word, output)
    nothing_half_made(t)


def half_made(t):
    folder = t.build + "/base"
    return [name for name in (os.listdir(folder) if os.path.isdir(folder) else []) if name.startswith(".tmp")]


def nothing_half_made(t):
    assert not half_made(t), half_made(t)


def blob(t, path, name):
    return t.git("cat-file", "blob", "base:" + name, where=path)


def everything(top):
    """All of a directory, its times too."""
    found = {}
    for place, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(place, name)
            info = os.lstat(path)
            found[path] = (info.st_mode, info.st_mtime_ns, info.st_size if stat.S_ISREG(info.st_mode) else 0)
    return found


def no_git(t):
    """The user's tree as a plain directory."""
    shutil.rmtree(t.kernel + "/.git")


# ------------------------------------------------------------- the user's own tree

def test_git_tree_is_only_read(t):
    before = everything(t.kernel)
    path = base(t)
    assert blob(t, path, "mm/memory.c") == MEMORY and "6.12.99" in path, path
    t.series("sync")
    t.series("tree")
    t.write("mm/memory.c", "edited\n", t.src)
    t.series("sync")
    assert everything(t.kernel) == before


def test_directory_is_only_read(t):
    no_git(t)
    t.write("mm/page.built", "an object\n", t.kernel)
    before = everything(t.kernel)
    path = base(t)
    assert blob(t, path, "mm/memory.c") == MEMORY
    assert "page.built" not in t.git("ls-tree", "-r", "--name-only", "base", where=path)
    t.series("sync")
    assert everything(t.kernel) == before


def test_second_time_is_the_same(t):
    first = base(t)
    made = os.stat(first).st_ctime_ns
    assert base(t) == first and os.stat(first).st_ctime_ns == made


def test_changed_directory_is_read_again(t):
    no_git(t)
    first = base(t)
    t.edit("mm/memory.c", "line_30", "line_x", t.kernel)
    second = base(t)
    assert first != second and "line_x" in blob(t, second, "mm/memory.c")
    t.edit("mm/memory.c", "line_x", "line_30", t.kernel)
    assert base(t) == first


def test_dirty_tree_gives_its_commit_and_says_so(t):
    t.edit("mm/memory.c", "line_30", "line_x", t.kernel)
    status, output = t.run("base")
    assert status == 0 and "uncommitted" in output and "line_x" not in blob(t, output.splitlines()[-1], "mm/memory.c"), output


def test_next_commit_is_another_base(t):
    first = base(t)
    t.edit("mm/memory.c", "line_30", "line_x", t.kernel)
    t.commit_kernel()
    second = base(t)
    assert first != second and "line_x" in blob(t, second, "mm/memory.c")


def test_shallow_clone_and_worktree(t):
    t.git("clone", "-q", "--depth=1", "file://" + t.kernel, t.top + "/shallow", where=t.top)
    assert blob(t, base(t, KERNEL_TREE=t.top + "/shallow"), "mm/memory.c") == MEMORY
    t.git("worktree", "add", "-q", t.top + "/other", where=t.kernel)
    assert blob(t, base(t, KERNEL_TREE=t.top + "/other"), "mm/memory.c") == MEMORY


def test_tree_below_home(t):
    assert base(t, KERNEL_TREE="~/kernel") == base(t, KERNEL_TREE=os.path.relpath(t.kernel, t.project))


def test_tree_inside_another_repository(t):
    no_git(t)
    t.git("init", "-q", where=t.top)
    assert blob(t, base(t), "mm/memory.c") == MEMORY


def test_no_such_tree(t):
    refuses(t, "/nothing", "KERNEL_TREE", KERNEL_TREE=t.top + "/nothing")
    refuses(t, "KERNEL_TREE", "is not the top of a Linux kernel tree", KERNEL_TREE=t.project)
    refuses(t, "KERNEL_TREE", "is not the top of a Linux kernel tree", KERNEL_TREE=t.kernel + "/mm")
    refuses(t, "is not the top", KERNEL_TREE=t.kernel + "/Makefile")


def test_makefile_of_something_else(t):
    t.write("Makefile", "all:\n\techo hello\n", t.kernel)
    t.commit_kernel()
    refuses(t, "is not a Linux kernel tree", t.kernel)
    no_git(t)
    refuses(t, "is not a Linux kernel tree", t.kernel)


def test_wrong_version(t):
    for text, number in (("VERSION = 6\nPATCHLEVEL = 6\nSUBLEVEL = 50\n", "6.6.50"),
                         ("VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 0\n", "6.13.0")):
        t.write("Makefile", text, t.kernel)
        t.commit_kernel()
        refuses(t, number, "6.12.y")
    no_git(t)
    refuses(t, number, "6.12.y")


def test_tree_without_a_commit(t):
    no_git(t)
    t.git("init", "-q", where=t.kernel)
    refuses(t, "has no commit yet")


def test_wrong_tree_leaves_a_good_source_alone(t):
    t.series("sync")
    before = everything(t.src)
    t.fails("sync", saying="is not the top", KERNEL_TREE=t.top)
    assert everything(t.src) == before


# ----------------------------------------------------------------- Debian's package

def on_a_machine(t, package=True, **constants):
    """scripts/base as it is where the package lies elsewhere; the tool's own constants, changed."""
    t.env.pop("KERNEL_TREE", None)
    tarball = t.top + "/%s.tar.xz" % PACKAGE
    if package:
        subprocess.run(["tar", "-C", t.kernel, "--exclude=.git", "--transform=s,^[.],%s," % PACKAGE, "-cJf", tarball, "."],
                       check=True)
    for name, value in dict(constants, TARBALL=repr(tarball)).items():
        path = t.project + "/scripts/lib/series_base.py"
        with open(path) as text:
            lines = ["%s = %s\n" % (name, value) if line.startswith(name + " = ") else line for line in text]
        with open(path, "w") as out:
            out.writelines(lines)
    return tarball


def test_package(t):
    os.symlink("memory.c", t.kernel + "/mm/link.c")
    os.chmod(t.kernel + "/kernel/a.c", 0o755)
    on_a_machine(t)
    path = base(t)
    assert "debian-6.12.99" in path and blob(t, path, "mm/memory.c") == MEMORY
    listed = t.git("ls-tree", "-r", "base", where=path)
    assert "120000" in listed and "100755" in listed and not t.git("ls-tree", "base", PACKAGE, where=path)
    assert base(t) == path


def test_package_is_not_installed(t):
    on_a_machine(t, package=False)
    refuses(t, "scripts/deps", "KERNEL_TREE=")


def test_package_was_removed_after_its_use(t):
    tarball = on_a_machine(t)
    path = base(t)
    os.unlink(tarball)
    assert base(t) == path


def test_new_package(t):
    on_a_machine(t)
    first = base(t)
    t.edit("Makefile", "99", "100", t.kernel)
    on_a_machine(t)
    second = base(t)
    assert "6.12.100" in second and os.path.isdir(first)


def test_broken_package(t):
    tarball = on_a_machine(t)
    size = os.path.getsize(tarball)
    with open(tarball, "r+b") as middle:
        middle.seek(size // 2)
        middle.write(b"x" * 64)
    refuses(t, PACKAGE, "apt-get install --reinstall")
    os.truncate(tarball, size // 2)
    refuses(t, PACKAGE, "apt-get install --reinstall")
    with open(tarball, "wb") as out:
        out.write(b"nonsense")
    refuses(t, PACKAGE, "apt-get install --reinstall")


def test_package_of_another_version(t):
    t.edit("Makefile", "12", "13", t.kernel)
    on_a_machine(t)
    refuses(t, "6.13.99")


def test_no_room(t):
    on_a_machine(t, ROOM="1 << 60")
    refuses(t, "free some", "PAGING_BUILD_DIR")
    refuses(t, "free some", KERNEL_TREE=t.kernel)


def test_disk_that_fills_up(t):
    """In a file system of its own, which is too small."""
    where = t.top + "/small"
    os.mkdir(where)
    for name in range(40):
        with open(t.kernel + "/lib/big%d.c" % name, "wb") as out:
            out.write(os.urandom(100000).hex().encode())
    on_a_machine(t, ROOM="0")
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3M", "small", where],
                                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("needs root and mount")
    try:
        status, output = t.run("base", PAGING_BUILD_DIR=where)
        assert status == 1 and "Traceback" not in output, output
        assert "is the disk full?" in output.splitlines()[-1] or "No space" in output, output
        assert not [n for n in os.listdir(where + "/base") if n.startswith(".tmp")]
    finally:
        subprocess.run(["umount", where], check=True)


def test_build_directory_that_cannot_be_written(t):
    t.write("file", "", t.top)
    refuses(t, "file", PAGING_BUILD_DIR=t.top + "/file")


# In the middle of its work it sends a signal to whoever started it, who is busy with the last it wrote, and stops
# until that one is gone.
STOPPING_XZ = """#!{python}
import lzma, os, sys, time
if "-dc" not in sys.argv:
    os.execv("{xz}", sys.argv)
parent = os.getppid()
data = lzma.open(sys.argv[-1]).read()
sys.stdout.buffer.write(data[:len(data) // 2])
sys.stdout.buffer.flush()
os.kill(parent, {signal})
while os.getppid() == parent:
    time.sleep(0.05)
"""


def test_interrupted_and_started_again(t):
    for name in range(20):
        with open(t.kernel + "/lib/big%d.c" % name, "wb") as out:
            out.write(os.urandom(100000).hex().encode())
    on_a_machine(t)
    os.mkdir(t.top + "/stopping")
    env = dict(t.env, PATH=t.top + "/stopping:" + t.env.get("PATH", os.environ["PATH"]))
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
        with open(t.top + "/stopping/xz", "w") as out:
            out.write(STOPPING_XZ.format(python=sys.executable, xz=shutil.which("xz"), signal=int(number)))
        os.chmod(t.top + "/stopping/xz", 0o755)
        tool = subprocess.Popen([t.project + "/scripts/base"], cwd=t.project, env=env, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
        output = tool.communicate(timeout=180)[0].decode()
        assert tool.returncode == status and "Traceback" not in output, "%d: %s" % (tool.returncode, output)
        assert len(half_made(t)) == (number == signal.SIGKILL), half_made(t)
    path = base(t)
    assert blob(t, path, "mm/memory.c") == MEMORY
    nothing_half_made(t)


def test_two_at_once_make_one(t):
    on_a_machine(t)
    tools = [subprocess.Popen([t.project + "/scripts/base"], cwd=t.project, env=t.env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) for _ in range(3)]
    paths = {tool.communicate(timeout=180)[0] for tool in tools}
    assert len(paths) == 1 and not any(tool.returncode for tool in tools), paths
    assert len([n for n in os.listdir(t.build + "/base") if not n.startswith(".")]) == 1


# ------------------------------------------------------------------------ 6.12.N

def fake_apt(t, script):
    """An apt-get that answers as it is told; the machine's own is not called."""
    for name in ("apt-get", "apt-cache"):
        t.write("bin/" + name, "#!/bin/sh\n" + script, t.top)
        os.chmod(t.top + "/bin/" + name, 0o755)
    t.env["PATH"] = t.top + "/bin:" + t.env["PATH"]


APT = """case "$*" in
indextargets*) echo "http://localhost/debian bookworm /usr/share/keyrings/k.gpg"; exit;;
*update*) exit %(update)d;;
showsrc*|*showsrc*) printf 'Package: linux-6.12\\nVersion: 6.12.98-1~bpo12+1\\n\\nPackage: linux-6.12\\nVersion: 6.12.99-1~bpo12+1\\n'; exit;;
*linux-6.12=6.12.99*) %(new)s;;
*linux-6.12=6.12.98*) %(old)s;;
esac
exit 9
"""


def test_plain(t):
    on_a_machine(t)
    fake_apt(t, APT % dict(update=0, new="cp %s/%s.tar.xz linux-6.12_6.12.99.orig.tar.xz; exit" % (t.top, PACKAGE), old="exit 1"))
    path = base(t, "--plain")
    assert "plain-6.12.99" in path and blob(t, path, "mm/memory.c") == MEMORY
    assert "deb-src [signed-by=/usr/share/keyrings/k.gpg] http://localhost/debian bookworm main" in t.read("apt/sources.list", t.build)
    t.env["PATH"] = t.env["PATH"].split(":", 1)[1]
    assert base(t, "--plain") == path


def test_plain_takes_the_next_older_one(t):
    on_a_machine(t)
    fake_apt(t, APT % dict(update=0, new="echo E: 404 >&2; exit 100",
                           old="cp %s/%s.tar.xz linux-6.12_6.12.98.orig.tar.xz; exit" % (t.top, PACKAGE)))
    assert "plain-" in base(t, "--plain")


def test_plain_without_a_network(t):
    on_a_machine(t)
    fake_apt(t, APT % dict(update=100, new="exit 100", old="exit 100"))
    status, output = t.run("base", "--plain")
    assert status == 1 and "is there a network?" in output and "Traceback" not in output, output
    fake_apt(t, APT % dict(update=0, new="echo E: no route >&2; exit 100", old="echo E: no route >&2; exit 100"))
    status, output = t.run("base", "--plain")
    assert status == 1 and "no route" in output and "Traceback" not in output, output
    nothing_half_made(t)


def test_bad_arguments(t):
    status, output = t.run("base", "--nonsense")
    assert status == 2 and "usage" in output
    assert t.run("base", "--help")[0] == 0


if __name__ == "__main__":
    toy.main(globals())
