# SPDX-License-Identifier: GPL-2.0
"""scripts/guest: a command in the guest is like a command here, and what goes wrong is said."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import toy
from toy import Skip
import guest_faults
import kernels

ARCH = "arm64"
GUEST = os.path.join(toy.ROOT, "scripts", "guest")
PROVOKE = "modprobe lkdtm; echo %s >/sys/kernel/debug/provoke-crash/DIRECT"


class Host:
    """A scratch directory, which is TMPDIR too, so that what a guest leaves behind is found."""

    def __init__(self):
        self.top = tempfile.mkdtemp(prefix="gt-")
        self.tmp = self.top + "/tmp"
        os.mkdir(self.tmp)
        self.env = dict(os.environ, TMPDIR=self.tmp)

    def remove(self):
        shutil.rmtree(self.top)

    def write(self, name, content=b"", mode=0o644):
        path = os.path.join(self.top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def start(self, *words, options=(), **more):
        return subprocess.Popen([GUEST, "--arch", ARCH, *options, *(["--", *words] if words else [])],
                                env=self.env, cwd=self.top, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def guest(self, *words, options=(), stdin=b"", limit=120):
        """(exit status, stdout, stderr) of a command in the guest."""
        process = self.start(*words, options=options, stdin=subprocess.PIPE)
        try:
            out, err = process.communicate(stdin, timeout=limit)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        assert b"Traceback" not in err, err.decode()
        self.nothing_left()
        return process.returncode, out, err.decode(errors="replace")

    def sh(self, script, *options, **more):
        return self.guest("sh", "-c", script, options=options, **more)

    def works(self, script, *options, **more):
        status, out, err = self.sh(script, *options, **more)
        assert (status, err) == (0, ""), "status %d: %s %s" % (status, out.decode(errors="replace"), err)
        return out.decode()

    def refuses(self, *options, saying, status=2, words=("true",), **env):
        """One sentence, and no boot."""
        self.env.update(env)
        begin = time.monotonic()
        got, out, err = self.guest(*words, options=options)
        assert got == status and not out, "status %d: %s %s" % (got, out, err)
        for word in [saying] if isinstance(saying, str) else saying:
            assert word in err, "no %r in: %s" % (word, err)
        assert err.startswith("guest: ") and err.count("\n") == 1 and not re.search(r"qemu-system-\S+: ", err), err
        assert time.monotonic() - begin < 15

    def processes(self):
        """Of QEMU, started with something in our directory."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % name, "rb") as line:
                    if os.fsencode(self.tmp) in line.read():
                        found.append(int(name))
            except OSError:
                continue
        return found

    def nothing_left(self, files=True):
        deadline = time.monotonic() + 5
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not self.processes(), "QEMU still runs: %s" % self.processes()
        assert not files or not os.listdir(self.tmp), os.listdir(self.tmp)

    def tools(self, **scripts):
        """A PATH with what scripts/guest itself needs, and with these."""
        path = self.top + "/bin"
        os.mkdir(path)
        for name in ("sh", "dirname", "cat", "grep"):
            os.symlink(shutil.which(name), os.path.join(path, name))
        os.symlink(sys.executable, path + "/python3")
        for name, text in scripts.items():
            self.write("bin/" + name.replace("_", "-").replace("86-64", "86_64"), "#!/bin/sh\n" + text, 0o755)
        self.env["PATH"] = path

    def fake_build(self, arch):
        """Files that look like a built kernel."""
        self.env["PAGING_BUILD_DIR"] = self.top + "/build"
        for name in ("bzImage" if arch == "x86_64" else "Image", "initramfs.cpio", "dtbs/bcm2711-rpi-4-b.dtb"):
            self.write("build/%s/%s" % (arch, name))


make_toy = Host


def only(arch):
    """For a test that is one architecture's; with the other it is not in the list."""
    def mark(test):
        test.arch = arch
        return test
    return mark


only_arm64 = only("arm64")


# ------------------------------------------------------------ like a command here

def test_exit_status(t):
    for status in (0, 1, 7, 127, 255):
        assert t.sh("exit %d" % status) == (status, b"", ""), status


