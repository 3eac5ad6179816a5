"""What is secret does not stand in the process list."""

import asyncio
import sys
from pathlib import Path

import pytest

from wyoming_openai.app.secrecy import without_secrets


@pytest.mark.parametrize("flag", ["--openai-api-key", "--hass-token", "--admin-password"])
def test_secret_flags_are_taken_out_with_their_values(flag: str) -> None:
    line = ["python", "-m", "wyoming_openai", "ask", flag, "secret", "--model", "m", f"{flag}=secret", "What is it?"]
    assert without_secrets(line) == ["python", "-m", "wyoming_openai", "ask", "--model", "m", "What is it?"]


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc here")
async def test_a_running_program_shows_no_secret_and_has_it_all_the_same(tmp_path: Path) -> None:
    secret, socket = "sk-do-not-show-this", tmp_path / "socket"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wyoming_openai", "--openai-api-key", secret, "--uri", f"unix://{socket}",
        "--admin-uri", "off", "--data-dir", str(tmp_path), "--openai-base-url", f"http://me:{secret}@127.0.0.1:9/v1",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    line = (await process.stderr.readline()).decode()
    shown = command_line(process.pid)
    process.terminate()
    rest = (await process.communicate())[1].decode()
    assert "Engine: gpt-" in line, "the key was taken"
    assert str(socket) in shown
    assert secret not in shown + line + rest
