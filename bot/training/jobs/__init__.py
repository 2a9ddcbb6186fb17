"""Trainings as durable jobs: limits, the queue, the workflow, and their progress in the database."""
