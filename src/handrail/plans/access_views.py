"""Pages of emergency access: opening one, looking, and reviewing what others opened."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.calendar import A_WORKING_DAY, working_time
from handrail.core.jinja import time_of_day
from handrail.core.models import ReadEntry
from handrail.plans import break_glass
from handrail.plans.emergency import PARTS
from handrail.plans.forms import BreakGlassForm, ReviewForm
from handrail.plans.models import BreakGlass, PlanVersion

Group, Why = ReadEntry.Group, ReadEntry.Why
LATEST = 20
HOUR = A_WORKING_DAY / 10


class BreakGlassView(Door):
    """Ask for half an hour. Until a reason is given nothing tells whether there is such a child."""

    permission, needs_step_up = Permission.BREAK_GLASS, True

    def get(self, request: Request) -> HttpResponse:
        return self.page(request, BreakGlassForm())

    def post(self, request: Request) -> HttpResponse:
        form = BreakGlassForm(request.POST)
        if form.is_valid():
            try:
                opened = break_glass.break_glass(by=request.user, at=request.now, **form.cleaned_data)
            except break_glass.TooManyTries as refusal:
                again_at = time_of_day(refusal.again_at)
                form.add_error(None, f"You have tried too often. Ring the school, or try again after {again_at}")
            else:
                if len(opened) == 1:
                    return redirect("plans:opened", pk=opened[0].id)
                if opened:
                    messages.warning(request, f"{len(opened)} children match. Look at the school of each.")
                    return redirect("plans:break_glass")
                form.add_error(None, "No child matches exactly. Nothing was opened, and your try was recorded")
        return self.page(request, form)

    def page(self, request: Request, form: BreakGlassForm) -> HttpResponse:
        opened = BreakGlass.objects.open_to(request.user, at=request.now).select_related("pupil__school")
        return render(
            request, "plans/break_glass.html", {"form": form, "opened": opened, "most": break_glass.WRONG_TRIES}
        )


class OpenedView(Door):
    """The emergency plan of one child, for half an hour. Each look is recorded with the reason for it."""

    permission, needs_step_up, shows_child = Permission.BREAK_GLASS, True, True

    def get(self, request: Request, pk: Any) -> HttpResponse:
        mine = BreakGlass.objects.open_to(request.user, at=request.now).select_related("pupil__school")
        access = get_or_404(mine, id=pk)
        child = access.pupil
        self.shows([child.id], Group.EMERGENCY, school_id=child.school_id, why=Why.BREAK_GLASS, why_id=access.id)
        version = PlanVersion.objects.of_child(child).first()
        return render(
            request, "plans/opened.html", {"access": access, "child": child, "version": version, "parts": PARTS}
        )


class ReviewsView(Door):
    """What waits for a review, the oldest first, and what was reviewed lately. Children are references here."""

    permission = Permission.REVIEW_BREAK_GLASS

    def get(self, request: Request) -> HttpResponse:
        everything = BreakGlass.objects.visible_to(request.user).select_related("pupil__school")
        waiting = []
        for each in everything.waiting():
            waited = working_time(each.opened_at, request.now)
            waiting.append((each, int(waited / HOUR), waited >= A_WORKING_DAY))
        return render(request, "plans/reviews.html", {"waiting": waiting, "reviewed": everything.reviewed()[:LATEST]})


class ReviewView(Door):
    """One access: who, when, why and how often they looked; and whether it was justified."""

    permission, needs_step_up, shows_child = Permission.REVIEW_BREAK_GLASS, True, True

    def get(self, request: Request, pk: Any) -> HttpResponse:
        return self.page(request, self.access(request, pk), ReviewForm())

    def post(self, request: Request, pk: Any) -> HttpResponse:
        access, form = self.access(request, pk), ReviewForm(request.POST)
        if form.is_valid():
            try:
                break_glass.review(access=access, by=request.user, at=request.now, **form.cleaned_data)
            except break_glass.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Recorded the review.")
                return redirect("plans:reviews")
        return self.page(request, access, form)

    def access(self, request: Request, pk: Any) -> Any:
        return get_or_404(BreakGlass.objects.visible_to(request.user).select_related("pupil__school"), id=pk)

    def page(self, request: Request, access: BreakGlass, form: ReviewForm) -> HttpResponse:
        """The reason is somebody's own words, and may name the child."""
        child = access.pupil
        self.shows([child.id], Group.REASON, school_id=child.school_id, why=Why.BREAK_GLASS, why_id=access.id)
        looks = ReadEntry.objects.filter(why_id=access.id, group=Group.EMERGENCY).order_by("at")
        return render(request, "plans/review.html", {"access": access, "looks": looks, "form": form})
