"""The pages of a whole plan, asked for as a browser does: what they do, what they refuse, and the record of reads."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from factories import PupilFactory, emergency, person, sign_in

from handrail.accounts.roles import Role
from handrail.core.calendar import day_of
from handrail.core.models import ReadEntry
from handrail.plans import actions, versions
from handrail.plans.actions import Agreed
from handrail.plans.cycle import yearly
from handrail.plans.models import HealthcarePlan, PlanReview, Stage
from tenants.context import inside

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch, at):
    """Pages are asked for at the moment of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)


@pytest.fixture
def today(at):
    return day_of(at)


@pytest.fixture
def poppy(one, cast):
    with inside(one):
        return PupilFactory(school=cast.oak, name="Poppy Canarywright")


@pytest.fixture
def lead(one, cast):
    return browser_of(one, cast.head)


def browser_of(one, user):
    browser = Client(HTTP_HOST=one.host)
    with inside(one):
        sign_in(browser, user)
    return browser


@pytest.fixture
def active(one, cast, at, today, poppy):
    who = {"by": cast.head, "at": at - timedelta(days=100)}
    on = day_of(who["at"])
    with inside(one):
        plan = actions.notify(pupil=poppy, notified_on=on, told_by="parent", **who)
        plan = actions.decide(plan=plan, is_needed=True, decided_on=on, agreed_with="Mum", reason="", **who)
        versions.write_emergency(pupil=poppy, says=emergency(), based_on=0, **who)
        plan = actions.ask_for_agreement(plan=plan, **who)
        for party, name in (("parent", "Grace Cole"), ("health", "Nurse Nell")):
            actions.record_agreement(plan=plan, agreed=Agreed(party=party, name=name, agreed_on=on), **who)
        return actions.sign_off(plan=plan, **who)


def boxes(name, day):
    return {f"{name}_day": day.day, f"{name}_month": day.month, f"{name}_year": day.year}


def plan_of(one, poppy):
    with inside(one):
        return HealthcarePlan.objects.get(pupil=poppy)


