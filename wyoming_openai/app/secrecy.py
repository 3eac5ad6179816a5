"""Keeps secrets off the process list."""

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from ..settings.options import ENV_PREFIX, SECRETS, flag, variables

_HAS_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")
"""An address with a password in it."""


def hide_secret_flags(flags: Mapping[str, str]) -> None:
    """Start again with secrets in the environment where the command line shows them: everybody can read that.

    The process keeps its number. Does not come back if there was something to hide. A flag wins over all
    variables of its option: they are taken out.
    """
    shown = {name: value for name, value in flags.items() if name in SECRETS or _HAS_PASSWORD.search(value)}
    if not shown:
        return
    environment = dict(os.environ)
    for name, value in shown.items():
        for variable in variables(name):
            environment.pop(variable, None)
        environment[ENV_PREFIX + name.upper()] = value
    arguments = without_secrets(sys.orig_argv, shown)
    if len(arguments) < len(sys.orig_argv):
        os.execve(sys.executable, arguments, environment)  # noqa: S606 - it is ourselves


def without_secrets(arguments: Sequence[str], shown: Iterable[str] = SECRETS) -> list[str]:
    """A command line without its secret flags and their values."""
    names = {flag(name) for name in shown}
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in names:
            skip = True
        elif argument.partition("=")[0] not in names:
            kept.append(argument)
    return kept
