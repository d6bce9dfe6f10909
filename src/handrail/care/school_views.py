"""Pages about a school: its spare kits and their checks, who is trained, and what it holds for its children."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.care import actions
from handrail.care.forms import CheckForm, KitForm, TrainingForm
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.care.trying import tried
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import AuthoritySettings, ReadEntry
from handrail.schools.models import Pupil, School

PAGE = 50


class SchoolDoor(Door):
    """A page about a school that the person may see."""

    permission = Permission.KEEP_KITS
    request: Request

    @cached_property
    def school(self) -> School:
        found: School = get_or_404(School.objects.visible_to(self.request.user), urn=self.kwargs["urn"])
        return found

    @cached_property
    def kit(self) -> SpareKit:
        found: SpareKit = get_or_404(SpareKit.objects.filter(school=self.school), id=self.kwargs["kit_id"])
        return found

    def page(self, template: str, **more: Any) -> HttpResponse:
        return render(self.request, f"care/{template}.html", {"school": self.school, **more})

    def done(self, words: str, page: str = "kits") -> HttpResponse:
        messages.success(self.request, words)
        return redirect(f"care:{page}", urn=self.school.urn)

    def may(self, permission: Permission) -> bool:
        return bool(self.request.user.may(permission, school_id=self.school.id))


class KitsView(SchoolDoor):
    """The spare kits of a school, when each runs out, and when it is to be checked."""

    permission = Permission.SEE_SCHOOL

    def get(self, request: Request, urn: str) -> HttpResponse:
        settings, on = AuthoritySettings.load(), request.today
        kits = SpareKit.objects.filter(school=self.school).in_use().with_last_check()
        return self.page(
            "kits",
            kits=[(kit, kit.status_on(on, settings), kit.check_status_on(on)) for kit in kits],
            may_edit=self.may(Permission.KEEP_KITS),
        )


class KitView(SchoolDoor):
    """One kit, and who checked it when."""

    permission = Permission.SEE_SCHOOL

    def get(self, request: Request, urn: str, kit_id: Any) -> HttpResponse:
        return self.page("kit", kit=self.kit, checks=self.kit.checks.all(), may_edit=self.may(Permission.KEEP_KITS))


class AddKitView(SchoolDoor):
    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page("add_kit", form=KitForm(today=request.today))

    def post(self, request: Request, urn: str) -> HttpResponse:
        school, form = self.school, KitForm(request.POST, today=request.today)
        if tried(form, actions.add_kit, school=school, by=request.user, at=request.now):
            return self.done("Added the kit.")
        return self.page("add_kit", form=form)


class ChangeKitView(SchoolDoor):
    def get(self, request: Request, urn: str, kit_id: Any) -> HttpResponse:
        known = {name: getattr(self.kit, name) for name in actions.OF_KIT}
        return self.page("change_kit", kit=self.kit, form=KitForm(today=request.today, initial=known))

    def post(self, request: Request, urn: str, kit_id: Any) -> HttpResponse:
        kit, form = self.kit, KitForm(request.POST, today=request.today)
        if tried(form, actions.change_kit, kit=kit, by=request.user, at=request.now):
            return self.done("Saved the kit’s details.")
        return self.page("change_kit", kit=kit, form=form)


class CheckKitView(SchoolDoor):
    """Record a check of today. From the list it takes one tap; here somebody says what is missing."""

    def get(self, request: Request, urn: str, kit_id: Any) -> HttpResponse:
        return self.page("check_kit", kit=self.kit, form=CheckForm(today=request.today))

    def post(self, request: Request, urn: str, kit_id: Any) -> HttpResponse:
        kit, form = self.kit, CheckForm(request.POST, today=request.today)
        if tried(form, actions.check_kit, kit=kit, by=request.user, at=request.now):
            return self.done(f"Recorded this month’s check of {kit}.")
        return self.page("check_kit", kit=kit, form=form)


class WithdrawKitView(SchoolDoor):
    """Asks first: there is no way back."""

    def get(self, request: Request, urn: str, kit_id: Any) -> HttpResponse:
        return self.page("withdraw_kit", kit=self.kit)

    def post(self, request: Request, urn: str, kit_id: Any) -> HttpResponse:
        try:
            actions.withdraw_kit(kit=self.kit, by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
            return redirect("care:kits", urn=urn)
        return self.done("Took the kit out of use.")


class SchoolMedicinesView(SchoolDoor):
    """What the school holds for its children, what runs out first at the top."""

    permission, needs_step_up, shows_child = Permission.SEE_PLANS, True, True

    def get(self, request: Request, urn: str) -> HttpResponse:
        settings, on = AuthoritySettings.load(), request.today
        held = Medicine.objects.in_use().filter(pupil__in=Pupil.objects.not_left(on=on), pupil__school=self.school)
        found = held.select_related("pupil").order_by(F("expires_on").asc(nulls_last=True), "pupil__name", "id")
        page = Paginator(found, PAGE).get_page(request.GET.get("page"))
        children = [each.pupil_id for each in page]
        self.shows(children, ReadEntry.Group.PLAN, verb=ReadEntry.Verb.LIST, school_id=self.school.id)
        rows = [(each, each.status_on(on, settings)) for each in page]
        return self.page("school_medicines", page=page, rows=rows)


class TrainingsView(SchoolDoor):
    """Who at a school is trained in what, and until when. It says of some that it is for one child, never for whom."""

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page("trainings", rows=self.rows(), may_see_children=self.may(Permission.SEE_PLANS))

    def rows(self) -> list[Any]:
        settings, on = AuthoritySettings.load(), self.request.today
        found = StaffTraining.objects.current().filter(school=self.school).select_related("pupil")
        return [(each, each.status_on(on, settings)) for each in found]


class TrainingsByChildView(TrainingsView):
    """The same, with whom each is for."""

    permission, needs_step_up, shows_child = Permission.SEE_PLANS, True, True

    def get(self, request: Request, urn: str) -> HttpResponse:
        rows = [each for each in self.rows() if each[0].pupil]
        children = [each.pupil_id for each, _ in rows]
        self.shows(children, ReadEntry.Group.PLAN, verb=ReadEntry.Verb.LIST, school_id=self.school.id)
        return self.page("trainings_by_child", rows=sorted(rows, key=lambda each: str(each[0].pupil)))


class AddTrainingView(SchoolDoor):
    """Training for no child in particular."""

    def get(self, request: Request, urn: str) -> HttpResponse:
        return self.page("add_training", form=TrainingForm(today=request.today))

    def post(self, request: Request, urn: str) -> HttpResponse:
        school, form = self.school, TrainingForm(request.POST, today=request.today)
        if tried(form, actions.record_training, school=school, by=request.user, at=request.now):
            return self.done("Recorded the training.", "trainings")
        return self.page("add_training", form=form)


class TrainingDoor(SchoolDoor):
    """A page about one training, for no child in particular."""

    @cached_property
    def training(self) -> StaffTraining:
        found: StaffTraining = get_or_404(
            StaffTraining.objects.filter(school=self.school, pupil=None), id=self.kwargs["training_id"]
        )
        return found


class CorrectTrainingView(TrainingDoor):
    def get(self, request: Request, urn: str, training_id: Any) -> HttpResponse:
        known = {name: getattr(self.training, name) for name in actions.OF_TRAINING}
        return self.form_page(TrainingForm(today=request.today, initial=known))

    def post(self, request: Request, urn: str, training_id: Any) -> HttpResponse:
        training, form = self.training, TrainingForm(request.POST, today=request.today)
        if tried(form, actions.correct_training, training=training, by=request.user, at=request.now):
            return self.done("Saved the training.", "trainings")
        return self.form_page(form)

    def form_page(self, form: TrainingForm) -> HttpResponse:
        return self.page("correct_training", form=form, training=self.training)


class EndTrainingView(TrainingDoor):
    """Asks first."""

    def get(self, request: Request, urn: str, training_id: Any) -> HttpResponse:
        return self.page("end_training", training=self.training)

    def post(self, request: Request, urn: str, training_id: Any) -> HttpResponse:
        try:
            actions.end_training(training=self.training, by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
            return redirect("care:trainings", urn=urn)
        return self.done("Recorded that this person no longer does it.", "trainings")
