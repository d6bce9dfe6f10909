"""Rows for tests. Call inside a door. Everything is invented."""

from datetime import UTC, date, datetime
from typing import Any

import factory

from handrail.accounts.actions import add_person
from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.policies.models import Kind, Policy
from handrail.schools.models import School

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
TODAY = AT.date()


class SchoolFactory(factory.django.DjangoModelFactory):  # type: ignore[misc]
    class Meta:
        model = School

    urn = factory.Sequence(lambda n: f"{910000 + n}")
    name = factory.Sequence(lambda n: f"Invented Primary School {n}")
    type_code = 1
    type_name = "Community school"
    body = "maintained_school"
    phase_code = 2
    phase_name = "Primary"
    joined_on = date(2026, 9, 1)
    lead_name = "Lee Lead"
    lead_email = factory.LazyAttribute(lambda school: f"lead@{school.urn}.example")
    office_email = factory.LazyAttribute(lambda school: f"office@{school.urn}.example")
    head_name = "Harriet Head"
    head_email = factory.LazyAttribute(lambda school: f"head@{school.urn}.example")


class PolicyFactory(factory.django.DjangoModelFactory):  # type: ignore[misc]
    class Meta:
        model = Policy

    school = factory.SubFactory(SchoolFactory)
    kind = Kind.MEDICAL_CONDITIONS


def person(email: str, role: Role, *, school: School | None = None, name: str = "", on: date = TODAY) -> User:
    """A person with one role from the start of the school year, their rights dated `on`."""
    user = add_person(
        email=email,
        name=name or email.split("@")[0].title(),
        role=role,
        by=CLOCK,
        at=datetime(2026, 9, 1, 9, tzinfo=UTC),
        school_id=school.id if school else None,
    )
    return user.as_at(on)


def recorded_policy(school: School, *, next_review_on: date, **more: Any) -> Policy:
    """A policy last reviewed a year before it falls due."""
    return PolicyFactory(
        school=school,
        last_reviewed_on=next_review_on.replace(year=next_review_on.year - 1),
        next_review_on=next_review_on,
        **more,
    )
