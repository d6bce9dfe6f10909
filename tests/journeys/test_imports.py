"""An officer brings a starter spreadsheet with bad rows, and an extract of the register."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from factories import PupilFactory
from imports_data import lines_of, sample

from handrail.accounts.models import Membership
from handrail.imports.models import FileImport
from handrail.policies.models import Kind, Policy
from handrail.schools.models import Pupil, School
from tenants.context import inside
from workflows.register import work_on_next_file

pytestmark = pytest.mark.browser
HEADINGS = "URN,School,Office e-mail,Lead's name,Lead's e-mail,Policy,Last reviewed on,Published at"


@pytest.fixture
def work(site, server, settings) -> Callable[[], None]:
    """Does what waits, as the worker would; it finds the site's documents."""
    settings.DOCUMENT_STORE = server[1].parent / "documents"

    def run() -> None:
        while work_on_next_file(site.one):
            pass

    return run


def bring(page, label, name, content):
    content = content.encode() if isinstance(content, str) else content
    page.get_by_label(label).set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Check this").nth(0 if label == "Starter spreadsheet" else 1).click()


def test_starter_spreadsheet_with_bad_rows(site, work):
    reviewed = timezone.localdate() - timedelta(days=30)
    page = site.open("/", by=site.cast.officer)
    page.get_by_role("link", name="Import", exact=True).click()
    site.check_at_each_width(page)

    page.get_by_role("button", name="Check this spreadsheet").click()
    assert "Select a file" in page.locator(".govuk-error-summary").inner_text()
    site.check_at_each_width(page)

    bring(
        page,
        "Starter spreadsheet",
        "Our schools.csv",
        f"""{HEADINGS}
900001,Oak School,office@oak.example,Lou Lead,lou@oak.example,Allergy safety policy,{reviewed:%d/%m/%Y},www.oak.example
900002,Elm School,office@elm,,,Medical conditions policy,31/02/2026,
900009,Ash School,,,,,,
900001,Oak School,,,,Fire drill,01/09/2026,
""",
    )
    assert page.get_by_role("heading", level=1).inner_text().endswith("Checking your file")
    site.check_at_each_width(page)

    work()
    page.get_by_role("heading", name="Check what this file changes").wait_for()  # the page goes on by itself
    site.check_at_each_width(page)
    problems = page.get_by_role("table", name="Rows with a problem").inner_text()
    assert "There is no open school with this URN in Barsetshire" in problems
    assert "This must be a real date, like 23/11/2026" in problems
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rows with a problem").click()
    assert len(download.value.path().read_text("utf-8-sig").splitlines()) == 1 + 4

    page.get_by_role("button", name="Import the 2 good rows and skip 2").click()
    site.check_at_each_width(page)
    work()
    page.get_by_role("heading", name="Your file is imported").wait_for()
    site.check_at_each_width(page)
    with inside(site.one):
        policy = Policy.objects.get(school=site.cast.oak, kind=Kind.ALLERGY_SAFETY)
        assert (policy.last_reviewed_on, policy.lead_email) == (reviewed, "lou@oak.example")

    page.get_by_role("button", name="Undo this import").click()
    work()
    page.get_by_role("heading", name="This import was undone").wait_for()
    site.check_at_each_width(page)
    with inside(site.one):
        policy.refresh_from_db()
        assert (policy.last_reviewed_on, policy.lead_email) == (None, "")

    page.get_by_role("link", name="Import schools").click()
    site.check_at_each_width(page)
    assert "Undone" in page.get_by_role("table").inner_text()


def test_schools_are_invited_from_a_list_and_at_their_offices(site, work):
    with inside(site.one):
        School.objects.filter(urn="900001").update(office_email="office@oak.example")
        School.objects.filter(urn="900002").update(office_email="")
    page = site.open("/schools/?only=never-signed-in", by=site.cast.officer)
    page.get_by_role("link", name="Invite schools that have never signed in").click()
    site.check_at_each_width(page)
    page.get_by_role("button", name="Check this list").click()
    assert "Select a file" in page.locator(".govuk-error-summary").inner_text()
    site.check_at_each_width(page)

    rows = "900001,Nell New,nell@oak.example,Governor\n900001,Al,al@oak,\n900009,Bo,bo@ash.example,\n"
    file = {"name": "People.csv", "mimeType": "text/csv", "buffer": f"URN,Name,E-mail,Role\n{rows}".encode()}
    page.get_by_label("List of people").set_input_files(file)
    page.get_by_role("button", name="Check this list").click()
    site.check_at_each_width(page)
    work()
    page.get_by_role("heading", name="Check who you invite").wait_for()
    site.check_at_each_width(page)
    assert "Your role: Governor." in page.locator(".app-letter").inner_text()
    assert "There is no open school with this URN" in page.get_by_role("table", name="Rows with a problem").inner_text()
    page.get_by_role("button", name="Invite 1 person and skip 2 rows").click()
    work()
    page.get_by_role("heading", name="The invitations are on their way").wait_for()
    site.check_at_each_width(page)
    page.get_by_role("button", name="Take these invitations back").click()
    work()
    page.get_by_role("heading", name="The invitations were taken back").wait_for()
    site.check_at_each_width(page)

    page.goto(site.address("/imports/invitations/"))
    page.get_by_role("button", name="Use the schools’ office addresses").click()
    site.check_at_each_width(page)
    assert "Add it to the school’s contacts" in page.get_by_role("table", name="Rows with a problem").inner_text()
    page.get_by_role("button", name="Invite 1 person and skip 1 row").click()
    work()
    page.get_by_role("heading", name="The invitations are on their way").wait_for()
    with inside(site.one):
        assert Membership.objects.get(user__email="office@oak.example").invited_as == "School office"


