"""What every page is given besides its own."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from handrail.accounts.roles import Permission
from handrail.overview.acting import acting_school, schools_of

AT_AUTHORITY = (
    ("Schools", "overview:schools", Permission.SEE_SCHOOLS),
    ("Chase list", "overview:chase", Permission.CHASE_SCHOOLS),
    ("Returns", "returns:board", Permission.SEE_SCHOOLS),
    ("Plans", "overview:plan_counts", Permission.SEE_SCHOOLS),
    ("Incidents", "incidents:counts", Permission.SEE_SCHOOLS),
    ("Data", "reporting:data", Permission.SEE_SCHOOLS),
    ("Cases", "absences:board", Permission.DECIDE_CASES),
    ("Handovers", "handovers:board", Permission.SEE_SCHOOLS),
    ("Admissions", "handovers:notices", Permission.DECIDE_CASES),
    ("Hospital schools", "handovers:places", Permission.CONFIRM_SETTINGS),
    ("Exchange", "handovers:exchange", Permission.KEEP_EXCHANGE),
    ("People", "people:authority", Permission.SEE_PEOPLE),
    ("Import", "imports:home", Permission.IMPORT_SCHOOLS),
    ("Section 19 policy", "policies:policy", Permission.EDIT_AUTHORITY_POLICY),
    ("Records", "records:home", Permission.KEEP_RETENTION),
    ("Emergency access", "plans:break_glass", Permission.BREAK_GLASS),
    ("Reviews", "plans:reviews", Permission.REVIEW_BREAK_GLASS),
    ("Activity", "overview:everything", Permission.EXTRACT_AUDIT),
    ("Settings", "authority:settings", Permission.EDIT_SETTINGS),
)
"""Where people at the authority go besides their home page, and who may."""


def page(request: HttpRequest) -> dict[str, Any]:
    """The authority, the navigation for this person, and whether this is the demo."""
    user = getattr(request, "user", None)
    signed_in = bool(user and user.is_authenticated)
    return {
        "authority": getattr(request, "authority", None),
        "user": user if signed_in else None,
        "navigation": navigation(request) if signed_in else [],
        "switches_school": acting_school(request) if signed_in and len(schools_of(request)) > 1 else None,  # type: ignore[arg-type]
        "demo": settings.IS_DEMO,
        "today": getattr(request, "today", None),
    }


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The few places this person goes to, with the one they are in marked."""
    user: Any = request.user
    places = [("Home", reverse("overview:home"))]
    if any(each.school_id is None for each in user.current_memberships):
        places += [(text, reverse(name)) for text, name, permission in AT_AUTHORITY if user.may(permission)]
    else:
        school = acting_school(request)  # type: ignore[arg-type]
        if school and user.may(Permission.SEE_CHILDREN, school_id=school.id):
            places.append(("Children", reverse("schools:children", args=[school.urn])))
        if school and user.may(Permission.SEE_SCHOOL, school_id=school.id):
            places.append(("School record", reverse("overview:school", args=[school.urn])))
        if user.pupil_ids:
            places.append(("Children you were asked about", reverse("overview:asked_about")))
        places.append(("Help", reverse("authority:help")))
    inside = [href for _, href in places if request.path.startswith(href)]
    here = max(inside, key=len, default="")
    # Every path begins with that of the home page.
    here = here if here != "/" or request.path == "/" else ""
    return [{"text": text, "href": href, "current": href == here} for text, href in places]
