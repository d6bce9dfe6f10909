"""A cycle of returns that asks about the allergy safety policy, and schools that answer it."""

from dataclasses import replace
from datetime import timedelta
from shutil import copytree
from types import SimpleNamespace
from typing import Any

import pytest
from factories import person

from handrail.accounts.roles import Role
from handrail.guidance import published
from handrail.guidance.published import framework
from handrail.guidance.reading import TEXTS
from handrail.returns.actions import Wanted, open_cycle, save_answers, submit
from tenants.context import inside


@pytest.fixture(autouse=True)
def pages_happen_at(monkeypatch, at):
    monkeypatch.setattr("handrail.accounts.middleware.timezone", SimpleNamespace(now=lambda: at))


@pytest.fixture
def ids():
    """The points that the cycle asks about."""
    return [each.id for each in framework("CFA-100A").of("maintained_school")]


@pytest.fixture
def cycle(one, cast, at, on):
    with inside(one):
        return open_cycle(
            school_year=2026,
            framework_ids=["CFA-100A"],
            due_on=on + timedelta(days=60),
            closes_on=on + timedelta(days=120),
            by=cast.officer,
            at=at,
        )


@pytest.fixture
def answer(one, cast, cycle, at, ids):
    """`answer({point: Wanted})` answers every point with yes but those named, at Oak School. Gives what changed."""

    def say(changes: dict[str, Wanted] | None = None, *, only: list[str] | None = None, **more: Any) -> list[str]:
        said = {each: Wanted("yes") for each in (ids if only is None else only)} | (changes or {})
        about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at} | more
        with inside(one):
            return save_answers(answers=said, **about)

    return say


@pytest.fixture
def submitted(one, cast, cycle, at, answer):
    """`submitted({point: Wanted})` answers and submits Oak School's return."""

    def made(changes: dict[str, Wanted] | None = None, **more: Any) -> Any:
        answer(changes, **more)
        more.pop("only", None)
        with inside(one):
            return submit(**{"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at} | more)

    return made


@pytest.fixture
def texts(tmp_path, monkeypatch):
    """A copy of the texts, which the test may change: `texts.read()` is the new release that has them."""
    folder = copytree(TEXTS, tmp_path / "texts")
    monkeypatch.setattr(published, "TEXTS", folder)
    yield SimpleNamespace(folder=folder, read=published.editions.cache_clear)
    published.editions.cache_clear()


@pytest.fixture
def governor(one, cast):
    with inside(one):
        return person("gus@oak.example", Role.GOVERNOR, school=cast.oak, name="Gus Governor")


@pytest.fixture
def new_edition_of(monkeypatch):
    """`new_edition_of(*requirements)` puts these in place of what the Act asks, as a new release would."""

    def come(*requirements):
        found = (*published.editions(), replace(framework("CFA-100A"), edition=2, requirements=requirements))
        monkeypatch.setattr(published, "editions", lambda: found)
        monkeypatch.setattr("handrail.returns.standing.editions", lambda: found)

    return come


@pytest.fixture
def new_edition(new_edition_of):
    """`new_edition()` changes one point of the Act, adds one and takes one away, as a new release would."""

    def come():
        first, second, *rest = framework("CFA-100A").requirements
        changed = replace(first, says=f"{first.says} It names who wrote it.")
        added = replace(second, id="ALG-ACT-99", says="The policy names the caterer.")
        new_edition_of(changed, *rest, added)
        return first.id, second.id, added.id

    return come
