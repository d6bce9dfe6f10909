"""Setting up the authority's own sign-in services."""

from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts import oidc
from handrail.accounts.models import SignInService, User
from handrail.accounts.roles import Permission
from handrail.accounts.second_step.actions import by_service, set_up_by
from handrail.accounts.service_actions import (
    IssuerTaken,
    add_service,
    change_service,
    remove_service,
    switch_service,
)
from handrail.accounts.service_forms import AddServiceForm, ChangeServiceForm, chosen
from handrail.accounts.service_views import address_to_return_to
from handrail.core.access import Door, Request, get_or_404
from handrail.core.outside import Deadline
from handrail.core.vault import VaultClosed

NO_KEY = "Client secrets cannot be kept safe just now, so nothing was saved. Try again in a few minutes"
"""What is said while the vault is closed."""


class ListView(Door):
    permission = Permission.SET_UP_SIGN_IN

    def get(self, request: Request) -> HttpResponse:
        return render(request, "sign_in_services/list.html", {"services": SignInService.objects.all()})


class AddView(Door):
    """Add a service that answers as one should: what it calls itself is its issuer from then on."""

    permission = Permission.SET_UP_SIGN_IN

    def get(self, request: Request) -> HttpResponse:
        return self.page(request, AddServiceForm(initial={"second_factor_claim": "none", "amr": "mfa"}))

    def post(self, request: Request) -> HttpResponse:
        form = AddServiceForm(request.POST)
        if not form.is_valid():
            return self.page(request, form)
        facts = dict(form.cleaned_data)
        try:
            provider, _ = checked(facts.pop("address"))
            service = add_service(issuer=provider.issuer, by=request.user, at=request.now, **facts)
        except (oidc.ProviderFault, IssuerTaken) as refusal:
            form.add_error("address", str(refusal).removesuffix("."))
            return self.page(request, form)
        except VaultClosed:
            form.add_error("client_secret", NO_KEY)
            return self.page(request, form)
        messages.success(request, f"{service} is added. Nobody sees it before you switch it on.")
        return redirect("sign_in_services:show", service.id)

    def page(self, request: Request, form: AddServiceForm) -> HttpResponse:
        return render(request, "sign_in_services/add.html", {"form": form})


class ShowView(Door):
    permission = Permission.SET_UP_SIGN_IN

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=pk)
        facts = {
            "service": service,
            "redirect_address": address_to_return_to(request, service),
            "people": SocialAccount.objects.filter(provider=str(service.id)).values("user_id").distinct().count(),
        }
        return render(request, "sign_in_services/show.html", facts)


class ChangeView(Door):
    permission = Permission.SET_UP_SIGN_IN

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=pk)
        return self.page(request, service, ChangeServiceForm(initial=chosen(service)))

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=pk)
        form = ChangeServiceForm(request.POST)
        if not form.is_valid():
            return self.page(request, service, form)
        try:
            change_service(service=service, by=request.user, at=request.now, **form.cleaned_data)
        except VaultClosed:
            form.add_error("client_secret", NO_KEY)
            return self.page(request, service, form)
        messages.success(request, "The changes are saved.")
        return redirect("sign_in_services:show", service.id)

    def page(self, request: Request, service: SignInService, form: ChangeServiceForm) -> HttpResponse:
        return render(request, "sign_in_services/change.html", {"form": form, "service": service})


class CheckView(Door):
    """Ask the service now, and say in words what is wrong."""

    permission = Permission.SET_UP_SIGN_IN

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=pk)
        try:
            provider, keys = checked(service.issuer, is_known=True)
        except oidc.ProviderFault as fault:
            messages.error(request, str(fault))
        else:
            cache.delete(f"sign-in-service:{service.id}")
            told = "1 key" if len(keys) == 1 else f"{len(keys)} keys"
            where = provider.authorization_endpoint
            messages.success(request, f"{service} answers. Its sign-in page is {where}, and it shows {told}.")
        return redirect("sign_in_services:show", service.id)


class SwitchView(Door):
    """On only while the service answers; off at once."""

    permission = Permission.SET_UP_SIGN_IN

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=pk)
        is_on = request.POST.get("to") == "on"
        try:
            if is_on:
                checked(service.issuer, is_known=True)
        except oidc.ProviderFault as fault:
            messages.error(request, f"It is not switched on. {fault}")
        else:
            switch_service(service=service, is_on=is_on, by=request.user, at=request.now)
            words = "on: people see it when they sign in" if is_on else "off: people sign in with a code"
            messages.success(request, f"{service} is switched {words}.")
        return redirect("sign_in_services:show", service.id)


class RemoveView(Door):
    """Takes a service away, after saying who has no other way in but a code."""

    permission = Permission.SET_UP_SIGN_IN
    needs_step_up = True

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=pk)
        people = list(
            User.objects.filter(is_active=True, socialaccount__provider=str(service.id)).distinct().order_by("name")
        )
        facts = {
            "service": service,
            "people": people,
            "with_code_alone": [each for each in people if not has_another_way(each, service)],
            "losing_second_step": [each for each in people if is_only_second_step(each, service)],
        }
        return render(request, "sign_in_services/remove.html", facts)

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=pk)
        remove_service(service=service, by=request.user, at=request.now)
        cache.delete(f"sign-in-service:{service.id}")
        messages.success(request, f"{service} is removed.")
        return redirect("sign_in_services:list")


def has_another_way(user: User, service: SignInService) -> bool:
    """Whether somebody signs in with more than a code by e-mail when the service is gone."""
    if user.has_usable_password() or set_up_by(user).filter(type=Authenticator.Type.WEBAUTHN).exists():
        return True
    connected = SocialAccount.objects.filter(user_id=user.id).values_list("provider", flat=True)
    others = SignInService.objects.filter(is_on=True, id__in=list(connected)).exclude(id=service.id)
    return bool(others.exists())


def is_only_second_step(user: User, service: SignInService) -> bool:
    """Whether somebody has no second step when the service is gone, and has one now."""
    by = list(by_service(user))
    return by == [service] and not set_up_by(user).exists()


def checked(address: str, *, is_known: bool = False) -> tuple[oidc.Provider, list[dict[str, Any]]]:
    """The provider at an address and its keys, within 5 seconds. Raises ProviderFault."""
    deadline = Deadline()
    provider = oidc.discover(address, deadline=deadline, is_known=is_known)
    return provider, oidc.keys_of(provider, deadline=deadline)
