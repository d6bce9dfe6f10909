"""L01-L20: every way we know in which one authority's rows could reach another.

Each probe runs twice. With the wall it must end in *denied* or *own rows*. Without it the same probe must read the
other authority's canary: one that passes either way would prove nothing.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, connections, transaction
from django.db.utils import OperationalError
from isolation.probing import PROBES, Ground, On, Probe, Roleless, answer, ground, probe

from handrail.core.models import Document
from handrail.schools.models import School
from tenants.errors import WallError


@pytest.fixture
def django_connections(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # cursors that outlive their door
@pytest.mark.usefixtures("django_connections")
class TestProbes:
    @pytest.mark.parametrize("each", PROBES, ids=str)
    def test_ends_in_denied_or_own_rows(self, each: Probe, apart: str) -> None:
        with ground(On, apart) as on:
            assert on.canaries[each.foreign] not in answer(each, on)
            on.patch.undo()
            for name, authority in (("one", on.one), ("two", on.two)):
                with on.inside(authority):
                    assert set(on.names()) <= {on.canaries[name]}, "the next door is not healthy"

    @pytest.mark.parametrize("each", PROBES, ids=str)
    def test_reads_the_other_authority_without_the_wall(self, each: Probe, apart: str) -> None:
        with ground(each.off, apart) as off:
            assert off.canaries[each.foreign] in answer(each, off)

    def test_a_binding_is_really_cancelled(self, apart: str) -> None:
        with ground(On, apart) as on:
            on.wall.bind_slowly(on.patch)
            with (
                pytest.raises(OperationalError) as cancelled,
                on.cancelling_the_next_sleep(),
                on.inside(on.two),
            ):
                pass
            assert cancelled.value.__cause__.sqlstate == "57014"
            assert connection.authority is None


# -- the binding ------------------------------------------------------------------------------------------


@probe("L01")
def the_binding_is_cancelled(on: Ground) -> Any:
    with on.inside(on.one):
        on.names()
    on.wall.bind_slowly(on.patch)
    with on.cancelling_the_next_sleep(), on.inside(on.two):
        return on.names()


@probe("L13")
def a_schema_that_does_not_exist(on: Ground) -> Any:
    with on.with_a_namesake_in_public(), on.inside(replace(on.two, schema_name="la_00000000")):
        return list(Document.objects.values_list("name", flat=True))


@probe("L19")
def nobody_is_bound(on: Ground) -> Any:
    with on.inside(on.one):
        on.names()
    return on.names()


# -- things made in one and used in two --------------------------------------------------------------------


@probe("L02")
def a_raw_cursor_of_one(on: Ground) -> Any:
    with on.inside(on.one):
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
    with on.inside(on.two):
        cursor.execute("SELECT name FROM schools_school")
        return cursor.fetchall()


@probe("L03", foreign="two")
def a_queryset_of_one(on: Ground) -> Any:
    with on.inside(on.one):
        asked = School.objects.values_list("name", flat=True)
    with on.inside(on.two):
        return list(asked)


@probe("L03")
def a_queryset_of_one_outside_its_door(on: Ground) -> Any:
    with on.inside(on.one):
        asked = School.objects.values_list("name", flat=True)
    return list(asked)


@probe("L04", foreign="two")
def a_reverse_relation(on: Ground) -> Any:
    with on.inside(on.one):
        school = on.school()
    with on.inside(on.two):
        return [each.lead_name for each in school.policies.all()]


@probe("L04", foreign="two")
def a_forward_relation(on: Ground) -> Any:
    with on.inside(on.one):
        policy = on.policy()
    with on.inside(on.two):
        return policy.school.name


@probe("L04", foreign="two")
def a_deferred_column(on: Ground) -> Any:
    with on.inside(on.one):
        school = School.objects.only("id").get(id=on.school_id)
    with on.inside(on.two):
        return school.name


@probe("L04", foreign="two")
def a_refresh(on: Ground) -> Any:
    with on.inside(on.one):
        school = on.school()
    with on.inside(on.two):
        school.refresh_from_db()
        return school.name


@probe("L04")
def a_save(on: Ground) -> Any:
    with on.inside(on.one):
        school = on.school()
    with on.inside(on.two):
        school.save()
        return on.names()


@probe("L04", foreign="two")
def a_delete(on: Ground) -> Any:
    with on.inside(on.one):
        policy = on.policy()
    with on.inside(on.two):
        policy.delete()
        return [] if on.names() and _policies(on) else f"the row of {on.canaries['two']} was deleted"


def _policies(on: Ground) -> list[Any]:
    return on.sql("SELECT 1 FROM policies_policy")


@probe("L17")
def a_cursor_of_the_driver(on: Ground) -> Any:
    with on.inside(on.one):
        on.names()
    with on.inside(on.two):
        return connection.connection.execute("SELECT name FROM schools_school").fetchall()


@probe("L17")
def a_cursor_held_over_the_commit(on: Ground) -> Any:
    with on.inside(on.one):
        on.sql("DECLARE kept CURSOR WITH HOLD FOR SELECT name FROM schools_school")
    with on.inside(on.two):
        return on.sql("FETCH ALL FROM kept")


@probe("L18")
def rows_that_one_had_begun_to_read(on: Ground) -> Any:
    with on.inside(on.one):
        rows = School.objects.iterator(chunk_size=10)
        next(rows)
    with on.inside(on.two):
        return next(rows).name


@probe("L18")
def rows_that_one_had_not_fetched_yet(on: Ground) -> Any:
    with on.inside(on.one):
        rows = School.objects.values_list("name", flat=True).iterator(chunk_size=1)
        next(rows)
    with on.inside(on.two):
        return next(rows)


# -- threads ----------------------------------------------------------------------------------------------


@probe("L05")
def a_new_thread(on: Ground) -> Any:
    def read() -> Any:
        return list(Document.objects.values_list("name", flat=True))

    with on.with_a_namesake_in_public(), on.inside(on.two):
        return on.in_a_thread(read)


@probe("L06")
def a_pool_thread_that_one_used_last(on: Ground) -> Any:
    def read_in_one() -> None:
        with on.inside(on.one):
            on.names()

    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(read_in_one).result()
            with on.inside(on.two):
                return pool.submit(on.names).result()
        finally:
            pool.submit(connections.close_all).result()


@probe("L06")
def a_decorator_that_two_threads_share(on: Ground) -> Any:
    """The first thread stands in two; while it runs decorated code, another runs it from within one."""
    entered, other_has_left = Event(), Event()

    @on.wall.decorator(on.one)
    def decorated(first: bool) -> None:
        if first:
            entered.set()
            other_has_left.wait(5)

    def first() -> Any:
        with on.inside(on.two):
            decorated(True)
            return on.names()

    def other() -> None:
        entered.wait(5)
        try:
            with on.inside(on.one):
                decorated(False)
        finally:
            other_has_left.set()
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        try:
            pool.submit(other)
            return pool.submit(first).result()
        finally:
            entered.set()
            pool.submit(connections.close_all).result()


@probe("L07", off=Roleless)
def the_cache_of_content_types(on: Ground) -> Any:
    add = "INSERT INTO {{one}}.django_content_type (id, app_label, model) VALUES (9999, 'probe', '{}')"
    ContentType.objects.clear_cache()
    try:
        with on.as_administrator(
            add.format(on.canaries["one"]), "DELETE FROM {one}.django_content_type WHERE id = 9999"
        ):
            with on.inside(on.one):
                ContentType.objects.get_for_id(9999)
            with on.inside(on.two):
                return ContentType.objects.get_for_id(9999).model
    finally:
        ContentType.objects.clear_cache()


# -- after things went wrong ------------------------------------------------------------------------------


class Oops(Exception):
    pass


@probe("L08")
def a_transaction_rolled_back(on: Ground) -> Any:
    try:
        with on.inside(on.one):
            on.names()
            raise Oops
    except Oops:
        return on.names()


@probe("L09")
def a_savepoint_rolled_back(on: Ground) -> Any:
    with on.inside(on.two):
        try:
            with transaction.atomic(), on.inside(on.one):
                on.names()
                raise Oops
        except (Oops, RuntimeError):
            return on.names()


@probe("L10")
def an_error_swallowed(on: Ground) -> Any:
    with suppress(WallError), on.inside(on.one), suppress(DatabaseError):
        on.sql("SELECT 1 / 0")
    return on.names()


@probe("L11")
def the_search_path_set_by_hand(on: Ground) -> Any:
    with on.inside(on.two), connection.cursor() as cursor:
        cursor.execute(f'SET search_path = "{on.one.schema_name}"')
        cursor.execute("SELECT name FROM schools_school")
        return cursor.fetchall()


@probe("L11")
def another_schema_by_name(on: Ground) -> Any:
    with on.inside(on.two):
        return on.sql(f"SELECT name FROM {on.one.schema_name}.schools_school")


@probe("L11")
def the_role_given_back(on: Ground) -> Any:
    with on.inside(on.two):
        on.sql("RESET ROLE")
        return on.sql(f"SELECT name FROM {on.one.schema_name}.schools_school")


@probe("L11")
def every_setting_given_back(on: Ground) -> Any:
    with on.inside(on.two):
        on.sql("RESET ALL")
        return on.sql(f"SELECT name FROM {on.one.schema_name}.schools_school")


# -- what is left behind, or missing ------------------------------------------------------------------------


@probe("L12")
def a_table_that_two_lacks(on: Ground) -> Any:
    with on.with_a_namesake_in_public(), on.inside(on.two):
        return list(Document.objects.values_list("name", flat=True))


@probe("L14")
def a_temporary_table(on: Ground) -> Any:
    with on.inside(on.one):
        on.sql("CREATE TEMP TABLE schools_school AS SELECT * FROM schools_school")
    with on.inside(on.two):
        return on.names()


@probe("L15")
def a_setting_of_the_session(on: Ground) -> Any:
    with on.inside(on.one):
        on.sql("SELECT set_config('probe.kept', name, false) FROM schools_school")
    with on.inside(on.two):
        return on.sql("SELECT current_setting('probe.kept', true)")


@probe("L20")
def an_advisory_lock(on: Ground) -> Any:
    """What the lock says: a number that stands for one's canary."""
    number = abs(hash(on.canaries["one"])) % 2**31
    with on.inside(on.one):
        on.sql("SELECT pg_advisory_lock(1, %s)", number)
    with on.inside(on.two):
        held = on.sql("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
    return [on.canaries["one"] for (each,) in held if each == number]


@probe("L16")
def a_second_connection(on: Ground) -> Any:
    with on.inside(on.one, using="side"):
        on.names(using="side")
    with on.inside(on.two):
        return on.names(using="side")
