"""A school's policies: what each is, its versions, every review of it, and how it stood at the end of each month."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Count, F, Func, Max, Min, Q, Value
from django.db.models.functions import Coalesce, Least

from handrail.accounts.roles import Permission
from handrail.core.calendar import day_of
from handrail.core.models import AuthoritySettings, Document, Record, RecordManager
from handrail.core.outside import may_be_of_everybody
from handrail.core.status import Status, status_case, status_of
from handrail.guidance.frameworks import Framework
from handrail.guidance.frameworks import Status as Force
from handrail.guidance.published import framework
from handrail.schools.duty import BOUND
from handrail.schools.models import School

if TYPE_CHECKING:
    from handrail.accounts.models import User


class Kind(models.TextChoices):
    MEDICAL_CONDITIONS = "medical_conditions", "Medical conditions policy"
    ALLERGY_SAFETY = "allergy_safety", "Allergy safety policy"
    CANNOT_ATTEND = "cannot_attend", "Children with health needs who cannot attend school policy"
    SECTION_19 = "section_19", "Section 19 policy"


SCHOOL_KINDS = (Kind.MEDICAL_CONDITIONS, Kind.ALLERGY_SAFETY, Kind.CANNOT_ATTEND)

DUTIES = {Kind.ALLERGY_SAFETY: "CFA-100A"}
"""The framework that adds something for a kind."""


class WebAddress(URLValidator):
    """A place on the web that everybody could reach, by its spelling. Whether they can is looked at later."""

    def __call__(self, value: Any) -> None:
        super().__call__(value)
        if not may_be_of_everybody(value):
            raise ValidationError(
                "Enter a web address that everybody can reach, without a user name or password in it",
                code="not_public",
            )


WEB_ADDRESS = WebAddress(
    schemes=["http", "https"],
    message="Enter a web address in the correct format, like https://www.school.example/policies",
)
"""Where a policy is published: a place on the web and nothing else that a link could do."""


def telling_began(on: date) -> date | None:
    """The first day of the duty to tell people of the allergy safety policy each year, once it is in force on the day
    `on`; nothing before, or while nobody has announced it.
    """
    duty = framework(DUTIES[Kind.ALLERGY_SAFETY])
    return duty.effective_from if duty and duty.as_at(on).status == Force.IN_FORCE else None


def called(kind: Kind, on: date) -> str:
    """A kind of policy by its name, with what keeps its duty from being law on the day `on`, if anything does."""
    duty = framework(DUTIES.get(kind, ""))
    caveat = duty.as_at(on).caveat if duty else ""
    return f"{kind.label} ({caveat.lower()})" if caveat else kind.label


NEEDED = Q(not_needed_reason="") & (Q(school=None) | Q(school__body__in=BOUND))
"""A policy is needed unless the school's kind has no duty, or somebody decided otherwise with a reason."""


class PolicyQuerySet(models.QuerySet["Policy"]):
    def visible_to(self, user: "User") -> Self:
        """To those whose role sees policies: everything at the authority, and at a school that school's."""
        places = [each.school_id for each in user.acting_memberships if Permission.SEE_POLICIES in each.permissions]
        return self if None in places else self.filter(school_id__in=[place for place in places if place])

    def of_schools(self) -> Self:
        """Those of schools that are open."""
        return self.filter(school__isnull=False, school__closed_on=None)

    def with_tell_by(self, began_on: date | None) -> Any:
        """Adds `tell_by`: the day by which the first are to be told of it, as `communications.told` says of each. The
        duty began on `began_on`, if it has.
        """
        due_on = "communications__due_on"
        never: Any = Min(due_on)
        if began_on:
            within = "(greatest(%(expressions)s) + interval '1 year')::date"
            of_law = Func(Value(began_on), "school__joined_on", template=within, output_field=models.DateField())
            never = Least(never, of_law)
        last = (Max(due_on, filter=Q(communications__audience=each)) for each in Audience)
        return self.annotate(tell_by=Least(*(Coalesce(each, never) for each in last)))

    def with_status(self, *, on: date, settings: AuthoritySettings) -> Self:
        """Adds `status` as at the day `on`."""
        return self.annotate(
            status=status_case("next_review_on", on=on, due_soon_days=settings.due_soon_days, needed=NEEDED)
        )


