"""Files that people at an authority or a school have uploaded, and what became of them."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from handrail.core.fields import SealedJSONField
from handrail.core.models import Document, Record, RecordManager
from handrail.schools.models import School

if TYPE_CHECKING:
    from handrail.accounts.models import User

UNDO_HOURS = 24


class FileImportQuerySet(models.QuerySet["FileImport"]):
    def visible_to(self, user: "User") -> Self:
        """An authority's own to the people there, and a school's lists of its children to people at the school."""
        theirs = Q(school_id__in=user.school_ids)
        return self.filter(theirs | Q(school=None) if user.is_at_authority else theirs)

    def without_contents(self) -> Self:
        """For lists: leaves the long columns in the database."""
        return self.defer("rows", "sealed_rows", "problems", "changes", "before")

    def waiting(self, *, at: datetime) -> Self:
        """Those that a worker has to do something about, and no worker has in hand."""
        free = Q(lease_until=None) | Q(lease_until__lte=at)
        return self.filter(free, state__in=FileImport.IN_HAND)

    def done_with(self, *, at: datetime) -> Self:
        """Those whose uploaded file, and what was kept to undo it, nobody needs any more."""
        ended = at - timedelta(hours=UNDO_HOURS)
        old = Q(committed_at__lte=ended) | Q(committed_at=None, uploaded_at__lte=ended)
        kept = Q(document__isnull=False) | ~Q(before={})
        return self.filter(old, kept).exclude(state__in=FileImport.IN_HAND)


class FileImport(Record):
    """One uploaded file, from its upload to its being undone.

    `waiting`, `confirmed` and `undoing` are a worker's to move on; `attempt` is the fence that keeps a worker which
    lost its lease from writing over the next one.
    """

    class Kind(models.TextChoices):
        REGISTER = "register", "Register of schools"
        STARTER = "starter", "Starter spreadsheet"
        PEOPLE = "people", "People to invite"
        CHILDREN = "children", "List of children"
        ABSENCES = "absences", "Sickness returns"

    class State(models.TextChoices):
        WAITING = "waiting", "Being checked"
        CHECKED = "checked", "Ready to import"
        REFUSED = "refused", "Refused"
        CANCELLED = "cancelled", "Cancelled"
        CONFIRMED = "confirmed", "Being imported"
        COMMITTED = "committed", "Imported"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    IN_HAND = (State.WAITING, State.CONFIRMED, State.UNDOING)

    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    school = models.ForeignKey(
        School, on_delete=models.CASCADE, null=True, related_name="+", help_text="whose children a list is of"
    )
    document = models.ForeignKey(
        Document,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="empty when it has been deleted, or nobody brought one",
    )
    file_name = models.CharField(max_length=200)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.UUIDField()
    uploaded_by_name = models.CharField(max_length=150)
    asked_by = models.UUIDField(help_text="who last decided about it: what is then done is done by them")
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    as_of = models.DateField(null=True, help_text="the day whose facts the file holds")
    rows = models.JSONField(default=list, encoder=DjangoJSONEncoder, help_text="the good rows, until imported")
    sealed_rows = SealedJSONField(null=True, help_text="the same of sickness returns, which say more of a child")
    problems = models.JSONField(default=list, help_text="line, urn or child, column, value, advice, skipped")
    counts = models.JSONField(default=dict)
    changes = models.JSONField(default=list, help_text="urn or child, name, what, details: for showing")
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder, help_text="what undoing needs")
    left = models.JSONField(default=list, help_text="what undoing had to leave, in sentences")
    refusal = models.CharField(max_length=500, blank=True)
    marks_left = models.BooleanField(default=False, help_text="whether who is not in a list of children has left")
    needs_confirmation = models.CharField(max_length=500, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="why it came back to this state")
    committed_at = models.DateTimeField(null=True)

    objects: ClassVar = RecordManager.from_queryset(FileImportQuerySet)()

    class Meta:
        ordering = ["-uploaded_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(committed_at=None) ^ Q(state__in=["committed", "undoing", "undone"]),
                name="a_committed_file_says_when",
            ),
            models.CheckConstraint(
                condition=Q(school=None) ^ Q(kind__in=["children", "absences"]),
                name="a_list_of_children_names_its_school",
            ),
            models.CheckConstraint(condition=Q(refusal="") ^ Q(state="refused"), name="a_refused_file_says_why"),
        ]
        indexes = [
            models.Index(
                fields=["uploaded_at"],
                condition=Q(state__in=["waiting", "confirmed", "undoing"]),
                name="imports_in_hand",
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def good_rows(self) -> list[dict[str, Any]]:
        """The good rows, until imported. Raises VaultClosed for sickness returns."""
        return self.sealed_rows or self.rows

    @property
    def is_in_hand(self) -> bool:
        """Whether a worker has to do something about it."""
        return self.state in self.IN_HAND

    @property
    def does_something(self) -> bool:
        """Whether importing the checked file would change anything."""
        return any(self.counts.get(name) for name in ("new", "changed", "closed", "moved", "schools", "left"))

    @property
    def undo_until(self) -> datetime | None:
        return self.committed_at + timedelta(hours=UNDO_HOURS) if self.committed_at else None

    def may_be_undone(self, *, at: datetime) -> bool:
        """Within 24 hours of being imported, while what undoing needs is kept."""
        is_in_time = self.undo_until is not None and at < self.undo_until
        return self.state == self.State.COMMITTED and is_in_time and bool(self.before)
