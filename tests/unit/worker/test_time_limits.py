"""How long a worker that hangs may keep what the others need: its locks, its open transaction, its partitions."""

import pytest

from persistence.connection import Timeouts
from worker.errors import SettingsError
from worker.settings import load_settings


def test_a_hanging_worker_keeps_its_locks_for_seconds_only():
    assert Timeouts().idle_in_transaction_ms <= 3_000
    assert Timeouts().lock_ms <= 5_000
    assert Timeouts().statement_ms <= 10_000


@pytest.mark.parametrize("name", ["transaction_timeout", "session_timeout"])
def test_nobody_can_set_a_longer_time_than_ten_seconds(name):
    assert getattr(load_settings(**{name: 10}), name) == 10

    with pytest.raises(SettingsError, match=f"VIGIL_{name.upper()}"):
        load_settings(**{name: 10.1})
