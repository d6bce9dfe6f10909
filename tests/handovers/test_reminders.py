"""Who is told of a handover that waits, when, and that nothing goes out that is no longer due."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from factories import AT, PupilFactory, SchoolFactory, person

from handrail.absences.models import Case, CaseEntry
from handrail.accounts.models import Membership
from handrail.accounts.roles import Role
from handrail.core.models import AuthoritySettings
from handrail.core.reference import reference
from handrail.handovers import due, reminders
from handrail.handovers.actions import NotNow, ReasonMissing
from handrail.handovers.lapsed import follow_up
from handrail.handovers.models import Handover, Message, Pack, Setting, StepsRead
from handrail.handovers.reminders import (
    BACKS,
    CORRECTIONS,
    LAPSES,
    OTHERS,
    OWN,
    PACKS,
    PASSED_ON,
    STEPS,
    STILL_THERE,
    UPDATES,
    UPDATES_ELSEWHERE,
)
from handrail.handovers.watch import watched
from handrail.notices.actions import NoLongerDue, Owed
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from handrail.schools.models import Term
from tenants.context import inside

pytestmark = pytest.mark.django_db
A_DAY = timedelta(days=1)
MONDAY = date(2026, 11, 23)
HEAD, COLLEAGUE, OAK = "head@oak.example", "colleague@oak.example", "head@900001.example"
NORA, ADMIN = "nora@barsetshire.example", "adele@barsetshire.example"
OTHER_ADMIN = "admin@barsetshire.example"
IRIS, TESS = "iris@hospital.example", "tess@hospital.example"
Reason = Notice.Reason


@pytest.fixture
def here(one, cast):
    with inside(one):
        person(NORA, Role.NAMED_OFFICER)
        AuthoritySettings.objects.create(has_quiet_hours=False)
        yield one


@pytest.fixture
def ward(here):
    """A hospital school of this authority, with a lead."""
    school = SchoolFactory(urn="900700", name="Ward School", head_email="", lead_email="", office_email="")
    person(IRIS, Role.SETTING_LEAD, school=school)
    return Setting.objects.create(name="Ward School", kind="hospital", school=school, confirmed_at=AT)


def handover(cast, state, *, due_on=MONDAY, since_on=MONDAY, side="home", other="la_00000000", **more):
    if side == "home":
        more.setdefault("pupil", PupilFactory(school=cast.oak, name="Poppy Canarywright"))
    return Handover.objects.create(
        reference=uuid4(), side=side, state=state, due_on=due_on, since_on=since_on, started_at=AT,
        setting_name="Ward School", other_role=other, other_name="Borchester", **more,
    )  # fmt: skip


def pack_comes(to, *, number=1, at=AT, kind="pack"):
    return Message.objects.create(
        handover=to, way="in", kind=kind, reference=uuid4(), number=number, envelope_id=uuid4(), owed_at=at
    )


def sweep(on, *, of=reminders.owe_handover_reminders):
    return of(on=on, at=AT + (on - AT.date()))


def sent(rule=OWN, *, by_day=False):
    found = Notice.objects.filter(subject_kind=rule.kind, state="owed").order_by("step_on", "recipient")
    told = [(each.step_on if by_day else each.step, each.recipient) for each in found]
    return [each for each in told if each[1] != OTHER_ADMIN]


class TestAMoveOfOnesOwn:
    @pytest.mark.parametrize(
        ("on", "told"),
        [
            (date(2026, 11, 22), []),
            (date(2026, 11, 23), [("day-0", COLLEAGUE), ("day-0", HEAD)]),
            (date(2026, 11, 24), [("day-0", COLLEAGUE), ("day-0", HEAD)]),
            (date(2026, 11, 25), [("day-0", COLLEAGUE), ("day-0", HEAD), ("day-2", OAK)]),
            (
                date(2026, 11, 30),
                [
                    *(("day-0", COLLEAGUE), ("day-0", HEAD), ("day-2", OAK)),
                    *(("day-5", COLLEAGUE), ("day-5", HEAD), ("day-5", NORA)),
                ],
            ),
        ],
    )
    def test_is_asked_of_the_school_then_the_head_then_the_officer(self, here, cast, on, told):
        handover(cast, "more_asked")
        for number in (-1, 0, 1, 2, 7):
            if MONDAY + number * A_DAY <= on:
                sweep(MONDAY + number * A_DAY)
        assert sent() == told

    def test_is_told_to_the_administrators_after_ten_school_days(self, here, cast):
        handover(cast, "more_asked")
        for number in (0, 7, 13):
            sweep(MONDAY + number * A_DAY)
        assert ADMIN not in {who for _, who in sent()}
        sweep(date(2026, 12, 7))
        assert ("day-10", ADMIN) in sent() and ("day-10", NORA) in sent()

    def test_goes_on_until_somebody_acts(self, here, cast):
        waiting = handover(cast, "more_asked")
        for number in (0, 7, 14, 21, 27):
            sweep(MONDAY + number * A_DAY)
        assert [day for day, who in sent() if who == NORA] == ["day-5", "day-10", "day-15"]
        Handover.objects.filter(id=waiting.id).update(state="submitted", due_on=date(2027, 1, 29))
        sweep(date(2027, 1, 15))
        assert [day for day, who in sent() if who == NORA] == ["day-5", "day-10", "day-15"]

    def test_the_days_are_school_days(self, here, cast):
        term = {"first_on": date(2026, 9, 2), "last_on": date(2026, 12, 18)}
        Term.objects.create(school_year=2026, number=1, **term)
        Term.objects.create(school_year=2026, number=2, first_on=date(2027, 1, 5), last_on=date(2027, 3, 25))
        handover(cast, "more_asked", due_on=date(2026, 12, 18))
        for number in (0, 4, 18, 19, 24):
            sweep(date(2026, 12, 18) + number * A_DAY)
        assert (date(2027, 1, 6), OAK) in sent(by_day=True)
        assert (date(2027, 1, 11), NORA) in sent(by_day=True)

    def test_is_asked_of_the_setting_where_it_waits_for_it(self, here, cast, ward):
        handover(cast, "acknowledged", side="setting", setting=ward)
        sweep(MONDAY)
        assert sent() == [("day-0", IRIS)]

    def test_is_asked_of_the_officer_at_once_where_nobody_may_act(self, here, cast, ward):
        Membership.objects.filter(user__email=IRIS).update(to_on=MONDAY)
        handover(cast, "acknowledged", side="setting", setting=ward)
        sweep(MONDAY)
        assert sent() == [("day-0", NORA)]

    def test_is_asked_of_the_lead_in_the_record_where_nobody_has_an_account(self, here, cast):
        Membership.objects.filter(school=cast.oak).update(to_on=MONDAY)
        handover(cast, "more_asked")
        sweep(MONDAY)
        assert sent() == [("day-0", HEAD)]

    @pytest.mark.parametrize("state", ["active", "phased_return"])
    def test_that_is_far_ahead_is_told_a_week_before(self, here, cast, ward, state):
        home = state == "phased_return"
        more = {} if home else {"side": "setting", "setting": ward}
        handover(cast, state, due_on=date(2027, 1, 4), **more)
        sweep(date(2026, 12, 27))
        assert sent() == []
        sweep(date(2026, 12, 28))
        assert sent() == [("before", who) for who in ([COLLEAGUE, HEAD] if home else [IRIS])]

    def test_the_second_time_owes_nothing_and_missed_steps_are_passed_over(self, here, cast):
        handover(cast, "more_asked")
        sweep(MONDAY - A_DAY)
        sweep(date(2026, 12, 7))
        assert sorted(sent()) == [
            *(("day-10", ADMIN), ("day-10", COLLEAGUE), ("day-10", HEAD), ("day-10", NORA)), ("day-7", OAK),
        ]  # fmt: skip
        assert sweep(date(2026, 12, 7)) == Owed(0, 0)

    def test_of_many_is_one_statement_for_each_rule(self, here, cast, django_assert_max_num_queries):
        for _ in range(5):
            handover(cast, "more_asked")
        with django_assert_max_num_queries(16):
            assert sweep(MONDAY).owed == 10

    @pytest.mark.parametrize("what", ["left", "closed", "over", "draft"])
    def test_is_asked_of_nobody_when_there_is_none(self, here, cast, what):
        waiting = handover(cast, "more_asked")
        if what == "left":
            waiting.pupil.left_on = MONDAY
            waiting.pupil.save()
        elif what == "closed":
            cast.oak.closed_on = MONDAY
            cast.oak.save()
        else:
            Handover.objects.update(state={"over": "withdrawn", "draft": "draft"}[what], due_on=None)
        assert sweep(MONDAY).owed == 0


class TestAMoveOfAnotherAuthoritysPeople:
    def test_is_told_to_the_authority_alone(self, here, cast):
        handover(cast, "submitted")
        for number in (0, 2, 7, 14):
            sweep(MONDAY + number * A_DAY)
        assert sent() == []
        assert sent(OTHERS) == [("day-5", NORA), ("day-10", ADMIN), ("day-10", NORA)]

    def test_is_nobodys_twice_within_an_authority(self, here, cast):
        handover(cast, "submitted", other=here.schema_name)
        assert sweep(date(2026, 12, 7)).owed == 0


class TestWhatHasCome:
    def test_is_told_at_once_and_once(self, here, cast, ward):
        came = handover(cast, "submitted", side="setting", setting=ward)
        pack_comes(came)
        assert sweep(MONDAY, of=reminders.owe_news) == Owed(1, 0)
        assert sent(PACKS) == [("day-0", IRIS)]
        assert Notice.objects.get().urgency == "now"
        for number in (0, 2, 7):
            assert sweep(MONDAY + number * A_DAY, of=reminders.owe_news) == Owed(0, 0)

    def test_to_a_place_that_nobody_confirmed_is_told_to_the_officer(self, here, cast):
        pack_comes(handover(cast, "submitted", side="setting"))
        sweep(MONDAY, of=reminders.owe_news)
        assert sent(PACKS) == [("day-0", NORA)]

    def test_as_a_correction_is_asked_to_be_opened_until_it_is(self, here, cast, ward):
        came = handover(cast, "active", due_on=date(2027, 1, 4), side="setting", setting=ward)
        newer = pack_comes(came, number=2)
        for number in (0, 2, 7):
            sweep(MONDAY + number * A_DAY, of=reminders.owe_news)
        assert sent(CORRECTIONS) == [("day-0", IRIS), ("day-5", IRIS), ("day-5", NORA)]
        notice = Notice.objects.filter(recipient=NORA).get()
        reminders.still_due(notice, at=AT)
        newer.done_at = AT
        newer.save()
        with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
            reminders.still_due(notice, at=AT)

    def test_back_is_asked_to_be_opened_at_the_home_school_until_it_is(self, here, cast):
        home = handover(cast, "return_planned", due_on=date(2027, 1, 4))
        came = pack_comes(home, kind="back")
        for number in (0, 2, 7):
            sweep(MONDAY + number * A_DAY, of=reminders.owe_news)
        assert sent(BACKS) == [
            *(("day-0", COLLEAGUE), ("day-0", HEAD), ("day-2", OAK)),
            *(("day-5", COLLEAGUE), ("day-5", HEAD), ("day-5", NORA)),
        ]
        assert Notice.objects.get(step="day-0", recipient=HEAD).urgency == "now"
        notice = Notice.objects.get(step="day-5", recipient=HEAD)
        subject, text, _ = in_words(notice, reminders.still_due(notice, at=AT), authority=here)
        assert "Poppy" not in subject + text and f"/handovers/{home.id}/" in text
        came.done_at = AT
        came.save()
        with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
            reminders.still_due(notice, at=AT)


class TestStepsThatNobodyHasRead:
    @pytest.fixture
    def pack(self, here, cast, ward):
        person(TESS, Role.SETTING_TEACHER, school=ward.school)
        taught = handover(cast, "active", due_on=date(2027, 1, 4), side="setting", setting=ward)
        return Pack.objects.create(handover=taught, number=2, content={}, sha256="", made_at=AT)

    def test_are_asked_of_the_lead_and_the_teachers_of_the_setting(self, here, cast, pack):
        for number in (0, 2, 7):
            sweep(MONDAY + number * A_DAY)
        assert sent(STEPS) == [
            ("day-0", IRIS), ("day-0", TESS), ("day-5", IRIS), ("day-5", NORA), ("day-5", TESS),
        ]  # fmt: skip
        notice = Notice.objects.get(step="day-5", recipient=TESS)
        subject, text, _ = in_words(notice, reminders.still_due(notice, at=AT + 7 * A_DAY), authority=here)
        assert "Poppy" not in subject + text
        StepsRead.objects.create(pack=pack, by=uuid4(), at=AT)
        with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
            reminders.still_due(notice, at=AT + 7 * A_DAY)

    @pytest.mark.parametrize("what", ["read", "not taken yet", "over"])
    def test_are_asked_of_nobody_when(self, here, cast, pack, what):
        if what == "read":
            StepsRead.objects.create(pack=pack, by=uuid4(), at=AT)
        else:
            state = {"not taken yet": "acknowledged", "over": "returned"}[what]
            Handover.objects.update(state=state, due_on=None)
        sweep(MONDAY)
        assert sent(STEPS) == []


class TestADecline:
    @pytest.mark.parametrize("state", ["declined", "expired"])
    def test_is_told_to_the_officer_at_once_and_until_somebody_answers_for_it(self, here, cast, state):
        ended = handover(cast, state, due_on=None)
        for number in (0, 2, 7, 14):
            sweep(MONDAY + number * A_DAY, of=reminders.owe_news)
        assert [each for each in sent(LAPSES) if each[1] in (NORA, ADMIN)] == [
            *(("day-0", NORA), ("day-2", NORA), ("day-5", NORA)), ("day-10", ADMIN), ("day-10", NORA),
        ]  # fmt: skip
        assert [each for each in sent(LAPSES) if each[1] == HEAD] == [("day-0", HEAD)]
        assert Notice.objects.get(step="day-0", recipient=NORA).urgency == "now"
        follow_up(handover=ended, says="The tuition service begins on Monday.", by=cast.admin, at=AT)
        assert sweep(date(2026, 12, 14), of=reminders.owe_news) == Owed(0, 0)

    def again(self, cast, ended, state):
        made = handover(cast, state, due_on=None, pupil=ended.pupil)
        Handover.objects.filter(id=made.id).update(started_at=AT + A_DAY)
        return made

    def on_the_board(self, ended):
        return ended.id in [each.handover.id for each in watched(on=MONDAY)]

    @pytest.mark.parametrize("state", ["submitted", "accepted", "active", "returned"])
    def test_ends_when_the_child_is_handed_over_anew(self, here, cast, state):
        ended = handover(cast, "declined", due_on=None)
        self.again(cast, ended, state)
        assert sweep(MONDAY, of=reminders.owe_news).owed == 0
        assert not self.on_the_board(ended)

    @pytest.mark.parametrize("state", ["draft", "withdrawn"])
    def test_does_not_end_by_what_was_not_sent_or_was_withdrawn_again(self, here, cast, state):
        ended = handover(cast, "declined", due_on=None)
        self.again(cast, ended, state)
        sweep(MONDAY, of=reminders.owe_news)
        assert ("day-0", NORA) in sent(LAPSES)
        assert self.on_the_board(ended)

    @pytest.mark.parametrize("stops", ["", "no", "suitable"])
    def test_does_not_end_when_the_child_leaves_before_the_section_19_clock_was_stopped(self, here, cast, stops):
        ended = handover(cast, "declined", due_on=None)
        case = Case.objects.create(pupil=ended.pupil, school_year=2026, opened_at=AT)
        says = {"case": case, "happened_on": MONDAY, "trigger": "15 days lost.", "made_at": AT, "number": 1}
        CaseEntry.objects.create(kind="decision", outcome="yes" if stops != "no" else "no", **says)
        if stops == "suitable":
            CaseEntry.objects.create(kind="suitable", **says | {"number": 2})
        ended.pupil.left_on = MONDAY
        ended.pupil.save()
        sweep(MONDAY, of=reminders.owe_news)
        assert (("day-0", NORA) in sent(LAPSES)) == self.on_the_board(ended) == (not stops)

    def test_ends_when_a_child_leaves_of_whom_no_absence_was_reported(self, here, cast):
        ended = handover(cast, "declined", due_on=None)
        ended.pupil.left_on = MONDAY
        ended.pupil.save()
        assert sweep(MONDAY, of=reminders.owe_news).owed == 0

    def test_is_answered_for_once_and_in_words(self, here, cast):
        ended = handover(cast, "declined", due_on=None)
        with pytest.raises(ReasonMissing):
            follow_up(handover=ended, says=" ", by=cast.admin, at=AT)
        follow_up(handover=ended, says="Tuition.", by=cast.admin, at=AT)
        with pytest.raises(NotNow, match="Adele Admin has said"):
            follow_up(handover=ended, says="Tuition.", by=cast.officer, at=AT)
        with pytest.raises(NotNow, match="not declined"):
            follow_up(handover=handover(cast, "submitted"), says="Tuition.", by=cast.admin, at=AT)


class TestAChildWhoWasPassedOn:
    """The next setting has them within five school days."""

    def test_is_the_schools_to_hand_over_and_the_officers_when_that_is_late(self, here, cast):
        ended = handover(cast, "passed_on", due_on=None)
        for number in (0, 4, 6):
            sweep(MONDAY + number * A_DAY)
        assert sent(PASSED_ON) == [("day-0", COLLEAGUE), ("day-0", HEAD)]
        for number in (7, 9, 14, 21):
            sweep(MONDAY + number * A_DAY)
        officers = [each for each in sent(PASSED_ON) if each[1] in (NORA, ADMIN)]
        assert officers[:1] + officers[-1:] == [("day-10", NORA), ("day-15", NORA)]
        assert ("day-5", HEAD) in sent(PASSED_ON) and ("day-7", OAK) in sent(PASSED_ON)
        assert ended.id in [each.handover.id for each in watched(on=MONDAY)]

    @pytest.mark.parametrize("ends", ["handed over", "answered", "draft"])
    def test_waits_until_somebody_is_asked_or_the_authority_says_what_is_next(self, here, cast, ends):
        ended = handover(cast, "passed_on", due_on=None)
        assert due.to_answer(cast.oak.id, on=MONDAY) == [date(2026, 11, 30)]
        if ends == "answered":
            follow_up(handover=ended, says="Back at school.", by=cast.admin, at=AT)
        else:
            state = "draft" if ends == "draft" else "submitted"
            later = handover(cast, state, due_on=None, pupil=ended.pupil)
            Handover.objects.filter(id=later.id).update(started_at=AT + A_DAY)
        waits = ends == "draft"
        assert due.passed_on(on=MONDAY).exists() == bool(due.to_answer(cast.oak.id, on=MONDAY)) == waits
        assert sweep(MONDAY).owed == (2 if waits else 0)

    def test_is_nothing_for_the_setting_that_passed_them_on(self, here, cast, ward):
        child = PupilFactory(school=cast.oak)
        handover(cast, "passed_on", due_on=None, side="setting", setting=ward, pupil=child)
        assert not due.passed_on(on=MONDAY).exists()
        assert due.to_answer(ward.school_id, on=MONDAY) == []


class TestWhenItIsSent:
    @pytest.fixture
    def waiting(self, here, cast):
        return handover(cast, "more_asked")

    @pytest.fixture
    def notice(self, waiting):
        sweep(MONDAY)
        return Notice.objects.get(recipient=HEAD)

    def test_it_says_nothing_but_a_reference(self, here, notice, waiting):
        facts = reminders.still_due(notice, at=AT)
        assert facts == {
            "role": "coordinator",
            "path": f"/handovers/{waiting.id}/",
            "reference": reference(waiting.reference),
        }
        subject, text, _ = in_words(notice, facts, authority=here)
        for word in ("Poppy", "Oak", "Ward", "hospital", "child", "ill "):
            assert word not in subject + text

    def test_it_leads_people_at_the_authority_to_the_board(self, here, waiting):
        sweep(date(2026, 11, 30))
        notice = Notice.objects.get(recipient=NORA)
        assert reminders.still_due(notice, at=AT)["path"] == "/handover-board/"

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"state": "submitted"}, Reason.NOT_NEEDED),
            ({"due_on": MONDAY + A_DAY}, Reason.NOT_DUE),
            ({"state": "withdrawn", "due_on": None}, Reason.NOT_NEEDED),
        ],
    )
    def test_it_is_looked_at_again(self, notice, waiting, change, reason):
        Handover.objects.filter(id=waiting.id).update(**change)
        with pytest.raises(NoLongerDue, match=reason):
            reminders.still_due(notice, at=AT)

    def test_it_goes_to_nobody_who_may_not_act_any_more(self, notice):
        Membership.objects.filter(user__email=HEAD).update(to_on=MONDAY)
        with pytest.raises(NoLongerDue, match=Reason.CONTACT_CHANGED):
            reminders.still_due(notice, at=AT)

    def test_a_newer_one_takes_its_place(self, notice):
        sweep(MONDAY + timedelta(days=7))
        with pytest.raises(NoLongerDue, match=Reason.SUPERSEDED):
            reminders.still_due(notice, at=AT + timedelta(days=7))


class TestAnUpdate:
    def test_is_asked_of_the_setting_then_the_head_and_the_officer(self, here, cast, ward):
        ward.school.head_email = "head@ward.example"
        ward.school.save()
        handover(cast, "active", due_on=date(2027, 1, 4), update_on=MONDAY, side="setting", setting=ward)
        for number in (-7, -1, 0, 2, 7, 14):
            sweep(MONDAY + number * A_DAY)
        told = sent(UPDATES)
        assert [step for step, who in told if who == IRIS] == ["day-0", "day-5", "day-10"]
        assert ("day-2", "head@ward.example") in told
        assert [step for step, who in told if who == NORA] == ["day-5", "day-10"]
        assert ("day-10", ADMIN) in told

    def test_of_a_phased_return_is_the_home_schools(self, here, cast, ward):
        handover(cast, "phased_return", due_on=date(2027, 1, 4), update_on=MONDAY)
        sweep(MONDAY)
        assert sent(UPDATES) == [("day-0", COLLEAGUE), ("day-0", HEAD)]
        assert sent(UPDATES_ELSEWHERE) == []

    def test_of_a_setting_elsewhere_is_told_to_the_officer_at_home_in_the_end(self, here, cast):
        handover(cast, "active", due_on=date(2027, 1, 4), update_on=MONDAY)
        for number in (0, 2, 7):
            sweep(MONDAY + number * A_DAY)
        assert sent(UPDATES) == []
        assert sent(UPDATES_ELSEWHERE) == [("day-5", NORA)]

    def test_is_not_sent_once_it_was_made(self, here, cast, ward):
        waiting = handover(cast, "active", due_on=date(2027, 1, 4), update_on=MONDAY, side="setting", setting=ward)
        sweep(MONDAY)
        notice = Notice.objects.get(subject_kind=UPDATES.kind)
        told = reminders.still_due(notice, at=AT)
        assert told["path"] == f"/handovers/{waiting.id}/"
        Handover.objects.update(update_on=MONDAY + 7 * A_DAY)
        with pytest.raises(NoLongerDue, match=Reason.NOT_DUE):
            reminders.still_due(notice, at=AT)

    def test_is_not_asked_of_what_is_over(self, here, cast, ward):
        handover(cast, "returned", due_on=None, update_on=MONDAY, side="setting", setting=ward)
        sweep(MONDAY)
        assert sent(UPDATES) == []

    @pytest.mark.parametrize(("update_on", "days"), [(MONDAY, [MONDAY]), (MONDAY + A_DAY, [])])
    def test_is_among_the_things_to_do_from_its_day(self, here, cast, ward, update_on, days):
        handover(cast, "active", due_on=date(2027, 1, 4), update_on=update_on, side="setting", setting=ward)
        assert due.to_answer(ward.school_id, on=MONDAY) == days


class TestNothingHeard:
    @pytest.mark.parametrize("state", ["pack_asked", "submitted", "acknowledged", "more_asked", "accepted"])
    def test_for_twenty_school_days_is_told_to_the_officer_whatever_is_due_later(self, here, cast, state):
        handover(cast, state, due_on=date(2027, 3, 1))
        sweep(date(2026, 12, 18))
        assert sent(STILL_THERE) == []
        sweep(date(2026, 12, 21))
        assert sent(STILL_THERE) == [("day-20", NORA)]
        sweep(date(2026, 12, 31))
        assert ADMIN in {who for _, who in sent(STILL_THERE)}

    @pytest.mark.parametrize("state", ["draft", "active", "phased_return", "declined"])
    def test_is_no_rule_where_another_clock_runs(self, here, cast, state):
        handover(cast, state, due_on=None if state == "declined" else date(2027, 3, 1))
        sweep(date(2026, 12, 21))
        assert sent(STILL_THERE) == []

    def test_is_not_told_besides_what_is_late(self, here, cast):
        handover(cast, "more_asked", due_on=date(2026, 11, 30))
        sweep(date(2026, 12, 21))
        assert sent(STILL_THERE) == []
        assert NORA in {who for _, who in sent(OWN)}

    def test_is_told_at_home_and_not_at_the_setting(self, here, cast, ward):
        handover(cast, "accepted", due_on=date(2027, 3, 1), side="setting", setting=ward)
        sweep(date(2026, 12, 21))
        assert sent(STILL_THERE) == []

    def test_ends_when_somebody_acts(self, here, cast):
        waiting = handover(cast, "accepted", due_on=date(2027, 3, 1))
        sweep(date(2026, 12, 21))
        notice = Notice.objects.get(subject_kind=STILL_THERE.kind, recipient=NORA)
        assert reminders.still_due(notice, at=AT)["path"] == "/handover-board/"
        Handover.objects.filter(id=waiting.id).update(since_on=date(2026, 12, 21))
        with pytest.raises(NoLongerDue, match=Reason.NOT_DUE):
            reminders.still_due(notice, at=AT)
