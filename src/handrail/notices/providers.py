"""Who carries messages. One seam: send a message, and ask what became of one by its reference.

A provider says how it failed by what it raises: `Retryable` (this message, another time), `OutOfOrder` (any message,
another time), `Permanent` (never), `UnknownOutcome` (the message may have left).
"""

import logging
import re
import smtplib
import ssl
from collections.abc import Sequence
from email.utils import parseaddr
from typing import Protocol
from uuid import UUID, uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from handrail.accounts.adapter import AUTHORITY_HEADER
from handrail.notices.letters import Message
from handrail.notices.mailbox import Mailbox

log = logging.getLogger(__name__)


class Retryable(Exception):
    """This message was certainly not taken; another try may do."""


class OutOfOrder(Retryable):
    """The provider takes nothing from anybody just now."""


class Permanent(Exception):
    """It will never be taken. `is_address` when it is the recipient that was refused."""

    def __init__(self, text: str, *, is_address: bool = False) -> None:
        super().__init__(text)
        self.is_address = is_address


class UnknownOutcome(Exception):
    """The message went out and no answer came."""


class Provider(Protocol):
    name: str
    can_be_asked: bool

    def send(self, message: Message) -> str:
        """Hand the message over; give the provider's own id for it."""

    def ask(self, reference: UUID) -> str | None:
        """The provider's id for the message with this reference if it has taken it, else nothing."""


def provider_for(authority_id: UUID) -> Provider | None:
    """The provider this process was set up with, or nothing: then everything stays owed."""
    match settings.MAIL_PROVIDER:
        case "mailbox":
            return Mailbox(settings.MAILBOX / str(authority_id))
        case "smtp":
            return Smtp()
        case "ses":
            return Ses()
    return None


class Smtp:
    """A mail server. It cannot be asked, so a message of unknown fate is sent once more with the same Message-ID."""

    name = "smtp"
    can_be_asked = False

    def ask(self, reference: UUID) -> None:
        return None

    def send(self, message: Message) -> str:
        try:
            server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise OutOfOrder(f"the mail server cannot be used: {error}") from error
        try:
            return self._hand_over(server, message)
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        host, port, patience = settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT
        if settings.EMAIL_USE_SSL:
            tls = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=patience, context=tls)
        else:
            server = smtplib.SMTP(host, port, timeout=patience)
        try:
            if settings.EMAIL_USE_TLS:
                server.starttls(context=ssl.create_default_context())
            if settings.EMAIL_HOST_USER:
                server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
            server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _hand_over(self, server: smtplib.SMTP, message: Message) -> str:
        try:
            _check(*server.mail(message.sender), taken=250)
            _check(*server.rcpt(message.recipient), taken=250, is_address=True)
            _check(*server.docmd("DATA"), taken=354)
        except (OSError, smtplib.SMTPException) as error:
            raise OutOfOrder(f"the mail server broke off: {error}") from error
        try:
            server.send(_on_the_wire(message.raw))
            code, reply = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise UnknownOutcome(f"the mail server broke off after the message: {error}") from error
        if code == -1:
            raise UnknownOutcome("the mail server's answer to the message made no sense")
        _check(code, reply, taken=250)
        return reply.decode(errors="replace")[:200]


def _on_the_wire(raw: bytes) -> bytes:
    """A message as SMTP wants it: lines end in CRLF, a dot at the start of one is doubled, one alone ends it."""
    lines = re.split(rb"\r?\n", raw.rstrip())
    return b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines) + b".\r\n"


def _check(code: int, reply: bytes, *, taken: int, is_address: bool = False) -> None:
    """Turn a mail server's reply into what it means. 421 is the server going away; other 4xx concern the message."""
    if code == taken or (taken == 250 and code == 251):
        return
    text = f"{code} {reply.decode(errors='replace')}"[:300]
    if code == 421 or code == -1:
        raise OutOfOrder(text)
    if 500 <= code < 600:
        raise Permanent(text, is_address=is_address)
    raise Retryable(text)


class Ses:
    """Amazon SES. What it answers with 4xx is not taken for permanent at once: it does so in its own incidents."""

    name = "ses"
    can_be_asked = False

    def __init__(self) -> None:
        from handrail.core import aws

        self._aws = aws
        self._mail = aws.Mail()

    def ask(self, reference: UUID) -> None:
        return None

    def send(self, message: Message) -> str:
        try:
            return self._mail.send(message.raw, sender=message.sender, recipient=message.recipient)
        except self._aws.NoAnswer as error:
            raise UnknownOutcome(str(error)) from error
        except self._aws.Unusable as error:
            raise OutOfOrder(str(error)) from error
        except self._aws.Refused as error:
            raise Retryable(str(error)) from error


class Backend(BaseEmailBackend):
    """Django's way to send mail, for sign-in codes: through the same provider as everything else.

    It is called after the request has committed, with nobody bound. The authority comes in a header, never sent.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        sent = 0
        for email in email_messages:
            authority_id = UUID(email.extra_headers.pop(AUTHORITY_HEADER))
            provider = provider_for(authority_id)
            if provider is None:
                log.error("a sign-in message was not sent: HANDRAIL_MAIL_PROVIDER is none")
                continue
            raw = email.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]
            for recipient in email.recipients():
                provider.send(Message(uuid4(), parseaddr(email.from_email)[1], recipient, raw))
            sent += 1
        return sent
