"""docs/options.md, written from the options in the code."""

from pydantic.fields import FieldInfo

from .options import OPTIONS, AgentSettings, advice, flag, variables


def options_page() -> str:
    """docs/options.md: the same words as `--help`."""
    rows = [_row(name, field) for name, field in OPTIONS.items()]
    own = ", ".join(f"`{name.replace('_', '-')}`" for name in (*AgentSettings.model_fields, "devices"))
    return "\n".join([_OPTIONS_INTRODUCTION, *rows, "", _AGENTS.replace("OPTIONS", own)])


def _row(name: str, field: FieldInfo) -> str:
    return (
        f"| `{flag(name)}` | {'<br>'.join(f'`{variable}`' for variable in variables(name))} | {_shown_default(field)} "
        f"| {field.description} Write {advice(field)}. |".replace("|off", "\\|off")
    )


def _shown_default(field: FieldInfo) -> str:
    default = field.default
    return "" if default in (None, ()) else f"`{str(default).lower() if isinstance(default, bool) else default}`"


_OPTIONS_INTRODUCTION = """# Options

<!-- Written by script/docs from wyoming_openai/settings/options.py. -->

Every option is a flag, an environment variable and a line in a YAML file (`--config FILE` or
`WYOMING_OPENAI_CONFIG`; the names there are those of the flags without the dashes in front, such as
`max-tokens: 200`). Flags win over the environment, the environment over what was changed on the page, and
that over the file. A secret may also stand in a file of its own, named by the variable that ends in `_FILE`. One that
is given as a flag is taken off the process list at once; in your shell's history it stays.

A wrong value is refused at start, with the name of the option and what to write instead;
`wyoming-openai check` finds what only shows in use.

| flag | environment | default | what it does |
| --- | --- | --- | --- |"""

_AGENTS = """## Several agents

One program can be several agents, each with a name, a prompt, a model and limits of its own. They share the home, the
ledger and the local engine; each has conversations of its own. List them in the file:

```yaml
openai-api-key: sk-...
agents:
  - name: House
    uri: tcp://0.0.0.0:10800
  - name: Super Mario
    persona: super_mario
    uri: tcp://0.0.0.0:10801
    devices: [Hall phone]
```

An agent may set: OPTIONS. What it does not set it takes from the top level of the file, from flags and from the
environment, except `name`, `persona` and, from the second agent on, `uri`. A key goes only to the server it was written
beside: an agent with an `openai-base-url` of its own needs an `openai-api-key` of its own.

Home Assistant takes one program for a port: add the Wyoming integration once for each `uri`. What a bound device
(`devices`) says to the first agent is answered by the agent it is bound to; that one needs no `uri`.
`wyoming-openai ask --agent NAME` and `prompt --agent NAME` try one out.
"""
