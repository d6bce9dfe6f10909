"""Fill the demo authorities with invented people, reviews and histories. Refused outside the demo."""

import argparse
import json
import sys
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from handrail.accounts.actions import add_person
from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.accounts.second_step.demo import give_apps
from handrail.config.env import read_env
from handrail.core.audit import CLOCK
from handrail.core.calendar import LONDON, day_of
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.notices.models import Notice
from handrail.plans.actions import Agreed, ask_for_agreement, record_agreement, sign_off
from handrail.plans.emergency import Emergency
from handrail.plans.models import Party
from handrail.plans.versions import write_emergency, write_section
from handrail.policies.models import Kind, Policy, PolicyReview, PolicyVersion
from handrail.policies.reminders import SUBJECT
from handrail.schools.actions import add_contact, add_pupil
from handrail.schools.models import Pupil, School
from handrail.schools.term_actions import set_term
from tenants.context import inside
from tenants.database import execute
from tenants.routing import authorities
from workflows import demo_absences, demo_care, demo_handovers, demo_links, demo_readers, demo_returns, demo_seen
from workflows.demo import (
    AUTHORITIES,
    PASSWORD,
    TERMS,
    DemoAuthority,
    DemoPolicy,
    DemoSchool,
    history,
    policy_of,
    reminders_sent,
    school_of,
    shown_first,
)
from workflows.demo_children import DemoChild, children
from workflows.demo_months import furnish_months
from workflows.demo_websites import address_of

WITH_CHILDREN = "001"
"""The authority whose first schools have children."""

JOINED_DAYS_AGO = 130
"""How long the schools of the demo have been with Handrail."""
CONVERTED = "SELECT urn FROM public.tenants_establishmentlink WHERE link_type = 'Predecessor'"
COLUMNS_OF_POLICY = [
    *("last_reviewed_on", "next_review_on", "published_url", "not_needed_reason", "is_inherited", "link_governor"),
    *("lead_name", "lead_email"),
]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    if read_env().mode == "production":
        print("This makes people and histories up: it runs in the demo only.", file=sys.stderr)
        return 2
    now = timezone.now()
    hashed = make_password(PASSWORD)
    by_code = {authority.code: authority for authority in authorities()}
    report = {}
    for demo in AUTHORITIES:
        if demo.code in by_code:
            with inside(by_code[demo.code]):
                report[demo.name] = Furnishing(demo, at=now, password=hashed).furnish()
    if options.json:
        print(json.dumps(report))
    else:
        for name, made in report.items():
            print(f"{name}: {made} schools furnished." if made else f"{name}: furnished already.")
    return 0


