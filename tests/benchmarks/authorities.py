"""England's 153 authorities: making one, asking which are behind, and the nightly owing for 24,500 schools."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from databases import as_superuser, connected, scratch
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from measuring import seconds, side_by_side, timed

from handrail.core.calendar import day_of
from handrail.core.models import AuthoritySettings
from handrail.notices.models import Notice
from handrail.policies.actions import open_policies
from handrail.policies.reminders import owe_review_reminders, watched
from tenants.actions import create_authority, schemas_behind
from tenants.context import inside
from tenants.database import execute
from tenants.database.privileges import create_role, grant_privileges
from tenants.models import LocalAuthority, new_schema_name
from tenants.routing import Authority, authorities

ENGLAND = Path(__file__).parent.parent / "data" / "england_las.csv"
SCHOOLS = 24_500
SAMPLE = 5
LEAST_TIMES, MOST_SECONDS = 10, 0.2

FILL = """
INSERT INTO schools_school (id, urn, name, establishment_number, type_code, type_name, body, phase_name,
    is_proposed_to_close, trust_name, street, town, postcode, website, joined_on,
    office_email, lead_name, lead_email, head_name, head_email)
SELECT gen_random_uuid(), (200000 + n)::text, 'Invented School ' || n, '', 1, 'Community school', 'maintained_school',
    'Primary', false, '', '', '', '', '', %(on)s - 130,
    'office@s' || n || '.example', 'Lee Lead', 'lead@s' || n || '.example', '', 'head@s' || n || '.example'
