"""Pages of the authority about policies on websites: which are there, which changed and which cannot be found."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet, TextChoices
from django.db.models.functions import TruncDate
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request
from handrail.core.calendar import LONDON
from handrail.core.spreadsheet import csv_file
from handrail.policies.models import SCHOOL_KINDS, Kind, Outcome, Policy
from handrail.policies.reminders import watched

PAGE = 50


class Sight(TextChoices):
    """How a policy stands on its website. One that was seen may also have changed."""

    NOT_FOUND = "not-found", "Not found at its address"
    CHANGED = "changed", "Changed since its last review"
    SEEN = "seen", "Seen"
    ASKED_NOT_TO = "asked-not-to", "Programs are asked not to look"
    NOT_YET = "not-yet", "Not looked at yet"
    NO_ADDRESS = "no-address", "No address given"


AS_ASKED = {
    Sight.NOT_FOUND: Q(website__failures__gt=0),
    Sight.CHANGED: Q(changed_on__gt=F("last_reviewed_on")),
    Sight.SEEN: Q(website__outcome=Outcome.FOUND),
    Sight.ASKED_NOT_TO: Q(website__outcome=Outcome.ASKED_NOT_TO, website__failures=0),
    Sight.NOT_YET: ~Q(published_url="") & (Q(website=None) | Q(website__looked_at=None)),
    Sight.NO_ADDRESS: Q(published_url=""),
}


class WebsiteFilters(forms.Form):
    q = forms.CharField(label="School or URN", required=False, max_length=100)
    sight = forms.ChoiceField(label="On the website", required=False, choices=[("", "All"), *Sight.choices])
    kind = forms.ChoiceField(
        label="Policy", required=False, choices=[("", "All"), *((each.value, each.label) for each in SCHOOL_KINDS)]
    )


def policies_on_websites(asked: dict[str, Any]) -> QuerySet[Policy]:
    """The needed policies of open schools that fit the filters, those that cannot be found for longest first."""
    found = watched().filter(school__isnull=False).select_related("school", "website")
    found = found.annotate(changed_on=TruncDate("website__changed_at", tzinfo=LONDON))
    if typed := asked.get("q"):
        found = found.filter(Q(school__name__icontains=typed) | Q(school__urn__startswith=typed))
    if sight := asked.get("sight"):
        found = found.filter(AS_ASKED[Sight(sight)])
    if kind := asked.get("kind"):
        found = found.filter(kind=kind)
    missing_first = F("website__failing_since").asc(nulls_last=True)
    return found.order_by(missing_first, F("changed_on").desc(nulls_last=True), "school__name", "school__urn", "kind")


class WebsitesView(Door):
    """Every policy and whether it can be read where the school says."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        form = WebsiteFilters(request.GET)
        found = policies_on_websites(form.cleaned_data if form.is_valid() else {})
        page = Paginator(found, PAGE).get_page(request.GET.get("page"))
        return render(request, "policies/websites.html", {"form": form, "page": page})


class WebsitesCsvView(Door):
    """The same list as a file."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponseBase:
        form = WebsiteFilters(request.GET)
        found = policies_on_websites(form.cleaned_data if form.is_valid() else {})
        headings = ["URN", "School", "Policy", "Address", "Last looked at", "Result", "Seen on", "Not found since"]
        return csv_file(f"websites-{request.today}.csv", [*headings, "Why", "Changed on", "Kind of file"], rows(found))


def rows(found: QuerySet[Any]) -> Iterator[list[Any]]:
    for policy in found.iterator(chunk_size=1000):
        of_policy = [policy.school.urn, policy.school.name, Kind(policy.kind).label, policy.published_url]
        seen = policy.seen
        if seen is None:
            yield [*of_policy, *([None] * 7)]
            continue
        times = [seen.seen_at, seen.failing_since, seen.why, seen.changed_at]
        yield [*of_policy, seen.looked_at, seen.get_outcome_display(), *times, seen.content_type]
