"""What a setting holds of a child whom it declined: destroyed on a set day. That it was there stays, and who saw it."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from handrail.core import audit
from handrail.core.calendar import beginning_of
from handrail.core.rotation import is_fixed
from handrail.handovers.models import Handover, Step
from handrail.handovers.models import Pack as SentPack
from handrail.handovers.moves import DECLINED_KEPT, ONE_DAY, Side
from handrail.packs.actions import forget_pack
from handrail.records.child import delete, held_about
from handrail.records.models import LegalHold
from handrail.schools.models import Pupil


@transaction.atomic
def destroy_declined(*, on: date, at: datetime) -> int:
    """Destroy what came with handovers whose time after the decline is over. Gives their number. A decline that crossed
    a withdrawal is one all the same.

    Of a child under legal hold everything stays until the hold is lifted. A child whom the setting knows by something
    else than this handover stays there; the pack and what was said of it go.
    """
    hold = LegalHold.objects.filter(pupil=OuterRef("pupil"), lifted_at=None)
    holds = Q(pupil__isnull=False) | Exists(SentPack.objects.filter(handover=OuterRef("pk")))
    until = beginning_of(on - DECLINED_KEPT + ONE_DAY)
    made = Step.objects.filter(handover=OuterRef("pk"), move="decline", at__lt=until)
    declined = Handover.objects.filter(Exists(made), side=Side.SETTING)
    past = declined.filter(holds).exclude(Exists(hold)).select_for_update(of=("self",), skip_locked=True)
    for handover in past:
        _destroy(handover, at=at)
    return len(past)


def _destroy(handover: Handover, *, at: datetime) -> None:
    school_id = handover.setting.school_id if handover.setting else None
    pupil = handover.pupil
    handover.pupil = handover.about = handover.notice = handover.back = None
    handover.save(update_fields=["pupil", "about", "notice", "back"])
    handover.packs.all().delete()
    handover.steps.filter(said__isnull=False).update(said=None)
    handover.messages.filter(content__isnull=False).update(content=None)
    if pupil and handover.made_pupil:
        _forget(pupil)
    audit.record(
        "destroyed a declined copy",
        by=audit.CLOCK,
        at=at,
        subject_kind="handover",
        subject_id=handover.id,
        school_id=school_id,
    )


def _forget(pupil: Pupil) -> None:
    """Delete everything about a child, unless another handover brought them too or the authority has decided."""
    if Handover.objects.filter(pupil=pupil).update(made_pupil=True):
        return
    held = list(held_about(Pupil.objects.filter(id=pupil.id)))
    if any(is_fixed(rows.model) and rows.exists() for rows in held):
        return
    for rows in reversed(held):
        delete(rows)
    forget_pack(school_id=pupil.school_id)
