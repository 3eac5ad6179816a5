"""The program as a person starts it: in a process of its own, against fakes on loopback."""

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient, AsyncUnixClient
from wyoming.event import async_read_event, async_write_event
from wyoming.handle import Handled
from wyoming.info import Describe, Info

from tests.fakes.openai_api import error, openai_api, say

ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("HASS_", "OPENAI_", "WYOMING_"))
} | {"XDG_STATE_HOME": tempfile.mkdtemp()}


async def start(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wyoming_openai", *arguments,
        env=ENVIRONMENT | environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def run(*arguments: str, given: str = "", **environment: str) -> tuple[int, str, str]:
    process = await start(*arguments, **environment)
    out, err = await process.communicate(given.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def serving(*arguments: str, **environment: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A running server and the line with which it announces itself."""
    process = await start(*arguments, **environment)
    assert process.stderr is not None
    line = ""
    while "listens on" not in line:
        line = (await process.stderr.readline()).decode()
        assert line, "the program ended before it listened"
    try:
        yield process, line
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def ask(client: AsyncTcpClient | AsyncUnixClient, text: str) -> str | None:
    await client.write_event(Transcript(text, language="en").event())
    while (event := await client.read_event()) is not None:
        if Handled.is_type(event.type):
            return Handled.from_event(event).text
    return None


async def test_it_serves_on_its_defaults_and_says_how_to_connect() -> None:
    async with serving("--uri", "tcp://127.0.0.1:0") as (process, line):
        assert "demo home" in line
        assert "local engine" in line
        assert "Wyoming Protocol" in line
        port = int(line.partition("listens on port ")[2].partition(".")[0])
        async with AsyncTcpClient("127.0.0.1", port) as client:
            await client.write_event(Describe().event())
            event = await client.read_event()
            assert event is not None
            assert Info.from_event(event).handle[0].installed
            assert await ask(client, "what time is it")
        process.terminate()
        await process.communicate()
        assert process.returncode == 0


async def test_systemd_is_told_that_it_is_ready_alive_and_stopping(tmp_path: Path) -> None:
    told = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        loop = asyncio.get_running_loop()
        watched = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "20000"}
        async with serving("--uri", "tcp://127.0.0.1:0", **watched) as (process, _):
            while told.count(b"WATCHDOG=1") < 3 or b"READY=1" not in told:
                told.append(await loop.sock_recv(systemd, 100))
            process.terminate()
            while b"STOPPING=1" not in told:
                told.append(await loop.sock_recv(systemd, 100))


async def test_it_serves_on_a_unix_socket_and_removes_it(tmp_path: Path) -> None:
    path = tmp_path / "wyoming.sock"
    async with serving("--uri", f"unix://{path}"), AsyncUnixClient(path) as client:
        assert await ask(client, "how many lights are on")
    assert not path.exists()


async def test_it_serves_on_stdio_and_ends_with_its_input() -> None:
    process = await start("--uri", "stdio://")
    assert process.stdin is not None
    assert process.stdout is not None
    await async_write_event(Transcript("what time is it", language="en").event(), process.stdin)
    process.stdin.write_eof()
    kinds = []
    while (event := await async_read_event(process.stdout)) is not None:
        kinds.append(event.type)
    assert kinds == ["handled-start", "handled-chunk", "handled", "handled-stop"]
    await process.communicate()
    assert process.returncode == 0


async def test_one_sentence_goes_all_the_way_to_the_model_and_back() -> None:
    async with openai_api() as openai:
        openai.will(say("The *garage* is open."))
        arguments = ("ask", "Is the garage open?", "--json")
        status, out, _ = await run(*arguments, OPENAI_BASE_URL=openai.url, OPENAI_API_KEY="sk-test")
    answer = json.loads(out)
    assert (status, answer["text"], answer["engine"]) == (0, "The garage is open.", "openai")
    assert answer["timings_ms"]["total"] > 0
    assert "Is the garage open?" in str(openai.requests[-1].body)


async def test_ask_prints_the_answer_and_what_it_took() -> None:
    status, out, err = await run("ask", "what time is it", "--language", "en")
    assert status == 0
    assert out.strip()
    assert "total" in err


async def test_ask_without_an_answer_fails_with_a_sentence() -> None:
    status, out, err = await run("ask", "who painted the Mona Lisa?", "--language", "de")
    assert status == 1
    assert out.strip()
    assert err.strip()


async def test_prompt_shows_what_would_be_sent() -> None:
    status, out, _ = await run("prompt", "is the garage open?", "--area", "kitchen")
    assert status == 0
    assert "is the garage open?" in out
    assert "Asked in: Kitchen" in out
    assert "tokens in all" in out


async def test_prompt_answers_requests_line_by_line() -> None:
    requests = [
        {"text": "is the garage open?"},
        {"tool": "nonsense", "arguments": {}},
        {"home": "/no/such/file", "text": "x"},
        [],
    ]
    status, out, _ = await run("prompt", "--jsonl", given="".join(json.dumps(line) + "\n" for line in requests))
    assert status == 0
    first, tool, missing, wrong = (json.loads(line) for line in out.splitlines())
    assert first["messages"][-1] == {"role": "user", "content": "is the garage open?"}
    assert first["tokens"] > 100
    assert set(first["read_only_tools"]) <= {tool["function"]["name"] for tool in first["tools"]}
    assert "no such tool" in tool["content"]
    assert "/no/such/file" in missing["error"]
    assert wrong["error"]


async def test_render_answers_requests_line_by_line() -> None:
    lines = [{"name": "a", "template": "{{ 1 + 1 }}"}, {"name": "b", "template": "{{ nope.x }}"}]
    status, out, _ = await run("render", "--jsonl", given="".join(json.dumps(line) + "\n" for line in lines))
    assert status == 0
    first, second = (json.loads(line) for line in out.splitlines())
    assert first == {"result": 2, "text": "2"}
    assert "nope" in second["error"]


async def test_render_shows_a_template_over_the_home() -> None:
    assert (await run("render", "{{ areas() | count > 5 }}"))[:2] == (0, "True\n")


async def test_a_wrong_template_is_told_with_its_line() -> None:
    status, _, err = await run("render", "first\n{% if %}")
    assert status == 1
    assert "line 2" in err


async def test_check_finds_nothing_wrong_with_the_defaults() -> None:
    status, out, _ = await run("check", "--uri", "tcp://127.0.0.1:0")
    assert status == 0
    assert "✗" not in out


async def test_check_names_what_is_wrong() -> None:
    async with openai_api() as openai:
        openai.will(error(401, "Incorrect API key provided: sk-sec***ret"))
        status, out, _ = await run(
            "check", "--uri", "tcp://127.0.0.1:0", "--prompt", "one\n{{ nope( }}", "--hass-url", "http://127.0.0.1:9",
            OPENAI_BASE_URL=openai.url, OPENAI_API_KEY="sk-secret", HASS_TOKEN="secret-token",
        )  # fmt: skip
    assert status == 1
    assert "127.0.0.1:9" in out
    assert "line 2" in out
    assert "key" in out
    assert "secret" not in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--temperature", "hot"), "temperature: 'hot'"),
        (("--model", "text-davinci-003"), "text-davinci-003"),
        (("sing",), "sing: there is no such command"),
        (("chekc",), "did you mean check?"),
        (("--modle", "x", "ask", "hi"), "--modle: there is no such option; did you mean --model?"),
        (("ask", "hi", "--arae=x"), "did you mean --area?"),
        (("--control", "on"), "control: 'on' is not accepted (this version answers questions and controls nothing)"),
        (("ask",), "required"),
        (("prompt",), "a question is needed"),
    ],
)
async def test_wrong_usage_is_told_with_status_2(arguments: tuple[str, ...], told: str) -> None:
    status, _, err = await run(*arguments)
    assert status == 2
    assert told in err
    assert "Traceback" not in err


async def test_a_snapshot_needs_a_home() -> None:
    status, _, err = await run("snapshot")
    assert status == 1
    assert "HASS_URL" in err


async def test_help_shows_options_in_groups_with_words_that_are_accepted() -> None:
    status, out, _ = await run("--help")
    assert status == 0
    assert out.index("commands:") < out.index("Your home:") < out.index("Language model:")
    text = " ".join(out.split())
    assert "Write auto, responses or chat." in text
    assert "--budget-day USD" in text
    _, of_ask, _ = await run("help", "ask")
    assert "--area" in of_ask
    assert "--budget-day" not in of_ask


async def test_the_version_says_of_what() -> None:
    _, out, _ = await run("--version")
    assert out.startswith("wyoming-openai ")


async def test_an_answer_ends_its_line_and_nothing_else_is_printed() -> None:
    status, out, err = await run("ask", "which windows are open?")
    assert status == 0
    assert out.endswith("\n")
    assert out.count("\n") == 1
    assert err.startswith("[local")


async def test_a_locale_of_ascii_is_no_hindrance() -> None:
    ascii_only = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    _, out, _ = await run("check", "--uri", "tcp://127.0.0.1:0", "--admin-uri", "off", **ascii_only)
    assert out.startswith("✓ Home")
    status, out, _ = await run("render", "{{ 'Küche' }}", **ascii_only)
    assert (status, out.strip()) == (0, "Küche")
