"""A simulated ward: believable physiology through imperfect devices, seeded and repeatable."""
