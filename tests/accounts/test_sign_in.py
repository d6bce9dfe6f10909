"""Signing in with a code or a password, choosing passwords, signing out."""

import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, UpdateError
from django.core import mail
from django.db import connection
from django.template.loader import get_template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string

import handrail
from handrail.accounts.models import Session, User
from handrail.accounts.sessions import SessionStore, id_of, mark
from handrail.accounts.urls import urlpatterns
from handrail.notices.mailbox import Mailbox
from tenants.context import inside

pytestmark = pytest.mark.django_db

HEAD, NOBODY = "head@oak.example", "nobody@oak.example"
PASSWORD, ANOTHER = "correct horse battery", "violet giraffe lighthouse"
START, CODE, WITH_PASSWORD = "/sign-in/", "/sign-in/code/", "/sign-in/password/"
RESET, RESET_CODE = "/account/password/reset/", "/account/password/reset/code/"
NEW_PASSWORD = "/account/password/reset/new/"
COLLEAGUE, CLOSED = "colleague@oak.example", "neighbour@elm.example"
PASSKEY = "mfa_login_webauthn"  # answers by leading on: there is no page

WRONG_CODE, WRONG_PASSWORD = {"code": "nought"}, {"login": "?", "password": "wrong wrong wrong"}
DOORS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "a code": [(START, {"email": "?"}), (CODE, {}), *[(CODE, WRONG_CODE)] * 5, (START, {})],
    "codes without end": [(START, {"email": "?"})] * 5,
    "passwords": [(WITH_PASSWORD, WRONG_PASSWORD)] * 6,
    "a reset": [(RESET, {"email": "?"}), (RESET_CODE, {}), *[(RESET_CODE, WRONG_CODE)] * 5, (RESET, {})],
    "resets without end": [(RESET, {"email": "?"})] * 5,
}
"""What somebody does who wants to know whether an address, `?`, has an account. No fields: a look at the page."""

A_FEW = 1
"""By how many questions to the database two answers may differ."""


@dataclass
class Met:
    """What one step met with: its status, where it led, its page without the address, and how many messages left."""

    answer: tuple[int, str | None, str, int]
    statements: list[str]


def met(client: Client, post: Any, email: str, steps: list[tuple[str, dict[str, str]]]) -> Iterator[Met]:
    for path, fields in steps:
        already = len(mail.outbox)
        with CaptureQueriesContext(connection) as asked:
            sent = {name: value.replace("?", email) for name, value in fields.items()}
            answer = post(client, path, **sent) if sent else client.get(path)
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.text.replace(email, "?"))
        assert {tuple(message.to) for message in mail.outbox[already:]} <= {(email,)}
        yield Met(
            answer=(answer.status_code, answer.get("Location"), page, len(mail.outbox) - already),
            statements=[each["sql"] for each in asked],
        )


def newest_code() -> str:
    found = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[0]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def set_password(one: Any, email: str = HEAD) -> None:
    with inside(one):
        user = User.objects.get(email=email)
        user.set_password(PASSWORD)
        user.save()


