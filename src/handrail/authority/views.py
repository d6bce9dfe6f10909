"""What the authority says about its service to anybody, and the settings only its administrators see."""

from datetime import date
from hashlib import sha256
from typing import Any

from django.conf import settings as django_settings
from django.contrib import messages
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response

from handrail.accounts.known_browsers import LASTS
from handrail.accounts.roles import Permission
from handrail.authority import rules
from handrail.authority.actions import CHANGEABLE, SettingRefused, change_settings, changed_fields, check
from handrail.authority.colour import OURS
from handrail.authority.effects import effect_of
from handrail.authority.forms import SettingsForm, shown
from handrail.core.access import PUBLIC, Door, Request
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.guidance.published import framework
from handrail.policies.models import DUTIES, Kind
from handrail.returns.rules import RULES

CHOSEN = "chosen_settings"
"""Where a session keeps settings that are chosen and not yet saved."""


class BrandView(Door):
    """The authority's colour, as a stylesheet of one rule. A browser asks each time whether it has changed."""

    permission = PUBLIC

    def get(self, request: Request) -> HttpResponseBase | None:
        css = f":root{{--handrail-brand:{AuthoritySettings.load().brand_colour or OURS}}}\n"
        etag = f'"{sha256(css.encode()).hexdigest()[:16]}"'
        fresh = HttpResponse(css, content_type="text/css", headers={"ETag": etag, "Cache-Control": "no-cache"})
        return get_conditional_response(request, etag=etag, response=fresh)


class SettingsView(Door):
    """Choose; nothing is saved before the next page has said what it would change."""

    permission = Permission.EDIT_SETTINGS

    def get(self, request: Request) -> HttpResponse:
        again = request.session.get(CHOSEN) if "again" in request.GET else None
        chosen = again or model_to_dict(AuthoritySettings.load(), fields=CHANGEABLE)
        return self.page(request, SettingsForm(initial=chosen))

    def post(self, request: Request) -> HttpResponse:
        form = SettingsForm(request.POST)
        if form.is_valid():
            try:
                check(form.settings)
            except SettingRefused as refusal:
                form.add_error(refusal.field, str(refusal))
        if not form.is_valid():
            return self.page(request, form)
        request.session.pop(CHOSEN, None)
        if not changed_fields(form.settings, instead_of=AuthoritySettings.load()):
            messages.info(request, "You changed nothing.")
            return redirect("authority:settings")
        request.session[CHOSEN] = form.cleaned_data
        return redirect("authority:check_settings")

    def page(self, request: Request, form: SettingsForm) -> HttpResponse:
        last = AuditEntry.objects.filter(subject_kind="settings").order_by("-at").first()
        return render(request, "authority/settings.html", {"form": form, "last_change": last})


class CheckSettingsView(Door):
    """What the chosen settings change, and the button that saves them."""

    permission = Permission.EDIT_SETTINGS

    def get(self, request: Request) -> HttpResponse:
        if CHOSEN not in request.session:
            return redirect("authority:settings")
        now, chosen = AuthoritySettings.load(), AuthoritySettings(**request.session[CHOSEN])
        changes = [
            (SettingsForm.base_fields[field].label, shown(getattr(now, field)), shown(getattr(chosen, field)))
            for field in changed_fields(chosen, instead_of=now)
        ]
        effect = effect_of(chosen, instead_of=now, on=request.today)
        facts = {"changes": changes, "effect": effect, "colour": chosen.brand_colour or OURS}
        return render(request, "authority/check_settings.html", facts)

    def post(self, request: Request) -> HttpResponse:
        chosen = request.session.pop(CHOSEN, None)
        if chosen:
            change_settings(to=AuthoritySettings(**chosen), by=request.user, at=request.now)
            messages.success(request, "The settings are saved.")
        return redirect("authority:settings")


class PublicPage(Door):
    """A page of words for anybody."""

    permission = PUBLIC
    template: str

    def get(self, request: Request) -> HttpResponse:
        settings = AuthoritySettings.load()
        return render(request, self.template, {"settings": settings, **self.facts(request.today, settings)})

    def facts(self, today: date, settings: AuthoritySettings) -> dict[str, Any]:
        """What the page says besides its words and the authority's settings."""
        return {}


class HelpView(PublicPage):
    template = "authority/help.html"


class CookiesView(PublicPage):
    template = "authority/cookies.html"

    def facts(self, today: date, settings: AuthoritySettings) -> dict[str, Any]:
        return {
            "session_cookie": django_settings.SESSION_COOKIE_NAME,
            "csrf_cookie": django_settings.CSRF_COOKIE_NAME,
            "known_cookie": django_settings.KNOWN_BROWSER_COOKIE_NAME,
            "known_days": LASTS.days,
            "hours": django_settings.SESSION_COOKIE_AGE // 3600,
        }


class AccessibilityView(PublicPage):
    template = "authority/accessibility.html"


class HowWeWorkOutStatusView(PublicPage):
    template = "authority/how_we_work_out_status.html"

    def facts(self, today: date, settings: AuthoritySettings) -> dict[str, Any]:
        duty = framework(DUTIES[Kind.ALLERGY_SAFETY])
        return {
            "examples": rules.examples(on=today, settings=settings),
            "duties": rules.duties(),
            "colour_rules": RULES,
            "allergy_safety": duty and duty.as_at(today),
        }
