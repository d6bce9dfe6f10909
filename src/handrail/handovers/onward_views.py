"""Pages of the named officer: returns that another authority sent on, because the children live here; and those of
one's own schools that could not be sent on, to be told by hand.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.handovers import actions
from handrail.handovers.forms import ToldReturnForm
from handrail.handovers.models import OnwardReturn
from handrail.handovers.onward import delete_copy, in_words, note_told, open_return, to_tell
from handrail.schools.authorities import authorities, called
from tenants import exchange

PAGE = 50


class OnwardView(Door):
    """Which came, from whom and when; and which could not be sent on, and are to be told. No child is named."""

    permission = Permission.DECIDE_CASES

    def get(self, request: Request) -> HttpResponse:
        came = OnwardReturn.objects.visible_to(request.user)
        page = Paginator(came, PAGE).get_page(request.GET.get("page"))
        held_up = OnwardReturn.objects.held_up().select_related("returned").order_by("owed_at")
        told = OnwardReturn.objects.told_by_hand().select_related("returned")[:PAGE]
        look = OnwardReturn.objects.to_look_at().order_by("erased_on")
        found = {"page": page, "held_up": held_up, "told": told, "look": look, "names": authorities()}
        return render(request, "handovers/onward.html", found)


class TellView(Door):
    """One that could not be sent on: what the other authority must know, and whom there one has told."""

    permission, needs_step_up, shows_child = Permission.DECIDE_CASES, True, True
    request: Request

    @cached_property
    def onward(self) -> OnwardReturn:
        held_up = OnwardReturn.objects.held_up().select_related("returned__case__pupil__school")
        found: OnwardReturn = get_or_404(held_up, id=self.kwargs["held_id"])
        return found

    def get(self, request: Request, held_id: UUID) -> HttpResponse:
        return self.page(ToldReturnForm(today=request.today, initial={"told_on": request.today}))

    def post(self, request: Request, held_id: UUID) -> HttpResponse:
        form = ToldReturnForm(request.POST, today=request.today)
        if form.is_valid():
            try:
                note_told(onward=self.onward, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                messages.warning(request, str(refusal))
            else:
                messages.success(request, "Recorded whom you told.")
            return redirect("handovers:onward")
        return self.page(form)

    def page(self, form: ToldReturnForm) -> HttpResponse:
        onward: Any = self.onward
        child = onward.returned.case.pupil
        self.shows([child.id], ReadEntry.Group.ABSENCE, school_id=child.school_id)
        facts = {"onward": onward, "child": child, "form": form, "where": called(onward.lives_in)}
        return render(self.request, "handovers/tell.html", facts | {"says": to_tell(onward)})


class OnwardReturnView(Door):
    """One that came: a button that opens it, and then what it says; and one that deletes it, once it may go."""

    permission, needs_step_up, shows_child = Permission.DECIDE_CASES, True, True
    request: Request

    @cached_property
    def onward(self) -> OnwardReturn:
        found: OnwardReturn = get_or_404(
            OnwardReturn.objects.visible_to(self.request.user), id=self.kwargs["onward_id"]
        )
        return found

    def get(self, request: Request, onward_id: UUID) -> HttpResponse:
        return self.page()

    def post(self, request: Request, onward_id: UUID) -> HttpResponse:
        if "delete" in request.POST:
            return self.delete()
        try:
            open_return(onward=self.onward, by=request.user, at=request.now)
        except (actions.Refused, exchange.CannotOpen) as refusal:
            return self.page(refusal=str(refusal))
        messages.success(request, "Opened. The other authority’s copy is gone from the exchange.")
        return redirect("handovers:onward_return", onward_id=onward_id)

    def delete(self) -> HttpResponse:
        try:
            delete_copy(onward=self.onward, by=self.request.user, at=self.request.now)
        except actions.Refused as refusal:
            return self.page(refusal=str(refusal))
        messages.success(self.request, "Deleted. Nothing of this return is held here any more.")
        return redirect("handovers:onward")

    def page(self, **more: Any) -> HttpResponse:
        """Whom it shows is nobody whom the authority has a record of: the look itself is what is recorded."""
        self.shows([], ReadEntry.Group.ABSENCE)
        onward = self.onward
        facts = {
            "onward": onward,
            "says": in_words(onward.says) if onward.says else [],
            "is_too_late": onward.expires_at is not None and onward.expires_at <= self.request.now,
        }
        return render(self.request, "handovers/onward_return.html", facts | more)
