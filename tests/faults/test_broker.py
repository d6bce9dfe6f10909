"""F1, F2, F5, F6 with a real worker, its clock and a real broker: killed, down, emptied.

The broker is a doorbell. Pages never need it, and what is owed leaves within a minute of a worker running again.
"""

import re
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from celery import Celery
from databases import as_superuser, connected, scratch
from django.test import Client
from factories import SchoolFactory, person, sign_in
from faults.conftest import Ground
from post import Scripted
from running import Redis, environment_of, kill, redis_server, running, wait_until, worker

from handrail.accounts.roles import Role
from handrail.core.models import AuthoritySettings
from handrail.notices.models import Notice
from tenants.context import inside
from tenants.routing import authority_by_code

PATIENCE = 180  # seconds: a minute of the timetable lasts two of them, but the machine may be busy
APP = "faults.hurried"


class Site:
    """The product at work on a database of its own: a worker, and a clock when it is started.

    What one test owes has been sent when it ends, so the next finds nothing waiting.
    """

    def __init__(self, ground: Ground, folder: Path, broker: str) -> None:
        self.ground, self.folder, self.broker = ground, folder, broker
        self.ends = ExitStack()
        self.environment = environment_of(
            ground.database, folder, HANDRAIL_BROKER_URL=broker, HANDRAIL_BOOK=str(ground.post.book)
        )
        self.start_worker()

    def start_worker(self) -> None:
        log = self.folder / "worker.log"
        self.process = self.ends.enter_context(worker(APP, processes=2, environment=self.environment, log=log))

    def start_clock(self) -> None:
        beat = ("celery", "--quiet", "-A", APP, "beat", f"--schedule={self.folder / 'schedule'}", "--pidfile=")
        self.ends.enter_context(running(*beat, environment=self.environment, log=self.folder / "clock.log"))

    def ring(self) -> None:
        """Ring as the clock does for messages that are due."""
        with Celery(broker=self.broker) as bell:
            bell.conf.broker_transport_options = {"init_extension": False}
            bell.send_task("workflows.notices.send_due", queue="handrail")

    def unsent(self) -> dict[str, int]:
        """How many notices are in which state, without those that were sent or not needed."""
        ended = ("accepted", "suppressed")
        return {state: count for state, count in self.ground.states().items() if state not in ended}

    def wait_until_all_is_sent(self) -> float:
        return wait_until(lambda: not self.unsent(), seconds=PATIENCE)

    def let_leases_end(self) -> None:
        """As if the time of a lease had passed."""
        with as_superuser(self.ground.database) as admin:
            admin.execute("SET session_replication_role = replica")  # no worker may do this
            table = f"{self.ground.one.schema_name}.notices_notice"
            admin.execute(f"UPDATE {table} SET lease_until = lease_until - interval '1 hour'")

    def assert_each_was_sent_once(self, owed: list[Notice]) -> None:
        taken = [reference for reference, _ in self.ground.post.taken()]
        assert not self.unsent()
        assert [taken.count(each.reference) for each in owed] == [1] * len(owed)


@contextmanager
def at_work(folder: Path, broker: str = "") -> Iterator[Site]:
    """A site on the day that it really is: workers ask the database for the time. Without a broker, on PostgreSQL."""
    now = datetime.now(UTC)
    with scratch("test_on_redis" if broker else "test_on_pgmq") as database, connected(database):
        one, two = authority_by_code("001"), authority_by_code("002")
        with inside(one):
            AuthoritySettings.objects.create(has_quiet_hours=False)
        ground = Ground(database, one, two, Scripted(folder / "book"), now.date(), now)
        site = Site(ground, folder, broker or environment_of(database, folder)["HANDRAIL_BROKER_URL"])
        with site.ends:
            yield site


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def site(redis: Redis, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Site]:
    with django_db_blocker.unblock(), at_work(tmp_path_factory.mktemp("site"), redis.url) as site:
        site.start_clock()
        yield site


