"""What a call costs is never guessed too low, and never taken for free by accident."""

from decimal import Decimal

import pytest

from wyoming_openai.llm.models import DEFAULT_MODEL
from wyoming_openai.messages import Usage
from wyoming_openai.usage.prices import ASSUMED, ASSUMED_PRO, FREE, Price, Prices, read_prices

PRICE = Price(Decimal(1), Decimal("0.1"), Decimal("1.25"), Decimal(5), "test")


def test_each_kind_of_token_has_its_price() -> None:
    assert PRICE.of(Usage(input_tokens=1000)) == 1_000_000
    assert PRICE.of(Usage(input_tokens=1000, cached_tokens=1000)) == 100_000
    assert PRICE.of(Usage(input_tokens=1000, cache_write_tokens=1000)) == 1_250_000
    assert PRICE.of(Usage(output_tokens=1000, reasoning_tokens=900)) == 5_000_000
    assert PRICE.of(Usage(1000, 600, 10, 0, 300)) == 100_000 + 60_000 + 375_000 + 50_000


def test_a_fraction_is_rounded_up() -> None:
    assert Price(Decimal("0.0001"), Decimal(0), Decimal(0), Decimal(0), "test").of(Usage(input_tokens=1)) == 1


def test_the_worst_case_is_never_below_what_a_call_costs() -> None:
    worst = PRICE.at_most(1000, 100)
    for cached in range(0, 1001, 100):
        for written in range(0, 1001 - cached, 100):
            assert PRICE.of(Usage(1000, cached, 100, 0, written)) <= worst


def test_more_cached_tokens_than_tokens_cost_no_less_than_nothing() -> None:
    assert PRICE.of(Usage(input_tokens=10, cached_tokens=1000)) == 100_000


def test_the_default_model_has_a_list_price() -> None:
    price = Prices().of(DEFAULT_MODEL)
    assert price.source.startswith("genai-prices ")
    assert 0 < price.cached < price.input < price.output


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-5.4-mini", "gpt-6-sol", "gpt-6-luna-2026-09-22"])
def test_models_of_openai_are_known_also_by_the_day_of_their_snapshot(model: str) -> None:
    assert Prices().of(model).source.startswith("genai-prices ")


@pytest.mark.parametrize("model", ["gpt-99-nova", "ft:gpt-99:me::1", "nonsense", "whisper-1"])
def test_an_unknown_model_of_openai_is_taken_for_a_dear_one(model: str) -> None:
    assert Prices().of(model) == ASSUMED
    assert Prices().of(model, "https://eu.api.openai.com/v1") == ASSUMED


def test_an_unknown_pro_model_is_taken_for_a_very_dear_one() -> None:
    assert Prices().of("gpt-99-pro") == ASSUMED_PRO


@pytest.mark.parametrize("kind", ["input", "cached", "cache_write", "output"])
@pytest.mark.parametrize("model", ["gpt-6-astra", "gpt-6-sol", "gpt-6.1-terra", "gpt-5.5", DEFAULT_MODEL])
def test_what_is_assumed_is_as_dear_as_the_current_models(model: str, kind: str) -> None:
    assert getattr(Prices().of(model), kind) <= getattr(ASSUMED, kind)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8080/v1",
        "http://[::1]:8080/v1",
        "http://192.168.1.20:11434/v1",
        "http://10.0.0.3/v1",
        "http://100.100.3.4:11434/v1",
        "http://localhost:1234/v1",
        "http://ollama:11434/v1",
        "http://server.local:8000/v1",
        "https://llm.home.arpa/v1",
    ],
)
def test_a_server_at_home_is_free(base_url: str) -> None:
    assert Prices().of("gpt-6-luna", base_url) == FREE
    assert Prices().of("llama3.3", base_url) == FREE


def test_a_server_on_the_internet_is_free_unless_it_is_known_to_sell() -> None:
    assert Prices().of("qwen3:8b", "https://llm.example.com/v1") == FREE
    assert Prices().of("gpt-oss:20b", "https://llm.example.com/v1") == FREE
    assert Prices().of("openai/gpt-6-luna", "https://gateway.example.com/v1") == Prices().of("gpt-6-luna")


def test_other_providers_have_their_own_prices() -> None:
    price = Prices().of("llama-3.3-70b-versatile", "https://api.groq.com/openai/v1")
    assert price.source.startswith("genai-prices ")
    assert Prices().of("no-such-model", "https://api.groq.com/openai/v1") == ASSUMED


def test_the_owner_knows_better() -> None:
    own = read_prices('{"gpt-6-luna": {"input": 0.3, "cached": 0.03, "output": 1.5}, "mine": 0, "flat": 2}')
    prices = Prices(own)
    assert prices.of("gpt-6-luna") == Price(
        Decimal("0.3"), Decimal("0.03"), Decimal("0.3"), Decimal("1.5"), "the owner"
    )
    assert prices.of("mine").at_most(1000, 1000) == 0
    assert prices.of("flat", "http://localhost/v1").of(Usage(1000, 1000, 1000)) == 4_000_000


def test_without_a_price_of_its_own_the_cache_saves_nothing() -> None:
    price = read_prices({"m": {"input": 1, "output": 2}})["m"]
    assert price.cached == price.input


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"m": {"input": 1}}, "m: the price of output is missing"),
        ({"m": {"input": 1, "output": 2, "cache": 3}}, "m: cache is none of"),
        ({"m": {"input": -1, "output": 2}}, "m: -1 is no price"),
        ({"m": {"input": "nan", "output": 2}}, "m: 'nan' is no price"),
        ({"m": {"input": "free", "output": 2}}, "m: 'free' is no price"),
        ({"m": {"input": True, "output": 2}}, "m: True is no price"),
        ({"m": None}, "m: None is no price"),
        ({"m": 1e9}, "is no price"),
        ("[]", "prices are written as"),
        ("{", "prices are written as"),
    ],
)
def test_a_wrong_price_is_refused(value: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_prices(value)
