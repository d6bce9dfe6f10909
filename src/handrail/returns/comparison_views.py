"""The authority's adequacy on the 2017 criteria, beside what two audits published."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from handrail.accounts.roles import Permission
from handrail.core import charts
from handrail.core.access import Door, Request
from handrail.core.spreadsheet import csv_file
from handrail.guidance.audits import AUDITS
from handrail.guidance.published import framework
from handrail.returns.comparison import By, comparison, month_by_month
from handrail.returns.models import Cycle
from handrail.returns.rules import CRITERIA
from handrail.schools.terms import year_in_words

NO_REPETITION = (
    "This does not repeat the audit of 2017. There, others read the policies, and a school that could show none counted"
    " as not adequate. Here schools answer for themselves, and one that has not answered is not counted."
)
LOOKS_BACK = 24
"""Months on the page. The file has all."""


class ComparisonView(Door):
    """By phase, type or trust, and month by month."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        by = By(request.GET["by"]) if request.GET.get("by") in By.values else By.PHASE
        months = month_by_month()[-LOOKS_BACK:]
        cycle = Cycle.objects.first()
        groups = comparison(on=request.today)[by]
        facts = {
            "by": by,
            "ways": list(By),
            "groups": groups,
            "total": groups[-1],
            "years": [(year_in_words(year), schools) for year, schools in groups[-1].years],
            "months": months,
            "line": line_of(months),
            "audits": AUDITS,
            "no_repetition": NO_REPETITION,
            "criteria": framework(CRITERIA),
            "is_asked": cycle is not None and CRITERIA in cycle.framework_ids,
        }
        return render(request, "returns/comparison.html", facts)


def line_of(months: list[Any]) -> str:
    """The share of those that answered, by month; nothing while there are not two months with answers."""
    answered = [(ended_on, group) for ended_on, group in months if group.answered]
    if len(answered) < 2:
        return ""
    series = {
        "Adequate": [100 * group.adequate / group.answered for _, group in answered],
        "And published": [100 * group.published / group.answered for _, group in answered],
    }
    labels = [ended_on.strftime("%b %Y") for ended_on, _ in answered]
    return charts.line(labels, series, description="Per cent of the schools that answered, by month")


class ComparisonCsvView(Door):
    """The same numbers, grouped in every way, and of every month. What was published, and what is to be read with care,
    stands at the end of each row, so that it stays beside those that somebody picks out or copies.
    """

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponseBase:
        headings = [
            "As at",
            "Grouped by",
            "Group",
            "Schools",
            "Answered the nine points",
            "Adequate on the 2017 criteria",
        ]
        headings += ["Per cent of those that answered", "Adequate and published", "Per cent of those that answered"]
        headings += [*(f"Published elsewhere, {audit.when}: per cent" for audit in AUDITS), "With care"]
        return csv_file(f"2017-criteria-{request.today}.csv", headings, self.rows(request))

    def rows(self, request: Request) -> Iterator[list[Any]]:
        for by, groups in comparison(on=request.today).items():
            for group in groups:
                yield [request.today, By(by).label, *self.numbers(group)]
        for ended_on, group in month_by_month():
            yield [ended_on, "Month", *self.numbers(group)]

    def numbers(self, group: Any) -> list[Any]:
        adequate, published = group.share(group.adequate), group.share(group.published)
        audited = [audit.percent for audit in AUDITS]
        care = [NO_REPETITION, *(f"{audit.when}: {audit.says} {audit.caution}" for audit in AUDITS)]
        return [*group[:4], adequate, group.published, published, *audited, " ".join(care)]
