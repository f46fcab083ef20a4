"""The Alembic migrations, shipped with the worker so that `vigil db upgrade` needs no checkout."""
