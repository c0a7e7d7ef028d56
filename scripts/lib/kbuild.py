# SPDX-License-Identifier: GPL-2.0
"""Builds kernels and what a boot of them needs; the engine of scripts/build."""

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import debian
import initramfs
import kernels
from kernels import ARCHES, BUILD, CONFIG, ROOT, VARIANTS, Error

NEEDED = ["make", "gcc", "flex", "bison", "bc", "depmod", "cpio", "rsync", "perl"]
# What a kernel's object tree takes, in MB; asked for before a first build.
ROOM_MB = {"debug": 2500, None: 1200}
OUR_DIRS = ["drivers/misc/paging", "mm/lru_page_list"]
WITH_CCACHE = os.path.join(ROOT, "scripts/lib/with-ccache")
# Debian's packages with what the kernel's own selftests are linked with.
LIBRARIES = {"mm": ["libcap-dev", "libnuma-dev", "liburing-dev"]}

HELP = """\
Builds kernels of the lab with everything a boot needs, into build/<variant>/.
What has not changed is not built again.

examples:
  scripts/build                        the kernel that most things run on (arm64)
  scripts/build arm64 x86_64-debug     two of them
  scripts/build --all                  all of them
  scripts/build --w1 --sparse arm64    our own directories with all warnings

The source is build/src, brought up to date by scripts/series sync, or the
tree that the variable PAGING_SRC names, used as it is.
"""


# ------------------------------------------------------------------ progress

