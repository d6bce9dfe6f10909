"""Nothing of a child leaves us when the pages and the tasks that hold one fail: real processes, reports and logs.

Every page about a child is found by the walk. It fails twice: when it is whole, with all of it in the exception; and in
the database, whose message then repeats rows.
"""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from celery import Celery
from databases import connected, scratch
from django.test import Client, override_settings
from django.utils import timezone
from factories import Cast, person, sign_in, the_cast
from isolation.walk import OPENER, Place, filled, main_of, places, plant
from running import environment_of, running, wait_until, worker
from telemetry.target import Seen, listen

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.config.env import whole_environment
from handrail.core.audit import CLOCK
from handrail.plans import guests
from handrail.plans.emergency import Contact, Emergency
from handrail.plans.models import BreakGlass, PlanLink
from handrail.plans.versions import write_emergency
from handrail.records.actions import ask_for_export, confirm_export
from handrail.schools.models import Pupil
from tenants.context import inside
from tenants.routing import Authority, authority_by_code

UPN = "Q001200008001"
CANARIES = {
    "name": "Canarywright",
    "UPN": UPN,
    "condition": "canaryitis",
    "contact": "Maud Canarymother",
    "phone number": "01632 960777",
    "e-mail address": "maud.canary@home.example",
    "reason": "canaryreason",
}
SAID = " ".join(CANARIES.values())
SPILL = """
CREATE FUNCTION {0}.spill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'not written: %', concat((SELECT string_agg(concat(child), ' ') FROM {0}.schools_pupil child))
    USING HINT = concat(NEW), DETAIL = concat((SELECT string_agg(concat(they), ' ') FROM {0}.schools_contact they));
END $$
"""
TOKEN = "a" * 32
WORK = {
    ("workflows.seals.seal_for", "ProgrammingError"),
    ("workflows.records.make_export", "ProgrammingError"),
    ("workflows.records.make_export", "CannotOpen"),
}
"""Tasks and how they failed. Others that look at everything when a worker starts may fail as well."""


@dataclass
class Asked:
    """A page that was asked for: by name, how it was made to fail, and what came back."""

    name: str
    how: str
    status: int
    text: str
    request_id: str


@dataclass
class Aftermath:
    seen: Seen
    asked: list[Asked]
    places: list[Place]
    log: str

    @property
    def failed(self) -> list[Asked]:
        return [each for each in self.asked if each.status == 500]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Aftermath:
    seen, folder = Seen(), tmp_path_factory.mktemp("telemetry")
    target = listen(seen)
    with scratch("test_telemetry") as database, django_db_blocker.unblock(), ExitStack() as stack:
        environment = environment_of(
            database, folder, HANDRAIL_SENTRY_DSN=f"http://key@127.0.0.1:{target.server_port}/1"
        )
        with connected(database), override_settings(DOCUMENT_STORE=folder / "documents"):
            one, two = authority_by_code("001"), authority_by_code("002")
            cast = the_cast(one, two, at=timezone.now())
            found = about_children(furnish(one, cast))
            sessions = [session_of(each, one) for each in people(one, cast)]
            waits(one, cast)

        def owner(*statements: str) -> None:
            password = whole_environment()["HANDRAIL_OWNER_PASSWORD"]
            place = {"host": environment["HANDRAIL_DB_HOST"], "port": environment["HANDRAIL_DB_PORT"]}
            with psycopg.connect(**place, dbname=database, user="handrail_owner", password=password) as connection:
                for statement in statements:
                    connection.execute(statement.format(one.schema_name))

        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        web = running(
            *("gunicorn", "handrail.config.wsgi:application", "--workers=1"),
            f"--bind=fd://{listening.fileno()}",
            environment={**environment, "DJANGO_SETTINGS_MODULE": "telemetry.spilling"},
            log=folder / "web",
            pass_fds=[listening.fileno()],
        )
        process = stack.enter_context(web)
        asked = fail_everywhere(listening.getsockname()[1], found, sessions, owner)
        failed = sum(each.status == 500 for each in asked)
        seen.wait_for(failed)
        process.terminate()
        process.wait(timeout=60)
        fail_at_work(environment, folder, one, owner, seen)
    target.shutdown()
    log = (folder / "web").read_text() + (folder / "work").read_text()
    return Aftermath(seen, asked, found, log)


