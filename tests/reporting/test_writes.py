"""What programs write: what comes of it, that the same again changes nothing, and every refusal."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from factories import PupilFactory, recorded_policy

from handrail.absences.models import SicknessReturn
from handrail.core.calendar import day_of
from handrail.core.models import AuditEntry
from handrail.handovers.onward import send_on
from handrail.plans.models import HealthcarePlan, PlanReview
from handrail.policies.models import Policy, PolicyReview
from handrail.reporting.models import Scope
from handrail.reporting.writes import WRITES
from handrail.schools.models import Pupil
from tenants.context import inside

pytestmark = pytest.mark.django_db

UPN = "B801200005001"
NAME = "Poppy Canarywright"
PATHS = {f"/api/v1/{name}": fact.scope for name, fact in WRITES.items()}
TODAY = day_of(timezone.now())


def day(ago):
    return (TODAY - timedelta(days=ago)).isoformat()


POLICY = {"urn": "900001", "kind": "medical_conditions", "reviewed_on": day(2), "outcome": "no_change"}
PLAN = {"urn": "900001", "upn": UPN, "reviewed_on": day(2), "outcome": "no_change"}
RETURN = {"urn": "900001", "upn": UPN, "first_on": day(3), "is_likely": True, "address": "1 High Street"}
BODIES = {"/api/v1/policy-reviews": POLICY, "/api/v1/plan-reviews": PLAN, "/api/v1/sickness-returns": RETURN}


@pytest.fixture
def poppy(cast, one):
    """A child with an active plan, at a school with a policy."""
    with inside(one):
        child = PupilFactory(school=cast.oak, name=NAME, upn=UPN)
        HealthcarePlan.objects.create(pupil=child, stage="active", due_on=TODAY + timedelta(days=20))
        recorded_policy(cast.oak, next_review_on=TODAY + timedelta(days=9))
    return child


@pytest.fixture
def send(one, key_of):
    """`send(path, body)` sends it as JSON with a key to that alone; gives the status and what is said."""

    def ask(path, body, *, key=None, authority=None, content_type="application/json"):
        secret = key_of(PATHS[path])[1] if key is None else key
        client = Client(HTTP_HOST=(authority or one).host, raise_request_exception=False)
        text = body if isinstance(body, bytes | str) else json.dumps(body)
        answer = client.post(path, text, content_type=content_type, headers={"Authorization": f"Bearer {secret}"})
        return answer.status_code, json.loads(answer.content)

    return ask


def wrong(answer):
    """The one thing that a refusal says, which repeats nothing that was sent."""
    status, said = answer
    assert status == 400, said
    assert UPN not in json.dumps(said)
    assert "Canary" not in json.dumps(said)
    [error] = said["errors"]
    assert error["detail"].endswith(".")
    return error["code"], error["pointer"]


class TestAFact:
    def test_about_a_policy_is_written_once(self, poppy, one, cast, send):
        body = POLICY | {"outcome": "updated", "changed": "Who is trained", "published_url": "https://oak.example/p"}
        status, said = send("/api/v1/policy-reviews", body)
        due = said["data"]["next_review_on"]
        assert (status, said["data"]["result"]) == (201, "made")
        assert send("/api/v1/policy-reviews", body)[0] == 200
        assert send("/api/v1/policy-reviews", body)[1]["data"] == {"result": "unchanged", "next_review_on": due}
        with inside(one):
            [review] = PolicyReview.objects.all()
            policy = Policy.objects.get(school=cast.oak)
            assert (review.changed, str(policy.next_review_on)) == ("Who is trained", due)
            assert policy.published_url == "https://oak.example/p"
            [entry] = AuditEntry.objects.filter(verb="recorded a review")
            assert (entry.by, entry.by_name, entry.role, entry.school_id) == (
                cast.admin.id,
                "Power BI, with a key of Adele Admin",
                "key",
                cast.oak.id,
            )

    def test_of_the_authoritys_own_policy_has_no_urn(self, poppy, one, send):
        body = {"kind": "section_19", "reviewed_on": day(1), "outcome": "new"}
        assert wrong(send("/api/v1/policy-reviews", body)) == ("not_found", "/urn")
        with inside(one):
            Policy.objects.create(school=None, kind="section_19")
        assert send("/api/v1/policy-reviews", body)[0] == 201

    def test_about_a_plan_is_written_once(self, poppy, one, cast, send):
        sooner = (TODAY + timedelta(days=100)).isoformat()
        body = PLAN | {"next_review_on": sooner}
        assert send("/api/v1/plan-reviews", body)[1]["data"] == {"result": "made", "next_review_on": sooner}
        assert send("/api/v1/plan-reviews", body)[1]["data"]["result"] == "unchanged"
        with inside(one):
            assert str(HealthcarePlan.objects.get(pupil=poppy).due_on) == sooner
            assert PlanReview.objects.get().recorded_by_name == "Power BI, with a key of Adele Admin"
            assert AuditEntry.objects.get(verb="reviewed a plan").role == "key"

    def test_of_a_return_asks_while_nobody_has_said_where_the_child_lives(self, poppy, one, send):
        path = "/api/v1/sickness-returns"
        with inside(one):
            Pupil.objects.update(lives_in="")
        assert wrong(send(path, RETURN)) == ("refused", "/lives_in")
        assert send(path, RETURN | {"lives_in": "001"})[0] == 201
        assert send(path, RETURN)[1]["data"]["result"] == "unchanged", "it was said"

    def test_of_a_return_is_made_then_changed_then_left(self, poppy, one, cast, send):
        path = "/api/v1/sickness-returns"
        more = RETURN | {"category": "physical", "expected_on": day(-3), "wants_help": True, "lives_in": "002"}
        assert send(path, more) == (201, {"data": {"result": "made", "next_review_on": None}} | {"meta": ANY})
        assert send(path, more)[1]["data"]["result"] == "unchanged"
        assert send(path, more | {"last_on": day(1), "until_am": True})[1]["data"]["result"] == "changed"
        with inside(one):
            made = SicknessReturn.objects.get()
            assert (str(made.last_on), made.until_am, made.lives_in) == (day(1), True, "002")
            send_on(at=timezone.now())
            assert made.onward.get().way == "out"
            assert made.says == {
                "address": "1 High Street",
                "category": "physical",
                "expected_on": day(-3),
                "wants_help": "yes",
            }
            verbs = AuditEntry.objects.filter(subject_id=made.id).order_by("written_at").values_list("verb", "role")
            assert list(verbs) == [("made a sickness return", "key"), ("changed a sickness return", "key")]

    def test_may_have_its_number_typed_with_spaces(self, poppy, send):
        assert send("/api/v1/sickness-returns", RETURN | {"upn": " b801 2000 05001 "})[0] == 201


class Anything:
    def __eq__(self, other):
        return True

    __hash__ = None


ANY = Anything()


class TestARefusal:
    @pytest.mark.parametrize(
        ("path", "more", "found"),
        [
            ("policy-reviews", {"urn": "900099"}, ("not_found", "/urn")),
            ("policy-reviews", {"reviewed_on": day(-5)}, ("refused", "/reviewed_on")),
            ("policy-reviews", {"next_review_on": day(3)}, ("refused", "/next_review_on")),
            ("policy-reviews", {"next_review_on": day(-9000)}, ("refused", "/next_review_on")),
            ("policy-reviews", {"published_url": "javascript:alert(1)"}, ("refused", "/published_url")),
            ("policy-reviews", {"outcome": "updated"}, ("missing", "/changed")),
            ("policy-reviews", {"outcome": "asked"}, ("invalid_value", "/outcome")),
            ("policy-reviews", {"kind": "section_19"}, ("not_found", "/urn")),
            ("policy-reviews", {"changed": "a\x00b"}, ("invalid_value", "/changed")),
            ("policy-reviews", {"changed": "\ud800"}, ("invalid_value", "/changed")),
            ("policy-reviews", {"changed": "x" * 8192}, ("invalid_value", "/changed")),
            ("policy-reviews", {"urn": 900001}, ("invalid_value", "/urn")),
            ("policy-reviews", {"reviewed_on": "23/11/2026"}, ("invalid_value", "/reviewed_on")),
            ("policy-reviews", {"reviewed_on": "2026-W48-1"}, ("invalid_value", "/reviewed_on")),
            ("policy-reviews", {"reviewed_on": "0001-01-01"}, ("invalid_value", "/reviewed_on")),
            ("policy-reviews", {"next_review_on": "9999-12-31"}, ("invalid_value", "/next_review_on")),
            ("policy-reviews", {"reviewed_on": None}, ("invalid_value", "/reviewed_on")),
            ("policy-reviews", {"colour": "blue"}, ("unknown_field", "/colour")),
            ("policy-reviews", {"made_by": "x"}, ("unknown_field", "/made_by")),
            ("plan-reviews", {"upn": "C123456789012"}, ("invalid_value", "/upn")),
            ("plan-reviews", {"upn": "A801200005000"}, ("invalid_value", "/upn")),
            ("plan-reviews", {"upn": "B801200005001", "urn": "900002"}, ("not_found", "/upn")),
            ("plan-reviews", {"reviewed_on": day(-5)}, ("refused", "/reviewed_on")),
            ("plan-reviews", {"next_review_on": day(-400)}, ("refused", "/next_review_on")),
            ("plan-reviews", {"outcome": "left"}, ("invalid_value", "/outcome")),
            ("sickness-returns", {"urn": "900002"}, ("not_found", "/upn")),
            ("sickness-returns", {"is_likely": "yes"}, ("invalid_value", "/is_likely")),
            ("sickness-returns", {"address": ""}, ("invalid_value", "/address")),
            ("sickness-returns", {"first_on": day(500)}, ("refused", "/first_on")),
            ("sickness-returns", {"last_on": day(9)}, ("refused", "/last_on")),
            ("sickness-returns", {"until_am": True}, ("missing", "/last_on")),
            ("sickness-returns", {"lives_in": "999"}, ("not_found", "/lives_in")),
        ],
    )
    def test_names_the_field_and_writes_nothing(self, poppy, one, send, path, more, found):
        path = f"/api/v1/{path}"
        assert wrong(send(path, BODIES[path] | more)) == found
        with inside(one):
            assert not (PolicyReview.objects.exists() or PlanReview.objects.exists() or SicknessReturn.objects.exists())

    @pytest.mark.parametrize("path", PATHS)
    def test_has_a_parameter_in_its_address(self, poppy, one, path, key_of):
        client = Client(HTTP_HOST=one.host, headers={"Authorization": f"Bearer {key_of(PATHS[path])[1]}"})

        def answer(asked):
            got = client.post(path + asked, json.dumps(BODIES[path]), content_type="application/json")
            return got.status_code, json.loads(got.content)

        assert wrong(answer("?urn=900001")) == ("unknown_parameter", "/urn")
        assert answer("")[0] == 201

    def test_names_everything_that_is_missing(self, poppy, send):
        status, said = send("/api/v1/sickness-returns", {})
        assert status == 400
        assert [each["pointer"] for each in said["errors"]] == ["/urn", "/upn", "/first_on", "/is_likely", "/address"]
        assert {each["code"] for each in said["errors"]} == {"missing"}

    @pytest.mark.parametrize(
        "body", ["", "{", "[]", '"x"', "NaN", '{"urn": NaN}', "[" * 30_000, b"\xff\xfe\x00", " " * (1 << 16) + "{}"]
    )
    def test_is_given_what_is_no_object(self, cast, send, body):
        status, said = send("/api/v1/policy-reviews", body)
        assert (status, said["status"]) == (400, 400)

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-thing", "multipart/form-data; boundary=x", "a/b"])
    def test_is_given_another_form(self, cast, send, kind):
        status, said = send("/api/v1/policy-reviews", POLICY, content_type=kind)
        assert (status, said["status"]) == (415, 415)

    @pytest.mark.parametrize("path", PATHS)
    def test_is_to_be_told_in_another_form_than_json(self, poppy, one, key_of, path):
        client, secret = Client(HTTP_HOST=one.host), key_of(PATHS[path])[1]
        headers = {"Authorization": f"Bearer {secret}", "Accept": "text/csv"}
        answer = client.post(path, json.dumps(POLICY), content_type="application/json", headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")
        assert json.loads(answer.content)["detail"] == "This address gives application/json. Accept that."
        with inside(one):
            assert not PolicyReview.objects.exists()

    def test_tells_nothing_of_a_plan_that_is_not_active(self, poppy, one, send):
        path = "/api/v1/plan-reviews"
        with inside(one):
            HealthcarePlan.objects.update(stage="closed", due_on=None)
        closed = send(path, PLAN)
        assert wrong(closed) == ("not_found", "/upn")
        assert closed[1]["errors"] == send(path, PLAN | {"urn": "900002"})[1]["errors"]

    def test_of_days_in_another_return_tells_nothing_of_that(self, poppy, send):
        path = "/api/v1/sickness-returns"
        assert send(path, RETURN | {"first_on": day(20)})[0] == 201
        status, said = send(path, RETURN)
        assert wrong((status, said)) == ("refused", "/first_on")
        assert not any(character.isdigit() for character in said["errors"][0]["detail"])

    def test_of_another_half_of_the_first_day(self, poppy, send):
        path = "/api/v1/sickness-returns"
        send(path, RETURN)
        assert wrong(send(path, RETURN | {"from_pm": True})) == ("refused", "/from_pm")

    def test_of_a_child_who_has_left_or_is_still_to_come(self, poppy, one, send):
        path = "/api/v1/sickness-returns"
        with inside(one):
            type(poppy).objects.filter(id=poppy.id).update(joined_on=TODAY + timedelta(days=9))
        assert wrong(send(path, RETURN)) == ("refused", "/upn")
        with inside(one):
            type(poppy).objects.filter(id=poppy.id).update(joined_on=TODAY - timedelta(9), left_on=TODAY)
        assert wrong(send(path, RETURN)) == ("not_found", "/upn")


class TestAKey:
    @pytest.mark.parametrize("path", PATHS)
    def test_needs_the_right_to_write_this(self, poppy, one, two, cast, send, key_of, path):
        others = [scope for scope in Scope if scope != PATHS[path]]
        status, said = send(path, BODIES[path], key=key_of(*others)[1])
        assert (status, PATHS[path].label in said["detail"]) == (403, True)
        assert send(path, BODIES[path], key="")[0] == 401
        assert send(path, BODIES[path], key=key_of(PATHS[path], days=-1)[1])[0] == 401
        assert send(path, BODIES[path], key=key_of(PATHS[path], authority=two, by=cast.stranger)[1])[0] == 401
        with inside(one):
            assert not (PolicyReview.objects.exists() or PlanReview.objects.exists() or SicknessReturn.objects.exists())

    def test_of_another_authority_finds_no_child_of_this(self, poppy, two, cast, send, key_of):
        key = key_of(Scope.WRITE_RETURNS, authority=two, by=cast.stranger)[1]
        assert wrong(send("/api/v1/sickness-returns", RETURN, key=key, authority=two)) == ("not_found", "/upn")
