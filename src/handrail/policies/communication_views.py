"""Pages of whom a school has told of its allergy safety policy."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Request, get_or_404
from handrail.core.models import AuthoritySettings
from handrail.policies import actions
from handrail.policies.communications import record_communication, told
from handrail.policies.forms import CommunicationForm
from handrail.policies.models import Kind, Policy
from handrail.policies.views import PolicyDoor


class CommunicationDoor(PolicyDoor):
    """A page about the one policy of a school that people are told of."""

    @cached_property
    def policy(self) -> Policy:
        policies = Policy.objects.visible_to(self.request.user).select_related("school")
        found: Policy = get_or_404(policies, school__urn=self.kwargs["urn"], kind=Kind.ALLERGY_SAFETY)
        return found


class CommunicationsView(CommunicationDoor):
    """Each audience, when it was told last, and every time before."""

    permission = Permission.SEE_POLICIES

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        found = list(self.policy.communications.all())
        return self.page(
            "communications",
            told=told(found, school=self.policy.school, on=request.today, settings=AuthoritySettings.load()),
            communications=found,
        )


class RecordCommunicationView(CommunicationDoor):
    """Say who was told, when and how."""

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.page("record_communication", form=CommunicationForm(today=request.today))

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        form = CommunicationForm(request.POST, today=request.today)
        if form.is_valid():
            try:
                record_communication(policy=self.policy, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Recorded who was told.")
                return redirect("policies:communications", urn=self.kwargs["urn"])
        return self.page("record_communication", form=form)
