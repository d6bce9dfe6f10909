"""The handovers of the demonstration: all have joined, and three children go to a hospital school or come back."""

from datetime import datetime, timedelta
from functools import partial

from handrail.accounts.models import User
from handrail.core.audit import CLOCK
from handrail.core.calendar import day_of
from handrail.handovers import actions, admissions, places, post, returning
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover, Setting
from handrail.plans.models import PlanVersion
from handrail.schools.models import Pupil, School
from tenants import exchange
from tenants.database import require_bound

SAID = {
    "sex": "female",
    "address": "1 Invented Lane, Barchester",
    "reason": "physical",
    "fitness": "About two hours a day, sitting up, with a rest between.",
    "medicine": "The ward keeps and gives all medicine. The mother has agreed.",
    "expected": "From next week until about half-term.",
    "informed": "Told the mother on the phone. The child would like to keep up with maths.",
    "safeguarding_lead": "Sam Shaw, 01632 960003",
    "safeguarding": "no",
    "looked_after": "no",
    "restrictions": "Nobody",
    "home_visits": "no",
    "learning": "Fractions, the Romans, and reading every day.",
}


BACK = {
    "report": "Read every day and kept up in maths. Tired after noon.",
    "work": "Fractions to the end of unit 4; the Romans to the end. Science is left.",
    "timetable": "Two mornings in the first week, then five, then whole days.",
    "reviews": "After two weeks, by the school’s lead and the hospital school.",
    "receipts": "Two library books and a laptop, signed for by the mother.",
    "hours": "38.5",
    "D": "22",
    "I": "6",
}


def furnish(
    setting: School | None, child: Pupil | None, *, by: User | None, taught_by: User | None, at: datetime
) -> None:
    """Join the exchange and confirm the hospital school. One child comes back from it, one is on the way to it, and
    one has arrived there unannounced. The clock carries from there what is owed.
    """
    post.join_exchange(by=CLOCK, at=at)
    if setting is None:
        return
    places.confirm_setting(
        school=setting,
        name="",
        kind=Setting.Kind.HOSPITAL,
        ring="The school office",
        telephone="01632 960110",
        by=CLOCK,
        at=at,
    )
    if child is None or by is None:
        return
    others = Pupil.objects.filter(school_id=child.school_id).exclude(id=child.id).order_by("name", "id")
    ready = [each for each in others if PlanVersion.objects.of_child(each).exists()]
    if taught_by and ready:
        _comes_back(setting, ready[0], by=by, taught_by=taught_by, at=at)
    _sent(setting, child, starts_in=5, by=by, at=at)
    if taught_by and len(ready) > 1:
        _arrives(setting, ready[1], by=taught_by, at=at)


def _sent(setting: School, child: Pupil, *, starts_in: int, by: User, at: datetime) -> Handover:
    own = exchange.member(require_bound().code)
    handover = actions.prepare(
        pupil=child,
        to=actions.Destination(
            role=own.role,
            authority=own.name,
            authority_code=own.code,
            setting=setting.name,
            urn=setting.urn,
            is_hospital=True,
        ),
        home_authority=own.code,
        roll=Handover.Roll.GUEST,
        starts_on=day_of(at) + timedelta(days=starts_in),
        is_urgent=True,
        ring=by.name,
        telephone="01632 960111",
        by=by,
        at=at,
    )
    actions.write(handover=handover, said=SAID, by=by, at=at)
    actions.submit(handover=handover, by=by, at=at)
    return handover


def _comes_back(setting: School, child: Pupil, *, by: User, taught_by: User, at: datetime) -> None:
    """A child who has been taught there for some weeks, and whose return pack waits at the home school."""
    began, back = at - timedelta(days=35), at - timedelta(days=2)
    home = _sent(setting, child, starts_in=0, by=by, at=began)
    _carried(at=began)
    theirs = Handover.objects.get(reference=home.reference, side="setting")
    post.open_pack(handover=theirs, by=taught_by, at=began)
    move = partial(actions.make_move, handover=theirs, by=taught_by)
    agreed = {"hours": "10", "base": "The ward", "roll": "guest"}
    move(name="accept", at=began, said=agreed, starts_on=day_of(began))
    actions.read_steps(handover=theirs, by=taught_by, at=began)
    move(name="begin", at=began)
    said = {"plan": "Two mornings first."}
    move(name="plan_return", at=back, said=said, return_from_on=day_of(at) + timedelta(days=5))
    returning.write(handover=theirs, said=BACK, by=taught_by, at=back)
    returning.send(handover=theirs, by=taught_by, at=back)
    _carried(at=back)


def _arrives(setting: School, child: Pupil, *, by: User, at: datetime) -> None:
    own = exchange.member(require_bound().code)
    admissions.admit(
        setting=Setting.objects.select_related("school").get(school=setting),
        name=child.name,
        born_on=child.born_on,
        admitted_on=day_of(at) - timedelta(days=1),
        home=Home(own.code, own.name, own.role, child.school.urn, child.school.name),
        is_urgent=True,
        by=by,
        at=at,
    )


def _carried(*, at: datetime) -> None:
    """What the clock does every few seconds."""
    post.deposit_owed(at=at)
    post.collect(at=at)
