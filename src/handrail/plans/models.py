"""A child's Individual Healthcare Plan: versions, who agreed, reviews, links to it, and who saw it in an emergency."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from handrail.accounts.guests import Guest
from handrail.core.calendar import day_of
from handrail.core.fields import SealedJSONField, SealedTextField
from handrail.core.models import AuthoritySettings, Record, RecordManager
from handrail.core.status import Status, status_case, status_of
from handrail.plans.content import HIDDEN_FROM_PARENTS, Answers
from handrail.plans.cycle import Trigger
from handrail.plans.emergency import Emergency
from handrail.plans.readers import Reader as Reader
from handrail.plans.readers import ReadReceipt as ReadReceipt
from handrail.plans.standing import Standing, standing
from handrail.plans.tally import PlanTally as PlanTally
from handrail.schools.models import Contact, Pupil

if TYPE_CHECKING:
    from handrail.accounts.models import User


class Stage(models.TextChoices):
    """Where a plan is on its way. Only an active one is reviewed."""

    NOTIFIED = "notified", "Waiting for a decision"
    NOT_NEEDED = "not_needed", "Not needed"
    DRAFT = "draft", "Being written"
    AWAITING = "awaiting", "Waiting for agreement"
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Paused"
    TRANSFERRED = "transferred", "Passed on"
    CLOSED = "closed", "Closed"


TO_BE_READY = (Stage.NOTIFIED, Stage.DRAFT, Stage.AWAITING)
"""Stages in which a plan is on the way; `due_on` is then the day by which it is to be ready."""

WATCHED = (*TO_BE_READY, Stage.ACTIVE)
"""Stages in which something falls due."""

SHARED = (Stage.DRAFT, Stage.AWAITING, Stage.ACTIVE)
"""Stages in which people without an account may be asked what they think of a plan."""


class Party(models.TextChoices):
    """Who agrees to a plan."""

    PARENT = "parent", "Parent or carer"
    CHILD = "child", "The child"
    HEALTH = "health", "Health professional"
    SCHOOL = "school", "The school"


class HealthcarePlanQuerySet(models.QuerySet["HealthcarePlan"]):
    def visible_to(self, user: "User") -> Self:
        """Those of the children whom the person may see."""
        return self.filter(pupil__in=Pupil.objects.visible_to(user))

    def of_school(self, school_id: UUID, *, on: date) -> Self:
        """Those of the children at a school on the day `on`, and of those still to join it."""
        return self.filter(pupil__school_id=school_id, pupil__in=Pupil.objects.not_left(on=on))

    def watched(self) -> Self:
        """Those for which something falls due."""
        return self.filter(stage__in=WATCHED)

    def with_status(self, *, on: date, settings: AuthoritySettings) -> Self:
        """Adds `status` as at the day `on`."""
        return self.annotate(
            status=status_case("due_on", on=on, due_soon_days=settings.due_soon_days, needed=Q(stage__in=WATCHED))
        )


class HealthcarePlan(Record):
    """A child's plan: where it is on its way, and when it is due. What it says is in its versions."""

    class ToldBy(models.TextChoices):
        PARENT = "parent", "Parent or carer"
        HEALTH = "health", "Health professional"
        SCHOOL = "school", "The school before"
        STAFF = "staff", "Somebody at this school"

    pupil = models.OneToOneField(Pupil, on_delete=models.CASCADE, related_name="plan")
    stage = models.CharField(max_length=12, choices=Stage, default=Stage.DRAFT, db_default=Stage.DRAFT)
    stage_since = models.DateField(null=True)
    notified_on = models.DateField(null=True, help_text="when the school was told")
    told_by = models.CharField(max_length=10, choices=ToldBy, blank=True, db_default="")
    decided_on = models.DateField(null=True, help_text="when it was decided whether a plan is needed")
    decided_with = SealedTextField(null=True, help_text="who agreed to that decision")
    reason = SealedTextField(null=True, help_text="why it is not needed, paused, passed on or closed")
    coordinator = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, related_name="+", help_text="who is reminded first"
    )
    last_reviewed_on = models.DateField(null=True, help_text="when it was agreed or reviewed last")
    due_on = models.DateField(null=True, help_text="by when it is to be ready, or reviewed; empty when nothing is due")
    asked_due_on = models.DateField(null=True, help_text="the day that the last review asked for, sooner than a year")

    objects: ClassVar = RecordManager.from_queryset(HealthcarePlanQuerySet)()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(stage="active") | Q(due_on__isnull=False), name="an_active_plan_is_due"
            ),
            models.CheckConstraint(
                condition=Q(stage__in=["notified", "draft", "awaiting", "active"]) | Q(due_on=None),
                name="nothing_is_due_of_a_plan_at_rest",
            ),
        ]
        indexes = [models.Index(fields=["due_on"], condition=Q(due_on__isnull=False), name="plans_by_due_day")]

    @property
    def is_watched(self) -> bool:
        return self.stage in WATCHED

    def status_on(self, on: date, settings: AuthoritySettings) -> Status:
        return status_of(self.due_on, on=on, due_soon_days=settings.due_soon_days, is_needed=self.is_watched)


