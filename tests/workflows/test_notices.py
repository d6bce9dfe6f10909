"""A run of sending: what leaves, what waits, what is given up, and that nothing is lost or sent twice."""

import logging
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any
from uuid import uuid4

import pytest
from factories import NoticeFactory, SchoolFactory, recorded_policy
from post import Scripted, mail_server, once, raising

from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.notices import actions
from handrail.notices.mailbox import Mailbox
from handrail.notices.models import Notice, NoticeAttempt
from handrail.notices.providers import OutOfOrder, Permanent, Retryable, Smtp, UnknownOutcome, provider_for
from handrail.policies.models import Policy
from handrail.policies.reminders import owe_review_reminders, remind
from handrail.schools.models import School
from tenants.context import inside
from workflows import notices, reminders
from workflows.notices import FAILURES_AT_MOST, LEASE, Breaker, send

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def post(tmp_path):
    return Scripted(tmp_path / "book")


@pytest.fixture
def run(one, post, at):
    """`run(later=...)` is one run in authority one, by default on the test's Monday morning."""
    breaker = Breaker()

    def once_more(*, later: timedelta = timedelta(), when: datetime | None = None, **more: Any) -> int:
        given = {"provider": post, "breaker": breaker, "jitter": lambda: 1.0, **more}
        return send(one, at=when or at + later, **given)

    return once_more


@pytest.fixture
def owed(one, on, at):
    """`owed(n)` owes that many reminders, of as many schools."""

    def owe(number: int = 1) -> list[Notice]:
        with inside(one):
            for _ in range(number):
                recorded_policy(SchoolFactory(head_email=""), next_review_on=on)
            owe_review_reminders(on=on, at=at)
            return list(Notice.objects.order_by("owed_at"))

    return owe


@pytest.fixture
def states(one):
    def count() -> dict[str, int]:
        with inside(one):
            found = list(Notice.objects.values_list("state", flat=True))
        return {state: found.count(state) for state in sorted(set(found))}

    return count


def only_notice(one: Any) -> Notice:
    with inside(one):
        return Notice.objects.get()


class TestSend:
    def test_sends_each_once(self, owed, run, post, states):
        sent = owed(3)
        assert run() == 3
        assert sorted(post.taken()) == sorted((each.reference, each.recipient) for each in sent)
        assert states() == {"accepted": 3}
        assert run(later=HOUR) == 0
        assert len(post.taken()) == 3

    def test_says_the_school_the_policy_the_date_and_where_to_go(self, one, owed, run, tmp_path, settings):
        settings.SITE_PORT = ""
        [notice] = owed()
        box = Mailbox(tmp_path)
        run(provider=box)
        letter = box.letter(notice.reference)
        with inside(one):
            found = Policy.objects.get(), School.objects.get()
        assert letter.subject == f"{found[1].name}: review the medical conditions policy by 23 November 2026"
        assert f"http://barsetshire.localhost/schools/{found[1].urn}/policies/{found[0].id}/review/" in letter.text
        assert "you lead on this policy" in letter.text

    def test_gives_the_message_a_name_that_says_nothing_and_never_changes(self, owed, run, tmp_path):
        [notice] = owed()
        run(provider=Mailbox(tmp_path))
        mail = message_from_bytes((tmp_path / f"{notice.reference}.eml").read_bytes(), policy=policy.default)
        assert mail["Message-ID"] == f"<{notice.reference}@handrail.example>"
        assert mail["From"] == "Handrail <handrail@handrail.example>"
        assert mail["Auto-Submitted"] == "auto-generated"

    def test_sends_nothing_of_another_authority(self, owed, two, post, states, at):
        owed(2)
        assert send(two, provider=post, at=at) == 0
        assert post.taken() == []
        assert states() == {"owed": 2}

    def test_sends_the_urgent_first(self, one, owed, run, post, at):
        owed(2)
        with inside(one):
            actions.owe(
                """SELECT 'policy' AS subject_kind, subject_id, school_id, cycle, 'urgent' AS step, step_on, recipient,
                    recipient_role, 'now' AS urgency, wording, '' AS suppressed_reason, NULL::uuid AS sent_by
                    FROM notices_notice LIMIT 1""",
                [],
                at=at - HOUR,
            )
            Notice.objects.filter(step="urgent").update(step_on=date(2026, 11, 24))
            urgent = Notice.objects.get(step="urgent")
        run()
        assert post.taken()[0][0] == urgent.reference

    def test_stops_in_time_for_the_next_run(self, owed, run, states):
        owed(5)
        assert run(at_most=2) == 2
        assert states() == {"accepted": 2, "owed": 3}

    def test_counts_statements_by_message_alone(self, owed, run, django_assert_num_queries):
        owed(1)
        a_run, a_message = 5, 9
        with django_assert_num_queries(a_run + a_message):
            run()
        owed(4)
        with django_assert_num_queries(a_run + 4 * a_message):
            run()


