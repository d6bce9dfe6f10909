"""A key is made, used and revoked; an analyst copies what Power BI needs, and tries an address."""

from datetime import timedelta

import pytest
from django.utils import timezone
from factories import person

from handrail.accounts.roles import Role
from handrail.core.calendar import day_of
from handrail.policies.models import PolicyReview
from handrail.reporting.actions import make_key
from handrail.reporting.models import Scope
from tenants.context import inside

pytestmark = pytest.mark.browser

ASK = """async ([path, key, body]) => {
    const headers = {Authorization: `Bearer ${key}`, "Content-Type": "application/json"};
    const answer = await fetch(path, body ? {method: "POST", headers, body: JSON.stringify(body)} : {headers});
    return [answer.status, await answer.json()];
}"""
"""What a program does; in the browser, which knows where names below localhost are."""


def test_a_key_is_made_used_and_revoked(site):
    with inside(site.one):
        lead = person("dan@barsetshire.example", Role.DATA_PROTECTION_LEAD)
    page = site.open("/data/", by=lead)
    site.press(page, "Make or revoke a key", role="link")
    site.check_at_each_width(page)
    site.press(page, "Make a key")
    site.check_at_each_width(page)
    site.press(page, "Make this key")
    assert page.title().startswith("Error: ")
    page.get_by_label("What will use it?").fill("Power BI report")
    page.get_by_label("Read schools and policies").check()
    page.get_by_label("Record reviews of policies").check()
    page.get_by_label("Send sickness returns").check()
    site.press(page, "Make this key")
    site.check_at_each_width(page)
    key = page.inner_text("main code")
    _, read = page.evaluate(ASK, ["/api/v1/schools", key, None])
    assert [row["urn"] for row in read["data"]] == ["900001", "900002"]
    review = {"urn": "900001", "kind": "medical_conditions", "outcome": "no_change"}
    review["reviewed_on"] = (day_of(timezone.now()) - timedelta(days=1)).isoformat()
    for result in ("made", "unchanged"):
        _, written = page.evaluate(ASK, ["/api/v1/policy-reviews", key, review])
        assert written["data"]["result"] == result
    with inside(site.one):
        assert PolicyReview.objects.get().recorded_by_name == f"Power BI report, with a key of {lead.name}"
    site.press(page, "I have copied it, continue")
    assert "handrail_" not in page.inner_text("main")
    site.check_at_each_width(page)
    site.press(page, "Revoke this key")
    site.check_at_each_width(page)
    site.press(page, "Revoke this key")
    assert "Power BI report opens nothing any more." in page.inner_text("main")
    assert page.evaluate(ASK, ["/api/v1/schools", key, None])[0] == 401


def test_what_power_bi_needs_is_copied(site):
    with inside(site.one):
        analyst = person("arun@barsetshire.example", Role.ANALYST)
    page = site.open("/data/", by=analyst)
    site.check_at_each_width(page)
    with page.expect_navigation():
        page.locator("main").get_by_role("link", name="Policies", exact=True).click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("summary", has_text="Power BI and Excel").click()
    page.get_by_role("button", name="Copy for Power BI and Excel").click()
    page.get_by_role("status").filter(has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("let\n    Source = Web.Contents(")
    assert site.address("").rstrip("/") in copied
    site.check_at_each_width(page)


def test_an_address_is_tried_in_the_browser(site):
    """Swagger UI is another's: it must work under our policy for scripts and styles, and is not held to our look."""
    now = timezone.now()
    with inside(site.one):
        expires_on = day_of(now) + timedelta(days=3)
        _, secret = make_key(name="Try", scopes=[Scope.SCHOOL], expires_on=expires_on, by=site.cast.admin, at=now)
    page = site.open("/data/reference/", by=site.cast.officer)
    page.locator(".opblock-summary").first.wait_for()
    page.locator(".auth-wrapper .authorize").first.click()
    asked = page.locator(".auth-container", has_text="bearer").first
    asked.locator("input").first.fill(secret)
    asked.locator("button.authorize").click()
    asked.get_by_text("Logout", exact=True).wait_for()
    page.locator(".modal-ux .btn-done").first.click()
    schools = page.locator("#operations-Schools-list_schools")
    schools.locator(".opblock-summary-control").click()
    schools.get_by_role("button", name="Try it out").click()
    schools.get_by_role("button", name="Execute").click()
    schools.locator(".live-responses-table .response-col_description").get_by_text("900001").first.wait_for()
    assert page.said == []
