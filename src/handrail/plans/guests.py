"""Who has opened links in this browser: which of them, and until when somebody is let in.

It is kept in the session beside whoever has signed in there, and neither may do what the other may. Whoever was let in
may look for 15 minutes after the last look; after that the session still knows the link, for what they had typed.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from handrail.accounts.sessions import IDLE
from handrail.plans.models import PlanLink
from handrail.plans.standing import Standing

PLACE = "guest"
"""In a session: until when each link is open, by its id; nothing while nobody was let in."""


def begin(session: Any, link: PlanLink) -> None:
    """Somebody has opened the address of this link, and is to show who they are."""
    _note(session, link, "")


def let_in(session: Any, link: PlanLink, *, at: datetime) -> None:
    """They have shown it. The session gets a new key, so that nobody has it from before."""
    session.cycle_key()
    go_on(session, link, at=at)


def go_on(session: Any, link: PlanLink, *, at: datetime) -> None:
    """They are using it."""
    _note(session, link, (at + IDLE).isoformat())


def leave(session: Any, link: PlanLink) -> None:
    """They have closed it."""
    session[PLACE] = {each: until for each, until in session.get(PLACE, {}).items() if each != str(link.id)}


def known(session: Any, link_id: UUID) -> PlanLink | None:
    """The link, if it was opened here, whether or not anybody was let in."""
    if str(link_id) not in session.get(PLACE, {}):
        return None
    found: PlanLink | None = (
        PlanLink.objects.filter(id=link_id).select_related("contact", "pupil__school", "version__plan").first()
    )
    return found


def is_in(session: Any, link: PlanLink, *, at: datetime) -> bool:
    """Whether they may look at the moment `at`: they were let in, used it lately, and the link stands."""
    until = session.get(PLACE, {}).get(str(link.id))
    if not until or at >= datetime.fromisoformat(until):
        return False
    return link.standing(at) == Standing.STANDS


def _note(session: Any, link: PlanLink, until: str) -> None:
    session[PLACE] = {**session.get(PLACE, {}), str(link.id): until}
