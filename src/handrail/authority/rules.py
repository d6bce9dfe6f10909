"""The rules as we print them. What is printed is worked out by the rules themselves, never written beside them."""

from dataclasses import dataclass
from datetime import date, timedelta

from handrail.core.models import AuthoritySettings
from handrail.core.status import Status, status_of
from handrail.schools.duty import BOUND, TYPES, Body


@dataclass(frozen=True)
class Example:
    """What the status of a policy is on a day, and why."""

    why: str
    next_review_on: date | None
    status: Status


def examples(*, on: date, settings: AuthoritySettings) -> list[Example]:
    """Both sides of each border, on the day `on`, with this authority's number of days."""
    days = settings.due_soon_days
    cases: list[tuple[str, date | None, bool]] = [
        (f"The next review is more than {days} days away", on + timedelta(days=days + 1), True),
        (f"The next review is in {days} days", on + timedelta(days=days), True),
        ("The next review is today", on, True),
        ("The next review was due yesterday", on - timedelta(days=1), True),
        ("No review has been recorded", None, True),
        ("The school need not have the policy, with a reason", None, False),
    ]
    return [
        Example(why, due, status_of(due, on=on, due_soon_days=days, is_needed=needed)) for why, due, needed in cases
    ]


@dataclass(frozen=True)
class Duty:
    """A kind of body: whether the law binds it, and which types of the register it stands for."""

    body: Body
    is_bound: bool
    types: list[str]


def duties() -> list[Duty]:
    """Every kind of body in our table, the bound ones first."""
    found = [Duty(body, body in BOUND, [name for name, its in TYPES.values() if its == body]) for body in Body]
    return sorted(found, key=lambda duty: not duty.is_bound)
