"""Saving what a plan says: each saving is a version, and nobody overwrites what somebody else wrote meanwhile."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.plans import cycle
from handrail.plans.content import BY_NAME
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
    newest = _newest(pupil)
    theirs = newest.says if newest else None
    if newest and theirs == says:
        return newest, False
    if newest and newest.number != based_on and _differs(newest, based_on, says=theirs):
        raise ChangedMeanwhile(newest)
    version = _next_version(pupil, newest, says.changed_from(theirs), by=by, at=at, emergency=says.to_json())
    verb = "changed an emergency plan" if theirs else "wrote an emergency plan"
    _record(verb, version, by=by, at=at)
    return version, True


@transaction.atomic
def write_section(
    *, pupil: Pupil, section: str, answers: Mapping[str, str], based_on: int, by: audit.Actor, at: datetime
) -> tuple[PlanVersion, bool]:
    """Save the answers of one section as the next version of the child's plan; give it with whether it is new.

    As `write_emergency`, but somebody else's newer version stands in the way only where it changed this section.
    """
    newest = _newest(pupil)
    kept = {each.name: answers[each.name] for each in BY_NAME[section].questions if answers.get(each.name)}
    theirs = dict(newest.answers.get(section, {})) if newest else {}
    if newest and theirs == kept:
        return newest, False
    if newest and newest.number != based_on and _differs(newest, based_on, section=section):
        raise ChangedMeanwhile(newest)
    sections = {**newest.answers, section: kept} if newest else {section: kept}
    version = _next_version(pupil, newest, [section], by=by, at=at, sections=sections)
    _record("changed a healthcare plan", version, by=by, at=at)
    return version, True


def _newest(pupil: Pupil) -> PlanVersion | None:
    """The newest version of the child's plan. Two people saving at once wait here, for the first version too."""
    Pupil.objects.select_for_update().get(id=pupil.id)
    newest: PlanVersion | None = PlanVersion.objects.of_child(pupil).select_related("plan").first()
    return newest


def _differs(newest: PlanVersion, based_on: int, *, section: str = "", says: Emergency | None = None) -> bool:
    """Whether a part has changed since the version that somebody began with."""
    begun = newest.plan.versions.filter(number=based_on).first()
    if begun is None:
        return bool(says or newest.answers.get(section))
    return begun.answers.get(section) != newest.answers.get(section) if section else begun.says != says


def _next_version(
    pupil: Pupil, newest: PlanVersion | None, changed: list[str], *, by: audit.Actor, at: datetime, **said: Any
) -> PlanVersion:
    """The parts that are not `said` stay as they were. Where no plan has been asked for, writing begins one."""
    today = day_of(at)
    begun = {"stage_since": today, "notified_on": today, "due_on": cycle.ready_by(today, starts_on=pupil.joined_on)}
    plan = newest.plan if newest else HealthcarePlan.objects.get_or_create(pupil=pupil, defaults=begun)[0]
    kept = {"emergency": newest.emergency if newest else None, "sections": newest.sections if newest else None}
    return PlanVersion.objects.create(
        plan=plan,
        number=newest.number + 1 if newest else 1,
        made_at=at,
        made_by=by.actor_id,
        made_by_name=by.actor_name,
        changed=changed,
        **{**kept, **said},
    )


def _record(verb: str, version: PlanVersion, *, by: audit.Actor, at: datetime) -> None:
    plan = version.plan
    audit.record(
        verb,
        by=by,
        at=at,
        subject_kind="plan",
        subject_id=plan.id,
        school_id=plan.pupil.school_id,
        fields=version.changed,
    )
