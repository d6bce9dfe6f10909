"""What changed, read by a program while others write: none is missed, in whatever order transactions commit."""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from databases import SUPERUSER, connected, drop, let_others_end
from django.db import connections
from factories import SchoolFactory, recorded_policy
from psycopg import conninfo

from handrail.config.env import read_env
from handrail.guidance.published import framework
from handrail.overview.month_ends import take_month_ends
from handrail.policies.models import Policy
from handrail.reporting.history import epoch
from handrail.reporting.models import Change, History
from handrail.returns.actions import Wanted, open_cycle, save_answers, submit
from handrail.returns.rules import CRITERIA
from handrail.schools.models import School
from tenants.context import inside
from tenants.database.cluster import grant_connect

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "side"])

RENAME = "UPDATE schools_school SET name = %s WHERE urn = %s"


@pytest.fixture
def writer(one: Any) -> Callable[..., Any]:
    """`with writer() as other:` is another connection, in a transaction that the test commits when it likes."""

    @contextmanager
    def open_one() -> Iterator[psycopg.Connection]:
        with psycopg.connect(SUPERUSER, dbname=connections["default"].settings_dict["NAME"]) as other:
            other.execute(f'SET search_path TO "{one.schema_name}"')
            other.commit()
            yield other

    return open_one


class Reader:
    """A program that keeps a copy of a table by asking what changed."""

    def __init__(self, read: Any, table: str) -> None:
        self.read, self.path = read, f"/api/v1/{table}/changes"
        self.cursor: dict[str, str] = {}
        self.rows: dict[str, Any] = {}

    def catch_up(self, limit: int = 1000) -> list[str]:
        """Ask until there is no more; give the names or ids of what came."""
        came = []
        let_others_end()
        while True:
            answer = self.read(self.path, limit=limit, **self.cursor)
            assert answer.status_code == 200, answer.content
            told = json.loads(answer.content)
            self.rows |= {row["id"]: row for row in told["data"]}
            for gone in told["removed"]:
                assert gone["deleted_at"].endswith("Z")
                self.rows.pop(gone["id"], None)
            came += [row.get("school_name", row["id"]) for row in told["data"]] + [
                each["id"] for each in told["removed"]
            ]
            self.cursor = {"cursor": told["page"]["next_cursor"]}
            if not told["page"]["has_more"]:
                return came


class TestWhatChanged:
    def test_is_whole_although_transactions_commit_out_of_order(self, cast, read, writer):
        reader = Reader(read, "schools")
        assert sorted(reader.catch_up()) == ["Elm School", "Oak School"]
        assert reader.catch_up() == []
        tag = read("/api/v1/schools")["ETag"]
        with writer() as first, writer() as second:
            first.execute(RENAME, ["First", "900001"])
            second.execute(RENAME, ["Second", "900002"])
            second.commit()
            assert reader.catch_up() == []
            meanwhile = read("/api/v1/schools")["ETag"]
            first.commit()
        assert reader.catch_up() == ["First", "Second"]
        assert len({tag, meanwhile, read("/api/v1/schools")["ETag"]}) == 3
        assert reader.catch_up() == []

    def test_comes_again_when_an_older_transaction_writes_it_later(self, cast, read, writer):
        reader = Reader(read, "schools")
        reader.catch_up()
        with writer() as first, writer() as second:
            first.execute(RENAME, ["Elm", "900002"])
            second.execute(RENAME, ["By the second", "900001"])
            second.commit()
            first.execute(RENAME, ["By the first", "900001"])
            assert reader.catch_up() == []
            first.commit()
        assert sorted(reader.catch_up()) == ["By the first", "Elm"]

    def test_has_what_can_only_be_added_to(self, cast, one, on, at, read):
        readers = [Reader(read, name) for name in ("answers", "policy-months")]
        assert [reader.catch_up() for reader in readers] == [[], []]
        points = {each.id: Wanted("yes") for each in framework(CRITERIA).requirements}
        about = {"school": cast.oak, "by": cast.head, "at": at}
        with inside(one):
            recorded_policy(cast.oak, next_review_on=on)
            cycle = open_cycle(
                school_year=2026, framework_ids=[CRITERIA], due_on=on, closes_on=on + timedelta(days=9),
                by=cast.officer, at=at,
            )  # fmt: skip
            save_answers(
                answers={each.id: Wanted("yes") for each in framework(CRITERIA).requirements}, cycle=cycle, **about
            )
            submit(cycle=cycle, **about)
            take_month_ends(on=on, at=at)
        assert [len(reader.catch_up()) for reader in readers] == [9, 1]
        assert {row["requirement_id"] for row in readers[0].rows.values()} == set(points)
        assert [reader.catch_up() for reader in readers] == [[], []]

    def test_names_what_was_removed(self, cast, one, on, read):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on)
        reader = Reader(read, "policies")
        assert str(policy.id) in reader.catch_up()
        with inside(one):
            Policy.objects.filter(id=policy.id).delete()
        assert reader.catch_up() == [str(policy.id)]
        assert str(policy.id) not in reader.rows

    def test_is_read_anew_when_the_authority_is_called_something_else(self, cast, two, read, in_register):
        """Which stands in every row of a school, and is noted with none of them."""
        readers = [Reader(read, name) for name in ("schools", "policies")]
        for reader in readers:
            reader.catch_up()
        in_register("001", "E06000001")
        assert read(readers[0].path, **readers[0].cursor).status_code == 410
        assert readers[1].catch_up() == []
        readers[0].cursor = {}
        readers[0].catch_up()
        assert {row["new_la_code"] for row in readers[0].rows.values()} == {"E06000001"}
        assert readers[0].catch_up() == []

    def test_is_read_page_by_page(self, cast, one, read):
        with inside(one):
            SchoolFactory.create_batch(7)
        reader = Reader(read, "schools")
        assert len(reader.catch_up(limit=2)) == 9

    def test_is_a_faithful_copy_after_many_writers_at_once(self, cast, one, read, writer):
        """Each writes in a transaction that stays open for a while, and some undo what they did."""
        with inside(one):
            urns = [school.urn for school in SchoolFactory.create_batch(12)]
        reader, chance = Reader(read, "schools"), random.Random(7)
        plans = [
            [(chance.choice(urns), chance.random() / 50, chance.random() < 0.2) for _ in range(12)] for _ in "abcd"
        ]

        def write(plan: list[tuple[str, float, bool]]) -> None:
            with writer() as other:
                for number, (urn, seconds, is_undone) in enumerate(plan):
                    other.execute(RENAME, [f"{id(plan)} {number}", urn])
                    other.execute("SELECT pg_sleep(%s)", [seconds])
                    other.rollback() if is_undone else other.commit()

        with ThreadPoolExecutor(4) as writers:
            working = [writers.submit(write, plan) for plan in plans]
            while not all(each.done() for each in working):
                reader.catch_up(limit=3)
            for each in working:
                each.result()
        reader.catch_up()
        with inside(one):
            there = dict(School.objects.values_list("urn", "name"))
        assert {row["urn"]: row["school_name"] for row in reader.rows.values()} == there


