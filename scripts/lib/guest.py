# SPDX-License-Identifier: GPL-2.0
"""Boots a kernel in QEMU and runs one command in it; the engine of scripts/guest."""

import argparse
import contextlib
import ctypes
import errno
import os
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import cpio
import guest_channel
import guest_faults
import guest_machine
import kernels
from guest_machine import BAD_INPUT, NO_GUEST, megabytes
from kernels import ARCHES, BUILD, Error

TIMED_OUT = 124
LOGS_KEPT = 50
MOUNTED = ("/proc", "/sys", "/dev")

HELP = """\
Boots the built kernel in QEMU and runs COMMAND in it, as root, in /, with
busybox on PATH. COMMAND is one argument vector, passed on as it is; for a
pipeline write sh -c '...'. Its stdin is empty. Its stdout, stderr and exit
status are those of scripts/guest (128+n if it was killed by signal n).

examples:
  scripts/guest -- uname -a
  scripts/guest --machine raspi3b -- cat /proc/cpuinfo
  scripts/guest --add ./myprog --add data:/srv/data -- /myprog --fast
  scripts/guest --icount -- perf stat -e instructions,page-faults /bin/true
  scripts/guest --kernel build/arm64-debug --append panic_on_warn=1 -- sh -c 'echo 1 > /tmp/x'
  scripts/guest --shell

exit status:
  COMMAND's    it ran, and the kernel had nothing to complain about
  1            the kernel reported a fault (oops, WARN, lockdep, KASAN, hung
               task, leak, ...); shown on stderr. A non-zero status of COMMAND stays
  2            bad options
  124          --timeout was over
  125          no guest: nothing built, no QEMU, or it went down early

The console and the kernel's log of a run that failed are kept in
build/log/guest/, the newest is build/log/guest/last.log.
"""

ENDINGS = """\
Boards: raspi3b is four cortex-a53 with 1 GiB and an SD card (/dev/mmcblk0);
raspi4b needs QEMU 9. Nothing of that can be changed. virt has virtio (/dev/vda)
and takes every option; with --arch x86_64 it is a PC. For a kernel with KVM it has
CPUs that can run guests of their own.
PAGING_QEMU_ARGS in the environment is added to QEMU's command line.
"""


class Kernel:
    """A directory with an image: of our build, or somebody's object tree."""

    IMAGES = {"Image": "arm64", "arch/arm64/boot/Image": "arm64",
              "bzImage": "x86_64", "arch/x86/boot/bzImage": "x86_64"}

    def __init__(self, where, arch):
        self.where = where
        for name, kind in self.IMAGES.items():
            if kind == (arch or kind) and os.path.exists(os.path.join(where, name)):
                self.image = os.path.join(where, name)
                self.arch = kind
                break
        else:
            self.complain(arch)
        self.initramfs = os.path.join(where, "initramfs.cpio")
        if not os.path.exists(self.initramfs):
            self.initramfs = os.path.join(kernels.variant_dir(self.arch), "initramfs.cpio")
        if not os.path.exists(self.initramfs):
            raise Error(f"{kernels.variant_dir(self.arch)} holds no initramfs.cpio: run "
                        f"scripts/build {self.arch}", NO_GUEST)
        config = self.config()
        self.pages16k = config.get("CONFIG_ARM64_16K_PAGES") == "y"
        # Without a configuration it may have anything.
        self.boards = not config or config.get("CONFIG_ARCH_BCM2835") == "y"
        self.runs_guests = config.get("CONFIG_KVM") == "y"

    def complain(self, arch):
        variant = os.path.basename(os.path.normpath(self.where))
        if os.path.dirname(os.path.abspath(self.where)) == os.path.abspath(BUILD) \
                and variant in kernels.VARIANTS:
            if arch not in (None, kernels.VARIANTS[variant][0]):
                raise Error(f"--kernel {self.where}: {variant} is no kernel for --arch {arch}", BAD_INPUT)
            raise Error(f"the kernel {variant} is not built: run scripts/build {variant}", NO_GUEST)
        if not os.path.isdir(self.where):
            raise Error(f"--kernel {self.where}: there is no such directory", BAD_INPUT)
        raise Error(f"--kernel {self.where} holds no kernel image for {arch or 'arm64 or x86_64'} "
                    f"(Image or bzImage)", BAD_INPUT)

    def config(self):
        for name in ("config", ".config"):
            with contextlib.suppress(OSError):
                return kernels.read_config(os.path.join(self.where, name))
        return {}

    def dtb(self, name):
        places = [os.path.join(self.where, "dtbs", name),
                  os.path.join(self.where, "arch/arm64/boot/dts/broadcom", name),
                  os.path.join(kernels.variant_dir("arm64"), "dtbs", name)]
        for path in places:
            if os.path.exists(path):
                return path
        raise Error(f"{self.where} holds no {name}: run scripts/build arm64", NO_GUEST)


