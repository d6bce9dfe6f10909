"""Signing in with the authority's own service: a real provider in a process of its own, over real HTTP."""

import html
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from factories import AT
from oidc_provider import CLIENT_ID, CLIENT_SECRET, Running, provider_process

from handrail.accounts.models import SignInService, User
from handrail.accounts.second_step.actions import SHOWED_IT, add_app, has_one, reset
from handrail.accounts.service_actions import add_service, connect_service, switch_service
from handrail.core.models import AuditEntry
from tenants.context import inside
from tenants.routing import active_authority_for_host

pytestmark = pytest.mark.django_db

HANA = "subject-of-hana"
NAME = "Barsetshire Council"
STEP, AGAIN = "/account/second-step/", "/account/second-step/again/"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with provider_process(tmp_path_factory.mktemp("provider") / "log") as running:
        yield running


@pytest.fixture
def provider(process: Running) -> Running:
    """A provider that behaves."""
    cache.clear()
    process.behave()
    return process


@pytest.fixture
def service(cast: Any, one: Any, provider: Running) -> SignInService:
    """Barsetshire's, switched on."""
    return service_of(one, provider, cast.admin)


def service_of(authority: Any, provider: Running, by: Any, **more: Any) -> SignInService:
    facts = {"second_factor_claim": "amr", "second_factor_value": "mfa", "client_secret": CLIENT_SECRET, **more}
    with inside(authority):
        found = add_service(name=NAME, issuer=provider.issuer, client_id=CLIENT_ID, by=by, at=AT, **facts)
        switch_service(service=found, is_on=True, by=by, at=AT)
        return SignInService.objects.get(id=found.id)


@pytest.fixture
def connected(service: SignInService, cast: Any, one: Any) -> SignInService:
    """The same, and Hana has connected it."""
    with inside(one):
        connect_service(service=service, user=cast.head, subject=HANA, at=AT)
    return service


def go(client: Client, service: SignInService, *, to: str = "", **data: str) -> str:
    """Press the button; gives the address of the provider's sign-in page."""
    page = client.post(to or f"/sign-in/with/{service.id}/", data)
    assert page.status_code == 200, page.headers
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
    assert found
    return html.unescape(found[1])


def come_back(client: Client, address: str, **more: str) -> Any:
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}", more or None, follow=False)


def sign_in(client: Client, service: SignInService, provider: Running, **data: str) -> Any:
    """All of it: there, and back."""
    return come_back(client, provider.visit(go(client, service, **data)))


def connect(client: Client, service: SignInService, provider: Running) -> Any:
    return come_back(client, provider.visit(go(client, service, to=f"/account/services/{service.id}/connect/")))


def said(client: Client, answer: Any) -> str:
    """The newest banner on the page that the answer leads to."""
    assert answer.status_code == 302
    page = client.get(answer["Location"])
    found = re.findall(r'govuk-notification-banner__heading">\s*(.*?)\s*</p>', page.text, re.DOTALL)
    return html.unescape(found[-1]) if found else ""


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def session_of(client: Client) -> Any:
    with inside(active_authority_for_host(client.defaults["HTTP_HOST"])):
        return dict(client.session)


def records(client: Client) -> list[dict[str, Any]]:
    return list(session_of(client).get(AUTHENTICATION_METHODS_SESSION_KEY, []))


def with_one_step(browse: Any, user: User, one: Any) -> Client:
    """Somebody who has signed in with a code from their mail, and done no more."""
    client: Client = browse(user)
    with inside(one):
        session = client.session
        session[AUTHENTICATION_METHODS_SESSION_KEY] = session[AUTHENTICATION_METHODS_SESSION_KEY][:1]
        session.save()
    return client


