"""Every address, asked by everybody who must not be answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import include, path
from factories import Cast, person
from isolation.walk import CANARY, OPENER, Answer, Place, WalkError, addresses, ask, places, plant

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.config import urls
from handrail.core.access import PUBLIC, SIGNED_IN, Door
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db

REFUSED = {401, 403, 404, 405}


@pytest.fixture(autouse=True)
def demo(settings: Any, tmp_path: Path) -> None:
    """The demo's addresses too, and a folder for documents."""
    settings.IS_DEMO = True
    settings.DOCUMENT_STORE = tmp_path


@pytest.fixture
def planted(cast: Cast, one: Any, two: Any) -> list[Place]:
    """Every address, with rows of Oak School in authority one; all three schools have their canary."""
    plant(one, cast.elm, "elm")
    plant(two, cast.far, "far")
    return places(plant(one, cast.oak, "oak"))


@pytest.fixture
def session_of(browse: Callable[..., Client]) -> Callable[..., dict[str, str]]:
    """The cookies of a person who has signed in."""

    def cookies(person: Any, authority: Any) -> dict[str, str]:
        client = browse(person, authority=authority)
        return {name: morsel.value for name, morsel in client.cookies.items()}

    return cookies


def walk(
    planted: list[Place], host: str, cookies: dict[str, str], wrong: Callable[[Place, str, Answer], str]
) -> list[str]:
    """What was wrong with the answers, a sentence each."""
    findings = []
    for place in planted:
        for method in place.address.methods:
            client = Client(HTTP_HOST=host, raise_request_exception=False)
            client.cookies.load(cookies)
            answer = ask(client, method, place.path)
            fault = "it failed" if answer.status >= 500 else wrong(place, method, answer)
            if fault:
                findings.append(f"{method.upper()} {place.path} ({place.address.name}) gave {answer.status}: {fault}")
    return findings


def canaries(answer: Answer, *foreign: str) -> str:
    seen = [each for each in foreign if f"{CANARY}{each}" in answer.text]
    return f"it shows {CANARY}{seen[0]}" if seen else ""


def for_nobody(place: Place, method: str, answer: Answer) -> str:
    """Somebody who is not signed in is sent to sign in, unless the page is public; nobody's rows are shown."""
    if shown := canaries(answer, "oak", "elm", "far"):
        return shown
    if place.address.is_public or answer.status in REFUSED - {403}:
        return ""
    if answer.status == 302:
        signing_in = answer.leads_to.startswith((resolve_url(settings.LOGIN_URL), "/sign-in/"))
        return "" if signing_in else f"it leads to {answer.leads_to}"
    return "it answers somebody who is not signed in"


def for_stranger(place: Place, method: str, answer: Answer) -> str:
    """A person of another authority does not find its rows."""
    if shown := canaries(answer, "oak", "elm"):
        return shown
    if place.names_a_row and answer.status not in REFUSED:
        return "it answers for a row of another authority"
    return ""


def for_neighbour(place: Place, method: str, answer: Answer) -> str:
    """A person of another school of the same authority does not find its rows."""
    if shown := canaries(answer, "oak", "far"):
        return shown
    if place.names_a_row and answer.status not in REFUSED:
        return "it answers for a row of another school"
    return ""


class TestEveryAddress:
    def test_is_refused_to_nobody(self, planted: list[Place], one: Any) -> None:
        assert walk(planted, one.host, {}, for_nobody) == []

    def test_is_refused_to_a_session_of_another_authority(
        self, planted: list[Place], cast: Cast, one: Any, two: Any, session_of: Any
    ) -> None:
        assert walk(planted, one.host, session_of(cast.stranger, two), for_nobody) == []
        assert walk(planted, two.host, session_of(cast.admin, one), for_nobody) == []

    def test_finds_no_row_of_another_authority(
        self, planted: list[Place], cast: Cast, two: Any, session_of: Any
    ) -> None:
        assert walk(planted, two.host, session_of(cast.stranger, two), for_stranger) == []

    def test_finds_no_row_of_another_school(self, planted: list[Place], cast: Cast, one: Any, session_of: Any) -> None:
        assert walk(planted, one.host, session_of(cast.neighbour, one), for_neighbour) == []

    def test_does_not_exist_at_another_host(self, planted: list[Place]) -> None:
        def wrong(place: Place, method: str, answer: Answer) -> str:
            return "" if answer.status == 404 else "it answers at a host that is no authority's"

        assert walk(planted, "elsewhere.example", {}, wrong) == []

    def test_is_there_for_somebody_who_may(self, planted: list[Place], cast: Cast, one: Any, session_of: Any) -> None:
        """Else the rows of the walk would be none, and every refusal above would prove nothing."""
        with inside(one):
            named = User.objects.get(email=OPENER.format("oak"))
            reviewer = person("reviewer@barsetshire.example", Role.DATA_PROTECTION_LEAD)
            governor = person("governor@oak.example", Role.GOVERNOR, school=cast.oak)
        people = [session_of(each, one) for each in (cast.admin, cast.head, named, reviewer, governor)]
        missing = []
        for place in planted:
            if not place.names_a_row or place.address.name in ("people:close", "people:sign_out"):
                continue  # the walk's role is awaited, and such an account is nobody's to close or to sign out
            statuses: list[int] = []
            for cookies in people:
                client = Client(HTTP_HOST=one.host, raise_request_exception=False)
                client.cookies.load(cookies)
                answer = ask(client, "get", place.path)
                statuses.append((answer if answer.status != 405 else ask(client, "post", place.path)).status)
                if statuses[-1] in (200, 302, 304):
                    break
            else:
                missing.append(f"{place.path} ({place.address.name}): {statuses}")
        assert missing == []


