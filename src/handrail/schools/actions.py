"""Every write about schools, their children and these children's contacts."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from handrail.core import audit
from handrail.core.earlier import keep
from handrail.core.models import as_jsonb
from handrail.schools.duty import BODY_OF_TYPE, OPEN_STATUSES, SCHOOL_GROUPS, Body
from handrail.schools.models import Contact, Pupil, School
from tenants.database import execute, require_bound


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person, and `field` what it is about."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class UpnTaken(Refused):
    """A number belongs to one child, and another who is at the school has it."""


class LeavesBeforeJoining(Refused):
    """Nobody leaves before the day they joined."""


@dataclass(frozen=True)
class Followed:
    """What following the register did: numbers of schools, and the conversions newly seen (old id, new id)."""

    new: int = 0
    changed: int = 0
    closed: int = 0
    moved_away: int = 0
    conversions: list[tuple[UUID, UUID]] = field(default_factory=list)


FROM_REGISTER = (
    "name",
    "establishment_number",
    "type_code",
    "type_name",
    "body",
    "phase_code",
    "phase_name",
    "is_proposed_to_close",
    "pupils",
    "trust_name",
    "street",
    "town",
    "postcode",
    "website",
    "opened_on",
    "closed_on",
)
"""The columns of a school that the register decides."""

CONTACTS = ("office_email", "lead_name", "lead_email", "head_name", "head_email")
"""The columns of a school that are its own."""

FACTS = ("name", "known_as", "born_on", "year_group", "class_name", "upn", "joined_on", "lives_in")
"""The columns of a child that the school decides."""

OF_CONTACT = ("name", "relation", "phone", "email", "has_parental_responsibility")
"""The columns of a child's contact, but for its place among the others."""

REGISTER = "public.tenants_establishment"
ROWS = f"jsonb_populate_recordset(NULL::{REGISTER}, %(rows)s)"
"""Rows of the register given with the statement, such as those of an officer's file."""

INCOMING = """
WITH bodies(type_code, body) AS (SELECT * FROM unnest(%(types)s::int[], %(bodies)s::text[])),
incoming AS (
    SELECT e.urn, e.name, e.establishment_number, e.type_code, e.type_name,
        coalesce(b.body, %(other)s) AS body, e.phase_code, e.phase_name, e.status_code = 3 AS is_proposed_to_close,
        e.pupils, e.trust_name, e.street, e.town, e.postcode, e.website, e.opened_on,
        CASE WHEN e.status_code <> ALL(%(open)s) THEN coalesce(e.closed_on, s.closed_on, %(on)s) END AS closed_on
    FROM {source} e
    LEFT JOIN bodies b USING (type_code)
    LEFT JOIN schools_school s USING (urn)
    WHERE e.la_code = %(code)s
      AND (s.urn IS NOT NULL OR (e.group_code = ANY(%(groups)s) AND e.status_code = ANY(%(open)s)))
      AND (s.register_as_of IS NULL OR s.register_as_of <= %(as_of)s)
)
"""

DIFFERS = f"""({", ".join(f"s.{name}" for name in FROM_REGISTER)})
    IS DISTINCT FROM ({", ".join(f"i.{name}" for name in FROM_REGISTER)})"""

PREVIEW = f"""
{INCOMING}
SELECT i.urn, i.name, s.urn IS NULL, s.closed_on IS NULL AND i.closed_on IS NOT NULL, to_jsonb(s), to_jsonb(i)
FROM incoming i LEFT JOIN schools_school s USING (urn) WHERE s.urn IS NULL OR {DIFFERS} ORDER BY i.name, i.urn
"""

FOLLOW = f"""
{INCOMING},
before AS (SELECT urn, closed_on FROM schools_school),
written AS (
    INSERT INTO schools_school AS s (
        id, urn, joined_on, register_as_of, office_email, lead_name, lead_email, head_name, head_email,
        {", ".join(FROM_REGISTER)}
    )
    SELECT gen_random_uuid(), urn, %(on)s, %(as_of)s, '', '', '', '', '', {", ".join(FROM_REGISTER)} FROM incoming
    ON CONFLICT (urn) DO UPDATE SET
        register_as_of = excluded.register_as_of, {", ".join(f"{name} = excluded.{name}" for name in FROM_REGISTER)}
    WHERE {DIFFERS.replace("i.", "excluded.")}
    RETURNING urn, closed_on
)
SELECT count(*) FILTER (WHERE b.urn IS NULL),
       count(*) FILTER (WHERE b.urn IS NOT NULL AND (w.closed_on IS NULL OR b.closed_on IS NOT NULL)),
       count(*) FILTER (WHERE b.urn IS NOT NULL AND w.closed_on IS NOT NULL AND b.closed_on IS NULL)
FROM written w LEFT JOIN before b USING (urn)
"""

