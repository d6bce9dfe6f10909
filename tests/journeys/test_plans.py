"""A whole plan in a real browser: from the day the school is told to active, reviewed on a phone, and two at once."""

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone
from factories import PupilFactory, emergency

from handrail.core.calendar import day_of
from handrail.plans import actions, versions
from handrail.plans.actions import Agreed
from handrail.plans.cycle import yearly
from handrail.plans.models import HealthcarePlan, PlanReview, PlanVersion, Stage
from tenants.context import inside
from workflows.packs import work_on_packs

pytestmark = pytest.mark.browser
PHONE = 320


@pytest.fixture
def poppy(site):
    with inside(site.one):
        return PupilFactory(school=site.cast.oak, name="Poppy Canarywright")


@pytest.fixture
def active(site, poppy):
    began = timezone.now() - timedelta(days=200)
    who, on = {"by": site.cast.head, "at": began}, day_of(began)
    with inside(site.one):
        plan = actions.notify(pupil=poppy, notified_on=on, told_by="parent", **who)
        plan = actions.decide(plan=plan, is_needed=True, decided_on=on, agreed_with="Mum", reason="", **who)
        versions.write_emergency(pupil=poppy, says=emergency(), based_on=0, **who)
        versions.write_section(
            pupil=poppy, section="trips", answers={"trips": "Both pens go with her."}, based_on=1, **who
        )
        plan = actions.ask_for_agreement(plan=plan, **who)
        for party, name in (("parent", "Grace Cole"), ("health", "Nurse Nell")):
            actions.record_agreement(plan=plan, agreed=Agreed(party=party, name=name, agreed_on=on), **who)
        return actions.sign_off(plan=plan, **who)


def test_a_new_plan_from_the_day_the_school_is_told_to_active(site, poppy):
    page = site.open(f"/children/{poppy.id}/plan/", by=site.cast.head)
    site.check(page)
    site.press(page, "Record that the school was told")
    site.check(page)
    site.press(page, "Record this")
    site.check(page)  # with errors
    page.get_by_label("Parent or carer").check()
    site.press(page, "Record this")
    site.press(page, "Decide whether a plan is needed")
    site.check(page)
    page.get_by_label("Yes").check()
    page.get_by_label("Who agreed?").fill("Mum, and Nurse Nell")
    site.press(page, "Record this decision")
    site.check(page)
    site.press(page, "Write “The condition”", role="link")
    site.check(page)
    page.get_by_label("Epilepsy").check()
    page.get_by_label("What can bring it on?").fill("Tiredness.")
    site.press(page, "Save this section")
    page.get_by_label("What kinds of seizure are there, and what helps?").fill("Convulsive, under five minutes.")
    site.check(page)
    site.press(page, "Save this section")
    site.press(page, "Write the emergency steps", role="link")
    page.get_by_label("Condition").fill("Epilepsy")
    page.get_by_label("What to do now").fill("Stay calm.\nTime it.")
    page.get_by_label("Call 999 if").fill("It lasts five minutes.")
    site.press(page, "Save this plan")
    page.goto(site.address(f"/children/{poppy.id}/plan/"))
    site.check(page)
    site.press(page, "Ask for agreement")
    site.check(page)
    site.press(page, "Ask for agreement")
    for party, name in (("Parent or carer", "Grace Cole"), ("Health professional", "Nurse Nell")):
        site.press(page, "Record an agreement")
        site.check(page)
        page.get_by_label(party).check()
        page.get_by_label("Their name").fill(name)
        page.get_by_label("They agree").check()
        page.get_by_label("In person").check()
        site.press(page, "Record this")
    site.press(page, "Sign off this plan")
    site.check(page)
    site.press(page, "Sign off this plan")
    site.check(page)
    assert "The plan is active" in page.inner_text("main")
    with inside(site.one):
        plan = HealthcarePlan.objects.get(pupil=poppy)
        assert (plan.stage, plan.due_on) == (Stage.ACTIVE, yearly(day_of(timezone.now())))


