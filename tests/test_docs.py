"""The documents speak of what there is: links lead somewhere, and files, functions, commands and options exist."""

import argparse
import ast
import re
import shlex
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from wyoming_openai.app.command_line import build_parser
from wyoming_openai.settings.reader import read_settings
from wyoming_openai.tools import Tool, builtin_tools

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "wyoming_openai"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"[\w.\-/]+\.(py|md|json|yaml|html|css|js|jinja|cfg|toml)|[\w.\-]+/[\w.\-/]*")
OF_THE_OWNER = {"wyoming.yaml", "options.yaml", "prompts.json", "packaging/hass_token", "packaging/openai_key"}


def id_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


def links(page: Path) -> list[tuple[Path, str]]:
    """The files that a page links to, with the heading in each."""
    found = (link.partition("#") for link in LINK.findall(prose(page)) if not re.match(r"\w+:", link))
    return [((page.parent / unquote(path)).resolve() if path else page, heading) for path, _, heading in found]


@cache
def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=id_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target, heading in links(page):
        assert target.exists(), target
        assert not heading or heading in anchors(target), f"{target}#{heading}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        waiting += [target for target, _ in links(page) if target.suffix == ".md" and target not in reached]
    assert set(PAGES) <= reached


def exists(name: str) -> bool:
    """Whether a file or folder is there, named from the root or from the package."""
    return any((base / name).exists() for base in (ROOT, PACKAGE))


def is_ours(name: str) -> bool:
    """Whether a name can only be that of a file in this repository."""
    if name in OF_THE_OWNER or not FILE.fullmatch(name) or name.startswith(("/", "-", ".venv")):
        return False
    return "/" not in name or exists(name.partition("/")[0])


@pytest.mark.parametrize("page", PAGES, ids=id_of)
def test_files_that_are_named_exist(page: Path) -> None:
    for name in filter(is_ours, CODE.findall(prose(page))):
        assert exists(name), name


@cache
def definitions(path: Path) -> set[str]:
    """The classes, functions and constants of a module, and `Class.member`."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        found |= _names(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{name}" for member in node.body for name in _names(member)}
    return found


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


PACKAGES = re.findall(r"^\| \d \| `(\w+)/` \| (.*) \|$", prose(ROOT / "docs" / "architecture.md"), re.MULTILINE)


@pytest.mark.parametrize(("package", "text"), PACKAGES)
def test_modules_of_a_package_are_there(package: str, text: str) -> None:
    for name in CODE.findall(text):
        assert not name.isidentifier() or (PACKAGE / package / f"{name}.py").exists(), name


WALKS = re.findall(r"^\| `([\w/]+\.py)` \| (`[^|]*`) \|", prose(ROOT / "docs" / "architecture.md"), re.MULTILINE)
"""A file, and functions in it, for each step of the walks."""


def test_the_packages_and_the_walks_are_drawn() -> None:
    assert len(PACKAGES) > 12
    assert len(WALKS) > 25


@pytest.mark.parametrize(("file", "functions"), WALKS)
def test_functions_of_a_walk_are_in_its_file(file: str, functions: str) -> None:
    assert set(CODE.findall(functions)) <= definitions(PACKAGE / file)


@pytest.mark.parametrize("page", PAGES, ids=id_of)
def test_tests_that_are_named_exist(page: Path) -> None:
    for name in CODE.findall(prose(page)):
        if re.fullmatch(r"test_\w+", name):
            assert any(f"def {name}(" in path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))


def commands(page: Path) -> list[list[str]]:
    """Our commands on a page, word by word: in its blocks for the shell, and in the text."""
    lines = [line for text in blocks(page, "sh") for line in text.replace("\\\n", " ").splitlines()]
    words = [shlex.split(line, comments=True) for line in [*lines, *CODE.findall(prose(page))] if _is_command(line)]
    return [each[: each.index(">")] if ">" in each else each for each in words]


def _is_command(line: str) -> bool:
    return re.match(r"(script/|wyoming-openai(\s|$))", line) is not None


@cache
def flags() -> tuple[set[str], dict[str, set[str]]]:
    """The flags of the program, and its subcommands with theirs."""
    parser, _ = build_parser()
    subcommands = next(each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return set(parser._option_string_actions), {
        name: set(each._option_string_actions) for name, each in subcommands.choices.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=id_of)
def test_commands_exist_with_their_subcommands_and_flags(page: Path) -> None:
    top, subcommands = flags()
    for program, *words in commands(page):
        if program != "wyoming-openai":
            assert (ROOT / program).is_file(), program
        if program not in ("wyoming-openai", "script/run"):
            continue
        named = [word for word in words[:1] if not word.startswith(("-", "["))]
        known = subcommands[named[0]] if named else top
        for word in words:
            assert not word.startswith("--") or word.partition("=")[0] in known, [program, *words]


SETTINGS = [
    pytest.param(text, id=f"{id_of(page)}-{number}")
    for page in PAGES
    for number, text in enumerate(blocks(page, "yaml"))
]


@pytest.mark.parametrize("text", SETTINGS)
def test_options_in_examples_are_accepted(text: str, tmp_path: Path) -> None:
    file = tmp_path / "options.yaml"
    file.write_text(text, encoding="utf-8")
    environment = {"HASS_TOKEN": "token"} if "hass-url" in text else {}
    read_settings({"config": str(file), "data_dir": str(tmp_path / "data")}, environment)


@pytest.mark.parametrize("tool", builtin_tools(), ids=lambda tool: tool.spec.name)
def test_every_tool_is_described_with_its_parameters(tool: Tool) -> None:
    table = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8").splitlines()
    row = next((line for line in table if line.startswith(f"| `{tool.spec.name}`")), "")
    assert row, tool.spec.name
    assert tool.spec.parameters["properties"].keys() <= set(CODE.findall(row))
