"""Signing in with the authority's own service, and connecting it to an account: there, back, and what went wrong."""

import logging
from dataclasses import asdict
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url, perform_login
from allauth.core import ratelimit
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from handrail.accounts import oidc
from handrail.accounts.adapter import TOO_MANY
from handrail.accounts.factors import BY_BOTH
from handrail.accounts.floods import count_try
from handrail.accounts.known_browsers import count_for_anybody
from handrail.accounts.models import SignInService, User
from handrail.accounts.second_step.actions import SHOWED_IT, LastOne
from handrail.accounts.second_step.views import GOING_TO
from handrail.accounts.service_actions import (
    ConnectedToSomebodyElse,
    connect_service,
    disconnect_service,
    note_second_factor,
)
from handrail.core.access import PUBLIC, SIGNED_IN, Door, Request, get_or_404
from handrail.core.outside import Deadline
from handrail.core.vault import CannotOpen, VaultClosed

log = logging.getLogger("handrail.sign_in")

SIGNING_IN, CONNECTING = "sign in", "connect"
NOW = 0
"""How long ago somebody may have signed in at the provider when they are to show who they are now, in seconds."""
DISCOVERY_SECONDS = 3600
"""How long what a provider says about itself is kept. Its keys are asked for each time."""


class Refusal(Exception):
    """Why somebody is not signed in or connected, in words for them."""


class SignInView(Door):
    """To the service, to sign in; for somebody who is signed in, to show again who they are."""

    permission = PUBLIC

    def post(self, request: Request, service_id: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=service_id)
        next_url = get_next_redirect_url(request)
        try:
            return there(request, service, process=SIGNING_IN, next=next_url)
        except Refusal as refusal:
            return refused(request, refusal, next_url)


class ConnectView(Door):
    """To the service, to connect it to the account of who is signed in. Its second factor may be their only one."""

    permission = SIGNED_IN
    needs_step_up = True
    sets_up_second_step = True
    asks_again = ("POST",)

    def post(self, request: Request, service_id: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=service_id)
        try:
            return there(request, service, process=CONNECTING, user=str(request.user.id))
        except Refusal as refusal:
            return refused(request, refusal)


class BackView(Door):
    """Where the service sends people back to, whatever became of it."""

    permission = PUBLIC

    def get(self, request: Request, service_id: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=service_id)
        state_id = request.GET.get("state", "")
        state = statekit.unstash_state(request, provider_id=str(service.id), state_id=state_id) or {}
        try:
            claims = answer_of(request, service, state)
            if state["process"] == CONNECTING:
                return self.connect(request, service, state, claims)
            return self.sign_in(request, service, state, claims)
        except Refusal as refusal:
            return refused(request, refusal, state.get("next"))

    def connect(
        self, request: Request, service: SignInService, state: dict[str, Any], claims: dict[str, Any]
    ) -> HttpResponse:
        if str(request.user.pk) != state["user"]:
            raise Refusal(f"You were signed out on the way. Sign in, then connect {service} again.")
        try:
            is_new = connect_service(service=service, user=request.user, subject=claims["sub"], at=request.now)
        except ConnectedToSomebodyElse:
            raise Refusal(f"That sign-in at {service} is connected to another account here.") from None
        strength = strength_of(request, service, claims, state)
        if "both_factors" in strength:
            note_second_factor(service=service, subject=claims["sub"], user=request.user, at=request.now)
        record_authentication(request, request.user, "socialaccount", **strength)
        request.session.cycle_key()
        if is_new:
            get_adapter().send_mail("account/email/service_connected", request.user.email, {"service": service})
        messages.success(request, f"{service} is connected. You can sign in with it from now on.")
        account = reverse("accounts:account")
        return redirect(request.session.pop(GOING_TO, account) if "both_factors" in strength else account)

    def sign_in(
        self, request: Request, service: SignInService, state: dict[str, Any], claims: dict[str, Any]
    ) -> HttpResponse:
        account = SocialAccount.objects.filter(provider=str(service.id), uid=claims["sub"]).first()
        if account is None:
            raise Refusal(
                "We do not know this sign-in yet. Sign in with a code once, then connect "
                f"{service} on your account page."
            )
        is_again = request.user.pk == account.user_id
        if request.user.is_authenticated and not is_again:
            get_adapter().logout(request)
        if is_again and is_older(claims, state):
            messages.error(request, f"{service} did not ask you to sign in again. Use another way.")
            return redirect(state.get("next") or "/")
        strength, user = strength_of(request, service, claims, state), account.user.as_at(request.today)
        if "both_factors" in strength and user.is_active:
            note_second_factor(service=service, subject=claims["sub"], user=user, at=request.now)
        record_authentication(request, user, "socialaccount", **strength)
        if is_again:
            request.session.cycle_key()
            if "both_factors" not in strength:
                messages.error(request, f"{service} did not ask you for a second step. Use another way.")
            return redirect(state.get("next") or "/")
        answer: HttpResponse = perform_login(request, user, redirect_url=state.get("next"))
        return answer


