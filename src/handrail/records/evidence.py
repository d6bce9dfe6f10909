"""What proves how a case was dealt with, as at the end of a day: the log on paper, each list behind it, and the
evidence of each handover of the child, in a ZIP.

The same case and day give the same bytes, but for what has changed meanwhile and for the line on paper that says when
it was printed.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from io import BytesIO

from handrail.absences.counting import standing_of
from handrail.absences.models import AttendanceMark, Case, CaseEntry, SicknessReturn
from handrail.absences.paper import decision_log, facts
from handrail.absences.reminders import CASE, REVIEW
from handrail.core.calendar import beginning_of
from handrail.core.evidence import File, rows_as_csv, write_pack
from handrail.core.models import AuditEntry
from handrail.handovers.models import Handover, Step
from handrail.handovers.moves import Side
from handrail.notices.models import Notice
from handrail.records.handovers import Told, if_before


def evidence_pack(case: Case, *, on: date, authority: str, printed: str) -> bytes:
    """The ZIP. Raises VaultClosed."""
    packed = BytesIO()
    write_pack(packed, _files(case, on=on, authority=authority, printed=printed))
    return packed.getvalue()


def _files(case: Case, *, on: date, authority: str, printed: str) -> Iterable[File]:
    until = beginning_of(on + timedelta(days=1))
    now = standing_of(case, on=on)
    paper = decision_log(case, now, authority=authority, printed=printed, until=until)
    yield File("decision-log.pdf", "The decision log on paper", paper)
    entries = CaseEntry.objects.filter(case=case, made_at__lt=until).in_order()
    yield File("log.csv", "The decision log: what was written, by whom and when", _log(list(entries)))
    returns = SicknessReturn.objects.of(case).filter(made_at__lt=until).order_by("made_at")
    yield File(
        "returns.csv",
        "What the school reported, as it stands now",
        rows_as_csv(
            ("Made", "By", "First day away", "Last day away", "15 days likely since", "Taken back"),
            returns.values_list("made_at", "made_by_name", "first_on", "last_on", "likely_on", "withdrawn_at"),
        ),
    )
    first = date(case.school_year, 9, 1)
    marks = AttendanceMark.objects.filter(pupil=case.pupil, on__gte=first, on__lte=on, recorded_at__lt=until)
    yield File(
        "attendance.csv",
        "Codes of the register in the school year, with those whose place another took",
        rows_as_csv(
            ("Day", "Session", "Code", "Recorded", "Replaced"),
            [
                (
                    *(each.on, each.session, each.code, each.recorded_at),
                    *if_before(until, each.replaced_at, each.replaced_at),
                )
                for each in marks.order_by("on", "session", "recorded_at")
            ],
        ),
    )
    notices = Notice.objects.filter(subject_kind__in=[CASE, REVIEW], subject_id=case.id, owed_at__lt=until)
    yield File(
        "messages.csv",
        "Messages that asked somebody to act, and what became of them",
        rows_as_csv(
            ("Owed", "Step", "Falls on", "To whom", "What became of it", "When"),
            [
                (
                    *(each.owed_at, each.step, each.step_on, each.recipient_role),
                    *if_before(until, each.ended_at, each.state, each.ended_at),
                )
                for each in notices.order_by("owed_at")
            ],
        ),
    )
    handovers = Handover.objects.filter(pupil=case.pupil, side=Side.HOME, started_at__lt=until).order_by(
        "started_at", "id"
    )
    steps = Step.objects.filter(handover__in=handovers, at__lt=until)
    yield File(
        "handovers.csv",
        "Handovers of the child: each move, by whom and when",
        rows_as_csv(
            ("When", "By", "Move", "Where it then stood", "Setting"),
            steps.order_by("at", "number").values_list("at", "by_name", "move", "state", "handover__setting_name"),
        ),
    )
    about = [case.id, *returns.values_list("id", flat=True)]
    changes = AuditEntry.objects.filter(subject_id__in=about, at__lt=until).order_by("at", "id")
    yield File(
        "changes.csv",
        "The record of changes: who did what, when",
        rows_as_csv(
            ("When", "By", "Role", "What", "Entry"), changes.values_list("at", "by_name", "role", "verb", "id")
        ),
    )
    for number, each in enumerate(handovers.select_related("pupil__school"), 1):
        told = Told(each, on=on, authority=authority, printed=printed, knows=True)
        yield from told.files(folder=f"handover-{number}/")


def _log(entries: list[CaseEntry]) -> bytes:
    labels = [label for label, _ in facts(entries[0])] if entries else []
    rows = [
        (each.number, each.title, each.made_at, each.made_by_name, *(said for _, said in facts(each)))
        for each in entries
    ]
    return rows_as_csv(("Number", "What", "Written", "By", *labels), rows)
