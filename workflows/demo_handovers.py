"""The handovers of the demonstration: every authority has joined, and one child is on the way to a hospital school."""

from datetime import datetime, timedelta

from handrail.accounts.models import User
from handrail.core.audit import CLOCK
from handrail.core.calendar import day_of
from handrail.handovers import actions, places, post
from handrail.handovers.models import Handover, Setting
from handrail.schools.models import Pupil, School
from tenants import exchange
from tenants.database import require_bound

SAID = {
    "reason": "physical",
    "fitness": "About two hours a day, sitting up, with a rest between.",
    "medicine": "The ward keeps and gives all medicine. The mother has agreed.",
    "expected": "From next week until about half-term.",
    "informed": "Told the mother on the phone. The child would like to keep up with maths.",
    "safeguarding": "no",
    "looked_after": "no",
    "restrictions": "Nobody",
    "home_visits": "no",
    "learning": "Fractions, the Romans, and reading every day.",
}


def furnish(setting: School | None, child: Pupil | None, *, by: User | None, at: datetime) -> None:
    """Join the exchange, confirm the hospital school, and send one pack to it. The clock carries it from there."""
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
        starts_on=day_of(at) + timedelta(days=5),
        is_urgent=True,
        ring=by.name,
        telephone="01632 960111",
        by=by,
        at=at,
    )
    actions.write(handover=handover, said=SAID, by=by, at=at)
    actions.submit(handover=handover, by=by, at=at)
