"""Nothing of a pack or a return pack leaves but in its own sealed envelope: the whole way there and back, with a fault
at every step that has the content in its hands. What left is read afterwards: envelopes, mails, the log, reports of
faults, and addresses.
"""

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from databases import as_superuser
from django.db import connections
from django.test import Client
from factories import sign_in
from handovers.between import AGREED, AT, CHILD, CONDITION, SAID, Between
from handovers.test_returning import SAID as BACK
from notices.test_wording import HEALTH
from telemetry.target import Seen, listen

from handrail.config.monitoring import Line
from handrail.handovers import actions, following, post, reminders, returning, steps
from handrail.handovers.models import Handover
from handrail.notices.mailbox import Mailbox
from tenants import exchange
from tenants.context import inside
from tenants.routing import Authority
from workflows import notices

UPN, MOTHER, TELEPHONE = "B801200005001", "Pat Parent", "01632 960001"
SAID = SAID | {"medicine": "Canarazepam in the ward’s cupboard.", "fitness": "Canaryrest at noon."}
BACK = BACK | {"report": "Canaryreport: read every day.", "health": "Canarydose twice a day."}
CANARIES = (CHILD, "Wren", UPN, CONDITION, "Canar", "Midazolam", MOTHER, TELEPHONE, BACK["timetable"], BACK["work"])
SPOKEN = " ".join(CANARIES)


@dataclass
class Left:
    """All that left, by where it was seen."""

    seen: Seen
    envelopes: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    log: str = ""
    addresses: set[str] = field(default_factory=set)

    def texts(self) -> dict[str, str]:
        return {
            "envelopes": "\n".join(self.envelopes),
            "mails": "\n".join(self.mails),
            "the log": self.log,
            "reports": "\n".join(self.seen.raw),
            "addresses": "\n".join(sorted(self.addresses)),
        }


class Way:
    """The two sides' people at their pages, and the clock; each step is done once with a fault, and then again."""

    def __init__(self, between: Between, folder: Path) -> None:
        self.between, self.folder = between, folder
        self.addresses: set[str] = set()
        self.lead = self._client(between.one, "lead")
        self.hospital = self._client(between.two, "hospital")

    def _client(self, authority: Authority, who: str) -> Client:
        client = Client(HTTP_HOST=authority.host, raise_request_exception=False)
        with inside(authority):
            sign_in(client, self.between.people[who])
        return client

    def _case(self, client: Client) -> str:
        side, authority = ("home", self.between.one) if client is self.lead else ("setting", self.between.two)
        with inside(authority):
            return f"/handovers/{Handover.objects.get(side=side).id}/"

    def press(self, client: Client, page: str, **data: str) -> None:
        answer = client.post(self._case(client) + page, data)
        self._note(answer)
        assert answer.status_code in (302, 500), answer.content.decode()
        self._note(client.get(self._case(client)))

    def _note(self, answer: Any) -> None:
        self.addresses.add(answer.request["PATH_INFO"])
        self.addresses.add(answer.headers.get("Location", ""))
        self.addresses |= set(re.findall(r'(?:href|action|src)="([^"]*)"', answer.content.decode()))

    def deliver(self, authority: Authority) -> None:
        """As a worker does it."""
        from workflows.handovers import deliver_one

        deliver_one.apply(kwargs={"authority": str(authority.id)})
        with as_superuser(self.between.database) as admin, (self.folder / "envelopes").open("a") as kept:
            for table in ("envelope", "envelopebody"):
                rows = admin.execute(f"SELECT e::text FROM exchange.{table} e").fetchall()
                kept.writelines(f"{row}\n{_as_bytes(row)}\n" for (row,) in rows)

    def steps(self) -> Iterator[tuple[Callable[[], Any], Any, str]]:
        """What is done, and where it breaks the first time: there the content is an argument."""
        one, two, lead, hospital = self.between.one, self.between.two, self.lead, self.hospital
        yield lambda: self.press(lead, "pack/", send="yes", **SAID), actions, "owe"
        yield lambda: self.deliver(one), exchange, "deposit"
        yield lambda: self.deliver(two), steps, "stand"
        yield lambda: self.press(hospital, "open/"), post, "take_in"
        agreed = {**AGREED, "starts_on_day": "30", "starts_on_month": "11", "starts_on_year": "2026"}
        yield lambda: self.press(hospital, "moves/accept/", **agreed), actions, "owe"
        yield lambda: self.press(hospital, "steps-read/"), actions, "record"
        yield lambda: self.press(hospital, "moves/begin/"), actions, "owe"
        yield lambda: self.press(hospital, "moves/plan_return/", plan=BACK["timetable"]), actions, "owe"
        yield lambda: self.deliver(two), exchange, "deposit"
        yield lambda: self.deliver(one), following, "_read_move"
        yield lambda: self.press(hospital, "back/", send="yes", **BACK), returning, "_keep"
        yield lambda: self.deliver(two), exchange, "deposit"
        yield lambda: self.deliver(one), steps, "add_step"
        yield lambda: self.press(lead, "back/open/"), returning, "_read"
        yield lambda: self.press(lead, "back/plan/", based_on="1", parts="learning"), returning, "draft_of"
        yield lambda: self.press(lead, "moves/confirm_return/"), actions, "owe"
        yield lambda: self.deliver(one), exchange, "deposit"
        yield lambda: self.deliver(two), following, "_read_move"

    def mail(self) -> None:
        """What is owed at once, and what is owed three weeks later if nothing happens meanwhile."""
        for authority in (self.between.one, self.between.two):
            for at in (AT, AT + timedelta(weeks=3)):
                with inside(authority):
                    reminders.owe_handover_reminders(on=at.date(), at=at)
                notices.send(authority, provider=Mailbox(self.folder / "mail"), at=at)


