"""Settings: what they refuse, what they tell before, what they change, and who may."""

from datetime import date, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from factories import PolicyFactory, SchoolFactory, recorded_policy

from handrail.authority.actions import CHANGEABLE, SettingRefused, change_settings, check
from handrail.authority.effects import Effect, Move, effect_of, next_review
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.core.status import Status
from handrail.policies import cycle
from handrail.policies.models import Kind, Policy
from tenants.context import inside

pytestmark = pytest.mark.django_db

GOOD: dict[str, Any] = {
    "due_soon_days": "30",
    "review_months": "12",
    "reminder_days_before": "60, 30, 14, 0",
    "overdue_every_days": "7",
    "unrecorded_every_months": "1",
    "copy_head_after_days": "14",
    "has_quiet_hours": "on",
    "brand_colour": "",
    "contact_email": "",
    "return_cadence": "month",
    "absence_near_days": "10",
    "absence_trigger_days": "15",
    "section_19_overdue_days": "5",
    "section_19_review_weeks": "6",
    "handover_review_weeks": "6",
    "full_time_hours": "25",
}


def chosen(**changes: Any) -> AuthoritySettings:
    return AuthoritySettings(**changes)


class TestCheck:
    def test_takes_what_is_there_now(self):
        check(chosen())

    @pytest.mark.parametrize(
        "change",
        [
            {"review_months": 0},
            {"review_months": 37},
            {"due_soon_days": 0},
            {"due_soon_days": 181},
            {"overdue_every_days": 0},
            {"unrecorded_every_months": 13},
            {"copy_head_after_days": 0},
            {"absence_near_days": 15},
            {"absence_near_days": 10, "absence_trigger_days": 10},
            {"absence_trigger_days": 16},
            {"section_19_review_weeks": 13},
            {"handover_review_weeks": 3},
            {"handover_review_weeks": 13},
            {"reminder_days_before": []},
            {"reminder_days_before": [366]},
            {"reminder_days_before": list(range(9))},
            {"brand_colour": "red"},
            {"brand_colour": "#ffdd00"},
            {"brand_colour": "#0d5257;}"},
        ],
    )
    def test_refuses(self, change):
        with pytest.raises(SettingRefused) as refusal:
            check(chosen(**change))
        assert refusal.value.field in change

    def test_covers_every_setting_there_is(self):
        elsewhere = {"id", "is_only_row", "previewed"}  # drafts of guidance are previewed from their own page
        assert {field.name for field in AuthoritySettings._meta.fields} - elsewhere == set(CHANGEABLE)


class TestNextReview:
    def test_is_the_same_in_sql_as_in_the_cycle(self, one, on):
        with inside(one):
            policies = [
                PolicyFactory(kind=kind, last_reviewed_on=on - timedelta(days=days), next_review_on=on)
                for kind in (Kind.MEDICAL_CONDITIONS, Kind.ALLERGY_SAFETY)
                for days in (0, 84, 100, 269, 998)
            ]
            for months in (1, 6, 12, 13, 36):
                found = dict(Policy.objects.annotate(then=next_review(months)).values_list("id", "then"))
                for policy in policies:
                    assert found[policy.id] == cycle.next_review(
                        policy.kind, reviewed_on=policy.last_reviewed_on, months=months
                    )


