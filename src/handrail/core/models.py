"""The base of every table of ours in an authority, and the few tables that all rooms share."""

import json
import uuid
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import FieldError
from django.db import models, router
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from handrail.core.fields import Sealed, SealedField, SealedJSONField
from handrail.guidance.frameworks import ID_LENGTH
from tenants.database import bound, execute_count
from tenants.database.router import STAMP, StampedIterable, stamp

T = TypeVar("T", bound=models.Model)


class RecordManager(models.Manager[T]):
    """Notes on each queryset in which authority it was built, so that the router can refuse it in another."""

    def get_queryset(self) -> models.QuerySet[T]:
        queryset = super().get_queryset()
        queryset._iterable_class = StampedIterable
        authority = bound()
        if authority is not None:
            queryset._add_hints(**{STAMP: authority.schema_name})  # type: ignore[attr-defined]
        return queryset

    def bulk_create(self, objs: Iterable[T], *args: Any, **kwargs: Any) -> list[T]:
        for name in kwargs.get("update_fields") or ():
            if isinstance(self.model._meta.get_field(name), SealedField):
                raise FieldError(f"{name} is sealed for the new row: it would not open in the one that is there")
        made = super().bulk_create(objs, *args, **kwargs)
        for row in made:
            stamp(row)
        return made

    def save_changed(self, changed: Iterable[tuple[T, Sequence[str]]]) -> int:
        """Write, of each row, the columns named beside it: one statement for all rows in which the same ones changed.

        The time it takes grows with the rows, and that of `bulk_update` with their square. Gives the rows written.
        """
        alike: dict[tuple[str, ...], list[T]] = {}
        for row, names in changed:
            router.db_for_write(self.model, instance=row)  # refuses what is another authority's
            if names:
                alike.setdefault(tuple(names), []).append(row)
        table, written = self.model._meta.db_table, 0
        for names, rows in alike.items():
            fields: list[Any] = [self.model._meta.get_field(name) for name in ("id", *names)]
            columns = [field.column for field in fields]
            written += execute_count(
                f"""UPDATE {table} old SET {", ".join(f"{column} = new.{column}" for column in columns[1:])}
                    FROM jsonb_populate_recordset(NULL::{table}, %s) new WHERE new.id = old.id""",
                [as_jsonb([{field.column: field.pre_save(row, add=False) for field in fields} for row in rows])],
            )
        return written


def as_jsonb(rows: Sequence[dict[str, Any]]) -> Jsonb:
    """Rows by column, to be given to a statement all together."""
    return Jsonb(rows, dumps=partial(json.dumps, default=_as_text))


def _as_text(value: object) -> str:
    return f"\\x{bytes(value).hex()}" if isinstance(value, Sealed) else str(value)


class Record(models.Model):
    """A row of an authority: a UUID, never a number that another authority has too; stamped when read or saved."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    objects = RecordManager()

    TOLD_LATER: ClassVar[Sequence[str]] = ()
    """Columns that are told as at days long past, so that what they said is kept: see earlier.py."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        stamp(self)

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **kwargs: Any) -> Self:
        instance = super().from_db(db, field_names, values, **kwargs)
        stamp(instance)
        return instance


def reminder_days() -> list[int]:
    return [60, 30, 14, 0]


class Cadence(models.TextChoices):
    """How often schools answer whether illness keeps children away."""

    MONTH = "month", "Each month"
    HALF_TERM = "half_term", "Each half of a term"
    NEVER = "never", "Not at all"


