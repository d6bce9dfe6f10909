"""What proves how a case was dealt with, as at the end of a day: the log on paper, and each list behind it, in a ZIP.

`index.csv` says what each file is, its size and its digest. The same case and day give the same bytes, but for what
has changed meanwhile and for the line on paper that says when it was printed.
"""

import csv
import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any

from handrail.absences.counting import standing_of
from handrail.absences.models import AttendanceMark, Case, CaseEntry, SicknessReturn
from handrail.absences.paper import decision_log, facts
from handrail.absences.reminders import CASE, REVIEW
from handrail.core.calendar import beginning_of
from handrail.core.jinja import long_date
from handrail.core.models import AuditEntry
from handrail.core.reference import reference
from handrail.core.spreadsheet import harmless
from handrail.handovers.models import Step
from handrail.handovers.moves import Side
from handrail.notices.models import Notice

FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)
"""What a ZIP says of each of its files, so that the same content is the same file."""


@dataclass(frozen=True)
class File:
    """One file of the pack: its name, what it is, and its content."""

    name: str
    what: str
    content: bytes


def evidence_pack(case: Case, *, on: date, authority: str, printed: str) -> bytes:
    """The ZIP. Raises VaultClosed."""
    files = list(_files(case, on=on, authority=authority, printed=printed))
    rows = [(each.name, each.what, len(each.content), hashlib.sha256(each.content).hexdigest()) for each in files]
    title = f"Case {reference(case.id)}, as at the end of {long_date(on)}"
    index = File("index.csv", title, _csv(("File", "What it is", "Bytes", "SHA-256"), rows))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in (index, *files):
            archive.writestr(zipfile.ZipInfo(each.name, FIRST_MOMENT), each.content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _files(case: Case, *, on: date, authority: str, printed: str) -> Iterable[File]:
    until = beginning_of(on + timedelta(days=1))
    now = standing_of(case, on=on)
    paper = decision_log(case, now, authority=authority, printed=printed, until=until)
    yield File("decision-log.pdf", "The decision log on paper", paper)
    entries = CaseEntry.objects.filter(case=case, made_at__lt=until).in_order()
    yield File("log.csv", "The decision log: what was written, by whom and when", _log(list(entries)))
    returns = SicknessReturn.objects.filter(case=case, made_at__lt=until).order_by("made_at")
    yield File(
        "returns.csv",
        "What the school reported, as it stands now",
        _csv(
            ("Made", "By", "First day away", "Last day away", "15 days likely since", "Taken back"),
            returns.values_list("made_at", "made_by_name", "first_on", "last_on", "likely_on", "withdrawn_at"),
        ),
    )
    first = date(case.school_year, 9, 1)
    marks = AttendanceMark.objects.filter(pupil=case.pupil, on__gte=first, on__lte=on, recorded_at__lt=until)
    yield File(
        "attendance.csv",
        "Codes of the register in the school year, as they stand now",
        _csv(("Day", "Session", "Code", "Recorded"), marks.values_list("on", "session", "code", "recorded_at")),
    )
    notices = Notice.objects.filter(subject_kind__in=[CASE, REVIEW], subject_id=case.id, owed_at__lt=until)
    yield File(
        "messages.csv",
        "Messages that asked somebody to act, and what became of them",
        _csv(
            ("Owed", "Step", "Falls on", "To whom", "What became of it", "When"),
            notices.order_by("owed_at").values_list(
                "owed_at", "step", "step_on", "recipient_role", "state", "ended_at"
            ),
        ),
    )
    steps = Step.objects.filter(handover__pupil=case.pupil, handover__side=Side.HOME, at__lt=until)
    yield File(
        "handovers.csv",
        "Handovers of the child: each move, by whom and when",
        _csv(
            ("When", "By", "Move", "Where it then stood", "Setting"),
            steps.order_by("at", "number").values_list("at", "by_name", "move", "state", "handover__setting_name"),
        ),
    )
    about = [case.id, *returns.values_list("id", flat=True)]
    changes = AuditEntry.objects.filter(subject_id__in=about, at__lt=until).order_by("at", "id")
    yield File(
        "changes.csv",
        "The record of changes: who did what, when",
        _csv(("When", "By", "Role", "What", "Entry"), changes.values_list("at", "by_name", "role", "verb", "id")),
    )


def _log(entries: list[CaseEntry]) -> bytes:
    labels = [label for label, _ in facts(entries[0])] if entries else []
    rows = [
        (each.number, each.title, each.made_at, each.made_by_name, *(said for _, said in facts(each)))
        for each in entries
    ]
    return _csv(("Number", "What", "Written", "By", *labels), rows)


def _csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = StringIO(newline="")
    write = csv.writer(text)
    write.writerow(headings)
    write.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else harmless(value)
