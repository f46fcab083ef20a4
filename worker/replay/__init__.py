"""Replay recordings of bedside monitors and of intensive-care stays as if they came in now."""
