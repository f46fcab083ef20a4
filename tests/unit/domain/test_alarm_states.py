"""The alarm's state table, cell by cell."""

from itertools import product

import pytest

from domain.alarms import LATCHING_TRANSITIONS, TRANSITIONS, AlarmState, Priority, Trigger, next_state

# Restated from the glossary: pending announces nothing, acknowledged goes on, latched waits for a person.
# fmt: off
EXPECTED = {
    # state          violated        held            cleared     acknowledged    escalated  closed
    "inactive":     ("pending",      "active",       "inactive", "inactive",     "inactive", "inactive"),
    "pending":      ("pending",      "active",       "inactive", "pending",      "active",   "inactive"),
    "active":       ("active",       "active",       "inactive", "acknowledged", "active",   "inactive"),
    "acknowledged": ("acknowledged", "acknowledged", "inactive", "acknowledged", "active",   "inactive"),
    "latched":      ("latched",      "active",       "latched",  "inactive",     "active",   "inactive"),
}
# fmt: on
CELLS = [
    (AlarmState(state), trigger, AlarmState(after))
    for state, row in EXPECTED.items()
    for trigger, after in zip(Trigger, row, strict=True)
]


@pytest.mark.parametrize("table", [TRANSITIONS, LATCHING_TRANSITIONS], ids=["plain", "latching"])
def test_every_state_answers_every_trigger(table):
    assert set(table) == set(product(AlarmState, Trigger))


@pytest.mark.parametrize(("state", "trigger", "after"), CELLS)
def test_each_cell_is_what_the_glossary_says(state, trigger, after):
    assert next_state(state, trigger) is after


@pytest.mark.parametrize(("state", "trigger", "after"), CELLS)
def test_latching_changes_one_cell_only(state, trigger, after):
    is_the_one = (state, trigger) == (AlarmState.ACTIVE, Trigger.CLEARED)

    expected = AlarmState.LATCHED if is_the_one else after

    assert next_state(state, trigger, latching=True) is expected


def test_the_triggers_stand_in_the_order_of_the_table():
    assert [trigger.name.lower() for trigger in Trigger] == [
        "violated", "held", "cleared", "acknowledged", "escalated", "closed",
    ]  # fmt: skip


def test_a_higher_priority_is_a_higher_number_and_goes_by_its_word():
    assert [priority.word for priority in sorted(Priority)] == ["low", "medium", "high"]
    assert [priority.value for priority in sorted(Priority)] == [1, 2, 3]
