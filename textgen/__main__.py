"""The command `textgen`, also as `python -m textgen`."""

import os


def main() -> None:
    """Run the command; an interruption is answered in one line from the first import on."""
    try:
        from textgen.cli import main as run
    except KeyboardInterrupt:
        os.write(2, b"interrupted\n")
        os._exit(130)
    run()


if __name__ == "__main__":
    main()
