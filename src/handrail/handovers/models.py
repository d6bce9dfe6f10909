"""A handover as one side has it: where it stands, the packs, the messages to and from the other side, who has read.

Each side holds rows of its own. The two share a reference and nothing else; what one knows of the other came in a
message. The safeguarding file is never here, only that it was sent and received.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from handrail.core.calendar import day_of
from handrail.core.fields import SealedJSONField, SealedTextField
from handrail.core.jinja import long_date
from handrail.core.models import Record, RecordManager
from handrail.handovers import moves
from handrail.handovers.authority_models import ErasedEnvelope as ErasedEnvelope
from handrail.handovers.authority_models import FollowUp as FollowUp
from handrail.handovers.guest_models import GuestPage as GuestPage
from handrail.handovers.onward_models import OnwardReturn as OnwardReturn
from handrail.handovers.reading_models import StepsRead as StepsRead
from handrail.handovers.said import ROLLS, in_words
from handrail.plans.models import PlanVersion
from handrail.schools.models import Pupil, School

if TYPE_CHECKING:
    from handrail.accounts.models import User


class State(models.TextChoices):
    """`moves.State` with its words, for the database."""

    DRAFT = "draft", moves.IN_WORDS[moves.State.DRAFT]
    ADMITTED = "admitted", moves.IN_WORDS[moves.State.ADMITTED]
    PACK_ASKED = "pack_asked", moves.IN_WORDS[moves.State.PACK_ASKED]
    SUBMITTED = "submitted", moves.IN_WORDS[moves.State.SUBMITTED]
    ACKNOWLEDGED = "acknowledged", moves.IN_WORDS[moves.State.ACKNOWLEDGED]
    MORE_ASKED = "more_asked", moves.IN_WORDS[moves.State.MORE_ASKED]
    ACCEPTED = "accepted", moves.IN_WORDS[moves.State.ACCEPTED]
    ACTIVE = "active", moves.IN_WORDS[moves.State.ACTIVE]
    RETURN_PLANNED = "return_planned", moves.IN_WORDS[moves.State.RETURN_PLANNED]
    PHASED_RETURN = "phased_return", moves.IN_WORDS[moves.State.PHASED_RETURN]
    RETURNED = "returned", moves.IN_WORDS[moves.State.RETURNED]
    PASSED_ON = "passed_on", moves.IN_WORDS[moves.State.PASSED_ON]
    ENDED = "ended", moves.IN_WORDS[moves.State.ENDED]
    DECLINED = "declined", moves.IN_WORDS[moves.State.DECLINED]
    WITHDRAWN = "withdrawn", moves.IN_WORDS[moves.State.WITHDRAWN]
    EXPIRED = "expired", moves.IN_WORDS[moves.State.EXPIRED]
    CAME_BACK = "came_back", moves.IN_WORDS[moves.State.CAME_BACK]


HELD_UP = Q(way="out", done_at=None) & ~Q(trouble="")
"""Messages that the exchange does not take, which is no matter of time: somebody has to ring the other side."""

IS_OVER = Q(state__in=sorted(state.value for state in moves.OVER))


class Setting(Record):
    """Somewhere that teaches children who are too ill for school: its own record, confirmed by an officer."""

    class Kind(models.TextChoices):
        HOSPITAL = "hospital", "Hospital school"
        MEDICAL_AP = "medical_ap", "Medical alternative provision"
        TUITION = "tuition", "Tuition service"
        UNREGISTERED = "unregistered", "Other provision, not registered as a school"

    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=Kind)
    school = models.OneToOneField(
        School, on_delete=models.PROTECT, null=True, related_name="setting", help_text="empty where it has no URN"
    )
    ring = models.CharField(max_length=150, blank=True, help_text="whom to ring")
    telephone = models.CharField(max_length=30, blank=True)
    confirmed_at = models.DateTimeField()
    confirmed_by = models.UUIDField(null=True)
    confirmed_by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_hospital(self) -> bool:
        return self.kind == self.Kind.HOSPITAL


class ExchangeKey(Record):
    """A private key of the authority in the exchange. The newest one's public key is what others seal to."""

    private_key = SealedTextField(help_text="in hexadecimal")
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    made_by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["-made_at"]


