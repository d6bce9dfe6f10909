"""Error pages, each through a real request: what they say, what they do not repeat, and that they ask nothing."""

import sys
from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from handrail.config import urls
from handrail.core.access import PUBLIC, Door
from handrail.core.models import AuthoritySettings
from tenants.context import inside

pytestmark = pytest.mark.django_db

ECHO = "<script>marmalade</script>"


class Fail(Door):
    permission = PUBLIC

    def get(self, request: HttpRequest) -> HttpResponse:
        raise RuntimeError(ECHO)


def lose_the_connection(request: HttpRequest) -> HttpResponse:
    """The database breaks in the middle: nothing can be asked of it any more."""
    AuthoritySettings.objects.create()
    connection.cursor().execute("SELECT marmalade")
    return HttpResponse()


class Refuse(Door):
    permission = PUBLIC

    def get(self, request: HttpRequest) -> HttpResponse:
        raise PermissionDenied(ECHO)


class Complain(Door):
    permission = PUBLIC

    def get(self, request: HttpRequest) -> HttpResponse:
        raise BadRequest(ECHO)


class Form(Door):
    permission = PUBLIC

    def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{len(request.FILES)} files")


urlpatterns = [
    path("test-fail/", Fail.as_view()),
    path("test-lose/", lose_the_connection),
    path("test-refuse/", Refuse.as_view()),
    path("test-complain/", Complain.as_view()),
    path("test-form/", Form.as_view()),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.fixture
def client(settings: Any, one: Any) -> Client:
    settings.ROOT_URLCONF = sys.modules[__name__]
    return Client(HTTP_HOST=one.host, raise_request_exception=False)


def is_in_our_look(answer: Any) -> bool:
    return "handrail.css" in answer.text and "Not a GOV.UK service" in answer.text


class TestErrorPages:
    @pytest.mark.parametrize(
        ("address", "status", "heading"),
        [
            ("/test-complain/", 400, "There is a problem with that request"),
            ("/test-refuse/", 403, "You cannot see this page"),
            ("/test-marmalade/", 404, "Page not found"),
            ("/test-form/", 405, "This page cannot be used in that way"),
            ("/test-fail/", 500, "Sorry, there is a problem with the service"),
            ("/test-lose/", 500, "Sorry, there is a problem with the service"),
        ],
    )
    def test_says_what_to_do_and_repeats_nothing(self, client, address, status, heading):
        answer = client.get(address + "?q=marmalade")
        assert answer.status_code == status
        assert f'<h1 class="govuk-heading-l">{heading}</h1>' in answer.text
        assert is_in_our_look(answer)
        assert "marmalade" not in answer.text
        assert "Barsetshire" not in answer.text

    def test_says_which_methods_a_page_knows(self, client):
        assert client.get("/test-form/")["Allow"] == "POST"

    def test_undoes_everything_when_the_service_fails(self, client, one):
        client.get("/test-lose/")
        with inside(one):
            assert not AuthoritySettings.objects.exists()

    @pytest.mark.parametrize("address", ["/test-refuse/", "/test-marmalade/", "/test-fail/", "/test-complain/"])
    def test_asks_nothing_of_the_database(self, client, address, cast, one, django_assert_num_queries):
        with inside(one):
            client.force_login(cast.head)
        with django_assert_num_queries(2):  # the session notes that it is in use
            client.get(address)

    def test_explains_a_form_that_was_open_too_long(self, client):
        client.handler.enforce_csrf_checks = True
        answer = client.post("/test-form/", {"name": "marmalade"})
        assert answer.status_code == 403
        assert "This form was open for too long" in answer.text
        assert is_in_our_look(answer)
        assert "marmalade" not in answer.text

    def test_refuses_a_host_name_that_is_none(self, client):
        answer = client.get("/", HTTP_HOST="barsetshire localhost")
        assert answer.status_code == 400
        assert is_in_our_look(answer)


class TestWhatIsTooLarge:
    def test_is_refused_with_a_page(self, client, settings):
        settings.LARGEST_REQUEST = 10_000
        answer = client.post("/test-form/", {"file": SimpleUploadedFile("marmalade.pdf", b"x" * 10_000)})
        assert answer.status_code == 413
        assert "What you sent is too large" in answer.text
        assert is_in_our_look(answer)

    def test_is_refused_without_a_file_too(self, client):
        answer = client.post("/test-form/", {"text": "x" * 3_000_000}, content_type="text/plain")
        assert answer.status_code == 200, "a body that nobody reads harms nobody"
        answer = client.post("/test-form/", "text=" + "x" * 3_000_000, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 413

    def test_is_taken_when_it_is_not(self, client, settings):
        settings.LARGEST_REQUEST = 20_000
        answer = client.post("/test-form/", {"file": SimpleUploadedFile("policy.pdf", b"x" * 10_000)})
        assert answer.text == "1 files"


class TestAHostThatIsNoAuthoritys:
    def test_has_no_pages(self, client):
        for address in ("/", "/help/", "/sign-in/", "/test-form/", "/brand.css"):
            answer = client.get(address, HTTP_HOST="marmalade.localhost")
            assert answer.status_code == 404
            assert "There is nothing at this address" in answer.text
            assert is_in_our_look(answer)
            assert "marmalade" not in answer.text
            assert "/help/" not in answer.text


class TestAnAuthorityThatIsBehind:
    def test_is_not_served_and_says_so(self, client, monkeypatch):
        monkeypatch.setattr("tenants.routing.expected_schema_version", lambda: 10_000)
        answer = client.get("/help/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "120")
        assert "Handrail is being updated" in answer.text
        assert is_in_our_look(answer)


class TestNobodySeesABare403:
    def test_the_page_says_who_can_help(self, cast, browse, one):
        from factories import person

        from handrail.accounts.roles import Role

        with inside(one):
            person("second@barsetshire.example", Role.AUTHORITY_ADMINISTRATOR, name="Ali Khan")
        answer = browse(cast.head).get("/settings/")
        assert answer.status_code == 403
        assert "You cannot see this page" in answer.text
        assert "Ali Khan" in answer.text
        assert "who can add you" in answer.text
        assert "Hana Head" in answer.text
