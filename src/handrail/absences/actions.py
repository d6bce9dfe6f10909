"""What schools write about children whom illness keeps away: returns, nothing to report, and codes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from handrail.absences.counting import standings
from handrail.absences.daycount import CODES, Session, Slot
from handrail.absences.models import AttendanceMark, Case, NilReturn, SicknessReturn
from handrail.absences.periods import Period
from handrail.absences.section19 import Stage, Standing
from handrail.core import audit
from handrail.core.calendar import beginning_of, day_of
from handrail.core.jinja import long_date
from handrail.schools.actions import change_pupil
from handrail.schools.models import Pupil, School
from handrail.schools.terms import school_year_of

MOST_DAYS_AHEAD = 120
"""A stay in hospital that is planned may be reported before it begins."""
MOST_DAYS_BACK = 400
OF_THE_LAW = frozenset({"last_on", "until_am", "lives_in", "likely_on", "address"})
"""What the law asks of a return, as far as it can change. It goes on to the authority where the child lives."""


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person, and `field` what it is about."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotOnRoll(Refused):
    """The child is not at the school."""


class WhereUnknown(Refused):
    """Nobody has said in which authority the child lives."""


class ImpossibleDays(Refused):
    """No absence can have these days."""


class ReportedAlready(Refused):
    """Another return is about these days."""


class SomethingToReport(Refused):
    """A school that has reported a child cannot say that there is nothing."""


@transaction.atomic
def make_return(
    *,
    pupil: Pupil,
    first_on: date,
    is_likely: bool,
    says: Mapping[str, Any],
    by: audit.Actor,
    at: datetime,
    last_on: date | None = None,
    from_pm: bool = False,
    until_am: bool = False,
    lives_in: str = "",
) -> SicknessReturn:
    """Tell the authority of one absence: once for days on end, and again only for others.

    `is_likely`: whether 15 school days are likely to be lost. `lives_in`: where the child lives, by the authority's
    code; left empty, as it was said of the child before. Raises NotOnRoll, WhereUnknown, ImpossibleDays,
    ReportedAlready.
    """
    on = day_of(at)
    pupil = Pupil.objects.select_for_update(of=("self",)).get(id=pupil.id)  # two at once: one after another
    if not pupil.is_on_roll(on):
        raise NotOnRoll("The child is not at the school now")
    check_days(first_on, last_on, on=on)
    others = SicknessReturn.objects.standing().filter(case__pupil=pupil)
    _check_others(others, first_on, last_on)
    lives_in = _lives_in(pupil, lives_in, by=by, at=at)
    case, _ = Case.objects.get_or_create(pupil=pupil, school_year=school_year_of(first_on), defaults={"opened_at": at})
    made = SicknessReturn(
        case=case,
        first_on=first_on,
        from_pm=from_pm,
        last_on=last_on,
        until_am=until_am and last_on is not None,
        likely_on=on if is_likely else None,
        lives_in=lives_in,
        says={name: value for name, value in says.items() if value},
        made_at=at,
        made_by=by.actor_id,
        made_by_name=by.actor_name,
    )
    made.save(force_insert=True)
    _record("made a sickness return", made, [], by=by, at=at)
    return made


@transaction.atomic
def change_return(
    *,
    made: SicknessReturn,
    last_on: date | None,
    until_am: bool,
    is_likely: bool,
    says: Mapping[str, Any],
    by: audit.Actor,
    at: datetime,
    lives_in: str = "",
) -> list[str]:
    """Say more of an absence that was reported: when it ended, whether it will be long. Gives what changed, by name.

    When the school first said that 15 days are likely stays, as long as it says so; and where the child lives, unless
    `lives_in` is given. Raises WhereUnknown, ImpossibleDays, ReportedAlready.
    """
    on = day_of(at)
    made = SicknessReturn.objects.select_for_update(of=("self",)).select_related("case__pupil").get(id=made.id)
    before = _clocks_of(made.case.pupil, on=on)
    check_last(made.first_on, last_on, on=on)
    others = SicknessReturn.objects.standing().filter(case__pupil=made.case.pupil).exclude(id=made.id)
    _check_others(others, made.first_on, last_on)
    wanted: dict[str, Any] = {
        "last_on": last_on,
        "until_am": until_am and last_on is not None,
        "lives_in": _lives_in(made.case.pupil, lives_in or made.lives_in, by=by, at=at),
        "likely_on": (made.likely_on or on) if is_likely else None,
        "says": {name: value for name, value in says.items() if value},
    }
    changed = [name for name, value in wanted.items() if getattr(made, name) != value]
    has_moved = made.says.get("address") != wanted["says"].get("address")
    if OF_THE_LAW & {*changed, *(["address"] if has_moved else [])}:
        made.edition += 1
    for name in changed:
        setattr(made, name, wanted[name])
    if changed:
        made.save(update_fields=[*changed, "edition"])
        _keep_clocks(made.case.pupil, before, on=on)
        _record("changed a sickness return", made, changed, by=by, at=at)
    return changed


@transaction.atomic
def report(
    *, pupil: Pupil, first_on: date, from_pm: bool, by: audit.Actor, at: datetime, **said: Any
) -> tuple[SicknessReturn, str]:
    """Make a return, or change the one that begins on the same day, as a program does that sends all it knows again.

    Gives it with *made*, *changed* or *unchanged*. Raises what `make_return` and `change_return` do, and ImpossibleDays
    for another half of the first day: that is another absence.
    """
    Pupil.objects.select_for_update(of=("self",)).get(id=pupil.id)  # two at once: the second finds what the first made
    made = SicknessReturn.objects.standing().filter(case__pupil=pupil, first_on=first_on).first()
    if made is None:
        return make_return(pupil=pupil, first_on=first_on, from_pm=from_pm, by=by, at=at, **said), "made"
    if made.from_pm != from_pm:
        raise ImpossibleDays("The return of this day says otherwise. Take it back on its page first", "from_pm")
    return made, "changed" if change_return(made=made, by=by, at=at, **said) else "unchanged"


@transaction.atomic
def withdraw_return(*, made: SicknessReturn, by: audit.Actor, at: datetime) -> bool:
    """Take back a return that was a mistake. It stays on file and counts no more; a clock that it has started runs on,
    until the authority says otherwise. Gives whether it still counted.
    """
    before = _clocks_of(made.case.pupil, on=day_of(at))
    standing = SicknessReturn.objects.standing().filter(id=made.id)
    if not standing.update(withdrawn_at=at, edition=F("edition") + 1):
        return False
    _keep_clocks(made.case.pupil, before, on=day_of(at))
    _record("took back a sickness return", made, ["withdrawn_at"], by=by, at=at)
    return True


@transaction.atomic
def nothing_to_report(*, school: School, period: Period, by: audit.Actor, at: datetime) -> bool:
    """Answer for a period with nothing to report. Gives whether nobody had said so before. Raises SomethingToReport."""
    School.objects.select_for_update().get(id=school.id)
    if returns_of(school, period).exists():
        raise SomethingToReport("Your school has reported a child in this period, so there is something to report")
    if NilReturn.objects.filter(school=school, period_on=period.first_on).exists():
        return False
    made = NilReturn(
        school=school, period_on=period.first_on, made_at=at, made_by=by.actor_id, made_by_name=by.actor_name
    )
    made.save(force_insert=True)
    audit.record(
        "had nothing to report",
        by=by,
        at=at,
        subject_kind="nil_return",
        subject_id=made.id,
        school_id=school.id,
    )
    return True


def _clocks_of(pupil: Pupil, *, on: date) -> list[tuple[Case, Standing]]:
    """Where the child's cases stand: a return may reach into the case of another school year than its own."""
    return standings(Case.objects.filter(pupil=pupil).reported(), on=on)


