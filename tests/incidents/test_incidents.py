"""What went wrong at a school: written down, answered by reviews, read by the school, counted by the authority."""

from datetime import date, timedelta

import pytest
from factories import PolicyFactory, person, recorded_policy

from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry, ReadEntry
from handrail.incidents import actions
from handrail.incidents.figures import begins_on, years
from handrail.incidents.models import Incident, Kind
from handrail.plans.models import HealthcarePlan, ReviewTrigger, Stage
from handrail.policies.actions import Outcome, record_review
from handrail.policies.models import PolicyReview
from tenants.context import inside
from tenants.database import execute

pytestmark = pytest.mark.django_db

LOG = "/schools/900001/incidents/"


@pytest.fixture
def record(one, cast, at, facts):
    def make(pupil=None, **changes):
        with inside(one):
            return actions.record_incident(school=cast.oak, pupil=pupil, by=cast.head, at=at, **facts | changes)

    return make


class TestRecording:
    def test_seals_what_is_written_and_records_no_word_of_it(self, one, poppy, record):
        incident = record(poppy, what_is_learnt="Name the trays.")
        with inside(one):
            [sealed] = execute("SELECT place, what_happened, what_was_done, what_is_learnt FROM incidents_incident")
            assert not [
                word for word in (b"hall", b"tray", b"ate", b"Name") if word in b"".join(bytes(each) for each in sealed)
            ]
            entry = AuditEntry.objects.get(subject_id=incident.id)
            assert (entry.verb, entry.fields) == ("recorded an incident", ["kind", "harm"])

    def test_refuses_what_has_not_happened_yet(self, at, record):
        for changes, field in (
            ({"happened_at": at + timedelta(minutes=1)}, "happened_on"),
            ({"parents_told_at": at + timedelta(minutes=1)}, "told_on"),
            ({"parents_told_at": at - timedelta(hours=2)}, "told_on"),
        ):
            with pytest.raises(actions.Refused) as refusal:
                record(**changes)
            assert refusal.value.field == field

    def test_brings_the_childs_plan_forward(self, one, cast, at, on, poppy, record):
        with inside(one):
            plan = HealthcarePlan.objects.create(
                pupil=poppy, stage=Stage.ACTIVE, last_reviewed_on=on, due_on=on + timedelta(days=300)
            )
        record(poppy)
        record(poppy)  # the same day again
        with inside(one):
            plan.refresh_from_db()
            assert plan.due_on == on + timedelta(days=7), "five school days"
            assert ReviewTrigger.objects.get().kind == "incident"

    def test_of_no_child_moves_no_plan(self, one, on, poppy, record):
        with inside(one):
            HealthcarePlan.objects.create(
                pupil=poppy, stage=Stage.ACTIVE, last_reviewed_on=on, due_on=on + timedelta(days=300)
            )
        record()
        with inside(one):
            assert not ReviewTrigger.objects.exists()


class TestTheInterimReviewOfThePolicy:
    def test_is_due_in_two_weeks_and_the_history_keeps_who_asked(self, one, cast, on, record):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on + timedelta(days=200))
        record()
        record()  # another on the same day
        with inside(one):
            policy.refresh_from_db()
            assert policy.next_review_on == on + timedelta(days=14)
            asked = PolicyReview.objects.get()
            assert (asked.outcome, asked.next_review_on, asked.recorded_by_name) == (
                Outcome.ASKED,
                on + timedelta(days=14),
                "Hana Head",
            )

    def test_never_moves_back(self, one, cast, on, record):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on - timedelta(days=3))
        record()
        with inside(one):
            policy.refresh_from_db()
            assert policy.next_review_on == on - timedelta(days=3)

    def test_is_asked_for_of_a_policy_without_a_date_too(self, one, cast, record):
        with inside(one):
            policy = PolicyFactory(school=cast.oak)
        record()
        with inside(one):
            policy.refresh_from_db()
            assert policy.next_review_on is None
            assert PolicyReview.objects.get().outcome == Outcome.ASKED

    def test_is_not_asked_for_of_one_not_needed(self, one, cast, record):
        with inside(one):
            PolicyFactory(school=cast.oak, not_needed_reason="No pupils")
        record()
        with inside(one):
            assert not PolicyReview.objects.exists()

    def test_is_answered_by_a_review_as_any_other(self, one, cast, at, on, record):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on + timedelta(days=200))
        record()
        with inside(one):
            record_review(policy=policy, by=cast.head, at=at, reviewed_on=on, outcome=Outcome.NO_CHANGE)
            policy.refresh_from_db()
            assert policy.next_review_on == on.replace(year=2027)

    def test_is_no_answer_that_a_person_can_choose(self, one, cast, on, browse):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on)
        page = browse(cast.head).get(f"/schools/900001/policies/{policy.id}/review/").content.decode()
        assert "Still in progress" in page
        assert "Interim review asked for" not in page

    def test_tells_the_authority_nothing_of_why(self, one, cast, on, poppy, record, browse):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on + timedelta(days=200))
        record(poppy)
        client = browse(cast.officer)
        pages = client.get(f"/schools/900001/policies/{policy.id}/"), client.get("/schools/900001/activity/")
        text = "".join(page.content.decode() for page in pages)
        assert "Interim review asked for" in text
        for word in ("Poppy", "near miss", "Near miss", "tray"):
            assert word not in text


