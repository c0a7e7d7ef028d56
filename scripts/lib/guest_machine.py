# SPDX-License-Identifier: GPL-2.0
"""QEMU's machines: what each can do, and the command line that starts it."""

import os
import re
import resource
import shlex
import shutil
import subprocess

import kernels
from kernels import ARCHES, BUILD, Error

BAD_INPUT = 2
NO_GUEST = 125

# Boards are what they are: QEMU refuses other values, and so do we, in words.
BOARDS = {
    "raspi3b": dict(cpu="cortex-a53", smp=4, mem=1024, dtb="bcm2837-rpi-3-b.dtb", qemu=(7, 0),
                    name="a Raspberry Pi 3B has four cortex-a53 and 1 GiB"),
    "raspi4b": dict(cpu="cortex-a72", smp=4, mem=2048, dtb="bcm2711-rpi-4-b.dtb", qemu=(9, 0),
                    name="QEMU's Raspberry Pi 4B has four cortex-a72 and 2 GiB"),
}
MACHINES = ["virt", *BOARDS]
NO_16K = ("cortex-a53", "cortex-a57", "cortex-a72", "cortex-a35")
NO_64BIT = ("cortex-a7", "cortex-a15", "qemu32", "kvm32", "486", "pentium", "pentium2", "pentium3",
            "coreduo", "n270", "athlon")
KERNEL_MB = 48
# The command line goes through a fixed buffer in the kernel (COMMAND_LINE_SIZE).
LONGEST_APPEND = 1900
# A memory block of the kernel's, on both architectures.
PLUG_UNIT_MB = 128


def qemu(arch):
    path = shutil.which(ARCHES[arch]["qemu"])
    if not path:
        raise Error(f"{ARCHES[arch]['qemu']} is missing: run scripts/deps, which installs "
                    f"what is needed", NO_GUEST)
    return path


