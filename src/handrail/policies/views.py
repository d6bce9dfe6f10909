"""Pages about policies: a school's three and the authority's own."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.documents import download_or_say
from handrail.core.models import AuthoritySettings
from handrail.policies import actions
from handrail.policies.communications import told_of
from handrail.policies.forms import ApprovalForm, DetailsForm, NotNeededForm, PublishForm
from handrail.policies.models import SCHOOL_KINDS, Involved, Kind, Policy, PolicyVersion
from handrail.schools.models import School


class SchoolView(Door):
    """A school's policies, each with its status and what is known about it."""

    permission = Permission.SEE_POLICIES

    def get(self, request: Request, urn: str) -> HttpResponse:
        school, settings = get_or_404(School.objects.visible_to(request.user), urn=urn), AuthoritySettings.load()
        kept: list[Any] = list(
            Policy.objects.visible_to(request.user)
            .filter(school=school)
            .select_related("school", "website")
            .with_status(on=request.today, settings=settings)
        )
        for policy in kept:
            policy.told = told_of(policy, on=request.today, settings=settings)
        kept.sort(key=lambda policy: SCHOOL_KINDS.index(Kind(policy.kind)))
        is_empty = not any(policy.last_reviewed_on for policy in kept)
        earlier = list(School.objects.before(school)) if is_empty else []
        return render(request, "policies/school.html", {"school": school, "policies": kept, "earlier": earlier})


class PolicyDoor(Door):
    """A page about one policy that the person may see: a school's, or the authority's own when none is named."""

    permission = Permission.RECORD_REVIEWS
    request: Request

    @cached_property
    def policy(self) -> Policy:
        place = self.kwargs
        wanted = {"school__urn": place["urn"], "id": place["pk"]} if "urn" in place else {"school": None}
        found: Policy = get_or_404(
            Policy.objects.visible_to(self.request.user).select_related("school", "website"), **wanted
        )
        return found

    def address(self, page: str) -> str:
        return reverse(f"policies:{page}", kwargs=self.policy.place)

    def page(self, template: str, **more: Any) -> HttpResponse:
        return render(self.request, f"policies/{template}.html", {"policy": self.policy, **more})


class PolicyView(PolicyDoor):
    """Everything about one policy, its versions and its reviews."""

    permission = Permission.SEE_POLICIES

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        policy: Any = self.policy
        settings = AuthoritySettings.load()
        versions = list(policy.versions.select_related("document"))
        reviews = list(policy.reviews.select_related("version"))
        for review in reviews:
            review.who = [Involved(each).label for each in review.involved if each in Involved]
        policy.told = told_of(policy, on=request.today, settings=settings)
        return self.page(
            "policy",
            status=policy.status_on(request.today, settings),
            current=next((version for version in versions if version.is_current), None),
            versions=versions,
            reviews=reviews,
        )


class DocumentView(PolicyDoor):
    """A version's document, to be saved."""

    permission = Permission.SEE_POLICIES

    def get(self, request: Request, number: int, **_place: Any) -> HttpResponseBase:
        documents = PolicyVersion.objects.filter(policy=self.policy, document__isnull=False).select_related("document")
        document = get_or_404(documents, number=number).document
        return download_or_say(request, document, back=self.address("policy"))


class PolicyFormDoor(PolicyDoor):
    """A form about one policy. A refusal is shown above it, with everything that was typed."""

    template: str
    saved: str

    def form(self, data: Any = None) -> Any:
        raise NotImplementedError

    def act(self, cleaned: dict[str, Any]) -> None:
        raise NotImplementedError

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.page(self.template, form=self.form())

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        form = self.form(request.POST)
        if form.is_valid():
            try:
                self.act(form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, self.saved)
                return redirect(self.address("policy"))
        return self.page(self.template, form=form)


class DetailsView(PolicyFormDoor):
    template, saved = "details", "Saved who is responsible for this policy."

    def form(self, data: Any = None) -> DetailsForm:
        known = {name: getattr(self.policy, name) for name in ("lead_name", "lead_email", "link_governor")}
        return DetailsForm(data, initial=known, policy=self.policy)

    def act(self, cleaned: dict[str, Any]) -> None:
        actions.set_details(policy=self.policy, by=self.request.user, at=self.request.now, **cleaned)


class PublishView(PolicyFormDoor):
    template, saved = "publish", "Saved where people can read this policy."

    def form(self, data: Any = None) -> PublishForm:
        return PublishForm(data, initial={"published_url": self.policy.published_url})

    def act(self, cleaned: dict[str, Any]) -> None:
        actions.publish(policy=self.policy, by=self.request.user, at=self.request.now, **cleaned)


class ApprovalView(PolicyFormDoor):
    template, saved = "approval", "Recorded the approval."

    def form(self, data: Any = None) -> ApprovalForm:
        known = self.policy.versions.filter(is_current=True).values("approved_by", "approved_on", "minute_reference")
        return ApprovalForm(data, initial=known.first() or {}, today=self.request.today)

    def act(self, cleaned: dict[str, Any]) -> None:
        actions.approve_version(policy=self.policy, by=self.request.user, at=self.request.now, **cleaned)


class NotNeededView(PolicyFormDoor):
    permission = Permission.DECIDE_NOT_NEEDED
    template, saved = "not_needed", "This policy is now shown as not needed."

    def form(self, data: Any = None) -> NotNeededForm:
        return NotNeededForm(data, initial={"reason": self.policy.not_needed_reason})

    def act(self, cleaned: dict[str, Any]) -> None:
        actions.decide_not_needed(policy=self.policy, by=self.request.user, at=self.request.now, **cleaned)


class NeededAgainView(PolicyDoor):
    """Take back that a policy is not needed."""

    permission = Permission.DECIDE_NOT_NEEDED

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.page("needed_again")

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        actions.needed_again(policy=self.policy, by=request.user, at=request.now)
        messages.success(request, "This policy is needed again.")
        return redirect(self.address("policy"))
