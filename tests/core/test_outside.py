"""Asking servers whose address somebody typed in: only public ones, only the address that was checked, not for long."""

import ipaddress
import socket
import ssl
import time
from typing import Any

import pytest
from servers import Server, certificate, dripping, names, saying

from handrail.core import outside
from handrail.core.outside import Deadline, NoAnswer, NotAllowed, StrangeAnswer, TooSlow, ask, checked, is_public

__all__ = ["names"]

LONG = 10
"""Seconds that nobody waits."""

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"ok": true}'


class TestAnAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "", "x", "https://", "ftp://x.example/", "http://x.example/", "https://user@x.example/",
            "https://user:secret@x.example/", "https://x.example:0/", "https://x.example:99999/", "https://[::1/",
            "https://x.example/a b", "https://x.example/\n", "https://\u0435xample.example/", "javascript:alert(1)",
            "file:///etc/passwd", "//x.example/",
        ],
    )  # fmt: skip
    def test_is_refused_by_its_spelling(self, settings, address):
        settings.ALLOWS_LOOPBACK = False
        with pytest.raises(NotAllowed):
            checked(address)

    def test_of_https_is_taken(self, settings):
        settings.ALLOWS_LOOPBACK = False
        assert checked("https://login.example:8443/a?b=c").port == 8443

    @pytest.mark.parametrize(
        "address",
        [
            "0.0.0.0", "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
            "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
            "fec0::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "2002:a00:1::1",
            "2001:0:a00:1::1", "::10.0.0.1",
        ],
    )  # fmt: skip
    def test_that_is_not_public_is_none_of_ours(self, settings, address):
        settings.ALLOWS_LOOPBACK = False
        assert not is_public(ipaddress.ip_address(address))
        host = f"[{address}]" if ":" in address else address
        with pytest.raises(NotAllowed, match="public"):
            ask(f"https://{host}/", deadline=Deadline())

    @pytest.mark.parametrize("address", ["8.8.8.8", "51.140.1.1", "2a00:1450:4009::1", "2606:4700::1111"])
    def test_that_is_public_is(self, address):
        assert is_public(ipaddress.ip_address(address))

    @pytest.mark.parametrize(
        "address, asked",
        [
            ("https://École.example:8443/ü?a=b", "https://xn--cole-9oa.example:8443/%C3%BC?a=b"),
            ("https://ysgol-tŷ-ddewi.example", "https://xn--ysgol-t-ddewi-92c.example"),
            ("https://１０.0.0.1/", "https://10.0.0.1/"),
            ("https://x.example/ü", "https://x.example/%C3%BC"),
        ],
    )
    def test_is_spelled_as_it_is_asked(self, address, asked):
        assert outside.spelled(address) == asked

    @pytest.mark.parametrize("host", ["é" * 60 + ".example", "é..example", "é＠x.example"])
    def test_that_cannot_be_spelled_is_refused(self, host):
        with pytest.raises(NotAllowed):
            outside.spelled(f"https://{host}/")

    @pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "127.1", "0177.0.0.1", "localhost"])
    def test_in_another_spelling_is_a_name_that_nobody_has(self, settings, names, host):
        settings.ALLOWS_LOOPBACK = False
        names.answers = []
        with pytest.raises(NoAnswer):
            ask(f"https://{host}/", deadline=Deadline())

    @pytest.mark.parametrize(
        "host",
        [
            "0x7f.1", "2130706433", "127.1", "127.0.0.1.", "10.0.0.1。", "localhost.", "policy.localhost", "[::1]",
            "10.0.0.1",
        ],
    )  # fmt: skip
    def test_of_one_machine_is_of_nobody_else_however_it_is_spelled(self, settings, host):
        settings.ALLOWS_LOOPBACK = False
        assert not outside.may_be_of_everybody(f"https://{host}/policy")

    @pytest.mark.parametrize("host", ["8.8.8.8", "8.8.8.8.", "x.example", "x.example.", "3com.example", "x.0xample"])
    def test_of_everybody_is(self, host):
        assert outside.may_be_of_everybody(f"https://{host}/policy")

    def test_of_loopback_is_for_tests_and_demos(self, settings):
        with Server(saying(ANSWER)) as server:
            assert ask(f"http://127.0.0.1:{server.port}/", deadline=Deadline()) == (200, {"ok": True})
            settings.ALLOWS_LOOPBACK = False
            for scheme in ("http", "https"):
                with pytest.raises(NotAllowed):
                    ask(f"{scheme}://127.0.0.1:{server.port}/", deadline=Deadline())
            assert len(server.requests) == 1

    def test_of_plain_http_is_for_loopback_alone(self, names):
        names.answers = ["8.8.8.8"]
        with pytest.raises(NotAllowed, match="public"):
            ask("http://somewhere.test/", deadline=Deadline())


