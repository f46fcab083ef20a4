"""The clinical rules of Vigil: pure values and decisions, with the standard library only."""