class TestOnItsWay:
    def test_from_told_to_active(self, one, cast, at, lead, poppy, today):
        plan = f"/children/{poppy.id}/plan/"
        assert "Nobody has recorded that this child has a medical condition" in lead.get(plan).text
        page = lead.post(f"{plan}told/", {"told_by": "parent", **boxes("notified_on", today)}, follow=True)
        assert "it should be ready by" in page.text
        page = lead.post(
            f"{plan}decide/",
            {"is_needed": "yes", "agreed_with": "Mum and the nurse", **boxes("decided_on", today)},
            follow=True,
        )
        assert "Now write the plan" in page.text
        page = lead.post(f"{plan}sections/trips/", {"trips": "Both pens\ngo with her.", "based_on": 0}, follow=True)
        assert "Saved “Trips and activities”." in page.text
        assert "Both pens\ngo with her." in page.text
        page = lead.post(f"{plan}ask/")
        assert "Write what to do in an emergency first" in page.text
        with inside(one):
            versions.write_emergency(pupil=poppy, says=emergency(), based_on=1, by=cast.head, at=at)
        lead.post(f"{plan}ask/")
        assert plan_of(one, poppy).stage == Stage.AWAITING
        for party in ("parent", "health"):
            form = {"party": party, "name": "Grace", "is_agreed": "yes", "how": "phone", **boxes("agreed_on", today)}
            lead.post(f"{plan}agreement/", form)
        page = lead.post(f"{plan}sign-off/", follow=True)
        assert "The plan is active" in page.text
        assert plan_of(one, poppy).due_on == yearly(today)

    def test_a_child_who_starts_after_a_weekend_has_a_plan_on_the_friday(self, one, cast, lead, today):
        """`today` is Monday 23 November 2026, and the child comes a week later."""
        with inside(one):
            child = PupilFactory(school=cast.oak, joined_on=today + timedelta(days=7))
        lead.post(f"/children/{child.id}/plan/told/", {"told_by": "parent", **boxes("notified_on", today)})
        assert plan_of(one, child).due_on == today + timedelta(days=4)
        assert "Joins on 30 November 2026" in lead.get(f"/schools/{cast.oak.urn}/plans/").text
        assert "1 healthcare plan to see to" in lead.get("/").text

    def test_a_plan_that_is_not_needed_says_why(self, one, lead, poppy, today):
        at = f"/children/{poppy.id}/plan/"
        lead.post(f"{at}told/", {"told_by": "parent", **boxes("notified_on", today)})
        form = {"is_needed": "no", "agreed_with": "Mum", **boxes("decided_on", today)}
        page = lead.post(f"{at}decide/", form)
        assert "Enter why none is needed" in page.text
        page = lead.post(f"{at}decide/", form | {"reason": "Grown out of it."}, follow=True)
        assert "Grown out of it." in page.text
        assert plan_of(one, poppy).stage == Stage.NOT_NEEDED

    def test_two_people_at_one_section_see_both_texts(self, one, cast, lead, poppy, at):
        with inside(one):
            versions.write_section(
                pupil=poppy, section="trips", answers={"trips": "Cal’s words."}, based_on=0, by=cast.colleague, at=at
            )
        address = f"/children/{poppy.id}/plan/sections/trips/"
        page = lead.post(address, {"trips": "Hana’s words.", "based_on": 0})
        assert "saved a newer version while you were writing" in page.text
        assert "Cal’s words." in page.text
        assert "Hana’s words." in page.text
        page = lead.post(address, {"trips": "Both.", "based_on": 1}, follow=True)
        assert "Both." in page.text

    def test_choosing_a_condition_asks_what_that_one_needs(self, lead, poppy):
        address = f"/children/{poppy.id}/plan/sections/condition/"
        assert "What kinds of seizure" not in lead.get(address).text
        page = lead.post(address, {"kind": "epilepsy", "based_on": 0}, follow=True)
        assert page.redirect_chain == [(address, 302)]
        assert "What kinds of seizure" in page.text

    def test_there_is_no_page_of_what_there_is_not(self, lead, poppy):
        at = f"/children/{poppy.id}/plan/"
        assert lead.get(f"{at}decide/").status_code == 404
        assert lead.get(f"{at}sections/nothing/").status_code == 404
        assert lead.get(f"{at}review/").status_code == 404

    def test_a_lead_chooses_who_keeps_it_in_date(self, one, cast, lead, active, poppy):
        address = f"/children/{poppy.id}/plan/coordinator/"
        with inside(one):
            governor = person("governor@oak.example", Role.GOVERNOR, school=cast.oak)
        page = lead.post(address, {"coordinator": governor.id})
        assert "Select somebody who may change this school’s plans" in page.text
        lead.post(address, {"coordinator": cast.head.id})
        assert plan_of(one, poppy).coordinator_id == cast.head.id

    def test_pausing_and_taking_up_again(self, one, lead, active, poppy, today):
        at = f"/children/{poppy.id}/plan/"
        assert "Enter why" in lead.post(f"{at}rest/", {"stage": "suspended"}).text
        lead.post(f"{at}rest/", {"stage": "suspended", "reason": "In hospital."})
        assert plan_of(one, poppy).due_on is None
        lead.post(f"{at}resume/")
        assert plan_of(one, poppy).due_on == today + timedelta(days=14)

    def test_what_has_changed_brings_the_review_forward(self, one, lead, active, poppy, today):
        at = f"/children/{poppy.id}/plan/"
        form = {"trigger": "discharged", **boxes("happens_on", today + timedelta(days=1))}
        assert "must be today or in the past" in lead.post(f"{at}changed/", form).text
        page = lead.post(f"{at}changed/", form | boxes("happens_on", today), follow=True)
        assert "Came out of hospital" in page.text
        assert plan_of(one, poppy).due_on == today + timedelta(days=14)


