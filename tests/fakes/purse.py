"""A purse that nothing is taken from: the ledger is in memory, and a model at home costs nothing."""

from wyoming_openai.ledger import Ledger
from wyoming_openai.llm.models import ModelSettings
from wyoming_openai.prices import Prices
from wyoming_openai.usage import Budgets, BudgetSettings, Purse


def purse(settings: BudgetSettings | None = None, base_url: str | None = "http://127.0.0.1/v1") -> Purse:
    """For a model at home; or with a `base_url` of None, for the default model of OpenAI."""
    return Purse(Budgets(Ledger(None), settings), Prices(), ModelSettings(base_url=base_url), "House")
