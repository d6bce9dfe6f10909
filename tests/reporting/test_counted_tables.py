"""The tables of figures, requirements, answers and the authority's own policy, as programs read them."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from factories import AT, NoticeFactory, PolicyFactory, PupilFactory, SchoolFactory, recorded_policy

from handrail.core.models import AuthoritySettings
from handrail.guidance.published import framework, frameworks
from handrail.overview.month_ends import take_month_ends
from handrail.overview.plan_counts import count_plans
from handrail.plans.models import HealthcarePlan, PlanTally
from handrail.policies.models import Kind, MonthEnd, Policy, PolicyVersion
from handrail.policies.reminders import SUBJECT
from handrail.reporting.models import Change
from handrail.returns.actions import Wanted, open_cycle, save_answers, submit
from handrail.returns.rules import CRITERIA
from handrail.returns.standing import sections_of
from tenants.context import inside

pytestmark = pytest.mark.django_db

NOVEMBER, DECEMBER = date(2026, 11, 30), date(2026, 12, 31)
TODAY = datetime(2027, 1, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: TODAY)


@pytest.fixture
def data(read):
    """`data("metrics", by="phase")` gives the rows."""

    def ask(name, **asked):
        answer = read(f"/api/v1/{name}", **asked)
        assert answer.status_code == 200, answer.content
        return json.loads(answer.content)["data"]

    return ask


@pytest.fixture
def returned(one, cast):
    """Oak School has answered the nine points of 2017."""
    points = {each.id: Wanted("yes", reason="Words of somebody") for each in framework(CRITERIA).requirements}
    about = {"school": cast.oak, "by": cast.head, "at": AT}
    with inside(one):
        cycle = open_cycle(
            school_year=2026, framework_ids=[CRITERIA], due_on=NOVEMBER, closes_on=DECEMBER, by=cast.officer, at=AT
        )
        save_answers(answers=points, cycle=cycle, **about)
        return submit(cycle=cycle, **about)


@pytest.fixture
def months(one, cast, returned):
    """November and December of a secondary and two primary schools."""
    with inside(one):
        late = SchoolFactory(phase_name="Secondary", phase_code=4)
        recorded_policy(cast.oak, next_review_on=DECEMBER, published_url="https://oak.example/")
        recorded_policy(cast.elm, next_review_on=DECEMBER - timedelta(days=1))
        recorded_policy(late, next_review_on=NOVEMBER - timedelta(days=1))
        NoticeFactory(subject_kind=SUBJECT, step_on=NOVEMBER, state="bounced")
        for day in (date(2026, 12, 1), date(2027, 1, 1)):
            take_month_ends(on=day, at=AT)


class TestFigures:
    def test_of_policies_are_by_phase_type_and_kind(self, months, data):
        asked = {"month_from": "2026-12-01", "measure": "policies,policies_in_date", "by": "all,phase,kind"}
        assert [(row["measure"], row["by"], row["group"], row["value"]) for row in data("metrics", **asked)] == [
            ("policies", "all", "", 3), ("policies_in_date", "all", "", 1),
            ("policies", "phase", "Primary", 2), ("policies_in_date", "phase", "Primary", 1),
            ("policies", "phase", "Secondary", 1), ("policies_in_date", "phase", "Secondary", 0),
            ("policies", "kind", "medical_conditions", 3), ("policies_in_date", "kind", "medical_conditions", 1),
        ]  # fmt: skip
        assert {row["by"] for row in data("metrics")} >= {"type"}

    def test_say_of_whom_and_when_as_the_departments_files_do(self, months, data):
        names = ("month", "time_period", "time_identifier", "old_la_code", "new_la_code", "la_name")
        assert {tuple(row[name] for name in names) for row in data("metrics")} == {
            ("2026-11-01", "2026", "November", "001", None, "Barsetshire"),
            ("2026-12-01", "2026", "December", "001", None, "Barsetshire"),
        }

    def test_say_how_many_are_adequate_of_those_that_answered(self, months, data):
        asked = {"month_before": "2026-12-01", "by": "all"}
        found = {row["measure"]: row["value"] for row in data("metrics", **asked)}
        assert found["policies_answered"] == found["policies_adequate"] == found["policies_adequate_and_published"] == 1

    def test_stay_as_they_were(self, months, one, data):
        before = data("metrics")
        with inside(one):
            Policy.objects.update(next_review_on=DECEMBER + timedelta(days=99), published_url="")
        assert data("metrics") == before
        assert {row["month"] for row in before} == {"2026-11-01", "2026-12-01"}

    def test_are_read_from_the_beginning_when_they_were_counted_anew_between_two_pages(self, months, one, read):
        page = json.loads(read("/api/v1/metrics", limit=2).content)["page"]
        for form in ("", ".csv"):
            assert read(f"/api/v1/metrics{form}", limit=2, cursor=page["next_cursor"]).status_code == 200
        with inside(one):
            PlanTally.objects.create(counted_on=NOVEMBER, schools=[], phases=[["All schools", [9, 0, 0, 9, 9]]])
        for form in ("", ".csv"):
            answer = read(f"/api/v1/metrics{form}", limit=2, cursor=page["next_cursor"])
            assert answer.status_code == 410, answer.content
            assert json.loads(answer.content)["errors"][0]["code"] == "expired_cursor"

    def test_have_messages_by_outcome(self, months, data):
        [row] = data("metrics", measure="messages")
        assert (row["month"], row["by"], row["group"], row["value"]) == ("2026-11-01", "outcome", "not_delivered", 1)

    def test_of_children_are_those_that_were_kept(self, months, one, data):
        kept = {
            "notices": [],
            "handovers": [["waiting", "up_to_5", None], ["waiting", "all", 9]],
            "sickness_returns": [["Primary", None], ["All schools", 12]],
            "first_lesson_days": 8,
        }
        with inside(one):
            MonthEnd.objects.bulk_create([MonthEnd(ended_on=date(2026, 10, 31), taken_at=AT, figures=kept)])
        asked = {"month_before": "2026-11-01"}
        assert data("handovers", **asked) == [
            {"month": "2026-10-01", "stage": "waiting", "stage_label": "Waiting for an answer", "age": "up_to_5",
             "handovers": None},
            {"month": "2026-10-01", "stage": "waiting", "stage_label": "Waiting for an answer", "age": "all",
             "handovers": 9},
        ]  # fmt: skip
        assert [row["returns"] for row in data("sickness-returns", **asked)] == [None, 12]
        assert [(row["measure"], row["group"], row["value"]) for row in data("metrics", **asked)] == [
            ("handovers", "waiting, up_to_5", None), ("handovers", "waiting, all", 9),
            ("sickness_returns", "Primary", None), ("sickness_returns", "", 12), ("first_lesson_days", "", 8),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "asked"),
        [
            ("metrics", {"measure": "children"}), ("metrics", {"by": "child"}), ("metrics", {"urn": "900001"}),
            ("metrics", {"month_from": "November"}), ("handovers", {"stage": "ill"}),
            ("sickness-returns", {"phase": "x"}),
            ("answers", {"verdict": "maybe"}), ("answers", {"requirement": "AUD17-99"}), ("answers", {"reason": "x"}),
            ("answers", {"modified_since": "2026-11-23"}), ("schools", {"modified_since": "2026-13-01T00:00:00Z"}),
            ("requirements", {"framework": "NONE"}), ("policy-months", {"kind": "x"}),
            ("section-19-policy", {"a": "b"}),
            ("metrics", {"modified_since": "2026-11-23T00:00:00Z"}),
        ],
    )  # fmt: skip
    def test_refuse_what_they_do_not_know(self, cast, read, name, asked):
        answer = read(f"/api/v1/{name}", **asked)
        assert answer.status_code == 400
        [error] = json.loads(answer.content)["errors"]
        assert error["pointer"] == f"/{next(iter(asked))}"


class TestPlansByCondition:
    """They are read as they were kept: nothing that is asked chooses what is counted."""

    @pytest.fixture
    def told(self, one):
        nothing = {"schools": [], "phases": [["All schools", [90, 0, 0, 90, 40]]]}
        with inside(one):
            PlanTally.objects.bulk_create(
                [
                    PlanTally(counted_on=NOVEMBER, conditions={"not_said": 0, "asthma": 70}, **nothing),
                    PlanTally(counted_on=NOVEMBER + timedelta(days=31), **nothing),
                ]
            )

    def test_are_those_that_were_told_last(self, cast, told, data, read):
        assert data("plan-counts-by-condition") == [
            {"counted_on": "2026-11-30", "condition": "asthma", "condition_label": "Asthma", "plans": 70},
            {"counted_on": "2026-11-30", "condition": "not_said", "condition_label": "Not said", "plans": 0},
        ]
        assert read("/api/v1/plan-counts-by-condition", urn="900001").status_code == 400

    def test_are_figures_of_the_months_in_which_they_were_counted(self, cast, told, data):
        found = data("metrics", by="condition")
        assert [(row["month"], row["measure"], row["group"], row["value"]) for row in found] == [
            ("2026-11-01", "plans_active", "asthma", 70), ("2026-11-01", "plans_active", "not_said", 0),
        ]  # fmt: skip

    def test_are_none_before_they_were_told(self, cast, one, data):
        assert data("plan-counts-by-condition") == []


class TestPlansAtTheEndOfAMonth:
    @pytest.fixture
    def counted(self, one):
        """As counted on a day of October, and at the end of two months, of which the second is not over."""
        kept = {
            "schools": [["900001", "Oak School", "Primary", [9, 0, 7, 16, None]]],
            "phases": [["Primary", [9, 0, 7, 16, None]], ["All schools", [9, 0, 7, 16, None]]],
            "types": [["Community school", [9, 0, 7, 16, None]]],
        }
        with inside(one):
            for day in (date(2026, 10, 20), DECEMBER, TODAY.date()):
                PlanTally.objects.create(counted_on=day, **kept)

    def test_are_figures_by_phase_and_type(self, cast, counted, data):
        found = data("metrics", measure="plans_active,plans_in_date,plans_covered")
        assert [(row["month"], row["by"], row["group"]) for row in found[::3]] == [
            ("2026-12-01", "all", ""), ("2026-12-01", "phase", "Primary"), ("2026-12-01", "type", "Community school"),
        ]  # fmt: skip
        assert [row["value"] for row in found] == [16, 9, None] * 3

    def test_are_rows_by_school(self, cast, counted, data):
        assert data("plan-months", urn="900001", month_from="2026-11-01") == [
            {"month": "2026-12-01", "urn": "900001", "school_name": "Oak School", "phase": "Primary",
             "in_date": 9, "due_soon": 0, "overdue": 7, "all_active": 16, "covered": None}
        ]  # fmt: skip
        assert data("plan-months", urn="900002") == data("plan-months", month_before="2026-12-01") == []

    def test_are_by_type_as_they_are_counted(self, cast, one, data):
        """Academies have too few plans at secondary schools, and another type there is kept back with them."""
        with inside(one):
            few, beside = (
                SchoolFactory(phase_name="Secondary", phase_code=4, type_name=f"{each} school")
                for each in ("Academy", "Foundation")
            )
            many = SchoolFactory(phase_name="Primary", type_name="Academy school")
            for school, number in ((cast.oak, 20), (cast.elm, 10), (few, 3), (beside, 8), (many, 30)):
                for child in PupilFactory.create_batch(number, school=school):
                    HealthcarePlan.objects.create(pupil=child, stage="active", due_on=TODAY.date())
            kind = cast.oak.type_name
            count_plans(on=date(2026, 11, 1))
            count_plans(on=date(2027, 1, 1))
        found = {row["group"]: row["value"] for row in data("metrics", by="type", measure="plans_active")}
        assert found == {kind: 30, "Academy school": None, "Foundation school": None}


class TestPoliciesAtTheEndOfAMonth:
    def test_are_rows_with_their_school_as_it_was(self, months, cast, data):
        asked = {"month_from": "2026-12-31", "phase": "primary"}
        rows = {row["urn"]: row for row in data("policy-months", **asked)}
        assert set(rows) == {cast.oak.urn, cast.elm.urn}
        oak = rows[cast.oak.urn]
        assert (oak["month_end"], oak["is_in_date"], oak["is_published"], oak["is_adequate"]) == (
            "2026-12-31", True, True, True,
        )  # fmt: skip
        assert rows[cast.elm.urn]["is_adequate"] is None


class TestAnswers:
    def test_are_those_submitted_without_what_was_written_in_words(self, returned, data, read):
        rows = data("answers")
        assert len(rows) == 9
        assert {(row["urn"], row["school_year"], row["return_number"], row["verdict"]) for row in rows} == {
            ("900001", 2026, 1, "yes")
        }
        assert "Words of somebody" not in read("/api/v1/answers").content.decode()
        assert data("answers", verdict="no") == []
        assert len(data("answers", requirement="AUD17-01,AUD17-02", urn="900001")) == 2
        asked = {row["requirement_id"]: row["digest"] for row in data("requirements", framework=CRITERIA)}
        assert {row["requirement_id"]: row["digest"] for row in rows} == asked

    def test_of_the_authority_about_itself_are_of_no_school(self, one, cast, returned, data):
        with inside(one):
            points = [point for section in sections_of(returned.cycle, None) for point in section.points]
            about = {"cycle": returned.cycle, "school": None, "by": cast.officer, "at": AT}
            save_answers(answers={point.requirement.id: Wanted("yes") for point in points}, **about)
            submit(**about)
        assert {row["urn"] for row in data("answers", requirement="S19P-01,HEDU-11")} == {None}
        assert len(data("answers", urn="900001")) == 9


class TestRequirements:
    def test_are_those_of_the_frameworks_that_count(self, cast, one, data):
        found = {row["framework_id"] for row in data("requirements", limit=1000)}
        drafts = {each.id for each in frameworks() if each.is_draft}
        assert found == {each.id for each in frameworks() if any(not r.is_of_plans for r in each.requirements)} - drafts
        assert {row["strength"] for row in data("requirements", strength="must")} == {"must"}

    def test_of_a_draft_are_there_where_the_authority_looks_at_it(self, cast, one, data):
        draft = next(each.id for each in frameworks() if each.is_draft)
        assert data("requirements", framework=draft) == []
        with inside(one):
            AuthoritySettings(previewed=[draft]).save()
        assert {row["status_label"] for row in data("requirements", framework=draft)} == {"Draft, not law"}


class TestTheAuthoritysOwnPolicy:
    def test_says_when_it_was_approved(self, cast, one, data):
        with inside(one):
            policy = PolicyFactory(school=None, kind=Kind.SECTION_19)
            PolicyVersion.objects.create(
                policy=policy, number=1, approved_by="Cabinet", approved_on=NOVEMBER, made_at=AT
            )
        [row] = data("section-19-policy")
        assert (row["status"], row["approved_by"], row["approved_on"]) == ("not_recorded", "Cabinet", "2026-11-30")


class TestSince:
    def test_are_rows_written_at_a_moment_or_later(self, cast, one, data):
        with inside(one):
            Change.objects.filter(id=cast.oak.id).update(changed_at=datetime(2026, 1, 1, tzinfo=UTC))
            Change.objects.filter(id=cast.elm.id).update(changed_at=datetime(2026, 3, 1, tzinfo=UTC))
        for since, names in (
            ("2026-01-01T00:00:00Z", {"Oak School", "Elm School"}),
            ("2026-01-01T00:00:01Z", {"Elm School"}),
            ("2026-03-02T00:00:00Z", set()),
        ):
            assert {row["school_name"] for row in data("schools", modified_since=since)} == names
