"""Who is given a role, and who cannot be taken away."""

import json
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from databases import handrail
from django.db import connections
from django.utils import timezone
from factories import PupilFactory, person

from handrail.accounts.actions import (
    LastOne,
    Newcomer,
    NoLongerAllowed,
    WrongPlace,
    add_people,
    add_person,
    change_role,
    close_account,
    end_membership,
    end_session,
    end_sessions,
    forget_what_ended,
)
from handrail.accounts.addresses import NotAnEmailAddress
from handrail.accounts.models import Membership, Session, User
from handrail.accounts.roles import Permission, Role
from handrail.core.audit import CLOCK
from handrail.core.models import AuditEntry, CacheEntry
from handrail.schools.models import Pupil
from tenants.context import inside
from workflows import sessions
from workflows.commands import add_person as command
from workflows.timetable import TIMETABLE

pytestmark = pytest.mark.django_db


def role_of(user: User) -> Membership:
    return Membership.objects.get(user=user)


def session(ends: datetime, user: User | None = None, **more: Any) -> Session:
    """A session that ends at that moment."""
    return Session.objects.create(expire_date=ends, user=user, **{"began_at": ends, "last_used_at": ends} | more)


class TestAddPerson:
    def test_makes_an_account_that_signs_in_with_a_code(self, cast, one, at):
        with inside(one):
            user = add_person(
                email="New@Oak.example",
                name="Nell New",
                role=Role.SCHOOL_LEAD,
                school_id=cast.oak.id,
                by=cast.admin,
                at=at,
            )
            assert user.email == "new@oak.example"
            assert not user.has_usable_password()
            assert user.as_at(at.date()).may(Permission.RECORD_REVIEWS)
            entry = AuditEntry.objects.get(subject_id=user.id)
            assert (entry.verb, entry.by, entry.school_id) == ("added a person", cast.admin.id, cast.oak.id)

    def test_adds_a_second_role_to_the_same_account(self, cast, one, at):
        with inside(one):
            again = add_person(
                email="HEAD@oak.example", name="X", role=Role.SCHOOL_LEAD, school_id=cast.elm.id, by=CLOCK, at=at
            )
            assert again == cast.head
            assert set(again.as_at(at.date()).school_ids) == {cast.oak.id, cast.elm.id}
            assert again.name == "Hana Head"

    def test_changes_nothing_twice(self, cast, one, at):
        with inside(one):
            before = AuditEntry.objects.count()
            person("head@oak.example", Role.SCHOOL_LEAD, school=cast.oak)
            assert AuditEntry.objects.count() == before

    def test_refuses_what_is_no_address(self, one, at):
        with inside(one), pytest.raises(NotAnEmailAddress):
            add_person(email="head", name="X", role=Role.POLICY_OFFICER, by=CLOCK, at=at)

    @pytest.mark.parametrize(("role", "at_school"), [(Role.SCHOOL_LEAD, False), (Role.POLICY_OFFICER, True)])
    def test_refuses_a_role_in_the_wrong_place(self, cast, one, at, role, at_school):
        with inside(one), pytest.raises(WrongPlace):
            school_id = cast.oak.id if at_school else None
            add_person(email="x@x.example", name="X", role=role, school_id=school_id, by=CLOCK, at=at)


