"""A purse with its ledger in memory."""

from wyoming_openai.ledger import Ledger
from wyoming_openai.prices import Prices
from wyoming_openai.usage import Budgets, BudgetSettings, Purse

_LEDGERS: list[Ledger] = []


def purse(settings: BudgetSettings | None = None) -> Purse:
    """That of an agent called House; its ledger is closed at the end of the test."""
    _LEDGERS.append(Ledger(None))
    return Purse(Budgets(_LEDGERS[-1], settings), Prices(), "House")


def close_all() -> None:
    """Close the ledgers of all purses."""
    while _LEDGERS:
        _LEDGERS.pop().close()