class TestSignInWithACode:
    def test_signs_in(self, cast, browse, post, one):
        client = browse()
        answer = post(client, START, email="Head@Oak.example")
        assert (answer.status_code, answer["Location"]) == (302, CODE)
        answer = post(client, CODE, code=newest_code())
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert is_signed_in(client)

    def test_sends_plain_words_from_the_authority(self, cast, browse, post, one):
        post(browse(), START, email=HEAD)
        (message,) = mail.outbox
        assert message.to == [HEAD]
        assert message.from_email == "Handrail for Barsetshire <handrail@handrail.example>"
        assert message.extra_headers["X-Handrail-Authority"] == str(one.id)
        assert message.alternatives == []
        assert message.body.endswith("Handrail, run by Barsetshire\nhttp://barsetshire.localhost/")
        assert newest_code() not in message.subject

    def test_sends_it_through_the_authoritys_own_post(self, cast, browse, post, one, settings, tmp_path):
        settings.EMAIL_BACKEND = "handrail.notices.providers.Backend"
        settings.MAIL_PROVIDER, settings.MAILBOX = "mailbox", tmp_path
        client = browse()
        post(client, START, email=HEAD)
        (letter,) = Mailbox(tmp_path / str(one.id)).letters()
        assert letter.recipient == HEAD
        (file,) = tmp_path.rglob("*.eml")
        assert b"X-Handrail" not in file.read_bytes()
        post(client, CODE, code=letter.code)
        assert is_signed_in(client)

    def test_sends_nothing_when_the_request_fails(self, cast, browse, post, monkeypatch):
        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError

        monkeypatch.setattr("handrail.accounts.views.allauth.RequestLoginCodeView.get_success_url", fail)
        client = browse()
        client.raise_request_exception = False
        assert post(client, START, email=HEAD).status_code == 500
        assert mail.outbox == []

    def test_refuses_a_wrong_code_and_takes_the_right_one_after(self, cast, browse, post):
        client = browse()
        post(client, START, email=HEAD)
        answer = post(client, CODE, code=wrong(newest_code()))
        assert answer.status_code == 200
        assert "The code is wrong" in answer.text
        assert "<title>Error: " in answer.text
        assert not is_signed_in(client)
        post(client, CODE, code=f" {newest_code()[:3]} {newest_code()[3:]} ")
        assert is_signed_in(client)

    def test_refuses_everything_after_five_wrong_codes(self, cast, browse, post):
        client = browse()
        post(client, START + "?next=/account/", email=HEAD)
        code = newest_code()
        for _ in range(4):
            assert post(client, CODE, code=wrong(code)).status_code == 200
        answer = post(client, CODE + "?next=/account/", code=wrong(code))
        assert (answer.status_code, answer["Location"]) == (302, START + "?next=%2Faccount%2F")
        assert "Too many tries" in client.get(START).text
        post(client, CODE, code=code)
        assert not is_signed_in(client)

    def test_refuses_a_code_after_ten_minutes(self, cast, browse, post, monkeypatch):
        client = browse()
        post(client, START, email=HEAD)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 601)
        answer = post(client, CODE, code=newest_code())
        assert (answer.status_code, answer["Location"]) == (302, START)
        assert "That code has run out" in client.get(START).text
        assert not is_signed_in(client)

    def test_a_new_code_ends_the_one_before(self, cast, browse, post):
        client = browse()
        post(client, START, email=HEAD)
        first = newest_code()
        post(client, START, email=HEAD)
        if first != newest_code():
            assert "The code is wrong" in post(client, CODE, code=first).text
        post(client, CODE, code=newest_code())
        assert is_signed_in(client)

    @pytest.mark.parametrize(("ask", "enter", "on"), [(START, CODE, "/"), (RESET, RESET_CODE, f"{RESET}new/")])
    def test_a_new_code_ends_those_of_other_browsers_once_it_is_entered(self, cast, browse, post, ask, enter, on):
        mine, newer, colleagues = browse(), browse(), browse()
        post(mine, ask, email=HEAD)
        first = newest_code()
        post(colleagues, ask, email=COLLEAGUE)
        of_a_colleague = newest_code()
        post(newer, ask, email="HEAD@oak.example")
        assert post(newer, enter, code=newest_code())["Location"] == on
        for _ in range(4):
            answer = post(mine, enter, code=first)
            assert (answer.status_code, "The code is wrong" in answer.text) == (200, True)
        assert post(mine, enter, code=first)["Location"].startswith("/sign-in/"), "like any wrong one the fifth time"
        assert not is_signed_in(mine)
        assert post(colleagues, enter, code=of_a_colleague)["Location"] == on

    @pytest.mark.parametrize(("ask", "enter", "on"), [(START, CODE, "/"), (RESET, RESET_CODE, f"{RESET}new/")])
    def test_a_code_is_not_ended_by_whoever_asks_for_another(self, cast, browse, post, ask, enter, on):
        mine = browse()
        post(mine, ask, email=HEAD)
        code = newest_code()
        for _ in range(3):
            theirs = browse()
            post(theirs, ask, email=HEAD)
            assert post(theirs, enter, code=wrong(newest_code())).status_code == 200
        assert post(mine, enter, code=code)["Location"] == on

    def test_a_code_to_reset_does_not_end_one_to_sign_in(self, cast, browse, post):
        client = browse()
        post(client, START, email=HEAD)
        code = newest_code()
        post(browse(), RESET, email=HEAD)
        post(client, CODE, code=code)
        assert is_signed_in(client)

    def test_a_code_is_worth_nothing_in_another_browser(self, cast, browse, post):
        mine, theirs = browse(), browse()
        post(mine, START, email=HEAD)
        post(theirs, CODE, code=newest_code())
        assert not is_signed_in(theirs)

    def test_a_code_works_once(self, cast, browse, post):
        client = browse()
        post(client, START, email=HEAD)
        post(client, CODE, code=newest_code())
        post(client, "/sign-out/")
        post(client, CODE, code=newest_code())
        assert not is_signed_in(client)

    def test_goes_on_to_the_page_to_enter_it_and_can_start_anew(self, cast, browse, post):
        client = browse()
        post(client, START, email=HEAD)
        assert client.get(START + "?next=/account/")["Location"] == CODE + "?next=%2Faccount%2F"
        assert client.get(WITH_PASSWORD).status_code == 200
        answer = post(client, "/sign-out/", next=START)
        assert answer["Location"] == START
        assert client.get(START).status_code == 200

    @pytest.mark.parametrize(
        ("email", "message"),
        [("", "Enter your e-mail address"), ("head", "Enter an e-mail address in the right form")],
    )
    def test_refuses_what_is_no_address(self, cast, browse, post, email, message):
        answer = post(browse(), START, email=email)
        assert answer.status_code == 200
        assert message in answer.text
        assert mail.outbox == []