class Progress:
    """Lines of a build go to its log, a summary of them to the user."""

    def __init__(self, title, log):
        self.title = title
        self.log = log
        self.start = time.monotonic()
        self.tty = sys.stderr.isatty()
        self.objects = 0
        self.what = ""
        self.shown = 0.0

    def line(self, text):
        self.log.write(text)
        words = text.split()
        if len(words) == 2 and words[0].isupper():
            self.objects += 1
            self.what = words[1]

    def text(self):
        seconds = time.monotonic() - self.start
        return f"{self.title}: {seconds:4.0f} s, {self.objects} objects"

    def show(self):
        now = time.monotonic()
        if now - self.shown < (0.5 if self.tty else 10) or now - self.start < 2:
            return
        self.shown = now
        if self.tty:
            print(f"\r\033[K{self.text()}  {self.what[-50:]}", end="", file=sys.stderr, flush=True)
        else:
            print(self.text(), file=sys.stderr, flush=True)

    def clear(self):
        if self.tty and self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def run(command, progress, env=None, cwd=None):
    """Runs a command with its output in the log; Error with the log's end if it fails."""
    progress.log.write("+ " + " ".join(command) + "\n")
    progress.log.flush()
    process = subprocess.Popen([WITH_CCACHE, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env=env, cwd=cwd, text=True,
                               errors="replace", start_new_session=True)
    try:
        reader = threading.Thread(target=lambda: [progress.line(text) for text in process.stdout],
                                  daemon=True)
        reader.start()
        while reader.is_alive():
            reader.join(0.2)
            progress.show()
        status = process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    finally:
        progress.clear()
        progress.log.flush()
    if status:
        raise Error(f"{progress.title}: `{' '.join(command[:3])} ...` failed\n"
                    f"{log_end(progress.log.name)}\nThe whole log is {shorten(progress.log.name)}")


def log_end(path, lines=25):
    """The first error of the log with what surrounds it, else its last lines."""
    with open(path, errors="replace") as log:
        text = log.read().splitlines()
    errors = [n for n, line in enumerate(text) if "error:" in line or "Error " in line]
    if errors and errors[0] < len(text) - lines:
        return "\n".join(text[max(0, errors[0] - 5):errors[0] + lines - 5])
    return "\n".join(text[-lines:])


def shorten(path):
    return os.path.relpath(path) if path.startswith(os.getcwd() + "/") else path


# ------------------------------------------------------------- configuration

def requested(variant):
    """{symbol: (value, fragment)} of all of a variant's fragments."""
    wanted = {}
    arch, fragments = VARIANTS[variant]
    for fragment in fragments:
        values = kernels.read_config(os.path.join(CONFIG, fragment + ".config"))
        for name, value in values.items():
            if fragment in kernels.DRIVERS and variant in kernels.BUILTIN and value == "m":
                value = "y"
            wanted[name] = (value, fragment)
    return wanted


def kconfig_files(obj):
    """The Kconfig files that the last configuration was read from."""
    path = os.path.join(obj, "include/config/auto.conf.cmd")
    if not os.path.exists(path):
        return []
    with open(path) as deps:
        words = deps.read().replace("\\\n", " ").split()
    return [os.path.join(obj, word) for word in words if "Kconfig" in os.path.basename(word)]


def config_stamp(variant, source, obj):
    """Changes whenever the configuration would have to be made again."""
    digest = hashlib.sha256(repr((sorted(requested(variant).items()), source)).encode())
    for path in kconfig_files(obj):
        try:
            info = os.stat(path)
            digest.update(f"{path} {info.st_mtime_ns} {info.st_size}\n".encode())
        except FileNotFoundError:
            digest.update(f"{path} gone\n".encode())
    return digest.hexdigest()


def tree_knows(source, symbols):
    """Those of the symbols that some Kconfig file of the tree defines."""
    names = {symbol[len("CONFIG_"):] for symbol in symbols}
    known = set()
    for top, dirs, files in os.walk(source):
        dirs[:] = [d for d in dirs if d not in ("Documentation", "tools", ".git")]
        for file in files:
            if not file.startswith("Kconfig"):
                continue
            with open(os.path.join(top, file), errors="replace") as text:
                for line in text:
                    words = line.split()
                    if len(words) == 2 and words[0] in ("config", "menuconfig"):
                        known.add(words[1])
    return {"CONFIG_" + name for name in names & known}


def check_config(variant, source, path):
    got = kernels.read_config(path)
    wanted = requested(variant)
    missed = {name: value for name, value in wanted.items() if got.get(name, "n") != value[0]}
    if not missed:
        return
    known = tree_knows(source, missed)
    for name, (value, fragment) in missed.items():
        where = f"scripts/config/{fragment}.config asks for {name}={value}"
        if name in known:
            raise Error(f"{variant}: {where}, but it came out as {got.get(name, 'n')}: add what "
                        f"it depends on to the fragment, or drop the line")
        if fragment not in kernels.DRIVERS:
            raise Error(f"{variant}: {where}, which this kernel tree does not know")


def configure(variant, source, obj, make, progress):
    stamp_file = os.path.join(obj, "lab.stamp")
    with contextlib.suppress(FileNotFoundError):
        with open(stamp_file) as stamp:
            if stamp.read() == config_stamp(variant, source, obj):
                return
    merged = os.path.join(obj, "lab.config")
    with open(merged, "w") as out:
        out.writelines(f"{name}={value}\n" for name, (value, _) in requested(variant).items())
    run(make + [f"KCONFIG_ALLCONFIG={merged}", "allnoconfig"], progress)
    check_config(variant, source, os.path.join(obj, ".config"))
    run(make + ["syncconfig"], progress)
    with open(stamp_file, "w") as stamp:
        stamp.write(config_stamp(variant, source, obj))


# -------------------------------------------------------------------- pieces

def put(source, target):
    """Copies when the content is newer, by way of a temporary name."""
    with contextlib.suppress(FileNotFoundError):
        old, new = os.stat(target), os.stat(source)
        if old.st_mtime_ns == new.st_mtime_ns and old.st_size == new.st_size:
            return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy2(source, target + ".new")
    os.replace(target + ".new", target)


def replace_tree(new, old):
    """Puts a directory in the place of another one."""
    gone = old + ".old"
    shutil.rmtree(gone, ignore_errors=True)
    if os.path.lexists(old):
        os.rename(old, gone)
    os.rename(new, old)
    shutil.rmtree(gone, ignore_errors=True)


def install_modules(variant, obj, make, progress):
    """Runs modules_install only if a module is newer than what is installed."""
    target = os.path.join(kernels.variant_dir(variant), "modules")
    order = os.path.join(obj, "modules.order")
    with open(order) as names:
        modules = [os.path.join(obj, name.strip()[:-2] + ".ko") for name in names]
    digest = hashlib.sha256()
    for path in sorted(modules) + [os.path.join(obj, "include/config/kernel.release")]:
        digest.update(f"{path} {os.stat(path).st_mtime_ns}\n".encode())
    stamp = os.path.join(target, ".stamp")
    with contextlib.suppress(FileNotFoundError):
        with open(stamp) as text:
            if text.read() == digest.hexdigest():
                return
    new = target + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new)
    run(make + [f"INSTALL_MOD_PATH={new}", "INSTALL_MOD_STRIP=1", "modules_install"], progress)
    for link in ("build", "source"):
        for release in os.listdir(os.path.join(new, "lib/modules")):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(new, "lib/modules", release, link))
    with open(os.path.join(new, ".stamp"), "w") as text:
        text.write(digest.hexdigest())
    replace_tree(new, target)


