"""Who is told that a return, or the authority's self-assessment, waits for their signature."""

from datetime import timedelta

import pytest
from factories import person

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.notices.actions import NoLongerDue
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from handrail.returns import actions, reminders
from handrail.returns.models import Return
from handrail.schools.models import School
from tenants.context import inside

pytestmark = pytest.mark.django_db
Reason = Notice.Reason
GUS = "gus@oak.example"


@pytest.fixture
def told(one, at):
    """`told(on)` sweeps on that day, and gives to whom anything about signatures is owed, in order."""

    def sweep(on, kind="unsigned_return"):
        with inside(one):
            reminders.owe_return_reminders(on=on, at=at + (on - at.date()))
            found = Notice.objects.filter(subject_kind=kind, state="owed").order_by("owed_at", "recipient")
            return [each.recipient for each in found]

    return sweep


class TestAReturn:
    def test_waits_for_each_governor_of_the_school_who_is_told_once(self, one, cast, on, told, governor, submitted):
        with inside(one):
            person("grace@oak.example", Role.GOVERNOR, school=cast.oak)
            person("greta@elm.example", Role.GOVERNOR, school=cast.elm)
            person("gone@oak.example", Role.GOVERNOR, school=cast.oak).memberships.update(to_on=on)
        assert told(on) == []
        submitted()
        for day in (on, on, on + timedelta(days=3)):
            assert told(day) == ["grace@oak.example", GUS]

    def test_waits_for_one_who_becomes_governor_later(self, one, cast, on, told, submitted):
        submitted()
        assert told(on) == []
        with inside(one):
            person(GUS, Role.GOVERNOR, school=cast.oak)
        assert told(on + timedelta(days=1)) == [GUS]

    def test_does_not_wait_for_whoever_submitted_it(self, one, cast, on, told, governor, submitted):
        with inside(one):
            governor.memberships.create(role=Role.SCHOOL_LEAD, school=cast.oak, from_on=on)
            by = governor.as_at(on)
        submitted(by=by)
        assert told(on) == []

    def test_does_not_wait_once_it_is_signed(self, one, on, at, told, governor, submitted):
        made = submitted()
        assert told(on) == [GUS]
        with inside(one):
            actions.countersign(returned=made, by=governor.as_at(on), at=at)
            with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
                reminders.still_due(Notice.objects.get(subject_kind="unsigned_return"), at=at)

    def test_waits_again_when_it_is_corrected(self, one, on, at, told, governor, submitted, ids):
        made = submitted()
        told(on)
        with inside(one):
            actions.countersign(returned=made, by=governor.as_at(on), at=at)
        submitted({ids[0]: actions.Wanted("partly")}, only=[])
        assert told(on) == [GUS, GUS]
        with inside(one):
            old, new = Notice.objects.filter(subject_kind="unsigned_return").order_by("owed_at", "id")
            if old.subject_id != made.id:
                old, new = new, old
            assert reminders.still_due(new, at=at)["role"] == "signer"
            with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
                reminders.still_due(old, at=at)

    def test_of_a_year_that_is_over_waits_no_more(self, one, cast, cycle, on, at, told, governor, submitted):
        submitted()
        with inside(one):
            days = {"due_on": on + timedelta(days=400), "closes_on": on + timedelta(days=440)}
            about = {"framework_ids": ["CFA-100A"], "by": cast.officer}
            type(cycle).objects.update(closes_on=cycle.due_on + timedelta(days=1))
            later = at + timedelta(days=340)
            actions.open_cycle(school_year=2027, **days, **about, at=later)
        assert told(later.date()) == []

    def test_of_a_closed_school_does_not(self, one, cast, on, told, governor, submitted):
        submitted()
        with inside(one):
            School.objects.filter(id=cast.oak.id).update(closed_on=on)
        assert told(on) == []

    def test_is_told_of_in_words_that_say_no_answer(self, one, on, at, told, governor, submitted):
        submitted()
        told(on)
        with inside(one):
            notice = Notice.objects.get(subject_kind="unsigned_return")
            subject, text, _ = in_words(notice, reminders.still_due(notice, at=at), authority=one)
        assert subject == "Oak School: the yearly return waits for your signature"
        assert "is submitted. A governor has still to sign it." in text and "/schools/900001/return/" in text
        assert "you may sign it, and did not submit it" in text

    def test_is_not_told_of_to_one_who_is_governor_no_more(self, one, on, at, told, governor, submitted):
        submitted()
        told(on)
        with inside(one):
            governor.memberships.update(to_on=on)
            with pytest.raises(NoLongerDue):
                reminders.still_due(Notice.objects.get(subject_kind="unsigned_return"), at=at)


class TestTheSelfAssessment:
    def test_waits_for_a_second_person_of_the_authority(self, one, cast, cycle, on, at, told, governor):
        with inside(one):
            User.objects.filter(memberships__school=None).exclude(id=cast.officer.id).update(is_active=False)
            nora = person("nora@barsetshire.example", Role.NAMED_OFFICER, at=at)
            person("arun@barsetshire.example", Role.ANALYST)
            made = Return.objects.create(
                cycle=cycle, school=None, number=1, asked="", submitted_at=at, submitted_by=nora.id
            )
        assert told(on, "unsigned_assessment") == [cast.officer.email]
        assert told(on) == []
        with inside(one):
            notice = Notice.objects.get(subject_kind="unsigned_assessment")
            subject, text, _ = in_words(notice, reminders.still_due(notice, at=at), authority=one)
            assert subject == "Barsetshire: the self-assessment waits for your signature"
            assert "A second person has still to sign it." in text and notice.school_id is None
            actions.countersign(returned=made, by=cast.officer, at=at)
            with pytest.raises(NoLongerDue, match=Reason.NOT_NEEDED):
                reminders.still_due(notice, at=at)
