"""Where a message's link leads: from a reference, which tells nobody anything, to the plan that it stands for."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request
from handrail.core.reference import reference
from handrail.plans.models import HealthcarePlan


class ItemView(Door):
    """Leads on to the plan with this reference among those that the person may see."""

    permission = Permission.SEE_PLANS

    def get(self, request: Request, called: str) -> HttpResponse:
        plans = HealthcarePlan.objects.visible_to(request.user).values_list("id", "pupil_id")
        for plan_id, pupil_id in plans:
            if reference(plan_id) == called.upper():
                return redirect("plans:plan", child_id=pupil_id)
        raise Http404
