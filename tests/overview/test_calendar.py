"""The calendar that other programs fetch: whose it is, what it tells, and that it tells nothing of a child."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from factories import PupilFactory, person, recorded_policy
from icalendar import Calendar

from handrail.accounts.actions import close_account, end_membership
from handrail.accounts.models import CalendarKey, Membership, User
from handrail.accounts.roles import Role
from handrail.accounts.second_step.actions import reset
from handrail.core.models import AuditEntry
from handrail.core.reference import reference
from handrail.plans.models import HealthcarePlan, Stage
from handrail.policies.models import Kind
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db
ADDRESS = re.compile(r"http://[^<\s]+/calendar\.ics\?key=[\w-]+")


@pytest.fixture
def address(browse):
    """Gives somebody a secret address, as their account page does."""

    def get(who):
        [found] = ADDRESS.findall(browse(who).post("/account/calendar/").content.decode())
        return found.partition("testserver")[2] or "/" + found.split("/", 3)[3]

    return get


@pytest.fixture
def fetch(one):
    def get(path, *, authority=one):
        return Client(HTTP_HOST=authority.host).get(path)

    return get


def events(answer):
    assert answer.status_code == 200, answer.status_code
    return Calendar.from_ical(answer.content).walk("VEVENT")


def words(answer):
    return [str(each["SUMMARY"]) for each in events(answer)]


@pytest.fixture
def plan(cast, one, on):
    with inside(one):
        pupil = PupilFactory(school=cast.oak, name="Poppy Canarywright")
        return HealthcarePlan.objects.create(pupil=pupil, stage=Stage.ACTIVE, due_on=on + timedelta(days=9))


class TestWhatItTells:
    def test_policies_by_name_and_plans_by_reference(self, cast, one, on, address, fetch, plan):
        with inside(one):
            recorded_policy(cast.oak, next_review_on=on + timedelta(days=5))
            recorded_policy(cast.elm, next_review_on=on)
        answer = fetch(address(cast.head))
        assert answer["Content-Type"] == "text/calendar"
        first, second = events(answer)
        assert str(first["SUMMARY"]) == "Review the medical conditions policy of Oak School"
        assert str(second["SUMMARY"]) == f"A review is due. Reference {reference(plan.id)}. Sign in."
        assert second["DTSTART"].dt == plan.due_on
        assert second["DTEND"].dt == plan.due_on + timedelta(days=1)
        assert str(second["URL"]) == f"http://{one.host}/items/{reference(plan.id)}/"
        for secret in ("Poppy", "Canary", str(plan.id), str(plan.pupil_id)):
            assert secret not in answer.content.decode()

    def test_the_same_id_when_the_day_moves(self, cast, one, address, fetch, plan):
        path = address(cast.head)
        [before] = events(fetch(path))
        with inside(one):
            HealthcarePlan.objects.update(due_on=plan.due_on + timedelta(days=300))
        [after] = events(fetch(path))
        assert (before["UID"], before["DTSTART"].dt) != (after["UID"], after["DTSTART"].dt)
        assert before["UID"] == after["UID"]

    def test_a_coordinated_plan_to_its_coordinator_alone(self, cast, one, on, address, fetch, plan):
        with inside(one):
            HealthcarePlan.objects.update(coordinator=cast.colleague)
        assert len(events(fetch(address(cast.colleague)))) == 1
        assert events(fetch(address(cast.head))) == []
        with inside(one):
            Membership.objects.filter(user=cast.colleague).update(to_on=on)
        assert len(events(fetch(address(cast.head)))) == 1

    def test_no_plan_to_those_who_see_none(self, cast, one, address, fetch, plan):
        with inside(one):
            office = person("office@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
        for who in (office, cast.officer, cast.neighbour):
            assert events(fetch(address(who))) == []

    def test_no_child_who_has_left_and_no_plan_on_its_way(self, cast, one, on, address, fetch, plan):
        path = address(cast.head)
        with inside(one):
            HealthcarePlan.objects.update(stage=Stage.DRAFT)
        assert events(fetch(path)) == []
        with inside(one):
            HealthcarePlan.objects.update(stage=Stage.ACTIVE)
            Pupil.objects.filter(id=plan.pupil_id).update(left_on=on)
        assert events(fetch(path)) == []

    def test_the_authoritys_own_policy_to_who_keeps_it(self, cast, one, on, address, fetch):
        with inside(one):
            recorded_policy(None, kind=Kind.SECTION_19, next_review_on=on)
            recorded_policy(cast.oak, next_review_on=on)
        assert words(fetch(address(cast.officer))) == ["Review the section 19 policy"]
        assert words(fetch(address(cast.neighbour))) == []


class TestWhoseItIs:
    def test_nobodys_without_the_key(self, cast, address, fetch):
        address(cast.head)
        for path in ("/calendar.ics", "/calendar.ics?key=", "/calendar.ics?key=guess"):
            assert fetch(path).status_code == 404

    def test_worthless_at_another_authority(self, cast, two, address, fetch):
        path = address(cast.head)
        assert fetch(path).status_code == 200
        assert fetch(path, authority=two).status_code == 404

    @pytest.mark.parametrize("ended", ["role", "account"])
    def test_ends_with_the_role(self, cast, one, on, address, fetch, ended):
        path = address(cast.head)
        with inside(one):
            if ended == "role":
                Membership.objects.filter(user=cast.head).update(to_on=on)
            else:
                User.objects.filter(id=cast.head.id).update(is_active=False)
        assert fetch(path).status_code == 404

    @pytest.mark.parametrize("how", ["password", "reset", "last role", "account"])
    def test_ends_with_what_its_owner_signs_in_with_and_when_they_leave(
        self, cast, one, at, browse, address, fetch, how
    ):
        path, of_another = address(cast.head), address(cast.colleague)
        if how == "password":
            with inside(one):
                cast.head.set_password("horse battery staple, correct")
                cast.head.save()
            client = browse(cast.head)
            words = {"oldpassword": "horse battery staple, correct", "password1": "another long staple, correct"}
            assert client.post("/account/password/", words).status_code == 302
        with inside(one):
            if how == "reset":
                reset(user=cast.head, by=cast.admin, at=at)
            elif how == "last role":
                end_membership(membership=Membership.objects.get(user=cast.head), by=cast.admin, at=at)
            elif how == "account":
                close_account(user=cast.head, by=cast.admin, at=at)
        with inside(one):
            assert not CalendarKey.objects.filter(user=cast.head).exists()
            entry = AuditEntry.objects.get(verb="stopped a calendar address")
            assert entry.by == (cast.head.id if how == "password" else cast.admin.id)
        assert [fetch(each).status_code for each in (path, of_another)] == [404, 200]

    def test_a_new_one_takes_the_place_of_the_old(self, cast, address, fetch):
        old, new = address(cast.head), address(cast.head)
        assert (fetch(old).status_code, fetch(new).status_code) == (404, 200)

    def test_can_be_stopped(self, cast, one, browse, address, fetch):
        path = address(cast.head)
        browse(cast.head).post("/account/calendar/stop/")
        assert fetch(path).status_code == 404
        with inside(one):
            verbs = AuditEntry.objects.filter(subject_id=cast.head.id).order_by("at").values_list("verb", flat=True)
            assert set(verbs) >= {"made a calendar address", "stopped a calendar address"}

    def test_is_kept_as_a_digest_and_shown_once(self, cast, one, browse, address):
        key = address(cast.head).partition("key=")[2]
        with inside(one):
            assert key not in repr(CalendarKey.objects.values().get())
        assert key not in browse(cast.head).get("/account/calendar/").content.decode()

    def test_the_key_is_in_no_log(self, cast, two, address, fetch, caplog):
        path = address(cast.head)
        key = path.partition("key=")[2]
        fetch(path, authority=two)
        assert key not in caplog.text
