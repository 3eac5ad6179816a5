"""Compiling and rendering: lines of errors, who must be asked, what a template uses."""

from datetime import UTC, datetime

import pytest

from wyoming_openai.hass.home import Home
from wyoming_openai.template import NeedsHomeAssistant, Template, TemplateError, UnknownFunction, compile_template

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def failure(text: str, home: Home) -> TemplateError:
    with pytest.raises(TemplateError) as error:
        compile_template(text).render(home)
    return error.value


def test_the_line_of_a_mistake_in_the_language_is_told(home: Home) -> None:
    error = failure("one\ntwo {% if %}\n", home)
    assert error.line == 2
    assert str(error).startswith("TemplateSyntaxError: ")


def test_the_line_of_a_failure_while_rendering_is_told(home: Home) -> None:
    error = failure("one\n{% for i in [1] %}\n{{ i / 0 }}{% endfor %}\nfour", home)
    assert error.line == 3
    assert "ZeroDivisionError" in str(error)


def test_the_line_in_a_macro_is_told(home: Home) -> None:
    assert failure("{% macro m(x) %}\n\n{{ x | float }}{% endmacro %}\n{{ m('y') }}", home).line == 3


def test_errors_of_home_assistant_itself_are_named_like_there(home: Home) -> None:
    assert str(failure("{{ device_attr(none, 'name') }}", home)) == "TemplateError: Must provide a device or entity ID"
    assert str(failure("{{ states.Light }}", home)) == "TemplateError: Invalid domain name 'Light'"


def test_too_much_output_is_told_in_home_assistants_words(home: Home) -> None:
    assert str(failure("{{ 'a' * 262145 }}", home)) == "Template output exceeded maximum size of 262144 characters"


@pytest.mark.parametrize(
    "text",
    [
        "{% import 'tools.jinja' as tools %}{{ tools.x }}",
        "{% from 'tools.jinja' import x %}{{ x }}",
        "{% include 'tools.jinja' %}",
        "{% include 'tools.jinja' ignore missing %}",
        "{% extends 'tools.jinja' %}",
        "{{ state_attr('light.living_lamp', 'color_mode') | typeof }}",
        "{{ states.light.bed_light }}",
        "{{ issues() }}",
        "{{ issues().values() | list | to_json }}",
        "{{ issue('fixture_home', 'low_disk').severity }}",
        "{{ issue('fixture_home', 'low_disk') | to_json }}",
    ],
)
def test_what_the_websocket_does_not_tell_is_asked(text: str, home: Home) -> None:
    assert isinstance(failure(text, home), NeedsHomeAssistant)


@pytest.mark.parametrize(
    "text",
    [
        "{{ extended_openai.exposed_entities() }}",
        "{{ my_function(1) }}",
        "{{ 1 | my_filter }}",
        "{{ [1] | map('my_filter') | list }}",
        "{{ 1 is my_test }}",
    ],
)
def test_functions_of_other_integrations_are_asked(text: str, home: Home) -> None:
    with pytest.raises(UnknownFunction):
        compile_template(text).render(home)


@pytest.mark.parametrize("text", ["{{ nope.state }}", "{% for x in [1] %}{{ x.y() }}{% endfor %}", "{{ given.x() }}"])
def test_an_undefined_variable_is_a_mistake_and_not_asked(text: str, home: Home) -> None:
    with pytest.raises(TemplateError) as error:
        compile_template(text).render(home, {"given": None})
    assert not isinstance(error.value, NeedsHomeAssistant)


def test_names_from_outside_are_known_before_rendering() -> None:
    text = (
        "{% set a = 1 %}{{ a }}{{ user_name }}{% for e in exposed_entities %}{{ e.x | upper }}{% endfor %}{{ now() }}"
    )
    assert compile_template(text).uses == {"user_name", "exposed_entities", "now"}


def test_text_without_marks_is_its_own_answer(home: Home) -> None:
    assert compile_template("  5 \n").render_native(home) == ("5", "5")


def test_a_rendered_number_is_a_number(home: Home) -> None:
    assert compile_template("{{ 5 }}").render_native(home) == (5, "5")


def test_variables_hide_functions(home: Home) -> None:
    assert compile_template("{{ now }}").render(home, {"now": "later"}) == "later"


def test_a_variable_that_is_called_hides_a_function(home: Home) -> None:
    template = compile_template("{{ now() }}")
    assert template.render(home, {"now": lambda: "later"}) == "later"
    assert template.render(home) != "later"


def test_a_macro_hides_a_function(home: Home) -> None:
    assert compile_template("{% macro areas() %}none{% endmacro %}{{ areas() }}").render(home) == "none"


def test_the_clock_stands_still_and_is_the_callers(home: Home) -> None:
    assert compile_template("{{ now() }} {{ utcnow() }}").render(home, now=NOW) == (
        "2026-11-23 19:00:00+01:00 2026-11-23 18:00:00+00:00"
    )


def test_a_template_is_compiled_once() -> None:
    assert compile_template("{{ 1 + 1 }}") is compile_template("{{ 1 + 1 }}")
    assert Template("{{ 1 }}") is not Template("{{ 1 }}")


def test_one_template_serves_several_homes(home: Home) -> None:
    empty = Home(home.config, type(home.registries)())
    template = compile_template("{{ areas() | count }} {{ states | count }}")
    assert template.render(home) != template.render(empty) == "0 0"


def test_registry_updates_are_seen(home: Home) -> None:
    template = compile_template("{{ entity_name('light.living_lamp') }} {{ area_entities('kitchen') | count }}")
    changed = Home(home.config, home.registries)
    before = template.render(changed)
    changed.registries = home.registries.with_entities(
        {"light.living_lamp": {"entity_id": "light.living_lamp", "name": "New", "area_id": "kitchen"}}
    )
    assert before.split()[-1] == str(int(template.render(changed).split()[-1]) - 1)
    assert template.render(changed).startswith("New ")
