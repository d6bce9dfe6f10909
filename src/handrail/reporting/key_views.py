"""Where keys for other programs are made and revoked."""

from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.reporting.actions import make_key, revoke_key
from handrail.reporting.forms import KeyForm
from handrail.reporting.models import ApiKey


class KeysView(Door):
    permission = Permission.KEEP_KEYS

    def get(self, request: Request) -> HttpResponse:
        keys = list(ApiKey.objects.with_makers(on=request.today))
        working = [key for key in keys if key.works_on(request.today)]
        facts = {"working": working, "others": [key for key in keys if key not in working]}
        return render(request, "reporting/keys.html", facts)


class MakeKeyView(Door):
    """Makes a key, and shows it this once."""

    permission = Permission.KEEP_KEYS
    asks_again = ("GET", "POST")

    def get(self, request: Request) -> HttpResponse:
        in_a_year = request.today + relativedelta(years=1)
        return self.page(request, self.form(initial={"expires_on": in_a_year}))

    def post(self, request: Request) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.page(request, form)
        key, secret = make_key(by=request.user, at=request.now, **form.cleaned_data)
        return render(request, "reporting/key_made.html", {"key": key, "secret": secret})

    def form(self, *data: Any, **more: Any) -> KeyForm:
        request: Any = self.request
        is_about_children = request.user.may(Permission.KEEP_CHILD_KEYS)
        return KeyForm(*data, today=request.today, is_about_children=is_about_children, **more)

    def page(self, request: Request, form: KeyForm) -> HttpResponse:
        return render(request, "reporting/make_key.html", {"form": form})


class RevokeKeyView(Door):
    permission = Permission.KEEP_KEYS
    asks_again = ("GET", "POST")

    def get(self, request: Request, key_id: UUID) -> HttpResponse:
        return render(request, "reporting/revoke_key.html", {"key": get_or_404(ApiKey.objects, id=key_id)})

    def post(self, request: Request, key_id: UUID) -> HttpResponse:
        key = get_or_404(ApiKey.objects, id=key_id)
        revoke_key(key=key, by=request.user, at=request.now)
        messages.success(request, f"{key} opens nothing any more.")
        return redirect("reporting:keys")