class Policy(Record):
    """One policy that a school, or the authority itself when `school` is empty, keeps. Always there, even before
    anything has been recorded about it: then `next_review_on` is empty.
    """

    school = models.ForeignKey(School, on_delete=models.CASCADE, null=True, related_name="policies")
    kind = models.CharField(max_length=20, choices=Kind)
    lead_name = models.CharField(max_length=150, blank=True)
    lead_email = models.EmailField(blank=True)
    link_governor = models.CharField(max_length=150, blank=True)
    published_url = models.URLField(max_length=500, blank=True)
    last_reviewed_on = models.DateField(null=True)
    next_review_on = models.DateField(null=True)
    not_needed_reason = models.CharField(max_length=500, blank=True)
    is_inherited = models.BooleanField(default=False, help_text="carried over at a conversion: to be approved anew")

    TOLD_LATER = ("lead_name", "published_url")

    objects: ClassVar = RecordManager.from_queryset(PolicyQuerySet)()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(
                fields=["school", "kind"], nulls_distinct=False, name="one_policy_of_a_kind_per_school"
            ),
            models.CheckConstraint(
                condition=Q(school=None, kind="section_19") | (Q(school__isnull=False) & ~Q(kind="section_19")),
                name="section_19_policy_is_the_authoritys_own",
            ),
            models.CheckConstraint(
                condition=Q(next_review_on=None) | Q(last_reviewed_on__isnull=False),
                name="a_next_review_follows_a_last_one",
            ),
        ]
        indexes = [
            models.Index(fields=["next_review_on"], condition=Q(not_needed_reason=""), name="policies_by_next_review")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def is_needed(self) -> bool:
        return not self.not_needed_reason and (self.school is None or self.school.is_bound)

    @property
    def duty(self) -> Framework | None:
        return framework(DUTIES.get(Kind(self.kind), ""))

    @property
    def place(self) -> dict[str, Any]:
        """Where its pages are: `url("policies:policy", **policy.place)`. Those of the authority's own take nothing."""
        return {"urn": self.school.urn, "pk": self.id} if self.school else {}

    @property
    def seen(self) -> "WebsiteCheck | None":
        """What is known of the address at which it is published, if anything."""
        return getattr(self, "website", None)

    def status_on(self, on: date, settings: AuthoritySettings) -> Status:
        return status_of(self.next_review_on, on=on, due_soon_days=settings.due_soon_days, is_needed=self.is_needed)


class PolicyVersion(Record):
    """The policy as approved once: who approved it, when, the document and where it was published."""

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    is_current = models.BooleanField(default=True)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, related_name="+")
    published_url = models.URLField(max_length=500, blank=True)
    approved_by = models.CharField(max_length=150, blank=True, help_text="the body, such as the governing body")
    approved_on = models.DateField(null=True)
    minute_reference = models.CharField(max_length=100, blank=True)
    change_note = models.TextField(max_length=2000, blank=True)
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)

    TOLD_LATER = ("approved_by", "approved_on", "minute_reference")

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="version_numbers_are_not_reused"),
            models.UniqueConstraint(
                fields=["policy"], condition=Q(is_current=True), name="one_current_version_per_policy"
            ),
        ]


class Involved(models.TextChoices):
    """Who takes part in a review: those with whom the Health Conditions in Schools Alliance says to make a policy."""

    PUPILS = "pupils", "Pupils"
    PARENTS = "parents", "Parents and carers"
    STAFF = "staff", "Staff"
    NURSES = "nurses", "School nurses"
    HEALTH = "health", "Other health services"
    GOVERNORS = "governors", "Governors or trustees"
    EMPLOYER = "employer", "The employer, such as the trust or the council"
    SCHOOLS = "schools", "Schools"
    PROVIDERS = "providers", "Hospital schools and alternative provision"


class PolicyReview(Record):
    """One review of a policy: its outcome, day, who took part and what changed; or that the school asked for one before
    its time. Never changed afterwards.
    """

    class Outcome(models.TextChoices):
        NO_CHANGE = "no_change", "Reviewed, no change"
        UPDATED = "updated", "Updated"
        NEW = "new", "New policy"
        IN_PROGRESS = "in_progress", "Still in progress"
        ASKED = "asked", "Interim review asked for"

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="reviews")
    reviewed_on = models.DateField()
    outcome = models.CharField(max_length=12, choices=Outcome)
    involved = ArrayField(models.CharField(max_length=40), default=list)
    changed = models.TextField(max_length=2000, blank=True)
    next_review_on = models.DateField(null=True, help_text="empty while the review is in progress")
    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="reviews")
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    recorded_by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["-reviewed_on", "-recorded_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "reviewed_on", "outcome"], name="one_review_per_policy_day_and_outcome"
            )
        ]


class MonthEnd(Record):
    """That an authority's figures were taken as at the last day of a month. Taken once and never again."""

    ended_on = models.DateField(unique=True, help_text="the last day of the month")
    taken_at = models.DateTimeField()
    figures = models.JSONField(
        default=dict, help_text="of children and messages, as they may be shown: see overview/month_ends.py"
    )

    class Meta:
        db_table_comment = "Append-only: of which months figures were taken"
        ordering = ["-ended_on"]


class PolicyMonthQuerySet(models.QuerySet["PolicyMonth"]):
    def counted(self, *by: str) -> Any:
        """How many policies there were by month and by these columns, and how many of them were what; the oldest
        month first. `answered` are those of schools whose return says whether they are adequate.
        """
        counts = {
            "policies": Count("pk"),
            "in_date": Count("pk", filter=Q(is_in_date=True)),
            "published": Count("pk", filter=Q(is_published=True)),
            "answered": Count("is_adequate"),
            "adequate": Count("pk", filter=Q(is_adequate=True)),
            "adequate_and_published": Count("pk", filter=Q(is_adequate=True, is_published=True)),
        }
        columns = ("month__ended_on", *by)
        return self.order_by(*columns).values(*columns).annotate(**counts)