# -- the walk itself: each kind of mistake, made and found ------------------------------------------------


class Unscoped(Door):
    """Forgets whose row it is."""

    permission = SIGNED_IN

    def get(self, request: HttpRequest, urn: str) -> HttpResponse:
        return HttpResponse(School.objects.get(urn=urn).name)


class Listing(Door):
    """Forgets whose rows they are."""

    permission = SIGNED_IN

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(",".join(School.objects.values_list("name", flat=True)))


class Unlocked(Door):
    """Says that it is public, and shows a school."""

    permission = PUBLIC
    get = Listing.get


class Undeclared(Door):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse()


def no_door(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class Conf:
    """A URLconf of the product's with one more entry."""

    def __init__(self, *more: Any) -> None:
        self.urlpatterns = [*more, *urls.urlpatterns]
        self.handler404 = urls.handler404


class TestTheWalkItself:
    @pytest.mark.parametrize(
        ("entry", "finding"),
        [
            (path("x/", Listing.as_view()), "has no name"),
            (path("x/", no_door, name="x"), "is no Door"),
            (path("x/", Undeclared.as_view(), name="x"), "declares no permission"),
            (path("x/", include(([path("", no_door, name="x")], "app"))), "is no Door"),
        ],
    )
    def test_stops_at_what_it_cannot_judge(self, settings: Any, entry: Any, finding: str) -> None:
        settings.ROOT_URLCONF = Conf(entry)
        with pytest.raises(WalkError, match=finding):
            addresses()

    def test_stops_at_an_argument_that_it_has_no_row_for(self, settings: Any) -> None:
        settings.ROOT_URLCONF = Conf(path("x/<uuid:thing_id>/", Listing.as_view(), name="x"))
        with pytest.raises(WalkError, match="x takes `thing_id`"):
            places({})

    @pytest.mark.parametrize(
        ("entry", "finding"),
        [
            (path("x/<urn>/", Unscoped.as_view(), name="x"), "it shows canary-of-oak"),
            (path("x/", Listing.as_view(), name="x"), "it shows canary-of-oak"),
        ],
    )
    def test_finds_a_page_that_shows_another_schools_rows(
        self, settings: Any, cast: Cast, one: Any, session_of: Any, entry: Any, finding: str
    ) -> None:
        settings.ROOT_URLCONF = Conf(entry)
        rows = [each for each in places(plant(one, cast.oak, "oak")) if each.address.name == "x"]
        found = walk(rows, one.host, session_of(cast.neighbour, one), for_neighbour)
        assert finding in found[0]

    def test_finds_a_public_page_that_shows_rows(self, settings: Any, cast: Cast, one: Any) -> None:
        settings.ROOT_URLCONF = Conf(path("x/", Unlocked.as_view(), name="x"))
        rows = [each for each in places(plant(one, cast.oak, "oak")) if each.address.name == "x"]
        assert "it shows canary-of-oak" in walk(rows, one.host, {}, for_nobody)[0]

    def test_finds_a_wall_that_opens_the_wrong_door(
        self, settings: Any, cast: Cast, one: Any, two: Any, session_of: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ROOT_URLCONF = Conf(path("x/", Listing.as_view(), name="x"))
        rows = [each for each in places(plant(one, cast.oak, "oak")) if each.address.name == "x"]
        cookies = session_of(cast.admin, one)
        assert walk(rows, two.host, cookies, for_nobody) == []
        monkeypatch.setattr("tenants.middleware.inside", lambda _authority: inside(one))
        assert "it shows canary-of-oak" in walk(rows, two.host, cookies, for_nobody)[0]
