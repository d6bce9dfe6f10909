"""The returns of schools, what they answer and what the authority found of it, as its evidence for inspection tells."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any

from django.db.models import Count

from handrail.core.evidence import rows_as_csv
from handrail.core.jinja import long_date
from handrail.returns.models import Answer, Assessment, Cycle, Return, Verdict
from handrail.returns.questions import Point
from handrail.returns.standing import asked_before


def _asked(on: date) -> Callable[[str, str], Point]:
    """What was asked under a digest, as strongly as on the day."""

    @cache
    def asked(requirement_id: str, digest: str) -> Point:
        point = asked_before(requirement_id, digest)
        return replace(point, framework=point.framework.as_at(on))

    return asked


NOT_SIGNED = "Not countersigned."


def signature(returned: Return, until: datetime) -> str:
    """Who had countersigned a return before the moment, in words."""
    signed = getattr(returned, "countersignature", None)
    if signed is None or signed.signed_at >= until:
        return NOT_SIGNED
    return f"Countersigned on {long_date(signed.signed_at)} by {signed.signed_by_name}."


def newest_returns(cycle: Cycle, until: datetime) -> list[Return]:
    """The return of each school that counted in a cycle before the moment, in the order of the schools' names."""
    found = Return.objects.filter(cycle=cycle, school__isnull=False, submitted_at__lt=until).newest()
    found = found.select_related("school", "countersignature", "cycle")
    return sorted(found, key=lambda each: (str(each.school), each.school_id))


def returns_csv(on: date, until: datetime) -> bytes:
    """Those of every cycle that had been opened by the day, with how many answers were which."""
    rows: list[Sequence[Any]] = []
    for cycle in Cycle.objects.filter(opened_on__lte=on):
        returns = newest_returns(cycle, until)
        counted = Answer.objects.filter(returned__in=returns).order_by().values_list("returned", "verdict")
        counts = {(returned, verdict): number for returned, verdict, number in counted.annotate(Count("id"))}
        rows += [
            (
                each.school.urn, each.school, str(cycle), each.submitted_at, each.submitted_by_name,
                signature(each, until), *(counts.get((each.id, verdict), 0) for verdict in Verdict.values),
            )
            for each in returns
            if each.school
        ]  # fmt: skip
    return rows_as_csv(("URN", "School", "Return", "Submitted", "By", "Countersigned", *Verdict.labels), rows)


def answers_csv(cycle: Cycle, on: date, until: datetime) -> bytes:
    """Every answer of those of one cycle. What was uploaded is not there: it is in the evidence of its school."""
    said = Answer.objects.filter(returned__in=newest_returns(cycle, until)).order_by(
        "returned__school__name", "returned__school__urn", "requirement_id"
    )
    columns = (
        "returned__school__urn", "returned__school__name", "returned__number", "requirement_id", "digest", "verdict",
        "reason", "evidence", "evidence_page", "evidence_url", "evidence_file", "answered_by_name", "answered_at",
        "carried_from",
    )  # fmt: skip
    asked, verdicts = _asked(on), dict(Verdict.choices)
    rows = (
        (urn, school, number, point, asked(point, digest).requirement.says, asked(point, digest).strength,
         verdicts[verdict], *words, "Yes" if file else "", by, at, "Yes" if carried else "")
        for urn, school, number, point, digest, verdict, *words, file, by, at, carried
        in said.values_list(*columns).iterator(chunk_size=2000)
    )  # fmt: skip
    return rows_as_csv(
        ("URN", "School", "Number", "Point", "What is asked", "How strongly", "Answer", "Reason", "What shows it",
         "Page", "Address", "File uploaded", "Answered by", "Answered", "Carried over"),
        rows,
    )  # fmt: skip


def findings_csv(on: date, until: datetime) -> bytes:
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
    alike = ("returned__school_id", "requirement_id")
    newest = said.order_by(*alike, "-returned__cycle__school_year", "-returned__number").distinct(*alike)
    now = {(each.returned.school_id, each.requirement_id): each for each in newest}
    asked, rows = _asked(on), []
    for each in found:
        then, returned = each.answer, each.answer.returned
        point = asked(then.requirement_id, then.digest)
        last = now.get((returned.school_id, then.requirement_id), then)
        is_same = (last.digest, last.content) == (then.digest, then.content)
        rows.append(
            (
                returned.school and returned.school.urn, returned.school, returned, then.requirement_id,
                point.requirement.says, point.strength, then.get_verdict_display(),
                each.get_verdict_display(), each.note, each.assessed_by_name, each.assessed_at,
                "The same" if is_same else f"Changed: {last.get_verdict_display()}",
            )
        )  # fmt: skip
    return rows_as_csv(
        ("URN", "School", "Return", "Point", "What is asked", "How strongly", "The school said", "The authority found",
         "Note", "By", "When", "What the school says now"),
        rows,
    )  # fmt: skip
