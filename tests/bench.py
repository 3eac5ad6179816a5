"""The benchmarks behind script/bench. Medians, and ratios against a floor of the same run; nothing is asserted."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import openai
import orjson
from wyoming.asr import Transcript
from wyoming.client import AsyncUnixClient
from wyoming.handle import Handled

from tests.fakes.large_home import large_home
from tests.fakes.openai_api import openai_api
from wyoming_openai.app.service import serving
from wyoming_openai.hass.snapshot import home_from_results
from wyoming_openai.settings.reader import read_configuration
from wyoming_openai.template import compile_template

SIZES = (100, 2_000, 10_000)
TURNS = 50

OVERVIEW = """An overview of the areas and the devices in this home:
{%- for area in areas() %}
  {%- set ns = namespace(first=true) %}
  {%- for device in area_devices(area) if not device_attr(device, "disabled_by") and device_attr(device, "name") %}
    {%- if ns.first %}

{{ area_name(area) }}:
      {%- set ns.first = false %}
    {%- endif %}
- {{ device_attr(device, "name") }} ({{ device_attr(device, "model") }})
  {%- endfor %}
{%- endfor %}"""
WALK = "{% for state in states if state.state %}{{ state.name }}\n{% endfor %}"
"""Reads two things of each state; with both written, 10,000 entities exceed what a template may output."""


def row(what: str, milliseconds: float, floor: float | None = None) -> None:
    ratio = f"{milliseconds / floor:8.2f} x floor" if floor else ""
    print(f"{what:58} {milliseconds:9.2f} ms {ratio}")  # noqa: T201


def timed(work: Callable[[], object], times: int = 5) -> float:
    """Median milliseconds of a call, after one that is not counted."""
    work()
    return statistics.median(_clock(work) for _ in range(times))


def _clock(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


async def timed_async(work: Callable[[], Awaitable[object]]) -> float:
    """Median milliseconds of awaiting, after three that are not counted."""
    taken = []
    for number in range(TURNS + 3):
        start = time.perf_counter()
        await work()
        if number >= 3:
            taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


async def turn() -> None:
    """A question through the Wyoming socket to a model that answers at once; the floor is the SDK's bare call."""
    async with openai_api() as model:
        client = openai.AsyncOpenAI(api_key="sk-test", base_url=model.url, max_retries=0)
        floor = await timed_async(lambda: _bare_call(client))
        await client.close()
        row("bare streamed call of the openai SDK", floor)
        for entities in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                async with _server(Path(folder), entities, OPENAI_BASE_URL=model.url) as socket:
                    taken = await timed_async(lambda socket=socket: _ask(socket, "is the reading lamp in kitchen 0 on"))
                row(f"turn with a model, {entities} entities", taken, floor)
    for entities in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            async with _server(Path(folder), entities) as socket:
                taken = await timed_async(lambda socket=socket: _ask(socket, "how many lights are on"))
            row(f"turn of the local engine, {entities} entities", taken)


@asynccontextmanager
async def _server(folder: Path, entities: int, **environment: str) -> AsyncIterator[str]:
    home, socket = folder / "home.json", str(folder / "socket")
    home.write_bytes(orjson.dumps(large_home(entities)))
    flags = {"home": str(home), "uri": f"unix://{socket}", "api": "chat", "admin_uri": "off", "data_dir": str(folder)}
    async with serving(read_configuration(flags, environment)):
        yield socket


async def _bare_call(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="test", messages=[{"role": "user", "content": "hello"}], stream=True
    )
    async for _ in stream:
        pass


async def _ask(socket: str, text: str) -> None:
    async with AsyncUnixClient(socket) as client:
        await client.write_event(Transcript(text, language="en").event())
        while (event := await client.read_event()) is not None and not Handled.is_type(event.type):
            pass


async def template() -> None:
    """The owner's template; the floor is the same text made by a plain loop."""
    for entities in SIZES:
        home = home_from_results(large_home(entities))
        floor = timed(lambda home=home: "".join(f"{s.name}\n" for s in home.states.values() if s.state))
        row(f"plain loop over all states, {entities} entities", floor)
        row(f"template that walks all states, {entities} entities", timed(lambda h=home: _render(WALK, h)), floor)
        row(f"overview of areas and devices, {entities} entities", timed(lambda h=home: _render(OVERVIEW, h)), floor)


def _render(text: str, home: object) -> str:
    return compile_template(text).render(home)  # type: ignore[arg-type]


async def load() -> None:
    """A home from its raw results; the floor is reading their JSON."""
    for entities in SIZES:
        raw = orjson.dumps(large_home(entities))
        floor = timed(lambda raw=raw: orjson.loads(raw))
        row(f"JSON of a home, {entities} entities", floor)
        row(f"home from it, {entities} entities", timed(lambda r=raw: home_from_results(orjson.loads(r))), floor)


BENCHMARKS = {"turn": turn, "template": template, "load": load}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHMARKS:
        asyncio.run(BENCHMARKS[name]())
