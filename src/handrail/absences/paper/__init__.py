"""The log of a case on paper: what was decided, on what grounds, by whom and when, in order."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import Q

from handrail.absences.models import Case, CaseEntry, SicknessReturn
from handrail.absences.section19 import Standing
from handrail.core.jinja import long_date, moment
from handrail.core.pdf import pdf
from handrail.core.reference import reference

DOCUMENT = Path(__file__).parent / "log.typ"


def decision_log(case: Case, now: Standing, *, authority: str, printed: str, until: datetime | None = None) -> bytes:
    """A PDF of everything the authority wrote about a case, and of when the school told it; of all before a moment.

    Raises VaultClosed.
    """
    child = case.pupil
    before = Q(made_at__lt=until) if until else Q()
    returns = SicknessReturn.objects.of(case).filter(before).order_by("made_at")
    return pdf(
        DOCUMENT,
        {
            "title": f"Decision log {reference(case.id)}",
            "authority": authority,
            "printed": printed,
            "about": [
                ("Child", child.name),
                ("Date of birth", long_date(child.born_on)),
                ("School", f"{child.school.name}, URN {child.school.urn}"),
                ("School year", case.year),
                ("Now", f"{now.stage.label}. {now.why}"),
            ],
            "returns": [_return(each, until) for each in returns],
            "entries": [_entry(each) for each in CaseEntry.objects.filter(before, case=case).in_order()],
        },
    )


def _return(made: SicknessReturn, until: datetime | None) -> str:
    """What a school reported, and whether it had taken it back before a moment."""
    end = f" to {long_date(made.last_on)}." if made.last_on else ", with no end yet."
    was_taken_back = made.withdrawn_at and (until is None or made.withdrawn_at < until)
    taken_back = f" Taken back on {moment(made.withdrawn_at)}." if was_taken_back else ""
    said = f"{made.made_by_name} reported an absence from {long_date(made.first_on)}{end}"
    return f"{moment(made.made_at)}: {said}{taken_back}"


def _entry(entry: CaseEntry) -> dict[str, Any]:
    return {
        "title": f"{entry.number}. {entry.title}",
        "by": f"Written by {entry.made_by_name} on {moment(entry.made_at)}",
        "facts": [(label, value) for label, value in facts(entry) if value],
    }


def facts(entry: CaseEntry) -> list[tuple[str, str]]:
    """What an entry says, in the order in which somebody asks; what was not said is empty."""
    return [
        ("Day", long_date(entry.happened_on)),
        ("Trigger", entry.trigger),
        ("Evidence seen", entry.evidence or ""),
        ("Reasons", entry.reasons or ""),
        ("Letter to the family", long_date(entry.letter_on)),
        ("Hours a week", f"{entry.hours.normalize():f}" if entry.hours is not None else ""),
        ("Why not full-time", entry.why_not_full_time or ""),
        ("Next review", long_date(entry.next_review_on)),
    ]
