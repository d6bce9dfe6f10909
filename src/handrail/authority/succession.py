"""What goes on at the school that follows one that closed: its children, its people, and what it looks after.

Nothing about a child ends because a school has another number from today: the plans, the medicines, the reminders and
whoever sees to them go with the children. What the old school said for itself stays with it: its policies (the new one
inherits their dates, see policies), its returns and its activity.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from handrail.accounts.models import Membership
from handrail.care.models import SpareKit, StaffTraining
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.earlier import keep_school
from handrail.handovers.homes import open_successors
from handrail.handovers.models import Handover, Setting
from handrail.handovers.places import take_in
from handrail.incidents.models import Incident
from handrail.returns.models import PlannedAction
from handrail.schools.actions import CONTACTS, set_contacts
from handrail.schools.models import Pupil, School


def follower_of(school: School) -> School | None:
    """The one open school of this authority that followed a closed one as the register says; None if not just one."""
    urns = {each.urn for each in open_successors(school.urn)}
    return School.objects.open().filter(urn__in=urns).first() if len(urns) == 1 else None


@transaction.atomic
def carry_conversions(*, at: datetime) -> int:
    """Carry on at the school that it became whatever is still at one that converted. Gives the children carried."""
    converted = School.objects.open().filter(converted_from__closed_on__isnull=False).select_related("converted_from")
    pairs: Any = [(each.converted_from, each) for each in converted]
    return sum(carry_on(old=old, new=new, by=audit.CLOCK, at=at) for old, new in pairs)


@transaction.atomic
def carry_on(*, old: School, new: School, by: audit.Actor, at: datetime) -> int:
    """Let all that goes with the children of a closed school go on at another. Gives the number of children carried.

    A child whom the new school has on its own roll already, by UPN or by name and date of birth, stays where they
    are, with what is known of them: two records of one child are for people to tell apart. A second run changes
    nothing.
    """
    list(School.objects.select_for_update().filter(id__in=[old.id, new.id]).order_by("id"))
    children = list(Pupil.objects.filter(~Exists(_there_already(new)), school=old).select_for_update())
    _people(old, new, by=by, at=at)
    Pupil.objects.filter(id__in=[each.id for each in children]).update(school=new)
    for told in (StaffTraining, PlannedAction):  # evidence as at an earlier day finds them where they were
        keep_school(told.objects.filter(school=old), at=at)
    for kept in (SpareKit, StaffTraining, Incident, PlannedAction):
        kept.objects.filter(school=old).update(school=new)
    Handover.objects.filter(school=old).update(school=new)
    _setting(old, new, at=at)
    audit.record_each(
        "carried a child over from a school that closed",
        [audit.Subject(each.id, new.id, ["school"]) for each in children],
        by=by,
        at=at,
        subject_kind="child",
    )
    return len(children)


def _setting(old: School, new: School, *, at: datetime) -> None:
    """What was confirmed of the old school as a setting, or is at it, goes on at the new one."""
    known = Setting.objects.filter(school=new).first()
    if known:
        Handover.objects.filter(setting__school=old).update(setting=known)
    else:
        Setting.objects.filter(school=old).update(school=new)
    setting = known or Setting.objects.filter(school=new).first()
    if setting:
        take_in(setting, at=at)


def _there_already(new: School) -> QuerySet[Pupil]:
    """Whoever of the new school's roll the child of the query around this is."""
    same = (Q(upn=OuterRef("upn")) & ~Q(upn="")) | Q(name__iexact=OuterRef("name"), born_on=OuterRef("born_on"))
    found: QuerySet[Pupil] = Pupil.objects.filter(same, school=new, left_on=None)
    return found


def _people(old: School, new: School, *, by: audit.Actor, at: datetime) -> None:
    """Everybody's role goes on at the new school from today, and whom to write to, where it has named nobody."""
    today = day_of(at)
    ending = list(Membership.objects.filter(school=old, to_on=None).select_for_update())
    held = set(Membership.objects.filter(school=new, to_on=None).values_list("user_id", "role", "pupil_id"))
    Membership.objects.bulk_create(
        Membership(
            user_id=each.user_id,
            role=each.role,
            school=new,
            pupil_id=each.pupil_id,
            from_on=today,
            invited_at=each.invited_at,
            invited_as=each.invited_as,
        )
        for each in ending
        if (each.user_id, each.role, each.pupil_id) not in held
    )
    for each in ending:
        each.to_on = max(today, each.from_on)
    Membership.objects.save_changed((each, ["to_on"]) for each in ending)
    audit.record_each(
        "carried a role over from a school that closed",
        [audit.Subject(each.user_id, new.id, ["school"]) for each in ending],
        by=by,
        at=at,
        subject_kind="user",
    )
    contacts = {name: getattr(old, name) for name in CONTACTS if getattr(old, name) and not getattr(new, name)}
    set_contacts(school=new, by=by, at=at, **contacts)
