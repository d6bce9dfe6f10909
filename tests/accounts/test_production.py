"""Signing in as production does it: its settings, in a process of its own."""

import json
import secrets
import subprocess
import sys
from typing import Any

import pytest
from databases import ROOT, handrail

from handrail.config.env import whole_environment

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "handrail.config.settings",
    "HANDRAIL_MODE": "production",
    "HANDRAIL_LOGIN": "app",
    "HANDRAIL_DB_SSLMODE": "prefer",
    "HANDRAIL_STORE": "/nonexistent",
    "HANDRAIL_MAIL_FROM": "handrail@handrail.example",
    "HANDRAIL_SECRET_KEY": secrets.token_urlsafe(64),
}

VISIT = """
import json, django
django.setup()
from django.test import Client
client = Client(HTTP_HOST="barsetshire.localhost")
plain = client.get("/sign-in/")
page = client.get("/sign-in/", secure=True)
file = client.get("/static/handrail/handrail.css", secure=True)
posted = client.post("/sign-in/", {"email": "nobody@barsetshire.example"}, secure=True)
from types import SimpleNamespace
from django.http import HttpResponse
from django.utils import timezone
from handrail.accounts.known_browsers import remember
from tenants.context import inside
from tenants.routing import authority_by_code
answer = HttpResponse()
with inside(authority_by_code("001")):
    remember("nobody@barsetshire.example", request=SimpleNamespace(COOKIES={}, now=timezone.now()), answer=answer)
known = {each.key: {name: value for name, value in each.items() if value} for each in answer.cookies.values()}
print(json.dumps({
    "known": known,
    "plain": [plain.status_code, plain["Location"]],
    "page": page.status_code,
    "headers": dict(page.headers),
    "file": [file.status_code, file.get("Cross-Origin-Resource-Policy")],
    "posted": posted.status_code,
    "cookies": {each.key: {name: value for name, value in each.items() if value} for each in client.cookies.values()},
}))
"""


def test_djangos_own_checks_find_nothing_unknown():
    done = handrail("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "System check identified no issues (1 silenced)" in done.stdout + done.stderr


def test_loopback_is_never_asked():
    done = handrail("check", **PRODUCTION, HANDRAIL_ALLOWS_LOOPBACK="yes")
    assert done.returncode != 0
    assert "HANDRAIL_ALLOWS_LOOPBACK is for tests and the demo, not for production" in done.stderr


@pytest.fixture(scope="class")
def visit(django_db_setup: None) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", VISIT],
        env={**whole_environment(), **PRODUCTION},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.django_db(transaction=True)
class TestAVisit:
    def test_is_moved_to_https(self, visit):
        assert visit["plain"] == [301, "https://barsetshire.localhost/sign-in/"]
        assert (visit["page"], visit["posted"]) == (200, 302)

    def test_gets_cookies_of_its_host_alone(self, visit):
        flags = {"path": "/", "secure": True, "httponly": True, "samesite": "Lax"}
        assert visit["cookies"] == {"__Host-session": flags, "__Host-csrf": flags}
        [(name, known)] = visit["known"].items()
        assert name == "__Host-known"
        assert {each: known[each] for each in flags} == flags
        assert "domain" not in known

    def test_gets_headers_that_forbid_the_rest(self, visit):
        headers = visit["headers"]
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "no-store" in headers["Cache-Control"]
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"

    def test_gets_a_browser_that_does_nothing_for_the_page_but_passkeys(self, visit):
        allowed = dict(each.split("=") for each in visit["headers"]["Permissions-Policy"].split(", "))
        passkeys = {"publickey-credentials-create", "publickey-credentials-get"}
        assert {name for name, sites in allowed.items() if sites == "(self)"} == passkeys
        assert {sites for name, sites in allowed.items() if name not in passkeys} == {"()"}
        assert {"camera", "geolocation", "microphone", "payment", "usb"} <= set(allowed)

    def test_gets_files_that_no_other_site_can_show(self, visit):
        assert visit["file"] == [200, "same-origin"]
