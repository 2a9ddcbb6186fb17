"""What a monitoring system sees of a process: metrics, whether it is alive, whether it is ready."""
