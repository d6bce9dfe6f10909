"""Pages about one child: the medicines and devices that the school holds, and who is trained for the child."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property

from handrail.accounts.roles import Permission
from handrail.care import actions
from handrail.care.expiry import TO_ACCEPT
from handrail.care.forms import MedicineForm, ReturnForm, TrainingForm
from handrail.care.models import Medicine, StaffTraining
from handrail.care.trying import tried
from handrail.core.access import Door, Request, get_or_404
from handrail.core.models import AuthoritySettings, ReadEntry
from handrail.schools.child_views import ChildDoor
from handrail.schools.models import Pupil


class CareDoor(ChildDoor):
    """A page about the care of one child that the person may see."""

    permission, needs_step_up = Permission.EDIT_PLANS, True

    @cached_property
    def medicine(self) -> Medicine:
        of_child = Medicine.objects.filter(pupil=self.child).select_related("pupil")
        found: Medicine = get_or_404(of_child, id=self.kwargs["medicine_id"])
        return found

    def show(self, template: str, **more: Any) -> HttpResponse:
        return self.page(f"care/{template}.html", ReadEntry.Group.PLAN, **more)

    def done(self, words: str) -> HttpResponse:
        messages.success(self.request, words)
        return redirect("care:medicines", child_id=self.child.id)


class MedicinesView(CareDoor):
    """The medicines and devices of a child, what is wrong with them, and who is trained."""

    permission = Permission.SEE_PLANS

    def get(self, request: Request, child_id: Any) -> HttpResponse:
        settings, on = AuthoritySettings.load(), request.today
        held = [
            (each, each.status_on(on, settings), each.to_put_right(on))
            for each in Medicine.objects.filter(pupil=self.child).select_related("pupil")
        ]
        trained = StaffTraining.objects.current().filter(pupil=self.child)
        return self.show(
            "medicines",
            medicines=[each for each in held if each[0].returned_on is None],
            gone=[each for each, _, _ in held if each.returned_on],
            trainings=[(each, each.status_on(on, settings)) for each in trained],
            to_accept=TO_ACCEPT,
            may_edit=self.may(Permission.EDIT_PLANS),
            may_see_child=self.may(Permission.SEE_CHILDREN),
        )


class AddMedicineView(CareDoor):
    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.show("add_medicine", form=MedicineForm(today=request.today))

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        form = MedicineForm(request.POST, today=request.today)
        if tried(form, actions.add_medicine, pupil=self.child, by=request.user, at=request.now):
            return self.done("Added it to what the school holds.")
        return self.show("add_medicine", form=form)


class ChangeMedicineView(CareDoor):
    def get(self, request: Request, child_id: Any, medicine_id: Any) -> HttpResponse:
        known = {name: getattr(self.medicine, name) for name in actions.OF_MEDICINE}
        return self.form_page(MedicineForm(today=request.today, initial=known))

    def post(self, request: Request, child_id: Any, medicine_id: Any) -> HttpResponse:
        medicine, form = self.medicine, MedicineForm(request.POST, today=request.today)
        if tried(form, actions.change_medicine, medicine=medicine, by=request.user, at=request.now):
            return self.done("Saved what you changed.")
        return self.form_page(form)

    def form_page(self, form: MedicineForm) -> HttpResponse:
        return self.show("change_medicine", form=form, medicine=self.medicine)


class ReturnMedicineView(CareDoor):
    def get(self, request: Request, child_id: Any, medicine_id: Any) -> HttpResponse:
        return self.form_page(ReturnForm(today=request.today, initial={"returned_on": request.today}))

    def post(self, request: Request, child_id: Any, medicine_id: Any) -> HttpResponse:
        medicine, form = self.medicine, ReturnForm(request.POST, today=request.today)
        if tried(form, actions.return_medicine, medicine=medicine, by=request.user, at=request.now):
            return self.done("Recorded that it is no longer at the school.")
        return self.form_page(form)

    def form_page(self, form: ReturnForm) -> HttpResponse:
        return self.show("return_medicine", form=form, medicine=self.medicine)


class AddChildTrainingView(CareDoor):
    def get(self, request: Request, child_id: Any) -> HttpResponse:
        return self.show("add_child_training", form=TrainingForm(today=request.today))

    def post(self, request: Request, child_id: Any) -> HttpResponse:
        child, form = self.child, TrainingForm(request.POST, today=request.today)
        if tried(form, actions.record_training, school=child.school, pupil=child, by=request.user, at=request.now):
            return self.done("Recorded the training.")
        return self.show("add_child_training", form=form)


class ChildTrainingDoor(CareDoor):
    """A page about one training for a child."""

    @cached_property
    def training(self) -> StaffTraining:
        found: StaffTraining = get_or_404(
            StaffTraining.objects.filter(pupil=self.child), id=self.kwargs["child_training_id"]
        )
        return found


class CorrectChildTrainingView(ChildTrainingDoor):
    def get(self, request: Request, child_id: Any, child_training_id: Any) -> HttpResponse:
        known = {name: getattr(self.training, name) for name in actions.OF_TRAINING}
        return self.form_page(TrainingForm(today=request.today, initial=known))

    def post(self, request: Request, child_id: Any, child_training_id: Any) -> HttpResponse:
        training, form = self.training, TrainingForm(request.POST, today=request.today)
        if tried(form, actions.correct_training, training=training, by=request.user, at=request.now):
            return self.done("Saved the training.")
        return self.form_page(form)

    def form_page(self, form: TrainingForm) -> HttpResponse:
        return self.show("correct_child_training", form=form, training=self.training)


class EndChildTrainingView(ChildTrainingDoor):
    """Asks first."""

    def get(self, request: Request, child_id: Any, child_training_id: Any) -> HttpResponse:
        return self.show("end_child_training", training=self.training)

    def post(self, request: Request, child_id: Any, child_training_id: Any) -> HttpResponse:
        try:
            actions.end_training(training=self.training, by=request.user, at=request.now)
        except actions.Refused as refusal:
            messages.warning(request, str(refusal))
            return redirect("care:medicines", child_id=child_id)
        return self.done("Recorded that this person no longer does it.")


class ItemView(Door):
    """Where a message about an item leads: its address says nothing of what it is."""

    permission = Permission.SEE_CHILDREN

    def get(self, request: Request, pk: Any) -> HttpResponse:
        children = Pupil.objects.visible_to(request.user)
        medicine = Medicine.objects.filter(id=pk, pupil__in=children).first()
        if medicine:
            return redirect("care:medicines", child_id=medicine.pupil_id)
        training = get_or_404(StaffTraining.objects.visible_to(request.user).select_related("school"), id=pk)
        if training.pupil_id:
            return redirect("care:medicines", child_id=training.pupil_id)
        return redirect("care:trainings", urn=training.school.urn)
