"""The program: `wyoming-openai`, or `python -m wyoming_openai`. See `command_line.py`."""

import os
import signal
import sys


def main() -> int:
    """Run the command line; gives the exit status."""
    # Half a second of imports follows. The first process of a container would not hear a SIGTERM meanwhile.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from .app.command_line import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
