"""An authority's schools and their terms, the children at them, and whom to ask about each."""

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q

from handrail.accounts.models import Membership
from handrail.core.models import Record, RecordManager
from handrail.schools.duty import BOUND, SETTINGS, Body
from handrail.schools.phone import dialled
from handrail.schools.terms import NAMES, Calendar, year_in_words
from tenants.models import EstablishmentLink

if TYPE_CHECKING:
    from handrail.accounts.models import User


class SchoolQuerySet(models.QuerySet["School"]):
    def visible_to(self, user: "User") -> Self:
        """All of them to people at the authority, their own to people at schools."""
        return self if user.is_at_authority else self.filter(id__in=user.school_ids)

    def open(self) -> Self:
        return self.filter(closed_on=None)

    def open_on(self, on: date) -> Self:
        """Those that had joined by the end of the day `on`, were open, and had not closed."""
        there = Q(joined_on__lte=on) & (Q(opened_on=None) | Q(opened_on__lte=on))
        return self.filter(there & (Q(closed_on=None) | Q(closed_on__gt=on)))

    def closed_with_children(self) -> Self:
        """Those that have closed and still have children on the roll, of whom nobody is reminded any more."""
        return self.filter(Exists(Pupil.objects.filter(school=OuterRef("pk"), left_on=None)), closed_on__isnull=False)

    def before(self, school: "School") -> Self:
        """The closed schools whose place a school took, as the register says, where it was not simply converted: those
        that were merged into it, or that was split. Its policies and its return begin empty.
        """
        if school.converted_from_id:
            return self.none()
        forward = EstablishmentLink.objects.filter(link_urn=school.urn, link_type__startswith="Successor")
        back = EstablishmentLink.objects.filter(urn=school.urn, link_type__startswith="Predecessor")
        there = Q(urn__in=forward.values("urn")) | Q(urn__in=back.values("link_urn"))
        return self.filter(there, closed_on__isnull=False).exclude(id=school.id)

    def bound(self) -> Self:
        """Those that must have the policies."""
        return self.filter(body__in=BOUND)

    def never_signed_in(self, *, on: date) -> Self:
        """Those with the duty of which nobody, of those who could on the day `on`, has ever signed in."""
        signed_in = Membership.objects.current(on=on).filter(school=OuterRef("pk"), user__last_login__isnull=False)
        return self.bound().filter(~Exists(signed_in))


class School(Record):
    """A school of this authority, by URN. Kept when it closes, with its history.

    What the register says comes from the register; contacts are the school's own.
    """

    urn = models.CharField("URN", max_length=6, unique=True)
    name = models.CharField(max_length=200)
    establishment_number = models.CharField(max_length=4, blank=True)
    type_code = models.PositiveSmallIntegerField()
    type_name = models.CharField(max_length=100)
    body = models.CharField(max_length=20, choices=Body)
    phase_code = models.PositiveSmallIntegerField(null=True)
    phase_name = models.CharField(max_length=50, blank=True)
    is_proposed_to_close = models.BooleanField(default=False)
    pupils = models.PositiveIntegerField(null=True)
    trust_name = models.CharField(max_length=200, blank=True)
    street = models.CharField(max_length=200, blank=True)
    town = models.CharField(max_length=100, blank=True)
    postcode = models.CharField(max_length=10, blank=True)
    website = models.CharField(max_length=500, blank=True)
    opened_on = models.DateField(null=True)
    closed_on = models.DateField(null=True, help_text="empty while the school is open and in this authority")
    register_as_of = models.DateField(null=True, help_text="the date of the register that last changed this row")
    joined_on = models.DateField(help_text="the day the school joined Handrail")
    converted_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="converted_to")

    office_email = models.EmailField(blank=True)
    lead_name = models.CharField(max_length=150, blank=True)
    lead_email = models.EmailField(blank=True)
    head_name = models.CharField(max_length=150, blank=True)
    head_email = models.EmailField(blank=True)

    TOLD_LATER = ("lead_name",)

    objects: ClassVar = RecordManager.from_queryset(SchoolQuerySet)()

    class Meta:
        ordering = ["name", "urn"]
        constraints = [models.CheckConstraint(condition=Q(urn__regex=r"^[0-9]{6}$"), name="urn_has_six_digits")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_bound(self) -> bool:
        """Whether it must have the policies."""
        return self.body in BOUND

    @property
    def may_be_a_setting(self) -> bool:
        """Whether it may be a hospital school or teach other schools' pupils."""
        return self.type_code in SETTINGS

    @property
    def is_open(self) -> bool:
        return self.closed_on is None

    @property
    def has_urn(self) -> bool:
        """Whether the register knows it: see own_schools.py."""
        return not self.urn.startswith("000")


def not_left(*, on: date, of: str = "") -> Q:
    """The rule of `Pupil.objects.not_left`, of rows that have the child by the lookup `of`, such as `pupil__`."""
    return Q(**{f"{of}left_on": None}) | Q(**{f"{of}left_on__gt": on})


class PupilQuerySet(models.QuerySet["Pupil"]):
    def visible_to(self, user: "User") -> Self:
        """The children of the schools that the person acts for, and those they were asked about. Officers see none."""
        return self.filter(Q(school_id__in=user.school_ids) | Q(id__in=user.pupil_ids))

    def on_roll(self, *, on: date) -> Self:
        """Those who have joined and not left on the day `on` (`left_on` is the first day without them)."""
        return self.filter(Q(joined_on__lte=on) & (Q(left_on=None) | Q(left_on__gt=on)))

    def not_left(self, *, on: date) -> Self:
        """Those who have not left on the day `on`, and those who are still to join: a plan is ready before they do."""
        return self.filter(not_left(on=on))

    def called(self, letters: str) -> Self:
        """Those one of whose names begins with these letters."""
        begins = Q()
        for column in ("name", "known_as"):
            begins |= Q(**{f"{column}__istartswith": letters})
            for before in (" ", "-", "'", "’"):
                begins |= Q(**{f"{column}__icontains": before + letters})
        return self.filter(begins)


class Pupil(Record):
    """A child at a school, as the school knows them. Nothing about their health is here."""

    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=150)
    known_as = models.CharField(max_length=150, blank=True, help_text="what the child is called, if something else")
    born_on = models.DateField()
    year_group = models.CharField(max_length=20, blank=True)
    class_name = models.CharField(max_length=50, blank=True)
    upn = models.CharField("UPN", max_length=13, blank=True)
    joined_on = models.DateField()
    left_on = models.DateField(null=True, help_text="the first day without them; empty while at the school")
    lives_in = models.CharField(
        max_length=3,
        blank=True,
        default="",
        db_default="",
        help_text="by DfE code; empty until somebody says it",
    )

    objects: ClassVar = RecordManager.from_queryset(PupilQuerySet)()

    class Meta:
        ordering = ["name", "born_on"]
        indexes = [models.Index(fields=["school", "name"], name="children_of_a_school")]
        constraints = [
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(left_on__gte=models.F("joined_on")), name="child_leaves_after_joining"
            ),
            models.UniqueConstraint(
                fields=["school", "upn"],
                condition=Q(left_on=None) & ~Q(upn=""),
                name="one_child_per_upn_at_a_school",
            ),
        ]

    def __str__(self) -> str:
        return self.known_as or self.name

    def is_on_roll(self, on: date) -> bool:
        return self.joined_on <= on and not self.has_left(on)

    def has_left(self, on: date) -> bool:
        return self.left_on is not None and self.left_on <= on


