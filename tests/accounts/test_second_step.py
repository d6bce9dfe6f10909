"""Second steps: setting them up, being asked for them, using them up, taking them away, and losing them."""

import json
import re
import time
from argparse import Namespace
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client
from django.urls import path
from django.utils import timezone
from factories import person

from handrail.accounts.models import Session
from handrail.accounts.roles import Permission, Role
from handrail.accounts.second_step import actions, demo
from handrail.accounts.second_step.adapter import WRONG_CODE
from handrail.accounts.second_step.views import left
from handrail.accounts.sessions import BEGAN, moment
from handrail.config import settings as product_settings
from handrail.config import urls as product
from handrail.core import rotation, vault
from handrail.core.access import SIGNED_IN, Door
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry, AuthoritySettings, DataKey
from tenants.context import inside
from workflows.commands import reset_factors as command
from workflows.commands.rotate_keys import rotate

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

HEAD, OFFICER = "head@oak.example", "officer@barsetshire.example"
ASK, STEP, AGAIN = "/sign-in/second-step/", "/account/second-step/", "/account/second-step/again/"
APP, CODES, NEW_CODES = STEP + "app/", STEP + "recovery-codes/", STEP + "recovery-codes/new/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class CareView(Door):
    """Stands for a page about a child's health."""

    permission = SIGNED_IN
    needs_step_up = True

    def get(self, request: Any) -> Any:
        return product_answer("opened")

    def post(self, request: Any) -> Any:
        return product_answer(json.dumps(dict(request.POST.lists()), sort_keys=True))


class CareOfManagersView(CareView):
    permission = Permission.MANAGE_PEOPLE


def product_answer(text: str) -> Any:
    from django.http import HttpResponse

    return HttpResponse(text)


urlpatterns = [
    path("care/", CareView.as_view(), name="care"),
    path("care-of-managers/", CareOfManagersView.as_view(), name="care_of_managers"),
    *product.urlpatterns,
]
handler400, handler403, handler404 = product.handler400, product.handler403, product.handler404
handler429, handler500 = product.handler429, product.handler500


