"""Two authorities that hand a child over, and a third that must see nothing, on a database where commits are real."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import psycopg
from databases import as_superuser
from factories import ContactFactory, PupilFactory, SchoolFactory, emergency, person

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.core.audit import CLOCK
from handrail.handovers import actions, ceased, corrections, ledger, places, post
from handrail.handovers.models import Handover, Pack, Setting
from handrail.plans import versions
from handrail.schools.models import Pupil, School
from tenants import exchange
from tenants.context import inside
from tenants.routing import Authority, authority_by_code

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
TODAY = AT.date()
CHILD = "Wren Canary"
CONDITION = "Canary epilepsy"
SAID = {
    "sex": "female",
    "address": "1 Invented Lane, Barchester",
    "reason": "physical",
    "fitness": "Two hours a day, with rests.",
    "medicine": "Midazolam in the ward’s cupboard.",
    "expected": "From 23 November to Christmas.",
    "informed": "Pat Parent, on 20 November.",
    "safeguarding_lead": "Sam Shaw, 01632 960003",
    "safeguarding": "no",
    "looked_after": "no",
    "restrictions": "nobody",
    "home_visits": "no",
}
HOSPITAL_URN = "900700"
AGREED = {"hours": "10", "base": "The ward", "roll": "guest"}
REFUSED = {"reason": "No bed.", "alternative": "Tuition at home.", "next": "home_authority"}
REVIEWED = {"attended": "The child and the ward.", "hours": "12", "evidence_on": "2026-11-20", "decision": "Goes on."}
SAYS = {"accept": AGREED, "decline": REFUSED, "review": REVIEWED, "begin_return": {"hours": "5"}}
"""What a move says, where a test does not care."""


def telling(name: str, more: dict[str, Any]) -> dict[str, Any]:
    """What a move is given: all that it has to say, and what a test says besides or instead."""
    if name == "accept":
        more = {"starts_on": date(2026, 11, 30), **more}
    return {**more, "said": {**SAYS.get(name, {}), **more.get("said", {})}}


@dataclass
class Between:
    """`one` has the home school, `two` the hospital school; `three` looks on."""

    database: str
    one: Authority
    two: Authority
    three: Authority
    people: dict[str, User] = field(default_factory=dict)
    pupil_id: Any = None
    at: datetime = AT

    # -- the home side

    def prepare(self, *, at: datetime = AT) -> Handover:
        with inside(self.one):
            member = exchange.member(self.two.code)
            return actions.prepare(
                pupil=Pupil.objects.get(id=self.pupil_id),
                to=places.Place(
                    urn=HOSPITAL_URN,
                    name="Felpersham Hospital School",
                    town="",
                    type_name="Community special school",
                    authority_name=member.name,
                    authority_code=member.code,
                    member=member,
                ).as_destination(),
                home_authority="001",
                roll=Handover.Roll.GUEST,
                starts_on=date(2026, 11, 30),
                is_urgent=False,
                ring="Hana Hughes",
                telephone="01632 960002",
                by=self.people["lead"],
                at=at,
            )

    def sent(self, *, at: datetime = AT) -> Handover:
        """One whose pack is on its way."""
        handover = self.prepare(at=at)
        with inside(self.one):
            actions.write(handover=handover, said=SAID, by=self.people["lead"], at=at)
            actions.submit(handover=handover, by=self.people["lead"], at=at)
        return handover

    def home(self) -> Handover:
        with inside(self.one):
            found: Handover = Handover.objects.select_related("pupil").get(side="home")
            return found

    def move_home(self, name: str, *, at: datetime = AT, **more: Any) -> None:
        with inside(self.one):
            by = self.people["lead"]
            actions.make_move(handover=self.home_inside(), name=name, by=by, at=at, **telling(name, more))

    def home_inside(self) -> Handover:
        found: Handover = Handover.objects.get(side="home")
        return found

    def home_school(self) -> School:
        """The home school. Inside its authority."""
        found: School = School.objects.get(name="Overcombe Junior School")
        return found

    # -- the setting's side

    def setting_inside(self) -> Handover:
        found: Handover = Handover.objects.get(side="setting")
        return found

    def setting(self) -> Handover:
        with inside(self.two):
            found: Handover = Handover.objects.select_related("pupil", "setting").get(side="setting")
            return found

    def open(self, *, at: datetime = AT) -> Pack:
        with inside(self.two):
            handover = Handover.objects.get(side="setting")
            return post.open_pack(handover=handover, by=self.people["hospital"], at=at)

    def move(self, name: str, *, at: datetime = AT, **more: Any) -> None:
        with inside(self.two):
            handover = Handover.objects.get(side="setting")
            by = self.people["hospital"]
            actions.make_move(handover=handover, name=name, by=by, at=at, **telling(name, more))

    def read_steps(self, *, at: datetime = AT) -> None:
        with inside(self.two):
            actions.read_steps(handover=Handover.objects.get(side="setting"), by=self.people["hospital"], at=at)

    # -- the clock

    def post(self, *, at: datetime = AT, rounds: int = 1) -> None:
        """What the clock does: each authority by itself, in its own transactions."""
        for _ in range(rounds):
            for authority in (self.one, self.two, self.three):
                for work in (ceased.follow_ceased, corrections.correct_who, post.deposit_owed):
                    with inside(authority):
                        work(at=at)
            for authority in (self.one, self.two, self.three):
                with inside(authority):
                    post.collect(at=at)

    def cease(self, authority: Authority, *followed_by: Authority, on: date | None = TODAY) -> None:
        """What the platform's command writes."""
        names = {each.code: each.name for each in followed_by}
        with as_superuser(self.database) as admin:
            admin.execute(
                "UPDATE exchange.member SET ceased_on = %s, followed_by = %s::jsonb WHERE role = %s",
                (on, json.dumps(names), authority.schema_name),
            )

    def differences(self) -> list[str]:
        found = []
        for authority in (self.one, self.two, self.three):
            with inside(authority):
                found += ledger.differences()
        return found

    def bodies(self) -> int:
        with as_superuser(self.database) as admin:
            [count] = admin.execute("SELECT count(*) FROM exchange.envelopebody").fetchone() or (0,)
        return int(count)

    def what_three_knows(self) -> list[str]:
        """Every row of the third authority that is not there from its making, as text, and what it sees shared."""
        with as_superuser(self.database) as admin:
            tables = admin.execute(
                "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname = %s",
                (self.three.schema_name,),
            ).fetchall()
            rows = [row for (table,) in tables for (row,) in admin.execute(f"SELECT t::text FROM {table} t").fetchall()]
        with inside(self.three), suppress(psycopg.Error):
            rows += [repr(each) for each in exchange.ledger()]
        return rows


