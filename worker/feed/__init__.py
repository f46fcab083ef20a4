"""Records on their way in: how simulator and replay compose, pace and send them."""
