"""A row of a hospital's table becomes what NEWS2 is scored from, and the score the columns added to it."""

from collections.abc import Mapping
from typing import NamedTuple

from domain.news2 import Findings, News2, Part, Spo2Scale
from domain.vital_signs import DEFINITIONS, Consciousness, VitalSign, is_absent, is_possible
from worker.scoring.errors import ScoringError

_SIGN_OF = {
    "rr": VitalSign.RESPIRATORY_RATE,
    "spo2": VitalSign.SPO2,
    "sbp": VitalSign.SYSTOLIC_PRESSURE,
    "hr": VitalSign.PULSE,
    "temp_c": VitalSign.BODY_TEMPERATURE,
}
COLUMNS = ("rr", "spo2", "spo2_scale", "on_oxygen", "sbp", "hr", "new_confusion_or_vpu", "temp_c")
"""What a table must have; an empty cell is missing, an empty scale is 1."""

_SCORE_COLUMNS = {
    Part.RESPIRATORY_RATE: "rr_score",
    Part.SPO2: "spo2_score",
    Part.OXYGEN: "oxygen_score",
    Part.SYSTOLIC_PRESSURE: "sbp_score",
    Part.PULSE: "hr_score",
    Part.CONSCIOUSNESS: "consciousness_score",
    Part.TEMPERATURE: "temp_score",
}
ADDED_COLUMNS = (*_SCORE_COLUMNS.values(), "total", "band", "red", "missing", "at_least", "remarks")
_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class Row(NamedTuple):
    """What a row says, and which of its cells cannot be true and were taken as missing."""

    findings: Findings
    remarks: tuple[str, ...]


def row_of(cells: Mapping[str, str]) -> Row:
    """Read the cells of one row. Raises ScoringError naming the column of a cell that cannot be read."""
    values: dict[str, float | None] = {}
    remarks = []
    for column, sign in _SIGN_OF.items():
        value = _number(column, cells[column])
        if value is not None and (is_absent(sign, value) or not is_possible(sign, value)):
            definition = DEFINITIONS[sign]
            remarks.append(
                f"{column} is not between {definition.lowest:g} and {definition.highest:g} {definition.unit}"
            )
            value = None
        values[column] = value
    is_changed = _yes_or_no("new_confusion_or_vpu", cells["new_confusion_or_vpu"])
    findings = Findings(
        respiratory_rate=values["rr"],
        spo2=values["spo2"],
        is_on_oxygen=_yes_or_no("on_oxygen", cells["on_oxygen"]),
        systolic_pressure=values["sbp"],
        pulse=values["hr"],
        consciousness=None if is_changed is None else Consciousness.C if is_changed else Consciousness.A,
        temperature=values["temp_c"],
        scale=_scale(cells["spo2_scale"]),
    )
    return Row(findings, tuple(remarks))


def added_cells(score: News2, remarks: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the cells that tell *score*: empty where there is nothing to tell."""
    cells = {column: _text(score.parts.get(part)) for part, column in _SCORE_COLUMNS.items()}
    return {
        **cells,
        "total": _text(score.total),
        "band": score.band or "",
        "red": "true" if score.is_red else "false",
        "missing": " ".join(score.missing),
        "at_least": str(score.at_least),
        "remarks": "; ".join(remarks),
    }


def _text(points: int | None) -> str:
    return "" if points is None else str(points)


def _number(column: str, cell: str) -> float | None:
    if not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError:
        raise ScoringError(f"{column} must be a number such as 36.8, or empty if it is missing") from None
    return value


def _yes_or_no(column: str, cell: str) -> bool | None:
    word = cell.strip().lower()
    if not word:
        return None
    if word not in _WORDS:
        raise ScoringError(f"{column} must be 1 or 0, true or false, yes or no, or empty if it is missing")
    return _WORDS[word]


def _scale(cell: str) -> Spo2Scale:
    word = cell.strip()
    if not word:
        return Spo2Scale.ONE
    try:
        return Spo2Scale(int(float(word)))
    except ValueError:
        raise ScoringError("spo2_scale must be 1, or 2 where a target of 88-92 % is prescribed") from None