# ------------------------------------------------------------------- options

def number(option, text, kind):
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e6:
        raise Error(f"{option} {text}: a positive number is wanted", BAD_INPUT)
    return value


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Error(f"{message}; see scripts/guest --help", BAD_INPUT)


def parser():
    made = Parser(prog="scripts/guest", allow_abbrev=False, description=HELP, epilog=ENDINGS,
                  usage="scripts/guest [options] -- COMMAND...",
                  formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--arch", metavar="A", help="arm64 (default) or x86_64")
    made.add_argument("--machine", metavar="M", default="virt",
                      help="virt (default), raspi3b or raspi4b")
    made.add_argument("--cpu", metavar="C", help="CPU model (virt: cortex-a72, or cortex-a76 for a "
                                                 "kernel with 16K pages; x86_64: max)")
    made.add_argument("--mem", metavar="SIZE", help="memory, such as 512M or 2G (default 1G)")
    made.add_argument("--plug", metavar="SIZE", help="memory beside that, plugged in by virtio-mem and still "
                                                     "offline, such as 256M; --machine virt only")
    made.add_argument("--smp", metavar="N", help="number of CPUs (default 2)")
    made.add_argument("--icount", action="store_true",
                      help="guest time is an instruction count, which repeats exactly: "
                           "-icount shift=0,sleep=off, one CPU, no randomised addresses")
    made.add_argument("--shift", metavar="N", help="with --icount: an instruction takes 2^N ns (default 0), for "
                                                   "what is to last long without being long")
    made.add_argument("--kernel", metavar="DIR", help="directory of the kernel (default build/ARCH)")
    made.add_argument("--append", metavar="STR", action="append", default=[],
                      help="more for the kernel's command line")
    made.add_argument("--disk", metavar="SIZE", help="an empty disk for this run")
    made.add_argument("--timeout", metavar="S", help="end the guest after S seconds (default 300)")
    made.add_argument("--add", metavar="FILE[:DEST]", action="append", default=[],
                      help="a file or directory for the guest, at DEST or /<its name>; mode kept, "
                           "the last of several with one DEST counts")
    made.add_argument("--shell", action="store_true",
                      help="a shell (or COMMAND) on this terminal; Ctrl-a x ends it")
    return made


def parse(argv):
    options, command = argv, []
    if "--" in argv:
        split = argv.index("--")
        options, command = argv[:split], argv[split + 1:]
    args = parser().parse_args(options)
    args.command = command
    if not command and not args.shell:
        raise Error("no COMMAND: write it behind --, as in scripts/guest -- uname -a, or use "
                    "--shell", BAD_INPUT)
    if len(command) > 4000 or sum(map(len, command)) > 1 << 20:
        raise Error("COMMAND is too long: put it into a file and --add that", BAD_INPUT)
    if args.arch and args.arch not in ARCHES:
        raise Error(f"--arch {args.arch}: arm64 or x86_64", BAD_INPUT)
    if args.machine not in guest_machine.MACHINES:
        raise Error(f"--machine {args.machine}: {', '.join(guest_machine.MACHINES)} are known",
                    BAD_INPUT)
    args.mem = args.mem and megabytes("--mem", args.mem)
    args.plug = args.plug and megabytes("--plug", args.plug)
    args.disk = args.disk and megabytes("--disk", args.disk)
    args.smp = args.smp and number("--smp", args.smp, int)
    args.shift = args.shift and number("--shift", args.shift, int)
    args.timeout = number("--timeout", args.timeout or "300", float)
    args.added = parse_added(args.add)
    args.kernel = Kernel(args.kernel or kernels.variant_dir(args.arch or "arm64"), args.arch)
    args.arch = args.kernel.arch
    if args.machine in guest_machine.BOARDS:
        guest_machine.check_board(args)
    else:
        guest_machine.check_virt(args)
    return args


def parse_added(words):
    """{destination: file}; a name with a colon in it works as long as it exists."""
    added = {}
    for word in words:
        path, dest = word, ""
        if not os.path.exists(word) and ":" in word:
            path, dest = word.rsplit(":", 1)
        if not os.path.exists(path):
            raise Error(f"--add {path}: there is no such file", BAD_INPUT)
        if not (os.path.isfile(path) or os.path.isdir(path)):
            raise Error(f"--add {path}: only files and directories can be added", BAD_INPUT)
        if not os.access(path, os.R_OK):
            raise Error(f"--add {path}: it cannot be read", BAD_INPUT)
        name = os.path.basename(os.path.abspath(path))
        if dest.endswith("/"):
            dest += name
        dest = os.path.normpath("/" + (dest or name).lstrip("/"))
        for link in ("/usr/bin/", "/usr/sbin/", "/sbin/"):
            if dest.startswith(link):       # these lead to /bin
                dest = "/bin/" + dest[len(link):]
        if dest in ("/", "/init", "/.guest", *MOUNTED) or dest.startswith(tuple(top + "/" for top in MOUNTED)) \
                or dest == "/tmp" and not os.path.isdir(path):
            raise Error(f"--add {word}: {dest} is not a place for files in the guest", BAD_INPUT)
        added.pop(dest, None)
        added[dest] = path
    return added


# ---------------------------------------------------------------- the guest

def write_initramfs(args, plan, target):
    """Our base with what this run adds behind it."""
    shutil.copyfile(args.kernel.initramfs, target)
    with open(target, "ab") as stream:
        archive = cpio.Writer(stream)
        words = [plan.channel or "", plan.disk or "", *args.command]
        job = b"".join(os.fsencode(word) + b"\0" for word in words)
        archive.file(".guest/job", job)
        for dest, path in args.added.items():
            if (dest + "/").startswith("/tmp/"):
                dest = "/.guest" + dest
            archive.add(path, dest)
        archive.end()


def make_disk(megabytes_, directory):
    """An empty image for this run, None if none is wanted; it takes room as it is written to."""
    if not megabytes_:
        return None
    path = os.path.join(directory, "disk")
    try:
        with open(path, "wb") as image:
            image.truncate(megabytes_ << 20)
    except OSError as error:
        raise Error(f"--disk {megabytes_}M: a file of that size cannot be made in {os.path.dirname(directory)} "
                    f"({error.strerror})", BAD_INPUT) from error
    return path


def listen(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(1)
    return server


def die_with_us():
    """A guest does not outlive this program, however that ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Ended(Exception):
    def __init__(self, number):
        super().__init__(number)
        self.number = number


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def on_signal(number, _frame):
    for other in SIGNALS:           # a second one does not disturb the end
        signal.signal(other, signal.SIG_IGN)
    raise Ended(number)


class Run:
    """One boot. Streams go through as they come; the rest is judged at the end."""

    def __init__(self, args, directory, log):
        self.args = args
        self.log = log
        self.channel = guest_channel.Channel()
        self.kmsg = bytearray()
        self.console = bytearray()
        self.end = None             # (status, tainted before, after)
        self.directory = directory
        self.qemu = None
        self.selector = selectors.DefaultSelector()

    def start(self):
        where = self.directory
        servers = {}
        for name in ("console", "channel"):
            servers[name] = listen(os.path.join(where, name))
            self.selector.register(servers[name], selectors.EVENT_READ, (name, True))
        disk = make_disk(self.args.disk, where)
        chardev = "socket,id={{id}},path={}/{}"
        plan = guest_machine.plan(self.args, chardev.format(where, "console"),
                                  chardev.format(where, "channel"), disk)
        initramfs = os.path.join(where, "initramfs")
        write_initramfs(self.args, plan, initramfs)
        plan.command += ["-kernel", self.args.kernel.image, "-initrd", initramfs,
                         "-append", guest_machine.append(self.args, plan)]
        self.log.write(("+ " + " ".join(plan.command) + "\n").encode())
        with open(os.path.join(where, "stderr"), "wb") as errors:
            self.qemu = subprocess.Popen(plan.command, stdin=subprocess.DEVNULL, stdout=errors,
                                         stderr=errors, start_new_session=True,
                                         preexec_fn=die_with_us)

    def stop(self):
        if self.qemu and self.qemu.poll() is None:
            self.qemu.terminate()
            try:
                self.qemu.wait(2)
            except subprocess.TimeoutExpired:
                self.qemu.kill()
                self.qemu.wait()

    def accept(self, server, name):
        connection, _ = server.accept()
        self.selector.unregister(server)
        server.close()
        self.selector.register(connection, selectors.EVENT_READ, (name, False))

    def handle(self, data):
        for kind, payload in self.channel.feed(data):
            if kind in "oe":
                write_out(1 if kind == "o" else 2, payload)
            elif kind == "m":
                tell(payload.decode(errors="replace"))
            elif kind == "k":
                self.kmsg += payload
            elif kind == "x":
                self.end = tuple(map(int, payload.split()))

    def read(self, connection, name):
        """False when the guest has closed this one."""
        try:
            data = connection.recv(1 << 18)
        except ConnectionError:
            data = b""
        if not data:
            self.selector.unregister(connection)
            connection.close()
            return
        if name == "console":
            self.log.write(data)
            self.console += data
        else:
            self.handle(data)

    def panicked(self):
        return b"end Kernel panic" in self.console[-4096:]

    def loop(self):
        """Until the end is told, QEMU is gone, or time is over (then False)."""
        deadline = time.monotonic() + self.args.timeout
        while self.end is None:
            for key, _ in self.selector.select(0.1):
                name, listening = key.data
                if listening:
                    self.accept(key.fileobj, name)
                else:
                    self.read(key.fileobj, name)
            if self.qemu.poll() is not None and not self.open_streams():
                return True
            if self.panicked():
                return True
            if time.monotonic() > deadline:
                return False
        return True

    def open_streams(self):
        return any(not key.data[1] for key in self.selector.get_map().values())

    def console_lines(self):
        return self.console.decode(errors="replace").replace("\r", "").split("\n")

    def faults(self):
        """Lines of the kernel's that tell of a fault."""
        if self.end is None or b";" not in self.kmsg:
            return guest_faults.find(self.console_lines())
        lines = guest_channel.kernel_log(self.kmsg)
        self.log.write(b"\n--- the kernel's log ---\n")
        self.log.write("".join(line + "\n" for _, line in lines).encode())
        return guest_faults.find([line for own, line in lines if own])


def write_out(fd, data):
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view):]
        except BlockingIOError:         # a caller's stream that does not wait
            select.select([], [fd], [])


