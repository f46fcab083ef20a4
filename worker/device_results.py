"""What came of each device in a batch: whether something of it could be used; and what follows for the device."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from domain.bad_devices import DeviceEvaluation, DeviceResult, by_device, evaluate_device
from domain.observations import ObservationSet
from domain.protocol import Protocol
from domain.times import to_ms
from persistence.alarms import Episode
from persistence.devices import DeviceKey
from persistence.unit_of_work import UnitOfWork
from worker.batches import Batch
from worker.dead_letters.rounds import round_of
from worker.lanes import lane_of
from worker.ledger import Ledger
from worker.messages.records import time_in_log

_Place = tuple[str, int, int]


def results_of(batch: Batch, suspects: AbstractSet[DeviceKey]) -> list[DeviceResult]:
    """What *batch* tells of devices: every set of which nothing could be used, and of devices that are suspect all.

    In the order of the log, within each partition. A record that does not say which device sent it tells nothing, and
    nor does one that an operator's replay brought back: it was the device of then, and may have been repaired.
    """
    refused = _refused(batch)
    if not refused and not suspects:
        return []
    asked = suspects | {DeviceKey(result.device_id, result.mode) for result in refused.values()}
    found = dict(refused)
    for item in batch.items:
        entry = item.entry
        record = item.record
        if (
            isinstance(entry, ObservationSet)
            and (entry.device_id, entry.mode) in asked
            and not round_of(tuple(record.headers))
        ):
            found[record.topic, record.partition, record.offset] = DeviceResult(
                device_id=entry.device_id, mode=entry.mode, is_usable=True, at_ms=to_ms(entry.received_at)
            )
    return [found[place] for place in sorted(found)]


def _refused(batch: Batch) -> dict[_Place, DeviceResult]:
    return {
        (record.topic, record.partition, record.offset): DeviceResult(
            device_id=refusal.device_id,
            mode=refusal.mode,
            is_usable=False,
            at_ms=to_ms(time_in_log(record)),
        )
        for record, refusal in batch.refused
        if refusal.device_id is not None and not round_of(tuple(record.headers))
    }


async def judge_devices(
    work: UnitOfWork, ledger: Ledger, results: Sequence[DeviceResult], *, protocol: Protocol, lanes: int
) -> Mapping[DeviceKey, bool]:
    """Work *results* into their devices, and queue what must be said; returns which of them are suspect now."""
    by_key = {DeviceKey(*key): some for key, some in by_device(results).items()}
    if not by_key:
        return {}
    before = await work.devices.lock({key: lane_of(key.device_id, lanes) for key in by_key})
    judged = [evaluate_device(before[key], some, protocol) for key, some in by_key.items()]
    for evaluation in judged:
        ledger.say(evaluation.standing.lane, evaluation.alerts)
        ledger.episodes.extend(_episodes(evaluation))
    await work.devices.save(before, [evaluation.standing for evaluation in judged])
    return {
        DeviceKey(each.standing.device_id, each.standing.mode): each.standing.is_suspect for each in judged
    }


def _episodes(evaluation: DeviceEvaluation) -> list[Episode]:
    standing = evaluation.standing
    ended = {alert.episode_id: alert.ended_at for alert in evaluation.alerts}
    alarms = [(alarm, ended[alarm.episode_id]) for alarm in evaluation.ended]
    alarms.extend([(standing.alarm, None)] if standing.alarm else [])
    return [
        Episode(
            alarm=alarm,
            mode=standing.mode,
            updated_seq=standing.device_seq,
            device_id=standing.device_id,
            ended_at=ended_at,
        )
        for alarm, ended_at in alarms
    ]