def _keep_clocks(pupil: Pupil, before: Sequence[tuple[Case, Standing]], *, on: date) -> None:
    """Let each clock of the child that ran run on since the same day, whatever the school says now."""
    now = {case.id: stands.started_on for case, stands in standings(Case.objects.filter(pupil=pupil), on=on)}
    for case, stood in before:
        if stood.needs_somebody and stood.started_on and (now[case.id] or date.max) > stood.started_on:
            Case.objects.filter(id=case.id).update(clock_on=stood.started_on)


def open_this_year(*, at: datetime) -> int:
    """Open the case of this school year for children whose absence goes on from the last, where no clock has started,
    or the authority has said no: any other runs on in its own case. Gives the number.
    """
    on = day_of(at)
    year = school_year_of(on)
    this_year = Case.objects.filter(pupil=OuterRef("pupil"), school_year=year)
    goes_on = SicknessReturn.objects.standing().filter(Q(last_on=None) | Q(last_on__gte=date(year, 9, 1)))
    last_year = Case.objects.filter(~Exists(this_year), id__in=goes_on.values("case"), school_year__lt=year)
    stand = standings(last_year.there(on=on), on=on)
    found = {case.pupil_id for case, now in stand if now.started_on is None or now.stage == Stage.REFUSED}
    Case.objects.bulk_create(
        [Case(pupil_id=pupil_id, school_year=year, opened_at=at) for pupil_id in found], ignore_conflicts=True
    )
    return len(found)