class TestAnAddressThatLooksLikeAnother:
    @pytest.mark.parametrize(("path", "field"), [(START, "email"), (WITH_PASSWORD, "login"), (RESET, "email")])
    @pytest.mark.parametrize("typed", ["he\u0430d@oak.example", "head@\u043eak.example", "head@xn--ak-uxc.example"])
    def test_is_explained_and_kept_as_typed(self, cast, browse, post, path, field, typed):
        page = post(browse(), path, **{field: typed, "password": PASSWORD}).text
        assert "This address uses letters that look like others. Type it again with plain letters, a to z" in page
        assert f'value="{typed}"' in page
        assert mail.outbox == []

    def test_is_taken_when_the_letters_are_only_wide(self, cast, browse, post):
        client = browse()
        post(client, START, email="ｈｅａｄ＠ｏａｋ．ｅｘａｍｐｌｅ")
        post(client, CODE, code=newest_code())
        assert is_signed_in(client)

    def test_is_refused_when_it_is_endless(self, cast, browse, post):
        assert "254 characters or fewer" in post(browse(), START, email="x" * 400_000 + "@oak.example").text


class TestNobodyLearnsWhoHasAnAccount:
    @pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
    @pytest.mark.parametrize("other", [NOBODY, COLLEAGUE, CLOSED, "stranger@borchester.example"])
    def test_each_door_answers_alike_and_asks_the_database_as_much(self, cast, browse, post, one, door, other):
        set_password(one)
        with inside(one):
            User.objects.filter(email=CLOSED).update(is_active=False)
        known, unknown = [list(met(browse(), post, email, door)) for email in (HEAD, other)]
        assert [each.answer for each in known] == [each.answer for each in unknown]
        for there, here in zip(known, unknown, strict=True):
            apart = abs(len(there.statements) - len(here.statements))
            assert apart <= A_FEW, "\n".join([*there.statements, "-- against", *here.statements])

    def test_the_unknown_address_is_told_so_by_mail_alone(self, cast, browse, post):
        client = browse()
        post(client, START, email=NOBODY)
        assert "There is no account with it" in mail.outbox[0].body
        assert not re.search(r"\d{6}", mail.outbox[0].body)
        for code in ("000000", ""):
            assert post(client, CODE, code=code).status_code == 200
        assert not is_signed_in(client)

    def test_a_wrong_password_reads_alike_and_costs_one_hash(self, cast, browse, post, one, monkeypatch):
        set_password(one)
        hashed = []
        stock = MD5PasswordHasher.encode
        monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *of: hashed.append(1) or stock(*of))
        pages, costs = [], []
        for email in (HEAD, NOBODY, "colleague@oak.example", "stranger@borchester.example"):
            hashed.clear()
            page = post(browse(), WITH_PASSWORD, login=email, password="wrong wrong wrong").text.replace(email, "?")
            pages.append(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page))
            costs.append(len(hashed))
        assert "The e-mail address or the password is wrong" in pages[0]
        assert len(set(pages)) == 1
        assert costs == [1, 1, 1, 1]

    def test_somebody_of_another_authority_is_unknown_here(self, cast, browse, post):
        post(browse(), START, email="stranger@borchester.example")
        assert "There is no account with it" in mail.outbox[0].body

    def test_a_closed_account_is_unknown(self, cast, browse, post, one):
        with inside(one):
            User.objects.filter(email=HEAD).update(is_active=False)
        post(browse(), START, email=HEAD)
        assert "There is no account with it" in mail.outbox[0].body


