"""The day guidance changes: a new edition is read and checked, and all of 24,500 schools that answered the old one are
judged by it. All of them are in one authority here, so that it is one statement for each question.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from databases import as_superuser, connected, scratch
from django.db import connection
from django.test.utils import CaptureQueriesContext
from editions import ADDED, new_edition
from factories import SchoolFactory
from measuring import seconds

from handrail.core.calendar import day_of
from handrail.guidance import published
from handrail.guidance.published import editions, framework
from handrail.guidance.reading import TEXTS
from handrail.policies.actions import open_policies
from handrail.policies.models import Policy
from handrail.returns.board import board
from handrail.returns.models import Cycle, Return
from handrail.returns.questions import digest_of
from handrail.returns.standing import sections_of
from handrail.schools.models import School
from tenants.context import inside
from tenants.database import execute_count
from tenants.routing import authorities

SCHOOLS, LONGEST = 24_500, 60
FRAMEWORK = "SPMC-2015"
CHANGED = 3

ANSWERS = """
INSERT INTO returns_answer (id, returned_id, requirement_id, digest, verdict, reason, evidence, evidence_page,
    evidence_url, answered_at, answered_by_name)
SELECT gen_random_uuid(), returned.id, asked.id, asked.digest,
    CASE WHEN hashtext(returned.id::text || asked.id) %% 17 = 0 THEN 'no' ELSE 'yes' END,
    CASE asked.place %% 2 WHEN 0 THEN '' ELSE 'A reason' END, '', '', '', submitted_at, ''
FROM returns_return returned, unnest(%s::text[], %s::text[]) WITH ORDINALITY asked (id, digest, place)
"""


def fill(at: datetime) -> Cycle:
    """Every school with its policies and a whole return."""
    on = day_of(at)
    schools = [SchoolFactory.build(urn=f"{100000 + n}", name=f"Invented School {n}") for n in range(SCHOOLS)]
    School.objects.bulk_create(schools, batch_size=5000)
    open_policies(on=on, at=at)
    Policy.objects.of_schools().update(last_reviewed_on=on, next_review_on=on + timedelta(days=365), lead_name="A Lead")
    cycle = Cycle.objects.create(
        school_year=2026,
        framework_ids=[FRAMEWORK],
        opened_on=on,
        due_on=on + timedelta(days=60),
        closes_on=on + timedelta(days=90),
    )
    asked = framework(FRAMEWORK).of("maintained_school")
    alike = digest_of(asked)
    Return.objects.bulk_create(
        (Return(cycle=cycle, school=school, number=1, asked=alike, submitted_at=at) for school in schools),
        batch_size=5000,
    )
    execute_count(ANSWERS, [[each.id for each in asked], [each.digest for each in asked]])
    return cycle


def main(say: Callable[[str], None]) -> None:
    at = datetime.now(UTC)
    on = day_of(at)
    with scratch("bench_guidance") as database, connected(database), TemporaryDirectory() as place:
        authority = authorities()[0]
        with inside(authority):
            cycle = fill(at)
        with as_superuser(database) as admin:
            admin.execute("ANALYZE")
        folder = copytree(TEXTS, Path(place) / "texts")
        new_edition(folder, FRAMEWORK, changed=CHANGED, added=ADDED)
        published.TEXTS = folder
        try:
            read = seconds(lambda: (editions.cache_clear(), editions()))
            with inside(authority), CaptureQueriesContext(connection) as captured:
                school = School.objects.select_related(None).first()
                before = len(captured)
                found = board(cycle, on=on)
                asked = len(captured) - before
                judging = seconds(lambda: board(cycle, on=on))
                exposed = sum(any(rule.rule == "N2" for rule in each.found) for each in found)
                open_points = sum(point.answer is None for each in sections_of(cycle, school) for point in each.points)
        finally:
            published.TEXTS = TEXTS
            editions.cache_clear()
        say(f"{SCHOOLS:,} schools with 82 answers each; {CHANGED} requirements say something else, one is new")
        say(f"reading and checking the texts {read:.2f} s; judging every school anew {judging:.2f} s, {asked} queries")
        assert (exposed, open_points) == (SCHOOLS, CHANGED + 1), (exposed, open_points)
        say(f"together {read + judging:.1f} s (limit {LONGEST}); {open_points} points are open at each school")
