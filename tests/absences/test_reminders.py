"""Who is told of a case and which school of a return, when, and that nothing goes out that is no longer due."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from factories import AT, PupilFactory, person

from handrail.absences import actions, decisions, reminders, return_reminders
from handrail.absences.answers import recent_periods
from handrail.absences.models import SicknessReturn
from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core.models import AuthoritySettings
from handrail.core.reference import reference
from handrail.handovers.models import Setting
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from handrail.schools.models import Pupil, School
from tenants.context import inside

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)
NORA = "nora@barsetshire.example"
ADMIN = "adele@barsetshire.example"
OAK_HEAD = "head@900001.example"
Reason = Notice.Reason


@pytest.fixture
def here(one, cast, terms, poppy, nora):
    with inside(one):
        yield one


@pytest.fixture
def sweep(at):
    """`sweep(on)` owes what has fallen due by that day."""

    def run(on, *, of=reminders.owe_case_reminders):
        return of(on=on, at=at + (on - at.date()))

    return run


def written(kind=reminders.CASE):
    found = Notice.objects.filter(subject_kind=kind).order_by("step_on", "step", "recipient")
    return [(each.recipient, each.step, each.step_on, each.suppressed_reason or each.state) for each in found]


def sent(kind=reminders.CASE):
    return [(recipient, step) for recipient, step, _, state in written(kind) if state == "owed"]


class TestACase:
    @pytest.mark.parametrize(
        ("day", "told"),
        [
            (12, []),  # nine school days
            (13, [(NORA, "near")]),
            (19, [(NORA, "near")]),
            (20, [(NORA, "near"), (NORA, "day-0")]),
            (23, [(NORA, "near"), (NORA, "day-0")]),
            (24, [(NORA, "near"), (NORA, "day-0"), (OAK_HEAD, "day-2"), (NORA, "day-2")]),
            (27, [(NORA, "near"), (NORA, "day-0"), (OAK_HEAD, "day-2"), (NORA, "day-2"), (NORA, "day-5")]),
        ],
    )
    def test_is_told_as_the_clock_goes_on(self, here, poppy, report, sweep, day, told):
        """Away from Monday 2 November; day 10 is Friday the 13th, day 15 Friday the 20th."""
        report(poppy, date(2026, 11, 2))
        for number in range(1, day + 1):
            sweep(date(2026, 11, number))
        assert sent() == told

    def test_is_told_to_the_administrators_when_nobody_acts(self, here, poppy, report, sweep):
        report(poppy, date(2026, 11, 2))
        for number in range(40):
            sweep(date(2026, 11, 1) + number * A_DAY)
        assert [each for each in sent() if each[0] == ADMIN] == [(ADMIN, "day-10")]
        assert (NORA, "day-10") in sent()

    def test_the_head_is_told_once_and_not_when_there_is_nobody(self, here, cast, poppy, report, sweep):
        report(poppy, date(2026, 11, 2))
        for number in range(40):
            sweep(date(2026, 11, 1) + number * A_DAY)
        assert [each for each in sent() if each[0] == OAK_HEAD] == [(OAK_HEAD, "day-2")]
        notice = Notice.objects.get(recipient=OAK_HEAD)
        assert reminders.still_due(notice, at=AT)["path"] == "/"
        School.objects.filter(id=cast.oak.id).update(head_email="new@oak.example")
        with pytest.raises(NoLongerDue, match=Reason.CONTACT_CHANGED):
            reminders.still_due(notice, at=AT)

    def test_the_days_are_school_days(self, here, poppy, report, sweep):
        report(poppy, date(2026, 10, 2))  # day 15 is Thursday 22 October; half-term begins on the 26th
        for number in range(40):
            sweep(date(2026, 10, 1) + number * A_DAY)
        steps = {step: on for _, step, on, _ in written()}
        assert (steps["day-0"], steps["day-2"], steps["day-5"]) == (
            date(2026, 10, 22), date(2026, 11, 2), date(2026, 11, 5),
        )  # fmt: skip

    def test_is_told_at_once_when_the_school_says_that_it_is_likely(self, here, poppy, report, sweep, on):
        report(poppy, on, is_likely=True)
        assert sweep(on) == Owed(1, 0)
        assert sent() == [(NORA, "day-0")]

    def test_the_second_time_owes_nothing_and_missed_steps_are_passed_over(self, here, poppy, report, sweep, on):
        report(poppy, date(2026, 11, 2))
        sweep(date(2026, 11, 3))
        sweep(date(2026, 12, 1))
        assert [step for _, step in sent()] == ["day-2", "day-5"]
        before = written()
        assert sweep(date(2026, 12, 1)) == Owed(0, 0)
        assert written() == before
        assert {state for *_, state in before} == {"owed", "superseded"}

    def test_in_a_place_without_a_named_officer_is_told_to_the_administrators(self, here, poppy, report, sweep, on):
        Membership.objects.filter(role=Role.NAMED_OFFICER).update(to_on=on)
        report(poppy, on, is_likely=True)
        sweep(on)
        assert sent() == [(ADMIN, "day-0")]

    @pytest.mark.parametrize("what", ["no", "first", "suitable"])
    def test_ends_when_somebody_has_acted(self, here, nora, poppy, report, sweep, at, on, what):
        made = report(poppy, on, is_likely=True)
        act(what, made, nora, at)
        assert sweep(on).owed == 0

    @pytest.mark.parametrize("what", ["withdrawn", "left", "closed"])
    def test_goes_on_when_the_school_takes_it_back_or_the_child_is_gone(
        self, here, nora, poppy, report, sweep, at, on, what
    ):
        made = report(poppy, on, is_likely=True)
        act(what, made, nora, at)
        assert sweep(on).owed == 1

    @pytest.mark.parametrize("outcome", ["yes", "more"])
    def test_goes_on_while_nobody_is_taught(self, here, nora, poppy, report, sweep, at, on, outcome):
        made = report(poppy, on, is_likely=True)
        decide(made.case, nora, at, outcome)
        assert sweep(on).owed == 1

    def test_one_statement_for_each_rule(self, here, cast, report, sweep, on, at, django_assert_max_num_queries):
        for number in range(5):
            report(PupilFactory(school=cast.oak), on - number * A_DAY, is_likely=True, at=at)
        with django_assert_max_num_queries(12):
            assert sweep(on).owed == 5


def decide(case, by, at, outcome, next_review_on=date(2027, 1, 4)):
    decisions.decide(
        case=case, outcome=outcome, decided_on=at.date(), evidence="e", reasons="r",
        next_review_on=next_review_on, by=by, at=at,
    )  # fmt: skip


def act(what, made, nora, at):
    on, then = at.date(), {"case": made.case, "next_review_on": date(2027, 1, 4), "by": nora, "at": at}
    if what == "no":
        decide(made.case, nora, at, "no")
    elif what == "first":
        decisions.first_session(happened_on=on, hours=Decimal(25), why_not_full_time="", **then)
    elif what == "suitable":
        decisions.suitable_already(happened_on=on, evidence="e", reasons="r", **then)
    elif what == "withdrawn":
        actions.withdraw_return(made=made, by=nora, at=at)
    elif what == "left":
        pupil = made.case.pupil
        pupil.left_on = on
        pupil.save()
    else:
        School.objects.filter(id=made.case.pupil.school_id).update(closed_on=on)


class TestAChildWhoHasLeft:
    def leave(self, poppy, on):
        Pupil.objects.filter(id=poppy.id).update(left_on=on)

    def test_whose_clock_had_started_is_told_of_as_before_but_not_to_the_head(self, here, report, poppy, sweep, on, at):
        report(poppy, on, is_likely=True)
        self.leave(poppy, on + A_DAY)
        sweep(on + 3 * A_DAY)
        assert (NORA, "day-2") in sent() and OAK_HEAD not in {to for to, _ in sent()}
        notice = Notice.objects.get(step="day-2")
        assert reminders.still_due(notice, at=at + 3 * A_DAY)["role"] == "officer"

    def test_before_the_clock_had_started_is_told_of_no_more(self, here, report, poppy, sweep, on, at, days_ago):
        report(poppy, days_ago(13))
        sweep(on)
        [notice] = Notice.objects.all()
        assert notice.step == reminders.NEAR
        self.leave(poppy, on)
        with pytest.raises(NoLongerDue, match=Reason.LEFT):
            reminders.still_due(notice, at=at)
        sweep(on + 30 * A_DAY)
        assert Notice.objects.count() == 1


class TestAReview:
    def test_is_told_before_on_the_day_and_when_overdue(self, here, nora, poppy, report, sweep, at, on):
        made = report(poppy, on)
        decide(made.case, nora, at, "yes", next_review_on=date(2026, 12, 8))
        for number in range(24):
            sweep(on + number * A_DAY)
        assert sent(reminders.REVIEW) == [(NORA, "before-7"), (NORA, "before-0"), (NORA, "overdue-1")][:3]

    def test_ends_with_a_review_that_asks_for_no_other(self, here, nora, poppy, report, sweep, at, on):
        made = report(poppy, on)
        decide(made.case, nora, at, "yes", next_review_on=on + A_DAY)
        decisions.review(
            case=made.case, happened_on=on, reasons="r", hours=None, why_not_full_time="", next_review_on=None,
            by=nora, at=at,
        )  # fmt: skip
        sweep(on + 8 * A_DAY)
        assert sent(reminders.REVIEW) == []


class TestWhenItIsSent:
    @pytest.fixture
    def notice(self, here, poppy, report, sweep, on):
        report(poppy, on, is_likely=True)
        sweep(on)
        return Notice.objects.get(subject_kind=reminders.CASE)

    @pytest.mark.parametrize("what", ["withdrawn", "left", "closed"])
    def test_it_is_due_whatever_the_school_does(self, here, nora, notice, at, what):
        act(what, SicknessReturn.objects.select_related("case__pupil").get(), nora, at)
        assert reminders.still_due(notice, at=at)["role"] == "officer"

    def test_it_says_nothing_but_a_reference(self, here, notice, at):
        facts = reminders.still_due(notice, at=at)
        assert facts == {
            "role": "officer",
            "path": f"/cases/{notice.subject_id}/",
            "reference": reference(notice.subject_id),
        }
        subject, text, _ = in_words(notice, facts, authority=here)
        for word in ("Poppy", "Oak", "absen", "sick", "ill ", "section", "child"):
            assert word not in subject + text

    @pytest.mark.parametrize(
        ("what", "reason"),
        [
            ("no", Reason.NOT_DUE),
            ("first", Reason.NOT_DUE),
            ("suitable", Reason.NOT_DUE),
        ],
    )
    def test_it_is_looked_at_again(self, here, nora, notice, at, what, reason):
        act(what, SicknessReturn.objects.select_related("case__pupil").get(), nora, at)
        with pytest.raises(NoLongerDue, match=reason):
            reminders.still_due(notice, at=at)

    def test_it_goes_to_nobody_who_does_not_decide_any_more(self, here, notice, at, on):
        person("ned@barsetshire.example", Role.NAMED_OFFICER)
        Membership.objects.filter(user__email=NORA).update(to_on=on)
        with pytest.raises(NoLongerDue, match=Reason.CONTACT_CHANGED):
            reminders.still_due(notice, at=at)


HEAD = "head@oak.example"


class TestASchoolsReturn:
    @pytest.fixture(autouse=True)
    def only_oak(self, here, cast, on):
        """Oak School has been there since September and has answered for October."""
        School.objects.filter(urn="900002").update(closed_on=date(2026, 9, 2))
        School.objects.exclude(urn__in=["900001"]).update(closed_on=date(2026, 9, 2))
        self.oak = cast.oak

    def answer(self, cast, at, name):
        period = next(each for each in recent_periods(on=at.date()) if each.name == name)
        actions.nothing_to_report(school=cast.oak, period=period, by=cast.head, at=at)

    def owe(self, sweep, on):
        return sweep(on, of=return_reminders.owe_return_reminders)

    @pytest.mark.parametrize(
        ("on", "told"),
        [
            (date(2026, 11, 24), []),
            (date(2026, 11, 25), [(HEAD, "before-5")]),
            (date(2026, 11, 30), [(HEAD, "before-0")]),
            (date(2026, 12, 6), [(HEAD, "before-0")]),
            (date(2026, 12, 7), [(HEAD, "overdue-1")]),
            (date(2026, 12, 14), [("head@900001.example", "overdue-2"), (HEAD, "overdue-2")]),
        ],
    )
    def test_is_asked_for(self, here, cast, sweep, at, on, told):
        self.answer(cast, at, "October 2026")
        self.owe(sweep, on)
        assert sorted(sent(return_reminders.SUBJECT)) == sorted(told)

    def test_the_oldest_is_asked_for_first(self, here, cast, sweep, at, on):
        self.owe(sweep, on)
        assert {each.cycle for each in Notice.objects.all()} == {"2026-10-31"}

    def test_is_asked_for_no_more_once_there_is_an_answer(self, here, cast, sweep, at, on):
        for name in ("October 2026", "November 2026"):
            self.answer(cast, at, name)
        assert self.owe(sweep, date(2026, 11, 30)).owed == 0

    def test_is_asked_for_no_more_once_a_child_is_reported(self, here, cast, poppy, report, sweep, at, on):
        self.answer(cast, at, "October 2026")
        report(poppy, on)
        assert self.owe(sweep, date(2026, 11, 30)).owed == 0

    def test_is_not_asked_for_where_the_authority_wants_none(self, here, sweep, on):
        AuthoritySettings.objects.create(return_cadence="never")
        assert self.owe(sweep, on) == Owed(0, 0)

    def test_is_not_asked_for_from_the_settings_that_the_authority_leaves_out(self, here, cast, sweep, at):
        self.answer(cast, at, "October 2026")
        self.owe(sweep, date(2026, 11, 30))
        notice = Notice.objects.get(subject_kind=return_reminders.SUBJECT)
        Setting.objects.create(school=cast.oak, name="Oak", kind=Setting.Kind.HOSPITAL, confirmed_at=at)
        settings = AuthoritySettings.objects.create(settings_not_asked=["medical_ap"])
        assert return_reminders.still_due(notice, at=at)
        settings.settings_not_asked = ["hospital"]
        settings.save()
        with pytest.raises(NoLongerDue, match=Reason.NOT_DUE):
            return_reminders.still_due(notice, at=at)
        assert self.owe(sweep, date(2026, 12, 7)).owed == 0

    def test_the_message_names_the_school_and_no_child(self, here, cast, sweep, at):
        self.answer(cast, at, "October 2026")
        self.owe(sweep, date(2026, 11, 30))
        notice = Notice.objects.get(subject_kind=return_reminders.SUBJECT)
        facts = return_reminders.still_due(notice, at=at)
        subject, text, _ = in_words(notice, facts, authority=here)
        assert subject == "Oak School: a return to Barsetshire is due by 30 November 2026"
        for word in ("sick", "ill", "absen", "health", "child"):
            assert word not in text.replace("still", "").lower()
        self.answer(cast, at, "November 2026")
        with pytest.raises(NoLongerDue, match=Reason.NOT_DUE):
            return_reminders.still_due(notice, at=at)

    def test_goes_to_nobody_who_is_not_the_contact_any_more(self, here, cast, sweep, at):
        self.answer(cast, at, "October 2026")
        self.owe(sweep, date(2026, 11, 30))
        notice = Notice.objects.get(subject_kind=return_reminders.SUBJECT)
        School.objects.filter(urn="900001").update(lead_email="new@oak.example")
        with pytest.raises(NoLongerDue, match=Reason.CONTACT_CHANGED):
            return_reminders.still_due(notice, at=at)
        School.objects.filter(urn="900001").update(closed_on=at.date())
        with pytest.raises(NoLongerDue, match=Reason.SCHOOL_CLOSED):
            return_reminders.still_due(notice, at=at)
