"""Pages of the authority about handovers: numbers for everybody there, and the list and cases for the named officer."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.absences.models import Case
from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import ReadEntry
from handrail.core.reference import reference
from handrail.core.spreadsheet import csv_file
from handrail.handovers import actions, steps
from handrail.handovers.finance import flags_of
from handrail.handovers.forms import FollowUpForm, PrepareForm
from handrail.handovers.lapsed import begin, follow_up
from handrail.handovers.models import FollowUp, Handover, OnwardReturn
from handrail.handovers.moves import ASKS_WHAT_NEXT, OVER
from handrail.handovers.views import PrepareView
from handrail.handovers.watch import Stage, Trouble, Watched, Way, as_watched, numbers, watched, watched_by
from handrail.schools.models import Pupil, Term

PAGE = 50
Group, Verb = ReadEntry.Group, ReadEntry.Verb


class BoardView(Door):
    """How many handovers are where. Small numbers are kept back from everybody but the named officer."""

    permission = Permission.SEE_SCHOOLS

    def get(self, request: Request) -> HttpResponse:
        rows = watched(on=request.today)
        is_officer = request.user.may(Permission.DECIDE_CASES)
        found = {
            "is_officer": is_officer,
            "held_up": OnwardReturn.objects.held_up().count() if is_officer else 0,
            "look": OnwardReturn.objects.to_look_at().count() if is_officer else 0,
            "returns": OnwardReturn.objects.to_open(at=request.now).count() if is_officer else 0,
            "counts": Counter(heading for each in rows for heading in each.headings) if is_officer else None,
            "numbers": None if is_officer else numbers(rows),
            "headings": [*Stage.labels, "All", Trouble.STUCK.label],
            "Stage": Stage,
            "Trouble": Trouble,
            "Way": Way,
        }
        return render(request, "handovers/board.html", found)


class ListDoor(Door):
    """The handovers under one heading, the longest late first."""

    permission, needs_step_up, shows_child = Permission.DECIDE_CASES, True, True
    request: Request

    @cached_property
    def rows(self) -> list[Watched]:
        return [each for each in watched(on=self.request.today) if not self.chosen or self.chosen in each.headings]

    @property
    def chosen(self) -> str:
        asked = self.request.GET.get("show", "")
        return asked if asked in (*Stage.values, *Trouble.values, *Way.values) else ""

    def looked_at(self, rows: list[Watched], how: ReadEntry.Verb) -> None:
        """Each school sees who looked at its own."""
        of_school: dict[Any, list[UUID]] = {}
        for each in rows:
            pupil = each.handover.pupil
            if pupil and each.handover.is_home:
                of_school.setdefault(pupil.school_id, []).append(pupil.id)
        for school_id, children in of_school.items() or [(None, [])]:
            self.shows(children, Group.PLAN, verb=how, school_id=school_id)


class ListView(ListDoor):
    """The list, a page at a time."""

    def get(self, request: Request) -> HttpResponse:
        page = Paginator(self.rows, PAGE).get_page(request.GET.get("page"))
        self.looked_at(list(page), Verb.LIST)
        labels = dict([*Stage.choices, *Trouble.choices, *Way.choices])
        return render(
            request,
            "handovers/watched.html",
            {
                "page": page,
                "chosen": self.chosen,
                "title": labels.get(self.chosen, "All handovers"),
                "finance": flags_of([each.handover for each in page]),
            },
        )


HEADINGS = (
    *("Reference", "Child", "From", "To", "Way", "Where it is", "Since", "School days since", "Due", "Days late"),
    "For finance",
)


class ListCsvView(ListDoor):
    """The same list as a file."""

    def get(self, request: Request) -> HttpResponseBase:
        self.looked_at(self.rows, Verb.EXPORT)
        finance = flags_of([each.handover for each in self.rows])
        lines = [
            (
                *(reference(each.handover.reference), each.child, sender(each.handover), each.handover.setting_name),
                *(each.way.label, each.handover.get_state_display(), each.handover.since_on, each.days),
                *(each.handover.due_on, each.days_late, ". ".join(finance[each.handover.id])),
            )
            for each in self.rows
        ]
        return csv_file(f"handovers-{request.today}.csv", HEADINGS, lines)


def sender(handover: Handover) -> str:
    """Where a child comes from: the school, or the other authority."""
    return handover.pupil.school.name if handover.is_home and handover.pupil else handover.other_name


class WatchedView(Door):
    """One handover as the authority sees it, and what happens next where nobody took the child."""

    permission, needs_step_up, shows_child = Permission.DECIDE_CASES, True, True
    request: Request

    @cached_property
    def handover(self) -> Handover:
        visible = watched_by(self.request.user).select_related("pupil__school", "setting")
        found: Handover = get_or_404(visible, id=self.kwargs["pk"])
        return found

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return self.page(FollowUpForm())

    def post(self, request: Request, pk: UUID) -> HttpResponse:
        form, handover = FollowUpForm(request.POST), self.handover
        if form.is_valid():
            try:
                follow_up(handover=handover, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Recorded. Nobody is asked about this handover any more.")
                return redirect("handovers:watched", pk=pk)
        return self.page(form)

    def page(self, form: FollowUpForm) -> HttpResponse:
        handover = self.handover
        is_own = handover.is_home and handover.pupil is not None
        school_id = steps.school_id_of(handover) if is_own else None
        self.shows([handover.pupil_id] if handover.pupil_id and is_own else [], Group.PLAN, school_id=school_id)
        known, held_up = FollowUp.objects.filter(handover=handover).first(), handover.why_held_up
        return render(
            self.request,
            "handovers/watched_case.html",
            {
                "handover": handover,
                "now": as_watched(
                    handover, calendar=Term.objects.calendar(), is_held_up=bool(held_up), on=self.request.today
                ),
                "held_up": held_up,
                "is_over": handover.state in OVER,
                "sender": sender(handover),
                "finance": flags_of([handover])[handover.id],
                "steps": [(step, step.words if is_own and step.state in OVER else []) for step in handover.steps.all()],
                "words": steps.VERBS,
                "follow_up": known,
                "form": form
                if form.errors or (is_own and handover.state in ASKS_WHAT_NEXT and known is None)
                else None,
            },
        )


class BeginView(PrepareView):
    """Begin a handover for the school of a child who has a case: the officer says where to, the school writes."""

    permission = Permission.DECIDE_CASES

    @cached_property
    def case(self) -> Case:
        there = Case.objects.visible_to(self.request.user).there(on=self.request.today)
        found: Case = get_or_404(there.select_related("pupil__school"), id=self.kwargs["case_id"])
        return found

    @cached_property
    def child(self) -> Pupil:
        found: Pupil = self.case.pupil
        return found

    def form(self, *data: Any, **more: Any) -> PrepareForm:
        form, school = super().form(*data, **more), self.child.school
        form.fields["ring"].label = f"Whom can they ring at {school}?"
        form.fields["roll"].help_text = "A handover never takes a child off the school’s roll."
        return form

    def begin(self, **given: Any) -> HttpResponse:
        begin(**given)
        messages.success(self.request, f"Begun. {self.child.school} is asked to write the pack and send it.")
        return redirect("absences:case", case_id=self.case.id)
