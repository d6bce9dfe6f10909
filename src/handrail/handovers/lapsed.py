"""What the authority does about a handover that was declined or ran out."""

from datetime import datetime

from django.db import transaction

from handrail.core import audit
from handrail.handovers.actions import NotNow, ReasonMissing, school_id_of
from handrail.handovers.models import FollowUp, Handover
from handrail.handovers.moves import LAPSED


@transaction.atomic
def follow_up(*, handover: Handover, says: str, by: audit.Actor, at: datetime) -> FollowUp:
    """Say what happens next for the child. It ends the messages about the handover, and not the section 19 clock.

    Raises ReasonMissing, and NotNow when it is not over in such a way or somebody has said so already.
    """
    if not says.strip():
        raise ReasonMissing("Say what happens next, and who does it.")
    handover = Handover.objects.select_for_update(of=("self",)).select_related("pupil").get(id=handover.id)
    known = FollowUp.objects.filter(handover=handover).first()
    if known:
        raise NotNow(f"{known.by_name} has said what happens next already. Look at it again.")
    if not handover.is_home or handover.state not in LAPSED:
        raise NotNow("This handover was not declined and did not run out, so there is nothing to say here.")
    made = FollowUp.objects.create(handover=handover, says=says.strip(), at=at, by=by.actor_id, by_name=by.actor_name)
    audit.record(
        "said what follows a handover",
        by=by,
        at=at,
        subject_kind="handover",
        subject_id=handover.id,
        school_id=school_id_of(handover),
    )
    return made