class AuthoritySettings(Record):
    """What an authority may change about how Handrail works for it. One row."""

    due_soon_days = models.PositiveSmallIntegerField(default=30, help_text="days before a due date")
    review_months = models.PositiveSmallIntegerField(default=12, help_text="months from one review to the next")
    reminder_days_before = ArrayField(
        models.PositiveSmallIntegerField(), default=reminder_days, help_text="days before the due date"
    )
    overdue_every_days = models.PositiveSmallIntegerField(default=7, help_text="days between overdue reminders")
    unrecorded_every_months = models.PositiveSmallIntegerField(default=1)
    copy_head_after_days = models.PositiveSmallIntegerField(default=14, help_text="days overdue")
    has_quiet_hours = models.BooleanField(default=True, help_text="send on school days, 8am to 6pm, only")
    brand_colour = models.CharField(max_length=7, blank=True)
    contact_email = models.EmailField(blank=True)
    previewed = ArrayField(
        models.CharField(max_length=ID_LENGTH),
        default=list,
        db_default=[],
        help_text="draft frameworks that people may look at",
    )
    return_cadence = models.CharField(max_length=9, default="month", db_default="month", choices=Cadence)
    settings_not_asked = ArrayField(
        models.CharField(max_length=12),
        default=list,
        db_default=[],
        blank=True,
        help_text="kinds of setting that are not asked for sickness returns",
    )
    absence_near_days = models.PositiveSmallIntegerField(default=10, db_default=10, help_text="school days")
    absence_trigger_days = models.PositiveSmallIntegerField(default=15, db_default=15, help_text="school days")
    section_19_overdue_days = models.PositiveSmallIntegerField(default=5, db_default=5, help_text="school days")
    section_19_review_weeks = models.PositiveSmallIntegerField(default=6, db_default=6)
    handover_review_weeks = models.PositiveSmallIntegerField(default=6, db_default=6)
    full_time_hours = models.PositiveSmallIntegerField(default=25, db_default=25, help_text="of education in a week")
    counts_appointments = models.BooleanField(default=False, db_default=False, help_text="code M as days lost")
    counts_part_time = models.BooleanField(default=False, db_default=False, help_text="code C2 as days lost")
    asks_second_step = models.BooleanField(
        default=False, db_default=False, help_text="of everybody at sign-in, not of the authority's people alone"
    )
    is_only_row = models.BooleanField(default=True, editable=False)

    TOLD_LATER = ("due_soon_days",)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_only_row"], name="one_settings_row"),
            models.CheckConstraint(condition=models.Q(is_only_row=True), name="settings_row_is_the_only_one"),
        ]

    @classmethod
    def load(cls) -> "AuthoritySettings":
        """The authority's row, or the defaults when it has changed nothing yet."""
        return cls.objects.first() or cls()


class DataKey(Record):
    """A key that seals this authority's health records, itself wrapped by a key that is not in the database.

    The newest seals; all that are here open. See vault.py.
    """

    number = models.PositiveIntegerField(unique=True)
    wrapped = models.BinaryField()
    wrapped_by = models.CharField(max_length=2048, help_text="which key it takes to unwrap it")
    made_at = models.DateTimeField(db_default=Now(), help_text="by the database's clock")
    retired_at = models.DateTimeField(null=True, help_text="when everything had been sealed anew with a later key")


class Document(Record):
    """A file somebody gave us. Its bytes are in the document store under `key`, never in the database.

    A sealed one is unreadable there, and its name, which may name a child, is known to the vault alone.
    """

    name = models.CharField(max_length=200, blank=True, help_text="empty when it is sealed: see file_name")
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="bytes, before sealing")
    sha256 = models.CharField(max_length=64, help_text="of the bytes in the store")
    added_at = models.DateTimeField()
    added_by = models.UUIDField(null=True)
    is_sealed = models.BooleanField(default=False, db_default=False)
    secrets = SealedJSONField(null=True, help_text="of a sealed document: its file's own key, and its name")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_sealed=True, secrets__isnull=False, name="")
                | models.Q(is_sealed=False, secrets__isnull=True),
                name="a_sealed_document_has_its_secrets",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def file_name(self) -> str:
        """What the file is called. Raises VaultClosed for a sealed one."""
        return str(self.secrets["name"]) if self.secrets else self.name


class AuditEntry(Record):
    """Who did what to what, when. Ids and field names only; never a value."""

    at = models.DateTimeField(db_index=True)
    by = models.UUIDField(null=True, help_text="a user, or the contact who was sent a link; empty for the clock")
    by_name = models.CharField(max_length=150, help_text="as it was then")
    role = models.CharField(max_length=30, blank=True)
    school_id = models.UUIDField(null=True, db_index=True)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.UUIDField(null=True)
    verb = models.CharField(max_length=60)
    fields = ArrayField(models.CharField(max_length=60), default=list)
    request_id = models.CharField(max_length=40, blank=True)
    written_at = models.DateTimeField(db_default=Now(), db_index=True, help_text="by the database's clock")

    class Meta:
        db_table_comment = "Append-only: who did what"
        indexes = [models.Index(fields=["subject_kind", "subject_id", "-at"], name="audit_of_a_subject")]


