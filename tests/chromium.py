"""One Chromium for the browser tests that follow one another, gone before any other test begins.

Playwright runs an event loop in this thread. Beside it Django refuses the database, and keeps connections apart from
those that it had before: a test that is no browser test must never meet it.
"""

from contextlib import ExitStack
from typing import Any

import pytest

from handrail.config.env import whole_environment


class Chromium:
    def __init__(self) -> None:
        self._open: Any = None
        self._to_close = ExitStack()

    def open(self) -> Any:
        """The running browser. Without one the browser tests say loudly that they did not run, and in CI they fail."""
        if self._open is None:
            from playwright.sync_api import sync_playwright

            program = executable()
            playwright = self._to_close.enter_context(sync_playwright())
            self._to_close.enter_context(pytest.MonkeyPatch.context()).setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
            self._open = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            self._to_close.callback(self._open.close)
        return self._open

    def close(self) -> None:
        self._to_close.close()
        self._open = None


def executable() -> str:
    """What `./dev test` has found, or was told of."""
    found = whole_environment().get("HANDRAIL_CHROMIUM", "")
    if not found:
        if "CI" in whole_environment():
            pytest.fail("no Chromium was found")
        pytest.skip("no Chromium was found: the browser tests did not run")
    return found
