"""A school logs a review of a policy, on its phone and at its desk."""

import io
import re
from datetime import timedelta

import pypdf
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from handrail.core.jinja import long_date
from handrail.policies import actions
from handrail.policies.models import Kind, Policy, PolicyReview
from tenants.context import inside

pytestmark = pytest.mark.browser
PHONE = 320


@pytest.fixture
def policy(site):
    """Oak School's medical conditions policy, overdue by a week and on the school's website."""
    with inside(site.one):
        found = Policy.objects.select_related("school").get(school=site.cast.oak, kind=Kind.MEDICAL_CONDITIONS)
        found.last_reviewed_on = timezone.localdate() - timedelta(days=372)
        found.next_review_on = timezone.localdate() - timedelta(days=7)
        found.published_url = "https://oak.example/policies/medical-conditions"
        found.save()
        return found


def a_pdf():
    writer = pypdf.PdfWriter()
    writer.add_blank_page(width=595, height=842)
    out = io.BytesIO()
    writer.write(out)
    return {"name": "Medical conditions policy.pdf", "mimeType": "application/pdf", "buffer": out.getvalue()}


def test_nothing_changed_takes_three_pages_and_six_taps(site, policy):
    page = site.open(f"/schools/{policy.school.urn}/policies/", by=site.cast.head, width=PHONE)
    site.check(page)
    taps, pages = [], []

    def tap(name, role="button"):
        if role == "radio":
            page.get_by_role(role, name=name).click()
        else:
            site.press(page, name)
        taps.append(name)

    tap("Record a review")
    for choice in ("Reviewed, no change", "Today, "):
        pages.append(page.url)
        tap(choice, role="radio")
    site.check(page)
    tap("Continue")
    pages.append(page.url)
    site.check(page)
    assert page.get_by_label("Web address").input_value() == "https://oak.example/policies/medical-conditions"
    tap("Continue")
    pages.append(page.url)
    site.check(page)
    tap("Record this review")
    assert len(taps) == 6
    assert len(set(pages)) == 3

    due = long_date(timezone.localdate().replace(year=timezone.localdate().year + 1))
    banner = page.get_by_role("alert")
    assert f"Medical conditions policy: review recorded. The next one is due on {due}." in banner.inner_text()
    site.check(page)
    with inside(site.one):
        review = PolicyReview.objects.get()
        assert (review.outcome, review.reviewed_on) == ("no_change", timezone.localdate())


def test_a_new_file_with_errors_on_the_way(site, policy):
    page = site.open(f"/schools/{policy.school.urn}/policies/{policy.id}/", by=site.cast.head, width=PHONE)
    site.check(page)
    site.press(page, "Record a review")

    # Nothing answered, then a date that has not come.
    site.press(page, "Continue")
    site.check(page)
    assert page.locator(".govuk-error-summary").inner_text().splitlines()[1:] == [
        "Select what happened",
        "Select when that was",
    ]
    page.get_by_role("link", name="Select what happened").click()
    page.keyboard.press("Space")
    page.get_by_role("radio", name="Updated").check()
    page.get_by_role("radio", name="Another day").check()
    tomorrow, yesterday = (timezone.localdate() + timedelta(days=days) for days in (1, -1))
    fill_date(page, tomorrow)
    site.press(page, "Continue")
    site.check(page)
    assert page.get_by_role("link", name="Date of review must be today or in the past").is_visible()
    assert page.get_by_label("Year").input_value() == str(tomorrow.year)
    fill_date(page, yesterday)
    site.press(page, "Continue")

    site.press(page, "Continue")
    site.check(page)
    assert page.get_by_role("link", name="Enter which points changed").is_visible()
    page.get_by_label("Which points changed?").fill("Who is trained.\nWhere the kit is kept.")
    page.get_by_role("checkbox", name="School nurses").check()
    page.get_by_role("checkbox", name="Parents and carers").check()
    site.press(page, "Continue")

    # A wrong file; then a right one with a wrong address, and the file is not asked for again.
    page.get_by_label("Web address").fill("oak.example/new-policy")
    upload(site, page, {"name": "policy.pdf", "mimeType": "application/pdf", "buffer": b"Our policy is to be kind."})
    site.check(page)
    assert page.get_by_role("link", name="The selected file must be a PDF, DOCX or ODT").is_visible()
    assert "oak.example/new-policy" in page.get_by_label("Web address").input_value()
    page.get_by_label("Web address").fill("on our website")
    upload(site, page, a_pdf())
    site.check(page)
    assert page.get_by_text("You have uploaded Medical conditions policy.pdf.").is_visible()
    page.get_by_label("Web address").fill("oak.example/new-policy")
    site.press(page, "Continue")
    site.check(page)

    # Change one answer, come straight back, and see the file still there.
    site.press(page, "Change which points changed", role="link")
    page.get_by_role("checkbox", name="Staff", exact=True).check()
    site.press(page, "Continue")
    assert "Parents and carers, Staff, School nurses" in page.inner_text("main")
    assert "Medical conditions policy.pdf" in page.inner_text("main")
    site.press(page, "Record this review")
    assert "review recorded" in page.get_by_role("alert").inner_text()

    page.goto(site.address(f"/schools/{policy.school.urn}/policies/{policy.id}/"))
    site.check(page)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download Medical conditions policy.pdf").click()
    assert downloading.value.suggested_filename == "Medical conditions policy.pdf"
    assert downloading.value.path().read_bytes() == a_pdf()["buffer"]
    with inside(site.one):
        review = PolicyReview.objects.select_related("version").get()
        assert (review.outcome, review.reviewed_on, review.version.number) == ("updated", yesterday, 1)
        assert review.version.published_url == "https://oak.example/new-policy"