def test_death_by_a_signal(t):
    for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGTERM):
        assert t.sh("kill -%d $$" % number) == (128 + number, b"", ""), number


def test_program_that_is_not_there_or_cannot_run(t):
    for name, status, word in (("/nothing", 127, "No such file"), ("/etc/passwd", 126, "Permission denied"),
                               ("/etc", 126, "Permission denied")):
        got, out, err = t.guest(name)
        assert (got, out) == (status, b"") and name in err and word in err, (got, err)


def test_streams_are_apart_and_clean(t):
    every = bytes(range(256)) * 5
    t.write("bytes", every)
    status, out, err = t.sh("cat /bytes; echo error >&2", "--add", t.top + "/bytes")
    assert (status, out, err) == (0, every, "error\n")
    process = t.start("sh", "-c", "cat /bytes >&2; echo output", options=["--add", t.top + "/bytes"])
    assert process.communicate(timeout=60) == (b"output\n", every) and process.returncode == 0


def test_much_output(t):
    size = 20 << 20
    content = os.urandom(1 << 20)
    t.write("part", content)
    status, out, err = t.sh("for i in $(seq 20); do cat /part; done; exit 3", "--add", t.top + "/part")
    assert (status, len(out), err) == (3, size, "") and out == content * 20


def test_output_without_a_reader_ends_the_guest(t):
    process = t.start("sh", "-c", "yes")
    process.stdout.read(10)
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(30) == 128 + signal.SIGPIPE and b"Traceback" not in err, err
    t.nothing_left()


def test_what_command_leaves_running_is_ended(t):
    begin = time.monotonic()
    assert t.sh("sleep 1000 & setsid sleep 1000 & echo here") == (0, b"here\n", "")
    assert time.monotonic() - begin < 30


def test_arguments_come_as_they_are(t):
    words = ["a b", "", "'", '"', "\\", "two\nlines\n", "$HOME", "*", "--", "-x", "ü", "\t", "a;b|c&d", "%s"]
    status, out, err = t.guest("sh", "-c", 'for w; do printf "[%s]" "$w"; done', "sh", *words)
    assert (status, out.decode(), err) == (0, "".join("[%s]" % w for w in words), "")


def test_stdin_is_empty(t):
    assert t.guest("cat", stdin=b"not for the guest\n") == (0, b"", "")


def test_environment(t):
    out = t.works("id -u; pwd; echo $HOME; which sh modprobe dmesg awk perf; nproc; uname -m")
    assert out.splitlines() == ["0", "/", "/root", "/bin/sh", "/bin/modprobe", "/bin/dmesg", "/bin/awk", "/bin/perf", "2",
                                "aarch64" if ARCH == "arm64" else ARCH], out


def test_file_systems(t):
    mounted = dict(line.split()[1:3] for line in t.works("cat /proc/mounts").splitlines())
    for where, kind in {"/proc": "proc", "/sys": "sysfs", "/dev": "devtmpfs", "/tmp": "tmpfs", "/dev/pts": "devpts",
                        "/dev/shm": "tmpfs", "/sys/kernel/debug": "debugfs", "/sys/kernel/tracing": "tracefs",
                        "/sys/fs/cgroup": "cgroup2"}.items():
        assert mounted.get(where) == kind, "%s: %s" % (where, mounted)
    t.works("set -e; echo 1 >/tmp/x; echo 1 >/dev/shm/x; echo 1 >/root/x; echo 1 >/mnt/x; mkdir /sys/fs/cgroup/a; "
            "ls /dev/fd/ >/dev/null; [ $(stat -c %a /) = 755 ]; [ $(stat -c %a /tmp) = 1777 ]")


def test_drivers_are_loaded(t):
    t.works("set -e; [ -c /dev/paging ]; ls /sys/class/misc/paging/stats >/dev/null")


def test_built_in_for_foreign_user_space(t):
    out = t.works("zcat /proc/config.gz")
    for name in ("VIRTIO_BLK", "VIRTIO_PCI", "VIRTIO_CONSOLE", "ZRAM", "SWAP", "MEMCG"):
        assert "CONFIG_%s=y\n" % name in out, name


