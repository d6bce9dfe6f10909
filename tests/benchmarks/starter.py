"""Importing a starter spreadsheet of 2,000 rows and undoing it, against writing one review at a time."""

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
from handrail.imports.models import FileImport
from handrail.imports.starter_file import HEADINGS
from handrail.policies.actions import record_review
from handrail.policies.models import SCHOOL_KINDS, Policy, PolicyReview
from handrail.schools.models import School
from tenants.context import inside
from tenants.routing import Authority, authorities
from workflows.register import work_on_next_file

SCHOOLS, SAMPLE = 1000, 50
KINDS = SCHOOL_KINDS[:2]
REVIEWED_ON = date(2026, 9, 1)


def spreadsheet() -> bytes:
    """Two rows for each school: its office, a lead who can sign in afterwards, a day of review and an address."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    for n in range(SCHOOLS):
        people = [f"office@s{n}.example", f"Lead {n}", f"lead@s{n}.example"]
        for kind in KINDS:
            writer.writerow(
                [930000 + n, "", *people, kind.label, f"{REVIEWED_ON:%d/%m/%Y}", f"https://s{n}.example/{kind}"]
            )
    return out.getvalue().encode()


def brought(authority: Authority, by: User) -> list[float]:
    """How long the worker takes to check the spreadsheet, to import it and to undo it."""
    taken = []
    with inside(authority):
        file = actions.upload(
            kind=FileImport.Kind.STARTER, file=io.BytesIO(spreadsheet()), name="ours.csv", by=by, at=datetime.now(UTC)
        )
    for step in (lambda: None, confirm, ask_to_undo):
        with inside(authority):
            if step in (confirm, ask_to_undo):
                step(FileImport.objects.get(id=file.id), by)
        taken.append(timed(lambda: work_on_next_file(authority)))
    with inside(authority):
        file = FileImport.objects.get(id=file.id)
        assert (file.state, file.left) == (FileImport.State.UNDONE, []), file.refusal
    return taken


def confirm(file: FileImport, by: User) -> None:
    assert (file.state, file.counts["reviews"]) == (FileImport.State.CHECKED, SCHOOLS * len(KINDS)), file.refusal
    actions.confirm(file=file, has_understood=True, by=by, at=datetime.now(UTC))


def ask_to_undo(file: FileImport, by: User) -> None:
    assert PolicyReview.objects.count() == SCHOOLS * len(KINDS)
    actions.ask_to_undo(file=file, by=by, at=datetime.now(UTC))


def one_by_one(authority: Authority, by: User) -> float:
    """How long a review takes when each is recorded by itself; it is undone afterwards."""
    with inside(authority):
        some = list(Policy.objects.of_schools()[:SAMPLE])

        def record() -> None:
            for policy in some:
                record_review(
                    policy=policy,
                    by=by,
                    at=datetime.now(UTC),
                    reviewed_on=REVIEWED_ON,
                    outcome=PolicyReview.Outcome.NEW,
                )

        taken = timed(record)
        PolicyReview.objects.all().delete()
        Policy.objects.update(last_reviewed_on=None, next_review_on=None)
    return taken / SAMPLE


def main(say: Callable[[str], None]) -> None:
    with scratch("bench_starter") as database, connected(database), tempfile.TemporaryDirectory() as folder:
        settings.DOCUMENT_BUCKET, settings.DOCUMENT_STORE = "", Path(folder)
        authority, at = authorities()[0], datetime.now(UTC)
        with inside(authority):
            officer = person("bench@barsetshire.example", Role.POLICY_OFFICER, at=at - timedelta(days=1))
            School.objects.bulk_create(
                SchoolFactory.build(urn=f"{930000 + n}", lead_name="", lead_email="") for n in range(SCHOOLS)
            )
        rounds = [[*brought(authority, officer), one_by_one(authority, officer)] for _ in range(3)]
        checked, imported, undone, single = (median(each) for each in zip(*rounds, strict=True))
        rows = SCHOOLS * len(KINDS)
        say(f"{rows:,} rows: checked in {checked:.1f} s, imported in {imported:.1f} s, undone in {undone:.1f} s")
        say(
            f"importing takes {imported / rows * 1e3:.1f} ms a row with its lead and contacts; one review recorded by "
            f"itself {single * 1e3:.1f} ms"
        )
