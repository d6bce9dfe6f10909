"""Help, cookies, accessibility and how we work out status: for anybody, and true."""

import re
from datetime import date

import pytest
from django.utils import timezone
from reading import text_of

from handrail.authority import rules
from handrail.core.models import AuthoritySettings
from handrail.core.status import Status
from handrail.returns.rules import RULES
from handrail.schools.duty import BOUND, TYPES, Body
from tenants.context import inside

pytestmark = pytest.mark.django_db

PAGES = ("/help/", "/cookies/", "/accessibility/", "/how-we-work-out-status/")


@pytest.mark.parametrize("address", PAGES)
class TestEveryPage:
    def test_is_for_anybody(self, browse, cast, one, two, address):
        for client in (browse(), browse(cast.head), browse(cast.stranger, authority=two)):
            assert client.get(address).status_code == 200

    def test_names_its_authority_and_nobody(self, browse, cast, address):
        page = browse().get(address).text
        assert "Run by Barsetshire." in page
        for person in (cast.admin, cast.officer, cast.head):
            assert person.name not in page
            assert person.email not in page

    def test_costs_one_question(self, browse, address, django_assert_num_queries):
        client = browse()
        with django_assert_num_queries(1):
            client.get(address)

    def test_is_reached_from_every_page(self, browse, address):
        assert f'href="{address}"' in browse().get("/sign-in/").text


def test_the_address_for_help_is_shown_when_there_is_one(browse, one):
    for address in ("/help/", "/accessibility/"):
        assert "mailto:" not in browse().get(address).text
    with inside(one):
        AuthoritySettings.objects.create(contact_email="health@barsetshire.example")
    for address in ("/help/", "/accessibility/"):
        assert "mailto:health@barsetshire.example" in browse().get(address).text


def test_the_cookies_named_are_the_cookies_set(browse, cast, one):
    with inside(one):
        cast.head.set_password("correct horse battery")
        cast.head.save()
    client = browse()
    client.get("/sign-in/")
    client.post("/sign-in/password/", {"login": cast.head.email, "password": "correct horse battery"})
    page = client.get("/cookies/").text
    assert set(re.findall(r'scope="row">([\w-]+)<', page)) == set(client.cookies)


class TestHowWeWorkOutStatus:
    def test_prints_both_sides_of_each_border(self, on):
        found = rules.examples(on=on, settings=AuthoritySettings(due_soon_days=45))
        assert [(each.next_review_on, each.status) for each in found] == [
            (date(2027, 1, 8), Status.IN_DATE),
            (date(2027, 1, 7), Status.DUE_SOON),
            (date(2026, 11, 23), Status.DUE_SOON),
            (date(2026, 11, 22), Status.OVERDUE),
            (None, Status.NOT_RECORDED),
            (None, Status.NOT_NEEDED),
        ]

    def test_prints_every_type_of_establishment_once(self):
        printed = [name for duty in rules.duties() for name in duty.types]
        assert sorted(printed) == sorted(name for name, _ in TYPES.values())
        assert {duty.body for duty in rules.duties() if duty.is_bound} == BOUND
        assert {duty.body for duty in rules.duties()} == set(Body)

    def test_prints_the_authoritys_own_numbers(self, browse, one):
        with inside(one):
            AuthoritySettings.objects.create(
                due_soon_days=45,
                review_months=24,
                reminder_days_before=[0, 21],
                overdue_every_days=10,
                copy_head_after_days=20,
                has_quiet_hours=False,
            )
        page = browse().get("/how-we-work-out-status/").text
        for words in (
            "more than 45 days away",
            "24 months after the last one",
            "due after 12 months at the latest",
            "21 days before the next review is due",
            "on the day it is due",
            "every 10 days once it is overdue",
            "20 days overdue",
        ):
            assert words in page
        assert "8am to 6pm" not in page
        assert page.index("21 days before") < page.index("on the day it is due")

    def test_prints_the_rules_by_which_a_school_gets_its_colour_as_the_board_does(self, browse, cast):
        board = text_of(browse(cast.officer).get("/returns/"))
        said = text_of(browse().get("/how-we-work-out-status/"))
        for rule, words in RULES.items():
            assert f"{rule}: {words}" in said
            assert f"{rule}: {words}" in board
        assert "How a school gets its colour" in said
        assert "Practice, not law." in said

    def test_says_what_is_not_certain(self, browse):
        page = browse().get("/how-we-work-out-status/").text
        assert "Start date to be confirmed" in page
        assert "This page is not legal advice" in page
        assert f"{timezone.localdate().year}" in page
