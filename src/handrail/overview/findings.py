"""What the authority found of schools' answers, as its evidence for inspection tells it."""

from datetime import datetime

from handrail.core.evidence import rows_as_csv
from handrail.returns.models import Answer, Assessment
from handrail.returns.standing import asked_before


def findings_csv(until: datetime) -> bytes:
    """Every finding from before the moment, beside the answer that it is about and what the school says to that point
    in the last return of before the moment. Two questions however many.
    """
    found = Assessment.objects.filter(assessed_at__lt=until, answer__returned__school__isnull=False)
    found = found.select_related("answer__returned__cycle", "answer__returned__school")
    found = found.order_by("answer__returned__school__urn", "answer__requirement_id", "assessed_at", "id")
    assessed = Assessment.objects.order_by().filter(assessed_at__lt=until)
    said = Answer.objects.filter(
        returned__submitted_at__lt=until,
        returned__school__in=assessed.values("answer__returned__school"),
        requirement_id__in=assessed.values("answer__requirement_id"),
    ).select_related("returned")
    point = ("returned__school_id", "requirement_id")
    newest = said.order_by(*point, "-returned__cycle__school_year", "-returned__number").distinct(*point)
    now = {(each.returned.school_id, each.requirement_id): each for each in newest}
    rows = []
    for each in found:
        then, returned = each.answer, each.answer.returned
        last = now.get((returned.school_id, then.requirement_id), then)
        is_same = (last.digest, last.content) == (then.digest, then.content)
        rows.append(
            (
                returned.school and returned.school.urn, returned.school, returned, then.requirement_id,
                asked_before(then.requirement_id, then.digest).requirement.says, then.get_verdict_display(),
                each.get_verdict_display(), each.note, each.assessed_by_name, each.assessed_at,
                "The same" if is_same else f"Changed: {last.get_verdict_display()}",
            )
        )  # fmt: skip
    return rows_as_csv(
        ("URN", "School", "Return", "Point", "What is asked", "The school said", "The authority found", "Note", "By",
         "When", "What the school says now"),
        rows,
    )  # fmt: skip
