"""The real site for a real browser: the web server in a process of its own, on a database of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from databases import ROOT, clone, connected, drop, template
from django.test import Client
from django.utils import timezone
from factories import Cast, sign_in, the_cast

from handrail.config.env import whole_environment
from handrail.core.calendar import day_of
from handrail.policies.actions import open_policies
from infra.embedded.processes import dies_with_parent
from tenants.context import inside
from tenants.routing import Authority, authority_by_code

SITE_DATABASE = f"test_{os.getpid()}_site"
PHONE, DESK = 320, 1280


@dataclass
class Site:
    """A running site. Facts are set and seen in `with inside(site.one):`, as in any other test.

    Its clock is the real one: dates are said relative to today.
    """

    port: int
    log: Path
    browser: Any
    one: Authority
    two: Authority
    cast: Cast
    widths: tuple[int, ...]
    contexts: list[Any] = field(default_factory=list)

    def address(self, path: str = "/", *, authority: Authority | None = None) -> str:
        return f"http://{(authority or self.one).host}:{self.port}{path}"

    def open(
        self, path: str, *, by: Any = None, authority: Authority | None = None, width: int = 1280, **more: Any
    ) -> Any:
        """A page in a browser of its own, signed in as that person. What its console says is an error."""
        authority = authority or self.one
        context = self.browser.new_context(viewport={"width": width, "height": 800}, **more)
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        if by is not None:
            context.add_cookies(
                [{"name": "sessionid", "value": self._session(by, authority), "url": self.address(authority=authority)}]
            )
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(self.address(path, authority=authority))
        return page

    @contextmanager
    def by_texts(self, folder: Path) -> Iterator[None]:
        """The site after an update: another server on the same database, with these texts of guidance."""
        before = self.port
        with serving(self.log.parent, self.log, texts=str(folder)) as self.port:
            yield
        self.port = before

    def press(self, page: Any, name: str, *, role: str = "button") -> None:
        """Press what leads to another page, and wait for that."""
        with page.expect_navigation():
            page.get_by_role(role, name=name).first.click()

    def check(self, page: Any) -> None:
        """What every page must be: accessible, no wider than its window, and silent in the console."""
        from axe_playwright_python.sync_playwright import Axe

        page.wait_for_load_state()  # what was pressed has begun to lead here, and may have come no further
        if shots := whole_environment().get("SCREENSHOTS"):
            name = page.url.split("/", 3)[3].strip("/").replace("/", "-") or "home"
            number = len(list(Path(shots).iterdir()))  # a page has several states
            page.screenshot(path=f"{shots}/{number:03}-{name}-{page.viewport_size['width']}.png", full_page=True)
        assert page.said == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"sideways: {page.url}"
        assert page.title().startswith("Error: ") == bool(page.locator(".govuk-error-summary").count()), page.url
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"

    def check_at_each_width(self, page: Any) -> None:
        """On a phone, and with --full at a desk too."""
        for width in self.widths:
            page.set_viewport_size({"width": width, "height": 800})
            self.check(page)

    def _session(self, person: Any, authority: Authority) -> str:
        client = Client(HTTP_HOST=authority.host)
        with inside(authority):
            sign_in(client, person)
        return client.cookies["sessionid"].value


SERVE = """
import sys
from pathlib import Path
from handrail.guidance import reading
if texts := sys.argv.pop(1):
    reading.TEXTS = Path(texts)
from gunicorn.app.wsgiapp import run
run()
"""
"""What a server does: it works by these texts of guidance, where some are named."""


@contextmanager
def serving(folder: Path, log: Path, *, texts: str = "") -> Iterator[int]:
    """A web server on the site's database: gives its port. It listens before it is ready, so nobody has to wait."""
    environment = {
        **whole_environment(),
        "DJANGO_SETTINGS_MODULE": "handrail.config.settings",
        "HANDRAIL_DB_NAME": SITE_DATABASE,
        "HANDRAIL_STORE": str(folder / "documents"),
        "HANDRAIL_ALLOWS_LOOPBACK": "yes",  # the sign-in service of the tests is there
        "HANDRAIL_LOGIN": "app",
    }
    with socket.socket() as listening, log.open("ab") as out:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", SERVE, texts, "handrail.config.wsgi:application", "--workers=1", "--threads=4"),
                "--keep-alive=75",  # longer than a browser leaves a connection alone: else it may end under a request
                f"--bind=fd://{listening.fileno()}",
            ],
            env=environment,
            cwd=ROOT,
            pass_fds=[listening.fileno()],
            stdout=out,
            stderr=out,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        port = listening.getsockname()[1]
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The web server, started once: its port and its log."""
    log = tmp_path_factory.mktemp("site") / "log"
    clone(template(), SITE_DATABASE)
    with serving(log.parent, log) as port:
        yield port, log
    drop(SITE_DATABASE)


@pytest.fixture
def site(server: tuple[int, Path], browser: Any, full: bool, django_db_blocker: Any) -> Iterator[Site]:
    """The site with the cast and their empty policies, made anew for each test. Not together with `db`."""
    port, log = server
    now = timezone.now()
    clone(template(), SITE_DATABASE)
    with django_db_blocker.unblock(), connected(SITE_DATABASE):
        one, two = authority_by_code("001"), authority_by_code("002")
        widths = (DESK, PHONE) if full else (PHONE,)
        found = Site(port, log, browser, one, two, the_cast(one, two, at=now), widths)
        for authority in (one, two):
            with inside(authority):
                open_policies(on=day_of(now), at=now)
        began = log.stat().st_size
        yield found
        for context in found.contexts:
            context.close()
        with log.open("rb") as said:
            said.seek(began)
            errors = said.read().decode(errors="replace")
    assert "Traceback" not in errors, errors
