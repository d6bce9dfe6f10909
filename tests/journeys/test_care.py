"""Medicines, kits, training and incidents in a real browser: a month's check on a phone, and every page looked at."""

from datetime import timedelta

import pytest
from django.utils import timezone
from factories import PupilFactory

from handrail.care import actions
from handrail.care.models import KitCheck, SpareKit, StaffTraining
from handrail.core.calendar import day_of
from handrail.incidents.actions import record_incident
from handrail.incidents.models import Harm, Kind
from tenants.context import inside

pytestmark = pytest.mark.browser
PHONE = 320


@pytest.fixture
def kept(site):
    """A child with a medicine, somebody trained for them, a kit that is to be checked, and an incident."""
    now = timezone.now()
    who, on = {"by": site.cast.head, "at": now - timedelta(days=40)}, day_of(now)
    with inside(site.one):
        child = PupilFactory(school=site.cast.oak, name="Poppy Canarywright")
        medicine = actions.add_medicine(
            pupil=child,
            kind="medicine",
            name="Cetirizine syrup",
            dose="5 ml",
            place="School office",
            given_by="Ann Able",
            expires_on=on + timedelta(days=20),
            received_on=on - timedelta(days=50),
            accepted=["labelled", "in_date"],
            **who,
        )
        kit = actions.add_kit(
            school=site.cast.oak,
            kind=SpareKit.Kind.INHALER,
            place="School office",
            expires_on=on + timedelta(days=200),
            **who,
        )
        training = {"school": site.cast.oak, "trained_on": on - timedelta(days=50), "trainer": "Nurse Nell"}
        for_child, for_all = (
            actions.record_training(
                person="Ann Able", procedure=StaffTraining.Procedure.values[0], pupil=pupil, **training, **who
            )
            for pupil in (child, None)
        )
        incident = record_incident(
            school=site.cast.oak,
            pupil=child,
            kind=Kind.EMERGENCY,
            harm=Harm.NONE,
            happened_at=now - timedelta(days=1),
            place="Playground",
            what_happened="The inhaler was locked away.",
            what_was_done="It was fetched.",
            by=site.cast.head,
            at=now,
        )
    return {
        "child": child.id,
        "medicine": medicine.id,
        "kit": kit.id,
        "incident": incident.id,
        "for_child": for_child.id,
        "for_all": for_all.id,
    }


def test_a_kit_is_checked_with_one_tap_on_a_phone(site, kept):
    page = site.open(f"/schools/{site.cast.oak.urn}/kits/", by=site.cast.head, width=PHONE)
    site.check(page)
    site.press(page, "Record this month’s check")
    site.check(page)
    with inside(site.one):
        assert KitCheck.objects.get().is_complete


SCHOOLS = "/schools/{urn}/"
PAGES = [
    "/children/{child}/medicines/",
    "/children/{child}/medicines/add/",
    "/children/{child}/medicines/{medicine}/",
    "/children/{child}/medicines/{medicine}/return/",
    "/children/{child}/medicines/training/add/",
    "/children/{child}/medicines/training/{for_child}/",
    f"{SCHOOLS}kits/add/",
    f"{SCHOOLS}kits/{{kit}}/",
    f"{SCHOOLS}kits/{{kit}}/change/",
    f"{SCHOOLS}kits/{{kit}}/check/",
    f"{SCHOOLS}training/",
    f"{SCHOOLS}training/children/",
    f"{SCHOOLS}training/add/",
    f"{SCHOOLS}training/{{for_all}}/",
    f"{SCHOOLS}medicines/",
    f"{SCHOOLS}incidents/",
    f"{SCHOOLS}incidents/record/",
    f"{SCHOOLS}incidents/{{incident}}/",
]


def test_every_page_at_the_school(site, kept, width):
    page = site.open("/", by=site.cast.head, width=width)
    site.check(page)
    for each in PAGES:
        page.goto(site.address(each.format(urn=site.cast.oak.urn, **kept)))
        site.check(page)


def test_the_authoritys_counts(site, kept):
    site.check(site.open("/incidents/", by=site.cast.officer, width=PHONE))
