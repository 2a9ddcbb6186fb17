"""`pastiche backup` and `pastiche restore`: database, queue, texts and models in one file."""