class TestChangeSettings:
    def test_saves_and_records_names_only(self, cast, one, at):
        with inside(one):
            change_settings(to=chosen(due_soon_days=45, contact_email="help@b.example"), by=cast.admin, at=at)
            settings = AuthoritySettings.load()
            assert (settings.due_soon_days, settings.contact_email) == (45, "help@b.example")
            entry = AuditEntry.objects.get(verb="changed settings")
            assert entry.fields == ["due_soon_days", "contact_email"]
            assert (entry.by, entry.subject_id) == (cast.admin.id, settings.id)

    def test_changes_nothing_twice(self, cast, one, at):
        with inside(one):
            for _ in range(2):
                change_settings(to=chosen(review_months=6), by=cast.admin, at=at)
            assert AuditEntry.objects.filter(verb="changed settings").count() == 1

    def test_changes_nothing_when_refused(self, cast, one, at):
        with inside(one):
            with pytest.raises(SettingRefused):
                change_settings(to=chosen(review_months=99), by=cast.admin, at=at)
            assert not AuthoritySettings.objects.exists()

    def test_moves_the_dates_that_follow_and_leaves_the_others(self, cast, one, at, on):
        last = date(2026, 8, 31)
        with inside(one):
            kept = {"school": cast.oak, "last_reviewed_on": last}
            follows = PolicyFactory(kind=Kind.MEDICAL_CONDITIONS, next_review_on=date(2027, 8, 31), **kept)
            chosen_by_school = PolicyFactory(kind=Kind.CANNOT_ATTEND, next_review_on=date(2027, 6, 1), **kept)
            yearly = PolicyFactory(kind=Kind.ALLERGY_SAFETY, next_review_on=date(2027, 8, 31), **kept)
            closed = PolicyFactory(
                school=SchoolFactory(closed_on=on), last_reviewed_on=last, next_review_on=date(2027, 8, 31)
            )
            own = PolicyFactory(
                school=None, kind=Kind.SECTION_19, last_reviewed_on=last, next_review_on=date(2027, 8, 31)
            )
            change_settings(to=chosen(review_months=24), by=cast.admin, at=at)

            def due(policy: Policy) -> date | None:
                return Policy.objects.get(id=policy.id).next_review_on

            assert due(follows) == due(own) == date(2028, 8, 31)
            assert due(chosen_by_school) == date(2027, 6, 1)
            assert due(yearly) == due(closed) == date(2027, 8, 31)
            change_settings(to=chosen(review_months=6), by=cast.admin, at=at)
            assert due(follows) == due(yearly) == due(own) == date(2027, 2, 28)


class TestEffect:
    def test_says_what_the_change_then_does(self, cast, one, at, on):
        with inside(one):
            for days in (-10, 5, 20, 40, 50, 300):
                recorded_policy(SchoolFactory(), next_review_on=on + timedelta(days=days))
            PolicyFactory(school=SchoolFactory())
            PolicyFactory(school=SchoolFactory(body="independent_school"))
            now = AuthoritySettings.load()
            assert effect_of(chosen(due_soon_days=45), instead_of=now, on=on) == Effect(
                0, [Move(Status.IN_DATE, Status.DUE_SOON, 1)]
            )
            told = effect_of(chosen(review_months=11, due_soon_days=10), instead_of=now, on=on)
            assert told.dates == 6
            assert {(move.before, move.after): move.policies for move in told.moves} == {
                (Status.DUE_SOON, Status.OVERDUE): 2,
                (Status.IN_DATE, Status.DUE_SOON): 1,
            }
            before = self.statuses(on, now)
            after_settings = change_settings(to=chosen(review_months=11, due_soon_days=10), by=cast.admin, at=at)
            after = self.statuses(on, after_settings)
            assert sum(before[each] != after[each] for each in before) == sum(move.policies for move in told.moves)

    @staticmethod
    def statuses(on: date, settings: AuthoritySettings) -> dict[Any, str]:
        return dict(Policy.objects.with_status(on=on, settings=settings).values_list("id", "status"))

    def test_of_nothing_is_nothing(self, one, on):
        with inside(one):
            recorded_policy(SchoolFactory(), next_review_on=on)
            assert effect_of(chosen(), instead_of=chosen(), on=on) == Effect(0, [])

    def test_takes_two_questions_however_many_policies(self, one, on, django_assert_num_queries):
        with inside(one):
            for days in range(5):
                recorded_policy(SchoolFactory(), next_review_on=on + timedelta(days=days))
            with django_assert_num_queries(2):
                effect_of(chosen(review_months=3), instead_of=chosen(), on=on)


