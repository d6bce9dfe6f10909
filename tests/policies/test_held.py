"""What an authority held on file about policies: written for many at once, and taken back."""

from datetime import date, timedelta

import pytest
from factories import PolicyFactory, SchoolFactory

from handrail.core.models import AuditEntry
from handrail.policies import actions
from handrail.policies.held import Held, take_back_held, write_held
from handrail.policies.models import Kind, Policy, PolicyReview, PolicyVersion
from tenants.context import inside

pytestmark = pytest.mark.django_db

ADDRESS = "https://oak.example/policy"
REVIEWED_ON = date(2026, 1, 31)


@pytest.fixture
def other(one, cast, policies):
    """The same policy of the other school."""
    with inside(one):
        return Policy.objects.get(school=cast.elm, kind=Kind.MEDICAL_CONDITIONS)


@pytest.fixture
def write(cast, at):
    def run(**held):
        return write_held(
            {policy.id: Held(**facts) for policy, facts in held.pop("of").items()}, by=cast.officer, at=at
        )

    return run


@pytest.fixture
def take_back(cast, at):
    return lambda before: take_back_held(before, by=cast.officer, at=at)


def everything():
    return [sorted(map(str, model.objects.values_list())) for model in (Policy, PolicyVersion, PolicyReview)]


def entries():
    """What was written down about single policies."""
    return AuditEntry.objects.filter(subject_kind="policy").exclude(subject_id=None)


def verbs():
    return sorted(entries().values_list("verb", flat=True))


class TestWriteHeld:
    def test_begins_the_histories_of_many_policies(self, one, policy, other, cast, write):
        with inside(one):
            before = write(of={policy: {"reviewed_on": REVIEWED_ON, "published_url": ADDRESS}, other: {}})
            made = PolicyReview.objects.select_related("version", "policy").get()
            assert (made.id, made.policy) == (before[policy.id].review_id, policy)
            assert (made.outcome, made.changed) == ("new", "As held by the local authority.")
            assert (made.next_review_on, made.policy.next_review_on) == (date(2027, 1, 31),) * 2
            assert (made.version.number, made.version.is_current, made.version.published_url) == (1, True, ADDRESS)
            assert (made.policy.published_url, made.policy.last_reviewed_on) == (ADDRESS, REVIEWED_ON)
            assert before[other.id].review_id is None
            entry = entries().get()
            assert (entry.verb, entry.subject_id, entry.school_id) == ("recorded a review", policy.id, cast.oak.id)
            assert (entry.by, entry.fields) == (cast.officer.id, ["reviews"])

    def test_changes_nothing_the_second_time(self, one, policy, write):
        held = {policy: {"reviewed_on": REVIEWED_ON, "lead_name": "Lou", "published_url": ADDRESS}}
        with inside(one):
            write(of=held)
            first, told = everything(), verbs()
            assert write(of=held)[policy.id].review_id is None
            assert everything() == first
            assert verbs() == told == ["changed who is responsible for a policy", "recorded a review"]

    def test_follows_the_current_version_with_the_next_number(self, one, policy, review, write):
        with inside(one):
            review(policy, reviewed_on=date(2025, 5, 1))
            write(of={policy: {"reviewed_on": REVIEWED_ON}})
            assert list(policy.versions.values_list("number", "is_current")) == [(2, True), (1, False)]

    def test_sets_people_and_address_without_a_review(self, one, policy, other, review, write):
        with inside(one):
            review(policy)
            write(of={policy: {"published_url": ADDRESS}, other: {"lead_email": "lou@elm.example"}})
            assert policy.versions.get().published_url == Policy.objects.get(id=policy.id).published_url == ADDRESS
            assert Policy.objects.get(id=other.id).lead_email == "lou@elm.example"
            assert verbs()[:2] == ["changed where a policy is published", "changed who is responsible for a policy"]

    @pytest.mark.parametrize(
        ("wrong", "refusal"),
        [
            ({"reviewed_on": date(2026, 11, 24)}, actions.ReviewInFuture),
            ({"reviewed_on": date(2026, 11, 1)}, actions.ReviewBeforeLast),
            ({"published_url": "javascript:alert(1)"}, actions.NotAWebAddress),
        ],
    )
    def test_refuses_all_of_them_for_one_that_is_wrong(self, one, policy, other, review, write, on, wrong, refusal):
        with inside(one):
            review(other, reviewed_on=on - timedelta(days=1))
            before = everything()
            with pytest.raises(refusal):
                write(of={policy: {"reviewed_on": REVIEWED_ON}, other: wrong})
            assert everything() == before


class TestTakeBackHeld:
    def test_puts_back_what_was_there(self, one, policy, other, review, write, take_back):
        with inside(one):
            review(policy, reviewed_on=date(2025, 5, 1))
            before = everything()
            written = write(
                of={
                    policy: {"reviewed_on": REVIEWED_ON, "published_url": ADDRESS},
                    other: {"lead_name": "Lou", "published_url": ADDRESS},
                }
            )
            assert everything() != before
            assert take_back(written) == {policy.id: [], other.id: []}
            assert everything() == before

    def test_gives_back_that_a_policy_was_inherited(self, one, policy, write, take_back):
        with inside(one):
            Policy.objects.filter(id=policy.id).update(is_inherited=True)
            take_back(write(of={policy: {"reviewed_on": REVIEWED_ON}}))
            assert Policy.objects.get(id=policy.id).is_inherited

    def test_leaves_an_approved_review_and_what_somebody_has_changed(
        self, one, policy, other, cast, at, write, take_back
    ):
        held = {"reviewed_on": REVIEWED_ON, "lead_name": "Lou"}
        with inside(one):
            written = write(of={policy: held, other: held})
            actions.approve_version(policy=policy, by=cast.head, at=at, approved_by="Governors", approved_on=at.date())
            Policy.objects.filter(id=policy.id).update(lead_name="Lee")
            assert take_back(written) == {policy.id: ["reviewed_on", "lead_name"], other.id: []}
            kept, back = Policy.objects.get(id=policy.id), Policy.objects.get(id=other.id)
            assert (kept.last_reviewed_on, kept.lead_name) == (REVIEWED_ON, "Lee")
            assert (back.last_reviewed_on, back.lead_name) == (None, "")
            assert list(PolicyReview.objects.values_list("policy_id", flat=True)) == [policy.id]

    def test_takes_nothing_back_twice(self, one, policy, write, take_back):
        with inside(one):
            written = write(of={policy: {"reviewed_on": REVIEWED_ON}})
            take_back(written)
            before, told = everything(), verbs()
            take_back(written)
            assert (everything(), verbs()) == (before, told)


def test_asks_as_often_for_many_policies_as_for_one(one, cast, at, write, take_back, django_assert_num_queries):
    held = {"reviewed_on": REVIEWED_ON, "lead_name": "Lou", "published_url": ADDRESS}
    with inside(one):
        policies = [PolicyFactory(school=SchoolFactory(), kind=Kind.ALLERGY_SAFETY) for _ in range(40)]
        for some in (policies[:1], policies[1:]):
            with django_assert_num_queries(12):
                written = write(of=dict.fromkeys(some, held))
            with django_assert_num_queries(12):
                take_back(written)
