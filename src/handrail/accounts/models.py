"""People and their memberships. Each authority has its own: the same person in two authorities is two users."""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from handrail.accounts.roles import AUTHORITY_ROLES, IN_WORDS, PERMISSIONS, SCHOOL_ROLES, Permission, Role
from handrail.accounts.visits import way_in
from handrail.core.fields import SealedJSONField, SealedTextField
from handrail.core.models import Record, RecordManager


class UserQuerySet(models.QuerySet["User"]):
    def managed_by(self, user: "User") -> Self:
        """The people whom the person, who may manage people, manages: at the authority everybody, and for a school
        those who have a role there and none at the authority.
        """
        if user.is_at_authority:
            return self
        at_authority = Membership.objects.filter(school=None, to_on=None).values("user")
        here = Membership.objects.filter(school__in=user.school_ids, to_on=None).values("user")
        return self.filter(id__in=here).exclude(id__in=at_authority)

    def managed_alone_by(self, user: "User") -> Self:
        """Those of them who have a role nowhere else, so that closing their account takes nothing elsewhere."""
        found = self.managed_by(user)
        if user.is_at_authority:
            return found
        elsewhere = Membership.objects.filter(to_on=None).exclude(school__in=user.school_ids).values("user")
        return found.exclude(id__in=elsewhere)


