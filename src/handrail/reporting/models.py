"""The keys with which other programs read an authority's tables."""

from datetime import date
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from handrail.core.models import Record, RecordManager


class Scope(models.TextChoices):
    """What a key may read. One does not hold another."""

    AGGREGATE = "aggregate", "Numbers"
    SCHOOL = "school", "Schools and their policies"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def working(self, *, on: date) -> Self:
        """Those that open something on the day `on`: neither revoked nor past their last day."""
        return self.filter(revoked_at=None, expires_on__gte=on)


class ApiKey(Record):
    """What lets a program read. A digest: the key itself is shown once and not kept."""

    name = models.CharField(max_length=60, help_text="what uses it")
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope))
    digest = models.CharField(max_length=64, unique=True)
    expires_on = models.DateField(help_text="the last day on which it works")
    made_at = models.DateTimeField()
    made_by_name = models.CharField(max_length=150)
    last_used_at = models.DateTimeField(null=True, help_text="to the minute")
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar = RecordManager.from_queryset(ApiKeyQuerySet)()

    class Meta:
        ordering = ["-made_at", "name"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(scopes=[]), name="a_key_reads_something"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scopes_in_words(self) -> list[str]:
        return [Scope(each).label for each in self.scopes]

    def works_on(self, on: date) -> bool:
        """The same as `working`."""
        return self.revoked_at is None and self.expires_on >= on


class Change(Record):
    """When a row of a table that programs read was last written or removed, and by which transaction.

    Its id is the row's own. Triggers keep it: see migration `0002_changes`. A transaction's number rises with the
    moment at which it began to write, so what is below every number still at work can change no more.
    """

    table = models.CharField(max_length=20)
    transaction = models.BigIntegerField()
    changed_at = models.DateTimeField()
    is_removed = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["table", "transaction", "id"], name="changes_of_a_table")]