class PlanVersionQuerySet(models.QuerySet["PlanVersion"]):
    def of_child(self, pupil: Pupil) -> Self:
        """All versions of a child's plan, the newest first."""
        return self.filter(plan__pupil=pupil).order_by("-number")

    def newest_of(self, children: models.QuerySet[Pupil]) -> Self:
        """The newest version of each of these children's plans, by class and name."""
        newest = self.filter(plan__pupil__in=children).order_by("plan_id", "-number").distinct("plan_id")
        return self.filter(id__in=newest.values("id")).order_by(
            "plan__pupil__class_name", "plan__pupil__name", "plan__pupil_id"
        )


class PlanVersion(Record):
    """What a plan said from one saving to the next."""

    plan = models.ForeignKey(HealthcarePlan, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    made_by_name = models.CharField(max_length=150)
    changed = ArrayField(models.CharField(max_length=30), default=list, help_text="the names of the parts that did")
    emergency = SealedJSONField(null=True, help_text="empty while nobody has written the emergency steps")
    sections = SealedJSONField(null=True, help_text="section -> question -> answer: see content.py")

    objects: ClassVar = RecordManager.from_queryset(PlanVersionQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="one_version_per_number_of_a_plan")]

    @property
    def says(self) -> Emergency | None:
        """What to do in an emergency."""
        return Emergency.from_json(self.emergency) if self.emergency else None

    @property
    def answers(self) -> Answers:
        """What the sections say."""
        return self.sections or {}


class Agreement(Record):
    """Somebody agreed to what a plan said, or asked for a change of it."""

    class How(models.TextChoices):
        IN_PERSON = "in_person", "In person"
        PHONE = "phone", "On the phone"
        WRITING = "writing", "In writing"
        LINK = "link", "Through a link that was sent to them"

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="agreements")
    party = models.CharField(max_length=6, choices=Party)
    name = models.CharField(max_length=150)
    is_agreed = models.BooleanField(default=True, help_text="false when a change was asked for")
    agreed_on = models.DateField()
    how = models.CharField(max_length=9, choices=How)
    comment = SealedTextField(null=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    recorded_by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["recorded_at", "id"]


class PlanReview(Record):
    """One review of a plan: its day, its outcome and which version was found right. Never changed afterwards."""

    class Outcome(models.TextChoices):
        NO_CHANGE = "no_change", "Still right, no change"
        UPDATED = "updated", "Updated"
        NOT_NEEDED = "not_needed", "No longer needs a plan"
        LEFT = "left", "Has left the school"

    plan = models.ForeignKey(HealthcarePlan, on_delete=models.CASCADE, related_name="reviews")
    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, null=True, related_name="+")
    reviewed_on = models.DateField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    next_due_on = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    recorded_by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["-reviewed_on", "-recorded_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "reviewed_on", "outcome"], name="one_plan_review_per_day_and_outcome"
            )
        ]


class ReviewTrigger(Record):
    """Something that makes a plan's review due before its time, until a review has answered it.

    Its kind is not sealed: it is one of a few codes, which say when to look at the plan and not what the child has. The
    clock notes each kind once for each day, in one statement for all plans, while nobody has a key.
    """

    plan = models.ForeignKey(HealthcarePlan, on_delete=models.CASCADE, related_name="triggers")
    kind = models.CharField(max_length=10, choices=Trigger)
    happens_on = models.DateField()
    due_on = models.DateField()
    noted_at = models.DateTimeField()
    noted_by = models.UUIDField(null=True, help_text="a user; empty for the clock")
    answered_by = models.ForeignKey(PlanReview, on_delete=models.SET_NULL, null=True, related_name="answers")

    class Meta:
        ordering = ["due_on", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "kind", "happens_on"], name="one_trigger_per_plan_kind_and_day")
        ]