MOVE_AWAY = """
UPDATE schools_school s SET closed_on = %(on)s, register_as_of = %(as_of)s FROM {source} e
WHERE e.urn = s.urn AND e.la_code <> %(code)s AND s.closed_on IS NULL
  AND (s.register_as_of IS NULL OR s.register_as_of <= %(as_of)s)
RETURNING s.id
"""

CONVERT = """
WITH successors AS (
    SELECT urn AS old_urn, link_urn AS new_urn FROM public.tenants_establishmentlink WHERE link_type = 'Successor'
    UNION SELECT link_urn, urn FROM public.tenants_establishmentlink WHERE link_type = 'Predecessor'
),
conversions AS (
    SELECT old_urn, new_urn FROM successors
    WHERE old_urn IN (SELECT old_urn FROM successors GROUP BY old_urn HAVING count(*) = 1)
      AND new_urn IN (SELECT new_urn FROM successors GROUP BY new_urn HAVING count(*) = 1)
)
UPDATE schools_school s SET converted_from_id = old.id
FROM conversions c JOIN schools_school old ON old.urn = c.old_urn
WHERE s.urn = c.new_urn AND s.converted_from_id IS NULL AND s.id <> old.id AND old.closed_on IS NOT NULL
RETURNING old.id, s.id
"""


@transaction.atomic
def follow_register(*, on: date, at: datetime) -> Followed:
    """Bring the bound authority's schools to what the register of schools says. A second run changes nothing.

    Open schools of this authority in type groups 3, 4, 5, 10 and 11 are added. One that has closed, or that now
    belongs to another authority, is closed here and keeps its history. One that is missing from the register is
    left alone. A closed school with exactly one plain successor has converted: the pair is reported once.
    """
    given = _given(on=on, as_of=_register_date() or on)
    [(new, changed, closed)] = execute(FOLLOW.format(source=REGISTER), given)
    moved_away = len(execute(MOVE_AWAY.format(source=REGISTER), given))
    conversions = [(old, successor) for old, successor in execute(CONVERT)]
    followed = Followed(new, changed, closed, moved_away, conversions)
    if followed != Followed():
        audit.record("followed the register of schools", by=audit.CLOCK, at=at, subject_kind="register")
    return followed


@dataclass(frozen=True)
class Difference:
    """What a register row would do to one school: `was` is empty for a new one. Values by column."""

    urn: str
    name: str
    is_new: bool
    closes: bool
    was: dict[str, Any]
    becomes: dict[str, Any]

    @property
    def changed(self) -> list[str]:
        """The names of the columns that differ."""
        return [name for name in FROM_REGISTER if self.was.get(name) != self.becomes[name]]


def preview_rows(rows: list[dict[str, Any]], *, on: date, as_of: date) -> list[Difference]:
    """What `apply_rows` would do, school by school. Writes nothing."""
    found = execute(PREVIEW.format(source=ROWS), {**_given(on=on, as_of=as_of), "rows": as_jsonb(rows)})
    return [
        Difference(urn, name, new, closes, json.loads(was) if was else {}, json.loads(becomes))
        for urn, name, new, closes, was, becomes in found
    ]


@transaction.atomic
def apply_rows(rows: list[dict[str, Any]], *, on: date, as_of: date, by: audit.Actor, at: datetime) -> Followed:
    """Bring the bound authority's schools to these rows of the register, which an officer gave.

    Rows of other authorities do nothing but close a school that we hold and that is theirs now. Each row is a
    dictionary of the register's columns. Older rows never overwrite what a newer register (`as_of`) said.
    """
    given = {**_given(on=on, as_of=as_of), "rows": as_jsonb(rows)}
    [(new, changed, closed)] = execute(FOLLOW.format(source=ROWS), given)
    moved_away = len(execute(MOVE_AWAY.format(source=ROWS), given))
    audit.record("imported a register extract", by=by, at=at, subject_kind="register")
    return Followed(new, changed, closed, moved_away)


