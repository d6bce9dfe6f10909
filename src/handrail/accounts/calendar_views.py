"""Where somebody gets the secret address of their calendar, and stops it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from handrail.accounts.calendar_actions import make_key, stop_key
from handrail.accounts.models import CalendarKey
from handrail.core.access import SIGNED_IN, Door, Request


class CalendarView(Door):
    """Makes the address, and shows it this once."""

    permission = SIGNED_IN
    asks_again = ("POST",)

    def get(self, request: Request) -> HttpResponse:
        return self.page(request)

    def post(self, request: Request) -> HttpResponse:
        key = make_key(user=request.user, at=request.now)
        return self.page(request, f"{request.build_absolute_uri(reverse('overview:calendar'))}?key={key}")

    def page(self, request: Request, address: str = "") -> HttpResponse:
        made = CalendarKey.objects.filter(user=request.user).first()
        answer = render(request, "accounts/calendar.html", {"made": made, "address": address})
        answer["Cache-Control"] = "no-store"
        return answer


class StopView(Door):
    permission = SIGNED_IN

    def post(self, request: Request) -> HttpResponse:
        stop_key(user=request.user, by=request.user, at=request.now)
        messages.success(request, "Your calendar address has stopped working.")
        return redirect("accounts:calendar")
