"""Child processes: started with an allow-listed environment, and within limits."""
