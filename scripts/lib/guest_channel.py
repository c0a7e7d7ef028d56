# SPDX-License-Identifier: GPL-2.0
"""The host's end of the channel to the guest's init; scripts/guest.d/init.c is the other."""

import struct

from kernels import Error

MAGIC = b"\001PAGING-GUEST 1\n"
HEAD = struct.Struct("<cI")
LONGEST = 1 << 20


class Channel:
    """Bytes in, frames out. What a board's serial line says before MAGIC is dropped."""

    def __init__(self):
        self.buffer = bytearray()
        self.greeted = False

    def feed(self, data):
        self.buffer += data
        if not self.greeted:
            start = self.buffer.find(MAGIC)
            if start < 0:
                return
            del self.buffer[:start + len(MAGIC)]
            self.greeted = True
        used = 0
        while len(self.buffer) - used >= HEAD.size:
            kind, length = HEAD.unpack_from(self.buffer, used)
            if length > LONGEST or kind not in b"oemkx":
                raise Error("something in the guest wrote to the device that scripts/guest uses itself", 125)
            if len(self.buffer) - used < HEAD.size + length:
                break
            used += HEAD.size
            yield kind.decode(), bytes(self.buffer[used:used + length])
            used += length
        del self.buffer[:used]


def kernel_log(records):
    """[(from the kernel itself?, line)] of raw /dev/kmsg records."""
    lines = []
    own = True
    for raw in records.decode(errors="replace").split("\n"):
        if raw.startswith(" ") or not raw:
            continue                      # a record's dictionary
        head, separator, text = raw.partition(";")
        fields = head.split(",")
        if not separator or not fields[0].isdigit():
            continue
        own = int(fields[0]) >> 3 == 0    # facility 0: not written by a program
        lines.append((own, f"[{int(fields[2]) / 1e6:12.6f}] {text}"))
    return lines
