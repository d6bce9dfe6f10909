"""What is still at a school that has closed, and the button that lets it go on at the one that followed."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts.roles import Permission
from handrail.authority.succession import carry_on, follower_of
from handrail.core.access import Door, Request, get_or_404
from handrail.schools.models import School


class ClosedSchoolView(Door):
    """Where the children of a closed school may go on. It shows no child, nor how many there are."""

    permission = Permission.IMPORT_SCHOOLS

    def get(self, request: Request, urn: str) -> HttpResponse:
        old = self.school(request, urn)
        new = follower_of(old)
        facts = {"school": old, "new": new, "is_left": self.is_left(old)}
        return render(request, "authority/closed_school.html", facts)

    def post(self, request: Request, urn: str) -> HttpResponse:
        old = self.school(request, urn)
        new = follower_of(old)
        if old.is_open or new is None:
            return redirect("authority:closed_school", urn=urn)
        carry_on(old=old, new=new, by=request.user, at=request.now)
        if self.is_left(old):
            messages.warning(request, f"{new} has some of the children on its own list too. Those stay at {old}.")
            return redirect("authority:closed_school", urn=urn)
        messages.success(request, f"The children and people of {old} are now at {new}.")
        return redirect("overview:school", urn=new.urn)

    def school(self, request: Request, urn: str) -> Any:
        return get_or_404(School.objects.visible_to(request.user), urn=urn)

    def is_left(self, school: School) -> bool:
        """Whether children are still on its list."""
        return School.objects.closed_with_children().filter(id=school.id).exists()
