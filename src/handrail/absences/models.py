"""What schools report of children whom illness keeps away, the codes that count, and what the authority decided.

A diagnosis has no place here. What the register says is the school's; from its sickness return on the authority's
named officer sees the child too.
"""

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q

from handrail.absences.daycount import CODES, Session, Stretch
from handrail.accounts.roles import Permission
from handrail.core.fields import SealedJSONField, SealedTextField
from handrail.core.models import Record, RecordManager
from handrail.schools.models import Pupil, School
from handrail.schools.terms import year_in_words

if TYPE_CHECKING:
    from handrail.accounts.models import User


class AttendanceMarkQuerySet(models.QuerySet["AttendanceMark"]):
    def standing(self) -> Self:
        """Those whose place no other has taken."""
        return self.filter(replaced_at=None)


class AttendanceMark(Record):
    """The code of one session in a school's register. A later one takes its place, and the earlier is kept."""

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="attendance_marks")
    on = models.DateField()
    session = models.CharField(max_length=2, choices=[(each.value, each.name) for each in Session])
    code = models.CharField(max_length=2, choices=[(code, words) for code, (_, words) in CODES.items()])
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    replaced_at = models.DateTimeField(null=True, help_text="when another code took its place")

    objects: ClassVar = RecordManager.from_queryset(AttendanceMarkQuerySet)()

    class Meta:
        ordering = ["on", "session"]
        constraints = [
            models.UniqueConstraint(
                fields=["pupil", "on", "session"],
                condition=Q(replaced_at=None),
                name="one_code_per_child_and_session",
            ),
            models.CheckConstraint(condition=Q(session__in=[*Session]), name="a_session_is_am_or_pm"),
            models.CheckConstraint(condition=Q(code__in=[*CODES]), name="a_code_of_the_regulations"),
        ]


def first_of(school_year: Any) -> Func:
    """The day on which a school year begins."""
    return Func(school_year, 9, 1, function="make_date", output_field=models.DateField())


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: "User") -> Self:
        """To the named officer those that a school has reported; to a school its own children's."""
        ids = [each.school_id for each in user.acting_memberships if Permission.MAKE_RETURNS in each.permissions]
        if any(Permission.DECIDE_CASES in each.permissions for each in user.acting_memberships):
            return self.reported()
        return self.filter(pupil__school_id__in=ids)

    def reported(self) -> Self:
        """Those with a return that stands and reaches into their year, and all about which the authority has written or
        whose clock had run: a school takes nothing back of these.
        """
        returns = SicknessReturn.objects.standing().filter(case__pupil=OuterRef("pupil"))
        begun = returns.filter(first_on__lt=first_of(OuterRef("school_year") + 1))
        reaching = begun.filter(Q(last_on=None) | Q(last_on__gte=first_of(OuterRef("school_year"))))
        written = CaseEntry.objects.filter(case=OuterRef("pk"))
        return self.filter(Exists(reaching) | Exists(written) | Q(clock_on__isnull=False))

    def there(self, *, on: date) -> Self:
        """Those of children who have not left an open school."""
        there = Q(pupil__left_on=None) | Q(pupil__left_on__gt=on)
        return self.filter(there, pupil__school__closed_on=None)


class Case(Record):
    """A child whom illness keeps from school in one school year, from the first return on."""

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="absence_cases")
    school_year = models.PositiveSmallIntegerField(help_text="the year in which the school year began")
    opened_at = models.DateTimeField()
    clock_on = models.DateField(
        null=True, help_text="since when the clock ran before the school took back, or changed, what it rests on"
    )

    pupil_id: UUID

    objects: ClassVar = RecordManager.from_queryset(CaseQuerySet)()

    class Meta:
        verbose_name = "absence case"
        constraints = [models.UniqueConstraint(fields=["pupil", "school_year"], name="one_case_per_child_and_year")]

    @property
    def year(self) -> str:
        return year_in_words(self.school_year)

    @property
    def gone_on(self) -> date | None:
        """When the child left, or is to leave, or the school closed."""
        return min(filter(None, [self.pupil.left_on, self.pupil.school.closed_on]), default=None)


class SicknessReturnQuerySet(models.QuerySet["SicknessReturn"]):
    def standing(self) -> Self:
        """Those that were not taken back."""
        return self.filter(withdrawn_at=None)

    def of(self, case: Case) -> Self:
        """Those of a child that reach into the year of a case."""
        first, end = date(case.school_year, 9, 1), date(case.school_year + 1, 9, 1)
        return self.filter(Q(last_on=None) | Q(last_on__gte=first), case__pupil=case.pupil_id, first_on__lt=end)


