"""What a process of several knows of itself, and how it ends with its parent, whatever became of that."""

import ctypes
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process of several."""

    number: int
    of: int
    parent: int
    listening: socket.socket
    leash: socket.socket

    def begin(self) -> None:
        """Tie this process's life to its parent's, and wait until it may begin; the first may at once.

        A parent that is killed takes all its processes with it at once: another set may be started in the
        next moment, and whoever does the work has to be seen by whoever looks after it.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's is the parent's, who passes it on
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.parent:  # it ended before that
            raise SystemExit(1)
        if self.number > 1 and not self.leash.recv(1):
            raise SystemExit(0)
        threading.Thread(target=self._end_with_parent, name="leash", daemon=True).start()

    def tell_lanes(self, lanes: int) -> None:
        """Tell the parent that all was found as it must be, and how many lanes there are."""
        if self.number == 1:
            self.leash.send(b"%d" % lanes)

    def instance_id(self, given: str | None) -> str | None:
        """The name that is *given* to the worker, made one for each process."""
        return None if given is None else f"{given}-{self.number}"

    def _end_with_parent(self) -> None:
        """Wait for the end of the parent's end: that works on every system, however busy the event loop is."""
        while self.leash.recv(1):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
