"""Yearly returns: the cycle that an authority opens, what a school is writing, and what it submitted. Where no
school is named, it is the authority's own: its self-assessment.

What is being written may change until the cycle closes. What was submitted, signed or assessed is only ever added to.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from handrail.accounts.roles import Permission
from handrail.core.models import AuthoritySettings, Document, Record, RecordManager
from handrail.core.status import Status, status_of
from handrail.guidance.frameworks import ID_LENGTH
from handrail.schools.models import School
from handrail.schools.terms import year_in_words

if TYPE_CHECKING:
    from handrail.accounts.models import User


def place_of(school: School | None) -> dict[str, str]:
    """Where the pages of a return are: `url("returns:home", **place)`. Those of the authority's own take nothing."""
    return {"urn": school.urn} if school else {}


class State(models.TextChoices):
    """Where a cycle stands on a day, in the order in which it gets there."""

    OPEN = "open", "Open"
    DUE = "due", "Due soon"
    LATE = "late", "Past its date"
    CLOSED = "closed", "Closed"


class Cycle(Record):
    """One school year's return: what it asks, from when to when. The questions are those of its frameworks today."""

    school_year = models.PositiveSmallIntegerField(unique=True, help_text="the year in which the school year began")
    framework_ids = ArrayField(models.CharField(max_length=ID_LENGTH), help_text="which frameworks it asks about")
    opened_on = models.DateField()
    due_on = models.DateField()
    closes_on = models.DateField(help_text="the first day on which nothing can be submitted any more")
    opened_by = models.UUIDField(null=True)
    opened_by_name = models.CharField(max_length=150)

    TOLD_LATER = ("due_on", "closes_on")

    class Meta:
        ordering = ["-school_year"]
        constraints = [
            models.CheckConstraint(
                condition=Q(due_on__gte=F("opened_on"), closes_on__gt=F("due_on")),
                name="a_cycle_opens_is_due_and_closes",
            )
        ]

    def __str__(self) -> str:
        return f"Return for {year_in_words(self.school_year)}"

    def title_for(self, school: School | UUID | None) -> str:
        """What it is called: a school's return, and the authority's self-assessment."""
        return str(self) if school else f"Self-assessment for {year_in_words(self.school_year)}"

    def state_on(self, on: date, *, due_soon_days: int) -> State:
        if on >= self.closes_on:
            return State.CLOSED
        if on > self.due_on:
            return State.LATE
        return State.DUE if on >= self.due_on - timedelta(days=due_soon_days) else State.OPEN

    def is_closed(self, on: date) -> bool:
        return on >= self.closes_on

    def asked_by(self, joined_on: date) -> date | None:
        """The day by which a school that joined on this day was asked for its return: none when it came after the
        return was due, for that can be late with nothing.
        """
        return self.due_on if joined_on <= self.due_on else None


class Verdict(models.TextChoices):
    YES = "yes", "Yes"
    PARTLY = "partly", "Partly"
    NO = "no", "No"
    NOT_APPLICABLE = "not_applicable", "Does not apply to us"


UNMET = (Verdict.PARTLY, Verdict.NO)


class Said(Record):
    """What somebody at a school said to one requirement, and the digest of what it asked then."""

    requirement_id = models.CharField(max_length=ID_LENGTH)
    digest = models.CharField(max_length=16)
    verdict = models.CharField(max_length=14, choices=Verdict)
    reason = models.TextField(max_length=2000, blank=True, help_text="for departing from it, or why it does not apply")
    evidence = models.TextField(max_length=2000, blank=True)
    evidence_page = models.CharField(max_length=50, blank=True, help_text="of the policy")
    evidence_url = models.URLField(max_length=500, blank=True)
    evidence_file = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField()
    answered_by = models.UUIDField(null=True)
    answered_by_name = models.CharField(max_length=150)

    CONTENT = ("verdict", "reason", "evidence", "evidence_page", "evidence_url", "evidence_file_id")
    PROVENANCE = ("requirement_id", "digest", "answered_at", "answered_by", "answered_by_name")

    class Meta:
        abstract = True

    @property
    def content(self) -> dict[str, Any]:
        """What was said, by field."""
        return {name: getattr(self, name) for name in self.CONTENT}


class Draft(Said):
    """An answer that is being written. One to what a requirement asked before it changed stays beside the new one."""

    cycle = models.ForeignKey(Cycle, on_delete=models.CASCADE, related_name="drafts")
    school = models.ForeignKey(School, on_delete=models.CASCADE, null=True, related_name="+")

    school_id: UUID | None

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "school", "requirement_id", "digest"],
                nulls_distinct=False,
                name="one_draft_answer_to_a_question",
            )
        ]


