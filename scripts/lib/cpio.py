# SPDX-License-Identifier: GPL-2.0
"""Archives for the kernel's initramfs (newc cpio), written without being root.

Several archives may follow each other in one file: the kernel unpacks them in
turn, a later one adds to what an earlier one made.
"""

import os
import stat

from kernels import Error


class Writer:
    def __init__(self, stream):
        self.stream = stream
        self.inode = 0
        self.made = {"", "."}

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        if len(data) >> 32:
            raise Error(f"{os.fsdecode(name)}: a file for the guest has to be smaller than 4 GiB", 2)
        self.inode += 1
        raw = os.fsencode(name) + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(raw), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
        self.stream.write(head + b"\0" * (-len(head) % 4))
        self.stream.write(data)
        self.stream.write(b"\0" * (-len(data) % 4))

    def directory(self, name, mode=0o755):
        name = name.strip("/")
        if name in self.made:
            return
        self.directory(os.path.dirname(name))
        self.made.add(name)
        self._entry(name, stat.S_IFDIR | mode)

    def file(self, name, data, mode=0o644):
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def symlink(self, name, target):
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def device(self, name, mode, major, minor):
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._entry(name, mode, rdev=(major, minor))

    def add(self, path, name, follow=True):
        """A file of the host, or a directory with all that is in it; modes are kept."""
        info = os.stat(path) if follow else os.lstat(path)
        mode = stat.S_IMODE(info.st_mode)
        if stat.S_ISLNK(info.st_mode):
            self.symlink(name, os.readlink(path))
        elif stat.S_ISDIR(info.st_mode):
            self.directory(name, mode)
            for child in sorted(os.listdir(path)):
                self.add(os.path.join(path, child), name.rstrip("/") + "/" + child, follow=False)
        elif stat.S_ISREG(info.st_mode):
            with open(path, "rb") as source:
                self.file(name, source.read(), mode)

    def end(self):
        self._entry("TRAILER!!!", 0)
        self.stream.write(b"\0" * (-self.stream.tell() % 512))
