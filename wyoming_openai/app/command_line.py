"""The command line: serve (the default), ask, prompt, render, check, usage, snapshot."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NoReturn

from .. import __version__
from ..settings.options import OPTIONS, BadSettings, advice, flag, variables
from ..settings.reader import Configuration, read_configuration
from .logs import to_stderr
from .secrecy import hide_secret_flags

DONE, FAILED, WRONG_USAGE = 0, 1, 2

Command = Callable[[Configuration, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status: 0 done, 1 failed, 2 wrong usage or settings."""
    parser = build_parser()
    given = parser.parse_args(arguments)
    flags = {name: getattr(given, name) for name in (*OPTIONS, "config") if hasattr(given, name)}
    if arguments is None:
        hide_secret_flags(flags)
    try:
        configuration = read_configuration(flags)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return WRONG_USAGE
    logging.basicConfig(
        level=configuration.settings.log_level.upper(), handlers=[to_stderr(configuration.settings.secrets)]
    )
    for talkative in ("asyncio", "httpx2", "openai"):  # the SDK logs requests with what people said
        logging.getLogger(talkative).setLevel(logging.WARNING)
    command: Command = getattr(given, "command", _serve)
    if arguments is None and command is not _serve:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what does not serve has not done its work
    try:
        return command(configuration, given)
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has enough; keep Python from complaining about it at exit
        return FAILED


def build_parser() -> argparse.ArgumentParser:
    """All commands; every option may stand before or behind the command's name."""
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    group = options.add_argument_group("options", "Each can also be set in the environment and in the file.")
    group.add_argument("--config", metavar="FILE", help="A YAML file with options. WYOMING_OPENAI_CONFIG")
    for name, field in OPTIONS.items():
        text = f"{field.description} {advice(field)[0].upper()}{advice(field)[1:]}. {', '.join(variables(name))}"
        group.add_argument(flag(name), metavar=name.rpartition("_")[2].upper(), help=text.replace("%", "%%"))
    parser = argparse.ArgumentParser(
        "wyoming-openai",
        description="A conversation agent for voice-controlled homes.",
        parents=[options],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text, parents=[options], allow_abbrev=False)
        added.set_defaults(command=command)
        return added

    add("serve", _serve, "Answer Wyoming clients; what happens without a command, too.")
    ask = add("ask", _ask, "Ask one question and print the answer as it comes.")
    ask.add_argument("text", help="the question")
    _add_turn(ask)
    ask.add_argument("--json", action="store_true", help="print one JSON object with the answer and what it took")
    prompt = add("prompt", _prompt, "Show what the model would be sent for a question.")
    prompt.add_argument("text", nargs="?", help="the question")
    _add_turn(prompt)
    prompt.add_argument(
        "--jsonl", action="store_true", help="answer JSON requests from the standard input, a line each"
    )
    render = add("render", _render, "Render a Home Assistant template over the home.")
    render.add_argument("template", nargs="?", help="the template, as text or @FILE; the prompt's without one")
    render.add_argument(
        "--jsonl", action="store_true", help="answer JSON requests from the standard input, a line each"
    )
    add("check", _check, "Find out what is wrong with the settings, and what to do about it.")
    add("usage", _usage, "Show what the language model has cost, and what is left of the budget.")
    add("snapshot", _snapshot, "Write the home as JSON to the standard output, for --home.")
    return parser


def _add_turn(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", help="the language of the question, such as en or de; by default the home's")
    parser.add_argument("--agent", help="the name of the agent that answers; by default the first")
    parser.add_argument("--area", help="the room it is asked in: its name, alias or id")


def _serve(configuration: Configuration, given: argparse.Namespace) -> int:
    from .service import serve

    async def serve_and_leave() -> None:
        await serve(configuration)
        _leave(DONE)

    return _run(serve_and_leave())


def _leave(status: int) -> NoReturn:
    """End at once: Python would wait for threads that ask a name server, and take languages apart for seconds."""
    with contextlib.suppress(OSError, ValueError):  # on stdio nobody may read any more
        sys.stdout.flush()
    logging.shutdown()
    os._exit(status)


def _ask(configuration: Configuration, given: argparse.Namespace) -> int:
    from .commands import ask

    return _run(ask(configuration.settings, given.text, given.language, given.area, given.agent, as_json=given.json))


def _prompt(configuration: Configuration, given: argparse.Namespace) -> int:
    from .commands import prompt, prompt_lines

    if given.jsonl:
        return _run(prompt_lines(configuration.settings, sys.stdin, sys.stdout, given.agent))
    if given.text is None:
        print("prompt: a question is needed, or --jsonl", file=sys.stderr)
        return WRONG_USAGE
    return _run(prompt(configuration.settings, given.text, given.language, given.area, given.agent))


def _render(configuration: Configuration, given: argparse.Namespace) -> int:
    from .commands import render, render_lines

    if given.jsonl:
        return _run(render_lines(configuration.settings, sys.stdin, sys.stdout))
    return _run(render(configuration.settings, given.template))


def _check(configuration: Configuration, given: argparse.Namespace) -> int:
    from .doctor import check

    return DONE if asyncio.run(check(configuration.settings)) else FAILED


def _usage(configuration: Configuration, given: argparse.Namespace) -> int:
    from .commands import usage

    usage(configuration.settings)
    return DONE


def _snapshot(configuration: Configuration, given: argparse.Namespace) -> int:
    from .commands import snapshot

    return _run(snapshot(configuration.settings))


def _run(work: Coroutine[Any, Any, None]) -> int:
    """Run a command to its end; a foreseen failure is told in one sentence."""
    from ..hass.connection import HassError
    from ..hass.snapshot import BadSnapshot
    from ..wyoming_server.listener import CannotListen
    from .commands import CannotRun

    try:
        asyncio.run(work)
    except (BadSnapshot, CannotListen) as error:
        print(f"{'home' if isinstance(error, BadSnapshot) else 'uri'}: {error}", file=sys.stderr)
        return FAILED
    except (CannotRun, HassError) as error:
        print(error, file=sys.stderr)
        return FAILED
    return DONE
