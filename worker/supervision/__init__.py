"""One worker, several processes: a supervisor without work of its own, and processes that each do all of it."""