class TestKilled:
    """F1 and F2: `kill -9` of the process that sends, and of all of a worker."""

    def test_the_rest_goes_on_when_the_process_that_sends_dies(self, site: Site) -> None:
        owed = site.ground.owe(8)
        (site.folder / "kill").touch()
        wait_until(lambda: site.unsent() == {"claimed": 1})
        site.let_leases_end()
        site.wait_until_all_is_sent()
        site.assert_each_was_sent_once(owed)

    def test_nothing_is_lost_or_sent_twice_when_the_worker_is_started_again(self, site: Site) -> None:
        sent = len(site.ground.post.taken())
        owed = site.ground.owe(40)
        wait_until(lambda: len(site.ground.post.taken()) > sent + 3)
        kill(site.process)
        left = site.unsent()
        assert left["owed"] > 0, "it was not killed in the middle"
        site.start_worker()
        wait_until(lambda: site.unsent().keys() <= {"claimed"})
        site.let_leases_end()
        site.wait_until_all_is_sent()
        site.assert_each_was_sent_once(owed)


class TestBrokerDown:
    """F5: nobody who waits for a page notices, and afterwards all is sent."""

    def test_leaves_pages_alone_and_all_is_sent_within_a_minute(self, site: Site, redis: Redis) -> None:
        with inside(site.ground.one):
            school = SchoolFactory(name="A School")  # the first of the list, which has several pages by now
        owed = site.ground.owe(80)
        for _ in range(12):  # so that the worker has many rings in hand that it cannot acknowledge any more
            site.ring()
        wait_until(lambda: site.unsent().get("owed", 0) < 80)
        with redis.down(), web(site) as ask:
            assert school.name in ask("/schools/")
            given = {"lead_name": "Lou Lead", "lead_email": school.lead_email, "office_email": school.office_email}
            assert "Lou Lead" in ask(f"/schools/{school.urn}/contacts/", post=given)
            owed += site.ground.owe(2)
        owed += site.ground.owe(1)
        site.wait_until_all_is_sent()
        site.assert_each_was_sent_once(owed)


class TestBrokerEmptied:
    """F6: whatever the broker held is gone, while worker and clock run."""

    def test_on_redis_all_is_sent_within_a_minute(self, site: Site, redis: Redis) -> None:
        self.try_twice(site, redis.flush)

    def test_in_postgresql_all_is_sent_at_the_next_ring(self, tmp_path: Path, django_db_blocker: Any) -> None:
        with django_db_blocker.unblock(), at_work(tmp_path) as site:

            def flush() -> None:
                with as_superuser(site.ground.database) as admin:
                    wait_until(lambda: admin.execute("SELECT to_regclass('pgmq.q_handrail')").fetchone() != (None,))
                    admin.execute("TRUNCATE pgmq.q_handrail")
                site.ring()

            self.try_twice(site, flush)

    def try_twice(self, site: Site, flush: Callable[[], None]) -> None:
        for _ in range(2):
            owed = site.ground.owe(2)
            flush()
            site.wait_until_all_is_sent()
            site.assert_each_was_sent_once(owed)


@contextmanager
def web(site: Site) -> Iterator[Callable[..., str]]:
    """A web server of the product; `ask(path, post=answers)` is an officer's browser, and gives the page."""
    with inside(site.ground.one):
        officer = person("officer@barsetshire.example", Role.POLICY_OFFICER)
        client = Client(HTTP_HOST=site.ground.one.host)
        sign_in(client, officer)
    cookies = {name: each.value for name, each in client.cookies.items()}

    def ask(path: str, *, post: dict[str, str] | None = None) -> str:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', ask(path)) if post else None
        request = urllib.request.Request(
            f"http://127.0.0.1:{listening.getsockname()[1]}{path}",
            data=urlencode({"csrfmiddlewaretoken": token[1], **post}).encode() if post and token else None,
            headers={"Host": site.ground.one.host, "Cookie": "; ".join(f"{a}={b}" for a, b in cookies.items())},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            for line in answer.headers.get_all("Set-Cookie") or []:
                cookies.update({name: each.value for name, each in SimpleCookie(line).items()})
            return str(answer.read().decode())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serve = ("gunicorn", "handrail.config.wsgi:application", "--no-control-socket")
        more = {"environment": site.environment, "log": site.folder / "web.log", "pass_fds": [listening.fileno()]}
        with running(*serve, f"--bind=fd://{listening.fileno()}", **more):
            yield ask
