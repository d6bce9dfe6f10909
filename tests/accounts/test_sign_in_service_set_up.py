"""Setting up the authority's own sign-in service, with a real provider in a process of its own."""

import html
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.db import IntegrityError, transaction
from oidc_provider import CLIENT_ID, CLIENT_SECRET, Running, provider_process

from handrail.accounts.models import SignInService
from handrail.accounts.service_actions import (
    add_service,
    change_service,
    connect_service,
    note_second_factor,
    switch_service,
)
from handrail.core import vault
from handrail.core.models import AuditEntry
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db

ADD = "/settings/sign-in/add/"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with provider_process(tmp_path_factory.mktemp("provider") / "log") as running:
        yield running


@pytest.fixture
def provider(process: Running) -> Running:
    cache.clear()
    process.behave()
    return process


def form(provider: Running, **changes: str) -> dict[str, str]:
    return {
        "name": "Barsetshire Council",
        "address": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "second_factor_claim": "amr",
        "amr": "mfa",
        "acr": "",
        **changes,
    }


@pytest.fixture
def added(provider: Running, browse: Any, cast: Any, one: Any) -> SignInService:
    browse(cast.admin).post(ADD, form(provider))
    with inside(one):
        return SignInService.objects.get()


def services(one: Any) -> list[SignInService]:
    with inside(one):
        return list(SignInService.objects.all())


def entries(one: Any) -> list[tuple[str, list[str]]]:
    with inside(one):
        found = AuditEntry.objects.filter(subject_kind="sign_in_service").order_by("written_at")
        return [(each.verb, each.fields) for each in found]