class DisconnectView(Door):
    permission = SIGNED_IN
    needs_step_up = True

    def post(self, request: Request, service_id: UUID) -> HttpResponse:
        service = get_or_404(SignInService.objects, id=service_id)
        try:
            is_gone = disconnect_service(service=service, user=request.user, at=request.now)
        except LastOne as refusal:
            messages.error(request, str(refusal))
            return redirect("accounts:account")
        if is_gone:
            get_adapter().send_mail("account/email/service_disconnected", request.user.email, {"service": service})
            messages.success(request, f"{service} is disconnected. You can sign in with a code.")
        return redirect("accounts:account")


def services_for(user: User) -> list[dict[str, Any]]:
    """The services that somebody can connect or disconnect, each with when they connected it."""
    connected = {each.provider: each for each in SocialAccount.objects.filter(user_id=user.id).order_by("date_joined")}
    found = [(service, connected.get(str(service.id))) for service in SignInService.objects.all()]
    return [
        {
            "service": service,
            "connected_at": account and account.date_joined,
            "is_second_step": account and SHOWED_IT in account.extra_data and service.may_be_second_step,
        }
        for service, account in found
        if service.is_on or account
    ]


def there(request: Request, service: SignInService, *, process: str, **more: str | None) -> HttpResponse:
    """The page that leads to the service. Raises Refusal.

    It is a page, not a redirect: the browser would hold a redirect after a form against our policy for forms, at each
    of the addresses that the service itself may lead on to.
    """
    require_on(service)
    count_for_anybody(request)
    if not ratelimit.consume(request, action="login"):
        raise Refusal(f"{TOO_MANY}.")
    count_try(request)
    provider = provider_of(service, deadline=Deadline())
    nonce, proof = token_urlsafe(32), generate_code_challenge()
    max_age = NOW if request.user.is_authenticated else settings.SESSION_COOKIE_AGE
    state = {
        "process": process,
        "nonce": nonce,
        "code_verifier": proof["code_verifier"],
        "not_before": request.now.timestamp() - max_age,
        **more,
    }
    asked = {
        "response_type": "code",
        "client_id": service.client_id,
        "redirect_uri": address_to_return_to(request, service),
        "scope": "openid",
        "state": statekit.stash_state(request, provider_id=str(service.id), state=state),
        "nonce": nonce,
        "code_challenge": proof["code_challenge"].decode(),
        "code_challenge_method": proof["code_challenge_method"],
        "max_age": str(max_age),  # whoever is asked for it has to say when the person signed in there
    }
    if max_age == NOW:
        asked["prompt"] = "login"  # to show again who they are: what the provider remembers is not enough
    if service.second_factor_claim == SignInService.SecondFactor.ACR:
        asked["acr_values"] = service.second_factor_value
    facts = {"service": service, "address": provider.where_to_sign_in(**asked)}
    return render(request, "sign_in_services/sign_in.html", facts)


