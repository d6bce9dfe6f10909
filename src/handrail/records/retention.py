"""How long each class of record is kept, and which rows are past their time. Nothing is deleted here.

Sources disagree about most of these periods, so each authority sets its own; the defaults are common practice. A
child under legal hold is never past their time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import Exists, OuterRef, Q, QuerySet

from handrail.accounts.models import Membership, User
from handrail.core.calendar import beginning_of
from handrail.core.jinja import plural
from handrail.core.models import Earlier, SealedEntry
from handrail.handovers.models import OnwardReturn
from handrail.imports.models import FileImport
from handrail.notices.models import Notice
from handrail.policies.models import PolicyReview, PolicyVersion
from handrail.records.child import held_about
from handrail.records.models import LegalHold
from handrail.schools.models import Pupil

Rows = QuerySet[Any]
OPEN_NOTICES = ("owed", "claimed", "unknown")


@dataclass(frozen=True)
class RecordClass:
    """Records that are kept for the same time: `past(day, on)` gives, in the order of deleting them, the rows whose
    time began before `day`, as at the day `on`.
    """

    key: str
    label: str
    counted_from: str
    years: int
    least_years: int
    past: Callable[[date, date], list[Rows]]


def children(day: date, on: date) -> list[Rows]:
    """Those who have left, were born before then and are under no legal hold."""
    held = LegalHold.objects.filter(pupil=OuterRef("id"), lifted_at=None)
    past = Pupil.objects.filter(~Exists(held), born_on__lt=day, left_on__lte=on)
    return [*reversed(list(held_about(past)))]


def policies(day: date, on: date) -> list[Rows]:
    """Reviews of superseded versions, and then the versions that no review needs. The newest review stays. What was
    said before a change goes by the day of the change.
    """
    newer = PolicyReview.objects.filter(policy=OuterRef("policy"), reviewed_on__gt=OuterRef("reviewed_on"))
    successor = PolicyVersion.objects.filter(
        policy=OuterRef("policy"), number__gt=OuterRef("number"), made_at__lt=beginning_of(day)
    )
    kept = PolicyReview.objects.filter(Q(reviewed_on__gte=day) | ~Exists(newer), version=OuterRef("id"))
    old = PolicyReview.objects.filter(Exists(newer), reviewed_on__lt=day).exclude(version__is_current=True)
    versions = PolicyVersion.objects.filter(Exists(successor), ~Exists(kept), is_current=False)
    return [old, versions, Earlier.objects.filter(until__lt=beginning_of(day))]


def messages(day: date, on: date) -> list[Rows]:
    return [Notice.objects.filter(owed_at__lt=beginning_of(day)).exclude(state__in=OPEN_NOTICES)]


def files(day: date, on: date) -> list[Rows]:
    return [FileImport.objects.filter(uploaded_at__lt=beginning_of(day)).exclude(state__in=FileImport.IN_HAND)]


def people(day: date, on: date) -> list[Rows]:
    """Accounts without a role since then. Their name stays in the record of changes until that goes."""
    since = Membership.objects.filter(Q(to_on=None) | Q(to_on__gte=day), user=OuterRef("id"))
    return [User.objects.filter(~Exists(since), joined_at__lt=beginning_of(day))]


def returns_from_elsewhere(day: date, on: date) -> list[Rows]:
    """Sickness returns that other authorities sent on. The ledger keeps of each a count and a hash."""
    return [OnwardReturn.objects.filter(way=OnwardReturn.Way.IN, owed_at__lt=beginning_of(day))]


def record_of_changes(day: date, on: date) -> list[Rows]:
    """Counted here; deleted by whole seals alone, in core/seals.py."""
    return [SealedEntry.objects.filter(seal__sealed_at__lt=beginning_of(day))]


CLASSES = (
    RecordClass(
        "children", "Children and their plans", "the child's date of birth, once they have left", 25, 18, children
    ),
    RecordClass("policies", "Reviews and versions of policies that were superseded", "the review", 3, 1, policies),
    RecordClass("onward", "Sickness returns from other authorities", "the day they came", 6, 1, returns_from_elsewhere),
    RecordClass("messages", "Messages that were sent", "the day they were owed", 3, 1, messages),
    RecordClass("audit", "Who did and who saw what", "the sealing of the entry", 7, 6, record_of_changes),
    RecordClass("files", "Files that were imported", "the upload", 1, 1, files),
    RecordClass("people", "Accounts of people who left", "the end of their last role", 6, 1, people),
)
BY_KEY = {each.key: each for each in CLASSES}
MOST_YEARS = 100


def first_day_kept(years: int, *, on: date) -> date:
    """What began before this day is past its time on the day `on`."""
    return on - relativedelta(years=years)


def past_their_time(record_class: RecordClass, years: int, *, on: date) -> list[Rows]:
    return record_class.past(first_day_kept(years, on=on), on)


THEMSELVES = "children_themselves"
"""Among counts, how many children the records of children are about."""


def counts(periods: dict[str, int], *, on: date) -> dict[str, int]:
    """How many rows of each class are past their time, and of how many children."""
    found: dict[str, int] = {}
    for each in CLASSES:
        add_count(found, each, [rows.count() for rows in past_their_time(each, periods[each.key], on=on)])
    return found


def add_count(found: dict[str, int], record_class: RecordClass, numbers: list[int]) -> None:
    """Add what `past_their_time` gave of a class, in numbers."""
    found[record_class.key] = sum(numbers)
    if record_class.past is children:
        found[THEMSELVES] = numbers[-1]  # what hangs on them goes first


def in_words(record_class: RecordClass, found: dict[str, int]) -> str:
    """412 records of 37 children; blank for none."""
    number = found.get(record_class.key, 0)
    said = plural(number, "record", "records") if number else ""
    if said and record_class.past is children and THEMSELVES in found:
        said += " of " + plural(found[THEMSELVES], "child", "children")
    return said
