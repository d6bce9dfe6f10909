"""Sickness returns and section 19 cases in a real browser: a school on a phone, an officer, a file with bad rows."""

from datetime import timedelta

import pytest
from django.utils import timezone
from factories import PupilFactory, person

from handrail.absences.actions import make_return
from handrail.absences.models import Case, CaseEntry, NilReturn, SicknessReturn
from handrail.accounts.roles import Role
from handrail.core.calendar import day_of
from tenants.context import inside
from workflows.register import work_on_next_file

pytestmark = pytest.mark.browser
PHONE = 320


@pytest.fixture
def today():
    return day_of(timezone.now())


@pytest.fixture
def poppy(site):
    with inside(site.one):
        return PupilFactory(school=site.cast.oak, name="Poppy Canarywright")


@pytest.fixture
def nora(site):
    with inside(site.one):
        return person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named", at=timezone.now())


@pytest.fixture
def work(site, server, settings):
    """Does what waits, as the worker would; it finds the site's documents."""
    settings.DOCUMENT_STORE = server[1].parent / "documents"

    def run():
        while work_on_next_file(site.one):
            pass

    return run


def fill_day(page, name, day):
    for box in ("day", "month", "year"):
        page.locator(f"[name={name}_{box}]").fill(str(getattr(day, box)))


def test_a_school_reports_a_child_on_a_phone(site, poppy, today):
    page = site.open("/", by=site.cast.head, width=PHONE)
    site.press(page, "Sickness returns: report a child, or nothing to report", role="link")
    site.check(page)
    site.press(page, "Report a child")
    page.get_by_role("textbox", name="Find a child").fill("po")
    site.press(page, "Find child")
    site.check(page)
    site.press(page, "Report Poppy Canarywright", role="link")
    site.check(page)
    site.press(page, "Send this return")
    site.check(page)
    fill_day(page, "first_on", today - timedelta(days=30))
    page.get_by_role("group", name="Will the child be away for 15 school days").get_by_label("Yes").check()
    page.get_by_label("The child’s address").fill("1 High Street")
    page.get_by_label("What work is being sent home?").fill("Maths sheets each Monday")
    site.press(page, "Send this return")
    site.check(page)
    assert "Sent the sickness return to the authority." in page.inner_text("main")
    with inside(site.one):
        assert SicknessReturn.objects.get().likely_on == today


def test_nothing_to_report_is_two_taps(site):
    page = site.open("/", by=site.cast.head, width=PHONE)
    site.press(page, "Sickness returns: report a child, or nothing to report", role="link")
    site.press(page, "Nothing to report")
    site.check(page)
    assert "Recorded: nothing to report for" in page.inner_text("main")
    with inside(site.one):
        assert NilReturn.objects.get().made_by == site.cast.head.id


def test_the_named_officer_decides_and_the_first_session_stops_the_clock(site, poppy, nora, today):
    with inside(site.one):
        make_return(
            pupil=poppy,
            first_on=today - timedelta(days=40),
            is_likely=True,
            says={"address": "1 High Street"},
            by=site.cast.head,
            at=timezone.now() - timedelta(days=38),
        )
        case = Case.objects.get()
    page = site.open("/", by=nora)
    site.press(page, "Cases", role="link")
    site.check(page)
    assert "Overdue" in page.inner_text("table")
    site.press(page, "Poppy Canarywright", role="link")
    site.check(page)
    site.press(page, "Record a decision")
    site.press(page, "Record this decision")
    site.check(page)
    page.get_by_label("Yes, the authority arranges education").check()
    page.get_by_label("What was seen?").fill("A letter from the GP, 3 November.")
    page.get_by_label("Why was it decided so?").fill("Too ill for school for some weeks.")
    site.press(page, "Record this decision")
    site.check(page)
    assert "The clock runs" in page.inner_text("main")
    site.press(page, "Record the first session")
    fill_day(page, "happened_on", today)
    page.get_by_label("How many hours a week?").fill("5")
    site.press(page, "Record this and stop the clock")
    site.check(page)
    page.get_by_label("Why is it fewer than full-time?").fill("As much as health allows.")
    site.press(page, "Record this and stop the clock")
    site.check(page)
    assert "The clock stopped on" in page.inner_text("main")
    with inside(site.one):
        assert list(CaseEntry.objects.in_order().values_list("kind", flat=True)) == ["decision", "first_session"]
    assert page.get_by_role("link", name="Print the decision log").get_attribute("href") == f"/cases/{case.id}/log.pdf"


def test_a_file_with_bad_rows_is_imported_without_them(site, poppy, today, tmp_path, work):
    first = today - timedelta(days=4)
    heads = "Name,Date of birth,First day away,15 days likely,Address"
    rows = f"Poppy Canarywright,01/05/2016,{first},yes,1 High Street\nNobody,01/05/2016,{first},yes,2 Low Street"
    (tmp_path / "returns.csv").write_text(f"{heads}\n{rows}\nPoppy Canarywright,never,{first},yes,3 Mid Street")
    page = site.open(f"/imports/returns/{site.cast.oak.urn}/", by=site.cast.head, width=PHONE)
    site.check(page)
    page.locator("input[type=file]").set_input_files(tmp_path / "returns.csv")
    site.press(page, "Check this file")
    work()
    page.reload()
    site.check(page)
    site.press(page, "Import the 1 good row and skip 2")
    work()
    page.reload()
    site.check(page)
    with inside(site.one):
        assert SicknessReturn.objects.get().case.pupil_id == poppy.id
    site.press(page, "Undo this import")
    work()
    page.reload()
    site.check(page)
    with inside(site.one):
        assert not SicknessReturn.objects.standing().exists()


OF_SCHOOL = [
    "/schools/{urn}/returns/",
    "/schools/{urn}/returns/children/",
    "/children/{child}/returns/",
    "/children/{child}/returns/codes/",
    "/children/{child}/returns/{made}/",
    "/children/{child}/returns/{made}/withdraw/",
]
OF_OFFICER = [
    "/cases/",
    "/cases/answers/",
    *(f"/cases/{{case}}/{each}" for each in ("", "decision/", "suitable/", "review/")),
]


def test_every_page(site, poppy, nora, today, width):
    with inside(site.one):
        made = make_return(
            pupil=poppy,
            first_on=today - timedelta(days=16),
            is_likely=False,
            says={"address": "1 High Street", "work": "Maths", "evidence": "gp"},
            by=site.cast.head,
            at=timezone.now(),
        )
    known = {"urn": site.cast.oak.urn, "child": poppy.id, "made": made.id, "case": made.case_id}
    for who, pages in ((site.cast.head, OF_SCHOOL), (nora, OF_OFFICER)):
        page = site.open("/", by=who, width=width)
        for each in pages:
            page.goto(site.address(each.format(**known)))
            site.check(page)
