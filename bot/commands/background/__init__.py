"""What goes on without a command: greeting a new server, and deleting what was kept long enough."""
