"""Pages of a whole plan on its way: what it says, who agreed, and what comes next."""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.core.access import Request
from handrail.core.jinja import long_date
from handrail.core.models import AuthoritySettings, ReadEntry
from handrail.plans import actions, links, versions
from handrail.plans.content import BY_NAME, Beside, Section, condition_of, how_complete, in_words, missing
from handrail.plans.coverage import coverage_of
from handrail.plans.models import SHARED, Agreement, HealthcarePlan, PlanVersion, Stage
from handrail.plans.plan_forms import (
    AgreementForm,
    ChangedForm,
    CoordinatorForm,
    DecideForm,
    RestForm,
    SectionForm,
    SignOffForm,
    ToldForm,
)
from handrail.plans.reading import with_readers
from handrail.plans.views import PlanDoor
from handrail.schools.models import Contact, Term


class WholePlanDoor(PlanDoor):
    """A page about the whole plan of one child. It asks for a second factor."""

    needs_step_up = True
    group = ReadEntry.Group.PLAN
    template: str

    @cached_property
    def plan(self) -> HealthcarePlan | None:
        plans = with_readers(HealthcarePlan.objects.all(), on=self.request.today)
        found: HealthcarePlan | None = plans.filter(pupil=self.child).first()
        return found

    @property
    def begun(self) -> HealthcarePlan:
        """The plan, or no such page."""
        if self.plan is None:
            raise Http404
        return self.plan

    @property
    def sections(self) -> list[tuple[Section, list[dict[str, str]]]]:
        """Each section, with the questions that somebody has answered and the words of the answers."""
        return in_words(self.newest.answers if self.newest else {})

    def show(self, form: Any = None, **more: Any) -> HttpResponse:
        return self.page(self.template, plan=self.plan, form=form, **more)

    def back(self, words: str = "") -> HttpResponse:
        if words:
            messages.success(self.request, words)
        return redirect("plans:plan", child_id=self.child.id)


class PlanView(WholePlanDoor):
    """The whole plan on one page, in the order in which it is needed, with what is missing and what comes next."""

    permission, template = Permission.SEE_PLANS, "plan"

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        plan, newest = self.plan, self.newest
        answers = newest.answers if newest else {}
        beside = self.beside(newest)
        return self.show(
            version=newest,
            status=plan.status_on(request.today, AuthoritySettings.load()) if plan else None,
            sections=self.sections,
            complete=how_complete(answers, beside),
            missing=missing(answers, beside),
            agreements=actions.last_said(plan) if plan else [],
            uncovered=coverage_of(plan, on=request.today) if plan and plan.stage == Stage.ACTIVE else [],
            awaited=actions.still_awaited(actions.agreements_since(plan)) if plan else [],
            links=links.as_shown(self.child, at=request.now),
            triggers=plan.triggers.filter(answered_by=None) if plan else [],
            reviews=plan.reviews.all() if plan else [],
            mine=self.asked_of_me,
            may_edit=self.may(Permission.EDIT_PLANS),
            stages=Stage,
            may_share=plan is not None and plan.stage in SHARED and newest is not None,
        )

    def beside(self, newest: PlanVersion | None) -> Beside:
        says = newest.says if newest else None
        return Beside(
            has_emergency_steps=bool(says and says.steps),
            has_family_contact=bool(says and says.contacts) or Contact.objects.of_child(self.child).exists(),
            has_agreement=Agreement.objects.filter(version__plan=self.plan, is_agreed=True).exists()
            if self.plan
            else False,
        )


class AskingDoor(WholePlanDoor):
    """A page that asks one form and does one thing. Its subclass says which."""

    permission = Permission.EDIT_PLANS
    has_plan = True
    """Whether there is no such page before there is a plan."""

    def get(self, request: Request, child_id: Any, **more: Any) -> HttpResponse:
        return self.show(self.form())

    def post(self, request: Request, child_id: Any, **more: Any) -> HttpResponse:
        form = self.form(request.POST)
        if form.is_valid():
            try:
                return self.back(self.act(form))
            except actions.Refused as refusal:
                form.add_error(None, str(refusal))
        return self.show(form)

    def show(self, form: Any = None, **more: Any) -> HttpResponse:
        if self.has_plan and self.plan is None:
            raise Http404
        return super().show(form, **more)

    def form(self, *data: Any) -> Any:
        raise NotImplementedError

    def act(self, form: Any) -> str:
        """Do it, and give the words for the next page."""
        raise NotImplementedError

    @property
    def who(self) -> dict[str, Any]:
        return {"by": self.request.user, "at": self.request.now}


class ToldView(AskingDoor):
    """The school was told of a condition."""

    template, has_plan = "told", False

    def form(self, *data: Any) -> ToldForm:
        return ToldForm(*data, today=self.request.today, initial={"notified_on": self.request.today})

    def act(self, form: ToldForm) -> str:
        before = Term.objects.all().calendar().last_school_day_before(self.child.joined_on)
        plan = actions.notify(pupil=self.child, last_day_before=before, **form.cleaned_data, **self.who)
        return f"Recorded. If a plan is needed, it should be ready by {long_date(plan.due_on)}."


class DecideView(AskingDoor):
    """Whether a plan is needed, and who agreed."""

    template = "decide"

    def form(self, *data: Any) -> DecideForm:
        return DecideForm(*data, today=self.request.today, initial={"decided_on": self.request.today})

    def act(self, form: DecideForm) -> str:
        plan = actions.decide(plan=self.begun, **form.cleaned_data, **self.who)
        return "Recorded that no plan is needed." if plan.stage == Stage.NOT_NEEDED else "Recorded. Now write the plan."


