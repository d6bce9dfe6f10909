"""What keeps a child safe beside the plan: medicines and devices, a school's spare kits, and who is trained."""

from datetime import date
from typing import TYPE_CHECKING, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Max, Q
from django.db.models.functions import Coalesce

from handrail.accounts.roles import Permission
from handrail.care.expiry import age_on, next_check, to_put_right
from handrail.core.fields import SealedTextField
from handrail.core.models import AuthoritySettings, Record, RecordManager
from handrail.core.status import Status, status_of
from handrail.schools.models import Pupil, School

if TYPE_CHECKING:
    from handrail.accounts.models import User

WEB_ADDRESS = URLValidator(
    schemes=["http", "https"], message="Enter a web address in the correct format, like https://www.log.example/child"
)
"""Where doses are written down: a place on the web and nothing else that a link could do."""

DAYS_BEFORE_A_CHECK = 7
"""A monthly check is due soon only in its last week."""


def expiry_status(expires_on: date | None, *, on: date, settings: AuthoritySettings, is_in_use: bool) -> Status:
    """The status of what may be used until a day, that day included. What has no such day needs no watching."""
    needed = is_in_use and expires_on is not None
    return status_of(expires_on, on=on, due_soon_days=settings.due_soon_days, is_needed=needed)


class MedicineQuerySet(models.QuerySet["Medicine"]):
    def visible_to(self, user: "User") -> Self:
        """Those of the children whom the person may see."""
        return self.filter(pupil__in=Pupil.objects.visible_to(user))

    def in_use(self) -> Self:
        return self.filter(returned_on=None)


class Medicine(Record):
    """A medicine or device of one child that the school holds, until it is returned or disposed of.

    What it is and where its doses are written down is sealed; the address of a log may hold the child's name. Its dates
    and its codes are not: the clock reminds of what goes out of date while nobody has a key, and none says which
    medicine it is.
    """

    class Kind(models.TextChoices):
        MEDICINE = "medicine", "Medicine"
        DEVICE = "device", "Device"

    class Gone(models.TextChoices):
        RETURNED = "returned", "Returned to the parent or carer"
        DISPOSED = "disposed", "Taken to a pharmacy to be disposed of"
        USED_UP = "used_up", "Used up"

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="medicines")
    kind = models.CharField(max_length=8, choices=Kind)
    name = SealedTextField()
    dose = SealedTextField(help_text="how much and when, as on the label")
    place = SealedTextField(help_text="where it is kept")
    given_by = SealedTextField(help_text="who may give it, or that the child takes it alone")
    expires_on = models.DateField(null=True, help_text="the last day on which it may be used")
    received_on = models.DateField()
    accepted = ArrayField(models.CharField(max_length=12), default=list, help_text="what was checked when it came")
    is_emergency = models.BooleanField(default=False)
    is_locked = models.BooleanField(default=False)
    is_prescribed = models.BooleanField(default=False)
    is_controlled = models.BooleanField(default=False)
    is_hidden_from_parents = models.BooleanField(
        default=False,
        db_default=False,
        help_text="prescribed without their knowledge: the young person, who is able to, agreed alone",
    )
    consent_by = SealedTextField(null=True, help_text="who agreed in writing")
    consent_on = models.DateField(null=True)
    consent_withdrawn_on = models.DateField(null=True, help_text="empty while nobody took an agreement back")
    log_url = SealedTextField(null=True, help_text="where each dose is written down, elsewhere")
    returned_on = models.DateField(null=True, help_text="empty while it is in use")
    gone = models.CharField(max_length=8, choices=Gone, blank=True)

    objects: ClassVar = RecordManager.from_queryset(MedicineQuerySet)()

    class Meta:
        ordering = ["received_on", "id"]
        indexes = [
            models.Index(fields=["expires_on"], condition=Q(returned_on=None), name="medicines_in_use_by_expiry")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(returned_on=None, gone="") | (Q(returned_on__isnull=False) & ~Q(gone="")),
                name="a_medicine_that_has_gone_went_somewhere",
            )
        ]

    def status_on(self, on: date, settings: AuthoritySettings) -> Status:
        return expiry_status(self.expires_on, on=on, settings=settings, is_in_use=self.returned_on is None)

    def to_put_right(self, on: date) -> list[str]:
        """What is wrong with it on the day `on`, in sentences. Nothing is once it has gone."""
        if self.returned_on:
            return []
        return to_put_right(
            name=self.name,
            is_emergency=self.is_emergency,
            is_controlled=self.is_controlled,
            is_locked=self.is_locked,
            is_prescribed=self.is_prescribed,
            accepted=self.accepted,
            has_consent=self.consent_on is not None,
            is_hidden_from_parents=self.is_hidden_from_parents,
            expires_on=self.expires_on,
            age=age_on(self.pupil.born_on, on),
            on=on,
        )


class SpareKitQuerySet(models.QuerySet["SpareKit"]):
    def in_use(self) -> Self:
        return self.filter(withdrawn_on=None)

    def with_last_check(self) -> Self:
        """Adds `last_checked_on`, and `checked_since`: the day from which a month is counted."""
        return self.annotate(last_checked_on=Max("checks__checked_on")).annotate(
            checked_since=Coalesce(F("last_checked_on"), F("placed_on"))
        )


