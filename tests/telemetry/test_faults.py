"""What leaves us when pages and tasks fail: the real reports of a real server and worker, and their logs."""

import base64
import re
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from celery import Celery
from databases import connected, scratch
from running import environment_of, running, worker
from telemetry.target import Seen, listen

from handrail.config.env import whole_environment
from tenants.routing import authority_by_code

CANARIES = ("Poppy", "Canarywright", "Q815200108001", "epilepsy", "poppy.canary")
CHILD = "Poppy Canarywright Q815200108001 epilepsy poppy.canary@oak.example"
PAGES = {
    "simply": "ValueError",
    "from-another": "RuntimeError",
    "several": "ExceptionGroup",
    "with-a-note": "ValueError",
    "encode": "UnicodeEncodeError",
    "decode": "JSONDecodeError",
    "twice": "IntegrityError",
    "not-null": "IntegrityError",
    "sql": "DataError",
    "at-the-end": "IntegrityError",
    "page": "ZeroDivisionError",
    "sealed": "CannotOpen",
}
TASKS = ("simply", "from-another", "twice", "at-the-end", "sealed")
LINE = re.compile(r"(?P<level>[A-Z]+) (?P<logger>[\w.]+) authority=(?P<authority>\S+) request=(?P<request>\S+) .+")


@dataclass
class Asked:
    """A page that was asked for: how it failed, and the id of its answer."""

    how: str
    status: int
    request_id: str


@dataclass
class Aftermath:
    seen: Seen
    asked: list[Asked]
    web_log: str
    work_log: str

    def of_request(self, request_id: str) -> list[dict[str, Any]]:
        return [event for event in self.seen.events if event["tags"]["request_id"] == request_id]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Aftermath:
    """Everything has failed once, and every process has ended."""
    seen, folder = Seen(), tmp_path_factory.mktemp("telemetry")
    target = listen(seen)
    with scratch("test_telemetry") as database, django_db_blocker.unblock():
        with connected(database):
            authority = str(authority_by_code("001").id)
        environment = environment_of(
            database,
            folder,
            DJANGO_SETTINGS_MODULE="telemetry.settings",
            HANDRAIL_SENTRY_DSN=f"http://key@127.0.0.1:{target.server_port}/1",
            HANDRAIL_RELEASE="release-7",
        )
        with ExitStack() as processes, socket.create_server(("127.0.0.1", 0)) as listening:
            web_log, work_log = folder / "web", folder / "work"
            gunicorn = ("gunicorn", "handrail.config.wsgi:application", "--workers=1")
            web = running(
                *gunicorn,
                f"--bind=fd://{listening.fileno()}",
                environment=environment,
                log=web_log,
                pass_fds=[listening.fileno()],
            )
            work = worker("telemetry.failing_tasks", environment=environment, log=work_log)
            for each in (web, work):
                process = processes.enter_context(each)
                processes.callback(process.wait, timeout=60)
                processes.callback(process.terminate)
            _ring(environment["HANDRAIL_BROKER_URL"], authority)
            asked = [_ask(listening.getsockname()[1], f"/fail/{how}/", how) for how in PAGES]
            asked += [_ask(listening.getsockname()[1], f"/{how}/", how) for how in ("tell", "suspicious", "denied")]
            asked += [_ask(listening.getsockname()[1], f"/{quote(CHILD)}/", "nowhere")]
            told_of = len(PAGES) + 2  # the page that tells by itself does so twice
            seen.wait_for(told_of + len(TASKS) + 3)  # the task between doors tells twice too
    target.shutdown()
    return Aftermath(seen, asked, web_log.read_text(), work_log.read_text())


def _ask(port: int, path: str, how: str) -> Asked:
    """Post a child in every part of a request, as a person's browser might."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}?q={quote(CHILD)}",
        data=f"name={quote(CHILD)}".encode(),
        headers={
            "Host": "barsetshire.localhost",
            "Cookie": f"sessionid={quote(CHILD)}; draft={quote(CHILD)}",
            "User-Agent": CHILD,
            "Referer": f"http://barsetshire.localhost/?q={quote(CHILD)}",
            "Authorization": f"Token {CHILD}",
            "X-Forwarded-For": CHILD,
            "X-Request-ID": CHILD,
            "Sentry-Trace": f"{uuid4().hex}-{uuid4().hex[:16]}-1",
            "Baggage": f"sentry-trace_id={uuid4().hex},sentry-transaction={quote(CHILD)}",
        },
    )
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        assert not any(canary in answer.read().decode() for canary in CANARIES)
        return Asked(how, answer.status, answer.headers["X-Request-ID"])


def _ring(broker: str, authority: str) -> None:
    bell = Celery(broker=broker)
    bell.conf.broker_transport_options = {"init_extension": False}

    def ring(name: str, **arguments: str) -> None:
        bell.send_task(f"telemetry.failing_tasks.{name}", kwargs={"child": CHILD, **arguments}, queue="handrail")

    for how in TASKS:
        ring("fail_inside", authority=authority, how=how)
    ring("fail_between_doors", authority=authority)
    ring("fail_for_nobody")
    bell.close()


def keys() -> list[str]:
    """The vault's key as the processes had it, in the ways in which it might be written."""
    given = whole_environment()["HANDRAIL_VAULT_KEY"]
    return [given, base64.b64decode(given).hex(), repr(base64.b64decode(given))]


