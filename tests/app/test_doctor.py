"""`check` as a person runs it: what it finds, and what it says to do about it."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.app.test_program import run, serving
from tests.fakes.home_assistant import FakeHomeAssistant

NO_PAGE = ("--admin-uri", "off")


async def check(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """The status and the output of `check` on ports that nobody uses, unless told otherwise."""
    uri = () if "--uri" in arguments else ("--uri", "tcp://127.0.0.1:0")
    return await run("check", *uri, *arguments, **environment)


@contextmanager
def taken_port() -> Iterator[int]:
    """A port at which a program listens that says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


async def test_a_service_that_runs_is_no_fault(tmp_path: Path) -> None:
    with taken_port() as free:
        page = f"http://127.0.0.1:{free + 1 if free < 65535 else free - 1}"
    shared = ("--data-dir", str(tmp_path), "--admin-uri", page)
    async with serving("--uri", "tcp://127.0.0.1:0", *shared) as (_, line):
        port = line.partition("listens on port ")[2].partition(".")[0]
        status, out, _ = await check("--uri", f"tcp://127.0.0.1:{port}", *shared)
    assert status == 0
    assert "it runs already" in out
    assert "used by the service that runs" in out
    assert "Page: it is there already" in out


async def test_other_programs_at_our_ports_are_told_apart() -> None:
    with taken_port() as port, taken_port() as other:
        status, out, _ = await check("--uri", f"tcp://127.0.0.1:{port}", "--admin-uri", f"http://127.0.0.1:{other}")
    assert status == 1
    assert "Wyoming: Can't listen" in out
    assert "another program listens there" in out
    assert f"Page: another program listens at http://127.0.0.1:{other}; choose another address with --admin-uri" in out


async def test_an_address_of_another_machine_is_told_as_such() -> None:
    _, out, _ = await check("--uri", "tcp://192.0.2.7:10800", *NO_PAGE)
    assert "192.0.2.7 is no address of this machine" in out


async def test_a_page_that_everybody_could_open_is_a_problem() -> None:
    status, out, _ = await check("--admin-uri", "http://0.0.0.0:8099")
    assert status == 1
    assert "set a password" in out


async def test_two_programs_on_one_folder_are_told(tmp_path: Path) -> None:
    async with serving("--uri", "tcp://127.0.0.1:0", "--data-dir", str(tmp_path), *NO_PAGE):
        status, out, _ = await check("--data-dir", str(tmp_path), *NO_PAGE)
        process_line = await told_by_a_second(tmp_path)
    assert status == 1
    assert "another program of this kind uses" in out
    assert "give each its own folder" in process_line


async def told_by_a_second(folder: Path) -> str:
    """What a second service says of the folder before it listens."""
    status, _, err = await run("--uri", "stdio://", "--data-dir", str(folder), *NO_PAGE, given='{"type": "describe"}\n')
    assert status == 0
    return err


@pytest.mark.parametrize("is_file", [True, False])
async def test_a_data_folder_that_keeps_nothing_is_a_problem(tmp_path: Path, is_file: bool) -> None:
    folder = tmp_path / "file" if is_file else Path("/proc/nothing")
    if is_file:
        folder.write_text("")
    status, out, _ = await check("--data-dir", str(folder), *NO_PAGE)
    assert status == 1
    assert f"nothing can be kept in {folder}" in out
    assert "--data-dir" in out


@pytest.mark.parametrize("command", [("check", *NO_PAGE), ("ask", "hi"), ("prompt", "hi"), ("render", "{{ 1 }}")])
@pytest.mark.parametrize("content", ["not JSON", "[1, 2]", '{"get_states": 7}'])
async def test_a_home_that_is_none_is_named(tmp_path: Path, command: tuple[str, ...], content: str) -> None:
    home = tmp_path / "home.json"
    home.write_text(content)
    status, out, err = await run(*command, "--home", str(home), "--uri", "tcp://127.0.0.1:0")
    assert status == 1
    assert "ome: " in out + err
    assert "Traceback" not in err


async def test_a_home_that_is_away_is_told_once_and_quietly() -> None:
    status, out, err = await check("--hass-url", "http://127.0.0.1:9", *NO_PAGE, HASS_TOKEN="secret-token")
    assert status == 1
    assert out.count("127.0.0.1:9") == 1
    assert "not tried, because there is no home" in out
    assert err == ""


async def test_what_a_token_can_not_judge_is_counted() -> None:
    async with FakeHomeAssistant() as hass:
        hass.is_admin = False
        environment = {"HASS_URL": hass.settings.url, "HASS_TOKEN": hass.settings.token}
        status, out, _ = await check(*NO_PAGE, **environment)
        hass.is_admin = True
        _, of_admin, _ = await check(*NO_PAGE, **environment)
    assert status == 0
    assert "in no registry" in out
    assert "use the token of an administrator" in out
    assert "in no registry" not in of_admin


async def test_a_budget_of_nothing_is_told(tmp_path: Path) -> None:
    _, out, _ = await check(
        *NO_PAGE, "--budget-day", "0", "--openai-base-url", "http://127.0.0.1:9/v1", "--data-dir", str(tmp_path)
    )
    assert "never asked" in out
    assert "name a model of your server with --model" in out
