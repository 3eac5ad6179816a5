"""The picture in docs/architecture.md stays true: imports point one way, the docs are those of the code."""

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.fakes.source import parsed
from wyoming_openai import __version__
from wyoming_openai.settings.docs_table import options_page

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "wyoming_openai"

OUTSIDE = {
    "wyoming": {"wyoming_server"},
    "openai": {"llm"},
    "jinja2": {"admin", "template"},
    "aiohttp": {"hass", "admin"},
    "hassil": {"local_engine"},
    "pydantic": {"admin", "settings"},
    "yaml": {"settings"},
}
"""Each outside library is imported in these packages only."""

LAYERS = [
    {"__init__", "messages", "tokens", "gc_pauses"},
    {"storage", "speech", "hass"},
    {"llm", "wyoming_server", "template"},
    {"usage", "local_engine"},
    {"settings", "context"},
    {"tools"},
    {"conversation"},
    {"admin"},
    {"app"},
    {"__main__"},
]
"""The floors, from the ground up: a package imports from the floors below its own, never from beside or above it."""


@cache
def imports(path: Path) -> frozenset[str]:
    """Modules that a file imports, those of the package relative to it: "hass.home", "openai"."""
    found = set()
    package = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1])
            found |= {imported(base, node.module, alias.name) for alias in node.names}
    return frozenset(found)


def imported(base: str, module: str | None, name: str) -> str:
    """The module that `from base.module import name` loads: `name` itself where that is a module."""
    source = ".".join(part for part in (base, module) if part)
    whole = f"{source}.{name}" if source else name
    if (PACKAGE / (whole.replace(".", "/") + ".py")).exists() or (PACKAGE / whole.replace(".", "/")).is_dir():
        return whole
    return source or "__init__"


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def top(module: str) -> str:
    return module.partition(".")[0]


def floor(package: str) -> int:
    return next((number for number, names in enumerate(LAYERS) if package in names), -1)


OURS = {top(name_of(path)) for path in modules()}


def test_every_package_has_a_floor() -> None:
    assert set.union(*LAYERS) == OURS


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_down(path: Path) -> None:
    own = top(name_of(path))
    for other in {top(module) for module in imports(path)} & OURS - {own}:
        assert floor(other) < floor(own), f"{name_of(path)} imports {other}"


def test_no_modules_import_each_other() -> None:
    graph = {name_of(path): imports(path) - {name_of(path)} for path in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_each_library_keeps_to_its_address(path: Path) -> None:
    for library in imports(path) & set(OUTSIDE):
        assert top(name_of(path)) in OUTSIDE[library], f"{name_of(path)} imports {library}"


def test_the_option_table_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "options.md").read_text(encoding="utf-8") == options_page(), "run script/docs"


def test_the_changelog_has_the_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_architecture_names_every_package_and_module() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in OURS - {"__init__"}:
        assert f"`{package}" in text, package