class TestLookAgain:
    def test_suppresses_what_is_no_longer_due(self, one, owed, run, post, states):
        owed()
        with inside(one):
            Policy.objects.update(next_review_on=date(2027, 11, 1))
        run()
        assert post.taken() == []
        assert states() == {"suppressed": 1}
        assert only_notice(one).suppressed_reason == "not_due"

    def test_suppresses_a_recipient_who_is_not_the_contact_any_more(self, one, owed, run, post):
        owed()
        with inside(one):
            School.objects.update(lead_email="new@oak.example")
        run()
        assert post.taken() == []
        assert only_notice(one).suppressed_reason == "contact_changed"
        with inside(one):
            assert AuditEntry.objects.get(verb="did not send a message").fields == ["contact_changed"]

    def test_sends_the_newest_alone_after_a_time_without_a_provider(self, one, owed, run, post, on, at):
        owed()
        with inside(one):
            for days in (7, 14, 21):
                owe_review_reminders(on=on + timedelta(days=days), at=at + timedelta(days=days))
        run(later=timedelta(days=21, minutes=1))
        with inside(one):
            found = Notice.objects.filter(subject_kind="policy").order_by("step_on")
            assert [(each.step, each.suppressed_reason or each.state) for each in found] == [
                ("before-0", "superseded"),
                ("overdue-1", "superseded"),
                ("overdue-2", "superseded"),
                ("overdue-3", "accepted"),
            ]

    def test_sends_what_a_person_asked_for_in_their_name(self, one, cast, run, tmp_path, on, at):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=on - timedelta(days=9))
            remind(policies=Policy.objects.all(), by=cast.officer, at=at)
        box = Mailbox(tmp_path)
        run(provider=box)
        [letter] = box.letters()
        assert (
            "Olu Officer at Barsetshire asks you to look at the medical conditions policy of Oak School." in letter.text
        )
        assert "It was due for review on 14 November 2026." in letter.text

    def test_gives_up_in_the_end_what_cannot_be_put_into_words(self, one, owed, run, post, caplog):
        owed(2)
        with inside(one):
            AuthoritySettings.objects.create(has_quiet_hours=False)
            broken = Notice.objects.first()
            Notice.objects.filter(id=broken.id).update(wording="nonsense")
        with caplog.at_level(logging.CRITICAL):
            for times in range(FAILURES_AT_MOST):
                run(later=times * HOUR)
        assert len(post.taken()) == 1
        with inside(one):
            broken.refresh_from_db()
        assert (broken.state, broken.last_error) == ("dead", "KeyError: 'nonsense'")


