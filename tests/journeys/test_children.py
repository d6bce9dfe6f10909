"""A school finds a child's emergency plan and changes it; an officer breaks the glass and a lead reviews it."""

import io
from dataclasses import replace

import pypdf
import pytest
from django.utils import timezone
from factories import PupilFactory, emergency, person

from handrail.accounts.roles import Role
from handrail.core.models import ReadEntry
from handrail.notices.models import Notice
from handrail.plans.models import BreakGlass, PlanVersion
from handrail.plans.versions import write_emergency
from tenants.context import inside

pytestmark = pytest.mark.browser
PHONE = 320
REASON = "The school is closed and the hospital asks what to give."


@pytest.fixture
def poppy(site):
    with inside(site.one):
        child = PupilFactory(school=site.cast.oak, name="Poppy Canarywright", known_as="Pip", upn="B801200005001")
        PupilFactory(school=site.cast.oak, name="Ann Ash")
        write_emergency(pupil=child, says=emergency(), based_on=0, by=site.cast.head, at=timezone.now())
        return child


def addresses(page):
    """Every address that the page asks for from now on."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def test_an_emergency_plan_is_two_taps_from_home_on_a_phone(site, poppy):
    page = site.open("/", by=site.cast.head, width=PHONE)
    asked = addresses(page)
    site.check(page)
    page.get_by_role("textbox", name="Find a child").fill("po")
    site.press(page, "Find child")
    site.check(page)
    assert "Ann Ash" not in page.inner_text("main")
    site.press(page, "Emergency plan of Pip", role="link")
    site.check(page)
    text = page.inner_text("main")
    assert "Stay with the child and time the seizure." in text
    assert "Printed" not in text
    assert not [each for each in asked if "po" in each.lower().rsplit("/", 1)[-1] or "Poppy" in each]
    with inside(site.one):
        shown = list(ReadEntry.objects.order_by("at").values_list("group", "verb", "by"))
        assert shown == [("identity", "list", site.cast.head.id), ("emergency", "page", site.cast.head.id)]


def test_the_longest_emergency_plan_fits_one_page_of_paper(site, poppy):
    line = "Give the second dose after five minutes if there is no change, and write the time on the hand"
    longest = replace(emergency(), steps=(line.ljust(120, "."),) * 7)
    with inside(site.one):
        write_emergency(pupil=poppy, says=longest, based_on=1, by=site.cast.head, at=timezone.now())
    page = site.open(f"/children/{poppy.id}/emergency/", by=site.cast.head, width=PHONE)
    site.check(page)
    margin = dict.fromkeys(("top", "bottom", "left", "right"), "12mm")
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4", margin=margin)))
    assert len(printed.pages) == 1
    text = " ".join(printed.pages[0].extract_text().split())
    assert text.count("Give the second dose") == 7
    assert "by Hana Head: check for a newer version." in text
    assert "Change this plan" not in text


def test_two_people_write_at_once_and_neither_loses_text(site, poppy):
    place = f"/children/{poppy.id}/emergency/change/"
    hana = site.open(place, by=site.cast.head, width=PHONE)
    cal = site.open(place, by=site.cast.colleague, width=PHONE)
    site.check(hana)
    hana.get_by_label("Never do").fill("Hold the child down.")
    site.press(hana, "Save this plan")
    site.check(hana)
    cal.get_by_label("What to do now").fill("")
    site.press(cal, "Save this plan")
    site.check(cal)
    cal.get_by_label("What to do now").fill("1. Stay calm.\n2. Time it.")
    site.press(cal, "Save this plan")
    site.check(cal)
    text = cal.inner_text("main")
    assert "Hana Head saved a newer version while you were writing" in text
    assert "Hold the child down." in text
    cal.get_by_label("Never do").fill("Hold the child down.")
    site.press(cal, "Save my version")
    site.check(cal)
    assert "Version 3" in cal.inner_text("main")
    site.press(cal, "See earlier versions", role="link")
    site.check(cal)
    with inside(site.one):
        newest = PlanVersion.objects.of_child(poppy).first()
        assert newest.says.steps == ("Stay calm.", "Time it.")
        assert newest.says.never == ("Hold the child down.",)


def test_adding_a_child_with_mistakes_on_the_way(site, width):
    page = site.open("/schools/900001/children/", by=site.cast.head, width=width)
    site.check(page)
    site.press(page, "Add a child", role="button" if page.get_by_role("button", name="Add a child").count() else "link")
    site.check(page)
    site.press(page, "Add this child")
    site.check(page)
    page.get_by_label("Full name").fill("Poppy Canarywright")
    page.get_by_role("group", name="Date of birth").get_by_label("Day").fill("27")
    page.get_by_role("group", name="Date of birth").get_by_label("Month").fill("3")
    page.get_by_role("group", name="Date of birth").get_by_label("Year").fill("2016")
    page.get_by_label("Unique pupil number").fill("F006200005001")
    site.press(page, "Add this child")
    site.check(page)
    assert "No local authority has had the code 006" in page.inner_text("main")
    for link in ("Record that the child has left", "Change details"):
        page.goto(page.url)
        place = page.url
        page.get_by_text(link).first.click()
        site.check(page)
        page.goto(place)
    site.press(page, "See who looked at this child", role="link")
    site.check(page)
    page.goto(site.address("/schools/900001/children/"))
    site.check(page)


def test_whom_to_ask_about_a_child(site, poppy, width):
    page = site.open(f"/children/{poppy.id}/", by=site.cast.head, width=width)
    site.check(page)
    site.press(page, "Add a contact")
    site.press(page, "Add this contact")
    site.check(page)
    page.get_by_label("Full name").fill("Grace Canarywright")
    page.get_by_label("Relation to the child").fill("Mother")
    page.get_by_label("Phone number").fill("01632 960103")
    page.get_by_label("E-mail address").fill("grace@home.example")
    page.get_by_label("Has parental responsibility").check()
    site.press(page, "Add this contact")
    site.check(page)
    assert "Grace Canarywright" in page.inner_text("main")
    site.press(page, "Change (Grace Canarywright)", role="link")
    site.check(page)
    site.press(page, "Remove this contact", role="link")
    site.check(page)
    site.press(page, "Remove this contact")
    assert "Nobody yet." in page.inner_text("main")


def test_breaking_the_glass_and_its_review(site, poppy):
    with inside(site.one):
        now = timezone.now()
        nora = person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named", at=now)
        dana = person("dana@barsetshire.example", Role.DATA_PROTECTION_LEAD, name="Dana Dataprotect", at=now)
    page = site.open("/", by=nora, width=PHONE)
    asked = addresses(page)
    page.goto(site.address("/emergency-access/"))
    site.check(page)
    page.get_by_label("Child’s full name").fill("Poppy Canarywright")
    page.get_by_label("Day").fill("1")
    page.get_by_label("Month").fill("5")
    page.get_by_label("Year").fill("2015")
    site.press(page, "Open the emergency plan")
    site.check(page)
    page.get_by_label("Why do you need it now?").fill(REASON)
    site.press(page, "Open the emergency plan")
    site.check(page)
    assert "No child matches exactly." in page.inner_text("main")
    page.get_by_label("Year").fill("2016")
    site.press(page, "Open the emergency plan")
    site.check(page)
    assert "Stay with the child and time the seizure." in page.inner_text("main")
    assert not [each for each in asked if "Poppy" in each or "2016" in each]

    with inside(site.one):
        access = BreakGlass.objects.get()
        look = ReadEntry.objects.get(group="emergency")
        assert (look.by, look.why, look.why_id, look.child_ids) == (nora.id, "break_glass", access.id, [poppy.id])
        assert Notice.objects.filter(urgency="now", wording="child_action").count() == 3

    lead = site.open("/", by=dana, width=PHONE)
    site.check(lead)
    site.press(lead, "1 emergency access waits for your review", role="link")
    site.check(lead)
    lead.locator("main table a").first.click()
    lead.wait_for_load_state()
    site.check(lead)
    assert REASON in lead.inner_text("main")
    site.press(lead, "Record this review")
    site.check(lead)
    lead.get_by_label("It was justified").check()
    lead.get_by_label("What did you find?").fill("The hospital confirmed that it asked.")
    site.press(lead, "Record this review")
    site.check(lead)
    assert "Nothing waits for a review" in lead.inner_text("main")
    for place in ("/activity/", "/activity/extract/"):
        lead.goto(site.address(place))
        site.check(lead)
    assert "Poppy" not in lead.content()

    head = site.open("/", by=site.cast.head, width=PHONE)
    site.check(head)
    site.press(head, "Barsetshire opened an emergency plan", role="link")
    site.check(head)
    assert "Nora Named, named officer (section 19)" in head.inner_text("main")
