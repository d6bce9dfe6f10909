"""Importing a school's list of 2,000 children with 40 bad rows and undoing it, against adding one child at a time."""

import csv
import io
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from databases import connected, scratch
from django.conf import settings
from factories import SchoolFactory, person
from measuring import timed

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.imports import actions
from handrail.imports.children_file import HEADINGS
from handrail.imports.models import FileImport
from handrail.schools.actions import add_contact, add_pupil
from handrail.schools.models import Pupil, School
from tenants.context import inside
from tenants.routing import Authority, authorities
from workflows.register import work_on_next_file

CHILDREN, BAD, SAMPLE = 2_000, 40, 50


def a_list() -> bytes:
    """Each child with a class and a contact; the last ones with a date of birth that never was."""
    out = io.StringIO()
    sheet = csv.DictWriter(out, HEADINGS)
    sheet.writeheader()
    for n in range(CHILDREN):
        sheet.writerow(
            {
                "Name": f"Child {n}",
                "Date of birth": f"{1 + n % 28:02}/05/2016" if n < CHILDREN - BAD else "31/02/2016",
                "Class": f"Class {n % 60}",
                "Contact 1 name": f"Parent {n}",
                "Contact 1 phone": "01632 960001",
                "Contact 1 parental responsibility": "yes",
            }
        )
    return out.getvalue().encode()


def brought(authority: Authority, school: School, by: User) -> list[float]:
    """How long the worker takes to check the list, to import it and to undo it."""
    taken = []
    with inside(authority):
        file = actions.upload_children(school=school, file=io.BytesIO(a_list()), by=by, at=datetime.now(UTC))
    for decide in (None, confirm, actions.ask_to_undo):
        if decide:
            with inside(authority):
                decide(file=FileImport.objects.get(id=file.id), by=by, at=datetime.now(UTC))
        taken.append(timed(lambda: work_on_next_file(authority)))
    with inside(authority):
        file = FileImport.objects.get(id=file.id)
        assert (file.state, file.left, Pupil.objects.count()) == (FileImport.State.UNDONE, [], 0), file.refusal
    return taken


def confirm(*, file: FileImport, by: User, at: datetime) -> None:
    assert (file.counts["new"], file.counts["skipped"]) == (CHILDREN - BAD, BAD), file.refusal
    actions.confirm(file=file, has_understood=True, by=by, at=at)


def one_by_one(authority: Authority, school: School, by: User) -> float:
    """How long a child takes when each is added by itself, with a contact; they are taken away afterwards."""

    def add() -> None:
        for n in range(SAMPLE):
            at = datetime.now(UTC)
            pupil = add_pupil(
                school=school, by=by, at=at, name=f"Child {n}", born_on=date(2016, 5, 1), joined_on=date(2026, 9, 1)
            )
            add_contact(pupil=pupil, place=1, by=by, at=at, name=f"Parent {n}", phone="01632 960001")

    with inside(authority):
        taken = timed(add)
        Pupil.objects.all().delete()
    return taken / SAMPLE


def main(say: Callable[[str], None]) -> None:
    with scratch("bench_children") as database, connected(database), tempfile.TemporaryDirectory() as folder:
        settings.DOCUMENT_BUCKET, settings.DOCUMENT_STORE = "", Path(folder)
        authority, at = authorities()[0], datetime.now(UTC)
        with inside(authority):
            school = SchoolFactory(urn="930000")
            head = person("bench@oak.example", Role.SCHOOL_LEAD, school=school, at=at - timedelta(days=1))
        rounds = [[*brought(authority, school, head), one_by_one(authority, school, head)] for _ in range(3)]
        checked, imported, undone, single = (median(each) for each in zip(*rounds, strict=True))
        say(
            f"{CHILDREN:,} children, {BAD} of them in bad rows: checked in {checked:.1f} s, "
            f"imported in {imported:.1f} s, undone in {undone:.1f} s"
        )
        say(
            f"importing takes {imported / (CHILDREN - BAD) * 1e3:.1f} ms a child with a contact; one added by itself "
            f"{single * 1e3:.1f} ms"
        )
