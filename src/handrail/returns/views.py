"""Pages of a return, a school's or the authority's own: what it asks, a page a section, and what was submitted."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Door, Request, get_or_404
from handrail.guidance.frameworks import Framework
from handrail.guidance.published import edition_answered
from handrail.returns import actions
from handrail.returns.actions import Wanted
from handrail.returns.forms import AnswerForm, AssessmentForm
from handrail.returns.models import Answer, Cycle, PlannedAction, Return, Verdict, place_of
from handrail.returns.questions import Point, Section
from handrail.returns.refusals import AskedAgain, Refused
from handrail.returns.standing import (
    asked_before,
    asked_in,
    by_point,
    is_met,
    sections_of,
    submitted_sections,
    unplanned,
)
from handrail.schools.models import School

OF_SCHOOL = {
    "answer": Permission.ANSWER_RETURNS,
    "submit": Permission.SUBMIT_RETURNS,
    "countersign": Permission.COUNTERSIGN_RETURNS,
}
OWN = {
    "answer": Permission.ANSWER_OWN_RETURN,
    "submit": Permission.SUBMIT_OWN_RETURN,
    "countersign": Permission.COUNTERSIGN_OWN_RETURN,
}


class ReturnDoor(Door):
    """A page about one return in the newest cycle: a school's, or the authority's own when no school is named."""

    permission = Permission.SEE_POLICIES
    request: Request

    @cached_property
    def school(self) -> School | None:
        if "urn" not in self.kwargs:
            return None
        found: School = get_or_404(School.objects.visible_to(self.request.user), urn=self.kwargs["urn"])
        return found

    def may(self, what: str) -> bool:
        """Whether the person may `answer`, `submit` or `countersign` this return."""
        if self.school is None:
            return bool(self.request.user.may(OWN[what]))
        return bool(self.request.user.may(OF_SCHOOL[what], school_id=self.school.id))

    @property
    def is_open(self) -> bool:
        return self.school is None or self.school.is_open

    def address(self, page: str, **more: Any) -> str:
        return reverse(f"returns:{page}", kwargs={**place_of(self.school), **more})

    @cached_property
    def cycle(self) -> Cycle | None:
        return Cycle.objects.first()

    @cached_property
    def sections(self) -> list[Section]:
        return sections_of(self.cycle, self.school, on=self.request.today) if self.cycle else []

    @cached_property
    def began_at(self) -> School | None:
        """The school that this one was, while it has returned nothing itself: its return begins with what that said."""
        before = self.school.converted_from if self.school else None
        return before if before and not self.returns.exists() else None

    @property
    def earlier(self) -> list[School]:
        """The schools whose place this one took, and that returned something: nothing of it is carried over."""
        return list(School.objects.before(self.school).filter(returns__isnull=False).distinct()) if self.school else []

    @property
    def returns(self) -> Any:
        return Return.objects.visible_to(self.request.user).filter(school=self.school).select_related("cycle")

    def page(self, template: str, **more: Any) -> HttpResponse:
        facts = {
            "school": self.school,
            "whose": self.school or self.request.authority.name,
            "noun": "return" if self.school else "self-assessment",
            "place": place_of(self.school),
            "may": self.may,
            "is_open": self.is_open,
            "cycle": self.cycle,
            "sections": self.sections,
            "began_at": self.began_at,
            **more,
        }
        return render(self.request, f"returns/{template}.html", facts)

    @property
    def of_another(self) -> str:
        """That the page that was sent was opened for a return which has closed since, in words; else nothing."""
        sent = self.request.POST.get("cycle")
        if sent is None or self.cycle is None or sent == str(self.cycle.id):
            return ""
        return (
            f"You opened this page before the {self.cycle.title_for(self.school).lower()} was asked for. Nothing on it "
            "is saved yet. Look through it before you send it again"
        )

    def open_cycle(self) -> Cycle:
        """The cycle that asks something of this school, or of the authority. Raises Http404 when there is none."""
        if self.cycle is None or not self.sections or not self.is_open:
            raise Http404
        return self.cycle


class ReturnView(ReturnDoor):
    """How far it is, section by section, and what was submitted."""

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        returns = list(self.returns.select_related("countersignature"))
        this = [each for each in returns if self.cycle and each.cycle_id == self.cycle.id]
        points = [point for section in self.sections for point in section.points]
        reopened = [point for point in points if point.before]
        is_closed = self.cycle and self.cycle.is_closed(request.today)
        last = this or (returns if is_closed else [])  # one that is open asks anew what an earlier one asked
        asked_then = {each.id for each in asked_in(last[0].cycle, self.school)[0]} if last else set()
        new = [each for each in points if each.framework.id in asked_then and not each.answer and not each.before]
        return self.page(
            "home",
            title=self.cycle and self.cycle.title_for(self.school),
            is_over=self.cycle and request.today > self.cycle.due_on,
            came_later=self.cycle and self.school and not self.cycle.asked_by(self.school.joined_on),
            is_closed=is_closed,
            returns=returns,
            earlier=self.earlier if not returns else [],
            newest=this[0] if this else None,
            changes=sum(point.is_changed for point in points) if this else 0,
            unplanned=unplanned(self.cycle, self.school, on=request.today) if self.cycle and this else [],
            planned=PlannedAction.objects.open().filter(school=self.school).annotate(is_met=is_met()),
            open_points=sum(point.answer is None for point in points),
            reopened=reopened,
            new=new,
            changed=changed_since(points, [*reopened, *new]),
            carried=sum(point.is_carried and not point.is_unsubmitted for point in points) if not this else 0,
            unsubmitted=sum(point.is_unsubmitted for point in points),
            count=len(points),
        )


def changed_since(points: list[Point], opened: list[Point]) -> list[tuple[Framework, str]]:
    """The frameworks that opened points of a return, each with what leads to its changes since it was answered."""
    said = [point.answer or point.before for point in points]
    digests = {each.digest for each in said if each}
    found = {point.framework.id: point.framework for point in opened}
    since = [(each, edition_answered(each, digests)) for each in found.values()]
    return [(each, f"?since={answered.edition}" if answered else "") for each, answered in since]


class SectionView(ReturnDoor):
    """The points of one section. What is answered is kept; the rest may wait."""

    permission = Permission.ANSWER_RETURNS

    @cached_property
    def section(self) -> Section:
        self.open_cycle()
        number = self.kwargs["number"]
        if self.request.method == "POST":  # guidance may have moved its points since the page was opened
            return max(self.sections, key=lambda each: (any(map(self.is_sent, each.points)), each.number == number))
        found = [each for each in self.sections if each.number == number]
        if not found:
            raise Http404
        return found[0]

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.shown([])

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        forms, gone = self.sent(), self.gone()
        if self.of_another:
            return self.shown(forms, gone=gone, page_errors=[{"text": self.of_another}])
        if gone or any(form.errors for form in forms):
            not_saved = [{"text": "Some of what you answered is not asked any more. Nothing on this page is saved yet"}]
            return self.shown(forms, gone=gone, page_errors=not_saved if gone else [])
        file_for = next((form for form in forms if form.point.requirement.id == request.POST.get("file_for")), None)
        if file_for and not file_for.cleaned_data["verdict"]:
            file_for.add_error("verdict", "Select an answer before you add a file to it")
            return self.shown(forms)
        answered = [form for form in forms if form.cleaned_data["verdict"]]
        said = {form.point.requirement.id: Wanted(**form.typed) for form in answered}
        seen = {form.point.requirement.id: str(form.cleaned_data["shown"] or "") for form in answered}
        about: dict[str, Any] = {"cycle": self.open_cycle(), "school": self.school, "answers": said, "shown": seen}
        try:
            changed = actions.save_answers(**about, by=request.user, at=request.now)
        except AskedAgain as again:
            for name in ("sections", "section"):  # somebody may have answered since we looked
                vars(self).pop(name, None)
            forms = self.sent()
            for form in forms:
                if why := again.points.get(form.point.requirement.id):
                    form.ask_again(why)
            return self.shown(forms, page_errors=[{"text": str(again)}])
        except Refused as refusal:
            return self.shown(forms, page_errors=[{"text": str(refusal)}])
        if file_for:
            return redirect(self.address("file", requirement_id=file_for.point.requirement.id))
        title = self.section.title
        messages.success(request, f"Saved “{title}”." if changed else f"You changed nothing in “{title}”.")
        return redirect(self.address("home"))

    def is_sent(self, point: Point) -> bool:
        return AnswerForm.is_in(self.request.POST, point.requirement.id)

    def sent(self) -> list[AnswerForm]:
        """The points that were on the page that was sent, wherever they are asked now."""
        points = [point for section in self.sections for point in section.points if self.is_sent(point)]
        forms = [AnswerForm(self.request.POST, point=point) for point in points]
        for form in forms:
            form.full_clean()  # all of them, so that each says what is wrong
        return forms

    def gone(self) -> list[AnswerForm]:
        """What was typed to points that were on the page and are not asked any more."""
        sent, asked = self.request.POST, {point.requirement.id for each in self.sections for point in each.points}
        names = [name.removesuffix("-shown") for name in sent if name.endswith("-shown")]
        points = [asked_before(name, sent[f"{name}-shown"].partition("-")[0]) for name in names if name not in asked]
        return [form for point in points if (form := AnswerForm(sent, point=point)).is_changed]

    def shown(self, forms: list[AnswerForm], **more: Any) -> HttpResponse:
        """The section, with what was sent, and after it what was sent and is asked elsewhere now."""
        here = [AnswerForm(point=point) for point in self.section.points]
        found = {form.point.requirement.id: form for form in (*here, *forms)}
        return self.page("section", section=self.section, forms=list(found.values()), **more)


class SubmitView(ReturnDoor):
    """Are you sure? Says what is submitted, and what cannot be taken back."""

    permission = Permission.SUBMIT_RETURNS

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        self.open_cycle()
        return self.shown()

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        if self.of_another:
            return self.shown(page_errors=[{"text": self.of_another}])
        try:
            actions.submit(cycle=self.open_cycle(), school=self.school, by=request.user, at=request.now)
        except Refused as refusal:
            return self.shown(refusal)
        signer = "A governor" if self.school else "Somebody else at the authority"
        messages.success(request, f"It is submitted. {signer} can now sign it.")
        return redirect(self.address("home"))

    def shown(self, why_not: Refused | None = None, **more: Any) -> HttpResponse:
        every = [point for section in self.sections for point in section.points]
        before = self.returns.filter(cycle=self.cycle).first()
        try:
            actions.check_may_be_submitted(self.open_cycle(), every, before, at=self.request.now)
        except Refused as refusal:
            why_not = why_not or refusal
        points = [point for point in every if point.answer]
        counts = [(verdict.label, sum(point.answer.verdict == verdict for point in points)) for verdict in Verdict]
        unsubmitted = sum(point.is_unsubmitted for point in points)
        carried = sum(point.is_carried for point in points) - unsubmitted
        title = self.open_cycle().title_for(self.school)
        kept = {"carried": carried, "unsubmitted": unsubmitted, "why_not": why_not}
        return self.page("submit", title=title, counts=counts, is_correction=bool(before), **kept, **more)


class SubmittedDoor(ReturnDoor):
    """A page about one return as it was submitted."""

    @cached_property
    def returned(self) -> Return:
        found: Return = get_or_404(self.returns.select_related("countersignature"), id=self.kwargs["return_id"])
        return found


class SubmittedView(SubmittedDoor):
    """What was said, and beside a school's answers what the authority found."""

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        newest = self.returns.filter(cycle=self.returned.cycle).first()
        answered = submitted_sections(self.returned, on=request.today)
        points = [point for section in answered for point in section.points]
        counts = Counter(point.answer.verdict for point in points)
        return self.page(
            "submitted",
            returned=self.returned,
            answered=answered,
            verdicts=[f"{each.label}: {counts[each]}" for each in Verdict if counts[each]],
            unmet=[point for point in points if point.is_unmet],
            is_newest=newest == self.returned,
            planned=by_point(self.school, cycle=self.returned.cycle),
        )


