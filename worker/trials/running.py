"""A trial through the evaluator: what was said that was not expected, and the other way round."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.alerts import Alert
from domain.chart import Chart
from domain.evaluation import Course
from domain.observations import Mode, Tick
from domain.protocol import Protocol
from domain.times import from_ms
from worker.feed.records import logged, observation
from worker.messages import decode_reading_record
from worker.trials.files import Trial
from worker.trials.language import Expected, Moment

_BEGIN_MS = 1_767_225_600_000  # 2026-01-01
_PATIENT = "trial"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to: nothing where all was said as it was expected."""

    trial: Trial
    differences: tuple[str, ...]


def run_trial(trial: Trial, protocol: Protocol) -> Outcome:
    """Let *trial* happen under *protocol*, as live data: timers run out when they are due."""
    course = Course(Chart(patient_id=_PATIENT, mode=Mode.TEST, lane=0), protocol)
    differences: list[str] = []
    for moment in trial.moments:
        before, said = _time_passes(course, _BEGIN_MS + moment.after_ms)
        differences += [f"line {moment.line}: said before it: {_words(alert)}" for alert in before]
        refusals = _observe(course, trial, moment, said)
        differences += [f"line {moment.line}: refused: {reason}" for reason in refusals]
        differences += _differences(moment, said)
    return Outcome(trial, tuple(differences))


def _time_passes(course: Course, until_ms: int) -> tuple[list[Alert], list[Alert]]:
    """What time alone brings to light: before *until_ms*, and at it."""
    before: list[Alert] = []
    at: list[Alert] = []
    while course.due_ms is not None and course.due_ms <= until_ms:
        due_ms = course.due_ms
        said = course.take(Tick(at=from_ms(due_ms))).alerts
        (at if due_ms == until_ms else before).extend(said)
        if course.due_ms == due_ms:
            break  # its reckoning was too early, and nothing is due after all
    return before, at


def _observe(course: Course, trial: Trial, moment: Moment, said: list[Alert]) -> list[str]:
    """Take in what the moment observes; returns why what was refused of it was refused."""
    if not moment.values:
        return []
    at_ms = _BEGIN_MS + moment.after_ms
    record = observation(
        message_id=f"trial-{moment.after_ms}",
        patient_id=_PATIENT,
        device_id="trial-device",
        observed_ms=at_ms,
        acquisition=trial.acquisition,
        mode=Mode.TEST,
        values=moment.values,
    )
    decoded = decode_reading_record(logged(record, moment.line, timestamp=at_ms))
    if decoded.observation is not None:
        said += course.take(decoded.observation).alerts
    return [refusal.reason.value for refusal in decoded.refusals]


def _differences(moment: Moment, said: Sequence[Alert]) -> list[str]:
    missing = list(moment.expected)
    unexpected = []
    for alert in said:
        matching = next((each for each in missing if _fits(each, alert)), None)
        if matching is None:
            unexpected.append(f"line {moment.line}: said and not expected: {_words(alert)}")
        else:
            missing.remove(matching)
    return unexpected + [f"line {moment.line}: expected and not said: {each}" for each in missing]


def _fits(expected: Expected, alert: Alert) -> bool:
    if (expected.phase, expected.rule_id) != (alert.phase, _rule_of(alert)):
        return False
    return expected.priority in {None, alert.priority}


def _rule_of(alert: Alert) -> str:
    """The rule without the trial's own device."""
    return alert.rule_id.removesuffix("/trial-device")


def _words(alert: Alert) -> str:
    return str(Expected(alert.phase, _rule_of(alert), alert.priority))
