"""Pages of the authority's named officer: the board of cases, each case with its clock, and what is decided."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.absences import decisions
from handrail.absences.actions import Refused
from handrail.absences.answers import Answer, answers, asked, recent_periods
from handrail.absences.counting import sessions_told, standing_of, standings
from handrail.absences.forms import DecisionForm, EndedForm, FirstSessionForm, Quiet, ReviewForm, SuitableForm
from handrail.absences.models import Case, CaseEntry, SicknessReturn
from handrail.absences.paper import decision_log, facts
from handrail.absences.returns import in_words
from handrail.absences.section19 import Stage, Standing
from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.jinja import moment
from handrail.core.models import AuthoritySettings, ReadEntry
from handrail.core.reference import reference
from handrail.schools.authorities import authorities, called
from handrail.schools.terms import school_year_of
from tenants.database import require_bound

PAGE = 50
Group, Verb = ReadEntry.Group, ReadEntry.Verb
REVIEWS = "reviews"
"""Besides the stages: the cases whose review is due."""
ORDER = list(Stage)


def is_on_board(case: Case, now: Standing, *, on: date) -> bool:
    """Whether a case still needs to be seen. A clock that had started before a child left runs on: the duty goes by
    where a child lives.
    """
    if case.gone_on and case.gone_on <= on:
        had_started = now.started_on is not None and now.started_on <= case.gone_on
        return had_started and (now.needs_somebody or now.is_review_due(on))
    return case.school_year == school_year_of(on) or now.needs_somebody or now.is_review_due(on)


class BoardView(Door):
    """The cases of this school year, and those before and of children who have left for which the clock still runs, the
    most urgent first.
    """

    permission, needs_step_up, shows_child = Permission.DECIDE_CASES, True, True

    def get(self, request: Request) -> HttpResponse:
        on = request.today
        cases = Case.objects.visible_to(request.user).select_related("pupil__school")
        rows = [(case, now) for case, now in standings(cases, on=on) if is_on_board(case, now, on=on)]
        numbers = Counter(now.stage for _, now in rows)
        due = sum(now.is_review_due(on) for _, now in rows)
        chosen = request.GET.get("show", "")
        if chosen == REVIEWS:
            rows = [(case, now) for case, now in rows if now.is_review_due(on)]
        elif chosen in Stage.values:
            rows = [(case, now) for case, now in rows if now.stage == chosen]
        rows.sort(key=lambda row: (ORDER.index(row[1].stage), -row[1].count.sessions, row[0].pupil.name))
        page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
        of_school: dict[Any, list[Any]] = {}
        for case, _ in page:
            of_school.setdefault(case.pupil.school_id, []).append(case.pupil_id)
        for school_id, children in of_school.items() or [(None, [])]:  # each school sees who looked at its own
            self.shows(children, Group.ABSENCE, verb=Verb.LIST, school_id=school_id)
        taught = sessions_told([case.id for case, now in page if now.is_running], on=on)
        facts = {"taught": taught, "elsewhere": living_elsewhere([case for case, _ in page])}
        found = {"page": page, "numbers": numbers, "reviews": due, "chosen": chosen, "Stage": Stage, **facts}
        return render(request, "absences/board.html", found)


def living_elsewhere(cases: Sequence[Case]) -> dict[Any, str]:
    """Of the children of these cases who live in another authority, its name, by case: the duty is that one's."""
    told = SicknessReturn.objects.standing().filter(case__in=[case.id for case in cases]).order_by("made_at")
    lives_in = dict(told.values_list("case_id", "lives_in"))
    own, names = require_bound().code, authorities() if lives_in else {}
    return {case: names.get(code, code) for case, code in lives_in.items() if code and code != own}


class AnswersView(Door):
    """Which schools have answered for a period, and which are silent. No child is named."""

    permission = Permission.DECIDE_CASES

    def get(self, request: Request) -> HttpResponse:
        known = recent_periods(on=request.today)
        wanted = request.GET.get("period", "")
        period = next((each for each in known if str(each.first_on) == wanted), known[0] if known else None)
        rows = []
        if period:
            rows = answers(list(asked(period)), period, on=request.today)
        numbers = Counter(each.answer for each in rows)
        chosen = request.GET.get("show", "")
        if chosen in Answer.values:
            rows = [each for each in rows if each.answer == chosen]
        page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
        found = {"periods": known, "period": period, "numbers": numbers, "page": page, "chosen": chosen}
        return render(request, "absences/answers.html", found | {"Answer": Answer})


