"""A monitor whose messages can no longer be used is a monitor that says nothing: the ward is told."""

from domain.alarms import Kind, Priority
from domain.times import to_ms
from tests.builders import Bedside, at, seconds_of
from tests.unit.messages.records import RawRecord, a_reading, a_record, a_set
from worker.messages import decode_reading_record


def sent(second: int, unit: str) -> RawRecord:
    rate = a_reading("heart_rate", 80, unit)
    message = a_set(rate, observed_at=at(second).isoformat(), acquisition="continuous")
    return a_record(message, timestamp=to_ms(at(second)))


def test_a_monitor_that_changes_to_a_unit_nobody_knows_is_soon_overdue():
    bedside = Bedside(patient_id="P-0042")
    good = [decode_reading_record(sent(second, "/min")) for second in range(10)]
    bad = [decode_reading_record(sent(second, "per minute")) for second in range(10, 60)]

    bedside.take_all(decoded.observation for decoded in (*good, *bad) if decoded.observation)
    bedside.tick(9 + 60)

    assert [len(decoded.refusals) for decoded in bad] == [1] * 50
    (alert,) = bedside.alerts
    assert (alert.rule_id, alert.kind, alert.priority) == (
        "signal-overdue/mon-7b-12",
        Kind.TECHNICAL,
        Priority.MEDIUM,
    )
    assert seconds_of(alert.determined_at) == 9 + 60