class TestQuietHours:
    NIGHT = datetime(2026, 11, 23, 20, tzinfo=UTC)
    SUNDAY = datetime(2026, 11, 29, 12, tzinfo=UTC)
    CHRISTMAS = datetime(2026, 12, 25, 12, tzinfo=UTC)

    @pytest.mark.parametrize("when", [NIGHT, SUNDAY, CHRISTMAS])
    def test_hold_what_can_wait(self, owed, run, when, states):
        owed()
        assert run(when=when) == 0
        assert states() == {"owed": 1}

    def test_end_at_eight_in_london(self, owed, run):
        owed()
        assert run(when=datetime(2026, 11, 24, 7, 59, tzinfo=UTC)) == 0
        assert run(when=datetime(2026, 11, 24, 8, 0, tzinfo=UTC)) == 1

    def test_do_not_hold_what_is_urgent(self, one, owed, run):
        owed()
        with inside(one):
            Notice.objects.update(urgency="now")
        assert run(when=self.NIGHT) == 1

    def test_are_off_where_the_authority_says_so_and_in_the_demo(self, one, owed, run, settings):
        owed()
        settings.IS_DEMO = True
        assert run(when=self.SUNDAY) == 1
        settings.IS_DEMO = False
        owed()
        assert run(when=self.SUNDAY) == 0
        with inside(one):
            AuthoritySettings.objects.create(has_quiet_hours=False)
        assert run(when=self.SUNDAY) == 1


class TestFailure:
    def test_is_tried_again_after_a_pause_that_grows(self, one, owed, run, post):
        owed()
        post.before = raising(Retryable("450 mailbox full"))
        waits, now = [], timedelta()
        for _ in range(FAILURES_AT_MOST - 1):
            assert run(later=now) == 1
            notice = only_notice(one)
            waits.append((notice.not_before - (notice.owed_at + now)) // MINUTE)
            now += waits[-1] * MINUTE
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60]
        assert post.taken() == []

    def test_takes_about_four_hours_with_chance(self, one, owed, run, post):
        owed()
        post.before = raising(Retryable("450 mailbox full"))
        now = timedelta()
        while only_notice(one).state == "owed":
            run(later=now, jitter=lambda: 0.5)
            now = max(now, only_notice(one).not_before - only_notice(one).owed_at)
        assert 3.5 * HOUR < now < 4.5 * HOUR
        notice = only_notice(one)
        assert (notice.state, notice.last_error, notice.failures) == ("dead", "450 mailbox full", 13)

    def test_that_is_for_good_bounces_an_address_and_gives_up_anything_else(self, one, owed, run, post):
        owed()
        post.before = once(raising(Permanent("550 no such user", is_address=True)))
        run()
        assert only_notice(one).state == "bounced"
        with inside(one):
            Notice.objects.update(state="owed")
        post.before = raising(Permanent("554 we do not like it"))
        run()
        assert only_notice(one).state == "dead"

    def test_can_be_replayed(self, one, cast, owed, run, post, at):
        owed()
        post.before = once(raising(Permanent("554")))
        run()
        with inside(one):
            actions.replay(notice=Notice.objects.get(), by=cast.officer, at=at)
        run()
        assert len(post.taken()) == 1
        assert only_notice(one).state == "accepted"


class TestBreaker:
    def test_opens_at_once_when_the_provider_is_out_of_order(self, owed, run, post, states, one):
        owed(20)
        post.before = raising(OutOfOrder("429"))
        assert run() == 1
        assert states() == {"owed": 20}
        with inside(one):
            assert NoticeAttempt.objects.get().outcome == "held"

    def test_opens_after_different_messages_failed(self, owed, run, post, states):
        owed(20)
        post.before = raising(Retryable("400"))
        assert run() == 5
        assert states() == {"owed": 20}

    def test_stays_closed_for_one_message_that_fails_again_and_again(self, one, run, post, owed):
        owed()
        post.before = raising(Retryable("450"))
        for times in range(8):
            assert run(later=times * HOUR) == 1
        assert only_notice(one).failures == 8

    def test_holds_everything_through_a_day_and_drops_nothing(self, owed, run, post, states, one):
        owed(20)
        post.before = raising(OutOfOrder("503"))
        for minute in range(0, 8 * 60, 15):
            assert run(later=minute * MINUTE) <= 1
        assert states() == {"owed": 20}
        with inside(one):
            assert set(Notice.objects.values_list("failures", flat=True)) == {0}
        post.before = lambda message: None
        run(later=8 * HOUR)
        run(later=8 * HOUR + 5 * MINUTE)
        assert states() == {"accepted": 20}
        assert len(post.taken()) == 20

    def test_holds_a_burst_of_refusals_and_recovers(self, owed, run, post, states):
        owed(12)
        post.before = raising(Retryable("403"))
        for minute in range(0, 60, 3):
            run(later=minute * MINUTE)
        assert states() == {"owed": 12}
        post.before = lambda message: None
        for minute in range(60, 240, 3):
            run(later=minute * MINUTE)
        assert states() == {"accepted": 12}
        assert len(post.taken()) == 12


