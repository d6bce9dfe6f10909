"""How many school days illness has kept a child away, from attendance codes and from what a school says. Pure.

A school day is two sessions, a morning and an afternoon; half a day is one of them. Only days on which children are at
school count. The count begins anew on 1 September. It is about dates: no moment and no time zone is in it.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

from handrail.schools.terms import school_year_of

ONE_DAY = timedelta(days=1)


class Session(StrEnum):
    """Half a school day. Their order is that of the day."""

    AM = "am"
    PM = "pm"


class Slot(NamedTuple):
    """One session of one day. Slots sort as they happen."""

    on: date
    session: Session


class Kind(StrEnum):
    """What a code means here: the child is taught, is away, or need not be there."""

    ATTENDS = "attends"
    AWAY = "away"
    NEUTRAL = "neutral"


CODES: dict[str, tuple[Kind, str]] = {
    "/": (Kind.ATTENDS, "Present in the morning"),
    "\\": (Kind.ATTENDS, "Present in the afternoon"),
    "L": (Kind.ATTENDS, "Late, before the register closed"),
    "K": (Kind.ATTENDS, "Taught elsewhere, arranged by the authority"),
    "B": (Kind.ATTENDS, "Taught elsewhere, approved by the school"),
    "V": (Kind.ATTENDS, "On a visit"),
    "P": (Kind.ATTENDS, "At a sporting activity"),
    "W": (Kind.ATTENDS, "At work experience"),
    "D": (Kind.NEUTRAL, "At another school where registered"),
    "I": (Kind.AWAY, "Ill"),
    "M": (Kind.AWAY, "At a medical or dental appointment"),
    "C2": (Kind.AWAY, "On a part-time timetable"),
    "C": (Kind.AWAY, "On leave for an exceptional reason"),
    "C1": (Kind.AWAY, "On leave for a performance or work abroad"),
    "E": (Kind.AWAY, "Suspended or excluded"),
    "J1": (Kind.AWAY, "At an interview"),
    "R": (Kind.AWAY, "Religious observance"),
    "S": (Kind.AWAY, "On study leave"),
    "T": (Kind.AWAY, "Travelling with a Traveller family"),
    "G": (Kind.AWAY, "On holiday without leave"),
    "N": (Kind.AWAY, "No reason given yet"),
    "O": (Kind.AWAY, "Away without leave"),
    "U": (Kind.AWAY, "Late, after the register closed"),
    "X": (Kind.NEUTRAL, "Not of compulsory school age, not required"),
    "Q": (Kind.NEUTRAL, "No transport or access arranged"),
    **{f"Y{number}": (Kind.NEUTRAL, "Unable to attend for a reason beyond the family") for number in range(1, 8)},
    "Z": (Kind.NEUTRAL, "Not on the register yet"),
    "#": (Kind.NEUTRAL, "School closed to the child"),
}
"""The codes of the School Attendance (Pupil Registration) (England) Regulations 2024, as far as they matter here."""

ILL, PRESENT = "I", "/"
MAY_COUNT = (ILL, "M", "C2")
"""The codes that an authority may count. Illness always counts."""


class SchoolDays(Protocol):
    """Knows on which days children are at school."""

    def is_school_day(self, day: date) -> bool: ...


@dataclass(frozen=True)
class Stretch:
    """Days on end for which a school says that a child is away ill; without a last day the child is away still."""

    first_on: date
    last_on: date | None = None
    from_pm: bool = False
    """Whether the morning of the first day was attended."""
    until_am: bool = False
    """Whether the afternoon of the last day was attended."""

    def slots(self, *, until: date) -> Iterable[Slot]:
        """Its sessions up to the day `until`, weekends and holidays included."""
        last = min(self.last_on or until, until)
        day = self.first_on
        while day <= last:
            for session in Session:
                is_before = self.from_pm and day == self.first_on and session == Session.AM
                is_after = self.until_am and day == self.last_on and session == Session.PM
                if not is_before and not is_after:
                    yield Slot(day, session)
            day += ONE_DAY

    def back(self, *, calendar: SchoolDays) -> Slot | None:
        """The session in which the child was taught again, as far as the school has said that it is over."""
        if self.last_on is None:
            return None
        if self.until_am:
            return Slot(self.last_on, Session.PM)
        return Slot(after_school_days(self.last_on, 1, calendar=calendar), Session.AM)


@dataclass(frozen=True)
class Clock:
    """How the count stands after a session, in sessions."""

    school_year: int | None = None
    cumulative: int = 0
    """Lost in the school year."""
    consecutive: int = 0
    """Lost since the child was last taught, in the same school year."""
    spells: int = 0
    """Times that the child fell away."""
    last: Slot | None = None

    @property
    def lost(self) -> str:
        """12½ days"""
        return days_in_words(self.cumulative)

    @property
    def on_end(self) -> str:
        """Of them, up to now; nothing when the child is back."""
        return days_in_words(self.consecutive) if self.consecutive else ""

    def after(self, slot: Slot, code: str, *, counted: Container[str] = (ILL,)) -> Self:
        """The clock when one more session is over. What is neither counted nor attended leaves it as it is.

        Raises ValueError for a session that is not after the last one.
        """
        if self.last is not None and slot <= self.last:
            raise ValueError("sessions are counted in the order in which they happen")
        year = school_year_of(slot.on)
        clock = replace(self, last=slot) if year == self.school_year else type(self)(school_year=year, last=slot)
        if code in counted:
            is_new = clock.consecutive == 0
            return replace(
                clock,
                cumulative=clock.cumulative + 1,
                consecutive=clock.consecutive + 1,
                spells=clock.spells + is_new,
            )
        return replace(clock, consecutive=0) if CODES[code][0] == Kind.ATTENDS else clock


def known_sessions(
    stretches: Sequence[Stretch], marks: Mapping[Slot, str], *, calendar: SchoolDays, until: date
) -> dict[Slot, str]:
    """The code of each session up to the day `until`: what the register says, else what the school has said."""
    back = dict.fromkeys(filter(None, (stretch.back(calendar=calendar) for stretch in stretches)), PRESENT)
    said = {slot: ILL for stretch in stretches for slot in stretch.slots(until=until)}
    return {slot: code for slot, code in (back | said | dict(marks)).items() if slot.on <= until}


def clocks(
    sessions: Mapping[Slot, str], *, calendar: SchoolDays, counted: Container[str] = (ILL,), school_year: int
) -> Iterable[Clock]:
    """The clock after each session of a school year, in whatever order the sessions are given."""
    clock = Clock(school_year)
    for slot in sorted(sessions):
        if school_year_of(slot.on) == school_year and calendar.is_school_day(slot.on):
            clock = clock.after(slot, sessions[slot], counted=counted)
            yield clock


def count(
    sessions: Mapping[Slot, str], *, calendar: SchoolDays, counted: Container[str] = (ILL,), school_year: int
) -> Clock:
    """The clock after all of these sessions."""
    *_, last = Clock(school_year), *clocks(sessions, calendar=calendar, counted=counted, school_year=school_year)
    return last


def reached_on(
    days: int,
    sessions: Mapping[Slot, str],
    *,
    calendar: SchoolDays,
    counted: Container[str] = (ILL,),
    school_year: int,
) -> date | None:
    """The day on which so many school days were lost, on end or together. A run on end is part of the whole."""
    for clock in clocks(sessions, calendar=calendar, counted=counted, school_year=school_year):
        if clock.cumulative >= 2 * days and clock.last:
            return clock.last.on
    return None


def after_school_days(day: date, number: int, *, calendar: SchoolDays) -> date:
    """The day that is so many school days after a day."""
    while number:
        day += ONE_DAY
        number -= calendar.is_school_day(day)
    return day


def in_days(sessions: int) -> str:
    """12, or 12½"""
    whole, half = divmod(sessions, 2)
    return f"{whole or ('' if half else 0)}{'½' if half else ''}"


def days_in_words(sessions: int) -> str:
    """1 day, 12½ days"""
    return f"{in_days(sessions)} {'day' if sessions in (1, 2) else 'days'}"
