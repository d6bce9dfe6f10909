"""Pages about second steps: set one up, take it away, show it again, and reset that of somebody who lost theirs."""

from base64 import b64encode
from typing import Any
from uuid import UUID

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from allauth.mfa.webauthn.internal import auth
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from handrail.accounts.drafts import keep_typed, takes_text
from handrail.accounts.factors import is_fresh
from handrail.accounts.models import SignInService, User
from handrail.accounts.roles import Permission
from handrail.accounts.second_step import actions, recovery
from handrail.accounts.second_step.forms import (
    AddAppForm,
    AddPasskeyForm,
    CodeAgainForm,
    PasskeyAgainForm,
    RemovePasskeyForm,
)
from handrail.core.access import SIGNED_IN, Door, Request, get_or_404

GOING_TO, SECRET = "second_step_going_to", "second_step_secret"
"""Where a session keeps the page that somebody was going to, and the sealed secret of an app being set up."""

PREFIX = "second-step"
"""Of our own fields on a page that carries somebody else's."""

SENT = f"{PREFIX}-sent"


def ask(request: Any) -> HttpResponse:
    """What a request meets that needs a second step and has none: show it, or set one up, and then go on.

    What was typed travels on in the page that asks, and is sent again from there. Where something has to be set up, or
    the person has to sign in anew, it becomes their draft.
    """
    going_to, is_sent = request.get_full_path(), request.method == "POST"
    request.replaces_draft = False
    if actions.set_up_by(request.user).exists():
        if is_sent:
            return again_page(request, going_to=going_to, typed=typed(request))
        return HttpResponseRedirect(f"{reverse('accounts:second_step_again')}?{urlencode({'next': going_to})}")
    door = request.resolver_match.func.view_class
    if is_sent and not takes_text(door):
        going_to = reverse("accounts:account") if door.asks_again else "/"
    elif is_sent:
        keep_typed(request, user_id=request.user.id)
    if must_sign_in_anew(request) or actions.services_of(request.user).exists():
        return HttpResponseRedirect(f"{reverse('accounts:second_step_again')}?{urlencode({'next': going_to})}")
    request.session[GOING_TO] = going_to
    return redirect("accounts:second_step")


def must_sign_in_anew(request: Any) -> bool:
    """Whether the person has no second step to show, and it is a while since they signed in."""
    is_shown = is_fresh(get_authentication_records(request, request.user), at=request.now)
    return not is_shown and not actions.has_one(request.user)


