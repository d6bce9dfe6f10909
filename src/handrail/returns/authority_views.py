"""Pages of the authority about returns: where all schools stand, and the cycle that asks them."""

from collections import Counter
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request
from handrail.core.spreadsheet import csv_file
from handrail.returns import actions
from handrail.returns.board import Standing, board
from handrail.returns.forms import REOPENED, UNPLANNED, BoardFilters, CycleForm, DatesForm
from handrail.returns.models import Cycle
from handrail.returns.refusals import Refused
from handrail.returns.rules import RULES, Colour
from handrail.returns.standing import Progress, may_be_asked, own
from handrail.schools.terms import school_year_of

PAGE = 50


def filtered(rows: list[Standing], form: BoardFilters, cycle: Cycle | None) -> list[Standing]:
    """Those that the filters in the address ask for; all of them when it asks for nothing that is known."""
    asked = form.cleaned_data if form.is_valid() else {}
    if asked.get("progress") == REOPENED:
        rows, asked["progress"] = [each for each in rows if each.open_points], ""
    elif asked.get("progress") == UNPLANNED:
        rows, asked["progress"] = [each for each in rows if each.unplanned], ""
    for name in ("colour", "progress"):
        if asked.get(name):
            rows = [each for each in rows if getattr(each, name) == asked[name]]
    if typed := asked.get("q", "").casefold():
        rows = [each for each in rows if typed in each.school.name.casefold() or each.school.urn.startswith(typed)]
    if size := asked.get("sample"):
        rows = drawn([each for each in rows if each.returned_id], int(size), cycle)
    return rows


def drawn(rows: list[Standing], size: int, cycle: Cycle | None) -> list[Standing]:
    """So many of them, as if by lot. A cycle draws the same schools again, whoever looks, so nobody picks among
    samples; and no school can tell beforehand.
    """
    lots = {each.school.id: sha256(f"{cycle and cycle.id} {each.school.id}".encode()).digest() for each in rows}
    return sorted(rows, key=lambda each: lots[each.school.id])[:size]


class BoardView(Door):
    """Every school's colour, the rule that decided it, and apart from that how far its return is."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        cycle, form = Cycle.objects.first(), BoardFilters(request.GET)
        rows = board(cycle, on=request.today)
        colours, progress = Counter(each.colour for each in rows), Counter(each.progress for each in rows)
        facts = {
            "cycle": cycle,
            "form": form,
            "page": Paginator(filtered(rows, form, cycle), PAGE).get_page(request.GET.get("page")),
            "colours": [(each, colours[each]) for each in Colour],
            "progress": [(each, progress[each]) for each in Progress],
            "own": own(cycle, on=request.today),
            "reopened": sum(each.open_points > 0 for each in rows),
            "unplanned": sum(each.unplanned > 0 for each in rows),
            "gaps": sum(each.unplanned for each in rows),
            "rules": RULES,
            "is_closed": cycle and cycle.is_closed(request.today),
        }
        return render(request, "returns/board.html", facts)


class BoardCsvView(Door):
    """The same board as a file, with every rule that applies."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponseBase:
        cycle = Cycle.objects.first()
        rows = filtered(board(cycle, on=request.today), BoardFilters(request.GET), cycle)
        headings = [
            "URN",
            "School",
            "Phase",
            "Trust",
            "Colour",
            "Rule",
            "Why",
            "Return",
            "Points reopened",
            "Gaps without an action",
            "All that applies",
        ]
        return csv_file(f"returns-{request.today}.csv", headings, (self.row(each) for each in rows))

    def row(self, each: Standing) -> list[Any]:
        school, first = each.school, each.decided_by
        of_school = [school.urn, school.name, school.phase_name, school.trust_name]
        everything = " ".join(f"{found.rule}: {found.words}" for found in each.found)
        return [
            *of_school,
            each.colour.label,
            first.rule,
            first.words,
            each.progress.label,
            each.open_points,
            each.unplanned,
            everything,
        ]


class OpenCycleView(Door):
    """Ask all schools for their return of a school year."""

    permission = Permission.ASK_RETURNS

    def get(self, request: Request) -> HttpResponse:
        return self.page(request, self.form(request))

    def post(self, request: Request) -> HttpResponse:
        form = self.form(request, request.POST)
        if form.is_valid():
            try:
                cycle = actions.open_cycle(by=request.user, at=request.now, **form.cleaned_data)
            except Refused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                messages.success(request, f"The {str(cycle).lower()} is open.")
                return redirect("returns:board")
        return self.page(request, form)

    def form(self, request: Request, data: Any = None) -> CycleForm:
        year = school_year_of(request.today)
        found = may_be_asked()
        told = [each.as_at(request.today) for each in found]
        usual = {"framework_ids": [each.id for each in found if each.is_usual], "school_year": year}
        return CycleForm(data, today=request.today, this_year=year, frameworks=told, initial=usual)

    def page(self, request: Request, form: CycleForm) -> HttpResponse:
        newest = Cycle.objects.first()
        still_open = newest if newest and not newest.is_closed(request.today) else None
        return render(request, "returns/open_cycle.html", {"form": form, "still_open": still_open})


class DatesView(Door):
    """Move when the newest cycle is due and closes."""

    permission = Permission.ASK_RETURNS

    def get(self, request: Request) -> HttpResponse:
        cycle = Cycle.objects.first()
        if cycle is None:
            return redirect("returns:open_cycle")
        return self.page(request, cycle, self.form(request, cycle))

    def post(self, request: Request) -> HttpResponse:
        cycle = Cycle.objects.first()
        if cycle is None:
            return redirect("returns:open_cycle")
        form = self.form(request, cycle, request.POST)
        if form.is_valid():
            try:
                actions.change_dates(cycle=cycle, by=request.user, at=request.now, **form.cleaned_data)
            except Refused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                messages.success(request, "The dates are saved.")
                return redirect("returns:board")
        return self.page(request, cycle, form)

    def form(self, request: Request, cycle: Cycle, data: Any = None) -> DatesForm:
        known = {"due_on": cycle.due_on, "closes_on": cycle.closes_on}
        return DatesForm(data, initial=known, today=request.today)

    def page(self, request: Request, cycle: Cycle, form: DatesForm) -> HttpResponse:
        return render(request, "returns/dates.html", {"cycle": cycle, "form": form})
