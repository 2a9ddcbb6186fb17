"""Personal data: what is stored, its export, its deletion, and how long it is kept."""
