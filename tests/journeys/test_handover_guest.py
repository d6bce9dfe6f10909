"""Whoever has no Handrail reads on a guest page and answers on a phone: a setting, and a home school."""

import re
from datetime import date

import pytest
from django.utils import timezone
from factories import ContactFactory, PupilFactory, emergency
from handovers.between import SAID
from journeys.test_handovers import WRITTEN
from journeys.test_sign_in import post

from handrail.core.models import ReadEntry
from handrail.handovers import actions, admissions, places
from handrail.handovers.actions import Destination
from handrail.handovers.homes import Home
from handrail.handovers.models import Handover
from handrail.notices.providers import provider_for
from handrail.plans import versions
from tenants.context import inside
from workflows.notices import send

pytestmark = pytest.mark.browser
PHONE = 320
CHILD = "Wren Canarywright"


@pytest.fixture
def handover(site):
    """A pack is ready for a hospital school in an authority without Handrail."""
    who = {"by": site.cast.head, "at": timezone.now()}
    with inside(site.one):
        pupil = PupilFactory(school=site.cast.oak, name=CHILD)
        ContactFactory(pupil=pupil)
        versions.write_emergency(pupil=pupil, says=emergency(), based_on=0, **who)
        made = actions.prepare(
            pupil=pupil,
            to=Destination("", "Nowhereshire", "999", "Nowhere Hospital School", "800777", True),
            home_authority="001",
            roll="guest",
            starts_on=None,
            is_urgent=True,
            ring="Hana Head",
            telephone="01632 960001",
            **who,
        )
        actions.write(handover=made, said=SAID, **who)
        actions.submit(handover=made, **who)
        return Handover.objects.get()


def test_a_setting_without_handrail_reads_the_pack_and_answers(site, handover, settings):
    settings.MAIL_PROVIDER, settings.IS_DEMO = "mailbox", True
    settings.MAILBOX = site.log.parent / "mailbox"
    school = site.open(f"/handovers/{handover.id}/guest/", by=site.cast.head, width=PHONE)
    site.check(school)
    site.press(school, "Send the guest page")
    site.check(school)  # with errors
    school.get_by_label("Whom is it for?").fill("Ina Moss")
    school.get_by_label("Their e-mail address at work").fill("ina.moss@hospital.example")
    school.get_by_label("I have rung them").check()
    site.press(school, "Send the guest page")
    assert "Sent. You see here when it has been opened." in school.inner_text("main")
    site.check(school)
    assert send(site.one, provider=provider_for(site.one.id), at=timezone.now()) == 1
    letter = post(site)[0]
    assert "Wren" not in f"{letter.subject} {letter.text}"

    phone = site.open(re.search(r"/guest/[\w-]+/open/", letter.text)[0], width=PHONE)
    site.check(phone)
    assert CHILD not in phone.content()
    site.press(phone, "Send me a code")
    site.check(phone)
    site.press(phone, "Open this")
    site.check(phone)  # with errors
    phone.get_by_label("Code", exact=True).fill(post(site)[0].code)
    for box, value in (("Day", "1"), ("Month", "5"), ("Year", "2016")):
        phone.get_by_label(box, exact=True).fill(value)
    site.press(phone, "Open this")
    assert CHILD in phone.inner_text("main")
    site.check(phone)
    site.press(phone, "I have read the emergency steps and know where the medicine is")
    site.press(phone, "Send this to the school")
    site.check(phone)  # with errors
    phone.get_by_label("We cannot take the child").check()
    phone.get_by_label("What else do you need").fill("No bed before January.")
    phone.get_by_label("If you cannot: what could be done instead?").fill("The named officer arranges tuition.")
    phone.get_by_label("The home authority").check()
    site.press(phone, "Send this to the school")
    site.check(phone)
    assert CHILD not in phone.content()

    school.goto(site.address(f"/handovers/{handover.id}/"))
    assert "The named officer arranges tuition." in school.inner_text("main")
    site.check(school)
    with inside(site.one):
        assert Handover.objects.get().state == "declined"
        assert ReadEntry.objects.filter(why=ReadEntry.Why.LINK, child_ids__contains=[handover.pupil_id]).exists()


SAYS = {
    "Whom can they ring at your school?": "Sam Stone",
    "Telephone number": "01632 960009",
    "Year group": "Year 5",
    "A parent or carer who has parental responsibility": "Pat Parent",
    "What is the condition, in a few words?": "Epilepsy",
    "What to do now": "Lay Wren down.",
    "Call 999 if": "It lasts five minutes.",
    **WRITTEN,
}


def test_a_home_school_without_handrail_reads_the_notice_and_sends_the_pack(site, settings):
    settings.MAIL_PROVIDER, settings.IS_DEMO = "mailbox", True
    settings.MAILBOX = site.log.parent / "mailbox"
    who = {"by": site.cast.hospital, "at": timezone.now()}
    with inside(site.two):
        setting = places.confirm_setting(
            school=site.cast.far, name="", kind="hospital", ring="Ina Moss", telephone="1", **who
        )
        day = {"born_on": date(2016, 5, 1), "admitted_on": timezone.localdate()}
        home = Home("999", "Nowhereshire", "", "800001", "Some School")
        made = admissions.admit(setting=setting, name=CHILD, home=home, is_urgent=True, **day, **who)
    ward = site.open(f"/handovers/{made.id}/", by=site.cast.hospital, authority=site.two, width=PHONE)
    site.check(ward)
    site.press(ward, "Send a guest page")
    ward.get_by_label("Whom is it for?").fill("Sam Stone")
    ward.get_by_label("Their e-mail address at work").fill("sam.stone@school.example")
    ward.get_by_label("I have rung them").check()
    site.check(ward)
    site.press(ward, "Send the guest page")
    site.check(ward)
    assert send(site.two, provider=provider_for(site.two.id), at=timezone.now()) == 1
    letter = post(site, site.two)[0]
    assert "Wren" not in f"{letter.subject} {letter.text}"

    address = re.search(r"/guest/[\w-]+/open/", letter.text)[0]
    home_school = site.open(address, authority=site.two, width=PHONE)
    site.press(home_school, "Send me a code")
    home_school.get_by_label("Code", exact=True).fill(post(site, site.two)[0].code)
    for box, value in (("Day", "1"), ("Month", "5"), ("Year", "2016")):
        home_school.get_by_label(box, exact=True).fill(value)
    site.press(home_school, "Open this")
    site.check(home_school)
    assert CHILD in home_school.inner_text("main")
    site.press(home_school, "Send this")
    site.check(home_school)  # with errors
    for label, words in SAYS.items():
        home_school.get_by_label(label).fill(words)
    site.press(home_school, "Save, and go on later")
    assert "It is not sent yet." in home_school.inner_text("main")
    home_school.get_by_label("Which authority does the child live in?").select_option("Barsetshire")
    home_school.get_by_label("Stays on the home school").check()
    home_school.get_by_label("Physical health").check()
    home_school.get_by_label("Female", exact=True).check()
    for question in ("safeguarding leads", "looked after", "teach the child at home"):
        home_school.get_by_role("group", name=question).get_by_label("No", exact=True).check()
    site.press(home_school, "Send this")
    site.check(home_school)
    assert "You sent what they need" in home_school.inner_text("main")
    ward.reload()
    site.check(ward)
    assert "Sam Stone sent a pack" in ward.inner_text("main")
