"""The vault: how an authority's data keys are made and wrapped, and what happens when nothing unwraps them."""

import base64
import os
import secrets
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.stub import Stubber
from core.notes import Note
from databases import connected, handrail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.db.transaction import atomic
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from factories import SchoolFactory, recorded_policy
from post import Scripted

from handrail.config import urls
from handrail.config.env import EnvError, read_env
from handrail.core import aws, vault
from handrail.core.access import PUBLIC, Door
from handrail.core.audit import CLOCK
from handrail.core.documents import download, keep
from handrail.core.models import AuthoritySettings, DataKey, Document
from handrail.core.vault import CannotOpen, VaultClosed, rewrap, seal, unseal
from handrail.notices.models import Notice
from handrail.policies.reminders import owe_review_reminders
from tenants.context import inside
from workflows.notices import send

PLACE = b"a place"
OLD, NEW = os.urandom(32), os.urandom(32)


@pytest.mark.django_db
class TestDataKeys:
    def test_are_made_when_first_needed_and_used_again(self, here):
        assert not DataKey.objects.exists()
        sealed = [seal(b"text", PLACE) for _ in range(3)]
        assert {unseal(each, PLACE) for each in sealed} == {b"text"}
        assert len(set(sealed)) == 3
        assert DataKey.objects.get().number == 1

    def test_are_each_authoritys_own(self, one, two):
        keys = []
        for authority in (one, two):
            with inside(authority):
                seal(b"text", PLACE)
                keys.append(DataKey.objects.get())
        assert keys[0].id != keys[1].id
        assert bytes(keys[0].wrapped) != bytes(keys[1].wrapped)
        assert vault._unwrapped[one.id, keys[0].id] != vault._unwrapped[two.id, keys[1].id]

    def test_do_not_lie_in_the_database(self, here):
        seal(b"text", PLACE)
        key = DataKey.objects.get()
        assert vault._unwrapped[here.id, key.id] not in bytes(key.wrapped)

    def test_whose_making_was_undone_seal_nothing(self, here):
        with pytest.raises(RuntimeError), atomic():
            lost = seal(b"text", PLACE)
            raise RuntimeError
        sealed = seal(b"text", PLACE)
        assert sealed[vault.KEY_ID] == DataKey.objects.get().id.bytes != lost[vault.KEY_ID]
        vault._unwrapped.clear()
        assert unseal(sealed, PLACE) == b"text"

    def test_are_asked_for_once_in_a_transaction(self, here, django_assert_num_queries):
        seal(b"text", PLACE)
        with django_assert_num_queries(0):
            unseal(seal(b"text", PLACE), PLACE)

    @pytest.mark.parametrize("content", [b"", b"x", b"Poppy has epilepsy", bytes(60)])
    def test_open_nothing_that_was_not_sealed(self, here, content):
        seal(b"text", PLACE)
        with pytest.raises(CannotOpen):
            unseal(content, PLACE)


class TestTheFirstDataKey:
    def test_is_made_once_when_many_need_it_at_once(self, apart, django_db_blocker):
        from tenants.routing import authority_by_code

        made, failed, ready = [], [], threading.Barrier(6)

        def work(authority: Any) -> None:
            try:
                ready.wait(timeout=30)
                with inside(authority):
                    made.append(seal(b"text", PLACE))
            except Exception as error:
                failed.append(error)
            finally:
                connections.close_all()

        with django_db_blocker.unblock(), connected(apart):
            authority = authority_by_code("001")
            threads = [threading.Thread(target=work, args=(authority,)) for _ in range(6)]
            for each in threads:
                each.start()
            for each in threads:
                each.join(timeout=60)
            vault._unwrapped.clear()
            with inside(authority):
                assert {unseal(each, PLACE) for each in made} == {b"text"}
                assert DataKey.objects.count() == 1
                DataKey.objects.all().delete()
        assert (failed, len(made)) == ([], 6)


