"""A session in which a child's page was opened ends when it is left alone."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client
from django.urls import path
from django.utils import timezone

from handrail.accounts.models import Session
from handrail.accounts.sessions import IDLE, IDLE_WITHOUT_CHILD
from handrail.config import urls
from handrail.core.access import SIGNED_IN, Door
from handrail.core.models import ReadEntry
from tenants.context import inside

pytestmark = pytest.mark.django_db

CHILD, ACCOUNT, ENDED = "/child/", "/account/", "/sign-in/ended/"
A_SECOND = timedelta(seconds=1)


class ChildView(Door):
    permission = SIGNED_IN
    shows_child = True

    def get(self, request: HttpRequest) -> HttpResponse:
        self.shows([], ReadEntry.Group.IDENTITY)
        return render(request, "accounts/account.html")


class Conf:
    urlpatterns = (path("child/", ChildView.as_view(), name="child"), *urls.urlpatterns)
    handler404 = urls.handler404


@pytest.fixture(autouse=True)
def a_childs_page(settings: Any) -> None:
    settings.ROOT_URLCONF = Conf


@pytest.fixture
def leave_alone(one: Any) -> Any:
    """Time passes in which nothing is asked for."""

    def wait(how_long: timedelta) -> None:
        with inside(one):
            Session.objects.update(last_used_at=timezone.now() - how_long)

    return wait


def is_open(client: Client, page: str = ACCOUNT) -> bool:
    return client.get(page).status_code == 200


class TestASessionWithAChildsPage:
    def test_ends_after_15_minutes_on_every_page(self, cast, browse, leave_alone):
        for page in (CHILD, ACCOUNT):
            client = browse(cast.head)
            assert is_open(client, CHILD)
            leave_alone(IDLE)
            answer = client.get(page)
            assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={page}")
            assert "You have been signed out." in client.get(answer["Location"]).text
            assert not is_open(client)

    def test_goes_on_when_it_is_used(self, cast, browse, leave_alone):
        client = browse(cast.head)
        client.get(CHILD)
        for page in (ACCOUNT, CHILD, ACCOUNT):
            leave_alone(IDLE - A_SECOND)
            assert is_open(client, page)
        leave_alone(IDLE - A_SECOND)
        assert client.head(ACCOUNT).status_code == 200
        assert is_open(client)

    def test_is_counted_from_its_last_page_to_the_second(self, cast, browse, one, leave_alone):
        client = browse(cast.head)
        for how_long in (0, 30, 30):
            leave_alone(timedelta(seconds=how_long))
            client.get(CHILD)
            with inside(one):
                assert timezone.now() - Session.objects.get().last_used_at < timedelta(seconds=20)

    def test_cannot_be_used_with_its_old_key(self, cast, browse, leave_alone):
        client = browse(cast.head)
        key = client.cookies["sessionid"].value
        client.get(CHILD)
        leave_alone(IDLE)
        client.get(ACCOUNT)
        assert client.cookies["sessionid"].value != key
        client.cookies["sessionid"] = key
        assert not is_open(client)

    def test_is_not_ended_by_a_page_that_fails(self, cast, browse, one, leave_alone, monkeypatch):
        client = browse(cast.head)
        client.get(CHILD)
        leave_alone(timedelta(minutes=5))
        monkeypatch.setattr(ChildView, "get", None)
        client.raise_request_exception = False
        assert client.get(CHILD).status_code == 500
        monkeypatch.undo()
        assert is_open(client)


class TestAnotherSession:
    def test_ends_after_eight_hours(self, cast, browse, leave_alone):
        client = browse(cast.head)
        client.get(ACCOUNT)
        leave_alone(IDLE_WITHOUT_CHILD - A_SECOND)
        assert is_open(client)
        leave_alone(IDLE_WITHOUT_CHILD)
        assert "You have been signed out." in client.get(client.get(ACCOUNT)["Location"]).text
        assert not is_open(client)


class TestThePage:
    def test_warns_and_then_goes(self, cast, browse):
        client = browse(cast.head)
        assert "left-alone" not in client.get(ACCOUNT).text
        for page in (CHILD, ACCOUNT):
            text = client.get(page).text
            assert (
                f'<noscript><meta http-equiv="refresh" content="900;url={ENDED}?next={page.replace("/", "%2F")}">'
                in text
            )
            assert "You will be signed out at" in text
            assert "Stay signed in" in text

    def test_is_said_to_have_gone(self, cast, browse, leave_alone):
        client = browse(cast.head)
        client.get(CHILD)
        leave_alone(IDLE)
        page = client.get(f"{ENDED}?next={CHILD}").text
        assert "You have been signed out" in page
        assert 'href="/sign-in/?next=%2Fchild%2F"' in page
        assert not is_open(client)

    def test_comes_back_while_the_session_is_in_use_elsewhere(self, cast, browse):
        client = browse(cast.head)
        client.get(CHILD)
        assert client.get(f"{ENDED}?next={CHILD}")["Location"] == CHILD

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil"]
    )
    def test_leads_nowhere_else(self, cast, browse, elsewhere):
        assert browse(cast.head).get(ENDED, {"next": elsewhere})["Location"] == "/"
        assert "evil" not in browse().get(ENDED, {"next": elsewhere}).text
