"""Pages of who must know a plan: choosing them, seeing who has read it, and saying that one has."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.plans import actions, reading
from handrail.plans.models import HealthcarePlan, Stage
from handrail.plans.plan_forms import ReadersForm
from handrail.plans.plan_views import WholePlanDoor
from handrail.plans.readers import Reader
from handrail.plans.views import PlanDoor


class ReadersView(WholePlanDoor):
    """Who must know the plan, and who of them has read it as it is now."""

    permission, template = Permission.SEE_PLANS, "readers"

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        plan, version = self.begun, self.newest
        return self.show(
            version=version,
            readers=reading.readers_of(plan, version, on=request.today) if version else [],
            is_active=plan.stage == Stage.ACTIVE,
            may_edit=self.may(Permission.EDIT_PLANS),
        )


class ChooseReadersView(WholePlanDoor):
    """Decide who must know the plan."""

    permission, template = Permission.EDIT_PLANS, "choose_readers"

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        asked = Reader.objects.asked(on=request.today).filter(plan=self.begun)
        return self.show(
            self.form(
                initial={
                    "people": [each.person_id for each in asked if each.person_id],
                    "names": "\n".join(sorted(each.name for each in asked if each.name)),
                }
            )
        )

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form, plan = self.form(request.POST), self.begun
        if form.is_valid():
            try:
                reading.choose_readers(plan=plan, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Saved who must know this plan.")
                return redirect("plans:readers", child_id=child_id)
        return self.show(form)

    def form(self, *data: Any, **more: Any) -> ReadersForm:
        people = reading.may_read(self.child.school_id, on=self.request.today)
        return ReadersForm(*data, people=people, **more)


class RecordToldView(WholePlanDoor):
    """Somebody without an account has read the plan."""

    permission = Permission.EDIT_PLANS

    def post(self, request: Request, child_id: Any, reader_id: Any) -> HttpResponse:
        reader = get_or_404(Reader.objects.filter(plan=self.begun), id=reader_id)
        try:
            reading.record_told(plan=self.begun, reader=reader, by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, f"Recorded that {reader} has read the plan.")
        return redirect("plans:readers", child_id=child_id)


class ConfirmReadView(PlanDoor):
    """Say that one has read the plan. It stands under what there is to read."""

    permission = Permission.SEE_EMERGENCY

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        said = request.POST.get("number", "")
        if self.plan is None:
            raise Http404
        number = int(said) if said.isdecimal() else 0  # none has this number
        try:
            reading.confirm_read(plan=self.plan, number=number, by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, "Recorded that you have read this plan.")
        return redirect("plans:emergency", child_id=child_id)

    @cached_property
    def plan(self) -> HealthcarePlan | None:
        found: HealthcarePlan | None = HealthcarePlan.objects.filter(pupil=self.child).first()
        return found


class ToReadView(Door):
    """The plans that the person must know and has not read as they are now."""

    permission, shows_child, needs_step_up = Permission.SEE_EMERGENCY, True, True

    def get(self, request: Request) -> HttpResponse:
        visible = HealthcarePlan.objects.visible_to(request.user)
        waiting = reading.to_be_read_by(request.user, visible, on=request.today)
        plans = list(waiting.select_related("pupil__school").order_by("pupil__school__name", "pupil__name", "id"))
        at_school: dict[Any, list[Any]] = {}
        for plan in plans:
            at_school.setdefault(plan.pupil.school_id, []).append(plan.pupil_id)
        # Each school sees who looked at its own.
        for school_id, child_ids in at_school.items() or [(None, [])]:
            self.shows(child_ids, ReadEntry.Group.PLAN, verb=ReadEntry.Verb.LIST, school_id=school_id)
        return render(request, "plans/to_read.html", {"plans": plans})