class SpareKit(Record):
    """A spare adrenaline auto-injector or emergency inhaler of a school, for a child whose own is not there."""

    class Kind(models.TextChoices):
        ADRENALINE = "adrenaline", "Adrenaline auto-injectors"
        INHALER = "inhaler", "Emergency inhaler"

    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="kits")
    kind = models.CharField(max_length=10, choices=Kind)
    place = models.CharField(max_length=150)
    batch = models.CharField(max_length=50, blank=True)
    expires_on = models.DateField(help_text="the last day on which it may be used")
    holder = models.CharField(max_length=150, blank=True, help_text="who looks after it")
    placed_on = models.DateField()
    withdrawn_on = models.DateField(null=True, help_text="empty while it is in use")

    last_checked_on: date | None
    checked_since: date

    objects: ClassVar = RecordManager.from_queryset(SpareKitQuerySet)()

    class Meta:
        ordering = ["place", "id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.place}"

    @property
    def check_due_on(self) -> date:
        """Needs `with_last_check`."""
        return next_check(self.checked_since)

    def status_on(self, on: date, settings: AuthoritySettings) -> Status:
        return expiry_status(self.expires_on, on=on, settings=settings, is_in_use=self.withdrawn_on is None)

    def check_status_on(self, on: date) -> Status:
        return status_of(
            self.check_due_on, on=on, due_soon_days=DAYS_BEFORE_A_CHECK, is_needed=self.withdrawn_on is None
        )


class KitCheck(Record):
    """Somebody looked at a spare kit: whether everything is there and in date."""

    kit = models.ForeignKey(SpareKit, on_delete=models.CASCADE, related_name="checks")
    checked_on = models.DateField()
    is_complete = models.BooleanField()
    missing = models.CharField(max_length=300, blank=True, help_text="what was not there, or not in date")
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    recorded_by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["-checked_on", "-recorded_at"]
        db_table_comment = "Append-only: who checked which kit"
        constraints = [
            models.CheckConstraint(
                condition=Q(is_complete=True, missing="") | (Q(is_complete=False) & ~Q(missing="")),
                name="a_check_says_what_is_missing",
            )
        ]


class StaffTrainingQuerySet(models.QuerySet["StaffTraining"]):
    def visible_to(self, user: "User") -> Self:
        """Those of the schools at which the person keeps them, and those about children whom the person may see."""
        keeps = [each.school_id for each in user.acting_memberships if Permission.KEEP_KITS in each.permissions]
        return self.filter(Q(school_id__in=keeps) | Q(pupil__in=Pupil.objects.visible_to(user)))

    def current(self) -> Self:
        """Those that nobody has ended and no later training has replaced."""
        return self.filter(ended_on=None)

    def that_count(self, *, on: date) -> Self:
        """Those by which somebody may act on the day `on`: in date, and found able to do it."""
        return self.current().filter(trained_on__lte=on, expires_on__gte=on, is_confirmed=True)


class StaffTraining(Record):
    """Somebody at a school was trained in something, perhaps for one child; until when that counts.

    In what is sealed though it is a code: of somebody trained for one child it says what that child has.
    """

    class Procedure(models.TextChoices):
        AWARENESS = "awareness", "Awareness of medical conditions"
        MEDICINES = "medicines", "Giving medicines"
        ADRENALINE = "adrenaline", "Adrenaline auto-injector"
        INHALER = "inhaler", "Inhaler and spacer"
        SEIZURE = "seizure", "Seizures and rescue medicine"
        DIABETES = "diabetes", "Glucose, insulin and hypos"
        FEEDING = "feeding", "Tube feeding"
        CATHETER = "catheter", "Catheter and continence care"
        TRACHEOSTOMY = "tracheostomy", "Tracheostomy, suction and oxygen"
        FIRST_AID = "first_aid", "First aid"
        OTHER = "other", "Something else"

    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="trainings")
    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, null=True, related_name="trainings")
    person = models.CharField(max_length=150)
    procedure = SealedTextField(choices=Procedure)
    procedure_note = SealedTextField(null=True, help_text="what it is, if it is something else")
    trained_on = models.DateField()
    expires_on = models.DateField(help_text="the last day on which it counts")
    trainer = models.CharField(max_length=150)
    trainer_profession = models.CharField(max_length=100, blank=True)
    is_confirmed = models.BooleanField(default=False, help_text="somebody found the person able to do it")
    confirmed_by = models.CharField(max_length=150, blank=True)
    is_cover = models.BooleanField(default=False, help_text="stands in when the other person is away")
    ended_on = models.DateField(null=True, help_text="the first day without it: has left, or was trained again")

    TOLD_LATER = ("person", "trained_on", "expires_on", "is_confirmed")

    objects: ClassVar = RecordManager.from_queryset(StaffTrainingQuerySet)()

    class Meta:
        ordering = ["expires_on", "person", "id"]
        indexes = [
            models.Index(fields=["expires_on"], condition=Q(ended_on=None), name="trainings_by_expiry"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_on__gte=F("trained_on")), name="training_ends_after_it_was_given"
            )
        ]

    def status_on(self, on: date, settings: AuthoritySettings) -> Status:
        return expiry_status(self.expires_on, on=on, settings=settings, is_in_use=self.ended_on is None)
