"""Whose training counted at the end of a day that may be long past, from what had been recorded by then.

A correction keeps what it corrects (core/earlier.py), but not in what somebody was trained: that is sealed.
"""

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from handrail.care.models import StaffTraining
from handrail.core.calendar import beginning_of
from handrail.core.earlier import CHANGED_SINCE, Past, of_school_then, schools_then
from handrail.core.models import AuditEntry
from handrail.schools.models import School

CALLED = {each.value: str(each.label) for each in StaffTraining.Procedure}


class Trained(NamedTuple):
    """Somebody whose training counted, and what it was in, in words: empty where all schools were asked about."""

    school_id: UUID
    person: str
    procedure: str


class Then(NamedTuple):
    """Those whose training counted, and how many trainings were changed since without that being kept."""

    people: list[Trained]
    not_kept: int


def as_at(school: School | None, *, on: date) -> Then:
    """The trainings that counted at the end of the day `on` and are not for one child alone, at a school or at all.
    Raises VaultClosed for a school.
    """
    until = beginning_of(on + timedelta(days=1))
    later = AuditEntry.objects.filter(subject_kind="training", at__gte=until)
    found = StaffTraining.objects.filter(Q(ended_on=None) | Q(ended_on__gt=on), pupil=None)
    found = found.exclude(id__in=later.filter(verb="recorded a training").values("subject_id"))
    found = of_school_then(found, school.id, at=until) if school else found.defer("procedure", "procedure_note")
    moved = schools_then(at=until)
    changes: dict[UUID, list[tuple[datetime, list[str]]]] = {}
    for change in later.filter(verb="corrected a training"):
        if change.subject_id:
            changes.setdefault(change.subject_id, []).append((change.at, change.fields))
    as_today = found.exclude(id__in=changes).filter(trained_on__lte=on, expires_on__gte=on, is_confirmed=True)
    people = [
        Trained(moved.get(each.id, each.school_id), each.person, CALLED[each.procedure] if school else "")
        for each in as_today
    ]
    past, not_kept = Past(changes, at=until), 0
    for each in found.filter(id__in=changes):
        told = {
            name: past.said(each, name, changed_at=[at for at, fields in changes[each.id] if name in fields])
            for name in (*StaffTraining.TOLD_LATER, *(["procedure"] if school else []))
        }
        procedure = told.pop("procedure", "")
        if CHANGED_SINCE in told.values():
            not_kept += 1
        elif told["trained_on"] <= str(on) <= told["expires_on"] and told["is_confirmed"] == str(True):
            where = moved.get(each.id, each.school_id)
            people.append(Trained(where, told["person"], CALLED.get(procedure, procedure)))
    return Then(people, not_kept)
