"""The time-outs every migration begins with."""

# pylint: disable=no-member  # Alembic makes the members of `op` when it runs a migration
from alembic import op


def limit_waiting(*, lock: str = "2s", statement: str = "60s") -> None:
    """Give up rather than make the worker that is running wait: a migration can be tried again.

    Whatever waits behind a migration that itself waits for a lock stands still, so the wait is short.
    """
    op.execute(f"SET LOCAL lock_timeout = '{lock}'")
    op.execute(f"SET LOCAL statement_timeout = '{statement}'")
