"""What a stack file says of its cost."""

from dataclasses import dataclass

from infra.settings.limits import within

# AWS Budgets asks for more than 0, which here says that there is none; the most is ours, and beyond any bill.
LIMIT_USD = range(100_000_001)


@dataclass(frozen=True, kw_only=True)
class BudgetSettings:
    """How much a month may cost, in US dollars as AWS bills; 0 is no budget."""

    monthly_usd: int


def check_budget(budget: BudgetSettings) -> None:
    """A number of dollars."""
    within("budget.monthlyUsd", budget.monthly_usd, LIMIT_USD, noun="{} to {} dollars")