def tell(text):
    write_out(2, f"guest: {text}\n".encode(errors="replace"))


def judge(run, log):
    """The exit status, with everything said that has to be."""
    faults = run.faults()
    log.flush()
    name = shorten(log.name)
    if run.end is None:
        if faults:
            tell("the kernel reported a fault:\n" + "\n".join(faults))
            tell(f"the guest went down before COMMAND ended; the console is in {name}")
            return 1
        with open(os.path.join(run.directory, "stderr"), errors="replace") as text:
            why = text.read().strip()
        why = why or "\n".join(run.console_lines()[-15:]).strip()
        tell(f"the guest went down before COMMAND ended; the console is in {name}"
             + (f"\n{why}" if why else ""))
        return NO_GUEST
    status, _, tainted = run.end
    taints = guest_faults.taints(tainted) if tainted > 0 else []
    if not faults and not taints:
        return status
    faults = faults or guest_faults.find(run.console_lines())   # the log may have run over
    if faults:
        tell("the kernel reported a fault:\n" + "\n".join(faults))
    else:
        tell(f"the kernel is tainted by {', '.join(taints)}")
    tell(f"the console and the kernel's log are in {name}")
    return status or 1


def shorten(path):
    here = os.getcwd() + "/"
    return path[len(here):] if path.startswith(here) else path


