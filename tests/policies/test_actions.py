"""What may be written about policies, and what may not."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connections
from factories import PolicyFactory, SchoolFactory, recorded_policy

from handrail.core.audit import CLOCK
from handrail.core.documents import keep
from handrail.core.file_kinds import PDF
from handrail.core.models import AuditEntry, AuthoritySettings
from handrail.policies import actions
from handrail.policies.communications import record_communication, told_of
from handrail.policies.models import SCHOOL_KINDS, Kind, Policy, PolicyReview, PolicyVersion
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db
Outcome = PolicyReview.Outcome
DAY = timedelta(days=1)


@pytest.fixture
def policy(one, cast):
    """Oak School's medical conditions policy, of which nothing has been recorded."""
    with inside(one):
        return PolicyFactory(school=cast.oak)


@pytest.fixture
def document(one, cast, at, settings, tmp_path):
    settings.DOCUMENT_STORE = tmp_path
    with inside(one):
        return keep(io.BytesIO(b"%PDF-"), name="Policy.pdf", content_type=PDF, by=cast.head, at=at)


def audited():
    return list(AuditEntry.objects.order_by("at").values_list("verb", flat=True))


class TestOpenPolicies:
    def test_opens_three_for_every_open_school_and_one_for_the_authority(self, one, on, at):
        with inside(one):
            SchoolFactory()
            SchoolFactory(body="independent_school")
            SchoolFactory(closed_on=on)
            SchoolFactory(closed_on=on + DAY)
            assert actions.open_policies(on=on, at=at) == 3 * 3 + 1
            assert Policy.objects.filter(school=None).get().kind == Kind.SECTION_19
            found = Policy.objects.exclude(school=None).values_list("school_id", "kind")
            assert len(found) == 9
            assert {kind for _school, kind in found} == set(SCHOOL_KINDS)
            assert "opened policies" in audited()

    def test_opens_only_what_is_missing(self, one, policy, on, at):
        with inside(one):
            assert actions.open_policies(on=on, at=at) == 2 + 3 + 1
            assert actions.open_policies(on=on, at=at) == 0
            assert audited().count("opened policies") == 1

    def test_leaves_the_other_authority_alone(self, one, two, cast, on, at):
        with inside(one):
            actions.open_policies(on=on, at=at)
        with inside(two):
            assert not Policy.objects.exists()

    def test_is_one_statement_however_many_schools_there_are(self, one, on, at, django_assert_num_queries):
        with inside(one):
            SchoolFactory.create_batch(20)
            with django_assert_num_queries(2):  # the policies, and their one line of audit
                actions.open_policies(on=on, at=at)


