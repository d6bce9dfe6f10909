"""A browser in which somebody signed in before is slowed down by what is tried there, and by nothing else."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as product
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.accounts.known_browsers import AT_MOST, LASTS
from handrail.accounts.models import User
from handrail.accounts.second_step import actions
from handrail.core.audit import CLOCK
from tenants.context import inside

pytestmark = pytest.mark.django_db

HEAD, COLLEAGUE = "head@oak.example", "colleague@oak.example"
PASSWORD, WRONG = "correct horse battery", "wrong wrong wrong"
START, CODE, WITH_PASSWORD = "/sign-in/", "/sign-in/code/", "/sign-in/password/"
RESET, ASK = "/account/password/reset/", "/sign-in/second-step/"
COOKIE = product.KNOWN_BROWSER_COOKIE_NAME

DOORS: dict[str, tuple[str, dict[str, str]]] = {
    "a code": (START, {"email": "?"}),
    "a password": (WITH_PASSWORD, {"login": "?", "password": WRONG}),
    "a reset": (RESET, {"email": "?"}),
}
every_door = pytest.mark.parametrize("door", DOORS)


@pytest.fixture
def passwords(cast: Any, one: Any) -> None:
    with inside(one):
        for email in (HEAD, COLLEAGUE):
            user = User.objects.get(email=email)
            user.set_password(PASSWORD)
            user.save()


def enter(client: Client, post: Any, email: str = HEAD, password: str = PASSWORD) -> Any:
    return post(client, WITH_PASSWORD, login=email, password=password)


@pytest.fixture
def known(passwords: None, browse: Any, post: Any) -> Any:
    """`known(email, ...)`: a browser in which these people have signed in, one after the other, and out again."""

    def sign_in(*emails: str, client: Client | None = None) -> Client:
        client = client or browse()
        for email in emails or (HEAD,):
            assert enter(client, post, email)["Location"] == "/"
            post(client, "/sign-out/")
        return client

    return sign_in


def attempt(client: Client, post: Any, door: str, email: str = HEAD) -> Any:
    path, fields = DOORS[door]
    return post(client, path, **{name: value.replace("?", email) for name, value in fields.items()})


def is_slowed(answer: Any) -> bool:
    return answer.status_code == 429 or "Too many tries" in answer.text


def use_up(browse: Any, post: Any, door: str, email: str = HEAD) -> None:
    """Strangers try until nobody unknown gets further."""
    assert [is_slowed(attempt(browse(), post, door, email)) for _ in range(6)][-1]


class TestWhatStrangersTry:
    @every_door
    def test_does_not_slow_it_down(self, known, browse, post, door):
        client = known()
        use_up(browse, post, door)
        assert not is_slowed(attempt(client, post, door))
        assert enter(client, post)["Location"] == "/"

    def test_at_the_same_network_address_does_not_either(self, known, browse, post):
        client = known()
        for each in range(31):
            last = attempt(browse(), post, "a password", f"n{each}@oak.example")
        assert is_slowed(last)
        assert enter(client, post)["Location"] == "/"

    def test_in_a_flood_does_not_either(self, known, browse, post, settings):
        client = known()
        settings.SIGN_IN_TRIES_A_MINUTE = 0
        assert enter(browse(), post).status_code == 429
        assert client.post("/sign-in/passkey/", {"credential": "{}"}).status_code == 302
        assert enter(client, post)["Location"] == "/"

    def test_at_the_second_step_does_not_either(self, known, one, at, browse, post):
        client = known()
        with inside(one):
            head = User.objects.get(email=HEAD)
            actions.add_app(user=head, secret="A" * 32, by=CLOCK, at=at)
            [right, *_] = actions.make_recovery_codes(user=head, by=CLOCK, at=at)
        for _ in range(6):
            stranger = browse()
            enter(stranger, post)
            last = post(stranger, ASK, code="000000")
        assert is_slowed(last)
        assert enter(client, post)["Location"] == ASK
        assert post(client, ASK, code=right)["Location"] == "/"

    @given(tries=st.lists(st.sampled_from(list(DOORS)), max_size=8))
    @settings(max_examples=3)
    def test_never_does_whatever_it_is(self, known, browse, post, tries):
        cache.clear()
        client = known()
        for door in tries:
            attempt(browse(), post, door)
        for door in DOORS:
            assert not is_slowed(attempt(client, post, door))
        assert enter(client, post)["Location"] == "/"


class TestWhatIsTriedThere:
    @every_door
    def test_is_slowed_down_by_the_same_limits(self, known, browse, post, door):
        client = known()
        use_up(lambda: client, post, door)
        assert not is_slowed(attempt(browse(), post, door)), "and nobody else is"

    def test_does_not_slow_another_browser_of_the_same_person(self, known, post):
        one, other = known(), known()
        use_up(lambda: one, post, "a password")
        assert enter(other, post)["Location"] == "/"

    @every_door
    def test_for_somebody_else_has_no_privilege(self, known, browse, post, door):
        client = known()
        use_up(browse, post, door, COLLEAGUE)
        assert is_slowed(attempt(client, post, door, COLLEAGUE))
        cache.clear()
        use_up(lambda: client, post, door, COLLEAGUE)
        assert is_slowed(attempt(browse(), post, door, COLLEAGUE))

    def test_for_somebody_else_is_not_hidden_behind_another_field(self, known, browse, post):
        client = known()
        use_up(browse, post, "a password", COLLEAGUE)
        hidden = {"login": COLLEAGUE, "password": PASSWORD, "email": HEAD}
        assert is_slowed(post(client, WITH_PASSWORD, **hidden))
        assert is_slowed(client.post(WITH_PASSWORD, {"login": [HEAD, COLLEAGUE], "password": PASSWORD}))

    def test_is_counted_for_each_person_who_shares_it(self, known, post):
        client = known(HEAD, COLLEAGUE)
        use_up(lambda: client, post, "a password", COLLEAGUE)
        assert enter(client, post, HEAD)["Location"] == "/"


class TestTheCookie:
    def test_is_given_once_all_that_is_asked_for_was_shown(self, cast, one, at, passwords, browse, post):
        with inside(one):
            head = User.objects.get(email=HEAD)
            actions.add_app(user=head, secret="A" * 32, by=CLOCK, at=at)
            [right, *_] = actions.make_recovery_codes(user=head, by=CLOCK, at=at)
        client = browse()
        enter(client, post)
        assert COOKIE not in client.cookies
        post(client, ASK, code=right)
        assert COOKIE in client.cookies

    def test_is_given_with_a_code_too(self, cast, browse, post):
        client = browse()
        post(client, START, email=HEAD)
        assert COOKIE not in client.cookies
        found = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)
        assert found
        post(client, CODE, code=found[0])
        assert COOKIE in client.cookies

    def test_is_for_the_host_alone_and_names_nobody(self, known, one):
        [cookie] = [morsel for name, morsel in known().cookies.items() if name == COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
        assert cookie["max-age"] == LASTS.total_seconds()
        with inside(one):
            head = User.objects.get(email=HEAD)
        assert "oak" not in cookie.value
        assert str(head.id) not in cookie.value

    def test_opens_nothing(self, known):
        assert known().get("/account/").status_code == 302

    @pytest.mark.parametrize(
        "change", [lambda said: said[1:], lambda said: said + "x", lambda said: "", lambda said: "é"]
    )
    def test_that_was_changed_is_none(self, known, browse, post, change):
        client = known()
        client.cookies[COOKIE] = change(client.cookies[COOKIE].value)
        use_up(browse, post, "a password")
        assert is_slowed(enter(client, post))

    def test_of_another_authority_is_none(self, known, two, browse, post):
        """Also for somebody with the same address there, where the same key signs."""
        from factories import person

        from handrail.accounts.roles import Role

        with inside(two):
            there = person(HEAD, Role.POLICY_OFFICER)
            there.set_password(PASSWORD)
            there.save()
        client = browse(authority=two)
        client.cookies[COOKIE] = known().cookies[COOKIE].value
        use_up(lambda: browse(authority=two), post, "a password")
        assert is_slowed(enter(client, post))

    def test_runs_out(self, known, browse, post, monkeypatch):
        client = known()
        moment, clock = timezone.now() + LASTS + timedelta(seconds=1), time.time() + LASTS.total_seconds() + 1
        monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: moment)
        monkeypatch.setattr(time, "time", lambda: clock)
        use_up(browse, post, "a password")
        assert is_slowed(enter(client, post))

    def test_knows_those_who_signed_in_last(self, known, one, browse, post, monkeypatch):
        from factories import person

        from handrail.accounts.roles import Role

        began, others = timezone.now(), [f"o{each}@barsetshire.example" for each in range(AT_MOST)]
        with inside(one):
            for email in others:
                user = person(email, Role.SCHOOL_LEAD, school=User.objects.get(email=HEAD).memberships.get().school)
                user.set_password(PASSWORD)
                user.save()
        client = browse()
        for seconds, email in enumerate((HEAD, *others)):
            moment = began + timedelta(seconds=seconds)
            monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda moment=moment: moment)
            known(email, client=client)
        for email in (HEAD, others[0]):
            use_up(browse, post, "a password", email)
        assert is_slowed(enter(client, post, HEAD))
        assert enter(client, post, others[0])["Location"] == "/"
