"""The count of `daycount` for many cases at once, in SQL. A test holds the two together."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count as NumberOf
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from handrail.absences.daycount import ILL
from handrail.absences.models import AttendanceMark, Case, CaseEntry, SicknessReturn, first_of
from handrail.absences.section19 import Count, Standing, standing
from handrail.core.calendar import beginning_of
from handrail.core.models import AuthoritySettings
from handrail.schools.models import Pupil, School, Term
from handrail.schools.terms import Calendar, school_year_of
from tenants.database import execute


def counted_codes(settings: AuthoritySettings) -> list[str]:
    """The codes that this authority counts as days lost."""
    return [ILL, *(["M"] if settings.counts_appointments else []), *(["C2"] if settings.counts_part_time else [])]


COUNTED = """
day (on_day, school_year, place) AS (
    SELECT given.on_day, given.school_year, given.place
    FROM unnest(%s::date[], %s::int[]) WITH ORDINALITY given (on_day, school_year, place)),
item (id, pupil_id, school_year) AS ({item}),
said (id, pupil_id, school_year, first_on, last_on, from_pm, until_am, likely_on) AS (
    SELECT item.*, first_on, last_on, from_pm, until_am, likely_on
    FROM item JOIN absences_case other ON other.pupil_id = item.pupil_id
    JOIN absences_sicknessreturn ON case_id = other.id
        AND made_at < %s AND (withdrawn_at IS NULL OR withdrawn_at >= %s)),
lost (id, on_day, session) AS (
    SELECT said.id, day.on_day, half.session
    FROM said JOIN day ON day.school_year = said.school_year AND day.on_day >= first_on
        AND (last_on IS NULL OR day.on_day <= last_on)
    CROSS JOIN (VALUES ('am'), ('pm')) half (session)
    WHERE NOT (from_pm AND day.on_day = first_on AND session = 'am')
        AND NOT (until_am AND day.on_day = last_on AND session = 'pm')
        AND NOT EXISTS (
            SELECT 1 FROM absences_attendancemark mark
            WHERE mark.pupil_id = said.pupil_id AND mark."on" = day.on_day AND mark.session = half.session
                AND mark.recorded_at < %s AND (mark.replaced_at IS NULL OR mark.replaced_at >= %s))
    UNION
    SELECT item.id, mark."on", mark.session
    FROM item JOIN absences_attendancemark mark ON mark.pupil_id = item.pupil_id AND mark.code = ANY(%s)
        AND mark.recorded_at < %s AND (mark.replaced_at IS NULL OR mark.replaced_at >= %s)
    JOIN day ON day.on_day = mark."on" AND day.school_year = item.school_year),
numbered AS (SELECT id, on_day, row_number() OVER (PARTITION BY id ORDER BY on_day, session) AS place FROM lost),
counted (id, sessions, near_on, full_on, likely_on, clock_on) AS (
    SELECT item.id, coalesce(max(place), 0), min(on_day) FILTER (WHERE place >= 2 * %s),
        min(on_day) FILTER (WHERE place >= 2 * %s),
        (SELECT min(likely_on) FROM absences_sicknessreturn r
            WHERE r.case_id = item.id AND made_at < %s AND (withdrawn_at IS NULL OR withdrawn_at >= %s)),
        (SELECT clock_on FROM absences_case of_item WHERE of_item.id = item.id)
    FROM item LEFT JOIN numbered USING (id) GROUP BY item.id)
