"""Makes the processes of a worker, each on a leash: whichever end is dropped, the other notices."""

import os
import signal
import socket
from dataclasses import dataclass, field

from worker.supervision.part import Part

_LOOPBACK = "127.0.0.1"


@dataclass(slots=True, kw_only=True, eq=False)
class Process:
    """A process as its supervisor knows it."""

    number: int
    pid: int
    port: int  # on loopback, where it answers its supervisor
    leash: socket.socket
    seen_at: float = 0.0  # when it last said that it lives
    is_held: bool = False  # until the first has found that all is as it must be
    exit_code: int | None = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.exit_code is None:
            os.kill(self.pid, number)

    def let_go(self) -> None:
        """Let it begin."""
        self.leash.send(b".")
        self.is_held = False

    def dismiss(self) -> None:
        """Let it end without having begun."""
        self.leash.close()

    def has_ended(self) -> bool:
        """Whether it has ended; asks the system, which tells it once."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None


@dataclass(slots=True)
class _Ends:
    """What the parent holds and no child may: a child that kept another's leash would keep it alive."""

    sockets: list[socket.socket] = field(default_factory=list)

    def close(self) -> None:
        for each in self.sockets:
            each.close()


def fork(count: int, listening: socket.socket) -> Part | list[Process]:
    """Become *count* more processes: returns the list of them in the parent, and in each of them what it is.

    Call it before there is a thread or an event loop. *listening* is the parent's alone.
    """
    parent, ends = os.getpid(), _Ends([listening])
    made: list[Process] = []
    for number in range(1, count + 1):
        own = socket.create_server((_LOOPBACK, 0))
        leash, end = socket.socketpair()
        leash.setblocking(False)  # noqa: FBT003  the supervisor has an event loop
        ends.sockets.append(leash)
        pid = os.fork()
        if pid == 0:
            ends.close()
            return Part(number=number, of=count, parent=parent, listening=own, leash=end)
        made.append(
            Process(number=number, pid=pid, port=own.getsockname()[1], leash=leash, is_held=number > 1)
        )
        own.close()
        end.close()
    return made
