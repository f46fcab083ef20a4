"""Dead letters: looked at, taken out, sent to their input topic again."""
