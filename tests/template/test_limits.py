"""A template can't hang or bloat the service, nor reach beyond the sandbox."""

import threading
from pathlib import Path

import pytest

from wyoming_openai.hass.home import Config, Home, Registries
from wyoming_openai.template import TemplateError, compile_template, limits, sizes

HOME = Home(Config(), Registries())

TOO_BIG = {
    "text": "{{ 'a' * 10**9 }}",
    "text that is only measured": "{{ ('a' * 10**9) | length }}",
    "number first": "{{ 10**9 * 'ab' }}",
    "list": "{{ [0] * 10**8 }}",
    "range": "{{ range(10**9) | list }}",
    "power": "{{ 7 ** 9999999 }}",
    "printf width": "{{ '%0999999999d' % 1 }}",
    "printf width as a value": "{{ '%*d' % (999999999, 1) }}",
    "printf filter": "{{ '%0999999999d' | format(1) }}",
    "format width": "{{ '{:999999999}'.format(1) }}",
    "format width as a value": "{{ '{:{w}}'.format(1, w='999999999') }}",
    "format map": "{{ '{a:{w}}'.format_map({'a': 1, 'w': 999999999}) }}",
    "format of one thing over and over": "{{ ('{0}' * 9999).format('x' * 99999) }}",
    "center filter": "{{ 'a' | center(10**9) }}",
    "center": "{{ 'a'.center(10**9) }}",
    "ljust": "{{ 'a'.ljust(10**9) }}",
    "zfill applied": "{{ 10**9 | apply('a'.zfill) }}",
    "tabs": "{{ '\\t'.expandtabs(10**9) }}",
    "to_bytes": "{{ (1).to_bytes(10**9, 'big') }}",
    "replace filter": "{{ 'aaa' | replace('', 'b' * 3000000) }}",
    "replace": "{{ 'aaa'.replace('a', 'b' * 3000000) }}",
    "replace in bytes": "{{ 'aaa'.encode().replace('a'.encode(), ('b' * 3000000).encode()) }}",
    "regular expression": "{{ ('a' * 9999) | regex_replace('a', 'b' * 9999) }}",
    "back references": "{{ ('a' * 9999) | regex_replace('(a+)', '\\\\1' * 9999) }}",
    "translate": "{{ ('a' * 9999).translate({97: 'b' * 9999}) }}",
    "join": "{{ (['x' * 99999] * 99) | join('y' * 99999) }}",
    "join of a generator": "{{ range(9999) | map('apply', 'x'.center) | join(',') }}",
    "indent": "{{ ('\\n' * 9999) | indent(9999, true, true) }}",
    "batch": "{{ [1] | batch(10**9, 0) | list }}",
    "slice": "{{ [1] | slice(10**9) | list }}",
    "tojson": "{{ {'a': 1} | tojson(indent=10**9) }}",
    "pack": "{{ pack(1, '999999999xB') }}",
    "lipsum": "{{ lipsum(n=100000) }}",
    "lipsum words": "{{ lipsum(n=1, min=10**9, max=10**9 + 1) }}",
    "round": "{{ 5.5 | round(10**9) }}",
    "doubled text": "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "doubled list": "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "nested list": "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}",
    "nested by zip": (
        "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = zip(ns.x, ns.x) | list %}{% endfor %}"
        "{{ ns.x in {1: 2} }}"
    ),
    "nested by multiplying": "{{ [[[0] * 1000] * 1000] * 1000 == 1 }}",
    "one long text many times": "{{ ['x' * 4000000] * 1000 }}",
    "long texts made of one": "{{ (['x' * 4000000] * 3) | map('upper') | list * 99 }}",
    "macro": "{% macro m() %}{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}{% endmacro %}{{ m() | length }}",
    "block": "{% set x %}{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}{% endset %}{{ x | length }}",
    "recursion": "{% macro r() %}{{ r() }}{% endmacro %}{{ r() }}",
    "recursive loop": "{% for i in range(99999) recursive %}{{ loop(range(99999)) }}{% endfor %}",
    "output": "{{ 'a' * 300000 }}",
    "output of a loop": "{% for i in range(99999) %}{{ i }} {{ i }}{% endfor %}",
}

ENDLESS = {
    "nested loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "branching recursion": (
        "{% macro r(n) %}{% if n %}{{ r(n - 1) }}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(60) }}"
    ),
}

