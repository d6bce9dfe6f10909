"""What the demonstration makes up: people, dates and histories. Pure: the same for the same school and day.

Every person is invented and every address ends in .example, which no mail ever reaches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

from handrail.accounts.roles import Role
from handrail.core.models import AuthoritySettings
from handrail.policies.models import SCHOOL_KINDS, Involved, Kind, PolicyReview

PASSWORD = "a-handrail-on-the-stairs"  # noqa: S105 - of the demonstration alone, and printed by it
"""Every demo person's password. Signing in with a code sent to the demo's mailbox works as well."""


@dataclass(frozen=True)
class DemoAuthority:
    code: str
    name: str
    word: str
    administrator: str
    officer: str
    named_officer: str
    data_protection_lead: str
    leads: tuple[str, str]
    both: str
    others: dict[Role, str] = field(default_factory=dict)
    """Somebody for each further role: at the authority, at the first school or a setting, or asked about one child."""

    @property
    def host(self) -> str:
        return f"{self.word}.localhost"

    def email(self, name: str) -> str:
        """The address of somebody who works at the authority."""
        return f"{dotted(name)}@{self.word}.example"

    def school_email(self, name: str) -> str:
        """The address of somebody at a school whose account people try the demo with: short, to be typed."""
        return f"{dotted(name)}@{self.word}-schools.example"

    def email_as(self, role: Role, name: str) -> str:
        """The address of somebody with this role."""
        if role.is_about_one_child:
            return f"{dotted(name)}@{self.word}-nurses.example"
        return self.email(name) if role.is_at_authority else self.school_email(name)

    @property
    def at_authority(self) -> dict[Role, str]:
        """Who works at the authority, by role."""
        return {
            Role.POLICY_OFFICER: self.officer,
            Role.AUTHORITY_ADMINISTRATOR: self.administrator,
            Role.NAMED_OFFICER: self.named_officer,
            Role.DATA_PROTECTION_LEAD: self.data_protection_lead,
        } | {role: name for role, name in self.others.items() if role.is_at_authority}

    @property
    def to_try(self) -> list[str]:
        """The addresses of everybody whose account people try the demo with."""
        at_authority = [self.email(name) for name in self.at_authority.values()]
        at_schools = [self.school_email(name) for name in (*self.leads, self.both)]
        others = [self.email_as(role, name) for role, name in self.others.items() if not role.is_at_authority]
        return [*at_authority, *at_schools, *others]


AUTHORITIES = (
    DemoAuthority(
        code="001",
        name="Barsetshire",
        word="barsetshire",
        administrator="Adele Archer",
        officer="Olu Okafor",
        named_officer="Nora Nkemelu",
        data_protection_lead="Dana Drew",
        leads=("Hana Hughes", "Tom Thorne"),
        both="Nia Novak",
        others={
            Role.ANALYST: "Arun Amin",
            Role.SCHOOL_ADMINISTRATOR: "Sally Stokes",
            Role.GOVERNOR: "Gus Gower",
            Role.SETTING_LEAD: "Leila Lund",
            Role.SETTING_TEACHER: "Terry Tull",
            Role.HEALTH_PROFESSIONAL: "Hollis Hale",
        },
    ),
    DemoAuthority(
        code="002",
        name="Borchester",
        word="borchester",
        administrator="Amir Aziz",
        officer="Ola Olsen",
        named_officer="Noel North",
        data_protection_lead="Dev Dutta",
        leads=("Hilda Hart", "Tariq Tate"),
        both="Ned Nash",
    ),
    DemoAuthority(
        code="003",
        name="Casterbridge and Wessex",
        word="casterbridge",
        administrator="Ada Ashe",
        officer="Omar Orr",
        named_officer="Nina Nettle",
        data_protection_lead="Dot Dale",
        leads=("Hugh Henchard", "Tess Tolland"),
        both="Nell Noyce",
    ),
)

TERMS: tuple[dict[str, Any], ...] = tuple(
    {
        "school_year": school_year,
        "number": number,
        "first_on": first_on,
        "last_on": last_on,
        "half_from_on": half_from_on,
        "half_to_on": half_to_on,
        "closed_on": [],
    }
    for school_year, number, first_on, last_on, half_from_on, half_to_on in (
        (2025, 1, date(2025, 9, 2), date(2025, 12, 19), date(2025, 10, 27), date(2025, 10, 31)),
        (2025, 2, date(2026, 1, 5), date(2026, 3, 27), date(2026, 2, 16), date(2026, 2, 20)),
        (2025, 3, date(2026, 4, 13), date(2026, 7, 21), date(2026, 5, 25), date(2026, 5, 29)),
        (2026, 1, date(2026, 9, 2), date(2026, 12, 18), date(2026, 10, 26), date(2026, 10, 30)),
        (2026, 2, date(2027, 1, 5), date(2027, 3, 25), date(2027, 2, 15), date(2027, 2, 19)),
        (2026, 3, date(2027, 4, 12), date(2027, 7, 21), date(2027, 5, 31), date(2027, 6, 4)),
    )
)
"""The terms of every authority."""

FIRST = (
    "Aisha", "Alan", "Amara", "Anna", "Ben", "Bea", "Carla", "Chidi", "Clare", "Daniel", "Dee", "Ewan", "Farah",
    "Fiona", "Gareth", "Gita", "Harriet", "Hassan", "Imogen", "Ivan", "James", "Jaya", "Kate", "Kwame", "Laura",
    "Leo", "Maria", "Mei", "Nadia", "Neil", "Oliver", "Priya", "Rachel", "Ravi", "Rosa", "Sam", "Sarah", "Sean",
    "Tara", "Theo", "Uma", "Victor", "Wendy", "Yusuf", "Zoe",
)  # fmt: skip
LAST = (
    "Abara", "Ahmed", "Baker", "Bennett", "Brook", "Carter", "Chan", "Cole", "Cooper", "Das", "Dixon", "Evans",
    "Fisher", "Flynn", "Ford", "Gill", "Grant", "Green", "Hall", "Hill", "Hussain", "Iqbal", "James", "Jones",
    "Kaur", "Kelly", "Khan", "King", "Lane", "Lewis", "Mason", "Mills", "Moore", "Nolan", "Owen", "Patel", "Price",
    "Quinn", "Reid", "Rossi", "Shah", "Singh", "Stone", "Turner", "Vale", "Walsh", "Ward", "West", "Wood", "Young",
)  # fmt: skip
CHANGES = (
    "Added how supply staff are briefed on their first morning.",
    "Named who checks the expiry dates of spare medicines, and how often.",
    "Made the steps for school trips and residential visits clearer.",
    "Said where spare adrenaline devices and inhalers are kept, and who may use them.",
    "Put in the new contact at the school nursing team.",
    "Set out who arranges cover when trained staff are away.",
)
INVOLVED = (Involved.STAFF, Involved.GOVERNORS, Involved.PARENTS, Involved.PUPILS, Involved.NURSES)


@dataclass(frozen=True)
class DemoSchool:
    """Who a school's people are, and whether anybody there has signed in."""

    lead: str
    lead_email: str
    head: str
    governor: str
    domain: str
    has_contacts: bool
    last_seen_days_ago: int | None
    """None: nobody has an account there."""