def test_extract_that_looks_wrong_is_asked_about(site, work):
    page = site.open("/imports/", by=site.cast.officer)
    bring(page, "Register extract", "edubasealldata20261101.csv", lines_of("edubasealldata20261120.csv", count=3))
    work()
    page.get_by_role("button", name="Import the 3 good rows").click()
    assert "Tick the box" in page.locator(".govuk-error-summary").inner_text()
    site.check_at_each_width(page)
    page.get_by_label("I have checked that these figures are right").check()
    page.get_by_role("button", name="Import the 3 good rows").click()
    work()
    page.get_by_role("heading", name="Your file is imported").wait_for()
    site.check_at_each_width(page)
    with inside(site.one):
        assert School.objects.open().count() == 5


def test_a_page_that_was_downloaded_instead_is_refused(site, work):
    page = site.open("/imports/", by=site.cast.officer)
    bring(page, "Register extract", "register.csv", sample("malformed/error_page.csv"))
    work()
    page.get_by_role("heading", name="This file cannot be imported").wait_for()
    site.check_at_each_width(page)
    with inside(site.one):
        assert FileImport.objects.get().state == FileImport.State.REFUSED


def test_contacts_of_a_school(site):
    page = site.open("/schools/900001/people/", by=site.cast.head, width=320)
    page.get_by_role("link", name="Change the contacts").click()
    site.check_at_each_width(page)
    page.get_by_label("Lead’s e-mail address").fill("nobody")
    page.get_by_role("button", name="Save contacts").click()
    site.check_at_each_width(page)
    page.get_by_label("Lead’s e-mail address").fill("nell@oak.example")
    page.get_by_role("button", name="Save contacts").click()
    assert "Saved the contacts." in page.get_by_role("alert").inner_text()


def test_a_school_brings_its_list_of_children(site, work):
    with inside(site.one):
        PupilFactory(school=site.cast.oak, name="Poppy Canarywright", upn="B801200005001")
        PupilFactory(school=site.cast.oak, name="Gil Gone")
    page = site.open("/schools/900001/children/", by=site.cast.head)
    site.press(page, "Import a list", role="button")
    site.check_at_each_width(page)
    site.press(page, "Check this list")
    assert "Select a file" in page.locator(".govuk-error-summary").inner_text()
    site.check_at_each_width(page)

    content = b"""Name,Date of birth,Year group,Class,UPN,Contact 1 name
Ann Ash,01/05/2016,Year 5,Owls,,Pat Parent
Poppy Married,01/05/2016,,,B801200005001,
Bo Bad,31/02/2016,,,,
"""
    page.get_by_label("List of children").set_input_files(
        {"name": "children.csv", "mimeType": "text/csv", "buffer": content}
    )
    site.press(page, "Check this list")
    assert page.get_by_role("heading", level=1).inner_text().endswith("Checking your list")
    site.check_at_each_width(page)
    work()
    page.get_by_role("heading", name="Check what this list changes").wait_for()
    site.check_at_each_width(page)
    page.get_by_label("Record that 1 child has left").check()
    site.press(page, "Import the 2 good rows and skip 1")
    work()
    page.get_by_role("heading", name="Your list is imported").wait_for()
    site.check_at_each_width(page)
    with inside(site.one):
        now = {each.name: each.left_on for each in Pupil.objects.filter(school=site.cast.oak)}
        assert now == {"Ann Ash": None, "Poppy Married": None, "Gil Gone": timezone.localdate()}
    site.press(page, "Undo this import")
    work()
    page.get_by_role("heading", name="This import was undone").wait_for()
    site.check_at_each_width(page)
    with inside(site.one):
        assert not Pupil.objects.filter(name="Ann Ash").exists()
