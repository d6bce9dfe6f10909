"""A school's whole roll, written and taken back at once: as many statements for one child as for thousands."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from handrail.core import audit
from handrail.schools.actions import FACTS, OF_CONTACT
from handrail.schools.models import Contact, Pupil, School
from tenants.database import execute_count

Facts = dict[str, Any]
Left = list[tuple[str, list[str]]]
"""Whom taking back left as they are: the child's name, and the columns that had changed since; none for all."""

WRITTEN = (*FACTS, "left_on")


def children_of(school: School) -> QuerySet[Pupil]:
    """Everybody who is or was on the school's roll. Two who write it wait for each other here."""
    School.objects.select_for_update().get(id=school.id)
    found: QuerySet[Pupil] = Pupil.objects.filter(school=school).select_for_update()
    return found


def contacts_of(school: School) -> QuerySet[Contact]:
    """Whom to ask about everybody on the roll."""
    found: QuerySet[Contact] = Contact.objects.filter(pupil__school=school).select_related("pupil")
    return found


@transaction.atomic
def write_children(wanted: Iterable[tuple[Pupil, Facts]], *, by: audit.Actor, at: datetime) -> list[Facts]:
    """Write some columns of each of these children; those that are not saved yet are added.

    The caller has seen to it that no UPN comes twice. Gives what `take_back` needs.
    """
    new: list[tuple[Pupil, list[str]]] = []
    changed: list[tuple[Pupil, list[str]]] = []
    done = []
    for pupil, facts in wanted:
        if facts:
            (new if pupil._state.adding else changed).append((pupil, sorted(facts)))
            done.append(_done(pupil, facts))
    Pupil.objects.bulk_create(pupil for pupil, _ in new)
    # All of the columns of each, so that it is one statement whatever changed.
    Pupil.objects.save_changed((pupil, WRITTEN) for pupil, _ in changed)
    gone = [(pupil, names) for pupil, names in changed if names == ["left_on"] and pupil.left_on]
    still = [(pupil, names) for pupil, names in changed if names != ["left_on"] or not pupil.left_on]
    _record("added a child", new, by=by, at=at)
    _record("changed a child’s details", still, by=by, at=at)
    _record("recorded that a child left", gone, by=by, at=at)
    return done


@transaction.atomic
def write_contacts(wanted: Iterable[tuple[Contact, Facts]], *, by: audit.Actor, at: datetime) -> list[Facts]:
    """Write some columns of each of these contacts; those that are not saved yet are added. As `write_children`."""
    new: list[tuple[Contact, list[str]]] = []
    changed: list[tuple[Contact, list[str]]] = []
    done = []
    for contact, facts in wanted:
        (new if contact._state.adding else changed).append((contact, sorted(facts)))
        done.append({**_done(contact, facts), "child": str(contact.pupil_id)})
    Contact.objects.bulk_create(contact for contact, _ in new)
    Contact.objects.save_changed((contact, OF_CONTACT) for contact, _ in changed)
    _record("added a child’s contact", [(contact.pupil, names) for contact, names in new], by=by, at=at)
    _record("changed a child’s contact", [(contact.pupil, names) for contact, names in changed], by=by, at=at)
    return done


@transaction.atomic
def take_back(school: School, children: list[Facts], contacts: list[Facts], *, by: audit.Actor, at: datetime) -> Left:
    """Undo `write_children` and `write_contacts`, but for what has changed since.

    A child who was added goes, unless something has been recorded about them. Gives what was left, by child's name.
    """
    pupils = {str(pupil.id): pupil for pupil in children_of(school)}
    held = {str(contact.id): contact for contact in contacts_of(school)}
    added = {each["id"]: pupils[each["id"]] for each in children if each["was"] is None and each["id"] in pupils}
    stay = _recorded_since(added, children, contacts, held)
    go = [pupils.pop(id) for id in added if id not in stay]
    # Nothing else is about them. Django would look through every table, and delete in batches.
    _delete(Contact, "pupil_id", [pupil.id for pupil in go])
    _delete(Pupil, "id", [pupil.id for pupil in go])
    _record("took back a child who was added", [(pupil, []) for pupil in go], by=by, at=at)
    left: Left = [(added[id].name, []) for id in stay]
    left += _restore_children([each for each in children if each["was"] and each["id"] in pupils], pupils, by=by, at=at)
    of_others = [each for each in contacts if each["child"] not in added and each["id"] in held]
    return sorted(left + _restore_contacts(of_others, held, by=by, at=at))