class TestUnknown:
    def test_is_asked_and_not_sent_again_when_it_was_taken(self, one, owed, run, post):
        owed()
        post.after = raising(UnknownOutcome("no answer"))
        run()
        assert only_notice(one).state == "unknown"
        assert run() == 0, "not at once"
        run(later=MINUTE)
        assert only_notice(one).state == "accepted"
        assert len(post.taken()) == 1

    def test_is_asked_and_sent_when_it_was_not_taken(self, one, owed, run, post):
        owed()
        post.before = once(raising(UnknownOutcome("no answer")))
        run()
        run(later=MINUTE)
        assert only_notice(one).state == "accepted"
        assert len(post.taken()) == 1

    def test_is_sent_once_more_and_flagged_where_nobody_can_be_asked(self, one, owed, run, post):
        [notice] = owed()
        post.can_be_asked = False
        post.after = raising(UnknownOutcome("no answer"))
        run()
        assert only_notice(one).is_possible_duplicate is False
        assert run(later=14 * MINUTE) == 0
        assert run(later=15 * MINUTE) == 1
        assert [each for each, _ in post.taken()] == [notice.reference] * 2
        assert only_notice(one).is_possible_duplicate
        assert run(later=5 * HOUR) == 0, "never a third time"
        with inside(one):
            assert [each.state for each in Notice.objects.undelivered()] == ["unknown"]

    def test_is_settled_when_the_second_copy_is_taken(self, one, owed, run, post):
        owed()
        post.can_be_asked = False
        post.after = once(raising(UnknownOutcome("no answer")))
        run()
        run(later=15 * MINUTE)
        notice = only_notice(one)
        assert (notice.state, notice.is_possible_duplicate) == ("accepted", True)

    def test_ends_where_the_provider_never_answers(self, one, owed, run, post):
        owed()
        post.before = raising(UnknownOutcome("no answer"))
        for times in range(30):
            run(later=times * 5 * MINUTE)
        assert only_notice(one).state == "dead"