class SicknessReturn(Record):
    """What a school tells the authority of one absence. The law asks for name and address; the rest is to sort by."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="returns")
    first_on = models.DateField(help_text="the first day away")
    from_pm = models.BooleanField(default=False, help_text="whether that morning was attended")
    last_on = models.DateField(null=True, help_text="the last day away; empty while the child is away")
    until_am = models.BooleanField(default=False, help_text="whether that afternoon was attended")
    likely_on = models.DateField(null=True, help_text="when the school first said that 15 days are likely")
    lives_in = models.CharField(
        max_length=3, blank=True, db_default="", help_text="the authority where the child lives, by DfE code"
    )
    edition = models.PositiveIntegerField(
        default=1, db_default=1, help_text="rises when what the law asks for changes: whoever was told is told again"
    )
    says = SealedJSONField(help_text="address, work that is sent, and what helps to sort: see returns.py")
    made_at = models.DateTimeField(db_index=True)
    made_by = models.UUIDField(null=True)
    made_by_name = models.CharField(max_length=150)
    withdrawn_at = models.DateTimeField(null=True)

    objects: ClassVar = RecordManager.from_queryset(SicknessReturnQuerySet)()

    class Meta:
        ordering = ["first_on", "made_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "first_on"], condition=Q(withdrawn_at=None), name="one_return_per_absence"
            ),
            models.CheckConstraint(
                condition=Q(last_on=None) | Q(last_on__gte=F("first_on")), name="an_absence_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(until_am=False) | Q(last_on__isnull=False), name="half_a_last_day_needs_a_last_day"
            ),
        ]

    @property
    def stretch(self) -> Stretch:
        return Stretch(self.first_on, self.last_on, self.from_pm, self.until_am)


class NilReturn(Record):
    """A school has nothing to report for a period: an answer, where nothing at all would be silence."""

    school = models.ForeignKey(School, on_delete=models.CASCADE, related_name="nil_returns")
    period_on = models.DateField(help_text="the first day of the period")
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    made_by_name = models.CharField(max_length=150)

    class Meta:
        db_table_comment = "Append-only: which schools had nothing to report"
        constraints = [models.UniqueConstraint(fields=["school", "period_on"], name="one_nil_return_per_period")]


class CaseEntryQuerySet(models.QuerySet["CaseEntry"]):
    def in_order(self) -> Self:
        return self.order_by("case_id", "number")


class CaseEntry(Record):
    """One line of the authority's log of a case: what was decided or happened, on what grounds, and who says so."""

    class Kind(models.TextChoices):
        DECISION = "decision", "Decision"
        FIRST_SESSION = "first_session", "First session of education"
        SUITABLE = "suitable", "Suitable education is provided already"
        REVIEW = "review", "Review"
        ENDED = "ended", "The education stopped"

    class Outcome(models.TextChoices):
        YES = "yes", "Yes, the authority arranges education"
        NO = "no", "No, section 19 does not apply"
        MORE = "more", "Not yet, more is needed to decide"

    STOPS = (Kind.FIRST_SESSION, Kind.SUITABLE)
    """What alone stops the clock."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="entries")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=13, choices=Kind)
    outcome = models.CharField(max_length=4, choices=Outcome, blank=True)
    happened_on = models.DateField(help_text="of the decision, the first session, the review or the end")
    trigger = SealedTextField(help_text="how the count stood and why, in words, when it was written")
    evidence = SealedTextField(null=True, help_text="what was seen")
    reasons = SealedTextField(null=True)
    letter_on = models.DateField(null=True, help_text="when the family was told in writing")
    hours = models.DecimalField(max_digits=4, decimal_places=1, null=True, help_text="of education in a week")
    why_not_full_time = SealedTextField(null=True)
    next_review_on = models.DateField(null=True)
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    made_by_name = models.CharField(max_length=150)

    objects: ClassVar = RecordManager.from_queryset(CaseEntryQuerySet)()

    class Meta:
        verbose_name = "decision log"
        db_table_comment = "Append-only: what the authority decided"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="one_entry_per_number_of_a_case"),
            models.CheckConstraint(condition=Q(kind="decision") ^ Q(outcome=""), name="a_decision_has_an_outcome"),
        ]

    @property
    def title(self) -> str:
        return f"Decision: {self.get_outcome_display()}" if self.outcome else self.get_kind_display()
