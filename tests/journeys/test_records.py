"""What is held of a child, of everybody, and for how long: every page, empty, filled and with mistakes."""

import pytest
from django.utils import timezone
from factories import PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.plans.versions import write_emergency
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.browser
PHONE, DESK = 320, 1280


@pytest.fixture
def look(site):
    """`look(page)` is `site.check` at a desk and on a phone."""

    def run(page):
        for width in (DESK, PHONE):
            page.set_viewport_size({"width": width, "height": 800})
            site.check(page)

    return run


@pytest.fixture
def second(site):
    """Somebody else who may agree to what the administrator asks for."""
    with inside(site.one):
        return person("dana@barsetshire.example", Role.DATA_PROTECTION_LEAD, name="Dana Data", at=timezone.now())


def test_how_long_records_are_kept(site, look):
    page = site.open("/records/", by=site.cast.admin)
    look(page)
    page.get_by_role("link", name="How long records are kept").click()
    look(page)
    page.get_by_role("link", name="Change how long: Children and their plans").click()
    look(page)
    page.get_by_label("Years").fill("1")
    site.press(page, "Save this period")
    look(page)
    page.get_by_label("Years").fill("30")
    site.press(page, "Save this period")
    look(page)


def test_an_export_of_everything(site, look, second):
    page = site.open("/records/exports/", by=site.cast.admin)
    look(page)
    site.press(page, "Ask for an export")
    look(page)
    other = site.open("/records/exports/", by=second)
    look(other)
    site.press(other, "Agree to this export")
    look(other)


def test_everything_held_about_a_child(site, look):
    with inside(site.one):
        child = PupilFactory(school=site.cast.oak, name="Poppy Canarywright")
        write_emergency(pupil=child, says=emergency(), based_on=0, by=site.cast.head, at=timezone.now())
    page = site.open(f"/children/{child.id}/", by=site.cast.head)
    site.press(page, "See everything held about this child", role="link")
    look(page)
    held = page.url
    page.get_by_text("Place a legal hold", exact=True).click()
    look(page)
    site.press(page, "Place the legal hold")
    look(page)
    page.get_by_label("Why nothing may be deleted").fill("A claim is being brought.")
    site.press(page, "Place the legal hold")
    look(page)
    site.press(page, "Lift the legal hold")
    page.goto(held)
    page.get_by_text("Erase everything", exact=True).click()
    look(page)
    site.press(page, "Erase everything")
    look(page)
    page.get_by_label("full name").fill("Ann Ash")
    site.press(page, "Erase everything")
    look(page)
    with inside(site.one):
        assert Pupil.objects.filter(id=child.id).exists()
