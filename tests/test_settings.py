"""Settings come from flags, environment and file, in this order, and are refused with advice."""

from pathlib import Path

import pytest

from wyoming_openai.settings import SECRETS, BadSettings, Settings, advice, flag, read_settings, variables


def refused(flags: dict[str, str], environment: dict[str, str] | None = None) -> str:
    with pytest.raises(BadSettings) as error:
        read_settings(flags, environment or {})
    return str(error.value)


def test_nothing_set_is_a_working_program() -> None:
    settings = read_settings({}, {})
    assert settings.uri == "tcp://0.0.0.0:10800"
    assert not settings.uses_model
    assert settings.control == "off"


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    file = tmp_path / "wyoming.yaml"
    file.write_text("model: from-file\nmax-tokens: 100\ntemperature: 0.1\ncontrol: on\n")
    environment = {
        "WYOMING_OPENAI_CONFIG": str(file),
        "WYOMING_OPENAI_MODEL": "from-env",
        "WYOMING_OPENAI_TOP_P": "0.9",
    }
    settings = read_settings({"model": "from-flag"}, environment)
    assert (settings.model, settings.max_tokens, settings.temperature, settings.top_p, settings.control) == (
        "from-flag",
        100,
        0.1,
        0.9,
        "on",
    )


def test_the_short_and_the_long_variable_both_work_and_the_long_one_wins() -> None:
    assert read_settings({}, {"OPENAI_BASE_URL": "http://a/v1"}).openai_base_url == "http://a/v1"
    both = {"OPENAI_BASE_URL": "http://a/v1", "WYOMING_OPENAI_OPENAI_BASE_URL": "http://b/v1"}
    assert read_settings({}, both).openai_base_url == "http://b/v1"


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("sk-from-a-file\n")
    settings = read_settings({}, {"OPENAI_API_KEY_FILE": str(secret)})
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-from-a-file"


def test_a_missing_secret_file_is_named() -> None:
    assert "OPENAI_API_KEY_FILE" in refused({}, {"OPENAI_API_KEY_FILE": "/does/not/exist"})


def test_an_add_on_finds_home_assistant_by_itself() -> None:
    settings = read_settings({}, {"SUPERVISOR_TOKEN": "tok"})
    assert settings.hass_url == "http://supervisor/core"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uri", "localhost"),
        ("uri", "tcp://localhost"),
        ("uri", "tcp://localhost:99999999"),
        ("uri", "http://localhost:10800"),
        ("hass_url", "homeassistant"),
        ("openai_base_url", "ftp://x/v1"),
        ("api", "completions"),
        ("model", ""),
        ("max_tokens", "many"),
        ("max_tokens", "0"),
        ("temperature", "3"),
        ("temperature", "nan"),
        ("top_p", "-1"),
        ("prompt", "@/does/not/exist"),
        ("home", "/does/not/exist"),
        ("control", "maybe"),
        ("admin_uri", "8099"),
        ("deadline", "0"),
        ("hass_verify_ssl", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_source_and_advice(name: str, value: str) -> None:
    text = refused({name: value})
    assert text.startswith(f"{name}: {value!r} is not accepted")
    assert f"set by {flag(name)}" in text
    assert advice(Settings.model_fields[name]) in text


def test_a_retired_model_is_refused_with_a_successor() -> None:
    assert "text-davinci-003" in refused({"model": "text-davinci-003"})


def test_all_wrong_values_are_told_at_once() -> None:
    assert refused({"temperature": "9", "top_p": "9"}).count("is not accepted") == 2


def test_an_unknown_option_in_the_file_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    file = tmp_path / "wyoming.yaml"
    file.write_text("temprature: 0.3\n")
    assert "did you mean `temperature`?" in refused({"config": str(file)})


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: b: c\n", "just words\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "wyoming.yaml"
    file.write_text(text)
    assert str(file) in refused({"config": str(file)})


def test_secrets_never_show() -> None:
    environment = {"HASS_TOKEN": "secret-token", "HASS_URL": "nonsense", "OPENAI_API_KEY": "secret-key"}
    assert "secret" not in refused({}, environment)
    assert "secret" not in repr(read_settings({}, {"OPENAI_API_KEY": "secret-key"}))


def test_half_a_home_is_refused() -> None:
    assert "HASS_TOKEN" in refused({}, {"HASS_URL": "http://home:8123"})
    assert "HASS_URL" in refused({}, {"HASS_TOKEN": "tok"})


def test_every_option_is_documented_and_says_what_to_write() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert advice(field), name
        assert variables(name), name
    assert set(Settings.model_fields) >= SECRETS