def code_at(moment: float, secret: str = SECRET) -> str:
    return format_hotp_value(hotp_value(secret, int(moment) // 30))


def code(secret: str = SECRET) -> str:
    return code_at(time.time(), secret)


def wrong_code() -> str:
    near = {code_at(time.time() + 30 * each) for each in range(-2, 3)}
    return next(f"{number:06}" for number in range(10) if f"{number:06}" not in near)


def give_app(user: Any, authority: Any, at: datetime) -> Any:
    with inside(authority):
        return actions.add_app(user=user, secret=SECRET, by=CLOCK, at=at)


def recovery_codes(user: Any, authority: Any, at: datetime) -> list[str]:
    """New ones, as their owner wrote them down."""
    with inside(authority):
        return actions.make_recovery_codes(user=user, by=CLOCK, at=at)


def codes_on(page: str) -> list[str]:
    return re.findall(r"\b\d{4} \d{4} \d{4}\b", page)


def codes_left(user: Any, authority: Any) -> int:
    with inside(authority):
        return left(actions.of(user).get(type="recovery_codes"))


def newest_code() -> str:
    found = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)
    assert found
    return found[0]


@pytest.fixture
def with_one_step(browse, post):
    """`with_one_step(email)`: somebody has signed in with a code from their mail, and done no more."""

    def sign_in(email: str, **more: Any) -> Client:
        client = browse(**more)
        post(client, "/sign-in/?next=/account/", email=email)
        post(client, "/sign-in/code/", code=newest_code())
        mail.outbox.clear()
        return client

    return sign_in


def verbs(user: Any, authority: Any) -> list[tuple[str, list[str]]]:
    with inside(authority):
        return list(
            AuditEntry.objects.filter(subject_id=user.id)
            .exclude(verb="added a person")
            .order_by("at", "verb")
            .values_list("verb", "fields")
        )


def subjects() -> list[str]:
    return [message.subject for message in mail.outbox]


class TestAtTheAuthority:
    def test_nothing_opens_before_a_second_step_is_set_up(self, cast, with_one_step):
        client = with_one_step(OFFICER)
        for place in (
            "/",
            "/account/",
            "/account/password/set/",
            "/imports/",
            "/schools/",
            CODES,
            STEP + "app/remove/",
        ):
            answer = client.get(place)
            assert (answer.status_code, answer.get("Location")) == (302, STEP), place
        assert client.post("/account/password/set/", {"password1": "x"})["Location"] == STEP
        assert "You can see many schools’ records" in client.get(STEP).text

    def test_public_pages_and_signing_out_do(self, cast, with_one_step):
        client = with_one_step(OFFICER)
        assert client.get("/help/").status_code == client.get("/brand.css").status_code == 200
        assert client.post("/sign-out/").status_code == 302
        assert "Sign in" in client.get("/sign-in/").text

    def test_setting_up_an_app_leads_back_to_where_they_were_going(self, cast, one, with_one_step, post):
        client = with_one_step(OFFICER)
        client.get("/imports/?page=2")
        set_up(client, post)
        page = client.get(CODES).text
        assert 'href="/imports/?page=2"' in page
        assert client.get("/imports/").status_code == 200

    def test_a_password_and_a_code_are_one_factor(self, cast, one, browse, post):
        with inside(one):
            cast.officer.set_password("correct horse battery")
            cast.officer.save()
        client = browse()
        post(client, "/sign-in/", email=OFFICER)
        post(client, "/sign-in/code/", code=newest_code())
        post(client, "/sign-out/")
        post(client, "/sign-in/password/", login=OFFICER, password="correct horse battery")
        assert client.get("/")["Location"] == STEP

    def test_a_role_given_in_mid_session_asks_at_once(self, cast, one, with_one_step):
        client = with_one_step(HEAD)
        assert client.get("/account/").status_code == 200
        with inside(one):
            person(HEAD, Role.ANALYST)
        assert client.get("/account/")["Location"] == STEP

    def test_the_last_one_cannot_be_removed(self, cast, one, browse, at, post):
        give_app(cast.officer, one, at)
        client = browse(cast.officer)
        assert "You need a second step here" in client.post(APP + "remove/", follow=True).text
        with inside(one):
            assert actions.set_up_by(cast.officer).exists()


class TestEverywhereInAnAuthority:
    """Which has chosen to ask everybody for a second step."""

    @pytest.fixture(autouse=True)
    def chosen(self, cast, one):
        with inside(one):
            AuthoritySettings.objects.update_or_create(defaults={"asks_second_step": True})

    def test_nothing_opens_at_a_school_before_one_is_set_up(self, with_one_step, post):
        client = with_one_step(HEAD)
        for place in ("/", "/account/", "/schools/900001/people/", "/account/password/set/"):
            assert client.get(place)["Location"] == STEP, place
        set_up(client, post)
        assert client.get("/account/").status_code == 200

    def test_the_last_one_cannot_be_removed(self, cast, one, browse, at):
        give_app(cast.head, one, at)
        assert "You need a second step here" in browse(cast.head).post(APP + "remove/", follow=True).text
        with inside(one):
            assert actions.set_up_by(cast.head).exists()

    def test_is_not_asked_of_another_authority(self, cast, two, with_one_step):
        client = with_one_step(cast.hospital.email, authority=two)
        assert client.get("/account/").status_code == 200


def set_up(client: Client, post: Any) -> str:
    """Scan, and enter the first code. Gives the secret."""
    found = re.search(r"secret=([A-Z2-7]+)", client.get(APP).text)
    assert found
    answer = post(client, APP, code=code(found[1]))
    assert answer.get("Location") == CODES, answer.content.decode()
    return found[1]


class TestSettingUpAnApp:
    def test_is_open_to_a_school_and_told_and_recorded(self, cast, one, with_one_step, post):
        client = with_one_step(HEAD)
        set_up(client, post)
        client.get(CODES)
        assert verbs(cast.head, one) == [
            ("added a second step", ["authenticator_app"]),
            ("made recovery codes", ["recovery_codes"]),
        ]
        assert subjects() == ["An authenticator app was added to your Handrail account"]
        assert mail.outbox[0].to == [HEAD]
        assert "Barsetshire" in mail.outbox[0].body
        page = client.get("/account/").text
        assert "10 codes left" in page

    def test_shows_the_key_as_a_picture_and_as_letters_and_keeps_it(self, cast, with_one_step):
        client = with_one_step(HEAD)
        first, second = client.get(APP).text, client.get(APP).text
        letters = re.search(r"<code[^>]*>([A-Z2-7 ]+)</code>", first)
        assert letters
        assert letters[0] in second
        assert 'src="data:image/svg+xml;base64,' in first
        assert "issuer=Handrail%20Barsetshire" in first

    def test_refuses_a_wrong_code_and_keeps_what_was_typed(self, cast, one, with_one_step, post):
        client = with_one_step(HEAD)
        client.get(APP)
        answer = post(client, APP, code="12 34")
        assert "The code is wrong or has run out" in answer.text
        assert 'value="12 34"' in answer.text
        assert verbs(cast.head, one) == []

    def test_slows_guessing(self, cast, with_one_step, post):
        client = with_one_step(HEAD)
        client.get(APP)
        for _ in range(5):
            assert "The code is wrong" in post(client, APP, code="1").text
        assert "Too many tries" in post(client, APP, code="1").text

    def test_is_refused_when_there_is_one(self, cast, one, browse, at, post):
        give_app(cast.head, one, at)
        client = browse(cast.head)
        assert client.get(APP)["Location"] == APP + "remove/"
        with pytest.raises(actions.HasOne), inside(one):
            actions.add_app(user=cast.head, secret=SECRET, by=cast.head, at=at)

    def test_says_so_while_the_vault_is_closed(self, cast, with_one_step, settings):
        client = with_one_step(HEAD)
        settings.VAULT_KEYS = ()
        answer = client.get(APP)
        assert answer.status_code == 503
        assert "Authenticator apps cannot be used just now" in answer.text

    def test_keeps_its_secret_sealed_in_the_session_and_in_the_table(self, cast, one, with_one_step, post):
        client = with_one_step(HEAD)
        found = re.search(r"secret=([A-Z2-7]+)", client.get(APP).text)
        assert found
        with inside(one):
            assert found[1] not in str(dict(client.session))
        post(client, APP, code=code(found[1]))
        with inside(one):
            kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
        assert found[1] not in kept


class TestTheSecondPageOfSigningIn:
    @pytest.fixture
    def at_the_door(self, cast, one, at, browse, post):
        """The officer, with an app, who has entered the code from the mail."""
        give_app(cast.officer, one, at)

        def begin() -> Client:
            client = browse()
            post(client, "/sign-in/?next=/imports/", email=OFFICER)
            answer = post(client, "/sign-in/code/?next=/imports/", code=newest_code())
            assert answer["Location"] == ASK + "?next=%2Fimports%2F"
            mail.outbox.clear()
            return client

        return begin

    def test_asks_and_then_goes_on(self, at_the_door, post):
        client = at_the_door()
        assert client.get("/imports/")["Location"].startswith("/sign-in/")
        assert client.get(ASK).status_code == 200
        answer = post(client, ASK + "?next=/imports/", code=code())
        assert (answer.status_code, answer["Location"]) == (302, "/imports/")
        assert client.get("/imports/").status_code == 200
        assert mail.outbox == []

    def test_takes_the_code_before_for_who_types_slowly(self, at_the_door, post, monkeypatch):
        client, now = at_the_door(), time.time()
        monkeypatch.setattr(time, "time", lambda: now)  # else the next half minute may begin
        assert post(client, ASK, code=code_at(now - 30)).status_code == 302

    @pytest.mark.parametrize("given", ["", "12345", "not a code", "０１２３４５", "9" * 5000])
    def test_refuses_a_wrong_code(self, at_the_door, post, given):
        client = at_the_door()
        answer = post(client, ASK, code=given)
        assert answer.status_code == 200
        assert (WRONG_CODE if given else "Enter a code") in answer.text
        assert client.get("/imports/").status_code == 302

    def test_refuses_a_code_of_a_minute_ago(self, at_the_door, post):
        assert WRONG_CODE in post(at_the_door(), ASK, code=code_at(time.time() - 61)).text

    def test_takes_a_code_once(self, at_the_door, post, monkeypatch):
        one, other, used = at_the_door(), at_the_door(), code()
        assert post(one, ASK, code=used).status_code == 302
        assert WRONG_CODE in post(other, ASK, code=used).text
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 29)
        assert WRONG_CODE in post(other, ASK, code=f"{used[:3]} {used[3:]}").text

    def test_takes_a_recovery_code_once_and_tells(self, cast, one, at, at_the_door, post):
        first, second = at_the_door(), at_the_door()
        mine = recovery_codes(cast.officer, one, at)
        assert post(first, ASK, code=f"{mine[0][:4]} {mine[0][4:8]}-{mine[0][8:]}").status_code == 302
        assert subjects() == ["A recovery code was used to sign in to Handrail"]
        assert "You have 9 left" in mail.outbox[0].body
        assert ("used a recovery code", ["recovery_codes"]) in verbs(cast.officer, one)
        assert WRONG_CODE in post(second, ASK, code=mine[0]).text
        assert post(second, ASK, code=mine[1]).status_code == 302

    def test_refuses_recovery_codes_that_were_made_anew(self, cast, one, at, at_the_door, post):
        client = at_the_door()
        old, new = (recovery_codes(cast.officer, one, at) for _ in range(2))
        assert WRONG_CODE in post(client, ASK, code=old[0]).text
        assert post(client, ASK, code=new[0]).status_code == 302

    def test_takes_a_recovery_code_while_the_vault_is_closed(self, cast, one, at, at_the_door, post, settings):
        client, mine = at_the_door(), recovery_codes(cast.officer, one, at)
        settings.VAULT_KEYS = ()
        assert post(client, ASK, code=code()).status_code == 503
        assert post(client, ASK, code=mine[0]).status_code == 302

    def test_slows_guessing_by_account_and_forgets_when_it_was_right(self, at_the_door, post):
        client, other = at_the_door(), at_the_door()
        for each in (client, other, client, other, client):
            assert WRONG_CODE in post(each, ASK, code=wrong_code()).text
        assert "Too many tries" in post(other, ASK, code=code()).text

    def test_counts_for_each_authority_alone(self, cast, one, two, at, at_the_door, browse, post):
        client = at_the_door()
        for _ in range(6):
            post(client, ASK, code=wrong_code())
        give_app(cast.stranger, two, at)
        elsewhere = browse(authority=two)
        post(elsewhere, "/sign-in/", email=cast.stranger.email)
        post(elsewhere, "/sign-in/code/", code=newest_code())
        assert post(elsewhere, ASK, code=code()).status_code == 302

    def test_is_worth_nothing_at_another_authoritys_host(self, one, two, at_the_door, post):
        client = at_the_door()
        client.defaults["HTTP_HOST"] = two.host
        answer = post(client, ASK, code=code())
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/password/")
        assert client.get("/account/").status_code == 302

    def test_a_removed_app_signs_nobody_in(self, cast, one, at_the_door, post):
        client = at_the_door()
        with inside(one):
            actions.of(cast.officer).delete()
        assert post(client, ASK, code=code()).status_code == 302
        assert client.get("/imports/")["Location"].startswith("/sign-in/")

    def test_says_so_while_the_vault_is_closed(self, at_the_door, post, settings):
        client = at_the_door()
        settings.VAULT_KEYS = ()
        answer = post(client, ASK, code=code())
        assert (answer.status_code, answer["Retry-After"]) == (503, "300")
        assert "Authenticator apps cannot be used just now" in answer.text
        assert "ealth record" not in answer.text
        assert client.get("/imports/").status_code == 302

    def test_is_asked_for_after_a_password_is_chosen_anew(self, cast, one, at, browse, post):
        give_app(cast.officer, one, at)
        client, reset = browse(), "/account/password/reset/"
        post(client, reset, email=OFFICER)
        post(client, reset + "code/", code=newest_code())
        assert post(client, reset + "new/", password1="violet giraffe lighthouse")["Location"].startswith(ASK)
        assert client.get("/account/")["Location"].startswith("/sign-in/")
        assert post(client, ASK, code=code()).status_code == 302
        assert client.get("/account/").status_code == 200

    def test_starts_again(self, at_the_door, post):
        client = at_the_door()
        assert post(client, "/sign-out/", next="/sign-in/")["Location"] == "/sign-in/"
        assert client.get(ASK).status_code == 302