def open_log():
    where = os.path.join(BUILD, "log", "guest")
    try:
        os.makedirs(where, exist_ok=True)
        old = sorted(name for name in os.listdir(where) if name.startswith("20"))
        for name in old[:-LOGS_KEPT]:
            with contextlib.suppress(FileNotFoundError):    # by another guest, at the same time
                os.unlink(os.path.join(where, name))
    except OSError:
        where = tempfile.gettempdir()
    name = time.strftime("%Y%m%d-%H%M%S-") + f"{os.getpid()}.log"
    return open(os.path.join(where, name), "wb", buffering=0)


def keep_log(log, status):
    with contextlib.suppress(OSError):
        if not status:
            os.unlink(log.name)
            return
        link = os.path.join(os.path.dirname(log.name), "last.log")
        os.symlink(os.path.basename(log.name), f"{link}.{os.getpid()}")
        os.replace(f"{link}.{os.getpid()}", link)


def scratch():
    """A directory; the path of a socket in it has to be short."""
    where = tempfile.gettempdir()
    return tempfile.TemporaryDirectory(prefix="guest-", dir=where if len(os.fsencode(where)) < 80 else "/tmp",
                                       ignore_cleanup_errors=True)


def run_command(args):
    status = NO_GUEST
    with scratch() as directory, open_log() as log:
        run = Run(args, directory, log)
        try:
            run.start()
            if run.loop():
                run.stop()
                status = judge(run, log)
            else:
                run.stop()
                faults = run.faults()
                if faults:
                    tell("the kernel reported a fault:\n" + "\n".join(faults))
                tell(f"COMMAND did not end within {args.timeout:g} seconds (--timeout); the "
                     f"console is in {shorten(log.name)}")
                status = TIMED_OUT
        except BrokenPipeError:
            status = 128 + signal.SIGPIPE
        finally:
            run.stop()
            keep_log(log, status)
    return status