# ------------------------------------------------------------------------- --add

def test_add(t):
    t.write("own/tool", "#!/bin/sh\necho ran $0 $1\n", 0o755)
    t.write("own/secret", "s", 0o640)
    t.write("a b:c", "odd name", 0o600)
    t.write("tree/sub/file", "in a tree", 0o604)
    os.symlink("sub/file", t.top + "/tree/link")
    out = t.works("set -e; /tool x; stat -c '%a %n' /tool /deep/er/s /tree/sub/file; cat '/a b:c'; cat /tree/link /tmp/t/s; "
                  "readlink /tree/link; stat -c %u:%g /tool; /usr/bin/mine y",
                  "--add", t.top + "/own/tool", "--add", t.top + "/own/secret:/deep/er/s", "--add", t.top + "/a b:c",
                  "--add", t.top + "/tree/", "--add", t.top + "/own/secret:/tmp/t/s",
                  "--add", t.top + "/own/tool:/usr/bin/mine")
    assert out == ("ran /tool x\n755 /tool\n640 /deep/er/s\n604 /tree/sub/file\nodd namein a trees"
                   "sub/file\n0:0\nran /usr/bin/mine y\n"), out


def test_add_to_a_directory_and_the_last_one_counts(t):
    t.write("one/f", "first")
    t.write("two/f", "second")
    assert t.works("cat /f /data/f", "--add", t.top + "/one/f", "--add", t.top + "/two/f",
                   "--add", t.top + "/one/f:/data/") == "secondfirst"


def test_add_a_directory_as_tmp(t):
    t.write("mine/f", "here")
    assert t.works("cat /tmp/f; stat -c %a /tmp", "--add", t.top + "/mine:/tmp") == "here1777\n"


def test_add_refuses(t):
    t.write("f")
    t.refuses("--add", t.top + "/nothing", saying=["/nothing", "no such file"])
    t.refuses("--add", "/dev/null", saying="only files and directories")
    for place in ("/proc/x", "/dev/x", "/sys", "/init", "/tmp"):
        t.refuses("--add", t.top + "/f:" + place, saying="is not a place for files")


def test_add_more_than_fits(t):
    os.truncate(t.write("big"), 700 << 20)
    t.refuses("--add", t.top + "/big", saying=["1024M", "--mem "])
    if ARCH == "arm64":
        t.refuses("--add", t.top + "/big", "--machine", "raspi3b", saying=["1 GiB", "--machine virt"])


# ------------------------------------------------------------- machines and options

def test_memory_and_cpus(t):
    kilobytes, cpus = t.works("awk '/MemTotal/{print $2}' /proc/meminfo; nproc", "--mem", "2G", "--smp", "3").split()
    assert 1900 << 10 < int(kilobytes) < 2 << 20 and cpus == "3", (kilobytes, cpus)
    assert t.works("echo small", "--mem", "64M") == "small\n"


def test_append(t):
    assert " lab.word=x" in t.works("cat /proc/cmdline", "--append", "lab.word=x", "--append", "other")


def test_disk(t):
    assert t.works("cat /sys/block/vda/size; dd if=/dev/zero of=/dev/vda bs=1M count=3 2>/dev/null; echo text >/dev/vda; "
                   "head -c 5 /dev/vda; mkswap /dev/vda >/dev/null && swapon /dev/vda && grep -c vda /proc/swaps",
                   "--disk", "48M") == "98304\ntext\n1\n"


def test_disk_that_cannot_be_made(t):
    t.refuses("--disk", "99999999G", saying=["--disk", "cannot be made"])


def test_icount_counts_on_one_cpu(t):
    assert t.works("nproc; perf stat -x, -e page-faults /bin/true 2>&1", "--icount").startswith("1\n")