class TestStepUp:
    def test_opens_a_page_that_needs_it_within_15_minutes(self, cast, one, at, browse, monkeypatch):
        give_app(cast.head, one, at)
        client = browse(cast.head)
        assert client.get("/care/").text == "opened"
        later(monkeypatch, minutes=14, seconds=50)
        assert client.get("/care/").text == "opened"
        later(monkeypatch, minutes=15, seconds=2)
        answer = client.get("/care/?child=1")
        assert (answer.status_code, answer["Location"]) == (302, AGAIN + "?next=%2Fcare%2F%3Fchild%3D1")
        assert client.get("/account/").status_code == 200

    @pytest.fixture
    def stale(self, cast, one, at, browse, monkeypatch):
        """Oak School's lead, with an app that was shown 20 minutes ago."""
        give_app(cast.head, one, at)
        client = browse(cast.head)
        with inside(one):
            session = client.session
            for record in session["account_authentication_methods"]:
                record["at"] -= 20 * 60
            session.save()
        return client

    def test_comes_back_to_where_the_person_was_going(self, stale, post):
        page = stale.get(AGAIN + "?next=/care/%3Fchild%3D1").text
        assert 'value="/care/?child=1"' in page
        answer = post(stale, AGAIN, **{"second-step-next": "/care/?child=1", "second-step-code": code()})
        assert (answer.status_code, answer["Location"]) == (302, "/care/?child=1")
        assert stale.get("/care/?child=1").text == "opened"

    def test_gives_a_new_key_but_no_more_hours(self, cast, one, stale, post):
        before = stale.cookies["sessionid"].value
        began = time.time() - 9 * 3600
        with inside(one):
            session = stale.session
            session[BEGAN] = began
            session.save()
        post(stale, AGAIN, **{"second-step-next": "/care/", "second-step-code": code()})
        assert stale.cookies["sessionid"].value != before
        with inside(one):
            [row] = Session.objects.filter(user=cast.head)
            assert row.began_at == moment(began)
            assert abs(row.expire_date - moment(began + 10 * 3600)) < timedelta(minutes=1)
        assert stale.get("/care/").text == "opened"
        stale.cookies["sessionid"] = before
        assert stale.get("/account/").status_code == 302

    def test_refused_keeps_the_key(self, stale, post):
        before = stale.cookies["sessionid"].value
        post(stale, AGAIN, **{"second-step-next": "/care/", "second-step-code": "1"})
        assert stale.cookies["sessionid"].value == before

    def test_refuses_a_wrong_code_and_still_knows_the_way(self, stale, post):
        answer = post(stale, AGAIN, **{"second-step-next": "/care/", "second-step-code": "1"})
        assert WRONG_CODE in answer.text
        assert 'value="/care/"' in answer.text
        assert stale.get("/care/").status_code == 302

    def test_leads_nowhere_else(self, stale, post):
        sent = {"second-step-next": "https://elsewhere.example/", "second-step-code": code()}
        assert post(stale, AGAIN, **sent)["Location"] == "/"
        assert "elsewhere" not in stale.get(AGAIN + "?next=//elsewhere.example").text

    def test_carries_what_was_typed_to_where_it_was_sent(self, stale):
        typed = {"text": '<b>Carries & keeps</b>\n"every" letter', "tick": ["a", "b"], "code": "theirs"}
        page = stale.post("/care/?child=1", typed)
        assert page.status_code == 200
        assert "What you typed is kept" in page.text
        first = stale.post(AGAIN, {**fields(page.text), "second-step-code": "1"})
        assert WRONG_CODE in first.text
        answer = stale.post(AGAIN, {**fields(first.text), "second-step-code": code()}, follow=True)
        assert [(leads, status) for leads, status in answer.redirect_chain] == [("/care/?child=1", 307)]
        received = {name: value for name, value in json.loads(answer.text).items() if not name.startswith("second-")}
        assert received == {"text": [typed["text"].replace("\n", "\r\n")], "tick": ["a", "b"], "code": ["theirs"]} or (
            received == {"text": [typed["text"]], "tick": ["a", "b"], "code": ["theirs"]}
        )

    def test_keeps_nothing_of_what_was_typed_in_the_session(self, one, stale):
        stale.post("/care/", {"text": "marmalade"})
        with inside(one):
            assert "marmalade" not in str(dict(stale.session))

    def test_sets_one_up_for_who_has_none(self, cast, with_one_step, post):
        client = with_one_step(HEAD)
        assert client.get("/care/?child=1")["Location"] == STEP
        assert "a child’s health" in client.get(STEP).text
        set_up(client, post)
        assert 'href="/care/?child=1"' in client.get(CODES).text
        assert client.get("/care/?child=1").text == "opened"

    def test_an_email_code_does_not_count(self, cast, with_one_step):
        client = with_one_step(HEAD)
        assert client.get("/care/").status_code == 302
        assert client.post("/care/", {"text": "x"}).status_code == 302

    def test_who_may_not_open_the_page_is_told_that_instead(self, cast, one, with_one_step):
        with inside(one):
            person("governor@oak.example", Role.GOVERNOR, school=cast.oak)
        assert with_one_step("governor@oak.example").get("/care-of-managers/").status_code == 403

    def test_adding_another_asks_for_the_first(self, stale):
        for place in (STEP + "passkey/", NEW_CODES, CODES, APP + "remove/"):
            assert stale.get(place)["Location"].startswith(AGAIN), place

    def test_a_recovery_code_does_too_and_is_used_up(self, cast, one, at, stale, post):
        mine = recovery_codes(cast.head, one, at)
        sent = {"second-step-next": "/care/", "second-step-code": mine[0]}
        assert post(stale, AGAIN, **sent)["Location"] == "/care/"
        assert subjects() == ["A recovery code was used to sign in to Handrail"]
        assert codes_left(cast.head, one) == 9


