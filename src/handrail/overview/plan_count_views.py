"""Pages of how reviews of plans are going, for people at the authority, who see no child."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request
from handrail.core.spreadsheet import csv_file
from handrail.overview.plan_counts import DUE_SOON_DAYS, STATUSES, plan_counts, plan_counts_by_school

PAGE = 50
HEADINGS = [*(status.label for status in STATUSES), "All active", "Covered"]
KEPT_BACK = "Hidden"


class PlanCountsView(Door):
    """By phase, and by the month in which they fall due."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        facts = {"counts": plan_counts(on=request.today), "headings": HEADINGS, "due_soon_days": DUE_SOON_DAYS}
        return render(request, "overview/plan_counts.html", facts)


class PlanCountsBySchoolView(Door):
    """By school."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        schools = plan_counts_by_school(on=request.today)
        page = Paginator(schools, PAGE).get_page(request.GET.get("page"))
        return render(request, "overview/plan_counts_by_school.html", {"page": page, "headings": HEADINGS})


class PlanCountsCsvView(Door):
    """The same tables as files."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request, counted: str) -> HttpResponseBase:
        rows: list[list[Any]]
        if counted == "schools":
            headings = ["URN", "School", "Phase", *HEADINGS]
            rows = [
                [line.urn, line.label, line.phase, *line.counts] for line in plan_counts_by_school(on=request.today)
            ]
        elif counted == "months":
            headings = ["Month", "Reviews due"]
            rows = [[month, value] for month, value in plan_counts(on=request.today).months]
        else:
            headings = ["Phase", *HEADINGS]
            counts = plan_counts(on=request.today)
            rows = [[line.label, *line.counts] for line in (*counts.phases, counts.total)]
        shown = ([KEPT_BACK if value is None else value for value in row] for row in rows)
        return csv_file(f"plan-reviews-by-{counted[:-1]}-{request.today}.csv", headings, shown)
