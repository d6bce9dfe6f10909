"""A school lead invites a colleague on a phone, who reads the mail and signs in; roles change and end."""

import pytest
from django.utils import timezone
from journeys.test_sign_in import post, press

from handrail.accounts.models import Membership
from handrail.notices.providers import provider_for
from tenants.context import inside
from workflows.notices import send

pytestmark = pytest.mark.browser

OAK = "/schools/900001/people/"


@pytest.fixture
def deliver(site, settings):
    """`deliver()` sends what is owed into the site's mailbox, as the worker does."""
    settings.MAIL_PROVIDER, settings.IS_DEMO = "mailbox", True
    settings.MAILBOX = site.log.parent / "mailbox"

    def run():
        return send(site.one, provider=provider_for(site.one.id), at=timezone.now())

    return run


def link(page, name):
    with page.expect_navigation():
        page.get_by_role("link", name=name, exact=True).first.click()


def test_a_lead_invites_a_colleague_who_signs_in_with_a_code(site, width, deliver):
    page = site.open(OAK, by=site.cast.head, width=width)
    site.check(page)
    press(page, "Invite a colleague")
    site.check(page)
    press(page, "Send the invitation")
    site.check(page)
    page.get_by_label("Name").fill("Nell New")
    page.get_by_label("E-mail address").fill("nell@oak.example")
    page.get_by_label("School administrator").check()
    press(page, "Send the invitation")
    site.check(page)
    assert page.url == site.address(OAK)
    assert page.get_by_text("Invited Nell New. The message to nell@oak.example leaves now.").is_visible()

    assert deliver() == 1
    letter = post(site)[0]
    assert (letter.recipient, letter.subject) == (
        "nell@oak.example",
        "Hana Head invites you to Handrail for Oak School",
    )
    [address] = [line for line in letter.text.splitlines() if "/invitation/" in line]

    other = site.open("/", by=site.cast.neighbour, width=width)
    other.goto(site.address("/invitation/" + address.split("/invitation/")[1]))
    other.said = [said for said in other.said if "404" not in said]
    assert other.get_by_role("heading", level=1).inner_text() == "This invitation is not for you"
    site.check(other)

    nell = site.open("/invitation/" + address.split("/invitation/")[1], width=width)
    nell.get_by_label("E-mail address").fill("nell@oak.example")
    press(nell, "Send me a code")
    nell.get_by_label("6-digit code").fill(post(site)[0].code)
    press(nell, "Sign in")
    assert nell.get_by_role("heading", level=1).inner_text() == "Oak School\nThings to do"
    site.check(nell)
    page.reload()
    assert page.get_by_text("Invited", exact=True).count() == 0


def test_a_role_is_changed_and_ended(site, width):
    page = site.open(OAK, by=site.cast.head, width=width)
    link(page, "Cal Colleague")
    site.check(page)
    link(page, "Change role")
    site.check(page)
    page.get_by_label("Governor").check()
    press(page, "Change the role")
    site.check(page)
    assert page.get_by_text("Cal Colleague is now governor at Oak School.").is_visible()
    link(page, "Cal Colleague")
    press(page, "End this role")
    site.check(page)
    press(page, "End this role")
    site.check(page)
    assert page.get_by_role("link", name="Cal Colleague").count() == 0


def test_the_last_lead_names_who_follows_and_goes(site, width):
    page = site.open("/schools/900002/people/", by=site.cast.neighbour, width=width)
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("link", name="Nia Neighbour").click()
    site.check(page)
    press(page, "End my own role")
    site.check(page)
    press(page, "End my own role")
    site.check(page)
    press(page, "Name them and end your role")
    site.check(page)
    page.get_by_label("Their name").fill("Noa Next")
    page.get_by_label("Their e-mail address").fill("noa@elm.example")
    press(page, "Name them and end your role")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    with inside(site.one):
        assert Membership.objects.get(school=site.cast.elm, to_on=None).user.email == "noa@elm.example"


def test_the_authoritys_own_people(site, width):
    page = site.open("/people/", by=site.cast.admin, width=width)
    site.check(page)
    press(page, "Invite somebody")
    site.check(page)
    page.get_by_label("Name", exact=True).fill("Ann Analyst")
    page.get_by_label("E-mail address").fill("ann@barsetshire.example")
    page.get_by_label("Analyst").check()
    press(page, "Send the invitation")
    site.check(page)
    assert page.get_by_text("Invited Ann Analyst.").is_visible()


def test_an_administrator_signs_everybody_out(site, width):
    theirs = site.open("/account/", by=site.cast.head, width=width)
    page = site.open("/people/", by=site.cast.admin, width=width)
    link(page, "Sign everybody out")
    site.check(page)
    press(page, "Sign everybody out")
    site.check(page)
    assert page.get_by_text("1 person was signed out. You are signed in here, and nowhere else.").is_visible()
    theirs.reload()
    assert theirs.get_by_role("heading", level=1).inner_text() == "Sign in"