def give_app(user: User, one: Any) -> None:
    with inside(one):
        add_app(user=user, secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", by=user, at=AT)


def send_mail() -> None:
    left, connection.run_on_commit = connection.run_on_commit, []
    for _, callback, _ in left:
        callback()


def entries(one: Any) -> list[tuple[str, str]]:
    with inside(one):
        found = AuditEntry.objects.filter(subject_kind="sign_in_service").order_by("written_at", "at")
        return [(each.verb, each.by_name) for each in found]


class TestSignIn:
    def test_is_offered_first_and_leads_there(self, service, browse, provider):
        client = browse()
        page = client.get("/sign-in/")
        assert f"Sign in with {NAME}" in page.text
        asked = {name: values[0] for name, values in parse_qs(urlsplit(go(client, service)).query).items()}
        assert asked["redirect_uri"] == f"http://barsetshire.localhost/sign-in/with/{service.id}/back/"
        assert (asked["scope"], asked["response_type"], asked["code_challenge_method"]) == ("openid", "code", "S256")
        assert len(asked["nonce"]) > 40
        assert len({go(client, service) for _ in range(3)}) == 3

    def test_signs_in_whom_the_subject_belongs_to(self, connected, browse, provider, cast):
        client = browse()
        answer = sign_in(client, connected, provider, next="/help/")
        assert (answer.status_code, answer["Location"]) == (302, "/help/")
        assert cast.head.name in client.get("/account/").text

    def test_asks_for_no_more_than_it_needs(self, connected, browse, provider):
        provider.behave()
        sign_in(browse(), connected, provider)
        assert provider.behave() == ["/.well-known/openid-configuration", "/authorize", "/token", "/keys"]

    def test_sends_the_secret_as_the_provider_takes_it(self, connected, browse, provider):
        for auth in (["client_secret_post"], ["client_secret_basic"]):
            cache.clear()
            provider.behave(auth=auth)
            client = browse()
            sign_in(client, connected, provider)
            assert is_signed_in(client)

    def test_goes_nowhere_else_afterwards(self, connected, browse, provider):
        client = browse()
        assert sign_in(client, connected, provider, next="https://evil.example/")["Location"] == "/"

    def test_gives_a_new_session(self, connected, browse, provider):
        client = browse()
        go(client, connected)
        before = client.cookies["sessionid"].value
        sign_in(client, connected, provider)
        assert client.cookies["sessionid"].value != before

    def test_takes_the_place_of_who_was_signed_in(self, connected, browse, provider, cast):
        client = browse(cast.colleague)
        sign_in(client, connected, provider)
        assert cast.head.name in client.get("/account/").text

    def test_keeps_nothing_that_the_provider_said_but_the_subject(self, connected, browse, provider, one):
        provider.behave(claims={"email": "hana@elsewhere.example", "name": "Hana H."})
        client = browse()
        sign_in(client, connected, provider)
        with inside(one):
            account = SocialAccount.objects.get()
            assert (account.provider, account.uid, account.extra_data) == (str(connected.id), HANA, {})
        assert "elsewhere" not in str(session_of(client))

    def test_does_not_open_a_closed_account(self, connected, browse, provider, one, cast):
        with inside(one):
            User.objects.filter(id=cast.head.id).update(is_active=False)
        client = browse()
        answer = sign_in(client, connected, provider)
        assert "Your account is closed" in client.get(answer["Location"]).text
        assert not is_signed_in(client)

    def test_is_slowed_down(self, service, browse, provider, settings):
        settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
        client = browse()
        go(client, service)
        go(client, service)
        assert "Too many tries" in said(client, client.post(f"/sign-in/with/{service.id}/"))

    def test_waits_in_a_flood_of_tries(self, service, browse, provider, settings):
        settings.SIGN_IN_TRIES_A_MINUTE = 1
        go(browse(), service)
        assert browse().post(f"/sign-in/with/{service.id}/").status_code == 429


class TestSignInAgain:
    """Somebody signed in shows again who they are, as before a page that asks for a second factor."""

    def test_asks_the_provider_not_to_go_by_what_it_remembers(self, connected, browse, provider, cast):
        again, first = (parse_qs(urlsplit(go(browse(*who), connected)).query) for who in ([cast.head], []))
        assert (again["prompt"], again["max_age"]) == (["login"], ["0"])
        assert "prompt" not in first
        assert first["max_age"] == ["36000"], "no sign-in there counts for longer than one here"

    @pytest.mark.parametrize(
        "behaviour",
        [
            {"claims": {"amr": ["mfa"], "auth_time": None}},
            {"claims": {"amr": ["mfa"], "auth_time": "just now"}},
            {"claims": {"amr": ["mfa"], "auth_time": True}},
            {"claims": {"amr": ["mfa"]}, "signed_in_ago": 120},
        ],
        ids=["undated", "in words", "yes", "of two minutes ago"],
    )
    def test_counts_for_nothing_when_the_provider_went_by_what_it_remembers(
        self, connected, browse, provider, cast, one, behaviour
    ):
        client = with_one_step(browse, cast.head, one)
        before = records(client)
        provider.behave(**behaviour)
        answer = sign_in(client, connected, provider, next="/account/")
        assert said(client, answer) == f"{NAME} did not ask you to sign in again. Use another way."
        assert records(client) == before
        provider.behave(claims={"amr": ["mfa"]}, signed_in_ago=50)  # clocks differ a little
        sign_in(client, connected, provider, next="/account/")
        assert records(client)[-1]["both_factors"] is True

    def test_keeps_what_is_in_the_session_under_a_new_key(self, connected, browse, provider, cast, one):
        client = browse(cast.head)
        before = client.cookies["sessionid"].value
        with inside(one):
            session = client.session
            session["half-typed"] = "kept"
            session.save()
        provider.behave(claims={"amr": ["mfa"]})
        assert sign_in(client, connected, provider, next="/help/")["Location"] == "/help/"
        assert client.cookies["sessionid"].value != before
        assert session_of(client)["half-typed"] == "kept"
        assert records(client)[-1]["both_factors"] is True

    def test_counts_for_nobody_when_it_is_not_believed(self, connected, browse, provider, cast):
        client = browse(cast.head)
        before, key = records(client), client.cookies["sessionid"].value
        provider.behave(claims={"amr": ["mfa"], "nonce": "another"})
        assert sign_in(client, connected, provider)["Location"] == "/account/"
        assert (records(client), client.cookies["sessionid"].value) == (before, key)


class TestThePagesOfTheSecondStep:
    def test_check_with_the_service_and_lead_on(self, connected, browse, provider, cast, one):
        client = with_one_step(browse, cast.head, one)
        place = f"/account/services/{connected.id}/disconnect/"
        assert client.post(place)["Location"] == f"{AGAIN}?next=%2F"
        page = client.get(AGAIN + "?next=/help/").text
        assert f"Use {NAME}" in page
        assert 'name="second-step-code"' not in page
        provider.behave(claims={"amr": ["mfa"]})
        assert sign_in(client, connected, provider, next="/help/")["Location"] == "/help/"
        assert client.post(place)["Location"] == "/account/"

    def test_say_that_the_service_asked_for_no_second_factor(self, connected, browse, provider, cast, one):
        client = with_one_step(browse, cast.head, one)
        answer = sign_in(client, connected, provider, next="/account/")
        assert said(client, answer) == f"{NAME} did not ask you for a second step. Use another way."
        assert client.post(f"/account/services/{connected.id}/disconnect/")["Location"].startswith(AGAIN)

    def test_check_with_an_app_as_well(self, connected, browse, cast, one):
        give_app(cast.head, one)
        page = browse(cast.head).get(AGAIN).text
        assert f"Use {NAME}" in page
        assert 'name="second-step-code"' in page

    def test_offer_a_service_to_who_can_connect_it(self, connected, browse, cast):
        assert f"Connect {NAME}" in browse(cast.officer).get(STEP).text
        assert NAME not in browse(cast.head).get(STEP).text

    def test_do_not_offer_one_that_nobody_connected_or_that_says_nothing_of_two_factors(
        self, cast, one, browse, provider
    ):
        service = service_of(one, provider, cast.admin, second_factor_claim="", second_factor_value="")
        give_app(cast.head, one)
        with inside(one):
            connect_service(service=service, user=cast.head, subject=HANA, at=AT)
        for who, page in ((cast.head, AGAIN), (cast.officer, STEP)):
            assert NAME not in browse(who).get(page).text


class TestSecondFactor:
    @pytest.mark.parametrize(
        ("claims", "counts"),
        [
            ({"amr": ["pwd", "mfa"]}, True),
            ({"amr": "mfa"}, True),
            ({"amr": ["pwd"]}, False),
            ({"amr": "pwd mfa"}, False),
            ({"acr": "mfa"}, False),
            ({"amr": None}, False),
            ({}, False),
        ],
    )
    def test_is_what_the_claim_says(self, connected, browse, provider, claims, counts):
        provider.behave(claims=claims)
        client = browse()
        sign_in(client, connected, provider)
        [record] = records(client)
        assert record["method"] == "socialaccount"
        assert record.get("both_factors", False) is counts

    def test_can_be_a_level_which_is_then_asked_for(self, cast, one, browse, provider):
        service = service_of(one, provider, cast.admin, second_factor_claim="acr", second_factor_value="level/2 a")
        with inside(one):
            connect_service(service=service, user=cast.head, subject=HANA, at=AT)
        client = browse()
        assert parse_qs(urlsplit(go(client, service)).query)["acr_values"] == ["level/2 a"]
        provider.behave(claims={"acr": "level/2 a"})
        sign_in(client, service, provider)
        assert records(client)[-1]["both_factors"] is True

    def test_counts_for_nothing_unless_set_up(self, cast, one, browse, provider):
        service = service_of(one, provider, cast.admin, second_factor_claim="", second_factor_value="")
        with inside(one):
            connect_service(service=service, user=cast.head, subject=HANA, at=AT)
        provider.behave(claims={"amr": ["mfa"], "acr": "", "": ""})
        client = browse()
        sign_in(client, service, provider)
        assert "both_factors" not in records(client)[0]

    @pytest.mark.parametrize(("ago", "seen"), [(7200, 7200), (-7200, 0)])
    def test_is_as_old_as_the_provider_says(self, connected, browse, provider, ago, seen):
        """An old session at the provider is no second factor of this moment; one of the future is one of now."""
        client = browse()
        provider.behave(claims={"amr": ["mfa"]}, signed_in_ago=ago)
        sign_in(client, connected, provider)
        [record] = records(client)
        assert record["both_factors"] is True
        assert abs(time.time() - record["at"] - seen) < 60

    @pytest.mark.parametrize(
        "behaviour",
        [{"claims": {"amr": ["mfa"], "auth_time": None}}, {"claims": {"amr": ["mfa"]}, "signed_in_ago": 37000}],
        ids=["undated", "of yesterday"],
    )
    def test_is_none_without_its_moment_or_from_before_the_longest_session(
        self, connected, browse, provider, behaviour
    ):
        provider.behave(**behaviour)
        client = browse()
        sign_in(client, connected, provider)
        [record] = records(client)
        assert "both_factors" not in record
        assert time.time() - record["at"] > 36000, "nor is it a sign-in of this moment"
        assert is_signed_in(client)


class TestSomebodyWhoReadsTheMail:
    """Whoever gets a code from somebody's mail must not make themselves a second step of their own."""

    OLU = "subject-of-olu"

    @pytest.fixture
    def shown(self, service, browse, provider, cast, one):
        """Olu has signed in with the service, which asked for a second factor."""
        with inside(one):
            connect_service(service=service, user=cast.officer, subject=self.OLU, at=AT)
        provider.behave(claims={"sub": self.OLU, "amr": ["pwd", "mfa"]})
        client = browse()
        sign_in(client, service, provider)
        assert client.get("/imports/").status_code == 200
        return service

    def places(self, service: SignInService) -> list[tuple[str, str]]:
        steps = [("get", STEP), ("get", f"{STEP}app/"), ("post", f"{STEP}app/"), ("post", f"{STEP}passkey/")]
        return [*steps, ("post", f"/account/services/{service.id}/connect/")]

    def test_is_led_to_the_service_that_once_asked_for_two_factors(self, shown, browse, cast, one):
        thief = with_one_step(browse, cast.officer, one)
        for method, place in self.places(shown):
            answer = getattr(thief, method)(place, {"code": "123456"})
            assert answer.headers.get("Location", "").startswith(f"{AGAIN}?next="), place
        page = thief.get(AGAIN).text
        assert f"Use {NAME}" in page
        assert STEP not in page.replace(AGAIN, "")
        with inside(one):
            assert not Authenticator.objects.exists()

    def test_is_at_a_school_too(self, connected, browse, provider, cast, one):
        provider.behave(claims={"amr": ["mfa"]})
        sign_in(browse(), connected, provider)
        assert with_one_step(browse, cast.head, one).get(f"{STEP}app/")["Location"].startswith(AGAIN)

    def test_is_not_who_comes_through_the_service(self, shown, browse, provider, cast, one):
        client = with_one_step(browse, cast.officer, one)
        provider.behave(claims={"sub": self.OLU, "amr": ["mfa"]})
        assert sign_in(client, shown, provider, next=f"{STEP}app/")["Location"] == f"{STEP}app/"
        assert client.get(f"{STEP}app/").status_code == 200

    def test_is_noted_once_and_shown(self, shown, browse, provider, cast, one):
        provider.behave(claims={"sub": self.OLU, "amr": ["mfa"]})
        client = browse()
        sign_in(client, shown, provider)
        assert "It asks you for a second step there" in client.get("/account/").text
        with inside(one):
            assert SocialAccount.objects.get().extra_data == {SHOWED_IT: True}
            entry = AuditEntry.objects.get(verb="added a second step")
        assert (entry.by, entry.subject_id, entry.fields) == (cast.officer.id, cast.officer.id, ["sign_in_service"])

    def test_finds_a_service_that_never_asked_for_two_worth_no_more_than_a_code(
        self, service, browse, provider, cast, one
    ):
        with inside(one):
            connect_service(service=service, user=cast.officer, subject=self.OLU, at=AT)
        provider.behave(claims={"sub": self.OLU})
        client = browse()
        sign_in(client, service, provider)
        assert client.get(f"{STEP}app/").status_code == 200

    def test_connecting_it_counts_at_once(self, service, browse, provider, cast, one):
        provider.behave(claims={"sub": self.OLU, "amr": ["mfa"]})
        connect(with_one_step(browse, cast.officer, one), service, provider)
        assert with_one_step(browse, cast.officer, one).get(f"{STEP}app/")["Location"].startswith(AGAIN)

    def test_a_reset_forgets_it(self, shown, browse, cast, one):
        with inside(one):
            reset(user=cast.officer, by=cast.admin, at=AT)
            assert not has_one(cast.officer)
        assert with_one_step(browse, cast.officer, one).get(f"{STEP}app/").status_code == 200

    def test_a_service_that_is_off_counts_no_more(self, shown, browse, cast, one):
        with inside(one):
            switch_service(service=shown, is_on=False, by=cast.admin, at=AT)
        assert with_one_step(browse, cast.officer, one).get(f"{STEP}app/").status_code == 200

    def test_it_is_not_disconnected_while_a_role_needs_it(self, shown, browse, cast, one):
        client, place = browse(cast.officer), f"/account/services/{shown.id}/disconnect/"
        assert said(client, client.post(place)).startswith(f"{NAME} is your second step, which your role needs.")
        give_app(cast.officer, one)
        client.post(place)
        with inside(one):
            assert not SocialAccount.objects.exists()

    def test_an_app_may_go_where_it_stays(self, shown, browse, cast, one):
        give_app(cast.officer, one)
        client = browse(cast.officer)
        assert said(client, client.post(f"{STEP}app/remove/")) == "Your authenticator app is removed."


class TestConnect:
    def test_connects_from_the_account_page_and_signs_in_from_then_on(self, service, browse, provider, cast, one):
        client = browse(cast.head)
        assert f"Connect {NAME}" in client.get("/account/").text
        answer = connect(client, service, provider)
        assert answer["Location"] == "/account/"
        page = client.get("/account/").text
        assert f"{NAME} is connected." in page
        assert f"Disconnect {NAME}" in page
        send_mail()
        assert mail.outbox[-1].to == [cast.head.email]
        assert mail.outbox[-1].subject == f"You can now sign in to Handrail with {NAME}"
        assert entries(one)[-1] == ("connected a sign-in service", cast.head.name)
        another = browse()
        sign_in(another, service, provider)
        assert is_signed_in(another)

    @pytest.mark.parametrize(("claims", "counts"), [({"amr": ["mfa"]}, True), ({}, False)])
    def test_is_a_sign_in_there_as_well(self, service, browse, provider, cast, claims, counts):
        provider.behave(claims=claims)
        client = browse(cast.head)
        connect(client, service, provider)
        assert records(client)[-1].get("both_factors", False) is counts

    def test_twice_is_once(self, connected, browse, provider, cast, one):
        client = browse(cast.head)
        before = entries(one)
        connect(client, connected, provider)
        send_mail()
        assert (entries(one), mail.outbox) == (before, [])

    def test_sets_up_the_second_step_of_who_has_none(self, service, browse, provider, cast, one):
        provider.behave(claims={"amr": ["mfa"]})
        client = with_one_step(browse, cast.officer, one)
        assert client.get("/imports/")["Location"] == STEP
        assert connect(client, service, provider)["Location"] == "/imports/"
        assert client.get("/imports/").status_code == 200

    def test_sets_up_nothing_when_the_service_asked_for_no_second_factor(self, service, browse, provider, cast, one):
        client = with_one_step(browse, cast.officer, one)
        connect(client, service, provider)
        assert client.get("/imports/")["Location"].startswith(STEP)

    def test_asks_first_for_the_second_step_of_who_has_one(self, service, browse, cast, one):
        client = with_one_step(browse, cast.head, one)
        give_app(cast.head, one)
        page = client.post(f"/account/services/{service.id}/connect/")
        assert "Check that it is you" in page.text
        assert "http-equiv" not in page.text

    def test_asks_who_signed_in_a_while_ago_to_sign_in_again(self, service, browse, cast, one):
        client = with_one_step(browse, cast.head, one)
        with inside(one):
            session = client.session
            session[AUTHENTICATION_METHODS_SESSION_KEY][0]["at"] -= 16 * 60
            session.save()
        answer = client.post(f"/account/services/{service.id}/connect/")
        assert answer["Location"] == f"{AGAIN}?next=%2Faccount%2F"

    def test_disconnects_only_after_a_second_step(self, connected, browse, cast, one):
        client = with_one_step(browse, cast.head, one)
        give_app(cast.head, one)
        assert "Check that it is you" in client.post(f"/account/services/{connected.id}/disconnect/").text
        with inside(one):
            assert SocialAccount.objects.exists()

    def test_disconnects(self, connected, browse, provider, cast, one):
        client = browse(cast.head)
        client.post(f"/account/services/{connected.id}/disconnect/")
        send_mail()
        assert mail.outbox[-1].subject == f"You no longer sign in to Handrail with {NAME}"
        assert entries(one)[-1] == ("disconnected a sign-in service", cast.head.name)
        client.post(f"/account/services/{connected.id}/disconnect/")
        assert entries(one)[-2][0] != "disconnected a sign-in service"
        another = browse()
        assert "We do not know this sign-in yet" in said(another, sign_in(another, connected, provider))
        assert not is_signed_in(another)

    def test_disconnects_nobody_else(self, connected, browse, cast, one):
        browse(cast.colleague).post(f"/account/services/{connected.id}/disconnect/")
        with inside(one):
            assert SocialAccount.objects.get().user_id == cast.head.id

    def test_refuses_a_sign_in_that_is_somebody_elses(self, connected, browse, provider, cast, one):
        client = browse(cast.colleague)
        assert "connected to another account here" in said(client, connect(client, connected, provider))
        with inside(one):
            assert SocialAccount.objects.get().user_id == cast.head.id

    def test_needs_somebody_signed_in(self, service, browse, provider, cast):
        answer = browse().post(f"/account/services/{service.id}/connect/")
        assert answer["Location"].startswith("/sign-in/?next=")

    def test_refuses_who_was_signed_out_on_the_way(self, service, browse, provider, cast, one):
        client = browse(cast.head)
        address = go(client, service, to=f"/account/services/{service.id}/connect/")
        state = session_of(client)["socialaccount_states"]
        client.post("/sign-out/")
        with inside(one):
            session = client.session
            session["socialaccount_states"] = state
            session.save()
        assert "You were signed out on the way" in said(client, come_back(client, provider.visit(address)))
        with inside(one):
            assert not SocialAccount.objects.exists()

    def test_is_not_begun_by_another_site(self, service, cast, one):
        client = Client(HTTP_HOST=one.host, enforce_csrf_checks=True)
        with inside(one):
            client.force_login(cast.head)
        assert client.post(f"/account/services/{service.id}/connect/").status_code == 403
        assert client.post(f"/sign-in/with/{service.id}/").status_code == 403


class TestAnUnknownPerson:
    def test_is_told_to_sign_in_with_a_code_once(self, service, browse, provider, one):
        client = browse()
        words = said(client, sign_in(client, service, provider))
        assert words == (
            "We do not know this sign-in yet. Sign in with a code once, "
            "then connect Barsetshire Council on your account page."
        )
        assert not is_signed_in(client)
        with inside(one):
            assert not SocialAccount.objects.exists()

    def test_is_not_known_by_an_e_mail_address(self, service, browse, provider, cast, one):
        provider.behave(claims={"email": cast.head.email, "email_verified": True})
        client = browse()
        people = count_people(one)
        assert "We do not know this sign-in yet" in said(client, sign_in(client, service, provider))
        assert (is_signed_in(client), count_people(one)) == (False, people)

    def test_is_not_who_has_the_subject_at_another_issuer(self, connected, browse, provider, cast, one):
        other = SignInService(
            name="Other", issuer="https://other.example", client_id="x", client_secret="y", is_on=True, added_at=AT
        )
        with inside(one):
            other.save()
            SocialAccount.objects.update(provider=str(other.id))
        client = browse()
        assert "We do not know this sign-in yet" in said(client, sign_in(client, connected, provider))


def count_people(one: Any) -> int:
    with inside(one):
        return User.objects.count()


UNBELIEVED = "We could not check what Barsetshire Council said about you"
SILENT = "Barsetshire Council did not answer as it should"
NOW = int(time.time())


class TestWhatIsNotBelieved:
    """Each would sign Hana in if it were."""

    @pytest.mark.parametrize(
        "behaviour",
        [
            {"claims": {"nonce": "another"}},
            {"claims": {"nonce": None}},
            {"claims": {"nonce": 7}},
            {"claims": {"aud": "another-client"}},
            {"claims": {"aud": None}},
            {"claims": {"aud": [CLIENT_ID, "another-client"]}},
            {"claims": {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"}},
            {"claims": {"azp": "another-client"}},
            {"claims": {"iss": "https://another.example"}},
            {"claims": {"iss": None}},
            pytest.param({"claims": {"exp": NOW - 120}}, id="expired"),
            {"claims": {"exp": None}},
            {"claims": {"exp": "soon"}},
            pytest.param({"claims": {"iat": NOW + 7200}}, id="made in the future"),
            pytest.param({"claims": {"nbf": NOW + 7200}}, id="not valid yet"),
            {"claims": {"sub": None}},
            {"claims": {"sub": ""}},
            {"claims": {"sub": 5}},
            {"claims": {"sub": "x" * 192}},
            {"signed": "none"},
            {"signed": "HS256"},
            {"signed": "another key"},
            {"signed": "broken"},
        ],
        ids=str,
    )
    def test_is_refused(self, connected, browse, provider, one, behaviour):
        client = browse()
        address = provider.visit(go(client, connected))
        provider.behave(**behaviour)
        assert UNBELIEVED in said(client, come_back(client, address))
        assert not is_signed_in(client)
        assert records(client) == []

    @pytest.mark.parametrize("behaviour", [{}, {"claims": {"aud": [CLIENT_ID]}}, {"claims": {"azp": CLIENT_ID}}])
    def test_but_what_is_right_is_taken(self, connected, browse, provider, behaviour):
        client = browse()
        address = provider.visit(go(client, connected))
        provider.behave(**behaviour)
        come_back(client, address)
        assert is_signed_in(client)

    @pytest.mark.parametrize(
        "id_token", ["", "x", "a.b.c", "e30.e30.", 5, None, "\u00e9.\u00e9.\u00e9", "eyJhbGciOjV9.e30."]
    )
    def test_is_refused_when_it_is_no_token(self, connected, browse, provider, id_token):
        client = browse()
        address = provider.visit(go(client, connected))
        provider.behave(answers={"/token": [200, {"access_token": "a", "id_token": id_token}]})
        assert said(client, come_back(client, address)).startswith((UNBELIEVED, SILENT))
        assert not is_signed_in(client)

    def test_is_an_answer_of_another_issuer(self, connected, browse, provider):
        """RFC 9207: two providers are not mixed up."""
        client = browse()
        address = provider.visit(go(client, connected)) + "&iss=https%3A%2F%2Fanother.example"
        assert UNBELIEVED in said(client, come_back(client, address))
        assert not is_signed_in(client)


class TestAProviderThatFails:
    @pytest.mark.parametrize(
        "answer",
        [
            [500, {"error": "server_error"}],
            [400, {"error": "invalid_grant"}],
            [401, {"error": "invalid_client"}],
            [200, "not json"],
            [200, "[" * 100_000],
            [200, []],
            [200, {}],
            [200, {"access_token": "x"}],
            [302, {}, {"Location": "https://evil.example/"}],
            [200, "x" * 1_100_000],
        ],
        ids=lambda each: str(each)[:40],
    )
    @pytest.mark.parametrize("path", ["/token", "/keys", "/.well-known/openid-configuration"])
    def test_is_named_and_nothing_is_half_done(self, connected, browse, provider, path, answer, one):
        client = browse()
        address = provider.visit(go(client, connected))
        cache.clear()
        provider.behave(answers={path: answer})
        words = said(client, come_back(client, address))
        assert words.startswith(SILENT), words
        assert not is_signed_in(client)

    def test_by_calling_itself_otherwise_than_at_first(self, connected, browse, provider):
        cache.clear()
        provider.behave(discovery={"issuer": f"{provider.issuer}/"})
        client = browse()
        assert SILENT in said(client, client.post(f"/sign-in/with/{connected.id}/"))

    def test_by_being_down(self, cast, one, browse, provider):
        service = service_of(one, Running(9), cast.admin)
        client = browse()
        assert SILENT in said(client, client.post(f"/sign-in/with/{service.id}/", {"next": "/help/"}))
        assert (
            client.post(f"/sign-in/with/{service.id}/", {"next": "/help/"})["Location"] == "/sign-in/?next=%2Fhelp%2F"
        )

    def test_by_being_slow_when_it_is_gone_to(self, service, browse, provider, monkeypatch):
        monkeypatch.setattr("handrail.core.outside.Deadline.__init__.__defaults__", (0.4,))
        provider.behave(slow={"/.well-known/openid-configuration": 30})
        client = browse()
        began = time.monotonic()
        assert SILENT in said(client, client.post(f"/sign-in/with/{service.id}/"))
        assert time.monotonic() - began < 15

    def test_by_slowness_that_adds_up(self, connected, browse, provider, caplog, monkeypatch):
        """Each of its answers would be in time by itself."""
        client = browse()
        address = provider.visit(go(client, connected))
        monkeypatch.setattr("handrail.core.outside.Deadline.__init__.__defaults__", (1.5,))
        provider.behave(slow={"/token": 1, "/keys": 1})
        began = time.monotonic()
        assert SILENT in said(client, come_back(client, address))
        assert time.monotonic() - began > 1.4
        assert not is_signed_in(client)
        assert "did not answer within 1.5 seconds" in caplog.text

    def test_by_a_wrong_secret(self, connected, browse, provider, one, caplog):
        with inside(one):
            service = SignInService.objects.get()
            service.client_secret = "an old one"
            service.save()
        client = browse()
        assert SILENT in said(client, sign_in(client, connected, provider))
        assert "does not accept the client id and the client secret" in caplog.text
        assert "an old one" not in caplog.text

    def test_by_having_no_key_of_ours(self, connected, browse, provider, settings):
        """Without the key that opens the client secret people are told to use a code, and no page breaks."""
        from handrail.core import vault

        client = browse()
        address = provider.visit(go(client, connected))
        vault._unwrapped.clear()
        settings.VAULT_KEYS, settings.VAULT_KMS_KEY = (), ""
        assert SILENT in said(client, come_back(client, address))
        assert client.get("/sign-in/").status_code == 200

    def test_by_dropping_an_account(self, connected, browse, provider):
        provider.behave(error="access_denied")
        client = browse()
        words = said(client, sign_in(client, connected, provider))
        assert words == (
            "Barsetshire Council did not let you in, or you stopped on the way. Try again, or sign in with a code."
        )
        assert not is_signed_in(client)

    def test_by_an_error_of_its_own(self, connected, browse, provider):
        provider.behave(error="server_error")
        client = browse()
        assert "could not sign you in" in said(client, sign_in(client, connected, provider))

    def test_while_connecting_leads_back_to_the_account_page(self, service, browse, provider, cast, one):
        client = browse(cast.head)
        provider.behave(error="access_denied")
        answer = connect(client, service, provider)
        assert answer["Location"] == "/account/"
        assert "did not let you in" in said(client, answer)
        with inside(one):
            assert not SocialAccount.objects.exists()


STALE = "That sign-in has run out, was used before, or began in another browser"


class TestAnAnswer:
    def test_is_used_once(self, connected, browse, provider):
        client = browse()
        address = provider.visit(go(client, connected))
        come_back(client, address)
        client.post("/sign-out/")
        assert STALE in said(client, come_back(client, address))
        assert not is_signed_in(client)

    def test_with_a_code_that_was_used_is_refused(self, connected, browse, provider):
        client, thief = browse(), browse()
        first = provider.visit(go(client, connected))
        come_back(client, first)
        second = provider.visit(go(thief, connected))
        code = parse_qs(urlsplit(first).query)["code"][0]
        stolen = re.sub(r"code=[^&]+", f"code={code}", second)
        assert SILENT in said(thief, come_back(thief, stolen))
        assert not is_signed_in(thief)

    def test_with_somebody_elses_unused_code_is_refused(self, connected, browse, provider):
        """The proof key (PKCE) binds a code to the browser that began."""
        victim, thief = browse(), browse()
        code = parse_qs(urlsplit(provider.visit(go(victim, connected))).query)["code"][0]
        mine = re.sub(r"code=[^&]+", f"code={code}", provider.visit(go(thief, connected)))
        assert SILENT in said(thief, come_back(thief, mine))
        assert not is_signed_in(thief)

    def test_means_nothing_in_another_browser(self, connected, browse, provider):
        address = provider.visit(go(browse(), connected))
        other = browse()
        assert STALE in said(other, come_back(other, address))
        assert not is_signed_in(other)

    @pytest.mark.parametrize("query", ["", "?state=x", "?code=x", "?state=&code=x", "?state=x&code=x&error=y"])
    def test_without_a_state_is_refused(self, connected, browse, provider, query):
        client = browse()
        provider.behave()
        assert STALE in said(client, client.get(f"/sign-in/with/{connected.id}/back/{query}"))
        assert provider.behave() == []

    def test_runs_out_after_ten_minutes(self, connected, browse, provider, monkeypatch):
        client = browse()
        address = provider.visit(go(client, connected))
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 601)
        assert STALE in said(client, come_back(client, address))

    def test_for_one_service_is_none_for_another(self, connected, browse, provider, one, cast):
        with inside(one):
            other = add_service(
                name="Other", issuer="http://127.0.0.1:9", client_id="x", client_secret="y",
                second_factor_claim="", second_factor_value="", by=cast.admin, at=AT,
            )  # fmt: skip
            switch_service(service=other, is_on=True, by=cast.admin, at=AT)
        client = browse()
        address = provider.visit(go(client, connected)).replace(str(connected.id), str(other.id))
        assert STALE in said(client, come_back(client, address))
        assert not is_signed_in(client)


class TestAnotherAuthority:
    def test_does_not_know_the_service(self, connected, browse, provider, two):
        there = browse(authority=two)
        address = provider.visit(go(browse(), connected))
        assert come_back(there, address).status_code == 404
        assert there.post(f"/sign-in/with/{connected.id}/").status_code == 404
        assert NAME not in there.get("/sign-in/").text

    def test_takes_no_session_of_the_first(self, connected, browse, provider, two, cast):
        """Both have a service at the same provider: the state of one is none at the other."""
        other = service_of(two, provider, cast.stranger)
        with inside(two):
            connect_service(service=other, user=cast.stranger, subject=HANA, at=AT)
        here = browse()
        address = provider.visit(go(here, connected))
        there = browse(authority=two)
        there.cookies["sessionid"] = here.cookies["sessionid"].value
        answer = come_back(there, address.replace(str(connected.id), str(other.id)))
        assert STALE in said(there, answer)
        assert not is_signed_in(there)

    def test_signs_in_its_own_person_with_the_same_subject(self, connected, browse, provider, two, cast):
        other = service_of(two, provider, cast.stranger)
        with inside(two):
            connect_service(service=other, user=cast.stranger, subject=HANA, at=AT)
        there = browse(authority=two)
        sign_in(there, other, provider)
        assert cast.stranger.name in there.get("/account/second-step/").text


class TestAServiceThatIsSwitchedOff:
    @pytest.fixture
    def off(self, connected, one, cast):
        with inside(one):
            switch_service(service=connected, is_on=False, by=cast.admin, at=AT)
        return connected

    def test_is_not_offered_and_leads_nowhere(self, off, browse):
        client = browse()
        assert NAME not in client.get("/sign-in/").text
        assert "was switched off" in said(client, client.post(f"/sign-in/with/{off.id}/"))

    def test_in_the_middle_signs_nobody_in(self, connected, browse, provider, one, cast):
        client = browse()
        address = provider.visit(go(client, connected))
        with inside(one):
            switch_service(service=connected, is_on=False, by=cast.admin, at=AT)
        provider.behave()
        words = said(client, come_back(client, address))
        assert words == f"Signing in with {NAME} was switched off. Sign in with a code."
        assert provider.behave() == []
        assert not is_signed_in(client)

    def test_can_be_disconnected(self, off, browse, cast):
        assert f"Disconnect {NAME}" in browse(cast.head).get("/account/").text
        assert NAME not in browse(cast.colleague).get("/account/").text