def furnish(one: Authority, cast: Cast) -> dict[str, Any]:
    """A child with a canary in everything that is held about them; and the rows of every address."""
    rows = plant(one, cast.oak, "oak")
    with inside(one):
        child = Pupil.objects.get(id=rows["child_id"])
        Pupil.objects.filter(id=child.id).update(name=f"Poppy {CANARIES['name']}", upn=UPN, class_name="")
        child.contacts.update(
            name=CANARIES["contact"], phone=CANARIES["phone number"], email=CANARIES["e-mail address"]
        )
        says = Emergency(
            condition=CANARIES["condition"],
            steps=(f"Ring {CANARIES['contact']}.",),
            call_999=("Always.",),
            contacts=(Contact(CANARIES["contact"], "Mother", CANARIES["phone number"]),),
        )
        version, _ = write_emergency(pupil=child, says=says, based_on=1, by=CLOCK, at=timezone.now())
        child.links.update(version=version, email=CANARIES["e-mail address"], name=CANARIES["contact"])
        access = BreakGlass.objects.get(pupil=child)
        access.reason = f"{CANARIES['reason']} {SAID}"
        access.save()
    return rows


def about_children(rows: dict[str, Any]) -> list[Place]:
    """The pages that show a child, and the others of the same rooms: somebody may type a child into them."""
    return [
        each
        for each in places(rows)
        if getattr(each.address.view, "shows_child", False)
        or each.address.name.partition(":")[0] in {"schools", "plans", "records"}
    ]


def people(one: Authority, cast: Cast) -> list[User]:
    """Who may see them between them."""
    with inside(one):
        named = User.objects.get(email=OPENER.format("oak"))
        return [cast.head, named, person("reviewer@barsetshire.example", Role.DATA_PROTECTION_LEAD), cast.admin]


def session_of(somebody: User, one: Authority) -> str:
    """A session of somebody who has also been let in through a link that was sent about the child."""
    client = Client(HTTP_HOST=one.host)
    with inside(one):
        sign_in(client, somebody)
        session = client.session
        guests.let_in(session, PlanLink.objects.get(name=CANARIES["contact"]), at=timezone.now())
        session.save()
        client.cookies["sessionid"] = session.session_key
    return client.cookies["sessionid"].value


def waits(one: Authority, cast: Cast) -> None:
    """An export that two people have asked for."""
    with inside(one):
        export = ask_for_export(by=cast.admin, at=timezone.now())
        reviewer = User.objects.get(email="reviewer@barsetshire.example").as_at(timezone.now().date())
        confirm_export(export=export, by=reviewer, at=timezone.now())


def fail_everywhere(port: int, found: list[Place], sessions: list[str], owner: Callable[..., None]) -> list[Asked]:
    """Ask for every page as it is, and by whoever may so that it fails. Last what changes something all the same."""
    may, asked = [], []
    for place in found:
        for session in sessions:
            answer = ask(port, "GET", place, "not at all", session)
            if answer.status not in (403, 404):
                may.append((place, session, answer.text))
                asked.append(answer)
                break

    def every(how: str, method: str) -> list[Asked]:
        return [ask(port, method, place, how, session, page) for place, session, page in may]

    asked += every("in its page", "GET")
    owner(SPILL)
    with spilling(owner, "core_readentry", "core_auditentry"):
        asked += every("in the database", "GET") + every("in the database", "POST")
    return asked + every("in its page", "POST")


@contextmanager
def spilling(owner: Callable[..., None], *tables: str) -> Iterator[None]:
    """Nothing can be written to these tables, and the database says why with rows of children in its message."""
    for table in tables:
        owner(f"CREATE TRIGGER spill BEFORE INSERT ON {{0}}.{table} EXECUTE FUNCTION {{0}}.spill()")
    yield
    for table in tables:
        owner(f"DROP TRIGGER spill ON {{0}}.{table}")


