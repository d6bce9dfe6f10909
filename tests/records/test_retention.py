"""How long records are kept: what is past its time, two people who agree, and a command that deletes just that."""

import json
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from databases import connected, handrail, scratch
from factories import AT, NoticeFactory, PolicyFactory, SchoolFactory, person

from handrail.accounts.models import Membership, User
from handrail.accounts.roles import Role
from handrail.core.earlier import keep
from handrail.core.models import AuditEntry
from handrail.handovers.models import ErasedEnvelope, OnwardReturn
from handrail.notices.models import Notice, NoticeAttempt
from handrail.policies.models import PolicyReview, PolicyVersion
from handrail.records import actions
from handrail.records.models import Deletion, LegalHold
from handrail.records.retention import BY_KEY, counts
from handrail.schools.models import Pupil
from tenants.context import inside
from tenants.routing import authority_by_code

ON = AT.date()
BOUNDARY = ON.replace(year=ON.year - 25)
FROM_ELSEWHERE = {"way": "in", "reference": uuid4(), "other_role": "la_00000002", "other_name": "Borchester"}


def child(school, born_on, *, left_on=date(2018, 7, 20), **more):
    return Pupil.objects.create(
        school=school, name="A Child", born_on=born_on, joined_on=date(2010, 9, 1), left_on=left_on, **more
    )


def hold(pupil, *, by, lifted_at=None):
    return LegalHold.objects.create(
        pupil=pupil, reason="A claim", placed_at=AT, placed_by=by.id, placed_by_name=by.name, lifted_at=lifted_at
    )


@pytest.mark.django_db
class TestWhatIsPastItsTime:
    @pytest.mark.parametrize(
        ("born_on", "left_on", "past"),
        [
            (BOUNDARY - timedelta(days=1), date(2018, 7, 20), 1),
            (BOUNDARY, date(2018, 7, 20), 0),
            (BOUNDARY - timedelta(days=1), None, 0),
            (date(1990, 2, 28), ON, 1),
            (date(1990, 2, 28), ON + timedelta(days=1), 0),
        ],
    )
    def test_a_child_of_25_who_has_left(self, cast, one, born_on, left_on, past):
        with inside(one):
            child(cast.oak, born_on, left_on=left_on)
            assert counts(actions.periods(), on=ON)["children"] == past

    def test_but_not_under_legal_hold(self, cast, one):
        with inside(one):
            held = hold(child(cast.oak, date(1990, 1, 1)), by=cast.head)
            assert counts(actions.periods(), on=ON)["children"] == 0
            LegalHold.objects.filter(id=held.id).update(lifted_at=AT)
            assert counts(actions.periods(), on=ON)["children"] == 2, "the child, and the hold that was lifted"

    def test_a_superseded_version_and_its_reviews_but_never_the_newest(self, cast, one):
        def at(year):
            return datetime(year, 9, 1, 9, tzinfo=AT.tzinfo)

        with inside(one):
            policy = PolicyFactory(school=cast.oak)
            for number, year in enumerate((2018, 2020, 2025), 1):
                version = PolicyVersion.objects.create(
                    policy=policy, number=number, is_current=number == 3, made_at=at(year)
                )
                PolicyReview.objects.create(
                    policy=policy, version=version, reviewed_on=at(year).date(), outcome="updated", recorded_at=at(year)
                )
            never_changed = PolicyFactory(school=cast.elm)
            version = PolicyVersion.objects.create(policy=never_changed, number=1, made_at=at(2015))
            PolicyReview.objects.create(
                policy=never_changed, version=version, reviewed_on=date(2015, 9, 1), outcome="new", recorded_at=at(2015)
            )
            keep([(policy, {"lead_name": "Lou"})], at=at(2022))
            keep([(policy, {"lead_name": "Lee"})], at=at(2024))
            reviews, versions, earlier = BY_KEY["policies"].past(ON.replace(year=2023), ON)
            assert sorted(each.reviewed_on.year for each in reviews) == [2018, 2020]
            assert list(versions.values_list("number", flat=True)) == [1]
            assert [each.said for each in earlier] == ["Lou"]

    def test_an_account_without_a_role_for_six_years(self, cast, one):
        with inside(one):
            User.objects.filter(id=cast.colleague.id).update(joined_at=AT - timedelta(days=9 * 366))
            Membership.objects.filter(user=cast.colleague).update(from_on=date(2018, 1, 1), to_on=date(2020, 11, 22))
            assert counts(actions.periods(), on=ON)["people"] == 1
            Membership.objects.filter(user=cast.colleague).update(to_on=date(2020, 11, 23))
            assert counts(actions.periods(), on=ON)["people"] == 0

    def test_a_return_that_another_authority_sent_on_six_years_ago(self, one, db):
        with inside(one):
            for owed_at in (AT - timedelta(days=6 * 365 + 3), AT - timedelta(days=6 * 365 - 3)):
                OnwardReturn.objects.create(**FROM_ELSEWHERE | {"reference": uuid4()}, owed_at=owed_at)
            assert counts(actions.periods(), on=ON)["onward"] == 1

    def test_no_message_that_is_still_owed(self, one, db):
        with inside(one):
            old = AT - timedelta(days=4 * 366)
            NoticeFactory(owed_at=old, state="owed")
            assert counts(actions.periods(), on=ON)["messages"] == 0
            NoticeFactory(owed_at=old, state="accepted", step="before-30")
            assert counts(actions.periods(), on=ON)["messages"] == 1


