"""Every write about plans."""

from datetime import datetime

from django.db import transaction

from handrail.core import audit
from handrail.plans.emergency import Emergency
from handrail.plans.models import HealthcarePlan, PlanVersion
from handrail.schools.models import Pupil


class ChangedMeanwhile(Exception):
    """Somebody saved a newer version than the one that was being changed. Nothing is written."""

    def __init__(self, newest: PlanVersion) -> None:
        super().__init__("a newer version was saved")
        self.newest = newest


@transaction.atomic
def write_emergency(
    *, pupil: Pupil, says: Emergency, based_on: int, by: audit.Actor, at: datetime
) -> tuple[PlanVersion, bool]:
    """Save what to do in an emergency as the next version of the child's plan; give it with whether it is new.

    `based_on` is the number of the version that was changed, 0 where there was none. Saving the same words again
    makes no version. Raises ChangedMeanwhile when there is a newer one that says something else.
    """
    # Two people saving at once wait for each other here, the first version of a plan included.
    Pupil.objects.select_for_update().get(id=pupil.id)
    newest = PlanVersion.objects.of_child(pupil).first()
    if newest and newest.says == says:
        return newest, False
    if newest and newest.number != based_on:
        raise ChangedMeanwhile(newest)
    plan = newest.plan if newest else HealthcarePlan.objects.get_or_create(pupil=pupil)[0]
    changed = says.changed_from(newest.says if newest else None)
    version = PlanVersion.objects.create(
        plan=plan,
        number=newest.number + 1 if newest else 1,
        made_at=at,
        made_by=by.actor_id,
        made_by_name=by.actor_name,
        changed=changed,
        emergency=says.to_json(),
    )
    audit.record(
        "changed an emergency plan" if newest else "wrote an emergency plan",
        by=by,
        at=at,
        subject_kind="plan",
        subject_id=plan.id,
        school_id=pupil.school_id,
        fields=changed,
    )
    return version, True
