"""A budget with its ledger in memory."""

from tests.fakes.closing import closed_later
from wyoming_openai.usage.budgets import AgentBudget, Budgets, BudgetSettings
from wyoming_openai.usage.ledger import Ledger
from wyoming_openai.usage.prices import Prices


def budget(settings: BudgetSettings | None = None) -> AgentBudget:
    """That of an agent called House."""
    return AgentBudget(Budgets(closed_later(Ledger(None)), settings), Prices(), "House")
