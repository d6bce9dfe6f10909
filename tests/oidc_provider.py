"""An OpenID Connect provider in a process of its own, which can be told to misbehave.

It signs people in without asking anything: whoever comes to its sign-in page is `person`. Written on another library
than the product's own checks. `python tests/oidc_provider.py NUMBER` serves on the listening socket of that number.
"""

import base64
import hashlib
import hmac
import json
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

from joserfc import jwt
from joserfc.jwk import RSAKey

from infra.embedded.processes import dies_with_parent

CLIENT_ID, CLIENT_SECRET = "handrail-of-barsetshire", "s3cret: with % and +"
KEY, ANOTHERS_KEY = (RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}, private=True) for _ in range(2))
WELL_BEHAVED: dict[str, Any] = {
    "person": "subject-of-hana",  # who is at the browser
    "claims": {},  # put into the token, over what belongs there; null takes a claim out
    "signed_in_ago": 0,  # seconds since the person signed in; it goes by that whatever it is asked for
    "signed": "RS256",  # or "none", "HS256" with the public key as its secret, "another key", "broken"
    "discovery": {},  # over what it says about itself
    "keys": None,  # instead of its own
    "slow": {},  # by path: seconds before it answers
    "drip": {},  # by path: seconds between the bytes of its answer
    "answers": {},  # by path: [status, body] or [status, body, headers] instead of what it would say
    "error": "",  # sent back from its sign-in page instead of a code
    "auth": ["client_secret_basic"],
}


class Provider(BaseHTTPRequestHandler):
    behaviour: ClassVar[dict[str, Any]] = dict(WELL_BEHAVED)
    codes: ClassVar[dict[str, dict[str, str]]] = {}
    asked: ClassVar[list[str]] = []

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        self.serve(place.path, {name: values[0] for name, values in parse_qs(place.query).items()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/behave":
            Provider.behaviour = WELL_BEHAVED | json.loads(body)
            asked, Provider.asked = Provider.asked, []
            self.answer(200, {"asked": asked})
        else:
            self.serve(self.path, {name: values[0] for name, values in parse_qs(body).items()})

    def serve(self, path: str, given: dict[str, str]) -> None:
        Provider.asked.append(path)
        time.sleep(self.behaviour["slow"].get(path, 0))
        if path in self.behaviour["answers"]:
            status, body, *headers = self.behaviour["answers"][path]
            return self.answer(status, body, headers=headers[0] if headers else {})
        pages = {
            "/.well-known/openid-configuration": self.discovery,
            "/keys": self.keys,
            "/authorize": self.authorize,
            "/token": self.token,
        }
        return pages[path](given) if path in pages else self.answer(404, {"error": "not_found"})

    def discovery(self, given: dict[str, str]) -> None:
        says = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": self.behaviour["auth"],
            "code_challenge_methods_supported": ["S256"],
        }
        found = says | self.behaviour["discovery"]
        self.answer(200, {name: value for name, value in found.items() if value is not None})

    def keys(self, given: dict[str, str]) -> None:
        own = {"keys": [KEY.as_dict(private=False)]}
        self.answer(200, own if self.behaviour["keys"] is None else self.behaviour["keys"])

    def authorize(self, given: dict[str, str]) -> None:
        back = {"state": given["state"]}
        if self.behaviour["error"]:
            back["error"] = self.behaviour["error"]
        elif given["client_id"] != CLIENT_ID or given["response_type"] != "code" or "openid" not in given["scope"]:
            back["error"] = "invalid_request"
        else:
            back["code"] = secrets.token_urlsafe(16)
            Provider.codes[back["code"]] = given | {"person": self.behaviour["person"]}
        self.send_response(302)
        self.send_header("Location", f"{given['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def token(self, given: dict[str, str]) -> None:
        if self.client(given) != (CLIENT_ID, CLIENT_SECRET):
            return self.answer(401, {"error": "invalid_client"})
        flow = Provider.codes.pop(given.get("code", ""), None)  # a code is good once
        if not flow or flow["redirect_uri"] != given.get("redirect_uri"):
            return self.answer(400, {"error": "invalid_grant"})
        proof = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).rstrip(b"=")
        if flow["code_challenge_method"] != "S256" or flow["code_challenge"] != proof.decode():
            return self.answer(400, {"error": "invalid_grant"})
        return self.answer(
            200,
            {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": self.id_token(flow)},
        )

    def client(self, given: dict[str, str]) -> tuple[str, str]:
        kind, _, credentials = self.headers.get("Authorization", "").partition(" ")
        if self.behaviour["auth"] == ["client_secret_basic"] and kind == "Basic":
            name, _, secret = base64.b64decode(credentials).decode().partition(":")
            return unquote(name), unquote(secret)
        return given.get("client_id", ""), given.get("client_secret", "")

    def id_token(self, flow: dict[str, str]) -> str:
        now = int(time.time())
        own = {
            "iss": self.issuer,
            "sub": flow["person"],
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": flow["nonce"],
            "auth_time": now - self.behaviour["signed_in_ago"],
        }
        claims = {name: value for name, value in (own | self.behaviour["claims"]).items() if value is not None}
        signed = self.behaviour["signed"]
        if signed == "none":
            return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."
        if signed == "HS256":
            signed_part = f"{_part({'alg': 'HS256', 'kid': 'first'})}.{_part(claims)}"  # no library makes such a token
            signature = hmac.digest(KEY.as_pem(private=False), signed_part.encode(), "sha256")
            return f"{signed_part}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        key = ANOTHERS_KEY if signed == "another key" else KEY
        token = jwt.encode({"alg": "RS256", "kid": "first"}, claims, key)
        if signed == "broken":
            header, _, signature = token.split(".")
            return f"{header}.{_part(claims | {'sub': 'subject-of-somebody-else'})}.{signature}"
        return token

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        pause = self.behaviour["drip"].get(urlsplit(self.path).path, 0)
        for byte in content if pause else ():
            time.sleep(pause)
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
        if not pause:
            self.wfile.write(content)

    def handle(self) -> None:
        """Whoever hangs up first is no fault of ours."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        pass


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


class Running:
    """The process, as tests see it."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"

    def behave(self, **behaviour: Any) -> list[str]:
        """Do this from now on and nothing else that is wrong. Gives the paths that it was asked for since."""
        request = Request(f"{self.issuer}/behave", json.dumps(behaviour).encode())
        with urlopen(request, timeout=60) as answer:
            asked: list[str] = json.load(answer)["asked"]
        return asked

    def visit(self, address: str) -> str:
        """What a browser does at its sign-in page: the address that it is sent back to."""
        opener = build_opener(_NoRedirects)
        with opener.open(address, timeout=60) as answer:
            return str(answer.headers["Location"])


class _NoRedirects(HTTPRedirectHandler):
    def http_error_302(self, _request: Any, page: Any, *_: Any) -> Any:
        return page


@contextmanager
def provider_process(log: Path) -> Iterator[Running]:
    """It answers from the start: who asks before it is ready waits in the queue of the socket that it is given."""
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("ab") as out:
        place = listening.fileno()
        process = subprocess.Popen(
            [sys.executable, __file__, str(place)],
            pass_fds=[place],
            stdout=out,
            stderr=out,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
        port = listening.getsockname()[1]
    try:
        yield Running(port)
    finally:
        process.kill()
        process.wait()


def serve(listening: socket.socket) -> None:
    with ThreadingHTTPServer(listening.getsockname(), Provider, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = listening
        server.serve_forever()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
