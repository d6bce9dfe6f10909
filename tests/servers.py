"""Servers on loopback that do as they are told, a name server among them: what is asked outside meets these."""

import re
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rdatatype
import dns.resolver
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Server:
    """Takes connections on loopback and does with each as it is told."""

    def __init__(self, deed: Any, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                stream = self.request
                try:
                    if tls:
                        stream = tls.wrap_socket(stream, server_side=True)
                    server.requests.append(whole_request(stream))
                    deed(stream)
                except OSError:
                    pass

        self.tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.tcp.daemon_threads = True
        self.port = self.tcp.server_address[1]
        threading.Thread(target=self.tcp.serve_forever, args=[0.01], daemon=True).start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: Any) -> None:
        self.tcp.shutdown()
        self.tcp.server_close()


def whole_request(stream: Any) -> bytes:
    """Its headers, and its body when it says that it has one."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += stream.recv(65536) or b"\r\n\r\n"
    length = re.search(rb"Content-Length: (\d+)", found)
    while length and len(found.partition(b"\r\n\r\n")[2]) < int(length[1]):
        found += stream.recv(65536)
    return found


def saying(content: bytes) -> Any:
    return lambda stream: stream.sendall(content)


class Names(socketserver.BaseRequestHandler):
    """A name server: answers each question with its addresses."""

    answers: list[str] = []
    asked: list[str] = []
    pause = 0.0

    def handle(self) -> None:
        content, connection = self.request
        question = dns.message.from_wire(content)
        time.sleep(Names.pause)
        [asked] = question.question
        kind = dns.rdatatype.to_text(asked.rdtype)
        Names.asked.append(f"{asked.name} {kind}")
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        right = [each for each in Names.answers if (":" in each) == (kind == "AAAA")]
        if right:
            answer.answer.append(dns.rrset.from_text(asked.name, 1, "IN", kind, *right))
        connection.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The name server that is asked in this test."""
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        Names.asked, Names.pause = [], 0.0
        yield Names
        server.shutdown()


def dripping(content: bytes, pause: float) -> Any:
    def deed(stream: Any) -> None:
        for byte in content:
            stream.sendall(bytes([byte]))
            time.sleep(pause)

    return deed


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A server's half of TLS, with a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
