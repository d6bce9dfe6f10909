"""The product's own processes, given no key: they start, serve what holds no health record, and send."""

import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from databases import connected, scratch
from factories import SchoolFactory, recorded_policy
from running import environment_of, running, wait_until, worker

from handrail.core.models import AuthoritySettings, DataKey
from handrail.notices.models import Notice
from handrail.policies.reminders import owe_review_reminders
from tenants.context import inside
from tenants.routing import authority_by_code


def ask(port: int, path: str) -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": "barsetshire.localhost"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("key", ["", "bm90IHRoZSBrZXkgb2YgdGhpcyBhdXRob3JpdHkhISE="])
def test_pages_say_so_and_messages_still_go(key: str, tmp_path: Path, django_db_blocker: Any) -> None:
    now = datetime.now(UTC)
    with django_db_blocker.unblock(), scratch("test_no_key") as database, connected(database):
        one = authority_by_code("001")
        with inside(one):
            DataKey.objects.create(number=1, wrapped=bytes(60), wrapped_by="environment:another")
            AuthoritySettings.objects.create(has_quiet_hours=False)
            recorded_policy(SchoolFactory(head_email="", joined_on=now.date()), next_review_on=now.date())
            owe_review_reminders(on=now.date(), at=now)
        told = {"HANDRAIL_VAULT_KEY": key, "DJANGO_SETTINGS_MODULE": "telemetry.settings"}
        environment = environment_of(database, tmp_path, **told)
        log, serve = tmp_path / "log", ("gunicorn", "handrail.config.wsgi:application", "--workers=1")
        with (
            socket.create_server(("127.0.0.1", 0)) as listening,
            running(
                *serve,
                f"--bind=fd://{listening.fileno()}",
                environment=environment,
                log=log,
                pass_fds=[listening.fileno()],
            ),
            worker("workflows.app", environment=environment, log=log),
            Celery(broker=environment["HANDRAIL_BROKER_URL"]) as bell,
        ):
            port = listening.getsockname()[1]
            assert ask(port, "/sign-in/")[0] == 200
            status, page = ask(port, "/fail/sealed/")
            assert status == 503
            assert "Health records cannot be opened just now" in page
            bell.conf.broker_transport_options = {"init_extension": False}
            bell.send_task("workflows.notices.send_due", queue="handrail")
            with inside(one):
                assert Notice.objects.count() == 1

            def is_sent() -> bool:
                with inside(one):
                    return Notice.objects.get().state == Notice.State.ACCEPTED

            wait_until(is_sent)
        assert len(list((tmp_path / "mailbox").rglob("*.eml"))) == 1
        assert "health records cannot be opened: this process was " in log.read_text()