class TestAddPeople:
    def test_makes_one_account_for_an_address_that_is_given_twice(self, cast, one, at):
        with inside(one):
            first, second, old = add_people(
                [
                    Newcomer("New@oak.example", "New", Role.SCHOOL_LEAD, cast.oak.id),
                    Newcomer("new@oak.example", "Other Name", Role.SCHOOL_LEAD, cast.elm.id),
                    Newcomer("Head@oak.example", "X", Role.SCHOOL_LEAD, cast.oak.id),
                ],
                by=cast.admin,
                at=at,
            )
            assert (first, old) == (second, cast.head)
            assert (first.email, first.name) == ("new@oak.example", "New")
            assert set(first.as_at(at.date()).school_ids) == {cast.oak.id, cast.elm.id}
            assert EmailAddress.objects.filter(email="new@oak.example", verified=True).count() == 1
            assert AuditEntry.objects.filter(subject_id=first.id, verb="added a person").count() == 2
            assert AuditEntry.objects.filter(subject_id=cast.head.id).count() == 1

    def test_refuses_all_for_one_that_is_wrong(self, cast, one, at):
        good = Newcomer("new@oak.example", "New", Role.SCHOOL_LEAD, cast.oak.id)
        with inside(one):
            with pytest.raises(NotAnEmailAddress):
                add_people([good, Newcomer("new", "New", Role.SCHOOL_LEAD, cast.oak.id)], by=cast.admin, at=at)
            assert not User.objects.filter(email="new@oak.example").exists()

    @pytest.mark.django_db(transaction=True)
    def test_gives_a_role_once_when_two_give_it_together(self, cast, one, at):
        ready = Barrier(2)

        def add(_number):
            try:
                with inside(one):
                    ready.wait(timeout=60)
                    add_people([Newcomer("head@oak.example", "X", Role.SCHOOL_LEAD, cast.elm.id)], by=CLOCK, at=at)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as both:
            list(both.map(add, range(2)))
        with inside(one):
            assert Membership.objects.filter(user=cast.head, school=cast.elm).count() == 1
            assert AuditEntry.objects.filter(subject_id=cast.head.id, school_id=cast.elm.id).count() == 1