class TestReports:
    def test_no_child_is_in_them(self, aftermath: Aftermath) -> None:
        found = {canary: text for canary in CANARIES for text in aftermath.seen.raw if canary in text}
        assert found == {}

    def test_no_key_is_in_them(self, aftermath: Aftermath) -> None:
        for key in keys():
            assert not [text for text in aftermath.seen.raw if key in text]

    @pytest.mark.parametrize("how", PAGES)
    def test_a_failing_page_is_told_of_once(self, aftermath: Aftermath, how: str) -> None:
        asked = next(each for each in aftermath.asked if each.how == how)
        assert asked.status == 500
        (event,) = aftermath.of_request(asked.request_id)
        assert event["tags"] == {"authority": "001", "request_id": asked.request_id}
        assert event["exception"]["values"][-1]["type"] == PAGES[how] or how == "several"
        assert PAGES[how] in {value["type"] for value in event["exception"]["values"]}
        assert (event["release"], event["environment"]) == ("release-7", "test")
        if how != "at-the-end":
            assert event["transaction"] == "/fail/{how}/"

    def test_say_where_and_no_more(self, aftermath: Aftermath) -> None:
        for event in aftermath.seen.events:
            assert set(event) <= {
                *("event_id", "timestamp", "level", "platform", "logger", "release", "environment", "sdk"),
                *("exception", "logentry", "transaction", "tags"),
            }
            for value in event["exception"]["values"]:
                assert set(value) == {"type", "module", "mechanism", "stacktrace"}
                for frame in value["stacktrace"]["frames"]:
                    assert set(frame) == {"module", "function", "filename", "lineno", "in_app"}
        event = next(event for event in aftermath.seen.events if event.get("transaction") == "/fail/{how}/")
        assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "simply"

    @pytest.mark.parametrize(
        ("task", "authority", "count"),
        [("fail_inside", "001", len(TASKS)), ("fail_between_doors", "001", 2), ("fail_for_nobody", "none", 1)],
    )
    def test_a_failing_task_is_told_of_with_its_authority(
        self, aftermath: Aftermath, task: str, authority: str, count: int
    ) -> None:
        events = [event for event in aftermath.seen.events if event["transaction"] == f"telemetry.failing_tasks.{task}"]
        assert [event["tags"]["authority"] for event in events] == [authority] * count

    def test_what_our_code_writes_to_the_log_as_an_error_is_told_of(self, aftermath: Aftermath) -> None:
        asked = next(each for each in aftermath.asked if each.how == "tell")
        told = aftermath.of_request(asked.request_id)
        assert [event["logentry"]["message"] for event in told] == ["could not read %s", "could not read it: %s"]
        assert told[0]["exception"]["values"][0]["type"] == "ValueError"


class TestLogs:
    def test_no_child_is_in_them(self, aftermath: Aftermath) -> None:
        lines = (aftermath.web_log + aftermath.work_log).splitlines()
        assert [line for line in lines if any(canary in line for canary in CANARIES)] == []

    def test_no_key_is_in_them(self, aftermath: Aftermath) -> None:
        for key in keys():
            assert key not in aftermath.web_log + aftermath.work_log

    def test_each_record_is_one_line(self, aftermath: Aftermath) -> None:
        begun = re.compile(r"\[.+\] \[\d+\] \[INFO\] .+")  # by gunicorn, before it has read our settings
        ended = "worker: Warm shutdown (MainProcess)"  # by Celery, not in its log
        others = {
            line
            for line in (aftermath.web_log + aftermath.work_log).splitlines()
            if line and not LINE.fullmatch(line) and not begun.fullmatch(line)
        }
        assert others <= {ended}

    @pytest.mark.parametrize("how", PAGES)
    def test_a_failing_page_has_its_request_and_authority(self, aftermath: Aftermath, how: str) -> None:
        asked = next(each for each in aftermath.asked if each.how == how)
        (line,) = [line for line in aftermath.web_log.splitlines() if asked.request_id in line]
        assert "ERROR django.request authority=001" in line
        assert "500 POST fail/<slug:how>/ | Traceback: " in line or how == "at-the-end"
        assert f"{PAGES[how]} at " in line

    @pytest.mark.parametrize(
        ("how", "words"),
        [
            ("suspicious", "400 POST suspicious/"),
            ("denied", "403 POST denied/"),
            ("nowhere", "404 POST at no page of ours"),
        ],
    )
    def test_a_refusal_names_the_page_and_not_the_address(self, aftermath: Aftermath, how: str, words: str) -> None:
        asked = next(each for each in aftermath.asked if each.how == how)
        lines = [line for line in aftermath.web_log.splitlines() if asked.request_id in line]
        assert lines
        assert all("authority=001" in line and words in line for line in lines), lines

    def test_a_page_that_tells_by_itself_tells_no_values(self, aftermath: Aftermath) -> None:
        asked = next(each for each in aftermath.asked if each.how == "tell")
        said = [line.partition(f"request={asked.request_id} ")[2] for line in aftermath.web_log.splitlines()]
        first, *others = [line for line in said if line]
        assert first.startswith("could not read a plan | Traceback: ValueError at telemetry.failing.simply:")
        assert others == [
            "could not read it: ValueError",
            "ValueError",
            "mail to … was refused by the server",
            "asked for /pupils/…",
            "one line of %d %s",
            "Key (email)=… already exists Failing row contains …",
        ]

    def test_a_failing_task_has_its_authority(self, aftermath: Aftermath) -> None:
        lines = [line for line in aftermath.work_log.splitlines() if "Traceback: " in line]
        assert [LINE.fullmatch(line)["authority"] for line in lines] == ["001"] * (len(TASKS) + 1) + ["-"]  # type: ignore[index]
        assert "from UniqueViolation at " in "".join(lines)
