"""A child whose name or date of birth was changed at home, while somebody else knows them by a pack as they were.

Nobody has to think of it: the change itself owes the correction.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry
from handrail.handovers import actions, steps
from handrail.handovers.models import Handover, Pack
from handrail.handovers.moves import CORRECTABLE, Side
from handrail.handovers.pack_content import child_of

SAYS_WHO = {"name": "name", "known_as": "usual name", "born_on": "date of birth"}
"""What of a child says who they are, with its words."""
A_REQUEST_LASTS = timedelta(minutes=5)
"""A change may be there only a while after the moment that it says."""


@transaction.atomic
def correct_who(*, at: datetime) -> int:
    """Send a corrected pack of each child whose name or date of birth the school has changed since the newest one.

    It says that and nothing else that is new: what somebody is still writing stays here. It goes as any correction
    does, and asks to be read anew. Gives the number.
    """
    newest = Pack.objects.filter(handover=OuterRef("pk"), is_return=False).order_by("-number").values("made_at")[:1]
    changed = AuditEntry.objects.filter(
        subject_kind="child",
        subject_id=OuterRef("pupil_id"),
        at__gte=OuterRef("packed_at") - A_REQUEST_LASTS,
        fields__overlap=[*SAYS_WHO],
    )
    found = Handover.objects.filter(side=Side.HOME, state__in=CORRECTABLE).alias(packed_at=Subquery(newest))
    return sum(_correct(steps.locked(each), at=at) for each in found.filter(Exists(changed)))


def _correct(handover: Handover, *, at: datetime) -> bool:
    last, child = handover.newest_pack(), child_of(steps.child_in(handover))
    if last is None or handover.state not in CORRECTABLE:
        return False
    changed = [words for name, words in SAYS_WHO.items() if last.content["child"][name] != child[name]]
    if changed:
        said = {"reason": f"The school changed the child’s {' and '.join(changed)}."}
        content = {**last.content, "child": child}
        actions.send_pack(handover, "correct", content, last.version, by=CLOCK, at=at, said=said)
    return bool(changed)
