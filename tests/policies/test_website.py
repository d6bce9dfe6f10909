"""Looking at the address of a policy: politely, at public addresses alone, not for long and not for much."""

import ssl
import time
from hashlib import sha256
from typing import Any

import pytest
from servers import Names, Server, certificate, dripping, names, saying

from handrail.core import outside
from handrail.policies import website
from handrail.policies.models import Outcome
from handrail.policies.website import Seen, look, words_of

__all__ = ["names"]

AGENT = "Handrail (a test, https://barsetshire.example/)"
SECONDS = 3
LONG = 10
"""Seconds that nobody waits."""


def http(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK", kind: bytes = b"application/pdf") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: " + kind, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


NOT_THERE = http(status=b"404 Not Found")
PDF = http(b"%PDF-1.7 the policy")


def serving(answers: dict[str, Any], robots: bytes = NOT_THERE) -> Server:
    """A website with these answers by path, and this robots.txt. What is no bytes is what it does."""
    by_path = {"/robots.txt": robots, **answers}

    def deed(stream: Any) -> None:
        path = website_of.requests[-1].split(b" ")[1].decode()
        answer = by_path.get(path, NOT_THERE)
        answer(stream) if callable(answer) else stream.sendall(answer)

    website_of = Server(deed)
    return website_of


def asked(server: Server) -> list[str]:
    return [each.split(b" ")[1].decode() for each in server.requests]


def at(server: Server, path: str = "/policy.pdf", host: str = "127.0.0.1") -> str:
    return f"http://{host}:{server.port}{path}"


def seen_at(server: Server, path: str = "/policy.pdf", **more: Any) -> Seen:
    return look(at(server, path), agent=AGENT, **{"seconds": SECONDS, **more})


class TestALook:
    def test_sees_a_file_and_says_who_looks(self):
        with serving({"/policy.pdf": PDF}) as server:
            found = seen_at(server)
            assert asked(server) == ["/robots.txt", "/policy.pdf"]
            assert all(f"User-Agent: {AGENT}".encode() in each for each in server.requests)
        assert (found.outcome, found.status, found.content_type) == (Outcome.FOUND, 200, "application/pdf")
        assert len(found.digest) == 64

    def test_tells_a_changed_file_from_the_same(self):
        with serving({"/policy.pdf": PDF, "/new.pdf": http(b"%PDF-1.7 the new policy")}) as server:
            assert seen_at(server).digest == seen_at(server).digest != seen_at(server, "/new.pdf").digest

    def test_is_at_a_name_in_any_letters(self, names):
        names.answers = ["127.0.0.1"]
        with serving({"/policy.pdf": PDF}) as server:
            found = look(at(server, host="école.test"), agent=AGENT, seconds=SECONDS)
            assert all(b"Host: xn--cole-9oa.test" in each for each in server.requests)
        assert (found.outcome, found.hosts) == (Outcome.FOUND, (f"xn--cole-9oa.test:{server.port}",))

    def test_of_a_page_goes_by_its_words(self):
        pages = {
            "/a": b"<html><script>let token = 1;</script><p class='x'>Our <b>policy</b></p>",
            "/b": b"<html><!-- 14 ms --><script>let token = 2;</script>\n<p>Our <i>policy</i></p>",
            "/c": b"<html><p>Our other policy</p>",
        }
        with serving({path: http(page, kind=b"text/html; charset=utf-8") for path, page in pages.items()}) as server:
            a, b, c = (seen_at(server, path) for path in pages)
        assert a.digest == b.digest != c.digest
        assert a.content_type == "text/html"

    @pytest.mark.parametrize(
        ("status", "outcome", "why"),
        [
            (b"404 Not Found", Outcome.NOT_FOUND, "answers that nothing is there (status 404)"),
            (b"410 Gone", Outcome.NOT_FOUND, "answers that nothing is there any more (status 410)"),
            (b"401 Who", Outcome.NOT_FOUND, "does not let everybody in (status 401)"),
            (b"403 Forbidden", Outcome.ASKED_NOT_TO, "does not let programs in (status 403)"),
            (b"500 Oh", Outcome.NOT_FOUND, "answers with an error (status 500)"),
            (b"204 Nothing", Outcome.NOT_FOUND, "answers with an error (status 204)"),
            (b"429 Slowly", Outcome.ASKED_NOT_TO, "asks programs to come back later (status 429)"),
        ],
    )
    def test_says_why_there_is_nothing(self, status, outcome, why):
        with serving({"/policy.pdf": http(status=status)}) as server:
            found = seen_at(server)
        assert (found.outcome, found.why, found.digest) == (outcome, why, "")
        assert found.status == int(status[:3])

    @pytest.mark.parametrize(
        "answer", [b"", http(), b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n%PDF"], ids=["none", "empty", "half"]
    )
    def test_takes_no_half_answer_for_a_policy(self, answer):
        with serving({"/policy.pdf": answer}) as server:
            assert seen_at(server).outcome == Outcome.NOT_FOUND

    def test_takes_an_address_with_other_letters(self):
        with serving({"/p%C3%B6licy.pdf": PDF}) as server:
            assert seen_at(server, "/pölicy.pdf").outcome == Outcome.FOUND

    def test_keeps_nothing_of_a_header_that_is_no_kind_of_file(self):
        with serving({"/policy.pdf": http(b"x", kind=b"a/\x00" + b"b" * 300)}) as server:
            kind = seen_at(server).content_type
        assert "\x00" not in kind
        assert len(kind) <= 100


class TestRobots:
    @pytest.mark.parametrize(
        "said",
        [
            b"User-agent: *\nDisallow: /",
            b"User-agent: *\nDisallow: /*.pdf$",
            b"User-agent: handrail\nDisallow: /policy\nUser-agent: *\nAllow: /",
            b"User-agent: *\nDisallow: /\nAllow: /other.pdf",
        ],
    )
    def test_are_kept_to(self, said):
        with serving({"/policy.pdf": PDF}, http(said)) as server:
            found = seen_at(server)
            assert asked(server) == ["/robots.txt"]
        assert (found.outcome, found.why) == (Outcome.ASKED_NOT_TO, "asks programs not to look at it")

    @pytest.mark.parametrize(
        "robots",
        [
            http(b"User-agent: another\nDisallow: /"),
            http(b"User-agent: *\nDisallow: /\nAllow: /policy.pdf"),
            http(b"\xff\xfe nonsense"),
            NOT_THERE,
        ],
    )
    def test_that_do_not_forbid_it_let_us_look(self, robots):
        with serving({"/policy.pdf": PDF}, robots) as server:
            assert seen_at(server).outcome == Outcome.FOUND

    def test_that_cannot_be_had_let_nobody_look(self):
        """It is not found: a website that answers everything with an error must come to the school's notice."""
        with serving({"/policy.pdf": PDF}, http(status=b"503 Down")) as server:
            assert seen_at(server).outcome == Outcome.NOT_FOUND
            assert asked(server) == ["/robots.txt"]

    def test_that_ask_us_to_wait_let_nobody_look_and_count_as_no_failure(self):
        with serving({"/policy.pdf": PDF}, http(status=b"429 Slowly")) as server:
            found = seen_at(server)
            assert asked(server) == ["/robots.txt"]
        why = "asks programs to come back later (status 429 for robots.txt)"
        assert (found.outcome, found.why) == (Outcome.ASKED_NOT_TO, why)

    def test_say_how_long_to_leave_the_website_alone(self):
        with serving({"/policy.pdf": PDF}, http(b"User-agent: *\nCrawl-delay: 300")) as server:
            assert seen_at(server).pause == 300

    def test_of_where_it_leads_are_kept_to_as_well(self):
        with serving({"/elsewhere.pdf": PDF}, http(b"User-agent: *\nDisallow: /elsewhere")) as other:
            moved = http(b"", f"Location: {at(other, '/elsewhere.pdf')}".encode(), status=b"302 Found")
            with serving({"/policy.pdf": moved}) as server:
                assert seen_at(server).outcome == Outcome.ASKED_NOT_TO
            assert asked(other) == ["/robots.txt"]


class TestWhereItLeads:
    def test_is_followed_also_in_letters_beyond_ascii(self):
        moved = http(b"", "Location: /pölicy.pdf".encode(), status=b"302 Found")
        with serving({"/policy.pdf": moved, "/p%C3%B6licy.pdf": PDF}) as server:
            assert seen_at(server).outcome == Outcome.FOUND

    def test_is_followed(self):
        moved = http(b"", b"Location: new.pdf#page=2", status=b"301 Moved")
        with serving({"/policy.pdf": moved, "/new.pdf": PDF}) as server:
            assert seen_at(server).outcome == Outcome.FOUND
            assert asked(server) == ["/robots.txt", "/policy.pdf", "/new.pdf"]

    @pytest.mark.parametrize(
        "there",
        [
            "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://10.0.0.1/",
            "http://[::ffff:10.0.0.1]/", "https://192.168.1.1/", "http://0.0.0.0/", "//172.16.0.1/",
        ],
    )  # fmt: skip
    def test_is_never_an_address_inside(self, there):
        with serving({"/policy.pdf": http(b"", f"Location: {there}".encode(), status=b"302 Found")}) as server:
            found = seen_at(server)
        assert (found.outcome, found.why) == (Outcome.NOT_FOUND, "is not a public address")

    @pytest.mark.parametrize("there", ["file:///etc/passwd", "http://[::1", "https://a:b@x.example/", "gopher://x/"])
    def test_is_a_web_address_or_nothing(self, there):
        with serving({"/policy.pdf": http(b"", f"Location: {there}".encode(), status=b"302 Found")}) as server:
            assert seen_at(server).outcome == Outcome.NOT_FOUND
            assert asked(server) == ["/robots.txt", "/policy.pdf"]

    def test_waits_while_somebody_else_is_there(self):
        with serving({"/elsewhere.pdf": PDF}) as other:
            moved = http(b"", f"Location: {at(other, '/elsewhere.pdf')}".encode(), status=b"302 Found")
            with serving({"/policy.pdf": moved}) as server:
                here, there = (f"127.0.0.1:{each.port}" for each in (server, other))
                with pytest.raises(website.HostIsBusy):
                    seen_at(server, take_turn=lambda host: host == here)
                assert other.requests == []
                assert seen_at(server, take_turn=lambda _: True).hosts == (here, there)
            assert asked(other) == ["/robots.txt", "/elsewhere.pdf"]

    def test_has_an_end(self):
        again = http(b"", b"Location: /policy.pdf", status=b"302 Found")
        with serving({"/policy.pdf": again}) as server:
            assert seen_at(server).why == "leads on to another address again and again"
            assert len(asked(server)) == 2 + website.REDIRECTS


class TestAHostileAddress:
    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1", "127.8.8.8", "[::1]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[fe80::1]",
            "[fd00:ec2::254]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "0.0.0.0",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_is_refused(self, settings, scheme, host):
        settings.ALLOWS_LOOPBACK = False
        found = look(f"{scheme}://{host}/policy.pdf", agent=AGENT, seconds=SECONDS)
        assert (found.outcome, found.why) == (Outcome.NOT_FOUND, "is not a public address")

    def test_of_loopback_by_its_own_name_is_no_name_in_production(self, settings, names):
        settings.ALLOWS_LOOPBACK = False
        names.answers = ["127.0.0.1"]
        with serving({"/policy.pdf": PDF}) as server:
            assert look(at(server, host="x.localhost"), agent=AGENT, seconds=SECONDS).why == "is not a public address"
            assert server.requests == []

    def test_that_is_another_one_the_next_time_it_is_asked_for_is_refused_then(self, names):
        """The name is good when robots.txt is asked for, and private a moment later."""
        names.answers = ["127.0.0.1"]

        def rebinding(stream: Any) -> None:
            Names.answers = ["10.0.0.1"]
            stream.sendall(NOT_THERE)

        with serving({"/policy.pdf": PDF}, rebinding) as server:
            found = look(at(server, host="rebind.test"), agent=AGENT, seconds=SECONDS)
            assert asked(server) == ["/robots.txt"]
        assert found.why == "is not a public address"

    def test_with_one_address_inside_among_public_ones_is_refused(self, settings, names):
        settings.ALLOWS_LOOPBACK = False
        names.answers = ["8.8.8.8", "10.0.0.1"]
        assert look("http://two.test/", agent=AGENT, seconds=SECONDS).why == "is not a public address"


class TestABadServer:
    @pytest.mark.parametrize(
        "deed",
        [lambda _: time.sleep(LONG), dripping(http(b"x" * 200), 0.05), dripping(b"HTTP/1.1 302 Found\r\n" * 9, 0.05)],
        ids=["silent", "dripping body", "dripping header"],
    )
    def test_is_left_at_the_deadline(self, deed):
        began = time.monotonic()
        with serving({"/policy.pdf": deed}) as server:
            found = seen_at(server, seconds=1)
        assert time.monotonic() - began < LONG
        assert (found.outcome, found.why) == (Outcome.NOT_FOUND, "did not answer within 1 seconds")

    def test_has_ten_seconds_and_ten_megabytes(self):
        assert (website.SECONDS, website.LARGEST) == (10, 10_000_000)

    def test_has_one_deadline_for_all_that_it_leads_to(self):
        """Each answer comes in time; all of them together do not."""
        slow = dripping(http(b"", b"Location: /policy.pdf", status=b"302 Found"), 0.002)
        began = time.monotonic()
        with serving({"/policy.pdf": slow}, dripping(NOT_THERE, 0.002)) as server:
            found = seen_at(server, seconds=1)
            assert len(asked(server)) > 2
        assert time.monotonic() - began < LONG
        assert found.why == "did not answer within 1 seconds"

    def test_is_read_to_the_last_byte_that_is_allowed(self, monkeypatch):
        monkeypatch.setattr(website, "LARGEST", 300_000)
        with serving({"/policy.pdf": http(b"x" * 300_000 + b"y" * 5)}) as server:
            assert seen_at(server).digest == sha256(b"x" * 300_000).hexdigest()
        with serving({"/policy.pdf": http(b"x" * 299_999)}) as server:
            assert seen_at(server).digest == sha256(b"x" * 299_999).hexdigest()

    def test_that_never_stops_is_read_so_far_and_no_further(self, monkeypatch):
        monkeypatch.setattr(website, "LARGEST", 300_000)
        sent = []

        def endless(stream: Any) -> None:
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n")
            while True:
                stream.sendall(b"x" * 65536)
                sent.append(65536)

        with serving({"/policy.pdf": endless}) as server:
            assert seen_at(server).outcome == Outcome.FOUND
        assert sum(sent) < 20_000_000

    def test_with_another_certificate_is_none(self, names, tmp_path, monkeypatch):
        names.answers = ["127.0.0.1"]
        tls = certificate(tmp_path, "secure.test")
        trusted = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        monkeypatch.setattr(outside, "_TLS", trusted)
        with Server(saying(PDF), tls) as server:
            wrong = look(f"https://another.test:{server.port}/", agent=AGENT, seconds=SECONDS)
            right = look(f"https://secure.test:{server.port}/", agent=AGENT, seconds=SECONDS)
        assert wrong.why.startswith("has a certificate that is not valid for it")
        assert (wrong.outcome, right.outcome) == (Outcome.NOT_FOUND, Outcome.FOUND)

    @pytest.mark.parametrize("page", [b"<script", b"<!--", b"<style>", b"<p>a</p", b"<", b"x<!-"])
    def test_cannot_make_us_read_a_page_again_and_again(self, page):
        assert len(words_of(page * 50_000)) <= len(page) * 50_000