def _recorded_since(
    added: dict[str, Pupil], children: list[Facts], contacts: list[Facts], held: dict[str, Contact]
) -> set[str]:
    """Those of the added children about whom anything has been written since, in whatever table."""
    became = {each["id"]: each["became"] for each in (*children, *contacts)}
    found = {id for id, pupil in added.items() if _differing(pupil, became[id])}
    found |= {each["child"] for each in contacts if each["id"] not in held}
    found |= {
        str(contact.pupil_id) for id, contact in held.items() if id not in became or _differing(contact, became[id])
    }
    relations: Any = Pupil._meta.get_fields(include_hidden=True)
    for relation in relations:
        if relation.auto_created and not relation.concrete and relation.related_model is not Contact:
            column = relation.field.attname
            of_these = relation.related_model._default_manager.filter(**{f"{column}__in": list(added)})
            found |= {str(id) for id in of_these.values_list(column, flat=True)}
    return found & set(added)


def _restore_children(done: list[Facts], pupils: dict[str, Pupil], *, by: audit.Actor, at: datetime) -> Left:
    """Give children their columns back. A UPN that another child has meanwhile, and with it the days, stays."""
    numbers = {pupil.upn: id for id, pupil in pupils.items() if pupil.upn and pupil.left_on is None}
    left: Left = []
    restored = []
    for each in done:
        pupil = pupils[each["id"]]
        since = _differing(pupil, each["became"])
        before = {name: _value(pupil, name, value) for name, value in each["was"].items() if name not in since}
        upn, joined_on, left_on = (before.get(name, getattr(pupil, name)) for name in ("upn", "joined_on", "left_on"))
        if (left_on and joined_on > left_on) or (not left_on and numbers.get(upn, each["id"]) != each["id"]):
            before = {name: value for name, value in before.items() if name not in ("upn", "joined_on", "left_on")}
        if missed := [name for name in each["was"] if name not in before]:
            left.append((pupil.name, missed))
        if before:
            _set(pupil, before)
            restored.append((pupil, sorted(before)))
    Pupil.objects.save_changed((pupil, WRITTEN) for pupil, _ in restored)
    _record("took back changes to a child", restored, by=by, at=at)
    return left


def _restore_contacts(done: list[Facts], held: dict[str, Contact], *, by: audit.Actor, at: datetime) -> Left:
    """Take the contacts away that were added, and give the others their columns back."""
    left: Left = []
    away: list[tuple[Pupil, list[str]]] = []
    restored: list[tuple[Contact, list[str]]] = []
    gone = []
    for each in done:
        contact = held[each["id"]]
        since = _differing(contact, each["became"])
        if since:
            left.append((contact.pupil.name, since))
        elif each["was"] is None:
            gone.append(contact.id)
            away.append((contact.pupil, []))
        else:
            _set(contact, each["was"])
            restored.append((contact, sorted(each["was"])))
    _delete(Contact, "id", gone)
    Contact.objects.save_changed((contact, OF_CONTACT) for contact, _ in restored)
    away += [(contact.pupil, names) for contact, names in restored]
    _record("took back a child’s contact", away, by=by, at=at)
    return left


def _delete(model: type[Pupil | Contact], column: str, ids: list[UUID]) -> None:
    execute_count(f"DELETE FROM {model._meta.db_table} WHERE {column} = ANY(%s)", [ids])


def _done(row: Pupil | Contact, facts: Facts) -> Facts:
    """Set the columns, and give what they were; nothing for a row that is new."""
    was = None if row._state.adding else {name: getattr(row, name) for name in facts}
    _set(row, facts)
    return {"id": str(row.id), "was": was, "became": facts}


def _set(row: Pupil | Contact, facts: Facts) -> None:
    for name, value in facts.items():
        setattr(row, name, value)


def _differing(row: Pupil | Contact, became: Facts) -> list[str]:
    return [name for name, value in became.items() if getattr(row, name) != _value(row, name, value)]


def _value(row: Pupil | Contact, name: str, kept: Any) -> Any:
    """A value that was kept as JSON, as its column has it."""
    column: Any = row._meta.get_field(name)
    return column.to_python(kept)


def _record(verb: str, those: Iterable[tuple[Pupil, list[str]]], *, by: audit.Actor, at: datetime) -> None:
    about = [audit.Subject(pupil.id, pupil.school_id, names) for pupil, names in those]
    audit.record_each(verb, about, by=by, at=at, subject_kind="child")
