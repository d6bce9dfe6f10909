"""A page that was left alone warns, goes, and gives back what was typed to the person who typed it."""

import pytest
from django.utils import timezone

from handrail.accounts.models import Session
from handrail.accounts.sessions import CHILD, IDLE, SessionStore
from handrail.notices.mailbox import Mailbox
from handrail.policies.models import Policy
from tenants.context import inside

pytestmark = pytest.mark.browser

PHONE = 320
TEXT = "Sunita Sharma, until Mrs O'Neill is back"


@pytest.fixture
def form(site):
    """The address of a form about Oak School's policy."""
    with inside(site.one):
        policy = Policy.objects.filter(school=site.cast.oak).first()
    return f"/schools/900001/policies/{policy.id}/details/"


def show_a_child(site, page):
    """As if this browser had opened a page about a child before."""
    [key] = [each["value"] for each in page.context.cookies() if each["name"] == "sessionid"]
    with inside(site.one):
        store = SessionStore(key)
        store[CHILD] = True
        store.save()


def fifteen_minutes_pass(site):
    with inside(site.one):
        Session.objects.update(last_used_at=timezone.now() - IDLE)


def sign_in(site, page, email):
    page.get_by_label("E-mail address").fill(email)
    site.press(page, "Send me a code")
    letter = next(iter(Mailbox(site.log.parent / "mailbox" / str(site.one.id)).letters()))
    page.get_by_label("6-digit code").fill(letter.code)
    site.press(page, "Sign in")


def left_alone(site, form, **more):
    """A page in which somebody typed, went away, and came back to the warning."""
    page = site.open("/account/", by=site.cast.head, width=PHONE, **more)
    show_a_child(site, page)
    page.clock.install()
    page.goto(site.address(form))
    page.get_by_label("Name").first.fill(TEXT)
    page.clock.fast_forward("12:58")
    assert not page.get_by_role("dialog").is_visible()
    page.clock.fast_forward("00:03")
    assert page.get_by_role("dialog").is_visible()
    return page


def test_what_was_typed_is_offered_and_put_back(site, form):
    page = left_alone(site, form)
    site.check(page)
    fifteen_minutes_pass(site)
    with page.expect_navigation(url="**/sign-in/ended/**"):
        page.clock.fast_forward("02:01")
    assert page.get_by_role("heading", level=1).inner_text() == "You have been signed out"
    assert page.get_by_text("We have kept what you typed").is_visible()
    site.check(page)
    page.go_back()
    assert TEXT not in page.content()
    page.goto(site.address("/sign-in/ended/?next=" + form))
    page.get_by_role("button", name="Sign in").click()
    sign_in(site, page, site.cast.head.email)
    assert page.url == site.address(form)
    assert page.get_by_text("You had not saved what you typed here").is_visible()
    assert page.get_by_label("Name").first.input_value() != TEXT
    site.check(page)
    page.get_by_role("button", name="Put it back").click()
    assert page.get_by_label("Name").first.input_value() == TEXT
    site.check(page)
    page.get_by_label("E-mail").first.fill("sunita@oak.example")
    site.press(page, "Save")
    with inside(site.one):
        assert Policy.objects.filter(lead_name=TEXT).exists()
    page.goto(site.address(form))
    assert not page.get_by_text("You had not saved").is_visible()


def test_another_person_in_the_same_browser_sees_nothing_of_it(site, form):
    page = left_alone(site, form)
    fifteen_minutes_pass(site)
    with page.expect_navigation(url="**/sign-in/ended/**"):
        page.clock.fast_forward("02:01")
    page.get_by_role("button", name="Sign in").click()
    sign_in(site, page, site.cast.colleague.email)
    assert page.url == site.address(form)
    assert "You had not saved" not in page.content()
    assert TEXT not in page.content()


def test_somebody_stays_signed_in_with_one_press(site, form):
    page = left_alone(site, form)
    with page.expect_response(lambda answer: answer.request.method == "HEAD") as answer:
        page.get_by_role("button", name="Stay signed in").click()
    assert answer.value.status == 200
    assert page.get_by_role("dialog").is_hidden()
    assert page.get_by_label("Name").first.input_value() == TEXT
    page.clock.fast_forward("12:50")
    assert page.get_by_role("dialog").is_hidden()
    page.clock.fast_forward("00:20")
    assert page.get_by_role("dialog").is_visible()
    with page.expect_response(lambda answer: answer.request.method == "HEAD"):
        page.keyboard.press("Escape")
    assert page.get_by_role("dialog").is_hidden()
    assert page.said == []


def test_somebody_who_types_is_there(site, form):
    page = left_alone(site, form)
    with page.expect_response(lambda answer: answer.request.method == "HEAD"):
        page.get_by_role("button", name="Stay signed in").click()
    for _ in range(3):
        page.clock.fast_forward("10:00")
        with page.expect_response(lambda answer: answer.request.method == "HEAD"):
            page.get_by_label("Name").first.press_sequentially("x")
    assert page.get_by_role("dialog").is_hidden()


def test_another_page_of_the_same_browser_keeps_it_open(site, form):
    page = left_alone(site, form)
    other = page.context.new_page()
    other.goto(site.address("/account/"))
    page.get_by_role("dialog").wait_for(state="hidden")


def test_without_scripts_the_page_says_when_and_goes(site, form):
    page = site.open("/account/", by=site.cast.head, width=PHONE, java_script_enabled=False)
    show_a_child(site, page)
    page.goto(site.address(form))
    assert "You will be signed out at" in page.content()
    assert "900;url=/sign-in/ended/?next=%2Fschools" in page.content()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    fifteen_minutes_pass(site)
    page.get_by_label("Name").first.fill(TEXT)
    site.press(page, "Save")
    assert page.get_by_text("We have kept what you typed").is_visible()


def test_where_somebody_is_signed_in(site):
    page = site.open("/account/", by=site.cast.head, width=PHONE)
    other = site.open("/account/", by=site.cast.head)
    page.reload()
    assert page.get_by_text("(this one)").count() == 1
    site.check(page)
    site.press(page, "Sign out everywhere else")
    assert page.get_by_text("Signed out everywhere else.").is_visible()
    site.check(page)
    other.reload()
    assert other.get_by_role("heading", level=1).inner_text() == "Sign in"
