"""The product's own worker and clock, where a minute of the timetable lasts two seconds and the provider is scripted.

The provider takes its time over each message, and kills its process after it has taken one when a file says so.
"""

import time
from pathlib import Path
from uuid import UUID

from workflows.app import app  # isort: skip - it sets up what the others need
from post import Scripted, kill_myself

from handrail.config.env import whole_environment
from handrail.notices.letters import Message
from workflows import notices

__all__ = ["app"]

BOOK = Path(whole_environment()["HANDRAIL_BOOK"])
KILL = BOOK.with_name("kill")
A_MESSAGE_TAKES = 0.03
SECONDS_OF_A_MINUTE = 2


def take_time(_message: Message) -> None:
    time.sleep(A_MESSAGE_TAKES)


def die_if_told(message: Message) -> None:
    if KILL.exists():
        KILL.unlink()
        kill_myself(message)


def scripted(_authority_id: UUID) -> Scripted:
    return Scripted(BOOK, before=take_time, after=die_if_told)


notices.provider_for = scripted  # type: ignore[assignment]
for entry in app.conf.beat_schedule.values():
    every = max(1, entry["schedule"] * SECONDS_OF_A_MINUTE / 60)
    entry |= {"schedule": every, "options": {"expires": every}}