class TestReview:
    def test_with_no_change_takes_two_pages(self, one, lead, active, poppy, today):
        at = f"/children/{poppy.id}/plan/review/"
        page = lead.get(at)
        assert "Is this plan still right?" in page.text
        assert emergency().steps[0] in page.text
        page = lead.post(at, {"answer": "right"}, follow=True)
        assert page.redirect_chain == [(f"{at}agreed/", 302)]
        assert "Grace Cole" in page.text, "who agreed last time is there already"
        form = {"parent": "Grace Cole", "day": "today", **boxes("next_due_on", yearly(today))}
        page = lead.post(f"{at}agreed/", form, follow=True)
        assert "Review recorded" in page.text
        with inside(one):
            review = PlanReview.objects.get()
            assert (review.outcome, review.reviewed_on, review.next_due_on) == ("no_change", today, yearly(today))
            assert review.version.agreements.latest("recorded_at").name == "Grace Cole"

    def test_asks_to_look_twice_at_a_plan_without_a_health_professional(self, one, lead, active, poppy):
        with inside(one):
            for version in active.versions.all():
                version.agreements.filter(party="health").delete()
        at = f"/children/{poppy.id}/plan/review/"
        page = lead.post(at, {"answer": "right"})
        assert "No health professional has agreed to it." in page.text
        page = lead.post(at, {"answer": "right", "looked": "yes"})
        assert page.headers["Location"] == f"{at}agreed/"

    def test_refuses_nobody_and_a_date_too_far_away(self, one, lead, active, poppy, today):
        at = f"/children/{poppy.id}/plan/review/agreed/"
        form = {"day": "today", **boxes("next_due_on", yearly(today) + timedelta(days=1))}
        page = lead.post(at, form)
        assert "Enter the name of at least one person who agreed" in page.text
        assert "Date of the next review must be after the review and by" in page.text
        with inside(one):
            assert PlanReview.objects.count() == 0

    def test_may_end_with_the_child_leaving(self, one, lead, active, poppy):
        at = f"/children/{poppy.id}/plan/review/"
        page = lead.post(at, {"answer": "left"}, follow=True)
        assert "The child has left" in page.text
        page = lead.post(f"{at}end/left/", {"reason": "Moved away."})
        assert page.headers["Location"] == f"/children/{poppy.id}/left/"
        assert plan_of(one, poppy).stage == Stage.CLOSED

    def test_of_a_draft_leads_back(self, one, lead, poppy, at, cast):
        with inside(one):
            versions.write_emergency(pupil=poppy, says=emergency(), based_on=0, by=cast.head, at=at)
        assert lead.get(f"/children/{poppy.id}/plan/review/").headers["Location"] == f"/children/{poppy.id}/plan/"


class TestCoverage:
    def test_of_an_active_plan_says_what_is_not_in_place(self, lead, active, poppy):
        page = lead.get(f"/children/{poppy.id}/plan/").text
        assert "The child is not covered yet" in page
        assert "Nobody is trained for this child" in page

    def test_is_not_asked_of_a_plan_on_its_way(self, one, cast, lead, poppy, at):
        with inside(one):
            versions.write_emergency(pupil=poppy, says=emergency(), based_on=0, by=cast.head, at=at)
        assert "covered" not in lead.get(f"/children/{poppy.id}/plan/").text


class TestList:
    def test_shows_the_schools_own_and_records_each(self, one, cast, at, lead, active, poppy):
        with inside(one):
            other = PupilFactory(school=cast.elm, name="Otto Other")
            versions.write_emergency(pupil=other, says=emergency(), based_on=0, by=cast.head, at=at)
        page = lead.get(f"/schools/{cast.oak.urn}/plans/")
        assert "Poppy Canarywright" in page.text
        assert "Otto Other" not in page.text
        with inside(one):
            read = ReadEntry.objects.latest("written_at")
            assert (read.group, read.verb, read.child_ids) == ("plan", "list", [poppy.id])
        assert lead.get(f"/schools/{cast.elm.urn}/plans/").status_code == 404

    def test_finds_by_two_letters_and_by_status(self, one, cast, lead, active, poppy):
        at = f"/schools/{cast.oak.urn}/plans/"
        assert "Poppy" in lead.post(at, {"letters": "ca"}).text
        assert "Poppy" not in lead.post(at, {"letters": "zz"}).text
        assert "Poppy" in lead.get(f"{at}?status=in_date").text
        assert "Poppy" not in lead.get(f"{at}?status=overdue").text

    def test_asks_as_many_questions_of_ten_plans_as_of_one(self, one, cast, lead, active, at):
        address = f"/schools/{cast.oak.urn}/plans/"
        lead.get(address)
        with CaptureQueriesContext(connection) as few:
            lead.get(address)
        with inside(one):
            for number in range(9):
                child = PupilFactory(school=cast.oak, name=f"Child {number}")
                versions.write_emergency(pupil=child, says=emergency(), based_on=0, by=cast.head, at=at)
        with CaptureQueriesContext(connection) as many:
            lead.get(address)
        assert len(many) == len(few)


class TestWhoMay:
    def test_a_teacher_of_a_setting_reads_and_changes_nothing(self, one, cast, poppy, active):
        with inside(one):
            teacher = person("teacher@oak.example", Role.SETTING_TEACHER, school=cast.oak)
        browser = browser_of(one, teacher)
        page = browser.get(f"/children/{poppy.id}/plan/")
        assert page.status_code == 200
        assert "Review this plan" not in page.text
        assert browser.get(f"/children/{poppy.id}/plan/review/").status_code == 403

    def test_somebody_of_another_school_finds_nothing(self, one, cast, poppy, active):
        browser = browser_of(one, cast.neighbour)
        for page in ("", "review/", "sections/daily/", "agreement/"):
            assert browser.get(f"/children/{poppy.id}/plan/{page}").status_code == 404
