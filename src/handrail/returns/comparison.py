"""How many schools' policies are adequate on the 2017 criteria, by what they say in their returns. Reads only.

It is no repetition of the audit: there somebody else read the policies. Schools that have not answered are counted
apart, and never as not adequate.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db.models import TextChoices

from handrail.policies.models import Kind, Policy, PolicyMonth, WebsiteCheck
from handrail.returns.standing import Adequacy, adequate_by_school
from handrail.schools.models import School


class By(TextChoices):
    """What schools may be grouped by: the column of each, as the register says it."""

    PHASE = "phase_name", "Phase"
    TYPE = "type_name", "Type"
    TRUST = "trust_name", "Trust"


class Group(NamedTuple):
    """Some schools, those of them that answered the nine points, those adequate, and those published as well."""

    label: str
    schools: int = 0
    answered: int = 0
    adequate: int = 0
    published: int = 0
    years: tuple[tuple[int, int], ...] = ()
    """Of the returns of which school years the answers are, the newest first, and of how many schools."""

    def share(self, count: int) -> str:
        """So many of those that answered, in per cent; empty where nobody did."""
        return f"{100 * count / self.answered:.1f}" if self.answered else ""


ALL, NONE = "All schools", "None"


def comparison(*, on: date) -> dict[str, list[Group]]:
    """Open schools with the duty in groups, by what they are grouped by; all of them stand last in each."""
    adequate, published = adequate_by_school(on=on), _published()
    schools = list(School.objects.open().bound().values_list("id", *By.values))
    found = {}
    for place, by in enumerate(By.values, start=1):
        rows = [(row[place] or NONE, adequate.get(row[0]), row[0] in published) for row in schools]
        labels = sorted({label for label, *_ in rows})
        groups = [_group(label, [each for each in rows if each[0] == label]) for label in labels]
        found[by] = [*groups, _group(ALL, rows)]
    return found


def _group(label: str, rows: Iterable[tuple[str, Adequacy | None, bool]]) -> Group:
    rows = list(rows)
    years = Counter(said.school_year for _, said, _ in rows if said)
    return Group(
        label,
        schools=len(rows),
        answered=sum(said is not None for _, said, _ in rows),
        adequate=sum(said is not None and said.is_adequate for _, said, _ in rows),
        published=sum(said is not None and said.is_adequate and is_published for _, said, is_published in rows),
        years=tuple(sorted(years.items(), reverse=True)),
    )


def _published() -> set[UUID]:
    """The schools whose medical conditions policy has an address at which it was not missed."""
    policies = Policy.objects.of_schools().filter(kind=Kind.MEDICAL_CONDITIONS, published_url__gt="")
    missing = WebsiteCheck.objects.missing().values("policy_id")
    return set(policies.exclude(id__in=missing).values_list("school_id", flat=True))


def month_by_month() -> list[tuple[date, Group]]:
    """All schools as they stood at the end of each month that was kept, the oldest first."""
    months = PolicyMonth.objects.filter(kind=Kind.MEDICAL_CONDITIONS).exclude(urn="").counted()
    return [
        (
            each["month__ended_on"],
            Group(ALL, each["policies"], each["answered"], each["adequate"], each["adequate_and_published"]),
        )
        for each in months
    ]