def ask(port: int, method: str, place: Place, how: str, session: str, page: str = "") -> Asked:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{place.path}",
        method=method,
        data=urlencode(typed(page)).encode() if method == "POST" else None,
        headers={
            "Host": "barsetshire.localhost",
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            **({"X-Fail": "1"} if how == "in its page" else {}),
        },
    )
    try:
        answer = OPENER_WITHOUT_REDIRECTS.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return Asked(
            place.address.name,
            how,
            answer.status,
            answer.read().decode(errors="replace"),
            answer.headers["X-Request-ID"],
        )


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


OPENER_WITHOUT_REDIRECTS = urllib.request.build_opener(NoRedirects)


def typed(page: str) -> dict[str, str]:
    """A child in every box of this page, as far as it can be believed."""
    believable = {"born_on_day": "27", "born_on_month": "3", "born_on_year": "2016", "letters": CANARIES["name"]}
    return filled(main_of(page), SAID) | believable | {"csrfmiddlewaretoken": TOKEN}


def fail_at_work(
    environment: dict[str, str], folder: Path, one: Authority, owner: Callable[..., None], seen: Seen
) -> None:
    """Sealing and an export fail in the database, and then the export with opened records in its hands."""
    bell = Celery(broker=environment["HANDRAIL_BROKER_URL"])
    bell.conf.broker_transport_options = {"init_extension": False}

    def failures() -> set[tuple[str, str]]:
        return {failure_of(event) for event in seen.events}

    def ring(task: str, **arguments: Any) -> None:
        bell.send_task(task, kwargs={"authority": str(one.id), **arguments}, queue="handrail")

    in_the_database = {failure for failure in WORK if failure[1] == "ProgrammingError"}
    with worker("workflows.app", environment=environment, log=folder / "work") as process:
        with spilling(owner, "core_auditseal", "records_exportfile"):
            ring("workflows.records.make_export")
            ring("workflows.seals.seal_for", at=timezone.now())
            wait_until(lambda: failures() >= in_the_database)
        owner("UPDATE {0}.plans_breakglass SET reason = set_byte(reason, 40, 255 - get_byte(reason, 40))")
        ring("workflows.records.make_export")
        wait_until(lambda: failures() >= WORK)
        process.terminate()
        process.wait(timeout=60)
    bell.close()


def failure_of(event: dict[str, Any]) -> tuple[str, str]:
    return event.get("transaction", ""), event["exception"]["values"][-1]["type"]


class TestWhatFailed:
    def test_had_a_child_in_hand(self, aftermath: Aftermath) -> None:
        shown = "".join(each.text for each in aftermath.asked if each.how == "not at all")
        assert [what for what, canary in CANARIES.items() if canary not in shown] == []

    @pytest.mark.parametrize("how", ["in its page", "in the database"])
    def test_was_every_page_that_shows_a_child(self, aftermath: Aftermath, how: str) -> None:
        showing = {
            each.name
            for each in aftermath.asked
            if each.how == "not at all"
            and CANARIES["name"] in each.text
            and (how == "in the database" or each.text.startswith("<!DOCTYPE html>"))
        }
        assert len(showing) > 5
        assert showing - {each.name for each in aftermath.failed if each.how == how} == set()

    def test_was_the_work_on_children(self, aftermath: Aftermath) -> None:
        told = [event for event in aftermath.seen.events if event["tags"]["request_id"] == "none"]
        assert {failure_of(event) for event in told} >= WORK


class TestWhatLeft:
    def test_was_a_page_without_a_child(self, aftermath: Aftermath) -> None:
        assert [each.name for each in aftermath.failed for canary in CANARIES.values() if canary in each.text] == []

    def test_was_one_report_of_each_failure(self, aftermath: Aftermath) -> None:
        told = [event["tags"]["request_id"] for event in aftermath.seen.events]
        assert sorted(each for each in told if each != "none") == sorted(each.request_id for each in aftermath.failed)

    @pytest.mark.parametrize("what", CANARIES)
    def test_was_no_childs_data(self, aftermath: Aftermath, what: str) -> None:
        assert [text for text in aftermath.seen.raw if CANARIES[what] in text] == []
        assert [line for line in aftermath.log.splitlines() if CANARIES[what] in line] == []