class TestGuessingIsSlowedDown:
    def test_by_account_for_codes(self, cast, browse, post):
        pages = [post(browse(), START, email=NOBODY) for _ in range(5)]
        assert [page.status_code for page in pages] == [302] * 4 + [200]
        assert "Too many tries" in pages[-1].text
        assert len(mail.outbox) == 4
        assert post(browse(), START, email=HEAD).status_code == 302

    def test_by_account_for_passwords_even_with_the_right_one(self, cast, browse, post, one):
        set_password(one)
        for _ in range(5):
            post(browse(), WITH_PASSWORD, login=HEAD, password="wrong wrong wrong")
        client = browse()
        assert "Too many tries" in post(client, WITH_PASSWORD, login=HEAD, password=PASSWORD).text
        assert not is_signed_in(client)

    def test_by_address(self, cast, browse, post):
        statuses = [post(browse(), START, email=f"n{each}@oak.example").status_code for each in range(61)]
        assert statuses == [302] * 60 + [200]

    def test_in_one_authority_alone(self, cast, browse, post, two):
        for _ in range(5):
            post(browse(), START, email=NOBODY)
        assert post(browse(authority=two), START, email=NOBODY).status_code == 302

    def test_with_a_page_in_our_look(self, cast, browse, post):
        answers = [post(browse(), "/account/password/reset/", email=NOBODY) for _ in range(5)]
        assert (answers[-1].status_code, answers[-1]["Retry-After"]) == (429, "300")
        assert "Too many tries" in answers[-1].text


class TestAFloodOfTries:
    """From many addresses, each below its own limits."""

    @pytest.fixture(autouse=True)
    def ten_past(self, monkeypatch):
        return self.set_clock(monkeypatch, timezone.now().replace(second=10))

    def set_clock(self, monkeypatch: Any, moment: Any) -> Any:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        return moment

    @pytest.fixture
    def flood(self, browse, post, settings):
        """Tries of several people, as many as an authority takes."""
        settings.SIGN_IN_TRIES_A_MINUTE = 4
        tries = [post(browse(), START, email=f"n{each}@oak.example") for each in range(4)]
        assert [each.status_code for each in tries] == [302] * 4
        mail.outbox.clear()

    EVERY_DOOR = pytest.mark.parametrize(
        ("path", "fields"),
        [
            (START, {"email": HEAD}),
            (WITH_PASSWORD, {"login": HEAD, "password": PASSWORD}),
            (RESET, {"email": HEAD}),
            ("/sign-in/passkey/", {"credential": "{}"}),
        ],
    )

    @EVERY_DOOR
    def test_waits_with_words_above_the_ceiling(self, cast, browse, post, one, flood, path, fields, caplog):
        set_password(one)
        client = browse()
        answers = [post(client, path, **fields) for _ in range(2)]
        assert [(each.status_code, each["Retry-After"]) for each in answers] == [(429, "50")] * 2
        assert "Nothing is wrong with your account. Wait a minute, then try again." in answers[0].text
        assert "handrail.css" in answers[0].text
        assert not is_signed_in(client)
        assert mail.outbox == []
        assert [each.getMessage()[:33] for each in caplog.records if each.name == "handrail.security"] == [
            "More than 4 tries to sign in with"
        ]

    @EVERY_DOOR
    def test_is_not_noticed_below_it(self, cast, browse, post, one, settings, path, fields):
        set_password(one)
        settings.SIGN_IN_TRIES_A_MINUTE = 4
        assert [post(browse(), path, **fields).status_code for _ in range(4)] == [302] * 4

    def test_leaves_another_authority_alone(self, cast, browse, post, two, flood):
        assert post(browse(authority=two), START, email=HEAD).status_code == 302

    def test_leaves_alone_who_is_signed_in_and_who_has_a_code(self, cast, browse, post, settings):
        client = browse()
        post(client, START, email=HEAD)
        settings.SIGN_IN_TRIES_A_MINUTE = 0
        assert post(browse(), START, email=HEAD).status_code == 429
        post(client, CODE, code=newest_code())
        assert is_signed_in(client)

    def test_is_over_when_the_minute_is(self, cast, browse, post, flood, ten_past, monkeypatch):
        assert post(browse(), START, email=HEAD).status_code == 429
        self.set_clock(monkeypatch, ten_past + timedelta(seconds=50))
        assert post(browse(), START, email=HEAD).status_code == 302

    def test_is_not_made_by_tries_that_their_own_limits_refuse(self, cast, browse, post, settings):
        settings.SIGN_IN_TRIES_A_MINUTE = 5
        assert [post(browse(), START, email=NOBODY).status_code for _ in range(9)] == [302] * 4 + [200] * 5
        assert post(browse(), START, email=HEAD).status_code == 302
        assert post(browse(), START, email=HEAD).status_code == 429

    def test_is_not_made_by_one_address_alone(self, settings):
        limits = [*settings.ACCOUNT_RATE_LIMITS.values(), *settings.MFA_RATE_LIMITS.values()]
        of_one_address = sum(int(found[1]) for each in limits if (found := re.match(r"(\d+)/m/ip", each)))
        assert of_one_address <= settings.SIGN_IN_TRIES_A_MINUTE / 3