@only_arm64
def test_icount_repeats(t):
    script = "perf stat -x, -e instructions:u,instructions:k,page-faults sh -c 'for i in 1 2 3; do :; done' 2>&1"
    first, second = (t.works(script, "--icount") for _ in range(2))
    assert first == second, (first, second)
    counts = [line.split(",")[0] for line in first.splitlines()]
    assert len(counts) == 3 and all(int(count) > 0 for count in counts), first


@only_arm64
def test_cpus(t):
    for cpu, part in (("cortex-a53", "0xd03"), ("cortex-a72", "0xd08"), ("cortex-a76", "0xd0b"), ("max", "0x")):
        out = t.works("grep -m1 part /proc/cpuinfo", "--cpu", cpu)
        assert part in out, out
    assert "0xd08" in t.works("grep -m1 part /proc/cpuinfo")


@only_arm64
def test_raspi3b(t):
    every = bytes(range(256)) * 40
    t.write("bytes", every)
    status, out, err = t.sh("tr -d '\\0' </proc/device-tree/model; nproc; [ -c /dev/paging ] && echo paging; cat /bytes; "
                            "cat /bytes >&2; stat -c %t:%T /dev/mmcblk0; exit 9",
                            "--machine", "raspi3b", "--add", t.top + "/bytes", "--disk", "64M", "--mem", "1G", "--smp", "4")
    assert status == 9 and out == b"Raspberry Pi 3 Model B4\npaging\n" + every + b"b3:0\n", (status, out[:99])
    assert err == every.decode(errors="replace")


@only_arm64
def test_raspi3b_fault_and_hang(t):
    status, _, err = t.sh(PROVOKE % "WARNING", "--machine", "raspi3b")
    assert status == 1 and "lkdtm_WARNING" in err, err
    status, out, err = t.sh("echo here; sleep 1000", "--machine", "raspi3b", "--timeout", "15")
    assert (status, out) == (124, b"here\n") and "15 seconds" in err, err


@only_arm64
def test_boards_refuse_what_they_cannot(t):
    for options, words in ((["--mem", "2G"], "1 GiB"), (["--smp", "2"], "four"), (["--cpu", "cortex-a72"], "cortex-a53"),
                           (["--disk", "100M"], "power of two, such as 128M"), (["--icount"], "one CPU"), (["--plug", "128M"], "soldered")):
        t.refuses("--machine", "raspi3b", *options, saying=words)


def test_memory_is_plugged_in(t):
    out = t.works("cat /sys/devices/system/memory/*/state | sort | uniq -c", "--plug", "256M")
    assert "2 offline" in out, out
    t.refuses("--plug", "100M", saying="blocks of 128M")


@only_arm64
def test_boards_need_a_kernel_with_their_drivers(t):
    t.fake_build("arm64")
    t.write("build/arm64/config", "CONFIG_ARM64_4K_PAGES=y\n")
    t.refuses("--machine", "raspi3b", saying=["no drivers", "boards.config", "--machine virt"])


@only_arm64
def test_raspi4b_needs_a_newer_qemu(t):
    t.tools(qemu_system_aarch64="[ $1 = --version ] && echo 'QEMU emulator version 7.2.22' && exit\n")
    t.refuses("--machine", "raspi4b", saying=["QEMU 9", "7.2", "backports"], status=125)


@only_arm64
def test_raspi4b_is_started_with_a_newer_qemu(t):
    t.tools(qemu_system_aarch64="[ $1 = --version ] && echo 'QEMU emulator version 9.2.0' && exit\necho ran: $* >&2\n")
    t.fake_build("arm64")
    status, _, err = t.guest("true", options=["--machine", "raspi4b"])
    assert status == 125 and "-M raspi4b" in err, err
    t.refuses("--machine", "raspi4b", "--mem", "4G", saying="2 GiB")


@only("x86_64")
def test_arm64_boards_are_no_pc(t):
    t.refuses("--machine", "raspi3b", saying="arm64 board")


