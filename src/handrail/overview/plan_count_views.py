"""Pages of how reviews of plans are going, for people at the authority, who see no child."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request
from handrail.core.spreadsheet import csv_file
from handrail.overview.plan_conditions import LABELS
from handrail.overview.plan_counts import (
    DUE_SOON_DAYS,
    STATUSES,
    NotCounted,
    month_by_month,
    plan_counts,
    plan_counts_by_school,
    plans_by_condition,
)

T = TypeVar("T")

PAGE = 50
LOOKS_BACK = 13
"""Months on the page: the same month of last year is the last of them. The file has all."""

HEADINGS = [*(status.label for status in STATUSES), "All active", "Covered"]
KEPT_BACK = "Hidden"


class CountsDoor(Door):
    """A page of the count that stands, or of the one of the day that its address names."""

    permission = Permission.SEE_SCHOOLS
    request: Request

    @property
    def counted_on(self) -> date | None:
        """Raises Http404 for what is no day."""
        said = self.request.GET.get("counted", "")
        try:
            return date.fromisoformat(said) if said else None
        except ValueError as error:
            raise Http404 from error

    def read(self, counts: Callable[..., T]) -> T:
        """The counts of that day. Raises Http404 where plans were not counted on it."""
        try:
            return counts(on=self.request.today, counted_on=self.counted_on)
        except NotCounted as error:
            raise Http404 from error


class PlanCountsView(CountsDoor):
    """By phase, by the month in which they fall due, and how it stood in each month until now."""

    def get(self, request: Request) -> HttpResponse:
        counts = self.read(plan_counts)
        facts = {
            "counts": counts,
            "months": month_by_month(on=request.today)[:LOOKS_BACK] if counts.is_newest else [],
            "conditions": plans_by_condition(on=counts.counted_on),
            "condition_labels": LABELS,
            "headings": HEADINGS,
            "due_soon_days": DUE_SOON_DAYS,
        }
        return render(request, "overview/plan_counts.html", facts)


class PlanCountsBySchoolView(CountsDoor):
    """By school."""

    def get(self, request: Request) -> HttpResponse:
        schools = self.read(plan_counts_by_school)
        page = Paginator(schools, PAGE).get_page(request.GET.get("page"))
        facts = {"page": page, "headings": HEADINGS, "counted_on": self.counted_on}
        return render(request, "overview/plan_counts_by_school.html", facts)


class PlanCountsCsvView(CountsDoor):
    """The same tables as files."""

    def get(self, request: Request, counted: str) -> HttpResponseBase:
        tables = {
            "phases": self.phases,
            "schools": self.schools,
            "months": self.months,
            "conditions": self.conditions,
            "counts": self.counts,
        }
        headings, rows = tables[counted]()
        shown = ([KEPT_BACK if value is None else value for value in row] for row in rows)
        day = self.counted_on or request.today
        return csv_file(f"plan-reviews-by-{counted[:-1]}-{day}.csv", headings, shown)

    def schools(self) -> tuple[list[str], list[list[Any]]]:
        lines = self.read(plan_counts_by_school)
        return ["URN", "School", "Phase", *HEADINGS], [
            [line.urn, line.label, line.phase, *line.counts] for line in lines
        ]

    def months(self) -> tuple[list[str], list[list[Any]]]:
        return ["Month", "Reviews due"], [[month, value] for month, value in self.read(plan_counts).months]

    def conditions(self) -> tuple[list[str], list[list[Any]]]:
        counted_on, counts = plans_by_condition(on=self.read(plan_counts).counted_on) or (None, {})
        return ["Counted on", "Condition", "Plans, to the nearest ten"], [
            [counted_on, LABELS[each], count] for each, count in counts.items()
        ]

    def phases(self) -> tuple[list[str], list[list[Any]]]:
        counts = self.read(plan_counts)
        return ["Phase", *HEADINGS], [[line.label, *line.counts] for line in (*counts.phases, counts.total)]

    def counts(self) -> tuple[list[str], list[list[Any]]]:
        """Every month until now, by phase."""
        return ["Month", "Counted on", "Phase", *HEADINGS], [
            [each.counted_on.replace(day=1), each.counted_on, line.label, *line.counts]
            for each in month_by_month(on=self.request.today)
            for line in (*each.phases, each.total)
        ]
