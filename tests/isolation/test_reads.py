"""Without a record of it no page shows a child. That each leaves one is held in the walk of test_permissions.py."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from factories import Cast
from isolation.test_permissions import shows_a_child
from isolation.walk import CANARY, CHILD, ask, places, plant

from handrail.config import urls
from handrail.core.access import SIGNED_IN, Door
from handrail.core.models import ReadEntry
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings: Any, tmp_path: Any) -> None:
    settings.IS_DEMO = True
    settings.DOCUMENT_STORE = tmp_path


@pytest.fixture
def planted(cast: Cast, one: Any, two: Any) -> dict[str, Any]:
    plant(one, cast.elm, "elm")
    plant(two, cast.far, "far")
    return plant(one, cast.oak, "oak")


class TestEveryPageThatShowsAChild:
    def test_shows_nothing_when_the_record_cannot_be_written(
        self, planted: dict[str, Any], cast: Cast, one: Any, browse: Any, monkeypatch: Any
    ) -> None:
        client = browse(cast.head)
        client.raise_request_exception = False
        doors = [each for each in places(planted) if getattr(each.address.view, "shows_child", False)]
        before = {place.path: ask(client, "get", place.path).status for place in doors}
        monkeypatch.setattr("handrail.core.audit.ReadEntry.objects.create", refuse)
        wrong = []
        for place in doors:
            for method in ("get", "post"):
                answer = ask(client, method, place.path)
                if shows_a_child(answer) or answer.status == 200:
                    wrong.append(f"{method} {place.path} gave {answer.status}")
            if before[place.path] == 200 and ask(client, "get", place.path).status != 500:
                wrong.append(f"get {place.path} did not try to record")
        assert doors
        assert wrong == []


def refuse(**_: Any) -> None:
    raise RuntimeError("the record is broken")


class Forgetful(Door):
    """Shows a child and forgets to say so."""

    permission, shows_child = SIGNED_IN, True

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(Pupil.objects.values_list("name")[:1], status=int(request.GET.get("status", 200)))


class Conf:
    def __init__(self, *more: Any) -> None:
        self.urlpatterns = [*more, *urls.urlpatterns]
        self.handler404, self.handler500 = urls.handler404, urls.handler500


class TestADoorThatForgets:
    @pytest.mark.parametrize("status", [200, 201, 400, 409, 422, 429])
    def test_is_refused(self, settings: Any, planted: Any, cast: Cast, browse: Any, status: int) -> None:
        settings.ROOT_URLCONF = Conf(path("x/", Forgetful.as_view(), name="x"))
        client: Client = browse(cast.head)
        client.raise_request_exception = False
        answer = client.get("/x/", {"status": status})
        assert answer.status_code == 500
        assert CANARY not in answer.content.decode()

    @pytest.mark.parametrize("status", [302, 403, 404])
    def test_may_lead_on_or_refuse(self, settings: Any, planted: Any, cast: Cast, browse: Any, status: int) -> None:
        settings.ROOT_URLCONF = Conf(path("x/", Forgetful.as_view(), name="x"))
        assert browse(cast.head).get("/x/", {"status": status}).status_code == status


@pytest.mark.django_db(transaction=True)
class TestTheDatabase:
    """What PostgreSQL does not write down is not shown."""

    @pytest.mark.parametrize(
        "broken",
        [
            "REVOKE INSERT ON {0}.core_readentry FROM {0}",
            "CREATE FUNCTION {0}.lose() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RAISE EXCEPTION ''full''; END'; "
            "CREATE TRIGGER lose BEFORE INSERT ON {0}.core_readentry EXECUTE FUNCTION {0}.lose()",
            "CREATE FUNCTION {0}.lose() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RAISE EXCEPTION ''at the end''; END'; "
            "CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON {0}.core_readentry DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION {0}.lose()",
        ],
        ids=["privilege", "insert", "commit"],
    )
    def test_refuses_the_row_and_so_the_page(
        self, planted: dict[str, Any], cast: Cast, one: Any, browse: Any, owner_sql: Any, broken: str
    ) -> None:
        client: Client = browse(cast.head)
        client.raise_request_exception = False
        page = f"/children/{planted['child_id']}/"
        assert f"{CANARY}oak{CHILD}" in client.get(page).content.decode()
        owner_sql(broken.format(one.schema_name))
        for answer in (client.get(page), client.post("/schools/900001/children/", {"letters": "canary"})):
            assert answer.status_code == 500
            assert CANARY not in answer.content.decode()
        with inside(one):
            assert ReadEntry.objects.count() == 1