def test_refuses_bad_options(t):
    for options, word in ((["--mem", "12X"], "12X"), (["--mem", "0"], "--mem 0"), (["--mem", "32M"], "--mem "),
                          (["--mem", "90000G"], "more than"), (["--smp", "x"], "--smp x"), (["--smp", "9"], "eight"),
                          (["--smp", "0"], "--smp 0"), (["--timeout", "-1"], "--timeout -1"), (["--timeout", "nan"], "nan"),
                          (["--disk", "0"], "--disk 0"), (["--disk", "half"], "half"), (["--machine", "pi9"], "pi9"),
                          (["--cpu", "nonsense"], "nonsense"), (["--nonsense"], "--nonsense"), (["--mem"], "--mem"),
                          (["--icount", "--smp", "2"], "one CPU"), (["--arch", "riscv"], "riscv"),
                          (["--append", "x" * 3000], "--append")):
        t.refuses(*options, saying=word)
    t.refuses(words=(), saying="no COMMAND")
    t.refuses("uname", words=("-a",), saying="uname")


def test_refuses_bad_kernels(t):
    other = "arm64" if ARCH == "x86_64" else "x86_64"
    t.refuses("--kernel", t.top + "/nothing", saying=["/nothing", "no such directory"])
    t.refuses("--kernel", t.top, saying=[t.top, "no kernel image"])
    t.refuses("--kernel", kernels.variant_dir(other), saying="no kernel for --arch " + ARCH)
    t.refuses(status=125, saying=["is not built", "scripts/build " + ARCH], PAGING_BUILD_DIR=t.top + "/build")


def test_no_qemu(t):
    t.tools()
    t.refuses(status=125, saying=["qemu-system-", "is missing", "scripts/deps"])


def test_qemu_that_ends_at_once(t):
    t.env["PAGING_QEMU_ARGS"] = "-nonsense"
    status, out, err = t.guest("true")
    assert status == 125 and "went down before" in err and "-nonsense" in err, err


def test_no_room_for_the_guests_files(t):
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "small", t.tmp],
                                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("needs root and mount")
    try:
        t.refuses(status=125, saying=["No space left", t.tmp, "TMPDIR"])
    finally:
        subprocess.run(["umount", t.tmp], check=True)


