"""The work on the packs of authority one as at a moment, in a process that kills itself when it begins the third."""

import os
import signal
import sys
from datetime import datetime
from typing import Any

from workflows.app import app  # isort: skip - it sets up what the others need

from handrail.packs import actions
from tenants.routing import authority_by_code
from workflows.packs import work_on_packs

__all__ = ["app"]

DIES_AT = 3
begun: list[int] = []
real = actions.emergency_pages


def dies(*args: Any, **more: Any) -> bytes:
    begun.append(1)
    if len(begun) == DIES_AT:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **more)


if __name__ == "__main__":
    at = datetime.fromisoformat(sys.argv[1])
    actions.emergency_pages = dies
    work_on_packs(authority_by_code("001"), now=lambda: at)
