"""Tells systemd that the program is ready, alive and stopping; does nothing where systemd did not ask for it.

The protocol: sd_notify(3) and sd_watchdog_enabled(3). A datagram to the socket that the environment names.
"""

import asyncio
import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Send a state, such as `READY=1`. Never raises: nobody may be there to hear it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.setblocking(False)
        channel.sendto(state.encode(), name)


async def keep_watchdog() -> None:
    """Give signs of life as often as systemd wants them: without them it starts the program anew."""
    while (seconds := _wanted_every()) is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds / 2)


def _wanted_every() -> float | None:
    """Seconds within which a sign of life is wanted of this process; None if none is."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1_000_000 if microseconds.isdecimal() and int(microseconds) else None