class TestAskingAgain:
    """Before how somebody signs in is changed, and before their sessions are ended."""

    PASSWORD, OTHERS = "/account/password/set/", "/account/sessions/end/"
    CHANGES = [("get", STEP), ("get", APP), ("get", STEP + "passkey/"), ("get", PASSWORD), ("post", PASSWORD)]

    def go(self, client: Client, method: str, place: str, **more: Any) -> Any:
        sent = {"password1": "correct horse battery"} if method == "post" else {}
        return getattr(client, method)(place, sent, **more)

    def has_password(self, cast: Any, one: Any) -> bool:
        with inside(one):
            cast.head.refresh_from_db()
            return bool(cast.head.has_usable_password())

    def age(self, client: Client, one: Any) -> Client:
        """It is 16 minutes since they signed in."""
        with inside(one):
            session = client.session
            for record in session["account_authentication_methods"]:
                record["at"] -= 16 * 60
            session.save()
        return client

    @pytest.mark.parametrize(("method", "place"), [*CHANGES, ("post", OTHERS)])
    def test_has_who_has_no_second_step_sign_in_again(self, cast, one, with_one_step, method, place):
        client = self.age(with_one_step(HEAD), one)
        answer = self.go(client, method, place)
        back = "/account/" if place == self.OTHERS else place
        assert answer.headers.get("Location") == f"{AGAIN}?next={back.replace('/', '%2F')}"
        page = client.get(answer["Location"]).text
        assert "Sign in again" in page
        assert f'value="/sign-in/?next={back}"' in page.replace("%2F", "/")
        assert not self.has_password(cast, one)

    def test_leads_on_from_there(self, cast, one, with_one_step, post):
        client = self.age(with_one_step(HEAD), one)
        page = client.get(client.get(APP)["Location"]).text
        place = re.search(r'name="next" value="([^"]+)"', page)
        assert place
        answer = post(client, "/sign-out/", next=place[1])
        assert answer["Location"] == place[1]
        post(client, answer["Location"], email=HEAD)
        answer = post(client, f"/sign-in/code/?next={APP}", code=newest_code())
        assert answer["Location"] == APP
        assert client.get(APP).status_code == 200

    @pytest.mark.parametrize(("method", "place"), CHANGES)
    def test_does_not_ask_who_has_just_signed_in(self, cast, one, with_one_step, method, place):
        answer = self.go(with_one_step(HEAD), method, place)
        assert answer.status_code == 200 or answer["Location"] == "/account/"
        assert self.has_password(cast, one) == (method == "post")

    def test_takes_the_first_code_of_an_app_that_took_long_to_get(self, cast, one, with_one_step, post):
        client = with_one_step(HEAD)
        found = re.search(r"secret=([A-Z2-7]+)", client.get(APP).text)
        assert found
        self.age(client, one)
        assert post(client, APP, code=code(found[1]))["Location"] == CODES

    @pytest.mark.parametrize(("method", "place"), [*CHANGES, ("post", OTHERS)])
    def test_asks_who_has_a_second_step_for_that(self, cast, one, at, browse, method, place):
        give_app(cast.head, one, at)
        client = self.age(browse(cast.head), one)
        page = self.go(client, method, place, follow=True)
        assert "Check that it is you" in page.text
        assert "Sign in again" not in page.text
        assert "correct horse" not in page.text
        assert not self.has_password(cast, one)

    def test_leads_who_must_set_one_up_to_signing_in_first(self, cast, one, with_one_step):
        client = self.age(with_one_step(OFFICER), one)
        assert client.get("/imports/")["Location"] == f"{AGAIN}?next=%2Fimports%2F"
        assert "Sign in again" in client.get(AGAIN).text