class TestSignInWithAPassword:
    def test_signs_in(self, cast, browse, post, one):
        set_password(one)
        client = browse()
        answer = post(client, WITH_PASSWORD, login=HEAD, password=PASSWORD)
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert is_signed_in(client)

    def test_never_shows_the_password_again(self, cast, browse, post):
        answer = post(browse(), WITH_PASSWORD, login=HEAD, password=PASSWORD)
        assert HEAD in answer.text
        assert PASSWORD not in answer.text

    def test_asks_for_both(self, cast, browse, post):
        answer = post(browse(), WITH_PASSWORD, login="", password="")
        assert "Enter your e-mail address" in answer.text
        assert "Enter your password" in answer.text

    def test_tells_only_who_knows_the_password_that_the_account_is_closed(self, cast, browse, post, one):
        set_password(one)
        with inside(one):
            User.objects.filter(email=HEAD).update(is_active=False)
        client = browse()
        assert "is wrong" in post(client, WITH_PASSWORD, login=HEAD, password=ANOTHER).text
        answer = post(client, WITH_PASSWORD, login=HEAD, password=PASSWORD)
        assert "Your account is closed" in client.get(answer["Location"]).text
        assert not is_signed_in(client)


class TestChoosingAPassword:
    def test_can_be_pasted_and_filled_in_by_a_manager(self, cast, browse, one):
        set_password(one)
        with inside(one):
            head = User.objects.get(email=HEAD)
        for client, page in ((browse(), WITH_PASSWORD), (browse(head), "/account/password/")):
            fields = re.findall(r'<input[^>]*type="password"[^>]*>', client.get(page).text)
            assert fields
            assert all(re.search(r'autocomplete="(current|new)-password"', each) for each in fields), fields
        scripts = list((Path(handrail.__file__).parent).rglob("static/**/*.js"))
        assert scripts
        assert not [each.name for each in scripts if re.search(r"paste|beforeinput", each.read_text())]

    def test_sets_a_first_one(self, cast, browse, post, one):
        client = browse(cast.head)
        answer = post(client, "/account/password/set/", password1=PASSWORD)
        assert answer["Location"] == "/account/"
        assert "Your password was set." in client.get("/account/").text
        assert mail.outbox[-1].subject == "Your Handrail password was set"
        with inside(one):
            assert User.objects.get(email=HEAD).check_password(PASSWORD)

    def test_changes_it_and_signs_out_everywhere_else(self, cast, browse, post, one):
        set_password(one)
        with inside(one):
            head = User.objects.get(email=HEAD)
        here, elsewhere = browse(head), browse(head)
        post(here, "/account/password/", oldpassword=PASSWORD, password1=ANOTHER)
        assert is_signed_in(here)
        assert not is_signed_in(elsewhere)
        with inside(one):
            assert head.sessions.count() == 1
        assert mail.outbox[-1].subject == "Your Handrail password was changed"

    def test_refuses_a_change_without_the_current_one(self, cast, browse, post, one):
        set_password(one)
        with inside(one):
            head = User.objects.get(email=HEAD)
        answer = post(browse(head), "/account/password/", oldpassword=ANOTHER, password1=ANOTHER)
        assert "The current password is wrong" in answer.text
        with inside(one):
            assert User.objects.get(email=HEAD).check_password(PASSWORD)

    @pytest.mark.parametrize("weak", ["short", "password1234", "head@oak.example"])
    def test_refuses_a_weak_one(self, cast, browse, post, one, weak):
        answer = post(browse(cast.head), "/account/password/set/", password1=weak)
        assert answer.status_code == 200
        with inside(one):
            assert not User.objects.get(email=HEAD).has_usable_password()

    @pytest.mark.parametrize(
        "easy",
        [
            "handrail2026!",
            "Barsetshire Council 1",
            "medical policy plan",
            "Hana Head 12345678",
            "sunflower2024!!",
            "!!trustno1!!!!",
            "dragondragondragon",
            "abcabcabcabcabc",
            "leavemealone",
            "Needforspeed!!",
            "1qaz2wsx3edc4rfv",
            "Oak School 2026",
        ],
    )
    def test_refuses_one_that_is_easy_to_guess_here(self, cast, browse, post, one, easy):
        answer = post(browse(cast.head), "/account/password/set/", password1=easy)
        assert "This is easy to guess. Leave out names" in answer.text
        with inside(one):
            assert not User.objects.get(email=HEAD).has_usable_password()

    def test_knows_the_common_ones_that_are_long_enough(self):
        """At least the 3,000 most common of them, whatever Django ships: each by itself is refused."""
        [rule] = [each["NAME"] for each in settings.AUTH_PASSWORD_VALIDATORS if each["NAME"].endswith("HardToGuess")]
        [shortest] = [each["OPTIONS"]["min_length"] for each in settings.AUTH_PASSWORD_VALIDATORS if "OPTIONS" in each]
        known = import_string(rule)().long_ones
        assert len(known) > 10_000
        assert all(len(each) >= shortest and each == each.lower() for each in known)

    @pytest.mark.parametrize("hard", ["purple monkey school", "correct horse battery", "8#kQz!91xVhandrail"])
    def test_takes_one_that_has_such_a_word_in_it(self, cast, browse, post, hard):
        answer = post(browse(cast.head), "/account/password/set/", password1=hard)
        assert answer["Location"] == "/account/"

    def test_takes_it_as_it_was_typed(self, cast, browse, post, one):
        """However long it is and whatever is in it: nothing is cut off, folded or forbidden."""
        chosen = f" Straße ☂ {'x' * 120} "
        post(browse(cast.head), "/account/password/set/", password1=chosen)
        for typed in (chosen.strip(), chosen.lower(), chosen[:100], chosen):
            client = browse()
            post(client, WITH_PASSWORD, login=HEAD, password=typed)
            assert is_signed_in(client) == (typed == chosen)

    def test_asks_somebody_signed_out_to_sign_in(self, cast, browse, post):
        for path in ("/account/", "/account/password/", "/account/password/set/"):
            answer = browse().get(path)
            assert (answer.status_code, answer["Location"]) == (302, f"{START}?next={path}")

    def test_resets_it_by_code(self, cast, browse, post, one):
        set_password(one)
        client = browse()
        answer = post(client, "/account/password/reset/", email=HEAD)
        assert answer["Location"] == "/account/password/reset/code/"
        answer = post(client, answer["Location"], code=newest_code())
        assert answer["Location"] == "/account/password/reset/new/"
        post(client, answer["Location"], password1=ANOTHER)
        assert is_signed_in(client)
        assert mail.outbox[-1].subject == "Your Handrail password was changed"
        with inside(one):
            assert User.objects.get(email=HEAD).check_password(ANOTHER)

    def test_refuses_a_reset_without_its_code(self, cast, browse, post, one):
        set_password(one)
        client = browse()
        post(client, "/account/password/reset/", email=HEAD)
        assert post(client, "/account/password/reset/new/", password1=ANOTHER).status_code == 302
        code = newest_code()
        for _ in range(5):
            post(client, "/account/password/reset/code/", code=wrong(code))
        post(client, "/account/password/reset/code/", code=code)
        post(client, "/account/password/reset/new/", password1=ANOTHER)
        with inside(one):
            assert User.objects.get(email=HEAD).check_password(PASSWORD)

    def test_refuses_a_code_to_reset_after_ten_minutes(self, cast, browse, post, one, monkeypatch):
        set_password(one)
        client = browse()
        post(client, RESET, email=HEAD)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 601)
        answer = post(client, RESET_CODE, code=newest_code())
        assert answer["Location"] == RESET
        assert "That code has run out" in client.get(RESET).text
        post(client, NEW_PASSWORD, password1=ANOTHER)
        with inside(one):
            assert User.objects.get(email=HEAD).check_password(PASSWORD)

    def test_takes_a_code_to_reset_once(self, cast, browse, post, one):
        set_password(one)
        client = browse()
        post(client, RESET, email=HEAD)
        code = newest_code()
        post(client, RESET_CODE, code=code)
        post(client, NEW_PASSWORD, password1=ANOTHER)
        post(client, "/sign-out/")
        assert post(client, RESET_CODE, code=code)["Location"] == RESET
        assert post(client, NEW_PASSWORD, password1=PASSWORD)["Location"] == RESET
        assert "That code has run out" in client.get(RESET).text
        with inside(one):
            assert User.objects.get(email=HEAD).check_password(ANOTHER)

    def test_a_code_to_sign_in_is_no_code_to_reset(self, cast, browse, post, one):
        client = browse()
        post(client, START, email=HEAD)
        code = newest_code()
        post(client, "/account/password/reset/code/", code=code)
        post(client, "/account/password/reset/new/", password1=ANOTHER)
        with inside(one):
            assert not User.objects.get(email=HEAD).has_usable_password()