def test_without_javascript(site, policy):
    place = f"/schools/{policy.school.urn}/policies/{policy.id}/review/"
    page = site.open(place, by=site.cast.head, width=PHONE, java_script_enabled=False)
    page.get_by_role("radio", name="Reviewed, no change").check()
    page.get_by_role("radio", name="Another day").check()
    assert page.get_by_label("Year").is_visible()
    page.get_by_role("radio", name="Today, ").check()
    site.press(page, "Continue")
    site.press(page, "Continue")
    page.get_by_role("button", name="Record this review").dblclick()
    # The second tap may break off the answer to the first: then it is told that the review is there already.
    told = re.compile("review recorded|recorded this review")
    expect(page.locator(".govuk-notification-banner")).to_contain_text(told, timeout=30_000)
    assert page.url.endswith("/?school=900001")
    with inside(site.one):
        assert PolicyReview.objects.count() == 1


def test_every_page_about_a_policy(site, policy, width):
    with inside(site.one):
        own = Policy.objects.get(school=None)
        Policy.objects.filter(kind=Kind.ALLERGY_SAFETY).update(is_inherited=True)
        Policy.objects.filter(kind=Kind.CANNOT_ATTEND).update(not_needed_reason="No pupils of school age.")
        unneeded = Policy.objects.get(school=policy.school, kind=Kind.CANNOT_ATTEND)
        allergy = Policy.objects.get(school=policy.school, kind=Kind.ALLERGY_SAFETY)
        for days in (372, 40):
            day = timezone.localdate() - timedelta(days=days)
            for each in (policy, own):
                actions.record_review(
                    policy=each,
                    by=site.cast.officer,
                    at=timezone.now(),
                    reviewed_on=day,
                    outcome="updated",
                    involved=["staff", "parents", "nurses"],
                    changed="Who is trained, and by whom.",
                )
    at_school = f"/schools/{policy.school.urn}/policies/"
    pages = ("", "details/", "published/", "approval/", "review/")
    places = [
        at_school,
        f"{at_school}{allergy.id}/",
        f"{at_school}{unneeded.id}/",
        f"{at_school}{unneeded.id}/needed-again/",
    ]
    places += [f"{at_school}{policy.id}/{page}" for page in (*pages, "not-needed/")]
    places += [f"/authority/policy/{page}" for page in pages]
    page = site.open("/", by=site.cast.officer, width=width)
    for place in places:
        page.goto(site.address(place))
        site.check(page)
        submit = page.locator("main form button")
        if submit.count() and "needed-again" not in place and "published" not in place:
            for box in page.locator("main input[type=text], main input[type=email], main textarea").all():
                if box.is_visible():
                    box.fill("")
            with page.expect_navigation():
                submit.click()
            site.check(page)


def fill_date(page, day):
    page.get_by_label("Day", exact=True).fill(str(day.day))
    page.get_by_label("Month").fill(str(day.month))
    page.get_by_label("Year").fill(str(day.year))


def upload(site, page, file):
    page.locator("input[type=file]").set_input_files(file)
    site.press(page, "Continue")
