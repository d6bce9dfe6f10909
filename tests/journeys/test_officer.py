"""An officer chases the schools that are overdue; and every page of every role is accessible and fits a phone."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from factories import PupilFactory, SchoolFactory

from handrail.core.calendar import day_of, month_end_before
from handrail.notices.models import Notice
from handrail.overview.plan_counts import count_plans
from handrail.plans.models import HealthcarePlan, PlanVersion, Stage
from handrail.policies.models import Policy
from tenants.context import inside

pytestmark = pytest.mark.browser

SCHOOL = "/schools/900001/"
POLICY = f"{SCHOOL}policies/medical_conditions/"
OFFICERS_PAGES = (
    "/",
    "/schools/",
    "/schools/?q=nothing",
    "/schools/?phase=nonsense",
    SCHOOL,
    f"{SCHOOL}policies/",
    f"{SCHOOL}people/",
    f"{SCHOOL}activity/",
    f"{SCHOOL}contacts/",
    POLICY,
    f"{POLICY}details/",
    f"{POLICY}published/",
    f"{POLICY}not-needed/",
    f"{POLICY}review/",
    "/chase/",
    "/plan-reviews/",
    "/plan-reviews/schools/",
    "/authority/policy/",
    "/imports/",
    "/messages/undelivered/",
)
SCHOOLS_PAGES = (
    "/",
    "/account/calendar/",
    SCHOOL,
    f"{SCHOOL}policies/",
    f"{SCHOOL}people/",
    f"{SCHOOL}activity/",
    "/settings/",
    "/schools/",
)


@pytest.fixture
def overdue(site):
    """Oak School's medical conditions policy, twenty days overdue."""
    with inside(site.one):
        due = day_of(timezone.now()) - timedelta(days=20)
        policy = Policy.objects.get(school=site.cast.oak, kind="medical_conditions")
        policy.last_reviewed_on, policy.next_review_on = due - timedelta(days=365), due
        policy.lead_name, policy.lead_email = "Lee Lead", "lead@oak.example"
        policy.save()
    return policy


def test_officer_chases(site, overdue, width):
    """From the number on the first page to a reminder that is owed, seen on the school's record."""
    page = site.open("/", by=site.cast.officer, width=width)
    site.press(page, "overdue", role="link")
    site.check(page)
    with page.expect_navigation():
        page.locator(f"button[value='{overdue.id}']").click()
    site.check(page)
    assert "Oak School" in page.inner_text(".app-letter")
    with page.expect_navigation():
        page.locator("main form button").first.click()
    site.check(page)
    assert page.locator(".govuk-notification-banner").count() == 1
    with inside(site.one):
        [notice] = Notice.objects.filter(subject_id=overdue.id)
        assert (notice.recipient, notice.sent_by) == ("lead@oak.example", site.cast.officer.id)
    page.goto(site.address(f"{SCHOOL}activity/"))
    site.check(page)


@pytest.mark.parametrize(("who", "paths"), [("admin", OFFICERS_PAGES), ("head", SCHOOLS_PAGES)])
@pytest.mark.parametrize("is_filled", [False, True])
def test_every_page_is_accessible_and_fits(site, request, who, paths, is_filled, width, full):
    if is_filled:
        request.getfixturevalue("overdue")
    elif not full:
        pytest.skip("with nothing in it with --full")
    page = site.open("/", by=getattr(site.cast, who), width=width)
    for path in paths:
        page.goto(site.address(path))
        page.said.clear()  # a refused page says so in the console too
        site.check(page)


def test_how_plans_stood_in_each_month(site, width):
    on = day_of(timezone.now())
    with inside(site.one):
        for school, in_date, overdue, condition in (
            (site.cast.oak, 20, 0, "asthma"),
            (site.cast.elm, 9, 3, "gastric_feeding"),
        ):
            for days in [100] * in_date + [-3] * overdue:
                child = PupilFactory(school=school)
                plan = HealthcarePlan.objects.create(pupil=child, stage=Stage.ACTIVE, due_on=on + timedelta(days=days))
                said = {"condition": {"kind": condition}}
                PlanVersion.objects.create(plan=plan, number=1, made_at=timezone.now(), sections=said)
        earlier = month_end_before(month_end_before(on)) - timedelta(days=1)
        for day in (earlier, on):
            count_plans(on=day)
    page = site.open("/plan-reviews/", by=site.cast.officer, width=width)
    assert page.get_by_role("row", name="Gastric feeding 10").is_visible()
    site.check(page)
    site.press(page, earlier.strftime("%B %Y"), role="link")
    assert "Month by month" not in page.inner_text("main")
    site.check(page)
    site.press(page, "See the numbers by school", role="link")
    assert "Hidden" in page.inner_text("main")
    site.check(page)
    site.press(page, "Back to reviews of plans", role="link")
    site.press(page, "Back to the newest numbers", role="link")
    assert "Month by month" in page.inner_text("main")


def test_officer_moves_the_children_of_a_closed_school(site, register_row, owner_sql, width):
    """From the first page, where a closed school stands, to its record once nothing is left there."""
    with inside(site.one):
        old = SchoolFactory(urn="900011", name="Overcombe Primary School", closed_on=date(2026, 8, 31))
        SchoolFactory(urn="900012", name="Overcombe Academy")
        PupilFactory(school=old)
    register_row("900011", status_code=2)
    register_row("900012")
    link = "INSERT INTO public.tenants_establishmentlink (urn, link_urn, link_type) VALUES (%s, %s, %s)"
    owner_sql(link, "900011", "900012", "Successor - merged")
    page = site.open("/", by=site.cast.officer, width=width)
    site.check(page)
    site.press(page, "See where they go on", role="link")
    site.check(page)
    assert "Overcombe Academy followed it" in page.inner_text("main")
    site.press(page, "Move the children")
    site.check(page)
    assert "are now at Overcombe Academy" in page.inner_text("main")
    page.goto(site.address("/schools/900011/closed/"))
    site.check(page)
    assert "No child is on the list" in page.inner_text("main")