def typed(request: HttpRequest) -> list[tuple[str, str]]:
    """Every field that was sent but our own, and a password: no page holds one."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        if not name.startswith((f"{PREFIX}-", "password")) and name != "csrfmiddlewaretoken"
        for value in values
    ]


def ours(request: HttpRequest, address: str) -> str:
    """The address when it is one of ours, else the start page."""
    return address if url_has_allowed_host_and_scheme(address, {request.get_host()}) else "/"


def again_page(
    request: Any,
    *,
    going_to: str,
    typed: list[tuple[str, str]] | None,
    code_form: CodeAgainForm | None = None,
    passkey_form: PasskeyAgainForm | None = None,
) -> HttpResponse:
    """`typed` is what was sent to where they were going, or nothing when they only wanted to see it."""
    kinds = set(actions.of(request.user).values_list("type", flat=True))
    context = {
        "form": code_form or CodeAgainForm(user=request.user, prefix=PREFIX),
        "page_errors": wrong_with(passkey_form),
        "prefix": PREFIX,
        "going_to": going_to,
        "typed": typed,
        "has_app": Authenticator.Type.TOTP in kinds,
        "has_code": bool(kinds),
        "may_set_up": not actions.has_one(request.user),
        "signs_in_anew": must_sign_in_anew(request),
        "services": actions.services_of(request.user) if typed is None else [],  # what was typed is not sent to them
    }
    if Authenticator.Type.WEBAUTHN in kinds:
        context["passkey_options"] = auth.begin_authentication(request.user)
    return render(request, "accounts/second_step_again.html", context)


class AgainView(Door):
    """Is it still you? Then on to where the person was going, with what they had typed."""

    permission = SIGNED_IN

    def get(self, request: Request) -> HttpResponse:
        going_to = ours(request, request.GET.get("next", "/"))
        ways = actions.set_up_by(request.user).exists() or actions.services_of(request.user).exists()
        if not ways and not must_sign_in_anew(request):
            request.session[GOING_TO] = going_to
            return redirect("accounts:second_step")
        return again_page(request, going_to=going_to, typed=None)

    def post(self, request: Request) -> HttpResponse:
        going_to = ours(request, request.POST.get(f"{PREFIX}-next", "/"))
        carried = typed(request) if SENT in request.POST else None
        form: Any
        if f"{PREFIX}-credential" in request.POST:
            form = PasskeyAgainForm(request.POST, user=request.user, prefix=PREFIX)
            shown = {"passkey_form": form}
        else:
            form = CodeAgainForm(request.POST, user=request.user, prefix=PREFIX)
            shown = {"code_form": form}
        if not form.is_valid():
            return again_page(request, going_to=going_to, typed=carried, **shown)
        form.save()
        request.session.cycle_key()
        used(request, request.user, form)
        answer = HttpResponseRedirect(going_to)
        if carried is not None:
            answer.status_code = 307  # the browser sends the same fields on, as it would have before
        return answer


def wrong_with(passkey_form: Any) -> list[dict[str, str]]:
    """For the error summary: the form itself is only a button."""
    return [{"text": said} for said in passkey_form.errors.get("credential", [])] if passkey_form else []


def used(request: Any, user: User, form: Any) -> None:
    """Record, and tell the person, when it was a recovery code."""
    authenticator = getattr(form, "authenticator", None)
    if authenticator and authenticator.type == Authenticator.Type.RECOVERY_CODES:
        authenticator.refresh_from_db()
        actions.record_use(user=user, authenticator=authenticator, by=user, at=request.now)
        tell(user, "recovery_code_used", left=left(authenticator))


def tell(user: User, what: str, **more: Any) -> None:
    get_account_adapter().send_notification_mail(f"mfa/email/{what}", user, more)


def recovery_codes_of(user: User) -> Any:
    return actions.of(user).filter(type=Authenticator.Type.RECOVERY_CODES)


def left(recovery_codes: Authenticator) -> int:
    """How many recovery codes are unused."""
    return len(recovery_codes.data["hashes"])


def overview(user: User) -> dict[str, Any]:
    """What the account page shows."""
    by_kind: dict[str, list[Authenticator]] = {}
    for each in actions.of(user):
        by_kind.setdefault(each.type, []).append(each)
    recovery_codes = by_kind.get(Authenticator.Type.RECOVERY_CODES)
    return {
        "has_app": Authenticator.Type.TOTP in by_kind,
        "passkeys": [each.wrap().name for each in by_kind.get(Authenticator.Type.WEBAUTHN, [])],
        "codes_left": left(recovery_codes[0]) if recovery_codes else None,
    }


# -- setting up --------------------------------------------------------------------------------------------


class SettingUp(Door):
    """A page that somebody without a second step may open: it is where they get one."""

    permission = SIGNED_IN
    needs_step_up = True
    sets_up_second_step = True
    asks_again = ("GET",)  # what is sent proves that it was opened; getting an app may take longer

    def done(self, request: Request, authenticator: Authenticator, said: str) -> HttpResponse:
        """They have just shown it, so they are asked for nothing more."""
        record_authentication(request, request.user, "mfa", id=authenticator.pk, type=authenticator.type)
        request.session.cycle_key()
        messages.success(request, said)
        if recovery_codes_of(request.user).exists():
            return HttpResponseRedirect(request.session.pop(GOING_TO, reverse("accounts:account")))
        return redirect("accounts:recovery_codes")


class ChooseView(SettingUp):
    """Why a second step is asked for, and which kinds there are."""

    def get(self, request: Request) -> HttpResponse:
        facts = {
            "is_sent_here": GOING_TO in request.session,
            "services": SignInService.objects.with_second_factor().difference(actions.services_of(request.user)),
        }
        return render(request, "accounts/second_step.html", facts | overview(request.user))


class AddAppView(SettingUp):
    """A secret to scan or type, and the first code as the proof that it arrived."""

    def get(self, request: Request) -> HttpResponse:
        if overview(request.user)["has_app"]:
            return redirect("accounts:remove_app")
        return self.page(request, AddAppForm(user=request.user, secret=self.secret(request)))

    def post(self, request: Request) -> HttpResponse:
        form = AddAppForm(request.POST, user=request.user, secret=self.secret(request))
        if not form.is_valid():
            return self.page(request, form)
        try:
            app = actions.add_app(user=request.user, secret=form.secret, by=request.user, at=request.now)
        except actions.HasOne as refusal:
            messages.info(request, str(refusal))
            return redirect("accounts:account")
        del request.session[SECRET]
        tell(request.user, "totp_activated")
        return self.done(request, app, "Your authenticator app is set up.")

    def secret(self, request: Request) -> str:
        """The same one until it is used: people reload, and open the page on a second screen."""
        if SECRET not in request.session:
            request.session[SECRET] = get_adapter().encrypt(generate_totp_secret())
        found: str = get_adapter().decrypt(request.session[SECRET])
        return found

    def page(self, request: Request, form: AddAppForm) -> HttpResponse:
        address = get_adapter().build_totp_url(request.user, form.secret)
        picture = b64encode(get_adapter().build_totp_svg(address).encode()).decode()
        context = {
            "form": form,
            "picture": f"data:image/svg+xml;base64,{picture}",
            "address": address,
            "secret": " ".join(form.secret[place : place + 4] for place in range(0, len(form.secret), 4)),
        }
        return render(request, "accounts/add_app.html", context)


class AddPasskeyView(SettingUp):
    """The browser makes a passkey; it must check its holder and be found again without an e-mail address."""

    def get(self, request: Request) -> HttpResponse:
        return self.page(request, AddPasskeyForm())

    def post(self, request: Request) -> HttpResponse:
        form = AddPasskeyForm(request.POST)
        if not form.is_valid():
            return self.page(request, form)
        passkey = actions.add_passkey(
            user=request.user,
            name=form.cleaned_data["name"],
            credential=form.cleaned_data["credential"],
            by=request.user,
            at=request.now,
        )
        tell(request.user, "webauthn_added")
        return self.done(request, passkey, "Your passkey is added.")

    def page(self, request: Request, form: AddPasskeyForm) -> HttpResponse:
        options = auth.begin_registration(request.user, passwordless=True)
        return render(request, "accounts/add_passkey.html", {"form": form, "passkey_options": options})


# -- what is set up ----------------------------------------------------------------------------------------


class SetUp(Door):
    """A page about what somebody has set up, which they must have shown within the last 15 minutes."""

    permission = SIGNED_IN
    needs_step_up = True

    def remove(self, request: Request, authenticator: Authenticator, *, told: str, said: str) -> HttpResponse:
        here: Any = request.session
        try:
            actions.remove(
                user=request.user, authenticator=authenticator, by=request.user, at=request.now, but=here.row_id
            )
        except actions.LastOne as refusal:
            messages.error(request, str(refusal))
        else:
            tell(request.user, told)
            messages.success(request, said)
        return redirect("accounts:account")


class RemoveAppView(SetUp):
    def get(self, request: Request) -> HttpResponse:
        get_or_404(actions.of(request.user), type=Authenticator.Type.TOTP)
        return render(request, "accounts/remove_app.html")

    def post(self, request: Request) -> HttpResponse:
        app = get_or_404(actions.of(request.user), type=Authenticator.Type.TOTP)
        return self.remove(request, app, told="totp_deactivated", said="Your authenticator app is removed.")


class RemovePasskeyView(SetUp):
    """Chosen by its credential's id: the keys of allauth's tables do not appear on pages."""

    def get(self, request: Request) -> HttpResponse:
        return render(request, "accounts/remove_passkey.html", {"form": RemovePasskeyForm(passkeys=self.passkeys())})

    def post(self, request: Request) -> HttpResponse:
        passkeys = self.passkeys()
        form = RemovePasskeyForm(request.POST, passkeys=passkeys)
        if not form.is_valid():
            return render(request, "accounts/remove_passkey.html", {"form": form})
        [chosen] = [
            each.instance for each in passkeys if each.instance.data["credential"]["id"] == form.cleaned_data["passkey"]
        ]
        return self.remove(request, chosen, told="webauthn_removed", said="Your passkey is removed.")

    def passkeys(self) -> list[Any]:
        """The person's passkeys. Raises Http404 when there are none."""
        user: Any = self.request.user
        get_or_404(actions.of(user), type=Authenticator.Type.WEBAUTHN)
        return [each.wrap() for each in actions.of(user).filter(type=Authenticator.Type.WEBAUTHN)]


