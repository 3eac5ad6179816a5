"""A purse with its ledger in memory."""

from tests.fakes.closing import closed_later
from wyoming_openai.usage.budgets import Budgets, BudgetSettings, Purse
from wyoming_openai.usage.ledger import Ledger
from wyoming_openai.usage.prices import Prices


def purse(settings: BudgetSettings | None = None) -> Purse:
    """That of an agent called House."""
    return Purse(Budgets(closed_later(Ledger(None)), settings), Prices(), "House")