class HandoverQuerySet(models.QuerySet["Handover"]):
    def visible_to(self, user: "User") -> Self:
        """Those of the schools and settings that the person acts for. The authority's people see none here."""
        schools = user.school_ids
        return self.filter(
            Q(side=moves.Side.HOME, pupil__school_id__in=schools)
            | Q(side=moves.Side.HOME, pupil=None, school_id__in=schools)
            | Q(side=moves.Side.SETTING, setting__school_id__in=schools)
        )

    def of_no_school(self) -> Self:
        """Those whose child nobody has found at a school here: the authority's own to answer."""
        return self.filter(side=moves.Side.HOME, pupil=None, school=None)

    def under_way(self) -> Self:
        return self.exclude(IS_OVER)

    def unread_by(self, user: "User") -> Self:
        """Those under way at a setting of whose newest pack somebody has not read the emergency steps as they are."""
        packs = Pack.objects.filter(handover=OuterRef("pk"), is_return=False).order_by("-number").values("pk")[:1]
        opened = self.under_way().filter(side=moves.Side.SETTING).alias(newest=Subquery(packs))
        read = StepsRead.objects.of_now().filter(pack=OuterRef("newest"), by=user.id)
        return opened.filter(~Exists(read), newest__isnull=False)

    def late(self, *, on: date) -> Self:
        """Those of which a move was due before the day `on`."""
        return self.under_way().filter(due_on__lt=on)


