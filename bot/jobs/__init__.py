"""Trainings as durable jobs: the queue, the trainer process, and the card that shows them."""
