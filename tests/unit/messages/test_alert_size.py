"""An alert is small by its making: no broker with Kafka's default limit refuses one, so none blocks its lane."""

from uuid import UUID

from domain.alerts import Breach, Flag
from tests.unit.messages.announcements import an_alert
from worker.messages import alarm_state_record, alert_record
from worker.messages.sizes import LARGEST_RECORD

WIDEST = "\N{FACE WITH TEARS OF JOY}"  # four bytes in UTF-8
AN_ID = WIDEST * 64  # as long as a message may make one
AN_AUTHORS_SOURCE = WIDEST * 1000


def the_largest_alert():
    breach = Breach(side="high", threshold=1.5, is_inclusive=True, layer="product", source=AN_AUTHORS_SOURCE)
    return an_alert(
        patient_id=AN_ID,
        ward=AN_ID,
        bed=AN_ID,
        device_id=AN_ID,
        site=AN_ID,
        rule_id=f"sensor-off/arterial line/{AN_ID}",
        breach=breach,
        flags=tuple(Flag),
        evidence=tuple(UUID(int=number) for number in range(5)),
        title=WIDEST * 130,
    )


def test_the_largest_alert_is_far_below_what_a_broker_takes():
    records = [alert_record(the_largest_alert(), site="s" * 64), alarm_state_record(the_largest_alert())]

    for record in records:
        assert record is not None
        headers = sum(len(name) + len(text or b"") for name, text in record.headers)
        assert len(record.key or b"") + len(record.value or b"") + headers < LARGEST_RECORD / 50
