"""What the authority itself does: it begins handovers for schools, and says what follows one that ended nowhere."""

from datetime import datetime
from typing import Any

from django.db import transaction

from handrail.core import audit
from handrail.core.calendar import day_of
from handrail.handovers.actions import NotNow, ReasonMissing, prepare
from handrail.handovers.models import FollowUp, Handover
from handrail.handovers.moves import ASKS_WHAT_NEXT
from handrail.handovers.steps import school_id_of


@transaction.atomic
def begin(*, by: audit.Actor, at: datetime, **given: Any) -> Handover:
    """Begin a handover as `actions.prepare` does, for the child's school: it is asked to write and send the pack from
    that day on, as for any move that is due. Raises NotNow.
    """
    handover = prepare(by=by, at=at, **given)
    handover.due_on = day_of(at)
    handover.save(update_fields=["due_on"])
    return handover


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
    if not handover.is_home or handover.state not in ASKS_WHAT_NEXT:
        raise NotNow("This was not declined or passed on and did not run out, so there is nothing to say here.")
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
