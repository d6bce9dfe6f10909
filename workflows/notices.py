"""Sending what is owed: claim, look again, send, record. Three short transactions and a call between them.

The provider is called outside any transaction, one message at a time: a worker that dies leaves one claim behind,
and its lease gives the message back. Only the holder of a claim's `attempt` may write what came of it.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError

from handrail.absences import reminders as case_reminders
from handrail.absences import return_reminders
from handrail.care import reminders as care_reminders
from handrail.core import calendar
from handrail.core.models import AuthoritySettings
from handrail.handovers import guests, onward
from handrail.handovers import reminders as handover_reminders
from handrail.notices import actions, alarms
from handrail.notices.actions import Claim, LeaseLost, NoLongerDue
from handrail.notices.letters import Message, letter
from handrail.notices.models import Notice
from handrail.notices.providers import (
    OutOfOrder,
    Permanent,
    Provider,
    Retryable,
    UnknownOutcome,
    provider_for,
)
from handrail.people import invitations, role_news
from handrail.plans import break_glass, link_mail, reading_reminders
from handrail.plans import reminders as plan_reminders
from handrail.policies import reminders as policy_reminders
from handrail.policies import website_reminders
from handrail.returns import reminders as yearly_reminders
from tenants.context import inside
from tenants.routing import Authority
from workflows.per_authority import AuthorityTask, UnboundTask, clock, for_each_authority

STILL_DUE: dict[str, Callable[..., dict[str, str]]] = {
    policy_reminders.SUBJECT: policy_reminders.still_due,
    website_reminders.SUBJECT: website_reminders.still_due,
    plan_reminders.SUBJECT: plan_reminders.still_due,
    reading_reminders.SUBJECT: reading_reminders.still_due,
    **dict.fromkeys(care_reminders.RULES, care_reminders.still_due),
    **dict.fromkeys((case_reminders.CASE, case_reminders.REVIEW), case_reminders.still_due),
    return_reminders.SUBJECT: return_reminders.still_due,
    **dict.fromkeys(handover_reminders.RULES, handover_reminders.still_due),
    **dict.fromkeys(yearly_reminders.RULES, yearly_reminders.still_due),
    onward.SUBJECT: onward.still_due,
    alarms.SUBJECT: alarms.still_true,
    invitations.SUBJECT: invitations.still_due,
    role_news.SUBJECT: role_news.still_due,
    break_glass.SUBJECT: break_glass.still_due,
    link_mail.SUBJECT: link_mail.still_due,
    guests.SUBJECT: guests.still_due,
}
"""What a notice is about -> the room that says whether it is still due, and what its text needs to know."""

LEASE = timedelta(minutes=5)
A_RUN_LASTS = timedelta(seconds=45)
A_RUN_SENDS = 200
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
FAILURES_AT_MOST = 14  # with these pauses, about four hours
HOLD = timedelta(minutes=15)

log = logging.getLogger(__name__)


@shared_task
def send_due() -> None:
    """Each minute: ring for every authority."""
    for_each_authority(send_for_authority)


@shared_task(base=UnboundTask)
def send_for_authority(*, authority: Authority) -> int:
    """Send what is due in one authority; give the number of claims seen through."""
    provider = provider_for(authority.id)
    if provider is None:
        log.warning("no mail provider is set up: what authority %s owes stays owed", authority.code)
        return 0
    with inside(authority):
        at = clock()
    return send(authority, provider=provider, at=at)


@shared_task
def check_silence() -> None:
    """Each hour: ring for every authority."""
    for_each_authority(check_silence_of)


@shared_task(base=AuthorityTask)
def check_silence_of(*, authority: Authority) -> None:
    alarms.check_silence(at=clock())


# -- the breaker -----------------------------------------------------------------------------------------


@dataclass
class Breaker:
    """Stops this process from calling a provider that is out of order: it opens at once when the provider says so,
    or when different messages have failed one after another, and lets one message try after each pause.
    """

    pause: timedelta = timedelta(minutes=2)
    different_failures: int = 5
    failed: set[UUID] = field(default_factory=set)
    closed_again_at: datetime | None = None

    def lets_through(self, at: datetime) -> bool:
        return self.closed_again_at is None or at >= self.closed_again_at

    @property
    def is_open(self) -> bool:
        return self.closed_again_at is not None

    def note_failure(self, notice: UUID, at: datetime, *, of_provider: bool) -> None:
        self.failed.add(notice)
        if of_provider or self.is_open or len(self.failed) >= self.different_failures:
            self.closed_again_at = at + self.pause

    def note_success(self) -> None:
        self.failed.clear()
        self.closed_again_at = None


BREAKERS: dict[str, Breaker] = {}
"""By provider. Each worker process finds out for itself: a breaker guards the provider, it proves nothing."""


# -- a run -----------------------------------------------------------------------------------------------


def send(
    authority: Authority,
    *,
    provider: Provider,
    at: datetime,
    lease: timedelta = LEASE,
    at_most: int = A_RUN_SENDS,
    breaker: Breaker | None = None,
    jitter: Callable[[], float] = random.random,
) -> int:
    """Send what is due at the moment `at`, the urgent first; give the number of claims seen through.

    `at` is the one reading of the clock: a run ends long before its leases do.
    """
    breaker = breaker or BREAKERS.setdefault(provider.name, Breaker())
    run = Run(authority, provider, at, lease, breaker, jitter)
    with inside(authority):
        actions.bury_poison(at=at)
        urgencies = allowed(at)
    done, ends = 0, time.monotonic() + A_RUN_LASTS.total_seconds()
    for urgency in urgencies:
        while done < at_most and time.monotonic() < ends and breaker.lets_through(at):
            with inside(authority):
                claim = actions.claim(urgency=urgency, at=at, lease=lease)
            if claim is None:
                break
            run.see_through(claim)
            done += 1
            if run.lease_runs_out():
                return done
    return done


def allowed(at: datetime) -> list[Notice.Urgency]:
    """The classes of message that may leave at this moment, most urgent first. Urgent ones know no quiet hours."""
    if AuthoritySettings.load().has_quiet_hours and calendar.is_quiet(at) and not settings.IS_DEMO:
        return [Notice.Urgency.NOW]
    return list(Notice.Urgency)


@dataclass(frozen=True)
class Run:
    """What stays the same while one run sends."""

    authority: Authority
    provider: Provider
    at: datetime
    lease: timedelta
    breaker: Breaker
    jitter: Callable[[], float]
    began: float = field(default_factory=time.monotonic)

    def see_through(self, claim: Claim) -> None:
        """Bring one claim to its end, whatever that is. Nothing is written when another worker has taken it over."""
        message = self.look_again(claim)
        if message is None or self.lease_runs_out():
            return
        write = self.hand_over(claim.notice, message)
        with inside(self.authority), lost_quietly(claim.notice):
            write()

    def look_again(self, claim: Claim) -> Message | None:
        """The message, if it is still due and the recipient still the right one; else suppress it, and nothing.

        A provider that cannot be asked is given a message of unknown fate once more, flagged, and never again.
        """
        notice = claim.notice
        sent_blindly = claim.may_have_left and not self.provider.can_be_asked
        try:
            with inside(self.authority), lost_quietly(notice):
                if sent_blindly and notice.is_possible_duplicate:
                    actions.lose_sight(
                        notice,
                        "It was sent twice and no answer came. It may have arrived.",
                        again_at=self.at,
                        at=self.at,
                    )
                    return None
                try:
                    facts = STILL_DUE[notice.subject_kind](notice, at=self.at)
                except NoLongerDue as reason:
                    actions.suppress(notice, str(reason), at=self.at)
                    return None
                if sent_blindly:
                    actions.flag_possible_duplicate(notice)
                return letter(notice, facts, authority=self.authority, at=self.at)
        except DatabaseError:
            raise
        except Exception as error:
            log.exception("notice %s could not be put into words", notice.id)
            with inside(self.authority), lost_quietly(notice):
                self.fail(notice, f"{type(error).__name__}: {error}")
        return None

    def hand_over(self, notice: Notice, message: Message) -> Callable[[], None]:
        """Ask about a message that was tried before, send one that was not taken; give what is to be written."""
        try:
            taken = self.provider.ask(message.reference) if notice.attempt > 1 else None
            if taken is None:
                taken = self.provider.send(message)
        except UnknownOutcome as error:
            self.breaker.note_failure(notice.id, self.at, of_provider=False)
            return partial(self.lose_sight, notice, str(error))
        except Permanent as error:
            end = actions.bounce if error.is_address else actions.give_up
            return partial(end, notice, str(error), at=self.at)
        except Retryable as error:
            self.breaker.note_failure(notice.id, self.at, of_provider=isinstance(error, OutOfOrder))
            return partial(self.hold if self.breaker.is_open else self.fail, notice, str(error))
        self.breaker.note_success()
        return partial(actions.accept, notice, provider=self.provider.name, provider_id=taken, at=self.at)

    def fail(self, notice: Notice, error: str) -> None:
        """Owe it again after a random pause that grows, or give it up after about four hours of trying."""
        if notice.failures + 1 >= FAILURES_AT_MOST:
            return actions.give_up(notice, error, at=self.at)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**notice.failures) * self.jitter()
        return actions.try_again(notice, error, again_at=self.at + pause, at=self.at)

    def hold(self, notice: Notice, error: str) -> None:
        actions.hold(notice, error, again_at=self.at + self.breaker.pause * (1 + self.jitter()), at=self.at)

    def lose_sight(self, notice: Notice, error: str) -> None:
        if notice.failures + 1 >= FAILURES_AT_MOST:
            return actions.give_up(notice, error, at=self.at)
        pause = FIRST_PAUSE if self.provider.can_be_asked else HOLD
        return actions.lose_sight(notice, error, again_at=self.at + pause, at=self.at)

    def lease_runs_out(self) -> bool:
        """Whether so much of the lease has gone that another worker might soon send the same."""
        return time.monotonic() - self.began > self.lease.total_seconds() / 2


@contextmanager
def lost_quietly(notice: Notice) -> Iterator[None]:
    """Go on when another worker has taken the notice over: what we knew of it is noted among its attempts."""
    try:
        yield
    except LeaseLost:
        log.warning("notice %s was taken over while we held it", notice.id)