class TestSmtp:
    @pytest.fixture
    def server(self, settings):
        with mail_server() as found:
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
            settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
            settings.EMAIL_HOST_USER = ""
            yield found

    def test_hands_the_message_over(self, one, owed, run, server):
        [notice] = owed()
        run(provider=Smtp())
        [mail] = server.mails
        assert str(notice.reference).encode() in mail
        assert only_notice(one).provider_id == "queued as 7"

    @pytest.mark.parametrize("step", ["connect", "mail", "rcpt", "data", "end"])
    def test_421_holds_it(self, one, owed, run, server, step):
        owed()
        server.script = [(step, "421 closing down")]
        run(provider=Smtp())
        assert (only_notice(one).state, only_notice(one).failures) == ("owed", 0)
        run(provider=Smtp(), later=5 * MINUTE)
        assert only_notice(one).state == "accepted"
        assert len(server.mails) == (2 if step == "end" else 1)

    @pytest.mark.parametrize(
        ("step", "answer", "state"),
        [
            ("rcpt", "450 mailbox full", "owed"),
            ("end", "451 try later", "owed"),
            ("rcpt", "550 no such user", "bounced"),
            ("end", "554 not wanted", "dead"),
            ("rcpt", "251 forwarded", "accepted"),
            ("connect", "cut", "owed"),
            ("rcpt", "cut", "owed"),
            ("data", "cut", "owed"),
            ("end", "cut", "unknown"),
            ("end", "what?", "unknown"),
        ],
    )
    def test_an_answer_means(self, one, owed, run, server, step, answer, state):
        owed()
        server.script = [(step, answer)]
        run(provider=Smtp())
        assert only_notice(one).state == state

    def test_cut_after_the_message_one_more_is_sent_under_the_same_name(self, one, owed, run, server):
        owed()
        server.script = [("end", "cut")]
        run(provider=Smtp())
        run(provider=Smtp(), later=15 * MINUTE)
        first, second = server.mails
        assert message_from_bytes(first)["Message-ID"] == message_from_bytes(second)["Message-ID"]
        notice = only_notice(one)
        assert (notice.state, notice.is_possible_duplicate) == ("accepted", True)

    def test_a_refused_address_is_marked_at_the_school_until_it_takes_a_message(
        self, one, cast, owed, run, server, browse
    ):
        [notice] = owed()
        server.script = [("rcpt", "550 no such user")]
        run(provider=Smtp())
        with inside(one):
            address = f"/schools/{School.objects.get(id=notice.school_id).urn}/people/"
        said = f"{notice.recipient}. The last message to this address came back."
        assert said in browse(cast.officer).get(address).text
        with inside(one):
            actions.replay(notice=notice, by=cast.officer, at=notice.owed_at + MINUTE)
        run(provider=Smtp(), later=2 * MINUTE)
        assert said not in browse(cast.officer).get(address).text

    def test_nobody_listening_holds_it(self, one, owed, run, settings):
        with mail_server() as gone:
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", gone.port
        owed()
        run(provider=Smtp())
        assert only_notice(one).state == "owed"


class TestClock:
    """What the clock does to a run, without waiting for it."""

    def test_going_back_two_hours_sends_nothing_early_or_twice(self, owed, run, post, states):
        owed(2)
        run(at_most=1)
        assert run(later=-2 * HOUR) == 0
        run()
        assert len(post.taken()) == 2

    def test_leaping_forward_ends_leases_and_asks(self, one, owed, run, post, at):
        owed()
        with inside(one):
            assert actions.claim(urgency="deadline", at=at, lease=LEASE)
        run(later=2 * HOUR)
        assert len(post.asked) == 1
        assert only_notice(one).state == "accepted"

    @pytest.mark.parametrize("night", [date(2026, 10, 25), date(2027, 3, 28), date(2028, 3, 1)])
    def test_every_hour_of_an_odd_night_owes_and_sends_once(self, one, run, post, night):
        with inside(one):
            recorded_policy(SchoolFactory(head_email=""), next_review_on=night)
            AuthoritySettings.objects.create(has_quiet_hours=False)
        for hour in range(-5, 27, 2):
            at = datetime(night.year, night.month, night.day, tzinfo=UTC) + hour * HOUR
            with inside(one):
                owe_review_reminders(on=reminders.day_of(at), at=at)
            run(when=at)
        steps = []
        with inside(one):
            found = Notice.objects.filter(subject_kind="policy").order_by("step_on")
            steps = [(each.step, each.state) for each in found]
        assert steps == [("before-14", "accepted"), ("before-0", "accepted")]
        assert len(post.taken()) == 2


