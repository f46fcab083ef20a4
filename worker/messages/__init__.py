"""The wire: records become what the domain understands, and what it says becomes records."""

from worker.messages.alerts import alarm_state_record, alert_record
from worker.messages.commands import decode_command_record
from worker.messages.dead_letters import GivenUpBy, dead_letter_record
from worker.messages.heartbeats import Heartbeat, heartbeat_record
from worker.messages.readings import Decoded, decode_reading_record
from worker.messages.records import LARGEST_VALUE, Record
from worker.messages.refusals import ErrorAt, Refusal, RefusalReason, Stage
from worker.messages.shapes import MOST_READINGS

__all__ = [
    "LARGEST_VALUE",
    "MOST_READINGS",
    "Decoded",
    "ErrorAt",
    "GivenUpBy",
    "Heartbeat",
    "Record",
    "Refusal",
    "RefusalReason",
    "Stage",
    "alarm_state_record",
    "alert_record",
    "dead_letter_record",
    "decode_command_record",
    "decode_reading_record",
    "heartbeat_record",
]
