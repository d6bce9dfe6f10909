"""The whole of a table from a real server: memory does not grow with the rows, and a reader who stops holds nothing."""

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from databases import SUPERUSER, connected
from factories import recorded_policy

from handrail.core.calendar import day_of
from handrail.schools.models import School
from tenants.context import inside
from tenants.database import execute_count

MEGABYTE = 1 << 20

REVIEWS = """
INSERT INTO policies_policyreview
    (id, policy_id, reviewed_on, outcome, involved, changed, recorded_at, recorded_by_name)
SELECT gen_random_uuid(), %s, DATE '1900-01-01' + number, 'no_change', '{}', '', now(), ''
FROM generate_series(%s, %s - 1) AS number
"""

PLANS = """
WITH made AS (
    INSERT INTO schools_pupil (id, school_id, name, known_as, born_on, year_group, class_name, upn, joined_on)
    SELECT gen_random_uuid(), school_id, 'Canary ' || number, '', DATE '2015-01-01', '', '', '', DATE '2020-09-01'
    FROM policies_policy, generate_series(%s, %s - 1) AS number WHERE policies_policy.id = %s
    RETURNING id
)
INSERT INTO plans_healthcareplan (id, pupil_id, stage, told_by, due_on)
SELECT gen_random_uuid(), id, 'active', '', DATE '2031-01-01' FROM made
"""


@pytest.fixture
def fill(live: Any, django_db_blocker: Any, at: Any) -> Callable[[int, int], None]:
    """`fill(0, 2000)` writes so many reviews of a policy, and plans at its school."""
    policies: list[Any] = []

    def write(begin: int, end: int) -> None:
        with django_db_blocker.unblock(), connected(live.database), inside(live.one):
            if not policies:
                policies.append(recorded_policy(School.objects.get(urn="900001"), next_review_on=day_of(at)))
            execute_count(REVIEWS, [policies[0].id, begin, end])
            execute_count(PLANS, [begin, end, policies[0].id])

    return write


def ask(live: Any, path: str) -> socket.socket:
    """Ask for a path, and leave it to the caller to read the answer, of which little is taken unread."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.settimeout(120)
    reader.connect(("127.0.0.1", live.port))
    host = live.site.removeprefix("http://")
    lines = (f"GET {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {live.key}", "Connection: close", "", "")
    reader.sendall("\r\n".join(lines).encode())
    return reader


def size_of(live: Any, path: str) -> int:
    """How many bytes the answer has, read to its end."""
    with ask(live, path) as reader, reader.makefile("rb") as answer:
        assert answer.readline().split()[1] == b"200"
        return sum(len(part) for part in iter(lambda: answer.read(MEGABYTE), b""))


def peak(live: Any) -> int:
    """The most memory that the process which answers has ever held, in bytes."""
    status = Path(f"/proc/{live.worker}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"schools?urn={','.join(['100001'] * 500)}", 200),
        (f"schools?urn={'1' * 8000}", 400),
        (f"schools?urn={'1' * 9000}", 414),
        (f"schools?limit=1 HTTP/1.1\r\nX-Long: {'1' * 9000}\r\nX-Rest:", 431),
    ],
)
def test_what_is_very_long_is_answered_in_problem_details(live: Any, path: str, status: int) -> None:
    with ask(live, f"/api/v1/{path}") as reader, reader.makefile("rb") as answer:
        head, _, body = answer.read().partition(b"\r\n\r\n")
        assert int(head.split()[1]) == status
        if status != 200:
            assert b"Content-Type: application/problem+json" in head
            said = json.loads(body)
            assert (said["status"], len(said["instance"])) == (status, len(f"urn:uuid:{uuid4()}"))
            assert f"X-Request-ID: {said['instance'].removeprefix('urn:uuid:')}".encode() in head


@pytest.mark.parametrize(
    ("path", "few", "many"),
    [
        ("policy-reviews.csv?all=true", 10_000, 40_000),
        ("policy-reviews.xlsx", 2_000, 8_000),
        ("plans.csv?all=true", 10_000, 60_000),
    ],
)
def test_memory_does_not_grow_with_the_rows(live: Any, fill: Any, path: str, few: int, many: int) -> None:
    """The file of the rows that are more would not fit into what it may grow by: nearly 6 MB of reviews as CSV, and the
    ids of those children.
    """
    path = f"/api/v1/{path}"
    fill(0, few)
    small, before = size_of(live, path), peak(live)
    fill(few, many)
    assert size_of(live, path) > 3 * small
    assert peak(live) - before < 4 * MEGABYTE


def test_a_reader_who_stops_half_way_holds_no_transaction(live: Any, fill: Any) -> None:
    fill(0, 40_000)
    with ask(live, "/api/v1/policy-reviews.csv?all=true") as reader:
        begun = reader.recv(4096)
        assert begun.startswith(b"HTTP/1.1 200")
        length = int(re.findall(rb"Content-Length: (\d+)", begun)[0])
        assert length > 5 * MEGABYTE
        with psycopg.connect(SUPERUSER, dbname=live.database, autocommit=True) as admin:
            open_ones = "SELECT query FROM pg_stat_activity WHERE datname = %s AND xact_start IS NOT NULL AND pid <> %s"
            assert admin.execute(open_ones, (live.database, admin.info.backend_pid)).fetchall() == []
        assert size_of(live, "/api/v1/schools.csv") < MEGABYTE
        reader.settimeout(5)
        assert len(reader.recv(4096)) > 0