BACKTRACKING = {
    "test": "{{ ('a' * 40 ~ '!') is match('(a+)+$') }}",
    "filter": "{{ ('a' * 40 ~ '!') | regex_replace('(a|a)*$', 'x') }}",
}

HIDDEN = [
    "''.__class__",
    "''['__class__']",
    "'' | attr('__class__')",
    "'{0.__class__}'.format('x')",
    "[].__class__.__mro__",
    "cycler.__init__.__globals__",
    "lipsum.__globals__",
    "range.__self__",
    "now._function",
    "now.__call__.__globals__",
    "states._hass",
    "states.__class__",
    "states.light._domain",
    "states.light.__init__",
    "states.light.kitchen._state",
    "self._TemplateReference__context",
    "self.__init__.__globals__",
    "''.join.__self__",
    "namespace.__init__.__globals__",
    "(1).__class__.__bases__",
    "none.__class__",
    "loop.__class__",
    "as_function.__code__",
    "(range(3) | map('string')).gi_frame",
]

CHANGING = ["[1].append(2)", "{'a': 1}.update({'b': 2})", "set([1]).add(2)", "[1].pop()", "{'a': 1}.clear()"]


@pytest.mark.parametrize("text", TOO_BIG.values(), ids=TOO_BIG.keys())
def test_what_would_grow_too_big_is_refused(text: str) -> None:
    with pytest.raises(TemplateError) as refused:
        compile_template(text).render(HOME)
    assert "Timeout" not in str(refused.value)


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS.keys())
@pytest.mark.parametrize("in_thread", [False, True], ids=["main thread", "other thread"])
def test_what_never_ends_is_stopped_anywhere(text: str, in_thread: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.05)
    failures: list[TemplateError] = []

    def render() -> None:
        with pytest.raises(TemplateError) as stopped:
            compile_template(text).render(HOME)
        failures.append(stopped.value)

    if in_thread:
        thread = threading.Thread(target=render)
        thread.start()
        thread.join()
    else:
        render()
    assert "took longer" in str(failures[0])


@pytest.mark.parametrize("text", BACKTRACKING.values(), ids=BACKTRACKING.keys())
def test_regular_expressions_that_backtrack_without_end_are_stopped(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.05)
    with pytest.raises(TemplateError, match="took longer"):
        compile_template(text).render(HOME)


def test_a_template_that_holds_too_much_memory_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statm = tmp_path / "statm"
    monkeypatch.setattr(sizes, "_STATM", statm)
    pages = iter(range(0, 10**9, 1000))

    def grow() -> str:
        statm.write_text(f"0 {next(pages)} 0")
        return ""

    text = "{% for i in range(9999) %}{{ grow() }}{% set x = 'x' * 4000000 %}{% endfor %}"
    with pytest.raises(TemplateError, match="took more than 256 MB"):
        compile_template(text).render(HOME, {"grow": grow})


@pytest.mark.parametrize("expression", HIDDEN)
def test_what_python_hides_stays_hidden(expression: str) -> None:
    try:
        shown = compile_template("{{ " + expression + " }}").render(HOME)
    except TemplateError:
        return
    assert shown in ("", "None")


@pytest.mark.parametrize("expression", CHANGING)
def test_values_cannot_be_changed(expression: str) -> None:
    with pytest.raises(TemplateError, match="SecurityError"):
        compile_template("{% do " + expression + " %}").render(HOME)


def test_a_list_may_grow_one_by_one() -> None:
    text = "{% set ns = namespace(x=[]) %}{% for i in range(2000) %}{% set ns.x = ns.x + [{'n': i}] %}{% endfor %}"
    assert compile_template(text + "{{ ns.x | length }}").render(HOME) == "2000"


def test_ordinary_widths_and_formats_are_let_through() -> None:
    text = "{{ 'a'.center(5) }}|{{ '%05.1f' % 2.25 }}|{{ '{:>4}'.format(7) }}|{{ '5%' }}|{{ 'a,b'.replace(',', ';') }}"
    assert compile_template(text).render(HOME) == "a  |002.2|   7|5%|a;b"


def test_nesting_too_deep_to_compile_is_an_error_of_the_template() -> None:
    with pytest.raises(TemplateError):
        compile_template("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}")
