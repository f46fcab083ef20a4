"""How a patient is watched as far as their chart tells: by monitors, by rounds, within limits, or not."""

from collections.abc import Iterator, Sequence

from domain.chart import Chart, Device
from domain.draft import Draft
from domain.limits_in_force import limits_in_force
from domain.observations import Acquisition
from domain.protocol import Protocol, SignalRules
from domain.unevaluated import rule_of
from domain.watch import WATCHED, Watch, WatchReason, WatchState, began

SILENT_AT_LEAST_MS = 30_000  # sooner than the alarm "no data": who asks is told at once, nobody is paged


def chart_watch(chart: Chart, protocol: Protocol, now_ms: int) -> Watch | None:
    """How the patient is watched, as far as the chart tells; None if nobody is admitted.

    Data that carries its own time (a replay) is judged at the chart's own clock.
    """
    if chart.admission is None:
        return None
    now_ms = chart.clock_ms if chart.is_replayed else max(now_ms, chart.clock_ms)
    failing = chart.alarms.get(rule_of(None))
    if failing is not None:
        return Watch(WatchState.NOT_WATCHED, WatchReason.EVALUATION_FAILING, failing.onset_ms)
    monitors = [*_monitors(chart, protocol.signals, now_ms), *_never_evaluated(chart)]
    delivered = _together(monitors) if monitors else None
    watch = _with_spot_checks(chart, delivered, protocol, now_ms)
    if watch.state is not WatchState.NOT_WATCHED and not _is_limited(chart, protocol, now_ms):
        return Watch(WatchState.NOT_WATCHED, WatchReason.LIMITS_OFF, chart.admission.admitted_ms)
    return watch


def watched_until_ms(chart: Chart, protocol: Protocol) -> int | None:
    """When the patient will no longer be watched if nothing more comes; None where no clock tells."""
    if chart.is_replayed:
        return None
    ends = [
        device.received_ms + protocol.lateness.spot_check_ms
        if device.acquisition is Acquisition.SPOT_CHECK
        else _silent_ms(device, protocol.signals)
        for device in chart.devices.values()
    ]
    return max(ends, default=None)


def _monitors(chart: Chart, rules: SignalRules, now_ms: int) -> Iterator[Watch]:
    for device_id, device in chart.devices.items():
        if device.acquisition is Acquisition.CONTINUOUS:
            is_silent = device.is_overdue or now_ms >= _silent_ms(device, rules)
            yield _monitor(chart, device_id, device, is_silent=is_silent)


def _monitor(chart: Chart, device_id: str, device: Device, *, is_silent: bool) -> Watch:
    """How much of the patient one monitor shows."""
    if is_silent:
        return Watch(WatchState.NOT_WATCHED, WatchReason.DEVICE_SILENT, device.received_ms)
    for rule_id, reason in (
        (rule_of(device_id), WatchReason.EVALUATION_FAILING),
        (f"all-signals-absent/{device_id}", WatchReason.NO_SIGNAL),
    ):
        if (alarm := chart.alarms.get(rule_id)) is not None:
            return Watch(WatchState.NOT_WATCHED, reason, alarm.onset_ms)
    return _signals(chart, device_id, device)


def _signals(chart: Chart, device_id: str, device: Device) -> Watch:
    """What of a monitor's channels can be judged; one that was never valid is not lost, but alone it is nothing."""
    channels = device.channels.values()
    if channels and not any(channel.was_ever_usable for channel in channels):
        since_ms = min(channel.since_ms for channel in channels)
        return Watch(WatchState.NOT_WATCHED, WatchReason.NO_SIGNAL, since_ms)
    off = [
        alarm.onset_ms
        for rule_id, alarm in chart.alarms.items()
        if rule_id.startswith("sensor-off/") and alarm.device_id == device_id
    ]
    if not off:
        return WATCHED
    if any(channel.is_usable for channel in channels):
        return Watch(WatchState.PARTLY, WatchReason.SENSOR_OFF, min(off))
    return Watch(WatchState.NOT_WATCHED, WatchReason.SENSOR_OFF, max(off))


def _never_evaluated(chart: Chart) -> Iterator[Watch]:
    """Devices of which not one set could be judged: the chart knows no more of them than that."""
    for alarm in chart.alarms.values():
        device_id = alarm.device_id
        if device_id is not None and device_id not in chart.devices and alarm.rule_id == rule_of(device_id):
            yield Watch(WatchState.NOT_WATCHED, WatchReason.EVALUATION_FAILING, alarm.onset_ms)


def _together(monitors: Sequence[Watch]) -> Watch:
    """Several monitors at one patient: not watched from the moment the last of them was lost."""
    troubles = [watch for watch in monitors if watch.state is not WatchState.WATCHED]
    if not troubles:
        return WATCHED
    if all(watch.state is WatchState.NOT_WATCHED for watch in monitors):
        return max(troubles, key=began)
    return min(troubles, key=began)._replace(state=WatchState.PARTLY)


def _with_spot_checks(chart: Chart, delivered: Watch | None, protocol: Protocol, now_ms: int) -> Watch:
    """Rounds watch whoever has no monitor, and in part whose monitor is lost."""
    rounds = [d.received_ms for d in chart.devices.values() if d.acquisition is Acquisition.SPOT_CHECK]
    is_recent = bool(rounds) and now_ms - max(rounds) <= protocol.lateness.spot_check_ms
    if delivered is not None:
        is_lost = delivered.state is WatchState.NOT_WATCHED
        return delivered._replace(state=WatchState.PARTLY) if is_lost and is_recent else delivered
    if is_recent:
        return WATCHED
    if rounds:
        return Watch(WatchState.NOT_WATCHED, WatchReason.READINGS_TOO_OLD, max(rounds))
    return _without_device(chart)


def _without_device(chart: Chart) -> Watch:
    admitted_ms = chart.admission.admitted_ms if chart.admission else 0
    newest = [track.value_ms for track in chart.tracks.values() if track.value_ms is not None]
    reason = WatchReason.NO_DEVICE if newest else WatchReason.NO_DATA_YET
    return Watch(WatchState.NOT_WATCHED, reason, max(newest, default=admitted_ms))


def _is_limited(chart: Chart, protocol: Protocol, now_ms: int) -> bool:
    """Whether a limit stands on anything that comes."""
    signs = chart.tracks.keys()
    if any(sign in protocol.limits_of and sign not in protocol.conditional for sign in signs):
        return True  # nearly always
    draft = Draft(chart, protocol)
    return any(limits_in_force(draft, sign, now_ms).limits for sign in signs)


def _silent_ms(device: Device, rules: SignalRules) -> int:
    longest = rules.overdue_at_most_ms
    if device.interval_ms is None:
        return device.received_ms + longest
    wanted = int(device.interval_ms * rules.overdue_intervals)
    return device.received_ms + min(max(wanted, SILENT_AT_LEAST_MS), longest)
