"""Keys: made and shown once, kept as a digest, revoked; the pages on which an administrator does it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from factories import person

from handrail.accounts.actions import change_role, close_account, end_membership
from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry
from handrail.reporting.actions import digest_of, note_use, revoke_key
from handrail.reporting.models import ApiKey, Scope
from tenants.context import inside

pytestmark = pytest.mark.django_db
MAKE = "/settings/keys/make/"


def typed(**more):
    day = timezone.now() + timedelta(days=60)
    boxes = {"expires_on_day": day.day, "expires_on_month": day.month, "expires_on_year": day.year}
    return {"name": "Power BI", "scopes": ["school"], **boxes} | more


class TestMakingAKey:
    def test_shows_it_once_and_keeps_a_digest(self, cast, one, browse):
        client = browse(cast.admin)
        answer = client.post(MAKE, typed())
        [secret] = re.findall(r"<code[^>]*>(handrail_[\w-]{43})</code>", answer.content.decode())
        assert "no-store" in answer["Cache-Control"]
        with inside(one):
            [key] = ApiKey.objects.all()
            assert (key.name, key.scopes, key.made_by_name) == ("Power BI", ["school"], "Adele Admin")
            assert key.digest == digest_of(secret)
            assert secret not in repr(ApiKey.objects.values().get())
            entry = AuditEntry.objects.get(verb="made a key for a program")
            assert (entry.by, entry.subject_id) == (cast.admin.id, key.id)
        assert secret not in client.get("/settings/keys/").content.decode()

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"name": ""}, "Enter what will use it"),
            ({"scopes": []}, "Select what it may do"),
            ({"expires_on_year": "2020"}, "must be today or in the future"),
            ({"expires_on_year": "2199"}, "must be on or before"),
            ({"scopes": ["pupil"]}, "Select"),
        ],
    )
    def test_says_what_is_wrong(self, cast, one, browse, wrong, words):
        assert words in browse(cast.admin).post(MAKE, typed(**wrong)).content.decode()
        with inside(one):
            assert not ApiKey.objects.exists()

    def test_asks_again_who_it_is(self, cast, one, browse):
        client = browse(cast.admin)
        with inside(one):
            session = client.session
            ways = session["account_authentication_methods"]
            session["account_authentication_methods"] = [{**each, "at": each["at"] - 3600} for each in ways]
            session.save()
        for ask in (client.get, client.post):
            assert "Make this key" not in ask(MAKE, typed() if ask == client.post else {}).content.decode()
        with inside(one):
            assert not ApiKey.objects.exists()

    def test_is_refused_to_others(self, cast, browse):
        for somebody in (cast.officer, cast.head):
            assert browse(somebody).post(MAKE, typed()).status_code == 403


class TestRevokingAKey:
    def test_stops_it_and_says_so(self, cast, one, browse, key_of):
        key, _ = key_of(Scope.SCHOOL)
        client = browse(cast.admin)
        assert "It was never used." in client.get(f"/settings/keys/{key.id}/revoke/").content.decode()
        page = client.post(f"/settings/keys/{key.id}/revoke/", follow=True).content.decode()
        assert "Power BI opens nothing any more." in page
        assert "revoked on" in page
        with inside(one):
            revoke_key(key=key, by=cast.admin, at=timezone.now())
            assert AuditEntry.objects.filter(verb="revoked a key of a program").count() == 1

    def test_of_another_authority_is_not_found(self, cast, two, browse, key_of):
        key, _ = key_of(authority=two, by=cast.stranger)
        assert browse(cast.admin).post(f"/settings/keys/{key.id}/revoke/").status_code == 404
        with inside(two):
            assert ApiKey.objects.get().revoked_at is None


class TestAKeyWhoseMakerHasLeft:
    """They were shown it, so it ends with their last role at the authority."""

    def test_ends_at_once_and_says_why(self, cast, one, browse, key_of, read):
        with inside(one):
            leaver = person("leaver@barsetshire.example", Role.AUTHORITY_ADMINISTRATOR, name="Lena Leaver")
        _, secret = key_of(by=leaver)
        assert read("/api/v1/schools", key=secret).status_code == 200
        with inside(one):
            end_membership(membership=leaver.memberships.get(), by=cast.admin, at=timezone.now())
        answer = read("/api/v1/schools", key=secret)
        assert answer.status_code == 401
        assert "Whoever made the key has left" in answer.json()["detail"]
        page = browse(cast.admin).get("/settings/keys/").content.decode()
        assert "Lena Leaver, who made it, has left" in page
        assert "There is no key that works." in page

    def test_ends_with_their_account(self, cast, one, key_of, read):
        with inside(one):
            leaver = person("leaver@barsetshire.example", Role.AUTHORITY_ADMINISTRATOR)
        _, secret = key_of(by=leaver)
        with inside(one):
            close_account(user=leaver, by=cast.admin, at=timezone.now())
        assert read("/api/v1/schools", key=secret).status_code == 401

    def test_goes_on_in_another_role_at_the_authority(self, cast, one, at, key_of, read):
        with inside(one):
            mover = person("mover@barsetshire.example", Role.AUTHORITY_ADMINISTRATOR)
        _, secret = key_of(by=mover)
        with inside(one):
            change_role(membership=mover.memberships.get(), role=Role.ANALYST, by=cast.admin, at=timezone.now())
        assert read("/api/v1/schools", key=secret).status_code == 200


class TestUse:
    def test_is_noted_once_a_minute(self, one, key_of, at):
        key, _ = key_of()
        with inside(one):
            note_use(key=key, at=at)
            key.refresh_from_db()
            assert key.last_used_at == at.replace(second=0)
            note_use(key=key, at=at + timedelta(seconds=30))
            key.refresh_from_db()
            assert key.last_used_at == at
            note_use(key=key, at=at + timedelta(seconds=90))
            key.refresh_from_db()
            assert key.last_used_at == at + timedelta(minutes=1)
