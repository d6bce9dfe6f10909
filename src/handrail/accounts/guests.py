"""People without an account: an address sent to one of them, and getting in with a code and a child's date of birth.

Whoever holds the address is nobody yet. A code goes to the person's e-mail address; of the code and of what the address
holds only digests are kept. Which of the code and the date was wrong is never said, and five wrong tries end it.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.crypto import constant_time_compare, salted_hmac

from handrail.core.models import Record
from tenants.database import require_bound

CODE_LASTS = timedelta(minutes=10)
NEXT_CODE_AFTER = timedelta(minutes=1)
CODES_AT_MOST = 20
"""Codes sent for one address. Each is asked for by whoever holds it, who may be anybody."""
TRIES = 5
"""Wrong tries in a row that end an address."""
FIRST_PAUSE = timedelta(seconds=1)


class NoCodeNow(ValueError):
    """A code was sent a moment ago, or there have been too many."""


class Tried(StrEnum):
    """What came of a try to get in."""

    IN = "in"
    WRONG = "wrong"
    TOO_SOON = "too soon"
    NO_CODE = "no code"
    STOPPED = "stopped"


class Guest(Record):
    """What lets one person without an account in. By itself an address opens nothing."""

    sent_at = models.DateTimeField()
    sent_by = models.UUIDField()
    sent_by_name = models.CharField(max_length=150)
    ends_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    digests = ArrayField(models.CharField(max_length=64), default=list, help_text="of what the addresses of it hold")
    code = models.CharField(max_length=64, blank=True, help_text="a digest of the newest code, until it is used")
    code_sent_at = models.DateTimeField(null=True)
    codes_sent = models.PositiveSmallIntegerField(default=0)
    wrong_tries = models.PositiveSmallIntegerField(default=0, help_text="since it was opened last")
    tried_at = models.DateTimeField(null=True)
    locked_at = models.DateTimeField(null=True, help_text="when there had been too many wrong tries")
    opened_at = models.DateTimeField(null=True, help_text="when somebody first got in")

    class Meta:
        abstract = True


def next_try_at(wrong_tries: int, tried_at: datetime | None) -> datetime | None:
    """When the next try counts: each wrong one makes the pause after it twice as long, from two seconds."""
    return tried_at + FIRST_PAUSE * 2**wrong_tries if tried_at and wrong_tries else None


def new_code(guest: Guest, *, at: datetime) -> str:
    """A code of six digits, to be sent to the person; it ends the one before. The row is held by the caller.

    Raises NoCodeNow.
    """
    if guest.code_sent_at and at < guest.code_sent_at + NEXT_CODE_AFTER:
        raise NoCodeNow("We have just sent a code. Wait a minute before you ask for another")
    if guest.codes_sent >= CODES_AT_MOST:
        raise NoCodeNow("Too many codes were asked for. Ask the school to send a new one")
    code = f"{secrets.randbelow(10**6):06}"
    guest.code, guest.code_sent_at, guest.codes_sent = _digest(guest, code), at, guest.codes_sent + 1
    guest.save(update_fields=["code", "code_sent_at", "codes_sent"])
    return code


def try_code(guest: Guest, *, code: str, is_birthday: bool, at: datetime) -> Tried:
    """Let in whoever knows the newest code and the date of birth, and keep what came of it. The row is held by the
    caller, who has seen that it stands. Either of them wrong is one wrong try; the fifth in a row stops it for good.
    """
    pause_ends = next_try_at(guest.wrong_tries, guest.tried_at)
    if pause_ends and at < pause_ends:
        return Tried.TOO_SOON
    if not guest.code or guest.code_sent_at is None or at >= guest.code_sent_at + CODE_LASTS:
        return Tried.NO_CODE
    is_code = constant_time_compare(guest.code, _digest(guest, code))
    guest.tried_at, tried = at, Tried.IN
    if is_code and is_birthday:
        guest.wrong_tries, guest.code, guest.opened_at = 0, "", guest.opened_at or at
    else:
        guest.wrong_tries, tried = guest.wrong_tries + 1, Tried.WRONG
        if guest.wrong_tries >= TRIES:
            guest.locked_at, guest.code, tried = at, "", Tried.STOPPED
    guest.save(update_fields=["wrong_tries", "code", "tried_at", "opened_at", "locked_at"])
    return tried


def _digest(guest: Guest, code: str) -> str:
    """It takes our secret to try all of a million codes against it."""
    salt = f"handrail.{guest._meta.label_lower}.{require_bound().id}.{guest.id}"
    return salted_hmac(salt, code, algorithm="sha256").hexdigest()
