"""Every write to notices: owing, claiming, recording what came of it, and trying again by hand.

A claim is committed before anything is done with it, and only the holder of its `attempt` may finish it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from handrail.core import audit
from handrail.notices.models import CLAIMS_UNFINISHED_AT_MOST, Notice, NoticeAttempt, Sweep
from tenants.database import execute

State, Outcome = Notice.State, NoticeAttempt.Outcome


class LeaseLost(RuntimeError):
    """Another worker took the notice over: what this one knows about it is only noted, and changes nothing."""


class MayNotBeReplayed(ValueError):
    """Only a notice that was given up, came back or was never heard of can be tried again."""


class NoLongerDue(Exception):
    """A notice is not to be sent after all; its argument is the Notice.Reason."""


@dataclass(frozen=True)
class Owed:
    """How many notices a statement wrote: to be sent, and suppressed from the start."""

    owed: int
    suppressed: int


@dataclass(frozen=True)
class Claim:
    """A notice that is ours until its lease ends; `may_have_left` when an earlier try has an unknown outcome."""

    notice: Notice
    may_have_left: bool


# -- owing -----------------------------------------------------------------------------------------------

OWE = """
WITH rows AS ({rows}), written AS (
    INSERT INTO notices_notice (
        id, subject_kind, subject_id, school_id, cycle, step, step_on, recipient, recipient_role, channel, urgency,
        wording, owed_at, not_before, state, attempt, unfinished, failures, provider, provider_id, last_error,
        suppressed_reason, ended_at, is_possible_duplicate, sent_by)
    SELECT gen_random_uuid(), subject_kind, subject_id, school_id, cycle, step, step_on, recipient, recipient_role,
        'email', urgency, wording, %s, %s, CASE suppressed_reason WHEN '' THEN 'owed' ELSE 'suppressed' END,
        0, 0, 0, '', '', '', suppressed_reason, CASE WHEN suppressed_reason <> '' THEN %s::timestamptz END, false,
        sent_by
    FROM rows ORDER BY subject_id, step_on, recipient, recipient_role = 'head', recipient_role DESC
    ON CONFLICT DO NOTHING RETURNING state)
SELECT count(*) FILTER (WHERE state = 'owed'), count(*) FILTER (WHERE state = 'suppressed') FROM written
"""


def owe(rows: str, parameters: Sequence[Any], *, at: datetime) -> Owed:
    """Write a notice for each row of the query `rows` that has none yet, in one statement.

    The query gives subject_kind, subject_id, school_id, cycle, step, step_on, recipient, recipient_role, urgency,
    wording, suppressed_reason ('' when it is to be sent) and sent_by. One that is there already stays as it is.
    """
    [(owed, suppressed)] = execute(OWE.format(rows=rows), [*parameters, at, at, at])
    return Owed(owed, suppressed)


@transaction.atomic
def open_sweep(*, rule: str, on: date, at: datetime) -> Sweep:
    """Note that the clock asks today, and hold other sweeps of this rule back until this one has committed."""
    execute(
        """INSERT INTO notices_sweep (id, rule, "on", at, owed, passed_over, previous_on)
           SELECT gen_random_uuid(), %s, %s, %s, 0, 0,
               (SELECT max("on") FROM notices_sweep WHERE rule = %s AND "on" < %s)
           ON CONFLICT (rule, "on") DO UPDATE SET at = greatest(notices_sweep.at, excluded.at)""",
        [rule, on, at, rule, on],
    )
    return Sweep.objects.get(rule=rule, on=on)


def close_sweep(sweep: Sweep, counts: Iterable[Owed], *, at: datetime) -> Owed:
    """Add what the sweep found to its day, with one line in the record of changes when it owed anything."""
    counts = list(counts)
    found = Owed(sum(each.owed for each in counts), sum(each.suppressed for each in counts))
    if found.owed or found.suppressed:
        sweep.owed += found.owed
        sweep.passed_over += found.suppressed
        sweep.save(update_fields=["owed", "passed_over"])
        audit.record("owed reminders", by=audit.CLOCK, at=at, subject_kind="sweep", subject_id=sweep.id)
    return found


# -- claiming --------------------------------------------------------------------------------------------

CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id, state FROM notices_notice
    WHERE urgency = %s AND state IN ('owed', 'claimed', 'unknown') AND not_before <= %s AND (
        state = 'owed'
        OR (state = 'claimed' AND lease_until <= %s AND unfinished < %s)
        OR (state = 'unknown' AND NOT is_possible_duplicate))
    ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED)
UPDATE notices_notice n
SET state = 'claimed', lease_until = %s, attempt = n.attempt + 1, unfinished = n.unfinished + 1
FROM due WHERE n.id = due.id
RETURNING n.id, due.state
"""
# Materialized: a subquery that skips what is locked gives another row each time a join asks it.


def claim(*, urgency: Notice.Urgency, at: datetime, lease: timedelta) -> Claim | None:
    """Take the notice of this urgency that has waited longest: one that is owed, whose claim's lease has ended, or
    whose fate is unknown and may be asked about again. Gives nothing when none is due.
    """
    taken = execute(CLAIM, [urgency, at, at, CLAIMS_UNFINISHED_AT_MOST, at + lease])
    if not taken:
        return None
    [(found, was)] = taken
    return Claim(Notice.objects.get(id=found), may_have_left=was != State.OWED)


