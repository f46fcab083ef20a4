import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from worker.health import STALLED_SECONDS
from worker.supervision.answering import Household
from worker.supervision.forking import Process
from worker.supervision.part import Part
from worker.supervision.supervisor import exit_code


def a_process(number=1, **more):
    return Process(number=number, pid=0, port=0, leash=socket.socket(), **more)


@pytest.fixture
def ended():
    """Make a process that has ended with a code."""
    made = []

    def end(code):
        made.append(a_process(len(made) + 1, exit_code=code))
        return made[-1]

    yield end
    for process in made:
        process.leash.close()


def test_all_that_were_told_to_stop_and_did_are_a_good_end(ended):
    assert exit_code([ended(0), ended(0)], None) == 0


def test_a_process_that_was_told_to_stop_before_it_could_listen_has_ended_well(ended):
    assert exit_code([ended(0), ended(-signal.SIGTERM)], None) == 0


def test_a_process_that_ends_badly_when_told_to_stop_is_told_of(ended):
    assert exit_code([ended(0), ended(1)], None) == 1


def test_the_first_that_ends_by_itself_says_what_the_worker_ends_with(ended):
    first = ended(3)

    assert exit_code([ended(1), first], first) == 3


def test_a_process_that_was_killed_is_told_as_a_shell_does(ended):
    first = ended(-signal.SIGKILL)

    assert exit_code([first, ended(0)], first) == 137


def test_a_process_lives_while_it_has_been_heard_of(ended):
    now = [100.0]
    process = ended(None)
    household = Household([process], clock=lambda: now[0])

    now[0] += STALLED_SECONDS - 0.1
    assert household.is_alive(process)
    now[0] += 0.1
    assert not household.is_alive(process)
    household.seen(process)
    assert household.is_alive(process)


def test_a_process_that_is_held_has_nothing_to_say(ended):
    now = [100.0]
    process = ended(None)
    process.is_held = True
    household = Household([process], clock=lambda: now[0])

    now[0] += 10 * STALLED_SECONDS

    assert household.is_alive(process)
    assert household.begun == []


@pytest.mark.parametrize(("given", "expected"), [(None, None), ("bed-side", "bed-side-2")])
def test_each_process_has_a_name_of_its_own_in_the_group(given, expected):
    with socket.socket() as listening, socket.socket() as leash:
        part = Part(number=2, of=2, parent=1, listening=listening, leash=leash)

        assert part.instance_id(given) == expected


_ELSEWHERE = """
import os, socket, sys, time
sys.platform = "elsewhere"  # where no system call ends a process with its parent
from worker.supervision.forking import fork
from worker.supervision.part import Part
forked = fork(2, socket.create_server(("127.0.0.1", 0)))
if isinstance(forked, Part):
    forked.begin()
    os.write(1, b"%d\\n" % os.getpid())
    while True: pass
forked[1].let_go()
time.sleep(60)
"""


def is_running(pid):
    """Whether it runs; one that has ended and that nobody has asked how does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_processes_end_with_their_parent_on_every_system_however_busy_they_are():
    with subprocess.Popen([sys.executable, "-c", _ELSEWHERE], stdout=subprocess.PIPE) as parent:
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(map(is_running, pids))

        parent.kill()

        deadline = time.monotonic() + 5
        while any(map(is_running, pids)) and time.monotonic() < deadline:
            time.sleep(0.02)
        left_over = [pid for pid in pids if is_running(pid)]
        for pid in left_over:
            os.kill(pid, signal.SIGKILL)
    assert left_over == []
