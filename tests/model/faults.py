"""The faults: what goes wrong in a run, each a single stroke at a random moment."""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from random import Random
from typing import TYPE_CHECKING

from tests.model.broker import Cursor
from tests.model.repairing import repair

if TYPE_CHECKING:
    from tests.model.world import World


class Fault(Enum):
    """What can go wrong."""

    KILL = auto()
    PAUSE = auto()  # the zombie: stopped, taken over from, continued
    REBALANCE = auto()
    CUT = auto()  # a database connection
    LOST_REPLIES = auto()  # of commits, at either side
    UNREADABLE_CURSOR = auto()
    MISFETCH = auto()  # a batch that begins elsewhere than asked for
    TRUNCATION = auto()  # of an input partition
    BACKUP = auto()
    RESTORE = auto()  # the last backup
    CURSOR_RESET = auto()
    NEEDLESS_REPAIR = auto()
    KILLED_REPAIR = auto()


ALWAYS_POSSIBLE = tuple(Fault)[: tuple(Fault).index(Fault.BACKUP)]
RESTORING = tuple(Fault)[tuple(Fault).index(Fault.BACKUP) :]


def enabled(rng: Random, *, is_restored: bool | None) -> list[Fault]:
    """The faults of one run: about half of them, so that each meets the others and is also alone."""
    some = [fault for fault in ALWAYS_POSSIBLE if rng.random() < 0.5]
    chance = rng.random() < 0.2
    if chance if is_restored is None else is_restored:
        some += [Fault.BACKUP, *(fault for fault in RESTORING[1:] if rng.random() < 0.6)] * 3
    return some


def strike(world: "World") -> None:
    """Let one of the run's faults happen now."""
    if not world.faults:
        return
    fault = world.rng.choice(world.faults)
    world.saw(fault.name.lower().replace("_", " "))
    _STROKES[fault](world)


def _kill(world: "World") -> None:
    if world.workers:
        world.kill(world.rng.choice(world.workers))


def _pause(world: "World") -> None:
    if world.workers:
        world.rng.choice(world.workers).is_paused_until = world.now + world.rng.randint(5, 250)


def _rebalance(world: "World") -> None:
    world.group.rebalance()


def _cut(world: "World") -> None:
    if world.workers:
        world.database.cut(world.rng.choice(world.workers))


def _lose_replies(world: "World") -> None:
    world.broker.loses_replies = world.database.loses_replies = world.rng.choice((0.0, 0.1, 0.3))


def _hide_cursors(world: "World") -> None:
    world.broker.unreadable_until = world.now + world.rng.randint(5, 80)


def _nothing(world: "World") -> None:
    """What is a property of the whole run needs no stroke."""


def _truncate(world: "World") -> None:
    log = world.broker.inputs[world.rng.choice(list(world.broker.inputs))]
    if world.rng.random() < 0.3:
        log.beginning = world.rng.randint(log.beginning, len(log.records))


def _back_up(world: "World") -> None:
    world.backup = dict(world.database.rows)


def _restore(world: "World") -> None:
    if world.backup is not None:
        world.is_mended = True
        world.database.restore(world.backup)


def _reset_cursors(world: "World") -> None:
    """An operator's tool sets cursors to some offset, without what belongs to it, or deletes them."""
    if world.rng.random() < 0.5:
        return
    for lane, cursor in list(world.broker.cursors.items()):
        world.is_mended = True
        del world.broker.cursors[lane]
        if world.rng.random() < 0.7:
            world.broker.cursors[lane] = Cursor(
                world.rng.choice((0, world.rng.randint(0, cursor.seq + 2))), None
            )


def _repair_needlessly(world: "World") -> None:
    lane = int(world.rng.random() * world.lanes)
    if lane not in world.repairs:
        world.is_mended = True
        world.repairs[lane] = repair(world, lane)


def _kill_repair(world: "World") -> None:
    for task in world.repairs.values():
        task.close()
    world.repairs.clear()
    world.database.cut(repair)


_STROKES: Mapping[Fault, Callable[["World"], None]] = {
    Fault.KILL: _kill,
    Fault.PAUSE: _pause,
    Fault.REBALANCE: _rebalance,
    Fault.CUT: _cut,
    Fault.LOST_REPLIES: _lose_replies,
    Fault.UNREADABLE_CURSOR: _hide_cursors,
    Fault.MISFETCH: _nothing,
    Fault.TRUNCATION: _truncate,
    Fault.BACKUP: _back_up,
    Fault.RESTORE: _restore,
    Fault.CURSOR_RESET: _reset_cursors,
    Fault.NEEDLESS_REPAIR: _repair_needlessly,
    Fault.KILLED_REPAIR: _kill_repair,
}
