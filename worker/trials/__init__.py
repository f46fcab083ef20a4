"""`vigil protocol test`: trials of a protocol, in a language that a clinician can read, run by the evaluator itself."""