def answer_of(request: Request, service: SignInService, state: dict[str, Any]) -> dict[str, Any]:
    """What the service says about the person, checked. Everything that it is asked takes 5 seconds together.

    Raises Refusal.
    """
    if not state:
        raise Refusal("That sign-in has run out, was used before, or began in another browser. Try again.")
    require_on(service)
    if "error" in request.GET or "code" not in request.GET:
        stopped = request.GET.get("error") == "access_denied"
        why = "did not let you in, or you stopped on the way" if stopped else "could not sign you in"
        raise Refusal(f"{service} {why}. Try again, or sign in with a code.")
    if request.GET.get("iss", service.issuer) != service.issuer:
        raise Refusal(unbelieved(service, "The answer is from another issuer."))
    deadline = Deadline()
    provider = provider_of(service, deadline=deadline)
    try:
        id_token = oidc.id_token_for(
            request.GET["code"],
            provider,
            client_id=service.client_id,
            client_secret=service.client_secret,
            redirect_uri=address_to_return_to(request, service),
            code_verifier=state["code_verifier"],
            deadline=deadline,
        )
        keys = oidc.keys_of(provider, deadline=deadline)
        return oidc.claims_of(
            id_token, keys=keys, issuer=service.issuer, client_id=service.client_id, nonce=state["nonce"]
        )
    except oidc.TokenRefused as fault:
        raise Refusal(unbelieved(service, str(fault))) from fault
    except oidc.ProviderFault as fault:
        raise Refusal(silent(service, str(fault))) from fault
    except (VaultClosed, CannotOpen) as fault:
        raise Refusal(silent(service, str(fault))) from fault


def provider_of(service: SignInService, *, deadline: Deadline) -> oidc.Provider:
    """What the service's provider says about itself, within the hour. Raises Refusal."""
    key = f"sign-in-service:{service.id}"
    known = cache.get(key)
    if known:
        return oidc.Provider(**known)
    try:
        found = oidc.discover(service.issuer, deadline=deadline, is_known=True)
    except oidc.ProviderFault as fault:
        raise Refusal(silent(service, str(fault))) from fault
    cache.set(key, asdict(found), DISCOVERY_SECONDS)
    return found


def strength_of(
    request: Request, service: SignInService, claims: dict[str, Any], state: dict[str, Any]
) -> dict[str, Any]:
    """What is noted of a sign-in besides its kind: when it was shown there, and whether it counts as both factors.

    What a service does not date was shown at no moment that we know, and is not counted as a second factor; nor is
    what is older than was asked for.
    """
    shown_at = oidc.signed_in_at(claims)
    strength: dict[str, Any] = {"at": min(request.now.timestamp(), shown_at) if shown_at else 0}
    if oidc.says(claims, service.second_factor_claim, service.second_factor_value) and not is_older(claims, state):
        strength |= BY_BOTH
    return strength


def is_older(claims: dict[str, Any], state: dict[str, Any]) -> bool:
    """Whether the person may have signed in at the service longer ago than was asked for."""
    shown_at = oidc.signed_in_at(claims)
    return shown_at is None or shown_at < state["not_before"] - oidc.LEEWAY_SECONDS


def require_on(service: SignInService) -> None:
    if not service.is_on:
        raise Refusal(f"Signing in with {service} was switched off. Sign in with a code.")


def silent(service: SignInService, why: str) -> str:
    log.warning("Sign-in service %s failed: %s", service.id, why)
    return f"{service} did not answer as it should. Try again in a few minutes, or sign in with a code."


def unbelieved(service: SignInService, why: str) -> str:
    log.warning("Sign-in service %s was not believed: %s", service.id, why)
    return f"We could not check what {service} said about you. Sign in with a code, and tell your administrator."


def refused(request: Request, refusal: Refusal, next_url: str | None = None) -> HttpResponse:
    """Back to where the person was, with the words. Nothing that came with them stays in the address."""
    messages.error(request, str(refusal))
    if request.user.is_authenticated:
        return redirect("accounts:account")
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    return redirect(reverse("account_request_login_code") + query)


def address_to_return_to(request: Request, service: SignInService) -> str:
    """What the administrator registers at the service, and what each flow names."""
    return request.build_absolute_uri(reverse("sign_in_services:back", args=[service.id]))
