"""Signals: sensors that fall off, devices without any signal, breathing that is not seen."""

from collections.abc import Mapping, Sequence

from domain.alarms import Priority
from domain.alerts import Reason
from domain.chart import Channel, Device
from domain.draft import Draft
from domain.news import Cause
from domain.observations import Acquisition, Reading
from domain.protocol import Sensor, SignalRules
from domain.technical_alarms import end_technical, raise_technical
from domain.vital_signs import VitalSign


def sensor_of(reading: Reading, rules: SignalRules) -> Sensor | None:
    """The sensor a reading comes through; None for signs whose signal is not watched."""
    for sensor in rules.sensors_of.get(reading.vital_sign, ()):
        if sensor.site is None or sensor.site == reading.site:
            return sensor
    return None


def with_channels(
    channels: Mapping[str, Channel], readings: Sequence[Reading], at_ms: int, rules: SignalRules
) -> Mapping[str, Channel]:
    """*channels* after the readings of one set; a reading older than its channel's latest changes nothing."""
    after: dict[str, Channel] | None = None
    for reading in readings:
        sensor = sensor_of(reading, rules)
        if sensor is None:
            continue
        if after is None:
            after = dict(channels)
        name = sensor.channel_of[reading.vital_sign]
        after[name] = _channel_after(after.get(name), reading, at_ms)
    return channels if after is None else after


def _channel_after(channel: Channel | None, reading: Reading, at_ms: int) -> Channel:
    is_usable = reading.validity.is_usable
    is_zero = reading.value == 0
    if channel is None:
        return Channel(is_usable, at_ms, at_ms, is_zero, is_usable)
    if at_ms < channel.latest_ms:
        return channel
    goes_on = channel.is_usable == is_usable and channel.is_zero == is_zero
    since_ms = channel.since_ms if goes_on else at_ms
    return Channel(is_usable, since_ms, at_ms, is_zero, channel.was_ever_usable or is_usable)


def has_lost_channel(device: Device) -> bool:
    """Whether the latest of any channel could not be judged."""
    for channel in device.channels.values():  # noqa: SIM110  a loop, because this is asked of every set
        if not channel.is_usable:
            return True
    return False


def settle_signals(draft: Draft, device_id: str, device: Device, at_ms: int, cause: Cause) -> None:
    """Raise and end the alarms that follow from what the channels of *device* deliver at *at_ms*."""
    rules = draft.protocol.signals
    is_streamed = device.acquisition is Acquisition.CONTINUOUS
    known = {name: channel for name, channel in device.channels.items() if channel.was_ever_usable}
    view = _View(known, at_ms, rules, is_streamed=is_streamed)
    _settle_all_absent(draft, device_id, view, cause)
    _settle_breathing(draft, device_id, view, cause)
    for sensor in rules.sensors:
        _settle_sensor(draft, device_id, sensor, view, cause)


class _View:
    """The channels of one device at one instant, and the questions asked of them."""

    def __init__(
        self, channels: Mapping[str, Channel], at_ms: int, rules: SignalRules, *, is_streamed: bool
    ) -> None:
        self.channels = channels
        self.at_ms = at_ms
        self.rules = rules
        self.is_streamed = is_streamed

    def of(self, sensor: Sensor) -> dict[str, Channel]:
        channels = self.channels
        return {name: channels[name] for name in sensor.channel_of.values() if name in channels}

    def is_live(self, channel: Channel) -> bool:
        fresh = self.at_ms - channel.latest_ms <= self.rules.channel_live_for_ms
        return channel.is_usable and fresh

    def has_been(self, channel: Channel, wanted_ms: int) -> bool:
        """Whether the present run has lasted *wanted_ms*, shown by a later reading of a stream."""
        return not self.is_streamed or channel.latest_ms - channel.since_ms >= wanted_ms

    def rate_is_live(self) -> bool:
        rate = self.channels.get(VitalSign.HEART_RATE)
        return rate is not None and self.is_live(rate)


def _settle_all_absent(draft: Draft, device_id: str, view: _View, cause: Cause) -> None:
    rule_id = f"all-signals-absent/{device_id}"
    sensors = [sensor for sensor in view.rules.sensors if view.of(sensor)]
    live = [channel for channel in view.channels.values() if view.is_live(channel)]
    absent = [channel for channel in view.channels.values() if not channel.is_usable]
    if not live and absent and len(sensors) >= view.rules.all_absent_sensors:
        raise_technical(draft, rule_id, Priority.HIGH, Reason.ALL_SIGNALS_ABSENT, cause)
    elif any(view.has_been(channel, view.rules.all_absent_back_for_ms) for channel in live):
        end_technical(draft, rule_id, Reason.SIGNAL_BACK, cause)


def _settle_breathing(draft: Draft, device_id: str, view: _View, cause: Cause) -> None:
    """RR 0 while the same device sees a heart rate, both for long enough: no breathing detected."""
    rule_id = f"no-breathing/{device_id}"
    breath = view.channels.get(VitalSign.RESPIRATORY_RATE)
    rate = view.channels.get(VitalSign.HEART_RATE)
    if breath is None or rate is None:
        return
    if breath.is_zero and view.is_live(rate):
        since = max(breath.since_ms, rate.since_ms)
        if not view.is_streamed or breath.latest_ms - since >= view.rules.no_breathing_after_ms:
            raise_technical(draft, rule_id, Priority.HIGH, Reason.NO_BREATHING, cause)
    elif breath.is_usable:
        end_technical(draft, rule_id, Reason.SIGNAL_BACK, cause)
    else:
        end_technical(draft, rule_id, Reason.SENSOR_OFF, cause)


def _settle_sensor(draft: Draft, device_id: str, sensor: Sensor, view: _View, cause: Cause) -> None:
    rule_id = f"sensor-off/{sensor.name}/{device_id}"
    rules = view.rules
    channels = view.of(sensor)
    lost = [channel for name, channel in channels.items() if _is_lost(name, channel, view)]
    if any(view.has_been(channel, rules.sensor_off_after_ms) for channel in lost):
        if f"all-signals-absent/{device_id}" not in draft.alarms:
            raise_technical(draft, rule_id, rules.sensor_off_priority, Reason.SENSOR_OFF, cause)
        return
    back = [channel for channel in channels.values() if channel.is_usable]
    if not lost and back and all(view.has_been(channel, rules.sensor_back_for_ms) for channel in back):
        end_technical(draft, rule_id, Reason.SIGNAL_BACK, cause)


def _is_lost(name: str, channel: Channel, view: _View) -> bool:
    """Whether a channel is off; a breath rate of 0 beside a live heart rate is another matter, and HIGH."""
    if channel.is_usable:
        return False
    is_breath = name == VitalSign.RESPIRATORY_RATE and channel.is_zero
    return not (is_breath and view.rate_is_live())