def run_shell(args):
    """The console is this terminal; nothing is judged."""
    if args.command and not sys.stdin.isatty():
        raise Error("--shell with a COMMAND needs a terminal", BAD_INPUT)
    with scratch() as directory:
        disk = make_disk(args.disk, directory)
        plan = guest_machine.plan(args, "stdio,id={id},mux=on,signal=off", None, disk)
        initramfs = os.path.join(directory, "initramfs")
        write_initramfs(args, plan, initramfs)
        plan.command += ["-kernel", args.kernel.image, "-initrd", initramfs,
                         "-append", guest_machine.append(args, plan)]
        print(f"{args.machine} ({args.arch}, {plan.accel}); leave with `exit`, or end it with "
              f"Ctrl-a x", file=sys.stderr)
        qemu = subprocess.Popen(plan.command, preexec_fn=die_with_us)
        try:
            qemu.wait()
        finally:
            qemu.kill()
            qemu.wait()
    return 0


def main(argv):
    for number_ in SIGNALS:
        signal.signal(number_, on_signal)
    try:
        args = parse(argv)
        return run_shell(args) if args.shell else run_command(args)
    except Error as error:
        tell(str(error))
        return error.status
    except OSError as error:
        where = error.filename2 or error.filename
        tell(f"{error.strerror or error}" + (f": {where}" if where else "")
             + ("; free some, or name another place by TMPDIR=/path" if where and error.errno == errno.ENOSPC else ""))
        return NO_GUEST
    except Ended as ended:
        return 128 + ended.number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
