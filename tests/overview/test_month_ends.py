"""What is written down at the end of each month: once, as things stood then, and unchanged since."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import ProgrammingError
from factories import AT, NoticeFactory, PupilFactory, SchoolFactory, recorded_policy

from handrail.absences.actions import make_return
from handrail.absences.models import CaseEntry
from handrail.core.calendar import beginning_of
from handrail.guidance.published import framework
from handrail.handovers.models import Handover
from handrail.overview.month_ends import take_month_ends
from handrail.policies.actions import decide_not_needed, publish
from handrail.policies.models import Kind, MonthEnd, Policy, PolicyMonth, PolicyReview, WebsiteCheck
from handrail.policies.reminders import SUBJECT
from handrail.returns.actions import Wanted, open_cycle, save_answers, submit
from handrail.returns.rules import CRITERIA
from handrail.schools.models import School
from tenants.context import inside
from tenants.database import execute
from workflows import month_ends as workflow
from workflows.timetable import TIMETABLE

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31)


@pytest.fixture
def take(one):
    """Takes what is owed on a day, and gives the last days of the months that were taken."""

    def run(on):
        with inside(one):
            return take_month_ends(on=on, at=AT)

    return run


def rows(one, *columns, **asked):
    with inside(one):
        return list(PolicyMonth.objects.filter(**asked).values_list(*columns))


def figures(one, ended_on):
    with inside(one):
        return MonthEnd.objects.get(ended_on=ended_on).figures


class TestMonths:
    def test_are_taken_once_they_have_ended_and_only_once(self, take, on):
        assert take(on) == [OCTOBER]
        assert take(on) == []
        assert take(NOVEMBER) == []
        assert take(date(2026, 12, 1)) == [NOVEMBER]

    def test_that_nobody_took_are_taken_later(self, take):
        take(date(2026, 11, 1))
        assert take(date(2027, 4, 2)) == [
            NOVEMBER, DECEMBER, date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31),
        ]  # fmt: skip

    def test_are_taken_by_the_clock(self, one, monkeypatch):
        monkeypatch.setattr(workflow, "clock", lambda: AT)
        workflow.take_one(authority=str(one.id))
        workflow.take_one(authority=str(one.id))
        assert rows(one, "month__ended_on") == []
        with inside(one):
            assert [each.ended_on for each in MonthEnd.objects.all()] == [OCTOBER]
        assert "workflows.month_ends.take" in {entry.task for entry in TIMETABLE}


class TestPolicies:
    def test_stand_as_they_did_whatever_happens_later(self, cast, one, take):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=NOVEMBER, published_url="https://oak.example/policy")
            recorded_policy(cast.elm, next_review_on=NOVEMBER - timedelta(days=1))
        columns = ("urn", "school_name", "phase_name", "type_name", "is_in_date", "is_published")
        take(date(2026, 12, 1))
        before = rows(one, *columns)
        assert before == [
            (cast.oak.urn, "Oak School", "Primary", cast.oak.type_name, True, True),
            (cast.elm.urn, "Elm School", "Primary", cast.elm.type_name, False, False),
        ]
        with inside(one):
            School.objects.update(name="Ash School", phase_name="Secondary", closed_on=AT.date())
            Policy.objects.update(next_review_on=DECEMBER, published_url="")
        take(date(2026, 12, 2))
        assert rows(one, *columns) == before

    def test_of_a_month_taken_late_stand_as_they_were_reviewed_by_then(self, cast, one, take):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=date(2026, 11, 10))
            for reviewed_on in (date(2025, 11, 10), date(2026, 12, 9)):
                PolicyReview.objects.create(
                    policy=policy, reviewed_on=reviewed_on, next_review_on=reviewed_on.replace(reviewed_on.year + 1),
                    outcome="no_change", recorded_at=AT,
                )  # fmt: skip
            policy.last_reviewed_on, policy.next_review_on = date(2026, 12, 9), date(2027, 12, 9)
            policy.save()
        take(date(2026, 11, 1))
        take(date(2027, 1, 2))
        assert rows(one, "month__ended_on", "is_in_date") == [(OCTOBER, True), (NOVEMBER, False), (DECEMBER, True)]

    def test_of_a_month_taken_late_are_needed_and_published_as_they_were_by_then(self, cast, one, take):
        later = AT + timedelta(days=20)  # in December
        with inside(one):
            oak = recorded_policy(cast.oak, next_review_on=DECEMBER, published_url="https://oak.example/policy")
            elm = recorded_policy(cast.elm, next_review_on=DECEMBER)
            publish(policy=oak, by=cast.officer, at=later, published_url="")
            publish(policy=elm, by=cast.officer, at=later, published_url="https://elm.example/policy")
            decide_not_needed(policy=oak, by=cast.officer, at=later, reason="Another school keeps it")
        take(date(2026, 11, 1))
        take(date(2027, 1, 2))
        found = set(rows(one, "month__ended_on", "urn", "is_published"))
        assert found == {
            (OCTOBER, cast.oak.urn, True), (OCTOBER, cast.elm.urn, False), (NOVEMBER, cast.oak.urn, True),
            (NOVEMBER, cast.elm.urn, False), (DECEMBER, cast.elm.urn, True),
        }  # fmt: skip

    @pytest.mark.parametrize(("days", "is_published"), [(7, False), (6, True)])
    def test_are_not_published_where_they_were_missed(self, cast, one, take, days, is_published):
        """As the comparison of schools has it."""
        end = beginning_of(date(2026, 12, 1))
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=DECEMBER, published_url="https://oak.example/policy")
            WebsiteCheck.objects.create(
                policy=policy, url=policy.published_url, host="oak.example", due_at=end, failures=9,
                failing_since=end - timedelta(days=days), looked_at=end + timedelta(days=9),
            )  # fmt: skip
        take(date(2026, 12, 1))
        assert rows(one, "is_published") == [(is_published,)]

    def test_are_those_of_schools_that_were_there_and_needed_them(self, cast, one, take):
        with inside(one):
            for more in ({"closed_on": NOVEMBER}, {"closed_on": DECEMBER}, {"joined_on": DECEMBER}):
                recorded_policy(SchoolFactory(**more), next_review_on=DECEMBER)
            recorded_policy(cast.oak, next_review_on=DECEMBER, not_needed_reason="Another school keeps it")
            Policy.objects.create(kind=Kind.SECTION_19)
            there = School.objects.get(closed_on=DECEMBER).urn
        take(date(2026, 12, 1))
        assert rows(one, "urn", "kind") == [("", "section_19"), (there, "medical_conditions")]

    def test_are_counted_by_month_and_what_one_likes(self, cast, one, take):
        with inside(one):
            for school in (cast.oak, cast.elm, SchoolFactory(phase_name="Secondary")):
                recorded_policy(school, next_review_on=NOVEMBER)
        take(date(2026, 11, 1))
        take(date(2026, 12, 1))
        take(date(2027, 1, 1))
        with inside(one):
            counted = PolicyMonth.objects.counted("phase_name").values_list(
                "month__ended_on", "phase_name", "policies", "in_date"
            )
            assert list(counted) == [
                (OCTOBER, "Primary", 2, 2), (OCTOBER, "Secondary", 1, 1),
                (NOVEMBER, "Primary", 2, 2), (NOVEMBER, "Secondary", 1, 1),
                (DECEMBER, "Primary", 2, 0), (DECEMBER, "Secondary", 1, 0),
            ]  # fmt: skip


class TestAdequate:
    """On the 2017 criteria: all nine points met, by the return that stood then."""

    @pytest.fixture
    def returned(self, cast, one):
        def submitted(at, **changes):
            points = {each.id: Wanted("yes") for each in framework(CRITERIA).requirements}
            about = {"school": cast.oak, "by": cast.head, "at": at}
            with inside(one):
                recorded_policy(cast.oak, next_review_on=DECEMBER) if not Policy.objects.exists() else None
                cycle = open_cycle(
                    school_year=2026, framework_ids=[CRITERIA], due_on=DECEMBER, closes_on=date(2027, 2, 1),
                    by=cast.officer, at=at,
                )  # fmt: skip
                save_answers(answers=points | changes, cycle=cycle, **about)
                submit(cycle=cycle, **about)
                return cycle

        return submitted

    def test_is_what_a_return_says(self, cast, one, take, returned):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=DECEMBER)
            recorded_policy(cast.oak, kind=Kind.ALLERGY_SAFETY, next_review_on=DECEMBER)
            recorded_policy(cast.elm, next_review_on=DECEMBER)
        returned(AT)
        take(date(2026, 12, 1))
        assert rows(one, "urn", "kind", "is_adequate") == [
            (cast.oak.urn, "allergy_safety", None),
            (cast.oak.urn, "medical_conditions", True),
            (cast.elm.urn, "medical_conditions", None),
        ]

    def test_is_not_what_is_said_later(self, cast, one, take, returned):
        take(date(2026, 10, 1))
        cycle = returned(AT)
        later = AT + timedelta(days=20)
        point = framework(CRITERIA).requirements[0].id
        with inside(one):
            about = {"cycle": cycle, "school": cast.oak, "by": cast.head, "at": later}
            save_answers(answers={point: Wanted("no", reason="Not yet")}, **about)
            submit(**about)
        take(date(2027, 1, 1))
        assert rows(one, "month__ended_on", "is_adequate") == [(OCTOBER, None), (NOVEMBER, True), (DECEMBER, False)]


class TestFigures:
    def test_count_messages_about_policies_by_outcome(self, one, cast, take):
        with inside(one):
            for step_on, state in ((OCTOBER, "delivered"), (NOVEMBER, "delivered"), (NOVEMBER, "bounced")):
                NoticeFactory(subject_kind=SUBJECT, step_on=step_on, state=state)
        take(date(2026, 12, 1))
        assert figures(one, NOVEMBER)["notices"] == [["delivered", 1], ["not_delivered", 1]]

    def handovers(self, one, cast, number, **more):
        with inside(one):
            for _ in range(number):
                Handover.objects.create(
                    reference=uuid4(), side="home", pupil=PupilFactory(school=cast.oak), setting_name="Ward School",
                    other_role="la_00000000", other_name="Borchester", **{"started_at": AT, **more},
                )  # fmt: skip

    def test_count_handovers_by_stage_and_age_and_show_no_small_number(self, one, cast, take):
        self.handovers(one, cast, 7, state="submitted", since_on=NOVEMBER)
        self.handovers(one, cast, 9, state="active", since_on=date(2026, 9, 7))
        take(date(2026, 12, 1))
        found = {(stage, age): count for stage, age, count in figures(one, NOVEMBER)["handovers"]}
        assert {each: count for each, count in found.items() if count} == {
            ("waiting", "up_to_5"): 7, ("waiting", "all"): 7, ("taught", "over_15"): 9, ("taught", "all"): 9,
            ("all", "up_to_5"): 7, ("all", "over_15"): 9, ("all", "all"): 16,
        }  # fmt: skip
        self.handovers(one, cast, 3, state="accepted", since_on=DECEMBER)
        take(date(2027, 1, 1))
        assert not {1, 2, 3, 4, 5} & {count for *_, count in figures(one, DECEMBER)["handovers"]}

    def test_do_not_count_children_of_a_month_long_past(self, one, take):
        take(date(2026, 11, 4))
        take(date(2027, 1, 3))
        assert ["handovers" in figures(one, each) for each in (OCTOBER, NOVEMBER, DECEMBER)] == [False, False, True]

    @pytest.mark.parametrize(("children", "shown"), [(5, None), (6, 8)])
    def test_say_how_long_children_waited_for_a_first_lesson(self, one, cast, take, children, shown):
        with inside(one):
            for number in range(children):
                pupil = PupilFactory(school=cast.oak)
                case = make_return(
                    pupil=pupil, first_on=date(2026, 9, 7), is_likely=False, says={"address": "1 High Street"},
                    by=cast.head, at=AT.replace(month=9, day=7),
                ).case  # fmt: skip
                # The fifteenth school day is 25 September, and 5 October the sixth from then.
                CaseEntry.objects.create(
                    case=case, number=1, kind="first_session", happened_on=date(2026, 10, 5 + number), trigger="-",
                    made_at=AT.replace(month=10, day=20),
                )  # fmt: skip
        take(date(2026, 11, 1))
        assert figures(one, OCTOBER)["first_lesson_days"] == shown

    def test_have_first_lessons_in_the_month_in_which_they_were_recorded(self, one, cast, take):
        """Else one that the authority hears of after the month has ended would never be counted."""
        with inside(one):
            for _ in range(6):
                case = make_return(
                    pupil=PupilFactory(school=cast.oak), first_on=date(2026, 9, 7), is_likely=False,
                    says={"address": "1 High Street"}, by=cast.head, at=AT.replace(month=9, day=7),
                ).case  # fmt: skip
                CaseEntry.objects.create(
                    case=case, number=1, kind="first_session", happened_on=date(2026, 10, 9), trigger="-", made_at=AT
                )
        take(date(2026, 11, 1))
        take(date(2026, 12, 1))
        assert [figures(one, each)["first_lesson_days"] for each in (OCTOBER, NOVEMBER)] == [None, 10]

    def test_have_no_handover_that_began_after_the_month(self, one, cast, take):
        self.handovers(one, cast, 6, state="submitted", since_on=NOVEMBER)
        self.handovers(one, cast, 6, state="submitted", since_on=DECEMBER, started_at=AT.replace(month=12, day=1))
        take(date(2026, 12, 2))
        assert ["waiting", "all", 6] in figures(one, NOVEMBER)["handovers"]


@pytest.mark.parametrize("change", ["UPDATE policies_monthend SET figures = '{}'", "DELETE FROM policies_policymonth"])
def test_what_was_taken_can_be_neither_changed_nor_removed(one, take, on, change):
    take(on)
    with pytest.raises(ProgrammingError, match="permission denied"), inside(one):
        execute(change)
