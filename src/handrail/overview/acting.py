"""Which school a person is at, of those they work for: the one they chose last, remembered in their session."""

from django.http import Http404

from handrail.core.access import Request
from handrail.schools.models import School

CHOSEN = "school"


def schools_of(request: Request) -> list[School]:
    """The schools that the person has a role at, by name."""
    held = {each.school for each in request.user.current_memberships if each.school and not each.pupil_id}
    return sorted(held, key=lambda school: (school.name, school.urn))


def acting_school(request: Request) -> School | None:
    """The school chosen, while the person has a role there; else the first of theirs."""
    schools = schools_of(request)
    chosen = request.session.get(CHOSEN)
    return next((school for school in schools if school.urn == chosen), schools[0] if schools else None)


def choose(request: Request, urn: str) -> School:
    """Remember which school the person is at. Raises Http404 for one that is not theirs."""
    found = next((school for school in schools_of(request) if school.urn == urn), None)
    if found is None:
        raise Http404
    request.session[CHOSEN] = urn
    return found
