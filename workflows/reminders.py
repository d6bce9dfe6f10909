"""Looking, in each authority, for reminders that have fallen due, and for what makes a review due before its time.

A sweep may be run again: it notes and owes nothing twice.
"""

from celery import shared_task

from handrail.absences import reminders as case_reminders
from handrail.absences import return_reminders
from handrail.absences.actions import open_this_year
from handrail.care.reminders import owe_expiry_reminders
from handrail.core.calendar import day_of
from handrail.handovers import reminders as handover_reminders
from handrail.plans import break_glass, reading_reminders, triggers
from handrail.plans import reminders as plan_reminders
from handrail.policies import reminders as policy_reminders
from handrail.policies.website_reminders import owe_website_reminders
from handrail.returns import reminders as yearly_reminders
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, clock, for_each_authority


@shared_task
def sweep() -> None:
    """Each hour: ring for every authority."""
    for_each_authority(sweep_authority)


@shared_task(base=AuthorityTask)
def sweep_authority(*, authority: Authority) -> None:
    at = clock()
    policy_reminders.owe_review_reminders(on=day_of(at), at=at)
    owe_website_reminders(on=day_of(at), at=at)
    triggers.forget_renewed(on=day_of(at), at=at)
    triggers.note_known_ahead(on=day_of(at), at=at)
    plan_reminders.owe_review_reminders(on=day_of(at), at=at)
    reading_reminders.owe_reading_reminders(on=day_of(at), at=at)
    owe_expiry_reminders(on=day_of(at), at=at)
    break_glass.owe_review_reminders(at=at)
    open_this_year(at=at)
    case_reminders.owe_case_reminders(on=day_of(at), at=at)
    return_reminders.owe_return_reminders(on=day_of(at), at=at)
    handover_reminders.owe_handover_reminders(on=day_of(at), at=at)
    handover_reminders.owe_news(on=day_of(at), at=at)
    yearly_reminders.owe_return_reminders(on=day_of(at), at=at)
