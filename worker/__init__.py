"""The worker: Kafka in, Kafka out, and all that an operator touches."""
