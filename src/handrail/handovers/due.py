"""Which handovers somebody has to be asked about on a day, and since when. Reads only.

Each function gives rows with `due`, the day from which it counts; `round`, so that what is asked anew is a message
anew; and `of_school`, whose people are asked first.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, DateField, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Least, TruncDate

from handrail.absences.reminders import running
from handrail.core import calendar
from handrail.handovers.models import HELD_UP, IS_OVER, Handover, Message, Pack, StepsRead
from handrail.handovers.moves import (
    CORRECTABLE,
    GAP_DAYS,
    LAPSED,
    RETURN_FOLLOWS,
    STILL,
    TAUGHT_UNTIL,
    UPDATED_BY,
    WAITS_FOR,
    Side,
    State,
    school_days_after,
)
from handrail.handovers.reading_models import STEPS_CHANGE
from handrail.plans.models import PlanVersion
from handrail.schools.models import Term
from tenants.database import require_bound

DAYS_AHEAD = 7
"""Before a review or the end of a phased return, so that a meeting can be called."""


def _there(*, on: date) -> Any:
    """Those of children who have not left an open school, and at settings that are open, each with its school."""
    return _of_open_schools().filter(Q(side=Side.SETTING) | Q(pupil__left_on=None) | Q(pupil__left_on__gt=on))


def _of_open_schools() -> Any:
    """Those of open schools and settings, also of children who have left, each with its school."""
    at_home = Q(side=Side.HOME, pupil__school__closed_on=None)
    at_setting = Q(side=Side.SETTING) & (Q(setting__school=None) | Q(setting__school__closed_on=None))
    return _with_school(Handover.objects.filter(at_home | at_setting))


def _with_school(handovers: Any) -> Any:
    home = Coalesce("pupil__school_id", "school_id")  # of a notice whose child nobody has named, the school asked
    school = Case(When(side=Side.HOME, then=home), default=F("setting__school_id"))
    return handovers.annotate(of_school=school)


def _waiting(*, on: date) -> Any:
    """Those of which a move is expected by a day. Each day and state is a round of its own."""
    return _there(on=on).under_way().filter(due_on__isnull=False).annotate(due=F("due_on"), round=_round("due_on"))


def _round(day: str) -> Any:
    return Concat(Cast(day, CharField()), Value(" "), "state")


def waits_for(side: Side) -> Q:
    """The handovers, on either side, that wait for a move of this one."""
    return Q(state__in=[state for state, who in WAITS_FOR.items() if who == side])


MINE = (
    (Q(side=Side.HOME) & waits_for(Side.HOME))
    | (Q(side=Side.SETTING) & waits_for(Side.SETTING))
    | (Q(side=Side.SETTING) & (Q(other_role="") | Q(alone_since__isnull=False)))
)
"""The handovers that wait for the side that has them. A setting must ring a home side without Handrail itself."""
ANSWERS = (State.ADMITTED, State.PACK_ASKED, State.SUBMITTED, State.ACKNOWLEDGED, State.MORE_ASKED)
"""Where a handover waits for an answer, and not for a day of the case."""


def own(*, on: date) -> Any:
    """Those that wait for somebody of this authority."""
    return _waiting(on=on).filter(MINE)


def others(*, on: date) -> Any:
    """Those of the authority's schools that wait for somebody of another."""
    elsewhere = ~Q(other_role=require_bound().schema_name)
    return _waiting(on=on).filter(waits_for(Side.SETTING), elsewhere, side=Side.HOME)


def updates(*, on: date) -> Any:
    """Those of which somebody of this authority has to say how the child gets on."""
    return _updates(on=on).filter(UPDATED_HERE)


def updates_elsewhere(*, on: date) -> Any:
    """Those of the authority's schools of which a setting of another has to."""
    elsewhere = ~Q(other_role=require_bound().schema_name)
    return _updates(on=on).filter(elsewhere, side=Side.HOME, state=State.ACTIVE)


UPDATED_HERE = reduce(or_, (Q(state=state, side=side) for state, side in UPDATED_BY.items()))


def _updates(*, on: date) -> Any:
    """Each day by which an update is due is a round of its own."""
    return _there(on=on).filter(update_on__isnull=False).annotate(due=F("update_on"), round=_round("update_on"))


def still(*, on: date) -> Any:
    """Those of the authority's schools, or of its settings where the other side is not in the exchange, of which
    nothing is late and nothing has been heard since their last move.
    """
    ours = Q(side=Side.HOME) | Q(other_role="") | Q(alone_since__isnull=False)
    found = _there(on=on).filter(ours, state__in=STILL).exclude(due_on__lt=on)
    return found.annotate(due=F("since_on"), round=_round("since_on"))


def with_packs(*, on: date) -> Any:
    """Those that begin by a pack that has come, and that nobody has opened."""
    return _unopened(Side.SETTING, "pack", on=on).filter(state=State.SUBMITTED)


