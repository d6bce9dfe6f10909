"""Pages of a school: what it answers for a period, and the children whom illness keeps away."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.absences import actions, codes_file
from handrail.absences.answers import Answer, answers_of, not_asked
from handrail.absences.counting import counted_codes, standings, unreported
from handrail.absences.daycount import CODES, Clock, Session, Slot, count, known_sessions
from handrail.absences.forms import ChangeReturnForm, CodesFileForm, CodesForm, ReturnForm
from handrail.absences.models import AttendanceMark, Case, SicknessReturn
from handrail.absences.returns import in_words
from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import AuthoritySettings, ReadEntry
from handrail.schools.child_views import ChildDoor
from handrail.schools.forms import FindForm
from handrail.schools.models import Pupil, School, Term
from handrail.schools.terms import school_year_of

Group, Verb = ReadEntry.Group, ReadEntry.Verb
FOUND_AT_MOST = 20
CODES_SHOWN = 60


class SchoolDoor(Door):
    """A page for people who report for one school."""

    permission = Permission.MAKE_RETURNS
    request: Request

    @cached_property
    def school(self) -> School:
        found: School = get_or_404(School.objects.visible_to(self.request.user), urn=self.kwargs["urn"])
        return found


class ReturnsView(SchoolDoor):
    """What the school has answered for each period. No child is named, so nothing to report is two taps from home."""

    def get(self, request: Request, urn: str) -> HttpResponse:
        answered = answers_of(self.school, on=request.today)
        facts = {
            "school": self.school,
            "is_asked": not not_asked().filter(id=self.school.id).exists(),
            "unreported": unreported(self.school, on=request.today).count(),
            "newest": answered[0] if answered else None,
            "before": answered[1:],
        }
        return render(request, "absences/returns.html", facts | {"Answer": Answer})

    def post(self, request: Request, urn: str) -> HttpResponse:
        """Nothing to report for one of the periods on the page."""
        wanted = request.POST.get("period", "")
        period = next(
            (a.period for a in answers_of(self.school, on=request.today) if str(a.period.first_on) == wanted), None
        )
        if period is None:
            messages.warning(request, "Choose the period again: it is no longer open.")
        else:
            try:
                actions.nothing_to_report(school=self.school, period=period, by=request.user, at=request.now)
            except actions.Refused as refusal:
                messages.warning(request, str(refusal))
            else:
                messages.success(request, f"Recorded: nothing to report for {period}.")
        return redirect("absences:returns", urn=urn)


class ChildrenView(SchoolDoor):
    """The children who are reported, and finding another by two letters. What is searched for is posted."""

    needs_step_up, shows_child = True, True

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page(FindForm(), None)

    def post(self, request: Request, urn: str) -> HttpResponse:
        form = FindForm(request.POST)
        if not form.is_valid():
            return self.page(form, None)
        here = Pupil.objects.visible_to(request.user).filter(school=self.school).on_roll(on=request.today)
        return self.page(form, list(here.called(form.cleaned_data["letters"])[:FOUND_AT_MOST]))

    def page(self, form: FindForm, found: list[Pupil] | None) -> HttpResponse:
        on = self.request.today
        cases = (
            Case.objects.visible_to(self.request.user)
            .filter(pupil__school=self.school, school_year=school_year_of(on))
            .reported()
            .there(on=on)
            .select_related("pupil")
            .order_by("pupil__name", "id")
        )
        rows, coded = standings(cases, on=on), list(unreported(self.school, on=on))
        shown = [case.pupil_id for case, _ in rows] + [pupil.id for pupil in [*coded, *(found or ())]]
        self.shows(shown, Group.ABSENCE, verb=Verb.LIST, school_id=self.school.id)
        facts = {"school": self.school, "form": form, "found": found, "rows": rows, "coded": coded}
        return render(self.request, "absences/children.html", facts)


class AbsenceDoor(ChildDoor):
    """A page about one child's absences."""

    permission, needs_step_up = Permission.MAKE_RETURNS, True

    @cached_property
    def made(self) -> SicknessReturn:
        of_child = SicknessReturn.objects.standing().filter(case__pupil=self.child).select_related("case__pupil")
        found: SicknessReturn = get_or_404(of_child, id=self.kwargs["return_id"])
        return found

    def show(self, template: str, **more: Any) -> HttpResponse:
        return self.page(f"absences/{template}.html", Group.ABSENCE, **more)

    def done(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        return redirect("absences:child", child_id=self.child.id)


class ChildView(AbsenceDoor):
    """How many days the child has lost this school year and why the count says so."""

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        year = school_year_of(request.today)
        made = list(SicknessReturn.objects.standing().filter(case__pupil=self.child))
        marks = list(AttendanceMark.objects.standing().filter(pupil=self.child, on__gte=date(year, 9, 1)))
        return self.show(
            "child",
            is_unreported=unreported(self.child.school, on=request.today).filter(id=self.child.id).exists(),
            clock=clock_of(made, marks, on=request.today),
            returns=[(each, in_words(each.says)) for each in reversed(made)],
            marks=list(reversed(marks))[:CODES_SHOWN],
            words={code: words for code, (_, words) in CODES.items()},
        )


def clock_of(made: list[SicknessReturn], marks: list[AttendanceMark], *, on: date) -> Clock:
    """The count of a child's school year as at the day `on`."""
    settings, calendar = AuthoritySettings.load(), Term.objects.calendar()
    sessions = known_sessions(
        [each.stretch for each in made],
        {Slot(each.on, Session(each.session)): each.code for each in marks},
        calendar=calendar,
        until=on,
    )
    return count(sessions, calendar=calendar, counted=counted_codes(settings), school_year=school_year_of(on))


class MakeReturnView(AbsenceDoor):
    """Report a child. What the school said before of the address, and where that is, stands in the form."""

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        before = SicknessReturn.objects.filter(case__pupil=self.child).order_by("-made_at").first()
        known = {"address": before.says.get("address", "") if before else "", "lives_in": self.child.lives_in}
        return self.show("make_return", form=ReturnForm(today=request.today, initial=known))

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = ReturnForm(request.POST, today=request.today)
        if form.is_valid():
            try:
                actions.make_return(pupil=self.child, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                return self.done("Sent the sickness return to the authority.")
        return self.show("make_return", form=form)


class ChangeReturnView(AbsenceDoor):
    """Say when the child was back, or that it will take longer."""

    def get(self, request: Request, child_id: Any, return_id: Any) -> HttpResponse:
        known = dict(self.made.says)
        if "expected_on" in known:
            known["expected_on"] = date.fromisoformat(known["expected_on"])
        known |= {
            "last_on": self.made.last_on,
            "until_am": self.made.until_am,
            "lives_in": self.made.lives_in or self.child.lives_in,
            "is_likely": "yes" if self.made.likely_on else "no",
        }
        return self.form_page(ChangeReturnForm(today=request.today, initial=known))

    def post(self, request: Request, child_id: Any, return_id: Any) -> HttpResponse:
        made, form = self.made, ChangeReturnForm(request.POST, today=request.today)
        if form.is_valid():
            try:
                actions.change_return(made=made, by=request.user, at=request.now, **form.cleaned_data)
            except actions.Refused as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
            else:
                return self.done("Saved what you changed.")
        return self.form_page(form)

    def form_page(self, form: ChangeReturnForm) -> HttpResponse:
        return self.show("change_return", form=form, made=self.made)


class WithdrawReturnView(AbsenceDoor):
    """Asks first."""

    def get(self, request: Request, child_id: Any, return_id: Any) -> HttpResponse:
        return self.show("withdraw_return", made=self.made)

    def post(self, request: Request, child_id: Any, return_id: Any) -> HttpResponse:
        actions.withdraw_return(made=self.made, by=request.user, at=request.now)
        return self.done(
            "Took the return back. Its days count no more. Where your authority’s clock runs, its officer decides."
        )


class CodesView(AbsenceDoor):
    """Enter what the register says. Days on which nobody is at school are passed over."""

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.show("enter_codes", form=CodesForm(today=request.today))

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = CodesForm(request.POST, today=request.today)
        if form.is_valid():
            calendar = Term.objects.calendar()
            codes = {slot: code for slot, code in form.slots().items() if calendar.is_school_day(slot.on)}
            if codes:
                actions.enter_codes(pupil=self.child, codes=codes, by=request.user, at=request.now)
                return self.done(f"Saved {len(codes)} sessions." if len(codes) > 1 else "Saved 1 session.")
            form.add_error("first_on", "No school day is among these days")
        return self.show("enter_codes", form=form)


class CodesFileView(AbsenceDoor):
    """Take a child's codes from a file, all of it or nothing. Days on which nobody is at school are passed over."""

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.show("codes_file", form=CodesFileForm())

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = CodesFileForm(request.POST, request.FILES)
        if form.is_valid():
            calendar = Term.objects.calendar()
            try:
                found = codes_file.read(form.cleaned_data["file"].read())
                codes = {slot: code for slot, code in found.items() if calendar.is_school_day(slot.on)}
                changed = actions.enter_codes(pupil=self.child, codes=codes, by=request.user, at=request.now)
            except codes_file.BadFile as refusal:
                for problem in refusal.problems:
                    form.add_error("file", problem)
            except actions.Refused as refusal:
                form.add_error("file", str(refusal))
            else:
                return self.done(f"Read {len(codes)} sessions. {changed} are new or different.")
        return self.show("codes_file", form=form)
