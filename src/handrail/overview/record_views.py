"""Pages of the record: who looked at a child, for the school; all changes and reads, for the data protection lead."""

from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from handrail.accounts.roles import Permission
from handrail.core import audit
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.core.spreadsheet import csv_file
from handrail.overview.forms import ExtractForm
from handrail.overview.record import HEADINGS, everything, extract, reads_of, told_of_everything, told_of_reads
from handrail.schools.models import Pupil

PAGE = 50


class WhoLookedView(Door):
    """Who looked at this child, by day: who, in what role, at what, and why."""

    permission, needs_step_up, shows_child = Permission.SEE_READS, True, True

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        child = get_or_404(Pupil.objects.visible_to(request.user).select_related("school"), id=child_id)
        page = Paginator(reads_of(child), PAGE).get_page(request.GET.get("page"))
        looks = told_of_reads(page)
        self.shows([child.id], ReadEntry.Group.READS, school_id=child.school_id)
        return render(request, "overview/who_looked.html", {"child": child, "page": page, "looks": looks})


class EverythingView(Door):
    """All changes and reads of the authority by day, with references in the place of children."""

    permission = Permission.EXTRACT_AUDIT

    def get(self, request: Request) -> HttpResponse:
        page = Paginator(everything(), PAGE).get_page(request.GET.get("page"))
        return render(request, "overview/everything.html", {"page": page, "activity": told_of_everything(page)})


class ExtractView(Door):
    """The same as a file, for a range of days. That it was taken is recorded first."""

    permission, needs_step_up = Permission.EXTRACT_AUDIT, True

    def get(self, request: Request) -> HttpResponse:
        known = {"first": request.today - timedelta(days=30), "last": request.today}
        return render(request, "overview/extract.html", {"form": ExtractForm(initial=known, today=request.today)})

    def post(self, request: Request) -> HttpResponseBase:
        form = ExtractForm(request.POST, today=request.today)
        if not form.is_valid():
            return render(request, "overview/extract.html", {"form": form})
        first, last = form.cleaned_data["first"], form.cleaned_data["last"]
        audit.record(
            "took an extract of the record",
            by=request.user,
            at=request.now,
            subject_kind="record",
            fields=[first.isoformat(), last.isoformat()],
        )
        return csv_file(f"record-{first}-to-{last}.csv", HEADINGS, extract(first, last))