class TestThePages:
    def test_show_save_and_tell(self, cast, browse, one):
        client = browse(cast.admin)
        page = client.get("/settings/").text
        assert 'value="60, 30, 14, 0"' in page
        with inside(one):
            today = date.today()
            recorded_policy(cast.oak, next_review_on=today + timedelta(days=40))
        answer = client.post("/settings/", GOOD | {"due_soon_days": "45", "brand_colour": "7A1F3D"})
        assert answer["Location"] == "/settings/check/"
        page = client.get("/settings/check/").text
        assert "1 policy goes from" in page
        assert 'fill="#7a1f3d"' in page
        client.post("/settings/", GOOD | {"due_soon_days": "45", "settings_not_asked": ["hospital", "medical_ap"]})
        assert "Hospital school, Medical alternative provision" in client.get("/settings/check/").text
        client.post("/settings/", GOOD | {"due_soon_days": "45", "brand_colour": "7A1F3D"})
        with inside(one):
            assert not AuthoritySettings.objects.exists(), "nothing is saved before the button"
        assert 'value="45"' in client.get("/settings/?again").text
        assert 'value="30"' in client.get("/settings/").text
        assert client.post("/settings/check/")["Location"] == "/settings/"
        page = client.get("/settings/").text
        assert "The settings are saved." in page
        assert "by Adele Admin" in page
        with inside(one):
            assert AuthoritySettings.load().due_soon_days == 45

    def test_tell_of_due_dates(self, cast, browse, one):
        with inside(one):
            last = date.today() - relativedelta(months=1)
            for school in (cast.oak, cast.elm):
                PolicyFactory(school=school, last_reviewed_on=last, next_review_on=last + relativedelta(months=12))
        client = browse(cast.admin)
        client.post("/settings/", GOOD | {"review_months": "24"})
        assert "This changes 2 due dates." in client.get("/settings/check/").text

    def test_keep_what_was_typed_and_say_what_is_wrong(self, cast, browse, one):
        wrong = GOOD | {
            "due_soon_days": "many",
            "review_months": "",
            "reminder_days_before": "60, soon",
            "contact_email": "help",
        }
        page = browse(cast.admin).post("/settings/", wrong).text
        for message in ("Enter a whole number", "Enter a number", "Enter whole numbers with commas", "right form"):
            assert message in page
        for typed in ('value="many"', 'value="60, soon"', 'value="help"'):
            assert typed in page
        assert "<title>Error: Settings" in page

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("review_months", "37", "Enter a number from 1 to 36"),
            ("brand_colour", "#ffdd00", "Choose a darker colour"),
            ("brand_colour", "red", "Enter the colour as #"),
            ("reminder_days_before", "400", "each from 0 to 365"),
            ("reminder_days_before", ",", "from 1 to 8 numbers"),
            ("due_soon_days", "999999999999", "Enter a number from 1 to 180"),
        ],
    )
    def test_refuse_a_value_nobody_may_choose(self, cast, browse, field, value, message):
        answer = browse(cast.admin).post("/settings/", GOOD | {field: value})
        assert answer.status_code == 200
        assert message in answer.text

    def test_say_when_nothing_was_changed(self, cast, browse):
        client = browse(cast.admin)
        assert client.post("/settings/", GOOD)["Location"] == "/settings/"
        assert "You changed nothing." in client.get("/settings/").text
        assert client.get("/settings/check/")["Location"] == "/settings/"
        assert client.post("/settings/check/")["Location"] == "/settings/"

    @pytest.mark.parametrize("address", ["/settings/", "/settings/check/"])
    def test_are_for_administrators(self, cast, browse, two, address):
        for person in (cast.officer, cast.head):
            for answer in (browse(person).get(address), browse(person).post(address, GOOD)):
                assert answer.status_code == 403
                assert "Ask Adele Admin or admin" in answer.text
        assert browse().get(address)["Location"] == f"/sign-in/?next={address}"
        assert browse(cast.stranger, authority=two).get(address).status_code == 403


class TestTheColour:
    def test_is_ours_until_it_is_chosen(self, browse, one, cast, at):
        client = browse()
        first = client.get("/brand.css")
        assert first.text == ":root{--handrail-brand:#0d5257}\n"
        assert first["Content-Type"] == "text/css"
        again = client.get("/brand.css", HTTP_IF_NONE_MATCH=first["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        with inside(one):
            change_settings(to=chosen(brand_colour="#7a1f3d"), by=cast.admin, at=at)
        changed = client.get("/brand.css", HTTP_IF_NONE_MATCH=first["ETag"])
        assert (changed.status_code, changed.text) == (200, ":root{--handrail-brand:#7a1f3d}\n")

    def test_is_each_authoritys_own(self, browse, one, two, cast, at):
        with inside(one):
            change_settings(to=chosen(brand_colour="#7a1f3d"), by=cast.admin, at=at)
        assert "#0d5257" in browse(authority=two).get("/brand.css").text

    def test_costs_one_question_besides_the_sessions(self, browse, cast, django_assert_num_queries):
        client = browse(cast.head)
        client.get("/brand.css")
        with django_assert_num_queries(2):
            client.get("/brand.css")

    def test_is_asked_for_by_every_page(self, browse):
        assert '<link rel="stylesheet" href="/brand.css">' in browse().get("/help/").text
