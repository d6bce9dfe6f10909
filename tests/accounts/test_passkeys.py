"""A passkey proves itself for one question, once. The authenticator is one in software; a browser's is in journeys."""

import hashlib
import json
import secrets
from typing import Any

import pytest
from allauth.account.utils import user_pk_to_url_str
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from handrail.accounts.second_step.actions import add_passkey
from tenants.context import inside

pytestmark = pytest.mark.django_db

WITH_PASSKEY, AGAIN = "/sign-in/passkey/", "/account/second-step/again/"
FLAG = AuthenticatorData.FLAG


class Passkey:
    """What a person's device holds, and how it answers."""

    def __init__(self, user: Any, host: str) -> None:
        self.key, self.id = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
        self.handle = websafe_encode(user_pk_to_url_str(user).encode())
        self.host, self.signs = host, 0

    def data(self, flags: FLAG, more: bytes = b"") -> AuthenticatorData:
        return AuthenticatorData.create(hashlib.sha256(self.host.encode()).digest(), flags, self.signs, more)

    def told(self, what: str, challenge: str, origin: str) -> CollectedClientData:
        return CollectedClientData.create(f"webauthn.{what}", challenge, origin or f"http://{self.host}")

    def named(self, **response: Any) -> dict[str, Any]:
        return {"id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key",
                "response": response, "clientExtensionResults": {"credProps": {"rk": True}}}  # fmt: skip

    def made(self) -> dict[str, Any]:
        """What a browser sends when it has been made."""
        public = ES256.from_cryptography_key(self.key.public_key())
        held = AttestedCredentialData.create(bytes(16), self.id, public)
        attestation = AttestationObject.create("none", self.data(FLAG.UP | FLAG.UV | FLAG.AT, held), {})
        told = self.told("create", websafe_encode(b"any"), "")
        return self.named(clientDataJSON=websafe_encode(told), attestationObject=websafe_encode(attestation))

    def answer(self, question: Any, *, origin: str = "", flags: FLAG = FLAG.UP | FLAG.UV) -> str:
        """What a browser sends to prove that the person has it."""
        self.signs += 1
        told = self.told("get", question["publicKey"]["challenge"], origin)
        data = self.data(flags)
        signature = self.key.sign(data + told.hash, ec.ECDSA(hashes.SHA256()))
        return json.dumps(
            self.named(
                clientDataJSON=websafe_encode(told),
                authenticatorData=websafe_encode(data),
                signature=websafe_encode(signature),
                userHandle=self.handle,
            )
        )


@pytest.fixture
def passkey(one, cast, at):
    with inside(one):
        made = Passkey(cast.head, one.host)
        add_passkey(user=cast.head, name="Phone", credential=made.made(), by=cast.head, at=at)
        return made


def question(client: Any) -> Any:
    return client.get(WITH_PASSKEY, headers={"accept": "application/json"}).json()["request_options"]


def is_signed_in(client: Any) -> bool:
    return client.get("/account/").status_code == 200


def refused(client: Any, credential: str) -> bool:
    answer = client.post(WITH_PASSKEY, {"credential": credential})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
    assert "That passkey did not work" in client.get("/sign-in/").text
    return not is_signed_in(client)


class TestAnAnswer:
    def test_to_the_question_of_this_moment_signs_in(self, passkey, browse, cast):
        client = browse()
        client.post(WITH_PASSKEY, {"credential": passkey.answer(question(client))})
        assert cast.head.name in client.get("/account/").text

    def test_is_worth_nothing_a_second_time(self, passkey, browse):
        client, thief = browse(), browse()
        sent = passkey.answer(question(client))
        client.post(WITH_PASSKEY, {"credential": sent})
        assert is_signed_in(client)
        assert refused(thief, sent), "without a question"
        question(thief)
        assert refused(thief, sent), "to another question"
        client.post("/sign-out/")
        assert refused(client, sent), "in the browser that sent it"

    def test_to_an_older_question_is_refused(self, passkey, browse):
        client = browse()
        old = passkey.answer(question(client))
        question(client)
        assert refused(client, old)

    @pytest.mark.parametrize(
        "how",
        [{"origin": "http://borchester.localhost"}, {"origin": "https://evil.example"}, {"flags": FLAG.UP}],
        ids=str,
    )
    def test_for_another_site_or_without_checking_the_person_is_refused(self, passkey, browse, how):
        client = browse()
        assert refused(client, passkey.answer(question(client), **how))

    def test_is_worth_nothing_a_second_time_inside_a_session(self, passkey, browse, cast):
        """As a second step of who is signed in: what was sent at sign-in is no answer to what is asked now."""
        client = browse()
        sent = passkey.answer(question(client))
        client.post(WITH_PASSKEY, {"credential": sent})
        assert client.get(AGAIN).status_code == 200
        answer = client.post(AGAIN, {"second-step-next": "/", "second-step-credential": sent})
        assert "That passkey did not work" in answer.text
