"""Pages of the authority: which settings are confirmed, and its place in the exchange. They show no child."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request
from handrail.core.calendar import day_of
from handrail.handovers import post
from handrail.handovers.forms import SettingForm
from handrail.handovers.models import Handover, Setting
from handrail.handovers.places import NoSetting, confirm_setting
from handrail.schools.models import School
from handrail.schools.own_schools import NO_SCHOOL, list_of_no_school
from tenants import exchange


class PlacesView(Door):
    """The settings of the authority, and a form to confirm another."""

    permission = Permission.CONFIRM_SETTINGS

    def get(self, request: Request) -> HttpResponse:
        return self.page(SettingForm())

    def post(self, request: Request) -> HttpResponse:
        if "list" in request.POST:
            list_of_no_school(by=request.user, at=request.now)
            messages.success(request, "Opened. Now add the people who look after these children.")
            return redirect("people:school", urn=NO_SCHOOL)
        form = SettingForm(request.POST)
        if not form.is_valid():
            return self.page(form)
        given = dict(form.cleaned_data)
        urn = given.pop("urn")
        school = School.objects.open().filter(urn=urn).first() if urn else None
        if urn and school is None:
            form.add_error("urn", "There is no open school with this URN in your authority")
            return self.page(form)
        try:
            setting = confirm_setting(school=school, by=request.user, at=request.now, **given)
        except NoSetting as refusal:
            form.add_error("urn", str(refusal))
            return self.page(form)
        messages.success(request, f"{setting} can now receive children.")
        return redirect("handovers:places")

    def page(self, form: SettingForm) -> HttpResponse:
        settings = Setting.objects.select_related("school")
        list_of_none = School.objects.filter(urn=NO_SCHOOL).first()
        facts = {"form": form, "settings": settings, "list_of_none": list_of_none}
        return render(self.request, "handovers/places.html", facts)


class ExchangeView(Door):
    """Join the exchange, see who is in it, and take nothing from somebody."""

    permission = Permission.KEEP_EXCHANGE
    asks_again = ("POST",)

    def get(self, request: Request) -> HttpResponse:
        members = exchange.members()
        own = next(each for each in members if each.role == request.authority.schema_name)
        return render(
            request,
            "handovers/exchange.html",
            {
                "own": own,
                "others": [each for each in members if each.role != own.role],
                "blocked": exchange.blocked(),
                "joined_on": day_of(own.joined_at) if own.joined_at else None,
                "under_way": Handover.objects.under_way().count(),
            },
        )

    def post(self, request: Request) -> HttpResponse:
        role: Any = request.POST.get("authority", "")
        known = {each.role: each.name for each in exchange.members() if each.role != request.authority.schema_name}
        if "join" in request.POST:
            post.join_exchange(by=request.user, at=request.now)
            messages.success(request, "Your authority can now send and receive handovers.")
        elif "block" in request.POST and role in known:
            post.block(role, by=request.user, at=request.now)
            messages.success(request, f"Nothing new is taken from {known[role]}. Handovers under way go on.")
        elif "unblock" in request.POST and role in known:
            post.unblock(role, by=request.user, at=request.now)
            messages.success(request, f"Handovers from {known[role]} are taken again.")
        return redirect("handovers:exchange")