class ContactQuerySet(models.QuerySet["Contact"]):
    def of_child(self, pupil: Pupil) -> Self:
        """Whom to ask about a child, in the order in which to try them."""
        return self.filter(pupil=pupil).order_by("priority", "id")

    def with_parental_responsibility(self) -> Self:
        """Those who may agree to things for the child."""
        return self.filter(has_parental_responsibility=True)


class Contact(Record):
    """Somebody to ask about a child: a parent, a carer, or who else comes when the school rings."""

    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=150)
    relation = models.CharField(max_length=50, blank=True, help_text="to the child")
    phone = models.CharField(max_length=30, blank=True)
    email = models.EmailField(blank=True)
    has_parental_responsibility = models.BooleanField(default=False)
    priority = models.PositiveSmallIntegerField(help_text="1 for whom to try first")

    objects: ClassVar = RecordManager.from_queryset(ContactQuerySet)()

    class Meta:
        ordering = ["priority", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def dialled(self) -> str:
        """The phone number as a phone takes it."""
        return dialled(self.phone)


class TermQuerySet(models.QuerySet["Term"]):
    def calendar(self) -> Calendar:
        """The authority's school days."""
        terms: Any = self
        return Calendar(terms)

    def of_year(self, school_year: int) -> Self:
        return self.filter(school_year=school_year).order_by("number")


class Term(Record):
    """A term of the authority's schools. See terms.py for what its days mean."""

    school_year = models.PositiveSmallIntegerField(help_text="the year in which the school year began")
    number = models.PositiveSmallIntegerField(help_text="1 autumn, 2 spring, 3 summer")
    first_on = models.DateField()
    last_on = models.DateField()
    half_from_on = models.DateField(null=True, help_text="the first day of the half-term holiday")
    half_to_on = models.DateField(null=True, help_text="its last day")
    closed_on = ArrayField(models.DateField(), default=list, help_text="training days of all schools")

    objects: ClassVar = RecordManager.from_queryset(TermQuerySet)()

    class Meta:
        ordering = ["first_on"]
        constraints = [
            models.UniqueConstraint(fields=["school_year", "number"], name="one_term_per_number_and_school_year"),
            models.CheckConstraint(condition=Q(number__gte=1, number__lte=3), name="a_school_year_has_three_terms"),
            models.CheckConstraint(condition=Q(last_on__gte=models.F("first_on")), name="a_term_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(half_from_on=None, half_to_on=None)
                | Q(half_from_on__gt=models.F("first_on"), half_to_on__lt=models.F("last_on"))
                & Q(half_to_on__gte=models.F("half_from_on")),
                name="half_term_lies_in_its_term",
            ),
        ]

    def __str__(self) -> str:
        return f"{NAMES[self.number - 1]} {year_in_words(self.school_year)}"
