"""Signing in and out: allauth's pages where it decides, ours where it would leave a person without a word."""

from typing import Any

from allauth.account import views as allauth
from allauth.account.adapter import get_adapter
from allauth.account.internal.stagekit import clear_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from handrail.accounts.models import SignInService
from handrail.accounts.service_views import services_for
from handrail.core.access import SIGNED_IN, Door, Request


def tell_unknown(email: str) -> None:
    """Write to an address without an account: the page says the same, takes as long and sends one message too."""
    get_adapter().send_mail("account/email/unknown_account", email, {})


class RequestCodeView(allauth.RequestLoginCodeView):
    """The first page of signing in. Who was sent a code already goes on to enter it; asking again starts anew."""

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: Any) -> HttpResponse | None:
        if request.method == "POST":
            clear_login(request)
            return None
        return HttpResponseRedirect(self.passthrough_next_url(reverse(stage.urlname)))

    def get_context_data(self, **facts: Any) -> dict[str, Any]:
        return super().get_context_data(services=SignInService.objects.filter(is_on=True), **facts)

    def form_valid(self, form: Any) -> HttpResponse:
        if form._user is None:
            tell_unknown(form.cleaned_data["email"])
        answer: HttpResponse = super().form_valid(form)
        return answer


class EnterCodeView(allauth.ConfirmLoginCodeView):
    """The second page of signing in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        ran_out = getattr(self, "_process", None) is None and not request.user.is_authenticated
        if ran_out and request.method == "POST":
            messages.error(request, "That code has run out. Ask for a new one.")
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """After the last try back to the first page, still knowing where the person was going."""
        answer: HttpResponse = super().form_invalid(form)
        if isinstance(answer, HttpResponseRedirect):
            return HttpResponseRedirect(self.passthrough_next_url(answer.url))
        return answer


class PasswordView(allauth.LoginView):
    """Signing in with a password, also by somebody who was sent a code."""

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: Any) -> None:
        return None


class ResetView(allauth.PasswordResetView):
    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        if not form.users and answer.status_code == 302:
            tell_unknown(form.cleaned_data["email"])
        return answer


class AccountView(Door):
    """Who I am here, what I may do, and how I sign in."""

    permission = SIGNED_IN

    def get(self, request: Request) -> HttpResponse:
        return render(request, "accounts/account.html", {"services": services_for(request.user)})
