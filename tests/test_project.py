"""The picture in docs/architecture.md stays true: imports point one way, the docs are those of the code."""

import ast
from pathlib import Path

import pytest

from wyoming_openai import __version__
from wyoming_openai.options_page import options_page

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "wyoming_openai"

OUTSIDE = {
    "wyoming": {"framing", "handler"},
    "openai": {"llm"},
    "jinja2": {"admin", "template"},
    "aiohttp": {"hass", "admin"},
    "hassil": {"llm"},
    "pydantic": {"admin", "configuration", "options_page", "settings"},
    "yaml": {"configuration", "saved_options"},
}
"""Each outside library has its few addresses."""

ORDER = [
    {"messages", "tokens"},
    {"hass.home", "hass.snapshot", "sentences", "admission", "framing", "logs", "memory", "speech"},
    {"hass", "template", "llm", "vocabulary", "relevance", "listener"},
    {"context", "tools", "prompt"},
    {"assistant", "handler", "saved_options", "settings"},
    {"configuration"},
    {"server"},
    {"admin"},
    {"service"},
    {"commands"},
    {"check"},
    {"command_line"},
    {"__main__"},
]
"""A module imports from its own row and from those above."""


def imports(path: Path) -> set[str]:
    """Modules that a file imports, those of the package relative to it: "hass.home", "openai"."""
    found = set()
    package = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {".".join((*base, name)) for name in names}
    return found


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def row(module: str) -> int | None:
    """The row of a module, or of its package."""
    for name in (module, module.partition(".")[0]):
        for number, names in enumerate(ORDER):
            if name in names:
                return number
    return None


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_along_the_path(path: Path) -> None:
    own = row(name_of(path))
    for imported in imports(path):
        other = row(imported)
        if own is not None and other is not None and imported.partition(".")[0] != name_of(path).partition(".")[0]:
            assert other <= own, f"{name_of(path)} imports {imported}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_each_library_keeps_to_its_address(path: Path) -> None:
    top = name_of(path).partition(".")[0]
    for library in imports(path) & set(OUTSIDE):
        assert top in OUTSIDE[library], f"{name_of(path)} imports {library}"


def test_the_option_table_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "options.md").read_text(encoding="utf-8") == options_page(), "run script/docs"


def test_the_changelog_has_the_version() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_architecture_names_every_module() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in PACKAGE.glob("*.py"):
        assert path.name in text or path.name == "__init__.py", path.name
