"""The pages of returns: a school answers in parts, its lead submits, a governor signs, the authority samples."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from factories import SchoolFactory, person
from reading import hidden_of, text_of

from handrail.accounts.roles import Role
from handrail.core.models import AuditEntry
from handrail.guidance import published
from handrail.guidance.published import framework
from handrail.policies.actions import open_policies, record_review, set_details
from handrail.policies.models import Policy
from handrail.returns.actions import Wanted
from handrail.returns.authority_views import drawn
from handrail.returns.models import Answer, Assessment, Countersignature, Cycle, Draft, PlannedAction, Return
from tenants.context import inside

pytestmark = pytest.mark.django_db

HOME = "/schools/900001/return/"
DAY = timedelta(days=1)


def said(ids, verdict="yes", **more):
    """What the boxes of a section send."""
    return {f"{each}-verdict": verdict for each in ids} | more


class TestTheSchoolsPage:
    def test_says_when_nothing_is_asked(self, cast, browse):
        assert "No return has been asked for" in browse(cast.head).get(HOME).text

    def test_says_how_far_the_school_is(self, cast, browse, cycle, answer, ids):
        answer(only=ids[:4])
        page = browse(cast.head).get(HOME).text
        assert "4 of 9 answered" in page and "5 points are open" in page
        assert "Return it by 22 January 2027." in page
        assert "Submit this return" not in page

    def test_is_seen_by_the_school_and_the_authority_and_by_no_neighbour(self, cast, browse, cycle, governor):
        for who, status in ((cast.head, 200), (governor, 200), (cast.officer, 200), (cast.neighbour, 404)):
            assert browse(who).get(HOME).status_code == status

    def test_asks_nothing_of_a_school_that_the_law_does_not_name(self, one, cast, browse, cycle):
        with inside(one):
            SchoolFactory(urn="900077", body="independent_school", type_name="Other independent school")
        page = browse(cast.officer).get("/schools/900077/return/").text
        assert "this return asks nothing of this kind of school" in page


class TestTheFirstPage:
    def test_says_that_a_return_is_asked_for_until_there_is_one(self, cast, browse, cycle, submitted):
        client = browse(cast.head)
        assert "Return for 2026 to 2027" in client.get("/").text and "Answer the return" in client.get("/").text
        submitted()
        assert "Return for 2026 to 2027" not in client.get("/").text


class TestASection:
    def test_is_saved_in_parts(self, one, cast, browse, cycle, ids):
        client = browse(cast.head)
        page = client.get(f"{HOME}sections/1/")
        assert "Start date to be confirmed" in page.text
        answered = hidden_of(page) | said(
            ids[:2], **{f"{ids[0]}-evidence_page": "4", f"{ids[0]}-evidence_url": "oak.example/allergy"}
        )
        assert client.post(f"{HOME}sections/1/", answered)["Location"] == HOME
        with inside(one):
            first = Draft.objects.get(requirement_id=ids[0])
            assert (first.verdict, first.evidence_page) == ("yes", "4")
            assert first.evidence_url == "https://oak.example/allergy"
            assert Draft.objects.count() == 2
            assert AuditEntry.objects.get(verb="answered points of a return").fields == ids[:2]
        assert "Saved “" in client.get(HOME).text
        again = answered | hidden_of(client.get(f"{HOME}sections/1/"))
        again |= {f"{ids[0]}-evidence_url": "https://oak.example/allergy"}
        assert "You changed nothing in “" in client.post(f"{HOME}sections/1/", again, follow=True).text

    def test_keeps_what_was_typed_when_something_is_wrong(self, one, cast, browse, cycle, ids):
        wrong = {
            f"{ids[0]}-verdict": "not_applicable",
            f"{ids[1]}-evidence": "See the minutes",
            f"{ids[2]}-evidence_url": "no address",
        }
        page = browse(cast.head).post(f"{HOME}sections/1/", wrong).text
        assert "Enter why this does not apply to you" in page
        assert "Select an answer to" in page
        assert "See the minutes" in page and "no address" in page
        with inside(one):
            assert not Draft.objects.exists()

    def test_is_for_those_who_keep_the_schools_records(self, cast, browse, cycle, ids, governor):
        for who in (governor, cast.officer):
            assert browse(who).post(f"{HOME}sections/1/", said(ids)).status_code == 403
        assert browse(cast.neighbour).post(f"{HOME}sections/1/", said(ids)).status_code == 404
        assert browse(cast.head).get(f"{HOME}sections/2/").status_code == 404


class TestSubmitting:
    def test_is_the_leads_and_signing_a_governors(self, one, cast, browse, cycle, answer, governor):
        answer()
        head = browse(cast.head)
        assert "Submit this return" in head.get(HOME).text
        assert "9 points" in head.get(f"{HOME}submit/").text
        page = head.post(f"{HOME}submit/", follow=True).text
        assert "A governor can now sign it." in page and "Not yet" in page
        with inside(one):
            made = Return.objects.get()
        place = f"{HOME}{made.id}/"
        assert "Sign this return" not in head.get(place).text
        assert head.post(f"{place}countersign/").status_code == 403
        assert "1 return to sign" in browse(governor).get("/").text
        assert "return to sign" not in browse(cast.head).get("/").text
        assert "It waits for a second signature." in browse(governor).get(HOME).text
        assert "second signature" not in head.get(HOME).text
        assert "Sign this return" in browse(governor).get(place).text
        assert browse(governor).post(f"{place}countersign/", follow=True).text.count("Gus Governor") >= 1
        for page in ("/", HOME):
            assert (
                "to sign" not in browse(governor).get(page).text and "waits for" not in browse(governor).get(page).text
            )
        with inside(one):
            assert Countersignature.objects.get().signed_by == governor.id
        assert "signed already" in browse(governor).post(f"{place}countersign/").text

    def test_is_refused_with_points_open_and_to_the_office(self, one, cast, browse, cycle, answer, ids):
        answer(only=ids[1:])
        assert "Answer every point before you submit" in browse(cast.head).post(f"{HOME}submit/").text
        with inside(one):
            office = person("sally@oak.example", Role.SCHOOL_ADMINISTRATOR, school=cast.oak)
            assert not Return.objects.exists()
        assert browse(office).post(f"{HOME}submit/").status_code == 403
        assert browse(office).get(f"{HOME}sections/1/").status_code == 200

    def test_again_is_a_correction(self, one, cast, browse, ids, answer, submitted):
        first = submitted()
        client = browse(cast.head)
        assert "Submit the correction" not in client.get(HOME).text
        answer({ids[0]: Wanted("partly", reason="We have begun.")}, only=[])
        assert "Submit the correction" in client.get(HOME).text
        client.post(f"{HOME}submit/")
        assert "correction 1" in client.get(HOME).text
        old = client.get(f"{HOME}{first.id}/").text
        assert "Corrected since" in old and "We have begun." not in old

    def test_says_what_was_typed_apart_from_who_said_it(self, cast, browse, ids, submitted):
        evidence = {ids[0]: Wanted("yes", evidence="Minutes of May"), ids[1]: Wanted("yes", evidence="Page 4.")}
        made = submitted(evidence)
        words = " ".join(browse(cast.head).get(f"{HOME}{made.id}/").text.split())
        assert f"Minutes of May. {cast.head.name}, " in words and f" Page 4. {cast.head.name}, " in words

    def test_begins_with_how_many_answers_were_which_and_leads_to_what_is_not_met(self, cast, browse, ids, submitted):
        made = submitted({ids[2]: Wanted("partly", reason="We have begun."), ids[4]: Wanted("no", reason="Not yet.")})
        page = browse(cast.head).get(f"{HOME}{made.id}/")
        assert "Answers Yes: 7, Partly: 1, No: 1 Not met in full:" in text_of(page)
        assert [f'href="#{each}"' in page.text for each in ids] == [each in (ids[2], ids[4]) for each in ids]
        assert "Return it by" not in (home := text_of(browse(cast.head).get(HOME)))
        assert "It can be corrected until it closes on 23 March 2027." in home

    def test_lists_nothing_as_not_met_where_all_is(self, cast, browse, submitted):
        page = text_of(browse(cast.head).get(f"{HOME}{submitted().id}/"))
        assert "Answers Yes: 9" in page and "Not met" not in page


class TestTheAuthority:
    def test_asks_for_a_return(self, one, cast, browse):
        client = browse(cast.officer)
        assert "No return has been asked for yet." in client.get("/returns/").text
        asked = {
            "school_year": "2026", "framework_ids": ["SPMC-2015", "CFA-100A"],
            "due_on_day": "31", "due_on_month": "1", "due_on_year": "2027",
            "closes_on_day": "1", "closes_on_month": "4", "closes_on_year": "2027",
        }  # fmt: skip
        assert "Start date to be confirmed" in client.get("/returns/open/").text
        assert "MCAS-2026" not in client.get("/returns/open/").text
        page = client.post("/returns/open/", asked, follow=True).text
        assert "Due by 31 January 2027" in page and "Not returned: 2 schools" in page
        assert "There is a return for 2026 to 2027 already" in client.post("/returns/open/", asked).text
        client.post("/returns/dates/", asked | {"due_on_month": "2", "due_on_day": "14"})
        with inside(one):
            assert Cycle.objects.get().due_on.month == 2

    def test_sees_where_each_school_stands_and_why(self, cast, browse, ids, submitted):
        submitted({ids[4]: Wanted("no")})
        page = browse(cast.officer).get("/returns/").text
        assert "(rule R4)" in page and "a written document that the school and parents generally know" in page
        assert "Red: 1 school" in page and "Not returned: 1 school" in page
        only = browse(cast.officer).get("/returns/?colour=red").text
        assert "Oak School" in only and "Elm School" not in only
        assert "Elm School" in browse(cast.officer).get("/returns/?progress=not-begun").text
        file = b"".join(browse(cast.officer).get("/returns/board.csv?colour=red").streaming_content).decode("utf-8-sig")
        [headings, row] = file.splitlines()
        assert headings.startswith("URN,School,") and row.startswith("900001,Oak School,")
        assert "Red,R4," in row and "Returned," in row

    def test_draws_a_sample_of_those_returned_and_the_same_again(self, cast, browse, submitted, cycle):
        submitted()
        page = browse(cast.officer).get("/returns/?sample=5").text
        assert "Drawn at random" in page and "Oak School" in page and "Elm School" not in page
        assert "Elm School" in browse(cast.officer).get("/returns/?sample=7").text
        rows = [SimpleNamespace(school=SimpleNamespace(id=uuid4())) for _ in range(60)]
        first = drawn(rows, 10, cycle)
        assert len(first) == 10 and drawn(rows[::-1], 10, cycle) == first
        assert drawn(rows, 10, SimpleNamespace(id=uuid4())) != first and drawn(rows, 25, cycle)[:10] == first

    def test_sees_its_own_policy_on_the_same_board_with_the_rule_that_decided(self, one, cast, browse, at, on):
        with inside(one):
            open_policies(on=on, at=at)
            own = Policy.objects.get(school=None)
        client = browse(cast.officer)
        assert "Section 19 policy: nothing is on record. (rule R1)" in client.get("/returns/").text
        with inside(one):
            set_details(policy=own, by=cast.officer, at=at, lead_name="Nora", lead_email="", link_governor="")
            about = {"policy": own, "by": cast.officer, "at": at}
            record_review(**about, reviewed_on=on, outcome="new", published_url="https://barsetshire.example/19")
        page = client.get("/returns/").text
        assert "No return has been asked for. (rule N3)" in page
        assert "last reviewed on 23 November 2026, recorded by Olu Officer" in page

    def test_records_what_it_found_beside_the_answer(self, one, cast, browse, ids, submitted):
        made = submitted()
        place, client = f"{HOME}{made.id}/", browse(cast.officer)
        assert "Record what you found" in client.get(place).text
        found = {"verdict": "no", "note": "Nothing on the website on 23 November."}
        page = client.post(f"{place}points/{ids[6]}/", found, follow=True).text
        assert "Barsetshire found: No" in page and "(the school said: yes)" in page
        assert "Nothing on the website on 23 November." in browse(cast.head).get(place).text
        with inside(one):
            assert Assessment.objects.get().answer.verdict == "yes"
            assert Answer.objects.filter(verdict="no").count() == 0

    def test_is_alone_in_finding_and_in_asking(self, cast, browse, ids, submitted, governor):
        made = submitted()
        for who in (cast.head, governor):
            assert browse(who).post(f"{HOME}{made.id}/points/{ids[6]}/", {"verdict": "yes"}).status_code == 403
            assert browse(who).post("/returns/open/").status_code == 403
            assert browse(who).get("/returns/").status_code == 403

    def test_answers_for_no_school(self, cast, browse, cycle, ids):
        assert browse(cast.officer).get(f"{HOME}sections/1/").status_code == 403
        assert browse(cast.officer).post(f"{HOME}submit/").status_code == 403


class TestWhatIsPlanned:
    GAP = Wanted("no", reason="The head wrote it last week.")

    def typed(self, **changes):
        typed = {"what": "Ask the caterer", "owner_name": "Olga", "owner_email": "olga@oak.example"}
        return typed | {"due_on_day": "1", "due_on_month": "2", "due_on_year": "2027"} | changes

    def test_is_said_of_a_gap_changed_and_done(self, one, cast, browse, ids, submitted):
        made = submitted({ids[2]: self.GAP})
        place, client = f"{HOME}{made.id}/", browse(cast.head)
        assert client.get(place).text.count("Plan what will be done") == 1
        page = client.post(f"{place}points/{ids[2]}/plan/", self.typed(), follow=True).text
        assert "Ask the caterer" in page and "by 1 February 2027" in page
        assert "Ask the caterer" in browse(cast.officer).get(place).text
        with inside(one):
            planned = PlannedAction.objects.get()
        done = {"done_on_day": "20", "done_on_month": "11", "done_on_year": "2026"}
        page = client.post(f"{HOME}actions/{planned.id}/", self.typed(**done), follow=True).text
        assert "What is to be done" not in page
        assert "done on 20 November 2026" in client.get(place).text

    def test_is_said_to_be_missing_no_more_once_the_return_says_yes(self, cast, browse, ids, submitted):
        said = "The return does not say any more that this is missing, so nobody is reminded of it."
        made, client = submitted({ids[2]: self.GAP}), browse(cast.head)
        client.post(f"{HOME}{made.id}/points/{ids[2]}/plan/", self.typed())
        assert "Ask the caterer" in client.get(HOME).text and said not in client.get(HOME).text
        submitted({ids[2]: Wanted("yes")})
        page = client.get(HOME).text
        assert said in page and "Change, or say it is done" in page

    def test_is_refused_where_nothing_is_missing(self, one, cast, browse, ids, submitted):
        made = submitted({ids[2]: self.GAP})
        page = browse(cast.head).post(f"{HOME}{made.id}/points/{ids[3]}/plan/", self.typed()).text
        assert "there is nothing to plan" in page and "Ask the caterer" in page
        with inside(one):
            assert not PlannedAction.objects.exists()

    def test_says_what_is_wrong_and_keeps_the_rest(self, cast, browse, ids, submitted):
        made = submitted({ids[2]: self.GAP})
        page = browse(cast.head).post(f"{HOME}{made.id}/points/{ids[2]}/plan/", self.typed(owner_email="olga")).text
        assert "Enter an e-mail address like name@school.example" in page and "Ask the caterer" in page

    def test_is_the_schools_own(self, one, cast, browse, ids, submitted):
        made = submitted({ids[2]: self.GAP})
        browse(cast.head).post(f"{HOME}{made.id}/points/{ids[2]}/plan/", self.typed())
        with inside(one):
            planned = PlannedAction.objects.get()
        for who, status in ((cast.officer, 403), (cast.neighbour, 404)):
            assert browse(who).post(f"{HOME}actions/{planned.id}/", self.typed(what="Nothing")).status_code == status
        elsewhere = f"/schools/900002/return/actions/{planned.id}/"
        assert browse(cast.neighbour).post(elsewhere, self.typed(what="Nothing")).status_code == 404
        with inside(one):
            assert PlannedAction.objects.get().what == "Ask the caterer"


class TestWhenGuidanceChanges:
    def test_the_officer_sees_whom_it_concerns_and_the_school_its_short_list(
        self, cast, submitted, browse, new_edition, ids
    ):
        submitted()
        officer = browse(cast.officer)
        assert "Guidance has changed since" not in text_of(officer.get("/returns/"))
        _, removed, added = new_edition()
        submitted(only=[*(each for each in ids if each != removed), added], school=cast.elm)
        board = text_of(officer.get("/returns/"))
        assert "Guidance has changed since they answered: 1 school" in board and "earlier year" not in board
        listed = text_of(officer.get("/returns/?progress=reopened"))
        assert "Download 1 school (CSV)" in listed
        assert cast.oak.name in listed
        assert "Returned by Oak School 2 points are open since guidance changed" in listed
        sheet = b"".join(officer.get("/returns/board.csv?progress=reopened").streaming_content).decode("utf-8-sig")
        assert "Returned,2," in sheet
        head = browse(cast.head)
        assert "2 points to answer Guidance has changed since you submitted" in text_of(head.get("/"))
        assert "Guidance has changed" not in text_of(browse(cast.neighbour).get("/"))
        said = text_of(head.get("/schools/900001/return/"))
        assert "Changed since you answered: 1 point" in said
        assert said.count("What changed, word by word, in “Allergy safety policy”") == 1
        assert 'href="/guidance/CFA-100A/changes/?since=1"' in head.get(HOME).text
        caterer = "The policy names the caterer. (Start date to be confirmed.)"
        assert f"New since you returned it: 1 point {caterer}" in said
        assert "It names who wrote it. (Start date to be confirmed.)" in said
        assert "The allergy safety policy (start date to be confirmed)" in said

    def test_after_it_closed_each_sees_the_same_and_that_the_next_return_asks(
        self, one, cast, on, submitted, browse, new_edition
    ):
        submitted()
        with inside(one):
            Cycle.objects.update(opened_on=on - 30 * DAY, due_on=on - 20 * DAY, closes_on=on)
        head = browse(cast.head)
        assert "to answer" not in text_of(head.get("/"))
        new_edition()
        first = head.get("/")
        assert "2 points to answer in the next return" in text_of(first)
        assert "See what changed" in text_of(first) and "app-to-do--overdue" not in first.text
        said = text_of(head.get(HOME))
        assert "Changed since you answered: 1 point" in said and "The next return asks you about these again." in said
        assert "to answer" not in text_of(browse(cast.neighbour).get("/")), "which returned nothing"
        listed = text_of(browse(cast.officer).get("/returns/"))
        assert "Guidance has changed since they answered: 1 school" in listed and "with the next return." in listed
        assert "A school that last returned in an earlier year is told too, and not counted here." in listed

    def test_that_only_took_a_point_away_leaves_nothing_to_do(
        self, one, cast, submitted, browse, monkeypatch, answer, ids
    ):
        submitted()
        old = framework("CFA-100A")
        found = (*published.editions(), replace(old, edition=2, requirements=old.requirements[1:]))
        monkeypatch.setattr(published, "editions", lambda: found)
        head = browse(cast.head)
        assert "A correction to submit" not in text_of(head.get("/"))
        assert "Submit the correction" not in text_of(head.get(HOME))
        answer({ids[1]: Wanted("partly")}, only=[])
        assert "A correction to submit" in text_of(head.get("/"))
        assert "Submit the correction" in text_of(head.get(HOME))
