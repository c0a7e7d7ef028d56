# SPDX-License-Identifier: GPL-2.0
"""What the command line tools of the series share: one sentence on failure, one run at a time."""

import contextlib
import fcntl
import os
import signal
import sys
import time

from kernels import BUILD, Error


def main(function):
    name = "scripts/" + os.path.splitext(os.path.basename(sys.argv[0]))[0]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(function())
    except Error as error:
        print("%s: %s" % (name, error), file=sys.stderr)
        sys.exit(error.status)
    except OSError as error:
        print("%s: %s%s." % (name, error.strerror, ": " + str(error.filename) if error.filename else ""),
              file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\n%s: interrupted; start it again to go on." % name, file=sys.stderr)
        sys.exit(130)


@contextlib.contextmanager
def alone():
    """Only one of these tools changes build/ at a time."""
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, ".series-lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run that works in %s" % BUILD)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(text):
    print(text, file=sys.stderr, flush=True)


class Progress:
    """One line that is rewritten on a terminal, else a line every few seconds."""

    def __init__(self, what):
        self.what, self.start, self.last = what, time.time(), time.time()
        self.tty = sys.stderr.isatty()

    def show(self, done, total):
        now = time.time()
        if now - self.last < (0.2 if self.tty else 8):
            return
        self.last = now
        print("%s%s: %d %%%s" % ("\r" if self.tty else "", self.what, 100 * done // max(total, 1),
                                 "" if self.tty else "\n"), end="", file=sys.stderr, flush=True)

    def end(self):
        say("%s%s: done in %d s" % ("\r" if self.tty else "", self.what, time.time() - self.start))