FROM generate_series(1, %(schools)s) n
"""
DATES = """
UPDATE policies_policy p SET last_reviewed_on = due - 365, next_review_on = due
FROM (SELECT id, %(on)s - 60 + (row_number() OVER (ORDER BY id) * 61 %% 425)::int AS due FROM policies_policy) each
WHERE each.id = p.id
"""


# -- making an authority, and asking which are behind -------------------------------------------------------


def by_template(number: int) -> None:
    create_authority(code=f"{number}", name=f"Loamshire {number}", host=f"l{number}.localhost")


def by_migrations(_number: int) -> None:
    """The same schema, role and rights, as django-tenants makes them."""
    schema = new_schema_name()
    with transaction.atomic(), connection.cursor() as cursor:
        create_role(cursor, schema)
        cursor.execute(f"CREATE SCHEMA {schema}")
    call_command("migrate_schemas", schema_name=schema, verbosity=0)
    connection.set_schema_to_public()  # type: ignore[attr-defined]
    with transaction.atomic(), connection.cursor() as cursor:
        grant_privileges(cursor, schema)


def make_england() -> None:
    """Every authority that is not there yet."""
    there = LocalAuthority.objects.count()
    with ENGLAND.open(newline="") as file:
        wanted = [(f"{row['dfe_code']:>03}", row["name"]) for row in csv.DictReader(file)]
    for number, (code, name) in enumerate(wanted[there:]):
        create_authority(code=code, name=name, host=f"e{number}.localhost")


def say_making(say: Callable[[str], None], database: str) -> None:
    numbers = count(900)
    with connected(database, "owner"):
        ours, theirs = side_by_side(
            lambda: timed(lambda: by_template(next(numbers))), lambda: timed(lambda: by_migrations(next(numbers)))
        )
        say(
            f"an authority from the template's text {ours:.2f} s, by migrations {theirs:.2f} s: "
            f"{theirs / ours:.0f} times as fast (at least {LEAST_TIMES})"
        )
        make_england()
        there = LocalAuthority.objects.count()
        assert schemas_behind() == []
        one = LocalAuthority.objects.filter(code="001")
        one.update(schema_version=F("schema_version") - 1)
        assert len(schemas_behind()) == 1
        taken = seconds(schemas_behind)
        one.update(schema_version=F("schema_version") + 1)
        say(f"which of {there} authorities are behind: {taken:.3f} s (at most {MOST_SECONDS})")


# -- the nightly owing --------------------------------------------------------------------------------------


def fill(authority: Authority, schools: int, at: datetime) -> None:
    """Schools with leads, and policies that fall due over a year; a seventh of them within 60 days."""
    on = day_of(at)
    with inside(authority):
        execute(FILL, {"on": on, "schools": schools})
        open_policies(on=on, at=at)
        execute(DATES, {"on": on})


def forget_what_was_owed(database: str, those: list[Authority]) -> None:
    with as_superuser(database) as admin:
        for authority in those:
            admin.execute(
                f"TRUNCATE {authority.schema_name}.notices_notice, {authority.schema_name}.notices_sweep CASCADE"
            )


def owe(those: list[Authority], at: datetime) -> int:
    """What the clock does each night, in one process. Gives the number of messages owed."""
    owed = 0
    for authority in those:
        with inside(authority):
            owed += owe_review_reminders(on=day_of(at), at=at).owed
    return owed


def owe_one_by_one(those: list[Authority], at: datetime) -> int:
    """The same as it is usually written: each policy is looked at, and its newest step got or created."""
    on, owed = day_of(at), 0
    for authority in those:
        with inside(authority):
            settings = AuthoritySettings.load()
            for policy in watched().select_related("school"):
                step = newest_step(policy.next_review_on, on, settings) if policy.next_review_on else None
                if step is None or policy.school is None:
                    continue
                name, step_on, wording = step
                _, is_new = Notice.objects.get_or_create(
                    subject_kind="policy",
                    subject_id=policy.id,
                    cycle=policy.next_review_on.isoformat(),
                    step=name,
                    recipient=policy.lead_email or policy.school.lead_email or policy.school.office_email,
                    defaults={
                        "school_id": policy.school_id,
                        "step_on": step_on,
                        "recipient_role": "lead",
                        "wording": wording,
                        "owed_at": at,
                        "not_before": at,
                    },
                )
                owed += is_new
    return owed


def newest_step(due: date, on: date, settings: AuthoritySettings) -> tuple[str, date, str] | None:
    times = (on - due).days // settings.overdue_every_days
    if times > 0:
        return f"overdue-{times}", due + timedelta(days=times * settings.overdue_every_days), "policy_overdue"
    begun = [days for days in settings.reminder_days_before if due - timedelta(days=days) <= on]
    return (f"before-{min(begun)}", due - timedelta(days=min(begun)), "policy_due") if begun else None


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """How many statements run meanwhile, by their first words; those that write messages as `owing`."""
    found: Counter[str] = Counter()

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        found["all"] += 1
        found["owing"] += "INSERT INTO notices_notice" in sql
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield found


def say_owing(say: Callable[[str], None], database: str) -> None:
    at = datetime.now(UTC)
    with connected(database):
        everybody = authorities()
        each = SCHOOLS // len(everybody)
        for number, authority in enumerate(everybody):
            fill(authority, each + (number < SCHOOLS % len(everybody)), at)
        with as_superuser(database) as admin:
            admin.execute("ANALYZE")
        with counted() as statements:
            owed = owe(everybody, at)
            assert owe(everybody, at) == 0
        taken = seconds(lambda: owe(everybody, at), before=lambda: forget_what_was_owed(database, everybody))
        say(
            f"the nightly owing for {len(everybody)} authorities and {SCHOOLS:,} schools: {taken:.1f} s, "
            f"{owed:,} messages, {statements['owing'] / 2 / len(everybody):.0f} owing statements an authority "
            f"(two rules), {statements['all'] / 2 / len(everybody):.0f} statements in all"
        )
        some = everybody[:SAMPLE]
        counts: dict[str, int] = {}

        def measured(work: Callable[[list[Authority], datetime], int]) -> float:
            forget_what_was_owed(database, some)
            return timed(lambda: counts.update({work.__name__: work(some, at)}))

        ours, theirs = side_by_side(lambda: measured(owe), lambda: measured(owe_one_by_one))
        say(
            f"{SAMPLE} of them: {ours:.2f} s for {counts['owe']:,} messages; get_or_create for each policy "
            f"{theirs:.2f} s for {counts['owe_one_by_one']:,}: {theirs / ours:.0f} times as fast"
        )


def main(say: Callable[[str], None]) -> None:
    with scratch("bench_authorities") as database:
        say_making(say, database)
        say_owing(say, database)
