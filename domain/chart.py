"""The chart: what is known of one patient when the next observation arrives.

What is made anew with every reading is a named tuple: as immutable as a frozen dataclass, at a quarter of its cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.alarms import Alarm
from domain.commands import Sex
from domain.observations import Acquisition, Mode
from domain.vital_signs import VitalSign

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Where the patient lies, since when, and what the registry says of them; never a name."""

    ward: str
    bed: str | None = None
    birth_date: date | None = None
    sex: Sex = Sex.UNKNOWN
    has_spo2_target_88_92: bool = False
    admitted_ms: int = 0


class Judgement(NamedTuple):
    """How a limit's tiers stand after the values seen so far.

    *tier* is the most severe one in force, -1 for none. Per tier: since when it has been violated without
    a break, and since when it has been cleared without a break (None: it is not).
    """

    tier: int
    violated_since: tuple[int | None, ...]
    cleared_since: tuple[int | None, ...]


class Source(NamedTuple):
    """Where values come from."""

    device_id: str
    site: str | None = None
    is_streamed: bool = False


class Entry(NamedTuple):
    """One value in a sign's window, rounded as it is judged, or the loss of its signal.

    The content of an entry is its identity. Only what could become evidence bears its reading's id: nearly
    all values are quiet, and a chart is written with every batch.
    """

    at_ms: int  # effective time: observed, corrected for the device's clock
    value: float | None  # None: here the signal was lost
    source: Source
    reading_hex: str = ""

    @property
    def device_id(self) -> str:
        """The device it came from."""
        return self.source.device_id

    @property
    def is_streamed(self) -> bool:
        """Whether it came from a monitor, so that delays apply."""
        return self.source.is_streamed

    def is_same_as(self, other: "Entry") -> bool:
        """Whether both are one reading, handed over twice."""
        return (self.at_ms, self.value, self.source) == (other.at_ms, other.value, other.source)


class Track(NamedTuple):
    """One sign's recent past.

    *window* holds the values of the last while in time order, so that a late one can take its place;
    *base* is how the limits stood before the oldest of them, and *base_device* whose value was the last
    before it; *present* is how they stand after the newest. Limits about which there is nothing to say (no
    tier in force, none violated) are left out of both.
    """

    window: tuple[Entry, ...] = ()
    base: Mapping[str, Judgement] = _NOTHING
    present: Mapping[str, Judgement] = _NOTHING
    history: tuple[tuple[int, float], ...] = ()  # (time, value), only for signs judged by their fall
    late_findings: Mapping[str, int] = _NOTHING  # limit id -> observed time of the last one
    base_device: str | None = None
    value_ms: int | None = None  # time of the newest value, which may lie before the window


class Channel(NamedTuple):
    """One sign as one device at one site reports it."""

    is_usable: bool  # the latest value could be judged
    since_ms: int  # when the present run of usable, or of unusable, values began
    latest_ms: int
    is_zero: bool = False  # the present run is of zeros, not of "no value"
    was_ever_usable: bool = False


class Offsets(NamedTuple):
    """How a device's clock differs from ours: the present run of like (received - observed), in ms."""

    low_ms: int
    high_ms: int
    messages: int
    since_ms: int  # received time of the first of the run
    skew_ms: int | None = None  # established, and corrected for


class Flood(NamedTuple):
    """A device that sends faster than it should: how much it owes, and when its signs were last judged."""

    owed_ms: int
    judged: Mapping[VitalSign, int]  # second of received time; only while it is over its budget


class Device(NamedTuple):
    """One device at this patient: how it keeps time and what it delivers."""

    acquisition: Acquisition
    received_ms: int  # when its last set came
    newest_ms: int  # the latest observed time it has claimed for this patient
    interval_ms: int | None  # between its last two sets
    offsets: Offsets
    channels: Mapping[str, Channel] = _NOTHING  # "spo2", "systolic_pressure@arterial"
    burst: int = 0  # spot checks in a row that came too soon after one another
    is_overdue: bool = False
    flood: Flood | None = None  # None: it sends no faster than it should


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The aggregate, keyed by (patient, mode).

    *chart_seq* numbers every set, command and tick it took in. *clock_ms* is the latest received or tick
    time and never runs backwards. *due_ms* is no later than the earliest moment at which something happens
    without a new reading (it may be earlier, so that it need not move with every reading); None where nothing
    can happen, or where the data carries its own time (*is_replayed*).
    """

    patient_id: str
    mode: Mode
    lane: int
    chart_seq: int = 0
    clock_ms: int = 0
    due_ms: int | None = None
    is_replayed: bool = False
    admission: Admission | None = None
    tracks: Mapping[VitalSign, Track] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    alarms: Mapping[str, Alarm] = field(default_factory=dict)  # those that stand, by rule id
    protocol_hash: str = ""  # in force when the chart was last evaluated