@pytest.mark.django_db
class TestKeysOfTheEnvironment:
    def test_are_followed_by_others_one_wrapping_and_all_unwrapping(self, here, process):
        process(keys=(OLD,))
        sealed = seal(b"text", PLACE)
        process(keys=(NEW, OLD))
        assert unseal(sealed, PLACE) == b"text"
        rewrap(DataKey.objects.get())
        process(keys=(NEW,))
        assert unseal(sealed, PLACE) == b"text"
        process(keys=(OLD,))
        with pytest.raises(VaultClosed):
            unseal(sealed, PLACE)

    @pytest.mark.parametrize("keys", [(), (NEW,)])
    def test_that_do_not_unwrap_close_the_vault(self, here, process, keys):
        process(keys=(OLD,))
        sealed = seal(b"text", PLACE)
        process(keys=keys)
        for use in (lambda: unseal(sealed, PLACE), lambda: seal(b"text", PLACE), vault.require_open):
            with pytest.raises(VaultClosed):
                use()
        assert DataKey.objects.count() == 1

    def test_do_not_unwrap_what_was_changed_or_carried_over(self, one, two, process):
        process(keys=(OLD,))
        with inside(one):
            sealed = seal(b"text", PLACE)
            key = DataKey.objects.get()
            DataKey.objects.update(wrapped=bytes(key.wrapped[:-1]) + bytes([key.wrapped[-1] ^ 1]))
            process(keys=(OLD,))
            with pytest.raises(CannotOpen):
                unseal(sealed, PLACE)
        with inside(two):
            carried = DataKey.objects.create(id=key.id, number=1, wrapped=key.wrapped, wrapped_by=key.wrapped_by)
            for use in (lambda: unseal(sealed, PLACE), lambda: rewrap(carried)):
                with pytest.raises(CannotOpen):
                    use()

    def test_are_named_without_being_told(self, here, process):
        process(keys=(OLD,))
        seal(b"text", PLACE)
        name = DataKey.objects.get().wrapped_by
        process(keys=(NEW,))
        with pytest.raises(VaultClosed, match=name) as closed:
            seal(b"text", PLACE)
        assert all(key.hex() not in str(closed.value) for key in (OLD, NEW))


