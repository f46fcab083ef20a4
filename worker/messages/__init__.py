"""The wire: records become what the domain understands, and what it says becomes records."""

from worker.messages.commands import decode_command_record
from worker.messages.readings import Decoded, decode_reading_record
from worker.messages.records import LARGEST_VALUE, Record
from worker.messages.refusals import ErrorAt, Refusal, RefusalReason, Stage
from worker.messages.shapes import MOST_READINGS

__all__ = [
    "LARGEST_VALUE",
    "MOST_READINGS",
    "Decoded",
    "ErrorAt",
    "Record",
    "Refusal",
    "RefusalReason",
    "Stage",
    "decode_command_record",
    "decode_reading_record",
]
