"""Settings come from flags, environment and file, in this order, and are refused with advice."""

from pathlib import Path

import pytest

from wyoming_openai.settings.options import PERSONAS, SECRETS, BadSettings, Settings, advice, flag, variables
from wyoming_openai.settings.reader import read_settings


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
    file.write_text("model: from-file\nmax-tokens: 100\ntemperature: 0.1\ncontrol: off\n")
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
        "off",
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


def from_file(tmp_path: Path, text: str, **environment: str) -> Settings:
    file = tmp_path / "wyoming.yaml"
    file.write_text(text)
    return read_settings({"config": str(file)}, environment)


def test_without_agents_the_options_make_one() -> None:
    settings = read_settings({"name": "House"}, {})
    assert settings.all_agents == (settings,)


@pytest.mark.parametrize(
    "agents",
    [
        "agents:\n  - {name: House, temperature: 0.1}\n  - {name: Mario, devices: Hall phone}\n",
        "agents:\n  House: {temperature: 0.1}\n  Mario: {devices: [Hall phone]}\n",
    ],
    ids=["list", "mapping"],
)
def test_agents_take_from_the_top_level_what_they_do_not_set(agents: str, tmp_path: Path) -> None:
    house, mario = from_file(tmp_path, "max-tokens: 99\nuri: tcp://127.0.0.1:7\n" + agents).agents
    assert (house.name, house.uri, house.temperature, house.max_tokens) == ("House", "tcp://127.0.0.1:7", 0.1, 99)
    assert (mario.name, mario.listens, mario.temperature, mario.max_tokens) == ("Mario", False, 0.5, 99)
    assert mario.devices == ("Hall phone",)


def test_a_key_goes_only_to_the_server_it_was_written_beside(tmp_path: Path) -> None:
    text = "agents:\n  - name: A\n  - {name: B, uri: 'tcp://h:1', openai-base-url: 'http://other/v1'}\n"
    first, second = from_file(tmp_path, text, OPENAI_API_KEY="sk-secret").agents
    assert first.openai_api_key is not None
    assert second.openai_api_key is None


def test_a_persona_brings_what_is_not_set(tmp_path: Path) -> None:
    mario = from_file(tmp_path, "persona: super_mario\ntemperature: 0.2\n")
    assert mario.name == "Super Mario"
    assert mario.temperature == 0.2
    assert "plumber" in (mario.prompt or "")


def test_a_persona_of_an_agent_wins_over_the_top_level(tmp_path: Path) -> None:
    text = (
        "temperature: 0.1\nprompt: I am the house.\nagents:\n  - name: House\n  - {persona: super_mario, devices: x}\n"
    )
    house, mario = from_file(tmp_path, text).agents
    assert (house.temperature, house.prompt) == (0.1, "I am the house.")
    assert mario.name == "Super Mario"
    assert mario.temperature == 0.9


NAMES = ", ".join(sorted(path.stem for path in PERSONAS.glob("*.yaml")))


def test_every_persona_works_as_a_file_of_its_own() -> None:
    for path in PERSONAS.glob("*.yaml"):
        assert read_settings({"config": str(path)}, {}).prompt


