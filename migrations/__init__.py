"""The Alembic migrations, shipped with the worker so that `vigil db upgrade` needs no checkout."""

# Any fixed number of our own: two upgrades at once go one after the other, and the second finds nothing to do.
ADVISORY_LOCK = 7_163_024_511_200_001
