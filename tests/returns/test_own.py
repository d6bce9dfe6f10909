"""The authority's self-assessment: the form of a return, of no school, signed by a second person, seen by no school."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from factories import person
from reading import hidden_of, text_of

from handrail.accounts.models import User
from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry
from handrail.guidance import published
from handrail.guidance.published import framework
from handrail.notices.letters import in_words
from handrail.notices.models import Notice
from handrail.overview.inspection import Evidence
from handrail.policies.actions import open_policies
from handrail.policies.models import Policy
from handrail.returns import actions, reminders
from handrail.returns.actions import Wanted
from handrail.returns.board import board
from handrail.returns.models import Countersignature, Draft, PlannedAction, Return
from handrail.returns.rules import Colour
from handrail.returns.standing import Progress, may_be_asked, own, sections_of
from tenants.context import inside
from tenants.database import execute_count

pytestmark = pytest.mark.django_db

HOME = "/authority/self-assessment/"
MUST, SHOULD = "HEDU-01", "S19P-18"
NO = Wanted("no")


@pytest.fixture
def named(one, cast):
    with inside(one):
        return person("nora@barsetshire.example", Role.NAMED_OFFICER, name="Nora Named")


@pytest.fixture
def asked(one, cycle):
    with inside(one):
        return [point.requirement.id for section in sections_of(cycle, None) for point in section.points]


@pytest.fixture
def say(one, cast, cycle, at, asked):
    """`say({point: Wanted})` answers every point with yes but those named."""

    def answer(changes=None, *, only=None):
        said = {each: Wanted("yes") for each in (asked if only is None else only)} | (changes or {})
        with inside(one):
            return actions.save_answers(cycle=cycle, school=None, answers=said, by=cast.officer, at=at)

    return answer


@pytest.fixture
def made(one, cycle, at, say, named):
    """`made({point: Wanted})` answers and submits it."""

    def submit(changes=None, **more):
        say(changes, **more)
        with inside(one):
            return actions.submit(cycle=cycle, school=None, by=named, at=at)

    return submit


def said(ids, verdict="yes", **more):
    return {f"{each}-verdict": verdict for each in ids} | more


class TestWhatItAsks:
    def test_is_all_that_is_asked_of_an_authority_whatever_schools_are_asked(self, one, cycle, asked):
        assert cycle.framework_ids == ["CFA-100A"]
        assert {each.split("-")[0] for each in asked} == {"HEDU", "SPMC", "S19P"}
        assert len(asked) == 14 + 6 + 18

    def test_is_no_choice_for_schools_where_it_asks_nothing_of_them(self, cast, browse):
        assert "S19-POLICY" not in [each.id for each in may_be_asked()]
        assert "S19-POLICY" not in browse(cast.officer).get("/returns/open/").text


class TestAnswering:
    def test_is_saved_in_parts_by_those_with_the_right(self, one, cast, browse, cycle, asked, named):
        client = browse(named)
        page = text_of(client.get(HOME))
        assert "Self-assessment for 2026 to 2027" in page and "No school sees it." in page
        typed = hidden_of(client.get(f"{HOME}sections/1/"))
        typed |= said(asked[:2], "partly", **{f"{asked[0]}-evidence_url": "barsetshire.example/19"})
        assert client.post(f"{HOME}sections/1/", typed)["Location"] == HOME
        with inside(one):
            draft = Draft.objects.get(requirement_id=asked[0])
            assert (draft.school, draft.verdict) == (None, "partly")
            entry = AuditEntry.objects.get(verb="answered points of a return")
            assert (entry.school_id, entry.fields) == (None, asked[:2])
        assert "2 of 7 answered" in text_of(browse(cast.officer).get(HOME))

    def test_twice_is_one_answer(self, one, say, asked):
        say({asked[0]: NO}, only=[])
        say(only=asked[:1])
        with inside(one):
            assert [each.verdict for each in Draft.objects.all()] == ["yes"]

    def test_that_something_does_not_apply_takes_a_reason(self, browse, named, cycle, asked):
        page = browse(named).post(f"{HOME}sections/1/", said(asked[:1], "not_applicable")).text
        assert "Enter why this does not apply to you" in page

    def test_keeps_a_file_that_no_school_opens(self, one, cast, browse, named, say, pdf, settings, tmp_path):
        settings.DOCUMENT_STORE = tmp_path
        say()
        client = browse(named)
        client.post(f"{HOME}points/{MUST}/file/", {"document": pdf()})
        with inside(one):
            file = Draft.objects.get(requirement_id=MUST).evidence_file
        assert client.get(f"{HOME}files/{file.id}/").status_code == 200
        for who in (cast.head, cast.neighbour):
            assert browse(who).get(f"{HOME}files/{file.id}/").status_code == 403
        assert browse(cast.head).get(f"/schools/900001/return/files/{file.id}/").status_code == 404
        with inside(one):
            analyst = person("ana@barsetshire.example", Role.ANALYST)
        assert browse(analyst).get(f"{HOME}files/{file.id}/").status_code == 404  # it is not submitted


class TestWhoMay:
    PAGES = (HOME, f"{HOME}sections/1/", f"{HOME}submit/")

    @pytest.mark.parametrize(
        ("role", "statuses"),
        [
            (Role.AUTHORITY_ADMINISTRATOR, [200, 200, 200]),
            (Role.NAMED_OFFICER, [200, 200, 200]),
            (Role.POLICY_OFFICER, [200, 200, 403]),
            (Role.ANALYST, [200, 403, 403]),
            (Role.DATA_PROTECTION_LEAD, [200, 403, 403]),
        ],
    )
    def test_of_the_authority(self, one, browse, cycle, say, role, statuses):
        say()
        with inside(one):
            who = person("who@barsetshire.example", role)
        assert [browse(who).get(page).status_code for page in self.PAGES] == statuses

    def test_of_a_school_is_nobody(self, one, cast, browse, made, governor):
        returned = made()
        pages = (*self.PAGES, f"{HOME}{returned.id}/", f"{HOME}{returned.id}/countersign/")
        for who in (cast.head, governor, cast.neighbour):
            assert {browse(who).get(page).status_code for page in pages} == {403}
            assert browse(who).post(pages[-1]).status_code == 403
        assert browse(cast.head).get(f"/schools/900001/return/{returned.id}/").status_code == 404

    def test_of_another_authority_is_nobody(self, one, two, cast, browse, made):
        returned = made()
        stranger = browse(cast.stranger, authority=two)
        assert stranger.post(f"{HOME}actions/{returned.id}/").status_code == 404  # whatever was typed
        assert stranger.get(f"{HOME}{returned.id}/").status_code == 404
        assert "It has not begun" in text_of(stranger.get(HOME))

    def test_finds_no_return_of_a_school_at_its_address(self, cast, browse, submitted, named):
        assert browse(named).get(f"{HOME}{submitted().id}/").status_code == 404


class TestSubmitting:
    def test_is_signed_by_a_second_person_and_then_stays(self, one, cast, browse, say, named):
        say()
        client = browse(named)
        page = text_of(client.post(f"{HOME}submit/", follow=True))
        assert "Somebody else at the authority can now sign it." in page
        with inside(one):
            returned = Return.objects.get(school=None)
        place = f"{HOME}{returned.id}/"
        assert "Sign this self-assessment" not in client.get(place).text
        assert "somebody else has to sign it" in client.post(f"{place}countersign/").text
        with inside(one):
            assert not Countersignature.objects.exists()
        officer = browse(cast.officer)
        assert "Sign this self-assessment" in officer.get(place).text
        assert "Olu Officer" in text_of(officer.post(f"{place}countersign/", follow=True))
        with inside(one):
            assert Countersignature.objects.get().signed_by == cast.officer.id
            with pytest.raises(DatabaseError), transaction.atomic():
                execute_count("UPDATE returns_return SET submitted_by_name = 'x'", [])

    def test_waits_for_every_point(self, one, browse, say, asked, named):
        say(only=asked[1:])
        assert "Answer every point before you submit it" in browse(named).post(f"{HOME}submit/").text
        with inside(one):
            assert not Return.objects.exists()

    def test_again_is_a_correction(self, one, browse, made, say, named):
        first = made()
        assert "You have changed nothing" in browse(named).post(f"{HOME}submit/").text
        second = made({SHOULD: NO}, only=[])
        assert (first.number, second.number) == (1, 2)
        assert "Self-assessment for 2026 to 2027, correction 1" in text_of(browse(named).get(HOME))
        assert "Corrected since" in browse(named).get(f"{HOME}{first.id}/").text

    def test_of_a_school_is_another(self, cycle, made, submitted):
        assert (submitted().number, made().number) == (1, 1)

    def test_of_last_year_is_where_the_next_begins(self, one, cast, at, on, made, say, named):
        made({SHOULD: Wanted("no", reason="Not yet.")})
        with inside(one):
            days = {"due_on": on + timedelta(days=400), "closes_on": on + timedelta(days=500)}
            later = at + timedelta(days=365)
            this = actions.open_cycle(school_year=2027, framework_ids=["CFA-100A"], **days, by=cast.officer, at=later)
            points = [point for section in sections_of(this, None) for point in section.points]
            assert all(point.is_carried for point in points)
            again = actions.submit(cycle=this, school=None, by=named, at=later)
            kept = again.answers.get(requirement_id=SHOULD)
            assert (kept.reason, kept.answered_at, kept.answered_by_name) == ("Not yet.", at, "Olu Officer")


class TestWhenGuidanceChanges:
    def test_only_what_changed_is_open_again(self, one, cycle, on, made, browse, named, monkeypatch):
        at = made().submitted_at
        with inside(one):
            open_policies(on=on, at=at)
        old = framework("S19-POLICY")
        first, *rest = old.requirements
        newer = replace(old, edition=2, requirements=(replace(first, says=f"{first.says} It is short."), *rest))
        found = (*published.editions(), newer)
        monkeypatch.setattr(published, "editions", lambda: found)
        with inside(one):
            stands = own(cycle, on=on)
            points = [point for section in sections_of(cycle, None) for point in section.points]
        assert stands.open_points == 1
        assert [point.before.verdict for point in points if point.answer is None] == ["yes"]
        assert "Changed since you answered: 1 point" in text_of(browse(named).get(HOME))


class TestTheBoard:
    @pytest.fixture
    def policy(self, one, on, at):
        """A section 19 policy that is in date, with a lead and an address."""
        with inside(one):
            open_policies(on=on, at=at)
            Policy.objects.filter(school=None).update(
                last_reviewed_on=on, next_review_on=on + timedelta(days=300), lead_name="Nora",
                published_url="https://barsetshire.example/19",
            )  # fmt: skip

    def stands(self, one, cycle, on):
        with inside(one):
            found = own(cycle, on=on)
        return found.progress, found.colour, found.decided_by.rule

    @pytest.mark.parametrize(
        ("changes", "colour", "rule"),
        [
            ({}, Colour.GREEN, "G1"),
            ({MUST: NO}, Colour.RED, "R4"),
            ({MUST: Wanted("partly", reason="We have begun.")}, Colour.RED, "R4"),
            ({SHOULD: NO}, Colour.AMBER, "A3"),
            ({SHOULD: Wanted("no", reason="It is on another page.")}, Colour.GREEN, "G1"),
        ],
    )
    def test_judges_it_by_the_rules_for_schools(self, one, cycle, on, policy, made, changes, colour, rule):
        made(changes)
        assert self.stands(one, cycle, on) == (Progress.SUBMITTED, colour, rule)

    def test_says_how_far_it_is(self, one, cast, cycle, at, on, policy, say, asked, made):
        assert self.stands(one, cycle, on) == (Progress.NOT_BEGUN, Colour.GREY, "N1")
        say(only=asked[:1])
        assert self.stands(one, cycle, on)[0] == Progress.BEGUN
        assert self.stands(one, cycle, cycle.due_on + timedelta(days=31))[1:] == (Colour.RED, "R5")
        returned = made()
        with inside(one):
            actions.countersign(returned=returned, by=cast.officer, at=at)
        assert self.stands(one, cycle, on) == (Progress.SIGNED, Colour.GREEN, "G1")

    def test_shows_it_with_the_rule_and_counts_it_as_no_school(self, one, cast, cycle, on, browse, policy, made):
        made({MUST: NO})
        page = text_of(browse(cast.officer).get("/returns/"))
        assert "The authority itself Red Must be done, and is not or only partly" in page
        assert "Self-assessment : returned" in page
        assert "Red: 2 schools" in page  # which have no policy
        with inside(one):
            assert {each.progress for each in board(cycle, on=on)} == {Progress.NOT_BEGUN}

    def test_of_schools_is_not_moved_by_it(self, cast, browse, made, submitted):
        submitted()
        made({MUST: NO})
        assert "Returned: 1 school" in text_of(browse(cast.officer).get("/returns/"))


class TestWhatIsPlanned:
    TYPED = {
        "what": "Name the officer", "owner_name": "Olga", "owner_email": "olga@barsetshire.example",
        "due_on_day": "1", "due_on_month": "2", "due_on_year": "2027",
    }  # fmt: skip

    def test_is_said_of_a_gap_and_changed(self, one, cast, browse, made, named):
        returned = made({SHOULD: NO})
        client, place = browse(named), f"{HOME}{returned.id}/points"
        assert "there is nothing to plan" in client.post(f"{place}/{MUST}/plan/", self.TYPED).text
        assert "Name the officer" in text_of(client.post(f"{place}/{SHOULD}/plan/", self.TYPED, follow=True))
        with inside(one):
            planned = PlannedAction.objects.get()
            assert planned.school is None
        done = self.TYPED | {"done_on_day": "20", "done_on_month": "11", "done_on_year": "2026"}
        assert browse(cast.head).post(f"{HOME}actions/{planned.id}/", done).status_code == 403
        assert browse(cast.head).get(f"/schools/900001/return/actions/{planned.id}/").status_code == 404
        client.post(f"{HOME}actions/{planned.id}/", done)
        with inside(one):
            assert PlannedAction.objects.get().done_on == date(2026, 11, 20)

    def test_reminds_whoever_sees_to_it_and_nobody_once_it_is_done(self, one, cast, at, made):
        returned = made({SHOULD: NO})
        with inside(one):
            planned = actions.plan_action(
                answer=returned.answers.get(requirement_id=SHOULD), what="Name the officer", owner_name="Olga",
                owner_email="Olga@barsetshire.example", due_on=at.date() + timedelta(days=30), by=cast.officer, at=at,
            )  # fmt: skip
            reminders.owe_return_reminders(on=planned.due_on, at=at + timedelta(days=30))
            notice = Notice.objects.get(subject_kind="planned_action", state="owed")
            assert (notice.recipient, notice.school_id, notice.step) == ("olga@barsetshire.example", None, "before-0")
            subject, text, _ = in_words(notice, reminders.still_due(notice, at=at), authority=one)
            assert subject.startswith("Barsetshire: something that you see to") and HOME in text
            assert "Name the officer" not in text
        made()
        with inside(one), pytest.raises(reminders.NoLongerDue):
            reminders.still_due(notice, at=at)
        made({SHOULD: NO})
        with inside(one):
            assert reminders.still_due(notice, at=at)
            actions.change_action(action=planned, done_on=at.date(), by=cast.officer, at=at)
            with pytest.raises(reminders.NoLongerDue):
                reminders.still_due(notice, at=at)


class TestThoseWhoMustAnswer:
    """The policy officer and the administrator of the cast, and the named officer; nobody else is there who may."""

    DUE = date(2027, 1, 22)
    ALL = ["adele@barsetshire.example", "nora@barsetshire.example", "officer@barsetshire.example"]

    @pytest.fixture
    def sweep(self, one, at, named):
        with inside(one):
            User.objects.filter(memberships__school=None).exclude(email__in=self.ALL).update(is_active=False)
            person("arun@barsetshire.example", Role.ANALYST)
            gone = person("gone@barsetshire.example", Role.NAMED_OFFICER)
            gone.memberships.update(to_on=at.date() - timedelta(days=1))

        def owe(on):
            with inside(one):
                reminders.owe_return_reminders(on=on, at=at + (on - at.date()))
                found = Notice.objects.filter(subject_kind="self_assessment", state="owed")
                return [(each.recipient, each.step, each.wording) for each in found.order_by("step_on", "recipient")]

        return owe

    @pytest.mark.parametrize(
        ("days", "step", "wording"),
        [
            (-61, None, None),
            (-60, "before-60", "own_due"),
            (0, "before-0", "own_due"),
            (1, "before-0", "own_due"),
            (7, "overdue-1", "own_overdue"),
            (59, "overdue-8", "own_overdue"),
            (60, None, None),
        ],
    )
    def test_are_reminded_until_it_closes(self, cycle, sweep, days, step, wording):
        told = sweep(self.DUE + timedelta(days=days))
        assert told == ([(who, step, wording) for who in self.ALL] if step else [])

    def test_are_reminded_once_and_not_of_what_is_submitted(self, one, cycle, sweep, made, at):
        sweep(self.DUE)
        assert len(sweep(self.DUE)) == 3
        with inside(one):
            notice = Notice.objects.filter(subject_kind="self_assessment").first()
            subject, text, _ = in_words(notice, reminders.still_due(notice, at=at), authority=one)
            assert subject == "Barsetshire: the self-assessment is due by 22 January 2027"
            assert HOME in text and "you may answer it for Barsetshire" in text and notice.school_id is None
        made()
        with inside(one), pytest.raises(reminders.NoLongerDue, match=Notice.Reason.NOT_NEEDED):
            reminders.still_due(notice, at=at)
        assert len(sweep(self.DUE + timedelta(days=7))) == 3

    def test_are_not_reminded_once_they_may_not(self, one, cast, cycle, sweep, at):
        sweep(self.DUE)
        with inside(one):
            cast.officer.memberships.update(role=Role.ANALYST)
            notice = Notice.objects.get(subject_kind="self_assessment", recipient=self.ALL[2])
            with pytest.raises(reminders.NoLongerDue, match=Notice.Reason.CONTACT_CHANGED):
                reminders.still_due(notice, at=at)


class TestTheEvidence:
    def test_of_the_authority_has_it_and_that_of_a_school_has_not(self, one, cast, on, made):
        made({SHOULD: Wanted("no", reason="On another page.")})
        with inside(one):
            evidence = Evidence(None, on=on, authority="Barsetshire", printed="")
            [table] = [each for each in evidence.tables() if each.title.startswith("Self-assessment")]
            assert [row[1:] for row in table.rows if row[1] == "No"] == [("No", "On another page.")]
            assert "Submitted on" in table.lead and "Not countersigned." in table.lead
            assert not Evidence(cast.oak, on=on, authority="Barsetshire", printed="").returns
