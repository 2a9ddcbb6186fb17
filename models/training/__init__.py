"""Queries about uploaded texts, trainings, their turns, and the models that they make."""
