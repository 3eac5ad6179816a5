"""The program as a person starts it, in a process of its own, and what can be seen of it from outside."""

import asyncio
import logging
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.handle import Handled, NotHandled

COMMAND = (str(Path(sys.executable).with_name("wyoming-openai")),)
WITH_TASKS = """
import asyncio, signal, sys
from wyoming_openai.__main__ import main
signal.signal(signal.SIGUSR1, lambda *_: print("tasks:", len(asyncio.all_tasks()), file=sys.stderr, flush=True))
sys.exit(main())
"""
"""The same program, which tells how many tasks it has when it is asked."""

_ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("HASS_", "OPENAI_", "WYOMING_"))}
_STARTED = re.compile(r"listens on port (\d+)")
_TASKS = re.compile(r"^tasks: (\d+)", re.MULTILINE)

logging.getLogger("aiohttp.server").disabled = True  # a fake is not to complain of a program that was killed

START = 30.0  # seconds; on a busy machine, with a large home
PATIENCE = 10.0  # seconds over a deadline after which a question counts as lost


Kind = Literal["handled", "not-handled", "closed", "hang"]
"""How a question ended; nobody answered the last two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody heard, and when."""

    kind: Kind
    text: str
    seconds: float

    @property
    def heard(self) -> bool:
        return self.kind in ("handled", "not-handled") and bool(self.text)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process uses."""

    resident: float
    """Megabytes."""
    descriptors: int
    threads: int
    tasks: int | None


class Program:
    """A process of the program with files of its own, which outlive it."""

    def __init__(self, folder: Path, *flags: str, counts_tasks: bool = False, **environment: str) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.port = 0
        self._command = (sys.executable, "-c", WITH_TASKS) if counts_tasks else COMMAND
        self._counts_tasks = counts_tasks
        self._flags = ("--uri", "tcp://127.0.0.1:0", "--admin-uri", "off", "--data-dir", str(self.data), *flags)
        self._environment = _ENVIRONMENT | environment
        self._process: asyncio.subprocess.Process | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> float:
        """Start it; gives the seconds until it listened."""
        begun = time.monotonic()
        size = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, *self._flags, cwd=self.folder, env=self._environment, stderr=log
            )
        while (found := _STARTED.search(self._log_since(size))) is None:
            if self._process.returncode is not None or time.monotonic() - begun > START:
                raise RuntimeError(f"it does not start:\n{self._log_since(size)}")
            await asyncio.sleep(0.02)
        self.port = int(found[1])
        return time.monotonic() - begun

    async def end(self, number: int = signal.SIGTERM) -> float:
        """Tell it to stop, or kill it; gives the seconds until it ended."""
        begun = time.monotonic()
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        await self._process.wait()
        return time.monotonic() - begun

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        assert self._process is not None
        return self._process.returncode

    async def ask(
        self, text: str, language: str = "en", *, conversation: str | None = None, deadline: float = 30.0
    ) -> Answer:
        """Ask as Home Assistant does: one connection for a question, which ends with the answer."""
        begun = time.monotonic()
        context = {"conversation_id": conversation} if conversation else None
        try:
            async with asyncio.timeout(deadline + PATIENCE), AsyncTcpClient("127.0.0.1", self.port) as client:
                await client.write_event(Transcript(text, language=language, context=context).event())
                kind, said = await _answer(client)
        except TimeoutError:
            kind, said = "hang", ""
        except OSError:
            kind, said = "closed", ""
        return Answer(kind, said, time.monotonic() - begun)

    async def sample(self) -> Sample:
        return Sample(self._status("VmRSS") / 1024, self._descriptors(), self._status("Threads"), await self._tasks())

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))

    def _descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    async def _tasks(self) -> int | None:
        if not self._counts_tasks:
            return None
        size = self.log.stat().st_size
        os.kill(self.pid, signal.SIGUSR1)
        for _ in range(100):
            await asyncio.sleep(0.02)
            if found := _TASKS.search(self._log_since(size)):
                return int(found[1])
        return None

    def _log_since(self, size: int) -> str:
        with self.log.open("rb") as log:
            log.seek(size)
            return log.read().decode("utf-8", "replace")


async def _answer(client: AsyncTcpClient) -> tuple[Kind, str]:
    while (event := await client.read_event()) is not None:
        if Handled.is_type(event.type):
            return "handled", Handled.from_event(event).text or ""
        if NotHandled.is_type(event.type):
            return "not-handled", NotHandled.from_event(event).text or ""
    return "closed", ""


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Program]:
    """The program, stopped at the end whatever happens."""
    await program.start()
    try:
        yield program
    finally:
        await program.end()
