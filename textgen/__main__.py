"""`python -m textgen`."""

from textgen.cli import main

main()