@dataclass
class Furnishing:
    """One authority being furnished, once: rows are gathered, then written together."""

    demo: DemoAuthority
    at: datetime
    password: str
    settings: AuthoritySettings = field(default_factory=AuthoritySettings)
    setting: School | None = None
    invented: dict[Any, DemoSchool] = field(default_factory=dict)
    leads: dict[Any, User] = field(default_factory=dict)
    reviews: list[PolicyReview] = field(default_factory=list)
    versions: list[PolicyVersion] = field(default_factory=list)
    entries: list[AuditEntry] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    @property
    def on(self) -> date:
        return self.at.astimezone(LONDON).date()

    @property
    def joined_at(self) -> datetime:
        return datetime.combine(self.on - timedelta(days=JOINED_DAYS_AGO), time(9), LONDON)

    def furnish(self) -> int:
        """Give the number of schools furnished: none when it has been done before, or there are no schools yet."""
        schools = list(School.objects.open().order_by("urn"))
        if not schools or PolicyReview.objects.exists():
            return 0
        self.invented = {school.id: school_of(school.urn, school.website) for school in schools}
        first = self.two_to_try(schools)
        self.setting = self.setting_to_try(schools)
        self.settings = AuthoritySettings.load()
        for term in TERMS:
            set_term(**term, by=CLOCK, at=self.at)
        self.people(schools, first)
        self.contacts(schools)
        self.policies(schools, first)
        demo_seen.furnish(at=self.at)
        child = self.children(first) if self.demo.code == WITH_CHILDREN else None
        by = self.leads[child.school_id].as_at(self.on) if child else None
        host = self.leads[self.setting.id].as_at(self.on) if child and self.setting else None
        demo_handovers.furnish(self.setting, child, by=by, taught_by=host, at=self.at)
        if child:
            officer = self.demo.email(self.demo.officer)
            demo_returns.furnish(schools, first, leads=self.leads, officer=officer, at=self.at)
        demo_absences.furnish_answers(leads=self.leads, on=self.on)
        furnish_months(since=self.joined_at.date(), on=self.on)
        to_try = User.objects.filter(email__in=self.demo.to_try)
        to_try.update(password=self.password, last_login=self.at - timedelta(days=1))
        Membership.objects.filter(user__in=to_try).update(from_on=self.joined_at.date())
        give_apps(to_try, at=self.joined_at)
        return len(schools)

    def two_to_try(self, schools: list[School]) -> list[School]:
        """A primary and a secondary school, whose leads people try the demo as."""
        found = [
            next(school for school in schools if school.is_bound and school.phase_name == phase)
            for phase in ("Primary", "Secondary")
        ]
        for school, name in zip(found, self.demo.leads, strict=True):
            self.lead_to_try(school, name)
        return found

    def setting_to_try(self, schools: list[School]) -> School | None:
        """A hospital school, or else another that may be a setting, where the demo has people of one."""
        if Role.SETTING_LEAD not in self.demo.others:
            return None
        found = [school for school in schools if school.is_bound and school.may_be_a_setting]
        setting = min(found, key=lambda school: ("Hospital" not in school.name, school.urn), default=None)
        if setting:
            self.lead_to_try(setting, self.demo.others[Role.SETTING_LEAD])
        return setting

    def lead_to_try(self, school: School, name: str) -> None:
        self.invented[school.id] = replace(
            self.invented[school.id],
            lead=name,
            lead_email=self.demo.school_email(name),
            has_contacts=True,
            last_seen_days_ago=2,
        )

    def add(self, role: Role, name: str, *, school: School | None = None, pupil: Pupil | None = None) -> User:
        """Somebody whose account people try the demo with."""
        return add_person(
            email=self.demo.email_as(role, name),
            name=name,
            role=role,
            school_id=school.id if school else None,
            pupil_id=pupil.id if pupil else None,
            by=CLOCK,
            at=self.joined_at,
        )

    def lead_role(self, school_id: Any) -> Role:
        return Role.SETTING_LEAD if self.setting and school_id == self.setting.id else Role.SCHOOL_LEAD

    def people(self, schools: list[School], first: list[School]) -> None:
        """The people at the authority and of each other role, a lead at most schools, and one for both of the first."""
        demo = self.demo
        for role, name in demo.at_authority.items():
            self.add(role, name)
        for school in first:
            self.add(Role.SCHOOL_LEAD, demo.both, school=school)
        places = {Role.SCHOOL_ADMINISTRATOR: first[0], Role.GOVERNOR: first[0], Role.SETTING_TEACHER: self.setting}
        for role, place in places.items():
            if place and role in demo.others:
                self.add(role, demo.others[role], school=place)
        taken = set()
        for school in schools:
            made = self.invented[school.id]
            if school.is_bound and made.last_seen_days_ago is not None and made.lead_email not in taken:
                taken.add(made.lead_email)
                seen = timedelta(days=made.last_seen_days_ago, minutes=37 * made.last_seen_days_ago)
                self.leads[school.id] = User(
                    email=made.lead_email,
                    name=made.lead,
                    joined_at=self.joined_at,
                    password=self.password,
                    last_login=self.at - seen,
                )
        new = self.leads.values()
        User.objects.bulk_create(new)
        EmailAddress.objects.bulk_create(
            EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in new
        )
        Membership.objects.bulk_create(
            Membership(user=user, role=self.lead_role(school_id), school_id=school_id, from_on=self.joined_at.date())
            for school_id, user in self.leads.items()
        )

    def contacts(self, schools: list[School]) -> None:
        for school in schools:
            made = self.invented[school.id]
            school.joined_on = self.on - timedelta(days=JOINED_DAYS_AGO)
            if made.has_contacts:
                school.lead_name, school.lead_email = made.lead, made.lead_email
                school.head_name, school.head_email = made.head, f"head@{made.domain}"
                school.office_email = f"office@{made.domain}"
        columns = ["joined_on", "lead_name", "lead_email", "head_name", "head_email", "office_email"]
        School.objects.save_changed((school, columns) for school in schools)

    def plan(self, pupil: Pupil, made: DemoChild, emergency: Emergency) -> None:
        """A plan as the school has written it, and as everybody agreed to it some time ago."""
        at = self.at - timedelta(days=made.agreed_days_ago or 0)
        on = day_of(at)
        lead = self.leads[pupil.school_id].as_at(on)
        version, _ = write_emergency(pupil=pupil, says=emergency, based_on=0, by=lead, at=at)
        for section, answers in made.answers.items():
            write_section(pupil=pupil, section=section, answers=answers, based_on=version.number, by=lead, at=at)
        if made.agreed_days_ago is None:
            return
        plan = ask_for_agreement(plan=version.plan, by=lead, at=at)
        for party, name in ((Party.PARENT, emergency.contacts[0].name), (Party.HEALTH, "Nurse Ines Amaral")):
            record_agreement(plan=plan, agreed=Agreed(party=party, name=name, agreed_on=on), by=lead, at=at)
        sign_off(plan=plan, by=lead, at=at)

    def children(self, first: list[School]) -> Pupil | None:
        """A few children at the schools to try, most with an emergency plan, and who was asked about one of them.

        Gives one at the first school who has an active plan and a parent.
        """
        asked_about = active = None
        for school, found in zip((*first, self.setting), children(self.on), strict=True):
            if school is None:
                continue
            for made in found:
                pupil = add_pupil(
                    school=school,
                    name=made.name,
                    known_as=made.known_as,
                    born_on=made.born_on(self.on),
                    year_group=made.year_group,
                    class_name=made.class_name,
                    upn=made.upn(self.demo.code, self.on),
                    joined_on=self.on - timedelta(days=JOINED_DAYS_AGO),
                    by=CLOCK,
                    at=self.at,
                )
                if made.emergency:
                    self.plan(pupil, made, made.emergency)
                    for place, contact in enumerate(made.emergency.contacts, start=1):
                        facts = demo_links.facts_of(contact)
                        add_contact(pupil=pupil, place=place, by=CLOCK, at=self.at, **facts)
                    asked_about = asked_about or pupil
                    has_parent = any(each.relation in ("Mother", "Father") for each in made.emergency.contacts)
                    if school == first[0] and made.agreed_days_ago is not None and has_parent:
                        active = active or pupil
            demo_care.furnish(school, by=self.leads[school.id].as_at(self.on), at=self.at)
        officer = self.demo.email(self.demo.named_officer)
        demo_absences.furnish([*first, self.setting], leads=self.leads, officer=officer, at=self.at)
        lead = self.leads[first[0].id].as_at(self.on)
        for furnish in (demo_care.near_miss, demo_links.furnish, demo_readers.furnish):
            furnish(first[0], by=lead, at=self.at)
        demo_readers.make_packs(at=self.at)
        if asked_about and (name := self.demo.others.get(Role.HEALTH_PROFESSIONAL)):
            self.add(Role.HEALTH_PROFESSIONAL, name, school=first[0], pupil=asked_about)
        return active

    # -- policies ----------------------------------------------------------------------------------------

    def policies(self, schools: list[School], first: list[School]) -> None:
        """Every policy that is needed gets a history, or none; the two first schools' are chosen."""
        shown = dict(zip((school.id for school in first), shown_first(on=self.on), strict=True))
        converted = {urn for (urn,) in execute(CONVERTED)}
        by_id: dict[Any, School] = {school.id: school for school in schools if school.is_bound}
        changed = []
        for policy in Policy.objects.filter(school_id__in=by_id).order_by("school__urn", "kind"):
            school, kind = by_id[policy.school_id], Kind(policy.kind)
            made = shown.get(school.id, {}).get(kind) or policy_of(
                school.urn, kind, on=self.on, has_predecessor=school.urn in converted
            )
            people = self.invented[school.id]
            self.write(policy, made, seed=school.urn, address=address_of(people.domain, kind.value))
            policy.link_governor = people.governor if made.reviews else ""
            self.remind(policy, school)
            changed.append(policy)
        for policy in Policy.objects.filter(school=None):
            made = DemoPolicy(history(Random(self.demo.code), self.on + timedelta(days=212), years=2))  # noqa: S311
            self.write(policy, made, seed=self.demo.code, address=address_of(self.demo.word, "section_19"))
            policy.lead_name, policy.lead_email = self.demo.officer, self.demo.email(self.demo.officer)
            changed.append(policy)
        PolicyVersion.objects.bulk_create(self.versions)
        PolicyReview.objects.bulk_create(self.reviews)
        AuditEntry.objects.bulk_create(self.entries)
        Notice.objects.bulk_create(self.notices)
        Policy.objects.save_changed((policy, COLUMNS_OF_POLICY) for policy in changed)

    def remind(self, policy: Policy, school: School) -> None:
        """Gather the reminders that would have gone out about it by now."""
        if not policy.next_review_on or not school.lead_email or policy.not_needed_reason:
            return
        sent = reminders_sent(policy.next_review_on, settings=self.settings, since=school.joined_on, on=self.on)
        for step, step_on, wording in sent:
            at = datetime.combine(step_on, time(8), LONDON)
            self.notices.append(
                Notice(
                    subject_kind=SUBJECT,
                    subject_id=policy.id,
                    school_id=school.id,
                    cycle=policy.next_review_on.isoformat(),
                    step=step,
                    step_on=step_on,
                    recipient=school.lead_email,
                    recipient_role="lead",
                    wording=wording,
                    owed_at=at,
                    not_before=at,
                    ended_at=at + timedelta(minutes=1),
                    state=Notice.State.ACCEPTED,
                    provider="mailbox",
                )
            )

    def write(self, policy: Policy, made: DemoPolicy, *, seed: str, address: str) -> None:
        """Gather the rows of a policy's history."""
        random = Random(f"write {seed} {policy.kind}")  # noqa: S311 - invention, not secrecy
        policy.not_needed_reason, policy.is_inherited = made.not_needed_reason, made.is_inherited
        lead = self.leads.get(policy.school_id)
        who_id, who_name = (lead.id, lead.name) if lead else (None, self.demo.officer)
        began = self.on - timedelta(days=JOINED_DAYS_AGO - random.randrange(3, 40))
        minutes = random.randrange(480)
        version: PolicyVersion | None = None
        for number, review in enumerate(made.reviews):
            # What happened before the school joined was recorded when it had joined.
            day = datetime.combine(max(review.reviewed_on, began), time(8, 30), LONDON)
            moment = min(day + timedelta(minutes=minutes + number), self.at)
            if version is None or review.outcome == PolicyReview.Outcome.UPDATED:
                if version:
                    version.is_current = False
                version = PolicyVersion(
                    policy=policy,
                    number=version.number + 1 if version else 1,
                    published_url=address,
                    approved_by="Governing body" if policy.school_id else "Cabinet member for children",
                    approved_on=review.reviewed_on,
                    change_note=review.changed,
                    made_at=moment,
                    made_by=who_id,
                )
                self.versions.append(version)
            self.reviews.append(
                PolicyReview(
                    policy=policy,
                    reviewed_on=review.reviewed_on,
                    outcome=review.outcome,
                    involved=review.involved,
                    changed=review.changed,
                    next_review_on=review.next_review_on,
                    version=version,
                    recorded_at=moment,
                    recorded_by=who_id,
                    recorded_by_name=who_name,
                )
            )
            self.entries.append(
                AuditEntry(
                    at=moment,
                    by=who_id,
                    by_name=who_name,
                    role=self.lead_role(policy.school_id) if lead else Role.POLICY_OFFICER,
                    school_id=policy.school_id,
                    subject_kind="policy",
                    subject_id=policy.id,
                    verb="recorded a review",
                    fields=["reviews"],
                )
            )
            policy.last_reviewed_on, policy.next_review_on = review.reviewed_on, review.next_review_on
            policy.published_url = address
