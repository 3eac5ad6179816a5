"""What is sent to which server, and what its refusals change."""

from typing import Any

import pytest

from wyoming_openai.llm.client import ModelSettings, first_dialect
from wyoming_openai.llm.dialect import Dialect, learn
from wyoming_openai.llm.errors import Refusal

AZURE = "https://home.openai.azure.com/openai/v1/"
LOCAL = "http://192.168.1.20:11434/v1"


def dialect(base_url: str | None = None, model: str = "gpt-4o", **settings: Any) -> Dialect:
    return first_dialect(
        ModelSettings(
            base_url=base_url, model=model, **{"temperature": 0.5, "top_p": 0.9, "max_tokens": 300, **settings}
        )
    )


@pytest.mark.parametrize(
    ("base_url", "api"),
    [
        (None, "responses"),
        ("https://api.openai.com/v1", "responses"),
        ("https://eu.api.openai.com/v1", "responses"),
        (AZURE, "chat"),
        (LOCAL, "chat"),
        ("https://openrouter.ai/api/v1", "chat"),
        ("https://api.openai.com.example.org/v1", "chat"),
    ],
)
def test_openai_is_asked_through_responses_and_others_through_chat(base_url: str | None, api: str) -> None:
    assert dialect(base_url).api == api
    assert dialect(base_url, api="responses").api == "responses"
    assert dialect(base_url, api="chat").api == "chat"


@pytest.mark.parametrize(
    ("base_url", "api", "model", "name"),
    [
        (None, "responses", "gpt-4o", "max_output_tokens"),
        (None, "chat", "gpt-4o", "max_completion_tokens"),
        (AZURE, "chat", "my-deployment", "max_completion_tokens"),
        (LOCAL, "chat", "llama3.2", "max_tokens"),
        ("https://openrouter.ai/api/v1", "chat", "openai/gpt-5-mini", "max_completion_tokens"),
    ],
)
def test_the_token_limit_has_the_name_that_is_understood(base_url: str | None, api: Any, model: str, name: str) -> None:
    limits = {key: value for key, value in dialect(base_url, model, api=api).options.items() if "tokens" in key}
    assert limits == {name: 300}


def test_responses_never_asks_for_fewer_tokens_than_it_may() -> None:
    assert dialect(max_tokens=5).options["max_output_tokens"] == 16


def test_only_openai_and_azure_know_developers_caches_and_stores() -> None:
    for base_url in (None, AZURE):
        official = dialect(base_url, api="chat")
        assert official.system_role == "developer"
        assert not official.one_system_message
        assert official.options.keys() >= {"store", "prompt_cache_key"}
    other = dialect(LOCAL)
    assert other.system_role == "system"
    assert other.one_system_message
    assert other.options.keys() == {"max_tokens", "temperature", "top_p", "stream_options"}


def test_nothing_is_stored() -> None:
    assert dialect().options["store"] is dialect(api="chat").options["store"] is False
    assert dialect(LOCAL, api="responses").options["store"] is False


def test_a_model_that_reasons_thinks_little_and_hands_its_thoughts_out() -> None:
    options = dialect(model="gpt-5-mini").options
    assert options["reasoning"] == {"effort": "minimal"}
    assert options["include"] == ["reasoning.encrypted_content"]
    assert not options.keys() & {"temperature", "top_p"}
    assert dialect(model="gpt-5-mini", api="chat").options["reasoning_effort"] == "minimal"


def test_the_effort_can_be_chosen() -> None:
    assert dialect(model="gpt-6-luna", reasoning_effort="high").options["reasoning"] == {"effort": "high"}
    assert dialect(LOCAL, "qwen3", reasoning_effort="none").options["reasoning_effort"] == "none"


def test_a_plain_model_is_not_asked_to_reason() -> None:
    assert not dialect(model="gpt-4o").options.keys() & {"reasoning", "include"}


# --- learning


def refuse(message: str = "", param: str = "", status: int = 400) -> Refusal:
    return Refusal(status, message, param=param)