class TestEndMembership:
    def test_ends_at_once_and_keeps_the_account(self, cast, one, at):
        with inside(one):
            end_membership(membership=role_of(cast.colleague), by=cast.admin, at=at)
            colleague = User.objects.get(id=cast.colleague.id).as_at(at.date())
            assert colleague.current_memberships == []
            assert not colleague.may(Permission.SEE_SCHOOL)
            assert colleague.as_at(at.date() - timedelta(days=1)).may(Permission.SEE_SCHOOL)
            entry = AuditEntry.objects.get(verb="ended a role")
            assert (entry.subject_id, entry.school_id, entry.by) == (colleague.id, cast.oak.id, cast.admin.id)

    def test_changes_nothing_twice(self, cast, one, at):
        with inside(one):
            for days in (0, 5):
                end_membership(membership=role_of(cast.colleague), by=cast.admin, at=at + timedelta(days=days))
            assert role_of(cast.colleague).to_on == at.date()
            assert AuditEntry.objects.filter(verb="ended a role").count() == 1

    def test_ends_one_that_began_today(self, cast, one, at):
        with inside(one):
            new = add_person(
                email="n@oak.example", name="N", role=Role.SCHOOL_LEAD, school_id=cast.oak.id, by=CLOCK, at=at
            )
            end_membership(membership=role_of(new), by=cast.admin, at=at)
            assert new.as_at(at.date()).current_memberships == []

    def test_keeps_the_last_lead_of_a_school(self, cast, one, at):
        with inside(one):
            with pytest.raises(LastOne, match="Add another school lead at Elm School before you remove Nia Neighbour"):
                end_membership(membership=role_of(cast.neighbour), by=cast.admin, at=at)
            assert role_of(cast.neighbour).to_on is None

    def test_keeps_the_last_administrator(self, cast, one, at):
        with inside(one):
            first = User.objects.get(email="admin@barsetshire.example")
            end_membership(membership=role_of(first), by=cast.admin, at=at)
            with pytest.raises(LastOne, match="Add another authority administrator at the authority"):
                end_membership(membership=role_of(cast.admin), by=cast.admin, at=at)

    def test_counts_nobody_whose_account_is_closed(self, cast, one, at):
        with inside(one):
            User.objects.filter(id=cast.head.id).update(is_active=False)
            with pytest.raises(LastOne):
                end_membership(membership=role_of(cast.colleague), by=cast.admin, at=at)

    def test_lets_the_last_officer_go(self, cast, one, at):
        with inside(one):
            end_membership(membership=role_of(cast.officer), by=cast.admin, at=at)
            assert role_of(cast.officer).to_on == at.date()

    def test_signs_out_at_the_next_page_who_has_no_role_left(self, cast, browse, one, at):
        client = browse(cast.colleague)
        assert "School lead at Oak School" in client.get("/account/").text
        with inside(one):
            end_membership(membership=role_of(cast.colleague), by=cast.admin, at=at)
        assert client.get("/account/")["Location"].startswith("/sign-in/")

    def test_leaves_the_session_to_who_has_another_role(self, cast, browse, one, at):
        with inside(one):
            person("colleague@oak.example", Role.GOVERNOR, school=cast.elm)
            oak = Membership.objects.get(user=cast.colleague, school=cast.oak)
        client = browse(cast.colleague)
        with inside(one):
            end_membership(membership=oak, by=cast.admin, at=at)
        page = client.get("/account/").text
        assert "Governor at Elm School" in page
        assert "Oak School" not in page

    def test_takes_nothing_that_is_sent_from_a_page_opened_before(self, cast, browse, one, at):
        """A lead of two schools is correcting a child's name when their role at that school ends."""
        with inside(one):
            person(cast.colleague.email, Role.SCHOOL_LEAD, school=cast.elm)
            child = PupilFactory(school=cast.oak, name="As Before")
            oak = Membership.objects.get(user=cast.colleague, school=cast.oak)
        client, page = browse(cast.colleague), f"/children/{child.id}/change/"
        assert client.get(page).status_code == 200
        with inside(one):
            end_membership(membership=oak, by=cast.head, at=at)
        answer = client.post(page, {"name": "Afterwards"})
        assert answer.status_code == 404
        assert "Page not found" in answer.text
        with inside(one):
            assert Pupil.objects.get(id=child.id).name == "As Before"
            assert not AuditEntry.objects.filter(subject_id=child.id).exists()

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_end_each_others_role_together_one_stays(self, cast, one, at):
        with inside(one):
            person("third@oak.example", Role.SCHOOL_LEAD, school=cast.oak)
        ready = Barrier(2)

        def end(pair):
            by, whose = pair
            try:
                with inside(one):
                    theirs = role_of(whose)
                    ready.wait(timeout=60)
                    end_membership(membership=theirs, by=by, at=at)
            except NoLongerAllowed as refusal:
                return str(refusal)
            finally:
                connections.close_all()
            return ""

        with ThreadPoolExecutor(2) as both:
            said = list(both.map(end, [(cast.head, cast.colleague), (cast.colleague, cast.head)]))
        assert sorted(said) == ["", "Your own role has ended, so nothing was changed."]
        with inside(one):
            open_ones = Membership.objects.filter(user__in=[cast.head, cast.colleague], to_on=None)
            assert open_ones.count() == 1
            assert AuditEntry.objects.filter(verb="ended a role").count() == 1

    def test_counts_every_role_that_leads(self, cast, one, at):
        """The lead of a setting is a lead too; a colleague who is not does not help."""
        with inside(one):
            person("office@elm.example", Role.SCHOOL_ADMINISTRATOR, school=cast.elm)
            with pytest.raises(LastOne):
                end_membership(membership=role_of(cast.neighbour), by=cast.admin, at=at)
            person("teacher@elm.example", Role.SETTING_LEAD, school=cast.elm)
            end_membership(membership=role_of(cast.neighbour), by=cast.admin, at=at)
            assert role_of(cast.neighbour).to_on == at.date()

    def test_is_refused_to_somebody_whose_own_role_has_just_ended(self, cast, one, at):
        """Two leads who end each other's roles: whoever comes second."""
        with inside(one):
            person("third@oak.example", Role.SCHOOL_LEAD, school=cast.oak)
            end_membership(membership=role_of(cast.colleague), by=cast.head, at=at)
            with pytest.raises(NoLongerAllowed, match="Your own role has ended, so nothing was changed"):
                end_membership(membership=role_of(cast.head), by=cast.colleague, at=at)
            assert role_of(cast.head).to_on is None