@pytest.fixture
def dumped(tmp_path: Path) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """`with dumped() as restored:` is the name of a database into which a dump of the test's own was restored."""
    programs = Path(read_env().pg_dump).parent
    here, there, file = connections["default"].settings_dict["NAME"], f"restored_{os.getpid()}", tmp_path / "dump"

    def run(program: str, database: str, *arguments: Any) -> None:
        login = conninfo.make_conninfo(SUPERUSER, dbname=database)
        subprocess.run([programs / program, f"--dbname={login}", *arguments], check=True)

    @contextmanager
    def restore() -> Iterator[str]:
        run("pg_dump", here, "--format=custom", f"--file={file}")
        with psycopg.connect(SUPERUSER, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {there} OWNER handrail_owner TEMPLATE template0")
            try:
                run("pg_restore", there, file)
                grant_connect(admin, there)
                yield there
            finally:
                drop(there)

    return restore


class TestAfterADumpWasRestored:
    """Into the same cluster, in which the numbers of transactions go on, or into one in which they are lower."""

    AHEAD = 1_000_000_000

    @pytest.mark.parametrize("ahead", [0, AHEAD], ids=["the same cluster", "another cluster"])
    def test_readers_begin_anew_and_miss_nothing(self, cast, one, read, writer, dumped, ahead):
        reader = Reader(read, "schools")
        reader.catch_up()
        tag = read("/api/v1/schools")["ETag"]
        with writer() as other:
            other.execute("UPDATE reporting_change SET transaction = transaction + %s", [ahead])
        with dumped() as restored, connected(restored):
            answer = read(reader.path, **reader.cursor)
            assert answer.status_code == 410, answer.content
            assert json.loads(answer.content)["errors"][0]["code"] == "expired_cursor"
            reader.cursor = {}
            assert sorted(reader.catch_up()) == ["Elm School", "Oak School"]
            assert reader.catch_up() == []
            assert read("/api/v1/schools")["ETag"] not in (tag, None)
            with inside(one):
                School.objects.filter(urn="900001").update(name="Oak Academy")
            assert reader.catch_up() == ["Oak Academy"]
            settled = read("/api/v1/schools")["ETag"]
            assert read("/api/v1/schools", head_If_None_Match=settled).status_code == 304

    def test_two_who_read_first_begin_one_history(self, cast, one, writer):
        with inside(one):
            noted = Change.objects.count()
        with writer() as other, ThreadPoolExecutor(2) as readers:
            other.execute(RENAME, ["Elm", "900002"])
            begun = [readers.submit(epoch_of, one) for _ in "ab"]
            other.execute(RENAME, ["Elm again", "900002"])
            other.commit()
            assert len({each.result() for each in begun}) == 1
        with inside(one):
            assert History.objects.count() == 1
            assert Change.objects.filter(transaction=0).count() == noted


def epoch_of(authority: Any) -> str:
    try:
        with inside(authority):
            return epoch()
    finally:
        connections.close_all()