class UserManager(BaseUserManager["User"], RecordManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(Record, AbstractBaseUser):
    """Somebody who signs in to one authority, known by e-mail address.

    What they may do depends on the day: `as_at(on)` must be called before `may()` and `visible_to()` are asked.
    Within a request `PeopleMiddleware` does it.
    """

    email = models.EmailField()
    name = models.CharField(max_length=150)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField()

    is_staff = is_superuser = False
    EMAIL_FIELD = USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email_address")]

    def __str__(self) -> str:
        return self.name

    def as_at(self, on: date) -> Self:
        """Load what this person's memberships are on the day `on`."""
        self._memberships = list(
            self.memberships.current(on=on).select_related("school").order_by("from_on", "role", "id")
        )
        return self

    @property
    def current_memberships(self) -> list["Membership"]:
        """The memberships of the day given to `as_at`. Raises when it was not called."""
        if not hasattr(self, "_memberships"):
            raise RuntimeError("call User.as_at(on) first: what a person may do depends on the day")
        return self._memberships

    def may(self, permission: str, *, school_id: UUID | None = None, pupil_id: UUID | None = None) -> bool:
        """Whether any of the person's roles allows it: at this school, or anywhere when none is given.

        A role about one child counts at its school for what concerns that child: `pupil_id`.
        """
        return any(
            permission in each.permissions
            for each in self.current_memberships
            if school_id is None or (each.school_id in (None, school_id) and each.pupil_id in (None, pupil_id))
        )

    def act_under(self, permission: str) -> None:
        """Count from here on only the memberships that allow it.

        Somebody who is a lead at one school and a governor at another may then edit the first and not the second:
        `visible_to()` finds rows through the memberships that count.
        """
        self._acting = [each for each in self.current_memberships if permission in each.permissions]

    @property
    def acting_memberships(self) -> list["Membership"]:
        """The memberships that count for what the person is doing: all of them unless `act_under` has said."""
        return getattr(self, "_acting", self.current_memberships)

    @property
    def is_at_authority(self) -> bool:
        """Whether the person acts for the authority, and so for all of its schools."""
        return any(each.school_id is None for each in self.acting_memberships)

    @property
    def school_ids(self) -> list[UUID]:
        """The schools that the person acts for."""
        return [each.school_id for each in self.acting_memberships if each.school_id and not each.pupil_id]

    @property
    def pupil_ids(self) -> list[UUID]:
        """The children of whose plans the person was asked to see."""
        return [each.pupil_id for each in self.acting_memberships if each.pupil_id]

    def who_can_help(self) -> list["User"]:
        """Up to three people who can give this person more rights: the authority's administrators."""
        return list(
            User.objects.filter(
                is_active=True, memberships__role=Role.AUTHORITY_ADMINISTRATOR, memberships__to_on=None
            ).order_by("name")[:3]
        )

    # An action's `by=`
    @property
    def actor_id(self) -> UUID:
        return self.id

    @property
    def actor_name(self) -> str:
        return self.name

    def role_at(self, school_id: UUID | None) -> str:
        """The role that counts for what is done at this school, or at the authority when none is given.

        One held there comes before one at the authority; what belongs to no school of theirs is done in their first.
        """
        acting = self.acting_memberships
        there = [each for each in acting if each.school_id == school_id]
        above = [each for each in acting if each.school_id is None]
        return next((each.role for each in (*there, *above, *acting)), "")

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's own permissions are not used."""
        return False


class MembershipQuerySet(models.QuerySet["Membership"]):
    def current(self, *, on: date) -> Self:
        """Those that have begun and not ended on the day `on` (`to_on` is the first day without it)."""
        return self.filter(Q(from_on__lte=on) & (Q(to_on=None) | Q(to_on__gt=on)))

    def at_place(self, school_id: UUID | None) -> Self:
        """Those at a school, or at the authority when none is given."""
        return self.filter(school_id=school_id)

    def visible_to(self, user: "User") -> Self:
        """To people at a school those there; to people at the authority all that are about no child."""
        return self.filter(pupil=None) if user.is_at_authority else self.filter(school_id__in=user.school_ids)


class Membership(Record):
    """A role at a school, or at the authority when `school` is empty, from a day to a day.

    A health professional's names the one child that it is about.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=30, choices=Role)
    school = models.ForeignKey("schools.School", on_delete=models.CASCADE, null=True, related_name="memberships")
    pupil = models.ForeignKey("schools.Pupil", on_delete=models.CASCADE, null=True, related_name="memberships")
    from_on = models.DateField()
    to_on = models.DateField(null=True, help_text="the first day without it")
    invited_at = models.DateTimeField(null=True, help_text="when the person was last asked to take it up")
    invited_as = models.CharField(max_length=150, blank=True, help_text="the name that was given of them then")

    objects: ClassVar = RecordManager.from_queryset(MembershipQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "school", "pupil"],
                condition=Q(to_on=None),
                nulls_distinct=False,
                name="one_open_membership_per_role_and_school",
            ),
            models.CheckConstraint(
                condition=Q(to_on=None) | Q(to_on__gte=models.F("from_on")), name="membership_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(school=None, role__in=sorted(AUTHORITY_ROLES))
                | Q(school__isnull=False, role__in=sorted(SCHOOL_ROLES)),
                name="school_roles_name_a_school_and_authority_roles_none",
            ),
            models.CheckConstraint(
                condition=Q(pupil=None) ^ Q(role=Role.HEALTH_PROFESSIONAL),
                name="health_professionals_and_no_others_name_a_child",
            ),
        ]

    def __str__(self) -> str:
        return self.get_role_display()

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[Role(self.role)]

    @property
    def in_words(self) -> str:
        """What the role may see."""
        return IN_WORDS[Role(self.role)]

    @property
    def is_awaited(self) -> bool:
        """Whether the person was asked to take it up and has not signed in since."""
        seen = self.user.last_login
        return self.invited_at is not None and (seen is None or seen < self.invited_at)

    @property
    def called(self) -> str:
        """The person's name; while they are awaited the one that was given of them.

        An invitation must not tell whether the address has an account already, nor in whose name.
        """
        return self.invited_as if self.is_awaited else self.user.name

    @property
    def last_seen_at(self) -> datetime | None:
        """When they last signed in, which is nobody's business while they are awaited."""
        return None if self.is_awaited else self.user.last_login


class SessionQuerySet(models.QuerySet["Session"]):
    def open(self, *, at: datetime) -> Self:
        """Those that can be used at the moment `at`."""
        return self.filter(expire_date__gt=at)

    def visible_to(self, user: User) -> Self:
        """One's own, and nobody else's."""
        return self.filter(user=user)


class Session(Record):
    """One browser's visit, and from signing in whose it is. See sessions.py, which alone writes it.

    Its id is a digest of the key that the browser holds. One that ended by itself can no longer be used, but still
    tells for a day whose it was.
    """

    session_data = models.TextField(help_text="signed for this authority")
    expire_date = models.DateTimeField(db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    began_at = models.DateTimeField()
    last_used_at = models.DateTimeField(help_text="to the minute")
    device = models.CharField(max_length=60, help_text="in words, like Firefox on Windows")
    ways = ArrayField(models.CharField(max_length=30), default=list, help_text="how the person got in")

    objects: ClassVar = RecordManager.from_queryset(SessionQuerySet)()

    @property
    def way_in(self) -> str:
        return way_in(self.ways)


class SignInServiceQuerySet(models.QuerySet["SignInService"]):
    def with_second_factor(self) -> Self:
        """Those that are on and can say that they asked for two factors."""
        return self.filter(is_on=True).exclude(second_factor_claim="")


class SignInService(Record):
    """The authority's own sign-in by OpenID Connect. People are known by it and by the subject that it gives them.

    Its issuer never changes: another issuer is another service, with people of its own.
    """

    class SecondFactor(models.TextChoices):
        NONE = "", "No"
        AMR = "amr", "Yes, when amr contains"
        ACR = "acr", "Yes, when acr is"

    name = models.CharField(max_length=40, help_text="as people see it on the button")
    issuer = models.CharField(max_length=400, unique=True)
    client_id = models.CharField(max_length=200)
    client_secret = SealedTextField()
    second_factor_claim = models.CharField(max_length=3, choices=SecondFactor, blank=True)
    second_factor_value = models.CharField(max_length=200, blank=True)
    is_on = models.BooleanField(default=False)
    added_at = models.DateTimeField()

    objects: ClassVar = RecordManager.from_queryset(SignInServiceQuerySet)()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(second_factor_claim="", second_factor_value="")
                | (Q(second_factor_claim__in=["amr", "acr"]) & ~Q(second_factor_value="")),
                name="a_second_factor_has_a_claim_and_its_value",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def may_be_second_step(self) -> bool:
        """As `with_second_factor` finds them."""
        return self.is_on and bool(self.second_factor_claim)


KEPT_FOR = timedelta(hours=24)


class DraftQuerySet(models.QuerySet["Draft"]):
    def kept(self, *, at: datetime) -> Self:
        """Those that are not too old at the moment `at`."""
        return self.filter(kept_at__gt=at - KEPT_FOR)

    def visible_to(self, user: User) -> Self:
        """One's own, and nobody else's."""
        return self.filter(user=user)


class Draft(Record):
    """What somebody typed into a page and could not save, because their session had ended. Kept for a day."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="drafts")
    path = models.CharField(max_length=500)
    typed = SealedJSONField(help_text="the values of each field, by its name")
    kept_at = models.DateTimeField(db_index=True)

    is_put_back = False
    """Whether the page that is being shown holds it."""

    objects: ClassVar = RecordManager.from_queryset(DraftQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "path"], name="one_draft_per_person_and_page")]


class CalendarKey(Record):
    """What opens somebody's calendar without signing in. A digest: the key itself is shown once and not kept.

    It opens nothing more than the days on which something falls due to its owner, while they have a role.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="calendar_key")
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
