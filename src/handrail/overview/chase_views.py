"""The chase list, and reminders by hand."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request
from handrail.core.jinja import plural
from handrail.core.models import AuthoritySettings
from handrail.core.spreadsheet import csv_file
from handrail.core.status import Status
from handrail.notices.models import Notice
from handrail.overview.forms import ChaseFilters
from handrail.overview.lists import SHORT_NAMES, chase_list, policies_to_watch
from handrail.policies.models import Policy
from handrail.policies.reminders import NOBODY_TO_REMIND, SUBJECT, Reminded, example, forecast, remind
from handrail.schools.models import School

PAGE = 50
NAMED_AT_MOST = 20
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def chase_filters(request: Request) -> ChaseFilters:
    """The filters in the address, with the phases that this authority's schools have."""
    phases = School.objects.open().exclude(phase_name="").order_by("phase_name").values_list("phase_name", flat=True)
    return ChaseFilters(request.GET, phases=phases.distinct())


def with_last_reminder(policies: QuerySet[Policy]) -> QuerySet[Policy]:
    """Adds `reminded_at`: when the newest message about the policy left, or was asked for if it is on its way."""
    newest = Notice.objects.filter(subject_kind=SUBJECT, subject_id=OuterRef("pk")).that_reached().order_by("-owed_at")
    return policies.annotate(reminded_at=Subquery(newest.values(left=Coalesce("ended_at", "owed_at"))[:1]))


class ChaseView(Door):
    """Every policy that is overdue or was never recorded, the most urgent first."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        form = chase_filters(request)
        found: dict[str, Any] = {"form": form, "names": SHORT_NAMES}
        if form.is_valid():
            policies = chase_list(form.cleaned_data, on=request.today, settings=AuthoritySettings.load())
            page = Paginator(with_last_reminder(policies), PAGE).get_page(request.GET.get("page"))
            found |= {"page": page, "chosen": form.chosen(request), "asked": list(request.GET.items())}
        return render(request, "overview/chase.html", found)


class RemindView(Door):
    """Are you sure? Says what would be sent, how many and who gets none; then asks for the reminders.

    What was chosen stands in the address: the policy of one button, the ticked ones, or the whole list as filtered.
    """

    permission = Permission.CHASE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        policies = self.chosen(request)
        first = policies.exclude(NOBODY_TO_REMIND).first() if policies is not None else None
        if policies is None or not policies.exists():
            messages.error(request, "Select at least one policy to send a reminder about.")
            return redirect(self.list_address(request))
        nobody = policies.filter(NOBODY_TO_REMIND)
        found = {
            "count": forecast(policies=policies, at=request.now),
            "example": example(policy=first, by=request.user, at=request.now) if first else None,
            "nobody": nobody[:NAMED_AT_MOST],
            "back": self.list_address(request),
            "has_quiet_hours": AuthoritySettings.load().has_quiet_hours,
        }
        return render(request, "overview/remind.html", found)

    def post(self, request: Request) -> HttpResponse:
        policies = self.chosen(request)
        if policies is not None:
            done = remind(policies=policies, by=request.user, at=request.now)
            messages.success(request, in_words(done)) if done.sent else messages.info(request, in_words(done))
        return redirect(self.list_address(request))

    def chosen(self, request: Request) -> QuerySet[Policy] | None:
        """The policies that the address names; nothing when it names none or its filters are not known."""
        settings = AuthoritySettings.load()
        if "all" in request.GET and "one" not in request.GET:
            form = chase_filters(request)
            if not form.is_valid():
                return None
            return chase_list(form.cleaned_data, on=request.today, settings=settings)
        named = [request.GET["one"]] if "one" in request.GET else request.GET.getlist("policy")
        ids = [each for each in named if UUID.fullmatch(each)]
        if not ids:
            return None
        return policies_to_watch(on=request.today, settings=settings).filter(id__in=ids)

    def list_address(self, request: Request) -> str:
        """The chase list with the filters that it had."""
        kept = request.GET.copy()
        for name in ("one", "policy", "all"):
            kept.pop(name, None)
        return reverse("overview:chase") + (f"?{kept.urlencode()}" if kept else "")


def in_words(done: Reminded) -> str:
    """What became of it, in sentences."""
    parts = [f"{plural(done.sent, 'reminder is', 'reminders are')} on the way."]
    if done.reminded_recently:
        parts.append(
            f"{plural(done.reminded_recently, 'policy was', 'policies were')} left out: reminded in the last 24 hours."
        )
    if done.nobody_to_remind:
        parts.append(f"{plural(done.nobody_to_remind, 'policy has', 'policies have')} nobody to remind.")
    return " ".join(parts)


class ChaseCsvView(Door):
    """The same list as a file."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponseBase:
        form = chase_filters(request)
        if not form.is_valid():
            return redirect(f"{reverse('overview:chase')}?{request.GET.urlencode()}")
        policies = chase_list(form.cleaned_data, on=request.today, settings=AuthoritySettings.load())
        headings = ["URN", "School", "Phase", "Policy", "Status", "Last reviewed", "Next review", "Days overdue"]
        headings += ["Named lead", "Lead's e-mail", "Last reminded"]
        return csv_file(f"chase-{request.today}.csv", headings, self.rows(with_last_reminder(policies), request.today))

    def rows(self, policies: QuerySet[Any], on: date) -> Iterator[list[Any]]:
        for policy in policies.iterator(chunk_size=1000):
            school: Any = policy.school
            due_on = policy.next_review_on
            yield [
                school.urn,
                school.name,
                school.phase_name,
                str(policy),
                Status(policy.status).label,
                policy.last_reviewed_on,
                due_on,
                (on - due_on).days if due_on and due_on < on else None,
                policy.lead_name or school.lead_name,
                policy.lead_email or school.lead_email,
                policy.reminded_at,
            ]
