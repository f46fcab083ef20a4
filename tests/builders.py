"""What a test of the domain is not about, filled in: readings, sets, commands, limits, protocols, a bedside."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b
from pathlib import Path
from uuid import UUID, uuid5

from domain.alarms import Alarm, AlarmState, Priority
from domain.alerts import Alert, Phase
from domain.chart import Chart
from domain.commands import AcknowledgeAlarm, Admit, CloseAlarm, Command, Discharge, Move
from domain.evaluation import Evaluation, Input, evaluate
from domain.observations import Acquisition, Mode, ObservationSet, Reading, Tick, Validity
from domain.protocol import AlarmLimit, Protocol, Side, Tier
from domain.protocol_text import parse_protocol
from domain.times import from_ms
from domain.vital_signs import VitalSign, is_absent

PROTOCOLS = Path(__file__).parents[1] / "domain" / "protocols"
BEGIN = datetime(2026, 6, 1, 8, tzinfo=UTC)
PATIENT = "P-004217"
_IDS = UUID("00000000-0000-0000-0000-00000000da7a")
_HIGH = Priority.HIGH
_MEDIUM = Priority.MEDIUM


@cache
def shipped(name: str = "ward-adult") -> Protocol:
    return parse_protocol((PROTOCOLS / f"{name}.toml").read_text())


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def seconds_of(instant: datetime) -> float:
    return (instant - BEGIN).total_seconds()


def a_tier(
    threshold: float, priority: Priority = _MEDIUM, *, on_delay: float = 0, inclusive: bool = False
) -> Tier:
    return Tier(
        threshold=threshold,
        priority=priority,
        on_delay=timedelta(seconds=on_delay),
        is_inclusive=inclusive,
    )


def a_limit(
    *tiers: Tier, sign: VitalSign = VitalSign.HEART_RATE, side: Side = Side.HIGH, **rest: object
) -> AlarmLimit:
    rest = {"limit_id": f"{sign.value}-{side.value}", "source": "a test"} | rest
    return AlarmLimit(vital_sign=sign, side=side, tiers=tiers or (a_tier(130),), **rest)


def a_protocol(*limits: AlarmLimit, digest: str = "d" * 64) -> Protocol:
    """The rules of signals and lateness as shipped, with these limits and no other."""
    basis = shipped()
    return replace(basis, protocol_id="tested", limits=limits or (a_limit(),), digest=digest)


def a_reading(sign: VitalSign, value: float | None, *, key: object = "", **rest: object) -> Reading:
    """A reading; a zero or a sentinel that means "no value" is marked so, as decoding does."""
    if value is None or is_absent(sign, value):
        rest = {"validity": Validity.ABSENT} | rest
    name = f"{sign} {value} {rest} {key}"
    reading_id = UUID(bytes=blake2b(name.encode(), digest_size=16).digest())
    return Reading(reading_id=reading_id, vital_sign=sign, value=value, **rest)


def a_set(
    seconds: float,
    readings: Iterable[Reading] | None = None,
    *,
    device: str = "monitor",
    received: float | None = None,
    streamed: bool = True,
    replayed: bool = False,
    mode: Mode = Mode.REAL,
    **values: float | None,
) -> ObservationSet:
    """A set observed at *seconds*; its readings, or values by the name of their sign."""
    key = (device, seconds)
    taken = readings or [a_reading(VitalSign(sign), value, key=key) for sign, value in values.items()]
    return ObservationSet(
        message_id=f"{device}-{seconds}",
        patient_id=PATIENT,
        device_id=device,
        observed_at=at(seconds),
        received_at=at(seconds if received is None else received),
        readings=tuple(taken),
        correlation_id=uuid5(_IDS, f"{key} {received}"),
        acquisition=Acquisition.CONTINUOUS if streamed else Acquisition.SPOT_CHECK,
        is_replayed=replayed,
        mode=mode,
    )


def a_spot_check(seconds: float, **rest: object) -> ObservationSet:
    return a_set(seconds, streamed=False, **({"device": "trolley"} | rest))


class Bedside:
    """One chart to which things happen, and what was said about it."""

    def __init__(
        self, protocol: Protocol | None = None, *, patient_id: str = PATIENT, mode: Mode = Mode.REAL
    ) -> None:
        self.protocol = protocol or shipped()
        self.chart = Chart(patient_id=patient_id, mode=mode, lane=0)
        self.alerts: list[Alert] = []
        self.evaluations: list[Evaluation] = []

    def take(self, item: Input, *, is_conflict: bool = False) -> Evaluation:
        evaluation = evaluate(self.chart, item, self.protocol, is_conflict=is_conflict)
        self.chart = evaluation.chart
        self.alerts += evaluation.alerts
        self.evaluations.append(evaluation)
        return evaluation

    def take_all(self, items: Iterable[Input]) -> "Bedside":
        for item in items:
            self.take(item)
        return self

    def streams(
        self, values: Sequence[float | None], *, sign: str, begin: float = 0, every: float = 1
    ) -> "Bedside":
        """A monitor sends *values* of one sign, one each *every* seconds."""
        return self.take_all(a_set(begin + n * every, **{sign: value}) for n, value in enumerate(values))

    def tick(self, seconds: float) -> Evaluation:
        return self.take(Tick(at=at(seconds)))

    def tick_when_due(self) -> Evaluation:
        assert self.chart.due_ms is not None
        return self.take(Tick(at=from_ms(self.chart.due_ms)))

    def admitted(self, seconds: float = 0, **details: object) -> "Bedside":
        self.take(an_order(Admit, seconds, **({"ward": "7b", "bed": "12"} | details)))
        return self

    def moves(self, seconds: float, **where: object) -> Evaluation:
        return self.take(an_order(Move, seconds, **where))

    def leaves(self, seconds: float) -> Evaluation:
        return self.take(an_order(Discharge, seconds))

    def closes(self, seconds: float, rule_id: str) -> Evaluation:
        return self.take(an_order(CloseAlarm, seconds, alarm_id=self.alarm(rule_id).alarm_id))

    def acknowledges(self, seconds: float, rule_id: str) -> Evaluation:
        return self.take(an_order(AcknowledgeAlarm, seconds, alarm_id=self.alarm(rule_id).alarm_id))

    def alarm(self, rule_id: str) -> Alarm:
        return self.chart.alarms[rule_id]

    @property
    def open(self) -> dict[str, tuple[AlarmState, Priority]]:
        return {rule: (alarm.state, alarm.priority) for rule, alarm in self.chart.alarms.items()}

    @property
    def said(self) -> list[tuple[float, str, str]]:
        """When, which phase, about which rule."""
        return [(seconds_of(alert.determined_at), alert.phase.value, alert.rule_id) for alert in self.alerts]

    def said_of(self, rule_id: str) -> list[tuple[float, str]]:
        return [(when, phase) for when, phase, rule in self.said if rule == rule_id]

    def starts(self) -> list[str]:
        return [alert.rule_id for alert in self.alerts if alert.phase is Phase.START]


def an_order(
    kind: type[Command], seconds: float, *, received: float | None = None, **details: object
) -> Command:
    name = f"{kind.__name__} {seconds} {details}"
    return kind(
        command_id=uuid5(_IDS, name),
        patient_id=PATIENT,
        issued_at=at(seconds),
        received_at=at(seconds if received is None else received),
        correlation_id=uuid5(_IDS, f"correlation of {name}"),
        **details,
    )
