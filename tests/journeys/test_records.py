"""What is held of a child, of everybody, and for how long: every page, empty, filled and with mistakes."""

import pytest
from django.utils import timezone
from factories import PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.plans.versions import write_emergency, write_section
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.browser


@pytest.fixture
def second(site):
    """Somebody else who may agree to what the administrator asks for."""
    with inside(site.one):
        return person("dana@barsetshire.example", Role.DATA_PROTECTION_LEAD, name="Dana Data", at=timezone.now())


def test_how_long_records_are_kept(site):
    page = site.open("/records/", by=site.cast.admin)
    site.check_at_each_width(page)
    page.get_by_role("link", name="How long records are kept").click()
    site.check_at_each_width(page)
    page.get_by_role("link", name="Change how long: Children and their plans").click()
    site.check_at_each_width(page)
    page.get_by_label("Years").fill("1")
    site.press(page, "Save this period")
    site.check_at_each_width(page)
    page.get_by_label("Years").fill("30")
    site.press(page, "Save this period")
    site.check_at_each_width(page)


def test_an_export_of_everything(site, second):
    page = site.open("/records/exports/", by=site.cast.admin)
    site.check_at_each_width(page)
    site.press(page, "Ask for an export")
    site.check_at_each_width(page)
    other = site.open("/records/exports/", by=second)
    site.check_at_each_width(other)
    site.press(other, "Agree to this export")
    site.check_at_each_width(other)


def test_everything_held_about_a_child(site):
    with inside(site.one):
        child = PupilFactory(school=site.cast.oak, name="Poppy Canarywright")
        write_emergency(pupil=child, says=emergency(), based_on=0, by=site.cast.head, at=timezone.now())
    page = site.open(f"/children/{child.id}/", by=site.cast.head)
    site.press(page, "See everything held about this child", role="link")
    site.check_at_each_width(page)
    held = page.url
    page.get_by_text("Place a legal hold", exact=True).click()
    site.check_at_each_width(page)
    site.press(page, "Place the legal hold")
    site.check_at_each_width(page)
    page.get_by_label("Why nothing may be deleted").fill("A claim is being brought.")
    site.press(page, "Place the legal hold")
    site.check_at_each_width(page)
    site.press(page, "Lift the legal hold")
    page.goto(held)
    page.get_by_text("Erase everything", exact=True).click()
    site.check_at_each_width(page)
    site.press(page, "Erase everything")
    site.check_at_each_width(page)
    page.get_by_label("full name").fill("Ann Ash")
    site.press(page, "Erase everything")
    site.check_at_each_width(page)
    with inside(site.one):
        assert Pupil.objects.filter(id=child.id).exists()


def test_what_parents_must_not_be_told_is_marked_and_asked_about(site):
    who = {"by": site.cast.head, "at": timezone.now()}
    with inside(site.one):
        child = PupilFactory(school=site.cast.oak, name="Poppy Canarywright")
        write_emergency(pupil=child, says=emergency(), based_on=0, **who)
        hidden = {"unknown": "Tablets from the clinic."}
        write_section(pupil=child, section="confidential", answers=hidden, based_on=1, **who)
    page = site.open(f"/records/children/{child.id}/", by=site.cast.head)
    assert "Do not hand it to them" in page.inner_text("main")
    site.check_at_each_width(page)
    site.press(page, "Download as a file")
    site.check_at_each_width(page)
    site.press(page, "Download the file")
    site.check_at_each_width(page)
    page.get_by_label("A parent or carer").check()
    with page.expect_download() as given:
        page.get_by_role("button", name="Download the file").click()
    content = given.value.path().read_text()
    assert "Canarywright" in content
    assert "Tablets" not in content
    page.goto(site.address(f"/records/children/{child.id}/?for=parents"))
    assert "Tablets" not in page.inner_text("main")
    site.check_at_each_width(page)
