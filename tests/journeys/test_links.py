"""A school asks a mother what she thinks of a plan, and she answers on her phone without an account."""

import re

import pytest
from django.utils import timezone
from factories import ContactFactory, PupilFactory, emergency
from journeys.test_sign_in import post

from handrail.core.models import ReadEntry
from handrail.notices.providers import provider_for
from handrail.plans import versions
from handrail.plans.models import Agreement, PlanLink
from tenants.context import inside
from workflows.notices import send

pytestmark = pytest.mark.browser
PHONE = 320
ASKED = "Who is Ms Reed?"


@pytest.fixture
def poppy(site):
    who = {"by": site.cast.head, "at": timezone.now()}
    with inside(site.one):
        child = PupilFactory(school=site.cast.oak, name="Poppy Canarywright")
        ContactFactory(pupil=child, name="Pat Canarymother", email="pat@home.example")
        versions.write_emergency(pupil=child, says=emergency(), based_on=0, **who)
        trips = {"trips": "Both pens go with her."}
        versions.write_section(pupil=child, section="trips", answers=trips, based_on=1, **who)
    return child


@pytest.fixture
def deliver(site, settings):
    """`deliver()` sends what is owed into the site's mailbox, as the worker does."""
    settings.MAIL_PROVIDER, settings.IS_DEMO = "mailbox", True
    settings.MAILBOX = site.log.parent / "mailbox"
    return lambda: send(site.one, provider=provider_for(site.one.id), at=timezone.now())


@pytest.fixture
def sent(site, poppy, deliver):
    """The lead's page after she has sent the link, and the path of the address in the message."""
    page = site.open(f"/children/{poppy.id}/plan/", by=site.cast.head)
    site.press(page, "Send a parent or health professional a link", role="link")
    site.check(page)
    site.press(page, "Send this link")
    site.check(page)  # with an error
    page.get_by_label("Pat Canarymother").check()
    site.press(page, "Send this link")
    assert "A message is on its way to Pat Canarymother" in page.inner_text("main")
    site.check(page)
    assert deliver() == 1
    letter = post(site)[0]
    assert letter.recipient == "pat@home.example"
    return page, re.search(r"/shared/link/[\w-]+/", letter.text)[0]


def draft_of(site):
    with inside(site.one):
        return PlanLink.objects.get().draft


def get_in(site, path, **more):
    """Pat's phone, from the address in the message to the plan."""
    page = site.open(path, width=PHONE, **more)
    site.press(page, "Send me a code")
    page.get_by_label("Code", exact=True).fill(post(site)[0].code)
    for box, value in (("Day", "2"), ("Month", "5"), ("Year", "2016")):
        page.get_by_label(box, exact=True).fill(value)
    site.press(page, "Open this")  # she has mistyped the day
    assert "The code or the date of birth is wrong" in page.inner_text("main")
    page.get_by_label("Day", exact=True).fill("1")
    page.wait_for_timeout(2_000)
    site.press(page, "Open this")
    assert "Both pens go with her." in page.inner_text("main")
    return page


def test_a_mother_reads_asks_and_agrees_and_the_school_sees_it(site, poppy, sent, deliver):
    lead, path = sent
    phone = site.open(path, width=PHONE)
    site.check(phone)
    site.press(phone, "Send me a code")
    site.check(phone)
    site.press(phone, "Open this")
    site.check(phone)  # with errors
    with inside(site.one):
        PlanLink.objects.update(code_sent_at=None)  # so that the next may be sent at once
    pat = get_in(site, path)
    site.check(pat)
    site.press(pat, "Send this to the school")
    site.check(pat)  # with an error
    pat.get_by_label("I only want to say or ask something").check()
    pat.get_by_label("In your own words").fill(ASKED)
    site.press(pat, "Send this to the school")
    site.check(pat)
    pat.get_by_label("I agree with this plan").check()
    site.press(pat, "Send this to the school")
    assert "You agreed" in pat.inner_text("main")

    lead.goto(site.address(f"/children/{poppy.id}/plan/"))
    site.check(lead)
    said = lead.inner_text("main")
    assert ASKED in said
    assert re.search(r"Pat Canarymother, parent or carer: agreed on .*, through a link, of version 2", said)
    site.press(lead, "Answer", role="link")
    site.check(lead)
    lead.get_by_label("Your answer").fill("The teaching assistant.")
    site.press(lead, "Send this answer")
    deliver()
    assert "Oak School has answered you" in [
        each.subject for each in post(site) if each.recipient == "pat@home.example"
    ]
    pat.reload()
    assert "The teaching assistant." in pat.inner_text("main")
    site.check(pat)
    with inside(site.one):
        assert Agreement.objects.get().name == "Pat Canarymother"
        assert ReadEntry.objects.filter(why="link", why_id=PlanLink.objects.get().id).count() >= 4

    site.press(lead, "Withdraw this link", role="link")
    site.check(lead)
    site.press(lead, "Withdraw this link")
    pat.reload()
    assert "This link has stopped working" in pat.inner_text("main")
    site.check(pat)
    again = site.open(path, width=PHONE)
    assert "This link has stopped working" in again.inner_text("main")


def test_a_click_on_something_else_loses_nothing_that_was_typed(site, poppy, sent):
    _, path = sent
    pat = get_in(site, path)
    here = pat.url
    pat.get_by_label("In your own words").fill(ASKED)
    site.press(pat, "Accessibility statement")
    assert "/accessibility/" in pat.url
    assert "We have kept what you typed." in pat.inner_text("main")
    pat.goto(here)
    assert "This is what you typed before. It is not sent yet." in pat.inner_text("main")
    assert pat.get_by_label("In your own words").input_value() == ASKED
    site.press(pat, "Close this page")
    site.check(pat)
    assert "This page is closed" in pat.inner_text("main")


def test_works_without_scripts(site, poppy, sent):
    _, path = sent
    pat = get_in(site, path, java_script_enabled=False)
    pat.get_by_label("I want something changed").check()
    pat.get_by_label("In your own words").fill("The dose has changed.")
    site.press(pat, "Close this page")
    assert "We have kept what you typed." in pat.inner_text("main")
    assert draft_of(site) == {"answer": "change", "words": "The dose has changed."}


def test_a_click_on_something_else_loses_nothing_without_scripts(site, poppy, sent):
    _, path = sent
    pat = get_in(site, path, java_script_enabled=False)
    here = pat.url
    away = [each for each in pat.locator("a[href]").all() if not each.get_attribute("href").startswith(("#", "tel:"))]
    assert [each.get_attribute("href") for each in away] == []
    pat.get_by_label("In your own words").fill(ASKED)
    site.press(pat, "Help")
    pat.goto(here)
    assert pat.get_by_label("In your own words").input_value() == ASKED
