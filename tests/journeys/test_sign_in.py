"""People sign in, choose a password and sign out; the administrator changes a setting."""

import re

import pytest
from django.utils import timezone

from handrail.core.models import AuthoritySettings
from handrail.notices.mailbox import Mailbox
from handrail.policies.models import Policy
from tenants.context import inside

pytestmark = pytest.mark.browser

PHONE = 320
PASSWORD = "correct horse battery"


def post(site, authority=None):
    """What has arrived in the mailbox of authority one, or another, newest first."""
    return list(Mailbox(site.log.parent / "mailbox" / str((authority or site.one).id)).letters())


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def press(page, name):
    """Press what sends a form, and wait for the page that answers."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def test_the_first_time_with_a_code_from_the_mail(site, width):
    """Asked for a page while signed out, mistakes on the way, and then that page."""
    page = site.open("/account/", width=width)
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    site.check(page)
    press(page, "Send me a code")
    site.check(page)
    assert page.locator(":focus").get_attribute("class") == "govuk-error-summary"
    page.get_by_label("E-mail address").fill("head@oak.example")
    press(page, "Send me a code")
    site.check(page)
    code = post(site)[0].code
    page.get_by_label("6-digit code").fill(wrong(code))
    press(page, "Sign in")
    site.check(page)
    assert page.get_by_label("6-digit code").input_value() == wrong(code)
    page.get_by_label("6-digit code").fill(code)
    press(page, "Sign in")
    assert page.url == site.address("/account/")
    assert page.get_by_role("heading", level=1).inner_text() == "Your account"
    site.check(page)


def test_five_wrong_codes_and_then_a_new_one(site):
    page = site.open("/account/", width=PHONE)
    page.get_by_label("E-mail address").fill("head@oak.example")
    press(page, "Send me a code")
    first = post(site)[0].code
    for _ in range(5):
        page.get_by_label("6-digit code").fill(wrong(first))
        press(page, "Sign in")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    assert page.get_by_text("Too many tries").is_visible()
    site.check(page)
    page.get_by_label("E-mail address").fill("head@oak.example")
    press(page, "Send me a code")
    press(page, "Send a new code")
    codes = [letter.code for letter in post(site)[:2]]
    page.get_by_label("6-digit code").fill(codes[0])
    press(page, "Sign in")
    assert page.url == site.address("/account/")


def test_an_address_that_nobody_knows(site):
    page = site.open("/sign-in/")
    page.get_by_label("E-mail address").fill("nobody@oak.example")
    press(page, "Send me a code")
    site.check(page)
    letter = post(site)[0]
    assert letter.recipient == "nobody@oak.example"
    assert "There is no account with it" in letter.text
    press(page, "Use another e-mail address")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"


def test_with_a_password_set_changed_forgotten_and_reset(site, width):
    page = site.open("/account/", by=site.cast.head, width=width)
    page.get_by_role("link", name=re.compile(r"^Set\s+password")).click()
    site.check(page)
    page.get_by_label("New password", exact=True).fill("short")
    press(page, "Set my password")
    site.check(page)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    press(page, "Set my password")
    site.check(page)
    page.get_by_role("link", name=re.compile(r"^Change\s+password")).click()
    site.check(page)
    page.get_by_label("Current password", exact=True).fill("not this one")
    page.get_by_label("New password", exact=True).fill("violet giraffe lighthouse")
    press(page, "Change my password")
    site.check(page)
    assert page.get_by_text("The current password is wrong").first.is_visible()
    press(page, "Sign out")
    site.check(page)

    page.get_by_role("link", name="Use a password instead").click()
    site.check(page)
    page.get_by_label("E-mail address").fill("head@oak.example")
    page.get_by_label("Password", exact=True).fill("wrong wrong wrong")
    press(page, "Sign in")
    site.check(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    assert page.get_by_role("link", name="Hana Head").is_visible()
    page.goto(site.address("/sign-out/"))
    site.check(page)
    page.get_by_role("main").get_by_role("button", name="Sign out").click()

    page.get_by_role("link", name="Use a password instead").click()
    page.get_by_role("link", name="I have forgotten my password").click()
    site.check(page)
    page.get_by_label("E-mail address").fill("head@oak.example")
    press(page, "Send me a code")
    site.check(page)
    page.get_by_label("6-digit code").fill(post(site)[0].code)
    press(page, "Continue")
    site.check(page)
    page.get_by_label("New password", exact=True).fill("violet giraffe lighthouse")
    press(page, "Save and sign in")
    assert page.get_by_role("link", name="Hana Head").is_visible()
    assert post(site)[0].subject == "Your Handrail password was changed"


def test_without_javascript(site):
    page = site.open("/account/", width=PHONE, java_script_enabled=False)
    page.get_by_label("E-mail address").fill("head@oak.example")
    press(page, "Send me a code")
    page.get_by_label("6-digit code").fill(post(site)[0].code)
    press(page, "Sign in")
    assert page.url == site.address("/account/")


@pytest.mark.parametrize(
    "path", ["/help/", "/cookies/", "/accessibility/", "/how-we-work-out-status/", "/nowhere/", "/sign-in/closed/"]
)
def test_the_pages_for_anybody(site, path, width):
    page = site.open(path, width=width)
    if path == "/nowhere/":
        page.said = [said for said in page.said if "404" not in said]
    site.check(page)


def test_the_administrator_sees_what_a_setting_changes_before_it_is_saved(site, width):
    today = timezone.localdate()
    with inside(site.one):
        Policy.objects.filter(school=site.cast.oak).update(
            last_reviewed_on=today, next_review_on=today.replace(year=today.year + 1)
        )
    page = site.open("/settings/", by=site.cast.admin, width=width)
    site.check(page)
    page.get_by_label("Colour of the bar").fill("#ffdd00")
    page.get_by_label("Months from one review").fill("99")
    press(page, "Continue")
    site.check(page)
    page.get_by_label("Months from one review").fill("6")
    page.get_by_label("Colour of the bar").fill("#7a1f3d")
    press(page, "Continue")
    site.check(page)
    assert page.get_by_text("This changes 3 due dates.").is_visible()
    press(page, "Save these settings")
    site.check(page)
    with inside(site.one):
        assert AuthoritySettings.load().review_months == 6
    header = page.locator(".app-header")
    assert header.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(122, 31, 61)"
    page.goto(site.address("/settings/", authority=site.two))
    header = page.locator(".app-header")
    assert header.evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(13, 82, 87)"


def test_somebody_without_the_right_is_told_whom_to_ask(site):
    page = site.open("/settings/", by=site.cast.head, width=PHONE)
    page.said = [said for said in page.said if not re.search("403", said)]
    assert page.get_by_role("heading", level=1).inner_text() == "You cannot see this page"
    site.check(page)
