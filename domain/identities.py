"""Ids made of what they name, so that the same history always gives the same ids."""

from uuid import UUID, uuid5

from domain.alerts import Phase, Reason
from domain.observations import Mode

_ALARMS = UUID("5f1f7d4e-6f6e-5d53-9a0e-0c5f6a1b7e21")


def alarm_id_of(mode: Mode, subject: str, rule_id: str) -> UUID:
    """The id of the alarm between *subject* (a patient, or a ward) and a rule: the same in every episode."""
    return uuid5(_ALARMS, f"{mode}\x1f{subject}\x1f{rule_id}")


def episode_id_of(alarm_id: UUID, onset_ms: int, cause: str | UUID) -> UUID:
    """The id of one episode, made of what began it."""
    return uuid5(alarm_id, f"{onset_ms}\x1f{cause}")


def alert_id_of(episode_id: UUID, phase: Phase, reason: Reason, cause: str | UUID) -> UUID:
    """The id of one alert, made of episode, phase and cause."""
    return uuid5(episode_id, f"{phase}\x1f{reason}\x1f{cause}")