class PolicyMonth(Record):
    """How one needed policy stood at the end of a month, with its school as it was then. Nothing of it changes."""

    month = models.ForeignKey(MonthEnd, on_delete=models.PROTECT, related_name="policies")
    policy_id = models.UUIDField()
    kind = models.CharField(max_length=20, choices=Kind)
    urn = models.CharField(max_length=6, blank=True, help_text="empty for the authority’s own policy")
    school_name = models.CharField(max_length=200, blank=True)
    phase_code = models.PositiveSmallIntegerField(null=True)
    phase_name = models.CharField(max_length=50, blank=True)
    type_code = models.PositiveSmallIntegerField(null=True)
    type_name = models.CharField(max_length=100, blank=True)
    trust_name = models.CharField(max_length=200, blank=True)
    is_in_date = models.BooleanField(help_text="reviewed, and not overdue for the next review")
    is_published = models.BooleanField(help_text="whether an address is on record, and the policy not missing there")
    is_adequate = models.BooleanField(
        null=True, help_text="on the 2017 criteria, by the school’s return; empty where it has not answered them"
    )

    objects: ClassVar = RecordManager.from_queryset(PolicyMonthQuerySet)()

    class Meta:
        db_table_comment = "Append-only: how policies stood at the end of each month"
        ordering = ["month__ended_on", "urn", "kind"]
        constraints = [models.UniqueConstraint(fields=["month", "policy_id"], name="one_row_per_policy_and_month")]


class Outcome(models.TextChoices):
    """What came of a look at an address."""

    FOUND = "found", "Found"
    NOT_FOUND = "not_found", "Not found"
    ASKED_NOT_TO = "asked_not_to", "Asks programs not to look"


MISSING_AFTER, MISSING_LOOKS = timedelta(days=7), 3
"""A policy counts as missing from its address when so many looks in a row failed over at least this time."""


class WebsiteCheckQuerySet(models.QuerySet["WebsiteCheck"]):
    def missing(self, *, at: datetime | None = None) -> Self:
        """Those whose policy counts as missing from the address; `at` a moment that is past, those that did already."""
        found = self.filter(failures__gte=MISSING_LOOKS, looked_at__gte=F("failing_since") + MISSING_AFTER)
        return found.filter(failing_since__lte=at - MISSING_AFTER) if at else found


class WebsiteCheck(Record):
    """What was seen at the address at which a policy is published, and when it is looked at next. Nothing that stood
    there is kept. Another address begins anew.
    """

    policy = models.OneToOneField(Policy, on_delete=models.CASCADE, related_name="website")
    url = models.URLField(max_length=500)
    host = models.CharField(max_length=500)
    due_at = models.DateTimeField(help_text="when it is to be looked at next")
    lease_until = models.DateTimeField(null=True, help_text="until when a worker has it in hand")
    unfinished = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="looks begun since one ended")

    looked_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, db_default="")
    why = models.CharField(max_length=200, blank=True, db_default="", help_text="why it could not be read")
    status = models.PositiveSmallIntegerField(null=True, help_text="of the answer over HTTP")
    content_type = models.CharField(max_length=100, blank=True, db_default="")
    digest = models.CharField(
        max_length=64, blank=True, db_default="", help_text="SHA-256 of the file, or of a page’s words"
    )
    seen_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True, help_text="when its digest was last another one than before")
    failures = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="looks in a row that found nothing")
    failing_since = models.DateTimeField(null=True)

    objects: ClassVar = RecordManager.from_queryset(WebsiteCheckQuerySet)()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="websites_by_due_time")]
        constraints = [
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None) | Q(failures__gt=0, failing_since__isnull=False),
                name="a_website_fails_since_a_moment",
            )
        ]

    @property
    def is_missing(self) -> bool:
        if self.failing_since is None or self.looked_at is None or self.failures < MISSING_LOOKS:
            return False
        return self.looked_at - self.failing_since >= MISSING_AFTER

    @property
    def is_changed_since_review(self) -> bool:
        reviewed_on = self.policy.last_reviewed_on
        return self.changed_at is not None and (reviewed_on is None or day_of(self.changed_at) > reviewed_on)


class Audience(models.TextChoices):
    """To whom a school brings its allergy safety policy once a year (CFA-100A)."""

    PUPILS = "pupils", "Pupils"
    PARENTS = "parents", "Parents and carers"
    WORKERS = "workers", "Everyone who works there, paid or not"


class Communication(Record):
    """That a school brought its allergy safety policy to one audience, on a day: once more within a year."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="communications")
    audience = models.CharField(max_length=10, choices=Audience)
    told_on = models.DateField()
    due_on = models.DateField(help_text="the day by which it is to be done again")
    how = models.CharField(max_length=300)
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)
    recorded_by_name = models.CharField(max_length=150)

    class Meta:
        db_table_comment = "Append-only: whom schools told of a policy, and when"
        ordering = ["-told_on", "audience"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "audience", "told_on"], name="one_communication_a_day"),
        ]

    @property
    def school(self) -> School | None:
        return self.policy.school
