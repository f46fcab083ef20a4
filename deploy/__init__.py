"""What an operator runs around the worker; not part of the wheel."""