class TestSignOut:
    def test_ends_the_session(self, cast, browse, post, one):
        client = browse(cast.head)
        answer = post(client, "/sign-out/")
        assert answer["Location"] == START
        assert "You have signed out." in client.get(START).text
        assert not is_signed_in(client)

    def test_is_not_done_by_looking(self, cast, browse):
        client = browse(cast.head)
        assert "Do you want to sign out?" in client.get("/sign-out/").text
        assert is_signed_in(client)

    def test_needs_a_form_of_ours(self, cast, browse):
        client = browse(cast.head)
        client.handler.enforce_csrf_checks = True
        assert client.post("/sign-out/").status_code == 403
        assert is_signed_in(client)


class TestGoingOn:
    def test_returns_to_the_page_that_was_asked_for(self, cast, browse, post):
        client = browse()
        answer = client.get("/account/?from=mail")
        assert answer["Location"] == START + "?next=/account/%3Ffrom%3Dmail"
        page = client.get(answer["Location"]).text
        assert 'name="next" value="/account/?from=mail"' in page
        answer = post(client, START, email=HEAD, next="/account/?from=mail")
        answer = post(client, answer["Location"], code=newest_code())
        assert answer["Location"] == "/account/?from=mail"

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "http:///evil.example",
            "javascript:alert(1)",
            "http://borchester.localhost/",
        ],
    )
    def test_never_leaves_the_site(self, cast, browse, post, one, elsewhere):
        set_password(one)
        client = browse()
        post(client, START, email=HEAD, next=elsewhere)
        assert post(client, CODE, code=newest_code(), next=elsewhere)["Location"] == "/"
        assert post(browse(), WITH_PASSWORD, login=HEAD, password=PASSWORD, next=elsewhere)["Location"] == "/"
        assert post(client, "/sign-out/", next=elsewhere)["Location"] == START


