"""The command line: serve (the default), ask, prompt, render, check, usage, snapshot."""

import argparse
import asyncio
import codecs
import contextlib
import difflib
import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from typing import Any, NoReturn

from .. import __version__
from ..settings.options import OPTIONS, SECTIONS, BadSettings, advice, flag, metavar, section, variables
from ..settings.reader import Configuration, as_utf8, read_configuration
from .logs import to_stderr
from .secrecy import hide_secret_flags

DONE, FAILED, WRONG_USAGE = 0, 1, 2

Command = Callable[[Configuration, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit status: 0 done, 1 failed, 2 wrong usage or settings."""
    _use_utf8()
    words = [as_utf8(word) for word in (sys.argv[1:] if arguments is None else arguments)]
    parser, commands = build_parser()
    if problem := unknown_word(words, commands):
        print(problem, file=sys.stderr)
        return WRONG_USAGE
    given = parser.parse_args(_as_help(words))
    flags = {name: getattr(given, name) for name in (*OPTIONS, "config") if hasattr(given, name)}
    if arguments is None:
        hide_secret_flags(flags)
    try:
        configuration = read_configuration(flags)
    except BadSettings as error:
        print(error, file=sys.stderr)
        return WRONG_USAGE
    command: Command = getattr(given, "command", _serve)
    logging.basicConfig(level=_level(configuration, command), handlers=[to_stderr(configuration.settings.secrets)])
    for talkative in ("asyncio", "httpx2", "openai"):  # the SDK logs requests with what people said
        logging.getLogger(talkative).setLevel(logging.WARNING)
    if arguments is None and command is not _serve:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what does not serve has not done its work
    try:
        return command(configuration, given)
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has enough; keep Python from complaining about it at exit
        return FAILED


def _use_utf8() -> None:
    """Read and write UTF-8 where the locale knows only ASCII, as in a container or a cron job."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name == "ascii":
            stream.reconfigure(encoding="utf-8")


def _level(configuration: Configuration, command: Command) -> str:
    """How much is logged: a command that prints something is quiet, unless it was asked to log."""
    if command is not _serve and "log_level" not in configuration.sources():
        return "CRITICAL" if command is _check else "ERROR"
    return configuration.settings.log_level.upper()


SWITCHES = frozenset({"-h", "--help", "--version", "--json", "--jsonl"})
"""Flags without a value."""


def unknown_word(arguments: Sequence[str], commands: Collection[str]) -> str:
    """What is wrong with the first flag or command that does not exist, and what was meant; empty if all do."""
    flags = {*map(flag, OPTIONS), "--config", "--language", "--agent", "--area", *SWITCHES}
    command = ""
    for word in _words(arguments):
        if word.startswith("--") and word not in flags:
            return _unknown("option", word, flags)
        if not word.startswith("-") and not command:
            command = word
            if command not in commands:
                return _unknown("command", word, commands)
    return ""


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """Flags and plain words; the values of flags are left out."""
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            return
        name, has_value, _ = word.partition("=")
        yield name if word.startswith("--") else word
        if word.startswith("--") and not has_value and word not in SWITCHES:
            next(rest, None)


def _unknown(what: str, word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    advice = f"did you mean {close[0]}?" if close else "wyoming-openai --help lists what there is."
    return f"{word}: there is no such {what}; {advice}"


def _as_help(arguments: list[str]) -> list[str]:
    """`help COMMAND` as `COMMAND --help`."""
    return [*arguments[1:2], "--help"] if arguments[:1] == ["help"] else arguments


def build_parser() -> tuple[argparse.ArgumentParser, Collection[str]]:
    """The parser of all commands, and their names; every option may stand before or behind the command's name."""
    parser = argparse.ArgumentParser(
        "wyoming-openai",
        usage="%(prog)s [COMMAND] [OPTION ...]",
        description="A conversation agent for voice-controlled homes. Without a command it serves. "
        "`%(prog)s help COMMAND` explains a command.",
        epilog="Every option can also be set in the environment, by the variable in brackets, and in the file.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"wyoming-openai {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog="wyoming-openai")
    _add_options(parser)

    def add(name: str, command: Command, text: str, words: str = "") -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=text,
            usage=f"%(prog)s {words}[OPTION ...]",
            description=text,
            epilog="`wyoming-openai --help` lists the options that every command takes.",
            allow_abbrev=False,
        )
        added.set_defaults(command=command)
        _add_options(added, listed=False)
        return added

    add("serve", _serve, "Answer Wyoming clients; what happens without a command, too.")
    ask = add("ask", _ask, "Ask one question and print the answer as it comes.", "TEXT ")
    ask.add_argument("text", help="the question")
    _add_turn(ask)
    ask.add_argument("--json", action="store_true", help="print one JSON object with the answer and what it took")
    prompt = add("prompt", _prompt, "Show what the model would be sent for a question.", "TEXT ")
    prompt.add_argument("text", nargs="?", help="the question")
    _add_turn(prompt)
    prompt.add_argument(
        "--jsonl", action="store_true", help="answer JSON requests from the standard input, a line each"
    )
    render = add("render", _render, "Render a Home Assistant template over the home.", "[TEMPLATE] ")
    render.add_argument("template", nargs="?", help="the template, as text or @FILE; the prompt's without one")
    render.add_argument(
        "--jsonl", action="store_true", help="answer JSON requests from the standard input, a line each"
    )
    add("check", _check, "Find out what is wrong with the settings, and what to do about it.")
    add("usage", _usage, "Show what the language model has cost, and what is left of the budget.")
    add("snapshot", _snapshot, "Write the home as JSON to the standard output, for --home.")
    commands.add_parser("help", help="Explain a command, or list them all.", add_help=False)
    return parser, list(commands.choices)


def _add_options(parser: argparse.ArgumentParser, *, listed: bool = True) -> None:
    """The options of the program. A command accepts them, too, but lists its own only."""

    def shown(text: str) -> str:
        return text.replace("%", "%%") if listed else argparse.SUPPRESS

    parser.add_argument(
        "--config",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=shown("A YAML file with options; docs/options.md shows one. [WYOMING_OPENAI_CONFIG]"),
    )
    for each in SECTIONS:
        group = parser.add_argument_group(each.title, each.text) if listed else parser
        for name, field in OPTIONS.items():
            if section(field) == each.title:
                text = shown(f"{field.description} Write {advice(field)}. [{', '.join(variables(name))}]")
                group.add_argument(flag(name), metavar=metavar(field), default=argparse.SUPPRESS, help=text)


def _add_turn(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--language", help="the language of the question, such as en or de; by default the home's")
    parser.add_argument("--agent", help="the name of the agent that answers; by default the first")
    parser.add_argument("--area", help="the area it is asked in: its name, alias or id")


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

    healthy = []

    async def look() -> None:
        healthy.append(await check(configuration.settings))

    return _run(look()) or (DONE if healthy[0] else FAILED)


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