class TestAName:
    @pytest.mark.parametrize(
        "addresses", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["8.8.8.8", "fd00::1"], ["169.254.169.254"], ["::1"]]
    )
    def test_is_refused_when_one_of_its_addresses_is_not_public(self, settings, names, addresses):
        settings.ALLOWS_LOOPBACK = False
        names.answers = addresses
        with pytest.raises(NotAllowed, match="public"):
            ask("https://rebind.test/", deadline=Deadline())

    def test_is_asked_for_once_and_what_was_checked_is_connected_to(self, names, monkeypatch):
        """A name server that gives another answer a moment later changes nothing: nobody asks it again."""
        names.answers = ["127.0.0.1"]
        system, looked_up = socket.getaddrinfo, []

        def noted(host: str, *rest: Any, **more: Any) -> Any:
            looked_up.append(host)
            return system(host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", noted)
        with Server(saying(ANSWER)) as server:
            ask(f"http://rebind.test:{server.port}/", deadline=Deadline())
            assert f"Host: rebind.test:{server.port}".encode() in server.requests[0]
        assert names.asked == ["rebind.test. AAAA", "rebind.test. A"]
        assert set(looked_up) <= {"127.0.0.1"}

    def test_that_takes_long_to_find_ends_at_the_deadline(self, names):
        names.answers, names.pause = ["127.0.0.1"], LONG
        began = time.monotonic()
        with pytest.raises(TooSlow):
            ask("http://slow.test/", deadline=Deadline(0.5))
        assert time.monotonic() - began < LONG

    def test_that_is_not_there_is_said(self, names):
        names.answers = []
        with pytest.raises(NoAnswer, match="is not known on the internet"):
            ask("https://nowhere.test/", deadline=Deadline())


class TestTls:
    @pytest.fixture
    def trusted(self, tmp_path, monkeypatch):
        """A server's context whose certificate is trusted in this test, for secure.test."""
        context = certificate(tmp_path, "secure.test")
        monkeypatch.setattr(outside, "_TLS", ssl.create_default_context(cafile=str(tmp_path / "certificate.pem")))
        return context

    def test_is_spoken(self, names, trusted):
        names.answers = ["127.0.0.1"]
        with Server(saying(ANSWER), trusted) as server:
            answer = ask(f"https://secure.test:{server.port}/", deadline=Deadline(), form={"a": "b c"})
            assert answer == (200, {"ok": True})
            assert server.requests[0].startswith(b"POST / HTTP/1.1")
            assert server.requests[0].endswith(b"a=b+c")

    def test_is_refused_for_another_name(self, names, trusted):
        names.answers = ["127.0.0.1"]
        with Server(saying(ANSWER), trusted) as server:
            with pytest.raises(NoAnswer, match="certificate"):
                ask(f"https://another.test:{server.port}/", deadline=Deadline())
            assert server.requests == []

    def test_is_refused_when_nobody_vouches_for_it(self, names, tmp_path):
        names.answers = ["127.0.0.1"]
        with (
            Server(saying(ANSWER), certificate(tmp_path, "secure.test")) as server,
            pytest.raises(NoAnswer, match="certificate"),
        ):
            ask(f"https://secure.test:{server.port}/", deadline=Deadline())

    def test_that_never_begins_ends_at_the_deadline(self, names):
        names.answers = ["127.0.0.1"]
        with Server(lambda _: time.sleep(LONG)) as server, pytest.raises(TooSlow):
            ask(f"https://secure.test:{server.port}/", deadline=Deadline(0.5))


class TestAnAnswer:
    @pytest.mark.parametrize(
        "deed",
        [
            lambda _: time.sleep(LONG),
            dripping(ANSWER, 0.2),
            lambda stream: (stream.sendall(ANSWER[:40]), time.sleep(LONG)),
            lambda stream: (stream.sendall(ANSWER[:-1]), time.sleep(LONG)),
        ],
        ids=["silent", "dripping", "half a header", "half a body"],
    )
    def test_is_waited_for_until_the_deadline(self, deed):
        began = time.monotonic()
        with Server(deed) as server, pytest.raises(TooSlow):
            ask(f"http://127.0.0.1:{server.port}/", deadline=Deadline(0.5))
        assert 0.4 < time.monotonic() - began < LONG

    @pytest.mark.parametrize(
        ("content", "error", "words"),
        [
            (b"", NoAnswer, "does not answer"),
            (b"nonsense\r\n\r\n", NoAnswer, "does not answer"),
            (b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"a": ', StrangeAnswer, "JSON"),
            (b"HTTP/1.1 200 OK\r\n\r\nhello", StrangeAnswer, "JSON"),
            (b"HTTP/1.1 200 OK\r\n\r\n[1]", StrangeAnswer, "JSON"),
            (b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe", StrangeAnswer, "JSON"),
            (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 200_000, StrangeAnswer, "JSON"),
            (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1_000_001, StrangeAnswer, "more than is read"),
            (b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n", StrangeAnswer, "leads to another address"),
            (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}", NoAnswer, "does not answer"),
        ],
        ids=lambda each: repr(each)[:30],
    )
    def test_that_is_none_is_said(self, content, error, words):
        with Server(saying(content)) as server, pytest.raises(error, match=words):
            ask(f"http://127.0.0.1:{server.port}/", deadline=Deadline(3))

    def test_in_pieces_is_put_together(self):
        chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n'
        with Server(saying(chunked)) as server:
            assert ask(f"http://127.0.0.1:{server.port}/", deadline=Deadline()) == (200, {"a": 1})

    def test_is_not_expected_where_nobody_listens(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(NoAnswer, match="does not answer"):
            ask(f"http://127.0.0.1:{port}/", deadline=Deadline())