class TestRecordReview:
    def test_without_a_change_moves_the_dates_and_begins_a_version(self, one, policy, review, cast, at, on):
        with inside(one):
            made, is_new = review(policy, involved=["staff", "parents"], published_url="https://oak.example/policy")
            policy.refresh_from_db()
            assert is_new
            assert (policy.last_reviewed_on, policy.next_review_on) == (on, date(2027, 11, 23))
            assert policy.published_url == "https://oak.example/policy"
            assert (made.involved, made.next_review_on) == (["staff", "parents"], date(2027, 11, 23))
            assert (made.recorded_by, made.recorded_by_name, made.recorded_at) == (cast.head.id, "Hana Head", at)
            assert (made.version.number, made.version.published_url) == (1, "https://oak.example/policy")
            entry = AuditEntry.objects.get(verb="recorded a review")
            assert (entry.by, entry.school_id, entry.subject_id) == (cast.head.id, cast.oak.id, policy.id)

    def test_without_a_change_keeps_the_version_there_is(self, one, policy, review, on):
        with inside(one):
            first, _ = review(policy, reviewed_on=on - 365 * DAY, outcome=Outcome.NEW)
            second, _ = review(policy)
            assert second.version == first.version

    @pytest.mark.parametrize("outcome", [Outcome.UPDATED, Outcome.NEW])
    def test_with_a_change_makes_a_new_version(self, one, policy, review, document, on, outcome):
        with inside(one):
            review(policy, reviewed_on=on - 365 * DAY)
            made, _ = review(policy, outcome=outcome, changed="Who is trained.", document=document)
            assert [(each.number, each.is_current) for each in policy.versions.all()] == [(2, True), (1, False)]
            assert (made.version.number, made.version.change_note) == (2, "Who is trained.")
            assert made.version.document == document

    def test_still_in_progress_moves_no_date_and_makes_no_version(self, one, cast, review, on):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on + 5 * DAY)
            before = Policy.objects.filter(id=policy.id).values().get()
            made, is_new = review(policy, outcome=Outcome.IN_PROGRESS)
            assert is_new
            assert (made.version, made.next_review_on) == (None, None)
            assert Policy.objects.filter(id=policy.id).values().get() == before
            assert not PolicyVersion.objects.exists()

    def test_changes_nothing_the_second_time(self, one, policy, review, document, on):
        with inside(one):
            first, _ = review(policy, outcome=Outcome.UPDATED, changed="Who is trained.")
            before = Policy.objects.values().get(), PolicyVersion.objects.values().get(), audited()
            second, is_new = review(
                policy, outcome=Outcome.UPDATED, changed="Something else.", document=document, next_review_on=on + DAY
            )
            assert (second, is_new) == (first, False)
            assert (Policy.objects.values().get(), PolicyVersion.objects.values().get(), audited()) == before

    def test_takes_another_outcome_of_the_same_day(self, one, policy, review):
        with inside(one):
            assert review(policy, outcome=Outcome.IN_PROGRESS)[1]
            assert review(policy, outcome=Outcome.UPDATED)[1]

    def test_refuses_a_future_date(self, one, policy, review, on):
        with inside(one):
            with pytest.raises(actions.ReviewInFuture, match="Date of review must be today or in the past"):
                review(policy, reviewed_on=on + DAY)
            assert not PolicyReview.objects.exists()

    def test_takes_the_day_it_is_in_england(self, one, policy, review):
        half_past_midnight_in_summer = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
        with inside(one):
            assert review(policy, at=half_past_midnight_in_summer, reviewed_on=date(2026, 7, 2))[1]

    def test_refuses_a_date_before_the_last_review(self, one, policy, review, on):
        with inside(one):
            review(policy, reviewed_on=on - DAY)
            for outcome in (Outcome.UPDATED, Outcome.IN_PROGRESS):
                with pytest.raises(actions.ReviewBeforeLast):
                    review(policy, reviewed_on=on - 2 * DAY, outcome=outcome)
            assert review(policy, reviewed_on=on - DAY, outcome=Outcome.UPDATED)[1]

    def test_uses_the_authoritys_months(self, one, policy, review):
        with inside(one):
            AuthoritySettings.objects.create(review_months=24)
            assert review(policy)[0].next_review_on == date(2028, 11, 23)

    def test_takes_another_next_date(self, one, policy, review, on):
        with inside(one):
            assert review(policy, next_review_on=date(2029, 11, 23))[0].next_review_on == date(2029, 11, 23)

    @pytest.mark.parametrize(
        ("asked", "refusal"),
        [
            (date(2026, 11, 23), actions.NextReviewNotAfterReview),
            (date(2025, 11, 23), actions.NextReviewNotAfterReview),
            (date(2029, 11, 24), actions.NextReviewTooLate),
        ],
    )
    def test_refuses_a_next_date_that_is_no_cycle(self, one, policy, review, asked, refusal):
        with inside(one):
            with pytest.raises(refusal):
                review(policy, next_review_on=asked)
            policy.refresh_from_db()
            assert policy.last_reviewed_on is None
            assert not PolicyVersion.objects.exists()

    @pytest.mark.parametrize(
        ("asked", "months", "expected"),
        [
            (None, 12, date(2027, 11, 23)),
            (None, 36, date(2027, 11, 23)),
            (None, 6, date(2027, 5, 23)),
            (date(2027, 11, 24), 12, date(2027, 11, 23)),
            (date(2040, 1, 1), 12, date(2027, 11, 23)),
            (date(2027, 3, 1), 12, date(2027, 3, 1)),
        ],
    )
    def test_never_leaves_allergy_safety_for_more_than_a_year(self, one, cast, review, asked, months, expected):
        with inside(one):
            AuthoritySettings.objects.create(review_months=months)
            policy = PolicyFactory(school=cast.oak, kind=Kind.ALLERGY_SAFETY)
            assert review(policy, next_review_on=asked)[0].next_review_on == expected

    def test_leaves_the_published_address_unless_given(self, one, policy, review, on):
        with inside(one):
            review(policy, reviewed_on=on - 2 * DAY, published_url="https://oak.example/policy")
            made, _ = review(policy, reviewed_on=on - DAY)
            assert made.version.published_url == "https://oak.example/policy"
            review(policy, published_url="")
            policy.refresh_from_db()
            assert policy.published_url == ""

    def test_puts_a_document_into_an_empty_place_and_never_over_another(self, one, policy, review, document, on):
        with inside(one):
            first, _ = review(policy, reviewed_on=on - 2 * DAY)
            second, _ = review(policy, reviewed_on=on - DAY, document=document)
            assert second.version == first.version
            assert PolicyVersion.objects.get().document == document
            third, _ = review(policy, document=document)
            assert third.version.number == 2
            assert PolicyVersion.objects.filter(number=1, document=document, is_current=False).exists()

    @pytest.mark.parametrize(
        ("outcome", "still_inherited"),
        [(Outcome.NO_CHANGE, True), (Outcome.UPDATED, True), (Outcome.IN_PROGRESS, True), (Outcome.NEW, False)],
    )
    def test_only_a_new_policy_is_no_longer_inherited(self, one, cast, review, outcome, still_inherited):
        with inside(one):
            policy = PolicyFactory(school=cast.oak, is_inherited=True)
            review(policy, outcome=outcome)
            policy.refresh_from_db()
            assert policy.is_inherited == still_inherited