"""
"""The tables of a statement that counts, for `item`: the cases by id, child and school year. A return that was made,
or a code that was entered, later did not count yet, and one that was taken back, or replaced, later still did.
"""


def counted(
    cases: QuerySet[Case], *, calendar: Calendar, settings: AuthoritySettings, on: date
) -> tuple[str, list[Any]]:
    """COUNTED for these cases as at the end of the day `on`, with its parameters."""
    item, parameters = cases.order_by().values_list("id", "pupil_id", "school_year").query.sql_with_params()
    years = set(cases.order_by().values_list("school_year", flat=True).distinct()) | {school_year_of(on)}
    days, over = school_days(min(years), calendar=calendar, until=on), beginning_of(on + timedelta(days=1))
    return COUNTED.format(item=item), [
        days,
        [school_year_of(day) for day in days],
        *parameters,
        *(over, over, over, over),
        *(counted_codes(settings), over, over),
        settings.absence_near_days,
        settings.absence_trigger_days,
        *(over, over),
    ]


def unreported(school: School, *, on: date) -> QuerySet[Pupil]:
    """Children of a school whose codes alone come near the threshold in the school year of the day `on`, and of whose
    absence no return of that year tells.
    """
    settings, year = AuthoritySettings.load(), school_year_of(on)
    told = SicknessReturn.objects.standing().filter(Q(last_on=None) | Q(last_on__gte=date(year, 9, 1)))
    lost = AttendanceMark.objects.standing().filter(on__range=(date(year, 9, 1), on), code__in=counted_codes(settings))
    near = lost.values("pupil").annotate(sessions=NumberOf("pk")).filter(sessions__gte=2 * settings.absence_near_days)
    there = Pupil.objects.filter(school=school).on_roll(on=on)
    return there.filter(id__in=near.values("pupil")).exclude(id__in=told.values("case__pupil")).order_by("name", "id")


def school_days(first_year: int, *, calendar: Calendar, until: date) -> list[date]:
    """The school days from the beginning of a school year up to a day."""
    first = date(first_year, 9, 1)
    days = (first + timedelta(days=number) for number in range((until - first).days + 1))
    return [day for day in days if calendar.is_school_day(day)]


def counts(cases: QuerySet[Case], *, calendar: Calendar, settings: AuthoritySettings, on: date) -> dict[UUID, Count]:
    """What the count says of each of these cases. Two questions, however many there are."""
    tables, parameters = counted(cases, calendar=calendar, settings=settings, on=on)
    rows = execute(f"WITH {tables} SELECT id, sessions, near_on, full_on, likely_on, clock_on FROM counted", parameters)
    return {row[0]: Count(*row[1:]) for row in rows}


def standings(cases: QuerySet[Case], *, on: date) -> list[tuple[Case, Standing]]:
    """Each of these cases with where it stands at the end of the day `on`, by what had been written in its log. Six
    questions, however many there are.
    """
    settings, calendar = AuthoritySettings.load(), Term.objects.calendar()
    known = counts(cases, calendar=calendar, settings=settings, on=on)
    entries: dict[UUID, list[CaseEntry]] = {}
    written = CaseEntry.objects.filter(made_at__lt=beginning_of(on + timedelta(days=1)))
    for entry in written.filter(case__in=cases.order_by().values("id")).in_order():
        entries.setdefault(entry.case_id, []).append(entry)
    return [
        (case, standing(known[case.id], entries.get(case.id, []), calendar=calendar, settings=settings, on=on))
        for case in cases
    ]


def standing_of(case: Case, *, on: date) -> Standing:
    """Where one case stands on the day `on`."""
    [(_, found)] = standings(Case.objects.filter(id=case.id), on=on)
    return found


def sessions_told(cases: Sequence[UUID], *, on: date) -> dict[UUID, tuple[str, date]]:
    """Of which of these cases a setting tells, in a handover, that it has taught the child in the school year: which
    setting, and on which day first. What was taught before the education stopped counts no more.

    A setting's word stops no clock: the officer writes the session in the log.
    """
    day = "pupil__handovers__first_session_on"
    stopped = CaseEntry.objects.filter(case=OuterRef("pk"), kind=CaseEntry.Kind.ENDED, happened_on__gte=OuterRef(day))
    of_year = Q((f"{day}__gte", first_of(F("school_year"))), (f"{day}__lte", on), pupil__handovers__side="home")
    told = Case.objects.filter(of_year & ~Exists(stopped), id__in=cases).order_by(f"-{day}")
    return {
        case: (setting, first) for case, setting, first in told.values_list("id", "pupil__handovers__setting_name", day)
    }


def days_to_first_lessons(*, since: date, until: date) -> list[int]:
    """For each first session of education recorded from `since` to `until`, how many school days the clock had run."""
    firsts = CaseEntry.objects.filter(
        kind=CaseEntry.Kind.FIRST_SESSION,
        made_at__gte=beginning_of(since),
        made_at__lt=beginning_of(until + timedelta(days=1)),
    )
    cases = Case.objects.filter(id__in=firsts.values("case_id"))
    settings, calendar = AuthoritySettings.load(), Term.objects.calendar()
    known = counts(cases, calendar=calendar, settings=settings, on=until)
    entries = list(CaseEntry.objects.filter(case__in=cases).in_order())
    found = []
    for first in firsts:
        before = [each for each in entries if each.case_id == first.case_id and each.number < first.number]
        then = standing(known[first.case_id], before, calendar=calendar, settings=settings, on=first.happened_on)
        if then.is_running and then.started_on:
            found.append(calendar.school_days_between(then.started_on, first.happened_on).count)
    return found
