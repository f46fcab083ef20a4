"""Wards of which something turns bad for a while, again and again: a stream, a device."""

import json
from dataclasses import replace
from datetime import datetime

from tests.faults.load import READINGS_PER_SET, Load, Message
from tests.faults.running import LANES
from worker.lanes import lane_of

BAD_LANE = 0
BAD_DEVICE = "monitor-20"
_WELL_S, _BAD_S = 8.0, 12.0


def is_bad(elapsed_s: float) -> bool:
    """It is well first, then bad, then well …"""
    return elapsed_s % (_WELL_S + _BAD_S) >= _WELL_S


class BadStream(Load):
    """Now and then nothing on one partition can be used."""

    def next_message(self, now: datetime, elapsed_s: float) -> Message:
        message = super().next_message(now, elapsed_s)
        if message.topic != "readings" or not is_bad(elapsed_s):
            return message
        if message.key is None:  # it would be the one good record on any partition
            message = replace(message, key=json.loads(message.value or b"")["patient_id"])
        if lane_of(message.key or "", LANES) != BAD_LANE:
            return message
        return replace(message, value=b"{", bad=frozenset({0}))


class BadDevice(Load):
    """Now and then one monitor sends units that nobody knows."""

    def next_message(self, now: datetime, elapsed_s: float) -> Message:
        message = super().next_message(now, elapsed_s)
        if f'"{BAD_DEVICE}"'.encode() not in (message.value or b"") or not is_bad(elapsed_s):
            return message
        body = json.loads(message.value or b"")
        body["readings"] = [{**reading, "value": 50, "unit": "furlong"} for reading in body["readings"]]
        bad = frozenset(range(1, READINGS_PER_SET + 1))
        return replace(message, value=json.dumps(body).encode(), bad=bad)