def with_notices(*, on: date) -> Any:
    """Those that a setting began by a notice of an admission, and nobody here has said who the child is."""
    asked = _there(on=on).under_way().filter(side=Side.HOME, pupil=None)
    return asked.annotate(due=F("since_on"), round=Value("notice", output_field=CharField()))


def with_corrections(*, on: date) -> Any:
    """Those whose pack was opened, and a later one has come that nobody has opened."""
    return _unopened(Side.SETTING, "pack", on=on).exclude(state=State.SUBMITTED)


def with_returns(*, on: date) -> Any:
    """Those to which a return pack has come that nobody at the home school has opened."""
    return _unopened(Side.HOME, "back", on=on)


def _unopened(side: Side, kind: str, *, on: date) -> Any:
    """Those to which a pack of this kind has come that nobody has opened. Each pack is a round of its own."""
    waiting = Message.objects.filter(handover=OuterRef("pk"), way="in", kind=kind, done_at=None).order_by("-number")
    can_be = ~IS_OVER | Q(state__in=TAUGHT_UNTIL, since_on__gte=on - RETURN_FOLLOWS) if kind == "back" else ~IS_OVER
    found = _there(on=on).filter(can_be, side=side)
    day = TruncDate("came_at", tzinfo=calendar.LONDON)
    return (
        found.annotate(came_at=Subquery(waiting.values("owed_at")[:1]), pack=Subquery(waiting.values("number")[:1]))
        .filter(came_at__isnull=False)
        .annotate(due=day, round=Concat(Value(f"{kind}-"), Cast("pack", CharField())))
    )


def with_unread_steps(*, on: date) -> Any:
    """Those of children who are taken, or taught, and of whose newest pack nobody at the setting has read the emergency
    steps as they are now. Each pack is a round of its own, and so is each version by which the setting changed them.
    """
    packs = Pack.objects.filter(handover=OuterRef("pk"), is_return=False).order_by("-number")
    newest = {name: Subquery(packs.values(name)[:1]) for name in ("id", "number", "made_at", "version__number")}
    found = _there(on=on).filter(side=Side.SETTING, state__in=TAUGHT)
    found = found.annotate(
        pack=newest["id"], pack_number=newest["number"], made_at=newest["made_at"], came=newest["version__number"]
    )
    own = PlanVersion.objects.filter(
        plan__pupil=OuterRef("pupil"), number__gt=Coalesce(OuterRef("came"), 0), changed__overlap=STEPS_CHANGE
    ).order_by("-number")
    read = StepsRead.objects.of_now().filter(pack=OuterRef("pack"))
    found = found.annotate(own=Subquery(own.values("number")[:1]))
    changed = Concat(Value("."), Cast("own", CharField()))
    version = Case(When(own__isnull=False, then=changed), default=Value(""))
    return found.filter(~Exists(read), pack__isnull=False).annotate(
        due=TruncDate(Coalesce(Subquery(own.values("made_at")[:1]), "made_at"), tzinfo=calendar.LONDON),
        round=Concat(Value("steps-"), Cast("pack_number", CharField()), version),
    )


def with_older_steps(*, on: date) -> Any:
    """Those whose newest pack has older emergency steps or medicines than the child's plan at home, since the plan was
    changed, until a correction has gone.
    """
    packs = Pack.objects.filter(handover=OuterRef("pk"), is_return=False).order_by("-number")
    found = _there(on=on).filter(side=Side.HOME, state__in=CORRECTABLE)
    found = found.annotate(
        sent=Subquery(packs.values("number")[:1]), sent_version=Subquery(packs.values("version__number")[:1])
    )
    newer = PlanVersion.objects.filter(
        plan__pupil=OuterRef("pupil"), number__gt=OuterRef("sent_version"), changed__overlap=STEPS_CHANGE
    )
    since = newer.order_by("number").values(day=TruncDate("made_at", tzinfo=calendar.LONDON))[:1]
    return found.annotate(due=Subquery(since), round=Concat(Value("older-"), Cast("sent", CharField()))).filter(
        due__isnull=False
    )


def with_steps_to_take_over(*, on: date) -> Any:
    """Those from which other emergency steps came back than the school's own, until somebody has compared the two and
    said which stand: a change of the plan alone may be of something else. Each return pack is a round of its own.
    """
    backs = Pack.objects.filter(handover=OuterRef("pk"), is_return=True).order_by("-number")
    found = (
        _there(on=on)
        .filter(side=Side.HOME)
        .annotate(
            **{name: Subquery(backs.values(name)[:1]) for name in ("has_other_steps", "version", "made_at", "number")},
        )
    )
    found = found.filter(has_other_steps=True, version=None)
    day = TruncDate("made_at", tzinfo=calendar.LONDON)
    return found.annotate(due=day, round=Concat(Value("reissue-"), Cast("number", CharField())))


TAUGHT = (State.ACCEPTED, State.ACTIVE, State.RETURN_PLANNED, State.PHASED_RETURN)


