"""The writes of this room: the authority's settings, and which drafts its people may look at."""

from datetime import datetime

from django.db import transaction

from handrail.authority.colour import carries_white, is_colour
from handrail.authority.effects import next_review, policies_that_follow
from handrail.core import audit
from handrail.core.earlier import keep
from handrail.core.models import AuthoritySettings
from handrail.guidance.frameworks import Framework
from handrail.handovers.moves import REVIEW_WEEKS

LIMITS = {
    "due_soon_days": (1, 180),
    "review_months": (1, 36),
    "overdue_every_days": (1, 90),
    "unrecorded_every_months": (1, 12),
    "copy_head_after_days": (1, 365),
    "absence_near_days": (1, 14),
    "absence_trigger_days": (5, 15),
    "section_19_overdue_days": (0, 15),
    "section_19_review_weeks": (4, 12),
    "handover_review_weeks": (REVIEW_WEEKS[0], REVIEW_WEEKS[-1]),
    "full_time_hours": (15, 30),
}
"""The lowest and highest of each setting that is one number."""

EARLIEST_REMINDER_DAYS, MOST_REMINDERS = 365, 8
CHANGEABLE = (
    *LIMITS,
    "reminder_days_before",
    "has_quiet_hours",
    "brand_colour",
    "contact_email",
    "return_cadence",
    "settings_not_asked",
    "counts_appointments",
    "counts_part_time",
    "asks_second_step",
)


class SettingRefused(ValueError):
    """A setting cannot have that value. `field` is its name; the message says why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def check(to: AuthoritySettings) -> None:
    """Raise SettingRefused when a value is one that nobody may choose."""
    for field, (lowest, highest) in LIMITS.items():
        if not lowest <= getattr(to, field) <= highest:
            raise SettingRefused(field, f"Enter a number from {lowest} to {highest}")
    if to.absence_near_days >= to.absence_trigger_days:
        raise SettingRefused("absence_near_days", "Enter fewer days than those at which the clock starts")
    days = to.reminder_days_before
    if not 1 <= len(days) <= MOST_REMINDERS or any(not 0 <= each <= EARLIEST_REMINDER_DAYS for each in days):
        raise SettingRefused(
            "reminder_days_before",
            f"Enter from 1 to {MOST_REMINDERS} numbers, each from 0 to {EARLIEST_REMINDER_DAYS}, like 60, 30, 14, 0",
        )
    if to.brand_colour and not is_colour(to.brand_colour):
        raise SettingRefused("brand_colour", "Enter the colour as # and 6 digits or letters from a to f, like #0d5257")
    if to.brand_colour and not carries_white(to.brand_colour):
        raise SettingRefused("brand_colour", "Choose a darker colour: white words cannot be read on this one")


def changed_fields(to: AuthoritySettings, *, instead_of: AuthoritySettings) -> list[str]:
    """The names of the settings that differ."""
    return [field for field in CHANGEABLE if getattr(to, field) != getattr(instead_of, field)]


@transaction.atomic
def change_settings(*, to: AuthoritySettings, by: audit.Actor, at: datetime) -> AuthoritySettings:
    """Make the authority's settings those of `to`, and move the dates of next review that follow them.

    A date that a school chose itself stays. Doing it twice changes nothing. Raises SettingRefused.
    """
    check(to)
    settings = AuthoritySettings.objects.select_for_update().first() or AuthoritySettings()
    fields = changed_fields(to, instead_of=settings)
    if not fields:
        return settings
    if to.review_months != settings.review_months:
        policies_that_follow(settings.review_months).update(next_review_on=next_review(to.review_months))
    keep([(settings, {field: getattr(settings, field) for field in fields})], at=at)
    for field in fields:
        setattr(settings, field, getattr(to, field))
    settings.save()
    audit.record("changed settings", by=by, at=at, subject_kind="settings", subject_id=settings.id, fields=fields)
    return settings


class NotADraft(ValueError):
    """Only a draft is previewed: what is law, or was, is there for everybody."""


@transaction.atomic
def set_preview(*, framework: Framework, is_on: bool, by: audit.Actor, at: datetime) -> None:
    """Let the authority's people, and its schools', look at what a draft would ask, or stop it. It asks nothing of
    anybody. Doing it twice changes nothing. Raises NotADraft.
    """
    if not framework.is_draft:
        raise NotADraft(framework.id)
    settings = AuthoritySettings.objects.select_for_update().first() or AuthoritySettings()
    if (framework.preview in settings.previewed) == is_on:
        return
    others = [each for each in settings.previewed if each != framework.preview]
    settings.previewed = [*others, framework.preview] if is_on else others
    settings.save()
    verb = f"switched a draft’s preview {'on' if is_on else 'off'}"
    audit.record(verb, by=by, at=at, subject_kind="settings", subject_id=settings.id, fields=["previewed"])
