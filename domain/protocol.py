"""The protocol: the limits, signal rules, delays and priorities in force, as versioned data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from math import inf
from typing import NamedTuple

from domain.alarms import Priority
from domain.times import duration_ms
from domain.vital_signs import DEFINITIONS, VitalSign

OLDEST = 200 * 12
"""Months that nobody reaches."""


class Side(StrEnum):
    """On which side of the threshold the danger lies."""

    LOW = "low"
    HIGH = "high"


class Measure(StrEnum):
    """What of a sign is judged."""

    VALUE = "value"
    FALL = "fall"  # how far the value lies below the highest of the limit's window


class Condition(StrEnum):
    """When a limit applies; all of its conditions must hold."""

    SPO2_TARGET_88_92 = "spo2_target_88_92"
    NO_SPO2_TARGET = "no_spo2_target"
    ON_OXYGEN = "on_oxygen"


class Circumstances(NamedTuple):
    """What decides which limits of a sign stand for a patient; *age* in completed months, 0 where no limit asks."""

    age: int
    is_on_oxygen: bool
    has_spo2_target_88_92: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One threshold of a limit with what it means to be beyond it for *on_delay*."""

    threshold: float
    priority: Priority
    on_delay: timedelta = timedelta(0)
    is_inclusive: bool = False
    on_delay_ms: int = field(init=False)

    def __post_init__(self) -> None:
        """Keep the delay in milliseconds, which is what the hot path compares."""
        object.__setattr__(self, "on_delay_ms", duration_ms(self.on_delay))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLimit:
    """What one alarm is judged by: tiers on one side of one vital sign, mildest first.

    A value clears a tier when it is back inside its threshold by the whole *deadband* and stays so for
    *clear_time*. An age band is in completed months, from *age_from* to below *age_below*; an unknown age is adult.
    """

    limit_id: str
    vital_sign: VitalSign
    side: Side
    tiers: tuple[Tier, ...]
    source: str
    deadband: float = 0.0
    clear_time: timedelta = timedelta(0)
    is_latching: bool = False
    measure: Measure = Measure.VALUE
    window: timedelta = timedelta(0)
    conditions: frozenset[Condition] = frozenset()
    age_from: int = 0
    age_below: int = OLDEST
    level_one: float | None = None
    layer: str = "product"
    clear_time_ms: int = field(init=False)
    window_ms: int = field(init=False)
    always_applies: bool = field(init=False)

    def __post_init__(self) -> None:
        """Refuse a limit without tiers, or with tiers out of order. Raises ValueError."""
        object.__setattr__(self, "clear_time_ms", duration_ms(self.clear_time))
        object.__setattr__(self, "window_ms", duration_ms(self.window))
        everyone = not self.conditions and self.age_from == 0 and self.age_below >= OLDEST
        object.__setattr__(self, "always_applies", everyone)
        if not self.tiers:
            raise ValueError(f"limit {self.limit_id} has no tier")
        self._refuse_what_never_speaks()
        excesses = [self._excess(tier.threshold, self.tiers[0]) for tier in self.tiers]
        priorities = [tier.priority for tier in self.tiers]
        if excesses != sorted(excesses) or priorities != sorted(priorities):
            raise ValueError(f"limit {self.limit_id}: tiers must go from the mildest to the most severe")

    def stands_in(self, circumstances: Circumstances) -> bool:
        """Whether this limit judges a patient in these *circumstances*."""
        if not self.age_from <= circumstances.age < self.age_below:
            return False
        holds = {
            Condition.ON_OXYGEN: circumstances.is_on_oxygen,
            Condition.SPO2_TARGET_88_92: circumstances.has_spo2_target_88_92,
            Condition.NO_SPO2_TARGET: not circumstances.has_spo2_target_88_92,
        }
        return all(holds[each] for each in self.conditions)

    @property
    def is_worse_below(self) -> bool:
        """Whether of two values the lower one is the worse."""
        return self.side is Side.LOW or self.measure is Measure.FALL

    def _refuse_what_never_speaks(self) -> None:
        """A limit that could never raise an alarm, or end one, is a slip of its author. Raises ValueError."""
        if self.age_from >= self.age_below:
            raise ValueError(f"limit {self.limit_id}: age_from must lie below age_below")
        if self.deadband < 0:
            raise ValueError(f"limit {self.limit_id}: deadband must not be negative")
        if DEFINITIONS[self.vital_sign].stored_only:
            raise ValueError(f"limit {self.limit_id}: {self.vital_sign} is stored and never judged")
        if self.measure is Measure.FALL and (self.window_ms == 0 or self.side is not Side.HIGH):
            raise ValueError(f"limit {self.limit_id}: a fall needs a window, and side high")

    def is_violated_by(self, value: float, tier: Tier) -> bool:
        """Whether *value* is beyond the tier's threshold, or on it if the tier is inclusive."""
        excess = self._excess(value, tier)
        return excess > 0 or (tier.is_inclusive and excess == 0)

    def is_cleared_by(self, value: float, tier: Tier) -> bool:
        """Whether *value* is back inside the tier's threshold by the whole deadband.

        With no deadband any value that does not violate clears.
        """
        return self._excess(value, tier) <= -self.deadband and not self.is_violated_by(value, tier)

    def _excess(self, value: float, tier: Tier) -> float:
        # Rounded, because 38.7 - 39.0 is a little more than -0.3 in binary.
        distance = round(value - tier.threshold, 6)
        return distance if self.side is Side.HIGH else -distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """Channels that fail together: a probe carries SpO2 and pulse, ECG leads heart rate and respiration."""

    name: str
    display: str
    vital_signs: frozenset[VitalSign]
    site: str | None = None
    channel_of: Mapping[VitalSign, str] = field(init=False)  # what each sign through this sensor is called

    def __post_init__(self) -> None:
        """Name the channels once; they are asked for with every reading."""
        suffix = f"@{self.site}" if self.site else ""
        names = {sign: f"{sign.value}{suffix}" for sign in sorted(self.vital_signs)}
        object.__setattr__(self, "channel_of", names)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRules:
    """What is done about signals that are absent, zero, overdue or from a wrong clock."""

    sensors: tuple[Sensor, ...]
    sensors_of: Mapping[VitalSign, tuple[Sensor, ...]] = field(init=False)
    flood_budget_ms: int = field(init=False)
    sensor_off_after_ms: int
    sensor_off_priority: Priority
    sensor_back_for_ms: int
    no_breathing_after_ms: int
    all_absent_sensors: int  # how many sensors a device must have shown before "all absent" can be said
    all_absent_back_for_ms: int
    channel_live_for_ms: int  # a channel not reported for longer is no evidence of life
    overdue_intervals: float  # times the device's own interval without a set
    overdue_at_least_ms: int
    overdue_at_most_ms: int
    overdue_priority: Priority
    ward_silent_devices: int
    ward_silent_within_ms: int
    flood_spacing_ms: int  # a device that sends more often than this …
    flood_burst: int  # … for so many sets is flooding
    device_unusable: int  # of so many of a device's last sets nothing can be used: an alarm …
    device_unusable_of: int  # … of so many
    device_usable_again: int  # sets in a row of which something can
    input_lost_stands_ms: int  # how long it is told that readings were lost
    spot_check_interval_ms: int  # sending more often than this is not a spot check …
    spot_check_burst: int  # … when it happens this often in a row
    clock_ahead_beyond_ms: int
    clock_skew_tolerance_ms: int
    clock_skew_messages: int
    clock_skew_for_ms: int  # a buffer that empties at once is not a wrong clock

    def __post_init__(self) -> None:
        """Index the sensors by what they carry."""
        signs = {sign for sensor in self.sensors for sign in sensor.vital_signs}
        by_sign = {sign: tuple(each for each in self.sensors if sign in each.vital_signs) for sign in signs}
        object.__setattr__(self, "sensors_of", by_sign)
        object.__setattr__(self, "flood_budget_ms", self.flood_spacing_ms * self.flood_burst)

    def display_of(self, rule_id: str) -> str:
        """What staff call the sensor that the rule `sensor-off/<name>/<device>` is about."""
        name = rule_id.split("/")[1]
        return next((sensor.display for sensor in self.sensors if sensor.name == name), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How old a reading may be when it arrives and still count as the present."""

    reordering_ms: int  # within this, order of arrival does not matter
    streamed_ms: Mapping[VitalSign, int]
    streamed_default_ms: int
    spot_check_ms: int
    late_after_ms: int  # older than this on arrival: the page says how late
    finding_interval_ms: int  # one late finding of a limit in so much observed time
    shortest_ms: int = field(init=False)  # younger than this is the present for every sign

    def __post_init__(self) -> None:
        """Keep the shortest of the ages."""
        ages = (*self.streamed_ms.values(), self.streamed_default_ms, self.spot_check_ms)
        object.__setattr__(self, "shortest_ms", min(ages))


class QuietBand(NamedTuple):
    """A value strictly between *low* and *high* violates no limit of its sign."""

    low: float
    high: float


class InForce(NamedTuple):
    """The limits that judge a sign of one patient now, and the values about which they have nothing to say."""

    limits: tuple[AlarmLimit, ...]
    band: QuietBand


_NEVER_QUIET = QuietBand(inf, -inf)
ALWAYS_QUIET = QuietBand(-inf, inf)
"""Of a sign on which no limit stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """Everything that is in force, with its identity; *digest* is the hash of its text."""

    protocol_id: str
    version: str
    title: str
    source: str
    digest: str
    limits: tuple[AlarmLimit, ...]
    signals: SignalRules
    lateness: Lateness
    limits_of: Mapping[VitalSign, tuple[AlarmLimit, ...]] = field(init=False)
    conditional: frozenset[VitalSign] = field(init=False)  # signs whose limits are not the same for everybody
    limit_by_id: Mapping[str, AlarmLimit] = field(init=False)
    by_age: frozenset[VitalSign] = field(init=False)  # signs with limits that depend on age
    everybodys: Mapping[VitalSign, InForce] = field(init=False)  # of signs with the same limits for everybody
    _chosen: dict[tuple[VitalSign, Circumstances], InForce] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )  # worked out once: a ward's patients are in few circumstances, and asked about thousands of times a second

    def __post_init__(self) -> None:
        """Index the limits. Raises ValueError where two share an id."""
        by_id = {limit.limit_id: limit for limit in self.limits}
        if len(by_id) != len(self.limits):
            raise ValueError(f"protocol {self.protocol_id}: two limits share an id")
        by_sign: dict[VitalSign, tuple[AlarmLimit, ...]] = {}
        for limit in self.limits:
            by_sign[limit.vital_sign] = (*by_sign.get(limit.vital_sign, ()), limit)
        conditional = frozenset(limit.vital_sign for limit in self.limits if not limit.always_applies)
        object.__setattr__(self, "limit_by_id", by_id)
        object.__setattr__(self, "conditional", conditional)
        object.__setattr__(self, "limits_of", by_sign)
        by_age = {each.vital_sign for each in self.limits if each.age_from > 0 or each.age_below < OLDEST}
        object.__setattr__(self, "by_age", frozenset(by_age))
        everybodys = {
            sign: InForce(by_sign.get(sign, ()), quiet_band(by_sign.get(sign, ())))
            for sign in DEFINITIONS
            if sign not in conditional
        }
        object.__setattr__(self, "everybodys", everybodys)

    def in_force(self, sign: VitalSign, circumstances: Circumstances) -> InForce:
        """The limits of *sign* that stand in these *circumstances*."""
        key = (sign, circumstances)
        chosen = self._chosen.get(key)
        if chosen is None:
            limits = tuple(each for each in self.limits_of.get(sign, ()) if each.stands_in(circumstances))
            chosen = self._chosen[key] = InForce(limits, quiet_band(limits))
        return chosen


def quiet_band(limits: Iterable[AlarmLimit]) -> QuietBand:
    """The values about which none of *limits* could have anything to say."""
    low, high = -inf, inf
    for limit in limits:
        if limit.measure is not Measure.VALUE:
            return _NEVER_QUIET
        if limit.side is Side.LOW:
            low = max(low, limit.tiers[0].threshold)
        else:
            high = min(high, limit.tiers[0].threshold)
    return QuietBand(low, high)