@transaction.atomic
def take_back_rows(before: list[dict[str, Any]], added: list[str], *, by: audit.Actor, at: datetime) -> int:
    """Undo `apply_rows`: give the schools in `before` their columns back, and remove those `added` (URNs) about
    which nothing has been recorded since. Gives how many of the added ones had to stay.
    """
    columns = (*FROM_REGISTER, "register_as_of")
    execute(
        f"""UPDATE schools_school s SET {", ".join(f"{name} = b.{name}" for name in columns)}
            FROM jsonb_populate_recordset(NULL::schools_school, %(before)s) b WHERE b.urn = s.urn""",
        {"before": as_jsonb(before)},
    )
    texts = (
        *CONTACTS,
        "policies__lead_name",
        "policies__lead_email",
        "policies__published_url",
        "policies__not_needed_reason",
    )
    touched = (
        Q(memberships__isnull=False)
        | Q(policies__reviews__isnull=False)
        | Q(policies__last_reviewed_on__isnull=False)
        | Q(*((f"{name}__gt", "") for name in texts), _connector=Q.OR)
    )
    School.objects.filter(urn__in=added).exclude(id__in=School.objects.filter(touched).values("id")).delete()
    audit.record("took back a register extract", by=by, at=at, subject_kind="register")
    return School.objects.filter(urn__in=added).count()


def set_contacts(*, school: School, by: audit.Actor, at: datetime, **contacts: str) -> list[str]:
    """Set some of a school's contacts: office_email, lead_name, lead_email, head_name, head_email.

    Gives the names of those that changed.
    """
    return set_contacts_of([(school, contacts)], by=by, at=at).get(school.id, [])


@transaction.atomic
def set_contacts_of(
    wanted: Iterable[tuple[School, Mapping[str, str]]], *, by: audit.Actor, at: datetime
) -> dict[UUID, list[str]]:
    """Set some of the contacts of many schools. Gives the names of those that changed, by school's id."""
    changed: list[tuple[School, dict[str, str]]] = []
    for school, contacts in wanted:
        now = {name: getattr(school, name) for name in contacts if name in CONTACTS}
        was = {name: said for name, said in now.items() if said != contacts[name]}
        for name in was:
            setattr(school, name, contacts[name])
        if was:
            changed.append((school, was))
    keep(changed, at=at)
    School.objects.save_changed((school, list(was)) for school, was in changed)
    audit.record_each(
        "changed a school's contacts",
        [audit.Subject(school.id, school.id, list(was)) for school, was in changed],
        by=by,
        at=at,
        subject_kind="school",
    )
    return {school.id: list(was) for school, was in changed}


# -- children --------------------------------------------------------------------------------------------


@transaction.atomic
def add_pupil(*, school: School, by: audit.Actor, at: datetime, **facts: Any) -> Pupil:
    """Add a child to a school: name, born_on and joined_on, and perhaps the other FACTS. Raises UpnTaken."""
    pupil = Pupil(school=school, **facts)
    _refuse_a_taken_upn(pupil)
    pupil.save(force_insert=True)
    _record_about(pupil, "added a child", sorted(facts), by=by, at=at)
    return pupil


@transaction.atomic
def change_pupil(*, pupil: Pupil, by: audit.Actor, at: datetime, **facts: Any) -> list[str]:
    """Correct some of a child's FACTS. Gives the names of those that changed. Raises UpnTaken, LeavesBeforeJoining."""
    changed = [name for name, value in facts.items() if name in FACTS and getattr(pupil, name) != value]
    for name in changed:
        setattr(pupil, name, facts[name])
    if pupil.left_on and pupil.joined_on > pupil.left_on:
        raise LeavesBeforeJoining("Date the child joined must be on or before the day they left", "joined_on")
    if changed:
        _refuse_a_taken_upn(pupil)
        pupil.save(update_fields=changed)
        _record_about(pupil, "changed a child’s details", changed, by=by, at=at)
    return changed


