"""Public facts: which authorities there are, their host names, and the register of schools.

These tables live in the `public` schema and only the owner login writes them.
"""

import secrets
import uuid

from django.db import models
from django.db.models.functions import Now
from django_tenants.models import DomainMixin, TenantMixin


def new_schema_name() -> str:
    """A meaningless, never reused name: other authorities can read schema names in the catalogue."""
    return f"la_{secrets.token_hex(4)}"


class LocalAuthority(TenantMixin):
    """One English local authority: its DfE code, its schema and whether it is being served."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    auto_create_schema = False
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField("DfE code", max_length=3, unique=True)
    name = models.CharField(max_length=100)
    state = models.CharField(max_length=9, choices=State, default=State.ACTIVE)
    schema_version = models.PositiveIntegerField(
        default=0, help_text="How many migrations its schema has had; the code refuses to serve it when too few."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "local authorities"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(schema_name__regex=r"^la_[0-9a-f]{8}$"),
                name="schema_name_is_meaningless",
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[0-9]{3}$"), name="authority_code_has_three_digits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Domain(DomainMixin):
    """A host name at which an authority is served."""


class SchemaTemplate(models.Model):
    """The clean schema that new authorities are made from, as text. One row, written by each `handrail migrate`."""

    schema_version = models.PositiveIntegerField(primary_key=True, help_text="how many migrations the text has had")
    text = models.TextField()

    def __str__(self) -> str:
        return f"after {self.schema_version} migrations"


class Establishment(models.Model):
    """One row of the register of schools, as published ("Get Information about Schools").

    Codes are the numbers of the published CSV file, not those of the register's web pages. Columns the
    product does not use, head teachers' names and telephone numbers among them, are not kept.
    """

    class Status(models.IntegerChoices):
        OPEN = 1, "Open"
        CLOSED = 2, "Closed"
        CLOSING = 3, "Open, but proposed to close"
        PROPOSED = 4, "Proposed to open"

    OPEN_STATUSES = (Status.OPEN, Status.CLOSING)

    urn = models.CharField("URN", primary_key=True, max_length=6)
    la_code = models.CharField(max_length=3, db_index=True)
    la_name = models.CharField(max_length=100)
    la_ons_code = models.CharField(
        max_length=9, blank=True, db_default="", help_text="the authority's nine-character code, such as E10000014"
    )
    establishment_number = models.CharField(max_length=4, blank=True)
    name = models.CharField(max_length=200)
    type_code = models.PositiveSmallIntegerField()
    type_name = models.CharField(max_length=100)
    group_code = models.PositiveSmallIntegerField()
    group_name = models.CharField(max_length=100)
    status_code = models.PositiveSmallIntegerField()
    status_name = models.CharField(max_length=50)
    opened_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    phase_code = models.PositiveSmallIntegerField(null=True)
    phase_name = models.CharField(max_length=50, blank=True)
    low_age = models.PositiveSmallIntegerField(null=True)
    high_age = models.PositiveSmallIntegerField(null=True)
    pupils = models.PositiveIntegerField(null=True)
    capacity = models.PositiveIntegerField(null=True)
    trust_code = models.CharField(max_length=10, blank=True)
    trust_name = models.CharField(max_length=200, blank=True)
    street = models.CharField(max_length=200, blank=True)
    locality = models.CharField(max_length=200, blank=True)
    town = models.CharField(max_length=100, blank=True)
    county = models.CharField(max_length=100, blank=True)
    postcode = models.CharField(max_length=10, blank=True)
    website = models.CharField(max_length=500, blank=True)
    last_changed_on = models.DateField(null=True)
    missing_since = models.DateField(
        null=True, help_text="The date of the first register file without this row; null while files have it."
    )

    def __str__(self) -> str:
        return f"{self.name} ({self.urn})"


class EstablishmentLink(models.Model):
    """One row of the register's links file: `urn` names `link_urn` as its predecessor or successor."""

    urn = models.CharField(max_length=6)
    link_urn = models.CharField(max_length=6, db_index=True)
    link_type = models.CharField(max_length=100)
    established_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["urn", "link_urn", "link_type"], name="one_row_per_link"),
        ]

    def __str__(self) -> str:
        return f"{self.urn} {self.link_type} {self.link_urn}"


class RegisterImport(models.Model):
    """One finished import of a register file: what it was and what it changed (counts only)."""

    file_name = models.CharField(max_length=200)
    file_date = models.DateField(null=True, help_text="The date in the file's name; null when it has none.")
    sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField()
    counts = models.JSONField(help_text="rows, new, changed, unchanged, closed, gone, skipped, links")

    def __str__(self) -> str:
        return f"{self.file_name} at {self.imported_at:%Y-%m-%d %H:%M}"
