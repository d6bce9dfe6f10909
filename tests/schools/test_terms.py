"""School days and terms: the rules as tables, and the pages on which an authority gives its dates."""

from dataclasses import dataclass, field
from datetime import date

import pytest

from handrail.core.models import AuditEntry
from handrail.schools.models import Term
from handrail.schools.term_actions import TermRefused, set_term
from handrail.schools.terms import Calendar, SchoolDays, school_year_of
from tenants.context import inside


def day(text):
    return date.fromisoformat(text)


@dataclass
class Given:
    school_year: int
    number: int
    first_on: date
    last_on: date
    half_from_on: date | None = None
    half_to_on: date | None = None
    closed_on: list[date] = field(default_factory=list)


def term(school_year, number, *days, closed=()):
    return Given(school_year, number, *map(day, days), closed_on=[day(each) for each in closed])


AUTUMN = term(2026, 1, "2026-09-02", "2026-12-18", "2026-10-26", "2026-10-30", closed=["2026-11-27"])
SPRING = term(2026, 2, "2027-01-04", "2027-03-25", "2027-02-15", "2027-02-19")
SUMMER = term(2026, 3, "2027-04-12", "2027-07-21", "2027-05-31", "2027-06-04")
YEAR = Calendar([SUMMER, AUTUMN, SPRING])
GAP = Calendar([AUTUMN, SUMMER])
LEAP = Calendar([term(2027, 2, "2028-01-05", "2028-03-31", "2028-02-14", "2028-02-18")])
NONE = Calendar([])


@pytest.mark.parametrize(
    ("calendar", "on", "is_one", "is_known"),
    [
        (YEAR, "2026-08-31", False, False),  # a bank holiday, and of the school year before
        (YEAR, "2026-09-01", False, True),  # a weekday before the autumn begins
        (YEAR, "2026-09-02", True, True),
        (YEAR, "2026-09-05", False, True),  # a Saturday
        (YEAR, "2026-10-23", True, True),
        (YEAR, "2026-10-26", False, True),  # the first day of half-term
        (YEAR, "2026-10-30", False, True),  # and its last
        (YEAR, "2026-11-02", True, True),
        (YEAR, "2026-11-27", False, True),  # a training day
        (YEAR, "2026-12-18", True, True),
        (YEAR, "2026-12-21", False, True),
        (YEAR, "2027-01-04", True, True),
        (YEAR, "2027-04-09", False, True),
        (YEAR, "2027-05-03", False, True),  # a bank holiday inside the summer term
        (YEAR, "2027-05-04", True, True),
        (YEAR, "2027-07-22", False, True),
        (YEAR, "2027-08-27", False, True),
        (YEAR, "2027-08-31", False, True),  # the last day of the school year
        (YEAR, "2027-09-01", True, False),  # nothing is given from here on
        (YEAR, "2026-08-28", True, False),
        (GAP, "2027-02-01", True, False),  # between terms that do not follow each other
        (GAP, "2027-05-03", False, True),
        (LEAP, "2028-02-29", True, True),
        (LEAP, "2028-02-14", False, True),
        (LEAP, "2028-01-04", True, False),  # what came before the spring is not given
        (NONE, "2026-11-23", True, False),
        (NONE, "2026-12-25", False, False),
        (NONE, "2028-02-29", True, False),
        (NONE, "2026-11-22", False, False),
    ],
)
def test_a_school_day(calendar, on, is_one, is_known):
    assert (calendar.is_school_day(day(on)), calendar.is_known(day(on))) == (is_one, is_known)


@pytest.mark.parametrize(
    ("calendar", "since", "until", "count", "is_known"),
    [
        (YEAR, "2026-09-02", "2026-09-09", 5, True),
        (YEAR, "2026-09-02", "2026-09-02", 0, True),
        (YEAR, "2026-09-09", "2026-09-02", 0, True),
        (YEAR, "2026-10-23", "2026-11-03", 2, True),  # over half-term
        (YEAR, "2026-12-18", "2027-01-05", 2, True),  # over Christmas
        (YEAR, "2027-04-30", "2027-05-05", 2, True),  # over a bank holiday
        (YEAR, "2026-08-27", "2026-09-03", 3, False),  # two weekdays of August are guessed
        (LEAP, "2028-02-28", "2028-03-02", 3, True),
        (NONE, "2026-12-24", "2026-12-30", 2, False),
    ],
)
def test_school_days_between(calendar, since, until, count, is_known):
    assert calendar.school_days_between(day(since), day(until)) == SchoolDays(count, is_known)


@pytest.mark.parametrize(
    ("calendar", "after", "first"),
    [
        (YEAR, "2026-08-31", "2026-09-02"),
        (YEAR, "2026-09-01", "2026-09-02"),
        (YEAR, "2026-09-02", "2027-01-04"),
        (YEAR, "2027-01-03", "2027-01-04"),
        (YEAR, "2027-04-12", None),
        (NONE, "2026-09-01", None),
        (Calendar([term(2026, 2, "2027-01-01", "2027-03-25", closed=["2027-01-04"])]), "2026-12-01", "2027-01-05"),
    ],
)
def test_the_first_day_of_the_next_term(calendar, after, first):
    assert calendar.first_day_of_next_term(after=day(after)) == (day(first) if first else None)


@pytest.mark.parametrize(
    ("on", "before"),
    [
        ("2027-01-04", "2026-12-18"),
        ("2026-11-02", "2026-10-23"),
        ("2026-09-02", "2026-08-28"),
        ("2027-05-04", "2027-04-30"),
    ],
)
def test_the_last_school_day_before(on, before):
    assert YEAR.last_school_day_before(day(on)) == day(before)


