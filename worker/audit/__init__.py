"""The audit: what came in, what is stored and what was published, compared; and what is wrong, in plain words."""
