"""The words for how a patient is watched: fully, partly or not, and why not."""

from enum import StrEnum
from typing import NamedTuple


class WatchState(StrEnum):
    """How a patient is watched."""

    WATCHED = "watched"
    PARTLY = "partly"  # something of what their devices deliver is not judged
    NOT_WATCHED = "not_watched"


class WatchReason(StrEnum):
    """Why a patient is not watched, or partly only."""

    DATABASE_AWAY = "database_away"  # it cannot be asked
    NOBODY_EVALUATES = "nobody_evaluates"  # no worker gives a sign of life for the lane
    LANE_STOPPED = "lane_stopped"  # what is published and what is stored do not fit: a person must repair it
    INPUT_PAUSED = "input_paused"  # too much of what comes cannot be used: it waits
    INPUT_BEHIND = "input_behind"  # the newest readings are not read, or not judged yet
    ALERTS_NOT_SENT = "alerts_not_sent"  # they are decided and do not go out
    EVALUATION_FAILING = "evaluation_failing"  # our own code fails on what comes
    NO_DATA_YET = "no_data_yet"  # nothing has come since the admission
    NO_DEVICE = "no_device"  # the monitor was taken away
    DEVICE_SILENT = "device_silent"
    NO_SIGNAL = "no_signal"  # the device sends, and no value among it can be judged
    SENSOR_OFF = "sensor_off"
    READINGS_TOO_OLD = "readings_too_old"  # the last spot check is no longer the patient's present state
    LIMITS_OFF = "limits_off"  # no limit stands on any sign that comes


class Watch(NamedTuple):
    """How a patient is watched; *reason* and *since_ms* are None where nothing is wrong."""

    state: WatchState
    reason: WatchReason | None = None
    since_ms: int | None = None


WATCHED = Watch(WatchState.WATCHED)


def began(watch: Watch) -> int:
    """When a trouble began; 0 where that is not known, as long ago as can be."""
    return watch.since_ms or 0


SPOKEN: dict[WatchReason, str] = {
    WatchReason.DATABASE_AWAY: "the database does not answer",
    WatchReason.NOBODY_EVALUATES: "nobody evaluates",
    WatchReason.LANE_STOPPED: "alerts have stopped until a repair",
    WatchReason.INPUT_PAUSED: "input is paused, too much of it is unusable",
    WatchReason.INPUT_BEHIND: "the newest readings are not judged",
    WatchReason.ALERTS_NOT_SENT: "alerts do not go out",
    WatchReason.EVALUATION_FAILING: "readings could not be judged by Vigil",
    WatchReason.NO_DATA_YET: "no data yet",
    WatchReason.NO_DEVICE: "no monitor",
    WatchReason.DEVICE_SILENT: "no data from the monitor",
    WatchReason.NO_SIGNAL: "no signal",
    WatchReason.SENSOR_OFF: "sensor off",
    WatchReason.READINGS_TOO_OLD: "the last round is too long ago",
    WatchReason.LIMITS_OFF: "no limit stands",
}
"""What a nurse is told."""