class Earlier(Record):
    """What a column of a row said until somebody changed it. See earlier.py."""

    subject_id = models.UUIDField()
    column = models.CharField(max_length=60)
    said = models.TextField(blank=True)
    until = models.DateTimeField()

    class Meta:
        db_table_comment = "Append-only: what a row said before it was changed"
        indexes = [models.Index(fields=["subject_id", "until"], name="earlier_of_a_subject")]


class ReadEntry(Record):
    """Who was shown which children's data, when and why. Ids only; never a child's value."""

    class Group(models.TextChoices):
        """What was shown of a child."""

        IDENTITY = "identity", "Name, date of birth, class and contacts"
        EMERGENCY = "emergency", "Emergency plan"
        PLAN = "plan", "Healthcare plan"
        READS = "reads", "Who looked"
        INCIDENT = "incident", "Incident"
        ABSENCE = "absence", "Absence and education"
        REASON = "reason", "Reason for emergency access"
        RIGHTS = "rights", "Everything held about the child"

    class Verb(models.TextChoices):
        """In what form it left."""

        PAGE = "page", "Page"
        LIST = "list", "List"
        EXPORT = "export", "File"
        PRINT = "print", "Print"
        API = "api", "API"

    class Why(models.TextChoices):
        """What let the person see it; `why_id` names the handover, the emergency access or the link."""

        ROLE = "role", "Role at the school"
        HANDOVER = "handover", "Open handover"
        BREAK_GLASS = "break_glass", "Emergency access"
        LINK = "link", "Link that the school sent"

    at = models.DateTimeField(db_index=True)
    by = models.UUIDField(null=True, help_text="a user, or the contact who was sent a link; empty for the clock")
    by_name = models.CharField(max_length=150, help_text="as it was then")
    role = models.CharField(max_length=30, blank=True)
    school_id = models.UUIDField(null=True)
    child_ids = ArrayField(models.UUIDField(), default=list)
    group = models.CharField(max_length=10, choices=Group)
    verb = models.CharField(max_length=10, choices=Verb)
    why = models.CharField(max_length=12, choices=Why)
    why_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=40, blank=True)
    written_at = models.DateTimeField(db_default=Now(), db_index=True, help_text="by the database's clock")

    class Meta:
        db_table_comment = "Append-only: who was shown what"
        indexes = [GinIndex(fields=["child_ids"], name="reads_of_a_child")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(why="role", why_id=None) | (~models.Q(why="role") & models.Q(why_id__isnull=False)),
                name="a_read_beyond_ones_role_names_its_reason",
            )
        ]


class AuditSeal(Record):
    """What proves the entries of one stretch of time: their digest, chained to the seal before. See seals.py."""

    number = models.PositiveIntegerField(unique=True)
    form = models.PositiveSmallIntegerField(db_default=1, help_text="how the digest is made: see seals.py")
    sealed_at = models.DateTimeField()
    entry_count = models.PositiveIntegerField()
    previous = models.CharField(max_length=64, help_text="the digest of the seal before; zeros for the first")
    digest = models.CharField(max_length=64)

    class Meta:
        db_table_comment = "Append-only: one seal over the entries since the last"


class SealedEntry(Record):
    """Which seal covers an entry of the record of changes or of reads. Its id is the entry's own."""

    seal = models.ForeignKey(AuditSeal, on_delete=models.PROTECT, related_name="sealed_entries")

    class Meta:
        db_table_comment = "Append-only: which seal covers which entry"


class RetiredSegment(Record):
    """Seals that have gone as a whole, with the entries that they cover, because these were past their time."""

    from_number = models.PositiveIntegerField()
    to_number = models.PositiveIntegerField(unique=True)
    digest = models.CharField(max_length=64, help_text="of the last of them: what the next seal follows")
    before_on = models.DateField(help_text="all of them were made before this day")
    retired_at = models.DateTimeField()

    class Meta:
        db_table_comment = "Append-only: which seals have gone as a whole"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(to_number__gte=models.F("from_number")), name="a_segment_ends_after_it_begins"
            )
        ]


class CacheEntry(models.Model):
    """The table behind `tenants.cache`. Django's DatabaseCache reads and writes it by SQL."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)
