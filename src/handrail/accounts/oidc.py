"""OpenID Connect as we speak it: what a provider says about itself, and which of its tokens are believed.

allauth keeps the state of a flow and signs people in. It takes the issuer from the provider's own words, checks no
nonce, and believes an unsigned token that came over TLS: all of that is decided here instead.
"""

import base64
import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

from handrail.core import outside
from handrail.core.outside import Deadline, OutsideError

WELL_KNOWN = "/.well-known/openid-configuration"

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures made with a private key. Not "none", and not HS256: its key would be one that others know too."""

LEEWAY_SECONDS = 60
"""How far the provider's clock may be from ours."""

LONGEST_SUBJECT = 191
"""Characters, as the table of connected accounts holds them."""


class ProviderFault(Exception):
    """The provider cannot be used as it answers. The message is a sentence for whoever set it up."""


class TokenRefused(ProviderFault):
    """What the provider says about a person is not believed."""


@dataclass(frozen=True)
class Provider:
    """What a provider says about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_secret_in_form: bool

    def where_to_sign_in(self, **asked: str) -> str:
        """The address of its own sign-in page, with what is asked of it."""
        joint = "&" if urlsplit(self.authorization_endpoint).query else "?"
        return f"{self.authorization_endpoint}{joint}{urlencode(asked)}"


def discover(address: str, *, deadline: Deadline, is_known: bool = False) -> Provider:
    """What the provider says at an issuer's address, or at its discovery address. Raises ProviderFault.

    It must say that it is the issuer of that address: one that names another would be trusted for the other's people.
    Letter by letter when the address is known to be its own word; else people may spell it in another way.
    """
    issuer = address.strip().removesuffix(WELL_KNOWN).rstrip("/")
    found = _asked(issuer + WELL_KNOWN, deadline=deadline)
    said = found.get("issuer")
    is_itself = isinstance(said, str) and spelled_alike(said) == spelled_alike(issuer)
    if not is_itself or (is_known and said != address):
        raise ProviderFault(
            f"{issuer} says that it is {said or 'nobody'}. Enter the address of one organisation, "
            "as its administrator sees it."
        )
    endpoints = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        try:
            endpoints[name] = outside.checked(str(found[name])).geturl()
        except KeyError:
            raise ProviderFault(f"{issuer} does not say what its {name} is.") from None
        except OutsideError as error:
            raise ProviderFault(f"The {name} of {issuer} {error}.") from error
    methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Provider(issuer=found["issuer"], takes_secret_in_form="client_secret_post" in methods, **endpoints)


def spelled_alike(issuer: str) -> str:
    """An issuer without what two spellings of one address differ in: the port of https, and a slash at the end."""
    parts = urlsplit(issuer)
    place = (parts.hostname or "") + (f":{parts.port}" if parts.port not in (None, 443) else "")
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


def keys_of(provider: Provider, *, deadline: Deadline) -> list[dict[str, Any]]:
    """The keys that its signatures are checked with. Raises ProviderFault, also when there are none."""
    keys = _asked(provider.jwks_uri, deadline=deadline).get("keys")
    found = [each for each in keys if isinstance(each, dict)] if isinstance(keys, list) else []
    usable = [each for each in found if each.get("kty") in ("RSA", "EC", "OKP") and each.get("use", "sig") == "sig"]
    if not usable:
        raise ProviderFault(f"{provider.issuer} shows no key to check its signatures with.")
    return usable


def id_token_for(
    code: str,
    provider: Provider,
    *,
    client_id: str,
    client_secret: str,
    redirect_uri: str,
    code_verifier: str,
    deadline: Deadline,
) -> str:
    """The token that the provider gives for a code. Raises ProviderFault: a code is good once, for its client alone."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": code_verifier,
    }
    authorization = ""
    if provider.takes_secret_in_form:
        form |= {"client_id": client_id, "client_secret": client_secret}
    else:
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    status, answer = _answer(provider.token_endpoint, deadline=deadline, form=form, authorization=authorization)
    if status != 200 or not isinstance(answer.get("id_token"), str):
        why = answer.get("error")
        if why in ("invalid_client", "unauthorized_client"):
            raise ProviderFault(f"{provider.issuer} does not accept the client id and the client secret.")
        raise ProviderFault(f"{provider.issuer} did not say who signed in.")
    found: str = answer["id_token"]
    return found


def claims_of(id_token: str, *, keys: list[dict[str, Any]], issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """What a token says, when this issuer signed it for this client and this flow, and it is in time.

    Raises TokenRefused.
    """
    try:
        header = jwt.get_unverified_header(id_token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise TokenRefused("The token is not signed in a way that proves who made it.")
        claims: dict[str, Any] = jwt.decode(
            id_token,
            _key(keys, header.get("kid"), algorithm),
            algorithms=[algorithm],
            issuer=issuer,
            audience=client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
    except jwt.PyJWTError as error:
        raise TokenRefused(f"The token is not right: {error}.") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise TokenRefused("The token was made for another client.")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise TokenRefused("The token was made for another sign-in.")
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
        raise TokenRefused("The token does not say whom it is about.")
    return claims


def says(claims: dict[str, Any], claim: str, value: str) -> bool:
    """Whether a claim is the value, or a list that has it. What is asked for must be something."""
    found = claims.get(claim) if claim else None
    return bool(value) and (value in found if isinstance(found, list) else value == found)


def signed_in_at(claims: dict[str, Any]) -> float | None:
    """When the provider says that the person signed in there, in seconds since 1970; None if it does not say."""
    found = claims.get("auth_time")
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) and found > 0 else None


def _key(keys: list[dict[str, Any]], kid: Any, algorithm: str) -> jwt.PyJWK:
    """The one key of that name, or of an unnamed one the only key there is. Raises TokenRefused, PyJWTError."""
    found = [each for each in keys if kid is None or each.get("kid") == kid]
    if len(found) != 1 or found[0].get("alg", algorithm) != algorithm:
        raise TokenRefused("The token is signed with a key that is not the provider's.")
    return jwt.PyJWK.from_dict(found[0], algorithm=algorithm)


def _asked(address: str, *, deadline: Deadline) -> dict[str, Any]:
    status, answer = _answer(address, deadline=deadline)
    if status != 200:
        raise ProviderFault(f"{address} answers with an error (status {status}).")
    return answer


def _answer(address: str, *, deadline: Deadline, **more: Any) -> tuple[int, dict[str, Any]]:
    try:
        return outside.ask(address, deadline=deadline, **more)
    except OutsideError as error:
        raise ProviderFault(f"{address} {error}.") from error
