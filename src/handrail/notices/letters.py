"""A notice in words, addressed and ready for a provider."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from django.conf import settings

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.core.models import AuthoritySettings
from handrail.notices.models import Notice
from handrail.notices.wording import words
from tenants.routing import Authority


@dataclass(frozen=True)
class Message:
    """What a provider is given. `reference` names it without saying anything about anybody."""

    reference: UUID
    sender: str
    recipient: str
    raw: bytes


def letter(notice: Notice, facts: dict[str, str], *, authority: Authority, at: datetime) -> Message:
    """The e-mail of this notice. The same notice gives the same Message-ID each time, so that a mail system can tell
    a second copy.
    """
    subject, text, reply_to = in_words(notice, facts, authority=authority)
    email = EmailMessage(policy=SMTP)
    email["Subject"] = subject
    email["From"] = Address("Handrail", addr_spec=settings.DEFAULT_FROM_EMAIL)
    email["To"] = notice.recipient
    if reply_to:
        email["Reply-To"] = reply_to
    email["Date"] = format_datetime(at)
    email["Message-ID"] = f"<{notice.reference}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>"
    email["Auto-Submitted"] = "auto-generated"
    email.set_content(text, cte="quoted-printable")
    return Message(notice.reference, settings.DEFAULT_FROM_EMAIL, notice.recipient, email.as_bytes())


def in_words(notice: Notice, facts: dict[str, str], *, authority: Authority) -> tuple[str, str, str]:
    """The subject and the text of this notice, and whose address answers to it go to."""
    ask, reply_to = _who_to_ask(authority)
    here = {"authority": authority.name, **facts, "ask": ask, "link": link(authority, facts["path"])}
    return *words(notice.wording, here), reply_to


def link(authority: Authority, path: str) -> str:
    """The full address of a page of this authority. Every page needs sign-in."""
    port = f":{settings.SITE_PORT}" if settings.SITE_PORT else ""
    return f"{settings.SITE_SCHEME}://{authority.host}{port}{path}"


def _who_to_ask(authority: Authority) -> tuple[str, str]:
    """A sentence that says who answers questions, and their address."""
    address = AuthoritySettings.load().contact_email
    if address:
        return f"Questions? Write to {authority.name} at {address}.", address
    person = (
        User.objects.filter(is_active=True, memberships__role=Role.AUTHORITY_ADMINISTRATOR, memberships__to_on=None)
        .order_by("joined_at", "email")
        .first()
    )
    if person is None:
        return f"Questions? Ask {authority.name}.", ""
    return f"Questions? Ask {person.name} at {authority.name}: {person.email}.", person.email
