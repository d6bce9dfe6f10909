"""Which main conditions active plans are for, in numbers that tell of no child: of the whole authority, by no school.

What a plan is for is sealed. It is opened to be counted, in the authority's own transaction, and only numbers to the
nearest ten are kept of it: from one number nobody can tell 1 to 5 from none, and none of them can be taken from the
exact number of all plans. The clock counts them with the plans (plan_counts.py), and they stand until enough plans have
come or gone, by what is shown of schools and of conditions.

This holds even for somebody who knows of every child whether and where they have a plan. By any one table, each
condition, or some of them together, may be that of five different numbers of children or more. And whoever subtracts
any two tables cannot say of 1 to 5 of the children who came, or of those who left, which conditions are theirs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

from handrail.core.suppression import SMALLEST_SHOWN
from handrail.core.vault import CannotOpen, VaultClosed
from handrail.plans.content import CONDITIONS, condition_of
from handrail.plans.models import HealthcarePlan, PlanVersion, Stage
from handrail.schools.models import Pupil

NOT_SAID = "not_said"

LABELS = {**{str(each): words for each, words in CONDITIONS.items()}, NOT_SAID: "Not said"}
"""Each condition in words, in the order of the tables."""

STEP = 10
BELOW, ABOVE = 5, 4
"""A number that is shown is that many more than the least, and less than the most, that it may stand for."""

Numbers = Mapping[str, int]


def counted(*, on: date, total: int) -> dict[str, int] | None:
    """How many of all `total` active plans are for which condition; None while the vault is closed."""
    there = Pupil.objects.not_left(on=on).filter(school__closed_on=None)
    plans = HealthcarePlan.objects.filter(stage=Stage.ACTIVE, pupil__in=there)
    newest = PlanVersion.objects.filter(plan__in=plans).order_by("plan_id", "-number").distinct("plan_id")
    try:
        found = Counter(condition_of(each.answers) for each in newest.only("sections").iterator())
    except (VaultClosed, CannotOpen):
        return None
    said = {condition: found[condition] for condition in LABELS if condition != NOT_SAID}
    return said | {NOT_SAID: max(total - sum(said.values()), 0)}


def as_may_be_shown(counts: Numbers, by_school: Sequence[int]) -> dict[str, int]:
    """The counts to the nearest ten. Nothing where their total would say more of them, or where all plans but a few
    are those of one school.
    """
    total = sum(counts.values())
    shown = {condition: (count + BELOW) // STEP * STEP for condition, count in counts.items()}
    over = total - sum(_least(each) for each in shown.values())
    under = sum(each + ABOVE for each in shown.values()) - total
    is_elsewhere = total - max(by_school, default=0) >= SMALLEST_SHOWN
    return shown if min(over, under) >= SMALLEST_SHOWN and is_elsewhere else {}


def moved(then: Mapping[str, int | None], now: Mapping[str, int | None]) -> tuple[int, int]:
    """How many plans came and how many went, as the totals of schools show it to everybody, by URN."""
    both = ((before, now.get(urn)) for urn, before in then.items())
    more = [after - before for before, after in both if before is not None and after is not None]
    return sum(each for each in more if each > 0), -sum(each for each in more if each < 0)


def may_follow(then: Numbers, now: Numbers, came: int, went: int) -> bool:
    """Whether one table may be subtracted from another: where numbers are higher, six plans more came than that takes,
    and where they are lower, six more went.
    """
    more = [now[each] - then.get(each, 0) for each in now]
    return all(
        not least or number >= least + SMALLEST_SHOWN
        for least, number in (
            (sum(each - STEP + 1 for each in more if each > 0), came),
            (sum(-each - STEP + 1 for each in more if each < 0), went),
        )
    )


def _least(shown: int) -> int:
    return max(shown - BELOW, 0)
