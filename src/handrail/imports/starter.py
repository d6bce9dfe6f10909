"""The starter spreadsheet: what an authority kept in a spreadsheet before, compared, imported and undone.

It sets a school's office e-mail, its lead where it has none, each policy's lead where that is somebody else, and its
address; it begins a policy's history with its last review, and lets every lead sign in. A later review that is
recorded already stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from handrail.accounts.actions import Newcomer, add_people, take_back_leads
from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core import audit
from handrail.core.forms.wording import in_sentence
from handrail.core.jinja import long_date
from handrail.imports.reading import Comparison
from handrail.imports.starter_file import LEAD_EMAIL, LEAD_NAME, OFFICE_EMAIL, PUBLISHED, REVIEWED, VALUES
from handrail.policies.actions import open_policies
from handrail.policies.held import Before, Held, take_back_held, write_held
from handrail.policies.models import SCHOOL_KINDS, Policy
from handrail.schools.actions import set_contacts_of
from handrail.schools.models import School

COLUMNS = {about.field: about.header for about in VALUES}
TOUCHED = "something was recorded about the policy since, so its review was left as it is."
LEAD = (LEAD_NAME.field, LEAD_EMAIL.field)
OF_POLICY = (*LEAD, REVIEWED.field, PUBLISHED.field)

Facts = dict[str, Any]


@dataclass
class Step:
    """One thing to be written, by column: contacts, a policy's facts, or an address that is to sign in as `person`."""

    school: School
    wanted: Facts
    policy: Policy | None = None
    person: str = ""

    @property
    def what(self) -> str:
        if self.person:
            return "Can sign in"
        return self.policy.get_kind_display() if self.policy else "Contacts"

    def held(self, name: str) -> Any:
        """What is held now about a column of the file."""
        if self.person:
            return None
        return getattr(self.policy or self.school, "last_reviewed_on" if name == REVIEWED.field else name)


def template_rows() -> Iterator[list[str]]:
    """Rows to be filled in: every open school, once for each policy, with what is held already."""
    policies = {(policy.school_id, policy.kind): policy for policy in Policy.objects.of_schools()}
    for school in School.objects.open().order_by("name", "urn"):
        for kind in SCHOOL_KINDS:
            policy = policies.get((school.id, kind)) or Policy(school=school, kind=kind)
            yield [
                school.urn,
                school.name,
                school.office_email,
                policy.lead_name or school.lead_name,
                policy.lead_email or school.lead_email,
                kind.label,
                _slashed(policy.last_reviewed_on) if policy.last_reviewed_on else "",
                policy.published_url,
            ]


def compare(rows: list[Facts], *, on: date, at: datetime) -> Comparison:
    """What the rows would do. Opens the policies that schools do not have yet, and writes nothing else."""
    open_policies(on=on, at=at)
    steps, too_old = _steps(rows)
    counts = {
        "schools": len({step.school.urn for step in steps}),
        "unchanged": len({row["urn"] for row in rows} - {step.school.urn for step in steps}),
        "contacts": sum(not step.policy and not step.person for step in steps),
        "leads": sum(step.policy is not None and any(name in step.wanted for name in LEAD) for step in steps),
        "reviews": sum(REVIEWED.field in step.wanted for step in steps),
        "addresses": sum(PUBLISHED.field in step.wanted for step in steps),
        "people": sum(bool(step.person) for step in steps),
    }
    changes = [
        {
            "urn": step.school.urn,
            "name": step.school.name,
            "what": step.what,
            "details": [
                {"column": COLUMNS[name], "was": _words(step.held(name)), "becomes": _words(value)}
                for name, value in step.wanted.items()
            ],
        }
        for step in steps
    ]
    return Comparison(counts, changes, problems=too_old)


def commit(rows: list[Facts], *, on: date, by: audit.Actor, at: datetime) -> list[Facts]:
    """Write what the rows say. Gives what undoing will need."""
    open_policies(on=on, at=at)
    audit.record("imported a starter spreadsheet", by=by, at=at, subject_kind="register")
    steps, _ = _steps(rows)
    contacts = [step for step in steps if not step.policy and not step.person]
    policies = {step.policy.id: step for step in steps if step.policy}
    people = [step for step in steps if step.person]
    return [
        *_write_contacts(contacts, by=by, at=at),
        *_write_policies(policies, by=by, at=at),
        *_write_people(people, by=by, at=at),
    ]


