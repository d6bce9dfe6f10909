"""Pages of the way back: the setting's return pack, opening it at home, and taking its plan into the school's own."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from handrail.accounts.roles import Permission
from handrail.core.access import Request
from handrail.handovers import actions, return_pack, returning
from handrail.handovers.moves import State
from handrail.handovers.return_forms import BackForm, ReissueForm
from handrail.handovers.views import CaseDoor
from handrail.plans.models import PlanVersion
from handrail.plans.versions import ChangedMeanwhile
from tenants import exchange


class BackView(CaseDoor):
    """What goes into the return pack, and what is missing of it. Saved as it goes; sent by a button of its own."""

    permission, argument = Permission.HAND_OVER, "taught_id"

    def get(self, request: Request, taught_id: UUID) -> HttpResponse:
        return self.show(BackForm(initial=self.handover.back or {}))

    def post(self, request: Request, taught_id: UUID) -> HttpResponse:
        form = BackForm(request.POST)
        if not form.is_valid():
            return self.show(form)
        try:
            returning.write(handover=self.handover, said=form.written, **self.who)
            if "send" not in request.POST:
                messages.success(request, "Saved. Nothing has been sent.")
                return redirect("handovers:back", taught_id=taught_id)
            returning.send(handover=self.handover, **self.who)
        except returning.GapsLeft:
            return redirect("handovers:back", taught_id=taught_id)
        except actions.Refused as refusal:
            form.add_error(None, str(refusal))
            return self.show(form)
        if self.handover.has_no_other_side:
            return self.back("Kept. Print this page, and give it to the child’s school.")
        return self.back("Sent. You see here when it has been opened.")

    def show(self, form: BackForm) -> HttpResponse:
        handover = self.handover
        may_go = handover.takes_return(on=self.request.today)
        if handover.is_home or handover.pupil_id is None or (handover.is_over and not may_go):
            raise Http404
        return self.page(
            "back",
            form=form,
            missing=return_pack.gaps(returning.content_of(handover)),
            may_go=may_go,
            must_plan=handover.state == State.ACTIVE,
        )


class OpenBackView(CaseDoor):
    """Open what the setting sent back; it hears that it arrived."""

    permission = Permission.HAND_OVER

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return self.page("open", is_return=True)

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        try:
            returning.open_back(handover=self.handover, **self.who)
        except (actions.Refused, exchange.CannotOpen) as refusal:
            return self.page("open", is_return=True, refusal=str(refusal))
        return self.back("Opened. Now look at what has changed in the plan.")


class ReissueView(CaseDoor):
    """Where the plan that came back differs from the school's own, and which of it is taken over."""

    permission = Permission.HAND_OVER

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return self.show()

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        form = ReissueForm(request.POST, parts=self._parts())
        if not form.is_valid():
            return self.show(form)
        try:
            version = returning.reissue(
                handover=self.handover,
                parts=form.cleaned_data.get("parts", []),
                based_on=form.cleaned_data["based_on"],
                **self.who,
            )
        except ChangedMeanwhile:
            form.add_error(None, "Somebody has changed the plan meanwhile. Look at what differs now.")
            return self.show(form)
        except actions.Refused as refusal:
            form.add_error(None, str(refusal))
            return self.show(form)
        return self.back(f"The plan is re-issued as version {version.number}." if version else "There is no plan.")

    def _parts(self) -> list[returning.Part]:
        came = self.handover.newest_pack(is_return=True)
        if not self.handover.is_home or came is None or self.handover.pupil is None:
            raise Http404
        return returning.differences(self.handover.pupil, came.content)

    def show(self, form: ReissueForm | None = None) -> HttpResponse:
        parts = self._parts()
        newest = PlanVersion.objects.filter(plan__pupil=self.handover.pupil).order_by("-number").first()
        number = newest.number if newest else 0
        chosen: dict[str, Any] = {"based_on": number, "parts": [each.name for each in parts]}
        return self.page("reissue", parts=parts, form=form or ReissueForm(parts=parts, initial=chosen))