@transaction.atomic
def bury_poison(*, at: datetime) -> int:
    """Give up the notices that no worker has ever seen through; give their number. The rest goes on."""
    poison = Notice.objects.filter(
        state=State.CLAIMED, lease_until__lte=at, unfinished__gte=CLAIMS_UNFINISHED_AT_MOST
    ).select_for_update(skip_locked=True)
    for notice in poison:
        _finish(
            notice,
            State.DEAD,
            Outcome.DEAD,
            f"Sending was begun {notice.unfinished} times and never finished. It may have been sent.",
            at=at,
        )
    return len(poison)


# -- what came of it -------------------------------------------------------------------------------------


def accept(notice: Notice, *, provider: str, provider_id: str, at: datetime) -> None:
    """The provider has taken it. Raises LeaseLost, as all of these do."""
    _finish(notice, State.ACCEPTED, Outcome.ACCEPTED, "", at=at, provider=provider, provider_id=provider_id)


def try_again(notice: Notice, error: str, *, again_at: datetime, at: datetime) -> None:
    """It failed for certain: it is owed once more from `again_at`."""
    _finish(notice, State.OWED, Outcome.FAILED, error, at=at, not_before=again_at, failures=notice.failures + 1)


def hold(notice: Notice, error: str, *, again_at: datetime, at: datetime) -> None:
    """The provider is out of order, which is not this notice's fault: owed again without being counted a failure."""
    _finish(notice, State.OWED, Outcome.HELD, error, at=at, not_before=again_at)


def lose_sight(notice: Notice, error: str, *, again_at: datetime, at: datetime) -> None:
    """The provider may have taken it: it is asked, or the message sent once more and flagged, from `again_at`."""
    _finish(notice, State.UNKNOWN, Outcome.UNKNOWN, error, at=at, not_before=again_at, failures=notice.failures + 1)


def bounce(notice: Notice, error: str, *, at: datetime) -> None:
    """The address does not take messages: somebody must correct it."""
    _finish(notice, State.BOUNCED, Outcome.BOUNCED, error, at=at)


def give_up(notice: Notice, error: str, *, at: datetime) -> None:
    """It cannot be sent, or has failed for hours: a person must look."""
    _finish(notice, State.DEAD, Outcome.DEAD, error, at=at)


def suppress(notice: Notice, reason: str, *, at: datetime) -> None:
    """It is not needed any more, found at the moment of sending. Never sent, and recorded."""
    _finish(notice, State.SUPPRESSED, Outcome.SUPPRESSED, reason, at=at, suppressed_reason=reason)
    audit.record(
        "did not send a message",
        by=audit.CLOCK,
        at=at,
        subject_kind=notice.subject_kind,
        subject_id=notice.subject_id,
        school_id=notice.school_id,
        fields=[reason],
    )


def flag_possible_duplicate(notice: Notice) -> None:
    """Note, before it is sent a second time blindly, that it may arrive twice. Raises LeaseLost."""
    if not _ours(notice).update(is_possible_duplicate=True):
        raise LeaseLost
    notice.is_possible_duplicate = True


def _ours(notice: Notice) -> Any:
    """The row, while it is still held by the claim that `notice` was read under."""
    return Notice.objects.filter(id=notice.id, state=State.CLAIMED, attempt=notice.attempt)


def _finish(
    notice: Notice, state: Notice.State, outcome: NoticeAttempt.Outcome, detail: str, *, at: datetime, **changes: Any
) -> None:
    """End the claim `notice` was read under, and add what happened to its attempts."""
    ended_at = None if state == State.OWED else at
    error = "" if state in (State.ACCEPTED, State.SUPPRESSED) else detail[:300]
    with transaction.atomic():
        finished = _ours(notice).update(
            state=state, lease_until=None, unfinished=0, last_error=error, ended_at=ended_at, **changes
        )
        if not finished:
            outcome, detail = Outcome.LATE, f"{outcome}: {detail}"
        NoticeAttempt.objects.create(
            notice_id=notice.id, number=notice.attempt, at=at, outcome=outcome, detail=detail[:300]
        )
    if not finished:  # outside the block, so that the note of it stays
        raise LeaseLost


# -- by hand ---------------------------------------------------------------------------------------------


@transaction.atomic
def replay(*, notice: Notice, by: audit.Actor, at: datetime) -> None:
    """Try a notice again that was given up. Still due or not is asked when it is sent. Raises MayNotBeReplayed."""
    held = Notice.objects.select_for_update().get(id=notice.id)
    if not held.may_be_replayed:
        raise MayNotBeReplayed
    held.state, held.not_before, held.failures, held.ended_at = State.OWED, at, 0, None
    held.save(update_fields=["state", "not_before", "failures", "ended_at"])
    NoticeAttempt.objects.create(notice=held, number=held.attempt, at=at, outcome=Outcome.REPLAYED)
    audit.record(
        "asked for a message to be tried again",
        by=by,
        at=at,
        subject_kind=held.subject_kind,
        subject_id=held.subject_id,
        school_id=held.school_id,
    )


@transaction.atomic
def replay_about_children(*, by: audit.Actor, at: datetime) -> None:
    """Try again all that are about children and were given up: none of those who ask may see one of them."""
    for notice in Notice.objects.undelivered().about_children():
        try:
            replay(notice=notice, by=by, at=at)
        except MayNotBeReplayed:  # somebody else has just asked
            continue
