"""Reviewing a plan: is it still right, who agreed, and when next. No change takes two short pages on a phone."""

from datetime import timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from handrail.accounts.roles import Permission
from handrail.core.access import Request
from handrail.core.jinja import long_date
from handrail.plans import actions
from handrail.plans.models import Agreement, Party, PlanReview, Stage
from handrail.plans.plan_forms import EndForm, ReviewedForm, RightForm
from handrail.plans.plan_views import WholePlanDoor

Outcome = PlanReview.Outcome
HEALTH_AT_LEAST_EVERY = timedelta(days=2 * 365)
"""A plan that no health professional has agreed to for longer is looked at twice."""


class ReviewDoor(WholePlanDoor):
    permission = Permission.EDIT_PLANS

    def elsewhere(self) -> HttpResponse | None:
        """Back to the plan when it is not one to review."""
        return None if self.begun.stage == Stage.ACTIVE else self.back()

    def concerns(self) -> list[str]:
        """What makes one look twice before saying that a plan is right."""
        says = self.newest.says if self.newest else None
        today, found = self.request.today, []
        if not says or not says.steps:
            found.append("Nobody has written what to do in an emergency.")
        found += [
            f"{medicine.name} went out of date on {long_date(medicine.expires_on)}."
            for medicine in (says.medicines if says else ())
            if medicine.is_out_of_date(today)
        ]
        last = (
            Agreement.objects.filter(version__plan=self.begun, party=Party.HEALTH, is_agreed=True)
            .order_by("-agreed_on")
            .first()
        )
        if last is None:
            found.append("No health professional has agreed to it.")
        elif last.agreed_on < today - HEALTH_AT_LEAST_EVERY:
            found.append(f"No health professional has agreed to it since {long_date(last.agreed_on)}.")
        return found


class ReviewPlanView(ReviewDoor):
    """Is this plan still right?"""

    template = "review_plan"

    def show(self, form: Any = None, **more: Any) -> HttpResponse:
        return super().show(form, version=self.newest, sections=self.sections, **more)

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.elsewhere() or self.show(RightForm())

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = RightForm(request.POST)
        if not form.is_valid():
            return self.elsewhere() or self.show(form)
        answer = form.cleaned_data["answer"]
        if answer == RightForm.WRONG:
            return self.back("Change what is no longer right. Then review the plan again.")
        if answer in (Outcome.NOT_NEEDED, Outcome.LEFT):
            return redirect("plans:end", child_id=child_id, outcome=answer.replace("_", "-"))
        concerns = self.concerns()
        if concerns and "looked" not in request.POST:
            return self.page("review_concerns", plan=self.begun, concerns=concerns, answer=answer)
        return redirect("plans:reviewed", child_id=child_id)


class ReviewedView(ReviewDoor):
    """Who agreed, when, and the next date."""

    template = "reviewed"

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.elsewhere() or self.show(self.form())

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = self.form(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            try:
                review, is_new = actions.record_review(
                    plan=self.begun,
                    reviewed_on=given["reviewed_on"],
                    outcome=self.outcome,
                    agreed=[
                        actions.Agreed(party=party.value, name=given[party.value], agreed_on=given["reviewed_on"])
                        for party in Party
                        if given[party.value]
                    ],
                    next_due_on=given["next_due_on"],
                    by=request.user,
                    at=request.now,
                )
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return self.back(
                    f"Review recorded. The next one is due by {long_date(review.next_due_on)}."
                    if is_new
                    else "This review was recorded already. Nothing changed."
                )
        return self.show(form)

    def form(self, *data: Any) -> ReviewedForm:
        last = Agreement.objects.filter(version__plan=self.begun, is_agreed=True).order_by("recorded_at")
        names = {each.party: each.name for each in last} | {Party.SCHOOL.value: self.request.user.name}
        return ReviewedForm(*data, plan=self.begun, today=self.request.today, names=names)

    @property
    def outcome(self) -> str:
        """Updated, when a version was saved since the review before."""
        last = self.begun.reviews.order_by("-recorded_at").first()
        changed = last and self.newest and last.version_id != self.newest.id
        return Outcome.UPDATED if changed else Outcome.NO_CHANGE


class EndView(ReviewDoor):
    """The child no longer needs a plan, or has left: the plan is closed."""

    template = "end"

    def get(self, request: Request, child_id: Any, outcome: str) -> HttpResponse:
        return self.elsewhere() or self.show(EndForm(), outcome=self.outcome(outcome))

    def post(self, request: Request, child_id: Any, outcome: str) -> HttpResponse:
        form = EndForm(request.POST)
        if form.is_valid():
            try:
                actions.record_review(
                    plan=self.begun,
                    reviewed_on=request.today,
                    outcome=self.outcome(outcome),
                    reason=form.cleaned_data["reason"],
                    by=request.user,
                    at=request.now,
                )
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                if self.outcome(outcome) == Outcome.LEFT and not self.child.left_on:
                    return redirect(reverse("schools:child_left", kwargs={"child_id": child_id}))
                return self.back("The plan is closed. Nothing falls due for it.")
        return self.show(form, outcome=self.outcome(outcome))

    def outcome(self, word: str) -> Outcome:
        if word not in ("not-needed", "left"):
            raise Http404
        return Outcome(word.replace("-", "_"))