@transaction.atomic
def pupil_left(*, pupil: Pupil, left_on: date, by: audit.Actor, at: datetime) -> None:
    """Record the first day without a child. What is held about them stays. Raises LeavesBeforeJoining."""
    if left_on < pupil.joined_on:
        raise LeavesBeforeJoining("Date the child left must be on or after the day they joined", "left_on")
    pupil.left_on = left_on
    pupil.save(update_fields=["left_on"])
    _record_about(pupil, "recorded that a child left", ["left_on"], by=by, at=at)


@transaction.atomic
def add_contact(*, pupil: Pupil, place: int, by: audit.Actor, at: datetime, **facts: Any) -> Contact:
    """Add somebody to ask about a child, with some of OF_CONTACT, as the one to try in this `place` (1 is first)."""
    contact = Contact(pupil=pupil, priority=place, **facts)
    others = _contacts_but(contact)
    contact.save(force_insert=True)
    _put_in_place(contact, place, others)
    _record_about(pupil, "added a child’s contact", sorted(facts), by=by, at=at)
    return contact


@transaction.atomic
def change_contact(*, contact: Contact, place: int, by: audit.Actor, at: datetime, **facts: Any) -> list[str]:
    """Correct some of OF_CONTACT and the `place` in which to try them. Gives the names of what changed."""
    others = _contacts_but(contact)
    changed = [name for name, value in facts.items() if name in OF_CONTACT and getattr(contact, name) != value]
    for name in changed:
        setattr(contact, name, facts[name])
    if changed:
        contact.save(update_fields=changed)
    if _put_in_place(contact, place, others):
        changed.append("priority")
    if changed:
        _record_about(contact.pupil, "changed a child’s contact", changed, by=by, at=at)
    return changed


@transaction.atomic
def remove_contact(*, contact: Contact, by: audit.Actor, at: datetime) -> None:
    """Take somebody away from those to ask about a child; the others move up."""
    others = _contacts_but(contact)
    contact.delete()
    Contact.objects.save_changed((each, ["priority"]) for each in _renumbered(others))
    _record_about(contact.pupil, "removed a child’s contact", [], by=by, at=at)


def _contacts_but(contact: Contact) -> list[Contact]:
    """The child's other contacts, in order. Two people changing the contacts of one child wait for each other here."""
    Pupil.objects.select_for_update(of=("self",)).get(id=contact.pupil_id)
    return list(Contact.objects.of_child(contact.pupil).exclude(id=contact.id))


def _put_in_place(contact: Contact, place: int, others: list[Contact]) -> bool:
    """Number the contacts so that this one is tried in this place. Gives whether that moved any of them."""
    moved = _renumbered([*others[: place - 1], contact, *others[place - 1 :]])
    Contact.objects.save_changed((each, ["priority"]) for each in moved)
    return bool(moved)


def _renumbered(contacts: list[Contact]) -> list[Contact]:
    """Those whose number was not their place in the list, with the right number."""
    moved = [each for place, each in enumerate(contacts, start=1) if each.priority != place]
    for place, each in enumerate(contacts, start=1):
        each.priority = place
    return moved


def _refuse_a_taken_upn(pupil: Pupil) -> None:
    # Two people adding one child wait for each other here.
    School.objects.select_for_update().get(id=pupil.school_id)
    others = Pupil.objects.filter(school_id=pupil.school_id, left_on=None).exclude(id=pupil.id)
    if pupil.upn and pupil.left_on is None and others.filter(upn=pupil.upn).exists():
        raise UpnTaken("Another child at this school has this UPN", "upn")


def _record_about(pupil: Pupil, verb: str, fields: list[str], *, by: audit.Actor, at: datetime) -> None:
    audit.record(
        verb, by=by, at=at, subject_kind="child", subject_id=pupil.id, school_id=pupil.school_id, fields=fields
    )


def _given(*, on: date, as_of: date) -> dict[str, Any]:
    return {
        "code": require_bound().code,
        "on": on,
        "as_of": as_of,
        "open": list(OPEN_STATUSES),
        "groups": list(SCHOOL_GROUPS),
        "types": list(BODY_OF_TYPE),
        "bodies": [str(body) for body in BODY_OF_TYPE.values()],
        "other": str(Body.OTHER),
    }


def _register_date() -> date | None:
    """The date of the newest register that was imported for everybody."""
    [(newest,)] = execute("SELECT max(coalesce(file_date, imported_at::date)) FROM public.tenants_registerimport")
    return newest