class TestTheEnvironment:
    def test_gives_keys_with_commas_between(self, monkeypatch):
        monkeypatch.setenv("HANDRAIL_VAULT_KEY", ",".join(base64.b64encode(key).decode() for key in (NEW, OLD)))
        assert read_env().vault_keys == (NEW, OLD)
        assert NEW.hex() not in repr(read_env())
        assert "vault_keys" not in repr(read_env())

    def test_may_give_none(self, monkeypatch):
        monkeypatch.delenv("HANDRAIL_VAULT_KEY")
        assert read_env().vault_keys == ()

    @pytest.mark.parametrize(
        "wrong", ["marmalade", base64.b64encode(NEW[:16]).decode(), "ü" * 44], ids=["nonsense", "too short", "no ASCII"]
    )
    def test_is_refused_without_repeating_the_key(self, monkeypatch, wrong):
        monkeypatch.setenv("HANDRAIL_VAULT_KEY", wrong)
        with pytest.raises(EnvError, match="HANDRAIL_VAULT_KEY must be 32 random bytes in base64") as refused:
            read_env()
        assert wrong not in str(refused.value)

    def test_of_the_owners_commands_has_no_key(self):
        done = handrail("shell", "-c", "from django.conf import settings; print(settings.VAULT_KEYS)")
        assert done.stdout.splitlines()[-1:] == ["()"], done.stderr


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms(amazon: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", amazon)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
    aws.client.cache_clear()
    yield aws.client("kms", "eu-west-2", "")
    aws.client.cache_clear()


@pytest.fixture
def arn(kms: Any) -> str:
    made: str = kms.create_key()["KeyMetadata"]["Arn"]
    return made


@pytest.mark.django_db
class TestKeysOfKms:
    def test_wrap_and_unwrap_under_each_of_their_names(self, here, process, kms, arn):
        kms.create_alias(AliasName=(alias := f"alias/{secrets.token_hex(4)}"), TargetKeyId=arn)
        process(kms=arn)
        sealed = seal(b"text", PLACE)
        for name in (arn, arn.split("/")[1], alias):
            process(kms=name)
            assert unseal(sealed, PLACE) == b"text"
            rewrap(DataKey.objects.get())
            assert DataKey.objects.get().wrapped_by == arn

    def test_follow_keys_of_the_environment_and_the_other_way_round(self, here, process, arn):
        process(keys=(OLD,))
        sealed = seal(b"text", PLACE)
        for given in ({"keys": (OLD,), "kms": arn}, {"keys": (NEW,)}):
            process(**given)
            assert unseal(sealed, PLACE) == b"text"
            rewrap(DataKey.objects.get())
        process(keys=(NEW,))
        assert DataKey.objects.get().wrapped_by.startswith("environment:")
        assert unseal(sealed, PLACE) == b"text"

    def test_do_not_unwrap_for_another_authority(self, one, two, process, arn):
        process(kms=arn)
        with inside(one):
            sealed = seal(b"text", PLACE)
            key = DataKey.objects.get()
        with inside(two):
            carried = DataKey.objects.create(id=key.id, number=1, wrapped=key.wrapped, wrapped_by=key.wrapped_by)
            for use in (lambda: unseal(sealed, PLACE), lambda: rewrap(carried)):
                with pytest.raises(CannotOpen):
                    use()

    def test_that_do_not_unwrap_close_the_vault(self, here, process, kms, arn):
        process(kms=arn)
        sealed = seal(b"text", PLACE)
        process(kms=arn)
        with Stubber(kms) as amazon, pytest.raises(VaultClosed, match="AWS KMS refused: DisabledException"):
            amazon.add_client_error("decrypt", "DisabledException")
            unseal(sealed, PLACE)

    def test_that_are_not_there_close_the_vault(self, here, process, kms):
        process(kms="no-such-key")
        with pytest.raises(VaultClosed, match="AWS KMS refused: NotFoundException"):
            seal(b"text", PLACE)

    def test_close_the_vault_while_nobody_answers(self, here, process, kms, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
        aws.client.cache_clear()
        process(kms="alias/handrail")
        with pytest.raises(VaultClosed, match="AWS KMS cannot be asked: EndpointConnectionError"):
            seal(b"text", PLACE)


# -- while the vault is closed -----------------------------------------------------------------------------


class Notes(Door):
    """Shows what is noted about a child, and takes more."""

    permission = PUBLIC

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(" ".join(note.text for note in Note.objects.all()))

    def post(self, request: HttpRequest) -> HttpResponse:
        AuthoritySettings.objects.create()
        keep(request.FILES["file"], name="Poppy.pdf", content_type="x/y", by=CLOCK, at=request.now, sealed=True)  # type: ignore[attr-defined, arg-type]
        return HttpResponse("kept")


class Titles(Door):
    """Lists notes, and nothing that they say."""

    permission = PUBLIC

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(" ".join(note.title for note in Note.objects.all()))


urlpatterns = [
    path("test-notes/", Notes.as_view()),
    path("test-titles/", Titles.as_view()),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.mark.django_db
@pytest.mark.usefixtures("notes_table")
class TestWhileItIsClosed:
    @pytest.fixture
    def client(self, settings: Any, one: Any, tmp_path: Any) -> Client:
        settings.ROOT_URLCONF, settings.DOCUMENT_STORE = sys.modules[__name__], tmp_path
        with inside(one):
            Note.objects.create(title="marmalade", text="Poppy has epilepsy")
        return Client(HTTP_HOST=one.host)

    @pytest.fixture(params=["no key", "another key"])
    def closed(self, request: Any, client: Client, process: Any) -> None:
        process(keys=() if request.param == "no key" else (NEW,))

    def test_a_page_that_needs_it_says_so(self, client, closed, caplog):
        answer = client.get("/test-notes/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "300")
        assert '<h1 class="govuk-heading-l">Health records cannot be opened just now</h1>' in answer.text
        assert "handrail.css" in answer.text
        assert not any(word in answer.text for word in ("Poppy", "epilepsy", "marmalade", "HANDRAIL"))
        [line] = [each for each in caplog.records if each.name == "handrail.core.middleware"]
        assert line.levelname == "ERROR"

    def test_nothing_is_written(self, client, closed, one, tmp_path):
        answer = client.post("/test-notes/", {"file": SimpleUploadedFile("Poppy.pdf", b"epilepsy")})
        assert answer.status_code == 503
        with inside(one):
            assert not AuthoritySettings.objects.exists()
            assert not Document.objects.exists()
        assert not [each for each in tmp_path.rglob("*") if each.is_file()]

    def test_everything_else_is_there(self, client, closed):
        assert client.get("/test-titles/").text == "marmalade"
        assert client.get("/help/").status_code == 200
        assert client.get("/sign-in/").status_code == 200

    def test_messages_still_go(self, closed, one, on, at, tmp_path):
        post = Scripted(tmp_path / "book")
        with inside(one):
            recorded_policy(SchoolFactory(head_email=""), next_review_on=on)
            owe_review_reminders(on=on, at=at)
        assert send(one, provider=post, at=at + timedelta(minutes=1)) == 1
        with inside(one):
            assert [each.recipient for each in Notice.objects.filter(state="accepted")] == [post.taken()[0][1]]

    def test_the_same_pages_work_when_it_is_open(self, client, one):
        assert client.get("/test-notes/").text == "Poppy has epilepsy"
        assert client.post("/test-notes/", {"file": SimpleUploadedFile("Poppy.pdf", b"x")}).text == "kept"
        with inside(one):
            assert b"".join(download(Document.objects.get()).streaming_content) == b"x"  # type: ignore[attr-defined]