def made(request: Request) -> HttpResponse:
    """Recovery codes, made for this one page: they cannot be shown again."""
    codes = actions.make_recovery_codes(user=request.user, by=request.user, at=request.now)
    going_to = request.session.pop(GOING_TO, reverse("accounts:account"))
    return render(request, "accounts/recovery_codes.html", {"codes": recovery.spaced(codes), "going_to": going_to})


class RecoveryCodesView(SetUp):
    """The first codes, for who has none; where setting up a second step leads to."""

    def get(self, request: Request) -> HttpResponse:
        if recovery_codes_of(request.user).exists():
            return redirect("accounts:new_recovery_codes")
        get_or_404(actions.set_up_by(request.user))
        return made(request)


class NewRecoveryCodesView(SetUp):
    """Codes instead of the ones before."""

    def get(self, request: Request) -> HttpResponse:
        codes = get_or_404(recovery_codes_of(request.user))
        return render(request, "accounts/new_recovery_codes.html", {"codes_left": left(codes)})

    def post(self, request: Request) -> HttpResponse:
        get_or_404(actions.set_up_by(request.user))
        answer = made(request)
        tell(request.user, "recovery_codes_generated")
        return answer


class ResetView(Door):
    """For somebody who has lost what they sign in with."""

    permission = Permission.MANAGE_PEOPLE
    needs_step_up = True

    def get(self, request: Request, person_id: UUID) -> HttpResponse:
        person = self.person(request, person_id)
        return render(request, "accounts/reset_second_step.html", {"person": person, "is_self": person == request.user})

    def post(self, request: Request, person_id: UUID) -> HttpResponse:
        person = self.person(request, person_id)
        try:
            actions.reset(user=person, by=request.user, at=request.now)
        except actions.OwnSecondStep as refusal:
            messages.error(request, str(refusal))
            return redirect("accounts:account")
        tell(person, "second_step_reset")
        messages.success(request, f"{person.name} can sign in and set up a new second step.")
        return redirect("/")

    def person(self, request: Request, person_id: UUID) -> User:
        """Raises Http404 for somebody whom the person does not manage."""
        found: User = get_or_404(User.objects.managed_by(request.user), id=person_id)
        return found