class TestTheSession:
    def test_gets_a_new_key_at_sign_in(self, cast, browse, post):
        client = browse()
        post(client, START, email=HEAD)
        before = client.cookies["sessionid"].value
        post(client, CODE, code=newest_code())
        assert client.cookies["sessionid"].value != before
        thief = browse()
        thief.cookies["sessionid"] = before
        assert not is_signed_in(thief)

    def test_has_a_key_of_128_bits_that_nobody_can_guess(self, cast, browse, one):
        keys = [browse(cast.head).cookies["sessionid"].value for _ in range(20)]
        with inside(one):
            guessed = {key.removesuffix(mark()) for key in keys}
        assert len(guessed) == 20
        assert all(len(each) * math.log2(len(VALID_KEY_CHARS)) >= 128 for each in guessed)
        assert set("".join(guessed)) <= set(VALID_KEY_CHARS)

    def test_ends_ten_hours_after_sign_in_whatever_happens_in_it(self, cast, browse, one, monkeypatch):
        client = browse(cast.head)
        key, now = client.cookies["sessionid"].value, time.time()
        monkeypatch.setattr(time, "time", lambda: now + 9 * 3600)
        with inside(one):
            session = SessionStore(key)
            session["touched"] = True
            session.save()
            ends = Session.objects.get(id=id_of(key)).expire_date
        assert abs(ends.timestamp() - now - 36_000) < 60
        with inside(one):
            Session.objects.filter(id=id_of(key)).update(expire_date=ends - timedelta(hours=10, seconds=2))
        assert not is_signed_in(client)

    def test_is_known_by_its_person_its_device_and_the_way_in(self, cast, browse, post, one):
        client = browse()
        client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0; rv:132.0) Gecko/20100101 Firefox/132.0"
        post(client, START, email=HEAD)
        with inside(one):
            assert Session.objects.get().user is None
        post(client, CODE, code=newest_code())
        client.get("/account/")
        with inside(one):
            row = Session.objects.get()
            assert (row.user_id, row.device, row.way_in) == (cast.head.id, "Firefox on Windows", "a code by e-mail")
            assert row.id == id_of(client.cookies["sessionid"].value)

    def test_notes_when_it_was_used_to_the_minute(self, cast, browse, one):
        client = browse(cast.head)
        client.get("/account/")
        moments = []
        for seconds in (30, 90):
            with inside(one):
                used = timezone.now() - timedelta(seconds=seconds)
                Session.objects.update(last_used_at=used)
            client.get("/account/")
            with inside(one):
                moments.append(Session.objects.get().last_used_at == used)
        assert moments == [True, False]

    def test_that_has_ended_meanwhile_is_not_brought_back(self, cast, browse, one):
        """As when another page of the same browser saves something in it."""
        client = browse(cast.head)
        with inside(one):
            store = SessionStore(client.cookies["sessionid"].value)
            store["touched"] = True
            Session.objects.update(expire_date=timezone.now())
            with pytest.raises(UpdateError):
                store.save()
        assert not is_signed_in(client)

    def test_has_a_cookie_that_ends_with_the_browser(self, cast, browse, post):
        client = browse()
        post(client, START, email=HEAD)
        post(client, CODE, code=newest_code())
        cookie = client.cookies["sessionid"]
        assert (cookie["max-age"], cookie["expires"], cookie["domain"]) == ("", "", "")
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert set(client.cookies) == {"sessionid", "csrftoken", "known"}  # see test_known_browsers.py


class TestThePages:
    @pytest.mark.parametrize("name", [each.name for each in urlpatterns if getattr(each, "name", PASSKEY) != PASSKEY])
    def test_are_all_in_our_look(self, name):
        view = next(pattern.callback for pattern in urlpatterns if getattr(pattern, "name", None) == name)
        assert get_template(view.view_class.template_name).backend.name == "jinja2"

    def test_of_allauth_that_are_not_listed_do_not_exist(self, cast, browse):
        client = browse(cast.head)
        for path in ("/account/email/", "/account/signup/", "/signup/", "/account/login/", "/account/reauthenticate/"):
            assert client.get(path).status_code == 404

    def test_show_who_i_am(self, cast, browse, django_assert_max_num_queries):
        client = browse(cast.head)
        with django_assert_max_num_queries(8):
            page = client.get(reverse("accounts:account")).text
        assert "Hana Head" in page
        assert "School lead at Oak School" in page