class PlanLink(Guest):
    """What lets a parent or a health professional without an account see one version of one child's plan.

    Of what is in the address only digests are here: see link_mail.py. By itself an address opens nothing. It is who
    acts (`by=`) in what is done through it; by name only where the name can be erased with the child.
    """

    LASTS = timedelta(days=14)

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="links")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="links")
    party = models.CharField(max_length=6, choices=Party, help_text="as whom they take part")
    name = models.CharField(max_length=150, help_text="of the contact, as it was then")
    email = models.EmailField(help_text="of the contact, as it was then; codes go there")
    withdrawn_by_name = models.CharField(max_length=150, blank=True)
    last_opened_at = models.DateTimeField(null=True)
    draft = SealedJSONField(null=True, help_text="what they typed and have not sent")

    class Meta:
        indexes = [GinIndex(fields=["digests"], name="plan_links_by_digest")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("sent_at")), name="a_link_ends_after_it_was_sent"),
            models.CheckConstraint(
                condition=Q(party__in=["parent", "health"]), name="links_go_to_parents_and_health_professionals"
            ),
        ]

    @property
    def school(self) -> Any:
        """The child's, which the pages name."""
        return self.pupil.school

    def standing(self, at: datetime) -> Standing:
        """Whether it opens the plan at the moment `at`, or why not."""
        on, contact = day_of(at), self.contact
        return standing(
            at=at,
            ends_at=self.ends_at,
            is_withdrawn=self.withdrawn_at is not None,
            is_locked=self.locked_at is not None,
            is_open_school=self.pupil.school.is_open,
            is_at_school=not self.pupil.has_left(on),
            is_entitled=contact is not None
            and contact.email == self.email
            and contact.has_parental_responsibility == (self.party == Party.PARENT),
            is_open_plan=self.version.plan.stage in SHARED,
            is_newest=not self._newer_versions.exists(),
        )

    @property
    def _newer_versions(self) -> models.QuerySet[PlanVersion]:
        """Those that say something else to whom the link is for: a parent is not told that what is hidden changed."""
        newer = self.version.plan.versions.filter(number__gt=self.version.number)
        return newer.exclude(changed__contained_by=HIDDEN_FROM_PARENTS) if self.party == Party.PARENT else newer

    # An action's `by=`
    @property
    def actor_id(self) -> UUID | None:
        return self.contact_id

    @property
    def actor_name(self) -> str:
        return str(self.get_party_display())

    def role_at(self, school_id: UUID | None) -> str:
        return "guest"


class PlanComment(Record):
    """What somebody said of a plan through a link without agreeing or asking for a change, and the school's answer."""

    link = models.ForeignKey(PlanLink, on_delete=models.CASCADE, related_name="comments")
    made_at = models.DateTimeField()
    words = SealedTextField()
    answer = SealedTextField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.UUIDField(null=True)
    answered_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["made_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answer__isnull=True, answered_at=None) | Q(answer__isnull=False, answered_at__isnull=False),
                name="an_answer_has_its_moment",
            )
        ]


class BreakGlassQuerySet(models.QuerySet["BreakGlass"]):
    def open_to(self, user: "User", *, at: datetime) -> Self:
        """Those under which this person may look at the moment `at`: for half an hour, and nobody else."""
        return self.filter(opened_by=user.id, opened_at__lte=at, ends_at__gt=at)

    def visible_to(self, user: "User") -> Self:
        """What there is to review, to people at the authority."""
        return self if user.is_at_authority else self.none()

    def waiting(self) -> Self:
        """Those that nobody has reviewed, the oldest first."""
        return self.filter(reviewed_at=None).order_by("opened_at", "id")

    def reviewed(self) -> Self:
        return self.filter(reviewed_at__isnull=False).order_by("-reviewed_at", "id")


class BreakGlass(Record):
    """Half an hour in which somebody at the authority may see one child's emergency plan, and why."""

    LASTS = timedelta(minutes=30)

    class Outcome(models.TextChoices):
        JUSTIFIED = "justified", "It was justified"
        NOT_JUSTIFIED = "not_justified", "It was not justified"
        MISTAKE = "mistake", "It was a mistake, and did no harm"

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    opened_by = models.UUIDField()
    opened_by_name = models.CharField(max_length=150)
    reason = SealedTextField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.UUIDField(null=True)
    reviewed_by_name = models.CharField(max_length=150, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    note = SealedTextField(null=True)

    objects: ClassVar = RecordManager.from_queryset(BreakGlassQuerySet)()

    class Meta:
        indexes = [models.Index(fields=["opened_at"], condition=Q(reviewed_at=None), name="break_glass_to_review")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("opened_at"), ends_at__lte=F("opened_at") + timedelta(minutes=30)),
                name="break_glass_lasts_half_an_hour_at_most",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, outcome="") | (Q(reviewed_at__isnull=False) & ~Q(outcome="")),
                name="a_review_and_only_a_review_has_an_outcome",
            ),
        ]
