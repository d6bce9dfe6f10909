"""What schools have answered for a period: children reported, nothing to report, or silence. These differ."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet, TextChoices

from handrail.absences.models import NilReturn, SicknessReturn
from handrail.absences.periods import Period, periods
from handrail.core.calendar import beginning_of
from handrail.core.models import AuthoritySettings
from handrail.schools.models import School, Term

LOOK_BACK = timedelta(days=200)


class Answer(TextChoices):
    REPORTED = "reported", "Children reported"
    NOTHING = "nothing", "Nothing to report"
    WAITING = "waiting", "Not answered yet"
    SILENT = "silent", "Silent"
    NOT_ASKED = "not_asked", "Not asked"


@dataclass(frozen=True)
class Answered:
    """What one school has answered for one period, and how many returns it made in it."""

    school: School
    period: Period
    answer: Answer
    returns: int


def recent_periods(*, on: date) -> list[Period]:
    """The period that is running, or the last one, and those before it: the newest first."""
    settings = AuthoritySettings.load()
    found = periods(settings.return_cadence, calendar=Term.objects.calendar(), since=on - LOOK_BACK, until=on)
    return [each for each in reversed(found) if each.first_on <= on]


def asked(period: Period) -> QuerySet[School]:
    """The schools with the duty that had joined by the end of a period."""
    found: QuerySet[School] = School.objects.open().bound().filter(joined_on__lte=period.last_on)
    return found


def not_asked() -> QuerySet[School]:
    """Those whose kind of setting the authority does not ask. They may report a child, and are never silent."""
    found: QuerySet[School] = School.objects.filter(setting__kind__in=AuthoritySettings.load().settings_not_asked)
    return found


def answers(schools: list[School], period: Period, *, on: date) -> list[Answered]:
    """What each of these schools has answered for a period. None is silent before its end. Four questions."""
    returns = Counter(
        SicknessReturn.objects.standing()
        .filter(
            case__pupil__school__in=schools,
            made_at__gte=beginning_of(period.first_on),
            made_at__lt=beginning_of(period.last_on + timedelta(days=1)),
        )
        .values_list("case__pupil__school_id", flat=True)
    )
    nothing = set(
        NilReturn.objects.filter(school__in=schools, period_on=period.first_on).values_list("school_id", flat=True)
    )
    exempt = set(not_asked().values_list("id", flat=True))
    still_open = on <= period.last_on

    def answer(school: School) -> Answer:
        if returns[school.id]:
            return Answer.REPORTED
        if school.id in nothing:
            return Answer.NOTHING
        if school.id in exempt:
            return Answer.NOT_ASKED
        return Answer.WAITING if still_open else Answer.SILENT

    return [Answered(each, period, answer(each), returns[each.id]) for each in schools]


def answers_of(school: School, *, on: date) -> list[Answered]:
    """What one school has answered, the newest period first, since it joined."""
    since = [each for each in recent_periods(on=on) if each.last_on >= school.joined_on]
    return [answers([school], period, on=on)[0] for period in since]
