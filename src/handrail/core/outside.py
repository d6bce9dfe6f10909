"""Asking servers whose address somebody typed in: public addresses alone, and not for long.

A name is looked up once, here. Every address that it has must be public, and the connection goes to one of those, so
that a second answer of the name server changes nothing. Nothing here follows an answer to another address: whoever does
asks anew, and all of this holds again.
"""

import http.client
import io
import ipaddress
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit, urlunsplit

import dns.exception
import dns.resolver
from django.conf import settings
from django.utils.encoding import iri_to_uri, punycode

SECONDS = 5.0
"""How long everything that is asked for one page may take together."""

LARGEST = 1_000_000
"""Bytes of an answer."""

INSIDE_OTHERS = [ipaddress.ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")]
"""Addresses that carry another one, which may be private."""


class OutsideError(Exception):
    """No answer that can be used. The message says why, as the end of a sentence that begins with the address."""


class NotAllowed(OutsideError):
    """The address is none that we ask."""


class NoAnswer(OutsideError):
    """Nobody answers there."""


class TooSlow(OutsideError):
    """The answer had not come when the time was over."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"did not answer within {seconds:g} seconds")


class StrangeAnswer(OutsideError):
    """Somebody answers, but not with what was asked for."""


class Deadline:
    """A moment at which everything that waits gives up, `seconds` from now."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left. Raises TooSlow when none are."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TooSlow(self.seconds)
        return left


def ask(
    address: str, *, deadline: Deadline, form: dict[str, str] | None = None, authorization: str = ""
) -> tuple[int, dict[str, Any]]:
    """The status and the JSON object that the address answers over https: to a GET, or to a POST of the form.

    Raises NotAllowed, NoAnswer, TooSlow and StrangeAnswer.
    """
    headers = {"Accept": "application/json", "User-Agent": "Handrail"}
    if authorization:
        headers["Authorization"] = authorization
    with answered(address, deadline=deadline, headers=headers, form=form) as response:
        if 300 <= response.status < 400:
            raise StrangeAnswer("leads to another address, which is not followed")
        body = response.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise StrangeAnswer("answers more than is read")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise StrangeAnswer(f"does not answer with JSON (status {response.status})")
    return response.status, answer


@contextmanager
def answered(
    address: str,
    *,
    deadline: Deadline,
    headers: Mapping[str, str],
    form: dict[str, str] | None = None,
    may_be_plain: bool = False,
) -> Iterator[http.client.HTTPResponse]:
    """What the address answers, to be read within the block and the deadline. Plain http only when that `may_be`.

    Raises NotAllowed, NoAnswer and TooSlow, also out of the block.
    """
    place = checked(address, may_be_plain=may_be_plain)
    try:
        with closing(_connected(place, deadline, may_be_plain)) as stream:
            yield _talk(place, _Hurried(stream, deadline), form, dict(headers))
    except TimeoutError:
        raise TooSlow(deadline.seconds) from None
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(f"has a certificate that is not valid for it ({error.verify_message})") from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer("does not answer") from error


def checked(address: str, *, may_be_plain: bool = False) -> SplitResult:
    """The parts of an address that may be asked, by its spelling. Raises NotAllowed."""
    try:
        place = urlsplit(address)
        is_whole = place.port != 0 and bool(place.hostname) and place.netloc.isascii() and address.isprintable()
    except ValueError:
        raise NotAllowed("is not a web address") from None
    if not is_whole or " " in address or place.username is not None:
        raise NotAllowed("is not a web address")
    if place.scheme != "https" and not (place.scheme == "http" and (may_be_plain or settings.ALLOWS_LOOPBACK)):
        raise NotAllowed("must begin with https://")
    return place


def spelled(address: str) -> str:
    """An address in the letters in which it is asked: of the name of its host by IDNA (RFC 3490), of the rest with
    percent signs (RFC 3987, 3.1). Raises NotAllowed.
    """
    try:
        place = urlsplit(address)
        host = place.hostname or ""
        if not host.isascii():
            netloc = place.netloc.lower().replace(host, punycode(host))
            address = urlunsplit(place._replace(netloc=netloc))
    except ValueError:  # such as a name that is too long
        raise NotAllowed("is not a web address") from None
    return str(iri_to_uri(address))


def _talk(
    place: SplitResult, stream: "_Hurried", form: dict[str, str] | None, headers: dict[str, str]
) -> http.client.HTTPResponse:
    host = str(place.hostname)
    connection = (
        http.client.HTTPSConnection(host, place.port, context=_TLS)
        if place.scheme == "https"
        else http.client.HTTPConnection(host, place.port)
    )
    connection.sock = stream
    headers["Connection"] = "close"
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    path = (place.path or "/") + (f"?{place.query}" if place.query else "")
    connection.request("GET" if form is None else "POST", path, urlencode(form) if form else None, headers)
    return connection.getresponse()


# -- connecting ------------------------------------------------------------------------------------------

_TLS = ssl.create_default_context()


def _connected(place: SplitResult, deadline: Deadline, may_be_plain: bool) -> socket.socket:
    """A connection to one of the addresses that were checked."""
    addresses = _public_addresses(place, deadline, may_be_plain)
    port = place.port or (443 if place.scheme == "https" else 80)
    for number, each in enumerate(addresses):
        try:
            found = socket.create_connection((each, port), timeout=deadline.left() / (len(addresses) - number))
            break
        except OSError:
            if number == len(addresses) - 1:
                raise
    if place.scheme != "https":
        return found
    try:
        found.settimeout(deadline.left())
        return _TLS.wrap_socket(found, server_hostname=place.hostname)
    except BaseException:
        found.close()
        raise


def _public_addresses(place: SplitResult, deadline: Deadline, may_be_plain: bool) -> list[str]:
    """Every address of the host, those of the older kind first. Raises NotAllowed when one of them is not public."""
    found = _looked_up(str(place.hostname), deadline)
    for each in found:
        is_loopback = each.is_loopback and settings.ALLOWS_LOOPBACK
        if not (is_public(each) and (place.scheme == "https" or may_be_plain)) and not is_loopback:
            raise NotAllowed("is not a public address")
    return [str(each) for each in sorted(found, key=lambda each: each.version)]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it is one of the internet: none of a private network, of this machine or of its surroundings."""
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.is_site_local):
        return False
    if any(address in each for each in INSIDE_OTHERS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


READ_AS_NUMBER = re.compile(r"\d*|0x[\da-f]*")
"""The last part of a name that browsers read as a number, as of 127.1 (URL Standard, “ends in a number”)."""


def may_be_of_everybody(address: str) -> bool:
    """Whether everybody could reach an address, as far as its spelling says, and before its name is looked up: it has
    no user name, and no number in place of a name but a public one.
    """
    try:
        host = str(checked(spelled(address), may_be_plain=True).hostname).rstrip(".")
    except NotAllowed:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return settings.ALLOWS_LOOPBACK
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return not READ_AS_NUMBER.fullmatch(host.rpartition(".")[2])
    return is_public(number) or (number.is_loopback and settings.ALLOWS_LOOPBACK)


def _looked_up(host: str, deadline: Deadline) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    if settings.ALLOWS_LOOPBACK and host.endswith(".localhost"):  # as browsers do: the websites of the demo
        return [ipaddress.IPv4Address("127.0.0.1")]
    try:
        answers = dns.resolver.resolve_name(host, lifetime=deadline.left())
        return [ipaddress.ip_address(each) for each in answers.addresses()]
    except dns.exception.Timeout:
        raise TooSlow(deadline.seconds) from None
    except dns.exception.DNSException:
        raise NoAnswer("is not known on the internet") from None


class _Hurried:
    """A connection whose every wait ends at the deadline, as `http.client` uses one. Whoever made it closes it."""

    def __init__(self, stream: socket.socket, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def sendall(self, content: bytes) -> None:
        self._stream.settimeout(self._deadline.left())
        self._stream.sendall(content)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._stream, self._deadline))

    def close(self) -> None:
        pass


class _Reading(io.RawIOBase):
    def __init__(self, stream: socket.socket, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._stream.settimeout(self._deadline.left())
        return self._stream.recv_into(buffer)
