"""Every form of every page with more fields than it has: what it does not name changes nothing, whoever sends it."""

import re
from binascii import crc32
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from factories import Cast, person
from isolation.test_permissions import holder
from isolation.walk import OPENER, PACKAGES_OWN, Place, main_of, places, plant, undone

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.core import vault
from handrail.reporting.api import Endpoint
from tenants.context import inside

pytestmark = pytest.mark.django_db

WORD, NUMBER, DAY = "zqcanary", "424242", "2031-07-09"
SOMEBODY = UUID(int=0x5EED)
MORE = ("id", "pk", "by", "at", "on", "authority", "tenant", "schema_name", "is_staff", "is_superuser", "permissions")
"""Names besides those of every column that we have."""

WRITES = re.compile(r'^\s*(INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
NOT_FACTS = {"accounts_session", "core_cacheentry"}
EVERY = 15
"""Without --full one place in so many is tried, and from each role with it one in three: by its name."""


class Form(HTMLParser):
    """What a browser sends of the forms of a page that lead back to it, filled in as somebody in a hurry would."""

    def __init__(self, page: str, path: str) -> None:
        super().__init__()
        self.path, self.sent, self.is_open, self.choosing = path, {}, False, ""
        self.sent: dict[str, list[str]]
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attributes}
        if tag == "form":
            self.is_open = given.get("method") == "post" and given.get("action", self.path) in ("", self.path)
        name, kind = given.get("name", ""), given.get("type", "text")
        if not self.is_open:
            return
        if tag == "select":
            self.choosing = name
        elif tag == "option" and self.choosing and given.get("value"):
            self.sent.setdefault(self.choosing, [given["value"]])
        elif tag == "textarea" and name:
            self.sent[name] = ["A few words"]
        elif tag == "input" and name and kind != "file":
            self.put(name, kind, given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self.is_open = self.is_open and tag != "form"

    def put(self, name: str, kind: str, value: str) -> None:
        if kind == "radio":
            self.sent.setdefault(name, [value])
        elif kind == "checkbox":
            self.sent.setdefault(name, []).append(value)
        else:
            self.sent[name] = [value or self.typed(name, kind)]

    def typed(self, name: str, kind: str) -> str:
        parts = {"day": "3", "month": "11", "year": "2026", "0": "3", "1": "11", "2": "2026"}
        part = re.split(r"[-_]", name)[-1]
        return parts.get(part) or ("new@oak.example" if kind == "email" else "3" if kind == "number" else "A word")


def extras(elsewhere: UUID) -> dict[str, str]:
    """A value for the name of each column of every table, that would be believed if it were read; `elsewhere` is a
    school of somebody else's.
    """
    found = dict.fromkeys(MORE, WORD)
    for model in apps.get_models():
        for each in model._meta.concrete_fields:
            for name in {each.name, each.attname}:
                found[name] = value_for(each, elsewhere)
    return found | {"school": str(elsewhere), "school_id": str(elsewhere), "role": Role.AUTHORITY_ADMINISTRATOR}


def value_for(field: Any, elsewhere: UUID) -> str:
    kind = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(field, models.ForeignKey) and field.related_model._meta.model_name == "school":
        return str(elsewhere)
    if isinstance(kind, models.UUIDField):
        return str(SOMEBODY)
    if isinstance(kind, models.BooleanField):
        return "on"
    if isinstance(kind, models.IntegerField):
        return NUMBER
    if isinstance(kind, models.DateField):
        return DAY
    return str(field.choices[-1][0]) if field.choices else WORD


def is_drawn(name: str, one_in: int) -> bool:
    return crc32(name.encode()) % one_in == 0


@pytest.fixture(autouse=True)
def demo(settings: Any, tmp_path: Any) -> None:
    settings.IS_DEMO = True
    settings.DOCUMENT_STORE = tmp_path


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sealed, in clear."""
    found: list[str] = []
    real = vault.seal

    def seal(content: bytes, place: bytes) -> bytes:
        found.append(content.decode(errors="replace"))
        return real(content, place)

    monkeypatch.setattr(vault, "seal", seal)
    return found


@pytest.fixture
def planted(cast: Cast, one: Any, full: bool) -> list[Place]:
    """The places that something can be sent to, but those of the sign-in package and of programs."""
    taken = (*PACKAGES_OWN, "accounts:end_session")  # it would end the session that the walk goes in
    found = [each for each in places(plant(one, cast.oak, "oak")) if each.address.name not in taken]
    if not full:
        found = [each for each in found if is_drawn(each.address.name, EVERY)]
    return [
        each for each in found if hasattr(each.address.view, "post") and not issubclass(each.address.view, Endpoint)
    ]


class Tried:
    """What came of one sending: how it was answered, which rows were written, and the values in them."""

    def __init__(self, client: Client, place: Place, fields: dict[str, Any], sealed: list[str]) -> None:
        sealed.clear()
        with undone(), CaptureQueriesContext(connection) as asked:
            answer = client.post(place.path, fields)
        self.status, self.leads_to = answer.status_code, re.sub(r"[0-9a-f-]{36}", "?", answer.get("Location", ""))
        found = [(match, each["sql"]) for each in asked if (match := WRITES.match(each["sql"] or ""))]
        written = [(match[2], sql) for match, sql in found if match[2] not in NOT_FACTS]
        self.rows = Counter((table, *re.findall(r"\b(true|false)\b", sql.lower())) for table, sql in written)
        self.values = " ".join([*(sql for _, sql in written), *sealed])

    @property
    def changed_something(self) -> bool:
        return bool(self.rows)

    def holds(self, value: str) -> int:
        """How often the value was written. An id is so without its hyphens."""
        return self.values.count(f"'{value}'") + self.values.count(f"'{value.replace('-', '')}'")

    def differs_from(self, other: "Tried", values: set[str]) -> str:
        if (self.status, self.leads_to) != (other.status, other.leads_to):
            return f"answers {other.status} {other.leads_to} instead of {self.status} {self.leads_to}"
        if self.rows != other.rows:
            return f"writes {other.rows - self.rows} instead of {self.rows - other.rows}"
        got_in = [each for each in values if self.holds(each) != other.holds(each)]
        got_in += [each for each in (WORD, NUMBER, DAY, SOMEBODY.hex) if each in other.values]
        return f"takes {got_in}" if got_in else ""


def tried(
    client: Client, planted: list[Place], more: dict[str, str], sealed: list[str]
) -> Iterator[tuple[Place, Tried, str]]:
    """Each place that lets the person in, what came of its own form, and how the extra fields made a difference."""
    for place in planted:
        look = client.get(place.path)
        if look.status_code in (302, 403, 404):
            continue
        is_page = look.status_code == 200 and look.headers["Content-Type"].startswith("text/html")
        own = Form(main_of(look.text), place.path).sent if is_page else {}
        extra = {name: value for name, value in more.items() if name not in own}
        alone = Tried(client, place, own, sealed)
        together = Tried(client, place, own | extra, sealed)
        yield place, alone, alone.differs_from(together, {*extra.values()} - {"on"})


class TestEveryForm:
    def walk(self, people: list[Client], planted: list[Place], more: dict[str, str], sealed: list[str]) -> set[str]:
        """The places at which something was changed. Each is tried by the first who is let in."""
        left, wrong, changed = list(planted), [], set()
        for client in people:
            for place, alone, difference in tried(client, left, more, sealed):
                left = [each for each in left if each is not place]
                if difference:
                    wrong.append(f"{place.path} ({place.address.name}) {difference}")
                if alone.changed_something:
                    changed.add(place.address.name)
        assert wrong == []
        return changed

    def test_takes_the_fields_that_it_names(
        self, cast: Cast, one: Any, planted: list[Place], browse: Any, sealed: list[str], full: bool
    ) -> None:
        with inside(one):
            named = User.objects.get(email=OPENER.format("oak"))
            lead = person("lead@barsetshire.example", Role.DATA_PROTECTION_LEAD)
        people = [browse(each) for each in (cast.head, cast.admin, named, lead)]
        assert len(self.walk(people, planted, extras(cast.elm.id), sealed)) > (25 if full else 0)

    @pytest.mark.parametrize("role", Role)
    def test_takes_them_from_each_role(
        self, role: Role, cast: Cast, one: Any, planted: list[Place], browse: Any, sealed: list[str], full: bool
    ) -> None:
        if not full:
            pytest.skip("from each role with --full")
        drawn = [each for each in planted if is_drawn(f"{role}{each.address.name}", 3)]
        self.walk([browse(holder(role, cast.oak, one))], drawn, extras(cast.elm.id), sealed)
