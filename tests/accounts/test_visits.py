"""What is said of a session in words."""

import pytest

from handrail.accounts.visits import device_of, way_in

APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/130.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36", "Chrome on a Chromebook"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36", "Chrome on Android"),
        (
            f"Mozilla/5.0 (Linux; Android 14) {CHROME} SamsungBrowser/26.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {APPLE} Version/18.1 Safari/604.1",
            "Safari on an iPhone",
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {APPLE} CriOS/130.0 Safari/604.1",
            "Chrome on an iPhone",
        ),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Version/18.1 Safari/605.1.15", "Safari on a Mac"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36 OPR/115.0.0.0", "Opera on Linux"),
        ("curl/8.5.0", "A browser"),
        ("", "A browser"),
        ("<script>alert(1)</script> Windows", "A browser on Windows"),
    ],
)
def test_a_device_is_named(user_agent, device):
    assert device_of(user_agent) == device


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        (["code"], "a code by e-mail"),
        (["password", "totp"], "a password and an authenticator app"),
        (["password", "password"], "a password"),
        (["webauthn"], "a passkey"),
        (["something new"], ""),
        ([], ""),
    ],
)
def test_the_way_in_is_named(methods, words):
    assert way_in(methods) == words