@pytest.mark.django_db
class TestAPeriod:
    def test_is_the_authoritys_to_choose(self, cast, one, at):
        with inside(one):
            actions.set_period(record_class=BY_KEY["messages"], years=2, by=cast.admin, at=at)
            assert actions.periods()["messages"] == 2
            [entry] = AuditEntry.objects.filter(verb="changed how long records are kept")
            assert entry.fields == ["messages"]

    @pytest.mark.parametrize("years", [0, 17, 101])
    def test_has_a_floor_and_a_ceiling(self, cast, one, at, years):
        with inside(one), pytest.raises(actions.PeriodRefused, match="from 18 to 100"):
            actions.set_period(record_class=BY_KEY["children"], years=years, by=cast.admin, at=at)

    def test_is_changed_on_its_page(self, cast, one, browse):
        client = browse(cast.admin)
        refused = client.post("/records/keeping/children/", {"years": "3"})
        assert "Enter a number of years from 18 to 100" in refused.content.decode()
        saved = client.post("/records/keeping/children/", {"years": "31"}, follow=True)
        assert "31 years" in saved.content.decode()

    def test_of_no_class_is_not_found(self, cast, browse):
        assert browse(cast.admin).get("/records/keeping/everything/").status_code == 404


@pytest.mark.django_db
class TestADeletion:
    def test_is_agreed_to_by_two_on_the_page(self, cast, one, browse):
        with inside(one):
            second = person("dora@barsetshire.example", Role.DATA_PROTECTION_LEAD)
            hold(child(cast.oak, date(1990, 1, 1)), by=cast.head)
            LegalHold.objects.update(lifted_at=AT)
        first, other = browse(cast.admin), browse(second)
        assert "Ask to delete what is past its time" in first.get("/records/keeping/").content.decode()
        first.post("/records/keeping/")
        with inside(one):
            deletion = Deletion.objects.get()
        assert (deletion.expected["children"], deletion.expected["children_themselves"]) == (2, 1)
        page = other.get("/records/keeping/").content.decode()
        assert page.count("2 records of 1 child") == 2, "past its time, and asked for"
        refused = first.post(f"/records/deletions/{deletion.id}/confirm/", follow=True).content.decode()
        assert "somebody else has to agree" in refused
        agreed = other.post(f"/records/deletions/{deletion.id}/confirm/", follow=True).content.decode()
        assert "Will be deleted tonight" in agreed
        with inside(one):
            assert Pupil.objects.count() == 1

    def test_cannot_be_carried_out_by_whoever_serves_pages(self, cast, one, at):
        """The tries at sending are append-only: the role of an authority cannot take them away."""
        with inside(one):
            NoticeAttempt.objects.create(
                notice=NoticeFactory(owed_at=AT - timedelta(days=4 * 366), state="accepted"),
                number=1,
                at=at,
                outcome="accepted",
            )
            second = person("dora@barsetshire.example", Role.DATA_PROTECTION_LEAD)
            actions.confirm_deletion(deletion=actions.ask_for_deletion(by=cast.admin, on=ON, at=at), by=second, at=at)
        with pytest.raises(Exception, match="permission denied"), inside(one):
            actions.carry_out_deletion(at=at)


@pytest.fixture
def agreed(django_db_blocker):
    """A database of its own in which an authority has agreed to delete a child and a message. Gives its name."""
    with scratch("test_retention") as name, django_db_blocker.unblock(), connected(name):
        with inside(authority_by_code("001")):
            admin = User.objects.get().as_at(ON)
            second = person("dora@barsetshire.example", Role.DATA_PROTECTION_LEAD)
            school = SchoolFactory(urn="900001")
            child(school, date(1990, 1, 1))
            stays = child(school, date(1991, 1, 1))
            old = NoticeFactory(owed_at=AT - timedelta(days=4 * 366), state="accepted")
            NoticeAttempt.objects.create(notice=old, number=1, at=AT, outcome="accepted")
            OnwardReturn.objects.create(**FROM_ELSEWHERE, envelope_id=uuid4(), owed_at=AT - timedelta(days=7 * 366))
            deletion = actions.ask_for_deletion(by=admin, on=ON, at=AT)
            actions.confirm_deletion(deletion=deletion, by=second, at=AT)
            hold(stays, by=admin)
        yield name


class TestTheCommand:
    def test_deletes_what_two_people_saw_but_nothing_that_came_under_hold_since(self, agreed):
        done = handrail("delete-expired", "--json", HANDRAIL_DB_NAME=agreed)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "001": {
                "children": 1,
                "children_themselves": 1,
                "policies": 0,
                "onward": 1,
                "messages": 1,
                "audit": 0,
                "files": 0,
                "people": 0,
            }
        }
        with inside(authority_by_code("001")):
            assert [each.born_on.year for each in Pupil.objects.all()] == [1991]
            assert not Notice.objects.exists()
            assert not OnwardReturn.objects.exists() and ErasedEnvelope.objects.count() == 1
            deletion = Deletion.objects.get()
            assert (deletion.state, deletion.expected["children"], deletion.deleted["children"]) == ("done", 2, 1)
            [entry] = AuditEntry.objects.filter(verb="deleted what was past its time")
            assert entry.subject_id == deletion.id

    def test_does_nothing_the_second_time(self, agreed):
        handrail("delete-expired", HANDRAIL_DB_NAME=agreed)
        again = handrail("delete-expired", HANDRAIL_DB_NAME=agreed)
        assert (again.returncode, again.stdout.strip()) == (0, "No authority has agreed to delete anything.")