def errors(page: Any) -> str:
    found = re.search(r'govuk-error-summary__list">(.*?)</ul>', page.text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>|\s+", " ", found[1])).strip() if found else ""


def banner(page: Any) -> str:
    found = re.findall(r'govuk-notification-banner__heading">\s*(.*?)\s*</p>', page.text, re.DOTALL)
    return html.unescape(found[-1]) if found else ""


class TestAdd:
    def test_adds_one_that_answers_and_is_off(self, provider, browse, cast, one):
        client = browse(cast.admin)
        answer = client.post(ADD, form(provider))
        [service] = services(one)
        assert answer["Location"] == f"/settings/sign-in/{service.id}/"
        page = client.get(answer["Location"])
        assert f"http://barsetshire.localhost/sign-in/with/{service.id}/back/" in page.text
        assert "Nobody sees it yet" in page.text
        assert (service.issuer, service.is_on) == (provider.issuer, False)
        assert entries(one) == [
            (
                "added a sign-in service",
                ["name", "client_id", "second_factor_claim", "second_factor_value", "issuer", "client_secret"],
            )
        ]

    def test_says_plainly_that_a_secret_cannot_be_kept(self, provider, browse, cast, one, settings, added):
        settings.VAULT_KEYS = ()
        vault._unwrapped.clear()
        change = f"/settings/sign-in/{added.id}/change/"
        with inside(one):
            SignInService.objects.filter(id=added.id).update(issuer="https://other.example")
        before = entries(one)
        for place, sent in ((ADD, form(provider)), (change, form(provider, name="Another name"))):
            page = browse(cast.admin).post(place, sent)
            assert page.status_code == 200
            assert errors(page) == (
                "Client secrets cannot be kept safe just now, so nothing was saved. Try again in a few minutes"
            )
            assert "ealth record" not in page.text
            assert f'value="{sent["name"]}"' in page.text
        assert ([each.name for each in services(one)], entries(one)) == (["Barsetshire Council"], before)

    def test_never_shows_the_secret_and_keeps_it_sealed(self, added, browse, cast, one):
        client = browse(cast.admin)
        for path in ("", "change/"):
            assert CLIENT_SECRET not in html.unescape(client.get(f"/settings/sign-in/{added.id}/{path}").text)
        with inside(one):
            [(stored,)] = execute("SELECT client_secret FROM accounts_signinservice")
            assert CLIENT_SECRET.encode() not in bytes(stored)
            assert SignInService.objects.get().client_secret == CLIENT_SECRET

    def test_does_not_show_it_again_when_something_else_is_wrong(self, provider, browse, cast):
        page = browse(cast.admin).post(ADD, form(provider, client_id=""))
        assert errors(page) == "Enter the client id"
        assert CLIENT_SECRET not in html.unescape(page.text)
        assert 'value="Barsetshire Council"' in page.text

    @pytest.mark.parametrize("end", ["/", "/.well-known/openid-configuration"])
    def test_takes_the_address_as_people_copy_it(self, provider, browse, cast, one, end):
        browse(cast.admin).post(ADD, form(provider, address=f" {provider.issuer}{end} "))
        assert [each.issuer for each in services(one)] == [provider.issuer]

    def test_refuses_the_same_issuer_twice(self, added, provider, browse, cast, one):
        page = browse(cast.admin).post(ADD, form(provider, name="Again"))
        assert errors(page) == "Barsetshire Council has this address already. Change that one instead"
        assert len(services(one)) == 1

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"name": ""}, "Enter the name on the button"),
            ({"address": ""}, "Enter the address of the service"),
            ({"client_secret": ""}, "Enter the client secret"),
            ({"second_factor_claim": ""}, "Select whether it counts as a second factor"),
            ({"second_factor_claim": "acr"}, "Enter the value of acr"),
            ({"amr": ""}, "Enter the value of amr"),
            ({"name": "x" * 41}, "Name on the button must be 40 characters or fewer"),
            ({"address": "council"}, "council/.well-known/openid-configuration is not a web address"),
            ({"address": "ftp://x.example"}, "must begin with https://"),
            ({"address": "https://user@x.example"}, "is not a web address"),
            ({"address": "https://x.example:port"}, "is not a web address"),
            ({"address": "https://10.0.0.1"}, "is not a public address"),
            ({"address": "https://169.254.169.254/latest"}, "is not a public address"),
            ({"address": "http://127.0.0.1:9"}, "does not answer"),
        ],
        ids=str,
    )
    def test_refuses_in_words(self, provider, browse, cast, one, changes, message):
        page = browse(cast.admin).post(ADD, form(provider, **changes))
        assert message in errors(page)
        assert services(one) == []

    @pytest.mark.parametrize(
        ("behaviour", "message"),
        [
            ({"discovery": {"issuer": "https://another.example"}}, "says that it is https://another.example"),
            ({"discovery": {"issuer": None}}, "says that it is nobody"),
            ({"discovery": {"issuer": 5}}, "says that it is 5"),
            ({"discovery": {"token_endpoint": None}}, "does not say what its token_endpoint is"),
            ({"discovery": {"jwks_uri": "ftp://x.example/"}}, "jwks_uri of"),
            ({"discovery": {"authorization_endpoint": "javascript:alert(1)"}}, "authorization_endpoint of"),
            ({"discovery": {"jwks_uri": "https://169.254.169.254/keys"}}, "is not a public address"),
            ({"keys": {"keys": []}}, "shows no key"),
            ({"keys": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "shows no key"),
            ({"keys": {}}, "shows no key"),
            (
                {"answers": {"/.well-known/openid-configuration": [302, {}, {"Location": "http://10.0.0.1/"}]}},
                "leads to another address",
            ),
            ({"answers": {"/.well-known/openid-configuration": [404, {}]}}, "answers with an error (status 404)"),
            ({"answers": {"/.well-known/openid-configuration": [200, "<html>"]}}, "does not answer with JSON"),
        ],
        ids=str,
    )
    def test_says_what_is_wrong_at_the_service(self, provider, browse, cast, one, behaviour, message):
        provider.behave(**behaviour)
        page = browse(cast.admin).post(ADD, form(provider))
        assert message in errors(page)
        assert services(one) == []

    def test_gives_up_after_five_seconds_however_slowly_it_drips(self, provider, browse, cast, one):
        provider.behave(drip={"/.well-known/openid-configuration": 0.5})
        began = time.monotonic()
        page = browse(cast.admin).post(ADD, form(provider))
        assert 4.5 < time.monotonic() - began < 30
        assert "did not answer within 5 seconds" in errors(page)

    def test_is_for_administrators(self, added, provider, browse, cast, one):
        for person in (cast.officer, cast.head):
            client = browse(person)
            for path in ("", "add/", f"{added.id}/", f"{added.id}/change/"):
                assert client.get(f"/settings/sign-in/{path}").status_code == 403
            assert client.post(f"/settings/sign-in/{added.id}/switch/", {"to": "on"}).status_code == 403
        assert not services(one)[0].is_on

    def test_is_not_there_for_another_authority(self, added, browse, two):
        from factories import person

        from handrail.accounts.roles import Role

        with inside(two):
            admin = person("second@borchester.example", Role.AUTHORITY_ADMINISTRATOR)
        client = browse(admin, authority=two)
        assert client.get("/settings/sign-in/").status_code == 200
        assert client.get(f"/settings/sign-in/{added.id}/").status_code == 404
        assert client.post(f"/settings/sign-in/{added.id}/switch/", {"to": "on"}).status_code == 404


class TestChange:
    def test_changes_and_keeps_the_secret(self, added, browse, cast, one):
        path = f"/settings/sign-in/{added.id}/change/"
        browse(cast.admin).post(path, {"name": "Council", "client_id": "new", "second_factor_claim": "none"})
        with inside(one):
            service = SignInService.objects.get()
            assert (service.name, service.client_id, service.client_secret) == ("Council", "new", CLIENT_SECRET)
            assert (service.second_factor_claim, service.second_factor_value) == ("", "")
        assert entries(one)[-1] == (
            "changed a sign-in service",
            ["name", "client_id", "second_factor_claim", "second_factor_value"],
        )

    def test_changes_the_secret_alone(self, added, browse, cast, one):
        facts = {"name": added.name, "client_id": added.client_id, "second_factor_claim": "amr", "amr": "mfa"}
        client = browse(cast.admin)
        client.post(f"/settings/sign-in/{added.id}/change/", facts | {"client_secret": "the new one"})
        with inside(one):
            assert SignInService.objects.get().client_secret == "the new one"
        assert entries(one)[-1] == ("changed a sign-in service", ["client_secret"])
        client.post(f"/settings/sign-in/{added.id}/change/", facts)
        assert len(entries(one)) == 2

    def test_cannot_change_the_issuer(self, added, browse, cast, one):
        client = browse(cast.admin)
        assert 'name="address"' not in client.get(f"/settings/sign-in/{added.id}/change/").text
        facts = {"name": "x", "client_id": "y", "second_factor_claim": "none", "address": "https://another.example"}
        client.post(f"/settings/sign-in/{added.id}/change/", facts | {"issuer": "https://another.example"})
        assert services(one)[0].issuer == added.issuer

    def test_a_second_factor_needs_its_value(self, added, one, cast, at):
        with pytest.raises(IntegrityError), inside(one), transaction.atomic():
            change_service(
                service=added, name="x", client_id="y", client_secret="",
                second_factor_claim="amr", second_factor_value="", by=cast.admin, at=at,
            )  # fmt: skip


class TestCheck:
    def test_says_what_it_found(self, added, provider, browse, cast):
        client = browse(cast.admin)
        answer = client.post(f"/settings/sign-in/{added.id}/check/", follow=True)
        assert banner(answer) == (
            f"Barsetshire Council answers. Its sign-in page is {provider.issuer}/authorize, and it shows 1 key."
        )

    def test_says_what_is_wrong(self, added, provider, browse, cast):
        provider.behave(discovery={"issuer": "https://another.example"})
        answer = browse(cast.admin).post(f"/settings/sign-in/{added.id}/check/", follow=True)
        assert "says that it is https://another.example" in banner(answer)

    def test_does_not_take_another_spelling_of_its_own_word(self, added, provider, browse, cast):
        """What is typed in may be spelled in another way; what it calls itself never changes."""
        provider.behave(discovery={"issuer": f"{provider.issuer}/"})
        answer = browse(cast.admin).post(f"/settings/sign-in/{added.id}/check/", follow=True)
        assert f"says that it is {provider.issuer}/." in banner(answer)


class TestRemove:
    @pytest.fixture
    def connected(self, added, one, cast, at):
        """Hana reads codes in her mail and nothing else; Cal has a password; for Olu it is the second step."""
        with inside(one):
            switch_service(service=added, is_on=True, by=cast.admin, at=at)
            for person in (cast.head, cast.colleague, cast.officer):
                connect_service(service=added, user=person, subject=person.email, at=at)
            cast.colleague.set_password("correct horse battery")
            cast.colleague.save()
            SignInService.objects.update(second_factor_claim="amr", second_factor_value="mfa")
            note_second_factor(service=added, subject=cast.officer.email, user=cast.officer, at=at)
        return f"/settings/sign-in/{added.id}/"

    def test_says_who_has_a_code_alone_then(self, connected, browse, cast):
        client = browse(cast.admin)
        assert f"{connected}remove/" in client.get(connected).text
        page = client.get(f"{connected}remove/").text
        assert "3 people sign in with it." in page
        assert "<li>Hana Head</li>" in page
        assert "<li>Olu Officer</li>" in page
        assert "Cal Colleague" not in page
        assert "the only second step of 1 person" in page
        assert "Nobody has connected it" not in page

    def test_removes_it_with_everybodys_connection(self, connected, browse, cast, one):
        client, theirs = browse(cast.admin), browse(cast.head)
        answer = client.post(f"{connected}remove/", follow=True)
        assert banner(answer) == "Barsetshire Council is removed."
        assert services(one) == []
        with inside(one):
            assert not SocialAccount.objects.exists()
        assert entries(one)[-1][0] == "removed a sign-in service"
        assert theirs.get("/account/").status_code == 200
        assert "Barsetshire Council" not in browse().get("/sign-in/").text
        assert client.get(f"{connected}remove/").status_code == 404

    def test_says_when_nobody_has_connected_it(self, added, browse, cast):
        assert "Nobody has connected it." in browse(cast.admin).get(f"/settings/sign-in/{added.id}/remove/").text

    def test_is_for_administrators_who_show_their_second_step(self, connected, browse, cast, one):
        assert browse(cast.officer).post(f"{connected}remove/").status_code == 403
        client = browse(cast.admin)
        with inside(one):
            session = client.session
            for record in session["account_authentication_methods"]:
                record["at"] -= 16 * 60
            session.save()
        client.post(f"{connected}remove/")
        assert len(services(one)) == 1


class TestSwitch:
    def test_on_and_off(self, added, browse, cast, one):
        client = browse(cast.admin)
        for to, shown in (("on", True), ("off", False)):
            for _ in range(2):
                client.post(f"/settings/sign-in/{added.id}/switch/", {"to": to})
            assert services(one)[0].is_on is shown
            assert ("Sign in with Barsetshire Council" in browse().get("/sign-in/").text) is shown
        verbs = [verb for verb, _ in entries(one)]
        assert verbs[1:] == ["switched a sign-in service on", "switched a sign-in service off"]

    def test_not_on_while_it_does_not_answer(self, added, provider, browse, cast, one):
        provider.behave(answers={"/keys": [500, {}]})
        answer = browse(cast.admin).post(f"/settings/sign-in/{added.id}/switch/", {"to": "on"}, follow=True)
        assert banner(answer).startswith("It is not switched on.")
        assert not services(one)[0].is_on

    def test_off_even_then(self, added, provider, browse, cast, one):
        client = browse(cast.admin)
        client.post(f"/settings/sign-in/{added.id}/switch/", {"to": "on"})
        provider.behave(answers={"/.well-known/openid-configuration": [500, {}]})
        client.post(f"/settings/sign-in/{added.id}/switch/", {"to": "off"})
        assert not services(one)[0].is_on


class TestTwoAtOnce:
    def test_add_one(self, provider, one, cast, at):
        from handrail.accounts.service_actions import IssuerTaken

        facts = {"issuer": "https://x.example", "client_id": "x", "client_secret": "y"}
        factor = {"second_factor_claim": "", "second_factor_value": ""}
        with inside(one):
            add_service(name="First", **facts, **factor, by=cast.admin, at=at)
            with pytest.raises(IssuerTaken):
                add_service(name="Second", **facts, **factor, by=cast.admin, at=at)
        assert [each.name for each in services(one)] == ["First"]
