"""A school logs a review of a policy, on its phone and at its desk."""

import io
from datetime import timedelta

import pypdf
import pytest
from django.utils import timezone

from handrail.core.jinja import long_date
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
        page.get_by_role(role, name=name).first.click()
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
