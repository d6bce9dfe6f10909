"""The case of a child who lives here and goes to school elsewhere: the duty is this authority's, and so is the clock.

The return that its school's authority sent on becomes one of this authority's own, about a child of its own list.
"""

from contextlib import suppress
from datetime import date, datetime
from typing import Any

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
    earlier edition became. Days that no return can have leave it without a case. The caller has the transaction.
    """
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


def _make(says: Any, *, by: audit.Actor, at: datetime) -> SicknessReturn:
    return absences.make_return(
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


def _change(made: SicknessReturn, says: Any, *, by: audit.Actor, at: datetime) -> SicknessReturn:
    born_on = date.fromisoformat(says["born_on"])
    change_pupil(pupil=made.case.pupil, name=says["name"], born_on=born_on, by=by, at=at)
    told = {"last_on": _day(says["last_on"]), "is_likely": says["is_likely"], "says": {"address": says["address"]}}
    absences.change_return(made=made, until_am=says["until_am"], by=by, at=at, **told)
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
