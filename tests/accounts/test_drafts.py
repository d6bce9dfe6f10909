"""What was typed and could not be saved: kept for the person who typed it, offered to them alone, put back."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from factories import PolicyFactory

from handrail.accounts.actions import forget_what_ended, keep_draft
from handrail.accounts.models import Draft, Session
from handrail.accounts.sessions import CHILD, IDLE, SessionStore
from handrail.core import vault
from handrail.policies.models import Kind, Policy
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db

TYPED = {"lead_name": "Sunita Sharma", "lead_email": "not an address", "link_governor": "Gil"}
OFFER, BACK = "You had not saved what you typed here", "?put-back=yes"


@pytest.fixture
def page(cast: Any, one: Any) -> str:
    """A form about Oak School's policy."""
    with inside(one):
        policy = PolicyFactory(school=cast.oak, kind=Kind.MEDICAL_CONDITIONS)
    return f"/schools/900001/policies/{policy.id}/details/"


@pytest.fixture
def end(one: Any) -> Any:
    """How sessions end by the clock, by name."""

    def left_alone(client: Client) -> None:
        with inside(one):
            store = SessionStore(client.cookies["sessionid"].value)
            store[CHILD] = True
            store.save()
            Session.objects.update(last_used_at=timezone.now() - IDLE)

    def after_ten_hours(client: Client) -> None:
        with inside(one):
            Session.objects.update(expire_date=timezone.now())

    return {"left alone": left_alone, "after ten hours": after_ten_hours}


ends = pytest.mark.parametrize("how", ["left alone", "after ten hours"])


def sign_in(client: Client, person: Any, authority: Any) -> None:
    with inside(authority):
        client.force_login(person)


class TestAFormSentTooLate:
    @ends
    def test_is_offered_and_put_back_after_signing_in(self, cast, browse, one, page, end, how):
        client = browse(cast.head)
        assert OFFER not in client.get(page).text
        end[how](client)
        answer = client.post(page, TYPED)
        assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={page}")
        asked = client.get(answer["Location"]).text
        assert "You have been signed out." in asked
        assert "We have kept what you typed" in asked
        with inside(one):
            assert not Policy.objects.filter(lead_name="Sunita Sharma").exists()
        sign_in(client, cast.head, one)
        offered = client.get(page).text
        assert OFFER in offered
        assert "Sunita" not in offered
        back = client.get(page + BACK).text
        assert all(f'value="{value}"' in back for value in TYPED.values())
        assert "It is not saved yet." in back
        assert "<title>Error" not in back

    def test_is_forgotten_when_it_is_sent_again(self, cast, browse, one, page, end):
        client = browse(cast.head)
        end["left alone"](client)
        client.post(page, TYPED)
        sign_in(client, cast.head, one)
        client.post(page + BACK, TYPED | {"lead_email": "sunita@oak.example"})
        assert OFFER not in client.get(page).text
        with inside(one):
            assert Policy.objects.filter(lead_name="Sunita Sharma").exists()
            assert not Draft.objects.exists()

    def test_can_be_thrown_away(self, cast, browse, one, page, end):
        client = browse(cast.head)
        end["left alone"](client)
        client.post(page, TYPED)
        sign_in(client, cast.head, one)
        with inside(one):
            draft = Draft.objects.get()
        answer = client.post(f"/account/drafts/{draft.id}/throw-away/")
        assert answer["Location"] == page
        text = client.get(page).text
        assert OFFER not in text
        assert "Thrown away." in text

    @ends
    def test_is_nothing_to_another_person_in_the_same_browser(self, cast, browse, one, page, end, how):
        client = browse(cast.head)
        end[how](client)
        client.post(page, TYPED)
        sign_in(client, cast.colleague, one)
        for path in (page, page + BACK):
            text = client.get(path).text
            assert OFFER not in text
            assert "Sunita" not in text
        with inside(one):
            draft = Draft.objects.get()
        assert client.post(f"/account/drafts/{draft.id}/throw-away/").status_code == 404

    def test_is_lost_after_24_hours(self, cast, browse, one, page, end):
        client = browse(cast.head)
        end["left alone"](client)
        client.post(page, TYPED)
        sign_in(client, cast.head, one)
        for hours, is_offered in ((23, True), (24, False)):
            with inside(one):
                Draft.objects.update(kept_at=timezone.now() - timedelta(hours=hours))
            assert (OFFER in client.get(page).text) == is_offered
            assert ("Sunita" in client.get(page + BACK).text) == is_offered
        with inside(one):
            forget_what_ended(at=timezone.now())
            assert not Draft.objects.exists()

    def test_more_than_a_day_after_the_session_is_nobodys(self, cast, browse, one, page):
        client = browse(cast.head)
        with inside(one):
            Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
        assert client.post(page, TYPED).status_code == 302
        with inside(one):
            assert not Draft.objects.exists()

    @pytest.mark.parametrize("how", ["signed out", "ended by somebody", "closed"])
    def test_is_not_kept_after_an_end_that_was_meant(self, cast, browse, one, page, how):
        client = browse(cast.head)
        key = client.cookies["sessionid"].value
        if how == "signed out":
            client.post("/sign-out/")
        elif how == "closed":
            with inside(one):
                Session.objects.update(expire_date=timezone.now())
                type(cast.head).objects.filter(id=cast.head.id).update(is_active=False)
        else:
            with inside(one):
                Session.objects.all().delete()
        client.cookies["sessionid"] = key
        client.post(page, TYPED)
        with inside(one):
            assert not Draft.objects.exists()

    def test_is_not_kept_by_a_session_of_another_authority(self, cast, browse, one, two, page, end):
        client = browse(cast.head)
        end["after ten hours"](client)
        client.defaults["HTTP_HOST"] = two.host
        client.post(page, TYPED)
        for authority in (one, two):
            with inside(authority):
                assert not Draft.objects.exists()

    def test_needs_a_form_of_ours(self, cast, browse, one, page, end):
        client = browse(cast.head)
        end["after ten hours"](client)
        client.handler.enforce_csrf_checks = True
        assert client.post(page, TYPED).status_code == 403
        with inside(one):
            assert not Draft.objects.exists()


