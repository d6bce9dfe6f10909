"""Pages of what a school, or the authority itself, plans about the points that it does not meet."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Request, get_or_404
from handrail.returns import actions
from handrail.returns.forms import ChangePlannedActionForm, PlannedActionForm
from handrail.returns.models import PlannedAction
from handrail.returns.refusals import NoGap
from handrail.returns.views import AnswerDoor, ReturnDoor


class PlanView(AnswerDoor):
    """Say what will be done about a point, who sees to it, and by when."""

    permission = Permission.ANSWER_RETURNS

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.about("plan", PlannedActionForm(today=request.today))

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        form = PlannedActionForm(request.POST, today=request.today)
        if not form.is_valid():
            return self.about("plan", form)
        try:
            actions.plan_action(answer=self.answer, by=request.user, at=request.now, **form.cleaned_data)
        except NoGap as refusal:
            return self.about("plan", form, page_errors=[{"text": str(refusal)}])
        messages.success(request, "Saved. We remind whoever sees to it.")
        return redirect(self.address("submitted", return_id=self.returned.id))


class PlannedView(ReturnDoor):
    """Change what was planned, or say that it is done."""

    permission = Permission.ANSWER_RETURNS

    @cached_property
    def planned(self) -> PlannedAction:
        found: PlannedAction = get_or_404(
            PlannedAction.objects.filter(school=self.school), id=self.kwargs["planned_id"]
        )
        return found

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        known = {name: getattr(self.planned, name) for name in PlannedAction.CONTENT}
        return self.page("planned", form=ChangePlannedActionForm(initial=known, today=request.today))

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        planned, form = self.planned, ChangePlannedActionForm(request.POST, today=request.today)
        if not form.is_valid():
            return self.page("planned", form=form)
        actions.change_action(action=planned, by=request.user, at=request.now, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect(self.address("home"))