def fields(page: str) -> dict[str, list[str]]:
    """The hidden fields of the page's last form with a code, as a browser would send them."""
    from html import unescape

    form = next(each for each in reversed(re.findall(r"<form.*?</form>", page, re.S)) if "second-step-code" in each)
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        if name != "csrfmiddlewaretoken":
            found.setdefault(unescape(name), []).append(unescape(value))
    return found


def later(monkeypatch: Any, **after: int) -> None:
    moment = timezone.now() + timedelta(**after)
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: moment)


class TestRecoveryCodes:
    def test_are_shown_once(self, cast, one, at, browse):
        give_app(cast.head, one, at)
        client = browse(cast.head)
        mine = codes_on(client.get(CODES).text)
        assert len(set(mine)) == 10
        assert client.get(CODES)["Location"] == NEW_CODES
        assert codes_on(client.get(NEW_CODES).text) == []
        assert codes_left(cast.head, one) == 10

    def test_are_kept_as_slow_hashes_with_a_salt_of_ones_own(self, cast, one, at, browse, settings):
        for user in (cast.head, cast.colleague):
            give_app(user, one, at)
        mine = codes_on(browse(cast.head).get(CODES).text)
        recovery_codes(cast.colleague, one, at)
        with inside(one):
            kept = list(Authenticator.objects.filter(type="recovery_codes").values_list("data", flat=True))
        assert all(set(each) == {"salt", "cost", "hashes"} for each in kept)
        assert len({each["salt"] for each in kept}) == 2
        assert all(each.replace(" ", "") not in json.dumps(kept) for each in mine)
        cost = product_settings.RECOVERY_CODE_COST
        assert cost["n"] * cost["p"] >= 2**14 * 5

    def test_are_made_for_somebody_who_has_left_the_page_before(self, cast, one, at, browse):
        give_app(cast.head, one, at)
        client = browse(cast.head)
        assert f'href="{CODES}"' in client.get("/account/").text
        client.get(CODES)
        assert f'href="{NEW_CODES}"' in client.get("/account/").text

    def test_are_made_anew_and_told(self, cast, one, at, browse, post):
        give_app(cast.head, one, at)
        client = browse(cast.head)
        old = codes_on(client.get(CODES).text)
        new = codes_on(post(client, NEW_CODES).text)
        assert len(new) == 10
        assert not set(old) & set(new)
        assert subjects() == ["New recovery codes were made for your Handrail account"]

    def test_are_for_nobody_without_a_second_step(self, cast, one, browse):
        client = browse(cast.head)
        assert client.get(CODES).status_code == client.get(NEW_CODES).status_code == 404
        assert client.post(NEW_CODES).status_code == 404
        with inside(one):
            assert not Authenticator.objects.exists()

    def test_go_with_the_last_second_step(self, cast, one, at, browse, post):
        give_app(cast.head, one, at)
        client = browse(cast.head)
        assert post(client, APP + "remove/")["Location"] == "/account/"
        with inside(one):
            assert not Authenticator.objects.exists()
        assert ("removed a second step", ["authenticator_app"]) in verbs(cast.head, one)
        assert subjects() == ["An authenticator app was removed from your Handrail account"]
        assert client.post(APP + "remove/").status_code == 404

    def test_removing_one_ends_ones_other_sessions_and_nobody_elses(self, cast, one, at, browse, post):
        give_app(cast.head, one, at)
        here, elsewhere, colleagues = browse(cast.head), browse(cast.head), browse(cast.colleague)
        assert post(here, APP + "remove/")["Location"] == "/account/"
        assert [each.get("/account/").status_code for each in (here, elsewhere, colleagues)] == [200, 302, 200]

    def test_a_refused_removal_ends_no_session(self, cast, one, at, browse, post):
        give_app(cast.officer, one, at)
        here, elsewhere = browse(cast.officer), browse(cast.officer)
        post(here, APP + "remove/")
        assert [each.get("/account/").status_code for each in (here, elsewhere)] == [200, 200]


