"""`vigil evaluate`: what a protocol says of whole recordings, with the evaluator itself and nothing around it."""