class TestChangeRole:
    def test_ends_one_and_begins_the_other_today(self, cast, one, at):
        with inside(one):
            changed = change_role(membership=role_of(cast.colleague), role=Role.GOVERNOR, by=cast.head, at=at)
            roles = Membership.objects.filter(user=cast.colleague).order_by("to_on").values_list("role", "to_on")
            assert list(roles) == [(Role.SCHOOL_LEAD, at.date()), (Role.GOVERNOR, None)]
            assert changed.from_on == at.date()
            assert not User.objects.get(id=cast.colleague.id).as_at(at.date()).may(Permission.RECORD_REVIEWS)
            assert AuditEntry.objects.get(verb="changed a role").by == cast.head.id

    def test_to_the_same_changes_nothing(self, cast, one, at):
        with inside(one):
            before = role_of(cast.colleague)
            assert change_role(membership=before, role=Role.SCHOOL_LEAD, by=cast.head, at=at) == before
            assert not AuditEntry.objects.filter(verb="changed a role").exists()

    def test_keeps_the_last_lead(self, cast, one, at):
        with inside(one):
            with pytest.raises(LastOne):
                change_role(membership=role_of(cast.neighbour), role=Role.GOVERNOR, by=cast.admin, at=at)
            changed = change_role(membership=role_of(cast.neighbour), role=Role.SETTING_LEAD, by=cast.admin, at=at)
            assert changed.role == Role.SETTING_LEAD

    @pytest.mark.parametrize("role", [Role.POLICY_OFFICER, Role.HEALTH_PROFESSIONAL])
    def test_refuses_a_role_of_another_place(self, cast, one, at, role):
        with inside(one), pytest.raises(WrongPlace):
            change_role(membership=role_of(cast.colleague), role=role, by=cast.head, at=at)


class TestEndSessions:
    @pytest.fixture
    def sessions(self, cast, one, at):
        """Three of the head's, of which one has ended, and one of a colleague."""
        soon, before = at + timedelta(hours=1), at - timedelta(hours=1)
        with inside(one):
            return [session(ends, cast.head) for ends in (soon, soon, before)] + [session(soon, cast.colleague)]

    def test_ends_those_of_one_person_and_records_it(self, cast, one, at, sessions):
        with inside(one):
            assert end_sessions(user=cast.head, by=cast.admin, at=at) == 2
            assert list(Session.objects.all()) == [sessions[-1]]
            entry = AuditEntry.objects.get(verb="ended sessions")
            assert (entry.subject_id, entry.by, entry.fields) == (cast.head.id, cast.admin.id, [])

    def test_can_leave_the_one_that_is_in_use(self, cast, one, at, sessions):
        with inside(one):
            assert end_sessions(user=cast.head, by=cast.head, at=at, but=sessions[0].id) == 1
            assert set(Session.objects.all()) == {sessions[0], sessions[-1]}

    def test_changes_and_records_nothing_twice(self, cast, one, at, sessions):
        with inside(one):
            end_sessions(user=cast.head, by=cast.admin, at=at)
            assert end_sessions(user=cast.head, by=cast.admin, at=at) == 0
            assert AuditEntry.objects.filter(verb="ended sessions").count() == 1

    def test_ends_one(self, cast, one, at, sessions):
        with inside(one):
            end_session(session=sessions[1], by=cast.head, at=at)
            assert set(cast.head.sessions.open(at=at)) == {sessions[0]}

    def test_shows_at_the_next_page(self, cast, browse, one, at):
        client = browse(cast.head)
        assert client.get("/account/").status_code == 200
        with inside(one):
            end_sessions(user=cast.head, by=cast.admin, at=timezone.now())
        assert client.get("/account/").status_code == 302