@pytest.mark.parametrize(
    ("agents", "told"),
    [
        ("[{name: A, temperature: hot}]", "agent A: temperature: 'hot' is not accepted; write a number from 0 to 2"),
        ("[{name: A, temprature: 1}]", "agent A: temprature: there is no such option"),
        ("[{name: A, log-level: debug}]", "agent A: log_level: there is no such option"),
        ("[{name: A, model: text-davinci-003}]", "agent A: model: 'text-davinci-003' is not accepted"),
        ("[{name: A}, {name: B}]", "agent B: uri: is missing; write an address of its own"),
        ("[{name: A}, {name: a, devices: x}]", "agent a: name: 'a' is also that of another agent"),
        ("[{name: A, uri: 'tcp://h:1'}, {name: B, uri: 'tcp://h:1'}]", "agent B: uri: 'tcp://h:1' is also that"),
        ("[{name: A, devices: x}, {name: B, devices: [X]}]", "agent B: devices: 'x' is also that of another"),
        ("[{uri: 'tcp://h:1'}]", "agent number 1: name: is missing"),
        ("[{persona: luigi}]", f"agent number 1: persona: 'luigi' is not accepted; write {NAMES}"),
        ("[{name: A, uri: off}]", "uri: nobody listens"),
        ("some", "agents: is not a list of agents"),
        ("[some]", "agents: is not a list of agents"),
        ("[]", "agents: is not a list of agents"),
    ],
)
def test_what_is_wrong_with_an_agent_is_told_with_its_name_and_advice(agents: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as error:
        from_file(tmp_path, f"agents: {agents}\n")
    assert told in str(error.value)


def test_all_that_is_wrong_with_all_agents_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as error:
        from_file(tmp_path, "agents: [{name: A, top-p: 9}, {name: B, uri: nowhere, deadline: 0}]\n")
    assert len(str(error.value).splitlines()) == 3


def test_nobody_listens_is_refused() -> None:
    assert "nobody listens" in refused({"uri": "off"})


def test_fallbacks_are_read_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wyoming.yaml"
    file.write_text(
        "openai-api-key: sk-first\nfallbacks:\n  - model: second\n  - model: third\n    openai-base-url: http://c/v1\n"
        "    openai-api-key: sk-third\n"
    )
    second, third = read_settings({"config": str(file)}, {}).fallbacks
    assert (second.model, second.openai_base_url, second.openai_api_key) == ("second", None, None)
    assert third.openai_api_key is not None
    assert third.openai_api_key.get_secret_value() == "sk-third"


@pytest.mark.parametrize(
    ("yaml", "words"),
    [
        ("- model: gpt-4", "fallbacks: number 1: model: 'gpt-4' is not accepted; OpenAI shut it down"),
        ("- openai-base-url: http://x/v1", "fallbacks: number 1: model"),
        ("- {model: m, openai-base-url: ftp://x}", "fallbacks: number 1: openai_base_url: 'ftp://x' is not accepted"),
        ("- {model: m, api: soap}", "fallbacks: number 1: api: 'soap'"),
        ("- {model: m, key: sk-secret}", "fallbacks: number 1: key"),
        ("- {model: m, openai-api-key: [sk-secret]}", "fallbacks: number 1: openai_api_key: the value is not accepted"),
        ("sk-secret", "fallbacks: what stands there is not accepted"),
    ],
)
def test_a_wrong_fallback_is_refused_by_its_number_and_shows_no_key(tmp_path: Path, yaml: str, words: str) -> None:
    file = tmp_path / "wyoming.yaml"
    file.write_text(f"fallbacks:\n  {yaml}\n")
    text = refused({"config": str(file)})
    assert words in text
    assert "sk-secret" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hedge_seconds", "0"),
        ("allow", "192.168.1.0/33"),
        ("allow", "my-phone"),
        ("prices", "cheap"),
        ("prices", '{"m": {"input": -1, "output": 1}}'),
        ("questions_per_minute", "0"),
        ("budget_agent_day", "-1"),
        ("admin_password", "short"),
        ("keep_turns_days", "nan"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, value: str) -> None:
    text = refused({name: value})
    assert text.startswith(f"{name}:")
    assert "write" in text
    assert "short" not in text or name != "admin_password"


def test_lists_may_be_written_with_commas() -> None:
    settings = read_settings({"allow": "192.168.1.7/24, 10.0.0.1"}, {"WYOMING_OPENAI_ADMIN_HOSTS": "a.example,"})
    assert settings.allow == ("192.168.1.0/24", "10.0.0.1/32")
    assert settings.admin_hosts == ("a.example",)


def test_a_secret_of_every_place_is_known_to_the_log(tmp_path: Path) -> None:
    file = tmp_path / "wyoming.yaml"
    file.write_text(
        "openai-api-key: top-key\nagents:\n  - name: A\n    openai-api-key: agent-key\n"
        "    fallbacks: [{model: m, openai-api-key: fallback-key}]\n"
    )
    settings = read_settings({"config": str(file), "admin_password": "long enough"}, {})
    assert settings.secrets == {"top-key", "agent-key", "fallback-key", "long enough"}
