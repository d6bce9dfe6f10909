"""Looking at the address at which a policy is published, as a polite visitor: one that says who it is, keeps to
robots.txt and takes little. Reads no rows and writes none.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from http.client import HTTPResponse
from urllib.parse import urljoin, urlsplit

from protego import Protego

from handrail.core.outside import Deadline, NotAllowed, OutsideError, StrangeAnswer, answered, spelled
from handrail.policies.models import Outcome

NAME = "Handrail"
"""By which a website's robots.txt may speak to us."""

SECONDS = 10.0
"""How long one look may take, with all that it leads to."""

LARGEST, LARGEST_ROBOTS = 10_000_000, 500_000
"""Bytes that are read; what comes after them is left."""

MOVED = (301, 302, 303, 307, 308)
REDIRECTS = 5


@dataclass(frozen=True)
class Seen:
    """What came of a look. `why` ends a sentence that begins with the address; `pause` is for how many seconds the
    website asks to be left alone.
    """

    outcome: Outcome
    why: str = ""
    status: int | None = None
    content_type: str = ""
    digest: str = ""
    pause: float = 0.0
    hosts: tuple[str, ...] = ()
    """Where it led, the first among them."""


class HostIsBusy(Exception):
    """Somebody else is at a host that the address leads to: look again later."""


class AskedNotTo(OutsideError):
    """The website does not want programs there."""


def look(
    address: str, *, agent: str, seconds: float = SECONDS, take_turn: Callable[[str], bool] = lambda _: True
) -> Seen:
    """See whether something can be read at the address, and whether it is the same as before by its digest.

    Each address that it leads on to is checked like the first. `agent` says who asks, and `take_turn` whether nobody
    else is at a host. Raises HostIsBusy.
    """
    visit = _Visit(agent, Deadline(seconds), take_turn)
    try:
        with visit.answer(spelled(address)) as response:
            found = _seen(response)
    except AskedNotTo as refusal:
        found = Seen(Outcome.ASKED_NOT_TO, str(refusal))
    except OutsideError as error:
        found = Seen(Outcome.NOT_FOUND, str(error))
    return replace(found, pause=visit.pause, hosts=tuple(visit.hosts))


class _Visit:
    """One look, with the rules of each website that it leads to."""

    def __init__(self, agent: str, deadline: Deadline, take_turn: Callable[[str], bool]) -> None:
        self.headers, self.deadline = {"User-Agent": agent, "Accept": "*/*"}, deadline
        self.take_turn = take_turn
        self.hosts: list[str] = []
        self.rules: dict[str, Protego] = {}

    @property
    def pause(self) -> float:
        return max((each.crawl_delay(NAME) or 0.0 for each in self.rules.values()), default=0.0)

    @contextmanager
    def answer(self, address: str, *, is_for_robots: bool = False) -> Iterator[HTTPResponse]:
        """What is at the end of the addresses that this one leads to. Raises OutsideError."""
        for _ in range(REDIRECTS + 1):
            self.go_to(urlsplit(address).netloc.lower())
            if not (is_for_robots or self.may_look_at(address)):
                raise AskedNotTo("asks programs not to look at it")
            with answered(address, deadline=self.deadline, headers=self.headers, may_be_plain=True) as response:
                there = _in_utf_8(response.getheader("Location", "")) if response.status in MOVED else ""
                if not there:
                    yield response
                    return
            try:
                address = spelled(urljoin(address, there))
            except (ValueError, NotAllowed):
                raise NotAllowed("leads to something that is not a web address") from None
        raise StrangeAnswer("leads on to another address again and again")

    def go_to(self, host: str) -> None:
        """Be the only one at a host until the look is over. Raises HostIsBusy."""
        if host not in self.hosts:
            if not self.take_turn(host):
                raise HostIsBusy
            self.hosts.append(host)

    def may_look_at(self, address: str) -> bool:
        place = urlsplit(address)
        website = f"{place.scheme}://{place.netloc}"
        if website not in self.rules:
            self.rules[website] = self.rules_of(website)
        return self.rules[website].can_fetch(address, NAME)

    def rules_of(self, website: str) -> Protego:
        """Its robots.txt. One that is not there forbids nothing. One that answers with an error forbids all (RFC 9309),
        but a website that does not work has not asked anybody to stay away.
        """
        with self.answer(f"{website}/robots.txt", is_for_robots=True) as response:
            if response.status == 429:
                raise AskedNotTo("asks programs to come back later (status 429 for robots.txt)")
            if response.status >= 500:
                raise StrangeAnswer(f"answers with an error (status {response.status} for robots.txt)")
            said = response.read(LARGEST_ROBOTS) if response.status == 200 else b""
        return Protego.parse(said.decode(errors="replace"))


def _in_utf_8(header: str) -> str:
    """A header as it was written where that was in UTF-8; http.client reads each byte as a letter."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _seen(response: HTTPResponse) -> Seen:
    status = response.status
    barring = {403: "does not let programs in", 429: "asks programs to come back later"}
    if status in barring:
        return Seen(Outcome.ASKED_NOT_TO, f"{barring[status]} (status {status})", status)
    if status != 200:
        said = {404: "answers that nothing is there", 410: "answers that nothing is there any more"}
        barred = "does not let everybody in" if status == 401 else "answers with an error"
        return Seen(Outcome.NOT_FOUND, f"{said.get(status, barred)} (status {status})", status)
    body = response.read(LARGEST)
    if not body or (response.length and len(body) < LARGEST):
        raise StrangeAnswer("breaks off before anything can be read")
    kind = response.headers.get_content_type()
    kind = kind[:100] if kind.isascii() and kind.isprintable() else ""
    content = words_of(body) if kind in ("text/html", "application/xhtml+xml") else body
    return Seen(Outcome.FOUND, "", status, kind, sha256(content).hexdigest())


HIDDEN = (b"<script", b"<style", b"<template", b"<noscript")


def words_of(page: bytes) -> bytes:
    """The words that people read on a page: what is around them differs each time it is asked for.

    Whatever is sent, it is gone through once.
    """
    lowered, found, place = page.lower(), [], 0
    while (tag := page.find(b"<", place)) != -1:
        found.append(page[place:tag])
        end = b">"
        if page.startswith(b"<!--", tag):
            end = b"-->"
        elif lowered.startswith(HIDDEN, tag):
            end = b"</" + next(each[1:] for each in HIDDEN if lowered.startswith(each, tag))
        place = lowered.find(end, tag)
        if place == -1:
            break
        place += len(end) if end.endswith(b">") else 0
    else:
        found.append(page[place:])
    return b" ".join(b" ".join(found).split())