def qemu_version(arch):
    text = subprocess.run([qemu(arch), "--version"], stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def megabytes(option, text):
    """A size in MB: a number with M or G, plain numbers are MB."""
    found = re.fullmatch(r"(\d{1,9})([MmGg]?)i?[Bb]?", text)
    size = int(found[1]) * (1024 if found[2] in "Gg" and found[2] else 1) if found else 0
    if not size:
        raise Error(f"{option} {text}: a size is a number with M or G, such as 512M", BAD_INPUT)
    return size


def host_megabytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


# ------------------------------------------------------------------ checking

def check_board(args):
    board = BOARDS[args.machine]
    asked = [("--cpu", args.cpu and args.cpu != board["cpu"]),
             ("--smp", args.smp and args.smp != board["smp"]),
             ("--mem", args.mem and args.mem != board["mem"])]
    for option, wrong in asked:
        if wrong:
            raise Error(f"{option}: {board['name']}, nothing else can be chosen; "
                        f"--machine virt takes other values", BAD_INPUT)
    if args.plug:
        raise Error(f"--plug: {board['name']} soldered on; --machine virt has memory to plug in", BAD_INPUT)
    if args.icount:
        raise Error(f"--icount needs one CPU, and {board['name']}; use --machine virt", BAD_INPUT)
    if args.arch != "arm64":
        raise Error(f"--machine {args.machine} is an arm64 board, not --arch {args.arch}", BAD_INPUT)
    if args.disk and args.disk & args.disk - 1:
        raise Error(f"--disk: an SD card's size has to be a power of two, such as "
                    f"{1 << args.disk.bit_length()}M", BAD_INPUT)
    check_fits(args, board["mem"] - 72)     # what the GPU has
    if args.kernel.pages16k:
        raise Error(f"{board['name']}, which cannot run a kernel with 16K pages; use "
                    f"--machine virt", BAD_INPUT)
    if not args.kernel.boards:
        raise Error(f"--machine {args.machine}: this kernel has no drivers for it (scripts/config/boards.config); "
                    f"take build/arm64, or --machine virt", BAD_INPUT)
    have = qemu_version("arm64")
    if have < board["qemu"]:
        raise Error(f"--machine {args.machine} needs QEMU {board['qemu'][0]} or newer and this is "
                    f"{have[0]}.{have[1]}: install qemu-system-arm from Debian's "
                    f"bookworm-backports, or use raspi3b or virt", NO_GUEST)


def check_virt(args):
    for option, size in (("--mem", args.mem), ("--plug", args.plug)):
        if size and size > host_megabytes():
            raise Error(f"{option} {size}M is more than the {host_megabytes()}M of this machine", BAD_INPUT)
    if args.plug and args.plug % PLUG_UNIT_MB:
        raise Error(f"--plug {args.plug}M: memory is plugged in by blocks of {PLUG_UNIT_MB}M", BAD_INPUT)
    if args.icount and args.smp and args.smp != 1:
        raise Error("--icount counts with one CPU only: leave --smp out", BAD_INPUT)
    if args.shift and (not args.icount or args.shift > 10):
        raise Error(f"--shift {args.shift}: 1 to 10, and with --icount only", BAD_INPUT)
    if args.smp and not 1 <= args.smp <= 8:
        raise Error(f"--smp {args.smp}: one to eight CPUs", BAD_INPUT)
    if args.cpu:
        check_cpu(args)
    check_fits(args, args.mem or 1024)


def check_fits(args, have):
    """Files lie in memory: as an archive, and unpacked in at most half of what there is."""
    size = os.path.getsize(args.kernel.initramfs)
    for path in args.added.values():
        size += sum(os.lstat(os.path.join(top, name)).st_size for top, _, names in os.walk(path) for name in names)
        size += os.path.getsize(path)
    if size > 0.45 * (have - KERNEL_MB) * 2**20:
        need = int(size / 0.45 / 2**20) + KERNEL_MB + 1
        if args.machine in BOARDS:
            raise Error(f"--add: all that needs {need}M of memory, and {BOARDS[args.machine]['name']}; use "
                        f"--machine virt --mem {need}M", BAD_INPUT)
        raise Error(f"the guest's files need more than {have}M of memory: take --mem {need}M or more", BAD_INPUT)


def check_cpu(args):
    model = args.cpu.split(",")[0]
    if args.kernel.pages16k and model in NO_16K:
        raise Error(f"--cpu {model} has no 16K pages, which this kernel is built for: use "
                    f"cortex-a76 or max", BAD_INPUT)
    if model in NO_64BIT:
        raise Error(f"--cpu {model} is a 32-bit CPU and the kernel has 64 bits", BAD_INPUT)
    if model == "host":
        if args.icount:
            raise Error("--icount counts on an emulated CPU only: leave --cpu host out", BAD_INPUT)
        if not kvm_works(args.arch, args.kernel):
            raise Error(f"--cpu host needs KVM, which does not work for {args.arch} here: leave it out",
                        BAD_INPUT)
        return
    machine = "virt" if args.arch == "arm64" else "pc"
    try:
        trial = subprocess.run([qemu(args.arch), "-M", machine, "-accel", "tcg", "-cpu", args.cpu, "-S",
                                "-nodefaults", "-display", "none", "-monitor", "stdio"],
                               input="quit\n", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return
    if trial.returncode:
        why = trial.stderr.strip().split("\n")[-1].split(": ", 1)[-1]
        raise Error(f"--cpu {args.cpu} cannot be used here ({why}); "
                    f"`{ARCHES[args.arch]['qemu']} -cpu help` lists the names", BAD_INPUT)


# ----------------------------------------------------------------------- KVM

def kvm_works(arch, kernel):
    """
    /dev/kvm may be there and useless, so a kernel is started on it once per
    boot of this machine: that it gets as far as our init is good enough.
    """
    if arch != kernels.host_arch() or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    with open("/proc/sys/kernel/random/boot_id") as text:
        boot = text.read().strip()
    cache = os.path.join(BUILD, "cache", "kvm")
    try:
        with open(cache) as text:
            known, verdict = text.read().split()
        if known == boot:
            return verdict == "works"
    except (OSError, ValueError):
        pass
    works = try_kvm(arch, kernel)
    try:
        os.makedirs(os.path.dirname(cache), exist_ok=True)
        with open(f"{cache}.{os.getpid()}", "w") as text:
            text.write(f"{boot} {'works' if works else 'fails'}\n")
        os.replace(f"{cache}.{os.getpid()}", cache)
    except OSError:
        pass
    return works


def no_core():
    """QEMU may abort where KVM does not work; that leaves no file behind."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def try_kvm(arch, kernel):
    machine = "virt" if arch == "arm64" else "pc"
    console = "ttyAMA0" if arch == "arm64" else "ttyS0"
    command = [qemu(arch), "-M", machine, "-accel", "kvm", "-cpu", "host", "-m", "256",
               "-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
               "-kernel", kernel.image, "-append", f"console={console} panic=-1"]
    try:
        # Without an initramfs: it ends at once with a panic, saying so.
        trial = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, timeout=10, preexec_fn=no_core)
    except subprocess.TimeoutExpired:
        return False
    return b"Kernel panic" in trial.stdout


# -------------------------------------------------------------- command line

class Plan:
    """What to start: the command line, and the guest's names for things."""

    def __init__(self):
        self.command = []
        self.channel = None     # what leads to the host: a device, or the name of a virtio port
        self.disk = None        # the device of its disk, if it has one
        self.console = None
        self.accel = "tcg"


def plan(args, console, channel, disk):
    """
    console and channel are chardev options without id, disk is an image's path or None.
    channel None: interactive.
    """
    made = Plan()
    made.command = [qemu(args.arch), "-nodefaults", "-no-user-config", "-display", "none",
                    "-no-reboot"]
    made.command += ["-chardev", console.format(id="console")]
    if channel:
        made.command += ["-chardev", channel.format(id="channel"), "-monitor", "none"]
    else:
        made.command += ["-mon", "chardev=console,mode=readline"]
    if args.machine in BOARDS:
        board(args, made, channel, disk)
    else:
        generic(args, made, channel, disk)
    made.command += shlex.split(os.environ.get("PAGING_QEMU_ARGS", ""))
    return made


def board(args, made, channel, disk):
    about = BOARDS[args.machine]
    dtb = args.kernel.dtb(about["dtb"])
    made.command += ["-M", args.machine, "-dtb", dtb]
    # The first serial line is the PL011, the second the mini UART of the aux block.
    made.command += ["-serial", "chardev:channel" if channel else "null"]
    made.command += ["-serial", "chardev:console"]
    made.channel = "/dev/ttyAMA0"
    made.console = "ttyS1"
    if disk:
        made.command += ["-drive", f"if=sd,format=raw,file={disk}"]
        made.disk = "/dev/mmcblk0"


def generic(args, made, channel, disk):
    arm = args.arch == "arm64"
    cpu = args.cpu
    if not args.icount and (not cpu or cpu == "host") and kvm_works(args.arch, args.kernel):
        made.accel = "kvm"
        cpu = "host"
    if not cpu:
        cpu = ("cortex-a76" if args.kernel.pages16k else "cortex-a72") if arm else "max"
    smp = 1 if args.icount else args.smp or 2
    machine = "virt" if arm else "pc"
    # A kernel with KVM is to have CPUs that can; a PC's have it anyway.
    if arm and made.accel == "tcg" and args.kernel.runs_guests:
        machine += ",virtualization=on"
    made.command += ["-M", machine, "-accel", made.accel, "-cpu", cpu, "-smp", str(smp)]
    made.command += memory(args)
    if args.icount:
        made.command += ["-icount", f"shift={args.shift or 0},sleep=off", "-seed", "1",
                         "-rtc", "base=2025-01-01,clock=vm"]
    made.command += ["-serial", "chardev:console"]
    made.console = "ttyAMA0" if arm else "ttyS0"
    bus = "device" if arm else "pci"
    if channel:
        made.command += ["-device", f"virtio-serial-{bus}",
                         "-device", "virtserialport,chardev=channel,name=channel"]
        made.channel = "channel"
    if disk:
        made.command += ["-drive", f"if=none,id=disk,format=raw,cache=unsafe,file={disk}",
                         "-device", f"virtio-blk-{bus},drive=disk"]
        made.disk = "/dev/vda"


def memory(args):
    size = args.mem or 1024
    if not args.plug:
        return ["-m", f"{size}M"]
    return ["-m", f"{size}M,slots=1,maxmem={size + args.plug}M",
            "-object", f"memory-backend-ram,id=plugged,size={args.plug}M",
            "-device", f"virtio-mem-pci,memdev=plugged,requested-size={args.plug}M"]


def append(args, made):
    """The kernel's command line."""
    # Errors and warnings show at once, all the rest is fetched from the log at the end.
    words = [f"console={made.console}", "quiet", "loglevel=5", "panic=-1"]
    if args.arch == "x86_64":
        # The kernel waits for ten ticks by counting cycles; a loaded machine may give it none meanwhile.
        words.append("no_timer_check")
    if args.icount:
        words.append("norandmaps")
    words += args.append
    line = " ".join(words)
    if len(line) > LONGEST_APPEND:
        raise Error("--append: the kernel's command line would get too long", BAD_INPUT)
    return line
