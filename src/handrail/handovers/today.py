"""Who is taught at a setting today, with what whoever is at the bedside must know. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch

from handrail.accounts.models import User
from handrail.core.jinja import long_date
from handrail.handovers.models import Handover, Message, Pack, Step, StepsRead
from handrail.handovers.moves import Side
from handrail.plans.emergency import PARTS, Emergency, Medicine
from handrail.plans.models import PlanVersion
from handrail.schools.models import Pupil, School

AT_THE_BEDSIDE = ("condition", "signs", "steps", "call_999", "medicines", "never")
"""The parts of an emergency plan that the page has."""


@dataclass(frozen=True)
class Taught:
    """One child of the page. `says` is empty while nobody has written the emergency steps. Readings are of the steps as
    they are now; `has_newer` says that a newer pack has come that nobody has opened.
    """

    handover: Handover
    child: Pupil
    says: Emergency | None
    version: int
    has_pack: bool
    has_newer: bool
    is_read_by_me: bool
    read_by: list[str]
    hours: str

    @property
    def parts(self) -> list[tuple[str, str, list[str]]]:
        """What to do in an emergency, in the order in which it is needed: each part, its words and its lines."""
        if self.says is None:
            return []
        medicines = [
            ", ".join(filter(None, (each.name, each.dose, each.place, _expires(each)))) for each in self.says.medicines
        ]
        lines = [
            (part, PARTS[part], medicines if part == "medicines" else [line for line in self.says.lines(part) if line])
            for part in AT_THE_BEDSIDE
        ]
        return [each for each in lines if each[-1]]


def _expires(medicine: Medicine) -> str:
    return f"expires {long_date(medicine.expires_on)}" if medicine.expires_on else ""


def _hours(said: Mapping[str, Any]) -> str:
    """What was agreed: so many hours a week, and where. An earlier release kept both in one text."""
    hours, base = str(said.get("hours", "")), said.get("base")
    return f"{hours} a week: {base}" if base else hours


def taught(school: School, *, user: User, on: date) -> tuple[list[Taught], list[Taught]]:
    """The children who are at the setting on the day `on`, and those who are coming, by name."""
    here = (
        Handover.objects.visible_to(user)
        .under_way()
        .filter(side=Side.SETTING, setting__school=school, pupil__isnull=False)
        .select_related("pupil")
        .order_by("pupil__name", "id")
    )
    waits = Message.objects.filter(handover=OuterRef("pk"), way="in", kind="pack", done_at=None)
    handovers = list(here.annotate(has_newer=Exists(waits)))
    children = Pupil.objects.filter(id__in=[each.pupil_id for each in handovers])
    plans = {each.plan.pupil_id: each for each in PlanVersion.objects.newest_of(children).select_related("plan")}
    packs: dict[object, Pack] = {}
    of_now = Prefetch("read_by", StepsRead.objects.of_now())
    for pack in (
        Pack.objects.filter(handover__in=handovers, is_return=False).prefetch_related(of_now).order_by("number")
    ):
        packs[pack.handover_id] = pack
    agreed = Step.objects.filter(handover__in=handovers, move="accept").order_by("number")
    hours = {each.handover_id: _hours(each.said or {}) for each in agreed}
    rows = [
        _row(each, each.pupil, plans.get(each.pupil.id), packs.get(each.id), hours.get(each.id, ""), user=user)
        for each in handovers
        if each.pupil
    ]
    coming = [each for each in rows if each.handover.starts_on and each.handover.starts_on > on]
    return [each for each in rows if each not in coming], coming


def _row(
    handover: Any, child: Pupil, version: PlanVersion | None, pack: Pack | None, hours: str, *, user: User
) -> Taught:
    readings = list(pack.read_by.all()) if pack else []
    return Taught(
        handover=handover,
        child=child,
        says=version.says if version else None,
        version=version.number if version else 0,
        has_pack=pack is not None,
        has_newer=handover.has_newer,
        is_read_by_me=any(each.by == user.id for each in readings),
        read_by=sorted(each.by_name for each in readings),
        hours=hours,
    )