class TestANewDataKey:
    def test_seals_the_secrets_of_apps_anew_so_that_the_old_one_can_go(self, cast, one, at):
        give_app(cast.head, one, at)
        report = rotate(one)
        assert (report.left, report.unreadable) == (0, [])
        with inside(one):
            newest = DataKey.objects.latest("number")
            assert actions.keys_in_use() == [newest.id]
            a_week_later = timezone.now() + timedelta(days=7)
            done = rotation.finish(key=newest, unreadable=0, at=a_week_later, elsewhere=actions.keys_in_use())
            assert done.removed == [1]
            vault._unwrapped.clear()
            assert actions.use_code(user=cast.head, code=code())

    def test_stays_while_an_app_needs_it(self, cast, one, at, monkeypatch):
        give_app(cast.head, one, at)
        monkeypatch.setattr(actions, "seal_anew", list)
        monkeypatch.setattr("workflows.commands.rotate_keys.PAUSE", 0)
        assert rotate(one).left == 1
        with inside(one):
            assert not DataKey.objects.exclude(retired_at=None).exists()

    def test_names_an_app_that_does_not_open_and_goes_on(self, cast, one, at):
        broken = give_app(cast.head, one, at)
        give_app(cast.colleague, one, at)
        with inside(one):
            Authenticator.objects.filter(id=broken.id).update(data={"secret": "bm90IG91cnM="})
        report = rotate(one)
        assert report.unreadable == [f"mfa_authenticator {broken.id}"]
        with inside(one):
            assert actions.use_code(user=cast.colleague, code=code())


