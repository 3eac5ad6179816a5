"""A purse with its ledger in memory."""

from tests.fakes.closing import closed_later
from wyoming_openai.ledger import Ledger
from wyoming_openai.prices import Prices
from wyoming_openai.usage import Budgets, BudgetSettings, Purse


def purse(settings: BudgetSettings | None = None) -> Purse:
    """That of an agent called House."""
    return Purse(Budgets(closed_later(Ledger(None)), settings), Prices(), "House")
