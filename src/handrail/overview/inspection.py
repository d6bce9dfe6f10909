"""What a school, or the authority, shows to whoever inspects it: on paper, and as a ZIP with the files behind it.

As at the end of a day: nothing in it was recorded later. What has been changed since is told as it was then or, where
that was not kept, is said to have been changed. It names no child: of plans it holds counts as they may be shown, of
training how many people. What somebody typed as evidence, or uploaded, is in it as it is; files have names of ours.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from handrail.care import past
from handrail.core.calendar import beginning_of
from handrail.core.documents import NotFound, StoreUnavailable, open_document
from handrail.core.earlier import CHANGED_SINCE, Past, of_school_then
from handrail.core.evidence import File, rows_as_csv
from handrail.core.file_kinds import ENDINGS
from handrail.core.jinja import ended, long_date, plural
from handrail.core.models import AuditEntry, AuthoritySettings, Document
from handrail.core.pdf import pdf
from handrail.core.status import Status
from handrail.guidance.published import framework
from handrail.notices.models import Notice
from handrail.notices.wording import WORDINGS
from handrail.overview.history import RECIPIENTS
from handrail.overview.plan_counts import STATUSES, last_count
from handrail.overview.schools_returns import (
    NOT_SIGNED,
    answers_csv,
    findings_csv,
    newest_returns,
    returns_csv,
    signature,
)  # fmt: skip
from handrail.policies.communications import told
from handrail.policies.models import DUTIES, Communication, Kind, Policy, called
from handrail.policies.past import Then, as_at
from handrail.returns.models import Answer, Cycle, PlannedAction, Return, Verdict
from handrail.returns.standing import Finding, submitted_sections
from handrail.schools.models import School

PAPER = Path(__file__).parent / "paper" / "inspection.typ"
REMINDED_OF = (
    "policy", "published_policy", "yearly_return", "reopened_return", "unsigned_return", "self_assessment",
    "unsigned_assessment", "planned_action", "communication",
)  # fmt: skip
"""The kinds of thing of which reminders are told here: none is about a child."""

NOT_FETCHED = b"This file could not be fetched when the evidence was made. Make the evidence again later."


@dataclass(frozen=True)
class Table:
    """A part of the paper: words, and a table that may have no row."""

    title: str
    lead: str = ""
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    widths: Sequence[int] = ()


@dataclass(frozen=True)
class Said:
    """An answer of a return as the evidence tells it."""

    section: str
    point: Any
    found: Sequence[Finding]
    planned: Sequence[str]
    file: str
    """Its name in the ZIP."""

    @property
    def answer(self) -> Answer:
        answer: Answer = self.point.answer
        return answer

    @property
    def asked(self) -> str:
        return f"{self.point.requirement.says} ({self.point.strength}.)"

    @property
    def in_words(self) -> str:
        """The reason, what shows it, and what the authority found."""
        answer = self.answer
        said = [ended(answer.reason), ended(answer.evidence)]
        said += [f"Page {answer.evidence_page}." if answer.evidence_page else "", answer.evidence_url]
        said += [f"File: {self.file}." if self.file else "", *(ended(each.in_words) for each in self.found)]
        said += [f"Planned: {each}." for each in self.planned]
        return " ".join(each for each in said if each)


class Evidence:
    """All of it about one school, or where none is given about the authority, at the end of a day."""

    def __init__(self, school: School | None, *, on: date, authority: str, printed: str) -> None:
        self.school, self.on, self.authority, self.printed = school, on, authority, printed
        self.until = beginning_of(on + timedelta(days=1))
        own = Policy.objects.filter(school=school).select_related("school")
        order = list(Kind)
        self.policies = as_at(sorted(own, key=lambda each: order.index(Kind(each.kind))), on=on)
        returns = Return.objects.filter(school=school, submitted_at__lt=self.until)
        self.returns = list(returns.select_related("cycle", "countersignature"))
        self.files: dict[UUID, tuple[str, str, Document]] = {}
        """The uploaded files: by document their name in the ZIP and what they are."""
        for then in self.policies:
            if then.version and then.version.document and then.has_document:
                self._file(f"policies/{then.policy.kind}", str(then.policy), then.version.document)
        self.said = {each.id: list(self._said(each)) for each in self.returns}

    def _file(self, name: str, what: str, document: Document) -> str:
        """What a document is called in the ZIP: nothing that somebody typed, for that may be a name."""
        if document.id not in self.files:
            taken = sum(each.startswith(name) for each, _, _ in self.files.values())
            called = f"{name}{f'-{taken + 1}' if taken else ''}{ENDINGS.get(document.content_type, '')}"
            self.files[document.id] = (called, what, document)
        return self.files[document.id][0]

    def _said(self, returned: Return) -> Iterator[Said]:
        planned: dict[str, list[str]] = {}
        of_cycle = PlannedAction.objects.filter(cycle=returned.cycle_id)
        actions = of_school_then(of_cycle, returned.school_id, at=self.until)
        later = AuditEntry.objects.filter(verb="planned what a return lacks", at__gte=self.until)
        recorded = list(actions.exclude(id__in=later.values("subject_id")))
        for action, words in zip(recorded, self._planned(recorded), strict=True):
            planned.setdefault(action.requirement_id, []).append(words)
        for section in submitted_sections(returned, on=self.on):
            for point in section.points:
                found = [each for each in point.findings if each.assessment.assessed_at < self.until]
                document, what = point.answer.evidence_file, f"Evidence of {point.requirement.id}, {returned}"
                file = self._file(f"evidence/{point.requirement.id}", what, document) if document else ""
                yield Said(section.title, point, found, planned.get(point.requirement.id, []), file)

    def _planned(self, actions: list[PlannedAction]) -> Iterator[str]:
        """What was to be done by the day, by whom and by when, and whether it had been."""
        past = Past([each.id for each in actions], at=self.until)
        changes = AuditEntry.objects.filter(subject_kind="planned_action", subject_id__in=[each.id for each in actions])
        changed = list(changes.filter(at__gte=self.until).values_list("subject_id", "at", "fields"))
        for each in actions:
            what, owner, due_on, done_on = (
                past.said(each, name, changed_at=[at for id, at, fields in changed if id == each.id and name in fields])
                for name in PlannedAction.TOLD_LATER
            )
            done = f"; done: {_day(done_on)}" if done_on else ""
            yield f"{what} ({owner}, by {_day(due_on)}{done})"

    # -- paper -------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        return f"Evidence for inspection: {self.school or self.authority}"

    def paper(self) -> bytes:
        """The PDF. Raises VaultClosed."""
        whose = f"{self.school}, URN {self.school.urn}. {self.authority}." if self.school else f"{self.authority}."
        about = [
            f"{whose} As it stood at the end of {long_date(self.on)}.",
            "Handrail put no child’s name in it. Counts of plans from 1 to 5, and what tells of them, are kept back.",
        ]
        facts = {"title": self.title, "authority": self.authority, "printed": self.printed, "about": about}
        return pdf(PAPER, facts | {"tables": [asdict(each) for each in self.tables()]})

    def tables(self) -> Iterator[Table]:
        yield self._policies()
        if not self.school:
            yield from self._of_schools()
        else:
            yield self._told()
        yield from self._returns()
        yield self._plans()
        yield self._training()
        yield self._reminders()
        names = [(name, what) for name, what, _ in self.files.values()]
        lead = "index.csv in the ZIP has the digest (SHA-256) of each file." if names else "None was uploaded."
        yield Table("Files", lead, ("File", "What it is"), names, (2, 3))

    def _policies(self) -> Table:
        rows = [
            (called(Kind(each.policy.kind), self.on), _dates(each), each.lead or "Not named", _approval(each),
             each.published_url or "Not on a website")
            for each in self.policies
        ]  # fmt: skip
        headings = ("Policy", "Reviewed", "Lead", "Approved", "Where people can read it")
        return Table("Policies", "", headings, rows, (4, 4, 3, 4, 5))

    def _told(self) -> Table:
        given = Communication.objects.filter(policy__school=self.school, recorded_at__lt=self.until)
        rows = [
            (
                each.audience.label,
                f"{long_date(each.last.told_on)}: {each.last.how}" if each.last else "Not recorded",
                each.last.recorded_by_name if each.last else "",
            )
            for each in told(given, school=self.school, on=self.on, settings=AuthoritySettings.load())
        ]
        duty = framework(DUTIES[Kind.ALLERGY_SAFETY])
        lead = f"{duty.legal_basis}. {duty.as_at(self.on).status_in_words}." if duty else ""
        return Table("Told about the allergy safety policy", lead, ("Who", "Told last", "Recorded by"), rows, (3, 5, 3))

    def _returns(self) -> Iterator[Table]:
        if not self.returns:
            yield Table("Return" if self.school else "Self-assessment", "None had been submitted.")
        for place, returned in enumerate(self.returns):
            title = str(returned)
            lead = f"Submitted on {long_date(returned.submitted_at)} by {returned.submitted_by_name}."
            lead += f" {signature(returned, self.until)}"
            said = self.said[returned.id]
            if place:  # what an older one said is in answers.csv
                yield Table(title, f"{lead} {_verdicts(each.answer.verdict for each in said)}")
                continue
            rows = [(each.asked, each.answer.get_verdict_display(), each.in_words) for each in said]
            yield Table(title, lead, ("What is asked", "Answer", "Reason and evidence"), rows, (5, 2, 6))

    def _plans(self) -> Table:
        found = last_count(on=self.on, urn=self.school.urn if self.school else "")
        if found is None:
            return Table("Healthcare plans", "Plans had not been counted.")
        counted_on, line = found
        labels = [*(each.label for each in STATUSES), "All plans", "Covered"]
        counts = ["Kept back" if count is None else str(count) for count in line.counts]
        lead = f"As counted on {long_date(counted_on)}. Covered: in date, people trained, medicines in date, consent."
        return Table("Healthcare plans", lead, labels, [counts], [1] * len(labels))

    @cached_property
    def trained(self) -> past.Then:
        return past.as_at(self.school, on=self.on)

    def _training(self) -> Table:
        """How many people: at a school by what in, at the authority altogether."""
        then = self.trained
        other = f" Not counted: {plural(then.not_kept, 'training', 'trainings')}. {CHANGED_SINCE}."
        told = f"Training that counted on the day, and is not for one child alone.{other if then.not_kept else ''}"
        if self.school is None:
            people = len({(each.school_id, each.person) for each in then.people})
            schools = len({each.school_id for each in then.people})
            said = f"{plural(people, 'person', 'people')} at {plural(schools, 'school', 'schools')}"
            return Table("Training", f"{said}. {told}")
        people_in: dict[str, set[str]] = {}
        for each in then.people:
            people_in.setdefault(each.procedure, set()).add(each.person)
        rows = [(what, plural(len(people), "person", "people")) for what, people in sorted(people_in.items())]
        lead = told if rows or then.not_kept else "None was on record."
        return Table("Training", lead, ("In what", "How many"), rows, (3, 1))

    def _notices(self) -> QuerySet[Notice]:
        owed = Notice.objects.filter(subject_kind__in=REMINDED_OF, owed_at__lt=self.until).order_by("owed_at", "id")
        return owed.filter(school_id=self.school.id) if self.school else owed

    def _reminders(self) -> Table:
        sent = Counter(self._notices().filter(SENT, ended_at__lt=self.until).values_list("wording", flat=True))
        rows = [(WORDINGS[wording].called, str(count)) for wording, count in sorted(sent.items())]
        return Table("Reminders sent", "" if rows else "None.", ("What about", "How many"), rows, (3, 1))

    def _of_schools(self) -> Iterator[Table]:
        """How the authority's schools stood, in numbers."""
        statuses = Counter((each.policy.kind, each.status) for each in self._all_policies())
        kinds = [kind for kind in Kind if kind != Kind.SECTION_19]
        rows = [[called(kind, self.on), *(str(statuses[kind, status]) for status in Status)] for kind in kinds]
        yield Table("Policies of schools", "", ("Policy", *(each.label for each in Status)), rows, (4, 2, 2, 2, 2, 2))
        if self.cycle:
            asked = set(School.objects.open_on(self.on).bound().values_list("id", flat=True))
            returns = [each for each in newest_returns(self.cycle, self.until) if each.school_id in asked]
            signed = sum(signature(each, self.until) != NOT_SIGNED for each in returns)
            of_all = f"{len(returns)} of {plural(len(asked), 'school', 'schools')}"
            lead = f"{of_all} had returned it, {signed} with a governor’s signature."
            yield Table(f"{self.cycle} of schools", lead)

    @cached_property
    def cycle(self) -> Cycle | None:
        """The newest that had been opened by the day."""
        return Cycle.objects.filter(opened_on__lte=self.on).first()

    # -- files -------------------------------------------------------------------------------------------

    def pack(self) -> Iterator[File]:
        """The files of the ZIP, one after the other. Raises VaultClosed."""
        yield File("evidence.pdf", self.title, self.paper())
        yield File("policies.csv", "The policies as they stood", self._policies_csv())
        yield File("answers.csv", "Every answer of every return that had been submitted", self._answers_csv())
        if not self.school:
            yield File(
                "schools-returns.csv", "Which schools had returned what was asked", returns_csv(self.on, self.until)
            )
            if self.cycle:
                answers = answers_csv(self.cycle, self.on, self.until)
                yield File("schools-answers.csv", f"What schools answered: {str(self.cycle).lower()}", answers)
            yield File(
                "findings.csv", "What the authority found of schools’ answers", findings_csv(self.on, self.until)
            )
            yield File("training.csv", "How many people at each school had training that counted", self._training_csv())
        yield File("reminders.csv", "Reminders, and what had become of them", self._reminders_csv())
        for name, what, document in self.files.values():
            try:
                with open_document(document) as file:
                    yield File(name, what, file)
            except (NotFound, StoreUnavailable):
                yield File(f"{name}.txt", f"{what}: not fetched", NOT_FETCHED)

    def _all_policies(self) -> list[Then]:
        """Those of the schools that were open on the day, for the authority."""
        found = Policy.objects.filter(school__in=School.objects.open_on(self.on)).select_related("school")
        return as_at(found.order_by("school__name", "school__urn", "kind"), on=self.on)

    def _policies_csv(self) -> bytes:
        rows = (
            (
                each.policy.school.urn if each.policy.school else "", each.policy.school or self.authority,
                called(Kind(each.policy.kind), self.on),
                each.status.label, each.last_reviewed_on, each.next_review_on, each.reviewed_by, each.lead,
                each.approval.approved_by if each.approval else "", each.approval.approved_on if each.approval else "",
                each.approval.minute_reference if each.approval else "", each.published_url,
            )
            for each in [*self.policies, *([] if self.school else self._all_policies())]
        )  # fmt: skip
        return rows_as_csv(
            ("URN", "Whose", "Policy", "Status", "Last reviewed", "Next review", "Recorded by", "Lead", "Approved by",
             "Approved on", "Minute", "Where people can read it"),
            rows,
        )  # fmt: skip

    def _answers_csv(self) -> bytes:
        rows = (
            (
                returned.cycle.title_for(self.school), returned.number, returned.submitted_at,
                each.section, each.point.requirement.id,
                each.point.requirement.says, each.point.strength, each.answer.get_verdict_display(), each.in_words,
                each.answer.answered_by_name, each.answer.answered_at, "Yes" if each.answer.carried_from_id else "",
            )
            for returned in self.returns
            for each in self.said[returned.id]
        )  # fmt: skip
        return rows_as_csv(
            ("Return", "Number", "Submitted", "Part", "Point", "What is asked", "How strongly", "Answer",
             "Reason and evidence", "Answered by", "Answered", "Carried over"),
            rows,
        )  # fmt: skip

    def _training_csv(self) -> bytes:
        counts = Counter(school_id for school_id, _ in {(each.school_id, each.person) for each in self.trained.people})
        rows = ((each.urn, each.name, counts[each.id]) for each in School.objects.filter(id__in=counts))
        return rows_as_csv(("URN", "School", "People"), rows)

    def _reminders_csv(self) -> bytes:
        urns: dict[Any, str] = {} if self.school else dict(School.objects.order_by().values_list("id", "urn"))
        rows = (
            (
                each.owed_at, self.school.urn if self.school else urns.get(each.school_id, ""),
                WORDINGS[each.wording].called, RECIPIENTS.get(each.recipient_role, each.recipient_role), each.step_on,
                each.get_state_display() if each.ended_at and each.ended_at < self.until else "Not sent by then",
            )
            for each in self._notices().iterator(chunk_size=2000)
        )  # fmt: skip
        return rows_as_csv(("Owed", "URN", "What about", "To whom", "Falls on", "What had become of it"), rows)


SENT = Q(state__in=[Notice.State.ACCEPTED, Notice.State.DELIVERED])


def _dates(then: Then) -> str:
    if then.last_reviewed_on is None:
        return then.status.label
    nxt = f", next by {long_date(then.next_review_on)}" if then.next_review_on else ""
    return f"{then.status.label}. Last on {long_date(then.last_reviewed_on)}{nxt}"


def _approval(then: Then) -> str:
    if then.approval is None:
        return "Not recorded"
    if then.approval.approved_on is None:
        return then.approval.approved_by
    minute = f", minute {then.approval.minute_reference}" if then.approval.minute_reference else ""
    return f"{then.approval.approved_by}, {long_date(then.approval.approved_on)}{minute}"


def _day(said: str) -> str:
    """A day as it was kept, or that it was not."""
    return CHANGED_SINCE.lower() if said == CHANGED_SINCE else long_date(date.fromisoformat(said))


def _verdicts(verdicts: Iterable[str]) -> str:
    counts = Counter(verdicts)
    return ", ".join(f"{each.label}: {counts[each]}" for each in Verdict if counts[each]) + "."
