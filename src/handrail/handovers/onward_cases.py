"""The case of a child who lives here and goes to school elsewhere: the duty is this authority's, and so is the clock.

The return that its school's authority sent on becomes one of this authority's own, about a child of its own list.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from django.db import transaction

from handrail.absences import actions as absences
from handrail.absences.models import SicknessReturn
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.handovers.onward_models import OnwardReturn
from handrail.schools.actions import add_pupil, change_pupil
from handrail.schools.models import Pupil
from handrail.schools.own_schools import list_of_elsewhere
from tenants.database import require_bound


def follow(onward: OnwardReturn, *, by: audit.Actor, at: datetime) -> None:
    """Keep what an opened return says as a return of this authority's own, or change or take back the one that an
    earlier edition became. Days that no return can have leave it without a case; where they were another return's of
    the child, they have one as soon as that has others, in whichever order the two are opened. The caller has the
    transaction.
    """
    for each in (onward, *_without_a_case(onward)):
        _follow(each, by=by, at=at)


def _follow(onward: OnwardReturn, *, by: audit.Actor, at: datetime) -> None:
    says: Any = onward.says
    made = SicknessReturn.objects.filter(onward__in=onward.of_the_same()).order_by("-made_at").first()
    if says["takes_back"]:
        if made:
            absences.withdraw_return(made=made, by=by, at=at)
    else:
        with suppress(absences.Refused):
            made = _change(made, says, by=by, at=at) if made and not made.withdrawn_at else _make(says, by=by, at=at)
    onward.returned = made
    onward.save(update_fields=["returned"])


def _without_a_case(onward: OnwardReturn) -> Iterator[OnwardReturn]:
    """What else this sender told of the child that was opened and has no case."""
    opened = OnwardReturn.objects.filter(way=onward.way, other_role=onward.other_role, says__isnull=False)
    for each in opened.filter(returned=None, erased_on=None).exclude(about=onward.about).order_by("owed_at"):
        says: Any = each.says
        if not each.newer and not says["takes_back"] and _who(says) == _who(onward.says):
            yield each


def _who(says: Any) -> tuple[str, str]:
    return says["name"], says["born_on"]


@transaction.atomic
def _make(says: Any, *, by: audit.Actor, at: datetime) -> SicknessReturn:
    made = absences.make_return(
        pupil=_child(says, by=by, at=at),
        first_on=date.fromisoformat(says["first_on"]),
        from_pm=says["from_pm"],
        last_on=_day(says["last_on"]),
        until_am=says["until_am"],
        is_likely=says["is_likely"],
        says={"address": says["address"]},
        lives_in=require_bound().code,
        by=by,
        at=at,
    )
    return _since_it_was_likely(made, says)


def _change(made: SicknessReturn, says: Any, *, by: audit.Actor, at: datetime) -> SicknessReturn:
    born_on = date.fromisoformat(says["born_on"])
    change_pupil(pupil=made.case.pupil, name=says["name"], born_on=born_on, by=by, at=at)
    told = {"last_on": _day(says["last_on"]), "is_likely": says["is_likely"], "says": {"address": says["address"]}}
    absences.change_return(made=made, until_am=says["until_am"], by=by, at=at, **told)
    return _since_it_was_likely(made, says)


def _since_it_was_likely(made: SicknessReturn, says: Any) -> SicknessReturn:
    """That 15 days are likely counts since the school said so, not since somebody here has opened its return."""
    made.refresh_from_db(fields=["likely_on"])
    said_on = _day(says.get("likely_on", ""))
    if made.likely_on and said_on and said_on < made.likely_on:
        made.likely_on = said_on
        made.save(update_fields=["likely_on"])
    return made


def _child(says: Any, *, by: audit.Actor, at: datetime) -> Pupil:
    """The child of the list who has this name and date of birth, or a new one."""
    there, on = list_of_elsewhere(by=by, at=at), day_of(at)
    who = {"name": says["name"], "born_on": date.fromisoformat(says["born_on"])}
    known: Pupil | None = Pupil.objects.filter(school=there, **who).on_roll(on=on).first()
    since = min(on, date.fromisoformat(says["first_on"]))
    return known or add_pupil(school=there, joined_on=since, by=by, at=at, **who)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