def held_up(*, on: date) -> Any:
    """Those of which something cannot be sent to the other side, since it was written: also that a child has left."""
    stuck = Message.objects.filter(HELD_UP, handover=OuterRef("pk")).order_by("number")
    found = _of_open_schools().filter(alone_since=None).annotate(first=Subquery(stuck.values("number")[:1]))
    day = Subquery(stuck.values(day=TruncDate("owed_at", tzinfo=calendar.LONDON))[:1])
    return found.annotate(due=day, round=Concat(Value("held-"), Cast("first", CharField()))).filter(due__isnull=False)


def lapsed(*, on: date) -> Any:
    """Those that were declined or ran out, and nobody has said what happens next or sent the child's pack anew."""
    return _unanswered(LAPSED, on=on)


def passed_on(*, on: date) -> Any:
    """Those from which a child was passed on, and has not been handed over to anybody since."""
    return _unanswered([State.PASSED_ON], on=on)


def _unanswered(states: Collection[State], *, on: date) -> Any:
    """Those that ended so, and nothing followed. That the child left, or the school closed, ends none of them while the
    child's section 19 clock has not been stopped.
    """
    later = Handover.objects.filter(pupil=OuterRef("pupil"), side=Side.HOME, started_at__gt=OuterRef("started_at"))
    sent = later.exclude(state__in=[State.DRAFT, State.WITHDRAWN])
    owed = Exists(running(on=on).filter(pupil=OuterRef("pupil")))
    found = _with_school(Handover.objects.filter(owed | Q(id__in=_there(on=on).values("id"))))
    found = found.filter(side=Side.HOME, state__in=states, follow_up=None)
    return found.filter(~Exists(sent)).annotate(due=F("since_on"), round=_round("since_on"))


def to_answer(school_id: UUID, *, on: date) -> list[date]:
    """By when each handover that waits for a school or setting is to be answered. What has come and is not opened waits
    since it came; a review, a first session or a return does from a week before its day; an update does on its day. A
    child who was passed on waits until the next setting is asked, and what cannot be sent since it was written,
    and so do emergency steps that came back with a child.
    """
    came = Message.objects.filter(handover=OuterRef("pk"), way="in", kind__in=["pack", "back"], done_at=None)
    since = came.order_by("owed_at").values(day=TruncDate("owed_at", tzinfo=calendar.LONDON))[:1]
    far = Q(due_on__gt=on + timedelta(days=DAYS_AHEAD)) & ~Q(state__in=ANSWERS)
    asked = Case(When(MINE & ~far, then=F("due_on")), output_field=DateField())
    told = Case(When(UPDATED_HERE & Q(update_on__lte=on), then=F("update_on")), output_field=DateField())
    nowhere = Q(id__in=passed_on(on=on).values("id"))
    back = Q(id__in=with_steps_to_take_over(on=on).values("id"))
    opened = Pack.objects.filter(handover=OuterRef("pk"), is_return=True).order_by("-number")
    take_over = Case(When(back, then=Subquery(opened.values(day=TruncDate("made_at", tzinfo=calendar.LONDON))[:1])))
    stuck = Q(id__in=held_up(on=on).values("id"))
    under_way = ~IS_OVER & Q(id__in=_there(on=on).values("id"))
    can_be = under_way | Q(id__in=with_returns(on=on).values("id")) | nowhere | stuck | back
    found = _with_school(Handover.objects.filter(can_be)).filter(of_school=school_id)
    unsent = Message.objects.filter(HELD_UP, handover=OuterRef("pk")).order_by("number")
    written = Case(When(stuck, then=Subquery(unsent.values(day=TruncDate("owed_at", tzinfo=calendar.LONDON))[:1])))
    gone = Case(When(nowhere, then=F("since_on")), output_field=DateField())
    rows = found.annotate(waits=Least(asked, told, Subquery(since), written, take_over), gone=gone).values_list(
        "waits", "gone"
    )
    days = [waits for waits, _ in rows if waits]
    if passed := [since_on for waits, since_on in rows if since_on and not waits]:
        terms = Term.objects.calendar()
        days += [school_days_after(since_on, GAP_DAYS, terms) for since_on in passed]
    return days


ASKS: Mapping[str, Callable[..., Any]] = {
    "Send a correction": with_older_steps,
    "Re-issue the plan": with_steps_to_take_over,
    "Open return pack": with_returns,
    "Not arrived": held_up,
    "Hand over to the next setting": passed_on,
}
"""What a handover asks of this side besides its next move, with the rule that says which do."""


def asked_of(school_id: UUID, *, on: date) -> dict[UUID, list[str]]:
    """What the handovers of a school ask of it, by their ids. Those that ask nothing are not there."""
    asks: dict[UUID, list[str]] = {}
    for words, rule in ASKS.items():
        for handover_id in rule(on=on).filter(of_school=school_id).values_list("id", flat=True):
            asks.setdefault(handover_id, []).append(words)
    return asks
