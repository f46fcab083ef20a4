"""The chart and the ward as plain data that JSON can hold: compact, since it is written with every batch."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from domain.alarms import Alarm, AlarmState, Kind, Priority
from domain.bad_devices import DeviceStanding
from domain.chart import Admission, Channel, Chart, Device, Entry, Flood, Judgement, Offsets, Source, Track
from domain.commands import Sex
from domain.observations import Acquisition, Mode
from domain.vital_signs import VitalSign
from domain.ward_alerts import WARD_SILENT
from domain.wards import Ward

Form = Mapping[str, Any]
_VERSION = 1  # raised when the version that still runs could not read the form any more
_OFFSETS, _CHANNELS = Device._fields.index("offsets"), Device._fields.index("channels")


def chart_to_form(chart: Chart, tracks: Mapping[VitalSign, Any] | None = None) -> dict[str, Any]:
    """What a chart knows beyond its key, lane and number; empty parts are left out.

    *tracks*, if given, are the forms of its tracks, whatever JSON is made of in the end.
    """
    if tracks is None:
        tracks = {sign: track_to_form(track) for sign, track in chart.tracks.items()}
    form: dict[str, Any] = {"v": _VERSION, "clock": chart.clock_ms, "protocol": chart.protocol_hash}
    if chart.is_replayed:
        form["replayed"] = True
    if chart.due_ms is not None:
        form["due"] = chart.due_ms
    if chart.admission is not None:
        form["admission"] = _admission_to_form(chart.admission)
    form["tracks"] = {sign.value: form for sign, form in tracks.items()}
    form["devices"] = {name: _device_to_form(device) for name, device in chart.devices.items()}
    if floods := {name: device.flood for name, device in chart.devices.items() if device.flood is not None}:
        form["floods"] = {name: _flood_to_form(flood) for name, flood in floods.items()}
    if chart.alarms:
        form["alarms"] = [_alarm_to_form(alarm) for alarm in chart.alarms.values()]
    return form


def chart_from_form(form: Form, *, patient_id: str, mode: Mode, lane: int, chart_seq: int) -> Chart:
    """The chart that *form* was made of. An empty form is a new chart."""
    admission = form.get("admission")
    alarms = [_alarm_from_form(each) for each in form.get("alarms", ())]
    return Chart(
        patient_id=patient_id,
        mode=mode,
        lane=lane,
        chart_seq=chart_seq,
        clock_ms=form.get("clock", 0),
        due_ms=form.get("due"),
        is_replayed=form.get("replayed", False),
        admission=_admission_from_form(admission) if admission else None,
        tracks={VitalSign(sign): _track_from_form(each) for sign, each in form.get("tracks", {}).items()},
        devices=_devices_from_form(form),
        alarms={alarm.rule_id: alarm for alarm in alarms},
        protocol_hash=form.get("protocol", ""),
    )


def ward_to_form(ward: Ward) -> dict[str, Any]:
    """What a ward knows beyond its key, lane and number."""
    others = dict(ward.alarms)
    silent = others.pop(WARD_SILENT, None)  # by itself, as the version before knew it
    form: dict[str, Any] = {"v": _VERSION, "clock": ward.clock_ms, "silent": dict(ward.silent)}
    form["alarm"] = _alarm_to_form(silent) if silent else None
    if ward.due_ms is not None:
        form["due"] = ward.due_ms
    if ward.paused:
        form["paused"] = dict(ward.paused)
    if others:
        form["alarms"] = [_alarm_to_form(alarm) for alarm in others.values()]
    return form


def ward_from_form(form: Form, *, ward: str, mode: Mode, lane: int, ward_seq: int) -> Ward:
    """The ward that *form* was made of. An empty form is a new ward."""
    alarms = [_alarm_from_form(each) for each in (form.get("alarm"), *form.get("alarms", ())) if each]
    return Ward(
        ward=ward,
        mode=mode,
        lane=lane,
        ward_seq=ward_seq,
        clock_ms=form.get("clock", 0),
        due_ms=form.get("due"),
        silent=form.get("silent", {}),
        paused=form.get("paused", {}),
        alarms={alarm.rule_id: alarm for alarm in alarms},
    )


def device_standing_to_form(standing: DeviceStanding) -> dict[str, Any]:
    """What is known of a device beyond its key, lane and number."""
    alarm = _alarm_to_form(standing.alarm) if standing.alarm else None
    return {"v": _VERSION, "clock": standing.clock_ms, "results": standing.results, "alarm": alarm}


def device_standing_from_form(
    form: Form, *, device_id: str, mode: Mode, lane: int, device_seq: int
) -> DeviceStanding:
    """The device that *form* was made of."""
    return DeviceStanding(
        device_id=device_id,
        mode=mode,
        lane=lane,
        device_seq=device_seq,
        clock_ms=form["clock"],
        results=form["results"],
        alarm=_alarm_from_form(form["alarm"]) if form["alarm"] else None,
    )


def _admission_to_form(admission: Admission) -> dict[str, Any]:
    born = admission.birth_date
    return {
        "ward": admission.ward,
        "bed": admission.bed,
        "born": born.isoformat() if born else None,
        "sex": admission.sex,
        "target_88_92": admission.has_spo2_target_88_92,
        "since": admission.admitted_ms,
    }


def _admission_from_form(form: Form) -> Admission:
    born = form["born"]
    return Admission(
        ward=form["ward"],
        bed=form["bed"],
        birth_date=date.fromisoformat(born) if born else None,
        sex=Sex(form["sex"]),
        has_spo2_target_88_92=form["target_88_92"],
        admitted_ms=form["since"],
    )


def track_to_form(track: Track) -> dict[str, Any]:
    """What is known of one sign; the same track always has the same form."""
    form = _window_to_form(track.window)
    for name, part in (("b", track.base), ("p", track.present)):
        if part:
            form[name] = _judgements_to_form(part)
    if track.history:
        form["h"] = track.history
    if track.late_findings:
        form["l"] = track.late_findings
    form["d"] = track.base_device
    form["n"] = track.value_ms
    return form


def _window_to_form(window: Sequence[Entry]) -> dict[str, Any]:
    """The window by columns: times counted from the first, values, and what nearly all entries share once."""
    if not window:
        return {"a": 0, "t": (), "v": (), "s": ()}
    times, values, from_where, ids = zip(*window, strict=True)
    first = times[0]
    form: dict[str, Any] = {"a": first, "t": [at_ms - first for at_ms in times], "v": values}
    sources = (
        list(dict.fromkeys(from_where))
        if from_where.count(from_where[0]) < len(from_where)
        else from_where[:1]
    )
    form["s"] = [list(source) for source in sources]
    if len(sources) > 1:
        form["k"] = [sources.index(source) for source in from_where]
    if any(ids):
        form["i"] = {str(place): reading_hex for place, reading_hex in enumerate(ids) if reading_hex}
    return form


def _window_from_form(form: Form) -> tuple[Entry, ...]:
    first, times, values = form["a"], form["t"], form["v"]
    sources = [Source(*source) for source in form["s"]]
    if len(sources) == 1 and "i" not in form:
        (source,) = sources
        return tuple(Entry(first + after, value, source) for after, value in zip(times, values, strict=True))
    kinds, ids = form.get("k", (0,) * len(times)), form.get("i", {})
    return tuple(
        Entry(first + times[place], value, sources[kinds[place]], ids.get(str(place), ""))
        for place, value in enumerate(values)
    )


def _track_from_form(form: Form) -> Track:
    return Track(
        window=_window_from_form(form),
        base=_judgements_from_form(form["b"]) if "b" in form else {},
        present=_judgements_from_form(form["p"]) if "p" in form else {},
        history=tuple((past[0], past[1]) for past in form.get("h", ())),
        late_findings=form.get("l", {}),
        base_device=form["d"],
        value_ms=form["n"],
    )


def _judgements_to_form(judgements: Mapping[str, Judgement]) -> dict[str, Any]:
    return {limit_id: list(each) for limit_id, each in judgements.items()}


def _judgements_from_form(form: Form) -> dict[str, Judgement]:
    return {
        limit_id: Judgement(tier, tuple(violated), tuple(cleared))
        for limit_id, (tier, violated, cleared) in form.items()
    }


def _device_to_form(device: Device) -> list[Any]:
    form: list[Any] = list(device)[
        :-1
    ]  # floods stand beside the devices, where the version before passes over them
    form[_OFFSETS] = list(device.offsets)
    form[_CHANNELS] = {name: list(channel) for name, channel in device.channels.items()}
    return form


def _flood_to_form(flood: Flood) -> list[Any]:
    return [flood.owed_ms, {sign.value: second for sign, second in flood.judged.items()}]


def _devices_from_form(form: Form) -> dict[str, Device]:
    devices = {name: _device_from_form(each) for name, each in form.get("devices", {}).items()}
    for name, (owed_ms, judged) in form.get("floods", {}).items():
        flood = Flood(owed_ms, {VitalSign(sign): second for sign, second in judged.items()})
        devices[name] = devices[name]._replace(flood=flood)
    return devices


def _device_from_form(form: list[Any]) -> Device:
    device = Device(*form)
    return device._replace(
        acquisition=Acquisition(device.acquisition),
        offsets=Offsets(*device.offsets),
        channels={name: Channel(*channel) for name, channel in device.channels.items()},
    )


def _alarm_to_form(alarm: Alarm) -> dict[str, Any]:
    return {
        "alarm_id": alarm.alarm_id.hex,
        "episode_id": alarm.episode_id.hex,
        "rule_id": alarm.rule_id,
        "kind": alarm.kind,
        "vital_sign": alarm.vital_sign,
        "state": alarm.state,
        "priority": int(alarm.priority),
        "onset": alarm.onset_ms,
        "started": alarm.started_ms,
        "evidence": [each.hex for each in alarm.evidence],
        "device_id": alarm.device_id,
        "value": alarm.value,
        "value_at": alarm.value_ms,
    }


def _alarm_from_form(form: Form) -> Alarm:
    sign = form["vital_sign"]
    return Alarm(
        alarm_id=UUID(form["alarm_id"]),
        episode_id=UUID(form["episode_id"]),
        rule_id=form["rule_id"],
        kind=Kind(form["kind"]),
        vital_sign=VitalSign(sign) if sign else None,
        state=AlarmState(form["state"]),
        priority=Priority(form["priority"]),
        onset_ms=form["onset"],
        started_ms=form["started"],
        evidence=tuple(UUID(each) for each in form["evidence"]),
        device_id=form["device_id"],
        value=form["value"],
        value_ms=form["value_at"],
    )