class TestWhatIsKept:
    def test_is_unreadable_in_the_database(self, cast, one, at):
        with inside(one):
            keep_draft(user_id=cast.head.id, path="/x/", typed={"text": ["Poppy has epilepsy"]}, at=at)
            [(content,)] = execute("SELECT typed FROM accounts_draft")
            assert b"epilepsy" not in bytes(content)
            assert Draft.objects.get().typed == {"text": ["Poppy has epilepsy"]}

    @pytest.mark.parametrize(
        ("name", "is_kept"),
        [
            *((name, False) for name in ("csrfmiddlewaretoken", "password1", "old_password", "code", "client_secret")),
            *((name, False) for name in ("pin", "otp-1", "token")),
            *((name, True) for name in ("postcode", "opinion", "text", "pinned", "what_to_do")),
        ],
    )
    def test_is_no_secret(self, cast, one, at, name, is_kept):
        with inside(one):
            assert keep_draft(user_id=cast.head.id, path="/x/", typed={name: ["x"]}, at=at) == is_kept

    def test_is_not_a_form_in_which_nothing_was_typed(self, cast, one, at):
        with inside(one):
            assert not keep_draft(user_id=cast.head.id, path="/x/", typed={"text": [" "], "more": []}, at=at)

    def test_is_the_newest_of_each_page(self, cast, one, at):
        with inside(one):
            for text in ("first", "second"):
                keep_draft(user_id=cast.head.id, path="/x/", typed={"text": [text]}, at=at)
            keep_draft(user_id=cast.head.id, path="/y/", typed={"text": ["third"]}, at=at)
            assert sorted(each.typed["text"] for each in Draft.objects.all()) == [["second"], ["third"]]


class TestWithTheVaultClosed:
    @pytest.fixture
    def closed(self, settings: Any) -> Any:
        def close() -> None:
            vault._unwrapped.clear()
            settings.VAULT_KEYS, settings.VAULT_KMS_KEY = (), ""

        return close

    def test_nothing_is_kept_and_the_person_is_told(self, cast, browse, one, page, end, closed):
        closed()
        client = browse(cast.head)
        end["left alone"](client)
        answer = client.post(page, TYPED)
        assert "We could not keep what you typed" in client.get(answer["Location"]).text
        with inside(one):
            assert not Draft.objects.exists()

    def test_what_was_kept_waits(self, cast, browse, one, page, end, closed):
        client = browse(cast.head)
        end["left alone"](client)
        client.post(page, TYPED)
        closed()
        sign_in(client, cast.head, one)
        assert OFFER in client.get(page).text
        answer = client.get(page + BACK)
        assert answer.status_code == 200
        assert "What you typed cannot be opened just now" in answer.text


class TestAPageThatKeepsByItself:
    """The page's script sends what was typed before it goes. Nothing is ever done with that but to keep it."""

    def test_is_not_acted_upon_and_is_no_use_of_the_session(self, cast, browse, one, page):
        client = browse(cast.head)
        with inside(one):
            Session.objects.update(last_used_at=timezone.now() - timedelta(minutes=13), device="x")
        answer = client.post(page, TYPED | {"lead_email": "s@oak.example"}, headers={"X-Handrail-Keep": "yes"})
        assert answer.status_code == 204
        with inside(one):
            assert Draft.objects.get().user_id == cast.head.id
            assert not Policy.objects.filter(lead_name="Sunita Sharma").exists()
            assert timezone.now() - Session.objects.get().last_used_at > timedelta(minutes=12)

    @ends
    def test_is_kept_after_the_session(self, cast, browse, one, page, end, how):
        client = browse(cast.head)
        end[how](client)
        assert client.post(page, TYPED, headers={"X-Handrail-Keep": "yes"}).status_code == 204
        with inside(one):
            assert Draft.objects.get().user_id == cast.head.id

    @pytest.mark.parametrize("path", ["/sign-out/", "/account/password/set/", "/account/sessions/end/"])
    def test_does_nothing_on_other_pages(self, cast, browse, one, path):
        client = browse(cast.head)
        assert client.post(path, {"password1": "x"}, headers={"X-Handrail-Keep": "yes"}).status_code == 204
        with inside(one):
            assert not Draft.objects.exists()
        assert client.get("/account/").status_code == 200