class ReturnQuerySet(models.QuerySet["Return"]):
    def visible_to(self, user: "User") -> Self:
        """To those whose role sees policies: everything at the authority, and at a school that school's."""
        places = [each.school_id for each in user.acting_memberships if Permission.SEE_POLICIES in each.permissions]
        return self if None in places else self.filter(school_id__in=[place for place in places if place])

    def newest(self) -> Self:
        """Of each school, and of the authority, the one that counts: its last, in its newest cycle."""
        return self.order_by("school_id", "-cycle__school_year", "-number").distinct("school_id")


class Return(Record):
    """What a school submitted, or the authority itself when `school` is empty. A correction is another one, with a
    higher number.
    """

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="returns")
    school = models.ForeignKey(School, on_delete=models.PROTECT, null=True, related_name="returns")
    number = models.PositiveSmallIntegerField(help_text="1, and more for corrections")
    asked = models.CharField(max_length=16, help_text="a digest: the same for all that were asked the same")
    submitted_at = models.DateTimeField()
    submitted_by = models.UUIDField(null=True)
    submitted_by_name = models.CharField(max_length=150)

    school_id: UUID | None

    objects: ClassVar = RecordManager.from_queryset(ReturnQuerySet)()

    class Meta:
        db_table_comment = "Append-only: what schools submitted"
        ordering = ["-cycle__school_year", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "school", "number"], nulls_distinct=False, name="numbers_of_returns_are_not_reused"
            )
        ]

    def __str__(self) -> str:
        title = self.cycle.title_for(self.school_id)
        return f"{title}, correction {self.number - 1}" if self.number > 1 else title


class AnswerQuerySet(models.QuerySet["Answer"]):
    def newest(self) -> Self:
        """Of each school, and of the authority, in each cycle: to each thing that was asked the last answer. While that
        is asked it stands, of whichever return, so that guidance that is taken back finds what was said to it.
        """
        alike = ("returned__cycle_id", "returned__school_id", "digest")
        return self.order_by(*alike, "-returned__number").distinct(*alike)


class Answer(Said):
    """An answer as it was submitted. `carried_from` is the one of an earlier return that still stood."""

    returned = models.ForeignKey(Return, on_delete=models.PROTECT, related_name="answers")
    carried_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")

    objects: ClassVar = RecordManager.from_queryset(AnswerQuerySet)()

    class Meta:
        db_table_comment = "Append-only: what schools submitted, point by point"
        indexes = [
            models.Index(
                fields=["returned", "digest"], condition=Q(verdict__in=UNMET, reason=""), name="unmet_without_a_reason"
            ),
            models.Index(
                fields=["returned", "digest"], condition=Q(verdict__in=UNMET, reason__gt=""), name="unmet_with_a_reason"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["returned", "requirement_id"], name="one_answer_to_a_requirement_in_a_return"
            )
        ]


class PlannedActionQuerySet(models.QuerySet["PlannedAction"]):
    def open(self) -> Self:
        return self.filter(done_on=None)


class PlannedAction(Record):
    """What a school, or the authority, will do about a point that it does not meet, who sees to it, and by when."""

    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="+")
    school = models.ForeignKey(School, on_delete=models.PROTECT, null=True, related_name="planned_actions")
    requirement_id = models.CharField(max_length=ID_LENGTH)
    what = models.TextField(max_length=500)
    owner_name = models.CharField(max_length=150)
    owner_email = models.EmailField()
    due_on = models.DateField()
    done_on = models.DateField(null=True)

    objects: ClassVar = RecordManager.from_queryset(PlannedActionQuerySet)()

    class Meta:
        ordering = ["due_on", "id"]

    CONTENT = ("what", "owner_name", "owner_email", "due_on", "done_on")
    TOLD_LATER = ("what", "owner_name", "due_on", "done_on")

    def status_on(self, on: date, settings: AuthoritySettings) -> Status:
        days = settings.due_soon_days
        return status_of(self.due_on, on=on, due_soon_days=days, is_needed=self.done_on is None)

    def __str__(self) -> str:
        return self.what


class Countersignature(Record):
    """That a governor, or somebody else at the authority, has seen a return and agrees with it."""

    returned = models.OneToOneField(Return, on_delete=models.PROTECT, related_name="countersignature")
    signed_at = models.DateTimeField()
    signed_by = models.UUIDField(null=True)
    signed_by_name = models.CharField(max_length=150)

    class Meta:
        db_table_comment = "Append-only: which governor agreed to which return"


class Assessment(Record):
    """What the authority thinks of one answer: beside the school's, never over it. The newest counts."""

    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, related_name="assessments")
    verdict = models.CharField(max_length=14, choices=Verdict)
    note = models.TextField(max_length=2000, help_text="what was looked at, and what was found")
    assessed_at = models.DateTimeField()
    assessed_by = models.UUIDField(null=True)
    assessed_by_name = models.CharField(max_length=150)

    class Meta:
        db_table_comment = "Append-only: what the authority thought of which answer"
        ordering = ["-assessed_at"]

    @property
    def differs(self) -> bool:
        """Whether the authority came to another result than the school."""
        return self.verdict != self.answer.verdict
