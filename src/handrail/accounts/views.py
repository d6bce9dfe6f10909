"""Signing in and out: allauth's pages where it decides, ours where it would leave a person without a word."""

from typing import Any
from uuid import UUID

from allauth.account import views as allauth
from allauth.account.adapter import get_adapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.core import ratelimit
from allauth.mfa.base import views as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import views as webauthn
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from handrail.accounts import actions
from handrail.accounts.codes import For, has_ended, note_entered
from handrail.accounts.floods import count_try
from handrail.accounts.known_browsers import count_for, count_for_anybody
from handrail.accounts.models import Draft, Session, SignInService
from handrail.accounts.second_step.actions import of
from handrail.accounts.second_step.views import overview, used, wrong_with
from handrail.accounts.service_views import services_for
from handrail.core.access import PUBLIC, SIGNED_IN, Door, Request, get_or_404

RAN_OUT = "That code has run out. Ask for a new one."


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
        count_try(self.request)
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
            messages.error(request, RAN_OUT)
        return answer

    def get_form_kwargs(self) -> dict[str, Any]:
        ended = has_ended(self._process.state, what=For.SIGNING_IN)
        return super().get_form_kwargs() | ({"code": ""} if ended else {})

    def form_valid(self, form: Any) -> HttpResponse:
        """On to the second step, if there is one, still knowing where the person was going."""
        note_entered(self._process.state, what=For.SIGNING_IN)
        answer: HttpResponse = super().form_valid(form)
        if isinstance(answer, HttpResponseRedirect) and answer.url == reverse("mfa_authenticate"):
            return HttpResponseRedirect(self.passthrough_next_url(answer.url))
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """After the last try back to the first page, still knowing where the person was going."""
        answer: HttpResponse = super().form_invalid(form)
        if isinstance(answer, HttpResponseRedirect):
            return HttpResponseRedirect(self.passthrough_next_url(answer.url))
        return answer


class PasswordView(allauth.LoginView):
    """Signing in with a password, also by somebody who was sent a code."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        count_for(request.POST.get("login", ""), request=request)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def _redirect_to_pending_stage(self, request: HttpRequest, stage: Any) -> None:
        return None


class SecondStepView(mfa.AuthenticateView):
    """The last page of signing in, for who has a second step: a code of the app, a passkey or a recovery code."""

    def form_valid(self, form: Any) -> HttpResponse:
        used(self.request, self.stage.login.user.as_at(self.request.today), form)
        answer: HttpResponse = super().form_valid(form)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)
        kinds = set(of(self.stage.login.user).values_list("type", flat=True))
        found["has_app"] = Authenticator.Type.TOTP in kinds
        if Authenticator.Type.WEBAUTHN in kinds:
            found["passkey_options"] = found["js_data"]["request_options"]
        found["page_errors"] = wrong_with(self.webauthn_form)
        return found


class PasskeyView(webauthn.LoginWebAuthnView):
    """Signing in with a passkey and nothing else, from the first page."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        count_for_anybody(request)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        count_try(request)
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        """On to where the person was going."""
        passkey = form.cleaned_data["credential"]
        login = Login(user=passkey.user, redirect_url=get_next_redirect_url(self.request))
        answer: HttpResponse = perform_passwordless_login(self.request, passkey, login)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        for said in form.errors.get("credential", []):
            messages.error(self.request, said)
        return redirect("account_request_login_code")


class SetPasswordView(allauth.PasswordSetView):
    """A first password, which opens the account from then on."""

    asks_again = ("GET", "POST")


class ResetView(allauth.PasswordResetView):
    """The first page of choosing a forgotten password anew."""

    def form_valid(self, form: Any) -> HttpResponse:
        """As the library's, but that a known browser is counted by itself."""
        email = form.cleaned_data["email"]
        key = count_for(email, request=self.request)
        if too_many := ratelimit.consume_or_429(self.request, action="reset_password", key=key):
            return too_many
        form.save(self.request)
        if not form.users:
            tell_unknown(email)
        answer: HttpResponse = super(allauth.PasswordResetView, self).form_valid(form)
        return answer


class EnterResetCodeView(allauth.ConfirmPasswordResetCodeView):
    """The second page of choosing a forgotten password anew. Without a code that still counts, back to the first."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer if self._process else ran_out(request)

    def get_form_kwargs(self) -> dict[str, Any]:
        ended = has_ended(self._process.state, what=For.RESET)
        return super().get_form_kwargs() | ({"code": ""} if ended else {})

    def form_valid(self, form: Any) -> HttpResponse:
        note_entered(self._process.state, what=For.RESET)
        answer: HttpResponse = super().form_valid(form)
        return answer


class ChooseAnewView(allauth.CompletePasswordResetView):
    """The last page of choosing a forgotten password anew."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        count_for_anybody(request)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer if self._process else ran_out(request)


def ran_out(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        messages.error(request, RAN_OUT)
    return redirect("account_reset_password")


class AccountView(Door):
    """Who I am here, what I may do, how I sign in, and where I am signed in."""

    permission = SIGNED_IN

    def get(self, request: Request) -> HttpResponse:
        mine = Session.objects.visible_to(request.user).open(at=request.now).order_by("-last_used_at")
        here = request.session.row_id
        context = {
            "second_step": overview(request.user),
            "services": services_for(request.user),
            "sessions": mine,
            "here": here,
        }
        return render(request, "accounts/account.html", context)


class EndSessionView(Door):
    """Sign out of one of my sessions."""

    permission = SIGNED_IN
    asks_again = ("POST",)

    def post(self, request: Request, session_id: UUID) -> HttpResponse:
        session = get_or_404(Session.objects.visible_to(request.user), id=session_id)
        actions.end_session(session=session, by=request.user, at=request.now)
        if session.id == request.session.row_id:
            logout(request)
        else:
            messages.success(request, f"Signed out of {session.device or 'the other device'}.")
        return redirect("accounts:account")


class EndOthersView(Door):
    """Sign out everywhere but here."""

    permission = SIGNED_IN
    asks_again = ("POST",)

    def post(self, request: Request) -> HttpResponse:
        here = request.session.row_id
        actions.end_sessions(user=request.user, by=request.user, at=request.now, but=here)
        messages.success(request, "Signed out everywhere else.")
        return redirect("accounts:account")


class ThrowAwayView(Door):
    """Forget what I had typed into a page and not saved."""

    permission = SIGNED_IN

    def post(self, request: Request, draft_id: UUID) -> HttpResponse:
        draft = get_or_404(Draft.objects.visible_to(request.user), id=draft_id)
        actions.forget_draft(user=request.user, path=draft.path)
        messages.success(request, "Thrown away.")
        return redirect(draft.path)


class EndedView(Door):
    """Where a page goes when it was left alone. Somebody who is still signed in, by another page, goes back to it."""

    permission = PUBLIC
    template_name = "accounts/ended.html"

    def get(self, request: Request) -> HttpResponse:
        going_to = request.GET.get("next", "/")
        if not url_has_allowed_host_and_scheme(going_to, allowed_hosts=None):
            going_to = "/"
        if request.user.is_authenticated:
            return redirect(going_to)
        return render(request, self.template_name, {"going_to": going_to})