class TestReset:
    def place(self, user: Any) -> str:
        return f"/people/{user.id}/second-step/"

    def test_takes_everything_ends_the_sessions_and_tells(self, cast, one, at, browse, post):
        give_app(cast.officer, one, at)
        theirs, others = browse(cast.officer), browse(cast.head)
        client = browse(cast.admin)
        assert "Reset the second step of Olu Officer" in client.get(self.place(cast.officer)).text
        assert post(client, self.place(cast.officer))["Location"] == "/"
        with inside(one):
            assert not actions.of(cast.officer).exists()
            entry = AuditEntry.objects.get(verb="reset a second step")
        assert (entry.by, entry.subject_id) == (cast.admin.id, cast.officer.id)
        assert theirs.get("/account/")["Location"].startswith("/sign-in/")
        assert others.get("/account/").status_code == client.get("/account/").status_code == 200
        assert subjects() == ["Your second step for Handrail was reset"]
        assert mail.outbox[0].to == [OFFICER]

    def test_is_not_for_oneself(self, cast, one, at, browse, post):
        give_app(cast.admin, one, at)
        client = browse(cast.admin)
        assert "You cannot reset your own" in client.get(self.place(cast.admin)).text
        post(client, self.place(cast.admin))
        with inside(one):
            assert actions.of(cast.admin).exists()
            assert not AuditEntry.objects.filter(verb="reset a second step").exists()

    def test_a_school_lead_does_it_for_their_school_alone(self, cast, one, at, browse, post):
        client = browse(cast.head)
        assert client.get(self.place(cast.colleague)).status_code == 200
        for other in (cast.neighbour, cast.officer, cast.admin, cast.stranger):
            assert client.get(self.place(other)).status_code == 404
            assert client.post(self.place(other)).status_code == 404

    def test_a_school_lead_does_not_for_somebody_who_is_at_the_authority_too(self, cast, one, browse):
        with inside(one):
            person(cast.colleague.email, Role.ANALYST)
        assert browse(cast.head).get(self.place(cast.colleague)).status_code == 404

    def test_is_refused_to_who_manages_nobody(self, cast, browse):
        assert browse(cast.officer).get(self.place(cast.head)).status_code == 403

    def test_asks_for_the_second_step_of_who_does_it(self, cast, browse, monkeypatch):
        client = browse(cast.head)
        later(monkeypatch, minutes=16)
        assert client.get(self.place(cast.colleague)).status_code == 302


