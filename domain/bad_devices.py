"""The device as a whole: told when nothing of what it sends can be used, whoever the patient is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.alarms import Alarm, Priority
from domain.alerts import Alert, Phase, Reason
from domain.news import News, Subject, alert_of
from domain.observations import Mode
from domain.protocol import Protocol, SignalRules
from domain.ward_alerts import over, started, told

DEVICE_UNUSABLE = "device-unusable"

_USABLE, _UNUSABLE = "u", "n"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceResult:
    """A set of the device came: something of it can be used, or nothing."""

    device_id: str
    mode: Mode
    is_usable: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStanding:
    """The aggregate of one device, keyed by (device, mode); *results* holds what came last of it, newest last."""

    device_id: str
    mode: Mode
    lane: int
    device_seq: int = 0
    clock_ms: int = 0
    results: str = ""
    alarm: Alarm | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether it must be told what else comes of the device: usable sets are no news of any other."""
        return self.alarm is not None or _UNUSABLE in self.results


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvaluation:
    """What a few results did to a device's standing."""

    standing: DeviceStanding
    alerts: tuple[Alert, ...] = ()
    ended: tuple[Alarm, ...] = ()


def evaluate_device(
    standing: DeviceStanding, results: Sequence[DeviceResult], protocol: Protocol
) -> DeviceEvaluation:
    """Work *results* of this device into its standing, in their order.

    So many unusable sets among the last ones are one technical alarm; a few usable ones in a row end it, and
    the count begins anew.
    """
    alerts: list[Alert] = []
    ended: list[Alarm] = []
    for result in results:
        standing = _with_result(standing, result, protocol.signals)
        change = _change(standing, result, protocol.signals)
        if change is None:
            continue
        is_over = change.phase is Phase.END
        alerts.append(alert_of(_subject(standing), change, protocol))
        ended.extend([change.alarm] if is_over else [])
        standing = (
            replace(standing, alarm=None, results="") if is_over else replace(standing, alarm=change.alarm)
        )
    after = replace(standing, device_seq=standing.device_seq + 1)
    return DeviceEvaluation(standing=after, alerts=tuple(alerts), ended=tuple(ended))


def _with_result(standing: DeviceStanding, result: DeviceResult, rules: SignalRules) -> DeviceStanding:
    results = standing.results + (_USABLE if result.is_usable else _UNUSABLE)
    clock_ms = max(standing.clock_ms, result.at_ms)
    return replace(standing, results=results[-rules.device_unusable_of :], clock_ms=clock_ms)


def _change(standing: DeviceStanding, result: DeviceResult, rules: SignalRules) -> News | None:
    cause = f"{result.at_ms}\x1f{standing.device_seq}"
    if standing.alarm is not None:
        wanted = _USABLE * rules.device_usable_again
        if not standing.results.endswith(wanted):
            return None
        return over(standing.alarm, Reason.DEVICE_USABLE, result.at_ms, cause)
    if standing.results.count(_UNUSABLE) < rules.device_unusable:
        return None
    key = (standing.mode, f"device\x1f{standing.device_id}")
    alarm = started(key, DEVICE_UNUSABLE, Priority.MEDIUM, result.at_ms, result.at_ms, cause)
    alarm = replace(alarm, device_id=standing.device_id)
    return told(alarm, Phase.START, Reason.DEVICE_UNUSABLE, result.at_ms, cause)


def _subject(standing: DeviceStanding) -> Subject:
    """A device is on no ward that we know of: it is named itself."""
    return Subject(mode=standing.mode, seq=standing.device_seq + 1, clock_ms=standing.clock_ms)


def by_device(results: Sequence[DeviceResult]) -> Mapping[tuple[str, Mode], list[DeviceResult]]:
    """*results* of each device, in their order."""
    found: dict[tuple[str, Mode], list[DeviceResult]] = {}
    for result in results:
        found.setdefault((result.device_id, result.mode), []).append(result)
    return found