def furnished(database: str) -> Between:
    """A home school with a child who has a plan, and a hospital school elsewhere; nothing under way."""
    between = Between(database, *(authority_by_code(code) for code in ("001", "002", "003")))
    with as_superuser(database) as admin:
        admin.execute("TRUNCATE exchange.envelope, exchange.envelopebody, exchange.block")
        admin.execute("UPDATE exchange.member SET ceased_on = NULL, followed_by = '{}', hospitals = '{}'")
        for authority in (between.one, between.two, between.three):
            schema = authority.schema_name
            tables = ("schools_school", "handovers_exchangekey", "handovers_erasedenvelope", "notices_notice")
            tables = (*tables, "notices_sweep", "core_auditentry", "core_readentry")
            admin.execute(f"TRUNCATE {', '.join(f'{schema}.{table}' for table in tables)} CASCADE")
    for authority in (between.one, between.two, between.three):
        with inside(authority):
            post.join_exchange(by=CLOCK, at=AT)
    with inside(between.one):
        school = SchoolFactory(name="Overcombe Junior School")
        lead = person(f"lead-{uuid4().hex}@school.example", Role.SCHOOL_LEAD, school=school)
        pupil = PupilFactory(school=school, name=CHILD, upn="B801200005001")
        ContactFactory(pupil=pupil)
        versions.write_emergency(pupil=pupil, says=emergency(CONDITION), based_on=0, by=lead, at=AT)
        between.people["lead"], between.pupil_id = lead, pupil.id
    with inside(between.two):
        hospital = SchoolFactory(
            name="Felpersham Hospital School", urn=HOSPITAL_URN, type_code=7, type_name="Community special school"
        )
        between.people["hospital"] = person(
            f"hospital-{uuid4().hex}@school.example", Role.SETTING_LEAD, school=hospital
        )
        places.confirm_setting(
            school=hospital,
            name="",
            kind=Setting.Kind.HOSPITAL,
            ring="Ina Moss",
            telephone="01632 960003",
            by=CLOCK,
            at=AT,
        )
    return between