def learnt(before: Dialect, *refusals: Refusal) -> Dialect:
    for refusal in refusals:
        lesson = learn(before, refusal)
        assert lesson is not None
        before = lesson[0]
    return before


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported value: 'temperature' does not support 0.5 with this model. Only 1 is supported.",
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "Unrecognized request argument supplied: temperature",
        "litellm.UnsupportedParamsError: gpt-5 models don't support temperature=0.5. Only temperature=1 is supported.",
        "Additional properties are not allowed ('temperature' was unexpected)",
        "property 'temperature' is unsupported",
    ],
)
def test_an_option_named_in_the_text_goes(message: str) -> None:
    assert "temperature" not in learnt(dialect(), refuse(message)).options


@pytest.mark.parametrize(
    ("before", "param", "option"),
    [
        (dialect(model="gpt-5-mini"), "include[0]", "include"),
        (dialect(model="gpt-5-mini"), "reasoning.effort", "reasoning"),
        (dialect(LOCAL), "stream_options", "stream_options"),
        (dialect(LOCAL), "stream_options.include_usage", "stream_options"),
        (dialect(AZURE), "prompt_cache_key", "prompt_cache_key"),
        (dialect(AZURE), "store", "store"),
    ],
)
def test_an_option_named_as_the_parameter_goes(before: Dialect, param: str, option: str) -> None:
    assert learnt(before, refuse("Unknown parameter.", param)).options == {
        name: value for name, value in before.options.items() if name != option
    }


def test_the_token_limit_changes_its_name_and_then_goes() -> None:
    before = dialect(LOCAL)
    refusal = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    after = learnt(before, refuse(refusal, "max_tokens"))
    assert after.options["max_completion_tokens"] == 300
    assert "max_tokens" not in after.options
    again = learnt(after, refuse("Unknown parameter.", "max_completion_tokens"))
    assert not [name for name in again.options if "tokens" in name]


def test_an_effort_that_is_refused_becomes_the_least_that_is_offered() -> None:
    text = "Unsupported value: 'minimal' is not supported with this model. Supported values are: {}."
    refusals = [
        refuse(text.format("'low', 'medium', and 'high'"), "reasoning.effort"),
        refuse(text.format("'low' and 'medium'").replace("minimal", "low"), "reasoning.effort"),
    ]
    before = dialect(model="gpt-5-mini")
    assert learnt(before, refusals[0]).options["reasoning"] == {"effort": "low"}
    assert learnt(before, *refusals).options["reasoning"] == {"effort": "medium"}


def test_reasoning_that_tools_forbid_is_switched_off() -> None:
    before = dialect("https://gateway.example/v1", "gpt-6.1-terra", reasoning_effort="low")
    text = (
        "Function tools with reasoning_effort are not supported. To use function tools, set reasoning_effort to 'none'."
    )
    assert learnt(before, refuse(text, "reasoning_effort")).options["reasoning_effort"] == "none"


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Unsupported value: 'messages[0].role' does not support 'developer' with this model.", "messages[0].role"),
        ("Unexpected message role.", "messages[0].role"),
        ("Invalid value: 'developer'. Supported values are: 'system', 'assistant', 'user'.", ""),
        (
            "developer is not one of ['system', 'assistant', 'user', 'function'] - 'messages.0.role' is not supported",
            "",
        ),
    ],
)
def test_a_server_that_knows_no_developer_hears_of_the_system(message: str, param: str) -> None:
    before = dialect(AZURE)
    after = learnt(before, refuse(message, param))
    assert after.system_role == "system"
    assert after.options == before.options
    assert learn(after, refuse(message, param)) is None


@pytest.mark.parametrize(
    "message",
    [
        "registry.ollama.ai/library/gemma:2b does not support tools",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "Function calling is not supported: unsupported parameter function_call",
    ],
)
def test_tools_that_are_not_known_are_not_offered(message: str) -> None:
    lesson = learn(dialect(LOCAL), refuse(message))
    assert lesson is not None
    assert not lesson[0].tools
    assert "tools" in lesson[1]


@pytest.mark.parametrize(
    "refusal",
    [
        refuse("This model's maximum context length is 8192 tokens."),
        refuse("Invalid schema for function 'look': 'type' is missing.", "tools[0].function.parameters"),
        refuse("You must not include private data in the store."),
        refuse("Unsupported parameter: 'temperature'", status=500),
        refuse("Unsupported parameter: 'temperature'", status=401),
        refuse("Invalid request."),
        refuse(),
    ],
)
def test_a_refusal_of_something_else_teaches_nothing(refusal: Refusal) -> None:
    assert learn(dialect(), refusal) is None
