"""What a school has to do beside its policies: handovers, plans, medicines, kits and training, in numbers.

No child is named here: each number leads to a list that records who looks at it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse

from handrail.accounts.models import User
from handrail.accounts.roles import Permission
from handrail.care.models import Medicine, SpareKit, StaffTraining
from handrail.core.jinja import plural
from handrail.core.models import AuthoritySettings
from handrail.core.status import Status
from handrail.handovers.due import to_answer, with_older_steps
from handrail.handovers.models import Handover
from handrail.people.invitations import addresses_to_check
from handrail.plans.models import HealthcarePlan
from handrail.returns.models import PlannedAction
from handrail.returns.standing import to_sign
from handrail.schools.models import Pupil, School


@dataclass(frozen=True)
class Task:
    """So many things of one kind that are overdue or due soon, and where they are listed."""

    title: str
    text: str
    href: str
    status: Status


@dataclass(frozen=True)
class Words:
    """What things of one kind are called, one and many, and what is said of those that are overdue and due soon."""

    one: str
    many: str
    page: str
    overdue: str = "out of date"
    soon: str = "out of date soon"


HANDOVERS = Words("handover to answer", "handovers to answer", "handovers:handovers", "late", "waiting for you")
OLDER = Words(
    *("pack sent with older emergency steps", "packs sent with older emergency steps", "handovers:handovers"),
    overdue="to be corrected: the plan was changed after it was sent",
)
STEPS = Words(
    *("pupil’s emergency steps to read", "pupils’ emergency steps to read", "handovers:today"),
    soon="not read by you yet",
)
PLANS = Words("healthcare plan to see to", "healthcare plans to see to", "plans:plans", "overdue", "due soon")
MEDICINES = Words("medicine or device to renew", "medicines or devices to renew", "care:school_medicines")
CHECKS = Words("spare kit to check", "spare kits to check", "care:kits", "overdue", "due soon")
KITS = Words("spare kit to renew", "spare kits to renew", "care:kits")
TO_SIGN = Words("return to sign", "returns to sign", "returns:home", soon="waiting for a second signature")
PLANNED = Words("action after the return", "actions after the return", "returns:home", "overdue", "due soon")
TRAININGS = Words("training to renew", "trainings to renew", "care:trainings")


def tasks(user: User, school: School, *, on: date, settings: AuthoritySettings) -> list[Task]:
    """What there is to do at a school for somebody who may, what is overdue first. Ten questions at most."""
    found: list[tuple[Words, Iterable[Status]]] = []
    if user.may(Permission.HAND_OVER, school_id=school.id):
        days = to_answer(school.id, on=on)
        older = with_older_steps(on=on).filter(of_school=school.id).count()
        found.append((OLDER, [Status.OVERDUE] * older))
        found.append((HANDOVERS, [Status.OVERDUE if day < on else Status.DUE_SOON for day in days]))
    if user.may(Permission.SEE_HANDOVERS, school_id=school.id):
        unread = Handover.objects.visible_to(user).filter(setting__school=school).unread_by(user).count()
        found.append((STEPS, [Status.DUE_SOON] * unread))
    if user.may(Permission.EDIT_PLANS, school_id=school.id):
        plans = HealthcarePlan.objects.of_school(school.id, on=on).watched().only("stage", "due_on")
        found.append((PLANS, [each.status_on(on, settings) for each in plans]))
        children = Pupil.objects.not_left(on=on).filter(school=school)
        found.append((MEDICINES, _statuses(Medicine.objects.in_use().filter(pupil__in=children), on, settings)))
    if user.may(Permission.KEEP_KITS, school_id=school.id):
        kits = list(SpareKit.objects.filter(school=school).in_use().with_last_check())
        found.append((CHECKS, [kit.check_status_on(on) for kit in kits]))
        found.append((KITS, _statuses(kits, on, settings)))
        found.append((TRAININGS, _statuses(StaffTraining.objects.current().filter(school=school), on, settings)))
    if user.may(Permission.ANSWER_RETURNS, school_id=school.id):
        found.append((PLANNED, _statuses(PlannedAction.objects.open().filter(school=school), on, settings)))
    if user.may(Permission.COUNTERSIGN_RETURNS, school_id=school.id):
        found.append((TO_SIGN, [Status.DUE_SOON] * to_sign(school, by=user.id).count()))
    made = [_task(words, list(statuses), school) for words, statuses in found]
    if user.may(Permission.MANAGE_PEOPLE, school_id=school.id):
        made.append(_addresses(len(addresses_to_check(school, on=on)), school))
    return sorted((each for each in made if each), key=lambda each: each.status != Status.OVERDUE)


def _statuses(rows: Iterable[Any], on: date, settings: AuthoritySettings) -> list[Status]:
    return [each.status_on(on, settings) for each in rows]


def _addresses(count: int, school: School) -> Task | None:
    """What it was that came back is not said: it may have been about a child."""
    if not count:
        return None
    title = plural(count, "e-mail address to check", "e-mail addresses to check")
    text = f"The last message to {'it' if count == 1 else 'each of them'} came back."
    return Task(title, text, reverse("people:school", args=[school.urn]), Status.OVERDUE)


def _task(words: Words, statuses: list[Status], school: School) -> Task | None:
    overdue, soon = statuses.count(Status.OVERDUE), statuses.count(Status.DUE_SOON)
    if not overdue + soon:
        return None
    counted = ((overdue, words.overdue), (soon, words.soon))
    text = " ".join(f"{plural(count, 'is', 'are')} {what}." for count, what in counted if count)
    title = plural(overdue + soon, words.one, words.many)
    return Task(title, text, reverse(words.page, args=[school.urn]), Status.OVERDUE if overdue else Status.DUE_SOON)