class TestCloseAccount:
    def test_ends_every_role_and_every_session(self, cast, browse, one, at):
        client = browse(cast.colleague)
        with inside(one):
            close_account(user=cast.colleague, by=cast.admin, at=at)
            assert role_of(cast.colleague).to_on == at.date()
            assert not cast.colleague.sessions.exists()
            verbs = set(AuditEntry.objects.filter(at=at, by=cast.admin.id).values_list("verb", flat=True))
            assert verbs == {"ended a role", "ended sessions", "closed an account"}
        assert client.get("/account/").status_code == 302

    def test_lets_nobody_in_with_a_session_that_is_left(self, cast, browse, one, at):
        with inside(one):
            close_account(user=cast.colleague, by=cast.admin, at=at)
        assert browse(cast.colleague).get("/account/").status_code == 302

    def test_changes_nothing_twice(self, cast, one, at):
        with inside(one):
            for _ in range(2):
                close_account(user=cast.colleague, by=cast.admin, at=at)
            assert AuditEntry.objects.filter(verb="closed an account").count() == 1

    def test_keeps_the_last_lead_of_a_school_as_they_were(self, cast, browse, one, at):
        client = browse(cast.neighbour)
        with inside(one), pytest.raises(LastOne, match="before you remove Nia Neighbour"):
            close_account(user=cast.neighbour, by=cast.admin, at=at)
        assert client.get("/account/").status_code == 200


class TestForgetWhatEnded:
    def test_forgets_the_ended_and_keeps_the_rest(self, cast, one, two, at):
        a_second, a_day = timedelta(seconds=1), timedelta(days=1)
        for authority in (one, two):
            with inside(authority):
                for name, ends in (("long ended", at - a_day - a_second), ("ended", at - a_day), ("open", at)):
                    session(ends, device=name)
                for name, ends in (("ended", at - a_second), ("open", at)):
                    CacheEntry.objects.create(cache_key=name, value="", expires=ends)
        for forgotten in (2, 0):
            with inside(one):
                assert forget_what_ended(at=at) == forgotten
                assert set(Session.objects.values_list("device", flat=True)) == {"ended", "open"}
                assert list(CacheEntry.objects.values_list("cache_key", flat=True)) == ["open"]
        with inside(two):
            assert (Session.objects.count(), CacheEntry.objects.count()) == (3, 2)

    def test_is_on_the_timetable(self):
        assert "workflows.sessions.forget" in {entry.task for entry in TIMETABLE}
        assert sessions.forget.name == "workflows.sessions.forget"

    def test_is_done_in_each_authority(self, one, at):
        with inside(one):
            session(at - timedelta(days=400))
        sessions.forget_one(authority=str(one.id))
        with inside(one):
            assert not Session.objects.exists()


GIVEN = {"authority": "001", "email": "cam@oak.example", "name": "Cam", "role": "policy_officer"}


class TestAddPersonCommand:
    @pytest.mark.django_db(transaction=True)
    def test_adds_an_officer(self, one):
        """In a process of its own, on the tests' database: what it writes goes with the database."""
        done = handrail("add-person", *(part for name, value in GIVEN.items() for part in (f"--{name}", value)))
        assert done.returncode == 0, done.stderr
        assert "Cam is now policy officer at Barsetshire" in done.stdout
        with inside(one):
            assert User.objects.get(email="cam@oak.example").memberships.get().role == Role.POLICY_OFFICER

    def test_adds_a_lead(self, cast, one, capsys):
        options = Namespace(**GIVEN | {"role": "school_lead", "urn": "900001", "json": True})
        assert command.run(options) == 0
        assert json.loads(capsys.readouterr().out)["place"] == "Oak School"
        with inside(one):
            assert User.objects.get(email="cam@oak.example").memberships.get().school_id == cast.oak.id

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            ({"authority": "999"}, "There is no authority with the code 999"),
            ({"urn": "900003"}, "Barsetshire has no open school with the URN 900003."),
            ({"role": "school_lead"}, "School lead is a role at a school: say which."),
            ({"email": "cam"}, "Enter an e-mail address in the right form"),
        ],
    )
    def test_says_why_not(self, cast, capsys, options, why):
        assert command.run(Namespace(**GIVEN | {"urn": None, "json": False} | options)) == 1
        assert why in capsys.readouterr().err
