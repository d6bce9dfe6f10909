"""Every write about medicines and devices, spare kits and their checks, and training."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from handrail.care.expiry import trained_until
from handrail.care.models import KitCheck, Medicine, SpareKit, StaffTraining
from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.core.earlier import keep
from handrail.schools.models import Pupil, School

OF_MEDICINE = (
    "kind",
    "name",
    "dose",
    "place",
    "given_by",
    "expires_on",
    "received_on",
    "accepted",
    "is_emergency",
    "is_locked",
    "is_prescribed",
    "is_controlled",
    "is_hidden_from_parents",
    "consent_by",
    "consent_on",
    "log_url",
)
"""The columns of a medicine that the school decides."""

OF_KIT = ("kind", "place", "batch", "expires_on", "holder")
"""The columns of a spare kit that the school decides."""

OF_TRAINING = (
    "person",
    "procedure",
    "procedure_note",
    "trained_on",
    "expires_on",
    "trainer",
    "trainer_profession",
    "confirmed_by",
    "is_cover",
)
"""What of a training the school writes down."""


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person, and `field` what it is about."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class DayInFuture(Refused):
    """The day of what is recorded has not come yet."""


class HasGone(Refused):
    """It has been returned, disposed of, withdrawn or ended already."""


class Unsaid(Refused):
    """A check that found something wrong has to say what."""


# -- medicines ----------------------------------------------------------------------------------------------


@transaction.atomic
def add_medicine(*, pupil: Pupil, by: audit.Actor, at: datetime, **facts: Any) -> Medicine:
    """Take in a medicine or device of a child: OF_MEDICINE. Raises DayInFuture."""
    _check_past(facts["received_on"], at, "Date it came", "received_on")
    _check_past(facts.get("consent_on"), at, "Date of the agreement", "consent_on")
    medicine = Medicine(pupil=pupil, **facts)
    medicine.save(force_insert=True)
    _about_medicine("took in a medicine", medicine, sorted(facts), by=by, at=at)
    return medicine


@transaction.atomic
def change_medicine(*, medicine: Medicine, by: audit.Actor, at: datetime, **facts: Any) -> list[str]:
    """Correct some of OF_MEDICINE. Gives the names of those that changed. Raises DayInFuture, HasGone.

    An agreement that is taken away was withdrawn today: the clock then brings the plan's review forward.
    """
    medicine = _held(medicine)
    _check_past(facts.get("received_on"), at, "Date it came", "received_on")
    _check_past(facts.get("consent_on"), at, "Date of the agreement", "consent_on")
    changed = [name for name, value in facts.items() if name in OF_MEDICINE and getattr(medicine, name) != value]
    if "consent_on" in changed:
        medicine.consent_withdrawn_on = None if facts["consent_on"] else day_of(at)
    for name in changed:
        setattr(medicine, name, facts[name])
    if changed:
        medicine.save(update_fields=[*changed, "consent_withdrawn_on"])
        _about_medicine("changed a medicine", medicine, changed, by=by, at=at)
    return changed


@transaction.atomic
def return_medicine(*, medicine: Medicine, gone: str, returned_on: date, by: audit.Actor, at: datetime) -> None:
    """Record that a medicine or device is at the school no more, and where it went. Raises DayInFuture, HasGone."""
    medicine = _held(medicine)
    _check_past(returned_on, at, "Date it went", "returned_on")
    if returned_on < medicine.received_on:
        raise Refused("Date it went must be the same as or after the day it came", "returned_on")
    medicine.returned_on, medicine.gone = returned_on, gone
    medicine.save(update_fields=["returned_on", "gone"])
    _about_medicine("returned a medicine", medicine, ["returned_on", "gone"], by=by, at=at)


def _held(medicine: Medicine) -> Medicine:
    medicine = Medicine.objects.select_for_update(of=("self",)).select_related("pupil").get(id=medicine.id)
    if medicine.returned_on:
        raise HasGone("It has been recorded as gone already")
    return medicine


def _about_medicine(verb: str, medicine: Medicine, fields: list[str], *, by: audit.Actor, at: datetime) -> None:
    school_id = medicine.pupil.school_id
    audit.record(
        verb, by=by, at=at, subject_kind="medicine", subject_id=medicine.id, school_id=school_id, fields=fields
    )


# -- spare kits ---------------------------------------------------------------------------------------------


@transaction.atomic
def add_kit(*, school: School, by: audit.Actor, at: datetime, **facts: Any) -> SpareKit:
    """Put a spare kit in its place: OF_KIT. Its first check is due a month from today."""
    kit = SpareKit(school=school, placed_on=day_of(at), **facts)
    kit.save(force_insert=True)
    _about_kit("added a spare kit", kit, sorted(facts), by=by, at=at)
    return kit


@transaction.atomic
def change_kit(*, kit: SpareKit, by: audit.Actor, at: datetime, **facts: Any) -> list[str]:
    """Change some of OF_KIT, such as the expiry date of a new pen. Gives those that changed. Raises HasGone."""
    kit = _placed(kit)
    changed = [name for name, value in facts.items() if name in OF_KIT and getattr(kit, name) != value]
    for name in changed:
        setattr(kit, name, facts[name])
    if changed:
        kit.save(update_fields=changed)
        _about_kit("changed a spare kit", kit, changed, by=by, at=at)
    return changed


@transaction.atomic
def withdraw_kit(*, kit: SpareKit, by: audit.Actor, at: datetime) -> None:
    """Take a kit out of use for good; its checks stay. Raises HasGone."""
    kit = _placed(kit)
    kit.withdrawn_on = day_of(at)
    kit.save(update_fields=["withdrawn_on"])
    _about_kit("withdrew a spare kit", kit, ["withdrawn_on"], by=by, at=at)


@transaction.atomic
def check_kit(
    *, kit: SpareKit, is_complete: bool, missing: str = "", by: audit.Actor, at: datetime
) -> tuple[KitCheck, bool]:
    """Record that somebody looked at a kit today; give it with whether it is new.

    The same finding on the same day changes nothing. Raises HasGone, Unsaid.
    """
    kit, today = _placed(kit), day_of(at)
    if not is_complete and not missing.strip():
        raise Unsaid("Enter what is missing or out of date", "missing")
    missing = "" if is_complete else missing.strip()
    same = kit.checks.filter(checked_on=today, is_complete=is_complete, missing=missing).first()
    if same:
        return same, False
    made = KitCheck.objects.create(
        kit=kit,
        checked_on=today,
        is_complete=is_complete,
        missing=missing,
        recorded_at=at,
        recorded_by=by.actor_id,
        recorded_by_name=by.actor_name,
    )
    _about_kit("checked a spare kit", kit, ["checks"], by=by, at=at)
    return made, True


def _placed(kit: SpareKit) -> SpareKit:
    """The kit as it is now, held until the end: two taps on one button wait for each other here."""
    kit = SpareKit.objects.select_for_update().get(id=kit.id)
    if kit.withdrawn_on:
        raise HasGone("This kit is no longer in use")
    return kit


def _about_kit(verb: str, kit: SpareKit, fields: list[str], *, by: audit.Actor, at: datetime) -> None:
    audit.record(verb, by=by, at=at, subject_kind="kit", subject_id=kit.id, school_id=kit.school_id, fields=fields)


# -- training -----------------------------------------------------------------------------------------------


@transaction.atomic
def record_training(
    *,
    school: School,
    person: str,
    procedure: str,
    trained_on: date,
    trainer: str,
    by: audit.Actor,
    at: datetime,
    pupil: Pupil | None = None,
    expires_on: date | None = None,
    procedure_note: str = "",
    trainer_profession: str = "",
    confirmed_by: str = "",
    is_cover: bool = False,
) -> StaffTraining:
    """Record that somebody was trained, perhaps for one child. It counts for a year unless the trainer said less.

    An earlier training of the same person in the same thing for the same child ends. It counts only when somebody
    has found the person able to do it: SPMC-TRN-04. Raises DayInFuture.
    """
    _check_training(trained_on, expires_on, at)
    before = StaffTraining.objects.current().filter(
        school=school, pupil=pupil, person__iexact=person, trained_on__lte=trained_on
    )
    if procedure != StaffTraining.Procedure.OTHER:
        same = [each.id for each in before.select_for_update() if each.procedure == procedure]
        before.filter(id__in=same).update(ended_on=day_of(at))
    training = StaffTraining(
        school=school,
        pupil=pupil,
        person=person,
        procedure=procedure,
        procedure_note=procedure_note or None,
        trained_on=trained_on,
        expires_on=trained_until(trained_on, expires_on),
        trainer=trainer,
        trainer_profession=trainer_profession,
        is_confirmed=bool(confirmed_by.strip()),
        confirmed_by=confirmed_by,
        is_cover=is_cover,
    )
    training.save(force_insert=True)
    _about_training("recorded a training", training, ["person", "procedure", "trained_on"], by=by, at=at)
    return training


@transaction.atomic
def correct_training(
    *, training: StaffTraining, expires_on: date | None, by: audit.Actor, at: datetime, **facts: Any
) -> list[str]:
    """Put right what was written down of a training: all of OF_TRAINING. It counts for a year unless less was said.

    Gives the names of what changed. Raises DayInFuture, HasGone.
    """
    training = _current(training)
    _check_training(facts["trained_on"], expires_on, at)
    facts["expires_on"] = trained_until(facts["trained_on"], expires_on)
    facts["procedure_note"] = facts["procedure_note"] or None
    facts["is_confirmed"] = bool(facts["confirmed_by"].strip())
    changed = [name for name, value in facts.items() if getattr(training, name) != value]
    if training.pupil_id is None:
        keep([(training, {name: getattr(training, name) for name in changed})], at=at)
    for name in changed:
        setattr(training, name, facts[name])
    if changed:
        training.save(update_fields=changed)
        _about_training("corrected a training", training, changed, by=by, at=at)
    return changed


@transaction.atomic
def end_training(*, training: StaffTraining, by: audit.Actor, at: datetime) -> None:
    """Record that somebody no longer does what they were trained in, or has left. Raises HasGone."""
    training = _current(training)
    training.ended_on = day_of(at)
    training.save(update_fields=["ended_on"])
    _about_training("ended a training", training, ["ended_on"], by=by, at=at)


def _current(training: StaffTraining) -> StaffTraining:
    """The training as it is now, held until the end."""
    training = StaffTraining.objects.select_for_update().get(id=training.id)
    if training.ended_on:
        raise HasGone("This training has ended already")
    return training


def _check_training(trained_on: date, expires_on: date | None, at: datetime) -> None:
    _check_past(trained_on, at, "Date of the training", "trained_on")
    if expires_on and expires_on < trained_on:
        raise Refused("Date it runs out must be the same as or after the date of the training", "expires_on")


def _about_training(verb: str, training: StaffTraining, fields: list[str], *, by: audit.Actor, at: datetime) -> None:
    audit.record(
        verb,
        by=by,
        at=at,
        subject_kind="training",
        subject_id=training.id,
        school_id=training.school_id,
        fields=fields,
    )


def _check_past(on: date | None, at: datetime, what: str, field: str) -> None:
    if on and on > day_of(at):
        raise DayInFuture(f"{what} must be today or in the past", field)