class TestTasks:
    def test_a_sweep_and_a_run_by_the_databases_clock(self, one, settings, tmp_path, on):
        settings.MAILBOX, settings.IS_DEMO = tmp_path, True
        with inside(one):
            AuthoritySettings.objects.create(return_cadence="never")  # what else schools are asked for by that clock
            recorded_policy(SchoolFactory(head_email="", joined_on=date(2020, 1, 1)), next_review_on=date(2021, 1, 1))
        for _ in range(2):
            reminders.sweep_authority(authority=str(one.id))
            notices.send_for_authority(authority=str(one.id))
        assert len(list(Mailbox(tmp_path / str(one.id)).letters())) == 1

    def test_without_a_provider_everything_stays_owed_and_it_says_so(self, one, owed, states, settings, caplog):
        settings.MAIL_PROVIDER = "none"
        owed(2)
        assert provider_for(one.id) is None
        assert notices.send_for_authority(authority=str(one.id)) == 0
        assert "no mail provider is set up" in caplog.text
        assert states() == {"owed": 2}


class TestSilence:
    def test_tells_each_administrator_once_a_day(self, one, cast, owed, run, at, tmp_path):
        owed(3)
        with inside(one):
            assert not notices.alarms.check_silence(at=at + 59 * MINUTE)
            assert notices.alarms.check_silence(at=at + 2 * HOUR)
            assert notices.alarms.check_silence(at=at + 3 * HOUR)
            told = Notice.objects.filter(wording="silence")
            assert {each.urgency for each in told} == {"now"}
            assert "adele@barsetshire.example" in {each.recipient for each in told}
            assert len(told) == len({each.recipient for each in told})
        box = Mailbox(tmp_path)
        run(provider=box, later=3 * HOUR, at_most=1)
        [letter] = box.letters()
        assert letter.subject == "Handrail: messages are not being sent"
        assert "waiting for more than an hour: 3" in letter.text

    def test_is_not_told_of_once_it_has_mended(self, one, cast, owed, run, post, at):
        owed()
        with inside(one):
            notices.alarms.check_silence(at=at + 2 * HOUR)
            Notice.objects.filter(subject_kind="policy").update(not_before=at + 2 * HOUR)
        run(later=2 * HOUR)
        with inside(one):
            assert {each.suppressed_reason for each in Notice.objects.filter(wording="silence")} == {"not_due"}

    def test_is_not_quiet_hours(self, one, cast, owed, at):
        owed()
        with inside(one):
            assert not notices.alarms.check_silence(at=at.replace(hour=22))
            assert not notices.alarms.check_silence(at=datetime(2026, 11, 24, 8, 59, tzinfo=UTC))
            assert notices.alarms.check_silence(at=datetime(2026, 11, 24, 9, 1, tzinfo=UTC))

    def test_is_also_that_nobody_looked_for_reminders(self, one, cast, on, at):
        with inside(one):
            owe_review_reminders(on=on, at=at)
            assert not notices.alarms.check_silence(at=at + 25 * HOUR)
            assert notices.alarms.check_silence(at=at + 27 * HOUR)
            assert Notice.objects.filter(wording="no_sweep").exists()

    def test_catching_up_tells_what_was_late(self, one, cast, run, on, at, tmp_path):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=on)
            owe_review_reminders(on=on, at=at)
            owe_review_reminders(on=on + timedelta(days=15), at=at + timedelta(days=15))
            assert Notice.objects.filter(wording="late").count() >= 1
        box = Mailbox(tmp_path)
        run(provider=box, later=timedelta(days=15))
        letter = next(each for each in box.letters() if "late" in each.subject)
        assert "between 23 November 2026 and 8 December 2026" in letter.text
        assert "Older ones not sent because a newer one took their place: 1." in letter.text

    def test_a_day_without_a_gap_tells_nobody(self, one, cast, on, at):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=on)
            for days in range(3):
                owe_review_reminders(on=on + timedelta(days=days), at=at + timedelta(days=days))
            assert not Notice.objects.filter(wording="late").exists()


class TestUnknownSubject:
    def test_is_a_failure_that_somebody_sees(self, one, run, post, caplog):
        with inside(one):
            NoticeFactory(subject_kind="moon", subject_id=uuid4())
        with caplog.at_level(logging.CRITICAL):
            run()
        assert only_notice(one).failures == 1
