"""Who must know the plans of the demonstration, what they have read, and the packs. Nobody here is real.

The office manager of the first school has read one plan, has another to read for the first time, and a third again,
because it has been changed since.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core.calendar import day_of
from handrail.packs import actions as packs
from handrail.plans import reading
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.versions import write_emergency
from handrail.schools.models import School

READ, TO_READ, CHANGED = "Anoushka Shah", "Benjamin Cole", "Matilda Hill"
"""The children of the three plans."""

ASSISTANT = "Mo Moran, midday assistant"
ADDED = "Nobody can find the inhaler."


def furnish(school: School, *, by: User, at: datetime) -> None:
    """Ask the office manager and somebody without an account, record what was read, and change a plan since."""
    found = HealthcarePlan.objects.filter(pupil__school=school, stage=Stage.ACTIVE).select_related("pupil")
    plans = {plan.pupil.name: plan for plan in found}
    manager = Membership.objects.get(school=school, role=Role.SCHOOL_ADMINISTRATOR).user.as_at(day_of(at))
    asked_at, read_at = at - timedelta(days=6), at - timedelta(days=5)
    for plan in plans.values():
        reading.choose_readers(plan=plan, people=[manager], names=[ASSISTANT], by=by, at=asked_at)
    for name in (READ, CHANGED):
        newest = plans[name].versions.order_by("-number")[0]
        reading.confirm_read(plan=plans[name], number=newest.number, by=manager, at=read_at)
        reading.record_told(plan=plans[name], reader=plans[name].readers.get(person=None), by=by, at=read_at)
    version = plans[CHANGED].versions.order_by("-number")[0]
    if version.says:
        says = replace(version.says, call_999=(*version.says.call_999, ADDED))
        changed_at = at - timedelta(days=1)
        write_emergency(pupil=plans[CHANGED].pupil, says=says, based_on=version.number, by=by, at=changed_at)


def make_packs(*, at: datetime) -> None:
    """Make each school's pack of emergency pages, as the night does."""
    packs.ask_for_packs(on=day_of(at), at=at)
    while mine := packs.claim(at=at):
        packs.make(mine, at=at)
