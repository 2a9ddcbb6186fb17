"""The network: its description (`spec`), its cells, and the stepper that serves it (`making`)."""
