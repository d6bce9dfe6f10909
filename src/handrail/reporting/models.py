"""The keys with which other programs read an authority's tables, and write a few facts."""

from datetime import date
from functools import lru_cache
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q

from handrail.accounts.models import Membership
from handrail.core.fields import SealedTextField
from handrail.core.models import Record, RecordManager


class Scope(models.TextChoices):
    """What a key may do. One does not hold another."""

    AGGREGATE = "aggregate", "Read numbers"
    SCHOOL = "school", "Read schools and policies"
    PUPIL = "pupil", "Read plans one by one"
    WRITE_POLICIES = "write_policies", "Record reviews of policies"
    WRITE_PLANS = "write_plans", "Record reviews of children’s plans"
    WRITE_RETURNS = "write_returns", "Send sickness returns"


ABOUT_CHILDREN = frozenset({Scope.PUPIL, Scope.WRITE_PLANS, Scope.WRITE_RETURNS})
"""What is about single children. The data protection lead alone gives a key one of these."""


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def with_makers(self, *, on: date) -> Self:
        """Each with whether it `has_lost_maker`: whoever was shown it works at the authority no more."""
        roles = Membership.objects.current(on=on).filter(user_id=OuterRef("made_by"), user__is_active=True, school=None)
        return self.annotate(has_lost_maker=Q(made_by__isnull=False) & ~Exists(roles))

    def of_digest(self, digest: str, *, on: date) -> "ApiKey | None":
        """The key, found with its maker. Its SQL is kept for the day: making it takes longer than the answer."""
        return next(iter(self.raw(*_of_digest(digest, on))), None)


@lru_cache(maxsize=1000)
def _of_digest(digest: str, on: date) -> tuple[str, tuple[Any, ...]]:
    found: tuple[str, tuple[Any, ...]] = (
        ApiKey.objects.with_makers(on=on).filter(digest=digest).order_by().query.sql_with_params()
    )
    return found


class ApiKey(Record):
    """What lets a program in. A digest: the key itself is shown once, to whoever makes it, and not kept.

    What is done with it is done `by` the key: in the name of whoever made it, who answers for it.
    """

    name = models.CharField(max_length=60, help_text="what uses it")
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    digest = models.CharField(max_length=64, unique=True)
    expires_on = models.DateField(help_text="the last day on which it works")
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True, help_text="empty when a command made it")
    made_by_name = models.CharField(max_length=150)
    last_used_at = models.DateTimeField(null=True, help_text="to the minute")
    revoked_at = models.DateTimeField(null=True)

    has_lost_maker: bool
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
        """Whether it opens something on the day `on`. Of one that was found `with_makers`."""
        return self.revoked_at is None and self.expires_on >= on and not self.has_lost_maker

    # An action's `by=`
    @property
    def actor_id(self) -> UUID | None:
        return self.made_by

    @property
    def actor_name(self) -> str:
        return f"{self.name}, with a key of {self.made_by_name}"[:150]

    def role_at(self, school_id: UUID | None) -> str:
        return "key"


class PseudonymKey(Record):
    """What the made-up numbers of the authority's plans and reviews are made with: see pseudonyms.py. There is never
    another one, for then every number would be another. Sealed anew, with whatever key, it stays the same.
    """

    secret = SealedTextField(help_text="in hexadecimal")
    is_only_row = models.BooleanField(default=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_only_row"], name="one_pseudonym_key"),
            models.CheckConstraint(condition=models.Q(is_only_row=True), name="pseudonym_key_is_the_only_one"),
        ]


class Change(Record):
    """When a row of a table that programs read was last written or removed, and by which transaction.

    Its id is the row's own. Triggers keep it: see migrations `0002_changes`, `0004_more_changes` and
    `0009_what_lists_rest_on`. A transaction's
    number rises with the moment at which it began to write, so what is below every number still at work can change no
    more.
    """

    table = models.CharField(max_length=20)
    transaction = models.BigIntegerField()
    changed_at = models.DateTimeField()
    is_removed = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["table", "transaction", "id"], name="changes_of_a_table"),
            models.Index(fields=["table", "changed_at"], name="changes_since_a_moment"),
        ]


class History(Record):
    """A history of the database in which programs have read. Numbers in `Change` belong to the newest: history.py."""

    epoch = models.CharField(max_length=100, unique=True)

    class Meta:
        db_table_comment = "Append-only: in which histories of the database programs have read"
