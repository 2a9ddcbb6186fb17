"""Training a model: from an upload to a job, its trainer process, and the card that shows it."""