class TestTheLog:
    def test_is_read_by_the_school_and_each_look_recorded(self, one, cast, poppy, record, browse):
        incident = record(poppy)
        with inside(one):
            office = person("sally@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
            governor = person("gus@oak.example", Role.GOVERNOR, school=cast.oak)
        for who, status in (
            (office, 200),
            (cast.head, 200),
            (governor, 403),
            (cast.officer, 403),
            (cast.neighbour, 404),
        ):
            assert browse(who).get(LOG).status_code == status, who
            assert browse(who).get(f"{LOG}{incident.id}/").status_code == status, who
        with inside(one):
            reads = ReadEntry.objects.filter(by=office.id).order_by("at", "verb")
            assert sorted((each.group, each.verb) for each in reads) == [("incident", "list"), ("incident", "page")]
            assert all(each.child_ids == [poppy.id] for each in reads)

    def test_asks_for_the_second_step(self, one, cast, poppy, record, browse):
        record(poppy)
        client = browse()
        with inside(one):
            client.force_login(cast.head)
        answer = client.get(LOG)
        assert (answer.status_code, b"Poppy" in answer.content) == (302, False)

    def test_does_not_ask_more_for_more_incidents(self, cast, poppy, record, browse, django_assert_max_num_queries):
        for _ in range(5):
            record(poppy)
        client = browse(cast.head)
        client.get(LOG)
        with django_assert_max_num_queries(9):
            client.get(LOG)


class TestThePages:
    data = {
        "kind": "medicine",
        "harm": "some",
        "happened_on_day": "23",
        "happened_on_month": "11",
        "happened_on_year": "2026",
        "happened_clock": "8:30am",
        "place": "Office",
        "what_happened": "A dose was given twice.",
        "what_was_done": "We rang the clinic.",
        "is_999_called": "on",
    }

    def test_record_about_a_child_and_add_what_is_learnt(self, one, cast, at, poppy, browse):
        client = browse(cast.head)
        answer = client.post(f"/children/{poppy.id}/incidents/record/", self.data)
        with inside(one):
            made = Incident.objects.get()
            assert (made.pupil_id, made.is_999_called, made.happened_at) == (
                poppy.id,
                True,
                at - timedelta(minutes=35),
            )
        page = client.get(answer["Location"]).content.decode()
        assert "A dose was given twice." in page
        told = {"told_on_day": "23", "told_on_month": "11", "told_on_year": "2026", "told_clock": "8.45am"}
        client.post(f"{LOG}{made.id}/add/", {**told, "what_is_learnt": "Tick the sheet at once."})
        page = client.get(answer["Location"]).content.decode()
        assert "Tick the sheet at once." in page
        assert "23 November 2026 at 8:45am" in page
        assert "A dose was given twice." in page

    def test_record_about_nobody_in_particular(self, one, cast, browse):
        client = browse(cast.head)
        assert client.post(f"{LOG}record/", self.data).status_code == 302
        assert "Nobody in particular" in client.get(LOG).content.decode()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"kind": ""}, "Select what it was"),
            ({"happened_clock": "noon"}, "Enter a time in the correct format, like 1:05pm"),
            ({"happened_clock": "10am"}, "When it happened must be in the past"),
            ({"told_clock": "8:40am"}, "Enter the day the parents were told"),
        ],
    )
    def test_say_what_is_wrong_and_keep_what_was_typed(self, cast, poppy, browse, changes, words):
        text = browse(cast.head).post(f"{LOG}record/", self.data | changes).content.decode()
        assert words in text
        assert "A dose was given twice." in text


class TestTheAuthoritysCounts:
    def test_hide_small_numbers_and_whoever_they_give_away(self, one, cast, on, record):
        for _ in range(8):
            record()
        for _ in range(3):
            record(kind="emergency", harm="serious")
        with inside(one):
            this_year, last_year = years(on=on)
        rows = dict(this_year.rows)
        assert rows["Near miss"][0] == 8 or rows["Near miss"][0] is None
        assert rows["Medical emergency"][2] is None
        shown = [count for counts in rows.values() for count in counts if count]
        assert not [count for count in shown if count in range(1, 6)]
        assert set(rows) == {"Near miss", "Medical emergency", "All kinds"}
        assert len(this_year.never) == len(Kind) - 2
        assert last_year.rows == []

    @pytest.mark.parametrize(
        ("on", "first"),
        [(date(2026, 8, 31), date(2025, 9, 1)), (date(2026, 9, 1), date(2026, 9, 1))],
    )
    def test_are_of_school_years(self, on, first):
        assert begins_on(on) == first

    def test_are_a_page_of_the_authoritys_that_names_nobody(self, cast, poppy, record, browse):
        record(poppy, kind=Kind.SENT_HOME)
        text = browse(cast.officer).get("/incidents/").content.decode()
        assert "Hidden" in text
        for word in ("Poppy", "Oak School", "tray"):
            assert word not in text
        assert browse(cast.head).get("/incidents/").status_code == 403