class Handover(Record):
    """One side's copy of a handover. `reference` is the same on both sides; ids are not.

    Where the child lives, where the school is and where the setting is are three facts: none follows from another.
    """

    class SideOf(models.TextChoices):
        HOME = "home", "Home"
        SETTING = "setting", "Setting"

    class Roll(models.TextChoices):
        GUEST = "guest", ROLLS["guest"]
        DUAL = "dual", ROLLS["dual"]
        SOLE = "sole", ROLLS["sole"]

    reference = models.UUIDField()
    side = models.CharField(max_length=7, choices=SideOf)
    pupil = models.ForeignKey(
        Pupil, on_delete=models.CASCADE, null=True, related_name="handovers", help_text="empty until a pack is opened"
    )
    school = models.ForeignKey(
        School,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="of the home side, while nobody has said who the child of a notice is",
    )
    notice = SealedJSONField(null=True, help_text="what the notice of an admission says: see admissions.py")
    setting = models.ForeignKey(
        Setting, on_delete=models.PROTECT, null=True, related_name="handovers", help_text="of the receiving side"
    )
    earlier = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="later",
        help_text="which this one was passed on from",
    )
    setting_name = models.CharField(max_length=200)
    setting_urn = models.CharField(max_length=6, blank=True)
    is_hospital = models.BooleanField(default=False)
    other_role = models.CharField(max_length=11, help_text="the other side's authority in the exchange")
    other_name = models.CharField(max_length=100)
    alone_since = models.DateField(null=True, help_text="from when on the other side is not in the exchange any more")
    home_authority = models.CharField(max_length=3, blank=True, help_text="where the child lives, by DfE code")
    school_authority = models.CharField(max_length=3, blank=True)
    host_authority = models.CharField(max_length=3, blank=True)
    is_urgent = models.BooleanField(default=False)
    ring = models.CharField(max_length=150, blank=True, help_text="whom to ring at the home side")
    telephone = models.CharField(max_length=30, blank=True)
    state = models.CharField(max_length=14, choices=State)
    since_on = models.DateField()
    due_on = models.DateField(null=True, help_text="by when the next move is expected")
    update_on = models.DateField(null=True, help_text="by when it is next said how the child gets on")
    roll = models.CharField(max_length=5, choices=Roll, blank=True)
    starts_on = models.DateField(null=True)
    first_session_on = models.DateField(null=True)
    review_on = models.DateField(null=True)
    return_from_on = models.DateField(null=True)
    return_until_on = models.DateField(null=True)
    made_pupil = models.BooleanField(
        default=False, db_default=False, help_text="whether the setting knows the child by this handover alone"
    )
    about = SealedJSONField(null=True, help_text="what only the two settings know of the case: see pack.py")
    back = SealedJSONField(null=True, help_text="what the setting has written for the return pack: see return_pack.py")
    started_at = models.DateTimeField()

    objects: ClassVar = RecordManager.from_queryset(HandoverQuerySet)()

    class Meta:
        ordering = ["due_on", "started_at"]
        constraints = [
            models.UniqueConstraint(fields=["reference", "side"], name="one_handover_per_reference_and_side"),
            models.UniqueConstraint(
                fields=["pupil"], condition=Q(side="home") & ~IS_OVER, name="one_open_handover_per_child_at_home"
            ),
            models.CheckConstraint(condition=~IS_OVER | Q(due_on=None), name="nothing_is_due_of_what_is_over"),
            models.CheckConstraint(
                condition=Q(side="setting") | Q(pupil__isnull=False) | Q(notice__isnull=False),
                name="the_home_side_knows_the_child",
            ),
        ]
        indexes = [models.Index(fields=["due_on"], condition=Q(due_on__isnull=False), name="handovers_by_due_day")]

    @property
    def is_over(self) -> bool:
        return self.state in moves.OVER

    @property
    def is_home(self) -> bool:
        return self.side == moves.Side.HOME

    @property
    def next_on(self) -> date | None:
        """The first day by which something is expected of somebody."""
        return min(filter(None, (self.due_on, self.update_on)), default=None)

    @property
    def has_no_other_side(self) -> bool:
        """Whether the other side does not use Handrail, or no longer, so that nothing goes through the exchange."""
        return not self.other_role or self.alone_since is not None

    @property
    def why_held_up(self) -> str:
        """Why what was written for the other side cannot be sent, and what to do; nothing where it can."""
        stuck = self.messages.filter(HELD_UP).order_by("number").first()
        return stuck.trouble if stuck and not self.has_no_other_side else ""

    def takes_return(self, *, on: date) -> bool:
        """Whether a return pack may be sent and opened on a day. Of a child who was never taught there is none."""
        is_taught = not self.is_over or self.first_session_on is not None
        return is_taught and moves.may_follow(moves.State(self.state), since_on=self.since_on, on=on)

    def return_waits(self, *, on: date) -> bool:
        """Whether a return pack has come that nobody has opened, and that can still be."""
        came = self.messages.filter(way=Message.Way.IN, kind=Message.Kind.RETURN, done_at=None)
        return self.is_home and self.takes_return(on=on) and came.exists()

    def return_can_be_opened(self, *, on: date) -> bool:
        """Whether one of those waits for a key that this authority still has."""
        came = self.messages.filter(way=Message.Way.IN, kind=Message.Kind.RETURN, done_at=None)
        return self.return_waits(on=on) and came.filter(key_id__in=ExchangeKey.objects.values("id")).exists()

    @property
    def destroyed_on(self) -> date | None:
        """When what a setting holds of a child whom it declined is destroyed, even where that crossed a withdrawal."""
        holds = self.is_over and not self.is_home and self.pupil_id
        made = self.steps.filter(move="decline").first() if holds else None
        return day_of(made.at) + moves.DECLINED_KEPT if made else None

    @property
    def waits_for_an_answer(self) -> bool:
        """Whether it lies in this side's inbox: nobody has opened its pack, or said who the child of a notice is."""
        return self.state == moves.State.SUBMITTED if not self.is_home else self.pupil_id is None and not self.is_over

    def take_up(self, move: str, told: Mapping[str, str], dates: Mapping[str, date]) -> None:
        """Take up what a move says of the handover itself: its days, and whose roll the child is on. Does not save."""
        for column, day in dates.items():
            setattr(self, column, day)
        if move in ("plan_return", "teach_again"):  # what was planned before does not stand any more
            self.return_from_on, self.return_until_on = dates.get("return_from_on"), None
        if move == "accept" and told.get("roll") in self.Roll.values:
            self.roll = told["roll"]

    def may_be_made(self) -> list[moves.Move]:
        """The moves that this side may make now."""
        return moves.may_be_made(moves.State(self.state), by=moves.Side(self.side))

    @property
    def times_asked(self) -> int:
        """How often the setting has asked for more, as far as this side knows."""
        return self.steps.filter(move="ask_for_more").count()

    def newest_pack(self, *, is_return: bool = False) -> "Pack | None":
        return self.packs.filter(is_return=is_return).order_by("-number").first()