@contextmanager
def breaking(module: Any, name: str) -> Iterator[None]:
    """What has the content in its hands fails, and says all of it."""

    def broken(*args: Any, **more: Any) -> None:
        said = SPOKEN
        raise RuntimeError(said, args, more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, broken)
        yield


def _as_bytes(row: str) -> str:
    """Bytes that PostgreSQL shows in hexadecimal, as the text that they might be."""
    return " ".join(bytes.fromhex(each).decode(errors="replace") for each in re.findall(r"\\x([0-9a-f]+)", row))


def go(between: Between, folder: Path, dsn: str) -> None:
    """In a process of its own, with the product's own log and reports."""
    from sentry_sdk.integrations.celery import CeleryIntegration

    from handrail.config import monitoring
    from workflows.app import app

    app.set_current()
    for place in (1, 2):
        os.dup2(os.open(folder / "log", os.O_CREAT | os.O_APPEND | os.O_WRONLY), place)
    handler = logging.StreamHandler(os.fdopen(2, "w", closefd=False))
    handler.setFormatter(Line())
    logging.getLogger().handlers, logging.getLogger().level = [handler], logging.DEBUG
    patch = pytest.MonkeyPatch()
    patch.setattr(monitoring.settings, "SENTRY_DSN", dsn)
    patch.setattr("handrail.accounts.middleware.timezone.now", lambda: AT)
    patch.setattr("workflows.handovers.clock", lambda: AT)
    monitoring.report_faults(CeleryIntegration(propagate_traces=False))
    between.prepare()
    way = Way(between, folder)
    for work, module, name in way.steps():
        with breaking(module, name):
            work()
        work()
        way.mail()
    (folder / "addresses").write_text("\n".join(way.addresses))
    monitoring.sentry_sdk.flush()


@pytest.fixture
def left(between: Between, tmp_path: Path) -> Left:
    found = Left(Seen())
    target = listen(found.seen)
    connections.close_all()
    pid = os.fork()
    if not pid:
        try:
            go(between, tmp_path, f"http://key@127.0.0.1:{target.server_port}/1")
        except BaseException as error:
            (tmp_path / "failed").write_text(f"{error!r} {error.__traceback__ and Line().format(_record())}")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    target.shutdown()
    assert not (tmp_path / "failed").exists(), (tmp_path / "failed").read_text()
    found.log, found.envelopes = (tmp_path / "log").read_text(), [(tmp_path / "envelopes").read_text()]
    found.mails = [each.read_text(errors="replace") for each in (tmp_path / "mail").rglob("*") if each.is_file()]
    found.addresses = set((tmp_path / "addresses").read_text().split())
    return found


def _record() -> logging.LogRecord:
    return logging.LogRecord("test", logging.ERROR, "", 0, "failed", (), sys.exc_info())


def test_nothing_of_a_child_leaves_but_sealed(left: Left, between: Between) -> None:
    assert (between.home().state, between.setting().state, between.home().due_on) == ("returned", "returned", None)
    with inside(between.one):
        kept = repr([each.content for each in between.home_inside().packs.all()])
    assert [canary for canary in CANARIES if canary not in kept] == [], "the way had them all in its hands"
    assert len(left.seen.events) >= 18 and len(left.mails) >= 4
    assert left.log.count("RuntimeError at ") >= 18
    for where, text in left.texts().items():
        assert text, where
        assert [canary for canary in CANARIES if canary in text] == [], where
    for mail in left.mails:
        said = re.sub(r"^To: .*$", "", mail, flags=re.MULTILINE)  # the tests' own people are called by their roles
        assert [word for word in HEALTH if re.search(rf"\b{word}\b", said, re.IGNORECASE)] == []