def returns_of(school: School, period: Period) -> Any:
    """The returns that a school made in a period."""
    return SicknessReturn.objects.standing().filter(
        case__pupil__school=school,
        made_at__gte=beginning_of(period.first_on),
        made_at__lt=beginning_of(period.last_on + timedelta(days=1)),
    )


@transaction.atomic
def enter_codes(*, pupil: Pupil, codes: Mapping[Slot, str], by: audit.Actor, at: datetime) -> int:
    """Write what the register says of a child's sessions; a later code takes the place of an earlier one.

    The earlier one is kept, so that a past day counts as it was known then. A clock that ran runs on, as when a return
    is changed. Gives the number of sessions that are different now. Raises ImpossibleDays.
    """
    today = day_of(at)
    check_codes(codes, on=today)
    Pupil.objects.select_for_update(of=("self",)).get(id=pupil.id)
    before = _clocks_of(pupil, on=today)
    standing = AttendanceMark.objects.filter(pupil=pupil).standing()
    known = {Slot(each.on, Session(each.session)): each for each in standing}
    new = {slot: code for slot, code in sorted(codes.items()) if slot not in known or known[slot].code != code}
    standing.filter(id__in=[known[slot].id for slot in new if slot in known]).update(replaced_at=at)
    AttendanceMark.objects.bulk_create(
        AttendanceMark(pupil=pupil, on=on, session=session, code=code, recorded_at=at, recorded_by=by.actor_id)
        for (on, session), code in new.items()
    )
    _keep_clocks(pupil, before, on=today)
    if new:
        audit.record(
            "entered attendance codes",
            by=by,
            at=at,
            subject_kind="child",
            subject_id=pupil.id,
            school_id=pupil.school_id,
            fields=["code"],
        )
    return len(new)


def _lives_in(pupil: Pupil, said: str, *, by: audit.Actor, at: datetime) -> str:
    """Where the child lives, as it is said now and kept with the child, or as it was said before: never as it is
    likely. Raises WhereUnknown.
    """
    if not (said or pupil.lives_in):
        raise WhereUnknown("Say which authority the child lives in: nobody has said it yet", "lives_in")
    if said:
        change_pupil(pupil=pupil, lives_in=said, by=by, at=at)
    return pupil.lives_in


def check_days(first_on: date, last_on: date | None, *, on: date) -> None:
    """Raise ImpossibleDays for days of an absence that cannot be right."""
    if first_on > on + timedelta(days=MOST_DAYS_AHEAD):
        raise ImpossibleDays(f"First day away must be within {MOST_DAYS_AHEAD} days from today", "first_on")
    if first_on < on - timedelta(days=MOST_DAYS_BACK):
        raise ImpossibleDays(f"First day away must be within the last {MOST_DAYS_BACK} days", "first_on")
    check_last(first_on, last_on, on=on)


def check_last(first_on: date, last_on: date | None, *, on: date) -> None:
    """Raise ImpossibleDays for a last day that cannot be right. How long ago the first one was does not matter here."""
    if last_on and last_on < first_on:
        raise ImpossibleDays("Last day away must be on or after the first day", "last_on")
    if last_on and last_on > on + timedelta(days=MOST_DAYS_BACK):
        raise ImpossibleDays(f"Last day away must be within {MOST_DAYS_BACK} days from today", "last_on")


def check_codes(codes: Mapping[Slot, str], *, on: date) -> None:
    """Raise ImpossibleDays for sessions that cannot have a code yet, and ValueError for a code that is none."""
    if any(slot.on > on for slot in codes):
        raise ImpossibleDays("Codes can be entered up to today", "last_on")
    if unknown := set(codes.values()) - set(CODES):
        raise ValueError(f"no such codes: {sorted(unknown)}")


def _check_others(others: Any, first_on: date, last_on: date | None) -> None:
    """Raise ReportedAlready when one of the other returns is about some of these days."""
    until = Q() if last_on is None else Q(first_on__lte=last_on)
    other = others.filter(until & (Q(last_on=None) | Q(last_on__gte=first_on))).order_by("first_on").first()
    if other:
        raise ReportedAlready(
            f"These days are in the return from {long_date(other.first_on)} already. Change that one", "first_on"
        )


def _record(verb: str, made: SicknessReturn, fields: list[str], *, by: audit.Actor, at: datetime) -> None:
    audit.record(
        verb,
        by=by,
        at=at,
        subject_kind="sickness_return",
        subject_id=made.id,
        school_id=made.case.pupil.school_id,
        fields=fields,
    )
