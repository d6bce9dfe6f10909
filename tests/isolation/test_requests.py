"""The door around a request: which host opens which, and what every kind of failure leaves behind."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import as_superuser, connected
from django.db import connection
from django.test import Client
from factories import SchoolFactory, person, sign_in
from isolation.misbehaving import WRONG

import handrail
from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.core.models import AuthoritySettings
from handrail.schools.models import School
from tenants.context import inside
from tenants.errors import NobodyBound
from tenants.routing import Authority, authority_by_code

pytestmark = pytest.mark.urls("isolation.misbehaving")


@pytest.fixture
def planted(real: str) -> Iterator[tuple[Authority, Authority]]:
    """A school in each authority, really committed, and one person in the first."""
    both = authority_by_code("001"), authority_by_code("002")
    for authority in both:
        with inside(authority):
            AuthoritySettings.objects.all().delete()
            School.objects.all().delete()
            SchoolFactory(name=f"canary of {authority.code}")
    yield both
    for authority in both:
        with inside(authority):
            School.objects.all().delete()
            AuthoritySettings.objects.all().delete()


@pytest.fixture
def client(planted: tuple[Authority, Authority]) -> Client:
    """Of authority one, not signed in; a fault is a 500, as a browser sees it."""
    return Client(HTTP_HOST=planted[0].host, raise_request_exception=False)


def settings_rows(authority: Authority) -> int:
    with inside(authority):
        return AuthoritySettings.objects.count()


class TestHosts:
    def test_a_host_opens_its_own_authority(self, client: Client, planted: tuple[Authority, Authority]) -> None:
        for authority in planted:
            answer = client.get("/whoami/", headers={"host": authority.host})
            assert answer.content.decode() == f"{authority.code} {authority.schema_name}"

    @pytest.mark.parametrize("written", ["{}:8000", "{}.", "{}.:443"])
    def test_a_port_and_a_final_dot_change_nothing(self, client: Client, planted: Any, written: str) -> None:
        assert client.get("/well/", headers={"host": written.format(planted[0].host)}).content == b"canary of 001"

    def test_capitals_change_nothing(self, client: Client, planted: Any) -> None:
        assert client.get("/well/", headers={"host": planted[0].host.upper()}).content == b"canary of 001"

    @pytest.mark.parametrize(
        "host",
        [
            "elsewhere.example",
            "localhost",
            "127.0.0.1:8000",
            "[::1]",
            "[::1]:8000",
            "public",
            "sub.barsetshire.localhost",
            "barsetshire.localhost.elsewhere.example",
            "barsetshire.localhost..",
            ".barsetshire.localhost",
        ],
    )
    def test_an_unknown_host_is_404(self, client: Client, host: str) -> None:
        answer = client.get("/well/", headers={"host": host})
        assert answer.status_code == 404
        assert b"canary" not in answer.content

    @pytest.mark.parametrize(
        "host",
        [
            "",
            "la_template0",
            "barsetshire.localhost:port",
            "barsetshire.localhost, borchester.localhost",
            "barsetshire.localhost@borchester.localhost",
            "barsetshire.localhost/",
            "b\u0430rsetshire.localhost",
            "barsetshire.localhost\x00",
            "' OR true --",
        ],
    )
    def test_a_malformed_host_is_400(self, client: Client, host: str) -> None:
        answer = client.get("/well/", HTTP_HOST=host, SERVER_NAME=host)
        assert answer.status_code == 400
        assert b"canary" not in answer.content

    @pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"])
    def test_no_other_header_names_the_authority(self, client: Client, planted: Any, header: str) -> None:
        value = f"host={planted[1].host}" if header == "Forwarded" else planted[1].host
        assert client.get("/well/", headers={header: value}).content == b"canary of 001"

    @pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "delete", "trace"])
    def test_every_method_goes_through_the_door(self, client: Client, method: str) -> None:
        ask: Callable[..., Any] = getattr(client, method)
        assert ask("/whoami/").status_code == 200
        assert ask("/whoami/", headers={"host": "elsewhere.example"}).status_code == 404

    def test_health_is_answered_without_an_authority(self, client: Client) -> None:
        answer = client.get("/health/", headers={"host": "10.0.0.7:8000"})
        assert (answer.status_code, answer.content) == (200, b"ok")

    def test_health_tells_of_a_database_that_is_away(self, client: Client, monkeypatch: Any) -> None:
        with connected("there_is_no_such_database"):
            assert client.get("/health/").status_code == 500

    def test_one_authoritys_session_is_nobodys_at_the_other(self, client: Client, planted: Any) -> None:
        one, two = planted
        with inside(one):
            sign_in(client, User.objects.get())
        assert client.get("/signed-in-as/").content != b"AnonymousUser"
        assert client.get("/signed-in-as/", headers={"host": two.host}).content == b"AnonymousUser"


class TestWhoIsServed:
    @pytest.fixture
    def set_register(self, planted: Any, real: str) -> Iterator[Callable[[str], None]]:
        with as_superuser(real) as admin:

            def change(assignment: str) -> None:
                admin.execute(f"UPDATE public.tenants_localauthority SET {assignment} WHERE code = '001'")

            version = planted[0].schema_version
            yield change
            change(f"state = 'active', schema_version = {version}")

    def test_a_suspended_authority_is_404_and_a_resumed_one_is_back(self, client: Client, set_register: Any) -> None:
        set_register("state = 'suspended'")
        assert client.get("/well/").status_code == 404
        set_register("state = 'active'")
        assert client.get("/well/").status_code == 200

    def test_an_authority_one_migration_behind_is_told_so(self, client: Client, set_register: Any) -> None:
        set_register("schema_version = schema_version - 1")
        answer = client.get("/well/")
        assert answer.status_code == 503
        assert "You can use it again in a few minutes" in answer.content.decode()
        assert client.get("/well/", headers={"host": "borchester.localhost"}).status_code == 200

    @pytest.mark.parametrize(
        ("assignment", "status", "says"),
        [
            ("state = 'suspended'", 404, "No authority has this address."),
            ("schema_version = schema_version - 1", 503, "Ask again in a few minutes."),
        ],
    )
    def test_a_program_is_told_in_problem_details(
        self, client: Client, set_register: Any, assignment: str, status: int, says: str
    ) -> None:
        set_register(assignment)
        answer = client.get("/api/v1/schools")
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
        said = json.loads(answer.content)
        assert (said["status"], said["instance"]) == (status, f"urn:uuid:{answer['X-Request-ID']}")
        assert says in said["detail"]
        assert answer.get("Retry-After") == ("120" if status == 503 else None)
        assert client.get("/well/")["Content-Type"].startswith("text/html")

    def test_a_program_at_an_unknown_host_is_told_in_problem_details(self, client: Client) -> None:
        answer = client.get("/api/v1/schools", headers={"host": "elsewhere.example"})
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    def test_a_suspended_authority_that_is_behind_is_404(self, client: Client, set_register: Any) -> None:
        set_register("state = 'suspended', schema_version = 0")
        assert client.get("/well/").status_code == 404


class TestFailures:
    @pytest.mark.parametrize("status", [200, 302, 404])
    def test_an_answer_keeps_what_was_written(self, client: Client, planted: Any, status: int) -> None:
        answer = client.get(f"/write/{status}/")
        assert answer.status_code == status
        assert settings_rows(planted[0]) == 1
        assert answer.cookies

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_server_error_undoes_it_and_sets_no_cookie(self, client: Client, planted: Any, status: int) -> None:
        answer = client.get(f"/write/{status}/")
        assert answer.status_code == status
        assert settings_rows(planted[0]) == 0
        assert not answer.cookies

    @pytest.mark.parametrize("address", WRONG)
    def test_every_mistake_is_a_500_with_our_page_and_writes_nothing(
        self, client: Client, planted: Any, address: str
    ) -> None:
        one, two = planted
        with inside(one):
            officer = User.objects.filter(email="officer@barsetshire.example").first()
            sign_in(client, officer or person("officer@barsetshire.example", Role.POLICY_OFFICER))
        answer = client.get(f"/{address}")
        assert answer.status_code == 500
        assert "Sorry, there is a problem with the service" in answer.content.decode()
        assert settings_rows(one) == settings_rows(two) == 0
        assert client.get("/well/", headers={"host": two.host}).content == b"canary of 002"
        assert client.get("/well/").content == b"canary of 001"

    def test_a_query_after_the_commit_is_refused(self, client: Client, planted: Any) -> None:
        assert client.get("/query-after-the-commit/").status_code == 500
        assert settings_rows(planted[0]) == 0
        assert client.get("/well/").status_code == 200

    def test_a_query_while_the_answer_is_streamed_is_refused(self, client: Client) -> None:
        answer = client.get("/stream/")
        with pytest.raises(NobodyBound):
            b"".join(answer.streaming_content)
        assert client.get("/well/").content == b"canary of 001"

    def test_a_connection_lost_between_requests_is_replaced(self, client: Client, real: str) -> None:
        assert client.get("/well/").status_code == 200
        with as_superuser(real) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = 'handrail_app'",
                (real,),
            )
        connection.close_if_unusable_or_obsolete()  # as Django does when a request begins
        assert client.get("/well/").content == b"canary of 001"


def test_nothing_that_rests_on_one_thread_is_used() -> None:
    """No async view, no thread of our own, no cached page or query: each could outlive its authority."""
    banned = re.compile(
        r"async def|sync_to_async|ThreadPoolExecutor|threading\.Thread|cache_page|GenericForeignKey|contrib\.sites"
        r"|CONN_MAX_AGE\": None|SESSION_COOKIE_DOMAIN|CSRF_COOKIE_DOMAIN|USE_X_FORWARDED_HOST"
    )
    root = Path(handrail.__path__[0])
    found = [
        f"{path.name}: {match.group()}"
        for folder in (root, root.parents[1] / "tenants", root.parents[1] / "workflows")
        for path in folder.rglob("*.py")
        for match in banned.finditer(path.read_text())
    ]
    assert found == []
