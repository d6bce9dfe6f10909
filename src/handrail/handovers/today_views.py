"""The page of whoever teaches at a setting: today’s pupils, and what to do in an emergency. Made to be printed."""

from django.http import HttpResponse
from django.shortcuts import render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.handovers.models import Setting
from handrail.handovers.today import taught
from handrail.schools.models import School

Group, Verb = ReadEntry.Group, ReadEntry.Verb


class TodayView(Door):
    """Who is taught today, whether one has read their emergency steps, and those steps. No number of any child."""

    permission, shows_child, needs_step_up = Permission.SEE_HANDOVERS, True, True

    def get(self, request: Request, urn: str) -> HttpResponse:
        school: School = get_or_404(School.objects.visible_to(request.user), urn=urn)
        get_or_404(Setting.objects.all(), school=school)
        here, coming = taught(school, user=request.user, on=request.today)
        shown = [each.child.id for each in (*here, *coming)]
        self.shows(shown, Group.EMERGENCY, verb=Verb.LIST, school_id=school.id)
        return render(request, "handovers/today.html", {"school": school, "here": here, "coming": coming})