class TestTwoAtOnce:
    @pytest.mark.django_db(transaction=True)
    def test_record_one_review(self, one, policy, review):
        ready = Barrier(2)

        def tap(_number):
            try:
                ready.wait(timeout=60)
                with inside(one):
                    return review(policy, outcome=Outcome.UPDATED)[1]
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as two_taps:
            assert sorted(two_taps.map(tap, range(2))) == [False, True]
        with inside(one):
            assert PolicyReview.objects.count() == PolicyVersion.objects.count() == 1


class TestApproveVersion:
    @pytest.fixture
    def approve(self, cast, at, on):
        def record(policy, **more):
            approval = {"approved_by": "Governing body", "approved_on": on, "minute_reference": "7.2", **more}
            return actions.approve_version(policy=policy, by=cast.head, at=at, **approval)

        return record

    def test_records_who_approved_the_current_version(self, one, policy, review, approve, on):
        with inside(one):
            review(policy, reviewed_on=on - DAY)
            review(policy, outcome=Outcome.UPDATED)
            version = approve(policy)
            assert (version.number, version.approved_by, version.approved_on) == (2, "Governing body", on)
            approve(policy)
            assert audited().count("recorded an approval") == 1
            assert approve(policy, minute_reference="7.3").minute_reference == "7.3"

    def test_refuses_a_future_date(self, one, policy, review, approve, on):
        with inside(one):
            review(policy)
            with pytest.raises(actions.ApprovalInFuture):
                approve(policy, approved_on=on + DAY)

    def test_refuses_what_nobody_has_recorded(self, one, policy, approve):
        with inside(one), pytest.raises(actions.NothingToApprove):
            approve(policy)

    def test_makes_an_inherited_policy_the_schools_own(self, one, cast, approve, on):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on + 100 * DAY, is_inherited=True)
            assert approve(policy).number == 1
            policy.refresh_from_db()
            assert not policy.is_inherited


class TestDetails:
    def test_names_who_is_responsible(self, one, policy, cast, at):
        with inside(one):
            people = {"lead_name": "Lee Lead", "lead_email": "lee@oak.example", "link_governor": "Gil Governor"}
            actions.set_details(policy=policy, by=cast.head, at=at, **people)
            actions.set_details(policy=policy, by=cast.head, at=at, **people)
            policy.refresh_from_db()
            assert (policy.lead_name, policy.lead_email, policy.link_governor) == tuple(people.values())
            assert AuditEntry.objects.get(subject_kind="policy").fields == list(people)

    def test_says_where_it_is_published(self, one, policy, review, cast, at):
        with inside(one):
            review(policy)
            for _ in range(2):
                actions.publish(policy=policy, by=cast.head, at=at, published_url="https://oak.example/policy")
            assert policy.versions.get().published_url == "https://oak.example/policy"
            assert audited().count("changed where a policy is published") == 1