def test_output_that_cannot_be_written(t):
    with open("/dev/full", "w") as full:
        done = subprocess.run([GUEST, "--arch", ARCH, "--", "echo", "x"], env=t.env, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 125 and done.stderr == b"guest: No space left on device\n", done.stderr
    t.nothing_left()


def test_tmpdir_that_is_not_there_or_long(t):
    for where in ("/nothing", "/" + "long" * 30):
        t.env["TMPDIR"] = t.top + where
        assert t.guest("true") == (0, b"", ""), where
        os.makedirs(t.top + "/" + "long" * 30, exist_ok=True)


def test_initramfs_that_is_missing(t):
    t.fake_build(ARCH)
    t.tools(**{"qemu_system_" + ("aarch64" if ARCH == "arm64" else ARCH): "exit 1\n"})
    os.unlink(t.top + "/build/%s/initramfs.cpio" % ARCH)
    t.refuses(status=125, saying=["initramfs.cpio", "scripts/build " + ARCH])


def kvm(t, verdict):
    """What a run is started with where a trial of KVM ends so."""
    arch = kernels.host_arch()
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise Skip("there is no /dev/kvm to try")
    name = "qemu_system_" + ("aarch64" if arch == "arm64" else arch)
    t.tools(**{name: 'case "$*" in *chardev*) echo "ran: $*" >&2; exit 1;; *"accel kvm"*) %s;; esac\n' % verdict})
    t.fake_build(arch)
    return [t.guest("true")[2] for _ in range(2)]


@only(kernels.host_arch())
def test_kvm_that_is_there_and_does_not_work(t):
    for err in kvm(t, "echo failed to set MSR >&2; kill -ABRT $$"):
        assert "-accel tcg" in err and "kvm" not in err, err
    t.refuses("--cpu", "host", saying="needs KVM")


@only(kernels.host_arch())
def test_kvm_that_works(t):
    for err in kvm(t, "echo Kernel panic - not syncing: no init"):
        assert "-accel kvm -cpu host" in err, err
    assert "-accel tcg" in t.guest("true", options=["--icount"])[2]


# ------------------------------------------------------------------ what goes wrong

def named_log(err):
    path = re.search(r"(\S+/log/guest/\S+\.log)", err)
    assert path, "no log is named in: " + err
    with open(path[1], errors="replace") as text:
        return text.read()


def test_warning_is_a_failure_though_command_succeeds(t):
    status, out, err = t.sh("echo before; %s; echo after" % (PROVOKE % "WARNING"))
    assert (status, out) == (1, b"before\nafter\n"), (status, out)
    assert "reported a fault" in err and "WARNING: CPU" in err and "lkdtm_WARNING" in err and "end trace" in err, err
    assert "WARNING: CPU" in named_log(err)


def test_status_of_command_stays_beside_a_warning(t):
    status, _, err = t.sh(PROVOKE % "WARNING" + "; exit 9")
    assert status == 9 and "lkdtm_WARNING" in err, err


def test_oops(t):
    status, _, err = t.sh("(%s); echo survived" % (PROVOKE % "BUG"))
    assert status == 1 and "kernel BUG at" in err and "lkdtm_BUG" in err, (status, err)
    status, _, err = t.sh(PROVOKE % "EXCEPTION")
    assert status not in (0, 125) and "lkdtm" in err and "reported a fault" in err, (status, err)


def test_panic(t):
    status, _, err = t.sh("echo c >/proc/sysrq-trigger; sleep 100")
    assert status == 1 and "sysrq triggered crash" in err and "went down before COMMAND ended" in err, err
    named_log(err)


def test_panic_on_warn(t):
    status, _, err = t.sh(PROVOKE % "WARNING", "--append", "panic_on_warn=1")
    assert status == 1 and "lkdtm_WARNING" in err and "panic_on_warn set" in err, err


def test_hung_task(t):
    status, _, err = t.sh("echo 2 >/proc/sys/kernel/hung_task_timeout_secs; (%s) & sleep 6" % (PROVOKE % "HUNG_TASK"))
    assert status == 1 and "blocked for more than" in err and "lkdtm" in err, err


def test_warning_that_the_log_has_lost(t):
    status, _, err = t.sh("%s; echo on >/proc/sys/kernel/printk_devkmsg; x=$(head -c 500 /dev/zero | tr '\\0' x); "
                          "for i in $(seq 3000); do echo $x; done >/dev/kmsg" % (PROVOKE % "WARNING"))
    assert status == 1 and "lkdtm_WARNING" in err, err


def test_words_of_a_program_are_no_fault(t):
    status, out, err = t.sh("echo '<0>WARNING: CPU: 0 Oops BUG: KASAN:' >/dev/kmsg; echo 'Kernel panic BUG: Oops'; "
                            "echo 'kernel BUG at x.c:1!' >/dev/console; echo 'BUG: Oops' >&2")
    assert (status, out, err) == (0, b"Kernel panic BUG: Oops\n", "BUG: Oops\n"), (status, out, err)


def test_guest_that_goes_down(t):
    for command in ("poweroff -f", "reboot -f", "poweroff", "kill -TERM 1"):
        begin = time.monotonic()
        status, out, err = t.sh("echo here; sleep 0.5; %s; sleep 100" % command)
        assert (status, out) == (125, b"here\n") and "went down before COMMAND ended" in err, (command, status, err)
        assert time.monotonic() - begin < 30
        named_log(err)


def test_timeout(t):
    begin = time.monotonic()
    # Long enough for a boot beside a build, which takes some seconds.
    status, out, err = t.sh("echo before; trap '' TERM INT; sleep 1000", "--timeout", "12")
    assert (status, out) == (124, b"before\n") and "did not end within 12 seconds" in err and "--timeout" in err, err
    assert time.monotonic() - begin < 40
    named_log(err)


def test_timeout_of_a_guest_that_never_gets_up(t):
    status, _, err = t.guest("true", options=["--timeout", "3", "--append", "rdinit=/bin/cat"])
    assert status == 124 and "3 seconds" in err, err


@only_arm64
def test_writing_to_the_channel_is_told(t):
    status, _, err = t.sh("echo nonsense >/dev/ttyAMA0; sleep 100", "--machine", "raspi3b")
    assert status == 125 and "device that scripts/guest uses" in err, (status, err)


def test_signals_end_the_guest(t):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        process = t.start("sh", "-c", "echo up; sleep 1000")
        assert process.stdout.readline() == b"up\n"
        assert t.processes()
        process.send_signal(number)
        try:
            _, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired as late:
            raise AssertionError("signal %d has not ended it; of QEMU there is %s" % (number, t.processes())) from late
        assert process.returncode == (-number if number == signal.SIGKILL else 128 + number), process.returncode
        assert b"Traceback" not in err, err
        t.nothing_left(files=number != signal.SIGKILL)
        for left in os.listdir(t.tmp):
            shutil.rmtree(os.path.join(t.tmp, left))


def test_several_at_once(t):
    running = [t.start("sh", "-c", "echo %d; exit %d" % (n, n)) for n in range(3)]
    for number, process in enumerate(running):
        assert process.communicate(timeout=90) == (b"%d\n" % number, b"") and process.returncode == number
    t.nothing_left()


def test_shell_on_a_terminal(t):
    pid, terminal = pty.fork()
    if not pid:
        os.execve(GUEST, [GUEST, "--arch", ARCH, "--shell"], t.env)
    seen = b""

    def until(text):
        nonlocal seen
        deadline = time.monotonic() + 60
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 4096)
        seen = b""
    try:
        until(b"guest:/# ")
        os.write(terminal, b"echo sum-$((20 + 3)); tty\r")
        until(b"sum-23")
        os.write(terminal, b"exit\r")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if not os.read(terminal, 4096):
                    break
            except OSError:
                break
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        os.close(terminal)
    t.nothing_left()