def our_selftests():
    """Targets of tools/testing/selftests that are ours."""
    top = os.path.join(ROOT, "selftests")
    if not os.path.isdir(top):
        return []
    return sorted(name for name in os.listdir(top)
                  if os.path.exists(os.path.join(top, name, "Makefile")))


def link_statically(arch, targets):
    """(environment, words for make) for programs that need no file of the guest's."""
    env, flags = dict(os.environ), "-static"
    packages = sorted({package for name in targets for package in LIBRARIES.get(name, [])})
    if packages:
        where = debian.unpacked(arch, "-".join(["lib", *targets]), packages)
        env["CPATH"] = os.path.join(where, "usr/include")
        flags += f" -s -L{os.path.join(where, 'usr/lib', ARCHES[arch]['triplet'])}"
    # Some of the programs of mm are linked with nothing but these; khugepaged.c of 6.12.117 has lost an include.
    return dict(env, LDFLAGS=flags), ["EXTRA_CFLAGS=-static -s -DKSFT_SKIP=4"] if packages else []


def has_stamp(tree, state):
    """Is `tree` what was made of the sources in this state?"""
    try:
        with open(os.path.join(tree, ".stamp")) as text:
            return text.read() == state
    except FileNotFoundError:
        return False


def newest(paths):
    latest = 0
    for path in paths:
        for top, _, files in os.walk(path):
            latest = max([latest, os.stat(top).st_mtime_ns]
                         + [os.lstat(os.path.join(top, name)).st_mtime_ns for name in files])
    return latest


def install_selftests(variant, source, obj, make, progress):
    """Compiled once for all kernels of an architecture: the programs ask what the page size is."""
    arch = VARIANTS[variant][0]
    tests = os.path.join(source, "tools/testing/selftests")
    targets = kernels.SELFTESTS.get(variant, our_selftests())
    targets = [name for name in targets if os.path.isdir(os.path.join(tests, name))]
    if not targets:
        return
    # Those of another tree, or of other targets, are its own.
    own = variant in kernels.SELFTESTS or variant in kernels.LAST_PATCH
    out = os.path.join(BUILD, "obj", "selftests-" + (variant if own else arch))
    installed = os.path.join(out, "installed")
    state = f"{targets} {newest([os.path.join(tests, name) for name in targets])}" \
            f" {newest([os.path.join(source, 'include/uapi')])}"
    if not has_stamp(installed, state):
        run(make + ["headers"], progress)
        new = os.path.join(out, "new")
        shutil.rmtree(new, ignore_errors=True)
        os.makedirs(out, exist_ok=True)
        env, words = link_statically(arch, targets)
        run(["make", "-C", tests, f"-j{os.cpu_count()}", f"ARCH={ARCHES[arch]['karch']}",
             f"CROSS_COMPILE={kernels.cross_prefix(arch)}", f"O={out}", f"INSTALL_PATH={new}",
             f"KHDR_INCLUDES=-isystem {obj}/usr/include", "FORCE_TARGETS=1",
             "TARGETS=" + " ".join(targets), *words, "install"], progress, env=env)
        with open(os.path.join(new, ".stamp"), "w") as text:
            text.write(state)
        replace_tree(new, installed)
    target = os.path.join(kernels.variant_dir(variant), "selftests")
    if not has_stamp(target, state):
        new = target + ".new"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(installed, new, symlinks=True)
        replace_tree(new, target)


def kernel_release(obj):
    with open(os.path.join(obj, "include/config/kernel.release")) as text:
        return text.read().strip()