class TestPasskeys:
    """What needs no browser; one with a real authenticator is in tests/journeys."""

    @pytest.mark.parametrize(
        "sent",
        ["", "{", "[]", "1", "null", "{}", '{"id":"x","rawId":"x","type":"public-key","response":{}}',
         '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","attestationObject":"AA"}}',
         '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA",'
         '"signature":"AA","userHandle":"AA"}}'],
    )  # fmt: skip
    def test_a_made_up_answer_is_refused_with_words(self, cast, one, at, browse, post, sent):
        give_app(cast.head, one, at)
        client = browse(cast.head)
        client.get(STEP + "passkey/")
        assert "That passkey did not work" in post(client, STEP + "passkey/", name="Mine", credential=sent).text
        answer = post(client, AGAIN, **{"second-step-next": "/", "second-step-credential": sent})
        assert "That passkey did not work" in answer.text
        nobody = browse()
        assert nobody.get("/sign-in/passkey/", headers={"accept": "application/json"}).status_code == 200
        answer = post(nobody, "/sign-in/passkey/", credential=sent)
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
        assert "That passkey did not work" in nobody.get("/sign-in/").text
        with inside(one):
            assert not actions.of(cast.head).filter(type="webauthn").exists()

    def test_the_browser_is_asked_to_check_the_person(self, cast, browse, one):
        answer = browse().get("/sign-in/passkey/", headers={"accept": "application/json"})
        asked = answer.json()["request_options"]["publicKey"]
        assert (asked["rpId"], asked["userVerification"]) == (one.host, "required")
        page = browse(cast.head).get(STEP + "passkey/").text
        assert '"userVerification": "required"' in page
        assert '"residentKey": "required"' in page

    def test_there_is_nothing_to_remove_without_one(self, cast, browse):
        assert browse(cast.head).get(STEP + "passkey/remove/").status_code == 404


class TestTheCommand:
    """For an authority whose last administrator has lost theirs."""

    def reset(self, email: str, authority: str = "001") -> int:
        return command.run(Namespace(authority=authority, email=email))

    def test_resets_ends_sessions_and_tells(self, cast, one, at, browse, capsys, django_capture_on_commit_callbacks):
        give_app(cast.admin, one, at)
        client = browse(cast.admin)
        with django_capture_on_commit_callbacks(execute=True):
            assert self.reset("ADELE@barsetshire.example") == 0
        assert "sets up a new second step" in capsys.readouterr().out
        assert client.get("/account/")["Location"].startswith("/sign-in/")
        assert subjects() == ["Your second step for Handrail was reset"]
        assert mail.outbox[0].body.endswith("http://barsetshire.localhost/")
        with inside(one):
            assert not actions.of(cast.admin).exists()
            assert AuditEntry.objects.get(verb="reset a second step").role == "clock"

    @pytest.mark.parametrize(
        ("email", "authority"), [("nobody@x.example", "001"), ("adele@barsetshire.example", "009")]
    )
    def test_refuses_who_is_not_there(self, cast, capsys, email, authority):
        assert self.reset(email, authority) == 1
        assert capsys.readouterr().err


class TestTheDemo:
    def test_shows_the_codes_of_the_apps_in_its_mailbox(self, cast, one, at, browse, settings, tmp_path):
        settings.IS_DEMO, settings.MAILBOX = True, tmp_path
        give_app(cast.officer, one, at)
        page = browse().get("/mailbox/").text
        assert any(code_at(time.time() - late) in page for late in (0, 30))
        assert OFFICER in page

    def test_does_so_nowhere_else(self, cast, one, at, browse, settings):
        settings.IS_DEMO = False
        give_app(cast.officer, one, at)
        assert browse().get("/mailbox/").status_code == 404
        with pytest.raises(demo.NotTheDemo), inside(one):
            demo.codes_now(at=at)
