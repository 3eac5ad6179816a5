"""The API against its own description: Schemathesis asks what the description allows, and what it forbids."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

import orjson
import pytest

from tests.admin.conftest import Program
from tests.fakes.model import ScriptedModel, say
from wyoming_openai.admin import listening
from wyoming_openai.admin.rendering import HERE
from wyoming_openai.hass.mirror import FixedMirror
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.llm import ModelEvent, ModelRequest
from wyoming_openai.local_engine.engine import LocalEngine

schemathesis = pytest.importorskip("schemathesis", reason="the browser extra (schemathesis) is not installed")
hypothesis = pytest.importorskip("hypothesis")
hypothesis.configuration.set_hypothesis_home_dir(".pytest_cache/hypothesis")

REFUSED = ["400", "401", "403", "404", "405", "413", "415", "422"]
BY_MEANING = ("/api/options", "/api/prompt")
"""Whether a template or an option is right, no schema can say."""
NOWHERE = "http://127.0.0.1:9"
MAX_ADDRESS = 300

config = schemathesis.Config.from_dict(
    {
        "checks": {"negative_data_rejection": {"expected-statuses": REFUSED}},
        "operations": [
            {"include-path": path, "checks": {"positive_data_acceptance": {"enabled": False}}} for path in BY_MEANING
        ],
    }
)
schema = schemathesis.openapi.from_dict(orjson.loads((HERE / "openapi.json").read_bytes()), config=config)


class Talkative(ScriptedModel):
    """Always says the same."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.will(say("Fine."))
        async with aclosing(super().stream(request)) as events:
            async for event in events:
                yield event


@dataclass(frozen=True)
class Served:
    """Where the page is, and what a change must bring along."""

    url: str
    headers: dict[str, str]


@pytest.fixture(scope="module")
def served(local: LocalEngine) -> Iterator[Served]:
    """A page in a thread of its own: Schemathesis waits for its answers."""
    started, ended, ports = threading.Event(), asyncio.Event(), list[int]()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        program = Program(FixedMirror(demo_home(datetime.now(UTC))), Talkative(), local)
        async with listening(program.parts(), "http://127.0.0.1:0") as port:
            ports.append(port)
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(20)
    url = f"http://127.0.0.1:{ports[0]}"
    with urlopen(f"{url}/api/session") as response:  # noqa: S310 - our own
        cookie = response.headers["Set-Cookie"].partition(";")[0]
        yield Served(url, {"Cookie": cookie, "X-Token": orjson.loads(response.read())["token"]})
    loop.call_soon_threadsafe(ended.set)
    thread.join()
    loop.close()


def kept_at_home(case: Any) -> Any:
    """What would be tried in the network is tried where nobody listens; what is refused stays as it is."""
    if case.operation.path.startswith("/api/test/") and isinstance(case.body, dict):
        for name in ("hass_url", "openai_base_url"):
            given = case.body.get(name)
            if given is None or (isinstance(given, str) and len(given) <= MAX_ADDRESS):
                case.body[name] = NOWHERE
    return case


@schema.parametrize()
@hypothesis.settings(max_examples=25, deadline=None, database=None, derandomize=True)
def test_the_api_does_what_its_description_says(case: Any, served: Served) -> None:
    kept_at_home(case).call_and_validate(base_url=served.url, headers=served.headers)