class SectionView(WholePlanDoor):
    """Write one section. Whoever was overtaken at the same section sees both texts, and loses neither."""

    permission, template = Permission.EDIT_PLANS, "section"

    @cached_property
    def section(self) -> Section:
        if self.kwargs["name"] not in BY_NAME:
            raise Http404
        return BY_NAME[self.kwargs["name"]]

    def form(self, *data: Any) -> SectionForm:
        newest = self.newest
        answers = newest.answers if newest else {}
        known = {**answers.get(self.section.name, {}), "based_on": newest.number if newest else 0}
        return SectionForm(*data, section=self.section, condition=condition_of(answers), initial=known)

    def get(self, request: Request, child_id: Any, name: str) -> HttpResponse:
        return self.show(self.form(), section=self.section)

    def post(self, request: Request, child_id: Any, name: str) -> HttpResponse:
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show(form, section=self.section)
        try:
            _, is_new = versions.write_section(
                pupil=self.child,
                section=self.section.name,
                answers=form.answers,
                based_on=form.cleaned_data["based_on"],
                by=request.user,
                at=request.now,
            )
        except versions.ChangedMeanwhile as meanwhile:
            return self.both(form, meanwhile.newest)
        if is_new and self.is_another_condition(form):
            return redirect("plans:section", child_id=child_id, name=self.section.name)
        return self.back(f"Saved “{self.section.title}”." if is_new else "Nothing was changed.")

    def is_another_condition(self, form: SectionForm) -> bool:
        """Whether the main condition was chosen anew: the same section then asks about that one."""
        kind = form.answers.get("kind", "")
        return bool(kind) and {each.name for each in self.section.asked(kind)} > set(form.answers)

    def both(self, form: SectionForm, newest: PlanVersion) -> HttpResponse:
        data = self.request.POST.copy()
        data["based_on"] = str(newest.number)
        form.data = data
        form.add_error(None, f"{newest.made_by_name} saved a newer version while you were writing")
        theirs, mine = newest.answers.get(self.section.name, {}), form.answers
        differing = [
            (question.label, dict(question.choices).get(theirs.get(question.name, ""), theirs.get(question.name, "")))
            for question in self.section.questions
            if theirs.get(question.name, "") != mine.get(question.name, "")
        ]
        return self.show(form, section=self.section, newest=newest, theirs=differing)


class AskView(AskingDoor):
    """Hand the draft to those who have to agree."""

    template = "ask"

    def form(self, *data: Any) -> Form:
        return Form(*data)

    def act(self, form: Form) -> str:
        actions.ask_for_agreement(plan=self.begun, **self.who)
        return "The plan now waits for agreement."


class AgreementView(AskingDoor):
    """Somebody agreed, or wants a change."""

    template = "agreement"

    def form(self, *data: Any) -> AgreementForm:
        return AgreementForm(*data, today=self.request.today, initial={"agreed_on": self.request.today})

    def act(self, form: AgreementForm) -> str:
        agreed = actions.Agreed(**form.cleaned_data)
        actions.record_agreement(plan=self.begun, agreed=agreed, **self.who)
        return f"Recorded what {agreed.name} said."


class SignOffView(AskingDoor):
    """The school takes responsibility for the plan."""

    template = "sign_off"

    @cached_property
    def awaited(self) -> list[Any]:
        return actions.still_awaited(actions.agreements_since(self.begun))

    def form(self, *data: Any) -> SignOffForm:
        return SignOffForm(*data, is_awaited=bool(self.awaited))

    def show(self, form: Any = None, **more: Any) -> HttpResponse:
        return super().show(form, awaited=self.awaited, **more)

    def act(self, form: SignOffForm) -> str:
        plan = actions.sign_off(plan=self.begun, without=form.cleaned_data.get("without", ""), **self.who)
        return f"The plan is active. Its first review is due by {long_date(plan.due_on)}."


class RestView(AskingDoor):
    """Pause the plan, note that it was passed on, or close it."""

    template = "rest"

    def form(self, *data: Any) -> RestForm:
        return RestForm(*data)

    def act(self, form: RestForm) -> str:
        plan = actions.rest(plan=self.begun, **form.cleaned_data, **self.who)
        return f"The plan is now “{plan.get_stage_display().lower()}”. Nothing falls due for it."


class ResumeView(AskingDoor):
    """Take up a paused plan."""

    template = "resume"

    def form(self, *data: Any) -> Form:
        return Form(*data)

    def act(self, form: Form) -> str:
        plan = actions.resume(plan=self.begun, **self.who)
        return f"The plan goes on. Look at it by {long_date(plan.due_on)}."


class ChangedView(AskingDoor):
    """Something happened that makes a review due before its time."""

    template = "changed"

    def form(self, *data: Any) -> ChangedForm:
        return ChangedForm(*data, today=self.request.today, initial={"happens_on": self.request.today})

    def act(self, form: ChangedForm) -> str:
        trigger, is_new = actions.bring_forward(
            plan=self.begun, trigger=form.cleaned_data["trigger"], on=form.cleaned_data["happens_on"], **self.who
        )
        return f"Review this plan by {long_date(trigger.due_on)}." if is_new else "That was recorded already."


class CoordinatorView(AskingDoor):
    """Who keeps the plan in date."""

    template = "coordinator"

    def form(self, *data: Any) -> CoordinatorForm:
        known = self.begun.coordinator_id
        return CoordinatorForm(*data, people=self.people, initial={"coordinator": str(known) if known else ""})

    @cached_property
    def people(self) -> Any:
        return actions.may_coordinate(self.child.school_id, on=self.request.today)

    def act(self, form: CoordinatorForm) -> str:
        person = form.cleaned_data["coordinator"]
        actions.choose_coordinator(plan=self.begun, coordinator=person, **self.who)
        return f"{person} keeps this plan in date."
