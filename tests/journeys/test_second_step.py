"""People set up an app or a passkey, sign in with them, and show them again."""

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.utils import timezone

from handrail.accounts.models import Session
from handrail.accounts.second_step import actions
from handrail.accounts.sessions import SessionStore
from handrail.core.audit import CLOCK
from handrail.notices.mailbox import Mailbox
from tenants.context import inside

pytestmark = pytest.mark.browser

PHONE = 320


def press(page, name):
    """Press what sends a form, and wait for the page that answers."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def heading(page):
    return page.get_by_role("heading", level=1).inner_text()


def code(secret, *, ahead=0):
    """The app's code now, or that of a later period: each is taken once."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def sign_in_with_a_code(site, page, email):
    page.get_by_label("E-mail address").fill(email)
    press(page, "Send me a code")
    page.get_by_label("6-digit code").fill(next(Mailbox(site.log.parent / "mailbox" / str(site.one.id)).letters()).code)
    press(page, "Sign in")


def give_an_authenticator(page, *, checks_the_person=True):
    """A fingerprint reader for this page's browser."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": checks_the_person,
                "isUserVerified": checks_the_person,
            }
        },
    )
    return devtools


def test_an_officer_sets_up_an_app_and_signs_in_with_it(site, width):
    page = site.open("/imports/", width=width)
    sign_in_with_a_code(site, page, "officer@barsetshire.example")
    assert heading(page) == "Set up a second step for signing in"
    site.check(page)
    page.get_by_role("button", name="Set up an app").click()
    page.wait_for_url("**/app/")
    site.check(page)
    secret = re.sub(r"\s", "", page.locator("code").inner_text())
    assert page.get_by_role("img", name="A square to scan").bounding_box()["width"] == 240
    press(page, "Set up the app")
    site.check(page)
    page.get_by_label("6-digit code from the app").fill("000 000")
    press(page, "Set up the app")
    site.check(page)
    page.get_by_label("6-digit code from the app").fill(code(secret))
    press(page, "Set up the app")
    assert heading(page) == "Your recovery codes"
    site.check(page)
    codes = [each.inner_text() for each in page.locator("main li code").all()]
    assert len(codes) == 10
    page.get_by_role("button", name="I have kept them").click()
    page.wait_for_url("**/imports/")
    page.goto(site.address("/account/"))
    site.check(page)
    for link in ("Remove authenticator app", "Make new recovery codes", "Add passkeys"):
        page.get_by_role("link", name=link).click()
        site.check(page)
        page.get_by_role("link", name="Back").click()
        page.goto(site.address("/account/"))
    press(page, "Sign out")

    sign_in_with_a_code(site, page, "officer@barsetshire.example")
    assert heading(page) == "Second step"
    site.check(page)
    page.get_by_label("Code", exact=True).fill("123")
    press(page, "Sign in")
    site.check(page)
    page.get_by_label("Code", exact=True).fill(code(secret, ahead=1))
    press(page, "Sign in")
    assert page.get_by_role("link", name="Olu Officer").is_visible()
    press(page, "Sign out")

    sign_in_with_a_code(site, page, "officer@barsetshire.example")
    page.get_by_label("Code", exact=True).fill(codes[0])
    press(page, "Sign in")
    assert page.get_by_role("link", name="Olu Officer").is_visible()


def test_a_passkey_is_added_and_signs_in_by_itself(site, width):
    page = site.open("/account/", by=site.cast.head, width=width)
    give_an_authenticator(page)
    page.get_by_role("link", name="Add passkeys").click()
    page.get_by_role("button", name="Add the passkey").wait_for()
    assert not page.get_by_text("This browser cannot use passkeys").is_visible()
    site.check(page)
    page.get_by_label("What will you call it?").fill("Office computer")
    press(page, "Add the passkey")
    assert heading(page) == "Your recovery codes"
    page.goto(site.address("/account/"))
    site.check(page)
    assert page.get_by_text("Office computer").is_visible()
    press(page, "Sign out")

    assert heading(page) == "Sign in"
    site.check(page)
    page.goto(site.address("/account/"))
    press(page, "Sign in with a passkey")
    assert heading(page) == "Your account"
    page.get_by_role("link", name="Remove a passkey").click()
    assert heading(page) == "Which passkey do you want to remove?"
    site.check(page)
    press(page, "Remove the passkey")
    site.check(page)
    page.get_by_label("Office computer").check()
    press(page, "Remove the passkey")
    assert page.get_by_text("Your passkey is removed.").is_visible()
    press(page, "Sign out")

    press(page, "Sign in with a passkey")
    assert page.get_by_text("That passkey did not work").is_visible()
    site.check(page)


def test_a_passkey_is_the_second_step_after_a_code(site):
    page = site.open("/account/second-step/passkey/", by=site.cast.officer, width=PHONE)
    give_an_authenticator(page)
    page.get_by_label("What will you call it?").fill("Telephone")
    press(page, "Add the passkey")
    press(page, "Sign out")
    sign_in_with_a_code(site, page, "officer@barsetshire.example")
    assert heading(page) == "Second step"
    site.check(page)
    press(page, "Use a passkey")
    assert page.get_by_role("link", name="Olu Officer").is_visible()


def test_an_authenticator_that_does_not_check_the_person_is_refused(site):
    page = site.open("/account/second-step/passkey/", by=site.cast.head, width=PHONE)
    give_an_authenticator(page, checks_the_person=False)
    page.get_by_label("What will you call it?").fill("Telephone")
    page.get_by_role("button", name="Add the passkey").click()
    page.get_by_text("The passkey was not used").wait_for()
    site.check(page)
    with inside(site.one):
        assert not actions.of(site.cast.head).exists()


def test_the_server_does_not_take_the_browsers_word_that_the_person_was_checked(site):
    """What was asked of the browser is weakened on the page; what was agreed on the server is not."""
    page = site.open("/account/second-step/passkey/", by=site.cast.head, width=PHONE)
    give_an_authenticator(page, checks_the_person=False)
    page.evaluate(
        """() => {
            const asked = document.querySelector("[data-passkey] script");
            const weakened = JSON.parse(asked.textContent);
            weakened.publicKey.authenticatorSelection = { userVerification: "discouraged" };
            asked.textContent = JSON.stringify(weakened);
        }"""
    )
    page.get_by_label("What will you call it?").fill("Telephone")
    press(page, "Add the passkey")
    assert page.get_by_text("That passkey did not work").first.is_visible()
    with inside(site.one):
        assert not actions.of(site.cast.head).exists()


def test_it_is_asked_for_again_and_then_the_page_opens(site, width):
    """Resetting somebody's is a page that needs it. The session is made 20 minutes older than it is."""
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    with inside(site.one):
        actions.add_app(user=site.cast.head, secret=secret, by=CLOCK, at=timezone.now())
    page = site.open("/account/", by=site.cast.head, width=width)
    age_sessions(site)
    place = f"/people/{site.cast.colleague.id}/second-step/"
    page.goto(site.address(place))
    assert heading(page) == "Check that it is you"
    site.check(page)
    page.get_by_label("Code", exact=True).fill("1")
    press(page, "Continue")
    site.check(page)
    page.get_by_label("Code", exact=True).fill(code(secret))
    press(page, "Continue")
    assert page.url == site.address(place)
    site.check(page)

    age_sessions(site)
    press(page, "Reset the second step")
    assert heading(page) == "Check that it is you"
    page.get_by_label("Code", exact=True).fill(code(secret, ahead=1))
    press(page, "Continue")
    assert page.get_by_text("Cal Colleague can sign in and set up a new second step.").is_visible()


def age_sessions(site):
    """The second step was shown 20 minutes earlier than it was."""
    with inside(site.one):
        for each in Session.objects.all():
            data = SessionStore().decode(each.session_data)
            for record in data["account_authentication_methods"]:
                record["at"] -= 20 * 60
            each.session_data = SessionStore().encode(data)
            each.save()


def test_who_signed_in_a_while_ago_signs_in_again_before_setting_a_password(site, width):
    page = site.open("/account/", width=width)
    sign_in_with_a_code(site, page, "head@oak.example")
    age_sessions(site)
    page.goto(site.address("/account/password/set/"))
    assert heading(page) == "Check that it is you"
    site.check(page)
    press(page, "Sign in again")
    sign_in_with_a_code(site, page, "head@oak.example")
    assert heading(page) == "Set a password"
