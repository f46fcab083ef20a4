"""The kinds of things that are struck."""

from enum import StrEnum


class Kind(StrEnum):
    """What is struck; the totals of the matrix go by it."""

    WORKER_KILLED = "worker killed"
    WORKER = "worker"  # told to stop, frozen, stalled
    BROKER = "broker"
    DATABASE = "database"
    INPUT = "input"
    GROUP = "group"
    OUTPUT = "output"