@dataclass(frozen=True)
class DemoReview:
    reviewed_on: date
    next_review_on: date
    outcome: PolicyReview.Outcome
    changed: str = ""
    involved: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DemoPolicy:
    """What is on file about a policy: reviews, the oldest first. Without any it was never recorded."""

    reviews: list[DemoReview]
    not_needed_reason: str = ""
    is_inherited: bool = False


def dotted(name: str) -> str:
    return name.lower().replace(" ", ".")


def somebody(random: Random) -> str:
    return f"{random.choice(FIRST)} {random.choice(LAST)}"


def school_of(urn: str, website: str) -> DemoSchool:
    """Most schools have given contacts and signed in; some have not."""
    random = Random(f"school {urn}")  # noqa: S311 - invention, not secrecy
    domain = (urlsplit(website).hostname or f"school-{urn}.example").removeprefix("www.")
    lead = somebody(random)
    return DemoSchool(
        lead=lead,
        lead_email=f"{dotted(lead)}@{domain}",
        head=somebody(random),
        governor=somebody(random),
        domain=domain,
        has_contacts=random.random() < 0.94,
        last_seen_days_ago=random.randrange(1, 75) if random.random() < 0.87 else None,
    )


def policy_of(urn: str, kind: Kind, *, on: date, has_predecessor: bool = False) -> DemoPolicy:
    """Most are in date; some are due soon, overdue by days or by months, never recorded, or not needed."""
    random = Random(f"policy {urn} {kind}")  # noqa: S311 - invention, not secrecy
    # The duty to have an allergy safety policy is the newest, so more schools have yet to record one.
    unrecorded = 0.09 if kind == Kind.ALLERGY_SAFETY else 0.035
    place = random.random()
    if place < unrecorded:
        return DemoPolicy([])
    if place > 0.99:
        return DemoPolicy([], not_needed_reason="Taught with its partner school, whose policy covers these pupils.")
    lot = random.random()
    if lot < 0.09:
        due_in = -random.choice(
            (random.randint(1, 7), random.randint(8, 30), random.randint(31, 90), random.randint(91, 260))
        )
    elif lot < 0.19:
        due_in = random.randint(0, 30)
    else:
        due_in = random.randint(31, 340)
    return DemoPolicy(
        history(random, on + timedelta(days=due_in), years=random.choice((1, 1, 2, 3))),
        is_inherited=has_predecessor and random.random() < 0.4,
    )


