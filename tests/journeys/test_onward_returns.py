"""A school reports a child who lives in another authority; the named officer there reads it, and what changed since."""

import pytest
from django.utils import timezone
from factories import PupilFactory, person

from handrail.absences.actions import withdraw_return
from handrail.absences.models import SicknessReturn
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.handovers import onward, post
from tenants.context import inside

pytestmark = pytest.mark.browser
PHONE = 320
CHILD = "Wren Canarywright"


def deliver(site):
    with inside(site.one):
        onward.send_on(at=timezone.now())
    with inside(site.two):
        post.collect(at=timezone.now())


def test_a_return_goes_to_where_the_child_lives_and_so_does_what_changes(site):
    with inside(site.two):
        post.join_exchange(by=CLOCK, at=timezone.now())
        nora = person("nora@borchester.example", Role.NAMED_OFFICER, at=timezone.now(), name="Nora Named")
    with inside(site.one):
        post.join_exchange(by=CLOCK, at=timezone.now())
        child = PupilFactory(school=site.cast.oak, name=CHILD)
    now = timezone.localdate()
    school = site.open(f"/children/{child.id}/returns/make/", by=site.cast.head, width=PHONE)
    first = school.get_by_role("group", name="What was the first day away?")
    for box, value in (("Day", now.day), ("Month", now.month), ("Year", now.year)):
        first.get_by_label(box).fill(str(value))
    school.get_by_role("group", name="15 school days or more").get_by_label("Yes").check()
    school.get_by_label("The child’s address").fill("3 Mid Street, Felpersham")
    school.get_by_label("Which authority does the child live in?").select_option("Borchester")
    site.check(school)
    site.press(school, "Send this return")
    deliver(site)

    officer = site.open("/handover-board/", by=nora, authority=site.two)
    site.check(officer)
    site.press(officer, "Returns from other authorities to open", role="link")
    site.check(officer)
    opened(site, officer)
    assert "3 Mid Street" in officer.content()

    site.press(school, "Change", role="link")
    school.get_by_label("The child’s address").fill("9 New Street, Felpersham")
    site.press(school, "Save this return")
    deliver(site)
    officer.goto(site.address("/returns-from-elsewhere/", authority=site.two))
    officer.set_viewport_size({"width": PHONE, "height": 800})
    site.check(officer)
    assert "In place of an earlier one" in officer.content()
    opened(site, officer)
    assert "9 New Street" in officer.content() and "It takes the place of" in officer.content()
    site.press(officer, "what came on", role="link")
    site.check(officer)
    assert "The school has changed this since." in officer.content()

    with inside(site.one):
        withdraw_return(made=SicknessReturn.objects.get(), by=site.cast.head, at=timezone.now())
    deliver(site)
    officer.goto(site.address("/returns-from-elsewhere/", authority=site.two))
    opened(site, officer)
    assert "This return counts no more." in officer.content()


def opened(site, officer):
    """The newest of the list is opened; before that it names nobody."""
    assert CHILD not in officer.content()
    with officer.expect_navigation():
        officer.locator("tbody a").first.click()
    site.check(officer)
    site.press(officer, "Open this return")
    site.check(officer)
    assert CHILD in officer.content()