def test_a_review_with_no_change_is_two_pages_on_a_phone(site, active, poppy):
    page = site.open(f"/schools/{site.cast.oak.urn}/plans/", by=site.cast.head, width=PHONE)
    site.check(page)
    site.press(page, "Poppy Canarywright", role="link")
    site.check(page)
    site.press(page, "Review this plan")
    site.check(page)
    site.press(page, "Continue")
    site.check(page)  # with an error
    page.get_by_label("Yes, no change").check()
    site.press(page, "Continue")
    site.check(page)
    site.press(page, "Record this review")
    site.check(page)
    assert "Review recorded" in page.inner_text("main")
    with inside(site.one):
        review = PlanReview.objects.get()
        assert review.outcome == "no_change"
        assert {each.party for each in review.version.agreements.all()} == {"parent", "health", "school"}


def test_two_people_at_one_section_lose_nothing(site, active, poppy):
    address = f"/children/{poppy.id}/plan/sections/trips/"
    hana = site.open(address, by=site.cast.head)
    cal = site.open(address, by=site.cast.colleague)
    question = "What is different on trips, in sport and in clubs?"
    cal.get_by_label(question).fill("Cal’s words.")
    site.press(cal, "Save this section")
    hana.get_by_label(question).fill("Hana’s words.")
    site.press(hana, "Save this section")
    site.check(hana)
    assert "Cal’s words." in hana.inner_text("main")
    assert hana.get_by_label(question).input_value() == "Hana’s words."
    hana.get_by_label(question).fill("Hana’s words. Cal’s words.")
    site.press(hana, "Save my version")
    with inside(site.one):
        said = [version.answers["trips"]["trips"] for version in PlanVersion.objects.of_child(poppy)[:3]]
    assert said == ["Hana’s words. Cal’s words.", "Cal’s words.", "Both pens go with her."]


def test_the_pages_of_a_trip_are_chosen_and_printed(site, active, poppy):
    page = site.open(f"/schools/{site.cast.oak.urn}/plans/print/", by=site.cast.head, width=PHONE)
    site.check(page)
    site.press(page, "Print these pages")
    site.check(page)  # with an error
    page.get_by_label("Poppy Canarywright").check()
    for name in ("Print these pages", "Print a class list", "Print a trip list", "Print the first-aid list"):
        with page.expect_response(lambda answer: answer.request.method == "POST") as printed:
            page.get_by_role("button", name=name).click()
        assert printed.value.headers["content-type"] == "application/pdf"
        page.goto(site.address(f"/schools/{site.cast.oak.urn}/plans/print/"))
        page.get_by_label("Everybody at the school who has one").check()


@pytest.mark.parametrize("page", ["rest", "changed", "coordinator", "agreement", "review/end/left", "review/agreed"])
def test_its_other_pages(site, active, poppy, page):
    opened = site.open(f"/children/{poppy.id}/plan/{page}/", by=site.cast.head, width=PHONE)
    site.check(opened)


def test_who_must_know_a_plan_reads_it(site, active, poppy):
    lead = site.open(f"/children/{poppy.id}/plan/readers/", by=site.cast.head)
    site.check(lead)
    site.press(lead, "Choose who must know it")
    site.check(lead)
    lead.get_by_label("Cal Colleague").check()
    lead.get_by_label("Who else, without an account?").fill("Mo Midday\nSue Supply")
    site.press(lead, "Save these people")
    site.check(lead)
    site.press(lead, "Record as read by Mo Midday")
    site.check(lead)
    asked = site.open("/", by=site.cast.colleague, width=PHONE)
    site.check(asked)
    site.press(asked, "1 plan for you to read", role="link")
    site.check(asked)
    site.press(asked, "Poppy Canarywright", role="link")
    site.check(asked)
    site.press(asked, "Confirm that I have read this plan")
    site.check(asked)
    asked.goto(site.address("/plans-to-read/"))
    site.check(asked)
    for width in (PHONE, 1280):
        page = site.open(f"/children/{poppy.id}/plan/readers/", by=site.cast.head, width=width)
        site.check(page)
        page.goto(site.address(f"/schools/{site.cast.oak.urn}/plans/"))
        site.check(page)


def test_the_pack_of_all_pages_is_downloaded(site, active):
    for width in (1280, PHONE):
        page = site.open(f"/schools/{site.cast.oak.urn}/pack/", by=site.cast.head, width=width)
        site.check(page)
    with override_settings(DOCUMENT_STORE=site.log.parent / "documents"):
        assert work_on_packs(site.one) == 1
    page.reload()
    site.check(page)
    with page.expect_download() as given:
        page.get_by_role("button", name="Download the pack (PDF)").click()
    assert given.value.suggested_filename.startswith("emergency-pages-")