@pytest.mark.parametrize(
    ("calendar", "on", "number", "after"),
    [
        (YEAR, "2026-11-23", 3, "2026-11-26"),
        (YEAR, "2026-11-23", 5, "2026-12-01"),  # a training day and a weekend lie between
        (YEAR, "2026-12-17", 2, "2027-01-04"),  # and the holidays
        (YEAR, "2027-04-29", 2, "2027-05-04"),  # and a bank holiday
        (NONE, "2026-12-24", 1, "2026-12-29"),
        (LEAP, "2028-02-28", 1, "2028-02-29"),
    ],
)
def test_the_school_day_after(calendar, on, number, after):
    assert calendar.school_day_after(day(on), number) == day(after)


@pytest.mark.parametrize(
    ("on", "found"),
    [
        ("2026-09-01", None),
        ("2026-09-02", AUTUMN),
        ("2026-10-28", AUTUMN),
        ("2026-12-18", AUTUMN),
        ("2026-12-19", None),
    ],
)
def test_the_term_of_a_day(on, found):
    assert YEAR.term_of(day(on)) is found


@pytest.mark.parametrize(("on", "year"), [("2026-08-31", 2025), ("2026-09-01", 2026), ("2028-02-29", 2027)])
def test_a_school_year_begins_in_september(on, year):
    assert school_year_of(day(on)) == year


# -- the pages -------------------------------------------------------------------------------------------

PAGE = "/settings/terms/2026/1/"


def boxes(**days):
    found = {"closed_on": days.pop("closed_on", "")}
    for name, text in days.items():
        for box, part in zip(("year", "month", "day"), text.split("-") if text else ("", "", ""), strict=True):
            found[f"{name}_{box}"] = part
    return found


GIVEN = {
    "first_on": "2026-09-02",
    "last_on": "2026-12-18",
    "half_from_on": "2026-10-26",
    "half_to_on": "2026-10-30",
    "closed_on": "27/11/2026\r\n",
}


@pytest.mark.django_db
class TestThePages:
    def test_keep_the_dates_of_a_term(self, one, cast, browse):
        client = browse(cast.admin)
        assert "Not given" in client.get("/settings/terms/").content.decode()
        assert client.post(PAGE, boxes(**GIVEN))["Location"] == "/settings/terms/"
        page = client.get("/settings/terms/").content.decode()
        for words in (
            "2 September 2026 to 18 December 2026",
            "Half-term 26 October 2026",
            "1 training day",
            "Saved the",
        ):
            assert words in page
        assert "27/11/2026" in client.get(PAGE).content.decode()
        with inside(one):
            calendar = Term.objects.all().calendar()
            assert not calendar.is_school_day(day("2026-10-26"))
            assert not calendar.is_school_day(day("2026-11-27"))
            assert AuditEntry.objects.get(subject_kind="term").fields == [
                "first_on",
                "last_on",
                "half_from_on",
                "half_to_on",
                "closed_on",
            ]
        client.post(PAGE, boxes(**GIVEN))
        client.post(PAGE, boxes(**GIVEN | {"last_on": "2026-12-17"}))
        with inside(one):
            assert [each.fields for each in AuditEntry.objects.filter(subject_kind="term").order_by("written_at")][
                1:
            ] == [["last_on"]]

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"first_on": ""}, "Enter the first day of term"),
            ({"first_on": "2025-09-02"}, "First day must be in the school year"),
            ({"last_on": "2026-09-02"}, "Last day must be after the first day"),
            ({"last_on": "2027-07-20"}, "Last day must be less than 200 days after the first day"),
            ({"half_to_on": ""}, "Enter both days of the half-term holiday, or neither"),
            ({"half_from_on": "2026-09-01"}, "First day of half-term must be in the term"),
            ({"half_to_on": "2026-10-25"}, "Last day of half-term must be in the term, on or after its first day"),
            ({"closed_on": "27/11/2027"}, "Each training day must be in the term"),
            ({"closed_on": "some day"}, "Enter each day on a line of its own, like 4/1/2027"),
            ({"last_on": "2027-01-05"}, "Last day must be before the beginning of the Spring term 2026 to 2027"),
        ],
    )
    def test_say_what_is_wrong_and_keep_what_was_typed(self, one, cast, browse, at, given, words):
        with inside(one):
            Term.objects.create(school_year=2026, number=2, first_on=SPRING.first_on, last_on=SPRING.last_on)
        page = browse(cast.admin).post(PAGE, boxes(**GIVEN | given)).content.decode()
        assert words in page
        assert 'value="30"' in page or given.get("half_to_on") is not None
        with inside(one):
            assert Term.objects.count() == 1

    def test_know_no_fourth_term(self, cast, browse):
        for place in ("/settings/terms/2026/4/", "/settings/terms/2026/0/", "/settings/terms/1999/1/"):
            assert browse(cast.admin).get(place).status_code == 404
            assert browse(cast.admin).post(place, boxes(**GIVEN)).status_code == 404

    def test_are_for_administrators_alone(self, one, cast, browse):
        for nosy in (cast.officer, cast.head):
            for place in ("/settings/terms/", PAGE):
                assert browse(nosy).get(place).status_code == 403
            assert browse(nosy).post(PAGE, boxes(**GIVEN)).status_code == 403
        with inside(one):
            assert not Term.objects.exists()

    def test_refuse_what_overlaps_the_term_before(self, one, cast, at):
        with inside(one):
            set_term(**vars(AUTUMN), by=cast.admin, at=at)
            with pytest.raises(TermRefused, match="after the end of the Autumn term"):
                set_term(**vars(SPRING) | {"first_on": AUTUMN.last_on}, by=cast.admin, at=at)