class CaseDoor(Door):
    """A page about one case."""

    permission, needs_step_up, shows_child = Permission.DECIDE_CASES, True, True
    request: Request

    @cached_property
    def case(self) -> Case:
        visible = Case.objects.visible_to(self.request.user).select_related("pupil__school")
        found: Case = get_or_404(visible, id=self.kwargs["case_id"])
        return found

    def shown(self, how: ReadEntry.Verb = Verb.PAGE) -> None:
        self.shows([self.case.pupil_id], Group.ABSENCE, verb=how, school_id=self.case.pupil.school_id)

    @cached_property
    def now(self) -> Standing:
        return standing_of(self.case, on=self.request.today)

    @cached_property
    def taught(self) -> tuple[str, date] | None:
        """Which setting tells of a first session, and of which day, while the clock runs all the same."""
        return sessions_told([self.case.id] * self.now.is_running, on=self.request.today).get(self.case.id)

    def page(self, template: str, **more: Any) -> HttpResponse:
        self.shown()
        about = {"case": self.case, "child": self.case.pupil, "school": self.case.pupil.school}
        return render(self.request, f"absences/{template}.html", {**about, **more})


class CaseView(CaseDoor):
    """The clock and why it says what it says, what the school has said, and the log."""

    def get(self, request: Request, case_id: Any) -> HttpResponse:
        made = SicknessReturn.objects.of(self.case).order_by("-first_on")
        return self.page(
            "case",
            now=self.now,
            taught=self.taught,
            elsewhere=living_elsewhere([self.case]).get(self.case.id),
            handovers=self.case.pupil.handovers.filter(side="home").order_by("-started_at"),
            returns=[(each, in_words(each.says), called(each.lives_in) if each.lives_in else "") for each in made],
            entries=[(each, facts(each)) for each in CaseEntry.objects.filter(case=self.case).order_by("-number")],
            writings=WRITINGS,
        )


class LogView(CaseDoor):
    """The decision log on paper: the answer to a complaint."""

    def get(self, request: Request, case_id: Any) -> HttpResponse:
        self.shown(Verb.PRINT)
        printed = f"Printed {moment(request.now)} by {request.user}."
        content = decision_log(self.case, self.now, authority=request.authority.name, printed=printed)
        name = f"decision-log-{reference(self.case.id)}-{request.today}.pdf"
        return HttpResponse(
            content, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
        )


@dataclass(frozen=True)
class Writing:
    """One thing that can be written in a log: its form, its action, and the words on its page."""

    form: type[Quiet]
    write: Callable[..., CaseEntry]
    heading: str
    button: str
    first: str = ""
    """The field that begins with today."""
    asks_for_review: bool = True


WRITINGS = {
    "decision": Writing(DecisionForm, decisions.decide, "Record a decision", "Record this decision", "decided_on"),
    "first-session": Writing(
        FirstSessionForm, decisions.first_session, "Record the first session", "Record this and stop the clock"
    ),
    "suitable": Writing(
        SuitableForm,
        decisions.suitable_already,
        "Record that suitable education is provided already",
        "Record this and stop the clock",
    ),
    "review": Writing(ReviewForm, decisions.review, "Record a review", "Record this review", "happened_on"),
    "ended": Writing(
        EndedForm,
        decisions.education_ended,
        "Record that the education stopped",
        "Record this and start the clock",
        asks_for_review=False,
    ),
}
"""By the last word of its address."""


class WriteView(CaseDoor):
    """Add to the log of a case."""

    def get(self, request: Request, case_id: Any, what: str) -> HttpResponse:
        known: dict[str, Any] = {self.writing.first: request.today} if self.writing.first else {}
        if self.writing.asks_for_review:
            weeks = AuthoritySettings.load().section_19_review_weeks
            known["next_review_on"] = request.today + timedelta(weeks=weeks)
        if self.taught and what == "first-session":
            known["happened_on"] = self.taught[1]
        return self.form_page(self.writing.form(today=request.today, initial=known))

    def post(self, request: Request, case_id: Any, what: str) -> HttpResponse:
        case, form = self.case, self.writing.form(request.POST, today=request.today)
        if form.is_valid():
            try:
                seen = request.POST.get("seen", "")
                self.writing.write(
                    case=case,
                    by=request.user,
                    at=request.now,
                    seen=int(seen) if seen.isdecimal() else None,
                    **form.cleaned_data,
                )
            except Refused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                messages.success(request, "Written in the log of this case.")
                return redirect("absences:case", case_id=case_id)
        return self.form_page(form)

    @cached_property
    def writing(self) -> Writing:
        found = WRITINGS.get(self.kwargs["what"])
        if found is None:
            raise Http404
        return found

    def form_page(self, form: Quiet) -> HttpResponse:
        return self.page("write", form=form, writing=self.writing, now=self.now, seen=self.case.entries.count())
