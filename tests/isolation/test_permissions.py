"""The table of roles, held against every address: what it allows is answered and what it does not is refused."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from factories import AT, Cast, person
from isolation.walk import CANARY, CHILD, PACKAGES_OWN, Answer, Place, ask, places, plant

from handrail.accounts.roles import PERMISSIONS, Permission, Role
from handrail.core.access import PUBLIC, SIGNED_IN
from handrail.core.models import ReadEntry
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db

METHODS = ("get", "post")
FOUND = {200, 302, 304, 400, 405}
"""A door that let the person in: it may still say that nothing was chosen, or that it takes another method."""


@pytest.fixture(autouse=True)
def demo(settings: Any, tmp_path: Any) -> None:
    settings.IS_DEMO = True
    settings.DOCUMENT_STORE = tmp_path


@pytest.fixture
def rows(cast: Cast, one: Any, two: Any) -> dict[str, Any]:
    """Those of Oak School, by argument name."""
    plant(one, cast.elm, "elm")
    plant(two, cast.far, "far")
    return plant(one, cast.oak, "oak")


@pytest.fixture
def planted(rows: dict[str, Any]) -> list[Place]:
    return places(rows)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[ReadEntry]:
    """What was recorded of who was shown a child. The walk undoes what a request writes: this is from before that."""
    found: list[ReadEntry] = []
    real = ReadEntry.save

    def save(self: ReadEntry, *args: Any, **kwargs: Any) -> None:
        real(self, *args, **kwargs)
        found.append(self)

    monkeypatch.setattr(ReadEntry, "save", save)
    return found


def holder(role: Role, school: Any, authority: Any) -> Any:
    """Somebody with this role and no other, at the school where it is one at a school. Call outside a door."""
    with inside(authority):
        child = None
        if role.is_about_one_child:
            child = Pupil.objects.create(school=school, name="A Child", born_on=date(2016, 5, 1), joined_on=AT.date())
        return person(
            f"{role}@{school.urn}.example", role, school=None if role.is_at_authority else school, pupil=child
        )


def doors(planted: list[Place]) -> list[tuple[Place, str]]:
    """The places that have a permission, with it."""
    return [(each, each.address.view.permission) for each in planted if each.address.name not in PACKAGES_OWN]


def open_to(role: Role, permission: str) -> bool:
    return permission in (PUBLIC, SIGNED_IN) or permission in PERMISSIONS[role]


SEE_A_CHILD = {
    Role.SCHOOL_LEAD,
    Role.SCHOOL_ADMINISTRATOR,
    Role.SETTING_LEAD,
    Role.SETTING_TEACHER,
    Role.NAMED_OFFICER,  # whom a school has reported
    Role.DATA_PROTECTION_LEAD,  # in the reasons that officers give
}
"""The roles that some page shows a child to, other than the one whom they were asked about."""


def shows_a_child(answer: Answer) -> bool:
    return f"{CANARY}oak{CHILD}" in answer.text


def answers(client: Client, place: Place) -> list[tuple[str, Answer]]:
    return [(method, ask(client, method, place.path)) for method in METHODS]


@pytest.mark.parametrize("role", Role)
class TestEveryRole:
    def test_is_let_in_where_the_table_says_so_and_each_look_at_a_child_is_recorded(
        self,
        role: Role,
        rows: dict[str, Any],
        planted: list[Place],
        cast: Cast,
        one: Any,
        browse: Any,
        noted: list[ReadEntry],
    ) -> None:
        somebody = holder(role, cast.oak, one)
        client, wrong, looks = browse(somebody), [], 0
        for place, permission in doors(planted):
            for method in METHODS:
                noted.clear()
                answer = ask(client, method, place.path)
                refused = answer.status == 403
                if answer.status >= 500 or refused == open_to(role, permission):
                    wrong.append(f"{method} {place.path} ({permission}) gave {answer.status}")
                if shows_a_child(answer):
                    looks += 1
                    if not any(rows["child_id"] in each.child_ids and each.by == somebody.id for each in noted):
                        wrong.append(f"{method} {place.path} ({permission}) shows a child and does not record it")
        assert wrong == []
        assert bool(looks) == (role in SEE_A_CHILD)

    def test_finds_nothing_of_another_school(
        self, role: Role, planted: list[Place], cast: Cast, one: Any, browse: Any
    ) -> None:
        """Roles at the authority see all of its schools; of those at a school nobody sees another."""
        if role.is_at_authority:
            pytest.skip("a role at the authority")
        client = browse(holder(role, cast.elm, one))
        wrong = []
        for place, _ in doors(planted):
            for method, answer in answers(client, place):
                if (place.names_a_row and answer.status in FOUND - {405}) or f"{CANARY}oak" in answer.text:
                    wrong.append(f"{method} {place.path} gave {answer.status}")
        assert wrong == []


class TestSomebodyOfAnotherAuthority:
    def test_is_nobody_whatever_their_role(
        self, planted: list[Place], cast: Cast, one: Any, two: Any, browse: Any
    ) -> None:
        """Which role it is cannot matter: no session of another authority is read at all."""
        client = browse(holder(Role.SCHOOL_LEAD, cast.far, two), authority=two)
        client.defaults["HTTP_HOST"] = one.host
        wrong = []
        for place, permission in doors(planted):
            for method, answer in answers(client, place):
                led_away = answer.status == 302 and answer.leads_to.startswith("/sign-in/")
                if permission != PUBLIC and not led_away:
                    wrong.append(f"{method} {place.path} gave {answer.status}")
                if f"{CANARY}oak" in answer.text:
                    wrong.append(f"{method} {place.path} shows a row")
        assert wrong == []


class TestTheTable:
    def test_names_every_role_and_uses_every_permission(self) -> None:
        assert set(PERMISSIONS) == set(Role)
        assert set().union(*PERMISSIONS.values()) == set(Permission)

    def test_lets_nobody_at_the_authority_see_a_child(self) -> None:
        of_children = {
            Permission.SEE_CHILDREN,
            Permission.EDIT_CHILDREN,
            Permission.SEE_EMERGENCY,
            Permission.SEE_PLANS,
            Permission.EDIT_PLANS,
            Permission.SEE_READS,
            Permission.KEEP_CHILD_RIGHTS,
            Permission.KEEP_INCIDENTS,
            Permission.SEE_HANDOVERS,
            Permission.ADMIT_CHILDREN,
            Permission.HAND_OVER,
            Permission.MAKE_RETURNS,
        }
        assert [role for role in Role if role.is_at_authority and PERMISSIONS[role] & of_children] == []


class TestSomebodyWithTwoRoles:
    """A lead at Oak School who is a governor at Elm School."""

    @pytest.fixture
    def both(self, cast: Cast, one: Any) -> Any:
        with inside(one):
            person(cast.head.email, Role.GOVERNOR, school=cast.elm)
        return cast.head

    @pytest.fixture
    def both_schools(self, cast: Cast, one: Any) -> dict[str, list[Place]]:
        return {
            "lead": places(plant(one, cast.oak, "oak")),
            "governor": places(plant(one, cast.elm, "elm")),
        }

    def test_may_at_each_school_what_the_role_there_allows(
        self, both: Any, both_schools: dict[str, list[Place]], browse: Any
    ) -> None:
        client = browse(both)
        [mine] = [each for each in both_schools["lead"] if each.address.name == "schools:contacts"]
        [theirs] = [each for each in both_schools["governor"] if each.address.name == "schools:contacts"]
        assert [ask(client, "get", mine.path).status, ask(client, "get", theirs.path).status] == [200, 404]
        [record] = [each for each in both_schools["governor"] if each.address.name == "overview:school"]
        assert ask(client, "get", record.path).status == 200