class CountersignView(SubmittedDoor):
    """A governor, or a second person of the authority, agrees with a return."""

    permission = Permission.COUNTERSIGN_RETURNS

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        try:
            actions.check_may_sign(self.returned, by=request.user)
        except Refused as refusal:
            return self.page("countersign", returned=self.returned, why_not=refusal)
        return self.page("countersign", returned=self.returned)

    def post(self, request: Request, **_place: Any) -> HttpResponse:
        try:
            actions.countersign(returned=self.returned, by=request.user, at=request.now)
        except Refused:
            return self.get(request)  # which says why
        messages.success(request, "You have signed it.")
        return redirect(self.address("submitted", return_id=self.returned.id))


class AnswerDoor(SubmittedDoor):
    """A page about one answer of it."""

    @cached_property
    def answer(self) -> Answer:
        of_return = self.returned.answers.select_related("returned")
        found: Answer = get_or_404(of_return, requirement_id=self.kwargs["requirement_id"])
        return found

    def about(self, template: str, form: Any, **more: Any) -> HttpResponse:
        answered = submitted_sections(self.returned, on=self.request.today)
        points = (point for section in answered for point in section.points)
        point = next((each for each in points if each.answer.id == self.answer.id), None)
        return self.page(template, returned=self.returned, answer=self.answer, point=point, form=form, **more)


class AssessView(AnswerDoor):
    """What the authority finds of one answer, beside what the school said."""

    permission = Permission.ASSESS_RETURNS

    def get(self, request: Request, **_place: Any) -> HttpResponse:
        return self.about("assess", AssessmentForm())

    def post(self, request: Request, urn: str, return_id: Any, requirement_id: str) -> HttpResponse:
        form = AssessmentForm(request.POST)
        if not form.is_valid():
            return self.about("assess", form)
        actions.assess(answer=self.answer, by=request.user, at=request.now, **form.cleaned_data)
        messages.success(request, "Recorded what you found. The school’s answer stays as it is.")
        return redirect("returns:submitted", urn=urn, return_id=return_id)