def history(random: Random, next_due_on: date, *, years: int) -> list[DemoReview]:
    """Reviews a year apart that leave the policy due on `next_due_on`: the first of a new policy."""
    reviews = []
    for number in range(years):
        due_on = next_due_on - timedelta(days=365 * (years - 1 - number))
        outcome = PolicyReview.Outcome.NEW
        if number:
            outcome = random.choice((PolicyReview.Outcome.NO_CHANGE, PolicyReview.Outcome.UPDATED))
        reviews.append(
            DemoReview(
                reviewed_on=due_on - timedelta(days=365),
                next_review_on=due_on,
                outcome=outcome,
                changed=random.choice(CHANGES) if outcome == PolicyReview.Outcome.UPDATED else "",
                involved=sorted(random.sample(INVOLVED, random.randint(2, 4))),
            )
        )
    return reviews


def shown_first(*, on: date) -> Sequence[dict[Kind, DemoPolicy]]:
    """The two schools whose leads have demo accounts: one with something of everything, one with a gap."""
    random = Random("shown first")  # noqa: S311 - invention, not secrecy
    medical, allergy, cannot_attend = SCHOOL_KINDS

    def due_in(days: int) -> DemoPolicy:
        return DemoPolicy(history(random, on + timedelta(days=days), years=2))

    return (
        {medical: due_in(-12), allergy: due_in(9), cannot_attend: due_in(201)},
        {medical: due_in(148), allergy: DemoPolicy([]), cannot_attend: due_in(64)},
    )


def reminders_sent(due_on: date, *, settings: AuthoritySettings, since: date, on: date) -> list[tuple[str, date, str]]:
    """The reminders about a review that left between two days: their step, its day and their wording.

    Not the newest: that one the demo sends by itself, for everybody to see.
    """
    steps = [(f"before-{days}", due_on - timedelta(days=days), "policy_due") for days in settings.reminder_days_before]
    every = settings.overdue_every_days
    steps += [
        (f"overdue-{times}", due_on + timedelta(days=times * every), "policy_overdue")
        for times in range(1, (on - due_on).days // every + 1)
    ]
    return [step for step in sorted(steps, key=lambda step: step[1]) if since <= step[1] <= on][:-1]
