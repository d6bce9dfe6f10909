"""What proves how a child was handed over, as at the end of a day: the story on paper, and each list behind it.

It is told from what one side holds, and of what was recorded by that day alone: where the handover stood is where its
last move led. The packs themselves are not in it, only which they were: their content is read where it is shown.
Whoever may not know the child is told who did what and when, and neither a name nor a word of what was said.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from handrail.core.calendar import beginning_of
from handrail.core.evidence import File, rows_as_csv
from handrail.core.jinja import long_date, moment
from handrail.core.models import AuditEntry
from handrail.core.pdf import pdf
from handrail.core.reference import reference
from handrail.handovers.models import FollowUp, Handover, Message, Pack, Step, StepsRead
from handrail.handovers.moves import IN_WORDS, WHO, Side, State
from handrail.handovers.reminders import RULES
from handrail.handovers.said import DIGEST_SHOWN
from handrail.handovers.steps import VERBS
from handrail.notices.models import Notice

DOCUMENT = Path(__file__).parent / "paper" / "handover.typ"


@dataclass(frozen=True)
class Told:
    """One handover as at the end of a day, to somebody who `knows` the child or does not."""

    handover: Handover
    on: date
    authority: str
    printed: str
    knows: bool

    @property
    def until(self) -> datetime:
        return beginning_of(self.on + timedelta(days=1))

    @property
    def name(self) -> str:
        """What its files are called, which tells nobody."""
        return reference(self.handover.reference)

    @cached_property
    def steps(self) -> list[Step]:
        return list(self.handover.steps.filter(at__lt=self.until).order_by("number"))

    @cached_property
    def packs(self) -> list[Pack]:
        return list(self.handover.packs.filter(made_at__lt=self.until).order_by("made_at", "is_return", "number"))

    @cached_property
    def readings(self) -> list[StepsRead]:
        found = StepsRead.objects.filter(pack__in=self.packs, at__lt=self.until)
        return list(found.select_related("pack").order_by("at"))

    @cached_property
    def follow_up(self) -> FollowUp | None:
        return FollowUp.objects.filter(handover=self.handover, at__lt=self.until).first()

    @cached_property
    def about(self) -> list[tuple[str, str]]:
        """What the handover is, and where it stood."""
        handover, last = self.handover, self.steps[-1] if self.steps else None
        stood = f"{IN_WORDS[State(last.state)]}, after the move of {long_date(last.at.date())}" if last else "Not begun"
        codes = ("home_authority", "school_authority", "host_authority")
        labels = ("Lives in the authority", "School is in the authority", "Setting is in the authority")
        kept = [(label, getattr(handover, column)) for label, column in zip(labels, codes, strict=True)]
        sides = [("From", self._home), ("To", handover.setting_name), ("The other authority", handover.other_name)]
        return [each for each in (("Child", self._child), *sides, *kept, ("Where it stood", stood)) if each[1]]

    @property
    def _home(self) -> str:
        pupil = self.handover.pupil
        return f"{pupil.school.name}, URN {pupil.school.urn}" if pupil and self.handover.is_home else ""

    @property
    def _child(self) -> str:
        """Who it is, as the newest pack of that day says it; nobody whom this side did not know by then."""
        if not self.knows:
            return ""
        sent = [each.content["child"] for each in self.packs if not each.is_return and "child" in each.content]
        pupil, asked = self.handover.pupil, self.handover.is_home and self.handover.notice is not None
        known = AuditEntry.objects.filter(subject_id=self.handover.id, verb="said who was admitted", at__lt=self.until)
        is_known = known.exists() if asked else self.handover.is_home or self.handover.notice is not None
        if sent:
            return f"{sent[-1]['name']}, born {long_date(date.fromisoformat(sent[-1]['born_on']))}"
        return f"{pupil.name}, born {long_date(pupil.born_on)}" if pupil and is_known else ""

    def words_of(self, step: Step) -> list[tuple[str, str]]:
        return step.words if self.knows else []

    def paper(self) -> bytes:
        """The story as a PDF. Raises VaultClosed."""
        return pdf(
            DOCUMENT,
            {
                "title": f"Evidence of handover {self.name}",
                "authority": self.authority,
                "printed": self.printed,
                "as_at": long_date(self.on),
                "about": self.about,
                "steps": [
                    {"title": f"{moment(each.at)}: {each.by_name} {VERBS[each.move]}", "facts": self.words_of(each)}
                    for each in self.steps
                ],
                "packs": [
                    {
                        "title": f"{_which(each)} {each.number}",
                        "facts": [
                            (self._done_to(each), f"{moment(each.made_at)}, {each.made_by_name}"),
                            ("Version of the plan", str(each.plan_number or "None")),
                            ("Digest of its content", each.sha256[:DIGEST_SHOWN]),
                        ],
                    }
                    for each in self.packs
                ],
                "readings": [
                    {
                        "title": f"{moment(each.at)}: {each.by_name}",
                        "facts": [("Pack", f"{each.pack.number}, with version {each.pack.plan_number} of the plan")],
                    }
                    for each in self.readings
                ],
                "follow_up": [
                    {
                        "title": f"{moment(each.at)}: {each.by_name}",
                        "facts": [("What happens next", each.says)] if self.knows else [],
                    }
                    for each in filter(None, [self.follow_up])
                ],
            },
        )

    def _done_to(self, made: Pack) -> str:
        return "Sent" if made.is_return != self.handover.is_home else "Opened"

    def files(self, *, folder: str = "") -> Iterable[File]:
        """Each file of the ZIP. Raises VaultClosed."""
        of_it = f"Handover {self.name}: "
        yield File(f"{folder}handover.pdf", f"{of_it}the story on paper", self.paper())
        yield File(f"{folder}moves.csv", f"{of_it}each move, by whom and when", self._moves())
        yield File(f"{folder}packs.csv", f"{of_it}the packs, with their digests", self._packs())
        yield File(f"{folder}readings.csv", f"{of_it}who has read the emergency steps, and when", self._readings())
        yield File(f"{folder}envelopes.csv", f"{of_it}what went between the two sides", self._envelopes())
        yield File(f"{folder}messages.csv", f"{of_it}messages that asked somebody to act", self._messages())
        yield File(f"{folder}follow-up.csv", f"{of_it}what the authority said happens next", self._follow_up())
        changes = AuditEntry.objects.filter(subject_id=self.handover.id, at__lt=self.until).order_by("at", "id")
        told = rows_as_csv(
            ("When", "By", "Role", "What", "Entry"), changes.values_list("at", "by_name", "role", "verb", "id")
        )
        yield File(f"{folder}changes.csv", f"{of_it}the record of changes: who did what, when", told)

    def _moves(self) -> bytes:
        rows = [
            (
                *(each.number, each.at, each.by_name, WHO[Side(each.side)], VERBS[each.move]),
                *(IN_WORDS[State(each.state)], "\n".join(f"{label}: {text}" for label, text in self.words_of(each))),
            )
            for each in self.steps
        ]
        return rows_as_csv(("Number", "When", "By", "Whose move", "Move", "Where it then stood", "What was said"), rows)

    def _packs(self) -> bytes:
        rows = [
            (
                *(_which(each), each.number, self._done_to(each), each.made_at, each.made_by_name),
                *(each.plan_number, each.sha256),
            )
            for each in self.packs
        ]
        return rows_as_csv(
            ("Which", "Number", "Sent or opened", "When", "By", "Version of the plan", "SHA-256 of its content"), rows
        )

    def _readings(self) -> bytes:
        rows = [(each.at, each.by_name, each.pack.number, each.pack.plan_number) for each in self.readings]
        return rows_as_csv(("When", "By", "Pack", "Version of the plan"), rows)

    def _envelopes(self) -> bytes:
        owed = Message.objects.filter(handover=self.handover, owed_at__lt=self.until).order_by(
            "owed_at", "way", "number"
        )
        rows = [
            (
                *(each.get_way_display(), each.number, each.get_kind_display(), each.reference, each.owed_at),
                *if_before(self.until, each.done_at, each.done_at, each.sha256),
            )
            for each in owed
        ]
        headings = ("Way", "Number", "What", "Reference", "Written, or came", "Sent, or opened")
        return rows_as_csv((*headings, "SHA-256 of the sealed content"), rows)

    def _messages(self) -> bytes:
        asked = Notice.objects.filter(subject_kind__in=RULES, subject_id=self.handover.id, owed_at__lt=self.until)
        rows = [
            (
                *(each.owed_at, each.step, each.step_on, each.recipient_role),
                *if_before(self.until, each.ended_at, each.state, each.ended_at),
            )
            for each in asked.order_by("owed_at", "step", "recipient_role")
        ]
        return rows_as_csv(("Owed", "Step", "Falls on", "To whom", "What became of it", "When"), rows)

    def _follow_up(self) -> bytes:
        rows = [(each.at, each.by_name, each.says if self.knows else "") for each in filter(None, [self.follow_up])]
        return rows_as_csv(("When", "By", "What happens next"), rows)


def _which(made: Pack) -> str:
    return "Return pack" if made.is_return else "Pack"


def if_before(until: datetime, ended_at: datetime | None, *told: Any) -> tuple[Any, ...]:
    """What became of something, where that was known by then."""
    return told if ended_at and ended_at < until else ("",) * len(told)
