"""Rows for tests. Call inside a door. Everything is invented."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import factory
from dateutil.relativedelta import relativedelta
from django.test import Client

from handrail.accounts import middleware
from handrail.accounts.actions import add_person
from handrail.accounts.models import Session, User
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.notices.models import Notice
from handrail.plans.emergency import Contact, Emergency, Medicine
from handrail.policies.models import Kind, Policy
from handrail.schools.models import Pupil, School
from tenants.context import inside
from tenants.database import require_bound

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
TODAY = AT.date()


A_SCHOOL: dict[str, Any] = {
    "la_code": "001",
    "la_name": "Barsetshire",
    "establishment_number": "2001",
    "name": "Overcombe School",
    "type_code": 1,
    "type_name": "Community school",
    "group_code": 4,
    "group_name": "LA maintained schools",
    "status_code": 1,
    "status_name": "Open",
    "opened_on": None,
    "closed_on": None,
    "phase_code": 2,
    "phase_name": "Primary",
    "low_age": 3,
    "high_age": 11,
    "pupils": 157,
    "capacity": 172,
    "trust_code": "",
    "trust_name": "",
    "street": "Church Lane",
    "locality": "",
    "town": "Overcombe",
    "county": "",
    "postcode": "ZZ90 9AS",
    "website": "",
    "last_changed_on": None,
}
"""A row of the register of schools, but for its URN."""


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


class PupilFactory(factory.django.DjangoModelFactory):  # type: ignore[misc]
    class Meta:
        model = Pupil

    school = factory.SubFactory(SchoolFactory)
    name = factory.Sequence(lambda n: f"Invented Child {n}")
    born_on = date(2016, 5, 1)
    year_group = "Year 5"
    class_name = "Kestrels"
    joined_on = date(2026, 9, 1)
    lives_in = factory.LazyFunction(lambda: require_bound().code)


class ContactFactory(factory.django.DjangoModelFactory):  # type: ignore[misc]
    class Meta:
        model = "schools.Contact"

    pupil = factory.SubFactory(PupilFactory)
    name = "Pat Parent"
    relation = "Mother"
    phone = "01632 960001"
    email = "pat@home.example"
    has_parental_responsibility = True
    priority = 1


class PolicyFactory(factory.django.DjangoModelFactory):  # type: ignore[misc]
    class Meta:
        model = Policy

    school = factory.SubFactory(SchoolFactory)
    kind = Kind.MEDICAL_CONDITIONS


def emergency(condition: str = "Epilepsy", **more: Any) -> Emergency:
    """An emergency plan with a line of everything."""
    said: dict[str, Any] = {
        "signs": ("Stares and does not answer.",),
        "steps": ("Stay with the child and time the seizure.", "Move away what could hurt."),
        "call_999": ("The seizure lasts longer than 5 minutes.",),
        "medicines": (Medicine("Midazolam", "5 mg in the cheek", "School office", date(2027, 3, 31)),),
        "never": ("Put anything into the mouth.",),
        "contacts": (Contact("Pat Parent", "Mother", "01632 960001"),),
    }
    return Emergency(condition=condition, **said | more)


class NoticeFactory(factory.django.DjangoModelFactory):  # type: ignore[misc]
    """A message that is due. Its subject is nothing that exists unless `subject_id` is given."""

    class Meta:
        model = Notice

    subject_kind = "policy"
    subject_id = factory.LazyFunction(uuid4)
    cycle = "2026-11-23"
    step = "before-0"
    step_on = AT.date()
    recipient = "lead@910000.example"
    recipient_role = "lead"
    wording = "policy_due"
    owed_at = AT
    not_before = AT


def person(
    email: str,
    role: Role,
    *,
    school: School | None = None,
    pupil: Pupil | None = None,
    name: str = "",
    at: datetime = AT,
) -> User:
    """A person with one role since twelve weeks before the moment `at`, their rights dated that day."""
    user = add_person(
        email=email,
        name=name or email.split("@")[0].title(),
        role=role,
        by=CLOCK,
        at=at - timedelta(weeks=12),
        school_id=school.id if school else None,
        pupil_id=pupil.id if pupil else None,
    )
    return user.as_at(at.date())


def sign_in(client: Client, user: User) -> None:
    """Sign a person in with a code and the second step, a moment ago by the pages' clock. Call inside a door."""
    client.force_login(user)
    session = client.session
    session["account_authentication_methods_user"] = str(user.id)
    session["account_authentication_methods"] = [
        {"method": "code", "at": time.time()},
        {"method": "mfa", "at": time.time(), "type": "totp"},
    ]
    session.save()
    Session.objects.filter(id=session.row_id).update(last_used_at=middleware.timezone.now())


def recorded_policy(school: School, *, next_review_on: date, **more: Any) -> Policy:
    """A policy last reviewed a year before it falls due."""
    return PolicyFactory(
        school=school,
        last_reviewed_on=next_review_on - relativedelta(years=1),
        next_review_on=next_review_on,
        **more,
    )


@dataclass
class Cast:
    """The people of the tests. Every page and action has a refused member of the cast."""

    oak: Any  # a school of authority one
    elm: Any  # another school of authority one
    admin: Any  # administrator of authority one
    officer: Any  # policy officer of authority one
    head: Any  # lead at Oak School
    colleague: Any  # another lead at Oak School
    neighbour: Any  # lead at Elm School
    far: Any  # a school of authority two
    stranger: Any  # policy officer of authority two
    hospital: Any  # lead at the school of authority two


def the_cast(one: Any, two: Any, *, at: datetime = AT) -> Cast:
    """Everybody, in both authorities, with their schools, as at a moment. Call outside a door."""
    add = partial(person, at=at)
    with inside(one):
        oak = SchoolFactory(urn="900001", name="Oak School", lead_email="head@oak.example")
        elm = SchoolFactory(urn="900002", name="Elm School", lead_email="neighbour@elm.example")
        people = {
            "admin": add("adele@barsetshire.example", Role.AUTHORITY_ADMINISTRATOR, name="Adele Admin"),
            "officer": add("officer@barsetshire.example", Role.POLICY_OFFICER, name="Olu Officer"),
            "head": add("head@oak.example", Role.SCHOOL_LEAD, school=oak, name="Hana Head"),
            "colleague": add("colleague@oak.example", Role.SCHOOL_LEAD, school=oak, name="Cal Colleague"),
            "neighbour": add("neighbour@elm.example", Role.SCHOOL_LEAD, school=elm, name="Nia Neighbour"),
        }
    with inside(two):
        far = SchoolFactory(urn="900003", name="Far Hospital School", type_code=7, type_name="Community special school")
        people |= {
            "stranger": add("stranger@borchester.example", Role.POLICY_OFFICER, name="Sam Stranger"),
            "hospital": add("hospital@borchester.example", Role.SCHOOL_LEAD, school=far, name="Hal Hospital"),
        }
    return Cast(oak=oak, elm=elm, far=far, **people)