def undo(before: list[Facts], *, by: audit.Actor, at: datetime) -> list[str]:
    """Put back what nobody has changed since; say in sentences what was left, and why, school by school."""
    audit.record("took back a starter spreadsheet", by=by, at=at, subject_kind="register")
    schools = {str(school.id): school for school in School.objects.filter(id__in={done["school"] for done in before})}
    contacts = [(schools[done["school"]], done) for done in before if not done["policy"] and "user" not in done]
    policies = {UUID(done["policy"]): (schools[done["school"]], done) for done in before if done["policy"]}
    people = [(schools[done["school"]], done) for done in before if "user" in done]
    left = [
        *_take_back_people(people, by=by, at=at),
        *_take_back_policies(policies, by=by, at=at),
        *_take_back_contacts(contacts, by=by, at=at),
    ]
    return [f"{school.name} ({school.urn}): {what}" for school, what in sorted(left, key=lambda each: each[0].name)]


# -- what the rows would write ---------------------------------------------------------------------------


def _steps(rows: list[Facts]) -> tuple[list[Step], list[Facts]]:
    """What the rows would write that is not so already, by school; and the reviews that are too old to count."""
    said = _by_school(rows)
    of_schools = Policy.objects.of_schools().filter(school__urn__in=said)
    policies = {(policy.school_id, policy.kind): policy for policy in of_schools}
    leads = Membership.objects.filter(role=Role.SCHOOL_LEAD, to_on=None, school__urn__in=said)
    can_sign_in = {(school, email.casefold()) for school, email in leads.values_list("school_id", "user__email")}
    steps: list[Step] = []
    too_old: list[Facts] = []
    for school in School.objects.open().filter(urn__in=said).order_by("name", "urn"):
        facts = said[school.urn]
        named = [each for each in facts.values() if LEAD_EMAIL.field in each]
        contacts = _only((OFFICE_EMAIL.field,), *facts.values())
        if named and not school.lead_email:
            contacts |= _only(LEAD, named[0])
        lead_of_all = contacts.get(LEAD_EMAIL.field) or school.lead_email
        of_this = [Step(school, contacts)]
        for kind, values in facts.items():
            if kind:
                step = Step(school, _only(OF_POLICY, values), policy=policies[school.id, kind])
                _drop_lead_of_all(step, lead_of_all)
                too_old += _drop_old_review(step, values["line"])
                of_this.append(step)
        for step in of_this:
            step.wanted = {name: value for name, value in step.wanted.items() if step.held(name) != value}
        for email, each in {each[LEAD_EMAIL.field].casefold(): each for each in named}.items():
            if (school.id, email) not in can_sign_in:
                person = each.get(LEAD_NAME.field) or email.split("@")[0]
                of_this.append(Step(school, _only((LEAD_EMAIL.field,), each), person=person))
        steps += [step for step in of_this if step.wanted]
    return steps, too_old


def _by_school(rows: list[Facts]) -> dict[str, dict[str, Facts]]:
    """URN -> policy kind (blank for the school itself) -> what the rows say about it."""
    said: dict[str, dict[str, Facts]] = {}
    for row in rows:
        values = said.setdefault(row["urn"], {}).setdefault(row["policy"], {})
        for name, value in row.items():
            values.setdefault(name, date.fromisoformat(value) if name == REVIEWED.field else value)
    return said


def _only(names: tuple[str, ...], *found: Facts) -> Facts:
    return {name: each[name] for each in found for name in names if name in each}


def _drop_lead_of_all(step: Step, lead_of_all: str) -> None:
    """A policy that names nobody is led by the school's lead already."""
    is_same = step.wanted.get(LEAD_EMAIL.field, "").casefold() == lead_of_all.casefold()
    if is_same and step.policy and not step.policy.lead_email:
        step.wanted = {name: value for name, value in step.wanted.items() if name not in LEAD}


