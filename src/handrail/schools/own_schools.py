"""What an authority has beside the register's schools: provision without a URN, and its lists of children who live in
it and are on no roll, or at a school of another authority.

Each is a school to people and pages. Its number begins with 000: the register's begin at 100000, so none of theirs can
ever be one of these.
"""

from datetime import datetime

from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.schools.duty import Body
from handrail.schools.models import School

OWN = "000"
NO_SCHOOL = "000000"
NO_SCHOOL_NAME = "Children without a school"
ELSEWHERE = "000999"
ELSEWHERE_NAME = "Children at schools elsewhere"
AT_MOST = 998


class NoneLeft(ValueError):
    """There are as many as there can be."""


@transaction.atomic
def add_without_urn(*, name: str, type_name: str, by: audit.Actor, at: datetime) -> School:
    """Add provision that is in no register, under the next number of the authority's own. Raises NoneLeft."""
    own = School.objects.select_for_update().filter(urn__startswith=OWN).exclude(urn=ELSEWHERE)
    taken = list(own.values_list("urn", flat=True))
    number = max((int(urn) for urn in taken), default=0) + 1
    if number > AT_MOST:
        raise NoneLeft("Your authority has as many of these as there can be")
    return _add(f"{number:06}", name, type_name, by=by, at=at)


@transaction.atomic
def list_of_no_school(*, by: audit.Actor, at: datetime) -> School:
    """The authority's list of children on no roll; made when it is asked for first."""
    found: School | None = School.objects.filter(urn=NO_SCHOOL).first()
    return found or _add(NO_SCHOOL, NO_SCHOOL_NAME, "The authority’s own list", by=by, at=at)


@transaction.atomic
def list_of_elsewhere(*, by: audit.Actor, at: datetime) -> School:
    """The authority's list of children at schools of other authorities; made when it is asked for first."""
    found: School | None = School.objects.filter(urn=ELSEWHERE).first()
    return found or _add(ELSEWHERE, ELSEWHERE_NAME, "The authority’s own list", by=by, at=at)


def _add(urn: str, name: str, type_name: str, *, by: audit.Actor, at: datetime) -> School:
    made: School = School.objects.create(
        urn=urn, name=name, type_code=0, type_name=type_name, body=Body.OTHER, joined_on=day_of(at)
    )
    audit.record(
        "added provision without a URN", by=by, at=at, subject_kind="school", subject_id=made.id, school_id=made.id
    )
    return made
