"""What is written about a child's health is sealed in the database, unless somebody has said why it need not be.

What may hold one of a few codes only is no writing. Why those stay in clear is said where they are defined.
"""

from collections.abc import Iterable

from django.apps import apps
from django.apps.registry import Apps
from django.db import models

from handrail.core.fields import SealedJSONField, SealedTextField
from handrail.core.models import Record

HEALTH = {"plans", "care", "incidents", "handovers", "absences"}
"""The rooms that hold what is written about a child's health."""

LONG = (models.TextField, models.JSONField)
SHORT = (*LONG, models.CharField)
SHORT_TOO = HEALTH - {"absences"}
"""Those of which a short column of words is judged like a long one."""

IN_CLEAR: dict[str, str] = {
    "plans.Reader.name": "who must know the plan, not what it says",
    "plans.Agreement.name": "who agreed, not to what",
    "handovers.Setting.name": "a setting, about no child",
    "handovers.Setting.ring": "whom to ring at a setting",
    "handovers.Setting.telephone": "whom to ring at a setting",
    "handovers.Handover.setting_name": "the clock and both sides' lists find a handover by its setting",
    "handovers.Handover.setting_urn": "the clock and both sides' lists find a handover by its setting",
    "handovers.Handover.other_role": "the other side's authority, which the clock writes to",
    "handovers.Handover.other_name": "the other side's authority, which the clock writes to",
    "handovers.Handover.home_authority": "an authority",
    "handovers.Handover.school_authority": "an authority",
    "handovers.Handover.host_authority": "an authority",
    "handovers.Handover.ring": "whom to ring at the home side: the card of the exchange says it in clear",
    "handovers.Handover.telephone": "whom to ring at the home side: the card of the exchange says it in clear",
    "handovers.GuestPage.name": "a named person of a setting, about no child",
    "handovers.GuestPage.email": "a named person of a setting, about no child",
    "handovers.GuestPage.code": "a digest of what was sent",
    "handovers.Step.move": "one of the moves of moves.py",
    "handovers.Pack.sha256": "a digest",
    "handovers.Message.sha256": "a digest",
    "handovers.Message.trouble": "what went wrong on the way, in our words",
    "handovers.ErasedEnvelope.other_role": "an authority",
    "handovers.ErasedEnvelope.sha256": "a digest",
    "handovers.OnwardReturn.other_role": "an authority",
    "handovers.OnwardReturn.other_name": "an authority",
    "handovers.OnwardReturn.lives_in": "an authority",
    "handovers.OnwardReturn.sha256": "a digest",
    "handovers.OnwardReturn.trouble": "what went wrong on the way, in our words",
    "care.SpareKit.place": "of the school, about no child",
    "care.SpareKit.batch": "of the school, about no child",
    "care.SpareKit.holder": "of the school, about no child",
    "care.KitCheck.missing": "of the school, about no child",
    "care.StaffTraining.person": "one of the staff; in what they are trained is sealed",
    "care.StaffTraining.trainer": "who trained one of the staff",
    "care.StaffTraining.trainer_profession": "who trained one of the staff",
    "care.StaffTraining.confirmed_by": "who found one of the staff able",
    "plans.PlanLink.name": "of a contact of the child, as in their own row",
    "plans.PlanLink.email": "of a contact of the child, as in their own row",
    "plans.PlanLink.code": "a digest of what was sent",
    "plans.PlanTally.schools": "numbers, of schools and no child",
    "plans.PlanTally.phases": "numbers, of all schools and no child",
    "plans.PlanTally.types": "numbers, of all schools and no child",
    "plans.PlanTally.conditions": "numbers to the nearest ten, of all schools and no child",
    "plans.PlanTally.months": "numbers, of all schools and no child",
}
"""Their columns of text that need no sealing, as `room.Model.field`, each with the reason."""


def in_clear(found: Iterable[type[models.Model]]) -> set[str]:
    """The columns of free text and JSON that the database holds unsealed."""
    return {
        f"{model._meta.label}.{field.name}"
        for model in found
        if model._meta.app_label in HEALTH
        for field in model._meta.local_concrete_fields
        if isinstance(field, SHORT if model._meta.app_label in SHORT_TOO else LONG)
        and not field.choices
        and not field.name.endswith("by_name")  # who did it: the record of changes says the same
    }


class TestTheRoomsOfHealth:
    def test_seal_their_text(self):
        assert in_clear(apps.get_models()) == set(IN_CLEAR)

    def test_give_a_reason_for_what_they_do_not(self):
        assert all(reason.strip() for reason in IN_CLEAR.values())

    def test_are_found_out_when_they_forget(self):
        class Plan(Record):
            title = models.CharField(max_length=50)
            state = models.CharField(max_length=5, choices=[("asked", "Asked")])
            made_by_name = models.CharField(max_length=150)
            needs = models.TextField()
            answers = models.JSONField()
            sealed = SealedTextField()
            also_sealed = SealedJSONField()

            class Meta:
                app_label = "plans"
                apps = Apps()

        assert in_clear([Plan]) == {"plans.Plan.title", "plans.Plan.needs", "plans.Plan.answers"}