# ------------------------------------------------------- what a fault looks like

REPORTS = [
    "WARNING: CPU: 0 PID: 1 at mm/x.c:1 f+0x1/0x2", "BUG: KASAN: slab-use-after-free in f", "kernel BUG at mm/x.c:1!",
    "Internal error: Oops: 0000000096000004 [#1] SMP", "Unable to handle kernel NULL pointer dereference at 0",
    "INFO: task sh:1 blocked for more than 120 seconds.", "WARNING: possible circular locking dependency detected",
    "BUG: sleeping function called from invalid context at x.c:1", "UBSAN: array-index-out-of-bounds in x.c:1:1",
    "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
    "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)", "BUG: Bad page state in process sh  pfn:1",
    "BUG: Bad rss-counter state mm:0 type:MM_ANONPAGES val:1", "list_add corruption. next->prev should be prev",
    "refcount_t: underflow; use-after-free.", "Kernel panic - not syncing: x", "Oops: general protection fault",
]
HARMLESS = [
    "Booting Linux on physical CPU 0x0", "debugfs: mounted", "sysrq: SysRq : HELP", "lkdtm: Performing direct entry",
    "kmemleak: Kernel memory leak detector initialized", "rcu: Hierarchical SRCU implementation.",
    "EXT4-fs warning: mounting unchecked fs", "paging: Loaded kmod_paging module", "Oom killed: sh",
    "pci-host-generic 4010000000.pcie: Memory resource size exceeds max for 32 bits",
    "Memory cgroup out of memory: Killed process 40 (dense_mm)",
]


def test_reports_are_known(_):
    for report in REPORTS:
        assert guest_faults.find(["[    1.000000] " + report]), report
    for line in HARMLESS:
        assert not guest_faults.find(["[    1.000000] " + line]), line


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in kernels.ARCHES:
        ARCH = sys.argv.pop(1)
    if not os.path.exists(os.path.join(kernels.variant_dir(ARCH), "initramfs.cpio")):
        print("TAP version 13\nBail out! the kernel %s is not built: run scripts/build %s" % (ARCH, ARCH))
        sys.exit(1)
    toy.main({name: value for name, value in globals().items() if getattr(value, "arch", ARCH) == ARCH})