def build_perf(variant, source, obj, progress):
    """A static perf per architecture and kernel version; 25 seconds, made once."""
    arch = VARIANTS[variant][0]
    cached = os.path.join(BUILD, "cache", f"perf-{arch}-{kernel_release(obj)}")
    if not os.path.exists(cached):
        out = os.path.join(BUILD, "obj", f"perf-{arch}")
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        os.makedirs(os.path.dirname(cached), exist_ok=True)
        without = ["LIBELF", "DWARF", "LIBDW_DWARF_UNWIND", "LIBUNWIND", "LIBPERL", "LIBPYTHON",
                   "SLANG", "GTK2", "DEMANGLE", "LIBNUMA", "LIBAUDIT", "LIBCRYPTO", "LIBBIONIC",
                   "LIBCAP", "LZMA", "ZLIB", "LIBZSTD", "AUXTRACE", "SDT", "LIBBPF", "LIBPFM4",
                   "LIBTRACEEVENT", "BACKTRACE", "JEVENTS", "JVMTI", "LIBDEBUGINFOD",
                   "LIBBABELTRACE", "BPF_SKEL", "CORESIGHT", "CAPSTONE"]
        # WERROR=0: their warnings with a compiler they did not know are not our trouble.
        run(["make", "-C", os.path.join(source, "tools/perf"), f"-j{os.cpu_count()}", f"O={out}",
             f"ARCH={'x86' if arch == 'x86_64' else arch}",
             f"CROSS_COMPILE={kernels.cross_prefix(arch)}",
             "HOSTCC=gcc", "LDFLAGS=-static", "WERROR=0", "EXTRA_CFLAGS=-O2",
             *[f"NO_{name}=1" for name in without], "perf"], progress)
        built = os.path.join(out, "perf")
        run([kernels.cross_prefix(arch) + "strip", "-o", cached + ".new", built], progress)
        os.replace(cached + ".new", cached)
        shutil.rmtree(out, ignore_errors=True)
    put(cached, os.path.join(kernels.variant_dir(variant), "perf"))


# --------------------------------------------------------------------- build

def find_source(variant):
    """The tree to build from, with the project in it."""
    given = os.environ.get("PAGING_SRC")
    if given:
        if not os.path.exists(os.path.join(given, "scripts/kconfig/Makefile")):
            raise Error(f"PAGING_SRC={given} is not a kernel source tree")
        return os.path.realpath(given)
    series = os.path.join(ROOT, "scripts/series")
    if not os.access(series, os.X_OK):
        raise Error("scripts/series is missing: name a kernel tree with PAGING_SRC=/path")
    command = [series, "at", kernels.LAST_PATCH[variant]] if variant in kernels.LAST_PATCH else [series, "sync"]
    made = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if made.returncode:
        raise Error(f"the source tree could not be brought up to date ({' '.join(command)})")
    return made.stdout.strip()


def check_tools(archs):
    missing = [tool for tool in NEEDED if not shutil.which(tool)]
    missing += [f"{prefix}gcc" for prefix in map(kernels.cross_prefix, archs)
                if not shutil.which(f"{prefix}gcc")]
    if missing:
        raise Error(f"{', '.join(missing)} not found: run scripts/deps, which installs what is needed")


def check_room(variant, obj):
    if os.path.exists(os.path.join(obj, "vmlinux")):
        return
    need = ROOM_MB["debug" if variant.endswith("debug") else None]
    free = shutil.disk_usage(BUILD).free // 2**20
    if free < need:
        raise Error(f"{variant}: {free} MB are free where {BUILD} lies and the build takes about "
                    f"{need} MB: make room")


def make_command(variant, source, obj):
    arch = VARIANTS[variant][0]
    return ["make", "-C", source, f"O={obj}", f"ARCH={ARCHES[arch]['karch']}",
            f"CROSS_COMPILE={kernels.cross_prefix(arch)}", f"-j{os.cpu_count()}",
            "LOCALVERSION=", "KBUILD_BUILD_USER=paging", "KBUILD_BUILD_HOST=lab", "KBUILD_BUILD_VERSION=1",
            "KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 1970"]


@contextlib.contextmanager
def started(variant, kind):
    """The log of one build; the object tree is made here."""
    obj = os.path.join(BUILD, "obj", kind)
    os.makedirs(obj, exist_ok=True)
    os.makedirs(os.path.join(BUILD, "log"), exist_ok=True)
    check_room(variant, obj)
    with open(os.path.join(BUILD, "log", kind + ".log"), "w") as log:
        yield obj, Progress(kind, log)


