"""A chart while inputs are worked into it: the one mutable thing in the domain, never seen outside it."""

from dataclasses import replace
from uuid import UUID

from domain.alarms import Alarm, AlarmState, Trigger, next_state
from domain.alerts import Alert, Phase, Reason
from domain.chart import Admission, Chart, Device, Track
from domain.identities import alarm_id_of
from domain.news import Cause, News, Subject, alert_of
from domain.protocol import Protocol
from domain.vital_signs import VitalSign
from domain.wards import WardSignal


class Draft:
    """What a chart becomes, and what must be said about it."""

    __slots__ = (
        "admission", "admission_before", "alarms", "alerts", "chart_seq", "clock_ms", "devices", "due_ms", "ended",
        "is_replayed", "lane", "mode", "patient_id", "protocol", "protocol_hash", "tracks", "ward_signals",
    )  # fmt: skip

    def __init__(self, chart: Chart, protocol: Protocol) -> None:
        """Begin with *chart* as it is."""
        self.protocol = protocol
        self.patient_id = chart.patient_id
        self.mode = chart.mode
        self.lane = chart.lane
        self.chart_seq = chart.chart_seq
        self.clock_ms = chart.clock_ms
        self.due_ms = chart.due_ms
        self.is_replayed = chart.is_replayed
        self.admission: Admission | None = chart.admission
        self.admission_before: Admission | None = chart.admission
        self.tracks: dict[VitalSign, Track] = dict(chart.tracks)
        self.devices: dict[str, Device] = dict(chart.devices)
        self.alarms: dict[str, Alarm] = dict(chart.alarms)
        self.protocol_hash = chart.protocol_hash
        self.alerts: list[Alert] = []
        self.ended: list[Alarm] = []
        self.ward_signals: list[WardSignal] = []

    def begin(self) -> None:
        """One more input: it is numbered, and what was said of the one before is no longer ours."""
        self.chart_seq += 1
        self.admission_before = self.admission
        if self.alerts or self.ended or self.ward_signals:
            self.alerts, self.ended, self.ward_signals = [], [], []

    @property
    def ward(self) -> str | None:
        """Where the patient lies, if the registry has said."""
        return self.admission.ward if self.admission else None

    def has_alarm_on(self, sign: VitalSign) -> bool:
        """Whether an alarm about *sign* stands."""
        return bool(self.alarms) and any(alarm.vital_sign is sign for alarm in self.alarms.values())

    def alarm_id(self, rule_id: str) -> UUID:
        """The id of this patient's alarm under *rule_id*."""
        return alarm_id_of(self.mode, self.patient_id, rule_id)

    def announce(self, news: News) -> None:
        """Give an alert, and keep its alarm as it now stands."""
        if news.is_end:
            self.alarms.pop(news.alarm.rule_id, None)
            self.ended.append(news.alarm)
        elif news.phase is not Phase.TPOINT:
            self.keep(news.alarm)
        self.alerts.append(alert_of(self._subject(), news, self.protocol))

    def end(self, alarm: Alarm, reason: Reason, cause: Cause) -> None:
        """End *alarm*, whatever has become of its condition; one that was only latched is reset."""
        phase = Phase.RESET if alarm.state is AlarmState.LATCHED else Phase.END
        over = replace(alarm, state=next_state(alarm.state, Trigger.CLOSED))
        self.announce(News(alarm=over, phase=phase, reason=reason, cause=cause))

    def keep(self, alarm: Alarm) -> None:
        """Keep *alarm* as it now stands, without a word."""
        self.alarms[alarm.rule_id] = alarm

    def _subject(self) -> Subject:
        admission = self.admission
        birth_date = admission.birth_date if admission else None
        return Subject(
            patient_id=self.patient_id,
            mode=self.mode,
            ward=self.ward,
            bed=admission.bed if admission else None,
            birth_year=birth_date.year if birth_date else None,
            seq=self.chart_seq,
            clock_ms=self.clock_ms,
        )

    def chart(self) -> Chart:
        """The chart as it is now; later inputs do not change it."""
        return Chart(
            patient_id=self.patient_id,
            mode=self.mode,
            lane=self.lane,
            chart_seq=self.chart_seq,
            clock_ms=self.clock_ms,
            due_ms=self.due_ms,
            is_replayed=self.is_replayed,
            admission=self.admission,
            tracks=dict(self.tracks),
            devices=dict(self.devices),
            alarms=dict(self.alarms),
            protocol_hash=self.protocol_hash,
        )
