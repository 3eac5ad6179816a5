"""What a model call costs: the owner's prices, else those that `genai-prices` carries, else a careful assumption.

The library brings its table in its wheel and asks no network unless told to; it is loaded when a price is first wanted.
"""

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from functools import lru_cache
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import orjson

from ..messages import Usage

NANO = 10**9
"""Sums of money are whole billionths of a US dollar: they add up exactly, and a token costs a few of them."""

MAX_PRICE = 100_000
"""Dollars for a million tokens; more is a slip of the keyboard."""

FREE_NAMES = ("localhost", "local", "lan", "home", "internal", "localdomain", "home.arpa", "test")
OWN_OPEN_MODELS = re.compile(r"gpt-oss")
"""OpenAI's models that anybody may run at home."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of a model, and where they are from."""

    input: Decimal
    cached: Decimal
    """Input that the provider took from its prompt cache."""
    cache_write: Decimal
    """Input that the provider put into its prompt cache."""
    output: Decimal
    source: str

    def of(self, usage: Usage) -> int:
        """The price of a call in nano-dollars, rounded up."""
        plain = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
        return _nano(
            plain * self.input
            + usage.cached_tokens * self.cached
            + usage.cache_write_tokens * self.cache_write
            + usage.output_tokens * self.output
        )

    def at_most(self, input_tokens: int, output_tokens: int) -> int:
        """The most that a call can cost: nothing comes from the cache, everything goes into it."""
        dearest = max(self.input, self.cached, self.cache_write)
        return _nano(input_tokens * dearest + output_tokens * self.output)


def _nano(millionth_dollars: Decimal) -> int:
    return int((millionth_dollars * 1000).to_integral_value(ROUND_CEILING))


FREE = Price(Decimal(0), Decimal(0), Decimal(0), Decimal(0), "free")
ASSUMED = Price(Decimal(10), Decimal(10), Decimal("12.5"), Decimal(50), "assumed")
"""For a paid model without a known price: those of gpt-6-astra, the dearest but the `pro` models (November 2026)."""
ASSUMED_PRO = Price(Decimal(30), Decimal(30), Decimal("37.5"), Decimal(180), "assumed")
"""Likewise for what is called `pro`: those of gpt-5.5-pro."""


class Prices:
    """Finds the price of a model at a server. The owner's own prices come first."""

    def __init__(self, own: Mapping[str, Price] | None = None) -> None:
        self._own = dict(own or {})

    def of(self, model: str, base_url: str | None = None) -> Price:
        """The price of a model at a server; no base URL is OpenAI itself.

        A model that is sold, but has no known price, is never free: a careful price is assumed. A server that is not
        known to sell anything is free, unless it is a public one and offers a model of OpenAI's.
        """
        return self._own.get(model) or _known(model, base_url or "", datetime.now(UTC).date().isoformat())


@lru_cache(maxsize=64)
def _known(model: str, base_url: str, _day: str) -> Price:
    """Asked again every day: some prices change on an announced one."""
    host = (urlsplit(base_url).hostname or "").lower()
    if not host or host == "openai.com" or host.endswith(".openai.com"):
        return _of_openai(model) or _assumed(model)
    if _at_home(host):
        return FREE
    if _sells(base_url):
        return _listed(model, provider_api_url=base_url) or _assumed(model)
    if OWN_OPEN_MODELS.search(model):
        return FREE
    return _of_openai(model.rpartition("/")[2]) or FREE


def _of_openai(model: str) -> Price | None:
    """Nothing that talks is free there; a listed zero is a model that is sold by the minute or the picture."""
    price = _listed(model, provider_id="openai")
    return price if price and price.output else None


def _assumed(model: str) -> Price:
    return ASSUMED_PRO if re.search(r"-pro\b", model) else ASSUMED


def _at_home(host: str) -> bool:
    """An address that is not of the internet, or a name that only a house knows."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(tuple(f".{name}" for name in FREE_NAMES))


def _sells(base_url: str) -> bool:
    from genai_prices.data_snapshot import get_snapshot

    try:
        get_snapshot().find_provider(None, None, base_url)
    except LookupError:
        return False
    return True


def _listed(model: str, **provider: str) -> Price | None:
    """The list price without the surcharge on very long requests, which starts at 128,000 tokens at the earliest."""
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    def per_million(tokens: Tokens) -> Decimal:
        return calc_price(tokens, model, **provider).total_price * 1000  # type: ignore[call-overload, no-any-return]

    try:
        return Price(
            per_million(Tokens(input_tokens=1000)),
            per_million(Tokens(input_tokens=1000, cache_read_tokens=1000)),
            per_million(Tokens(input_tokens=1000, cache_write_tokens=1000)),
            per_million(Tokens(output_tokens=1000)),
            f"genai-prices {version('genai-prices')}",
        )
    except LookupError:
        return None


def read_prices(value: object) -> dict[str, Price]:
    """The owner's prices: an object, or its JSON text, of prices in US dollars for a million tokens by model.

    Such as `{"my-model": {"input": 0.15, "cached": 0.075, "output": 0.6}}`; without `cached` the cache saves nothing.
    A number stands for all kinds of tokens, so 0 is free. Raises `ValueError`.
    """
    if isinstance(value, str):
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(value)
    if not isinstance(value, Mapping):
        raise ValueError('prices are written as {"MODEL": {"input": 0.15, "output": 0.6}}')
    return {str(model): _own_price(str(model), price) for model, price in value.items()}


def _own_price(model: str, value: Any) -> Price:
    if not isinstance(value, Mapping):
        value = {"input": value, "output": value}
    if unknown := sorted(str(key) for key in value.keys() - {"input", "cached", "output"}):
        raise ValueError(f"{model}: {unknown[0]} is none of input, cached, output")
    if missing := sorted({"input", "output"} - value.keys()):
        raise ValueError(f"{model}: the price of {missing[0]} is missing")
    prices = {str(kind): _dollars(model, dollars) for kind, dollars in value.items()}
    return Price(prices["input"], prices.get("cached", prices["input"]), prices["input"], prices["output"], "the owner")


def _dollars(model: str, value: Any) -> Decimal:
    try:
        dollars = Decimal(str(value))
    except InvalidOperation:
        dollars = Decimal("NaN")
    if isinstance(value, bool) or not dollars.is_finite() or not 0 <= dollars <= MAX_PRICE:
        raise ValueError(f"{model}: {value!r} is no price; write US dollars for a million tokens, such as 0.15")
    return dollars