def build(variant, source):
    arch = VARIANTS[variant][0]
    table = ARCHES[arch]
    target = kernels.variant_dir(variant)
    with started(variant, variant) as (obj, progress):
        make = make_command(variant, source, obj)
        os.makedirs(target, exist_ok=True)
        configure(variant, source, obj, make, progress)
        run(make + [table["names"][-1], "modules"] + table["dtbs"], progress)
        install_modules(variant, obj, make, progress)
        install_selftests(variant, source, obj, make, progress)
        build_perf(variant, source, obj, progress)
        for name in table["dtbs"]:
            put(os.path.join(obj, "arch", table["karch"], "boot/dts", name),
                os.path.join(target, "dtbs", os.path.basename(name)))
        put(os.path.join(obj, "vmlinux"), os.path.join(target, "vmlinux"))
        put(os.path.join(obj, ".config"), os.path.join(target, "config"))
        put(os.path.join(obj, "System.map"), os.path.join(target, "System.map"))
        initramfs.make(variant)
        # The last of these: a guest is booted from a directory only if it is there.
        for name in table["names"]:
            put(os.path.join(obj, table["image"]), os.path.join(target, name))
    print(f"{progress.text()}: {shorten(target)} is ready", file=sys.stderr)


def lint(variant, source, w1, sparse):
    """Our own directories with all of the compiler's warnings, and sparse's."""
    dirs = [name for name in OUR_DIRS if os.path.isdir(os.path.join(source, name))]
    if not dirs:
        raise Error("none of our directories is in the source tree yet")
    with started(variant, f"{variant}-lint") as (obj, progress):
        make = make_command(variant, source, obj)
        configure(variant, source, obj, make, progress)
        begin = progress.log.tell()
        for name in dirs:
            if w1:
                run(make + ["W=1", f"{name}/"], progress)
            if sparse:
                run(make + (["W=1"] if w1 else []) + ["C=2", f"{name}/"], progress)
        progress.log.flush()
        with open(progress.log.name) as log:
            log.seek(begin)
            lines = [line.rstrip() for line in log]
    bad = [line for line in lines if ("warning:" in line or "error:" in line)
           and any(name in line for name in dirs)]
    if bad:
        raise Error(f"{variant}: {len(bad)} warnings in our directories\n" + "\n".join(bad))
    print(f"{progress.text()}: no warnings in {', '.join(dirs)}", file=sys.stderr)


def objects(variant, source, names):
    """Some objects of a kernel that need not run."""
    with started(variant, variant) as (obj, progress):
        make = make_command(variant, source, obj)
        configure(variant, source, obj, make, progress)
        run(make + names, progress)
    print(f"{progress.text()}: {shorten(obj)} has {len(names)} of its objects", file=sys.stderr)


@contextlib.contextmanager
def build_lock():
    """Two builds at once would write the same objects."""
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, ".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("build: waiting for another build to end", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def arguments(argv):
    parser = argparse.ArgumentParser(prog="scripts/build", description=HELP, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variant", nargs="*", help="one of: " + " ".join(VARIANTS))
    parser.add_argument("--all", action="store_true", help="every variant")
    parser.add_argument("--list", action="store_true", help="print the variants, one a line")
    parser.add_argument("--w1", action="store_true",
                        help="only compile our directories, with W=1; a warning is a failure")
    parser.add_argument("--sparse", action="store_true",
                        help="only check our directories with sparse (C=2)")
    parser.add_argument("--object", metavar="FILE", action="append", default=[],
                        help="only make this, such as mm/vmscan.o, in build/obj/<variant>; may be repeated")
    args = parser.parse_args(argv)
    if args.all:
        args.variant = list(VARIANTS)
    args.variant = args.variant or ["arm64"]
    for name in args.variant:
        if name not in VARIANTS:
            raise Error(f"there is no kernel '{name}': take one of {' '.join(VARIANTS)}", 2)
    return args


def main(argv):
    args = arguments(argv)
    if args.list:
        print("\n".join(VARIANTS))
        return
    check_tools({VARIANTS[name][0] for name in args.variant})
    if args.sparse and not shutil.which("sparse"):
        raise Error("sparse not found: run scripts/deps, which installs what is needed")
    with build_lock():
        for name in args.variant:
            source = find_source(name)
            if args.w1 or args.sparse:
                lint(name, source, args.w1, args.sparse)
            elif args.object:
                objects(name, source, args.object)
            else:
                build(name, source)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Error as error:
        sys.exit(print(f"build: {error}", file=sys.stderr) or error.status)
    except KeyboardInterrupt:
        print("\nbuild: interrupted; start it again to go on from here", file=sys.stderr)
        sys.exit(130)
