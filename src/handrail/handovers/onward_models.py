"""Sickness returns about children who live in another authority, on their way to it; and those that came from one.

What changes of a return after it was sent on is sent again, and a return that is taken back is taken back there too.
"""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef

from handrail.absences.models import SicknessReturn
from handrail.accounts.roles import Permission
from handrail.core.fields import SealedJSONField
from handrail.core.jinja import long_date
from handrail.core.models import Record, RecordManager

if TYPE_CHECKING:
    from handrail.accounts.models import User


def handed_over(says: dict[str, Any]) -> str:
    """To which setting the school has handed the child over, as it says, and how that stands. Empty where to none."""
    if not says.get("setting"):
        return ""
    stands, since = f"To {says['setting']}. {says['stands']}", says["taught_since"]
    return f"{stands}. First taught there on {long_date(date.fromisoformat(since))}" if since else stands


class OnwardReturnQuerySet(models.QuerySet["OnwardReturn"]):
    def visible_to(self, user: "User") -> Self:
        """Those that came, to whoever decides about children; to nobody else any."""
        if any(Permission.DECIDE_CASES in each.permissions for each in user.acting_memberships):
            return self.filter(way=OnwardReturn.Way.IN)
        return self.none()

    def held_up(self) -> Self:
        """Those that could not be sent on yet, with their words."""
        return self.filter(way=OnwardReturn.Way.OUT, done_at=None).exclude(trouble="")

    def told_by_hand(self) -> Self:
        """Those of which a person told the other authority, because they could not be sent on."""
        return self.filter(way=OnwardReturn.Way.OUT, done_by__isnull=False)

    def to_look_at(self) -> Self:
        """Those whose sender has erased the child, while a copy is here. It is this side's own: it may have to stay."""
        return self.filter(way=OnwardReturn.Way.IN, erased_on__isnull=False, says__isnull=False)

    def to_open(self, *, at: datetime) -> Self:
        """Those that came and can be opened still. Of what a newer one takes the place of, only that is."""
        newer = OnwardReturn.objects.filter(
            **{name: OuterRef(name) for name in ("way", "about", "other_role")}, edition__gt=OuterRef("edition")
        )
        return self.filter(~Exists(newer), way=OnwardReturn.Way.IN, done_at=None, expires_at__gt=at)


class OnwardReturn(Record):
    """One return on its way. The row is the queue: one that goes out is owed until it is `done_at`.

    One that came in lies sealed in the exchange until a named person opens it; then `says` is this side's own copy, and
    `returned` the return that it became here: see onward_cases.py.
    """

    class Way(models.TextChoices):
        OUT = "out", "Out"
        IN = "in", "In"

    way = models.CharField(max_length=3, choices=Way)
    returned = models.ForeignKey(SicknessReturn, on_delete=models.CASCADE, null=True, related_name="onward")
    edition = models.PositiveIntegerField(
        default=1, db_default=1, help_text="of the return; of one that came in, how many came before it and itself"
    )
    about = models.UUIDField(null=True, help_text="the reference of the first one, by which both sides know it again")
    lives_in = models.CharField(
        max_length=3, blank=True, db_default="", help_text="the authority that it goes to, by DfE code"
    )
    takes_back = models.BooleanField(
        default=False, db_default=False, help_text="whether it says that what was sent before counts no more"
    )
    moves_told = models.PositiveIntegerField(
        default=0, db_default=0, help_text="of one that goes out, how many moves of the child's handovers it tells of"
    )
    reference = models.UUIDField(help_text="the sender's, unique in the exchange")
    other_role = models.CharField(max_length=11, help_text="the other authority in the exchange; empty until it is in")
    other_name = models.CharField(max_length=100)
    says = SealedJSONField(null=True, help_text="who is away, once it was opened; or who was told, and how")
    envelope_id = models.UUIDField(null=True)
    key_id = models.UUIDField(null=True, help_text="which of our keys opens one that came in")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the sealed content")
    owed_at = models.DateTimeField(help_text="when it was written, or came in")
    expires_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True, help_text="when it was deposited, opened, or told by hand")
    done_by = models.UUIDField(null=True)
    done_by_name = models.CharField(max_length=150, blank=True)
    erased_on = models.DateField(null=True, help_text="when the sender erased what it held of the child")
    trouble = models.CharField(max_length=200, blank=True, help_text="why it could not be sent")

    returned_id: UUID | None

    objects: ClassVar = RecordManager.from_queryset(OnwardReturnQuerySet)()

    class Meta:
        ordering = ["-owed_at"]
        constraints = [
            models.UniqueConstraint(fields=["way", "reference"], name="one_onward_return_per_way_and_reference"),
            models.UniqueConstraint(
                fields=["returned", "edition", "takes_back"],
                condition=models.Q(way="out"),
                name="each_edition_of_a_return_is_sent_on_once",
            ),
        ]

    @property
    def went(self) -> str:
        """How the other authority knows of one that goes out; from where one came that came in."""
        if self.way == self.Way.IN:
            told: Any = self.says or {}
            came = ", ".join(filter(None, [f"Came from {self.other_name}", told.get("school")]))
            return ". ".join(filter(None, [came, handed_over(told)]))
        if self.done_by_name:
            says: Any = self.says
            told_on = long_date(date.fromisoformat(says["told_on"]))
            return f"{self.done_by_name} told {says['whom']} on {told_on}, {says['how'].lower()}"
        if self.trouble:
            return "Not told yet"
        return f"Sent on to {self.other_name}" if self.envelope_id else "Is being sent on"

    @property
    def newer(self) -> "OnwardReturn | None":
        """Of one that came in, the newest that takes its place."""
        return self.of_the_same().filter(edition__gt=self.edition).order_by("-edition").first()

    @property
    def earlier(self) -> "OnwardReturn | None":
        """Of one that came in, the one before it."""
        return self.of_the_same().filter(edition__lt=self.edition).order_by("-edition").first()

    def of_the_same(self) -> "OnwardReturnQuerySet":
        """Of one that came in, all editions of the same return."""
        found: OnwardReturnQuerySet = OnwardReturn.objects.filter(
            way=self.Way.IN, about=self.about, other_role=self.other_role
        )
        return found