def _drop_old_review(step: Step, line: int) -> list[Facts]:
    """Take a review out of the step when a later one is recorded already, and say so."""
    wanted, held = step.wanted.get(REVIEWED.field), step.held(REVIEWED.field)
    if not wanted or not held or wanted >= held:
        return []
    del step.wanted[REVIEWED.field]
    advice = f"A later review, on {long_date(held)}, is recorded already and stays. There is nothing to do."
    about = {"column": REVIEWED.header, "value": _slashed(wanted), "advice": advice}
    return [{"line": line, "urn": step.school.urn, "skipped": False, **about}]


# -- writing, each kind of step all together, and undoing ------------------------------------------------

Done = tuple[School, Facts]
"""What was written about a school, as it was kept."""
Left = list[tuple[School, str]]
"""What undoing had to leave of a school."""


def _done(step: Step, **more: Any) -> Facts:
    return {"school": str(step.school.id), "policy": "", "became": step.wanted, **more}


def _write_contacts(steps: list[Step], *, by: audit.Actor, at: datetime) -> list[Facts]:
    done = [_done(step, was={name: step.held(name) for name in step.wanted}) for step in steps]
    set_contacts_of([(step.school, step.wanted) for step in steps], by=by, at=at)
    return done


def _write_policies(steps: dict[UUID, Step], *, by: audit.Actor, at: datetime) -> list[Facts]:
    before = write_held({id: Held(**step.wanted) for id, step in steps.items()}, by=by, at=at)
    return [
        _done(step, policy=str(id), was=before[id].was, review=str(before[id].review_id or ""))
        for id, step in steps.items()
    ]


def _write_people(steps: list[Step], *, by: audit.Actor, at: datetime) -> list[Facts]:
    new = [Newcomer(step.wanted[LEAD_EMAIL.field], step.person, Role.SCHOOL_LEAD, step.school.id) for step in steps]
    users = add_people(new, by=by, at=at)
    return [_done(step, user=str(user.id), since=at.isoformat()) for step, user in zip(steps, users, strict=True)]


def _take_back_contacts(done: list[Done], *, by: audit.Actor, at: datetime) -> Left:
    left, same = [], []
    for school, each in done:
        held = {name for name, value in each["became"].items() if getattr(school, name) == value}
        same.append((school, {name: each["was"][name] for name in held}))
        left += [(school, _changed_since(COLUMNS[name])) for name in each["became"] if name not in held]
    set_contacts_of(same, by=by, at=at)
    return left


def _take_back_policies(done: dict[UUID, Done], *, by: audit.Actor, at: datetime) -> Left:
    kinds = {policy.id: in_sentence(policy.get_kind_display()) for policy in Policy.objects.filter(id__in=done)}
    left = take_back_held({id: _before(each) for id, (_, each) in done.items()}, by=by, at=at)
    return [
        (done[id][0], f"{kinds[id]}: {TOUCHED if name == REVIEWED.field else _changed_since(COLUMNS[name])}")
        for id, names in left.items()
        for name in names
    ]


def _take_back_people(done: list[Done], *, by: audit.Actor, at: datetime) -> Left:
    if not done:
        return []
    since = datetime.fromisoformat(done[0][1]["since"])
    stay = take_back_leads([(UUID(each["user"]), school.id) for school, each in done], since=since, by=by, at=at)
    return [
        (school, f"{each['became'][LEAD_EMAIL.field]} has signed in since, and still can.")
        for school, each in done
        if (UUID(each["user"]), school.id) in stay
    ]


def _before(done: Facts) -> Before:
    """What was kept about a policy, as it was before it was kept."""
    days = {name: _date(done["was"][name]) for name in ("last_reviewed_on", "next_review_on")}
    review = done.get("review")
    return Before(was=done["was"] | days, became=done["became"], review_id=UUID(review) if review else None)


def _changed_since(column: str) -> str:
    return f"{in_sentence(column)} has changed since, so it was left as it is."


def _date(kept: str | None) -> date | None:
    return date.fromisoformat(kept) if kept else None


def _slashed(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _words(value: Any) -> str:
    return long_date(value) if isinstance(value, date) else str(value or "")