class Step(Record):
    """One move that was made, on either side, or a message that crossed one: the case's own story. Never changed."""

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    move = models.CharField(max_length=20)
    side = models.CharField(max_length=7, choices=[(side.value, words) for side, words in moves.WHO.items()])
    state = models.CharField(max_length=14, choices=State, help_text="where the handover stood afterwards")
    said = SealedJSONField(null=True, help_text="reasons, what was asked for, whom to ring")
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["handover", "number"], name="one_step_per_number_of_a_handover")]

    @property
    def words(self) -> list[tuple[str, str]]:
        """What was said of it, each thing with what it is called."""
        return in_words(self.move, self.said, by_name=self.by_name)


class Pack(Record):
    """What was sent, frozen: numbered, and with the digest of its content. A correction is another one."""

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="packs")
    number = models.PositiveIntegerField()
    is_return = models.BooleanField(default=False)
    content = SealedJSONField()
    sha256 = models.CharField(max_length=64)
    version = models.ForeignKey(
        PlanVersion,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="this side's own copy of the plan",
    )
    has_other_steps = models.BooleanField(default=False, db_default=False, help_text="of a return: than at home")
    made_at = models.DateTimeField()
    made_by_name = models.CharField(max_length=150)

    @property
    def plan_number(self) -> int:
        """Which version of the sender's plan it holds; 0 where there was none."""
        return int((self.content.get("plan") or {}).get("number") or 0)

    @property
    def who_read(self) -> str:
        """Who has read its emergency steps, of which version of the plan, and on which day."""
        read = [f"{each.by_name} on {long_date(day_of(each.at))}" for each in self.read_by.of_now().order_by("at")]
        return f"Version {self.plan_number} read by {', '.join(read)}." if read else ""

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["handover", "is_return", "number"], name="one_pack_per_number_of_a_handover"
            )
        ]


class Message(Record):
    """Something one side tells the other. The row is the queue: one that is going out is owed until it is `done_at`.

    The content of one that has gone out is forgotten; that of one that came in is taken out when it is opened.
    """

    class Way(models.TextChoices):
        OUT = "out", "Out"
        IN = "in", "In"

    class Kind(models.TextChoices):
        PACK = "pack", "A pack"
        MOVE = "move", "A move"
        NOTICE = "note", "A notice of an admission"
        RETURN = "back", "A return pack"

    handover = models.ForeignKey(Handover, on_delete=models.CASCADE, related_name="messages")
    way = models.CharField(max_length=3, choices=Way)
    kind = models.CharField(max_length=4, choices=Kind)
    reference = models.UUIDField(help_text="the sender's, unique in the exchange")
    number = models.PositiveIntegerField(help_text="of the messages of this handover that go this way")
    content = SealedJSONField(null=True)
    envelope_id = models.UUIDField(null=True)
    key_id = models.UUIDField(null=True, help_text="which of our keys opens one that came in")
    sha256 = models.CharField(max_length=64, blank=True, help_text="of the sealed content")
    owed_at = models.DateTimeField(help_text="when it was written, or came in")
    expires_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True, help_text="when it was deposited, or opened")
    trouble = models.CharField(max_length=200, blank=True, help_text="why it could not be sent or opened")

    class Meta:
        ordering = ["owed_at", "number"]
        constraints = [
            models.UniqueConstraint(fields=["way", "reference"], name="one_message_per_way_and_reference"),
        ]
        indexes = [
            models.Index(fields=["owed_at"], condition=Q(done_at=None, way="out"), name="messages_to_deposit"),
            models.Index(fields=["handover"], condition=Q(done_at=None, way="in"), name="messages_not_opened"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.way} {self.number}"
