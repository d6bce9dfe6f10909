"""Each authority follows the register of schools, by the clock and by command."""

from dataclasses import dataclass, field
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from handrail.core.audit import CLOCK
from handrail.core.calendar import day_of
from handrail.policies.actions import inherit_history, open_policies
from handrail.schools.actions import Followed, follow_register
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, for_each_authority


@dataclass(frozen=True)
class Brought:
    """What bringing one authority up to date with the register did, in numbers."""

    schools: Followed = field(default_factory=Followed)
    policies_opened: int = 0
    policies_inherited: int = 0


def bring_up_to_date(*, at: datetime) -> Brought:
    """Inside an authority: follow the register, open the policies of new schools, carry history over conversions.

    A second run changes nothing.
    """
    on = day_of(at)
    schools = follow_register(on=on, at=at)
    opened = open_policies(on=on, at=at)
    inherited = sum(
        inherit_history(predecessor=old, successor=new, by=CLOCK, on=on, at=at) for old, new in schools.conversions
    )
    return Brought(schools, opened, inherited)


@shared_task
def follow() -> int:
    """Ring for every authority to follow the register."""
    return for_each_authority(follow_for, at=timezone.now())


@shared_task(base=AuthorityTask)
def follow_for(*, authority: Authority, at: datetime) -> None:
    """Bring one authority up to date with the register."""
    bring_up_to_date(at=at)
