"""Every box of every page with far more in it than belongs there: words in return, and nothing half-done."""

from typing import Any

import pytest
from django.test import Client
from factories import Cast, person
from isolation.walk import BOX, OPENER, Place, filled, main_of, places, plant, undone

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry
from tenants.context import inside

pytestmark = pytest.mark.django_db

LONG = "x" * 100_000
"""Little enough that all of a page's boxes together reach the form."""

TOO_LONG = "x" * 5_000_000


@pytest.fixture(autouse=True)
def demo(settings: Any, tmp_path: Any) -> None:
    settings.IS_DEMO = True
    settings.DOCUMENT_STORE = tmp_path


@pytest.fixture
def forms(cast: Cast, one: Any, browse: Any) -> list[tuple[Client, Place, str]]:
    """Each page with a form, by somebody who may open it, as it looks."""
    found = places(plant(one, cast.oak, "oak"))
    with inside(one):
        named = User.objects.get(email=OPENER.format("oak"))
        reviewer = person("reviewer@barsetshire.example", Role.DATA_PROTECTION_LEAD)
    clients = [browse(each) for each in (cast.head, cast.admin, named, reviewer)] + [browse()]
    looks = []
    for place in found:
        for client in clients:
            answer = client.get(place.path)
            is_page = answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
            if is_page and BOX.search(main_of(answer.text)):
                looks.append((client, place, main_of(answer.text)))
                break
    return looks


class TestEveryBox:
    def test_with_too_much_in_it_is_answered_in_words_and_changes_nothing(self, forms: Any, one: Any) -> None:
        wrong = []
        with inside(one):
            before = AuditEntry.objects.count()
        for client, place, page in forms:
            with undone():
                answer = client.post(place.path, filled(page, LONG))
            if answer.status_code >= 500:
                wrong.append(f"{place.path} ({place.address.name}) gave {answer.status_code}")
            answer = client.post(place.path, {BOX.findall(page)[0]: TOO_LONG})
            # What has a form to narrow a list takes none that is sent.
            if answer.status_code != 405 and not (answer.status_code == 413 and "is too large" in answer.text):
                wrong.append(f"{place.path} ({place.address.name}) gave {answer.status_code} for five megabytes")
        with inside(one):
            assert AuditEntry.objects.count() == before
        assert len(forms) > 25
        assert wrong == []