class TestNotNeeded:
    def test_is_decided_with_a_reason_and_taken_back(self, one, cast, at, on):
        with inside(one):
            policy = recorded_policy(cast.oak, next_review_on=on)
            actions.decide_not_needed(policy=policy, by=cast.officer, at=at, reason=" No pupils on site. ")
            policy.refresh_from_db()
            assert (policy.not_needed_reason, policy.is_needed) == ("No pupils on site.", False)
            actions.needed_again(policy=policy, by=cast.officer, at=at)
            policy.refresh_from_db()
            assert (policy.is_needed, policy.next_review_on) == (True, on)

    def test_refuses_to_decide_without_a_reason(self, one, policy, cast, at):
        with inside(one), pytest.raises(actions.ReasonMissing):
            actions.decide_not_needed(policy=policy, by=cast.officer, at=at, reason="  ")


class TestInheritHistory:
    @pytest.fixture
    def carry(self, one, cast, on, at):
        def carry_over():
            return actions.inherit_history(predecessor=cast.oak.id, successor=cast.elm.id, by=CLOCK, on=on, at=at)

        return carry_over

    def test_carries_dates_people_and_the_document_and_leaves_the_old_school_its_own(
        self, one, cast, review, document, carry, on
    ):
        with inside(one):
            old = PolicyFactory(school=cast.oak, lead_name="Lee Lead", lead_email="lee@oak.example")
            review(old, outcome=Outcome.NEW, document=document, published_url="https://oak.example/policy")
            before = Policy.objects.filter(id=old.id).values().get(), old.reviews.count(), old.versions.count()
            assert carry() == 1
            new = Policy.objects.get(school=cast.elm, kind=old.kind)
            assert (new.last_reviewed_on, new.next_review_on) == (on, date(2027, 11, 23))
            assert (new.lead_name, new.lead_email) == ("Lee Lead", "lee@oak.example")
            assert (new.published_url, new.is_inherited) == ("https://oak.example/policy", True)
            version = new.versions.get()
            assert (version.document, version.approved_by, version.is_current) == (document, "", True)
            assert (
                Policy.objects.filter(id=old.id).values().get(),
                old.reviews.count(),
                old.versions.count(),
            ) == before
            assert not Policy.objects.exclude(id=new.id).filter(is_inherited=True).exists()

    def test_carries_whom_the_old_school_told_and_when(self, one, cast, on, at, review, carry):
        kind = {"kind": Kind.ALLERGY_SAFETY}
        with inside(one):
            old, new = PolicyFactory(school=cast.oak, **kind), PolicyFactory(school=cast.elm, **kind)
            about = {"policy": old, "how": "A letter", "by": cast.head, "at": at - timedelta(days=30)}
            record_communication(audiences=["pupils", "workers"], told_on=on - timedelta(days=40), **about)
            assert carry() == 0, "nobody had reviewed it"
            carry()
            told = told_of(new, on=on, settings=AuthoritySettings())
            assert [each.last and (each.last.told_on, each.last.recorded_by_name) for each in told] == [
                (on - timedelta(days=40), "Hana Head"), None, (on - timedelta(days=40), "Hana Head"),
            ]  # fmt: skip
            assert {each.recorded_at for each in new.communications.all()} == {at}, "evidence of before tells nothing"
            assert (old.communications.count(), new.communications.count()) == (2, 2)
            [said] = AuditEntry.objects.filter(verb="carried policies over at a conversion")
            assert (said.school_id, said.fields) == (cast.elm.id, ["communications"])

    def test_changes_nothing_the_second_time(self, one, cast, review, carry):
        with inside(one):
            review(PolicyFactory(school=cast.oak))
            carry()
            before = list(Policy.objects.order_by("id").values()), PolicyVersion.objects.count(), audited()
            assert carry() == 0
            assert (list(Policy.objects.order_by("id").values()), PolicyVersion.objects.count(), audited()) == before

    def test_leaves_alone_what_the_new_school_recorded_itself(self, one, cast, review, carry, on):
        with inside(one):
            review(PolicyFactory(school=cast.oak), reviewed_on=on - 9 * DAY)
            own = PolicyFactory(school=cast.elm)
            review(own, reviewed_on=on - DAY)
            assert carry() == 0
            own.refresh_from_db()
            assert (own.last_reviewed_on, own.is_inherited) == (on - DAY, False)

    def test_carries_nothing_where_nothing_was_recorded(self, one, cast, carry):
        with inside(one):
            PolicyFactory(school=cast.oak, lead_name="Lee Lead")
            assert carry() == 0
            assert School.objects.filter(policies__is_inherited=True).count() == 0
