"""L21 and L22: a session, a code or a reset of one authority is worth nothing on another's host, and is noticed."""

import logging
import re
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client

from handrail.accounts.models import Session, User
from handrail.accounts.sessions import LENGTH, SessionStore
from tenants.context import inside
from tenants.errors import NobodyBound

pytestmark = pytest.mark.django_db

ACCOUNT, COOKIE = "/account/", "sessionid"


@pytest.fixture(autouse=True)
def security(caplog: Any) -> Any:
    """What the log of security events says."""
    cache.clear()
    caplog.set_level(logging.WARNING, logger="handrail.security")
    return caplog


def on_host_of(authority: Any, client: Client) -> Client:
    """The same browser's cookies, taken by hand to another authority's host, which no browser does."""
    other = Client(HTTP_HOST=authority.host)
    other.cookies.load({name: cookie.value for name, cookie in client.cookies.items()})
    return other


class TestASession:
    def test_opens_pages_at_home_and_none_elsewhere(self, cast, browse, two, security):
        client = browse(cast.head)
        assert client.get(ACCOUNT).status_code == 200
        assert not security.messages
        answer = on_host_of(two, client).get(ACCOUNT)
        assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={ACCOUNT}")
        assert security.messages == ["A session that is not of authority 002 was refused."]

    @pytest.mark.parametrize(
        ("engine", "status"), [("handrail.accounts.sessions", 302), ("isolation.unmarked_sessions", 200)]
    )
    def test_is_refused_also_when_its_row_and_its_person_stray(self, cast, browse, one, two, settings, engine, status):
        """As after a restore into the wrong schema: same key, same data, same user. Without the mark it is let in."""
        settings.SESSION_ENGINE = engine
        client = browse(cast.head)
        with inside(one):
            row = Session.objects.values().get()
            person = User.objects.filter(id=cast.head.id).values().get()
        with inside(two):
            User.objects.create(**person)
            Session.objects.create(**row)
        assert client.get(ACCOUNT).status_code == 200
        assert on_host_of(two, client).get(ACCOUNT).status_code == status

    def test_has_data_that_open_in_its_authority_alone(self, one, two, security):
        """The key is what is looked at first; the data are signed for their authority as well."""
        with inside(one):
            data = SessionStore().encode({SESSION_KEY: "somebody"})
            assert SessionStore().decode(data) == {SESSION_KEY: "somebody"}
        with inside(two):
            assert SessionStore().decode(data) == {}

    def test_is_not_read_with_nobody_bound(self):
        with pytest.raises(NobodyBound):
            SessionStore("a" * LENGTH)

    @pytest.mark.parametrize("key", ["", "short", "a" * (LENGTH + 1), "../../etc/passwd", "\u00e9" * LENGTH])
    def test_of_another_shape_is_nobodys(self, cast, browse, key):
        client = browse()
        client.cookies[COOKIE] = key
        assert client.get(ACCOUNT).status_code == 302

    def test_says_nothing_personal_when_refused(self, cast, browse, two, security):
        client = browse(cast.head)
        on_host_of(two, client).get(ACCOUNT)
        for secret in (client.cookies[COOKIE].value, cast.head.email, cast.head.name, str(cast.head.id)):
            assert secret not in security.text


def newest_code() -> str:
    callbacks, connection.run_on_commit = connection.run_on_commit, []
    for _, send, _ in callbacks:
        send()
    found = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)
    assert found
    return found[0]


@pytest.mark.parametrize(
    ("ask", "enter"),
    [("/sign-in/", "/sign-in/code/"), ("/account/password/reset/", "/account/password/reset/code/")],
)
class TestACode:
    def test_works_at_home(self, cast, browse, ask, enter):
        client = browse()
        client.post(ask, {"email": cast.head.email})
        assert client.post(enter, {"code": newest_code()})["Location"] in ("/", "/account/password/reset/new/")

    def test_is_worth_nothing_elsewhere(self, cast, browse, two, security, ask, enter):
        client = browse()
        client.post(ask, {"email": cast.head.email})
        code = newest_code()
        there = on_host_of(two, client)
        answer = there.post(enter, {"code": code})
        assert answer.status_code == 302
        assert answer["Location"].startswith(ask)
        assert there.get(ACCOUNT).status_code == 302
        assert there.get("/account/password/reset/new/").status_code == 302
        assert "A session that is not of authority 002 was refused." in security.messages

    def test_is_worth_nothing_to_the_same_address_elsewhere(self, cast, browse, two, ask, enter):
        """Somebody with an account in both: each code opens its own."""
        from factories import person

        from handrail.accounts.roles import Role

        with inside(two):
            person(cast.head.email, Role.POLICY_OFFICER)
        here, there = browse(), browse(authority=two)
        here.post(ask, {"email": cast.head.email})
        code = newest_code()
        there.post(ask, {"email": cast.head.email})
        if code != newest_code():
            assert "The code is wrong" in there.post(enter, {"code": code}).text
        assert there.get(ACCOUNT).status_code == 302


class TestCookies:
    def test_belong_to_their_host_alone(self, cast, browse):
        client = browse()
        answer = client.get("/sign-in/")
        client.post("/sign-in/", {"email": cast.head.email})
        assert set(client.cookies) == {"csrftoken", COOKIE}
        for cookie in client.cookies.values():
            assert cookie["domain"] == ""
        assert "no-store" in answer["Cache-Control"]
