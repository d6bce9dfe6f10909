"""Who is reminded of a yearly return and of what was planned after it, and that nothing goes out that is not due."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from factories import SchoolFactory

from handrail.accounts.models import User
from handrail.core.models import AuthoritySettings
from handrail.guidance import published
from handrail.guidance.published import framework
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from handrail.policies.actions import decide_not_needed, open_policies
from handrail.policies.communications import record_communication, told_of
from handrail.policies.models import Kind, Policy
from handrail.returns import actions, reminders
from handrail.returns.actions import Wanted
from handrail.returns.board import board
from handrail.returns.standing import owed_by
from handrail.schools.models import School
from tenants.context import inside
from tenants.database import require_bound

pytestmark = pytest.mark.django_db
Reason = Notice.Reason
DUE, CLOSES = date(2027, 1, 22), date(2027, 3, 23)
LEAD, HEAD = "hana@oak.example", "head@900001.example"


@pytest.fixture
def here(one, cast, cycle):
    """Oak School alone, which has a lead. Nobody is at the authority: of its self-assessment see test_own.py."""
    with inside(one):
        User.objects.filter(memberships__school=None).update(is_active=False)
        School.objects.exclude(id=cast.oak.id).update(closed_on=date(2026, 9, 2))
        School.objects.filter(id=cast.oak.id).update(lead_email=LEAD)
        yield one


@pytest.fixture
def submitted(here, cast, cycle, at, ids):
    """`submitted({point: Wanted})` answers all else with yes and submits."""

    def made(changes=None):
        about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at}
        actions.save_answers(answers={each: Wanted("yes") for each in ids} | (changes or {}), **about)
        return actions.submit(**about)

    return made


@pytest.fixture
def sweep(at):
    """`sweep(on)` owes what has fallen due by that day."""
    return lambda on: reminders.owe_return_reminders(on=on, at=at + (on - at.date()))


def worded_anew(old):
    """The same framework, of which the first point says something else."""
    first, *rest = old.requirements
    return replace(old, requirements=(replace(first, says=f"{first.says} It names who wrote it."), *rest))


def reworded(old, points):
    """The same framework, of which these points say something else."""
    asked = (replace(each, says=f"{each.says} Each year.") if each.id in points else each for each in old.requirements)
    return replace(old, requirements=tuple(asked))


def sent(kind="yearly_return"):
    found = Notice.objects.filter(subject_kind=kind, state="owed").order_by("step_on", "recipient")
    return [(each.recipient, each.step) for each in found]


class TestAReturn:
    @pytest.mark.parametrize(
        ("day", "told"),
        [
            (DUE - timedelta(days=61), []),
            (DUE - timedelta(days=60), [(LEAD, "before-60")]),
            (DUE - timedelta(days=14), [(LEAD, "before-14")]),
            (DUE + timedelta(days=7), [(LEAD, "overdue-1")]),
            (DUE + timedelta(days=14), [(LEAD, "overdue-2"), (HEAD, "overdue-2")]),
            (CLOSES, []),
        ],
    )
    def test_is_asked_for_until_it_closes(self, here, sweep, day, told):
        sweep(day)
        assert sorted(sent()) == sorted(told)

    def test_is_asked_for_once(self, here, sweep):
        assert sweep(DUE) == Owed(1, 0)
        assert sweep(DUE) == Owed(0, 0)

    def test_is_asked_for_no_more_once_it_is_submitted(self, here, sweep, submitted):
        submitted()
        assert sweep(DUE).owed == 0

    def test_is_asked_of_no_school_that_the_law_does_not_name(self, here, sweep):
        SchoolFactory(body="independent_school", lead_email="i@ind.example", joined_on=date(2020, 1, 1))
        sweep(DUE)
        assert [recipient for recipient, _ in sent()] == [LEAD]

    def test_goes_to_the_office_when_nobody_leads(self, here, cast, sweep):
        School.objects.filter(id=cast.oak.id).update(lead_email="", office_email="Office@oak.example")
        sweep(DUE)
        assert sent() == [("office@oak.example", "before-0")]

    def test_begins_again_when_its_day_is_moved(self, here, cast, cycle, sweep, at):
        sweep(DUE)
        later = DUE + timedelta(days=30)
        actions.change_dates(cycle=cycle, due_on=later, closes_on=CLOSES, by=cast.officer, at=at)
        with pytest.raises(NoLongerDue, match=Reason.NOT_DUE):
            reminders.still_due(Notice.objects.get(), at=at)
        sweep(later)
        assert sent()[-1] == (LEAD, "before-0")

    def test_the_message_says_what_to_do_and_no_answer(self, here, cast, sweep, at, submitted):
        sweep(DUE)
        notice = Notice.objects.get()
        subject, text, _ = in_words(notice, reminders.still_due(notice, at=at), authority=here)
        assert subject == "Oak School: the yearly return to Barsetshire is due by 22 January 2027"
        assert "You can answer in parts" in text and "/schools/900001/return/" in text
        submitted()
        with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
            reminders.still_due(notice, at=at)

    def test_goes_to_nobody_who_is_not_the_contact_any_more(self, here, cast, sweep, at):
        sweep(DUE)
        School.objects.filter(id=cast.oak.id).update(lead_email="new@oak.example")
        with pytest.raises(NoLongerDue, match=Reason.CONTACT_CHANGED):
            reminders.still_due(Notice.objects.get(), at=at)


class TestAReturnThatGuidanceOpensAgain:
    def test_is_told_of_once_on_the_day(self, here, sweep, on, submitted, new_edition):
        submitted()
        sweep(on)
        assert sent("reopened_return") == []
        new_edition()
        for day in (on, on, on + timedelta(days=3)):
            sweep(day)
        assert sent("reopened_return") == [(LEAD, "once")]
        assert sent() == []

    def test_is_told_of_in_words_that_say_no_answer(self, here, cast, sweep, on, at, submitted, new_edition):
        submitted()
        new_edition()
        sweep(on)
        notice = Notice.objects.get(subject_kind="reopened_return")
        facts = reminders.still_due(notice, at=at)
        subject, text, _ = in_words(notice, facts, authority=here)
        assert "guidance has changed since your yearly return" in subject
        assert "your other answers stand" in text and "/schools/900001/return/" in text

    def test_is_told_of_no_more_once_it_is_answered(
        self, here, cast, cycle, sweep, on, at, submitted, new_edition, ids
    ):
        submitted()
        changed, _removed, added = new_edition()
        sweep(on)
        about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": at}
        actions.save_answers(answers={changed: Wanted("yes"), added: Wanted("yes")}, **about)
        actions.submit(**about)
        with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
            reminders.still_due(Notice.objects.get(subject_kind="reopened_return"), at=at)

    def test_is_told_of_again_when_guidance_changes_again(self, here, sweep, on, submitted, new_edition, monkeypatch):
        submitted()
        new_edition()
        sweep(on)
        Notice.objects.filter(subject_kind="reopened_return").update(cycle="of an edition before")
        sweep(on + timedelta(days=40))
        assert sent("reopened_return") == [(LEAD, "once"), (LEAD, "once")]

    def test_is_told_of_when_it_has_closed_too(self, here, sweep, at, submitted, new_edition):
        submitted()
        sweep(CLOSES)
        assert sent("reopened_return") == []
        new_edition()
        sweep(CLOSES + timedelta(days=5))
        assert sent("reopened_return") == [(LEAD, "once")]
        notice = Notice.objects.get(subject_kind="reopened_return")
        facts = reminders.still_due(notice, at=at + (CLOSES + timedelta(days=6) - at.date()))
        assert "After that the next return asks for it." in in_words(notice, facts, authority=here)[1]

    def test_is_told_of_after_the_newest_has_closed_also_to_a_school_that_returned_in_an_earlier_one(
        self, here, cast, cycle, sweep, on, at, submitted, new_edition
    ):
        """While the newest is open it asks all of it anew, and none of that is news."""
        submitted()
        new_edition()
        later = {"due_on": CLOSES + timedelta(days=60), "closes_on": CLOSES + timedelta(days=90)}
        opens = at + (CLOSES - on)
        about = {"framework_ids": ["AUDIT-2017", "CFA-100A"], "by": cast.officer, "at": opens}
        actions.open_cycle(school_year=2027, **about, **later)
        sweep(CLOSES + timedelta(days=1))
        assert (sent("reopened_return"), owed_by(cast.oak, on=CLOSES).is_reopened) == ([], False)
        sweep(later["closes_on"])
        assert sent("reopened_return") == [(LEAD, "once")]
        owed = owed_by(cast.oak, on=later["closes_on"])
        assert owed == (cycle, True, 2, True, 0), "the point that was changed, and the one that is new"
        assert owed_by(cast.elm, on=later["closes_on"]) is None

    def test_is_told_of_no_more_when_the_release_is_taken_back(
        self, here, sweep, on, at, submitted, new_edition, monkeypatch
    ):
        submitted()
        new_edition()
        sweep(on)
        monkeypatch.undo()
        with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
            reminders.still_due(Notice.objects.get(subject_kind="reopened_return"), at=at)
        Notice.objects.all().delete()
        sweep(on + timedelta(days=1))
        assert sent("reopened_return") == []

    def test_is_none_where_a_point_only_went(self, here, sweep, on, submitted, monkeypatch):
        submitted()
        old = framework("CFA-100A")
        for requirements, told in ((old.requirements[1:], []), (worded_anew(old).requirements, [(LEAD, "once")])):
            found = (*published.editions(), replace(old, edition=2, requirements=requirements))
            with monkeypatch.context() as release:
                release.setattr(published, "editions", lambda found=found: found)
                sweep(on)
            assert sent("reopened_return") == told

    def test_is_no_news_to_a_school_that_was_asked_the_new_points(
        self, here, cast, cycle, sweep, on, at, ids, submitted, new_edition
    ):
        School.objects.filter(id=cast.elm.id).update(closed_on=None, lead_email="lead@elm.example")
        submitted()
        _changed, removed, added = new_edition()
        about = {"cycle": cycle, "school": cast.elm, "by": cast.officer, "at": at}
        said = {each: Wanted("yes") for each in (*ids, added) if each != removed}
        actions.save_answers(answers=said, **about)
        actions.submit(**about)
        sweep(on)
        assert sent("reopened_return") == [(LEAD, "once")]

    def test_goes_to_whoever_leads_now(self, here, cast, sweep, on, submitted, new_edition):
        submitted()
        new_edition()
        sweep(on)
        School.objects.filter(id=cast.oak.id).update(lead_email="nia@oak.example")
        sweep(on + timedelta(days=1))
        assert sent("reopened_return") == [(LEAD, "once"), ("nia@oak.example", "once")]


class TestWhatWasPlanned:
    @pytest.fixture
    def planned(self, here, cast, ids, submitted, at):
        made = submitted({ids[2]: Wanted("no", reason="The head wrote it last week.")})
        return actions.plan_action(
            answer=made.answers.get(requirement_id=ids[2]),
            what="Ask the catering company",
            owner_name="Olga Owner",
            owner_email="Olga@oak.example",
            due_on=date(2027, 2, 1),
            by=cast.head,
            at=at,
        )

    @pytest.mark.parametrize(
        ("day", "told"),
        [
            (date(2026, 12, 2), []),
            (date(2027, 1, 2), [("olga@oak.example", "before-30")]),
            (date(2027, 2, 1), [("olga@oak.example", "before-0")]),
            (date(2027, 2, 15), [("olga@oak.example", "overdue-2"), (HEAD, "overdue-2")]),
        ],
    )
    def test_whoever_sees_to_it_is_reminded(self, planned, sweep, day, told):
        sweep(day)
        assert sorted(sent("planned_action")) == sorted(told)

    def test_nobody_is_once_it_is_done(self, planned, cast, sweep, at):
        sweep(planned.due_on)
        notice = Notice.objects.get(subject_kind="planned_action")
        assert reminders.still_due(notice, at=at)["whose"] == "Oak School"
        actions.change_action(action=planned, done_on=at.date(), by=cast.head, at=at)
        with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
            reminders.still_due(notice, at=at)
        sweep(planned.due_on + timedelta(days=30))
        assert len(sent("planned_action")) == 1

    def test_nobody_is_while_the_return_says_yes(self, planned, ids, submitted, sweep, at):
        sweep(planned.due_on)
        notice = Notice.objects.get(subject_kind="planned_action")
        submitted()
        with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
            reminders.still_due(notice, at=at)
        sweep(planned.due_on + timedelta(days=7))
        assert sent("planned_action") == [("olga@oak.example", "before-0")]
        submitted({ids[2]: Wanted("partly", reason="The head found that it is not done.")})
        sweep(planned.due_on + timedelta(days=14))
        assert ("olga@oak.example", "overdue-2") in sent("planned_action")

    def test_somebody_is_again_when_guidance_asks_for_more(self, planned, ids, submitted, sweep, monkeypatch):
        submitted({ids[2]: Wanted("not_applicable", reason="Nobody eats here.")})
        sweep(planned.due_on)
        assert sent("planned_action") == []
        now = published.frameworks()
        points = {each.id for one in now for each in one.requirements if each.id == planned.requirement_id}
        assert points
        monkeypatch.setattr("handrail.returns.standing.frameworks", lambda: [reworded(each, points) for each in now])
        sweep(planned.due_on + timedelta(days=7))
        assert sent("planned_action") == [("olga@oak.example", "overdue-1")]

    def test_the_message_does_not_say_what_it_is(self, planned, here, sweep, at):
        sweep(planned.due_on)
        notice = Notice.objects.get(subject_kind="planned_action")
        words = in_words(notice, reminders.still_due(notice, at=at), authority=here)
        assert "catering" not in "".join(words)

    def test_another_is_reminded_who_takes_it_over(self, planned, cast, sweep, at):
        sweep(planned.due_on)
        actions.change_action(action=planned, owner_email="new@oak.example", by=cast.head, at=at)
        with pytest.raises(NoLongerDue, match=Reason.CONTACT_CHANGED):
            reminders.still_due(Notice.objects.get(subject_kind="planned_action"), at=at)


class TestThoseWhoAreToldEachYear:
    """The school told pupils on 1 December 2025 and parents a month later; nobody has told staff yet."""

    UNTIL = date(2026, 12, 1)

    @pytest.fixture
    def policy(self, here, cast, at):
        open_policies(on=at.date(), at=at)
        policy = Policy.objects.get(school=cast.oak, kind=Kind.ALLERGY_SAFETY)
        for audience, told_on in (("pupils", date(2025, 12, 1)), ("parents", date(2026, 1, 1))):
            self.tell(policy, audience, told_on, by=cast.head, at=at)
        return policy

    def tell(self, policy, audience, told_on, **who):
        record_communication(policy=policy, audiences=[audience], told_on=told_on, how="A letter", **who)

    @pytest.mark.parametrize(
        ("day", "told"),
        [
            (UNTIL - timedelta(days=8), [(LEAD, "before-14")]),
            (UNTIL, [(LEAD, "before-0")]),
            (UNTIL + timedelta(days=7), [(LEAD, "overdue-1")]),
            (UNTIL + timedelta(days=14), [(LEAD, "overdue-2"), (HEAD, "overdue-2")]),
        ],
    )
    def test_are_told_of_when_the_first_year_is_over(self, policy, sweep, day, told):
        sweep(day)
        assert sent("communication") == told

    def test_are_no_reason_to_write_before_anybody_was_told(self, here, cast, at, sweep):
        open_policies(on=at.date(), at=at)
        sweep(self.UNTIL)
        assert sent("communication") == []

    @pytest.mark.parametrize(
        ("starts_on", "day", "told"),
        [
            (date(2025, 12, 15), date(2026, 11, 24), []),  # the school joined later, and has a year from then
            (date(2026, 11, 20), date(2027, 11, 6), [(LEAD, "before-14")]),
            (date(2026, 11, 20), date(2027, 11, 27), [(LEAD, "overdue-1")]),
            (date(2027, 11, 28), date(2027, 11, 27), []),
        ],
    )
    def test_are_asked_for_once_the_duty_is_in_force(self, here, cast, at, sweep, monkeypatch, starts_on, day, told):
        duty = replace(framework("CFA-100A"), is_confirmed=True, effective_from=starts_on)
        found = tuple(duty if each.id == duty.id else each for each in published.editions())
        monkeypatch.setattr(published, "editions", lambda: found)
        open_policies(on=at.date(), at=at)
        sweep(day)
        assert sent("communication") == told
        policy = Policy.objects.get(school=cast.oak, kind=Kind.ALLERGY_SAFETY)
        due_on = max(starts_on, cast.oak.joined_on) + relativedelta(years=1) if day >= starts_on else None
        audiences = told_of(policy, on=day, settings=AuthoritySettings())
        assert [each.due_on for each in audiences] == [due_on] * 3
        Policy.objects.filter(id=policy.id).update(last_reviewed_on=day, next_review_on=day)
        [standing] = board(None, on=day)
        rules = [each.rule for each in standing.found]
        assert ("A5" in rules) == (due_on is not None and due_on < day)

    def test_are_no_reason_to_write_where_the_policy_is_not_needed(self, policy, cast, at, sweep):
        decide_not_needed(policy=policy, by=cast.head, at=at, reason="Shared")
        sweep(self.UNTIL)
        assert sent("communication") == []

    def test_are_told_of_while_nobody_has_told_some_of_them_ever(self, policy, cast, at, sweep):
        for audience in ("pupils", "parents"):
            self.tell(policy, audience, at.date(), by=cast.head, at=at)
        sweep(self.UNTIL)
        notice = Notice.objects.get(subject_kind="communication")
        assert (notice.recipient, notice.step) == (LEAD, "before-0")
        reviewed = {"last_reviewed_on": at.date(), "next_review_on": self.UNTIL + timedelta(days=300)}
        Policy.objects.filter(id=policy.id).update(**reviewed)
        told = [each for each in board(None, on=self.UNTIL + timedelta(days=1)) if each.school.id == cast.oak.id]
        assert "A5" in {each.rule for each in told[0].found}
        self.tell(policy, "workers", self.UNTIL, by=cast.head, at=datetime(2026, 12, 1, 12, tzinfo=UTC))
        with pytest.raises(NoLongerDue):
            reminders.still_due(notice, at=datetime(2026, 12, 1, 12, tzinfo=UTC))

    def test_the_next_falls_due_when_the_first_was_told_again(self, policy, cast, sweep):
        sweep(self.UNTIL)
        notice = Notice.objects.get(subject_kind="communication", state="owed")
        at_noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
        facts = reminders.still_due(notice, at=at_noon)
        subject, text, _ = in_words(notice, facts, authority=require_bound())
        assert subject == "Oak School: tell people about the allergy safety policy by 1 December 2026"
        assert facts["path"].endswith("/told/") and "A letter" not in text
        for audience in ("pupils", "workers"):
            self.tell(policy, audience, self.UNTIL, by=cast.head, at=at_noon)
        with pytest.raises(NoLongerDue):
            reminders.still_due(notice, at=at_noon)
        sweep(date(2027, 1, 1))
        newest = Notice.objects.filter(subject_kind="communication").latest("step_on")
        assert (newest.cycle, newest.step) == ("2027-01-01", "before-0")
